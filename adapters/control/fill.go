package control

import (
	"context"
	"net/http"

	"gatefold/application/fillmissing"
	"gatefold/domain/artwork"
)

// Paths of the verbs on jobs that fill empty slots.
const (
	startFillPath = "/fill/start"
	applyFillPath = "/fill/apply"
	orderFillPath = "/fill/order"
	findFillPath  = "/fill/find"
	listFillsPath = "/fill/list"
	fillItemsPath = "/fill/items"
)

// Filler has empty slots filled; see fillmissing.Manage.
type Filler interface {
	StartFill(ctx context.Context, wish fillmissing.Wish) (fillmissing.Status, error)
	// ApplyFill carries out a dry run.
	ApplyFill(ctx context.Context, preview artwork.ID, accepted fillmissing.Selection) (fillmissing.Status, error)
	OrderFill(ctx context.Context, job artwork.ID, order fillmissing.Order) (fillmissing.Status, error)
	FindFill(ctx context.Context, job artwork.ID) (fillmissing.Status, error)
	ListFills(ctx context.Context, limit int) ([]fillmissing.Status, error)
	FillItems(ctx context.Context, job artwork.ID, query fillmissing.ItemQuery) ([]fillmissing.Item, error)
}

type applyFillIn struct {
	Preview  artwork.ID            `json:"preview"`
	Accepted fillmissing.Selection `json:"accepted"`
}

type orderFillIn struct {
	Job   artwork.ID        `json:"job"`
	Order fillmissing.Order `json:"order"`
}

type fillItemsIn struct {
	Job   artwork.ID            `json:"job"`
	Query fillmissing.ItemQuery `json:"query"`
}

// serveFills registers the verbs.
func (s *Server) serveFills(mux *http.ServeMux) {
	mux.HandleFunc("POST "+startFillPath, serve(s, s.verbs.StartFill))
	mux.HandleFunc("POST "+findFillPath, serve(s, s.verbs.FindFill))
	mux.HandleFunc("POST "+listFillsPath, serve(s, s.verbs.ListFills))
	mux.HandleFunc("POST "+applyFillPath, serve(s, func(ctx context.Context, in applyFillIn) (fillmissing.Status, error) {
		return s.verbs.ApplyFill(ctx, in.Preview, in.Accepted)
	}))
	mux.HandleFunc("POST "+orderFillPath, serve(s, func(ctx context.Context, in orderFillIn) (fillmissing.Status, error) {
		return s.verbs.OrderFill(ctx, in.Job, in.Order)
	}))
	mux.HandleFunc("POST "+fillItemsPath, serve(s, func(ctx context.Context, in fillItemsIn) ([]fillmissing.Item, error) {
		return s.verbs.FillItems(ctx, in.Job, in.Query)
	}))
}

// StartFill implements Filler.
func (c *Client) StartFill(ctx context.Context, wish fillmissing.Wish) (fillmissing.Status, error) {
	return call[fillmissing.Status](ctx, c, startFillPath, wish)
}

// ApplyFill implements Filler.
func (c *Client) ApplyFill(ctx context.Context, preview artwork.ID, accepted fillmissing.Selection) (fillmissing.Status, error) {
	return call[fillmissing.Status](ctx, c, applyFillPath, applyFillIn{preview, accepted})
}

// OrderFill implements Filler.
func (c *Client) OrderFill(ctx context.Context, job artwork.ID, order fillmissing.Order) (fillmissing.Status, error) {
	return call[fillmissing.Status](ctx, c, orderFillPath, orderFillIn{job, order})
}

// FindFill implements Filler.
func (c *Client) FindFill(ctx context.Context, job artwork.ID) (fillmissing.Status, error) {
	return call[fillmissing.Status](ctx, c, findFillPath, job)
}

// ListFills implements Filler.
func (c *Client) ListFills(ctx context.Context, limit int) ([]fillmissing.Status, error) {
	return call[[]fillmissing.Status](ctx, c, listFillsPath, limit)
}

// FillItems implements Filler.
func (c *Client) FillItems(ctx context.Context, job artwork.ID, query fillmissing.ItemQuery) ([]fillmissing.Item, error) {
	return call[[]fillmissing.Item](ctx, c, fillItemsPath, fillItemsIn{job, query})
}
