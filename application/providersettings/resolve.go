package providersettings

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"gatefold/application/keyring"
)

// Source is where a value comes from.
type Source string

// The sources.
const (
	FromDefault     Source = "default"
	FromEnvironment Source = "environment"
	FromSettings    Source = "settings"
)

// Setting is a field as it is in force.
type Setting struct {
	Value    string // of a field that is no key
	Key      Secret // of one that is; "": there is none
	Source   Source
	Variable string // of the environment
	Pinned   bool   // the settings cannot change it
	// Stored: something is set, in force or not; who has set it when.
	Stored    bool
	ChangedAt time.Time
	ChangedBy string
	// Unreadable: a key is set, and no secret of this instance opens it.
	Unreadable bool
}

// Resolved is a provider as it is set up.
type Resolved struct {
	Provider
	Settings map[Field]Setting // of the fields that it has
	Revision int64             // of the latest change; 0: nothing was ever set
	// Preference is the provider's place in the order that is set, from 1; 0: none is.
	Preference int
	// Origin stands for the addresses and keys, and tells none of them: what one origin
	// answered is not what another one would have.
	Origin string
}

// State is whether a provider is asked and, if not, why.
type State string

// The states.
const (
	Active        State = "active"
	Off           State = "off"            // switched off
	NeedsKey      State = "needs_key"      // it has none
	KeyUnreadable State = "key_unreadable" // it has one that cannot be opened
)

// State returns whether the provider is asked.
func (r Resolved) State() State {
	switch key := r.Settings[Key]; {
	case r.Settings[Enabled].Value == False:
		return Off
	case !r.NeedsKey || key.Key != "":
		return Active
	case key.Unreadable:
		return KeyUnreadable
	default:
		return NeedsKey
	}
}

// Unreadable returns the fields whose keys cannot be opened.
func (r Resolved) Unreadable() []Field {
	var fields []Field
	for _, field := range Fields {
		if r.Settings[field].Unreadable {
			fields = append(fields, field)
		}
	}
	return fields
}

// sealPurpose and originPurpose keep what is made for one from being taken for the
// other.
const (
	sealPurpose   = "provider key"
	originPurpose = "provider origin"
)

// resolver says how providers are set up.
type resolver struct{ keys *keyring.Keyring }

// bound ties a sealed key to its place: moved to another one, it cannot be opened.
func bound(provider string, field Field) []byte { return []byte(provider + "\x00" + string(field)) }

func (r resolver) seal(provider string, field Field, key string) ([]byte, error) {
	return r.keys.Seal(sealPurpose, []byte(key), bound(provider, field))
}

func (r resolver) open(provider string, field Field, sealed []byte) (Secret, error) {
	key, err := r.keys.Open(sealPurpose, sealed, bound(provider, field))
	return Secret(key), err
}

// resolve returns a provider as it is set up, with what is stored of it.
func (r resolver) resolve(p Provider, stored Stored) Resolved {
	resolved := Resolved{Provider: p, Revision: stored.Revision, Settings: make(map[Field]Setting, len(p.Given))}
	urlVariable, ownKey := p.hasGivenKey()
	for field, given := range p.Given {
		setting := Setting{Value: given.Value, Key: given.Key, Source: FromDefault, Variable: given.Variable, Pinned: given.Pinned}
		if given.Pinned {
			setting.Source = FromEnvironment
		}
		if field.IsURL() && ownKey && !given.Pinned {
			// The operator's key does not follow where an admin leads.
			setting.Pinned, setting.Variable = true, urlVariable
		}
		if value, ok := stored.Values[field]; ok {
			r.take(&setting, p.ID, field, value)
		}
		resolved.Settings[field] = setting
	}
	resolved.Origin = r.origin(resolved)
	return resolved
}

// take has a setting follow what is stored, unless it is pinned.
func (r resolver) take(setting *Setting, provider string, field Field, value Value) {
	setting.Stored, setting.ChangedAt, setting.ChangedBy = true, value.ChangedAt, value.ChangedBy
	if setting.Pinned {
		return
	}
	setting.Source = FromSettings
	if !field.IsKey() {
		setting.Value = value.Text
		return
	}
	key, err := r.open(provider, field, value.Sealed)
	setting.Key, setting.Unreadable = key, err != nil
}

func (r resolver) origin(p Resolved) string {
	var text strings.Builder
	for _, field := range Fields {
		if field != Enabled {
			setting := p.Settings[field]
			text.WriteString(setting.Value + string(setting.Key) + "\x00")
		}
	}
	return hex.EncodeToString(r.keys.Sign(originPurpose, []byte(text.String()))[:8])
}

// Unreadable returns how many keys are stored, and which of them none of the secrets
// opens, as "provider field".
func Unreadable(snapshot Snapshot, keys *keyring.Keyring) (stored int, unreadable []string) {
	for id, provider := range snapshot.Providers {
		for field, value := range provider.Values {
			if !field.IsKey() {
				continue
			}
			stored++
			if _, err := (resolver{keys}).open(id, field, value.Sealed); err != nil {
				unreadable = append(unreadable, id+" "+string(field))
			}
		}
	}
	slices.Sort(unreadable)
	return stored, unreadable
}
