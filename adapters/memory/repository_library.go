package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Library is the view of a Repository as memory of imports.
type Library struct{ r *Repository }

var _ importlibrary.Library = (*Library)(nil)

// Library returns what imports remember in the repository.
func (r *Repository) Library() *Library { return &Library{r} }

// folderState is a folder as it was imported.
type folderState struct {
	root        string
	fingerprint string
	scan        artwork.ID
	albums      []artwork.ID
}

// Fingerprint implements importlibrary.Library.
func (l *Library) Fingerprint(ctx context.Context, folder string) (fingerprint string, err error) {
	err = l.r.read(ctx, func() error {
		fingerprint = l.r.folders[folder].fingerprint
		return nil
	})
	return fingerprint, err
}

// FindArtists implements importlibrary.Library.
func (l *Library) FindArtists(ctx context.Context, mbids []catalog.MBID, foldedNames []string) (found []catalog.Artist, err error) {
	err = l.r.read(ctx, func() error {
		for _, artist := range l.r.artists {
			if isOneOf(artist.MBID, mbids) || slices.Contains(foldedNames, catalog.FoldName(artist.Name)) {
				found = append(found, artist)
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b catalog.Artist) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return found, err
}

// FindAlbums implements importlibrary.Library.
func (l *Library) FindAlbums(
	ctx context.Context, mbids []catalog.MBID, artists []artwork.ID, foldedNames []string,
) (found []catalog.Album, err error) {
	err = l.r.read(ctx, func() error {
		for _, album := range l.r.albums {
			named := slices.Contains(artists, album.ArtistID) && slices.Contains(foldedNames, catalog.FoldName(album.Name))
			if isOneOf(album.MBID, mbids) || named {
				found = append(found, l.r.named(album))
			}
		}
		return nil
	})
	slices.SortFunc(found, func(a, b catalog.Album) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return found, err
}

func isOneOf(mbid catalog.MBID, mbids []catalog.MBID) bool {
	return !mbid.IsZero() && slices.Contains(mbids, mbid)
}

// Save implements importlibrary.Library.
func (l *Library) Save(ctx context.Context, artists []catalog.Artist, albums []catalog.Album) error {
	if err := importlibrary.CheckSubjects(artists, albums); err != nil {
		return err
	}
	return l.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		// The batch is tried on a copy of the catalogue: of a batch that fails
		// nothing is written.
		trial := &Repository{artists: maps.Clone(l.r.artists), albums: maps.Clone(l.r.albums)}
		now := stored(time.Now())
		if err := l.noneDeleted(artists, albums); err != nil {
			return nil, err
		}
		for _, artist := range artists {
			if err := trial.mergeArtist(artist, now); err != nil {
				return nil, err
			}
		}
		for _, album := range albums {
			if err := trial.mergeAlbum(album, now); err != nil {
				return nil, err
			}
		}
		return func() {
			maps.Copy(l.r.artists, trial.artists)
			maps.Copy(l.r.albums, trial.albums)
		}, nil
	})
}

// noneDeleted returns a Conflict if one of the subjects was deleted.
func (l *Library) noneDeleted(artists []catalog.Artist, albums []catalog.Album) error {
	for _, artist := range artists {
		if _, gone := l.r.deleted[artist.Subject()]; gone {
			return catalog.DeletedError(artist.Subject())
		}
	}
	for _, album := range albums {
		if _, gone := l.r.deleted[album.Subject()]; gone {
			return catalog.DeletedError(album.Subject())
		}
	}
	return nil
}

// FindDeleted implements importlibrary.Library.
func (l *Library) FindDeleted(ctx context.Context, kind artwork.SubjectKind, mbids []catalog.MBID, artists []artwork.ID, foldedNames []string) (found []catalog.Item, err error) {
	err = l.r.read(ctx, func() error {
		for _, state := range l.r.deleted {
			switch item := state.item.(type) {
			case catalog.Artist:
				if kind == artwork.ArtistSubject && (isOneOf(item.MBID, mbids) || slices.Contains(foldedNames, catalog.FoldName(item.Name))) {
					found = append(found, item)
				}
			case catalog.Album:
				named := slices.Contains(artists, item.ArtistID) && slices.Contains(foldedNames, catalog.FoldName(item.Name))
				if kind == artwork.AlbumSubject && (isOneOf(item.MBID, mbids) || named) {
					found = append(found, item)
				}
			}
		}
		return nil
	})
	return found, err
}

// mergeArtist adds what was not known of the artist.
func (r *Repository) mergeArtist(artist catalog.Artist, now time.Time) error {
	known, ok := r.artists[artist.ID]
	if !ok {
		known = catalog.Artist{ID: artist.ID, Name: artist.Name, CreatedAt: now, UpdatedAt: now}
	}
	merged := known
	merged.SortName = cmp.Or(known.SortName, artist.SortName)
	merged.MBID = cmp.Or(known.MBID, artist.MBID)
	merged.Missing = false
	if merged != known {
		merged.UpdatedAt = now
	}
	r.artists[artist.ID] = merged
	return r.checkArtistMBID(merged)
}

// mergeAlbum adds what was not known of the album.
func (r *Repository) mergeAlbum(album catalog.Album, now time.Time) error {
	known, ok := r.albums[album.ID]
	if !ok {
		known = catalog.Album{ID: album.ID, ArtistID: album.ArtistID, Name: album.Name, CreatedAt: now, UpdatedAt: now}
	}
	if err := r.requireSubject(artwork.Artist(known.ArtistID)); err != nil {
		return err
	}
	merged := known
	merged.Year = cmp.Or(known.Year, album.Year)
	merged.MBID = cmp.Or(known.MBID, album.MBID)
	merged.ReleaseGroupMBID = cmp.Or(known.ReleaseGroupMBID, album.ReleaseGroupMBID)
	merged.Missing = false
	if merged != known {
		merged.UpdatedAt = now
	}
	r.albums[album.ID] = merged
	return r.checkAlbumMBID(merged)
}

// ForgetFingerprints implements importlibrary.Library.
func (l *Library) ForgetFingerprints(ctx context.Context) error {
	return l.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			for path, folder := range l.r.folders {
				folder.fingerprint = ""
				l.r.folders[path] = folder
			}
		}, nil
	})
}

