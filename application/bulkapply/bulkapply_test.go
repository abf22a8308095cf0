package bulkapply_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/applyimage"
	"gatefold/application/bulkapply"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// fenceWait is how long every change takes, as with copies in process memory.
const fenceWait = time.Second

// fleet is what instances share, and what tests break of it.
type fleet struct {
	t      *testing.T
	repo   *memory.Repository
	albums []artwork.Place
	jobs   *jobs

	mu       sync.Mutex
	fetch    func(ctx context.Context, url string) ([]byte, error)
	busy     map[string]int // downloads under way, by host; of all under ""
	most     map[string]int
	limits   []int64
	changed  []int // keys of every change
	changing func() error
	commits  error // what the change says after it was committed
	told     []bulkapply.Status
	log      bytes.Buffer
	cache    *memory.Cache
}

func newFleet(t *testing.T, albums int) *fleet {
	f := &fleet{
		t: t, repo: memory.NewRepository(), busy: map[string]int{}, most: map[string]int{},
		cache: memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 10_000, managecache.NewCounters()),
		fetch: func(_ context.Context, url string) ([]byte, error) { return []byte(url), nil },
	}
	f.jobs = &jobs{Jobs: f.repo.Jobs()}
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	for n := range albums {
		album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: fmt.Sprint(n)}
		_, err := f.repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, album)
		require.NoError(t, err)
		f.albums = append(f.albums, artwork.Place{Subject: artwork.Album(album.ID), Slot: artwork.SlotCover})
	}
	return f
}

// Download implements applyimage.Downloader: the URL is the content.
func (f *fleet) Download(ctx context.Context, raw string, limit int64) ([]byte, error) {
	parsed, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.limits = append(f.limits, limit)
	for _, host := range []string{"", parsed.Host} {
		f.busy[host]++
		f.most[host] = max(f.most[host], f.busy[host])
	}
	fetch := f.fetch
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.busy[""]--
		f.busy[parsed.Host]--
	}()
	return fetch(ctx, raw)
}

// Inspect implements applyimage.Inspector.
func (f *fleet) Inspect(_ context.Context, content []byte) (artwork.Content, error) {
	if bytes.Contains(content, []byte("corrupt")) {
		return artwork.Content{}, artwork.Errorf(artwork.CorruptImage, "the JPEG is damaged or cut off")
	}
	return artwork.Content{Hash: artwork.HashOf(content), Size: int64(len(content)), MIMEType: "image/png", Width: 1, Height: 1}, nil
}

// RemoveLocation implements applyimage.Inspector.
func (f *fleet) RemoveLocation(content []byte) []byte { return content }

// Fetch implements artwork.ImageCache.
func (f *fleet) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	return f.cache.Fetch(ctx, key, load)
}

// Change implements artwork.ImageCache.
func (f *fleet) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	f.changed = append(f.changed, len(keys))
	changing, after := f.changing, f.commits
	f.mu.Unlock()
	if changing != nil {
		if err := changing(); err != nil {
			return err
		}
	}
	ctx = context.WithoutCancel(ctx)
	return f.cache.Change(ctx, keys, func(ctx context.Context, fence artwork.Fence) error {
		time.Sleep(fenceWait)
		return errors.Join(commit(ctx, fence), after)
	})
}

// Progress implements bulkapply.Progress.
func (f *fleet) Progress(_ context.Context, status bulkapply.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, status)
}

func (f *fleet) applier() *applyimage.Applier {
	return applyimage.NewApplier(f, f.repo.Images(), f.repo.Images(), memory.NewStore(0), f, nil, slog.New(slog.DiscardHandler))
}

func (f *fleet) runner(jobs bulkapply.Jobs) *bulkapply.Runner {
	return bulkapply.NewRunner("test", jobs, f.applier(), f, f, slog.New(slog.NewTextHandler(&f.log, nil)))
}

// start has an instance work until the returned function is called, which waits
// for it to stop.
func (f *fleet) start(jobs bulkapply.Jobs) (submit *bulkapply.Submit, stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	runner := f.runner(jobs)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		runner.Run(ctx)
	}()
	return bulkapply.NewSubmit(jobs, runner), func() {
		cancel()
		<-stopped
	}
}

var ana = artwork.Actor{Name: "ana", Address: "203.0.113.7"}

