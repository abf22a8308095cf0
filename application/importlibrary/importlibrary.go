package importlibrary

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatefold/application/keepactivity"
	"gatefold/application/tracing"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// maxPicture is the most bytes of a picture that are read.
const maxPicture = 20 << 20

// batchAlbums is how many albums are imported together: enough for the wait of
// a fence not to matter, few enough to be held in memory.
const batchAlbums = 150

// Inspector says what bytes are, like applyimage.Inspector.
type Inspector interface {
	Inspect(ctx context.Context, content []byte) (artwork.Content, error)
}

// Observer is told how an import goes on. Its methods are called one at a time.
type Observer interface {
	// Progress tells how many of the audio files have been dealt with.
	Progress(done, total int)
	// Skipped names a file that was left out.
	Skipped(file Skipped)
}

// Summary is what an import did.
type Summary struct {
	AudioFiles int `json:"audioFiles"` // met
	Unchanged  int `json:"unchanged"`  // of those, in folders that were not read again
	NewArtists int `json:"newArtists"`
	NewAlbums  int `json:"newAlbums"`
	NewImages  int `json:"newImages"` // put in force
	Skipped    int `json:"skipped"`   // files left out
	Deleted    int `json:"deleted"`   // albums left out because they were deleted, or their artist
	Missing    int `json:"missing"`   // subjects whose music has vanished since the last import
	// Took is the duration in nanoseconds.
	Took time.Duration `json:"took"`
}

// changed reports whether anything is new, or missing.
func (s Summary) changed() bool { return s.NewArtists+s.NewAlbums+s.NewImages+s.Missing > 0 }

// entry is what the activity log says of an import.
func (s Summary) entry(by artwork.Actor, root string, complete bool) activity.Entry {
	return activity.Entry{
		Actor: by, Action: activity.LibraryImport, Subject: activity.Subject{Kind: activity.Library, Name: root},
		After: activity.FactsOf(map[string]any{
			"audioFiles": s.AudioFiles, "newArtists": s.NewArtists, "newAlbums": s.NewAlbums, "newImages": s.NewImages,
			"skipped": s.Skipped, "missing": s.Missing, "complete": complete,
		}),
	}
}

// Watcher is who imports when nobody has asked for it.
var Watcher = artwork.Actor{Name: library}

// library is the name under which imports bring images.
const library = "library"

// Import reads a library into the catalogue and puts its pictures in force where
// nothing better is. One at a time runs per process; several processes may
// import the same library at once.
type Import struct {
	running   sync.Mutex
	cache     artwork.ImageCache
	images    artwork.ImageRepository
	archive   artwork.ImageArchive
	store     artwork.ImageStore
	catalogue Library
	inspector Inspector
	acts      *keepactivity.Recorder
	log       *slog.Logger
}

// New returns the use case on the ports.
func New(cache artwork.ImageCache, images artwork.ImageRepository, archive artwork.ImageArchive, store artwork.ImageStore,
	library Library, inspector Inspector, acts *keepactivity.Recorder, log *slog.Logger,
) *Import {
	return &Import{
		cache: cache, images: images, archive: archive, store: store,
		catalogue: library, inspector: inspector, acts: acts, log: log,
	}
}

// Run imports the whole source. Files that cannot be used are named to the
// observer and left out; an error means that the import ended early, and what
// it did until then stays. Running it again changes nothing that is the same.
// Images that a person chose, custom and external images and locked slots are
// never touched.
//
// by is who asked for it, or Watcher. The activity log has the run, unless nobody
// asked for it and nothing has changed.
func (i *Import) Run(ctx context.Context, by artwork.Actor, source Source, observer Observer) (summary Summary, err error) {
	ctx, end := tracing.Work(ctx, "library.import", "")
	defer func() { end(err) }()
	i.running.Lock()
	defer i.running.Unlock()
	begin := time.Now()
	total, err := source.Count(ctx)
	if err != nil {
		return Summary{}, artwork.Wrap(artwork.Internal, "importlibrary.Count", err)
	}
	scan := &scan{Import: i, source: source, observer: observer, id: artwork.NewID(), total: total}
	err = source.Walk(ctx, func(path, fingerprint string) (bool, error) {
		known, err := i.catalogue.Fingerprint(ctx, path)
		return known != "" && known == fingerprint, err
	}, func(folder Folder) error { return scan.visit(ctx, folder) })
	if err == nil {
		err = scan.finish(ctx)
	}
	scan.summary.Took = time.Since(begin)
	if scan.summary.changed() || err == nil && by != Watcher {
		i.acts.Record(ctx, scan.summary.entry(by, source.Root(), err == nil))
	}
	if err != nil {
		return scan.summary, artwork.Wrap(artwork.Internal, "importlibrary.Import", err)
	}
	i.log.InfoContext(ctx, "Imported library", "root", source.Root(), "files", scan.summary.AudioFiles,
		"newArtists", scan.summary.NewArtists, "newAlbums", scan.summary.NewAlbums, "newImages", scan.summary.NewImages,
		"skipped", scan.summary.Skipped, "missing", scan.summary.Missing, "took", scan.summary.Took.Round(time.Millisecond))
	return scan.summary, nil
}

