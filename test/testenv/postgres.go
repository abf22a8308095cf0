package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

const (
	postgresUser = "gatefold"
	// postgresPassword needs escaping in a URL, as the passwords of operators do.
	postgresPassword = "p@ss/w0rd?&#"
	// postgresDatabase is the one to connect to for creating others.
	postgresDatabase = "postgres"
	// startLimit bounds how long a server may take until it answers.
	startLimit = 60 * time.Second
)

var (
	sharedPostgres = sync.OnceValues(func() (*PostgresProcess, error) { return newPostgres() })
	databases      atomic.Int64
)

// Postgres returns the URL of a fresh, empty database, which is dropped when the
// test ends. All are on one private server, started with the first.
func Postgres(tb TB) string {
	tb.Helper()
	return freshDatabase(tb, "template0")
}

// PostgresFrom returns what is Postgres for databases that begin with what prepare has
// made of one: all are copies of that, which is much cheaper than to make each. It is
// called once in a process, and leaves nobody connected.
func PostgresFrom(prepare func(url string) error) func(TB) string {
	template := sync.OnceValues(func() (string, error) {
		server, err := sharedPostgres()
		if err != nil {
			return "", err
		}
		name := fmt.Sprintf("template_%d", databases.Add(1))
		if err := server.exec("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
			return "", err
		}
		return name, prepare(server.url(name))
	})
	return func(tb TB) string {
		tb.Helper()
		name, err := template()
		if err != nil {
			fatalf(tb, "a database to copy: %v", err)
		}
		return freshDatabase(tb, name)
	}
}

func freshDatabase(tb TB, template string) string {
	tb.Helper()
	server, err := sharedPostgres()
	if err != nil {
		fatalf(tb, "%v", err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	// To copy the files is cheaper than to write every page of them into the log.
	if err := server.exec("CREATE DATABASE " + name + " TEMPLATE " + template + " STRATEGY file_copy"); err != nil {
		fatalf(tb, "creating a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := server.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("dropping a database: %v", err)
		}
	})
	return server.url(name)
}

// PostgresServer starts a private server of its own, for tests in which the
// database cannot be reached, or that need other settings, each as in "fsync=on". It is
// removed when the test ends.
func PostgresServer(tb TB, settings ...string) *PostgresProcess {
	tb.Helper()
	server, err := newPostgres(settings...)
	if err != nil {
		fatalf(tb, "%v", err)
	}
	tb.Cleanup(func() {
		server.Stop()
		_ = os.RemoveAll(server.dir)
	})
	return server
}

// PostgresProcess is a private Postgres server on 127.0.0.1. Its data survives
// Stop. The methods are for one goroutine.
type PostgresProcess struct {
	bin      string // folder of the binaries
	dir      string // holds the data folder
	port     int
	settings []string
	owner    *syscall.Credential // whom the server runs as; nil: whoever runs the tests
	server   *exec.Cmd
}

// URL returns the URL of the server's first, empty database.
func (p *PostgresProcess) URL() string { return p.url(postgresDatabase) }

// Binary returns the path of one of the server's programs.
func (p *PostgresProcess) Binary(name string) string { return filepath.Join(p.bin, name) }

// Stop ends the server at once; clients lose their connections.
func (p *PostgresProcess) Stop() {
	if p.server != nil {
		// Postgres calls this an immediate shutdown: like a crash, but its
		// children end too. Committed data is recovered when it starts again.
		stop(p.server, syscall.SIGQUIT)
		p.server = nil
	}
}

// Start starts the server again, on the same port, and waits until it answers.
func (p *PostgresProcess) Start() error {
	arguments := []string{
		"-D", p.data(),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "port=" + strconv.Itoa(p.port),
		"-c", "unix_socket_directories=",
		// Shared memory in the data folder: nothing is left behind by a kill.
		"-c", "dynamic_shared_memory_type=mmap",
		"-c", "max_connections=200",
		"-c", "shared_buffers=32MB",
		// Nothing survives the machine, or is replicated.
		"-c", "fsync=off",
		"-c", "full_page_writes=off",
		"-c", "wal_level=minimal",
		"-c", "max_wal_senders=0",
		"-c", "autovacuum=off",
		"-c", "timezone=Asia/Kathmandu", // an odd zone, so that nobody relies on UTC
	}
	for _, setting := range p.settings {
		arguments = append(arguments, "-c", setting) // the last one counts
	}
	p.server = p.command("postgres", arguments...)
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	p.server.Stdout, p.server.Stderr = log, log
	if err := start(p.server); err != nil {
		return err
	}
	return p.awaitReady()
}

// newPostgres creates a data folder and starts a server on it. A port that was
// taken by somebody else in the meantime is a reason to take another.
func newPostgres(settings ...string) (*PostgresProcess, error) {
	p := &PostgresProcess{settings: settings}
	var err error
	if p.bin, err = postgresBinaries(); err != nil {
		return nil, err
	}
	if p.owner, err = unprivileged(); err != nil {
		return nil, err
	}
	if p.dir, err = p.folder(); err != nil {
		return nil, err
	}
	onExit(func() { _ = os.RemoveAll(p.dir) })
	if err := p.initialise(); err != nil {
		return nil, err
	}
	for range 5 {
		if p.port, err = freePort(); err != nil {
			return nil, err
		}
		if err = p.Start(); err == nil {
			// Before the kill that start has registered: a killed server leaves a
			// segment of shared memory behind.
			onExit(p.Stop)
			return p, nil
		}
		p.Stop()
	}
	return nil, err
}

const (
	folders = "gatefold-postgres-"
	// memoryFolder is where Linux keeps files in memory.
	memoryFolder = "/dev/shm"
	// enoughMemory is what the databases of a package's tests take at most at a time.
	enoughMemory = 1 << 30
)

// folder makes one for a server, in memory if there is enough: to create and drop databases
// takes half of the time there. Whoever sets up the server for more than tests gets the disk.
func (p *PostgresProcess) folder() (string, error) {
	var there unix.Statfs_t
	err := unix.Statfs(memoryFolder, &there)
	if err != nil || there.Type != unix.TMPFS_MAGIC || there.Bavail*uint64(there.Bsize) < enoughMemory || len(p.settings) > 0 {
		return os.MkdirTemp("", folders)
	}
	sweep()
	return os.MkdirTemp(memoryFolder, fmt.Sprintf("%s%d-", folders, os.Getpid()))
}

// sweep removes from memory what test processes have left that were killed.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(memoryFolder, folders+"*"))
	for _, dir := range left {
		var process int
		if _, err := fmt.Sscanf(filepath.Base(dir), folders+"%d-", &process); err == nil && errors.Is(unix.Kill(process, 0), unix.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}

func (p *PostgresProcess) initialise() error {
	passwordFile := filepath.Join(p.dir, "password")
	if err := os.WriteFile(passwordFile, []byte(postgresPassword), 0o600); err != nil {
		return err
	}
	if p.owner != nil {
		for _, path := range []string{p.dir, passwordFile} {
			if err := os.Chown(path, int(p.owner.Uid), int(p.owner.Gid)); err != nil {
				return err
			}
		}
	}
	initdb := p.command("initdb", "-D", p.data(), "-U", postgresUser, "-E", "UTF8", "--locale=C",
		"--no-sync", "--auth=scram-sha-256", "--pwfile="+passwordFile)
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s%s", err, output, p.hint())
	}
	return nil
}

// hint explains the failure that is not obvious from the server's message: it
// runs as another user, who has to be able to reach its folder.
func (p *PostgresProcess) hint() string {
	if p.owner == nil {
		return ""
	}
	for dir := filepath.Dir(p.dir); dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o001 == 0 {
			return fmt.Sprintf("\nPostgres refuses to run as root, and its user %d may not enter %s: set TMPDIR to a folder that anybody may enter", p.owner.Uid, dir)
		}
	}
	return ""
}

