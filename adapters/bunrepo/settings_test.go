package bunrepo_test

import (
	"context"
	"testing"

	"gatefold/application/providersettings"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

// TestSuiteRejectsBrokenSettings: each twin of the settings breaks one clause.
func TestSuiteRejectsBrokenSettings(t *testing.T) {
	for missed, brk := range map[string]func(providersettings.Store) providersettings.Store{
		"settings: what is set comes back to the last field":                                   func(s providersettings.Store) providersettings.Store { return forgetsWho{s} },
		"settings: one count numbers the changes of all providers":                             func(s providersettings.Store) providersettings.Store { return countsNothing{s} },
		"settings: a change of what was changed meanwhile is refused, and nothing has changed": func(s providersettings.Store) providersettings.Store { return overwrites{s} },
		"settings: of 10 racing changes one is made":                                           func(s providersettings.Store) providersettings.Store { return overwrites{s} },
		"settings: a change is in the activity log":                                            func(s providersettings.Store) providersettings.Store { return recordsElse{s} },
		"settings: another seal is no change":                                                  func(s providersettings.Store) providersettings.Store { return resealsBySaving{s} },
		"settings: a seal that is not there any more is not replaced":                          func(s providersettings.Store) providersettings.Store { return resealsBySaving{s} },
		"settings: a cancelled context ends every method":                                      func(s providersettings.Store) providersettings.Store { return goesOn{s} },
	} {
		t.Run(missed, func(t *testing.T) {
			conformance.Rejects(t, conformance.RepositoryCases(), missed, func(t conformance.TB) conformance.Repositories {
				r := repositories(openSQLite(t))
				r.Settings = brk(r.Settings)
				return r
			})
		})
	}
}

type forgetsWho struct{ providersettings.Store }

func (f forgetsWho) Load(ctx context.Context) (providersettings.Snapshot, error) {
	snapshot, err := f.Store.Load(ctx)
	for _, stored := range snapshot.Providers {
		for field, value := range stored.Values {
			value.ChangedBy = ""
			stored.Values[field] = value
		}
	}
	return snapshot, err
}

type countsNothing struct{ providersettings.Store }

func (c countsNothing) Save(ctx context.Context, change providersettings.Change) (int64, error) {
	_, err := c.Store.Save(ctx, change)
	return change.Was + 1, err
}

type overwrites struct{ providersettings.Store }

func (o overwrites) Save(ctx context.Context, change providersettings.Change) (int64, error) {
	for {
		snapshot, err := o.Load(ctx)
		if err != nil {
			return 0, err
		}
		change.Was = snapshot.Providers[change.Provider].Revision
		if revision, err := o.Store.Save(ctx, change); artwork.KindOf(err) != artwork.PreconditionFailed {
			return revision, err
		}
	}
}

type recordsElse struct{ providersettings.Store }

func (r recordsElse) Save(ctx context.Context, change providersettings.Change) (int64, error) {
	change.Entry = activity.Entry{Action: activity.SettingsReset}
	return r.Store.Save(ctx, change)
}

type resealsBySaving struct{ providersettings.Store }

func (r resealsBySaving) Reseal(ctx context.Context, provider string, field providersettings.Field, _, to []byte) error {
	snapshot, err := r.Load(ctx)
	if err != nil {
		return err
	}
	stored := snapshot.Providers[provider]
	value := stored.Values[field]
	value.Sealed = to
	if stored.Values == nil {
		stored.Values = map[providersettings.Field]providersettings.Value{}
	}
	stored.Values[field] = value
	_, err = r.Save(ctx, providersettings.Change{
		Provider: provider, Was: stored.Revision, Values: stored.Values, Entry: activity.Entry{Action: activity.SettingsUpdate},
	})
	return err
}

type goesOn struct{ providersettings.Store }

func (g goesOn) Revision(ctx context.Context) (int64, error) {
	return g.Store.Revision(context.WithoutCancel(ctx))
}
