package rest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "br, GZIP": true, "gzip;q=0": false, "gzip; q=0.5": true, "deflate, gzip;q=0.000": false, "identity": false, "*": false, "gzipped": false, "gzip;q=x": false,
	} {
		require.Equal(t, want, acceptsGzip(header), header)
	}
}
