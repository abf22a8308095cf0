package verifystore

import (
	"bytes"
	"context"
	"errors"

	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// fixture is a deployment as far as this package sees it. What is stored was
// stored when the clock says, which is ahead of the store's by as much as a test
// wants.
type fixture struct {
	repo  *memory.Repository
	store *memory.Store

	renditions *memory.Renditions
	place      artwork.Place
	log        logBuffer
	slog       *slog.Logger
	ahead      time.Duration
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{repo: memory.NewRepository(), store: memory.NewStore(0), renditions: memory.NewRenditions()}
	f.slog = slog.New(slog.NewTextHandler(&f.log, nil))
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	f.place = artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotBanner}
	return f
}

// logBuffer keeps what is logged, and may be read meanwhile.
type logBuffer struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func (f *fixture) now() time.Time { return time.Now().Add(f.ahead) }

// put stores content without recording it.
func (f *fixture) put(t *testing.T, content string) artwork.Hash {
	t.Helper()
	hash, err := f.store.Put(t.Context(), []byte(content))
	require.NoError(t, err)
	return hash
}

func (f *fixture) record(content string) artwork.Record {
	hash := artwork.HashOf([]byte(content))
	return artwork.Record{
		ID: artwork.RecordID(f.place, hash, artwork.Custom, "upload"), Place: f.place, Source: artwork.Custom, Provider: "upload",
		Content: artwork.Content{Hash: hash, Size: int64(len(content)), MIMEType: "image/png", Width: 1, Height: 1}, AddedBy: "test",
	}
}

// upload stores content and records it.
func (f *fixture) upload(t *testing.T, content string) artwork.Hash {
	t.Helper()
	hash := f.put(t, content)
	require.NoError(t, f.repo.Images().Add(t.Context(), f.record(content)))
	return hash
}

func (f *fixture) purge(t *testing.T, content string) {
	t.Helper()
	_, err := f.repo.Images().Purge(t.Context(), artwork.Unfenced(), artwork.Purge{Place: f.place, Image: f.record(content).ID})
	require.NoError(t, err)
}

func (f *fixture) holds(t *testing.T, hash artwork.Hash) bool {
	t.Helper()
	file, err := f.store.Open(t.Context(), hash)
	if artwork.KindOf(err) == artwork.NotFound {
		return false
	}
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return true
}

func (f *fixture) verify(archive artwork.ImageArchive, store artwork.ImageStore) *Verify {
	v := NewVerify(archive, store, f.renditions, DefaultGrace)
	v.now = f.now
	return v
}

func (f *fixture) sweep(archive artwork.ImageArchive, store artwork.ImageStore) *Sweep {
	s := NewSweep(Config{Grace: DefaultGrace, Instance: "one", KeepDeleted: keepDeleted}, archive, store, f.renditions, f.repo.Bin(), f.repo.Claims(), f.slog)
	s.now = f.now
	return s
}

type watched struct{ seen []int }

func (w *watched) Progress(done, total int) { w.seen = append(w.seen, done, total) }

// spoilt is a store in which some images are not what they were. It is as a disk
// is that has gone bad.
type spoilt struct {
	artwork.ImageStore
	content map[artwork.Hash]string // in place of what is stored
	broken  map[artwork.Hash]bool   // cannot be read
}

type spoiltFile struct {
	*bytes.Reader
	broken bool
}

func (f spoiltFile) Close() error { return nil }

func (f spoiltFile) Read(b []byte) (int, error) {
	if f.broken {
		return 0, errors.New("bad sector")
	}
	return f.Reader.Read(b)
}

func (s *spoilt) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	content, ok := s.content[hash]
	if !ok && !s.broken[hash] {
		return s.ImageStore.Open(ctx, hash)
	}
	return spoiltFile{bytes.NewReader([]byte(content)), s.broken[hash]}, nil
}

// List tells the sizes of what is there now.
func (s *spoilt) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	return s.ImageStore.List(ctx, func(info artwork.StoredInfo) error {
		if content, ok := s.content[info.Hash]; ok {
			info.Size = int64(len(content))
		}
		return visit(info)
	})
}

