package rest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/applyimage"
	"gatefold/application/managecache"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// TestAChangeThatIsMadeIsReportedAsMade: a database that is lost as soon as an image is in
// force does not turn the answer into a refusal.
func TestAChangeThatIsMadeIsReportedAsMade(t *testing.T) {
	repo, store := memory.NewRepository(), memory.NewStore(0)
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
	_, err := repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Uno"}
	_, err = repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, album)
	require.NoError(t, err)
	for _, place := range []artwork.Place{
		{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotBanner}, {Subject: artwork.Album(album.ID), Slot: artwork.SlotCover},
	} {
		record := artwork.Record{
			ID: artwork.NewID(), Place: place, Source: artwork.Custom, AddedBy: "test", Provider: "upload",
			Content: artwork.Content{Hash: artwork.HashOf([]byte("image")), Size: 5, MIMEType: "image/png", Width: 1, Height: 1},
		}
		_, err = store.Put(t.Context(), []byte("image"))
		require.NoError(t, err)
		require.NoError(t, repo.Images().AddUploaded(t.Context(), artwork.Actor{Name: "test"}, record))
		lost := &lostOnceApplied{ImageArchive: repo.Images(), ImageRepository: repo.Images()}
		cache := memory.NewCache(artwork.CachePolicy{}, 10, managecache.NewCounters())
		applier := applyimage.NewApplier(cache, lost, lost, store, nil, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
		h := &Metadata{applyUploaded: applyimage.NewApplyUploadedImage(applier), uploads: applyimage.NewUploadedImages(lost)}

		answer := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(answer)
		c.Request = httptest.NewRequest(http.MethodPost, "/", nil)
		c.Params = gin.Params{{Key: "id", Value: place.Subject.ID.String()}, {Key: "imageId", Value: record.ID.String()}}
		c.Set(principalKey, signin.Principal{Name: "test"})
		require.NoError(t, h.applyUploadedTo(c, place.Subject.Kind, gin.H{}))
		require.True(t, lost.applied)
		require.Equal(t, http.StatusCreated, answer.Code)
	}
}

// lostOnceApplied is a database that nobody reaches any more when it has made a change.
type lostOnceApplied struct {
	artwork.ImageArchive
	artwork.ImageRepository
	applied bool
}

func (l *lostOnceApplied) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	outcomes, err := l.ImageRepository.Apply(ctx, fence, applications)
	l.applied = err == nil
	return outcomes, err
}

func (l *lostOnceApplied) Find(ctx context.Context, id artwork.ID) (artwork.Record, error) {
	if l.applied {
		return artwork.Record{}, artwork.Errorf(artwork.Unavailable, "the database cannot be reached")
	}
	return l.ImageArchive.Find(ctx, id)
}
