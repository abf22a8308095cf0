package gorender

import (
	"encoding/binary"
	"math"
)

// transform brings pixels in the colours of an ICC profile to sRGB: each channel to
// linear light, the three to others by a matrix, each back to sRGB's curve.
type transform struct {
	linear [3][256]float64
	matrix [3][3]float64
}

// toSRGB brings XYZ, as profiles mean it (by the light D50), to linear sRGB
// (IEC 61966-2-1, adapted by Bradford's method).
var toSRGB = [3][3]float64{
	{3.1338561, -1.6168667, -0.4906146},
	{-0.9787684, 1.9161415, 0.0334540},
	{0.0719453, -0.2289914, 1.4052427},
}

// d50 is the white of profiles.
var d50 = [3]float64{0.9642, 1, 0.8249}

// transformOf reads a profile of a monitor or camera, whose colours are curves and a
// matrix (ICC.1:2022, 8.3), or of grey. It returns nil if there is nothing to do:
// there is no profile, it is sRGB within what 8 bits show, or is one with tables, as
// printers have; those pictures are shown as they are.
func transformOf(icc []byte) *transform {
	if len(icc) < 132 || string(icc[20:24]) != "XYZ " {
		return nil
	}
	t := &transform{}
	var ok bool
	switch string(icc[16:20]) {
	case "RGB ":
		ok = t.readRGB(icc)
	case "GRAY":
		ok = t.readGrey(icc)
	}
	if !ok || t.changesNothing() {
		return nil
	}
	return t
}

func (t *transform) readRGB(icc []byte) bool {
	var toXYZ [3][3]float64
	for c, name := range [...]string{"r", "g", "b"} {
		xyz := tagOf(icc, name+"XYZ")
		if len(xyz) < 20 || !readCurve(tagOf(icc, name+"TRC"), &t.linear[c]) {
			return false
		}
		for i := range 3 {
			toXYZ[i][c] = fixed(xyz[8+4*i:])
		}
	}
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				t.matrix[i][j] += toSRGB[i][k] * toXYZ[k][j]
			}
		}
	}
	return true
}

// readGrey makes of the one curve a transform of three equal channels.
func (t *transform) readGrey(icc []byte) bool {
	if !readCurve(tagOf(icc, "kTRC"), &t.linear[0]) {
		return false
	}
	t.linear[1], t.linear[2] = t.linear[0], t.linear[0]
	for i := range 3 {
		for k := range 3 {
			t.matrix[i][0] += toSRGB[i][k] * d50[k]
		}
	}
	return true
}

// tagOf returns the data of a tag; nil if there is none.
func tagOf(icc []byte, name string) []byte {
	const first, size = 132, 12
	count := binary.BigEndian.Uint32(icc[128:])
	for i := range uint64(min(count, 1000)) {
		at := first + i*size
		if at+size > uint64(len(icc)) {
			return nil
		}
		if entry := icc[at : at+size]; string(entry[:4]) == name {
			begin, length := uint64(binary.BigEndian.Uint32(entry[4:])), uint64(binary.BigEndian.Uint32(entry[8:]))
			if begin+length > uint64(len(icc)) {
				return nil
			}
			return icc[begin : begin+length]
		}
	}
	return nil
}

// fixed reads a number with 16 bits before and 16 after the point.
func fixed(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

// readCurve fills the table of a channel.
func readCurve(tag []byte, table *[256]float64) bool {
	if len(tag) < 12 {
		return false
	}
	var curve func(float64) float64
	switch string(tag[:4]) {
	case "curv":
		curve = sampledCurve(tag)
	case "para":
		curve = parametricCurve(tag)
	}
	if curve == nil {
		return false
	}
	for i := range table {
		v := curve(float64(i) / 255)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
		table[i] = v
	}
	return true
}

// sampledCurve reads the type curv: no value is the identity, one is a power, more
// are points.
func sampledCurve(tag []byte) func(float64) float64 {
	count := uint64(binary.BigEndian.Uint32(tag[8:]))
	values := tag[12:]
	if count*2 > uint64(len(values)) {
		return nil
	}
	value := func(i int) float64 { return float64(binary.BigEndian.Uint16(values[2*i:])) }
	switch count {
	case 0:
		return func(x float64) float64 { return x }
	case 1:
		gamma := value(0) / 256
		return func(x float64) float64 { return math.Pow(x, gamma) }
	}
	return func(x float64) float64 {
		at := x * float64(count-1)
		below := min(int(at), int(count)-2)
		part := at - float64(below)
		return (value(below)*(1-part) + value(below+1)*part) / 65535
	}
}

// parametricCurve reads the type para (ICC.1:2022, 10.18).
func parametricCurve(tag []byte) func(float64) float64 {
	kind := int(binary.BigEndian.Uint16(tag[8:]))
	parameters := map[int]int{0: 1, 1: 3, 2: 4, 3: 5, 4: 7}[kind]
	if parameters == 0 || len(tag) < 12+4*parameters {
		return nil
	}
	var p [7]float64 // g a b c d e f
	for i := range parameters {
		p[i] = fixed(tag[12+4*i:])
	}
	g, a, b, c, d, e, f := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	switch kind {
	case 0:
		return func(x float64) float64 { return math.Pow(x, g) }
	case 1, 2: // c is added everywhere; the power begins where it is defined
		return func(x float64) float64 { return math.Pow(max(0, a*x+b), g) + c }
	default:
		return func(x float64) float64 {
			if x < d {
				return c*x + f
			}
			return math.Pow(max(0, a*x+b), g) + e
		}
	}
}

// curveSize is in how many steps linear light is brought to sRGB: in the darks, where
// the curve is steep, they are a fifth of a step of 8 bits.
const curveSize = 1 << 14

var toCurve = func() (table [curveSize + 1]uint8) {
	for i := range table {
		v := float64(i) / curveSize
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		table[i] = uint8(math.Round(v * 255))
	}
	return table
}()

func (t *transform) pixel(r, g, b uint8) (out [3]uint8) {
	x, y, z := t.linear[0][r], t.linear[1][g], t.linear[2][b]
	for i, m := range t.matrix {
		v := m[0]*x + m[1]*y + m[2]*z
		out[i] = toCurve[int(min(max(v, 0), 1)*curveSize+0.5)]
	}
	return out
}

// changesNothing looks at pixels of all kinds.
func (t *transform) changesNothing() bool {
	steps := [...]uint8{0, 32, 64, 96, 128, 160, 192, 224, 255}
	for _, r := range steps {
		for _, g := range steps {
			for _, b := range steps {
				out := t.pixel(r, g, b)
				if apart(out[0], r) || apart(out[1], g) || apart(out[2], b) {
					return false
				}
			}
		}
	}
	return true
}

func apart(a, b uint8) bool { return max(a, b)-min(a, b) > 1 }

// apply returns the raster in sRGB.
func (t *transform) apply(r raster) raster {
	img := r.nrgba()
	out := raster{model: rgb, w: r.w, h: r.h}
	if r.model == rgbPA {
		out.model = rgbPA
	}
	for range 3 {
		out.planes = append(out.planes, newPlane(r.w, r.h))
	}
	if out.model == rgbPA {
		out.planes = append(out.planes, r.planes[3])
	}
	for i := range r.w * r.h {
		pixel := img.Pix[4*i : 4*i+4 : 4*i+4]
		alpha := uint(pixel[3])
		for c, v := range t.pixel(pixel[0], pixel[1], pixel[2]) {
			out.planes[c].pix[i] = uint8((uint(v)*alpha + 127) / 255)
		}
	}
	return out
}
