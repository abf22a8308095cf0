package bunrepo

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

// Considerations keeps what was considered for slots.
type Considerations struct{ db *DB }

var _ findimages.Considerations = (*Considerations)(nil)

// NewConsiderations returns the considerations in the database.
func NewConsiderations(db *DB) *Considerations { return &Considerations{db} }

// considerationRow is one consideration of an artist's or an album's slot.
type considerationRow struct {
	bun.BaseModel `bun:"table:considerations,alias:c"`

	ArtistID uid     `bun:"artist_id"`
	AlbumID  uid     `bun:"album_id"`
	Slot     string  `bun:"slot"`
	Occasion string  `bun:"occasion"`
	AskedBy  string  `bun:"asked_by"`
	At       instant `bun:"at"`
	Found    string  `bun:"found"`
}

// foundJSON is what is kept of a consideration as a whole: nobody asks for parts of it.
type foundJSON struct {
	Incomplete bool                    `json:"incomplete,omitempty"`
	Candidates []findimages.Considered `json:"candidates,omitempty"`
	Omitted    int                     `json:"omitted,omitempty"`
	Failures   []findimages.Failure    `json:"failures,omitempty"`
}

// subjectColumns name the subjects that considerations can be of.
var subjectColumns = map[artwork.SubjectKind]bun.Ident{
	artwork.ArtistSubject: "artist_id",
	artwork.AlbumSubject:  "album_id",
}

// Keep implements findimages.Considerations.
func (c *Considerations) Keep(ctx context.Context, considerations []findimages.Consideration) error {
	rows := make([]considerationRow, len(considerations))
	for i, one := range considerations {
		if err := one.Check(); err != nil {
			return err
		}
		var err error
		if rows[i], err = newConsiderationRow(one); err != nil {
			return c.db.fail(ctx, "bunrepo.KeepConsidered", err)
		}
	}
	return c.db.change(ctx, "bunrepo.KeepConsidered", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		for i := range rows {
			column := subjectColumns[considerations[i].Place.Subject.Kind]
			_, err := tx.NewInsert().Model(&rows[i]).
				On("CONFLICT (?, slot, occasion) WHERE ? IS NOT NULL DO UPDATE", column, column).
				Set("asked_by = EXCLUDED.asked_by, at = EXCLUDED.at, found = EXCLUDED.found").
				Where("c.at <= EXCLUDED.at").
				Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func newConsiderationRow(c findimages.Consideration) (considerationRow, error) {
	found, err := json.Marshal(foundJSON{c.Incomplete, c.Candidates, c.Omitted, c.Failures})
	row := considerationRow{
		Slot: c.Place.Slot.String(), Occasion: string(c.Occasion), AskedBy: c.By, At: stored(c.At), Found: string(found),
	}
	if c.Place.Subject.Kind == artwork.ArtistSubject {
		row.ArtistID = uid(c.Place.Subject.ID)
	} else {
		row.AlbumID = uid(c.Place.Subject.ID)
	}
	return row, err
}

// Of implements findimages.Considerations.
func (c *Considerations) Of(ctx context.Context, subject artwork.Subject) ([]findimages.Consideration, error) {
	const op = "bunrepo.Considered"
	column, ok := subjectColumns[subject.Kind]
	if !ok {
		return nil, nil
	}
	var rows []considerationRow
	if err := c.db.read.NewSelect().Model(&rows).Where("c.? = ?", column, uid(subject.ID)).OrderExpr("c.slot, c.occasion").Scan(ctx); err != nil {
		return nil, c.db.fail(ctx, op, err)
	}
	considerations := make([]findimages.Consideration, len(rows))
	for i, row := range rows {
		var err error
		if considerations[i], err = row.consideration(subject); err != nil {
			return nil, c.db.fail(ctx, op, err)
		}
	}
	return considerations, nil
}

func (r considerationRow) consideration(subject artwork.Subject) (findimages.Consideration, error) {
	slot, err := artwork.ParseSlot(r.Slot)
	if err != nil {
		return findimages.Consideration{}, err
	}
	var found foundJSON
	err = json.Unmarshal([]byte(r.Found), &found)
	return findimages.Consideration{
		Place: artwork.Place{Subject: subject, Slot: slot}, Occasion: findimages.Occasion(r.Occasion), By: r.AskedBy, At: r.At.Time,
		Incomplete: found.Incomplete, Candidates: found.Candidates, Omitted: found.Omitted, Failures: found.Failures,
	}, err
}

// forgetConsidered forgets what was considered for the place: a picture that is purged
// may be among the candidates, under any address.
func forgetConsidered(ctx context.Context, tx bun.Tx, place artwork.Place) error {
	column, ok := subjectColumns[place.Subject.Kind]
	if !ok {
		return nil
	}
	_, err := tx.NewDelete().Model((*considerationRow)(nil)).
		Where("? = ? AND slot = ?", column, uid(place.Subject.ID), place.Slot.String()).Exec(ctx)
	return err
}
