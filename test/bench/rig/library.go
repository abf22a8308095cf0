package rig

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Library is an invented library, which is written into an empty database in bulk, past
// the program, and looks as if the program had taken it in long ago.
type Library struct {
	Artists, Albums int
	Slots           []artwork.Slot   // of artists that have an image in force; every album has a cover
	Former          bool             // every artist had another profile before
	Activity        int              // entries of the activity log
	Content         *artwork.Content // what all images are; nil: each is another, of which there are no bytes
}

// Images returns how many images the library has, in force or not.
func (l Library) Images() int {
	former := 0
	if l.Former {
		former = l.Artists
	}
	return l.Artists*len(l.Slots) + l.Albums + former
}

// ArtistID returns the ID of an artist, counted from 0.
func ArtistID(n int) artwork.ID { return md5.Sum(fmt.Appendf(nil, "artist %d", n)) }

// AlbumID returns the ID of an album, counted from 0.
func AlbumID(n int) artwork.ID { return md5.Sum(fmt.Appendf(nil, "album %d", n)) }

// Fill migrates the database and writes the library into it.
func (b *Bench) Fill(url string, l Library) {
	db, err := bunrepo.Open(b.ctx, url)
	require.NoError(b, err)
	require.NoError(b, db.Migrate(b.ctx))
	require.NoError(b, db.Close())
	conn, err := pgx.Connect(b.ctx, url)
	require.NoError(b, err)
	defer func() { _ = conn.Close(b.ctx) }()
	f := &filling{b, conn, l}
	f.exec("SET session_replication_role = replica") // no triggers: what they derive is for who is there to read it
	f.exec("SET synchronous_commit = off")
	f.exec("SET maintenance_work_mem = '1GB'")
	indexes := f.dropIndexes()
	f.subjects()
	f.images()
	for i, index := range indexes {
		f.exec(index)
		if i%5 == 4 {
			f.log("%d of %d indexes", i+1, len(indexes))
		}
	}
	f.exec("VACUUM ANALYZE") // as a server does by itself
}

type filling struct {
	b    *Bench
	conn *pgx.Conn
	l    Library
}

func (f *filling) exec(statement string, args ...any) {
	_, err := f.conn.Exec(f.b.ctx, statement, args...)
	require.NoError(f.b, err, statement)
}

// log tells of what takes long.
func (f *filling) log(format string, args ...any) {
	if f.l.Images() > 20_000 {
		f.b.Log(format, args...)
	}
}

// filled are the tables that are filled.
const filled = "'artists', 'albums', 'images', 'slots', 'history', 'activity'"

// dropIndexes drops what is faster made than followed, and returns the statements that make
// it again.
func (f *filling) dropIndexes() (again []string) {
	rows, err := f.conn.Query(f.b.ctx, `SELECT i.indexname, i.indexdef FROM pg_indexes AS i
		WHERE i.schemaname = 'public' AND i.tablename IN (`+filled+`)
		AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conname = i.indexname)`)
	require.NoError(f.b, err)
	var names []string
	var name, definition string
	_, err = pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		names, again = append(names, name), append(again, definition)
		return nil
	})
	require.NoError(f.b, err)
	for _, name := range names {
		f.exec("DROP INDEX " + pgx.Identifier{name}.Sanitize())
	}
	return again
}

// subjects copies the artists and albums.
func (f *filling) subjects() {
	f.log("%d artists, %d albums", f.l.Artists, f.l.Albums)
	const longAgo = "2024-01-01"
	f.exec("ALTER TABLE artists ALTER created_at SET DEFAULT '" + longAgo + "', ALTER updated_at SET DEFAULT '" + longAgo + "'")
	f.exec("ALTER TABLE albums ALTER created_at SET DEFAULT '" + longAgo + "', ALTER updated_at SET DEFAULT '" + longAgo + "'")
	f.copy("artists", []string{"id", "name", "sort_name", "folded_name", "sort_key", "name_key"}, f.l.Artists, func(n int) []any {
		name, sortName := nameOf(n, 1+n%3), ""
		if n%5 == 0 {
			name, sortName = "The "+name, name+", The"
		}
		folded := catalog.FoldName(name)
		return []any{[16]byte(ArtistID(n)), name, sortName, folded, catalog.SortKey(cmp.Or(sortName, name)), keyOf(folded)}
	})
	f.copy("albums", []string{"id", "artist_id", "name", "year", "folded_name", "sort_key", "name_key"}, f.l.Albums, func(n int) []any {
		name := nameOf(n+7, 1+n%4)
		folded := catalog.FoldName(name)
		return []any{[16]byte(AlbumID(n)), [16]byte(ArtistID(n * 7919 % f.l.Artists)), name, 1950 + n%75, folded, catalog.SortKey(name), keyOf(folded)}
	})
	f.exec("ALTER TABLE artists ALTER created_at DROP DEFAULT, ALTER updated_at DROP DEFAULT")
	f.exec("ALTER TABLE albums ALTER created_at DROP DEFAULT, ALTER updated_at DROP DEFAULT")
}

