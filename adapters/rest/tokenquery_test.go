package rest

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

// TestATokenLeavesTheQuery before anything else sees the request, so that nobody can log it.
func TestATokenLeavesTheQuery(t *testing.T) {
	for _, header := range []string{"", "Bearer other"} {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = httptest.NewRequest(http.MethodGet, "/api/events/stream?since=5&token=secret", nil)
		want := "Bearer secret"
		if header != "" {
			c.Request.Header.Set("Authorization", header)
			want = header
		}
		tokenFromQuery(c)
		require.Equal(t, want, c.Request.Header.Get("Authorization"))
		require.Equal(t, "since=5", c.Request.URL.RawQuery)
		require.NotContains(t, c.Request.RequestURI, "secret")
	}
}
