package consistency

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// TestCounts tells both counters and the checker apart on histories of one place
// whose first image is put in force at 10..20 and whose second at 30..40.
func TestCounts(t *testing.T) {
	first, second, third := artwork.ID{1}, artwork.ID{2}, artwork.ID{3}
	order := [][]artwork.ID{{first, second}}
	const settled = time.Duration(100)
	at := func(from, to time.Duration) window { return window{from, to} }
	read := func(from, to time.Duration, image artwork.ID) reading {
		return reading{window: at(from, to), image: image}
	}
	changed := func(from, to time.Duration, image artwork.ID, told result) change {
		return change{window: at(from, to), image: image, result: told, commit: &window{to - 3, to - 2}}
	}
	both := []change{changed(10, 20, first, acknowledged), changed(30, 40, second, acknowledged)}
	for name, c := range map[string]struct {
		changes  []change
		readings []reading
		losses   []window
		want     counts
		verdict  porcupine.CheckResult
	}{
		"each reading at its time": {changes: both, verdict: porcupine.Ok, readings: []reading{
			read(0, 5, artwork.ID{}), read(12, 13, first), read(21, 22, first), read(35, 36, second), read(50, 51, second),
		}},
		"a reading may have begun before the answer": {changes: both, verdict: porcupine.Ok, readings: []reading{read(39, 50, first)}},
		"older after the answer": {
			changes: both, verdict: porcupine.Illegal, readings: []reading{read(41, 42, first)}, want: counts{stale: 1},
		},
		"empty after the answer": {
			changes: both, verdict: porcupine.Illegal, readings: []reading{read(21, 22, artwork.ID{})}, want: counts{stale: 1},
		},
		"older after newer, before the answer": {
			changes: both, verdict: porcupine.Illegal, readings: []reading{read(35, 36, second), read(37, 38, first)}, want: counts{back: 1},
		},
		"newer and older at the same time": {
			changes: both, verdict: porcupine.Ok, readings: []reading{read(35, 38, second), read(37, 39, first)},
		},
		"a step back with a lost fence": {
			changes: both, losses: []window{{37, 37}}, verdict: porcupine.Ok,
			readings: []reading{read(35, 36, second), read(37, 38, first)}, want: counts{excused: 1},
		},
		"a step back with a fence lost at another time": {
			changes: both, losses: []window{{32, 36}, {39, 90}}, verdict: porcupine.Illegal,
			readings: []reading{read(35, 36, second), read(37, 38, first)}, want: counts{back: 1},
		},
		"a lost fence excuses nothing after the answer": {
			changes: both, losses: []window{{37, 37}}, verdict: porcupine.Illegal,
			readings: []reading{read(41, 42, first)}, want: counts{stale: 1},
		},
		"an image that was never in force": {
			changes: both, verdict: porcupine.Ok, readings: []reading{read(50, 51, third)}, want: counts{phantoms: 1},
		},
		"an unknown outcome that happened late": {
			changes: []change{both[0], changed(30, 40, second, unknown)}, verdict: porcupine.Ok,
			readings: []reading{read(50, 51, first), read(60, 61, second), read(101, 102, second)},
		},
		"an unknown outcome that happened is not taken back": {
			changes: []change{both[0], changed(30, 40, second, unknown)}, verdict: porcupine.Illegal,
			readings: []reading{read(50, 51, second), read(60, 61, first)}, want: counts{back: 1},
		},
		"an unknown outcome that nobody sees in the end": {
			changes: []change{both[0], changed(30, 40, second, unknown)}, verdict: porcupine.Illegal,
			readings: []reading{read(101, 102, first)}, want: counts{stale: 1},
		},
		"an unknown outcome that did not happen": {
			changes: append([]change{changed(50, 60, third, unknown)}, both...), verdict: porcupine.Ok,
			readings: []reading{read(70, 71, second), read(101, 102, second)},
		},
		"a failure that happened": {
			changes: []change{both[0], changed(30, 40, second, undone)}, verdict: porcupine.Ok, want: counts{lost: 1},
		},
		"a success that did not happen": {
			changes: append([]change{changed(50, 60, third, acknowledged)}, both...), verdict: porcupine.Ok, want: counts{lost: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := history{readings: c.readings, changes: c.changes, losses: map[int][]window{0: c.losses}}
			registers := h.registers(order, settled)
			got := registers[0].count()
			require.Len(t, got.examples, c.want.stale+c.want.back)
			got.examples = nil
			require.Equal(t, c.want, got)
			require.Equal(t, c.verdict, linearizable(registers))
		})
	}
}
