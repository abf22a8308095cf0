package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gatefold/application/bulkapply"
	"gatefold/domain/artwork"
)

// Jobs is the view of a Repository as the jobs of bulk applies.
type Jobs struct{ r *Repository }

var _ bulkapply.Jobs = (*Jobs)(nil)

// Jobs returns the jobs.
func (r *Repository) Jobs() *Jobs { return &Jobs{r} }

// jobState is a job and how far it is. States are replaced, never changed.
type jobState struct {
	bulkapply.Job
	created  time.Time
	begun    bool
	holder   string
	until    time.Time
	finished time.Time // zero: not yet
	results  map[int]bulkapply.Result

	cancelled bool
}

func (j jobState) overview() bulkapply.Overview {
	return bulkapply.Overview{Status: j.status(), By: j.By, CreatedAt: stored(j.created), FinishedAt: j.finished}
}

func (j jobState) status() bulkapply.Status {
	s := bulkapply.Status{ID: j.ID, State: bulkapply.Queued, Total: len(j.Items), Done: len(j.results)}
	for _, result := range j.results {
		if result.Problem != nil {
			s.Failed++
		}
	}
	switch {
	case s.Done == s.Total:
		s.State = bulkapply.Done
	case j.cancelled:
		s.State = bulkapply.Cancelled
	case j.begun:
		s.State = bulkapply.Running
	}
	return s
}

func (j jobState) held(claim bulkapply.Claim, now time.Time) bool {
	return j.holder == claim.Holder && now.Before(j.until)
}

func errNotHeld() error {
	return artwork.Errorf(artwork.Conflict, "the claim does not hold any more")
}

// Create implements bulkapply.Jobs.
func (m *Jobs) Create(ctx context.Context, job bulkapply.Job) error {
	if err := job.Check(); err != nil {
		return err
	}
	job.Items = slices.Clone(job.Items)
	return m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if _, known := m.r.jobs[job.ID]; known {
			return nil, artwork.Errorf(artwork.Conflict, "there is a job %s already", job.ID)
		}
		return func() { m.r.jobs[job.ID] = jobState{Job: job, created: time.Now()} }, nil
	})
}

// Find implements bulkapply.Jobs.
func (m *Jobs) Find(ctx context.Context, id artwork.ID) (status bulkapply.Status, results []bulkapply.Result, err error) {
	err = m.r.read(ctx, func() error {
		job, known := m.r.jobs[id]
		if !known {
			return notFound("job " + id.String())
		}
		status = job.status()
		for _, n := range slices.Sorted(maps.Keys(job.results)) {
			results = append(results, copyOf(job.results[n]))
		}
		return nil
	})
	return status, results, err
}

// Read implements bulkapply.Jobs.
func (m *Jobs) Read(ctx context.Context, id artwork.ID) (overview bulkapply.Overview, items []bulkapply.Item, err error) {
	err = m.r.read(ctx, func() error {
		job, known := m.r.jobs[id]
		if !known {
			return notFound("job " + id.String())
		}
		overview, items = job.overview(), slices.Clone(job.Items)
		return nil
	})
	return overview, items, err
}

// List implements bulkapply.Jobs.
func (m *Jobs) List(ctx context.Context, limit int) (jobs []bulkapply.Overview, err error) {
	err = m.r.read(ctx, func() error {
		states := slices.SortedFunc(maps.Values(m.r.jobs), func(a, b jobState) int {
			return cmp.Or(b.created.Compare(a.created), bytes.Compare(b.ID[:], a.ID[:]))
		})
		for _, job := range states[:min(limit, len(states))] {
			jobs = append(jobs, job.overview())
		}
		return nil
	})
	return jobs, err
}

// Cancel implements bulkapply.Jobs.
func (m *Jobs) Cancel(ctx context.Context, by artwork.Actor, id artwork.ID) (overview bulkapply.Overview, err error) {
	if err := by.Check(); err != nil {
		return overview, err
	}
	err = m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		job, known := m.r.jobs[id]
		switch overview = job.overview(); {
		case !known:
			return nil, notFound("job " + id.String())
		case overview.State == bulkapply.Done:
			return nil, artwork.Errorf(artwork.Conflict, "the job is done, and cannot be cancelled")
		case job.cancelled:
			return func() {}, nil
		}
		job.cancelled, job.finished = true, stored(time.Now())
		overview = job.overview()
		entry, err := overview.Cancellation(by).Kept()
		return func() {
			m.r.jobs[id] = job
			m.r.note(entry)
		}, err
	})
	return overview, err
}

func copyOf(result bulkapply.Result) bulkapply.Result {
	if result.Problem != nil {
		problem := *result.Problem
		result.Problem = &problem
	}
	return result
}

// Claim implements bulkapply.Jobs.
func (m *Jobs) Claim(ctx context.Context, holder string, term time.Duration) (taken bulkapply.Assignment, found bool, err error) {
	err = m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now := time.Now()
		var oldest jobState
		for _, job := range m.r.jobs {
			if job.finished.IsZero() && !now.Before(job.until) && (!found || job.created.Before(oldest.created)) {
				oldest, found = job, true
			}
		}
		if !found {
			return func() {}, nil
		}
		oldest.begun, oldest.holder, oldest.until = true, holder, now.Add(term)
		taken = bulkapply.Assignment{Status: oldest.status(), By: oldest.By}
		for n, item := range oldest.Items {
			if _, known := oldest.results[n]; !known {
				taken.Todo = append(taken.Todo, bulkapply.Todo{N: n, Item: item})
			}
		}
		return func() { m.r.jobs[oldest.ID] = oldest }, nil
	})
	return taken, found, err
}

// Renew implements bulkapply.Jobs.
func (m *Jobs) Renew(ctx context.Context, claim bulkapply.Claim, term time.Duration) error {
	return m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, job := time.Now(), m.r.jobs[claim.Job]
		if !job.held(claim, now) || job.cancelled {
			return nil, errNotHeld()
		}
		job.until = now.Add(term)
		return func() { m.r.jobs[claim.Job] = job }, nil
	})
}

// Record implements bulkapply.Jobs.
func (m *Jobs) Record(ctx context.Context, claim bulkapply.Claim, results []bulkapply.Result) error {
	return m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, job := time.Now(), m.r.jobs[claim.Job]
		if !job.held(claim, now) {
			return nil, errNotHeld()
		}
		known := maps.Clone(job.results)
		if known == nil {
			known = map[int]bulkapply.Result{}
		}
		for _, result := range results {
			if result.N < 0 || result.N >= len(job.Items) {
				return nil, notFound("such item")
			}
			if _, again := known[result.N]; !again {
				known[result.N] = copyOf(result)
			}
		}
		if job.results = known; len(known) == len(job.Items) {
			job.finished, job.until = stored(now), now
		}
		return func() { m.r.jobs[claim.Job] = job }, nil
	})
}

// Release implements bulkapply.Jobs.
func (m *Jobs) Release(ctx context.Context, claim bulkapply.Claim) error {
	return m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, job := time.Now(), m.r.jobs[claim.Job]
		if job.held(claim, now) {
			job.until = now
			return func() { m.r.jobs[claim.Job] = job }, nil
		}
		return func() {}, nil
	})
}

// Forget implements bulkapply.Jobs.
func (m *Jobs) Forget(ctx context.Context, age time.Duration) error {
	return m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		before := time.Now().Add(-age)
		return func() {
			maps.DeleteFunc(m.r.jobs, func(_ artwork.ID, job jobState) bool {
				return !job.finished.IsZero() && !job.finished.After(before)
			})
		}, nil
	})
}
