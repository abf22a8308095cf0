package bootstrap

import (
	"cmp"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/openidconnect"
	"gatefold/adapters/providers"
	"gatefold/adapters/s3store"
	"gatefold/application/limitrequests"
	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
	"gatefold/features/images"
)

// load reads a configuration without a file.
func load(t *testing.T, environ ...string) Config {
	t.Helper()
	cfg, err := LoadConfig(append([]string{"ENV_FILE=" + os.DevNull}, environ...))
	require.NoError(t, err)
	return cfg
}

func TestDefaults(t *testing.T) {
	cfg := load(t, "DATA_DIR=/var/lib/gatefold")
	require.Equal(t, ":8080", cfg.ListenAddr)
	require.Equal(t, "sqlite:/var/lib/gatefold/gatefold.db", cfg.DatabaseURL)
	require.Equal(t, deployment.Wish{
		Settings: artwork.CacheSettings{Mode: artwork.CacheMemory, TTL: 300 * time.Second, L1TTL: time.Second},
	}, cfg.Cache.Wish, "nothing is named")
	require.Equal(t, 50*time.Millisecond, cfg.Cache.Redis.Patience)
	require.Equal(t, slog.LevelInfo, cfg.LogLevel)
	require.True(t, cfg.Embedded())
}

func TestCacheModes(t *testing.T) {
	postgres := "DATABASE_URL=postgres://u:p@localhost/db"
	for _, c := range []struct {
		environ  []string
		mode     artwork.CacheMode
		term     time.Duration
		embedded bool
	}{
		{[]string{postgres}, artwork.CacheMemory, 0, true},
		{[]string{postgres, "REDIS_HOST=localhost"}, artwork.CacheTwoLevel, time.Second, false},
		{[]string{postgres, "REDIS_URL=redis://localhost:6379/2", "L1_TTL=250ms"}, artwork.CacheTwoLevel, 250 * time.Millisecond, false},
		{[]string{postgres, "REDIS_HOST=localhost", "IMAGE_CACHE=redis"}, artwork.CacheRedis, 0, false},
		{[]string{postgres, "REDIS_HOST=localhost", "IMAGE_CACHE=OFF"}, artwork.CacheOff, 0, false},
		{[]string{postgres, "IMAGE_CACHE=off"}, artwork.CacheOff, 0, false},
		{[]string{"REDIS_HOST=localhost"}, artwork.CacheTwoLevel, time.Second, true},
	} {
		cfg := load(t, append(c.environ, "AUTH_SECRET="+firstSecret)...)
		require.Equal(t, c.mode, cfg.Cache.Wish.Settings.Mode, c.environ)
		require.Equal(t, c.term, cfg.Cache.Wish.Settings.Policy().CopyTerm, c.environ)
		require.Equal(t, c.embedded, cfg.Embedded(), c.environ)
	}
}

func TestSecondsAndDurations(t *testing.T) {
	for written, want := range map[string]time.Duration{"300": 300 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "": 300 * time.Second} {
		require.Equal(t, want, load(t, "CACHE_TTL="+written).Cache.Wish.Settings.TTL, written)
	}
}

func TestTrustedProxies(t *testing.T) {
	require.Empty(t, load(t).HTTP.TrustedProxies, "nobody is believed unless named")
	proxies := load(t, "TRUSTED_PROXIES=10.1.2.3/8, 192.168.0.7,2001:db8::/32 ,::1").HTTP.TrustedProxies
	var written []string
	for _, proxy := range proxies {
		written = append(written, proxy.String())
	}
	require.Equal(t, []string{"10.0.0.0/8", "192.168.0.7/32", "2001:db8::/32", "::1/128"}, written)
}

func TestWhoMayAskAndHowOften(t *testing.T) {
	require.Equal(t, HTTP{Limits: limitrequests.Default, PublicImages: true, UploadsMB: 256}, load(t).HTTP)
	got := load(t, "RATE_LIMIT_REQUESTS=0", "RATE_LIMIT_UPLOADS=30", "RATE_LIMIT_LOGINS=3", "RATE_LIMIT_TOKENS=1000", "PUBLIC_IMAGES=FALSE",
		"CORS_ORIGINS=https://a.example, http://b.example:3000", "HSTS_MAX_AGE=365d", "UPLOADS_MB=50").HTTP
	require.Equal(t, HTTP{
		UploadsMB:   50,
		Limits:      limitrequests.Limits{Uploads: 30, Logins: 3, Tokens: 1000},
		CORSOrigins: []string{"https://a.example", "http://b.example:3000"}, HSTSMaxAge: 365 * 24 * time.Hour,
	}, got)
	require.Equal(t, []string{"*"}, load(t, "CORS_ORIGINS=*").HTTP.CORSOrigins)
}