func (p *PostgresProcess) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(p.Binary(name), args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + p.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.owner}
	return cmd
}

func (p *PostgresProcess) data() string { return filepath.Join(p.dir, "data") }

func (p *PostgresProcess) url(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(postgresUser, postgresPassword),
		Host:     "127.0.0.1:" + strconv.Itoa(p.port),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (p *PostgresProcess) awaitReady() error {
	limit := time.After(startLimit)
	for {
		err := p.exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-done(p.server):
			return fmt.Errorf("postgres ended while starting: %s", p.log())
		case <-limit:
			return fmt.Errorf("postgres did not answer within %s: %w\n%s", startLimit, err, p.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *PostgresProcess) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return string(text)
}

// exec runs one statement on a connection of its own.
func (p *PostgresProcess) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	return errors.Join(err, conn.Close(ctx))
}

// postgresBinaries returns the folder of the server's binaries: the one on PATH
// or else the newest of those that Debian keeps off it.
func postgresBinaries() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && isFile(filepath.Join(filepath.Dir(path), "initdb")) {
			return filepath.Dir(path), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errors.New("these tests need a Postgres server: install it (Debian: apt-get install postgresql) or put its postgres and initdb on PATH")
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return majorVersion(a) - majorVersion(b) })
	return filepath.Dir(newest), nil
}

func majorVersion(initdb string) int {
	version, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return version
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// unprivileged returns whom to run as instead of root, which Postgres refuses;
// nil if the tests do not run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(account.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(account.Gid, 10, 32)
		if errUID == nil && errGID == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("postgres does not run as root, and there is neither a user postgres nor nobody to run it as")
}
