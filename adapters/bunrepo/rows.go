package bunrepo

import (
	"cmp"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// imageRow is an image record.
type imageRow struct {
	bun.BaseModel `bun:"table:images,alias:i"`

	ID          uid    `bun:"id,pk"`
	SubjectKind string `bun:"subject_kind"`
	SubjectID   uid    `bun:"subject_id"`
	Slot        string `bun:"slot"`
	contentRow
	Source      string          `bun:"source"`
	Provider    string          `bun:"provider"`
	SourceURL   string          `bun:"source_url"`
	Licence     string          `bun:"licence"`
	Attribution string          `bun:"attribution"`
	SourcePage  string          `bun:"source_page"`
	StatedBy    string          `bun:"stated_by"`
	FileName    string          `bun:"file_name"`
	FocalX      sql.NullFloat64 `bun:"focal_x"`
	FocalY      sql.NullFloat64 `bun:"focal_y"`
	AddedBy     string          `bun:"added_by"`
	AddedAt     instant         `bun:"added_at"`
	Withdrawn   bool            `bun:"withdrawn"`

	InForce bool `bun:"in_force,scanonly"`
}

// contentRow is what follows from an image's bytes.
type contentRow struct {
	Hash      []byte `bun:"hash"`
	Size      int64  `bun:"size"`
	MIMEType  string `bun:"mime_type"`
	Width     int    `bun:"width"`
	Height    int    `bun:"height"`
	ThumbHash []byte `bun:"thumb_hash"`
	Color     string `bun:"dominant_color"`
}

// slotRow is the pointer of a place and what guards it.
type slotRow struct {
	bun.BaseModel `bun:"table:slots,alias:s"`

	SubjectKind  string     `bun:"subject_kind,pk"`
	SubjectID    uid        `bun:"subject_id,pk"`
	Slot         string     `bun:"slot,pk"`
	ImageID      uid        `bun:"image_id"`
	Chosen       bool       `bun:"chosen"`
	Locked       bool       `bun:"locked"`
	KeptEmpty    bool       `bun:"kept_empty"`
	OriginRank   int        `bun:"origin_rank"`
	OriginPath   []byte     `bun:"origin_path"`
	LastModified instant    `bun:"last_modified"`
	ChangedAt    changeTime `bun:"changed_at"`
}

// historyRow says that an image took force.
type historyRow struct {
	bun.BaseModel `bun:"table:history,alias:h"`

	ID          int64   `bun:"id,pk,autoincrement"`
	SubjectKind string  `bun:"subject_kind"`
	SubjectID   uid     `bun:"subject_id"`
	Slot        string  `bun:"slot"`
	ImageID     uid     `bun:"image_id"`
	AppliedBy   string  `bun:"applied_by"`
	AppliedAt   instant `bun:"applied_at"`
	Act         string  `bun:"act"`
	// IdempotencyKey is that of the application; NULL if it had none.
	IdempotencyKey uid `bun:"idempotency_key"`

	InForce sql.NullBool `bun:"in_force,scanonly"` // NULL: the slot is empty
}

func newImageRow(r artwork.Record) imageRow {
	row := imageRow{
		ID:          uid(r.ID),
		SubjectKind: r.Place.Subject.Kind.String(),
		SubjectID:   uid(r.Place.Subject.ID),
		Slot:        r.Place.Slot.String(),
		contentRow: contentRow{
			Hash: r.Content.Hash[:], Size: r.Content.Size, MIMEType: r.Content.MIMEType,
			Width: r.Content.Width, Height: r.Content.Height, ThumbHash: append([]byte{}, r.Content.ThumbHash...),
			Color: string(r.Content.DominantColor),
		},
		Source:      r.Source.String(),
		Provider:    r.Provider,
		SourceURL:   r.SourceURL,
		Licence:     r.Licence,
		Attribution: r.Attribution,
		SourcePage:  r.SourcePage,
		StatedBy:    r.StatedBy.String(),
		FileName:    r.FileName,
		AddedBy:     r.AddedBy,
		AddedAt:     stored(r.AddedAt),
	}
	if f := r.FocalPoint; f != nil {
		row.FocalX, row.FocalY = sql.NullFloat64{Float64: f.X, Valid: true}, sql.NullFloat64{Float64: f.Y, Valid: true}
	}
	return row
}

func (r *contentRow) content() (artwork.Content, error) {
	content := artwork.Content{Size: r.Size, MIMEType: r.MIMEType, Width: r.Width, Height: r.Height, DominantColor: artwork.Color(r.Color)}
	if len(r.Hash) != len(content.Hash) {
		return content, fmt.Errorf("the database holds a hash of %d bytes", len(r.Hash))
	}
	copy(content.Hash[:], r.Hash)
	if len(r.ThumbHash) > 0 {
		content.ThumbHash = r.ThumbHash
	}
	return content, nil
}

func (r *imageRow) focalPoint() *artwork.FocalPoint {
	if !r.FocalX.Valid {
		return nil
	}
	return &artwork.FocalPoint{X: r.FocalX.Float64, Y: r.FocalY.Float64}
}

func (r *imageRow) record() (artwork.Record, error) {
	content, err := r.content()
	if err != nil {
		return artwork.Record{}, err
	}
	source, err := artwork.ParseSource(r.Source)
	if err != nil {
		return artwork.Record{}, err
	}
	witness, err := artwork.ParseWitness(r.StatedBy)
	if err != nil {
		return artwork.Record{}, err
	}
	place, err := parsePlace(r.SubjectKind, r.SubjectID, r.Slot)
	return artwork.Record{
		ID:          artwork.ID(r.ID),
		Place:       place,
		Content:     content,
		Source:      source,
		Provider:    r.Provider,
		SourceURL:   r.SourceURL,
		Licence:     r.Licence,
		Attribution: r.Attribution,
		SourcePage:  r.SourcePage,
		StatedBy:    witness,
		FileName:    r.FileName,
		FocalPoint:  r.focalPoint(),
		AddedBy:     r.AddedBy,
		AddedAt:     r.AddedAt.Time,
	}, err
}

func parsePlace(kind string, id uid, slot string) (artwork.Place, error) {
	k, err := artwork.ParseSubjectKind(kind)
	if err != nil {
		return artwork.Place{}, err
	}
	s, err := artwork.ParseSlot(slot)
	return artwork.Place{Subject: artwork.Subject{Kind: k, ID: artwork.ID(id)}, Slot: s}, err
}

// artistRow, albumRow and userRow are the subjects with what is derived from
// their names: see the migrations.
type artistRow struct {
	bun.BaseModel `bun:"table:artists,alias:s"`

	ID         uid     `bun:"id,pk"`
	Name       string  `bun:"name"`
	SortName   string  `bun:"sort_name"`
	FoldedName string  `bun:"folded_name"`
	SortKey    string  `bun:"sort_key"`
	NameKey    []byte  `bun:"name_key"`
	MBID       uid     `bun:"mbid"`
	Missing    bool    `bun:"missing"`
	Position   string  `bun:"background_position"`
	CreatedAt  instant `bun:"created_at"`
	UpdatedAt  instant `bun:"updated_at"`
}

type albumRow struct {
	bun.BaseModel `bun:"table:albums,alias:s"`

	ID               uid     `bun:"id,pk"`
	ArtistID         uid     `bun:"artist_id"`
	Name             string  `bun:"name"`
	Year             int     `bun:"year"`
	FoldedName       string  `bun:"folded_name"`
	SortKey          string  `bun:"sort_key"`
	NameKey          []byte  `bun:"name_key"`
	MBID             uid     `bun:"mbid"`
	ReleaseGroupMBID uid     `bun:"release_group_mbid"`
	InLibrary        bool    `bun:"in_library"`
	Missing          bool    `bun:"missing"`
	CreatedAt        instant `bun:"created_at"`
	UpdatedAt        instant `bun:"updated_at"`

	ArtistName string `bun:"artist_name,scanonly"`
}

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:s"`

	ID            uid     `bun:"id,pk"`
	Username      string  `bun:"username"`
	DisplayName   string  `bun:"display_name"`
	Role          string  `bun:"role"`
	FoldedName    string  `bun:"folded_name"`
	FoldedDisplay string  `bun:"folded_display"`
	SortKey       string  `bun:"sort_key"`
	NameKey       []byte  `bun:"name_key"`
	CreatedAt     instant `bun:"created_at"`
	UpdatedAt     instant `bun:"updated_at"`
}

