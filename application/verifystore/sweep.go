package verifystore

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"gatefold/application/tracing"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/domain/fleet"
)

// When a fleet sweeps. A claim is not renewed: that two instances sweep at once
// does no harm, and who dies is replaced the same day.
const (
	task        = "sweep image store"
	claimTerm   = 6 * time.Hour
	restTime    = 23 * time.Hour // between two sweeps of a fleet
	leastPause  = 30 * time.Minute
	mostPause   = 90 * time.Minute // between two looks of an instance whether it is time
	claimBudget = 10 * time.Second
)

const (
	// removePause keeps a sweep from taking the store from those who serve.
	removePause = 50 * time.Millisecond
	// suspicious is how many orphans there must be for a sweep to wonder whether it
	// has the right database.
	suspicious = 10
	// forgetAtOnce bounds how many subjects are forgotten in one transaction: others wait
	// for it on SQLite.
	forgetAtOnce = 20
)

// Config says what a sweep leaves alone.
type Config struct {
	Grace    time.Duration
	Instance string // names this instance among those of the fleet
	// Keep is how many former pictures of a slot are kept (artwork.ImageArchive.Trim);
	// nil: all.
	Keep *int
	// KeepDeleted is how long what was deleted can be restored (catalog.Bin).
	KeepDeleted time.Duration
	// RenditionBytes is how many bytes of renditions are kept; 0: all.
	RenditionBytes int64
}

// Swept is what a sweep did.
type Swept struct {
	Deleted    int // subjects that were deleted too long ago to be restored
	Forgotten  int // records that were not to be kept, with those of these subjects
	Referenced int // distinct contents that records refer to
	Stored     int // contents in the store
	Waiting    int // of those, orphans within their grace period
	Removed    int // orphans past it
	Renditions Renditions
	Took       time.Duration
}

// Sweep removes orphans, once a day in a fleet. At least the grace period passes
// between the last storing and the removal.
type Sweep struct {
	orphans
	cfg    Config
	bin    catalog.Bin
	claims fleet.Claims
	log    *slog.Logger
}

// NewSweep returns the use case on the ports.
func NewSweep(cfg Config, archive artwork.ImageArchive, store artwork.ImageStore, renditions artwork.RenditionStore,
	bin catalog.Bin, claims fleet.Claims, log *slog.Logger,
) *Sweep {
	return &Sweep{newOrphans(archive, store, renditions, cfg.RenditionBytes, cfg.Grace), cfg, bin, claims, log}
}

// Watch sweeps whenever it is time and no other instance does, until ctx ends. What
// goes wrong is logged.
func (s *Sweep) Watch(ctx context.Context) {
	// At no regular time: neither do all instances ask at once, nor is the store
	// listed at the same hour every day.
	pause := func() time.Duration {
		d := leastPause + rand.N(mostPause-leastPause) //nolint:gosec // jitter, not a secret
		s.log.DebugContext(ctx, "Orphans of the image store are looked for later", "in", d.Round(time.Second), "grace", s.cfg.Grace)
		return d
	}
	timer := time.NewTimer(pause())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			s.inTurn(ctx)
			timer.Reset(pause())
		case <-ctx.Done():
			return
		}
	}
}

// inTurn sweeps if it is time.
func (s *Sweep) inTurn(ctx context.Context) {
	claim := fleet.Claim{Task: task, Holder: s.cfg.Instance + "/" + artwork.NewID().String(), Term: claimTerm}
	var swept Swept
	taken, err := s.claim(ctx, claim)
	if taken && err == nil {
		swept, err = s.Run(ctx)
		s.release(ctx, claim, err == nil || artwork.KindOf(err) == artwork.Conflict)
	}
	switch {
	case err != nil && ctx.Err() == nil:
		s.log.WarnContext(ctx, "Orphans of the image store are left", "removed", swept.Removed, "error", err.Error())
	case taken && err == nil:
		s.log.InfoContext(ctx, "Swept image store", "stored", swept.Stored, "referenced", swept.Referenced,
			"waiting", swept.Waiting, "removed", swept.Removed, "forgotten", swept.Forgotten, "deleted", swept.Deleted,
			"renditions", swept.Renditions.Stored, "renditionsRemoved", swept.Renditions.Removed, "took", swept.Took.Round(time.Millisecond))
	}
}

