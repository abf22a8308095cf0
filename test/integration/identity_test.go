package integration

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/manageaccounts"
	"gatefold/application/signin"
	"gatefold/domain/catalog"
	"gatefold/test/musicfixture"
	"gatefold/test/oidcfixture"
)

const aPassword = "correct horse battery staple"

var aPicture = musicfixture.Picture(30, 30, 1)

// asAdmin has an instance make its first administrator.
var asAdmin = []string{"ADMIN_USERNAME=admin", "ADMIN_PASSWORD=" + aPassword}

// signed is what somebody gets who has signed in.
type signed struct{ access, refresh string }

func (in *instance) postJSON(path string, body any, header ...string) answer {
	in.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(in.t, err)
	return in.do(http.MethodPost, path, strings.NewReader(string(text)), header...)
}

func (in *instance) login(username, password string) answer {
	in.t.Helper()
	return in.postJSON("/api/auth/login", map[string]any{"username": username, "password": password})
}

func (in *instance) signIn(username string) signed {
	in.t.Helper()
	return in.signedOf(in.login(username, aPassword))
}

func (in *instance) signedOf(a answer) signed {
	in.t.Helper()
	require.Less(in.t, a.StatusCode, 300, string(a.body))
	require.Equal(in.t, "no-store", a.Header.Get("Cache-Control"))
	got := a.json(in.t)
	return signed{got["accessToken"].(string), got["refreshToken"].(string)}
}

func (in *instance) refresh(token string) answer {
	in.t.Helper()
	return in.postJSON("/api/auth/refresh", map[string]any{"refreshToken": token})
}

// me returns how the credential is answered.
func (in *instance) me(access string) int {
	in.t.Helper()
	return in.get("/api/auth/me", "Authorization", "Bearer "+access).StatusCode
}

// onPairs runs a test on two instances of one deployment, or on one twice where there
// can only be one.
func onPairs(t *testing.T, test func(t *testing.T, one, two *instance)) {
	for _, name := range []string{"memory and SQLite", "two-level and Postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := combinations[name](t)
			one := d.start(t, asAdmin...)
			two := one
			if d.shared {
				two = d.start(t, asAdmin...)
			}
			test(t, one, two)
		})
	}
}

// eventually waits for what holds within the bound of revocations.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, signin.RevocationBound+10*time.Second, 50*time.Millisecond)
}

func TestSigningInAndOut(t *testing.T) {
	t.Parallel()
	onPairs(t, func(t *testing.T, one, two *instance) {
		requireProblem(t, one.login("admin", "another password"), http.StatusUnauthorized, "unauthenticated")
		requireProblem(t, one.login("nobody", aPassword), http.StatusUnauthorized, "unauthenticated")
		first := one.login("ADMIN", aPassword)
		got := first.json(t)
		user := got["user"].(map[string]any)
		require.Equal(t, "admin", user["username"])
		require.Equal(t, "admin", user["role"])
		require.Equal(t, "Bearer", got["tokenType"])
		require.InDelta(t, 24*60*60, got["expiresIn"], 60)
		mine := one.signedOf(first)

		me := two.get("/api/auth/me", "Authorization", "Bearer "+mine.access).json(t)
		require.Equal(t, "user", me["kind"])
		require.Equal(t, "admin", me["scope"])
		require.Equal(t, user["id"], me["id"])
		token := two.get("/api/auth/me", "Authorization", "Bearer "+one.token).json(t)
		require.Equal(t, "token", token["kind"])
		require.NotContains(t, token, "user")

		other := two.signIn("admin")
		out := one.do(http.MethodPost, "/api/auth/logout", nil, "Authorization", "Bearer "+mine.access)
		require.Equal(t, http.StatusNoContent, out.StatusCode)
		require.Equal(t, http.StatusUnauthorized, one.me(mine.access), "at once where it was said")
		eventually(t, func() bool { return two.me(mine.access) == http.StatusUnauthorized })
		requireProblem(t, two.refresh(mine.refresh), http.StatusUnauthorized, "unauthenticated")
		require.Equal(t, http.StatusOK, one.me(other.access), "the other session goes on")

		third := one.signIn("admin")
		require.Equal(t, http.StatusNoContent, two.postJSON("/api/auth/logout", map[string]any{"refreshToken": other.refresh, "everywhere": true}).StatusCode)
		require.Equal(t, http.StatusUnauthorized, two.me(third.access))
		eventually(t, func() bool {
			return one.me(third.access) == http.StatusUnauthorized && one.me(other.access) == http.StatusUnauthorized
		})
		requireProblem(t, one.do(http.MethodPost, "/api/auth/logout", nil), http.StatusUnauthorized, "unauthenticated")
		requireProblem(t, one.do(http.MethodPost, "/api/auth/logout", nil, "Authorization", "Bearer "+one.token), http.StatusForbidden, "forbidden")
		for _, log := range []string{one.log.String(), two.log.String()} {
			for _, secret := range []string{aPassword, mine.access, mine.refresh, other.refresh} {
				require.NotContains(t, log, secret, "a secret in the log")
			}
		}
	})
}

