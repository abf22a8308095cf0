package bunrepo_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

// onEmpty runs a test on a database of each kind that was never migrated.
func onEmpty(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "gatefold.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, testenv.Postgres(t)) })
}

func TestMigrationsGoUpAndDown(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		for range 2 {
			require.NoError(t, db.Migrate(t.Context()))
			_, err := bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Artist{ID: artwork.NewID(), Name: "Someone"})
			require.NoError(t, err)
			current, latest, err := db.MigrationStatus(t.Context())
			require.NoError(t, err)
			require.Equal(t, latest, current)

			require.NoError(t, db.Down(t.Context()))
			current, _, err = db.MigrationStatus(t.Context())
			require.NoError(t, err)
			require.Zero(t, current)
			require.Equal(t, []string{"goose_db_version"}, tableNames(t, db), "a migration down leaves something behind")
		}
	})
}

func tableNames(t *testing.T, db *bunrepo.DB) []string {
	t.Helper()
	query := "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	if db.Kind() == "sqlite" {
		query = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
	}
	names := []string{}
	require.NoError(t, db.Write().NewRaw(query).Scan(t.Context(), &names))
	return names
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		require.NoError(t, db.Migrate(t.Context()))
		artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone"}
		_, err := bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, artist)
		require.NoError(t, err)
		require.NoError(t, db.Migrate(t.Context()))
		_, err = bunrepo.NewArtists(db).Get(t.Context(), artist.ID)
		require.NoError(t, err)
	})
}

// TestADatabaseOfAnEarlierReleaseIsUpgraded: what it holds stays.
func TestADatabaseOfAnEarlierReleaseIsUpgraded(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		require.NoError(t, db.Migrate(t.Context()))
		require.NoError(t, db.MigrateTo(t.Context(), 1))
		artist := artwork.NewID()
		values := "now(), now(), 'x'"
		if db.Kind() == "sqlite" {
			values = "0, 0, x'00'"
		}
		_, err := db.Write().NewRaw("INSERT INTO artists (id, name, sort_name, folded_name, sort_key, created_at, updated_at, name_key) "+
			"VALUES (?, 'Before', '', 'before', 'before', "+values+")", artist.String()).Exec(t.Context())
		require.NoError(t, err)
		require.NoError(t, db.Migrate(t.Context()))
		known, err := bunrepo.NewArtists(db).Get(t.Context(), artist)
		require.NoError(t, err)
		known.Name = "After"
		_, err = bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, known)
		require.NoError(t, err)
		page, err := bunrepo.NewActivity(db).List(t.Context(), activity.Query{Limit: 10})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.JSONEq(t, `{"name":"Before"}`, string(page.Items[0].Before))
	})
}

func TestEightInstancesMigrateAtOnce(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		const instances = 8
		var ready, done sync.WaitGroup
		ready.Add(instances)
		errs := make([]error, instances)
		for i := range instances {
			db := openURL(t, url)
			done.Go(func() {
				ready.Done()
				ready.Wait()
				errs[i] = db.Migrate(t.Context())
			})
		}
		done.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		db := openURL(t, url)
		var versions []int64
		require.NoError(t, db.Write().NewRaw("SELECT version_id FROM goose_db_version ORDER BY id").Scan(t.Context(), &versions))
		require.Equal(t, append([]int64{0}, steps(t, db)...), versions, "a step was taken twice or not at all")
	})
}

// steps are the versions that the migrations of the engine lead to, in order.
func steps(t *testing.T, db *bunrepo.DB) (versions []int64) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join("migrations", db.Kind()))
	require.NoError(t, err)
	for _, file := range files {
		number, _, _ := strings.Cut(file.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		require.NoError(t, err)
		versions = append(versions, version)
	}
	return versions
}

func TestMigrationStatusChangesNothing(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		current, latest, err := db.MigrationStatus(t.Context())
		require.NoError(t, err)
		require.Zero(t, current)
		require.Positive(t, latest)
		if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			require.Empty(t, entries, "a file was created")
		}
		require.Empty(t, tableNames(t, db))
	})
}

func TestACancelledMigrationEndsWithItsContext(t *testing.T) {
	onEmpty(t, func(t *testing.T, url string) {
		db := openURL(t, url)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, db.Migrate(ctx), context.Canceled)
		require.NoError(t, db.Migrate(t.Context()))
	})
}

