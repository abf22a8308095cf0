package bootstrap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatefold/adapters/backupfolder"
	"gatefold/adapters/bunrepo"
	"gatefold/adapters/control"
	"gatefold/adapters/diskstore"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/s3store"
	"gatefold/application/backup"
	"gatefold/domain/artwork"
	"gatefold/features/images"
)

// backupVariables are the settings of backups as they are written.
type backupVariables struct {
	Dir   string `env:"BACKUP_DIR"`
	Keep  string `env:"BACKUP_KEEP" envDefault:"last:8,daily:14,weekly:8,monthly:6"`
	Redis string `env:"BACKUP_REDIS" envDefault:"true"`
}

// Backup says where backups are kept, and which.
type Backup struct {
	Dir   string // absolute; "" if none is named
	Keep  backup.Retention
	Redis bool // copy what Redis holds too, if one is used
}

func (c *checker) backup(v backupVariables) Backup {
	keep, err := backup.ParseRetention(v.Keep)
	if err != nil {
		c.fail("BACKUP_KEEP", "%s", artwork.MessageOf(err))
	}
	return Backup{Dir: c.path("BACKUP_DIR", v.Dir), Keep: keep, Redis: c.oneOf("BACKUP_REDIS", v.Redis, "true", "false") == "true"}
}

type backupCommand struct {
	Create  backupCreateCommand  `cmd:"" help:"Copy the database, and the images that no earlier backup has. A server may run meanwhile."`
	Every   backupEveryCommand   `cmd:"" help:"Make a backup now and then, until stopped."`
	List    backupListCommand    `cmd:"" help:"Print the backups, the oldest first."`
	Verify  backupVerifyCommand  `cmd:"" help:"Read backups and all their images. Exit code 0: they are what was written, 1: not."`
	Restore backupRestoreCommand `cmd:"" help:"Bring a backup into an empty database and the image store. No server may run."`
}

// vaultDir is the folder of backups, an argument of every verb.
type vaultDir struct {
	Dir string `arg:"" optional:"" help:"The folder of backups. Default: BACKUP_DIR."`
}

// of returns the folder: the argument, or the one of the configuration.
func (v vaultDir) of(cfg Config) (string, error) {
	switch {
	case v.Dir != "":
		return v.Dir, nil
	case cfg.Backup.Dir != "":
		return cfg.Backup.Dir, nil
	}
	return "", artwork.Errorf(artwork.InvalidInput, "where are the backups? Name a folder, or set BACKUP_DIR")
}

// open returns the backups in the folder and the images that they share. Only what
// writes creates what is missing.
func (v vaultDir) open(cfg Config, writes bool) (*backupfolder.Folder, *diskstore.Store, error) {
	dir, err := v.of(cfg)
	if err != nil {
		return nil, nil, err
	}
	openFolder, openImages := backupfolder.Inspect, diskstore.Inspect
	if writes {
		openFolder, openImages = backupfolder.Open, diskstore.Open
	}
	folder, err := openFolder(dir)
	if err != nil {
		return nil, nil, err
	}
	copies, err := openImages(dir)
	return folder, copies, err
}

// openStore returns the store of the deployment's images.
func openStore(cfg Config, writes bool) (artwork.ImageStore, error) {
	switch {
	case cfg.Storage == images.S3:
		return s3store.New(cfg.S3)
	case writes:
		return diskstore.Open(cfg.DataDir)
	default:
		return diskstore.Inspect(cfg.DataDir)
	}
}

type backupCreateCommand struct{ vaultDir }

// Run makes a backup. It takes no lock of the deployment, and changes nothing in it.
func (b backupCreateCommand) Run(c *command) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	progress := newProgressOf(c.stderr, "Copying images")
	created, err := b.create(c.ctx, cfg, log, progress)
	progress.end()
	if err != nil {
		return err
	}
	printCreated(c.stdout, created)
	return incomplete(created.Manifest)
}