func newArtistRow(a catalog.Artist, now time.Time) artistRow {
	folded := catalog.FoldName(a.Name)
	return artistRow{
		ID: uid(a.ID), Name: a.Name, SortName: a.SortName, MBID: uid(a.MBID),
		FoldedName: folded, SortKey: catalog.SortKey(cmp.Or(a.SortName, a.Name)), NameKey: digest(folded),
		CreatedAt: stored(now), UpdatedAt: stored(now),
	}
}

func (r artistRow) value() catalog.Artist {
	return catalog.Artist{
		ID: artwork.ID(r.ID), Name: r.Name, SortName: r.SortName, MBID: catalog.MBID(r.MBID), Missing: r.Missing,
		BackgroundPosition: r.Position, CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time,
	}
}

func (r artistRow) key() artwork.ID { return artwork.ID(r.ID) }

func (r artistRow) described() (name string, facts activity.Facts) {
	return r.Name, activity.FactsOfArtist(r.value())
}

func newAlbumRow(a catalog.Album, now time.Time) albumRow {
	folded := catalog.FoldName(a.Name)
	return albumRow{
		ID: uid(a.ID), ArtistID: uid(a.ArtistID), Name: a.Name, Year: a.Year,
		MBID: uid(a.MBID), ReleaseGroupMBID: uid(a.ReleaseGroupMBID),
		FoldedName: folded, SortKey: catalog.SortKey(a.Name), NameKey: digest(folded),
		CreatedAt: stored(now), UpdatedAt: stored(now),
	}
}

