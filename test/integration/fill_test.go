package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/application/fillmissing"
	"gatefold/test/providerfixture"
)

const fillPath = "/api/admin/metadata/fill"

// filling is the deployment with one provider of covers, which the fixture stands for.
func filling(t *testing.T, d deployment) (deployment, *providerfixture.Server) {
	t.Helper()
	fixture := providerfixture.Start(t)
	d.environ = append(d.environ, "DOWNLOAD_ALLOW_HOSTS="+hostOf(t, fixture.URL(providerfixture.CoverArtArchive)),
		"COVERARTARCHIVE_URL="+fixture.URL(providerfixture.CoverArtArchive), "MUSICBRAINZ_URL="+fixture.URL(providerfixture.MusicBrainz),
		"DEEZER_ENABLED=false", "THEAUDIODB_ENABLED=false", "WIKIMEDIA_ENABLED=false")
	return d, fixture
}

// clock is the time as the jobs of all instances see it.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

func (c *clock) replace() fx.Option { return fx.Replace(fillmissing.Clock(c.now)) }

// putMissing has albums that have no cover, and can be found.
func (in *instance) putMissing(n int) {
	in.t.Helper()
	in.putArtist(artistID, "Many")
	for i := range n {
		a := in.send(http.MethodPut, "/api/albums/"+bulkAlbum(i), map[string]any{
			"name": fmt.Sprint("Album ", i), "artistId": artistID, "mbzAlbumId": fmt.Sprintf("b1a9c0e9-d987-4042-ae91-%012d", i),
		})
		require.Equal(in.t, http.StatusCreated, a.StatusCode, string(a.body))
	}
}

// startFill begins a job; more are fields of the request.
func (in *instance) startFill(more map[string]any) (job string) {
	in.t.Helper()
	body := map[string]any{"type": "cover"}
	for name, value := range more {
		body[name] = value
	}
	return in.acceptedFill(in.send(http.MethodPost, fillPath, body))
}

func (in *instance) acceptedFill(a answer) (job string) {
	in.t.Helper()
	require.Equal(in.t, http.StatusAccepted, a.StatusCode, string(a.body))
	job = a.json(in.t)["jobId"].(string)
	require.Equal(in.t, fillPath+"/"+job, a.Header.Get("Location"))
	return job
}

// fillJob is what is told of a job.
type fillJob struct {
	State, Reason, StartedBy string
	Counts                   fillmissing.Counts
	Items, Failures          []struct {
		ID, Name, ArtistName, Outcome, Reason, Tag string
		Score                                      float64
		Candidate                                  map[string]any
	}
	Next string
}

func (in *instance) fillJob(job, query string) (told fillJob) {
	in.t.Helper()
	a := in.send(http.MethodGet, fillPath+"/"+job+query, nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	require.Equal(in.t, "no-store", a.Header.Get("Cache-Control"))
	require.NoError(in.t, json.Unmarshal(a.body, &told))
	return told
}

func (in *instance) awaitFill(job, state string) (told fillJob) {
	in.t.Helper()
	require.Eventually(in.t, func() bool {
		told = in.fillJob(job, "")
		return told.State == state
	}, 40*time.Second, 20*time.Millisecond, "the job is not %s", state)
	return told
}

// TestFill goes from a dry run to the covers that are served, by whatever instance.
func TestFill(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d, fixture := filling(t, d)
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putMissing(4)
		locked := in.send(http.MethodPut, metadata+"album/"+bulkAlbum(3)+"/lock", map[string]any{"type": "cover", "locked": true})
		require.Equal(t, http.StatusOK, locked.StatusCode, string(locked.body))
		listening := other.listen()

		preview := in.startFill(map[string]any{"dryRun": true})
		told := other.awaitFill(preview, "done")
		require.Equal(t, fillmissing.Counts{Total: 4, Walked: 4, Proposed: 3, Skipped: 1}, told.Counts)
		require.Equal(t, "test", told.StartedBy)
		first := told.Items[0]
		require.Equal(t, bulkAlbum(0), first.ID)
		require.Equal(t, "Album 0", first.Name)
		require.Equal(t, "Many", first.ArtistName)
		require.InDelta(t, 0.8, first.Score, 0.001)
		require.Equal(t, "coverartarchive", first.Candidate["provider"])
		require.Equal(t, "the slot is locked", told.Items[3].Reason)
		page := other.fillJob(preview, "?limit=2&cursor="+bulkAlbum(0)+"&outcome=proposed")
		require.Len(t, page.Items, 2)
		require.Equal(t, bulkAlbum(1), page.Items[0].ID)
		require.Equal(t, bulkAlbum(2), page.Next)
		require.Empty(t, in.history(bulkAlbum(0)), "a dry run changes nothing")
		event := listening.Skip("fill:progress")
		require.Equal(t, preview, event.Data["jobId"])
		require.Equal(t, true, event.Data["dryRun"])

		asked := len(fixture.Requests(providerfixture.CoverArtArchive))
		carried := in.acceptedFill(other.send(http.MethodPost, fillPath+"/"+preview+"/apply", map[string]any{"except": []string{bulkAlbum(1)}}))
		told = in.awaitFill(carried, "done")
		require.Equal(t, fillmissing.Counts{Total: 2, Walked: 2, Applied: 2}, told.Counts)
		require.Len(t, fixture.Requests(providerfixture.CoverArtArchive), asked, "what was found is not searched for again")
		for _, item := range told.Items {
			require.Equal(t, `"`+item.Tag+`"`, other.get("/api/images/albums/"+item.ID+"/cover").Header.Get("ETag"))
			require.EqualValues(t, 1200, item.Candidate["width"], "it was measured")
			history := in.history(item.ID)
			require.Len(t, history, 1)
			require.Equal(t, "fill (test)", history[0]["appliedBy"])
			require.Equal(t, "coverartarchive", history[0]["provider"])
		}
		require.Equal(t, bulkAlbum(2), told.Items[1].ID)
		why := other.send(http.MethodGet, metadata+"album/"+bulkAlbum(2)+"/images/cover/why", nil).json(t)
		require.Equal(t, "filled", why["rule"].(map[string]any)["code"])
		considered := why["considered"].([]any)[0].(map[string]any)
		require.Equal(t, "fill", considered["occasion"])
		require.Equal(t, true, considered["candidates"].([]any)[0].(map[string]any)["inForce"])

		told = in.awaitFill(other.startFill(nil), "done")
		require.Equal(t, fillmissing.Counts{Total: 2, Walked: 2, Applied: 1, Skipped: 1}, told.Counts)
		require.Empty(t, in.history(bulkAlbum(3)), "a lock holds")
		jobs := in.send(http.MethodGet, fillPath+"?limit=2", nil).json(t)["jobs"].([]any)
		require.Len(t, jobs, 2)
		require.Equal(t, carried, jobs[1].(map[string]any)["jobId"])
		require.Equal(t, preview, jobs[1].(map[string]any)["of"])
	})
}

