package accesstoken_test

import (
	"crypto/sha256"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/accesstoken"
	"gatefold/domain/artwork"
)

func TestTokens(t *testing.T) {
	tokens := memory.NewRepository().Tokens()
	create, authenticate := accesstoken.NewCreate(tokens), accesstoken.NewAuthenticate(tokens, slog.New(slog.DiscardHandler))
	secret, err := create.Run(t.Context(), artwork.Actor{Name: "test"}, accesstoken.CreateIn{Name: "ci", Scope: accesstoken.Write})
	require.NoError(t, err)
	other, err := create.Run(t.Context(), artwork.Actor{Name: "test"}, accesstoken.CreateIn{Name: "ci", Scope: accesstoken.Admin})
	require.NoError(t, err)
	require.NotEqual(t, secret, other)

	token, err := authenticate.Run(t.Context(), secret)
	require.NoError(t, err)
	require.Equal(t, "ci", token.Name)
	require.Equal(t, accesstoken.Write, token.Scope)
	require.Equal(t, sha256.Sum256([]byte(secret)), token.Hash, "only the hash is kept")

	for _, wrong := range []string{"", "gf_", secret + "x", strings.ToUpper(secret), strings.TrimPrefix(secret, "gf_"), secret[:len(secret)-1]} {
		_, err := authenticate.Run(t.Context(), wrong)
		require.Equal(t, artwork.Unauthenticated, artwork.KindOf(err), "%q", wrong)
	}
}

func TestCreateRefuses(t *testing.T) {
	create := accesstoken.NewCreate(memory.NewRepository().Tokens())
	for _, in := range []accesstoken.CreateIn{
		{Name: "x", Scope: "root"}, {Name: "x"}, {Name: " ", Scope: accesstoken.Read}, {Name: strings.Repeat("x", 65), Scope: accesstoken.Read},
	} {
		_, err := create.Run(t.Context(), artwork.Actor{Name: "test"}, in)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	}
}

func TestScopesIncludeSmallerOnes(t *testing.T) {
	order := []accesstoken.Scope{accesstoken.Read, accesstoken.Write, accesstoken.Admin}
	for i, has := range order {
		for j, needs := range order {
			require.Equal(t, i >= j, has.Allows(needs), "%s for %s", has, needs)
		}
	}
	require.False(t, accesstoken.Scope("").Allows(accesstoken.Read))
}
