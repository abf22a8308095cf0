package conformance

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/providersettings"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// settingsCases are the clauses of providersettings.Store.
func settingsCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"settings: it begins with nothing", settingsEmpty},
		{"settings: what is set comes back to the last field", settingsKept},
		{"settings: a change replaces all of one provider, and no other", settingsReplaced},
		{"settings: one count numbers the changes of all providers", settingsCounted},
		{"settings: a change of what was changed meanwhile is refused, and nothing has changed", settingsChangedMeanwhile},
		{"settings: of 10 racing changes one is made", settingsRace},
		{"settings: who sees a number sees every change up to it", settingsInOrder},
		{"settings: a change is in the activity log", settingsRecorded},
		{"settings: what cannot be kept is refused, and nothing has changed", settingsRefused},
		{"settings: another seal is no change", settingsResealed},
		{"settings: a seal that is not there any more is not replaced", settingsResealedMeanwhile},
		{"settings: a cancelled context ends every method", settingsCancelled},
	}
}

func settingOf(text string) map[providersettings.Field]providersettings.Value {
	return map[providersettings.Field]providersettings.Value{providersettings.BaseURL: {Text: text, ChangedBy: "ana"}}
}

func settingsChange(provider string, was int64, values map[providersettings.Field]providersettings.Value) providersettings.Change {
	return providersettings.Change{Provider: provider, Was: was, Values: values, Entry: activity.Entry{
		Actor: someone, Action: activity.SettingsUpdate, Subject: activity.Subject{Kind: activity.Provider, Name: provider},
		Before: activity.FactsOf(map[string]string{}), After: activity.FactsOf(map[string]string{"enabled": "true"}),
	}}
}

func set(t TB, r Repositories, provider string, was int64, values map[providersettings.Field]providersettings.Value) int64 {
	t.Helper()
	revision, err := r.Settings.Save(t.Context(), settingsChange(provider, was, values))
	require.NoError(t, err)
	return revision
}

func snapshot(t TB, r Repositories) providersettings.Snapshot {
	t.Helper()
	found, err := r.Settings.Load(t.Context())
	require.NoError(t, err)
	revision, err := r.Settings.Revision(t.Context())
	require.NoError(t, err)
	require.Equal(t, revision, found.Revision)
	return found
}

func settingsEmpty(t TB, open func(TB) Repositories) {
	found := snapshot(t, open(t))
	require.Zero(t, found.Revision)
	require.Empty(t, found.Providers)
}

func settingsKept(t TB, open func(TB) Repositories) {
	r := open(t)
	at := time.Date(2026, 2, 28, 23, 59, 59, 123456789, time.FixedZone("", 7200))
	for i, text := range oddTexts {
		values := map[providersettings.Field]providersettings.Value{
			providersettings.Enabled: {Text: text, ChangedAt: at, ChangedBy: text},
			providersettings.Key:     {Sealed: []byte{0, 1, 0xff, byte(i)}, ChangedAt: at.Add(time.Hour), ChangedBy: "ana"},
		}
		revision := set(t, r, "deezer", int64(i), values)
		for field, value := range values {
			value.ChangedAt = value.ChangedAt.UTC().Truncate(time.Microsecond)
			values[field] = value
		}
		require.Equal(t, map[string]providersettings.Stored{"deezer": {Revision: revision, Values: values}}, snapshot(t, r).Providers)
	}
}

func settingsReplaced(t TB, open func(TB) Repositories) {
	r := open(t)
	first := set(t, r, "deezer", 0, settingOf("one"))
	set(t, r, "discogs", 0, settingOf("two"))
	third := set(t, r, "deezer", first, map[providersettings.Field]providersettings.Value{providersettings.Enabled: {Text: "true"}})
	found := snapshot(t, r).Providers
	require.NotContains(t, found["deezer"].Values, providersettings.BaseURL)
	require.Equal(t, "true", found["deezer"].Values[providersettings.Enabled].Text)
	require.Equal(t, "two", found["discogs"].Values[providersettings.BaseURL].Text)
	set(t, r, "deezer", third, nil)
	found = snapshot(t, r).Providers
	require.Empty(t, found["deezer"].Values)
	require.Equal(t, int64(4), found["deezer"].Revision, "that nothing is set any more was a change")
}

func settingsCounted(t TB, open func(TB) Repositories) {
	r := open(t)
	require.Equal(t, int64(1), set(t, r, "deezer", 0, settingOf("one")))
	require.Equal(t, int64(2), set(t, r, "discogs", 0, settingOf("two")))
	require.Equal(t, int64(3), set(t, r, "deezer", 1, settingOf("three")))
	found := snapshot(t, r)
	require.Equal(t, int64(3), found.Revision)
	require.Equal(t, int64(3), found.Providers["deezer"].Revision)
	require.Equal(t, int64(2), found.Providers["discogs"].Revision)
}

func settingsChangedMeanwhile(t TB, open func(TB) Repositories) {
	r := open(t)
	set(t, r, "deezer", 0, settingOf("one"))
	before := snapshot(t, r)
	for _, was := range []int64{0, 2, -1} {
		_, err := r.Settings.Save(t.Context(), settingsChange("deezer", was, settingOf("two")))
		requireKind(t, artwork.PreconditionFailed, err)
	}
	_, err := r.Settings.Save(t.Context(), settingsChange("discogs", 1, settingOf("two")))
	requireKind(t, artwork.PreconditionFailed, err)
	require.Equal(t, before, snapshot(t, r))
	require.Len(t, entries(t, r, activity.Query{Action: "settings"}), 1)
}

