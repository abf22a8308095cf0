package artwork

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"time"
)

// Hash is the SHA-256 of an image's bytes, as they are stored: its identity.
type Hash [sha256.Size]byte

// HashOf returns the hash of the bytes.
func HashOf(content []byte) Hash { return sha256.Sum256(content) }

// ParseHash reads the 64 hexadecimal digits that String writes.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if len(s) != hex.EncodedLen(len(h)) {
		return Hash{}, Errorf(InvalidInput, "%q is not a SHA-256 hash", s)
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, Errorf(InvalidInput, "%q is not a SHA-256 hash", s)
	}
	return h, nil
}

// IsZero reports whether the hash names nothing.
func (h Hash) IsZero() bool { return h == Hash{} }

// String returns 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHash.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHash(string(text))
	return err
}

// Path returns where every store keeps the bytes, relative to its root, with
// slashes: "images/ab/ab54…". The fan-out of 256 keeps folders of a million
// images at some 4 000 entries.
func (h Hash) Path() string {
	s := h.String()
	return "images/" + s[:2] + "/" + s
}

// FocalPoint is the part of an image that a crop must keep, in fractions of
// its width and height counted from the top left corner.
type FocalPoint struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Check returns an InvalidInput error unless both fractions are in 0..1.
func (f FocalPoint) Check() error {
	// Written so that NaN fails it too.
	if !(f.X >= 0 && f.X <= 1 && f.Y >= 0 && f.Y <= 1) {
		return Errorf(InvalidInput, "a focal point has x and y in 0..1")
	}
	return nil
}

// Rounded returns the point as it is kept: to a millionth, which is less than a
// pixel of the largest image.
func (f FocalPoint) Rounded() FocalPoint {
	return FocalPoint{X: math.Round(f.X*1e6) / 1e6, Y: math.Round(f.Y*1e6) / 1e6}
}

// Tag is a short name of what is served: it changes exactly when the bytes or
// the focal point change, and is the same on every instance.
type Tag string

// tagDigits is 64 bits in hexadecimal. A tag only has to tell the images of
// one slot apart; the hash is what identifies bytes.
const tagDigits = 16

// TagOf derives the tag from the content hash and, if one is set, the focal
// point.
func TagOf(hash Hash, focal *FocalPoint) Tag {
	if focal == nil {
		return Tag(hex.EncodeToString(hash[:tagDigits/2]))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %.6f %.6f", hash, focal.X, focal.Y))
	return Tag(hex.EncodeToString(sum[:])[:tagDigits])
}

// Content describes bytes in the store: everything here follows from the bytes
// alone.
type Content struct {
	Hash      Hash
	Size      int64 // bytes
	MIMEType  string
	Width     int // pixels, as displayed (after EXIF orientation)
	Height    int
	ThumbHash []byte // a blurred placeholder of about 25 bytes (evanw.github.io/thumbhash); may be empty

	// DominantColor is what most of it looks like. It is not known of what an earlier
	// release has taken in, until it is computed later.
	DominantColor Color
}

// Image is the pointer of a slot: the image in force, with all that an answer
// needs to say about it. Images are handed out by caches to many callers at
// once: nobody changes one.
type Image struct {
	Content
	RecordID     ID
	Tag          Tag
	Source       Source
	Provider     string
	FocalPoint   *FocalPoint
	Locked       bool
	LastModified time.Time // when the slot last changed; UTC, whole seconds, strictly increasing per slot
}

// Record is an image known for a place, in force or not. Records are never lost: what
// was once in force can be put in force again. Nor are they changed, but for what is
// learned later of the rights in the image (Learned), and of what its bytes look like.
type Record struct {
	ID          ID
	Place       Place
	Content     Content
	Source      Source
	Provider    string // who offered it: a provider's id, or any name of 1 to 64 characters
	SourceURL   string
	Licence     string
	Attribution string
	SourcePage  string  // where people can read about the image
	StatedBy    Witness // who said what is known of its rights: Provenance
	FileName    string  // the name the file had where it came from
	FocalPoint  *FocalPoint
	AddedBy     string // who brought it: a token's or user's name, or "library"
	AddedAt     time.Time
}

// Check returns an InvalidInput error unless the record can be kept: it has an
// ID, a place that can be, a hash and a source, its focal point lies in the
// image, and its texts are texts (CheckText).
func (r Record) Check() error {
	if err := r.Place.Check(); err != nil {
		return err
	}
	switch {
	case r.ID.IsZero():
		return Errorf(InvalidInput, "the record has no ID")
	case r.Content.Hash.IsZero():
		return Errorf(InvalidInput, "the record has no hash")
	case r.Source.String() == "":
		return Errorf(InvalidInput, "the record has no source")
	}
	if r.FocalPoint != nil {
		if err := r.FocalPoint.Check(); err != nil {
			return err
		}
	}
	if err := r.Content.DominantColor.Check(); err != nil {
		return err
	}
	return r.checkTexts()
}

// Focused returns the record of the same image with another focal point: a record
// of its own, so that the one with the former point can be restored. The same point
// gives the same record, whoever sets it.
func (r Record) Focused(point FocalPoint, by string, at time.Time) Record {
	point = point.Rounded()
	r.ID = DeriveID("image", r.Place.String(), r.Content.Hash.String(), r.Source.String(), r.Provider, fmt.Sprintf("%.6f %.6f", point.X, point.Y))
	r.FocalPoint = &point
	r.AddedBy, r.AddedAt = by, at
	return r
}

// SamePicture reports whether both records are of one picture that one source
// brought for one place, whatever its focal point.
func (r Record) SamePicture(other Record) bool {
	return r.Place == other.Place && r.Content.Hash == other.Content.Hash && r.Source == other.Source
}

func (r Record) checkTexts() error {
	for _, field := range [...]struct{ what, text string }{
		{"mimeType", r.Content.MIMEType}, {"provider", r.Provider}, {"sourceUrl", r.SourceURL}, {"licence", r.Licence},
		{"attribution", r.Attribution}, {"sourcePage", r.SourcePage}, {"fileName", r.FileName}, {"addedBy", r.AddedBy},
	} {
		if err := CheckText(field.what, field.text); err != nil {
			return err
		}
	}
	return nil
}

// Origin says where beside the music a local image was found. When several
// pictures are found for one slot the smaller origin wins, in whatever order
// they are met.
type Origin struct {
	Rank int    // how well the place and name fit the slot; 0 is best
	Path string // absolute path of the picture, or of the audio file it is embedded in
}

// Less reports whether o is preferred to other: the smaller rank, then the
// smaller path.
func (o Origin) Less(other Origin) bool {
	if o.Rank != other.Rank {
		return o.Rank < other.Rank
	}
	return o.Path < other.Path
}

// RecordID derives the identity of a record from what makes it one: the same
// bytes from the same source and provider for the same place are the same
// record, on every instance and however often they are brought.
func RecordID(place Place, hash Hash, source Source, provider string) ID {
	return DeriveID("image", place.String(), hash.String(), source.String(), provider)
}
