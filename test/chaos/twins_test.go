package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/overlay"
)

// twin breaks a rule of the protocol in a program that can be told which one to break
// while it runs. Its name is that in package twins, which has the tests of one process.
type twin struct {
	rule  string
	edits []overlay.Edit
	found string // the kind of contradiction that its schedule brings about
	play  func(s *stage)
}

const (
	redisCache = "adapters/rediscache/"
	writer     = redisCache + "change.go"
)

// The rules of scripts that have more than one.
const (
	noFence    = "there is no fence"
	noSet      = "a fence is one token and not a set"
	endsAll    = "the end of a change ends every fence"
	staysThere = "what was stored after a fence was lost stays"
	noLook     = "the fence is not looked at before COMMIT"
)

// script replaces a text of a script while the rule is broken.
func script(rule, name, old, replacement string) string {
	return fmt.Sprintf("disturb.Script(%q, %s, %q, %q)", rule, name, old, replacement)
}

// twins are rules of the protocol of which a breach shows in what clients are given.
func twins() []twin {
	const setFence = "redis.call('SET', KEYS[1], 'F' .. table.concat(tokens), 'PXAT', string.format('%.0f', last))"
	const isHeld = "do return 1 end\nlocal held"
	return []twin{
		{
			rule: "a load is stored whatever happened meanwhile", found: "stale", play: (*stage).lateFill,
			edits: []overlay.Edit{{
				File: redisCache + "cache.go", Old: "c.rdb.Eval(ctx, fillScript,",
				New: "c.rdb.Eval(ctx, " + script("a load is stored whatever happened meanwhile", "fillScript", "== ARGV[1] then", "~= 'no lease' then") + ",",
			}},
		},
		{
			rule: "a caller shares a load that began before it asked", found: "stale", play: (*stage).sharedLoad,
			edits: []overlay.Edit{{File: "domain/generations/group.go", Old: "\t\treturn current, nil\n", New: `		if disturb.Broken("a caller shares a load that began before it asked") {
			f := &flight[V]{ctx: context.WithoutCancel(ctx), read: read, done: make(chan struct{})}
			current.next = f
			go func() {
				f.value, f.err = g.inTime(f.ctx, f.read)
				g.take(key, current) // it is not the next any more,
				g.take(key, current) // and none is
				close(f.done)
			}()
			return current, f
		}
		return current, nil
`}},
		},
		{
			rule: "a copy counts from the arrival of the answer", found: "stale", play: (*stage).lateCopy,
			edits: []overlay.Edit{{
				File: "adapters/twolevelcache/cache.go", Old: "localCopy{answer.Image, until}",
				New: `localCopy{answer.Image, disturb.Instead("a copy counts from the arrival of the answer", until, max(until, c.now()+c.terms.CopyLife()))}`,
			}},
		},
		{
			rule: "copies are made of loads under a fence", found: "stale", play: (*stage).copyUnderFence,
			edits: []overlay.Edit{{
				File: "adapters/twolevelcache/cache.go", Old: "if answer.Level == artwork.Shared",
				New: `if answer.Level == artwork.Loaded && disturb.Broken("copies are made of loads under a fence") || answer.Level == artwork.Shared`,
			}},
		},
		{
			rule: "a writer does not wait for copies", found: "stale", play: (*stage).copyLeft,
			edits: []overlay.Edit{{
				File: writer, Old: "err := wait.For(ctx, ch.cache.terms.CopyWait())",
				New: `err := wait.For(ctx, disturb.Unless("a writer does not wait for copies", ch.cache.terms.CopyWait()))`,
			}},
		},
		{
			rule: noFence, found: "back", play: func(s *stage) { s.overtaken(func() {}) },
			edits: []overlay.Edit{
				{
					File: writer, Old: "_, err := ch.eval(step, fenceScript, ch.token",
					New: "_, err := ch.eval(step, " + script(noSet, script(noFence, "fenceScript", setFence, ""), "until_ms > now and token ~= ARGV[1]", "false") + ", ch.token",
				},
				{
					File: writer, Old: "held, err := ch.eval(ctx, heldScript, ch.token)",
					New: "held, err := ch.eval(ctx, " + script(noLook, script(noFence, "heldScript", "local held", isHeld), "local held", isHeld) + ", ch.token)",
				},
			},
		},
		{rule: noSet, found: "back", play: func(s *stage) { s.overtaken(s.invalidate) }},
		{
			rule: endsAll, found: "back", play: func(s *stage) { s.overtaken(s.invalidate) },
			edits: []overlay.Edit{{
				File: writer, Old: "held, err := ch.eval(ctx, unfenceScript, ch.token)",
				New: "held, err := ch.eval(ctx, " + script(endsAll, script(staysThere, "unfenceScript", "redis.call('DEL', KEYS[1])\n  return 0", "return 0"),
					"elseif until_ms > now then", "elseif false then") + ", ch.token)",
			}},
		},
		{rule: staysThere, found: "stale", play: (*stage).fenceLost},
		{
			rule: "a writer whose fence was lost does not wait again", found: "stale", play: (*stage).fenceLost,
			edits: []overlay.Edit{{
				File: writer, Old: "\t\treturn ch.waitForCopies(ctx)\n",
				New: "\t\tif disturb.Broken(\"a writer whose fence was lost does not wait again\") {\n\t\t\treturn nil\n\t\t}\n\t\treturn ch.waitForCopies(ctx)\n",
			}},
		},
		{rule: noLook, found: "back", play: (*stage).fenceLostEarly},
		{
			rule: "a replay deletes fences", found: "back", play: func(s *stage) { s.overtaken(s.replay) },
			edits: []overlay.Edit{{
				File: redisCache + "trust.go", Old: "pipe.Eval(ctx, evictScript, []string{name})",
				New: "pipe.Eval(ctx, " + script("a replay deletes fences", "evictScript", "if held and held:sub(1, 1) ~= 'F' then", "if held then") + ", []string{name})",
			}},
		},
		{
			rule: "nothing is replayed", found: "stale", play: (*stage).olderFile,
			edits: []overlay.Edit{{
				File: redisCache + "trust.go", Old: "\tevicted, err := t.evictChanged(ctx, conn)\n",
				New: "\tevicted, err := 0, error(nil)\n\tif !disturb.Broken(\"nothing is replayed\") {\n\t\tevicted, err = t.evictChanged(ctx, conn)\n\t}\n",
			}},
		},
		{
			rule: "a sweep forgets what it did not evict", found: "stale", play: (*stage).deadWriter,
			edits: []overlay.Edit{{
				File: redisCache + "sweep.go", Old: "evict(ctx, c.rdb, names); err != nil {",
				New: `evict(ctx, c.rdb, disturb.Unless("a sweep forgets what it did not evict", names)); err != nil {`,
			}},
		},
	}
}

