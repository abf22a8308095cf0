package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	neturl "net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/contract"
	"gatefold/test/musicfixture"
)

// verdict is what is answered: a status and the type of the problem, which is empty
// if what came is accepted.
type verdict struct {
	status  int
	problem string
}

var (
	malformed   = verdict{http.StatusBadRequest, "invalid_input"}
	notFound    = verdict{http.StatusNotFound, "not_found"}
	tooLarge    = verdict{http.StatusRequestEntityTooLarge, "too_large"}
	forbidden   = verdict{http.StatusUnprocessableEntity, "forbidden_url"}
	unsupported = verdict{http.StatusUnprocessableEntity, "unsupported_image"}
	corrupt     = verdict{http.StatusUnprocessableEntity, "corrupt_image"}
	tooManyPx   = verdict{http.StatusUnprocessableEntity, "image_too_large"}
	failed      = verdict{http.StatusBadGateway, "download_failed"}
	accepted    = verdict{http.StatusCreated, ""}
	uploaded    = verdict{http.StatusOK, ""}
)

// attempt is something that a stranger tries on a place of its own, in which an
// image is in force.
type attempt struct {
	name string
	kind artwork.SubjectKind
	send func(target) answer
	want verdict
	// serves is what is in force afterwards; nil: what was.
	serves []byte
	// stores is what is kept besides.
	stores []byte
}

// target is the place that an attempt is for.
type target struct {
	*instance
	t     *testing.T
	kind  artwork.SubjectKind
	id    string
	image string // the path that the image in force is served at
	tag   string
}

// before is what is in force before every attempt.
var before = musicfixture.Picture(40, 40, 1)

// TestHostileInputs: whatever comes in, it is answered as the contract says, and
// unless it is sound it changes nothing: not what is in force, not what is known
// of the place, and not what the store holds.
func TestHostileInputs(t *testing.T) {
	dir := t.TempDir()
	tryAll(t, deployment{environ: []string{"DATA_DIR=" + dir}}, dir, func(all []attempt) []attempt {
		require.Greater(t, len(all), 400)
		return all
	})
}

// TestHostileInputsWithServers tries some of them where nothing is embedded: what
// is refused does not depend on that.
func TestHostileInputsWithServers(t *testing.T) {
	dir := t.TempDir()
	d := sharedDeployment(t, "IMAGE_CACHE=redis", "DATA_DIR="+dir)
	tryAll(t, d, dir, func(all []attempt) (some []attempt) {
		slices.SortFunc(all, func(a, b attempt) int { return strings.Compare(a.name, b.name) })
		for i := 0; i < len(all); i += 8 {
			some = append(some, all[i])
		}
		return some
	})
}

// tryAll tries the chosen attempts on a deployment that keeps its data in dir.
func tryAll(t *testing.T, d deployment, dir string, chosen func([]attempt) []attempt) {
	t.Helper()
	stranger := newStranger(t)
	in := d.startWith(t, stranger.between())
	in.putArtist(artistID, "Whose albums they are")
	attempts := chosen(slices.Concat(urlAttempts(stranger), redirectAttempts(stranger), nameAttempts(stranger), answerAttempts(stranger),
		imageAttempts(t, stranger), formAttempts(t)))
	kept := map[string]bool{artwork.HashOf(before).Path(): true}
	t.Run("attempts", func(t *testing.T) {
		for _, a := range attempts {
			kept[artwork.HashOf(a.serves).Path()] = true
			kept[artwork.HashOf(a.stores).Path()] = true
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				a.run(t, in)
			})
		}
	})
	requireStored(t, dir, kept)
}

func (a attempt) run(t *testing.T, in *instance) {
	on := newTarget(t, in, a.kind, artwork.DeriveID("hostile", a.name).String())
	got := a.send(on)
	if a.want.problem != "" {
		requireProblem(t, got, a.want.status, a.want.problem)
	} else {
		require.Equal(t, a.want.status, got.StatusCode, string(got.body))
	}
	if a.serves != nil {
		require.True(t, bytes.Equal(a.serves, in.get(on.image).body), "the bytes as they came")
		return
	}
	on.requireUntouched()
}

// newTarget puts the image in force that has to survive.
func newTarget(t *testing.T, in *instance, kind artwork.SubjectKind, id string) target {
	t.Helper()
	on := target{instance: &instance{t: t, server: in.server, base: in.base, token: in.token, log: in.log}, t: t, kind: kind, id: id}
	var put answer
	switch kind {
	case artwork.AlbumSubject:
		on.putAlbum(id, artistID, "Steady")
		on.image = "/api/images/albums/" + id + "/cover"
		customID := on.upload("/api/admin/metadata/album/custom-covers/"+id+"/upload", before).json(t)["customCoverId"].(string)
		put = on.send(http.MethodPost, "/api/admin/metadata/album/custom-covers/"+id+"/apply/"+customID, nil)
	case artwork.ArtistSubject:
		on.putArtist(id, "Steady "+id)
		on.image = "/api/images/artists/" + id + "/profile"
		customID := on.upload("/api/admin/metadata/artist/custom-images/"+id+"/upload", before, "imageType", "profile").json(t)["customImageId"].(string)
		put = on.send(http.MethodPost, "/api/admin/metadata/artist/custom-images/"+id+"/apply/"+customID, nil)
	case artwork.UserSubject:
		on.putUser(id, id)
		on.image = "/api/images/users/" + id + "/avatar"
		put = on.upload("/api/users/avatar", before, "userId", id)
	}
	on.tag = put.json(t)["tag"].(string)
	return on
}

