package conformance

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	pixels "image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/gen2brain/avif"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/picturefixture"
	"gatefold/test/ssim"
)

// RunImageRenderer runs the suite of renderimage.ImageRenderer.
func RunImageRenderer(t *testing.T, open func(TB) renderimage.ImageRenderer) {
	t.Helper()
	run(t, ImageRendererCases(), open)
}

// ImageRendererCases returns the suite of renderimage.ImageRenderer, a case per clause
// of its contract. Colours may differ by what lossy encoders change.
func ImageRendererCases() []Case[renderimage.ImageRenderer] {
	return []Case[renderimage.ImageRenderer]{
		{"the renditions that are wanted come in their order", renderInOrder},
		{"what else is wanted does not matter", renderAlone},
		{"a square has the focal point in its middle", renderFocal},
		{"without a focal point a square shows what attracts attention", renderAttention},
		{"what is not square shows the whole image", renderFit},
		{"nothing is enlarged", renderNotEnlarged},
		{"the largest square is shown of an image of any shape", renderShapes},
		{"a rendition looks like the image, scaled exactly", renderFaithful},
		{"an image is turned as Exif says", renderTurned},
		{"alpha is kept", renderAlpha},
		{"alpha lies on white in JPEG", renderOnWhite},
		{"FormatAuto is JPEG, or PNG if anything is not opaque", renderAuto},
		{"colours come out of every kind of image", renderKinds},
		{"colours of a profile become sRGB", renderProfiles},
		{"a profile that cannot be read is none", renderBadProfiles},
		{"an animation gives its first frame", renderAnimations},
		{"no metadata is left", renderStripped},
		{"truncated images are errors", renderTruncated},
		{"damaged images are errors or images", renderDamaged},
		{"bombs are ImageTooLarge", renderBombs},
		{"what is no image is UnsupportedImage", renderNoImage},
		{"an ended context ends Render", renderCancelled},
		{"the encoder is named in letters and digits", renderNamed},
	}
}

// lossless is the rendition that can be compared exactly.
func lossless(edge int, square bool) artwork.Rendition {
	return artwork.Rendition{Edge: edge, Square: square, Format: artwork.FormatPNG}
}

func rendered(t TB, renderer renderimage.ImageRenderer, content []byte, focal *artwork.FocalPoint, wanted ...artwork.Rendition) [][]byte {
	t.Helper()
	contents, err := renderer.Render(t.Context(), content, focal, wanted)
	require.NoError(t, err)
	require.Len(t, contents, len(wanted))
	return contents
}

// decoded decodes a rendition and requires that it has the format.
func decoded(t TB, content []byte, format artwork.Format) pixels.Image {
	t.Helper()
	var img pixels.Image
	var err error
	r := bytes.NewReader(content)
	switch format {
	case artwork.FormatJPEG:
		img, err = jpeg.Decode(r)
	case artwork.FormatPNG:
		img, err = png.Decode(r)
	case artwork.FormatWebP:
		img, err = picturefixture.DecodeWebP(content)
	case artwork.FormatAVIF:
		img, err = avif.Decode(r)
	case artwork.FormatAuto:
		img, _, err = pixels.Decode(r)
	}
	require.NoError(t, err, format)
	return img
}

// requireColour requires that a pixel, given in fractions, has about the colour.
func requireColour(t TB, want color.NRGBA, img pixels.Image, x, y float64, what any) {
	t.Helper()
	b := img.Bounds()
	at := pixels.Pt(b.Min.X+int(x*float64(b.Dx())), b.Min.Y+int(y*float64(b.Dy())))
	got, _ := color.NRGBAModel.Convert(img.At(at.X, at.Y)).(color.NRGBA)
	const tolerance = 32
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= tolerance }
	same := near(want.R, got.R) && near(want.G, got.G) && near(want.B, got.B) || want.A == 0
	require.True(t, same && near(want.A, got.A), "%v: %v instead of %v at %v", what, got, want, at)
}

