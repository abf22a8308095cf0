package findimages_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

func (f *fixture) considered(t *testing.T, slot artwork.Slot) []findimages.Consideration {
	t.Helper()
	all, err := f.repo.Considerations().Of(t.Context(), artwork.Artist(f.artist.ID))
	require.NoError(t, err)
	var ofSlot []findimages.Consideration
	for _, c := range all {
		if c.Place.Slot == slot {
			ofSlot = append(ofSlot, c)
		}
	}
	return ofSlot
}

// TestASearchIsNoted: for each slot, with what was found for it, also if that is nothing,
// with copies and with who failed.
func TestASearchIsNoted(t *testing.T) {
	small, large, failing := offers("small", artwork.SlotProfile, 1), offers("large", artwork.SlotProfile, 2), offers("failing", artwork.SlotLogo, 0)
	small.answer[0].Width, small.answer[0].Height = 400, 400
	failing.fails = artwork.Errorf(artwork.Unavailable, "over its limit")
	f := newFixture(t, looks{"https://small.example/0": 1, "https://large.example/0": 1}, small, large, failing)
	begin := time.Now().Truncate(time.Microsecond)
	f.run(t, findimages.In{By: "ana"}, nil)

	noted := f.considered(t, artwork.SlotProfile)
	require.Len(t, noted, 1)
	require.Equal(t, findimages.OnSearch, noted[0].Occasion)
	require.Equal(t, "ana", noted[0].By)
	require.False(t, noted[0].At.Before(begin))
	require.False(t, noted[0].Incomplete)
	require.Equal(t, []findimages.Failure{{Provider: "failing", Message: "over its limit"}}, noted[0].Failures)
	require.Equal(t, []findimages.Considered{
		{Candidate: large.answer[0], Rank: 1, Score: 1, Verdict: findimages.Offered},
		{Candidate: small.answer[0], Rank: 1, Score: 0.4, Verdict: findimages.Copy},
		{Candidate: large.answer[1], Rank: 2, Score: 1, Verdict: findimages.Offered},
	}, noted[0].Candidates)
	for _, slot := range []artwork.Slot{artwork.SlotBackground, artwork.SlotBanner, artwork.SlotLogo} {
		require.Len(t, f.considered(t, slot), 1)
		require.Empty(t, f.considered(t, slot)[0].Candidates)
	}

	f.run(t, findimages.In{Slot: artwork.SlotLogo, By: "luis"}, nil)
	require.Equal(t, "luis", f.considered(t, artwork.SlotLogo)[0].By)
	require.Equal(t, "ana", f.considered(t, artwork.SlotProfile)[0].By, "what was not searched is as it was")
}

// TestABrokenOffSearchIsNoted: who applies a candidate as soon as it arrives waits for no
// others.
func TestABrokenOffSearchIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick, dead := offers("quick", artwork.SlotProfile, 1), offers("dead", artwork.SlotProfile, 1)
		dead.takes = time.Hour
		f := newFixture(t, nil, quick, dead)
		ctx, cancel := context.WithCancel(t.Context())
		_, result, err := f.search.Run(ctx, findimages.In{ID: f.artist.ID, Slot: artwork.SlotProfile, By: "ana"}, func(r findimages.Report) {
			if !r.Asking {
				cancel()
			}
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, result.Found)
		noted := f.considered(t, artwork.SlotProfile)
		require.Len(t, noted, 1)
		require.True(t, noted[0].Incomplete)
		require.Len(t, noted[0].Candidates, 1)
		require.Empty(t, noted[0].Failures, "who was not waited for has not failed")

		_, _, err = f.search.Run(ctx, findimages.In{ID: f.artist.ID, Slot: artwork.SlotLogo, By: "ana"}, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, f.considered(t, artwork.SlotLogo), "nothing was found out")
	})
}

// deadNotes keep nothing and take their time.
type deadNotes struct{ findimages.Considerations }

func (deadNotes) Keep(ctx context.Context, _ []findimages.Consideration) error {
	<-ctx.Done()
	return ctx.Err()
}

func (deadNotes) Of(context.Context, artwork.Subject) ([]findimages.Consideration, error) {
	return nil, errors.New("dead")
}

func TestANoteKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		recorder := findimages.NewRecorder(deadNotes{}, slog.New(slog.NewTextHandler(&log, nil)))
		begin := time.Now()
		recorder.Run(t.Context(), findimages.Consideration{})
		require.Equal(t, 2*time.Second, time.Since(begin))
		require.Contains(t, log.String(), "What was considered is not kept")
	})
}

func (f *fixture) provenances(notes findimages.Considerations) *findimages.Provenances {
	return findimages.NewProvenances(notes, f.all, f.repo.Artists(), f.repo.Albums())
}

func (f *fixture) provenance(t *testing.T, provider, url string) artwork.Provenance {
	t.Helper()
	known, err := f.provenances(f.repo.Considerations()).Of(t.Context(), artwork.Artist(f.artist.ID), provider, url)
	require.NoError(t, err)
	return known
}

