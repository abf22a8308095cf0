package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

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
	var in struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := decodeJSONUpTo(c, maxBulkJSON, &in); err != nil {
		return err
	}
	if n := len(in.Items); n < 1 || n > bulkapply.MaxItems {
		return artwork.Errorf(artwork.InvalidInput, "items must be 1 to %d, not %d", bulkapply.MaxItems, n)
	}
	items := make([]bulkapply.Item, len(in.Items))
	for n, raw := range in.Items {
		item, err := decodeItem(raw)
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
	c.JSON(http.StatusAccepted, gin.H{"jobId": job})
	return nil
}

func decodeItem(raw json.RawMessage) (bulkapply.Item, error) {
	var in struct {
		Subject  artwork.SubjectKind `json:"subject"`
		ID       artwork.ID          `json:"id"`
		Type     artwork.Slot        `json:"type"`
		URL      string              `json:"url"`
		ImageID  artwork.ID          `json:"imageId"`
		Provider string              `json:"provider"`
		statedBody
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return bulkapply.Item{}, badJSON("the item", err)
	}
	place := artwork.Place{Subject: artwork.Subject{Kind: in.Subject, ID: in.ID}, Slot: in.Type}
	item := bulkapply.Item{Place: place, URL: in.URL, ImageID: in.ImageID, Provider: in.Provider, Stated: in.stated()}
	return item, item.Check()
}

// itemResult is what is told of an item: a problem as the single call's document
// would have it.
type itemResult struct {
	Index   int          `json:"index"`
	Success bool         `json:"success"`
	Tag     artwork.Tag  `json:"tag,omitempty"`
	Problem *itemProblem `json:"problem,omitempty"`
}

type itemProblem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func itemResultOf(result bulkapply.Result) itemResult {
	out := itemResult{Index: result.N, Success: result.Problem == nil, Tag: result.Tag}
	if p := result.Problem; p != nil {
		status := statuses[p.Kind]
		out.Problem = &itemProblem{problemType(p.Kind.String()), http.StatusText(status), status, cmp.Or(p.Detail, http.StatusText(status))}
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
	out := make([]itemResult, len(results))
	for i, result := range results {
		out[i] = itemResultOf(result)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{
		"jobId": job, "state": status.State, "done": status.Done, "failed": status.Failed, "total": status.Total, "results": out,
	})
	return nil
}
