package api

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// turns counts, and lets everybody through.
type turns struct{ count atomic.Int32 }

func (l *turns) Wait(ctx context.Context, _ string, _ findimages.Rate) error {
	l.count.Add(1)
	return ctx.Err()
}

type answer struct{ N Number }

// service returns an endpoint of a server that answers with handler.
func service(t *testing.T, handler http.HandlerFunc, change func(*Service, *terms)) (*Endpoint, *turns) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	limiter := &turns{}
	client := New("test", "", limiter, Backoff(time.Millisecond))
	s := Service{Provider: "x", Name: "Example", BaseURL: server.URL + "/base/", Rate: findimages.Rate{Requests: 1, Per: time.Second}}
	if change != nil {
		change(&s, &client.terms)
	}
	e, err := client.Open(s)
	require.NoError(t, err)
	return e, limiter
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"n": 7}`)) }

func get(t *testing.T, e *Endpoint) (answer, bool, error) {
	t.Helper()
	return Get[answer](t.Context(), e, "path", url.Values{"q": {"a&b"}})
}

func requireKind(t *testing.T, want artwork.ErrorKind, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, artwork.KindOf(err), "%v", err)
}

func TestQuestion(t *testing.T) {
	t.Parallel()
	e, limiter := service(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.String() != "/base/path?q=a%26b" || r.Header.Get("User-Agent") != "Gatefold/test ( no contact is configured )" || r.Header.Get("Api-Key") != "secret" {
			http.Error(w, "not as it was asked", http.StatusTeapot)
			return
		}
		ok(w, r)
	}, func(s *Service, _ *terms) { s.Header = http.Header{"Api-Key": {"secret"}} })
	found, there, err := get(t, e)
	require.NoError(t, err)
	require.True(t, there)
	require.Equal(t, answer{7}, found)
	require.EqualValues(t, 1, limiter.count.Load())
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	var first atomic.Int64
	e, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(0, time.Now().UnixNano()) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		ok(w, r)
	}, nil)
	_, there, err := get(t, e)
	require.NoError(t, err)
	require.True(t, there)
	require.GreaterOrEqual(t, time.Since(time.Unix(0, first.Load())), time.Second)
}

// TestRetryAfterIsRemembered: who wants to be left alone for longer than anybody
// waits is left alone for so long, and asked after it.
func TestRetryAfterIsRemembered(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	e, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		ok(w, r)
	}, nil)
	for range 3 {
		_, _, err := get(t, e)
		requireKind(t, artwork.Unavailable, err)
	}
	require.EqualValues(t, 1, requests.Load())
	left := time.Until(time.Unix(0, e.pausedUntil.Load()))
	require.True(t, left > maxPause-time.Minute && left <= maxPause, "%s: an hour is longer than a wrong clock may cost", left)
	e.pausedUntil.Store(time.Now().UnixNano())
	_, _, err := get(t, e)
	require.NoError(t, err)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-3": 0, "soon": 0, "99999999999999999999": 0, "2000000000": 1 << 20 * time.Second,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0,
	} {
		require.Equal(t, want, retryAfter(value, now), value)
	}
}

// TestBreaker: a service that fails is left alone, and one question finds out whether
// it works again.
func TestBreaker(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	var works atomic.Bool
	e, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if works.Load() {
			ok(w, r)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}, func(_ *Service, terms *terms) { terms.breakFor = 50 * time.Millisecond })
	for range 20 {
		_, _, err := get(t, e)
		requireKind(t, artwork.Unavailable, err)
	}
	require.Less(t, requests.Load(), int32(20))
	_, _, err := get(t, e)
	require.ErrorContains(t, err, "left alone")

	// Who gives up before anything is heard has learned nothing.
	require.Eventually(t, func() bool { return e.breaker.RemainingDelay() <= 0 }, 10*time.Second, time.Millisecond)
	refused := e.client.limiter
	e.client.limiter = refusing{}
	_, _, err = get(t, e)
	require.ErrorContains(t, err, "no turn")
	require.False(t, e.breaker.IsClosed())
	e.client.limiter = refused

	works.Store(true)
	require.Eventually(t, func() bool {
		_, _, err := get(t, e)
		return err == nil
	}, 10*time.Second, 5*time.Millisecond)
	require.True(t, e.breaker.IsClosed())
}

type refusing struct{}

func (refusing) Wait(context.Context, string, findimages.Rate) error {
	return artwork.Errorf(artwork.Unavailable, "no turn")
}

// TestSlowness: whoever gave up first, a service that took a second has failed; one
// that had only a moment has not.
func TestSlowness(t *testing.T) {
	t.Parallel()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, c := range []struct {
		slow   time.Duration
		closed bool
	}{{time.Millisecond, false}, {time.Hour, true}} {
		e, _ := service(t, hang, func(_ *Service, terms *terms) { terms.slow = c.slow })
		for range 8 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			_, _, err := Get[answer](ctx, e, "", nil)
			require.Error(t, err)
			cancel()
		}
		require.Equal(t, c.closed, e.breaker.IsClosed(), "%s", c.slow)
	}
}

func TestPatience(t *testing.T) {
	t.Parallel()
	e, _ := service(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		func(_ *Service, terms *terms) { terms.patience = 30 * time.Millisecond })
	_, _, err := get(t, e)
	requireKind(t, artwork.Unavailable, err)
	require.ErrorContains(t, err, "Example did not answer within 30ms")
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	leaked := make(chan http.Header, 10)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked <- r.Header
		ok(w, r)
	}))
	t.Cleanup(other.Close)
	var target atomic.Value
	e, limiter := service(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/arrived" {
			ok(w, r)
			return
		}
		http.Redirect(w, r, target.Load().(string), http.StatusTemporaryRedirect)
	}, func(s *Service, _ *terms) { s.Header = http.Header{"Api-Key": {"secret"}} })

	target.Store("/arrived")
	_, there, err := get(t, e)
	require.NoError(t, err)
	require.True(t, there)
	require.EqualValues(t, 2, limiter.count.Load(), "each request has its turn")

	target.Store("/again")
	_, _, err = get(t, e)
	requireKind(t, artwork.DownloadFailed, err)
	require.ErrorContains(t, err, "redirects")

	target.Store(other.URL)
	_, _, err = get(t, e)
	requireKind(t, artwork.Unavailable, err)
	require.Empty(t, leaked, "a service must not lead us into the private network")

	// Where a public address is led to, the key is not.
	req := httptest.NewRequest(http.MethodGet, "https://elsewhere.example/", nil)
	req.Header.Set("Api-Key", "secret")
	req.Header.Set("Referer", "https://example.org?api_key=secret")
	via := []*http.Request{httptest.NewRequest(http.MethodGet, "https://example.org/", nil)}
	require.NoError(t, e.checkRedirect(req, via))
	require.Empty(t, req.Header)
	req.URL.Scheme = "http"
	requireKind(t, artwork.DownloadFailed, e.checkRedirect(req, via))
}

func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		kind    artwork.ErrorKind
		says    string
	}{
		"401":         {status(401), artwork.Unavailable, "refuses to answer"},
		"404":         {status(404), artwork.DownloadFailed, "address"},
		"400":         {status(400), artwork.DownloadFailed, "question"},
		"501":         {status(501), artwork.Unavailable, "501"},
		"204":         {status(204), artwork.DownloadFailed, "204"},
		"an array":    {body(`[]`), artwork.DownloadFailed, "not understood"},
		"null":        {body(`null`), artwork.DownloadFailed, "not understood"},
		"nothing":     {body(``), artwork.DownloadFailed, "not understood"},
		"two objects": {body(`{} {}`), artwork.DownloadFailed, "not understood"},
		"deep":        {body(`{"x":` + strings.Repeat("[", 20000)), artwork.DownloadFailed, "not understood"},
		"ends too soon": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write([]byte(`{`))
		}, artwork.Unavailable, "breaks off"},
	} {
		e, _ := service(t, c.handler, nil)
		_, _, err := get(t, e)
		requireKind(t, c.kind, err)
		require.ErrorContains(t, err, "Example", name)
		require.ErrorContains(t, err, c.says, name)
	}
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	for _, code := range []int{404, 410} {
		e, _ := service(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }, func(s *Service, _ *terms) { s.AbsentAs404 = true })
		_, there, err := get(t, e)
		require.NoError(t, err)
		require.False(t, there)
	}
}

// TestNoKeyInErrors: what cannot be reached says so without its URL.
func TestNoKeyInErrors(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	for _, base := range []string{"http://" + free.Addr().String(), "http://name.invalid", "http://127.0.0.1:1"} {
		e, err := New("test", "", &turns{}, Backoff(time.Millisecond)).Open(Service{Provider: "x", Name: "Example", BaseURL: base, Keyed: true})
		require.NoError(t, err)
		_, _, err = Get[answer](t.Context(), e, "api/secret/x", url.Values{"api_key": {"secret"}})
		requireKind(t, artwork.Unavailable, err)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestBaseURLs(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://example.org", "http://127.0.0.1:8080/prefix/", "https://[::1]/x"} {
		require.NoError(t, CheckBaseURL(good), good)
	}
	for _, bad := range []string{"", "example.org", "ftp://example.org", "https://", "https://u:p@example.org", "https://example.org?key=x", "https://example.org#x", "https://:80", "http://exa mple"} {
		requireKind(t, artwork.InvalidInput, CheckBaseURL(bad))
		_, err := New("", "", nil).Open(Service{BaseURL: bad})
		requireKind(t, artwork.InvalidInput, err)
	}
}

func TestImageURLs(t *testing.T) {
	t.Parallel()
	e, err := New("", "", nil).Open(Service{BaseURL: "https://example.org", Secure: []string{"example.org"}})
	require.NoError(t, err)
	for raw, want := range map[string]string{
		"https://img.example.net/a b.jpg": "https://img.example.net/a%20b.jpg",
		"http://example.org/a.jpg":        "https://example.org/a.jpg",
		"http://IMG.example.org/a.jpg":    "https://IMG.example.org/a.jpg",
		"http://example.org:81/a.jpg":     "http://example.org:81/a.jpg",
		"http://notexample.org/a.jpg":     "http://notexample.org/a.jpg",
		" https://example.net/a?x=1 ":     "https://example.net/a?x=1",
		"":                                "", "/a.jpg": "", "//example.org/a.jpg": "", "https:///a.jpg": "", "https://:443/a.jpg": "",
		"javascript:alert(1)": "", "file:///etc/passwd": "", "https://u@example.org/": "", "https:example.org/a.jpg": "",
		"https://example.org/\x00": "", "https://example.org/" + strings.Repeat("x", maxURL): "",
	} {
		require.Equal(t, want, e.ImageURL(raw), raw)
	}
}

func TestOffers(t *testing.T) {
	t.Parallel()
	e, err := New("", "", nil).Open(Service{Provider: "x", BaseURL: "https://example.org"})
	require.NoError(t, err)
	offers := e.Offers()
	require.Empty(t, offers.List())
	offers.Add(findimages.Candidate{Slot: artwork.SlotLogo, URL: "https://a/1", ThumbnailURL: "https://a/1", Width: 7, Votes: -1, Attribution: "a\n\x00b\xff"})
	offers.Add(findimages.Candidate{Slot: artwork.SlotProfile, URL: "https://a/2", ThumbnailURL: "data:x"})
	offers.Add(findimages.Candidate{Slot: artwork.SlotProfile, URL: "https://a/2"})
	offers.Add(findimages.Candidate{Slot: artwork.SlotLogo, URL: "https://a/2", Licence: strings.Repeat("é", 600)})
	require.Equal(t, []findimages.Candidate{
		{Provider: "x", Slot: artwork.SlotProfile, URL: "https://a/2"},
		{Provider: "x", Slot: artwork.SlotLogo, URL: "https://a/1", Attribution: "a b"},
		{Provider: "x", Slot: artwork.SlotLogo, URL: "https://a/2", Licence: strings.Repeat("é", 499) + "…"},
	}, offers.List())
	for i := range 2 * maxOffers {
		offers.Add(findimages.Candidate{URL: "https://a/many" + strings.Repeat("x", i)})
	}
	require.Len(t, offers.List(), maxOffers)
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Number{
		`7`: 7, `"7"`: 7, `7.9`: 7, `-1`: 0, `"-1"`: 0, `null`: 0, `""`: 0, `"many"`: 0, `[]`: 0, `{}`: 0, `true`: 0, `1e300`: 1<<31 - 1, `"NaN"`: 0,
	} {
		n := Number(5)
		require.NoError(t, json.Unmarshal([]byte(text), &n), text)
		require.Equal(t, want, n, text)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wanted, given string
		want          Likeness
	}{
		{"Björk", "BJÖRK", Same},
		{"Guns N' Roses", "Guns N’ Roses", Same},
		{"The Beatles", "Beatles", Similar},
		{"Simon & Garfunkel", "Simon and Garfunkel", Similar},
		{"AC/DC", "AC DC", Similar},
		{"Homogenic", "Homogenic (Deluxe Edition)", Similar},
		{"Homogenic", "Homogenic [Live]", Similar},
		{"Nevermind (Live)", "Nevermind (Deluxe)", Different},
		{"Nevermind (Live)", "Nevermind [live]", Similar},
		{"!!!", "!!!", Same},
		{"(!)", "(?)", Different},
		{"!!!", "???", Different},
		{"The The", "The", Different},
		{"Nirvana", "Nirvana Tribute Band", Different},
		{"東京事変", "東京", Different},
		{"", "x", Different},
	} {
		require.Equal(t, c.want, Compare(c.wanted, c.given), "%q %q", c.wanted, c.given)
		require.Equal(t, c.want, Compare(c.given, c.wanted), "%q %q", c.given, c.wanted)
	}
	album := catalog.Album{Name: "Hits", ArtistName: "Various Artists"}
	require.Equal(t, Same, CompareAlbums(album, "Various", "Hits"))
	require.Equal(t, Different, CompareAlbums(album, "Somebody", "Hits"))
	require.Equal(t, Same, CompareAlbums(catalog.Album{Name: "Hits"}, "Anybody", "hits"))
	require.Equal(t, Similar, CompareAlbums(catalog.Album{Name: "Hits", ArtistName: "The Beatles"}, "Beatles", "hits"))
	require.Empty(t, SearchedArtist(album))
	require.Equal(t, "Vary", SearchedArtist(catalog.Album{ArtistName: " Vary "}))
	require.Equal(t, []string{"a", "A", "the a"}, Alike([]string{"the a", "b", "a", "A"}, func(s string) Likeness { return Compare("a", s) }))
}
