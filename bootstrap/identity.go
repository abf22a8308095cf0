package bootstrap

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/openidconnect"
	"gatefold/application/accesstoken"
	"gatefold/application/manageaccounts"
	"gatefold/application/signin"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/features/identity"
)

// identityVariables are the settings of how users sign in.
type identityVariables struct {
	AdminUsername   string `env:"ADMIN_USERNAME"`
	AdminPassword   string `env:"ADMIN_PASSWORD"`
	AccessTokenTTL  string `env:"ACCESS_TOKEN_TTL" envDefault:"24h"`
	RefreshTokenTTL string `env:"REFRESH_TOKEN_TTL" envDefault:"168h"`
	SessionMaxAge   string `env:"SESSION_MAX_AGE" envDefault:"30d"`
	Issuer          string `env:"OIDC_ISSUER"`
	ClientID        string `env:"OIDC_CLIENT_ID"`
	ClientSecret    string `env:"OIDC_CLIENT_SECRET"`
	RedirectURL     string `env:"OIDC_REDIRECT_URL"`
	Scopes          string `env:"OIDC_SCOPES" envDefault:"openid profile email"`
	RoleClaim       string `env:"OIDC_ROLE_CLAIM" envDefault:"groups"`
	RoleAdmin       string `env:"OIDC_ROLE_ADMIN"`
	RoleEditor      string `env:"OIDC_ROLE_EDITOR"`
	RoleUser        string `env:"OIDC_ROLE_USER"`
}

// firstAdmin is the administrator that is made if there is none. Printed, it shows no
// password.
type firstAdmin struct{ username, password string }

// String is the name.
func (a firstAdmin) String() string { return a.username }

// GoString is the name.
func (a firstAdmin) GoString() string { return a.username }

func (c *checker) firstAdmin(v identityVariables) firstAdmin {
	if (v.AdminUsername == "") != (v.AdminPassword == "") {
		c.fail("ADMIN_USERNAME", "goes with ADMIN_PASSWORD, and the reverse")
		return firstAdmin{}
	}
	if v.AdminUsername == "" {
		return firstAdmin{}
	}
	if err := catalog.CheckName("the name", v.AdminUsername); err != nil {
		c.fail("ADMIN_USERNAME", "%v", err)
	}
	if err := account.CheckPassword(v.AdminPassword); err != nil {
		c.fail("ADMIN_PASSWORD", "%v", err) // it does not repeat it
	}
	return firstAdmin{v.AdminUsername, v.AdminPassword}
}

func (c *checker) identity(v identityVariables) identity.Config {
	cfg := identity.Config{Lives: signin.Config{
		AccessLife:  c.duration("ACCESS_TOKEN_TTL", v.AccessTokenTTL, time.Minute, 7*24*time.Hour),
		RefreshLife: c.duration("REFRESH_TOKEN_TTL", v.RefreshTokenTTL, time.Minute, 400*24*time.Hour),
		MaxAge:      c.days("SESSION_MAX_AGE", v.SessionMaxAge, 3650),
	}}
	if v.Issuer == "" {
		for name, value := range map[string]string{"OIDC_CLIENT_ID": v.ClientID, "OIDC_CLIENT_SECRET": v.ClientSecret, "OIDC_REDIRECT_URL": v.RedirectURL} {
			if value != "" {
				c.fail(name, "goes with OIDC_ISSUER")
			}
		}
		return cfg
	}
	c.webURL("OIDC_ISSUER", v.Issuer)
	c.webURL("OIDC_REDIRECT_URL", v.RedirectURL)
	if v.ClientID == "" {
		c.fail("OIDC_CLIENT_ID", "OIDC_ISSUER needs one")
	}
	scopes := listed(v.Scopes)
	if !strings.Contains(" "+strings.Join(scopes, " ")+" ", " openid ") {
		c.fail("OIDC_SCOPES", "openid must be one of them")
	}
	cfg.Provider = openidconnect.Config{
		Issuer: v.Issuer, ClientID: v.ClientID, ClientSecret: v.ClientSecret, RedirectURL: v.RedirectURL, Scopes: scopes,
		Roles: openidconnect.Roles{Claim: v.RoleClaim, Admin: values(v.RoleAdmin), Editor: values(v.RoleEditor), User: values(v.RoleUser)},
	}
	return cfg
}

