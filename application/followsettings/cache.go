package followsettings

import (
	"context"
	"errors"

	"gatefold/domain/artwork"
)

// Caches are the caches that a process can use. Those that it cannot are nil.
type Caches struct {
	None     artwork.ImageCache
	Memory   artwork.ImageCache
	Redis    artwork.ImageCache
	TwoLevel artwork.ImageCache // over Redis
}

// Cache is the ImageCache of the mode that the deployment is in. Moves from one
// mode to another break no promise.
type Cache struct {
	member *Membership
	caches Caches
}

var _ artwork.ImageCache = (*Cache)(nil)

// NewCache returns a cache that follows the membership's rules.
func NewCache(member *Membership, caches Caches) *Cache { return &Cache{member, caches} }

// reader returns the cache of the mode; the database answers where there is none.
func (c *Cache) reader(mode artwork.CacheMode) artwork.ImageCache {
	cache := c.caches.None
	switch mode {
	case artwork.CacheTwoLevel:
		cache = c.caches.TwoLevel
	case artwork.CacheRedis:
		cache = c.caches.Redis
	case artwork.CacheMemory:
		cache = c.caches.Memory
	case artwork.CacheOff:
	}
	if cache == nil {
		return c.caches.None
	}
	return cache
}

// Fetch implements artwork.ImageCache. What a cache answers counts only if the
// process still follows the rules by which that cache is looked after. Copies need
// no look at the clock: see Terms.CopyLife.
func (c *Cache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	s := c.member.terms.current.Load()
	answer, err := c.reader(s.reading).Fetch(ctx, key, load)
	if err != nil || answer.Level == artwork.Loaded || answer.Level == artwork.Process && s.reading == artwork.CacheTwoLevel {
		return answer, err
	}
	if answer.Level != artwork.Filled && c.member.terms.lapsed(s) {
		return c.caches.None.Fetch(ctx, key, load)
	}
	return answer, nil
}

// maxAttempts bounds how often a change is begun anew because the deployment has
// moved meanwhile. A move has three revisions.
const maxAttempts = 4

// Change implements artwork.ImageCache.
func (c *Cache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	var err error
	for range maxAttempts {
		err = c.change(ctx, keys, commit)
		if !errors.Is(err, artwork.ErrSettingsChanged) {
			return err
		}
		if err := c.member.CatchUp(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	return err
}

func (c *Cache) change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	s, done := c.member.begin()
	defer done()
	cache, err := c.writer(s)
	if err != nil {
		return err
	}
	err = cache.Change(ctx, keys, func(ctx context.Context, fence artwork.Fence) error {
		fence.Revision = s.rules.Revision
		return commit(ctx, fence)
	})
	if err == nil && c.member.terms.lapsed(s) {
		return &artwork.Error{
			Kind: artwork.NotConfirmed, Op: "followsettings.Change",
			Msg: "the change is made, but this instance has lost touch with the others; it is visible everywhere within seconds",
		}
	}
	return err
}

// writer returns the cache that a change has to go through.
func (c *Cache) writer(s *standing) (artwork.ImageCache, error) {
	cache := c.reader(s.rules.Read.Mode)
	if s.rules.Fenced() {
		// The same for both modes that are shared: it fences, and waits for
		// copies as the terms say.
		cache = c.caches.Redis
	}
	if cache == nil || s.rules.Revision == 0 {
		return nil, artwork.Errorf(artwork.CacheUnreachable, "this instance cannot use the deployment's cache; nothing has changed")
	}
	return cache, nil
}
