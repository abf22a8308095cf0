// Package rig starts the servers that benchmarks compare, fills them, asks them and looks
// at what that costs; it is for programs that are no tests.
package rig

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"gatefold/test/bench/figures"
	"gatefold/test/testenv"
)

// Bench is what a benchmark runs on. It stands in for a test towards testenv and require:
// what fails ends the benchmark. Its methods are for one goroutine, unless they say
// otherwise.
type Bench struct {
	// Quick is whether small numbers and short times do, to see that everything works.
	Quick bool

	ctx      context.Context
	begin    time.Time
	dir      string // of what is built
	builds   map[string]string
	cleanups []func()
}

var _ testenv.TB = (*Bench)(nil)

// failed is what FailNow ends a benchmark with.
type failed struct{}

// Main runs a benchmark and ends the process with 1 if it fails. The servers end with it,
// also when it is interrupted. The environment variable QUICK, if it is set, makes it quick.
func Main(run func(b *Bench)) {
	os.Exit(testenv.Run(func() int { return execute(run) }))
}

func execute(run func(b *Bench)) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := &Bench{Quick: os.Getenv("QUICK") != "", ctx: ctx, begin: time.Now(), builds: map[string]string{}}
	defer b.clean()
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case failed:
			code = 1
		default:
			panic(reason)
		}
	}()
	b.dir = b.TempDir()
	run(b)
	return 0
}

// Helper implements testenv.TB.
func (b *Bench) Helper() {}

// Errorf implements testenv.TB.
func (b *Bench) Errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// FailNow implements testenv.TB.
func (b *Bench) FailNow() { panic(failed{}) }

// Fatalf ends the benchmark with a message.
func (b *Bench) Fatalf(format string, args ...any) {
	b.Errorf(format, args...)
	b.FailNow()
}

// Cleanup implements testenv.TB.
func (b *Bench) Cleanup(f func()) { b.cleanups = append(b.cleanups, f) }

func (b *Bench) clean() {
	for len(b.cleanups) > 0 {
		f := b.cleanups[len(b.cleanups)-1]
		b.cleanups = b.cleanups[:len(b.cleanups)-1]
		f()
	}
}

// Scope runs f and then ends what was started in it.
func (b *Bench) Scope(f func()) {
	outer := b.cleanups
	b.cleanups = nil
	defer func() { b.cleanups = outer }()
	defer b.clean()
	f()
}

// Context ends when the benchmark is interrupted. It may be called concurrently.
func (b *Bench) Context() context.Context { return b.ctx }

// TempDir returns a new folder, which is removed in the end.
func (b *Bench) TempDir() string {
	dir, err := os.MkdirTemp("", "gatefold-bench-")
	if err != nil {
		b.Fatalf("%v", err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Log prints what is being done, and since when the benchmark runs.
func (b *Bench) Log(format string, args ...any) {
	fmt.Printf("%6.1f s  %s\n", time.Since(b.begin).Seconds(), fmt.Sprintf(format, args...))
}

// Or returns the first unless the benchmark is quick, and then the second.
func Or[T any](b *Bench, full, quick T) T {
	if b.Quick {
		return quick
	}
	return full
}

// Publish prints the text and, unless the benchmark is quick, writes it into the document's
// part of that name. Paths are relative to the folder of the module, as make runs it. What
// is quick says nothing that is worth to be kept: it goes to stdout alone.
func (b *Bench) Publish(document, part, text string) {
	fmt.Printf("\n%s\n", text)
	if b.Quick {
		b.Log("QUICK: %s stays as it is", document)
		return
	}
	if err := figures.Write(filepath.FromSlash(document), part, text); err != nil {
		b.Fatalf("%v", err)
	}
	b.Log("written into %s", document)
}

// Draw writes a picture, unless the benchmark is quick.
func (b *Bench) Draw(path string, chart figures.Chart) {
	if b.Quick {
		return
	}
	err := os.MkdirAll(filepath.Dir(filepath.FromSlash(path)), 0o755)
	if err == nil {
		err = os.WriteFile(filepath.FromSlash(path), []byte(chart.SVG()), 0o644)
	}
	if err != nil {
		b.Fatalf("%v", err)
	}
	b.Log("drawn: %s", path)
}

// Spread calls op n times, by so many callers at once, and returns how long each call took,
// in milliseconds and in the order of their length. The first error ends it.
func (b *Bench) Spread(n, callers int, op func(ctx context.Context, i int) error) []float64 {
	took := make([]float64, n)
	err := spread(b.ctx, n, callers, func(ctx context.Context, i int) error {
		begin := time.Now()
		err := op(ctx, i)
		took[i] = float64(time.Since(begin)) / float64(time.Millisecond)
		return err
	})
	if err != nil {
		b.Fatalf("%v", err)
	}
	slices.Sort(took)
	return took
}
