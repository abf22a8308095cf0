package bootstrap

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"

	"gatefold/adapters/oteltraces"
	"gatefold/adapters/providers"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/s3store"
	"gatefold/application/deletesubjects"
	"gatefold/application/verifystore"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
	"gatefold/features/cache"
	"gatefold/features/identity"
	"gatefold/features/images"
)

// Version is the release; the build sets it.
var Version = "dev"

// version returns the release or, of a build that has none, the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || Version != "dev" {
		return Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			return Version + "-" + setting.Value[:12]
		}
	}
	return Version
}

// variables are the settings as they are written, before they are checked. The
// environment wins over the file, and the file over the defaults.
type variables struct {
	ListenAddr         string `env:"LISTEN_ADDR" envDefault:":8080"`
	HealthAddr         string `env:"HEALTH_ADDR"`
	ShutdownDelay      string `env:"SHUTDOWN_DELAY" envDefault:"0s"`
	DataDir            string `env:"DATA_DIR" envDefault:"data"`
	DatabaseURL        string `env:"DATABASE_URL"`
	DatabasePassword   string `env:"DATABASE_PASSWORD"`
	ImageCache         string `env:"IMAGE_CACHE" envDefault:"auto"`
	CacheTTL           string `env:"CACHE_TTL" envDefault:"300s"`
	L1TTL              string `env:"L1_TTL" envDefault:"1s"`
	CacheEntries       string `env:"CACHE_ENTRIES" envDefault:"50000"`
	CacheCompression   string `env:"CACHE_COMPRESSION" envDefault:"none"`
	WarmKeys           string `env:"WARM_KEYS" envDefault:"5000"`
	WarmRate           string `env:"WARM_RATE" envDefault:"200"`
	Storage            string `env:"STORAGE" envDefault:"disk"`
	S3Endpoint         string `env:"S3_ENDPOINT"`
	S3Region           string `env:"S3_REGION" envDefault:"us-east-1"`
	S3Bucket           string `env:"S3_BUCKET"`
	S3Prefix           string `env:"S3_PREFIX"`
	S3AccessKey        string `env:"S3_ACCESS_KEY"`
	S3SecretKey        string `env:"S3_SECRET_KEY"`
	S3URLStyle         string `env:"S3_URL_STYLE" envDefault:"auto"`
	OrphanGrace        string `env:"ORPHAN_GRACE" envDefault:"24h"`
	HistoryKeep        string `env:"HISTORY_KEEP" envDefault:"all"`
	DeletedKeep        string `env:"DELETED_KEEP" envDefault:"720h"`
	BytesCacheMB       string `env:"BYTES_CACHE_MB" envDefault:"64"`
	DecodeMemoryMB     string `env:"DECODE_MEMORY_MB" envDefault:"1024"`
	Renderer           string `env:"RENDERER" envDefault:"auto"`
	RenderAhead        string `env:"RENDER_AHEAD" envDefault:"true"`
	RenditionsMB       string `env:"RENDITIONS_MB" envDefault:"0"`
	RedisURL           string `env:"REDIS_URL"`
	RedisHost          string `env:"REDIS_HOST"`
	RedisPort          string `env:"REDIS_PORT" envDefault:"6379"`
	RedisUsername      string `env:"REDIS_USERNAME"`
	RedisPassword      string `env:"REDIS_PASSWORD"`
	RedisTLS           string `env:"REDIS_TLS" envDefault:"false"`
	RedisReadTimeout   string `env:"REDIS_READ_TIMEOUT" envDefault:"50ms"`
	RedisTLSCA         string `env:"REDIS_TLS_CA"`
	SentinelMaster     string `env:"REDIS_SENTINEL_MASTER"`
	SentinelAddrs      string `env:"REDIS_SENTINEL_ADDRS"`
	SentinelPassword   string `env:"REDIS_SENTINEL_PASSWORD"`
	ClusterAddrs       string `env:"REDIS_CLUSTER_ADDRS"`
	MusicDir           string `env:"MUSIC_DIR"`
	LogLevel           string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat          string `env:"LOG_FORMAT" envDefault:"text"`
	DownloadAllowHosts string `env:"DOWNLOAD_ALLOW_HOSTS"`
	AuthSecret         string `env:"AUTH_SECRET"`
	AuthSecretPrevious string `env:"AUTH_SECRET_PREVIOUS"`
	ActivityKeep       string `env:"ACTIVITY_KEEP" envDefault:"400d"`
	SampleShare        string `env:"CACHE_SAMPLE_SHARE" envDefault:"0.001"`
	HTTP               httpVariables
	Providers          providerVariables
	Identity           identityVariables
	Backup             backupVariables
	Tracing            tracingVariables

	// What is not named follows the deployment.
	namesTTL, namesL1TTL bool
}

