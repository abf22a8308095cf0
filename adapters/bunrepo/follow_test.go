package bunrepo_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

// listed returns the names of all artists as the instance lists them.
func listed(t conformance.TB, db *bunrepo.DB) (names []string) {
	t.Helper()
	page, err := bunrepo.NewArtists(db).List(t.Context(), catalog.Query{Page: 1, PageSize: catalog.MaxPageSize})
	require.NoError(t, err)
	require.Len(t, page.Items, min(page.Total, catalog.MaxPageSize))
	for _, artist := range page.Items {
		names = append(names, artist.Name)
	}
	return names
}

func putArtist(t conformance.TB, db *bunrepo.DB, name string) artwork.ID {
	t.Helper()
	id := artwork.NewID()
	_, err := bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Artist{ID: id, Name: name})
	require.NoError(t, err)
	return id
}

func exec(t conformance.TB, db bun.IConn, query string, args ...any) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), query, args...)
	require.NoError(t, err)
}

// TestListsFollowTransactionsThatEndInAnotherOrder: one that began before others, and is
// committed after them, is not passed over; and what was never committed is never listed.
func TestListsFollowTransactionsThatEndInAnotherOrder(t *testing.T) {
	db := migrated(t, testenv.Postgres(t))
	first, second := putArtist(t, db, "First"), putArtist(t, db, "Second")
	rename := func(tx bun.Tx, id artwork.ID, name string) {
		exec(t, tx, "UPDATE artists SET name = ?, folded_name = lower(?), sort_key = lower(?) WHERE id = ?", name, name, name, id.String())
	}
	slow, err := db.Write().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	rename(slow, first, "Slow")
	given, err := db.Write().BeginTx(t.Context(), nil)
	require.NoError(t, err)
	rename(given, second, "Given up")
	for i := range 3 {
		putArtist(t, db, fmt.Sprintf("Meanwhile %d", i))
		require.Len(t, listed(t, db), 2+i+1, "neither of the two transactions is seen")
	}
	require.Equal(t, []string{"First", "Meanwhile 0", "Meanwhile 1", "Meanwhile 2", "Second"}, listed(t, db))
	require.NoError(t, given.Rollback())
	require.NoError(t, slow.Commit())
	require.Equal(t, []string{"Meanwhile 0", "Meanwhile 1", "Meanwhile 2", "Second", "Slow"}, listed(t, db))
}

// TestListsFollowOtherInstances: what one has committed, the others list.
func TestListsFollowOtherInstances(t *testing.T) {
	url := testenv.Postgres(t)
	one, other := migrated(t, url), openURL(t, url)
	require.Empty(t, listed(t, other))
	for i := range 3 {
		id := putArtist(t, one, fmt.Sprintf("Artist %d", i))
		require.Len(t, listed(t, other), i+1)
		if i == 2 {
			exec(t, one.Write(), "DELETE FROM artists WHERE id = ?", id.String())
			require.Equal(t, []string{"Artist 0", "Artist 1"}, listed(t, other))
		}
	}
}

