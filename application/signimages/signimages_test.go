package signimages

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/keyring"
	"gatefold/domain/artwork"
)

const path = "/api/images/albums/7f1c2a52-8a3c-4a5e-9d3e-1c2b3a4d5e6f/cover"

func newSigner(t *testing.T, at time.Time, secret string, previous ...string) *Signer {
	t.Helper()
	keys, err := keyring.New(secret, previous...)
	require.NoError(t, err)
	s := New(keys)
	s.now = func() time.Time { return at }
	return s
}

var (
	noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	one  = strings.Repeat("1", keyring.MinSecret)
	two  = strings.Repeat("2", keyring.MinSecret)
)

func requireForbidden(t *testing.T, err error, word string) {
	t.Helper()
	require.Equal(t, artwork.Forbidden, artwork.KindOf(err))
	require.ErrorContains(t, err, word)
}

func TestASignatureIsForOnePathAndATime(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, noon, one)
	expires := noon.Add(time.Hour)
	signature := signer.Sign(path, expires)
	require.NoError(t, signer.Check(path, signature))
	require.NoError(t, newSigner(t, expires.Add(-1), one).Check(path, signature))
	requireForbidden(t, newSigner(t, expires, one).Check(path, signature), "expired")

	for name, wrong := range map[string]Signature{
		"nothing":       {},
		"no MAC":        {Expires: signature.Expires},
		"no expiry":     {MAC: signature.MAC},
		"later":         {Expires: signer.Sign(path, expires.Add(time.Second)).Expires, MAC: signature.MAC},
		"another text":  {Expires: "0" + signature.Expires, MAC: signature.MAC},
		"no number":     {Expires: "soon", MAC: signature.MAC},
		"half a MAC":    {Expires: signature.Expires, MAC: signature.MAC[:20]},
		"another MAC":   {Expires: signature.Expires, MAC: strings.ToLower(signature.MAC)},
		"no base64":     {Expires: signature.Expires, MAC: signature.MAC + "%"},
		"an empty MAC":  {Expires: signature.Expires, MAC: ""},
		"stretched":     {Expires: signature.Expires, MAC: signature.MAC + "AAAA"},
		"expired, too":  {Expires: "1", MAC: signature.MAC},
		"a line of two": {Expires: "\n" + signature.Expires, MAC: signature.MAC},
	} {
		requireForbidden(t, signer.Check(path, wrong), "not valid")
		require.NotContains(t, signer.Check(path, wrong).Error(), signature.MAC, name)
	}
	requireForbidden(t, signer.Check(strings.Replace(path, "/cover", "/custom", 1), signature), "not valid")
	requireForbidden(t, signer.Check("", signature), "not valid")
}

// TestASecretIsReplacedWithOverlap: what the one before it signed still counts.
func TestASecretIsReplacedWithOverlap(t *testing.T) {
	t.Parallel()
	signature := newSigner(t, noon, one).Sign(path, noon.Add(time.Hour))
	require.NoError(t, newSigner(t, noon, two, one).Check(path, signature))
	requireForbidden(t, newSigner(t, noon, two).Check(path, signature), "not valid")
	require.NotEqual(t, signature, newSigner(t, noon, two, one).Sign(path, noon.Add(time.Hour)))
}

// TestWhatIsSignedForAnotherPurposeIsNoURL, although the secret is the same.
func TestWhatIsSignedForAnotherPurposeIsNoURL(t *testing.T) {
	t.Parallel()
	keys, err := keyring.New(one)
	require.NoError(t, err)
	signer := newSigner(t, noon, one)
	expires := signer.Sign(path, noon.Add(time.Hour)).Expires
	for _, other := range []string{"", "sessions", "image"} {
		mac := base64.RawURLEncoding.EncodeToString(keys.Sign(other, message(path, expires)))
		requireForbidden(t, signer.Check(path, Signature{expires, mac}), "not valid")
	}
}

// TestURLsStayTheSameForAWhile: they last for as long as was asked, and at most half of
// that longer; so that a browser can keep what is under them.
func TestURLsStayTheSameForAWhile(t *testing.T) {
	t.Parallel()
	for _, term := range []time.Duration{MinTerm, 61 * time.Second, DefaultTerm, MaxTerm} {
		seen := map[time.Time]bool{}
		for at := noon.Add(time.Millisecond); at.Before(noon.Add(term)); at = at.Add(term / 97) {
			expires, err := newSigner(t, at, one).Until(term)
			require.NoError(t, err)
			require.False(t, expires.Before(at.Add(term)))
			require.LessOrEqual(t, expires.Sub(at), term*3/2+time.Second)
			require.Zero(t, expires.Nanosecond())
			seen[expires] = true
		}
		require.LessOrEqual(t, len(seen), 4, term)
	}
	for _, wrong := range []time.Duration{-1, 0, MinTerm - 1, MaxTerm + 1} {
		_, err := newSigner(t, noon, one).Until(wrong)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	}
}