// Config is the checked configuration of one process.
type Config struct {
	ListenAddr         string
	HealthAddr         string        // where health checks are answered as well; "" if nowhere
	ShutdownDelay      time.Duration // how long a stop goes on serving, not ready any more
	DataDir            string        // absolute
	DatabaseURL        string
	Cache              cache.Config
	Storage            images.Storage
	S3                 s3store.Options // of images.S3
	OrphanGrace        time.Duration
	HistoryKeep        *int // former pictures of a slot; nil: all
	DeletedKeep        time.Duration
	BytesCacheMB       int // 0: no bytes are kept in memory
	DecodeMemoryMB     int // for the checks and renderings of images, all together
	Renderer           images.Renderer
	RenderAhead        bool   // render what is put in force, before anybody asks for it
	RenditionsMB       int    // that are kept; 0: all
	MusicDir           string // absolute; "" if there is none
	LogLevel           slog.Level
	LogJSON            bool
	DownloadAllowHosts []string
	HTTP               HTTP
	KeepActivity       time.Duration    // of the activity log; 0: for ever
	AuthSecrets        []string         // the current one first; none: one is generated and kept in DataDir
	SampleShare        float64          // of the cache's answers that are compared with the database
	Providers          providers.Config // of images
	Identity           identity.Config
	FirstAdmin         firstAdmin
	Backup             Backup
	Traces             oteltraces.Config
	UnreadTracing      []string // variables of OpenTelemetry's that are set, and that nothing reads
	// PinnedProviders are the variables of Providers that the settings cannot change.
	PinnedProviders map[string]string
}

// Embedded reports whether the data belongs to exactly one server process: an
// embedded database or a cache in process memory cannot be shared.
func (c Config) Embedded() bool {
	return strings.HasPrefix(c.DatabaseURL, sqliteScheme) || c.Cache.Wish.Settings.Mode == artwork.CacheMemory
}

const (
	sqliteScheme   = "sqlite:"
	defaultEnvFile = ".env"
	// maxDataDir leaves room for the control socket's name in the 108 bytes of a
	// socket's address (unix(7)).
	maxDataDir = 90
)

// LoadConfig reads the environment, given as "NAME=value" like os.Environ, and
// the file that ENV_FILE names. The error names every variable that is wrong.
func LoadConfig(environ []string) (Config, error) {
	environment := env.ToMap(environ)
	file, err := readEnvFile(environment["ENV_FILE"])
	if err != nil {
		return Config{}, err
	}
	for name, value := range environment {
		file[name] = value
	}
	for name, value := range file {
		// An empty value is what an unset one is in compose files and scripts.
		if strings.TrimSpace(value) == "" {
			delete(file, name)
		}
	}
	if err := readSecrets(file); err != nil {
		return Config{}, err
	}
	raw, err := env.ParseAsWithOptions[variables](env.Options{Environment: file})
	if err != nil {
		return Config{}, artwork.Wrap(artwork.InvalidInput, "bootstrap.LoadConfig", err)
	}
	_, raw.namesTTL = file["CACHE_TTL"]
	_, raw.namesL1TTL = file["L1_TTL"]
	unread, err := unreadTracing(file)
	if err != nil {
		return Config{}, artwork.Wrap(artwork.Internal, "bootstrap.LoadConfig", err)
	}
	cfg, err := raw.check()
	cfg.UnreadTracing = unread
	return cfg, err
}

