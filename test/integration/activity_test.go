package integration

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/adapters/control"
	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/test/musicfixture"
	"gatefold/test/providerfixture"
)

// act is something that somebody can do over HTTP, and what the activity log has
// to say of it.
type act struct {
	route    string // method and pattern, as the router knows it
	do       func() answer
	action   string
	subject  map[string]any
	slot     any
	before   map[string]any // some of it; nil: null
	after    map[string]any // some of it; nil: null
	prepare  func()         // what has to be done before, if anything
	repeated bool           // doing it again is another activity
	gone     bool           // doing it again finds nothing
}

// noActivity has the routes that change nothing although they are no GET, and why
// that is so.
var noActivity = map[string]string{
	"POST /api/admin/metadata/bulk/:jobId/cancel":       "a job that goes on is needed: the conformance case “jobs: a cancellation is written down once, and not of a job that is done”",
	"POST /api/images/sign":                             "it lets others read what the caller may read, and changes nothing",
	"POST /api/auth/login":                              "the actor is whoever signs in: TestSignInsAreInTheActivityLog",
	"POST /api/auth/refresh":                            "a session that goes on is none; a token that comes back is: TestARefreshTokenUsedTwiceEndsTheFamily",
	"POST /api/auth/logout":                             "the actor is whoever signs out: TestSignInsAreInTheActivityLog",
	"POST /api/auth/first-run":                          "it can be done once: TestSignInsAreInTheActivityLog",
	"POST /api/auth/oidc/link":                          "the link is made when the browser comes back: TestLinkingAnIdentity",
	"POST /api/auth/password":                           "tokens have no password: TestSignInsAreInTheActivityLog",
	"POST /api/admin/tokens":                            "the id of what it creates is not known before: TestTokensAreManaged",
	"POST /api/admin/settings/providers/:provider/test": "a provider is asked something, and nothing is set",
}

const metadata = "/api/admin/metadata/"

// TestEveryRouteThatChangesSomethingIsInTheActivityLog walks over all of them. One
// that is added is found by the router, and fails the test until it is in the walk.
func TestEveryRouteThatChangesSomethingIsInTheActivityLog(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(musicfixture.Picture(40, 40, int64(len(r.URL.Path))))
		}))
		defer provider.Close()
		d, fixture := filling(t, d)
		hosts := "DOWNLOAD_ALLOW_HOSTS=" + strings.TrimPrefix(provider.URL, "http://") + "," + hostOf(t, fixture.URL(providerfixture.CoverArtArchive))
		var router *rest.Router
		in := d.startWith(t, fx.Populate(&router), "WARM_KEYS=10", "L1_TTL=50ms", hosts)
		acts := slices.Concat(in.catalogActs(), in.externalActs(provider.URL), in.uploadActs(t), in.slotActs(t), in.goneActs(t), in.cacheActs(), in.fillActs(fixture), in.settingsActs(), in.accountActs(t))
		covered := map[string]bool{}
		for _, a := range acts {
			covered[a.route] = true
			in.requireActivity(a)
		}
		require.Empty(t, unrecorded(router.Endpoints(), covered), "these routes are neither in the walk nor in noActivity")
		require.Equal(t, []string{"POST /api/new/:id"}, unrecorded([]rest.Endpoint{{Method: "POST", Path: "/api/new/:id"}, {Method: "GET", Path: "/api/new"}}, covered))

		all := in.send(http.MethodGet, "/api/admin/activity?pageSize=200", nil)
		require.NotContains(t, string(all.body), "hunter2", "a secret in the activity log")
		require.NotContains(t, string(all.body), in.token)
	})
}

// unrecorded returns the routes that may change something and are not covered.
func unrecorded(endpoints []rest.Endpoint, covered map[string]bool) []string {
	var missing []string
	for _, e := range endpoints {
		route := e.Method + " " + e.Path
		if e.Method != http.MethodGet && e.Method != http.MethodHead && !covered[route] && noActivity[route] == "" {
			missing = append(missing, route)
		}
	}
	return missing
}

// requireActivity does what the act says, twice, and looks for the one entry.
func (in *instance) requireActivity(a act) {
	in.t.Helper()
	if a.prepare != nil {
		a.prepare()
	}
	before := in.activity("")
	done := a.do()
	require.Less(in.t, done.StatusCode, 300, "%s: %s", a.route, done.body)
	requireRoute(in.t, a.route, done)
	found := in.activity("")
	require.Len(in.t, found, len(before)+1, a.route)
	entry := found[0]
	require.Equal(in.t, before, found[1:], a.route)

	require.Equal(in.t, a.action, entry["action"], a.route)
	require.Equal(in.t, "test", entry["actor"])
	require.NotEmpty(in.t, entry["actorId"])
	require.Equal(in.t, "127.0.0.1", entry["address"])
	require.Equal(in.t, done.Header.Get("X-Request-Id"), entry["requestId"])
	at, err := time.Parse(time.RFC3339Nano, entry["at"].(string))
	require.NoError(in.t, err)
	require.WithinDuration(in.t, time.Now(), at, time.Minute)
	if a.subject == nil {
		require.NotContains(in.t, entry, "subject", a.route)
	} else {
		require.Equal(in.t, a.subject, entry["subject"], a.route)
	}
	require.Equal(in.t, a.slot, entry["slot"], a.route)
	requireFacts(in.t, a.route+" before", a.before, entry["before"])
	requireFacts(in.t, a.route+" after", a.after, entry["after"])

	again := a.do()
	require.Equal(in.t, a.gone, again.StatusCode == http.StatusNotFound, a.route)
	require.True(in.t, a.gone || again.StatusCode < 300, "%s: %s", a.route, again.body)
	if !a.repeated {
		require.Equal(in.t, found, in.activity(""), "%s: what is so already is no activity", a.route)
	}
}

