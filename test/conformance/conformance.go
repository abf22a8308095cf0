// Package conformance holds one suite of cases per port. An adapter is right
// when it passes the suite of its port; a suite is worth something when it
// fails on a broken adapter, which Rejects proves.
package conformance

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// TB is what a case needs of *testing.T.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	FailNow()
	Cleanup(func())
	Context() context.Context
	TempDir() string
}

// Case is one clause of a port's contract. Run gets a way to open adapters on
// fresh state; what it opens is closed by the adapter's own Cleanup.
type Case[T any] struct {
	Name string
	Run  func(t TB, open func(TB) T)
}

// run runs every case as a subtest.
func run[T any](t *testing.T, cases []Case[T], open func(TB) T) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, open) })
	}
}

// Rejects proves that the suite notices a broken twin of an adapter: it runs
// the cases on the twin and fails the test unless the named one fails.
func Rejects[T any](t *testing.T, cases []Case[T], name string, open func(TB) T) {
	t.Helper()
	i := slices.IndexFunc(cases, func(c Case[T]) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("the suite has no case %q", name)
	}
	rec := &recorder{t: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				rec.Errorf("panic: %v", p)
			}
		}()
		cases[i].Run(rec, open)
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatalf("case %q did not end on a broken twin", name)
	}
	rec.cleanUp()
	if !rec.failed {
		t.Errorf("case %q passed on a broken twin", name)
	}
}

// recorder is a TB that remembers a failure instead of failing the test.
type recorder struct {
	t        *testing.T
	mu       sync.Mutex
	failed   bool
	cleanups []func()
}

func (r *recorder) Helper()                  {}
func (r *recorder) Logf(string, ...any)      {}
func (r *recorder) Context() context.Context { return r.t.Context() }
func (r *recorder) TempDir() string          { return r.t.TempDir() }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.failed {
		r.t.Log("noticed, as it should be: " + fmt.Sprintf(format, args...))
	}
	r.failed = true
}

func (r *recorder) FailNow() {
	r.mu.Lock()
	r.failed = true
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

func (r *recorder) cleanUp() {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
}
