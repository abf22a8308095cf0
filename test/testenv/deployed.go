package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/redis/go-redis/v9"
)

// DeployedRedis says what the processes of deploy/redis are started with.
type DeployedRedis struct {
	Folder        string // with start.sh and the files that it uses
	Password      string // of the users gatefold, backup and watch, and of the sentinels
	AdminPassword string // of the others
}

// deployedRedis is how one of the processes is started: by start.sh, with nothing else in
// place of what is in the files than the ports and the folder of the data.
type deployedRedis struct {
	DeployedRedis
	role []string
}

func (d *deployedRedis) command(p *RedisProcess) *exec.Cmd {
	cmd := exec.Command("/bin/sh", filepath.Join(d.Folder, "start.sh"))
	cmd.Args = append(cmd.Args, d.role...)
	cmd.Args = append(cmd.Args, "--bind", "127.0.0.1", "--port", p.port())
	if p.kind == clusterNode {
		cmd.Args = append(cmd.Args, "--cluster-port", fmt.Sprint(p.busPort), "--cluster-announce-ip", "127.0.0.1")
	}
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "REDIS_DATA=" + p.data(), "REDIS_PASSWORD=" + d.Password, "REDIS_ADMIN_PASSWORD=" + d.AdminPassword,
	}
	return cmd
}

// start starts one of the processes, which ends with the test.
func (d DeployedRedis) start(tb TB, kind redisKind, role ...string) *RedisProcess {
	tb.Helper()
	dir, err := os.MkdirTemp("", "gatefold-redis-")
	if err != nil {
		fatalf(tb, "making a folder for redis-server: %v", err)
	}
	onExit(func() { _ = os.RemoveAll(dir) })
	p := &RedisProcess{kind: kind, deployed: &deployedRedis{d, role}, password: d.AdminPassword, dir: dir}
	if kind == sentinelServer {
		p.password = d.Password
	}
	if err := p.first(); err != nil {
		fatalf(tb, "starting redis-server by start.sh %v: %v", role, err)
	}
	tb.Cleanup(p.end)
	return p
}

// Server starts the one server of a deployment without replicas.
func (d DeployedRedis) Server(tb TB) *RedisProcess {
	tb.Helper()
	return d.start(tb, dataServer, "server")
}

// Sentinel starts a master, two replicas and three sentinels. How often these look for
// each other is not as in production: see hurry. When they hold a master to be down is.
func (d DeployedRedis) Sentinel(tb TB) *SentinelDeployment {
	tb.Helper()
	s := &SentinelDeployment{}
	master := d.start(tb, dataServer, "master")
	s.servers = append(s.servers, master)
	for range sentinelReplicas {
		s.servers = append(s.servers, d.start(tb, dataServer, "replica", "127.0.0.1", master.port()))
	}
	for range sentinelPatience {
		sentinel := d.start(tb, sentinelServer, "sentinel", "127.0.0.1", master.port())
		hurry(tb, sentinel, 50)
		s.sentinels = append(s.sentinels, sentinel)
	}
	s.acquaint(tb)
	return s
}

// Cluster starts three masters and a replica of each, and has redis-cli make a cluster of
// them.
func (d DeployedRedis) Cluster(tb TB) *ClusterDeployment {
	tb.Helper()
	c := &ClusterDeployment{}
	for range 2 * clusterMasters {
		c.nodes = append(c.nodes, d.start(tb, clusterNode, "node"))
	}
	cli := exec.Command("/bin/sh", filepath.Join(d.Folder, "create-cluster.sh"))
	cli.Args = append(cli.Args, c.Addrs()...)
	cli.Env = []string{"PATH=" + os.Getenv("PATH"), "REDIS_ADMIN_PASSWORD=" + d.AdminPassword}
	for range 2 { // the second time there is nothing to do
		again := *cli
		if output, err := again.CombinedOutput(); err != nil {
			fatalf(tb, "making a cluster: %v\n%s", err, output)
		}
	}
	for _, node := range c.nodes {
		id := redis.NewStringCmd(context.Background(), "CLUSTER", "MYID")
		if err := node.ask(id); err != nil {
			fatalf(tb, "asking a node for its identifier: %v", err)
		}
		c.ids = append(c.ids, id.Val())
	}
	c.Settle(tb)
	return c
}
