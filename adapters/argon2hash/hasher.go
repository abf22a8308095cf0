// Package argon2hash hashes passwords with Argon2id.
package argon2hash

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync/atomic"

	"github.com/alexedwards/argon2id"

	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

// Limits bound what all callers take together.
type Limits struct {
	AtOnce  int // hashes that are made at the same time, of Memory KiB each
	Waiting int // callers that wait for their turn; more are refused
}

// DefaultLimits are those of a server: 76 MiB, and some two seconds of waiting.
var DefaultLimits = Limits{AtOnce: 4, Waiting: 64}

// params are the effort: what OWASP recommends at least for Argon2id where memory is
// scarce (Password Storage Cheat Sheet: 19 MiB, 2 iterations, 1 lane). A hash says with
// which it was made, so they can be raised.
var params = argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Hasher is a signin.Hasher.
type Hasher struct {
	turns   chan struct{} // holds an element for each hash that is being made
	waiting atomic.Int64
	most    int64
}

var _ signin.Hasher = (*Hasher)(nil)

// New returns a hasher with the limits.
func New(limits Limits) *Hasher {
	return &Hasher{turns: make(chan struct{}, limits.AtOnce), most: int64(limits.AtOnce + limits.Waiting)}
}

// decoy has the format of a hash, and takes as long to compare with. Whatever the password,
// it does not match: the result is not looked at.
var decoy = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", params.Memory, params.Iterations, params.Parallelism,
	base64.RawStdEncoding.EncodeToString(make([]byte, params.SaltLength)), base64.RawStdEncoding.EncodeToString(make([]byte, params.KeyLength)))

// Hash implements signin.Hasher. The hash has the format of the reference
// implementation: $argon2id$v=19$m=19456,t=2,p=1$salt$key.
func (h *Hasher) Hash(ctx context.Context, password string) (hash string, err error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	hash, err = argon2id.CreateHash(password, &params)
	return hash, artwork.Wrap(artwork.Internal, "argon2hash.Hash", err)
}

// Matches implements signin.Hasher.
func (h *Hasher) Matches(ctx context.Context, password, hash string) (matches, outdated bool, err error) {
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	known := hash != ""
	if !known {
		hash = decoy
	}
	matches, made, err := argon2id.CheckHash(password, hash)
	if err != nil {
		return false, false, artwork.Wrap(artwork.Internal, "argon2hash.Matches", err)
	}
	return matches && known, *made != params, nil
}

// enter waits for a turn.
func (h *Hasher) enter(ctx context.Context) error {
	if h.waiting.Add(1) > h.most {
		h.waiting.Add(-1)
		return artwork.Errorf(artwork.Unavailable, "too many sign in at once: try again")
	}
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		h.waiting.Add(-1)
		return ctx.Err()
	}
}

func (h *Hasher) leave() {
	<-h.turns
	h.waiting.Add(-1)
}
