package providerfixture

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"gatefold/domain/artwork"
)

type (
	object = map[string]any
	list   = []any
)

// byID reads paths that end in an identifier.
func byID(request *Request) error {
	request.MBID = request.Path[strings.LastIndexByte(request.Path, '/')+1:]
	return nil
}

func coverArtArchive() service {
	return service{
		read: byID,
		found: func(x *exchange) any {
			images := list{}
			add := func(p picture, image object) {
				image["image"], image["approved"], image["comment"], image["id"] = p.URL, true, "", 829521842
				image["thumbnails"] = object{"small": p.Thumb, "250": p.Thumb, "large": p.Thumb, "500": p.Thumb}
				images = append(images, image)
			}
			add(picture{URL: x.picture("booklet", size{900, 900}, "pdf")}, object{"types": list{"Front", "Booklet"}, "front": true, "back": false})
			add(picture{URL: x.picture("back", size{900, 900}, "jpg")}, object{"types": list{"Back"}, "front": false, "back": true})
			if x.behaviour != Placeholder {
				for i, p := range x.pictures("cover", size{1200, 1200}, size{900, 900}) {
					add(p, object{"types": list{"Front"}, "front": i > 0, "back": false})
				}
			}
			return object{"images": images, "release": "https://musicbrainz.org/release/" + x.request.MBID}
		},
		absent:     plain(http.StatusNotFound, object{"error": "not found"}),
		overLimit:  plain(http.StatusServiceUnavailable, object{"error": "rate limit"}),
		keyRefused: noKey,
	}
}

func fanartTV() service {
	return service{
		read:       byID,
		authorised: func(r *http.Request) bool { return r.Header.Get("api-key") == Key },
		found: func(x *exchange) any {
			body := object{"name": "Fixture", "mbid_id": x.request.MBID}
			if x.behaviour == Placeholder {
				return body
			}
			images := func(slot string, sizes ...size) list {
				found := list{}
				for i, p := range x.pictures(slot, sizes...) {
					p.URL = strings.Replace(p.URL, "/images/", "/images/fanart/", 1)
					found = append(found, object{"id": strconv.Itoa(i), "url": p.URL, "likes": strconv.Itoa(p.Votes)})
				}
				return found
			}
			if strings.Contains(x.request.Path, "albums/") {
				body["albums"] = object{x.request.MBID: object{"albumcover": images("cover", size{1000, 1000}, size{1000, 1000})}}
				return body
			}
			body["artistthumb"] = images("profile", size{1000, 1000}, size{1000, 1000})
			body["artistbackground"] = images("background", size{1920, 1080}, size{1920, 1080})
			body["musicbanner"] = images("banner", size{1000, 185})
			body["hdmusiclogo"] = images("logo", size{800, 310})
			body["musiclogo"] = images("oldlogo", size{400, 155})
			return body
		},
		absent:     plain(http.StatusNotFound, object{"status": "error", "error message": "Not found"}),
		overLimit:  plain(http.StatusTooManyRequests, object{"status": "error", "error message": "Too many requests"}),
		keyRefused: plain(http.StatusUnauthorized, object{"status": "error", "error message": "You must provide a valid API key"}),
	}
}

func theAudioDB() service {
	return service{
		read: func(request *Request) error {
			request.MBID, request.Artist = request.Query.Get("i"), request.Query.Get("s")
			if strings.HasSuffix(request.Path, "searchalbum.php") {
				request.Artist, request.Album = request.Query.Get("s"), request.Query.Get("a")
			}
			return nil
		},
		authorised: func(r *http.Request) bool {
			return strings.Contains(r.URL.Path, "/json/"+Key+"/") || strings.Contains(r.URL.Path, "/json/123/")
		},
		found:      audioDBFound,
		absent:     plain(http.StatusOK, object{"artists": nil, "album": nil}),
		overLimit:  plain(http.StatusTooManyRequests, object{"Message": "Rate limit exceeded"}),
		keyRefused: plain(http.StatusUnauthorized, object{"Message": "Invalid API key"}),
	}
}

