// Package images plugs in the bytes of images and the routes that serve them.
package images

import (
	"context"
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/bytescache"
	"gatefold/adapters/diskstore"
	"gatefold/adapters/imagecheck"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rest"
	"gatefold/adapters/s3store"
	"gatefold/application/describeimages"
	"gatefold/application/health"
	"gatefold/application/serveimage"
	"gatefold/application/signimages"
	"gatefold/application/verifystore"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/domain/fleet"
)

// Storage is what keeps the bytes.
type Storage string

// The kinds of storage.
const (
	Disk Storage = "disk" // a directory, which instances may share
	S3   Storage = "s3"   // a bucket of an S3-compatible server
)

// Config says where the bytes are, how many MB of them are kept in memory, and how
// long orphans are left alone.
type Config struct {
	Storage      Storage
	DataDir      string          // of Disk
	S3           s3store.Options // of S3
	BytesCacheMB int             // 0: none
	Sweep        verifystore.Config
	Renderer     Renderer
	RenderAhead  bool // what is put in force, before anybody asks for it
}

// Module provides artwork.ImageStore, its probe and what removes orphans from it,
// the use cases of serveimage and renderimage, and their routes.
func Module(cfg Config) fx.Option {
	return fx.Module("images",
		fx.Supply(cfg),
		fx.Provide(
			openStore,
			newStore,
			fx.Annotate(probe, fx.ResultTags(`group:"probes"`)),
			serveimage.NewPointers,
			serveimage.NewGetArtistImage,
			serveimage.NewGetAlbumCover,
			serveimage.NewGetUserAvatar,
			serveimage.NewOpenContent,
			newSweep,
			newDescribe,
			newRenditionStore,
			newRenderer,
			newLimits,
			newRenditions,
			newFill,
			newAhead,
			signimages.New,
			fx.Annotate(rest.NewSign, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewFormerImages, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewImages, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

// storage is where the bytes really are.
type storage interface {
	artwork.ImageStore
	artwork.RenditionStore
	Check(ctx context.Context) error
}

func openStore(lc fx.Lifecycle, cfg Config, metrics *prommetrics.Metrics, traces *oteltraces.Traces, log *slog.Logger) (storage, error) {
	if cfg.Storage == S3 {
		cfg.S3.Through = traces.Transport
		return openBucket(lc, cfg.S3, log)
	}
	store, err := diskstore.Open(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	metrics.Polled("storage_free_bytes", "Room that is left where the images are kept; of a bucket nobody knows.", nil, func(context.Context) ([]prommetrics.Sample, error) {
		free, err := store.Free()
		return []prommetrics.Sample{{Value: float64(free)}}, err
	})
	return store, nil
}

// openBucket fails the start if the bucket cannot be used. One that is full can:
// what is stored can still be read.
func openBucket(lc fx.Lifecycle, options s3store.Options, log *slog.Logger) (storage, error) {
	store, err := s3store.New(options)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		if err := store.Probe(ctx); err != nil && artwork.KindOf(err) != artwork.StorageFull {
			return err
		}
		log.Info("Image store is ready", "store", store.String())
		return nil
	}))
	return store, nil
}

// newStore puts memory in front of the storage: half of what there is for bytes. The
// other half is for renditions.
func newStore(cfg Config, store storage, traces *oteltraces.Traces) artwork.ImageStore {
	traced := traces.Images(store)
	if cfg.BytesCacheMB == 0 {
		return traced
	}
	return bytescache.New(traced, int64(cfg.BytesCacheMB)<<19)
}

func newRenditionStore(cfg Config, store storage, traces *oteltraces.Traces) artwork.RenditionStore {
	traced := traces.Renditions(store)
	if cfg.BytesCacheMB == 0 {
		return traced
	}
	return bytescache.NewRenditions(traced, int64(cfg.BytesCacheMB)<<19)
}

func newSweep(cfg Config, archive artwork.ImageArchive, store artwork.ImageStore, renditions artwork.RenditionStore, bin catalog.Bin, claims fleet.Claims, log *slog.Logger) *verifystore.Sweep {
	return verifystore.NewSweep(cfg.Sweep, archive, store, renditions, bin, claims, log)
}

func newDescribe(cfg Config, contents describeimages.Contents, store artwork.ImageStore, inspector *imagecheck.Inspector, claims fleet.Claims, log *slog.Logger) *describeimages.Describe {
	return describeimages.New(contents, store, inspector, claims, cfg.Sweep.Instance, log)
}

// probe asks the storage, whatever memory could still answer.
func probe(store storage) health.Probe {
	return health.Probe{Name: "storage", Needed: true, Check: store.Check}
}
