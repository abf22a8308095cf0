package s3store_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/s3store"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

func optionsOf(bucket testenv.S3Bucket) s3store.Options {
	return s3store.Options{
		Endpoint: bucket.Endpoint, Bucket: bucket.Name, Region: bucket.Region,
		AccessKey: bucket.AccessKey, SecretKey: bucket.SecretKey,
	}
}

func open(t conformance.TB, options s3store.Options) *s3store.Store {
	t.Helper()
	store, err := s3store.New(options)
	require.NoError(t, err)
	return store
}

func TestStore(t *testing.T) {
	conformance.RunImageStore(t, func(t conformance.TB) artwork.ImageStore { return open(t, optionsOf(testenv.S3(t))) })
}

// alternating spreads the calls over two Stores on one bucket.
type alternating struct {
	stores [2]artwork.ImageStore
	calls  atomic.Int64
}

func (a *alternating) next() artwork.ImageStore { return a.stores[a.calls.Add(1)%2] }

func (a *alternating) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	return a.next().Put(ctx, content)
}

func (a *alternating) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	return a.next().Open(ctx, hash)
}

func (a *alternating) Remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	return a.next().Remove(ctx, hash, since)
}

func (a *alternating) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	return a.next().List(ctx, visit)
}

func TestTwoStoresUnderOnePrefix(t *testing.T) {
	conformance.RunImageStore(t, func(t conformance.TB) artwork.ImageStore {
		options := optionsOf(testenv.S3(t))
		options.Prefix, options.Style = "art/work", s3store.StylePath
		return &alternating{stores: [2]artwork.ImageStore{open(t, options), open(t, options)}}
	})
}

// plain is a store as it is written without thinking of races, of repeated
// uploads and of buckets with more objects than one answer lists.
type plain struct {
	*s3store.Store
	bucket      string
	client      *minio.Client
	looked, put chan struct{} // if not nil: a second Put comes between Remove's look and its deletion
}

func (p *plain) stat(ctx context.Context, hash artwork.Hash) (minio.ObjectInfo, error) {
	return p.client.StatObject(ctx, p.bucket, hash.Path(), minio.StatObjectOptions{})
}

func (p *plain) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	_, err := p.stat(ctx, artwork.HashOf(content))
	switch {
	case err != nil:
		return p.Store.Put(ctx, content)
	case p.looked == nil:
		return artwork.HashOf(content), nil
	}
	<-p.looked
	defer close(p.put)
	return p.Store.Put(ctx, content)
}

func (p *plain) Remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	info, err := p.stat(ctx, hash)
	if p.looked != nil {
		close(p.looked)
		<-p.put
	} else if isNoObject := minio.ToErrorResponse(err).Code == minio.NoSuchKey; isNoObject || info.LastModified.After(since) {
		return false, nil
	}
	return true, p.client.RemoveObject(ctx, p.bucket, hash.Path(), minio.RemoveObjectOptions{})
}

func (p *plain) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	listed := 0
	return p.Store.List(ctx, func(info artwork.StoredInfo) error {
		if listed++; listed > 100 {
			return nil
		}
		return visit(info)
	})
}

func TestSuiteCatchesPlainStore(t *testing.T) {
	for name, races := range map[string]bool{
		"Remove never takes what a racing Put promised": true,
		"Put twice renews ModTime":                      false,
		"Remove keeps what was Put at that very time":   false,
		"List visits everything once":                   false,
	} {
		t.Run(name, func(t *testing.T) {
			conformance.Rejects(t, conformance.ImageStoreCases(), name, func(tb conformance.TB) artwork.ImageStore {
				bucket := testenv.S3(tb)
				twin := &plain{Store: open(tb, optionsOf(bucket)), bucket: bucket.Name, client: operator(tb, bucket)}
				if races {
					twin.looked, twin.put = make(chan struct{}), make(chan struct{})
				}
				return twin
			})
		})
	}
}

// operator returns a client of the bucket's server.
func operator(t conformance.TB, bucket testenv.S3Bucket) *minio.Client {
	t.Helper()
	client, err := minio.New(strings.TrimPrefix(bucket.Endpoint, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(bucket.AccessKey, bucket.SecretKey, ""), Region: bucket.Region,
	})
	require.NoError(t, err)
	return client
}

