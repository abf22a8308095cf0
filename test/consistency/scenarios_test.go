package consistency

import (
	"time"

	"gatefold/domain/artwork"
	"gatefold/test/badlink"
	"gatefold/test/testenv"
)

// scenario is what is done to a fleet while it works.
type scenario struct {
	name string
	// How often goroutines are held up between two steps.
	stallsOften, stallsSeldom float64
	// fates are what may become of a commit; else it succeeds.
	fates []odds
	// redis starts the servers; it returns Sentinels if they are to be asked.
	redis func(*trial) *testenv.SentinelDeployment
	// caches opens the caches of an instance.
	caches func(*trial, *instance)
	// faults does harm, at least once and until the trial has enough.
	faults func(*trial)
}

// scenarios are all that the guarantee is tried under.
func scenarios() []scenario {
	return []scenario{
		{name: "healthy", fates: usual()},
		{name: "delays and stalls", stallsOften: 0.3, stallsSeldom: 0.005, fates: usual(), faults: slowLinks},
		{name: "a network that breaks", fates: usual(), faults: breakLinks},
		{name: "instances join", fates: usual(odds{0.2, isJoined})},
		{name: "evictions", stallsOften: 0.1, fates: usual(odds{0.10, losesFence}, odds{0.10, losesFenceEarly}), faults: evictions},
		{name: "failover to a lagging replica", fates: usual(odds{0.2, isSlow}), redis: masterAndStandby, faults: failovers},
		{name: "failover by Sentinel to a lagging replica", fates: usual(), redis: sentinels, faults: sentinelFailover},
		{name: "failback", fates: usual(odds{0.2, isSlow}), redis: masterAndStandby, faults: failbacks},
		{name: "restart with an older file", fates: usual(), faults: olderFiles},
		{name: "Redis stands still", fates: usual(), faults: standstills},
		{name: "writers die", stallsOften: 0.1, fates: usual(odds{0.02, diesFenced}, odds{0.05, diesCommitted}, odds{0.01, isCutOff})},
		{name: "commits of unknown outcome", stallsOften: 0.1, fates: usual(odds{0.10, commitsLate})},
		{name: "the database's connection breaks", fates: usual(odds{0.06, losesAnswer}, odds{0.06, losesConnection}, odds{1, hurries})},
		{name: "slow commits", fates: usual(odds{0.25, isSlow}), faults: verySlowCommit},
		{
			name: "everything at once", stallsOften: 0.2, stallsSeldom: 0.002, redis: masterAndStandby, faults: everything,
			fates: usual(odds{0.05, losesFence}, odds{0.02, isJoined}, odds{0.01, diesFenced}, odds{0.02, diesCommitted},
				odds{0.02, commitsLate}, odds{0.02, losesAnswer}, odds{0.02, losesConnection}, odds{0.02, isSlow}),
		},
	}
}

// usual is what happens in every scenario: changes are called off and overlap.
func usual(more ...odds) []odds {
	return append([]odds{{0.05, refuses}, {0.05, isOverlapped}}, more...)
}

// completed is the scenario with what it does not say.
func (s scenario) completed() scenario {
	if s.redis == nil {
		s.redis = oneServer
	}
	if s.caches == nil {
		s.caches = asProduced
	}
	if s.faults == nil {
		s.faults = func(*trial) {}
	}
	return s
}

// fate rolls what becomes of a commit.
func (s scenario) fate(d *dice) fate {
	for _, o := range s.fates {
		if d.hits(o.probability) {
			return o.fate
		}
	}
	return succeeds
}

func oneServer(tr *trial) *testenv.SentinelDeployment {
	tr.lead(testenv.RedisServer(tr.t))
	return nil
}

// lead makes a server the master that operators know.
func (tr *trial) lead(server *testenv.RedisProcess) {
	tr.master = server
	tr.operator.Store(tr.client(server))
}

func masterAndStandby(tr *trial) *testenv.SentinelDeployment {
	oneServer(tr)
	tr.standby = testenv.RedisServer(tr.t)
	tr.standby.ReplicaOf(tr.t, tr.master)
	return nil
}

