package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"gatefold/application/announce"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
)

const (
	haSlots   = 3 // albums, each with one who applies covers
	haReaders = 4
	haPause   = 8 * time.Millisecond // of a reader, between two requests
	// haRecovery is how long applies may be refused after the master of Redis has died:
	// what it takes on a machine without load is logged, and in docs/operating.md.
	haRecovery = 60 * time.Second
)

// haFleet is two instances behind nginx, on a Redis that Sentinels look after: the profile
// "ha", by the files of deploy.
type haFleet struct {
	t *testing.T // the whole test's: what one part has started serves the next
	deployment
	redis     *testenv.SentinelDeployment
	addrs     []string
	instances []*process
	nginx     *testenv.NginxProcess
}

func startHA(t *testing.T) *haFleet {
	t.Helper()
	files := testenv.DeployedRedis{Folder: "../../deploy/redis", Password: "of-gatefold", AdminPassword: "of-operators"}
	profile, err := godotenv.Read("../../deploy/compose/ha.env")
	require.NoError(t, err)
	f := &haFleet{t: t, redis: files.Sentinel(t)}
	f.deployment = deployment{shared: true, environ: []string{
		"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + testenv.Postgres(t), "L1_TTL=200ms", "TRUSTED_PROXIES=127.0.0.1", "SHUTDOWN_DELAY=" + profile["SHUTDOWN_DELAY"],
		"REDIS_SENTINEL_MASTER=" + profile["REDIS_SENTINEL_MASTER"], "REDIS_SENTINEL_ADDRS=" + strings.Join(f.redis.Addrs(), ","),
		"REDIS_USERNAME=gatefold", "REDIS_PASSWORD=" + files.Password, "REDIS_SENTINEL_PASSWORD=" + files.Password,
	}}
	for range 2 {
		f.addrs = append(f.addrs, "127.0.0.1:"+itoa(testenv.FreePort(t)))
	}
	f.instances = []*process{f.serve(0), f.serve(1)}
	f.nginx = testenv.NginxDeployed(t, "../../deploy/nginx/nginx.conf", nil, "server gatefold:8080", "server "+f.addrs[0], "server gatefold-2:8080", "server "+f.addrs[1])
	return f
}

// serve starts an instance, and returns it when it serves.
func (f *haFleet) serve(n int) *process {
	f.t.Helper()
	d := f.deployment
	d.environ = append(slices.Clone(d.environ), "LISTEN_ADDR="+f.addrs[n])
	return serve(f.t, d)
}

// haSlot is an album whose covers are replaced one by one. Each has a number.
type haSlot struct {
	album string
	acked atomic.Int64 // the latest cover whose apply has answered

	mu      sync.Mutex
	tags    []string       // of all up to that one
	numbers map[string]int // of the bytes of all that somebody has tried to apply
}

func (s *haSlot) path() string { return "/api/images/albums/" + s.album + "/cover" }

// lastTag returns the tag of the latest cover whose apply has answered, or nothing.
func (s *haSlot) lastTag() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tags) == 0 {
		return ""
	}
	return s.tags[len(s.tags)-1]
}

// isAnnounced reports whether this cover is among the events, or a later one: of changes
// that follow each other at once, one event may tell.
func (s *haSlot) isAnnounced(n int64, events map[string]bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.tags[n:], func(tag string) bool { return events[tag] })
}

// cover returns the bytes of a cover.
func (s *haSlot) cover(n int) []byte {
	seed := n
	for _, c := range s.album {
		seed = seed*31 + int(c)
	}
	picture := musicfixture.Picture(24, 24, int64(seed&0xffffff))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.numbers[string(picture)] = n
	return picture
}

// number returns which cover it is.
func (s *haSlot) number(body []byte) (number int64, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, known := s.numbers[string(body)]
	return int64(n), known
}

// applied notes that the apply of the next cover has answered.
func (s *haSlot) applied(tag string) {
	s.mu.Lock()
	s.tags = append(s.tags, tag)
	n := len(s.tags) - 1
	s.mu.Unlock()
	s.acked.Store(int64(n))
}

