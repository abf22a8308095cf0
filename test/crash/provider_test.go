package crash

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"gatefold/test/musicfixture"
)

// picture returns the n-th picture.
func picture(n int64) []byte { return musicfixture.Picture(40, 40, n) }

// provider serves every picture there is; of those under /half only one half, and
// then nothing until the client has gone.
type provider struct {
	*httptest.Server
	halfSent chan struct{}
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{halfSent: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("/whole/{n}", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(numbered(r)) })
	mux.HandleFunc("/half/{n}", func(w http.ResponseWriter, r *http.Request) {
		content := numbered(r)
		_, _ = w.Write(content[:len(content)/2])
		_ = http.NewResponseController(w).Flush()
		p.halfSent <- struct{}{}
		<-r.Context().Done()
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func numbered(r *http.Request) []byte {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		panic(err)
	}
	return picture(n)
}

func (p *provider) whole(n int64) string { return fmt.Sprintf("%s/whole/%d", p.URL, n) }
func (p *provider) half(n int64) string  { return fmt.Sprintf("%s/half/%d", p.URL, n) }
