package rediscache

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"gatefold/application/managecache"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

// Options say where Redis is: one server by URL, or by host and port; the master
// that Sentinels watch; or a cluster. The last one that is set wins.
type Options struct {
	URL  string // redis:// or rediss://, with user, password and database
	Host string
	Port int

	SentinelMaster   string   // the name under which Sentinels know the master
	SentinelAddrs    []string // HOST:PORT
	SentinelPassword string   // of the Sentinels themselves

	ClusterAddrs []string // HOST:PORT of some of the cluster's servers

	Username string // of an ACL user; empty: the default user
	Password string
	TLS      bool   // the URL says it by itself
	TLSCA    string // path of the PEM certificates to trust; empty: those of the system

	Compression Compression // of the values this instance writes; empty: none

	// Patience is how long a reader waits for Redis before the database answers;
	// 0: 50 ms. It waits twice as long for another reader's fill.
	Patience time.Duration

	// Observe is told of every command; nil: nobody is.
	Observe Observer
}

// Configured reports whether the options name a Redis.
func (o Options) Configured() bool {
	return o.URL != "" || o.Host != "" || len(o.SentinelAddrs) > 0 || len(o.ClusterAddrs) > 0
}

// Check returns an InvalidInput error unless the options can be understood.
func (o Options) Check() error {
	if err := o.Compression.Check(); err != nil {
		return err
	}
	_, err := o.universal()
	return err
}

const (
	poolSize = 32
	// clusterReload is how old the map of a cluster may be: a reader gives up on
	// a dead master too soon for the client to notice by itself.
	clusterReload = 2 * time.Second
)

// universal returns the options with the time limits of a cache: it fails soon,
// because the database can answer instead.
func (o Options) universal() (*redis.UniversalOptions, error) {
	longest := max(changeBudget, o.Patience)
	opts := &redis.UniversalOptions{
		Addrs:    []string{net.JoinHostPort(o.Host, strconv.Itoa(o.Port))},
		Username: o.Username, Password: o.Password,
		ClientName: "gatefold", ContextTimeoutEnabled: true,
		DialTimeout: 250 * time.Millisecond, DialerRetries: 1,
		ReadTimeout: longest, WriteTimeout: longest, PoolTimeout: longest,
		PoolSize: poolSize, MaxRetries: 1, MinRetryBackoff: time.Millisecond, MaxRetryBackoff: 5 * time.Millisecond,
		// Hints of hosted services, which Redis itself does not send.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if o.TLS {
		opts.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if err := o.locate(opts); err != nil {
		return nil, err
	}
	if err := o.trustCA(opts.TLSConfig); err != nil {
		return nil, err
	}
	return opts, nil
}

// locate says where the servers are, and what the URL says of how to talk to it.
func (o Options) locate(opts *redis.UniversalOptions) error {
	switch {
	case len(o.ClusterAddrs) > 0:
		opts.Addrs = o.ClusterAddrs
	case len(o.SentinelAddrs) > 0:
		opts.Addrs, opts.MasterName, opts.SentinelPassword = o.SentinelAddrs, o.SentinelMaster, o.SentinelPassword
	case o.URL != "":
		parsed, err := redis.ParseURL(o.URL)
		if err != nil {
			// The parser's message can contain the password.
			return artwork.Errorf(artwork.InvalidInput, "REDIS_URL is not a redis:// or rediss:// URL")
		}
		opts.Addrs, opts.DB, opts.Username, opts.Password = []string{parsed.Addr}, parsed.DB, parsed.Username, parsed.Password
		if parsed.TLSConfig != nil {
			opts.TLSConfig = parsed.TLSConfig
		}
	}
	return nil
}

// trustCA makes the certificates of TLSCA those that are trusted, in place of the
// system's.
func (o Options) trustCA(config *tls.Config) error {
	if o.TLSCA == "" {
		return nil
	}
	if config == nil {
		return artwork.Errorf(artwork.InvalidInput, "REDIS_TLS_CA needs REDIS_TLS=true or a rediss:// URL: without, nothing is encrypted")
	}
	certificates, err := os.ReadFile(o.TLSCA)
	if err != nil {
		return &artwork.Error{Kind: artwork.InvalidInput, Msg: "REDIS_TLS_CA cannot be read", Err: err}
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(certificates) {
		return artwork.Errorf(artwork.InvalidInput, "REDIS_TLS_CA: there is no PEM certificate in %s", o.TLSCA)
	}
	return nil
}

// connect returns a client that does not connect yet. Given a trust, each of its
// connections asks who it talks to.
func (o Options) connect(opts *redis.UniversalOptions, trusted *trust) redis.UniversalClient {
	// The library prints to stderr, past every log; what it prints is also
	// returned as an error.
	logging.Disable()
	if trusted != nil {
		trusted.severalMasters = len(o.ClusterAddrs) > 0
		opts.OnConnect = trusted.onConnect
		opts.Dialer = trusted.dialler(redis.NewDialer(opts.Simple()))
	}
	client := o.client(opts)
	if o.Observe != nil {
		client.AddHook(commands{o.Observe})
	}
	return client
}

func (o Options) client(opts *redis.UniversalOptions) redis.UniversalClient {
	switch {
	case len(o.ClusterAddrs) > 0:
		cluster := opts.Cluster()
		cluster.ClusterStateReloadInterval = clusterReload
		return redis.NewClusterClient(cluster)
	case len(o.SentinelAddrs) > 0:
		return redis.NewFailoverClient(opts.Failover())
	default:
		return redis.NewClient(opts.Simple())
	}
}

// Open returns a cache on the Redis that the options name. Every instance that
// shares it must follow the same terms. It does not connect yet: see Ready. The
// change log tells what to do about servers that may have missed something, and
// about writers that died. The recorder is told what happens.
func Open(o Options, terms artwork.CacheTerms, changes artwork.ChangeLog, events managecache.Recorder, log *slog.Logger) (*Cache, error) {
	opts, err := o.universal()
	if err != nil {
		return nil, err
	}
	direct := *opts.Simple()
	trusted := newTrust(changes, terms, events, log, func(addr string) *redis.Client {
		one := direct
		one.Addr = addr
		one.PoolSize = 1
		one.ReadTimeout, one.WriteTimeout = replayBudget, replayBudget
		return redis.NewClient(&one)
	})
	patience := o.Patience
	if patience == 0 {
		patience = readBudget
	}
	c := &Cache{
		rdb: o.connect(opts, trusted), terms: terms, patience: patience, compression: o.Compression, changes: changes,
		events: events, trust: trusted, breaker: newBreaker(events), log: log,
	}
	c.reads.patience = patience
	c.looks.Joined = func() { events.Count(managecache.SharedLook, 1) }
	return c, nil
}

// Close closes every connection and ends what runs in the background.
func (c *Cache) Close() error {
	c.trust.end()
	return c.rdb.Close()
}

// Ready waits until every master is trusted, or ctx ends. Without it the first
// readers go to the database.
func (c *Cache) Ready(ctx context.Context) error {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := c.eachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return master.Ping(ctx).Err() })
		if err == nil {
			return nil
		}
		if ended := wait.For(ctx, pause); ended != nil {
			return &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Ready", Msg: "Redis cannot be used yet", Err: err}
		}
	}
}

