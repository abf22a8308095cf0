package prommetrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatefold/application/health"
)

const (
	// pollEvery is how old at most what is polled is, plus how long it takes to read.
	pollEvery = 15 * time.Second
	// pollBudget bounds one reading.
	pollBudget = 5 * time.Second
)

// Sample is a value of a metric, and those of its labels.
type Sample struct {
	Labels []string
	Value  float64
}

// polled is a metric that takes a while to read.
type polled struct {
	vec  *prometheus.GaugeVec
	read func(ctx context.Context) ([]Sample, error)
}

// Polled exports what read returns, which may take a while: it is asked now and then while Poll
// runs. What cannot be read is not exported.
func (m *Metrics) Polled(name, help string, labels []string, read func(ctx context.Context) ([]Sample, error)) {
	m.polled = append(m.polled, polled{m.gauges(name, help, labels...), read})
}

// Poll reads what is polled until ctx ends.
func (m *Metrics) Poll(ctx context.Context) {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	for {
		for _, p := range m.polled {
			p.poll(ctx)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}

func (p polled) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollBudget)
	defer cancel()
	samples, err := p.read(ctx)
	if err != nil {
		samples = nil
	}
	p.vec.Reset()
	for _, sample := range samples {
		p.vec.WithLabelValues(sample.Labels...).Set(sample.Value)
	}
}

// Parts exports what the monitor last found of the parts that the program depends on.
func (m *Metrics) Parts(monitor *health.Monitor) {
	for part := range monitor.Report().Parts {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "part_up", Help: "1 while a part that the program depends on works, or is not in use.", ConstLabels: prometheus.Labels{"part": part},
		}, func() float64 {
			if monitor.Report().Parts[part] == health.Failing {
				return 0
			}
			return 1
		}))
	}
}
