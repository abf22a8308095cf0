package bootstrap

import (
	"context"
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/control"
	"gatefold/adapters/musicfolder"
	"gatefold/application/accesstoken"
	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
)

// operations are the verbs that change something, carried out in this process.
type operations struct {
	importer *importlibrary.Import
	tokens   *accesstoken.Create
	log      *slog.Logger
}

var (
	_ control.Importer     = (*operations)(nil)
	_ control.TokenCreator = (*operations)(nil)
)

func newOperations(importer *importlibrary.Import, tokens *accesstoken.Create, log *slog.Logger) *operations {
	return &operations{importer, tokens, log}
}

// Import implements control.Importer.
func (o *operations) Import(ctx context.Context, dir string, observer importlibrary.Observer) (importlibrary.Summary, error) {
	folder, err := musicfolder.Open(dir, o.log)
	if err != nil {
		return importlibrary.Summary{}, err
	}
	return o.importer.Run(ctx, folder, observer)
}

// CreateToken implements control.TokenCreator.
func (o *operations) CreateToken(ctx context.Context, in accesstoken.CreateIn) (string, error) {
	return o.tokens.Run(ctx, in)
}

// verbs are the operations, wherever they are carried out.
type verbs interface {
	control.Importer
	control.TokenCreator
}

// withVerbs hands over the verbs of the server that runs on the data directory
// or, if none does, those of this process for as long as do runs.
func withVerbs(ctx context.Context, cfg Config, log *slog.Logger, do func(verbs) error) error {
	client, err := control.Dial(ctx, cfg.DataDir)
	if err == nil {
		return do(client)
	}
	if artwork.KindOf(err) != artwork.NotFound {
		return err
	}
	var local *operations
	app, err := open(ctx, cfg, log, fx.Populate(&local))
	if err != nil {
		return err
	}
	err = do(local)
	if closeErr := app.Close(); err == nil {
		err = closeErr
	}
	return err
}
