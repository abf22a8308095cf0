package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatefold/domain/artwork"
	"gatefold/test/badlink"
	"gatefold/test/crashpoint"
	"gatefold/test/disturb"
)

// run is a fleet under load to which a schedule is done.
type run struct {
	fleet    *fleet
	load     *workload
	thorough bool

	mu     sync.Mutex
	log    []activity
	losses []window // when fences may have been lost
}

// activity is a step and when it was done.
type activity struct {
	window
	step step
}

// do does a step and notes when.
func (x *run) do(s step) {
	begin := x.load.now()
	x.begin(s)
	for _, n := range nemeses {
		if n.name == s.nemesis {
			n.do(x, s)
		}
	}
	x.end(s)
	x.fleet.t.Logf("%7.2f..%7.2f s  %s", begin.Seconds(), x.load.now().Seconds(), s)
}

func (x *run) begin(s step) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.log = append(x.log, activity{window{x.load.now(), 1 << 62}, s})
}

func (x *run) end(s step) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.log {
		if x.log[i].step == s && x.log[i].to == 1<<62 {
			x.log[i].to = x.load.now()
			return
		}
	}
}

// meanwhile tells what was done at a time.
func (x *run) meanwhile(at time.Duration) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var doing []string
	for _, a := range x.log {
		// What ended shortly before may still be felt.
		if a.overlaps(window{at - 2*time.Second, at}) {
			doing = append(doing, fmt.Sprintf("%s (%s)", a.step, a.window))
		}
	}
	return strings.Join(doing, "; ")
}

// mayLose notes that fences may be lost while f runs.
func (x *run) mayLose(f func()) {
	begin := x.load.now()
	f()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.losses = append(x.losses, window{begin, x.load.now()})
}

// phase does the steps of a phase, with a pause after each, as long as goOn says so, and
// sees to it that what goes on meanwhile lasts as long as it should.
func (x *run) phase(p phase, goOn func() bool) {
	var others sync.WaitGroup
	for _, s := range p.meanwhile {
		if goOn() {
			others.Go(func() { x.do(s) })
		}
	}
	for _, s := range p.steps {
		if goOn() {
			x.do(s)
		}
		time.Sleep(300 * time.Millisecond)
	}
	others.Wait()
}

// victims are the instances that a step is about.
func (x *run) victims(s step) []*instance {
	if s.victim == everybody {
		return x.fleet.instances
	}
	return x.fleet.instances[s.victim : s.victim+1]
}

// badLink has links be bad for a while: slow, broken, or swallowing.
func (x *run) badLink(s step) {
	for _, in := range x.victims(s) {
		links := []*badlink.Link{in.postgres}
		if s.link == toRedis {
			links = nil
			for _, link := range in.redis {
				links = append(links, link)
			}
		}
		for _, link := range links {
			x.expect(spoil(link, s))
			defer link.Heal()
		}
	}
	time.Sleep(s.lasts)
}

func spoil(link *badlink.Link, s step) error {
	switch s.nemesis {
	case "latency":
		latency, err := time.ParseDuration(s.how)
		return firstOf(err, link.Slow(latency))
	case "resets":
		return firstOf(link.Reset(s.way), link.Interrupt())
	default:
		return link.Swallow(s.way)
	}
}

// expect fails the test if something could not be brought about.
func (x *run) expect(err error) {
	if err != nil {
		x.fleet.t.Errorf("a nemesis: %v", err)
	}
}

// stallsAt are the points at which readers and writers are held up.
var stallsAt = []string{
	loaded, answered, crashpoint.Fenced.Name, crashpoint.BeforeCommit.Name, crashpoint.AfterCommit.Name, crashpoint.FenceInPlace.Name,
}

// stalls holds somebody up, on every instance at the same time, again and again: between
// two steps, for longer than copies last.
func (x *run) stalls(s step) {
	var all sync.WaitGroup
	for _, in := range x.fleet.instances {
		dice := chance(0, s.how+" "+in.String())
		all.Go(func() {
			for end := time.Now().Add(s.lasts); time.Now().Before(end); {
				x.expect(in.stall(stallsAt[dice.IntN(len(stallsAt))], between(dice, 20*time.Millisecond, 500*time.Millisecond)))
			}
		})
	}
	all.Wait()
}

