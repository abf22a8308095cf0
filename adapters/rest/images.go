package rest

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/application/applyimage"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
)

// Images serves images and what is known of them.
type Images struct {
	artists  *serveimage.GetArtistImage
	albums   *serveimage.GetAlbumCover
	users    *serveimage.GetUserAvatar
	pointers *serveimage.Pointers
	uploads  *applyimage.UploadedImages
	content  *serveimage.OpenContent
}

// NewImages returns the routes under /api/images.
func NewImages(artists *serveimage.GetArtistImage, albums *serveimage.GetAlbumCover, users *serveimage.GetUserAvatar,
	pointers *serveimage.Pointers, uploads *applyimage.UploadedImages, content *serveimage.OpenContent,
) *Images {
	return &Images{artists, albums, users, pointers, uploads, content}
}

// Register implements Routes.
func (h *Images) Register(r *Router) {
	r.public("/api/images/artists/:id/:type", byID(h.artistImage))
	r.public("/api/images/artists/:id/:type/exists", byID(h.artistImageExists))
	r.public("/api/images/artists/:id/all", byID(h.allOfArtist))
	r.public("/api/images/artists/:id/custom/:imageId", h.uploaded(artwork.ArtistSubject))
	r.public("/api/images/albums/:id/cover", byID(h.albumCover))
	r.public("/api/images/albums/:id/cover/exists", byID(h.albumCoverExists))
	r.public("/api/images/albums/:id/cover/metadata", byID(h.albumCoverMetadata))
	r.public("/api/images/albums/:id/custom/:imageId", h.uploaded(artwork.AlbumSubject))
	r.public("/api/images/users/:id/avatar", byID(h.userAvatar))
	r.public("/api/albums/:id/cover", byID(h.albumCover))
}

// presets are the sizes that an image can be asked for in.
var (
	presets = []string{"thumb", "small", "medium", "large"}
	formats = []string{"jpeg", "png", "webp", "avif"}
)

// checkRendition refuses what is not in the contract.
func checkRendition(c *gin.Context) error {
	if err := onlyQuery(c, "size", "format", "tag"); err != nil {
		return err
	}
	size, sized := c.GetQuery("size")
	if sized && !slices.Contains(presets, size) {
		return artwork.Errorf(artwork.InvalidInput, "%q is not a size: use thumb, small, medium or large", size)
	}
	format, formatted := c.GetQuery("format")
	if formatted && !slices.Contains(formats, format) {
		return artwork.Errorf(artwork.InvalidInput, "%q is not a format: use jpeg, png, webp or avif", format)
	}
	if formatted && !sized {
		return artwork.Errorf(artwork.InvalidInput, "format needs a size: originals are served as they are")
	}
	return nil
}

func (h *Images) artistImage(c *gin.Context, artist artwork.ID) error {
	typ, err := artwork.ParseArtistType(c.Param("type"))
	if err != nil {
		return err
	}
	if err := checkRendition(c); err != nil {
		return err
	}
	img, err := h.artists.Run(c.Request.Context(), serveimage.ArtistImageIn{ArtistID: artist, Type: typ})
	if err != nil {
		return err
	}
	return h.serve(c, img)
}

func (h *Images) albumCover(c *gin.Context, album artwork.ID) error {
	if err := checkRendition(c); err != nil {
		return err
	}
	img, _, err := h.albums.Run(c.Request.Context(), album)
	if err != nil {
		return err
	}
	return h.serve(c, img)
}

func (h *Images) userAvatar(c *gin.Context, user artwork.ID) error {
	if err := checkRendition(c); err != nil {
		return err
	}
	img, err := h.users.Run(c.Request.Context(), user)
	if err != nil {
		return err
	}
	return h.serve(c, img)
}

// uploaded serves one uploaded image, in force or not.
func (h *Images) uploaded(kind artwork.SubjectKind) handler {
	return byID(func(c *gin.Context, subject artwork.ID) error {
		image, err := id(c, "imageId")
		if err != nil {
			return err
		}
		if err := onlyQuery(c); err != nil {
			return err
		}
		record, err := h.uploads.Find(c.Request.Context(), artwork.Subject{Kind: kind, ID: subject}, image)
		if err != nil {
			return err
		}
		c.Header("Cache-Control", immutable)
		return h.write(c, &artwork.Image{
			Content: record.Content, Tag: artwork.TagOf(record.Content.Hash, nil), LastModified: record.AddedAt.Truncate(time.Second),
		})
	})
}

const (
	immutable = "public, max-age=31536000, immutable"
	noCache   = "no-cache"
)

// serve answers with the bytes of the image in force. Only a URL that names the
// tag in force may be kept: every other one has to ask again.
func (h *Images) serve(c *gin.Context, img *artwork.Image) error {
	c.Header("Cache-Control", noCache)
	if c.Query("tag") == string(img.Tag) {
		c.Header("Cache-Control", immutable)
	}
	return h.write(c, img)
}

// write answers with the bytes, a 304, a range or only the headers, as the
// request asks.
func (h *Images) write(c *gin.Context, img *artwork.Image) error {
	content, err := h.content.Run(c.Request.Context(), img)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read
	header := c.Writer.Header()
	header.Set("Content-Type", img.MIMEType)
	header.Set("ETag", `"`+string(img.Tag)+`"`)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "sandbox")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	return serveContent(c, img, content)
}

