package prommetrics

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatefold/application/applyimage"
	"gatefold/application/findimages"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

var operations = []string{"select", "insert", "update", "delete", other}

// Query times a statement; operation is its first word.
func (m *Metrics) Query(operation string, took time.Duration, err error) {
	operation = strings.ToLower(operation)
	if !slices.Contains(operations, operation) {
		operation = other
	}
	m.queries.WithLabelValues(operation, resultOf(err)).Observe(took.Seconds())
}

// Pool exports the connections of a database's pool.
func (m *Metrics) Pool(name string, stats func() sql.DBStats) {
	gauge := func(metric, help string, labels prometheus.Labels, read func(sql.DBStats) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Namespace: namespace, Name: metric, Help: help, ConstLabels: labels}, func() float64 { return read(stats()) }))
	}
	counter := func(metric, help string, read func(sql.DBStats) float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Namespace: namespace, Name: metric, Help: help, ConstLabels: prometheus.Labels{"pool": name}}, func() float64 { return read(stats()) }))
	}
	const connections, help = "database_pool_connections", "Connections to the database, by the pool and what they do."
	gauge(connections, help, prometheus.Labels{"pool": name, "state": "used"}, func(s sql.DBStats) float64 { return float64(s.InUse) })
	gauge(connections, help, prometheus.Labels{"pool": name, "state": "idle"}, func(s sql.DBStats) float64 { return float64(s.Idle) })
	gauge("database_pool_max_connections", "Connections that the pool may have.", prometheus.Labels{"pool": name}, func(s sql.DBStats) float64 { return float64(s.MaxOpenConnections) })
	counter("database_pool_waits_total", "How often somebody had to wait for a connection.", func(s sql.DBStats) float64 { return float64(s.WaitCount) })
	counter("database_pool_wait_seconds_total", "How long all have waited for a connection.", func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() })
}

// commands are those that the program sends to Redis, as the client names them.
var commands = []string{
	"get", "set", "del", "evalsha", "eval", "script", "ping", "hello", "info", "role", "scan", "time", "mget", "xadd", "xread", "xrange", "xinfo", "client", "cluster", "pipeline",
}

// Command times a command sent to Redis.
func (m *Metrics) Command(name string, took time.Duration, err error) {
	if !slices.Contains(commands, name) {
		name = other
	}
	m.commands.WithLabelValues(name, resultOf(err)).Observe(took.Seconds())
}

// renders counts and times the rendering of images.
type renders struct {
	duration *prometheus.HistogramVec
	made     *prometheus.CounterVec
	running  prometheus.Gauge
}

var formats = []artwork.Format{artwork.FormatJPEG, artwork.FormatPNG, artwork.FormatWebP, artwork.FormatAVIF}

func newRenders(m *Metrics) *renders {
	r := &renders{
		duration: m.histograms("render_duration_seconds", "Decoding an image once and making renditions of it.", slow, "result"),
		made:     m.counters("renditions_rendered_total", "Renditions that were made.", "format"),
		running:  m.gauges("renders_running", "Images that are being rendered, or wait for memory to be decoded in.").WithLabelValues(),
	}
	r.duration.WithLabelValues(succeeded)
	r.duration.WithLabelValues(failed)
	for _, format := range formats {
		r.made.WithLabelValues(format.String())
	}
	r.made.WithLabelValues(other)
	return r
}

// Renderer returns the renderer with its work counted.
func (m *Metrics) Renderer(inner renderimage.ImageRenderer) renderimage.ImageRenderer {
	return &countedRenderer{inner, m.renders}
}

type countedRenderer struct {
	renderimage.ImageRenderer
	renders *renders
}

// Render implements renderimage.ImageRenderer.
func (r *countedRenderer) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
	r.renders.running.Inc()
	defer r.renders.running.Dec()
	begin := time.Now()
	made, err := r.ImageRenderer.Render(ctx, content, focal, wanted)
	r.renders.duration.WithLabelValues(resultOf(err)).Observe(time.Since(begin).Seconds())
	if err == nil {
		for _, rendition := range wanted {
			format := other
			if slices.Contains(formats, rendition.Format) {
				format = rendition.Format.String()
			}
			r.renders.made.WithLabelValues(format).Inc()
		}
	}
	return made, err
}

// downloads counts and times what is fetched from URLs.
type downloads struct {
	duration *prometheus.HistogramVec
	bytes    prometheus.Counter
}

func newDownloads(m *Metrics) *downloads {
	d := &downloads{
		duration: m.histograms("download_duration_seconds", "Downloads of images from URLs.", slow, "result"),
		bytes:    m.counters("downloaded_bytes_total", "What was downloaded.").WithLabelValues(),
	}
	d.duration.WithLabelValues(succeeded)
	d.duration.WithLabelValues(failed)
	return d
}

// Downloader returns the downloader with its work counted.
func (m *Metrics) Downloader(inner applyimage.Downloader) applyimage.Downloader {
	return &countedDownloader{inner, m.downloads}
}

type countedDownloader struct {
	inner     applyimage.Downloader
	downloads *downloads
}

// Download implements applyimage.Downloader.
func (d *countedDownloader) Download(ctx context.Context, url string, limit int64) ([]byte, error) {
	begin := time.Now()
	content, err := d.inner.Download(ctx, url, limit)
	d.downloads.duration.WithLabelValues(resultOf(err)).Observe(time.Since(begin).Seconds())
	d.downloads.bytes.Add(float64(len(content)))
	return content, err
}

// ExpectProvider makes the series of a provider.
func (m *Metrics) ExpectProvider(id string) {
	m.providers.WithLabelValues(id, succeeded)
	m.providers.WithLabelValues(id, failed)
}

// Providers returns the providers with their answers counted.
func (m *Metrics) Providers(all []findimages.ArtworkProvider) []findimages.ArtworkProvider {
	counted := make([]findimages.ArtworkProvider, len(all))
	for i, provider := range all {
		counted[i] = &countedProvider{provider, m.providers}
	}
	return counted
}

type countedProvider struct {
	findimages.ArtworkProvider
	duration *prometheus.HistogramVec
}

func (p *countedProvider) timed(begin time.Time, err error) {
	p.duration.WithLabelValues(p.About().ID, resultOf(err)).Observe(time.Since(begin).Seconds())
}

// ArtistImages implements findimages.ArtworkProvider.
func (p *countedProvider) ArtistImages(ctx context.Context, artist catalog.Artist) ([]findimages.Candidate, error) {
	begin := time.Now()
	found, err := p.ArtworkProvider.ArtistImages(ctx, artist)
	p.timed(begin, err)
	return found, err
}

// AlbumCovers implements findimages.ArtworkProvider.
func (p *countedProvider) AlbumCovers(ctx context.Context, album catalog.Album) ([]findimages.Candidate, error) {
	begin := time.Now()
	found, err := p.ArtworkProvider.AlbumCovers(ctx, album)
	p.timed(begin, err)
	return found, err
}
