package rest

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/health"
)

// Health tells operators and load balancers how the instance is.
type Health struct {
	monitor *health.Monitor
	version string
	started time.Time
}

// NewHealth returns the routes /health, /health/live and /health/ready.
func NewHealth(monitor *health.Monitor, version string) *Health {
	return &Health{monitor, version, time.Now()}
}

// Register implements Routes.
func (h *Health) Register(r *Router) {
	r.public("/health", h.report)
	r.public("/api/health", h.report)
	r.public("/health/live", h.live)
	r.public("/health/ready", h.ready)
}

// report answers 200 while images can be served, with everything that works or
// does not.
func (h *Health) report(c *gin.Context) error {
	report := h.monitor.Report()
	body := gin.H{
		"status": report.Status, "version": h.version, "uptime": int(time.Since(h.started).Seconds()),
		"timestamp": time.Now().UTC(),
	}
	parts := make(map[string]api.PartDetail, len(report.Details))
	for part, detail := range report.Details {
		body[part] = detail.State
		parts[part] = api.PartDetail{
			State: string(detail.State), Since: detail.Since.UTC(), TookMs: float32(detail.Took.Microseconds()) / 1000, Needed: detail.Needed,
		}
	}
	body["parts"] = parts
	c.Header("Cache-Control", "no-store")
	c.JSON(statusOf(report), body)
	return nil
}

// live answers 200 as long as the process can answer.
func (h *Health) live(c *gin.Context) error {
	c.JSON(http.StatusOK, gin.H{"status": health.OK})
	return nil
}

// ready answers 200 while requests should be sent here.
func (h *Health) ready(c *gin.Context) error {
	readiness, code := h.monitor.Readiness(), http.StatusServiceUnavailable
	if readiness == health.OK || readiness == health.Degraded {
		code = http.StatusOK
	}
	c.JSON(code, gin.H{"status": readiness})
	return nil
}

func statusOf(report *health.Report) int {
	if report.Status == health.Error {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}