func audioDBFound(x *exchange) any {
	entries, fields := list{}, [][2]string{{"cover", "strAlbumThumb"}}
	sizes := map[string]size{"cover": {1000, 1000}, "profile": {1000, 1000}, "logo": {800, 310}, "background": {1280, 720}, "banner": {1000, 185}, "more": {1280, 720}}
	key := "album"
	if !strings.Contains(x.request.Path, "album") {
		key = "artists"
		fields = [][2]string{
			{"profile", "strArtistThumb"}, {"logo", "strArtistLogo"}, {"background", "strArtistFanart"}, {"more", "strArtistFanart2"}, {"banner", "strArtistBanner"},
		}
	}
	entry := func() object {
		name, title := x.request.Artist, x.request.Album
		if x.request.MBID != "" {
			name, title = "Fixture", "Fixture"
		}
		return object{"strArtist": x.called(name), "strAlbum": x.called(title), "strArtistFanart3": nil, "strAlbumThumbHQ": ""}
	}
	for _, field := range fields {
		for i, p := range x.pictures(field[0], sizes[field[0]]) {
			if i >= len(entries) {
				entries = append(entries, entry())
			}
			if x.behaviour == Placeholder {
				p.URL = ""
			}
			entries[i].(object)[field[1]] = p.URL
		}
	}
	return object{key: entries}
}

// deezerFields are of its advanced search.
var deezerFields = regexp.MustCompile(`^(?:artist:"([^"]*)" )?album:"([^"]*)"$`)

func deezer() service {
	return service{
		read: func(request *Request) error {
			request.Artist = request.Query.Get("q")
			if strings.HasSuffix(request.Path, "album") {
				fields := deezerFields.FindStringSubmatch(request.Artist)
				if fields == nil {
					return errors.New("not a search for an album of an artist")
				}
				request.Artist, request.Album = fields[1], fields[2]
			}
			return nil
		},
		found: func(x *exchange) any {
			kind, slot := "artist", "profile"
			if x.request.Album != "" {
				kind, slot = "album", "cover"
			}
			data := list{}
			for i, p := range x.pictures(slot, size{1000, 1000}, size{1000, 1000}) {
				if x.behaviour == Placeholder {
					empty := md5.Sum(nil)
					p.URL = x.base + "/images/" + kind + "/" + []string{"", hex.EncodeToString(empty[:])}[i] + "/1000x1000-000000-80-0-0.jpg"
					p.Thumb = p.URL
				}
				data = append(data, object{
					"id": 27 + i, "name": x.called(x.request.Artist), "nb_fan": p.Votes * 100, "title": x.called(x.request.Album), "type": kind,
					"artist": object{"name": x.called(x.request.Artist)}, "picture_xl": p.URL, "picture_medium": p.Thumb, "cover_xl": p.URL, "cover_medium": p.Thumb,
				})
			}
			return object{"data": data, "total": len(data)}
		},
		absent:     plain(http.StatusOK, object{"data": list{}, "total": 0}),
		overLimit:  plain(http.StatusOK, object{"error": object{"type": "Exception", "message": "Quota limit exceeded", "code": 4}}),
		keyRefused: noKey,
	}
}

