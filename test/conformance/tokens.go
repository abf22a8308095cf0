package conformance

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/accesstoken"
	"gatefold/domain/activity"
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
		{"tokens: all are listed, the oldest first", tokensListed},
		{"tokens: a revoked token is not found, and is told once", tokenRevoked},
		{"tokens: a use is noted unless a later one was", tokenTouched},
		{"tokens: a cancelled context ends every method", tokensCancelled},
	}
}

func newToken(secret string) accesstoken.Token {
	return accesstoken.Token{
		ID: artwork.NewID(), Name: "token", Scope: accesstoken.Write, Hash: sha256.Sum256([]byte(secret)),
		CreatedAt: time.Date(2024, 2, 29, 1, 2, 3, 456789000, time.FixedZone("", 3600)),
		ExpiresAt: time.Date(2034, 2, 28, 1, 2, 3, 456789000, time.UTC),
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

func tokensListed(t TB, open func(TB) Repositories) {
	r := open(t)
	later, earlier := newToken("one"), newToken("two")
	earlier.CreatedAt, earlier.ExpiresAt = later.CreatedAt.Add(-time.Second), time.Time{}
	for _, token := range []accesstoken.Token{later, earlier} {
		require.NoError(t, r.Tokens.AddToken(t.Context(), somebody, token))
	}
	tokens, err := r.Tokens.ListTokens(t.Context())
	require.NoError(t, err)
	later.CreatedAt, earlier.CreatedAt = later.CreatedAt.UTC(), earlier.CreatedAt.UTC()
	require.Equal(t, []accesstoken.Token{earlier, later}, tokens)
}

func tokenRevoked(t TB, open func(TB) Repositories) {
	r := open(t)
	token, other := newToken("one"), newToken("two")
	for _, token := range []accesstoken.Token{token, other} {
		require.NoError(t, r.Tokens.AddToken(t.Context(), somebody, token))
	}
	requireKind(t, artwork.InvalidInput, r.Tokens.RevokeToken(t.Context(), artwork.Actor{Name: "\x00"}, token.ID))
	require.NoError(t, r.Tokens.RevokeToken(t.Context(), somebody, token.ID))
	requireKind(t, artwork.NotFound, r.Tokens.RevokeToken(t.Context(), somebody, token.ID))
	_, err := r.Tokens.FindToken(t.Context(), token.Hash)
	requireKind(t, artwork.NotFound, err)
	_, err = r.Tokens.FindToken(t.Context(), other.Hash)
	require.NoError(t, err)
	page, err := r.Activity.List(t.Context(), activity.Query{Limit: 10, Action: "token.revoke"})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, token.ID, page.Items[0].Subject.ID)
	require.JSONEq(t, `{"name":"token","scope":"write","expiresAt":"2034-02-28T01:02:03.456789Z"}`, string(page.Items[0].Before))
	require.Nil(t, page.Items[0].After)
}

func tokenTouched(t TB, open func(TB) Repositories) {
	r := open(t)
	token := newToken("one")
	require.NoError(t, r.Tokens.AddToken(t.Context(), somebody, token))
	require.NoError(t, r.Tokens.TouchToken(t.Context(), artwork.NewID(), time.Now()))
	first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, use := range []struct{ at, want time.Time }{{first, first}, {first.Add(-time.Hour), first}, {first.Add(time.Hour), first.Add(time.Hour)}} {
		require.NoError(t, r.Tokens.TouchToken(t.Context(), token.ID, use.at))
		found, err := r.Tokens.FindToken(t.Context(), token.Hash)
		require.NoError(t, err)
		require.Equal(t, use.want, found.LastUsedAt)
	}
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
	_, err = r.Tokens.ListTokens(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Tokens.RevokeToken(ctx, somebody, token.ID), context.Canceled)
	require.ErrorIs(t, r.Tokens.TouchToken(ctx, token.ID, time.Now()), context.Canceled)
	_, err = r.Tokens.FindToken(t.Context(), token.Hash)
	requireKind(t, artwork.NotFound, err)
}
