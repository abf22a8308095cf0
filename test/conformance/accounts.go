package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// credentialCases are the clauses of account.Accounts.
func credentialCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"logins: a created user comes back by ID and by name", accountCreated},
		{"logins: names are compared without case, accents and composition", accountNames},
		{"logins: a user from outside has no way to sign in", accountFromOutside},
		{"logins: a name and an ID are held once, and nothing is written", accountHeld},
		{"logins: what cannot be stored is refused", createRefused},
		{"logins: an identity is linked once, and found", accountLinked},
		{"logins: an identity is linked to a user who is there, and to nobody else", accountLinkedLater},
		{"logins: those with a way to sign in are listed by name", accountsListed},
		{"logins: the first administrator is made once", firstAdmin},
		{"logins: of ten first administrators at once one is made", firstAdminRace},
		{"logins: a link is used once, and the others end with it", firstRunLinks},
		{"logins: a link ends with its time", firstRunLinkExpires},
		{"logins: an administrator who is disabled is one", firstAdminDisabled},
		{"logins: another password ends the sessions but one", passwordEndsSessions},
		{"logins: a rehash replaces what it was told to, and nothing ends", rehash},
		{"logins: who is disabled has no sessions", disabledHasNoSessions},
		{"logins: changes are in the activity log, without secrets", accountActivity},
		{"logins: a cancelled context ends every method", accountsCancelled},
	}
}

// sessionCases are the clauses of account.Sessions.
func sessionCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"sessions: a session that has begun is found, with the user as they are", sessionFound},
		{"sessions: who cannot sign in, or not with this any more, is refused", sessionRefused},
		{"sessions: an ID is held once", sessionTwice},
		{"sessions: a session ends with its time", sessionExpires},
		{"sessions: a refresh lets it last", sessionLasts},
		{"sessions: none gets older than it may, however often it is refreshed", sessionAges},
		{"sessions: the token in force gives the next", sessionRotates},
		{"sessions: the one before repeats within the grace", sessionRepeats},
		{"sessions: the one before ends the session after the grace", sessionReuse},
		{"sessions: another token ends the session", sessionForged},
		{"sessions: of ten refreshes at once one rotates", sessionRace},
		{"sessions: an end is the end, and is told once", sessionEnds},
		{"sessions: all of a user end, and nobody else's", sessionsEnd},
		{"sessions: a user has so many at most, the latest", sessionsBounded},
		{"sessions: a sign-in and the disabling of its user at once leave no session", sessionDisableRace},
		{"sessions: a cancelled context ends every method", sessionsCancelled},
	}
}

// attemptCases are the clauses of account.Attempts.
func attemptCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"attempts: those after the free ones have to wait", attemptsWait},
		{"attempts: one that is too early is not counted", attemptsTooEarly},
		{"attempts: a success forgets them", attemptsForgiven},
		{"attempts: they are forgotten after a while", attemptsForgotten},
		{"attempts: names are compared as those of accounts", attemptsNames},
		{"attempts: those that are made at once are all counted", attemptsRace},
		{"attempts: a cancelled context ends every method", attemptsCancelled},
	}
}

const aHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$hunter2"

func newAccount(t TB, r Repositories, username string, role catalog.Role) catalog.User {
	t.Helper()
	user := catalog.User{ID: artwork.NewID(), Username: username, DisplayName: username + " the user", Role: role}
	require.NoError(t, r.Logins.Create(t.Context(), somebody, user, aHash))
	return user
}

func accountCreated(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleEditor)
	byID, err := r.Logins.Get(t.Context(), user.ID)
	require.NoError(t, err)
	byName, err := r.Logins.ByName(t.Context(), "ana")
	require.NoError(t, err)
	require.Equal(t, byID, byName)
	require.Equal(t, aHash, byID.PasswordHash)
	require.False(t, byID.Disabled)
	require.True(t, byID.CanSignIn())
	require.Zero(t, byID.LastSignIn)
	stored, err := r.Users.Get(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, stored, byID.User)
	user.CreatedAt, user.UpdatedAt = stored.CreatedAt, stored.UpdatedAt
	require.Equal(t, user, stored)
	_, err = r.Logins.Get(t.Context(), artwork.NewID())
	requireKind(t, artwork.NotFound, err)
	_, err = r.Logins.ByName(t.Context(), "eva")
	requireKind(t, artwork.NotFound, err)
}

