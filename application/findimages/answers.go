package findimages

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"gatefold/domain/artwork"
)

// AnswerCache keeps for a while what providers answered, for all instances if it can.
// One that is out of reach holds nothing, which is no error. It may be called
// concurrently.
type AnswerCache interface {
	// Get returns what is kept under the key.
	Get(ctx context.Context, key string) (value []byte, ok bool)
	// Put keeps a value for the term, or for a shorter time.
	Put(ctx context.Context, key string, value []byte, term time.Duration)
}

// For how long what was answered is kept.
const (
	foundTerm       = 24 * time.Hour
	absentTerm      = time.Hour
	fingerprintTerm = 7 * 24 * time.Hour
)

// questionKey names what is asked; any change of what is known of a subject makes it
// another question.
func questionKey(parts ...string) string {
	return artwork.DeriveID(append([]string{"search"}, parts...)...).String()
}

// answers are the answers of providers in a cache.
type answers struct{ cache AnswerCache }

func candidatesKey(provider About, question string) string {
	key := "candidates:" + provider.ID + ":"
	if provider.Origin != "" {
		key += provider.Origin + ":"
	}
	return key + question
}

func (a answers) candidates(ctx context.Context, provider About, question string) ([]Candidate, bool) {
	value, ok := a.cache.Get(ctx, candidatesKey(provider, question))
	if !ok {
		return nil, false
	}
	var candidates []Candidate
	err := json.Unmarshal(value, &candidates)
	return candidates, err == nil // what another release wrote is asked for again
}

func (a answers) keepCandidates(ctx context.Context, provider About, question string, candidates []Candidate) {
	term := foundTerm
	if len(candidates) == 0 {
		term = absentTerm
	}
	value, err := json.Marshal(candidates)
	if err != nil {
		return // a slot that cannot be named; it is asked for again
	}
	a.cache.Put(ctx, candidatesKey(provider, question), value, term)
}

func fingerprintKey(url string) string { return "fingerprint:" + questionKey("url", url) }

func (a answers) fingerprint(ctx context.Context, url string) (uint64, bool) {
	value, ok := a.cache.Get(ctx, fingerprintKey(url))
	if !ok {
		return 0, false
	}
	hash, err := strconv.ParseUint(string(value), 16, 64)
	return hash, err == nil
}

func (a answers) keepFingerprint(ctx context.Context, url string, hash uint64) {
	a.cache.Put(ctx, fingerprintKey(url), strconv.AppendUint(nil, hash, 16), fingerprintTerm)
}