func keyOf(folded string) []byte {
	sum := sha256.Sum256([]byte(folded))
	return sum[:16]
}

func (f *filling) copy(table string, columns []string, n int, row func(n int) []any) {
	next := 0
	_, err := f.conn.CopyFrom(f.b.ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if next == n {
			return nil, nil
		}
		next++
		return row(next - 1), nil
	}))
	require.NoError(f.b, err)
}

// images adds what is in force, what was before, and what the activity log has of it.
func (f *filling) images() {
	f.log("%d images", f.l.Images())
	for _, slot := range f.l.Slots {
		f.add("artist", "artists", slot.String(), "somebody")
	}
	f.add("album", "albums", artwork.SlotCover.String(), "somebody")
	if f.l.Former {
		f.add("artist", "artists", artwork.SlotProfile.String(), "somebody else")
	}
	f.log("what is in force, and the history")
	f.exec(`INSERT INTO slots (subject_kind, subject_id, slot, image_id, chosen, last_modified, changed_at)
		SELECT subject_kind, subject_id, slot, id, true, date_trunc('second', added_at), added_at FROM images WHERE added_by = 'somebody'`)
	f.exec(`INSERT INTO history (subject_kind, subject_id, slot, image_id, applied_by, applied_at, act)
		SELECT subject_kind, subject_id, slot, id, added_by, added_at, 'apply' FROM images ORDER BY added_by DESC, id`)
	f.exec(`INSERT INTO activity (at, actor, address, request_id, action, subject_kind, subject_id, subject_name, slot, facts_after)
		SELECT statement_timestamp() - n * interval '20 seconds', 'somebody ' || n % 50, '127.0.0.1', md5(n::text), 'image.apply', 'artist', md5('artist ' || n % $2)::uuid,
			'Somebody', 'profile', '{"tag": "0123456789abcdef", "source": "external", "provider": "deezer"}'
		FROM generate_series(1, $1::bigint) AS n`, f.l.Activity, max(f.l.Artists, 1))
}

// add records an image for each subject. What somebody has added is in force; what somebody
// else has is not any more.
func (f *filling) add(kind, table, slot, by string) {
	hash, size, side := "sha256(convert_to('image ' || u.id, 'UTF8'))", int64(180_000), 1200
	args := []any{kind, slot, by, size, side}
	if c := f.l.Content; c != nil {
		args[3], args[4] = c.Size, c.Width
		hash = fmt.Sprintf(`'\x%s'::bytea`, c.Hash)
	}
	f.exec(`INSERT INTO images (id, subject_kind, subject_id, slot, hash, size, mime_type, width, height, thumb_hash, source, provider,
			source_url, licence, attribution, file_name, added_by, added_at, dominant_color)
		SELECT u.id, $1::text, u.subject_id, $2::text, `+hash+`, $4::bigint, 'image/jpeg', $5::bigint, $5::bigint, '\xd9f71914817788887f8778898478668098',
			'external', 'deezer', 'https://example.org/images/' || u.id || '.jpg', '', '', '', $3::text, u.at, '#808080'
		FROM (SELECT md5($1::text || $2::text || $3::text || s.id)::uuid AS id, s.id AS subject_id,
			timestamptz '2024-01-01' + random() * interval '600 days' AS at FROM `+table+` AS s) AS u`, args...)
}

// nameOf returns a name of some words: some words are in very many names, most in few.
func nameOf(n, words int) string {
	seed := uint64(n)*0x9e3779b97f4a7c15 + 1
	chosen := make([]string, words)
	for i := range chosen {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		x := float64(seed>>11) / (1 << 53)
		chosen[i] = word(int(120_000 * x * x * x))
	}
	return strings.Join(chosen, " ")
}

// word returns one of many words that can be pronounced.
func word(n int) string {
	const consonants, vowels = "bcdfghjklmnpqrstvwxyz", "aeiouáö"
	var s strings.Builder
	for range 2 + n%3 {
		s.WriteByte(consonants[n%21])
		n /= 21
		s.WriteRune([]rune(vowels)[n%7])
		n = n/7 + n*31%1009
	}
	return s.String()
}
