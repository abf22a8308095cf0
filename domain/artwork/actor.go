package artwork

// Actor is who wants a change.
type Actor struct {
	Name string // of a token or user, or "library"
	// Address is the one that the wish came from; "" if it came from the program
	// itself, or from its machine.
	Address string
}

// Check returns an InvalidInput error unless the actor can be kept.
func (a Actor) Check() error {
	if err := CheckText("appliedBy", a.Name); err != nil {
		return err
	}
	return CheckText("address", a.Address)
}
