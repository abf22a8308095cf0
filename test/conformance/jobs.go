package conformance

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/bulkapply"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// jobCases are the clauses of bulkapply.Jobs.
func jobCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"jobs: a job comes back to the last field", jobSurvives},
		{"jobs: a thousand items in one call", manyItems},
		{"jobs: a job that cannot be carried out is refused", impossibleJobs},
		{"jobs: an ID is taken once", jobTwice},
		{"jobs: an unknown job is not found", unknownJob},
		{"jobs: the oldest is claimed first, and once", oldestJobFirst},
		{"jobs: of 8 callers at once each takes another job", racingJobClaims},
		{"jobs: a claim expires by itself, and only what has no result is left to do", jobTakenOver},
		{"jobs: a renewed claim goes on holding", jobClaimRenewed},
		{"jobs: a claim that does not hold is not renewed", lostJobNotRenewed},
		{"jobs: results come back to the last field, in the order of the items", resultsSurvive},
		{"jobs: without the claim no result is kept", resultsWithoutClaim},
		{"jobs: an item keeps its result", resultKept},
		{"jobs: of results with an unknown item none is kept", resultOfNoItem},
		{"jobs: with the last result the job is done", lastResultEnds},
		{"jobs: a released job can be claimed at once", releasedJob},
		{"jobs: only the holder releases a job", onlyHolderReleasesJob},
		{"jobs: what was done long ago is forgotten, and nothing else", oldJobsForgotten},
		{"jobs: jobs are listed, the latest first, and read", jobsListed},
		{"jobs: a cancelled job is left alone, but what was begun is kept", cancelledJob},
		{"jobs: a cancellation is written down once, and not of a job that is done", cancelledOnce},
		{"jobs: a cancelled context ends every method", jobsCancelled},
	}
}

// someItems returns items of different albums that need not exist.
func someItems(n int) []bulkapply.Item {
	items := make([]bulkapply.Item, n)
	for i := range items {
		items[i] = bulkapply.Item{
			Place: artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover},
			URL:   fmt.Sprintf("https://example.org/%d.jpg", i), Provider: "deezer",
			Stated: artwork.Provenance{Licence: "CC0 <1.0>", Attribution: "Ünal ?0 'Ü'", SourcePage: "https://example.org/?a='b'"},
		}
	}
	return items
}

func newJob(t TB, r Repositories, items int) bulkapply.Job {
	t.Helper()
	job := bulkapply.Job{ID: artwork.NewID(), By: artwork.Actor{Name: "ana", Address: "203.0.113.7"}, Items: someItems(items)}
	require.NoError(t, r.Jobs.Create(t.Context(), job))
	return job
}

// claimJob takes the job that is next, which must be the one.
func claimJob(t TB, r Repositories, want artwork.ID, term time.Duration) (bulkapply.Claim, bulkapply.Assignment) {
	t.Helper()
	holder := artwork.NewID().String()
	taken, found, err := r.Jobs.Claim(t.Context(), holder, term)
	require.NoError(t, err)
	require.True(t, found, "there is no job to claim")
	require.Equal(t, want, taken.ID)
	return bulkapply.Claim{Job: want, Holder: holder}, taken
}

func requireNoJob(t TB, r Repositories) {
	t.Helper()
	_, found, err := r.Jobs.Claim(t.Context(), "nobody", time.Hour)
	require.NoError(t, err)
	require.False(t, found, "a job is claimed that is held or done")
}

func findJob(t TB, r Repositories, id artwork.ID) (bulkapply.Status, []bulkapply.Result) {
	t.Helper()
	status, results, err := r.Jobs.Find(t.Context(), id)
	require.NoError(t, err)
	return status, results
}

func applied(items ...int) []bulkapply.Result {
	results := make([]bulkapply.Result, len(items))
	for i, n := range items {
		results[i] = bulkapply.Result{N: n, Tag: artwork.Tag(fmt.Sprintf("%016d", n))}
	}
	return results
}

func failed(n int, kind artwork.ErrorKind, detail string) bulkapply.Result {
	return bulkapply.Result{N: n, Problem: &bulkapply.Problem{Kind: kind, Detail: detail}}
}

func record(t TB, r Repositories, claim bulkapply.Claim, results ...bulkapply.Result) {
	t.Helper()
	require.NoError(t, r.Jobs.Record(t.Context(), claim, results))
}

