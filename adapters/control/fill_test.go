package control_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

// fillJob is what the server says of every job.
var fillJob = fillmissing.Status{
	Job: fillmissing.Job{
		ID: artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10"), By: artwork.Actor{Name: "ana"},
		Wish: fillmissing.Wish{Slot: artwork.SlotCover, DryRun: true, MinScore: 0.65, Again: true},
	},
	State: fillmissing.Running, Reason: "nobody answers", Counts: fillmissing.Counts{Total: 9, Walked: 4, Below: 1},
	CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
}

// fillItem is what it says of every subject.
var fillItem = fillmissing.Item{
	SubjectID: fillJob.ID, Name: "Mar", Artist: "Ana", Outcome: fillmissing.Proposed, Score: 0.8,
	Candidate: &findimages.Candidate{Provider: "deezer", Slot: artwork.SlotCover, URL: "https://example.org/a", Width: 7},
}

func (v *verbs) StartFill(_ context.Context, wish fillmissing.Wish) (fillmissing.Status, error) {
	if wish != fillJob.Wish {
		return fillmissing.Status{}, artwork.Errorf(artwork.InvalidInput, "another wish: %v", wish)
	}
	return fillJob, nil
}

func (v *verbs) ApplyFill(_ context.Context, preview artwork.ID, accepted fillmissing.Selection) (fillmissing.Status, error) {
	if preview != fillJob.ID || len(accepted.Except) != 1 || accepted.Except[0] != preview {
		return fillmissing.Status{}, artwork.Errorf(artwork.Conflict, "another selection: %v", accepted)
	}
	return fillJob, nil
}

func (v *verbs) OrderFill(_ context.Context, job artwork.ID, order fillmissing.Order) (fillmissing.Status, error) {
	return v.FindFill(context.Background(), map[bool]artwork.ID{true: job}[order == fillmissing.Pause])
}

func (v *verbs) FindFill(_ context.Context, job artwork.ID) (fillmissing.Status, error) {
	if job != fillJob.ID {
		return fillmissing.Status{}, artwork.Errorf(artwork.NotFound, "there is no job %s", job)
	}
	return fillJob, nil
}

func (v *verbs) ListFills(_ context.Context, limit int) ([]fillmissing.Status, error) {
	return []fillmissing.Status{fillJob, fillJob, fillJob}[:limit], nil
}

func (v *verbs) FillItems(_ context.Context, job artwork.ID, query fillmissing.ItemQuery) ([]fillmissing.Item, error) {
	if job != fillJob.ID || query != (fillmissing.ItemQuery{After: job, Limit: 7, Outcome: fillmissing.Proposed}) {
		return nil, artwork.Errorf(artwork.NotFound, "another query: %v", query)
	}
	return []fillmissing.Item{fillItem}, nil
}

// TestFillVerbs arrive as they were sent, and so do their answers.
func TestFillVerbs(t *testing.T) {
	client, _, _ := start(t)
	for name, call := range map[string]func() (fillmissing.Status, error){
		"start": func() (fillmissing.Status, error) { return client.StartFill(t.Context(), fillJob.Wish) },
		"apply": func() (fillmissing.Status, error) {
			return client.ApplyFill(t.Context(), fillJob.ID, fillmissing.Selection{Except: []artwork.ID{fillJob.ID}})
		},
		"order": func() (fillmissing.Status, error) {
			return client.OrderFill(t.Context(), fillJob.ID, fillmissing.Pause)
		},
		"find": func() (fillmissing.Status, error) { return client.FindFill(t.Context(), fillJob.ID) },
	} {
		status, err := call()
		require.NoError(t, err, name)
		require.Equal(t, fillJob, status, name)
	}
	_, err := client.FindFill(t.Context(), artwork.NewID())
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	jobs, err := client.ListFills(t.Context(), 2)
	require.NoError(t, err)
	require.Equal(t, []fillmissing.Status{fillJob, fillJob}, jobs)
	items, err := client.FillItems(t.Context(), fillJob.ID, fillmissing.ItemQuery{After: fillJob.ID, Limit: 7, Outcome: fillmissing.Proposed})
	require.NoError(t, err)
	require.Equal(t, []fillmissing.Item{fillItem}, items)
}
