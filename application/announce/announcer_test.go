package announce_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/announce"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

var (
	artistID = artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10")
	albumID  = artwork.MustParseID("1c0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a11")
	userID   = artwork.MustParseID("2d0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a12")

	banner = artwork.Place{Subject: artwork.Artist(artistID), Slot: artwork.SlotBanner}
	cover  = artwork.Place{Subject: artwork.Album(albumID), Slot: artwork.SlotCover}
	avatar = artwork.Place{Subject: artwork.User(userID), Slot: artwork.SlotAvatar}
)

// deployment is one database and one log, for any number of instances.
type deployment struct {
	repo *memory.Repository
	log  *unsteadyLog
}

func deploy(t *testing.T) deployment {
	t.Helper()
	d := deployment{memory.NewRepository(), newLog()}
	_, err := d.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Artist{ID: artistID, Name: "Sol"})
	require.NoError(t, err)
	_, err = d.repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Album{ID: albumID, ArtistID: artistID, Name: "Mar"})
	require.NoError(t, err)
	_, err = d.repo.Users().Put(t.Context(), artwork.Actor{Name: "test"}, catalog.User{ID: userID, Username: "ana", DisplayName: "Ana", Role: catalog.RoleUser})
	require.NoError(t, err)
	return d
}

// instance announces what is changed through its cache.
type instance struct {
	t       *testing.T
	repo    *memory.Repository
	feed    *announce.Feed
	cache   artwork.ImageCache
	changes *brokenChanges
	stop    func() // and announce the last changes
}

// brokenChanges fails if it is told to.
type brokenChanges struct {
	announce.Changes
	mu  sync.Mutex
	err error
}

func (c *brokenChanges) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *brokenChanges) ModifiedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place, time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	return c.Changes.ModifiedWithin(ctx, past, visit)
}

func (d deployment) start(t *testing.T) *instance {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	in := &instance{t: t, repo: d.repo, feed: startFeed(t, d.log), changes: &brokenChanges{Changes: d.repo.ChangeLog()}}
	names := announce.Names{Artists: d.repo.Artists(), Albums: d.repo.Albums(), Users: d.repo.Users(), Deleted: d.repo.Bin()}
	announcer := announce.NewAnnouncer(in.feed, in.changes, d.repo.Images(), names, log)
	in.cache = announcer.Observe(memory.NewCache(artwork.CachePolicy{TTL: time.Hour}, 100, managecache.NewCounters()))
	in.stop = runs(t, announcer.Run)
	synctest.Wait()
	return in
}

func application(place artwork.Place, content string) artwork.Application {
	hash := artwork.HashOf([]byte(content))
	return artwork.Application{
		By: artwork.Actor{Name: "test"},
		Record: artwork.Record{
			ID: artwork.RecordID(place, hash, artwork.Custom, "test"), Place: place, Source: artwork.Custom, Provider: "test",
			Content: artwork.Content{Hash: hash, Size: 1, MIMEType: "image/png", Width: 1, Height: 1}, AddedAt: time.Now(),
		},
	}
}

// apply puts an image in force through the cache, and returns it.
func (in *instance) apply(place artwork.Place, content string) *artwork.Image {
	in.t.Helper()
	var outcome artwork.Outcome
	err := in.cache.Change(in.t.Context(), place.Keys(), func(ctx context.Context, fence artwork.Fence) error {
		outcomes, err := in.repo.Images().Apply(ctx, fence, []artwork.Application{application(place, content)})
		if err == nil {
			outcome = outcomes[0]
		}
		return err
	})
	require.NoError(in.t, err)
	return outcome.Image
}

func (in *instance) revise(revision artwork.Revision) {
	in.t.Helper()
	err := in.cache.Change(in.t.Context(), revision.Place.Keys(), func(ctx context.Context, fence artwork.Fence) error {
		_, err := in.repo.Images().Revise(ctx, fence, revision)
		return err
	})
	require.NoError(in.t, err)
}

