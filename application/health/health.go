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

// Timing of the checks: a change shows after interval + timeout at the latest.
const (
	interval = 2 * time.Second
	timeout  = 2 * time.Second
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

// Monitor checks the parts in the background, so that asking costs nothing and
// never hangs.
type Monitor struct {
	probes []Probe
	log    *slog.Logger
	report atomic.Pointer[Report]
}

// NewMonitor returns a monitor of the probes. It knows nothing until Check or
// Watch has run.
func NewMonitor(probes []Probe, log *slog.Logger) *Monitor {
	m := &Monitor{probes: probes, log: log}
	details := make([]Detail, len(probes))
	for i, p := range probes {
		details[i] = Detail{State: Unknown, Needed: p.Needed}
	}
	report := m.reportOf(details)
	report.Status = Error
	m.report.Store(report)
	return m
}

// Report returns what the last checks found. The caller must not change it.
func (m *Monitor) Report() *Report { return m.report.Load() }

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

// Check checks all parts at once and logs what has changed.
func (m *Monitor) Check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	details := make([]Detail, len(m.probes))
	var checks sync.WaitGroup
	for i, probe := range m.probes {
		checks.Go(func() { details[i] = m.detail(ctx, probe) })
	}
	checks.Wait()
	if ctx.Err() == context.Canceled {
		return // shutting down: a cut-off check says nothing
	}
	m.report.Store(m.reportOf(details))
}

// reportOf sums up what was found of each probe.
func (m *Monitor) reportOf(details []Detail) *Report {
	report := &Report{Status: OK, Parts: make(map[string]Status, len(details)), Details: make(map[string]Detail, len(details))}
	for i, probe := range m.probes {
		detail := details[i]
		report.Parts[probe.Name], report.Details[probe.Name] = detail.State, detail
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
func (m *Monitor) detail(ctx context.Context, probe Probe) Detail {
	began := time.Now()
	detail := Detail{State: m.check(ctx, probe), Since: began, Needed: probe.Needed}
	if detail.State != Disabled {
		detail.Took = time.Since(began)
	}
	if before := m.Report().Details[probe.Name]; before.State == detail.State {
		detail.Since = before.Since
	}
	return detail
}

func (m *Monitor) check(ctx context.Context, probe Probe) Status {
	if probe.Check == nil {
		return Disabled
	}
	before := m.Report().Parts[probe.Name]
	err := probe.Check(ctx)
	if errors.Is(err, ErrDisabled) {
		return Disabled
	}
	if err != nil {
		if before != Failing && ctx.Err() != context.Canceled {
			m.log.Warn("Dependency fails", "part", probe.Name, "error", err.Error())
		}
		return Failing
	}
	if before == Failing {
		m.log.Info("Dependency works again", "part", probe.Name)
	}
	return Connected
}
