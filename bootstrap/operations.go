package bootstrap

import (
	"context"
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/control"
	"gatefold/adapters/musicfolder"
	"gatefold/application/accesstoken"
	"gatefold/application/followsettings"
	"gatefold/application/importlibrary"
	"gatefold/application/manageaccounts"
	"gatefold/application/managecache"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// commandLine is who wants what a verb does. Whoever may use the data directory may
// use it, whatever they are called.
var commandLine = artwork.Actor{Name: "command line"}

// operations are the verbs that change something, carried out in this process.
type operations struct {
	importer *importlibrary.Import
	tokens   *accesstoken.Create
	issued   *accesstoken.Manage
	accounts *manageaccounts.Manage
	cache    *managecache.Manage
	settings *followsettings.Switch
	warm     *warmcache.Warm
	*fills
	*deletions
	*renderings
	*levels
	log *slog.Logger
}

var _ control.Verbs = (*operations)(nil)

func newOperations(importer *importlibrary.Import, tokens *accesstoken.Create, cache *managecache.Manage, settings *followsettings.Switch,
	warm *warmcache.Warm, fills *fills, issued *accesstoken.Manage, accounts *manageaccounts.Manage, deletions *deletions, renderings *renderings, levels *levels, log *slog.Logger,
) *operations {
	return &operations{importer, tokens, issued, accounts, cache, settings, warm, fills, deletions, renderings, levels, log}
}

// Import implements control.Importer.
func (o *operations) Import(ctx context.Context, dir string, observer importlibrary.Observer) (importlibrary.Summary, error) {
	folder, err := musicfolder.Open(dir, o.log)
	if err != nil {
		return importlibrary.Summary{}, err
	}
	return o.importer.Run(ctx, commandLine, folder, observer)
}

// CreateToken implements control.TokenCreator.
func (o *operations) CreateToken(ctx context.Context, in accesstoken.CreateIn) (string, error) {
	return o.tokens.Run(ctx, commandLine, in)
}

// CacheStats implements control.CacheManager.
func (o *operations) CacheStats(context.Context) (managecache.Stats, error) {
	return o.cache.Stats(), nil
}

// InvalidateCache implements control.CacheManager.
func (o *operations) InvalidateCache(ctx context.Context, subject artwork.Subject) error {
	return o.cache.Invalidate(ctx, commandLine, subject)
}

// FlushCache implements control.CacheManager.
func (o *operations) FlushCache(ctx context.Context) (int, error) {
	return o.cache.Flush(ctx, commandLine)
}

// CacheSettings implements control.CacheManager.
func (o *operations) CacheSettings(ctx context.Context) (deployment.State, error) {
	return o.settings.Look(ctx)
}

// SwitchCache implements control.CacheManager.
func (o *operations) SwitchCache(ctx context.Context, in followsettings.SwitchIn) (deployment.State, error) {
	if _, err := o.settings.Begin(ctx, commandLine, in); err != nil {
		return deployment.State{}, err
	}
	return o.settings.Await(ctx)
}

// withVerbs hands over the verbs of the server that runs on the data directory
// or, if none does, those of this process for as long as do runs.
func withVerbs(ctx context.Context, cfg Config, log *slog.Logger, do func(control.Verbs) error) error {
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
