package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/rest/api"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
)

// parsers are routes that answer with what was read of a request, and with
// problems as every route does.
type parsers struct {
	images *Images
	image  *artwork.Image
}

// uploadLimit is the most that the file of an upload may have.
const uploadLimit = 1000

// applied is what bodies of applies are read into.
type applied struct {
	AlbumID  artwork.ID `json:"albumId"`
	CoverURL string     `json:"coverUrl"`
	Locked   *bool      `json:"locked"`
}

// Register implements Routes.
func (p *parsers) Register(r *Router) {
	r.public("/image", func(c *gin.Context) error {
		v, err := viewOf(c, artwork.TypeCover)
		if err != nil {
			return err
		}
		keep(c, p.image, v)
		return p.images.write(c, p.image)
	})
	r.public("/api/albums", func(c *gin.Context) error {
		query, err := readQuery(c, artwork.AlbumSubject)
		if err == nil {
			err = query.Check(artwork.AlbumSubject)
		}
		if err == nil {
			c.JSON(http.StatusOK, query)
		}
		return err
	})
	r.public("/match", func(c *gin.Context) error {
		tag, err := ifMatch(c)
		if err == nil {
			c.String(http.StatusOK, "%s", tag)
		}
		return err
	})
	r.engine.POST("/json", r.run(func(c *gin.Context) error {
		var in applied
		err := decodeJSON(c, &in)
		if err == nil {
			c.JSON(http.StatusOK, in)
		}
		return err
	}))
	r.engine.PUT("/api/albums/:id", r.run(func(c *gin.Context) error {
		var in api.AlbumFields
		err := decodeJSON(c, &in)
		if err == nil {
			c.JSON(http.StatusOK, in)
		}
		return err
	}))
	r.engine.POST("/upload", r.run(func(c *gin.Context) error {
		form, err := readUpload(c, uploadLimit, "imageType")
		if err == nil {
			c.JSON(http.StatusOK, gin.H{"content": form.content, "fields": form.fields})
		}
		return err
	}))
}

// content is the image that is served.
var content = bytes.Repeat([]byte("0123456789"), 100)

func newParsers(tb testing.TB) *Router {
	tb.Helper()
	store := memory.NewStore(0)
	hash, err := store.Put(tb.Context(), content)
	require.NoError(tb, err)
	image := &artwork.Image{
		Content: artwork.Content{Hash: hash, Size: int64(len(content)), MIMEType: "image/jpeg"},
		Tag:     artwork.TagOf(hash, nil), LastModified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	return NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{&parsers{&Images{content: serveimage.NewOpenContent(store)}, image}})
}

// answer sends a request and returns the answer, in which nothing went wrong on
// this side; and a problem is one.
func answer(t *testing.T, r *Router, req *http.Request, problems ...int) *httptest.ResponseRecorder {
	t.Helper()
	got := httptest.NewRecorder()
	r.ServeHTTP(got, req)
	if got.Code < http.StatusBadRequest || got.Code == http.StatusRequestedRangeNotSatisfiable || got.Code == http.StatusPreconditionFailed {
		return got
	}
	require.Contains(t, problems, got.Code, got.Body)
	require.Equal(t, "application/problem+json", got.Header().Get("Content-Type"))
	require.True(t, json.Valid(got.Body.Bytes()))
	return got
}

