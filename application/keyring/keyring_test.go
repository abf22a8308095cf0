package keyring_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/keyring"
	"gatefold/domain/artwork"
)

var (
	older = strings.Repeat("older secret ", 3)
	newer = strings.Repeat("newer secret ", 3)
)

func ring(t *testing.T, current string, previous ...string) *keyring.Keyring {
	t.Helper()
	k, err := keyring.New(current, previous...)
	require.NoError(t, err)
	return k
}

func TestASecretIsLongEnough(t *testing.T) {
	for _, secrets := range [][]string{{""}, {"short"}, {newer, "short"}} {
		_, err := keyring.New(secrets[0], secrets[1:]...)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
		require.NotContains(t, err.Error(), "short")
	}
}

func TestWhatIsSealedOpensOnlyAsWhatItIs(t *testing.T) {
	k := ring(t, newer)
	plaintext := []byte("a provider's key")
	sealed, err := k.Seal("provider keys", plaintext, []byte("fanarttv"))
	require.NoError(t, err)
	require.Len(t, sealed, len(plaintext)+29)
	require.False(t, bytes.Contains(sealed, plaintext))

	opened, err := k.Open("provider keys", sealed, []byte("fanarttv"))
	require.NoError(t, err)
	require.Equal(t, plaintext, opened)

	refused := func(what, purpose string, sealed []byte, bound string) {
		_, err := k.Open(purpose, sealed, []byte(bound))
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), what)
	}
	refused("another purpose", "cookies", sealed, "fanarttv")
	refused("bound to another", "provider keys", sealed, "discogs")
	refused("nothing", "provider keys", nil, "fanarttv")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), "provider keys", changed, "fanarttv")
		refused(fmt.Sprintf("%d bytes", i), "provider keys", sealed[:i], "fanarttv")
	}
}

func TestTheSameIsNeverSealedToTheSame(t *testing.T) {
	k := ring(t, newer)
	first, err := k.Seal("p", []byte("x"), nil)
	require.NoError(t, err)
	second, err := k.Seal("p", []byte("x"), nil)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
}

func TestASecretIsReplacedWithOverlap(t *testing.T) {
	before, during, after := ring(t, older), ring(t, newer, older), ring(t, newer)
	sealed, err := before.Seal("p", []byte("x"), nil)
	require.NoError(t, err)
	mac := before.Sign("p", []byte("m"))

	opened, err := during.Open("p", sealed, nil)
	require.NoError(t, err)
	require.Equal(t, []byte("x"), opened)
	require.True(t, during.Verify("p", []byte("m"), mac))

	_, err = after.Open("p", sealed, nil)
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	require.False(t, after.Verify("p", []byte("m"), mac))

	resealed, changed, err := during.Reseal("p", sealed, nil)
	require.NoError(t, err)
	require.True(t, changed)
	opened, err = after.Open("p", resealed, nil)
	require.NoError(t, err)
	require.Equal(t, []byte("x"), opened)

	again, changed, err := during.Reseal("p", resealed, nil)
	require.NoError(t, err)
	require.False(t, changed, "it is so already")
	require.Equal(t, resealed, again)
	require.True(t, after.Verify("p", []byte("m"), during.Sign("p", []byte("m"))), "signed under the current one")
}

func TestKeysAreOfTheirPurpose(t *testing.T) {
	k := ring(t, newer, older)
	require.Len(t, k.Keys("p"), 2)
	require.Len(t, k.Keys("p")[0], 32)
	require.NotEqual(t, k.Keys("p")[0], k.Keys("q")[0])
	require.Equal(t, ring(t, newer).Keys("p")[0], k.Keys("p")[0], "the current one is the first")
	require.False(t, k.Verify("q", []byte("m"), k.Sign("p", []byte("m"))))
	require.False(t, k.Verify("p", []byte("n"), k.Sign("p", []byte("m"))))
}

func TestAKeyringDoesNotPrintItsSecrets(t *testing.T) {
	k := ring(t, newer, older)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, "keyring", fmt.Sprintf(format, k))
	}
}

func TestAGeneratedSecretIsGood(t *testing.T) {
	secret := keyring.Generate()
	ring(t, secret)
	require.NotEqual(t, secret, keyring.Generate())
}
