package s3store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/minio/minio-go/v7"

	"gatefold/domain/artwork"
)

// isMissing reports whether the server says that there is no such object.
func isMissing(err error) bool {
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && answer.Code == minio.NoSuchKey
}

// fullCodes are what servers say that have no room, or give no more of it.
var fullCodes = []string{
	"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage", "InsufficientCapacity",
}

// kindOf classifies what the server or the network says. A status says less than
// a code, but some servers say nothing else.
func kindOf(err error) artwork.ErrorKind {
	if known, ok := errors.AsType[*artwork.Error](err); ok {
		return known.Kind
	}
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	switch {
	case ok && (slices.Contains(fullCodes, answer.Code) || answer.StatusCode == http.StatusInsufficientStorage):
		return artwork.StorageFull
	default:
		return artwork.Unavailable
	}
}

var messages = map[artwork.ErrorKind]string{
	artwork.StorageFull: "the image store has no room left",
	artwork.Unavailable: "the image store cannot be reached",
}

// classify gives an error its kind, and passes on that the caller's ctx ended.
// The end of a time limit of this package is not the caller's.
func classify(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	err = withoutDeadline(err)
	kind := kindOf(err)
	return &artwork.Error{Kind: kind, Op: op, Msg: messages[kind], Err: err}
}

// orCause returns what ended ctx, if it has ended, else err.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func withoutDeadline(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errNoAnswer
	}
	return err
}

// explain is classify for the person who has configured the store.
func (s *Store) explain(ctx context.Context, op string, err error) error {
	err = classify(ctx, op, err)
	if classified, ok := errors.AsType[*artwork.Error](err); ok {
		classified.Msg = s.advice(classified.Err)
	}
	return err
}

// advice says what is wrong in terms of the configuration.
func (s *Store) advice(err error) string {
	o := s.options
	if known, ok := errors.AsType[*artwork.Error](err); ok {
		return known.Msg
	}
	if answer, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return o.adviceOn(answer)
	}
	_, isStranger := errors.AsType[*tls.CertificateVerificationError](err)
	_, isNoTLS := errors.AsType[tls.RecordHeaderError](err)
	if isStranger || isNoTLS || errors.Is(err, http.ErrSchemeMismatch) {
		return fmt.Sprintf("S3_ENDPOINT: %s is not a server that this machine trusts over TLS", o.Endpoint)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("S3_ENDPOINT: the host of %s is not known", o.Endpoint)
	}
	return fmt.Sprintf("S3_ENDPOINT: %s cannot be reached", o.Endpoint)
}

func (o Options) adviceOn(answer minio.ErrorResponse) string {
	switch answer.Code {
	case minio.NoSuchBucket, minio.InvalidBucketName:
		return fmt.Sprintf("S3_BUCKET: there is no bucket %s at %s", o.Bucket, o.Endpoint)
	case minio.InvalidAccessKeyID, "XAdminUserNotFound": // the latter of versitygw
		return fmt.Sprintf("S3_ACCESS_KEY: it is not known at %s", o.Endpoint)
	case minio.SignatureDoesNotMatch:
		return "S3_SECRET_KEY: it is not the one of S3_ACCESS_KEY"
	case minio.AuthorizationHeaderMalformed, minio.InvalidRegion, "PermanentRedirect", "IllegalLocationConstraintException":
		return fmt.Sprintf("S3_REGION: %s is not the region of the bucket %s", o.Region, o.Bucket)
	case minio.RequestTimeTooSkewed:
		return fmt.Sprintf("the clocks of this machine and of %s differ too much", o.Endpoint)
	}
	switch {
	case kindOf(answer) == artwork.StorageFull:
		return messages[artwork.StorageFull]
	case answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized:
		return o.forbidden()
	default:
		return fmt.Sprintf("S3_ENDPOINT: the server at %s answers with an error", o.Endpoint)
	}
}

func (o Options) forbidden() string {
	if o.AccessKey == "" {
		return fmt.Sprintf("S3_ACCESS_KEY: it is not set, and with what the environment gives nobody may read, write, list and delete in the bucket %s", o.Bucket)
	}
	return fmt.Sprintf("S3_ACCESS_KEY: it may not read, write, list and delete in the bucket %s", o.Bucket)
}
