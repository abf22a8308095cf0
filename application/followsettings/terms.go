package followsettings

import (
	"sync/atomic"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Terms are the terms by which the caches of this process work: those of the
// rules that it follows now.
type Terms struct {
	current atomic.Pointer[standing]
	// now is a monotonic clock that counts from some moment.
	now func() time.Duration
}

// standing is what this process follows, and until when it may.
type standing struct {
	rules   deployment.Rules
	reading artwork.CacheMode // that of the rules, or CacheOff while it is not to be believed yet
	until   time.Duration     // on the clock of Terms
}

var _ artwork.CacheTerms = (*Terms)(nil)

// NewTerms returns the terms of a process that follows nothing yet.
func NewTerms() *Terms {
	begin := time.Now()
	t := &Terms{now: func() time.Duration { return time.Since(begin) }}
	t.current.Store(&standing{reading: artwork.CacheOff})
	return t
}

// EntryTTL implements artwork.CacheTerms.
func (t *Terms) EntryTTL(img *artwork.Image) time.Duration {
	return t.current.Load().rules.Read.Policy().EntryTTL(img)
}

// TTL returns the CACHE_TTL that readers follow now.
func (t *Terms) TTL() time.Duration { return t.current.Load().rules.Read.TTL }

// Mode returns the mode that the deployment is in, as far as this process knows.
func (t *Terms) Mode() artwork.CacheMode { return t.current.Load().rules.Read.Mode }

// CopyLife implements artwork.CacheTerms. A copy is never used for longer than
// this process may follow what it follows.
func (t *Terms) CopyLife() time.Duration {
	s := t.current.Load()
	return min(s.rules.Read.Policy().CopyTerm, s.until-t.now())
}

// CopyWait implements artwork.CacheTerms.
func (t *Terms) CopyWait() time.Duration { return t.current.Load().rules.CopyWait() }

// LongestTTL implements artwork.CacheTerms. Nothing is known before the process
// has joined the deployment.
func (t *Terms) LongestTTL() time.Duration {
	if s := t.current.Load(); s.rules.Revision > 0 {
		return s.rules.LongestTTL()
	}
	return artwork.MaxCacheTTL
}

// lapsed reports whether the time has passed until which the process might follow
// s.
func (t *Terms) lapsed(s *standing) bool { return t.now() >= s.until }
