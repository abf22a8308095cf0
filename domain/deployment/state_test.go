package deployment

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

func settings(mode artwork.CacheMode) artwork.CacheSettings {
	return artwork.CacheSettings{Mode: mode, TTL: 300 * time.Second, L1TTL: time.Second}
}

func named(mode artwork.CacheMode) Wish { return Wish{Settings: settings(mode), Mode: true} }

// unnamed is the wish of a configuration that names nothing.
func unnamed(mode artwork.CacheMode) Wish { return Wish{Settings: settings(mode)} }

func member(name string) Member { return Member{ID: artwork.NewID(), Name: name, HasRedis: true} }

// deployed returns a deployment of members that were started by the wish.
func deployed(t *testing.T, wish Wish, names ...string) *State {
	t.Helper()
	s := &State{}
	for _, name := range names {
		require.NoError(t, s.Join(member(name), wish))
	}
	return s
}

func TestTheFirstMemberDecides(t *testing.T) {
	for _, wish := range []Wish{named(artwork.CacheRedis), unnamed(artwork.CacheTwoLevel), named(artwork.CacheMemory)} {
		s := deployed(t, wish, "a")
		require.Equal(t, wish.Settings, s.Read)
		require.Equal(t, Settled, s.Step)
		require.EqualValues(t, 1, s.Revision)
		require.False(t, s.Chosen)
		require.Equal(t, []int64{1}, []int64{s.Members[0].Revision})
		require.True(t, s.Members[0].Live)
	}
}

func TestWhoContradictsLivingMembersIsRefused(t *testing.T) {
	other := named(artwork.CacheTwoLevel)
	other.TTL, other.Settings.TTL = true, time.Minute
	for name, c := range map[string]struct {
		wish Wish
		says string
	}{
		"another mode": {named(artwork.CacheRedis), "IMAGE_CACHE=redis"},
		"off":          {named(artwork.CacheOff), "IMAGE_CACHE=off"},
		"another TTL":  {other, "CACHE_TTL=60s"},
	} {
		s := deployed(t, named(artwork.CacheTwoLevel), "the first")
		before := *s
		err := s.Join(member("b"), c.wish)
		require.Equal(t, artwork.Conflict, artwork.KindOf(err), name)
		for _, part := range []string{c.says, "IMAGE_CACHE=twolevel", "the first", "gatefold cache mode"} {
			require.ErrorContains(t, err, part, name)
		}
		require.Equal(t, before, *s, name)
	}
}

func TestWhoNamesNothingFollows(t *testing.T) {
	s := deployed(t, named(artwork.CacheRedis), "a")
	require.NoError(t, s.Join(member("b"), unnamed(artwork.CacheTwoLevel)))
	require.Equal(t, settings(artwork.CacheRedis), s.Read)
	require.Len(t, s.Members, 2)
	require.EqualValues(t, 1, s.Revision)
}

func TestWhoIsAloneDecidesAnew(t *testing.T) {
	for name, gone := range map[string]func(*State){
		"the other left":        func(s *State) { s.Members = nil },
		"the other is silent":   func(s *State) { s.Members[0].Live = false },
		"the other had my seat": func(s *State) { s.Members[0].Seat = "host:/data" },
	} {
		for _, wish := range []Wish{named(artwork.CacheOff), unnamed(artwork.CacheOff)} {
			s := deployed(t, named(artwork.CacheTwoLevel), "a")
			gone(s)
			newcomer := member("b")
			newcomer.Seat = "host:/data"
			require.NoError(t, s.Join(newcomer, wish), name)
			require.Equal(t, settings(artwork.CacheOff), s.Read, name)
			require.Len(t, s.Members, 1, name)
			require.EqualValues(t, 2, s.Revision, name)
			require.Equal(t, 300*time.Second, s.FormerTTL, "what was cached may still be there")
		}
	}
}

