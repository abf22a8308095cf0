package bunrepo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/uptrace/bun"

	"gatefold/application/accesstoken"
	"gatefold/domain/artwork"
)

// Tokens keeps API tokens.
type Tokens struct{ db *DB }

var _ accesstoken.Repository = (*Tokens)(nil)

// NewTokens returns the tokens in the database.
func NewTokens(db *DB) *Tokens { return &Tokens{db} }

type tokenRow struct {
	bun.BaseModel `bun:"table:api_tokens,alias:k"`

	ID        uid     `bun:"id,pk"`
	Name      string  `bun:"name"`
	Scope     string  `bun:"scope"`
	Hash      []byte  `bun:"hash"`
	CreatedAt instant `bun:"created_at"`
}

// AddToken implements accesstoken.Repository.
func (k *Tokens) AddToken(ctx context.Context, by artwork.Actor, token accesstoken.Token) error {
	if err := cmp.Or(by.Check(), token.Check()); err != nil {
		return err
	}
	row := tokenRow{ID: uid(token.ID), Name: token.Name, Scope: string(token.Scope), Hash: token.Hash[:], CreatedAt: stored(token.CreatedAt)}
	return k.db.change(ctx, "bunrepo.AddToken", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
		return note(ctx, tx, token.Creation(by))
	})
}

// FindToken implements accesstoken.Repository.
func (k *Tokens) FindToken(ctx context.Context, hash [sha256.Size]byte) (accesstoken.Token, error) {
	var rows []tokenRow
	if err := k.db.read.NewSelect().Model(&rows).Where("k.hash = ?", hash[:]).Scan(ctx); err != nil {
		return accesstoken.Token{}, k.db.fail(ctx, "bunrepo.FindToken", err)
	}
	if len(rows) == 0 {
		return accesstoken.Token{}, notFound("such token")
	}
	row := rows[0]
	token := accesstoken.Token{
		ID: artwork.ID(row.ID), Name: row.Name, Scope: accesstoken.Scope(row.Scope), CreatedAt: row.CreatedAt.Time,
	}
	if copy(token.Hash[:], row.Hash) != len(token.Hash) {
		return accesstoken.Token{}, k.db.fail(ctx, "bunrepo.FindToken", fmt.Errorf("the database holds a hash of %d bytes", len(row.Hash)))
	}
	return token, nil
}