func TestActivityKeep(t *testing.T) {
	for written, want := range map[string]time.Duration{"": 400 * 24 * time.Hour, "0": 0, "0d": 0, "1d": 24 * time.Hour, "36500d": 36500 * 24 * time.Hour} {
		require.Equal(t, want, load(t, "ACTIVITY_KEEP="+written).KeepActivity, written)
	}
}

func TestEveryWrongValueNamesItsVariable(t *testing.T) {
	for _, wrong := range []string{
		"LISTEN_ADDR=8080", "LISTEN_ADDR=:99999", "DATABASE_URL=mysql://root:hunter2@db/x", "DATABASE_URL=sqlite:",
		"IMAGE_CACHE=memcached", "IMAGE_CACHE=redis", "IMAGE_CACHE=twolevel", "CACHE_TTL=-1", "CACHE_TTL=soon", "CACHE_TTL=100h",
		"L1_TTL=1h", "L1_TTL=0", "CACHE_ENTRIES=0", "CACHE_ENTRIES=many", "WARM_KEYS=-1", "WARM_KEYS=50001", "WARM_RATE=0", "WARM_RATE=fast", "BYTES_CACHE_MB=-1", "BYTES_CACHE_MB=65537", "BYTES_CACHE_MB=64MB", "DECODE_MEMORY_MB=0", "DECODE_MEMORY_MB=2GB", "RENDER_AHEAD=perhaps", "RENDERER=imagemagick", "RENDITIONS_MB=-1", "RENDITIONS_MB=all", "REDIS_PORT=0", "REDIS_PORT=redis", "REDIS_URL=http://:hunter2@host",
		"DATA_DIR=/" + strings.Repeat("d", 100), "REDIS_TLS=perhaps", "REDIS_READ_TIMEOUT=1ms", "REDIS_TLS_CA=/no/such/file", "CACHE_COMPRESSION=gzip", "REDIS_SENTINEL_MASTER=x", "REDIS_SENTINEL_ADDRS=nohost", "REDIS_CLUSTER_ADDRS=a:1,b", "LOG_LEVEL=loud", "LOG_FORMAT=xml", "DOWNLOAD_ALLOW_HOSTS=localhost",
		"TRUSTED_PROXIES=proxy", "TRUSTED_PROXIES=10.0.0.0/33", "TRUSTED_PROXIES=10.0.0.1,10.0.0.256", "TRUSTED_PROXIES=0.0.0.0/0", "TRUSTED_PROXIES=::/0", "TRUSTED_PROXIES=10.0.0.1:80",
		"RATE_LIMIT_REQUESTS=-1", "RATE_LIMIT_UPLOADS=many", "RATE_LIMIT_LOGINS=5/min", "RATE_LIMIT_TOKENS=1000001", "PUBLIC_IMAGES=no", "HSTS_MAX_AGE=365", "HSTS_MAX_AGE=731d",
		"CORS_ORIGINS=app.example.org", "CORS_ORIGINS=https://*.example.org", "CORS_ORIGINS=*,https://a.example", "CORS_ORIGINS=https://a.example/path", "CORS_ORIGINS=null",
		"TRUSTED_PROXIES=fe80::1%eth0", "TRUSTED_PROXIES=::ffff:10.0.0.1", "ACTIVITY_KEEP=400", "ACTIVITY_KEEP=-1d", "ACTIVITY_KEEP=1y", "ACTIVITY_KEEP=d", "ACTIVITY_KEEP=36501d", "STORAGE=tape", "ORPHAN_GRACE=10m", "HISTORY_KEEP=-1", "HISTORY_KEEP=some", "HISTORY_KEEP=100001", "ORPHAN_GRACE=never", "S3_URL_STYLE=curly", "ENV_FILE=/no/such/file",
		"DEEZER_URL=deezer.com", "COVERARTARCHIVE_URL=ftp://example.org", "WIKIDATA_URL=https://u:hunter2@example.org", "COMMONS_URL=http://", "LASTFM_URL=https://example.org?key=hunter2",
		"ITUNES_ENABLED=perhaps", "DISCOGS_ENABLED=maybe", "DISCOGS_API_KEY=hunter2 x", "FANARTTV_CLIENT_KEY=hunter2\tx",
		"OTEL_SDK_DISABLED=perhaps", "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318", "OTEL_EXPORTER_OTLP_ENDPOINT=grpc://collector", "OTEL_EXPORTER_OTLP_ENDPOINT=http://u:hunter2@collector", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://collector/v1?key=hunter2",
		"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_EXPORTER_OTLP_HEADERS=hunter2", "OTEL_EXPORTER_OTLP_HEADERS=a=hunter2%zz", "OTEL_EXPORTER_OTLP_HEADERS=a b=hunter2", "OTEL_EXPORTER_OTLP_HEADERS=a=hunter2%0a",
		"OTEL_EXPORTER_OTLP_TIMEOUT=10s", "OTEL_EXPORTER_OTLP_TIMEOUT=0", "OTEL_EXPORTER_OTLP_COMPRESSION=zstd", "OTEL_EXPORTER_OTLP_CERTIFICATE=/no/such/file", "OTEL_TRACES_SAMPLER=jaeger_remote", "OTEL_TRACES_SAMPLER_ARG=2", "OTEL_TRACES_SAMPLER_ARG=NaN", "OTEL_TRACES_SAMPLER_ARG=10%",
		"OTEL_PROPAGATORS=b3", "OTEL_RESOURCE_ATTRIBUTES=hunter2",
		"THEAUDIODB_API_KEY=hunter2\x7f", "PROVIDER_CONTACT=call me", "PROVIDER_ORDER=deezer,deezer", "ENV_FILE=/no/such/file",
	} {
		_, err := LoadConfig([]string{"ENV_FILE=" + os.DevNull, wrong})
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
		name, _, _ := strings.Cut(wrong, "=")
		require.ErrorContains(t, err, name, wrong)
		require.NotContains(t, err.Error(), "hunter2", "a secret in an error")
	}
}

