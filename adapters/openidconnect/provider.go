// Package openidconnect lets an OpenID Connect provider say who somebody is, by the
// authorization code flow with PKCE.
package openidconnect

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"gatefold/application/signin"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
)

const (
	timeout = 10 * time.Second // of each request to the provider
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 1 << 20
)

// Config says which provider is asked, and as whom.
type Config struct {
	Issuer       string // "" if there is none
	ClientID     string
	ClientSecret string // "" for a public client
	RedirectURL  string // of this deployment, as the provider knows it
	Scopes       []string
	Roles        Roles
}

// Provider is a signin.IdentityProvider. What the provider says of itself is asked for
// when it is needed first, and again until it answers: that it cannot be reached keeps
// nothing from starting.
type Provider struct {
	cfg  Config
	http *http.Client

	turn  chan struct{} // holds an element while known is looked at
	known *oidc.Provider
}

var _ signin.IdentityProvider = (*Provider)(nil)

// New returns the provider, which is not asked yet.
func New(cfg Config) *Provider {
	return &Provider{cfg: cfg, http: &http.Client{Timeout: timeout, Transport: bounded{http.DefaultTransport}}, turn: make(chan struct{}, 1)}
}

// bounded answers with no more than maxAnswer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(req)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// discover returns what the provider says of itself (OpenID Connect Discovery 1.0).
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.turn }()
	if p.known != nil {
		return p.known, nil
	}
	// Its keys are asked for later, with this context too.
	known, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.http), p.cfg.Issuer)
	if err != nil {
		return nil, unreachable(err)
	}
	p.known = known
	return known, nil
}

func unreachable(err error) error {
	return &artwork.Error{Kind: artwork.Unavailable, Op: "openidconnect", Msg: "the identity provider cannot be reached, or is not one", Err: err}
}

func (p *Provider) client(known *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, RedirectURL: p.cfg.RedirectURL,
		Endpoint: known.Endpoint(), Scopes: p.cfg.Scopes,
	}
}

// AuthURL implements signin.IdentityProvider.
func (p *Provider) AuthURL(ctx context.Context, challenge signin.Challenge) (string, error) {
	known, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return p.client(known).AuthCodeURL(challenge.State, oidc.Nonce(challenge.Nonce), oauth2.S256ChallengeOption(challenge.Verifier)), nil
}

// Exchange implements signin.IdentityProvider.
func (p *Provider) Exchange(ctx context.Context, code string, challenge signin.Challenge) (signin.External, error) {
	known, err := p.discover(ctx)
	if err != nil {
		return signin.External{}, err
	}
	ctx = oidc.ClientContext(ctx, p.http)
	tokens, err := p.client(known).Exchange(ctx, code, oauth2.VerifierOption(challenge.Verifier))
	if err != nil {
		return signin.External{}, refusedOr(ctx, err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := known.VerifierContext(ctx, &oidc.Config{ClientID: p.cfg.ClientID}).Verify(ctx, raw)
	if err != nil {
		return signin.External{}, refused(err)
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(challenge.Nonce)) != 1 {
		return signin.External{}, refused(errors.New("the token has another nonce"))
	}
	return p.external(token)
}

// refusedOr tells what the provider refuses from what it could not be asked.
func refusedOr(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok && answer.Response.StatusCode < http.StatusInternalServerError {
		// Without the body of the answer, which could repeat the code.
		return refused(errors.New("the token endpoint answers " + answer.Response.Status))
	}
	return unreachable(errors.New("the token endpoint does not answer"))
}

func refused(err error) error {
	return &artwork.Error{Kind: artwork.Unauthenticated, Op: "openidconnect", Msg: "the identity provider's answer is not valid: sign in again", Err: err}
}

// external reads the claims (OpenID Connect Core 1.0, 5.1).
func (p *Provider) external(token *oidc.IDToken) (signin.External, error) {
	var named struct {
		Username string `json:"preferred_username"`
		Name     string `json:"name"`
		Email    string `json:"email"`
	}
	var all map[string]any
	if err := errors.Join(token.Claims(&named), token.Claims(&all)); err != nil {
		return signin.External{}, refused(err)
	}
	if named.Username == "" {
		named.Username = named.Email
	}
	role, decides := p.cfg.Roles.of(all)
	return signin.External{
		Identity: account.Identity{Issuer: token.Issuer, Subject: token.Subject},
		Username: named.Username, DisplayName: named.Name, Role: role, Roles: decides,
	}, nil
}
