package providerfixture

import (
	"encoding/json"
	"net/http"
	"strings"
)

// exchange is a request on its way to an answer.
type exchange struct {
	server    *Server
	provider  string
	base      string // of the URLs of pictures
	request   Request
	behaviour Behaviour
}

// inAnyWay answers in the ways that are the same for all providers, and reports
// whether the behaviour is one.
func (x *exchange) inAnyWay(w http.ResponseWriter, r *http.Request) bool {
	switch x.behaviour {
	case TooMany, TooManyShortly, TooManyForLong:
		after := map[Behaviour]string{TooManyShortly: "1", TooManyForLong: "3600"}[x.behaviour]
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		send(w, reply{http.StatusTooManyRequests, map[string]any{"message": "slow down"}})
	case Failing:
		page(w, http.StatusInternalServerError, "Internal Server Error")
	case Overloaded:
		page(w, http.StatusServiceUnavailable, "Service Unavailable")
	case Reset:
		panic(http.ErrAbortHandler)
	case Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Malformed:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"data":[{"name":"half of an`))
	case WrongTypes:
		send(w, reply{http.StatusOK, wrongTypes()})
	case Oversize:
		oversize(w)
	case WebPage:
		page(w, http.StatusOK, "Please log in to this network")
	default:
		return false
	}
	return true
}

// wrongTypes has the fields of all the answers, as what they are not.
func wrongTypes() map[string]any {
	body := map[string]any{}
	for _, name := range []string{
		"images", "artistthumb", "albums", "artists", "album", "data", "results", "query", "entities", "release-groups",
	} {
		body[name] = 7
	}
	return body
}

// oversize is an answer that is right but for its length.
func oversize(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"filler":"`))
	filler := []byte(strings.Repeat("x", 1<<16))
	for range 96 { // 6 MB
		if _, err := w.Write(filler); err != nil {
			return // the client has seen enough
		}
	}
	_, _ = w.Write([]byte(`"}`))
}

func page(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!doctype html><title>" + title + "</title><h1>" + title + "</h1>"))
}

func send(w http.ResponseWriter, r reply) {
	body, err := json.Marshal(r.body)
	if err != nil {
		panic(err) // all of it is ours
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(r.status)
	_, _ = w.Write(body)
}

// plain is a reply that depends on nothing.
func plain(status int, body any) func(*exchange) reply {
	return func(*exchange) reply { return reply{status, body} }
}

// noKey is the answer of providers without keys, which are said to refuse one.
var noKey = plain(http.StatusForbidden, map[string]any{"error": "forbidden"})
