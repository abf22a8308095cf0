package integration

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
	"gatefold/test/picturefixture"
	"gatefold/test/testenv/migrated"
)

func applyPicture(t *testing.T, in *instance, slot string, picture []byte) {
	t.Helper()
	up := in.upload("/api/admin/metadata/artist/custom-images/"+artistID+"/upload", picture, "imageType", slot)
	require.Equal(t, http.StatusOK, up.StatusCode, string(up.body))
	applied := in.send(http.MethodPost, "/api/admin/metadata/artist/custom-images/"+artistID+"/apply/"+up.json(t)["customImageId"].(string), nil)
	require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
}

// requireRendition requires a picture of a type and size.
func requireRendition(t *testing.T, a answer, mimeType string, size image.Point) image.Image {
	t.Helper()
	require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
	require.Equal(t, mimeType, a.Header.Get("Content-Type"))
	require.EqualValues(t, len(a.body), a.ContentLength)
	require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
	require.Equal(t, "sandbox", a.Header.Get("Content-Security-Policy"))
	var img image.Image
	var err error
	switch mimeType {
	case "image/jpeg":
		img, err = jpeg.Decode(bytes.NewReader(a.body))
	case "image/png":
		img, err = png.Decode(bytes.NewReader(a.body))
	case "image/webp":
		img, err = picturefixture.DecodeWebP(a.body)
	default:
		require.Contains(t, string(a.body[:32]), "ftypavif")
		return nil
	}
	require.NoError(t, err)
	require.Equal(t, size, img.Bounds().Size())
	return img
}

// TestRenditions: the size and the format that are asked for, with all that HTTP can
// ask of them, on every instance the same.
func TestRenditions(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putArtist(artistID, "Rendered")
		in.putAlbum(albumID, artistID, "In All Sizes")
		tag := applyCover(t, in, picturefixture.EncodedJPEG(picturefixture.Photo(640, 480)))
		small := in.get(coverPath + "?size=small")
		requireRendition(t, small, "image/jpeg", image.Pt(300, 300))
		require.Equal(t, "no-cache", small.Header.Get("Cache-Control"))
		require.Equal(t, "Accept", small.Header.Get("Vary"))
		etag := small.Header.Get("ETag")
		require.Regexp(t, `^"`+tag+`-s300\.jpeg-[a-z0-9]+"$`, etag)
		require.Equal(t, "public, max-age=31536000, immutable", in.get(coverPath+"?size=small&tag="+tag).Header.Get("Cache-Control"))
		require.Equal(t, "no-cache", in.get(coverPath+"?size=small&tag=0000000000000000").Header.Get("Cache-Control"))
		requireConditional(t, other, coverPath+"?size=small", small)
		for _, path := range []string{coverPath, coverPath + "?size=small"} {
			requireSameProtection(t, in, path)
		}
		again := other.get(coverPath + "?size=small")
		require.Equal(t, small.body, again.body)
		require.Equal(t, etag, again.Header.Get("ETag"))
		requireNegotiated(t, in)
		require.Empty(t, in.get(coverPath, "Accept", "image/webp").Header.Get("Vary"), "an original is not negotiated")
		// The largest square that it holds.
		requireRendition(t, in.get(coverPath+"?size=large"), "image/jpeg", image.Pt(480, 480))
	})
}

// requireSameProtection: what a 304 says of its image takes the place of what the answer
// before had said (RFC 9111, section 3.2). A page of another origin must still show it.
func requireSameProtection(t *testing.T, in *instance, path string) {
	t.Helper()
	whole := in.get(path)
	same := in.get(path, "If-None-Match", whole.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, same.StatusCode)
	for _, name := range []string{"Cross-Origin-Resource-Policy", "Content-Security-Policy", "X-Content-Type-Options", "Cache-Control", "ETag", "Last-Modified", "Vary"} {
		require.Equal(t, whole.Header.Get(name), same.Header.Get(name), name)
	}
	require.Equal(t, "cross-origin", same.Header.Get("Cross-Origin-Resource-Policy"))
}

func requireNegotiated(t *testing.T, in *instance) {
	t.Helper()
	thumb := image.Pt(200, 200)
	tags := map[string]string{}
	for accept, want := range map[string]string{
		"": "image/jpeg", "*/*": "image/jpeg", "image/webp,*/*": "image/webp", "image/webp;q=0,*/*": "image/jpeg", "image/png": "image/png",
	} {
		a := in.get(coverPath+"?size=thumb", "Accept", accept)
		requireRendition(t, a, want, thumb)
		require.Equal(t, "Accept", a.Header.Get("Vary"))
		tags[a.Header.Get("ETag")] = want
	}
	require.Len(t, tags, 3, "each representation has a tag of its own")
	for _, format := range []string{"jpeg", "png", "webp"} {
		a := in.get(coverPath+"?size=thumb&format="+format, "Accept", "image/nothing")
		requireRendition(t, a, "image/"+format, thumb)
		require.Empty(t, a.Header.Get("Vary"), "what is named is not negotiated")
	}
	for _, query := range []string{"?size=", "?size=Thumb", "?size=200", "?size=thumb&size=thumb", "?size=thumb&format=", "?size=thumb&format=auto", "?size=thumb&format=gif", "?format=jpeg", "?size=thumb&q=90"} {
		requireProblem(t, in.get(coverPath+query), http.StatusBadRequest, "invalid_input")
	}
}

