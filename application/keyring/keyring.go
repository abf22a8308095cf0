// Package keyring derives the keys of every purpose from the deployment's secret,
// which can be replaced while what was sealed or signed under the one before still
// counts.
package keyring

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"gatefold/domain/artwork"
)

// MinSecret is the least length of a secret, in bytes.
const MinSecret = 32

const (
	keySize     = 32 // of AES-256, and of HMAC-SHA256
	sealVersion = 1  // the first byte of what is sealed: how it is
)

// Keyring holds the current secret and those before it.
//
// A key is derived for each purpose by HKDF-SHA256 (RFC 5869), with the purpose as
// info: what was made for one purpose is worth nothing for another. A Keyring is safe
// for concurrent use. Printed, it shows no secret.
type Keyring struct {
	secrets [][]byte // the current one first
}

// New returns a keyring. What is sealed and signed from now on is so under current;
// what was under one of the previous secrets is still accepted. A secret of less
// than MinSecret bytes is an InvalidInput error, which does not repeat it.
func New(current string, previous ...string) (*Keyring, error) {
	k := &Keyring{}
	for _, secret := range append([]string{current}, previous...) {
		if len(secret) < MinSecret {
			return nil, artwork.Errorf(artwork.InvalidInput, "a secret has at least %d characters, this one has %d", MinSecret, len(secret))
		}
		k.secrets = append(k.secrets, []byte(secret))
	}
	return k, nil
}

// Generate returns a new random secret: 256 bits, as 64 hexadecimal digits.
func Generate() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails, see crypto/rand
	return hex.EncodeToString(secret[:])
}

// String says nothing about the secrets.
func (*Keyring) String() string { return "keyring" }

// GoString says nothing about the secrets.
func (*Keyring) GoString() string { return "keyring" }

// Keys returns the keys of a purpose, of 32 bytes each: the one to use first, then
// those that are still accepted.
func (k *Keyring) Keys(purpose string) [][]byte {
	keys := make([][]byte, 0, len(k.secrets))
	for _, secret := range k.secrets {
		keys = append(keys, derive(secret, purpose))
	}
	return keys
}

func derive(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "gatefold "+purpose, keySize)
	if err != nil {
		panic(err) // a key of 32 bytes is never too long, see RFC 5869
	}
	return key
}

// Sign returns the HMAC-SHA256 of the message under the current key of the purpose.
func (k *Keyring) Sign(purpose string, message []byte) []byte {
	return sign(derive(k.secrets[0], purpose), message)
}

func sign(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

// Verify reports whether mac is what Sign returned of the message, under any of the
// secrets. It takes the same time wherever the two differ.
func (k *Keyring) Verify(purpose string, message, mac []byte) bool {
	for _, key := range k.Keys(purpose) {
		if hmac.Equal(sign(key, message), mac) {
			return true
		}
	}
	return false
}

// Seal encrypts and authenticates the plaintext under the current key of the purpose
// (AES-256-GCM with a random nonce), such that it can only be opened as what it is
// bound to: the name of its owner, say. What is sealed is 29 bytes longer than the
// plaintext. A key is good for 2^32 of them (NIST SP 800-38D, 8.3).
func (k *Keyring) Seal(purpose string, plaintext, bound []byte) ([]byte, error) {
	aead, err := cipherOf(derive(k.secrets[0], purpose))
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "keyring.Seal", err)
	}
	box := aead.Seal(nil, nil, plaintext, bound) //nolint:gosec // the cipher takes no nonce: it makes a random one
	return slices.Concat([]byte{sealVersion}, box), nil
}

// Open returns what was sealed for the purpose and bound to the same. If none of the
// secrets opens it, which a single changed bit is enough for, the error is
// InvalidInput.
func (k *Keyring) Open(purpose string, sealed, bound []byte) ([]byte, error) {
	plaintext, _, err := k.open(purpose, sealed, bound)
	return plaintext, err
}

// Reseal returns sealed under the current secret. It is returned as it is, and false,
// if it was so already. The errors are those of Open.
func (k *Keyring) Reseal(purpose string, sealed, bound []byte) ([]byte, bool, error) {
	plaintext, current, err := k.open(purpose, sealed, bound)
	if err != nil || current {
		return sealed, false, err
	}
	sealed, err = k.Seal(purpose, plaintext, bound)
	return sealed, err == nil, err
}

// open also reports whether the current secret was the one.
func (k *Keyring) open(purpose string, sealed, bound []byte) (plaintext []byte, current bool, err error) {
	box, ok := bytes.CutPrefix(sealed, []byte{sealVersion})
	if !ok {
		return nil, false, errUnopened
	}
	for i, key := range k.Keys(purpose) {
		aead, err := cipherOf(key)
		if err != nil {
			return nil, false, artwork.Wrap(artwork.Internal, "keyring.Open", err)
		}
		if plaintext, err := aead.Open(nil, nil, box, bound); err == nil {
			return plaintext, i == 0, nil
		}
	}
	return nil, false, errUnopened
}

var errUnopened = artwork.Wrap(artwork.InvalidInput, "keyring.Open",
	errors.New("none of the secrets opens it: it was sealed under another one, for something else, or changed since"))

func cipherOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