// link is a way to an S3 server on which tests meet the requests.
type link struct {
	mu       sync.Mutex
	requests []string
	meet     func(*http.Request) // before a request goes on; may be nil
	answer   func(http.ResponseWriter, *http.Request) (handled bool)
}

// through returns the options of a store that talks to the bucket over the link.
func (l *link) through(t *testing.T, bucket testenv.S3Bucket) s3store.Options {
	t.Helper()
	target, err := url.Parse(bucket.Endpoint)
	require.NoError(t, err)
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.requests = append(l.requests, r.Method+" "+r.URL.Path+" "+r.Header.Get("Range"))
		l.mu.Unlock()
		if l.meet != nil {
			l.meet(r)
		}
		if l.answer == nil || !l.answer(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	options := optionsOf(bucket)
	options.Endpoint = server.URL
	return options
}

// count returns how many requests have come whose description contains the text.
func (l *link) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, request := range l.requests {
		if strings.Contains(request, text) {
			n++
		}
	}
	return n
}

func put(t *testing.T, store artwork.ImageStore, content []byte) artwork.Hash {
	t.Helper()
	hash, err := store.Put(t.Context(), content)
	require.NoError(t, err)
	return hash
}

func requireHolds(t *testing.T, store artwork.ImageStore, content []byte) {
	t.Helper()
	f, err := store.Open(t.Context(), artwork.HashOf(content))
	require.NoError(t, err)
	got, err := io.ReadAll(f)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.NoError(t, f.Close())
}

func requireNotFound(t *testing.T, store artwork.ImageStore, hash artwork.Hash) {
	t.Helper()
	_, err := store.Open(t.Context(), hash)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "%v", err)
}

// age makes the server believe that all objects were put so long ago.
func age(t *testing.T, bucket testenv.S3Bucket, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	require.NoError(t, filepath.WalkDir(filepath.Join(bucket.Dir, "images"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return os.Chtimes(path, then, then)
	}))
}

func list(t *testing.T, store artwork.ImageStore) []artwork.StoredInfo {
	t.Helper()
	var all []artwork.StoredInfo
	require.NoError(t, store.List(t.Context(), func(info artwork.StoredInfo) error {
		all = append(all, info)
		return nil
	}))
	return all
}

func TestRemoveTakesTwoSteps(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	store := open(t, optionsOf(bucket))
	content := []byte("an orphan")
	hash := put(t, store, content)
	remove := func() bool {
		removed, err := store.Remove(t.Context(), hash, time.Now().Add(-24*time.Hour))
		require.NoError(t, err)
		return removed
	}
	require.False(t, remove(), "it was put a moment ago")
	age(t, bucket, 25*time.Hour)
	require.True(t, remove())
	requireHolds(t, store, content)
	all := list(t, store)
	require.Len(t, all, 1)
	require.WithinDuration(t, time.Now(), all[0].ModTime, time.Hour, "it waits anew")
	require.False(t, remove())

	age(t, bucket, 25*time.Hour)
	require.True(t, remove())
	requireNotFound(t, store, hash)
	require.Empty(t, list(t, store))
	require.False(t, remove())
}

// TestAPutBetweenLookAndDeletion: the bytes are there, and stay until the Put has
// had its time to be recorded.
func TestAPutBetweenLookAndDeletion(t *testing.T) {
	t.Parallel()
	for name, method := range map[string]string{"before the copy": http.MethodPut, "before the deletion": http.MethodDelete} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := testenv.S3(t)
			direct := open(t, optionsOf(bucket))
			content := []byte("wanted again")
			hash := put(t, direct, content)
			age(t, bucket, 48*time.Hour)

			races := &link{}
			var once sync.Once
			races.meet = func(r *http.Request) {
				if r.Method == method {
					once.Do(func() { put(t, direct, content) })
				}
			}
			_, err := open(t, races.through(t, bucket)).Remove(t.Context(), hash, time.Now().Add(-24*time.Hour))
			require.NoError(t, err)
			requireHolds(t, direct, content)
			removed, err := direct.Remove(t.Context(), hash, time.Now().Add(-time.Hour))
			require.NoError(t, err)
			require.False(t, removed)
			requireHolds(t, direct, content)
			require.Len(t, list(t, direct), 1)
		})
	}
}

