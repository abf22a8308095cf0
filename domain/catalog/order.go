package catalog

import (
	"cmp"
	"strings"

	"gatefold/domain/artwork"
)

// Order is the order of a list. The zero value has the best matches of a Text first.
type Order struct {
	By         OrderBy
	Descending bool // not of Best
}

// OrderBy is what subjects are ordered by.
type OrderBy uint8

// What subjects are ordered by. What is equal is ordered by name, then by ID.
const (
	Best      OrderBy = iota // how well the subject matches the Text (Rank)
	ByName                   // the sort name, for albums and users the name (SortKey); descending, equal names are in the descending order of their IDs
	ByAdded                  // when the subject was created
	ByUpdated                // when its artwork was changed last, in any of its slots; what never was comes before all else
	ByYear                   // only albums; what has no year comes before all else
)

var orderNames = map[string]OrderBy{"name": ByName, "added": ByAdded, "updated": ByUpdated, "year": ByYear}

// ParseOrder reads the name of an order, such as "name", or "-name" for the descending
// one. InvalidInput: there is no such order.
func ParseOrder(text string) (Order, error) {
	name, descending := strings.CutPrefix(text, "-")
	by, ok := orderNames[name]
	if !ok {
		return Order{}, artwork.Errorf(artwork.InvalidInput, "a list cannot be sorted by %.64q: use name, added, updated or, for albums, year, with - before it for the other direction", text)
	}
	return Order{By: by, Descending: descending}, nil
}

// Compare returns a negative number if a comes before b in a list of this order, a
// positive one if it comes after it.
func (o Order) Compare(a, b Position) int {
	names := cmp.Or(cmp.Compare(a.SortKey, b.SortKey), cmp.Compare(a.ID.String(), b.ID.String()))
	switch {
	case o.By == ByName && o.Descending:
		return -names
	case o.Descending:
		return cmp.Or(cmp.Compare(b.Value, a.Value), names)
	default:
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Value, b.Value), names)
	}
}
