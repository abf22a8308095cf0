// Package admin plugs in the tokens that guard changes, the log of who made them, and
// the panel.
package admin

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/panel"
	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/application/keepactivity"
	"gatefold/domain/activity"
	"gatefold/features/lifecycle"
)

// Config says for how long the activity log is kept; 0: for ever.
type Config struct{ KeepActivity time.Duration }

// Module provides the use cases of accesstoken and keepactivity, and the routes of
// the log and the page.
func Module(cfg Config) fx.Option {
	return fx.Module("admin",
		fx.Supply(cfg),
		fx.Provide(
			accesstoken.NewCreate,
			accesstoken.NewAuthenticate,
			keepactivity.NewRecorder,
			newTrimmer,
			fx.Annotate(rest.NewActivity, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(newPanel, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewWelcome, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

// newPanel has no files if the program was built without the panel.
func newPanel() *rest.Panel {
	files, _ := panel.Files()
	return rest.NewPanel(files)
}

func newTrimmer(cfg Config, log activity.Log, logger *slog.Logger) *keepactivity.Trimmer {
	return keepactivity.NewTrimmer(log, cfg.KeepActivity, logger)
}

// Trimming has the activity log trimmed for as long as the program runs.
func Trimming() fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle, trimmer *keepactivity.Trimmer) {
		lifecycle.WhileRunning(lc, trimmer.Run)
	})
}
