package findimages

import "context"

// Downloader fetches the bytes of a URL that a provider named, at most limit of them,
// from public addresses only.
type Downloader interface {
	Download(ctx context.Context, url string, limit int64) ([]byte, error)
}

// Hasher returns the perceptual hash of an image; any error means that it is none.
type Hasher interface {
	PerceptualHash(ctx context.Context, content []byte) (uint64, error)
}

// Thumbnails looks at pictures by downloading them.
type Thumbnails struct {
	downloader Downloader
	hasher     Hasher
}

var _ Fingerprinter = (*Thumbnails)(nil)

// NewThumbnails returns a Fingerprinter.
func NewThumbnails(downloader Downloader, hasher Hasher) *Thumbnails {
	return &Thumbnails{downloader, hasher}
}

// maxThumbnail is more than thumbnails have, and less than many originals.
const maxThumbnail = 2 << 20 // bytes

// Fingerprint implements Fingerprinter.
func (t *Thumbnails) Fingerprint(ctx context.Context, url string) (uint64, error) {
	content, err := t.downloader.Download(ctx, url, maxThumbnail)
	if err != nil {
		return 0, err
	}
	return t.hasher.PerceptualHash(ctx, content)
}
