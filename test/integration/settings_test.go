package integration

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatefold/test/providerfixture"
)

const providerPath = "/api/admin/settings/providers/"

// withoutKeys is the deployment with fanart.tv at the fixture, and without keys or other
// providers.
func withoutKeys(t *testing.T, d deployment) (deployment, *providerfixture.Server) {
	t.Helper()
	fixture := providerfixture.Start(t)
	address, err := url.Parse(fixture.URL(""))
	require.NoError(t, err)
	d.environ = append(slices.Clone(d.environ), "DOWNLOAD_ALLOW_HOSTS="+address.Host, "FANARTTV_URL="+fixture.URL(providerfixture.FanartTV),
		"COVERARTARCHIVE_ENABLED=false", "DEEZER_ENABLED=false", "THEAUDIODB_ENABLED=false", "WIKIMEDIA_ENABLED=false")
	return d, fixture
}

func (in *instance) setProvider(id string, patch map[string]any) answer {
	in.t.Helper()
	a := in.send(http.MethodPatch, providerPath+id, patch)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	return a
}

// finds asks for new candidates, and returns the providers of what was found.
func (in *instance) finds() map[string]bool {
	in.t.Helper()
	found, _ := in.search(searchAvatars, "avatars")
	providers := map[string]bool{}
	for _, candidate := range found {
		providers[candidate["provider"].(string)] = true
	}
	return providers
}

// TestAKeyThatIsSetReachesEveryInstance, and nobody else: it is in no answer, log, event
// or cache, and not in the clear in the database.
func TestAKeyThatIsSetReachesEveryInstance(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d, fixture := withoutKeys(t, d)
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putFindable()
		require.Empty(t, other.finds())
		require.Empty(t, fixture.Requests(providerfixture.FanartTV))
		stream := other.listen()

		set := in.setProvider("fanarttv", map[string]any{"key": providerfixture.Key})
		event := stream.Skip("settings:updated")
		require.Equal(t, map[string]any{"provider": "fanarttv", "revision": 1.0}, event.Data)
		require.Eventually(t, func() bool { return other.finds()["fanarttv"] }, 20*time.Second, 50*time.Millisecond)
		require.Equal(t, providerfixture.Key, fixture.Requests(providerfixture.FanartTV)[0].Header.Get("Api-Key"))

		test := in.send(http.MethodPost, providerPath+"fanarttv/test", map[string]any{})
		require.Equal(t, true, test.json(t)["ok"], string(test.body))
		list := other.send(http.MethodGet, "/api/admin/settings", nil)
		one := other.send(http.MethodGet, providerPath+"fanarttv", nil)
		require.Equal(t, true, one.json(t)["hasKey"])
		log := in.send(http.MethodGet, "/api/admin/activity", nil)
		refused := in.send(http.MethodPatch, providerPath+"deezer", map[string]any{"key": providerfixture.Key})
		require.Equal(t, http.StatusBadRequest, refused.StatusCode)
		for _, text := range []string{string(set.body), string(test.body), string(list.body), string(one.body), string(log.body), string(refused.body), in.log.String(), other.log.String()} {
			requireNoKey(t, text)
		}
		d.requireNoKeyKept(t)

		in.setProvider("fanarttv", map[string]any{"key": nil})
		require.Eventually(t, func() bool { return len(other.finds()) == 0 }, 20*time.Second, 50*time.Millisecond)
	})
}

// requireNoKey requires that the fixture's key is not in the text, in the clear or as it
// may be written.
func requireNoKey(t *testing.T, text string) {
	t.Helper()
	key := []byte(providerfixture.Key)
	require.NotContains(t, text, providerfixture.Key)
	require.NotContains(t, text, hex.EncodeToString(key))
	for shift := range 3 { // within a longer text in base64
		encoded := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte{0}, shift), key...))
		require.NotContains(t, text, encoded[4:len(encoded)-4])
	}
}

