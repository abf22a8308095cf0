package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

// failing is a route that fails with the error.
type failing struct{ err error }

// Register implements Routes.
func (f failing) Register(r *Router) {
	r.public("/fails", func(*gin.Context) error { return f.err })
}

// TestAClientThatHasGone is never told of a success, should it read on.
func TestAClientThatHasGone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		want int
	}{"gone": {ctx, statusClientClosedRequest}, "there": {t.Context(), http.StatusInternalServerError}} {
		got := httptest.NewRecorder()
		router := NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{failing{context.Canceled}})
		router.ServeHTTP(got, httptest.NewRequestWithContext(c.ctx, http.MethodGet, "/fails", nil))
		require.Equal(t, c.want, got.Code, name)
	}
}