func settingsRace(t TB, open func(TB) Repositories) {
	r := open(t)
	var racers sync.WaitGroup
	var made, refused atomic.Int32
	for range 10 {
		racers.Go(func() {
			_, err := r.Settings.Save(t.Context(), settingsChange("deezer", 0, settingOf("one")))
			switch {
			case err == nil:
				made.Add(1)
			case artwork.KindOf(err) == artwork.PreconditionFailed:
				refused.Add(1)
			default:
				t.Errorf("%v", err)
			}
		})
	}
	racers.Wait()
	require.Equal(t, int32(1), made.Load())
	require.Equal(t, int32(9), refused.Load())
	require.Equal(t, int64(1), snapshot(t, r).Revision)
}

// settingsInOrder: a number that were given before the change can be seen would have
// others take the change for one that they follow already.
func settingsInOrder(t TB, open func(TB) Repositories) {
	r := open(t)
	const each = 5
	var writers sync.WaitGroup
	for _, provider := range []string{"deezer", "discogs", "itunes"} {
		writers.Go(func() {
			was := int64(0)
			for range each {
				revision, err := r.Settings.Save(t.Context(), settingsChange(provider, was, settingOf(provider)))
				if err != nil {
					t.Errorf("%v", err)
					return
				}
				was = revision
			}
		})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		writers.Wait()
	}()
	for seen, ended := int64(0), false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		found, err := r.Settings.Load(t.Context())
		require.NoError(t, err)
		require.GreaterOrEqual(t, found.Revision, seen)
		seen = found.Revision
		latest := int64(0)
		for _, stored := range found.Providers {
			latest = max(latest, stored.Revision)
		}
		require.Equal(t, seen, latest, "the change of this number is not there")
	}
	require.Equal(t, int64(3*each), snapshot(t, r).Revision)
}

func settingsRecorded(t TB, open func(TB) Repositories) {
	r := open(t)
	set(t, r, "deezer", 0, settingOf("one"))
	found := entries(t, r, activity.Query{Kind: activity.Provider})
	require.Len(t, found, 1)
	require.Equal(t, plain(settingsChange("deezer", 0, nil).Entry), plain(found[0]))
}

func settingsRefused(t TB, open func(TB) Repositories) {
	r := open(t)
	noEntry := settingsChange("deezer", 0, settingOf("one"))
	noEntry.Entry.Action = "not an action"
	for _, change := range []providersettings.Change{
		settingsChange("", 0, nil), settingsChange("a\x00", 0, nil), settingsChange("deezer", 0, settingOf("\xff")), settingsChange("deezer", 0, settingOf("a\x00")),
		settingsChange("deezer", 0, map[providersettings.Field]providersettings.Value{providersettings.Enabled: {ChangedBy: "\x00"}}),
		settingsChange("deezer", 0, map[providersettings.Field]providersettings.Value{"\xff": {}}),
		noEntry,
	} {
		_, err := r.Settings.Save(t.Context(), change)
		requireKind(t, artwork.InvalidInput, err)
	}
	require.Zero(t, snapshot(t, r).Revision)
	require.Empty(t, entries(t, r, activity.Query{}))
}

func settingsResealed(t TB, open func(TB) Repositories) {
	r := open(t)
	values := map[providersettings.Field]providersettings.Value{
		providersettings.Key:       {Sealed: []byte("one"), ChangedAt: time.Unix(1, 0).UTC(), ChangedBy: "ana"},
		providersettings.ClientKey: {Sealed: []byte("one"), ChangedAt: time.Unix(2, 0).UTC(), ChangedBy: "ana"},
	}
	set(t, r, "fanarttv", 0, values)
	require.NoError(t, r.Settings.Reseal(t.Context(), "fanarttv", providersettings.Key, []byte("one"), []byte("two")))
	key := values[providersettings.Key]
	key.Sealed = []byte("two")
	values[providersettings.Key] = key
	require.Equal(t, map[string]providersettings.Stored{"fanarttv": {Revision: 1, Values: values}}, snapshot(t, r).Providers)
	require.Equal(t, int64(1), snapshot(t, r).Revision)
	require.Len(t, entries(t, r, activity.Query{}), 1)
}

func settingsResealedMeanwhile(t TB, open func(TB) Repositories) {
	r := open(t)
	set(t, r, "fanarttv", 0, map[providersettings.Field]providersettings.Value{providersettings.Key: {Sealed: []byte("one")}})
	before := snapshot(t, r)
	for _, c := range []struct {
		provider string
		field    providersettings.Field
		from     string
	}{{"fanarttv", providersettings.Key, "other"}, {"fanarttv", providersettings.ClientKey, "one"}, {"discogs", providersettings.Key, "one"}} {
		requireKind(t, artwork.PreconditionFailed, r.Settings.Reseal(t.Context(), c.provider, c.field, []byte(c.from), []byte("two")))
	}
	require.Equal(t, before, snapshot(t, r))
}

func settingsCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, revisionErr := r.Settings.Revision(ctx)
	_, loadErr := r.Settings.Load(ctx)
	_, saveErr := r.Settings.Save(ctx, settingsChange("deezer", 0, settingOf("one")))
	for _, err := range []error{revisionErr, loadErr, saveErr, r.Settings.Reseal(ctx, "deezer", providersettings.Key, nil, nil)} {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Zero(t, snapshot(t, r).Revision)
}
