// Package crash kills a real server at every step of what it does, and checks
// afterwards that nothing is lost, half done or stuck.
package crash

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/crashpoint"
	"gatefold/test/testenv"
)

var runs = flag.Int("crash.runs", 2, "how often a process is killed at each step")

func TestMain(m *testing.M) {
	var err error
	if builds, err = os.MkdirTemp("", "gatefold-crash-"); err != nil {
		panic(err)
	}
	code := testenv.Main(m)
	_ = os.RemoveAll(builds) // what is left is in the folder for temporary files
	os.Exit(code)
}

const artist = "6d1d3b8e-3c1e-4a55-8a63-5a0f5a1f2c11"

// TestCrashes: wherever a process ends, either the older or the newer image is in
// force, whole, for everybody; every file that is referred to is there; and the
// same can be done again at once.
func TestCrashes(t *testing.T) {
	for name, shared := range map[string]bool{"SQLite and memory": false, "Postgres and Redis": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, shared)
			begin := time.Now()
			for run := range *runs {
				for _, o := range operations {
					for _, p := range o.points {
						if p.Shared && !shared {
							continue
						}
						f.crash(fmt.Sprintf("%s %d: %s", o.name, run+1, p.Name), o.prepare(f), p)
					}
				}
			}
			t.Logf("%d crashes in %s", f.crashes, time.Since(begin).Round(time.Millisecond))
			f.requireRecovered()
		})
	}
}

// crash has the victim end at the point, and checks what is left of it.
func (f *fleet) crash(name string, tr trial, p point) {
	f.t.Helper()
	f.t.Log(name)
	for _, process := range f.everybody() { // who now has something that could become stale
		tr.requireServed(process, false)
	}
	tr.requireHistory(false)
	if p != crashpoint.Downloading && p != crashpoint.HalfSent {
		require.NoError(f.t, crashpoint.Order(f.orders, p.Name))
	}
	require.Error(f.t, tr.attempt(p), "it was answered")
	f.victim.requireKilled(f.t)
	require.NoFileExists(f.t, f.orders, "it did not end where it should")
	f.crashes++

	if f.witness != nil {
		tr.requireServed(f.witness, p.Committed)
	}
	f.verb("doctor")
	f.restart()
	for _, process := range f.everybody() {
		tr.requireServed(process, p.Committed)
	}
	tr.requireHistory(p.Committed)
	f.requireWholeFiles()

	tr.repeat()
	for _, process := range f.everybody() {
		tr.requireServed(process, true)
	}
	tr.requireHistory(true)
}

// requireServed checks what a process serves: the bytes whole, under the tag that
// follows from them.
func (tr trial) requireServed(p *process, newer bool) {
	tr.f.t.Helper()
	for _, place := range tr.places {
		want := picture(place.number(newer))
		served := tr.f.get(p, place.image)
		require.Equal(tr.f.t, want, served.body, place.image)
		require.Equal(tr.f.t, `"`+string(artwork.TagOf(artwork.HashOf(want), nil))+`"`, served.Header.Get("ETag"))
		require.EqualValues(tr.f.t, len(want), served.ContentLength)
	}
}

// requireHistory checks what the database remembers of the places.
func (tr trial) requireHistory(newer bool) {
	tr.f.t.Helper()
	for _, place := range tr.places {
		history := tr.f.get(tr.f.victim, place.admin+"/history").json(tr.f.t)["history"].([]any)
		want := 1
		if newer && place.newer != place.older {
			want = 2
		}
		require.Len(tr.f.t, history, want, place.admin)
		require.Equal(tr.f.t, true, history[0].(map[string]any)["current"])
	}
}

// requireWholeFiles checks that every file is what its name says, and that no more
// files are left half done than processes ended.
func (f *fleet) requireWholeFiles() {
	f.t.Helper()
	for path, content := range f.files("images") {
		require.Equal(f.t, filepath.Base(path), artwork.HashOf(content).String())
	}
	require.LessOrEqual(f.t, len(f.files("tmp")), f.crashes+len(f.everybody()), "beside those with which processes look whether the disk can be written")
}

// files returns the files in a folder of the data directory, and their content;
// not those that come and go meanwhile.
func (f *fleet) files(folder string) map[string][]byte {
	f.t.Helper()
	files := map[string][]byte{}
	dir := filepath.Join(f.dir, "data", folder)
	require.NoError(f.t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return ignoreGone(err)
		}
		content, err := os.ReadFile(path)
		if err == nil {
			files[path] = content
		}
		return ignoreGone(err)
	}))
	return files
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// requireRecovered checks what comes with time: dead fences expire, what dead
// writers left to be done is done, and what they left lying about is removed.
func (f *fleet) requireRecovered() {
	f.t.Helper()
	albums := f.get(f.victim, "/api/albums?pageSize=200").json(f.t)["items"].([]any)
	require.NotEmpty(f.t, albums)
	if f.redis != "" {
		f.requireCachedAgain(albums)
	}
	var covers [][]byte
	for _, album := range albums {
		covers = append(covers, f.get(f.victim, coverOf(album)).body)
	}
	halfDone := f.age("tmp", 2*time.Hour)
	f.age("images", 25*time.Hour)
	require.NoError(f.t, f.victim.cmd.Process.Kill())
	f.victim.requireKilled(f.t)
	f.restart()
	for _, path := range halfDone {
		require.NoFileExists(f.t, path, "what was half done is removed")
	}
	f.verb("doctor", "--repair")
	require.Contains(f.t, f.verb("doctor"), " 0 unreferenced files")
	for i, album := range albums {
		require.Equal(f.t, covers[i], f.get(f.victim, coverOf(album)).body)
	}
}

func coverOf(album any) string {
	return "/api/images/albums/" + album.(map[string]any)["id"].(string) + "/cover"
}

// recovery is how long a dead writer may be felt: a fence's term, the time between
// two sweeps, and some for a machine that is busy.
const recovery = 10*time.Second + 2*time.Second + 18*time.Second

// requireCachedAgain checks that no key is fenced for ever, and that no change is
// left pending.
func (f *fleet) requireCachedAgain(albums []any) {
	f.t.Helper()
	options, err := redis.ParseURL(f.redis)
	require.NoError(f.t, err)
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	require.Eventually(f.t, func() bool {
		for _, album := range albums {
			f.get(f.witness, coverOf(album))
			key := artwork.Album(artwork.MustParseID(album.(map[string]any)["id"].(string))).Keys()[0]
			if held, err := client.Get(f.t.Context(), key.String()).Result(); err != nil || held[0] != '{' {
				return false
			}
		}
		return f.pending() == 0
	}, recovery, 200*time.Millisecond)
}

// pending returns how many changes nobody has finished.
func (f *fleet) pending() (n int) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.database)
	require.NoError(f.t, err)
	defer func() { _ = conn.Close(f.t.Context()) }()
	require.NoError(f.t, conn.QueryRow(f.t.Context(), "SELECT count(*) FROM cache_pending").Scan(&n))
	return n
}

// age has the files of a folder look as if they had been written that long ago,
// and returns their names.
func (f *fleet) age(folder string, by time.Duration) (aged []string) {
	f.t.Helper()
	then := time.Now().Add(-by)
	for path := range f.files(folder) {
		require.NoError(f.t, ignoreGone(os.Chtimes(path, then, then)))
		aged = append(aged, path)
	}
	return aged
}

// statusError returns an error unless the answer is a success.
func (r reply) statusError() error {
	if r.StatusCode != http.StatusOK && r.StatusCode != http.StatusCreated {
		return fmt.Errorf("answered by %d: %s", r.StatusCode, r.body)
	}
	return nil
}
