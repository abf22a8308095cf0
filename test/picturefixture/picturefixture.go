// Package picturefixture makes pictures for tests: of every kind that is accepted, with
// colours that can be told apart.
package picturefixture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	"github.com/gen2brain/avif"
	"github.com/gen2brain/webp"
	xwebp "golang.org/x/image/webp"
)

// The colours that quarters have.
var (
	Red     = color.NRGBA{255, 0, 0, 255}
	Green   = color.NRGBA{0, 255, 0, 255}
	Blue    = color.NRGBA{0, 0, 255, 255}
	Yellow  = color.NRGBA{255, 255, 0, 255}
	Nothing = color.NRGBA{}
)

// Half returns the colour half transparent.
func Half(c color.NRGBA) color.NRGBA { return color.NRGBA{c.R, c.G, c.B, 128} }

// must is for what cannot fail but by a defect of the samples.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// painted returns an image with the colours of a function of fractions.
func painted(w, h int, at func(x, y float64) color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, at((float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)))
		}
	}
	return img
}

func quarter(x, y float64) int { return int(x*2) + 2*int(y*2) }

// Quarters is Red, Green, Blue and Yellow.
func Quarters(w, h int) image.Image { return opaque(OpaqueNRGBA(w, h)) }

// OpaqueNRGBA is Quarters in a type of image that could be transparent.
func OpaqueNRGBA(w, h int) *image.NRGBA {
	return painted(w, h, func(x, y float64) color.NRGBA { return [4]color.NRGBA{Red, Green, Blue, Yellow}[quarter(x, y)] })
}

// Glass is Red, Half Green, Half Blue, and Nothing.
func Glass(w, h int) image.Image {
	return painted(w, h, func(x, y float64) color.NRGBA {
		return [4]color.NRGBA{Red, Half(Green), Half(Blue), Nothing}[quarter(x, y)]
	})
}

// Stripes is Red, Green and Blue, side by side or one below the other.
func Stripes(w, h int, below bool) image.Image {
	return painted(w, h, func(x, y float64) color.NRGBA {
		if below {
			x = y
		}
		return [3]color.NRGBA{Red, Green, Blue}[int(x*3)]
	})
}

// Filled has one colour.
func Filled(w, h int, c color.NRGBA) image.Image {
	return painted(w, h, func(float64, float64) color.NRGBA { return c })
}

// Photo has gradients, edges and texture.
func Photo(w, h int) image.Image {
	return opaque(painted(w, h, func(x, y float64) color.NRGBA {
		wave := math.Sin(x*23)*math.Cos(y*17) + 0.3*math.Sin(x*y*140)
		if math.Hypot(x-0.6, y-0.4) < 0.2 {
			wave = -wave
		}
		level := func(v float64) uint8 { return uint8(min(max(v, 0), 255)) }
		return color.NRGBA{level(128 + 80*wave), level(90 + 110*x), level(100 + 90*y*wave), 255}
	}))
}

// Skin is the colour of faces.
var Skin = color.NRGBA{224, 172, 140, 255}

// Face has a face at a fraction of its width, before a wall.
func Face(w, h int, at float64) image.Image {
	return opaque(painted(w, h, func(x, y float64) color.NRGBA {
		across, down := (x-at)*float64(w)/float64(h), y-0.45
		switch distance := math.Hypot(across*1.3, down); {
		case math.Hypot(math.Abs(across)-0.1, down+0.1) < 0.03, math.Hypot(across, (down-0.17)*4) < 0.08: // eyes and mouth
			return color.NRGBA{60, 30, 30, 255}
		case distance < 0.3:
			return Skin
		case distance < 0.38 && down < 0.1: // hair
			return color.NRGBA{70, 45, 25, 255}
		}
		return color.NRGBA{110, 118, uint8(125 + 15*x), 255}
	}))
}

