package crash

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/crashpoint"
	"gatefold/test/musicfixture"
)

// operation is something that a server does, and that it may end in the midst of.
type operation struct {
	name    string
	points  []point
	prepare func(*fleet) trial
}

var operations = []operation{
	{"apply", pointsOfApply, prepareApply},
	{"avatar", pointsOfAvatar, prepareAvatar},
	{"upload", pointsOfUpload, prepareUpload},
	{"import", pointsOfImport, prepareImport},
}

// trial is an operation on places of its own, in which older images are in force.
type trial struct {
	f      *fleet
	places []place
	// attempt carries it out with a victim that ends at the point; its error is
	// what whoever asked for it was told.
	attempt func(point) error
	// repeat carries it out to its end.
	repeat func()
}

// place is where an image is.
type place struct {
	image, admin string // paths: of the image, and of what is known of it
	older, newer int64  // the same number: the newer one does not take force
}

func (p place) number(newer bool) int64 {
	if newer {
		return p.newer
	}
	return p.older
}

// numbers returns the numbers of two pictures that nobody has seen.
func (f *fleet) numbers() (older, newer int64) {
	f.next += 2
	return f.next - 1, f.next
}

func (f *fleet) newAlbum() string {
	id := artwork.NewID().String()
	f.put("/api/albums/"+id, map[string]any{"name": "Album " + id, "artistId": artist})
	return id
}

func albumPlace(id string, older, newer int64) place {
	return place{image: "/api/images/albums/" + id + "/cover", admin: "/api/admin/metadata/album/" + id, older: older, newer: newer}
}

func prepareApply(f *fleet) trial {
	older, newer := f.numbers()
	id := f.newAlbum()
	apply := func(from string) error {
		r, err := f.ask(f.victim, http.MethodPost, "/api/admin/metadata/album/covers/apply", "application/json",
			asJSON(map[string]any{"albumId": id, "coverUrl": from, "provider": "deezer"}))
		if err != nil {
			return err
		}
		return r.statusError()
	}
	require.NoError(f.t, apply(f.provider.whole(older)))
	return trial{
		f: f, places: []place{albumPlace(id, older, newer)},
		attempt: func(p point) error {
			if p != crashpoint.Downloading {
				return apply(f.provider.whole(newer))
			}
			killed := make(chan error, 1)
			go func() {
				<-f.provider.halfSent
				killed <- f.victim.cmd.Process.Kill()
			}()
			err := apply(f.provider.half(newer))
			require.NoError(f.t, <-killed)
			return err
		},
		repeat: func() { require.NoError(f.t, apply(f.provider.whole(newer))) },
	}
}

func prepareAvatar(f *fleet) trial {
	older, newer := f.numbers()
	id := artwork.NewID().String()
	f.put("/api/users/"+id, map[string]any{"username": id})
	upload := uploading(f, "/api/users/avatar", "userId", id)
	require.NoError(f.t, upload(older))
	return trial{
		f: f, places: []place{{image: "/api/images/users/" + id + "/avatar", admin: "/api/admin/metadata/user/" + id, older: older, newer: newer}},
		attempt: brokenUpload(f, upload, newer, "/api/users/avatar", "userId", id),
		repeat:  func() { require.NoError(f.t, upload(newer)) },
	}
}

// prepareUpload uploads a picture that does not take force.
func prepareUpload(f *fleet) trial {
	older, newer := f.numbers()
	id := f.newAlbum()
	folder := "/api/admin/metadata/album/custom-covers/" + id
	upload := uploading(f, folder+"/upload")
	require.NoError(f.t, upload(older))
	requireKnown := func(n int) []any {
		known := f.get(f.victim, folder).json(f.t)["customCovers"].([]any)
		require.Len(f.t, known, n)
		return known
	}
	first := requireKnown(1)[0].(map[string]any)["id"].(string)
	applied, err := f.ask(f.victim, http.MethodPost, folder+"/apply/"+first, "", nil)
	require.NoError(f.t, err)
	require.NoError(f.t, applied.statusError())
	return trial{
		f: f, places: []place{albumPlace(id, older, older)},
		attempt: brokenUpload(f, upload, newer, folder+"/upload"),
		repeat: func() {
			requireKnown(1)
			require.NoError(f.t, upload(newer))
			requireKnown(2)
		},
	}
}