// TestWhatAnOperatorChoseOutlivesTheInstances, unless a configuration says
// otherwise in so many words.
func TestWhatAnOperatorChoseOutlivesTheInstances(t *testing.T) {
	choose := func() *State {
		s := deployed(t, unnamed(artwork.CacheTwoLevel), "a")
		require.NoError(t, s.Move(settings(artwork.CacheOff)))
		s.Members = nil
		return s
	}
	s := choose()
	require.NoError(t, s.Join(member("b"), unnamed(artwork.CacheTwoLevel)))
	require.Equal(t, settings(artwork.CacheOff), s.Read)
	require.Equal(t, Settled, s.Step, "nobody is left to move")
	require.True(t, s.Chosen)

	s = choose()
	require.NoError(t, s.Join(member("b"), named(artwork.CacheRedis)))
	require.Equal(t, settings(artwork.CacheRedis), s.Read)
	require.False(t, s.Chosen)
}

// TestWhoReturnsInsistsOnNothing: a member that was not heard of for a while
// follows the deployment wherever it has gone.
func TestWhoReturnsInsistsOnNothing(t *testing.T) {
	s := deployed(t, named(artwork.CacheTwoLevel), "a", "b")
	lost := s.Members[1]
	lost.Revision = 1
	s.Members[1].Live = false
	require.NoError(t, s.Move(settings(artwork.CacheOff)))
	wish := named(artwork.CacheTwoLevel)
	wish.Returning = true
	require.NoError(t, s.Join(lost, wish))
	require.Equal(t, settings(artwork.CacheOff), s.Target())
	require.EqualValues(t, 1, s.Members[1].Revision, "it does not follow yet")
	require.Equal(t, []string{"a", "b"}, s.Behind())
}

func TestMemoryIsForOne(t *testing.T) {
	s := deployed(t, named(artwork.CacheMemory), "the first")
	err := s.Join(member("b"), named(artwork.CacheMemory))
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	require.ErrorContains(t, err, "the first")
	wish := named(artwork.CacheMemory)
	wish.Returning = true
	require.Equal(t, artwork.Conflict, artwork.KindOf(s.Join(member("b"), wish)))
}

func TestWithoutRedisNobodyJoinsAFleetThatUsesIt(t *testing.T) {
	s := deployed(t, named(artwork.CacheTwoLevel), "a")
	poor := member("b")
	poor.HasRedis = false
	err := s.Join(poor, unnamed(artwork.CacheMemory))
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	require.ErrorContains(t, err, "REDIS_HOST")
}

// TestAMove goes through all steps of a move: at each, what readers follow is among
// what writers honour, and was so in the step before.
func TestAMove(t *testing.T) {
	for from, to := range map[artwork.CacheMode]artwork.CacheMode{
		artwork.CacheTwoLevel: artwork.CacheOff, artwork.CacheOff: artwork.CacheTwoLevel, artwork.CacheRedis: artwork.CacheTwoLevel,
	} {
		s := deployed(t, named(from), "a", "b")
		follow := func(names ...string) {
			for i := range s.Members {
				for _, name := range names {
					if s.Members[i].Name == name {
						s.Members[i].Revision = s.Revision
					}
				}
			}
		}
		require.NoError(t, s.Move(settings(to)))
		require.Equal(t, settings(from), s.Read)
		require.Equal(t, settings(to), s.Target())
		for _, step := range []Step{Preparing, Leaving} {
			require.Equal(t, step, s.Step)
			require.True(t, s.Fenced(), "%s to %s: one of the two is shared", from, to)
			if from == artwork.CacheTwoLevel || to == artwork.CacheTwoLevel {
				require.Equal(t, 1020*time.Millisecond, s.CopyWait())
			}
			require.False(t, s.Advance(), "nobody follows yet")
			follow("a")
			require.False(t, s.Advance())
			require.Equal(t, []string{"b"}, s.Behind())
			follow("b")
			require.True(t, s.Advance())
			require.Equal(t, settings(to), s.Read, "readers follow once all writers honour it")
		}
		require.Equal(t, Settled, s.Step)
		require.Equal(t, settings(to).Mode.Shared(), s.Fenced())
		require.Equal(t, 300*time.Second, s.FormerTTL)
		require.EqualValues(t, 4, s.Revision)
		follow("a", "b")
		require.False(t, s.Advance(), "there is nowhere to go")
	}
}

