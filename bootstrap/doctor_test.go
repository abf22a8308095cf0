package bootstrap

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// TestTheDoctorNamesTheFirstAndCountsTheOthers: a disk that is gone makes no million
// lines.
func TestTheDoctorNamesTheFirstAndCountsTheOthers(t *testing.T) {
	for n, lines := range map[int]int{0: 0, 1: 1, mostNamed: mostNamed, mostNamed + 1: mostNamed + 1, 5000: mostNamed + 1} {
		var out strings.Builder
		hashes := make([]artwork.Hash, n)
		(&examination{w: &out}).failEach("images", "missing: ", "restore it", hashes)
		require.Equal(t, lines, strings.Count(out.String(), "FAILED"))
		if n > mostNamed {
			require.Contains(t, out.String(), fmt.Sprintf("missing: %d more", n-mostNamed))
		}
	}
}