// create makes one backup.
func (v vaultDir) create(ctx context.Context, cfg Config, log *slog.Logger, observer backup.Observer) (created backup.Created, err error) {
	if path, ok := strings.CutPrefix(cfg.DatabaseURL, sqliteScheme); ok {
		if _, err := os.Stat(path); err != nil {
			return created, artwork.Errorf(artwork.NotFound, "there is nothing to copy yet: %v", err)
		}
	}
	db, err := bunrepo.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return created, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	switch current, _, err := db.MigrationStatus(ctx); {
	case err != nil:
		return created, err
	case current == 0:
		return created, artwork.Errorf(artwork.NotFound, "there is nothing to copy yet: the database was never migrated")
	}
	store, err := openStore(cfg, false)
	if err != nil {
		return created, err
	}
	folder, copies, err := v.open(cfg, true)
	if err != nil {
		return created, err
	}
	in := backup.CreateIn{Program: version(), Keep: cfg.Backup.Keep}
	if in.Secret, err = os.ReadFile(filepath.Join(cfg.DataDir, secretFile)); errors.Is(err, fs.ErrNotExist) {
		in.Secret, err = nil, nil
	}
	if err != nil {
		return created, artwork.Errorf(artwork.Unavailable, "AUTH_SECRET: the one in DATA_DIR cannot be read: %v", err)
	}
	if cfg.Backup.Redis && cfg.Cache.Redis.Configured() {
		in.Redis = func(ctx context.Context, path func(string) string) error {
			return rediscache.CopyRDB(ctx, cfg.Cache.Redis, path)
		}
	}
	created, err = backup.NewCreate(db, bunrepo.NewImages(db), store, folder, copies).Run(ctx, in, observer)
	if err == nil {
		log.Info("Made a backup", "id", created.Manifest.ID, "folder", folder.Root(), "images", created.Manifest.Images.Count, "removed", len(created.Removed))
	}
	return created, err
}

func printCreated(w io.Writer, created backup.Created) {
	m := created.Manifest
	fmt.Fprintf(w, "%s: %d images, %.1f MB; %d new, %.1f MB; in %.1f s\n",
		m.ID, m.Images.Count, float64(m.Images.Bytes)/1e6, m.Images.New, float64(m.Images.NewBytes)/1e6, m.Took)
	if len(created.Removed) > 0 {
		fmt.Fprintf(w, "removed by BACKUP_KEEP: %s; %d images went with them\n", strings.Join(created.Removed, ", "), created.Freed)
	}
}

// incomplete is the error of a backup that was kept and lacks something.
func incomplete(m *backup.Manifest) error {
	var lacks []string
	if n := len(m.Images.Lost); n > 0 {
		lacks = append(lacks, fmt.Sprintf("%d images that the store has lost or damaged (gatefold doctor names them)", n))
	}
	if m.Redis != "" {
		lacks = append(lacks, "the copy of Redis, which nothing is restored from: "+m.Redis)
	}
	if len(lacks) == 0 {
		return nil
	}
	return artwork.Errorf(artwork.Unavailable, "the backup %s was kept, but lacks %s", m.ID, strings.Join(lacks, "; and "))
}

type backupEveryCommand struct {
	Interval time.Duration `arg:"" help:"From the beginning of one backup to that of the next, such as 6h."`
	vaultDir
}

// minInterval leaves a backup time to be made.
const minInterval = time.Minute

// Run makes backups until a signal ends it. One that fails is logged, and the next is made all
// the same.
func (b backupEveryCommand) Run(c *command) error {
	cfg, log, err := c.begin()
	if err != nil {
		return err
	}
	if b.Interval < minInterval {
		return artwork.Errorf(artwork.InvalidInput, "the interval is at least %s", minInterval)
	}
	if _, err := b.of(cfg); err != nil {
		return err
	}
	ticks := time.NewTicker(b.Interval)
	defer ticks.Stop()
	for {
		created, err := b.create(c.ctx, cfg, log, unobserved{})
		if err == nil {
			err = incomplete(created.Manifest)
		}
		if err != nil && c.ctx.Err() == nil {
			log.Error("The backup failed", "error", err.Error())
		}
		select {
		case <-ticks.C:
		case <-c.ctx.Done():
			return nil
		}
	}
}

type unobserved struct{}

// Progress implements backup.Observer.
func (unobserved) Progress(int, int) {}

type backupListCommand struct{ vaultDir }

// Run prints a line for each backup.
func (b backupListCommand) Run(c *command) error {
	cfg, _, err := c.beginQuietly()
	if err != nil {
		return err
	}
	folder, copies, err := b.open(cfg, false)
	if err != nil {
		return err
	}
	kept, err := backup.NewVerify(folder, copies).List(c.ctx)
	for _, k := range kept {
		if k.Err != nil {
			fmt.Fprintf(c.stdout, "%s  UNREADABLE: %v\n", k.ID, k.Err)
			continue
		}
		lacks := ""
		if !k.Manifest.Complete() {
			lacks = "  INCOMPLETE"
		}
		fmt.Fprintf(c.stdout, "%s  %s  %-8s  %d images, %.1f MB (%d new)%s\n", k.ID, k.Manifest.CreatedAt.Format(time.RFC3339),
			k.Manifest.Database.Kind, k.Manifest.Images.Count, float64(k.Manifest.Images.Bytes)/1e6, k.Manifest.Images.New, lacks)
	}
	return err
}

