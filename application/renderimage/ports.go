// Package renderimage answers with images in the size and format that a client asks
// for: each is rendered once in a fleet, stored, and served from the store.
package renderimage

import (
	"context"
	"image"
	"io"
	"time"

	"gatefold/domain/artwork"
)

// ImageRenderer makes renditions. Its methods may be called concurrently; Render
// keeps to the memory that decoding was given.
type ImageRenderer interface {
	// Render decodes the content once and returns the wanted renditions of it, in
	// their order. Each follows from the content, the focal point (fractions of the
	// image as it is displayed; nil: where Attention finds it) and the rendition alone:
	// what else is wanted with it does not matter.
	//
	// A rendition is turned as it is to be shown, in sRGB, and carries no metadata. It
	// keeps alpha, except in JPEG, where it lies on white. An animation gives its first
	// frame. Its size is as artwork.Rendition says.
	//
	// UnsupportedImage, CorruptImage, ImageTooLarge: the content is no image that can
	// be rendered. Of ctx it is noticed at the latest after the rendition at hand that
	// it has ended; then its error is returned.
	Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error)
	// Encoder names what makes the bytes, in letters and digits. It changes with
	// everything that would make others of the same content.
	Encoder() string
}

// Decoder decodes images within the memory that the process sets aside for it.
type Decoder interface {
	// Decode calls use with the decoded image, whose memory is accounted for until use
	// returns, and returns the error of use. Errors of its own: UnsupportedImage,
	// CorruptImage, ImageTooLarge; ctx's, if it ended before there was room.
	Decode(ctx context.Context, content []byte, use func(Picture) error) error
}

// Admission decides which contents may be decoded, for who decodes by itself.
type Admission interface {
	// Admit looks at what the content is and what it says of itself, and calls use with
	// that when there is room to decode it: its memory is accounted for until use
	// returns. It returns the error of use. Nothing is decoded, so that the content may
	// still be damaged. Errors of its own are those of Decoder.
	Admit(ctx context.Context, content []byte, use func(Header) error) error
}

// Header is what an image says of itself.
type Header struct {
	MIMEType    string
	Size        image.Point // as it is stored, not turned yet
	Orientation int         // how it is to be turned to be shown, in Exif's numbers 1 to 8
	PlainInks   bool        // its four channels are inks as they are, not inverted as Adobe's
}

// Picture is a decoded image, not turned yet and in its own colours.
type Picture struct {
	Image       image.Image
	Orientation int    // how it is to be turned to be shown, in Exif's numbers 1 to 8
	Profile     []byte // its ICC profile; empty: it is sRGB
}

// Originals opens the bytes of images in force.
type Originals interface {
	Run(ctx context.Context, img *artwork.Image) (io.ReadSeekCloser, error)
}

// Turns let one of many instances do what is to be done once. They may be called
// concurrently.
type Turns interface {
	// Take takes the turn of the name, unless somebody has it. It ends with release,
	// which may be called once the caller's ctx has ended, or when the term has passed.
	// An error means that nobody knows whether somebody has it.
	Take(ctx context.Context, name string, term time.Duration) (release func(), taken bool, err error)
}
