package musicfolder

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
)

const (
	debounce = 20 * time.Millisecond
	patience = 10 * time.Second
)

// lines hands out what is logged, line by line.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default: // nobody reads any more
	}
	return len(p), nil
}

func (l lines) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case line := <-l:
			if strings.Contains(line, text) {
				return
			}
		case <-deadline:
			require.FailNow(t, "not logged: "+text)
		}
	}
}

// watching is a Watch under test.
type watching struct {
	changes chan struct{}
	ended   chan error
	cancel  context.CancelFunc
	log     lines
}

func startWatch(t *testing.T, f *Folder) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watching{changes: make(chan struct{}), ended: make(chan error, 1), cancel: cancel, log: make(lines, 1000)}
	f.log = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		w.ended <- f.Watch(ctx, debounce, func() {
			select {
			case w.changes <- struct{}{}:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-w.ended:
			assert.ErrorIs(t, err, context.Canceled)
		case <-time.After(patience):
			t.Error("Watch did not end")
		}
	})
	return w
}

// awaitChange fails the test unless the change is reported.
func (w *watching) awaitChange(t *testing.T) {
	t.Helper()
	select {
	case <-w.changes:
	case <-time.After(patience):
		require.FailNow(t, "the change was not reported")
	}
}

// rest waits until no more changes are reported: one change can be told in
// several parts, which may lie apart on a busy machine.
func (w *watching) rest(t *testing.T) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case <-w.changes:
		case <-time.After(10 * debounce):
			return
		case <-deadline:
			require.FailNow(t, "changes have no end")
		}
	}
}

// none fails the test if a change is reported.
func (w *watching) none(t *testing.T) {
	t.Helper()
	select {
	case <-w.changes:
		require.FailNow(t, "a change was reported")
	case <-time.After(5 * debounce):
	}
}

func TestWatchReportsChanges(t *testing.T) {
	t.Parallel()
	f := library(t, []musicfixture.Track{at("a/b/1.mp3", "A", "X")})
	w := startWatch(t, f)
	w.log.await(t, "watching")
	w.awaitChange(t) // the first look

	write(t, f, "a/b/2.mp3", []byte("x"))
	w.awaitChange(t)
	w.rest(t)
	require.NoError(t, os.Remove(filepath.Join(f.Root(), "a/b/2.mp3")))
	w.awaitChange(t)
	w.rest(t)
	require.NoError(t, os.Rename(filepath.Join(f.Root(), "a/b"), filepath.Join(f.Root(), "a/c")))
	w.awaitChange(t)
	w.rest(t)
	write(t, f, "new/deep/1.mp3", []byte("x"))
	w.awaitChange(t)
	w.rest(t)
	write(t, f, "new/deep/2.mp3", []byte("x"))
	w.awaitChange(t)
	w.rest(t)
	write(t, f, "a/c/3.mp3", []byte("x"))
	w.awaitChange(t)

	w.rest(t)
	write(t, f, "a/c/.partial.mp3", []byte("x"))
	require.NoError(t, os.Chmod(filepath.Join(f.Root(), "a/c/1.mp3"), 0o600))
	w.none(t)

	w.cancel()
	err := <-w.ended
	require.ErrorIs(t, err, context.Canceled)
	w.ended <- err
}

func TestWatchCallsOnce(t *testing.T) {
	t.Parallel()
	f := library(t, nil, "a/cover.jpg")
	var running, calls atomic.Int32
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	log := make(lines, 100)
	f.log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		ended <- f.Watch(ctx, debounce, func() {
			assert.Equal(t, int32(1), running.Add(1), "called while it runs")
			calls.Add(1)
			<-release
			running.Add(-1)
		})
	}()
	log.await(t, "watching")
	release <- struct{}{} // the first look
	for range 20 {
		write(t, f, "a/cover.jpg", []byte("x"))
	}
	require.Eventually(t, func() bool { return calls.Load() == 2 }, patience, time.Millisecond)
	write(t, f, "a/cover.jpg", []byte("y")) // while it runs: another call
	release <- struct{}{}
	release <- struct{}{}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	assert.Equal(t, int32(3), calls.Load())
}

func TestWatchDoesNotWaitForever(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSettling(time.Hour)
	s.changed()
	assert.False(t, s.since.Before(now))
	s.since = now.Add(-maxDebounces * time.Hour)
	s.changed() // would start the wait anew
	select {
	case <-s.timer.C:
	case <-time.After(patience):
		require.FailNow(t, "still waiting")
	}
}

// fullNotifier accepts a number of folders.
type fullNotifier struct {
	room int
	err  error
}

func (n *fullNotifier) Add(string) error {
	if n.room--; n.room < 0 {
		return &os.SyscallError{Syscall: "inotify_add_watch", Err: n.err}
	}
	return nil
}
func (*fullNotifier) Close() error                                   { return nil }
func (*fullNotifier) Changes() (<-chan fsnotify.Event, <-chan error) { return nil, nil }

func TestWatchPollsWhereItCannotWatch(t *testing.T) {
	t.Parallel()
	for name, notify := range map[string]func() (notifier, error){
		"no watches left":  func() (notifier, error) { return &fullNotifier{room: 2, err: syscall.ENOSPC}, nil },
		"no files left":    func() (notifier, error) { return nil, syscall.EMFILE },
		"not supported":    func() (notifier, error) { return nil, errors.ErrUnsupported },
		"root not watched": func() (notifier, error) { return &fullNotifier{err: syscall.EACCES}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := library(t, nil, "a/b/cover.jpg", "c/cover.jpg")
			f.newNotify, f.pollEvery = notify, time.Millisecond
			w := startWatch(t, f)
			w.log.await(t, "level=WARN")
			w.awaitChange(t)
			w.awaitChange(t)
		})
	}
}

func TestWatchSurvivesTheLossOfTheLibrary(t *testing.T) {
	t.Parallel()
	f := library(t, nil, "a/cover.jpg")
	f.pollEvery = 5 * time.Millisecond
	w := startWatch(t, f)
	w.log.await(t, "watching")
	w.awaitChange(t) // the first look
	aside := f.Root() + ".aside"
	require.NoError(t, os.Rename(f.Root(), aside))
	w.log.await(t, "level=WARN")
	w.awaitChange(t)
	require.NoError(t, os.Rename(aside, f.Root()))
	go func() {
		for { // those of the meantime
			select {
			case <-w.changes:
			case <-t.Context().Done():
				return
			}
		}
	}()
	w.log.await(t, "level=DEBUG")
}

func TestWatchNoticesLostNotices(t *testing.T) {
	t.Parallel()
	f := library(t, nil, "a/cover.jpg")
	failures := make(chan error, 1)
	f.newNotify = func() (notifier, error) { return failingNotifier{failures}, nil }
	w := startWatch(t, f)
	w.awaitChange(t) // the first look
	failures <- fsnotify.ErrEventOverflow
	w.awaitChange(t)
}

type failingNotifier struct{ failures chan error }

func (failingNotifier) Add(string) error { return nil }
func (failingNotifier) Close() error     { return nil }
func (n failingNotifier) Changes() (<-chan fsnotify.Event, <-chan error) {
	return nil, n.failures
}

func TestWatchWithoutALibrary(t *testing.T) {
	t.Parallel()
	f := library(t, nil)
	require.NoError(t, os.RemoveAll(f.Root()))
	requireKind(t, artwork.NotFound, f.Watch(t.Context(), debounce, func() {}))
}
