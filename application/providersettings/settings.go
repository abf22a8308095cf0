package providersettings

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"time"

	"gatefold/application/keyring"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

const op = "providersettings.Settings"

// Settings are what admins do.
type Settings struct {
	store     Store
	providers Providers
	resolver  resolver
	follower  *Follower
	announcer Announcer
	log       *slog.Logger
	now       func() time.Time
}

// NewSettings returns the use cases. What is set is followed by this process before
// the call returns, and by the others within seconds.
func NewSettings(store Store, providers Providers, keys *keyring.Keyring, follower *Follower, announcer Announcer, log *slog.Logger) *Settings {
	return &Settings{store, providers, resolver{keys}, follower, announcer, log, time.Now}
}

// Patch says what to change: fields that are not in it stay. nil takes away what is
// set, so that the environment or the default holds again.
type Patch map[Field]*string

// Overview is how all providers are set up.
type Overview struct {
	Providers []Resolved // in the order in force
	Order     Ordering
	Revision  int64 // of the latest change
}

// List returns how all providers are set up, as it was at one moment.
func (s *Settings) List(ctx context.Context) (Overview, error) {
	snapshot, err := s.store.Load(ctx)
	if err != nil {
		return Overview{}, artwork.Wrap(artwork.Internal, op, err)
	}
	order := s.resolver.resolve(s.orderable(), snapshot.Providers[ordering])
	return Overview{s.follower.resolve(snapshot), orderingOf(order, s.providers.All()), snapshot.Revision}, nil
}

// Get returns a provider as it is set up. NotFound: there is no such provider.
func (s *Settings) Get(ctx context.Context, id string) (Resolved, error) {
	p, err := s.find(id)
	if err != nil {
		return Resolved{}, err
	}
	stored, err := s.stored(ctx, p)
	if err != nil {
		return Resolved{}, err
	}
	return s.resolver.resolve(p, stored), nil
}

func (s *Settings) find(id string) (Provider, error) {
	for _, p := range s.providers.All() {
		if p.ID == id {
			return p, nil
		}
	}
	return Provider{}, artwork.Errorf(artwork.NotFound, "there is no provider %.64q", id)
}

func (s *Settings) stored(ctx context.Context, p Provider) (Stored, error) {
	snapshot, err := s.store.Load(ctx)
	return snapshot.Providers[p.ID], artwork.Wrap(artwork.Internal, op, err)
}

// attempts bounds how often a change is made anew because another one came first.
const attempts = 5

// Change sets what the patch says and returns the provider as it is set up then. What
// is so already is no change. match, if it is not nil, is the revision that the caller
// has seen.
//
// NotFound: there is no such provider. InvalidInput: it does not have such a field, or
// the field no such value. Conflict: the environment pins it, or a stored key would
// follow to an address that it was not given for. PreconditionFailed: match is not the
// provider's revision any more.
func (s *Settings) Change(ctx context.Context, by artwork.Actor, id string, match *int64, patch Patch) (Resolved, error) {
	p, err := s.find(id)
	if err != nil {
		return Resolved{}, err
	}
	return s.change(ctx, by, p, match, activity.SettingsUpdate, func(stored Stored) (map[Field]Value, error) {
		return s.patched(p, stored, patch, by)
	})
}

// Reset takes away all that is set of a provider. Errors are those of Change.
func (s *Settings) Reset(ctx context.Context, by artwork.Actor, id string, match *int64) (Resolved, error) {
	p, err := s.find(id)
	if err != nil {
		return Resolved{}, err
	}
	return s.change(ctx, by, p, match, activity.SettingsReset, nothingSet)
}

func nothingSet(Stored) (map[Field]Value, error) { return nil, nil }

func (s *Settings) change(ctx context.Context, by artwork.Actor, p Provider, match *int64, action artwork.Action, to func(Stored) (map[Field]Value, error)) (Resolved, error) {
	for attempt := 1; ; attempt++ {
		stored, err := s.stored(ctx, p)
		if err != nil {
			return Resolved{}, err
		}
		if match != nil && *match != stored.Revision {
			return Resolved{}, artwork.Errorf(artwork.PreconditionFailed, "%s has been set up differently meanwhile: look at it again", p.Name)
		}
		values, err := to(stored)
		if err != nil {
			return Resolved{}, err
		}
		if maps.EqualFunc(stored.Values, values, sameValue) {
			return s.resolver.resolve(p, stored), nil
		}
		change := Change{Provider: p.ID, Was: stored.Revision, Values: values, Entry: entry(by, action, p.ID, stored.Values, values)}
		revision, err := s.store.Save(ctx, change)
		if err == nil {
			s.changed(ctx, p.ID, revision)
			return s.resolver.resolve(p, Stored{revision, values}), nil
		}
		if artwork.KindOf(err) != artwork.PreconditionFailed || match != nil || attempt == attempts {
			return Resolved{}, artwork.Wrap(artwork.Internal, op, err)
		}
	}
}

// changed has everybody told.
func (s *Settings) changed(ctx context.Context, id string, revision int64) {
	ctx = context.WithoutCancel(ctx)
	bounded, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	if err := s.follower.CatchUp(bounded); err != nil {
		s.log.WarnContext(ctx, "What was set is followed a little later", "provider", id, "error", err.Error())
	}
	s.announcer.ProviderChanged(ctx, id, revision)
}

func sameValue(a, b Value) bool {
	return a.Text == b.Text && string(a.Sealed) == string(b.Sealed)
}