// TestProviders: those that need a key are asked when they have one.
func TestProviders(t *testing.T) {
	cfg := load(t).Providers
	want := providers.Default()
	want.Version = Version
	require.Equal(t, want, cfg)

	cfg = load(t, "FANARTTV_API_KEY=a", "FANARTTV_CLIENT_KEY=b", "LASTFM_API_KEY=c", "LASTFM_ENABLED=false", "DISCOGS_API_KEY=d", "DISCOGS_ENABLED=TRUE",
		"THEAUDIODB_API_KEY=e", "ITUNES_ENABLED=true", "DEEZER_ENABLED=false", "WIKIDATA_URL=http://127.0.0.1:9/wikidata", "PROVIDER_CONTACT=https://example.org/about").Providers
	require.True(t, cfg.FanartTV.Enabled)
	require.Equal(t, "a", cfg.FanartTV.Key)
	require.Equal(t, "b", cfg.FanartTV.ClientKey)
	require.False(t, cfg.LastFM.Enabled)
	require.True(t, cfg.Discogs.Enabled)
	require.Equal(t, "e", cfg.TheAudioDB.Key)
	require.True(t, cfg.ITunes.Enabled)
	require.False(t, cfg.Deezer.Enabled)
	require.Equal(t, "http://127.0.0.1:9/wikidata", cfg.Wikimedia.WikidataURL)
	require.Equal(t, "https://example.org/about", cfg.Contact)
}