// TestListsFollowManyWriters: after many transactions at once, some of which are given up, an
// instance that followed them lists what one does that reads everything.
func TestListsFollowManyWriters(t *testing.T) {
	url := testenv.Postgres(t)
	db := migrated(t, url)
	var ids []artwork.ID
	for i := range 20 {
		ids = append(ids, putArtist(t, db, fmt.Sprintf("Artist %d", i)))
	}
	listed(t, db)
	var writers sync.WaitGroup
	for w := range 3 {
		random := rand.New(rand.NewPCG(uint64(w), 0))
		writers.Go(func() {
			for i := range 40 {
				tx, err := db.Write().BeginTx(t.Context(), nil)
				if err != nil {
					t.Error(err)
					return
				}
				// In the order of the numbers, so that no two wait for each other.
				for n := random.IntN(5); n < len(ids); n += 1 + random.IntN(9) {
					_, err = tx.ExecContext(t.Context(), "UPDATE artists SET name = ?, sort_key = ? WHERE id = ?", fmt.Sprintf("%d of %d", i, w), fmt.Sprintf("%d of %d", i, w), ids[n].String())
					if err != nil {
						t.Error(err)
					}
				}
				if random.IntN(3) == 0 {
					err = tx.Rollback()
				} else {
					err = tx.Commit()
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() { writers.Wait(); close(ended) }()
	for following := true; following; {
		select {
		case <-ended:
			following = false
		default:
		}
		require.Len(t, listed(t, db), len(ids))
	}
	require.Equal(t, listed(t, openURL(t, url)), listed(t, db))
}

// TestListsAreReadAnewOnceChangesAreForgotten: the last 100 000 changes are kept; who is
// farther behind reads everything.
func TestListsAreReadAnewOnceChangesAreForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		putArtist(t, db, "Before")
		require.Equal(t, []string{"Before"}, listed(t, db))
		forgotten := putArtist(t, db, "Forgotten")
		const next = 200 * 1024 // then rows are removed
		if db.Kind() == "postgres" {
			exec(t, db.Write(), "SELECT setval(pg_get_serial_sequence('catalog_changes', 'seq'), ?)", next-1)
		} else {
			exec(t, db.Write(), "INSERT INTO catalog_changes (seq, subject_kind, subject_id) VALUES (?, 'artist', ?)", next-1, artwork.NewID().String())
		}
		putArtist(t, db, "Last")
		var rows int
		require.NoError(t, db.Write().QueryRowContext(t.Context(), "SELECT count(*) FROM catalog_changes WHERE subject_id = ? AND seq < 1000", forgotten.String()).Scan(&rows))
		require.Zero(t, rows, "nothing was forgotten")
		require.Equal(t, []string{"Before", "Forgotten", "Last"}, listed(t, db))
		putArtist(t, db, "Later")
		require.Equal(t, []string{"Before", "Forgotten", "Last", "Later"}, listed(t, db))
	})
}

// TestListsAreNotReadAnewAfterARestore: the numbers of transactions in a backup may be those
// of another server, and greater than all of this one.
func TestListsAreNotReadAnewAfterARestore(t *testing.T) {
	db := migrated(t, testenv.Postgres(t))
	id := putArtist(t, db, "Restored")
	exec(t, db.Write(), "UPDATE catalog_forgotten SET xid = '999999999999'")
	exec(t, db.Write(), "INSERT INTO catalog_changes (xid, subject_kind, subject_id) VALUES ('999999999998', 'artist', ?)", id.String())
	require.Equal(t, []string{"Restored"}, listed(t, db))
	asked := &statements{byTemplate: map[string]string{}}
	for range 2 {
		require.Equal(t, []string{"Restored"}, listed(t, db.Watched(asked)))
	}
	for template := range asked.byTemplate {
		require.NotContains(t, template, "folded_name, ''", "the catalogue was read again")
	}
}

// TestSortKeysOfAnEarlierReleaseAreBroughtUpToDate: by the migration; and lists do not mind
// those that an instance of the release before stores after it.
func TestSortKeysOfAnEarlierReleaseAreBroughtUpToDate(t *testing.T) {
	const letters = "Æ Œ Þ Ø Ð Đ Ɖ Ł Ƚ Ħ ı Ɨ ȷ ĸ Ŋ Ŧ Ƀ Ƶ Ɵ Ʉ Ǥ Ɇ Ɍ Ɏ Ȼ Ⱥ Ɓ Ɗ Ƒ"
	onEmpty(t, func(t *testing.T, url string) {
		db := migrated(t, url)
		require.NoError(t, db.MigrateTo(t.Context(), 13))
		long := strings.Repeat("æ", 400)
		insert := func(name string) artwork.ID {
			row := artwork.NewID()
			values := "now(), now(), 'x'"
			if db.Kind() == "sqlite" {
				values = "0, 0, x'00'"
			}
			folded := catalog.FoldName(name)
			exec(t, db.Write(), "INSERT INTO artists (id, name, sort_name, folded_name, sort_key, created_at, updated_at, name_key) VALUES (?, ?, '', ?, ?, "+values+")",
				row.String(), name, folded, folded)
			return row
		}
		for _, name := range []string{letters, long, "Łatwo"} {
			insert(name)
		}
		require.NoError(t, db.Migrate(t.Context()))
		var keys []string
		require.NoError(t, db.Write().NewRaw("SELECT sort_key FROM artists").Scan(t.Context(), &keys))
		require.ElementsMatch(t, []string{catalog.SortKey(letters), catalog.SortKey(long), "latwo"}, keys)
		for _, r := range catalog.SortKey(letters) {
			require.Less(t, r, rune(128), "%q is not what is typed", r)
		}
		insert("Łatwy")
		insert("Lazy")
		require.Equal(t, []string{"Łatwo", "Łatwy", "Lazy"}, listed(t, db)[2:])
	})
}