// load asks through nginx, until it is stopped, and notes whatever is not as it should be.
type load struct {
	base, token string
	slots       []*haSlot
	// excused are the answers that an apply may get, and is then repeated.
	excused func(refusal) bool

	client http.Client
	stop   context.CancelFunc
	wait   sync.WaitGroup

	reads, refused atomic.Int64
	gap            atomic.Int64 // the longest time between two applies of a slot, in ns

	mu       sync.Mutex
	failures []string
	events   map[string]bool // the tags that were announced to the client of the stream
	streams  int             // that this client has opened
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) < 20 {
		l.failures = append(l.failures, time.Now().Format("05.000 ")+fmt.Sprintf(format, args...))
	}
}

// begin starts readers, one who applies for each slot, and a client of the events.
func begin(t *testing.T, base, token string, slots []*haSlot, excused func(refusal) bool) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{base: base, token: token, slots: slots, excused: excused, stop: stop, events: map[string]bool{}}
	l.client.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	l.client.Timeout = 30 * time.Second
	for _, slot := range slots {
		if slot.lastTag() == "" { // readers are to find nothing else than covers
			require.Eventually(t, func() bool {
				tag, err := l.applyOnce(slot, slot.cover(0))
				if err == nil {
					slot.applied(tag)
				}
				return err == nil
			}, haRecovery, 10*time.Millisecond)
		}
	}
	for n := range haReaders {
		l.wait.Go(func() { l.read(ctx, n) })
	}
	for _, slot := range slots {
		l.wait.Go(func() { l.apply(ctx, slot) })
	}
	l.wait.Go(func() { l.listen(ctx) })
	t.Cleanup(l.end)
	return l
}

// end lets everybody finish what they are at: nobody knows what becomes of an apply that is
// broken off.
func (l *load) end() {
	l.stop()
	l.wait.Wait()
	l.client.CloseIdleConnections()
}

// requireSound ends the load and requires that nothing went wrong.
func (l *load) requireSound(t *testing.T, f *haFleet) {
	t.Helper()
	l.end()
	if !assertEmpty(t, l.failures) {
		t.Logf("nginx: %s", tail(f.nginx.Log()))
		for _, in := range f.instances {
			t.Logf("instance: %s", tail(in.log.String()))
		}
		t.FailNow()
	}
	for _, slot := range l.slots { // on each instance, not just through nginx
		for _, in := range f.instances {
			number, known := slot.number(in.get(slot.path()).body)
			require.True(t, known)
			require.GreaterOrEqual(t, number, slot.acked.Load())
		}
	}
}

func assertEmpty(t *testing.T, failures []string) bool {
	t.Helper()
	for _, failure := range failures {
		t.Error(failure)
	}
	return len(failures) == 0
}

func tail(text string) string { return text[max(0, len(text)-6000):] }

// read asks for covers, with and without their tag, until ctx ends.
func (l *load) read(ctx context.Context, n int) {
	for ; ctx.Err() == nil; n++ {
		slot := l.slots[n%len(l.slots)]
		path, least := slot.path(), slot.acked.Load()
		if n/len(l.slots)%2 == 0 {
			path += "?tag=" + slot.lastTag()
		}
		status, body, err := l.send(http.MethodGet, path, nil, "")
		number, known := slot.number(body)
		switch {
		case err != nil || status != http.StatusOK:
			l.fail("GET %s: %d %v %s", path, status, err, body)
		case !known:
			l.fail("GET %s: %d bytes that are none of its covers", path, len(body))
		case number < least:
			l.fail("GET %s: cover %d, though the apply of %d had answered before", path, number, least)
		}
		l.reads.Add(1)
		pause(ctx, haPause)
	}
}

// apply puts one cover after the other in force. What was refused is tried again.
func (l *load) apply(ctx context.Context, slot *haSlot) {
	last := time.Now()
	for n := int(slot.acked.Load()) + 1; ctx.Err() == nil; {
		tag, err := l.applyOnce(slot, slot.cover(n))
		refused, _ := errors.AsType[refusal](err)
		switch {
		case err == nil:
			slot.applied(tag)
			l.gap.Store(max(l.gap.Load(), int64(time.Since(last))))
			last = time.Now()
			n++
		case !l.excused(refused):
			l.fail("%v", err)
			return
		default:
			l.refused.Add(1)
			pause(ctx, 50*time.Millisecond)
		}
	}
}

// refusal is an answer to an apply that is no success.
type refusal struct {
	status int
	path   string
	body   string
}

