// Package tracing is how parts say what they do as steps of something larger, so that one
// request or job can be followed through all of them. Who records that is in the context,
// and nobody else has to know; without one, nothing here does anything.
package tracing

import (
	"context"
	"log/slog"
	"sync"
)

// Tracer records spans: what was done, for how long, as a part of what, and how it ended.
// Its methods may be called concurrently. Facts are few, short, and never secret: no
// credentials, no content, no names of people.
type Tracer interface {
	// Step begins a step of what ctx belongs to. What is done with the returned context
	// belongs to the step, until end is called, once.
	Step(ctx context.Context, name string, facts []slog.Attr) (inStep context.Context, end End)
	// Work begins something that nobody waits for, by itself, and that cause has led to.
	Work(ctx context.Context, name string, cause Cause, facts []slog.Attr) (inWork context.Context, end End)
	// Note adds facts to the step that ctx belongs to.
	Note(ctx context.Context, facts []slog.Attr)
	// Cause returns what ctx belongs to, as a cause of later work; "" if it is not recorded.
	Cause(ctx context.Context) Cause
}

// End ends a step or a work with its error, which is nil if it succeeded.
type End func(err error)

// Cause names the step that has led to some work.
type Cause string

type tracerKey struct{}

// With returns a context whose steps and works the tracer records.
func With(ctx context.Context, tracer Tracer) context.Context {
	if tracer == nil {
		return ctx
	}
	return context.WithValue(ctx, tracerKey{}, tracer)
}

// Of returns who records what is done with ctx; nil: nobody does.
func Of(ctx context.Context) Tracer {
	tracer, _ := ctx.Value(tracerKey{}).(Tracer)
	return tracer
}

func unrecorded(error) {}

// Step is Tracer.Step, if there is a tracer.
func Step(ctx context.Context, name string, facts ...slog.Attr) (inStep context.Context, end End) {
	if tracer := Of(ctx); tracer != nil {
		return tracer.Step(ctx, name, facts)
	}
	return ctx, unrecorded
}

// Work is Tracer.Work, if there is a tracer.
func Work(ctx context.Context, name string, cause Cause, facts ...slog.Attr) (inWork context.Context, end End) {
	if tracer := Of(ctx); tracer != nil {
		return tracer.Work(ctx, name, cause, facts)
	}
	return ctx, unrecorded
}

// Note is Tracer.Note, if there is a tracer.
func Note(ctx context.Context, facts ...slog.Attr) {
	if tracer := Of(ctx); tracer != nil {
		tracer.Note(ctx, facts)
	}
}

// CauseOf is Tracer.Cause, and "" if there is no tracer.
func CauseOf(ctx context.Context) Cause {
	if tracer := Of(ctx); tracer != nil {
		return tracer.Cause(ctx)
	}
	return ""
}

// causesKept bounds the causes of works that another instance does, or nobody.
const causesKept = 256

// Causes keeps what has led to works of this process, by their names, until they begin.
// The zero value is ready for use, and safe for concurrent use.
type Causes struct {
	mu    sync.Mutex
	named map[string]Cause
	order []string // the oldest first
}

// Keep notes that what ctx belongs to has led to the work of the name.
func (c *Causes) Keep(ctx context.Context, name string) {
	cause := CauseOf(ctx)
	if cause == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.named == nil {
		c.named = map[string]Cause{}
	}
	if len(c.order) == causesKept {
		delete(c.named, c.order[0])
		c.order = c.order[1:]
	}
	c.named[name] = cause
	c.order = append(c.order, name)
}

// Of returns what has led to the work; "" if that is not known here. It stays known, for
// a work that is begun again.
func (c *Causes) Of(name string) Cause {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.named[name]
}
