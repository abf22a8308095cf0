package artwork

// SubjectKind is what an image can belong to.
type SubjectKind uint8

// The kinds of subject.
const (
	ArtistSubject SubjectKind = iota + 1
	AlbumSubject
	UserSubject
)

var subjectKindNames = [...]string{ArtistSubject: "artist", AlbumSubject: "album", UserSubject: "user"}

// String returns "artist", "album" or "user".
func (k SubjectKind) String() string { return name(subjectKindNames[:], int(k)) }

// MarshalText writes String.
func (k SubjectKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is ParseSubjectKind.
func (k *SubjectKind) UnmarshalText(text []byte) (err error) {
	*k, err = ParseSubjectKind(string(text))
	return err
}

// ParseSubjectKind reads what String writes.
func ParseSubjectKind(s string) (SubjectKind, error) {
	i, ok := parse(subjectKindNames[:], s)
	if !ok {
		return 0, Errorf(InvalidInput, "%q is not a kind of subject: use artist, album or user", s)
	}
	return SubjectKind(i), nil
}

// Subject is one artist, album or user.
type Subject struct {
	Kind SubjectKind
	ID   ID
}

// Artist returns the artist with the ID.
func Artist(id ID) Subject { return Subject{ArtistSubject, id} }

// Album returns the album with the ID.
func Album(id ID) Subject { return Subject{AlbumSubject, id} }

// User returns the user with the ID.
func User(id ID) Subject { return Subject{UserSubject, id} }

// String returns the subject for logs and messages: "artist <uuid>".
func (s Subject) String() string { return s.Kind.String() + " " + s.ID.String() }

// Slot is the place an image fills on a subject.
type Slot uint8

// The slots: four of an artist, one of an album, one of a user.
const (
	SlotProfile Slot = iota + 1
	SlotBackground
	SlotBanner
	SlotLogo
	SlotCover
	SlotAvatar
)

var slotNames = [...]string{
	SlotProfile: "profile", SlotBackground: "background", SlotBanner: "banner",
	SlotLogo: "logo", SlotCover: "cover", SlotAvatar: "avatar",
}

var slotsOf = [...][]Slot{
	ArtistSubject: {SlotProfile, SlotBackground, SlotBanner, SlotLogo},
	AlbumSubject:  {SlotCover},
	UserSubject:   {SlotAvatar},
}

// String returns the slot's name in URLs, cache keys and the database.
func (s Slot) String() string { return name(slotNames[:], int(s)) }

// MarshalText writes String.
func (s Slot) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSlot.
func (s *Slot) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSlot(string(text))
	return err
}

// ParseSlot reads what String writes.
func ParseSlot(s string) (Slot, error) {
	i, ok := parse(slotNames[:], s)
	if !ok {
		return 0, Errorf(InvalidInput, "%q is not a slot: use profile, background, banner, logo, cover or avatar", s)
	}
	return Slot(i), nil
}

// Slots returns the slots of a kind of subject. The caller must not change it.
func (k SubjectKind) Slots() []Slot {
	if int(k) >= len(slotsOf) {
		return nil
	}
	return slotsOf[k]
}

// Has reports whether subjects of this kind have the slot.
func (k SubjectKind) Has(slot Slot) bool {
	for _, s := range k.Slots() {
		if s == slot {
			return true
		}
	}
	return false
}

// Place is one slot of one subject: what a pointer belongs to.
type Place struct {
	Subject Subject
	Slot    Slot
}

// String returns the place for logs and messages: "artist <uuid> profile".
func (p Place) String() string { return p.Subject.String() + " " + p.Slot.String() }

// Check returns an InvalidInput error unless the subject has such a slot.
func (p Place) Check() error {
	if p.Subject.ID.IsZero() {
		return Errorf(InvalidInput, "no %s is named", p.Subject.Kind)
	}
	if !p.Subject.Kind.Has(p.Slot) {
		return Errorf(InvalidInput, "an %s has no slot %q", p.Subject.Kind, p.Slot)
	}
	return nil
}

// Type is what a request for an image names: a slot, or one of the fixed
// renditions of the profile.
type Type uint8

// The types. The seven of an artist come first.
const (
	TypeProfile Type = iota + 1
	TypeProfileSmall
	TypeProfileMedium
	TypeProfileLarge
	TypeBackground
	TypeBanner
	TypeLogo
	TypeCover
	TypeAvatar
)

var types = [...]struct {
	name string
	slot Slot
	edge int
}{
	TypeProfile:       {"profile", SlotProfile, 0},
	TypeProfileSmall:  {"profile-small", SlotProfile, 250},
	TypeProfileMedium: {"profile-medium", SlotProfile, 500},
	TypeProfileLarge:  {"profile-large", SlotProfile, 1000},
	TypeBackground:    {"background", SlotBackground, 0},
	TypeBanner:        {"banner", SlotBanner, 0},
	TypeLogo:          {"logo", SlotLogo, 0},
	TypeCover:         {"cover", SlotCover, 0},
	TypeAvatar:        {"avatar", SlotAvatar, 0},
}

// String returns the type's name in URLs and cache keys.
func (t Type) String() string {
	if t == 0 || int(t) >= len(types) {
		return ""
	}
	return types[t].name
}

// Slot returns the slot whose image the type shows.
func (t Type) Slot() Slot {
	if int(t) >= len(types) {
		return 0
	}
	return types[t].slot
}

// Edge returns the side in pixels of the square a fixed rendition is cut to,
// and 0 for a type that shows the original.
func (t Type) Edge() int {
	if int(t) >= len(types) {
		return 0
	}
	return types[t].edge
}

// TypeOf returns the type that shows the slot's original.
func TypeOf(slot Slot) Type {
	for t := TypeProfile; t <= TypeAvatar; t++ {
		if types[t].slot == slot && types[t].edge == 0 {
			return t
		}
	}
	return 0
}

// ParseArtistType reads one of the seven types of an artist.
func ParseArtistType(s string) (Type, error) {
	for t := TypeProfile; t <= TypeLogo; t++ {
		if types[t].name == s {
			return t, nil
		}
	}
	return 0, Errorf(InvalidInput, "%q is not a type of artist image: use profile, profile-small, profile-medium, profile-large, background, banner or logo", s)
}

// ParseArtistSlot reads one of the four slots of an artist.
func ParseArtistSlot(s string) (Slot, error) {
	slot, err := ParseSlot(s)
	if err != nil || !ArtistSubject.Has(slot) {
		return 0, Errorf(InvalidInput, "%q is not a slot of an artist: use profile, background, banner or logo", s)
	}
	return slot, nil
}

func name(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return ""
	}
	return names[i]
}

func parse(names []string, s string) (int, bool) {
	for i, n := range names {
		if n != "" && n == s {
			return i, true
		}
	}
	return 0, false
}
