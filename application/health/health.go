// Package health watches the parts that Gatefold depends on and says whether
// images can be served.
package health

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Timing of the checks: a change shows after interval + timeout + grace at the latest.
const (
	interval = 2 * time.Second
	timeout  = 2 * time.Second
	// grace is how much longer a check may take to say that it was cut off.
	grace = 100 * time.Millisecond
)

// An instance leaves service when it could not serve images at so many checks in a
// row, and is back after so many at which it could: a part that fails now and then
// moves nobody's requests to and fro. With the timing above it takes 4 to 9 seconds to
// leave, and 2 to 4 to be back.
const (
	leaveAfter  = 3
	returnAfter = 2
)

// Probe checks one part.
type Probe struct {
	Name string
	// Needed says that without the part no images can be served.
	Needed bool
	// Check returns nil if the part works, and ErrDisabled if it is not in use. A
	// nil Check is a part that is not configured.
	Check func(ctx context.Context) error
}

// ErrDisabled says that a part is configured, and not in use now.
var ErrDisabled = errors.New("not in use")

// Status is the state of a part, or of the whole.
type Status string

// The states of the whole.
const (
	OK       Status = "ok"       // everything works
	Degraded Status = "degraded" // images are served, something else does not work
	Error    Status = "error"    // images cannot be served
)

// What Readiness knows beside the states of the whole.
const (
	Starting Status = "starting" // nothing has been checked yet
	Draining Status = "draining" // about to stop: what comes is served, and nothing more should
)

// The states of a part.
const (
	Connected Status = "connected"
	Failing   Status = "error"
	Disabled  Status = "disabled"
	Unknown   Status = "unknown" // not checked yet
)

// Report is what the last checks found.
type Report struct {
	Status Status
	Parts  map[string]Status
	// Details has the same parts.
	Details map[string]Detail
}

// Detail is what the last check of a part found, beside its state.
type Detail struct {
	State Status
	// Since is when the part was first found in this state, by the clock of this
	// instance; zero if it has not been checked.
	Since time.Time
	// Took is how long the last check took; 0 for a part that is not in use.
	Took time.Duration
	// Needed says that without the part no images can be served.
	Needed bool
}

// errStuck says that a part is still busy with the check before.
var errStuck = errors.New("the check before has not ended yet")

// part is a probe, and whether it is being checked.
type part struct {
	Probe
	busy atomic.Bool
}

// Monitor checks the parts in the background, so that asking costs nothing and
// never hangs.
type Monitor struct {
	parts    []*part
	log      *slog.Logger
	report   atomic.Pointer[Report]
	draining atomic.Bool

	ready    atomic.Pointer[Status]
	contrary int // checks in a row that say otherwise than ready
}

// NewMonitor returns a monitor of the probes. It knows nothing until Check or
// Watch has run.
func NewMonitor(probes []Probe, log *slog.Logger) *Monitor {
	m := &Monitor{log: log}
	details := make([]Detail, len(probes))
	for i, p := range probes {
		m.parts = append(m.parts, &part{Probe: p})
		details[i] = Detail{State: Unknown, Needed: p.Needed}
	}
	report := m.reportOf(details)
	report.Status = Error
	m.report.Store(report)
	m.setReady(Starting)
	return m
}

// Report returns what the last checks found. The caller must not change it.
func (m *Monitor) Report() *Report { return m.report.Load() }

// Readiness says whether requests should be sent to this instance: OK or Degraded if
// they should; Starting, Error or Draining if not. Unlike Report it does not follow
// every check: see leaveAfter.
func (m *Monitor) Readiness() Status {
	if m.draining.Load() {
		return Draining
	}
	return *m.ready.Load()
}

// Drain has Readiness say Draining from now on.
func (m *Monitor) Drain() { m.draining.Store(true) }

func (m *Monitor) setReady(status Status) { m.ready.Store(&status) }

// settle has readiness follow what a check has found, once that has lasted.
func (m *Monitor) settle(found Status) {
	ready, patience := *m.ready.Load(), leaveAfter
	if ready == Starting {
		patience = 1
	}
	if ready == Error {
		patience = returnAfter
	}
	if ready != Starting && (ready == Error) == (found == Error) {
		m.contrary = 0
		m.setReady(found)
		return
	}
	if m.contrary++; m.contrary >= patience {
		m.contrary = 0
		m.setReady(found)
	}
}

// Watch checks all parts every two seconds until ctx ends.
func (m *Monitor) Watch(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		m.Check(ctx)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Check checks all parts at once and logs what has changed. It returns in time also if
// a part never answers. It is for one goroutine.
func (m *Monitor) Check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	details := make([]Detail, len(m.parts))
	var checks sync.WaitGroup
	for i, part := range m.parts {
		checks.Go(func() { details[i] = m.detail(ctx, part) })
	}
	checks.Wait()
	if ctx.Err() == context.Canceled {
		return // shutting down: a cut-off check says nothing
	}
	report := m.reportOf(details)
	m.report.Store(report)
	m.settle(report.Status)
}

// reportOf sums up what was found of each probe.
func (m *Monitor) reportOf(details []Detail) *Report {
	report := &Report{Status: OK, Parts: make(map[string]Status, len(details)), Details: make(map[string]Detail, len(details))}
	for i, part := range m.parts {
		detail := details[i]
		report.Parts[part.Name], report.Details[part.Name] = detail.State, detail
		switch {
		case detail.State == Failing && detail.Needed:
			report.Status = Error
		case detail.State == Failing && report.Status == OK:
			report.Status = Degraded
		}
	}
	return report
}

// detail checks a part. A state that it was in before has lasted since then.
func (m *Monitor) detail(ctx context.Context, part *part) Detail {
	began := time.Now()
	detail := Detail{State: m.check(ctx, part), Since: began, Needed: part.Needed}
	if detail.State != Disabled {
		detail.Took = time.Since(began)
	}
	if before := m.Report().Details[part.Name]; before.State == detail.State {
		detail.Since = before.Since
	}
	return detail
}

func (m *Monitor) check(ctx context.Context, part *part) Status {
	if part.Check == nil {
		return Disabled
	}
	before := m.Report().Parts[part.Name]
	err := part.ask(ctx)
	if errors.Is(err, ErrDisabled) {
		return Disabled
	}
	if err != nil {
		if before != Failing && ctx.Err() != context.Canceled {
			m.log.Warn("Dependency fails", "part", part.Name, "error", err.Error())
		}
		return Failing
	}
	if before == Failing {
		m.log.Info("Dependency works again", "part", part.Name)
	}
	return Connected
}

// ask checks the part, and gives up waiting when ctx has ended: a file system that is
// gone may hold whoever asks for as long as it likes. It is not asked again meanwhile.
func (p *part) ask(ctx context.Context) error {
	if !p.busy.CompareAndSwap(false, true) {
		return errStuck
	}
	answer := make(chan error, 1)
	go func() {
		err := p.Check(ctx)
		p.busy.Store(false)
		answer <- err
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-answer:
		return err
	case <-time.After(grace):
		return ctx.Err()
	}
}
