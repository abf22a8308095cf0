package followsettings

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"gatefold/application/keepactivity"
	"gatefold/application/wait"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Switch lets operators look at the deployment's settings and change them while it
// runs.
type Switch struct {
	registry Registry
	member   *Membership
	acts     *keepactivity.Recorder
	log      *slog.Logger
}

// NewSwitch returns the use case; this process takes part in the moves as a member.
func NewSwitch(registry Registry, member *Membership, acts *keepactivity.Recorder, log *slog.Logger) *Switch {
	return &Switch{registry, member, acts, log}
}

// SwitchIn says what to change; zero values stay as they are.
type SwitchIn struct {
	Mode  artwork.CacheMode `json:"mode"`
	TTL   time.Duration     `json:"cacheTtl"`
	L1TTL time.Duration     `json:"l1Ttl"`
}

// over returns the settings that are asked for.
func (in SwitchIn) over(present artwork.CacheSettings) artwork.CacheSettings {
	if in.Mode != "" {
		present.Mode = in.Mode
	}
	if in.TTL != 0 {
		present.TTL = in.TTL.Truncate(time.Millisecond)
	}
	if in.L1TTL != 0 {
		present.L1TTL = in.L1TTL.Truncate(time.Millisecond)
	}
	return present
}

// Look returns where the deployment stands.
func (s *Switch) Look(ctx context.Context) (deployment.State, error) { return s.registry.Look(ctx) }

// Begin has the deployment move. It goes on by itself, whatever becomes of the
// caller. The errors are those of deployment.State.Move.
func (s *Switch) Begin(ctx context.Context, by artwork.Actor, in SwitchIn) (deployment.State, error) {
	var before artwork.CacheSettings
	state, err := s.registry.Update(ctx, func(state *deployment.State) error {
		before = state.Target()
		return state.Move(in.over(before))
	})
	if err != nil {
		return deployment.State{}, err
	}
	if after := state.Target(); after != before {
		s.acts.Record(ctx, activity.Entry{Actor: by, Action: activity.CacheMode, Before: facts(before), After: facts(after)})
	}
	s.log.InfoContext(ctx, "An operator sets the deployment's cache settings", "to", state.Target().String())
	return state, nil
}

// facts are the settings in the words of the API.
func facts(s artwork.CacheSettings) activity.Facts {
	return activity.FactsOf(map[string]string{"mode": string(s.Mode), "cacheTtl": artwork.FormatTerm(s.TTL), "l1Ttl": artwork.FormatTerm(s.L1TTL)})
}

// patience bounds how long Await waits: a member that died counts as alive for
// MemberTerm.
const patience = deployment.MemberTerm + 15*time.Second

// Await returns once every instance follows the settings that the deployment moves
// to. One that does not answer is waited for until it no longer counts as alive,
// and believes no cache any more. Unavailable: that has not come about when ctx
// ended, or in time; the move goes on.
func (s *Switch) Await(ctx context.Context) (deployment.State, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if err := s.member.CatchUp(ctx); err != nil && ctx.Err() == nil {
			s.log.DebugContext(ctx, "The deployment cannot be asked", "error", err.Error())
		}
		state, err := s.registry.Look(ctx)
		if err == nil && state.Step == deployment.Settled {
			return state, nil
		}
		if wait.For(ctx, lookWhileMoving) != nil {
			return state, artwork.Errorf(artwork.Unavailable, "the deployment is still moving and goes on; it waits for %s", strings.Join(state.Behind(), ", "))
		}
	}
}
