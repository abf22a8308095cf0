package diskstore

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"gatefold/domain/artwork"
)

// kindOf classifies what the operating system says. EFBIG is a limit that was
// set for the process: to it the store is as full as with no room on the disk.
func kindOf(err error) artwork.ErrorKind {
	errno, ok := errors.AsType[unix.Errno](err)
	switch {
	case !ok:
		return artwork.KindOf(err)
	case errno == unix.ENOSPC, errno == unix.EDQUOT, errno == unix.EFBIG:
		return artwork.StorageFull
	default:
		return artwork.Unavailable
	}
}

var messages = map[artwork.ErrorKind]string{
	artwork.StorageFull: "the image store has no room left",
	artwork.Unavailable: "the image store cannot be reached",
}

// classify gives an error its kind, and passes on that a context ended.
func classify(op string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	kind := kindOf(err)
	return &artwork.Error{Kind: kind, Op: op, Msg: messages[kind], Err: err}
}

// cannotOpen explains to the operator why the store does not start.
func cannotOpen(root string, err error) error {
	msg := fmt.Sprintf("%s cannot be used as the image store: it must be a directory that this process may write", root)
	kind := kindOf(err)
	if kind == artwork.StorageFull {
		msg = fmt.Sprintf("%s cannot be used as the image store: there is no room to create it", root)
	}
	return &artwork.Error{Kind: kind, Op: "diskstore.Open", Msg: msg, Err: err}
}
