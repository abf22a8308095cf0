package integration

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// exchange is a request and what is to be answered.
type exchange struct {
	name    string
	method  string // GET if it is empty
	path    string // that of the cover if it is empty
	headers string // "Name: value" lines
	status  int
	body    []byte            // if it is not nil
	has     map[string]string // headers of the answer; "" must be missing
}

// exhibit is what the table of requests is about: a cover, which has changed once.
type exhibit struct {
	*instance
	picture        []byte
	etag, modified string
	before, after  string // HTTP dates around modified
	custom         string // the path of the cover as an uploaded image
}

// asctime is the oldest way to write a date (RFC 9110, section 5.6.7).
const asctime = "Mon Jan _2 15:04:05 2006"

func newExhibit(t *testing.T) *exhibit {
	x := &exhibit{instance: combinations["memory and SQLite"](t).start(t), picture: musicfixture.Picture(200, 200, 7)}
	x.putArtist(artistID, "Semantics")
	x.putAlbum(albumID, artistID, "Semantics")
	applyCover(t, x.instance, musicfixture.Picture(30, 30, 6))
	tag := applyCover(t, x.instance, x.picture)
	served := x.get(coverPath)
	x.etag, x.modified = `"`+tag+`"`, served.Header.Get("Last-Modified")
	x.before, x.after = x.date(-time.Second, http.TimeFormat), x.date(time.Second, http.TimeFormat)
	x.custom = "/api/images/albums/" + albumID + "/custom/" + x.history(albumID)[0]["imageId"].(string)
	return x
}

// date returns when the cover has changed, but for the offset, in a format.
func (x *exhibit) date(offset time.Duration, format string) string {
	modified, err := http.ParseTime(x.modified)
	require.NoError(x.t, err)
	return modified.Add(offset).UTC().Format(format)
}

// TestSemantics is HTTP as RFC 9110 has it, request by request.
func TestSemantics(t *testing.T) {
	x := newExhibit(t)
	n := 0
	for group, exchanges := range map[string][]exchange{
		"conditions": x.conditions(), "ranges": x.ranges(), "range conditions": x.rangeConditions(), "HEAD": x.heads(), "renditions": x.renditions(), "parts of renditions": x.renditionParts(), "methods": x.methods(), "malformed": x.malformed(),
	} {
		n += len(exchanges)
		for _, e := range exchanges {
			t.Run(group+"/"+e.name, func(t *testing.T) { x.require(t, e) })
		}
	}
	require.Greater(t, n, 180)
}

func (x *exhibit) require(t *testing.T, e exchange) {
	method, path := e.method, e.path
	if method == "" {
		method = http.MethodGet
	}
	if path == "" {
		path = coverPath
	}
	req, err := http.NewRequestWithContext(t.Context(), method, x.base+path, nil)
	require.NoError(t, err)
	for line := range strings.Lines(e.headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		req.Header.Add(name, value)
	}
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, e.status, resp.StatusCode, string(body))
	if e.body != nil {
		require.True(t, string(e.body) == string(body), "%d bytes, not %d, or others", len(body), len(e.body))
	}
	for name, value := range e.has {
		require.Equal(t, value, resp.Header.Get(name), name)
	}
	x.requireAlways(t, method, resp, body)
}

// requireAlways checks what every answer has to have.
func (x *exhibit) requireAlways(t *testing.T, method string, resp *http.Response, body []byte) {
	switch {
	case method == http.MethodHead || resp.StatusCode == http.StatusNotModified:
		require.Empty(t, body)
	case resp.StatusCode >= http.StatusBadRequest:
		require.Equal(t, "application/problem+json", resp.Header.Get("Content-Type"))
		require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	}
	if resp.StatusCode >= http.StatusBadRequest {
		require.Empty(t, resp.Header.Get("ETag"), "an error is not the image")
		require.Empty(t, resp.Header.Get("Last-Modified"))
	}
	if resp.StatusCode == http.StatusNotModified {
		require.True(t, strings.HasPrefix(resp.Header.Get("ETag"), strings.TrimSuffix(x.etag, `"`)))
		require.Equal(t, "cross-origin", resp.Header.Get("Cross-Origin-Resource-Policy"))
		require.NotEmpty(t, resp.Header.Get("Cache-Control"))
		require.Empty(t, resp.Header.Get("Content-Type"))
	}
}