func lastFM() service {
	return service{
		read: func(request *Request) error {
			if request.Query.Get("method") != "album.getInfo" || request.Query.Get("format") != "json" {
				return errors.New("not a question for an album, in JSON")
			}
			request.MBID, request.Artist, request.Album = request.Query.Get("mbid"), request.Query.Get("artist"), request.Query.Get("album")
			return nil
		},
		authorised: func(r *http.Request) bool { return r.URL.Query().Get("api_key") == Key },
		found: func(x *exchange) any {
			images := list{}
			for _, raw := range x.pictures("cover") { // those that are unsafe
				images = append(images, object{"#text": raw.URL, "size": "mega"})
			}
			hash := x.subject()
			if x.behaviour == Placeholder {
				hash = "2a96cbd8b46e442fc41c2b86b821562f"
			}
			for _, s := range []string{"small:34s", "medium:64s", "large:174s", "extralarge:300x300", "mega:300x300"} {
				name, path, _ := strings.Cut(s, ":")
				images = append(images, object{"#text": x.base + "/images/i/u/" + path + "/" + hash + ".png", "size": name})
			}
			artist, title := x.request.Artist, x.request.Album
			if x.request.MBID != "" {
				artist, title = "Fixture", "Fixture"
			}
			return object{"album": object{"artist": x.called(artist), "name": x.called(title), "image": images, "listeners": "1000"}}
		},
		absent:     plain(http.StatusNotFound, object{"error": 6, "message": "Album not found"}),
		overLimit:  plain(http.StatusBadRequest, object{"error": 29, "message": "Rate Limit Exceeded"}),
		keyRefused: plain(http.StatusForbidden, object{"error": 10, "message": "Invalid API key"}),
	}
}

func iTunes() service {
	return service{
		read: func(request *Request) error {
			request.Artist = request.Query.Get("term")
			return nil
		},
		found: func(x *exchange) any {
			results := list{}
			// Where the artist's name ends is not in the question: every split is an
			// album.
			words := strings.Split(x.request.Artist, " ")
			for i := 1; i < len(words); i++ {
				for _, p := range x.pictures("cover", size{3000, 3000}) {
					p.URL = strings.Replace(p.URL, "/3000x3000.jpg", "/100x100bb.jpg", 1)
					if x.behaviour == Placeholder {
						p.URL = ""
					}
					results = append(results, object{
						"wrapperType": "collection", "collectionType": "Album", "artistName": x.called(strings.Join(words[:i], " ")),
						"collectionName": x.called(strings.Join(words[i:], " ")), "artworkUrl60": p.URL, "artworkUrl100": p.URL,
					})
				}
			}
			return object{"resultCount": len(results), "results": results}
		},
		absent:     plain(http.StatusOK, object{"resultCount": 0, "results": list{}}),
		overLimit:  plain(http.StatusForbidden, object{}),
		keyRefused: noKey,
	}
}

func discogs() service {
	return service{
		read: func(request *Request) error {
			request.Artist, request.Album = request.Query.Get("q")+request.Query.Get("artist"), request.Query.Get("release_title")
			return nil
		},
		authorised: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Discogs token="+Key },
		found: func(x *exchange) any {
			if !strings.HasSuffix(x.request.Path, "database/search") {
				return discogsDetails(x)
			}
			kind, title := x.request.Query.Get("type"), x.called(x.request.Artist)+" (2)"
			if kind != "artist" {
				title = x.called(x.request.Artist) + " - " + x.called(x.request.Album)
			}
			id := x.number()
			x.server.remember(fmt.Sprint(id), named{x.request.Artist, x.request.Album})
			return object{"results": list{object{"id": id, "type": kind, "title": title, "thumb": "", "cover_image": ""}}}
		},
		absent: func(x *exchange) reply {
			if strings.HasSuffix(x.request.Path, "database/search") {
				return reply{http.StatusOK, object{"results": list{}}}
			}
			return reply{http.StatusNotFound, object{"message": "Artist not found."}}
		},
		overLimit:  plain(http.StatusTooManyRequests, object{"message": "You are making requests too quickly."}),
		keyRefused: plain(http.StatusUnauthorized, object{"message": "Invalid consumer token. Please register an app before making requests."}),
	}
}

// number is what the subject has at a provider that counts its own.
func (x *exchange) number() uint32 {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(x.subject()))
	return sum.Sum32()
}

