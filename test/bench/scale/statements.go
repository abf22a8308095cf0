package main

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/application/warmcache"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
)

// wholeTable is from how many rows on it matters that a table is read from one end to the
// other.
const wholeTable = 5000

// errEnough ends a visit.
var errEnough = fmt.Errorf("that is enough")

// step is something that the program asks of the database.
type step struct {
	what, when string
	times      int
	op         func(ctx context.Context, db *bunrepo.DB) error
}

func (l *large) steps() []step {
	artist := func() artwork.Subject { return artwork.Artist(rig.ArtistID(l.filled.Artists / 2)) }
	ignore := func(artwork.Place) error { return nil }
	return slices.Concat(l.requests(artist), []step{
		{"changes that dead writers have left", "every 2 s", 200, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewChangeLog(db).Overdue(ctx, 100)
			return err
		}},
		{"the settings of the cache, and who is alive", "every second", 200, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewDeployment(db).Look(ctx)
			return err
		}},
		{"jobs that are not finished", "each look at the metrics", 200, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewBacklog(db).Count(ctx)
			return err
		}},
		{"what has changed in the last six minutes", "a Redis that was not met before", 20, func(ctx context.Context, db *bunrepo.DB) error {
			return bunrepo.NewChangeLog(db).ChangedWithin(ctx, 6*time.Minute, ignore)
		}},
		{"what changed last, 5 000 keys", "warming", 20, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewChangeLog(db).LastChanged(ctx, 5000)
			return err
		}},
		{"what was requested most, 5 000 keys", "warming", 20, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewRequests(db, warmcache.RecordTerms{HalfLife: 24 * time.Hour, MaxKeys: 50_000}).MostRequested(ctx, 5000)
			return err
		}},
	}, l.sweeps())
}

// requests are what requests ask for, beside the image in force.
func (l *large) requests(artist func() artwork.Subject) []step {
	return []step{
		{"which image is in force", "each miss of the cache", 200, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewImages(db).InForce(ctx, l.place())
			return err
		}},
		{"an apply", "each apply", 50, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewImages(db).Apply(ctx, artwork.Unfenced(), []artwork.Application{{Record: invented(l.place()), By: somebody}})
			return err
		}},
		{"what was modified in the last 30 seconds", "each apply and every 3 s, for events", 200, func(ctx context.Context, db *bunrepo.DB) error {
			return bunrepo.NewChangeLog(db).ModifiedWithin(ctx, 30*time.Second, func(artwork.Place, time.Time) error { return nil })
		}},
		{"the history of an artist", "a page of the panel", 200, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewImages(db).History(ctx, artist())
			return err
		}},
		{"the uploads of an artist", "a page of the panel", 200, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewImages(db).List(ctx, artist(), artwork.Custom)
			return err
		}},
		{"a page of the activity log", "a page of the panel", 50, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewActivity(db).List(ctx, activity.Query{Limit: 50})
			return err
		}},
		{"a page of the activity log, of one family of actions", "a page of the panel", 50, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewActivity(db).List(ctx, activity.Query{Action: "image", Limit: 50})
			return err
		}},
	}
}

// sweeps are what is done in the background now and then.
func (l *large) sweeps() []step {
	return []step{
		{"100 empty slots", "filling, for each 100", 20, func(ctx context.Context, db *bunrepo.DB) error {
			_, _, err := bunrepo.NewGaps(db).After(ctx, artwork.SlotLogo, rig.ArtistID(7), 100)
			return err
		}},
		{"100 empty slots, where none is", "filling, for each 10 000 subjects", 20, func(ctx context.Context, db *bunrepo.DB) error {
			_, _, err := bunrepo.NewGaps(db).After(ctx, artwork.SlotProfile, rig.ArtistID(7), 100)
			return err
		}},
		{"all empty slots, where none is", "filling, once; in such steps", 1, noGaps},
		{"1 000 records, of all", "daily, for each 1 000", 20, func(ctx context.Context, db *bunrepo.DB) error {
			return visitSome(ctx, db, 1000)
		}},
		{"all records", "daily; reads all in steps", 1, func(ctx context.Context, db *bunrepo.DB) error {
			return bunrepo.NewImages(db).References(ctx, func(artwork.Content) error { return nil })
		}},
		{"does anything refer to these bytes?", "daily, each file that is in doubt", 200, func(ctx context.Context, db *bunrepo.DB) error {
			id := artwork.NewID()
			_, err := bunrepo.NewImages(db).Refers(ctx, artwork.HashOf(id[:]))
			return err
		}},
		{"former pictures beyond `HISTORY_KEEP=5`", "daily", 1, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewImages(db).Trim(ctx, 5)
			return err
		}},
		{"what was deleted long ago", "daily", 20, func(ctx context.Context, db *bunrepo.DB) error {
			_, _, err := bunrepo.NewBin(db).Forget(ctx, 720*time.Hour, 100)
			return err
		}},
		{"1 000 entries of the activity log that are old", "daily, for each 1 000", 20, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewActivity(db).Trim(ctx, 48*time.Hour, 1000)
			return err
		}},
		{"images without a colour", "at a start", 20, func(ctx context.Context, db *bunrepo.DB) error {
			_, err := bunrepo.NewImages(db).Undescribed(ctx, artwork.Hash{}, 100)
			return err
		}},
	}
}

