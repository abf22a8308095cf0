package previewimage

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/keyring"
	"gatefold/application/signimages"
	"gatefold/domain/artwork"
)

const offered = "https://images.example/cover.jpg?size=250"

var (
	noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	one  = strings.Repeat("1", keyring.MinSecret)
	two  = strings.Repeat("2", keyring.MinSecret)
)

// world is what is downloaded, and what was asked for.
type world struct {
	content []byte
	err     error
	limit   int64
	asked   []string
}

func (w *world) Download(_ context.Context, url string, limit int64) ([]byte, error) {
	w.asked, w.limit = append(w.asked, url), limit
	return w.content, w.err
}

// Inspect takes what begins with "image" for one.
func (w *world) Inspect(_ context.Context, content []byte) (artwork.Content, error) {
	if !strings.HasPrefix(string(content), "image") {
		return artwork.Content{}, artwork.Errorf(artwork.UnsupportedImage, "no image")
	}
	return artwork.Content{MIMEType: "image/webp"}, nil
}

func newPreviews(t *testing.T, w *world, at time.Time, secret string, previous ...string) *Previews {
	t.Helper()
	keys, err := keyring.New(secret, previous...)
	require.NoError(t, err)
	p := New(keys, w, w)
	p.now = func() time.Time { return at }
	return p
}

func TestWhatWasOfferedIsPreviewed(t *testing.T) {
	t.Parallel()
	w := &world{content: []byte("image of a cover")}
	p := newPreviews(t, w, noon, one)
	preview, err := p.Run(t.Context(), offered, p.Ticket(offered))
	require.NoError(t, err)
	require.Equal(t, Preview{w.content, "image/webp"}, preview)
	require.Equal(t, []string{offered}, w.asked)
	require.EqualValues(t, MaxBytes, w.limit)
}

// TestOnlyWhatWasOfferedIsAskedFor: whoever makes up an address or a ticket has this
// server ask nobody.
func TestOnlyWhatWasOfferedIsAskedFor(t *testing.T) {
	t.Parallel()
	w := &world{content: []byte("image")}
	p := newPreviews(t, w, noon, one)
	ticket := p.Ticket(offered)
	later := strconv.FormatInt(noon.Add(24*time.Hour).Unix(), 10)
	keys, err := keyring.New(one)
	require.NoError(t, err)
	signed := signimages.New(keys).Sign(offered, noon.Add(time.Hour))
	for name, try := range map[string]struct {
		url    string
		ticket Ticket
	}{
		"no ticket":              {offered, Ticket{}},
		"another URL":            {"http://169.254.169.254/latest/meta-data/", ticket},
		"another query":          {strings.Replace(offered, "250", "500", 1), ticket},
		"no URL":                 {"", ticket},
		"a later end":            {offered, Ticket{later, ticket.MAC}},
		"an end of another form": {offered, Ticket{"+" + ticket.Expires, ticket.MAC}},
		"no end":                 {offered, Ticket{"", ticket.MAC}},
		"half a MAC":             {offered, Ticket{ticket.Expires, ticket.MAC[:20]}},
		"no base64":              {offered, Ticket{ticket.Expires, ticket.MAC + "%"}},
		"another MAC":            {offered, Ticket{ticket.Expires, p.Ticket(offered + "#").MAC}},
		"a line moved":           {"x\n" + offered, ticket},
		"of another purpose":     {offered, Ticket{signed.Expires, signed.MAC}},
	} {
		_, err := p.Run(t.Context(), try.url, try.ticket)
		require.Equal(t, artwork.Forbidden, artwork.KindOf(err), name)
		require.ErrorContains(t, err, "no address that a search has offered", name)
	}
	_, err = newPreviews(t, w, noon, two).Run(t.Context(), offered, ticket)
	require.Equal(t, artwork.Forbidden, artwork.KindOf(err), "another deployment")
	require.Empty(t, w.asked)

	_, err = newPreviews(t, w, noon, two, one).Run(t.Context(), offered, ticket)
	require.NoError(t, err, "the secret before this one still counts")
}

func TestATicketLastsForItsTerm(t *testing.T) {
	t.Parallel()
	w := &world{content: []byte("image")}
	ticket := newPreviews(t, w, noon, one).Ticket(offered)
	require.Equal(t, ticket, newPreviews(t, w, noon.Add(Term/2-2*time.Second), one).Ticket(offered), "a browser finds its copy again")
	_, err := newPreviews(t, w, noon.Add(Term), one).Run(t.Context(), offered, ticket)
	require.NoError(t, err)
	w.asked = nil
	_, err = newPreviews(t, w, noon.Add(Term+Term/2+time.Second), one).Run(t.Context(), offered, ticket)
	require.Equal(t, artwork.Forbidden, artwork.KindOf(err))
	require.ErrorContains(t, err, "expired")
	require.Empty(t, w.asked)
}

func TestWhatIsNoImageIsNotShown(t *testing.T) {
	t.Parallel()
	w := &world{content: []byte("<html>")}
	p := newPreviews(t, w, noon, one)
	_, err := p.Run(t.Context(), offered, p.Ticket(offered))
	require.Equal(t, artwork.UnsupportedImage, artwork.KindOf(err))

	w.err = artwork.Errorf(artwork.TooLarge, "too much")
	_, err = p.Run(t.Context(), offered, p.Ticket(offered))
	require.Equal(t, artwork.TooLarge, artwork.KindOf(err))
}

// TestSoManyAtATime: who comes when the room is full waits, and may leave.
func TestSoManyAtATime(t *testing.T) {
	t.Parallel()
	w := &world{content: []byte("image")}
	p := newPreviews(t, w, noon, one)
	for range atOnce {
		p.room <- struct{}{}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	_, err := p.Run(ctx, offered, p.Ticket(offered))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, w.asked)
	<-p.room
	_, err = p.Run(t.Context(), offered, p.Ticket(offered))
	require.NoError(t, err)
	require.Len(t, p.room, atOnce-1, "the place is free again")
}
