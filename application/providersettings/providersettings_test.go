package providersettings_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/health"
	"gatefold/application/keyring"
	"gatefold/application/providersettings"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

const (
	theKey   = "hunter2-the-key"
	otherKey = "hunter2-another"
)

// fake are two providers: one that needs a key and one that does not.
type fake struct {
	mu    sync.Mutex
	given map[string]map[providersettings.Field]providersettings.Given // beside the defaults
	used  []providersettings.Resolved
	uses  int
	try   func(ctx context.Context, p providersettings.Resolved) (string, error)
	order providersettings.Given // beside the default
}

func (f *fake) Order() providersettings.Given {
	if f.order.Pinned {
		return f.order
	}
	return providersettings.Given{Variable: "PROVIDER_ORDER"}
}

func (f *fake) All() []providersettings.Provider {
	keyed := map[providersettings.Field]providersettings.Given{
		providersettings.Enabled: {Variable: "KEYED_ENABLED", Value: providersettings.Auto},
		providersettings.BaseURL: {Variable: "KEYED_URL", Value: "https://keyed.example"},
		providersettings.Key:     {Variable: "KEYED_API_KEY"}, providersettings.ClientKey: {Variable: "KEYED_CLIENT_KEY"},
	}
	free := map[providersettings.Field]providersettings.Given{
		providersettings.Enabled: {Variable: "FREE_ENABLED", Value: providersettings.True},
		providersettings.BaseURL: {Variable: "FREE_URL", Value: "https://free.example"},
	}
	for field, given := range f.given["keyed"] {
		keyed[field] = given
	}
	covers := []artwork.Slot{artwork.SlotCover}
	return []providersettings.Provider{
		{ID: "keyed", Name: "Keyed", Slots: covers, NeedsKey: true, Given: keyed}, {ID: "free", Name: "Free", Slots: covers, Given: free},
	}
}

func (f *fake) CheckURL(text string) error {
	if !strings.HasPrefix(text, "https://") {
		return artwork.Errorf(artwork.InvalidInput, "it is not a URL")
	}
	return nil
}

func (f *fake) Use(_ context.Context, all []providersettings.Resolved) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used = all
	f.uses++
}

func (f *fake) Try(ctx context.Context, p providersettings.Resolved) (string, error) {
	return f.try(ctx, p)
}

// now returns a provider as it is asked.
func (f *fake) now(id string) providersettings.Resolved {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.used {
		if p.ID == id {
			return p
		}
	}
	return providersettings.Resolved{}
}

type announced struct {
	mu   sync.Mutex
	told []string
}

func (a *announced) ProviderChanged(_ context.Context, provider string, revision int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, fmt.Sprint(provider, " ", revision))
}

// instance is one process of a deployment.
type instance struct {
	*providersettings.Settings
	*providersettings.Follower
	fake   *fake
	events *announced
	log    *bytes.Buffer
}

var (
	older = strings.Repeat("older", 8)
	newer = strings.Repeat("newer", 8)
	ana   = artwork.Actor{Name: "ana"}
)

