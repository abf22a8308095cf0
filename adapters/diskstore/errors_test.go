package diskstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatefold/domain/artwork"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	require.NoError(t, classify("op", nil))
	for errno, want := range map[unix.Errno]artwork.ErrorKind{
		unix.ENOSPC: artwork.StorageFull,
		unix.EDQUOT: artwork.StorageFull,
		unix.EFBIG:  artwork.StorageFull,
		unix.EIO:    artwork.Unavailable,
		unix.EROFS:  artwork.Unavailable,
		unix.EACCES: artwork.Unavailable,
		unix.EMFILE: artwork.Unavailable,
		unix.ESTALE: artwork.Unavailable,
	} {
		err := classify("op", errors.Join(&fs.PathError{Op: "write", Path: "p", Err: errno}, errors.New("and more")))
		require.Equal(t, want, artwork.KindOf(err), errno.Error())
		require.ErrorIs(t, err, errno)
	}
	require.Equal(t, artwork.Internal, artwork.KindOf(classify("op", errors.New("who knows"))))
}

func TestClassifyPassesContextErrors(t *testing.T) {
	t.Parallel()
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		err := fmt.Errorf("while writing: %w", ended)
		require.Equal(t, err, classify("op", err))
	}
}