// TestARefreshTokenUsedTwiceEndsTheFamily: on every instance, also what the thief got.
func TestARefreshTokenUsedTwiceEndsTheFamily(t *testing.T) {
	t.Parallel()
	onPairs(t, func(t *testing.T, one, two *instance) {
		first := one.signIn("admin")
		second := two.signedOf(two.refresh(first.refresh))
		repeated := one.signedOf(one.refresh(first.refresh))
		require.Equal(t, second.refresh, repeated.refresh, "an answer that was lost comes again")
		third := one.signedOf(one.refresh(second.refresh))
		require.Equal(t, http.StatusOK, two.me(third.access))

		requireProblem(t, two.refresh(first.refresh), http.StatusUnauthorized, "unauthenticated")
		for _, ended := range []signed{first, second, third} {
			requireProblem(t, one.refresh(ended.refresh), http.StatusUnauthorized, "unauthenticated")
			eventually(t, func() bool { return one.me(ended.access) == http.StatusUnauthorized })
			require.Equal(t, http.StatusUnauthorized, two.me(ended.access))
		}
		entries := one.activity("&action=session.reuse")
		require.Len(t, entries, 1)
		require.Equal(t, "admin", entries[0]["actor"])
	})
}

// TestTwoWindowsRefreshAtOnce: on two instances; both go on.
func TestTwoWindowsRefreshAtOnce(t *testing.T) {
	t.Parallel()
	onPairs(t, func(t *testing.T, one, two *instance) {
		first := one.signIn("admin")
		answers := make([]answer, 6)
		var done sync.WaitGroup
		for i := range answers {
			done.Go(func() { answers[i] = []*instance{one, two}[i%2].refresh(first.refresh) })
		}
		done.Wait()
		for _, a := range answers {
			require.Equal(t, one.signedOf(answers[0]).refresh, one.signedOf(a).refresh)
		}
		require.Equal(t, http.StatusOK, two.refresh(one.signedOf(answers[0]).refresh).StatusCode)
	})
}

// TestAccessIsTakenAway: whatever is changed, sessions that are under way hear of it.
func TestAccessIsTakenAway(t *testing.T) {
	t.Parallel()
	onPairs(t, func(t *testing.T, one, two *instance) {
		id, err := one.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: "ana", Role: catalog.RoleEditor, Password: aPassword})
		require.NoError(t, err)
		ana := "/api/users/" + id.String()
		may := func(in *instance, access string) int {
			return in.do(http.MethodPut, "/api/artists/"+artistID, strings.NewReader(`{"name":"Ñ"}`), "Authorization", "Bearer "+access).StatusCode
		}
		session := two.signIn("ana")
		require.Equal(t, http.StatusCreated, may(two, session.access))

		require.Equal(t, http.StatusOK, one.send(http.MethodPut, ana, map[string]any{"username": "ana", "role": "user"}).StatusCode)
		eventually(t, func() bool { return may(two, session.access) == http.StatusForbidden })

		another := "another horse battery staple"
		require.Equal(t, http.StatusNoContent, one.send(http.MethodPut, ana+"/password", map[string]any{"password": another}).StatusCode)
		eventually(t, func() bool { return two.me(session.access) == http.StatusUnauthorized })
		requireProblem(t, two.login("ana", aPassword), http.StatusUnauthorized, "unauthenticated")
		session = two.signedOf(two.login("ana", another))

		require.Equal(t, http.StatusNoContent, one.send(http.MethodPut, ana+"/disabled", map[string]any{"disabled": true}).StatusCode)
		eventually(t, func() bool { return two.me(session.access) == http.StatusUnauthorized })
		requireProblem(t, two.refresh(session.refresh), http.StatusUnauthorized, "unauthenticated")
		requireProblem(t, two.login("ana", another), http.StatusUnauthorized, "unauthenticated")
		require.Equal(t, http.StatusNoContent, one.send(http.MethodPut, ana+"/disabled", map[string]any{"disabled": false}).StatusCode)
		require.Equal(t, http.StatusUnauthorized, two.me(session.access))

		session, kept := two.signedOf(two.login("ana", another)), one.signedOf(one.login("ana", another))
		change := func(current, next string) answer {
			return one.postJSON("/api/auth/password", map[string]any{"currentPassword": current, "newPassword": next}, "Authorization", "Bearer "+kept.access)
		}
		requireProblem(t, change("wrong", aPassword), http.StatusForbidden, "forbidden")
		requireProblem(t, change(another, "short"), http.StatusBadRequest, "invalid_input")
		require.Equal(t, http.StatusNoContent, change(another, aPassword).StatusCode)
		require.Equal(t, http.StatusOK, one.me(kept.access), "who changes it stays")
		eventually(t, func() bool { return two.me(session.access) == http.StatusUnauthorized })
	})
}

