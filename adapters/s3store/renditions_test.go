package s3store_test

import (
	"testing"

	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func TestRenditions(t *testing.T) {
	conformance.RunRenditionStore(t, func(t conformance.TB) artwork.RenditionStore {
		options := optionsOf(testenv.S3(t))
		options.Prefix = "a/prefix"
		return open(t, options)
	})
}
