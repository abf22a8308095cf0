package findimages_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// provider answers as it is told to.
type provider struct {
	id     string
	slots  []artwork.Slot
	takes  time.Duration
	answer []findimages.Candidate
	fails  error
	mu     sync.Mutex
	asked  int
}

func (p *provider) About() findimages.About {
	return findimages.About{ID: p.id, Name: "The " + p.id, Slots: p.slots}
}

func (p *provider) ArtistImages(ctx context.Context, _ catalog.Artist) ([]findimages.Candidate, error) {
	return p.find(ctx)
}

func (p *provider) AlbumCovers(ctx context.Context, _ catalog.Album) ([]findimages.Candidate, error) {
	return p.find(ctx)
}

func (p *provider) find(ctx context.Context) ([]findimages.Candidate, error) {
	p.mu.Lock()
	p.asked++
	p.mu.Unlock()
	select {
	case <-time.After(p.takes):
		return p.answer, p.fails
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answerCache is an AnswerCache on the clock of the test.
type answerCache struct {
	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	value []byte
	until time.Time
}

func (c *answerCache) Get(_ context.Context, key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept[key]
	return k.value, ok && time.Now().Before(k.until)
}

func (c *answerCache) Put(_ context.Context, key string, value []byte, term time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept[key] = kept{value, time.Now().Add(term)}
}

// looks knows pictures by their URL; others cannot be looked at.
type looks map[string]uint64

func (l looks) Fingerprint(_ context.Context, url string) (uint64, error) {
	if hash, ok := l[url]; ok {
		return hash, nil
	}
	return 0, errors.New("cannot be looked at")
}

type fixture struct {
	repo   *memory.Repository
	artist catalog.Artist
	all    *findimages.Search
	search *findimages.SearchArtistAvatars
	covers *findimages.SearchAlbumCovers
}

func newFixture(t *testing.T, looks looks, providers ...*provider) *fixture {
	t.Helper()
	f := &fixture{repo: memory.NewRepository(), artist: catalog.Artist{ID: artwork.NewID(), Name: "Ana"}}
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, f.artist)
	require.NoError(t, err)
	all := make([]findimages.ArtworkProvider, len(providers))
	for i, p := range providers {
		all[i] = p
	}
	search := findimages.NewSearch(all, &answerCache{kept: map[string]kept{}}, looks, slog.New(slog.DiscardHandler))
	recorder := findimages.NewRecorder(f.repo.Considerations(), slog.New(slog.DiscardHandler))
	f.all = search
	f.search = findimages.NewSearchArtistAvatars(search, recorder, f.repo.Artists())
	f.covers = findimages.NewSearchAlbumCovers(search, recorder, f.repo.Albums())
	return f
}

func (f *fixture) run(t *testing.T, in findimages.In, observe findimages.Observer) findimages.Result {
	t.Helper()
	in.ID = f.artist.ID
	_, result, err := f.search.Run(t.Context(), in, observe)
	require.NoError(t, err)
	return result
}

func offers(id string, slot artwork.Slot, n int) *provider {
	p := &provider{id: id, slots: []artwork.Slot{slot}}
	for i := range n {
		p.answer = append(p.answer, findimages.Candidate{Provider: id, Slot: slot, URL: fmt.Sprintf("https://%s.example/%d", id, i), Width: 1000, Height: 1000})
	}
	return p
}

func urls(found []findimages.Found) []string {
	var all []string
	for _, f := range found {
		all = append(all, f.URL)
	}
	return all
}

// TestADeadProviderEmptiesNoAnswer: a dead, a slow and a failing provider keep nobody waiting longer than
// their deadline, and nothing of the others is missing.
func TestADeadProviderEmptiesNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, late := offers("good", artwork.SlotProfile, 2), offers("late", artwork.SlotProfile, 1)
		late.takes = 4 * time.Second
		dead, lying := offers("dead", artwork.SlotProfile, 1), offers("lying", artwork.SlotProfile, 1)
		dead.takes = time.Hour
		lying.fails = artwork.Errorf(artwork.DownloadFailed, "lying answers nonsense")
		covers := offers("covers", artwork.SlotCover, 1)
		f := newFixture(t, nil, dead, good, lying, late, covers)
		begin := time.Now()
		var asked, heard []string
		result := f.run(t, findimages.In{}, func(r findimages.Report) {
			if r.Asking {
				require.Empty(t, heard)
				asked = append(asked, r.Provider.ID)
				return
			}
			heard = append(heard, fmt.Sprintf("%s %d after %s", r.Provider.ID, len(r.Candidates), time.Since(begin)))
		})
		require.Equal(t, 5*time.Second, time.Since(begin))
		require.Equal(t, []string{"https://good.example/0", "https://good.example/1", "https://late.example/0"}, urls(result.Found))
		require.Equal(t, []string{"dead", "good", "lying", "late"}, asked, "and nobody who has nothing for artists")
		require.ElementsMatch(t, []string{"good 2 after 0s", "lying 0 after 0s"}, heard[:2])
		require.Equal(t, []string{"late 1 after 4s", "dead 0 after 5s"}, heard[2:])
		require.Len(t, result.Failures, 2)
		require.Equal(t, "dead", result.Failures[0].Provider.ID)
		require.Equal(t, artwork.Unavailable, artwork.KindOf(result.Failures[0].Err))
		require.Contains(t, result.Failures[0].Err.Error(), "The dead did not answer in time")
		require.Equal(t, artwork.DownloadFailed, artwork.KindOf(result.Failures[1].Err))
		require.Zero(t, covers.asked, "it has nothing for artists")
	})
}

func TestWhoHangsUpIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := offers("dead", artwork.SlotProfile, 1)
		dead.takes = time.Hour
		f := newFixture(t, nil, dead)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, _, err := f.search.Run(ctx, findimages.In{ID: f.artist.ID}, func(r findimages.Report) { require.True(t, r.Asking, "nobody listens") })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))
	})
}

// TestAnswersAreKept: what was found for a day, what is absent for an hour, a failure
// not at all.
func TestAnswersAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		found, absent, failing := offers("found", artwork.SlotProfile, 1), offers("absent", artwork.SlotProfile, 0), offers("failing", artwork.SlotProfile, 0)
		failing.fails = artwork.Errorf(artwork.Unavailable, "over its limit")
		f := newFixture(t, nil, found, absent, failing)
		require := require.New(t)
		asked := func() []int { return []int{found.asked, absent.asked, failing.asked} }
		f.run(t, findimages.In{}, nil)
		f.run(t, findimages.In{}, nil)
		require.Equal([]int{1, 1, 2}, asked())
		time.Sleep(time.Hour)
		require.Len(f.run(t, findimages.In{Slot: artwork.SlotProfile}, nil).Found, 1, "what is kept is not for one slot")
		require.Equal([]int{1, 2, 3}, asked())
		f.run(t, findimages.In{Fresh: true}, nil)
		require.Equal([]int{2, 3, 4}, asked())
		time.Sleep(23*time.Hour + 59*time.Minute)
		f.run(t, findimages.In{}, nil)
		require.Equal(2, found.asked)
		f.artist.MBID = artwork.NewID()
		_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, f.artist)
		require.NoError(err)
		f.run(t, findimages.In{}, nil)
		require.Equal(3, found.asked, "another identifier is another question")
	})
}

func TestOneSlot(t *testing.T) {
	both := offers("both", artwork.SlotProfile, 1)
	both.answer = append(both.answer, findimages.Candidate{Provider: "both", Slot: artwork.SlotLogo, URL: "https://both.example/logo"})
	f := newFixture(t, nil, both)
	require.Len(t, f.run(t, findimages.In{}, nil).Found, 2)
	require.Equal(t, []string{"https://both.example/logo"}, urls(f.run(t, findimages.In{Slot: artwork.SlotLogo}, nil).Found))
}

// TestAFloodIsCut: a provider that offers more than anybody would look at.
func TestAFloodIsCut(t *testing.T) {
	f := newFixture(t, nil, offers("flood", artwork.SlotProfile, 5000))
	require.Len(t, f.run(t, findimages.In{}, nil).Found, 100)
}

func TestUnknownSubjects(t *testing.T) {
	f := newFixture(t, nil)
	_, _, err := f.search.Run(t.Context(), findimages.In{ID: artwork.NewID()}, nil)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, _, err = f.covers.Run(t.Context(), findimages.In{ID: f.artist.ID}, nil)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

// TestTheSamePictureOnce: of several providers, as the largest, if it can be looked at.
func TestTheSamePictureOnce(t *testing.T) {
	small, large := offers("small", artwork.SlotProfile, 2), offers("large", artwork.SlotProfile, 1)
	small.answer[0].Width, small.answer[0].Height = 400, 400
	small.answer[0].ThumbnailURL = "https://small.example/thumbnail"
	large.answer[0].ByName = true
	f := newFixture(t, looks{
		"https://small.example/thumbnail": 0xffff0000ffff0000,
		"https://large.example/0":         0xffff0000ffff0007,
		"https://small.example/1":         0x0f0f0f0f0f0f0f0f,
	}, small, large)
	found := f.run(t, findimages.In{}, nil).Found
	require.ElementsMatch(t, []string{"https://large.example/0", "https://small.example/1"}, urls(found))
	for _, one := range found {
		if one.Provider == "large" {
			require.Equal(t, small.answer[:1], one.Others)
			require.False(t, one.ByName, "the other one was found by an identifier")
		}
	}
}
