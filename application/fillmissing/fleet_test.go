package fillmissing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/applyimage"
	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

var (
	ana     = artwork.Actor{Name: "ana", Address: "203.0.113.7"}
	profile = fillmissing.Wish{Slot: artwork.SlotProfile, MinScore: fillmissing.DefaultMinScore}
)

// fleet is what instances share, and the world around them: what providers have by
// the name of the artist or album, and what happens while they are asked.
type fleet struct {
	t     *testing.T
	repo  *memory.Repository
	jobs  *jobs
	gaps  fillmissing.Gaps
	cache *memory.Cache
	log   bytes.Buffer

	mu       sync.Mutex
	clock    time.Time
	offers   map[string][]findimages.Candidate
	failing  map[string]error // by provider
	asking   func(ctx context.Context, name string)
	asked    map[string]int
	busy     int
	most     int
	names    []findimages.Match
	naming   error
	download func(url string) error
	told     []fillmissing.Status
	weighed  map[artwork.Place]findimages.Consideration
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{
		t: t, repo: memory.NewRepository(), clock: time.Now(),
		cache:  memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 10_000, managecache.NewCounters()),
		offers: map[string][]findimages.Candidate{}, failing: map[string]error{}, asked: map[string]int{}, weighed: map[artwork.Place]findimages.Consideration{},
	}
	f.jobs = &jobs{Jobs: f.repo.Fill()}
	f.gaps = f.repo.Gaps()
	return f
}

func (f *fleet) artist(name string) catalog.Artist {
	f.t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: name}
	f.put(artist)
	return artist
}

func (f *fleet) put(artist catalog.Artist) {
	f.t.Helper()
	_, err := f.repo.Artists().Put(f.t.Context(), ana, artist)
	require.NoError(f.t, err)
}

// offer has a provider offer an image of a size for whoever has the name.
func (f *fleet) offer(provider, name string, width, height int, more ...func(*findimages.Candidate)) {
	c := findimages.Candidate{
		Provider: provider, Slot: artwork.SlotProfile, Width: width, Height: height,
		URL: fmt.Sprintf("https://%s.example/%s/%dx%d", provider, name, width, height),
	}
	for _, change := range more {
		change(&c)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.offers[name] = append(f.offers[name], c)
}

func byName(c *findimages.Candidate)   { c.ByName = true }
func unsized(c *findimages.Candidate)  { c.Width, c.Height = 0, 0 }
func ofAlbum(c *findimages.Candidate)  { c.Slot = artwork.SlotCover }
func licensed(c *findimages.Candidate) { c.Licence, c.Attribution = "CC BY 4.0", "Somebody" }

// source is a provider.
type source struct {
	*fleet
	id string
}

// About implements findimages.ArtworkProvider.
func (s source) About() findimages.About {
	return findimages.About{ID: s.id, Name: s.id, Slots: []artwork.Slot{artwork.SlotProfile, artwork.SlotCover}}
}

// ArtistImages implements findimages.ArtworkProvider.
func (s source) ArtistImages(ctx context.Context, artist catalog.Artist) ([]findimages.Candidate, error) {
	return s.ask(ctx, artist.Name)
}

// AlbumCovers implements findimages.ArtworkProvider.
func (s source) AlbumCovers(ctx context.Context, album catalog.Album) ([]findimages.Candidate, error) {
	return s.ask(ctx, album.Name)
}

func (s source) ask(ctx context.Context, name string) (found []findimages.Candidate, err error) {
	s.mu.Lock()
	s.asked[s.id+" "+name]++
	s.busy++
	s.most = max(s.most, s.busy)
	asking, err := s.asking, s.failing[s.id]
	for _, c := range s.offers[name] {
		if c.Provider == s.id {
			found = append(found, c)
		}
	}
	s.mu.Unlock()
	if asking != nil {
		asking(ctx, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	return found, errors.Join(err, ctx.Err())
}

// Artists implements findimages.Identifier.
func (f *fleet) Artists(context.Context, string) ([]findimages.Match, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.names, f.naming
}

// ReleaseGroups implements findimages.Identifier.
func (f *fleet) ReleaseGroups(ctx context.Context, _, _ string) ([]findimages.Match, error) {
	return f.Artists(ctx, "")
}

// Fingerprint implements findimages.Fingerprinter: no two pictures are the same.
func (f *fleet) Fingerprint(context.Context, string) (uint64, error) {
	return 0, errors.New("nobody looks")
}

// Download implements applyimage.Downloader: the URL is the content.
func (f *fleet) Download(_ context.Context, url string, _ int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.download != nil {
		if err := f.download(url); err != nil {
			return nil, err
		}
	}
	return []byte(url), nil
}

// Inspect implements applyimage.Inspector.
func (f *fleet) Inspect(_ context.Context, content []byte) (artwork.Content, error) {
	c := artwork.Content{Hash: artwork.HashOf(content), Size: int64(len(content)), MIMEType: "image/png"}
	_, err := fmt.Sscanf(path.Base(string(content)), "%dx%d", &c.Width, &c.Height)
	return c, err
}

// RemoveLocation implements applyimage.Inspector.
func (f *fleet) RemoveLocation(content []byte) []byte { return content }

// Progress implements fillmissing.Progress.
func (f *fleet) Progress(_ context.Context, status fillmissing.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, status)
}

// Run implements fillmissing.Considered.
func (f *fleet) Run(_ context.Context, considerations ...findimages.Consideration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range considerations {
		f.weighed[c.Place] = c
	}
}

// verdicts returns what became of what was found for the artist, by its URL.
func (f *fleet) verdicts(artist catalog.Artist) map[string]findimages.Verdict {
	f.t.Helper()
	c := f.weighed[profile.Place(artist.ID)]
	require.Equal(f.t, findimages.OnFill, c.Occasion)
	require.Equal(f.t, "ana", c.By)
	require.NoError(f.t, c.Check())
	verdicts := map[string]findimages.Verdict{}
	for _, one := range c.Candidates {
		verdicts[one.URL] = one.Verdict
	}
	return verdicts
}

func (f *fleet) now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock
}

func (f *fleet) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clock = f.clock.Add(d)
}

