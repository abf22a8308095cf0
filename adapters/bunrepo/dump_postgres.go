package bunrepo

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"gatefold/domain/artwork"
)

// dump has pg_dump copy the snapshot in which the references are read.
func (p postgres) dump(ctx context.Context, db *DB, path string, visit func(artwork.Hash, int64) error) error {
	tx, err := db.read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing is written
	// The transaction rests for as long as pg_dump takes.
	if _, err := tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		return err
	}
	if err := contents(ctx, tx, visit); err != nil {
		return err
	}
	var snapshot string
	if err := tx.QueryRowContext(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot); err != nil {
		return err
	}
	return p.tool(ctx, "pg_dump", "--snapshot="+snapshot, "--format=custom", "--exclude-table-data="+instancesTable, "--no-owner", "--no-privileges", "--file="+path)
}

// load has pg_restore do all of it in one transaction. Comments are left out: only a
// superuser may comment on an extension.
func (p postgres) load(ctx context.Context, path string) error {
	return p.tool(ctx, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-comments", path)
}

// blank looks for tables, views, sequences and types of their own in the schemas that are
// the database's own.
func (p postgres) blank(ctx context.Context, db *DB) (bool, error) {
	var some bool
	err := db.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_toast%' AND n.nspname NOT LIKE 'pg\_temp%'
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e'))`).Scan(&some)
	return !some, err
}

// tool runs one of Postgres' own programs on the database.
func (p postgres) tool(ctx context.Context, name string, args ...string) error {
	program, err := postgresTool(name)
	if err != nil {
		return err
	}
	config, err := pgx.ParseConfig(p.url)
	if err != nil {
		return errors.New("the URL could be parsed before") // its message may quote the password
	}
	//nolint:gosec // the program is one of two, and the arguments are ours; whoever sets DATABASE_URL may do what it does
	cmd := exec.CommandContext(ctx, program, append(args, "--no-password", "--dbname="+conninfo(config, p.url))...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+config.Password, "PGAPPNAME=gatefold backup")
	cmd.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	err = cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &artwork.Error{Kind: artwork.Unavailable, Op: "bunrepo." + name, Msg: fmt.Sprintf("%s fails: %s", name, firstLines(said.String())), Err: err}
	}
	return nil
}

// firstLines returns what a program says went wrong, without what follows from that.
func firstLines(text string) string {
	const most = 600
	text = strings.TrimSpace(text)
	if len(text) > most {
		text = text[:most] + " …"
	}
	return text
}

// postgresTool returns the program on PATH or else the newest that Debian keeps off it: a
// newer one reads an older server, and not the reverse.
func postgresTool(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return slices.MaxFunc(found, func(a, b string) int { return major(a) - major(b) }), nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", artwork.Errorf(artwork.Unavailable, "%s is not on PATH: install the client programs of Postgres (Debian: apt-get install postgresql-client), "+
			"of the server's version or a later one", name)
	}
	return path, nil
}

func major(program string) int {
	version, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(program))))
	return version
}

// passedOn are the parameters of the URL that libpq knows too; others are the driver's.
var passedOn = []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "sslsni", "connect_timeout", "target_session_attrs", "options"}

// conninfo returns where the database is, for libpq, without the password: everybody on the
// machine may see the arguments of a program.
func conninfo(config *pgx.ConnConfig, from string) string {
	hosts, ports := []string{config.Host}, []string{strconv.Itoa(int(config.Port))}
	for _, fallback := range config.Fallbacks {
		port := strconv.Itoa(int(fallback.Port))
		if last := len(hosts) - 1; fallback.Host != hosts[last] || port != ports[last] { // else another way to encrypt
			hosts, ports = append(hosts, fallback.Host), append(ports, port)
		}
	}
	parts := []string{
		"host=" + quoted(strings.Join(hosts, ",")), "port=" + quoted(strings.Join(ports, ",")),
		"user=" + quoted(config.User), "dbname=" + quoted(config.Database),
	}
	_, query, _ := strings.Cut(from, "?")
	values, _ := url.ParseQuery(query) // the driver has read it
	for _, name := range passedOn {
		if value := values.Get(name); value != "" {
			parts = append(parts, name+"="+quoted(value))
		}
	}
	return strings.Join(parts, " ")
}

func quoted(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}