func jobSurvives(t TB, open func(TB) Repositories) {
	r := open(t)
	requireNoJob(t, r)
	artist := artwork.Artist(artwork.NewID())
	job := bulkapply.Job{
		ID: artwork.NewID(), By: artwork.Actor{Name: "Ünal “Ü” Özgür", ID: artwork.NewID(), Address: "2001:db8::7", RequestID: "req-1.a_B"},
		Items: []bulkapply.Item{
			{Place: artwork.Place{Subject: artist, Slot: artwork.SlotBanner}, URL: "https://example.org/a?b=c%20d&e='f'\\?0", Provider: "it's ?1"},
			{Place: artwork.Place{Subject: artist, Slot: artwork.SlotLogo}, ImageID: artwork.NewID()},
			{Place: artwork.Place{Subject: artwork.User(artwork.NewID()), Slot: artwork.SlotAvatar}, ImageID: artwork.NewID(), Provider: "upload"},
		},
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[artwork.Actor]()) {
		require.False(t, reflect.ValueOf(job.By).FieldByIndex(field.Index).IsZero(), "this case has to say something of the actor's %s", field.Name)
	}
	require.NoError(t, r.Jobs.Create(t.Context(), job))
	status, results := findJob(t, r, job.ID)
	require.Equal(t, bulkapply.Status{ID: job.ID, State: bulkapply.Queued, Total: 3}, status)
	require.Empty(t, results)

	_, taken := claimJob(t, r, job.ID, time.Hour)
	require.Equal(t, bulkapply.Status{ID: job.ID, State: bulkapply.Running, Total: 3}, taken.Status)
	require.Equal(t, job.By, taken.By)
	require.Len(t, taken.Todo, 3)
	for n, todo := range taken.Todo {
		require.Equal(t, bulkapply.Todo{N: n, Item: job.Items[n]}, todo)
	}
	status, _ = findJob(t, r, job.ID)
	require.Equal(t, bulkapply.Running, status.State)
}

func manyItems(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, bulkapply.MaxItems)
	claim, taken := claimJob(t, r, job.ID, time.Hour)
	require.Len(t, taken.Todo, bulkapply.MaxItems)
	for n, todo := range taken.Todo {
		require.Equal(t, bulkapply.Todo{N: n, Item: job.Items[n]}, todo)
	}
	var all []int
	for n := range bulkapply.MaxItems {
		all = append(all, n)
	}
	record(t, r, claim, applied(all...)...)
	status, results := findJob(t, r, job.ID)
	require.Equal(t, bulkapply.Done, status.State)
	require.Equal(t, applied(all...), results)
}

func impossibleJobs(t TB, open func(TB) Repositories) {
	r := open(t)
	for name, spoil := range map[string]func(*bulkapply.Job){
		"no ID":         func(j *bulkapply.Job) { j.ID = artwork.ID{} },
		"no items":      func(j *bulkapply.Job) { j.Items = nil },
		"too many":      func(j *bulkapply.Job) { j.Items = someItems(bulkapply.MaxItems + 1) },
		"bad text":      func(j *bulkapply.Job) { j.Items[1].URL = "https://example.org/\x00" },
		"a place twice": func(j *bulkapply.Job) { j.Items[1].Place = j.Items[0].Place },
		"bad name":      func(j *bulkapply.Job) { j.By.Name = "\xff" },
	} {
		job := bulkapply.Job{ID: artwork.NewID(), By: artwork.Actor{Name: "ana"}, Items: someItems(2)}
		spoil(&job)
		err := r.Jobs.Create(t.Context(), job)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), name)
	}
	requireNoJob(t, r)
}

func jobTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 2)
	again := job
	again.Items = someItems(3)
	requireKind(t, artwork.Conflict, r.Jobs.Create(t.Context(), again))
	status, _ := findJob(t, r, job.ID)
	require.Equal(t, 2, status.Total)
}

func unknownJob(t TB, open func(TB) Repositories) {
	r := open(t)
	newJob(t, r, 1)
	_, _, err := r.Jobs.Find(t.Context(), artwork.NewID())
	requireKind(t, artwork.NotFound, err)
}

func oldestJobFirst(t TB, open func(TB) Repositories) {
	r := open(t)
	first := newJob(t, r, 1)
	time.Sleep(time.Millisecond)
	second := newJob(t, r, 2)
	claimJob(t, r, first.ID, time.Hour)
	claimJob(t, r, second.ID, time.Hour)
	requireNoJob(t, r)
}

