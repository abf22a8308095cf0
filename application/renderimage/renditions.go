package renderimage

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

const (
	// patience is how long a request waits for its rendition.
	patience = 10 * time.Second
	// turnTerm is how long a rendering may take, waiting for a processor included,
	// before another instance may try.
	turnTerm = time.Minute
	// lookEvery is how often a rendition is looked for that another instance makes.
	lookEvery = 50 * time.Millisecond
	// leastPixels is what the smallest original counts: to encode takes time too.
	leastPixels = 1 << 20
)

// Limits keep renderings from taking the process from those who want no rendition.
type Limits struct {
	Workers int   // how many render at once
	Pixels  int64 // of the originals that are rendered or wait for it; more are refused
	// StandInAfter is how long a request waits for its rendition before it takes another
	// one that is ready.
	StandInAfter time.Duration
}

// Renditions serves images in other sizes and formats. What is not in the store yet is
// rendered by one of the instances while the others, and all who ask for the same,
// wait. Its methods may be called concurrently.
type Renditions struct {
	renderer  ImageRenderer
	originals Originals
	store     artwork.RenditionStore
	turns     Turns
	limits    Limits
	log       *slog.Logger
	workers   chan struct{}
	failures  failures

	running context.Context // ends with Close
	stop    context.CancelFunc
	group   sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	pixels  int64
	flights map[artwork.RenditionKey]*flight
}

// flight is a rendering that callers wait for.
type flight struct {
	done    chan struct{} // closed when what follows is set
	content []byte
	err     error
}

// New returns the use case on the ports. Close ends what it does in the background.
func New(renderer ImageRenderer, originals Originals, store artwork.RenditionStore, turns Turns, limits Limits, log *slog.Logger) *Renditions {
	running, stop := context.WithCancel(context.Background())
	return &Renditions{
		renderer: renderer, originals: originals, store: store, turns: turns, limits: limits, log: log,
		workers: make(chan struct{}, limits.Workers), running: running, stop: stop, flights: map[artwork.RenditionKey]*flight{},
	}
}

// Close ends all renderings and waits for those that can only be waited for.
func (r *Renditions) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	r.group.Wait()
}

// Served is a rendition to be answered with.
type Served struct {
	Content  io.ReadSeekCloser
	MIMEType string
	Key      artwork.RenditionKey // of what this is: another than what was asked for is a stand-in
}

// Key returns the key under which the rendition of the image is kept. Its ETag is Tag.
func (r *Renditions) Key(img *artwork.Image, wanted artwork.Rendition) artwork.RenditionKey {
	if wanted.Format == artwork.FormatAuto && img.MIMEType == "image/jpeg" {
		wanted.Format = artwork.FormatJPEG // which has no alpha
	}
	return wanted.KeyOf(img, r.renderer.Encoder())
}

// Tag returns what names the bytes of a rendition among all that are served at its
// place, on every instance: it follows from the content, the focal point, the
// rendition and the encoder.
func Tag(img *artwork.Image, key artwork.RenditionKey) artwork.Tag {
	tag := make([]byte, 0, 64) // in one piece, because it is made for every request
	tag = append(append(tag, img.Tag...), '-')
	tag = append(append(key.AppendTo(tag), '-'), key.Encoder...)
	return artwork.Tag(tag)
}

// In is the wish for a rendition.
type In struct {
	Image *artwork.Image
	Slot  artwork.Slot
	Key   artwork.RenditionKey
	// AnyFormat says that what every client can show may stand in for the format.
	AnyFormat bool
}

// Run opens the rendition; the caller closes it. One that takes a while, or that there
// is no room to render, is stood in for by the nearest one that is ready; while there is
// none, Run waits.
//
// Unavailable: too much is being rendered at this moment, or it takes too long; the
// same request can succeed later. Other errors say that the image cannot be rendered,
// or the store not be read.
func (r *Renditions) Run(ctx context.Context, in In) (Served, error) {
	key := in.Key
	file, err := r.store.OpenRendition(ctx, key)
	if err == nil {
		return served(file, key)
	}
	if artwork.KindOf(err) != artwork.NotFound {
		return Served{}, artwork.Wrap(artwork.Internal, "renderimage.Open", err)
	}
	f, err := r.join(in.Image, key)
	if err == nil {
		err = f.await(ctx, min(r.limits.StandInAfter, patience))
	}
	if artwork.KindOf(err) == artwork.Unavailable {
		if standIn, ok := r.standIn(ctx, in); ok {
			return standIn, nil
		}
	}
	if errors.Is(err, errNotYet) {
		err = f.await(ctx, max(0, patience-r.limits.StandInAfter))
	}
	if err != nil {
		return Served{}, err
	}
	return served(inMemory{bytes.NewReader(f.content)}, key)
}

