package rediscache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/domain/artwork"
)

// locateBudget bounds how long it takes to find out which servers are masters.
const locateBudget = 5 * time.Second

// CopyRDB has redis-cli write what every master holds into files in Redis' RDB format, which
// path names: redis.rdb or, of a cluster, redis-1.rdb and so on, in the order of addresses.
//
// An ACL user needs +sync, +psync and +replconf for it. Unavailable: there is no redis-cli, or
// a server cannot be reached or refuses.
func CopyRDB(ctx context.Context, o Options, path func(name string) string) error {
	program, err := exec.LookPath("redis-cli")
	if err != nil {
		return artwork.Errorf(artwork.Unavailable, "redis-cli is not on PATH: install it (Debian: apt-get install redis-tools)")
	}
	opts, err := o.universal()
	if err != nil {
		return err
	}
	addrs, err := o.masters(ctx, opts)
	if err != nil {
		return &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.CopyRDB", Msg: "Redis cannot be reached", Err: err}
	}
	for i, addr := range addrs {
		name := "redis.rdb"
		if len(o.ClusterAddrs) > 0 {
			name = fmt.Sprintf("redis-%d.rdb", i+1)
		}
		if err := o.copyRDB(ctx, program, addr, opts, path(name)); err != nil {
			return err
		}
	}
	return nil
}

// masters returns the addresses of the servers that hold the keys.
func (o Options) masters(ctx context.Context, opts *redis.UniversalOptions) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, locateBudget)
	defer cancel()
	switch {
	case len(o.ClusterAddrs) > 0:
		return o.clusterMasters(ctx, opts)
	case len(o.SentinelAddrs) > 0:
		return o.sentinelMaster(ctx, opts)
	default:
		return opts.Addrs, nil
	}
}

func (o Options) clusterMasters(ctx context.Context, opts *redis.UniversalOptions) ([]string, error) {
	client := redis.NewClusterClient(opts.Cluster())
	var mu sync.Mutex
	var addrs []string
	err := client.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		addrs = append(addrs, master.Options().Addr)
		return nil
	})
	slices.Sort(addrs)
	return addrs, errors.Join(err, client.Close())
}

// sentinelMaster asks one Sentinel after the other.
func (o Options) sentinelMaster(ctx context.Context, opts *redis.UniversalOptions) ([]string, error) {
	var failed error
	for _, addr := range o.SentinelAddrs {
		sentinel := redis.NewSentinelClient(&redis.Options{Addr: addr, Password: o.SentinelPassword, TLSConfig: opts.TLSConfig, DialTimeout: opts.DialTimeout})
		found, err := sentinel.GetMasterAddrByName(ctx, o.SentinelMaster).Result()
		if err = errors.Join(err, sentinel.Close()); err == nil && len(found) == 2 {
			return []string{net.JoinHostPort(found[0], found[1])}, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

func (o Options) copyRDB(ctx context.Context, program, addr string, opts *redis.UniversalOptions, path string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return artwork.Errorf(artwork.Internal, "the address of Redis: %v", err)
	}
	args := []string{"-h", host, "-p", port, "--rdb", path}
	if opts.Username != "" {
		args = append(args, "--user", opts.Username)
	}
	if opts.TLSConfig != nil {
		args = append(args, "--tls")
		if o.TLSCA != "" {
			args = append(args, "--cacert", o.TLSCA)
		}
	}
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // redis-cli, at an address of the configuration or of its Sentinels
	if opts.Password != "" {
		// Not an argument, which everybody on the machine may see.
		cmd.Env = append(os.Environ(), "REDISCLI_AUTH="+opts.Password)
	}
	cmd.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return artwork.Errorf(artwork.Unavailable, "redis-cli --rdb fails at %s: %s", addr, strings.TrimSpace(said.String()))
	}
	return nil
}
