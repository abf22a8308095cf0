package rediscache

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

var compressions = []Compression{NoCompression, LZ4, Snappy, Zstd}

// long is a value that is worth compressing.
func long() string { return `{"a":"` + strings.Repeat("all work and no play ", 100) + `"}` }

func TestCompressionRoundTrip(t *testing.T) {
	noise := make([]byte, 4000)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	for _, c := range compressions {
		for name, value := range map[string]string{"long": long(), "short": `{"a":1}`, "absent": absentValue, "noise": "{" + string(noise)} {
			stored := c.compress(value)
			require.LessOrEqual(t, len(stored), len(value), "%s %s", c, name)
			require.Equal(t, c != NoCompression && name == "long", stored != value, "%s %s", c, name)
			plain, err := decompress(stored)
			require.NoError(t, err)
			require.Equal(t, value, plain, "%s %s", c, name)
		}
	}
}

func TestDecompressIsBounded(t *testing.T) {
	bomb := "{" + strings.Repeat("0", 10<<20)
	for _, c := range compressions[1:] {
		stored := c.compress(bomb)
		require.Less(t, len(stored), 1<<20)
		_, err := decompress(stored)
		require.Error(t, err, c)
	}
}

func TestCompressionCheck(t *testing.T) {
	for _, c := range append(compressions, "") {
		require.NoError(t, c.Check())
	}
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(Compression("gzip").Check()))
}

// TestInstancesReadEachOthersCompression: the setting can be changed while
// others run.
func TestInstancesReadEachOthersCompression(t *testing.T) {
	server := testenv.RedisServer(t)
	img := coverNumber(3)
	img.Provider = strings.Repeat("a provider with a very long name ", 64)
	for _, c := range compressions {
		writer := openOn(t, server.Addr, &changeLog{})
		writer.compression = c
		require.NoError(t, writer.Ready(t.Context()))
		require.NoError(t, writer.Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error { return nil }))
		_, err := writer.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return img, nil })
		require.NoError(t, err)
		first := operatorOf(t, server.Addr).Get(t.Context(), key.String()).Val()[0]
		require.Equal(t, map[Compression]byte{NoCompression: '{', LZ4: '4', Snappy: 'S', Zstd: 'Z'}[c], first)
		for _, other := range compressions {
			reader := openOn(t, server.Addr, &changeLog{})
			reader.compression = other
			require.NoError(t, reader.Ready(t.Context()))
			answer, err := reader.Fetch(t.Context(), key, loadCover(1))
			require.NoError(t, err)
			require.Equal(t, artwork.Shared, answer.Level)
			require.Equal(t, img, answer.Image)
		}
	}
}

// FuzzDecode: whatever is in Redis, reading it neither panics nor takes much
// memory, and what it is read as says the same when it is written again.
func FuzzDecode(f *testing.F) {
	for _, c := range compressions {
		f.Add(c.compress(long()))
	}
	value, err := encode(coverNumber(1))
	require.NoError(f, err)
	for _, seed := range []string{value, absentValue, "{", "{}", "4", "S", "Z", "4\xff\xff", `{"hash":"zz"}`, "Labc", "Fabc@1|", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		plain, err := decompress(stored)
		if err == nil && len(plain) > max(maxValue, len(stored)) {
			t.Errorf("decompressed to %d bytes", len(plain))
		}
		img, err := decode(stored)
		if err != nil || img == nil {
			require.True(t, err != nil || stored == absentValue)
			return
		}
		if img.Hash.IsZero() || img.Tag == "" {
			t.Errorf("decoded to an image without identity: %+v", img)
		}
		again, err := decode(encoded(t, img))
		require.NoError(t, err)
		require.Equal(t, encoded(t, img), encoded(t, again))
	})
}
