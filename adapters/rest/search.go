package rest

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/findimages"
	"gatefold/application/previewimage"
	"gatefold/domain/artwork"
)

// Search are the routes that find images in external catalogues.
type Search struct {
	artists     *findimages.SearchArtistAvatars
	albums      *findimages.SearchAlbumCovers
	identifiers *findimages.SearchIdentifiers
	offers      offers
}

// NewSearch returns the routes under /api/admin/metadata.
func NewSearch(artists *findimages.SearchArtistAvatars, albums *findimages.SearchAlbumCovers, identifiers *findimages.SearchIdentifiers,
	previews *previewimage.Previews,
) *Search {
	return &Search{artists, albums, identifiers, offers{previews}}
}

// Register implements Routes.
func (h *Search) Register(r *Router) {
	r.guarded(http.MethodGet, metadataPrefix+"artist/:id/avatars/search", accesstoken.Read, byID(h.avatars))
	r.guarded(http.MethodGet, metadataPrefix+"album/:id/covers/search", accesstoken.Read, byID(h.covers))
	r.guarded(http.MethodGet, metadataPrefix+"artist/:id/mbid/search", accesstoken.Read, byID(identify(h.identifiers.Artist)))
	r.guarded(http.MethodGet, metadataPrefix+"album/:id/mbid/search", accesstoken.Read, byID(identify(h.identifiers.Album)))
}

func failureBodiesOf(failures []findimages.Report) []api.ProviderFailure {
	bodies := make([]api.ProviderFailure, len(failures))
	for i, f := range failures {
		bodies[i] = api.ProviderFailure{Provider: f.Provider.ID, Message: messageOf(f.Err)}
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
	return answerSearch(c, h.offers, func(observe findimages.Observer) (any, error) {
		artist, result, err := h.artists.Run(c.Request.Context(), in, observe)
		info := api.SearchedArtist{ID: artist.ID, Name: artist.Name, MBZArtistID: artist.MBID}
		return api.ArtistSearch{Avatars: h.offers.found(result.Found), ArtistInfo: info, Errors: failureBodiesOf(result.Failures)}, err
	})
}

func (h *Search) covers(c *gin.Context, id artwork.ID) error {
	in, err := readSearch(c, id)
	if err != nil {
		return err
	}
	return answerSearch(c, h.offers, func(observe findimages.Observer) (any, error) {
		album, result, err := h.albums.Run(c.Request.Context(), in, observe)
		info := api.SearchedAlbum{
			ID: album.ID, Name: album.Name, ArtistName: album.ArtistName, MBZAlbumID: album.MBID, MBZReleaseGroupID: album.ReleaseGroupMBID,
		}
		return api.AlbumSearch{Covers: h.offers.found(result.Found), AlbumInfo: info, Errors: failureBodiesOf(result.Failures)}, err
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
		c.JSON(http.StatusOK, api.IdentifierMatches{Matches: matches})
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
