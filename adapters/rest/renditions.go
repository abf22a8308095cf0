package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// view is how a request wants to see an image.
type view struct {
	edge       int // pixels; 0: the original
	format     artwork.Format
	negotiated bool // nobody named the format: it depends on the header Accept
}

// viewOf reads the query of an image, and refuses what is not in the contract. A type
// that is a size by itself is asked for as a size is.
func viewOf(c *gin.Context, typ artwork.Type) (view, error) {
	if err := onlyQuery(c, "size", "format", "tag"); err != nil {
		return view{}, err
	}
	v := view{edge: typ.Edge()}
	if size, sized := c.GetQuery("size"); sized {
		if v.edge != 0 {
			return view{}, artwork.Errorf(artwork.InvalidInput, "%s is a size already", typ)
		}
		edge, err := artwork.ParseSize(size)
		if err != nil {
			return view{}, err
		}
		v.edge = edge
	}
	format, named := c.GetQuery("format")
	switch {
	case v.edge == 0 && named:
		return view{}, artwork.Errorf(artwork.InvalidInput, "format needs a size: originals are served as they are")
	case v.edge == 0:
		return v, nil
	case !named:
		v.negotiated, v.format = true, accepted(c.Request.Header["Accept"])
		return v, nil
	}
	var err error
	v.format, err = artwork.ParseFormat(format)
	return v, err
}

// accepted returns the format for what a header Accept says (RFC 9110, 12.5.1). AVIF
// and WebP have to be named: wildcards are sent by clients that show neither.
func accepted(header []string) artwork.Format {
	quality := map[string]float64{}
	for _, line := range header {
		for part := range strings.SplitSeq(line, ",") {
			media, parameters, _ := strings.Cut(part, ";")
			media = strings.ToLower(strings.TrimSpace(media))
			quality[media] = max(quality[media], qualityOf(parameters))
		}
	}
	if len(quality) == 0 {
		return artwork.FormatAuto
	}
	// What is said of the more special counts.
	of := func(media string) float64 {
		for _, name := range [...]string{media, "image/*", "*/*"} {
			if q, ok := quality[name]; ok {
				return q
			}
		}
		return 0
	}
	everybody := max(of("image/jpeg"), of("image/png"))
	avif, webp := quality["image/avif"], quality["image/webp"]
	switch {
	case avif > 0 && avif >= webp && avif >= everybody:
		return artwork.FormatAVIF
	case webp > 0 && webp >= everybody:
		return artwork.FormatWebP
	case of("image/png") > 0 && of("image/jpeg") == 0:
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
		return h.serve(c, img)
	}
	if v.negotiated {
		c.Writer.Header().Add("Vary", "Accept")
	}
	key := h.renditions.Key(img, artwork.RenditionOf(slot, v.edge, v.format))
	tag := renderimage.Tag(img, key)
	if holds(c.Request.Header, tag) {
		return h.notModified(c, img, tag)
	}
	rendition, err := h.renditions.Run(c.Request.Context(), img, key)
	switch kind := artwork.KindOf(err); {
	case err == nil:
	case kind == artwork.Unavailable, c.Request.Context().Err() != nil:
		return err
	default:
		keepAs(c, noCache)
		return h.write(c, img)
	}
	defer func() { _ = rendition.Content.Close() }() // only read
	h.describe(c, rendition.MIMEType, tag)
	h.keep(c, img)
	return serveContent(c, img.LastModified, rendition.Content)
}

// holds reports whether a request says, and nothing but, that the client has what the
// tag names. All other conditions are for http.ServeContent.
func holds(header http.Header, tag artwork.Tag) bool {
	return header.Get("If-None-Match") == `"`+string(tag)+`"` && header.Get("If-Match") == "" && header.Get("If-Unmodified-Since") == ""
}

// notModified answers who holds the rendition, without opening it.
func (h *Images) notModified(c *gin.Context, img *artwork.Image, tag artwork.Tag) error {
	c.Header("ETag", `"`+string(tag)+`"`)
	if !img.LastModified.IsZero() {
		c.Header("Last-Modified", img.LastModified.UTC().Format(http.TimeFormat))
	}
	h.keep(c, img)
	c.Status(http.StatusNotModified)
	c.Writer.WriteHeaderNow()
	return nil
}