// TestWhatIsAbsentIsNotAskedForAgain within a week, by any instance.
func TestWhatIsAbsentIsNotAskedForAgain(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d, fixture := filling(t, d)
		passing := &clock{}
		in := d.startWith(t, passing.replace())
		other := in
		if d.shared {
			other = d.startWith(t, passing.replace())
		}
		in.putMissing(1)
		fixture.Script(providerfixture.CoverArtArchive, providerfixture.Absent)
		run := func(on *instance, more map[string]any) fillmissing.Counts {
			return on.awaitFill(on.startFill(more), "done").Counts
		}
		require.Equal(t, fillmissing.Counts{Total: 1, Walked: 1, Absent: 1}, run(in, nil))
		asked := len(fixture.Requests(providerfixture.CoverArtArchive))
		require.Equal(t, fillmissing.Counts{Total: 1, Walked: 1, Recent: 1}, run(other, nil))
		require.Equal(t, fillmissing.Counts{Total: 1, Walked: 1, Recent: 1}, run(in, map[string]any{"minScore": 0, "dryRun": true}))
		require.Len(t, fixture.Requests(providerfixture.CoverArtArchive), asked)
		fixture.Script(providerfixture.CoverArtArchive, providerfixture.Found)
		require.Equal(t, fillmissing.Counts{Total: 1, Walked: 1, Proposed: 1}, run(other, map[string]any{"again": true, "dryRun": true}))

		fixture.Script(providerfixture.CoverArtArchive, providerfixture.Absent)
		require.Equal(t, 1, run(in, map[string]any{"again": true}).Absent)
		passing.pass(fillmissing.AskAgainAfter - time.Hour)
		require.Equal(t, 1, run(in, nil).Recent)
		passing.pass(2 * time.Hour)
		require.Zero(t, run(other, nil).Recent)
	})
}

// TestFillOrders are followed by whichever instance works at the job.
func TestFillOrders(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d, fixture := filling(t, d)
		in := d.start(t)
		in.putMissing(1)
		fixture.Script(providerfixture.CoverArtArchive, providerfixture.Failing)
		job := in.startFill(nil)
		require.Eventually(t, func() bool { return strings.Contains(in.fillJob(job, "").Reason, "no provider answers") }, 20*time.Second, 10*time.Millisecond)
		other := in
		if d.shared {
			other = d.start(t)
		}
		order := func(verb string, status int) {
			a := other.send(http.MethodPost, fillPath+"/"+job+"/"+verb, nil)
			require.Equal(t, status, a.StatusCode, string(a.body))
		}
		order("pause", http.StatusAccepted)
		order("pause", http.StatusAccepted)
		requireLog(t, in, "Filling was told to stop")
		in.awaitFill(job, "paused")
		order("resume", http.StatusAccepted)
		require.Eventually(t, func() bool {
			return strings.Count(in.log.String(), `msg="Filling begins"`)+strings.Count(other.log.String(), `msg="Filling begins"`) >= 2
		}, 20*time.Second, 10*time.Millisecond)
		order("cancel", http.StatusAccepted)
		other.awaitFill(job, "cancelled")
		order("cancel", http.StatusAccepted)
		order("resume", http.StatusConflict)
		order("pause", http.StatusConflict)
	})
}

