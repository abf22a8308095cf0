package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/redis/go-redis/v9"
)

const (
	sentinelMaster   = "gatefold"
	sentinelReplicas = 2
)

// sentinelPatience is after how many milliseconds without an answer each of the
// sentinels holds a server to be down. The last one is slower to notice than
// the others are to agree: it then is no candidate in their election but
// decides it, so that the votes cannot be split evenly among three.
var sentinelPatience = []int{1000, 1000, 3000}

// SentinelOptions are what a deployment may differ in.
type SentinelOptions struct {
	Password         string   // of the data servers; empty: none
	SentinelPassword string   // of the sentinels; empty: none
	Args             []string // of the data servers, as for RedisServer
	SentinelArgs     []string // of the sentinels
}

// SentinelDeployment is a Redis master with two replicas and the three sentinels
// that watch them. The methods are for one goroutine.
type SentinelDeployment struct {
	servers   []*RedisProcess
	sentinels []*RedisProcess
	// lagging is the master whose replicas are held back, nil if none is.
	lagging *RedisProcess
}

// Sentinel starts a deployment without passwords, which ends with the test.
func Sentinel(tb TB) *SentinelDeployment {
	tb.Helper()
	return SentinelWith(tb, SentinelOptions{})
}

// SentinelWith is Sentinel with options.
func SentinelWith(tb TB, options SentinelOptions) *SentinelDeployment {
	tb.Helper()
	d := &SentinelDeployment{}
	args := options.Args
	if options.Password != "" {
		// Any of them can become a master or a replica.
		args = append(slices.Clone(args), fmt.Sprintf("requirepass %q", options.Password), fmt.Sprintf("masterauth %q", options.Password))
	}
	for range 1 + sentinelReplicas {
		d.servers = append(d.servers, startRedis(tb, dataServer, args...))
	}
	master := d.servers[0]
	for _, replica := range d.servers[1:] {
		replica.ReplicaOf(tb, master)
	}
	for _, downAfter := range sentinelPatience {
		sentinel := startRedis(tb, sentinelServer, sentinelConfiguration(master, downAfter, options)...)
		// How they find each other is fast only at first: see hurry.
		hurry(tb, sentinel, 50)
		d.sentinels = append(d.sentinels, sentinel)
	}
	d.acquaint(tb)
	return d
}

// acquaint waits until the sentinels know each other and the replicas, and has them look
// on less often from then on.
func (d *SentinelDeployment) acquaint(tb TB) {
	tb.Helper()
	await(tb, "the sentinels' finding each other", d.sentinelsComplete, d.sentinels...)
	d.Settle(tb)
	for _, sentinel := range d.sentinels {
		hurry(tb, sentinel, 500)
	}
}

func sentinelConfiguration(master *RedisProcess, downAfter int, options SentinelOptions) []string {
	lines := []string{
		fmt.Sprintf("sentinel monitor %s 127.0.0.1 %s 2", sentinelMaster, master.port()),
		fmt.Sprintf("sentinel down-after-milliseconds %s %d", sentinelMaster, downAfter),
		fmt.Sprintf("sentinel failover-timeout %s 3000", sentinelMaster),
		fmt.Sprintf("sentinel parallel-syncs %s %d", sentinelMaster, sentinelReplicas),
	}
	if options.Password != "" {
		lines = append(lines, fmt.Sprintf("sentinel auth-pass %s %q", sentinelMaster, options.Password))
	}
	if options.SentinelPassword != "" {
		lines = append(lines, fmt.Sprintf("requirepass %q", options.SentinelPassword), fmt.Sprintf("sentinel sentinel-pass %q", options.SentinelPassword))
	}
	return append(lines, options.SentinelArgs...)
}

// hurry shortens the timers of a sentinel. Some limits are multiples of period,
// in milliseconds: too short a one takes news for outdated on a busy machine,
// and has a new master corrected before all have heard of its election.
func hurry(tb TB, sentinel *RedisProcess, period int) {
	tb.Helper()
	sentinel.order(tb, "SENTINEL", "DEBUG",
		"info-period", period, "publish-period", period, "ask-period", 100,
		// How often it tries to connect. After a failover that has to succeed
		// within sentinelPatience, or the new master is held to be down too. A
		// replica is fit if it was heard of within five such periods; it is asked
		// once a second.
		"ping-period", 400,
		// A busy machine is no reason to look on for half a minute.
		"tilt-period", 1000)
}

