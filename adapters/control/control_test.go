package control_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/control"
	"gatefold/application/accesstoken"
	"gatefold/application/deletesubjects"
	"gatefold/application/followsettings"
	"gatefold/application/importlibrary"
	"gatefold/application/manageaccounts"
	"gatefold/application/managecache"
	"gatefold/application/renderimage"
	"gatefold/application/warmcache"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/domain/deployment"
)

// verbs is what the server carries out.
type verbs struct {
	cancelled chan struct{}
	warming   error
	rendering error
	level     slog.Level
}

func (v *verbs) LogLevel(context.Context) (slog.Level, error) { return v.level, nil }

func (v *verbs) SetLogLevel(_ context.Context, level slog.Level) error {
	if level > slog.LevelError {
		return artwork.Errorf(artwork.InvalidInput, "no such level")
	}
	v.level = level
	return nil
}

func (v *verbs) Import(ctx context.Context, dir string, observer importlibrary.Observer) (importlibrary.Summary, error) {
	switch dir {
	case "/endless":
		observer.Progress(0, 1)
		<-ctx.Done()
		close(v.cancelled)
		return importlibrary.Summary{}, ctx.Err()
	case "/nothing":
		return importlibrary.Summary{}, artwork.Errorf(artwork.NotFound, "there is no folder %s", dir)
	}
	for done := range 3 {
		observer.Progress(done, 2)
	}
	observer.Skipped(importlibrary.Skipped{Path: "a\n\"ñ\".mp3", Reason: "no album tag"})
	return importlibrary.Summary{AudioFiles: 2, Skipped: 1, Took: time.Second}, nil
}

func (v *verbs) CreateToken(_ context.Context, in accesstoken.CreateIn) (string, error) {
	if in.Scope == "" {
		return "", artwork.Errorf(artwork.InvalidInput, "no scope")
	}
	return "gf_" + in.Name, nil
}

// counted is what the server has counted.
var counted = managecache.Stats{
	SharedHits: 7, RefusedFills: managecache.RefusedFills{Fenced: 2},
	ChangeTime: managecache.ChangeTime{All: managecache.Timing{Count: 3, SumMs: 3210.123456, MaxMs: 1100.5}},
}

func (v *verbs) CacheStats(context.Context) (managecache.Stats, error) {
	return counted, nil
}

func (v *verbs) InvalidateCache(_ context.Context, subject artwork.Subject) error {
	if subject != artwork.Album(artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10")) {
		return artwork.Errorf(artwork.NotFound, "not %s", subject)
	}
	return nil
}

func (v *verbs) FlushCache(context.Context) (int, error) {
	return 3, artwork.Errorf(artwork.Unavailable, "Redis is gone")
}

func (v *verbs) CacheSettings(context.Context) (deployment.State, error) {
	return deployment.State{Step: deployment.Settled, Rules: deployment.Rules{Revision: 1, Read: artwork.CacheSettings{Mode: artwork.CacheOff}}}, nil
}

func (v *verbs) SwitchCache(_ context.Context, in followsettings.SwitchIn) (deployment.State, error) {
	settings := artwork.CacheSettings{Mode: in.Mode, TTL: in.TTL, L1TTL: in.L1TTL}
	return deployment.State{Step: deployment.Settled, Rules: deployment.Rules{Revision: 4, Read: settings}, Members: []deployment.Member{{ID: artwork.NewID(), Live: true}}}, nil
}

