package explainimage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/explainimage"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

var ana = artwork.Actor{Name: "ana"}

type fixture struct {
	repo    *memory.Repository
	place   artwork.Place
	explain *explainimage.Explain
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{repo: memory.NewRepository()}
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
	_, err := f.repo.Artists().Put(t.Context(), ana, artist)
	require.NoError(t, err)
	f.place = artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}
	f.explain = explainimage.NewExplain(f.repo.Images(), f.repo.Considerations())
	return f
}

func (f *fixture) apply(t *testing.T, source artwork.Source, url string, more ...func(*artwork.Application)) artwork.Record {
	t.Helper()
	hash := artwork.HashOf([]byte(url))
	record := artwork.Record{
		ID: artwork.RecordID(f.place, hash, source, "p"), Place: f.place, Source: source, Provider: "p", SourceURL: url, Content: artwork.Content{Hash: hash},
	}
	application := artwork.Application{Record: record, By: ana}
	for _, change := range more {
		change(&application)
	}
	_, err := f.repo.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{application})
	require.NoError(t, err)
	return record
}

func (f *fixture) consider(t *testing.T, slot artwork.Slot, occasion findimages.Occasion, at int64, urls ...string) {
	t.Helper()
	c := findimages.Consideration{Place: artwork.Place{Subject: f.place.Subject, Slot: slot}, Occasion: occasion, At: time.Unix(at, 0)}
	for _, url := range urls {
		c.Candidates = append(c.Candidates, findimages.Considered{Candidate: findimages.Candidate{Slot: slot, URL: url}})
	}
	findimages.NewRecorder(f.repo.Considerations(), slog.New(slog.DiscardHandler)).Run(t.Context(), c)
}

func (f *fixture) why(t *testing.T) explainimage.Explanation {
	t.Helper()
	e, err := f.explain.Run(t.Context(), f.place)
	require.NoError(t, err)
	return e
}

func TestWhatIsTold(t *testing.T) {
	f := newFixture(t)
	empty := f.why(t)
	require.Equal(t, artwork.RuleEmpty, empty.Rule)
	require.Empty(t, empty.FoundAt())
	first := f.apply(t, artwork.External, "https://p/1")
	second := f.apply(t, artwork.External, "https://p/2")
	f.consider(t, artwork.SlotProfile, findimages.OnFill, 1, "https://p/2")
	f.consider(t, artwork.SlotProfile, findimages.OnSearch, 2, "https://p/3", "https://p/1", "https://p/2")
	f.consider(t, artwork.SlotLogo, findimages.OnSearch, 3, "https://p/4")

	e := f.why(t)
	require.Equal(t, artwork.RuleChosen, e.Rule)
	require.Len(t, e.Acts, 1)
	require.Equal(t, second.ID, e.Acts[0].ID)
	require.Len(t, e.Others, 1)
	require.Equal(t, artwork.ReasonReplaced, e.Others[0].Reason)
	require.Len(t, e.Considered, 2, "another slot is none of this one's business")
	require.Equal(t, findimages.OnSearch, e.Considered[0].Occasion, "the latest is first")
	for i, want := range []struct {
		id             artwork.ID
		inForce, known bool
	}{{}, {first.ID, false, true}, {second.ID, true, true}} {
		id, inForce, known := e.Image(e.Considered[0].Candidates[i])
		require.Equal(t, want.id, id)
		require.Equal(t, []bool{want.inForce, want.known}, []bool{inForce, known})
	}
}

// TestAddressesKeepTheirSecrets: signatures and passwords are told to nobody, unless a
// provider offered the address as it is.
func TestAddressesKeepTheirSecrets(t *testing.T) {
	f := newFixture(t)
	offered := "https://p.example/a.jpg?size=large"
	f.consider(t, artwork.SlotProfile, findimages.OnSearch, 1, offered)
	for url, want := range map[string]string{
		offered: offered, "": "",
		"https://user:secret@bucket.example/a%20b.jpg?X-Amz-Signature=secret#secret": "https://bucket.example/a%20b.jpg",
		"https://bucket.example/?secret":                                             "https://bucket.example/",
		"::not an address":                                                           "",
	} {
		require.Equal(t, want, f.why(t).URL(artwork.Record{SourceURL: url}), url)
	}
}

func TestALocalImageIsToldByItsFolder(t *testing.T) {
	f := newFixture(t)
	f.apply(t, artwork.Local, "", func(a *artwork.Application) {
		a.Automatic, a.Origin = true, artwork.Origin{Rank: 1, Path: "/srv/secret place/Ana/Uno \xff/cover.jpg"}
	})
	e := f.why(t)
	require.Equal(t, artwork.RuleScanned, e.Rule)
	require.Equal(t, "Uno \uFFFD/cover.jpg", e.FoundAt())
}

func TestThereIsAnEndToIt(t *testing.T) {
	f := newFixture(t)
	for n := range 120 {
		f.apply(t, artwork.External, fmt.Sprintf("https://p/%d", n))
	}
	for range 15 {
		f.apply(t, artwork.External, "https://p/1")
		f.apply(t, artwork.External, "https://p/2")
	}
	e := f.why(t)
	require.Len(t, e.Others, 100)
	require.Equal(t, 19, e.Omitted)
	require.Len(t, e.Acts, 16)
}

// TestEveryRuleAndReasonHasItsWords: an answer without them would explain nothing.
func TestEveryRuleAndReasonHasItsWords(t *testing.T) {
	for _, rule := range []artwork.Rule{
		artwork.RuleChosen, artwork.RuleScanned, artwork.RuleFilled, artwork.RuleNext, artwork.RuleKeptEmpty, artwork.RuleLocked, artwork.RuleRemoved, artwork.RuleEmpty,
	} {
		require.NotEmpty(t, explainimage.Words(rule), rule)
	}
	for _, reason := range []artwork.Reason{
		artwork.ReasonWithdrawn, artwork.ReasonReplaced, artwork.ReasonRemoved, artwork.ReasonNotChosen, artwork.ReasonKeptEmpty, artwork.ReasonLocked,
		artwork.ReasonChosen, artwork.ReasonPriority, artwork.ReasonNoTurn,
	} {
		require.NotEmpty(t, explainimage.WhyNot(reason), reason)
	}
}

type broken struct{ findimages.Considerations }

func (broken) Of(context.Context, artwork.Subject) ([]findimages.Consideration, error) {
	return nil, errors.New("broken")
}

func TestRefusals(t *testing.T) {
	f := newFixture(t)
	_, err := f.explain.Run(t.Context(), artwork.Place{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, err = f.explain.Run(t.Context(), artwork.Place{Subject: f.place.Subject, Slot: artwork.SlotCover})
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	_, err = explainimage.NewExplain(f.repo.Images(), broken{}).Run(t.Context(), f.place)
	require.Equal(t, artwork.Internal, artwork.KindOf(err))
}
