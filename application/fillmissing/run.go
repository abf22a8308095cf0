package fillmissing

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatefold/application/applyimage"
	"gatefold/application/findimages"
	"gatefold/application/jobloop"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

const (
	// asksAtOnce is how many subjects are asked for at the same time: few, so that
	// people who search need not wait long for their turn.
	asksAtOnce = 2
	// batchSize is how many subjects are asked for before what was found is applied,
	// under one fence, and recorded. Who takes over asks for so many again at most.
	batchSize = 8
	pageSize  = 200
	// tries is how many images are tried for a subject.
	tries = 3
	// lastRound is how often what has failed is tried again, and retryPause is how
	// long it is left alone before.
	lastRound  = 2
	retryPause = time.Minute
	// firstStandstill and mostStandstill are how long a job stands still while nobody
	// answers.
	firstStandstill = 15 * time.Second
	mostStandstill  = 5 * time.Minute
	// retryFor is how long an apply is tried again that may succeed by itself.
	retryFor   = 30 * time.Second
	retryAfter = time.Second
)

// fatalError ends a job: it says why to whom it belongs.
type fatalError string

func (e fatalError) Error() string { return string(e) }

// run is the work at one job under one claim.
type run struct {
	*Runner
	claim    Claim
	job      Job
	position Position
	status   Status
}

// todo is a subject that is to be dealt with.
type todo struct {
	gap  Gap
	item *Item // what was said of it before; nil in the first round of a walk
	gone bool  // its slot is not empty any more
}

// all does what is left to do. An error means that it ended early.
func (r *run) all(ctx context.Context) error {
	r.tell(ctx, r.status)
	for {
		page, err := r.page(ctx)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			if done, err := r.nextRound(ctx); done || err != nil {
				return err
			}
			continue
		}
		for len(page) > 0 {
			if page, err = r.step(ctx, page); err != nil {
				return err
			}
		}
	}
}

// page reads what comes next in the round.
func (r *run) page(ctx context.Context) ([]todo, error) {
	if r.position.Round == 0 && r.job.Of.IsZero() && !r.job.Named {
		return r.walk(ctx)
	}
	items, err := r.jobs.Open(ctx, r.job.ID, r.position.Cursor, pageSize)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	ids := make([]artwork.ID, len(items))
	for i, item := range items {
		ids[i] = item.SubjectID
	}
	gaps, err := r.gaps.Among(ctx, r.job.Slot, ids)
	page := make([]todo, len(items))
	for i, item := range items {
		page[i] = todo{gap: Gap{SubjectID: item.SubjectID, Name: item.Name, Artist: item.Artist}, item: &item, gone: true}
		if n := slices.IndexFunc(gaps, func(g Gap) bool { return g.SubjectID == item.SubjectID }); n >= 0 {
			page[i].gap, page[i].gone = gaps[n], false
		}
	}
	return page, err
}

// walk reads the next gaps. Where there are none for long, it records how far it has
// come, so that whoever takes over need not read all that again.
func (r *run) walk(ctx context.Context) ([]todo, error) {
	for {
		gaps, reached, err := r.gaps.After(ctx, r.job.Slot, r.position.Cursor, pageSize)
		if err != nil {
			return nil, err
		}
		if len(gaps) > 0 || reached.IsZero() {
			page := make([]todo, len(gaps))
			for i, gap := range gaps {
				page[i] = todo{gap: gap}
			}
			return page, nil
		}
		if err := r.record(ctx, Step{Position: Position{Cursor: reached}}); err != nil {
			return nil, err
		}
	}
}

// nextRound begins to try again what has failed, or finishes the job.
func (r *run) nextRound(ctx context.Context) (done bool, err error) {
	open, err := r.jobs.Open(ctx, r.job.ID, artwork.ID{}, 1)
	if err != nil {
		return false, err
	}
	if len(open) == 0 || r.position.Round == lastRound {
		status, err := r.jobs.Finish(ctx, r.claim, "")
		if err == nil {
			r.tell(ctx, status)
		}
		return err == nil, err
	}
	if wait.For(ctx, retryPause) != nil {
		return false, context.Cause(ctx)
	}
	return false, r.record(ctx, Step{Position: Position{Round: r.position.Round + 1}})
}