// FuzzServe: whatever is asked of an image, the answer is the image, a part of it,
// or that it has not changed; or what was wrong with the question.
func FuzzServe(f *testing.F) {
	r := newParsers(f)
	tag := `"` + string(artwork.TagOf(artwork.HashOf(content), nil)) + `"`
	for _, seed := range [][5]string{
		{}, {"size=small", "", "", "", ""}, {"size=small&format=webp&tag=1", "", "", "", ""}, {"tag=" + strings.Trim(tag, `"`), "bytes=0-9", "", "", ""},
		{"size", "bytes=-1", "", "", ""}, {"format=webp", "bytes=990-", "", "", ""}, {"size=small;tag=1", "bytes=0-1,5-6", "", "", ""}, {"%zz", "bytes=2000-", "", "", ""},
		{"tag=a&tag=b", "bytes=9-1", tag, "", ""}, {"size=huge", "bytes=", `W/` + tag + `, "b"`, "", ""}, {"", "bytes=0-9", "*", tag, ""}, {"", "bytes=0-9", `"`, `"other"`, ""},
		{"", "bytes=1-1,1-1,1-1", "", "", "Fri, 02 Jan 2026 03:04:05 GMT"}, {"", "lines=1-2", "", "Fri, 02 Jan 2026 03:04:05 GMT", "not a date"}, {"", "bytes=18446744073709551616-", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	f.Fuzz(func(t *testing.T, query, ranges, ifNoneMatch, ifRange, ifModifiedSince string) {
		req := httptest.NewRequest(http.MethodGet, "/image", nil)
		req.URL.RawQuery = query
		for name, value := range map[string]string{"Range": ranges, "If-None-Match": ifNoneMatch, "If-Range": ifRange, "If-Modified-Since": ifModifiedSince} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		got := answer(t, r, req, http.StatusBadRequest)
		switch got.Code {
		case http.StatusOK:
			require.True(t, bytes.Equal(content, got.Body.Bytes()))
			require.Equal(t, tag, got.Header().Get("ETag"))
			immutably := got.Header().Get("Cache-Control") == immutable
			require.Equal(t, req.URL.Query().Get("tag") == strings.Trim(tag, `"`), immutably)
		case http.StatusPartialContent:
			require.NotEmpty(t, ranges)
			requirePart(t, got)
		case http.StatusNotModified:
			require.NotEmpty(t, ifNoneMatch+ifModifiedSince)
			require.Empty(t, got.Body.Bytes())
			require.Equal(t, tag, got.Header().Get("ETag"))
		case http.StatusRequestedRangeNotSatisfiable:
			require.NotEmpty(t, ranges)
		default:
			require.Equal(t, http.StatusBadRequest, got.Code)
		}
	})
}

// requirePart checks a range: what it says to be is what it is.
func requirePart(t *testing.T, got *httptest.ResponseRecorder) {
	t.Helper()
	var from, to, size int
	described := got.Header().Get("Content-Range")
	if described == "" {
		require.Contains(t, got.Header().Get("Content-Type"), "multipart/byteranges")
		return
	}
	_, err := fmt.Sscanf(described, "bytes %d-%d/%d", &from, &to, &size)
	require.NoError(t, err)
	require.Equal(t, len(content), size)
	require.True(t, bytes.Equal(content[from:to+1], got.Body.Bytes()))
}

// FuzzQuery: a list is asked for as it can be answered, or not at all.
func FuzzQuery(f *testing.F) {
	r := newParsers(f)
	for _, seed := range []string{
		"", "query=a&missing=cover&page=2&pageSize=200", "page=0", "page=1e3", "pageSize=201", "page=+1", "missing=logo", "artistId=6d1d3b8e-3c1e-4a55-8a63-5a0f5a1f2c11",
		"artistId=", "query=%00", "query=%ff", "query=a&query=b", "%zz", "a;b", "page=99999999999999999999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		req := httptest.NewRequest(http.MethodGet, "/api/albums", nil)
		req.URL.RawQuery = query
		got := answer(t, r, req, http.StatusBadRequest)
		values, err := url.ParseQuery(query)
		if err != nil || len(values["page"]) > 1 {
			require.Equal(t, http.StatusBadRequest, got.Code, "%q", query)
		}
	})
}

// FuzzIfMatch: a condition is one tag in quotes, or none.
func FuzzIfMatch(f *testing.F) {
	r := newParsers(f)
	for _, seed := range []string{"", "*", `"0123456789abcdef"`, `W/"a"`, `"a", "b"`, `"`, `""`, " \"a\"\t", `"a"b"`, "a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		req := httptest.NewRequest(http.MethodGet, "/match", nil)
		req.Header.Set("If-Match", header)
		got := answer(t, r, req, http.StatusBadRequest)
		if got.Code != http.StatusOK || got.Body.Len() == 0 {
			require.True(t, got.Code != http.StatusOK || slices.Contains([]string{"", "*"}, strings.TrimSpace(header)), "%q means nothing", header)
			return
		}
		require.Equal(t, strings.TrimSpace(header), `"`+got.Body.String()+`"`)
	})
}

