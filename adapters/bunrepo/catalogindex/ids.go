package catalogindex

import (
	"hash/maphash"

	"gatefold/domain/artwork"
)

// identifiers numbers IDs, in the order in which they are met. It is a hash table of the
// numbers alone, which takes a fifth of the memory of a map.
type identifiers struct {
	seed  maphash.Seed
	all   []artwork.ID // by number
	slots []uint32     // number + 1; 0: free. At most half of them are taken
}

func newIdentifiers() identifiers {
	return identifiers{seed: maphash.MakeSeed(), slots: make([]uint32, 1024)}
}

// number returns the number of the ID, if it has one.
func (i *identifiers) number(id artwork.ID) (n uint32, ok bool) {
	slot := i.slots[i.slotOf(id)]
	return slot - 1, slot != 0
}

// numbered returns the number of the ID, which is given one if it has none.
func (i *identifiers) numbered(id artwork.ID) uint32 {
	if n, ok := i.number(id); ok {
		return n
	}
	if 2*len(i.all) >= len(i.slots) {
		i.slots = make([]uint32, 2*len(i.slots))
		for n, known := range i.all {
			i.slots[i.slotOf(known)] = uint32(n) + 1
		}
	}
	i.all = append(i.all, id)
	n := uint32(len(i.all))
	i.slots[i.slotOf(id)] = n
	return n - 1
}

// slotOf returns the slot of the ID, or that into which it belongs.
func (i *identifiers) slotOf(id artwork.ID) uint64 {
	mask := uint64(len(i.slots) - 1)
	at := maphash.Bytes(i.seed, id[:]) & mask
	for i.slots[at] != 0 && i.all[i.slots[at]-1] != id {
		at = (at + 1) & mask
	}
	return at
}
