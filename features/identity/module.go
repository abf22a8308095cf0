// Package identity plugs in how users sign in: with a password, with an identity
// provider, and for how long.
package identity

import (
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/argon2hash"
	"gatefold/adapters/jwttokens"
	"gatefold/adapters/openidconnect"
	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/application/keyring"
	"gatefold/application/manageaccounts"
	"gatefold/application/signin"
	"gatefold/domain/account"
	"gatefold/domain/catalog"
)

// Config says how long credentials last, and which identity provider is asked.
type Config struct {
	Lives    signin.Config
	Provider openidconnect.Config // without an issuer: none
}

// Module provides the use cases of signin and manageaccounts, and their routes.
func Module(cfg Config) fx.Option {
	return fx.Module("identity",
		fx.Supply(cfg, cfg.Lives),
		fx.Provide(
			fx.Annotate(newHasher, fx.As(new(signin.Hasher))),
			fx.Annotate(newAccessTokens, fx.As(new(signin.AccessTokens))),
			signin.NewRecent,
			signin.NewGranter,
			signin.NewAuthenticate,
			signin.NewPassword,
			signin.NewFirstRun,
			newExternalSignIn,
			manageaccounts.New,
			accesstoken.NewManage,
			fx.Annotate(rest.NewAuth, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewAccounts, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

func newHasher() *argon2hash.Hasher { return argon2hash.New(argon2hash.DefaultLimits) }

func newAccessTokens(keys *keyring.Keyring) *jwttokens.Tokens { return jwttokens.New(keys, time.Now) }

func newExternalSignIn(cfg Config, accounts account.Accounts, users catalog.Users, recent *signin.Recent, granter *signin.Granter, keys *keyring.Keyring) *signin.ExternalSignIn {
	var provider signin.IdentityProvider
	if cfg.Provider.Issuer != "" {
		provider = openidconnect.New(cfg.Provider)
	}
	return signin.NewExternalSignIn(provider, accounts, users, recent, granter, keys)
}
