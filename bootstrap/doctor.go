package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"gatefold/adapters/bunrepo"
	"gatefold/adapters/control"
	"gatefold/adapters/diskstore"
	"gatefold/adapters/musicfolder"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/s3store"
	"gatefold/application/providersettings"
	"gatefold/application/verifystore"
	"gatefold/domain/artwork"
	"gatefold/features/images"
)

// doctorTimeout bounds each check of a part that is asked over the network.
const doctorTimeout = 5 * time.Second

// lowSpace is the free space below which the doctor warns.
const lowSpace = 1 << 30

type doctorCommand struct {
	Repair bool `help:"Also repair what can be: create the data directory, migrate the database, remove orphaned files; and if images are missing or damaged, have the next import read the whole music folder again, which replaces those that still lie there."`
	Quick  bool `help:"Do not read the images: only compare which there are, and their sizes."`
}

// Run examines every part and prints a line for each.
func (d doctorCommand) Run(c *command) error {
	cfg, _, err := c.beginQuietly()
	if err != nil {
		return err
	}
	exam := &examination{cfg: cfg, repair: d.Repair, quick: d.Quick, w: c.stdout, progress: newProgressOf(c.stderr, "Reading images")}
	exam.run(c.ctx)
	if exam.unsound > 0 {
		return artwork.Errorf(artwork.Unavailable, "%d of the checks failed", exam.unsound)
	}
	return nil
}

// examination is one visit of the doctor. Without repair it changes nothing.
type examination struct {
	cfg      Config
	repair   bool
	quick    bool
	w        io.Writer
	progress *progress
	unsound  int
}

func (e *examination) run(ctx context.Context) {
	e.sound("configuration", "%s cache, %s, images on %s", e.cfg.Cache.Wish.Settings.Mode, strings.SplitN(e.cfg.DatabaseURL, ":", 2)[0], e.cfg.Storage)
	fresh := e.dataDir()
	e.server(ctx)
	e.redis(ctx)
	e.music()
	store := e.storage(ctx)
	if db := e.database(ctx, fresh); db != nil {
		e.providerKeys(ctx, db)
		if store != nil {
			e.images(ctx, db, store)
		}
		_ = db.Close() // nothing is written any more
	}
}

func (e *examination) sound(part, format string, args ...any) {
	fmt.Fprintf(e.w, "ok      %-14s %s\n", part, fmt.Sprintf(format, args...))
}

// fail says what is wrong and what to do about it.
func (e *examination) fail(part, what, advice string) {
	e.unsound++
	fmt.Fprintf(e.w, "FAILED  %-14s %s\n        %-14s -> %s\n", part, what, "", advice)
}