// MasterName returns the name by which the sentinels know the master.
func (*SentinelDeployment) MasterName() string { return sentinelMaster }

// Addrs returns the addresses of the sentinels.
func (d *SentinelDeployment) Addrs() []string { return addrs(d.sentinels) }

// ServerAddrs returns the addresses of the data servers, whoever is the master.
func (d *SentinelDeployment) ServerAddrs() []string { return addrs(d.servers) }

func addrs(processes []*RedisProcess) []string {
	list := make([]string, len(processes))
	for i, process := range processes {
		list[i] = process.Addr
	}
	return list
}

// Master returns the server that a sentinel names as the master.
func (d *SentinelDeployment) Master(tb TB) *RedisProcess {
	tb.Helper()
	master, err := d.masterOf(d.sentinels[0])
	if err != nil {
		fatalf(tb, "asking a sentinel for the master: %v", err)
	}
	return master
}

func (d *SentinelDeployment) masterOf(sentinel *RedisProcess) (*RedisProcess, error) {
	cmd := redis.NewStringSliceCmd(context.Background(), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinelMaster)
	if err := sentinel.ask(cmd); err != nil {
		return nil, err
	}
	if len(cmd.Val()) != 2 {
		return nil, fmt.Errorf("not an address: %q", cmd.Val())
	}
	addr := net.JoinHostPort(cmd.Val()[0], cmd.Val()[1])
	for _, server := range d.servers {
		if server.Addr == addr {
			return server, nil
		}
	}
	return nil, fmt.Errorf("a sentinel names a strange master, %s", addr)
}

// Replicas returns the running servers other than the master.
func (d *SentinelDeployment) Replicas(tb TB) []*RedisProcess {
	tb.Helper()
	return d.runningExcept(d.Master(tb))
}

func (d *SentinelDeployment) runningExcept(master *RedisProcess) []*RedisProcess {
	return slices.DeleteFunc(slices.Clone(d.servers), func(p *RedisProcess) bool {
		return p == master || !p.running()
	})
}

// Settle waits until every running server follows the master, has all that was
// written before the call, and is known to the sentinels as a replica. After a
// failover the former master, if it runs or is started again, is a master of
// its own for some seconds until the sentinels correct it. Not while lagging.
func (d *SentinelDeployment) Settle(tb TB) {
	tb.Helper()
	await(tb, "following the master", d.settled, d.sentinels...)
	master := d.Master(tb)
	awaitCopied(tb, master, d.runningExcept(master)...)
}

func (d *SentinelDeployment) settled() error {
	master, err := d.agreedMaster()
	if err != nil {
		return err
	}
	for _, replica := range d.runningExcept(master) {
		if err := replica.hasCopied(master, 0); err != nil {
			return err
		}
	}
	return d.candidates(master, "ok")
}

// Failover has the sentinels replace the healthy master, waits until all of them
// name another one, and returns the former. Everything written before is kept,
// unless the replicas lag.
func (d *SentinelDeployment) Failover(tb TB) *RedisProcess {
	tb.Helper()
	old := d.beforeFailover(tb)
	await(tb, "starting a failover", func() error {
		return d.sentinels[0].do("SENTINEL", "FAILOVER", sentinelMaster)
	}, d.sentinels...)
	d.AwaitNewMaster(tb, old)
	d.afterFailover(tb)
	return old
}

// KillMaster ends the master as a crash would, waits until the sentinels have
// elected another one, and returns the former, which may be started again.
// Everything written before is kept, unless the replicas lag.
func (d *SentinelDeployment) KillMaster(tb TB) *RedisProcess {
	tb.Helper()
	old := d.beforeFailover(tb)
	old.Stop()
	d.AwaitNewMaster(tb, old)
	d.afterFailover(tb)
	return old
}

// AwaitNewMaster waits until all sentinels name the same master, other than old,
// and it knows that it is one. It is for failovers that a test brings about by
// other means, such as pausing the master.
func (d *SentinelDeployment) AwaitNewMaster(tb TB, old *RedisProcess) *RedisProcess {
	tb.Helper()
	var master *RedisProcess
	await(tb, "electing another master", func() error {
		var err error
		if master, err = d.agreedMaster(); err != nil {
			return err
		}
		if master == old {
			return errors.New("it is still the former")
		}
		info, err := master.info()
		if err == nil && info["role"] != "master" {
			err = fmt.Errorf("the elected server is a %s", info["role"])
		}
		return err
	}, d.sentinels...)
	return master
}