func opaque(img *image.NRGBA) *image.RGBA {
	out := image.NewRGBA(img.Rect)
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

// EncodedPNG returns the image as PNG.
func EncodedPNG(img image.Image) []byte {
	var out bytes.Buffer
	must(png.Encode(&out, img))
	return out.Bytes()
}

// EncodedJPEG returns the image as a JPEG of high quality.
func EncodedJPEG(img image.Image) []byte {
	var out bytes.Buffer
	must(jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}))
	return out.Bytes()
}

// EncodedWebP returns the image as lossless WebP.
func EncodedWebP(img image.Image) []byte {
	var out bytes.Buffer
	must(webp.Encode(&out, img, webp.Options{Lossless: true}))
	return out.Bytes()
}

// EncodedAVIF returns the image as AVIF of high quality.
func EncodedAVIF(img image.Image) []byte {
	var out bytes.Buffer
	must(avif.Encode(&out, img, avif.Options{Quality: 95, QualityAlpha: 95, Speed: 10, ChromaSubsampling: image.YCbCrSubsampleRatio444}))
	return out.Bytes()
}

func paletted(img image.Image) *image.Paletted {
	out := image.NewPaletted(img.Bounds(), palette.Plan9)
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

// EncodedGIF returns the image as GIF.
func EncodedGIF(img image.Image) []byte {
	var out bytes.Buffer
	must(gif.Encode(&out, paletted(img), nil))
	return out.Bytes()
}

// AnimatedWebP has a first frame of Quarters and a second one of Blue.
func AnimatedWebP() []byte {
	chunk := func(id string, parts ...[]byte) []byte {
		data := bytes.Join(parts, nil)
		out := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
		return append(append(out, data...), make([]byte, len(data)%2)...)
	}
	size := []byte{79, 0, 0, 39, 0, 0} // less one
	frame := func(img image.Image) []byte {
		still := EncodedWebP(img)
		at := bytes.Index(still, []byte("VP8L"))
		n := binary.LittleEndian.Uint32(still[at+4:])
		return chunk("ANMF", make([]byte, 6), size, []byte{100, 0, 0, 0}, chunk("VP8L", still[at+8:at+8+int(n)]))
	}
	body := slices.Concat([]byte("WEBP"), chunk("VP8X", []byte{1 << 1, 0, 0, 0}, size), chunk("ANIM", make([]byte, 6)),
		frame(Quarters(80, 40)), frame(Filled(80, 40, Blue)))
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// withSegment puts a segment behind the beginning of a JPEG.
func withSegment(content []byte, marker byte, data []byte) []byte {
	segment := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2))
	return slices.Concat(content[:2], segment, data, content[2:])
}

// WithExif adds to a JPEG how it is to be turned, in Exif's numbers.
func WithExif(content []byte, orientation int) []byte {
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
	return withSegment(content, 0xe1, append(exif, byte(orientation), 0, 0, 0, 0, 0, 0))
}

// WithICC adds an ICC profile to a JPEG.
func WithICC(content, profile []byte) []byte {
	return withSegment(content, 0xe2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile...))
}