func start(t *testing.T, store providersettings.Store, fake *fake, secrets ...string) *instance {
	t.Helper()
	if len(secrets) == 0 {
		secrets = []string{newer}
	}
	keys, err := keyring.New(secrets[0], secrets[1:]...)
	require.NoError(t, err)
	in := &instance{fake: fake, events: &announced{}, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(in.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	in.Follower = providersettings.NewFollower(store, fake, keys, log)
	in.Start(t.Context())
	in.Settings = providersettings.NewSettings(store, fake, keys, in.Follower, in.events, log)
	t.Cleanup(func() { require.NotContains(t, in.log.String(), "hunter2", "a key in the log") })
	return in
}

func to(text string) *string { return &text }

func patch(field providersettings.Field, value *string) providersettings.Patch {
	return providersettings.Patch{field: value}
}

// set makes a change that has to work.
func (in *instance) set(t *testing.T, id string, patch providersettings.Patch) providersettings.Resolved {
	t.Helper()
	p, err := in.Change(t.Context(), ana, id, nil, patch)
	require.NoError(t, err)
	return p
}

func entries(t *testing.T, repository *memory.Repository) []activity.Entry {
	t.Helper()
	page, err := repository.Activity().List(t.Context(), activity.Query{Limit: 100})
	require.NoError(t, err)
	return page.Items
}

func TestWhatIsSetIsFollowedByEveryInstance(t *testing.T) {
	repository := memory.NewRepository()
	first, second := start(t, repository.ProviderSettings(), &fake{}), start(t, repository.ProviderSettings(), &fake{})
	require.Equal(t, providersettings.NeedsKey, first.fake.now("keyed").State())
	require.Equal(t, providersettings.Active, first.fake.now("free").State())

	p := first.set(t, "keyed", providersettings.Patch{providersettings.Key: to(" " + theKey + "\n"), providersettings.BaseURL: to("https://mirror.example")})
	require.Equal(t, int64(1), p.Revision)
	require.Equal(t, providersettings.Active, p.State())
	require.Equal(t, []string{"keyed 1"}, first.events.told)
	require.NoError(t, second.CatchUp(t.Context()))
	for _, in := range []*instance{first, second} {
		now := in.fake.now("keyed")
		require.Equal(t, providersettings.Secret(theKey), now.Settings[providersettings.Key].Key)
		require.Equal(t, "https://mirror.example", now.Settings[providersettings.BaseURL].Value)
		require.Equal(t, providersettings.FromSettings, now.Settings[providersettings.BaseURL].Source)
		require.Equal(t, "ana", now.Settings[providersettings.Key].ChangedBy)
		require.NoError(t, in.Check(t.Context()))
	}

	snapshot, err := repository.ProviderSettings().Load(t.Context())
	require.NoError(t, err)
	require.NotContains(t, fmt.Sprintf("%s %v %+v", mustJSON(t, snapshot), snapshot, snapshot), "hunter2")
	require.NotContains(t, string(snapshot.Providers["keyed"].Values[providersettings.Key].Sealed), "hunter2")

	first.set(t, "free", patch(providersettings.Enabled, to("false")))
	require.NoError(t, second.CatchUp(t.Context()))
	require.Equal(t, providersettings.Off, second.fake.now("free").State())
	uses := second.fake.uses
	require.NoError(t, second.CatchUp(t.Context()))
	require.Equal(t, uses, second.fake.uses, "nothing has changed")

	_, err = second.Reset(t.Context(), ana, "keyed", nil)
	require.NoError(t, err)
	require.NoError(t, first.CatchUp(t.Context()))
	require.Equal(t, providersettings.NeedsKey, first.fake.now("keyed").State())
	require.Equal(t, "https://keyed.example", first.fake.now("keyed").Settings[providersettings.BaseURL].Value)
	require.ErrorIs(t, first.Check(t.Context()), health.ErrDisabled)
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

func TestChangesAreInTheActivityLog(t *testing.T) {
	repository := memory.NewRepository()
	in := start(t, repository.ProviderSettings(), &fake{})
	in.set(t, "keyed", patch(providersettings.Key, to(theKey)))
	in.set(t, "keyed", patch(providersettings.Key, to(theKey)))
	in.set(t, "keyed", patch(providersettings.ClientKey, nil))
	in.set(t, "keyed", patch(providersettings.Key, to(otherKey)))
	in.set(t, "keyed", patch(providersettings.Enabled, to("true")))
	_, err := in.Reset(t.Context(), ana, "keyed", nil)
	require.NoError(t, err)
	_, err = in.Reset(t.Context(), ana, "keyed", nil)
	require.NoError(t, err)
	var told []string
	for _, e := range entries(t, repository) {
		require.Equal(t, activity.Subject{Kind: activity.Provider, Name: "keyed"}, e.Subject)
		require.Equal(t, "ana", e.Actor.Name)
		told = append(told, fmt.Sprintf("%s %s %s", e.Action, e.Before, e.After))
	}
	require.Equal(t, []string{
		`settings.reset {"enabled":true,"key":"[secret]"} {}`,
		`settings.update {"key":"[secret]"} {"enabled":true,"key":"[secret]"}`,
		`settings.update {"key":"[secret]"} {"key":"[secret] (replaced)"}`,
		`settings.update {} {"key":"[secret]"}`,
	}, told, "what is so already is no change")
	require.Equal(t, []string{"keyed 1", "keyed 2", "keyed 3", "keyed 4"}, in.events.told)
}

func TestWhatCannotBeSet(t *testing.T) {
	repository := memory.NewRepository()
	in := start(t, repository.ProviderSettings(), &fake{})
	for name, c := range map[string]struct {
		id    string
		patch providersettings.Patch
		kind  artwork.ErrorKind
	}{
		"no such provider":  {"nobody", patch(providersettings.Enabled, to("true")), artwork.NotFound},
		"no such field":     {"free", patch(providersettings.Key, to(theKey)), artwork.InvalidInput},
		"no field to clear": {"free", patch(providersettings.Key, nil), artwork.InvalidInput},
		"neither":           {"free", patch(providersettings.Enabled, to("auto")), artwork.InvalidInput},
		"no URL":            {"free", patch(providersettings.BaseURL, to("ftp://hunter2")), artwork.InvalidInput},
		"a URL too long":    {"free", patch(providersettings.BaseURL, to("https://"+strings.Repeat("a", 1000))), artwork.InvalidInput},
		"NUL":               {"free", patch(providersettings.BaseURL, to("https://a\x00b")), artwork.InvalidInput},
		"empty":             {"keyed", patch(providersettings.Key, to("  ")), artwork.InvalidInput},
		"spaces in a key":   {"keyed", patch(providersettings.Key, to("hunter2 x")), artwork.InvalidInput},
		"a key too long":    {"keyed", patch(providersettings.Key, to(strings.Repeat("x", 201))), artwork.InvalidInput},
		"letters in a key":  {"keyed", patch(providersettings.Key, to("hunter2ñ")), artwork.InvalidInput},
	} {
		_, err := in.Change(t.Context(), ana, c.id, nil, c.patch)
		require.Equal(t, c.kind, artwork.KindOf(err), name)
		require.NotContains(t, err.Error(), "hunter2", name)
		_, err = in.Test(t.Context(), ana, c.id, c.patch)
		require.Equal(t, c.kind, artwork.KindOf(err), name)
	}
	require.Empty(t, entries(t, repository))
	_, err := in.Get(t.Context(), "nobody")
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

// TestTheEnvironmentDecides: what it pins cannot be set, and what was set before counts
// again when it pins no more.
func TestTheEnvironmentDecides(t *testing.T) {
	store := memory.NewRepository().ProviderSettings()
	free := start(t, store, &fake{})
	free.set(t, "keyed", providersettings.Patch{providersettings.Enabled: to("false"), providersettings.Key: to(theKey)})

	pinned := start(t, store, &fake{given: map[string]map[providersettings.Field]providersettings.Given{"keyed": {
		providersettings.Enabled: {Variable: "KEYED_ENABLED", Value: "true", Pinned: true},
	}}})
	require.Equal(t, providersettings.Active, pinned.fake.now("keyed").State())
	setting := pinned.fake.now("keyed").Settings[providersettings.Enabled]
	require.Equal(t, providersettings.FromEnvironment, setting.Source)
	require.True(t, setting.Stored)
	_, err := pinned.Change(t.Context(), ana, "keyed", nil, patch(providersettings.Enabled, to("true")))
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	require.ErrorContains(t, err, "KEYED_ENABLED")
	require.NoError(t, free.CatchUp(t.Context()))
	require.Equal(t, providersettings.Off, free.fake.now("keyed").State())
	pinned.set(t, "keyed", patch(providersettings.Enabled, nil))
	require.NoError(t, free.CatchUp(t.Context()))
	require.Equal(t, providersettings.Active, free.fake.now("keyed").State(), "what was hidden is taken away")
}

// TestNoKeyFollowsToAnotherAddress: who may set an address must not get a key sent that
// cannot be read otherwise.
func TestNoKeyFollowsToAnotherAddress(t *testing.T) {
	store := memory.NewRepository().ProviderSettings()
	in := start(t, store, &fake{})
	elsewhere := to("https://elsewhere.example")
	in.set(t, "keyed", patch(providersettings.BaseURL, to("https://before.example")))
	in.set(t, "keyed", providersettings.Patch{providersettings.Key: to(theKey), providersettings.ClientKey: to(otherKey)})
	for _, moving := range []providersettings.Patch{
		{providersettings.BaseURL: elsewhere},
		{providersettings.BaseURL: nil}, // to the default
		{providersettings.BaseURL: elsewhere, providersettings.Key: to(theKey)},
	} {
		_, err := in.Change(t.Context(), ana, "keyed", nil, moving)
		require.Equal(t, artwork.Conflict, artwork.KindOf(err))
		_, err = in.Test(t.Context(), ana, "keyed", moving)
		require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	}
	in.set(t, "keyed", patch(providersettings.BaseURL, to("https://before.example")))
	p := in.set(t, "keyed", providersettings.Patch{providersettings.BaseURL: elsewhere, providersettings.Key: to(theKey), providersettings.ClientKey: nil})
	require.Equal(t, *elsewhere, p.Settings[providersettings.BaseURL].Value)

	// The key of the environment goes where the environment says, whatever was set before.
	given := start(t, store, &fake{given: map[string]map[providersettings.Field]providersettings.Given{"keyed": {
		providersettings.Key: {Variable: "KEYED_API_KEY", Key: "hunter2-given", Pinned: true},
	}}})
	require.Equal(t, "https://keyed.example", given.fake.now("keyed").Settings[providersettings.BaseURL].Value)
	require.Equal(t, providersettings.Secret("hunter2-given"), given.fake.now("keyed").Settings[providersettings.Key].Key)
	_, err := given.Change(t.Context(), ana, "keyed", nil, patch(providersettings.BaseURL, elsewhere))
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	require.ErrorContains(t, err, "KEYED_API_KEY")
}

func TestTwoAdmins(t *testing.T) {
	store := memory.NewRepository().ProviderSettings()
	first, second := start(t, store, &fake{}), start(t, store, &fake{})
	seen := first.set(t, "free", patch(providersettings.Enabled, to("false"))).Revision
	second.set(t, "free", patch(providersettings.BaseURL, to("https://one.example")))
	_, err := first.Change(t.Context(), ana, "free", &seen, patch(providersettings.BaseURL, to("https://two.example")))
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(err))
	_, err = first.Reset(t.Context(), ana, "free", &seen)
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(err))
	now, err := first.Get(t.Context(), "free")
	require.NoError(t, err)
	require.Equal(t, "https://one.example", now.Settings[providersettings.BaseURL].Value)
	_, err = first.Change(t.Context(), ana, "free", &now.Revision, patch(providersettings.BaseURL, to("https://two.example")))
	require.NoError(t, err)
}

// interrupted is a store in which somebody else is faster some times.
type interrupted struct {
	providersettings.Store
	times int
}

func (s *interrupted) Save(ctx context.Context, change providersettings.Change) (int64, error) {
	if s.times > 0 {
		s.times--
		return 0, artwork.Errorf(artwork.PreconditionFailed, "somebody was faster")
	}
	return s.Store.Save(ctx, change)
}

func TestAChangeThatMeetsAnotherIsMadeAnew(t *testing.T) {
	in := start(t, &interrupted{memory.NewRepository().ProviderSettings(), 4}, &fake{})
	in.set(t, "free", patch(providersettings.Enabled, to("false")))
	hopeless := start(t, &interrupted{memory.NewRepository().ProviderSettings(), 5}, &fake{})
	_, err := hopeless.Change(t.Context(), ana, "free", nil, patch(providersettings.Enabled, to("false")))
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(err))
}

func TestAKeyThatCannotBeOpened(t *testing.T) {
	store := memory.NewRepository().ProviderSettings()
	start(t, store, &fake{}, older).set(t, "keyed", patch(providersettings.Key, to(theKey)))
	in := start(t, store, &fake{}, newer)
	p := in.fake.now("keyed")
	require.Equal(t, providersettings.KeyUnreadable, p.State())
	require.Equal(t, []providersettings.Field{providersettings.Key}, p.Unreadable())
	require.Equal(t, artwork.Unavailable, artwork.KindOf(in.Check(t.Context())))
	require.ErrorContains(t, in.Check(t.Context()), "keyed key")
	require.Contains(t, in.log.String(), "AUTH_SECRET_PREVIOUS")
	outcome, err := in.Test(t.Context(), ana, "keyed", nil)
	require.NoError(t, err)
	require.False(t, outcome.OK)
	require.Contains(t, outcome.Message, "enter it again")
	snapshot, err := store.Load(t.Context())
	require.NoError(t, err)
	keys, err := keyring.New(newer)
	require.NoError(t, err)
	stored, unreadable := providersettings.Unreadable(snapshot, keys)
	require.Equal(t, 1, stored)
	require.Equal(t, []string{"keyed key"}, unreadable)

	p = in.set(t, "keyed", patch(providersettings.Key, to(theKey)))
	require.Equal(t, providersettings.Active, p.State())
	require.NoError(t, in.Check(t.Context()))
}

// TestASecretIsReplacedWithOverlap: keys are sealed anew under the present secret, by
// which the one before is needed no more, and nobody takes that for a change.
func TestASecretIsReplacedWithOverlap(t *testing.T) {
	repository := memory.NewRepository()
	store := repository.ProviderSettings()
	before := start(t, store, &fake{}, older)
	before.set(t, "keyed", patch(providersettings.Key, to(theKey)))
	for range 2 {
		during := start(t, store, &fake{}, newer, older)
		require.Equal(t, providersettings.Secret(theKey), during.fake.now("keyed").Settings[providersettings.Key].Key)
		during.Reseal(t.Context())
	}
	uses := before.fake.uses
	require.NoError(t, before.CatchUp(t.Context()))
	require.Equal(t, uses, before.fake.uses, "who has not been told the present secret goes on")
	after := start(t, store, &fake{}, newer)
	require.Equal(t, providersettings.Secret(theKey), after.fake.now("keyed").Settings[providersettings.Key].Key)
	require.Equal(t, int64(1), after.fake.now("keyed").Revision)
	require.Len(t, entries(t, repository), 1)
}

func TestFollowing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &unreachable{Store: memory.NewRepository().ProviderSettings()}
		first, second := start(t, store, &fake{}), start(t, store, &fake{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			second.Run(ctx)
		}()
		first.set(t, "free", patch(providersettings.Enabled, to("false")))
		time.Sleep(2500 * time.Millisecond)
		require.Equal(t, providersettings.Off, second.fake.now("free").State())

		store.down.Store(true)
		time.Sleep(time.Minute)
		require.Equal(t, providersettings.Off, second.fake.now("free").State(), "they are asked as before")
		store.down.Store(false)
		first.set(t, "free", patch(providersettings.Enabled, nil))
		time.Sleep(2500 * time.Millisecond)
		require.Equal(t, providersettings.Active, second.fake.now("free").State())
		stop()
		<-ended
		require.Equal(t, 1, strings.Count(second.log.String(), "cannot be read"), second.log.String())
		require.Equal(t, 1, strings.Count(second.log.String(), "can be read again"))
	})
}

