package rediscache

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"gatefold/domain/artwork"
)

// Options say where Redis is. URL, if set, wins over the other three.
type Options struct {
	URL      string // redis:// or rediss://
	Host     string
	Port     int
	Password string
}

// minVersion is the first release with SET NX GET and PXAT, which the protocol
// uses.
var minVersion = [2]int{7, 0}

// Client is a connection pool to Redis. It is safe for concurrent use.
type Client struct{ rdb redis.UniversalClient }

// Dial returns a client with the time limits of a cache: it fails soon, because
// the database can answer instead. It does not connect yet. InvalidInput: the
// URL is malformed.
func Dial(o Options) (*Client, error) {
	opts := &redis.Options{Addr: net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), Password: o.Password}
	if o.URL != "" {
		parsed, err := redis.ParseURL(o.URL)
		if err != nil {
			// The parser's message can contain the password.
			return nil, artwork.Errorf(artwork.InvalidInput, "REDIS_URL is not a redis:// or rediss:// URL")
		}
		opts = parsed
	}
	// The library prints to stderr, past every log; what it prints is also
	// returned as an error.
	logging.Disable()
	opts.ClientName = "gatefold"
	opts.ContextTimeoutEnabled = true
	opts.DialTimeout = 250 * time.Millisecond
	opts.DialerRetries = 1
	opts.ReadTimeout = changeBudget
	opts.WriteTimeout = changeBudget
	opts.PoolTimeout = changeBudget
	opts.PoolSize = 32
	opts.MaxRetries = 1
	opts.MinRetryBackoff = time.Millisecond
	opts.MaxRetryBackoff = 5 * time.Millisecond
	// Hints of hosted services, which Redis itself does not send.
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &Client{redis.NewClient(opts)}, nil
}

// Close closes every connection.
func (c *Client) Close() error { return c.rdb.Close() }

// Check reports whether the server can be used: it answers, is a master and
// recent enough. The message says what to do.
func (c *Client) Check(ctx context.Context) error {
	info, err := c.rdb.Info(ctx, "server", "replication").Result()
	if err != nil {
		return &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Check", Msg: "Redis does not answer", Err: err}
	}
	if role := infoField(info, "role"); role != "master" {
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
