package artwork

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzParse: what is accepted as a name is the one name that there is of the
// thing, but for the case of hexadecimal digits; what is not is the caller's fault.
func FuzzParse(f *testing.F) {
	id := MustParseID("6d1d3b8e-3c1e-4a55-8a63-5a0f5a1f2c11")
	for _, key := range append(Artist(id).Keys(), append(Album(id).Keys(), User(id).Keys()...)...) {
		f.Add(key.String())
		f.Add(strings.ToUpper(key.String()))
		f.Add(strings.Replace(key.String(), id.String(), strings.ToUpper(id.String()), 1))
		f.Add(key.Type.String())
		f.Add(key.Type.Slot().String())
	}
	for _, seed := range []string{
		"", id.String(), strings.ToUpper(id.String()), "{" + id.String() + "}", "urn:uuid:" + id.String(), strings.ReplaceAll(id.String(), "-", ""),
		HashOf(nil).String(), strings.ToUpper(HashOf(nil).String()), "artist", "album", "user", "local", "external", "custom", "redis", "twolevel", "\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		requireNamed(t, strings.ToLower(s), id.String(), err)
		hash, err := ParseHash(s)
		requireNamed(t, strings.ToLower(s), hash.String(), err)
		key, err := ParseKey(s)
		requireNamed(t, s, key.String(), err)
		slot, err := ParseSlot(s)
		requireNamed(t, s, slot.String(), err)
		kind, err := ParseSubjectKind(s)
		requireNamed(t, s, kind.String(), err)
		source, err := ParseSource(s)
		requireNamed(t, s, source.String(), err)
		typ, err := ParseArtistType(s)
		requireNamed(t, s, typ.String(), err)
		mode, err := ParseCacheMode(s)
		requireNamed(t, s, string(mode), err)
		if slot, err := ParseArtistSlot(s); err == nil {
			require.True(t, ArtistSubject.Has(slot))
		}
	})
}

// requireNamed checks that a name was refused properly, or that it is the name of
// what was read.
func requireNamed(t *testing.T, name, again string, err error) {
	t.Helper()
	if err != nil {
		require.Equal(t, InvalidInput, KindOf(err))
		return
	}
	require.Equal(t, name, again)
}

// FuzzCleanFileName: whatever a file was called, what is shown of it is text that
// leads nowhere, and cleaning it again changes nothing.
func FuzzCleanFileName(f *testing.F) {
	for _, seed := range []string{
		"", "cover.jpg", "../../etc/passwd", `C:\covers\a.png`, "a/\x00b", "\xff\xfe", "bell\a.jpg", strings.Repeat("é", 300), "a\u0085b", "..", "a\xff\x01\xffb", "\u202egpj.exe",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		cleaned := CleanFileName(name)
		require.NoError(t, CheckText("name", cleaned))
		require.LessOrEqual(t, utf8.RuneCountInString(cleaned), maxFileName)
		require.False(t, strings.ContainsAny(cleaned, `/\`))
		require.False(t, strings.ContainsFunc(cleaned, unicode.IsControl))
		require.Equal(t, cleaned, CleanFileName(cleaned))
		if utf8.ValidString(name) && utf8.RuneCountInString(name) <= maxFileName && !strings.ContainsAny(name, `/\`) && !strings.ContainsFunc(name, unicode.IsControl) {
			require.Equal(t, name, cleaned, "what is clean stays as it is")
		}
	})
}