func sentinels(tr *trial) *testenv.SentinelDeployment {
	tr.sentinel = testenv.Sentinel(tr.t)
	return tr.sentinel
}

// again repeats a fault, at least once, until the trial has enough.
func (tr *trial) again(fault func()) {
	for {
		fault()
		if tr.enough() {
			return
		}
	}
}

func (tr *trial) anyone() *instance { return tr.fleet[tr.dice.below(len(tr.fleet))] }

// slowLinks has each link be slow for a while.
func slowLinks(tr *trial) {
	tr.again(func() {
		link := tr.anyone().redis
		tr.expect(link.Slow(tr.dice.between(2*time.Millisecond, 60*time.Millisecond)))
		tr.pause(tr.dice.between(50*time.Millisecond, 400*time.Millisecond))
		link.Heal()
	})
}

// breakLinks cuts links to Redis, or makes them swallow everything.
func breakLinks(tr *trial) {
	tr.again(func() {
		tr.pause(tr.dice.between(0, 400*time.Millisecond))
		link := tr.anyone().redis
		switch tr.dice.below(3) {
		case 0:
			tr.expect(link.Interrupt())
		case 1:
			link.Cut()
			tr.pause(tr.dice.between(0, 700*time.Millisecond))
			tr.expect(link.Join(tr.master.Addr))
		default:
			tr.expect(link.Swallow(badlink.BothWays))
			tr.pause(tr.dice.between(20*time.Millisecond, 1200*time.Millisecond))
			link.Heal()
		}
	})
}

// evictions deletes keys at random, fences as well.
func evictions(tr *trial) {
	tr.again(func() {
		tr.pause(tr.dice.between(0, 100*time.Millisecond))
		place := tr.dice.below(len(tr.places))
		keys := tr.places[place].Keys()
		tr.evict(tr.ctx, place, keys[tr.dice.below(len(keys))])
	})
}

// failovers replaces the master, which dies, by the standby, which has missed
// what was written for more than a second; and starts it again as the standby.
func failovers(tr *trial) {
	tr.again(func() {
		tr.lag()
		old := tr.master
		tr.switchOver(old.Stop)
		old.Start(tr.t)
		old.ReplicaOf(tr.t, tr.master)
	})
}

// failbacks is two failovers of masters that stay alive, out of reach: the first
// comes back with the second, as who it was. In between it has followed the other
// one, or does not know what has happened.
func failbacks(tr *trial) {
	tr.again(func() {
		for _, follows := range []bool{tr.dice.hits(0.5), true} {
			tr.lag()
			old := tr.master
			tr.switchOver(func() {})
			tr.expect(tr.client(old).Do(tr.ctx, "ACL", "SETUSER", "default", "+psync", "+sync").Err())
			if follows {
				old.ReplicaOf(tr.t, tr.master)
			}
		}
	})
}

// lag has the standby miss what is written from now on, for more than a second:
// among it the end of a value that it has.
func (tr *trial) lag() {
	tr.pause(tr.dice.between(100*time.Millisecond, 500*time.Millisecond))
	tr.fillQuiet()
	master := tr.client(tr.master)
	tr.expect(master.Wait(tr.ctx, 1, 200*time.Millisecond).Err()) // there may be nobody to wait for
	tr.expect(master.Do(tr.ctx, "ACL", "SETUSER", "default", "-psync", "-sync").Err())
	tr.expect(master.Do(tr.ctx, "CLIENT", "KILL", "TYPE", "replica").Err())
	lagging := time.Now()
	tr.changeQuiet(succeeds)
	tr.pause(tr.dice.between(time.Second, 1500*time.Millisecond) - time.Since(lagging))
}

