package managecache

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"time"

	"gatefold/application/wait"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

const (
	// reportEvery is how often an instance tells the others what it counts.
	reportEvery = Resolution / 2
	// reportTerm is for how long a report is kept: a few may get lost.
	reportTerm = 6 * reportEvery
	// reportBudget bounds telling, and asking.
	reportBudget = time.Second
	// reportFormat is that of the reports of this release; it changes with what their
	// fields mean, as with the bounds of distributions.
	reportFormat = 1
	// maxReport bounds a report, packed and unpacked.
	maxReport, maxUnpacked = 256 << 10, 4 << 20
)

// Board is where the instances of a deployment show each other what they count. All
// methods may be called concurrently, also from several processes.
type Board interface {
	// Post shows the report of an instance for the term, in place of the one before.
	// Unavailable: nobody sees it.
	Post(ctx context.Context, instance artwork.ID, report []byte, term time.Duration) error
	// Read returns the reports that are shown now of these instances; those of whom
	// none is shown are left out. Unavailable: they cannot be read.
	Read(ctx context.Context, instances []artwork.ID) (map[artwork.ID][]byte, error)
}

// Members tells who belongs to the deployment.
type Members interface {
	Look(ctx context.Context) (deployment.State, error)
}

// Instance is a process of the deployment.
type Instance struct {
	ID        artwork.ID `json:"id"` // of this run, as in deployment.Member
	Name      string     `json:"name"`
	Version   string     `json:"version"`
	StartedAt time.Time  `json:"startedAt"`
}

// Report is what an instance tells of its cache.
type Report struct {
	Format     int               `json:"format"` // others read only that of their own release
	Instance   Instance          `json:"instance"`
	At         time.Time         `json:"at"`
	Mode       artwork.CacheMode `json:"mode"`
	Stats      Stats             `json:"stats"`
	Memory     Occupied          `json:"memory"`
	Connection *Connection       `json:"connection,omitempty"` // nil: it has no Redis
	History    []Point           `json:"history,omitempty"`
}

// Monitor keeps the history of this process, tells the other instances of it, and
// tells people of all of them.
type Monitor struct {
	self    Instance
	mode    Mode
	counter Counter
	levels  Levels
	board   Board
	members Members
	log     *slog.Logger
	history history
}

// NewMonitor returns the monitor of a process that is self. Its history begins now.
func NewMonitor(self Instance, mode Mode, counter Counter, levels Levels, board Board, members Members, log *slog.Logger) *Monitor {
	m := &Monitor{self: self, mode: mode, counter: counter, levels: levels, board: board, members: members, log: log}
	m.history.begin(counter.Stats(), time.Now())
	return m
}

// Run takes the points of the history and tells the other instances, until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	for wait.For(ctx, untilNext(reportEvery)) == nil {
		if now := time.Now(); now.Sub(now.Truncate(Resolution)) < reportEvery {
			m.history.note(m.counter.Stats(), m.memory(m.mode.Mode()).Entries, now)
		}
		m.tell(ctx)
	}
}

// untilNext returns the time until the next multiple of the period: the clocks of
// machines agree on it.
func untilNext(period time.Duration) time.Duration {
	now := time.Now()
	return now.Truncate(period).Add(period).Sub(now)
}

// tell shows the others what this process counts. Whether they see it matters to
// nobody but those who look.
func (m *Monitor) tell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, reportBudget)
	defer cancel()
	packed, err := pack(m.Own(), m.history.told())
	if err == nil {
		err = m.board.Post(ctx, m.self.ID, packed, reportTerm)
	}
	if err != nil {
		m.log.DebugContext(ctx, "The other instances are not told of this one's cache", "error", err.Error())
	}
}

// Own returns what this process counts now, without its history.
func (m *Monitor) Own() Report {
	mode := m.mode.Mode()
	report := Report{Format: reportFormat, Instance: m.self, At: time.Now().UTC(), Mode: mode, Stats: m.counter.Stats(), Memory: m.memory(mode)}
	if m.levels.Shared != nil {
		connection := m.levels.Shared.Connection()
		report.Connection = &connection
	}
	return report
}

func (m *Monitor) memory(mode artwork.CacheMode) Occupied {
	if local := m.levels.local(mode); local != nil {
		return local.Occupied()
	}
	return Occupied{}
}

