package externalmetadata

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/imagecheck"
	"gatefold/adapters/memory"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/providers"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/rest"
	"gatefold/adapters/safefetch"
	"gatefold/application/applyimage"
	"gatefold/application/findimages"
	"gatefold/application/keyring"
	"gatefold/application/previewimage"
	"gatefold/application/providersettings"
)

// answersMB bounds the answers of providers that are kept in process memory.
const answersMB = 16

// search provides the use cases of findimages and their routes.
func search() fx.Option {
	return fx.Options(
		fx.Provide(
			newLimiter,
			newAnswers,
			fx.Annotate(newThumbnails, fx.As(new(findimages.Fingerprinter))),
			newSearch,
			findimages.NewRecorder,
			fx.Annotate(findimages.NewProvenances, fx.As(new(applyimage.Provenances))),
			findimages.NewSearchArtistAvatars,
			findimages.NewSearchAlbumCovers,
			findimages.NewSearchIdentifiers,
			newPreviews,
			fx.Annotate(rest.NewCandidates, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewSearch, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

// newLimiter has the instances agree on whose turn it is, if they share a Redis.
func newLimiter(redis *rediscache.Cache, log *slog.Logger) findimages.Limiter {
	var shared findimages.Gate
	if redis != nil {
		shared = redis.Gate()
	}
	return findimages.NewQueue(shared, memory.NewGate(), log)
}

func newAnswers(redis *rediscache.Cache) findimages.AnswerCache {
	if redis != nil {
		return redis.Answers()
	}
	return memory.NewAnswers(answersMB << 20)
}

func newThumbnails(downloader *safefetch.Fetcher, inspector *imagecheck.Inspector) *findimages.Thumbnails {
	return findimages.NewThumbnails(downloader, inspector)
}

func newPreviews(keys *keyring.Keyring, downloader *safefetch.Fetcher, inspector *imagecheck.Inspector) *previewimage.Previews {
	return previewimage.New(keys, downloader, inspector)
}

// newSearch asks whom the settings say, which the follower sees to.
func newSearch(live *providers.Live, _ *providersettings.Follower, answers findimages.AnswerCache, fingerprinter findimages.Fingerprinter, metrics *prommetrics.Metrics, traces *oteltraces.Traces, log *slog.Logger) *findimages.Search {
	for _, provider := range live.All() {
		metrics.ExpectProvider(provider.ID)
	}
	return findimages.NewLiveSearch(func() []findimages.ArtworkProvider { return traces.Providers(metrics.Providers(live.Artwork())) }, answers, fingerprinter, log)
}
