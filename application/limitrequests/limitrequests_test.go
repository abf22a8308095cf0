package limitrequests_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/limitrequests"
	"gatefold/domain/artwork"
)

var (
	ana = limitrequests.Client(netip.MustParseAddr("192.0.2.1"))
	bob = limitrequests.Client(netip.MustParseAddr("192.0.2.2"))
)

func limiter(limits limitrequests.Limits, shared limitrequests.Meter) *limitrequests.Limiter {
	return limitrequests.New(limits, shared, memory.NewMeter(1000), slog.New(slog.DiscardHandler))
}

// requireLimit requires that so many requests go on, and no more.
func requireLimit(t *testing.T, l *limitrequests.Limiter, class limitrequests.Class, who limitrequests.Subject, limit int) {
	t.Helper()
	for i := range limit {
		verdict := l.Admit(t.Context(), class, who)
		require.False(t, verdict.Refused(), i)
		require.Equal(t, limit-1-i, verdict.Left)
	}
	verdict := l.Admit(t.Context(), class, who)
	require.True(t, verdict.Refused())
	require.Equal(t, limit, verdict.Limit)
	require.Zero(t, verdict.Left)
	require.Greater(t, verdict.Wait, 30*time.Second)
}

func TestEveryClassAndSubjectHasItsOwn(t *testing.T) {
	t.Parallel()
	l := limiter(limitrequests.Default, nil)
	user := limitrequests.User(artwork.NewID())
	for _, who := range []limitrequests.Subject{ana, bob, user, limitrequests.User(artwork.NewID())} {
		requireLimit(t, l, limitrequests.Logins, who, 5)
		requireLimit(t, l, limitrequests.Avatars, who, 10)
		requireLimit(t, l, limitrequests.Uploads, who, 300)
		requireLimit(t, l, limitrequests.Requests, who, 300)
	}
	for range 1000 {
		require.Equal(t, limitrequests.Verdict{}, l.Admit(t.Context(), limitrequests.Exempt, ana))
	}
}

func TestZeroIsNoLimit(t *testing.T) {
	t.Parallel()
	l := limiter(limitrequests.Limits{}, nil)
	for range 1000 {
		for _, class := range []limitrequests.Class{limitrequests.Requests, limitrequests.Uploads, limitrequests.Avatars, limitrequests.Logins} {
			require.Equal(t, limitrequests.Verdict{}, l.Admit(t.Context(), class, ana))
		}
		require.False(t, l.Failed(t.Context(), ana, fmt.Sprint("a guess ", artwork.NewID())).Refused())
	}
	require.False(t, l.AnySuspect())
}

func TestTokensHaveALimitOfTheirOwn(t *testing.T) {
	t.Parallel()
	token := limitrequests.Token(artwork.NewID())
	unlimited := limiter(limitrequests.Default, nil)
	for range 1000 {
		require.False(t, unlimited.Admit(t.Context(), limitrequests.Requests, token).Refused())
		require.False(t, unlimited.Admit(t.Context(), limitrequests.Avatars, token).Refused())
	}
	l := limiter(limitrequests.Limits{Requests: 1, Uploads: 1, Tokens: 4}, nil)
	for _, class := range []limitrequests.Class{limitrequests.Requests, limitrequests.Uploads, limitrequests.Avatars, limitrequests.Uploads} {
		require.False(t, l.Admit(t.Context(), class, token).Refused())
	}
	require.True(t, l.Admit(t.Context(), limitrequests.Requests, token).Refused())
	require.False(t, l.Admit(t.Context(), limitrequests.Requests, limitrequests.Token(artwork.NewID())).Refused())
}

func TestAvatarsFollowUploads(t *testing.T) {
	t.Parallel()
	for uploads, avatars := range map[int]int{0: 0, 1: 1, 9: 9, 10: 10, 100: 10, 300: 10, 600: 20, 3000: 100} {
		require.Equal(t, avatars, limitrequests.Limits{Uploads: uploads}.Avatars(), uploads)
	}
}

