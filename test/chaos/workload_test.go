package chaos

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

const (
	artists = 6 // with four slots each
	albums  = 12
	// hot places are those that most writers want to change at the same time.
	hot      = 6
	hotShare = 0.7

	// invalidations are changes of nothing.
	invalidations = 0.1

	writersPerInstance = 3
	readersPerInstance = 4
	// writerRest is the longest pause of a writer between two changes.
	writerRest = 700 * time.Millisecond
	// writerPatience is how long a client waits for the answer to a change, or to an
	// upload. The longest that an instance takes for itself is about 25 s.
	writerPatience = 40 * time.Second
	// readerPatience is how long a client waits for the answer to a read.
	readerPatience = 15 * time.Second
	// maxPipelined is how many requests a reader sends before it reads answers.
	maxPipelined = 16
)

// place is where an image is.
type place struct {
	name   string // as the database has it
	kind   artwork.SubjectKind
	id     artwork.ID
	slot   artwork.Slot
	record record
}

// key is what Redis knows the place by.
func (p *place) key() string {
	return artwork.Place{Subject: artwork.Subject{Kind: p.kind, ID: p.id}, Slot: p.slot}.Keys()[0].String()
}

// image is the path of what is served.
func (p *place) image() string {
	if p.kind == artwork.AlbumSubject {
		return "/api/images/albums/" + p.id.String() + "/cover"
	}
	return "/api/images/artists/" + p.id.String() + "/" + p.slot.String()
}

// uploads is the path of what is uploaded for the place.
func (p *place) uploads() string {
	if p.kind == artwork.AlbumSubject {
		return "/api/admin/metadata/album/custom-covers/" + p.id.String()
	}
	return "/api/admin/metadata/artist/custom-images/" + p.id.String()
}

// chance is a source of chance of its own: equal seeds and names give equal rolls.
func chance(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// workload are the clients of a fleet.
type workload struct {
	fleet  *fleet
	seed   uint64
	begin  time.Time
	places []*place
	rate   int // readings a second, of all readers; 0: as many as there can be

	settled  time.Duration // when everything that was put in force bound readers; 0: not yet
	stop     chan struct{}
	clients  sync.WaitGroup
	pictures atomic.Int64

	readings, failures atomic.Int64 // answers about a place; questions without
	outcomes           sync.Map     // of changes: what was answered -> *atomic.Int64
	bodies             atomic.Int64 // answers with the whole image

	mu        sync.Mutex
	surprises []string
}

func newWorkload(f *fleet, seed uint64, rate int) *workload {
	return &workload{fleet: f, seed: seed, begin: time.Now(), rate: rate, stop: make(chan struct{})}
}

func (w *workload) now() time.Duration { return time.Since(w.begin) }

// surprise notes what nothing that was done explains.
func (w *workload) surprise(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.surprises) < 20 {
		w.surprises = append(w.surprises, fmt.Sprintf(format, args...))
	}
}

// populate makes up artists and albums, and puts a first image in force in every place.
func (w *workload) populate(artists, albums int) {
	t, first := w.fleet.t, w.fleet.instances[0]
	t.Helper()
	for range artists {
		id := artwork.NewID()
		first.order(http.MethodPut, "/api/artists/"+id.String(), map[string]any{"name": "Artist " + id.String()})
		for _, slot := range []artwork.Slot{artwork.SlotProfile, artwork.SlotBackground, artwork.SlotBanner, artwork.SlotLogo} {
			w.addPlace(artwork.ArtistSubject, id, slot)
		}
		for range albums / artists {
			album := artwork.NewID()
			first.order(http.MethodPut, "/api/albums/"+album.String(), map[string]any{"name": "Album " + album.String(), "artistId": id.String()})
			w.addPlace(artwork.AlbumSubject, album, artwork.SlotCover)
		}
	}
	var busy sync.WaitGroup
	results := make([]told, len(w.places))
	for i, p := range w.places {
		busy.Go(func() { results[i] = w.change(w.fleet.instances[i%instances], p) })
	}
	busy.Wait()
	for i, p := range w.places {
		require.Equal(t, acknowledged, results[i], "the first image of %s: %v", p.name, p.record.changes)
	}
}

func (w *workload) addPlace(kind artwork.SubjectKind, id artwork.ID, slot artwork.Slot) {
	name := artwork.Subject{Kind: kind, ID: id}.String() + " " + slot.String()
	w.places = append(w.places, &place{name: name, kind: kind, id: id, slot: slot})
}

// start starts readers and writers on every instance.
func (w *workload) start() {
	for _, in := range w.fleet.instances {
		for n := range readersPerInstance {
			r := newReader(w, in, chance(w.seed, fmt.Sprintf("reader %d of %d", n, in.number)))
			w.clients.Go(r.run)
		}
		for n := range writersPerInstance {
			dice := chance(w.seed, fmt.Sprintf("writer %d of %d", n, in.number))
			w.clients.Go(func() {
				for w.rest(time.Duration(dice.Int64N(int64(writerRest)))) {
					if dice.Float64() < invalidations {
						w.invalidate(in, w.wanted(dice))
					} else {
						w.change(in, w.wanted(dice))
					}
				}
			})
		}
	}
}

// end ends readers and writers.
func (w *workload) end() {
	close(w.stop)
	w.clients.Wait()
}