// stall holds up the next one who comes to the point, if somebody does soon.
func (in *instance) stall(point string, lasts time.Duration) error {
	if err := crashpoint.OrderHold(in.orders, point); err != nil {
		return err
	}
	for limit := time.Now().Add(time.Second); !crashpoint.Held(in.orders, point) && time.Now().Before(limit); {
		time.Sleep(time.Millisecond)
	}
	if crashpoint.Held(in.orders, point) {
		time.Sleep(lasts)
	}
	return crashpoint.Release(in.orders, point)
}

// stallsAndEvictions also deletes keys as an operator does, fences as well.
func (x *run) stallsAndEvictions(s step) {
	operator := x.fleet.redis.Client(x.fleet.t)
	dice := chance(0, s.how)
	ctx, cancel := context.WithTimeout(context.Background(), s.lasts)
	defer cancel()
	x.mayLose(func() {
		var other sync.WaitGroup
		other.Go(func() { x.stalls(s) })
		for ctx.Err() == nil {
			_ = operator.Del(ctx, x.load.wanted(dice).key()).Err() // it may have happened
			time.Sleep(between(dice, 0, 50*time.Millisecond))
		}
		other.Wait()
	})
}

func (x *run) pauseRedis(s step) {
	x.fleet.redis.Pause()
	time.Sleep(s.lasts)
	x.fleet.redis.Resume()
}

// pausePostgres: a COMMIT that is under way then goes on, maybe after its fence has
// ended by itself.
func (x *run) pausePostgres(s step) {
	x.mayLose(func() {
		x.fleet.postgres.Pause()
		time.Sleep(s.lasts)
		x.fleet.postgres.Resume()
	})
}

func (x *run) pauseInstance(s step) {
	process := x.victims(s)[0].running()
	process.Pause()
	time.Sleep(s.lasts)
	process.Resume()
}

// kill ends an instance at a step of a change, the next one that comes there, and starts
// it again.
func (x *run) kill(s step) {
	in := x.victims(s)[0]
	x.expect(crashpoint.Order(in.orders, s.how))
	select {
	case <-in.running().Done():
		x.expect(in.start())
	case <-time.After(patience):
		x.fleet.t.Errorf("%s did not come to the point %q", in, s.how)
		_ = os.Remove(in.orders)
	}
}

func (x *run) emptyRedis(step) {
	x.mayLose(func() {
		x.fleet.redis.Stop()
		x.fleet.redis.Start(x.fleet.t)
	})
}

func (x *run) olderRedis(step) {
	older := x.fleet.redis.Snapshot(x.fleet.t)
	time.Sleep(1500 * time.Millisecond) // some is changed
	x.mayLose(func() {
		x.fleet.redis.Stop()
		x.fleet.redis.StartFrom(x.fleet.t, older)
	})
}

// shortage has Redis reach its limit of memory, until that has had an effect: by what
// others store there it evicts, or it refuses to store anything.
func (x *run) shortage(s step) {
	operator := x.fleet.redis.Client(x.fleet.t)
	settings := func(limit int64, policy string) {
		x.expect(operator.ConfigSet(context.Background(), "maxmemory-policy", policy).Err())
		x.expect(operator.ConfigSet(context.Background(), "maxmemory", fmt.Sprint(limit)).Err())
	}
	x.mayLose(func() {
		if s.how == "noeviction" {
			settings(1, s.how)
			refused := x.load.counted(artwork.CacheUnreachable.String())
			x.goOn(s, func() bool { return x.load.counted(artwork.CacheUnreachable.String()) > refused })
		} else {
			settings(x.info(operator, "memory", "used_memory")+100<<10, s.how)
			ctx, cancel := context.WithCancel(context.Background())
			var others sync.WaitGroup
			others.Go(func() { flood(ctx, operator) })
			evicted := x.info(operator, "stats", "evicted_keys")
			x.goOn(s, func() bool { return x.info(operator, "stats", "evicted_keys") > evicted })
			cancel()
			others.Wait()
		}
		settings(0, "noeviction")
	})
}

