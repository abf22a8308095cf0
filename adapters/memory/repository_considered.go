package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

// Considerations is the view of a Repository as what was considered for slots.
type Considerations struct{ r *Repository }

var _ findimages.Considerations = (*Considerations)(nil)

// Considerations returns what was considered for slots.
func (r *Repository) Considerations() *Considerations { return &Considerations{r} }

// consideredKey names what is kept once.
type consideredKey struct {
	place    artwork.Place
	occasion findimages.Occasion
}

// Keep implements findimages.Considerations.
func (c *Considerations) Keep(ctx context.Context, considerations []findimages.Consideration) error {
	for _, one := range considerations {
		if err := one.Check(); err != nil {
			return err
		}
	}
	return c.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		for _, one := range considerations {
			if err := c.r.requireSubject(one.Place.Subject); err != nil {
				return nil, err
			}
		}
		return func() {
			for _, one := range considerations {
				one.At = stored(one.At)
				key := consideredKey{one.Place, one.Occasion}
				if !c.r.considered[key].At.After(one.At) {
					c.r.considered[key] = apart(one)
				}
			}
		}, nil
	})
}

// Of implements findimages.Considerations.
func (c *Considerations) Of(ctx context.Context, subject artwork.Subject) (kept []findimages.Consideration, err error) {
	err = c.r.read(ctx, func() error {
		for key, one := range c.r.considered {
			if key.place.Subject == subject {
				kept = append(kept, apart(one))
			}
		}
		return nil
	})
	slices.SortFunc(kept, func(a, b findimages.Consideration) int {
		return cmp.Or(cmp.Compare(a.Place.Slot.String(), b.Place.Slot.String()), cmp.Compare(a.Occasion, b.Occasion))
	})
	return kept, err
}

// apart returns a copy that shares nothing with the consideration.
func apart(c findimages.Consideration) findimages.Consideration {
	c.Candidates, c.Failures = append([]findimages.Considered(nil), c.Candidates...), append([]findimages.Failure(nil), c.Failures...)
	return c
}

// forgetConsidered forgets what was considered for the place.
func (r *Repository) forgetConsidered(place artwork.Place) {
	maps.DeleteFunc(r.considered, func(key consideredKey, _ findimages.Consideration) bool { return key.place == place })
}