// requireRoute checks that the request was one of the route.
func requireRoute(t *testing.T, route string, a answer) {
	t.Helper()
	method, pattern, _ := strings.Cut(route, " ")
	require.Equal(t, method, a.Request.Method, route)
	want, got := strings.Split(pattern, "/"), strings.Split(a.Request.URL.Path, "/")
	require.Len(t, got, len(want), route)
	for i := range want {
		if !strings.HasPrefix(want[i], ":") {
			require.Equal(t, want[i], got[i], route)
		}
	}
}

func requireFacts(t *testing.T, what string, some map[string]any, facts any) {
	t.Helper()
	if some == nil {
		require.Nil(t, facts, what)
		return
	}
	all, ok := facts.(map[string]any)
	require.True(t, ok, "%s: %v", what, facts)
	for name, value := range some {
		require.Equal(t, value, all[name], "%s %s: %v", what, name, all)
	}
}

// activity returns a page of the log.
func (in *instance) activity(query string) []map[string]any {
	in.t.Helper()
	a := in.send(http.MethodGet, "/api/admin/activity?pageSize=200"+query, nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	require.Equal(in.t, "no-store", a.Header.Get("Cache-Control"))
	found := []map[string]any{}
	for _, item := range a.json(in.t)["items"].([]any) {
		found = append(found, item.(map[string]any))
	}
	return found
}

var (
	anArtist = map[string]any{"kind": "artist", "id": artistID, "name": "Ñandú"}
	anAlbum  = map[string]any{"kind": "album", "id": albumID, "name": "Uno"}
	aUser    = map[string]any{"kind": "user", "id": userID, "name": "ana"}
)

// catalogActs bring the subjects of all other acts.
func (in *instance) catalogActs() []act {
	put := func(path string, body map[string]any) func() answer {
		return func() answer { return in.send(http.MethodPut, path, body) }
	}
	del := func(path string) func() answer { return func() answer { return in.send(http.MethodDelete, path, nil) } }
	restore := func(path string) func() answer {
		return func() answer { return in.send(http.MethodPost, path+"/restore", nil) }
	}
	artist, album, user := "/api/artists/"+artistID, "/api/albums/"+albumID, "/api/users/"+userID
	return []act{
		{
			route: "PUT /api/artists/:id", do: put(artist, map[string]any{"name": "Nandu"}), action: "catalog.create",
			subject: map[string]any{"kind": "artist", "id": artistID, "name": "Nandu"}, after: map[string]any{"name": "Nandu"},
		},
		{
			route: "PUT /api/artists/:id", do: put(artist, map[string]any{"name": "Ñandú", "sortName": "Nandu"}), action: "catalog.update",
			subject: anArtist, before: map[string]any{"name": "Nandu", "sortName": nil}, after: map[string]any{"name": "Ñandú", "sortName": "Nandu"},
		},
		{
			route: "DELETE /api/artists/:id", do: del(artist), action: "catalog.delete",
			subject: anArtist, before: map[string]any{"name": "Ñandú", "sortName": "Nandu"},
		},
		{
			route: "POST /api/artists/:id/restore", do: restore(artist), action: "catalog.restore",
			subject: anArtist, after: map[string]any{"name": "Ñandú", "sortName": "Nandu"},
		},
		{
			route: "PUT /api/albums/:id", do: put(album, map[string]any{"name": "Uno", "artistId": artistID, "year": 1999}), action: "catalog.create",
			subject: anAlbum, after: map[string]any{"name": "Uno", "artistId": artistID, "year": 1999.0},
		},
		{
			route: "PUT /api/users/:id", do: put(user, map[string]any{"username": "ana"}), action: "catalog.create",
			subject: aUser, after: map[string]any{"username": "ana", "role": "user"},
		},
		{
			route: "PUT /api/users/:id", do: put(user, map[string]any{"username": "ana", "role": "admin"}), action: "catalog.update",
			subject: aUser, before: map[string]any{"role": "user"}, after: map[string]any{"role": "admin"},
		},
		{
			route: "DELETE /api/albums/:id", do: del(album), action: "catalog.delete",
			subject: anAlbum, before: map[string]any{"name": "Uno", "artistId": artistID, "year": 1999.0},
		},
		{
			route: "POST /api/albums/:id/restore", do: restore(album), action: "catalog.restore",
			subject: anAlbum, after: map[string]any{"name": "Uno", "artistId": artistID, "year": 1999.0},
		},
		{
			route: "DELETE /api/users/:id", do: del(user), action: "catalog.delete",
			subject: aUser, before: map[string]any{"username": "ana", "role": "admin"},
		},
		{
			route: "POST /api/users/:id/restore", do: restore(user), action: "catalog.restore",
			subject: aUser, after: map[string]any{"username": "ana", "role": "admin"},
		},
		{
			route: "PATCH " + metadata + "artist/background-position", do: func() answer {
				return in.send(http.MethodPatch, metadata+"artist/background-position", map[string]any{"artistId": artistID, "backgroundPosition": "center 20%"})
			},
			action: "catalog.update", subject: anArtist,
			before: map[string]any{"backgroundPosition": ""}, after: map[string]any{"backgroundPosition": "center 20%"},
		},
	}
}

// externalActs apply from URLs with a secret in them.
func (in *instance) externalActs(provider string) []act {
	return []act{
		{
			route: "POST " + metadata + "artist/avatars/apply", do: func() answer {
				return in.send(http.MethodPost, metadata+"artist/avatars/apply",
					map[string]any{"artistId": artistID, "avatarUrl": provider + "/a.jpg?X-Signature=hunter2", "provider": "deezer", "type": "banner"})
			},
			action: "image.apply", subject: anArtist, slot: "banner",
			before: map[string]any{"imageId": nil, "tag": nil, "locked": false, "keptEmpty": false},
			after:  map[string]any{"source": "external", "provider": "deezer", "locked": false},
		},
		{
			route: "POST " + metadata + "album/covers/apply", do: func() answer {
				return in.send(http.MethodPost, metadata+"album/covers/apply",
					map[string]any{"albumId": albumID, "coverUrl": provider + "/ab.jpg?token=hunter2#hunter2", "provider": "discogs"})
			},
			action: "image.apply", subject: anAlbum, slot: "cover",
			before: map[string]any{"imageId": nil}, after: map[string]any{"source": "external", "provider": "discogs"},
		},
		{ // one entry for each image, with the request that has asked for all of them
			route: "POST " + bulkPath + "apply", do: func() answer {
				submitted := in.send(http.MethodPost, bulkPath+"apply", map[string]any{"items": []any{map[string]any{
					"subject": "album", "id": albumID, "type": "cover", "url": provider + "/abc.jpg?token=hunter2", "provider": "discogs",
				}}})
				in.awaitJob(submitted.json(in.t)["jobId"].(string))
				return submitted
			},
			action: "image.apply", subject: anAlbum, slot: "cover",
			before: map[string]any{"provider": "discogs"}, after: map[string]any{"source": "external", "provider": "discogs"},
		},
	}
}

func (in *instance) uploadActs(t *testing.T) []act {
	ids := map[string]string{} // of what was uploaded, by the name in the answer
	upload := func(path, id string, seed int64, fields ...string) func() answer {
		return func() answer {
			a := in.upload(path, musicfixture.Picture(30, 30, seed), fields...)
			require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
			ids[id] = a.json(t)[id].(string)
			return a
		}
	}
	artist, album := metadata+"artist/custom-images/", metadata+"album/custom-covers/"
	return []act{
		{
			route: "POST " + artist + ":id/upload", do: upload(artist+artistID+"/upload", "customImageId", 1, "imageType", "logo"),
			action: "image.upload", subject: anArtist, slot: "logo", after: map[string]any{"source": "custom", "fileName": "picture.jpg"},
		},
		{
			route: "POST " + artist + ":id/apply/:imageId",
			do: func() answer {
				return in.send(http.MethodPost, artist+artistID+"/apply/"+ids["customImageId"], nil)
			},
			action: "image.apply", subject: anArtist, slot: "logo", before: map[string]any{"imageId": nil}, after: map[string]any{"source": "custom"},
		},
		{
			route: "POST " + album + ":id/upload", do: upload(album+albumID+"/upload", "customCoverId", 2),
			action: "image.upload", subject: anAlbum, slot: "cover", after: map[string]any{"source": "custom"},
		},
		{
			route: "POST " + album + ":id/apply/:imageId",
			do: func() answer {
				return in.send(http.MethodPost, album+albumID+"/apply/"+ids["customCoverId"], nil)
			},
			action: "image.apply", subject: anAlbum, slot: "cover", before: map[string]any{"provider": "discogs"}, after: map[string]any{"source": "custom"},
		},
		{
			route: "POST /api/users/avatar",
			do: func() answer {
				return in.upload("/api/users/avatar", musicfixture.Picture(30, 30, 3), "userId", userID)
			},
			action: "image.apply", subject: aUser, slot: "avatar", before: map[string]any{"imageId": nil}, after: map[string]any{"source": "custom"},
		},
	}
}

// slotActs lock, remove and restore, for every kind of subject.
func (in *instance) slotActs(t *testing.T) []act {
	var acts []act
	for kind, c := range map[string]struct {
		id, slot string
		subject  map[string]any
	}{
		"artist": {artistID, "logo", anArtist}, "album": {albumID, "cover", anAlbum}, "user": {userID, "avatar", aUser},
	} {
		path, route := metadata+kind+"/"+c.id, metadata+kind+"/:id"
		lock := func(locked bool) func() answer {
			return func() answer {
				return in.send(http.MethodPut, path+"/lock", map[string]any{"type": c.slot, "locked": locked})
			}
		}
		restore := func() answer {
			history := in.send(http.MethodGet, path+"/history", nil).json(t)["history"].([]any)
			first := history[len(history)-1].(map[string]any)
			return in.send(http.MethodPost, path+"/restore", map[string]any{"type": first["type"], "imageId": first["imageId"]})
		}
		acts = append(acts,
			act{
				route: "PUT " + route + "/lock", do: lock(true), action: "image.lock", subject: c.subject, slot: c.slot,
				before: map[string]any{"locked": false, "source": "custom"}, after: map[string]any{"locked": true, "source": "custom"},
			},
			act{
				route: "PUT " + route + "/focal-point",
				do: func() answer {
					return in.send(http.MethodPut, path+"/focal-point", map[string]any{"type": c.slot, "x": 0.25, "y": 0.5})
				},
				action: "image.focus", subject: c.subject, slot: c.slot,
				before: map[string]any{"focalPoint": nil}, after: map[string]any{"focalPoint": map[string]any{"x": 0.25, "y": 0.5}},
			},
			act{
				route: "DELETE " + route + "/images/:type",
				do: func() answer {
					return in.send(http.MethodDelete, path+"/images/"+c.slot+"?keepEmpty=true", nil)
				},
				action: "image.remove", subject: c.subject, slot: c.slot,
				before: map[string]any{"source": "custom", "keptEmpty": false}, after: map[string]any{"imageId": nil, "keptEmpty": true, "locked": true},
			},
			act{
				route: "PUT " + route + "/lock", do: lock(false), action: "image.unlock", subject: c.subject, slot: c.slot,
				before: map[string]any{"locked": true}, after: map[string]any{"locked": false, "keptEmpty": true},
			})
		restored := act{
			route: "POST " + route + "/restore", do: restore, action: "image.restore", subject: c.subject, slot: c.slot,
			before: map[string]any{"imageId": nil, "keptEmpty": true}, after: map[string]any{"keptEmpty": false},
		}
		if kind == "artist" { // what was in force first is in another slot, and is in force still
			restored.do = func() answer {
				history := in.send(http.MethodGet, path+"/history", nil).json(t)["history"].([]any)
				for _, entry := range history {
					if e := entry.(map[string]any); e["type"] == c.slot {
						return in.send(http.MethodPost, path+"/restore", map[string]any{"type": c.slot, "imageId": e["imageId"]})
					}
				}
				t.Fatal("the slot was never filled")
				return answer{}
			}
		}
		acts = append(acts, restored)
	}
	return acts
}

// goneActs take back and forget a picture that is brought first.
func (in *instance) goneActs(t *testing.T) []act {
	seed, image := int64(100), ""
	bring := map[string]func(){
		"artist": func() { applyUploaded(t, in, "logo", musicfixture.Picture(30, 30, seed)) },
		"album":  func() { applyCover(t, in, musicfixture.Picture(30, 30, seed)) },
		"user":   func() { in.upload("/api/users/avatar", musicfixture.Picture(30, 30, seed), "userId", userID) },
	}
	remove := func(path string) answer { return in.send(http.MethodDelete, path, nil) }
	// prepared brings a picture of the kind, and notes its ID.
	prepared := func(kind, path string) {
		seed++
		bring[kind]()
		image = in.send(http.MethodGet, path+"/history", nil).json(t)["history"].([]any)[0].(map[string]any)["imageId"].(string)
	}
	acts := []act{{
		route: "DELETE /api/users/avatar", prepare: func() { prepared("user", metadata+"user/"+userID) },
		do:     func() answer { return remove("/api/users/avatar?userId=" + userID) },
		action: "image.remove", subject: aUser, slot: "avatar", before: map[string]any{"source": "custom"}, after: map[string]any{"imageId": nil},
	}}
	for _, c := range []struct {
		kind, id, slot, uploads string
		subject                 map[string]any
	}{
		{"artist", artistID, "logo", "artist/custom-images/", anArtist}, {"album", albumID, "cover", "album/custom-covers/", anAlbum},
		{"user", userID, "avatar", "", aUser},
	} {
		path, route := metadata+c.kind+"/"+c.id, metadata+c.kind+"/:id"
		if c.uploads != "" {
			acts = append(acts, act{
				route: "DELETE " + metadata + c.uploads + ":id/:imageId", prepare: func() { prepared(c.kind, path) }, gone: true,
				do:     func() answer { return remove(metadata + c.uploads + c.id + "/" + image) },
				action: "image.withdraw", subject: c.subject, slot: c.slot, before: map[string]any{"source": "custom"}, after: map[string]any{"locked": false},
			})
		}
		acts = append(acts,
			act{
				route: "DELETE " + route + "/images/:type/history/:imageId", prepare: func() { prepared(c.kind, path) }, gone: true,
				do:     func() answer { return remove(path + "/images/" + c.slot + "/history/" + image) },
				action: "image.purge", subject: c.subject, slot: c.slot, before: map[string]any{"source": "custom"}, after: map[string]any{"purgedImages": 1.0},
			},
			act{
				route: "DELETE " + route + "/history",
				prepare: func() {
					remove(path + "/history") // each slot is an activity of its own
					prepared(c.kind, path)
				},
				do:     func() answer { return remove(path + "/history") },
				action: "image.purge", subject: c.subject, slot: c.slot,
				before: map[string]any{"source": "custom"}, after: map[string]any{"imageId": nil, "purgedImages": 1.0},
			})
	}
	return acts
}

// fillActs begin a dry run, carry it out, and then tell a job what to do that stands
// still.
func (in *instance) fillActs(fixture *providerfixture.Server) []act {
	preview, job := "", ""
	dryRun := map[string]any{"type": "cover", "dryRun": true, "minScore": 0.1, "again": true}
	empty := func() { in.send(http.MethodDelete, metadata+"album/"+albumID+"/history", nil) }
	order := func(verb string, before func()) act {
		return act{
			route: "POST " + fillPath + "/:jobId/" + verb, prepare: before, action: "fill." + verb, slot: "cover",
			do:    func() answer { return in.send(http.MethodPost, fillPath+"/"+job+"/"+verb, nil) },
			after: map[string]any{"dryRun": true},
		}
	}
	return []act{
		{
			route: "POST " + fillPath,
			prepare: func() {
				empty()
				in.send(http.MethodPut, "/api/albums/"+albumID, map[string]any{"name": "Uno", "artistId": artistID, "year": 1999, "mbzAlbumId": mbid})
			},
			do: func() answer {
				a := in.send(http.MethodPost, fillPath, dryRun)
				preview = in.acceptedFill(a)
				return a
			},
			action: "fill.start", slot: "cover", after: map[string]any{"dryRun": true, "minScore": 0.1, "total": 1.0}, repeated: true,
		},
		{
			route: "POST " + fillPath + "/:jobId/apply", prepare: func() { in.awaitFill(preview, "done") },
			do: func() answer {
				a := in.send(http.MethodPost, fillPath+"/"+preview+"/apply", map[string]any{"only": []string{albumID}})
				in.awaitFill(in.acceptedFill(a), "done")
				return a
			},
			action: "fill.start", slot: "cover", after: map[string]any{"dryRun": false}, repeated: true,
		},
		order("pause", func() {
			fixture.Script(providerfixture.CoverArtArchive, providerfixture.Hang)
			empty()
			job = in.acceptedFill(in.send(http.MethodPost, fillPath, dryRun))
		}),
		order("resume", nil), order("cancel", nil),
	}
}

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	parsed, err := url.Parse(raw)
	require.NoError(t, err)
	return parsed.Host
}