// values returns what is separated by commas: names of groups have spaces.
func values(list string) (found []string) {
	for value := range strings.SplitSeq(list, ",") {
		if value = strings.TrimSpace(value); value != "" {
			found = append(found, value)
		}
	}
	return found
}

// webURL refuses what is no URL of a web server, and one that is not encrypted unless
// it is on this machine: who listens could sign in.
func (c *checker) webURL(variable, value string) {
	parsed, err := url.Parse(value)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
		c.fail(variable, "needs a URL such as https://login.example.org/") // a value may have a secret
		return
	}
	ip := net.ParseIP(parsed.Hostname())
	local := parsed.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !local) {
		c.fail(variable, "must begin with https://; http:// is for this machine only")
	}
}

// ensureFirstAdmin makes the administrator that the configuration names, if there is none,
// before anybody is served: whoever finds the instance ready can sign in. That there is
// no administrator keeps nobody from being served.
func ensureFirstAdmin(lc fx.Lifecycle, cfg Config, firstRun *signin.FirstRun, log *slog.Logger) {
	if cfg.FirstAdmin.username == "" {
		return
	}
	lc.Append(fx.StartHook(func(ctx context.Context) {
		created, err := firstRun.Ensure(ctx, cfg.FirstAdmin.username, cfg.FirstAdmin.password)
		if created {
			log.Info("The first administrator was created", "username", cfg.FirstAdmin.username)
		}
		tellFirstRun(log, err)
	}))
}

// offerFirstRun tells the log where somebody can become the first administrator, as long
// as there is none and the configuration names none.
func offerFirstRun(lc fx.Lifecycle, cfg Config, serving *serving, firstRun *signin.FirstRun, log *slog.Logger) {
	if cfg.FirstAdmin.username != "" {
		return
	}
	lc.Append(fx.StartHook(func(ctx context.Context) {
		token, err := firstRun.Offer(ctx)
		if token != "" {
			log.Warn("There is no administrator yet: whoever opens this link first becomes one. It is good for one hour; a restart gives another",
				"link", "http://"+browsable(serving.listener.Addr())+"/api/auth/first-run?token="+token)
		}
		tellFirstRun(log, err)
	}))
}

func tellFirstRun(log *slog.Logger, err error) {
	if err != nil {
		log.Error("There is no first administrator: gatefold user create --role admin makes one", "error", err.Error())
	}
}

// ListTokens implements control.AccountManager.
func (o *operations) ListTokens(ctx context.Context) ([]accesstoken.Token, error) {
	tokens, err := o.issued.List(ctx)
	for i := range tokens {
		tokens[i].Hash = [sha256.Size]byte{} // nobody needs it
	}
	return tokens, err
}

// RevokeToken implements control.AccountManager.
func (o *operations) RevokeToken(ctx context.Context, id artwork.ID) error {
	return o.issued.Revoke(ctx, commandLine, id)
}

// ListUsers implements control.AccountManager.
func (o *operations) ListUsers(ctx context.Context) ([]account.Account, error) {
	accounts, err := o.accounts.List(ctx)
	for i := range accounts {
		if accounts[i].PasswordHash != "" {
			accounts[i].PasswordHash = "set" // what it is goes nowhere
		}
	}
	return accounts, err
}

// CreateUser implements control.AccountManager.
func (o *operations) CreateUser(ctx context.Context, in manageaccounts.CreateIn) (artwork.ID, error) {
	user, err := o.accounts.Create(ctx, commandLine, in)
	return user.ID, err
}

// SetPassword implements control.AccountManager.
func (o *operations) SetPassword(ctx context.Context, username, password string) error {
	found, err := o.accounts.Named(ctx, username)
	if err != nil {
		return err
	}
	return o.accounts.SetPassword(ctx, commandLine, found.User.ID, password, artwork.ID{})
}

// SetDisabled implements control.AccountManager.
func (o *operations) SetDisabled(ctx context.Context, username string, disabled bool) error {
	found, err := o.accounts.Named(ctx, username)
	if err != nil {
		return err
	}
	return o.accounts.SetDisabled(ctx, commandLine, found.User.ID, disabled)
}
