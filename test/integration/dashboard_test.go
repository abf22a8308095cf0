package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// deployDir is where the configuration of other programs lies.
const deployDir = "../../deploy"

// tool returns a command of Prometheus' package.
func tool(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	require.NoError(t, err, "%s is missing: scripts/install-test-tools.sh installs it (Debian: apt-get install prometheus)", name)
	return exec.CommandContext(ctx, path, args...)
}

// TestAlertRules: the configuration is one, and each alert fires when it must, and only then.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "config", "prometheus.yml"}, {"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}} {
		cmd := tool(t.Context(), t, "promtool", args...)
		cmd.Dir = filepath.Join(deployDir, "prometheus")
		output, err := cmd.CombinedOutput()
		require.NoError(t, err, string(output))
	}
	rules, err := os.ReadFile(filepath.Join(deployDir, "prometheus", "rules.yml"))
	require.NoError(t, err)
	tests, err := os.ReadFile(filepath.Join(deployDir, "prometheus", "rules_test.yml"))
	require.NoError(t, err)
	for line := range strings.Lines(string(rules)) {
		if alert, ok := strings.CutPrefix(strings.TrimSpace(line), "- alert: "); ok {
			require.Contains(t, string(tests), "alertname: "+alert, "it has no test")
		}
	}
}

// prometheus starts a server that asks the instance every second, until the test ends.
func prometheus(t *testing.T, target string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address = listener.Addr().String()
	require.NoError(t, listener.Close())
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs: [{job_name: gatefold, static_configs: [{targets: ['%s']}]}]\n", target)
	write(t, filepath.Join(dir, "prometheus.yml"), []byte(config))
	log := &logBuffer{}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := tool(ctx, t, "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return address
}

// TestEveryPanelOfTheDashboardHasData: against a real Prometheus that watches a real instance.
func TestEveryPanelOfTheDashboardHasData(t *testing.T) {
	t.Parallel()
	in := combinations["two-level and Postgres"](t).start(t, "CACHE_SAMPLE_SHARE=1")
	address := prometheus(t, strings.TrimPrefix(in.base, "http://"))
	in.putArtist(artistID, "Watched")
	in.putAlbum(albumID, artistID, "On a Board")
	text, err := os.ReadFile(filepath.Join(deployDir, "grafana", "dashboards", "gatefold.json"))
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	variables := strings.NewReplacer("$instance", ".*", "$__rate_interval", "20s", "$__range", "1m")
	pending := map[string]string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			pending[variables.Replace(target.Expr)] = panel.Title
		}
	}
	require.NotEmpty(t, pending)
	for round, deadline := int64(0), time.Now().Add(60*time.Second); len(pending) > 0; round++ {
		require.True(t, time.Now().Before(deadline), "panels without data: %v", pending)
		applyCover(t, in, musicfixture.Picture(40, 40, round))
		in.get(coverPath + "?size=thumb")
		in.get(coverPath)
		for expr := range pending {
			if hasData(t, address, expr) {
				delete(pending, expr)
			}
		}
	}
}

// hasData reports whether a query returns anything.
func hasData(t *testing.T, address, expr string) bool {
	t.Helper()
	resp, err := http.Get("http://" + address + "/api/v1/query?" + url.Values{"query": {expr}}.Encode())
	if err != nil {
		return false // it is starting
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	var answer struct {
		Status, Error string
		Data          struct{ Result []any }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Equal(t, "success", answer.Status, "%s: %s", expr, answer.Error)
	return len(answer.Data.Result) > 0
}