// noGaps looks for empty slots among those of which none is empty.
func noGaps(ctx context.Context, db *bunrepo.DB) error {
	for after := (artwork.ID{}); ; {
		gaps, reached, err := bunrepo.NewGaps(db).After(ctx, artwork.SlotProfile, after, 100)
		switch {
		case err != nil || reached.IsZero():
			return err
		case len(gaps) > 0:
			return fmt.Errorf("%s has an empty slot", gaps[0].Name)
		}
		after = reached
	}
}

func visitSome(ctx context.Context, db *bunrepo.DB, n int) error {
	err := bunrepo.NewImages(db).References(ctx, func(artwork.Content) error {
		if n--; n == 0 {
			return errEnough
		}
		return nil
	})
	if err == errEnough { //nolint:errorlint // it comes back as it is
		return nil
	}
	return err
}

// statements returns a table of what is asked of the database, and which tables are read
// from one end to the other for that.
func (l *large) statements() string {
	t := figures.Table{Header: []string{"asked", "when", "p50 ms", "longest ms", "whole tables read"}}
	for n, s := range l.steps() {
		var took []float64
		if s.times > 1 {
			took = l.b.Spread(s.times, 1, func(ctx context.Context, _ int) error { return s.op(ctx, l.db) })
		}
		scanned := l.explain(fmt.Sprintf("step-%d", n), func(db *bunrepo.DB) {
			once := l.b.Spread(1, 1, func(ctx context.Context, _ int) error { return s.op(ctx, db) })
			if s.times == 1 { // what takes long is not done twice
				took = once
			}
		})
		l.b.Log("%s: %.2f ms, at most %.2f; whole tables: %s", s.what, figures.Median(took), figures.Quantile(took, 1), scanned)
		t.Add(s.what, s.when, figures.Median(took), figures.Quantile(took, 1), scanned)
	}
	return t.String()
}

// explain has something done on connections of its own, whose plans the server logs, and
// returns which large tables were read from one end to the other.
func (l *large) explain(name string, do func(db *bunrepo.DB)) string {
	before := l.logged(0)
	db, err := bunrepo.Open(l.b.Context(), l.explaining(name))
	require.NoError(l.b, err)
	do(db)
	require.NoError(l.b, db.Close())
	return l.scans(name, len(before))
}

// explaining returns the URL of connections whose plans are logged under a name.
func (l *large) explaining(name string) string {
	return l.url + "&application_name=" + name +
		"&options=" + strings.ReplaceAll(url.QueryEscape("-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0"), "+", "%20")
}

// logged returns what the server has logged from some byte on.
func (l *large) logged(from int) []byte {
	var text []byte
	const log = "current_setting('data_directory') || '/../log'"
	err := l.conn.QueryRow(l.b.Context(), "SELECT pg_read_binary_file("+log+", $1::bigint, (pg_stat_file("+log+")).size)", from).Scan(&text)
	require.NoError(l.b, err)
	return text
}

var scan = regexp.MustCompile(`Seq Scan on (\w+)`)

// scans returns which large tables connections of that name have read whole.
func (l *large) scans(name string, from int) string {
	tables := wholeTables(string(l.logged(from)), name)
	tables = slices.DeleteFunc(tables, func(table string) bool { return l.rows[table] < wholeTable })
	if len(tables) == 0 {
		return "none"
	}
	return strings.Join(tables, ", ")
}

// wholeTables returns the tables that plans in the log scan, in alphabetical order. A line
// begins with the name of the connection and a bar, unless it goes on with what the line
// before began.
func wholeTables(log, name string) (tables []string) {
	mine := false
	for line := range strings.Lines(log) {
		if application, _, begins := strings.Cut(line, "|"); begins && !strings.HasPrefix(line, "\t") {
			mine = application == name
		}
		if match := scan.FindStringSubmatch(line); mine && match != nil {
			tables = append(tables, match[1])
		}
	}
	slices.Sort(tables)
	return slices.Compact(tables)
}