func (in *instance) cacheActs() []act {
	post := func(verb string, body map[string]any) func() answer {
		return func() answer { return in.send(http.MethodPost, "/api/admin/cache/"+verb, body) }
	}
	warm := func() answer {
		for begin := time.Now(); ; { // the instance may still do it by itself, because it has just started
			if a := post("warm", nil)(); a.StatusCode != http.StatusConflict || time.Since(begin) > 30*time.Second {
				return a
			}
		}
	}
	return []act{
		{
			route: "POST /api/admin/cache/invalidate", do: post("invalidate", map[string]any{"albumId": albumID}), action: "cache.invalidate",
			subject: map[string]any{"kind": "album", "id": albumID}, repeated: true,
		},
		{route: "POST /api/admin/cache/flush", do: post("flush", nil), action: "cache.flush", after: map[string]any{}, repeated: true},
		{route: "POST /api/admin/cache/warm", do: warm, action: "cache.warm", after: map[string]any{"complete": true, "failed": 0.0}, repeated: true},
		{
			route: "PUT /api/admin/cache/mode",
			do: func() answer {
				return in.send(http.MethodPut, "/api/admin/cache/mode", map[string]any{"cacheTtl": "120s"})
			},
			action: "cache.mode", before: map[string]any{"cacheTtl": "300s"}, after: map[string]any{"cacheTtl": "120s"},
		},
	}
}

