package signin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/accesstoken"
	"gatefold/application/keepactivity"
	"gatefold/application/keyring"
	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const (
	password  = "correct horse battery staple"
	theSecret = "the secret of a deployment that is tested"
	newSecret = "the secret that comes after it, for a test"
)

var from = artwork.Actor{Address: "192.0.2.7", RequestID: "request"}

// plainHasher makes hashes that take no time, and counts what it was asked for.
type plainHasher struct{ asked, decoys atomic.Int64 }

func (h *plainHasher) Hash(_ context.Context, password string) (string, error) {
	return "v2:" + password, nil
}

func (h *plainHasher) Matches(_ context.Context, password, hash string) (matches, outdated bool, err error) {
	h.asked.Add(1)
	if hash == "" {
		h.decoys.Add(1)
	}
	version, of, _ := strings.Cut(hash, ":")
	return hash != "" && of == password, version != "v2", nil
}

// plainTokens are access tokens that nothing protects.
type plainTokens struct{}

func (plainTokens) Issue(claims Claims) (string, error) {
	text, err := json.Marshal(claims)
	return string(text), err
}

func (plainTokens) Read(token string) (claims Claims, err error) {
	if json.Unmarshal([]byte(token), &claims) != nil {
		return claims, artwork.Errorf(artwork.Unauthenticated, "not a token")
	}
	return claims, nil
}

// instance is what one process has of a deployment.
type instance struct {
	repository   *memory.Repository
	hasher       *plainHasher
	recent       *Recent
	granter      *Granter
	password     *Password
	authenticate *Authenticate
	firstRun     *FirstRun
}

func newInstance(t *testing.T, repository *memory.Repository, secrets ...string) *instance {
	t.Helper()
	keys, err := keyring.New(secrets[0], secrets[1:]...)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	in := &instance{repository: repository, hasher: &plainHasher{}, recent: NewRecent(repository.Sessions())}
	in.granter = NewGranter(in.recent, plainTokens{}, keys, Config{AccessLife: time.Hour, RefreshLife: 24 * time.Hour})
	in.password = NewPassword(repository.Accounts(), repository.Attempts(), in.hasher, in.granter, keepactivity.NewRecorder(repository.Activity(), log), log)
	in.authenticate = NewAuthenticate(accesstoken.NewAuthenticate(repository.Tokens(), log), plainTokens{}, in.recent)
	in.firstRun = NewFirstRun(repository.Accounts(), in.hasher, in.granter)
	return in
}

func open(t *testing.T) *instance {
	t.Helper()
	return newInstance(t, memory.NewRepository(), theSecret)
}

func (in *instance) create(t *testing.T, name string, role catalog.Role) catalog.User {
	t.Helper()
	user := catalog.User{ID: artwork.NewID(), Username: name, Role: role}
	require.NoError(t, in.repository.Accounts().Create(t.Context(), from, user, "v2:"+password))
	return user
}

func (in *instance) signIn(t *testing.T, name string) Grant {
	t.Helper()
	granted, err := in.password.Run(t.Context(), from, name, password)
	require.NoError(t, err)
	return granted
}

func (in *instance) actions(t *testing.T, family string) []activity.Entry {
	t.Helper()
	page, err := in.repository.Activity().List(t.Context(), activity.Query{Limit: 100, Action: family})
	require.NoError(t, err)
	return page.Items
}

func requireKind(t *testing.T, kind artwork.ErrorKind, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, artwork.KindOf(err), "%v", err)
}

func TestScopesOfRoles(t *testing.T) {
	require.Equal(t, accesstoken.Read, ScopeOf(catalog.RoleUser))
	require.Equal(t, accesstoken.Write, ScopeOf(catalog.RoleEditor))
	require.Equal(t, accesstoken.Admin, ScopeOf(catalog.RoleAdmin))
	require.False(t, ScopeOf("root").Allows(accesstoken.Read))
}

func TestSigningIn(t *testing.T) {
	in := open(t)
	user := in.create(t, "Ana", catalog.RoleEditor)
	granted := in.signIn(t, "ANA")
	require.Equal(t, user.ID, granted.User.ID)
	who, err := in.authenticate.Run(t.Context(), granted.AccessToken)
	require.NoError(t, err)
	require.True(t, who.Is(user.ID))
	require.False(t, who.Is(artwork.NewID()))
	require.Equal(t, "Ana", who.Name)
	require.Equal(t, accesstoken.Write, who.Scope)
	require.Equal(t, artwork.Actor{Name: "Ana", ID: user.ID}, who.Actor())

	secret, err := accesstoken.NewCreate(in.repository.Tokens()).Run(t.Context(), from, accesstoken.CreateIn{Name: "player", Scope: accesstoken.Read})
	require.NoError(t, err)
	program, err := in.authenticate.Run(t.Context(), secret)
	require.NoError(t, err)
	require.Equal(t, APIToken, program.Kind)
	require.False(t, program.Is(program.ID), "a program is no user")
	for _, wrong := range []string{"", "gf_wrong", "x", granted.RefreshToken} {
		_, err := in.authenticate.Run(t.Context(), wrong)
		requireKind(t, artwork.Unauthenticated, err)
	}
}