// TestAnAccountFromOutside cannot sign in until it is given a password.
func TestAnAccountFromOutside(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t)
	in.putUser(userID, "José")
	requireProblem(t, in.login("josé", ""), http.StatusUnauthorized, "unauthenticated")
	requireProblem(t, in.send(http.MethodPut, "/api/users/"+userID, map[string]any{"username": "José", "password": aPassword}), http.StatusBadRequest, "invalid_input")
	requireProblem(t, in.send(http.MethodPut, "/api/users/"+userID+"/password", map[string]any{"password": "short"}), http.StatusBadRequest, "invalid_input")
	require.Equal(t, http.StatusNoContent, in.send(http.MethodPut, "/api/users/"+userID+"/password", map[string]any{"password": aPassword}).StatusCode)
	in.signIn("JOSE\u0301")
	requireProblem(t, in.send(http.MethodPut, "/api/users/"+albumID, map[string]any{"username": "JOSÉ"}), http.StatusConflict, "conflict")
}

// TestGuessingMeets429: for a name that there is, and for one that there is not; the
// right password does not help.
func TestGuessingMeets429(t *testing.T) {
	t.Parallel()
	onPairs(t, func(t *testing.T, one, two *instance) {
		for _, name := range []string{"admin", "nobody"} {
			for n := range 10 {
				requireProblem(t, []*instance{one, two}[n%2].login(name, "guess"), http.StatusUnauthorized, "unauthenticated")
			}
			for _, in := range []*instance{one, two} {
				refused := in.login(name, aPassword)
				requireProblem(t, refused, http.StatusTooManyRequests, "too_many_requests")
				require.Regexp(t, "^([1-9]|[12][0-9]|30)$", refused.Header.Get("Retry-After"))
			}
		}
		require.Len(t, one.activity("&action=session.failure"), 2)
	})
}

var linkPattern = regexp.MustCompile(`link="?http://[^/]+(/api/auth/first-run\?token=([A-Za-z0-9_-]+))`)

// TestTheFirstRun: whoever opens the link first becomes the administrator, on whichever
// instance, and nobody after that.
func TestTheFirstRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"memory and SQLite", "two-level and Postgres"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := combinations[name](t)
			one := d.start(t)
			instances := []*instance{one}
			if d.shared {
				instances = append(instances, d.start(t))
			}
			var links [][]string
			for _, in := range instances {
				found := linkPattern.FindStringSubmatch(in.log.String())
				require.NotNil(t, found, in.log.String())
				links = append(links, found)
			}
			page := one.get(links[0][1])
			require.Equal(t, http.StatusOK, page.StatusCode)
			require.Contains(t, string(page.body), links[0][2])
			require.Equal(t, "no-referrer", page.Header.Get("Referrer-Policy"))
			require.Contains(t, page.Header.Get("Content-Security-Policy"), "default-src 'none'")

			claim := func(token, username string) answer {
				return one.postJSON("/api/auth/first-run", map[string]any{"token": token, "username": username, "password": aPassword})
			}
			requireProblem(t, claim("gff_"+strings.Repeat("A", 43), "eva"), http.StatusUnauthorized, "unauthenticated")
			answers := make([]answer, 6)
			var done sync.WaitGroup
			for i := range answers {
				done.Go(func() { answers[i] = claim(links[i%len(links)][2], "admin"+itoa(i)) })
			}
			done.Wait()
			created := 0
			for _, a := range answers {
				if a.StatusCode == http.StatusCreated {
					created++
					require.Equal(t, http.StatusOK, one.me(one.signedOf(a).access))
				} else {
					requireProblem(t, a, http.StatusConflict, "conflict")
				}
			}
			require.Equal(t, 1, created)
			for _, link := range links {
				requireProblem(t, claim(link[2], "eva"), http.StatusConflict, "conflict")
			}
			if d.shared {
				require.NotRegexp(t, linkPattern, d.start(t, asAdmin...).log.String())
				requireProblem(t, one.login("admin", aPassword), http.StatusUnauthorized, "unauthenticated")
			}
		})
	}
}

// TestTheFirstAdministratorIsThereFirst: whoever finds the instance ready can sign in.
func TestTheFirstAdministratorIsThereFirst(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t, asAdmin...)
	in.signIn("admin")
	require.Regexp(t, `(?s)The first administrator was created.*Gatefold is serving`, in.log.String())
}

