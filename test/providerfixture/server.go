// Package providerfixture answers as the external providers of images do, each under
// a path of its own, and in every way that they are known to answer in: for tests,
// and for demonstrations without a network.
package providerfixture

import (
	"image"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The providers, by the first part of the paths at which they answer.
const (
	CoverArtArchive = "coverartarchive"
	Deezer          = "deezer"
	Discogs         = "discogs"
	FanartTV        = "fanarttv"
	ITunes          = "itunes"
	LastFM          = "lastfm"
	MusicBrainz     = "musicbrainz"
	TheAudioDB      = "theaudiodb"
	Wikimedia       = "wikimedia" // both Wikidata and Commons
)

// Key is the only key that is accepted, where one is needed. TheAudioDB also takes
// the free one, 123.
const Key = "fixture-key-5d1fa7"

// Variables returns Gatefold's settings of base URLs, and the provider that each is of.
func Variables() map[string]string {
	return map[string]string{
		"COVERARTARCHIVE_URL": CoverArtArchive, "DEEZER_URL": Deezer, "DISCOGS_URL": Discogs, "FANARTTV_URL": FanartTV, "ITUNES_URL": ITunes,
		"LASTFM_URL": LastFM, "MUSICBRAINZ_URL": MusicBrainz, "THEAUDIODB_URL": TheAudioDB, "WIKIDATA_URL": Wikimedia, "COMMONS_URL": Wikimedia,
	}
}

// KeyVariables returns Gatefold's settings of keys, all of which may be Key.
func KeyVariables() []string {
	return []string{"DISCOGS_API_KEY", "FANARTTV_API_KEY", "LASTFM_API_KEY", "THEAUDIODB_API_KEY"}
}

// Behaviour is a way to answer.
type Behaviour string

// The behaviours. Each provider has its own way of the first group.
const (
	Found       Behaviour = "found"       // whoever is asked for, there are images of it
	Absent      Behaviour = "absent"      // nothing is known of it
	Placeholder Behaviour = "placeholder" // it is known, and shown by what stands for no image
	Stranger    Behaviour = "stranger"    // of a search by name: images of somebody else
	Unsafe      Behaviour = "unsafe"      // found, but some URLs are none that can be offered
	OverLimit   Behaviour = "over limit"  // the provider's own way to say so
	KeyRefused  Behaviour = "key refused"

	TooMany        Behaviour = "429"
	TooManyShortly Behaviour = "429, for a second"
	TooManyForLong Behaviour = "429, for an hour"
	Failing        Behaviour = "500"
	Overloaded     Behaviour = "503"
	Reset          Behaviour = "reset"     // the connection ends with no answer
	Hang           Behaviour = "hang"      // until the client goes
	Malformed      Behaviour = "malformed" // JSON that ends in the middle
	WrongTypes     Behaviour = "wrong types"
	Oversize       Behaviour = "oversize"
	WebPage        Behaviour = "web page"
)

// Request is a question as it arrived. What it asks for is taken out of the
// provider's own syntax.
type Request struct {
	At     time.Time
	Path   string // below the provider
	Query  url.Values
	Header http.Header
	MBID   string
	Artist string // or a text that may be one
	Album  string
}

// Server is all the providers. Its zero value is not usable; it is safe for
// concurrent use.
type Server struct {
	// Paint paints the picture of a seed; it must be safe for concurrent use. The same
	// seed must give the same picture in every size. Set it before the first request.
	Paint func(seed string, width, height int) image.Image

	// Unambiguous has MusicBrainz know nobody else of a name. Set it before the first
	// request.
	Unambiguous bool

	base string // of one that Start has started

	mu       sync.Mutex
	scripts  map[string][]Behaviour
	requests map[string][]Request
	names    map[string]named // of subjects that answers gave an identifier to
}

// New returns providers that find everything.
func New() *Server {
	return &Server{Paint: draw, scripts: map[string][]Behaviour{}, requests: map[string][]Request{}, names: map[string]named{}}
}

// Start returns providers that listen on a free port until the test ends.
func Start(t interface{ Cleanup(f func()) }) *Server {
	s := New()
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections() // what hangs, hangs until then
		server.Close()
	})
	s.base = server.URL
	return s
}

// URL returns the base URL of a provider of a started server.
func (s *Server) URL(provider string) string { return s.base + "/" + provider }

// Script sets how a provider answers from now on: the first request in the first way,
// and so on; the last way stays.
func (s *Server) Script(provider string, behaviours ...Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts[provider] = slices.Clone(behaviours)
}

// Requests returns what a provider has been asked so far.
func (s *Server) Requests(provider string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests[provider])
}

// take notes a request and returns how it is answered.
func (s *Server) take(provider string, request Request) Behaviour {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[provider] = append(s.requests[provider], request)
	script := s.scripts[provider]
	if len(script) == 0 {
		return Found
	}
	if len(script) > 1 {
		s.scripts[provider] = script[1:]
	}
	return script[0]
}

// named is what a subject is called.
type named struct{ artist, album string }

func (s *Server) remember(id string, n named) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[id] = n
}

func (s *Server) recall(id string) named {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names[id]
}

// service is a provider as it answers.
type service struct {
	// read takes the subject out of a request. Its error is what is wrong with it.
	read func(*Request) error
	// authorised reports whether the right key is in a request; nil: none is needed.
	authorised func(*http.Request) bool
	// answers: found gets the pictures to show.
	found      func(*exchange) any
	absent     func(*exchange) reply
	keyRefused func(*exchange) reply
	overLimit  func(*exchange) reply
}

type reply struct {
	status int
	body   any
}

func services() map[string]service {
	return map[string]service{
		CoverArtArchive: coverArtArchive(), Deezer: deezer(), Discogs: discogs(), FanartTV: fanartTV(), ITunes: iTunes(),
		LastFM: lastFM(), MusicBrainz: musicBrainz(), TheAudioDB: theAudioDB(), Wikimedia: wikimedia(),
	}
}

// ServeHTTP answers as the provider that the path begins with, or with a picture.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	provider, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if provider == "images" {
		s.servePicture(w, path)
		return
	}
	service, ok := services()[provider]
	if !ok {
		http.NotFound(w, r)
		return
	}
	request := Request{At: time.Now(), Path: path, Query: r.URL.Query(), Header: r.Header.Clone()}
	wrong := service.read(&request)
	x := &exchange{server: s, provider: provider, base: "http://" + r.Host, request: request, behaviour: s.take(provider, request)}
	if wrong != nil {
		send(w, reply{http.StatusBadRequest, map[string]any{"error": wrong.Error()}})
		return
	}
	if x.inAnyWay(w, r) {
		return
	}
	send(w, x.reply(service, r))
}

// reply is the provider's own.
func (x *exchange) reply(service service, r *http.Request) reply {
	switch {
	case x.behaviour == KeyRefused || service.authorised != nil && !service.authorised(r):
		return service.keyRefused(x)
	case x.behaviour == OverLimit:
		return service.overLimit(x)
	case x.behaviour == Absent:
		return service.absent(x)
	}
	return reply{http.StatusOK, service.found(x)}
}