// unreachable is a store that can be down.
type unreachable struct {
	providersettings.Store
	down atomic.Bool
}

func (u *unreachable) Revision(ctx context.Context) (int64, error) {
	if u.down.Load() {
		return 0, artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
	}
	return u.Store.Revision(ctx)
}

func TestTests(t *testing.T) {
	repository := memory.NewRepository()
	in := start(t, repository.ProviderSettings(), &fake{})
	outcome, err := in.Test(t.Context(), ana, "keyed", nil)
	require.NoError(t, err)
	require.Equal(t, providersettings.Outcome{Message: "Keyed needs a key"}, outcome)

	var tried providersettings.Resolved
	var answer error
	in.fake.try = func(_ context.Context, p providersettings.Resolved) (string, error) {
		tried = p
		return "it answers", answer
	}
	with := providersettings.Patch{providersettings.Key: to(theKey), providersettings.Enabled: to("false"), providersettings.BaseURL: to("https://x.example")}
	for want, err := range map[string]error{
		"something went wrong inside Gatefold": artwork.Wrap(artwork.Internal, "x", errors.New("detail")),
		"Keyed refuses the key":                artwork.Errorf(artwork.Forbidden, "Keyed refuses the key"),
		"Keyed did not answer in time":         context.DeadlineExceeded,
	} {
		answer = err
		outcome, err := in.Test(t.Context(), ana, "keyed", with)
		require.NoError(t, err)
		require.False(t, outcome.OK)
		require.Equal(t, want, outcome.Message)
	}
	answer = nil
	outcome, err = in.Test(t.Context(), ana, "keyed", with)
	require.NoError(t, err)
	require.True(t, outcome.OK)
	require.Equal(t, "it answers", outcome.Message)
	require.Equal(t, providersettings.Secret(theKey), tried.Settings[providersettings.Key].Key)
	require.Equal(t, "https://x.example", tried.Settings[providersettings.BaseURL].Value)
	require.Empty(t, entries(t, repository), "nothing has changed")
	require.Equal(t, providersettings.NeedsKey, in.fake.now("keyed").State())

	ctx, cancel := context.WithCancel(t.Context())
	in.fake.try = func(ctx context.Context, _ providersettings.Resolved) (string, error) {
		cancel()
		return "", ctx.Err()
	}
	_, err = in.Test(ctx, ana, "keyed", with)
	require.ErrorIs(t, err, context.Canceled)
}

