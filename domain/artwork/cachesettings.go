package artwork

import (
	"fmt"
	"strconv"
	"time"
)

// CacheMode names a composition of caches.
type CacheMode string

// The modes.
const (
	CacheMemory   CacheMode = "memory"   // in one process, for a deployment of one
	CacheRedis    CacheMode = "redis"    // shared by all instances
	CacheTwoLevel CacheMode = "twolevel" // copies in process memory, over the shared one
	CacheOff      CacheMode = "off"      // the database answers every request
)

// ParseCacheMode reads the name of a mode.
func ParseCacheMode(name string) (CacheMode, error) {
	switch mode := CacheMode(name); mode {
	case CacheMemory, CacheRedis, CacheTwoLevel, CacheOff:
		return mode, nil
	}
	return "", Errorf(InvalidInput, "%q is not a cache mode: memory, redis, twolevel or off", name)
}

// Shared reports whether instances share a cache in this mode, so that writers
// have to fence it.
func (m CacheMode) Shared() bool { return m == CacheRedis || m == CacheTwoLevel }

// Bounds of the terms. A copy's term must leave a change most of its fence's.
const (
	MinCacheTTL = time.Second
	MaxCacheTTL = 24 * time.Hour
	MinCopyTerm = time.Millisecond
	MaxCopyTerm = 3 * time.Second
)

// CacheSettings are what all instances of a deployment have to agree on. A writer
// that does not wait for another's copies, or does not fence a cache that others
// read, would break the promise for all.
type CacheSettings struct {
	Mode CacheMode
	// TTL is how long an image stays cached, at most.
	TTL time.Duration
	// L1TTL is how long a copy in process memory may be used, in the mode that
	// makes any.
	L1TTL time.Duration
}

// Check returns an InvalidInput error unless the settings can be used.
func (s CacheSettings) Check() error {
	if _, err := ParseCacheMode(string(s.Mode)); err != nil {
		return err
	}
	if s.TTL < MinCacheTTL || s.TTL > MaxCacheTTL {
		return Errorf(InvalidInput, "CACHE_TTL is from %s to %s, not %s", MinCacheTTL, MaxCacheTTL, FormatTerm(s.TTL))
	}
	if s.L1TTL < MinCopyTerm || s.L1TTL > MaxCopyTerm {
		return Errorf(InvalidInput, "L1_TTL is from %s to %s, not %s", MinCopyTerm, MaxCopyTerm, FormatTerm(s.L1TTL))
	}
	return nil
}

// Policy returns the terms that follow from the settings.
func (s CacheSettings) Policy() CachePolicy {
	p := CachePolicy{TTL: s.TTL}
	if s.Mode == CacheTwoLevel {
		p.CopyTerm = s.L1TTL
	}
	return p
}

// String names the settings as an operator would.
func (s CacheSettings) String() string {
	return fmt.Sprintf("IMAGE_CACHE=%s CACHE_TTL=%s L1_TTL=%s", s.Mode, FormatTerm(s.TTL), FormatTerm(s.L1TTL))
}

// FormatTerm writes a term as configurations do, in seconds: "300s", "0.25s".
func FormatTerm(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
}

// CacheTerms are the terms by which a cache works. They may change while it
// does; all methods may be called concurrently.
type CacheTerms interface {
	// EntryTTL returns how long an answer that is cached now may stay.
	EntryTTL(img *Image) time.Duration
	// CopyLife returns how long a process may use a copy of what it asks the
	// shared cache for now; 0 or less is not at all.
	CopyLife() time.Duration
	// CopyWait returns how long a writer waits after its fence until no process
	// can answer from a copy that was made before it.
	CopyWait() time.Duration
	// LongestTTL returns how old an entry of the shared cache can be.
	LongestTTL() time.Duration
}
