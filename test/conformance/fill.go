package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// fillCases are the clauses of fillmissing.Jobs and fillmissing.Gaps.
func fillCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"fill: a job comes back to the last field, and is in the activity log", fillSurvives},
		{"fill: a job that cannot be carried out is refused", impossibleFills},
		{"fill: an ID is taken once", fillTwice},
		{"fill: an unknown job is not found", unknownFill},
		{"fill: jobs are listed, the latest first", fillsListed},
		{"fill: the oldest is claimed first, and one for a slot at a time", oldestFillFirst},
		{"fill: of 8 callers at once one works on a slot", racingFillClaims},
		{"fill: a claim expires by itself, and the next goes on from where it was", fillTakenOver},
		{"fill: a claim that does not hold changes nothing", lostFillClaim},
		{"fill: a step comes back to the last field", stepSurvives},
		{"fill: a result replaces the one before, and the counts follow", fillResultReplaced},
		{"fill: what is open is told in order", openItems},
		{"fill: orders are obeyed, and written down once", fillOrders},
		{"fill: who holds a job hears of orders when it renews", fillOrdersHeard},
		{"fill: a job that was told to stop is not claimed", stoppedFillNotClaimed},
		{"fill: a cancelled job keeps its slot until its holder lets go", cancelledFillHolds},
		{"fill: a job is finished, or fails and can be resumed", fillFinished},
		{"fill: a released job can be claimed at once", releasedFill},
		{"fill: proposals are accepted: all, all but some, only some", proposalsAccepted},
		{"fill: only proposals of a dry run for the slot are accepted", onlyProposalsAccepted},
		{"fill: of named subjects those with an empty slot wait for their turn", namedSubjects},
		{"fill: a job of named subjects names some with an empty slot", nobodyNamed},
		{"fill: what ended long ago is forgotten, and not what was learned", oldFillsForgotten},
		{"fill: a cancelled context ends every method", fillsCancelled},
		{"gaps: every empty slot is met once, in the order of IDs", gapsMetOnce},
		{"gaps: what is known of a slot comes back to the last field", gapsSurvive},
		{"gaps: a slot that is filled is none", filledIsNoGap},
		{"gaps: artists of one name are told", namesakesTold},
	}
}

func newFill(t TB, r Repositories, wish fillmissing.Wish) fillmissing.Status {
	t.Helper()
	job := fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: wish}
	status, err := r.Fill.Create(t.Context(), job, fillmissing.Selection{})
	require.NoError(t, err)
	require.Equal(t, fillmissing.Queued, status.State)
	time.Sleep(time.Millisecond) // the next one is younger
	return status
}

// claimFill takes the job that is next, which must be the one.
func claimFill(t TB, r Repositories, want artwork.ID, term time.Duration) (fillmissing.Claim, fillmissing.Assignment) {
	t.Helper()
	holder := artwork.NewID().String()
	taken, found, err := r.Fill.Claim(t.Context(), holder, term)
	require.NoError(t, err)
	require.True(t, found, "there is no job to claim")
	require.Equal(t, want, taken.ID)
	require.Equal(t, fillmissing.Running, taken.State)
	return fillmissing.Claim{Job: want, Holder: holder}, taken
}

func requireNoFill(t TB, r Repositories) {
	t.Helper()
	_, found, err := r.Fill.Claim(t.Context(), "nobody", time.Hour)
	require.NoError(t, err)
	require.False(t, found, "a job is claimed that is held, or has ended, or whose slot is busy")
}

func findFill(t TB, r Repositories, id artwork.ID) fillmissing.Status {
	t.Helper()
	status, err := r.Fill.Find(t.Context(), id)
	require.NoError(t, err)
	return status
}

func fillItems(t TB, r Repositories, id artwork.ID) []fillmissing.Item {
	t.Helper()
	items, err := r.Fill.Items(t.Context(), id, fillmissing.ItemQuery{Limit: fillmissing.MaxListed})
	require.NoError(t, err)
	return items
}

func recordFill(t TB, r Repositories, claim fillmissing.Claim, step fillmissing.Step) fillmissing.Status {
	t.Helper()
	status, err := r.Fill.Record(t.Context(), claim, step)
	require.NoError(t, err)
	return status
}

