// Package images plugs in the bytes of images and the routes that serve them.
package images

import (
	"context"

	"go.uber.org/fx"

	"gatefold/adapters/diskstore"
	"gatefold/adapters/rest"
	"gatefold/application/health"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
)

// Config says where the bytes are.
type Config struct {
	DataDir string
}

// Module provides artwork.ImageStore, its probe, and the use cases of serveimage
// with their routes.
func Module(cfg Config) fx.Option {
	return fx.Module("images",
		fx.Supply(cfg),
		fx.Provide(
			openStore,
			func(store *diskstore.Store) artwork.ImageStore { return store },
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

func probe(store *diskstore.Store) health.Probe {
	return health.Probe{Name: "storage", Needed: true, Check: func(ctx context.Context) error { return store.Check(ctx) }}
}