// dataDir reports whether nothing has ever been stored: a fresh installation.
func (e *examination) dataDir() (fresh bool) {
	const part = "data directory"
	info, err := os.Stat(e.cfg.DataDir)
	if errors.Is(err, fs.ErrNotExist) && e.repair {
		if err = os.MkdirAll(e.cfg.DataDir, 0o750); err == nil {
			info, err = os.Stat(e.cfg.DataDir)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.sound(part, "%s does not exist yet; the first start creates it", e.cfg.DataDir)
		return true
	case err != nil:
		e.fail(part, err.Error(), "give the user that runs gatefold access to DATA_DIR")
	case !info.IsDir():
		e.fail(part, e.cfg.DataDir+" is not a folder", "choose another DATA_DIR")
	case unix.Access(e.cfg.DataDir, unix.R_OK|unix.W_OK|unix.X_OK) != nil:
		e.fail(part, e.cfg.DataDir+" cannot be written", "give the user that runs gatefold access to DATA_DIR")
	default:
		e.space(part)
	}
	return false
}

func (e *examination) space(part string) {
	var stat unix.Statfs_t
	if err := unix.Statfs(e.cfg.DataDir, &stat); err != nil {
		e.fail(part, err.Error(), "check the file system of DATA_DIR")
		return
	}
	free := stat.Bavail * uint64(stat.Bsize)
	if free < lowSpace {
		e.fail(part, fmt.Sprintf("%s has only %d MB left", e.cfg.DataDir, free>>20), "make room: uploads and imports will fail")
		return
	}
	e.sound(part, "%s, %d GB free", e.cfg.DataDir, free>>30)
}

func (e *examination) server(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	switch _, err := control.Dial(ctx, e.cfg.DataDir); {
	case err == nil:
		e.sound("server", "one is running on this data directory")
	case artwork.KindOf(err) == artwork.NotFound:
		e.sound("server", "none is running on this data directory")
	default:
		e.fail("server", err.Error(), "a server holds the socket but does not answer: look at its log, restart it")
	}
}

func (e *examination) redis(ctx context.Context) {
	const part = "redis"
	if mode := e.cfg.Cache.Wish.Settings.Mode; !mode.Shared() {
		e.sound(part, "not used by IMAGE_CACHE=%s", mode)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	if err := rediscache.Probe(ctx, e.cfg.Cache.Redis); err != nil {
		e.fail(part, err.Error(), "check REDIS_HOST, REDIS_PORT, REDIS_PASSWORD or REDIS_URL, and that Redis is running; until then images come from the database and applies answer 503")
		return
	}
	e.sound(part, "connected")
}

func (e *examination) music() {
	const part = "music folder"
	if e.cfg.MusicDir == "" {
		e.sound(part, "none; MUSIC_DIR names one")
		return
	}
	if _, err := musicfolder.Open(e.cfg.MusicDir, newLogger(e.cfg, io.Discard)); err != nil {
		e.fail(part, err.Error(), "correct MUSIC_DIR, or mount the folder")
		return
	}
	e.sound(part, "%s", e.cfg.MusicDir)
}

// database returns the database if it can be used.
func (e *examination) database(ctx context.Context, fresh bool) *bunrepo.DB {
	const part = "database"
	if path, ok := strings.CutPrefix(e.cfg.DatabaseURL, sqliteScheme); ok && !e.repair {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			e.sound(part, "%s does not exist yet; the first start creates it", path)
			return nil
		}
	}
	if fresh && e.repair {
		return nil // the data directory could not be created
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	db, err := bunrepo.Open(ctx, e.cfg.DatabaseURL)
	if err == nil {
		err = db.Ping(ctx)
	}
	if err != nil {
		e.fail(part, err.Error(), "check DATABASE_URL, and that the database is running")
		return nil
	}
	return e.schema(ctx, db)
}

func (e *examination) schema(ctx context.Context, db *bunrepo.DB) *bunrepo.DB {
	const part = "database"
	if e.repair {
		if err := db.Migrate(ctx); err != nil {
			e.fail(part, err.Error(), "see what the database says, and run gatefold migrate")
		}
	}
	current, latest, err := db.MigrationStatus(ctx)
	switch {
	case err != nil:
		e.fail(part, err.Error(), "check DATABASE_URL, and that the database is running")
	case current < latest:
		e.fail(part, fmt.Sprintf("the schema is at version %d of %d", current, latest), "run gatefold migrate, or start the server, which does it")
	default:
		e.sound(part, "%s, schema version %d", db.Kind(), current)
		return db
	}
	_ = db.Close() // nothing was written
	return nil
}

// imageStorage keeps images and what is rendered of them.
type imageStorage interface {
	artwork.ImageStore
	artwork.RenditionStore
}

// storage returns what keeps the images, if it can be used and holds any.
func (e *examination) storage(ctx context.Context) imageStorage {
	if e.cfg.Storage == images.S3 {
		return e.bucket(ctx)
	}
	return e.disk()
}

// bucket writes a small object, lists, and deletes it again: no other way tells
// what a key may do.
func (e *examination) bucket(ctx context.Context) imageStorage {
	const part = "storage"
	store, err := s3store.New(e.cfg.S3)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
		defer cancel()
		err = store.Probe(ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = artwork.Errorf(artwork.Unavailable, "S3_ENDPOINT: %s does not answer within %s", e.cfg.S3.Endpoint, doctorTimeout)
	}
	if err != nil {
		e.fail(part, err.Error(), "correct the variable, or the bucket and what its user may do there; until then no image can be served")
		return nil
	}
	e.sound(part, "%s can be read, written, listed and deleted in", store)
	return store
}

func (e *examination) disk() imageStorage {
	const part = "storage"
	open := diskstore.Inspect
	if e.repair {
		open = diskstore.Open
	}
	store, err := open(e.cfg.DataDir)
	if err != nil {
		e.fail(part, err.Error(), "give the user that runs gatefold access to DATA_DIR")
		return nil
	}
	if _, err := os.Stat(filepath.Join(e.cfg.DataDir, "images")); errors.Is(err, fs.ErrNotExist) {
		e.sound(part, "no images are stored yet")
		return noImages{store}
	}
	e.sound(part, "images are kept in %s", store.Root())
	return store
}

// providerKeys tries every key that is stored. It generates no secret: one that were
// new would open none.
func (e *examination) providerKeys(ctx context.Context, db *bunrepo.DB) {
	const part = "provider keys"
	snapshot, err := bunrepo.NewProviderSettings(db).Load(ctx)
	if err != nil {
		e.fail(part, err.Error(), "check the database")
		return
	}
	keys, err := findKeyring(e.cfg)
	if err != nil {
		e.fail(part, err.Error(), "correct AUTH_SECRET")
		return
	}
	stored, unreadable := providersettings.Unreadable(snapshot, keys)
	for _, key := range unreadable {
		e.fail(part, "the stored key of a provider cannot be opened: "+key, "put the secret that it was entered under into AUTH_SECRET_PREVIOUS, or enter the key again in the settings; until then it counts as none")
	}
	switch {
	case stored == 0:
		e.sound(part, "none are stored")
	case len(unreadable) == 0:
		e.sound(part, "%d stored, all can be opened", stored)
	}
}

// noImages is the store of an installation that has stored nothing yet. If the
// database knows of images all the same, they are missing.
type noImages struct{ imageStorage }

// List implements artwork.ImageStore.
func (noImages) List(context.Context, func(artwork.StoredInfo) error) error { return nil }

// Open implements artwork.ImageStore.
func (noImages) Open(_ context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	return nil, artwork.Errorf(artwork.NotFound, "no image is stored under %s", hash)
}

// images compares the records with the files.
func (e *examination) images(ctx context.Context, db *bunrepo.DB, store imageStorage) {
	const part = "images"
	in := verifystore.In{Quick: e.quick, Repair: e.repair}
	report, err := verifystore.NewVerify(bunrepo.NewImages(db), store, store, e.cfg.OrphanGrace).Run(ctx, in, e.progress)
	e.progress.end()
	if err != nil {
		e.fail(part, err.Error(), "check the database and where the images are kept")
		return
	}
	const again = "apply or upload the image again, or restore the file from a backup; gatefold doctor --repair has the next import store all pictures of the music folder again"
	e.failEach(part, "the file of an image is missing: ", again, report.Missing)
	e.failEach(part, "the file of an image is damaged: ", again, report.Damaged)
	if report.Orphans > 0 {
		e.fail(part, fmt.Sprintf("%d files that nothing refers to", report.Orphans), "gatefold doctor --repair removes them; a server does it by itself, once a day")
	}
	if report.Sound() {
		how := "every file has its hash"
		if e.quick {
			how = "every file has its size"
		}
		e.sound(part, "%d, %s; %d unreferenced files wait for their time, %d were removed", report.Referenced, how, report.Waiting, report.Removed)
	}
	found := report.Renditions
	e.sound("renditions", "%d of %d MB; %d of images that are gone, %d were removed", found.Stored, found.Bytes>>20, found.Orphans, found.Removed)
	if e.repair && len(report.Missing)+len(report.Damaged) > 0 {
		e.pictures(ctx, db)
	}
}

// mostNamed is how many files are named that are wrong in the same way.
const mostNamed = 20

func (e *examination) failEach(part, what, advice string, hashes []artwork.Hash) {
	named := hashes[:min(len(hashes), mostNamed)]
	for _, hash := range named {
		e.fail(part, what+hash.Path(), advice)
	}
	if more := len(hashes) - len(named); more > 0 {
		e.fail(part, fmt.Sprintf("%s%d more", what, more), advice)
	}
}

// pictures has the next import store the pictures again that still lie beside the
// music: to store an image replaces one that is missing or damaged.
func (e *examination) pictures(ctx context.Context, db *bunrepo.DB) {
	const part = "music folder"
	if err := bunrepo.NewLibrary(db).ForgetFingerprints(ctx); err != nil {
		e.fail(part, err.Error(), "check the database")
		return
	}
	e.sound(part, "the next import reads every folder again, and stores its pictures")
}