func TestAnImagePutAnewBesideItsCopyIsOne(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	store := open(t, optionsOf(bucket))
	content := []byte("back again")
	hash := put(t, store, content)
	age(t, bucket, 48*time.Hour)
	_, err := store.Remove(t.Context(), hash, time.Now().Add(-time.Hour))
	require.NoError(t, err)
	put(t, store, content)
	put(t, store, []byte("another"))
	require.Len(t, list(t, store), 2)
	removed, err := store.Remove(t.Context(), hash, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.True(t, removed)
	requireNotFound(t, store, hash)
	require.Len(t, list(t, store), 1)
}

// TestDamageOnTheWayIsNotStored: a server refuses what does not have the hash.
func TestDamageOnTheWayIsNotStored(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"in one request": 100_000, "in parts": 10 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := testenv.S3(t)
			damages := &link{meet: func(r *http.Request) {
				if r.Method != http.MethodPut {
					return
				}
				sent, err := io.ReadAll(r.Body)
				if err == nil && len(sent) > 0 {
					sent[len(sent)/2] ^= 1
				}
				r.Body = io.NopCloser(bytes.NewReader(sent))
			}}
			content := bytes.Repeat([]byte("image"), size/5)
			_, err := open(t, damages.through(t, bucket)).Put(t.Context(), content)
			require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
			direct := open(t, optionsOf(bucket))
			requireNotFound(t, direct, artwork.HashOf(content))
			require.Empty(t, list(t, direct))
		})
	}
}

func TestAFailedPutLeavesNoParts(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	refuses := &link{answer: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("partNumber") != "2" {
			return false
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusBadRequest)
		return true
	}}
	content := bytes.Repeat([]byte("image"), 4<<20)
	_, err := open(t, refuses.through(t, bucket)).Put(t.Context(), content)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
	requireNotFound(t, open(t, optionsOf(bucket)), artwork.HashOf(content))
	require.Equal(t, 1, refuses.count("PUT /"+bucket.Name+"/"+artwork.HashOf(content).Path())-1, "one part before the refused one")
	for upload := range operator(t, bucket).ListIncompleteUploads(t.Context(), bucket.Name, "", true) {
		require.Fail(t, "parts are left", upload.Key)
	}
}

// TestReadsAreFew: as http.ServeContent reads, and as who asks for ranges.
func TestReadsAreFew(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	counts := &link{}
	store := open(t, counts.through(t, bucket))
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	hash := put(t, store, content)

	f, err := store.Open(t.Context(), hash)
	require.NoError(t, err)
	for _, whence := range []int{io.SeekEnd, io.SeekStart} {
		_, err = f.Seek(0, whence)
		require.NoError(t, err)
	}
	got, err := io.ReadAll(f)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got))
	require.NoError(t, f.Close())
	require.Equal(t, 1, counts.count("GET"), "a whole read is one request")

	f, err = store.Open(t.Context(), hash)
	require.NoError(t, err)
	for _, at := range []int64{10, 1000, 900_005, 900_100, 500_000} {
		_, err = f.Seek(at, io.SeekStart)
		require.NoError(t, err)
		part := make([]byte, 10)
		_, err = io.ReadFull(f, part)
		require.NoError(t, err)
		require.Equal(t, content[at:at+10], part)
	}
	require.NoError(t, f.Close())
	require.Equal(t, 4, counts.count("GET"), "a far place is another request")
	require.Equal(t, 1, counts.count("bytes=900005-"))
	require.Zero(t, counts.count("HEAD"))
}

func TestListPassesOverForeignObjects(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	options := optionsOf(bucket)
	options.Prefix = "gatefold"
	store := open(t, options)
	hash := put(t, store, []byte("content"))
	other := artwork.HashOf([]byte("other"))
	client := operator(t, bucket)
	for _, foreign := range []string{
		other.Path(), "gatefold/images/README", "gatefold/" + hash.Path() + ".bak", "gatefold/images/00/" + other.String() + "0",
		"gatefold/images/" + other.String(), "gatefold/images/zz/" + other.String(), "gatefold/" + strings.ToUpper(other.Path()),
	} {
		_, err := client.PutObject(t.Context(), bucket.Name, foreign, strings.NewReader("x"), 1, minio.PutObjectOptions{})
		require.NoError(t, err, foreign)
	}
	all := list(t, store)
	require.Len(t, all, 1)
	require.Equal(t, hash, all[0].Hash)
	require.Equal(t, int64(len("content")), all[0].Size)
}

