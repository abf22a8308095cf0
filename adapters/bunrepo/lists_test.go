package bunrepo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"gatefold/adapters/bunrepo"
	"gatefold/adapters/memory"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
)

// largeCatalogue is a database with a catalogue of invented names, and what was asked.
type largeCatalogue struct {
	db      *bunrepo.DB
	artists []catalog.Artist
	albums  []catalog.Album
	random  *rand.Rand
	asked   *statements
}

// fillCatalogue returns a database with so many artists and albums.
func fillCatalogue(tb conformance.TB, url string, artists, albums int) *largeCatalogue {
	tb.Helper()
	db := migrated(tb, url)
	l := &largeCatalogue{db: db, random: rand.New(rand.NewPCG(1, 2)), asked: &statements{byTemplate: map[string]string{}}}
	l.invent(artists, albums)
	begin := time.Now()
	require.NoError(tb, db.Insert(tb.Context(), l.artists, l.albums, l.images()))
	tb.Logf("%s: to insert the catalogue took %v", db.Kind(), time.Since(begin).Round(time.Millisecond))
	if db.Kind() == "postgres" {
		_, err := db.Write().ExecContext(tb.Context(), "VACUUM ANALYZE") // as a server does by itself
		require.NoError(tb, err)
	}
	l.db = db.Watched(l.asked)
	return l
}

// invent makes up names as they are: some words are in very many of them, most in few.
func (l *largeCatalogue) invent(artists, albums int) {
	for range artists {
		name := l.name(1 + l.random.IntN(3))
		sortName := ""
		switch l.random.IntN(5) {
		case 0:
			sortName, name = name+", The", "The "+name
		case 1:
			if first, last, ok := strings.Cut(name, " "); ok {
				sortName = last + ", " + first
			}
		}
		l.artists = append(l.artists, catalog.Artist{ID: l.id(), Name: name, SortName: sortName})
	}
	for i := range albums {
		name := l.name(1 + l.random.IntN(4))
		switch l.random.IntN(20) {
		case 0:
			name = "Greatest Hits"
		case 1:
			name += " (Deluxe Edition)"
		case 2:
			name = "Live at the " + name
		}
		artist := l.artists[0] // as of compilations
		if i%25 != 0 {
			artist = l.artists[l.random.IntN(len(l.artists))]
		}
		l.albums = append(l.albums, catalog.Album{ID: l.id(), ArtistID: artist.ID, Name: name, Year: 1950 + i%75})
	}
}

func (l *largeCatalogue) id() (id artwork.ID) {
	for i := range id {
		id[i] = byte(l.random.Uint32())
	}
	return id
}

func (l *largeCatalogue) name(n int) string {
	common := []string{"the", "of", "love", "live", "in", "black", "and", "blue", "a", "night", "Años", "Größe", "rock'n'roll", "vol."}
	words := make([]string, n)
	for i := range words {
		if l.random.IntN(4) == 0 {
			words[i] = common[int(float64(len(common))*l.random.Float64()*l.random.Float64())]
			continue
		}
		words[i] = word(int(60_000 * l.random.Float64() * l.random.Float64() * l.random.Float64()))
	}
	return strings.Join(words, " ")
}

// word returns one of many words that can be pronounced.
func word(n int) string {
	const consonants, vowels = "bcdfghjklmnpqrstvwxyz", "aeiouáö"
	var s strings.Builder
	n = n*7919 + 13
	for range 2 + n%3 {
		s.WriteRune([]rune(consonants)[n%21])
		n /= 3
		s.WriteRune([]rune(vowels)[n%7])
		n = n/5 + n*31%1009
	}
	return s.String()
}

