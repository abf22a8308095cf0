package rest

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/findimages"
)

// answerSearch answers when all providers have, or to who accepts an event stream as
// they do: an event "candidates" or "failure" of each, then "complete" with the whole
// answer, in which the same picture is there once.
func answerSearch(c *gin.Context, offers offers, run func(findimages.Observer) (any, error)) error {
	c.Header("Cache-Control", "no-store")
	if !acceptsEvents(c) {
		answer, err := run(nil)
		if err != nil {
			return err
		}
		c.JSON(http.StatusOK, answer)
		return nil
	}
	stream := &searchStream{c: c}
	answer, err := run(func(report findimages.Report) {
		if report.Err != nil {
			stream.send("failure", api.ProviderFailure{Provider: report.Provider.ID, Message: messageOf(report.Err)})
			return
		}
		stream.send("candidates", api.ProviderCandidates{Provider: report.Provider.ID, Candidates: offers.bodiesOf(report.Candidates)})
	})
	if err != nil {
		if stream.begun {
			return nil // it ends without "complete"
		}
		return err
	}
	stream.send("complete", answer)
	return nil
}

// acceptsEvents reports whether the client asked for an event stream
// (html.spec.whatwg.org/multipage/server-sent-events.html).
func acceptsEvents(c *gin.Context) bool {
	for accepted := range strings.SplitSeq(c.GetHeader("Accept"), ",") {
		mediaType, _, _ := strings.Cut(accepted, ";")
		if strings.EqualFold(strings.TrimSpace(mediaType), "text/event-stream") {
			return true
		}
	}
	return false
}

// searchStream is an event stream that begins with the first event: until then the
// answer may still be a problem.
type searchStream struct {
	c     *gin.Context
	begun bool
}

// send writes the event. A client that is gone is noticed by the request's context.
func (s *searchStream) send(event string, data any) {
	if !s.begun {
		s.begun = true
		s.c.Header("Content-Type", "text/event-stream")
		s.c.Header("X-Accel-Buffering", "no")
		s.c.Status(http.StatusOK)
	}
	stream := &eventStream{http.NewResponseController(s.c.Writer), s.c.Writer, DefaultStreamLimits}
	_ = stream.write(format("", event, data))
}