// scan is one run of an import.
type scan struct {
	*Import
	source   Source
	observer Observer
	id       artwork.ID
	total    int
	summary  Summary

	folders []Folder // to be imported with the next batch
	albums  int      // in them
	met     []string // unchanged folders to be touched with the next batch
	// unreadable says that a folder could not be looked into: what is gone and
	// what is only out of sight cannot be told apart.
	unreadable bool
	// parts holds what earlier parts of a folder of many files contained.
	parts FolderState
}

func (s *scan) visit(ctx context.Context, folder Folder) error {
	s.summary.AudioFiles += folder.AudioFiles
	for _, skipped := range folder.Skipped {
		s.skip(skipped)
	}
	switch {
	case folder.Unchanged:
		s.summary.Unchanged += folder.AudioFiles
		s.met = append(s.met, folder.Path)
	case folder.AudioFiles == 0 && len(folder.Skipped) > 0:
		s.unreadable = true
	default:
		s.folders = append(s.folders, folder)
		s.albums += len(folder.Albums)
	}
	if max(s.albums, len(s.folders), len(s.met)) >= batchAlbums {
		if err := s.flush(ctx); err != nil {
			return err
		}
	}
	s.observer.Progress(s.summary.AudioFiles, s.total)
	return nil
}

func (s *scan) skip(file Skipped) {
	s.summary.Skipped++
	s.observer.Skipped(file)
}

func (s *scan) finish(ctx context.Context) (err error) {
	if err := s.flush(ctx); err != nil || s.unreadable {
		return err
	}
	s.summary.Missing, err = s.catalogue.Finish(ctx, s.id, s.source.Root())
	return err
}

// flush imports what has been collected: subjects, then pictures, and last the
// note that this was done.
func (s *scan) flush(ctx context.Context) error {
	if err := s.catalogue.Touch(ctx, s.id, s.met); err != nil {
		return err
	}
	folders := s.folders
	s.folders, s.albums, s.met = nil, 0, nil
	if len(folders) == 0 {
		return nil
	}
	parts := s.parts
	for try := 1; ; try++ {
		err := s.save(ctx, folders)
		// A subject may be deleted at any time; then it is left out.
		if artwork.KindOf(err) == artwork.NotFound && try < saveTries {
			s.parts = parts
			continue
		}
		return err
	}
}

func (s *scan) save(ctx context.Context, folders []Folder) error {
	resolved, err := s.resolve(ctx, folders)
	if err != nil {
		return err
	}
	spoiled, err := s.importPictures(ctx, resolved.pictures)
	if err != nil {
		return err
	}
	if err := s.catalogue.SaveFolders(ctx, s.id, s.source.Root(), s.states(folders, resolved, spoiled)); err != nil {
		return err
	}
	for _, n := range resolved.leftOut {
		s.summary.Deleted += n
	}
	return nil
}

// states says what is to be remembered of the folders. One in which a file was
// left out is read again next time, so that it is named again; and so is one with
// something that was deleted, which may be restored meanwhile.
func (s *scan) states(folders []Folder, resolved resolution, spoiled map[string]bool) []FolderState {
	var states []FolderState
	for n, folder := range folders {
		state := FolderState{Path: folder.Path, Fingerprint: folder.Fingerprint, Albums: resolved.albums[n]}
		if len(folder.Skipped) > 0 || spoiled[folder.Path] || resolved.leftOut[n] > 0 {
			state.Fingerprint = ""
		}
		if s.parts.Path == folder.Path {
			state.Albums = append(s.parts.Albums, state.Albums...)
			if s.parts.Fingerprint == "" {
				state.Fingerprint = ""
			}
		}
		if folder.Partial {
			s.parts = state
			continue
		}
		s.parts = FolderState{}
		states = append(states, state)
	}
	return states
}
