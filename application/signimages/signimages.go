// Package signimages makes and checks URLs under which an image that is not public can
// be had for a while, by an <img> that cannot send a credential.
package signimages

import (
	"encoding/base64"
	"strconv"
	"time"

	"gatefold/application/keyring"
	"gatefold/domain/artwork"
)

// For how long a URL may be signed.
const (
	MinTerm     = time.Minute
	MaxTerm     = 24 * time.Hour
	DefaultTerm = time.Hour
)

// MaxPaths is how many paths may be signed at once.
const MaxPaths = 1000

// purpose is that of the key: what is signed with it is nothing but this.
const purpose = "signed image URLs"

// Signer signs paths. It is safe for concurrent use.
type Signer struct {
	keys *keyring.Keyring
	now  func() time.Time
}

// New returns a signer with the deployment's keys: every instance accepts what
// another has signed.
func New(keys *keyring.Keyring) *Signer { return &Signer{keys: keys, now: time.Now} }

// Signature lets who has it read the image at one path. Both parts are as they stand
// in a URL.
type Signature struct {
	Expires string // Unix seconds
	MAC     string
}

// Until returns when what is signed now for the term expires: after the term, and by up
// to half of it later, at a moment that all who sign in the meantime share. So that the
// same image keeps the same URL for a while, and a browser its copy. InvalidInput: the
// term is shorter than MinTerm or longer than MaxTerm.
func (s *Signer) Until(term time.Duration) (time.Time, error) {
	if term < MinTerm || term > MaxTerm {
		return time.Time{}, artwork.Errorf(artwork.InvalidInput, "a URL can be signed for %d to %d seconds", int(MinTerm.Seconds()), int(MaxTerm.Seconds()))
	}
	step := int64(term / 2 / time.Second)
	least := s.now().Add(term).Unix() + 1 // of which the fraction is not known
	return time.Unix((least+step-1)/step*step, 0).UTC(), nil
}

// Sign signs the path, as it is without a query. What the query asks for, a size or a
// format, is the same image: it may vary.
func (s *Signer) Sign(path string, expires time.Time) Signature {
	text := strconv.FormatInt(expires.Unix(), 10)
	mac := s.keys.Sign(purpose, message(path, text))
	return Signature{Expires: text, MAC: base64.RawURLEncoding.EncodeToString(mac)}
}

// Check returns nil if the signature is one of the path that has not expired, and a
// Forbidden error that says which of both it is. It takes the same time wherever a
// wrong one differs from the right one; that it has expired is only said of a right one.
func (s *Signer) Check(path string, signature Signature) error {
	expires := signature.Expires
	at, err := strconv.ParseInt(expires, 10, 64)
	sum, macErr := base64.RawURLEncoding.Strict().DecodeString(signature.MAC)
	if err != nil || macErr != nil || !s.keys.Verify(purpose, message(path, expires), sum) {
		return artwork.Errorf(artwork.Forbidden, "the signature of this URL is not valid")
	}
	if !s.now().Before(time.Unix(at, 0)) {
		return artwork.Errorf(artwork.Forbidden, "the signature of this URL has expired; sign the path again")
	}
	return nil
}

// message is what is signed. No path has a line break.
func message(path, expires string) []byte { return []byte(path + "\n" + expires) }