func (d *SentinelDeployment) agreedMaster() (*RedisProcess, error) {
	var agreed *RedisProcess
	for _, sentinel := range d.sentinels {
		master, err := d.masterOf(sentinel)
		if err != nil {
			return nil, err
		}
		if agreed != nil && master != agreed {
			return nil, errors.New("the sentinels disagree")
		}
		agreed = master
	}
	return agreed, nil
}

// Lag holds the replicas back: they have everything written before the call, and
// nothing that the master acknowledges after it, which the next Failover or
// KillMaster therefore loses. They do not answer meanwhile. It lasts until then
// or until Unlag.
func (d *SentinelDeployment) Lag(tb TB) {
	tb.Helper()
	d.Settle(tb)
	master := d.Master(tb)
	for _, replica := range d.runningExcept(master) {
		// A paused one cannot notice that it is cut off. One that knows it for
		// long is too outdated for the sentinels to be elected.
		replica.Pause()
	}
	// To pause them is not enough: what the master sends waits in their sockets.
	master.order(tb, "ACL", "SETUSER", "default", "-psync", "-sync")
	master.order(tb, "CLIENT", "KILL", "TYPE", "replica")
	d.lagging = master
}

// Unlag ends Lag and waits until the replicas have caught up.
func (d *SentinelDeployment) Unlag(tb TB) {
	tb.Helper()
	if d.lagging == nil {
		return
	}
	admitReplicas(tb, d.lagging)
	d.resumeReplicas()
	d.lagging = nil
	d.Settle(tb)
}

func admitReplicas(tb TB, master *RedisProcess) {
	tb.Helper()
	master.order(tb, "ACL", "SETUSER", "default", "+psync", "+sync")
	// A sentinel may have had it note meanwhile that replicas are refused.
	master.order(tb, "CONFIG", "REWRITE")
}

func (d *SentinelDeployment) resumeReplicas() {
	for _, replica := range d.runningExcept(d.lagging) {
		replica.Resume()
	}
}

// beforeFailover waits until any replica can be elected and returns the master.
func (d *SentinelDeployment) beforeFailover(tb TB) *RedisProcess {
	tb.Helper()
	if d.lagging == nil {
		d.Settle(tb)
		return d.Master(tb)
	}
	d.resumeReplicas()
	await(tb, "the return of the replicas", func() error { return d.candidates(d.lagging, "err") }, d.sentinels...)
	return d.lagging
}

// afterFailover ends what Lag has begun.
func (d *SentinelDeployment) afterFailover(tb TB) {
	tb.Helper()
	if d.lagging != nil && d.lagging.running() {
		admitReplicas(tb, d.lagging)
	}
	d.lagging = nil
}

// candidates returns nil if every sentinel knows the running replicas as such,
// with this state of their link to the master.
func (d *SentinelDeployment) candidates(master *RedisProcess, link string) error {
	for _, sentinel := range d.sentinels {
		seen := redis.NewMapStringStringSliceCmd(context.Background(), "SENTINEL", "REPLICAS", sentinelMaster)
		if err := sentinel.ask(seen); err != nil {
			return err
		}
		for _, replica := range d.runningExcept(master) {
			if !slices.ContainsFunc(seen.Val(), isCandidate(replica, link)) {
				return fmt.Errorf("%s is not fit: %v", replica.Addr, seen.Val())
			}
		}
	}
	return nil
}

func isCandidate(replica *RedisProcess, link string) func(map[string]string) bool {
	return func(seen map[string]string) bool {
		// Flags of servers that are down or away are added to the first.
		return seen["port"] == replica.port() && seen["flags"] == "slave" &&
			seen["role-reported"] == "slave" && seen["master-link-status"] == link
	}
}

// sentinelsComplete returns nil when each sentinel knows all others and the
// replicas, and finds the master healthy.
func (d *SentinelDeployment) sentinelsComplete() error {
	others := fmt.Sprint(len(d.sentinels) - 1)
	for _, sentinel := range d.sentinels {
		seen := redis.NewMapStringStringCmd(context.Background(), "SENTINEL", "MASTER", sentinelMaster)
		if err := sentinel.ask(seen); err != nil {
			return err
		}
		master := seen.Val()
		if master["flags"] != "master" || master["num-other-sentinels"] != others || master["num-slaves"] != fmt.Sprint(sentinelReplicas) {
			return fmt.Errorf("%s sees %v", sentinel.Addr, master)
		}
	}
	return nil
}
