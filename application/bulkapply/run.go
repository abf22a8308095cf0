package bulkapply

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gatefold/application/applyimage"
	"gatefold/application/jobloop"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

const (
	// atOnce is how many images are downloaded and checked at the same time, and
	// perHost of one host. So many times MaxImageBytes may be in memory.
	atOnce  = 8
	perHost = 3
	// changesAtOnce is how many batches may wait for their fences.
	changesAtOnce = 3
	// linger is how long a batch waits for more to share its fence.
	linger = 250 * time.Millisecond
	// retryFor is how long what may pass by itself is tried again.
	retryFor   = 30 * time.Second
	firstPause = 250 * time.Millisecond
	mostPause  = 4 * time.Second
)

// run is the work at one job under one claim.
type run struct {
	*Runner
	claim Claim
	job   Assignment
	begun time.Time

	mu     sync.Mutex // held while the progress is told
	status Status
}

func newRun(r *Runner, claim Claim, job Assignment) *run {
	return &run{Runner: r, claim: claim, job: job, begun: time.Now(), status: job.Status}
}

// all does what is left to do. An error means that it ended early: what has no
// result is left as it was, or has been done and will be found done.
func (r *run) all(ctx context.Context) error {
	r.log.InfoContext(ctx, "Bulk apply begins", "job", r.job.ID.String(), "items", r.job.Total, "done", r.job.Done, "by", r.job.By.Name)
	r.add(ctx, nil)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	todo := newQueue(r.job.Todo, perHost)
	defer context.AfterFunc(ctx, todo.close)()

	ready := make(chan prepared)
	var working sync.WaitGroup
	for range min(atOnce, len(r.job.Todo)) {
		working.Go(func() { r.prepareAll(ctx, todo, ready) })
	}
	slots := make(chan struct{}, changesAtOnce)
	r.collect(ctx, ready, slots, func(b *batch) {
		working.Go(func() {
			defer func() { <-slots }()
			if err := r.finish(ctx, b); err != nil {
				end(err)
			}
		})
	})
	working.Wait()
	if r.status.State == Done {
		return nil
	}
	return context.Cause(ctx)
}

// prepared is an item that only has to be applied, or has failed already.
type prepared struct {
	n           int
	application artwork.Application
	err         error
}

// prepareAll prepares what the queue hands out.
func (r *run) prepareAll(ctx context.Context, todo *queue, ready chan<- prepared) {
	for {
		item, ok := todo.next()
		if !ok {
			return
		}
		p := r.prepare(ctx, todo, item)
		select {
		case ready <- p:
		case <-ctx.Done():
			return
		}
	}
}

// prepare tries until the item is prepared, or has failed. While it downloads, and
// no longer, it has its turn at the host.
func (r *run) prepare(ctx context.Context, todo *queue, item turn) prepared {
	p := prepared{n: item.N}
	for pauses := newPauses(); ; {
		leave := sync.OnceFunc(func() { todo.leave(item) })
		p.application, p.err = r.prepareOnce(ctx, item.Item, leaving{r.downloader, leave})
		leave()
		if !mayPass(p.err) || !pauses.wait(ctx) || !todo.enter(item) {
			break
		}
	}
	p.application.IdempotencyKey = idempotencyKey(r.job.ID, item.N)
	return p
}

// leaving calls leave when it has downloaded.
type leaving struct {
	applyimage.Downloader
	leave func()
}

// Download implements applyimage.Downloader.
func (l leaving) Download(ctx context.Context, url string, limit int64) ([]byte, error) {
	defer l.leave()
	return l.Downloader.Download(ctx, url, limit)
}

func (r *run) prepareOnce(ctx context.Context, item Item, downloader applyimage.Downloader) (artwork.Application, error) {
	if item.URL == "" {
		application, err := r.applier.PrepareKnown(ctx, applyimage.Restore{Place: item.Place, RecordID: item.ImageID, By: r.job.By})
		application.Action = artwork.ActionApply // whether it ever was in force or not
		return application, err
	}
	return r.applier.PrepareURL(ctx, downloader, item.Place, applyimage.FromURL{
		SubjectID: item.Place.Subject.ID, Slot: item.Place.Slot, URL: item.URL, Provider: item.Provider, Stated: item.Stated, By: r.job.By,
	})
}

// collect puts what is ready into batches. A batch goes when no more keys fit
// under its fence, when it has lingered, or when nothing more will come, as soon as
// there is a slot for it; until then more may join.
func (r *run) collect(ctx context.Context, ready <-chan prepared, slots chan<- struct{}, dispatch func(*batch)) {
	coming := len(r.job.Todo)
	most := mostKeys(r.job.Todo)
	next, lingered := &batch{most: most}, time.NewTimer(linger)
	defer lingered.Stop()
	for coming > 0 || !next.empty() {
		more, free := ready, slots
		if next.full() {
			more = nil
		}
		if !next.full() && !next.due && coming > 0 {
			free = nil
		}
		select {
		case p := <-more:
			if next.empty() {
				lingered.Reset(linger)
			}
			next.add(p)
			coming--
		case <-lingered.C:
			next.due = !next.empty()
		case free <- struct{}{}:
			dispatch(next)
			next = &batch{most: most}
		case <-ctx.Done():
			return
		}
	}
}

// batch is what shares a fence, and what needs none because it has failed.
type batch struct {
	items []prepared
	keys  int
	most  int  // keys that the next item may have
	due   bool // it has lingered
}

