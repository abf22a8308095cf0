package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
)

// slowWriter is a client that takes nothing until it is let.
type slowWriter struct {
	*httptest.ResponseRecorder
	taking chan struct{} // of each time that something is offered
	let    chan struct{}
}

func (w *slowWriter) WriteString(text string) (int, error) {
	w.taking <- struct{}{}
	<-w.let
	return w.ResponseRecorder.WriteString(text)
}

func (w *slowWriter) Write(p []byte) (int, error) { return w.WriteString(string(p)) }

func (w *slowWriter) SetWriteDeadline(time.Time) error { return nil }

// streamed answers a request for events by run, and returns what the client read.
func streamed(w http.ResponseWriter, run func(applyimage.Progress) (any, error)) error {
	gin.SetMode(gin.ReleaseMode)
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest(http.MethodPost, "/", nil)
	c.Request.Header.Set("Accept", "text/event-stream")
	return answerApply(c, http.StatusCreated, run)
}

// TestNoApplyWaitsForItsClient: one that takes nothing hears of all phases when it does,
// and of a download how far it is by then.
func TestNoApplyWaitsForItsClient(t *testing.T) {
	t.Parallel()
	w := &slowWriter{httptest.NewRecorder(), make(chan struct{}, 100), make(chan struct{})}
	ended := make(chan error, 1)
	applied := make(chan struct{})
	go func() {
		ended <- streamed(w, func(progress applyimage.Progress) (any, error) {
			progress(applyimage.Step{Phase: applyimage.Downloading})
			<-w.taking // the client is busy with that
			for n := range int64(1000) {
				progress(applyimage.Step{Phase: applyimage.Downloading, Received: n + 1, Total: 1000})
			}
			progress(applyimage.Step{Phase: applyimage.Checking})
			progress(applyimage.Step{Phase: applyimage.Confirming})
			close(applied)
			return gin.H{"success": true}, nil
		})
	}()
	<-applied
	close(w.let)
	require.NoError(t, <-ended)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, []string{
		`event: phase` + "\n" + `data: {"phase":"downloading"}`,
		`event: phase` + "\n" + `data: {"phase":"downloading","received":1000,"total":1000}`,
		`event: phase` + "\n" + `data: {"phase":"checking"}`,
		`event: phase` + "\n" + `data: {"phase":"confirming"}`,
		`event: complete` + "\n" + `data: {"success":true}`,
	}, strings.Split(strings.TrimSpace(w.Body.String()), "\n\n"))
}

// brokenWriter is a client that has left.
type brokenWriter struct{ *httptest.ResponseRecorder }

func (brokenWriter) Write([]byte) (int, error)        { return 0, io.ErrClosedPipe }
func (brokenWriter) WriteString(string) (int, error)  { return 0, io.ErrClosedPipe }
func (brokenWriter) SetWriteDeadline(time.Time) error { return nil }

// TestAClientThatLeftEndsNoApply, nor is it written to again.
func TestAClientThatLeftEndsNoApply(t *testing.T) {
	t.Parallel()
	told := 0
	require.NoError(t, streamed(brokenWriter{httptest.NewRecorder()}, func(progress applyimage.Progress) (any, error) {
		for range 100 {
			progress(applyimage.Step{Phase: applyimage.Fencing})
			progress(applyimage.Step{Phase: applyimage.Recording})
			told++
		}
		return gin.H{}, nil
	}))
	require.Equal(t, 100, told)
}

// TestWhatFailsBeforeItBeginsIsNoStream: the error is the answer's status.
func TestWhatFailsBeforeItBeginsIsNoStream(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	refused := errors.New("refused")
	require.ErrorIs(t, streamed(w, func(applyimage.Progress) (any, error) { return nil, refused }), refused)
	require.Empty(t, w.Body.String())
	require.Empty(t, w.Header().Get("Content-Type"))
}

// TestAStreamThatIsLeftIsNoSuccess to those who watch the service, though it began with 200.
func TestAStreamThatIsLeftIsNoSuccess(t *testing.T) {
	t.Parallel()
	gin.SetMode(gin.ReleaseMode)
	c, _ := gin.CreateTestContext(brokenWriter{httptest.NewRecorder()})
	ctx, leave := context.WithCancel(t.Context())
	c.Request = httptest.NewRequestWithContext(ctx, http.MethodPost, "/", http.NoBody)
	newAnswerStream(c).send("phase", nil)
	require.Equal(t, http.StatusOK, outcome(c))
	leave()
	(&Router{}).fail(c, ctx.Err())
	require.Equal(t, statusClientClosedRequest, outcome(c))
}