// requireQuarters requires the four colours of quarters.
func requireQuarters(t TB, img pixels.Image, what any, colours ...color.NRGBA) {
	t.Helper()
	for i, c := range colours {
		requireColour(t, c, img, 0.25+0.5*float64(i%2), 0.25+0.5*float64(i/2), what)
	}
}

func renderInOrder(t TB, open func(TB) renderimage.ImageRenderer) {
	var wanted []artwork.Rendition
	for _, format := range []artwork.Format{artwork.FormatPNG, artwork.FormatAVIF, artwork.FormatJPEG, artwork.FormatWebP} {
		wanted = append(wanted, artwork.Rendition{Edge: 40, Square: true, Format: format}, artwork.Rendition{Edge: 70, Format: format})
	}
	contents := rendered(t, open(t), picturefixture.EncodedPNG(picturefixture.Quarters(160, 80)), nil, wanted...)
	for i, rendition := range wanted {
		img := decoded(t, contents[i], rendition.Format)
		size := pixels.Pt(40, 40)
		if !rendition.Square {
			size = pixels.Pt(70, 35)
		}
		require.Equal(t, size, img.Bounds().Size(), rendition)
		requireQuarters(t, img, rendition, picturefixture.Red, picturefixture.Green, picturefixture.Blue, picturefixture.Yellow)
	}
}

func renderAlone(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for _, content := range [][]byte{picturefixture.EncodedJPEG(picturefixture.Photo(701, 503)), picturefixture.EncodedPNG(picturefixture.Photo(333, 512))} {
		wanted := artwork.Presets(artwork.SlotProfile, artwork.FormatAuto)
		wanted = append(wanted, artwork.Presets(artwork.SlotLogo, artwork.FormatWebP)...)
		together := rendered(t, renderer, content, &artwork.FocalPoint{X: 0.3, Y: 0.6}, wanted...)
		for i, rendition := range wanted {
			alone := rendered(t, renderer, content, &artwork.FocalPoint{X: 0.3, Y: 0.6}, rendition)
			require.True(t, bytes.Equal(alone[0], together[i]), "%s: other bytes than with others", rendition)
		}
	}
}

func renderFocal(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	wide, tall := picturefixture.EncodedPNG(picturefixture.Stripes(300, 100, false)), picturefixture.EncodedPNG(picturefixture.Stripes(100, 300, true))
	for focal, want := range map[artwork.FocalPoint]color.NRGBA{
		{X: 0, Y: 0}: picturefixture.Red, {X: 0.17, Y: 0.1}: picturefixture.Red, {X: 0.5, Y: 0.5}: picturefixture.Green, {X: 1, Y: 1}: picturefixture.Blue, {X: 0.84, Y: 0.9}: picturefixture.Blue,
	} {
		requireColour(t, want, decoded(t, rendered(t, renderer, wide, &focal, lossless(50, true))[0], artwork.FormatPNG), 0.5, 0.5, focal)
		turned := artwork.FocalPoint{X: focal.Y, Y: focal.X}
		requireColour(t, want, decoded(t, rendered(t, renderer, tall, &turned, lossless(50, true))[0], artwork.FormatPNG), 0.5, 0.5, turned)
	}
	// The point is one of the image as it is displayed: turned by 6, a wide image is tall.
	turned := picturefixture.WithExif(picturefixture.EncodedJPEG(picturefixture.Stripes(300, 100, false)), 6)
	top := rendered(t, renderer, turned, &artwork.FocalPoint{X: 0.5, Y: 0}, lossless(50, true))
	requireColour(t, picturefixture.Red, decoded(t, top[0], artwork.FormatPNG), 0.5, 0.5, "turned")
}

func renderAttention(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	wanted := []artwork.Rendition{lossless(50, true), lossless(90, true), {Edge: 40, Square: true, Format: artwork.FormatJPEG}}
	for name, source := range map[string]pixels.Image{"a face": picturefixture.Face(600, 200, 0.2), "one in the middle": picturefixture.Face(600, 200, 0.5), "a wide one": picturefixture.Face(640, 200, 0.85)} {
		for _, content := range [][]byte{
			picturefixture.EncodedJPEG(source), picturefixture.EncodedPNG(source),
			picturefixture.WithExif(picturefixture.EncodedJPEG(source), 6), picturefixture.WithExif(picturefixture.EncodedJPEG(source), 3),
		} {
			for i, content := range rendered(t, renderer, content, nil, wanted...) {
				requireColour(t, picturefixture.Skin, decoded(t, content, wanted[i].Format), 0.5, 0.5, name)
			}
		}
	}
}

