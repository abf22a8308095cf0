package artwork

import (
	"context"
	"errors"
	"io"
	"time"
)

// ImageCache answers which image is in force, and is never stale: once Change
// has returned without error, no Fetch that starts later, on any instance that
// shares the cache, answers with what was in force before it.
//
// The two verbs leave no way to misuse it: the caller says what is read and
// what changes, the cache owns the protocol. All methods may be called
// concurrently.
type ImageCache interface {
	// Fetch answers from the cache or, if it has no answer, from load.
	//
	// An answer with a nil Image is knowledge too: the slot is empty. It is
	// cached like an image, but for a shorter time. An error of load is returned
	// as it is and never cached. A cache that is out of reach, slow or broken is
	// not an error: load answers, and nothing is cached.
	//
	// load may be called from Fetch at most once, and must read the database
	// itself (the primary, in a statement that begins after load is called). The
	// Image it returns belongs to the cache afterwards and must not be changed.
	// A cancelled ctx ends Fetch with the context's error.
	Fetch(ctx context.Context, key Key, load Load) (Answer, error)

	// Change runs commit with every key fenced: while it runs no reader fills
	// them, and copies handed out before have expired everywhere. It returns nil
	// once the change is committed and no reader can get the older image.
	// Afterwards the keys hold nothing until somebody reads them.
	//
	// Changes of overlapping keys may run at the same time; what orders them is
	// the database. Up to MaxKeysPerChange keys are accepted, duplicates among
	// them count once; no keys is a call of commit. Invalidation is a Change
	// whose commit does nothing.
	//
	// Errors: CacheUnreachable, nothing has changed and commit was not called or
	// was told not to commit; NotConfirmed, the change is committed but the cache
	// could not be told in time (readers see it within the fence's term at the
	// latest); any error of commit, as it is. After a failed commit the keys are
	// released as after a successful one.
	//
	// From the first fence on the caller's cancellation cancels nothing: commit
	// gets a context that carries ctx's values but not its end.
	Change(ctx context.Context, keys []Key, commit Commit) error
}

// MaxKeysPerChange bounds how many keys one Change may fence: enough for a
// batch to share one wait, few enough to be told to a cache in one go.
const MaxKeysPerChange = 200

// Load reads the image in force from the database; nil means that the slot is
// empty.
type Load func(ctx context.Context) (*Image, error)

// Commit makes a change durable under the fence. It is called again, under a new
// one, after it returned an error that is ErrSettingsChanged.
type Commit func(ctx context.Context, fence Fence) error

// Answer is what Fetch found and how.
type Answer struct {
	Image *Image // nil: the slot is empty
	Level Level
}

// Level says where an answer came from. It is what counters and logs tell
// apart, and what a cache in front of another needs to know: only an answer
// that the inner cache vouches for (Shared, Filled) may be copied.
type Level uint8

// The levels.
const (
	// Loaded: load answered and nothing was cached.
	Loaded Level = iota
	// Filled: load answered and the cache now holds it.
	Filled
	// Shared: the cache that all instances share answered.
	Shared
	// Process: this process's own memory answered.
	Process
)

var levelNames = [...]string{Loaded: "loaded", Filled: "filled", Shared: "shared", Process: "process"}

// String returns the level's name for counters and logs.
func (l Level) String() string { return name(levelNames[:], int(l)) }

// Fence is what a repository has to honour when it commits a change.
type Fence struct {
	// Keys are the fenced keys.
	Keys []Key
	// Deadline is when the fence may end by itself: the change is committed
	// before it or never. The database must enforce it, because a client that
	// gives up cannot take back a COMMIT that is on its way. Zero is no limit.
	Deadline time.Time
	// Token names the change among those under way. If it is not empty and a
	// pointer changes, the repository records it with the keys and the deadline
	// in the same transaction, where ChangeLog finds it. Several transactions
	// under one token are one change.
	Token string
	// Revision is that of the deployment's cache settings by which the change is
	// fenced. If it is not 0 the repository refuses to commit, with an error that
	// is ErrSettingsChanged, once another one is in force.
	Revision int64
	// StillHeld is to be called as the last thing before COMMIT. It returns nil
	// if no key's fence was lost since it was set; any error means roll back,
	// and is to be returned as it is.
	StillHeld func(ctx context.Context) error
}