// TestTwinsAreThoseOfTheRules: every twin here breaks a rule that has a test of its own.
func TestTwinsAreThoseOfTheRules(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("../twins/rules_test.go")
	require.NoError(t, err)
	for _, w := range twins() {
		require.Contains(t, string(rules), fmt.Sprintf("rule: %q", w.rule))
	}
}

// twinTries is how often a schedule is played if the machine was too slow for it: a copy
// that should be used too late has to be used before its wrong term ends, too.
const twinTries = 5

// TestSchedules plays the schedule of each twin. With its rule broken, the judge has to
// find what it is known for; with all rules kept, nothing.
func TestSchedules(t *testing.T) {
	t.Parallel()
	_, err := program()
	require.NoError(t, err)
	t.Run("rules are kept", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		for _, w := range twins() {
			found, _ := s.try(w, "")
			require.Empty(t, found, "the schedule of %q", w.rule)
		}
	})
	t.Run("rules are broken", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		for _, w := range twins() {
			s.requireCaught(w)
		}
	})
}

// requireCaught requires that the judge finds the broken rule.
func (s *stage) requireCaught(w twin) {
	s.t.Helper()
	var told string
	for try := range twinTries {
		found, report := s.try(w, w.rule)
		told = report
		for _, c := range found {
			if c.kind == w.found {
				s.t.Logf("%s (try %d):\n%s", w.rule, try+1, c.text)
				return
			}
		}
	}
	require.Fail(s.t, "a broken rule was not noticed", "%s: %s", w.rule, told)
}

// try plays the schedule of a twin while a rule is broken, and judges.
func (s *stage) try(w twin, rule string) ([]contradiction, string) {
	s.t.Helper()
	s.open()
	require.NoError(s.t, os.WriteFile(s.breaks, []byte(rule), 0o600))
	begin := time.Now()
	w.play(s)
	require.NoError(s.t, os.Remove(s.breaks))
	s.closeAll()
	g := s.register()
	found, _ := g.check()
	return found, fmt.Sprintf("%d versions, %d readings, %s: %v", len(g.versions)-1, g.readings, time.Since(begin).Round(time.Millisecond), found)
}

// forgetOrders removes what a schedule may have left.
func (f *fleet) forgetOrders() {
	left, _ := filepath.Glob(filepath.Join(f.dir, "order-*"))
	for _, path := range left {
		_ = os.Remove(path) // whoever waits there goes on
	}
}
