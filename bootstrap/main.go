// Package bootstrap turns configuration into a running program: it composes the
// features, owns the life cycle and is the command line.
package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"go.uber.org/fx"

	"gatefold/adapters/control"
	"gatefold/adapters/demolibrary"
	"gatefold/application/accesstoken"
	"gatefold/domain/artwork"
	"gatefold/features/images"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried, or looked at, and is not as it should be
	exitUsage  = 2 // the command line or the configuration is wrong
	exitGoesOn = 3 // what was begun goes on without the command
)

// commands is the command line.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Serve images over HTTP."`
	Import   importCommand   `cmd:"" help:"Import a music folder: its artists, albums and pictures."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database's schema up to date, or back to an earlier version."`
	User     userCommand     `cmd:"" help:"Manage the users who sign in."`
	Token    tokenCommand    `cmd:"" help:"Manage API tokens."`
	Fill     fillCommand     `cmd:"" help:"Fill empty slots with the best image that providers have."`
	Render   renderCommand   `cmd:"" help:"Render images before they are asked for. Exit code 0: done, 1: some cannot be rendered, or it was stopped."`
	Cache    cacheCommand    `cmd:"" help:"Look into the image cache, warm it, or drop what it holds."`
	Backup   backupCommand   `cmd:"" help:"Make backups, check them, and bring one back."`
	Doctor   doctorCommand   `cmd:"" help:"Check every configured part and say what to do. Exit code 0: sound, 1: not."`
	Demo     demoCommand     `cmd:"" help:"Fill the catalogue with an invented library, to try things out."`
	Health   healthCommand   `cmd:"" help:"Ask the server that listens on LISTEN_ADDR whether it serves. Exit code 0: it does, 1: not."`
	LogLevel logLevelCommand `cmd:"" help:"Print what the running server logs, or change it at once, until it ends."`
	Version  versionCommand  `cmd:"" help:"Print the version."`
}

// command is what a verb runs in.
type command struct {
	ctx     context.Context
	environ environ
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
}

// Main runs the command line and returns the exit code. Results go to stdout,
// everything else to stderr. A first signal ends it in order, a second one at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return run(&command{ctx, processEnviron, os.Stdin, stdout, stderr}, args)
}

func run(c *command, args []string) (code int) {
	var cli commands
	parser, err := kong.New(&cli,
		kong.Name("gatefold"),
		kong.Description("The artwork service of a music platform. It is configured by the environment and the file that ENV_FILE names (default .env); .env.example lists every variable."),
		kong.Writers(c.stdout, c.stderr),
		kong.Exit(func(int) { panic(helpShown{}) }),
		kong.UsageOnError(),
	)
	if err != nil {
		panic(err) // the definition of the command line is wrong
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(helpShown); !ok {
				panic(p)
			}
			code = exitOK
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(c.stderr, "gatefold: %v\n", err)
		return exitUsage
	}
	if err := parsed.Run(c); err != nil {
		// There is no log to look into: the whole chain is told.
		fmt.Fprintf(c.stderr, "gatefold: %v\n", err)
		if _, ok := errors.AsType[detached](err); ok {
			return exitGoesOn
		}
		if artwork.KindOf(err) == artwork.InvalidInput {
			return exitUsage
		}
		return exitFailed
	}
	return exitOK
}

// helpShown ends the parsing of a command line that asked for help.
type helpShown struct{}

// begin reads the configuration and returns it with a logger to stderr.
func (c *command) begin() (Config, *slog.Logger, error) {
	cfg, err := c.environ.load()
	if err != nil {
		return Config{}, nil, err
	}
	return cfg, c.newLogger(cfg), nil
}

// newLogger returns the logger of this process. What libraries print by the standard library's
// own, such as net/http of a host that answers what nobody has asked, is in it at debug level:
// it would be no JSON, and strangers would decide what an operator reads.
func (c *command) newLogger(cfg Config) *slog.Logger {
	log := newLogger(cfg, c.stderr)
	stdlog.SetFlags(0)
	stdlog.SetOutput(slog.NewLogLogger(log.Handler(), slog.LevelDebug).Writer())
	return log
}

// beginQuietly is begin for verbs whose output is for a person: only what goes
// wrong is logged, unless LOG_LEVEL asks for more.
func (c *command) beginQuietly() (Config, *slog.Logger, error) {
	cfg, log, err := c.begin()
	if err == nil && cfg.LogLevel == slog.LevelInfo {
		cfg.LogLevel = slog.LevelWarn
		log = c.newLogger(cfg)
	}
	return cfg, log, err
}