func accountNames(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "José ÑANDÚ", catalog.RoleUser)
	for _, name := range []string{"josé ñandú", "JOSE\u0301 N\u0303ANDU\u0301", "jose  nandu", "ｊｏｓｅ ｎａｎｄｕ"} {
		found, err := r.Logins.ByName(t.Context(), name)
		require.NoError(t, err, name)
		require.Equal(t, user.ID, found.User.ID)
		requireKind(t, artwork.Conflict, r.Logins.Create(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: name, Role: catalog.RoleUser}, aHash))
	}
}

func accountFromOutside(t TB, open func(TB) Repositories) {
	r := open(t)
	user := catalog.User{ID: artwork.NewID(), Username: "pushed", Role: catalog.RoleAdmin}
	_, err := r.Users.Put(t.Context(), somebody, user)
	require.NoError(t, err)
	found, err := r.Logins.ByName(t.Context(), "pushed")
	require.NoError(t, err)
	require.False(t, found.CanSignIn())
	listed, err := r.Logins.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, listed)
	requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, newSession(user.ID, account.ByOpenID), time.Hour))
	requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, account.Session{ID: artwork.NewID(), UserID: user.ID, Method: account.ByPassword}, time.Hour))

	require.NoError(t, r.Logins.SetPassword(t.Context(), somebody, user.ID, aHash, artwork.ID{}))
	require.NoError(t, r.Sessions.Begin(t.Context(), somebody, newSession(user.ID, account.ByPassword), time.Hour))
	requireKind(t, artwork.NotFound, r.Logins.SetPassword(t.Context(), somebody, artwork.NewID(), aHash, artwork.ID{}))
	requireKind(t, artwork.NotFound, r.Logins.SetDisabled(t.Context(), somebody, artwork.NewID(), true))
}

func accountHeld(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	sameID := catalog.User{ID: user.ID, Username: "eva", Role: catalog.RoleUser}
	requireKind(t, artwork.Conflict, r.Logins.Create(t.Context(), somebody, sameID, "other"))
	sameName := catalog.User{ID: artwork.NewID(), Username: "ANA", Role: catalog.RoleUser}
	err := r.Logins.Create(t.Context(), somebody, sameName, "other")
	requireKind(t, artwork.Conflict, err)
	require.ErrorContains(t, err, user.ID.String())
	requireKind(t, artwork.Conflict, r.Logins.CreateLinked(t.Context(), somebody, sameName, account.Identity{Issuer: "i", Subject: "s"}))
	_, err = r.Logins.ByIdentity(t.Context(), account.Identity{Issuer: "i", Subject: "s"})
	requireKind(t, artwork.NotFound, err)
	found, err := r.Logins.Get(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, aHash, found.PasswordHash)
	_, err = r.Users.Get(t.Context(), sameName.ID)
	requireKind(t, artwork.NotFound, err)
}

