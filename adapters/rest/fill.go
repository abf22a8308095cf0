package rest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/fillmissing"
	"gatefold/domain/artwork"
)

// Fill are the routes that have empty slots filled.
type Fill struct{ manage *fillmissing.Manage }

// NewFill returns the routes under /api/admin/metadata/fill.
func NewFill(manage *fillmissing.Manage) *Fill { return &Fill{manage} }

const fillPath = metadataPrefix + "fill"

// examples is how many failures are told with a job.
const examples = 5

// Register implements Routes.
func (h *Fill) Register(r *Router) {
	r.guarded(http.MethodPost, fillPath, accesstoken.Write, h.start)
	r.guarded(http.MethodGet, fillPath, accesstoken.Read, h.list)
	r.guarded(http.MethodGet, fillPath+"/:jobId", accesstoken.Read, h.status)
	r.guarded(http.MethodPost, fillPath+"/:jobId/apply", accesstoken.Write, h.apply)
	for path, order := range map[string]fillmissing.Order{"pause": fillmissing.Pause, "resume": fillmissing.Resume, "cancel": fillmissing.Cancel} {
		r.guarded(http.MethodPost, fillPath+"/:jobId/"+path, accesstoken.Write, h.order(order))
	}
}

func (h *Fill) start(c *gin.Context) error {
	in := struct {
		Type     artwork.Slot `json:"type"`
		DryRun   bool         `json:"dryRun"`
		MinScore float64      `json:"minScore"`
		Again    bool         `json:"again"`
	}{MinScore: fillmissing.DefaultMinScore}
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	status, err := h.manage.Start(c.Request.Context(), caller(c), fillmissing.Wish{Slot: in.Type, DryRun: in.DryRun, MinScore: in.MinScore, Again: in.Again})
	return acceptedJob(c, status, err)
}

// acceptedJob answers that a job is kept, or changed.
func acceptedJob(c *gin.Context, status fillmissing.Status, err error) error {
	if err != nil {
		return err
	}
	c.Header("Location", fillPath+"/"+status.ID.String())
	c.JSON(http.StatusAccepted, gin.H{"jobId": status.ID, "state": status.State})
	return nil
}

func (h *Fill) apply(c *gin.Context) error {
	job, err := id(c, "jobId")
	if err != nil {
		return err
	}
	var in struct {
		All    bool         `json:"all"`
		Except []artwork.ID `json:"except"`
		Only   []artwork.ID `json:"only"`
	}
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	status, err := h.manage.CarryOut(c.Request.Context(), caller(c), job, fillmissing.Selection{All: in.All, Except: in.Except, Only: in.Only})
	return acceptedJob(c, status, err)
}

func (h *Fill) order(order fillmissing.Order) handler {
	return func(c *gin.Context) error {
		job, err := id(c, "jobId")
		if err != nil {
			return err
		}
		status, err := h.manage.Order(c.Request.Context(), caller(c), job, order)
		return acceptedJob(c, status, err)
	}
}

// fillStatus is what is told of a job.
type fillStatus struct {
	JobID      artwork.ID         `json:"jobId"`
	Type       artwork.Slot       `json:"type"`
	DryRun     bool               `json:"dryRun"`
	MinScore   float64            `json:"minScore"`
	Again      bool               `json:"again"`
	Of         artwork.ID         `json:"of,omitzero"`
	State      fillmissing.State  `json:"state"`
	Reason     string             `json:"reason,omitempty"`
	StartedBy  string             `json:"startedBy"`
	CreatedAt  time.Time          `json:"createdAt"`
	StartedAt  *time.Time         `json:"startedAt,omitempty"`
	FinishedAt *time.Time         `json:"finishedAt,omitempty"`
	Counts     fillmissing.Counts `json:"counts"`
}

func fillStatusOf(s fillmissing.Status) fillStatus {
	known := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	return fillStatus{
		s.ID, s.Slot, s.DryRun, s.MinScore, s.Again, s.Of, s.State, s.Reason, s.By.Name,
		s.CreatedAt, known(s.StartedAt), known(s.FinishedAt), s.Counts,
	}
}