func racingJobClaims(t TB, open func(TB) Repositories) {
	r := open(t)
	const jobs = 8
	for range jobs {
		newJob(t, r, 1)
	}
	var claiming sync.WaitGroup
	var mu sync.Mutex
	taken := map[artwork.ID]int{}
	for n := range jobs {
		claiming.Go(func() {
			job, found, err := r.Jobs.Claim(t.Context(), fmt.Sprint(n), time.Hour)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && found {
				taken[job.ID]++
			}
		})
	}
	claiming.Wait()
	require.Len(t, taken, jobs)
	requireNoJob(t, r)
}

func jobTakenOver(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 4)
	first, _ := claimJob(t, r, job.ID, shortly)
	record(t, r, first, applied(0, 2)...)
	record(t, r, first, failed(3, artwork.DownloadFailed, "the URL answers 500"))
	time.Sleep(shortly + shortly/4)
	_, taken := claimJob(t, r, job.ID, time.Hour)
	require.Equal(t, bulkapply.Status{ID: job.ID, State: bulkapply.Running, Total: 4, Done: 3, Failed: 1}, taken.Status)
	require.Equal(t, []bulkapply.Todo{{N: 1, Item: job.Items[1]}}, taken.Todo)
	requireNoJob(t, r)
}

func jobClaimRenewed(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 1)
	claim, _ := claimJob(t, r, job.ID, 2*shortly)
	require.NoError(t, r.Jobs.Renew(t.Context(), claim, time.Hour))
	time.Sleep(2*shortly + shortly/2)
	requireNoJob(t, r)
	require.NoError(t, r.Jobs.Renew(t.Context(), claim, time.Millisecond))
	time.Sleep(5 * time.Millisecond)
	claimJob(t, r, job.ID, time.Hour)
}

func lostJobNotRenewed(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 1)
	requireKind(t, artwork.Conflict, r.Jobs.Renew(t.Context(), bulkapply.Claim{Job: job.ID, Holder: "a"}, time.Hour))
	requireKind(t, artwork.Conflict, r.Jobs.Renew(t.Context(), bulkapply.Claim{Job: artwork.NewID(), Holder: "a"}, time.Hour))
	claim, _ := claimJob(t, r, job.ID, shortly)
	time.Sleep(shortly + shortly/4)
	requireKind(t, artwork.Conflict, r.Jobs.Renew(t.Context(), claim, time.Hour))
	next, _ := claimJob(t, r, job.ID, time.Hour)
	requireKind(t, artwork.Conflict, r.Jobs.Renew(t.Context(), claim, time.Hour))
	record(t, r, next, applied(0)...)
	requireKind(t, artwork.Conflict, r.Jobs.Renew(t.Context(), next, time.Hour))
}

func resultsSurvive(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 5)
	claim, _ := claimJob(t, r, job.ID, time.Hour)
	record(t, r, claim)
	record(t, r, claim, failed(4, artwork.NotFound, "there's no “álbum” ?0 \\"), applied(1)[0])
	record(t, r, claim, failed(0, artwork.Internal, ""))
	status, results := findJob(t, r, job.ID)
	require.Equal(t, bulkapply.Status{ID: job.ID, State: bulkapply.Running, Total: 5, Done: 3, Failed: 2}, status)
	require.Equal(t, []bulkapply.Result{
		failed(0, artwork.Internal, ""), applied(1)[0], failed(4, artwork.NotFound, "there's no “álbum” ?0 \\"),
	}, results)
}

func resultsWithoutClaim(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 2)
	requireKind(t, artwork.Conflict, r.Jobs.Record(t.Context(), bulkapply.Claim{Job: job.ID, Holder: ""}, applied(0)))
	lapsed, _ := claimJob(t, r, job.ID, shortly)
	time.Sleep(shortly + shortly/4)
	requireKind(t, artwork.Conflict, r.Jobs.Record(t.Context(), lapsed, applied(0)))
	next, _ := claimJob(t, r, job.ID, time.Hour)
	requireKind(t, artwork.Conflict, r.Jobs.Record(t.Context(), lapsed, applied(0)))
	_, results := findJob(t, r, job.ID)
	require.Empty(t, results)
	record(t, r, next, applied(0)...)
}

