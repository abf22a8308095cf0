// Package twins breaks every rule of the cache protocol, one at a time, and
// requires that the test which is named for the rule then fails.
//
// The broken twin is the source with one text replaced by another. The go command
// is given it as an overlay: nothing in the working tree is touched.
package twins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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

func (w twin) edits() []overlay.Edit {
	edits := []overlay.Edit{{File: w.file, Old: w.old, New: w.new}}
	if strings.HasPrefix(w.file, "adapters/rediscache/") {
		edits = append(edits, unhurried)
	}
	return edits
}

const (
	// atOnce is how many twins are built and run at the same time.
	atOnce = 2
	// testLimit bounds a test on a twin. One that hangs proves nothing.
	testLimit = 2 * time.Minute
	// limit bounds building and running.
	limit = 5 * time.Minute
)

func TestEveryRuleIsNoticed(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	running := make(chan struct{}, atOnce)
	for _, w := range twins {
		t.Run(w.rule, func(t *testing.T) {
			t.Parallel()
			file, err := overlay.Write(root, t.TempDir(), w.edits())
			require.NoError(t, err)
			running <- struct{}{}
			defer func() { <-running }()
			r, err := run(t.Context(), root, file, w)
			require.NoError(t, err)
			reason, err := r.verdict(w.test)
			require.NoError(t, err, "%s in %s:\n%s", w.test, w.pkg, r.output(anyTest))
			t.Logf("noticed by %s: %s", w.test, reason)
		})
	}
}

// run runs the twin's test on the twin. A test that fails is no error. Most of the
// time goes into compiling the twin and the tests of its package, so nothing is
// optimised or described for debuggers, and the compiler collects less often.
func run(ctx context.Context, root, overlay string, w twin) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-gcflags=-N -l -dwarf=false", "-json", "-vet=off", "-count=1",
		"-timeout", testLimit.String(), "-run", pattern(w.test), "./"+w.pkg)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOGC=400")
	// The go command passes an interrupt on to the test.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && (!failed || ctx.Err() != nil) {
		return result{}, fmt.Errorf("%w\n%s", err, out)
	}
	return parse(string(out))
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
	ended      map[string]string // how each test ended: pass, fail or skip
	uncompiled bool
	said       []event // what they and the compiler wrote
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
		case "build-fail":
			r.uncompiled = true
		case "build-output", "output":
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
	if r.uncompiled {
		return "", errors.New("the twin does not compile: bring it along")
	}
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
