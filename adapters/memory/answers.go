package memory

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"gatefold/application/findimages"
)

// Answers keeps what providers answered, in one process and up to a number of bytes.
type Answers struct{ kept *otter.Cache[string, answer] }

type answer struct {
	value []byte
	until time.Time
}

var _ findimages.AnswerCache = (*Answers)(nil)

// NewAnswers returns an empty cache of at most so many bytes of keys and values.
func NewAnswers(maxBytes uint64) *Answers {
	return &Answers{otter.Must(&otter.Options[string, answer]{
		MaximumWeight: maxBytes,
		Weigher:       func(key string, a answer) uint32 { return uint32(len(key) + len(a.value)) },
	})}
}

// Get implements findimages.AnswerCache.
func (c *Answers) Get(_ context.Context, key string) ([]byte, bool) {
	a, ok := c.kept.GetIfPresent(key)
	if !ok || !time.Now().Before(a.until) {
		return nil, false
	}
	return a.value, true
}

// Put implements findimages.AnswerCache.
func (c *Answers) Put(_ context.Context, key string, value []byte, term time.Duration) {
	c.kept.Set(key, answer{value, time.Now().Add(term)})
}
