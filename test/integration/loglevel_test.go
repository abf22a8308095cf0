package integration

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheLogLevelOfARunningServer: requests are seen from the moment at which the verb has
// returned, and not any more from the moment at which it took that back.
func TestTheLogLevelOfARunningServer(t *testing.T) {
	t.Parallel()
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}
	code, _, stderr := gatefold(t, d, "log-level")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "no server is running")

	server := serve(t, d)
	level := func(want string, args ...string) {
		t.Helper()
		code, stdout, stderr := gatefold(t, d, append([]string{"log-level"}, args...)...)
		require.Zero(t, code, stderr)
		require.Equal(t, want+"\n", stdout)
	}
	asked := func(n int) string { return fmt.Sprintf("/api/albums/89ad4ac3-39f7-470e-963a-56509c54637%d", n) }
	ask := func(n int) { require.Equal(t, http.StatusNotFound, server.get(asked(n)).StatusCode) }
	level("info")
	ask(1)
	level("debug", "debug")
	ask(2)
	level("error", "error")
	ask(3)
	level("error")
	level("info", "info")

	code, _, _ = gatefold(t, d, "log-level", "loud")
	require.Equal(t, 2, code)
	require.Zero(t, server.stop(t))
	log := server.log.String()
	require.NotContains(t, log, asked(1))
	require.Contains(t, log, asked(2))
	require.NotContains(t, log, asked(3))
	require.Contains(t, log, "Gatefold has stopped")
}
