package s3store

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// impatient gives up soon, so that the tests need not wait.
var impatient = limits{dial: time.Second, stall: 100 * time.Millisecond, answer: 300 * time.Millisecond, put: 300 * time.Millisecond}

func openLimited(t *testing.T, limits limits, handler http.HandlerFunc) *Store {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	store, err := newStore(Options{Endpoint: server.URL, Bucket: "art", Region: "r", AccessKey: "a", SecretKey: "s"}, limits)
	require.NoError(t, err)
	return store
}

// TestASilentServerKeepsNobody: it accepts every request and never answers.
func TestASilentServerKeepsNobody(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]limits{
		"the connection stalls":    impatient,
		"the answer takes forever": {dial: time.Second, stall: time.Hour, answer: 300 * time.Millisecond, put: 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			store := openLimited(t, limits, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				<-ended
			})
			defer close(ended)
			hash := artwork.HashOf(nil)
			_, putErr := store.Put(t.Context(), []byte("x"))
			_, openErr := store.Open(t.Context(), hash)
			_, removeErr := store.Remove(t.Context(), hash, time.Now())
			for _, err := range []error{putErr, openErr, removeErr, store.Check(t.Context())} {
				require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
				require.NoError(t, t.Context().Err())
			}
		})
	}
}

// TestABodyThatStallsEndsTheRead, and does not look like the end of the caller's
// context.
func TestABodyThatStallsEndsTheRead(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	patient := limits{dial: 10 * time.Second, stall: 2 * time.Second, answer: 10 * time.Second, put: time.Second}
	store := openLimited(t, patient, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		_, _ = io.WriteString(w, "the beginning")
		_ = http.NewResponseController(w).Flush()
		<-ended
	})
	defer close(ended)
	f, err := store.Open(t.Context(), artwork.HashOf(nil))
	require.NoError(t, err)
	require.Equal(t, int64(1000), f.Size())
	got, err := io.ReadAll(f)
	require.Equal(t, "the beginning", string(got))
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
	_ = f.Close()
}