// ErrSettingsChanged is in the chain of the error of a change that was fenced by
// settings that are not in force any more. Nothing has changed.
var ErrSettingsChanged = errors.New("the deployment's cache settings have changed meanwhile")

// untilForgotten is for how long a change without a deadline counts as under way.
const untilForgotten = 5 * time.Minute

// Remaining returns how long the change may still be under way, from now:
// until the deadline, or some minutes if there is none.
func (f Fence) Remaining() time.Duration {
	if f.Deadline.IsZero() {
		return untilForgotten
	}
	return time.Until(f.Deadline)
}

// Unfenced is the fence of a change that no cache has to hear of.
func Unfenced() Fence {
	return Fence{StillHeld: func(context.Context) error { return nil }}
}

// ImageRepository is the truth about which image is in force. All methods may
// be called concurrently, also from several processes.
//
// Every method may fail with Unavailable when the database cannot be reached,
// and with ctx's error when ctx ends.
type ImageRepository interface {
	// InForce returns the image in force in the place, nil if the slot is empty.
	// NotFound: there is no such subject. It reads the latest committed state.
	InForce(ctx context.Context, place Place) (*Image, error)

	// Apply puts images in force, all of them or, on an error, none, in one
	// transaction that ends before the fence's deadline. It returns one Outcome
	// for each application, in their order.
	//
	// A record not known yet is recorded, also when it is declined; a known one
	// (by its ID) stays as it is, and it is this one that counts; what an application
	// that is not Known states of the image's rights is learned (Record.Learned). Applications of several callers to one place happen one after the
	// other, each seeing the one before. LastModified of a place is the time of
	// the change in whole seconds, and at least one second more than before.
	//
	// An application that nobody chose takes force only if the slot allows it:
	// one of a local image by Holding.AllowsLocal, one of any other image only in
	// an empty slot that is neither locked nor kept empty. A person's choice takes
	// force always.
	//
	// An application whose idempotency key another one that took force has had
	// changes nothing, whatever is in force by now: it is AlreadyDone. Of several
	// with one key, in one call or of racing callers, one takes force. A purge of the
	// image forgets the key.
	//
	// InvalidInput: an application cannot be stored (Application.Check).
	// NotFound: a subject, or a record that is Known, does not exist. Conflict: a known record belongs to
	// another place. PreconditionFailed: an IfTag does not
	// hold. OutcomeUnknown: the connection broke while committing. Any error of
	// fence.StillHeld is returned as it is, and nothing has changed.
	Apply(ctx context.Context, fence Fence, applications []Application) ([]Outcome, error)
}

// ImageReviser changes slots in other ways than by putting images in force.
type ImageReviser interface {
	// Revise carries the revision out, in one transaction that ends before the
	// fence's deadline, as SlotState.Revise says. An image that takes force by it
	// is in the history, and what changes is in the activity log, in the same
	// transaction. A lock and what keeps a slot empty stay when the image in force
	// does not change.
	//
	// A withdrawn upload is not listed any more. It stays in the history, and is
	// listed again once it is added or takes force again; if it never was in force,
	// its record is forgotten.
	//
	// InvalidInput: the revision cannot be (Revision.Check). NotFound: the subject, or
	// what is to be changed, does not exist. PreconditionFailed: an IfTag does not hold. OutcomeUnknown,
	// and errors of fence.StillHeld: as for ImageRepository.Apply.
	Revise(ctx context.Context, fence Fence, revision Revision) (Revised, error)

	// Purge carries the purge out, in one transaction that ends before the fence's
	// deadline, as SlotState.Purge says, and the activity log has it if anything was
	// forgotten. Bytes are not touched.
	//
	// InvalidInput: the purge cannot be (Purge.Check). Errors otherwise: as for
	// Revise.
	Purge(ctx context.Context, fence Fence, purge Purge) (Purged, error)
}