// step deals with the first of the page and returns the rest.
func (r *run) step(ctx context.Context, page []todo) (rest []todo, err error) {
	step := Step{Position: r.position}
	var asking []todo
	n := 0
	for ; n < len(page) && len(asking) < batchSize; n++ {
		t := page[n]
		step.Cursor = t.gap.SubjectID
		switch reason := t.gap.guarded(); {
		case t.gone:
			step.Results = append(step.Results, r.skipped(t.gap, "the slot is not empty any more"))
		case reason != "":
			step.Results = append(step.Results, r.skipped(t.gap, reason))
		case t.item == nil && !r.job.Again && t.gap.isRecent(r.job.MinScore, r.now()):
			step.Recent++
		default:
			asking = append(asking, t)
		}
	}
	results, err := r.work(ctx, asking)
	if err != nil {
		return nil, err
	}
	step.Results = append(step.Results, results...)
	return page[n:], r.record(ctx, step)
}

// work deals with subjects, however long nobody answers.
func (r *run) work(ctx context.Context, batch []todo) ([]Result, error) {
	for pause := firstStandstill; ; pause = min(2*pause, mostStandstill) {
		findings, err := r.examineAll(ctx, batch)
		if err != nil {
			return nil, err
		}
		if reason := standstill(findings); reason != "" {
			r.log.WarnContext(ctx, "Filling stands still: no provider answers", "job", r.job.ID.String(), "reason", reason)
			status, err := r.jobs.Explain(ctx, r.claim, "no provider answers; it goes on when one does. "+reason)
			if err != nil {
				return nil, err
			}
			r.tell(ctx, status)
			if wait.For(ctx, pause) != nil {
				return nil, context.Cause(ctx)
			}
			continue
		}
		return r.carryOut(ctx, batch, findings)
	}
}

// standstill returns why nobody answers; "" if somebody does.
func standstill(findings []finding) string {
	for _, f := range findings {
		if !f.silent {
			return ""
		}
	}
	if len(findings) == 0 {
		return ""
	}
	return findings[0].result.Reason
}

// examineAll asks for all of the batch.
func (r *run) examineAll(ctx context.Context, batch []todo) ([]finding, error) {
	findings := make([]finding, len(batch))
	err := each(ctx, len(batch), func(ctx context.Context, n int) (err error) {
		t := batch[n]
		if t.item != nil && !r.job.Of.IsZero() && t.item.Candidate != nil {
			findings[n] = finding{candidates: []scored{{*t.item.Candidate, t.item.Score}}}
			return nil
		}
		findings[n], err = r.examine(ctx, t.gap)
		return err
	})
	return findings, err
}

// prepared is an image that only has to be applied.
type prepared struct {
	n           int // in the batch
	chosen      scored
	application artwork.Application
}