// switchOver makes the standby the master. Nobody reaches the old one any more,
// which meets its end when that is certain; the instances find the new one, each
// in its time.
func (tr *trial) switchOver(end func()) {
	begin := tr.now()
	for _, in := range tr.fleet {
		in.redis.Cut()
	}
	end()
	tr.standby.Promote(tr.t)
	old := tr.master
	tr.lead(tr.standby)
	tr.standby = old
	tr.lostEverywhere(begin)
	for _, in := range tr.fleet {
		tr.expect(in.redis.Join(tr.master.Addr))
		tr.pause(tr.dice.between(0, 300*time.Millisecond))
	}
}

// lostEverywhere notes that every fence may have been lost since then.
func (tr *trial) lostEverywhere(since time.Duration) {
	for place := range tr.places {
		tr.history.lost(place, window{since, tr.now()})
	}
}

// sentinelFailover has Sentinels elect a replica that lags. Once: it takes long.
func sentinelFailover(tr *trial) {
	tr.pause(300 * time.Millisecond)
	tr.fillQuiet()
	tr.sentinel.Lag(tr.t)
	tr.changeQuiet(succeeds)
	tr.pause(tr.dice.between(time.Second, 1500*time.Millisecond))
	begin := tr.now()
	tr.sentinel.KillMaster(tr.t)
	tr.lostEverywhere(begin)
	tr.pause(time.Second) // until everybody has found the new one
}

// olderFiles stops Redis and starts it with what it held some time before.
func olderFiles(tr *trial) {
	tr.again(func() {
		tr.pause(tr.dice.between(100*time.Millisecond, 400*time.Millisecond))
		tr.fillQuiet()
		older := tr.master.Snapshot(tr.t)
		tr.changeQuiet(succeeds)
		tr.pause(tr.dice.between(200*time.Millisecond, time.Second))
		begin := tr.now()
		tr.master.Stop()
		tr.master.StartFrom(tr.t, older)
		tr.lostEverywhere(begin)
	})
}

// standstills stops Redis from answering while its connections stay open.
func standstills(tr *trial) {
	tr.again(func() {
		tr.pause(tr.dice.between(100*time.Millisecond, 600*time.Millisecond))
		tr.master.Pause()
		tr.pause(tr.dice.between(20*time.Millisecond, 1500*time.Millisecond))
		tr.master.Resume()
	})
}

// verySlowCommit holds up one commit for longer than a fence lasts. Writers of the
// same place would wait for it.
func verySlowCommit(tr *trial) { tr.changeQuiet(isVerySlow) }

// fillQuiet has Redis hold what is in force in the quiet place, and returns when
// every instance was told so by Redis.
func (tr *trial) fillQuiet() {
	key := tr.places[tr.quiet()].Keys()[0]
	for _, in := range tr.fleet {
		for level := artwork.Loaded; level != artwork.Shared && tr.ctx.Err() == nil; tr.pause(time.Millisecond) {
			if answer, err := in.shared.Fetch(tr.ctx, key, in.load(key)); err == nil {
				level = answer.Level
			}
		}
	}
}

// changeQuiet changes the quiet place.
func (tr *trial) changeQuiet(fate fate) { tr.apply(tr.anyone(), tr.dice, []int{tr.quiet()}, fate) }

// everything does what the other scenarios do, one after the other.
func everything(tr *trial) {
	tr.again(func() {
		tr.lag()
		tr.evict(tr.ctx, 0, tr.places[0].Keys()[0])
		old := tr.master
		tr.switchOver(old.Stop)
		link := tr.anyone().redis
		tr.expect(link.Slow(tr.dice.between(2*time.Millisecond, 60*time.Millisecond)))
		old.Start(tr.t)
		old.ReplicaOf(tr.t, tr.master)
		link.Heal()
		tr.expect(tr.anyone().redis.Interrupt())
		tr.master.Pause()
		tr.pause(tr.dice.between(20*time.Millisecond, 800*time.Millisecond))
		tr.master.Resume()
	})
}

// expect fails the trial if a fault could not be brought about.
func (tr *trial) expect(err error) {
	if err != nil && tr.ctx.Err() == nil {
		tr.t.Errorf("a fault: %v", err)
	}
}