// aUser and aToken are what there is in the lists.
var (
	aUser  = account.Account{User: catalog.User{ID: artwork.NewID(), Username: "ana", Role: catalog.RoleAdmin}, PasswordHash: "set", Disabled: true}
	aToken = accesstoken.Token{ID: artwork.NewID(), Name: "player", Scope: accesstoken.Read, ExpiresAt: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
)

func (v *verbs) ListTokens(context.Context) ([]accesstoken.Token, error) {
	return []accesstoken.Token{aToken}, nil
}

func (v *verbs) RevokeToken(_ context.Context, id artwork.ID) error { return unless(id == aToken.ID) }

func (v *verbs) ListUsers(context.Context) ([]account.Account, error) {
	return []account.Account{aUser}, nil
}

func (v *verbs) CreateUser(_ context.Context, in manageaccounts.CreateIn) (artwork.ID, error) {
	return aUser.User.ID, unless(in == manageaccounts.CreateIn{Username: "ana", DisplayName: "Ana", Role: catalog.RoleAdmin, Password: "correct horse"})
}

func (v *verbs) SetPassword(_ context.Context, username, password string) error {
	return unless(username == "ana" && password == "correct horse")
}

func (v *verbs) SetDisabled(_ context.Context, username string, disabled bool) error {
	return unless(username == "ana" && disabled)
}

// aDeletion is what there is in the list of those who were deleted.
var aDeletion = deletesubjects.Restorable{
	Deleted: catalog.Deleted{Subject: aUser.User.Subject(), Name: "ana", At: aToken.ExpiresAt, By: "eva"}, Until: aToken.ExpiresAt.Add(time.Hour),
}

func (v *verbs) DeleteUser(_ context.Context, username string) (time.Time, error) {
	return aDeletion.Until, unless(username == "ana")
}

func (v *verbs) RestoreUser(_ context.Context, id artwork.ID) error {
	return unless(id == aUser.User.ID)
}

func (v *verbs) DeletedUsers(context.Context) ([]deletesubjects.Restorable, error) {
	return []deletesubjects.Restorable{aDeletion}, nil
}

// unless returns an error unless the verb was called as the client did.
func unless(right bool) error {
	if right {
		return nil
	}
	return artwork.Errorf(artwork.NotFound, "nobody is called that")
}

func (v *verbs) WarmCache(_ context.Context, observer warmcache.Observer) (warmcache.Summary, error) {
	observer.Progress(1, 2)
	observer.Progress(2, 2)
	return warmcache.Summary{Keys: 2, Filled: 1, Present: 1, Took: time.Second}, v.warming
}

func (v *verbs) RenderAll(_ context.Context, formats []artwork.Format, observer renderimage.Observer) (renderimage.Filled, error) {
	observer.Progress(1, 2)
	observer.Progress(2, 2)
	return renderimage.Filled{Images: 2, Rendered: len(formats), Failed: 1, Took: time.Second}, v.rendering
}

func start(t *testing.T) (*control.Client, *verbs, string) {
	t.Helper()
	dir := t.TempDir()
	v := &verbs{cancelled: make(chan struct{})}
	server := control.NewServer(v, slog.New(slog.DiscardHandler))
	require.NoError(t, server.Listen(t.Context(), dir))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		require.NoError(t, server.Shutdown(ctx))
	})
	client, err := control.Dial(t.Context(), dir)
	require.NoError(t, err)
	return client, v, dir
}

// seen is an Observer that remembers.
type seen struct {
	progress int
	skipped  []importlibrary.Skipped
	cancel   context.CancelFunc
}

func (s *seen) Progress(int, int) {
	s.progress++
	if s.cancel != nil {
		s.cancel()
	}
}
func (s *seen) Skipped(file importlibrary.Skipped) { s.skipped = append(s.skipped, file) }

func TestImport(t *testing.T) {
	client, _, _ := start(t)
	observer := &seen{}
	summary, err := client.Import(t.Context(), "/music", observer)
	require.NoError(t, err)
	require.Equal(t, importlibrary.Summary{AudioFiles: 2, Skipped: 1, Took: time.Second}, summary)
	require.Equal(t, 3, observer.progress)
	require.Equal(t, []importlibrary.Skipped{{Path: "a\n\"ñ\".mp3", Reason: "no album tag"}}, observer.skipped)
}

func TestErrorsKeepTheirKind(t *testing.T) {
	client, _, _ := start(t)
	_, err := client.Import(t.Context(), "/nothing", &seen{})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	require.ErrorContains(t, err, "there is no folder /nothing")
	_, err = client.CreateToken(t.Context(), accesstoken.CreateIn{})
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
}

func TestCreateToken(t *testing.T) {
	client, _, _ := start(t)
	secret, err := client.CreateToken(t.Context(), accesstoken.CreateIn{Name: "ci", Scope: accesstoken.Read})
	require.NoError(t, err)
	require.Equal(t, "gf_ci", secret)
}

