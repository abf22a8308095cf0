package bunrepo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatementsAreToldWithoutValues(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`SELECT "s"."slot" FROM "slots" AS "s" WHERE (s.subject_kind = 'artist') AND n = 12`:    `SELECT "s"."slot" FROM "slots" AS "s" WHERE (s.subject_kind = ?) AND n = ?`,
		`INSERT INTO t1 (a, b2) VALUES ('it''s', -1.5e3, NULL), (x'00ff', E'\'; --', TRUE)`:     `INSERT INTO t1 (a, b2) VALUES (?, -?, NULL), (x?, E?, TRUE)`,
		`SELECT 1 WHERE id IN ('a', 'b', 'c') LIMIT 10`:                                         `SELECT ? WHERE id IN (?) LIMIT ?`,
		"SELECT a -- the name of 'Ana'\nFROM b /* of 'Ana' */ WHERE c = $1 AND d = $tag$x$tag$": "SELECT a \nFROM b  WHERE c = $1 AND d = ?",
		`UPDATE "it""s 5" SET a = 'no end`:                                                      `UPDATE "it""s 5" SET a = ?`,
		`BEGIN`:                                                                                 `BEGIN`,
		`SELECT $no end`:                                                                        `SELECT ?`,
		`SELECT a /* 'Ana'`:                                                                     `SELECT a `,
		`SELECT a -- 'Ana'`:                                                                     `SELECT a `,
		``:                                                                                      ``,
	} {
		require.Equal(t, want, withoutValues(query), query)
	}
	long := withoutValues("SELECT " + strings.Repeat("a, ", 10_000))
	require.LessOrEqual(t, len(long), maxText)
}

func TestTextsAreWithoutValues(t *testing.T) {
	t.Parallel()
	require.Equal(t, "SELECT ?", Statement{query: "SELECT 'Ana'"}.Text())
}

// FuzzWithoutValues looks for a value that is told, between words that are not.
func FuzzWithoutValues(f *testing.F) {
	for _, seed := range []string{"Ana", "it's", `\`, `\'`, `'; --`, "$1", "/*", "🎵", "a''b", "$tag$"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		written := "'" + strings.ReplaceAll(value, "'", "''") + "'"
		require.Equal(t, "SELECT a FROM b WHERE c = ? AND d = ?", withoutValues("SELECT a FROM b WHERE c = "+written+" AND d = 5"))
	})
}
