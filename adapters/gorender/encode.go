package gorender

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"github.com/gen2brain/avif"
	"github.com/gen2brain/webp"

	"gatefold/domain/artwork"
)

// How well is encoded. The efforts are those beyond which bytes shrink by a few per
// cent and time grows several times.
const (
	qualityJPEG = 80
	qualityWebP = 80
	effortWebP  = 2
	qualityAVIF = 60
	speedAVIF   = 9
)

// encode returns the raster in the format, with no metadata.
func encode(r raster, format artwork.Format) ([]byte, error) {
	var out bytes.Buffer
	var err error
	switch format {
	case artwork.FormatAuto:
		if r.model == rgbPA {
			return encode(r, artwork.FormatPNG)
		}
		return encode(r, artwork.FormatJPEG)
	case artwork.FormatJPEG:
		err = jpeg.Encode(&out, r.opaque(), &jpeg.Options{Quality: qualityJPEG})
	case artwork.FormatPNG:
		err = png.Encode(&out, r.lossless())
	case artwork.FormatWebP:
		err = webp.Encode(&out, r.nrgba(), webp.Options{Quality: qualityWebP, Method: effortWebP})
	case artwork.FormatAVIF:
		err = avif.Encode(&out, r.nrgba(), avif.Options{
			Quality: qualityAVIF, QualityAlpha: qualityAVIF, Speed: speedAVIF, ChromaSubsampling: image.YCbCrSubsampleRatio420,
		})
	default:
		err = fmt.Errorf("there is no format %d", format)
	}
	return out.Bytes(), err
}

// lossless returns the raster as image/png encodes it best.
func (r raster) lossless() image.Image {
	if r.model == grey {
		return r.opaque()
	}
	return r.nrgba()
}
