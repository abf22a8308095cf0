package integration

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/contract"
	"gatefold/test/musicfixture"
	"gatefold/test/sse"
)

const applyCoverPath = "/api/admin/metadata/album/covers/apply"

// events returns what a stream told.
func (a answer) events(t *testing.T) (events []sse.Event) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
	require.Equal(t, "text/event-stream", a.Header.Get("Content-Type"))
	require.Equal(t, "no", a.Header.Get("X-Accel-Buffering"))
	for text := range strings.SplitSeq(strings.TrimSpace(string(a.body)), "\n\n") {
		name, data, ok := strings.Cut(strings.TrimPrefix(text, "event: "), "\ndata: ")
		require.True(t, ok, text)
		event := sse.Event{Name: name}
		require.NoError(t, json.Unmarshal([]byte(data), &event.Data))
		events = append(events, event)
	}
	return events
}

// phases returns the phases that a stream told, each once for all that it told of it,
// and the event after them.
func (a answer) phases(t *testing.T) (phases string, last sse.Event) {
	t.Helper()
	events := a.events(t)
	var names []string
	for _, e := range events[:len(events)-1] {
		require.Equal(t, "phase", e.Name)
		if received, told := e.Data["received"].(float64); told {
			require.LessOrEqual(t, received, e.Data["total"].(float64))
		}
		if name := e.Data["phase"].(string); len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return strings.Join(names, " "), events[len(events)-1]
}

// followed makes a guarded request for a stream of events.
func (in *instance) followed(path string, body any, header ...string) answer {
	in.t.Helper()
	return in.send(http.MethodPost, path, body, append(header, "Accept", "text/event-stream")...)
}

// TestAnApplyTellsItsPhases: to who asks for events, and ends with what it answers
// otherwise, when every instance shows the image.
func TestAnApplyTellsItsPhases(t *testing.T) {
	for _, combination := range []string{"memory and SQLite", "two-level and Postgres"} {
		t.Run(combination, func(t *testing.T) {
			t.Parallel()
			d, host := combinations[combination](t), newCoverHost(t, 10)
			d.environ = append(d.environ, host.allowed())
			in := d.start(t)
			other := in
			if d.shared {
				other = d.start(t)
			}
			in.putArtist(artistID, "Told")
			in.putAlbum(albumID, artistID, "Step by step")
			wish := map[string]any{"albumId": albumID, "coverUrl": host.URL + "/1", "provider": "deezer"}

			phases, last := in.followed(applyCoverPath, wish).phases(t)
			require.Equal(t, "downloading checking storing fencing recording confirming", phases)
			require.Equal(t, "complete", last.Name)
			require.Equal(t, `"`+last.Data["tag"].(string)+`"`, other.get(coverPath).Header.Get("ETag"))
			require.Greater(t, last.Data["visibleAfterMs"], 0.0)
			plain := in.send(http.MethodPost, applyCoverPath, wish)
			require.Equal(t, http.StatusCreated, plain.StatusCode)
			last.Data["visibleAfterMs"] = plain.json(t)["visibleAfterMs"]
			require.Equal(t, plain.json(t), last.Data)

			phases, last = in.followed(applyCoverPath, wish).phases(t)
			require.Equal(t, "downloading checking storing", phases, "it is in force")
			require.Equal(t, plain.json(t), last.Data)
			in.requireOthersTellTheirPhases()
		})
	}
}

// requireOthersTellTheirPhases: an upload that is applied, a restore, an avatar.
func (in *instance) requireOthersTellTheirPhases() {
	t := in.t
	t.Helper()
	first := in.history(albumID)[0]["imageId"]
	kept := in.upload("/api/admin/metadata/album/custom-covers/"+albumID+"/upload", musicfixture.Picture(9, 9, 9)).json(t)
	uploaded := "/api/admin/metadata/album/custom-covers/" + albumID + "/apply/" + kept["customCoverId"].(string)
	phases, last := in.do(http.MethodPost, uploaded, nil, "Authorization", "Bearer "+in.token, "Accept", "text/event-stream").phases(t)
	require.Equal(t, "fencing recording confirming complete", phases+" "+last.Name)
	restore := map[string]any{"type": "cover", "imageId": first}
	phases, last = in.followed("/api/admin/metadata/album/"+albumID+"/restore", restore).phases(t)
	require.Equal(t, "fencing recording confirming complete", phases+" "+last.Name)
	in.putUser(userID, "ana")
	body, contentType := form(t, musicfixture.Picture(9, 9, 9), "userId", userID)
	phases, last = in.do(http.MethodPost, "/api/users/avatar", body,
		"Authorization", "Bearer "+in.token, "Content-Type", contentType, "Accept", "text/event-stream").phases(t)
	require.Equal(t, "checking storing fencing recording confirming complete", phases+" "+last.Name)
}

// TestAProblemEndsTheStream: once it has begun, a problem is its last event, and is the
// document that is answered otherwise. Before, it is the answer.
func TestAProblemEndsTheStream(t *testing.T) {
	d := combinations["memory and SQLite"](t)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/absent" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte("no image"))
	}))
	t.Cleanup(host.Close)
	d.environ = append(d.environ, "DOWNLOAD_ALLOW_HOSTS="+strings.TrimPrefix(host.URL, "http://"))
	in := d.start(t)
	in.putArtist(artistID, "Refused")
	in.putAlbum(albumID, artistID, "Halfway")
	tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
	wish := func(url string) map[string]any {
		return map[string]any{"albumId": albumID, "coverUrl": url, "provider": "deezer"}
	}
	failed := map[int]float64{}
	for url, at := range map[string]string{host.URL + "/absent": "downloading", host.URL: "downloading checking", "http://169.254.169.254/": "downloading"} {
		phases, last := in.followed(applyCoverPath, wish(url)).phases(t)
		plain := in.send(http.MethodPost, applyCoverPath, wish(url))
		require.Equal(t, at+" problem", phases+" "+last.Name)
		problem := plain.json(t)
		require.EqualValues(t, plain.StatusCode, problem["status"])
		failed[plain.StatusCode] += 2
		for _, own := range []string{"requestId", "timestamp"} {
			delete(problem, own)
			delete(last.Data, own)
		}
		require.Equal(t, problem, last.Data)
	}
	requests := in.metrics()
	for code, times := range failed {
		require.Equal(t, times, counted(t, requests, "gatefold_http_requests_total", "route", applyCoverPath, "code", itoa(code)))
	}
	requireProblem(t, in.followed(applyCoverPath, map[string]any{"albumId": artistID, "coverUrl": host.URL, "provider": "deezer"}), http.StatusNotFound, "not_found")
	requireProblem(t, in.followed(applyCoverPath, wish(host.URL), "If-Match", "x"), http.StatusBadRequest, "invalid_input")
	require.Equal(t, `"`+tag+`"`, in.get(coverPath).Header.Get("ETag"))
}

