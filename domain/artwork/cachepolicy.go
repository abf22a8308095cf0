package artwork

import (
	"math/rand/v2"
	"time"
)

// CachePolicy are CacheTerms that do not change.
type CachePolicy struct {
	// TTL is how long an image stays cached, at most.
	TTL time.Duration
	// CopyTerm is how long a process may answer from a copy in its own memory,
	// counted from before it asked the shared cache for it. 0: no such copies.
	CopyTerm time.Duration
}

var _ CacheTerms = CachePolicy{}

// emptySlotTTL is how long the knowledge that a slot is empty stays cached:
// short, because a wrong answer here looks like a missing picture.
const emptySlotTTL = 30 * time.Second

// driftMargin is what a writer waits longer than CopyTerm, in hundredths of
// it: clocks of two machines may run at slightly different speeds.
const driftMargin = 2

// EntryTTL implements CacheTerms. It returns how long the answer may stay: 90 to 100 % of the TTL,
// by chance, so that what was cached at one moment does not expire at one
// moment; for an empty slot at most 30 s.
func (p CachePolicy) EntryTTL(img *Image) time.Duration {
	ttl := p.TTL
	if img == nil {
		ttl = min(ttl, emptySlotTTL)
	}
	return ttl - time.Duration(rand.Float64()*0.1*float64(ttl)) //nolint:gosec // jitter, not a secret
}

// CopyLife implements CacheTerms.
func (p CachePolicy) CopyLife() time.Duration { return p.CopyTerm }

// LongestTTL implements CacheTerms.
func (p CachePolicy) LongestTTL() time.Duration { return p.TTL }

// CopyWait implements CacheTerms.
func (p CachePolicy) CopyWait() time.Duration {
	return p.CopyTerm + p.CopyTerm*driftMargin/100
}

// DistinctKeys returns the keys without duplicates, in their order, or an
// InvalidInput error if more than MaxKeysPerChange are left.
func DistinctKeys(keys []Key) ([]Key, error) {
	seen := make(map[Key]struct{}, len(keys))
	distinct := make([]Key, 0, len(keys))
	for _, k := range keys {
		if _, dup := seen[k]; !dup {
			seen[k] = struct{}{}
			distinct = append(distinct, k)
		}
	}
	if len(distinct) > MaxKeysPerChange {
		return nil, Errorf(InvalidInput, "a change may have %d keys at most, not %d", MaxKeysPerChange, len(distinct))
	}
	return distinct, nil
}
