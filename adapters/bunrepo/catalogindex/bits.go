package catalogindex

import "math/bits"

// set is a set of numbers: one bit for each.
type set []uint64

func newSet(size int) set { return make(set, (size+63)/64) }

func (s set) add(n uint32)      { s[n/64] |= 1 << (n % 64) }
func (s set) remove(n uint32)   { s[n/64] &^= 1 << (n % 64) }
func (s set) has(n uint32) bool { return s[n/64]&(1<<(n%64)) != 0 }

// grown returns the set with place for so many numbers.
func (s set) grown(size int) set {
	for len(s) < (size+63)/64 {
		s = append(s, 0)
	}
	return s
}

// keep removes what is not in the other set, which has the same size.
func (s set) keep(other set) {
	for i := range s {
		s[i] &= other[i]
	}
}

func (s set) count() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// each calls the function with every number of the set, in order.
func (s set) each(do func(n uint32)) {
	for i, word := range s {
		for word != 0 {
			do(uint32(i*64 + bits.TrailingZeros64(word)))
			word &= word - 1
		}
	}
}