// TestIfMatchHoldsInAStream, too: what somebody else has changed meanwhile is not
// overwritten.
func TestIfMatchHoldsInAStream(t *testing.T) {
	d, host := combinations["memory and SQLite"](t), newCoverHost(t, 10)
	d.environ = append(d.environ, host.allowed())
	in := d.start(t)
	in.putArtist(artistID, "Matched")
	in.putAlbum(albumID, artistID, "Matched")
	first := applyCover(t, in, musicfixture.Picture(30, 30, 1))
	second := applyCover(t, in, musicfixture.Picture(30, 30, 2))
	wish := map[string]any{"albumId": albumID, "coverUrl": host.URL + "/1", "provider": "deezer"}
	phases, last := in.followed(applyCoverPath, wish, "If-Match", `"`+first+`"`).phases(t)
	require.Equal(t, "downloading checking storing fencing recording problem", phases+" "+last.Name)
	require.EqualValues(t, http.StatusPreconditionFailed, last.Data["status"])
	require.Equal(t, "urn:gatefold:problem:precondition_failed", last.Data["type"])
	require.Equal(t, `"`+second+`"`, in.get(coverPath).Header.Get("ETag"))
	_, last = in.followed(applyCoverPath, wish, "If-Match", `"`+second+`"`).phases(t)
	require.Equal(t, "complete", last.Name)
}

// within waits until something is told, and fails the test if it is not.
func within(t *testing.T, told <-chan struct{}, otherwise string) {
	t.Helper()
	select {
	case <-told:
	case <-time.After(30 * time.Second):
		require.FailNow(t, otherwise)
	}
}

// TestWhoLeavesCancels what is not fenced yet, as without a stream: the picture that was
// being downloaded does not take force.
func TestWhoLeavesCancels(t *testing.T) {
	d, host := combinations["memory and SQLite"](t), newCoverHost(t, 0)
	d.environ = append(d.environ, host.allowed())
	in := d.start(t)
	in.putArtist(artistID, "Left")
	in.putAlbum(albumID, artistID, "Alone")
	tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
	body, err := json.Marshal(map[string]any{"albumId": albumID, "coverUrl": host.URL + "/1", "provider": "deezer"})
	require.NoError(t, err)
	stream := sse.Post(t, in.base+applyCoverPath, string(body), "Authorization", "Bearer "+in.token, "Content-Type", "application/json", "Accept", "text/event-stream")
	stream.Check = func(e sse.Event) error { return contract.CheckEvent(http.MethodPost, applyCoverPath, e.Name, e.Data) }
	require.Equal(t, "downloading", stream.Next().Data["phase"])
	// The phase is told before the host is asked: who leaves in between is never met there.
	within(t, host.held, "nothing is downloaded")
	stream.Close()
	within(t, host.left, "the download goes on")
	host.open()
	require.Equal(t, `"`+tag+`"`, in.get(coverPath).Header.Get("ETag"))
	require.Len(t, in.history(albumID), 1)
}
