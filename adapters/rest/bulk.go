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
}

// NewBulk returns the routes under /api/admin/metadata/bulk.
func NewBulk(submit *bulkapply.Submit, watch *bulkapply.Watch) *Bulk { return &Bulk{submit, watch} }

const bulkPrefix = metadataPrefix + "bulk/"

// Register implements Routes.
func (h *Bulk) Register(r *Router) {
	r.guarded(http.MethodPost, bulkPrefix+"apply", accesstoken.Write, h.apply)
	r.guarded(http.MethodGet, bulkPrefix+":jobId", accesstoken.Read, h.status)
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

func (h *Bulk) status(c *gin.Context) error {
	job, err := id(c, "jobId")
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
	c.JSON(http.StatusOK, api.BulkStatus{
		JobID: job, State: string(status.State), Done: status.Done, Failed: status.Failed, Total: status.Total, Results: out,
	})
	return nil
}
