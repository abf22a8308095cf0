package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

// BenchmarkFilePath compares the ways in which a handler of gin can answer with a file
// that is in the page cache, by its size: as http.ServeContent does, by sendfile, which is
// behind gin's writer, and from a descriptor that stays open through a buffer that is
// used again. Every row is a median over rounds, and the ratio of a round's.
func BenchmarkFilePath(b *testing.B) {
	gin.SetMode(gin.ReleaseMode)
	for _, size := range []int{12 << 10, 30 << 10, 64 << 10, 200 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "file")
			require.NoError(b, os.WriteFile(path, make([]byte, size), 0o600))
			once(b, "| asked for | of | requests/s | against ServeContent | CPU µs/request |", func() []string {
				var contenders []*server
				var loads []string
				for _, way := range fileWays(b, path) {
					s := &server{name: way.name, base: serveFile(b, way.handler), pid: os.Getpid()}
					contenders, loads = append(contenders, s), append(loads, s.load(b, []string{"/"}, false))
				}
				return competeServing(b, fmt.Sprintf("%d KB", size>>10), contenders, loads)
			})
		})
	}
}

type fileWay struct {
	name    string
	handler gin.HandlerFunc
}

func fileWays(b *testing.B, path string) []fileWay {
	b.Helper()
	kept, err := os.Open(path)
	require.NoError(b, err)
	b.Cleanup(func() { _ = kept.Close() })
	opened := func(serve func(f *os.File, size int64)) {
		f, err := os.Open(path)
		if err != nil {
			panic(err)
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil {
			panic(err)
		}
		serve(f, info.Size())
	}
	return []fileWay{
		{"http.ServeContent", func(c *gin.Context) {
			opened(func(f *os.File, _ int64) {
				c.Header("Content-Type", "image/jpeg")
				http.ServeContent(c.Writer, c.Request, "", time.Time{}, f)
			})
		}},
		{"sendfile", func(c *gin.Context) {
			opened(func(f *os.File, size int64) {
				describeFile(c, size)
				_, _ = behind(c.Writer).(io.ReaderFrom).ReadFrom(f)
			})
		}},
		{"kept descriptor, 32 KB buffer", keptFile(kept, 32<<10)},
		{"kept descriptor, 256 KB buffer", keptFile(kept, 256<<10)},
	}
}

func describeFile(c *gin.Context, size int64) {
	c.Header("Content-Type", "image/jpeg")
	c.Header("Content-Length", strconv.FormatInt(size, 10))
	c.Status(http.StatusOK)
	c.Writer.WriteHeaderNow()
}

// behind returns the writer of net/http, which can send files.
func behind(w http.ResponseWriter) http.ResponseWriter {
	for {
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return w
		}
		w = inner.Unwrap()
	}
}

func keptFile(kept *os.File, buffer int) gin.HandlerFunc {
	buffers := sync.Pool{New: func() any { b := make([]byte, buffer); return &b }}
	return func(c *gin.Context) {
		info, err := kept.Stat() // is it the one that is there?
		if err != nil {
			panic(err)
		}
		describeFile(c, info.Size())
		b, _ := buffers.Get().(*[]byte)
		defer buffers.Put(b)
		for at := int64(0); at < info.Size(); {
			n, err := kept.ReadAt((*b)[:min(int64(len(*b)), info.Size()-at)], at)
			if n == 0 {
				panic(err)
			}
			if _, err := c.Writer.Write((*b)[:n]); err != nil {
				return
			}
			at += int64(n)
		}
	}
}

func serveFile(b *testing.B, handler gin.HandlerFunc) string {
	b.Helper()
	engine := gin.New()
	engine.GET("/", handler)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(b, err)
	s := &http.Server{Handler: engine, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(listener) }()
	b.Cleanup(func() { _ = s.Close() })
	return "http://" + listener.Addr().String()
}