// TestTheFirstRunByForm is what a browser does with the page.
func TestTheFirstRunByForm(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t)
	token := linkPattern.FindStringSubmatch(in.log.String())[2]
	claim := func(token, password string) answer {
		form := url.Values{"token": {token}, "username": {"<b>ana"}, "password": {password}}
		return in.do(http.MethodPost, "/api/auth/first-run", strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded")
	}
	page := in.get("/api/auth/first-run?token=" + token)
	_, style, _ := strings.Cut(string(page.body), "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	require.Contains(t, page.Header.Get("Content-Security-Policy"), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"';", "the page looks as it is written")
	send := func(password string) answer { return claim(token, password) }
	require.Equal(t, http.StatusUnauthorized, claim("gff_wrong", aPassword).StatusCode)
	short := send("short")
	require.Equal(t, http.StatusBadRequest, short.StatusCode)
	require.Contains(t, string(short.body), "a password has 10 to 256 characters")
	require.Contains(t, string(short.body), "&lt;b&gt;ana")
	done := send(aPassword)
	require.Equal(t, http.StatusCreated, done.StatusCode)
	require.Len(t, done.Cookies(), 2)
	require.Contains(t, string(done.body), `href="/admin/"`)
	require.Equal(t, http.StatusConflict, send(aPassword).StatusCode)
}

// browser keeps cookies, and sends what browsers do.
type browser struct {
	in     *instance
	client http.Client
	header []string // with every request
}

func newBrowser(t *testing.T, in *instance, header ...string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{in: in, header: header, client: http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// reply is what a browser looks at of an answer.
type reply struct {
	StatusCode int
	Header     http.Header
	body       string
}

func (b *browser) send(method, path, body string, header ...string) reply {
	b.in.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.in.base + path
	}
	req, err := http.NewRequestWithContext(b.in.t.Context(), method, path, strings.NewReader(body))
	require.NoError(b.in.t, err)
	header = append(header, b.header...)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.client.Do(req)
	require.NoError(b.in.t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(b.in.t, err)
	require.NoError(b.in.t, resp.Body.Close())
	return reply{resp.StatusCode, resp.Header, string(text)}
}

const cookieLogin = `{"username":"admin","password":"` + aPassword + `","cookie":true}`

func TestCookies(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t, asAdmin...)
	b := newBrowser(t, in)
	const put, artist = `{"name":"Ñ"}`, "/api/artists/" + artistID
	require.Equal(t, http.StatusForbidden, b.send(http.MethodPost, "/api/auth/login", cookieLogin).StatusCode, "it does not say where it comes from")
	require.Equal(t, http.StatusForbidden, b.send(http.MethodPost, "/api/auth/login", cookieLogin, "Sec-Fetch-Site", "cross-site").StatusCode)
	in.t = t
	granted := in.do(http.MethodPost, "/api/auth/login", strings.NewReader(cookieLogin), "Origin", in.base)
	require.NotContains(t, granted.json(t), "accessToken")
	require.NotContains(t, granted.json(t), "refreshToken")
	for _, cookie := range granted.Cookies() {
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
		require.Equal(t, map[string]string{"gatefold_session": "/", "gatefold_refresh": "/api/auth/"}[cookie.Name], cookie.Path)
	}
	require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/api/auth/login", cookieLogin, "Sec-Fetch-Site", "same-origin").StatusCode)
	require.Equal(t, http.StatusOK, b.send(http.MethodGet, "/api/auth/me", "").StatusCode)
	require.Equal(t, http.StatusUnauthorized, b.send(http.MethodGet, "/api/auth/me", "", "Authorization", "Bearer gf_wrong").StatusCode, "the header counts")

	for name, c := range map[string]struct {
		header []string
		want   int
	}{
		"says nothing": {nil, http.StatusForbidden}, "another site": {[]string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"a site beside it": {[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden}, "no origin": {[]string{"Origin", "null"}, http.StatusForbidden},
		"lies": {[]string{"Sec-Fetch-Site", "cross-site", "Origin", in.base}, http.StatusForbidden},
		"this": {[]string{"Sec-Fetch-Site", "same-origin"}, 0}, "this, in an old browser": {[]string{"Origin", in.base}, 0},
	} {
		got := b.send(http.MethodPut, artist, put, c.header...).StatusCode
		if c.want == 0 {
			require.Less(t, got, 300, name)
		} else {
			require.Equal(t, c.want, got, name)
		}
	}
	require.Equal(t, http.StatusForbidden, b.send(http.MethodPost, "/api/auth/refresh", "").StatusCode)
	require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/api/auth/refresh", "", "Origin", in.base).StatusCode)
	require.Equal(t, http.StatusForbidden, b.send(http.MethodPost, "/api/auth/logout", "").StatusCode)
	require.Equal(t, http.StatusNoContent, b.send(http.MethodPost, "/api/auth/logout", "", "Origin", in.base).StatusCode)
	require.Equal(t, http.StatusUnauthorized, b.send(http.MethodGet, "/api/auth/me", "").StatusCode)
	address, err := url.Parse(in.base + "/api/auth/")
	require.NoError(t, err)
	require.Empty(t, b.client.Jar.Cookies(address))
}

// TestCookiesBehindAProxy are for encrypted connections only, if the proxy says that
// they are.
func TestCookiesBehindAProxy(t *testing.T) {
	t.Parallel()
	login := func(in *instance, header ...string) map[string]*http.Cookie {
		cookies := map[string]*http.Cookie{}
		for _, cookie := range in.do(http.MethodPost, "/api/auth/login", strings.NewReader(cookieLogin), append(header, "Origin", in.base)...).Cookies() {
			cookies[cookie.Name] = cookie
		}
		require.Len(t, cookies, 2)
		return cookies
	}
	d := combinations["memory and SQLite"]
	in := d(t).start(t, append(asAdmin, "TRUSTED_PROXIES=127.0.0.1")...)
	cookies := login(in, "X-Forwarded-Proto", "https")
	for _, name := range []string{"__Host-gatefold_session", "__Secure-gatefold_refresh"} {
		require.True(t, cookies[name].Secure)
	}
	session := cookies["__Host-gatefold_session"].Value
	require.Equal(t, http.StatusOK, in.get("/api/auth/me", "X-Forwarded-Proto", "https", "Cookie", "__Host-gatefold_session="+session).StatusCode)
	require.Equal(t, http.StatusUnauthorized, in.get("/api/auth/me", "X-Forwarded-Proto", "https", "Cookie", "gatefold_session="+session).StatusCode)
	stranger := d(t).start(t, asAdmin...)
	require.Contains(t, login(stranger, "X-Forwarded-Proto", "https"), "gatefold_session", "who is no proxy is not believed")
}

// TestSigningInWithAnIdentityProvider: which is down at the start.
func TestSigningInWithAnIdentityProvider(t *testing.T) {
	t.Parallel()
	provider := oidcfixture.New(t)
	provider.SetDown(true)
	in := combinations["memory and SQLite"](t).start(t, append(asAdmin, "OIDC_ISSUER="+provider.Issuer, "OIDC_CLIENT_ID="+oidcfixture.ClientID,
		"OIDC_CLIENT_SECRET="+oidcfixture.ClientSecret, "OIDC_REDIRECT_URL=http://localhost:1/api/auth/oidc/callback", "OIDC_ROLE_EDITOR=librarians")...)
	b := newBrowser(t, in)
	require.Equal(t, map[string]any{"password": true, "identityProvider": true}, in.get("/api/auth/methods").json(t))
	require.Equal(t, http.StatusServiceUnavailable, b.send(http.MethodGet, "/api/auth/oidc/login", "").StatusCode)
	provider.SetDown(false)
	for _, elsewhere := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "admin"} {
		require.Equal(t, http.StatusBadRequest, b.send(http.MethodGet, "/api/auth/oidc/login?returnTo="+url.QueryEscape(elsewhere), "").StatusCode)
	}
	provider.Recognise(map[string]any{"sub": "1", "preferred_username": "ana", "groups": []string{"librarians"}})
	visit := func(b *browser) (callback string) {
		sent := b.send(http.MethodGet, "/api/auth/oidc/login?returnTo=/admin/", "")
		require.Equal(t, http.StatusFound, sent.StatusCode)
		back, err := url.Parse(b.send(http.MethodGet, sent.Header.Get("Location"), "").Header.Get("Location"))
		require.NoError(t, err)
		require.Equal(t, "localhost:1", back.Host)
		return back.RequestURI()
	}
	callback := visit(b)
	require.Equal(t, http.StatusUnauthorized, newBrowser(t, in).send(http.MethodGet, callback, "").StatusCode, "another browser")
	done := b.send(http.MethodGet, callback, "")
	require.Equal(t, http.StatusSeeOther, done.StatusCode)
	require.Equal(t, "/admin/", done.Header.Get("Location"))
	require.Equal(t, http.StatusOK, b.send(http.MethodGet, "/api/auth/me", "").StatusCode)
	require.Equal(t, http.StatusUnauthorized, b.send(http.MethodGet, callback, "").StatusCode, "it is good once")
	require.Equal(t, http.StatusUnauthorized, b.send(http.MethodGet, "/api/auth/oidc/callback?error=access_denied", "").StatusCode)

	users := in.send(http.MethodGet, "/api/users?query=ana", nil).json(t)["items"].([]any)
	require.Len(t, users, 1)
	require.Equal(t, "editor", users[0].(map[string]any)["role"])
	require.NoError(t, in.server.SetDisabled(t.Context(), "ana", true))
	require.Equal(t, http.StatusUnauthorized, b.send(http.MethodGet, "/api/auth/me", "").StatusCode)
	require.Equal(t, http.StatusForbidden, b.send(http.MethodGet, visit(b), "").StatusCode)
	provider.Recognise(map[string]any{"sub": "2", "preferred_username": "ADMIN", "groups": []string{"librarians"}})
	require.Equal(t, http.StatusConflict, b.send(http.MethodGet, visit(b), "").StatusCode, "nobody takes over an account by its name")
	require.NotContains(t, in.log.String(), "code=")
	require.NotContains(t, in.log.String(), oidcfixture.ClientSecret)
}

// TestLinkingAnIdentity: to a user who is signed in and confirms it, and not because of a
// name.
func TestLinkingAnIdentity(t *testing.T) {
	t.Parallel()
	provider := oidcfixture.New(t)
	in := combinations["memory and SQLite"](t).start(t, append(asAdmin, "OIDC_ISSUER="+provider.Issuer, "OIDC_CLIENT_ID="+oidcfixture.ClientID,
		"OIDC_CLIENT_SECRET="+oidcfixture.ClientSecret, "OIDC_REDIRECT_URL=http://localhost:1/api/auth/oidc/callback")...)
	id, err := in.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: "ana", Role: catalog.RoleEditor, Password: aPassword})
	require.NoError(t, err)
	provider.Recognise(map[string]any{"sub": "1", "preferred_username": "ana"})
	here := []string{"Sec-Fetch-Site", "same-origin", "Content-Type", "application/json"}
	b := newBrowser(t, in)
	signIn := func() {
		t.Helper()
		require.Equal(t, http.StatusOK, b.send(http.MethodPost, "/api/auth/login", `{"username":"ana","password":"`+aPassword+`","cookie":true}`, here...).StatusCode)
	}
	signIn()
	require.Equal(t, http.StatusForbidden, b.send(http.MethodPost, "/api/auth/oidc/link", `{"currentPassword":"wrong"}`, here...).StatusCode)
	require.Equal(t, http.StatusBadRequest, b.send(http.MethodPost, "/api/auth/oidc/link", `{"currentPassword":"`+aPassword+`","returnTo":"//evil.example"}`, here...).StatusCode)
	begin := func() (callback string) {
		t.Helper()
		begun := b.send(http.MethodPost, "/api/auth/oidc/link", `{"currentPassword":"`+aPassword+`","returnTo":"/admin/"}`, here...)
		require.Equal(t, http.StatusOK, begun.StatusCode, begun.body)
		var answer struct{ URL string }
		require.NoError(t, json.Unmarshal([]byte(begun.body), &answer))
		back, err := url.Parse(b.send(http.MethodGet, answer.URL, "").Header.Get("Location"))
		require.NoError(t, err)
		return back.RequestURI()
	}
	callback := begin()
	require.Equal(t, http.StatusUnauthorized, newBrowser(t, in).send(http.MethodGet, callback, "").StatusCode, "another browser")
	done := b.send(http.MethodGet, callback, "")
	require.Equal(t, http.StatusSeeOther, done.StatusCode)
	require.Equal(t, "/admin/", done.Header.Get("Location"))
	require.Empty(t, in.activity("&action=session.begin")[1:], "to link is not to sign in")
	link := in.activity("&action=user.link")
	require.Len(t, link, 1)
	require.Equal(t, "ana", link[0]["actor"])

	somewhere := newBrowser(t, in)
	sent := somewhere.send(http.MethodGet, "/api/auth/oidc/login?returnTo=/admin/", "")
	back, err := url.Parse(somewhere.send(http.MethodGet, sent.Header.Get("Location"), "").Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, somewhere.send(http.MethodGet, back.RequestURI(), "").StatusCode)
	require.Contains(t, somewhere.send(http.MethodGet, "/api/auth/me", "").body, id.String(), "it is the same user")

	callback = begin()
	require.NoError(t, in.server.SetDisabled(t.Context(), "ana", true))
	require.Equal(t, http.StatusUnauthorized, b.send(http.MethodGet, callback, "").StatusCode, "the session has ended")
}

func TestTokensAreManaged(t *testing.T) {
	t.Parallel()
	onPairs(t, func(t *testing.T, one, two *instance) {
		created := one.send(http.MethodPost, "/api/admin/tokens", map[string]any{"name": "player", "scope": "read", "expiresAt": time.Now().Add(time.Hour).UTC()})
		require.Equal(t, http.StatusCreated, created.StatusCode, string(created.body))
		token := created.json(t)
		secret := token["token"].(string)
		require.Equal(t, http.StatusOK, two.me(secret))
		for _, wrong := range []map[string]any{{"name": "x", "scope": "root"}, {"name": "", "scope": "read"}, {"name": "x", "scope": "read", "expiresAt": "2020-01-01T00:00:00Z"}, {"name": "x", "scope": "read", "hash": "x"}} {
			requireProblem(t, one.send(http.MethodPost, "/api/admin/tokens", wrong), http.StatusBadRequest, "invalid_input")
		}
		listed := one.send(http.MethodGet, "/api/admin/tokens", nil)
		require.NotContains(t, string(listed.body), secret)
		var mine map[string]any
		for _, item := range listed.json(t)["items"].([]any) {
			if item.(map[string]any)["id"] == token["id"] {
				mine = item.(map[string]any)
			}
		}
		require.Equal(t, "player", mine["name"])
		require.NotEmpty(t, mine["lastUsedAt"])
		path := "/api/admin/tokens/" + token["id"].(string)
		require.Equal(t, http.StatusNoContent, one.send(http.MethodDelete, path, nil).StatusCode)
		require.Equal(t, http.StatusUnauthorized, two.me(secret), "at once, everywhere")
		requireProblem(t, one.send(http.MethodDelete, path, nil), http.StatusNotFound, "not_found")
		for action, facts := range map[string]string{"token.create": "after", "token.revoke": "before"} {
			entries := one.activity("&action=" + action)
			require.Equal(t, map[string]any{"kind": "token", "id": token["id"], "name": "player"}, entries[0]["subject"])
			require.Equal(t, "test", entries[0]["actor"])
			require.Equal(t, "read", entries[0][facts].(map[string]any)["scope"])
			require.NotContains(t, entries[0][facts], "token")
		}
	})
}

// TestAccountsAreListed: who can sign in, how, and nothing of their passwords.
func TestAccountsAreListed(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t)
	require.Equal(t, map[string]any{"password": true, "identityProvider": false}, in.get("/api/auth/methods").json(t))
	_, err := in.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: "ana", DisplayName: "Ana Ñandú", Role: catalog.RoleEditor, Password: aPassword})
	require.NoError(t, err)
	const pushed = "01930000-0000-7000-8000-0000000000b1"
	require.Equal(t, http.StatusCreated, in.send(http.MethodPut, "/api/users/"+pushed, map[string]any{"username": "berta"}).StatusCode)
	accounts := func() map[string]map[string]any {
		answer := in.send(http.MethodGet, "/api/admin/accounts", nil)
		require.Equal(t, http.StatusOK, answer.StatusCode, string(answer.body))
		require.NotContains(t, string(answer.body), "argon2")
		byName := map[string]map[string]any{}
		for _, item := range answer.json(t)["items"].([]any) {
			byName[item.(map[string]any)["username"].(string)] = item.(map[string]any)
		}
		return byName
	}
	ana := accounts()["ana"]
	require.Equal(t, "Ana Ñandú", ana["displayName"])
	require.Equal(t, "editor", ana["role"])
	require.Equal(t, true, ana["hasPassword"])
	require.Equal(t, false, ana["disabled"])
	require.NotContains(t, ana, "lastSignInAt")
	require.NotContains(t, accounts(), "berta", "who cannot sign in has no account")

	in.signIn("ana")
	require.NotEmpty(t, accounts()["ana"]["lastSignInAt"])
	require.Equal(t, http.StatusNoContent, in.send(http.MethodPut, "/api/users/"+ana["id"].(string)+"/disabled", map[string]any{"disabled": true}).StatusCode)
	require.Equal(t, http.StatusNoContent, in.send(http.MethodPut, "/api/users/"+pushed+"/password", map[string]any{"password": aPassword}).StatusCode)
	require.Equal(t, true, accounts()["ana"]["disabled"])
	require.Equal(t, true, accounts()["berta"]["hasPassword"])
}