// sortedIDs returns IDs in their order.
func sortedIDs(n int) []artwork.ID {
	ids := make([]artwork.ID, n)
	for i := range ids {
		ids[i] = artwork.NewID()
	}
	slices.SortFunc(ids, func(a, b artwork.ID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}

func proposal(id artwork.ID) fillmissing.Result {
	return fillmissing.Result{Item: fillmissing.Item{
		SubjectID: id, Name: "Someone", Outcome: fillmissing.Proposed, Score: 0.81,
		Candidate: &findimages.Candidate{Provider: "deezer", Slot: artwork.SlotProfile, URL: "https://example.org/" + id.String()},
	}}
}

func outcome(id artwork.ID, o fillmissing.Outcome, open bool) fillmissing.Result {
	return fillmissing.Result{Item: fillmissing.Item{SubjectID: id, Name: "Someone", Outcome: o, Open: open, Reason: "because"}}
}

var profiles = fillmissing.Wish{Slot: artwork.SlotProfile, MinScore: 0.7}

func fillSurvives(t TB, open func(TB) Repositories) {
	r := open(t)
	requireNoFill(t, r)
	newArtist(t, r, "A")
	newArtist(t, r, "B")
	job := fillmissing.Job{
		ID: artwork.NewID(), By: artwork.Actor{Name: "Ünal “Ü” Özgür", ID: artwork.NewID(), Address: "2001:db8::7", RequestID: "req-1.a_B"},
		Wish: fillmissing.Wish{Slot: artwork.SlotBanner, DryRun: true, MinScore: 0.65, Again: true},
	}
	created, err := r.Fill.Create(t.Context(), job, fillmissing.Selection{})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), created.CreatedAt, time.Minute)
	require.Equal(t, fillmissing.Status{Job: job, State: fillmissing.Queued, Counts: fillmissing.Counts{Total: 2}, CreatedAt: created.CreatedAt}, created)
	require.Equal(t, created, findFill(t, r, job.ID))

	log, err := r.Activity.List(t.Context(), activity.Query{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, fillmissing.ActionStart, log.Items[0].Action)
	require.Equal(t, job.By, log.Items[0].Actor)
	require.Equal(t, artwork.SlotBanner, log.Items[0].Slot)

	_, taken := claimFill(t, r, job.ID, time.Hour)
	require.Equal(t, job, taken.Job)
	require.Zero(t, taken.Position)
	require.WithinDuration(t, time.Now(), taken.StartedAt, time.Minute)
}

func impossibleFills(t TB, open func(TB) Repositories) {
	r := open(t)
	for name, spoil := range map[string]func(*fillmissing.Job){
		"no ID":           func(j *fillmissing.Job) { j.ID = artwork.ID{} },
		"bad name":        func(j *fillmissing.Job) { j.By.Name = "\xff" },
		"no slot":         func(j *fillmissing.Job) { j.Slot = 0 },
		"a user's slot":   func(j *fillmissing.Job) { j.Slot = artwork.SlotAvatar },
		"score below 0":   func(j *fillmissing.Job) { j.MinScore = -0.1 },
		"score above 1":   func(j *fillmissing.Job) { j.MinScore = 1.1 },
		"two selections":  nil,
		"of what is none": nil,
	} {
		job := fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: profiles}
		var accepted fillmissing.Selection
		kind := artwork.InvalidInput
		switch name {
		case "two selections":
			job.Of, accepted = newFill(t, r, profiles).ID, fillmissing.Selection{All: true, Only: sortedIDs(1)}
		case "of what is none":
			job.Of, accepted, kind = artwork.NewID(), fillmissing.Selection{All: true}, artwork.NotFound
		default:
			spoil(&job)
		}
		_, err := r.Fill.Create(t.Context(), job, accepted)
		require.Equal(t, kind, artwork.KindOf(err), "%s: %v", name, err)
		_, err = r.Fill.Find(t.Context(), job.ID)
		requireKind(t, artwork.NotFound, err)
	}
}

func fillTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	_, err := r.Fill.Create(t.Context(), job.Job, fillmissing.Selection{})
	requireKind(t, artwork.Conflict, err)
}

func unknownFill(t TB, open func(TB) Repositories) {
	r := open(t)
	newFill(t, r, profiles)
	_, err := r.Fill.Find(t.Context(), artwork.NewID())
	requireKind(t, artwork.NotFound, err)
	_, err = r.Fill.Items(t.Context(), artwork.NewID(), fillmissing.ItemQuery{Limit: 1})
	requireKind(t, artwork.NotFound, err)
	_, err = r.Fill.Order(t.Context(), somebody, artwork.NewID(), fillmissing.Pause)
	requireKind(t, artwork.NotFound, err)
}