// accountActs decide who gets in.
func (in *instance) accountActs(t *testing.T) []act {
	_, err := in.server.CreateToken(t.Context(), accesstoken.CreateIn{Name: "to revoke", Scope: accesstoken.Write})
	require.NoError(t, err)
	tokens, err := in.server.ListTokens(t.Context())
	require.NoError(t, err)
	token := tokens[len(tokens)-1].ID.String()
	user := "/api/users/" + userID
	return []act{
		{
			route: "PUT /api/users/:id/password",
			do: func() answer {
				return in.send(http.MethodPut, user+"/password", map[string]any{"password": "hunter2 hunter2"})
			},
			action: "user.password", subject: aUser, after: map[string]any{"password": true}, before: map[string]any{}, repeated: true,
		},
		{
			route: "PUT /api/users/:id/disabled",
			do: func() answer {
				return in.send(http.MethodPut, user+"/disabled", map[string]any{"disabled": true})
			},
			action: "user.disable", subject: aUser, before: map[string]any{"disabled": false}, after: map[string]any{"disabled": true},
		},
		{
			route: "PUT /api/users/:id/disabled",
			do: func() answer {
				return in.send(http.MethodPut, user+"/disabled", map[string]any{"disabled": false})
			},
			action: "user.enable", subject: aUser, before: map[string]any{"disabled": true}, after: map[string]any{"disabled": false},
		},
		{
			route:  "DELETE /api/admin/tokens/:id",
			do:     func() answer { return in.send(http.MethodDelete, "/api/admin/tokens/"+token, nil) },
			action: "token.revoke", subject: map[string]any{"kind": "token", "id": token, "name": "to revoke"},
			before: map[string]any{"name": "to revoke", "scope": "write"}, gone: true,
		},
	}
}

