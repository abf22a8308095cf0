package artwork

import "strings"

// Key names one cached pointer. It is comparable and free of allocations; its
// text form is made only where it leaves the process.
type Key struct {
	Subject Subject
	Type    Type
}

// String returns the key's name in a shared cache, the same in every release:
//
//	image:artist:<id>:<type>   image:album:<id>:cover   image:user:<id>:avatar
func (k Key) String() string {
	return "image:" + k.Subject.Kind.String() + ":" + k.Subject.ID.String() + ":" + k.Type.String()
}

// ParseKey reads what String writes, and nothing else: a key has one name.
func ParseKey(s string) (Key, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 4 || parts[0] != "image" {
		return Key{}, Errorf(InvalidInput, "%q is not the key of an image", s)
	}
	kind, err := ParseSubjectKind(parts[1])
	if err != nil {
		return Key{}, err
	}
	id, err := ParseID(parts[2])
	if err != nil {
		return Key{}, err
	}
	for _, key := range (Subject{kind, id}).Keys() {
		if key.String() == s {
			return key, nil
		}
	}
	return Key{}, Errorf(InvalidInput, "%q is not the key of an image of an %s", s, kind)
}

// Place returns the slot whose pointer the key caches.
func (k Key) Place() Place { return Place{k.Subject, k.Type.Slot()} }

// Keys returns every key that caches the place's pointer: one for each type
// that shows the slot.
func (p Place) Keys() []Key {
	var keys []Key
	for t := TypeProfile; t <= TypeAvatar; t++ {
		if t.Slot() == p.Slot && p.Subject.Kind.Has(p.Slot) {
			keys = append(keys, Key{p.Subject, t})
		}
	}
	return keys
}

// Keys returns every key of the subject.
func (s Subject) Keys() []Key {
	var keys []Key
	for _, slot := range s.Kind.Slots() {
		keys = append(keys, Place{s, slot}.Keys()...)
	}
	return keys
}
