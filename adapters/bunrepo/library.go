package bunrepo

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Library keeps what imports remember.
type Library struct {
	db      *DB
	artists *Artists
	albums  *Albums
}

var _ importlibrary.Library = (*Library)(nil)

// NewLibrary returns what imports remember in the database.
func NewLibrary(db *DB) *Library { return &Library{db, NewArtists(db), NewAlbums(db)} }

// folderRow is a folder as it was imported. Paths are bytes: on Linux nothing
// makes them valid text.
type folderRow struct {
	bun.BaseModel `bun:"table:library_folders,alias:f"`

	ID          []byte `bun:"id,pk"`
	Path        []byte `bun:"path"`
	Root        []byte `bun:"root"`
	Fingerprint string `bun:"fingerprint"`
	ScanID      uid    `bun:"scan_id"`
}

type folderAlbumRow struct {
	bun.BaseModel `bun:"table:library_folder_albums,alias:fa"`

	FolderID []byte `bun:"folder_id,pk"`
	AlbumID  uid    `bun:"album_id,pk"`
}

// Fingerprint implements importlibrary.Library.
func (l *Library) Fingerprint(ctx context.Context, folder string) (string, error) {
	var found []string
	err := l.db.read.NewRaw("SELECT fingerprint FROM library_folders WHERE id = ?", digest(folder)).Scan(ctx, &found)
	if err != nil || len(found) == 0 {
		return "", l.db.fail(ctx, "bunrepo.Fingerprint", err)
	}
	return found[0], nil
}

// ForgetFingerprints implements importlibrary.Library.
func (l *Library) ForgetFingerprints(ctx context.Context) error {
	_, err := l.db.write.ExecContext(ctx, "UPDATE library_folders SET fingerprint = '' WHERE fingerprint <> ''")
	return l.db.fail(ctx, "bunrepo.ForgetFingerprints", err)
}

// FindArtists implements importlibrary.Library.
func (l *Library) FindArtists(ctx context.Context, mbids []catalog.MBID, foldedNames []string) ([]catalog.Artist, error) {
	found := findings[catalog.Artist, artistRow]{subjects: &l.artists.subjects, op: "bunrepo.FindArtists"}
	for some := range slices.Chunk(mbids, chunkSize) {
		found.add(ctx, "s.mbid IN (?)", bun.List(uids(some)))
	}
	for some := range slices.Chunk(foldedNames, chunkSize) {
		found.add(ctx, "s.name_key IN (?)", bun.List(digests(some)))
	}
	return found.oldestFirst()
}

// FindAlbums implements importlibrary.Library.
func (l *Library) FindAlbums(ctx context.Context, mbids []catalog.MBID, artists []artwork.ID, foldedNames []string) ([]catalog.Album, error) {
	found := findings[catalog.Album, albumRow]{subjects: &l.albums.subjects, op: "bunrepo.FindAlbums"}
	for some := range slices.Chunk(mbids, chunkSize) {
		found.add(ctx, "s.mbid IN (?)", bun.List(uids(some)))
	}
	for someArtists := range slices.Chunk(artists, chunkSize) {
		for someNames := range slices.Chunk(foldedNames, chunkSize) {
			found.add(ctx, "s.artist_id IN (?) AND s.name_key IN (?)", bun.List(uids(someArtists)), bun.List(digests(someNames)))
		}
	}
	return found.oldestFirst()
}

// findings collects the rows that meet any of several conditions, until one cannot be
// looked for.
type findings[T any, R aged[T]] struct {
	subjects *subjects[T, R]
	op       string
	rows     map[artwork.ID]R
	err      error
}

func (f *findings[T, R]) add(ctx context.Context, condition string, args ...any) {
	if f.err != nil {
		return
	}
	var rows []R
	err := f.subjects.selectRows(&rows).Where(condition, args...).Scan(ctx)
	f.err = f.subjects.db.fail(ctx, f.op, err)
	if f.rows == nil {
		f.rows = map[artwork.ID]R{}
	}
	for _, row := range rows {
		f.rows[row.key()] = row
	}
}

