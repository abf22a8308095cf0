package bunrepo

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestWhereTheDatabaseIsForItsTools: everything but the password, which everybody could see,
// and what only the driver understands.
func TestWhereTheDatabaseIsForItsTools(t *testing.T) {
	t.Setenv("PGSERVICEFILE", "/dev/null")
	for url, want := range map[string]string{
		"postgres://ana:se%20cret@db.example:5433/art?sslmode=disable":                   `host='db.example' port='5433' user='ana' dbname='art' sslmode='disable'`,
		"postgres://ana:secret@a:1,b:2/art?sslmode=prefer&target_session_attrs=primary":  `host='a,b' port='1,2' user='ana' dbname='art' sslmode='prefer' target_session_attrs='primary'`,
		"postgres://o'br%5Cian:secret@db:5432/art?sslmode=disable":                       `host='db' port='5432' user='o\'br\\ian' dbname='art' sslmode='disable'`,
		"postgres://a:b@db:5432/x?sslmode=disable&default_query_exec_mode=exec":          `host='db' port='5432' user='a' dbname='x' sslmode='disable'`,
		"postgres://a:b@/x?host=/run/postgresql&port=5432&sslmode=disable&search_path=y": `host='/run/postgresql' port='5432' user='a' dbname='x' sslmode='disable'`,
	} {
		config, err := pgx.ParseConfig(url)
		require.NoError(t, err, url)
		require.Equal(t, want, conninfo(config, url))
	}
}