// carryOut proposes what was found or, if this is no dry run, puts it in force.
func (r *run) carryOut(ctx context.Context, batch []todo, findings []finding) ([]Result, error) {
	results := make([]Result, len(batch))
	var mu sync.Mutex
	var ready []prepared
	err := each(ctx, len(batch), func(ctx context.Context, n int) (err error) {
		gap, f := batch[n].gap, findings[n]
		defer func() {
			if err == nil {
				r.keep(ctx, gap, f.note)
			}
		}()
		switch {
		case f.result != nil:
			results[n] = *f.result
			return nil
		case r.job.DryRun:
			results[n] = r.learn(gap, r.item(gap, Proposed, &f.candidates[0], ""))
			return nil
		}
		p, result, err := r.prepare(ctx, gap, f)
		if result != nil || err != nil {
			if result != nil {
				results[n] = *result
			}
			return err
		}
		p.n = n
		mu.Lock()
		defer mu.Unlock()
		ready = append(ready, *p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, r.applyAll(ctx, batch, ready, results)
}

// prepare downloads, checks and stores the best image that is as good as it seemed to
// be. It returns what is left to apply, or the result.
func (r *run) prepare(ctx context.Context, gap Gap, f finding) (*prepared, *Result, error) {
	var best *scored // of those that were too small after all
	var failed *Result
	for _, c := range f.candidates[:min(tries, len(f.candidates))] {
		application, err := r.download(ctx, gap, c)
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil && isElsewhere(err):
			return nil, nil, err
		case err != nil:
			result := r.errored(gap, &c, err)
			failed = &result
			f.note.say(c, findimages.Refused, result.Reason)
			continue
		}
		c.Candidate = measured(c.Candidate, application.Record.Content)
		if c.score = Score(c.Candidate); c.score >= r.job.MinScore || !r.job.Of.IsZero() {
			f.note.say(c, findimages.Chosen, "")
			return &prepared{chosen: c, application: application}, nil, nil
		}
		f.note.say(c, findimages.Unfit, "it is too small")
		if best == nil || c.score > best.score {
			best = &c
		}
	}
	if failed == nil {
		result := r.missed(gap, best)
		failed = &result
	}
	return nil, failed, nil
}

// isElsewhere reports whether an error is one of a part of Gatefold, and not of an
// image: going on makes no sense.
func isElsewhere(err error) bool {
	switch artwork.KindOf(err) {
	case artwork.Unavailable, artwork.StorageFull, artwork.CacheUnreachable:
		return true
	default:
		return false
	}
}

func (r *run) download(ctx context.Context, gap Gap, c scored) (artwork.Application, error) {
	place := r.job.Place(gap.SubjectID)
	application, err := r.applier.PrepareURL(ctx, r.downloader, place, applyimage.FromURL{
		SubjectID: gap.SubjectID, Slot: place.Slot, URL: c.URL, Provider: c.Provider, Offered: c.Provenance(), By: r.job.Actor(),
	})
	// The slot decides, in the transaction that would fill it: whatever came in
	// between wins.
	application.Automatic = true
	application.IdempotencyKey = artwork.DeriveID("fill", r.job.ID.String(), place.String())
	return application, err
}

// applyAll puts images in force and writes down what became of them.
func (r *run) applyAll(ctx context.Context, batch []todo, ready []prepared, results []Result) error {
	begun := time.Now()
	for len(ready) > 0 {
		var again []prepared
		var reason error
		for i, applied := range r.applier.ApplyBatch(ctx, applicationsOf(ready)) {
			p := ready[i]
			if mayPass(applied.Err) {
				again, reason = append(again, p), applied.Err
				continue
			}
			results[p.n] = r.became(batch[p.n].gap, p, applied)
		}
		if ready = again; len(ready) == 0 {
			return nil
		}
		if time.Since(begun) > retryFor || wait.For(ctx, retryAfter) != nil {
			return reason
		}
	}
	return nil
}

func applicationsOf(ready []prepared) []artwork.Application {
	applications := make([]artwork.Application, len(ready))
	for i, p := range ready {
		applications[i] = p.application
	}
	return applications
}

func (r *run) became(gap Gap, p prepared, applied applyimage.Result) Result {
	switch {
	case artwork.KindOf(applied.Err) == artwork.NotFound && applied.Err != nil:
		return r.skipped(gap, "it was deleted meanwhile")
	case applied.Err != nil:
		return r.errored(gap, &p.chosen, applied.Err)
	case applied.Outcome == artwork.Declined:
		return r.skipped(gap, "the slot was filled, locked or is kept empty meanwhile")
	}
	result := r.learn(gap, r.item(gap, Applied, &p.chosen, ""))
	result.Tag = artwork.TagOf(p.application.Record.Content.Hash, nil)
	return result
}

// record keeps a step, also when this instance stops.
func (r *run) record(ctx context.Context, step Step) error {
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobloop.RecordBudget)
	defer cancel()
	status, err := r.jobs.Record(budget, r.claim, step)
	if err != nil {
		return err
	}
	r.position = step.Position
	r.tell(ctx, status)
	return nil
}

func (r *run) tell(ctx context.Context, status Status) {
	r.status = status
	r.progress.Progress(context.WithoutCancel(ctx), status)
}

// each calls do for 0 to n-1, some at a time, and returns the first error, with which
// it ends the others.
func each(ctx context.Context, n int, do func(ctx context.Context, n int) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	turns := make(chan struct{}, asksAtOnce)
	var doing sync.WaitGroup
	for i := range n {
		doing.Go(func() {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-turns }()
			if err := do(ctx, i); err != nil {
				end(err)
			}
		})
	}
	doing.Wait()
	return context.Cause(ctx)
}

func (r *run) logEnd(ctx context.Context, err error) {
	c := r.status.Counts
	counts := []any{
		slog.String("job", r.job.ID.String()), slog.Int("walked", c.Walked), slog.Int("total", c.Total), slog.Int("applied", c.Applied),
		slog.Int("proposed", c.Proposed), slog.Int("failed", c.Failed),
	}
	switch {
	case err == nil:
		r.log.InfoContext(ctx, "Filling is done", counts...)
	case errors.Is(err, jobloop.ErrOrdered):
		r.log.InfoContext(ctx, "Filling was told to stop", counts...)
	case ctx.Err() != nil:
		r.log.InfoContext(ctx, "Filling is left to another instance, or the next start", counts...)
	default:
		r.log.WarnContext(ctx, "Filling was interrupted", append(counts, slog.String("reason", err.Error()))...)
	}
}