func discogsDetails(x *exchange) any {
	name := x.server.recall(x.request.Path[strings.LastIndexByte(x.request.Path, '/')+1:])
	x.request.Artist, x.request.Album = name.artist, name.album
	slot := "cover"
	if strings.Contains(x.request.Path, "artists/") {
		slot = "profile"
	}
	images := list{}
	for i, p := range x.pictures(slot, size{600, 600}, size{500, 500}) {
		if x.behaviour == Placeholder {
			p.URL = x.base + "/images/spacer.gif"
			p.Thumb = p.URL
		}
		kind := "secondary"
		if i > 0 {
			kind = "primary"
		}
		images = append(images, object{"type": kind, "uri": p.URL, "uri150": p.Thumb, "width": p.Width, "height": p.Height})
	}
	return object{"id": x.number(), "name": name.artist, "title": name.album, "images": images}
}

func wikimedia() service {
	return service{
		read: func(request *Request) error {
			search := request.Query.Get("srsearch")
			if mbid, ok := strings.CutPrefix(search, "haswbstatement:P434="); ok {
				request.MBID = mbid
			} else if name, ok := strings.CutPrefix(search, `haswbstatement:P434 "`); ok {
				request.Artist = strings.TrimSuffix(name, `"`)
			} else if search != "" {
				return errors.New("not a search by the identifier of MusicBrainz")
			}
			return nil
		},
		found: func(x *exchange) any {
			switch {
			case x.request.Query.Get("list") == "search":
				return wikimediaSearch(x)
			case x.request.Query.Get("action") == "wbgetentities":
				return wikidataEntities(x)
			}
			return commonsFiles(x)
		},
		absent:     plain(http.StatusOK, object{"batchcomplete": true, "query": object{"search": list{}, "pages": list{}}, "entities": object{}}),
		overLimit:  plain(http.StatusOK, object{"error": object{"code": "ratelimited", "info": "slow down"}}),
		keyRefused: noKey,
	}
}

func wikimediaSearch(x *exchange) any {
	const id = "Q42"
	name := x.request.Artist
	if x.request.MBID != "" {
		name = x.request.MBID
	}
	x.server.remember(id, named{artist: name})
	return object{"query": object{"searchinfo": object{"totalhits": 1}, "search": list{object{"ns": 0, "title": id, "pageid": 138}}}}
}

func wikidataEntities(x *exchange) any {
	claim := func(property, file string) object {
		value := object{"snaktype": "value", "property": property, "datavalue": object{"value": file, "type": "string"}}
		if x.behaviour == Placeholder {
			value = object{"snaktype": "novalue", "property": property}
		}
		return object{"mainsnak": value, "type": "statement", "rank": "normal"}
	}
	name := x.server.recall("Q42").artist
	photo := list{claim("P18", "Portrait of the artist.jpg")}
	if x.behaviour == Unsafe {
		photo = append(list{claim("P18", "Unsafe.jpg")}, photo...)
	}
	return object{"entities": object{"Q42": object{
		"type": "item", "id": "Q42", "labels": object{"en": object{"language": "en", "value": x.called(name)}}, "aliases": object{},
		"claims": object{"P18": photo, "P154": list{claim("P154", "Logo of the artist.svg")}},
	}}}
}

func commonsFiles(x *exchange) any {
	pages := list{}
	for _, title := range strings.Split(x.request.Query.Get("titles"), "|") {
		p := picture{URL: x.picture(title, size{2000, 1500}, "jpg"), Thumb: x.picture(title, size{500, 375}, "jpg"), Width: 2000, Height: 1500}
		mime := "image/jpeg"
		if strings.HasSuffix(title, ".svg") {
			// Commons renders it.
			p, mime = picture{URL: x.picture(title, size{800, 310}, "svg"), Thumb: x.picture(title, size{1000, 388}, "png"), Width: 800, Height: 310}, "image/svg+xml"
		}
		if title == "File:Unsafe.jpg" {
			p.URL, p.Thumb = unsafeURLs[0], unsafeURLs[1]
		}
		pages = append(pages, object{"ns": 6, "title": title, "imageinfo": list{object{
			"url": p.URL, "thumburl": p.Thumb, "width": p.Width, "height": p.Height, "mime": mime,
			"descriptionurl": "https://commons.wikimedia.org/wiki/" + strings.ReplaceAll(title, " ", "_"),
			"extmetadata": object{
				"Artist":           object{"value": `<a href="//commons.wikimedia.org/wiki/User:Somebody" title="x">Ana &amp; <b>Somebody</b></a>`, "source": "commons-desc-page"},
				"LicenseShortName": object{"value": "CC BY-SA 4.0"}, "LicenseUrl": object{"value": "https://creativecommons.org/licenses/by-sa/4.0"},
			},
		}}})
	}
	return object{"query": object{"pages": pages}}
}