// TestOrigins: one origin is not another, and none tells a key.
func TestOrigins(t *testing.T) {
	in := start(t, memory.NewRepository().ProviderSettings(), &fake{})
	seen := map[string]bool{in.fake.now("keyed").Origin: true}
	for _, p := range []providersettings.Patch{
		patch(providersettings.Key, to("ab")), patch(providersettings.ClientKey, to("c")),
		{providersettings.Key: to("a"), providersettings.ClientKey: to("bc")},
		{providersettings.Key: to("a"), providersettings.ClientKey: to("bc"), providersettings.BaseURL: to("https://keyed.example/2")},
	} {
		origin := in.set(t, "keyed", p).Origin
		require.False(t, seen[origin])
		require.Regexp(t, "^[0-9a-f]{16}$", origin)
		seen[origin] = true
	}
	before := in.fake.now("keyed").Origin
	require.Equal(t, before, in.set(t, "keyed", patch(providersettings.Enabled, to("false"))).Origin)
}

func TestAKeyIsNotPrinted(t *testing.T) {
	type holder struct{ Key providersettings.Secret }
	key := holder{theKey}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", key, "secret", key.Key)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key, "secret", key.Key)
	for _, printed := range []string{fmt.Sprint(key), fmt.Sprintf("%v %+v %#v %s %q", key, key, key, key.Key, key.Key), mustJSON(t, key), log.String()} {
		require.NotContains(t, printed, "hunter2")
		require.Contains(t, printed, "[secret]")
	}
	require.Empty(t, providersettings.Secret("").String())
}
