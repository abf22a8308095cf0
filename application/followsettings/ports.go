package followsettings

import (
	"context"

	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Registry keeps the state of the deployment where all its instances find it. All
// methods may be called concurrently, also from several processes. Who is alive
// is told by the clock of the registry. Every method may fail with Unavailable
// and with ctx's error.
type Registry interface {
	// Update calls do with the state, which nobody else changes meanwhile, and
	// keeps what do makes of it: the rules, the step and the members. An error of
	// do is returned as it is, and nothing is kept. A change that was fenced by
	// former rules is not committed once Update has returned; those that are
	// being committed are waited for. do may be called more than once.
	Update(ctx context.Context, do func(*deployment.State) error) (deployment.State, error)
	// Renew says that the member is alive and follows its Revision, for
	// deployment.MemberTerm from some moment after the call began, and returns the
	// state. NotFound: nothing was heard of it for too long, and it is no member
	// any more.
	Renew(ctx context.Context, id artwork.ID, revision int64) (deployment.State, error)
	// Look returns the state and changes nothing.
	Look(ctx context.Context) (deployment.State, error)
	// Leave forgets the member. Forgetting who is not known is no error.
	Leave(ctx context.Context, id artwork.ID) error
}
