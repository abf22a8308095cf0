// Package library plugs in the database with the catalogue, and the import of
// music folders.
package library

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/boundedreads"
	"gatefold/adapters/bunrepo"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/application/announce"
	"gatefold/application/bulkapply"
	"gatefold/application/deletesubjects"
	"gatefold/application/describeimages"
	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/application/followsettings"
	"gatefold/application/health"
	"gatefold/application/importlibrary"
	"gatefold/application/managecache"
	"gatefold/application/providersettings"
	"gatefold/application/serveimage"
	"gatefold/application/warmcache"
	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/domain/fleet"
)

// Config says where the database is.
type Config struct {
	DatabaseURL string // sqlite:PATH or postgres://…
	Deletions   deletesubjects.Config
}

// Module provides the database and everything that is kept in it, and the
// import with the routes of the catalogue.
func Module(cfg Config) fx.Option {
	return fx.Module("library",
		fx.Supply(cfg, cfg.Deletions),
		fx.Provide(
			open,
			fx.Annotate(probe, fx.ResultTags(`group:"probes"`)),
			fx.Annotate(bunrepo.NewImages, fx.As(new(artwork.ImageRepository)), fx.As(new(artwork.ImageReviser)), fx.As(new(artwork.ImageArchive)), fx.As(new(artwork.SlotAccounts)), fx.As(new(describeimages.Contents))),
			fx.Annotate(bunrepo.NewConsiderations, fx.As(new(findimages.Considerations))),
			newReader,
			fx.Annotate(bunrepo.NewChangeLog, fx.As(new(artwork.ChangeLog)), fx.As(new(warmcache.Changes)), fx.As(new(announce.Changes))),
			fx.Annotate(newRequests, fx.As(new(warmcache.Requests))),
			fx.Annotate(bunrepo.NewClaims, fx.As(new(fleet.Claims))),
			fx.Annotate(bunrepo.NewJobs, fx.As(new(bulkapply.Jobs))),
			fx.Annotate(bunrepo.NewFill, fx.As(new(fillmissing.Jobs))),
			fx.Annotate(bunrepo.NewGaps, fx.As(new(fillmissing.Gaps))),
			bunrepo.NewBacklog,
			fx.Annotate(bunrepo.NewDeployment, fx.As(new(followsettings.Registry))),
			fx.Annotate(bunrepo.NewArtists, fx.As(new(catalog.Artists))),
			fx.Annotate(bunrepo.NewAlbums, fx.As(new(catalog.Albums))),
			fx.Annotate(bunrepo.NewUsers, fx.As(new(catalog.Users))),
			fx.Annotate(bunrepo.NewBin, fx.As(new(catalog.Bin))),
			deletesubjects.NewSteps,
			deletesubjects.NewDelete,
			deletesubjects.NewRestore,
			deletesubjects.NewList,
			fx.Annotate(bunrepo.NewLibrary, fx.As(new(importlibrary.Library))),
			fx.Annotate(bunrepo.NewActivity, fx.As(new(activity.Log))),
			fx.Annotate(bunrepo.NewProviderSettings, fx.As(new(providersettings.Store))),
			fx.Annotate(bunrepo.NewTokens, fx.As(new(accesstoken.Repository))),
			fx.Annotate(bunrepo.NewAccounts, fx.As(new(account.Accounts))),
			fx.Annotate(bunrepo.NewSessions, fx.As(new(account.Sessions))),
			fx.Annotate(bunrepo.NewAttempts, fx.As(new(account.Attempts))),
			importlibrary.New,
			fx.Annotate(rest.NewCatalog, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewDeletions, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

// newReader bounds the reads that answer requests: as many as the database has
// connections to spare for them.
func newReader(images artwork.ImageRepository, events managecache.Recorder) serveimage.Reader {
	return boundedreads.New(images, boundedreads.Limits{AtOnce: bunrepo.LoadsAtOnce}, events)
}

// open connects, and brings the schema up to date before anything else starts.
func open(lc fx.Lifecycle, cfg Config, metrics *prommetrics.Metrics, traces *oteltraces.Traces, log *slog.Logger) (*bunrepo.DB, error) {
	db, err := bunrepo.Open(context.Background(), cfg.DatabaseURL)
	if err != nil {
		return nil, err
	}
	db.Observe(func(ctx context.Context, s bunrepo.Statement) {
		metrics.Query(s.Operation, time.Since(s.Begun), s.Err)
		traces.Query(ctx, oteltraces.Statement{System: db.Kind(), Operation: s.Operation, Text: s.Text}, s.Begun, s.Err)
	})
	metrics.Pool("read", func() sql.DBStats { read, _ := db.Pools(); return read })
	metrics.Pool("write", func() sql.DBStats { _, write := db.Pools(); return write })
	running, stop := context.WithCancel(context.Background())
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			if err := db.Migrate(ctx); err != nil {
				return err
			}
			log.Info("Database is ready", "kind", db.Kind())
			warnOfLaterRelease(ctx, db, log)
			go prepareLists(running, db, log)
			return nil
		},
		OnStop: func(context.Context) error {
			stop()
			return db.Close()
		},
	})
	return db, nil
}

// warnOfLaterRelease says that the schema is newer than this program. That is how it is
// while a release is rolled out, and migrations only add what an earlier one can do without.
func warnOfLaterRelease(ctx context.Context, db *bunrepo.DB, log *slog.Logger) {
	if current, latest, err := db.MigrationStatus(ctx); err == nil && current > latest {
		log.Warn("The database has the schema of a later release; this one serves with it", "schema", current, "known", latest)
	}
}

// prepareLists reads the catalogue for the lists. If it fails, the first list reads it.
func prepareLists(ctx context.Context, db *bunrepo.DB, log *slog.Logger) {
	begin := time.Now()
	switch err := db.PrepareLists(ctx); {
	case err == nil:
		log.Info("Lists are ready", "took", time.Since(begin).Round(time.Millisecond))
	case ctx.Err() == nil:
		log.Warn("Lists are not ready: the first one will have to wait", "err", err)
	}
}

func newRequests(db *bunrepo.DB) *bunrepo.Requests {
	return bunrepo.NewRequests(db, warmcache.RecordTerms{HalfLife: warmcache.HalfLife, MaxKeys: warmcache.MaxKeys})
}

func probe(db *bunrepo.DB) health.Probe {
	return health.Probe{Name: "database", Needed: true, Check: db.Ping}
}