// covers wants a cover for each album, of four hosts in turn.
func (f *fleet) covers() []bulkapply.Item {
	items := make([]bulkapply.Item, len(f.albums))
	for n, place := range f.albums {
		items[n] = bulkapply.Item{Place: place, URL: fmt.Sprintf("https://host%d.example/%d", n%4, n), Provider: "deezer"}
	}
	return items
}

func (f *fleet) status(job artwork.ID) (bulkapply.Status, []bulkapply.Result) {
	f.t.Helper()
	status, results, err := bulkapply.NewWatch(f.repo.Jobs()).Run(f.t.Context(), job)
	require.NoError(f.t, err)
	return status, results
}

// await returns when the job is done, at the latest when the time has passed.
func (f *fleet) await(job artwork.ID, within time.Duration) []bulkapply.Result {
	f.t.Helper()
	for begin := time.Now(); time.Since(begin) <= within; time.Sleep(10 * time.Millisecond) {
		if status, results := f.status(job); status.State == bulkapply.Done {
			return results
		}
	}
	require.FailNow(f.t, "the job is not done", "%+v", f.told)
	return nil
}

func (f *fleet) history(place artwork.Place) (urls []string) {
	f.t.Helper()
	entries, err := f.repo.Images().History(f.t.Context(), place.Subject)
	require.NoError(f.t, err)
	for _, e := range entries {
		require.Equal(f.t, "ana", e.AppliedBy)
		urls = append(urls, e.SourceURL)
	}
	return urls
}

// requireEachOnce checks that every album has its cover, and has it once.
func (f *fleet) requireEachOnce(items []bulkapply.Item, results []bulkapply.Result) {
	f.t.Helper()
	require.Len(f.t, results, len(items))
	for n, item := range items {
		require.Equal(f.t, bulkapply.Result{N: n, Tag: artwork.TagOf(artwork.HashOf([]byte(item.URL)), nil)}, results[n])
		require.Equal(f.t, []string{item.URL}, f.history(item.Place))
	}
}

// TestItemsShareTheirWait: a fence has 200 keys at most, so 450 covers are three
// changes, which wait at the same time.
func TestItemsShareTheirWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 450)
		submit, stop := f.start(f.jobs)
		defer stop()
		begin := time.Now()
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		require.Zero(t, time.Since(begin), "nothing is waited for")
		f.requireEachOnce(f.covers(), f.await(job, 2*fenceWait))
		stop()
		require.ElementsMatch(t, []int{200, 200, 50}, f.changed)
		require.Equal(t, 1, strings.Count(f.log.String(), `msg="Bulk apply begins" job=`+job.String()+" items=450 done=0 by=ana"))
		require.Equal(t, 1, strings.Count(f.log.String(), `msg="Bulk apply is done" job=`+job.String()+" items=450 done=450 failed=0 took="))
	})
}

// TestAProfileHasFourKeys: a batch is full before its fence is.
func TestAProfileHasFourKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		var items []bulkapply.Item
		for n := range 60 {
			artist := catalog.Artist{ID: artwork.NewID(), Name: fmt.Sprint(n)}
			_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
			require.NoError(t, err)
			items = append(items, bulkapply.Item{
				Place: artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}, URL: fmt.Sprintf("https://host.example/%d", n), Provider: "deezer",
			})
		}
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), items, ana)
		require.NoError(t, err)
		f.requireEachOnce(items, f.await(job, 2*fenceWait))
		stop()
		require.ElementsMatch(t, []int{200, 40}, f.changed)
	})
}

// TestSlowItemsShareToo: what becomes ready one after the other waits a moment
// for more, and all that has come while others were waiting goes together.
func TestSlowItemsShareToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 80)
		f.fetch = func(_ context.Context, url string) ([]byte, error) {
			time.Sleep(400 * time.Millisecond)
			return []byte(url), nil
		}
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		f.requireEachOnce(f.covers(), f.await(job, 10*time.Second))
		stop()
		require.LessOrEqual(t, len(f.changed), 11)
	})
}

func TestDownloadsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 60)
		f.fetch = func(_ context.Context, url string) ([]byte, error) {
			time.Sleep(time.Second)
			return []byte(url), nil
		}
		items := f.covers()
		for n := range items[:30] {
			items[n].URL = fmt.Sprintf("https://SLOW.example/%d", n)
		}
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), items, ana)
		require.NoError(t, err)
		f.await(job, time.Minute)
		stop()
		require.Equal(t, 8, f.most[""])
		require.Equal(t, 3, f.most["SLOW.example"])
		for host, most := range f.most {
			require.True(t, host == "" || most <= 3, host)
		}
	})
}

