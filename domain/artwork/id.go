package artwork

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 9562 defines version 5 UUIDs over SHA-1; nothing here depends on its collision resistance.
	"encoding/hex"
	"fmt"
)

// ID is a UUID: the name of a subject, of an image record or of anything else
// that other systems refer to. The zero value means "none".
type ID [16]byte

// idNamespace separates the identifiers that Gatefold derives from those that
// anybody else derives from the same names. It is part of the data format:
// changing it would give every imported subject a new identity.
var idNamespace = ID{0x6a, 0x1f, 0x0c, 0x5e, 0x2b, 0x7d, 0x4e, 0x0b, 0x9c, 0x35, 0x51, 0x8e, 0x7a, 0x44, 0xd2, 0x90}

// NewID returns a random UUID (version 4, RFC 9562).
func NewID() ID {
	var id ID
	// crypto/rand.Read never fails: it ends the program if the system has no
	// randomness to give.
	_, _ = rand.Read(id[:])
	return id.stamp(4)
}

// DeriveID returns the UUID (version 5, RFC 9562) that belongs to the parts, in
// their order. Equal parts give equal identifiers on every machine.
func DeriveID(parts ...string) ID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(idNamespace[:])
	for _, part := range parts {
		// The length keeps ("ab", "c") and ("a", "bc") apart.
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	var id ID
	copy(id[:], h.Sum(nil))
	return id.stamp(5)
}

// ParseID reads the canonical form of a UUID, 36 characters with hyphens, in
// either case. Every other spelling (braces, URN, no hyphens) is an
// InvalidInput error, so that one subject has one name in URLs and cache keys.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, notAnID(s)
	}
	var digits [2 * len(id)]byte
	n := copy(digits[:], s[:8])
	n += copy(digits[n:], s[9:13])
	n += copy(digits[n:], s[14:18])
	n += copy(digits[n:], s[19:23])
	copy(digits[n:], s[24:])
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return ID{}, notAnID(s)
	}
	return id, nil
}

func notAnID(s string) error {
	if len(s) > 64 {
		s = s[:64] + "…"
	}
	return Errorf(InvalidInput, "%q is not a UUID", s)
}

// MustParseID is ParseID for constants: it panics on a malformed UUID.
func MustParseID(s string) ID {
	id, err := ParseID(s)
	if err != nil {
		panic(err)
	}
	return id
}

// IsZero reports whether the ID names nothing.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the canonical lower-case form.
func (id ID) String() string {
	var b [36]byte
	id.encode(&b)
	return string(b[:])
}

// MarshalText writes the canonical form; the zero ID is written empty.
func (id ID) MarshalText() ([]byte, error) {
	if id.IsZero() {
		return []byte{}, nil
	}
	var b [36]byte
	id.encode(&b)
	return b[:], nil
}

// UnmarshalText is ParseID; the empty text is the zero ID.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*id = ID{}
		return nil
	}
	parsed, err := ParseID(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

func (id ID) encode(b *[36]byte) {
	hex.Encode(b[0:8], id[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], id[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], id[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], id[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], id[10:16])
}

func (id ID) stamp(version byte) ID {
	id[6] = id[6]&0x0f | version<<4
	id[8] = id[8]&0x3f | 0x80
	return id
}