// goOn returns when the time of a step is over and it has had its effect.
func (x *run) goOn(s step, effect func() bool) {
	begin := time.Now()
	for !effect() || time.Since(begin) < s.lasts {
		if time.Since(begin) > patience {
			x.fleet.t.Errorf("%s has no effect", s)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (x *run) info(operator *redis.Client, section, field string) (n int64) {
	sections, err := operator.InfoMap(context.Background(), section).Result()
	x.expect(err)
	for _, fields := range sections {
		if text, ok := fields[field]; ok {
			_, err = fmt.Sscan(text, &n)
			x.expect(err)
		}
	}
	return n
}

// flood stores what nobody needs, until ctx ends.
func flood(ctx context.Context, operator *redis.Client) {
	for i := 0; ctx.Err() == nil; i++ {
		_ = operator.Set(ctx, fmt.Sprint("filler:", i%1000), strings.Repeat("x", 4<<10), time.Minute).Err() // as far as there is room
		time.Sleep(time.Millisecond)
	}
}

// fullDisk has the disk that all share be full, until an upload was refused for it.
// Without the right to mount one, an instance may write no more to any file.
func (x *run) fullDisk(s step) {
	const full = "upload: storage_full"
	refused := x.load.counted(full)
	effect := func() bool { return x.load.counted(full) > refused }
	if !ownDisk() {
		process := x.fleet.instances[0].running()
		limit := unix.Rlimit{Cur: 0, Max: unix.RLIM_INFINITY}
		x.expect(unix.Prlimit(process.Pid(), unix.RLIMIT_FSIZE, &limit, nil))
		x.goOn(s, effect)
		limit.Cur = unix.RLIM_INFINITY
		x.expect(unix.Prlimit(process.Pid(), unix.RLIMIT_FSIZE, &limit, nil))
		return
	}
	path := filepath.Join(x.fleet.data, "filler")
	x.goOn(s, func() bool {
		x.expect(fill(path))
		return effect()
	})
	x.expect(os.Remove(path))
}

// fill writes to the file until the disk is full.
func fill(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for err == nil {
		_, err = file.Write(make([]byte, 1<<20))
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return firstOf(err, file.Close())
}

func ownDisk() bool { return os.Geteuid() == 0 }

// wrongClock starts an instance anew with a clock that is wrong, and after a while with
// one that is right.
func (x *run) wrongClock(s step) {
	in := x.victims(s)[0]
	in.running().Kill()
	x.expect(in.start(disturb.ClockVariable + "=" + s.how))
	time.Sleep(s.lasts)
	in.running().Kill()
	x.expect(in.start())
}

// moves moves the deployment to other modes of the cache.
func (x *run) moves(s step) {
	for mode := range strings.SplitSeq(s.how, ", ") {
		x.move(mode)
		time.Sleep(300 * time.Millisecond)
	}
}

// move waits for instances that were killed, until they no longer count as alive.
func (x *run) move(mode string) {
	operator := x.fleet.instances[theConstant]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for asked := false; ; time.Sleep(50 * time.Millisecond) {
		var now struct{ Mode, Step string }
		a, err := operator.ask(ctx, http.MethodGet, "/api/admin/cache/mode", "", nil)
		if ctx.Err() != nil {
			x.fleet.t.Errorf("the deployment does not move to %q: %s", mode, a.body)
			return
		}
		if err != nil || a.status != http.StatusOK || json.Unmarshal(a.body, &now) != nil || now.Step != "settled" {
			continue
		}
		if asked && now.Mode == mode {
			return
		}
		a, err = operator.send(ctx, http.MethodPut, "/api/admin/cache/mode", map[string]any{"mode": mode})
		asked = err == nil && a.status < http.StatusBadRequest
	}
}

// laggingFailover has Sentinels elect a replica that has missed what was written for more
// than a second.
func (x *run) laggingFailover(step) {
	deployment := x.fleet.sentinel
	x.mayLose(func() {
		deployment.Lag(x.fleet.t)
		time.Sleep(1200 * time.Millisecond)
		old := deployment.KillMaster(x.fleet.t)
		old.Start(x.fleet.t)
	})
	deployment.Settle(x.fleet.t)
}

// moveSlots moves the slots of some places to other masters.
func (x *run) moveSlots(step) {
	for _, p := range x.load.places[:4] {
		x.fleet.cluster.MoveSlot(x.fleet.t, p.key())
	}
}

// killMaster ends a master of the cluster. Its replica may lack what it wrote last.
func (x *run) killMaster(step) {
	x.mayLose(func() {
		old := x.fleet.cluster.KillMasterOf(x.fleet.t, x.load.places[0].key())
		old.Start(x.fleet.t)
	})
	x.fleet.cluster.Settle(x.fleet.t)
}

// disk returns a folder for images, on a small disk of its own if that is allowed.
func disk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if ownDisk() {
		require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)))
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	}
	return dir
}