// FuzzJSON: what is accepted is one object of known fields, which says the same
// when it is written again.
func FuzzJSON(f *testing.F) {
	r := newParsers(f)
	for _, seed := range []string{
		`{}`, ``, `null`, `[]`, `7`, `"x"`, `{} {}`, `{"albumId":"6d1d3b8e-3c1e-4a55-8a63-5a0f5a1f2c11","coverUrl":"http://a/","locked":true}`, `{"albumId":7}`, `{"albumId":""}`,
		`{"other":1}`, `{"coverUrl":"\ud800"}`, `{"coverUrl":"\u0000"}`, `{"COVERURL":"a"}`, `{"locked":null}`, "{\"coverUrl\":\"\xff\"}", `{"coverUrl":"a","coverUrl":"b"}`, strings.Repeat("[", 20_000),
	} {
		f.Add([]byte(seed))
	}
	post := func(t *testing.T, body []byte) *httptest.ResponseRecorder {
		t.Helper()
		return answer(t, r, httptest.NewRequest(http.MethodPost, "/json", bytes.NewReader(body)), http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := post(t, body)
		if got.Code != http.StatusOK {
			return
		}
		require.True(t, json.Valid(body))
		require.True(t, bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")), "%q is no object", body)
		again := post(t, got.Body.Bytes())
		require.Equal(t, http.StatusOK, again.Code)
		require.Equal(t, got.Body.String(), again.Body.String())
	})
}

// FuzzContract: what the contract lets through is what the handler can read, and means
// the same when it is written again.
func FuzzContract(f *testing.F) {
	r := newParsers(f)
	const id = "6d1d3b8e-3c1e-4a55-8a63-5a0f5a1f2c11"
	for _, seed := range []string{
		`{"name":"Uno","artistId":"` + id + `"}`, `{"name":"Uno","artistId":"` + id + `","year":1999,"mbzAlbumId":null,"mbzReleaseGroupId":""}`, `{"name":"","artistId":"` + id + `"}`,
		`{"name":"Uno"}`, `{"name":"Uno","artistId":"x"}`, `{"NAME":"Uno","artistId":"` + id + `"}`, `{"name":"Uno","artistId":"` + id + `","year":1e3}`, `{"name":"Uno","artistId":"` + id + `","year":0.5}`,
		`{"name":"\ud800","artistId":"` + id + `"}`, `{"name":"a","name":7,"artistId":"` + id + `"}`, `null`, `[]`, `{}{}`, ``, `{"name":"Uno","artistId":"` + id + `","year":-0}`, `{"name":"Uno","artistId":"` + id + `","year":1e400}`,
	} {
		f.Add(id, "", []byte(seed))
	}
	f.Add("x", "a=b", []byte(`{}`))
	f.Add(id, "%zz", []byte(`{}`))
	put := func(t *testing.T, id, query string, body []byte) *httptest.ResponseRecorder {
		t.Helper()
		req := httptest.NewRequest(http.MethodPut, "/api/albums/x", bytes.NewReader(body))
		req.URL.Path, req.URL.RawQuery = "/api/albums/"+id, query
		return answer(t, r, req, http.StatusBadRequest, http.StatusNotFound)
	}
	f.Fuzz(func(t *testing.T, id, query string, body []byte) {
		got := put(t, id, query, body)
		if got.Code != http.StatusOK {
			return
		}
		_, err := artwork.ParseID(id)
		require.NoError(t, err)
		again := put(t, id, "", got.Body.Bytes())
		require.Equal(t, got.Body.String(), again.Body.String())
	})
}

// FuzzUpload: of a multipart body nothing is taken that is not in it, and no more
// than may be.
func FuzzUpload(f *testing.F) {
	r := newParsers(f)
	const boundary = "b"
	seed := func(write func(w *multipart.Writer)) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		require.NoError(f, w.SetBoundary(boundary))
		write(w)
		require.NoError(f, w.Close())
		f.Add("multipart/form-data; boundary="+boundary, body.Bytes())
	}
	file := func(w *multipart.Writer, size int) {
		part, err := w.CreateFormFile("file", "../cover.jpg")
		require.NoError(f, err)
		_, err = part.Write(make([]byte, size))
		require.NoError(f, err)
	}
	field := func(w *multipart.Writer, name, value string) { require.NoError(f, w.WriteField(name, value)) }
	seed(func(*multipart.Writer) {})
	seed(func(w *multipart.Writer) { file(w, 10) })
	seed(func(w *multipart.Writer) { file(w, 0); field(w, "imageType", "profile") })
	seed(func(w *multipart.Writer) { field(w, "imageType", "profile"); file(w, uploadLimit+1) })
	seed(func(w *multipart.Writer) { file(w, 1); file(w, 2) })
	seed(func(w *multipart.Writer) { field(w, "other", "") })
	f.Add("image/jpeg", []byte("x"))
	f.Add("multipart/form-data", []byte("--b--"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"file\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41\r\n--b--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		req := httptest.NewRequest(http.MethodPost, "/upload", bytes.NewReader(body))
		req.Header.Set("Content-Type", contentType)
		got := answer(t, r, req, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
		if got.Code != http.StatusOK {
			return
		}
		var form struct {
			Content []byte
			Fields  map[string]string
		}
		require.NoError(t, json.Unmarshal(got.Body.Bytes(), &form))
		require.LessOrEqual(t, len(form.Content), uploadLimit)
		require.True(t, bytes.Contains(body, form.Content), "the file is not in the body as it was taken")
		for name, value := range form.Fields {
			require.Equal(t, "imageType", name)
			require.LessOrEqual(t, len(value), maxField*len("\ufffd"))
		}
	})
}
