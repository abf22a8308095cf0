package findimages

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const (
	// providerDeadline is how long a provider is waited for.
	providerDeadline = 5 * time.Second
	// lookDeadline is how long thumbnails are looked at, once all providers have
	// answered or failed.
	lookDeadline = 3 * time.Second
	// looksAtOnce bounds how many thumbnails are looked at at once.
	looksAtOnce = 8
	// maxLooks bounds how many are looked at for one search.
	maxLooks = 120
	// maxCandidates bounds how many of one provider are taken: the best.
	maxCandidates = 100
)

// Fingerprinter looks at pictures. It may be called concurrently.
type Fingerprinter interface {
	// Fingerprint returns the perceptual hash of the picture at the URL. Copies of a
	// picture in other sizes and formats have hashes that differ in few bits. Any
	// error means that the picture could not be looked at.
	Fingerprint(ctx context.Context, url string) (uint64, error)
}

// Report is what one provider answered: candidates, or why it has none.
type Report struct {
	Provider   About
	Asking     bool // it is asked now, and there will be another report of it
	Candidates []Candidate
	Err        error
}

// Result is what all of them answered.
type Result struct {
	Found    []Found  // as by Rank
	Failures []Report // of the providers that failed, in the order of the providers
	Asked    int      // how many providers were asked, or had been lately
}

// Observer hears first of each provider that is asked, then of each as soon as it has
// answered or failed. It is called by one goroutine at a time.
type Observer func(Report)

// Search asks all providers at once.
type Search struct {
	providers     func() []ArtworkProvider
	answers       answers
	fingerprinter Fingerprinter
	log           *slog.Logger
}

// NewSearch returns a search of the providers, whose order breaks ties.
func NewSearch(providers []ArtworkProvider, cache AnswerCache, fingerprinter Fingerprinter, log *slog.Logger) *Search {
	return NewLiveSearch(func() []ArtworkProvider { return providers }, cache, fingerprinter, log)
}

// NewLiveSearch returns a search that asks for its providers each time that it begins,
// and goes on with those to its end. They are not changed once they were returned.
func NewLiveSearch(providers func() []ArtworkProvider, cache AnswerCache, fingerprinter Fingerprinter, log *slog.Logger) *Search {
	return &Search{providers, answers{cache}, fingerprinter, log}
}

// question is what is asked of every provider.
type question struct {
	subject artwork.Subject
	key     string // names what is known of the subject
	fresh   bool   // answers that are kept do not count
	slot    artwork.Slot
	ask     func(context.Context, ArtworkProvider) ([]Candidate, error)
}

// kept returns what is kept of the providers' answers to the question.
func (s *Search) kept(ctx context.Context, q question) []Candidate {
	var all []Candidate
	for _, provider := range s.providers() {
		if about := provider.About(); about.Offers(q.subject.Kind) {
			candidates, _ := s.answers.candidates(ctx, about, q.key)
			all = append(all, candidates...)
		}
	}
	return all
}

// run asks the providers, tells observe of each, and ranks what was found. It waits
// for none longer than providerDeadline. Only the end of ctx is an error; then what was
// found so far is returned without being compared.
func (s *Search) run(ctx context.Context, q question, observe Observer) (Result, error) {
	providers := s.providers()
	reports := make([]Report, len(providers))
	if observe != nil {
		tellWhom(providers, q.subject.Kind, observe)
	}
	var telling sync.Mutex
	var asking sync.WaitGroup
	asked, preferences := 0, map[string]int{}
	for i, provider := range providers {
		about := provider.About()
		preferences[about.ID] = about.Preference
		if !about.Offers(q.subject.Kind) {
			continue
		}
		asked++
		asking.Go(func() {
			candidates, err := s.ask(ctx, provider, q)
			reports[i] = Report{Provider: about, Candidates: only(candidates, q.slot), Err: err}
			if observe != nil && ctx.Err() == nil {
				telling.Lock()
				defer telling.Unlock()
				observe(reports[i])
			}
		})
	}
	asking.Wait()
	result := Result{Asked: asked}
	var candidates []Candidate
	for _, report := range reports {
		candidates = append(candidates, report.Candidates...)
		if ended := ctx.Err(); report.Err != nil && (ended == nil || !errors.Is(report.Err, ended)) {
			result.Failures = append(result.Failures, report)
		}
	}
	if err := ctx.Err(); err != nil {
		result.Found = Rank(candidates, nil, preferences)
		return result, err
	}
	result.Found = Rank(candidates, s.look(ctx, candidates), preferences)
	return result, ctx.Err()
}

// tellWhom tells observe of each provider that is going to be asked.
func tellWhom(providers []ArtworkProvider, kind artwork.SubjectKind, observe Observer) {
	for _, provider := range providers {
		if about := provider.About(); about.Offers(kind) {
			observe(Report{Provider: about, Asking: true})
		}
	}
}

// ask asks one provider, unless its answer is kept.
func (s *Search) ask(ctx context.Context, provider ArtworkProvider, q question) ([]Candidate, error) {
	about := provider.About()
	id := about.ID
	if !q.fresh {
		if candidates, ok := s.answers.candidates(ctx, about, q.key); ok {
			return candidates, nil
		}
	}
	bounded, cancel := context.WithTimeout(ctx, providerDeadline)
	defer cancel()
	begin := time.Now()
	candidates, err := q.ask(bounded, provider)
	switch {
	case err == nil:
		candidates = candidates[:min(len(candidates), maxCandidates)]
		s.answers.keepCandidates(ctx, about, q.key, candidates)
		s.log.DebugContext(ctx, "Provider answered", "provider", id, "subject", q.subject.String(), "candidates", len(candidates), "took", time.Since(begin))
		return candidates, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		err = &artwork.Error{Kind: artwork.Unavailable, Op: "findimages.ask", Msg: about.Name + " did not answer in time", Err: err}
	}
	s.log.WarnContext(ctx, "Provider failed", "provider", id, "subject", q.subject.String(), "error", err.Error())
	return nil, err
}

