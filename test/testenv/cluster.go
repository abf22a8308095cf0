package testenv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	clusterMasters = 3
	clusterSlots   = 16384
	// clusterNodeTimeout is how long a node may be silent before the others take
	// it for failed. Much less, and a busy machine has failovers nobody asked for.
	clusterNodeTimeout = time.Second
)

// ClusterDeployment is a Redis Cluster of three masters with one replica each.
// The methods are for one goroutine.
type ClusterDeployment struct {
	nodes []*RedisProcess // at first: the masters, then the replicas in their order
	ids   []string        // of the nodes, in their order
}

// RedisCluster starts a cluster without data, which ends with the test. The
// arguments are those of every node, as for RedisServer.
func RedisCluster(tb TB, args ...string) *ClusterDeployment {
	tb.Helper()
	d := &ClusterDeployment{}
	for range 2 * clusterMasters {
		node := startRedis(tb, clusterNode, args...)
		id := redis.NewStringCmd(context.Background(), "CLUSTER", "MYID")
		if err := node.ask(id); err != nil {
			fatalf(tb, "asking a node for its identifier: %v", err)
		}
		d.nodes, d.ids = append(d.nodes, node), append(d.ids, id.Val())
	}
	for i, master := range d.nodes[:clusterMasters] {
		master.order(tb, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		master.order(tb, "CLUSTER", "ADDSLOTSRANGE", clusterSlots*i/clusterMasters, clusterSlots*(i+1)/clusterMasters-1)
	}
	d.meet(tb)
	for i, replica := range d.nodes[clusterMasters:] {
		// It refuses until it has met its master.
		await(tb, "making a node a replica", func() error { return replica.do("CLUSTER", "REPLICATE", d.ids[i]) })
	}
	d.Settle(tb)
	return d
}

// meet introduces every node to every other: gossip alone would need seconds.
func (d *ClusterDeployment) meet(tb TB) {
	tb.Helper()
	for i, node := range d.nodes {
		for _, other := range d.nodes[:i] {
			node.order(tb, "CLUSTER", "MEET", "127.0.0.1", other.port(), other.busPort)
		}
	}
}

// Addrs returns the addresses of all nodes.
func (d *ClusterDeployment) Addrs() []string { return addrs(d.nodes) }

// MasterOf returns the master that serves the key.
func (d *ClusterDeployment) MasterOf(tb TB, key string) *RedisProcess {
	tb.Helper()
	return d.nodes[d.ownerOf(tb, d.slotOf(tb, key))]
}

// KillMasterOf ends the master that serves the key as a crash would, waits until
// its replica has taken over, and returns it; it may be started again.
// Everything written before is kept.
func (d *ClusterDeployment) KillMasterOf(tb TB, key string) *RedisProcess {
	tb.Helper()
	d.Settle(tb)
	old := d.MasterOf(tb, key)
	replicas := d.replicasOf(tb, old)
	if len(replicas) == 0 {
		fatalf(tb, "the master of %q has no replica that could take over", key)
	}
	awaitCopied(tb, old, replicas...)
	old.Stop()
	d.Settle(tb)
	return old
}

// MoveSlot moves the slot of the key, with all its keys, to another master,
// waits until all nodes know, and returns that master.
func (d *ClusterDeployment) MoveSlot(tb TB, key string) *RedisProcess {
	tb.Helper()
	d.Settle(tb)
	slot := d.slotOf(tb, key)
	from := d.ownerOf(tb, slot)
	to := d.anotherMaster(tb, from)
	source, target := d.nodes[from], d.nodes[to]
	target.order(tb, "CLUSTER", "SETSLOT", slot, "IMPORTING", d.ids[from])
	source.order(tb, "CLUSTER", "SETSLOT", slot, "MIGRATING", d.ids[to])
	d.migrate(tb, slot, source, target)
	// The target first: with the source no longer responsible, nobody would be.
	target.order(tb, "CLUSTER", "SETSLOT", slot, "NODE", d.ids[to])
	source.order(tb, "CLUSTER", "SETSLOT", slot, "NODE", d.ids[to])
	d.Settle(tb)
	return target
}

func (d *ClusterDeployment) migrate(tb TB, slot int64, source, target *RedisProcess) {
	tb.Helper()
	for {
		keys := redis.NewStringSliceCmd(context.Background(), "CLUSTER", "GETKEYSINSLOT", slot, 100)
		if err := source.ask(keys); err != nil {
			fatalf(tb, "listing the keys of slot %d: %v", slot, err)
		}
		if len(keys.Val()) == 0 {
			return
		}
		migrate := []any{"MIGRATE", "127.0.0.1", target.port(), "", 0, patience.Milliseconds(), "KEYS"}
		for _, key := range keys.Val() {
			migrate = append(migrate, key)
		}
		source.order(tb, migrate...)
	}
}

// Flush removes all data.
func (d *ClusterDeployment) Flush(tb TB) {
	tb.Helper()
	for _, i := range d.owners(tb) {
		d.nodes[i].order(tb, "FLUSHALL", "SYNC")
	}
}

// Settle waits until all running nodes find the cluster healthy, agree on who
// serves which slot, and either serve some or follow a master that does.
func (d *ClusterDeployment) Settle(tb TB) {
	tb.Helper()
	await(tb, "the cluster's agreement", d.settled, d.nodes...)
}

func (d *ClusterDeployment) settled() error {
	var agreed []redis.ClusterSlot
	for i, node := range d.nodes {
		if !node.running() {
			continue
		}
		if err := d.healthy(node); err != nil {
			return fmt.Errorf("node %s: %w", node.Addr, err)
		}
		slots, err := d.slots(node)
		if err != nil {
			return err
		}
		if agreed != nil && !slices.EqualFunc(agreed, slots, sameOwner) {
			return fmt.Errorf("the nodes disagree: %v, %v", agreed, slots)
		}
		agreed = slots
		if err := d.hasRole(i, slots); err != nil {
			return err
		}
	}
	return nil
}

func sameOwner(a, b redis.ClusterSlot) bool {
	return a.Start == b.Start && a.End == b.End && a.Nodes[0].ID == b.Nodes[0].ID
}

// healthy returns nil if the node finds the cluster able to serve, and suspects
// exactly those nodes that have ended.
func (d *ClusterDeployment) healthy(node *RedisProcess) error {
	state := redis.NewStringCmd(context.Background(), "CLUSTER", "INFO")
	list := redis.NewStringCmd(context.Background(), "CLUSTER", "NODES")
	if err := errors.Join(node.ask(state), node.ask(list)); err != nil {
		return err
	}
	if infoFields(state.Val())["cluster_state"] != "ok" {
		return errors.New(state.Val())
	}
	fit := 0
	for line := range strings.Lines(list.Val()) {
		fields := strings.Fields(line)
		i := slices.Index(d.ids, fields[0])
		flags := strings.Split(fields[2], ",")
		failed := slices.Contains(flags, "fail")
		if i < 0 || slices.Contains(flags, "fail?") || failed == d.nodes[i].running() {
			return fmt.Errorf("it sees %s", line)
		}
		fit++
	}
	if fit != len(d.nodes) {
		return fmt.Errorf("it knows %d nodes", fit)
	}
	return nil
}

// hasRole returns nil if the node is the owner of slots or the replica of one.
func (d *ClusterDeployment) hasRole(i int, slots []redis.ClusterSlot) error {
	info, err := d.nodes[i].info()
	if err != nil {
		return err
	}
	owners := d.ownersIn(slots)
	followed := slices.IndexFunc(d.nodes, func(p *RedisProcess) bool { return p.port() == info["master_port"] })
	switch {
	case info["role"] == "master" && slices.Contains(owners, i):
		return nil
	case info["master_link_status"] == "up" && slices.Contains(owners, followed):
		return nil
	default:
		return fmt.Errorf("node %s is a %s without slots or link", d.nodes[i].Addr, info["role"])
	}
}

func (d *ClusterDeployment) replicasOf(tb TB, master *RedisProcess) []*RedisProcess {
	tb.Helper()
	var replicas []*RedisProcess
	for _, node := range d.nodes {
		if !node.running() {
			continue
		}
		info, err := node.info()
		if err != nil {
			fatalf(tb, "asking %s for its role: %v", node.Addr, err)
		}
		if info["master_port"] == master.port() {
			replicas = append(replicas, node)
		}
	}
	return replicas
}

// anyNode returns a node that runs.
func (d *ClusterDeployment) anyNode(tb TB) *RedisProcess {
	tb.Helper()
	i := slices.IndexFunc(d.nodes, (*RedisProcess).running)
	if i < 0 {
		fatalf(tb, "no node of the cluster runs")
	}
	return d.nodes[i]
}

func (d *ClusterDeployment) slotOf(tb TB, key string) int64 {
	tb.Helper()
	slot := redis.NewIntCmd(context.Background(), "CLUSTER", "KEYSLOT", key)
	if err := d.anyNode(tb).ask(slot); err != nil {
		fatalf(tb, "asking for the slot of %q: %v", key, err)
	}
	return slot.Val()
}

// slots returns who serves which slots as the node sees it, in their order.
func (d *ClusterDeployment) slots(node *RedisProcess) ([]redis.ClusterSlot, error) {
	cmd := redis.NewClusterSlotsCmd(context.Background(), "CLUSTER", "SLOTS")
	if err := node.ask(cmd); err != nil {
		return nil, err
	}
	slots := cmd.Val()
	slices.SortFunc(slots, func(a, b redis.ClusterSlot) int { return a.Start - b.Start })
	return slots, nil
}

func (d *ClusterDeployment) currentSlots(tb TB) []redis.ClusterSlot {
	tb.Helper()
	slots, err := d.slots(d.anyNode(tb))
	if err != nil {
		fatalf(tb, "asking for the slots: %v", err)
	}
	return slots
}

// owners returns the indexes of the nodes that serve slots.
func (d *ClusterDeployment) owners(tb TB) []int {
	tb.Helper()
	return d.ownersIn(d.currentSlots(tb))
}

func (d *ClusterDeployment) ownersIn(slots []redis.ClusterSlot) []int {
	var owners []int
	for _, r := range slots {
		owners = append(owners, slices.Index(d.ids, r.Nodes[0].ID))
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// ownerOf returns the index of the node that serves the slot.
func (d *ClusterDeployment) ownerOf(tb TB, slot int64) int {
	tb.Helper()
	for _, r := range d.currentSlots(tb) {
		if int64(r.Start) <= slot && slot <= int64(r.End) {
			return slices.Index(d.ids, r.Nodes[0].ID)
		}
	}
	fatalf(tb, "nobody serves slot %d", slot)
	return -1
}

// anotherMaster returns the index of the next node that serves slots.
func (d *ClusterDeployment) anotherMaster(tb TB, than int) int {
	tb.Helper()
	owners := d.owners(tb)
	return owners[(slices.Index(owners, than)+1)%len(owners)]
}