// TestWhoIsThereIsNotTold: not by what is answered, nor by how much is done for it.
func TestWhoIsThereIsNotTold(t *testing.T) {
	in := open(t)
	in.create(t, "ana", catalog.RoleUser)
	disabled := in.create(t, "disabled", catalog.RoleUser)
	require.NoError(t, in.repository.Accounts().SetDisabled(t.Context(), from, disabled.ID, true))
	_, err := in.repository.Users().Put(t.Context(), from, catalog.User{ID: artwork.NewID(), Username: "pushed", Role: catalog.RoleAdmin})
	require.NoError(t, err)
	for n, c := range []struct{ name, password string }{
		{"ana", "a wrong password"}, {"nobody", password}, {"pushed", password}, {"pushed", ""}, {"disabled", password},
	} {
		_, err := in.password.Run(t.Context(), from, c.name, c.password)
		requireKind(t, artwork.Unauthenticated, err)
		require.EqualError(t, err, "the user name or the password is wrong", c.name)
		require.EqualValues(t, n+1, in.hasher.asked.Load(), "%s: a password was compared, or it took less time", c.name)
	}
	require.EqualValues(t, 3, in.hasher.decoys.Load())
	require.Empty(t, in.actions(t, "session"), "a failure or two is no activity")
}

// TestGuessing: of one account, from however many addresses.
func TestGuessing(t *testing.T) {
	for _, name := range []string{"ana", "nobody"} {
		in := open(t)
		in.create(t, "ana", catalog.RoleUser)
		for range throttle.Free {
			_, err := in.password.Run(t.Context(), from, name, "a wrong password")
			requireKind(t, artwork.Unauthenticated, err)
		}
		asked := in.hasher.asked.Load()
		for range 3 {
			_, err := in.password.Run(t.Context(), from, strings.ToUpper(name), password)
			requireKind(t, artwork.TooManyRequests, err)
			wait, _ := errors.AsType[*artwork.Error](err)
			require.Positive(t, wait.RetryAfter)
			require.LessOrEqual(t, wait.RetryAfter, throttle.First)
		}
		require.Equal(t, asked, in.hasher.asked.Load(), "who has to wait costs nothing")
		entries := in.actions(t, string(activity.SignInFailed))
		require.Len(t, entries, 1, "%s: guessing does not fill the log", name)
		require.Equal(t, "anonymous", entries[0].Actor.Name)
		require.Equal(t, from.Address, entries[0].Actor.Address)
		require.JSONEq(t, `{"attempts":10,"waitSeconds":30}`, string(entries[0].After))
	}
}

func TestASuccessForgivesFailures(t *testing.T) {
	in := open(t)
	in.create(t, "ana", catalog.RoleUser)
	for range 3 {
		for range throttle.Free - 1 {
			_, err := in.password.Run(t.Context(), from, "ana", "a wrong password")
			requireKind(t, artwork.Unauthenticated, err)
		}
		in.signIn(t, "ana")
	}
}

func TestWhatCannotBeTyped(t *testing.T) {
	in := open(t)
	for _, c := range []struct{ name, password string }{{"", password}, {"a\x00b", password}, {"\xff", password}, {"ana", strings.Repeat("x", maxTyped+1)}} {
		_, err := in.password.Run(t.Context(), from, c.name, c.password)
		requireKind(t, artwork.InvalidInput, err)
	}
	require.Zero(t, in.hasher.asked.Load())
}

func TestAHashOfLessEffortIsMadeAnew(t *testing.T) {
	in := open(t)
	user := catalog.User{ID: artwork.NewID(), Username: "ana", Role: catalog.RoleUser}
	require.NoError(t, in.repository.Accounts().Create(t.Context(), from, user, "v1:"+password))
	first := in.signIn(t, "ana")
	found, err := in.repository.Accounts().Get(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, "v2:"+password, found.PasswordHash)
	in.signIn(t, "ana")
	_, err = in.authenticate.Run(t.Context(), first.AccessToken)
	require.NoError(t, err)
}