func TestCacheVerbs(t *testing.T) {
	client, _, _ := start(t)
	stats, err := client.CacheStats(t.Context())
	require.NoError(t, err)
	require.Equal(t, counted, stats)
	require.NoError(t, client.InvalidateCache(t.Context(), artwork.Album(artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10"))))
	require.Equal(t, artwork.NotFound, artwork.KindOf(client.InvalidateCache(t.Context(), artwork.Album(artwork.NewID()))))
	removed, err := client.FlushCache(t.Context())
	require.Equal(t, 3, removed)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
}

func TestWarmCache(t *testing.T) {
	client, verbs, _ := start(t)
	observer := &seen{}
	summary, err := client.WarmCache(t.Context(), observer)
	require.NoError(t, err)
	require.Equal(t, warmcache.Summary{Keys: 2, Filled: 1, Present: 1, Took: time.Second}, summary)
	require.Equal(t, 2, observer.progress)
	verbs.warming = artwork.Errorf(artwork.Conflict, "another one does")
	summary, err = client.WarmCache(t.Context(), observer)
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	require.Equal(t, 1, summary.Filled, "what was done is told all the same")
}

func TestRenderAll(t *testing.T) {
	client, verbs, _ := start(t)
	observer := &seen{}
	filled, err := client.RenderAll(t.Context(), []artwork.Format{artwork.FormatAuto, artwork.FormatWebP}, observer)
	require.NoError(t, err)
	require.Equal(t, renderimage.Filled{Images: 2, Rendered: 2, Failed: 1, Took: time.Second}, filled)
	require.Equal(t, 2, observer.progress)
	verbs.rendering = artwork.Errorf(artwork.Unavailable, "no database")
	filled, err = client.RenderAll(t.Context(), nil, observer)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	require.Equal(t, 2, filled.Images, "what was done is told all the same")
}

func TestACallerThatLeavesEndsTheImport(t *testing.T) {
	client, verbs, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := client.Import(ctx, "/endless", &seen{cancel: cancel})
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
	<-verbs.cancelled
}

func TestNobodyThere(t *testing.T) {
	dir := t.TempDir()
	_, err := control.Dial(t.Context(), dir)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, err = control.Dial(t.Context(), filepath.Join(dir, "nothing"))
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	require.NoError(t, os.WriteFile(filepath.Join(dir, control.SocketName), nil, 0o600)) // left behind
	_, err = control.Dial(t.Context(), dir)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

func TestTheSocketIsForItsOwner(t *testing.T) {
	_, _, dir := start(t)
	info, err := os.Stat(filepath.Join(dir, control.SocketName))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// TestServersThatShareADirectory: each takes the place of the one before, also when
// they start at once, and none takes another's name away when it stops.
func TestServersThatShareADirectory(t *testing.T) {
	dir := t.TempDir()
	servers := make([]*control.Server, 8)
	for range 20 {
		var starting sync.WaitGroup
		for i := range servers {
			servers[i] = control.NewServer(&verbs{}, slog.New(slog.DiscardHandler))
			starting.Go(func() { assert.NoError(t, servers[i].Listen(t.Context(), dir)) })
		}
		starting.Wait()
		last := control.NewServer(&verbs{}, slog.New(slog.DiscardHandler))
		require.NoError(t, last.Listen(t.Context(), dir))
		for _, s := range servers {
			require.NoError(t, s.Shutdown(t.Context()))
		}
		client, err := control.Dial(t.Context(), dir)
		require.NoError(t, err)
		require.NotNil(t, client, "the last one is not found any more")
		require.NoError(t, last.Shutdown(t.Context()))
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

// TestAccountsAndTokens: what is said arrives, and so does what went wrong.
func TestAccountsAndTokens(t *testing.T) {
	client, _, _ := start(t)
	ctx := t.Context()
	tokens, err := client.ListTokens(ctx)
	require.NoError(t, err)
	require.Equal(t, []accesstoken.Token{aToken}, tokens)
	users, err := client.ListUsers(ctx)
	require.NoError(t, err)
	require.Equal(t, []account.Account{aUser}, users)

	in := manageaccounts.CreateIn{Username: "ana", DisplayName: "Ana", Role: catalog.RoleAdmin, Password: "correct horse"}
	id, err := client.CreateUser(ctx, in)
	require.NoError(t, err)
	require.Equal(t, aUser.User.ID, id)
	require.NoError(t, client.RevokeToken(ctx, aToken.ID))
	require.NoError(t, client.SetPassword(ctx, "ana", "correct horse"))
	require.NoError(t, client.SetDisabled(ctx, "ana", true))
	until, err := client.DeleteUser(ctx, "ana")
	require.NoError(t, err)
	require.Equal(t, aDeletion.Until, until)
	require.NoError(t, client.RestoreUser(ctx, aUser.User.ID))
	deleted, err := client.DeletedUsers(ctx)
	require.NoError(t, err)
	require.Equal(t, []deletesubjects.Restorable{aDeletion}, deleted)
	require.Equal(t, artwork.NotFound, artwork.KindOf(client.RestoreUser(ctx, aToken.ID)))

	in.Role = catalog.RoleUser
	_, err = client.CreateUser(ctx, in)
	for _, err := range []error{err, client.RevokeToken(ctx, artwork.NewID()), client.SetPassword(ctx, "eva", ""), client.SetDisabled(ctx, "ana", false)} {
		require.Equal(t, artwork.NotFound, artwork.KindOf(err))
		require.ErrorContains(t, err, "nobody is called that")
	}
}