func (x *exhibit) conditions() []exchange {
	match, none, since, until := "If-Match: ", "If-None-Match: ", "If-Modified-Since: ", "If-Unmodified-Since: "
	ok, same, failed := http.StatusOK, http.StatusNotModified, http.StatusPreconditionFailed
	whole := map[string]string{"ETag": x.etag, "Last-Modified": x.modified, "Accept-Ranges": "bytes", "Content-Length": itoa(len(x.picture)), "Cache-Control": "no-cache", "Vary": ""}
	return []exchange{
		{name: "none", status: ok, body: x.picture, has: whole},
		{name: "the tag in the URL", path: coverPath + "?tag=" + strings.Trim(x.etag, `"`), status: ok, body: x.picture, has: map[string]string{"Cache-Control": "public, max-age=31536000, immutable"}},
		{name: "an old tag in the URL", path: coverPath + "?tag=0123456789abcdef", status: ok, body: x.picture, has: whole},
		{name: "the same tag", headers: none + x.etag, status: same},
		{name: "the same tag, of an uploaded image", path: x.custom, headers: none + x.etag, status: same, has: map[string]string{"Cache-Control": "public, max-age=31536000, immutable"}},
		{name: "another path of the cover", path: "/api/albums/" + albumID + "/cover", headers: none + x.etag, status: same},
		{name: "a weak tag", headers: none + "W/" + x.etag, status: same},
		{name: "a list", headers: none + `"a", ` + x.etag + `, "b"`, status: same},
		{name: "a list without spaces", headers: none + `"a",` + x.etag, status: same},
		{name: "a list of weak tags", headers: none + `W/"a", W/` + x.etag, status: same},
		{name: "a list with gaps", headers: none + `, ,` + x.etag + ",", status: same},
		{name: "a list on two lines", headers: none + `"a"` + "\n" + none + x.etag, status: same},
		{name: "any tag", headers: none + "*", status: same},
		{name: "another tag", headers: none + `"a"`, status: ok, body: x.picture, has: whole},
		{name: "a list of others", headers: none + `"a", W/"b"`, status: ok, body: x.picture},
		{name: "the tag in other letters", headers: none + strings.ToUpper(x.etag), status: ok, body: x.picture},
		{name: "the tag without quotes", headers: none + strings.Trim(x.etag, `"`), status: ok, body: x.picture},
		{name: "an empty tag", headers: none + `""`, status: ok, body: x.picture},
		{name: "a quote that is not closed", headers: none + `"a`, status: ok, body: x.picture},
		{name: "a weak tag in lower case", headers: none + "w/" + x.etag, status: ok, body: x.picture},
		{name: "since then", headers: since + x.modified, status: same},
		{name: "since later", headers: since + x.after, status: same},
		{name: "since earlier", headers: since + x.before, status: ok, body: x.picture},
		{name: "since then, as RFC 850 wrote it", headers: since + x.date(0, time.RFC850[:len(time.RFC850)-3]+"GMT"), status: same},
		{name: "since then, as asctime writes it", headers: since + x.date(0, asctime), status: same},
		{name: "since a date that is none", headers: since + "yesterday", status: ok, body: x.picture},
		{name: "since a number", headers: since + "1795425545", status: ok, body: x.picture},
		{name: "another tag, since later: the tag counts", headers: none + `"a"` + "\n" + since + x.after, status: ok, body: x.picture},
		{name: "the same tag, since earlier: the tag counts", headers: none + x.etag + "\n" + since + x.before, status: same},
		{name: "must be it", headers: match + x.etag, status: ok, body: x.picture},
		{name: "must be one of them", headers: match + `"a", ` + x.etag, status: ok, body: x.picture},
		{name: "must be one of them, on two lines", headers: match + `"a"` + "\n" + match + x.etag, status: ok, body: x.picture},
		{name: "must be any", headers: match + "*", status: ok, body: x.picture},
		{name: "must be another", headers: match + `"a"`, status: failed},
		{name: "must be it, weakly", headers: match + "W/" + x.etag, status: failed},
		{name: "must not be later than later", headers: until + x.after, status: ok, body: x.picture},
		{name: "must not be later than then", headers: until + x.modified, status: ok, body: x.picture},
		{name: "must not be later than earlier", headers: until + x.before, status: failed},
		{name: "must not be later than no date", headers: until + "x", status: ok, body: x.picture},
		{name: "must be it, and not later than earlier: the tag counts", headers: match + x.etag + "\n" + until + x.before, status: ok, body: x.picture},
		{name: "must be another, and is the same", headers: match + `"a"` + "\n" + none + x.etag, status: failed},
		{name: "must be it, and is the same", headers: match + x.etag + "\n" + none + x.etag, status: same},
		{name: "of what is no image", path: "/api/images/albums/" + artistID + "/cover", headers: none + "*", status: http.StatusNotFound},
	}
}