// TestWhatTheEnvironmentPins: what it says differently from the default, and no more.
// Keys are pinned by being there.
func TestWhatTheEnvironmentPins(t *testing.T) {
	require.Empty(t, load(t).PinnedProviders)
	require.Empty(t, load(t, "DEEZER_ENABLED=true", "DEEZER_URL=https://api.deezer.com", "DISCOGS_ENABLED=AUTO", "ITUNES_ENABLED=false", "FANARTTV_API_KEY=a").PinnedProviders)
	require.Equal(t, map[string]string{
		"DEEZER_ENABLED": "false", "DEEZER_URL": "http://deezer.lan", "DISCOGS_ENABLED": "true", "LASTFM_ENABLED": "false", "ITUNES_ENABLED": "true", "COMMONS_URL": "http://commons.lan",
	}, load(t, "DEEZER_ENABLED=False", "DEEZER_URL=http://deezer.lan", "DISCOGS_ENABLED=true", "LASTFM_ENABLED=false", "ITUNES_ENABLED=true", "COMMONS_URL=http://commons.lan").PinnedProviders)
}

// TestEveryVariableOfAProviderIsOneOfItsSettings, and the reverse: what the environment
// says of a field is what holds of it.
func TestEveryVariableOfAProviderIsOneOfItsSettings(t *testing.T) {
	read := names(reflect.TypeFor[providerVariables]())
	var set []string
	for _, p := range providersOf(load(t)).All() {
		for field, given := range p.Given {
			set = append(set, given.Variable)
			require.False(t, given.Pinned, given.Variable)
			value := map[bool]string{true: "a-key", false: "http://other.example"}[field.IsKey()]
			if field == providersettings.Enabled {
				value = map[string]string{"true": "false", "auto": "true", "false": "true"}[given.Value]
			}
			i := slices.IndexFunc(providersOf(load(t)).All(), func(other providersettings.Provider) bool { return other.ID == p.ID })
			pinned := providersOf(load(t, given.Variable+"="+value)).All()[i].Given[field]
			require.True(t, pinned.Pinned, given.Variable)
			require.Equal(t, value, cmp.Or(pinned.Value, string(pinned.Key)), given.Variable)
		}
	}
	require.ElementsMatch(t, slices.DeleteFunc(read, func(name string) bool { return name == "PROVIDER_CONTACT" || name == "PROVIDER_ORDER" }), set)
}

func providersOf(cfg Config) *providers.Live {
	return providers.NewLive(cfg.Providers, cfg.PinnedProviders, nil, nil, slog.New(slog.DiscardHandler))
}

// TestTheCertificatesOfRedis: what the operator takes for encrypted must be.
func TestTheCertificatesOfRedis(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, certificate, 0o600))
	for _, encrypted := range [][]string{{"REDIS_HOST=r", "REDIS_TLS=true"}, {"REDIS_URL=rediss://r:6379"}} {
		require.Equal(t, ca, load(t, append(encrypted, "REDIS_TLS_CA="+ca)...).Cache.Redis.TLSCA)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for _, wrong := range [][]string{
		{"REDIS_HOST=r", "REDIS_TLS_CA=" + ca},
		{"REDIS_URL=redis://r:6379", "REDIS_TLS_CA=" + ca},
		{"REDIS_HOST=r", "REDIS_TLS=true", "REDIS_TLS_CA=" + empty},
		{"REDIS_HOST=r", "REDIS_TLS=true", "REDIS_TLS_CA=/no/such/file"},
	} {
		_, err := LoadConfig(append(wrong, "ENV_FILE="+os.DevNull))
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
		require.ErrorContains(t, err, "REDIS_TLS_CA", wrong)
	}
}