// readSecrets gives each variable NAME the content of the file that NAME_FILE names, which
// is how containers are handed secrets. The last line may end or not.
func readSecrets(values map[string]string) error {
	known, err := env.GetFieldParams(&variables{})
	if err != nil {
		return artwork.Wrap(artwork.Internal, "bootstrap.LoadConfig", err)
	}
	for _, variable := range known {
		name := variable.Key
		path := values[name+"_FILE"]
		if path == "" {
			continue
		}
		if values[name] != "" {
			return artwork.Errorf(artwork.InvalidInput, "%s and %s_FILE: only one of them can be meant", name, name)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return artwork.Errorf(artwork.InvalidInput, "%s_FILE: %v", name, err)
		}
		if content := strings.TrimRight(string(content), "\r\n"); content != "" {
			values[name] = content
		}
	}
	return nil
}

// readEnvFile reads the named file, or .env if there is one.
func readEnvFile(name string) (map[string]string, error) {
	named := name != ""
	if !named {
		name = defaultEnvFile
	}
	values, err := godotenv.Read(name)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return map[string]string{}, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, artwork.Errorf(artwork.InvalidInput, "ENV_FILE: there is no file %s", name)
	}
	if err != nil {
		// The parser's message can quote a line with a secret.
		return nil, artwork.Errorf(artwork.InvalidInput, "ENV_FILE: %s cannot be read as lines of NAME=value", name)
	}
	return values, nil
}

// check turns what is written into what is meant.
func (v variables) check() (Config, error) {
	c := &checker{}
	cfg := Config{
		ListenAddr:         c.address("LISTEN_ADDR", v.ListenAddr),
		ShutdownDelay:      c.duration("SHUTDOWN_DELAY", v.ShutdownDelay, 0, time.Minute),
		DataDir:            c.path("DATA_DIR", v.DataDir),
		HistoryKeep:        c.allOr("HISTORY_KEEP", v.HistoryKeep, 100_000),
		DeletedKeep:        c.duration("DELETED_KEEP", v.DeletedKeep, deletesubjects.MinKeep, deletesubjects.MaxKeep),
		OrphanGrace:        c.duration("ORPHAN_GRACE", v.OrphanGrace, verifystore.MinGrace, verifystore.MaxGrace),
		BytesCacheMB:       c.number("BYTES_CACHE_MB", v.BytesCacheMB, 0, 65536),
		DecodeMemoryMB:     c.number("DECODE_MEMORY_MB", v.DecodeMemoryMB, 16, 1<<20),
		Renderer:           c.renderer("RENDERER", v.Renderer),
		RenderAhead:        c.oneOf("RENDER_AHEAD", v.RenderAhead, "true", "false") == "true",
		RenditionsMB:       c.number("RENDITIONS_MB", v.RenditionsMB, 0, 1<<30),
		MusicDir:           c.path("MUSIC_DIR", v.MusicDir),
		LogLevel:           c.level("LOG_LEVEL", v.LogLevel),
		LogJSON:            c.oneOf("LOG_FORMAT", v.LogFormat, "text", "json") == "json",
		DownloadAllowHosts: c.hosts("DOWNLOAD_ALLOW_HOSTS", v.DownloadAllowHosts),
		HTTP:               c.http(v.HTTP),
		KeepActivity:       c.days("ACTIVITY_KEEP", v.ActivityKeep, 36500),
		SampleShare:        c.share("CACHE_SAMPLE_SHARE", v.SampleShare),
		Identity:           c.identity(v.Identity),
		FirstAdmin:         c.firstAdmin(v.Identity),
		Backup:             c.backup(v.Backup),
	}
	if v.HealthAddr != "" {
		cfg.HealthAddr = c.address("HEALTH_ADDR", v.HealthAddr)
	}
	cfg.Providers, cfg.PinnedProviders = c.providers(v.Providers)
	if len(cfg.DataDir) > maxDataDir {
		c.fail("DATA_DIR", "%s is longer than %d bytes, and a socket has to fit in", cfg.DataDir, maxDataDir)
	}
	cfg.DatabaseURL = c.databaseURL(v.DatabaseURL, v.DatabasePassword, cfg.DataDir)
	cfg.AuthSecrets = c.secrets(v.AuthSecret, v.AuthSecretPrevious, strings.HasPrefix(cfg.DatabaseURL, sqliteScheme))
	cfg.Cache = c.cache(v)
	cfg.Storage, cfg.S3 = c.storage(v)
	cfg.Traces = c.traces(v.Tracing, cfg.Cache.Name)
	if cfg.Embedded() {
		cfg.Cache.Seat = hostName() + ":" + cfg.DataDir // its lock is held
	}
	return cfg, c.err()
}