func pngChunk(kind string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func deflated(data []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, err := w.Write(data)
	must(err)
	must(w.Close())
	return out.Bytes()
}

// PNGWithICC adds an ICC profile to a PNG.
func PNGWithICC(content, profile []byte) []byte {
	const headerEnd = 8 + 25
	return slices.Concat(content[:headerEnd], pngChunk("iCCP", append([]byte("x\x00\x00"), deflated(profile)...)), content[headerEnd:])
}

// interlacedPNG has Quarters in seven passes.
func interlacedPNG(w, h int) []byte {
	src := OpaqueNRGBA(w, h)
	var data []byte
	for _, pass := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		for y := pass[1]; y < h; y += pass[3] {
			if pass[0] >= w {
				break
			}
			data = append(data, 0) // no filter
			for x := pass[0]; x < w; x += pass[2] {
				c := src.NRGBAAt(x, y)
				data = append(data, c.R, c.G, c.B)
			}
		}
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	header = append(header, 8, 2, 0, 0, 1)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", deflated(data)), pngChunk("IEND", nil))
}

// rawJPEG returns a JPEG of four blocks in the channels' values, which no encoder at
// hand can write: with four channels, or progressive.
func rawJPEG(progressive bool, blocks [4][]uint8) []byte {
	channels := len(blocks[0])
	out := []byte{0xff, 0xd8}
	segment := func(marker byte, data ...byte) {
		out = append(binary.BigEndian.AppendUint16(append(out, 0xff, marker), uint16(len(data)+2)), data...)
	}
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{8}, 64)...)...)
	start, last := byte(0xc0), byte(63)
	if progressive {
		start, last = 0xc2, 0
	}
	frame, scan := []byte{8, 0, 16, 0, 16, byte(channels)}, []byte{byte(channels)}
	for c := range channels {
		frame = append(frame, byte(c+1), 0x11, 0)
		scan = append(scan, byte(c+1), 0)
	}
	segment(start, frame...)
	segment(0xc4, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8) // lengths of differences, in 4 bits each
	segment(0xc4, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)                      // the end of a block
	segment(0xda, append(scan, 0, last, 0)...)
	var b bitWriter
	previous := make([]int, channels)
	for _, block := range blocks {
		for c, value := range block {
			b.difference(int(value)-128-previous[c], !progressive)
			previous[c] = int(value) - 128
		}
	}
	out = append(out, b.flushed()...)
	if progressive { // the rest of each channel is 0: decoders make up what is not said
		for c := range channels {
			segment(0xda, 1, byte(c+1), 0, 1, 63, 0)
			out = append(out, 0x0f) // the ends of four blocks
		}
	}
	return append(out, 0xff, 0xd9)
}

type bitWriter struct {
	out  []byte
	bits uint32
	n    int
}

func (b *bitWriter) put(value uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		b.bits = b.bits<<1 | value>>i&1
		if b.n++; b.n == 8 {
			b.out = append(b.out, byte(b.bits))
			if byte(b.bits) == 0xff {
				b.out = append(b.out, 0)
			}
			b.bits, b.n = 0, 0
		}
	}
}

// difference writes how much a block differs from the one before, and that all else
// in it is 0.
func (b *bitWriter) difference(d int, end bool) {
	magnitude, length := max(d, -d), 0
	for ; magnitude>>length > 0; length++ {
	}
	b.put(uint32(length), 4)
	if d < 0 {
		d += 1<<length - 1
	}
	b.put(uint32(d), length)
	if end {
		b.put(0, 1)
	}
}

func (b *bitWriter) flushed() []byte {
	for b.n > 0 {
		b.put(1, 1)
	}
	return b.out
}

// withAdobe adds the segment by which a JPEG of four channels says that they are inverted.
func withAdobe(content []byte, transform byte) []byte {
	return withSegment(content, 0xee, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), transform))
}

// Sample is an image and the colours of its Quarters.
type Sample struct {
	Content  []byte
	Quarters [4]color.NRGBA
}

// Samples returns an image of every kind that is accepted.
func Samples() map[string]Sample {
	colours := [4]color.NRGBA{Red, Green, Blue, Yellow}
	inks := [4][]uint8{{0, 255, 255, 0}, {255, 0, 255, 0}, {255, 255, 0, 0}, {0, 0, 255, 0}}
	inverted := inks
	for i := range inverted {
		inverted[i] = slices.Clone(inks[i])
		for c := range inverted[i] {
			inverted[i][c] = 255 - inks[i][c]
		}
	}
	greys := [4]color.NRGBA{{0, 0, 0, 255}, {85, 85, 85, 255}, {170, 170, 170, 255}, {255, 255, 255, 255}}
	return map[string]Sample{
		"JPEG":             {EncodedJPEG(Quarters(64, 64)), colours},
		"progressive JPEG": {rawJPEG(true, [4][]uint8{{76, 85, 255}, {150, 44, 21}, {29, 255, 107}, {226, 0, 149}}), colours},
		"grey JPEG":        {EncodedJPEG(grey(64, 64)), greys},
		"CMYK":             {rawJPEG(false, inks), colours},
		"inverted CMYK":    {withAdobe(rawJPEG(false, inverted), 0), colours},
		"YCCK":             {withAdobe(rawJPEG(false, [4][]uint8{{179, 171, 0, 255}, {105, 212, 235, 255}, {226, 0, 149, 255}, {29, 255, 107, 255}}), 2), colours},
		"PNG":              {EncodedPNG(Quarters(64, 64)), colours},
		"interlaced PNG":   {interlacedPNG(64, 64), colours},
		"palette PNG":      {EncodedPNG(paletted(Quarters(64, 64))), colours},
		"grey PNG":         {EncodedPNG(grey(64, 64)), greys},
		"16 bit PNG":       {EncodedPNG(deep(Quarters(64, 64))), colours},
		"16 bit grey PNG":  {EncodedPNG(deepGrey(grey(64, 64))), greys},
		"GIF":              {EncodedGIF(Quarters(64, 64)), colours},
		"WebP":             {EncodedWebP(Quarters(64, 64)), colours},
		"lossy WebP":       {lossyWebP(Quarters(64, 64)), colours},
		"AVIF":             {EncodedAVIF(Quarters(64, 64)), colours},
	}
}

