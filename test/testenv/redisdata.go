package testenv

import (
	"fmt"
	"os"
	"strconv"
)

// RedisSnapshot is a copy of what a server had on disk at one time. It lasts as
// long as its server.
type RedisSnapshot struct{ dir string }

// Save writes the data to disk, from where the next Start loads it. With
// "--appendonly yes" the server does that by itself.
func (p *RedisProcess) Save(tb TB) {
	tb.Helper()
	// Redis refuses while it copies the data to a replica.
	await(tb, "saving the data of Redis", func() error { return p.do("SAVE") })
}

// Snapshot saves the data and keeps a copy of it for StartFrom.
func (p *RedisProcess) Snapshot(tb TB) RedisSnapshot {
	tb.Helper()
	p.Save(tb)
	dir, err := os.MkdirTemp(p.dir, "snapshot-")
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(p.data()))
	}
	if err != nil {
		fatalf(tb, "copying the data of Redis: %v", err)
	}
	return RedisSnapshot{dir}
}

// StartFrom starts a stopped server with the data of an earlier time, as after
// the restore of a backup.
func (p *RedisProcess) StartFrom(tb TB, snapshot RedisSnapshot) {
	tb.Helper()
	if p.running() {
		fatalf(tb, "the server has to be stopped before its data is replaced")
	}
	err := os.RemoveAll(p.data())
	if err == nil {
		err = os.CopyFS(p.data(), os.DirFS(snapshot.dir))
	}
	if err != nil {
		fatalf(tb, "restoring the data of Redis: %v", err)
	}
	p.Start(tb)
}

// ReplicaOf makes the server a replica of the other, also after a restart, and
// waits until it has the master's data.
func (p *RedisProcess) ReplicaOf(tb TB, master *RedisProcess) {
	tb.Helper()
	if master.password != "" {
		p.order(tb, "CONFIG", "SET", "masterauth", master.password)
	}
	p.order(tb, "REPLICAOF", "127.0.0.1", master.port())
	p.order(tb, "CONFIG", "REWRITE")
	awaitCopied(tb, master, p)
}

// Promote makes a replica a master with the data that it has, also after a
// restart.
func (p *RedisProcess) Promote(tb TB) {
	tb.Helper()
	p.order(tb, "REPLICAOF", "NO", "ONE")
	p.order(tb, "CONFIG", "REWRITE")
}

// awaitCopied waits until the replicas follow the master and have everything
// that it has executed before the call.
func awaitCopied(tb TB, master *RedisProcess, replicas ...*RedisProcess) {
	tb.Helper()
	info, err := master.info()
	if err != nil {
		fatalf(tb, "asking the master on %s: %v", master.Addr, err)
	}
	offset, err := strconv.ParseInt(info["master_repl_offset"], 10, 64)
	if err != nil {
		fatalf(tb, "the master's offset: %v", err)
	}
	for _, replica := range replicas {
		await(tb, "replicating to "+replica.Addr, func() error { return replica.hasCopied(master, offset) }, master, replica)
	}
}

func (p *RedisProcess) hasCopied(master *RedisProcess, offset int64) error {
	info, err := p.info()
	if err != nil {
		return err
	}
	copied, _ := strconv.ParseInt(info["slave_repl_offset"], 10, 64)
	if info["master_port"] != master.port() || info["master_link_status"] != "up" || copied < offset {
		return fmt.Errorf("a %s of port %q, link %q, at %d of %d", info["role"], info["master_port"], info["master_link_status"], copied, offset)
	}
	return nil
}
