package catalog

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"gatefold/domain/artwork"
)

// Position is where a subject stands in a list.
type Position struct {
	Rank    Rank  // Unmatched in a list without a Text, and in one that is ordered by anything but Best
	Value   int64 // of what the list is ordered by before the names (OrderBy); else 0
	SortKey string
	ID      artwork.ID
}

// Cursor is a position in the list of one query. The zero value is none.
type Cursor struct {
	Position
	query string // digest of it
}

// CursorAt returns the cursor behind the subject at the position.
func (q Query) CursorAt(at Position) Cursor { return Cursor{at, q.digest()} }

// digest stands for everything that makes the list, but not for the page.
func (q Query) digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %+v %s %+v", SearchForm(q.Text), q.Missing, q.Holding, q.ArtistID, q.Order))
	return hex.EncodeToString(sum[:8])
}

// written is a cursor as clients keep it.
type written struct {
	Query   string     `json:"q"`
	Rank    Rank       `json:"r,omitempty"`
	Value   int64      `json:"v,omitempty"`
	SortKey string     `json:"k"`
	ID      artwork.ID `json:"i"`
}

// String returns the cursor as text that can stand in a URL; nothing is to be read
// from it but by ParseCursor. The zero cursor is the empty text.
func (c Cursor) String() string {
	if (c == Cursor{}) {
		return ""
	}
	text, err := json.Marshal(written{Query: c.query, Rank: c.Rank, Value: c.Value, SortKey: c.SortKey, ID: c.ID})
	if err != nil {
		panic(err) // these fields can be marshalled
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// maxCursor is longer than a cursor can get, in bytes.
const maxCursor = 10_000

// ParseCursor reads what String returned. InvalidInput: it did not return that.
func ParseCursor(text string) (Cursor, error) {
	var w written
	if raw, err := base64.RawURLEncoding.DecodeString(text); err != nil || len(raw) > maxCursor || json.Unmarshal(raw, &w) != nil {
		return Cursor{}, errNoCursor()
	}
	cursor := Cursor{Position{w.Rank, w.Value, w.SortKey, w.ID}, w.Query}
	// Whatever else would be the same list is not accepted, so that it is known what is.
	if w.ID.IsZero() || w.Rank > Contained || utf8.RuneCountInString(w.SortKey) > sortKeyLength ||
		artwork.CheckText("the cursor", w.SortKey) != nil || cursor.String() != text {
		return Cursor{}, errNoCursor()
	}
	return cursor, nil
}

func errNoCursor() error {
	return artwork.Errorf(artwork.InvalidInput, "this is not a cursor: use the next of the page before")
}
