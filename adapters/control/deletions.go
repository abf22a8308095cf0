package control

import (
	"context"
	"net/http"
	"time"

	"gatefold/application/deletesubjects"
	"gatefold/domain/artwork"
)

// Paths of the verbs on users who are deleted.
const (
	deleteUserPath   = "/user/delete"
	restoreUserPath  = "/user/restore"
	deletedUsersPath = "/users/deleted"
)

// UserDeleter has the verbs that take users out of the catalogue, and put them back.
type UserDeleter interface {
	// DeleteUser deletes the user with the name, and returns until when they can be
	// restored.
	DeleteUser(ctx context.Context, username string) (until time.Time, err error)
	RestoreUser(ctx context.Context, id artwork.ID) error
	// DeletedUsers returns those who can be restored, the latest first.
	DeletedUsers(ctx context.Context) ([]deletesubjects.Restorable, error)
}

// deletionVerbs adds the paths of a UserDeleter.
func (s *Server) deletionVerbs(mux *http.ServeMux) {
	mux.HandleFunc("POST "+deleteUserPath, serve(s, s.verbs.DeleteUser))
	mux.HandleFunc("POST "+restoreUserPath, serve(s, func(ctx context.Context, id artwork.ID) (nothing, error) {
		return nothing{}, s.verbs.RestoreUser(ctx, id)
	}))
	mux.HandleFunc("POST "+deletedUsersPath, serve(s, func(ctx context.Context, _ nothing) ([]deletesubjects.Restorable, error) {
		return s.verbs.DeletedUsers(ctx)
	}))
}

// DeleteUser implements UserDeleter.
func (c *Client) DeleteUser(ctx context.Context, username string) (time.Time, error) {
	return call[time.Time](ctx, c, deleteUserPath, username)
}

// RestoreUser implements UserDeleter.
func (c *Client) RestoreUser(ctx context.Context, id artwork.ID) error {
	_, err := call[nothing](ctx, c, restoreUserPath, id)
	return err
}

// DeletedUsers implements UserDeleter.
func (c *Client) DeletedUsers(ctx context.Context) ([]deletesubjects.Restorable, error) {
	return call[[]deletesubjects.Restorable](ctx, c, deletedUsersPath, nothing{})
}
