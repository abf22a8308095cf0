package applyimage

import (
	"context"
	"errors"

	"gatefold/domain/artwork"
)

// Phase is a part of putting an image in force.
type Phase string

// The phases, in their order. An apply has those that it needs: what is stored already
// is not downloaded, and what is in force already is not fenced.
const (
	Downloading Phase = "downloading" // the bytes come
	Checking    Phase = "checking"    // whether they are an image that is accepted, and which
	Storing     Phase = "storing"     // they are kept under their hash; nothing has changed yet
	// Fencing: no reader may fill the cache, and copies that instances have expire. From
	// here on the end of the caller cancels nothing.
	Fencing Phase = "fencing"
	// Recording: the database commits the change, or refuses it.
	Recording Phase = "recording"
	// Confirming: the image is in force for good, and the cache is told. An apply that
	// fails now fails with NotConfirmed.
	Confirming Phase = "confirming"
)

// Step tells that a phase begins or, of Downloading, goes on.
type Step struct {
	Phase    Phase
	Received int64 // bytes so far, of Downloading
	Total    int64 // bytes that were announced, of Downloading; 0 if that is not known
}

// Progress hears each step of an apply as it is taken, one call at a time, and none
// after the apply has returned. If the cache has to begin anew, Fencing and Recording
// come again. It is called under the fence too, so it has to return at once. nil:
// nobody listens.
type Progress func(Step)

func (p Progress) begin(phase Phase) {
	if p != nil {
		p(Step{Phase: phase})
	}
}

// fenced begins Fencing, and returns the commit that tells of the phases that follow.
func (p Progress) fenced(commit artwork.Commit) artwork.Commit {
	p.begin(Fencing)
	return func(ctx context.Context, fence artwork.Fence) error {
		p.begin(Recording)
		err := commit(ctx, fence)
		if err == nil {
			p.begin(Confirming)
		}
		if errors.Is(err, artwork.ErrSettingsChanged) {
			p.begin(Fencing)
		}
		return err
	}
}

const (
	// receiptsPerDownload and bytesPerReceipt are how often Downloading goes on: by the
	// share of what was announced, or else by so many bytes.
	receiptsPerDownload = 32
	bytesPerReceipt     = 256 << 10
)

// downloading begins Downloading, and returns a context under which it goes on.
func (p Progress) downloading(ctx context.Context) context.Context {
	if p == nil {
		return ctx
	}
	p.begin(Downloading)
	last := Step{Phase: Downloading}
	return context.WithValue(ctx, receiverKey{}, func(received, total int64) {
		next := Step{Downloading, received, total}
		news := total != last.Total || received == total || received-last.Received >= stride(total)
		if news && next != last {
			last = next
			p(next)
		}
	})
}

// stride is how many bytes have to come between two steps of Downloading.
func stride(total int64) int64 {
	if total == 0 {
		return bytesPerReceipt
	}
	return max(1, total/receiptsPerDownload)
}

type receiverKey struct{}

// Receiver returns who wants to be told how far a download under the context is, or nil:
// a Downloader calls it with the bytes that have come so far and those that were
// announced, 0 if none were, in one goroutine at a time and not after it has returned.
// It returns at once.
func Receiver(ctx context.Context) func(received, total int64) {
	receiver, _ := ctx.Value(receiverKey{}).(func(received, total int64))
	return receiver
}
