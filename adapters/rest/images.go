package rest

import (
	"encoding/base64"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/applyimage"
	"gatefold/application/renderimage"
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

	renditions *renderimage.Renditions
}

// NewImages returns the routes under /api/images.
func NewImages(artists *serveimage.GetArtistImage, albums *serveimage.GetAlbumCover, users *serveimage.GetUserAvatar,
	pointers *serveimage.Pointers, uploads *applyimage.UploadedImages, content *serveimage.OpenContent, renditions *renderimage.Renditions,
) *Images {
	return &Images{artists, albums, users, pointers, uploads, content, renditions}
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

func (h *Images) artistImage(c *gin.Context, artist artwork.ID) error {
	typ, err := artwork.ParseArtistType(c.Param("type"))
	if err != nil {
		return err
	}
	view, err := viewOf(c, typ)
	if err != nil {
		return err
	}
	img, err := h.artists.Run(c.Request.Context(), serveimage.ArtistImageIn{ArtistID: artist, Type: typ})
	if err != nil {
		return err
	}
	return h.serveView(c, img, typ.Slot(), view)
}

func (h *Images) albumCover(c *gin.Context, album artwork.ID) error {
	view, err := viewOf(c, artwork.TypeCover)
	if err != nil {
		return err
	}
	img, _, err := h.albums.Run(c.Request.Context(), album)
	if err != nil {
		return err
	}
	return h.serveView(c, img, artwork.SlotCover, view)
}

func (h *Images) userAvatar(c *gin.Context, user artwork.ID) error {
	view, err := viewOf(c, artwork.TypeAvatar)
	if err != nil {
		return err
	}
	img, err := h.users.Run(c.Request.Context(), user)
	if err != nil {
		return err
	}
	return h.serveView(c, img, artwork.SlotAvatar, view)
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
		keepAs(c, immutable)
		return h.write(c, &artwork.Image{
			Content: record.Content, Tag: artwork.TagOf(record.Content.Hash, nil), LastModified: record.AddedAt.Truncate(time.Second),
		})
	})
}

const (
	immutable = "public, max-age=31536000, immutable"
	noCache   = "no-cache"
)

// keep says whether the answer may be kept. Only a URL that names the tag in force may
// be: every other one has to ask again.
func keep(c *gin.Context, img *artwork.Image, v view) {
	if v.tag == string(img.Tag) {
		keepAs(c, immutable)
	} else {
		keepAs(c, noCache)
	}
}

// write answers with the bytes, a 304, a range or only the headers, as the
// request asks.
func (h *Images) write(c *gin.Context, img *artwork.Image) error {
	if holds(c.Request.Header, img.Tag) {
		return notModified(c, img.LastModified, img.Tag)
	}
	content, err := h.content.Run(c.Request.Context(), img)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // only read
	describe(c.Writer.Header(), img.MIMEType, img.LastModified, img.Tag)
	return serveContent(c, img.LastModified, content)
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
	c.JSON(http.StatusOK, api.ArtistImageExists{Exists: found[typ.Slot()] != nil, ArtistID: artist, ImageType: typ.String()})
	return nil
}

func (h *Images) albumCoverExists(c *gin.Context, album artwork.ID) error {
	_, isDefault, err := h.albums.Run(c.Request.Context(), album)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.AlbumCoverExists{Exists: !isDefault, AlbumID: album})
	return nil
}

// infoOf returns what is told of an image in force.
func infoOf(img *artwork.Image) api.ImageInfo {
	return api.ImageInfo{
		Exists: true, Size: img.Size, MIMEType: img.MIMEType, LastModified: img.LastModified, Tag: img.Tag,
		Source: img.Source, Provider: img.Provider, Width: img.Width, Height: img.Height,
		Thumbhash: base64.StdEncoding.EncodeToString(img.ThumbHash), DominantColor: img.DominantColor, FocalPoint: img.FocalPoint, Locked: img.Locked,
	}
}

// infosOf returns what is told of the images in force of a subject.
func infosOf(images map[artwork.Slot]*artwork.Image) api.ImagesBySlot {
	infos := make(api.ImagesBySlot, len(images))
	for slot, img := range images {
		infos[slot.String()] = infoOf(img)
	}
	return infos
}

func (h *Images) allOfArtist(c *gin.Context, artist artwork.ID) error {
	found, err := h.pointers.All(c.Request.Context(), artwork.Artist(artist))
	if err != nil {
		return err
	}
	keepAs(c, noCache)
	c.JSON(http.StatusOK, api.ArtistImages{ArtistID: artist, Images: infosOf(found)})
	return nil
}

func (h *Images) albumCoverMetadata(c *gin.Context, album artwork.ID) error {
	img, isDefault, err := h.albums.Run(c.Request.Context(), album)
	if err != nil {
		return err
	}
	keepAs(c, noCache)
	if isDefault {
		c.JSON(http.StatusOK, api.AlbumCover{AlbumID: album, Cover: api.NoImage{}})
		return nil
	}
	c.JSON(http.StatusOK, api.AlbumCover{AlbumID: album, Cover: infoOf(img)})
	return nil
}
