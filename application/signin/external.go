package signin

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"gatefold/application/keyring"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// ExternalPatience is how long somebody may take at the identity provider.
const ExternalPatience = 10 * time.Minute

const externalPurpose = "external sign-in"

// ExternalSignIn lets an identity provider say who somebody is.
type ExternalSignIn struct {
	provider IdentityProvider // nil if there is none
	accounts account.Accounts
	users    catalog.Users
	recent   *Recent
	granter  *Granter
	keys     *keyring.Keyring
	now      func() time.Time
}

// NewExternalSignIn returns the use case; provider may be nil.
func NewExternalSignIn(provider IdentityProvider, accounts account.Accounts, users catalog.Users, recent *Recent, granter *Granter, keys *keyring.Keyring) *ExternalSignIn {
	return &ExternalSignIn{provider, accounts, users, recent, granter, keys, time.Now}
}

// Available reports whether there is an identity provider, whether or not it can be
// reached.
func (e *ExternalSignIn) Available() bool { return e.provider != nil }

// pending is what the browser keeps, sealed, while it is at the provider.
type pending struct {
	Challenge
	ReturnTo string    `json:"returnTo"`
	Until    time.Time `json:"until"`
	// Link is who wants to sign in with the identity from now on, in which session;
	// zero to sign in.
	Link linking `json:"link,omitzero"`
}

type linking struct {
	User    artwork.ID `json:"user"`
	Session artwork.ID `json:"session"`
}

// Begin returns where the browser is to be sent, and what it has to keep meanwhile.
// returnTo is a path of this server. NotFound: there is no provider. Unavailable: it
// cannot be reached.
func (e *ExternalSignIn) Begin(ctx context.Context, returnTo string) (url string, kept []byte, err error) {
	return e.begin(ctx, returnTo, linking{})
}

// BeginLink is Begin for a user who is signed in, and has proved to be one a moment ago:
// the identity that the provider recognises is linked to them, whatever it is called.
func (e *ExternalSignIn) BeginLink(ctx context.Context, who Principal, returnTo string) (url string, kept []byte, err error) {
	return e.begin(ctx, returnTo, linking{who.ID, who.Session})
}

