package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/findimages"
)

// answerSearch answers when all providers have, or to who accepts an event stream as
// they do: an event "asking" of each that is asked, "candidates" or "failure" as each
// answers, then "complete" with the whole answer, in which the same picture is there once.
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
	stream := newAnswerStream(c)
	answer, err := run(func(report findimages.Report) {
		if report.Asking {
			stream.send("asking", api.AskedProvider{Provider: report.Provider.ID, Name: report.Provider.Name})
			return
		}
		if report.Err != nil {
			stream.send("failure", api.ProviderFailure{Provider: report.Provider.ID, Message: messageOf(report.Err)})
			return
		}
		stream.send("candidates", api.ProviderCandidates{Provider: report.Provider.ID, Candidates: offers.bodiesOf(report.Candidates)})
	})
	if err != nil {
		return err
	}
	stream.send("complete", answer)
	return nil
}