// faithful is how alike a rendition and the image scaled exactly have to look: what a
// good eye hardly notices. Chroma of half the size costs some of it.
const faithful = 0.96

func renderFaithful(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for _, size := range []pixels.Point{{801, 533}, {333, 512}} {
		source := picturefixture.Photo(size.X, size.Y)
		focal := artwork.FocalPoint{X: 0.3, Y: 0.6}
		contents := map[string][]byte{"JPEG": picturefixture.EncodedJPEG(source), "PNG": picturefixture.EncodedPNG(source)}
		if size.X < 500 {
			contents["WebP"] = picturefixture.EncodedWebP(source)
		}
		for name, content := range contents {
			for _, r := range []artwork.Rendition{lossless(400, true), lossless(200, false), lossless(61, true)} {
				got := decoded(t, rendered(t, renderer, content, &focal, r)[0], artwork.FormatPNG)
				similarity, err := ssim.Of(exact(source, renderimage.LayoutOf(size, r, focal)), got)
				require.NoError(t, err)
				require.Greater(t, similarity, faithful, "%s of %v as %s", name, size, r)
			}
		}
	}
}

// exact returns what is shown of an image, by a scaler that takes its time.
func exact(source pixels.Image, layout renderimage.Layout) pixels.Image {
	whole := pixels.NewRGBA(pixels.Rectangle{Max: layout.Scaled})
	draw.CatmullRom.Scale(whole, whole.Rect, source, source.Bounds(), draw.Src, nil)
	return whole.SubImage(layout.Shown)
}

func renderFit(t TB, open func(TB) renderimage.ImageRenderer) {
	contents := rendered(t, open(t), picturefixture.EncodedPNG(picturefixture.Stripes(300, 100, false)), &artwork.FocalPoint{}, lossless(150, false))
	img := decoded(t, contents[0], artwork.FormatPNG)
	require.Equal(t, pixels.Pt(150, 50), img.Bounds().Size())
	for i, want := range []color.NRGBA{picturefixture.Red, picturefixture.Green, picturefixture.Blue} {
		requireColour(t, want, img, 0.17+0.33*float64(i), 0.5, i)
	}
}

func renderNotEnlarged(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	src := picturefixture.Photo(60, 41)
	contents := rendered(t, renderer, picturefixture.EncodedPNG(src), nil, lossless(200, true), lossless(200, false))
	square, whole := decoded(t, contents[0], artwork.FormatPNG), decoded(t, contents[1], artwork.FormatPNG)
	require.Equal(t, pixels.Pt(41, 41), square.Bounds().Size())
	require.Equal(t, pixels.Pt(60, 41), whole.Bounds().Size())
	for y := range 41 {
		for x := range 60 {
			require.Equal(t, src.At(x, y), color.RGBAModel.Convert(whole.At(x, y)), "what is not scaled stays as it is")
		}
	}
	require.Equal(t, src.At(9+20, 20), color.RGBAModel.Convert(square.At(20, 20)))
}

