package externalmetadata

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/oteltraces"
	"gatefold/adapters/providers"
	"gatefold/adapters/providers/api"
	"gatefold/adapters/rest"
	"gatefold/application/announce"
	"gatefold/application/findimages"
	"gatefold/application/health"
	"gatefold/application/keyring"
	"gatefold/application/providersettings"
	"gatefold/features/lifecycle"
)

// settings provides the providers as they are set up at the time, and the use cases and
// routes that set them up.
func settings() fx.Option {
	return fx.Provide(
		fx.Annotate(newLive, fx.As(fx.Self()), fx.As(new(providersettings.Providers)), fx.As(new(findimages.Identifier))),
		newFollower,
		fx.Annotate(announce.NewSettingsChanges, fx.As(new(providersettings.Announcer))),
		providersettings.NewSettings,
		fx.Annotate(probe, fx.ResultTags(`group:"probes"`)),
		fx.Annotate(rest.NewSettings, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
	)
}

func newLive(cfg Config, limiter findimages.Limiter, traces *oteltraces.Traces, log *slog.Logger) *providers.Live {
	return providers.NewLive(cfg.Providers, cfg.PinnedProviders, cfg.AllowHosts, limiter, log, api.Through(traces.Transport))
}

// newFollower follows the settings as long as the instance runs, and before anything is
// asked.
func newFollower(lc fx.Lifecycle, store providersettings.Store, live providersettings.Providers, keys *keyring.Keyring, log *slog.Logger) *providersettings.Follower {
	follower := providersettings.NewFollower(store, live, keys, log)
	lc.Append(fx.StartHook(follower.Start))
	lifecycle.WhileRunning(lc, follower.Run)
	return follower
}

func probe(follower *providersettings.Follower) health.Probe {
	return health.Probe{Name: "providerKeys", Check: follower.Check}
}
