package providersettings

import (
	"context"
	"slices"
	"strings"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Order is the setting of the order of providers. It is that of no provider, and its
// value is their IDs, with commas.
const Order Field = "order"

// ordering is what the order is kept as: no provider has such an ID.
const ordering = "*"

// Ordering is whose images are preferred.
type Ordering struct {
	// Setting is what is in force. Its Value is empty if nobody has put the providers in
	// order; those that it does not name come last.
	Setting
	Providers []string // the IDs of all that have images, in the order in force
	Revision  int64    // of the latest change; 0: there was none
}

// CheckOrder returns the IDs that the text names with commas between, or an InvalidInput
// error unless each is that of one of the providers that have images, and there once.
func CheckOrder(known []Provider, text string) ([]string, error) {
	var ids []string
	for id := range strings.SplitSeq(text, ",") {
		id = strings.TrimSpace(id)
		switch {
		case slices.Contains(ids, id):
			return nil, artwork.Errorf(artwork.InvalidInput, "it names %.64q twice", id)
		case !slices.ContainsFunc(known, func(p Provider) bool { return p.ID == id && len(p.Slots) > 0 }):
			return nil, artwork.Errorf(artwork.InvalidInput, "there is no provider of images %.64q", id)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// orderable describes the order as if it were a provider, so that it is set as those are.
func (s *Settings) orderable() Provider { return orderable(s.providers) }

func orderable(providers Providers) Provider {
	return Provider{ID: ordering, Name: "the order of providers", Given: map[Field]Given{Order: providers.Order()}}
}

// Order returns whose images are preferred.
func (s *Settings) Order(ctx context.Context) (Ordering, error) {
	p := s.orderable()
	stored, err := s.stored(ctx, p)
	if err != nil {
		return Ordering{}, err
	}
	return orderingOf(s.resolver.resolve(p, stored), s.providers.All()), nil
}

// SetOrder has images of the first provider preferred to those of the second, and so on;
// those that are not named come last. Errors are those of Change.
func (s *Settings) SetOrder(ctx context.Context, by artwork.Actor, match *int64, ids []string) (Ordering, error) {
	text := strings.Join(ids, ",")
	p := s.orderable()
	resolved, err := s.change(ctx, by, p, match, activity.SettingsUpdate, func(stored Stored) (map[Field]Value, error) {
		return s.patched(p, stored, Patch{Order: &text}, by)
	})
	return orderingOf(resolved, s.providers.All()), err
}

// ResetOrder has no provider preferred. Errors are those of Change.
func (s *Settings) ResetOrder(ctx context.Context, by artwork.Actor, match *int64) (Ordering, error) {
	resolved, err := s.change(ctx, by, s.orderable(), match, activity.SettingsReset, nothingSet)
	return orderingOf(resolved, s.providers.All()), err
}

// orderingOf tells of the order as it was resolved.
func orderingOf(order Resolved, known []Provider) Ordering {
	all := make([]Resolved, len(known))
	for i, p := range known {
		all[i].Provider = p
	}
	o := Ordering{Setting: order.Settings[Order], Revision: order.Revision}
	arrange(all, o.Value)
	for _, p := range all {
		if len(p.Slots) > 0 {
			o.Providers = append(o.Providers, p.ID)
		}
	}
	return o
}

// arrange puts the providers in the order, and notes their preference. Providers that
// another release knows are passed over.
func arrange(all []Resolved, order string) {
	if order == "" {
		return
	}
	ids := strings.Split(order, ",")
	for i := range all {
		at := slices.Index(ids, all[i].ID)
		if at < 0 {
			at = len(ids)
		}
		all[i].Preference = at + 1
	}
	slices.SortStableFunc(all, func(a, b Resolved) int { return a.Preference - b.Preference })
}
