package imagecheck

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatefold/domain/artwork"
)

// format is a type of image that is accepted.
type format struct {
	name        string
	mimeType    string
	matches     func(content []byte) bool
	size        func(content []byte) (image.Point, error) // without decoding
	complete    func(content []byte) error                // whether all parts are there, as far as decoders do not look
	decode      func(content []byte) (image.Image, error)
	orientation func(content []byte) orientation
	costly      bool // to decode
}

const startOfJPEG = "\xff\xd8\xff"

// accepted names the formats in messages.
const accepted = "JPEG, PNG, WebP, GIF and AVIF are accepted"

var formats = []format{
	{"JPEG", "image/jpeg", prefix(startOfJPEG), sizeBy(jpeg.DecodeConfig), fewScans, decodeJPEG, orientationOfJPEG, false},
	{"PNG", "image/png", prefix("\x89PNG\r\n\x1a\n"), sizeBy(png.DecodeConfig), walkPNG, decodeBy(png.Decode), orientationOfPNG, false},
	{"WebP", "image/webp", isWebP, sizeOfWebP, always, decodeWebP, orientationOfWebP, false},
	{"GIF", "image/gif", isGIF, sizeOfGIF, walkGIF, decodeGIF, upright, false},
	{"AVIF", "image/avif", isAVIF, sizeOfAVIF, always, decodeAVIF, orientationOfAVIF, true},
}

// detect returns the format of the content.
func detect(content []byte) (format, error) {
	if len(content) == 0 {
		return format{}, artwork.Errorf(artwork.UnsupportedImage, "there is no content: %s", accepted)
	}
	i := slices.IndexFunc(formats, func(f format) bool { return f.matches(content) })
	if i < 0 {
		return format{}, artwork.Errorf(artwork.UnsupportedImage, "this is %s: %s", looksLike(content), accepted)
	}
	if other := polyglot(content); other != "" {
		return format{}, artwork.Errorf(artwork.UnsupportedImage, "this %s begins as %s too: %s", formats[i].name, other, accepted)
	}
	return formats[i], nil
}

// startBytes is how far those look who tell by its start what a file is.
const startBytes = 1024

// markup is what makes somebody take a file for another thing than an image.
var markup = regexp.MustCompile(`(?i)(%PDF-)|(<svg[\s>])|(<\?php\b|<script[\s>])|(<html[\s>]|<!doctype\s+html)`)

// languages are those of the groups of markup.
var languages = [...]string{"a PDF document", "an SVG drawing", "a script", "a web page (HTML)"}

// polyglot says what else than an image the content begins as; "" if nothing.
func polyglot(content []byte) string {
	if startsAsScript(content) {
		return "a script"
	}
	match := markup.FindSubmatchIndex(content[:min(len(content), startBytes)])
	for group := range languages {
		if match != nil && match[2*group+2] >= 0 {
			return languages[group]
		}
	}
	return ""
}

// identifiers are beginnings of images that a script may have for a variable. A
// JPEG begins so if it has a JFIF header.
var identifiers = [...]string{"GIF87a", "GIF89a", "RIFF", "\xff\xd8\xff\xe0"}

// startsAsScript reports whether a comment or an assignment follows an identifier.
// As sizes, which they are in an image, the bytes are unheard of.
func startsAsScript(content []byte) bool {
	for _, identifier := range identifiers {
		rest, ok := bytes.CutPrefix(content, []byte(identifier))
		rest = bytes.TrimLeft(rest, " \t\n\v\f\r")
		if !ok || len(rest) < 2 {
			continue
		}
		switch second := rest[1]; rest[0] {
		case '/':
			return second == '*' || second == '/'
		case '=':
			return second >= '\t' && second <= '\r' || second >= ' ' && second <= '~'
		}
	}
	return false
}

func prefix(signature string) func([]byte) bool {
	return func(content []byte) bool { return bytes.HasPrefix(content, []byte(signature)) }
}

func isGIF(content []byte) bool {
	return prefix("GIF87a")(content) || prefix("GIF89a")(content)
}

func isWebP(content []byte) bool {
	return prefix("RIFF")(content) && len(content) >= 12 && string(content[8:12]) == "WEBP"
}