// checker collects what is wrong, so that all of it is said at once.
type checker struct{ wrong []string }

func (c *checker) fail(variable, format string, args ...any) {
	c.wrong = append(c.wrong, variable+": "+fmt.Sprintf(format, args...))
}

func (c *checker) err() error {
	if len(c.wrong) == 0 {
		return nil
	}
	return artwork.Errorf(artwork.InvalidInput, "the configuration is not valid:\n  %s", strings.Join(c.wrong, "\n  "))
}

func (c *checker) address(variable, value string) string {
	_, port, err := net.SplitHostPort(value)
	n, convErr := strconv.Atoi(port)
	if err != nil || convErr != nil || n < 0 || n > 65535 {
		c.fail(variable, "%q is not HOST:PORT or :PORT", value)
	}
	return value
}

func (c *checker) path(variable, value string) string {
	if value == "" {
		return ""
	}
	absolute, err := filepath.Abs(value)
	if err != nil {
		c.fail(variable, "%v", err)
	}
	return absolute
}

func (c *checker) oneOf(variable, value string, allowed ...string) string {
	for _, a := range allowed {
		if strings.EqualFold(value, a) {
			return a
		}
	}
	c.fail(variable, "%q is not one of %s", value, strings.Join(allowed, ", "))
	return ""
}

// renderer reads which renderer is wanted, of those that are built in.
func (c *checker) renderer(variable, value string) images.Renderer {
	renderer := images.Renderer(c.oneOf(variable, value, string(images.Fastest), string(images.Go), string(images.Vips)))
	if !images.HasRenderer(renderer) {
		c.fail(variable, "this program is built without libvips (make build RENDERER=vips)")
	}
	return renderer
}

func (c *checker) level(variable, value string) slog.Level {
	var level slog.Level
	switch c.oneOf(variable, value, "debug", "info", "warn", "error") {
	case "debug":
		level = slog.LevelDebug
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	}
	return level
}

// duration reads "90s", "5m" or, as the original did, a number of seconds.
func (c *checker) duration(variable, value string, least, most time.Duration) time.Duration {
	d, err := time.ParseDuration(value)
	if seconds, convErr := strconv.Atoi(value); convErr == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < least || d > most {
		c.fail(variable, "%q is not a duration from %s to %s, such as 90s or 5m", value, least, most)
	}
	return d
}

func (c *checker) number(variable, value string, least, most int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		c.fail(variable, "%q is not a number from %d to %d", value, least, most)
	}
	return n
}

// share reads a number from 0 to 1.
func (c *checker) share(variable, value string) float64 {
	share, err := strconv.ParseFloat(value, 64)
	if err != nil || !(share >= 0 && share <= 1) {
		c.fail(variable, "%q is not a share from 0 to 1, such as 0.001", value)
	}
	return share
}

// allOr reads a number from 0, or "all", which is nil.
func (c *checker) allOr(variable, value string, most int) *int {
	if value == "all" {
		return nil
	}
	n := c.number(variable, value, 0, most)
	return &n
}

// days reads "400d"; 0 is no limit.
func (c *checker) days(variable, value string, most int) time.Duration {
	number, ok := strings.CutSuffix(value, "d")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > most || !ok && n != 0 {
		c.fail(variable, "%q is not a number of days from 1d to %dd, nor 0", value, most)
	}
	return time.Duration(n) * 24 * time.Hour
}

