package bootstrap

import (
	"context"
	"fmt"
	"time"

	"gatefold/adapters/control"
	"gatefold/application/deletesubjects"
	"gatefold/application/manageaccounts"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// deletions are the verbs that take users out of the catalogue, and put them back.
type deletions struct {
	accounts *manageaccounts.Manage
	discard  *deletesubjects.Delete
	restore  *deletesubjects.Restore
	list     *deletesubjects.List
}

func newDeletions(accounts *manageaccounts.Manage, discard *deletesubjects.Delete, restore *deletesubjects.Restore, list *deletesubjects.List) *deletions {
	return &deletions{accounts, discard, restore, list}
}

// DeleteUser implements control.UserDeleter.
func (d *deletions) DeleteUser(ctx context.Context, username string) (until time.Time, err error) {
	found, err := d.accounts.Named(ctx, username)
	if err != nil {
		return until, err
	}
	out, err := d.discard.Run(ctx, deletesubjects.In{Subject: found.User.Subject(), By: commandLine})
	return out.Until, err
}

// RestoreUser implements control.UserDeleter.
func (d *deletions) RestoreUser(ctx context.Context, id artwork.ID) error {
	_, err := d.restore.Run(ctx, commandLine, artwork.User(id))
	return err
}

// DeletedUsers implements control.UserDeleter.
func (d *deletions) DeletedUsers(ctx context.Context) ([]deletesubjects.Restorable, error) {
	users := []deletesubjects.Restorable{}
	query := catalog.DeletedQuery{Kind: artwork.UserSubject, Limit: catalog.MaxPageSize}
	for {
		some, next, err := d.list.Run(ctx, query)
		if users = append(users, some...); err != nil || next.IsZero() {
			return users, err
		}
		query.After = next
	}
}

type deleteUserCommand struct {
	Username string `arg:"" help:"Who."`
}

// Run says until when the user can be restored.
func (d deleteUserCommand) Run(c *command) error {
	return onVerbs(c, func(verbs control.Verbs) error {
		until, err := verbs.DeleteUser(c.ctx, d.Username)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.stderr, "Can be restored until %s.\n", moment(until, "then"))
		return err
	})
}

type restoreUserCommand struct {
	ID string `arg:"" help:"The ID of the user, as the list of those who were deleted has it: names are free for others."`
}

// Run puts the user back.
func (r restoreUserCommand) Run(c *command) error {
	id, err := artwork.ParseID(r.ID)
	if err != nil {
		return err
	}
	return onVerbs(c, func(verbs control.Verbs) error { return verbs.RestoreUser(c.ctx, id) })
}

type deletedUsersCommand struct{}

// Run prints a line for each user, the latest first.
func (deletedUsersCommand) Run(c *command) error {
	return onVerbs(c, func(verbs control.Verbs) error {
		users, err := verbs.DeletedUsers(c.ctx)
		if err != nil {
			return err
		}
		lines := [][]string{{"USERNAME", "DELETED", "BY", "RESTORABLE UNTIL", "ID"}}
		for _, u := range users {
			lines = append(lines, []string{u.Name, moment(u.At, ""), u.By, moment(u.Until, ""), u.Subject.ID.String()})
		}
		return printTable(c.stdout, lines)
	})
}