// SaveFolders implements importlibrary.Library.
func (l *Library) SaveFolders(ctx context.Context, scan artwork.ID, root string, folders []importlibrary.FolderState) error {
	if err := importlibrary.CheckScan(scan); err != nil {
		return err
	}
	for _, f := range folders {
		if err := artwork.CheckText("fingerprint", f.Fingerprint); err != nil {
			return err
		}
	}
	return l.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		for _, f := range folders {
			for _, id := range f.Albums {
				if err := l.r.requireSubject(artwork.Album(id)); err != nil {
					return nil, err
				}
			}
		}
		return func() {
			for _, f := range folders {
				l.r.folders[f.Path] = folderState{root: root, fingerprint: f.Fingerprint, scan: scan, albums: slices.Clone(f.Albums)}
				for _, id := range f.Albums {
					l.r.markPresent(id)
				}
			}
		}, nil
	})
}

func (r *Repository) markPresent(id artwork.ID) {
	now := stored(time.Now())
	album := r.albums[id]
	if album.Missing {
		album.Missing, album.UpdatedAt = false, now
		r.albums[id] = album
	}
	if artist := r.artists[album.ArtistID]; artist.Missing {
		artist.Missing, artist.UpdatedAt = false, now
		r.artists[artist.ID] = artist
	}
	r.inFiles[id] = true
}

// Touch implements importlibrary.Library.
func (l *Library) Touch(ctx context.Context, scan artwork.ID, folders []string) error {
	if err := importlibrary.CheckScan(scan); err != nil {
		return err
	}
	return l.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			for _, path := range folders {
				if folder, ok := l.r.folders[path]; ok {
					folder.scan = scan
					l.r.folders[path] = folder
				}
			}
		}, nil
	})
}

// Finish implements importlibrary.Library.
func (l *Library) Finish(ctx context.Context, scan artwork.ID, root string) (missing int, err error) {
	if err := importlibrary.CheckScan(scan); err != nil {
		return 0, err
	}
	err = l.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			maps.DeleteFunc(l.r.folders, func(_ string, f folderState) bool { return f.root == root && f.scan != scan })
			missing = l.r.markMissing(stored(time.Now()))
		}, nil
	})
	return missing, err
}

// markMissing marks the albums that were in folders once and are in none now,
// and the artists of which that is true of all such albums.
func (r *Repository) markMissing(now time.Time) (marked int) {
	present := map[artwork.ID]bool{}
	for _, folder := range r.folders {
		for _, id := range folder.albums {
			present[id] = true
		}
	}
	anyPresent := map[artwork.ID]bool{} // of the artists with albums of the library
	for id := range r.inFiles {
		album := r.albums[id]
		anyPresent[album.ArtistID] = anyPresent[album.ArtistID] || present[id]
		if !present[id] && !album.Missing {
			album.Missing, album.UpdatedAt = true, now
			r.albums[id] = album
			marked++
		}
	}
	for id, isPresent := range anyPresent {
		if artist := r.artists[id]; !isPresent && !artist.Missing {
			artist.Missing, artist.UpdatedAt = true, now
			r.artists[id] = artist
			marked++
		}
	}
	return marked
}
