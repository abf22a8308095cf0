package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// terms are long enough for a test that is slow.
var terms = account.Terms{Life: time.Hour, Grace: time.Hour}

func sessionFound(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := begin(t, r, user.ID)
	found, err := r.Sessions.Find(t.Context(), session.ID)
	require.NoError(t, err)
	require.Equal(t, user.ID, found.ID)
	require.Equal(t, catalog.RoleUser, found.Role)
	user.Role = catalog.RoleAdmin
	_, err = r.Users.Put(t.Context(), somebody, user)
	require.NoError(t, err)
	found, err = r.Sessions.Find(t.Context(), session.ID)
	require.NoError(t, err)
	stored, err := r.Users.Get(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, stored, found)
	account, err := r.Logins.Get(t.Context(), user.ID)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), account.LastSignIn, time.Minute)
	_, err = r.Sessions.Find(t.Context(), artwork.NewID())
	requireKind(t, artwork.NotFound, err)
}

func sessionRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	outdated := newSession(user.ID, account.ByPassword)
	outdated.Proof = "another"
	requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, outdated, time.Hour))
	requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, newSession(artwork.NewID(), account.ByFirstRun), time.Hour))
	requireEnded(t, r, outdated)
}

func sessionTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	requireKind(t, artwork.Conflict, r.Sessions.Begin(t.Context(), somebody, begin(t, r, user.ID), time.Hour))
}

func sessionExpires(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := newSession(user.ID, account.ByPassword)
	require.NoError(t, r.Sessions.Begin(t.Context(), somebody, session, -time.Second))
	requireEnded(t, r, session)
	session = begin(t, r, user.ID)
	_, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{1}, account.Terms{Life: -time.Second, Grace: time.Hour})
	require.NoError(t, err)
	requireEnded(t, r, session)
}

func sessionLasts(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := newSession(user.ID, account.ByPassword)
	require.NoError(t, r.Sessions.Begin(t.Context(), somebody, session, time.Minute))
	_, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{1}, terms)
	require.NoError(t, err)
	_, err = r.Sessions.Rotate(t.Context(), somebody, session.ID, account.Hash{1}, account.Hash{2}, account.Terms{Life: -time.Minute})
	require.NoError(t, err)
	requireEnded(t, r, session)
}

func sessionAges(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := begin(t, r, user.ID)
	aging := account.Terms{Life: time.Hour, Grace: time.Hour, MaxAge: time.Minute}
	done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{1}, aging)
	require.NoError(t, err)
	require.Equal(t, account.Rotated, done.Outcome)
	require.LessOrEqual(t, done.Life, time.Minute)
	require.Positive(t, done.Life)
	done, err = r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{2}, aging)
	require.NoError(t, err)
	require.Equal(t, account.Repeated, done.Outcome)
	require.LessOrEqual(t, done.Life, time.Minute)
	aging.MaxAge = time.Nanosecond
	_, err = r.Sessions.Rotate(t.Context(), somebody, session.ID, account.Hash{1}, account.Hash{2}, aging)
	requireKind(t, artwork.NotFound, err)
	other := begin(t, r, user.ID)
	done, err = r.Sessions.Rotate(t.Context(), somebody, other.ID, other.Token, account.Hash{3}, terms)
	require.NoError(t, err)
	require.Equal(t, terms.Life, done.Life, "without a bound")
	short := account.Terms{Life: time.Hour, MaxAge: 50 * time.Millisecond}
	_, err = r.Sessions.Rotate(t.Context(), somebody, other.ID, account.Hash{3}, account.Hash{4}, short)
	if err != nil { // the machine is slow: it has ended already
		requireKind(t, artwork.NotFound, err)
		return
	}
	require.Eventually(t, func() bool {
		_, err := r.Sessions.Find(t.Context(), other.ID)
		return artwork.KindOf(err) == artwork.NotFound
	}, patience, time.Millisecond, "an access token ends with it")
}

func sessionRotates(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := begin(t, r, user.ID)
	token := session.Token
	for n := range byte(3) {
		next := account.Hash{n + 1}
		done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, token, next, terms)
		require.NoError(t, err)
		require.Equal(t, account.Rotated, done.Outcome)
		require.Equal(t, user.ID, done.User.ID)
		require.Equal(t, next, done.InForce)
		token = next
	}
}

