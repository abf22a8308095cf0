package artwork

import (
	"errors"
	"fmt"
	"time"
)

// ErrorKind says what went wrong in terms a caller can act on. Adapters
// classify at their edge, by the code of their driver and never by the text of
// a message; use cases and handlers branch on kinds only.
type ErrorKind uint8

// The kinds. Internal is the zero value: an error nobody classified.
const (
	// Internal is a defect or a failure of a part: its detail is for the log.
	Internal ErrorKind = iota
	// InvalidInput is a request that can never succeed as it stands.
	InvalidInput
	// NotFound is a subject, image or other thing that does not exist.
	NotFound
	// Conflict is a change that contradicts what others have written.
	Conflict
	// PreconditionFailed is a change whose stated condition does not hold.
	PreconditionFailed
	// Unauthenticated is a missing or unknown credential.
	Unauthenticated
	// Forbidden is a known caller without the right to do this.
	Forbidden
	// TooLarge is content of more bytes than are accepted.
	TooLarge
	// UnsupportedImage is content that is not an image of an accepted type.
	UnsupportedImage
	// CorruptImage is an image of an accepted type that cannot be decoded.
	CorruptImage
	// ImageTooLarge is an image of more pixels than are accepted.
	ImageTooLarge
	// ForbiddenURL is an address that Gatefold refuses to download from.
	ForbiddenURL
	// DownloadFailed is an address that did not give the image.
	DownloadFailed
	// CacheUnreachable is a change that could not be fenced in the cache.
	// Nothing has changed; the same call may succeed later.
	CacheUnreachable
	// OutcomeUnknown is a change of which nobody knows whether it was committed.
	// Repeating it is safe.
	OutcomeUnknown
	// NotConfirmed is a change that was committed, but of which the cache could
	// not be told in time. It is in force; repeating it is safe.
	NotConfirmed
	// Unavailable is a part (database, store) that cannot be reached.
	Unavailable
	// StorageFull is a store with no room for the bytes.
	StorageFull
	// TooManyRequests is something that was tried too often. It may be tried again
	// after Error.RetryAfter.
	TooManyRequests
	// RequestTimeout is a request whose content came too slowly, or not at all.
	RequestTimeout
)

var kindNames = [...]string{
	Internal:           "internal",
	InvalidInput:       "invalid_input",
	NotFound:           "not_found",
	Conflict:           "conflict",
	PreconditionFailed: "precondition_failed",
	Unauthenticated:    "unauthenticated",
	Forbidden:          "forbidden",
	TooLarge:           "too_large",
	UnsupportedImage:   "unsupported_image",
	CorruptImage:       "corrupt_image",
	ImageTooLarge:      "image_too_large",
	ForbiddenURL:       "forbidden_url",
	DownloadFailed:     "download_failed",
	CacheUnreachable:   "cache_unreachable",
	OutcomeUnknown:     "outcome_unknown",
	NotConfirmed:       "not_confirmed",
	Unavailable:        "unavailable",
	StorageFull:        "storage_full",
	TooManyRequests:    "too_many_requests",
	RequestTimeout:     "request_timeout",
}

// String returns the kind as it stands in problem documents and logs.
func (k ErrorKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// ParseErrorKind reads what String writes; what it does not know is Internal.
func ParseErrorKind(s string) ErrorKind {
	i, _ := parse(kindNames[:], s)
	return ErrorKind(i)
}

// Error is the one error type that crosses ports. Msg is written for the
// person who made the request, except in an Internal error; Op and Err are for
// the log.
type Error struct {
	Kind ErrorKind
	Op   string // where it happened, as "package.Operation"; may be empty
	Msg  string // what was wrong
	Err  error  // the cause; may be nil
	// RetryAfter is when it may be tried again, of TooManyRequests.
	RetryAfter time.Duration
}

// Error returns everything that is known, for logs.
func (e *Error) Error() string {
	s := e.Msg
	if s == "" {
		s = e.Kind.String()
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error of the kind with a message for the person who asked.
func Errorf(kind ErrorKind, format string, args ...any) error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// Wrap classifies err, naming the operation that failed. A nil err stays nil.
// With the kind Internal an error that already has a kind keeps it.
func Wrap(kind ErrorKind, op string, err error) error {
	if err == nil {
		return nil
	}
	if kind == Internal {
		if inner, ok := errors.AsType[*Error](err); ok {
			return &Error{Kind: inner.Kind, Op: op, Msg: inner.Msg, Err: err, RetryAfter: inner.RetryAfter}
		}
	}
	return &Error{Kind: kind, Op: op, Err: err}
}

// KindOf returns the kind of the outermost Error in err's chain, and Internal
// for any other error.
func KindOf(err error) ErrorKind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// MessageOf returns what the outermost Error in err's chain that has a message
// says to the person who asked; the errors around it name operations. "" if none
// has one.
func MessageOf(err error) string {
	for e, ok := errors.AsType[*Error](err); ok; e, ok = errors.AsType[*Error](e.Err) {
		if e.Msg != "" {
			return e.Msg
		}
	}
	return ""
}
