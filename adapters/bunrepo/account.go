package bunrepo

import (
	"context"
	"database/sql"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
)

var _ artwork.SlotAccounts = (*Images)(nil)

// Account implements artwork.SlotAccounts. It reads in one transaction that sees one
// state of the database.
func (m *Images) Account(ctx context.Context, place artwork.Place) (account artwork.Account, err error) {
	if err := place.Check(); err != nil {
		return account, err
	}
	err = m.db.read.RunInTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, func(ctx context.Context, tx bun.Tx) error {
		account, err = readAccount(ctx, tx, place)
		return err
	})
	return account, m.db.fail(ctx, "bunrepo.Account", err)
}

func readAccount(ctx context.Context, tx bun.Tx, place artwork.Place) (account artwork.Account, err error) {
	if err := requireSubjects(ctx, tx, []artwork.Subject{place.Subject}); err != nil {
		return account, err
	}
	b := newBoard()
	if account.Known, err = b.readPlace(ctx, tx, place); err != nil {
		return account, err
	}
	var slots []slotRow
	if err := ofPlace(tx.NewSelect().Model(&slots), place).Scan(ctx); err != nil {
		return account, err
	}
	if len(slots) > 0 {
		account.State = b.state(&slots[0])
	}
	var took []historyRow
	if err := ofPlace(tx.NewSelect().Model(&took).OrderExpr("h.id DESC"), place).Scan(ctx, &took); err != nil {
		return account, err
	}
	for _, row := range took {
		account.History = append(account.History, artwork.HistoryEntry{
			Record: b.records[artwork.ID(row.ImageID)], AppliedBy: row.AppliedBy, AppliedAt: row.AppliedAt.Time, Act: artwork.Act(row.Act),
		})
	}
	return account, nil
}
