package twins

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	asserted = `{"Action":"output","Test":"TestA/b","Output":"    a_test.go:7: \n"}
{"Action":"output","Test":"TestA/b","Output":"        \tError:      \tNot equal\n"}
{"Action":"output","Test":"TestA/b","Output":"        \tTest:       \tTestA/b\n"}
`
	failed = `{"Action":"fail","Test":"TestA/b"}
{"Action":"fail","Test":"TestA"}
{"Action":"fail"}
`
)

// TestVerdict: only an assertion of the named test counts.
func TestVerdict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ out, test, wrong string }{
		"an assertion fails":      {asserted + failed, "TestA/b", ""},
		"one of a subtest":        {asserted + failed, "TestA", ""},
		"the test passes":         {`{"Action":"pass","Test":"TestA"}`, "TestA", "not noticed"},
		"the test is skipped":     {`{"Action":"skip","Test":"TestA"}`, "TestA", "not noticed"},
		"there is no test":        {`{"Action":"pass"}`, "TestA", "no such test"},
		"another test fails":      {asserted + failed + `{"Action":"fail","Test":"TestB"}`, "TestA/b", "TestB failed"},
		"only another test fails": {asserted + failed, "TestB", "failed, which is not meant"},
		"it hangs":                {asserted + `{"Action":"output","Test":"TestA/b","Output":"panic: test timed out after 30s\n"}` + failed, "TestA/b", "timed out"},
		"it panics":               {asserted + `{"Action":"output","Output":"panic: index out of range\n"}` + failed, "TestA/b", "index out of range"},
		"it fails wordlessly":     {failed, "TestA/b", "without saying why"},
	} {
		r, err := parse(c.out)
		require.NoError(t, err, name)
		reason, err := r.verdict(c.test)
		if c.wrong != "" {
			require.ErrorContains(t, err, c.wrong, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, "Not equal", reason, name)
	}
	_, err := parse("go: no such tool")
	require.ErrorContains(t, err, "no such tool")
}

func TestPatternSelectsOneTest(t *testing.T) {
	t.Parallel()
	require.Equal(t, `^TestA$/^what\? \(1\)$`, pattern("TestA/what? (1)"))
}