func TestRefreshing(t *testing.T) {
	in := open(t)
	in.create(t, "ana", catalog.RoleUser)
	first := in.signIn(t, "ana")
	second, err := in.granter.Refresh(t.Context(), from, first.RefreshToken)
	require.NoError(t, err)
	require.NotEqual(t, first.RefreshToken, second.RefreshToken)
	again, err := in.granter.Refresh(t.Context(), from, first.RefreshToken)
	require.NoError(t, err)
	require.Equal(t, second.RefreshToken, again.RefreshToken, "an answer that was lost comes again")
	third, err := in.granter.Refresh(t.Context(), from, second.RefreshToken)
	require.NoError(t, err)
	for _, granted := range []Grant{first, second, third} {
		_, err := in.authenticate.Run(t.Context(), granted.AccessToken)
		require.NoError(t, err)
	}
	_, err = in.granter.Refresh(t.Context(), from, first.RefreshToken)
	requireKind(t, artwork.Unauthenticated, err)
	for _, granted := range []Grant{first, second, third} {
		_, err := in.granter.Refresh(t.Context(), from, granted.RefreshToken)
		requireKind(t, artwork.Unauthenticated, err)
		_, err = in.authenticate.Run(t.Context(), granted.AccessToken)
		requireKind(t, artwork.Unauthenticated, err)
	}
	require.Len(t, in.actions(t, string(activity.TokenReuse)), 1)
}

func TestWrongRefreshTokens(t *testing.T) {
	in := open(t)
	in.create(t, "ana", catalog.RoleUser)
	granted := in.signIn(t, "ana")
	for _, wrong := range []string{"", "gfr_", "gfr_AAAA", granted.AccessToken, granted.RefreshToken + "A", strings.TrimPrefix(granted.RefreshToken, "gfr_"), formatRefresh(artwork.NewID(), secret{1})} {
		_, err := in.granter.Refresh(t.Context(), from, wrong)
		requireKind(t, artwork.Unauthenticated, err)
	}
	_, err := in.granter.Refresh(t.Context(), from, granted.RefreshToken)
	require.NoError(t, err)
}

// TestTwoInstancesGiveTheSameAnswer: also while the secret is being replaced.
func TestTwoInstancesGiveTheSameAnswer(t *testing.T) {
	one := open(t)
	two := newInstance(t, one.repository, newSecret, theSecret)
	one.create(t, "ana", catalog.RoleUser)
	first := one.signIn(t, "ana")
	second, err := one.granter.Refresh(t.Context(), from, first.RefreshToken)
	require.NoError(t, err)
	again, err := two.granter.Refresh(t.Context(), from, first.RefreshToken)
	require.NoError(t, err)
	require.Equal(t, second.RefreshToken, again.RefreshToken)
	third, err := two.granter.Refresh(t.Context(), from, second.RefreshToken)
	require.NoError(t, err)
	_, err = one.granter.Refresh(t.Context(), from, third.RefreshToken)
	require.NoError(t, err)
}

func TestSigningOut(t *testing.T) {
	in := open(t)
	user := in.create(t, "ana", catalog.RoleUser)
	one, two, three, four := in.signIn(t, "ana"), in.signIn(t, "ana"), in.signIn(t, "ana"), in.signIn(t, "ana")
	who, err := in.authenticate.Run(t.Context(), one.AccessToken)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, in.granter.End(t.Context(), who.Actor(), who.Session))
	}
	_, err = in.authenticate.Run(t.Context(), one.AccessToken)
	requireKind(t, artwork.Unauthenticated, err)

	require.NoError(t, in.granter.SignOut(t.Context(), from, two.RefreshToken, false))
	_, err = in.authenticate.Run(t.Context(), two.AccessToken)
	requireKind(t, artwork.Unauthenticated, err)
	_, err = in.authenticate.Run(t.Context(), three.AccessToken)
	require.NoError(t, err)
	require.NoError(t, in.granter.SignOut(t.Context(), from, three.RefreshToken, true))
	_, err = in.authenticate.Run(t.Context(), four.AccessToken)
	requireKind(t, artwork.Unauthenticated, err)
	requireKind(t, artwork.Unauthenticated, in.granter.SignOut(t.Context(), from, "gfr_", false))
	for _, entry := range in.actions(t, string(activity.SignOut)) {
		require.Equal(t, user.ID, entry.Actor.ID)
	}
}

// TestARevocationHoldsOnTheOtherInstance: no later than after RevocationBound.
func TestARevocationHoldsOnTheOtherInstance(t *testing.T) {
	one := open(t)
	two := newInstance(t, one.repository, theSecret)
	now := time.Now()
	two.recent.now = func() time.Time { return now }
	user := one.create(t, "ana", catalog.RoleAdmin)
	granted := one.signIn(t, "ana")
	who, err := two.authenticate.Run(t.Context(), granted.AccessToken)
	require.NoError(t, err)
	require.Equal(t, accesstoken.Admin, who.Scope)

	user.Role = catalog.RoleUser
	_, err = one.repository.Users().Put(t.Context(), from, user)
	require.NoError(t, err)
	now = now.Add(RevocationBound)
	who, err = two.authenticate.Run(t.Context(), granted.AccessToken)
	require.NoError(t, err)
	require.Equal(t, accesstoken.Read, who.Scope, "a role that was taken away counts no more")

	require.NoError(t, one.granter.EndAll(t.Context(), from, user.ID))
	_, err = one.authenticate.Run(t.Context(), granted.AccessToken)
	requireKind(t, artwork.Unauthenticated, err)
	now = now.Add(RevocationBound - time.Nanosecond)
	_, err = two.authenticate.Run(t.Context(), granted.AccessToken)
	require.NoError(t, err)
	now = now.Add(time.Nanosecond)
	_, err = two.authenticate.Run(t.Context(), granted.AccessToken)
	requireKind(t, artwork.Unauthenticated, err)
}

