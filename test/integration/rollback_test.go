package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// previousRelease builds the program of the newest tag before this commit. Without one,
// as before the first release and in a copy without history, it is "": the rehearsal then
// goes back by one step of the schema with the program of this tree.
var previousRelease = sync.OnceValues(func() (string, error) {
	tag, err := exec.Command("git", "describe", "--tags", "--abbrev=0", "--match", "v*", "HEAD^").Output()
	if err != nil {
		return "", nil // there is none
	}
	source, path := filepath.Join(builds, "previous"), filepath.Join(builds, "gatefold-previous")
	if err := os.Mkdir(source, 0o700); err != nil {
		return "", err
	}
	archive := source + ".tar"
	for _, args := range [][]string{
		{"git", "-C", "../..", "archive", "--output", archive, strings.TrimSpace(string(tag))},
		{"tar", "-x", "-f", archive, "-C", source},
		{"go", "build", "-C", source, "-o", path, "."},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return "", err
		}
	}
	return path, nil
})

var schemaVersion = regexp.MustCompile(`is at version (\d+)`)

// schemaOf returns the version of the schema that a program makes.
func schemaOf(t *testing.T, program string) string {
	t.Helper()
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}, program: program}
	code, stdout, stderr := gatefold(t, d, "migrate")
	require.Zero(t, code, stderr)
	return schemaVersion.FindStringSubmatch(stdout)[1]
}

// schemaBefore returns the version to which a program of the release before would go.
func schemaBefore(t *testing.T, previous string) string {
	t.Helper()
	latest := schemaOf(t, "")
	if before := schemaOf(t, previous); before != latest {
		return before
	}
	files, err := filepath.Glob("../../adapters/bunrepo/migrations/sqlite/*.sql")
	require.NoError(t, err)
	number, _, _ := strings.Cut(filepath.Base(files[len(files)-2]), "_")
	version, err := strconv.Atoi(number)
	require.NoError(t, err)
	return strconv.Itoa(version)
}

// TestUndoingARelease rehearses docs/rollback.md: the release before serves beside this
// one, after it, and with the schema of its own; the images are the same all the time.
func TestUndoingARelease(t *testing.T) {
	for _, name := range []string{"memory and SQLite", "two-level and Postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := combinations[name](t)
			d.environ = append(d.environ, "IMAGE_CACHE=", "L1_TTL=") // as the deployment says
			undo(t, d)
		})
	}
}

func undo(t *testing.T, d deployment) {
	previous, err := previousRelease()
	require.NoError(t, err)
	older := d
	older.program = previous
	version := schemaBefore(t, previous)
	t.Logf("the release before: %q, schema %s", previous, version)

	server := withAdmin(t, d, serve(t, d))
	paths := server.furnish()
	paths = []string{paths[0], paths[1], paths[4]} // the images: other answers may have changed with the release
	before := server.tell(paths)
	use := func(d deployment) {
		t.Helper()
		in := serve(t, d)
		in.token = server.token
		require.Equal(t, before, in.tell(paths))
		require.Zero(t, in.stop(t))
	}
	if d.shared { // side by side, as in a rolling upgrade
		use(older)
		code, stdout, stderr := gatefold(t, d, "cache", "mode", "off")
		require.Zero(t, code, stdout+stderr)
		require.Equal(t, before, server.tell(paths))
		code, stdout, stderr = gatefold(t, d, "cache", "flush")
		require.Zero(t, code, stdout+stderr)
	}
	code, _, stderr := gatefold(t, d, "migrate", "--to", version)
	require.Equal(t, 1, code, "a server runs")
	require.Regexp(t, "stop it first|these instances serve", stderr)
	require.Zero(t, server.stop(t))

	use(older) // the binary first, with the schema of the later release
	var stdout string
	require.Eventually(t, func() bool { // an instance that could not sign off counts for half a minute
		code, stdout, stderr = gatefold(t, d, "migrate", "--to", version)
		return code == 0
	}, 90*time.Second, time.Second, "it still refuses")
	require.Contains(t, stdout, "is at version "+version)
	use(older)
	use(d) // and the release again
}

// TestMigratingToAVersionThatIsNone names those that there are.
func TestMigratingToAVersionThatIsNone(t *testing.T) {
	t.Parallel()
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}
	for _, version := range []string{"0", "9999"} {
		code, _, stderr := gatefold(t, d, "migrate", "--to", version)
		require.Equal(t, 2, code)
		require.Contains(t, stderr, "there is no version "+version)
	}
}
