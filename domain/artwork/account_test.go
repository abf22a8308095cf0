package artwork_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

var someTime = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// story is what happens to a place, told to an account as a repository would.
type story struct {
	artwork.Account
	place artwork.Place
	now   time.Time
}

func newStory(slot artwork.Slot) *story {
	subject := artwork.Artist(artwork.NewID())
	if slot == artwork.SlotCover {
		subject = artwork.Album(subject.ID)
	}
	return &story{place: artwork.Place{Subject: subject, Slot: slot}, now: someTime}
}

// record returns an image; those with greater numbers were brought later.
func (s *story) record(source artwork.Source, n byte) artwork.Record {
	hash := artwork.HashOf([]byte{n})
	return artwork.Record{
		ID: artwork.RecordID(s.place, hash, source, ""), Place: s.place, Source: source,
		Content: artwork.Content{Hash: hash}, AddedAt: someTime.Add(time.Duration(n) * time.Second),
	}
}

func (s *story) knows(record artwork.Record) {
	for _, k := range s.Known {
		if k.ID == record.ID {
			return
		}
	}
	s.Known = append(s.Known, artwork.KnownRecord{Record: record})
}

func (s *story) took(act artwork.Act) {
	entry := artwork.HistoryEntry{Record: *s.State.InForce, AppliedAt: s.now, Act: act}
	s.History = append([]artwork.HistoryEntry{entry}, s.History...)
}

func (s *story) applies(t *testing.T, a artwork.Application) artwork.Result {
	t.Helper()
	s.now = s.now.Add(time.Minute)
	s.knows(a.Record)
	next, outcome, err := s.State.Apply(a, a.Record, s.now)
	require.NoError(t, err)
	if s.State = next; outcome.Result == artwork.Changed {
		s.took(a.Act())
	}
	return outcome.Result
}

func (s *story) chooses(t *testing.T, source artwork.Source, n byte) artwork.Record {
	t.Helper()
	record := s.record(source, n)
	s.applies(t, artwork.Application{Record: record})
	return record
}

func (s *story) finds(t *testing.T, source artwork.Source, n byte) (artwork.Record, artwork.Result) {
	t.Helper()
	record := s.record(source, n)
	return record, s.applies(t, artwork.Application{Record: record, Automatic: true, Origin: artwork.Origin{Rank: int(n)}})
}

func (s *story) revises(t *testing.T, r artwork.Revision) {
	t.Helper()
	s.now = s.now.Add(time.Minute)
	r.Place = s.place
	before := s.State
	next, changed, err := s.State.Revise(r, s.Known, s.now)
	require.NoError(t, err)
	if s.State = next; changed && next.InForce != nil && (before.InForce == nil || before.InForce.ID != next.InForce.ID) {
		s.knows(*next.InForce)
		s.took(r.Act())
	}
}

func (s *story) reasons() map[artwork.ID]artwork.Reason {
	reasons := map[artwork.ID]artwork.Reason{}
	for _, other := range s.Others() {
		reasons[other.Record.ID] = other.Reason
	}
	return reasons
}

func TestRules(t *testing.T) {
	for want, tell := range map[artwork.Rule]func(*story){
		artwork.RuleEmpty:   func(*story) {},
		artwork.RuleChosen:  func(s *story) { s.finds(t, artwork.Local, 1); s.chooses(t, artwork.Local, 1) },
		artwork.RuleScanned: func(s *story) { s.finds(t, artwork.Local, 1) },
		artwork.RuleFilled:  func(s *story) { s.finds(t, artwork.External, 1) },
		artwork.RuleNext: func(s *story) {
			s.finds(t, artwork.Local, 1)
			s.chooses(t, artwork.Custom, 2)
			s.revises(t, artwork.Revision{Remove: artwork.GiveWay})
		},
		artwork.RuleKeptEmpty: func(s *story) {
			s.chooses(t, artwork.Custom, 1)
			s.revises(t, artwork.Revision{Lock: artwork.Lock})
			s.revises(t, artwork.Revision{Remove: artwork.KeepEmpty})
		},
		artwork.RuleLocked: func(s *story) { s.revises(t, artwork.Revision{Lock: artwork.Lock}) },
		artwork.RuleRemoved: func(s *story) {
			s.chooses(t, artwork.Custom, 1)
			s.revises(t, artwork.Revision{Remove: artwork.GiveWay})
		},
	} {
		s := newStory(artwork.SlotProfile)
		tell(s)
		require.Equal(t, want, s.Rule())
	}
}