func mostKeys(todo []Todo) (most int) {
	for _, item := range todo {
		most = max(most, len(item.Place.Keys()))
	}
	return most
}

func (b *batch) empty() bool { return len(b.items) == 0 }

func (b *batch) full() bool {
	return b.keys+b.most > artwork.MaxKeysPerChange || len(b.items) >= artwork.MaxKeysPerChange
}

func (b *batch) add(p prepared) {
	b.items = append(b.items, p)
	if p.err == nil {
		b.keys += len(p.application.Record.Place.Keys())
	}
}

// finish applies a batch and records what became of it.
func (r *run) finish(ctx context.Context, b *batch) error {
	results := r.applyAll(ctx, b.items)
	if len(results) == 0 {
		return nil
	}
	// What has been done is noted also when this instance stops.
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobloop.RecordBudget)
	defer cancel()
	if err := r.jobs.Record(budget, r.claim, results); err != nil {
		return err
	}
	r.add(ctx, results)
	return nil
}

// applyAll returns the results of those items that have one: at the end of ctx
// some may be left.
func (r *run) applyAll(ctx context.Context, items []prepared) (results []Result) {
	var left []prepared
	for _, p := range items {
		if p.err != nil {
			results = r.fail(ctx, results, p)
		} else {
			left = append(left, p)
		}
	}
	for pauses := newPauses(); len(left) > 0; {
		var again []prepared
		for i, applied := range r.applier.ApplyBatch(ctx, applicationsOf(left)) {
			p := left[i]
			switch p.err = applied.Err; {
			case p.err == nil:
				results = append(results, Result{N: p.n, Tag: tagOf(p, applied)})
			case mayPass(p.err):
				again = append(again, p)
			default:
				results = r.fail(ctx, results, p)
			}
		}
		if left = again; len(left) > 0 && !pauses.wait(ctx) {
			for _, p := range left {
				results = r.fail(ctx, results, p)
			}
			break
		}
	}
	return results
}

func applicationsOf(items []prepared) []artwork.Application {
	applications := make([]artwork.Application, len(items))
	for i, p := range items {
		applications[i] = p.application
	}
	return applications
}

// tagOf is the tag that an item has put in force, whatever is in force by now.
func tagOf(p prepared, applied applyimage.Result) artwork.Tag {
	if applied.Outcome == artwork.AlreadyDone {
		return artwork.TagOf(p.application.Record.Content.Hash, p.application.Record.FocalPoint)
	}
	return applied.Image.Tag
}

// fail adds the result of an item that has failed, unless the end of ctx is the
// reason: then somebody else goes on with it.
func (r *run) fail(ctx context.Context, results []Result, p prepared) []Result {
	if ctx.Err() != nil && (mayPass(p.err) || errors.Is(p.err, context.Canceled) || errors.Is(p.err, context.DeadlineExceeded)) {
		return results
	}
	problem := Problem{Kind: artwork.KindOf(p.err), Detail: artwork.MessageOf(p.err)}
	if problem.Kind == artwork.Internal {
		problem.Detail = ""
		r.log.ErrorContext(ctx, "An item of a bulk apply failed", "job", r.job.ID.String(), "item", p.n, "error", p.err.Error())
	}
	return append(results, Result{N: p.n, Problem: &problem})
}

// add counts results that were recorded, and tells of the progress.
func (r *run) add(ctx context.Context, results []Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.State = Running
	r.status.Done += len(results)
	for _, result := range results {
		if result.Problem != nil {
			r.status.Failed++
		}
	}
	switch {
	case r.status.Done == r.status.Total:
		r.status.State = Done
	case errors.Is(context.Cause(ctx), jobloop.ErrLost): // yet the results were kept: it was cancelled
		r.status.State = Cancelled
	}
	r.progress.Progress(context.WithoutCancel(ctx), r.status)
}

func (r *run) logEnd(ctx context.Context, err error) {
	counts := []any{
		slog.String("job", r.job.ID.String()), slog.Int("items", r.status.Total), slog.Int("done", r.status.Done),
		slog.Int("failed", r.status.Failed), slog.Duration("took", time.Since(r.begun).Round(time.Millisecond)),
	}
	switch {
	case err == nil:
		r.log.InfoContext(ctx, "Bulk apply is done", counts...)
	case ctx.Err() != nil:
		r.log.InfoContext(ctx, "Bulk apply is left to another instance, or the next start", counts...)
	default:
		r.log.WarnContext(ctx, "Bulk apply was interrupted; it goes on in a moment", append(counts, slog.String("reason", err.Error()))...)
	}
}

// mayPass reports whether trying again makes sense. It is safe: what is in force
// is not put in force again.
func mayPass(err error) bool {
	switch artwork.KindOf(err) {
	case artwork.CacheUnreachable, artwork.Unavailable, artwork.NotConfirmed, artwork.OutcomeUnknown:
		return true
	default:
		return false
	}
}

// pauses are those between attempts, each longer than the one before.
type pauses struct {
	next  time.Duration
	until time.Time
}

func newPauses() *pauses { return &pauses{firstPause, time.Now().Add(retryFor)} }

// wait reports false if there is to be no other attempt.
func (p *pauses) wait(ctx context.Context) bool {
	if time.Now().Add(p.next).After(p.until) {
		return false
	}
	pause := p.next
	p.next = min(2*p.next, mostPause)
	return wait.For(ctx, pause) == nil
}