// TestInstancesNeverFillASlotTwice, whoever begins jobs at the same time.
func TestInstancesNeverFillASlotTwice(t *testing.T) {
	t.Parallel()
	d, fixture := filling(t, combinations["two-level and Postgres"](t))
	instances := []*instance{d.start(t), d.start(t)}
	instances[0].putMissing(4)
	var jobs []string
	for _, in := range instances {
		jobs = append(jobs, in.startFill(nil))
	}
	applied := 0
	for _, job := range jobs {
		applied += instances[0].awaitFill(job, "done").Counts.Applied
	}
	require.Equal(t, 4, applied)
	require.Len(t, fixture.Requests(providerfixture.CoverArtArchive), 4, "nobody was asked for twice")
	for n := range 4 {
		require.Len(t, instances[1].history(bulkAlbum(n)), 1)
	}
}

// TestAFillOutlivesItsServer: another one goes on where it was killed, or the same one
// when it is started again. It waits until the claim of the dead one has expired.
func TestAFillOutlivesItsServer(t *testing.T) {
	for _, on := range []string{"two-level and Postgres", "memory and SQLite"} {
		t.Run(on, func(t *testing.T) {
			t.Parallel()
			d, fixture := filling(t, combinations[on](t))
			first := serve(t, d)
			var second *process
			if d.shared {
				second = serve(t, d)
			}
			code, token, stderr := gatefold(t, d, "token", "create", "--scope", "write")
			require.Zero(t, code, stderr)
			first.token = strings.TrimSpace(token)
			first.putMissing(10)
			script := make([]providerfixture.Behaviour, 9)
			for n := range script {
				script[n] = providerfixture.Found
			}
			script[8] = providerfixture.Hang
			fixture.Script(providerfixture.CoverArtArchive, script...)
			job := first.startFill(nil)
			require.Eventually(t, func() bool { return first.fillJob(job, "").Counts.Walked == 8 }, 30*time.Second, 20*time.Millisecond)
			working, second := whoTook(first, second, "Filling begins")
			require.NoError(t, working.cmd.Process.Kill())
			<-working.done
			fixture.Script(providerfixture.CoverArtArchive, providerfixture.Found)
			if !d.shared {
				second = serve(t, d)
			}
			second.token = strings.TrimSpace(token)
			told := second.awaitFill(job, "done")
			require.Equal(t, fillmissing.Counts{Total: 10, Walked: 10, Applied: 10}, told.Counts)
			for n := range 10 {
				require.Len(t, second.history(bulkAlbum(n)), 1)
			}
			require.LessOrEqual(t, len(fixture.Requests(providerfixture.CoverArtArchive)), 10+2, "only who was in work is asked for again")
		})
	}
}

