package rest

import (
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/applyimage"
)

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

// answerStream is an answer that comes as events, the last of which is "complete" with
// the whole answer, or "problem". It begins with the first event: until then the answer
// may still be a problem document.
type answerStream struct {
	c      *gin.Context
	begun  bool
	gone   bool // the client takes nothing any more
	status int  // of the problem that it ended with; 0: none
}

const answerStreamKey = "rest.answerStream"

// newAnswerStream returns the stream of a request, of which the router knows: an error
// of a handler that has begun it ends it with a problem.
func newAnswerStream(c *gin.Context) *answerStream {
	s := &answerStream{c: c}
	c.Set(answerStreamKey, s)
	return s
}

// begunStream returns the stream that the answer is, if it has begun, or nil.
func begunStream(c *gin.Context) *answerStream {
	s, _ := c.Value(answerStreamKey).(*answerStream)
	if s == nil || !s.begun {
		return nil
	}
	return s
}

// end ends the stream with a problem of the status.
func (s *answerStream) end(status int, problem any) {
	s.status = status
	s.send("problem", problem)
}

// outcome returns the status of the answer, for those who watch the service. A stream that has
// ended with a problem was answered by 200 before anybody knew: it has the problem's.
func outcome(c *gin.Context) int {
	if s := begunStream(c); s != nil && s.status != 0 {
		return s.status
	}
	return c.Writer.Status()
}

// send writes the event. A client that is gone is noticed by the request's context.
func (s *answerStream) send(event string, data any) {
	if s.gone {
		return
	}
	if !s.begun {
		s.begun = true
		s.c.Header("Content-Type", "text/event-stream")
		s.c.Header("X-Accel-Buffering", "no")
		s.c.Status(http.StatusOK)
	}
	stream := &eventStream{control: http.NewResponseController(s.c.Writer), out: s.c.Writer, limits: DefaultStreamLimits}
	s.gone = stream.write(format("", event, data)) != nil
}

// answerApply answers with the status when an apply is done, or to who accepts an event
// stream as it goes on: an event "phase" of each step, then "complete" with the answer.
func answerApply(c *gin.Context, status int, run func(applyimage.Progress) (any, error)) error {
	c.Header("Cache-Control", "no-store")
	if !acceptsEvents(c) {
		answer, err := run(nil)
		if err != nil {
			return err
		}
		c.JSON(status, answer)
		return nil
	}
	steps := tellSteps(newAnswerStream(c))
	defer steps.end() // also of a run that panics
	answer, err := run(steps.tell)
	steps.end()
	if err != nil {
		return err
	}
	steps.stream.send("complete", answer)
	return nil
}

// steps tells a client of an apply, in a goroutine of its own: no apply waits for its
// client.
type steps struct {
	stream *answerStream // of the goroutine, until it is done
	more   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	waiting []applyimage.Step
	ended   bool
}

func tellSteps(stream *answerStream) *steps {
	s := &steps{stream: stream, more: make(chan struct{}, 1), done: make(chan struct{})}
	go s.pump()
	return s
}

// tell implements applyimage.Progress. Of a phase that goes on while the client is slow,
// it is told the latest.
func (s *steps) tell(step applyimage.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if n := len(s.waiting); n > 0 && s.waiting[n-1].Phase == step.Phase {
		s.waiting[n-1] = step
	} else {
		s.waiting = append(s.waiting, step)
	}
	select {
	case s.more <- struct{}{}:
	default: // the goroutine is going to look anyhow
	}
}

// end returns when the client was told of every step, or is gone. The stream is the
// caller's then.
func (s *steps) end() {
	s.mu.Lock()
	if !s.ended {
		s.ended = true
		close(s.more)
	}
	s.mu.Unlock()
	<-s.done
}

func (s *steps) pump() {
	defer close(s.done)
	for range s.more {
		s.send()
	}
	s.send()
}

func (s *steps) send() {
	s.mu.Lock()
	waiting := s.waiting
	s.waiting = nil
	s.mu.Unlock()
	for _, step := range waiting {
		s.stream.send("phase", api.ApplyPhase{Phase: step.Phase, Received: step.Received, Total: step.Total})
	}
}
