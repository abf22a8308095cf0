package bunrepo

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

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

	ID         uid     `bun:"id,pk"`
	Name       string  `bun:"name"`
	Scope      string  `bun:"scope"`
	Hash       []byte  `bun:"hash"`
	CreatedAt  instant `bun:"created_at"`
	ExpiresAt  instant `bun:"expires_at"`
	LastUsedAt instant `bun:"last_used_at"`
}

func (r tokenRow) token() (accesstoken.Token, error) {
	token := accesstoken.Token{
		ID: artwork.ID(r.ID), Name: r.Name, Scope: accesstoken.Scope(r.Scope),
		CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time, LastUsedAt: r.LastUsedAt.Time,
	}
	if copy(token.Hash[:], r.Hash) != len(token.Hash) {
		return accesstoken.Token{}, fmt.Errorf("the database holds a hash of %d bytes", len(r.Hash))
	}
	return token, nil
}

// AddToken implements accesstoken.Repository.
func (k *Tokens) AddToken(ctx context.Context, by artwork.Actor, token accesstoken.Token) error {
	if err := cmp.Or(by.Check(), token.Check()); err != nil {
		return err
	}
	row := tokenRow{
		ID: uid(token.ID), Name: token.Name, Scope: string(token.Scope), Hash: token.Hash[:],
		CreatedAt: stored(token.CreatedAt), ExpiresAt: stored(token.ExpiresAt), LastUsedAt: stored(token.LastUsedAt),
	}
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
	token, err := rows[0].token()
	return token, k.db.fail(ctx, "bunrepo.FindToken", err)
}

// ListTokens implements accesstoken.Repository.
func (k *Tokens) ListTokens(ctx context.Context) ([]accesstoken.Token, error) {
	var rows []tokenRow
	if err := k.db.read.NewSelect().Model(&rows).OrderExpr("k.created_at, k.id").Scan(ctx); err != nil {
		return nil, k.db.fail(ctx, "bunrepo.ListTokens", err)
	}
	tokens := make([]accesstoken.Token, len(rows))
	for i, row := range rows {
		token, err := row.token()
		if err != nil {
			return nil, k.db.fail(ctx, "bunrepo.ListTokens", err)
		}
		tokens[i] = token
	}
	return tokens, nil
}

// RevokeToken implements accesstoken.Repository.
func (k *Tokens) RevokeToken(ctx context.Context, by artwork.Actor, id artwork.ID) error {
	if err := by.Check(); err != nil {
		return err
	}
	return k.db.change(ctx, "bunrepo.RevokeToken", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		var rows []tokenRow
		if err := k.db.engine.forUpdate(tx.NewSelect().Model(&rows).Where("k.id = ?", uid(id))).Scan(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound("such token")
		}
		token, err := rows[0].token()
		if err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model(&rows[0]).WherePK().Exec(ctx); err != nil {
			return err
		}
		return note(ctx, tx, token.Revocation(by))
	})
}

// TouchToken implements accesstoken.Repository.
func (k *Tokens) TouchToken(ctx context.Context, id artwork.ID, at time.Time) error {
	return k.db.change(ctx, "bunrepo.TouchToken", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*tokenRow)(nil)).Set("last_used_at = ?", stored(at)).
			Where("id = ? AND (last_used_at IS NULL OR last_used_at < ?)", uid(id), stored(at)).Exec(ctx)
		return err
	})
}