// part is an exchange that is answered with some of the bytes.
func (x *exhibit) part(name, ranges string, from, to int) exchange {
	return exchange{name: name, headers: "Range: " + ranges, status: http.StatusPartialContent, body: x.picture[from : to+1], has: map[string]string{
		"Content-Range": fmt.Sprintf("bytes %d-%d/%d", from, to, len(x.picture)), "Content-Length": itoa(to + 1 - from), "ETag": x.etag, "Content-Type": "image/jpeg",
	}}
}

func (x *exhibit) ranges() []exchange {
	size := len(x.picture)
	exchanges := []exchange{
		x.part("some", "bytes=10-19", 10, 19), x.part("the first byte", "bytes=0-0", 0, 0), x.part("the last byte", "bytes=-1", size-1, size-1), x.part("from there on", "bytes=100-", 100, size-1),
		x.part("all", "bytes=0-", 0, size-1), x.part("beyond the end", "bytes=10-99999999", 10, size-1), x.part("more than all from the end", "bytes=-99999999", 0, size-1),
		x.part("the unit in other letters", "Bytes=10-19", 10, 19), x.part("spaces", "bytes= 10-19 ", 10, 19), x.part("a gap", "bytes=,10-19,", 10, 19),
		x.part("one of two is beyond the end", "bytes=10-19,99999999-", 10, 19),
	}
	for name, ranges := range map[string]string{
		"another unit": "lines=1-2", "no unit": "10-19", "nothing": "bytes=", "only a unit": "bytes", "more than there is in all": "bytes=0-,0-", "too many": "bytes=" + strings.Repeat("1-1,", 40) + "1-1",
	} {
		exchanges = append(exchanges, exchange{name: name, headers: "Range: " + ranges, status: http.StatusOK, body: x.picture, has: map[string]string{"Content-Range": ""}})
	}
	for name, ranges := range map[string]string{
		"from the end": fmt.Sprintf("bytes=%d-", size), "after the end": "bytes=99999999-", "all after the end": "bytes=99999999-,88888888-99999999", "backwards": "bytes=19-10",
		"no numbers": "bytes=a-b", "two signs": "bytes=--1", "a fraction": "bytes=0.5-1", "half": "bytes=10", "one of two is none": "bytes=0-1,x", "too large for a number": "bytes=99999999999999999999-",
	} {
		exchanges = append(exchanges, exchange{name: name, headers: "Range: " + ranges, status: http.StatusRequestedRangeNotSatisfiable, has: map[string]string{
			"Content-Range": fmt.Sprintf("bytes */%d", size), "Accept-Ranges": "",
		}})
	}
	return exchanges
}

func (x *exhibit) rangeConditions() []exchange {
	whole := func(name, condition string) exchange {
		return exchange{name: name, headers: "Range: bytes=10-19\nIf-Range: " + condition, status: http.StatusOK, body: x.picture, has: map[string]string{"Content-Range": ""}}
	}
	some := func(name, condition string) exchange { return x.part(name, "bytes=10-19\n"+condition, 10, 19) }
	return []exchange{
		some("if it is this one", "If-Range: "+x.etag), some("if it is from then", "If-Range: "+x.modified),
		whole("if it is another", `"a"`), whole("if it is this one, weakly", "W/"+x.etag), whole("if it is from earlier", x.before), whole("if it is from later", x.after),
		whole("if it is none", "x"),
		{name: "beyond the end, if it is another", headers: "Range: bytes=99999999-\nIf-Range: \"a\"", status: http.StatusOK, body: x.picture},
		{name: "beyond the end, if it is this one", headers: "Range: bytes=99999999-\nIf-Range: " + x.etag, status: http.StatusRequestedRangeNotSatisfiable},
		{name: "a condition without a range", headers: "If-Range: " + x.etag, status: http.StatusOK, body: x.picture},
		{name: "what has not changed", headers: "Range: bytes=10-19\nIf-None-Match: " + x.etag, status: http.StatusNotModified},
		some("what has changed", `If-None-Match: "a"`), some("what must be it", "If-Match: "+x.etag),
		{name: "what must be another", headers: "Range: bytes=10-19\nIf-Match: \"a\"", status: http.StatusPreconditionFailed},
		{name: "of an uploaded image", path: x.custom, headers: "Range: bytes=0-0", status: http.StatusPartialContent, body: x.picture[:1]},
	}
}

