package integration

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/application/announce"
	"gatefold/domain/artwork"
	"gatefold/test/contract"
	"gatefold/test/musicfixture"
	"gatefold/test/sse"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

const eventsPath = "/api/events/stream"

// listen opens the stream of events and waits until it has begun.
func (in *instance) listen(header ...string) *sse.Stream {
	in.t.Helper()
	stream := sse.Open(in.t, in.base+eventsPath, append([]string{"Authorization", "Bearer " + in.token}, header...)...)
	require.NoError(in.t, contract.Check(stream.Response.Request, stream.Response, nil))
	stream.Check = func(e sse.Event) error { return contract.CheckEvent(http.MethodGet, eventsPath, e.Name, e.Data) }
	require.Equal(in.t, "connected", stream.Next().Name)
	return stream
}

func requireCoverUpdated(t *testing.T, e sse.Event, tag any) {
	t.Helper()
	require.Equal(t, announce.AlbumCoverUpdated, e.Name)
	require.NotEmpty(t, e.ID)
	updatedAt, _ := e.Data["updatedAt"].(string)
	_, err := time.Parse(time.RFC3339, updatedAt)
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"albumId": albumID, "albumName": "Mar", "artistId": artistID, "artistName": "Sol", "updatedAt": updatedAt, "tag": tag,
	}, e.Data)
}

func (in *instance) putSolMar() {
	in.putArtist(artistID, "Sol")
	in.putAlbum(albumID, artistID, "Mar")
}

// TestChangesReachTheClientsOfEveryInstance, whoever made them, and whatever they
// are.
func TestChangesReachTheClientsOfEveryInstance(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putSolMar()
		in.putUser(userID, "ana")
		stream := other.listen()
		tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		requireCoverUpdated(t, stream.Next(), tag)
		require.Equal(t, `"`+tag+`"`, other.get(coverPath).Header.Get("ETag"), "who is told sees it")

		history := in.history(albumID)
		second := applyCover(t, in, musicfixture.Picture(30, 30, 2))
		requireCoverUpdated(t, stream.Next(), second)
		admin := "/api/admin/metadata/album/" + albumID
		restored := in.send(http.MethodPost, admin+"/restore", map[string]any{"type": "cover", "imageId": history[0]["imageId"]})
		require.Equal(t, http.StatusCreated, restored.StatusCode, string(restored.body))
		requireCoverUpdated(t, stream.Next(), tag)
		require.Equal(t, http.StatusOK, in.send(http.MethodPut, admin+"/lock", map[string]any{"type": "cover", "locked": true}).StatusCode)
		require.Equal(t, http.StatusOK, in.send(http.MethodDelete, admin+"/images/cover", nil).StatusCode)
		requireCoverUpdated(t, stream.Next(), nil)

		avatar := in.upload("/api/users/avatar", musicfixture.Picture(20, 20, 3), "userId", userID)
		require.Equal(t, http.StatusOK, avatar.StatusCode, string(avatar.body))
		event := stream.Next()
		require.Equal(t, announce.UserAvatarUpdated, event.Name)
		require.Equal(t, []any{userID, "ana", avatar.json(t)["tag"]}, []any{event.Data["userId"], event.Data["username"], event.Data["tag"]})

		music := t.TempDir()
		musicfixture.Write(t, music, musicfixture.Track{Path: "Eva/Luz/01.opus", Album: "Luz", AlbumArtist: "Eva", Artist: "Eva"})
		write(t, music+"/Eva/Luz/cover.png", musicfixture.Picture(40, 40, 4))
		write(t, music+"/Eva/artist.png", musicfixture.Picture(40, 40, 5))
		require.Equal(t, 2, in.importFolder(music).NewImages)
		imported := map[string]any{}
		for range 2 {
			event := stream.Next()
			imported[event.Name] = event.Data["artistName"]
			if event.Name == announce.ArtistImagesUpdated {
				require.Equal(t, "profile", event.Data["imageType"])
			}
		}
		require.Equal(t, map[string]any{announce.AlbumCoverUpdated: "Eva", announce.ArtistImagesUpdated: "Eva"}, imported)
	})
}

