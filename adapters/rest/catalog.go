package rest

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/deletesubjects"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Catalog are the routes of artists, albums and users.
type Catalog struct {
	artists catalog.Artists
	albums  catalog.Albums
	users   catalog.Users
	restore *deletesubjects.Restore
}

// NewCatalog returns the routes.
func NewCatalog(artists catalog.Artists, albums catalog.Albums, users catalog.Users, restore *deletesubjects.Restore) *Catalog {
	return &Catalog{artists, albums, users, restore}
}

// Register implements Routes. Artists and albums are public, users never are.
func (h *Catalog) Register(r *Router) {
	r.public("/api/artists", list(h.artists, artwork.ArtistSubject, artistPageOf))
	r.public("/api/artists/:id", get(h.artists, artistBodyOf))
	r.guarded(http.MethodPut, "/api/artists/:id", accesstoken.Write, put[artistFields](h.restore, h.artists, artistBodyOf))
	r.guarded(http.MethodPatch, metadataPrefix+"artist/background-position", accesstoken.Write, h.placeBackground)
	r.public("/api/albums", list(h.albums, artwork.AlbumSubject, albumPageOf))
	r.public("/api/albums/:id", get(h.albums, albumBodyOf))
	r.guarded(http.MethodPut, "/api/albums/:id", accesstoken.Write, put[albumFields](h.restore, h.albums, albumBodyOf))
	r.guarded(http.MethodGet, "/api/users", accesstoken.Read, list(h.users, artwork.UserSubject, userPageOf))
	r.guarded(http.MethodGet, "/api/users/:id", accesstoken.Read, get(h.users, userBodyOf))
	r.guarded(http.MethodPut, "/api/users/:id", accesstoken.Admin, put[userFields](h.restore, h.users, userBodyOf))
}

// artistFields are what a PUT of an artist may say.
type artistFields api.ArtistFields

func artistBodyOf(a catalog.Artist) api.Artist {
	return api.Artist{
		ID: a.ID, Name: a.Name, SortName: a.SortName, MBZArtistID: a.MBID, BackgroundPosition: a.BackgroundPosition,
		Missing: a.Missing, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

func (f artistFields) subject(id artwork.ID) (catalog.Artist, error) {
	artist := catalog.Artist{ID: id, Name: f.Name, SortName: f.SortName, MBID: f.MBZArtistID}
	return artist, artist.Check()
}

// placeBackground says how pages are to place the artist's background by CSS. The
// image and its tag stay as they are.
func (h *Catalog) placeBackground(c *gin.Context) error {
	var in api.BackgroundPlacement
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	position, err := catalog.ParseBackgroundPosition(in.BackgroundPosition)
	if err != nil {
		return err
	}
	if err := h.artists.SetBackgroundPosition(c.Request.Context(), caller(c), in.ArtistID, position); err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.Done{Success: true, Message: "the background is placed at " + position})
	return nil
}

// albumFields are what a PUT of an album may say.
type albumFields api.AlbumFields

func albumBodyOf(a catalog.Album) api.Album {
	return api.Album{
		ID: a.ID, Name: a.Name, ArtistID: a.ArtistID, ArtistName: a.ArtistName, Year: a.Year, MBZAlbumID: a.MBID,
		MBZReleaseGroupID: a.ReleaseGroupMBID, Missing: a.Missing, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

func (f albumFields) subject(id artwork.ID) (catalog.Album, error) {
	album := catalog.Album{
		ID: id, Name: f.Name, ArtistID: f.ArtistID, Year: f.Year,
		MBID: f.MBZAlbumID, ReleaseGroupMBID: f.MBZReleaseGroupID,
	}
	return album, album.Check()
}

// userFields are what a PUT of a user may say: never a password.
type userFields api.UserFields

func userBodyOf(u catalog.User) api.User {
	return api.User{ID: u.ID, Username: u.Username, DisplayName: u.DisplayName, Role: u.Role, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt}
}

func (f userFields) subject(id artwork.ID) (catalog.User, error) {
	if f.Role == "" {
		f.Role = catalog.RoleUser
	}
	user := catalog.User{ID: id, Username: f.Username, DisplayName: f.DisplayName, Role: f.Role}
	return user, user.Check()
}

func readNumber(c *gin.Context, name string, byDefault, most int) (int, error) {
	text, given := c.GetQuery(name)
	if !given {
		return byDefault, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, artwork.Errorf(artwork.InvalidInput, "%s must be a number from 1 to %d", name, most)
	}
	return n, nil
}

func get[T, Body any](repository catalog.Repository[T], bodyOf func(T) Body) handler {
	return byID(func(c *gin.Context, id artwork.ID) error {
		subject, err := repository.Get(c.Request.Context(), id)
		if err != nil {
			return err
		}
		c.JSON(http.StatusOK, bodyOf(subject))
		return nil
	})
}

// fields is the body of a PUT.
type fields[T any] interface {
	artistFields | albumFields | userFields
	subject(artwork.ID) (T, error)
}

// put creates or replaces a subject: how another system pushes its catalogue. What was
// deleted comes back.
func put[Fields fields[T], T catalog.Item, Body any](restore *deletesubjects.Restore, repository catalog.Repository[T], bodyOf func(T) Body) handler {
	return byID(func(c *gin.Context, id artwork.ID) error {
		var in Fields
		if err := decodeJSON(c, &in); err != nil {
			return err
		}
		subject, err := in.subject(id)
		if err != nil {
			return err
		}
		created, err := deletesubjects.Put(c.Request.Context(), restore, repository, caller(c), subject)
		if err != nil {
			return err
		}
		stored, err := repository.Get(c.Request.Context(), id)
		if err != nil {
			return err
		}
		status := http.StatusOK
		if created {
			status = http.StatusCreated
		}
		c.JSON(status, bodyOf(stored))
		return nil
	})
}