// applyUnseen puts an image in force as a writer does that dies before it can
// announce it.
func (d deployment) applyUnseen(t *testing.T, place artwork.Place, content string) *artwork.Image {
	t.Helper()
	outcomes, err := d.repo.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{application(place, content)})
	require.NoError(t, err)
	return outcomes[0].Image
}

// requireTold requires that one event is told now.
func requireTold(t *testing.T, s *announce.Subscription, name string, data map[string]any) {
	t.Helper()
	entry := requireNext(t, s, name)
	want, err := json.Marshal(data)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(entry.Data))
}

func coverUpdated(img *artwork.Image) map[string]any {
	return map[string]any{
		"albumId": albumID, "albumName": "Mar", "artistId": artistID, "artistName": "Sol", "updatedAt": img.LastModified, "tag": img.Tag,
	}
}

func TestChangesAreAnnounced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		writer, other := d.start(t), d.start(t)
		here, there := subscribe(t, writer.feed, "", false), subscribe(t, other.feed, "", false)
		begin := time.Now()
		img := writer.apply(banner, "1")
		told := map[string]any{"artistId": artistID, "artistName": "Sol", "imageType": "banner", "updatedAt": img.LastModified, "tag": img.Tag}
		requireTold(t, here, announce.ArtistImagesUpdated, told)
		requireTold(t, there, announce.ArtistImagesUpdated, told)
		requireTold(t, there, announce.AlbumCoverUpdated, func() map[string]any { return coverUpdated(writer.apply(cover, "1")) }())
		img = other.apply(avatar, "1")
		requireTold(t, there, announce.UserAvatarUpdated, map[string]any{
			"userId": userID, "username": "ana", "displayName": "Ana", "updatedAt": img.LastModified, "tag": img.Tag,
		})
		require.Less(t, time.Since(begin), time.Second, "at once, not by a round")

		time.Sleep(40 * time.Minute)
		requireNext(t, there)
	})
}

func TestWhatIsAnnouncedAndWhatIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in := d.start(t)
		s := subscribe(t, in.feed, "", false)
		first := in.apply(cover, "1")
		requireTold(t, s, announce.AlbumCoverUpdated, coverUpdated(first))
		in.apply(cover, "1")
		requireNext(t, s) // it was in force
		in.revise(artwork.Revision{Place: cover, Lock: artwork.Lock, By: artwork.Actor{Name: "test"}})
		requireNext(t, s) // it shows the same
		second := in.apply(cover, "2")
		requireTold(t, s, announce.AlbumCoverUpdated, coverUpdated(second))
		in.revise(artwork.Revision{Place: cover, Remove: artwork.KeepEmpty, By: artwork.Actor{Name: "test"}})
		emptied := coverUpdated(&artwork.Image{LastModified: second.LastModified.Add(time.Second)})
		emptied["tag"] = nil
		requireTold(t, s, announce.AlbumCoverUpdated, emptied)
		again := in.apply(cover, "1")
		require.Equal(t, first.Tag, again.Tag)
		requireTold(t, s, announce.AlbumCoverUpdated, coverUpdated(again))
		time.Sleep(30 * time.Minute)
		in.revise(artwork.Revision{Place: cover, Lock: artwork.Unlock, By: artwork.Actor{Name: "test"}})
		time.Sleep(40 * time.Minute)
		requireNext(t, s)
		require.NoError(t, in.cache.Change(t.Context(), cover.Keys(), func(context.Context, artwork.Fence) error { return nil }))
		requireNext(t, s) // invalidated
	})
}

// outcomeCache ends every change with an error, after its commit or before it.
type outcomeCache struct {
	artwork.ImageCache
	err error
}

func (c outcomeCache) Change(ctx context.Context, _ []artwork.Key, commit artwork.Commit) error {
	return errors.Join(c.err, commit(ctx, artwork.Unfenced()))
}

