package rest

import (
	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"gatefold/application/applyimage"
	"gatefold/application/limitrequests"
	"gatefold/domain/artwork"
)

// WithUploadRoom bounds how many bytes the bodies of uploads may have that are read and
// checked at the same time, all together: beyond it, uploads are told to come again. It
// is at least MinUploadRoom.
func WithUploadRoom(bytes int64) Option {
	return func(r *Router) { r.uploadRoom = semaphore.NewWeighted(max(bytes, MinUploadRoom)) }
}

// MinUploadRoom is what one upload may take.
const MinUploadRoom = applyimage.MaxImageBytes + maxFraming

// room has the handler of a route that takes an upload run only while there is room for
// its body: as long as the client says that it is, or as long as it may be. Other
// routes need no handler for it.
func (r *Router) room(method, path string) gin.HandlerFunc {
	most := int64(MinUploadRoom)
	switch limitClass(method, path) {
	case limitrequests.Uploads:
	case limitrequests.Avatars:
		most = applyimage.MaxAvatarBytes + maxFraming
	default:
		return nil
	}
	if r.uploadRoom == nil {
		return nil
	}
	return func(c *gin.Context) {
		needed := c.Request.ContentLength
		if needed < 0 || needed > most {
			needed = most // of what is longer, no more is read
		}
		if !r.uploadRoom.TryAcquire(needed) {
			r.fail(c, artwork.Errorf(artwork.Unavailable, "too many bytes are being uploaded at the same time; try again in some seconds"))
			return
		}
		defer r.uploadRoom.Release(needed)
		c.Next()
	}
}
