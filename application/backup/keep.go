package backup

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatefold/domain/artwork"
)

// Retention says which backups stay: the last so many, and of each of the last so many
// days, weeks and months in which there was one, the last. One that any of these keeps,
// stays. All four zero keep every backup.
type Retention struct {
	Last, Daily, Weekly, Monthly int
}

// DefaultRetention keeps, of a backup every six hours, two days of them all, then one a
// day for two weeks, one a week for two months, and one a month for half a year.
func DefaultRetention() Retention { return Retention{Last: 8, Daily: 14, Weekly: 8, Monthly: 6} }

const maxKept = 10_000

// ParseRetention reads "last:8,daily:14,weekly:8,monthly:6", or "all". What is not named
// is 0. InvalidInput: it is something else.
func ParseRetention(text string) (Retention, error) {
	var r Retention
	if text == "all" {
		return r, nil
	}
	counts := map[string]*int{"last": &r.Last, "daily": &r.Daily, "weekly": &r.Weekly, "monthly": &r.Monthly}
	for part := range strings.SplitSeq(text, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), ":")
		n, err := strconv.Atoi(number)
		if counts[name] == nil || err != nil || n < 0 || n > maxKept {
			return Retention{}, artwork.Errorf(artwork.InvalidInput, "%q is not such as last:8,daily:14,weekly:8,monthly:6, nor all", text)
		}
		*counts[name] = n
		delete(counts, name) // once is enough
	}
	if r == (Retention{}) {
		return Retention{}, artwork.Errorf(artwork.InvalidInput, "%q would keep no backup", text)
	}
	return r, nil
}

// String is what ParseRetention reads.
func (r Retention) String() string {
	if r == (Retention{}) {
		return "all"
	}
	return fmt.Sprintf("last:%d,daily:%d,weekly:%d,monthly:%d", r.Last, r.Daily, r.Weekly, r.Monthly)
}

// expired returns which backups do not stay. Days, weeks (of ISO 8601) and months are those of UTC.
// The newest always stays, and so does one whose manifest cannot be read: what it is, somebody has
// to decide.
func (r Retention) expired(kept []Kept) []string {
	if r == (Retention{}) {
		return nil
	}
	rules := []struct {
		left   int
		period func(time.Time) string
		seen   map[string]bool
	}{
		{max(r.Last, 1), idOf, map[string]bool{}},
		{r.Daily, func(t time.Time) string { return t.Format(time.DateOnly) }, map[string]bool{}},
		{r.Weekly, isoWeek, map[string]bool{}},
		{r.Monthly, func(t time.Time) string { return t.Format("2006-01") }, map[string]bool{}},
	}
	var expired []string
	for i := len(kept) - 1; i >= 0; i-- {
		if kept[i].Manifest == nil {
			continue
		}
		stays := false
		for j := range rules {
			rule := &rules[j]
			if period := rule.period(kept[i].Manifest.CreatedAt.UTC()); rule.left > 0 && !rule.seen[period] {
				rule.left--
				rule.seen[period] = true
				stays = true
			}
		}
		if !stays {
			expired = append(expired, kept[i].ID)
		}
	}
	return expired
}

func isoWeek(t time.Time) string {
	year, week := t.ISOWeek()
	return fmt.Sprintf("%d-%d", year, week)
}

// prune removes the backups that do not stay, and then the images that none of the others
// refers to. If the images of any other cannot be known, no image is removed. The vault
// must be locked.
func prune(ctx context.Context, vault Vault, copies artwork.ImageStore, keep Retention, now time.Time) (removed []string, freed int, err error) {
	kept, err := vault.List(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range keep.expired(kept) {
		if err := vault.Remove(id); err != nil {
			return removed, 0, err
		}
		removed = append(removed, id)
	}
	if len(removed) == 0 {
		return nil, 0, nil
	}
	freed, err = removeImages(ctx, vault, copies, now)
	return removed, freed, err
}

func removeImages(ctx context.Context, vault Vault, copies artwork.ImageStore, now time.Time) (freed int, err error) {
	kept, err := vault.List(ctx)
	if err != nil {
		return 0, err
	}
	referenced := map[artwork.Hash]bool{}
	for _, backup := range kept {
		images, err := imagesOf(vault, backup)
		if err != nil {
			return 0, err
		}
		for _, image := range images {
			referenced[image.Hash] = true
		}
	}
	err = copies.List(ctx, func(stored artwork.StoredInfo) error {
		if referenced[stored.Hash] {
			return nil
		}
		// Nobody else writes, so that no Put can come between.
		gone, err := copies.Remove(ctx, stored.Hash, now.Add(time.Hour))
		if gone {
			freed++
		}
		return err
	})
	return freed, err
}