func createRefused(t TB, open func(TB) Repositories) {
	r, ctx := open(t), t.Context()
	good := catalog.User{ID: artwork.NewID(), Username: "ana", Role: catalog.RoleUser}
	noID, noRole, noName := good, good, good
	noID.ID, noRole.Role, noName.Username = artwork.ID{}, "root", ""
	for _, user := range []catalog.User{noID, noRole, noName} {
		requireKind(t, artwork.InvalidInput, r.Logins.Create(ctx, somebody, user, aHash))
	}
	for _, identity := range []account.Identity{{}, {Issuer: "i"}, {Issuer: "i", Subject: "\x00"}} {
		requireKind(t, artwork.InvalidInput, r.Logins.CreateLinked(ctx, somebody, good, identity))
	}
	bad := artwork.Actor{Name: "\x00"}
	requireKind(t, artwork.InvalidInput, r.Logins.Create(ctx, bad, good, aHash))
	require.NoError(t, r.Logins.Create(ctx, somebody, good, aHash))
	requireKind(t, artwork.InvalidInput, r.Logins.SetPassword(ctx, bad, good.ID, aHash, artwork.ID{}))
	requireKind(t, artwork.InvalidInput, r.Logins.SetDisabled(ctx, bad, good.ID, true))
	requireKind(t, artwork.InvalidInput, r.Sessions.Begin(ctx, bad, newSession(good.ID, account.ByPassword), time.Hour))
}

func accountLinked(t TB, open func(TB) Repositories) {
	r := open(t)
	identity := account.Identity{Issuer: "https://login.example.org/", Subject: "248289761001"}
	user := catalog.User{ID: artwork.NewID(), Username: "ana", Role: catalog.RoleUser}
	require.NoError(t, r.Logins.CreateLinked(t.Context(), somebody, user, identity))
	found, err := r.Logins.ByIdentity(t.Context(), identity)
	require.NoError(t, err)
	require.Equal(t, user.ID, found.User.ID)
	require.Equal(t, 1, found.Identities)
	require.True(t, found.CanSignIn())
	require.Empty(t, found.PasswordHash)
	other := catalog.User{ID: artwork.NewID(), Username: "eva", Role: catalog.RoleUser}
	requireKind(t, artwork.Conflict, r.Logins.CreateLinked(t.Context(), somebody, other, identity))
	for _, unknown := range []account.Identity{
		{Issuer: identity.Issuer, Subject: "248289761002"}, {Issuer: "https://login.example.com/", Subject: identity.Subject},
		{Issuer: identity.Issuer, Subject: ""}, {Issuer: identity.Issuer, Subject: "\x00"},
	} {
		_, err := r.Logins.ByIdentity(t.Context(), unknown)
		requireKind(t, artwork.NotFound, err)
	}
	require.NoError(t, r.Sessions.Begin(t.Context(), somebody, newSession(user.ID, account.ByOpenID), time.Hour))
}

func accountLinkedLater(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	identity := account.Identity{Issuer: "https://id.example", Subject: "1"}
	for range 2 {
		require.NoError(t, r.Logins.Link(t.Context(), someone, user.ID, identity))
		found, err := r.Logins.ByIdentity(t.Context(), identity)
		require.NoError(t, err)
		require.Equal(t, []any{user.ID, 1, aHash}, []any{found.User.ID, found.Identities, found.PasswordHash})
		links := entries(t, r, activity.Query{Action: string(activity.UserLink)})
		require.Len(t, links, 1)
		require.Equal(t, someone, links[0].Actor)
	}
	pushed := catalog.User{ID: artwork.NewID(), Username: "pushed", Role: catalog.RoleUser}
	_, err := r.Users.Put(t.Context(), somebody, pushed)
	require.NoError(t, err)
	requireKind(t, artwork.Conflict, r.Logins.Link(t.Context(), somebody, pushed.ID, identity))
	require.NoError(t, r.Logins.Link(t.Context(), somebody, pushed.ID, binIdentity), "also of a user without an account")
	require.NoError(t, r.Sessions.Begin(t.Context(), somebody, newSession(pushed.ID, account.ByOpenID), time.Hour))
	discard(t, r, pushed.Subject())
	requireKind(t, artwork.Forbidden, r.Logins.Link(t.Context(), somebody, user.ID, binIdentity))
	requireKind(t, artwork.NotFound, r.Logins.Link(t.Context(), somebody, pushed.ID, account.Identity{Issuer: "i", Subject: "s"}))
	requireKind(t, artwork.InvalidInput, r.Logins.Link(t.Context(), somebody, user.ID, account.Identity{}))
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, user.ID, true))
	requireKind(t, artwork.Forbidden, r.Logins.Link(t.Context(), somebody, user.ID, account.Identity{Issuer: "i", Subject: "s"}))
}