func resultKept(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 3)
	claim, _ := claimJob(t, r, job.ID, time.Hour)
	record(t, r, claim, applied(1)...)
	record(t, r, claim, failed(1, artwork.NotFound, "too late"), failed(2, artwork.NotFound, "in time"))
	_, results := findJob(t, r, job.ID)
	require.Equal(t, []bulkapply.Result{applied(1)[0], failed(2, artwork.NotFound, "in time")}, results)
}

func resultOfNoItem(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 2)
	claim, _ := claimJob(t, r, job.ID, time.Hour)
	for _, unknown := range []int{-1, 2} {
		requireKind(t, artwork.NotFound, r.Jobs.Record(t.Context(), claim, append(applied(0), applied(unknown)...)))
	}
	status, results := findJob(t, r, job.ID)
	require.Equal(t, bulkapply.Running, status.State)
	require.Empty(t, results)
}

func lastResultEnds(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 2)
	claim, _ := claimJob(t, r, job.ID, shortly)
	record(t, r, claim, applied(1)...)
	record(t, r, claim, failed(0, artwork.NotFound, "nothing there"))
	status, _ := findJob(t, r, job.ID)
	require.Equal(t, bulkapply.Status{ID: job.ID, State: bulkapply.Done, Total: 2, Done: 2, Failed: 1}, status)
	time.Sleep(shortly + shortly/4)
	requireNoJob(t, r)
}

func releasedJob(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 2)
	claim, _ := claimJob(t, r, job.ID, time.Hour)
	record(t, r, claim, applied(0)...)
	require.NoError(t, r.Jobs.Release(t.Context(), claim))
	requireKind(t, artwork.Conflict, r.Jobs.Renew(t.Context(), claim, time.Hour))
	status, _ := findJob(t, r, job.ID)
	require.Equal(t, bulkapply.Running, status.State, "it has begun, and goes on")
	_, taken := claimJob(t, r, job.ID, time.Hour)
	require.Len(t, taken.Todo, 1)
}

func onlyHolderReleasesJob(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 1)
	require.NoError(t, r.Jobs.Release(t.Context(), bulkapply.Claim{Job: artwork.NewID(), Holder: "a"}))
	lapsed, _ := claimJob(t, r, job.ID, shortly)
	time.Sleep(shortly + shortly/4)
	claimJob(t, r, job.ID, time.Hour)
	require.NoError(t, r.Jobs.Release(t.Context(), lapsed))
	requireNoJob(t, r)
}

func oldJobsForgotten(t TB, open func(TB) Repositories) {
	r := open(t)
	done := newJob(t, r, 1)
	claim, _ := claimJob(t, r, done.ID, time.Hour)
	record(t, r, claim, applied(0)...)
	open1, open2 := newJob(t, r, 1), newJob(t, r, 1)
	claimJob(t, r, open1.ID, time.Hour)
	require.NoError(t, r.Jobs.Forget(t.Context(), time.Hour))
	findJob(t, r, done.ID)
	time.Sleep(5 * time.Millisecond)
	require.NoError(t, r.Jobs.Forget(t.Context(), time.Millisecond))
	_, _, err := r.Jobs.Find(t.Context(), done.ID)
	requireKind(t, artwork.NotFound, err)
	findJob(t, r, open1.ID)
	claimJob(t, r, open2.ID, time.Hour)
}

func jobsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	job := newJob(t, r, 1)
	claim, _ := claimJob(t, r, job.ID, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other := bulkapply.Job{ID: artwork.NewID(), By: job.By, Items: job.Items}
	require.ErrorIs(t, r.Jobs.Create(ctx, other), context.Canceled)
	_, _, err := r.Jobs.Find(ctx, job.ID)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = r.Jobs.Claim(ctx, "b", time.Hour)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Jobs.Renew(ctx, claim, time.Hour), context.Canceled)
	require.ErrorIs(t, r.Jobs.Record(ctx, claim, applied(0)), context.Canceled)
	require.ErrorIs(t, r.Jobs.Release(ctx, claim), context.Canceled)
	require.ErrorIs(t, r.Jobs.Forget(ctx, time.Hour), context.Canceled)
	_, err = r.Jobs.List(ctx, 1)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = r.Jobs.Read(ctx, job.ID)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Jobs.Cancel(ctx, job.By, job.ID)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = r.Jobs.Find(t.Context(), other.ID)
	requireKind(t, artwork.NotFound, err)
	_, results := findJob(t, r, job.ID)
	require.Empty(t, results)
	require.NoError(t, r.Jobs.Renew(t.Context(), claim, time.Hour), "it is still held")
}

