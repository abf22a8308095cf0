package signin

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// oracle is an identity provider that recognises somebody.
type oracle struct {
	somebody   External
	challenged Challenge
}

func (o *oracle) AuthURL(_ context.Context, challenge Challenge) (string, error) {
	o.challenged = challenge
	return "https://login.example.org/authorize?state=" + challenge.State, nil
}

func (o *oracle) Exchange(_ context.Context, code string, challenge Challenge) (External, error) {
	if code != "code" || challenge != o.challenged {
		return External{}, artwork.Errorf(artwork.Unauthenticated, "another code, or another challenge")
	}
	return o.somebody, nil
}

func withOracle(t *testing.T) (*instance, *oracle, *ExternalSignIn) {
	t.Helper()
	in := open(t)
	o := &oracle{somebody: External{
		Identity: account.Identity{Issuer: "https://login.example.org", Subject: "1"}, Username: "ana", DisplayName: "Ana", Role: catalog.RoleEditor, Roles: true,
	}}
	return in, o, NewExternalSignIn(o, in.repository.Accounts(), in.repository.Users(), in.recent, in.granter, in.granter.keys)
}

// visit goes to the provider and comes back.
func visit(t *testing.T, o *oracle, external *ExternalSignIn) (Grant, error) {
	t.Helper()
	_, kept, err := external.Begin(t.Context(), "/admin/")
	require.NoError(t, err)
	granted, returnTo, err := external.Finish(t.Context(), from, kept, o.challenged.State, "code")
	if err == nil {
		require.Equal(t, "/admin/", returnTo)
	}
	return granted, err
}

func TestSigningInWithAProvider(t *testing.T) {
	in, o, external := withOracle(t)
	first, err := visit(t, o, external)
	require.NoError(t, err)
	require.Equal(t, "ana", first.User.Username)
	require.Equal(t, catalog.RoleEditor, first.User.Role)
	o.somebody.Username, o.somebody.Role = "renamed", catalog.RoleAdmin
	second, err := visit(t, o, external)
	require.NoError(t, err)
	require.Equal(t, first.User.ID, second.User.ID, "the subject says who it is")
	require.Equal(t, catalog.RoleAdmin, second.User.Role)
	o.somebody.Role, o.somebody.Roles = catalog.RoleUser, false
	third, err := visit(t, o, external)
	require.NoError(t, err)
	require.Equal(t, catalog.RoleAdmin, third.User.Role, "the provider does not decide about it any more")
	require.Len(t, in.actions(t, string(activity.UserLink)), 1)
	require.Len(t, in.actions(t, string(activity.SignIn)), 3)
	_, err = in.password.Run(t.Context(), from, "ana", "")
	requireKind(t, artwork.Unauthenticated, err)
}

func TestWhomAProviderDoesNotLetIn(t *testing.T) {
	in, o, external := withOracle(t)
	local := in.create(t, "ANA", catalog.RoleAdmin)
	_, err := visit(t, o, external)
	requireKind(t, artwork.Conflict, err)
	found, err := in.repository.Accounts().Get(t.Context(), local.ID)
	require.NoError(t, err)
	require.Zero(t, found.Identities, "nobody is linked because of a name")

	o.somebody.Username = "eva"
	granted, err := visit(t, o, external)
	require.NoError(t, err)
	require.NoError(t, in.repository.Accounts().SetDisabled(t.Context(), from, granted.User.ID, true))
	_, err = visit(t, o, external)
	requireKind(t, artwork.Forbidden, err)
	o.somebody.Role = ""
	_, err = visit(t, o, external)
	requireKind(t, artwork.Forbidden, err)
}

// TestAnswersToWhatWasNotAsked: from another browser, from another time, to somebody
// else.
func TestAnswersToWhatWasNotAsked(t *testing.T) {
	_, o, external := withOracle(t)
	now := time.Now()
	external.now = func() time.Time { return now }
	_, kept, err := external.Begin(t.Context(), "/")
	require.NoError(t, err)
	state := o.challenged.State
	for name, c := range map[string]struct {
		kept        []byte
		state, code string
	}{
		"no cookie": {nil, state, "code"}, "another cookie": {append([]byte{9}, kept...), state, "code"}, "another state": {kept, "x" + state, "code"},
		"no state": {kept, "", "code"}, "no code": {kept, state, ""}, "another code": {kept, state, "x"},
	} {
		_, _, err := external.Finish(t.Context(), from, c.kept, c.state, c.code)
		require.Equal(t, artwork.Unauthenticated, artwork.KindOf(err), name)
	}
	now = now.Add(ExternalPatience)
	_, _, err = external.Finish(t.Context(), from, kept, state, "code")
	requireKind(t, artwork.Unauthenticated, err)

	none := NewExternalSignIn(nil, nil, nil, nil, nil, nil)
	_, _, err = none.Begin(t.Context(), "/")
	requireKind(t, artwork.NotFound, err)
	_, _, err = none.Finish(t.Context(), from, kept, state, "code")
	requireKind(t, artwork.NotFound, err)
}
