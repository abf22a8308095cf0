package memory

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"

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
	token.CreatedAt = stored(token.CreatedAt)
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