func jobsListed(t TB, open func(TB) Repositories) {
	r := open(t)
	none, err := r.Jobs.List(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, none)
	first := newJob(t, r, 2)
	time.Sleep(time.Millisecond) // the next one is younger
	second := newJob(t, r, 1)
	claim, _ := claimJob(t, r, first.ID, time.Hour)
	record(t, r, claim, append(applied(0), failed(1, artwork.NotFound, "nothing there"))...)

	jobs, err := r.Jobs.List(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, jobs, 2)
	require.Equal(t, bulkapply.Status{ID: second.ID, State: bulkapply.Queued, Total: 1}, jobs[0].Status)
	require.Equal(t, bulkapply.Status{ID: first.ID, State: bulkapply.Done, Total: 2, Done: 2, Failed: 1}, jobs[1].Status)
	require.Equal(t, first.By, jobs[1].By)
	require.WithinDuration(t, time.Now(), jobs[1].CreatedAt, time.Minute)
	require.WithinDuration(t, time.Now(), jobs[1].FinishedAt, time.Minute)
	require.Zero(t, jobs[0].FinishedAt)
	latest, err := r.Jobs.List(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, jobs[:1], latest)

	job, items, err := r.Jobs.Read(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, jobs[1], job)
	require.Equal(t, first.Items, items)
	_, _, err = r.Jobs.Read(t.Context(), artwork.NewID())
	requireKind(t, artwork.NotFound, err)
}

func cancelledJob(t TB, open func(TB) Repositories) {
	r := open(t)
	waiting, begun := newJob(t, r, 1), newJob(t, r, 3)
	_, err := r.Jobs.Cancel(t.Context(), somebody, waiting.ID)
	require.NoError(t, err)
	claim, _ := claimJob(t, r, begun.ID, time.Hour)
	record(t, r, claim, applied(0)...)
	job, err := r.Jobs.Cancel(t.Context(), somebody, begun.ID)
	require.NoError(t, err)
	require.Equal(t, bulkapply.Status{ID: begun.ID, State: bulkapply.Cancelled, Total: 3, Done: 1}, job.Status)
	require.WithinDuration(t, time.Now(), job.FinishedAt, time.Minute)
	requireKind(t, artwork.Conflict, r.Jobs.Renew(t.Context(), claim, time.Hour))
	record(t, r, claim, applied(1)...)
	status, results := findJob(t, r, begun.ID)
	require.Equal(t, bulkapply.Status{ID: begun.ID, State: bulkapply.Cancelled, Total: 3, Done: 2}, status)
	require.Equal(t, applied(0, 1), results)
	require.NoError(t, r.Jobs.Release(t.Context(), claim))
	requireNoJob(t, r)
	require.NoError(t, r.Jobs.Forget(t.Context(), 0))
	_, _, err = r.Jobs.Find(t.Context(), begun.ID)
	requireKind(t, artwork.NotFound, err)
}

func cancelledOnce(t TB, open func(TB) Repositories) {
	r := open(t)
	job, over := newJob(t, r, 1), newJob(t, r, 1)
	by := artwork.Actor{Name: "bea", Address: "203.0.113.9"}
	for range 2 {
		_, err := r.Jobs.Cancel(t.Context(), by, job.ID)
		require.NoError(t, err)
		log, err := r.Activity.List(t.Context(), activity.Query{Limit: 100})
		require.NoError(t, err)
		require.Len(t, log.Items, 1)
		require.Equal(t, bulkapply.ActionCancel, log.Items[0].Action)
		require.Equal(t, by, log.Items[0].Actor)
	}
	claim, _ := claimJob(t, r, over.ID, time.Hour)
	record(t, r, claim, applied(0)...)
	_, err := r.Jobs.Cancel(t.Context(), by, over.ID)
	requireKind(t, artwork.Conflict, err)
	_, err = r.Jobs.Cancel(t.Context(), by, artwork.NewID())
	requireKind(t, artwork.NotFound, err)
	_, err = r.Jobs.Cancel(t.Context(), artwork.Actor{Name: "\xff"}, over.ID)
	requireKind(t, artwork.InvalidInput, err)
}
