package applyimage_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// rights are what providers said, by URL.
type rights func(ctx context.Context, subject artwork.Subject, provider, url string) (artwork.Provenance, error)

func (r rights) Of(ctx context.Context, subject artwork.Subject, provider, url string) (artwork.Provenance, error) {
	return r(ctx, subject, provider, url)
}

func (f *fixture) knowing(r rights) {
	f.applier = applyimage.NewApplier(f, f, f.repo.Images(), f, f, r, slog.New(slog.NewTextHandler(&f.log, nil)))
}

func (f *fixture) applyStated(t *testing.T, url string, stated artwork.Provenance) (artwork.Provenance, error) {
	t.Helper()
	applied, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{
		SubjectID: f.album.Subject.ID, URL: url, Provider: "wikimedia", By: artwork.Actor{Name: "ana"}, Stated: stated,
	})
	if err != nil {
		return artwork.Provenance{}, err
	}
	record, err := f.repo.Images().Find(t.Context(), applied.Image.RecordID)
	require.NoError(t, err)
	return record.Provenance(), nil
}

var said = artwork.Provenance{Licence: "CC BY", Attribution: "Ana", SourcePage: "https://a/1", StatedBy: artwork.StatedByProvider}

// TestAnAppliedImageKeepsItsRights: what the provider said of the URL, or what the caller
// states.
func TestAnAppliedImageKeepsItsRights(t *testing.T) {
	f := newFixture(t)
	f.knowing(func(_ context.Context, subject artwork.Subject, provider, url string) (artwork.Provenance, error) {
		require.Equal(t, f.album.Subject, subject)
		require.Equal(t, "wikimedia", provider)
		if url == "known" {
			return said, nil
		}
		return artwork.Provenance{}, nil
	})
	for _, c := range []struct {
		url          string
		stated, want artwork.Provenance
	}{
		{"known", artwork.Provenance{}, said},
		{"unknown", artwork.Provenance{}, artwork.Provenance{}},
		{"unknown", artwork.Provenance{Licence: "CC0"}, artwork.Provenance{Licence: "CC0", StatedBy: artwork.StatedByCaller}},
		{"known", artwork.Provenance{Licence: "CC BY"}, said},
		{"known", artwork.Provenance{Licence: "CC0"}, artwork.Provenance{Licence: "CC0", Attribution: "Ana", SourcePage: "https://a/1", StatedBy: artwork.StatedByCaller}},
	} {
		known, err := f.applyStated(t, c.url, c.stated)
		require.NoError(t, err)
		require.Equal(t, c.want, known)
	}
	_, err := f.applyStated(t, "known", artwork.Provenance{SourcePage: "javascript:x"})
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
}

// TestWhatIsNotKnownFailsNoApply: an image is applied although nobody can tell what is
// known of it, and waits no longer than two seconds for that; once it is known, it is
// noted.
func TestWhatIsNotKnownFailsNoApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		dead := true
		f.knowing(func(ctx context.Context, _ artwork.Subject, _, _ string) (artwork.Provenance, error) {
			if dead {
				<-ctx.Done()
				return said, ctx.Err()
			}
			return said, nil
		})
		begin := time.Now()
		known, err := f.applyStated(t, "image", artwork.Provenance{Licence: "CC0"})
		require.NoError(t, err)
		require.Equal(t, 2*time.Second, time.Since(begin))
		require.Equal(t, artwork.Provenance{Licence: "CC0", StatedBy: artwork.StatedByCaller}, known)
		require.Contains(t, f.log.String(), "not known now")

		dead = false
		known, err = f.applyStated(t, "another", artwork.Provenance{})
		require.NoError(t, err)
		require.Equal(t, said, known)
	})
}

// TestWhatWasJustHeardIsNotLookedUp: a fill has the provider's word in hand.
func TestWhatWasJustHeardIsNotLookedUp(t *testing.T) {
	f := newFixture(t)
	f.knowing(func(context.Context, artwork.Subject, string, string) (artwork.Provenance, error) {
		t.Error("it was looked up")
		return artwork.Provenance{}, nil
	})
	application, err := f.applier.PrepareURL(t.Context(), f, f.album, applyimage.FromURL{URL: "image", Provider: "wikimedia", Offered: said})
	require.NoError(t, err)
	require.Equal(t, said, application.Record.Provenance())
}