// TestRenditionsOfEverySlot: squares are cut around the focal point, others fit.
func TestRenditionsOfEverySlot(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putArtist(artistID, "Slots")
	in.putAlbum(albumID, artistID, "Bare")
	artist := "/api/images/artists/" + artistID
	stripes := picturefixture.EncodedPNG(picturefixture.Stripes(1800, 600, false))
	for _, slot := range []string{"profile", "background", "banner"} {
		applyPicture(t, in, slot, stripes)
	}
	applyPicture(t, in, "logo", picturefixture.EncodedPNG(picturefixture.Glass(800, 400)))
	for typ, edge := range map[string]int{"profile-small": 250, "profile-medium": 500, "profile-large": 600} {
		a := in.get(artist + "/" + typ)
		requireRendition(t, a, "image/jpeg", image.Pt(edge, edge))
		require.Equal(t, "Accept", a.Header.Get("Vary"), typ)
		requireRendition(t, in.get(artist+"/"+typ+"?format=webp"), "image/webp", image.Pt(edge, edge))
		requireProblem(t, in.get(artist+"/"+typ+"?size=thumb"), http.StatusBadRequest, "invalid_input")
	}
	require.Equal(t, in.get(artist+"/profile-medium").Header.Get("ETag"), in.get(artist+"/profile?size=medium").Header.Get("ETag"))
	for _, slot := range []string{"background", "banner"} {
		requireRendition(t, in.get(artist+"/"+slot+"?size=small"), "image/jpeg", image.Pt(300, 100))
	}
	logo := requireRendition(t, in.get(artist+"/logo?size=thumb"), "image/png", image.Pt(200, 100))
	require.Equal(t, uint8(0), color.NRGBAModel.Convert(logo.At(190, 90)).(color.NRGBA).A, "a logo is never flattened")
	requireRendition(t, in.get(coverPath+"?size=small"), "image/jpeg", image.Pt(300, 300)) // the default picture

	middle := in.get(artist + "/profile-small")
	require.Equal(t, http.StatusOK, in.send(http.MethodPut, "/api/admin/metadata/artist/"+artistID+"/focal-point", map[string]any{"type": "profile", "x": 0, "y": 0.5}).StatusCode)
	left := in.get(artist + "/profile-small")
	require.NotEqual(t, middle.Header.Get("ETag"), left.Header.Get("ETag"))
	r, g, _, _ := requireRendition(t, left, "image/jpeg", image.Pt(250, 250)).At(100, 100).RGBA()
	require.Greater(t, r, g, "the focal point is on the red stripe")
	_, g, b, _ := requireRendition(t, middle, "image/jpeg", image.Pt(250, 250)).At(125, 100).RGBA()
	require.Greater(t, g, b)
}

// counting is a renderer that counts, and can be broken.
type counting struct {
	renderimage.ImageRenderer
	rendered *sync.Map // rendition by content -> *atomic.Int64
}

func countRenderings(rendered *sync.Map) fx.Option {
	return fx.Decorate(func(inner renderimage.ImageRenderer) renderimage.ImageRenderer { return counting{inner, rendered} })
}

// TestAColdGrid: covers that were never rendered are asked for by many at once, on two
// instances: each is rendered once, whether the turns are kept in Redis or in Postgres.
// make bench-grid has more of them.
func TestAColdGrid(t *testing.T) {
	for name, deploy := range map[string]func(t *testing.T) deployment{
		"Redis and Postgres": combinations["Redis and Postgres"],
		"Postgres alone": func(t *testing.T) deployment {
			return deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "IMAGE_CACHE=off"}, shared: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coldGrid(t, deploy(t))
		})
	}
}

func coldGrid(t *testing.T, d deployment) {
	const covers, clients = 24, 16
	var rendered sync.Map
	var instances []*instance
	for range 2 {
		instances = append(instances, d.startWith(t, countRenderings(&rendered)))
	}
	in := instances[0]
	in.putArtist(artistID, "Grid")
	var paths []string
	for n := range covers {
		album := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
		in.putAlbum(album, artistID, fmt.Sprint("Album ", n))
		up := in.upload("/api/admin/metadata/album/custom-covers/"+album+"/upload", musicfixture.Picture(300, 300, int64(n)))
		require.Equal(t, http.StatusOK, up.StatusCode, string(up.body))
		applied := in.send(http.MethodPost, "/api/admin/metadata/album/custom-covers/"+album+"/apply/"+up.json(t)["customCoverId"].(string), nil)
		require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
		paths = append(paths, "/api/images/albums/"+album+"/cover?size=thumb")
	}
	var asking sync.WaitGroup
	var answered atomic.Int64
	for client := range clients {
		asking.Go(func() {
			for i := range paths {
				a := instances[client%2].get(paths[(i+client/4)%len(paths)])
				if a.StatusCode == http.StatusOK && a.Header.Get("Content-Type") == "image/jpeg" {
					answered.Add(1)
				}
			}
		})
	}
	asking.Wait()
	require.EqualValues(t, covers*clients, answered.Load())
	times := 0
	rendered.Range(func(key, n any) bool {
		times++
		require.EqualValues(t, 1, n.(*atomic.Int64).Load(), key)
		return true
	})
	require.Equal(t, covers, times)
}

