package conformance

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// registryCases are the clauses of followsettings.Registry.
func registryCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"deployment: it begins with nothing", registryEmpty},
		{"deployment: what an update makes is kept, to the last field", registryKeeps},
		{"deployment: an update that fails keeps nothing", registryUpdateFails},
		{"deployment: updates happen one after the other", registrySerialises},
		{"deployment: a member says what it follows", registryRenews},
		{"deployment: who is no member cannot renew", registryUnknownMember},
		{"deployment: who leaves is forgotten", registryLeave},
		{"deployment: a change by former rules is refused, and nothing has changed", registryRefusesFormerRules},
		{"deployment: an update waits for the changes that are being committed", registryWaitsForCommits},
		{"deployment: a cancelled context ends every method", registryCancelled},
	}
}

var twoLevel = artwork.CacheSettings{Mode: artwork.CacheTwoLevel, TTL: 300 * time.Second, L1TTL: 250 * time.Millisecond}

// update changes the state and requires that it worked.
func update(t TB, r Repositories, do func(*deployment.State)) deployment.State {
	state, err := r.Registry.Update(t.Context(), func(state *deployment.State) error {
		do(state)
		return nil
	})
	require.NoError(t, err)
	return state
}

// settleOn gives the deployment its first settings.
func settleOn(settings artwork.CacheSettings) func(*deployment.State) {
	return func(state *deployment.State) {
		state.Revision++
		state.Read, state.Step = settings, deployment.Settled
	}
}

func registryEmpty(t TB, open func(TB) Repositories) {
	r := open(t)
	state, err := r.Registry.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, deployment.State{}, state)
}

func registryKeeps(t TB, open func(TB) Repositories) {
	r := open(t)
	want := deployment.State{
		Rules: deployment.Rules{
			Revision: 7, Read: twoLevel, FormerTTL: time.Hour,
			Other: artwork.CacheSettings{Mode: artwork.CacheOff, TTL: time.Second, L1TTL: time.Millisecond},
		},
		Step: deployment.Leaving, Chosen: true,
		Members: []deployment.Member{
			{ID: artwork.NewID(), Name: "a", Seat: "host:/data", HasRedis: true, Revision: 7, Live: true},
			{ID: artwork.NewID(), Name: "b", Revision: 3, Live: true},
		},
	}
	require.Equal(t, want, update(t, r, func(state *deployment.State) { *state = want }))
	found, err := r.Registry.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, found)
	update(t, r, func(state *deployment.State) {
		require.Equal(t, want, *state)
		state.Members = state.Members[1:]
		state.Step = deployment.Settled
	})
	want.Members, want.Step = want.Members[1:], deployment.Settled
	found, err = r.Registry.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, found)
}

func registryUpdateFails(t TB, open func(TB) Repositories) {
	r := open(t)
	refusal := artwork.Errorf(artwork.Conflict, "refused")
	_, err := r.Registry.Update(t.Context(), func(state *deployment.State) error {
		settleOn(twoLevel)(state)
		return refusal
	})
	require.ErrorIs(t, err, refusal)
	registryEmpty(t, func(TB) Repositories { return r })
}

func registrySerialises(t TB, open func(TB) Repositories) {
	r := open(t)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := r.Registry.Update(t.Context(), func(state *deployment.State) error {
				settleOn(twoLevel)(state)
				return nil
			}); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	state, err := r.Registry.Look(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 10, state.Revision)
}

func registryRenews(t TB, open func(TB) Repositories) {
	r := open(t)
	ids := []artwork.ID{artwork.NewID(), artwork.NewID()}
	update(t, r, func(state *deployment.State) {
		settleOn(twoLevel)(state)
		for _, id := range ids {
			state.Members = append(state.Members, deployment.Member{ID: id, Name: id.String(), Revision: 1})
		}
	})
	state, err := r.Registry.Renew(t.Context(), ids[1], 5)
	require.NoError(t, err)
	require.Equal(t, twoLevel, state.Read)
	for _, m := range state.Members {
		require.True(t, m.Live)
		require.Equal(t, map[artwork.ID]int64{ids[0]: 1, ids[1]: 5}[m.ID], m.Revision)
	}
}

