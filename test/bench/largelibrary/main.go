// Command largelibrary multiplies the artists of a library on SQLite, with their
// profiles, until there are so many, for measurements in the panel:
//
//	largelibrary DATA_DIR/gatefold.db 100000
//
// It writes what the migrations' tables have, whatever columns these are, and nothing
// may serve the library meanwhile.
package main

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: largelibrary DATABASE ARTISTS")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "largelibrary:", err)
		os.Exit(1)
	}
}

func run(path, artists string) error {
	wanted, err := strconv.Atoi(artists)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(off)&_pragma=cache_size(-200000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, step := range copies() {
		if err := step.run(tx, wanted); err != nil {
			return fmt.Errorf("%s: %w", step.table, err)
		}
	}
	return tx.Commit()
}

// copied is a table whose rows are copied for each copy of an artist; columns says what
// is another value in the copy, and from selects the rows as o beside the numbers as c.
type copied struct {
	table   string
	from    string
	columns map[string]string
}

// id is the ID of the copy of something: copies of one thing differ, and so do things.
func id(of string) string {
	return fmt.Sprintf("printf('%%08x', c.n) || substr(%s, 9)", of)
}

func copies() []copied {
	const ofProfile = "subject_kind = 'artist' AND slot = 'profile'"
	return []copied{
		{"artists", "artists", map[string]string{
			"id": id("o.id"), "mbid": "NULL", "name": "o.name || ' ' || c.n", "sort_name": "o.sort_name",
			"folded_name": "o.folded_name || ' ' || c.n", "sort_key": "o.sort_key || ' ' || c.n", "name_key": "CAST(o.name_key || c.n AS blob)",
		}},
		{"images", "(SELECT * FROM images WHERE " + ofProfile + " AND id IN (SELECT image_id FROM slots))", map[string]string{
			"id": id("o.id"), "subject_id": id("o.subject_id"),
		}},
		{"slots", "(SELECT * FROM slots WHERE " + ofProfile + " AND image_id IS NOT NULL)", map[string]string{
			"subject_id": id("o.subject_id"), "image_id": id("o.image_id"),
		}},
	}
}

// run copies the rows so often that there are as many artists as are wanted.
func (c copied) run(tx *sql.Tx, wanted int) error {
	names, err := columnsOf(tx, c.table)
	if err != nil {
		return err
	}
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = "o." + name
		if other, ok := c.columns[name]; ok {
			values[i] = other
		}
	}
	// Originals keep their place: the copies are made of a list that is taken before.
	_, err = tx.Exec(fmt.Sprintf(`
		WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
		INSERT INTO %s (%s)
		SELECT %s FROM (SELECT * FROM %s AS x WHERE %s) AS o CROSS JOIN numbers AS c`,
		c.table, strings.Join(names, ", "), strings.Join(values, ", "), c.from, isOriginal(c.table)), wanted/originals)
	return err
}

// originals is how many artists the demo library has.
const originals = 9

// isOriginal tells rows of the library from copies of them.
func isOriginal(table string) string {
	subject := map[string]string{"artists": "id"}[table]
	if subject == "" {
		subject = "subject_id"
	}
	return "x." + subject + " NOT LIKE '0000%'"
}

func columnsOf(tx *sql.Tx, table string) (names []string, err error) {
	rows, err := tx.Query("SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