func fillsListed(t TB, open func(TB) Repositories) {
	r := open(t)
	var ids []artwork.ID
	for range 3 {
		ids = append(ids, newFill(t, r, profiles).ID)
	}
	jobs, err := r.Fill.List(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, jobs, 2)
	require.Equal(t, ids[2], jobs[0].ID)
	require.Equal(t, ids[1], jobs[1].ID)
}

func oldestFillFirst(t TB, open func(TB) Repositories) {
	r := open(t)
	first, second := newFill(t, r, profiles), newFill(t, r, profiles)
	covers := newFill(t, r, fillmissing.Wish{Slot: artwork.SlotCover})
	claim, _ := claimFill(t, r, first.ID, time.Hour)
	claimFill(t, r, covers.ID, time.Hour)
	requireNoFill(t, r)
	_, err := r.Fill.Finish(t.Context(), claim, "")
	require.NoError(t, err)
	claimFill(t, r, second.ID, time.Hour)
	requireNoFill(t, r)
}

func racingFillClaims(t TB, open func(TB) Repositories) {
	r := open(t)
	for range 8 {
		newFill(t, r, profiles)
	}
	covers := newFill(t, r, fillmissing.Wish{Slot: artwork.SlotCover})
	var mu sync.Mutex
	taken := map[artwork.Slot][]artwork.ID{}
	race(8, func(n int) {
		job, found, err := r.Fill.Claim(t.Context(), fmt.Sprint(n), time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && found {
			taken[job.Slot] = append(taken[job.Slot], job.ID)
		}
	})
	require.Len(t, taken[artwork.SlotProfile], 1)
	require.Equal(t, []artwork.ID{covers.ID}, taken[artwork.SlotCover])
}

func fillTakenOver(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	ids := sortedIDs(2)
	claim, before := claimFill(t, r, job.ID, shortly)
	recordFill(t, r, claim, fillmissing.Step{
		Position: fillmissing.Position{Round: 1, Cursor: ids[1]}, Results: []fillmissing.Result{proposal(ids[0]), outcome(ids[1], fillmissing.Absent, false)},
	})
	time.Sleep(shortly + shortly/4)
	_, taken := claimFill(t, r, job.ID, time.Hour)
	require.Equal(t, fillmissing.Position{Round: 1, Cursor: ids[1]}, taken.Position)
	require.Equal(t, before.StartedAt, taken.StartedAt)
	require.Equal(t, 1, taken.Counts.Absent)
}

func lostFillClaim(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	lapsed, _ := claimFill(t, r, job.ID, shortly)
	state, err := r.Fill.Renew(t.Context(), lapsed, shortly)
	require.NoError(t, err)
	require.Equal(t, fillmissing.Running, state)
	time.Sleep(shortly + shortly/4)
	before := findFill(t, r, job.ID)
	for range 2 { // it has lapsed, and then another one holds the job
		_, err := r.Fill.Renew(t.Context(), lapsed, time.Hour)
		requireKind(t, artwork.Conflict, err)
		_, err = r.Fill.Record(t.Context(), lapsed, fillmissing.Step{Results: []fillmissing.Result{proposal(artwork.NewID())}})
		requireKind(t, artwork.Conflict, err)
		_, err = r.Fill.Explain(t.Context(), lapsed, "nobody answers")
		requireKind(t, artwork.Conflict, err)
		_, err = r.Fill.Finish(t.Context(), lapsed, "")
		requireKind(t, artwork.Conflict, err)
		require.NoError(t, r.Fill.Release(t.Context(), lapsed))
		require.Equal(t, before, findFill(t, r, job.ID))
		require.Empty(t, fillItems(t, r, job.ID))
		if _, found, err := r.Fill.Claim(t.Context(), "next", time.Hour); found {
			require.NoError(t, err)
		}
	}
	requireNoFill(t, r)
}

func stepSurvives(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	_, err := r.Fill.Explain(t.Context(), claim, "nobody answers")
	require.NoError(t, err)
	require.Equal(t, "nobody answers", findFill(t, r, job.ID).Reason)
	ids := sortedIDs(2)
	full := fillmissing.Item{
		SubjectID: artist.ID, Name: "O'Brien “Ñ” ?0 \\", Artist: "Björk", Outcome: fillmissing.Applied, Score: 0.93, Tag: "0123456789abcdef",
		Reason: "that's why", Open: true,
		Candidate: &findimages.Candidate{
			Provider: "fanarttv", Slot: artwork.SlotProfile, URL: "https://example.org/a?b='c'&d=%20", ThumbnailURL: "https://example.org/t",
			Width: 1000, Height: 900, Votes: 7, Kind: "artistthumb", Licence: "CC BY-SA 4.0", Attribution: "Ünal", ByName: true,
		},
	}
	learned := &fillmissing.Learned{At: time.Now().UTC().Truncate(time.Microsecond), Outcome: fillmissing.Below, Score: 0.42, Question: "what?"}
	status := recordFill(t, r, claim, fillmissing.Step{
		Position: fillmissing.Position{Cursor: ids[1]}, Recent: 3,
		Results: []fillmissing.Result{{Item: full, Learned: learned}, outcome(ids[1], fillmissing.Skipped, false)},
	})
	require.Equal(t, fillmissing.Counts{Total: 1, Walked: 5, Applied: 1, Skipped: 1, Recent: 3}, status.Counts)
	require.Empty(t, status.Reason, "it does not stand still any more")
	require.Equal(t, status, findFill(t, r, job.ID))
	items := fillItems(t, r, job.ID)
	require.Len(t, items, 2)
	require.Contains(t, items, full)
	some, err := r.Fill.Items(t.Context(), job.ID, fillmissing.ItemQuery{Limit: 1, After: items[0].SubjectID})
	require.NoError(t, err)
	require.Equal(t, items[1:], some)
	some, err = r.Fill.Items(t.Context(), job.ID, fillmissing.ItemQuery{Limit: 10, Outcome: fillmissing.Applied})
	require.NoError(t, err)
	require.Equal(t, []fillmissing.Item{full}, some)
	_, err = r.Fill.Items(t.Context(), job.ID, fillmissing.ItemQuery{})
	requireKind(t, artwork.InvalidInput, err)
	gaps, _, err := r.Gaps.After(t.Context(), artwork.SlotProfile, artwork.ID{}, 10)
	require.NoError(t, err)
	require.Equal(t, learned, gaps[0].Learned)
}

func fillResultReplaced(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	ids := sortedIDs(2)
	recordFill(t, r, claim, fillmissing.Step{
		Position: fillmissing.Position{Cursor: ids[1]},
		Results:  []fillmissing.Result{outcome(ids[0], fillmissing.Errored, true), outcome(ids[1], fillmissing.Errored, true)},
	})
	status := recordFill(t, r, claim, fillmissing.Step{
		Position: fillmissing.Position{Round: 1, Cursor: ids[0]}, Results: []fillmissing.Result{proposal(ids[0])},
	})
	require.Equal(t, fillmissing.Counts{Walked: 2, Proposed: 1, Failed: 1}, status.Counts)
	items := fillItems(t, r, job.ID)
	require.Equal(t, []fillmissing.Item{proposal(ids[0]).Item, outcome(ids[1], fillmissing.Errored, true).Item}, items)
}

func openItems(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	ids := sortedIDs(4)
	recordFill(t, r, claim, fillmissing.Step{Results: []fillmissing.Result{
		outcome(ids[2], fillmissing.Errored, true), outcome(ids[1], fillmissing.Absent, false),
		outcome(ids[3], fillmissing.Errored, true), outcome(ids[0], fillmissing.Errored, true),
	}})
	told := func(after artwork.ID, limit int) (found []artwork.ID) {
		items, err := r.Fill.Open(t.Context(), job.ID, after, limit)
		require.NoError(t, err)
		for _, item := range items {
			found = append(found, item.SubjectID)
		}
		return found
	}
	require.Equal(t, []artwork.ID{ids[0], ids[2]}, told(artwork.ID{}, 2))
	require.Equal(t, []artwork.ID{ids[3]}, told(ids[2], 2))
	require.Empty(t, told(ids[3], 2))
}

func fillOrders(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	by := artwork.Actor{Name: "bea", Address: "203.0.113.9"}
	for _, step := range []struct {
		order   fillmissing.Order
		state   fillmissing.State
		written bool
	}{
		{fillmissing.Resume, fillmissing.Queued, false},
		{fillmissing.Pause, fillmissing.Paused, true},
		{fillmissing.Pause, fillmissing.Paused, false},
		{fillmissing.Resume, fillmissing.Queued, true},
		{fillmissing.Cancel, fillmissing.Cancelled, true},
		{fillmissing.Cancel, fillmissing.Cancelled, false},
	} {
		before, err := r.Activity.List(t.Context(), activity.Query{Limit: 100})
		require.NoError(t, err)
		status, err := r.Fill.Order(t.Context(), by, job.ID, step.order)
		require.NoError(t, err)
		require.Equal(t, step.state, status.State)
		require.Equal(t, step.state == fillmissing.Cancelled, !status.FinishedAt.IsZero())
		require.Equal(t, status, findFill(t, r, job.ID))
		after, err := r.Activity.List(t.Context(), activity.Query{Limit: 100})
		require.NoError(t, err)
		if !step.written {
			require.Equal(t, before, after)
			continue
		}
		require.Len(t, after.Items, len(before.Items)+1)
		require.Equal(t, artwork.Action(step.order), after.Items[0].Action)
		require.Equal(t, by, after.Items[0].Actor)
	}
	for _, order := range []fillmissing.Order{fillmissing.Pause, fillmissing.Resume} {
		_, err := r.Fill.Order(t.Context(), by, job.ID, order)
		requireKind(t, artwork.Conflict, err)
	}
	_, err := r.Fill.Order(t.Context(), artwork.Actor{Name: "\xff"}, job.ID, fillmissing.Cancel)
	requireKind(t, artwork.InvalidInput, err)
}

func fillOrdersHeard(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	_, err := r.Fill.Order(t.Context(), somebody, job.ID, fillmissing.Pause)
	require.NoError(t, err)
	state, err := r.Fill.Renew(t.Context(), claim, time.Hour)
	require.NoError(t, err)
	require.Equal(t, fillmissing.Paused, state)
	status := recordFill(t, r, claim, fillmissing.Step{Results: []fillmissing.Result{proposal(artwork.NewID())}})
	require.Equal(t, fillmissing.Paused, status.State, "what was done is kept, and it stays paused")
	status, err = r.Fill.Order(t.Context(), somebody, job.ID, fillmissing.Resume)
	require.NoError(t, err)
	require.Equal(t, fillmissing.Running, status.State, "somebody still works at it")
}

func stoppedFillNotClaimed(t TB, open func(TB) Repositories) {
	r := open(t)
	paused, cancelled := newFill(t, r, profiles), newFill(t, r, profiles)
	_, err := r.Fill.Order(t.Context(), somebody, paused.ID, fillmissing.Pause)
	require.NoError(t, err)
	_, err = r.Fill.Order(t.Context(), somebody, cancelled.ID, fillmissing.Cancel)
	require.NoError(t, err)
	requireNoFill(t, r)
	_, err = r.Fill.Order(t.Context(), somebody, paused.ID, fillmissing.Resume)
	require.NoError(t, err)
	claimFill(t, r, paused.ID, time.Hour)
}

func cancelledFillHolds(t TB, open func(TB) Repositories) {
	r := open(t)
	first, second := newFill(t, r, profiles), newFill(t, r, profiles)
	claim, _ := claimFill(t, r, first.ID, time.Hour)
	_, err := r.Fill.Order(t.Context(), somebody, first.ID, fillmissing.Cancel)
	require.NoError(t, err)
	requireNoFill(t, r)
	status, err := r.Fill.Finish(t.Context(), claim, "")
	require.NoError(t, err)
	require.Equal(t, fillmissing.Cancelled, status.State)
	claimFill(t, r, second.ID, time.Hour)
}

func fillFinished(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	status, err := r.Fill.Finish(t.Context(), claim, "the disk is full")
	require.NoError(t, err)
	require.Equal(t, fillmissing.Failed, status.State)
	require.Equal(t, "the disk is full", status.Reason)
	require.WithinDuration(t, time.Now(), status.FinishedAt, time.Minute)
	requireNoFill(t, r)
	status, err = r.Fill.Order(t.Context(), somebody, job.ID, fillmissing.Resume)
	require.NoError(t, err)
	require.Empty(t, status.Reason)
	require.Zero(t, status.FinishedAt)
	claim, _ = claimFill(t, r, job.ID, time.Hour)
	status, err = r.Fill.Finish(t.Context(), claim, "")
	require.NoError(t, err)
	require.Equal(t, fillmissing.Done, status.State)
	_, err = r.Fill.Renew(t.Context(), claim, time.Hour)
	requireKind(t, artwork.Conflict, err)
	_, err = r.Fill.Order(t.Context(), somebody, job.ID, fillmissing.Cancel)
	requireKind(t, artwork.Conflict, err)
}

func releasedFill(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	require.NoError(t, r.Fill.Release(t.Context(), fillmissing.Claim{Job: job.ID, Holder: "another"}))
	requireNoFill(t, r)
	require.NoError(t, r.Fill.Release(t.Context(), claim))
	claimFill(t, r, job.ID, time.Hour)
}

// newPreview returns a dry run that has said something of some subjects.
func newPreview(t TB, r Repositories) (fillmissing.Status, []artwork.ID) {
	t.Helper()
	wish := profiles
	wish.DryRun = true
	job := newFill(t, r, wish)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	ids := sortedIDs(5)
	unsure := proposal(ids[3])
	unsure.Outcome = fillmissing.Ambiguous
	recordFill(t, r, claim, fillmissing.Step{Results: []fillmissing.Result{
		proposal(ids[0]), proposal(ids[1]), proposal(ids[2]), unsure, outcome(ids[4], fillmissing.Absent, false),
	}})
	status, err := r.Fill.Finish(t.Context(), claim, "")
	require.NoError(t, err)
	return status, ids
}

func proposalsAccepted(t TB, open func(TB) Repositories) {
	r := open(t)
	preview, ids := newPreview(t, r)
	for _, c := range []struct {
		accepted fillmissing.Selection
		want     []artwork.ID
	}{
		{fillmissing.Selection{All: true}, ids[:3]},
		{fillmissing.Selection{Except: []artwork.ID{ids[1], artwork.NewID()}}, []artwork.ID{ids[0], ids[2]}},
		{fillmissing.Selection{Only: []artwork.ID{ids[3], ids[0], ids[4], artwork.NewID()}}, []artwork.ID{ids[0], ids[3]}},
	} {
		job := fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: profiles, Of: preview.ID}
		status, err := r.Fill.Create(t.Context(), job, c.accepted)
		require.NoError(t, err)
		require.Equal(t, job, status.Job)
		require.Equal(t, fillmissing.Counts{Total: len(c.want)}, status.Counts)
		items, err := r.Fill.Open(t.Context(), job.ID, artwork.ID{}, 10)
		require.NoError(t, err)
		require.Len(t, items, len(c.want))
		for i, id := range c.want {
			want := proposal(id).Item
			want.Outcome, want.Open = fillmissing.Accepted, true
			require.Equal(t, want, items[i])
		}
	}
	require.Len(t, fillItems(t, r, preview.ID), 5, "the dry run stays as it was")
}

