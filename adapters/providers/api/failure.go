package api

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

// Reason is why a service gives no answer. The zero value: it does.
type Reason uint8

// The reasons.
const (
	// Absent: it does not know what was asked for.
	Absent Reason = iota + 1
	// OverLimit: it was asked too often.
	OverLimit
	// KeyRefused: the key is wrong, or may not do this.
	KeyRefused
	// Failing: it has a problem of its own, which may pass.
	Failing
	// Refused: it does not take the question, whoever asks.
	Refused
)

// Verdict is implemented by answers of services that say in the body what went wrong,
// whatever the status is.
type Verdict interface{ Verdict() Reason }

// failure is how an attempt ended that brought no answer.
type failure struct {
	err   error         // for the caller
	after time.Duration // what the service wants to be waited for; 0: it does not say
	// passing: another attempt may succeed.
	passing bool
	// counts: it is the service that failed.
	counts bool
	// learned: something was heard of the service.
	learned bool
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// say returns an error of this service, for the person who searches.
func (e *Endpoint) say(kind artwork.ErrorKind, cause error, format string, args ...any) error {
	return &artwork.Error{
		Kind: kind, Op: "providers." + e.service.Provider, Err: cause,
		Msg: e.service.Name + " " + fmt.Sprintf(format, args...),
	}
}

// because returns the failure that a reason makes. status is the answer's.
func (e *Endpoint) because(reason Reason, status int) *failure {
	switch reason {
	case OverLimit:
		return &failure{learned: true, passing: true, counts: true, err: e.say(artwork.Unavailable, nil, "is over its limit: try again later")}
	case Failing:
		passing := status != http.StatusInternalServerError
		return &failure{learned: true, passing: passing, counts: true, err: e.say(artwork.Unavailable, nil, "has a problem of its own (it answers %d): try again later", status)}
	case KeyRefused:
		if !e.service.Keyed {
			return &failure{learned: true, counts: true, err: e.say(artwork.Unavailable, nil, "refuses to answer (%d): it may be over its limit", status)}
		}
		return &failure{learned: true, err: e.say(artwork.Forbidden, nil, "refuses the key")}
	default:
		if status == http.StatusNotFound {
			return e.misunderstood(nil, "answers 404, as if the address of its API were another one")
		}
		return e.misunderstood(nil, "does not take the question (it answers %d)", status)
	}
}

// misunderstood returns the failure of an answer that is none.
func (e *Endpoint) misunderstood(cause error, format string, args ...any) *failure {
	return &failure{learned: true, err: e.say(artwork.DownloadFailed, cause, format, args...)}
}

// unsent returns the failure of a question that was not asked, or not to its end.
func unsent(err error) *failure { return &failure{err: err} }

// broken classifies what went wrong on the way to an answer, began ago.
func (e *Endpoint) broken(ctx context.Context, began time.Time, err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f // of a redirect
	}
	if ended := ended(ctx); ended != nil {
		slow := errors.Is(ended, context.DeadlineExceeded) && time.Since(began) >= e.client.terms.slow
		return &failure{err: ended, counts: slow, learned: slow}
	}
	return &failure{learned: true, passing: passing(err), counts: true, err: e.say(artwork.Unavailable, cause(err), "%s", what(err))}
}

// ended returns how a context ended. The network knows of a deadline a moment before
// the context does.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// what says what went wrong in the network.
func what(err error) string {
	switch {
	case is[*net.DNSError](err):
		return "cannot be found: is its address right, and is there a network?"
	case is[*tls.CertificateVerificationError](err):
		return "has no valid certificate"
	case errors.Is(err, errNotPublic):
		return "is at an address that is not public, or leads to one: only DOWNLOAD_ALLOW_HOSTS or its variable can allow that"
	case is[*net.OpError](err):
		return "cannot be reached"
	default:
		return "breaks off its answer"
	}
}

// passing reports whether an error of the network may be gone a moment later.
func passing(err error) bool {
	return !is[*tls.CertificateVerificationError](err) && !is[*net.DNSError](err) && !errors.Is(err, errNotPublic)
}

// cause returns the part of an error that surely does not repeat a URL, and with it
// a key; nil if there is none.
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

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
