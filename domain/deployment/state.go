package deployment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatefold/domain/artwork"
)

// Step says where a deployment stands between two settings.
type Step string

// The steps.
const (
	// Settled: everybody follows Read.
	Settled Step = "settled"
	// Preparing: writers honour Other too, to which readers will move.
	Preparing Step = "preparing"
	// Leaving: readers have moved to Read; writers honour Other too, for those
	// who have not heard of it yet.
	Leaving Step = "leaving"
)

// State is what a deployment has agreed on, and who belongs to it.
type State struct {
	Rules
	Step Step
	// Chosen says that an operator chose the settings, rather than the
	// configuration of the first instance.
	Chosen  bool
	Members []Member
}

// Member is a process that follows the rules.
type Member struct {
	ID       artwork.ID // of this run of the process
	Name     string     // for people: host and process
	Seat     string     // the lock that only one process can hold, and this one does; "" if it holds none
	HasRedis bool       // it can use a shared cache
	// Revision is that of the rules that the member follows in everything that is
	// under way.
	Revision int64
	// Live says that it has been heard of within its term. One that has not
	// follows nothing: it asks the database for everything.
	Live bool
}

// Wish is what the configuration of a process asks for.
type Wish struct {
	Settings artwork.CacheSettings
	// Which of the settings the configuration names; the others are defaults.
	Mode, TTL, L1TTL bool
	// Returning says that the process was a member before and follows the
	// deployment wherever that has gone meanwhile. What it began then may still be
	// under way.
	Returning bool
}

// Target returns the settings that the deployment has, or is moving to.
func (s *State) Target() artwork.CacheSettings {
	if s.Step == Preparing {
		return s.Other
	}
	return s.Read
}

// Join adds a member that wishes to follow what its configuration names. What it
// does not name follows the deployment. If no other member is alive, its wish
// becomes the deployment's setting.
//
// Errors: Conflict, others live by settings that the wish contradicts, or one of
// them keeps a cache in its own memory; InvalidInput, the settings need a Redis
// that the member does not have. The messages say what to do.
func (s *State) Join(m Member, wish Wish) error {
	s.Members = slices.DeleteFunc(s.Members, func(other Member) bool {
		return !other.Live || other.ID == m.ID || m.Seat != "" && other.Seat == m.Seat
	})
	alone, target := len(s.Members) == 0, s.Target()
	wanted := wish.Settings
	switch {
	case s.Revision > 0 && wish.Returning:
		wanted = target
	case s.Revision > 0:
		wanted = wish.over(target, s.Chosen || !alone)
	}
	if err := s.admit(m, wanted, target, alone); err != nil {
		return err
	}
	switch {
	case s.Revision == 0:
		s.settle(wanted)
		s.FormerTTL = 0
	case alone && (wanted != target || s.Step != Settled):
		s.Chosen = s.Chosen && wanted == target
		s.settle(wanted)
	}
	if m.Live = true; !wish.Returning {
		m.Revision = s.Revision
	}
	s.Members = append(s.Members, m)
	return nil
}

// over returns what the wish asks for in a deployment that has the settings.
func (w Wish) over(target artwork.CacheSettings, follow bool) artwork.CacheSettings {
	wanted := w.Settings
	if follow && !w.Mode {
		wanted.Mode = target.Mode
	}
	if follow && !w.TTL {
		wanted.TTL = target.TTL
	}
	if follow && !w.L1TTL {
		wanted.L1TTL = target.L1TTL
	}
	return wanted
}

func (s *State) admit(m Member, wanted, target artwork.CacheSettings, alone bool) error {
	switch {
	case !alone && wanted != target:
		return artwork.Errorf(artwork.Conflict, "this instance is configured with %s, but the deployment uses %s, as do %s: "+
			"configure it like them, or leave the variables unset to follow the deployment; `gatefold cache mode` changes it for all of them",
			wanted, target, s.names())
	case !alone && wanted.Mode == artwork.CacheMemory:
		return artwork.Errorf(artwork.Conflict, "with IMAGE_CACHE=memory exactly one instance may use the database, and %s does: "+
			"stop it, or configure Redis for all", s.names())
	case wanted.Mode.Shared() && !m.HasRedis:
		return artwork.Errorf(artwork.InvalidInput, "the deployment uses IMAGE_CACHE=%s, and this instance has no Redis: "+
			"set REDIS_HOST, REDIS_URL, REDIS_SENTINEL_ADDRS or REDIS_CLUSTER_ADDRS", wanted.Mode)
	}
	return nil
}

func (s *State) names() string {
	names := make([]string, len(s.Members))
	for i, m := range s.Members {
		names[i] = m.Name
	}
	return strings.Join(names, ", ")
}

// settle makes the settings those of everybody at once.
func (s *State) settle(settings artwork.CacheSettings) {
	s.FormerTTL = s.LongestTTL()
	s.Revision++
	s.Read, s.Other, s.Step = settings, artwork.CacheSettings{}, Settled
}

// Move begins to move the deployment to other settings, on an operator's word.
// Moving to where it is, or is moving to already, is no error.
//
// Errors: InvalidInput, the settings cannot be used, or not in a deployment of
// several; Conflict, it is moving elsewhere, or a member has no Redis.
func (s *State) Move(to artwork.CacheSettings) error {
	if err := to.Check(); err != nil {
		return err
	}
	if to == s.Target() {
		s.Chosen = true
		return nil
	}
	if s.Step != Settled {
		return artwork.Errorf(artwork.Conflict, "the deployment is moving to %s: wait until it has", s.Target())
	}
	if to.Mode != s.Read.Mode && (to.Mode == artwork.CacheMemory || s.Read.Mode == artwork.CacheMemory) {
		return artwork.Errorf(artwork.InvalidInput, "a cache in one process's memory cannot be moved to or from while it runs: "+
			"stop the instance and start it with IMAGE_CACHE=%s", to.Mode)
	}
	if to.Mode.Shared() {
		for _, m := range s.Members {
			if m.Live && !m.HasRedis {
				return artwork.Errorf(artwork.Conflict, "%s has no Redis: configure it there and restart it first", m.Name)
			}
		}
	}
	s.Revision++
	s.Other, s.Step, s.Chosen = to, Preparing, true
	return nil
}

// Advance takes the next step of a move if every live member follows the present
// rules, and reports whether it did.
func (s *State) Advance() bool {
	if s.Step == Settled || len(s.Behind()) > 0 {
		return false
	}
	if s.Step == Preparing {
		s.Read, s.Other, s.Step = s.Other, s.Read, Leaving
		s.Revision++
	} else {
		s.settle(s.Read)
	}
	return true
}

// Behind returns the names of the live members that do not follow the present
// rules yet.
func (s *State) Behind() []string {
	var names []string
	for _, m := range s.Members {
		if m.Live && m.Revision < s.Revision {
			names = append(names, m.Name)
		}
	}
	return names
}

// String tells an operator where the deployment stands.
func (s *State) String() string {
	switch s.Step {
	case Preparing:
		return fmt.Sprintf("%s, moving to %s", s.Read, s.Other)
	case Leaving:
		return fmt.Sprintf("%s, leaving %s", s.Read, s.Other)
	default:
		return s.Read.String()
	}
}

// MemberTerm is for how long a member that has been heard of counts as alive. It
// believes no cache for longer than that, less what clocks may differ by.
const MemberTerm = 30 * time.Second
