package rediscache

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

func complete() *artwork.Image {
	img := numbered(183_412)
	img.ThumbHash = []byte{0xd9, 0xf7, 0x19, 0x14, 0x80, 0x77, 0x00, 0xff}
	img.DominantColor = "#20a0ff"
	img.Provider = "Cover Art Archive"
	img.Locked = true
	return img
}

// changed returns a complete image with a change.
func changed(change func(*artwork.Image)) *artwork.Image {
	img := complete()
	change(img)
	return img
}

func encoded(t testing.TB, img *artwork.Image) string {
	t.Helper()
	value, err := encode(img)
	require.NoError(t, err)
	return value
}

// TestScanReadsWhatEncodeWrites: all that is common is scanned, and everything
// is decoded, whichever way.
func TestScanReadsWhatEncodeWrites(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		img     *artwork.Image
		scanned bool
	}{
		"everything":       {complete(), true},
		"the least":        {numbered(0), true},
		"no thumbhash":     {changed(func(img *artwork.Image) { img.ThumbHash = nil }), true},
		"no colour":        {changed(func(img *artwork.Image) { img.DominantColor = "" }), true},
		"no provider":      {changed(func(img *artwork.Image) { img.Provider = "" }), true},
		"not locked":       {changed(func(img *artwork.Image) { img.Locked = false }), true},
		"a large size":     {changed(func(img *artwork.Image) { img.Size = 999_999_999_999_999_999 }), true},
		"a larger size":    {changed(func(img *artwork.Image) { img.Size = 1_000_000_000_000_000_000 }), false},
		"a negative size":  {changed(func(img *artwork.Image) { img.Size = -1 }), false},
		"fractions":        {changed(func(img *artwork.Image) { img.LastModified = img.LastModified.Add(time.Millisecond) }), true},
		"a focal point":    {changed(func(img *artwork.Image) { img.FocalPoint = &artwork.FocalPoint{X: 0.25, Y: 1} }), false},
		"an escaped name":  {changed(func(img *artwork.Image) { img.Provider = `"R&B" \ <soul>` }), false},
		"a name beyond us": {changed(func(img *artwork.Image) { img.Provider = "Ørsted 音楽" }), false},
	} {
		value := encoded(t, c.img)
		scanned, ok := scan(value)
		require.Equal(t, c.scanned, ok, name)
		if ok {
			require.Equal(t, c.img, scanned, name)
		}
		decoded, err := decode(value)
		require.NoError(t, err, name)
		require.Equal(t, c.img, decoded, name)
	}
}

func TestScanRefusesWhatIsDamaged(t *testing.T) {
	t.Parallel()
	value := encoded(t, complete())
	for n := range len(value) {
		_, ok := scan(value[:n])
		require.False(t, ok, "cut after %d bytes", n)
		_, ok = scan(value[:n] + "\x00" + value[n+1:])
		require.False(t, ok, "byte %d damaged", n)
	}
	for _, more := range []string{" ", "}", value} {
		_, ok := scan(value + more)
		require.False(t, ok, more)
	}
	for from, to := range map[string]string{
		`"width":1`: `"width":01`, `"height":1`: `"height":`, `"local"`: `"remote"`, `"locked":true`: `"locked":false`,
		`"size":183412`: `"size":"183412"`, `"filePath"`: `"path"`, `2023`: `203`, `"thumbhash":"`: `"thumbhash":"*`,
	} {
		require.Contains(t, value, from)
		_, ok := scan(strings.Replace(value, from, to, 1))
		require.False(t, ok, to)
	}
}

// TestDecodeRefusesWhatNamesNoImage, also when it can be scanned.
func TestDecodeRefusesWhatNamesNoImage(t *testing.T) {
	t.Parallel()
	for name, img := range map[string]*artwork.Image{
		"no hash":   changed(func(img *artwork.Image) { img.Hash = artwork.Hash{} }),
		"no tag":    changed(func(img *artwork.Image) { img.Tag = "" }),
		"no type":   changed(func(img *artwork.Image) { img.MIMEType = "" }),
		"no source": changed(func(img *artwork.Image) { img.Source = 0 }),
	} {
		_, err := decode(strings.Replace(encoded(t, img), `"source":"",`, "", 1))
		require.Error(t, err, name)
	}
}

// FuzzScan: whatever is scanned, encoding/json reads as the same image.
func FuzzScan(f *testing.F) {
	f.Add(encoded(f, complete()))
	f.Add(encoded(f, numbered(1)))
	f.Add("{}")
	f.Fuzz(func(t *testing.T, value string) {
		scanned, ok := scan(value)
		if !ok {
			return
		}
		decoded, err := decodeAny(value)
		require.NoError(t, err)
		require.Equal(t, decoded, scanned)
	})
}

func BenchmarkDecode(b *testing.B) {
	value := encoded(b, complete())
	for name, read := range map[string]func(string) (*artwork.Image, error){"scan": decode, "json": decodeAny} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := read(value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