// usePrivateTemp has temporary files of this process made in the data directory.
// The reader of audio tags keeps machine code in the folder for temporary files,
// where nobody else may be able to put any.
func usePrivateTemp(cfg Config) error {
	dir := filepath.Join(cfg.DataDir, "cache")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return artwork.Errorf(artwork.InvalidInput, "DATA_DIR: %v", err)
	}
	return os.Setenv("TMPDIR", dir)
}

type serveCommand struct{}

// ballastBytes is memory that nobody touches, so that it takes none: the garbage
// collector begins at twice what is in use, and a server that holds little would run it
// many times a second. With this it begins at 64 MiB at the earliest.
const ballastBytes = 32 << 20

// Run serves until a signal ends it.
func (serveCommand) Run(c *command) error {
	cfg, log, err := c.begin()
	if err != nil {
		return err
	}
	if err := usePrivateTemp(cfg); err != nil {
		return err
	}
	ballast := make([]byte, ballastBytes)
	defer runtime.KeepAlive(ballast)
	server, err := Serve(c.ctx, cfg, log)
	if err != nil {
		return c.unlessStopped(err)
	}
	select {
	case <-c.ctx.Done():
		log.Info("Stopping: draining requests in flight")
		return server.Close()
	case err := <-server.serving.failed:
		return errors.Join(err, server.Close())
	}
}

// unlessStopped returns the error of a start, which is none if a signal ended it.
func (c *command) unlessStopped(err error) error {
	if c.ctx.Err() == nil {
		return err
	}
	return nil
}

type importCommand struct {
	Dir string `arg:"" help:"The music folder."`
}

// Run imports a folder, by the running server if there is one.
func (i importCommand) Run(c *command) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(i.Dir)
	if err != nil {
		return artwork.Errorf(artwork.InvalidInput, "%v", err)
	}
	if err := usePrivateTemp(cfg); err != nil {
		return err
	}
	return withVerbs(c.ctx, cfg, log, func(verbs control.Verbs) error {
		progress := newProgress(c.stderr)
		summary, err := verbs.Import(c.ctx, dir, progress)
		progress.end()
		if err != nil {
			return err
		}
		return printSummary(c.stdout, summary)
	})
}

type tokenCommand struct {
	Create createTokenCommand `cmd:"" help:"Create an API token and print it, once."`
	List   listTokensCommand  `cmd:"" help:"List the API tokens."`
	Revoke revokeTokenCommand `cmd:"" help:"Make an API token good for nothing, at once."`
}

type createTokenCommand struct {
	Scope string `required:"" enum:"read,write,admin" help:"What it may do: read, write (images, locks, catalogue) or admin."`
	Name  string `default:"cli" help:"Who uses it; histories and logs show this name."`

	Expires time.Duration `help:"After how long it ends, such as 720h. Default: never."`
}

// Run prints the token alone to stdout.
func (t createTokenCommand) Run(c *command) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	return withVerbs(c.ctx, cfg, log, func(verbs control.Verbs) error {
		in := accesstoken.CreateIn{Name: t.Name, Scope: accesstoken.Scope(t.Scope)}
		if t.Expires != 0 {
			in.ExpiresAt = time.Now().Add(t.Expires).UTC()
		}
		secret, err := verbs.CreateToken(c.ctx, in)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.stderr, "A token with the scope %q. It is shown this once only:\n", t.Scope)
		_, err = fmt.Fprintln(c.stdout, secret)
		return err
	})
}

type demoCommand struct{}

// Run imports an invented library whose pictures the program draws.
func (demoCommand) Run(c *command) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	var local *operations
	app, err := open(c.ctx, cfg, log, fx.Populate(&local))
	if err != nil {
		return err
	}
	progress := newProgress(c.stderr)
	summary, err := local.importer.Run(c.ctx, commandLine, demolibrary.New(), progress)
	progress.end()
	if closeErr := app.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return printSummary(c.stdout, summary)
}

type healthCommand struct{}

// Run is what a container's health check runs.
func (healthCommand) Run(c *command) error {
	cfg, _, err := c.beginQuietly()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
	defer cancel()
	_, port, _ := net.SplitHostPort(cfg.ListenAddr) // checked with the configuration
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("localhost", port)+"/health", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return artwork.Wrap(artwork.Unavailable, "bootstrap.Health", err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if _, err := io.Copy(c.stdout, resp.Body); err != nil {
		return artwork.Wrap(artwork.Unavailable, "bootstrap.Health", err)
	}
	if resp.StatusCode != http.StatusOK {
		return artwork.Errorf(artwork.Unavailable, "the server answers %s", resp.Status)
	}
	return nil
}

type versionCommand struct{}

// Run prints the version, and what renders.
func (versionCommand) Run(c *command) error {
	_, err := fmt.Fprintf(c.stdout, "gatefold %s, renderer %s\n", version(), images.RendererBuilt())
	return err
}
