package artwork

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Format is how the pixels of a rendition are encoded.
type Format uint8

// The formats.
const (
	// FormatAuto is what every client can show: JPEG, or PNG if the image has
	// pixels that are not opaque.
	FormatAuto Format = iota + 1
	FormatJPEG
	FormatPNG
	FormatWebP
	FormatAVIF
)

var formatNames = [...]string{FormatAuto: "auto", FormatJPEG: "jpeg", FormatPNG: "png", FormatWebP: "webp", FormatAVIF: "avif"}

// String returns the format's name in URLs, tags and the store.
func (f Format) String() string { return name(formatNames[:], int(f)) }

// ParseFormat reads a format that a request may name: FormatAuto is none of them.
func ParseFormat(s string) (Format, error) {
	i, ok := parse(formatNames[:], s)
	if !ok || Format(i) == FormatAuto {
		return 0, Errorf(InvalidInput, "%q is not a format: use jpeg, png, webp or avif", s)
	}
	return Format(i), nil
}

// sizes are the presets that a request may name, and their edges in pixels.
var sizes = []struct {
	name string
	edge int
}{{"thumb", 200}, {"small", 300}, {"medium", 500}, {"large", 1000}}

// ParseSize reads a preset and returns its edge in pixels.
func ParseSize(s string) (edge int, err error) {
	for _, size := range sizes {
		if size.name == s {
			return size.edge, nil
		}
	}
	return 0, Errorf(InvalidInput, "%q is not a size: use thumb, small, medium or large", s)
}

// IsSquare reports whether renditions of the slot are cut to squares. Those of the
// others show the whole image.
func (s Slot) IsSquare() bool { return s == SlotCover || s == SlotProfile || s == SlotAvatar }

// Rendition says what a copy of an image looks like.
//
// A square one shows the largest square of the image that has the focal point in its
// middle as far as the edges allow; without one, it is that which attracts attention.
// Another one shows the whole image. No side is longer than Edge, and no image is enlarged: of a smaller
// one a square shows the largest that it holds.
type Rendition struct {
	Edge   int // pixels
	Square bool
	Format Format
}

// RenditionOf returns the rendition of an image in the slot.
func RenditionOf(slot Slot, edge int, format Format) Rendition {
	return Rendition{Edge: edge, Square: slot.IsSquare(), Format: format}
}

// Presets returns the renditions of an image in the slot that requests can name, in
// the format; the largest comes first.
func Presets(slot Slot, format Format) []Rendition {
	edges := map[int]bool{}
	var presets []Rendition
	add := func(edge int) {
		if edge > 0 && !edges[edge] {
			edges[edge] = true
			presets = append(presets, RenditionOf(slot, edge, format))
		}
	}
	for i := len(sizes) - 1; i >= 0; i-- {
		add(sizes[i].edge)
	}
	for t := TypeProfile; t <= TypeAvatar; t++ {
		if t.Slot() == slot {
			add(t.Edge())
		}
	}
	return presets
}

// String returns the rendition's name in tags and the store: "s300.webp" is a square,
// "f300.webp" fits.
func (r Rendition) String() string { return string(r.AppendTo(nil)) }

// AppendTo appends the rendition's name to text.
func (r Rendition) AppendTo(text []byte) []byte {
	return append(append(append(text, r.shape()...), '.'), r.Format.String()...)
}

func (r Rendition) shape() string {
	if r.Square {
		return "s" + strconv.Itoa(r.Edge)
	}
	return "f" + strconv.Itoa(r.Edge)
}

// RenditionKey names the bytes of a rendition: whoever makes it, on whatever
// instance, what is stored under the key is always the same picture.
type RenditionKey struct {
	Hash    Hash // of the original
	Tag     Tag  // of what is cut out of it
	Encoder string
	Rendition
}

// KeyOf returns the key of a rendition of the image by an encoder, whose name has
// letters and digits only. The focal point of an image that is not cut does not
// matter.
func (r Rendition) KeyOf(img *Image, encoder string) RenditionKey {
	focal := img.FocalPoint
	if !r.Square {
		focal = nil
	}
	return RenditionKey{Hash: img.Hash, Tag: TagOf(img.Hash, focal), Encoder: encoder, Rendition: r}
}

// renditionsDir is where every store keeps renditions.
const renditionsDir = "renditions/"

// Path returns where every store keeps the rendition, relative to its root, with
// slashes: "renditions/ab/ab54…/0123456789abcdef-s300-go1.webp".
func (k RenditionKey) Path() string {
	return k.Hash.RenditionsPath() + "/" + string(k.Tag) + "-" + k.shape() + "-" + k.Encoder + "." + k.Format.String()
}

// RenditionsPath returns the folder of all renditions of an original.
func (h Hash) RenditionsPath() string {
	s := h.String()
	return renditionsDir + s[:2] + "/" + s
}

// ParseRenditionPath returns whose rendition is kept under the path; false if Path
// does not write such.
func ParseRenditionPath(path string) (Hash, bool) {
	rest, ok := strings.CutPrefix(path, renditionsDir)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 || parts[2] == "" {
		return Hash{}, false
	}
	hash, err := ParseHash(parts[1])
	return hash, err == nil && hash.RenditionsPath()+"/"+parts[2] == path
}

// RenditionStore keeps renditions. They can be made again at any time: a store may
// lose some in a crash, but never has half of one. All methods may be called
// concurrently, also from several processes on one store. They may fail with
// Unavailable when the store cannot be reached, and with ctx's error when ctx ends.
type RenditionStore interface {
	// PutRendition stores the content under the key, in place of what is there.
	// Readers find either the whole content or what was there. StorageFull: no room.
	PutRendition(ctx context.Context, key RenditionKey, content []byte) error
	// OpenRendition returns the bytes for reading; the caller closes it. NotFound:
	// there are none under this key. A store may note that they were used.
	OpenRendition(ctx context.Context, key RenditionKey) (StoredFile, error)
	// RemoveRenditions removes all renditions of an original. Removing what is not
	// there is no error. What is put meanwhile may stay.
	RemoveRenditions(ctx context.Context, original Hash) error
	// RemoveRendition removes what is stored under a path that ListRenditions told of.
	RemoveRendition(ctx context.Context, path string) error
	// ListRenditions calls visit with every rendition, in no order, and stops at its
	// first error. visit may call the store. What is put or removed meanwhile may be
	// visited or not.
	ListRenditions(ctx context.Context, visit func(RenditionInfo) error) error
}

// RenditionInfo describes one stored rendition.
type RenditionInfo struct {
	Original Hash
	Path     string    // RenditionKey.Path
	Size     int64     // bytes
	UsedAt   time.Time // when it was put, or used since as far as the store notes that
}
