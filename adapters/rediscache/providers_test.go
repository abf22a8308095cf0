package rediscache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func TestGate(t *testing.T) {
	conformance.RunGate(t, func(t conformance.TB) []findimages.Gate {
		url := testenv.Redis(t)
		return []findimages.Gate{connect(t, url, noChanges{}).Gate(), connect(t, url, noChanges{}).Gate(), connect(t, url, noChanges{}).Gate()}
	})
}

func TestAnswers(t *testing.T) {
	conformance.RunAnswerCache(t, func(t conformance.TB) []findimages.AnswerCache {
		url := testenv.Redis(t)
		return []findimages.AnswerCache{connect(t, url, noChanges{}).Answers(), connect(t, url, noChanges{}).Answers()}
	})
}

// TestAFlushLeavesWhatIsNoImage: and what operators see are keys of their own.
func TestAFlushLeavesWhatIsNoImage(t *testing.T) {
	cache, operator := open(t)
	cache.Answers().Put(t.Context(), "key", []byte("value"), time.Hour)
	_, err := cache.Flush(t.Context())
	require.NoError(t, err)
	_, ok := cache.Answers().Get(t.Context(), "key")
	require.True(t, ok)
	require.Positive(t, operator.TTL(t.Context(), "gatefold:answer:key").Val())
}
