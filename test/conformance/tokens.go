package conformance

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/accesstoken"
	"gatefold/domain/artwork"
)

// tokenCases are the clauses of accesstoken.Repository.
func tokenCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"tokens: an added token is found by its hash", tokenFound},
		{"tokens: an unknown hash is not found", tokenUnknown},
		{"tokens: an ID and a hash are held once", tokenTwice},
		{"tokens: a name that cannot be stored is refused", tokenBadName},
		{"tokens: a token without an ID is refused", tokenWithoutID},
		{"tokens: a cancelled context ends every method", tokensCancelled},
	}
}

func newToken(secret string) accesstoken.Token {
	return accesstoken.Token{
		ID: artwork.NewID(), Name: "token", Scope: accesstoken.Write, Hash: sha256.Sum256([]byte(secret)),
		CreatedAt: time.Date(2024, 2, 29, 1, 2, 3, 456789000, time.FixedZone("", 3600)),
	}
}

func tokenFound(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, name := range oddTexts {
		token := newToken(name)
		token.Name = name
		require.NoError(t, r.Tokens.AddToken(t.Context(), somebody, token))
		found, err := r.Tokens.FindToken(t.Context(), token.Hash)
		require.NoError(t, err)
		token.CreatedAt = token.CreatedAt.UTC()
		require.Equal(t, token, found)
	}
}

func tokenUnknown(t TB, open func(TB) Repositories) {
	r := open(t)
	require.NoError(t, r.Tokens.AddToken(t.Context(), somebody, newToken("one")))
	_, err := r.Tokens.FindToken(t.Context(), sha256.Sum256([]byte("another")))
	requireKind(t, artwork.NotFound, err)
	_, err = r.Tokens.FindToken(t.Context(), [sha256.Size]byte{})
	requireKind(t, artwork.NotFound, err)
}

func tokenTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	token := newToken("one")
	require.NoError(t, r.Tokens.AddToken(t.Context(), somebody, token))
	sameHash, sameID := newToken("one"), newToken("two")
	sameID.ID = token.ID
	requireKind(t, artwork.Conflict, r.Tokens.AddToken(t.Context(), somebody, sameHash))
	requireKind(t, artwork.Conflict, r.Tokens.AddToken(t.Context(), somebody, sameID))
}

func tokenBadName(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, name := range []string{"NUL \x00", "\xff"} {
		token := newToken("one")
		token.Name = name
		requireKind(t, artwork.InvalidInput, r.Tokens.AddToken(t.Context(), somebody, token))
	}
}

func tokenWithoutID(t TB, open func(TB) Repositories) {
	r := open(t)
	token := newToken("one")
	token.ID = artwork.ID{}
	requireKind(t, artwork.InvalidInput, r.Tokens.AddToken(t.Context(), somebody, token))
	_, err := r.Tokens.FindToken(t.Context(), token.Hash)
	requireKind(t, artwork.NotFound, err)
}

func tokensCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	token := newToken("one")
	require.ErrorIs(t, r.Tokens.AddToken(ctx, somebody, token), context.Canceled)
	_, err := r.Tokens.FindToken(ctx, token.Hash)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Tokens.FindToken(t.Context(), token.Hash)
	requireKind(t, artwork.NotFound, err)
}