// TestSeveralRanges are answered as parts, each with its place.
func TestSeveralRanges(t *testing.T) {
	x := newExhibit(t)
	got := x.get(coverPath, "Range", "bytes=0-1, 10-19, -1")
	require.Equal(t, http.StatusPartialContent, got.StatusCode)
	mediaType, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/byteranges", mediaType)
	parts := multipart.NewReader(strings.NewReader(string(got.body)), params["boundary"])
	for _, want := range [][2]int{{0, 1}, {10, 19}, {len(x.picture) - 1, len(x.picture) - 1}} {
		part, err := parts.NextPart()
		require.NoError(t, err)
		require.Equal(t, "image/jpeg", part.Header.Get("Content-Type"))
		require.Equal(t, fmt.Sprintf("bytes %d-%d/%d", want[0], want[1], len(x.picture)), part.Header.Get("Content-Range"))
		content, err := io.ReadAll(part)
		require.NoError(t, err)
		require.Equal(t, x.picture[want[0]:want[1]+1], content)
	}
	_, err = parts.NextPart()
	require.ErrorIs(t, err, io.EOF)
}

func (x *exhibit) heads() []exchange {
	like := map[string]string{"Content-Length": itoa(len(x.picture)), "Content-Type": "image/jpeg", "ETag": x.etag, "Last-Modified": x.modified}
	exchanges := []exchange{
		{name: "an image", status: http.StatusOK, has: like},
		{name: "an image with a range, which is for GET", headers: "Range: bytes=0-9", status: http.StatusOK, has: like},
		{name: "a range beyond the end", headers: "Range: bytes=99999999-", status: http.StatusOK, has: like},
		{name: "an uploaded image", path: x.custom, status: http.StatusOK, has: map[string]string{"ETag": x.etag, "Content-Length": itoa(len(x.picture))}},
		{name: "what has not changed", headers: "If-None-Match: " + x.etag, status: http.StatusNotModified},
		{name: "since then", headers: "If-Modified-Since: " + x.modified, status: http.StatusNotModified},
		{name: "what must be another", headers: `If-Match: "a"`, status: http.StatusPreconditionFailed},
		{name: "no image", path: "/api/images/artists/" + artistID + "/logo", status: http.StatusNotFound},
		{name: "no path", path: "/api/nothing", status: http.StatusNotFound},
		{name: "no UUID", path: "/api/images/albums/x/cover", status: http.StatusBadRequest},
		{name: "without a token", path: "/api/users", status: http.StatusUnauthorized},
		{name: "with a token", path: "/api/users", headers: "Authorization: Bearer " + x.token, status: http.StatusOK},
		{name: "where only POST is", path: "/api/admin/cache/flush", status: http.StatusMethodNotAllowed, has: map[string]string{"Allow": "POST"}},
	}
	for _, path := range []string{"/", "/health", "/health/live", "/api/artists", "/api/albums/" + albumID, coverPath + "/exists", "/api/openapi.json", "/api/docs"} {
		exchanges = append(exchanges, exchange{name: path, path: path, status: http.StatusOK})
	}
	for i := range exchanges {
		exchanges[i].method = http.MethodHead
	}
	return exchanges
}

