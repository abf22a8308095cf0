package control

import (
	"context"
	"encoding/json"
	"net/http"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

const renderPath = "/render"

// Renderer renders what is missing; see renderimage.Fill.
type Renderer interface {
	RenderAll(ctx context.Context, formats []artwork.Format, observer renderimage.Observer) (renderimage.Filled, error)
}

type renderIn struct {
	Formats []artwork.Format `json:"formats"`
}

func (s *Server) serveRender(w http.ResponseWriter, r *http.Request) {
	var in renderIn
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	stream := &streamObserver{server: s, w: w}
	filled, err := s.verbs.RenderAll(r.Context(), in.Formats, stream)
	stream.send(event{Rendered: &filled, Failure: failureOf(err)})
}

// RenderAll implements Renderer.
func (c *Client) RenderAll(ctx context.Context, formats []artwork.Format, observer renderimage.Observer) (renderimage.Filled, error) {
	body, err := c.post(ctx, renderPath, renderIn{formats})
	if err != nil {
		return renderimage.Filled{}, err
	}
	defer func() { _ = body.Close() }()
	for lines := json.NewDecoder(body); ; {
		var e event
		if err := lines.Decode(&e); err != nil {
			return renderimage.Filled{}, brokenOff(err)
		}
		switch {
		case e.Rendered != nil:
			return *e.Rendered, e.Failure.err()
		case e.Done != nil:
			observer.Progress(*e.Done, e.Total)
		}
	}
}
