package rest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"

	"testing"
)

// blank is an answer that costs nothing to write.
type blank struct{ header http.Header }

func (b *blank) Header() http.Header         { return b.header }
func (b *blank) WriteHeader(int)             {}
func (b *blank) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkRequest is what the router itself costs.
func BenchmarkRequest(b *testing.B) {
	r := NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{stubs{}})
	req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
	b.ReportAllocs()
	for b.Loop() {
		r.ServeHTTP(&blank{http.Header{}}, req)
	}
}
