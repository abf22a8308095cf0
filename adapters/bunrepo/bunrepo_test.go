package bunrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
	databases "gatefold/test/testenv/migrated"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// opener opens an empty database with the present schema.
type opener func(conformance.TB) *bunrepo.DB

func openURL(t conformance.TB, url string) *bunrepo.DB {
	t.Helper()
	db, err := bunrepo.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// migrated opens the database and brings its schema up to date.
func migrated(t conformance.TB, url string) *bunrepo.DB {
	t.Helper()
	db := openURL(t, url)
	require.NoError(t, db.Migrate(t.Context()))
	return db
}

func openSQLite(t conformance.TB) *bunrepo.DB {
	t.Helper()
	return migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "gatefold.db"))
}

// openPostgres returns an empty database with the present schema, and its URL.
func openPostgres(t conformance.TB) (*bunrepo.DB, string) {
	t.Helper()
	url := databases.Postgres(t)
	return openURL(t, url), url
}

func openOnPostgres(t conformance.TB) *bunrepo.DB {
	t.Helper()
	db, _ := openPostgres(t)
	return db
}

// onBoth runs a test on each kind of database.
func onBoth(t *testing.T, test func(t *testing.T, open opener)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite) })
	t.Run("postgres", func(t *testing.T) { test(t, openOnPostgres) })
}

func repositories(db *bunrepo.DB) conformance.Repositories {
	images := bunrepo.NewImages(db)
	return conformance.Repositories{
		Images:    images,
		Archive:   images,
		Reviser:   images,
		Accounts:  images,
		ChangeLog: bunrepo.NewChangeLog(db),
		Modified:  bunrepo.NewChangeLog(db),
		Artists:   bunrepo.NewArtists(db),
		Albums:    bunrepo.NewAlbums(db),
		Users:     bunrepo.NewUsers(db),
		Bin:       bunrepo.NewBin(db),
		Library:   bunrepo.NewLibrary(db),
		Tokens:    bunrepo.NewTokens(db),
		Logins:    bunrepo.NewAccounts(db),
		Sessions:  bunrepo.NewSessions(db),
		Attempts:  bunrepo.NewAttempts(db),
		Registry:  bunrepo.NewDeployment(db),
		Requests:  bunrepo.NewRequests(db, conformance.RecordTerms),
		Changes:   bunrepo.NewChangeLog(db),
		Claims:    bunrepo.NewClaims(db),
		Jobs:      bunrepo.NewJobs(db),
		Activity:  bunrepo.NewActivity(db),
		Fill:      bunrepo.NewFill(db),
		Gaps:      bunrepo.NewGaps(db),

		Considerations: bunrepo.NewConsiderations(db),
		Settings:       bunrepo.NewProviderSettings(db),
		Contents:       images,
	}
}

func TestConformance(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		conformance.RunRepositories(t, func(t conformance.TB) conformance.Repositories { return repositories(open(t)) })
	})
}
