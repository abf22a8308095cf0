//go:build vips

package vipsrender

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/davidbyttow/govips/v2/vips"

	"gatefold/domain/artwork"
)

// How well is encoded. The efforts are those beyond which bytes shrink by a few per
// cent and time grows several times; of AVIF, effort 0 is slower than 1.
const (
	qualityJPEG = 80
	qualityWebP = 80
	effortWebP  = 4
	qualityAVIF = 60
	effortAVIF  = 1
	levelPNG    = 4
)

// encode returns the image in the format, with no metadata.
func encode(img *vips.ImageRef, format artwork.Format) (content []byte, err error) {
	switch format {
	case artwork.FormatAuto:
		if img.HasAlpha() {
			return encode(img, artwork.FormatPNG)
		}
		return encode(img, artwork.FormatJPEG)
	case artwork.FormatJPEG:
		return encodeJPEG(img)
	case artwork.FormatPNG:
		content, _, err = img.ExportPng(&vips.PngExportParams{StripMetadata: true, Compression: levelPNG, Filter: vips.PngFilterAll})
	case artwork.FormatWebP:
		return encodeWebP(img)
	case artwork.FormatAVIF:
		return encodeAVIF(img)
	default:
		err = fmt.Errorf("there is no format %d", format)
	}
	return content, err
}

// encodeJPEG encodes progressively, with chroma of half the size; what is transparent
// lies on white.
func encodeJPEG(img *vips.ImageRef) ([]byte, error) {
	if img.HasAlpha() {
		if err := img.Flatten(&vips.Color{R: 255, G: 255, B: 255}); err != nil {
			return nil, err
		}
	}
	content, _, err := img.ExportJpeg(&vips.JpegExportParams{
		StripMetadata: true, Quality: qualityJPEG, Interlace: true, OptimizeCoding: true, SubsampleMode: vips.VipsForeignSubsampleAuto,
	})
	return content, err
}

func encodeWebP(img *vips.ImageRef) ([]byte, error) {
	content, _, err := img.ExportWebp(&vips.WebpExportParams{StripMetadata: true, Quality: qualityWebP, ReductionEffort: effortWebP})
	if err != nil {
		return nil, err
	}
	return bareWebP(content)
}

// bareWebP leaves only the pixels of a WebP: libvips 8.14 adds Exif, although it is told
// to strip it.
func bareWebP(content []byte) ([]byte, error) {
	const header, chunkHeader = 12, 8
	bare := append(make([]byte, 0, len(content)), content[:min(header, len(content))]...)
	for rest := content[len(bare):]; len(rest) > 0; {
		if len(rest) < chunkHeader {
			return nil, errWebP
		}
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		size += chunkHeader + size%2
		if size > uint64(len(rest)) {
			return nil, errWebP
		}
		switch string(rest[:4]) {
		case "VP8X":
			bare = append(bare, rest[:size]...)
			bare[header+chunkHeader] &= 1 << 4 // of what it announces, alpha is left
		case "ALPH", "VP8 ", "VP8L":
			bare = append(bare, rest[:size]...)
		}
		rest = rest[size:]
	}
	binary.LittleEndian.PutUint32(bare[4:], uint32(len(bare)-chunkHeader))
	return bare, nil
}

var errWebP = errors.New("the encoder made no WebP")

func encodeAVIF(img *vips.ImageRef) ([]byte, error) {
	content, _, err := img.ExportAvif(&vips.AvifExportParams{StripMetadata: true, Quality: qualityAVIF, Bitdepth: 8, Effort: effortAVIF})
	return content, err
}
