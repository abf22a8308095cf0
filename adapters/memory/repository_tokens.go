package memory

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"gatefold/application/accesstoken"
	"gatefold/domain/artwork"
)

// Tokens is the view of a Repository as store of API tokens.
type Tokens struct{ r *Repository }

var _ accesstoken.Repository = (*Tokens)(nil)

// Tokens returns the API tokens of the repository.
func (r *Repository) Tokens() *Tokens { return &Tokens{r} }

// AddToken implements accesstoken.Repository.
func (k *Tokens) AddToken(ctx context.Context, by artwork.Actor, token accesstoken.Token) error {
	if err := cmp.Or(by.Check(), token.Check()); err != nil {
		return err
	}
	entry, err := token.Creation(by).Kept()
	if err != nil {
		return err
	}
	token.CreatedAt, token.ExpiresAt, token.LastUsedAt = stored(token.CreatedAt), stored(token.ExpiresAt), stored(token.LastUsedAt)
	return k.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if slices.ContainsFunc(k.r.tokens, func(t accesstoken.Token) bool { return t.ID == token.ID || t.Hash == token.Hash }) {
			return nil, artwork.Errorf(artwork.Conflict, "there is such a token already")
		}
		return func() {
			k.r.tokens = append(k.r.tokens, token)
			k.r.note(entry)
		}, nil
	})
}

// FindToken implements accesstoken.Repository.
func (k *Tokens) FindToken(ctx context.Context, hash [sha256.Size]byte) (token accesstoken.Token, err error) {
	err = k.r.read(ctx, func() error {
		i := slices.IndexFunc(k.r.tokens, func(t accesstoken.Token) bool { return t.Hash == hash })
		if i < 0 {
			return notFound("such token")
		}
		token = k.r.tokens[i]
		return nil
	})
	return token, err
}

// ListTokens implements accesstoken.Repository.
func (k *Tokens) ListTokens(ctx context.Context) (tokens []accesstoken.Token, err error) {
	err = k.r.read(ctx, func() error {
		tokens = append([]accesstoken.Token{}, k.r.tokens...)
		return nil
	})
	slices.SortFunc(tokens, func(x, y accesstoken.Token) int {
		return cmp.Or(x.CreatedAt.Compare(y.CreatedAt), bytes.Compare(x.ID[:], y.ID[:]))
	})
	return tokens, err
}

// RevokeToken implements accesstoken.Repository.
func (k *Tokens) RevokeToken(ctx context.Context, by artwork.Actor, id artwork.ID) error {
	if err := by.Check(); err != nil {
		return err
	}
	return k.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		i := slices.IndexFunc(k.r.tokens, func(t accesstoken.Token) bool { return t.ID == id })
		if i < 0 {
			return nil, notFound("such token")
		}
		entry, err := k.r.tokens[i].Revocation(by).Kept()
		return func() {
			k.r.tokens = slices.Delete(k.r.tokens, i, i+1)
			k.r.note(entry)
		}, err
	})
}

// TouchToken implements accesstoken.Repository.
func (k *Tokens) TouchToken(ctx context.Context, id artwork.ID, at time.Time) error {
	return k.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			for i, token := range k.r.tokens {
				if token.ID == id && token.LastUsedAt.Before(at) {
					k.r.tokens[i].LastUsedAt = stored(at)
				}
			}
		}, nil
	})
}