// TestFillVerbs: by the server while one runs, and else by the command itself.
func TestFillVerbs(t *testing.T) {
	for _, on := range []string{"two-level and Postgres", "memory and SQLite"} {
		t.Run(on, func(t *testing.T) {
			t.Parallel()
			d, fixture := filling(t, combinations[on](t))
			server := withAdmin(t, d, serve(t, d))
			server.putMissing(3)
			code, stdout, stderr := gatefold(t, d, "fill", "--missing", "cover", "--dry-run")
			require.Zero(t, code, stderr)
			lines := strings.Split(strings.TrimSpace(stdout), "\n")
			require.Len(t, lines, 4)
			require.Regexp(t, `^Many - Album 0\t0\.80\tcoverartarchive\thttp://`, lines[0])
			require.Equal(t, "3 of 3 empty slots: 3 proposed, 0 absent, 0 not good enough, 0 ambiguous, 0 asked for lately, 0 skipped, 0 failed", lines[3])
			preview := server.send(http.MethodGet, fillPath, nil).json(t)["jobs"].([]any)[0].(map[string]any)
			require.Equal(t, "command line", preview["startedBy"])
			require.Contains(t, stderr, "gatefold fill apply "+preview["jobId"].(string))

			code, stdout, stderr = gatefold(t, d, "fill", "apply", preview["jobId"].(string))
			require.Zero(t, code, stderr)
			require.Contains(t, stdout, "3 applied")
			require.Len(t, server.history(bulkAlbum(2)), 1)
			code, _, stderr = gatefold(t, d, "fill", "pause", preview["jobId"].(string))
			require.Equal(t, 1, code)
			require.Contains(t, stderr, "the job is done, and cannot be told to pause")

			fixture.Script(providerfixture.CoverArtArchive, providerfixture.Failing)
			server.send(http.MethodPut, "/api/albums/"+albumID, map[string]any{"name": "Late", "artistId": artistID, "mbzAlbumId": mbid})
			job := interruptFill(t, d, "goes on in the server")
			code, stdout, _ = gatefold(t, d, "fill", "cancel", job)
			require.Zero(t, code)
			require.Equal(t, "The job "+job+" is cancelled.\n", stdout)
			require.Zero(t, server.stop(t))

			job = interruptFill(t, d, "goes on when a server runs")
			code, stdout, _ = gatefold(t, d, "fill", "list")
			require.Zero(t, code)
			require.Regexp(t, job+` \S+ running cover: 0 of 1 empty slots`, stdout)
			fixture.Script(providerfixture.CoverArtArchive, providerfixture.Found)
			code, stdout, stderr = gatefold(t, d, "fill", "--missing", "cover", "--min-score", "0.9")
			require.Zero(t, code, stderr)
			require.Contains(t, stdout, "0 of 1 empty slots: 0 applied", "the job before came first, and has filled it")
			code, _, stderr = gatefold(t, d, "fill", "--missing", "avatar")
			require.Equal(t, 2, code)
			require.Contains(t, stderr, "--missing")
		})
	}
}

// interruptFill has a job begin that stands still, presses Ctrl-C, and returns its ID.
func interruptFill(t *testing.T, d deployment, says string) (job string) {
	t.Helper()
	cmd := binary(t.Context(), t, d, "fill", "--missing", "cover")
	output := &logBuffer{}
	cmd.Stderr = output
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return strings.Contains(output.String(), "no provider answers") }, 30*time.Second, 20*time.Millisecond, "%s", output)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait()
	require.Equal(t, 3, cmd.ProcessState.ExitCode(), output.String())
	require.Contains(t, output.String(), says)
	text := output.String()
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text[strings.LastIndex(text, "cancel ")+len("cancel "):]), "ends it"))
}

func TestFillRefusals(t *testing.T) {
	d, _ := filling(t, combinations["memory and SQLite"](t))
	in := d.start(t)
	in.putMissing(1)
	send := func(path, body string) answer {
		return in.do(http.MethodPost, fillPath+path, strings.NewReader(body), "Authorization", "Bearer "+in.token)
	}
	for body, detail := range map[string]string{
		`{}`:                             "type must be",
		`{"type":"avatar"}`:              "type must be",
		`{"type":"poster"}`:              "is not a slot",
		`{"type":"cover","minScore":2}`:  "minScore must be in 0..1",
		`{"type":"cover","minScore":-1}`: "minScore must be in 0..1",
		`{"type":"cover","dry":true}`:    `unknown field "dry"`,
	} {
		refused := send("", body)
		requireProblem(t, refused, http.StatusBadRequest, "invalid_input")
		require.Contains(t, refused.json(t)["detail"], detail, body)
	}
	job := in.startFill(map[string]any{"dryRun": true})
	in.awaitFill(job, "done")
	for body, detail := range map[string]string{
		`{}`: "one of all, except and only",
		`{"all":true,"only":["` + albumID + `"]}`: "one of all, except and only",
		`{"only":["` + albumID + `"]}`:            "no proposal",
		`{"only":["x"]}`:                          "is not a UUID",
	} {
		refused := send("/"+job+"/apply", body)
		requireProblem(t, refused, http.StatusBadRequest, "invalid_input")
		require.Contains(t, refused.json(t)["detail"], detail, body)
	}
	carried := in.startFill(nil)
	in.awaitFill(carried, "done")
	requireProblem(t, send("/"+carried+"/apply", `{"all":true}`), http.StatusConflict, "conflict")
	requireProblem(t, send("/"+albumID+"/pause", ``), http.StatusNotFound, "not_found")
	requireProblem(t, send("/x/pause", ``), http.StatusBadRequest, "invalid_input")
	for _, query := range []string{"?limit=0", "?limit=201", "?limit=many", "?cursor=x", "?outcome=good", "?page=1", "?limit=1&limit=2"} {
		requireProblem(t, in.send(http.MethodGet, fillPath+"/"+job+query, nil), http.StatusBadRequest, "invalid_input")
	}
	requireProblem(t, in.send(http.MethodGet, fillPath+"?limit=201", nil), http.StatusBadRequest, "invalid_input")
	requireProblem(t, in.send(http.MethodGet, fillPath+"/"+albumID, nil), http.StatusNotFound, "not_found")
}
