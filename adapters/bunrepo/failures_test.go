package bunrepo_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/testenv"
)

func requireKind(t *testing.T, kind artwork.ErrorKind, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind.String(), artwork.KindOf(err).String(), "kind of: %v", err)
}

func TestOpenRefusesOtherURLs(t *testing.T) {
	for _, bad := range []string{
		"", "postgres", "mysql://user:sesame@host/db", "/var/lib/gatefold.db", "sqlite:", "sqlite::memory:",
		"sqlite:/no/such/folder/gatefold.db", "postgres://user:sesame@host:port/db", "postgres://user:sesame@[::1/db",
		"postgres://user:ses%zzame@host/db", "postgresql://user:sesame@host/db?sslmode=sometimes",
	} {
		_, err := bunrepo.Open(t.Context(), bad)
		requireKind(t, artwork.InvalidInput, err)
		require.ErrorContains(t, err, "DATABASE_URL")
		requireNoSecret(t, err, "sesame", "ses%zzame")
	}
}

// requireNoSecret fails if a secret is in the error or in any that it wraps.
func requireNoSecret(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret, "the error tells the password")
	}
}

func TestAWrongPasswordIsUnavailableAndNotTold(t *testing.T) {
	u, err := url.Parse(testenv.Postgres(t))
	require.NoError(t, err)
	u.User = url.UserPassword(u.User.Username(), "open sesame")
	_, err = bunrepo.Open(t.Context(), u.String())
	requireKind(t, artwork.Unavailable, err)
	requireNoSecret(t, err, "sesame")
}

func TestAnUnknownDatabaseIsUnavailable(t *testing.T) {
	u, err := url.Parse(testenv.Postgres(t))
	require.NoError(t, err)
	u.Path = "/nosuch"
	_, err = bunrepo.Open(t.Context(), u.String())
	requireKind(t, artwork.Unavailable, err)
}

func TestAServerThatIsNotThereIsUnavailable(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", testenv.FreePort(t))
	_, err := bunrepo.Open(t.Context(), "postgres://user:sesame@"+address+"/db")
	requireKind(t, artwork.Unavailable, err)
	requireNoSecret(t, err, "sesame")
}

func TestAServerThatDoesNotAnswerIsUnavailable(t *testing.T) {
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	_, err = bunrepo.Open(t.Context(), "postgres://user:sesame@"+silent.Addr().String()+"/db?connect_timeout=1")
	requireKind(t, artwork.Unavailable, err)
	require.NotErrorIs(t, err, context.DeadlineExceeded, "the driver's own timeout looks like the caller's")

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = bunrepo.Open(ctx, "postgres://user:sesame@"+silent.Addr().String()+"/db?connect_timeout=10")
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAServerThatStopsIsUnavailableUntilItIsBack(t *testing.T) {
	server := testenv.PostgresServer(t)
	db := openURL(t, server.URL())
	require.NoError(t, db.Migrate(t.Context()))
	images, record := bunrepo.NewImages(db), someRecord(t, db, 1)
	require.NoError(t, apply(t, db, record))

	server.Stop()
	_, err := images.InForce(t.Context(), record.Place)
	requireKind(t, artwork.Unavailable, err)
	_, err = images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: record}})
	requireKind(t, artwork.Unavailable, err)
	_, err = bunrepo.NewArtists(db).List(t.Context(), catalog.Query{Page: 1, PageSize: 1})
	requireKind(t, artwork.Unavailable, err)
	_, err = bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Artist{ID: artwork.NewID(), Name: "Late"})
	requireKind(t, artwork.Unavailable, err)
	requireKind(t, artwork.Unavailable, db.Ping(t.Context()))
	_, _, err = db.MigrationStatus(t.Context())
	requireKind(t, artwork.Unavailable, err)
	requireKind(t, artwork.Unavailable, db.Migrate(t.Context()))

	require.NoError(t, server.Start())
	require.NoError(t, db.Ping(t.Context()))
	img, err := images.InForce(t.Context(), record.Place)
	require.NoError(t, err)
	require.Equal(t, record.ID, img.RecordID)
}

func TestAServerThatStopsUnderAChangeChangesNothing(t *testing.T) {
	server := testenv.PostgresServer(t)
	db := openURL(t, server.URL())
	require.NoError(t, db.Migrate(t.Context()))
	record := someRecord(t, db, 1)
	fence := artwork.Fence{StillHeld: func(context.Context) error {
		server.Stop()
		return nil
	}}
	_, err := bunrepo.NewImages(db).Apply(t.Context(), fence, []artwork.Application{{Record: record}})
	requireKind(t, artwork.OutcomeUnknown, err)
	require.NoError(t, server.Start())
	requireInForce(t, db, record.Place, artwork.ID{})
}

func TestASQLiteFileThatIsNotThereIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatefold.db")
	db := openURL(t, "sqlite:"+path)
	requireKind(t, artwork.Unavailable, db.Ping(t.Context()))
	require.NoFileExists(t, path, "reading created the file")
	require.NoError(t, db.Migrate(t.Context()))
	require.NoError(t, db.Ping(t.Context()))
}

func TestASQLiteFileThatIsNoDatabaseIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatefold.db")
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("not a database ", 1000)), 0o600))
	db := openURL(t, "sqlite:"+path)
	require.Error(t, db.Ping(t.Context()))
	require.Error(t, db.Migrate(t.Context()))
}

func TestASQLitePathMayContainAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c=d&e%20f#g'h:i\"é.db")
	db := openURL(t, "sqlite:"+path)
	require.NoError(t, db.Migrate(t.Context()))
	require.FileExists(t, path)
	require.NoError(t, db.Ping(t.Context()))
	t.Chdir(filepath.Dir(path))
	relative := openURL(t, "sqlite:"+filepath.Base(path))
	require.NoError(t, relative.Ping(t.Context()))
}

func TestWhatSQLiteAcknowledgedIsThereWhenItIsOpenedAgain(t *testing.T) {
	address := "sqlite:" + filepath.Join(t.TempDir(), "gatefold.db")
	db := openURL(t, address)
	require.NoError(t, db.Migrate(t.Context()))
	record := someRecord(t, db, 1)
	require.NoError(t, apply(t, db, record))
	require.NoError(t, db.Close())
	requireInForce(t, openURL(t, address), record.Place, record.ID)
}

func TestSQLiteSyncsEveryCommit(t *testing.T) {
	db := openSQLite(t)
	var mode string
	require.NoError(t, db.Write().NewRaw("PRAGMA journal_mode").Scan(t.Context(), &mode))
	require.Equal(t, "wal", mode)
	for pragma, expected := range map[string]int{"synchronous": 2, "foreign_keys": 1} {
		var value int
		require.NoError(t, db.Write().NewRaw("PRAGMA "+pragma).Scan(t.Context(), &value))
		require.Equal(t, expected, value, pragma)
	}
}

func TestAFullSQLiteDatabaseIsStorageFull(t *testing.T) {
	db := openSQLite(t)
	record := someRecord(t, db, 1)
	var pages int
	require.NoError(t, db.Write().NewRaw("PRAGMA page_count").Scan(t.Context(), &pages))
	// There is one connection for changes, which keeps the limit.
	_, err := db.Write().ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	require.NoError(t, err)
	record.Attribution = strings.Repeat("x", 1<<20)
	requireKind(t, artwork.StorageFull, apply(t, db, record))
	requireInForce(t, db, record.Place, artwork.ID{})
	_, err = bunrepo.NewImages(db).Find(t.Context(), record.ID)
	requireKind(t, artwork.NotFound, err)
}

func TestAClosedDatabaseIsAnError(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		require.NoError(t, db.Close())
		require.Error(t, db.Ping(t.Context()))
		_, err := bunrepo.NewImages(db).Find(t.Context(), artwork.NewID())
		require.Error(t, err)
	})
}

// someRecord returns a record for a place of a new artist.
func someRecord(t *testing.T, db *bunrepo.DB, n int) artwork.Record {
	t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone"}
	_, err := bunrepo.NewArtists(db).Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	return recordFor(artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}, n)
}

func recordFor(place artwork.Place, n int) artwork.Record {
	hash := artwork.HashOf(fmt.Append(nil, n))
	return artwork.Record{
		ID: artwork.RecordID(place, hash, artwork.Custom, "test"), Place: place,
		Content: artwork.Content{Hash: hash, MIMEType: "image/png"}, Source: artwork.Custom, Provider: "test",
	}
}

func apply(t *testing.T, db *bunrepo.DB, record artwork.Record) error {
	t.Helper()
	_, err := bunrepo.NewImages(db).Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: record, By: artwork.Actor{Name: "test"}}})
	return err
}

// requireInForce checks which record is in force; the zero ID is none.
func requireInForce(t *testing.T, db *bunrepo.DB, place artwork.Place, id artwork.ID) {
	t.Helper()
	img, err := bunrepo.NewImages(db).InForce(t.Context(), place)
	require.NoError(t, err)
	if id.IsZero() {
		require.Nil(t, img)
		return
	}
	require.NotNil(t, img)
	require.Equal(t, id, img.RecordID)
}