// TestWhoReconnectsMissesNothing, also on another instance, and on one that has
// started meanwhile.
func TestWhoReconnectsMissesNothing(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		instances := []*instance{in}
		if d.shared {
			instances = append(instances, d.start(t))
		}
		in.putSolMar()
		stream := instances[len(instances)-1].listen()
		tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		requireCoverUpdated(t, stream.Next(), tag)
		stream.Close()
		witness := instances[len(instances)-1].listen()
		var tags []string
		for n := range 3 {
			tags = append(tags, applyCover(t, in, musicfixture.Picture(30, 30, int64(2+n))))
			// Changes of one place that follow each other at once may be told as one.
			requireCoverUpdated(t, witness.Next(), tags[n])
		}
		if d.shared {
			instances = append(instances, d.start(t))
		}
		for _, instance := range instances {
			again := instance.listen("Last-Event-ID", stream.LastID)
			for _, tag := range tags {
				requireCoverUpdated(t, again.Next(), tag)
			}
		}
		require.Equal(t, announce.Reload, in.listen("Last-Event-ID", "1795425545259-0.deadbeef").Next().Name)
	})
}

// TestRedisIsLostAndComesBackEmpty: clients here are told at once, and all reload.
func TestRedisIsLostAndComesBackEmpty(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	d := deployment{environ: []string{
		"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + server.Addr, "IMAGE_CACHE=off",
	}}
	in, other := d.start(t), d.start(t)
	in.putSolMar()
	here, there := in.listen(), other.listen()
	tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
	requireCoverUpdated(t, here.Next(), tag)
	requireCoverUpdated(t, there.Next(), tag)

	server.Stop()
	tag = applyCover(t, in, musicfixture.Picture(30, 30, 2))
	event := here.Next()
	require.Equal(t, announce.AlbumCoverUpdated, event.Name)
	require.Equal(t, tag, event.Data["tag"])
	require.Empty(t, event.ID, "the others do not know it")

	server.Start(t)
	here.Skip(announce.Reload)
	there.Skip(announce.Reload)
	require.Equal(t, announce.Reload, other.listen("Last-Event-ID", here.LastID+"0").Next().Name)
	tag = applyCover(t, other, musicfixture.Picture(30, 30, 3))
	for _, stream := range []*sse.Stream{here, there} {
		for event := stream.Skip(announce.AlbumCoverUpdated); event.Data["tag"] != tag; {
			event = stream.Skip(announce.AlbumCoverUpdated)
		}
	}
}

// TestNobodyAnnounced: a writer died after its commit, or the instances have no log in
// common. The database says what has changed.
func TestNobodyAnnounced(t *testing.T) {
	t.Parallel()
	database := migrated.Postgres(t)
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + database, "IMAGE_CACHE=off"}}
	in, other := d.start(t), d.start(t)
	in.putSolMar()
	stream := other.listen()
	tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
	requireCoverUpdated(t, stream.Next(), tag)

	db, err := bunrepo.Open(t.Context(), database)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	_, err = bunrepo.NewImages(db).Revise(t.Context(), artwork.Unfenced(), artwork.Revision{
		Place: artwork.Place{Subject: artwork.Album(artwork.MustParseID(albumID)), Slot: artwork.SlotCover}, Remove: artwork.KeepEmpty,
	})
	require.NoError(t, err)
	requireCoverUpdated(t, stream.Next(), nil)
}

// TestStreamsDoNotHoldUpAStop, and a token in the query is nowhere in the log.
func TestStreamsDoNotHoldUpAStop(t *testing.T) {
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "LOG_LEVEL=debug"}}
	server := serve(t, d)
	_, token, _ := gatefold(t, d, "token", "create", "--scope", "read")
	token = strings.TrimSpace(token)
	stream := sse.Open(t, server.base+eventsPath+"?token="+token)
	stream.Next()
	requireProblem(t, server.get(eventsPath+"?token=x"+token), http.StatusUnauthorized, "unauthenticated")
	requireProblem(t, server.get("/api/nothing?token="+token), http.StatusNotFound, "not_found")
	begin := time.Now()
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGTERM))
	stream.RequireEnd()
	<-server.done
	_ = server.cmd.Wait()
	require.Zero(t, server.cmd.ProcessState.ExitCode())
	require.Less(t, time.Since(begin), 15*time.Second, "draining takes 30 s for what does not end")
	require.Contains(t, server.log.String(), eventsPath)
	require.NotContains(t, server.log.String(), token)
}

// TestTheEventsAreDocumented: the page names every event and what it holds.
func TestTheEventsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/events.md")
	require.NoError(t, err)
	for _, name := range []string{"connected", "keepalive", announce.Reload, announce.ArtistImagesUpdated, announce.AlbumCoverUpdated, announce.UserAvatarUpdated, announce.ArtistDeleted, announce.AlbumDeleted, announce.UserDeleted, "end"} {
		require.Contains(t, string(page), "`"+name+"`")
	}
}