func onlyProposalsAccepted(t TB, open func(TB) Repositories) {
	r := open(t)
	preview, ids := newPreview(t, r)
	create := func(of artwork.ID, slot artwork.Slot, accepted fillmissing.Selection) error {
		_, err := r.Fill.Create(t.Context(), fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: fillmissing.Wish{Slot: slot}, Of: of}, accepted)
		return err
	}
	all := fillmissing.Selection{All: true}
	requireKind(t, artwork.Conflict, create(preview.ID, artwork.SlotLogo, all))
	requireKind(t, artwork.Conflict, create(newFill(t, r, profiles).ID, artwork.SlotProfile, all))
	requireKind(t, artwork.InvalidInput, create(preview.ID, artwork.SlotProfile, fillmissing.Selection{Only: ids[4:]}))
	requireKind(t, artwork.InvalidInput, create(preview.ID, artwork.SlotProfile, fillmissing.Selection{}))
	jobs, err := r.Fill.List(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, jobs, 2, "what was refused is not kept")
}

func oldFillsForgotten(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	recordFill(t, r, claim, fillmissing.Step{Results: []fillmissing.Result{{
		Item:    fillmissing.Item{SubjectID: artist.ID, Outcome: fillmissing.Absent},
		Learned: &fillmissing.Learned{At: time.Now(), Outcome: fillmissing.Absent, Question: "?"},
	}}})
	_, err := r.Fill.Finish(t.Context(), claim, "")
	require.NoError(t, err)
	waiting := newFill(t, r, profiles)
	require.NoError(t, r.Fill.Forget(t.Context(), time.Hour))
	findFill(t, r, job.ID)
	time.Sleep(5 * time.Millisecond)
	require.NoError(t, r.Fill.Forget(t.Context(), time.Millisecond))
	_, err = r.Fill.Find(t.Context(), job.ID)
	requireKind(t, artwork.NotFound, err)
	findFill(t, r, waiting.ID)
	gaps, err := r.Gaps.Among(t.Context(), artwork.SlotProfile, []artwork.ID{artist.ID})
	require.NoError(t, err)
	require.NotNil(t, gaps[0].Learned)
}

func fillsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newFill(t, r, profiles)
	claim, _ := claimFill(t, r, job.ID, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Create": func() error {
			_, err := r.Fill.Create(ctx, fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: profiles}, fillmissing.Selection{})
			return err
		},
		"Find":    func() error { _, err := r.Fill.Find(ctx, job.ID); return err },
		"List":    func() error { _, err := r.Fill.List(ctx, 1); return err },
		"Items":   func() error { _, err := r.Fill.Items(ctx, job.ID, fillmissing.ItemQuery{Limit: 1}); return err },
		"Order":   func() error { _, err := r.Fill.Order(ctx, somebody, job.ID, fillmissing.Cancel); return err },
		"Claim":   func() error { _, _, err := r.Fill.Claim(ctx, "b", time.Hour); return err },
		"Renew":   func() error { _, err := r.Fill.Renew(ctx, claim, time.Hour); return err },
		"Record":  func() error { _, err := r.Fill.Record(ctx, claim, fillmissing.Step{Recent: 1}); return err },
		"Open":    func() error { _, err := r.Fill.Open(ctx, job.ID, artwork.ID{}, 1); return err },
		"Explain": func() error { _, err := r.Fill.Explain(ctx, claim, "x"); return err },
		"Finish":  func() error { _, err := r.Fill.Finish(ctx, claim, ""); return err },
		"Release": func() error { return r.Fill.Release(ctx, claim) },
		"Forget":  func() error { return r.Fill.Forget(ctx, time.Hour) },
		"After":   func() error { _, _, err := r.Gaps.After(ctx, artwork.SlotCover, artwork.ID{}, 1); return err },
		"Among":   func() error { _, err := r.Gaps.Among(ctx, artwork.SlotCover, sortedIDs(1)); return err },
	} {
		require.ErrorIs(t, call(), context.Canceled, name)
	}
	status := findFill(t, r, job.ID)
	require.Equal(t, fillmissing.Running, status.State)
	require.Zero(t, status.Counts.Recent)
}