func (in *instance) settingsActs() []act {
	const route, path = "/api/admin/settings/providers/:provider", "/api/admin/settings/providers/discogs"
	subject := map[string]any{"kind": "provider", "name": "discogs"}
	return []act{
		{
			route: "PATCH " + route,
			do: func() answer {
				return in.send(http.MethodPatch, path, map[string]any{"key": "hunter2", "enabled": false})
			},
			action: "settings.update", subject: subject, before: map[string]any{}, after: map[string]any{"enabled": false, "key": "[secret]"},
		},
		{
			route: "DELETE " + route, do: func() answer { return in.send(http.MethodDelete, path, nil) },
			action: "settings.reset", subject: subject, before: map[string]any{"enabled": false, "key": "[secret]"}, after: map[string]any{},
		},
		{
			route: "PUT " + orderPath,
			do: func() answer {
				return in.send(http.MethodPut, orderPath, map[string]any{"providers": []string{"deezer", "fanarttv"}})
			},
			action: "settings.update", subject: map[string]any{"kind": "provider", "name": "order"}, before: map[string]any{}, after: map[string]any{"order": "deezer,fanarttv"},
		},
		{
			route: "DELETE " + orderPath, do: func() answer { return in.send(http.MethodDelete, orderPath, nil) },
			action: "settings.reset", subject: map[string]any{"kind": "provider", "name": "order"}, before: map[string]any{"order": "deezer,fanarttv"}, after: map[string]any{},
		},
	}
}