// requireUntouched checks that the image is in force still, and that nothing else
// is known of the place.
func (on target) requireUntouched() {
	on.t.Helper()
	served := on.get(on.image)
	require.Equal(on.t, http.StatusOK, served.StatusCode)
	require.Equal(on.t, `"`+on.tag+`"`, served.Header.Get("ETag"))
	require.True(on.t, bytes.Equal(before, served.body))
	known := on.send(http.MethodGet, "/api/admin/metadata/"+on.kind.String()+"/"+on.id+"/history", nil).json(on.t)
	require.Len(on.t, known["history"], 1)
	if lists := map[artwork.SubjectKind]string{artwork.AlbumSubject: "album/custom-covers/", artwork.ArtistSubject: "artist/custom-images/"}[on.kind]; lists != "" {
		require.EqualValues(on.t, 1, on.send(http.MethodGet, "/api/admin/metadata/"+lists+on.id, nil).json(on.t)["total"])
	}
}

// requireStored checks that the store holds these files and no others.
func requireStored(t *testing.T, dir string, want map[string]bool) {
	t.Helper()
	for _, part := range []string{"images", "tmp"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(dir, part), func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				stored, relErr := filepath.Rel(dir, path)
				require.NoError(t, relErr)
				require.True(t, want[filepath.ToSlash(stored)], "nobody asked for %s", stored)
			}
			return err
		}))
	}
}

// fromURL applies a URL as the cover of an album.
func fromURL(name, url string, want verdict) attempt {
	return attempt{name: name, want: want, kind: artwork.AlbumSubject, send: func(on target) answer {
		return on.send(http.MethodPost, "/api/admin/metadata/album/covers/apply",
			map[string]any{"albumId": on.id, "coverUrl": url, "provider": "deezer"})
	}}
}

// ofArtist applies a URL as the picture of an artist.
func ofArtist(name, url string, want verdict) attempt {
	return attempt{name: name, want: want, kind: artwork.ArtistSubject, send: func(on target) answer {
		return on.send(http.MethodPost, "/api/admin/metadata/artist/avatars/apply",
			map[string]any{"artistId": on.id, "avatarUrl": url, "provider": "deezer", "type": "profile"})
	}}
}

// asUpload uploads a file for an album.
func asUpload(name string, file []byte, want verdict) attempt {
	return attempt{name: name, want: want, kind: artwork.AlbumSubject, send: func(on target) answer {
		return on.upload("/api/admin/metadata/album/custom-covers/"+on.id+"/upload", file)
	}}
}

// asAvatar uploads a file as the avatar of a user.
func asAvatar(name string, file []byte, want verdict) attempt {
	return attempt{name: name, want: want, kind: artwork.UserSubject, send: func(on target) answer {
		return on.upload("/api/users/avatar", file, "userId", on.id)
	}}
}

// urlAttempts are URLs that are refused for what they are.
func urlAttempts(s *stranger) []attempt {
	_, allowedPort, _ := net.SplitHostPort(s.allowed)
	urls := map[string]string{
		"no URL":              "",
		"no scheme":           "//" + s.allowed + "/cover.jpg",
		"only a path":         "/etc/passwd",
		"file":                "file:///etc/passwd",
		"file on a host":      "file://" + s.allowed + "/etc/passwd",
		"ftp":                 "ftp://" + s.allowed + "/cover.jpg",
		"gopher":              "gopher://" + s.private + "/_GET%20/",
		"data":                "data:image/png;base64,iVBORw0KGgo=",
		"javascript":          "javascript:alert(1)",
		"jar":                 "jar:http://" + s.allowed + "!/cover.jpg",
		"unix socket":         "unix:///var/run/docker.sock",
		"scheme with a space": " http://" + s.allowed + "/",
		"no host":             "http:///cover.jpg",
		"only a port":         "http://:" + allowedPort + "/",
		"opaque":              "http:" + s.allowed,
		"credentials":         "http://user:secret@" + s.allowed + "/cover.jpg",
		"user name":           "http://user@" + s.allowed + "/cover.jpg",
		"host as a user name": "http://" + s.allowed + "@" + s.private + "/",
		"backslash":           `http://` + s.allowed + `\@` + s.private + `/`,
		"port 0":              "http://127.0.0.1:0/",
		"port too large":      "http://127.0.0.1:65536/",
		"port that is none":   "http://127.0.0.1:http/",
		"negative port":       "http://127.0.0.1:-1/",
		"huge":                "http://" + s.allowed + "/" + strings.Repeat("a", 100<<10),
		"newline":             "http://" + s.allowed + "/\r\nX-Injected: 1",
		"NUL":                 "http://" + s.allowed + "/\x00",
		"bad escape":          "http://" + s.allowed + "/%zz",
		"escaped host":        "http://127.0.0.1%00.test/",
	}
	for name, url := range hostileAddresses(s) {
		urls[name] = url
	}
	all := []attempt{ofArtist("URL for an artist: loopback", "http://"+s.private+"/", forbidden), ofArtist("URL for an artist: file", "file:///etc/passwd", forbidden)}
	for name, url := range urls {
		all = append(all, fromURL("URL: "+name, url, forbidden))
	}
	return all
}

