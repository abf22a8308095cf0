package rest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/applyimage"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Metadata are the routes that change which image is in force.
type Metadata struct {
	applyArtist   *applyimage.ApplyArtistAvatar
	applyAlbum    *applyimage.ApplyAlbumCover
	applyUser     *applyimage.ApplyUserAvatar
	upload        *applyimage.UploadImage
	applyUploaded *applyimage.ApplyUploadedImage
	uploads       *applyimage.UploadedImages
	albums        catalog.Albums
}

// NewMetadata returns the routes under /api/admin/metadata, and the upload of an
// avatar.
func NewMetadata(applyArtist *applyimage.ApplyArtistAvatar, applyAlbum *applyimage.ApplyAlbumCover, applyUser *applyimage.ApplyUserAvatar,
	upload *applyimage.UploadImage, applyUploaded *applyimage.ApplyUploadedImage, uploads *applyimage.UploadedImages, albums catalog.Albums,
) *Metadata {
	return &Metadata{applyArtist, applyAlbum, applyUser, upload, applyUploaded, uploads, albums}
}

const metadataPrefix = "/api/admin/metadata/"

// Register implements Routes.
func (h *Metadata) Register(r *Router) {
	r.guarded(http.MethodPost, metadataPrefix+"artist/avatars/apply", accesstoken.Write, h.applyArtistAvatar)
	r.guarded(http.MethodPost, metadataPrefix+"album/covers/apply", accesstoken.Write, h.applyAlbumCover)
	r.guarded(http.MethodGet, metadataPrefix+"artist/custom-images/:id", accesstoken.Read, byID(h.listArtist))
	r.guarded(http.MethodPost, metadataPrefix+"artist/custom-images/:id/upload", accesstoken.Write, byID(h.uploadArtist))
	r.guarded(http.MethodPost, metadataPrefix+"artist/custom-images/:id/apply/:imageId", accesstoken.Write, h.applyUploadedArtist)
	r.guarded(http.MethodGet, metadataPrefix+"album/custom-covers/:id", accesstoken.Read, byID(h.listAlbum))
	r.guarded(http.MethodPost, metadataPrefix+"album/custom-covers/:id/upload", accesstoken.Write, byID(h.uploadAlbum))
	r.guarded(http.MethodPost, metadataPrefix+"album/custom-covers/:id/apply/:imageId", accesstoken.Write, h.applyUploadedAlbum)
	r.guardedBy(http.MethodPost, "/api/users/avatar", ownOr(inQuery), h.uploadAvatar)
}

// milliseconds writes a duration as consumers read it: with the fraction,
// because an embedded cache answers in less than one.
func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}

// statedOf is what a caller states of the rights in an image, instead of what its
// provider said or where nothing is known.
func statedOf(licence, attribution, sourcePage string) artwork.Provenance {
	return artwork.Provenance{Licence: licence, Attribution: attribution, SourcePage: sourcePage}
}

func (h *Metadata) applyArtistAvatar(c *gin.Context) error {
	var in api.ArtistImageFromURL
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	wish := applyimage.FromURL{
		SubjectID: in.ArtistID, Slot: in.Type, URL: in.AvatarURL, Provider: in.Provider,
		Stated: statedOf(in.Licence, in.Attribution, in.SourcePage), By: caller(c), IfTag: tag,
	}
	return answerApply(c, http.StatusCreated, func(progress applyimage.Progress) (any, error) {
		wish.Progress = progress
		applied, err := h.applyArtist.Run(c.Request.Context(), wish)
		if err != nil {
			return nil, err
		}
		return api.Applied{
			Success: true, Message: "the " + in.Type.String() + " image is in force", ImagePath: applied.Image.Hash.Path(),
			Tag: applied.Image.Tag, VisibleAfterMs: milliseconds(applied.VisibleAfter),
		}, nil
	})
}

func (h *Metadata) applyAlbumCover(c *gin.Context) error {
	var in api.AlbumCoverFromURL
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	wish := applyimage.FromURL{
		SubjectID: in.AlbumID, URL: in.CoverURL, Provider: in.Provider,
		Stated: statedOf(in.Licence, in.Attribution, in.SourcePage), By: caller(c), IfTag: tag,
	}
	return answerApply(c, http.StatusCreated, func(progress applyimage.Progress) (any, error) {
		wish.Progress = progress
		applied, err := h.applyAlbum.Run(c.Request.Context(), wish)
		if err != nil {
			return nil, err
		}
		return api.Applied{
			Success: true, Message: "the cover is in force", CoverPath: applied.Image.Hash.Path(),
			Tag: applied.Image.Tag, VisibleAfterMs: milliseconds(applied.VisibleAfter),
		}, nil
	})
}

// uploadForm is what a multipart upload brings.
type uploadForm struct {
	fileName string
	content  []byte
	fields   map[string]string
}

const (
	// maxField bounds a form field beside the file.
	maxField = 1 << 10
	// maxFraming bounds what is not the file in a multipart body.
	maxFraming = 64 << 10
)