func gapsMetOnce(t TB, open func(TB) Repositories) {
	r := open(t)
	var want []artwork.ID
	for n := range 7 {
		want = append(want, newArtist(t, r, fmt.Sprint("Artist ", n)).ID)
	}
	slices.SortFunc(want, func(a, b artwork.ID) int { return strings.Compare(a.String(), b.String()) })
	var met []artwork.ID
	for after := (artwork.ID{}); ; {
		gaps, reached, err := r.Gaps.After(t.Context(), artwork.SlotLogo, after, 3)
		require.NoError(t, err)
		require.LessOrEqual(t, len(gaps), 3)
		if reached.IsZero() {
			require.Empty(t, gaps)
			break
		}
		for _, gap := range gaps {
			met = append(met, gap.SubjectID)
		}
		after = reached
	}
	require.Equal(t, want, met)
	gaps, err := r.Gaps.Among(t.Context(), artwork.SlotLogo, []artwork.ID{want[4], artwork.NewID(), want[1]})
	require.NoError(t, err)
	require.Len(t, gaps, 2)
	require.Equal(t, want[1], gaps[0].SubjectID)
	require.Equal(t, want[4], gaps[1].SubjectID)
	gaps, err = r.Gaps.Among(t.Context(), artwork.SlotLogo, nil)
	require.NoError(t, err)
	require.Empty(t, gaps)
}

