package importlibrary

import (
	"cmp"
	"context"
	"slices"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// resolution says which subjects a batch of folders is about.
type resolution struct {
	albums   [][]artwork.ID // of each folder
	leftOut  []int          // of each folder: albums that were deleted, or whose artist was
	pictures map[artwork.Place][]folderPicture
}

// folderPicture is a picture and the folder in which it was met.
type folderPicture struct {
	Picture
	folder string
}

// saveTries bounds how often a batch is resolved anew because other importers
// were faster.
const saveTries = 5

// resolve finds or creates the subjects of a batch. Another importer may create
// the same ones meanwhile; then what it created is found the second time.
func (s *scan) resolve(ctx context.Context, folders []Folder) (resolution, error) {
	for try := 1; ; try++ {
		matcher, err := s.newMatcher(ctx, folders)
		if err != nil {
			return resolution{}, err
		}
		resolved := matcher.match(folders)
		err = s.catalogue.Save(ctx, matcher.artists.touched(), matcher.albums.touched())
		if artwork.KindOf(err) == artwork.Conflict && try < saveTries {
			continue
		}
		if err != nil {
			return resolution{}, err
		}
		s.summary.NewArtists += matcher.artists.created
		s.summary.NewAlbums += matcher.albums.created
		return resolved, nil
	}
}

// matcher recognises subjects among those known before the batch and those met
// earlier in it.
type matcher struct {
	artists roster[catalog.Artist, string]
	albums  roster[catalog.Album, albumName]
	// deleted are subjects that were deleted: they stay so until somebody restores
	// them, although their music is there.
	deleted map[artwork.Subject]bool
}

// albumName is what an album without an MBID is recognised by.
type albumName struct {
	artist artwork.ID
	folded string
}

// newMatcher reads from the catalogue what the batch may be about.
func (s *scan) newMatcher(ctx context.Context, folders []Folder) (*matcher, error) {
	m := &matcher{deleted: map[artwork.Subject]bool{}}
	var mbids []catalog.MBID
	var names []string
	eachAlbum(folders, func(_ int, album Album) {
		mbids = appendMBID(mbids, album.Artist.MBID)
		names = append(names, catalog.FoldName(album.Artist.Name))
	})
	artists, err := s.catalogue.FindArtists(ctx, unique(mbids), unique(names))
	if err != nil {
		return nil, err
	}
	for _, artist := range artists {
		m.artists.add(artist.ID, artist.MBID, catalog.FoldName(artist.Name), artist)
	}
	gone, err := s.catalogue.FindDeleted(ctx, artwork.ArtistSubject, unique(mbids), nil, unique(names))
	if err != nil {
		return nil, err
	}
	m.addDeleted(gone)
	return m, s.findAlbums(ctx, m, folders)
}

func (s *scan) findAlbums(ctx context.Context, m *matcher, folders []Folder) error {
	var mbids []catalog.MBID
	var names []string
	var artists []artwork.ID
	eachAlbum(folders, func(_ int, album Album) {
		mbids = appendMBID(mbids, album.MBID)
		names = append(names, catalog.FoldName(album.Name))
		if id, known := m.artists.find(album.Artist.MBID, catalog.FoldName(album.Artist.Name)); known {
			artists = append(artists, id)
		}
	})
	albums, err := s.catalogue.FindAlbums(ctx, unique(mbids), unique(artists), unique(names))
	if err != nil {
		return err
	}
	for _, album := range albums {
		m.albums.add(album.ID, album.MBID, albumName{album.ArtistID, catalog.FoldName(album.Name)}, album)
	}
	gone, err := s.catalogue.FindDeleted(ctx, artwork.AlbumSubject, unique(mbids), unique(artists), unique(names))
	if err != nil {
		return err
	}
	m.addDeleted(gone)
	return nil
}

// addDeleted enters subjects that were deleted, behind all that are there: what somebody
// has created anew is met before what was deleted.
func (m *matcher) addDeleted(gone []catalog.Item) {
	for _, item := range gone {
		m.deleted[item.Subject()] = true
		switch item := item.(type) {
		case catalog.Artist:
			m.artists.addBehind(item.ID, item.MBID, catalog.FoldName(item.Name), item)
		case catalog.Album:
			m.albums.addBehind(item.ID, item.MBID, albumName{item.ArtistID, catalog.FoldName(item.Name)}, item)
		}
	}
}

// isDeleted reports whether the album was deleted, or its artist.
func (m *matcher) isDeleted(found Album) bool {
	artist, known := m.artists.find(found.Artist.MBID, catalog.FoldName(found.Artist.Name))
	if !known {
		artist = catalog.NewArtistID(found.Artist.Name, found.Artist.MBID)
	}
	if m.deleted[artwork.Artist(artist)] {
		return true
	}
	album, known := m.albums.find(found.MBID, albumName{artist, catalog.FoldName(found.Name)})
	if !known {
		album = catalog.NewAlbumID(artist, found.Name, found.MBID)
	}
	return m.deleted[artwork.Album(album)]
}

// match gives every album of the folders, and its artist, its identity.
func (m *matcher) match(folders []Folder) resolution {
	resolved := resolution{
		albums: make([][]artwork.ID, len(folders)), leftOut: make([]int, len(folders)), pictures: map[artwork.Place][]folderPicture{},
	}
	eachAlbum(folders, func(n int, album Album) {
		if m.isDeleted(album) {
			resolved.leftOut[n]++
			return
		}
		artist := m.artist(album.Artist)
		id := m.album(album, artist)
		resolved.albums[n] = append(resolved.albums[n], id)
		resolved.addPictures(artwork.Place{Subject: artwork.Album(id), Slot: artwork.SlotCover}, album.Cover, folders[n].Path)
		for slot, pictures := range album.Artist.Pictures {
			resolved.addPictures(artwork.Place{Subject: artwork.Artist(artist), Slot: slot}, pictures, folders[n].Path)
		}
	})
	return resolved
}

func (r *resolution) addPictures(place artwork.Place, pictures []Picture, folder string) {
	for _, picture := range pictures {
		r.pictures[place] = append(r.pictures[place], folderPicture{picture, folder})
	}
}

func (m *matcher) artist(found Artist) artwork.ID {
	folded := catalog.FoldName(found.Name)
	id, known := m.artists.find(found.MBID, folded)
	if !known {
		id = catalog.NewArtistID(found.Name, found.MBID)
	}
	artist := m.artists.get(id)
	artist.ID = id
	artist.Name = cmp.Or(artist.Name, found.Name)
	artist.SortName = cmp.Or(artist.SortName, found.SortName)
	artist.MBID = cmp.Or(artist.MBID, found.MBID)
	m.artists.put(id, artist.MBID, folded, artist, !known)
	return id
}

func (m *matcher) album(found Album, artist artwork.ID) artwork.ID {
	name := albumName{artist, catalog.FoldName(found.Name)}
	id, known := m.albums.find(found.MBID, name)
	if !known {
		id = catalog.NewAlbumID(artist, found.Name, found.MBID)
	}
	album := m.albums.get(id)
	album.ID = id
	album.ArtistID = cmp.Or(album.ArtistID, artist)
	album.Name = cmp.Or(album.Name, found.Name)
	album.Year = cmp.Or(album.Year, found.Year)
	album.MBID = cmp.Or(album.MBID, found.MBID)
	album.ReleaseGroupMBID = cmp.Or(album.ReleaseGroupMBID, found.ReleaseGroupMBID)
	m.albums.put(id, album.MBID, name, album, !known)
	return id
}

// roster recognises subjects of one kind: by MBID, then by name. Equal names
// with different MBIDs are different subjects; a subject whose MBID is not known
// yet takes the one it is met with.
type roster[T any, Name comparable] struct {
	byID    map[artwork.ID]T
	mbidOf  map[artwork.ID]catalog.MBID
	byMBID  map[catalog.MBID]artwork.ID
	byName  map[Name][]artwork.ID
	batch   []artwork.ID // met in this batch
	created int
}

func (r *roster[T, Name]) find(mbid catalog.MBID, name Name) (artwork.ID, bool) {
	if id, ok := r.byMBID[mbid]; ok && !mbid.IsZero() {
		return id, true
	}
	for _, id := range r.byName[name] {
		if mbid.IsZero() || r.mbidOf[id].IsZero() {
			return id, true
		}
	}
	return artwork.ID{}, false
}

func (r *roster[T, Name]) get(id artwork.ID) T { return r.byID[id] }

// add enters a subject that was known before.
func (r *roster[T, Name]) add(id artwork.ID, mbid catalog.MBID, name Name, subject T) {
	if r.byID == nil {
		r.byID, r.mbidOf = map[artwork.ID]T{}, map[artwork.ID]catalog.MBID{}
		r.byMBID, r.byName = map[catalog.MBID]artwork.ID{}, map[Name][]artwork.ID{}
	}
	r.byID[id], r.mbidOf[id] = subject, mbid
	if !mbid.IsZero() {
		r.byMBID[mbid] = id
	}
	if !slices.Contains(r.byName[name], id) {
		r.byName[name] = append(r.byName[name], id)
	}
}

// addBehind enters a subject that is met only where no other one is.
func (r *roster[T, Name]) addBehind(id artwork.ID, mbid catalog.MBID, name Name, subject T) {
	holder, held := r.byMBID[mbid]
	r.add(id, mbid, name, subject)
	if held && !mbid.IsZero() {
		r.byMBID[mbid] = holder
	}
}

// put enters a subject as this batch met it.
func (r *roster[T, Name]) put(id artwork.ID, mbid catalog.MBID, name Name, subject T, isNew bool) {
	r.add(id, mbid, name, subject)
	if !slices.Contains(r.batch, id) {
		r.batch = append(r.batch, id)
	}
	if isNew {
		r.created++
	}
}

// touched returns the subjects that the batch met, in the order of their IDs,
// so that importers who save the same ones do not wait for each other in a
// circle.
func (r *roster[T, Name]) touched() []T {
	ids := slices.SortedFunc(slices.Values(r.batch), compareIDs)
	subjects := make([]T, len(ids))
	for i, id := range ids {
		subjects[i] = r.byID[id]
	}
	return subjects
}

func eachAlbum(folders []Folder, do func(folder int, album Album)) {
	for n, folder := range folders {
		for _, album := range folder.Albums {
			do(n, album)
		}
	}
}

func appendMBID(mbids []catalog.MBID, mbid catalog.MBID) []catalog.MBID {
	if mbid.IsZero() {
		return mbids
	}
	return append(mbids, mbid)
}