func (f *findings[T, R]) oldestFirst() ([]T, error) {
	if f.err != nil {
		return nil, f.err
	}
	rows := slices.SortedFunc(maps.Values(f.rows), func(a, b R) int {
		idA, idB := a.key(), b.key()
		return cmp.Or(a.created().Compare(b.created()), slices.Compare(idA[:], idB[:]))
	})
	subjects := make([]T, len(rows))
	for i, row := range rows {
		subjects[i] = row.value()
	}
	return subjects, nil
}

// aged is a row of a subject that can be told older or younger than another.
type aged[T any] interface {
	row[T]
	created() time.Time
}

func (r artistRow) created() time.Time { return r.CreatedAt.Time }

func (r albumRow) created() time.Time { return r.CreatedAt.Time }

// Save implements importlibrary.Library.
func (l *Library) Save(ctx context.Context, artists []catalog.Artist, albums []catalog.Album) error {
	if err := importlibrary.CheckSubjects(artists, albums); err != nil {
		return err
	}
	now := time.Now()
	artistRows := make([]artistRow, len(artists))
	for i, a := range artists {
		artistRows[i] = newArtistRow(a, now)
	}
	albumRows := make([]albumRow, len(albums))
	for i, a := range albums {
		albumRows[i] = newAlbumRow(a, now)
	}
	return l.db.change(ctx, "bunrepo.Save", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		for _, some := range batches(artistRows, func(r artistRow) uid { return r.ID }) {
			if err := saveArtists(ctx, tx, some); err != nil {
				return err
			}
		}
		for _, some := range batches(albumRows, func(r albumRow) uid { return r.ID }) {
			if err := saveAlbums(ctx, tx, some); err != nil {
				return err
			}
		}
		var subjects []artwork.Subject
		for _, a := range artists {
			subjects = append(subjects, a.Subject())
		}
		for _, a := range albums {
			subjects = append(subjects, a.Subject())
		}
		return requireKept(ctx, tx, subjects...)
	})
}

// FindDeleted implements importlibrary.Library.
func (l *Library) FindDeleted(ctx context.Context, kind artwork.SubjectKind, mbids []catalog.MBID, artists []artwork.ID, foldedNames []string) ([]catalog.Item, error) {
	found := map[artwork.ID]catalog.Item{}
	find := func(condition string, args ...any) error {
		var rows []deletedRow
		err := l.db.read.NewSelect().Model(&rows).Column("kind", "id", "name", "mbid", "artist_id").
			Where("x.kind = ?", kind.String()).Where(condition, args...).Scan(ctx)
		for _, r := range rows {
			if kind == artwork.ArtistSubject {
				found[artwork.ID(r.ID)] = catalog.Artist{ID: artwork.ID(r.ID), Name: r.Name, MBID: catalog.MBID(r.MBID)}
			} else {
				found[artwork.ID(r.ID)] = catalog.Album{ID: artwork.ID(r.ID), Name: r.Name, MBID: catalog.MBID(r.MBID), ArtistID: artwork.ID(r.ArtistID)}
			}
		}
		return l.db.fail(ctx, "bunrepo.FindDeleted", err)
	}
	for some := range slices.Chunk(mbids, chunkSize) {
		if err := find("x.mbid IN (?)", bun.List(uids(some))); err != nil {
			return nil, err
		}
	}
	for some := range slices.Chunk(foldedNames, chunkSize) {
		if kind == artwork.ArtistSubject {
			if err := find("x.name_key IN (?)", bun.List(digests(some))); err != nil {
				return nil, err
			}
			continue
		}
		for theirs := range slices.Chunk(artists, chunkSize) {
			if err := find("x.name_key IN (?) AND x.artist_id IN (?)", bun.List(digests(some)), bun.List(uids(theirs))); err != nil {
				return nil, err
			}
		}
	}
	return slices.Collect(maps.Values(found)), nil
}

