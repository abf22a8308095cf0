package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gatefold/application/fillmissing"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Fill is the view of a Repository as the jobs that fill empty slots.
type Fill struct{ r *Repository }

// Gaps is the view of a Repository as its empty slots.
type Gaps struct{ r *Repository }

var (
	_ fillmissing.Jobs = (*Fill)(nil)
	_ fillmissing.Gaps = (*Gaps)(nil)
)

// Fill returns the jobs that fill empty slots.
func (r *Repository) Fill() *Fill { return &Fill{r} }

// Gaps returns the empty slots.
func (r *Repository) Gaps() *Gaps { return &Gaps{r} }

// fillState is a job and how far it is. States are replaced, never changed.
type fillState struct {
	fillmissing.Status
	fillmissing.Position
	holder string
	until  time.Time
	items  map[artwork.ID]fillmissing.Item
}

func (f fillState) held(claim fillmissing.Claim, now time.Time) bool {
	return f.holder == claim.Holder && now.Before(f.until)
}

// Create implements fillmissing.Jobs.
func (f *Fill) Create(ctx context.Context, job fillmissing.Job, accepted fillmissing.Selection) (status fillmissing.Status, err error) {
	if err := job.Check(); err != nil {
		return status, err
	}
	err = f.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if _, known := f.r.fills[job.ID]; known {
			return nil, artwork.Errorf(artwork.Conflict, "there is a job %s already", job.ID)
		}
		created := fillState{Status: fillmissing.Status{Job: job, State: fillmissing.Queued, CreatedAt: stored(time.Now())}}
		switch {
		case job.Named:
			created.items, err = f.name(job, accepted)
		case !job.Of.IsZero():
			created.items, err = f.accept(job, accepted)
		}
		if err != nil {
			return nil, err
		}
		if created.Counts.Total = len(created.items); created.items == nil {
			created.Counts.Total = len(f.r.gaps(job.Slot))
		}
		status = created.Status
		entry, err := status.Activity(job.By, fillmissing.ActionStart).Kept()
		return f.save(created, entry), err
	})
	return status, err
}

// save returns what puts the state, and entries of the activity log, in place.
func (f *Fill) save(state fillState, entries ...activity.Entry) func() {
	return func() {
		f.r.fills[state.ID] = state
		f.r.note(entries...)
	}
}

func (f *Fill) name(job fillmissing.Job, named fillmissing.Selection) (map[artwork.ID]fillmissing.Item, error) {
	if err := named.Check(); err != nil {
		return nil, err
	}
	items := map[artwork.ID]fillmissing.Item{}
	for _, gap := range f.r.gaps(job.Slot) {
		if slices.Contains(named.Only, gap.SubjectID) {
			items[gap.SubjectID] = fillmissing.Item{SubjectID: gap.SubjectID, Name: gap.Name, Artist: gap.Artist, Outcome: fillmissing.Waiting, Open: true}
		}
	}
	if len(items) == 0 {
		return nil, artwork.Errorf(artwork.InvalidInput, "none of the named subjects has an empty slot of this type")
	}
	return items, nil
}

func (f *Fill) accept(job fillmissing.Job, accepted fillmissing.Selection) (map[artwork.ID]fillmissing.Item, error) {
	if err := accepted.Check(); err != nil {
		return nil, err
	}
	of, known := f.r.fills[job.Of]
	switch {
	case !known:
		return nil, notFound("job " + job.Of.String())
	case !of.DryRun || of.Slot != job.Slot:
		return nil, artwork.Errorf(artwork.Conflict, "the job %s was no dry run for the slot %s", job.Of, job.Slot)
	}
	items := map[artwork.ID]fillmissing.Item{}
	for id, item := range of.items {
		if accepted.Takes(item) {
			item.Outcome, item.Open, item.Reason = fillmissing.Accepted, true, ""
			items[id] = item
		}
	}
	if len(items) == 0 {
		return nil, artwork.Errorf(artwork.InvalidInput, "no proposal of the job %s is accepted", job.Of)
	}
	return items, nil
}

// Find implements fillmissing.Jobs.
func (f *Fill) Find(ctx context.Context, id artwork.ID) (status fillmissing.Status, err error) {
	err = f.r.read(ctx, func() error {
		job, known := f.r.fills[id]
		if !known {
			return notFound("job " + id.String())
		}
		status = job.Status
		return nil
	})
	return status, err
}

// List implements fillmissing.Jobs.
func (f *Fill) List(ctx context.Context, limit int) (jobs []fillmissing.Status, err error) {
	err = f.r.read(ctx, func() error {
		for _, job := range slices.Backward(f.inOrder()) {
			jobs = append(jobs, job.Status)
		}
		return nil
	})
	return jobs[:min(limit, len(jobs))], err
}