// Revised is what became of a revision.
type Revised struct {
	Image   *Image // in force afterwards; nil if the slot is empty
	Changed bool   // what readers are answered has changed
}

// Purged is what became of a purge.
type Purged struct {
	Revised
	Contents []Hash // of the forgotten records, each once, in no order
}

// ChangeLog is what a shared cache asks of the database in order to recover from
// what it lost, and from writers that died. All methods may be called
// concurrently, also from several processes. Times are those of the database's
// clock. Every method may fail with Unavailable and with ctx's error.
type ChangeLog interface {
	// ChangedWithin calls visit with every place whose pointer (what InForce
	// answers) was changed in the time just past, in no order and possibly more
	// than once, and stops at visit's first error, which it returns as it is.
	// What was committed before the call is among them; the time of a change is
	// at most as long before its commit as its fence holds. visit may call the
	// repository.
	ChangedWithin(ctx context.Context, past time.Duration, visit func(Place) error) error
	// Overdue returns changes that were committed and not finished, and whose
	// deadline has passed: their writers are dead, or gave up. At most limit of
	// them, those first whose deadline passed first. Keys that are not known here,
	// as those of another release, are left out of them.
	Overdue(ctx context.Context, limit int) ([]PendingChange, error)
	// Finish forgets a pending change. Forgetting what is not known is no error.
	Finish(ctx context.Context, token string) error
}

// PendingChange is a committed change of which the cache may not have heard.
type PendingChange struct {
	Token string
	Keys  []Key
}

// Application is the wish to put one image in force.
type Application struct {
	Record    Record
	By        Actor
	Action    Action // what the activity log calls it; empty: ActionApply
	Automatic bool   // nobody chose it: SlotState decides whether it may take force
	Origin    Origin // where a local image was found; of automatic applications only
	Vanished  string // path of an origin known to be gone, no obstacle any more; "" if none
	IfTag     Tag    // if not empty, the tag that must be in force
	// Known: the record was read from the archive. It is not recorded anew: after a
	// purge it would refer to bytes that are gone.
	Known bool
	// IdempotencyKey, if not zero, names the wish, so that it is not carried out
	// again by somebody who does not know what became of it.
	IdempotencyKey ID
}

// Check returns an InvalidInput error unless the record, who wants it and the name
// of the action can be kept.
func (a Application) Check() error {
	if err := a.By.Check(); err != nil {
		return err
	}
	if a.Action != "" {
		if err := a.Action.Check(); err != nil {
			return err
		}
	}
	return a.Record.Check()
}

// Outcome says what became of an application.
type Outcome struct {
	Result  Result
	Image   *Image // in force afterwards; nil if the slot is empty
	Blocker string // Declined in favour of another local image: the path of its origin
}

// Result is the kind of outcome.
type Result uint8

// The results.
const (
	// Changed: the image is now in force.
	Changed Result = iota + 1
	// AlreadyInForce: this record was in force already; nothing has changed and
	// the history has no new entry. If a person applied it, it counts as chosen
	// from now on.
	AlreadyInForce
	// Declined: the application was automatic and the slot does not allow it.
	// The record is kept, so that it can be chosen.
	Declined
	// AlreadyDone: the image took force under the same idempotency key before, and
	// others may have since; nothing has changed.
	AlreadyDone
)

