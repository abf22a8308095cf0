package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// metrics returns what an instance exports, by name.
func (in *instance) metrics() map[string]*dto.MetricFamily {
	in.t.Helper()
	a := in.get("/metrics")
	require.Equal(in.t, http.StatusOK, a.StatusCode)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(a.body)))
	require.NoError(in.t, err)
	return families
}

// counted returns the value of a counter or gauge, or the count of a histogram; labels are names and values.
func counted(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	require.Contains(t, families, name)
next:
	for _, metric := range families[name].Metric {
		for i := 0; i < len(labels); i += 2 {
			if labelOf(metric, labels[i]) != labels[i+1] {
				continue next
			}
		}
		return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
	}
	require.FailNow(t, "there is no series", "%s %v", name, labels)
	return 0
}

func labelOf(metric *dto.Metric, name string) string {
	for _, label := range metric.Label {
		if label.GetName() == name {
			return label.GetValue()
		}
	}
	return ""
}

// exported are the names that dashboards and alerts rest on.
var exported = []string{
	"gatefold_build_info", "gatefold_http_requests_total", "gatefold_http_requests_in_flight", "gatefold_event_streams", "gatefold_cache_reads_total",
	"gatefold_cache_read_duration_seconds", "gatefold_cache_load_duration_seconds", "gatefold_cache_change_duration_seconds", "gatefold_cache_changes_total", "gatefold_cache_misses_total",
	"gatefold_cache_refused_fills_total", "gatefold_cache_fences_met_total", "gatefold_cache_lease_waits_total", "gatefold_cache_fallbacks_total", "gatefold_cache_lost_fences_total",
	"gatefold_cache_breaker_open", "gatefold_cache_entries", "gatefold_cache_bytes", "gatefold_cache_samples_total", "gatefold_redis_command_duration_seconds", "gatefold_redis_pool_connections",
	"gatefold_redis_pool_timeouts_total", "gatefold_database_query_duration_seconds", "gatefold_database_pool_connections", "gatefold_database_pool_max_connections",
	"gatefold_database_pool_waits_total", "gatefold_render_duration_seconds", "gatefold_renders_running", "gatefold_renditions_rendered_total", "gatefold_download_duration_seconds",
	"gatefold_provider_search_duration_seconds", "gatefold_part_up", "gatefold_trace_spans_total", "go_goroutines", "process_open_fds",
}

// TestMetrics: what happens is counted where it is looked for, and every combination exports the
// same names, so that one dashboard shows them all.
func TestMetrics(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t, "CACHE_SAMPLE_SHARE=1")
		before := in.metrics()
		in.putArtist(artistID, "Counted")
		in.putAlbum(albumID, artistID, "Once")
		applyCover(t, in, musicfixture.Picture(60, 60, 1))
		for range 3 {
			require.Equal(t, http.StatusOK, in.get(coverPath+"?size=thumb").StatusCode)
		}
		after := in.metrics()
		grown := func(name string, labels ...string) float64 {
			return counted(t, after, name, labels...) - counted(t, before, name, labels...)
		}
		const route = "/api/images/albums/:id/cover"
		require.EqualValues(t, 3, grown("gatefold_http_requests_total", "method", "GET", "route", route, "code", "200"))
		require.EqualValues(t, 3, counted(t, after, "gatefold_http_request_duration_seconds", "method", "GET", "route", route, "class", "2xx"))
		require.EqualValues(t, 1, grown("gatefold_cache_changes_total", "result", "ok"))
		require.EqualValues(t, 1, grown("gatefold_cache_change_duration_seconds", "step", "all"))
		require.EqualValues(t, 1, grown("gatefold_renditions_rendered_total", "format", "jpeg"))
		hits := func(m map[string]*dto.MetricFamily) float64 {
			return counted(t, m, "gatefold_cache_reads_total", "level", "process", "kind", "album") + counted(t, m, "gatefold_cache_reads_total", "level", "shared", "kind", "album")
		}
		require.EqualValues(t, 2, hits(after)-hits(before))
		require.Positive(t, grown("gatefold_database_query_duration_seconds", "operation", "select", "result", "ok"))
		require.Zero(t, counted(t, after, "gatefold_database_query_duration_seconds", "operation", "other", "result", "error"))
		require.Equal(t, d.redis != nil, grown("gatefold_redis_command_duration_seconds", "command", "get", "result", "ok") > 0)
		require.EqualValues(t, 1, counted(t, after, "gatefold_part_up", "part", "database"))
		require.Zero(t, counted(t, after, "gatefold_cache_samples_total", "result", "stale"))
		require.Eventually(t, func() bool {
			return counted(t, in.metrics(), "gatefold_cache_samples_total", "result", "match") >= 2
		}, 20*time.Second, 10*time.Millisecond)
		for name := range before {
			require.Contains(t, after, name)
		}
		for _, name := range exported {
			require.Contains(t, before, name, "a metric that was never counted is exported all the same")
		}
	})
}

// labelled are all labels and the most values that each may have. What comes from outside never
// becomes one.
var labelled = map[string]int{
	"method": 8, "route": 200, "code": 30, "class": 6, "level": 8, "kind": 5, "result": 10, "reason": 15, "outcome": 6, "phase": 2, "step": 8, "operation": 5, "command": 30,
	"pool": 2, "state": 5, "part": 6, "provider": 10, "format": 5, "version": 1, "go_version": 1, "renderer": 1,
}

// TestNoLabelIsUnbounded: whatever is asked for, and however often.
func TestNoLabelIsUnbounded(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	for i := range 50 {
		in.get("/no/such/path/" + itoa(i))
		in.do("BREW"+itoa(i), "/api/artists", nil)
		in.get("/api/images/artists/" + artistID + "/logo?tag=" + itoa(i))
	}
	values := map[string]map[string]bool{}
	for name, family := range in.metrics() {
		if !strings.HasPrefix(name, "gatefold_") {
			continue
		}
		for _, metric := range family.Metric {
			for _, label := range metric.Label {
				if values[label.GetName()] == nil {
					values[label.GetName()] = map[string]bool{}
				}
				values[label.GetName()][label.GetValue()] = true
			}
		}
	}
	for label, found := range values {
		require.Contains(t, labelled, label)
		require.LessOrEqual(t, len(found), labelled[label], "%s: %v", label, found)
	}
}

// TestPromtoolAgrees: names, units and help are as Prometheus wants them.
func TestPromtoolAgrees(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	check := tool(t.Context(), t, "promtool", "check", "metrics")
	check.Stdin = strings.NewReader(string(in.get("/metrics").body))
	output, err := check.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Empty(t, string(output))
}