// others are the signatures of what people try instead.
var others = []struct{ signature, name string }{
	{"%PDF-", "a PDF document, not an image"},
	{"BM", "a BMP image"},
	{"II*\x00", "a TIFF image"},
	{"MM\x00*", "a TIFF image"},
	{"\x00\x00\x01\x00", "an icon"},
	{"\xff\x0a", "a JPEG XL image"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL image"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"},
	{"8BPS", "a Photoshop file"},
	{"PK\x03\x04", "a ZIP archive, not an image"},
	{"\x1f\x8b", "a gzip archive, not an image"},
	{"ID3", "an audio file, not an image"},
	{"fLaC", "an audio file, not an image"},
	{"OggS", "an audio file, not an image"},
	{"RIFF", "an audio or video file, not an image"},
	{"\x1aE\xdf\xa3", "a video file, not an image"},
}

// looksLike says in a person's words what content is that is not accepted.
func looksLike(content []byte) string {
	for _, other := range others {
		if prefix(other.signature)(content) {
			return other.name
		}
	}
	if brand, _, ok := fileType(content); ok {
		if strings.HasPrefix(brand, "he") || brand == "mif1" || brand == "msf1" {
			return "a HEIC image"
		}
		return "an audio or video file, not an image"
	}
	start := content[:min(len(content), 1024)]
	if !isText(start) {
		return "nothing that is known as an image"
	}
	text := strings.ToLower(string(start))
	switch {
	case strings.Contains(text, "<svg"):
		return "an SVG drawing"
	case strings.Contains(text, "<html"), strings.Contains(text, "<!doctype html"):
		return "a web page (HTML), not an image"
	}
	return "text, not an image"
}

// isText reports whether the start of some content reads as text.
func isText(start []byte) bool {
	for len(start) > 0 {
		r, size := utf8.DecodeRune(start)
		switch {
		case r == utf8.RuneError && size == 1 && utf8.FullRune(start),
			unicode.IsControl(r) && !unicode.IsSpace(r):
			return false
		}
		start = start[size:]
	}
	return true
}

// sizeBy adapts a decoder of the standard library's shape.
func sizeBy(decodeConfig func(io.Reader) (image.Config, error)) func([]byte) (image.Point, error) {
	return func(content []byte) (image.Point, error) {
		config, err := decodeConfig(bytes.NewReader(content))
		return image.Pt(config.Width, config.Height), err
	}
}

func decodeBy(decode func(io.Reader) (image.Image, error)) func([]byte) (image.Image, error) {
	return func(content []byte) (image.Image, error) { return decode(bytes.NewReader(content)) }
}

// maxScans bounds the passes over a JPEG's pixels. Encoders make about ten; a
// few bytes more for each further one keep a decoder busy for hours.
const maxScans = 200

var errTooManyScans = errors.New("too many scans")

// fewScans counts the scans of a JPEG. In compressed data 0xff is always followed by 0,
// so it counts hardly anything else.
func fewScans(content []byte) error {
	if bytes.Count(content, []byte{0xff, 0xda}) > maxScans {
		return errTooManyScans
	}
	return nil
}

// walkPNG goes through the chunks up to the last one.
func walkPNG(content []byte) error {
	for data := content[8:]; len(data) >= 12; {
		n := uint64(binary.BigEndian.Uint32(data)) + 12
		if n > uint64(len(data)) {
			break
		}
		if string(data[4:8]) == "IEND" {
			return nil
		}
		data = data[n:]
	}
	return io.ErrUnexpectedEOF
}

// always is for formats whose size cannot be read unless all parts are there, or whose
// decoders notice what is missing.
func always([]byte) error { return nil }

func decodeJPEG(content []byte) (image.Image, error) {
	if err := fewScans(content); err != nil {
		return nil, err
	}
	if inksOfJPEG(content) {
		return decodeInks(content)
	}
	return jpeg.Decode(bytes.NewReader(content))
}

// inksOfJPEG reports whether a JPEG has four channels and does not say what they mean:
// then they are inks, as they are. The decoder only knows those of Adobe, inverted.
func inksOfJPEG(content []byte) bool {
	channels, adobe := byte(0), false
	eachSegment(content, func(marker byte, segment []byte) {
		switch {
		case marker == 0xee && prefix("Adobe")(segment):
			adobe = true
		case (marker == 0xc0 || marker == 0xc1 || marker == 0xc2) && len(segment) > 5:
			channels = segment[5]
		}
	})
	return channels == 4 && !adobe
}

// decodeInks lets the decoder take the channels for those of Adobe, and inverts them.
func decodeInks(content []byte) (image.Image, error) {
	const adobe = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
	img, err := jpeg.Decode(bytes.NewReader(slices.Concat(content[:2], []byte(adobe), content[2:])))
	if inks, ok := img.(*image.CMYK); ok {
		for i := range inks.Pix {
			inks.Pix[i] = ^inks.Pix[i]
		}
	}
	return img, err
}