// networks reads addresses and networks. One of all addresses is refused: who may be
// anywhere may say anything.
func (c *checker) networks(variable, value string) []netip.Prefix {
	var networks []netip.Prefix
	for _, text := range listed(value) {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			var addr netip.Addr
			addr, err = netip.ParseAddr(text)
			network = netip.PrefixFrom(addr, addr.BitLen())
		}
		switch {
		case err != nil || strings.Contains(text, "%") || network.Addr().Is4In6(): // zones and mapped addresses match nobody
			c.fail(variable, "%q is neither an address such as 10.0.0.7 nor a network such as 10.0.0.0/8; separate several by commas", text)
		case network.Bits() == 0:
			c.fail(variable, "%q is everybody: name the proxies in front of Gatefold only", text)
		}
		networks = append(networks, network.Masked())
	}
	return networks
}

// listed returns the parts of a list.
func listed(value string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
}

func (c *checker) hosts(variable, value string) []string {
	var hosts []string
	for _, host := range listed(value) {
		if _, port, err := net.SplitHostPort(host); err != nil || port == "" {
			c.fail(variable, "%q is not HOST:PORT; separate several by commas", host)
		}
		hosts = append(hosts, host)
	}
	return hosts
}

func (c *checker) databaseURL(value, password, dataDir string) string {
	if value == "" {
		return sqliteScheme + filepath.Join(dataDir, "gatefold.db")
	}
	if path, ok := strings.CutPrefix(value, sqliteScheme); ok {
		if path == "" {
			c.fail("DATABASE_URL", "sqlite: needs a path, as in sqlite:/var/lib/gatefold/gatefold.db")
		}
		return value
	}
	if !strings.HasPrefix(value, "postgres://") && !strings.HasPrefix(value, "postgresql://") {
		// Without the value, which may contain a password.
		c.fail("DATABASE_URL", "must begin with sqlite: or postgres://")
	}
	if password == "" {
		return value
	}
	return c.withPassword(value, password)
}

// withPassword puts a password into the URL of a database.
func (c *checker) withPassword(value, password string) string {
	parsed, err := url.Parse(value)
	if err != nil { // which may quote a password
		c.fail("DATABASE_URL", "is not a URL")
		return value
	}
	if _, named := parsed.User.Password(); named {
		c.fail("DATABASE_PASSWORD", "there is one in DATABASE_URL already")
	}
	parsed.User = url.UserPassword(parsed.User.Username(), password)
	return parsed.String()
}

func (c *checker) cache(v variables) cache.Config {
	cfg := cache.Config{
		MaxEntries: c.number("CACHE_ENTRIES", v.CacheEntries, 1, 100_000_000),
		Redis:      c.redis(v),
		Name:       fmt.Sprintf("%s (process %d)", hostName(), os.Getpid()),
		WarmKeys:   c.number("WARM_KEYS", v.WarmKeys, 0, warmcache.MaxKeys),
		WarmRate:   c.number("WARM_RATE", v.WarmRate, 1, 10_000),
	}
	cfg.Wish = deployment.Wish{TTL: v.namesTTL, L1TTL: v.namesL1TTL}
	cfg.Wish.Settings = artwork.CacheSettings{
		TTL:   c.duration("CACHE_TTL", v.CacheTTL, artwork.MinCacheTTL, artwork.MaxCacheTTL).Truncate(time.Millisecond),
		L1TTL: c.duration("L1_TTL", v.L1TTL, artwork.MinCopyTerm, artwork.MaxCopyTerm).Truncate(time.Millisecond),
	}
	mode := artwork.CacheMode(c.oneOf("IMAGE_CACHE", v.ImageCache, "auto",
		string(artwork.CacheMemory), string(artwork.CacheRedis), string(artwork.CacheTwoLevel), string(artwork.CacheOff)))
	cfg.Wish.Mode = mode != "auto"
	switch {
	case cfg.Wish.Mode:
		cfg.Wish.Settings.Mode = mode
	case cfg.Redis.Configured():
		cfg.Wish.Settings.Mode = artwork.CacheTwoLevel
	default:
		cfg.Wish.Settings.Mode = artwork.CacheMemory
	}
	if mode.Shared() && !cfg.Redis.Configured() {
		c.fail("IMAGE_CACHE", "%s needs REDIS_HOST, REDIS_URL, REDIS_SENTINEL_ADDRS or REDIS_CLUSTER_ADDRS", mode)
	}
	return cfg
}

