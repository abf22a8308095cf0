package memory

import (
	"bytes"
	"context"
	"maps"

	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
)

// ProviderSettings is the view of a Repository as store of how providers are set up.
type ProviderSettings struct{ r *Repository }

var _ providersettings.Store = (*ProviderSettings)(nil)

// ProviderSettings returns how the providers are set up.
func (r *Repository) ProviderSettings() *ProviderSettings { return &ProviderSettings{r} }

// settingsState is how the providers are set up.
type settingsState struct {
	revision  int64
	providers map[string]providersettings.Stored
}

// Revision implements providersettings.Store.
func (p *ProviderSettings) Revision(ctx context.Context) (revision int64, err error) {
	err = p.r.read(ctx, func() error {
		revision = p.r.settings.revision
		return nil
	})
	return revision, err
}

// Load implements providersettings.Store.
func (p *ProviderSettings) Load(ctx context.Context) (snapshot providersettings.Snapshot, err error) {
	err = p.r.read(ctx, func() error {
		snapshot = providersettings.Snapshot{Revision: p.r.settings.revision, Providers: map[string]providersettings.Stored{}}
		for id, stored := range p.r.settings.providers {
			snapshot.Providers[id] = providersettings.Stored{Revision: stored.Revision, Values: copied(stored.Values)}
		}
		return nil
	})
	return snapshot, err
}

// copied returns values that share nothing with those given, as a database keeps them.
func copied(values map[providersettings.Field]providersettings.Value) map[providersettings.Field]providersettings.Value {
	kept := make(map[providersettings.Field]providersettings.Value, len(values))
	for field, value := range values {
		value.Sealed, value.ChangedAt = bytes.Clone(value.Sealed), stored(value.ChangedAt)
		kept[field] = value
	}
	return kept
}

// Save implements providersettings.Store.
func (p *ProviderSettings) Save(ctx context.Context, change providersettings.Change) (revision int64, err error) {
	if err := change.Check(); err != nil {
		return 0, err
	}
	entry, err := change.Entry.Kept()
	if err != nil {
		return 0, err
	}
	values := copied(change.Values)
	err = p.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if p.r.settings.providers[change.Provider].Revision != change.Was {
			return nil, errSettingsChanged
		}
		return func() {
			p.r.settings.revision++
			revision = p.r.settings.revision
			p.r.settings.keep(change.Provider, providersettings.Stored{Revision: revision, Values: values})
			p.r.note(entry)
		}, nil
	})
	return revision, err
}

var errSettingsChanged = artwork.Errorf(artwork.PreconditionFailed, "the provider has been set up differently meanwhile")

func (s *settingsState) keep(provider string, stored providersettings.Stored) {
	if s.providers == nil {
		s.providers = map[string]providersettings.Stored{}
	}
	s.providers[provider] = stored
}

// Reseal implements providersettings.Store.
func (p *ProviderSettings) Reseal(ctx context.Context, provider string, field providersettings.Field, from, to []byte) error {
	to = bytes.Clone(to)
	return p.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		stored := p.r.settings.providers[provider]
		value, ok := stored.Values[field]
		if !ok || !bytes.Equal(value.Sealed, from) {
			return nil, errSettingsChanged
		}
		return func() {
			value.Sealed = to
			stored.Values = maps.Clone(stored.Values)
			stored.Values[field] = value
			p.r.settings.keep(provider, stored)
		}, nil
	})
}
