package musicfolder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// PollInterval is how often Watch reports a possible change where the system
// cannot tell it of changes.
const PollInterval = 15 * time.Minute

// maxDebounces bounds, in debounce times, how long a library that never comes
// to rest keeps Watch waiting.
const maxDebounces = 30

// notifier is what Watch needs of fsnotify.
type notifier interface {
	Add(path string) error
	Close() error
	Changes() (<-chan fsnotify.Event, <-chan error)
}

type fsNotifier struct{ *fsnotify.Watcher }

func newNotify() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return fsNotifier{w}, nil
}

func (n fsNotifier) Changes() (<-chan fsnotify.Event, <-chan error) { return n.Events, n.Errors }

// Watch calls onChange once at the beginning, so that nothing that happens
// between a first look and the watch is missed, and then whenever something in
// the library has changed and then nothing for the debounce time, or the changes have gone on for 30 times as
// long. It waits for onChange to return; changes meanwhile lead to another
// call. Where the system does not tell of changes, or watches too few folders
// for this library, onChange is called every PollInterval instead, and the log
// says so.
//
// It returns when ctx ends, with ctx's error, or at once with NotFound or
// InvalidInput if there is no such folder.
func (f *Folder) Watch(ctx context.Context, debounce time.Duration, onChange func()) error {
	if err := f.check(); err != nil {
		return err
	}
	for {
		looked, err := f.watch(ctx, debounce, onChange)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.log.Warn("the music folder cannot be watched, it is looked at later",
			"folder", f.root, "after", f.pollEvery, "error", err)
		if !looked {
			onChange()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(f.pollEvery):
		}
	}
}

// watch reports changes until ctx ends or watching fails, the first one at once:
// what happened before anybody watched. looked says whether it came to that.
func (f *Folder) watch(ctx context.Context, debounce time.Duration, onChange func()) (looked bool, err error) {
	notify, err := f.newNotify()
	if err != nil {
		return false, err
	}
	defer func() { _ = notify.Close() }()
	if err := f.watchTree(ctx, notify, f.root); err != nil {
		return false, err
	}
	f.log.Debug("watching the music folder", "folder", f.root)
	settled := newSettling(debounce)
	defer settled.timer.Stop()
	onChange()
	events, failures := notify.Changes()
	for {
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case event := <-events:
			if err := f.note(ctx, notify, event, settled); err != nil {
				return true, err
			}
		case err := <-failures:
			f.log.Debug("some changes of the music folder were not told", "error", err)
			settled.changed()
		case <-settled.timer.C:
			settled.since = time.Time{}
			// Folders made while nobody was told of them are found now.
			if err := f.watchTree(ctx, notify, f.root); err != nil {
				return true, err
			}
			onChange()
		}
	}
}

// note takes in one event.
func (f *Folder) note(ctx context.Context, notify notifier, event fsnotify.Event, settled *settling) error {
	if event.Op == fsnotify.Chmod || ignored(filepath.Base(event.Name)) {
		return nil
	}
	settled.changed()
	if info, err := os.Stat(event.Name); event.Has(fsnotify.Create) && err == nil && info.IsDir() {
		return f.watchTree(ctx, notify, event.Name)
	}
	return nil
}

// watchTree watches a folder and all below; those watched already stay so. It
// fails if the library cannot be watched, or if the system watches no more.
func (f *Folder) watchTree(ctx context.Context, notify notifier, top string) error {
	err := f.subtree(ctx, top, func(d *dir) error {
		if err := notify.Add(d.path); isLimit(err) || d.path == f.root {
			return err
		}
		return nil // otherwise it has vanished, or may not be read
	}, func(string, error) error { return nil })
	if top == f.root || isLimit(err) {
		return err
	}
	return nil
}

// isLimit recognises that the system has no watches or files left to give.
func isLimit(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// settling waits for changes to come to an end.
type settling struct {
	timer    *time.Timer
	debounce time.Duration
	since    time.Time // the first change; zero if there is none
}

func newSettling(debounce time.Duration) *settling {
	timer := time.NewTimer(debounce)
	timer.Stop()
	return &settling{timer: timer, debounce: debounce}
}

// changed starts the wait anew, as far as the longest wait allows.
func (s *settling) changed() {
	now := time.Now()
	if s.since.IsZero() {
		s.since = now
	}
	latest := s.since.Add(maxDebounces * s.debounce)
	s.timer.Reset(min(s.debounce, latest.Sub(now)))
}