func accountsListed(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, name := range []string{"zoe", "Ána", "bob"} {
		newAccount(t, r, name, catalog.RoleUser)
	}
	bob, err := r.Logins.ByName(t.Context(), "bob")
	require.NoError(t, err)
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, bob.User.ID, true))
	require.NoError(t, r.Logins.CreateLinked(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: "carl", Role: catalog.RoleUser}, account.Identity{Issuer: "i", Subject: "s"}))
	_, err = r.Users.Put(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: "nobody", Role: catalog.RoleUser})
	require.NoError(t, err)
	listed, err := r.Logins.List(t.Context())
	require.NoError(t, err)
	var names []string
	for _, a := range listed {
		names = append(names, a.User.Username)
		require.Equal(t, a.User.Username == "bob", a.Disabled)
	}
	require.Equal(t, []string{"Ána", "bob", "carl", "zoe"}, names)
}

func adminNamed(name string) catalog.User {
	return catalog.User{ID: artwork.NewID(), Username: name, Role: catalog.RoleAdmin}
}

func firstAdmin(t TB, open func(TB) Repositories) {
	r := open(t)
	_, err := r.Users.Put(t.Context(), somebody, adminNamed("pushed"))
	require.NoError(t, err)
	newAccount(t, r, "editor", catalog.RoleEditor)
	_, err = r.Logins.CreateFirst(t.Context(), somebody, adminNamed("EDITOR"), aHash, nil)
	requireKind(t, artwork.Conflict, err)
	first := adminNamed("first")
	created, err := r.Logins.CreateFirst(t.Context(), somebody, first, aHash, nil)
	require.NoError(t, err)
	require.True(t, created)
	for _, name := range []string{"second", "first"} {
		created, err = r.Logins.CreateFirst(t.Context(), somebody, adminNamed(name), "other", nil)
		require.NoError(t, err)
		require.False(t, created)
	}
	found, err := r.Logins.ByName(t.Context(), "first")
	require.NoError(t, err)
	require.Equal(t, first.ID, found.User.ID)
	require.Equal(t, aHash, found.PasswordHash)
	offered, err := r.Logins.OfferFirst(t.Context(), account.HashOf([]byte("link")), time.Hour)
	require.NoError(t, err)
	require.False(t, offered)
}

func firstAdminRace(t TB, open func(TB) Repositories) {
	r := open(t)
	var mu sync.Mutex
	made := 0
	atOnce(t, 10, func(i int) error {
		created, err := r.Logins.CreateFirst(t.Context(), somebody, adminNamed("admin"+string(rune('a'+i))), aHash, nil)
		mu.Lock()
		defer mu.Unlock()
		if created {
			made++
		}
		return err
	})
	require.Equal(t, 1, made)
	listed, err := r.Logins.List(t.Context())
	require.NoError(t, err)
	require.Len(t, listed, 1)
}

func firstRunLinks(t TB, open func(TB) Repositories) {
	r := open(t)
	one, two := account.HashOf([]byte("one")), account.HashOf([]byte("two"))
	for _, link := range []account.Hash{one, two} {
		offered, err := r.Logins.OfferFirst(t.Context(), link, time.Hour)
		require.NoError(t, err)
		require.True(t, offered)
	}
	wrong := account.HashOf([]byte("three"))
	_, err := r.Logins.CreateFirst(t.Context(), somebody, adminNamed("eva"), aHash, &wrong)
	requireKind(t, artwork.Unauthenticated, err)
	created, err := r.Logins.CreateFirst(t.Context(), somebody, adminNamed("ana"), aHash, &two)
	require.NoError(t, err)
	require.True(t, created)
	for _, link := range []account.Hash{one, two} {
		created, err := r.Logins.CreateFirst(t.Context(), somebody, adminNamed("eva"), aHash, &link)
		require.NoError(t, err)
		require.False(t, created)
	}
}

