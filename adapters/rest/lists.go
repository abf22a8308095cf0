package rest

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const defaultPageSize = 50

// list answers with a page, as pageOf writes it.
func list[T, Page any](repository catalog.Repository[T], kind artwork.SubjectKind, pageOf func(catalog.Page[T]) Page) handler {
	return func(c *gin.Context) error {
		query, err := readQuery(c, kind)
		if err != nil {
			return err
		}
		page, err := repository.List(c.Request.Context(), query)
		if err != nil {
			return err
		}
		keepAs(c, noCache)
		c.JSON(http.StatusOK, pageOf(page))
		return nil
	}
}

func artistPageOf(page catalog.Page[catalog.Artist]) api.ArtistPage {
	items := make([]api.ListedArtist, len(page.Items))
	for i, a := range page.Items {
		items[i] = api.ListedArtist{
			ID: a.ID, Name: a.Name, SortName: a.SortName, MBZArtistID: a.MBID, BackgroundPosition: a.BackgroundPosition,
			Missing: a.Missing, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, Images: infosOf(page.Images[a.ID]),
		}
	}
	return api.ArtistPage{Items: items, Total: page.Total, Next: page.Next.String()}
}

func albumPageOf(page catalog.Page[catalog.Album]) api.AlbumPage {
	items := make([]api.ListedAlbum, len(page.Items))
	for i, a := range page.Items {
		items[i] = api.ListedAlbum{
			ID: a.ID, Name: a.Name, ArtistID: a.ArtistID, ArtistName: a.ArtistName, Year: a.Year, MBZAlbumID: a.MBID, MBZReleaseGroupID: a.ReleaseGroupMBID,
			Missing: a.Missing, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt, Images: infosOf(page.Images[a.ID]),
		}
	}
	return api.AlbumPage{Items: items, Total: page.Total, Next: page.Next.String()}
}

func userPageOf(page catalog.Page[catalog.User]) api.UserPage {
	items := make([]api.ListedUser, len(page.Items))
	for i, u := range page.Items {
		items[i] = api.ListedUser{
			ID: u.ID, Username: u.Username, DisplayName: u.DisplayName, Role: u.Role,
			CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Images: infosOf(page.Images[u.ID]),
		}
	}
	return api.UserPage{Items: items, Total: page.Total, Next: page.Next.String()}
}

func readQuery(c *gin.Context, kind artwork.SubjectKind) (query catalog.Query, err error) {
	query.Text = c.Query("query")
	if missing, ok := c.GetQuery("missing"); ok {
		if query.Missing, err = readSlot(missing, kind); err != nil {
			return query, err
		}
	}
	if artist, ok := c.GetQuery("artistId"); ok {
		if query.ArtistID, err = artwork.ParseID(artist); err != nil {
			return query, err
		}
	}
	if query.Holding, err = readHolding(c, kind); err != nil {
		return query, err
	}
	if order, ok := c.GetQuery("sort"); ok {
		if query.Order, err = catalog.ParseOrder(order); err != nil {
			return query, err
		}
	}
	return query, readPage(c, &query)
}

func readSlot(text string, kind artwork.SubjectKind) (artwork.Slot, error) {
	slot, err := artwork.ParseSlot(text)
	if err != nil || !kind.Has(slot) {
		return 0, artwork.Errorf(artwork.InvalidInput, "%q is not a slot of an %s", text, kind)
	}
	return slot, nil
}

// readHolding reads what a slot has to be like: that which is named, or the first of
// the kind, which for artists is the profile.
func readHolding(c *gin.Context, kind artwork.SubjectKind) (holding catalog.Holding, err error) {
	if source, ok := c.GetQuery("source"); ok {
		if holding.Source, err = artwork.ParseSource(source); err != nil {
			return holding, err
		}
	}
	if holding.Locked, err = readFlag(c, "locked"); err != nil {
		return holding, err
	}
	switch low, ok := c.GetQuery("lowResolution"); {
	case !ok, low == "false":
	case low == "true":
		holding.Low = true
	default:
		if holding.Below, err = strconv.Atoi(low); err != nil || holding.Below < 1 {
			return holding, artwork.Errorf(artwork.InvalidInput, "lowResolution must be true, false or a number of pixels")
		}
	}
	name, named := c.GetQuery("slot")
	if named {
		if holding.Slot, err = readSlot(name, kind); err != nil {
			return holding, err
		}
		if holding == (catalog.Holding{Slot: holding.Slot}) {
			return holding, artwork.Errorf(artwork.InvalidInput, "slot says which slot source, locked and lowResolution are about: one of them is missing")
		}
	} else if holding != (catalog.Holding{}) {
		holding.Slot = kind.Slots()[0]
	}
	return holding, nil
}

// readPage reads where the page begins, and how long it is.
func readPage(c *gin.Context, query *catalog.Query) (err error) {
	if query.PageSize, err = readNumber(c, "pageSize", defaultPageSize, catalog.MaxPageSize); err != nil {
		return err
	}
	cursor, byCursor := c.GetQuery("cursor")
	_, byPage := c.GetQuery("page")
	switch {
	case byCursor && byPage:
		return artwork.Errorf(artwork.InvalidInput, "a page begins at a cursor or has a number, not both")
	case byCursor:
		query.After, err = catalog.ParseCursor(cursor)
	default:
		query.Page, err = readNumber(c, "page", 1, 1_000_000)
	}
	return err
}
