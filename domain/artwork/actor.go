package artwork

import "regexp"

// Actor is who wants a change.
type Actor struct {
	Name string // of a token or user, or "library"
	// ID is that of the token or user; zero for the program itself, and for its
	// command line. Names can be given twice.
	ID ID
	// Address is the one that the wish came from; "" if it came from the program
	// itself, or from its machine.
	Address string
	// RequestID is that of the request that carried the wish, as in the log; "" if
	// none did.
	RequestID string
}

// Check returns an InvalidInput error unless the actor can be kept.
func (a Actor) Check() error {
	if err := CheckText("appliedBy", a.Name); err != nil {
		return err
	}
	if err := CheckText("requestId", a.RequestID); err != nil {
		return err
	}
	return CheckText("address", a.Address)
}

// Action names what an actor did, in the activity log: a family and an act, as in
// "image.apply".
type Action string

// What can be done to images.
const (
	ActionApply   Action = "image.apply"   // put in force, from a URL or an upload
	ActionRestore Action = "image.restore" // put in force again
	ActionUpload  Action = "image.upload"  // kept, and not put in force
	ActionRemove  Action = "image.remove"
	ActionLock    Action = "image.lock"
	ActionUnlock  Action = "image.unlock"
	ActionFocus   Action = "image.focus" // shown around another point
	// ActionWithdraw takes back an upload, and ActionPurge forgets images for good.
	ActionWithdraw Action = "image.withdraw"
	ActionPurge    Action = "image.purge"
)

var actionPattern = regexp.MustCompile(`^[a-z][a-z-]{0,29}\.[a-z][a-z-]{0,29}$`)

// Check returns an InvalidInput error unless the action is a family and an act, each
// of at most 30 small letters and hyphens.
func (a Action) Check() error {
	if !actionPattern.MatchString(string(a)) {
		return Errorf(InvalidInput, "%.64q is not an action such as image.apply", string(a))
	}
	return nil
}