// TestIdentity: what belongs together, and what is not safe.
func TestIdentity(t *testing.T) {
	cfg := load(t)
	require.Equal(t, 24*time.Hour, cfg.Identity.Lives.AccessLife)
	require.Equal(t, 7*24*time.Hour, cfg.Identity.Lives.RefreshLife)
	require.Empty(t, cfg.Identity.Provider.Issuer)
	require.Empty(t, cfg.FirstAdmin.username)

	provider := []string{"OIDC_ISSUER=https://login.example.org/", "OIDC_CLIENT_ID=gatefold", "OIDC_CLIENT_SECRET=hunter2", "OIDC_REDIRECT_URL=http://localhost:8080/api/auth/oidc/callback"}
	cfg = load(t, append(provider, "OIDC_SCOPES=openid,groups", "OIDC_ROLE_ADMIN=ops, Art Admins", "ADMIN_USERNAME=ana", "ADMIN_PASSWORD=hunter2 hunter2")...)
	require.Equal(t, openidconnect.Config{
		Issuer: "https://login.example.org/", ClientID: "gatefold", ClientSecret: "hunter2", RedirectURL: "http://localhost:8080/api/auth/oidc/callback",
		Scopes: []string{"openid", "groups"}, Roles: openidconnect.Roles{Claim: "groups", Admin: []string{"ops", "Art Admins"}},
	}, cfg.Identity.Provider)
	require.Equal(t, firstAdmin{"ana", "hunter2 hunter2"}, cfg.FirstAdmin)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", cfg.FirstAdmin, cfg.FirstAdmin, cfg.FirstAdmin), "hunter2")
	for _, wrong := range []string{
		"OIDC_ISSUER=http://login.example.org", "OIDC_ISSUER=login.example.org", "OIDC_ISSUER=https://u:hunter2@login.example.org", "OIDC_CLIENT_ID=", "OIDC_REDIRECT_URL=",
		"OIDC_REDIRECT_URL=http://art.example.org/api/auth/oidc/callback", "OIDC_SCOPES=profile", "ADMIN_USERNAME=ana", "ADMIN_PASSWORD=hunter2 hunter2",
		"ACCESS_TOKEN_TTL=8d", "ACCESS_TOKEN_TTL=1s", "REFRESH_TOKEN_TTL=soon",
	} {
		_, err := LoadConfig(append(append([]string{"ENV_FILE=" + os.DevNull}, provider...), wrong))
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
		require.ErrorContains(t, err, strings.SplitN(strings.Replace(wrong, "ADMIN_PASSWORD", "ADMIN_USERNAME", 1), "=", 2)[0], wrong)
		require.NotContains(t, err.Error(), "hunter2", "a secret in an error")
	}
	for _, wrong := range [][]string{{"OIDC_CLIENT_SECRET=hunter2"}, {"ADMIN_USERNAME=ana", "ADMIN_PASSWORD=hunter2"}, {"ADMIN_USERNAME=a\tb", "ADMIN_PASSWORD=hunter2 hunter2"}} {
		_, err := LoadConfig(append(wrong, "ENV_FILE="+os.DevNull))
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
		require.NotContains(t, err.Error(), "hunter2", "a secret in an error")
	}
}

// TestTheBucketIsChecked: with STORAGE=s3, and only then.
func TestTheBucketIsChecked(t *testing.T) {
	s3 := []string{"STORAGE=S3", "S3_ENDPOINT=https://s3.example.com", "S3_BUCKET=art", "S3_ACCESS_KEY=a", "S3_SECRET_KEY=hunter2"}
	cfg := load(t, append(s3, "S3_PREFIX=covers", "S3_URL_STYLE=path")...)
	require.Equal(t, images.S3, cfg.Storage)
	require.Equal(t, s3store.Options{
		Endpoint: "https://s3.example.com", Region: "us-east-1", Bucket: "art", Prefix: "covers", AccessKey: "a", SecretKey: "hunter2", Style: s3store.StylePath,
	}, cfg.S3)
	for _, wrong := range []string{"S3_ENDPOINT=", "S3_ENDPOINT=s3.example.com", "S3_BUCKET=", "S3_BUCKET=No Bucket", "S3_PREFIX=/x", "S3_ACCESS_KEY="} {
		_, err := LoadConfig(append(append([]string{"ENV_FILE=" + os.DevNull}, s3...), wrong))
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
		name, _, _ := strings.Cut(wrong, "=")
		require.ErrorContains(t, err, name, wrong)
		require.NotContains(t, err.Error(), "hunter2", "a secret in an error")
		require.Equal(t, images.Disk, load(t, wrong).Storage)
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := LoadConfig([]string{"ENV_FILE=" + os.DevNull, "LOG_LEVEL=loud", "REDIS_PORT=x", "CACHE_TTL=never"})
	for _, name := range []string{"LOG_LEVEL", "REDIS_PORT", "CACHE_TTL"} {
		require.ErrorContains(t, err, name)
	}
}

func TestEnvironmentOverFileOverDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings")
	require.NoError(t, os.WriteFile(file, []byte("# settings\nCACHE_TTL=60\nLOG_LEVEL=debug\nREDIS_PASSWORD=\"a b#c\"\nREDIS_HOST=r\n"), 0o600))
	cfg, err := LoadConfig([]string{"ENV_FILE=" + file, "LOG_LEVEL=warn"})
	require.NoError(t, err)
	require.Equal(t, time.Minute, cfg.Cache.Wish.Settings.TTL)
	require.Equal(t, slog.LevelWarn, cfg.LogLevel)
	require.Equal(t, "a b#c", cfg.Cache.Redis.Password)
	require.Equal(t, "text", map[bool]string{true: "json", false: "text"}[cfg.LogJSON])

	require.NoError(t, os.WriteFile(file, []byte("REDIS_PASSWORD hunter2\n=\n"), 0o600))
	_, err = LoadConfig([]string{"ENV_FILE=" + file})
	require.ErrorContains(t, err, "ENV_FILE")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestDotEnvIsTheDefaultFile(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile(".env", []byte("LISTEN_ADDR=127.0.0.1:9999\n"), 0o600))
	cfg, err := LoadConfig(nil)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:9999", cfg.ListenAddr)
}