func TestOthersByPriority(t *testing.T) {
	for slot, order := range map[artwork.Slot][]artwork.Source{
		artwork.SlotLogo:  {artwork.Local, artwork.Custom, artwork.External},
		artwork.SlotCover: {artwork.External, artwork.Custom, artwork.Local},
	} {
		s := newStory(slot)
		s.finds(t, artwork.Local, 1)
		s.finds(t, artwork.External, 2)
		s.knows(s.record(artwork.Custom, 3))
		s.chooses(t, artwork.Custom, 4)
		others := s.Others()
		require.Len(t, others, 3)
		for i, other := range others {
			require.Equal(t, order[i], other.Record.Source, "%s: what would take force is first, then the sources in their order", slot)
			require.Equal(t, i == 0, other.Next)
		}
		s.revises(t, artwork.Revision{Lock: artwork.Lock})
		for _, other := range s.Others() {
			require.False(t, other.Next, "when an image of a locked slot goes, the slot stays empty")
		}
	}
}

func TestReasons(t *testing.T) {
	s := newStory(artwork.SlotProfile)
	scanned, _ := s.finds(t, artwork.Local, 1)
	replaced := s.now.Add(time.Minute)
	_, _ = s.finds(t, artwork.Local, 0)
	require.Equal(t, map[artwork.ID]artwork.Reason{scanned.ID: artwork.ReasonReplaced}, s.reasons())
	require.Equal(t, replaced, s.Others()[0].Until)
	worse, result := s.finds(t, artwork.Local, 9)
	require.Equal(t, artwork.Declined, result)
	require.Equal(t, artwork.ReasonPriority, s.reasons()[worse.ID])
	require.Zero(t, s.Others()[0].Until)

	uploaded := s.chooses(t, artwork.Custom, 3)
	require.Equal(t, artwork.ReasonChosen, s.reasons()[worse.ID])
	offered := s.record(artwork.Custom, 4)
	s.knows(offered)
	require.Equal(t, artwork.ReasonNotChosen, s.reasons()[offered.ID])
	withdrawn := s.record(artwork.Custom, 5)
	s.Known = append(s.Known, artwork.KnownRecord{Record: withdrawn, Withdrawn: true})
	require.Equal(t, artwork.ReasonWithdrawn, s.reasons()[withdrawn.ID])

	removed := s.now.Add(time.Minute)
	s.revises(t, artwork.Revision{Remove: artwork.GiveWay})
	require.Equal(t, artwork.ReasonRemoved, s.reasons()[uploaded.ID])
	for _, other := range s.Others() {
		if other.Record.ID == uploaded.ID {
			require.Equal(t, removed, other.Until)
		}
	}
	filled, _ := s.finds(t, artwork.External, 6)
	require.Equal(t, artwork.Declined, s.applies(t, artwork.Application{Record: filled, Automatic: true}))
	s.revises(t, artwork.Revision{Remove: artwork.KeepEmpty})
	require.Equal(t, artwork.ReasonKeptEmpty, s.reasons()[filled.ID])
	s.revises(t, artwork.Revision{Remove: artwork.GiveWay})
	require.Equal(t, artwork.ReasonNoTurn, s.reasons()[filled.ID])
	s.revises(t, artwork.Revision{Lock: artwork.Lock})
	require.Equal(t, artwork.ReasonLocked, s.reasons()[filled.ID])
}

// TestAPictureIsToldOnce: with the focal point that it had in force last, and not at all
// if it is in force with another one.
func TestAPictureIsToldOnce(t *testing.T) {
	s := newStory(artwork.SlotProfile)
	s.chooses(t, artwork.Custom, 1)
	s.revises(t, artwork.Revision{Focus: &artwork.FocalPoint{X: 0.5}})
	focused := *s.State.InForce
	require.Empty(t, s.Others())
	require.Len(t, s.Acts(focused), 2)
	s.chooses(t, artwork.Custom, 2)
	others := s.Others()
	require.Len(t, others, 1)
	require.Equal(t, focused, others[0].Record)
	require.Equal(t, []artwork.Act{artwork.ActFocused, artwork.ActUploaded}, []artwork.Act{s.Acts(focused)[0].Act, s.Acts(focused)[1].Act})
}

// TestTheHistoryHasNoRemovals: what was filled later did not replace what was removed
// before, and nobody knows when that was.
func TestTheHistoryHasNoRemovals(t *testing.T) {
	s := newStory(artwork.SlotProfile)
	uploaded := s.chooses(t, artwork.Custom, 1)
	s.revises(t, artwork.Revision{Remove: artwork.GiveWay})
	require.Equal(t, s.now, s.Others()[0].Until)
	s.finds(t, artwork.External, 2)
	s.revises(t, artwork.Revision{Remove: artwork.KeepEmpty})
	s.revises(t, artwork.Revision{Remove: artwork.GiveWay})
	s.finds(t, artwork.Local, 3)
	require.Equal(t, artwork.ReasonRemoved, s.reasons()[uploaded.ID])
	for _, other := range s.Others() {
		require.Equal(t, artwork.ReasonRemoved, other.Reason)
		require.Zero(t, other.Until)
	}
}