// serveContent answers as the conditions and the range of the request want it
// (RFC 9110, sections 13 and 14).
func serveContent(c *gin.Context, img *artwork.Image, content io.ReadSeeker) error {
	normalise(c.Request)
	w := &refusingWriter{ResponseWriter: c.Writer}
	http.ServeContent(w, c.Request, "", img.LastModified, content)
	switch w.refused {
	case http.StatusPreconditionFailed:
		return withoutContent(c, artwork.Errorf(artwork.PreconditionFailed, "another image is served here"))
	case http.StatusRequestedRangeNotSatisfiable:
		c.Header("Content-Range", fmt.Sprintf("bytes */%d", img.Size))
		return withoutContent(c, &rangeError{img.Size})
	default:
		return nil
	}
}

// maxRanges bounds the parts of an answer: each costs more than a byte of the image.
const maxRanges = 32

// normalise has http.ServeContent read what the header says: it takes one line of a
// list, and refuses what servers are to ignore.
func normalise(r *http.Request) {
	for _, name := range []string{"If-Match", "If-None-Match"} {
		if lines := r.Header.Values(name); len(lines) > 1 {
			r.Header.Set(name, strings.Join(lines, ", "))
		}
	}
	asked := r.Header.Get("Range")
	if asked == "" {
		return
	}
	unit, ranges, _ := strings.Cut(asked, "=")
	if r.Method != http.MethodGet || !strings.EqualFold(unit, "bytes") || strings.Count(ranges, ",") >= maxRanges {
		r.Header.Del("Range")
		return
	}
	r.Header.Set("Range", "bytes="+ranges)
}

// withoutContent takes back what was said of the image, and returns the error.
func withoutContent(c *gin.Context, err error) error {
	for _, name := range []string{"Content-Type", "Content-Length", "ETag", "Last-Modified", "Accept-Ranges"} {
		c.Writer.Header().Del(name)
	}
	return err
}

// refusingWriter keeps http.ServeContent from answering that it does not serve: errors
// are problem documents.
type refusingWriter struct {
	http.ResponseWriter
	refused int // 0: the answer has begun
}

// WriteHeader implements http.ResponseWriter.
func (w *refusingWriter) WriteHeader(status int) {
	if status == http.StatusPreconditionFailed || status == http.StatusRequestedRangeNotSatisfiable {
		w.refused = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *refusingWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// rangeError says that no part of an image is in the range that was asked for.
type rangeError struct{ size int64 }

// Error implements error.
func (e *rangeError) Error() string {
	return fmt.Sprintf("no byte of this range is there: the image has %d", e.size)
}

func (h *Images) artistImageExists(c *gin.Context, artist artwork.ID) error {
	typ, err := artwork.ParseArtistType(c.Param("type"))
	if err != nil {
		return err
	}
	found, err := h.pointers.All(c.Request.Context(), artwork.Artist(artist))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"exists": found[typ.Slot()] != nil, "artistId": artist, "imageType": typ.String()})
	return nil
}

func (h *Images) albumCoverExists(c *gin.Context, album artwork.ID) error {
	_, isDefault, err := h.albums.Run(c.Request.Context(), album)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"exists": !isDefault, "albumId": album})
	return nil
}

// imageInfo is what is told of an image in force.
type imageInfo struct {
	Exists       bool                `json:"exists"`
	Size         int64               `json:"size"`
	MIMEType     string              `json:"mimeType"`
	LastModified time.Time           `json:"lastModified"`
	Tag          artwork.Tag         `json:"tag"`
	Source       artwork.Source      `json:"source"`
	Provider     string              `json:"provider,omitempty"`
	Width        int                 `json:"width"`
	Height       int                 `json:"height"`
	ThumbHash    string              `json:"thumbhash"`
	FocalPoint   *artwork.FocalPoint `json:"focalPoint,omitempty"`
	Locked       bool                `json:"locked"`
}

func infoOf(img *artwork.Image) imageInfo {
	return imageInfo{
		Exists: true, Size: img.Size, MIMEType: img.MIMEType, LastModified: img.LastModified, Tag: img.Tag,
		Source: img.Source, Provider: img.Provider, Width: img.Width, Height: img.Height,
		ThumbHash: base64.StdEncoding.EncodeToString(img.ThumbHash), FocalPoint: img.FocalPoint, Locked: img.Locked,
	}
}

func (h *Images) allOfArtist(c *gin.Context, artist artwork.ID) error {
	found, err := h.pointers.All(c.Request.Context(), artwork.Artist(artist))
	if err != nil {
		return err
	}
	images := make(map[string]imageInfo, len(found))
	for slot, img := range found {
		images[slot.String()] = infoOf(img)
	}
	c.Header("Cache-Control", noCache)
	c.JSON(http.StatusOK, gin.H{"artistId": artist, "images": images})
	return nil
}

func (h *Images) albumCoverMetadata(c *gin.Context, album artwork.ID) error {
	img, isDefault, err := h.albums.Run(c.Request.Context(), album)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", noCache)
	if isDefault {
		c.JSON(http.StatusOK, gin.H{"albumId": album, "cover": gin.H{"exists": false}})
		return nil
	}
	c.JSON(http.StatusOK, gin.H{"albumId": album, "cover": infoOf(img)})
	return nil
}
