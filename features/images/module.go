// Package images plugs in the bytes of images and the routes that serve them.
package images

import (
	"context"
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/bytescache"
	"gatefold/adapters/diskstore"
	"gatefold/adapters/rest"
	"gatefold/adapters/s3store"
	"gatefold/application/health"
	"gatefold/application/serveimage"
	"gatefold/application/signimages"
	"gatefold/application/verifystore"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
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
			newRenditionStore,
			newRenderer,
			newRenditions,
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

func openStore(lc fx.Lifecycle, cfg Config, log *slog.Logger) (storage, error) {
	if cfg.Storage == S3 {
		return openBucket(lc, cfg.S3, log)
	}
	return diskstore.Open(cfg.DataDir)
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
func newStore(cfg Config, store storage) artwork.ImageStore {
	if cfg.BytesCacheMB == 0 {
		return store
	}
	return bytescache.New(store, int64(cfg.BytesCacheMB)<<19)
}

func newRenditionStore(cfg Config, store storage) artwork.RenditionStore {
	if cfg.BytesCacheMB == 0 {
		return store
	}
	return bytescache.NewRenditions(store, int64(cfg.BytesCacheMB)<<19)
}

func newSweep(cfg Config, archive artwork.ImageArchive, store artwork.ImageStore, renditions artwork.RenditionStore, claims warmcache.Claims, log *slog.Logger) *verifystore.Sweep {
	return verifystore.NewSweep(cfg.Sweep, archive, store, renditions, claims, log)
}

// probe asks the storage, whatever memory could still answer.
func probe(store storage) health.Probe {
	return health.Probe{Name: "storage", Needed: true, Check: store.Check}
}