func firstRunLinkExpires(t TB, open func(TB) Repositories) {
	r := open(t)
	link := account.HashOf([]byte("one"))
	offered, err := r.Logins.OfferFirst(t.Context(), link, -time.Second)
	require.NoError(t, err)
	require.True(t, offered)
	_, err = r.Logins.CreateFirst(t.Context(), somebody, adminNamed("ana"), aHash, &link)
	requireKind(t, artwork.Unauthenticated, err)
	offered, err = r.Logins.OfferFirst(t.Context(), account.HashOf([]byte("two")), time.Hour)
	require.NoError(t, err)
	require.True(t, offered)
}

func firstAdminDisabled(t TB, open func(TB) Repositories) {
	r := open(t)
	admin := newAccount(t, r, "admin", catalog.RoleAdmin)
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, admin.ID, true))
	created, err := r.Logins.CreateFirst(t.Context(), somebody, adminNamed("eva"), aHash, nil)
	require.NoError(t, err)
	require.False(t, created)
}

func newSession(user artwork.ID, method account.Method) account.Session {
	id := artwork.NewID()
	return account.Session{ID: id, UserID: user, Method: method, Token: account.HashOf(id[:]), Proof: aHash}
}

func begin(t TB, r Repositories, user artwork.ID) account.Session {
	t.Helper()
	session := newSession(user, account.ByPassword)
	require.NoError(t, r.Sessions.Begin(t.Context(), somebody, session, time.Hour))
	return session
}

func requireEnded(t TB, r Repositories, sessions ...account.Session) {
	t.Helper()
	for _, session := range sessions {
		_, err := r.Sessions.Find(t.Context(), session.ID)
		requireKind(t, artwork.NotFound, err)
		_, err = r.Sessions.Rotate(t.Context(), somebody, session.ID, session.Token, account.Hash{1}, terms)
		requireKind(t, artwork.NotFound, err)
		requireKind(t, artwork.NotFound, r.Sessions.End(t.Context(), somebody, session.ID))
	}
}

func passwordEndsSessions(t TB, open func(TB) Repositories) {
	r := open(t)
	user, other := newAccount(t, r, "ana", catalog.RoleUser), newAccount(t, r, "eva", catalog.RoleUser)
	kept, ended, others := begin(t, r, user.ID), begin(t, r, user.ID), begin(t, r, other.ID)
	require.NoError(t, r.Logins.SetPassword(t.Context(), somebody, user.ID, "another", kept.ID))
	requireEnded(t, r, ended)
	for _, session := range []account.Session{kept, others} {
		_, err := r.Sessions.Find(t.Context(), session.ID)
		require.NoError(t, err)
	}
	requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, newSession(user.ID, account.ByPassword), time.Hour))
	require.NoError(t, r.Logins.SetPassword(t.Context(), somebody, user.ID, "another", artwork.ID{}))
	requireEnded(t, r, kept)
}

func rehash(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := begin(t, r, user.ID)
	require.NoError(t, r.Logins.Rehash(t.Context(), user.ID, "not this", "never"))
	require.NoError(t, r.Logins.Rehash(t.Context(), user.ID, aHash, "better"))
	require.NoError(t, r.Logins.Rehash(t.Context(), artwork.NewID(), aHash, "never"))
	found, err := r.Logins.Get(t.Context(), user.ID)
	require.NoError(t, err)
	require.Equal(t, "better", found.PasswordHash)
	_, err = r.Sessions.Find(t.Context(), session.ID)
	require.NoError(t, err)
}

func disabledHasNoSessions(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	session := begin(t, r, user.ID)
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, user.ID, true))
	requireEnded(t, r, session)
	requireKind(t, artwork.Forbidden, r.Sessions.Begin(t.Context(), somebody, newSession(user.ID, account.ByPassword), time.Hour))
	found, err := r.Logins.Get(t.Context(), user.ID)
	require.NoError(t, err)
	require.True(t, found.Disabled)
	require.False(t, found.CanSignIn())
	require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, user.ID, false))
	requireEnded(t, r, session)
	begin(t, r, user.ID)
}

