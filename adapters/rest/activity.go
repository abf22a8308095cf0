package rest

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Activity is the route of the log of who changed what.
type Activity struct{ log activity.Log }

// NewActivity returns the route /api/admin/activity.
func NewActivity(log activity.Log) *Activity { return &Activity{log} }

// Register implements Routes.
func (h *Activity) Register(r *Router) {
	r.guarded(http.MethodGet, "/api/admin/activity", accesstoken.Admin, h.list)
}

func activityEntryOf(e activity.Entry) api.ActivityEntry {
	out := api.ActivityEntry{
		ID: e.ID, At: e.At, Actor: e.Actor.Name, ActorID: e.Actor.ID, Address: e.Actor.Address,
		Action: string(e.Action), Slot: e.Slot, Before: e.Before, After: e.After, RequestID: e.Actor.RequestID,
	}
	if e.Subject != (activity.Subject{}) {
		out.Subject = &api.ActivitySubject{Kind: e.Subject.Kind, ID: e.Subject.ID, Name: e.Subject.Name}
	}
	return out
}

// list answers a page, the latest entry first. The next one is asked for with before:
// it goes on where this one ended, however many entries are added meanwhile, which a
// page number could not.
func (h *Activity) list(c *gin.Context) error {
	query, err := readActivityQuery(c)
	if err != nil {
		return err
	}
	page, err := h.log.List(c.Request.Context(), query)
	if err != nil {
		return err
	}
	answer := api.ActivityPage{Items: make([]api.ActivityEntry, len(page.Items)), Next: page.Next}
	for i, entry := range page.Items {
		answer.Items[i] = activityEntryOf(entry)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, answer)
	return nil
}

func readActivityQuery(c *gin.Context) (query activity.Query, err error) {
	query.Actor, query.Action = c.Query("actor"), c.Query("action")
	for name, read := range map[string]func(string) error{
		"actor":   func(text string) error { return artwork.CheckText("the name", text) },
		"action":  func(string) error { _, _, err := query.Actions(); return err },
		"subject": func(text string) (err error) { query.Kind, err = activity.ParseKind(text); return err },
		"id":      func(text string) (err error) { query.ID, err = artwork.ParseID(text); return err },
		"since":   func(text string) (err error) { query.Since, err = parseTime(text); return err },
		"until":   func(text string) (err error) { query.Until, err = parseTime(text); return err },
		"before":  func(text string) (err error) { query.Before, err = parseEntryID(text); return err },
	} {
		text, given := c.GetQuery(name)
		if !given {
			continue
		}
		if text == "" {
			return query, artwork.Errorf(artwork.InvalidInput, "%s is empty", name)
		}
		if err := read(text); err != nil {
			return query, artwork.Errorf(artwork.InvalidInput, "%s: %s", name, messageOf(err))
		}
	}
	if !query.Since.IsZero() && !query.Until.IsZero() && query.Until.Before(query.Since) {
		return query, artwork.Errorf(artwork.InvalidInput, "until is before since")
	}
	query.Limit, err = readNumber(c, "pageSize", defaultPageSize, activity.MaxLimit)
	return query, err
}

// parseTime reads a moment. In a query the plus sign of an offset has to be written
// as %2B.
func parseTime(text string) (time.Time, error) {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil || moment.Year() < 1970 {
		return time.Time{}, artwork.Errorf(artwork.InvalidInput, "%.64q is not a time such as 2026-01-31T23:59:59Z (write + as %%2B)", text)
	}
	return moment, nil
}

func parseEntryID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 {
		return 0, artwork.Errorf(artwork.InvalidInput, "%.64q is not the id of an entry", text)
	}
	return id, nil
}