// requireNoKeyKept looks through all that the database, the files and Redis hold.
func (d deployment) requireNoKeyKept(t *testing.T) {
	t.Helper()
	tables := 0
	for _, setting := range d.environ {
		name, value, _ := strings.Cut(setting, "=")
		switch name {
		case "DATA_DIR":
			require.NoError(t, filepath.WalkDir(value, func(path string, entry os.DirEntry, err error) error {
				if err != nil || !entry.Type().IsRegular() {
					return err
				}
				content, err := os.ReadFile(path)
				requireNoKey(t, string(content))
				if strings.HasSuffix(path, ".db") || strings.HasSuffix(path, ".db-wal") {
					tables += strings.Count(string(content), "fanarttv")
				}
				return err
			}))
		case "DATABASE_URL":
			dump := dumpPostgres(t, value)
			requireNoKey(t, dump)
			tables += strings.Count(dump, "fanarttv")
		}
	}
	require.Positive(t, tables, "the settings were not looked at")
	if d.redis != nil {
		for keys := d.redis.Scan(t.Context(), 0, "*", 1000).Iterator(); keys.Next(t.Context()); {
			requireNoKey(t, keys.Val())
			switch d.redis.Type(t.Context(), keys.Val()).Val() {
			case "string":
				requireNoKey(t, d.redis.Get(t.Context(), keys.Val()).Val())
			case "stream":
				requireNoKey(t, fmt.Sprint(d.redis.XRange(t.Context(), keys.Val(), "-", "+").Val()))
			}
		}
	}
}

