package applyimage

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gatefold/domain/artwork"
)

// Result is what became of one application of a batch.
type Result struct {
	Applied
	// Outcome is Changed, AlreadyInForce or AlreadyDone; after the last of them
	// another image may be in force, or none. Zero if there is an error.
	Outcome artwork.Result
	// Err is the application's own error, or the one that the whole batch failed
	// with.
	Err error
}

// ApplyBatch puts images in force in different places and returns once that is
// visible everywhere. All of them share one fence and one wait, so they may have
// artwork.MaxKeysPerChange keys together. There is one result for each, in their
// order.
//
// An application that cannot take force by itself fails alone: NotFound,
// Conflict, PreconditionFailed, InvalidInput, Internal. What is in force already
// needs no fence. After any other error it may be tried again; NotConfirmed and
// OutcomeUnknown leave open what is in force, all others the older image.
func (a *Applier) ApplyBatch(ctx context.Context, applications []artwork.Application) []Result {
	return a.applyAll(ctx, applications, nil)
}

// applyAll is ApplyBatch for who wants to hear how it goes on.
func (a *Applier) applyAll(ctx context.Context, applications []artwork.Application, progress Progress) []Result {
	all := make([]*wish, len(applications))
	for i, application := range applications {
		all[i] = &wish{Application: application}
	}
	if waiting := a.affirm(ctx, all); len(waiting) > 0 {
		a.change(ctx, waiting, progress)
	}
	results := make([]Result, len(all))
	for i, w := range all {
		if w.err != nil {
			results[i].Err = artwork.Wrap(artwork.Internal, "applyimage.apply", w.err)
			continue
		}
		results[i] = Result{Applied: Applied{w.outcome.Image, w.visibleAfter}, Outcome: w.outcome.Result}
	}
	return results
}

// apply is ApplyBatch for a single application.
func (a *Applier) apply(ctx context.Context, application artwork.Application, progress Progress) (Applied, error) {
	result := a.applyAll(ctx, []artwork.Application{application}, progress)[0]
	return result.Applied, result.Err
}

// wish is an application on its way.
type wish struct {
	artwork.Application
	outcome      artwork.Outcome
	visibleAfter time.Duration
	err          error
}

// affirm spares applications of what is in force the fence and its wait. They
// still reach the repository, which notes that a person wants these images; the
// condition on the tag turns them away if others were put in force in between.
// It returns the wishes that have neither succeeded nor failed.
func (a *Applier) affirm(ctx context.Context, all []*wish) (waiting []*wish) {
	var inForce []*wish
	var applications []artwork.Application
	for _, w := range all {
		current, err := a.images.InForce(ctx, w.Record.Place)
		switch {
		case err != nil:
			w.err = err
		case current == nil || current.RecordID != w.Record.ID || w.IfTag != "" && w.IfTag != current.Tag:
			waiting = append(waiting, w)
		default:
			application := w.Application
			application.IfTag = current.Tag
			inForce, applications = append(inForce, w), append(applications, application)
		}
	}
	if len(inForce) == 0 {
		return waiting
	}
	outcomes, err := a.images.Apply(ctx, artwork.Unfenced(), applications)
	if err != nil && isItsOwn(err) { // of one of them: it is found out under the fence
		return append(waiting, inForce...)
	}
	for i, w := range inForce {
		if w.err = err; err == nil {
			w.outcome = outcomes[i]
		}
	}
	return waiting
}

// change puts the images in force under one fence.
func (a *Applier) change(ctx context.Context, wishes []*wish, progress Progress) {
	var keys []artwork.Key
	for _, w := range wishes {
		keys = append(keys, w.Record.Place.Keys()...)
	}
	begin := a.now()
	err := a.cache.Change(ctx, keys, progress.fenced(func(ctx context.Context, fence artwork.Fence) error {
		return a.commit(ctx, fence, wishes)
	}))
	took := a.now().Sub(begin)
	for _, w := range wishes {
		switch {
		case w.err != nil:
		case err != nil:
			w.err = err
		default:
			w.visibleAfter = took
			a.logApplied(ctx, w, len(wishes))
		}
	}
}

// logApplied says what took force; of a batch only to who looks closely.
func (a *Applier) logApplied(ctx context.Context, w *wish, batch int) {
	if w.outcome.Result != artwork.Changed {
		return
	}
	level := slog.LevelInfo
	if batch > 1 {
		level = slog.LevelDebug
	}
	place := w.Record.Place
	a.log.LogAttrs(ctx, level, "Invalidated image cache for "+place.Subject.String(), slog.String("slot", place.Slot.String()),
		slog.String("tag", string(w.outcome.Image.Tag)), slog.String("by", w.By.Name))
}

// commit is called anew if the cache has to begin anew. It fails if nothing has
// taken force.
func (a *Applier) commit(ctx context.Context, fence artwork.Fence, wishes []*wish) error {
	for _, w := range wishes {
		w.err = nil
	}
	lost := false
	held := fence.StillHeld
	fence.StillHeld = func(ctx context.Context) error {
		err := held(ctx)
		lost = err != nil
		return err
	}
	if err := a.applyEach(ctx, fence, wishes, &lost); err != nil {
		return err
	}
	for _, w := range wishes {
		if w.err == nil {
			return nil
		}
	}
	return wishes[0].err
}

// applyEach applies all at once. If one of them is the reason why that fails, it
// finds out which by halves, all under the same fence; lost says that the fence is
// the reason.
func (a *Applier) applyEach(ctx context.Context, fence artwork.Fence, wishes []*wish, lost *bool) error {
	applications := make([]artwork.Application, len(wishes))
	for i, w := range wishes {
		applications[i] = w.Application
	}
	outcomes, err := a.images.Apply(ctx, fence, applications)
	switch {
	case err == nil:
		for i, w := range wishes {
			w.outcome = outcomes[i]
		}
		return nil
	case *lost || !isItsOwn(err):
		return err
	case len(wishes) == 1:
		wishes[0].err = err
		return nil
	}
	half := len(wishes) / 2
	if err := a.applyEach(ctx, fence, wishes[:half], lost); err != nil {
		return err
	}
	return a.applyEach(ctx, fence, wishes[half:], lost)
}

// isItsOwn reports whether an error may be that of one application, and not of a
// part that all of them need.
func isItsOwn(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch artwork.KindOf(err) {
	case artwork.NotFound, artwork.Conflict, artwork.PreconditionFailed, artwork.InvalidInput, artwork.Internal:
		return true
	default:
		return false
	}
}