func hostName() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return host
}

func (c *checker) redis(v variables) rediscache.Options {
	o := rediscache.Options{
		URL: v.RedisURL, Host: v.RedisHost, Port: c.number("REDIS_PORT", v.RedisPort, 1, 65535),
		Username: v.RedisUsername, Password: v.RedisPassword,
		TLS:            c.oneOf("REDIS_TLS", v.RedisTLS, "true", "false") == "true",
		TLSCA:          c.path("REDIS_TLS_CA", v.RedisTLSCA),
		SentinelMaster: v.SentinelMaster, SentinelAddrs: c.hosts("REDIS_SENTINEL_ADDRS", v.SentinelAddrs), SentinelPassword: v.SentinelPassword,
		ClusterAddrs: c.hosts("REDIS_CLUSTER_ADDRS", v.ClusterAddrs),
		Patience:     c.duration("REDIS_READ_TIMEOUT", v.RedisReadTimeout, 5*time.Millisecond, time.Minute),
		Compression: rediscache.Compression(c.oneOf("CACHE_COMPRESSION", v.CacheCompression,
			string(rediscache.NoCompression), string(rediscache.LZ4), string(rediscache.Snappy), string(rediscache.Zstd))),
	}
	if (o.SentinelMaster == "") != (len(o.SentinelAddrs) == 0) {
		c.fail("REDIS_SENTINEL_MASTER", "goes with REDIS_SENTINEL_ADDRS, and the reverse")
	}
	ways := 0
	for _, configured := range []bool{o.URL != "", o.Host != "", len(o.SentinelAddrs) > 0, len(o.ClusterAddrs) > 0} {
		if configured {
			ways++
		}
	}
	if ways > 1 && (o.URL == "" || o.Host == "" || ways > 2) {
		c.fail("REDIS_HOST", "only one of REDIS_HOST, REDIS_URL, REDIS_SENTINEL_ADDRS and REDIS_CLUSTER_ADDRS can be meant")
	}
	if err := o.Check(); err != nil {
		c.wrong = append(c.wrong, err.Error()) // it names the variable
	}
	return o
}

func (c *checker) storage(v variables) (images.Storage, s3store.Options) {
	storage := images.Storage(c.oneOf("STORAGE", v.Storage, string(images.Disk), string(images.S3)))
	style := s3store.Style(c.oneOf("S3_URL_STYLE", v.S3URLStyle, string(s3store.StyleAuto), string(s3store.StylePath), string(s3store.StyleHost)))
	if storage != images.S3 {
		return storage, s3store.Options{}
	}
	o := s3store.Options{
		Endpoint: v.S3Endpoint, Region: v.S3Region, Bucket: v.S3Bucket, Prefix: v.S3Prefix,
		AccessKey: v.S3AccessKey, SecretKey: v.S3SecretKey, Style: style,
	}
	if err := o.Check(); err != nil {
		c.wrong = append(c.wrong, err.Error()) // it names the variables
	}
	return storage, o
}

// summary names the parts in use, without a secret.
func (c Config) summary() []any {
	database, _, _ := strings.Cut(c.DatabaseURL, ":")
	return []any{"database", database, "cache", string(c.Cache.Wish.Settings.Mode), "storage", string(c.Storage), "dataDir", c.DataDir, "musicDir", c.MusicDir, "renderer", c.Renderer.InForce(), "traces", c.Traces.Endpoint != "", "version", version()}
}

// environ is where the configuration of a command comes from; tests give their
// own.
type environ func() []string

func (e environ) load() (Config, error) { return LoadConfig(e()) }

var processEnviron environ = os.Environ