// TestAClient: whoever has a network of 64 bits has 2^64 addresses.
func TestAClient(t *testing.T) {
	t.Parallel()
	client := func(text string) limitrequests.Subject { return limitrequests.Client(netip.MustParseAddr(text)) }
	require.Equal(t, client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff:ffff:ffff:ffff"))
	require.Equal(t, client("fe80::1%eth0"), client("fe80::2"))
	require.NotEqual(t, client("2001:db8:1:2::1"), client("2001:db8:1:3::1"))
	require.NotEqual(t, client("192.0.2.1"), client("192.0.2.2"))
	require.Equal(t, client("192.0.2.1"), client("::ffff:192.0.2.1"))
	require.NotPanics(t, func() { limitrequests.Client(netip.Addr{}) })
}

// flaky is a meter that can be lost, and counts how often it is asked.
type flaky struct {
	limitrequests.Meter
	lost  atomic.Bool
	asked atomic.Int64
}

func newFlaky() *flaky { return &flaky{Meter: memory.NewMeter(1000)} }

func (m *flaky) Take(ctx context.Context, key string, limit int) (int, time.Duration, error) {
	m.asked.Add(1)
	if m.lost.Load() {
		return 0, 0, errors.New("lost")
	}
	return m.Meter.Take(ctx, key, limit)
}

func TestInstancesCountTogether(t *testing.T) {
	t.Parallel()
	shared := newFlaky()
	limits := limitrequests.Limits{Requests: 10}
	one, two := limiter(limits, shared), limiter(limits, shared)
	for range 5 {
		require.False(t, one.Admit(t.Context(), limitrequests.Requests, ana).Refused())
		require.False(t, two.Admit(t.Context(), limitrequests.Requests, ana).Refused())
	}
	require.True(t, one.Admit(t.Context(), limitrequests.Requests, ana).Refused())
	require.True(t, two.Admit(t.Context(), limitrequests.Requests, ana).Refused())
}

// TestAFloodDoesNotReachRedis: what was refused is refused without asking, until the
// time that was told has passed.
func TestAFloodDoesNotReachRedis(t *testing.T) {
	t.Parallel()
	shared := newFlaky()
	l := limiter(limitrequests.Limits{Requests: 10}, shared)
	for range 1000 {
		l.Admit(t.Context(), limitrequests.Requests, ana)
	}
	require.EqualValues(t, 11, shared.asked.Load())
	require.False(t, l.Admit(t.Context(), limitrequests.Requests, bob).Refused())
}

// TestALostMeterIsReplaced: by that of the process, which knows what has been counted.
func TestALostMeterIsReplaced(t *testing.T) {
	t.Parallel()
	shared, log := newFlaky(), &bytes.Buffer{}
	l := limitrequests.New(limitrequests.Limits{Requests: 10}, shared, memory.NewMeter(1000), slog.New(slog.NewTextHandler(log, nil)))
	for range 4 {
		require.False(t, l.Admit(t.Context(), limitrequests.Requests, ana).Refused())
	}
	shared.lost.Store(true)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	require.False(t, l.Admit(cancelled, limitrequests.Requests, bob).Refused(), "who has gone is nobody's fault")
	require.Empty(t, log.String())
	for range 10 - 4 {
		require.False(t, l.Admit(t.Context(), limitrequests.Requests, ana).Refused())
	}
	require.True(t, l.Admit(t.Context(), limitrequests.Requests, ana).Refused())
	require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
	require.Contains(t, log.String(), "alone")
	shared.lost.Store(false)
	for range 3 {
		require.False(t, l.Admit(t.Context(), limitrequests.Requests, bob).Refused())
	}
	require.Equal(t, 2, strings.Count(log.String(), "\n"), log.String())
	require.Contains(t, log.String(), "together again")
}

// TestGuessingIsNoOracle: who has tried too many credentials is not told any more
// whether one is right; who has a good one at the same address goes on.
func TestGuessingIsNoOracle(t *testing.T) {
	t.Parallel()
	l := limiter(limitrequests.Limits{Requests: 10}, nil)
	l.Vouch("a good one")
	for i := range 10 {
		require.False(t, l.Failed(t.Context(), ana, fmt.Sprint("a guess ", i)).Refused())
		require.False(t, l.AnySuspect())
	}
	require.True(t, l.Failed(t.Context(), ana, "one more").Refused())
	require.True(t, l.AnySuspect())
	require.True(t, l.Suspect(ana, "another").Refused())
	require.Greater(t, l.Suspect(ana, "another").Wait, 30*time.Second)
	require.False(t, l.Suspect(ana, "a good one").Refused())
	require.False(t, l.Suspect(bob, "another").Refused())
}

// TestWhoRepeatsItselfGuessesNothing: an old credential is wrong over and over, and its
// owner will have a new one.
func TestWhoRepeatsItselfGuessesNothing(t *testing.T) {
	t.Parallel()
	l := limiter(limitrequests.Limits{Requests: 10}, nil)
	for range 100 {
		l.Failed(t.Context(), ana, "an old one")
		l.Failed(t.Context(), ana, "")
	}
	require.True(t, l.Failed(t.Context(), ana, "an old one").Refused(), "they are requests all the same")
	require.False(t, l.AnySuspect())
	require.False(t, l.Suspect(ana, "the new one").Refused())
}

// TestWhatIsRememberedIsBounded whoever comes, and however often.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	l := limiter(limitrequests.Limits{Requests: 1}, nil)
	l.Vouch("a good one")
	for i := range 50_000 {
		l.Vouch(fmt.Sprint("another ", i))
	}
	for _, guess := range []string{"1", "2"} {
		l.Failed(t.Context(), ana, guess)
	}
	require.True(t, l.Suspect(ana, "a good one").Refused(), "it was forgotten")
	require.False(t, l.Suspect(ana, "another 49999").Refused())
}