func renderShapes(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for _, size := range []pixels.Point{{1, 1}, {1, 8000}, {8000, 1}, {2, 3}, {3, 2}, {17, 31}, {201, 199}, {401, 1203}, {999, 1001}, {1201, 1201}} {
		for name, content := range map[string][]byte{"JPEG": picturefixture.EncodedJPEG(picturefixture.Quarters(size.X, size.Y)), "PNG": picturefixture.EncodedPNG(picturefixture.Quarters(size.X, size.Y))} {
			contents := rendered(t, renderer, content, nil, lossless(200, true), lossless(200, false))
			side := min(size.X, size.Y, 200)
			require.Equal(t, pixels.Pt(side, side), decoded(t, contents[0], artwork.FormatPNG).Bounds().Size(), "%s %v", name, size)
			img := decoded(t, contents[1], artwork.FormatPNG)
			got := img.Bounds().Size()
			require.LessOrEqual(t, max(got.X, got.Y), 200, "%s %v", name, size)
			require.GreaterOrEqual(t, min(got.X, got.Y), 1, "%s %v", name, size)
			require.Equal(t, min(200, max(size.X, size.Y)), max(got.X, got.Y), "%s %v", name, size)
			if min(got.X, got.Y) >= 16 {
				requireQuarters(t, img, fmt.Sprint(name, size), picturefixture.Red, picturefixture.Green, picturefixture.Blue, picturefixture.Yellow)
			}
		}
	}
}

func renderTurned(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for number, want := range map[int][]color.NRGBA{
		1: {picturefixture.Red, picturefixture.Green, picturefixture.Blue, picturefixture.Yellow}, 2: {picturefixture.Green, picturefixture.Red, picturefixture.Yellow, picturefixture.Blue}, 3: {picturefixture.Yellow, picturefixture.Blue, picturefixture.Green, picturefixture.Red}, 4: {picturefixture.Blue, picturefixture.Yellow, picturefixture.Red, picturefixture.Green},
		5: {picturefixture.Red, picturefixture.Blue, picturefixture.Green, picturefixture.Yellow}, 6: {picturefixture.Blue, picturefixture.Red, picturefixture.Yellow, picturefixture.Green}, 7: {picturefixture.Yellow, picturefixture.Green, picturefixture.Blue, picturefixture.Red}, 8: {picturefixture.Green, picturefixture.Yellow, picturefixture.Red, picturefixture.Blue},
	} {
		content := picturefixture.WithExif(picturefixture.EncodedJPEG(picturefixture.Quarters(160, 81)), number)
		contents := rendered(t, renderer, content, nil, lossless(80, false), lossless(50, true))
		size := pixels.Pt(80, 41)
		if number >= 5 {
			size = pixels.Pt(41, 80)
		}
		fit := decoded(t, contents[0], artwork.FormatPNG)
		require.Equal(t, size, fit.Bounds().Size(), number)
		requireQuarters(t, fit, number, want...)
		requireQuarters(t, decoded(t, contents[1], artwork.FormatPNG), number, want...)
	}
}

func renderAlpha(t TB, open func(TB) renderimage.ImageRenderer) {
	content := picturefixture.EncodedPNG(picturefixture.Glass(200, 200))
	for _, format := range []artwork.Format{artwork.FormatPNG, artwork.FormatWebP, artwork.FormatAVIF, artwork.FormatAuto} {
		contents := rendered(t, open(t), content, nil, artwork.Rendition{Edge: 60, Format: format})
		img := decoded(t, contents[0], format)
		requireQuarters(t, img, format, picturefixture.Red, picturefixture.Half(picturefixture.Green), picturefixture.Half(picturefixture.Blue), picturefixture.Nothing)
		require.NotEqual(t, color.NRGBA{}, img.At(15, 15))
	}
}

func renderOnWhite(t TB, open func(TB) renderimage.ImageRenderer) {
	contents := rendered(t, open(t), picturefixture.EncodedPNG(picturefixture.Glass(200, 200)), nil, artwork.Rendition{Edge: 60, Format: artwork.FormatJPEG})
	requireQuarters(t, decoded(t, contents[0], artwork.FormatJPEG), "on white", picturefixture.Red,
		color.NRGBA{128, 255, 128, 255}, color.NRGBA{128, 128, 255, 255}, color.NRGBA{255, 255, 255, 255})
}

