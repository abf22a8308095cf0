package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"gatefold/domain/artwork"
)

// fail classifies an error of the driver. One that has a kind stays as it is,
// and the end of ctx is passed on, in whatever words the driver reported it.
func (db *DB) fail(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*artwork.Error](err); ok {
		return err
	}
	kind := db.engine.classify(err)
	if ended := ctx.Err(); ended != nil && (kind == artwork.Internal || kind == artwork.Unavailable) {
		return fmt.Errorf("%s: %w", op, ended)
	}
	return &artwork.Error{Kind: kind, Op: op, Msg: messages[kind], Err: ownTimeout(err)}
}

// ownTimeout hides that the driver uses contexts for timeouts of its own: who
// finds the end of a context in an error takes it for the end of the caller's.
func ownTimeout(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errors.New(err.Error())
	}
	return err
}

// messages are for the person who asked; the driver's words are for the log.
var messages = map[artwork.ErrorKind]string{
	artwork.Unavailable:  "the database cannot be reached",
	artwork.StorageFull:  "the database has no room left",
	artwork.Conflict:     "this contradicts what is stored",
	artwork.NotFound:     "something that is referred to does not exist",
	artwork.InvalidInput: "the database cannot store this value",
}

// errTooLate is the end of a change that its fence no longer covers.
func errTooLate(cause error) error {
	return &artwork.Error{
		Kind: artwork.CacheUnreachable,
		Op:   "bunrepo.change",
		Msg:  "the change took longer than its fence holds; nothing has changed",
		Err:  ownTimeout(cause),
	}
}

func notFound(what string) error {
	return artwork.Errorf(artwork.NotFound, "there is no %s", what)
}

func isNoRow(err error) bool { return errors.Is(err, sql.ErrNoRows) }