// dumpPostgres returns every row of every table as text.
func dumpPostgres(t *testing.T, url string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rows, err := conn.Query(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	var dump strings.Builder
	for _, table := range tables {
		rows, err := conn.Query(t.Context(), "SELECT x::text FROM "+pgx.Identifier{table}.Sanitize()+" AS x")
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		dump.WriteString(strings.Join(lines, "\n"))
	}
	return dump.String()
}

func TestSettingsOverTheAPI(t *testing.T) {
	d, fixture := withoutKeys(t, combinations["memory and SQLite"](t))
	in := d.start(t)
	list := in.send(http.MethodGet, "/api/admin/settings", nil).json(t)
	configuration := list["configuration"].(map[string]any)
	require.Equal(t, "sqlite", configuration["database"])
	require.Equal(t, "disk", configuration["storage"])
	require.Equal(t, map[string]any{"mode": "memory", "cacheTtl": "300s", "l1Ttl": "1s"}, configuration["cache"])
	require.Equal(t, true, configuration["access"].(map[string]any)["publicImages"])
	require.Equal(t, map[string]any{"requests": 0.0, "uploads": 0.0, "logins": 0.0, "tokens": 0.0}, configuration["limits"])
	require.Equal(t, "720h0m0s", configuration["deletedKeep"])
	require.NotContains(t, string(in.send(http.MethodGet, "/api/admin/settings", nil).body), "of-the-tests-and-of-no-deployment", "no secret")
	require.Equal(t, 20971520.0, configuration["uploads"].(map[string]any)["maxBytes"])
	states := map[string]any{}
	for _, p := range list["providers"].([]any) {
		states[p.(map[string]any)["id"].(string)] = p.(map[string]any)["state"]
	}
	require.Equal(t, map[string]any{
		"coverartarchive": "off", "fanarttv": "needs_key", "theaudiodb": "off", "wikimedia": "off", "deezer": "off",
		"discogs": "needs_key", "lastfm": "needs_key", "itunes": "off", "musicbrainz": "active",
	}, states)

	first := in.send(http.MethodGet, providerPath+"itunes", nil)
	require.Equal(t, `"0"`, first.Header.Get("ETag"))
	require.Equal(t, map[string]any{
		"id": "itunes", "name": "iTunes", "types": []any{"cover"}, "needsKey": false, "hasKey": false, "state": "off", "revision": 0.0,
		"note":    "Its terms allow promotional use only, which is why it is off by default.",
		"rate":    map[string]any{"requests": 20.0, "perSeconds": 60.0},
		"enabled": map[string]any{"value": false, "source": "default", "variable": "ITUNES_ENABLED", "pinned": false, "stored": false},
		"baseUrl": map[string]any{"value": "https://itunes.apple.com", "source": "default", "variable": "ITUNES_URL", "pinned": false, "stored": false},
	}, first.json(t))

	set := in.send(http.MethodPatch, providerPath+"itunes", map[string]any{"enabled": true, "baseUrl": fixture.URL(providerfixture.ITunes)}, "If-Match", `"0"`)
	require.Equal(t, http.StatusOK, set.StatusCode, string(set.body))
	require.Equal(t, `"1"`, set.Header.Get("ETag"))
	enabled := set.json(t)["enabled"].(map[string]any)
	require.Equal(t, true, enabled["value"])
	require.Equal(t, "settings", enabled["source"])
	require.Equal(t, "test", enabled["changedBy"])
	require.NotEmpty(t, enabled["changedAt"])
	requireProblem(t, in.send(http.MethodPatch, providerPath+"itunes", map[string]any{"enabled": false}, "If-Match", `"0"`), http.StatusPreconditionFailed, "precondition_failed")
	requireProblem(t, in.send(http.MethodDelete, providerPath+"itunes", nil, "If-Match", `"other"`), http.StatusPreconditionFailed, "precondition_failed")
	tried := in.send(http.MethodPost, providerPath+"itunes/test", map[string]any{}).json(t)
	require.Equal(t, true, tried["ok"], tried)
	require.Contains(t, tried["message"], "iTunes answers")
	require.Contains(t, tried, "tookMs")

	back := in.send(http.MethodDelete, providerPath+"itunes", nil, "If-Match", `"1"`)
	require.Equal(t, http.StatusOK, back.StatusCode)
	require.Equal(t, "off", back.json(t)["state"])
	require.Equal(t, 2.0, back.json(t)["revision"])
}

func TestSettingsRefusals(t *testing.T) {
	d, fixture := withoutKeys(t, combinations["memory and SQLite"](t))
	d.environ = append(d.environ, "DISCOGS_API_KEY="+providerfixture.Key)
	in := d.start(t)
	inside := fixture.URL(providerfixture.Deezer)
	for _, c := range []struct {
		path   string
		body   map[string]any
		status int
		kind   string
	}{
		{"nobody", map[string]any{"enabled": true}, http.StatusNotFound, "not_found"},
		{artistID, map[string]any{"enabled": true}, http.StatusNotFound, "not_found"},
		{"itunes", map[string]any{}, http.StatusBadRequest, "invalid_input"},
		{"itunes", map[string]any{"colour": "red"}, http.StatusBadRequest, "invalid_input"},
		{"itunes", map[string]any{"enabled": "true"}, http.StatusBadRequest, "invalid_input"},
		{"itunes", map[string]any{"enabled": "auto"}, http.StatusBadRequest, "invalid_input"},
		{"itunes", map[string]any{"baseUrl": 7}, http.StatusBadRequest, "invalid_input"},
		{"itunes", map[string]any{"baseUrl": "itunes.apple.com"}, http.StatusBadRequest, "invalid_input"},
		{"itunes", map[string]any{"baseUrl": "https://u:" + providerfixture.Key + "@example.org"}, http.StatusBadRequest, "invalid_input"},
		{"itunes", map[string]any{"key": "abc"}, http.StatusBadRequest, "invalid_input"},
		{"fanarttv", map[string]any{"key": ""}, http.StatusBadRequest, "invalid_input"},
		{"fanarttv", map[string]any{"key": providerfixture.Key + " x"}, http.StatusBadRequest, "invalid_input"},
		{"deezer", map[string]any{"enabled": true}, http.StatusConflict, "conflict"},
		{"fanarttv", map[string]any{"baseUrl": inside}, http.StatusConflict, "conflict"},
		{"discogs", map[string]any{"key": "abc"}, http.StatusConflict, "conflict"},
		{"discogs", map[string]any{"baseUrl": inside}, http.StatusConflict, "conflict"}, // the operator's key would follow
	} {
		a := in.send(http.MethodPatch, providerPath+c.path, c.body)
		requireProblem(t, a, c.status, c.kind)
		requireNoKey(t, string(a.body))
		if len(c.body) > 0 {
			requireProblem(t, in.send(http.MethodPost, providerPath+c.path+"/test", c.body), c.status, c.kind)
		}
	}
	requireProblem(t, in.send(http.MethodPost, providerPath+"itunes/test", nil), http.StatusBadRequest, "invalid_input")
	requireProblem(t, in.send(http.MethodPut, providerPath+"itunes", map[string]any{"enabled": true}), http.StatusMethodNotAllowed, "method_not_allowed")
	requireProblem(t, in.send(http.MethodGet, providerPath+"nobody", nil), http.StatusNotFound, "not_found")
	requireProblem(t, in.send(http.MethodDelete, providerPath+"nobody", nil), http.StatusNotFound, "not_found")
	requireProblem(t, in.send(http.MethodPatch, providerPath+"itunes", map[string]any{"enabled": true}, "If-Match", "1"), http.StatusBadRequest, "invalid_input")
	require.Empty(t, in.activity("&action=settings"))
	requireNoKey(t, in.log.String())
}

// TestTheSecretOfTheKeysIsReplaced, instance by instance, and a key that nobody opens
// any more is told of.
func TestTheSecretOfTheKeysIsReplaced(t *testing.T) {
	t.Parallel()
	d, _ := withoutKeys(t, combinations["Redis and Postgres"](t))
	secret := func(letter string) string { return strings.Repeat(letter, 40) }
	before := d.start(t, "AUTH_SECRET="+secret("a"))
	before.putFindable()
	before.setProvider("fanarttv", map[string]any{"key": providerfixture.Key})

	during := d.start(t, "AUTH_SECRET="+secret("b"), "AUTH_SECRET_PREVIOUS="+secret("a"))
	require.True(t, during.finds()["fanarttv"])
	require.Eventually(t, func() bool { return strings.Contains(during.log.String(), "A stored key was sealed anew") }, 20*time.Second, 10*time.Millisecond)
	require.True(t, before.finds()["fanarttv"], "who has the former secret only goes on")
	after := d.start(t, "AUTH_SECRET="+secret("b"))
	require.True(t, after.finds()["fanarttv"])
	require.Equal(t, "connected", after.get("/health").json(t)["providerKeys"])

	lost := d.start(t, "AUTH_SECRET="+secret("c"))
	require.NotContains(t, lost.finds(), "fanarttv")
	require.Contains(t, lost.log.String(), "A stored key cannot be opened")
	health := lost.get("/health").json(t)
	require.Equal(t, "error", health["providerKeys"])
	require.Equal(t, "degraded", health["status"])
	told := lost.send(http.MethodGet, providerPath+"fanarttv", nil).json(t)
	require.Equal(t, "key_unreadable", told["state"])
	require.Equal(t, false, told["hasKey"])
	require.Equal(t, true, told["key"].(map[string]any)["unreadable"])

	doctor := deployment{environ: append(slices.Clone(d.environ), "AUTH_SECRET="+secret("c"))}
	code, stdout, _ := gatefold(t, doctor, "doctor")
	require.Equal(t, 1, code)
	require.Regexp(t, "FAILED  provider keys .*fanarttv key", stdout)
	require.Contains(t, stdout, "AUTH_SECRET_PREVIOUS")
	doctor.environ = append(doctor.environ, "AUTH_SECRET_PREVIOUS="+secret("b"))
	code, stdout, _ = gatefold(t, doctor, "doctor")
	require.Zero(t, code, stdout)
	require.Regexp(t, "ok      provider keys  1 stored, all can be opened", stdout)
}

const orderPath = "/api/admin/settings/order"

// TestThePreferredProviderIsFirst on every instance: what one is told, another goes by.
func TestThePreferredProviderIsFirst(t *testing.T) {
	for _, combination := range []string{"memory and SQLite", "two-level and Postgres"} {
		t.Run(combination, func(t *testing.T) {
			t.Parallel()
			d, _ := searching(t, combinations[combination](t))
			in := d.start(t)
			other := in
			if d.shared {
				other = d.start(t)
			}
			in.putFindable()
			// first returns who is asked first, as those who look on are told.
			first := func() string {
				a := other.send(http.MethodGet, searchAvatars, nil, "Accept", "text/event-stream")
				return a.events(t)[0].Data["provider"].(string)
			}
			const usual, rival = "fanarttv", "discogs"
			require.Equal(t, usual, first())

			a := in.send(http.MethodPut, orderPath, map[string]any{"providers": []string{rival}})
			require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
			require.Equal(t, rival, a.json(t)["providers"].([]any)[0])
			require.Eventually(t, func() bool { return first() == rival }, 20*time.Second, 50*time.Millisecond)
			overview := other.send(http.MethodGet, "/api/admin/settings", nil).json(t)
			require.Equal(t, rival, overview["providers"].([]any)[0].(map[string]any)["id"])
			require.Equal(t, true, overview["order"].(map[string]any)["chosen"])
			requireProblem(t, in.send(http.MethodPut, orderPath, map[string]any{"providers": []string{"nobody"}}), http.StatusBadRequest, "invalid_input")
			requireProblem(t, in.send(http.MethodPut, orderPath, map[string]any{"providers": []string{usual}}, "If-Match", `"0"`), http.StatusPreconditionFailed, "precondition_failed")

			a = other.send(http.MethodDelete, orderPath, nil)
			require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
			require.Equal(t, usual, first())
			if !d.shared {
				return
			}
			pinned := d.start(t, "PROVIDER_ORDER="+rival)
			requireProblem(t, pinned.send(http.MethodPut, orderPath, map[string]any{"providers": []string{usual}}), http.StatusConflict, "conflict")
			require.Equal(t, true, pinned.send(http.MethodGet, "/api/admin/settings", nil).json(t)["order"].(map[string]any)["pinned"])
		})
	}
}