// commandLine has what each verb of the command line is told of; "" for those that
// only look.
var commandLine = map[string]string{
	"Import": "library.import", "CreateToken": "token.create", "InvalidateCache": "cache.invalidate", "FlushCache": "cache.flush",
	"SwitchCache": "cache.mode", "WarmCache": "cache.warm",
	"StartFill": "fill.start", "ApplyFill": "fill.start", "OrderFill": "fill.cancel",
	"RevokeToken": "token.revoke", "CreateUser": "catalog.create", "SetPassword": "user.password", "SetDisabled": "user.disable",
	"DeleteUser": "catalog.delete", "RestoreUser": "catalog.restore", "DeletedUsers": "", "RenderAll": "", "LogLevel": "", "SetLogLevel": "",
	"CacheStats": "", "CacheSettings": "", "ListTokens": "", "ListUsers": "", "FindFill": "", "ListFills": "", "FillItems": "",
}

// TestWhatTheCommandLineChangesIsInTheActivityLog, whether a server carries it out
// or there is none.
func TestWhatTheCommandLineChangesIsInTheActivityLog(t *testing.T) {
	t.Parallel()
	for verb := range reflect.TypeFor[control.Verbs]().Methods() {
		require.Contains(t, commandLine, verb.Name, "a new verb: say what the activity log is told of it")
	}
	d, _ := filling(t, warming(combinations["memory and SQLite"](t)))
	code, stdout, stderr := gatefold(t, d, "token", "create", "--scope", "read", "--name", "beside nothing")
	require.Zero(t, code, stderr)
	in := d.start(t)
	music := t.TempDir()
	musicfixture.Write(t, music, musicfixture.Track{Path: "Sol/Mar/01.opus", Album: "Mar", AlbumArtist: "Sol", Artist: "Sol"})
	write(t, music+"/Sol/Mar/cover.png", musicfixture.Picture(40, 40, 1))
	for _, args := range [][]string{
		{"import", music}, {"token", "create", "--scope", "write", "--name", "beside a server"},
		{"cache", "invalidate", "album", albumID}, {"cache", "flush"}, {"cache", "mode", "--cache-ttl", "120s"}, {"cache", "stats"}, {"cache", "mode"},
	} {
		code, _, stderr := gatefold(t, d, args...)
		require.Zero(t, code, "%s: %s", args, stderr)
	}
	tokens, err := in.server.ListTokens(t.Context())
	require.NoError(t, err)
	for _, args := range [][]string{{"user", "create", "ana"}, {"user", "passwd", "ana"}, {"user", "disable", "ana"}, {"token", "revoke", tokens[0].ID.String()}} {
		code, _, stderr := gatefoldWith(t, d, aPassword, args...)
		require.Zero(t, code, "%s: %s", args, stderr)
	}
	ana := in.send(http.MethodGet, "/api/users?query=ana", nil).json(t)["items"].([]any)[0].(map[string]any)["id"].(string)
	for _, args := range [][]string{{"user", "delete", "ana"}, {"user", "deleted"}, {"user", "restore", ana}, {"render", "--all"}} {
		code, _, stderr := gatefold(t, d, args...)
		require.Zero(t, code, "%s: %s", args, stderr)
	}
	require.Eventually(t, func() bool {
		code, _, _ := gatefold(t, d, "cache", "warm")
		return code == 0 // and not 1, because the instance does it by itself
	}, 30*time.Second, time.Millisecond)

	code, _, stderr = gatefold(t, d, "fill", "--missing", "profile")
	require.Equal(t, 1, code, "no provider has any: %s", stderr)
	job := in.send(http.MethodGet, fillPath, nil).json(t)["jobs"].([]any)[0].(map[string]any)["jobId"].(string)
	code, _, stderr = gatefold(t, d, "fill", "cancel", job)
	require.Zero(t, code, stderr)

	found := in.activity("&actor=" + url.QueryEscape("command line"))
	told := map[string]int{}
	for _, entry := range found {
		told[entry["action"].(string)]++
		require.NotContains(t, entry, "address")
		require.NotContains(t, entry, "actorId")
	}
	require.Equal(t, map[string]int{
		"library.import": 1, "token.create": 3, "cache.invalidate": 1, "cache.flush": 1, "cache.mode": 1, "cache.warm": 1,
		"fill.start": 1, "fill.cancel": 1,
		"catalog.create": 1, "user.password": 2, "user.disable": 1, "token.revoke": 1,
		"catalog.delete": 1, "catalog.restore": 1,
	}, told, "two tokens by commands, one by the test itself")
	for _, action := range commandLine {
		if action != "" {
			require.Positive(t, told[action], action)
		}
	}
	created := in.activity("&action=token.create&subject=token")
	require.Equal(t, map[string]any{"name": "beside nothing", "scope": "read"}, created[2]["after"])
	require.Equal(t, "beside a server", created[0]["subject"].(map[string]any)["name"])
	require.NotContains(t, fmt.Sprint(created), strings.TrimSpace(stdout), "the secret is in the activity log")
	imported := in.activity("&action=library")[0]
	require.Equal(t, map[string]any{"kind": "library", "name": music}, imported["subject"])
	requireFacts(t, "import", map[string]any{"audioFiles": 1.0, "newAlbums": 1.0, "newImages": 1.0, "complete": true}, imported["after"])
	require.Empty(t, in.activity("&action=image"), "what an import applies is not each an activity")
}