// TestWhatIsCommittedIsAnnounced, though its writer was told otherwise.
func TestWhatIsCommittedIsAnnounced(t *testing.T) {
	t.Parallel()
	for _, kind := range []artwork.ErrorKind{artwork.NotConfirmed, artwork.OutcomeUnknown} {
		synctest.Test(t, func(t *testing.T) {
			d := deploy(t)
			in := d.start(t)
			s := subscribe(t, in.feed, "", false)
			announcer := announce.NewAnnouncer(in.feed, in.changes, d.repo.Images(),
				announce.Names{Artists: d.repo.Artists(), Albums: d.repo.Albums(), Users: d.repo.Users(), Deleted: d.repo.Bin()}, slog.New(slog.DiscardHandler))
			runs(t, announcer.Run)
			in.cache = announcer.Observe(outcomeCache{err: artwork.Errorf(kind, "told so")})
			err := in.cache.Change(t.Context(), cover.Keys(), func(ctx context.Context, fence artwork.Fence) error {
				_, err := d.repo.Images().Apply(ctx, fence, []artwork.Application{application(cover, "1")})
				return err
			})
			require.Equal(t, kind, artwork.KindOf(err), "the answer is the cache's")
			requireNext(t, s, announce.AlbumCoverUpdated)
		})
	}
}

// TestAWriterThatDies: others announce what it has committed, once.
func TestAWriterThatDies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in := d.start(t)
		s := subscribe(t, in.feed, "", false)
		in.apply(cover, "1")
		requireNext(t, s, announce.AlbumCoverUpdated)
		time.Sleep(time.Minute)
		img := d.applyUnseen(t, cover, "2")
		requireNext(t, s)
		time.Sleep(10 * time.Second)
		requireTold(t, s, announce.AlbumCoverUpdated, coverUpdated(img))
		time.Sleep(40 * time.Minute)
		requireNext(t, s)
	})
}

// TestAFleetThatDies: the next instance announces what the last one has committed,
// however long ago, because clients may know of all that came before.
func TestAFleetThatDies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in := d.start(t)
		s := subscribe(t, in.feed, "", false)
		in.apply(cover, "1")
		position := requireNext(t, s, announce.AlbumCoverUpdated).ID
		in.stop()
		img := d.applyUnseen(t, cover, "2")
		time.Sleep(10 * time.Hour)
		next := d.start(t)
		s = subscribe(t, next.feed, position, true)
		time.Sleep(5 * time.Second)
		requireTold(t, s, announce.AlbumCoverUpdated, coverUpdated(img))
		time.Sleep(40 * time.Minute)
		requireNext(t, s)
	})
}

// TestAFirstStart: what has changed long ago is not announced; who has changed
// something just now may have died.
func TestAFirstStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		d.applyUnseen(t, cover, "1")
		time.Sleep(time.Minute)
		img := d.applyUnseen(t, banner, "1")
		s := subscribe(t, d.start(t).feed, "", false)
		time.Sleep(10 * time.Second)
		requireTold(t, s, announce.ArtistImagesUpdated, map[string]any{
			"artistId": artistID, "artistName": "Sol", "imageType": "banner", "updatedAt": img.LastModified, "tag": img.Tag,
		})
		time.Sleep(40 * time.Minute)
		requireNext(t, s)
	})
}

// TestWhileTheDatabaseCannotBeAsked changes wait for their announcement.
func TestWhileTheDatabaseCannotBeAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in := d.start(t)
		time.Sleep(time.Minute)
		s := subscribe(t, in.feed, "", false)
		in.changes.fail(artwork.Errorf(artwork.Unavailable, "no database"))
		img := in.apply(cover, "1")
		time.Sleep(10 * time.Minute)
		requireNext(t, s)
		in.changes.fail(nil)
		time.Sleep(10 * time.Second)
		requireTold(t, s, announce.AlbumCoverUpdated, coverUpdated(img))
	})
}