type backupVerifyCommand struct {
	vaultDir
	ID string `help:"Only this backup, or the latest." placeholder:"ID|latest"`
}

// Run reads backups and says what is wrong with them.
func (b backupVerifyCommand) Run(c *command) error {
	cfg, _, err := c.beginQuietly()
	if err != nil {
		return err
	}
	folder, copies, err := b.open(cfg, false)
	if err != nil {
		return err
	}
	progress := newProgressOf(c.stderr, "Reading images")
	found, err := backup.NewVerify(folder, copies).Run(c.ctx, b.ID, progress)
	progress.end()
	if err != nil {
		return err
	}
	for _, wrong := range found.Wrong {
		fmt.Fprintln(c.stdout, "DAMAGED", wrong)
	}
	if n := len(found.Wrong); n > 0 {
		return artwork.Errorf(artwork.Unavailable, "%d things are missing or damaged", n)
	}
	_, err = fmt.Fprintf(c.stdout, "%d backups and their %d images are what was written.\n", found.Backups, found.Images)
	return err
}

type backupRestoreCommand struct {
	vaultDir
	ID string `default:"latest" help:"Which backup. Default: the latest." placeholder:"ID|latest"`
}

// Run restores a backup into an empty deployment, and empties the shared cache, which may
// know of what was there before.
func (b backupRestoreCommand) Run(c *command) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	if _, err := control.Dial(c.ctx, cfg.DataDir); artwork.KindOf(err) != artwork.NotFound {
		return artwork.Errorf(artwork.Conflict, "a server runs on this data directory: stop it, and every other instance")
	}
	manifest, err := b.restore(c, cfg)
	if err != nil {
		return err
	}
	if err := settle(c.ctx, cfg, log); err != nil {
		return fmt.Errorf("%s is restored, but the cache in Redis could not be emptied; run gatefold cache flush before anybody is served: %w", manifest.ID, err)
	}
	_, err = fmt.Fprintf(c.stdout, "%s is restored: %d images, and the %s database as it was at %s.\n",
		manifest.ID, manifest.Images.Count, manifest.Database.Kind, manifest.CreatedAt.Format(time.RFC3339))
	return err
}

func (b backupRestoreCommand) restore(c *command, cfg Config) (manifest *backup.Manifest, err error) {
	folder, copies, err := b.open(cfg, false)
	if err != nil {
		return nil, err
	}
	lock, err := lockDataDir(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Unlock() }() // the end of the process does it too
	if mode := cfg.Cache.Wish.Settings.Mode; mode.Shared() {
		if err := rediscache.Probe(c.ctx, cfg.Cache.Redis); err != nil {
			return nil, fmt.Errorf("what the cache knows must be forgotten with the old database, and Redis cannot be reached: %w", err)
		}
	}
	store, err := openStore(cfg, true)
	if err != nil {
		return nil, err
	}
	db, err := bunrepo.Open(c.ctx, cfg.DatabaseURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	progress := newProgressOf(c.stderr, "Restoring images")
	defer progress.end()
	in := backup.RestoreIn{ID: b.ID, Secret: func(secret []byte) error { return restoreSecret(cfg.DataDir, secret) }}
	return backup.NewRestore(folder, copies, db, store).Run(c.ctx, in, progress)
}

// restoreSecret writes the secret unless it is there. Another one would not open what the
// backup's has sealed.
func restoreSecret(dataDir string, secret []byte) error {
	path := filepath.Join(dataDir, secretFile)
	switch there, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
		if err := writeSecret(path, strings.TrimSpace(string(secret))); err != nil {
			return artwork.Errorf(artwork.Unavailable, "AUTH_SECRET: %s cannot be written: %v", path, err)
		}
		return nil
	case err != nil:
		return artwork.Errorf(artwork.Unavailable, "AUTH_SECRET: %s cannot be read: %v", path, err)
	case !bytes.Equal(bytes.TrimSpace(there), bytes.TrimSpace(secret)):
		return artwork.Errorf(artwork.Conflict, "%s is another secret than the backup's, and could not open what that has sealed: set it aside", path)
	}
	return nil
}

// settle migrates what was restored, if that was made by an earlier version, and empties a
// shared cache.
func settle(ctx context.Context, cfg Config, log *slog.Logger) error {
	if err := (migrateCommand{}).migrate(ctx, cfg, io.Discard); err != nil {
		return err
	}
	if !cfg.Cache.Wish.Settings.Mode.Shared() {
		return nil
	}
	return withVerbs(ctx, cfg, log, func(verbs control.Verbs) error {
		_, err := verbs.FlushCache(ctx)
		return err
	})
}