// slowSessions answer Find when they are told to.
type slowSessions struct {
	account.Sessions
	asked, answer chan struct{}
}

func (s slowSessions) Find(ctx context.Context, session artwork.ID) (catalog.User, error) {
	user, err := s.Sessions.Find(ctx, session)
	s.asked <- struct{}{}
	<-s.answer
	return user, err
}

// TestAnAnswerFromBeforeARevocationIsNotRemembered.
func TestAnAnswerFromBeforeARevocationIsNotRemembered(t *testing.T) {
	in := open(t)
	in.create(t, "ana", catalog.RoleUser)
	granted := in.signIn(t, "ana")
	session, _, err := parseRefresh(granted.RefreshToken)
	require.NoError(t, err)
	slow := slowSessions{in.repository.Sessions(), make(chan struct{}), make(chan struct{})}
	recent := NewRecent(slow)
	ended := make(chan error)
	go func() {
		_, err := recent.Find(t.Context(), session)
		ended <- err
	}()
	<-slow.asked
	require.NoError(t, recent.End(t.Context(), from, session))
	slow.answer <- struct{}{}
	require.NoError(t, <-ended)
	go func() {
		_, err := recent.Find(t.Context(), session)
		ended <- err
	}()
	select {
	case <-slow.asked:
		slow.answer <- struct{}{}
		requireKind(t, artwork.NotFound, <-ended)
	case err := <-ended:
		require.Fail(t, "the answer from before is remembered", "%v", err)
	}
}

func TestRecentIsBounded(t *testing.T) {
	in := open(t)
	in.create(t, "ana", catalog.RoleUser)
	session, _, err := parseRefresh(in.signIn(t, "ana").RefreshToken)
	require.NoError(t, err)
	for range maxRecent {
		in.recent.known[artwork.NewID()] = recentSession{}
	}
	_, err = in.recent.Find(t.Context(), session)
	require.NoError(t, err)
	require.Len(t, in.recent.known, 1)
}

func TestTheFirstAdministrator(t *testing.T) {
	in := open(t)
	for _, wrong := range []struct{ name, password string }{{"", password}, {"ana", "short"}, {"a\nb", password}} {
		_, err := in.firstRun.Ensure(t.Context(), wrong.name, wrong.password)
		requireKind(t, artwork.InvalidInput, err)
	}
	token, err := in.firstRun.Offer(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, token)
	created, err := in.firstRun.Ensure(t.Context(), " ana ", password)
	require.NoError(t, err)
	require.True(t, created)
	require.Equal(t, catalog.RoleAdmin, in.signIn(t, "ana").User.Role)
	created, err = in.firstRun.Ensure(t.Context(), "ana", "another password")
	require.NoError(t, err)
	require.False(t, created)
	in.signIn(t, "ana")
	_, err = in.firstRun.Claim(t.Context(), from, token, "eva", password)
	requireKind(t, artwork.Conflict, err)
	token, err = in.firstRun.Offer(t.Context())
	require.NoError(t, err)
	require.Empty(t, token)
}

func TestClaimingTheFirstRun(t *testing.T) {
	in := open(t)
	token, err := in.firstRun.Offer(t.Context())
	require.NoError(t, err)
	for _, wrong := range []string{"", "gff_", token + "A", strings.TrimPrefix(token, "gff_"), "gff_" + strings.Repeat("A", 43)} {
		_, err := in.firstRun.Claim(t.Context(), from, wrong, "eva", password)
		requireKind(t, artwork.Unauthenticated, err)
	}
	_, err = in.firstRun.Claim(t.Context(), from, token, "ana", "short")
	requireKind(t, artwork.InvalidInput, err)
	granted, err := in.firstRun.Claim(t.Context(), from, token, "ana", password)
	require.NoError(t, err)
	who, err := in.authenticate.Run(t.Context(), granted.AccessToken)
	require.NoError(t, err)
	require.Equal(t, accesstoken.Admin, who.Scope)
	_, err = in.firstRun.Claim(t.Context(), from, token, "eva", password)
	requireKind(t, artwork.Conflict, err)
}
