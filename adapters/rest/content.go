package rest

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/domain/artwork"
)

// inOnePiece is content that writes itself at once, without a buffer in between.
type inOnePiece interface {
	io.WriterTo
	Size() int64
}

// serveContent answers as the conditions and the range of the request want it
// (RFC 9110, sections 13 and 14).
func serveContent(c *gin.Context, modified time.Time, content io.ReadSeeker) error {
	if piece, ok := content.(inOnePiece); ok && unconditional(c.Request.Header) {
		return serveWhole(c, piece)
	}
	normalise(c.Request)
	protectImage(c.Writer.Header())
	w := &refusingWriter{ResponseWriter: c.Writer}
	http.ServeContent(w, c.Request, "", modified, content)
	switch w.refused {
	case http.StatusPreconditionFailed:
		return withoutContent(c, artwork.Errorf(artwork.PreconditionFailed, "another image is served here"))
	case http.StatusRequestedRangeNotSatisfiable:
		size, err := content.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		c.Header("Content-Range", fmt.Sprintf("bytes */%d", size))
		return withoutContent(c, &rangeError{size})
	default:
		return nil
	}
}

// unconditional reports whether a request wants all of the content, whatever it is.
func unconditional(header http.Header) bool {
	for _, name := range [...]string{"Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"} {
		if len(header[name]) > 0 {
			return false
		}
	}
	return true
}

// serveWhole answers as http.ServeContent does a request without conditions, which is
// what nearly all are. That one copies through a buffer of its own.
func serveWhole(c *gin.Context, content inOnePiece) error {
	header := c.Writer.Header()
	header["Accept-Ranges"] = bytesUnit
	header["Content-Length"] = []string{strconv.FormatInt(content.Size(), 10)}
	if c.Request.Method == http.MethodHead {
		sendHeader(c, http.StatusOK, nil)
		return nil
	}
	sendHeader(c, http.StatusOK, func() {
		// Of an answer that is not whole the server closes the connection.
		sink := fileSink(c, content.Size())
		sent, _ := content.WriteTo(sink)
		if sink != c.Writer {
			c.Set(sentKey, sent)
		}
	})
	return nil
}

// sendHeader sends the header of an image, and then what content writes; nil: nothing.
func sendHeader(c *gin.Context, status int, content func()) {
	c.Status(status)
	conn, ok := c.Request.Context().Value(connKey{}).(*Conn)
	if !ok { // of a server that has others
		protectImage(c.Writer.Header())
		c.Writer.WriteHeaderNow()
		if content != nil {
			content()
		}
		return
	}
	conn.answer(imageProtection, c.Writer.Header(), c.Writer.Flush, content)
}

const (
	// sentKey has how much was sent of which gin does not know.
	sentKey = "gatefold.sent"
	// worthSending is from which size on a file is better sent by the kernel.
	worthSending = 64 << 10
)

// fileSink returns what content of the size is written to best. gin's writer hides that
// the one behind it can send files.
func fileSink(c *gin.Context, size int64) io.Writer {
	if hiding, ok := c.Writer.(interface{ Unwrap() http.ResponseWriter }); ok && size > worthSending {
		if sender, ok := hiding.Unwrap().(*pacedWriter); ok {
			return sender
		}
	}
	return c.Writer
}

// maxRanges bounds the parts of an answer: each costs more than a byte of the image.
const maxRanges = 32

// normalise has http.ServeContent read what the header says: it takes one line of a
// list, and refuses what servers are to ignore.
func normalise(r *http.Request) {
	for _, name := range []string{"If-Match", "If-None-Match"} {
		if lines := r.Header.Values(name); len(lines) > 1 {
			r.Header.Set(name, strings.Join(lines, ", "))
		}
	}
	asked := r.Header.Get("Range")
	if asked == "" {
		return
	}
	unit, ranges, _ := strings.Cut(asked, "=")
	if r.Method != http.MethodGet || !strings.EqualFold(unit, "bytes") || strings.Count(ranges, ",") >= maxRanges {
		r.Header.Del("Range")
		return
	}
	r.Header.Set("Range", "bytes="+ranges)
}

// withoutContent takes back what was said of the image, and returns the error.
func withoutContent(c *gin.Context, err error) error {
	for _, name := range []string{"Content-Type", "Content-Length", "ETag", "Last-Modified", "Accept-Ranges"} {
		c.Writer.Header().Del(name)
	}
	return err
}

// refusingWriter keeps http.ServeContent from answering that it does not serve: errors
// are problem documents.
type refusingWriter struct {
	http.ResponseWriter
	refused int // 0: the answer has begun
}

// WriteHeader implements http.ResponseWriter.
func (w *refusingWriter) WriteHeader(status int) {
	if status == http.StatusPreconditionFailed || status == http.StatusRequestedRangeNotSatisfiable {
		w.refused = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *refusingWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// rangeError says that no part of an image is in the range that was asked for.
type rangeError struct{ size int64 }

// Error implements error.
func (e *rangeError) Error() string {
	return fmt.Sprintf("no byte of this range is there: the image has %d", e.size)
}
