package bunrepo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// saved is what is needed to restore a subject, beside what the row says: a data format.
type saved struct {
	SortName           string        `json:"sortName,omitempty"`
	BackgroundPosition string        `json:"backgroundPosition,omitempty"`
	Year               int           `json:"year,omitempty"`
	ReleaseGroupMBID   artwork.ID    `json:"releaseGroupMbid,omitzero"`
	InLibrary          bool          `json:"inLibrary,omitempty"`
	Missing            bool          `json:"missing,omitempty"`
	Folders            [][]byte      `json:"folders,omitempty"` // that hold the album
	DisplayName        string        `json:"displayName,omitempty"`
	Role               catalog.Role  `json:"role,omitempty"`
	Account            *savedAccount `json:"account,omitempty"`
	CreatedAt          time.Time     `json:"createdAt"`
	UpdatedAt          time.Time     `json:"updatedAt"`
}

type savedAccount struct {
	PasswordHash string    `json:"passwordHash,omitempty"`
	Disabled     bool      `json:"disabled,omitempty"`
	LastSignIn   time.Time `json:"lastSignIn,omitzero"`
}

// saved returns the rows of the bin for the subjects.
func (b *Bin) saved(ctx context.Context, tx bun.Tx, going live) ([]deletedRow, error) {
	var rows []deletedRow
	add := func(row deletedRow, s saved) error {
		text, err := json.Marshal(s)
		row.Saved = string(text)
		rows = append(rows, row)
		return err
	}
	for _, a := range going.artists {
		err := add(
			deletedRow{Kind: artwork.ArtistSubject.String(), ID: a.ID, Name: a.Name, NameKey: a.NameKey, MBID: a.MBID},
			saved{SortName: a.SortName, BackgroundPosition: a.Position, Missing: a.Missing, CreatedAt: a.CreatedAt.Time, UpdatedAt: a.UpdatedAt.Time})
		if err != nil {
			return nil, err
		}
	}
	names, folders, err := aroundAlbums(ctx, tx, going.albums)
	if err != nil {
		return nil, err
	}
	for _, a := range going.albums {
		err := add(
			deletedRow{Kind: artwork.AlbumSubject.String(), ID: a.ID, Name: a.Name, NameKey: a.NameKey, MBID: a.MBID, ArtistID: a.ArtistID, ArtistName: names[a.ArtistID]},
			saved{
				Year: a.Year, ReleaseGroupMBID: artwork.ID(a.ReleaseGroupMBID), InLibrary: a.InLibrary, Missing: a.Missing,
				Folders: folders[a.ID], CreatedAt: a.CreatedAt.Time, UpdatedAt: a.UpdatedAt.Time,
			})
		if err != nil {
			return nil, err
		}
	}
	accounts, err := accountsOf(ctx, tx, going.users)
	if err != nil {
		return nil, err
	}
	for _, u := range going.users {
		err := add(
			deletedRow{Kind: artwork.UserSubject.String(), ID: u.ID, Name: u.Username, NameKey: u.NameKey},
			saved{DisplayName: u.DisplayName, Role: catalog.Role(u.Role), Account: accounts[u.ID], CreatedAt: u.CreatedAt.Time, UpdatedAt: u.UpdatedAt.Time})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// aroundAlbums returns the names of the albums' artists, and which folders hold the
// albums.
func aroundAlbums(ctx context.Context, tx bun.Tx, albums []albumRow) (names map[uid]string, folders map[uid][][]byte, err error) {
	names, folders = map[uid]string{}, map[uid][][]byte{}
	if len(albums) == 0 {
		return names, folders, nil
	}
	var ids, artists []uid
	for _, a := range albums {
		ids, artists = append(ids, a.ID), append(artists, a.ArtistID)
	}
	var named []struct {
		ID   uid
		Name string
	}
	if err := tx.NewRaw("SELECT id, name FROM artists WHERE id IN (?)", bun.List(artists)).Scan(ctx, &named); err != nil {
		return nil, nil, err
	}
	for _, a := range named {
		names[a.ID] = a.Name
	}
	var links []folderAlbumRow
	err = tx.NewSelect().Model(&links).Where("fa.album_id IN (?)", bun.List(ids)).OrderExpr("fa.folder_id").Scan(ctx)
	for _, link := range links {
		folders[link.AlbumID] = append(folders[link.AlbumID], link.FolderID)
	}
	return names, folders, err
}

func accountsOf(ctx context.Context, tx bun.Tx, users []userRow) (map[uid]*savedAccount, error) {
	accounts := map[uid]*savedAccount{}
	if len(users) == 0 {
		return accounts, nil
	}
	ids := make([]uid, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	var rows []accountRow
	err := tx.NewSelect().Model(&rows).Where("c.user_id IN (?)", bun.List(ids)).Scan(ctx)
	for _, row := range rows {
		accounts[row.UserID] = &savedAccount{row.PasswordHash, row.Disabled, row.LastSignIn.Time}
	}
	return accounts, err
}

// Restore implements catalog.Bin.
func (b *Bin) Restore(ctx context.Context, fence artwork.Fence, restoration catalog.Restoration) (back []artwork.Subject, err error) {
	if err := restoration.Check(); err != nil {
		return nil, err
	}
	err = b.db.change(ctx, "bunrepo.Restore", fence, func(ctx context.Context, tx bun.Tx) error {
		back = nil
		rows, err := b.lockBinned(ctx, tx, inOrder(restoration.Subjects))
		if err != nil {
			return err
		}
		for i := range rows {
			back = append(back, rows[i].subject())
		}
		absent := slices.DeleteFunc(slices.Clone(restoration.Subjects), func(s artwork.Subject) bool { return slices.Contains(back, s) })
		if err := requireSubjects(ctx, tx, absent); err != nil || len(back) == 0 {
			return err
		}
		var entries []activity.Entry
		for i := range rows {
			entry, err := b.putBack(ctx, tx, &rows[i], restoration)
			if err != nil {
				return err
			}
			entries = append(entries, entry)
		}
		if _, err := ofSubjects(tx.NewDelete().Model((*deletedRow)(nil)), "kind", "id", back).Exec(ctx); err != nil {
			return err
		}
		return b.touch(ctx, tx, fence, back, entries)
	})
	if err != nil {
		return nil, err
	}
	return back, nil
}

// putBack enters one subject into the catalogue.
func (b *Bin) putBack(ctx context.Context, tx bun.Tx, row *deletedRow, restoration catalog.Restoration) (activity.Entry, error) {
	var s saved
	if err := json.Unmarshal([]byte(row.Saved), &s); err != nil {
		return activity.Entry{}, fmt.Errorf("what was saved of %s cannot be read: %w", row.subject(), err)
	}
	var name string
	var facts activity.Facts
	var err error
	switch row.subject().Kind {
	case artwork.ArtistSubject:
		var artist artistRow
		artist, err = b.putArtistBack(ctx, tx, row, s, restoration.As)
		name, facts = artist.described()
	case artwork.AlbumSubject:
		var album albumRow
		album, err = b.putAlbumBack(ctx, tx, row, s, restoration.As)
		name, facts = album.described()
	default:
		var user userRow
		user, err = b.putUserBack(ctx, tx, row, s, restoration.As)
		name, facts = user.described()
	}
	return activity.OfRestoration(restoration.By, row.subject(), name, facts), err
}

// since returns when the subject was last updated: now, if it comes back as another.
func (s saved) since(as catalog.Item) instant {
	if as != nil {
		return stored(time.Now())
	}
	return instant{s.UpdatedAt}
}

func (b *Bin) putArtistBack(ctx context.Context, tx bun.Tx, row *deletedRow, s saved, as catalog.Item) (artistRow, error) {
	artist, given := as.(catalog.Artist)
	if !given {
		artist = catalog.Artist{ID: artwork.ID(row.ID), Name: row.Name, SortName: s.SortName, MBID: catalog.MBID(row.MBID)}
	}
	back := newArtistRow(artist, s.CreatedAt)
	back.UpdatedAt, back.Missing, back.Position = s.since(as), s.Missing, s.BackgroundPosition
	if err := requireFree(ctx, tx, artwork.ArtistSubject, "MBID", "mbid = ?", back.MBID); err != nil {
		return back, err
	}
	_, err := tx.NewInsert().Model(&back).Exec(ctx)
	return back, err
}

func (b *Bin) putAlbumBack(ctx context.Context, tx bun.Tx, row *deletedRow, s saved, as catalog.Item) (albumRow, error) {
	album, given := as.(catalog.Album)
	if !given {
		album = catalog.Album{
			ID: artwork.ID(row.ID), ArtistID: artwork.ID(row.ArtistID), Name: row.Name, Year: s.Year, MBID: catalog.MBID(row.MBID), ReleaseGroupMBID: s.ReleaseGroupMBID,
		}
	}
	back := newAlbumRow(album, s.CreatedAt)
	back.UpdatedAt, back.Missing, back.InLibrary = s.since(as), s.Missing, s.InLibrary
	_, err := b.db.hold(ctx, tx, []artwork.Subject{artwork.Artist(album.ArtistID)})
	if artwork.KindOf(err) == artwork.NotFound {
		return back, catalog.OrphanError(album.ID, album.ArtistID)
	}
	if err := cmp.Or(err, requireFree(ctx, tx, artwork.AlbumSubject, "MBID", "mbid = ?", back.MBID)); err != nil {
		return back, err
	}
	if _, err := tx.NewInsert().Model(&back).Exec(ctx); err != nil || len(s.Folders) == 0 {
		return back, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO library_folder_albums (folder_id, album_id) SELECT id, ? FROM library_folders WHERE id IN (?)", back.ID, bun.List(s.Folders))
	return back, err
}

// putUserBack lets users sign in as before, unless they come back as somebody says who
// does not decide about that.
func (b *Bin) putUserBack(ctx context.Context, tx bun.Tx, row *deletedRow, s saved, as catalog.Item) (userRow, error) {
	user, given := as.(catalog.User)
	if !given {
		user = catalog.User{ID: artwork.ID(row.ID), Username: row.Name, DisplayName: s.DisplayName, Role: s.Role}
	}
	back := newUserRow(user, s.CreatedAt)
	back.UpdatedAt = s.since(as)
	if err := requireFree(ctx, tx, artwork.UserSubject, "user name", "name_key = ?", back.NameKey); err != nil {
		return back, err
	}
	if _, err := tx.NewInsert().Model(&back).Exec(ctx); err != nil {
		return back, err
	}
	if s.Account != nil {
		account := accountRow{UserID: back.ID, Disabled: s.Account.Disabled, LastSignIn: instant{s.Account.LastSignIn}}
		if !given {
			account.PasswordHash = s.Account.PasswordHash
		}
		if _, err := tx.NewInsert().Model(&account).Exec(ctx); err != nil {
			return back, err
		}
	}
	if !given {
		_, err := tx.ExecContext(ctx, "INSERT INTO account_identities (issuer, subject, user_id) SELECT issuer, subject, user_id FROM deleted_identities WHERE user_id = ?", back.ID)
		if err != nil {
			return back, err
		}
	}
	_, err := tx.NewDelete().Model((*deletedIdentityRow)(nil)).Where("user_id = ?", back.ID).Exec(ctx)
	return back, err
}

// requireFree returns a Conflict if another subject holds what can be held only once.
func requireFree(ctx context.Context, tx bun.Tx, kind artwork.SubjectKind, what, condition string, value any) error {
	var holders []uid
	if err := tx.NewRaw("SELECT id FROM ? WHERE "+condition, tables[kind], value).Scan(ctx, &holders); err != nil || len(holders) == 0 {
		return err
	}
	holder := artwork.Subject{Kind: kind, ID: artwork.ID(holders[0])}
	return artwork.Errorf(artwork.Conflict, "%s has the same %s", holder, what)
}