func gapsSurvive(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Björk “Ñ”", MBID: artwork.NewID()}
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Début", MBID: artwork.NewID(), ReleaseGroupMBID: artwork.NewID()}
	_, err = r.Albums.Put(t.Context(), somebody, album)
	require.NoError(t, err)
	_, err = r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{
		Place: artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotBanner}, By: somebody, Lock: artwork.Lock,
	})
	require.NoError(t, err)
	only := func(slot artwork.Slot) fillmissing.Gap {
		gaps, _, err := r.Gaps.After(t.Context(), slot, artwork.ID{}, 10)
		require.NoError(t, err)
		require.Len(t, gaps, 1)
		return gaps[0]
	}
	require.Equal(t, fillmissing.Gap{SubjectID: artist.ID, Name: artist.Name, MBID: artist.MBID, Locked: true}, only(artwork.SlotBanner))
	require.Equal(t, fillmissing.Gap{SubjectID: artist.ID, Name: artist.Name, MBID: artist.MBID}, only(artwork.SlotProfile))
	require.Equal(t, fillmissing.Gap{
		SubjectID: album.ID, Name: album.Name, Artist: artist.Name, MBID: album.MBID, GroupMBID: album.ReleaseGroupMBID,
	}, only(artwork.SlotCover))
}

func filledIsNoGap(t TB, open func(TB) Repositories) {
	r := open(t)
	place := newPlace(t, r)
	gaps := func() []fillmissing.Gap {
		found, _, err := r.Gaps.After(t.Context(), place.Slot, artwork.ID{}, 10)
		require.NoError(t, err)
		among, err := r.Gaps.Among(t.Context(), place.Slot, []artwork.ID{place.Subject.ID})
		require.NoError(t, err)
		require.ElementsMatch(t, found, among)
		return found
	}
	require.Len(t, gaps(), 1)
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1)))
	require.Empty(t, gaps())
	require.Zero(t, newFill(t, r, profiles).Counts.Total)
	_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place, By: somebody, Remove: artwork.KeepEmpty})
	require.NoError(t, err)
	require.True(t, gaps()[0].KeptEmpty)
}