// form returns a multipart body of a picture and fields.
func form(n int64, fields ...string) (contentType string, body *bytes.Buffer) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for i := 0; i < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1]) // memory does not refuse a write
	}
	part, _ := w.CreateFormFile("file", "cover.jpg")
	_, _ = part.Write(picture(n))
	_ = w.Close()
	return w.FormDataContentType(), body
}

// uploading returns what uploads a picture.
func uploading(f *fleet, path string, fields ...string) func(n int64) error {
	return func(n int64) error {
		contentType, body := form(n, fields...)
		r, err := f.ask(f.victim, http.MethodPost, path, contentType, body)
		if err != nil {
			return err
		}
		return r.statusError()
	}
}

// brokenUpload returns an attempt that uploads the picture, to a victim that ends
// at a point of its own or when it has read a part.
func brokenUpload(f *fleet, upload func(int64) error, n int64, path string, fields ...string) func(point) error {
	return func(p point) error {
		if p != crashpoint.HalfSent {
			return upload(n)
		}
		contentType, body := form(n, fields...)
		return f.sendHalf(path, contentType, body.Bytes())
	}
}

// sendHalf sends a half of a body to a victim that has begun to read it, and kills
// it.
func (f *fleet) sendHalf(path, contentType string, body []byte) error {
	reader, writer := io.Pipe()
	killed := make(chan error, 1)
	trace := &httptrace.ClientTrace{Got100Continue: func() {
		go func() {
			_, err := writer.Write(body[:len(body)/2])
			killed <- firstOf(err, f.victim.cmd.Process.Kill())
			_ = writer.Close()
		}()
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(f.t.Context(), trace), http.MethodPost, f.victim.base+path, reader)
	require.NoError(f.t, err)
	req.ContentLength = int64(len(body))
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Expect", "100-continue")
	resp, err := (&http.Transport{ExpectContinueTimeout: patience}).RoundTrip(req)
	if err == nil {
		return firstOf(resp.Body.Close())
	}
	require.NoError(f.t, <-killed)
	return err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// albumsOfImport is how many covers one import changes, under one fence.
const albumsOfImport = 3

func prepareImport(f *fleet) trial {
	music := f.t.TempDir()
	name := "Import " + artwork.NewID().String()
	tr := trial{f: f, attempt: func(point) error {
		_, err := f.try("import", music)
		return err
	}, repeat: func() { f.verb("import", music) }}
	covers := map[string]int64{}
	for i := range albumsOfImport {
		older, newer := f.numbers()
		album := fmt.Sprintf("%s %d", name, i)
		folder := filepath.Join(music, album)
		musicfixture.Write(f.t, music, musicfixture.Track{Path: album + "/01.opus", Album: album, AlbumArtist: name, Artist: name})
		require.NoError(f.t, os.WriteFile(filepath.Join(folder, "cover.jpg"), picture(older), 0o600))
		covers[filepath.Join(folder, "cover.jpg")] = newer
		tr.places = append(tr.places, place{older: older, newer: newer})
	}
	f.verb("import", music)
	for i := range tr.places {
		album := fmt.Sprintf("%s %d", name, i)
		found := f.get(f.victim, "/api/albums?query="+url.QueryEscape(album)).json(f.t)["items"].([]any)
		require.NotEmpty(f.t, found)
		best := found[0].(map[string]any) // one digit is in the names of others too
		require.Equal(f.t, album, best["name"])
		tr.places[i] = albumPlace(best["id"].(string), tr.places[i].older, tr.places[i].newer)
	}
	for path, newer := range covers {
		require.NoError(f.t, os.WriteFile(path, picture(newer), 0o600))
	}
	return tr
}