func (r refusal) Error() string { return fmt.Sprintf("POST %s: %d %s", r.path, r.status, r.body) }

// isBusy excuses nothing that has to do with which instances there are. On a machine so busy
// that an instance does not get to talk to Redis for half a second, an apply is refused
// all the same, and says that nothing has changed; or that the image is in force, and not
// confirmed.
func isBusy(r refusal) bool {
	return r.status == http.StatusServiceUnavailable &&
		(strings.Contains(r.body, "urn:gatefold:problem:cache_unreachable") || strings.Contains(r.body, "urn:gatefold:problem:not_confirmed"))
}

// applyOnce uploads a cover and puts it in force.
func (l *load) applyOnce(slot *haSlot, picture []byte) (tag string, err error) {
	prefix := "/api/admin/metadata/album/custom-covers/" + slot.album
	body, contentType := uploadForm(picture)
	var uploaded struct {
		CustomCoverID string `json:"customCoverId"`
	}
	if err := l.post(prefix+"/upload", body, contentType, &uploaded); err != nil {
		return "", err
	}
	var applied struct {
		Tag string `json:"tag"`
	}
	err = l.post(prefix+"/apply/"+uploaded.CustomCoverID, nil, "", &applied)
	return applied.Tag, err
}

func (l *load) post(path string, body io.Reader, contentType string, into any) error {
	status, answer, err := l.send(http.MethodPost, path, body, contentType)
	if err != nil {
		return err
	}
	if status/100 != 2 {
		return refusal{status, path, string(answer)}
	}
	return json.Unmarshal(answer, into)
}

func (l *load) send(method, path string, body io.Reader, contentType string) (status int, answer []byte, err error) {
	req, err := http.NewRequest(method, l.base+path, body)
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if method != http.MethodGet {
		req.Header.Set("Authorization", "Bearer "+l.token)
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// listen follows the stream of events as browsers do: when it ends, the client connects
// again and says what it has seen last.
func (l *load) listen(ctx context.Context) {
	last := ""
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.base+eventsPath, nil)
		if err != nil {
			l.fail("%v", err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+l.token)
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if ctx.Err() != nil {
			return
		}
		if err != nil || resp.StatusCode != http.StatusOK {
			l.fail("the stream of events: %v %v", resp, err)
			return
		}
		l.follow(resp.Body, last != "", &last)
		_ = resp.Body.Close()
	}
}

func (l *load) follow(body io.Reader, again bool, last *string) {
	l.mu.Lock()
	l.streams++
	l.mu.Unlock()
	name := ""
	for lines := bufio.NewScanner(body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			*last = value
		case "event":
			name = value
		case "data":
			l.noteEvent(name, value, again)
		}
	}
}

func (l *load) noteEvent(name, data string, again bool) {
	var said struct {
		Resumed bool   `json:"resumed"`
		Tag     string `json:"tag"`
	}
	if err := json.Unmarshal([]byte(data), &said); err != nil {
		l.fail("an event: %v", err)
		return
	}
	switch {
	case name == "connected" && again && !said.Resumed:
		l.fail("the stream was not resumed")
	case name == announce.AlbumCoverUpdated:
		l.mu.Lock()
		l.events[said.Tag] = true
		l.mu.Unlock()
	}
}

// uploadForm is form without a test.
func uploadForm(file []byte) (body io.Reader, contentType string) {
	const boundary = "the-boundary-of-this-form"
	head := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"cover.jpg\"\r\nContent-Type: application/octet-stream\r\n\r\n"
	return io.MultiReader(strings.NewReader(head), strings.NewReader(string(file)), strings.NewReader("\r\n--"+boundary+"--\r\n")),
		"multipart/form-data; boundary=" + boundary
}

// progress waits until each slot has had so many more covers, and so many more were read.
func (l *load) progress(t *testing.T, covers int) {
	t.Helper()
	reads := l.reads.Load()
	var goals []int64
	for _, slot := range l.slots {
		goals = append(goals, slot.acked.Load()+int64(covers))
	}
	require.Eventually(t, func() bool {
		for i, slot := range l.slots {
			if slot.acked.Load() < goals[i] {
				return l.failed()
			}
		}
		return l.reads.Load() >= reads+100 || l.failed()
	}, haRecovery, 10*time.Millisecond)
}