// TestABadItemFailsAlone, for every reason, and as the single call would.
func TestABadItemFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 12)
		answers := map[string]error{
			"gone":      artwork.Errorf(artwork.NotFound, "the URL answers 404"),
			"forbidden": artwork.Errorf(artwork.ForbiddenURL, "the URL names no public address"),
			"failed":    artwork.Errorf(artwork.DownloadFailed, "the URL answers 500"),
			"huge":      artwork.Errorf(artwork.TooLarge, "the URL answers with more than 7 bytes"),
			"defect":    errors.New("secret"),
		}
		f.fetch = func(_ context.Context, url string) ([]byte, error) {
			return []byte(url), answers[strings.TrimPrefix(url, "https://host.example/")]
		}
		items := f.covers()
		want := map[int]string{}
		for n, name := range []string{"gone", "forbidden", "failed", "huge", "corrupt", "defect"} {
			items[n].URL = "https://host.example/" + name
		}
		items[6].Place.Subject.ID = artwork.NewID()
		items[7] = bulkapply.Item{Place: items[7].Place, ImageID: artwork.NewID()}
		single := applyimage.NewApplyAlbumCover(f.applier(), f)
		for n := range 7 {
			_, err := single.Run(t.Context(), applyimage.FromURL{SubjectID: items[n].Place.Subject.ID, URL: items[n].URL, Provider: "deezer", By: ana})
			require.Error(t, err)
			want[n] = artwork.KindOf(err).String() + ": " + artwork.MessageOf(err)
		}
		_, err := applyimage.NewRestoreImage(f.applier()).Run(t.Context(), applyimage.Restore{Place: items[7].Place, RecordID: items[7].ImageID, By: ana})
		want[7] = artwork.KindOf(err).String() + ": " + artwork.MessageOf(err)
		require.Equal(t, "internal: ", want[5])

		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), items, ana)
		require.NoError(t, err)
		for n, result := range f.await(job, 3*fenceWait) {
			require.Equal(t, n, result.N)
			if n >= 8 {
				require.Nil(t, result.Problem)
				continue
			}
			require.Empty(t, result.Tag)
			require.Equal(t, want[n], result.Problem.Kind.String()+": "+result.Problem.Detail)
		}
		stop()
		require.Contains(t, f.log.String(), "secret", "what is not told is logged")
		status, _ := f.status(job)
		require.Equal(t, bulkapply.Status{ID: job, State: bulkapply.Done, Total: 12, Done: 12, Failed: 8}, status)
	})
}

// TestKnownImagesAndAvatars: an item may name an image by its ID, and an avatar may have
// no more bytes than one that is uploaded.
func TestKnownImagesAndAvatars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		single := applyimage.NewApplyAlbumCover(f.applier(), f)
		var first artwork.ID
		for _, url := range []string{"https://host.example/A", "https://host.example/B"} {
			applied, err := single.Run(t.Context(), applyimage.FromURL{SubjectID: f.albums[0].Subject.ID, URL: url, Provider: "deezer", By: ana})
			require.NoError(t, err)
			if first.IsZero() {
				first = applied.Image.RecordID
			}
		}
		user := catalog.User{ID: artwork.NewID(), Username: "bea", Role: catalog.RoleUser}
		_, err := f.repo.Users().Put(t.Context(), artwork.Actor{Name: "test"}, user)
		require.NoError(t, err)
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), []bulkapply.Item{
			{Place: f.albums[0], ImageID: first},
			{Place: artwork.Place{Subject: artwork.User(user.ID), Slot: artwork.SlotAvatar}, URL: "https://host.example/C", Provider: "x"},
		}, ana)
		require.NoError(t, err)
		for _, result := range f.await(job, 3*fenceWait) {
			require.Nil(t, result.Problem)
		}
		require.Equal(t, []string{"https://host.example/A", "https://host.example/B", "https://host.example/A"}, f.history(f.albums[0]))
		stop()
		require.Equal(t, []int64{applyimage.MaxImageBytes, applyimage.MaxImageBytes, applyimage.MaxAvatarBytes}, f.limits)
	})
}

