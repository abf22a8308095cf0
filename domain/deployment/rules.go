package deployment

import (
	"time"

	"gatefold/domain/artwork"
)

// Rules are what an instance follows.
type Rules struct {
	// Revision counts the rules that the deployment has had; 0 is none yet.
	Revision int64
	// Read are the settings that readers follow.
	Read artwork.CacheSettings
	// Other are the settings that writers honour besides; the zero value is none.
	Other artwork.CacheSettings
	// FormerTTL is the longest TTL of entries that may still be cached from
	// before, 0 if there are none.
	FormerTTL time.Duration
}

// honoured returns the settings that writers honour.
func (r Rules) honoured() []artwork.CacheSettings {
	if r.Other.Mode == "" {
		return []artwork.CacheSettings{r.Read}
	}
	return []artwork.CacheSettings{r.Read, r.Other}
}

// Fenced reports whether writers have to fence the shared cache.
func (r Rules) Fenced() bool {
	for _, s := range r.honoured() {
		if s.Mode.Shared() {
			return true
		}
	}
	return false
}

// CopyWait returns how long writers wait for copies.
func (r Rules) CopyWait() time.Duration {
	var wait time.Duration
	for _, s := range r.honoured() {
		wait = max(wait, s.Policy().CopyWait())
	}
	return wait
}

// LongestTTL returns how old an entry of the shared cache can be.
func (r Rules) LongestTTL() time.Duration {
	ttl := r.FormerTTL
	for _, s := range r.honoured() {
		ttl = max(ttl, s.TTL)
	}
	return ttl
}
