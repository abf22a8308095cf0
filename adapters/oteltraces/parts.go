package oteltraces

import (
	"context"
	"errors"
	"strings"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"gatefold/application/applyimage"
	"gatefold/application/findimages"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Command records a command sent to Redis, or several at once (size): its name, and neither
// keys nor values.
func (t *Traces) Command(ctx context.Context, name string, size int, begun time.Time, err error) {
	s := scopeOf(ctx)
	if s == nil {
		return
	}
	name = strings.ToUpper(name)
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(semconv.DBSystemNameRedis, semconv.DBOperationName(name))}
	if size > 1 {
		options = append(options, trace.WithAttributes(semconv.DBOperationBatchSize(size)))
	}
	s.leaf(ctx, name, begun, unavailable(err), options...)
}

// Statement is what was sent to a database.
type Statement struct {
	System    string        // "postgres" or "sqlite"
	Operation string        // its first word
	Text      func() string // without values
}

// Query records a statement.
func (t *Traces) Query(ctx context.Context, statement Statement, begun time.Time, err error) {
	s := scopeOf(ctx)
	if s == nil {
		return
	}
	system := semconv.DBSystemNameSQLite
	if statement.System == "postgres" {
		system = semconv.DBSystemNamePostgreSQL
	}
	operation := strings.ToUpper(statement.Operation)
	s.leaf(ctx, operation, begun, unavailable(err), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		system, semconv.DBOperationName(operation), semconv.DBQueryText(statement.Text())))
}

// unavailable gives an error of a driver, which has no kind, one.
func unavailable(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return artwork.Errorf(artwork.Unavailable, "it failed")
}

// Renderer returns the renderer with its work recorded.
func (t *Traces) Renderer(inner renderimage.ImageRenderer) renderimage.ImageRenderer {
	if t == nil {
		return inner
	}
	return tracedRenderer{inner}
}

type tracedRenderer struct{ renderimage.ImageRenderer }

// Render implements renderimage.ImageRenderer.
func (r tracedRenderer) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) (rendered [][]byte, err error) {
	ctx, span := step(ctx, "image.render")
	defer func() {
		span.SetAttributes(size.Int(len(content)), made.Int(len(wanted)))
		finish(span, err)
	}()
	return r.ImageRenderer.Render(ctx, content, focal, wanted)
}

// Downloader returns the downloader with its work recorded.
func (t *Traces) Downloader(inner applyimage.Downloader) applyimage.Downloader {
	if t == nil {
		return inner
	}
	return tracedDownloader{inner}
}

type tracedDownloader struct{ inner applyimage.Downloader }

// Download implements applyimage.Downloader.
func (d tracedDownloader) Download(ctx context.Context, url string, limit int64) (content []byte, err error) {
	ctx, span := step(ctx, "image.download")
	defer func() {
		span.SetAttributes(size.Int(len(content)))
		finish(span, err)
	}()
	return d.inner.Download(ctx, url, limit)
}

// Providers returns the providers with their answers recorded.
func (t *Traces) Providers(all []findimages.ArtworkProvider) []findimages.ArtworkProvider {
	if t == nil {
		return all
	}
	traced := make([]findimages.ArtworkProvider, len(all))
	for i, inner := range all {
		traced[i] = tracedProvider{inner}
	}
	return traced
}

type tracedProvider struct{ findimages.ArtworkProvider }

func (p tracedProvider) ask(ctx context.Context, ask func(context.Context) ([]findimages.Candidate, error)) (candidates []findimages.Candidate, err error) {
	ctx, span := step(ctx, "provider.search")
	defer func() {
		span.SetAttributes(provider.String(p.About().ID), found.Int(len(candidates)))
		finish(span, err)
	}()
	return ask(ctx)
}

// ArtistImages implements findimages.ArtworkProvider.
func (p tracedProvider) ArtistImages(ctx context.Context, artist catalog.Artist) ([]findimages.Candidate, error) {
	return p.ask(ctx, func(ctx context.Context) ([]findimages.Candidate, error) {
		return p.ArtworkProvider.ArtistImages(ctx, artist)
	})
}

// AlbumCovers implements findimages.ArtworkProvider.
func (p tracedProvider) AlbumCovers(ctx context.Context, album catalog.Album) ([]findimages.Candidate, error) {
	return p.ask(ctx, func(ctx context.Context) ([]findimages.Candidate, error) {
		return p.ArtworkProvider.AlbumCovers(ctx, album)
	})
}

// Images returns the store with what it reads and writes recorded.
func (t *Traces) Images(inner artwork.ImageStore) artwork.ImageStore {
	if t == nil {
		return inner
	}
	return tracedImages{inner}
}

type tracedImages struct{ artwork.ImageStore }

// Put implements artwork.ImageStore.
func (s tracedImages) Put(ctx context.Context, content []byte) (hash artwork.Hash, err error) {
	ctx, span := step(ctx, "store.put")
	defer func() {
		span.SetAttributes(size.Int(len(content)))
		finish(span, err)
	}()
	return s.ImageStore.Put(ctx, content)
}

// Open implements artwork.ImageStore.
func (s tracedImages) Open(ctx context.Context, hash artwork.Hash) (file artwork.StoredFile, err error) {
	ctx, span := step(ctx, "store.open")
	defer func() { finish(span, err) }()
	return s.ImageStore.Open(ctx, hash)
}

// Renditions returns the store with what it reads and writes recorded.
func (t *Traces) Renditions(inner artwork.RenditionStore) artwork.RenditionStore {
	if t == nil {
		return inner
	}
	return tracedRenditions{inner}
}

type tracedRenditions struct{ artwork.RenditionStore }

// PutRendition implements artwork.RenditionStore.
func (s tracedRenditions) PutRendition(ctx context.Context, key artwork.RenditionKey, content []byte) (err error) {
	ctx, span := step(ctx, "store.put_rendition")
	defer func() {
		span.SetAttributes(size.Int(len(content)))
		finish(span, err)
	}()
	return s.RenditionStore.PutRendition(ctx, key, content)
}

// OpenRendition implements artwork.RenditionStore.
func (s tracedRenditions) OpenRendition(ctx context.Context, key artwork.RenditionKey) (file artwork.StoredFile, err error) {
	ctx, span := step(ctx, "store.open_rendition")
	defer func() { finish(span, err) }()
	return s.RenditionStore.OpenRendition(ctx, key)
}

// step begins a span; if nothing is recorded, one that does nothing.
func step(ctx context.Context, name string) (context.Context, trace.Span) {
	if s := scopeOf(ctx); s != nil {
		if inStep, span := s.begin(ctx, name); span != nil {
			return inStep, span
		}
	}
	return ctx, trace.SpanFromContext(context.Background())
}

func finish(span trace.Span, err error) {
	fail(span, err)
	span.End()
}