// readUpload reads a multipart body with a part "file", of at most limit bytes,
// and the allowed fields, each at most once. Of a body that is longer than all
// that can be it does not read the rest.
func readUpload(c *gin.Context, limit int64, allowed ...string) (uploadForm, error) {
	mediaType, params, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || mediaType != "multipart/form-data" || params["boundary"] == "" {
		return uploadForm{}, artwork.Errorf(artwork.InvalidInput, "the body must be multipart/form-data with a part \"file\"")
	}
	form := uploadForm{fields: map[string]string{}}
	body := http.MaxBytesReader(c.Writer, c.Request.Body, limit+maxFraming)
	for reader := multipart.NewReader(body, params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if err == io.EOF { // as it is: with more around it, it says that the end is missing
			break
		}
		if err != nil {
			return uploadForm{}, brokenForm(err)
		}
		if err := form.read(part, limit, allowed); err != nil {
			return uploadForm{}, err
		}
	}
	if form.content == nil {
		return uploadForm{}, artwork.Errorf(artwork.InvalidInput, "the body has no part \"file\"")
	}
	return form, nil
}

func (f *uploadForm) read(part *multipart.Part, limit int64, allowed []string) error {
	name := part.FormName()
	if name == "file" {
		if f.content != nil {
			return artwork.Errorf(artwork.InvalidInput, "the body has more than one part \"file\"")
		}
		content, err := io.ReadAll(io.LimitReader(part, limit+1))
		if err != nil {
			return brokenForm(err)
		}
		if int64(len(content)) > limit {
			return artwork.Errorf(artwork.TooLarge, "the image has more than %d MB", limit>>20)
		}
		f.content, f.fileName = content, part.FileName()
		return nil
	}
	if !slices.Contains(allowed, name) {
		return artwork.Errorf(artwork.InvalidInput, "unknown part %q", name)
	}
	return f.readField(name, part)
}

func (f *uploadForm) readField(name string, part io.Reader) error {
	if _, given := f.fields[name]; given {
		return artwork.Errorf(artwork.InvalidInput, "the body has more than one part %q", name)
	}
	value, err := io.ReadAll(io.LimitReader(part, maxField+1))
	if err != nil {
		return brokenForm(err)
	}
	if len(value) > maxField {
		return artwork.Errorf(artwork.InvalidInput, "the part %q has more than %d bytes", name, maxField)
	}
	f.fields[name] = string(value)
	return nil
}

func brokenForm(err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return artwork.Errorf(artwork.TooLarge, "the body has more than %d bytes", e.Limit)
	}
	if artwork.KindOf(err) == artwork.RequestTimeout {
		return err
	}
	return &artwork.Error{Kind: artwork.InvalidInput, Op: "rest.readUpload", Msg: "the upload is incomplete or malformed", Err: err}
}

func (h *Metadata) uploadArtist(c *gin.Context, artist artwork.ID) error {
	form, err := readUpload(c, applyimage.MaxImageBytes, "imageType")
	if err != nil {
		return err
	}
	slot, err := artwork.ParseArtistSlot(form.fields["imageType"])
	if err != nil {
		return err
	}
	record, err := h.keep(c, artwork.Place{Subject: artwork.Artist(artist), Slot: slot}, form)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{
		"success": true, "message": "the image was uploaded", "customImageId": record.ID,
		"filePath": record.Content.Hash.Path(), "url": uploadedURL(record),
	})
	return nil
}

func (h *Metadata) uploadAlbum(c *gin.Context, album artwork.ID) error {
	form, err := readUpload(c, applyimage.MaxImageBytes)
	if err != nil {
		return err
	}
	record, err := h.keep(c, artwork.Place{Subject: artwork.Album(album), Slot: artwork.SlotCover}, form)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{
		"success": true, "message": "the cover was uploaded", "customCoverId": record.ID,
		"filePath": record.Content.Hash.Path(), "url": uploadedURL(record),
	})
	return nil
}

func (h *Metadata) keep(c *gin.Context, place artwork.Place, form uploadForm) (artwork.Record, error) {
	return h.upload.Run(c.Request.Context(), applyimage.Upload{
		Place: place, FileName: form.fileName, Content: bytes.NewReader(form.content), By: caller(c),
	})
}

func (h *Metadata) applyUploadedArtist(c *gin.Context) error {
	return h.applyUploadedTo(c, artwork.ArtistSubject, gin.H{"message": "the image is in force"})
}

func (h *Metadata) applyUploadedAlbum(c *gin.Context) error {
	return h.applyUploadedTo(c, artwork.AlbumSubject, gin.H{"message": "the cover is in force"})
}

