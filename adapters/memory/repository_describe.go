package memory

import (
	"bytes"
	"context"
	"slices"

	"gatefold/application/describeimages"
	"gatefold/domain/artwork"
)

var _ describeimages.Contents = (*Images)(nil)

// Undescribed implements describeimages.Contents.
func (m *Images) Undescribed(ctx context.Context, after artwork.Hash, limit int) ([]artwork.Hash, error) {
	var hashes []artwork.Hash
	err := m.r.read(ctx, func() error {
		for _, record := range m.r.records {
			if hash := record.Content.Hash; record.Content.DominantColor == "" && bytes.Compare(hash[:], after[:]) > 0 {
				hashes = append(hashes, hash)
			}
		}
		return nil
	})
	slices.SortFunc(hashes, func(a, b artwork.Hash) int { return bytes.Compare(a[:], b[:]) })
	hashes = slices.Compact(hashes)
	return hashes[:min(limit, len(hashes))], err
}

// Describe implements describeimages.Contents.
func (m *Images) Describe(ctx context.Context, hash artwork.Hash, color artwork.Color) error {
	if err := color.Check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	for id, record := range m.r.records {
		if record.Content.Hash == hash && record.Content.DominantColor == "" {
			record.Content.DominantColor = color
			m.r.records[id] = record
		}
	}
	for place, slot := range m.r.slots {
		if now := slot.InForce; now != nil && now.Content.Hash == hash && now.Content.DominantColor == "" {
			described := *now // readers may have the one before
			described.Content.DominantColor = color
			slot.InForce = &described
			m.r.slots[place] = slot
		}
	}
	return nil
}