func TestRefusedRequestsAreNoActivity(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Refused")
		in.putAlbum(albumID, artistID, "Always")
		applyCover(t, in, musicfixture.Picture(30, 30, 1))
		before := in.activity("")
		writer, err := in.server.CreateToken(t.Context(), accesstoken.CreateIn{Name: "writer", Scope: accesstoken.Write})
		require.NoError(t, err)
		admin := metadata + "album/" + albumID
		for _, c := range []struct {
			token, method, path string
			body                any
			status              int
		}{
			{"none", http.MethodPost, "/api/admin/cache/flush", nil, http.StatusUnauthorized},
			{writer, http.MethodPost, "/api/admin/cache/flush", nil, http.StatusForbidden},
			{writer, http.MethodGet, "/api/admin/activity", nil, http.StatusForbidden},
			{writer, http.MethodPut, "/api/users/" + userID, map[string]any{"username": "eve"}, http.StatusForbidden},
			{writer, http.MethodPut, "/api/artists/" + artistID, map[string]any{"name": ""}, http.StatusBadRequest},
			{writer, http.MethodPut, admin + "/lock", map[string]any{"type": "cover", "locked": "yes"}, http.StatusBadRequest},
			{writer, http.MethodPost, admin + "/restore", map[string]any{"type": "cover", "imageId": artistID}, http.StatusNotFound},
			{writer, http.MethodDelete, metadata + "album/" + artistID + "/images/cover", nil, http.StatusNotFound},
			{writer, http.MethodPost, metadata + "album/covers/apply", map[string]any{"albumId": albumID, "coverUrl": "http://127.0.0.1:1/", "provider": "x"}, http.StatusUnprocessableEntity},
			{in.token, http.MethodPut, "/api/admin/cache/mode", map[string]any{"mode": "memory", "cacheTtl": "1ms"}, http.StatusBadRequest},
			{in.token, http.MethodPost, "/api/admin/cache/invalidate", map[string]any{}, http.StatusBadRequest},
			{in.token, http.MethodPost, "/api/admin/cache/warm", nil, http.StatusConflict},
		} {
			other := *in
			other.token = c.token
			require.Equal(t, c.status, other.send(c.method, c.path, c.body).StatusCode, "%s %s", c.method, c.path)
		}
		a := in.do(http.MethodDelete, admin+"/images/cover", nil, "Authorization", "Bearer "+in.token, "If-Match", `"0000000000000000"`)
		require.Equal(t, http.StatusPreconditionFailed, a.StatusCode)
		_, err = in.server.Import(t.Context(), t.TempDir()+"/nothing", ignored{})
		require.Error(t, err)
		after := in.activity("")
		require.Equal(t, "token.create", after[0]["action"])
		require.Equal(t, before, after[1:])
	})
}

// TestActivityOfEveryInstance: one log, in the order in which things were done.
func TestActivityOfEveryInstance(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		fleet := []*instance{in}
		if d.shared {
			fleet = append(fleet, d.start(t), d.start(t))
		}
		var want []string
		for n := range 9 {
			name := fmt.Sprint("Name ", n)
			a := fleet[n%len(fleet)].send(http.MethodPut, "/api/artists/"+artistID, map[string]any{"name": name})
			require.Less(t, a.StatusCode, 300)
			want = append([]string{name}, want...)
		}
		for _, in := range fleet {
			var names []string
			for _, entry := range in.activity("&subject=artist&id=" + artistID) {
				names = append(names, entry["after"].(map[string]any)["name"].(string))
			}
			require.Equal(t, want, names)
		}
	})
}

func TestActivityPagesAndFilters(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putArtist(artistID, "Someone")
	in.putAlbum(albumID, artistID, "Something")
	for n := range 7 {
		applyCover(t, in, musicfixture.Picture(20, 20, int64(n)))
	}
	all := in.activity("")
	require.Len(t, all, 1+2+14)

	var met []map[string]any
	page := in.send(http.MethodGet, "/api/admin/activity?pageSize=5", nil).json(t)
	for {
		for _, item := range page["items"].([]any) {
			met = append(met, item.(map[string]any))
		}
		next, more := page["next"].(float64)
		if !more {
			break
		}
		require.Equal(t, met[len(met)-1]["id"], next)
		require.Less(t, in.send(http.MethodPut, "/api/artists/"+artistID, map[string]any{"name": fmt.Sprint("Renamed ", next)}).StatusCode, 300)
		page = in.send(http.MethodGet, fmt.Sprintf("/api/admin/activity?pageSize=5&before=%.0f", next), nil).json(t)
	}
	require.Equal(t, all, met, "what was added meanwhile moves nothing")

	at := func(n int, offset time.Duration) string {
		moment, err := time.Parse(time.RFC3339Nano, all[n]["at"].(string))
		require.NoError(t, err)
		return url.QueryEscape(moment.Add(offset).In(time.FixedZone("", 7200)).Format(time.RFC3339Nano))
	}
	window := "&since=" + at(9, 0) + "&until=" + at(4, time.Microsecond)
	for query, want := range map[string][]map[string]any{
		window:                       all[4:10],
		window + "&action=image":     all[4:10],
		window + "&actor=test":       all[4:10],
		window + "&actor=tes":        {},
		"&action=token&subject=user": {},
		"&id=" + albumID + "&until=" + at(13, time.Microsecond): all[13:15],
	} {
		require.Equal(t, want, in.activity(query), query)
	}
	for _, entry := range in.activity("&action=image.upload&subject=album&id=" + albumID) {
		require.Equal(t, "image.upload", entry["action"])
	}

	head := in.do(http.MethodHead, "/api/admin/activity", nil, "Authorization", "Bearer "+in.token)
	require.Equal(t, http.StatusOK, head.StatusCode)
	require.Empty(t, head.body)
}