func (e *ExternalSignIn) begin(ctx context.Context, returnTo string, link linking) (url string, kept []byte, err error) {
	if e.provider == nil {
		return "", nil, errNoProvider()
	}
	p := pending{Challenge: Challenge{State: random(), Nonce: random(), Verifier: random()}, ReturnTo: returnTo, Until: e.now().Add(ExternalPatience), Link: link}
	url, err = e.provider.AuthURL(ctx, p.Challenge)
	if err != nil {
		return "", nil, artwork.Wrap(artwork.Internal, "signin.External", err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return "", nil, artwork.Wrap(artwork.Internal, "signin.External", err)
	}
	kept, err = e.keys.Seal(externalPurpose, text, nil)
	return url, kept, artwork.Wrap(artwork.Internal, "signin.External", err)
}

func errNoProvider() error {
	return artwork.Errorf(artwork.NotFound, "there is no identity provider: OIDC_ISSUER names one")
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Finish signs in whom the provider has recognised: the user that the identity is
// linked to, or a new one. Unauthenticated: the answer is not to what this browser has
// asked. Forbidden: the user is disabled, or the provider gives them no role. Conflict:
// another user has the name; nobody is linked because of a name.
//
// To link is not to sign in: then there is no Grant. Unauthenticated: the session in
// which it was begun has ended. Conflict: the identity is linked to another user.
func (e *ExternalSignIn) Finish(ctx context.Context, from artwork.Actor, kept []byte, state, code string) (granted Grant, returnTo string, err error) {
	if e.provider == nil {
		return Grant{}, "", errNoProvider()
	}
	p, err := e.open(kept)
	if err != nil || subtle.ConstantTimeCompare([]byte(p.State), []byte(state)) != 1 || code == "" {
		return Grant{}, "", artwork.Errorf(artwork.Unauthenticated, "this is not the answer to what this browser has asked: sign in again")
	}
	somebody, err := e.provider.Exchange(ctx, code, p.Challenge)
	if err != nil {
		return Grant{}, "", artwork.Wrap(artwork.Internal, "signin.External", err)
	}
	if somebody.Role == "" {
		return Grant{}, "", artwork.Errorf(artwork.Forbidden, "the identity provider gives you no role here")
	}
	if p.Link != (linking{}) {
		return Grant{}, p.ReturnTo, e.link(ctx, from, p.Link, somebody)
	}
	user, err := e.userOf(ctx, from, somebody)
	if err != nil {
		return Grant{}, "", err
	}
	granted, err = e.granter.begin(ctx, from, user, account.ByOpenID, "")
	return granted, p.ReturnTo, err
}

// link links the identity to who has asked for it, if they still are signed in.
func (e *ExternalSignIn) link(ctx context.Context, from artwork.Actor, who linking, somebody External) error {
	user, err := e.recent.Find(ctx, who.Session)
	if artwork.KindOf(err) == artwork.NotFound || err == nil && user.ID != who.User {
		return artwork.Errorf(artwork.Unauthenticated, "the session has ended: sign in again")
	}
	if err == nil {
		from.Name, from.ID = user.Username, user.ID
		err = e.accounts.Link(ctx, from, user.ID, somebody.Identity)
	}
	return artwork.Wrap(artwork.Internal, "signin.Link", err)
}

func (e *ExternalSignIn) open(kept []byte) (p pending, err error) {
	text, err := e.keys.Open(externalPurpose, kept, nil)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, err
	}
	if !e.now().Before(p.Until) {
		return p, artwork.Errorf(artwork.Unauthenticated, "that took too long")
	}
	return p, nil
}

// userOf returns the user that the identity is linked to, with the role that the
// provider gives them, or makes one.
func (e *ExternalSignIn) userOf(ctx context.Context, from artwork.Actor, somebody External) (catalog.User, error) {
	found, err := e.accounts.ByIdentity(ctx, somebody.Identity)
	if artwork.KindOf(err) == artwork.NotFound {
		return e.create(ctx, from, somebody)
	}
	if err != nil {
		return catalog.User{}, artwork.Wrap(artwork.Internal, "signin.External", err)
	}
	user := found.User
	if found.Disabled || !somebody.Roles || user.Role == somebody.Role {
		return user, nil // a session of who is disabled is not begun
	}
	user.Role = somebody.Role
	if _, err := e.users.Put(ctx, byProvider(from), user); err != nil {
		return catalog.User{}, artwork.Wrap(artwork.Internal, "signin.External", err)
	}
	e.recent.Forget()
	return user, nil
}

func (e *ExternalSignIn) create(ctx context.Context, from artwork.Actor, somebody External) (catalog.User, error) {
	user := catalog.User{
		ID: artwork.NewID(), Role: somebody.Role, DisplayName: strings.TrimSpace(somebody.DisplayName),
		Username: strings.TrimSpace(cmp.Or(somebody.Username, somebody.Identity.Subject)),
	}
	err := e.accounts.CreateLinked(ctx, byProvider(from), user, somebody.Identity)
	if artwork.KindOf(err) != artwork.Conflict {
		return user, artwork.Wrap(artwork.Internal, "signin.External", err)
	}
	// Another request of the same person may have been first.
	if found, findErr := e.accounts.ByIdentity(ctx, somebody.Identity); findErr == nil {
		return found.User, nil
	}
	return catalog.User{}, &artwork.Error{
		Kind: artwork.Conflict, Op: "signin.External", Err: err,
		Msg: "there is a user with your name already, who is not linked to the identity provider",
	}
}

// byProvider is who makes and changes users because of what a provider says.
func byProvider(from artwork.Actor) artwork.Actor {
	from.Name = "identity provider"
	return from
}