// images are images in force: of six in ten albums a cover, of half of the artists a
// profile, of nearly all a logo, of nearly none a banner.
func (l *largeCatalogue) images() (records []artwork.Record) {
	add := func(subject artwork.Subject, slot artwork.Slot, source artwork.Source, side int) {
		content := artwork.Content{Hash: artwork.HashOf(subject.ID[:]), Size: 1, MIMEType: "image/png", Width: side, Height: side}
		records = append(records, artwork.Record{ID: l.id(), Place: artwork.Place{Subject: subject, Slot: slot}, Content: content, Source: source, AddedBy: "test", AddedAt: time.Unix(1_700_000_000, 0)})
	}
	for _, album := range l.albums {
		switch n := album.ID[15]; {
		case n < 70:
			add(artwork.Album(album.ID), artwork.SlotCover, artwork.External, 1200)
		case n < 150:
			add(artwork.Album(album.ID), artwork.SlotCover, artwork.Local, 600)
		case n < 153:
			add(artwork.Album(album.ID), artwork.SlotCover, artwork.Custom, 250)
		}
	}
	for _, artist := range l.artists {
		if n := artist.ID[15]; n < 128 {
			add(artwork.Artist(artist.ID), artwork.SlotProfile, artwork.External, 300+10*int(n))
		} else if n == 255 {
			add(artwork.Artist(artist.ID), artwork.SlotProfile, artwork.Custom, 1500)
		}
		if n := int(artist.ID[14])<<8 + int(artist.ID[13]); n > 65 {
			add(artwork.Artist(artist.ID), artwork.SlotLogo, artwork.External, 800)
		} else {
			add(artwork.Artist(artist.ID), artwork.SlotBanner, artwork.Local, 1000)
		}
	}
	return records
}

// filters are what people filter lists by: conditions that nearly all meet, and nearly
// none, and several at once.
func filters(kind artwork.SubjectKind) []catalog.Query {
	page := func(missing artwork.Slot, holding catalog.Holding) catalog.Query {
		return catalog.Query{Page: 1, PageSize: 50, Missing: missing, Holding: holding}
	}
	if kind == artwork.AlbumSubject {
		return []catalog.Query{
			page(0, catalog.Holding{}),
			page(artwork.SlotCover, catalog.Holding{}),
			page(0, catalog.Holding{Slot: artwork.SlotCover, Source: artwork.Local}),
			page(0, catalog.Holding{Slot: artwork.SlotCover, Source: artwork.Custom}),
			page(0, catalog.Holding{Slot: artwork.SlotCover, Locked: true}),
			page(0, catalog.Holding{Slot: artwork.SlotCover, Low: true}),
			page(0, catalog.Holding{Slot: artwork.SlotCover, Below: 300}),
			page(0, catalog.Holding{Slot: artwork.SlotCover, Below: 700}),
			page(0, catalog.Holding{Slot: artwork.SlotCover, Source: artwork.Local, Locked: true, Low: true}),
		}
	}
	return []catalog.Query{
		page(0, catalog.Holding{}),
		page(artwork.SlotProfile, catalog.Holding{}),
		page(artwork.SlotBanner, catalog.Holding{}),
		page(artwork.SlotLogo, catalog.Holding{}),
		page(artwork.SlotBanner, catalog.Holding{Slot: artwork.SlotProfile, Source: artwork.External}),
		page(artwork.SlotLogo, catalog.Holding{Slot: artwork.SlotProfile, Low: true}),
		page(0, catalog.Holding{Slot: artwork.SlotProfile, Below: 400}),
		page(0, catalog.Holding{Slot: artwork.SlotProfile, Source: artwork.Custom, Locked: true}),
	}
}

func describe(q catalog.Query) string {
	h := q.Holding
	return strings.TrimPrefix(strings.TrimSuffix(fmt.Sprintf("missing %s, %s %s, locked %v, low %v, below %d", q.Missing, h.Slot, h.Source, h.Locked, h.Low, h.Below),
		",  , locked false, low false, below 0"), "missing , ")
}

// first returns the query for the first page of what matches the text.
func first(text string) catalog.Query { return catalog.Query{Text: text, Page: 1, PageSize: 50} }

// typed returns what gives the first letters of a name, as they are typed.
func (l *largeCatalogue) typed(kind artwork.SubjectKind) func(letters int) string {
	return func(letters int) string {
		name := l.artists[l.random.IntN(len(l.artists))].Name
		if kind == artwork.AlbumSubject {
			name = l.albums[l.random.IntN(len(l.albums))].Name
		}
		runes := []rune(name)
		return string(runes[:min(letters, len(runes))])
	}
}

// middles returns parts of two words.
func (l *largeCatalogue) middles() string {
	return l.name(1)[1:] + " " + l.name(1)[1:]
}

// somewhere returns the query for a page in the midst of the list.
func (l *largeCatalogue) somewhere(q catalog.Query) catalog.Query {
	q.Page = 0
	q.After = q.CursorAt(catalog.Position{SortKey: catalog.SortKey(l.artists[l.random.IntN(len(l.artists))].Name), ID: artwork.NewID()})
	return q
}