// TestSignInsAreInTheActivityLog: who has signed in is who did it, from where.
func TestSignInsAreInTheActivityLog(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t)
	first := in.postJSON("/api/auth/first-run", map[string]any{"token": linkPattern.FindStringSubmatch(in.log.String())[2], "username": "ana", "password": aPassword},
		"Content-Type", "application/x-www-form-urlencoded") // as curl says unless told otherwise
	require.Equal(t, http.StatusCreated, first.StatusCode, string(first.body))
	mine := in.signIn("ana")
	changed := in.postJSON("/api/auth/password", map[string]any{"currentPassword": aPassword, "newPassword": "another " + aPassword}, "Authorization", "Bearer "+mine.access)
	require.Equal(t, http.StatusNoContent, changed.StatusCode, string(changed.body))
	require.Equal(t, http.StatusNoContent, in.do(http.MethodPost, "/api/auth/logout", nil, "Authorization", "Bearer "+mine.access).StatusCode)
	var actions []any
	for _, entry := range in.activity("&subject=user") {
		actions = append(actions, entry["action"])
		require.Equal(t, "ana", entry["actor"])
		require.Equal(t, "127.0.0.1", entry["address"])
		require.NotEmpty(t, entry["requestId"])
		require.Equal(t, "ana", entry["subject"].(map[string]any)["name"])
	}
	require.Equal(t, []any{"session.end", "user.password", "session.begin", "session.begin", "user.password", "catalog.create"}, actions)
	log := string(in.send(http.MethodGet, "/api/admin/activity?pageSize=200", nil).body)
	for _, secret := range []string{aPassword, mine.access, mine.refresh} {
		require.NotContains(t, log, secret)
	}
}

