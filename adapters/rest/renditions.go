package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// view is how a request wants to see an image.
type view struct {
	edge       int // pixels; 0: the original
	format     artwork.Format
	negotiated bool   // nobody named the format: it depends on the header Accept
	tag        string // in the URL; "": none
}

// viewOf reads the query of an image, and refuses what is not in the contract. A type
// that is a size by itself is asked for as a size is.
func viewOf(c *gin.Context, typ artwork.Type) (view, error) {
	query := [...]parameter{{name: "size"}, {name: "format"}, {name: "tag"}}
	if err := readParameters(c.Request.URL.RawQuery, query[:]); err != nil {
		return view{}, err
	}
	size, format := query[0], query[1]
	v := view{edge: typ.Edge(), tag: query[2].value}
	var err error
	if size.given {
		if v.edge != 0 {
			return view{}, artwork.Errorf(artwork.InvalidInput, "%s is a size already", typ)
		}
		if v.edge, err = artwork.ParseSize(size.value); err != nil {
			return view{}, err
		}
	}
	switch {
	case v.edge == 0 && format.given:
		return view{}, artwork.Errorf(artwork.InvalidInput, "format needs a size: originals are served as they are")
	case v.edge == 0:
	case format.given:
		v.format, err = artwork.ParseFormat(format.value)
	default:
		v.negotiated, v.format = true, accepted(c.Request.Header["Accept"])
	}
	return v, err
}

// parameter is one that a query may have.
type parameter struct {
	name, value string
	given       bool
}

// readParameters reads the parameters of a query, and refuses what queryOf does. It allocates
// nothing: thumbs are asked for with a query.
func readParameters(raw string, known []parameter) (refusal error) {
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, badName := url.QueryUnescape(name)
		value, badValue := url.QueryUnescape(value)
		if badName != nil || badValue != nil || strings.Contains(part, ";") {
			return errMalformedQuery
		}
		i := slices.IndexFunc(known, func(p parameter) bool { return p.name == name })
		switch {
		case i < 0:
			refusal = unknownParameter(name)
		case known[i].given:
			refusal = repeatedParameter(name)
		default:
			known[i].value, known[i].given = value, true
		}
	}
	return refusal
}

// The media types of a header Accept on which an answer depends.
const (
	acceptsJPEG = iota
	acceptsPNG
	acceptsWebP
	acceptsAVIF
	acceptsImages
	acceptsAnything
)

var negotiated = [...]string{"image/jpeg", "image/png", "image/webp", "image/avif", "image/*", "*/*"}

// accepted returns the format for what a header Accept says (RFC 9110, 12.5.1). AVIF
// and WebP have to be named: wildcards are sent by clients that show neither.
func accepted(header []string) artwork.Format {
	if len(header) == 0 {
		return artwork.FormatAuto
	}
	const unnamed = -1
	quality := [len(negotiated)]float64{unnamed, unnamed, unnamed, unnamed, unnamed, unnamed}
	for _, line := range header {
		for part := range strings.SplitSeq(line, ",") {
			media, parameters, _ := strings.Cut(part, ";")
			media = strings.TrimSpace(media)
			if i := slices.IndexFunc(negotiated[:], func(name string) bool { return strings.EqualFold(name, media) }); i >= 0 {
				quality[i] = max(quality[i], qualityOf(parameters))
			}
		}
	}
	// What is said of the more special counts.
	of := func(media int) float64 {
		for _, i := range [...]int{media, acceptsImages, acceptsAnything} {
			if quality[i] != unnamed {
				return quality[i]
			}
		}
		return 0
	}
	everybody := max(of(acceptsJPEG), of(acceptsPNG))
	avif, webp := quality[acceptsAVIF], quality[acceptsWebP]
	switch {
	case avif > 0 && avif >= webp && avif >= everybody:
		return artwork.FormatAVIF
	case webp > 0 && webp >= everybody:
		return artwork.FormatWebP
	case of(acceptsPNG) > 0 && of(acceptsJPEG) == 0:
		return artwork.FormatPNG
	}
	return artwork.FormatAuto
}

// qualityOf reads the weight among the parameters of a media type: 1 if there is none,
// 0 if it cannot be read.
func qualityOf(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}

// serveView answers with the image in force as the request wants to see it. Of an image
// that cannot be rendered it is the original, which nobody may keep.
func (h *Images) serveView(c *gin.Context, img *artwork.Image, slot artwork.Slot, v view) error {
	if v.edge == 0 {
		keep(c, img, v)
		return h.write(c, img)
	}
	if v.negotiated {
		varyBy(c.Writer.Header(), byAccept)
	}
	key := h.renditions.Key(img, artwork.RenditionOf(slot, v.edge, v.format))
	tag := renderimage.Tag(img, key)
	if holds(c.Request.Header, tag) {
		keep(c, img, v)
		return notModified(c, img.LastModified, tag)
	}
	rendition, err := h.renditions.Run(identified(c), renderimage.In{Image: img, Slot: slot, Key: key, AnyFormat: v.negotiated})
	switch kind := artwork.KindOf(err); {
	case err == nil:
	case kind == artwork.Unavailable, c.Request.Context().Err() != nil:
		return err
	default:
		keepAs(c, noCache)
		return h.write(c, img)
	}
	defer func() { _ = rendition.Content.Close() }() // only read
	if rendition.Key == key {
		keep(c, img, v)
	} else { // a stand-in, until the right one is ready
		tag = renderimage.Tag(img, rendition.Key)
		keepAs(c, noCache)
	}
	describe(c.Writer.Header(), rendition.MIMEType, img.LastModified, tag)
	return serveContent(c, img.LastModified, rendition.Content)
}

// holds reports whether a request says, and nothing but, that the client has what the
// tag names. All other conditions are for http.ServeContent.
func holds(header http.Header, tag artwork.Tag) bool {
	none := header["If-None-Match"]
	return len(none) == 1 && isEntityTag(none[0], tag) && len(header["If-Match"]) == 0 && len(header["If-Unmodified-Since"]) == 0
}

// isEntityTag reports whether a text is the tag as it is written in headers.
func isEntityTag(text string, tag artwork.Tag) bool {
	last := len(text) - 1
	return last == len(tag)+1 && text[0] == '"' && text[last] == '"' && text[1:last] == string(tag)
}

// notModified answers who holds what the tag names, without opening it. What is said
// here takes the place of what the client was told before (RFC 9111, section 3.2).
func notModified(c *gin.Context, modified time.Time, tag artwork.Tag) error {
	describe(c.Writer.Header(), "", modified, tag)
	sendHeader(c, http.StatusNotModified, nil)
	return nil
}