// only returns the candidates for the slot; all of them if there is none.
func only(candidates []Candidate, slot artwork.Slot) []Candidate {
	if slot == 0 {
		return candidates
	}
	var kept []Candidate
	for _, c := range candidates {
		if c.Slot == slot {
			kept = append(kept, c)
		}
	}
	return kept
}

// look looks at the thumbnails of slots for which several pictures were found.
func (s *Search) look(ctx context.Context, candidates []Candidate) Fingerprints {
	bounded, cancel := context.WithTimeout(ctx, lookDeadline)
	defer cancel()
	perSlot := map[artwork.Slot]int{}
	for _, c := range candidates {
		perSlot[c.Slot]++
	}
	hashes, seen := Fingerprints{}, map[string]bool{}
	var writing sync.Mutex
	var looking sync.WaitGroup
	turns := make(chan struct{}, looksAtOnce)
	for _, c := range candidates {
		url := c.thumbnail()
		if perSlot[c.Slot] < 2 || seen[url] || len(seen) >= maxLooks {
			continue
		}
		seen[url] = true
		looking.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			hash, err := s.fingerprint(bounded, url)
			if err != nil {
				return // it is shown without being compared
			}
			writing.Lock()
			defer writing.Unlock()
			hashes[url] = hash
		})
	}
	looking.Wait()
	return hashes
}

func (s *Search) fingerprint(ctx context.Context, url string) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if hash, ok := s.answers.fingerprint(ctx, url); ok {
		return hash, nil
	}
	hash, err := s.fingerprinter.Fingerprint(ctx, url)
	if err == nil {
		s.answers.keepFingerprint(ctx, url, hash)
	}
	return hash, err
}

// In says what is searched for.
type In struct {
	ID    artwork.ID
	Slot  artwork.Slot // of an artist; 0: all of them
	Fresh bool         // answers that are kept do not count
	// By is the person who searches; "" if none does: then whoever does has to note what
	// was considered.
	By string
}

// SearchArtistAvatars finds images for the slots of an artist.
type SearchArtistAvatars struct {
	search   *Search
	recorder *Recorder
	artists  catalog.Artists
}

// NewSearchArtistAvatars returns the use case.
func NewSearchArtistAvatars(search *Search, recorder *Recorder, artists catalog.Artists) *SearchArtistAvatars {
	return &SearchArtistAvatars{search, recorder, artists}
}

// Run asks all providers and returns what they found, and which failed. observe, which
// may be nil, hears of each as it answers. What a person's search found is noted
// (Recorder) before Run returns, also if it is broken off. NotFound: there is no such artist.
func (u *SearchArtistAvatars) Run(ctx context.Context, in In, observe Observer) (catalog.Artist, Result, error) {
	artist, err := u.artists.Get(ctx, in.ID)
	if err != nil {
		return artist, Result{}, artwork.Wrap(artwork.Internal, "findimages.SearchArtistAvatars", err)
	}
	result, err := u.search.noted(ctx, artistQuestion(artist), in, observe, u.recorder)
	return artist, result, err
}

func artistQuestion(artist catalog.Artist) question {
	return question{
		subject: artwork.Artist(artist.ID),
		key:     questionKey("artist", catalog.FoldName(artist.Name), artist.MBID.String()),
		ask:     func(ctx context.Context, p ArtworkProvider) ([]Candidate, error) { return p.ArtistImages(ctx, artist) },
	}
}

// SearchAlbumCovers finds covers for an album.
type SearchAlbumCovers struct {
	search   *Search
	recorder *Recorder
	albums   catalog.Albums
}

// NewSearchAlbumCovers returns the use case.
func NewSearchAlbumCovers(search *Search, recorder *Recorder, albums catalog.Albums) *SearchAlbumCovers {
	return &SearchAlbumCovers{search, recorder, albums}
}

// Run does for an album what SearchArtistAvatars.Run does for an artist.
func (u *SearchAlbumCovers) Run(ctx context.Context, in In, observe Observer) (catalog.Album, Result, error) {
	album, err := u.albums.Get(ctx, in.ID)
	if err != nil {
		return album, Result{}, artwork.Wrap(artwork.Internal, "findimages.SearchAlbumCovers", err)
	}
	in.Slot = 0
	result, err := u.search.noted(ctx, albumQuestion(album), in, observe, u.recorder)
	return album, result, err
}

func albumQuestion(album catalog.Album) question {
	return question{
		subject: artwork.Album(album.ID),
		key:     questionKey("album", catalog.FoldName(album.ArtistName), catalog.FoldName(album.Name), album.MBID.String(), album.ReleaseGroupMBID.String()),
		ask:     func(ctx context.Context, p ArtworkProvider) ([]Candidate, error) { return p.AlbumCovers(ctx, album) },
	}
}

// noted is run, with a note of what was found.
func (s *Search) noted(ctx context.Context, q question, in In, observe Observer, recorder *Recorder) (Result, error) {
	q.slot, q.fresh = in.Slot, in.Fresh
	result, err := s.run(ctx, q, observe)
	recorder.search(ctx, q.subject, in, result, err != nil)
	if err != nil {
		return Result{}, err
	}
	return result, nil
}
