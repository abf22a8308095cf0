package providersettings

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gatefold/application/health"
	"gatefold/application/keyring"
	"gatefold/domain/artwork"
)

const (
	// lookEvery is how often an instance looks whether something was set.
	lookEvery = time.Second
	// lookBudget bounds one attempt.
	lookBudget = 5 * time.Second
)

// Follower has the providers of this process follow what is set.
type Follower struct {
	store     Store
	providers Providers
	resolver  resolver
	keys      *keyring.Keyring
	log       *slog.Logger

	mu         sync.Mutex // one catches up at a time
	followed   int64      // the revision that is followed; -1: none yet
	keysKept   bool       // some key is stored
	unreadable []string   // keys that cannot be opened, as "provider field"
	failing    bool       // the last attempt failed, which was logged
}

// NewFollower returns what follows the store. Until it has caught up, the providers are
// asked as the environment says.
func NewFollower(store Store, providers Providers, keys *keyring.Keyring, log *slog.Logger) *Follower {
	f := &Follower{store: store, providers: providers, resolver: resolver{keys}, keys: keys, log: log, followed: -1}
	providers.Use(context.Background(), f.resolve(Snapshot{}))
	return f
}

// resolve returns all providers as the snapshot has them set up, in the order that is set.
func (f *Follower) resolve(snapshot Snapshot) []Resolved {
	known := f.providers.All()
	all := make([]Resolved, len(known))
	for i, p := range known {
		all[i] = f.resolver.resolve(p, snapshot.Providers[p.ID])
	}
	arrange(all, f.resolver.resolve(orderable(f.providers), snapshot.Providers[ordering]).Settings[Order].Value)
	return all
}

// Start catches up, so that what begins after it follows what is set. It never fails:
// while the database cannot be reached, the providers are asked as before.
func (f *Follower) Start(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	f.report(ctx, f.CatchUp(bounded))
}

// Run follows what is set on any instance, within seconds, until ctx ends. At first it
// seals the keys anew that only an older secret opens.
func (f *Follower) Run(ctx context.Context) {
	f.Reseal(ctx)
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.Start(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// report logs when what is set cannot be read, and when it can again.
func (f *Follower) report(ctx context.Context, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil && !f.failing && ctx.Err() == nil:
		f.failing = true
		f.log.WarnContext(ctx, "The settings of providers cannot be read; those that are known go on", "error", err.Error())
	case err == nil && f.failing:
		f.failing = false
		f.log.InfoContext(ctx, "The settings of providers can be read again")
	}
}

// CatchUp has the providers asked as is set now. Errors are those of the store; then
// they are asked as before.
func (f *Follower) CatchUp(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	revision, err := f.store.Revision(ctx)
	if err != nil || revision == f.followed {
		return err
	}
	snapshot, err := f.store.Load(ctx)
	if err != nil {
		return err
	}
	all := f.resolve(snapshot)
	f.providers.Use(ctx, all)
	first := f.followed < 0
	f.followed = snapshot.Revision
	f.look(ctx, all)
	if !first || snapshot.Revision > 0 {
		f.log.InfoContext(ctx, "Providers are asked as is set", "revision", snapshot.Revision, "asked", strings.Join(asked(all), " "))
	}
	return nil
}

func asked(all []Resolved) []string {
	var ids []string
	for _, p := range all {
		if p.State() == Active {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// look notes which keys are kept, and tells the log of those that are missing or cannot
// be opened.
// Called with the lock held.
func (f *Follower) look(ctx context.Context, all []Resolved) {
	f.keysKept, f.unreadable = false, nil
	for _, p := range all {
		for field, setting := range p.Settings {
			f.keysKept = f.keysKept || field.IsKey() && setting.Stored
		}
		if p.State() == NeedsKey && p.Settings[Enabled].Value == True {
			f.log.WarnContext(ctx, "A provider is switched on, and is not asked: it needs a key", "provider", p.ID)
		}
		for _, field := range p.Unreadable() {
			f.unreadable = append(f.unreadable, p.ID+" "+string(field))
			f.log.WarnContext(ctx, "A stored key cannot be opened: AUTH_SECRET is another one than when it was entered. It counts as none until it is entered again, or AUTH_SECRET_PREVIOUS has the former secret",
				"provider", p.ID, "key", string(field))
		}
	}
}

// Check is a health.Probe's: health.ErrDisabled if no key is stored, Unavailable if one
// cannot be opened.
func (f *Follower) Check(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case len(f.unreadable) > 0:
		return artwork.Errorf(artwork.Unavailable, "no secret opens the stored keys of: %s", strings.Join(f.unreadable, ", "))
	case !f.keysKept:
		return health.ErrDisabled
	default:
		return nil
	}
}

// Reseal seals the keys anew that only an older secret opens, so that it can be
// forgotten. All instances may do it at once. It is no change: an instance that has not
// been told the present secret yet goes on with the keys that it has opened.
func (f *Follower) Reseal(ctx context.Context) {
	bounded, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	snapshot, err := f.store.Load(bounded)
	if err != nil {
		return // the next start does it
	}
	for id, stored := range snapshot.Providers {
		for field, value := range stored.Values {
			if field.IsKey() {
				f.resealOne(bounded, id, field, value.Sealed)
			}
		}
	}
}

func (f *Follower) resealOne(ctx context.Context, provider string, field Field, sealed []byte) {
	resealed, changed, err := f.keys.Reseal(sealPurpose, sealed, bound(provider, field))
	if err != nil || !changed {
		return // nobody opens it, which is logged elsewhere; or it is so already
	}
	err = f.store.Reseal(ctx, provider, field, sealed, resealed)
	switch {
	case err == nil:
		f.log.InfoContext(ctx, "A stored key was sealed anew, under the present secret", "provider", provider, "key", string(field))
	case artwork.KindOf(err) != artwork.PreconditionFailed: // another instance was faster
		f.log.WarnContext(ctx, "A stored key could not be sealed anew; the next start tries again", "provider", provider, "key", string(field), "error", err.Error())
	}
}
