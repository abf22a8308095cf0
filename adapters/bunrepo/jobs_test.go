package bunrepo_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatefold/adapters/bunrepo"
	"gatefold/application/bulkapply"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

// TestSuiteRejectsBrokenJobs: each twin leaves out one thing.
func TestSuiteRejectsBrokenJobs(t *testing.T) {
	t.Parallel()
	onJobs := func(brk func(*brokenJobs)) func(*conformance.Repositories, *bunrepo.DB) {
		return func(r *conformance.Repositories, db *bunrepo.DB) {
			broken := &brokenJobs{Jobs: r.Jobs, db: db}
			brk(broken)
			r.Jobs = broken
		}
	}
	for _, twin := range []struct {
		missed string // the case that has to notice
		brk    func(*conformance.Repositories, *bunrepo.DB)
	}{
		{"images: under one idempotency key an image takes force once", func(r *conformance.Repositories, _ *bunrepo.DB) { r.Images = keyless{r.Images} }},
		{"images: of 20 racing writers with one idempotency key one changes the slot", func(r *conformance.Repositories, _ *bunrepo.DB) { r.Images = keyless{r.Images} }},
		{"jobs: a job comes back to the last field", onJobs(func(b *brokenJobs) { b.nobody = true })},
		{"jobs: the oldest is claimed first, and once", onJobs(func(b *brokenJobs) { b.neverHeld = true })},
		{"jobs: of 8 callers at once each takes another job", onJobs(func(b *brokenJobs) { b.neverHeld = true })},
		{"jobs: a claim expires by itself, and only what has no result is left to do", onJobs(func(b *brokenJobs) { b.endless = true })},
		{"jobs: a claim expires by itself, and only what has no result is left to do", onJobs(func(b *brokenJobs) { b.everything = true })},
		{"jobs: a renewed claim goes on holding", onJobs(func(b *brokenJobs) { b.notRenewed = true })},
		{"jobs: a claim that does not hold is not renewed", onJobs(func(b *brokenJobs) { b.notRenewed = true })},
		{"jobs: without the claim no result is kept", onJobs(func(b *brokenJobs) { b.anybody = true })},
		{"jobs: an item keeps its result", onJobs(func(b *brokenJobs) { b.lastResult = true })},
		{"jobs: of results with an unknown item none is kept", onJobs(func(b *brokenJobs) { b.singly = true })},
		{"jobs: with the last result the job is done", onJobs(func(b *brokenJobs) { b.neverDone = true })},
		{"jobs: a released job can be claimed at once", onJobs(func(b *brokenJobs) { b.notReleased = true })},
		{"jobs: only the holder releases a job", onJobs(func(b *brokenJobs) { b.anybody = true })},
		{"jobs: what was done long ago is forgotten, and nothing else", onJobs(func(b *brokenJobs) { b.forgetful = true })},
		{"jobs: jobs are listed, the latest first, and read", onJobs(func(b *brokenJobs) { b.oldestFirst = true })},
		{"jobs: a cancelled job is left alone, but what was begun is kept", onJobs(func(b *brokenJobs) { b.unstoppable = true })},
		{"jobs: a cancellation is written down once, and not of a job that is done", onJobs(func(b *brokenJobs) { b.silent = true })},
		{"jobs: a cancelled context ends every method", onJobs(func(b *brokenJobs) { b.uncancelled = true })},
	} {
		t.Run(twin.missed, func(t *testing.T) {
			t.Parallel()
			conformance.Rejects(t, conformance.RepositoryCases(), twin.missed, func(t conformance.TB) conformance.Repositories {
				db := openSQLite(t)
				r := repositories(db)
				twin.brk(&r, db)
				return r
			})
		})
	}
}

// keyless does not look at idempotency keys.
type keyless struct{ artwork.ImageRepository }

func (k keyless) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	without := make([]artwork.Application, len(applications))
	for i, a := range applications {
		without[i] = a
		without[i].IdempotencyKey = artwork.ID{}
	}
	return k.ImageRepository.Apply(ctx, fence, without)
}

