package memory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/findimages"
	"gatefold/test/conformance"
)

func TestGate(t *testing.T) {
	conformance.RunGate(t, func(conformance.TB) []findimages.Gate { return []findimages.Gate{memory.NewGate()} })
}

func TestAnswers(t *testing.T) {
	conformance.RunAnswerCache(t, func(conformance.TB) []findimages.AnswerCache {
		return []findimages.AnswerCache{memory.NewAnswers(1 << 20)}
	})
}

func TestAnswersAreBounded(t *testing.T) {
	answers := memory.NewAnswers(100_000)
	kept := func() (n int) {
		for i := range 100 {
			if _, ok := answers.Get(t.Context(), string(rune('a'+i))); ok {
				n++
			}
		}
		return n
	}
	for i := range 100 {
		answers.Put(t.Context(), string(rune('a'+i)), make([]byte, 10_000), time.Hour)
	}
	require.Eventually(t, func() bool { return kept() <= 10 }, 10*time.Second, time.Millisecond)
}