func renderAuto(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	wanted := artwork.Rendition{Edge: 60, Square: true, Format: artwork.FormatAuto}
	for name, content := range map[string][]byte{
		"an opaque JPEG": picturefixture.EncodedJPEG(picturefixture.Quarters(80, 80)), "an opaque PNG": picturefixture.EncodedPNG(picturefixture.OpaqueNRGBA(80, 80)), "an opaque GIF": picturefixture.EncodedGIF(picturefixture.Quarters(80, 80)),
	} {
		decoded(t, rendered(t, renderer, content, nil, wanted)[0], artwork.FormatJPEG)
		_ = name
	}
	for name, content := range map[string][]byte{
		"a PNG": picturefixture.EncodedPNG(picturefixture.Glass(80, 80)), "a WebP": picturefixture.EncodedWebP(picturefixture.Glass(80, 80)), "an AVIF": picturefixture.EncodedAVIF(picturefixture.Glass(80, 80)),
	} {
		img := decoded(t, rendered(t, renderer, content, nil, wanted)[0], artwork.FormatPNG)
		requireQuarters(t, img, name, picturefixture.Red, picturefixture.Half(picturefixture.Green), picturefixture.Half(picturefixture.Blue), picturefixture.Nothing)
	}
}

func renderKinds(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for name, sample := range picturefixture.Samples() {
		contents := rendered(t, renderer, sample.Content, nil, lossless(16, false), artwork.Rendition{Edge: 48, Format: artwork.FormatJPEG})
		requireQuarters(t, decoded(t, contents[0], artwork.FormatPNG), name, sample.Quarters[:]...)
		requireQuarters(t, decoded(t, contents[1], artwork.FormatJPEG), name, sample.Quarters[:]...)
	}
}

func renderProfiles(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for name, p := range map[string]struct {
		profile []byte
		red     color.NRGBA // that is sRGB's (255, 0, 0)
	}{
		"Display P3": {picturefixture.DisplayP3(), color.NRGBA{234, 51, 35, 255}},
		"Adobe RGB":  {picturefixture.AdobeRGB(), color.NRGBA{219, 0, 0, 255}},
		"sRGB":       {picturefixture.SRGB(), picturefixture.Red},
	} {
		src := picturefixture.Filled(80, 80, p.red)
		for format, content := range map[string][]byte{"JPEG": picturefixture.WithICC(picturefixture.EncodedJPEG(src), p.profile), "PNG": picturefixture.PNGWithICC(picturefixture.EncodedPNG(src), p.profile)} {
			for _, wanted := range []artwork.Format{artwork.FormatPNG, artwork.FormatJPEG, artwork.FormatWebP} {
				contents := rendered(t, renderer, content, nil, artwork.Rendition{Edge: 40, Format: wanted})
				requireColour(t, picturefixture.Red, decoded(t, contents[0], wanted), 0.5, 0.5, name+" "+format)
			}
		}
	}
	veiled := picturefixture.PNGWithICC(picturefixture.EncodedPNG(picturefixture.Filled(80, 80, color.NRGBA{219, 0, 0, 128})), picturefixture.AdobeRGB())
	contents := rendered(t, renderer, veiled, nil, lossless(40, false))
	requireColour(t, picturefixture.Half(picturefixture.Red), decoded(t, contents[0], artwork.FormatPNG), 0.5, 0.5, "with alpha")
}

func renderBadProfiles(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		profile := bytes.Clone(picturefixture.DisplayP3())
		if i%2 == 0 {
			profile = profile[:len(profile)*i/60]
		}
		for range 1 + i {
			if len(profile) > 0 {
				profile[random.IntN(len(profile))] = byte(random.Uint32())
			}
		}
		rendered(t, renderer, picturefixture.WithICC(picturefixture.EncodedJPEG(picturefixture.Quarters(16, 16)), profile), nil, lossless(8, false))
	}
	contents := rendered(t, renderer, picturefixture.WithICC(picturefixture.EncodedJPEG(picturefixture.Quarters(80, 80)), []byte("no profile")), nil, lossless(40, false))
	requireQuarters(t, decoded(t, contents[0], artwork.FormatPNG), "no profile", picturefixture.Red, picturefixture.Green, picturefixture.Blue, picturefixture.Yellow)
}