// fillItem is what is told of a subject.
type fillItem struct {
	Subject   artwork.SubjectKind `json:"subject"`
	ID        artwork.ID          `json:"id"`
	Name      string              `json:"name"`
	Artist    string              `json:"artistName,omitempty"`
	Type      artwork.Slot        `json:"type"`
	Outcome   fillmissing.Outcome `json:"outcome"`
	Score     float64             `json:"score,omitempty"`
	Candidate *fillCandidate      `json:"candidate,omitempty"`
	Tag       artwork.Tag         `json:"tag,omitempty"`
	Reason    string              `json:"reason,omitempty"`
}

type fillCandidate struct {
	Provider     string `json:"provider"`
	URL          string `json:"url"`
	ThumbnailURL string `json:"thumbnailUrl,omitempty"`
	Width        int    `json:"width,omitempty"`
	Height       int    `json:"height,omitempty"`
	ByName       bool   `json:"byName,omitempty"`
	Licence      string `json:"licence,omitempty"`
	Attribution  string `json:"attribution,omitempty"`
}

func fillItemsOf(s fillmissing.Status, items []fillmissing.Item) []fillItem {
	out := make([]fillItem, len(items))
	for i, item := range items {
		out[i] = fillItem{
			Subject: s.Kind(), ID: item.SubjectID, Name: item.Name, Artist: item.Artist, Type: s.Slot,
			Outcome: item.Outcome, Score: item.Score, Tag: item.Tag, Reason: item.Reason,
		}
		if c := item.Candidate; c != nil {
			out[i].Candidate = &fillCandidate{c.Provider, c.URL, c.ThumbnailURL, c.Width, c.Height, c.ByName, c.Licence, c.Attribution}
		}
	}
	return out
}

func (h *Fill) list(c *gin.Context) error {
	if err := onlyQuery(c, "limit"); err != nil {
		return err
	}
	limit, err := fillLimit(c, 20)
	if err != nil {
		return err
	}
	jobs, err := h.manage.List(c.Request.Context(), limit)
	if err != nil {
		return err
	}
	out := make([]fillStatus, len(jobs))
	for i, job := range jobs {
		out[i] = fillStatusOf(job)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{"jobs": out})
	return nil
}

// fillLimit reads how many are wanted; the use cases know what is too many.
func fillLimit(c *gin.Context, usual int) (int, error) {
	text, given := c.GetQuery("limit")
	if !given {
		return usual, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil {
		return 0, artwork.Errorf(artwork.InvalidInput, "limit must be 1 to %d", fillmissing.MaxListed)
	}
	return limit, nil
}

// status answers with the job and a page of what it has to say of subjects.
func (h *Fill) status(c *gin.Context) error {
	job, err := id(c, "jobId")
	if err != nil {
		return err
	}
	query, err := fillQuery(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	status, err := h.manage.Find(ctx, job)
	if err != nil {
		return err
	}
	items, err := h.manage.Items(ctx, job, query)
	if err != nil {
		return err
	}
	failures, err := h.manage.Items(ctx, job, fillmissing.ItemQuery{Limit: examples, Outcome: fillmissing.Errored})
	if err != nil {
		return err
	}
	answer := struct {
		fillStatus
		Failures []fillItem `json:"failures"`
		Items    []fillItem `json:"items"`
		Next     artwork.ID `json:"next,omitzero"`
	}{fillStatusOf(status), fillItemsOf(status, failures), fillItemsOf(status, items), artwork.ID{}}
	if len(items) == query.Limit {
		answer.Next = items[len(items)-1].SubjectID
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, answer)
	return nil
}

func fillQuery(c *gin.Context) (query fillmissing.ItemQuery, err error) {
	if err := onlyQuery(c, "cursor", "limit", "outcome"); err != nil {
		return query, err
	}
	if query.Limit, err = fillLimit(c, 50); err != nil {
		return query, err
	}
	if text, given := c.GetQuery("cursor"); given {
		if query.After, err = artwork.ParseID(text); err != nil {
			return query, err
		}
	}
	if text, given := c.GetQuery("outcome"); given {
		query.Outcome, err = fillmissing.ParseOutcome(text)
	}
	return query, err
}