// TestAStopLeavesTheRestToOthersAtOnce: nothing is lost, and nothing is done
// twice.
func TestAStopLeavesTheRestToOthersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 60)
		f.fetch = func(ctx context.Context, url string) ([]byte, error) {
			select {
			case <-time.After(500 * time.Millisecond):
				return []byte(url), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		submit, stop := f.start(f.jobs)
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		begin := time.Now()
		stop()
		require.Less(t, time.Since(begin), 2*fenceWait, "a stop waits for the changes that have begun, and for nothing else")
		status, results := f.status(job)
		require.Equal(t, bulkapply.Running, status.State)
		require.NotEmpty(t, results)
		require.Less(t, len(results), 60)
		require.Contains(t, f.log.String(), "Bulk apply is left to another instance")

		_, stop = f.start(f.jobs)
		defer stop()
		f.requireEachOnce(f.covers(), f.await(job, 6*time.Second))
	})
}

// jobs are those of the repository, for an instance that can be killed.
type jobs struct {
	bulkapply.Jobs
	mu     sync.Mutex
	killed bool
	// record is called before results are recorded.
	record func() (kill bool)
	lost   bool // the claim
	fail   error
}

func (j *jobs) state() (killed, lost bool, fail error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.killed, j.lost, j.fail
}

func (j *jobs) Record(ctx context.Context, claim bulkapply.Claim, results []bulkapply.Result) error {
	j.mu.Lock()
	j.killed = j.killed || j.record != nil && j.record()
	j.mu.Unlock()
	if killed, _, fail := j.state(); killed || fail != nil {
		return errors.Join(fail, errors.New("killed"))
	}
	return j.Jobs.Record(ctx, claim, results)
}

func (j *jobs) Claim(ctx context.Context, holder string, term time.Duration) (bulkapply.Assignment, bool, error) {
	if killed, _, _ := j.state(); killed {
		return bulkapply.Assignment{}, false, errors.New("killed")
	}
	return j.Jobs.Claim(ctx, holder, term)
}

func (j *jobs) Renew(ctx context.Context, claim bulkapply.Claim, term time.Duration) error {
	killed, lost, _ := j.state()
	if killed {
		return errors.New("killed")
	}
	if lost {
		return artwork.Errorf(artwork.Conflict, "the claim does not hold any more")
	}
	return j.Jobs.Renew(ctx, claim, term)
}

func (j *jobs) Release(ctx context.Context, claim bulkapply.Claim) error {
	if killed, _, _ := j.state(); killed {
		return errors.New("killed")
	}
	return j.Jobs.Release(ctx, claim)
}

// TestADeadInstanceIsReplaced: it dies after it has put images in force and before
// it has said so. Meanwhile somebody puts another one in force, which stays.
func TestADeadInstanceIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 40)
		recorded := 0
		f.jobs.record = func() bool { recorded++; return recorded == 2 }
		f.fetch = func(_ context.Context, url string) ([]byte, error) {
			time.Sleep(300 * time.Millisecond)
			return []byte(url), nil
		}
		submit, stop := f.start(f.jobs)
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		for killed := false; !killed; killed, _, _ = f.jobs.state() {
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		_, results := f.status(job)
		said := map[int]bool{}
		for _, result := range results {
			said[result.N] = true
		}
		done := -1
		for n, place := range f.albums {
			if len(f.history(place)) > 0 && !said[n] {
				done = n
			}
		}
		require.GreaterOrEqual(t, done, 0, "something was done of which nobody knows")
		single := applyimage.NewApplyAlbumCover(f.applier(), f)
		_, err = single.Run(t.Context(), applyimage.FromURL{SubjectID: f.albums[done].Subject.ID, URL: "https://host.example/chosen", Provider: "deezer", By: ana})
		require.NoError(t, err)

		_, stop = f.start(&jobs{Jobs: f.repo.Jobs()})
		defer stop()
		items := f.covers()
		for n, result := range f.await(job, 15*time.Second) {
			require.Equal(t, bulkapply.Result{N: n, Tag: artwork.TagOf(artwork.HashOf([]byte(items[n].URL)), nil)}, result)
			want := []string{items[n].URL}
			if n == done {
				want = []string{"https://host.example/chosen", items[n].URL}
			}
			require.Equal(t, want, f.history(f.albums[n]))
		}
	})
}

// TestWhoHasLostTheClaimStops: somebody else may be at it.
func TestWhoHasLostTheClaimStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		ended := make(chan error, 10)
		f.fetch = func(ctx context.Context, _ string) ([]byte, error) {
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, ctx.Err()
		}
		submit, stop := f.start(f.jobs)
		defer stop()
		_, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.Empty(t, ended, "a claim is renewed as long as the work takes")
		f.jobs.mu.Lock()
		f.jobs.lost = true
		f.jobs.mu.Unlock()
		select {
		case err := <-ended:
			require.ErrorContains(t, err, "was lost")
		case <-time.After(6 * time.Second):
			require.FailNow(t, "it goes on")
		}
	})
}