func (l *load) failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.failures) > 0
}

// TestHighAvailability: what the profile "ha" promises.
func TestHighAvailability(t *testing.T) {
	t.Parallel()
	f := startHA(t)
	_, token, _ := gatefold(t, f.deployment, "token", "create", "--scope", "admin")
	token = strings.TrimSpace(token)
	through := &instance{t: t, base: f.nginx.URL, token: token}
	through.putArtist(artistID, "Sol")
	var slots []*haSlot
	for n := range haSlots {
		slot := &haSlot{album: fmt.Sprintf("00000000-0000-4000-8000-0000000000a%d", n), numbers: map[string]int{}}
		through.putAlbum(slot.album, artistID, fmt.Sprintf("Mar %d", n))
		slots = append(slots, slot)
	}
	l := begin(t, f.nginx.URL, token, slots, isBusy)
	l.progress(t, 1)
	l.end()
	if !assertEmpty(t, l.failures) {
		t.FailNow()
	}
	t.Run("a rolling restart fails no request", func(t *testing.T) { rollingRestart(t, f, token, slots) })
	t.Run("an instance that dies fails no image", func(t *testing.T) { instanceDies(t, f, token, slots) })
	t.Run("a failover of Redis fails no image", func(t *testing.T) { redisFailover(t, f, token, slots) })
}

// rollingRestart replaces one instance after the other, as an upgrade does.
func rollingRestart(t *testing.T, f *haFleet, token string, slots []*haSlot) {
	l := begin(t, f.nginx.URL, token, slots, isBusy)
	l.progress(t, 1)
	for n := range f.instances {
		require.Zero(t, f.instances[n].stop(t))
		f.instances[n] = f.serve(n)
	}
	l.progress(t, 1)
	var last []int64
	for _, slot := range slots {
		last = append(last, slot.acked.Load())
	}
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, slot := range slots {
			if !slot.isAnnounced(last[i], l.events) {
				return len(l.failures) > 0
			}
		}
		return true
	}, 20*time.Second, 10*time.Millisecond, "the stream goes on")
	l.requireSound(t, f)
	require.NotRegexp(t, `prematurely closed|recv\(\) failed|reset by peer`, f.nginx.Log(), "a connection was ended under a request, which could be repeated only by luck")
	require.GreaterOrEqual(t, l.streams, 2, "the stream was ended, and taken up by the other instance")
	t.Logf("%d images read, none failed; %d applies refused by a busy machine; the longest between two applies of a cover: %s", l.reads.Load(), l.refused.Load(), time.Duration(l.gap.Load()))
}

// instanceDies kills an instance. An apply that it was at may be answered by 502: nobody
// knows what became of it.
func instanceDies(t *testing.T, f *haFleet, token string, slots []*haSlot) {
	l := begin(t, f.nginx.URL, token, slots, func(r refusal) bool { return r.status == http.StatusBadGateway || isBusy(r) })
	l.progress(t, 1)
	require.NoError(t, f.instances[0].cmd.Process.Kill())
	<-f.instances[0].done
	l.progress(t, 2)
	f.instances[0] = f.serve(0)
	l.progress(t, 1)
	l.requireSound(t, f)
	t.Logf("%d images read, none failed; %d applies were repeated", l.reads.Load(), l.refused.Load())
}

// redisFailover kills the master of Redis. Applies are refused until a replica has taken
// over, and nothing has changed then.
func redisFailover(t *testing.T, f *haFleet, token string, slots []*haSlot) {
	l := begin(t, f.nginx.URL, token, slots, func(r refusal) bool { return r.status == http.StatusServiceUnavailable })
	l.progress(t, 1)
	killed := time.Now()
	old := f.redis.KillMaster(t)
	elected := time.Since(killed)
	l.progress(t, 2)
	recovered := time.Since(killed)
	old.Start(t)
	l.progress(t, 1)
	l.requireSound(t, f)
	require.Positive(t, l.refused.Load(), "an apply that cannot tell Redis must not say that it did")
	t.Logf("%d images read, none failed; %d applies were refused; a master was elected after %s, every slot had two more covers after %s, the longest between two applies: %s",
		l.reads.Load(), l.refused.Load(), elected, recovered, time.Duration(l.gap.Load()))
}