// hostileAddresses are URLs of addresses that are not public, however they are
// written.
func hostileAddresses(s *stranger) map[string]string {
	_, port, _ := net.SplitHostPort(s.private)
	_, allowedPort, _ := net.SplitHostPort(s.allowed)
	return map[string]string{
		"loopback":                  "http://" + s.private + "/",
		"loopback over TLS":         "https://" + s.private + "/",
		"loopback, another":         "http://127.255.255.254:" + port + "/",
		"allowed, another port":     "http://127.0.0.1:1/cover.jpg",
		"decimal":                   "http://2130706433:" + allowedPort + "/",
		"octal":                     "http://0177.0.0.1:" + allowedPort + "/",
		"octal, one number":         "http://017700000001:" + allowedPort + "/",
		"hexadecimal":               "http://0x7f.0.0.1:" + allowedPort + "/",
		"hexadecimal, one number":   "http://0x7f000001:" + allowedPort + "/",
		"short":                     "http://127.1:" + allowedPort + "/",
		"too many numbers":          "http://127.0.0.1.1:" + allowedPort + "/",
		"overflowing":               "http://127.0.0.257:" + allowedPort + "/",
		"number with a dot":         "http://127.0.0.1.:" + allowedPort + "/",
		"this network":              "http://0.0.0.0:" + port + "/",
		"zero":                      "http://0:" + port + "/",
		"metadata":                  "http://169.254.169.254/latest/meta-data/",
		"metadata of Azure":         "http://168.63.129.16/",
		"metadata of Alibaba":       "http://100.100.100.200/",
		"10/8":                      "http://10.1.2.3/",
		"172.16/12":                 "http://172.31.255.255/",
		"192.168/16":                "http://192.168.1.1/",
		"100.64/10":                 "http://100.64.0.1/",
		"benchmarks":                "http://198.18.0.1/",
		"multicast":                 "http://224.0.0.251/",
		"reserved":                  "http://240.0.0.1/",
		"broadcast":                 "http://255.255.255.255/",
		"IPv6 loopback":             "http://[::1]:" + port + "/",
		"IPv6 unspecified":          "http://[::]:" + port + "/",
		"IPv6 loopback in full":     "http://[0:0:0:0:0:0:0:1]/",
		"IPv4-mapped":               "http://[::ffff:127.0.0.1]:" + port + "/",
		"IPv4-mapped, hexadecimal":  "http://[::ffff:7f00:1]:" + port + "/",
		"IPv4-compatible":           "http://[::127.0.0.1]:" + port + "/",
		"6to4":                      "http://[2002:7f00:1::]/",
		"NAT64":                     "http://[64:ff9b::7f00:1]/",
		"Teredo":                    "http://[2001:0:7f00:1::]/",
		"unique local":              "http://[fd00:ec2::254]/",
		"link-local":                "http://[fe80::1]/",
		"zone":                      "http://[fe80::1%25lo]/",
		"zone of a public address":  "http://[2606:4700::1111%25lo]/",
		"IPv6 multicast":            "http://[ff02::1]/",
		"bracket that is not ended": "http://[::1/",
		"brackets around IPv4":      "http://[127.0.0.1]:" + port + "/",

		"circled digits":        "http://①②⑦.⓪.⓪.①:" + port + "/",
		"full-width digits":     "http://１２７．０．０．１:" + port + "/",
		"ideographic full stop": "http://127。0。0。1:" + port + "/",
	}
}