// brokenJobs are jobs that leave out what their fields say.
type brokenJobs struct {
	bulkapply.Jobs
	db          *bunrepo.DB
	nobody      bool // wanted the job
	neverHeld   bool // whoever comes takes a job
	endless     bool // claims do not expire
	everything  bool // is to be done again by who takes over
	notRenewed  bool
	anybody     bool // may record and release
	lastResult  bool // replaces the one before
	singly      bool // results are recorded
	neverDone   bool
	notReleased bool
	forgetful   bool // of jobs that are not done
	uncancelled bool
	unstoppable bool
	silent      bool // of cancellations
	oldestFirst bool
}

func (b *brokenJobs) exec(ctx context.Context, statement string, args ...any) {
	_, _ = b.db.Write().ExecContext(ctx, statement, args...)
}

func (b *brokenJobs) Claim(ctx context.Context, holder string, term time.Duration) (bulkapply.Assignment, bool, error) {
	if b.neverHeld {
		b.exec(ctx, "UPDATE bulk_jobs SET until = 0")
	}
	if b.endless {
		term = time.Hour
	}
	if b.everything {
		b.exec(ctx, "DELETE FROM bulk_results")
	}
	if b.neverDone {
		b.exec(ctx, "UPDATE bulk_jobs SET finished_at = NULL")
	}
	job, found, err := b.Jobs.Claim(ctx, holder, term)
	if b.nobody {
		job.By.Address = ""
	}
	return job, found, err
}

func (b *brokenJobs) Renew(ctx context.Context, claim bulkapply.Claim, term time.Duration) error {
	if b.notRenewed {
		return nil
	}
	return b.Jobs.Renew(ctx, claim, term)
}

func (b *brokenJobs) Record(ctx context.Context, claim bulkapply.Claim, results []bulkapply.Result) error {
	if b.anybody {
		b.exec(ctx, "UPDATE bulk_jobs SET holder = ?, until = 9000000000000000", claim.Holder)
	}
	if b.uncancelled {
		ctx = context.WithoutCancel(ctx)
	}
	if b.lastResult {
		for _, result := range results {
			b.exec(ctx, "DELETE FROM bulk_results WHERE n = ?", result.N)
		}
	}
	if b.singly {
		for _, result := range results {
			if err := b.Jobs.Record(ctx, claim, []bulkapply.Result{result}); err != nil {
				return err
			}
		}
		return nil
	}
	return b.Jobs.Record(ctx, claim, results)
}

func (b *brokenJobs) Cancel(ctx context.Context, by artwork.Actor, id artwork.ID) (bulkapply.Overview, error) {
	job, err := b.Jobs.Cancel(ctx, by, id)
	if b.unstoppable {
		b.exec(ctx, "UPDATE bulk_jobs SET cancelled = 0, finished_at = NULL WHERE cancelled")
	}
	if b.silent {
		b.exec(ctx, "DELETE FROM activity")
	}
	return job, err
}

func (b *brokenJobs) List(ctx context.Context, limit int) ([]bulkapply.Overview, error) {
	jobs, err := b.Jobs.List(ctx, limit)
	if b.oldestFirst {
		slices.Reverse(jobs)
	}
	return jobs, err
}

func (b *brokenJobs) Release(ctx context.Context, claim bulkapply.Claim) error {
	if b.notReleased {
		return nil
	}
	if b.anybody {
		b.exec(ctx, "UPDATE bulk_jobs SET until = 0")
		return nil
	}
	return b.Jobs.Release(ctx, claim)
}

func (b *brokenJobs) Forget(ctx context.Context, age time.Duration) error {
	if b.forgetful {
		b.exec(ctx, "DELETE FROM bulk_jobs WHERE until <= ?", time.Now().Add(-age).UnixMicro())
		return nil
	}
	return b.Jobs.Forget(ctx, age)
}
