package bunrepo

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"time"

	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"gatefold/domain/artwork"
)

// uid is a column with an identifier: uuid on Postgres, text on SQLite, NULL
// for the zero ID.
type uid artwork.ID

var (
	_ schema.QueryAppender = uid{}
	_ sql.Scanner          = (*uid)(nil)
	_ schema.QueryAppender = instant{}
	_ sql.Scanner          = (*instant)(nil)
)

// AppendQuery writes the identifier as an SQL literal.
func (u uid) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	id := artwork.ID(u)
	if id.IsZero() {
		return dialect.AppendNull(b), nil
	}
	return gen.Dialect().AppendString(b, id.String()), nil
}

// Scan reads what both drivers give: text or nil.
func (u *uid) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*u = uid{}
		return nil
	case string:
		return (*artwork.ID)(u).UnmarshalText([]byte(src))
	case []byte:
		return (*artwork.ID)(u).UnmarshalText(src)
	default:
		return fmt.Errorf("an identifier cannot be read from %T", src)
	}
}

func uids(ids []artwork.ID) []uid {
	out := make([]uid, len(ids))
	for i, id := range ids {
		out[i] = uid(id)
	}
	return out
}

// instant is a column with a time: timestamptz on Postgres, microseconds since
// 1970 on SQLite, NULL for the zero time. It is read as UTC.
type instant struct{ time.Time }

// stored returns the time as the databases keep it: to the microsecond.
func stored(t time.Time) instant { return instant{t.UTC().Truncate(time.Microsecond)} }

// AppendQuery writes the time as an SQL literal.
func (t instant) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	switch {
	case t.IsZero():
		return dialect.AppendNull(b), nil
	case gen.Dialect().Name() == dialect.SQLite:
		return gen.Append(b, t.UnixMicro()), nil
	default:
		return gen.Dialect().AppendTime(b, t.Time), nil
	}
}

// Scan reads what the two drivers give.
func (t *instant) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		t.Time = time.Time{}
	case time.Time:
		t.Time = src.UTC()
	case int64:
		t.Time = time.UnixMicro(src).UTC()
	default:
		return fmt.Errorf("a time cannot be read from %T", src)
	}
	return nil
}

// changeTime is a column with the time of a change, by the clock of the database:
// the present time is written if now is set, else the time that was read.
type changeTime struct {
	instant
	now bool
}

// neverChanged is the time of the change of what has not changed yet.
var neverChanged = changeTime{instant: instant{time.Unix(0, 0).UTC()}}

var _ schema.QueryAppender = changeTime{}

// AppendQuery writes the time or the expression for the present one, which is not
// the transaction's start: whoever asks what has changed since a moment must not
// miss a transaction that began before it.
func (t changeTime) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	switch {
	case !t.now:
		return t.instant.AppendQuery(gen, b)
	case gen.Dialect().Name() == dialect.PG:
		return append(b, "clock_timestamp()"...), nil
	}
	return stored(time.Now()).AppendQuery(gen, b)
}

// digest is a column that stands for a text in an index, where the text itself
// could be too long.
func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:16]
}

func digests(texts []string) [][]byte {
	out := make([][]byte, len(texts))
	for i, text := range texts {
		out[i] = digest(text)
	}
	return out
}