// nameAttempts are URLs whose names lead somewhere else than it seems.
func nameAttempts(s *stranger) []attempt {
	_, port, _ := net.SplitHostPort(s.private)
	all := []attempt{
		fromURL("name: that there is not", "http://nothing.test/cover.jpg", failed),
		fromURL("name: that is too long", "http://"+strings.Repeat("ä", 300)+".test/", failed),
		fromURL("name: an empty label", "http://public..test:"+port+"/", failed),
		fromURL("name: that changes while it is redirected", s.page(redirects("http://again.rebinding.test:"+s.public+"/rebound")), forbidden),
	}
	// The address that is checked is the one that is connected to: a second look
	// would be answered by another one.
	good := musicfixture.Picture(30, 30, 64)
	s.mux.HandleFunc("/good", sends(good))
	once := fromURL("name: that changes once it was looked up", "http://once.rebinding.test:"+s.public+"/good", accepted)
	once.serves = good
	all = append(all, once)
	s.mux.HandleFunc("/rebound", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, "http://"+r.Host+"/rebound", http.StatusFound)
	})
	for name, host := range map[string]string{
		"localhost": "localhost", "LOCALHOST": "LOCALHOST", "localhost with a dot": "localhost.", "under localhost": "sub.localhost",
		"of a loopback address": "loopback.test", "of IPv6 loopback": "loopback6.test", "with a dot": "loopback.test.", "of a private address": "private.test",
		"of metadata": "metadata.test", "of an IPv4-mapped address": "mapped.test", "of NAT64": "nat64.test",
		"of several private addresses": "several.test", "circled letters": "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "soft hyphen": "loop\u00adback.test", "full-width": "ｌｏｃａｌｈｏｓｔ",
	} {
		all = append(all, fromURL("name: "+name, "http://"+host+":"+port+"/", forbidden))
	}
	// Of several addresses only the public ones are connected to.
	s.mux.HandleFunc("/mixed", says(http.StatusGone))
	return append(all, fromURL("name: of a private and a public address", "http://mixed.test:"+s.public+"/mixed", notFound))
}

// redirectAttempts are URLs of an allowed host that lead on.
func redirectAttempts(s *stranger) []attempt {
	_, port, _ := net.SplitHostPort(s.private)
	good := musicfixture.Picture(30, 30, 60)
	hops := []string{s.page(sends(good))}
	for range 4 {
		hops = append(hops, s.page(redirects(hops[len(hops)-1])))
	}
	var loop string
	loop = s.page(func(w http.ResponseWriter, r *http.Request) { redirects(loop)(w, r) })
	elsewhere := func(name, location string, want verdict) attempt {
		return fromURL("redirect: "+name, s.page(redirects(location)), want)
	}
	three := fromURL("redirect: three times", hops[3], accepted)
	relative := elsewhere("to a path", strings.TrimPrefix(hops[0], "http://"+s.allowed), accepted)
	sameProtocol := elsewhere("to a host without a scheme", strings.TrimPrefix(hops[0], "http:"), accepted)
	three.serves, relative.serves, sameProtocol.serves = good, good, good
	all := []attempt{three, relative, sameProtocol}
	for name, url := range hostileAddresses(s) {
		want := forbidden
		if _, err := neturl.Parse(url); err != nil {
			want = failed // what is no URL leads nowhere
		}
		all = append(all, elsewhere("to "+name, url, want))
	}
	return append(all,
		fromURL("redirect: four times", hops[4], failed),
		fromURL("redirect: to itself", loop, failed),
		fromURL("redirect: without a location", s.page(says(http.StatusFound)), failed),
		fromURL("redirect: 300", s.page(says(http.StatusMultipleChoices)), failed),
		elsewhere("to loopback without a scheme", "//"+s.private+"/", forbidden),
		elsewhere("to localhost", "http://localhost:"+port+"/", forbidden),
		elsewhere("to a name of loopback", "http://loopback.test:"+port+"/", forbidden),
		elsewhere("to a file", "file:///etc/passwd", forbidden),
		elsewhere("to gopher", "gopher://"+s.private+"/", forbidden),
		elsewhere("to data", "data:image/png;base64,iVBORw0KGgo=", forbidden),
		elsewhere("with credentials", "http://user:secret@"+s.allowed+"/", forbidden),
		elsewhere("to what is no URL", "http://[::1", failed),
		elsewhere("to what is gone", s.page(says(http.StatusGone)), notFound),
	)
}

