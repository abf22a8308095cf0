package applyimage_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// heard notes the phases of an apply.
type heard []string

func (h *heard) hear(step applyimage.Step) { *h = append(*h, string(step.Phase)) }

func (h *heard) String() string { return strings.Join(*h, " ") }

// follow applies the content of a URL as an album's cover, and returns the phases.
func (f *fixture) follow(t *testing.T, url string) (*heard, error) {
	t.Helper()
	phases := &heard{}
	_, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{
		SubjectID: f.album.Subject.ID, URL: url, Provider: "deezer", By: artwork.Actor{Name: "ana"}, Progress: phases.hear,
	})
	return phases, err
}

func TestEachPhaseIsToldAsItBegins(t *testing.T) {
	f := newFixture(t)
	phases, err := f.follow(t, "one")
	require.NoError(t, err)
	require.Equal(t, "downloading checking storing fencing recording confirming", phases.String())
	phases, err = f.follow(t, "one")
	require.NoError(t, err)
	require.Equal(t, "downloading checking storing", phases.String(), "what is in force is not fenced")
}

// TestAFailureEndsThePhases: it is told of none that it did not come to, and above all
// not that what failed is being confirmed.
func TestAFailureEndsThePhases(t *testing.T) {
	for step, told := range map[string]string{
		"download": "downloading",
		"inspect":  "downloading checking",
		"store":    "downloading checking storing",
		"fence":    "downloading checking storing fencing",
		"held":     "downloading checking storing fencing recording",
		"commit":   "downloading checking storing fencing recording",
	} {
		t.Run(step, func(t *testing.T) {
			f := newFixture(t)
			f.breakAt[step] = errBroken
			phases, err := f.follow(t, "one")
			require.ErrorIs(t, err, errBroken)
			require.Equal(t, told, phases.String())
		})
	}
	f := newFixture(t)
	f.album.Subject.ID = artwork.NewID()
	phases, err := f.follow(t, "one")
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	require.Empty(t, phases.String(), "nothing has begun")
}

func TestAChangeThatIsBegunAnewIsFencedAgain(t *testing.T) {
	f := newFixture(t)
	f.anew = func() {}
	phases, err := f.follow(t, "one")
	require.NoError(t, err)
	require.Equal(t, "downloading checking storing fencing recording fencing recording confirming", phases.String())
}

// TestWhatIsStoredIsNotDownloaded: uploads and restores have the phases that they need.
func TestWhatIsStoredIsNotDownloaded(t *testing.T) {
	f := newFixture(t)
	by := artwork.Actor{Name: "ana"}
	uploading := &heard{}
	record, err := applyimage.NewUploadImage(f.applier).Run(t.Context(), applyimage.Upload{
		Place: f.album, Content: strings.NewReader("mine"), By: by, Progress: uploading.hear,
	})
	require.NoError(t, err)
	require.Equal(t, "checking storing", uploading.String())
	applying := &heard{}
	_, err = applyimage.NewApplyUploadedImage(f.applier).Run(t.Context(), applyimage.Uploaded{
		Subject: f.album.Subject, RecordID: record.ID, By: by, Progress: applying.hear,
	})
	require.NoError(t, err)
	require.Equal(t, "fencing recording confirming", applying.String())
	_, err = f.apply(t.Context(), "another")
	require.NoError(t, err)
	restoring := &heard{}
	_, err = applyimage.NewRestoreImage(f.applier).Run(t.Context(), applyimage.Restore{
		Place: f.album, RecordID: record.ID, By: by, Progress: restoring.hear,
	})
	require.NoError(t, err)
	require.Equal(t, "fencing recording confirming", restoring.String())
}

// receiving is a download that comes in so many pieces.
type receiving struct{ total, piece int64 }

func (r receiving) Download(ctx context.Context, url string, _ int64) ([]byte, error) {
	tell := applyimage.Receiver(ctx)
	tell(0, r.total)
	for n := r.piece; n <= 1<<20; n += r.piece {
		tell(n, r.total)
	}
	return []byte(url), nil
}

// TestBytesAreToldInStrides: a download of many pieces is not told piece by piece.
func TestBytesAreToldInStrides(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		receiving
		steps int
	}{{receiving{1 << 20, 1 << 10}, 32}, {receiving{0, 1 << 10}, 4}, {receiving{1 << 20, 1 << 20}, 1}} {
		var steps []applyimage.Step
		_, err := applyimage.NewApplyAlbumCover(f.applier, c).Run(t.Context(), applyimage.FromURL{
			SubjectID: f.album.Subject.ID, URL: "one", Provider: "deezer", By: artwork.Actor{Name: "ana"},
			Progress: func(step applyimage.Step) {
				if step.Received > 0 {
					steps = append(steps, step)
				}
			},
		})
		require.NoError(t, err)
		require.Len(t, steps, c.steps, "%+v", c)
		require.Equal(t, applyimage.Step{Phase: applyimage.Downloading, Received: 1 << 20, Total: c.total}, steps[len(steps)-1])
	}
	require.Nil(t, applyimage.Receiver(t.Context()))
}