// names returns the variables that the fields of a type are read from.
func names(fields reflect.Type) []string {
	var found []string
	for field := range fields.Fields() {
		if field.Type.Kind() == reflect.Struct {
			found = append(found, names(field.Type)...)
		}
		if name := field.Tag.Get("env"); name != "" {
			found = append(found, name)
		}
	}
	return found
}

// TestEveryVariableIsDocumented holds .env.example to what the program reads.
func TestEveryVariableIsDocumented(t *testing.T) {
	documented, err := godotenv.Read("../.env.example")
	require.NoError(t, err)
	read := map[string]bool{}
	for _, name := range names(reflect.TypeFor[variables]()) {
		read[name] = true
		value, ok := documented[name]
		require.True(t, ok, "%s is not in .env.example", name)
		documentedValue, err := LoadConfig([]string{"ENV_FILE=" + os.DevNull, "DATA_DIR=/d", name + "=" + value})
		require.NoError(t, err, name)
		byDefault := load(t, "DATA_DIR=/d")
		byDefault.Cache.Wish.TTL, byDefault.Cache.Wish.L1TTL = documentedValue.Cache.Wish.TTL, documentedValue.Cache.Wish.L1TTL // that it is named
		if name != "DATA_DIR" {
			require.Equal(t, byDefault, documentedValue, "%s=%s is not the default", name, value)
		}
	}
	for name := range documented {
		require.True(t, read[name], "%s is in .env.example, but nothing reads it", name)
	}
}

// TestSecretsFromFiles: NAME_FILE is what NAME would be.
func TestSecretsFromFiles(t *testing.T) {
	t.Parallel()
	file := func(content string) string {
		path := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	cfg := load(t, "DATABASE_URL=postgres://gatefold@db:5432/gatefold?sslmode=disable", "DATABASE_PASSWORD_FILE="+file("of d@tabase/#\n"),
		"REDIS_HOST=r", "REDIS_PASSWORD_FILE="+file(" of redis \n"), "AUTH_SECRET_FILE="+file(firstSecret))
	require.Equal(t, "postgres://gatefold:of%20d%40tabase%2F%23@db:5432/gatefold?sslmode=disable", cfg.DatabaseURL)
	require.Equal(t, " of redis ", cfg.Cache.Redis.Password, "only the end of the line is no part of it")
	require.Equal(t, []string{firstSecret}, cfg.AuthSecrets)
	require.Empty(t, load(t, "REDIS_PASSWORD_FILE="+file("\n")).Cache.Redis.Password, "an empty one is none")
	for _, wrong := range [][]string{
		{"REDIS_PASSWORD_FILE=/no/such/file"},
		{"REDIS_PASSWORD_FILE=" + file("hunter2"), "REDIS_PASSWORD=hunter2"},
		{"DATABASE_PASSWORD=hunter2", "DATABASE_URL=postgres://u:hunter2@h/db"},
		{"DATABASE_PASSWORD=hunter2", "DATABASE_URL=postgres://u@h:hunter2/db"},
	} {
		_, err := LoadConfig(append(wrong, "ENV_FILE="+os.DevNull, "AUTH_SECRET="+firstSecret))
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
		require.ErrorContains(t, err, strings.SplitN(wrong[0], "_", 2)[0], wrong)
		require.NotContains(t, err.Error(), "hunter2", wrong)
	}
}
