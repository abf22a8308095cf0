package importlibrary

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"gatefold/domain/artwork"
)

func compareIDs(a, b artwork.ID) int { return bytes.Compare(a[:], b[:]) }

func comparePlaces(a, b artwork.Place) int {
	return cmp.Or(cmp.Compare(a.Subject.Kind, b.Subject.Kind), compareIDs(a.Subject.ID, b.Subject.ID), cmp.Compare(a.Slot, b.Slot))
}

func sortedPlaces[V any](m map[artwork.Place]V) []artwork.Place {
	return slices.SortedFunc(maps.Keys(m), comparePlaces)
}

// unique returns the values without duplicates, in the order of their first
// occurrence.
func unique[T comparable](values []T) []T {
	seen := make(map[T]struct{}, len(values))
	return slices.DeleteFunc(values, func(v T) bool {
		if _, dup := seen[v]; dup {
			return true
		}
		seen[v] = struct{}{}
		return false
	})
}