func grey(w, h int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, painted(w, h, func(x, y float64) color.NRGBA {
		level := uint8(85 * quarter(x, y))
		return color.NRGBA{level, level, level, 255}
	}), image.Point{}, draw.Src)
	return img
}

func deep(img image.Image) image.Image {
	out := image.NewNRGBA64(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

func deepGrey(img image.Image) image.Image {
	out := image.NewGray16(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

func lossyWebP(img image.Image) []byte {
	var out bytes.Buffer
	must(webp.Encode(&out, img, webp.Options{Quality: 98}))
	return out.Bytes()
}

// HostileSamples returns small images of every format that is accepted.
func HostileSamples() map[string][]byte {
	return map[string][]byte{
		"JPEG": EncodedJPEG(Photo(40, 40)), "PNG": EncodedPNG(Photo(40, 40)), "GIF": EncodedGIF(Photo(40, 40)), "WebP": EncodedWebP(Photo(40, 40)),
		"animated WebP": AnimatedWebP(), "AVIF": EncodedAVIF(Photo(40, 40)),
		"JPEG with metadata": WithICC(WithExif(EncodedJPEG(Photo(40, 40)), 6), DisplayP3()),
		"PNG with metadata":  PNGWithICC(EncodedPNG(Glass(40, 40)), AdobeRGB()), "interlaced PNG": interlacedPNG(40, 40),
	}
}

// Bombs returns images that say of themselves that they are huge.
func Bombs() map[string][]byte {
	jpeg, png, gif := EncodedJPEG(Photo(40, 40)), EncodedPNG(Photo(40, 40)), EncodedGIF(Photo(40, 40))
	start := bytes.Index(jpeg, []byte{0xff, 0xc0})
	copy(jpeg[start+5:], "\xff\xf0\xff\xf0")
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 60_000), 60_000)
	png = slices.Concat(png[:8], pngChunk("IHDR", append(header, png[24:29]...)), png[33:])
	copy(gif[6:], "\xff\xff\xff\xff")
	return map[string][]byte{"JPEG": jpeg, "PNG": png, "GIF": gif}
}

// Inflated returns accepted images of 16 million pixels in a few kilobytes.
func Inflated() map[string][]byte {
	const side = 4000
	plain := image.NewGray(image.Rect(0, 0, side, side))
	deep := image.NewNRGBA64(image.Rect(0, 0, side/2, side/2))
	return map[string][]byte{"JPEG": EncodedJPEG(plain), "PNG": EncodedPNG(plain), "GIF": EncodedGIF(plain), "16 bit": EncodedPNG(deep)}
}

// DisplayP3 returns the ICC profile of the colours of many screens.
func DisplayP3() []byte {
	return profile([3][3]float64{{0.51512, 0.2412, -0.00105}, {0.29198, 0.69225, 0.04189}, {0.1571, 0.06657, 0.78407}}, sRGBCurve())
}

// SRGB returns the ICC profile of the colours of the web.
func SRGB() []byte {
	return profile([3][3]float64{{0.43607, 0.22249, 0.01392}, {0.38515, 0.71687, 0.09708}, {0.14307, 0.06061, 0.7141}}, sRGBCurve())
}

// AdobeRGB returns the ICC profile of the colours of many cameras.
func AdobeRGB() []byte {
	gamma := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x02\x33\x00\x00")
	return profile([3][3]float64{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}}, gamma)
}

func fixed(v float64) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(int32(math.Round(v*65536))))
}