func TestPutHealsWhatIsDamaged(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	store := open(t, optionsOf(bucket))
	content := []byte("content")
	hash := put(t, store, content)
	require.NoError(t, os.WriteFile(filepath.Join(bucket.Dir, hash.Path()), []byte("CONTENT"), 0o600))
	put(t, store, content)
	requireHolds(t, store, content)
}

func TestAReadEndsWithTheContextOfItsOpen(t *testing.T) {
	t.Parallel()
	store := open(t, optionsOf(testenv.S3(t)))
	hash := put(t, store, bytes.Repeat([]byte("image"), 4<<20))
	ctx, cancel := context.WithCancel(t.Context())
	f, err := store.Open(ctx, hash)
	require.NoError(t, err)
	cancel()
	_, err = io.ReadAll(f)
	require.ErrorIs(t, err, context.Canceled)
	_ = f.Close()
}

// TestNoServer: everything fails, says so, and soon.
func TestNoServer(t *testing.T) {
	t.Parallel()
	server := testenv.S3Server(t)
	bucket := server.Bucket(t)
	store := open(t, optionsOf(bucket))
	hash := put(t, store, []byte("content"))
	require.NoError(t, store.Check(t.Context()))
	require.NoError(t, store.Probe(t.Context()))
	require.Len(t, list(t, store), 1, "a probe leaves nothing")

	server.Stop()
	begin := time.Now()
	_, putErr := store.Put(t.Context(), []byte("new"))
	_, openErr := store.Open(t.Context(), hash)
	_, removeErr := store.Remove(t.Context(), hash, time.Now().Add(time.Hour))
	listErr := store.List(t.Context(), func(artwork.StoredInfo) error { return nil })
	for _, err := range []error{putErr, openErr, removeErr, listErr, store.Check(t.Context()), store.Probe(t.Context())} {
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
		require.NotContains(t, err.Error(), bucket.SecretKey)
	}
	require.Less(t, time.Since(begin), 30*time.Second)
	require.ErrorContains(t, store.Check(t.Context()), "S3_ENDPOINT: "+bucket.Endpoint+" cannot be reached")

	server.Start(t)
	requireHolds(t, store, []byte("content"))
	require.NoError(t, store.Check(t.Context()))
}

// TestWrongSettingsAreNamed, by what a server really answers.
func TestWrongSettingsAreNamed(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	for variable, spoil := range map[string]func(*s3store.Options){
		"S3_BUCKET":     func(o *s3store.Options) { o.Bucket = "no-such-bucket" },
		"S3_ACCESS_KEY": func(o *s3store.Options) { o.AccessKey = "nobody" },
		"S3_SECRET_KEY": func(o *s3store.Options) { o.SecretKey = "hunter2" },
		"S3_REGION":     func(o *s3store.Options) { o.Region = "mars-north-1" },
		"S3_ENDPOINT":   func(o *s3store.Options) { o.Endpoint = strings.Replace(o.Endpoint, "http:", "https:", 1) },
	} {
		options := optionsOf(bucket)
		spoil(&options)
		store := open(t, options)
		for _, err := range []error{store.Check(t.Context()), store.Probe(t.Context())} {
			require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%s: %v", variable, err)
			require.ErrorContains(t, err, variable+": ")
			require.NotContains(t, err.Error(), options.SecretKey)
		}
		if variable == "S3_BUCKET" {
			_, err := store.Open(t.Context(), artwork.HashOf(nil))
			require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "that the image is gone would be a lie: %v", err)
			_, err = store.Remove(t.Context(), artwork.HashOf(nil), time.Now())
			require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
			err = store.List(t.Context(), func(artwork.StoredInfo) error { return nil })
			require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "an empty list would be a lie: %v", err)
		}
	}
}