// asks returns how often anybody was asked, and forgets it.
func (f *fleet) asks() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, times := range f.asked {
		n += times
	}
	f.asked = map[string]int{}
	return n
}

func (f *fleet) applier() *applyimage.Applier {
	return applyimage.NewApplier(f.cache, f.repo.Images(), f.repo.Images(), memory.NewStore(0), f, nil, slog.New(slog.DiscardHandler))
}

// instance returns the parts of an instance that asks the providers.
func (f *fleet) instance(jobs fillmissing.Jobs, providers ...string) (*fillmissing.Runner, *fillmissing.Manage) {
	log := slog.New(slog.NewTextHandler(&f.log, nil))
	sources := make([]findimages.ArtworkProvider, len(providers))
	for i, id := range providers {
		sources[i] = source{f, id}
	}
	search := findimages.NewSearch(sources, nothingKept{}, f, slog.New(slog.DiscardHandler))
	runner := fillmissing.NewRunner("test", jobs, f.gaps,
		fillmissing.NewSources(findimages.NewSearchArtistAvatars(search, nil, f.repo.Artists()), findimages.NewSearchAlbumCovers(search, nil, f.repo.Albums()),
			findimages.NewSearchIdentifiers(f, f.repo.Artists(), f.repo.Albums())),
		f.applier(), f, f, f, f.now, log)
	return runner, fillmissing.NewManage(jobs, runner, f)
}

// nothingKept is a cache that every question misses.
type nothingKept struct{}

func (nothingKept) Get(context.Context, string) ([]byte, bool)         { return nil, false }
func (nothingKept) Put(context.Context, string, []byte, time.Duration) {}

// start has an instance work until the returned function is called, which waits for
// it to stop.
func (f *fleet) start(jobs fillmissing.Jobs, providers ...string) (manage *fillmissing.Manage, stop func()) {
	if len(providers) == 0 {
		providers = []string{"sure", "named"}
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	runner, manage := f.instance(jobs, providers...)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		runner.Run(ctx)
	}()
	return manage, func() {
		cancel()
		<-stopped
	}
}

// await returns the job when it is in the state, at the latest when the time has
// passed.
func (f *fleet) await(id artwork.ID, state fillmissing.State, within time.Duration) fillmissing.Status {
	f.t.Helper()
	var status fillmissing.Status
	for begin := time.Now(); time.Since(begin) <= within; time.Sleep(10 * time.Millisecond) {
		var err error
		status, err = f.repo.Fill().Find(f.t.Context(), id)
		require.NoError(f.t, err)
		if status.State == state {
			return status
		}
	}
	require.FailNow(f.t, "the job is not "+string(state), "%+v\n%s", status, f.log.String())
	return status
}

// run carries out a wish and returns the job when it has ended, with its items by the
// name of their subject.
func (f *fleet) run(manage *fillmissing.Manage, wish fillmissing.Wish) (fillmissing.Status, map[string]fillmissing.Item) {
	f.t.Helper()
	job, err := manage.Start(f.t.Context(), ana, wish)
	require.NoError(f.t, err)
	return f.await(job.ID, fillmissing.Done, time.Hour), f.items(job.ID)
}

func (f *fleet) items(job artwork.ID) map[string]fillmissing.Item {
	f.t.Helper()
	items, err := f.repo.Fill().Items(f.t.Context(), job, fillmissing.ItemQuery{Limit: fillmissing.MaxListed})
	require.NoError(f.t, err)
	byName := map[string]fillmissing.Item{}
	for _, item := range items {
		byName[item.Name] = item
	}
	return byName
}

func (f *fleet) history(artist catalog.Artist) []artwork.HistoryEntry {
	f.t.Helper()
	entries, err := f.repo.Images().History(f.t.Context(), artwork.Artist(artist.ID))
	require.NoError(f.t, err)
	return entries
}

// jobs are those of the repository, for an instance that can be killed.
type jobs struct {
	fillmissing.Jobs
	mu     sync.Mutex
	killed bool
	record func() (kill bool) // called before a step is recorded
}

var errKilled = artwork.Errorf(artwork.Unavailable, "this instance is dead")

func (j *jobs) dead() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.killed {
		return errKilled
	}
	return nil
}

func (j *jobs) Claim(ctx context.Context, holder string, term time.Duration) (fillmissing.Assignment, bool, error) {
	if err := j.dead(); err != nil {
		return fillmissing.Assignment{}, false, err
	}
	return j.Jobs.Claim(ctx, holder, term)
}

func (j *jobs) Renew(ctx context.Context, claim fillmissing.Claim, term time.Duration) (fillmissing.State, error) {
	if err := j.dead(); err != nil {
		return "", err
	}
	return j.Jobs.Renew(ctx, claim, term)
}

func (j *jobs) Record(ctx context.Context, claim fillmissing.Claim, step fillmissing.Step) (fillmissing.Status, error) {
	j.mu.Lock()
	j.killed = j.killed || j.record != nil && j.record()
	j.mu.Unlock()
	if err := j.dead(); err != nil {
		return fillmissing.Status{}, err
	}
	return j.Jobs.Record(ctx, claim, step)
}

func (j *jobs) Release(ctx context.Context, claim fillmissing.Claim) error {
	if err := j.dead(); err != nil {
		return err
	}
	return j.Jobs.Release(ctx, claim)
}