// ImageArchive keeps the records of all images known for a place, in force or
// not. All methods may be called concurrently. Times are kept in UTC and to the
// microsecond. Every method may fail with Unavailable and with ctx's error.
type ImageArchive interface {
	// Add records an image without putting it in force. Adding what is known
	// (by its ID) succeeds and changes nothing. InvalidInput: it cannot be stored
	// (Record.Check). NotFound: no such subject. A record with no AddedAt gets
	// the present time.
	Add(ctx context.Context, record Record) error
	// AddUploaded is Add of an image that somebody brought. If it was not known, the
	// activity log has it, in the same transaction. InvalidInput: by cannot be kept
	// (Actor.Check).
	AddUploaded(ctx context.Context, by Actor, record Record) error
	// Find returns a record. NotFound: there is none with this ID, or no subject of
	// it.
	Find(ctx context.Context, id ID) (Record, error)
	// List returns the subject's pictures from the source, newest first, without
	// those that were withdrawn: of each the record without a focal point, marked
	// if it is in force, with whatever focal point. NotFound: no such subject.
	List(ctx context.Context, subject Subject, source Source) ([]ListedRecord, error)
	// History returns what was put in force in the subject's slots, the latest
	// first, each time it was; what is in force now is marked where it last took
	// force. NotFound: no such subject.
	History(ctx context.Context, subject Subject) ([]HistoryEntry, error)
	// References calls visit with the content of every record, in no order and
	// possibly more than once, and stops at its first error.
	References(ctx context.Context, visit func(Content) error) error
	// Refers reports whether any record refers to the content.
	Refers(ctx context.Context, hash Hash) (bool, error)
	// Trim forgets what SlotState.Expendable does not keep, in every place of a
	// subject that exists, and returns how many records that were. It takes one place at a time; after an
	// error it has dealt with some of them.
	Trim(ctx context.Context, keep int) (forgotten int, err error)
}

// ListedRecord is a record and whether it is in force.
type ListedRecord struct {
	Record
	InForce bool
}

// HistoryEntry says that a record took force.
type HistoryEntry struct {
	Record
	AppliedBy string
	AppliedAt time.Time
	Act       Act  // how; "" of what an earlier release put in force
	InForce   bool // it still is
}

// ImageStore keeps bytes under their hash. What is stored is immutable: the
// same hash is always the same bytes. All methods may be called concurrently,
// also from several processes on one store.
//
// Every method may fail with Unavailable when the store cannot be reached, and
// with ctx's error when ctx ends.
type ImageStore interface {
	// Put stores the content under its hash. When it returns, the bytes survive
	// a crash. Storing what is there already succeeds, leaves the bytes as they
	// are and renews their ModTime; bytes that were damaged are replaced by sound
	// ones. After an error, a crash or a cancelled ctx
	// there is either the whole content under the hash or nothing.
	// StorageFull: no room.
	Put(ctx context.Context, content []byte) (Hash, error)
	// Open returns the bytes for reading; the caller closes it. NotFound: there
	// are none under this hash.
	Open(ctx context.Context, hash Hash) (StoredFile, error)
	// Remove removes the bytes if they have not been stored anew since the
	// time; it reports whether they were removed. Removing what is not there is
	// no error. Only what no record refers to may be removed, and since must lie
	// back far enough for a Put of that time to have been recorded by now.
	//
	// A store that cannot tell whether a Put comes between its look and its removal
	// may set the bytes aside instead: then they count as stored at that time, can
	// still be opened and listed, and are removed by another call, with a later time.
	Remove(ctx context.Context, hash Hash, unlessPutSince time.Time) (bool, error)
	// List calls visit with every stored hash, in no order, and stops at its
	// first error. visit may call the store.
	List(ctx context.Context, visit func(StoredInfo) error) error
}

// StoredFile is opened content. It is not safe for concurrent use.
type StoredFile interface {
	io.ReadSeekCloser
	// Size returns the number of bytes.
	Size() int64
}

// StoredInfo describes one stored content.
type StoredInfo struct {
	Hash    Hash
	Size    int64
	ModTime time.Time // when it was last Put
}
