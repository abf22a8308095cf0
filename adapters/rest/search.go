package rest

import (
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Search are the routes that find images in external catalogues.
type Search struct {
	artists     *findimages.SearchArtistAvatars
	albums      *findimages.SearchAlbumCovers
	identifiers *findimages.SearchIdentifiers
}

// NewSearch returns the routes under /api/admin/metadata.
func NewSearch(artists *findimages.SearchArtistAvatars, albums *findimages.SearchAlbumCovers, identifiers *findimages.SearchIdentifiers) *Search {
	return &Search{artists, albums, identifiers}
}

// Register implements Routes.
func (h *Search) Register(r *Router) {
	r.guarded(http.MethodGet, metadataPrefix+"artist/:id/avatars/search", accesstoken.Read, byID(h.avatars))
	r.guarded(http.MethodGet, metadataPrefix+"album/:id/covers/search", accesstoken.Read, byID(h.covers))
	r.guarded(http.MethodGet, metadataPrefix+"artist/:id/mbid/search", accesstoken.Read, byID(identify(h.identifiers.Artist)))
	r.guarded(http.MethodGet, metadataPrefix+"album/:id/mbid/search", accesstoken.Read, byID(identify(h.identifiers.Album)))
}

// candidateBody is what is told of a candidate.
type candidateBody struct {
	Provider     string       `json:"provider"`
	URL          string       `json:"url"`
	ThumbnailURL string       `json:"thumbnailUrl,omitempty"`
	Width        int          `json:"width,omitempty"`
	Height       int          `json:"height,omitempty"`
	Size         string       `json:"size,omitempty"` // of a cover, as consumers of the original read it: "1000x1000"
	Type         artwork.Slot `json:"type"`
	Kind         string       `json:"kind,omitempty"`
	Votes        int          `json:"votes,omitempty"`
	Licence      string       `json:"licence,omitempty"`
	Attribution  string       `json:"attribution,omitempty"`
	SourcePage   string       `json:"sourcePage,omitempty"`
	ByName       bool         `json:"byName,omitempty"`
}

func candidateBodyOf(c findimages.Candidate) candidateBody {
	body := candidateBody{
		Provider: c.Provider, URL: c.URL, ThumbnailURL: c.ThumbnailURL, Width: c.Width, Height: c.Height, Type: c.Slot,
		Kind: c.Kind, Votes: c.Votes, Licence: c.Licence, Attribution: c.Attribution, SourcePage: c.SourcePage, ByName: c.ByName,
	}
	if c.Slot == artwork.SlotCover && c.Width > 0 && c.Height > 0 {
		body.Size = fmt.Sprintf("%dx%d", c.Width, c.Height)
	}
	return body
}

func candidateBodiesOf(candidates []findimages.Candidate) []candidateBody {
	bodies := make([]candidateBody, len(candidates))
	for i, c := range candidates {
		bodies[i] = candidateBodyOf(c)
	}
	return bodies
}

// foundBody is a candidate among all of them.
type foundBody struct {
	candidateBody
	Fit    float64         `json:"fit"`              // 0 to 1
	Others []candidateBody `json:"others,omitempty"` // the same picture
}

func foundBodiesOf(found []findimages.Found) []foundBody {
	bodies := make([]foundBody, len(found))
	for i, f := range found {
		bodies[i] = foundBody{candidateBodyOf(f.Candidate), f.Fit, candidateBodiesOf(f.Others)}
	}
	return bodies
}

// failureBody names a provider that failed.
type failureBody struct {
	Provider string `json:"provider"`
	Message  string `json:"message"`
}

func failureBodiesOf(failures []findimages.Report) []failureBody {
	bodies := make([]failureBody, len(failures))
	for i, f := range failures {
		bodies[i] = failureBody{f.Provider.ID, messageOf(f.Err)}
	}
	return bodies
}

func (h *Search) avatars(c *gin.Context, id artwork.ID) error {
	in, err := readSearch(c, id, "type")
	if err != nil {
		return err
	}
	if text, given := c.GetQuery("type"); given {
		if in.Slot, err = artwork.ParseArtistSlot(text); err != nil {
			return err
		}
	}
	return answerSearch(c, func(observe findimages.Observer) (any, error) {
		artist, result, err := h.artists.Run(c.Request.Context(), in, observe)
		info := struct {
			ID          artwork.ID   `json:"id"`
			Name        string       `json:"name"`
			MBZArtistID catalog.MBID `json:"mbzArtistId,omitzero"`
		}{artist.ID, artist.Name, artist.MBID}
		return gin.H{"avatars": foundBodiesOf(result.Found), "artistInfo": info, "errors": failureBodiesOf(result.Failures)}, err
	})
}

func (h *Search) covers(c *gin.Context, id artwork.ID) error {
	in, err := readSearch(c, id)
	if err != nil {
		return err
	}
	return answerSearch(c, func(observe findimages.Observer) (any, error) {
		album, result, err := h.albums.Run(c.Request.Context(), in, observe)
		info := struct {
			ID                artwork.ID   `json:"id"`
			Name              string       `json:"name"`
			ArtistName        string       `json:"artistName"`
			MBZAlbumID        catalog.MBID `json:"mbzAlbumId,omitzero"`
			MBZReleaseGroupID catalog.MBID `json:"mbzReleaseGroupId,omitzero"`
		}{album.ID, album.Name, album.ArtistName, album.MBID, album.ReleaseGroupMBID}
		return gin.H{"covers": foundBodiesOf(result.Found), "albumInfo": info, "errors": failureBodiesOf(result.Failures)}, err
	})
}

// identify finds what identifier a subject may have: ?query= is another text than its
// name. To set one is a PUT of the subject.
func identify(search func(context.Context, artwork.ID, string) ([]findimages.Match, error)) func(*gin.Context, artwork.ID) error {
	return func(c *gin.Context, id artwork.ID) error {
		if err := onlyQuery(c, "query"); err != nil {
			return err
		}
		matches, err := search(c.Request.Context(), id, c.Query("query"))
		if err != nil {
			return err
		}
		if matches == nil {
			matches = []findimages.Match{}
		}
		c.Header("Cache-Control", "no-store")
		c.JSON(http.StatusOK, gin.H{"matches": matches})
		return nil
	}
}

// readSearch reads what both searches take: ?fresh=true asks again what is kept.
func readSearch(c *gin.Context, id artwork.ID, more ...string) (findimages.In, error) {
	in := findimages.In{ID: id, By: caller(c).Name}
	if err := onlyQuery(c, append(more, "fresh")...); err != nil {
		return in, err
	}
	var err error
	in.Fresh, err = readFlag(c, "fresh")
	return in, err
}
