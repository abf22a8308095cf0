package imagecheck

import (
	"errors"
	"image"
	"io"
)

// primaryItem reads a pitm box.
func primaryItem(data []byte) uint32 {
	r := fields{data: data}
	version := r.next(4) >> 24
	return uint32(r.next(idSize(version > 0)))
}

// idSize returns the bytes that the number of an item takes.
func idSize(long bool) int {
	if long {
		return 4
	}
	return 2
}

// associations reads which properties, counted from 1, an ipma box gives to the
// item.
func associations(data []byte, item uint32) []int {
	r := fields{data: data}
	versionAndFlags := r.next(4)
	indexSize := 1 + int(versionAndFlags&1)
	count := r.next(4)
	for ; count > 0 && !r.failed; count-- {
		id := r.next(idSize(versionAndFlags>>24 > 0))
		var indexes []int
		for n := r.next(1); n > 0; n-- {
			// The first bit says that the property is essential.
			indexes = append(indexes, int(r.next(indexSize))&(1<<(8*indexSize-1)-1))
		}
		if id == uint64(item) && !r.failed {
			return indexes
		}
	}
	return nil
}

// itemsFactor is how many times the accepted pixels the images in one file may
// have together: colours, transparency, a thumbnail, and room for the tiles of
// a grid to reach over its edge.
const itemsFactor = 4

var errTooManyPixels = errors.New("avif: too many images in one")

// codedSize returns the size of the largest of the images in the file, as their
// compressed data tells: the decoder scales them to whatever the file declares.
func codedSize(content []byte) (image.Point, error) {
	meta := inBox(content, "meta", 4)
	isImage := itemsOf(inBox(meta, "iinf", 0), "av01")
	source := itemSource{content, inBox(meta, "idat", 0), 2 * len(content)}
	var largest image.Point
	total := 0
	err := eachItem(inBox(meta, "iloc", 0), func(id uint64, extents []extent) error {
		if !isImage[id] {
			return nil
		}
		data, err := source.gather(extents)
		if err != nil {
			return err
		}
		size, err := sizeOfAV1(data)
		if err != nil {
			return err
		}
		total += size.X * size.Y
		largest = image.Pt(max(largest.X, size.X), max(largest.Y, size.Y))
		return nil
	})
	if err == nil && total > itemsFactor*MaxPixelsAVIF && largest.X*largest.Y <= MaxPixelsAVIF {
		err = errTooManyPixels
	}
	return largest, err
}

// itemsOf reads from an iinf box which items are of a type.
func itemsOf(data []byte, kind string) map[uint64]bool {
	r := fields{data: data}
	if version := r.next(4) >> 24; version > 0 {
		r.next(4)
	} else {
		r.next(2)
	}
	entries, err := boxesOf(r.data)
	if err != nil {
		return nil
	}
	items := map[uint64]bool{}
	for _, entry := range entries {
		e := fields{data: entry.data}
		version := e.next(4) >> 24
		id := e.next(idSize(version > 2))
		e.next(2) // protection
		if len(e.data) >= 4 && string(e.data[:4]) == kind {
			items[id] = true
		}
	}
	return items
}

// extent is a part of an item's data.
type extent struct {
	inItemData     bool // in the idat box, not in the file
	offset, length uint64
}

// eachItem reads an iloc box.
func eachItem(data []byte, visit func(id uint64, extents []extent) error) error {
	r := fields{data: data}
	version := r.next(4) >> 24
	sizes := r.next(2)
	offsetSize, lengthSize, baseSize := int(sizes>>12), int(sizes>>8&15), int(sizes>>4&15)
	indexSize := 0
	if version > 0 {
		indexSize = int(sizes & 15)
	}
	for n := r.next(idSize(version > 1)); n > 0 && !r.failed; n-- {
		id := r.next(idSize(version > 1))
		inItemData := version > 0 && r.next(2)&15 == 1
		r.next(2) // where the data is: always this file
		base := r.next(baseSize)
		var extents []extent
		for m := r.next(2); m > 0 && !r.failed; m-- {
			r.next(indexSize)
			extents = append(extents, extent{inItemData, base + r.next(offsetSize), r.next(lengthSize)})
		}
		if r.failed {
			break
		}
		if err := visit(id, extents); err != nil {
			return err
		}
	}
	if r.failed {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// itemSource is where the data of items comes from.
type itemSource struct {
	file, itemData []byte
	left           int // bytes; no file says the same many times over
}

// gather returns an item's data.
func (s *itemSource) gather(extents []extent) ([]byte, error) {
	var gathered []byte
	for _, e := range extents {
		from := s.file
		if e.inItemData {
			from = s.itemData
		}
		size := uint64(len(from))
		if e.offset > size || e.length > size-e.offset {
			return nil, io.ErrUnexpectedEOF
		}
		if e.length == 0 { // up to the end
			e.length = size - e.offset
		}
		if s.left -= int(e.length); s.left < 0 {
			return nil, errNoBoxes
		}
		gathered = append(gathered, from[e.offset:e.offset+e.length]...)
	}
	return gathered, nil
}

// fields reads big-endian numbers one after the other.
type fields struct {
	data   []byte
	failed bool
}

func (f *fields) next(size int) (n uint64) {
	if len(f.data) < size {
		f.failed, f.data = true, nil
		return 0
	}
	for _, b := range f.data[:size] {
		n = n<<8 | uint64(b)
	}
	f.data = f.data[size:]
	return n
}