// batches splits rows for statements that write several at once. Such a
// statement cannot write one row twice, and writers that meet do not wait for
// one another in a circle if all write in the order of the IDs.
func batches[R any](rows []R, id func(R) uid) [][]R {
	sorted := slices.SortedStableFunc(slices.Values(rows), func(a, b R) int {
		idA, idB := id(a), id(b)
		return slices.Compare(idA[:], idB[:])
	})
	var out [][]R
	var batch []R
	for i, row := range sorted {
		if len(batch) == chunkSize || (i > 0 && id(sorted[i-1]) == id(row)) {
			out, batch = append(out, batch), nil
		}
		batch = append(batch, row)
	}
	if len(batch) > 0 {
		out = append(out, batch)
	}
	return out
}

// saveArtists adds what was not known; a row that says nothing new is not
// written.
func saveArtists(ctx context.Context, tx bun.Tx, rows []artistRow) error {
	_, err := tx.NewInsert().Model(&rows).
		On("CONFLICT (id) DO UPDATE").
		Set("mbid = COALESCE(s.mbid, EXCLUDED.mbid)").
		Set("sort_name = CASE WHEN s.sort_name = '' THEN EXCLUDED.sort_name ELSE s.sort_name END").
		Set("sort_key = CASE WHEN s.sort_name = '' AND EXCLUDED.sort_name <> '' THEN EXCLUDED.sort_key ELSE s.sort_key END").
		Set("missing = FALSE").
		Set("updated_at = EXCLUDED.updated_at").
		Where("s.missing").
		WhereOr("s.mbid IS NULL AND EXCLUDED.mbid IS NOT NULL").
		WhereOr("s.sort_name = '' AND EXCLUDED.sort_name <> ''").
		Exec(ctx)
	return err
}

func saveAlbums(ctx context.Context, tx bun.Tx, rows []albumRow) error {
	_, err := tx.NewInsert().Model(&rows).
		On("CONFLICT (id) DO UPDATE").
		Set("mbid = COALESCE(s.mbid, EXCLUDED.mbid)").
		Set("release_group_mbid = COALESCE(s.release_group_mbid, EXCLUDED.release_group_mbid)").
		Set("year = CASE WHEN s.year = 0 THEN EXCLUDED.year ELSE s.year END").
		Set("missing = FALSE").
		Set("updated_at = EXCLUDED.updated_at").
		Where("s.missing").
		WhereOr("s.mbid IS NULL AND EXCLUDED.mbid IS NOT NULL").
		WhereOr("s.release_group_mbid IS NULL AND EXCLUDED.release_group_mbid IS NOT NULL").
		WhereOr("s.year = 0 AND EXCLUDED.year <> 0").
		Exec(ctx)
	return err
}

// SaveFolders implements importlibrary.Library.
func (l *Library) SaveFolders(ctx context.Context, scan artwork.ID, root string, folders []importlibrary.FolderState) error {
	if err := importlibrary.CheckScan(scan); err != nil {
		return err
	}
	rows := map[string]folderRow{} // by path: of a folder that is given twice the last state counts
	links := map[string][]folderAlbumRow{}
	for _, f := range folders {
		if err := artwork.CheckText("fingerprint", f.Fingerprint); err != nil {
			return err
		}
		rows[f.Path] = folderRow{ID: digest(f.Path), Path: []byte(f.Path), Root: []byte(root), Fingerprint: f.Fingerprint, ScanID: uid(scan)}
		links[f.Path] = nil
		for _, album := range f.Albums {
			links[f.Path] = append(links[f.Path], folderAlbumRow{FolderID: digest(f.Path), AlbumID: uid(album)})
		}
	}
	return l.db.change(ctx, "bunrepo.SaveFolders", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		if err := l.db.engine.serialise(ctx, tx, false); err != nil {
			return err
		}
		for paths := range slices.Chunk(slices.Sorted(maps.Keys(rows)), chunkSize) {
			var someRows []folderRow
			var someLinks []folderAlbumRow
			for _, path := range paths {
				someRows = append(someRows, rows[path])
				someLinks = append(someLinks, links[path]...)
			}
			if err := saveFolders(ctx, tx, someRows, someLinks); err != nil {
				return err
			}
		}
		return nil
	})
}

