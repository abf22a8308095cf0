package warmcache

import (
	"context"
	"time"

	"gatefold/domain/artwork"
)

// The terms of the record that a fleet keeps of its requests.
const (
	// HalfLife is after how long a request counts half.
	HalfLife = 24 * time.Hour
	// MaxKeys is how many keys are remembered, and so the most that are warmed.
	MaxKeys = 50_000
)

// RecordTerms say what a record of requests forgets.
type RecordTerms struct {
	HalfLife time.Duration // after which a request counts half
	MaxKeys  int           // that are remembered: those that weigh most
}

// Count says how often a key was requested.
type Count struct {
	Key artwork.Key
	N   int
}

// Requests is the record of what is requested, shared by all instances. A
// request weighs 1 when it is added and half as much after every half-life, by
// the clock of the database. All methods may be called concurrently, also from
// several processes. They may fail with Unavailable and with ctx's error.
type Requests interface {
	// Add adds requests of the time just past. Counts of a key that is given
	// twice add up; those that are not positive are left out. Afterwards at most
	// MaxKeys keys are remembered, the heaviest. After an error some of the
	// counts may have been added.
	Add(ctx context.Context, counts []Count) error
	// MostRequested returns at most limit keys, the heaviest first. Keys that are
	// not known here, as those of another release, are left out.
	MostRequested(ctx context.Context, limit int) ([]artwork.Key, error)
}

// Changes tells what has changed. It may be called concurrently.
type Changes interface {
	// LastChanged returns at most limit places whose pointer (what
	// ImageRepository.InForce answers) has changed, the last one first. It may
	// fail with Unavailable and with ctx's error.
	LastChanged(ctx context.Context, limit int) ([]artwork.Place, error)
}

// Settings tell which cache is in use. They may change at any time.
type Settings interface{ Mode() artwork.CacheMode }

// Fetcher answers which image is in force in the way in which requests are
// answered, and fills the cache.
type Fetcher interface {
	Fetch(ctx context.Context, key artwork.Key) (artwork.Answer, error)
}

// Observer is told how warming goes on. It is called by one goroutine at a time.
type Observer interface {
	// Progress tells how many of the keys have been dealt with.
	Progress(done, total int)
}
