package chaos

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/crashpoint"
	"gatefold/test/overlay"
)

// builds is the folder of what is built for the tests.
var builds string

// moduleRoot is the folder of go.mod.
var moduleRoot = sync.OnceValues(func() (string, error) { return filepath.Abs("../..") })

// program is the whole program with what this package needs in it: points at which it can
// be ended or held up, a clock that can be wrong, detours to Redis, and the switches of the
// twins. Nothing of it has an effect unless it is ordered, but that it keeps fewer events.
var program = sync.OnceValues(build)

func build() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	all, err := edits(root)
	if err != nil {
		return "", err
	}
	file, err := overlay.Write(root, builds, all)
	if err != nil {
		return "", err
	}
	path := filepath.Join(builds, "gatefold")
	cmd := exec.Command("go", "build", "-overlay", file, "-o", path, "gatefold")
	var said bytes.Buffer
	cmd.Dir, cmd.Stderr = root, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, said.Bytes())
	}
	return path, nil
}

// Points of a reader, beside those of a writer that package crashpoint has.
const (
	loaded   = "loaded, not stored"   // it holds the lease
	answered = "answered, not copied" // by Redis, or by what filled it
	products = "adapters application bootstrap domain features"
)

// edits returns what is changed in the program. Clocks are first: they replace whole
// files.
func edits(root string) ([]overlay.Edit, error) {
	all, err := clocks(root)
	if err != nil {
		return nil, err
	}
	all = append(all, crashpoint.Edits()...)
	all = append(all, imports("gatefold/test/crashpoint", nil, []overlay.Edit{
		point("adapters/rediscache/cache.go", "\tvalue, err := encode(img)\n", loaded),
		point("adapters/twolevelcache/cache.go", "\t// What was merely loaded may have been loaded under a fence, and nobody\n", answered),
	})...)
	all = append(all, imports("gatefold/test/disturb", all, detours)...)
	all = append(all, overlay.Edit{File: "application/announce/ports.go", Old: "const LogEntries = 10_000\n", New: fmt.Sprintf("const LogEntries = %d\n", eventsKept)})
	for _, w := range twins() {
		all = append(all, imports("gatefold/test/disturb", all, w.edits)...)
	}
	return all, nil
}

// point holds up before a line.
func point(file, line, name string) overlay.Edit {
	return overlay.Edit{File: file, Old: line, New: fmt.Sprintf("\tcrashpoint.Reach(%q)\n%s", name, line)}
}

// eventsKept is how many events an instance keeps for clients who come back. It is so few
// that a short pass fills them: what is kept on purpose grows no more when it is looked for
// what is not.
const eventsKept = 250

const client = "adapters/rediscache/client.go"

// detours are taken by every connection to Redis.
var detours = []overlay.Edit{
	{File: client, Old: "\tif trusted != nil {\n", New: "\topts.Dialer = disturb.Dialer(redis.NewDialer(opts.Simple()))\n\tif trusted != nil {\n"},
	{File: client, Old: "trusted.dialler(redis.NewDialer(opts.Simple()))", New: "trusted.dialler(opts.Dialer)"},
	{File: client, Old: "\t\treturn redis.NewClient(&one)\n", New: "\t\tone.Dialer = disturb.Dialer(redis.NewDialer(&one))\n\t\treturn redis.NewClient(&one)\n"},
}

// imports returns the edits, and those by which their files import the package, unless
// they do after the former edits.
func imports(pkg string, former, edits []overlay.Edit) []overlay.Edit {
	line := fmt.Sprintf("import (\n\t%q\n", pkg)
	done := map[string]bool{}
	for _, e := range former {
		done[e.File] = done[e.File] || strings.Contains(e.New, line)
	}
	edits = slices.Clone(edits)
	for _, e := range edits {
		if !done[e.File] {
			done[e.File] = true
			edits = append(edits, overlay.Edit{File: e.File, Old: "import (\n", New: line})
		}
	}
	return edits
}

// readsClock is how the program reads the clock.
var readsClock = regexp.MustCompile(`\btime\.(Now|Since|Until)\b`)

// clocks has all of the program's own source read the clock that may be wrong.
func clocks(root string) (all []overlay.Edit, err error) {
	for _, folder := range strings.Fields(products) {
		err = filepath.WalkDir(filepath.Join(root, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() && e.Name() == "node_modules" {
				return firstOf(err, fs.SkipDir)
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil || !readsClock.Match(text) {
				return err
			}
			name, err := filepath.Rel(root, path)
			all = append(all, overlay.Edit{File: name, Old: string(text), New: wrongClock(string(text))})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// wrongClock is a source that reads the clock that may be wrong.
func wrongClock(text string) string {
	text = readsClock.ReplaceAllString(text, "disturb.$1")
	text = strings.Replace(text, "import \"time\"\n", "import (\n\t\"time\"\n)\n", 1)
	text = strings.Replace(text, "import (\n", "import (\n\t\"gatefold/test/disturb\"\n", 1)
	return text + "\nvar _ time.Duration // it may be imported for nothing else\n"
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestWhatIsBuiltFitsTheSource: a text that has moved is noticed without building.
func TestWhatIsBuiltFitsTheSource(t *testing.T) {
	root, err := moduleRoot()
	require.NoError(t, err)
	all, err := edits(root)
	require.NoError(t, err)
	_, err = overlay.Write(root, t.TempDir(), all)
	require.NoError(t, err)
}