// rest waits, and reports whether the clients are to go on.
func (w *workload) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-w.stop:
		return false
	case <-timer.C:
		return true
	}
}

// wanted returns a place to change.
func (w *workload) wanted(dice *rand.Rand) *place {
	if dice.Float64() < hotShare {
		return w.places[dice.IntN(min(hot, len(w.places)))*len(w.places)/hot%len(w.places)]
	}
	return w.places[dice.IntN(len(w.places))]
}

// picture returns an image that nobody has seen.
func (w *workload) picture() []byte {
	dice := chance(w.seed, fmt.Sprint("picture ", w.pictures.Add(1)))
	img := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range 8 {
		img.SetNRGBA(i, i, color.NRGBA{R: uint8(dice.Uint32()), G: uint8(dice.Uint32()), B: uint8(dice.Uint32()), A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // memory does not refuse a write
	}
	return b.Bytes()
}

// change uploads an image nobody has seen, puts it in force, and records what it was
// told.
func (w *workload) change(in *instance, p *place) told {
	content := w.picture()
	id := w.upload(in, p, content)
	if id == "" {
		return undone
	}
	return w.apply(in, p, id, string(artwork.TagOf(artwork.HashOf(content), nil)))
}

// apply puts an uploaded image in force.
func (w *workload) apply(in *instance, p *place, id, tag string) told {
	ctx, cancel := context.WithTimeout(context.Background(), writerPatience)
	defer cancel()
	c := change{image: id, tag: tag, by: in.String()}
	c.from = w.now()
	a, err := in.ask(ctx, http.MethodPost, p.uploads()+"/apply/"+id, "", nil)
	c.to = w.now()
	c.told, c.why = w.outcome(a, err)
	w.count(c.why)
	p.record.changed(c)
	return c.told
}

// invalidate has what is cached of a subject loaded again: a change of nothing.
func (w *workload) invalidate(in *instance, p *place) {
	ctx, cancel := context.WithTimeout(context.Background(), writerPatience)
	defer cancel()
	a, err := in.send(ctx, http.MethodPost, "/api/admin/cache/invalidate", map[string]any{p.kind.String() + "Id": p.id.String()})
	if err == nil && a.status != http.StatusOK && a.status != http.StatusServiceUnavailable {
		w.surprise("an invalidation was answered %d: %s", a.status, a.body)
	}
}

// outcome is what an answer to a change promises.
func (w *workload) outcome(a answer, err error) (told, string) {
	if err != nil {
		return unknown, "no answer"
	}
	switch kind := a.problem(); {
	case a.status == http.StatusCreated:
		return acknowledged, "acknowledged"
	case kind == artwork.NotConfirmed.String():
		return unconfirmed, kind
	case kind == artwork.OutcomeUnknown.String():
		return unknown, kind
	case a.status == http.StatusServiceUnavailable, a.status == http.StatusInsufficientStorage, a.status == http.StatusConflict:
		return undone, kind
	default:
		w.surprise("a change was answered %d: %s", a.status, a.body)
		return unknown, fmt.Sprint(a.status, " ", kind)
	}
}

func (w *workload) count(outcome string) {
	n, _ := w.outcomes.LoadOrStore(outcome, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

// counted returns how often an outcome was told.
func (w *workload) counted(outcome string) int64 {
	n, ok := w.outcomes.Load(outcome)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// upload uploads an image for a place and returns the ID of its record, "" if it is not
// known to be kept.
func (w *workload) upload(in *instance, p *place, content []byte) string {
	ctx, cancel := context.WithTimeout(context.Background(), writerPatience)
	defer cancel()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if p.kind == artwork.ArtistSubject {
		_ = form.WriteField("imageType", p.slot.String()) // memory does not refuse a write
	}
	part, _ := form.CreateFormFile("file", "image.png")
	_, _ = part.Write(content)
	_ = form.Close()
	a, err := in.ask(ctx, http.MethodPost, p.uploads()+"/upload", form.FormDataContentType(), &body)
	if err != nil || a.status != http.StatusOK {
		w.count("upload: " + cmp.Or(a.problem(), "no answer"))
		if err == nil && a.status != http.StatusServiceUnavailable && a.status != http.StatusInsufficientStorage {
			w.surprise("an upload was answered %d: %s", a.status, a.body)
		}
		return ""
	}
	var kept struct{ CustomImageID, CustomCoverID string }
	if err := json.Unmarshal(a.body, &kept); err != nil {
		w.surprise("an upload was answered %q", a.body)
	}
	return kept.CustomImageID + kept.CustomCoverID
}

// readEverything asks every instance for every place, until it answers.
func (w *workload) readEverything(ctx context.Context) error {
	for _, in := range w.fleet.instances {
		r := newReader(w, in, chance(w.seed, "the last reader of "+in.String()))
		for _, p := range w.places {
			for !r.ask([]question{{place: p, method: http.MethodGet, path: p.image()}}) {
				if ctx.Err() != nil {
					return fmt.Errorf("%s does not answer for %s any more", in, p.name)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		r.hangUp()
	}
	return nil
}

// settle notes that from now on readers are bound by whatever was put in force, whether
// it was acknowledged or not.
func (w *workload) settle() { w.settled = w.now() }