func (x *exhibit) methods() []exchange {
	var exchanges []exchange
	for _, c := range []struct{ methods, path, allow string }{
		{"POST PUT PATCH DELETE TRACE BREW get", coverPath, "GET, HEAD"},
		{"POST PUT PATCH DELETE", x.custom, "GET, HEAD"},
		{"POST PUT", "/api/images/artists/" + artistID + "/profile", "GET, HEAD"},
		{"POST DELETE", "/health", "GET, HEAD"},
		{"POST", "/api/openapi.json", "GET, HEAD"},
		{"POST", "/", "GET, HEAD"},
		{"GET PUT DELETE", "/api/admin/cache/flush", "POST"},
		{"GET POST", "/api/admin/metadata/artist/background-position", "PATCH"},
	} {
		for method := range strings.FieldsSeq(c.methods) {
			exchanges = append(exchanges, exchange{
				name: method + " " + c.path, method: method, path: c.path, status: http.StatusMethodNotAllowed, has: map[string]string{"Allow": c.allow},
			})
		}
	}
	return exchanges
}

func (x *exhibit) malformed() []exchange {
	var exchanges []exchange
	refused := func(status int, paths ...string) {
		for _, path := range paths {
			exchanges = append(exchanges, exchange{name: path, path: path, status: status})
		}
	}
	for _, id := range []string{
		"x", albumID[1:], albumID + "0", "{" + albumID + "}", "urn:uuid:" + albumID, strings.ReplaceAll(albumID, "-", ""), albumID + "%20", "%00", "%ff",
		strings.Replace(albumID, "-", "_", 1), "g" + albumID[1:], "%EF%BC%91" + albumID[1:],
	} {
		refused(http.StatusBadRequest, "/api/images/albums/"+id+"/cover", "/api/artists/"+id)
	}
	refused(http.StatusBadRequest, coverPath+"?size=", coverPath+"?size=huge", coverPath+"?size=small&size=small", coverPath+"?format=webp", coverPath+"?size=small&format=bmp",
		coverPath+"?width=7", coverPath+"?Size=small", coverPath+"?%zz", coverPath+"?a;b", coverPath+"?tag=a&tag=b", x.custom+"?size=small",
		"/api/images/artists/"+artistID+"/poster", "/api/images/artists/"+artistID+"/Profile", "/api/images/artists/"+artistID+"/poster/exists",
		"/api/artists?page=0", "/api/artists?page=x", "/api/artists?page=", "/api/artists?page=1&page=2", "/api/artists?pageSize=1.5", "/api/artists?missing=", "/api/artists?missing=avatar",
		"/api/artists?query=%00", "/api/artists?query=%ff", "/api/artists?%", "/api/albums?artistId=", "/api/albums?artistid="+artistID, "/health?verbose", "/api/docs?theme=dark", "/?a=b")
	refused(http.StatusNotFound, coverPath+"/", "/api/images/albums//cover/x", "/API/artists", "/api/artists/", "/api//artists", "/api/images/albums/../artists", "/api/docs/../docs.js", "/api/docs/docs.html", "/%2e%2e/etc/passwd")
	return exchanges
}

// TestRequestsThatAreNone never reach a route, and are answered all the same.
func TestRequestsThatAreNone(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"no host":                    {"GET /health HTTP/1.1\r\n\r\n", 400},
		"two hosts":                  {"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		"a host with a space":        {"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
		"no method":                  {" /health HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"no version":                 {"GET /health\r\nHost: a\r\n\r\n", 400},
		"a version that there's not": {"GET /health HTTP/7.1\r\nHost: a\r\n\r\n", 505},
		"a path without a slash":     {"GET health HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"a bad escape":               {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		"no colon":                   {"GET /health HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400},
		"a space before the colon":   {"GET /health HTTP/1.1\r\nHost: a\r\nRange : bytes=0-1\r\n\r\n", 400},
		"a NUL in a header":          {"GET /health HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400},
		"a length that is none":      {"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", 400},
		"a negative length":          {"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
		"two lengths":                {"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
		"an unknown coding":          {"POST /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: rot13\r\n\r\n", 501},
		"a header too long":          {"GET /health HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", 431},
		"a path too long":            {"GET /" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
		"HTTP/1.0":                   {"GET /health HTTP/1.0\r\n\r\n", 200},
		"an absolute URL":            {"GET http://elsewhere/health HTTP/1.1\r\nHost: a\r\n\r\n", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.status, statusOfRaw(t, in.base, c.request))
		})
	}
}

// statusOfRaw sends what may be no request.
func statusOfRaw(t *testing.T, base, request string) int {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, request) }() // the server need not read all of it
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}