// TestTheLastChangesAreAnnounced before an instance stops.
func TestTheLastChangesAreAnnounced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in, other := d.start(t), d.start(t)
		s := subscribe(t, other.feed, "", false)
		in.apply(cover, "1")
		in.stop()
		requireNext(t, s, announce.AlbumCoverUpdated)
	})
}

// TestAnApplyIsNotDelayed by a log that nobody can reach.
func TestAnApplyIsNotDelayed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in := d.start(t)
		s := subscribe(t, in.feed, "", false)
		d.log.setDown(true)
		begin := time.Now()
		for range 2000 {
			in.apply(cover, "1")
			in.apply(cover, "2")
		}
		require.Equal(t, begin, time.Now())
		time.Sleep(2 * time.Second)
		require.NotEmpty(t, drain(t, s))
	})
}

// TestMoreThanIsWorthAnEventEach is one: to reload.
func TestMoreThanIsWorthAnEventEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in := d.start(t)
		time.Sleep(time.Minute + time.Second/10) // between two rounds: one that begins meanwhile finds a part
		s := subscribe(t, in.feed, "", false)
		for range 501 {
			artist := catalog.Artist{ID: artwork.NewID(), Name: "Many"}
			_, err := d.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
			require.NoError(t, err)
			for _, slot := range artwork.ArtistSubject.Slots() {
				d.applyUnseen(t, artwork.Place{Subject: artwork.Artist(artist.ID), Slot: slot}, "1")
			}
		}
		time.Sleep(10 * time.Second)
		entry := requireNext(t, s, announce.Reload)
		require.JSONEq(t, `{"reason":"many-changes"}`, string(entry.Data))
	})
}

// TestADeletionIsAnnouncedOnce, however many slots the subject has, and also if its
// writer died; when the subject is back, its slots are announced.
func TestADeletionIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := deploy(t)
		in, other := d.start(t), d.start(t)
		in.apply(cover, "1")
		synctest.Wait() // that is announced
		here, there := subscribe(t, in.feed, "", false), subscribe(t, other.feed, "", false)
		album, by := cover.Subject, artwork.Actor{Name: "test"}
		remove := func(subjects ...artwork.Subject) artwork.Commit {
			return func(ctx context.Context, fence artwork.Fence) error {
				_, err := d.repo.Bin().Delete(ctx, fence, catalog.Deletion{Subjects: subjects, By: by})
				return err
			}
		}
		require.NoError(t, in.cache.Change(t.Context(), album.Keys(), remove(album)))
		for _, client := range []*announce.Subscription{here, there} {
			told := requireNext(t, client, announce.AlbumDeleted)
			require.Contains(t, string(told.Data), `"albumName":"Mar"`)
		}
		require.NoError(t, remove(banner.Subject)(t.Context(), artwork.Unfenced())) // who dies before it can announce that
		time.Sleep(time.Minute)
		for _, client := range []*announce.Subscription{here, there} {
			told := drain(t, client)
			require.NotEmpty(t, told)
			require.LessOrEqual(t, len(told), 2, "both instances may find it at the same moment")
			for _, entry := range told {
				require.Equal(t, announce.ArtistDeleted, entry.Name)
				require.Contains(t, string(entry.Data), `"artistName":"Sol"`)
			}
		}
		require.NoError(t, in.cache.Change(t.Context(), banner.Subject.Keys(), func(ctx context.Context, fence artwork.Fence) error {
			_, err := d.repo.Bin().Restore(ctx, fence, catalog.Restoration{Subjects: []artwork.Subject{banner.Subject}, By: by})
			return err
		}))
		requireNext(t, there, slices.Repeat([]string{announce.ArtistImagesUpdated}, len(banner.Subject.Kind.Slots()))...)
		time.Sleep(time.Minute)
		requireNext(t, there)
	})
}