// eachMaster runs do on every server that holds keys.
func (c *Cache) eachMaster(ctx context.Context, do func(context.Context, *redis.Client) error) error {
	switch rdb := c.rdb.(type) {
	case *redis.ClusterClient:
		return rdb.ForEachMaster(ctx, do)
	case *redis.Client:
		return do(ctx, rdb)
	default:
		panic(fmt.Sprintf("rediscache: unexpected client %T", c.rdb))
	}
}

// Check returns nil if Redis can be used: it answers, is trusted, a master and
// recent enough. The message says what to do.
func (c *Cache) Check(ctx context.Context) error { return check(ctx, c.rdb) }

// Probe is Check for a Redis on which no cache is open. It changes nothing.
func Probe(ctx context.Context, o Options) error {
	opts, err := o.universal()
	if err != nil {
		return err
	}
	rdb := o.connect(opts, nil)
	defer func() { _ = rdb.Close() }() // only asked
	return check(ctx, rdb)
}

// minVersion is the first release with SET NX GET and PXAT, which the protocol
// uses.
var minVersion = [2]int{7, 0}

func check(ctx context.Context, rdb redis.UniversalClient) error {
	info, err := rdb.Info(ctx, "server", "replication").Result()
	if err != nil {
		return &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Check", Msg: "Redis does not answer", Err: err}
	}
	return judge(info)
}

// judge returns nil if a server that says this of itself can be used.
func judge(info string) error {
	// Any server of a cluster may answer: a replica is none of ours to judge.
	if role := infoField(info, "role"); role != "master" && infoField(info, "redis_mode") != "cluster" {
		return artwork.Errorf(artwork.Unavailable, "Redis is a %s: point Gatefold at the master", role)
	}
	version := infoField(info, "redis_version")
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || major < minVersion[0] || major == minVersion[0] && minor < minVersion[1] {
		return artwork.Errorf(artwork.Unavailable, "Redis %s is too old: Gatefold needs %d.%d or later", version, minVersion[0], minVersion[1])
	}
	return nil
}

// infoField returns a field of the answer to INFO.
func infoField(info, field string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
