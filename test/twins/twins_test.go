// Package twins breaks every rule of the cache protocol, one at a time, and
// requires that the test which is named for the rule then fails.
//
// The broken twin is the source with one text replaced by another. The go command
// is given it as an overlay: nothing in the working tree is touched.
package twins

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/overlay"
)

// twin says how a rule is broken, and which test notices.
type twin struct {
	rule     string // what the twin does that must not be done
	file     string // relative to the module's root
	old, new string // old occurs exactly once in the file
	pkg      string // of the test, relative to the module's root
	test     string // the name of the test, or of a subtest: TestA/its_name
}

// unhurried gives readers time. On a busy machine Redis is sometimes slower than
// their budget; the database answers then, which is right, and the twin would do
// nothing wrong.
var unhurried = overlay.Edit{
	File: "adapters/rediscache/cache.go", Old: "readBudget = 50 * time.Millisecond", New: "readBudget = time.Minute",
}

// base is what all twins of a package have in common.
func base(pkg string) []overlay.Edit {
	if strings.HasPrefix(pkg, "adapters/rediscache") {
		return []overlay.Edit{unhurried}
	}
	return nil
}

func (w twin) edit() overlay.Edit { return overlay.Edit{File: w.file, Old: w.old, New: w.new} }

const (
	// atOnce is how many twins are built and run at the same time.
	atOnce = 2
	// testLimit bounds a test on a twin. One that hangs proves nothing.
	testLimit = 2 * time.Minute
	// limit bounds building and running.
	limit = 5 * time.Minute
)

// litter is twins that are built into one program, which is then told which of them it
// is; or a single one that has to be built alone.
type litter struct {
	broken, tested string // the packages, relative to the module's root
	alone          bool
	twins          []twin
}

// litters puts together which twins are built together, the many first.
func litters(root string) []litter {
	var all []litter
	for _, w := range twins {
		broken := path.Dir(w.file)
		alone := !overlay.SideBySide(root, base(broken), w.edit())
		i := slices.IndexFunc(all, func(l litter) bool { return l.broken == broken && l.tested == w.pkg && !l.alone })
		if alone || i < 0 {
			all = append(all, litter{broken, w.pkg, alone, []twin{w}})
			continue
		}
		all[i].twins = append(all[i].twins, w)
	}
	slices.SortStableFunc(all, func(a, b litter) int { return len(b.twins) - len(a.twins) })
	return all
}

func TestEveryRuleIsNoticed(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	running := make(chan struct{}, atOnce)
	for i, l := range litters(root) {
		t.Run(fmt.Sprint(l.broken, " ", i+1), func(t *testing.T) {
			t.Parallel()
			running <- struct{}{}
			defer func() { <-running }()
			program := l.build(t, root)
			for i, w := range l.twins {
				t.Run(w.rule, func(t *testing.T) {
					r := l.run(t, root, program, i)
					reason, err := r.verdict(w.test)
					require.NoError(t, err, "%s in %s:\n%s", w.test, w.pkg, r.output(anyTest))
					t.Logf("noticed by %s: %s", w.test, reason)
				})
			}
		})
	}
}

// build builds the tests with the twins. Most of the time goes into compiling them and the
// tests of their package, so nothing is optimised or described for debuggers, and the
// compiler collects less often.
func (l litter) build(t *testing.T, root string) (program string) {
	t.Helper()
	dir := t.TempDir()
	var file string
	var err error
	if len(l.twins) == 1 {
		file, err = overlay.Write(root, dir, append(base(l.broken), l.twins[0].edit()))
	} else {
		variants := map[string]overlay.Edit{}
		for i, w := range l.twins {
			variants[strconv.Itoa(i)] = w.edit()
		}
		file, err = overlay.WriteVariants(root, dir, base(l.broken), variants)
	}
	require.NoError(t, err)
	program = filepath.Join(dir, "twins.test")
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay", file, "-gcflags=-N -l -dwarf=false", "-ldflags=-s -w", "-vet=off", "-c", "-o", program, "./"+l.tested)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOGC=400")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "a twin does not compile: bring it along\n%s", out)
	return program
}

// run runs a twin's test on the twin. A test that fails is no error.
func (l litter) run(t *testing.T, root, program string, i int) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.v=test2json", "-test.paniconexit0", "-test.timeout", testLimit.String(), "-test.run", pattern(l.twins[i].test))
	cmd.Dir = filepath.Join(root, filepath.FromSlash(l.tested))
	cmd.Env = append(os.Environ(), overlay.Variable+"="+strconv.Itoa(i))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || ctx.Err() != nil {
		require.NoError(t, err, string(out))
	}
	events := exec.CommandContext(ctx, "go", "tool", "test2json")
	events.Stdin = bytes.NewReader(out)
	text, err := events.Output()
	require.NoError(t, err)
	r, err := parse(string(text))
	require.NoError(t, err)
	return r
}

// pattern returns the regular expression that selects exactly the test.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// event is a line of what go test -json writes, see go doc test2json.
type event struct{ Action, Test, Output string }

// crashes are how lines begin after which a failure says nothing about the rule.
var crashes = []string{"panic: ", "fatal error: ", "signal: "}

// result is what became of the tests.
type result struct {
	ended map[string]string // how each test ended: pass, fail or skip
	said  []event           // what they wrote
}

func parse(out string) (result, error) {
	r := result{ended: map[string]string{}}
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var e event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return r, fmt.Errorf("the go command does not answer as expected: %w\n%s", err, out)
		}
		switch e.Action {
		case "output":
			r.said = append(r.said, e)
		case "pass", "fail", "skip":
			r.ended[e.Test] = e.Action
		}
	}
}

// output returns what the tests for which it is wanted wrote.
func (r result) output(wanted func(test string) bool) string {
	var text strings.Builder
	for _, e := range r.said {
		if wanted(e.Test) {
			text.WriteString(e.Output)
		}
	}
	return text.String()
}

func anyTest(string) bool { return true }

// verdict returns how the test failed, or an error unless it did, by an
// assertion of its own.
func (r result) verdict(test string) (reason string, err error) {
	for line := range strings.Lines(r.output(anyTest)) {
		for _, crash := range crashes {
			if strings.HasPrefix(line, crash) {
				return "", fmt.Errorf("the test did not come to its end: %s", line)
			}
		}
	}
	for other, how := range r.ended {
		if how == "fail" && other != test && !isWithin(other, test) && !isWithin(test, other) {
			return "", fmt.Errorf("%s failed, which is not meant", other)
		}
	}
	switch r.ended[test] {
	case "fail":
		return assertion(r.output(func(other string) bool { return other == test || isWithin(other, test) }))
	case "":
		return "", errors.New("there is no such test to run")
	default:
		return "", errors.New("the broken rule was not noticed")
	}
}

// isWithin reports whether a test is a subtest of the outer one. Of what the
// package does, the name is empty.
func isWithin(test, outer string) bool { return outer == "" || strings.HasPrefix(test, outer+"/") }

// failure matches where a test says that something is wrong.
var failure = regexp.MustCompile(`(?m)^\s+\S+\.go:\d+: `)

// assertion returns what the first failure says.
func assertion(said string) (string, error) {
	at := failure.FindStringIndex(said)
	if at == nil {
		return "", errors.New("the test failed without saying why")
	}
	reason, _, _ := strings.Cut(said[at[1]:], "Test: ")
	reason, _, _ = strings.Cut(reason, "Diff:")
	if _, what, ok := strings.Cut(reason, "Error: "); ok {
		reason = what
	}
	words := strings.Fields(reason)
	return strings.Join(words[:min(20, len(words))], " "), nil
}
