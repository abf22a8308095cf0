// Package disturb is what tests put into the program to disturb it from within: a clock
// that is wrong, ways to servers that lead through the tests' links, and rules that are
// not kept. The program as it is shipped does not contain it.
package disturb

import (
	"context"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// The variables by which a process is told.
const (
	// ClockVariable has by how much the clock of the process is fast, as 1h or -1h.
	ClockVariable = "GATEFOLD_CLOCK_FAST"
	// DetoursVariable has addresses and what to dial in place of them: a=b,c=d.
	DetoursVariable = "GATEFOLD_DETOURS"
	// BrokenVariable names the file that has the rule that is not to be kept.
	BrokenVariable = "GATEFOLD_BROKEN_RULE"
)

var (
	fast    = clock(os.Getenv(ClockVariable))
	detours = pairs(os.Getenv(DetoursVariable))
	broken  = os.Getenv(BrokenVariable)
)

// init has a write beyond the limit of a file's size fail, as one to a full disk does, and
// not end the process.
func init() { signal.Ignore(syscall.SIGXFSZ) }

func clock(text string) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(ClockVariable + ": " + err.Error())
	}
	return d
}

func pairs(text string) map[string]string {
	m := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if from, to, ok := strings.Cut(pair, "="); ok {
			m[from] = to
		}
	}
	return m
}

// Now is time.Now with a clock that is wrong. As with a real one, what is measured
// between two moments of one process is right.
func Now() time.Time { return shift(time.Now(), fast) }

// Since is time.Since by that clock.
func Since(t time.Time) time.Duration { return Now().Sub(t) }

// Until is time.Until by that clock.
func Until(t time.Time) time.Duration { return t.Sub(Now()) }

// moment is how time.Time looks inside. Its exported methods shift either both readings
// or leave the monotonic one out.
type moment struct {
	wall uint64
	ext  int64
	loc  *time.Location
}

const (
	hasMonotonic = 1 << 63
	nsecBits     = 30
)

// shift moves the wall clock's reading by whole seconds and leaves the other one.
func shift(t time.Time, by time.Duration) time.Time {
	m := (*moment)(unsafe.Pointer(&t))
	if by == 0 || m.wall&hasMonotonic == 0 {
		return t.Add(by)
	}
	m.wall += uint64(int64(by/time.Second)) << nsecBits
	return t
}

// Dialer returns a dialler that takes the detours.
func Dialer(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if detour, ok := detours[addr]; ok {
			addr = detour
		}
		return dial(ctx, network, addr)
	}
}

// Broken reports whether the rule is not to be kept now.
func Broken(rule string) bool {
	if broken == "" {
		return false
	}
	named, err := os.ReadFile(broken)
	return err == nil && string(named) == rule
}

// Script returns a script, and while the rule is broken, one with a text replaced.
func Script(rule, script, old, replacement string) string {
	if !Broken(rule) {
		return script
	}
	if strings.Count(script, old) != 1 {
		panic("the script has moved: bring the twin along: " + rule)
	}
	return strings.Replace(script, old, replacement, 1)
}

// Unless returns the value, and nothing while the rule is broken.
func Unless[T any](rule string, value T) T {
	var none T
	return Instead(rule, value, none)
}

// Instead returns the value, and the other one while the rule is broken.
func Instead[T any](rule string, value, other T) T {
	if Broken(rule) {
		return other
	}
	return value
}
