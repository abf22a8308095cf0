package rest

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/explainimage"
	"gatefold/application/findimages"
	"gatefold/application/previewimage"
	"gatefold/domain/artwork"
)

// Why are the routes that tell why a slot shows what it shows.
type Why struct {
	explain *explainimage.Explain
	offers  offers
}

// NewWhy returns the routes of every kind of subject under /api/admin/metadata.
func NewWhy(explain *explainimage.Explain, previews *previewimage.Previews) *Why {
	return &Why{explain, offers{previews}}
}

// Register implements Routes.
func (h *Why) Register(r *Router) {
	for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject} {
		r.guarded(http.MethodGet, metadataPrefix+kind.String()+"/:id/images/:type/why", accesstoken.Read, of(kind, h.tell))
	}
}

// whyOut is why a slot shows what it shows.
type whyOut struct {
	Subject   string           `json:"subject"`
	ID        artwork.ID       `json:"id"`
	Type      artwork.Slot     `json:"type"`
	Rule      ruleOut          `json:"rule"`
	Chosen    bool             `json:"chosen"`
	Locked    bool             `json:"locked"`
	KeptEmpty bool             `json:"keptEmpty"`
	Priority  []artwork.Source `json:"priority"`
	InForce   *inForceOut      `json:"inForce,omitempty"`
	Others    []otherOut       `json:"others"`
	Omitted   int              `json:"othersOmitted,omitempty"`

	Considered []consideredOut `json:"considered"`
}

// ruleOut names a rule or a reason, and says it in a sentence.
type ruleOut struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// imageOut is where an image came from.
type imageOut struct {
	ImageID     artwork.ID          `json:"imageId"`
	Tag         artwork.Tag         `json:"tag"`
	Source      artwork.Source      `json:"source"`
	Provider    string              `json:"provider,omitempty"`
	URL         string              `json:"url,omitempty"`
	Licence     string              `json:"licence,omitempty"`
	Attribution string              `json:"attribution,omitempty"`
	SourcePage  string              `json:"sourcePage,omitempty"`
	StatedBy    string              `json:"statedBy,omitempty"`
	FileName    string              `json:"fileName,omitempty"`
	AddedBy     string              `json:"addedBy"`
	AddedAt     time.Time           `json:"addedAt"`
	Width       int                 `json:"width"`
	Height      int                 `json:"height"`
	Size        int64               `json:"size"`
	MIMEType    string              `json:"mimeType"`
	FocalPoint  *artwork.FocalPoint `json:"focalPoint,omitempty"`
}

// inForceOut is the image in force, with how it took force now and before.
type inForceOut struct {
	imageOut
	FoundAt string `json:"foundAt,omitempty"`
	actOut
	Acts []actOut `json:"acts"`
}

// actOut is one time that an image took force.
type actOut struct {
	Act       artwork.Act `json:"act,omitempty"`
	AppliedBy string      `json:"appliedBy,omitempty"`
	AppliedAt time.Time   `json:"appliedAt,omitzero"`
}

// otherOut is an image that is not in force.
type otherOut struct {
	imageOut
	Next   bool      `json:"next"`
	Reason ruleOut   `json:"reason"`
	Until  time.Time `json:"inForceUntil,omitzero"`
}

// consideredOut is what was considered at one time.
type consideredOut struct {
	Occasion   findimages.Occasion   `json:"occasion"`
	By         string                `json:"by,omitempty"`
	At         time.Time             `json:"at"`
	Incomplete bool                  `json:"incomplete"`
	Candidates []judgedOut           `json:"candidates"`
	Omitted    int                   `json:"candidatesOmitted,omitempty"`
	Errors     []api.ProviderFailure `json:"errors"`
}

// judgedOut is a candidate and what became of it.
type judgedOut struct {
	api.Candidate
	Rank    int                `json:"rank"`
	Score   float64            `json:"score"`
	Verdict findimages.Verdict `json:"verdict"`
	Reason  string             `json:"reason,omitempty"`
	ImageID artwork.ID         `json:"imageId,omitzero"`
	InForce bool               `json:"inForce"`
}

func (h *Why) tell(c *gin.Context, subject artwork.Subject) error {
	slot, err := artwork.ParseSlot(c.Param("type"))
	if err != nil {
		return err
	}
	if err := onlyQuery(c); err != nil {
		return err
	}
	e, err := h.explain.Run(c.Request.Context(), artwork.Place{Subject: subject, Slot: slot})
	if err != nil {
		return err
	}
	out := whyOut{
		Subject: subject.Kind.String(), ID: subject.ID, Type: slot, Rule: ruleOut{string(e.Rule), explainimage.Words(e.Rule)},
		Chosen: e.State.Chosen, Locked: e.State.Locked, KeptEmpty: e.State.KeptEmpty, Priority: slot.Priority(),
		InForce: inForceOutOf(e), Others: make([]otherOut, len(e.Others)), Omitted: e.Omitted, Considered: make([]consideredOut, len(e.Considered)),
	}
	for i, other := range e.Others {
		out.Others[i] = otherOut{imageOutOf(e, other.Record), other.Next, ruleOut{string(other.Reason), explainimage.WhyNot(other.Reason)}, other.Until}
	}
	for i, considered := range e.Considered {
		out.Considered[i] = h.offers.considered(e, considered)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

func imageOutOf(e explainimage.Explanation, r artwork.Record) imageOut {
	return imageOut{
		ImageID: r.ID, Tag: artwork.TagOf(r.Content.Hash, r.FocalPoint), Source: r.Source, Provider: r.Provider, URL: e.URL(r),
		Licence: r.Licence, Attribution: r.Attribution, SourcePage: r.SourcePage, StatedBy: r.StatedBy.String(),
		FileName: r.FileName, AddedBy: r.AddedBy, AddedAt: r.AddedAt,
		Width: r.Content.Width, Height: r.Content.Height, Size: r.Content.Size, MIMEType: r.Content.MIMEType, FocalPoint: r.FocalPoint,
	}
}

func inForceOutOf(e explainimage.Explanation) *inForceOut {
	if e.State.InForce == nil {
		return nil
	}
	out := &inForceOut{imageOut: imageOutOf(e, *e.State.InForce), FoundAt: e.FoundAt(), Acts: make([]actOut, len(e.Acts))}
	for i, took := range e.Acts {
		out.Acts[i] = actOut{took.Act, took.AppliedBy, took.AppliedAt}
	}
	if len(out.Acts) > 0 {
		out.actOut = out.Acts[0]
	}
	return out
}

func (o offers) considered(e explainimage.Explanation, c findimages.Consideration) consideredOut {
	out := consideredOut{
		Occasion: c.Occasion, By: c.By, At: c.At, Incomplete: c.Incomplete,
		Candidates: make([]judgedOut, len(c.Candidates)), Omitted: c.Omitted, Errors: make([]api.ProviderFailure, len(c.Failures)),
	}
	for i, one := range c.Candidates {
		id, inForce, _ := e.Image(one)
		out.Candidates[i] = judgedOut{o.bodyOf(one.Candidate), one.Rank, one.Score, one.Verdict, one.Reason, id, inForce}
	}
	for i, f := range c.Failures {
		out.Errors[i] = api.ProviderFailure{Provider: f.Provider, Message: f.Message}
	}
	return out
}