func TestASilentMemberIsNotWaitedFor(t *testing.T) {
	s := deployed(t, named(artwork.CacheTwoLevel), "a", "b")
	require.NoError(t, s.Move(settings(artwork.CacheOff)))
	s.Members[0].Revision = s.Revision
	s.Members[1].Live = false
	require.True(t, s.Advance())
}

func TestMovesThatAreRefused(t *testing.T) {
	start := func(mode artwork.CacheMode) *State { return deployed(t, named(mode), "a") }
	for name, c := range map[string]struct {
		state *State
		to    artwork.CacheSettings
		kind  artwork.ErrorKind
	}{
		"to memory":   {start(artwork.CacheTwoLevel), settings(artwork.CacheMemory), artwork.InvalidInput},
		"from memory": {start(artwork.CacheMemory), settings(artwork.CacheOff), artwork.InvalidInput},
		"no mode":     {start(artwork.CacheOff), settings("memcached"), artwork.InvalidInput},
		"no TTL":      {start(artwork.CacheOff), artwork.CacheSettings{Mode: artwork.CacheOff, L1TTL: time.Second}, artwork.InvalidInput},
		"a long L1":   {start(artwork.CacheOff), artwork.CacheSettings{Mode: artwork.CacheOff, TTL: time.Minute, L1TTL: time.Minute}, artwork.InvalidInput},
	} {
		before := *c.state
		require.Equal(t, c.kind, artwork.KindOf(c.state.Move(c.to)), name)
		require.Equal(t, before, *c.state, name)
	}
	poor := member("without Redis")
	poor.HasRedis = false
	s := start(artwork.CacheOff)
	require.NoError(t, s.Join(poor, unnamed(artwork.CacheOff)))
	err := s.Move(settings(artwork.CacheTwoLevel))
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	require.ErrorContains(t, err, "without Redis")
}

func TestAMoveThatIsUnderWay(t *testing.T) {
	s := deployed(t, named(artwork.CacheTwoLevel), "a")
	require.NoError(t, s.Move(settings(artwork.CacheOff)))
	revision := s.Revision
	require.NoError(t, s.Move(settings(artwork.CacheOff)), "once more")
	require.Equal(t, revision, s.Revision)
	require.Equal(t, artwork.Conflict, artwork.KindOf(s.Move(settings(artwork.CacheRedis))))

	// A newcomer follows where it goes.
	require.NoError(t, s.Join(member("b"), named(artwork.CacheOff)))
	require.Equal(t, Preparing, s.Step)
	require.Equal(t, artwork.Conflict, artwork.KindOf(s.Join(member("c"), named(artwork.CacheTwoLevel))))
}

func TestTermsOfRules(t *testing.T) {
	long := artwork.CacheSettings{Mode: artwork.CacheTwoLevel, TTL: time.Hour, L1TTL: 3 * time.Second}
	rules := Rules{Read: settings(artwork.CacheRedis)}
	require.Zero(t, rules.CopyWait(), "there are no copies")
	require.Equal(t, 300*time.Second, rules.LongestTTL())
	rules.Other = long
	require.Equal(t, 3060*time.Millisecond, rules.CopyWait())
	require.Equal(t, time.Hour, rules.LongestTTL())
	rules.FormerTTL = 2 * time.Hour
	require.Equal(t, 2*time.Hour, rules.LongestTTL())
	require.False(t, Rules{Read: settings(artwork.CacheOff)}.Fenced())
	require.False(t, Rules{Read: settings(artwork.CacheMemory)}.Fenced())
}
