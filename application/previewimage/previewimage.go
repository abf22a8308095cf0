// Package previewimage shows people what a provider offers before anything is decided
// about it, without their browsers asking the provider: whoever looks stays unknown to
// it, and pages need load nothing from elsewhere.
package previewimage

import (
	"context"
	"encoding/base64"
	"strconv"
	"time"

	"gatefold/application/keyring"
	"gatefold/domain/artwork"
)

const (
	// Term is for how long an address can be previewed at least after it was offered;
	// it is up to half of that longer.
	Term = time.Hour
	// MaxBytes is the most that is downloaded for one preview: as much as can be applied.
	MaxBytes = 20 << 20
	// atOnce is how many downloads run at a time in one process. Others wait.
	atOnce = 8
	// purpose is that of the key: what is signed with it is nothing but this.
	purpose = "previews of candidates"
)

// Downloader fetches the bytes of a URL, at most limit of them, from public addresses
// only. Errors are ForbiddenURL, NotFound, TooLarge, DownloadFailed, or ctx's.
type Downloader interface {
	Download(ctx context.Context, url string, limit int64) ([]byte, error)
}

// Inspector says what an image is, having decoded it. Errors are UnsupportedImage,
// CorruptImage, ImageTooLarge, or ctx's.
type Inspector interface {
	Inspect(ctx context.Context, content []byte) (artwork.Content, error)
}

// Ticket lets who has it preview one URL for a while. Both parts are as they stand in a
// query.
type Ticket struct {
	Expires string // Unix seconds
	MAC     string
}

// Preview is an image of somebody else's: it is shown, and not kept.
type Preview struct {
	Content  []byte
	MIMEType string // what the content is, whatever its server has said
}

// Previews issues tickets for the URLs that providers have offered, and downloads for
// who brings one. It is safe for concurrent use.
type Previews struct {
	keys       *keyring.Keyring
	downloader Downloader
	inspector  Inspector
	room       chan struct{}
	now        func() time.Time
}

// New returns previews with the deployment's keys: every instance takes the tickets of
// all others.
func New(keys *keyring.Keyring, downloader Downloader, inspector Inspector) *Previews {
	return &Previews{keys, downloader, inspector, make(chan struct{}, atOnce), time.Now}
}

// Ticket returns one for a URL that a provider has offered. For half of Term, the same
// URL has the same one, so that a browser finds its copy again.
func (p *Previews) Ticket(url string) Ticket {
	const step = int64(Term / 2 / time.Second)
	least := p.now().Add(Term).Unix() + 1 // of which the fraction is not known
	expires := strconv.FormatInt((least+step-1)/step*step, 10)
	return Ticket{expires, base64.RawURLEncoding.EncodeToString(p.keys.Sign(purpose, message(url, expires)))}
}

// Run downloads what is at the URL and checks that it is an image. Forbidden: the ticket
// is not one for this URL, or has expired; nobody was asked. All other errors are those
// of Downloader and Inspector.
func (p *Previews) Run(ctx context.Context, url string, ticket Ticket) (Preview, error) {
	if err := p.check(url, ticket); err != nil {
		return Preview{}, err
	}
	select {
	case p.room <- struct{}{}:
		defer func() { <-p.room }()
	case <-ctx.Done():
		return Preview{}, ctx.Err()
	}
	content, err := p.downloader.Download(ctx, url, MaxBytes)
	if err != nil {
		return Preview{}, err
	}
	about, err := p.inspector.Inspect(ctx, content)
	if err != nil {
		return Preview{}, err
	}
	return Preview{content, about.MIMEType}, nil
}

// check takes the same time wherever a wrong ticket differs from the right one; that one
// has expired is only said of a right one.
func (p *Previews) check(url string, ticket Ticket) error {
	at, err := strconv.ParseInt(ticket.Expires, 10, 64)
	sum, macErr := base64.RawURLEncoding.Strict().DecodeString(ticket.MAC)
	if err != nil || macErr != nil || !p.keys.Verify(purpose, message(url, ticket.Expires), sum) {
		return artwork.Errorf(artwork.Forbidden, "this is no address that a search has offered: only those can be previewed")
	}
	if !p.now().Before(time.Unix(at, 0)) {
		return artwork.Errorf(artwork.Forbidden, "the offer of this address has expired; search again")
	}
	return nil
}

// message is what is signed. What expires is digits and no line break: it cannot be
// taken for a part of the URL.
func message(url, expires string) []byte { return []byte(expires + "\n" + url) }
