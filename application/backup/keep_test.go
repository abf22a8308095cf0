package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// everySixHours are backups of so many days, the oldest first.
func everySixHours(days int) []Kept {
	first := time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC) // a Thursday
	var kept []Kept
	for i := range 4 * days {
		at := first.Add(time.Duration(i) * 6 * time.Hour)
		kept = append(kept, Kept{ID: idOf(at), Manifest: &Manifest{CreatedAt: at}})
	}
	return kept
}

// stay returns when the backups were made that stay, the oldest first.
func stay(keep Retention, kept []Kept) []string {
	gone := map[string]bool{}
	for _, id := range keep.expired(kept) {
		gone[id] = true
	}
	var left []string
	for _, k := range kept {
		if !gone[k.ID] && k.Manifest != nil {
			left = append(left, k.Manifest.CreatedAt.Format("01-02T15"))
		}
	}
	return left
}

func TestRetention(t *testing.T) {
	for name, test := range map[string]struct {
		keep Retention
		days int
		want []string
	}{
		"the last ones":                {Retention{Last: 3}, 2, []string{"01-02T09", "01-02T15", "01-02T21"}},
		"the last of each day":         {Retention{Daily: 2}, 3, []string{"01-02T21", "01-03T21"}},
		"the last of each ISO week":    {Retention{Weekly: 2}, 12, []string{"01-11T21", "01-12T21"}},
		"the last of each month":       {Retention{Monthly: 2}, 40, []string{"01-31T21", "02-09T21"}},
		"what one rule keeps, stays":   {Retention{Last: 2, Daily: 2}, 3, []string{"01-02T21", "01-03T15", "01-03T21"}},
		"more than there are":          {Retention{Last: 100}, 1, []string{"01-01T03", "01-01T09", "01-01T15", "01-01T21"}},
		"all":                          {Retention{}, 1, []string{"01-01T03", "01-01T09", "01-01T15", "01-01T21"}},
		"the newest, whatever is said": {Retention{Monthly: 1}, 1, []string{"01-01T21"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, stay(test.keep, everySixHours(test.days)))
		})
	}
	year := everySixHours(365)
	require.Len(t, stay(DefaultRetention(), year), 8+14-2+8-2+6-2, "some are kept by several rules")
}

// TestWhatCannotBeReadStays: what it is, somebody has to decide.
func TestWhatCannotBeReadStays(t *testing.T) {
	kept := append([]Kept{{ID: "20250101T000000Z", Err: ErrDamaged}}, everySixHours(3)...)
	require.NotContains(t, Retention{Last: 1}.expired(kept), "20250101T000000Z")
}

func TestParseRetention(t *testing.T) {
	for text, want := range map[string]Retention{
		"all":                                 {},
		"last:3":                              {Last: 3},
		"daily:7, weekly:4":                   {Daily: 7, Weekly: 4},
		"last:8,daily:14,weekly:8,monthly:6":  DefaultRetention(),
		"last:0,monthly:1":                    {Monthly: 1},
		Retention{Last: 1, Daily: 2}.String(): {Last: 1, Daily: 2},
		Retention{}.String():                  {},
	} {
		got, err := ParseRetention(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "8", "last", "last:", "last:x", "last:-1", "yearly:1", "last:1,last:2", "last:0", "last:10001"} {
		_, err := ParseRetention(text)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), text)
	}
}
