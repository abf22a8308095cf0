// Package health plugs in the watch over the parts that Gatefold depends on.
package health

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/rest"
	"gatefold/application/health"
	"gatefold/features/lifecycle"
)

// Config says what the program calls itself.
type Config struct {
	Version string
}

// Module provides the monitor of all probes and its routes.
func Module(cfg Config) fx.Option {
	return fx.Module("health",
		fx.Supply(cfg),
		fx.Provide(
			fx.Annotate(newMonitor, fx.ParamTags(``, `group:"probes"`)),
			fx.Annotate(newRoutes, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

// newMonitor starts to watch once every part has started, and has looked once
// before anybody can ask.
func newMonitor(lc fx.Lifecycle, probes []health.Probe, log *slog.Logger) *health.Monitor {
	monitor := health.NewMonitor(probes, log)
	lc.Append(fx.StartHook(monitor.Check))
	lifecycle.WhileRunning(lc, monitor.Watch)
	return monitor
}

func newRoutes(cfg Config, monitor *health.Monitor) *rest.Health {
	return rest.NewHealth(monitor, cfg.Version)
}