func renderAnimations(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for name, content := range map[string][]byte{"GIF": picturefixture.AnimatedGIF(), "WebP": picturefixture.AnimatedWebP()} {
		contents := rendered(t, renderer, content, nil, lossless(40, false), artwork.Rendition{Edge: 40, Square: true, Format: artwork.FormatAuto})
		img := decoded(t, contents[0], artwork.FormatPNG)
		require.Equal(t, pixels.Pt(40, 20), img.Bounds().Size(), name)
		requireQuarters(t, img, name, picturefixture.Red, picturefixture.Green, picturefixture.Blue, picturefixture.Yellow)
	}
}

func renderStripped(t TB, open func(TB) renderimage.ImageRenderer) {
	content := picturefixture.WithICC(picturefixture.WithExif(picturefixture.EncodedJPEG(picturefixture.Quarters(80, 80)), 1), picturefixture.SRGB())
	for _, format := range []artwork.Format{artwork.FormatAuto, artwork.FormatJPEG, artwork.FormatPNG, artwork.FormatWebP, artwork.FormatAVIF} {
		contents := rendered(t, open(t), content, nil, artwork.Rendition{Edge: 200, Format: format})
		for _, mark := range []string{"Exif", "EXIF", "eXIf", "ICC_PROFILE", "iCCP", "ICCP", "XMP", "acsp", "MM\x00*"} {
			require.NotContains(t, string(contents[0]), mark, format)
		}
	}
}

// requireSound requires that content is rendered or refused as an image that is not
// right.
func requireSound(t TB, renderer renderimage.ImageRenderer, content []byte, what any) (refused bool) {
	t.Helper()
	_, err := renderer.Render(t.Context(), content, nil, []artwork.Rendition{{Edge: 8, Square: true, Format: artwork.FormatAuto}})
	switch kind := artwork.KindOf(err); {
	case err == nil:
		return false
	case kind == artwork.CorruptImage, kind == artwork.UnsupportedImage, kind == artwork.ImageTooLarge:
		return true
	default:
		require.NoError(t, err, what)
		return true
	}
}

func renderTruncated(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for name, content := range picturefixture.HostileSamples() {
		for sixteenth := range 16 {
			cut := content[:len(content)*sixteenth/16]
			require.True(t, requireSound(t, renderer, cut, name), "%s cut after %d/16", name, sixteenth)
		}
	}
}

// flips is how many damaged copies of each format are tried.
var flips = flag.Int("renderer.flips", 100, "how many damaged copies of each format are tried")

func renderDamaged(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for name, content := range picturefixture.HostileSamples() {
		random := rand.New(rand.NewPCG(7, uint64(len(name))))
		for i := range *flips {
			damaged := bytes.Clone(content)
			for range 1 + i%8 {
				damaged[random.IntN(len(damaged))] ^= byte(1 + random.IntN(255))
			}
			requireSound(t, renderer, damaged, fmt.Sprint(name, i))
		}
	}
}

func renderBombs(t TB, open func(TB) renderimage.ImageRenderer) {
	renderer := open(t)
	for name, content := range picturefixture.Bombs() {
		_, err := renderer.Render(t.Context(), content, nil, []artwork.Rendition{lossless(8, true)})
		require.Equal(t, artwork.ImageTooLarge, artwork.KindOf(err), "%s: %v", name, err)
	}
}

func renderNoImage(t TB, open func(TB) renderimage.ImageRenderer) {
	for _, content := range []string{"", "GIF", "<svg xmlns='http://www.w3.org/2000/svg'/>", "%PDF-1.7", "nothing at all"} {
		_, err := open(t).Render(t.Context(), []byte(content), nil, []artwork.Rendition{lossless(8, true)})
		require.Equal(t, artwork.UnsupportedImage, artwork.KindOf(err), "%q: %v", content, err)
	}
}

func renderCancelled(t TB, open func(TB) renderimage.ImageRenderer) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(t).Render(ctx, picturefixture.EncodedPNG(picturefixture.Quarters(80, 80)), nil, []artwork.Rendition{lossless(8, true)})
	require.ErrorIs(t, err, context.Canceled)
}

func renderNamed(t TB, open func(TB) renderimage.ImageRenderer) {
	require.Regexp(t, regexp.MustCompile(`^[a-z0-9]+$`), open(t).Encoder())
}
