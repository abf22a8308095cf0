package safefetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"gatefold/domain/artwork"
)

// explain classifies what went wrong in a download under within, the caller's
// ctx with the download's own deadline.
func (f *Fetcher) explain(ctx, within context.Context, err error) error {
	if ended := ended(ctx); ended != nil {
		return ended
	}
	if ended(within) != nil {
		return failed(fmt.Sprintf("the URL did not answer within %s", f.deadline), nil)
	}
	if e, ok := errors.AsType[*artwork.Error](err); ok {
		return e // without what the client says around it, which names the URL
	}
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return artwork.Errorf(artwork.TooLarge, "the URL answers with more than %d bytes", e.Limit)
	}
	return failed(reason(err), cause(err))
}

// ended returns how a context ended. The network knows of a deadline a moment
// before the context does.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// reason says what went wrong to whoever named the URL.
func reason(err error) string {
	switch {
	case is[*net.DNSError](err):
		return "the URL's host cannot be found"
	case is[*tls.CertificateVerificationError](err):
		return "the URL's host has no valid certificate"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the URL's answer ends too early"
	case is[*net.OpError](err):
		return "the URL's host cannot be reached"
	default:
		return "the URL does not answer as HTTP does"
	}
}

// cause returns the part of an error that is worth logging, and nil if there is
// none that surely does not repeat a URL.
func cause(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func failed(msg string, cause error) error {
	return &artwork.Error{Kind: artwork.DownloadFailed, Op: "safefetch.Download", Msg: msg, Err: cause}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
