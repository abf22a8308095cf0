package renderimage

import (
	"image"
	"math"

	"gatefold/domain/artwork"
)

// Layout is how a rendition is cut out of an image: the whole of it is scaled, and a
// part of that is shown. Both are in whole pixels, so that every renderer shows the same.
type Layout struct {
	Scaled image.Point     // the size of the whole image, no larger than it is
	Shown  image.Rectangle // the part that is shown, in pixels of Scaled
}

// LayoutOf returns the layout of a rendition of an image of the size, as it is displayed.
func LayoutOf(size image.Point, r artwork.Rendition, focal artwork.FocalPoint) Layout {
	if !r.Square {
		scaled := scaledTo(size, float64(min(r.Edge, max(size.X, size.Y)))/float64(max(size.X, size.Y)))
		return Layout{scaled, image.Rectangle{Max: scaled}}
	}
	shortest := min(size.X, size.Y)
	side := min(shortest, r.Edge)
	scaled := scaledTo(size, float64(side)/float64(shortest))
	at := image.Pt(begin(focal.X, scaled.X, side), begin(focal.Y, scaled.Y, side))
	return Layout{scaled, image.Rectangle{at, at.Add(image.Pt(side, side))}}
}

func scaledTo(size image.Point, factor float64) image.Point {
	return image.Pt(max(1, int(math.Round(float64(size.X)*factor))), max(1, int(math.Round(float64(size.Y)*factor))))
}

// begin returns where a part begins that has the fraction of the length as near to its
// middle as can be.
func begin(fraction float64, length, part int) int {
	at := int(math.Floor(fraction*float64(length) - float64(part)/2))
	return min(max(at, 0), length-part)
}

// NeedsAttention reports whether the focal point of an image of the size is to be found
// by Attention: something is cut off, and nobody has said around what.
func NeedsAttention(size image.Point, focal *artwork.FocalPoint, wanted []artwork.Rendition) bool {
	if focal != nil || size.X == size.Y {
		return false
	}
	for _, r := range wanted {
		if r.Square {
			return true
		}
	}
	return false
}

// Centre is the focal point of what has none.
var Centre = artwork.FocalPoint{X: 0.5, Y: 0.5}