func sessionRepeats(t TB, open func(TB) Repositories) {
	r := open(t)
	session := begin(t, r, newAccount(t, r, "ana", catalog.RoleUser).ID)
	next := account.Hash{1}
	_, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, next, terms)
	require.NoError(t, err)
	for range 2 {
		done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{9}, terms)
		require.NoError(t, err)
		require.Equal(t, account.Repeated, done.Outcome)
		require.Equal(t, "ana", done.User.Username)
		require.Equal(t, next, done.InForce)
	}
	done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, next, account.Hash{2}, terms)
	require.NoError(t, err)
	require.Equal(t, account.Rotated, done.Outcome)
	done, err = r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{3}, terms)
	require.NoError(t, err)
	require.Equal(t, account.Reused, done.Outcome, "two before it is too long ago, however fresh")
	requireEnded(t, r, session)
}

func sessionReuse(t TB, open func(TB) Repositories) {
	r := open(t)
	session := begin(t, r, newAccount(t, r, "ana", catalog.RoleUser).ID)
	noGrace := account.Terms{Life: time.Hour}
	_, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{1}, noGrace)
	require.NoError(t, err)
	done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{2}, noGrace)
	require.NoError(t, err)
	require.Equal(t, account.Reused, done.Outcome)
	require.Zero(t, done.InForce)
	requireEnded(t, r, session)
}

func sessionForged(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session, other := begin(t, r, user.ID), begin(t, r, user.ID)
	done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, other.Token, account.Hash{2}, terms)
	require.NoError(t, err)
	require.Equal(t, account.Reused, done.Outcome)
	requireEnded(t, r, session)
	_, err = r.Sessions.Find(t.Context(), other.ID)
	require.NoError(t, err, "another session of the user goes on")
}

func sessionRace(t TB, open func(TB) Repositories) {
	r := open(t)
	session := begin(t, r, newAccount(t, r, "ana", catalog.RoleUser).ID)
	var mu sync.Mutex
	outcomes, inForce := map[account.Outcome]int{}, map[account.Hash]bool{}
	atOnce(t, 10, func(i int) error {
		done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{byte(i + 1)}, terms)
		mu.Lock()
		defer mu.Unlock()
		outcomes[done.Outcome]++
		inForce[done.InForce] = true
		return err
	})
	require.Equal(t, map[account.Outcome]int{account.Rotated: 1, account.Repeated: 9}, outcomes)
	require.Len(t, inForce, 1)
}

func sessionEnds(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session, other := begin(t, r, user.ID), begin(t, r, user.ID)
	require.NoError(t, r.Sessions.End(t.Context(), somebody, session.ID))
	requireEnded(t, r, session)
	_, err := r.Sessions.Find(t.Context(), other.ID)
	require.NoError(t, err)
}

func sessionsEnd(t TB, open func(TB) Repositories) {
	r := open(t)
	ana, eva := newAccount(t, r, "ana", catalog.RoleUser), newAccount(t, r, "eva", catalog.RoleUser)
	one, two, hers := begin(t, r, ana.ID), begin(t, r, ana.ID), begin(t, r, eva.ID)
	ended, err := r.Sessions.EndAll(t.Context(), somebody, ana.ID)
	require.NoError(t, err)
	require.Equal(t, 2, ended)
	requireEnded(t, r, one, two)
	_, err = r.Sessions.Find(t.Context(), hers.ID)
	require.NoError(t, err)
	for _, user := range []artwork.ID{ana.ID, artwork.NewID()} {
		ended, err = r.Sessions.EndAll(t.Context(), somebody, user)
		require.NoError(t, err)
		require.Zero(t, ended)
	}
}

func sessionsBounded(t TB, open func(TB) Repositories) {
	r := open(t)
	ana, eva := newAccount(t, r, "ana", catalog.RoleUser), newAccount(t, r, "eva", catalog.RoleUser)
	hers, first, second := begin(t, r, eva.ID), begin(t, r, ana.ID), begin(t, r, ana.ID)
	// The first is refreshed, and is not the one to go.
	_, err := r.Sessions.Rotate(t.Context(), somebody, first.ID, first.Token, account.Hash{1}, terms)
	require.NoError(t, err)
	for range account.MaxSessions - 1 {
		begin(t, r, ana.ID)
	}
	requireEnded(t, r, second)
	for _, session := range []account.Session{hers, first} {
		_, err := r.Sessions.Find(t.Context(), session.ID)
		require.NoError(t, err)
	}
	ended, err := r.Sessions.EndAll(t.Context(), somebody, ana.ID)
	require.NoError(t, err)
	require.Equal(t, account.MaxSessions, ended)
}

func sessionDisableRace(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	sessions := make([]account.Session, 8)
	for i := range sessions {
		sessions[i] = newSession(user.ID, account.ByPassword)
	}
	atOnce(t, len(sessions)+1, func(i int) error {
		var err error
		if i == len(sessions) {
			err = r.Logins.SetDisabled(t.Context(), somebody, user.ID, true)
		} else {
			err = r.Sessions.Begin(t.Context(), somebody, sessions[i], time.Hour)
		}
		if artwork.KindOf(err) == artwork.Forbidden {
			return nil
		}
		return err
	})
	requireEnded(t, r, sessions...)
}

func sessionsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := begin(t, r, user.ID)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Begin": func() error {
			return r.Sessions.Begin(ctx, somebody, newSession(user.ID, account.ByPassword), time.Hour)
		},
		"Find": func() error { _, err := r.Sessions.Find(ctx, session.ID); return err },
		"Rotate": func() error {
			_, err := r.Sessions.Rotate(ctx, somebody, session.ID, session.Token, account.Hash{1}, terms)
			return err
		},
		"End":    func() error { return r.Sessions.End(ctx, somebody, session.ID) },
		"EndAll": func() error { _, err := r.Sessions.EndAll(ctx, somebody, user.ID); return err },
	} {
		require.ErrorIs(t, call(), context.Canceled, name)
	}
	done, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{1}, terms)
	require.NoError(t, err)
	require.Equal(t, account.Rotated, done.Outcome)
}

// patient are terms of attempts that no test outlasts.
var patient = account.Throttle{Free: 3, First: time.Hour, Most: 3 * time.Hour, Forget: 24 * time.Hour}

func attempt(t TB, r Repositories, name string, throttle account.Throttle) account.Attempt {
	t.Helper()
	made, err := r.Attempts.Begin(t.Context(), name, throttle)
	require.NoError(t, err)
	return made
}

func attemptsWait(t TB, open func(TB) Repositories) {
	r := open(t)
	impatient := patient
	impatient.First, impatient.Most = -time.Hour, -time.Hour // what has to be waited is over
	for n, want := range []time.Duration{0, 0, -time.Hour, -2 * time.Hour} {
		require.Equal(t, account.Attempt{Number: n + 1, Wait: want}, attempt(t, r, "ana", impatient))
	}
	require.Equal(t, account.Attempt{Number: 1}, attempt(t, r, "eva", patient), "each name for itself")
	require.Equal(t, account.Attempt{Number: 5, Wait: 3 * time.Hour}, attempt(t, r, "ana", patient))
}

func attemptsTooEarly(t TB, open func(TB) Repositories) {
	r := open(t)
	for n := range 3 {
		made := attempt(t, r, "ana", patient)
		require.Zero(t, made.Refused)
		require.Equal(t, n+1, made.Number)
	}
	for range 3 {
		refused := attempt(t, r, "ana", patient)
		require.Equal(t, 3, refused.Number)
		require.Greater(t, refused.Refused, 50*time.Minute)
		require.LessOrEqual(t, refused.Refused, time.Hour)
	}
}

func attemptsForgiven(t TB, open func(TB) Repositories) {
	r := open(t)
	for range 3 {
		attempt(t, r, "ana", patient)
	}
	attempt(t, r, "eva", patient)
	require.NoError(t, r.Attempts.Succeeded(t.Context(), "ana"))
	require.NoError(t, r.Attempts.Succeeded(t.Context(), "nobody"))
	require.Equal(t, account.Attempt{Number: 1}, attempt(t, r, "ana", patient))
	require.Equal(t, account.Attempt{Number: 2}, attempt(t, r, "eva", patient))
}

func attemptsForgotten(t TB, open func(TB) Repositories) {
	r := open(t)
	oblivious := patient
	oblivious.Forget = -time.Second
	for range 5 {
		require.Equal(t, account.Attempt{Number: 1}, attempt(t, r, "ana", oblivious))
	}
}

func attemptsNames(t TB, open func(TB) Repositories) {
	r := open(t)
	for n, name := range []string{"José", "JOSE", "jose\u0301"} {
		require.Equal(t, n+1, attempt(t, r, name, patient).Number)
	}
	require.Positive(t, attempt(t, r, "josé", patient).Refused)
	require.NoError(t, r.Attempts.Succeeded(t.Context(), "JOSÉ"))
	require.Zero(t, attempt(t, r, "jose", patient).Refused)
}

func attemptsRace(t TB, open func(TB) Repositories) {
	r := open(t)
	var mu sync.Mutex
	made := map[int]int{}
	atOnce(t, 10, func(int) error {
		attempt, err := r.Attempts.Begin(t.Context(), "ana", patient)
		mu.Lock()
		defer mu.Unlock()
		if attempt.Refused == 0 {
			made[attempt.Number]++
		}
		return err
	})
	require.Equal(t, map[int]int{1: 1, 2: 1, 3: 1}, made)
}

func attemptsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Attempts.Begin(ctx, "ana", patient)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Attempts.Succeeded(ctx, "ana"), context.Canceled)
	require.Equal(t, 1, attempt(t, r, "ana", patient).Number)
}