// TestTheSecretIsReplaced: who is signed in stays so.
func TestTheSecretIsReplaced(t *testing.T) {
	t.Parallel()
	d := combinations["memory and SQLite"](t)
	const before, after = "of-the-tests-and-of-no-deployment", "what-comes-after-it-in-the-tests-only"
	session := func() (mine signed) {
		t.Run("before", func(t *testing.T) { mine = d.start(t, asAdmin...).signIn("admin") })
		return mine
	}()
	in := d.start(t, "AUTH_SECRET="+after, "AUTH_SECRET_PREVIOUS="+before)
	require.Equal(t, http.StatusOK, in.me(session.access))
	in.signedOf(in.refresh(session.refresh))
}

// TestAccountsOnTheCommandLine: beside nothing and beside a server, which carries it out.
func TestAccountsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	d := combinations["memory and SQLite"](t)
	run := func(stdin string, args ...string) (int, string, string) { return gatefoldWith(t, d, stdin, args...) }
	code, id, stderr := run(aPassword+"\n", "user", "create", "ana", "--role", "admin")
	require.Zero(t, code, stderr)
	require.Regexp(t, `^[0-9a-f-]{36}\n$`, id)
	in := d.start(t)
	require.NotRegexp(t, linkPattern, in.log.String())
	session := in.signIn("ana")

	code, _, stderr = run("short", "user", "create", "eva")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "a password has")
	code, _, stderr = run(aPassword, "user", "create", "ANA")
	require.Equal(t, 1, code, stderr)
	code, list, _ := run("", "user", "list")
	require.Zero(t, code)
	require.Regexp(t, `(?m)^ana +admin +password +enabled +20..-..-.. ..:.. +`+strings.TrimSpace(id)+`$`, list)

	code, _, stderr = run("another horse battery staple\n", "user", "passwd", "ana")
	require.Zero(t, code, stderr)
	require.Equal(t, http.StatusUnauthorized, in.me(session.access))
	session = in.signedOf(in.login("ana", "another horse battery staple"))
	code, _, _ = run("", "user", "disable", "ANA")
	require.Zero(t, code)
	require.Equal(t, http.StatusUnauthorized, in.me(session.access))
	code, _, _ = run("", "user", "enable", "ana")
	require.Zero(t, code)
	in.signedOf(in.login("ana", "another horse battery staple"))
	code, _, stderr = run("", "user", "delete", "ana")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "the last administrator")
	code, second, _ := run(aPassword, "user", "create", "leaves", "--role", "admin")
	require.Zero(t, code)
	session = in.signIn("leaves")
	code, _, stderr = run("", "user", "delete", "leaves")
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "Can be restored until 20")
	require.Equal(t, http.StatusUnauthorized, in.me(session.access))
	code, list, _ = run("", "user", "deleted")
	require.Zero(t, code)
	require.Regexp(t, `(?m)^leaves +20..-..-.. ..:.. +command line +20..-..-.. ..:.. +`+strings.TrimSpace(second)+`$`, list)
	code, _, stderr = run("", "user", "restore", strings.TrimSpace(second))
	require.Zero(t, code, stderr)
	in.signIn("leaves")
	code, _, stderr = run("", "user", "disable", "nobody")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, `there is no user "nobody"`)

	code, secret, _ := run("", "token", "create", "--scope", "read", "--name", "player", "--expires", "1h")
	require.Zero(t, code)
	require.Equal(t, http.StatusOK, in.me(strings.TrimSpace(secret)))
	code, list, _ = run("", "token", "list")
	require.Zero(t, code)
	found := regexp.MustCompile(`(?m)^([0-9a-f-]{36}) +player +read `).FindStringSubmatch(list)
	require.NotNil(t, found, list)
	require.NotContains(t, list, strings.TrimSpace(secret))
	code, _, stderr = run("", "token", "revoke", found[1])
	require.Zero(t, code, stderr)
	require.Equal(t, http.StatusUnauthorized, in.me(strings.TrimSpace(secret)))
	code, _, _ = run("", "token", "revoke", found[1])
	require.Equal(t, 1, code)
	for _, entry := range in.activity("&action=user") {
		require.Equal(t, "command line", entry["actor"])
	}
}