var errNotYet = artwork.Errorf(artwork.Unavailable, "this image is being rendered; try again in a moment")

// await returns the error of the rendering, or errNotYet when the time is over.
func (f *flight) await(ctx context.Context, d time.Duration) error {
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return errNotYet
	}
}

// standIn opens the nearest rendition that is stored: in the same format, or else in the
// one that every client can show; a larger one before a smaller one, because it shows
// all that was asked for.
func (r *Renditions) standIn(ctx context.Context, in In) (Served, bool) {
	formats := []artwork.Format{in.Key.Format}
	if auto := r.Key(in.Image, artwork.Rendition{Format: artwork.FormatAuto}).Format; in.AnyFormat && auto != in.Key.Format {
		formats = append(formats, auto)
	}
	for _, format := range formats {
		for _, wanted := range nearest(artwork.Presets(in.Slot, format), in.Key.Edge) {
			key := r.Key(in.Image, wanted)
			if key == in.Key {
				continue
			}
			file, err := r.store.OpenRendition(ctx, key)
			if err != nil {
				continue
			}
			if s, err := served(file, key); err == nil {
				return s, true
			}
		}
	}
	return Served{}, false
}

// nearest sorts renditions for one of an edge: those that are as large or larger, the
// smallest first, and then those that are smaller, the largest first.
func nearest(presets []artwork.Rendition, edge int) []artwork.Rendition {
	slices.SortFunc(presets, func(a, b artwork.Rendition) int {
		largerA, largerB := a.Edge >= edge, b.Edge >= edge
		switch {
		case largerA && largerB:
			return a.Edge - b.Edge
		case largerA:
			return -1
		case largerB:
			return 1
		}
		return b.Edge - a.Edge
	})
	return presets
}

// inMemory is a rendition that was made just now.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// served finds out what FormatAuto has become: the first byte tells JPEG from PNG.
func served(file io.ReadSeekCloser, key artwork.RenditionKey) (Served, error) {
	if key.Format != artwork.FormatAuto {
		return Served{file, "image/" + key.Format.String(), key}, nil
	}
	var first [1]byte
	_, err := io.ReadFull(file, first[:])
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return Served{}, artwork.Wrap(artwork.Unavailable, "renderimage.Read", err)
	}
	if first[0] == 0xff {
		return Served{file, "image/jpeg", key}, nil
	}
	return Served{file, "image/png", key}, nil
}

// join returns the rendering under way, or begins one if there is room.
func (r *Renditions) join(img *artwork.Image, key artwork.RenditionKey) (*flight, error) {
	if err := r.failures.of(key.Hash); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.flights[key]; ok {
		return f, nil
	}
	pixels := max(leastPixels, int64(img.Width)*int64(img.Height))
	if r.closed || r.pixels > 0 && r.pixels+pixels > r.limits.Pixels {
		return nil, artwork.Errorf(artwork.Unavailable, "too many images are being rendered; try again in a moment")
	}
	f := &flight{done: make(chan struct{})}
	r.flights[key] = f
	r.pixels += pixels
	r.group.Go(func() {
		defer close(f.done)
		f.content, f.err = r.make(r.running, img, key)
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.flights, key)
		r.pixels -= pixels
	})
	return f, nil
}