// TestWhatMayPassIsTriedAgain, for half a minute.
func TestWhatMayPassIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		kind  artwork.ErrorKind
		lasts time.Duration
		ok    bool
	}{
		"the cache is back soon":     {artwork.CacheUnreachable, 5 * time.Second, true},
		"the database is back soon":  {artwork.Unavailable, 20 * time.Second, true},
		"not in time":                {artwork.CacheUnreachable, 2 * time.Minute, false},
		"the outcome was not known":  {artwork.OutcomeUnknown, 3 * time.Second, true},
		"what does not pass at once": {artwork.StorageFull, time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, 5)
				begin := time.Now()
				f.changing = func() error {
					if time.Since(begin) < c.lasts {
						return artwork.Errorf(c.kind, "not now")
					}
					return nil
				}
				submit, stop := f.start(f.jobs)
				defer stop()
				job, err := submit.Run(t.Context(), f.covers(), ana)
				require.NoError(t, err)
				results := f.await(job, 40*time.Second)
				if c.ok {
					f.requireEachOnce(f.covers(), results)
					return
				}
				for n, result := range results {
					require.Equal(t, &bulkapply.Problem{Kind: c.kind, Detail: "not now"}, result.Problem)
					require.Empty(t, f.history(f.albums[n]))
				}
			})
		})
	}
}

// TestADownloadThatCannotBeKeptNowIsTriedAgain, and one that has failed is not.
func TestADownloadThatCannotBeKeptNowIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		tries := map[string]int{}
		f.fetch = func(_ context.Context, url string) ([]byte, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			tries[url]++
			if strings.HasSuffix(url, "/1") {
				return nil, artwork.Errorf(artwork.DownloadFailed, "the URL answers 500")
			}
			if tries[url] < 3 {
				return nil, artwork.Errorf(artwork.Unavailable, "too many images are being checked")
			}
			return []byte(url), nil
		}
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		results := f.await(job, 10*time.Second)
		require.Nil(t, results[0].Problem)
		require.Equal(t, artwork.DownloadFailed, results[1].Problem.Kind)
		require.Equal(t, map[string]int{"https://host0.example/0": 3, "https://host1.example/1": 1}, tries)
	})
}

// TestAChangeThatIsNotConfirmedIsMadeOnce: it is in force, and tried again until
// that is certain.
func TestAChangeThatIsNotConfirmedIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 5)
		f.commits = artwork.Errorf(artwork.NotConfirmed, "the cache could not be told")
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		f.requireEachOnce(f.covers(), f.await(job, 10*time.Second))
	})
}

// TestADatabaseThatRecordsNothing: the job goes on when it does again, and until
// then nobody's server is asked for the same all the time.
func TestADatabaseThatRecordsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 5)
		f.jobs.fail = artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		_, results := f.status(job)
		require.Empty(t, results)
		f.jobs.mu.Lock()
		f.jobs.fail = nil
		f.jobs.mu.Unlock()
		f.requireEachOnce(f.covers(), f.await(job, 40*time.Second))
		stop()
		require.Contains(t, f.log.String(), "Bulk apply was interrupted")
		require.Less(t, len(f.limits), 5*25, "downloads")
	})
}

// TestProgressIsToldInOrder, from the beginning to the end.
func TestProgressIsToldInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 500)
		submit, stop := f.start(f.jobs)
		defer stop()
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		f.await(job, 10*time.Second)
		stop()
		require.Equal(t, bulkapply.Status{ID: job, State: bulkapply.Running, Total: 500}, f.told[0])
		require.Equal(t, bulkapply.Status{ID: job, State: bulkapply.Done, Total: 500, Done: 500}, f.told[len(f.told)-1])
		require.Len(t, f.told, 4)
		for i, status := range f.told[1:] {
			require.Greater(t, status.Done, f.told[i].Done)
		}
	})
}

// TestJobsAreDoneOneAfterTheOther, the oldest first, and forgotten after a week.
func TestJobsAreDoneOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3)
		submit, stop := f.start(f.jobs)
		defer stop()
		var submitted []artwork.ID
		for _, item := range f.covers() {
			job, err := submit.Run(t.Context(), []bulkapply.Item{item}, ana)
			require.NoError(t, err)
			submitted = append(submitted, job)
			time.Sleep(time.Millisecond)
		}
		for n, job := range submitted {
			f.await(job, 3*fenceWait)
			status, _ := f.status(submitted[2])
			require.Equal(t, n == 2, status.State == bulkapply.Done)
		}
		time.Sleep(bulkapply.KeptFor - time.Hour)
		f.status(submitted[2])
		time.Sleep(3 * time.Hour)
		_, _, err := bulkapply.NewWatch(f.jobs).Run(t.Context(), submitted[2])
		require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	})
}

