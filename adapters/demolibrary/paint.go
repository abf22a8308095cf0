package demolibrary

import (
	"hash/fnv"
	"image"

	"gatefold/domain/artwork"
)

// DemoLabel is written on every picture that Paint paints.
const DemoLabel = "Demo picture"

// Paint paints an invented picture for a slot, labelled as one. The same seed gives
// the same picture in every size. Squares are painted for profiles, avatars and covers,
// whatever the height.
func Paint(slot artwork.Slot, seed string, width, height int) image.Image {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(seed)) // never fails, see hash.Hash
	choice := sum.Sum64()
	moods := []palette{ember, lagoon, moss, berry, desert, olive}
	mood := moods[choice%uint64(len(moods))]
	choice /= uint64(len(moods))
	switch slot {
	case artwork.SlotCover:
		motifs := []motif{sunset, rainbow, tiles, waves, peaks, halftone, tunnel, contours, arcs, city, petals, sails, spectrum}
		return cover(DemoLabel, "of a record that nobody made", motifs[choice%uint64(len(motifs))], mood, width)
	case artwork.SlotBackground:
		return labelled(backdrop(seed, mood, width, height), mood)
	case artwork.SlotBanner:
		return banner(DemoLabel, mood, width, height)
	case artwork.SlotLogo:
		return logo(DemoLabel, mood, width, height)
	default:
		return labelled(portrait(seed, 1+int(choice%4), mood, width), mood)
	}
}

// labelled writes at the foot of a picture what it is.
func labelled(c *canvas, p palette) *canvas {
	c.write(text{words: DemoLabel, weight: regular, size: 0.038, width: 1, ink: p.light}, 0.065, 0.9)
	return c
}