// TestWhatServersAnswer is about answers that the server of the tests never gives.
func TestWhatServersAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		code, says string
		kind       artwork.ErrorKind
	}{
		{http.StatusInsufficientStorage, "XMinioStorageFull", "no room", artwork.StorageFull},
		{http.StatusInsufficientStorage, "", "no room", artwork.StorageFull},
		{http.StatusForbidden, "QuotaExceeded", "no room", artwork.StorageFull},
		{http.StatusForbidden, "AccessDenied", "S3_ACCESS_KEY: it may not", artwork.Unavailable},
		{http.StatusForbidden, "RequestTimeTooSkewed", "clocks", artwork.Unavailable},
		{http.StatusNotFound, "NoSuchBucket", "S3_BUCKET: there is no bucket", artwork.Unavailable},
		{http.StatusMovedPermanently, "PermanentRedirect", "S3_REGION", artwork.Unavailable},
		{http.StatusBadRequest, "NotImplemented", "answers with an error", artwork.Unavailable},
		{http.StatusServiceUnavailable, "SlowDown", "answers with an error", artwork.Unavailable},
	} {
		t.Run(http.StatusText(c.status)+" "+c.code, func(t *testing.T) {
			t.Parallel()
			says := &link{answer: func(w http.ResponseWriter, r *http.Request) bool {
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", "application/xml")
				w.WriteHeader(c.status)
				if c.code != "" {
					_, _ = io.WriteString(w, "<Error><Code>"+c.code+"</Code><Message>m</Message></Error>")
				}
				return true
			}}
			store := open(t, says.through(t, testenv.S3(t)))
			_, err := store.Put(t.Context(), []byte("content"))
			require.Equal(t, c.kind, artwork.KindOf(err), "%v", err)
			err = store.Probe(t.Context())
			require.Equal(t, c.kind, artwork.KindOf(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			_, err = store.Open(t.Context(), artwork.HashOf(nil))
			require.Equal(t, c.kind, artwork.KindOf(err), "%v", err)
		})
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	right := s3store.Options{Endpoint: "https://s3.example.com", Bucket: "art", Region: "eu-central-1", AccessKey: "a", SecretKey: "hunter2", Prefix: "gatefold/"}
	require.NoError(t, right.Check())
	store := open(t, right)
	require.Equal(t, "bucket art at https://s3.example.com", store.String())
	for variable, spoilers := range map[string][]func(*s3store.Options){
		"S3_ENDPOINT": {
			func(o *s3store.Options) { o.Endpoint = "" }, func(o *s3store.Options) { o.Endpoint = "s3.example.com" },
			func(o *s3store.Options) { o.Endpoint = "https://hunter2:x@s3.example.com" }, func(o *s3store.Options) { o.Endpoint = "https://s3.example.com/art" },
		},
		"S3_BUCKET":     {func(o *s3store.Options) { o.Bucket = "" }, func(o *s3store.Options) { o.Bucket = "A B" }},
		"S3_REGION":     {func(o *s3store.Options) { o.Region = "" }},
		"S3_ACCESS_KEY": {func(o *s3store.Options) { o.AccessKey = "" }, func(o *s3store.Options) { o.SecretKey = "" }},
		"S3_PREFIX": {
			func(o *s3store.Options) { o.Prefix = "/x" }, func(o *s3store.Options) { o.Prefix = "x//y" }, func(o *s3store.Options) { o.Prefix = "../x" },
		},
	} {
		for _, spoil := range spoilers {
			options := right
			spoil(&options)
			err := options.Check()
			require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%s %+v", variable, options.Endpoint)
			require.ErrorContains(t, err, variable+": ")
			require.NotContains(t, err.Error(), "hunter2")
		}
	}
}

// TestCredentialsOfTheEnvironment: without keys of its own the store uses those
// that the machine has.
func TestCredentialsOfTheEnvironment(t *testing.T) {
	bucket := testenv.S3(t)
	t.Setenv("AWS_ACCESS_KEY_ID", bucket.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", bucket.SecretKey)
	options := optionsOf(bucket)
	options.AccessKey, options.SecretKey = "", ""
	require.NoError(t, open(t, options).Probe(t.Context()))
}
