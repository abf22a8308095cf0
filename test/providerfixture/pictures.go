package providerfixture

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"gatefold/domain/catalog"
)

// picture is an image that an answer offers.
type picture struct {
	URL, Thumb    string
	Width, Height int
	Votes         int
}

// size is width and height in pixels.
type size [2]int

// unsafeURLs are none that can be offered: no image is behind them, or one that a
// stranger must not make us ask for.
var unsafeURLs = []string{
	"javascript:alert(1)", "file:///etc/passwd", "data:image/png;base64,AAAA", "ftp://example.org/cover.jpg", "http:///cover.jpg",
	"https://user:secret@example.org/cover.jpg", "/relative/cover.jpg", "", "https://exa mple.org/cover.jpg", "https://example.org/\x00.jpg",
	"https://example.org/" + strings.Repeat("x", 4096),
}

// pictures returns what there is of the subject for a slot, the best last, so that an
// adapter that wants the best first has to know which it is. The best one is the same
// picture at all providers that are asked for the subject in the same way.
func (x *exchange) pictures(slot string, sizes ...size) []picture {
	var pictures []picture
	if x.behaviour == Unsafe {
		for _, raw := range unsafeURLs {
			pictures = append(pictures, picture{URL: raw, Thumb: raw, Width: 1000, Height: 1000, Votes: 99})
		}
	}
	for i := len(sizes) - 1; i >= 0; i-- {
		seed := x.subject() + "-" + slot
		if i > 0 {
			seed += fmt.Sprintf("-%s-%d", x.provider, i)
		}
		w, h := sizes[i][0], sizes[i][1]
		pictures = append(pictures, picture{
			URL: x.picture(seed, size{w, h}, "jpg"), Thumb: x.picture(seed, size{w / 4, h / 4}, "jpg"), Width: w, Height: h, Votes: 10 - i,
		})
	}
	return pictures
}

func (x *exchange) picture(seed string, s size, format string) string {
	return fmt.Sprintf("%s/images/%s/%dx%d.%s", x.base, url.PathEscape(seed), s[0], s[1], format)
}

// subject is what pictures depend on.
func (x *exchange) subject() string {
	if x.request.MBID != "" {
		return x.request.MBID
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(catalog.FoldName(x.request.Artist) + "\x00" + catalog.FoldName(x.request.Album)))
	return strconv.FormatUint(sum.Sum64(), 36)
}

// called returns the name that an answer gives to what was asked for by name.
func (x *exchange) called(name string) string {
	if x.behaviour == Stranger {
		return "Somebody Else Entirely"
	}
	return name
}

const largest = 4000 // pixels; what iTunes is asked for, among others

var (
	dimensions = regexp.MustCompile(`(\d{1,5})x(\d{1,5})(?:bb)?`)
	notSeed    = regexp.MustCompile(`^(i|u|fanart|preview|thumb|small|(\d+x\d+(bb)?(\.\w+)?))$`)
)

// servePicture draws the picture that a path names. The same seed gives the same
// picture in every size.
func (s *Server) servePicture(w http.ResponseWriter, path string) {
	edges, seed := size{600, 600}, ""
	if found := dimensions.FindStringSubmatch(path); found != nil {
		edges[0], _ = strconv.Atoi(found[1])
		edges[1], _ = strconv.Atoi(found[2])
	}
	for _, part := range strings.Split(path, "/") {
		if !notSeed.MatchString(part) {
			seed += strings.TrimSuffix(part, ".jpg")
		}
	}
	if strings.HasPrefix(path, "preview/") || strings.HasSuffix(path, "/small") {
		edges = size{edges[0] / 4, edges[1] / 4}
	}
	if edges[0] < 1 || edges[1] < 1 || edges[0] > largest || edges[1] > largest {
		http.Error(w, "no such size", http.StatusNotFound)
		return
	}
	content, kind := encode(s.Paint(seed, edges[0], edges[1]), strings.Contains(path, ".png"))
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}

func encode(img image.Image, asPNG bool) ([]byte, string) {
	var b bytes.Buffer
	var err error
	kind := "image/jpeg"
	if asPNG {
		kind = "image/png"
		err = png.Encode(&b, img)
	} else {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 75})
	}
	if err != nil {
		panic(err) // memory does not refuse a write
	}
	return b.Bytes(), kind
}

// draw paints 6 by 6 fields of the seed's colours, and says what it is.
func draw(seed string, width, height int) image.Image {
	const fields = 6
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(seed))
	random := rand.New(rand.NewPCG(sum.Sum64(), 0))
	palette := color.Palette{color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 255}}
	for range fields * fields {
		palette = append(palette, color.RGBA{uint8(random.IntN(256)), uint8(random.IntN(256)), uint8(random.IntN(256)), 255})
	}
	img := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	for y := range height {
		row := img.Pix[y*img.Stride : y*img.Stride+width]
		for x := range row {
			row[x] = uint8(2 + y*fields/height*fields + x*fields/width)
		}
	}
	label := font.Drawer{Dst: img, Src: image.NewUniform(palette[0]), Face: basicfont.Face7x13, Dot: fixed.P(4, 14)}
	label.DrawString(fmt.Sprintf("demo %dx%d", width, height))
	return img
}
