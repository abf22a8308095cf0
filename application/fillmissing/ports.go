package fillmissing

import (
	"context"
	"time"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Jobs keeps what is to be done and what became of it. An instance works at a job
// under a claim, which expires by itself, by the clock of the database, in case the
// instance dies. All methods may be called concurrently, also from several processes.
// They may fail with Unavailable and with ctx's error.
type Jobs interface {
	// Create keeps a job, counts what is missing, and writes it to the activity log,
	// all in one transaction. A job that carries out a dry run (Job.Of) gets the
	// proposals that are accepted by now. One of named subjects (Job.Named) gets those
	// of accepted.Only whose slot is empty, as items that are Waiting. InvalidInput: the
	// job cannot be carried out (Job.Check, Selection.Check), or it gets nothing. Conflict: its ID is known,
	// or Of is no dry run, or one for another slot. NotFound: there is no Of.
	Create(ctx context.Context, job Job, accepted Selection) (Status, error)
	// Find returns how a job goes on. NotFound: there is no such job, or not any more.
	Find(ctx context.Context, id artwork.ID) (Status, error)
	// List returns the jobs that were created last, at most limit of them.
	List(ctx context.Context, limit int) ([]Status, error)
	// Items returns what a job has to say of subjects, in the order of their IDs.
	// NotFound: as for Find.
	Items(ctx context.Context, id artwork.ID, query ItemQuery) ([]Item, error)
	// Order does what State.Obey says, with an entry of the activity log in the same
	// transaction if that changes anything. Conflict: it cannot be. NotFound: as for
	// Find. InvalidInput: by cannot be kept.
	Order(ctx context.Context, by artwork.Actor, id artwork.ID, order Order) (Status, error)

	// Claim takes the oldest job that is queued or running and that nobody holds, for
	// the holder until the term has passed; it is running from now on. It takes none
	// for a slot while a job for that slot is held. False: there is none. No two
	// claims have the same holder.
	Claim(ctx context.Context, holder string, term time.Duration) (Assignment, bool, error)
	// Renew has the claim hold for the term from now, and returns the job's state: who
	// holds a job that is not running has to end its work and release it. Conflict:
	// the claim does not hold any more.
	Renew(ctx context.Context, claim Claim, term time.Duration) (State, error)
	// Record keeps a step: its results, what was learned, the place that the job has
	// come to and the counts (Counts.Add), all or, on an error, nothing. A result
	// replaces what was said of the subject before. What makes the job stand still is
	// over. Conflict: the claim does not hold any more.
	Record(ctx context.Context, claim Claim, step Step) (Status, error)
	// Open returns items that are to be tried, in the order of their subjects' IDs,
	// after that of one subject; at most limit of them.
	Open(ctx context.Context, id artwork.ID, after artwork.ID, limit int) ([]Item, error)
	// Explain says why a job stands still. Conflict: the claim does not hold any more.
	Explain(ctx context.Context, claim Claim, reason string) (Status, error)
	// Finish ends the job and the claim: it is done or, with a reason, failed. One that
	// was cancelled stays so. Conflict: the claim does not hold any more.
	Finish(ctx context.Context, claim Claim, failure string) (Status, error)
	// Release ends the claim, so that another instance can go on at once. What is not
	// held is left as it is, and that is no error.
	Release(ctx context.Context, claim Claim) error

	// Forget removes jobs that ended longer ago than the age, with all that is known
	// of them but what was learned.
	Forget(ctx context.Context, age time.Duration) error
}

// Gaps says which slots are empty, and what was learned of them. All methods may be
// called concurrently. They may fail with Unavailable and with ctx's error.
type Gaps interface {
	// After returns subjects whose slot is empty, in the order of their IDs, after one
	// of them; at most limit. reached is the last subject that was looked at: the next
	// call goes on after it. In a full catalogue there may be many calls that find no
	// gap, since each looks at so many subjects only that its caller can tell how far
	// it has come, and can end. A zero reached says that there is no subject left.
	After(ctx context.Context, slot artwork.Slot, after artwork.ID, limit int) (gaps []Gap, reached artwork.ID, err error)
	// Among returns those of the subjects whose slot is empty, in the same order.
	Among(ctx context.Context, slot artwork.Slot, ids []artwork.ID) ([]Gap, error)
}

// Gap is an empty slot.
type Gap struct {
	SubjectID artwork.ID
	Name      string
	Artist    string       // of an album
	MBID      catalog.MBID // of an artist or a release; zero: not known
	GroupMBID catalog.MBID // of an album's release group
	// Namesakes: the catalogue has another artist of the same name, or an album of one.
	Namesakes bool
	Locked    bool
	KeptEmpty bool
	Learned   *Learned // when somebody asked last; nil: nobody has
}

// Learned is what came of asking providers for a slot.
type Learned struct {
	At      time.Time
	Outcome Outcome
	Score   float64 // of the best image there was
	// Question names what was known of the subject: about another one nothing was
	// learned.
	Question string
}

// Claim names a job and who works at it.
type Claim struct {
	Job    artwork.ID
	Holder string
}

// Assignment is a job and how far it is.
type Assignment struct {
	Status
	Position
}

// Position is how far a job is. Round 0 is over all gaps, or all that was accepted;
// later ones are over what has failed and may succeed.
type Position struct {
	Round  int
	Cursor artwork.ID // subjects up to this one are done in this round
}

// Step is some work that was done.
type Step struct {
	Position     // reached with it
	Recent   int // gaps that nobody had to be asked for
	Results  []Result
}

// Result is what became of a subject.
type Result struct {
	Item
	Learned *Learned // nil: nothing
}

// ItemQuery selects items.
type ItemQuery struct {
	After   artwork.ID // after this subject; zero: from the first
	Limit   int        // 1 to MaxListed
	Outcome Outcome    // only these; "": all
}

// Check returns an InvalidInput error unless the query can be asked.
func (q ItemQuery) Check() error {
	if q.Limit < 1 || q.Limit > MaxListed {
		return artwork.Errorf(artwork.InvalidInput, "limit must be 1 to %d", MaxListed)
	}
	return nil
}

// Progress is told how jobs go on. It must return soon: the job waits for it.
type Progress interface {
	// Progress tells of a job that begins, goes on, is told to do otherwise, or ends.
	Progress(ctx context.Context, status Status)
}

// Considered is told what was considered for slots; findimages.Recorder keeps it. It
// must return soon and may be called concurrently.
type Considered interface {
	Run(ctx context.Context, considerations ...findimages.Consideration)
}

// Clock tells the time.
type Clock func() time.Time
