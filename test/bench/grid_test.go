package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/jpeg"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/picturefixture"
	"gatefold/test/testenv"
)

// BenchmarkColdGrid has 16 clients ask two instances at once for the thumbs of 200 covers
// of 1500 x 1500 that were never rendered. Every one has to be answered, and each rendition
// to be rendered once.
func BenchmarkColdGrid(b *testing.B) {
	const covers, clients = 200, 16
	environ := []string{
		"DATABASE_URL=" + testenv.Postgres(b), "REDIS_URL=" + testenv.Redis(b), "IMAGE_CACHE=twolevel", "DATA_DIR=" + b.TempDir(),
		"RENDER_AHEAD=false", "LOG_LEVEL=debug",
	}
	fleet := []*server{startProgram(b, environ...), startProgram(b, environ...)}
	var original bytes.Buffer
	require.NoError(b, jpeg.Encode(&original, picturefixture.Photo(1500, 1500), &jpeg.Options{Quality: 90}))
	albums := fleet[0].seed(b, covers, func(n int) []byte { return marked(original.Bytes(), n) })
	before := []int{fleet[0].peak(b), fleet[1].peak(b)}
	once(b, "| covers | clients | answered | rendered | took | slowest answer | peak MB before, after |", func() []string {
		times := askGrid(b, fleet, albums, clients)
		rendered := fleet[0].rendered.Load() + fleet[1].rendered.Load()
		require.EqualValues(b, covers, rendered, "each rendition is rendered once")
		return []string{fmt.Sprintf("| %d | %d | %d | %d | %.1f s | %.1f s | %d and %d, %d and %d |", covers, clients, len(times.each), rendered,
			times.all.Seconds(), quantile(times.each, 1), before[0], before[1], fleet[0].peak(b), fleet[1].peak(b))}
	})
}

type gridTimes struct {
	all  time.Duration
	each []float64 // seconds
}

// askGrid has every client ask for every cover, each beginning somewhere else. All have to
// get a thumb.
func askGrid(b *testing.B, fleet []*server, albums []string, clients int) (times gridTimes) {
	b.Helper()
	var asking sync.WaitGroup
	var mu sync.Mutex
	begin := time.Now()
	for client := range clients {
		asking.Go(func() {
			for i := range albums {
				album := albums[(i+client*len(albums)/clients)%len(albums)]
				asked := time.Now()
				_, header := fleet[client%len(fleet)].send(b, http.MethodGet, coverOf(album)+"?size=thumb", "", nil)
				require.Equal(b, "image/jpeg", header.Get("Content-Type"))
				mu.Lock()
				times.each = append(times.each, time.Since(asked).Seconds())
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	times.all = time.Since(begin)
	return times
}

// marked returns the JPEG with a comment, so that it is another one.
func marked(content []byte, n int) []byte {
	comment := fmt.Appendf(nil, "number %d", n)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xfe}, uint16(len(comment)+2))
	return bytes.Join([][]byte{content[:2], segment, comment, content[2:]}, nil)
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peak returns the most memory that the process has had so far, in MB.
func (s *server) peak(b *testing.B) int {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	require.NoError(b, err)
	match := highWater.FindSubmatch(status)
	require.NotNil(b, match)
	kilobytes, err := strconv.Atoi(string(match[1]))
	require.NoError(b, err)
	return kilobytes >> 10
}
