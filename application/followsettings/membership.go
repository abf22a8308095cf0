package followsettings

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

const (
	// lookEvery is how often a member looks whether the deployment moves.
	lookEvery = time.Second
	// lookWhileMoving is how often it does so while it moves.
	lookWhileMoving = 50 * time.Millisecond
	// lookBudget bounds one attempt.
	lookBudget = 5 * time.Second
	// renewEvery is how often a member says that it is alive.
	renewEvery = deployment.MemberTerm / 3
	// refreshBudget bounds one attempt to refresh.
	refreshBudget = 30 * time.Second
	// trustedTerm is for how long a member follows what it has heard: shorter than
	// others count it as alive, because clocks may run at different speeds.
	trustedTerm = deployment.MemberTerm * 98 / 100
)

// Refresher is a shared cache that nobody may have looked after for a while.
type Refresher interface {
	// Refresh drops every entry that may be older than what is in force.
	// Unavailable: it cannot; try again.
	Refresh(ctx context.Context) error
}

// Dropper drops what a process keeps in its own memory.
type Dropper interface{ Drop() }

// Membership is this process's place in the deployment.
type Membership struct {
	registry Registry
	terms    *Terms
	wish     deployment.Wish
	log      *slog.Logger

	mu      sync.Mutex
	shared  Refresher // nil if there is no Redis
	local   Dropper
	self    deployment.Member
	step    deployment.Step
	changes map[int64]int // under way, by the revision they began with
	settles time.Duration // when copies of former rules have expired, on the clock of terms
	renewed time.Duration // when the registry last heard of the member, on that clock
	told    int64         // and of which revision
	warned  bool

	// doubts counts the reasons there were not to believe the shared cache before
	// it is refreshed; resolved is how many of them a refresh has dealt with.
	doubts, resolved int
	refreshing       bool
	busy             sync.WaitGroup
}

// NewMembership returns the place of a process that has not joined yet.
func NewMembership(registry Registry, terms *Terms, self deployment.Member, wish deployment.Wish, log *slog.Logger) *Membership {
	return &Membership{registry: registry, terms: terms, wish: wish, log: log, self: self, changes: map[int64]int{}}
}

// Watch tells the membership of the caches that it has to see to: the shared one,
// nil if there is none, when it was out of everybody's care, and the local one when
// this process was. It is called before Run.
func (m *Membership) Watch(shared Refresher, local Dropper) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shared, m.local = shared, local
}

// Join makes the process a member. The error of one whose configuration
// contradicts the deployment says what to do.
func (m *Membership) Join(ctx context.Context) error {
	m.mu.Lock()
	m.self.Revision = m.acknowledged()
	self, wish := m.self, m.wish
	m.mu.Unlock()
	asked := m.terms.now()
	var before deployment.State
	state, err := m.registry.Update(ctx, func(s *deployment.State) error {
		before = *s
		return s.Join(self, wish)
	})
	if err != nil {
		return err
	}
	m.log.InfoContext(ctx, "Joined the deployment", "settings", state.String(), "instances", len(state.Members))
	if before.Revision > 0 && before.Target() != state.Target() {
		m.log.InfoContext(ctx, "The deployment's cache settings are now those of this instance", "before", before.String(), "now", state.String())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// Whatever happens to this membership, the process will not insist on its
	// configuration against what operators have chosen since.
	if !wish.Returning {
		m.self.Revision = state.Revision
		m.wish.Returning = true
	}
	m.follow(state, asked+trustedTerm)
	m.renewed, m.told = asked, m.self.Revision
	return nil
}

// Run keeps the process a member, and takes part in moves, until ctx ends.
func (m *Membership) Run(ctx context.Context) {
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			m.busy.Wait()
			return
		}
		err := m.CatchUp(ctx)
		m.report(ctx, err)
		timer.Reset(m.pause())
	}
}

func (m *Membership) pause() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.step == deployment.Settled {
		return lookEvery
	}
	return lookWhileMoving
}

// report logs when the process loses touch with the deployment, and when it finds
// it again.
func (m *Membership) report(ctx context.Context, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	lapsed := m.terms.lapsed(m.terms.current.Load())
	switch {
	case err != nil && lapsed && !m.warned && ctx.Err() == nil:
		m.warned = true
		m.log.WarnContext(ctx, "The deployment's cache settings cannot be confirmed; the caches are not believed until they can", "error", err.Error())
	case err == nil && m.warned:
		m.warned = false
		m.log.InfoContext(ctx, "The deployment's cache settings are confirmed again")
	}
}