// TestPagesAreReadInOrder proves that a page of a list neither reads nor sorts
// the whole table.
func TestPagesAreReadInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		explain, anHourAgo := "EXPLAIN QUERY PLAN ", "1700000000000000"
		const changesOrder = "s.changed_at, s.subject_kind, s.subject_id, s.slot"
		if db.Kind() == "postgres" {
			anHourAgo = "statement_timestamp() + -3600 * interval '1 second'"
			explain = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; EXPLAIN "
		}
		for name, query := range map[string]string{
			"albums of an artist": "SELECT * FROM albums AS s WHERE s.artist_id = '89ad4ac3-39f7-470e-963a-56509c546377' ORDER BY s.sort_key, s.id LIMIT 50",
			"users":               "SELECT * FROM users AS s ORDER BY s.sort_key, s.id LIMIT 50",
			"references":          "SELECT * FROM images AS i ORDER BY i.hash, i.id LIMIT 50",
			"first changes":       "SELECT * FROM slots AS s WHERE s.changed_at >= " + anHourAgo + " ORDER BY " + changesOrder + " LIMIT 1000",
			"more changes":        "SELECT * FROM slots AS s WHERE (" + changesOrder + ") > (" + anHourAgo + ", 'album', '89ad4ac3-39f7-470e-963a-56509c546377', 'cover') ORDER BY " + changesOrder + " LIMIT 1000",
			"activity":            "SELECT * FROM activity AS y WHERE y.id < 1000 ORDER BY y.id DESC LIMIT 51",
			"of an actor":         "SELECT * FROM activity AS y WHERE y.actor = 'ana' AND y.id < 1000 ORDER BY y.id DESC LIMIT 51",
			"of an action":        "SELECT * FROM activity AS y WHERE y.action = 'token.create' ORDER BY y.id DESC LIMIT 51",
			"of a subject":        "SELECT * FROM activity AS y WHERE y.subject_kind = 'album' AND y.subject_id = '89ad4ac3-39f7-470e-963a-56509c546377' ORDER BY y.id DESC LIMIT 51",
			"expired activity":    "SELECT y.id FROM activity AS y WHERE y.at < " + anHourAgo + " ORDER BY y.at, y.id LIMIT 1000",
			"most requested":      "SELECT key FROM requested_keys ORDER BY heat DESC, key DESC LIMIT 50",
			"last changed":        "SELECT * FROM slots AS s WHERE s.changed_at > " + anHourAgo + " ORDER BY s.changed_at DESC LIMIT 50",
			"next job":            "SELECT id FROM bulk_jobs WHERE finished_at IS NULL AND until <= " + anHourAgo + " ORDER BY created_at, id LIMIT 1",
			"next subjects":       "SELECT s.id, a.name FROM (SELECT id, artist_id FROM albums WHERE id > '89ad4ac3-39f7-470e-963a-56509c546377' ORDER BY id LIMIT 200) AS s JOIN artists AS a ON a.id = s.artist_id ORDER BY s.id",
			"what was learned":    "SELECT * FROM fill_learned AS l WHERE l.subject_kind = 'album' AND l.subject_id IN ('89ad4ac3-39f7-470e-963a-56509c546377', '89ad4ac3-39f7-470e-963a-56509c546378') AND l.slot = 'cover'",
			"open items":          "SELECT * FROM fill_items AS i WHERE i.job_id = '89ad4ac3-39f7-470e-963a-56509c546377' AND i.open ORDER BY i.subject_id LIMIT 200",
			"some items":          "SELECT * FROM fill_items AS i WHERE i.job_id = '89ad4ac3-39f7-470e-963a-56509c546377' AND i.outcome = 'failed' ORDER BY i.subject_id LIMIT 200",
			"latest fills":        "SELECT id FROM fill_jobs ORDER BY created_at DESC, id DESC LIMIT 20",
			"done by key":         "SELECT idempotency_key FROM history WHERE idempotency_key IN ('89ad4ac3-39f7-470e-963a-56509c546377')",
			"considered":          "SELECT * FROM considerations AS c WHERE c.artist_id = '89ad4ac3-39f7-470e-963a-56509c546377' ORDER BY c.slot, c.occasion",
			"sessions of a user":  "SELECT id FROM sessions AS n WHERE n.user_id = '89ad4ac3-39f7-470e-963a-56509c546377' ORDER BY n.rotated_at DESC, n.id DESC LIMIT 100 OFFSET 49",
			"expired sessions":    "SELECT id FROM sessions AS n WHERE n.expires_at <= " + anHourAgo + " ORDER BY n.expires_at LIMIT 100",
			"forgotten attempts":  "SELECT name_key FROM sign_in_attempts AS m WHERE m.last_at <= " + anHourAgo + " AND m.blocked_until <= " + anHourAgo + " ORDER BY m.last_at LIMIT 100",
			"overdue":             "SELECT * FROM cache_pending AS c WHERE c.deadline <= " + anHourAgo + " ORDER BY c.deadline, c.token LIMIT 50",
		} {
			plan := planOf(t, db, explain+query)
			require.NotContains(t, plan, "->  Sort", "%s: %s", name, plan) // "Incremental Sort" only breaks ties
			require.NotContains(t, plan, "Seq Scan", "%s: %s", name, plan)
			require.NotContains(t, plan, "TEMP B-TREE", "%s: %s", name, plan)
			require.Regexp(t, "(?i)index|primary key", plan, name)
		}
	})
}

func planOf(t conformance.TB, db *bunrepo.DB, query string) string {
	t.Helper()
	tx, err := db.Write().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	if settings, statement, ok := strings.Cut(query, "; EXPLAIN "); ok {
		_, err := tx.ExecContext(t.Context(), settings)
		require.NoError(t, err)
		query = "EXPLAIN " + statement
	}
	rows, err := tx.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var plan strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		var line string
		for i := range values {
			values[i] = new(any)
		}
		values[len(values)-1] = &line // the text is the last column on both
		require.NoError(t, rows.Scan(values...))
		plan.WriteString(line + "\n")
	}
	require.NoError(t, rows.Err())
	return plan.String()
}