// inOrder returns the jobs, the oldest first.
func (f *Fill) inOrder() []fillState {
	return slices.SortedFunc(maps.Values(f.r.fills), func(a, b fillState) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
}

// Items implements fillmissing.Jobs.
func (f *Fill) Items(ctx context.Context, id artwork.ID, query fillmissing.ItemQuery) ([]fillmissing.Item, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	if _, err := f.Find(ctx, id); err != nil {
		return nil, err
	}
	return f.items(ctx, id, query.After, query.Limit, func(item fillmissing.Item) bool {
		return query.Outcome == "" || item.Outcome == query.Outcome
	})
}

// Open implements fillmissing.Jobs.
func (f *Fill) Open(ctx context.Context, id artwork.ID, after artwork.ID, limit int) ([]fillmissing.Item, error) {
	return f.items(ctx, id, after, limit, func(item fillmissing.Item) bool { return item.Open })
}

func (f *Fill) items(ctx context.Context, id, after artwork.ID, limit int, wanted func(fillmissing.Item) bool) (items []fillmissing.Item, err error) {
	err = f.r.read(ctx, func() error {
		for _, item := range f.r.fills[id].items {
			if wanted(item) && bytes.Compare(item.SubjectID[:], after[:]) > 0 {
				items = append(items, detachedItem(item))
			}
		}
		return nil
	})
	slices.SortFunc(items, func(a, b fillmissing.Item) int { return bytes.Compare(a.SubjectID[:], b.SubjectID[:]) })
	return items[:min(limit, len(items))], err
}

func detachedItem(item fillmissing.Item) fillmissing.Item {
	if item.Candidate != nil {
		candidate := *item.Candidate
		item.Candidate = &candidate
	}
	return item
}

// Order implements fillmissing.Jobs.
func (f *Fill) Order(ctx context.Context, by artwork.Actor, id artwork.ID, order fillmissing.Order) (status fillmissing.Status, err error) {
	if err := by.Check(); err != nil {
		return status, err
	}
	err = f.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		job, known := f.r.fills[id]
		if !known {
			return nil, notFound("job " + id.String())
		}
		now, before := time.Now(), job.State
		if job.State, err = before.Obey(order, now.Before(job.until)); err != nil {
			return nil, err
		}
		if job.State == before {
			status = job.Status
			return func() {}, nil
		}
		job.Reason, job.FinishedAt = "", time.Time{}
		if job.State.Ended() {
			job.FinishedAt = stored(now)
		}
		status = job.Status
		entry, err := status.Activity(by, artwork.Action(order)).Kept()
		return f.save(job, entry), err
	})
	return status, err
}

// Claim implements fillmissing.Jobs.
func (f *Fill) Claim(ctx context.Context, holder string, term time.Duration) (taken fillmissing.Assignment, found bool, err error) {
	err = f.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, jobs := time.Now(), f.inOrder()
		busy := map[artwork.Slot]bool{}
		for _, job := range jobs {
			busy[job.Slot] = busy[job.Slot] || now.Before(job.until)
		}
		n := slices.IndexFunc(jobs, func(job fillState) bool {
			return !busy[job.Slot] && (job.State == fillmissing.Queued || job.State == fillmissing.Running)
		})
		if found = n >= 0; !found {
			return func() {}, nil
		}
		job := jobs[n]
		job.State, job.holder, job.until = fillmissing.Running, holder, now.Add(term)
		if job.StartedAt.IsZero() {
			job.StartedAt = stored(now)
		}
		taken = fillmissing.Assignment{Status: job.Status, Position: job.Position}
		return f.save(job), nil
	})
	return taken, found && err == nil, err
}

// Renew implements fillmissing.Jobs.
func (f *Fill) Renew(ctx context.Context, claim fillmissing.Claim, term time.Duration) (fillmissing.State, error) {
	status, err := f.held(ctx, claim, func(job *fillState, now time.Time) { job.until = now.Add(term) })
	return status.State, err
}

// held has a change made by who holds the job, and returns how it is then.
func (f *Fill) held(ctx context.Context, claim fillmissing.Claim, do func(job *fillState, now time.Time)) (status fillmissing.Status, err error) {
	err = f.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, job := time.Now(), f.r.fills[claim.Job]
		if !job.held(claim, now) {
			return nil, errNotHeld()
		}
		do(&job, now)
		status = job.Status
		return f.save(job), nil
	})
	return status, err
}

