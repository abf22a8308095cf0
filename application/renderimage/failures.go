package renderimage

import (
	"sync"
	"time"

	"gatefold/domain/artwork"
)

const (
	// failureTerm is how long an image that could not be rendered is not tried again.
	failureTerm = time.Minute
	// mostFailures bounds what is remembered.
	mostFailures = 1000
)

// failures knows what could not be rendered a moment ago, so that asking for it again
// and again costs little.
type failures struct {
	mu    sync.Mutex
	known map[artwork.Hash]failure
}

type failure struct {
	err error
	at  time.Time
}

func (f *failures) note(hash artwork.Hash, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known) >= mostFailures {
		f.known = map[artwork.Hash]failure{}
	}
	f.known[hash] = failure{err, time.Now()}
}

// of returns the error of the image; nil if it may be tried.
func (f *failures) of(hash artwork.Hash) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.known[hash]; ok && time.Since(known.at) < failureTerm {
		return known.err
	}
	return nil
}
