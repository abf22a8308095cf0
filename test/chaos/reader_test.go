package chaos

import (
	"bufio"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"gatefold/domain/artwork"
)

// question is a request for what is in force in a place, or, if it has none, in all
// slots of an artist.
type question struct {
	place        *place
	artist       []*place
	method, path string
	condition    string // the tag that the client has; "": none
}

// how names the question.
func (q question) how() string {
	switch {
	case q.place == nil:
		return "GET all"
	case q.condition != "":
		return q.method + " with If-None-Match"
	default:
		return q.method
	}
}

// reader is a client of one instance. It keeps its connection, and sends several
// requests at once: that costs both sides little, so that many answers can be checked.
type reader struct {
	load *workload
	in   *instance
	dice *rand.Rand

	conn    net.Conn
	answers *bufio.Reader
	base    string
	known   map[*place]string // the tags that this client was given last
	artists [][]*place
}

func newReader(w *workload, in *instance, dice *rand.Rand) *reader {
	r := &reader{load: w, in: in, dice: dice, known: map[*place]string{}}
	of := map[artwork.ID]int{}
	for _, p := range w.places {
		if p.kind != artwork.ArtistSubject {
			continue
		}
		i, ok := of[p.id]
		if !ok {
			i = len(r.artists)
			of[p.id] = i
			r.artists = append(r.artists, nil)
		}
		r.artists[i] = append(r.artists[i], p)
	}
	return r
}

// run reads until the workload ends, no faster than its share of the rate.
func (r *reader) run() {
	defer r.hangUp()
	var quota time.Duration // per answer
	if r.load.rate > 0 {
		quota = time.Second * instances * readersPerInstance / time.Duration(r.load.rate)
	}
	next := r.load.now()
	for {
		questions := r.questions(1 + r.dice.IntN(maxPipelined))
		next = max(next, r.load.now()-time.Second) // what was missed is caught up with, within limits
		for _, q := range questions {
			next += quota * time.Duration(max(1, len(q.artist)))
		}
		if !r.ask(questions) {
			next = max(next, r.load.now()+20*time.Millisecond)
		}
		if !r.load.rest(max(0, next-r.load.now())) {
			return
		}
	}
}

// questions makes up some: most as browsers ask that have the image, some for all slots
// of an artist, some only for the headers, and some for the bytes.
func (r *reader) questions(n int) []question {
	list := make([]question, n)
	for i := range list {
		p := r.load.wanted(r.dice)
		q := question{place: p, method: http.MethodGet, path: p.image()}
		switch roll := r.dice.Float64(); {
		case roll < 0.25 && len(r.artists) > 0:
			of := r.artists[r.dice.IntN(len(r.artists))]
			q = question{artist: of, method: http.MethodGet, path: "/api/images/artists/" + of[0].id.String() + "/all"}
		case roll < 0.35:
			q.method = http.MethodHead
		case roll < 0.95:
			q.condition = r.known[p]
		}
		list[i] = q
	}
	return list
}

// ask sends the questions and records the answers. It reports whether all were answered.
func (r *reader) ask(questions []question) bool {
	asked := r.load.now()
	answered := 0
	err := r.send(questions)
	for ; err == nil && answered < len(questions); answered++ {
		err = r.receive(questions[answered], asked)
	}
	if err != nil {
		r.load.failures.Add(int64(len(questions) - answered))
		r.hangUp()
		return false
	}
	return true
}

func (r *reader) hangUp() {
	if r.conn != nil {
		_ = r.conn.Close()
		r.conn = nil
	}
}

func (r *reader) send(questions []question) error {
	if r.conn == nil || r.base != r.in.url() {
		r.hangUp()
		r.base = r.in.url()
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(r.base, "http://"), readerPatience)
		if err != nil {
			return err
		}
		r.conn, r.answers = conn, bufio.NewReader(conn)
	}
	var text strings.Builder
	for _, q := range questions {
		text.WriteString(q.method + " " + q.path + " HTTP/1.1\r\nHost: gatefold\r\n")
		if q.condition != "" {
			text.WriteString("If-None-Match: \"" + q.condition + "\"\r\n")
		}
		text.WriteString("\r\n")
	}
	if err := r.conn.SetDeadline(time.Now().Add(readerPatience)); err != nil {
		return err
	}
	_, err := io.WriteString(r.conn, text.String())
	return err
}

func (r *reader) receive(q question, asked time.Duration) error {
	resp, err := http.ReadResponse(r.answers, &http.Request{Method: q.method})
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return err
	}
	got := reading{window{asked, r.load.now()}, r.in.String(), q.how()}
	tag := strings.Trim(resp.Header.Get("ETag"), `"`)
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable:
		r.load.failures.Add(1)
	case q.place == nil && resp.StatusCode == http.StatusOK:
		return r.receiveAll(q, got, body)
	case q.place != nil && resp.StatusCode == http.StatusOK && q.method == http.MethodGet:
		r.checkBody(q, tag, body)
		r.note(q.place, tag, got)
	case q.place != nil && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNotModified):
		r.note(q.place, tag, got)
	case q.place != nil && resp.StatusCode == http.StatusNotFound:
		r.note(q.place, "", got)
	default:
		r.load.failures.Add(1)
		r.load.surprise("%s %s was answered %d: %s", q.how(), q.path, resp.StatusCode, body)
	}
	return nil
}

// note records what is in force in a place.
func (r *reader) note(p *place, tag string, got reading) {
	r.known[p] = tag
	p.record.read(tag, got)
	r.load.readings.Add(1)
}

// checkBody checks that the bytes are those that the tag stands for.
func (r *reader) checkBody(q question, tag string, body []byte) {
	r.load.bodies.Add(1)
	if is := string(artwork.TagOf(artwork.HashOf(body), nil)); is != tag {
		r.load.surprise("%s was answered with the tag %s and the bytes of %s", q.path, tag, is)
	}
}

func (r *reader) receiveAll(q question, got reading, body []byte) error {
	var all struct {
		Images map[string]struct{ Tag string }
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return err
	}
	for _, p := range q.artist {
		r.note(p, all.Images[p.slot.String()].Tag, got)
	}
	return nil
}
