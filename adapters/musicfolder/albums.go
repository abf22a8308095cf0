package musicfolder

import (
	"cmp"
	"path/filepath"

	"gatefold/application/importlibrary"
	"gatefold/domain/catalog"
)

// maxAlbums bounds how many albums of one folder are held at a time. Only a
// folder of more may have an album described in several parts.
const maxAlbums = 500

// collector makes albums of the tracks of one folder.
type collector struct {
	dir     *dir
	groups  map[groupKey]*group
	order   []*group
	drained bool // some albums were handed out before the folder's end
}

// groupKey tells apart what are different albums for sure. Which of the rest
// are one is known only when all files are read.
type groupKey struct {
	album, albumArtist string // folded
	mbid               catalog.MBID
}

// group is what is known of the files that share a key.
type group struct {
	track            // the first file's, completed from the others
	several  bool    // the files name several performers
	embedded *inside // in the first file that has a picture
}

func newCollector(d *dir) *collector {
	return &collector{dir: d, groups: map[groupKey]*group{}}
}

// read adds a file of the folder; it says why if the file is left out.
func (c *collector) read(name string) *skip {
	t, skip := readTrack(filepath.Join(c.dir.path, name))
	if skip != nil {
		return skip
	}
	key := groupKey{catalog.FoldName(t.album), catalog.FoldName(t.albumArtist.Name), t.albumMBID}
	g := c.groups[key]
	if g == nil {
		g = &group{track: t}
		c.groups[key] = g
		c.order = append(c.order, g)
	}
	g.add(t)
	if g.embedded == nil {
		g.embedded = pictureInside(t.path)
	}
	return nil
}

// add completes what is known of the album.
func (g *group) add(t track) {
	g.compilation = g.compilation || t.compilation
	g.several = g.several || t.artist.Name != "" && g.artist.Name != "" && !sameName(t.artist, g.artist)
	g.artist = complete(g.artist, t.artist)
	g.albumArtist = complete(g.albumArtist, t.albumArtist)
	g.year = cmp.Or(g.year, t.year)
	g.albumMBID = cmp.Or(g.albumMBID, t.albumMBID)
	g.groupMBID = cmp.Or(g.groupMBID, t.groupMBID)
}

// complete adds to an artist what another file tells of the same one.
func complete(a, other catalog.Artist) catalog.Artist {
	if a.Name != "" && !sameName(a, other) {
		return a
	}
	return catalog.Artist{
		Name:     cmp.Or(a.Name, other.Name),
		SortName: cmp.Or(a.SortName, other.SortName),
		MBID:     cmp.Or(a.MBID, other.MBID),
	}
}

func sameName(a, b catalog.Artist) bool { return catalog.FoldName(a.Name) == catalog.FoldName(b.Name) }

// resolve decides who the album artist is.
func (g *group) resolve() {
	switch {
	case g.albumArtist.Name != "":
	case g.compilation || g.several:
		g.albumArtist = catalog.VariousArtists
	default:
		g.albumArtist = g.artist
	}
}

// drainIfFull hands out the albums if they have become too many to hold.
func (c *collector) drainIfFull() []importlibrary.Album {
	if len(c.order) < maxAlbums {
		return nil
	}
	c.drained = true
	return c.drain()
}

// drain hands out the albums and forgets them.
func (c *collector) drain() []importlibrary.Album {
	groups := c.merged()
	albums := make([]importlibrary.Album, len(groups))
	shelf := shelf{dir: c.dir, several: len(groups) > 1, oneArtist: !c.drained && oneArtist(groups)}
	for i, g := range groups {
		albums[i] = importlibrary.Album{
			Name:             g.album,
			Year:             g.year,
			MBID:             g.albumMBID,
			ReleaseGroupMBID: g.groupMBID,
			Artist: importlibrary.Artist{
				Name:     g.albumArtist.Name,
				SortName: g.albumArtist.SortName,
				MBID:     g.albumArtist.MBID,
				Pictures: shelf.artistPictures(g.albumArtist, g.album),
			},
			Cover: shelf.covers(g.embedded),
		}
	}
	c.groups, c.order = map[groupKey]*group{}, nil
	return albums
}

// merged returns the groups with the album artist resolved, those in one that
// turn out to be the same album: some files lack a tag that others have.
func (c *collector) merged() []*group {
	var merged []*group
	known := map[[2]string][]*group{}
	for _, g := range c.order {
		g.resolve()
		key := [2]string{catalog.FoldName(g.album), catalog.FoldName(g.albumArtist.Name)}
		if same := g.among(known[key]); same != nil {
			same.add(g.track)
			if same.embedded == nil || g.embedded != nil && g.embedded.path < same.embedded.path {
				same.embedded = g.embedded
			}
			continue
		}
		known[key] = append(known[key], g)
		merged = append(merged, g)
	}
	return merged
}

// among returns the group that is the same album: with the same MBID, or
// without one on either side.
func (g *group) among(groups []*group) *group {
	for _, other := range groups {
		if other.albumMBID == g.albumMBID || other.albumMBID.IsZero() || g.albumMBID.IsZero() {
			return other
		}
	}
	return nil
}

// oneArtist reports whether all albums are by one and the same artist, who is
// not a stand-in for many.
func oneArtist(groups []*group) bool {
	for _, g := range groups {
		if !sameName(g.albumArtist, groups[0].albumArtist) || isVarious(g.albumArtist) {
			return false
		}
	}
	return true
}

func isVarious(a catalog.Artist) bool { return a.MBID == catalog.VariousArtists.MBID }