// answerAttempts are answers of an allowed host.
func answerAttempts(s *stranger) []attempt {
	good := musicfixture.Picture(30, 30, 61)
	ok := "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", len(good))
	all := []attempt{
		fromURL("answer: TLS to a port without", "https://"+s.allowed+"/cover.jpg", failed),
		fromURL("answer: none of TLS at a port with it", "http://"+s.secure+"/cover.jpg", failed),
		fromURL("answer: a certificate that nobody vouches for", "https://"+s.secure+"/cover.jpg", failed),
	}
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    verdict
	}{
		"404": {says(404), notFound}, "410": {says(410), notFound}, "401": {says(401), failed}, "403": {says(403), failed}, "429": {says(429), failed},
		"500": {says(500), failed}, "503": {says(503), failed}, "204": {says(204), failed}, "206": {says(206), failed}, "304": {says(304), failed}, "418": {says(418), failed},
		"empty":                      {sends(nil), unsupported},
		"nothing at all":             {writes(""), failed},
		"endless":                    {floods(ok+"\r\n", strings.Repeat("\xff\xd8\xff", 10_000)), tooLarge},
		"more announced than may be": {writes(ok + "Content-Length: 999999999999\r\n\r\n"), tooLarge},
		"a length that is none":      {writes(ok + "Content-Length: 1e3\r\n\r\n" + string(good)), failed},
		"two lengths":                {writes(ok + length + "Content-Length: 1\r\n\r\n" + string(good)), failed},
		"shorter than announced":     {writes(ok + "Content-Length: 99999\r\n\r\n" + string(good)), failed},
		"longer than announced":      {writes(ok + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(good)/2) + string(good)), corrupt},
		"chunks without an end":      {writes(ok + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(good), good)), failed},
		"a chunk of no size":         {writes(ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), failed},
		"endless chunk extension":    {floods(ok+"Transfer-Encoding: chunked\r\n\r\n1;", strings.Repeat("x", 4096)), failed},
		"endless trailer":            {floods(ok+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: "+strings.Repeat("x", 1000)+"\r\n"), failed},
		"compressed":                 {gzipped(10), failed},
		"compressed bomb":            {gzipped(32 << 20), failed},
		"unknown encoding":           {sendsAs(good, "Content-Encoding", "br"), failed},
		"HTML as an image":           {sendsAs([]byte("<!DOCTYPE html><html><body>not found</body></html>"), "Content-Type", "image/jpeg"), unsupported},
		"JSON":                       {sendsAs([]byte(`{"error":"not found"}`), "Content-Type", "application/json"), unsupported},
		"endless header":             {floods("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 4096)), failed},
		"endless headers":            {floods("HTTP/1.1 200 OK\r\n", "X: "+strings.Repeat("x", 100)+"\r\n"), failed},
		"endless early hints":        {floods("", "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n"), failed},
		"switching protocols":        {writes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"), failed},
		"HTTP/0.9":                   {writes(string(good)), failed},
		"a mail server":              {writes("220 mail.test ESMTP\r\n"), failed},
		"cut within the header":      {writes("HTTP/1.1 200 OK\r\nContent-Le"), failed},
	} {
		all = append(all, fromURL("answer: "+name, s.page(c.handler), c.want))
	}
	for name, handler := range map[string]http.HandlerFunc{
		"nothing for a long time": hangs,
		"a header byte by byte":   trickles("HTTP/1.1 200 OK\r\nX: ", "x"),
		"a body byte by byte":     trickles(ok+"\r\n\xff\xd8\xff", "x"),
		"redirects to the slow":   redirects(s.slow(hangs)),
	} {
		all = append(all, fromURL("answer: "+name, s.slow(handler), failed))
	}
	wrongType := fromURL("answer: a good image of another type", s.page(sendsAs(good, "Content-Type", "text/html")), accepted)
	artist := ofArtist("answer for an artist: a good image", s.page(sends(good)), accepted)
	wrongType.serves, artist.serves = good, good
	return append(all, wrongType, artist)
}

// refusedImages are files that are not taken in, and why.
func refusedImages(t *testing.T) map[string]struct {
	file []byte
	want verdict
} {
	all := sampleImages(t)
	png, jpeg := all["PNG"], all["JPEG"]
	refused := map[string]struct {
		file []byte
		want verdict
	}{
		"no bytes":              {nil, unsupported},
		"one byte":              {[]byte{0xff}, unsupported},
		"text":                  {[]byte("this is a cover, honestly"), unsupported},
		"HTML":                  {[]byte("<html><script>alert(1)</script></html>"), unsupported},
		"SVG":                   {[]byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), unsupported},
		"PDF":                   {[]byte("%PDF-1.7\n1 0 obj"), unsupported},
		"script":                {[]byte("#!/bin/sh\nrm -rf /\n"), unsupported},
		"PHP":                   {[]byte("<?php system($_GET['c']); ?>"), unsupported},
		"TIFF":                  {[]byte("II*\x00\x08\x00\x00\x00\x00\x00"), unsupported},
		"BMP":                   {[]byte("BM\x3a\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00"), unsupported},
		"ICO":                   {[]byte("\x00\x00\x01\x00\x01\x00\x10\x10"), unsupported},
		"HEIC":                  {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), unsupported},
		"MP4":                   {[]byte("\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2"), unsupported},
		"JPEG XL":               {[]byte("\xff\x0a\xfa\x1f"), unsupported},
		"WAV":                   {[]byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"), unsupported},
		"ZIP":                   {[]byte("PK\x03\x04\x14\x00"), unsupported},
		"gzip of an image":      {append([]byte("\x1f\x8b\x08"), jpeg...), unsupported},
		"HTML, then an image":   {joined([]byte("<html>"), jpeg), unsupported},
		"SVG, then an image":    {joined([]byte("<svg>"), png), unsupported},
		"PDF, then an image":    {joined([]byte("%PDF-1.4\n"), jpeg), unsupported},
		"script, then an image": {joined([]byte("alert(1);/*"), all["GIF"]), unsupported},
		"space, then an image":  {joined([]byte("\n"), jpeg), unsupported},
		"GIF and script":        {gifAndScript(), unsupported},
		"JPEG and PDF":          {withSegment(jpeg, 0xfe, "%PDF-1.5\n1 0 obj<</Type/Catalog>>"), unsupported},
		"JPEG and HTML":         {withSegment(jpeg, 0xfe, "<html><script>alert(1)</script></html>"), unsupported},
		"JPEG and script":       {withSegment(jpeg, 0xe0, "*/=alert(1);/*"+strings.Repeat(" ", 0x2f2a-16)), unsupported},
		"PNG and SVG":           {withChunk(png, pngChunk("tEXt", []byte("Comment\x00<svg onload=alert(1)>"))), unsupported},
		"PNG and PHP":           {withChunk(png, pngChunk("tEXt", []byte("Comment\x00<?php echo 1 ?>"))), unsupported},
		"magic of PNG alone":    {[]byte("\x89PNG\r\n\x1a\n"), corrupt},
		"magic of JPEG alone":   {[]byte("\xff\xd8\xff"), corrupt},
		"magic of GIF alone":    {[]byte("GIF89a"), corrupt},
		"magic of WebP alone":   {[]byte("RIFF\x04\x00\x00\x00WEBP"), corrupt},
		"magic of AVIF alone":   {[]byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1"), corrupt},
		"magic of another kind": {joined([]byte("GIF89a"), png[8:]), corrupt},
		"header that lies":      {declaring(t, 640, 480)["PNG"], corrupt},
		"size of nothing":       {declaring(t, 0, 48)["PNG"], corrupt},
		"more data than rows":   {greyPNG(10, 10, 100_000), corrupt},
		"fewer data than rows":  {greyPNG(4000, 4000, 10), corrupt},
		"checksum of the data":  {edited(png, func(b []byte) { b[len(b)-13] ^= 1 }), corrupt},
		"checksum of a text":    {withChunk(png, edited(pngChunk("tEXt", []byte("a\x00b")), func(b []byte) { b[len(b)-1] ^= 1 })), corrupt},
		"length of a chunk":     {edited(png, func(b []byte) { b[33] = 0xff }), corrupt},
		"no end":                {png[:len(png)-12], corrupt},
		"too many scans":        {manyScans(jpeg, 300), unsupported},
		"arithmetic coding":     {edited(jpeg, func(b []byte) { b[bytes.Index(b, []byte{0xff, 0xc0})+1] = 0xc9 }), unsupported},
		"bomb":                  {bomb(), tooManyPx},
		"one side too long":     {greyPNG(16_385, 1, 1), tooManyPx},
		"more than 50 MP":       {greyPNG(7_100, 7_100, 1), tooManyPx},
		"more than 20 MB":       {joined(jpeg, make([]byte, 20<<20)), tooLarge},
	}
	for format, file := range declaring(t, 20_000, 20_000) {
		refused[format+" of 20 000 x 20 000"] = struct {
			file []byte
			want verdict
		}{file, tooManyPx}
	}
	for format, file := range all {
		for _, n := range []int{16, len(file) / 4, len(file) / 2, len(file) * 9 / 10, len(file) - 1} {
			refused[fmt.Sprintf("%s cut after %d of %d bytes", format, n, len(file))] = struct {
				file []byte
				want verdict
			}{file[:n], corrupt}
		}
	}
	return refused
}

// strangeImages are files that are taken in as they come.
func strangeImages(t *testing.T) map[string][]byte {
	all := sampleImages(t)
	zeros := deflated(16 << 20)
	return map[string][]byte{
		"motion photo":               joined(all["JPEG"], []byte("\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2"), bytes.Repeat([]byte("film"), 1000)),
		"HTML behind an image":       joined(all["PNG"], bytes.Repeat([]byte{0}, 1024), []byte("<html><script>alert(1)</script>")),
		"orientation that is none":   withSegment(all["JPEG"], 0xe1, "Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x63\x00\x00\x00\x00\x00\x00\x00"),
		"Exif that points nowhere":   withSegment(all["JPEG"], 0xe1, "Exif\x00\x00MM\x00*\xff\xff\xff\xff"),
		"Exif that points to itself": withSegment(all["JPEG"], 0xe1, "Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"),
		"bomb in a text":             withChunk(all["PNG"], pngChunk("zTXt", joined([]byte("Comment\x00\x00"), zeros))),
		"bomb in a colour profile":   withChunk(all["PNG"], pngChunk("iCCP", joined([]byte("icc\x00\x00"), zeros))),
		"many frames":                manyFrames(t, 2000),
		"the longest side":           greyPNG(16_384, 2, 2),
	}
}

// imageAttempts bring every file in all ways there are.
func imageAttempts(t *testing.T, s *stranger) []attempt {
	var all []attempt
	for name, c := range refusedImages(t) {
		all = append(all, fromURL("image from a URL: "+name, s.page(sends(c.file)), c.want), asUpload("image uploaded: "+name, c.file, c.want))
	}
	for name, file := range strangeImages(t) {
		fromURL := fromURL("image from a URL: "+name, s.page(sends(file)), accepted)
		avatar := asAvatar("avatar: "+name, file, uploaded)
		fromURL.serves, avatar.serves = file, file
		all = append(all, fromURL, avatar)
	}
	jpeg := musicfixture.Picture(30, 30, 62)
	return append(all,
		asAvatar("avatar: more than 5 MB", joined(jpeg, make([]byte, 5<<20)), tooLarge),
		asAvatar("avatar: text", []byte("me"), unsupported),
		asAvatar("avatar: cut", jpeg[:len(jpeg)/2], corrupt),
		asAvatar("avatar: bomb", bomb(), tooManyPx),
	)
}

// The parts of a multipart body.
const (
	boundary = "hostile"
	formType = "multipart/form-data; boundary=" + boundary
	formEnd  = "--" + boundary + "--\r\n"
)

func part(disposition, content string) string {
	return "--" + boundary + "\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + content + "\r\n"
}

// formAttempts are multipart bodies; their files are sound.
func formAttempts(t *testing.T) []attempt {
	picture := string(musicfixture.Picture(30, 30, 63))
	file := part(`name="file"; filename="cover.jpg"`, picture)
	var all []attempt
	for name, c := range map[string]struct {
		contentType, body string
		want              verdict
	}{
		"no type":                         {"", file + formEnd, malformed},
		"another type":                    {"image/jpeg", picture, malformed},
		"JSON":                            {"application/json", `{"file":""}`, malformed},
		"no boundary":                     {"multipart/form-data", file + formEnd, malformed},
		"another boundary":                {"multipart/form-data; boundary=other", file + formEnd, malformed},
		"boundary too long":               {"multipart/form-data; boundary=" + strings.Repeat("b", 10_000), file + formEnd, malformed},
		"nothing":                         {formType, "", malformed},
		"no part":                         {formType, formEnd, malformed},
		"no file":                         {formType, part(`name="other"`, "x") + formEnd, malformed},
		"a file without its name":         {formType, part(`filename="cover.jpg"`, picture) + formEnd, malformed},
		"NUL in the file's name":          {formType, part("name=\"file\"; filename=\"nul\x00.jpg\"", picture) + formEnd, malformed},
		"bell in the file's name":         {formType, part("name=\"file\"; filename=\"bell\a.jpg\"", picture) + formEnd, malformed},
		"two files":                       {formType, file + file + formEnd, malformed},
		"a field that there is not":       {formType, file + part(`name="path"`, "/etc") + formEnd, malformed},
		"no end":                          {formType, file, malformed},
		"end that is cut off":             {formType, file + "--" + boundary, malformed},
		"file that is cut off":            {formType, file[:len(file)/2], malformed},
		"header that is cut off":          {formType, "--" + boundary + "\r\nContent-Dispo", malformed},
		"no disposition":                  {formType, "--" + boundary + "\r\n\r\n" + picture + "\r\n" + formEnd, malformed},
		"disposition that cannot be read": {formType, part(`name="fi`, picture) + formEnd, malformed},
		"a line without an end":           {formType, strings.Repeat("x", 60_000), malformed},
		"too many headers":                {formType, "--" + boundary + "\r\n" + strings.Repeat("X: x\r\n", 10_001) + "\r\n", malformed},
		"endless before the first part":   {formType, strings.Repeat(strings.Repeat("x", 1000)+"\r\n", 25_000), tooLarge},
		"endless headers":                 {formType, "--" + boundary + "\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 25_000), malformed},
		"endless file":                    {formType, part(`name="file"; filename="cover.jpg"`, strings.Repeat("x", 25<<20)), tooLarge},
		"endless behind the file":         {formType, file + strings.Repeat(part(`name="other"`, "x"), 10), malformed},
	} {
		all = append(all, attempt{name: "form: " + name, want: c.want, kind: artwork.AlbumSubject, send: func(on target) answer {
			return on.post("/api/admin/metadata/album/custom-covers/"+on.id+"/upload", c.contentType, c.body, len(c.body))
		}})
	}
	mislabelled := attempt{name: "form: a file of another type", want: uploaded, kind: artwork.AlbumSubject, serves: before, stores: []byte(picture)}
	mislabelled.send = func(on target) answer {
		folder := "/api/admin/metadata/album/custom-covers/" + on.id
		body := part("name=\"file\"; filename=\"page.html\"\r\nContent-Type: text/html", picture) + formEnd
		got := on.post(folder+"/upload", formType, body, len(body))
		require.Equal(on.t, "image/jpeg", on.get(got.json(on.t)["url"].(string)).Header.Get("Content-Type"), "by its bytes")
		return got
	}
	return slices.Concat(all, []attempt{mislabelled}, fieldAttempts(file), fileNameAttempts(t, picture))
}

// fieldAttempts are forms for a user's avatar and an artist's image, which have
// fields beside the file.
func fieldAttempts(file string) []attempt {
	user := func(id string) string { return part(`name="userId"`, id) }
	ofUser := func(name string, body func(id string) string, want verdict) attempt {
		return attempt{name: "form of an avatar: " + name, want: want, kind: artwork.UserSubject, send: func(on target) answer {
			b := body(on.id)
			return on.post("/api/users/avatar", formType, b, len(b))
		}}
	}
	brokenOff := func(on target) answer {
		b := user(on.id) + file
		return on.post("/api/users/avatar", formType, b, len(b)+1000)
	}
	return []attempt{
		ofUser("nobody's", func(string) string { return file + formEnd }, malformed),
		ofUser("no UUID", func(string) string { return user("admin") + file + formEnd }, malformed),
		ofUser("a user that there is not", func(string) string { return user(artistID) + file + formEnd }, notFound),
		ofUser("two users", func(id string) string { return user(id) + user(id) + file + formEnd }, malformed),
		ofUser("endless field", func(string) string { return user(strings.Repeat("x", 10<<20)) + file + formEnd }, malformed),
		ofUser("endless field of spaces", func(id string) string { return user(id+strings.Repeat(" ", 10<<20)) + file + formEnd }, malformed),
		ofUser("a field a thousand times", func(id string) string { return strings.Repeat(user(id), 1000) + file + formEnd }, malformed),
		{name: "form of an avatar: broken off", want: malformed, kind: artwork.UserSubject, send: brokenOff},
	}
}

// fileNameAttempts are uploads whose file has a name that could do harm, and what
// is told of it afterwards.
func fileNameAttempts(t *testing.T, picture string) []attempt {
	t.Helper()
	var all []attempt
	for name, shown := range map[string]string{
		"../../../etc/passwd": "passwd", `..\\..\\autoexec.bat`: "autoexec.bat",
		strings.Repeat("n", 3000): strings.Repeat("n", 255), "": "", "<script>.jpg": "<script>.jpg", "not\xffutf8.jpg": "not\ufffdutf8.jpg", "CON": "CON",
	} {
		all = append(all, attempt{name: fmt.Sprintf("file name: %.40q", name), want: uploaded, kind: artwork.AlbumSubject, send: func(on target) answer {
			folder := "/api/admin/metadata/album/custom-covers/" + on.id
			body := part(`name="file"; filename="`+name+`"`, picture) + formEnd
			got := on.post(folder+"/upload", formType, body, len(body))
			known := on.send(http.MethodGet, folder, nil).json(on.t)["customCovers"].([]any)
			require.Equal(on.t, shown, known[0].(map[string]any)["fileName"])
			return got
		}, serves: before, stores: []byte(picture)})
	}
	return all
}

// post sends a body over a connection of its own, of which the server may read
// less than all: the answer counts, not whether everything was sent.
func (in *instance) post(path, contentType, body string, length int) answer {
	in.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(in.t.Context(), "tcp", strings.TrimPrefix(in.base, "http://"))
	require.NoError(in.t, err)
	defer func() { _ = conn.Close() }()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: gatefold\r\nConnection: close\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			path, in.token, contentType, length)
		if err == nil {
			_, _ = io.WriteString(conn, body)
		}
		if length > len(body) {
			_ = conn.(*net.TCPConn).CloseWrite() // the rest will not come
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(in.t, err)
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	require.NoError(in.t, err)
	_ = conn.Close()
	<-sent
	req, err := http.NewRequestWithContext(in.t.Context(), http.MethodPost, in.base+path, nil)
	require.NoError(in.t, err)
	require.NoError(in.t, contract.Check(req, resp, content))
	return answer{resp, content}
}

// TestABombCostsItsHeader: what an image would be when it is decoded costs nothing
// unless it is decoded.
func TestABombCostsItsHeader(t *testing.T) {
	stranger := newStranger(t)
	in := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}.startWith(t, stranger.between())
	in.putArtist(artistID, "Whose albums they are")
	files := declaring(t, 20_000, 20_000)
	files["bomb"], files["more data than rows"] = bomb(), greyPNG(10, 10, 100_000)
	files["bomb in a colour profile"] = withChunk(musicfixture.PNG(64, 48, 7), pngChunk("iCCP", joined([]byte("icc\x00\x00"), deflated(16<<20))))
	for name, file := range files {
		url := stranger.page(sends(file))
		for _, a := range []attempt{fromURL(name+" from a URL", url, verdict{}), asUpload(name+" uploaded", file, verdict{})} {
			on := newTarget(t, in, a.kind, artwork.DeriveID(a.name).String())
			cost := allocated(func() { a.send(on) })
			require.Less(t, cost, uint64(2<<20), "%s, of %d bytes", a.name, len(file))
			t.Logf("%s, of %d bytes: %d bytes allocated", a.name, len(file), cost)
		}
	}
}

// allocated returns how many bytes this process allocates meanwhile, its garbage
// with it.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
