package bunrepo

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
)

// ProviderSettings keeps how admins have set up the providers of images.
type ProviderSettings struct{ db *DB }

var _ providersettings.Store = (*ProviderSettings)(nil)

// NewProviderSettings returns the settings in the database.
func NewProviderSettings(db *DB) *ProviderSettings { return &ProviderSettings{db} }

// providerSettingsRow is what is set of a provider.
type providerSettingsRow struct {
	bun.BaseModel `bun:"table:provider_settings,alias:p"`

	Provider string `bun:"provider,pk"`
	Revision int64  `bun:"revision"`
	Settings string `bun:"settings"`
}

// storedValue is a field in the column settings.
type storedValue struct {
	Text   string    `json:"text,omitempty"`
	Sealed []byte    `json:"sealed,omitempty"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
}

func formatSettings(values map[providersettings.Field]providersettings.Value) (string, error) {
	stored := map[providersettings.Field]storedValue{}
	for field, value := range values {
		stored[field] = storedValue{value.Text, value.Sealed, value.ChangedAt.UTC().Truncate(time.Microsecond), value.ChangedBy}
	}
	text, err := json.Marshal(stored)
	return string(text), err
}

func (r *providerSettingsRow) values() (map[providersettings.Field]providersettings.Value, error) {
	var stored map[providersettings.Field]storedValue
	if err := json.Unmarshal([]byte(r.Settings), &stored); err != nil {
		return nil, err
	}
	values := make(map[providersettings.Field]providersettings.Value, len(stored))
	for field, value := range stored {
		values[field] = providersettings.Value{Text: value.Text, Sealed: value.Sealed, ChangedAt: value.At, ChangedBy: value.By}
	}
	return values, nil
}

// Revision implements providersettings.Store.
func (p *ProviderSettings) Revision(ctx context.Context) (revision int64, err error) {
	err = p.db.read.NewRaw("SELECT revision FROM provider_settings_revision WHERE id = 1").Scan(ctx, &revision)
	return revision, p.db.fail(ctx, "bunrepo.SettingsRevision", err)
}

// Load implements providersettings.Store. The number and the rows are read by one
// statement, and so from one moment.
func (p *ProviderSettings) Load(ctx context.Context) (providersettings.Snapshot, error) {
	const op = "bunrepo.LoadSettings"
	var rows []struct {
		All      int64  `bun:"all_revision"`
		Provider string `bun:"provider"`
		Revision int64  `bun:"revision"`
		Settings string `bun:"settings"`
	}
	err := p.db.read.NewRaw("SELECT r.revision AS all_revision, COALESCE(p.provider, '') AS provider, COALESCE(p.revision, 0) AS revision, COALESCE(p.settings, '{}') AS settings "+
		"FROM provider_settings_revision AS r LEFT JOIN provider_settings AS p ON true WHERE r.id = 1").Scan(ctx, &rows)
	snapshot := providersettings.Snapshot{Providers: map[string]providersettings.Stored{}}
	for i := range rows {
		snapshot.Revision = rows[i].All
		if rows[i].Provider == "" {
			continue // nothing was ever set
		}
		row := providerSettingsRow{Settings: rows[i].Settings}
		values, parseErr := row.values()
		if parseErr != nil {
			return providersettings.Snapshot{}, p.db.fail(ctx, op, parseErr)
		}
		snapshot.Providers[rows[i].Provider] = providersettings.Stored{Revision: rows[i].Revision, Values: values}
	}
	return snapshot, p.db.fail(ctx, op, err)
}

// Save implements providersettings.Store. The number is taken first, and by that all
// changes are made one after the other: an instance that sees a number sees every
// change up to it.
func (p *ProviderSettings) Save(ctx context.Context, change providersettings.Change) (revision int64, err error) {
	if err := change.Check(); err != nil {
		return 0, err
	}
	const op = "bunrepo.SaveSettings"
	text, err := formatSettings(change.Values)
	if err != nil {
		return 0, p.db.fail(ctx, op, err)
	}
	err = p.db.change(ctx, op, artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		err := tx.NewRaw("UPDATE provider_settings_revision SET revision = revision + 1 WHERE id = 1 RETURNING revision").Scan(ctx, &revision)
		if err != nil {
			return err
		}
		row := providerSettingsRow{Provider: change.Provider}
		if err := findSettings(ctx, tx, &row); err != nil {
			return err
		}
		if row.Revision != change.Was {
			return errSettingsChanged
		}
		row.Revision, row.Settings = revision, text
		_, err = tx.NewInsert().Model(&row).On("CONFLICT (provider) DO UPDATE").
			Set("revision = EXCLUDED.revision, settings = EXCLUDED.settings").Exec(ctx)
		if err != nil {
			return err
		}
		return note(ctx, tx, change.Entry)
	})
	if err != nil {
		return 0, err
	}
	return revision, nil
}

var errSettingsChanged = artwork.Errorf(artwork.PreconditionFailed, "the provider has been set up differently meanwhile")

// findSettings reads the row of the provider; its revision is 0 if there is none.
func findSettings(ctx context.Context, tx bun.Tx, row *providerSettingsRow) error {
	err := tx.NewSelect().Model(row).WherePK().Scan(ctx)
	if isNoRow(err) {
		row.Settings = "{}"
		return nil
	}
	return err
}

// Reseal implements providersettings.Store.
func (p *ProviderSettings) Reseal(ctx context.Context, provider string, field providersettings.Field, from, to []byte) error {
	return p.db.change(ctx, "bunrepo.Reseal", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		// Nothing is counted, but whoever changes the settings waits.
		if _, err := tx.ExecContext(ctx, "UPDATE provider_settings_revision SET revision = revision WHERE id = 1"); err != nil {
			return err
		}
		row := providerSettingsRow{Provider: provider}
		if err := findSettings(ctx, tx, &row); err != nil {
			return err
		}
		values, err := row.values()
		if err != nil {
			return err
		}
		value, ok := values[field]
		if !ok || !bytes.Equal(value.Sealed, from) {
			return errSettingsChanged
		}
		value.Sealed = to
		values[field] = value
		if row.Settings, err = formatSettings(values); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model(&row).Column("settings").WherePK().Exec(ctx)
		return err
	})
}