// Record implements fillmissing.Jobs.
func (f *Fill) Record(ctx context.Context, claim fillmissing.Claim, step fillmissing.Step) (status fillmissing.Status, err error) {
	err = f.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		job := f.r.fills[claim.Job]
		if !job.held(claim, time.Now()) {
			return nil, errNotHeld()
		}
		job.items = maps.Clone(job.items)
		if job.items == nil {
			job.items = map[artwork.ID]fillmissing.Item{}
		}
		for _, result := range step.Results {
			job.items[result.SubjectID] = detachedItem(result.Item)
		}
		job.Position, job.Counts, job.Reason = step.Position, job.Counts.Add(step), ""
		status = job.Status
		return func() {
			f.save(job)()
			for _, result := range step.Results {
				if result.Learned != nil {
					learned := *result.Learned
					learned.At = stored(learned.At)
					f.r.learned[job.Place(result.SubjectID)] = learned
				}
			}
		}, nil
	})
	return status, err
}

// Explain implements fillmissing.Jobs.
func (f *Fill) Explain(ctx context.Context, claim fillmissing.Claim, reason string) (fillmissing.Status, error) {
	return f.held(ctx, claim, func(job *fillState, _ time.Time) { job.Reason = reason })
}

// Finish implements fillmissing.Jobs.
func (f *Fill) Finish(ctx context.Context, claim fillmissing.Claim, failure string) (fillmissing.Status, error) {
	return f.held(ctx, claim, func(job *fillState, now time.Time) {
		job.until, job.Reason = now, failure
		switch {
		case job.State == fillmissing.Cancelled:
			return
		case failure != "":
			job.State = fillmissing.Failed
		default:
			job.State = fillmissing.Done
		}
		job.FinishedAt = stored(now)
	})
}

// Release implements fillmissing.Jobs.
func (f *Fill) Release(ctx context.Context, claim fillmissing.Claim) error {
	_, err := f.held(ctx, claim, func(job *fillState, now time.Time) { job.until = now })
	if artwork.KindOf(err) == artwork.Conflict {
		return nil
	}
	return err
}

// Forget implements fillmissing.Jobs.
func (f *Fill) Forget(ctx context.Context, age time.Duration) error {
	return f.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		before := time.Now().Add(-age)
		return func() {
			maps.DeleteFunc(f.r.fills, func(_ artwork.ID, job fillState) bool {
				return !job.FinishedAt.IsZero() && !job.FinishedAt.After(before)
			})
		}, nil
	})
}

// After implements fillmissing.Gaps. It looks at all subjects that are left.
func (g *Gaps) After(ctx context.Context, slot artwork.Slot, after artwork.ID, limit int) (gaps []fillmissing.Gap, reached artwork.ID, err error) {
	err = g.r.read(ctx, func() error {
		gaps = slices.DeleteFunc(g.r.gaps(slot), func(gap fillmissing.Gap) bool { return bytes.Compare(gap.SubjectID[:], after[:]) <= 0 })
		return nil
	})
	if gaps = gaps[:min(limit, len(gaps))]; len(gaps) > 0 {
		reached = gaps[len(gaps)-1].SubjectID
	}
	return gaps, reached, err
}

// Among implements fillmissing.Gaps.
func (g *Gaps) Among(ctx context.Context, slot artwork.Slot, ids []artwork.ID) (gaps []fillmissing.Gap, err error) {
	err = g.r.read(ctx, func() error {
		gaps = slices.DeleteFunc(g.r.gaps(slot), func(gap fillmissing.Gap) bool { return !slices.Contains(ids, gap.SubjectID) })
		return nil
	})
	return gaps, err
}

// gaps returns the empty slots in the order of their subjects' IDs.
func (r *Repository) gaps(slot artwork.Slot) (gaps []fillmissing.Gap) {
	add := func(gap fillmissing.Gap, artist artwork.ID, artistName string) {
		place := fillmissing.Wish{Slot: slot}.Place(gap.SubjectID)
		state := r.slots[place]
		if state.InForce != nil {
			return
		}
		for id, other := range r.artists {
			gap.Namesakes = gap.Namesakes || id != artist && catalog.FoldName(other.Name) == catalog.FoldName(artistName)
		}
		gap.Locked, gap.KeptEmpty = state.Locked, state.KeptEmpty
		if learned, known := r.learned[place]; known {
			gap.Learned = &learned
		}
		gaps = append(gaps, gap)
	}
	if artwork.AlbumSubject.Has(slot) {
		for id, album := range r.albums {
			artist := r.artists[album.ArtistID].Name
			add(fillmissing.Gap{SubjectID: id, Name: album.Name, Artist: artist, MBID: album.MBID, GroupMBID: album.ReleaseGroupMBID}, album.ArtistID, artist)
		}
	} else {
		for id, artist := range r.artists {
			add(fillmissing.Gap{SubjectID: id, Name: artist.Name, MBID: artist.MBID}, id, artist.Name)
		}
	}
	slices.SortFunc(gaps, func(a, b fillmissing.Gap) int { return bytes.Compare(a.SubjectID[:], b.SubjectID[:]) })
	return gaps
}