func (r albumRow) value() catalog.Album {
	return catalog.Album{
		ID: artwork.ID(r.ID), ArtistID: artwork.ID(r.ArtistID), ArtistName: r.ArtistName, Name: r.Name, Year: r.Year,
		MBID: catalog.MBID(r.MBID), ReleaseGroupMBID: catalog.MBID(r.ReleaseGroupMBID), Missing: r.Missing,
		CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time,
	}
}

func (r albumRow) key() artwork.ID { return artwork.ID(r.ID) }

func (r albumRow) described() (name string, facts activity.Facts) {
	return r.Name, activity.FactsOfAlbum(r.value())
}

func newUserRow(u catalog.User, now time.Time) userRow {
	folded := catalog.FoldName(u.Username)
	return userRow{
		ID: uid(u.ID), Username: u.Username, DisplayName: u.DisplayName, Role: string(u.Role),
		FoldedName: folded, FoldedDisplay: catalog.FoldName(u.DisplayName), SortKey: catalog.SortKey(u.Username), NameKey: digest(folded),
		CreatedAt: stored(now), UpdatedAt: stored(now),
	}
}

func (r userRow) value() catalog.User {
	return catalog.User{
		ID: artwork.ID(r.ID), Username: r.Username, DisplayName: r.DisplayName, Role: catalog.Role(r.Role),
		CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time,
	}
}

func (r userRow) key() artwork.ID { return artwork.ID(r.ID) }

func (r userRow) described() (name string, facts activity.Facts) {
	return r.Username, activity.FactsOfUser(r.value())
}