func accountActivity(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	require.NoError(t, r.Logins.SetPassword(t.Context(), somebody, user.ID, aHash, artwork.ID{}))
	session := begin(t, r, user.ID)
	_, err := r.Sessions.Rotate(t.Context(), somebody, session.ID, account.Hash{1}, account.Hash{2}, terms)
	require.NoError(t, err)
	require.NoError(t, r.Sessions.End(t.Context(), somebody, begin(t, r, user.ID).ID))
	for _, disabled := range []bool{true, true, false, false} {
		require.NoError(t, r.Logins.SetDisabled(t.Context(), somebody, user.ID, disabled))
	}
	require.NoError(t, r.Logins.CreateLinked(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: "eva", Role: catalog.RoleUser}, account.Identity{Issuer: "i", Subject: "s"}))
	page, err := r.Activity.List(t.Context(), activity.Query{Limit: 100})
	require.NoError(t, err)
	var actions []artwork.Action
	for _, entry := range page.Items {
		actions = append(actions, entry.Action)
		require.Equal(t, activity.User, entry.Subject.Kind)
		require.NotEmpty(t, entry.Subject.Name)
		for _, facts := range []activity.Facts{entry.Before, entry.After} {
			require.NotContains(t, string(facts), "hunter2")
			require.NotContains(t, string(facts), session.ID.String())
		}
		if entry.Action == activity.SignIn || entry.Action == activity.TokenReuse {
			require.Equal(t, artwork.Actor{Name: "ana", ID: user.ID, Address: somebody.Address, RequestID: somebody.RequestID}, entry.Actor)
		} else {
			require.Equal(t, somebody, entry.Actor)
		}
	}
	require.Equal(t, []artwork.Action{
		activity.UserLink, activity.CatalogCreate, activity.UserEnable, activity.UserDisable, activity.SignOut, activity.SignIn,
		activity.TokenReuse, activity.SignIn, activity.UserPassword, activity.UserPassword, activity.CatalogCreate,
	}, actions)
}

func accountsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	user := newAccount(t, r, "ana", catalog.RoleUser)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	link := account.HashOf([]byte("link"))
	for name, call := range map[string]func() error{
		"Get":    func() error { _, err := r.Logins.Get(ctx, user.ID); return err },
		"ByName": func() error { _, err := r.Logins.ByName(ctx, "ana"); return err },
		"ByIdentity": func() error {
			_, err := r.Logins.ByIdentity(ctx, account.Identity{Issuer: "i", Subject: "s"})
			return err
		},
		"List":   func() error { _, err := r.Logins.List(ctx); return err },
		"Create": func() error { return r.Logins.Create(ctx, somebody, adminNamed("eva"), aHash) },
		"CreateLinked": func() error {
			return r.Logins.CreateLinked(ctx, somebody, adminNamed("eva"), account.Identity{Issuer: "i", Subject: "s"})
		},
		"CreateFirst": func() error {
			_, err := r.Logins.CreateFirst(ctx, somebody, adminNamed("eva"), aHash, nil)
			return err
		},
		"OfferFirst":  func() error { _, err := r.Logins.OfferFirst(ctx, link, time.Hour); return err },
		"SetPassword": func() error { return r.Logins.SetPassword(ctx, somebody, user.ID, "x", artwork.ID{}) },
		"Rehash":      func() error { return r.Logins.Rehash(ctx, user.ID, aHash, "x") },
		"SetDisabled": func() error { return r.Logins.SetDisabled(ctx, somebody, user.ID, true) },
	} {
		require.ErrorIs(t, call(), context.Canceled, name)
	}
	listed, err := r.Logins.List(t.Context())
	require.NoError(t, err)
	require.Len(t, listed, 1)
	require.Equal(t, aHash, listed[0].PasswordHash)
	require.False(t, listed[0].Disabled)
}