// Fleet is all instances, as this one sees them.
type Fleet struct {
	At   time.Time
	Mode artwork.CacheMode
	// Problem says why others are missing, if that is not known to be right.
	Problem   string
	Instances []Seen       // this one first, then by name
	Shared    *SharedState // nil: the mode does not use it
}

// Seen is an instance, and what is known of it.
type Seen struct {
	ID     artwork.ID
	Name   string
	Self   bool
	Alive  bool
	Report *Report // the latest; nil: it has told nothing lately
}

// Fleet returns what every instance counts. What cannot be asked is said to be
// missing: it never fails.
func (m *Monitor) Fleet(ctx context.Context) Fleet {
	seen, problem := m.see(ctx)
	fleet := Fleet{At: time.Now().UTC(), Mode: m.mode.Mode(), Problem: problem, Instances: seen}
	if fleet.Mode.Shared() && m.levels.Shared != nil {
		state := m.levels.Shared.State(ctx)
		fleet.Shared = &state
	}
	return fleet
}

// see returns the members of the deployment with what they have told, and why that
// is not everything.
func (m *Monitor) see(ctx context.Context) (all []Seen, problem string) {
	ctx, cancel := context.WithTimeout(ctx, reportBudget)
	defer cancel()
	own := m.Own()
	own.History = m.history.all()
	all = []Seen{{ID: m.self.ID, Name: m.self.Name, Self: true, Alive: true, Report: &own}}
	state, err := m.members.Look(ctx)
	if err != nil {
		return all, "the database cannot be asked who else there is: " + artwork.MessageOf(err)
	}
	others := []artwork.ID{}
	for _, member := range state.Members {
		if member.ID != m.self.ID && member.Live {
			others = append(others, member.ID)
			all = append(all, Seen{ID: member.ID, Name: member.Name, Alive: true})
		}
	}
	slices.SortFunc(all[1:], func(a, b Seen) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	if len(others) == 0 {
		return all, ""
	}
	posted, err := m.board.Read(ctx, others)
	if err != nil {
		return all, "the figures of the other instances cannot be read: " + artwork.MessageOf(err)
	}
	for i := range all[1:] {
		all[i+1].Report = unpack(posted[all[i+1].ID])
	}
	return all, ""
}

// Past is the history of some instances together.
type Past struct {
	Problem   string // as that of a Fleet
	Instances int    // whose points are in it
	Points    []Point
}

// History returns what the instances that are there now counted in the last hour,
// added up; of one of them, if its ID is not zero. It goes as far as all of them
// have told. NotFound: there is no such instance, or it has told nothing lately.
func (m *Monitor) History(ctx context.Context, instance artwork.ID) (Past, error) {
	seen, problem := m.see(ctx)
	var histories [][]Point
	until := time.Now()
	for _, s := range seen {
		if s.Report == nil || !instance.IsZero() && s.ID != instance {
			continue
		}
		histories = append(histories, s.Report.History)
		if s.Report.At.Before(until) {
			until = s.Report.At
		}
	}
	if len(histories) == 0 {
		return Past{}, artwork.Errorf(artwork.NotFound, "no instance %s has told of its cache lately", instance)
	}
	return Past{Problem: problem, Instances: len(histories), Points: added(histories, until)}, nil
}

// told is a Report in JSON, whose history is that already.
type told struct {
	Report
	History []json.RawMessage `json:"history"`
}

// pack writes a report as it is shown.
func pack(r Report, history []json.RawMessage) ([]byte, error) {
	var out bytes.Buffer
	zipper, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(zipper).Encode(told{r, history}); err != nil {
		return nil, err
	}
	if err := zipper.Close(); err != nil {
		return nil, err
	}
	if out.Len() > maxReport {
		return nil, artwork.Errorf(artwork.TooLarge, "the report has %d bytes", out.Len())
	}
	return out.Bytes(), nil
}

// unpack reads a report; what cannot be read, as of a release that writes
// otherwise, is none.
func unpack(packed []byte) *Report {
	zipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	var r Report
	if err := json.NewDecoder(io.LimitReader(zipped, maxUnpacked)).Decode(&r); err != nil || r.Format != reportFormat {
		return nil
	}
	return &r
}