// phrase is a quoted part of a query of Lucene.
var phrase = regexp.MustCompile(`(?:(\w+):)?"((?:[^"\\]|\\.)*)"`)

// lucene takes the phrases out of a query, by field, and refuses what Lucene's parser
// would not read.
func lucene(query string) (map[string]string, error) {
	fields := map[string]string{}
	for _, found := range phrase.FindAllStringSubmatch(query, -1) {
		fields[found[1]] = regexp.MustCompile(`\\(.)`).ReplaceAllString(found[2], "$1")
	}
	rest := regexp.MustCompile(`\\.`).ReplaceAllString(phrase.ReplaceAllString(query, ""), "")
	if strings.ContainsAny(rest, `+!{}[]^"~*?/\:`) || strings.Count(rest, "(") != strings.Count(rest, ")") || strings.Contains(rest, "()") {
		return nil, fmt.Errorf("cannot parse %q", query)
	}
	return fields, nil
}

// onlyMatch is what MusicBrainz finds if nothing else is called the same.
func (x *exchange) onlyMatch() any {
	id := artwork.DeriveID("fixture", x.subject())
	if strings.HasSuffix(x.request.Path, "release-group") {
		return object{"count": 1, "release-groups": list{object{
			"id": id, "score": 100, "title": x.request.Album, "primary-type": "Album", "artist-credit": list{object{"name": x.request.Artist}},
		}}}
	}
	return object{"count": 1, "artists": list{object{"id": id, "score": 100, "name": x.request.Artist, "type": "Group", "life-span": object{}}}}
}

func musicBrainz() service {
	return service{
		read: func(request *Request) error {
			if request.Query.Get("fmt") != "json" {
				return errors.New("not in JSON")
			}
			fields, err := lucene(request.Query.Get("query"))
			request.Artist, request.Album = fields[""]+fields["artist"], fields["releasegroup"]
			return err
		},
		found: func(x *exchange) any {
			if x.server.Unambiguous {
				return x.onlyMatch()
			}
			if strings.HasSuffix(x.request.Path, "release-group") {
				return object{"count": 2, "release-groups": list{
					object{
						"id": "fc325dd3-73ed-36aa-9c77-6b65a958e3cf", "score": 100, "title": x.request.Album, "primary-type": "Album", "secondary-types": list{"Live"},
						"first-release-date": "1997-09-22", "artist-credit": list{object{"name": x.request.Artist, "joinphrase": " & "}, object{"name": "Friends"}},
					},
					object{"id": "9f7a4c28-8fa2-3113-929c-c47a9f7982c3", "score": 61, "title": x.request.Album + " (again)", "disambiguation": "re-recorded"},
				}}
			}
			return object{"count": 2, "artists": list{
				object{
					"id": "87c5dedd-371d-4a53-9f7f-80522fb7f3cb", "score": 100, "name": x.request.Artist, "type": "Person", "country": "IS",
					"area": object{"name": "Iceland"}, "disambiguation": "singer", "life-span": object{"begin": "1965-11-21", "ended": nil},
				},
				object{"id": "5b11f4ce-a62d-471e-81fc-a69a8278c7da", "score": 70, "name": x.request.Artist, "type": "Group", "life-span": object{}},
			}}
		},
		absent:     plain(http.StatusOK, object{"count": 0, "artists": list{}, "release-groups": list{}}),
		overLimit:  plain(http.StatusServiceUnavailable, object{"error": "Your requests are exceeding the allowable rate limit."}),
		keyRefused: noKey,
	}
}