// TestMalformedActivityFilters: each is refused by its name.
func TestMalformedActivityFilters(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	for _, query := range []string{
		"actor=", "actor=%00", "actor=%ff", "action=", "action=Image", "action=image.", "action=a.b.c", "action=image%25",
		"subject=", "subject=label", "subject=artists", "id=", "id=7", "id=" + strings.ReplaceAll(artistID, "-", ""),
		"since=", "since=yesterday", "since=2026-01-31", "since=2026-01-31T00:00:00", "since=2026-02-30T00:00:00Z", "since=2026-01-31T00:00:00+01:00",
		"since=0001-01-01T00:00:00Z", "until=1700000000", "until=2026-01-31T24:00:00Z", "until=2026-01-01T00:00:00Z&since=2026-01-02T00:00:00Z",
		"before=", "before=0", "before=-1", "before=1.5", "before=9223372036854775808", "pageSize=", "pageSize=0", "pageSize=201", "pageSize=many",
		"page=1", "offset=1", "Actor=ana", "action=image&action=cache", "total=true",
	} {
		a := in.send(http.MethodGet, "/api/admin/activity?"+query, nil)
		requireProblem(t, a, http.StatusBadRequest, "invalid_input")
		name, _, _ := strings.Cut(query, "=")
		require.Contains(t, a.json(t)["detail"], name, query)
	}
	require.Len(t, in.activity("&since=2026-01-31T00:00:00%2B01:00"), 1, "an offset that is written as it must be")
}

// TestWhoseWordIsTakenForAnAddress: only that of the proxies that are named.
func TestWhoseWordIsTakenForAnAddress(t *testing.T) {
	for name, c := range map[string]struct {
		trusted string
		header  []string
		want    string
	}{
		"nobody is trusted":                      {"", []string{"X-Forwarded-For", "203.0.113.7"}, "127.0.0.1"},
		"another proxy is trusted":               {"10.0.0.0/8", []string{"X-Forwarded-For", "203.0.113.7"}, "127.0.0.1"},
		"the proxy is trusted":                   {"10.0.0.0/8,127.0.0.1", []string{"X-Forwarded-For", "203.0.113.7"}, "203.0.113.7"},
		"a client adds what it likes":            {"127.0.0.0/8", []string{"X-Forwarded-For", "198.51.100.1, 203.0.113.7"}, "203.0.113.7"},
		"two proxies":                            {"127.0.0.1,10.0.0.0/8", []string{"X-Forwarded-For", "198.51.100.1, 203.0.113.7, 10.1.2.3"}, "203.0.113.7"},
		"no address":                             {"127.0.0.1", []string{"X-Forwarded-For", "<script>"}, "127.0.0.1"},
		"the proxy says nothing":                 {"127.0.0.1", nil, "127.0.0.1"},
		"a header that proxies pass on":          {"127.0.0.1", []string{"X-Real-Ip", "203.0.113.7"}, "127.0.0.1"},
		"another header that proxies pass on":    {"127.0.0.1", []string{"Forwarded", "for=203.0.113.7"}, "127.0.0.1"},
		"an address that is written in two ways": {"127.0.0.1", []string{"X-Forwarded-For", "::ffff:203.0.113.7"}, "203.0.113.7"},
		"IPv6":                                   {"127.0.0.1", []string{"X-Forwarded-For", "2001:DB8:0:0::7"}, "2001:db8::7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := combinations["memory and SQLite"](t).start(t, "TRUSTED_PROXIES="+c.trusted)
			header := append([]string{"Authorization", "Bearer " + in.token}, c.header...)
			a := in.do(http.MethodPut, "/api/artists/"+artistID, strings.NewReader(`{"name":"Someone"}`), header...)
			require.Equal(t, http.StatusCreated, a.StatusCode, string(a.body))
			require.Equal(t, c.want, in.activity("")[0]["address"])
		})
	}
}

// TestAProxyThatAddsALineOfItsOwn: what a client has put into an earlier one is not
// taken for what the proxy says.
func TestAProxyThatAddsALineOfItsOwn(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t, "TRUSTED_PROXIES=127.0.0.1")
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPut, in.base+"/api/artists/"+artistID, strings.NewReader(`{"name":"Someone"}`))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+in.token)
	req.Header["X-Forwarded-For"] = []string{"198.51.100.1", "203.0.113.7"}
	resp, err := transport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "203.0.113.7", in.activity("")[0]["address"])
}