func sRGBCurve() []byte {
	curve := []byte("para\x00\x00\x00\x00\x00\x03\x00\x00")
	for _, v := range []float64{2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045} {
		curve = append(curve, fixed(v)...)
	}
	return curve
}

// profile returns an ICC profile of a monitor (ICC.1:2022), with all that readers want
// to see.
func profile(primaries [3][3]float64, curve []byte) []byte {
	type tag struct {
		name string
		data []byte
	}
	xyz := func(v [3]float64) []byte {
		return slices.Concat([]byte("XYZ \x00\x00\x00\x00"), fixed(v[0]), fixed(v[1]), fixed(v[2]))
	}
	text := []byte("desc\x00\x00\x00\x00\x00\x00\x00\x02x\x00")
	text = append(text, make([]byte, 80)...)
	tags := []tag{
		{"desc", text},
		{"cprt", []byte("text\x00\x00\x00\x00none\x00\x00\x00\x00")}, {"wtpt", xyz([3]float64{0.9642, 1, 0.8249})},
		{"rXYZ", xyz(primaries[0])}, {"gXYZ", xyz(primaries[1])}, {"bXYZ", xyz(primaries[2])},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var data []byte
	begin := 128 + 4 + 12*len(tags)
	for _, tag := range tags {
		table = append(table, tag.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(begin+len(data)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(tag.data)))
		data = append(data, tag.data...)
		data = append(data, make([]byte, (4-len(data)%4)%4)...)
	}
	header := make([]byte, 128)
	binary.BigEndian.PutUint32(header, uint32(128+len(table)+len(data)))
	copy(header[8:], "\x02\x40\x00\x00mntrRGB XYZ ")
	copy(header[24:], "\x07\xea\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00acsp")
	copy(header[68:], xyz([3]float64{0.9642, 1, 0.8249})[8:])
	return slices.Concat(header, table, data)
}

// AnimatedGIF has a first frame of quarters and a second one of blue.
func AnimatedGIF() []byte {
	first, second := paletted(Quarters(80, 40)), paletted(Filled(80, 40, Blue))
	var out bytes.Buffer
	must(gif.EncodeAll(&out, &gif.GIF{Image: []*image.Paletted{first, second}, Delay: []int{10, 10}}))
	return out.Bytes()
}

// DecodeWebP decodes a WebP as RFC 6386 means its levels: golang.org/x/image/webp takes
// those of a lossy one for those of a JPEG.
func DecodeWebP(content []byte) (image.Image, error) {
	img, err := xwebp.Decode(bytes.NewReader(content))
	alpha := func(int, int) uint8 { return 255 }
	var lossy image.YCbCr
	switch img := img.(type) {
	case *image.YCbCr:
		lossy = *img
	case *image.NYCbCrA:
		lossy, alpha = img.YCbCr, func(x, y int) uint8 { return img.A[img.AOffset(x, y)] }
	default:
		return img, err
	}
	out := image.NewNRGBA(lossy.Rect)
	for y := range lossy.Rect.Dy() {
		for x := range lossy.Rect.Dx() {
			luma, c := 1.164*(float64(lossy.Y[lossy.YOffset(x, y)])-16), lossy.COffset(x, y)
			cb, cr := float64(lossy.Cb[c])-128, float64(lossy.Cr[c])-128
			level := func(v float64) uint8 { return uint8(min(max(math.Round(v), 0), 255)) }
			out.SetNRGBA(x, y, color.NRGBA{level(luma + 1.596*cr), level(luma - 0.813*cr - 0.391*cb), level(luma + 2.018*cb), alpha(x, y)})
		}
	}
	return out, err
}