func (s *Sweep) claim(ctx context.Context, claim fleet.Claim) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, claimBudget)
	defer cancel()
	taken, _, err := s.claims.Claim(ctx, claim, restTime)
	return taken, err
}

func (s *Sweep) release(ctx context.Context, claim fleet.Claim, finished bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), claimBudget)
	defer cancel()
	if err := s.claims.Release(ctx, claim, finished); err != nil {
		s.log.DebugContext(ctx, "The claim on sweeping is left to expire", "error", err.Error())
	}
}

// Run sweeps now; first what was deleted long ago goes, and the records that need not be
// kept. Conflict: nothing was removed, because there are more orphans than
// images: that is what the store looks like to an instance with the wrong database,
// or an empty one, and a person has to decide. What was done until an error is in
// Swept.
func (s *Sweep) Run(ctx context.Context) (swept Swept, err error) {
	ctx, end := tracing.Work(ctx, "store.sweep", "")
	defer func() { end(err) }()
	begin := s.now()
	defer func() { swept.Took = s.now().Sub(begin) }()
	if err := s.forget(ctx, &swept); err != nil {
		return swept, err
	}
	since := s.since()
	referenced, err := s.references(ctx)
	if err != nil {
		return swept, err
	}
	expired, err := s.find(ctx, referenced, since, &swept)
	if err != nil {
		return swept, err
	}
	if len(expired) > suspicious && len(expired) > swept.Referenced+swept.Forgotten {
		return swept, artwork.Errorf(artwork.Conflict, "the database refers to %d images, and to none of %d others in the store: "+
			"is it the right one? If so, gatefold doctor --repair removes them", swept.Referenced, len(expired))
	}
	if err = s.removeAll(ctx, expired, since, &swept); err != nil {
		return swept, err
	}
	swept.Renditions, err = s.renditions.sweep(ctx, referenced, true)
	return swept, err
}

// forget forgets what is not to be kept.
func (s *Sweep) forget(ctx context.Context, swept *Swept) error {
	for {
		subjects, records, err := s.bin.Forget(ctx, s.cfg.KeepDeleted, forgetAtOnce)
		swept.Deleted += subjects
		swept.Forgotten += records
		if err != nil {
			return artwork.Wrap(artwork.Internal, "verifystore.Forget", err)
		}
		if subjects < forgetAtOnce {
			break
		}
	}
	if s.cfg.Keep == nil {
		return nil
	}
	trimmed, err := s.archive.Trim(ctx, *s.cfg.Keep)
	swept.Forgotten += trimmed
	return artwork.Wrap(artwork.Internal, "verifystore.Trim", err)
}

// find returns the orphans that were stored before since, and counts.
func (s *Sweep) find(ctx context.Context, referenced map[artwork.Hash]int64, since time.Time, swept *Swept) ([]artwork.Hash, error) {
	swept.Referenced = len(referenced)
	var expired []artwork.Hash
	err := s.store.List(ctx, func(stored artwork.StoredInfo) error {
		swept.Stored++
		_, known := referenced[stored.Hash]
		switch {
		case known:
		case stored.ModTime.Before(since):
			expired = append(expired, stored.Hash)
		default:
			swept.Waiting++
		}
		return nil
	})
	return expired, artwork.Wrap(artwork.Internal, "verifystore.List", err)
}

func (s *Sweep) removeAll(ctx context.Context, expired []artwork.Hash, since time.Time, swept *Swept) error {
	pace := time.NewTicker(removePause)
	defer pace.Stop()
	for _, hash := range expired {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		removed, err := s.remove(ctx, hash, since)
		if err != nil {
			return err
		}
		if removed {
			swept.Removed++
		}
	}
	return nil
}