func (l *largeCatalogue) listArtists(tb conformance.TB) func(catalog.Query) int {
	artists := bunrepo.NewArtists(l.db)
	return func(query catalog.Query) int {
		page, err := artists.List(tb.Context(), query)
		require.NoError(tb, err)
		return len(page.Items)
	}
}

func (l *largeCatalogue) listAlbums(tb conformance.TB) func(catalog.Query) int {
	albums := bunrepo.NewAlbums(l.db)
	return func(query catalog.Query) int {
		page, err := albums.List(tb.Context(), query)
		require.NoError(tb, err)
		return len(page.Items)
	}
}

// statements are the different ones that were run, without their arguments, each with
// one that was run.
type statements struct {
	byTemplate map[string]string
	paused     bool
}

func (s *statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (s *statements) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	// Models write their arguments into the template.
	template := literals.ReplaceAllString(event.QueryTemplate, "?")
	if strings.HasPrefix(strings.TrimSpace(template), "SELECT") && !s.paused {
		s.byTemplate[template] = event.Query
	}
}

func (s *statements) pause(do func()) {
	s.paused = true
	do()
	s.paused = false
}

var literals = regexp.MustCompile(`'[^']*'(, '[^']*')*`)

// plans returns how the database carries out the statements that were asked.
func (l *largeCatalogue) plans(tb conformance.TB) map[string]string {
	tb.Helper()
	explain := "EXPLAIN QUERY PLAN "
	if l.db.Kind() == "postgres" {
		// A table of a few rows is read as a whole, because that is faster.
		explain = "SET LOCAL enable_seqscan = off; EXPLAIN "
	}
	plans := map[string]string{}
	for template, query := range l.asked.byTemplate {
		plans[template] = planOf(tb, l.db, explain+query)
	}
	return plans
}

// requireNoScans fails if a plan reads a table from one end to the other, but that which
// has one row.
func requireNoScans(tb conformance.TB, plans map[string]string) {
	tb.Helper()
	require.NotEmpty(tb, plans)
	scan := regexp.MustCompile(`Seq Scan on [^c]|Seq Scan on catalog_c|SCAN (\w|artists|albums|users|slots|images|catalog_\w+)\n`)
	for template, plan := range plans {
		require.NotRegexp(tb, scan, plan, "%s\n%s", template, plan)
	}
}

// TestListsReadNoWholeTable is BenchmarkLists in small: once the index of the lists is there,
// no statement needs to read a table from one end to the other, neither for a page nor for
// what has changed.
func TestListsReadNoWholeTable(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		l := fillCatalogue(t, url, 300, 1500)
		artists, albums, users := bunrepo.NewArtists(l.db), bunrepo.NewAlbums(l.db), bunrepo.NewUsers(l.db)
		l.asked.pause(func() { l.listArtists(t)(first("")) }) // which loads the index
		for range 2 {
			l.listArtists(t)(first("t"))
			l.listAlbums(t)(first("the b"))
			_, err := users.List(t.Context(), first(""))
			require.NoError(t, err)
			l.artists[0].Name, l.albums[0].Name = "Another", "Another"
			by := artwork.Actor{Name: "test"}
			_, err = artists.Put(t.Context(), by, l.artists[0])
			require.NoError(t, err)
			_, err = albums.Put(t.Context(), by, l.albums[0])
			require.NoError(t, err)
			_, err = users.Put(t.Context(), by, catalog.User{ID: artwork.NewID(), Username: artwork.NewID().String(), Role: catalog.RoleUser})
			require.NoError(t, err)
		}
		require.Greater(t, len(l.asked.byTemplate), 8)
		requireNoScans(t, l.plans(t))
	})
}

// TestListsAreTheSameEverywhere compares the lists of both databases with those of the
// process memory, which looks at every subject: for random names, images, renames, texts,
// filters and orders, from cursor to cursor.
func TestListsAreTheSameEverywhere(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	memory := memory.NewRepository()
	reference := conformance.Repositories{Images: memory.Images(), Artists: memory.Artists(), Albums: memory.Albums()}
	databases := []*bunrepo.DB{openSQLite(t), openOnPostgres(t)}
	all := []conformance.Repositories{reference}
	for _, db := range databases {
		all = append(all, repositories(db))
	}
	for range 5 {
		populate(t, random, all)
		compareLists(t, random, reference, databases)
	}
}