// CatchUp follows what has changed, says that the process is alive when it is time
// to, and helps a move along.
func (m *Membership) CatchUp(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	state, err := m.hear(bounded)
	if artwork.KindOf(err) == artwork.NotFound {
		return m.Join(bounded)
	}
	if err != nil {
		return err
	}
	if state.Step != deployment.Settled && len(state.Behind()) == 0 {
		state, err = m.registry.Update(bounded, func(s *deployment.State) error {
			s.Advance()
			return nil
		})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.follow(state, 0)
	}
	m.startRefresh(ctx)
	return err
}

// hear asks the registry, as a sign of life if it is time for one, and follows
// its answer.
func (m *Membership) hear(ctx context.Context) (deployment.State, error) {
	m.mu.Lock()
	id, revision := m.self.ID, m.acknowledged()
	asked := m.terms.now()
	until := m.terms.current.Load().until
	due := revision != m.told || asked >= m.renewed+renewEvery
	m.mu.Unlock()
	var state deployment.State
	var err error
	if due {
		until = asked + trustedTerm
		state, err = m.registry.Renew(ctx, id, revision)
	} else {
		state, err = m.registry.Look(ctx)
	}
	if err != nil {
		return state, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.follow(state, until)
	if due {
		m.renewed, m.told = asked, revision
	}
	return state, nil
}

// acknowledged returns the revision of the rules that the process follows in
// everything that is under way. Called with the lock held.
func (m *Membership) acknowledged() int64 {
	current := m.terms.current.Load().rules.Revision
	oldest := current
	for revision := range m.changes {
		oldest = min(oldest, revision)
	}
	if oldest == current && m.terms.now() >= m.settles {
		m.self.Revision = current
	}
	return m.self.Revision
}

// follow has everything that begins from now on follow the state, which may be
// followed until then. Called with the lock held.
func (m *Membership) follow(state deployment.State, until time.Duration) {
	old := m.terms.current.Load()
	if state.Revision < old.rules.Revision {
		return // overtaken by a later answer
	}
	m.step = state.Step
	if old.rules.Revision > 0 {
		m.compare(old, state)
	}
	next := &standing{rules: state.Rules, reading: state.Read.Mode, until: max(until, old.until)}
	if next.reading.Shared() && m.doubts > m.resolved {
		next.reading = artwork.CacheOff
	}
	m.terms.current.Store(next)
}

// compare draws conclusions from what has changed since the process last heard of
// the deployment.
func (m *Membership) compare(old *standing, state deployment.State) {
	if m.terms.lapsed(old) {
		// Others may have gone on without this process.
		m.local.Drop()
		m.doubts++
	}
	if state.Revision == old.rules.Revision {
		return
	}
	m.settles = m.terms.now() + old.rules.CopyWait()
	if !old.rules.Read.Mode.Shared() || state.Revision > old.rules.Revision+1 {
		m.doubts++
	}
	m.log.Info("The deployment's cache settings change", "step", string(state.Step), "settings", state.String())
}

// startRefresh has the shared cache refreshed in the background, if there are
// doubts about it: writers fence it by now, but nobody may have done so before.
// Called with the lock held.
func (m *Membership) startRefresh(ctx context.Context) {
	doubts := m.doubts
	if m.refreshing || doubts == m.resolved || m.shared == nil || !m.terms.current.Load().rules.Read.Mode.Shared() {
		return
	}
	m.refreshing = true
	m.busy.Go(func() {
		bounded, cancel := context.WithTimeout(ctx, refreshBudget)
		defer cancel()
		err := m.shared.Refresh(bounded)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.refreshing = false
		if err != nil {
			m.log.DebugContext(ctx, "The shared cache is not believed yet", "error", err.Error())
			return
		}
		m.resolved = doubts
		s := m.terms.current.Load()
		if s.rules.Read.Mode.Shared() && m.doubts == m.resolved {
			m.terms.current.Store(&standing{rules: s.rules, reading: s.rules.Read.Mode, until: s.until})
		}
	})
}

// begin notes that a change begins under the present rules; done, that it ended.
func (m *Membership) begin() (s *standing, done func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = m.terms.current.Load()
	revision := s.rules.Revision
	m.changes[revision]++
	return s, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.changes[revision]--; m.changes[revision] == 0 {
			delete(m.changes, revision)
		}
	}
}

// Leave ends the membership, so that nobody waits for this process.
func (m *Membership) Leave(ctx context.Context) error {
	m.mu.Lock()
	id := m.self.ID
	m.terms.current.Store(&standing{reading: artwork.CacheOff})
	m.mu.Unlock()
	return m.registry.Leave(ctx, id)
}

// ID returns that of this process among the members.
func (m *Membership) ID() artwork.ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.self.ID
}

// UsesRedis reports whether readers or writers need the shared cache now.
func (m *Membership) UsesRedis() bool { return m.terms.current.Load().rules.Fenced() }
