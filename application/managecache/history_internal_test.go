package managecache

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnHourIsKept, and no more.
func TestAnHourIsKept(t *testing.T) {
	var h history
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	h.begin(Stats{}, at)
	for i := range 2 * historyPoints {
		at = at.Add(Resolution)
		h.note(Stats{Fills: int64(i)}, i, at)
	}
	points := h.all()
	require.Len(t, points, historyPoints)
	require.Equal(t, at, points[historyPoints-1].At)
	require.Equal(t, time.Hour-Resolution, at.Sub(points[0].At))
	require.EqualValues(t, 1, points[0].Fills)
	require.Equal(t, 2*historyPoints-1, points[historyPoints-1].Entries)
}

// TestAPointIsToldWhole, to the last bucket; buckets of another release are left out.
func TestAPointIsToldWhole(t *testing.T) {
	p := Point{At: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Instances: 1, Fills: 7}
	p.ReadTime[0], p.ReadTime[buckets-1], p.ChangeTime[3] = 1, 2, 3
	text, err := json.Marshal(p)
	require.NoError(t, err)
	var read Point
	require.NoError(t, json.Unmarshal(text, &read))
	require.Equal(t, p, read)
	require.NoError(t, json.Unmarshal([]byte(`{"readTime":{"-1":1,"9999":1,"2":5}}`), &read))
	require.EqualValues(t, 5, read.ReadTime.Count())
}

func BenchmarkPack(b *testing.B) {
	var h history
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	h.begin(Stats{}, at)
	counters := NewCounters()
	for i := range historyPoints {
		at = at.Add(Resolution)
		for n := range 100 {
			counters.Took(ReadFromProcess, time.Duration(n*i)*time.Microsecond)
			counters.Count(ProcessHit, 1)
		}
		h.note(counters.Stats(), i, at)
	}
	report := Report{Format: reportFormat, Stats: counters.Stats()}
	for b.Loop() {
		packed, err := pack(report, h.told())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(packed)), "bytes")
	}
}
