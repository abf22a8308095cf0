package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/bulkapply"
	"gatefold/domain/artwork"
)

// maxBulkJSON bounds the body of a bulk apply: a thousand items with long URLs.
const maxBulkJSON = 4 << 20

// Bulk are the routes that put many images in force, and tell how that goes on.
type Bulk struct {
	submit *bulkapply.Submit
	watch  *bulkapply.Watch
	manage *bulkapply.Manage
}

// NewBulk returns the routes under /api/admin/metadata/bulk.
func NewBulk(submit *bulkapply.Submit, watch *bulkapply.Watch, manage *bulkapply.Manage) *Bulk {
	return &Bulk{submit, watch, manage}
}

const bulkPrefix = metadataPrefix + "bulk/"

// Register implements Routes.
func (h *Bulk) Register(r *Router) {
	r.guarded(http.MethodPost, bulkPrefix+"apply", accesstoken.Write, h.apply)
	r.guarded(http.MethodGet, metadataPrefix+"bulk", accesstoken.Read, h.list)
	r.guarded(http.MethodGet, bulkPrefix+":jobId", accesstoken.Read, h.status)
	r.guarded(http.MethodPost, bulkPrefix+":jobId/cancel", accesstoken.Write, h.cancel)
}

// apply answers before anything is done. Items are decoded one by one, so that
// what is wrong can be said of the one it is wrong with.
func (h *Bulk) apply(c *gin.Context) error {
	var in api.BulkApply
	if err := decodeJSONUpTo(c, maxBulkJSON, &in); err != nil {
		return err
	}
	if n := len(in.Items); n < 1 || n > bulkapply.MaxItems {
		return artwork.Errorf(artwork.InvalidInput, "items must be 1 to %d, not %d", bulkapply.MaxItems, n)
	}
	items := make([]bulkapply.Item, len(in.Items))
	for n, raw := range in.Items {
		item, err := decodeItem(raw)
		if err == nil {
			err = mayChange(c, item.Place.Subject)
		}
		if err != nil {
			return bulkapply.InItem(n, err)
		}
		items[n] = item
	}
	job, err := h.submit.Run(c.Request.Context(), items, caller(c))
	if err != nil {
		return err
	}
	c.Header("Location", bulkPrefix+job.String())
	c.JSON(http.StatusAccepted, api.BulkJob{JobID: job})
	return nil
}

func decodeItem(raw json.RawMessage) (bulkapply.Item, error) {
	var in api.BulkItem
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return bulkapply.Item{}, badJSON("the item", err)
	}
	place := artwork.Place{Subject: artwork.Subject{Kind: in.Subject, ID: in.ID}, Slot: in.Type}
	item := bulkapply.Item{Place: place, URL: in.URL, ImageID: in.ImageID, Provider: in.Provider, Stated: statedOf(in.Licence, in.Attribution, in.SourcePage)}
	return item, item.Check()
}

// itemResultOf returns what is told of an item: a problem as the single call's
// document would have it.
func itemResultOf(result bulkapply.Result) api.BulkResult {
	out := api.BulkResult{Index: result.N, Success: result.Problem == nil, Tag: result.Tag}
	if p := result.Problem; p != nil {
		status := statuses[p.Kind]
		out.Problem = &api.BulkProblem{
			Type: problemType(p.Kind.String()), Title: http.StatusText(status), Status: status, Detail: cmp.Or(p.Detail, http.StatusText(status)),
		}
		if p.Kind == artwork.Internal {
			out.Problem.Detail = "something went wrong inside Gatefold; its log has the details under the id of the job"
		}
	}
	return out
}

func (h *Bulk) list(c *gin.Context) error {
	if err := onlyQuery(c, "limit"); err != nil {
		return err
	}
	limit, err := readNumber(c, "limit", 20, bulkapply.MaxListed)
	if err != nil {
		return err
	}
	jobs, err := h.manage.List(c.Request.Context(), limit)
	if err != nil {
		return err
	}
	out := api.BulkJobs{Jobs: make([]api.BulkOverview, len(jobs))}
	for i, job := range jobs {
		out.Jobs[i] = bulkOverviewOf(job)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

func bulkOverviewOf(job bulkapply.Overview) api.BulkOverview {
	return api.BulkOverview{
		JobID: job.ID, State: string(job.State), Done: job.Done, Failed: job.Failed, Total: job.Total,
		StartedBy: job.By.Name, CreatedAt: job.CreatedAt, FinishedAt: job.FinishedAt,
	}
}

func (h *Bulk) cancel(c *gin.Context) error {
	job, err := id(c, "jobId")
	if err != nil {
		return err
	}
	overview, err := h.manage.Cancel(c.Request.Context(), caller(c), job)
	if err != nil {
		return err
	}
	c.JSON(http.StatusAccepted, bulkOverviewOf(overview))
	return nil
}

// bulkItemsOf returns what was asked for, as it can be asked for again.
func bulkItemsOf(items []bulkapply.Item) []api.BulkItem {
	out := make([]api.BulkItem, len(items))
	for i, item := range items {
		out[i] = api.BulkItem{
			Subject: item.Place.Subject.Kind, ID: item.Place.Subject.ID, Type: item.Place.Slot,
			URL: item.URL, ImageID: item.ImageID, Provider: item.Provider,
			Licence: item.Stated.Licence, Attribution: item.Stated.Attribution, SourcePage: item.Stated.SourcePage,
		}
	}
	return out
}

func (h *Bulk) status(c *gin.Context) error {
	job, err := id(c, "jobId")
	if err != nil {
		return err
	}
	if err := onlyQuery(c, "items"); err != nil {
		return err
	}
	withItems, err := readFlag(c, "items")
	if err != nil {
		return err
	}
	overview, items, err := h.manage.Read(c.Request.Context(), job)
	if err != nil {
		return err
	}
	status, results, err := h.watch.Run(c.Request.Context(), job)
	if err != nil {
		return err
	}
	out := make([]api.BulkResult, len(results))
	for i, result := range results {
		out[i] = itemResultOf(result)
	}
	c.Header("Cache-Control", "no-store")
	answer := api.BulkStatus{
		JobID: job, State: string(status.State), Done: status.Done, Failed: status.Failed, Total: status.Total, Results: out,
		StartedBy: overview.By.Name, CreatedAt: overview.CreatedAt, FinishedAt: overview.FinishedAt,
	}
	if withItems {
		answer.Items = bulkItemsOf(items)
	}
	c.JSON(http.StatusOK, answer)
	return nil
}
