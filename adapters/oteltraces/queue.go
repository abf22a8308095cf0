package oteltraces

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// queueLength bounds the spans that wait: some 4 MB.
	queueLength = 4096
	// batchLength is how many spans are sent at once, at most.
	batchLength = 512
	// batchEvery is how long a span waits at most for others to be sent with.
	batchEvery = time.Second
)

// What becomes of spans.
const (
	Exported = "exported" // the collector has them
	Dropped  = "dropped"  // too many waited
	LeftOut  = "left_out" // their trace had too many
	Failed   = "failed"   // the collector could not be reached, or refused them
)

// Counter is told what has become of spans. It may be called concurrently.
type Counter interface{ Spans(result string, n int) }

// exporter sends spans.
type exporter interface {
	sdk.SpanExporter
	Start(ctx context.Context) error
}

// queue is a processor of spans that have ended: it sends them, and never keeps anybody
// waiting.
type queue struct {
	exporter exporter
	counter  Counter
	log      *slog.Logger

	waiting chan sdk.ReadOnlySpan
	flushes chan chan struct{}
	sending context.Context
	end     context.CancelFunc // of sending
	stopped chan struct{}      // closed: nothing is taken any more
	stop    func()
	working sync.WaitGroup

	lost    atomic.Int64 // since the log was told last
	failing bool         // used by one goroutine
}

var _ sdk.SpanProcessor = (*queue)(nil)

func newQueue(exporter exporter, counter Counter, log *slog.Logger) *queue {
	q := &queue{
		exporter: exporter, counter: counter, log: log,
		waiting: make(chan sdk.ReadOnlySpan, queueLength), flushes: make(chan chan struct{}), stopped: make(chan struct{}),
	}
	q.sending, q.end = context.WithCancel(context.Background())
	q.stop = sync.OnceFunc(func() { close(q.stopped) })
	return q
}

func (q *queue) start(ctx context.Context) error {
	if err := q.exporter.Start(ctx); err != nil {
		return err
	}
	q.working.Go(q.run)
	return nil
}

// OnStart implements sdk.SpanProcessor.
func (q *queue) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd implements sdk.SpanProcessor.
func (q *queue) OnEnd(span sdk.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	select {
	case q.waiting <- span:
	default:
		q.lost.Add(1)
		q.counter.Spans(Dropped, 1)
	}
}

// leaveOut counts a span that is not recorded.
func (q *queue) leaveOut() { q.counter.Spans(LeftOut, 1) }

// run sends batches until the queue is stopped, and then what is left.
func (q *queue) run() {
	tick := time.NewTicker(batchEvery)
	defer tick.Stop()
	batch := make([]sdk.ReadOnlySpan, 0, batchLength)
	send := func() { batch = q.send(batch) }
	for {
		select {
		case span := <-q.waiting:
			if batch = append(batch, span); len(batch) == batchLength {
				send()
			}
		case <-tick.C:
			send()
		case done := <-q.flushes:
			batch = q.drain(batch)
			close(done)
		case <-q.stopped:
			q.drain(batch)
			return
		}
	}
}

// drain sends all that waits.
func (q *queue) drain(batch []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	for {
		select {
		case span := <-q.waiting:
			if batch = append(batch, span); len(batch) == batchLength {
				batch = q.send(batch)
			}
		default:
			return q.send(batch)
		}
	}
}

// send sends the batch, and returns it empty.
func (q *queue) send(batch []sdk.ReadOnlySpan) []sdk.ReadOnlySpan {
	if len(batch) == 0 {
		return batch
	}
	err := q.exporter.ExportSpans(q.sending, batch)
	if err == nil {
		q.counter.Spans(Exported, len(batch))
	} else {
		q.lost.Add(int64(len(batch)))
		q.counter.Spans(Failed, len(batch))
	}
	q.tell(err)
	clear(batch)
	return batch[:0]
}

// tell says when sending begins to fail, and when it works again; not what happens in
// between.
func (q *queue) tell(err error) {
	switch {
	case err != nil && !q.failing:
		q.failing = true
		q.log.Warn("Traces cannot be sent; requests are served as before", "error", err.Error())
	case err == nil && q.failing:
		q.failing = false
		q.log.Info("Traces are sent again", "lostSpans", q.lost.Swap(0))
	}
}

// ForceFlush implements sdk.SpanProcessor.
func (q *queue) ForceFlush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case q.flushes <- done:
	case <-q.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown implements sdk.SpanProcessor. When ctx ends it gives up what was not sent.
func (q *queue) Shutdown(ctx context.Context) error {
	q.stop()
	defer context.AfterFunc(ctx, q.end)()
	q.working.Wait() // what is being sent ends with ctx
	q.end()
	return q.exporter.Shutdown(ctx)
}