func saveFolders(ctx context.Context, tx bun.Tx, rows []folderRow, links []folderAlbumRow) error {
	_, err := tx.NewInsert().Model(&rows).
		On("CONFLICT (id) DO UPDATE").
		Set("root = EXCLUDED.root, fingerprint = EXCLUDED.fingerprint, scan_id = EXCLUDED.scan_id").
		Exec(ctx)
	if err != nil {
		return err
	}
	ids := make([][]byte, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM library_folder_albums WHERE folder_id IN (?)", bun.List(ids)); err != nil {
		return err
	}
	for some := range slices.Chunk(links, chunkSize) {
		if _, err := tx.NewInsert().Model(&some).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
		if err := markPresent(ctx, tx, some); err != nil {
			return err
		}
	}
	return nil
}

func markPresent(ctx context.Context, tx bun.Tx, links []folderAlbumRow) error {
	albums := make([]uid, len(links))
	for i, link := range links {
		albums[i] = link.AlbumID
	}
	now := stored(time.Now())
	_, err := tx.ExecContext(ctx, "UPDATE albums SET in_library = TRUE, missing = FALSE, updated_at = ? WHERE id IN (?) AND (missing OR NOT in_library)",
		now, bun.List(albums))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE artists SET missing = FALSE, updated_at = ? WHERE missing AND id IN (SELECT artist_id FROM albums WHERE id IN (?))",
		now, bun.List(albums))
	return err
}

// Touch implements importlibrary.Library.
func (l *Library) Touch(ctx context.Context, scan artwork.ID, folders []string) error {
	if err := importlibrary.CheckScan(scan); err != nil {
		return err
	}
	return l.db.change(ctx, "bunrepo.Touch", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		for some := range slices.Chunk(folders, chunkSize) {
			_, err := tx.ExecContext(ctx, "UPDATE library_folders SET scan_id = ? WHERE id IN (?)", uid(scan), bun.List(digests(some)))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// The steps of Finish. Albums and artists that were never in a folder were
// brought by somebody and not by an import; nobody misses them.
const (
	forgetFolders = "DELETE FROM library_folders WHERE root = ? AND scan_id <> ?"

	missAlbums = `
UPDATE albums SET missing = TRUE, updated_at = ?
WHERE in_library AND NOT missing
	AND NOT EXISTS (SELECT 1 FROM library_folder_albums AS f WHERE f.album_id = albums.id)`

	missArtists = `
UPDATE artists SET missing = TRUE, updated_at = ?
WHERE NOT missing
	AND EXISTS (SELECT 1 FROM albums AS a WHERE a.artist_id = artists.id AND a.in_library)
	AND NOT EXISTS (SELECT 1 FROM albums AS a JOIN library_folder_albums AS f ON f.album_id = a.id WHERE a.artist_id = artists.id)`
)

// Finish implements importlibrary.Library.
func (l *Library) Finish(ctx context.Context, scan artwork.ID, root string) (missing int, err error) {
	if err := importlibrary.CheckScan(scan); err != nil {
		return 0, err
	}
	err = l.db.change(ctx, "bunrepo.Finish", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		// An album that another import just now puts into a folder would be
		// marked, if it was only in one that is forgotten here.
		if err := l.db.engine.serialise(ctx, tx, true); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, forgetFolders, []byte(root), uid(scan)); err != nil {
			return err
		}
		missing = 0
		for _, step := range []string{missAlbums, missArtists} {
			result, err := tx.ExecContext(ctx, step, stored(time.Now()))
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			missing += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return missing, nil
}