// TestRenderedAhead: what is applied is rendered in all sizes from one decoding, before
// anybody asks for it.
func TestRenderedAhead(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t, "RENDER_AHEAD=true")
		in.putArtist(artistID, "Ahead")
		in.putAlbum(albumID, artistID, "Of All")
		tag := applyCover(t, in, musicfixture.Picture(600, 500, 1))
		require.Eventually(t, func() bool { return strings.Contains(in.log.String(), "msg=Rendered") }, 30*time.Second, 10*time.Millisecond)
		for size, edge := range map[string]int{"thumb": 200, "small": 300, "medium": 500, "large": 500} {
			requireRendition(t, in.get(coverPath+"?tag="+tag+"&size="+size), "image/jpeg", image.Pt(edge, edge))
		}
		require.Equal(t, 1, strings.Count(in.log.String(), "msg=Rendered"))
	})
}

// TestWhatCannotBeRendered is answered with the original, which nobody may keep.
func TestWhatCannotBeRendered(t *testing.T) {
	d := combinations["memory and SQLite"](t)
	broken := fx.Decorate(func(inner renderimage.ImageRenderer) renderimage.ImageRenderer { return refusing{inner} })
	in := d.startWith(t, broken)
	in.putArtist(artistID, "Refused")
	in.putAlbum(albumID, artistID, "Refused")
	picture := musicfixture.Picture(300, 300, 1)
	tag := applyCover(t, in, picture)
	for range 2 {
		a := in.get(coverPath + "?size=small&tag=" + tag)
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.Equal(t, picture, a.body)
		require.Equal(t, "no-cache", a.Header.Get("Cache-Control"))
		require.Equal(t, `"`+tag+`"`, a.Header.Get("ETag"))
	}
	require.Equal(t, 1, strings.Count(in.log.String(), "An image cannot be rendered"), "and it is not tried again at once")
}

// gated is a renderer that waits for somebody to open the gate, but for thumbs.
type gated struct {
	renderimage.ImageRenderer
	gate chan struct{}
}

func (g gated) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
	if wanted[0].Edge != 200 {
		select {
		case <-g.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g.ImageRenderer.Render(ctx, content, focal, wanted)
}

// TestAStandIn is what it is, and nobody keeps it for what was asked for.
func TestAStandIn(t *testing.T) {
	d := combinations["memory and SQLite"](t)
	d.standIns = time.Millisecond
	gate := make(chan struct{})
	in := d.startWith(t, fx.Decorate(func(inner renderimage.ImageRenderer) renderimage.ImageRenderer { return gated{inner, gate} }))
	in.putArtist(artistID, "Standing")
	in.putAlbum(albumID, artistID, "In")
	tag := applyCover(t, in, musicfixture.Picture(600, 600, 1))
	var thumb answer
	require.Eventually(t, func() bool {
		thumb = in.get(coverPath + "?size=thumb")
		return thumb.StatusCode == http.StatusOK
	}, 30*time.Second, 10*time.Millisecond)
	path := coverPath + "?size=medium&tag=" + tag
	standIn := in.get(path)
	requireRendition(t, standIn, "image/jpeg", image.Pt(200, 200))
	require.Equal(t, "no-cache", standIn.Header.Get("Cache-Control"))
	require.Equal(t, "Accept", standIn.Header.Get("Vary"))
	require.Equal(t, thumb.Header.Get("ETag"), standIn.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, in.get(path, "If-None-Match", standIn.Header.Get("ETag")).StatusCode)
	requireRendition(t, in.get(path, "Accept", "image/webp"), "image/jpeg", image.Pt(200, 200))
	close(gate)
	require.Eventually(t, func() bool {
		right := in.get(path, "If-None-Match", standIn.Header.Get("ETag"))
		return right.StatusCode == http.StatusOK && right.Header.Get("Cache-Control") == "public, max-age=31536000, immutable" &&
			right.Header.Get("ETag") != standIn.Header.Get("ETag")
	}, 30*time.Second, 10*time.Millisecond)
	requireRendition(t, in.get(path), "image/jpeg", image.Pt(500, 500))
}

func (c counting) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
	for _, rendition := range wanted {
		n, _ := c.rendered.LoadOrStore(fmt.Sprint(artwork.HashOf(content), focal, rendition), &atomic.Int64{})
		n.(*atomic.Int64).Add(1)
	}
	return c.ImageRenderer.Render(ctx, content, focal, wanted)
}

// refusing renders nothing.
type refusing struct{ renderimage.ImageRenderer }

func (refusing) Render(context.Context, []byte, *artwork.FocalPoint, []artwork.Rendition) ([][]byte, error) {
	return nil, artwork.Errorf(artwork.CorruptImage, "this is of no use")
}
