//go:build vips

package vipsrender

import "github.com/davidbyttow/govips/v2/vips"

// The names that libvips has for profiles of its own.
const (
	profileSRGB = "srgb"
	profileNone = "none"
)

// toSRGB returns the image in 8 bits of sRGB, or of grey: the same, or another that the
// caller closes too. A profile that cannot be followed is none.
func toSRGB(img *vips.ImageRef) (*vips.ImageRef, error) {
	if img.HasICCProfile() {
		if err := img.TransformICCProfileWithFallback(profileSRGB, profileNone); err != nil {
			if err := img.RemoveICCProfile(); err != nil {
				return nil, err
			}
		}
	}
	switch img.Interpretation() {
	case vips.InterpretationSRGB, vips.InterpretationBW:
		return img, nil
	case vips.InterpretationCMYK:
		return plainInks(img)
	case vips.InterpretationGrey16:
		return img, img.ToColorSpace(vips.InterpretationBW)
	default:
		return img, img.ToColorSpace(vips.InterpretationSRGB)
	}
}

// plainInks returns an image of inks in sRGB: each takes its share of what black leaves.
func plainInks(img *vips.ImageRef) (*vips.ImageRef, error) {
	if err := img.Invert(); err != nil {
		return nil, err
	}
	white, err := img.ExtractBandToImage(3, 1)
	if err != nil {
		return nil, err
	}
	defer white.Close()
	if err := img.ExtractBand(0, 3); err != nil {
		return nil, err
	}
	if err := img.Multiply(white); err != nil {
		return nil, err
	}
	const rounded = 0.5
	if err := img.Linear1(1.0/255, rounded); err != nil {
		return nil, err
	}
	if err := img.Cast(vips.BandFormatUchar); err != nil {
		return nil, err
	}
	return img.CopyChangingInterpretation(vips.InterpretationSRGB)
}

// withoutOpaqueAlpha takes away an alpha channel that hides nothing.
func withoutOpaqueAlpha(img *vips.ImageRef) error {
	if !img.HasAlpha() {
		return nil
	}
	colours := img.Bands() - 1
	alpha, err := img.ExtractBandToImage(colours, 1)
	if err != nil {
		return err
	}
	defer alpha.Close()
	mean, err := alpha.Average()
	if err != nil {
		return err
	}
	most := 255.0
	if img.BandFormat() == vips.BandFormatUshort {
		most = 65535
	}
	if mean < most {
		return nil
	}
	return img.ExtractBand(0, colours)
}