func compareLists(t *testing.T, random *rand.Rand, reference conformance.Repositories, databases []*bunrepo.DB) {
	t.Helper()
	for range 40 {
		query := randomQuery(random)
		wantArtists := readThrough(t, reference.Artists, query)
		wantAlbums := readThrough(t, reference.Albums, query)
		for _, db := range databases {
			require.Equal(t, wantArtists, readThrough[catalog.Artist](t, bunrepo.NewArtists(db), query), "%s: artists %+v", db.Kind(), query)
			require.Equal(t, wantAlbums, readThrough[catalog.Album](t, bunrepo.NewAlbums(db), query), "%s: albums %+v", db.Kind(), query)
		}
	}
}

// populate makes the same catalogue in all repositories.
func populate(t *testing.T, random *rand.Rand, all []conformance.Repositories) {
	t.Helper()
	by := artwork.Actor{Name: "test"}
	name := func() string {
		parts := []string{"Ana", "ana", "Añá", "An", "Ban", "banana", "'n'", "50%", "a_b", "ß", "SS", "İ", "事変", "🎸", "The", "x/Ana", "\\", "Łódź", "mÆon"}
		var words []string
		for range 1 + random.IntN(3) {
			words = append(words, parts[random.IntN(len(parts))])
		}
		return strings.Join(words, " ")
	}
	var ids []artwork.ID
	for i := range 30 {
		id := artwork.NewID()
		if i > 0 && random.IntN(4) == 0 {
			id = ids[random.IntN(len(ids))] // another name for one that is there
		}
		ids = append(ids, id)
		artist := catalog.Artist{ID: id, Name: name()}
		if random.IntN(2) == 0 {
			artist.SortName = name()
		}
		album := catalog.Album{ID: id, ArtistID: ids[random.IntN(len(ids))], Name: name()}
		var images []artwork.Application
		if random.IntN(2) == 0 {
			record := recordFor(artwork.Place{Subject: artwork.Artist(id), Slot: artwork.SlotProfile}, i)
			record.Source = artwork.Source(1 + random.IntN(3))
			record.Content.Width, record.Content.Height = 500+random.IntN(1000), 500+random.IntN(1000)
			images = append(images, artwork.Application{Record: record, By: by})
		}
		for _, r := range all {
			_, err := r.Artists.Put(t.Context(), by, artist)
			require.NoError(t, err)
			_, err = r.Albums.Put(t.Context(), by, album)
			require.NoError(t, err)
			_, err = r.Images.Apply(t.Context(), artwork.Unfenced(), images)
			require.NoError(t, err)
		}
	}
}

func randomQuery(random *rand.Rand) catalog.Query {
	query := catalog.Query{Page: 1, PageSize: 1 + random.IntN(20)}
	if random.IntN(4) > 0 {
		texts := []string{"a", "an", "ana", "n", "the", "ana ban", "b a", "%", "_", "'", "/", "ss", "i", "事", "🎸", "ana ana x", "\\", "50% the", "zz", "lodz", "aeo"}
		query.Text = texts[random.IntN(len(texts))]
	}
	if random.IntN(3) == 0 {
		query.Holding = catalog.Holding{Slot: artwork.SlotProfile, Low: true, Source: artwork.Source(random.IntN(4))}
	}
	query.Order = catalog.Order{By: []catalog.OrderBy{catalog.Best, catalog.ByName}[random.IntN(2)]}
	query.Order.Descending = query.Order.By != catalog.Best && random.IntN(2) == 0
	return query
}

// readThrough reads the IDs of a list from cursor to cursor, and looks at its length.
func readThrough[T any](t *testing.T, repository catalog.Repository[T], query catalog.Query) (ids []string) {
	t.Helper()
	if _, ok := any(repository).(catalog.Albums); ok {
		query.Holding = catalog.Holding{}
	}
	for {
		page, err := repository.List(t.Context(), query)
		require.NoError(t, err)
		for _, item := range page.Items {
			switch item := any(item).(type) {
			case catalog.Artist:
				ids = append(ids, item.ID.String())
			case catalog.Album:
				ids = append(ids, item.ID.String())
			}
		}
		if page.Next == (catalog.Cursor{}) {
			require.Len(t, ids, page.Total)
			return ids
		}
		query.Page, query.After = 0, page.Next
	}
}