// TestWhatProvidersSaid: of exactly this URL; the named provider counts first, and what
// another one said is better than nothing.
func TestWhatProvidersSaid(t *testing.T) {
	named, other := offers("named", artwork.SlotProfile, 2), offers("other", artwork.SlotProfile, 1)
	named.answer[0].Licence, named.answer[0].Attribution, named.answer[0].SourcePage = "CC BY", " Ana\n& Luis ", "javascript:x"
	other.answer[0].URL, other.answer[0].Licence = named.answer[0].URL, "all rights reserved"
	f := newFixture(t, nil, other, named)
	url := named.answer[0].URL
	require.Zero(t, f.provenance(t, "named", url), "nobody has searched")
	f.run(t, findimages.In{By: "ana"}, nil)
	require.Equal(t, artwork.Provenance{Licence: "CC BY", Attribution: "Ana & Luis", StatedBy: artwork.StatedByProvider}, f.provenance(t, "named", url))
	require.Equal(t, "all rights reserved", f.provenance(t, "other", url).Licence)
	require.NotZero(t, f.provenance(t, "somebody", url))
	require.Zero(t, f.provenance(t, "named", url+"?size=large"))
	require.Zero(t, f.provenance(t, "named", named.answer[1].URL), "it said nothing of this one")

	elsewhere := catalog.Artist{ID: artwork.NewID(), Name: "Luis"}
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, elsewhere)
	require.NoError(t, err)
	known, err := f.provenances(f.repo.Considerations()).Of(t.Context(), artwork.Artist(elsewhere.ID), "named", url)
	require.NoError(t, err)
	require.Zero(t, known, "it was offered for somebody else")
	known, err = f.provenances(f.repo.Considerations()).Of(t.Context(), artwork.User(elsewhere.ID), "named", url)
	require.NoError(t, err)
	require.Zero(t, known)
	_, err = f.provenances(deadNotes{}).Of(t.Context(), artwork.Artist(f.artist.ID), "named", url)
	require.Error(t, err)
}

// TestAFillIsNotedByItself: what it considered, and what it chose, is not a person's
// search.
func TestAFillIsNotedByItself(t *testing.T) {
	p := offers("p", artwork.SlotProfile, 2)
	f := newFixture(t, nil, p)
	result := f.run(t, findimages.In{Slot: artwork.SlotProfile}, nil)
	require.Empty(t, f.considered(t, artwork.SlotProfile))
	place := artwork.Place{Subject: artwork.Artist(f.artist.ID), Slot: artwork.SlotProfile}
	considered := findimages.Consider(result.Found)
	considered[1].Verdict = findimages.Chosen
	findimages.NewRecorder(f.repo.Considerations(), slog.New(slog.DiscardHandler)).Run(t.Context(), findimages.Consideration{
		Place: place, Occasion: findimages.OnFill, At: time.Now(), Candidates: considered,
	})
	noted := f.considered(t, artwork.SlotProfile)
	require.Len(t, noted, 1)
	require.Equal(t, findimages.OnFill, noted[0].Occasion)
	require.Equal(t, []findimages.Verdict{findimages.Offered, findimages.Chosen}, []findimages.Verdict{noted[0].Candidates[0].Verdict, noted[0].Candidates[1].Verdict})
}

// TestTheLatestWordCounts: a fill may have heard something else than a search.
func TestTheLatestWordCounts(t *testing.T) {
	f := newFixture(t, nil)
	for n, occasion := range []findimages.Occasion{findimages.OnSearch, findimages.OnFill} {
		licence := string(occasion)
		findimages.NewRecorder(f.repo.Considerations(), slog.New(slog.DiscardHandler)).Run(t.Context(), findimages.Consideration{
			Place: artwork.Place{Subject: artwork.Artist(f.artist.ID), Slot: artwork.SlotLogo}, Occasion: occasion, At: time.Unix(int64(n), 0),
			Candidates: []findimages.Considered{{Candidate: findimages.Candidate{Provider: "p", Slot: artwork.SlotLogo, URL: "https://p/1", Licence: licence}}},
		})
	}
	require.Equal(t, "fill", f.provenance(t, "p", "https://p/1").Licence)
}

// TestAnAnswerIsKnownBeforeTheSearchIsNoted: to who applies a candidate as it arrives.
func TestAnAnswerIsKnownBeforeTheSearchIsNoted(t *testing.T) {
	p := offers("p", artwork.SlotProfile, 1)
	p.answer[0].Licence = "CC0"
	f := newFixture(t, nil, p)
	heard := false
	f.run(t, findimages.In{}, func(r findimages.Report) {
		if r.Asking {
			return
		}
		heard = true
		require.Empty(t, f.considered(t, artwork.SlotProfile))
		require.Equal(t, "CC0", f.provenance(t, "p", r.Candidates[0].URL).Licence)
	})
	require.True(t, heard)
}

func TestWhatIsTooMuchIsOmitted(t *testing.T) {
	c := findimages.Consideration{By: strings.Repeat("x", 1000), Omitted: 1, Failures: []findimages.Failure{{Provider: "p", Message: "a\nb"}}}
	for range findimages.MaxConsidered {
		c.Candidates = append(c.Candidates, findimages.Considered{Candidate: findimages.Candidate{URL: "https://p/1", Licence: "a\tb"}})
	}
	c.Candidates[0].URL = "https://p/" + strings.Repeat("x", 5000)
	c.Candidates = append(c.Candidates, c.Candidates[1])
	bounded := c.Bounded()
	require.Len(t, bounded.Candidates, findimages.MaxConsidered)
	require.Equal(t, 2, bounded.Omitted)
	require.Equal(t, "a b", bounded.Candidates[0].Licence)
	require.Equal(t, "a b", bounded.Failures[0].Message)
	require.Equal(t, "a\nb", c.Failures[0].Message, "what was handed in is not changed")
	require.Len(t, []rune(bounded.By), 300)
	require.Equal(t, bounded, bounded.Bounded())
}
