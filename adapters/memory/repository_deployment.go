package memory

import (
	"context"
	"slices"
	"time"

	"gatefold/application/followsettings"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Deployment is the view of a Repository as registry of the deployment.
type Deployment struct{ r *Repository }

var _ followsettings.Registry = (*Deployment)(nil)

// Deployment returns the registry of the deployment.
func (r *Repository) Deployment() *Deployment { return &Deployment{r} }

// deploymentState is what the registry keeps.
type deploymentState struct {
	deployment.State
	formerUntil time.Time
	alive       map[artwork.ID]time.Time // until when
}

// formerMargin is added to the time for which entries of a former TTL may still be
// cached: for one that a reader was about to store.
const formerMargin = time.Minute

// look returns the state as it is now. Called with the state held still.
func (d *deploymentState) look() deployment.State {
	state := d.State
	state.Members = slices.Clone(d.Members)
	now := time.Now()
	for i := range state.Members {
		state.Members[i].Live = now.Before(d.alive[state.Members[i].ID])
	}
	if !now.Before(d.formerUntil) {
		state.FormerTTL = 0
	}
	return state
}

// Update implements followsettings.Registry.
func (d *Deployment) Update(ctx context.Context, do func(*deployment.State) error) (deployment.State, error) {
	var state deployment.State
	err := d.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		before := d.r.deployment.look()
		state = before
		state.Members = slices.Clone(before.Members)
		if err := do(&state); err != nil {
			return nil, err
		}
		return func() { d.keep(before, state) }, nil
	})
	if err != nil {
		return deployment.State{}, err
	}
	return state, nil
}

func (d *Deployment) keep(before, after deployment.State) {
	kept := &d.r.deployment
	kept.State = after
	kept.Members = slices.Clone(after.Members)
	if after.Revision != before.Revision {
		kept.formerUntil = time.Now().Add(after.FormerTTL + formerMargin)
	}
	alive := map[artwork.ID]time.Time{}
	for _, m := range after.Members {
		until, known := kept.alive[m.ID]
		if !known {
			until = time.Now().Add(deployment.MemberTerm)
		}
		alive[m.ID] = until
	}
	kept.alive = alive
}

// Renew implements followsettings.Registry.
func (d *Deployment) Renew(ctx context.Context, id artwork.ID, revision int64) (state deployment.State, err error) {
	err = d.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		kept := &d.r.deployment
		i := slices.IndexFunc(kept.Members, func(m deployment.Member) bool { return m.ID == id })
		if i < 0 || !time.Now().Before(kept.alive[id]) {
			return nil, notFound("such member")
		}
		return func() {
			kept.Members[i].Revision = revision
			kept.alive[id] = time.Now().Add(deployment.MemberTerm)
			state = kept.look()
		}, nil
	})
	return state, err
}

// Look implements followsettings.Registry.
func (d *Deployment) Look(ctx context.Context) (state deployment.State, err error) {
	err = d.r.read(ctx, func() error {
		state = d.r.deployment.look()
		return nil
	})
	return state, err
}

// Leave implements followsettings.Registry.
func (d *Deployment) Leave(ctx context.Context, id artwork.ID) error {
	_, err := d.Update(ctx, func(state *deployment.State) error {
		state.Members = slices.DeleteFunc(state.Members, func(m deployment.Member) bool { return m.ID == id })
		return nil
	})
	return err
}
