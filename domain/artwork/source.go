package artwork

// Source is where an image came from.
type Source uint8

// The sources.
const (
	// Custom images were uploaded by a person.
	Custom Source = iota + 1
	// Local images were found beside the music.
	Local
	// External images were downloaded from a provider.
	External
)

var sourceNames = [...]string{Custom: "custom", Local: "local", External: "external"}

// String returns "custom", "local" or "external".
func (s Source) String() string { return name(sourceNames[:], int(s)) }

// MarshalText writes String.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSource.
func (s *Source) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSource(string(text))
	return err
}

// ParseSource reads what String writes.
func ParseSource(s string) (Source, error) {
	i, ok := parse(sourceNames[:], s)
	if !ok {
		return 0, Errorf(InvalidInput, "%q is not a source: use custom, local or external", s)
	}
	return Source(i), nil
}

var (
	coverPriority = []Source{Custom, External, Local}
	otherPriority = []Source{Custom, Local, External}
)

// Priority returns the sources in the order in which they fill the slot when
// nobody chose: custom, local, external; for an album cover custom, external,
// local. The caller must not change it.
func (s Slot) Priority() []Source {
	if s == SlotCover {
		return coverPriority
	}
	return otherPriority
}

// Holding is what a slot holds as far as the question matters whether an image
// that nobody chose may take its place.
type Holding struct {
	Source    Source // zero if the slot is empty
	Origin    Origin // of a local image
	Chosen    bool   // a person put this image in force
	Locked    bool   // automatic replacement is refused
	KeptEmpty bool   // a person wants the slot empty
}

// AllowsLocal reports whether an image found by a library scan at the origin
// may take force. It may fill an empty slot and replace an image of another
// scan: itself changed, a less preferred one, or one whose file has vanished
// (its path; "" if none has). It never displaces what a person chose, a custom
// or external image, or anything in a locked slot.
func (h Holding) AllowsLocal(found Origin, vanished string) bool {
	switch {
	case h.Locked, h.KeptEmpty, h.Chosen:
		return false
	case h.Source == 0:
		return true
	case h.Source == Local:
		return !h.Origin.Less(found) || isGone(h.Origin, vanished)
	default:
		return false
	}
}

// isGone reports whether the origin is the one that has vanished, if one has.
func isGone(o Origin, vanished string) bool { return vanished != "" && o.Path == vanished }