// patched returns what is stored once the patch was applied.
func (s *Settings) patched(p Provider, stored Stored, patch Patch, by artwork.Actor) (map[Field]Value, error) {
	before, values := s.resolver.resolve(p, stored), maps.Clone(stored.Values)
	if values == nil {
		values = map[Field]Value{}
	}
	for field, text := range patch {
		setting, ok := before.Settings[field]
		switch {
		case !ok:
			return nil, artwork.Errorf(artwork.InvalidInput, "%s has no %s", p.Name, field)
		case text == nil:
			delete(values, field)
			continue
		case setting.Pinned:
			return nil, artwork.Errorf(artwork.Conflict, "%s: the environment decides, by %s", field, setting.Variable)
		}
		value, err := s.value(p, field, strings.TrimSpace(*text))
		if err != nil {
			return nil, err
		}
		if s.isSet(setting, field, strings.TrimSpace(*text)) {
			continue
		}
		value.ChangedAt, value.ChangedBy = s.now().UTC().Truncate(time.Microsecond), by.Name
		values[field] = value
	}
	return values, s.keysStay(before, s.resolver.resolve(p, Stored{Values: values}), patch)
}

// isSet reports whether the field is set so already. The same key is not sealed again.
func (s *Settings) isSet(setting Setting, field Field, text string) bool {
	if !setting.Stored {
		return false
	}
	if field.IsKey() {
		return string(setting.Key) == text
	}
	return setting.Value == text
}

// value checks a text and returns it as it is stored.
func (s *Settings) value(p Provider, field Field, text string) (Value, error) {
	var err error
	switch {
	case text == "":
		err = artwork.Errorf(artwork.InvalidInput, "it is empty; null takes away what is set")
	case field == Enabled && text != True && text != False:
		err = artwork.Errorf(artwork.InvalidInput, "it is neither true nor false")
	case field.IsURL() && len(text) > maxURL:
		err = artwork.Errorf(artwork.InvalidInput, "it has more than %d bytes", maxURL)
	case field.IsURL():
		err = cmp.Or(artwork.CheckText("it", text), s.providers.CheckURL(text))
	case field.IsKey():
		err = CheckKey(text)
	case field == Order:
		var ids []string
		ids, err = CheckOrder(s.providers.All(), text)
		text = strings.Join(ids, ",")
	}
	if err != nil {
		return Value{}, artwork.Errorf(artwork.InvalidInput, "%s: %s", field, artwork.MessageOf(err))
	}
	if !field.IsKey() {
		return Value{Text: text}, nil
	}
	sealed, err := s.resolver.seal(p.ID, field, text)
	return Value{Sealed: sealed}, err
}

// keysStay returns a Conflict error if a stored key would be sent to another address
// than before, unless the patch has that key: who may replace a key must not be able to
// read it by that.
func (s *Settings) keysStay(before, after Resolved, patch Patch) error {
	moved := false
	for field, setting := range after.Settings {
		moved = moved || field.IsURL() && setting.Value != before.Settings[field].Value
	}
	if !moved {
		return nil
	}
	for _, field := range Fields {
		if _, given := patch[field]; field.IsKey() && !given && after.Settings[field].Stored {
			return artwork.Errorf(artwork.Conflict, "the stored %s was given for another address: enter it again with the new one, or take it away (null)", field)
		}
	}
	return nil
}

// entry is what the activity log has of a change: never a key.
func entry(by artwork.Actor, action artwork.Action, id string, before, after map[Field]Value) activity.Entry {
	told := func(values, others map[Field]Value) activity.Facts {
		facts := map[string]any{}
		for field, value := range values {
			other, replaced := others[field]
			switch {
			case field == Enabled:
				facts[string(field)] = value.Text == True
			case !field.IsKey():
				facts[string(field)] = value.Text
			case replaced && !sameValue(value, other):
				facts[string(field)] = redacted + " (replaced)"
			default:
				facts[string(field)] = redacted
			}
		}
		return activity.FactsOf(facts)
	}
	if id == ordering {
		id = string(Order)
	}
	return activity.Entry{
		Actor: by, Action: action, Subject: activity.Subject{Kind: activity.Provider, Name: id},
		Before: told(before, nil), After: told(after, before),
	}
}

// Outcome is what came of a test.
type Outcome struct {
	OK      bool
	Took    time.Duration
	Message string // for the admin; it has no key
}

// testDeadline is how long a test waits for a provider.
const testDeadline = 10 * time.Second

// Test asks a provider something harmless, as it is set up or would be with the patch,
// and whether it is switched on or not. Nothing is changed. Errors are those of Change;
// that the provider does not answer is an outcome.
func (s *Settings) Test(ctx context.Context, by artwork.Actor, id string, patch Patch) (Outcome, error) {
	p, err := s.find(id)
	if err != nil {
		return Outcome{}, err
	}
	stored, err := s.stored(ctx, p)
	if err != nil {
		return Outcome{}, err
	}
	values, err := s.patched(p, stored, patch, by)
	if err != nil {
		return Outcome{}, err
	}
	tried := s.resolver.resolve(p, Stored{Values: values})
	switch {
	case len(tried.Unreadable()) > 0:
		return Outcome{Message: "the stored key cannot be opened: enter it again"}, nil
	case p.NeedsKey && tried.Settings[Key].Key == "":
		return Outcome{Message: p.Name + " needs a key"}, nil
	}
	bounded, cancel := context.WithTimeout(ctx, testDeadline)
	defer cancel()
	begin := s.now()
	message, err := s.providers.Try(bounded, tried)
	outcome := Outcome{OK: err == nil, Took: s.now().Sub(begin), Message: message}
	switch {
	case ctx.Err() != nil:
		return Outcome{}, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		outcome.Message = p.Name + " did not answer in time"
	case err != nil:
		outcome.Message = cmp.Or(artwork.MessageOf(err), "something went wrong inside Gatefold")
		s.log.InfoContext(ctx, "A provider failed its test", "provider", id, "error", err.Error())
	}
	return outcome, nil
}