func namesakesTold(t TB, open func(TB) Repositories) {
	r := open(t)
	first := newArtist(t, r, "Nirvana")
	alone := newArtist(t, r, "Björk")
	album := newAlbum(t, r, first.ID, "Nevermind")
	told := func(slot artwork.Slot, id artwork.ID) bool {
		gaps, err := r.Gaps.Among(t.Context(), slot, []artwork.ID{id})
		require.NoError(t, err)
		require.Len(t, gaps, 1)
		return gaps[0].Namesakes
	}
	require.False(t, told(artwork.SlotProfile, first.ID))
	require.False(t, told(artwork.SlotCover, album.ID))
	newArtist(t, r, "NIRVANA")
	require.True(t, told(artwork.SlotProfile, first.ID))
	require.True(t, told(artwork.SlotCover, album.ID))
	require.False(t, told(artwork.SlotProfile, alone.ID))
}

func namedSubjects(t TB, open func(TB) Repositories) {
	r := open(t)
	one, other := newArtist(t, r, "One"), newArtist(t, r, "Other")
	newArtist(t, r, "Nobody asks for")
	job := fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: profiles, Named: true}
	status, err := r.Fill.Create(t.Context(), job, fillmissing.Named([]artwork.ID{other.ID, one.ID, one.ID, artwork.NewID()}))
	require.NoError(t, err)
	require.Equal(t, job, status.Job)
	require.Equal(t, fillmissing.Counts{Total: 2}, status.Counts)
	items := fillItems(t, r, job.ID)
	require.Len(t, items, 2)
	for _, item := range items {
		artist := map[artwork.ID]catalog.Artist{one.ID: one, other.ID: other}[item.SubjectID]
		require.Equal(t, fillmissing.Item{SubjectID: artist.ID, Name: artist.Name, Outcome: fillmissing.Waiting, Open: true}, item)
	}
	album := newAlbum(t, r, one.ID, "Début")
	covers := fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: fillmissing.Wish{Slot: artwork.SlotCover}, Named: true}
	_, err = r.Fill.Create(t.Context(), covers, fillmissing.Named([]artwork.ID{album.ID}))
	require.NoError(t, err)
	require.Equal(t, []fillmissing.Item{{SubjectID: album.ID, Name: "Début", Artist: "One", Outcome: fillmissing.Waiting, Open: true}}, fillItems(t, r, covers.ID))
	_, taken := claimFill(t, r, job.ID, time.Hour)
	require.Equal(t, job, taken.Job)
	waiting, err := r.Fill.Open(t.Context(), job.ID, artwork.ID{}, 10)
	require.NoError(t, err)
	require.Equal(t, items, waiting)
}

func nobodyNamed(t TB, open func(TB) Repositories) {
	r := open(t)
	newArtist(t, r, "Nobody asks for")
	for _, named := range [][]artwork.ID{nil, {artwork.NewID()}, make([]artwork.ID, fillmissing.MaxSelection+1)} {
		job := fillmissing.Job{ID: artwork.NewID(), By: somebody, Wish: profiles, Named: true}
		_, err := r.Fill.Create(t.Context(), job, fillmissing.Named(named))
		requireKind(t, artwork.InvalidInput, err)
		_, err = r.Fill.Find(t.Context(), job.ID)
		requireKind(t, artwork.NotFound, err)
	}
}
