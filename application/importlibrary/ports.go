package importlibrary

import (
	"context"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Source yields what a music library holds, folder by folder, so that the
// memory an import takes does not depend on the size of the library.
type Source interface {
	// Root names the library: the absolute path of its top folder. What an
	// import learns is remembered under it.
	Root() string
	// Count returns the number of audio files, for a progress display. It is
	// cheap: no file is opened.
	Count(ctx context.Context) (int, error)
	// Walk calls visit with each folder that holds audio files, in the same
	// order every time, and stops at visit's first error. A folder for which
	// unchanged(path, fingerprint) is true is visited without reading its files.
	// A folder of very many files may be visited in several parts.
	//
	// A file or folder that cannot be read is reported in Skipped, never as an
	// error; a folder that cannot be looked into, in a Folder without audio files. The error is for a library that cannot be read at all (NotFound,
	// InvalidInput if Root is not a folder, Unavailable) and for the end of ctx.
	Walk(ctx context.Context, unchanged func(path, fingerprint string) (bool, error), visit func(Folder) error) error
	// Exists reports whether the file at an origin's path is still there.
	Exists(path string) bool
}

// Folder is what one folder holds.
type Folder struct {
	Path        string
	Fingerprint string // changes when a file that matters is added, removed or written
	Unchanged   bool   // nothing was read: only Path, Fingerprint and AudioFiles are set
	Partial     bool   // another part of the same folder follows
	AudioFiles  int
	Albums      []Album
	Skipped     []Skipped
}

// Album is an album as the tags of its files describe it.
type Album struct {
	Name             string
	Year             int
	MBID             catalog.MBID
	ReleaseGroupMBID catalog.MBID
	Artist           Artist // the album artist
	Cover            []Picture
}

// Artist is an album artist as tags describe it, with the pictures that were
// found for it.
type Artist struct {
	Name     string
	SortName string
	MBID     catalog.MBID
	Pictures map[artwork.Slot][]Picture
}

// Picture is a picture beside the music, or in an audio file. Of several, the
// one with the smallest Origin that is an acceptable image is taken.
type Picture struct {
	Origin   artwork.Origin
	FileName string
	// Read returns the bytes, at most limit of them; TooLarge if there are more.
	Read func(ctx context.Context, limit int64) ([]byte, error)
}

// Skipped is a file that was left out, and why, for a person.
type Skipped struct {
	Path   string
	Reason string
}

// Library is what an import remembers, and where it finds the subjects that are
// known. Methods may be called concurrently, also by several processes that
// import at once.
type Library interface {
	// Fingerprint returns what a folder looked like when it was last imported
	// whole; "" if it never was.
	Fingerprint(ctx context.Context, folder string) (string, error)
	// ForgetFingerprints has the next import read every folder again. Nothing else is
	// forgotten.
	ForgetFingerprints(ctx context.Context) error
	// FindArtists returns every artist that has one of the MBIDs or whose folded
	// name (catalog.FoldName) is one of the names, oldest first.
	FindArtists(ctx context.Context, mbids []catalog.MBID, foldedNames []string) ([]catalog.Artist, error)
	// FindAlbums returns every album that has one of the MBIDs or belongs to one
	// of the artists and has a folded name among the names, oldest first.
	FindAlbums(ctx context.Context, mbids []catalog.MBID, artists []artwork.ID, foldedNames []string) ([]catalog.Album, error)
	// FindDeleted returns what FindArtists or FindAlbums would, by the kind, of what
	// was deleted and can be restored (catalog.Bin), in no order.
	FindDeleted(ctx context.Context, kind artwork.SubjectKind, mbids []catalog.MBID, artists []artwork.ID, foldedNames []string) ([]catalog.Item, error)
	// Save writes a batch in one transaction. Subjects not known by their ID are
	// created; of those known only what was not known before is added (MBIDs,
	// sort name, year), and their missing mark is taken away. A subject whose
	// MBID another one took meanwhile is a Conflict, and nothing is written: the
	// caller finds again and saves again; and so is one that was deleted meanwhile.
	// InvalidInput: a subject has no ID or
	// cannot be stored (CheckSubjects). NotFound: an album's artist does not
	// exist and is not in the batch.
	Save(ctx context.Context, artists []catalog.Artist, albums []catalog.Album) error
	// SaveFolders remembers the folders' fingerprints and which albums each
	// holds, in place of what was remembered of them; of a folder that is given
	// twice the last state counts. The missing marks of these albums and their
	// artists are taken away, as by Save. scan names the import: here and below,
	// InvalidInput if it is zero. NotFound: there is no such album, and nothing
	// is written.
	SaveFolders(ctx context.Context, scan artwork.ID, root string, folders []FolderState) error
	// Touch notes that unchanged folders were met by the scan. Folders that are
	// not known are left out.
	Touch(ctx context.Context, scan artwork.ID, folders []string) error
	// Finish ends a scan that met the whole library: folders under root that it
	// did not meet are forgotten, and the albums, and then the artists, that were
	// in folders once and are in none now, are marked missing. Subjects that were
	// never in a folder were brought by somebody, and nobody misses them. It
	// returns how many subjects were newly marked.
	Finish(ctx context.Context, scan artwork.ID, root string) (missing int, err error)
}

// FolderState is what is remembered of a folder.
type FolderState struct {
	Path        string
	Fingerprint string // "" to have it read again next time
	Albums      []artwork.ID
}

// CheckSubjects returns an InvalidInput error unless the batch can be saved.
func CheckSubjects(artists []catalog.Artist, albums []catalog.Album) error {
	for _, a := range artists {
		if err := a.Check(); err != nil {
			return err
		}
		if a.ID.IsZero() {
			return artwork.Errorf(artwork.InvalidInput, "the artist %q has no ID", a.Name)
		}
	}
	for _, a := range albums {
		if err := a.Check(); err != nil {
			return err
		}
		if a.ID.IsZero() {
			return artwork.Errorf(artwork.InvalidInput, "the album %q has no ID", a.Name)
		}
	}
	return nil
}

// CheckScan returns an InvalidInput error unless the import has a name.
func CheckScan(scan artwork.ID) error {
	if scan.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "the scan has no ID")
	}
	return nil
}