func registryUnknownMember(t TB, open func(TB) Repositories) {
	r := open(t)
	_, err := r.Registry.Renew(t.Context(), artwork.NewID(), 1)
	requireKind(t, artwork.NotFound, err)
}

func registryLeave(t TB, open func(TB) Repositories) {
	r := open(t)
	id := artwork.NewID()
	update(t, r, func(state *deployment.State) { state.Members = []deployment.Member{{ID: id, Name: "a"}} })
	for range 2 {
		require.NoError(t, r.Registry.Leave(t.Context(), id))
	}
	state, err := r.Registry.Look(t.Context())
	require.NoError(t, err)
	require.Empty(t, state.Members)
	_, err = r.Registry.Renew(t.Context(), id, 1)
	requireKind(t, artwork.NotFound, err)
}

// fencedBy is a fence that was set by the rules of the revision.
func fencedBy(revision int64, stillHeld func() error) artwork.Fence {
	return artwork.Fence{
		Revision: revision, Token: "token", Deadline: time.Now().Add(5 * time.Second),
		StillHeld: func(context.Context) error { return stillHeld() },
	}
}

func held() error { return nil }

func registryRefusesFormerRules(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	update(t, r, settleOn(twoLevel))
	update(t, r, settleOn(twoLevel))
	for _, revision := range []int64{1, 3} {
		_, err := r.Images.Apply(t.Context(), fencedBy(revision, held), []artwork.Application{chosen(record)})
		require.ErrorIs(t, err, artwork.ErrSettingsChanged)
		requireKind(t, artwork.Unavailable, err)
		img, err := r.Images.InForce(t.Context(), record.Place)
		require.NoError(t, err)
		require.Nil(t, img)
	}
	for _, revision := range []int64{2, 0} { // 0: no rules are followed
		_, err := r.Images.Apply(t.Context(), fencedBy(revision, held), []artwork.Application{chosen(record)})
		require.NoError(t, err)
	}
}

// registryWaitsForCommits: a change that has passed its last look is committed by
// the rules it was fenced by, or not at all.
func registryWaitsForCommits(t TB, open func(TB) Repositories) {
	r := open(t)
	record := newRecord(newPlace(t, r), artwork.Custom, 1)
	update(t, r, settleOn(twoLevel))
	looking, proceed := make(chan struct{}), make(chan struct{})
	applied := make(chan error, 1)
	go func() {
		_, err := r.Images.Apply(t.Context(), fencedBy(1, func() error {
			close(looking)
			<-proceed
			return nil
		}), []artwork.Application{chosen(record)})
		applied <- err
	}()
	<-looking
	moved := make(chan error, 1)
	var early atomic.Bool
	go func() {
		_, err := r.Registry.Update(t.Context(), func(state *deployment.State) error {
			settleOn(twoLevel)(state)
			return nil
		})
		img, loadErr := r.Images.InForce(t.Context(), record.Place)
		early.Store(img == nil)
		moved <- errors.Join(err, loadErr)
	}()
	var movedErr error
	waited := false
	select {
	case movedErr = <-moved:
	case <-time.After(300 * time.Millisecond): // long enough for who does not wait
		waited = true
	}
	close(proceed)
	require.NoError(t, <-applied)
	if waited {
		movedErr = <-moved
	}
	require.NoError(t, movedErr)
	require.False(t, early.Load(), "the rules changed between the last look and the commit")
}

func registryCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	nothing := func(*deployment.State) error { return nil }
	_, updateErr := r.Registry.Update(ctx, nothing)
	_, renewErr := r.Registry.Renew(ctx, artwork.NewID(), 1)
	_, lookErr := r.Registry.Look(ctx)
	for _, err := range []error{updateErr, renewErr, lookErr, r.Registry.Leave(ctx, artwork.NewID())} {
		require.ErrorIs(t, err, context.Canceled)
	}
}
