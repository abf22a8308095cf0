package bunrepo

import (
	"context"

	"gatefold/application/describeimages"
	"gatefold/domain/artwork"
)

var _ describeimages.Contents = (*Images)(nil)

// Undescribed implements describeimages.Contents.
func (m *Images) Undescribed(ctx context.Context, after artwork.Hash, limit int) ([]artwork.Hash, error) {
	var rows []contentRow
	err := m.db.read.NewSelect().TableExpr("images AS i").Column("hash").Distinct().
		Where("i.dominant_color = ''").Where("i.hash > ?", after[:]).OrderExpr("i.hash").Limit(int64(limit)).Scan(ctx, &rows)
	if err != nil {
		return nil, m.db.fail(ctx, "bunrepo.Undescribed", err)
	}
	hashes := make([]artwork.Hash, len(rows))
	for i := range rows {
		content, err := rows[i].content()
		if err != nil {
			return nil, m.db.fail(ctx, "bunrepo.Undescribed", err)
		}
		hashes[i] = content.Hash
	}
	return hashes, nil
}

// Describe implements describeimages.Contents.
func (m *Images) Describe(ctx context.Context, hash artwork.Hash, color artwork.Color) error {
	if err := color.Check(); err != nil {
		return err
	}
	_, err := m.db.affects(ctx, "bunrepo.Describe", "UPDATE images SET dominant_color = ? WHERE hash = ? AND dominant_color = ''", string(color), hash[:])
	return err
}
