// Package prommetrics exports what the program does to Prometheus.
//
// Names and units follow https://prometheus.io/docs/practices/naming/: seconds and bytes, totals
// end in _total. Every label has few values, all known beforehand: what comes from outside never
// becomes one. A series is there as 0 from the start, so that its first increase is seen.
package prommetrics

import (
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const namespace = "gatefold"

// Metrics is the registry of one process. Its methods may be called concurrently; those that
// add series are called while the program is composed.
type Metrics struct {
	registry  *prometheus.Registry
	http      *requests
	cache     *reads
	queries   *prometheus.HistogramVec
	commands  *prometheus.HistogramVec
	renders   *renders
	downloads *downloads
	providers *prometheus.HistogramVec
	samples   *prometheus.CounterVec
	spans     *prometheus.CounterVec
	polled    []polled
}

// New returns the metrics of a program of this version, with the runtime's and the process' own.
func New(version, renderer string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	build := m.gauges("build_info", "The program; always 1.", "version", "go_version", "renderer")
	build.WithLabelValues(version, runtime.Version(), renderer).Set(1)
	m.http, m.cache = newRequests(m), newReads(m)
	m.queries = m.histograms("database_query_duration_seconds", "Statements sent to the database, by what they do, until their answer.", fast, "operation", "result")
	m.commands = m.histograms("redis_command_duration_seconds", "Commands sent to Redis, until their answer; a pipeline counts as one.", fast, "command", "result")
	m.renders, m.downloads = newRenders(m), newDownloads(m)
	m.providers = m.histograms("provider_search_duration_seconds", "Questions to external providers of images, with their wait for a turn.", slow, "provider", "result")
	m.samples = m.counters("cache_samples_total", "Cached answers that were compared with the database afterwards. stale must stay 0.", "result")
	m.spans = m.counters("trace_spans_total", "Spans of traces, by what became of them: exported; dropped, because too many waited; left_out, because their trace had too many; failed, because the collector did not take them.", "result")
	m.expect()
	return m
}

// expect makes the series of all known labels.
func (m *Metrics) expect() {
	for _, result := range []string{succeeded, failed} {
		for _, operation := range operations {
			m.queries.WithLabelValues(operation, result)
		}
		for _, command := range append(commands, other) {
			m.commands.WithLabelValues(command, result)
		}
	}
	for _, result := range sampled {
		m.samples.WithLabelValues(result)
	}
	for _, result := range spans {
		m.spans.WithLabelValues(result)
	}
}

// The result of what can fail.
const (
	succeeded = "ok"
	failed    = "error"
)

// other stands for every label value that is not known beforehand.
const other = "other"

func resultOf(err error) string {
	if err != nil {
		return failed
	}
	return succeeded
}

// Upper bounds of buckets, in seconds.
var (
	fast = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}
	web  = []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 10}
	slow = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
)

// Handler answers with all metrics, in the format that the client asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4})
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(vec)
	return vec
}

func (m *Metrics) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, labels)
	m.registry.MustRegister(vec)
	return vec
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(vec)
	return vec
}

// Gauge exports what read returns whenever it is asked for. read must not wait.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, read))
}

// Sampled counts a comparison of a cached answer with the database.
func (m *Metrics) Sampled(result string) { m.samples.WithLabelValues(result).Inc() }

// spans are what can become of a span.
var spans = []string{"exported", "dropped", "left_out", "failed"}

// Spans counts spans.
func (m *Metrics) Spans(result string, n int) { m.spans.WithLabelValues(result).Add(float64(n)) }
