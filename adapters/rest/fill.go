package rest

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/fillmissing"
	"gatefold/application/previewimage"
	"gatefold/domain/artwork"
)

// Fill are the routes that have empty slots filled.
type Fill struct {
	manage *fillmissing.Manage
	offers offers
}

// NewFill returns the routes under /api/admin/metadata/fill.
func NewFill(manage *fillmissing.Manage, previews *previewimage.Previews) *Fill {
	return &Fill{manage, offers{previews}}
}

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
	in := api.FillWish{MinScore: fillmissing.DefaultMinScore}
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
	c.JSON(http.StatusAccepted, api.FillAccepted{JobID: status.ID, State: status.State})
	return nil
}

func (h *Fill) apply(c *gin.Context) error {
	job, err := id(c, "jobId")
	if err != nil {
		return err
	}
	var in api.FillSelection
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

// fillJobOf returns what is told of a job in a list.
func fillJobOf(s fillmissing.Status) api.FillJob {
	return api.FillJob{
		JobID: s.ID, Type: s.Slot, DryRun: s.DryRun, MinScore: s.MinScore, Again: s.Again, Of: s.Of, State: s.State, Reason: s.Reason,
		StartedBy: s.By.Name, CreatedAt: s.CreatedAt, StartedAt: s.StartedAt, FinishedAt: s.FinishedAt, Counts: s.Counts,
	}
}

// fillStatusOf returns what is told of a job by itself.
func fillStatusOf(s fillmissing.Status) api.FillStatus {
	return api.FillStatus{
		JobID: s.ID, Type: s.Slot, DryRun: s.DryRun, MinScore: s.MinScore, Again: s.Again, Of: s.Of, State: s.State, Reason: s.Reason,
		StartedBy: s.By.Name, CreatedAt: s.CreatedAt, StartedAt: s.StartedAt, FinishedAt: s.FinishedAt, Counts: s.Counts,
	}
}

func (o offers) fillItems(s fillmissing.Status, items []fillmissing.Item) []api.FillItem {
	out := make([]api.FillItem, len(items))
	for i, item := range items {
		out[i] = api.FillItem{
			Subject: s.Kind(), ID: item.SubjectID, Name: item.Name, ArtistName: item.Artist, Type: s.Slot,
			Outcome: item.Outcome, Score: item.Score, Tag: item.Tag, Reason: item.Reason,
		}
		if c := item.Candidate; c != nil {
			out[i].Candidate = &api.FillCandidate{
				Provider: c.Provider, URL: c.URL, ThumbnailURL: c.ThumbnailURL, Width: c.Width, Height: c.Height,
				ByName: c.ByName, Licence: c.Licence, Attribution: c.Attribution,
				PreviewURL: o.thumbnail(*c), FullPreviewURL: o.preview(c.URL),
			}
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
	out := api.FillJobs{Jobs: make([]api.FillJob, len(jobs))}
	for i, job := range jobs {
		out.Jobs[i] = fillJobOf(job)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
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
	answer := fillStatusOf(status)
	answer.Failures, answer.Items = h.offers.fillItems(status, failures), h.offers.fillItems(status, items)
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