func (h *Metadata) applyUploadedTo(c *gin.Context, kind artwork.SubjectKind, answer gin.H) error {
	subject, err := id(c, "id")
	if err != nil {
		return err
	}
	image, err := id(c, "imageId")
	if err != nil {
		return err
	}
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	in := applyimage.Uploaded{Subject: artwork.Subject{Kind: kind, ID: subject}, RecordID: image, By: caller(c), IfTag: tag}
	return answerApply(c, http.StatusCreated, func(progress applyimage.Progress) (any, error) {
		in.Progress = progress
		if kind == artwork.ArtistSubject {
			// Before the change: once that is made, nothing may fail any more, or it would be
			// reported as not made.
			record, err := h.uploads.Find(c.Request.Context(), in.Subject, image)
			if err != nil {
				return nil, err
			}
			answer["imageType"] = record.Place.Slot
		}
		applied, err := h.applyUploaded.Run(c.Request.Context(), in)
		if err != nil {
			return nil, err
		}
		answer["success"] = true
		answer["tag"] = applied.Image.Tag
		answer["visibleAfterMs"] = milliseconds(applied.VisibleAfter)
		return answer, nil
	})
}

// uploadAvatar puts an uploaded file in force as the avatar of the user who asks, or
// of the one that the form names: an API token is nobody's own.
func (h *Metadata) uploadAvatar(c *gin.Context) error {
	form, err := readUpload(c, applyimage.MaxAvatarBytes, "userId")
	if err != nil {
		return err
	}
	user, err := avatarOf(c, form)
	if err != nil {
		return err
	}
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	upload := applyimage.Upload{
		Place:    artwork.Place{Subject: artwork.User(user), Slot: artwork.SlotAvatar},
		FileName: form.fileName, Content: bytes.NewReader(form.content), By: caller(c), IfTag: tag,
	}
	return answerApply(c, http.StatusOK, func(progress applyimage.Progress) (any, error) {
		upload.Progress = progress
		applied, err := h.applyUser.Run(c.Request.Context(), upload)
		if err != nil {
			return nil, err
		}
		return gin.H{
			"avatarPath": applied.Image.Hash.Path(), "avatarSize": applied.Image.Size, "avatarMimeType": applied.Image.MIMEType,
			"tag": applied.Image.Tag, "visibleAfterMs": milliseconds(applied.VisibleAfter),
		}, nil
	})
}

// avatarOf returns the user whose avatar an upload is.
func avatarOf(c *gin.Context, form uploadForm) (artwork.ID, error) {
	named, given := form.fields["userId"]
	if who := principal(c); !given && who.Kind == signin.User {
		return who.ID, nil
	}
	user, err := artwork.ParseID(named)
	if err != nil {
		return artwork.ID{}, artwork.Errorf(artwork.InvalidInput, "the part \"userId\" must name the user: %s", messageOf(err))
	}
	return user, mayChange(c, artwork.User(user))
}

// uploadedInfo is what is told of an uploaded image. Size is a string because
// the original's consumers expect one.
type uploadedInfo struct {
	ID         artwork.ID  `json:"id"`
	ArtistID   *artwork.ID `json:"artistId,omitempty"`
	ImageType  string      `json:"imageType,omitempty"`
	AlbumID    *artwork.ID `json:"albumId,omitempty"`
	FilePath   string      `json:"filePath"`
	FileName   string      `json:"fileName"`
	FileSize   string      `json:"fileSize"`
	MIMEType   string      `json:"mimeType"`
	IsActive   bool        `json:"isActive"`
	UploadedBy string      `json:"uploadedBy"`
	CreatedAt  time.Time   `json:"createdAt"`
	UpdatedAt  time.Time   `json:"updatedAt"`
	URL        string      `json:"url"`
}

func uploadedInfoOf(record artwork.ListedRecord) uploadedInfo {
	info := uploadedInfo{
		ID: record.ID, FilePath: record.Content.Hash.Path(), FileName: record.FileName,
		FileSize: strconv.FormatInt(record.Content.Size, 10), MIMEType: record.Content.MIMEType, IsActive: record.InForce,
		UploadedBy: record.AddedBy, CreatedAt: record.AddedAt, UpdatedAt: record.AddedAt, URL: uploadedURL(record.Record),
	}
	subject := record.Place.Subject
	if subject.Kind == artwork.ArtistSubject {
		info.ArtistID, info.ImageType = &subject.ID, record.Place.Slot.String()
	} else {
		info.AlbumID = &subject.ID
	}
	return info
}

// uploadedURL is where the bytes of an uploaded image are served.
func uploadedURL(record artwork.Record) string {
	subject := record.Place.Subject
	return "/api/images/" + subject.Kind.String() + "s/" + subject.ID.String() + "/custom/" + record.ID.String()
}

func (h *Metadata) listArtist(c *gin.Context, artist artwork.ID) error {
	infos, err := h.list(c, artwork.Artist(artist))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"customImages": infos, "total": len(infos)})
	return nil
}

func (h *Metadata) listAlbum(c *gin.Context, albumID artwork.ID) error {
	album, err := h.albums.Get(c.Request.Context(), albumID)
	if err != nil {
		return err
	}
	infos, err := h.list(c, artwork.Album(albumID))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"albumId": albumID, "albumName": album.Name, "customCovers": infos, "total": len(infos)})
	return nil
}

func (h *Metadata) list(c *gin.Context, subject artwork.Subject) ([]uploadedInfo, error) {
	records, err := h.uploads.Run(c.Request.Context(), subject)
	infos := make([]uploadedInfo, len(records))
	for i, record := range records {
		infos[i] = uploadedInfoOf(record)
	}
	return infos, err
}
