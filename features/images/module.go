// Package images plugs in the bytes of images and the routes that serve them.
package images

import (
	"context"

	"go.uber.org/fx"

	"gatefold/adapters/bytescache"
	"gatefold/adapters/diskstore"
	"gatefold/adapters/rest"
	"gatefold/application/health"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
)

// Config says where the bytes are, and how many MB of them are kept in memory.
type Config struct {
	DataDir      string
	BytesCacheMB int // 0: none
}

// Module provides artwork.ImageStore, its probe, and the use cases of serveimage
// with their routes.
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
			fx.Annotate(rest.NewImages, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

func openStore(cfg Config) (*diskstore.Store, error) { return diskstore.Open(cfg.DataDir) }

// newStore puts memory in front of the disk.
func newStore(cfg Config, disk *diskstore.Store) artwork.ImageStore {
	if cfg.BytesCacheMB == 0 {
		return disk
	}
	return bytescache.New(disk, int64(cfg.BytesCacheMB)<<20)
}

// probe asks the disk, whatever memory could still answer.
func probe(store *diskstore.Store) health.Probe {
	return health.Probe{Name: "storage", Needed: true, Check: func(ctx context.Context) error { return store.Check(ctx) }}
}