// make renders unless another instance does.
func (r *Renditions) make(ctx context.Context, img *artwork.Image, key artwork.RenditionKey) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, turnTerm)
	defer cancel()
	release, content, err := r.takeTurn(ctx, key)
	if err == nil && content == nil {
		defer release()
		var all [][]byte
		if all, err = r.render(ctx, img, []artwork.RenditionKey{key}); err == nil {
			content = all[0]
		}
	}
	if err != nil && ctx.Err() != nil {
		err = &artwork.Error{Kind: artwork.Unavailable, Op: "renderimage", Msg: "this image was not rendered in time; try again in a moment", Err: err}
	}
	return content, err
}

// takeTurn waits until nobody else renders, and returns what they have rendered if
// they have. Nobody waits for turns that cannot be had: to render twice does no harm.
func (r *Renditions) takeTurn(ctx context.Context, key artwork.RenditionKey) (release func(), content []byte, err error) {
	pause := time.NewTicker(lookEvery)
	defer pause.Stop()
	for {
		release, taken, err := r.turns.Take(ctx, key.Path(), turnTerm)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			r.log.DebugContext(ctx, "Rendering without knowing whether others do", "error", err.Error())
			release = func() {}
		}
		content, openErr := r.stored(ctx, key)
		if openErr == nil {
			if release != nil {
				release()
			}
			return nil, content, nil
		}
		if taken || err != nil {
			return release, nil, nil
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// stored returns the whole rendition.
func (r *Renditions) stored(ctx context.Context, key artwork.RenditionKey) ([]byte, error) {
	file, err := r.store.OpenRendition(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	return io.ReadAll(file)
}

// render makes and stores renditions of one image, once there is a worker for it.
func (r *Renditions) render(ctx context.Context, img *artwork.Image, keys []artwork.RenditionKey) ([][]byte, error) {
	select {
	case r.workers <- struct{}{}:
		defer func() { <-r.workers }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	original, err := r.original(ctx, img)
	if err != nil {
		return nil, err
	}
	wanted := make([]artwork.Rendition, len(keys))
	for i, key := range keys {
		wanted[i] = key.Rendition
	}
	begin := time.Now()
	contents, err := r.renderer.Render(ctx, original, img.FocalPoint, wanted)
	if err != nil {
		if ctx.Err() == nil {
			r.failures.note(img.Hash, err)
			r.log.WarnContext(ctx, "An image cannot be rendered", "hash", img.Hash.String(), "error", err.Error())
		}
		return nil, artwork.Wrap(artwork.Internal, "renderimage.Render", err)
	}
	r.log.DebugContext(ctx, "Rendered", "hash", img.Hash.String(), "renditions", len(keys), "took", time.Since(begin))
	for i, key := range keys {
		if err := r.store.PutRendition(ctx, key, contents[i]); err != nil {
			r.log.WarnContext(ctx, "A rendition cannot be stored, and will be rendered again", "path", key.Path(), "error", err.Error())
		}
	}
	return contents, nil
}

func (r *Renditions) original(ctx context.Context, img *artwork.Image) ([]byte, error) {
	file, err := r.originals.Run(ctx, img)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	content, err := io.ReadAll(io.LimitReader(file, img.Size+1))
	return content, artwork.Wrap(artwork.Unavailable, "renderimage.Read", err)
}

// All renders and stores all renditions of the image in the slot in the format, from
// one decoding; but not those that are stored, or that somebody renders already. It
// returns how many it has rendered.
func (r *Renditions) All(ctx context.Context, img *artwork.Image, slot artwork.Slot, format artwork.Format) (rendered int, err error) {
	if err := r.failures.of(img.Hash); err != nil {
		return 0, err
	}
	var keys []artwork.RenditionKey
	for _, wanted := range artwork.Presets(slot, format) {
		key := r.Key(img, wanted)
		if r.isStored(ctx, key) {
			continue
		}
		release, taken, err := r.turns.Take(ctx, key.Path(), turnTerm)
		if err != nil || !taken {
			continue
		}
		defer release()
		if !r.isStored(ctx, key) { // nor has been since
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return 0, ctx.Err()
	}
	contents, err := r.render(ctx, img, keys)
	return len(contents), err
}

func (r *Renditions) isStored(ctx context.Context, key artwork.RenditionKey) bool {
	file, err := r.store.OpenRendition(ctx, key)
	if err != nil {
		return false
	}
	_ = file.Close() // only read
	return true
}
