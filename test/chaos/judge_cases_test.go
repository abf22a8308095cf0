package chaos

import (
	"os"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// seen is one reading of a tag.
type seen struct {
	tag      string
	from, to time.Duration
}

// TestJudge tells the counters and porcupine apart on histories of one place whose first
// image is put in force at 10..20 and whose second at 30..40.
func TestJudge(t *testing.T) {
	const settled = time.Duration(100)
	order := []string{"1", "2"}
	changed := func(image string, from, to time.Duration, was told) change {
		return change{window: window{from, to}, image: image, tag: "tag " + image, by: "instance 1", told: was}
	}
	both := []change{changed("1", 10, 20, acknowledged), changed("2", 30, 40, acknowledged)}
	with := func(was told) []change { return []change{both[0], changed("2", 30, 40, was)} }
	for name, c := range map[string]struct {
		changes []change
		seen    []seen
		losses  []window
		found   []string
		excused int
		legal   bool // to porcupine
	}{
		"each reading at its time": {changes: both, legal: true, seen: []seen{
			{"", 0, 5}, {"tag 1", 12, 13}, {"tag 1", 21, 22}, {"tag 2", 35, 36}, {"tag 2", 50, 51},
		}},
		"a reading may have begun before the answer": {changes: both, legal: true, seen: []seen{{"tag 1", 39, 50}}},
		"older after the answer":                     {changes: both, seen: []seen{{"tag 1", 41, 42}}, found: []string{"stale"}},
		"one of many is older after the answer": {
			changes: both, found: []string{"stale"},
			seen: []seen{{"tag 1", 21, 22}, {"tag 2", 45, 46}, {"tag 1", 47, 48}, {"tag 1", 38, 39}, {"tag 2", 50, 51}},
		},
		"empty after the answer":               {changes: both, seen: []seen{{"", 21, 22}}, found: []string{"stale"}},
		"older after newer, before the answer": {changes: both, seen: []seen{{"tag 2", 35, 36}, {"tag 1", 37, 38}}, found: []string{"back"}},
		"newer and older at the same time":     {changes: both, legal: true, seen: []seen{{"tag 2", 35, 38}, {"tag 1", 37, 39}}},
		"a step back with a lost fence": {
			changes: both, losses: []window{{37, 37}}, legal: true, excused: 1, seen: []seen{{"tag 2", 35, 36}, {"tag 1", 37, 38}},
		},
		"a step back with a fence lost at another time": {
			changes: both, losses: []window{{22, 29}, {41, 90}}, seen: []seen{{"tag 2", 35, 36}, {"tag 1", 37, 38}}, found: []string{"back"},
		},
		"a lost fence excuses nothing after the answer": {
			changes: both, losses: []window{{37, 37}}, seen: []seen{{"tag 1", 41, 42}}, found: []string{"stale"},
		},
		"an image that was never in force": {changes: both, legal: true, seen: []seen{{"tag 3", 50, 51}}, found: []string{"phantom"}},
		"an image before its time":         {changes: both, seen: []seen{{"tag 2", 25, 26}}, found: []string{"early"}},
		"an unknown outcome that happened late": {
			changes: with(unknown), legal: true, seen: []seen{{"tag 1", 50, 51}, {"tag 2", 60, 61}, {"tag 2", 101, 102}},
		},
		"an unknown outcome that happened is not taken back": {
			changes: with(unknown), seen: []seen{{"tag 2", 50, 51}, {"tag 1", 60, 61}}, found: []string{"back"},
		},
		"what is not confirmed binds when all is settled": {
			changes: with(unconfirmed), seen: []seen{{"tag 1", 101, 102}}, found: []string{"stale"},
		},
		"an unknown outcome that did not happen": {
			changes: append([]change{changed("3", 50, 60, unknown)}, both...), legal: true, seen: []seen{{"tag 2", 101, 102}},
		},
		"a refusal that happened":       {changes: with(undone), legal: true, found: []string{"lost"}},
		"a success that did not happen": {changes: append([]change{changed("3", 50, 60, acknowledged)}, both...), legal: true, found: []string{"lost"}},
		"an answer that comes before what it follows": {
			changes: []change{changed("1", 50, 60, acknowledged), both[1]}, found: []string{"order"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &record{changes: c.changes}
			for _, s := range c.seen {
				r.read(s.tag, reading{window: window{s.from, s.to}, by: "instance 2", how: "GET"})
			}
			g := newRegister("album 1 cover", order, r, settled, c.losses)
			require.EqualValues(t, len(c.seen), g.readings)
			found, excused := g.check()
			var kinds []string
			for _, f := range found {
				kinds = append(kinds, f.kind)
			}
			require.Equal(t, c.found, kinds)
			require.Equal(t, c.excused, excused)
			require.Equal(t, c.legal, g.linearizable() == porcupine.Ok)
		})
	}
}

// TestAReportTellsAndDraws: the few operations as text, and a page for browsers.
func TestAReportTellsAndDraws(t *testing.T) {
	r := &record{}
	for i, image := range []string{"1", "2", "3"} {
		at := time.Duration(i+1) * time.Second
		r.changed(change{window: window{at, at + time.Millisecond}, image: image, tag: "tag " + image, by: "instance 1"})
		r.read("tag "+image, reading{window: window{at + 100*time.Millisecond, at + 101*time.Millisecond}, by: "instance 3", how: "HEAD"})
	}
	r.read("tag 2", reading{window: window{3500 * time.Millisecond, 3501 * time.Millisecond}, by: "instance 2", how: "GET"})
	v := judge([]*register{newRegister("album 1 cover", []string{"1", "2", "3"}, r, time.Minute, nil)})
	require.Len(t, v.found, 1)
	dir := t.TempDir()
	text := v.report(dir, func(at time.Duration) string { return "nothing at " + at.String() })
	require.Equal(t, `stale, album 1 cover:
  version 2 (tag 2): put in force through instance 1 at 2.0000..2.0010 s: acknowledged
  version 3 (tag 3): put in force through instance 1 at 3.0000..3.0010 s: acknowledged
  version 3 first seen: instance 3, HEAD at 3.1000..3.1010 s; 1 readings in all
  version 2 still read: instance 2, GET at 3.5000..3.5010 s; 2 readings in all
  meanwhile: nothing at 3.001s
  as a picture: `+dir+`/1-stale.html
`, text)
	page, err := os.ReadFile(dir + "/1-stale.html")
	require.NoError(t, err)
	require.Contains(t, string(page), "version 2 read: instance 2, GET")
}