// TestAJobIsRefusedAsAWhole: nothing is kept of one with an item that can never
// succeed, and the item is named.
func TestAJobIsRefusedAsAWhole(t *testing.T) {
	f := newFleet(t, 4)
	submit := bulkapply.NewSubmit(f.repo.Jobs(), f.runner(f.repo.Jobs()))
	for message, spoil := range map[string]func(items []bulkapply.Item) []bulkapply.Item{
		"1 to 1000 items, not 0":                    func([]bulkapply.Item) []bulkapply.Item { return nil },
		"1 to 1000 items, not 1001":                 func([]bulkapply.Item) []bulkapply.Item { return make([]bulkapply.Item, 1001) },
		"items[0]: subject must be":                 func(i []bulkapply.Item) []bulkapply.Item { i[0].Place.Subject.Kind = 0; return i },
		"items[1]: no album is named":               func(i []bulkapply.Item) []bulkapply.Item { i[1].Place.Subject.ID = artwork.ID{}; return i },
		`items[2]: an album has no slot "banner"`:   func(i []bulkapply.Item) []bulkapply.Item { i[2].Place.Slot = artwork.SlotBanner; return i },
		"items[3]: either url or imageId":           func(i []bulkapply.Item) []bulkapply.Item { i[3].URL = ""; return i },
		"items[0]: either url or imageId":           func(i []bulkapply.Item) []bulkapply.Item { i[0].ImageID = artwork.NewID(); return i },
		"items[1]: provider must have":              func(i []bulkapply.Item) []bulkapply.Item { i[1].Provider = ""; return i },
		"items[2]: provider must have":              func(i []bulkapply.Item) []bulkapply.Item { i[2].Provider = strings.Repeat("ñ", 65); return i },
		"items[3]: provider contains a NUL":         func(i []bulkapply.Item) []bulkapply.Item { i[3].Provider = "a\x00"; return i },
		"items[0]: url contains a NUL":              func(i []bulkapply.Item) []bulkapply.Item { i[0].URL = "https://a/\x00"; return i },
		"items[1]: url is not valid UTF-8":          func(i []bulkapply.Item) []bulkapply.Item { i[1].URL = "https://a/\xff"; return i },
		"items[3] is of the same place as items[1]": func(i []bulkapply.Item) []bulkapply.Item { i[3].Place = i[1].Place; return i },
	} {
		_, err := submit.Run(t.Context(), spoil(f.covers()), ana)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), message)
		require.Contains(t, artwork.MessageOf(err), message)
	}
	_, found, err := f.repo.Jobs().Claim(t.Context(), "test", time.Hour)
	require.NoError(t, err)
	require.False(t, found, "a refused job is kept")
}

// TestACancelledJobStops within seconds: what was begun is finished and noted, and the
// next job has its turn.
func TestACancelledJobStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 60)
		f.fetch = func(ctx context.Context, url string) ([]byte, error) {
			select {
			case <-time.After(time.Second):
				return []byte(url), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		submit, stop := f.start(f.jobs)
		defer stop()
		manage := bulkapply.NewManage(f.repo.Jobs(), f)
		job, err := submit.Run(t.Context(), f.covers(), ana)
		require.NoError(t, err)
		time.Sleep(time.Millisecond) // the first one is first
		next, err := submit.Run(t.Context(), f.covers()[59:], ana)
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		overview, err := manage.Cancel(t.Context(), ana, job)
		require.NoError(t, err)
		require.Equal(t, bulkapply.Cancelled, overview.State)
		f.await(next, 10*time.Second)
		status, results := f.status(job)
		require.Equal(t, bulkapply.Cancelled, status.State)
		require.GreaterOrEqual(t, len(results), overview.Done)
		require.Less(t, len(results), 60)
		for _, result := range results {
			require.Nil(t, result.Problem, "nothing fails by a cancellation")
			require.NotEmpty(t, f.history(f.albums[result.N]))
		}
		jobs, err := manage.List(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, jobs, 2)
		require.Contains(t, f.log.String(), "Bulk apply was cancelled")
	})
}