func TestVerifyReadsEveryImage(t *testing.T) {
	f := newFixture(t)
	f.upload(t, "sound")
	other, short, unreadable, gone := f.upload(t, "other"), f.upload(t, "short"), f.upload(t, "unreadable"), f.upload(t, "gone")
	_, err := f.store.Remove(t.Context(), gone, time.Now().Add(time.Hour))
	require.NoError(t, err)
	f.put(t, "orphan")
	disk := &spoilt{f.store, map[artwork.Hash]string{other: "OTHER", short: "sho"}, map[artwork.Hash]bool{unreadable: true}}

	watch := &watched{}
	report, err := f.verify(f.repo.Images(), disk).Run(t.Context(), In{}, watch)
	require.NoError(t, err)
	require.Equal(t, 5, report.Referenced)
	require.Equal(t, []artwork.Hash{gone}, report.Missing)
	require.ElementsMatch(t, []artwork.Hash{other, short, unreadable}, report.Damaged)
	require.Equal(t, []int{1, 5, 2, 5, 3, 5, 4, 5, 5, 5}, watch.seen)
	require.Equal(t, 1, report.Waiting)
	require.False(t, report.Sound())

	report, err = f.verify(f.repo.Images(), disk).Run(t.Context(), In{Quick: true}, &watched{})
	require.NoError(t, err)
	require.Equal(t, []artwork.Hash{gone}, report.Missing)
	require.Equal(t, []artwork.Hash{short}, report.Damaged, "sizes alone do not tell the others")
	for _, hash := range []artwork.Hash{other, short, unreadable} {
		require.True(t, f.holds(t, hash))
	}
}

func TestVerifyRemovesOrphansWhenTold(t *testing.T) {
	f := newFixture(t)
	kept, orphan := f.upload(t, "kept"), f.put(t, "orphan")
	run := func(in In) Report {
		report, err := f.verify(f.repo.Images(), f.store).Run(t.Context(), in, &watched{})
		require.NoError(t, err)
		return report
	}
	report := run(In{Repair: true})
	require.Equal(t, Report{Referenced: 1, Waiting: 1}, report)
	require.True(t, report.Sound(), "orphans within their grace period are sound")

	f.ahead = DefaultGrace + time.Minute
	report = run(In{})
	require.Equal(t, Report{Referenced: 1, Orphans: 1}, report)
	require.False(t, report.Sound())
	require.True(t, f.holds(t, orphan), "looking changes nothing")
	require.Equal(t, Report{Referenced: 1, Removed: 1}, run(In{Repair: true}))
	require.False(t, f.holds(t, orphan))
	require.True(t, f.holds(t, kept), "what is referred to is never removed")
}

// TestVerifyIsNotMistakenAboutWhatIsPurgedMeanwhile, with the bytes, before it comes
// to it.
func TestVerifyIsNotMistakenAboutWhatIsPurgedMeanwhile(t *testing.T) {
	for _, quick := range []bool{true, false} {
		f := newFixture(t)
		hash := f.upload(t, "purged")
		store := &between{ImageStore: f.store, beforeList: func() {
			f.purge(t, "purged")
			_, err := f.store.Remove(t.Context(), hash, time.Now().Add(time.Hour))
			require.NoError(t, err)
		}}
		report, err := f.verify(f.repo.Images(), store).Run(t.Context(), In{Quick: quick}, &watched{})
		require.NoError(t, err)
		require.True(t, report.Sound(), "%+v", report)
	}
}

func TestVerifyEndsWithTheStore(t *testing.T) {
	f := newFixture(t)
	f.upload(t, "content")
	failing := &between{ImageStore: f.store, beforeOpen: func() error { return artwork.Errorf(artwork.Unavailable, "no answer") }}
	_, err := f.verify(f.repo.Images(), failing).Run(t.Context(), In{}, &watched{})
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)

	ctx, cancel := context.WithCancel(t.Context())
	stopped := &between{ImageStore: f.store, beforeOpen: func() error { cancel(); return ctx.Err() }}
	_, err = f.verify(f.repo.Images(), stopped).Run(ctx, In{}, &watched{})
	require.ErrorIs(t, err, context.Canceled)
}

// between is a store on whose doors tests wait.
type between struct {
	artwork.ImageStore
	beforeList   func()
	beforeOpen   func() error
	beforeRemove func()
	once         sync.Once
}

func (b *between) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	if b.beforeList != nil {
		b.beforeList()
	}
	return b.ImageStore.List(ctx, visit)
}

func (b *between) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	if b.beforeOpen != nil {
		if err := b.beforeOpen(); err != nil {
			return nil, err
		}
	}
	return b.ImageStore.Open(ctx, hash)
}

func (b *between) Remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	if b.beforeRemove != nil {
		b.once.Do(b.beforeRemove)
	}
	return b.ImageStore.Remove(ctx, hash, since)
}
