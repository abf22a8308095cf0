package fillmissing

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gatefold/application/findimages"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Sources are who is asked for images, and whether names are ambiguous.
type Sources struct {
	artists     *findimages.SearchArtistAvatars
	albums      *findimages.SearchAlbumCovers
	identifiers *findimages.SearchIdentifiers
}

// NewSources returns the sources on the use cases of searches.
func NewSources(artists *findimages.SearchArtistAvatars, albums *findimages.SearchAlbumCovers, identifiers *findimages.SearchIdentifiers) *Sources {
	return &Sources{artists, albums, identifiers}
}

// find searches images for the slot of a subject.
func (s *Sources) find(ctx context.Context, place artwork.Place, fresh bool) (result findimages.Result, err error) {
	in := findimages.In{ID: place.Subject.ID, Fresh: fresh}
	if place.Subject.Kind == artwork.AlbumSubject {
		_, result, err = s.albums.Run(ctx, in, nil)
		return result, err
	}
	in.Slot = place.Slot
	_, result, err = s.artists.Run(ctx, in, nil)
	return result, err
}

// matches returns what the subject's name may mean.
func (s *Sources) matches(ctx context.Context, subject artwork.Subject) ([]findimages.Match, error) {
	if subject.Kind == artwork.AlbumSubject {
		return s.identifiers.Album(ctx, subject.ID, "")
	}
	return s.identifiers.Artist(ctx, subject.ID, "")
}

// question names what is known of the subject.
func (g Gap) question() string {
	return artwork.DeriveID("fill", catalog.FoldName(g.Name), catalog.FoldName(g.Artist), g.MBID.String(), g.GroupMBID.String()).String()
}

// isRecent reports whether asking would bring nothing good enough, as far as was
// learned lately. What was found, and would be good enough now, is asked for again:
// somebody has lowered what is wanted.
func (g Gap) isRecent(minScore float64, now time.Time) bool {
	l := g.Learned
	if l == nil || l.Question != g.question() || now.Sub(l.At) >= AskAgainAfter {
		return false
	}
	switch l.Outcome {
	case Absent:
		return true
	case Below:
		return l.Score < minScore
	case Ambiguous: // until somebody says which one it is, or accepts the image
		return true
	default:
		return false
	}
}

// guarded returns why nothing may fill the gap; "" if something may.
func (g Gap) guarded() string {
	switch {
	case g.Locked:
		return "the slot is locked"
	case g.KeptEmpty:
		return "the slot is kept empty"
	case g.MBID == catalog.VariousArtists.MBID:
		return "various artists have no image"
	default:
		return ""
	}
}

// finding is what came of asking for a gap: images to try, or the result.
type finding struct {
	candidates []scored // good and sure enough, the best first
	result     *Result
	note       *note // nil: nobody was asked
	silent     bool  // nobody has answered, and somebody may later
}

// examine asks for images for a gap. An error has nothing to do with the subject.
func (r *run) examine(ctx context.Context, gap Gap) (finding, error) {
	place := r.job.Place(gap.SubjectID)
	found, err := r.sources.find(ctx, place, r.job.Again && r.position.Round == 0)
	switch {
	case artwork.KindOf(err) == artwork.NotFound:
		return settled(r.skipped(gap, "it was deleted meanwhile")), nil
	case err != nil:
		return finding{}, err
	case found.Asked == 0:
		return finding{}, fatalError("no provider that is switched on has images for the slot " + place.Slot.String())
	}
	return r.judge(ctx, gap, found)
}

// judge decides which of what was found may fill the gap.
func (r *run) judge(ctx context.Context, gap Gap, found findimages.Result) (finding, error) {
	all, noted := ranked(found.Found, r.job.Slot), noteOf(found, r.job.MinScore)
	good := slices.DeleteFunc(slices.Clone(all), func(s scored) bool { return s.score < r.job.MinScore })
	if len(good) == 0 {
		f := r.nothing(gap, all, found)
		f.note = noted
		return f, nil
	}
	sure, doubt, err := r.surest(ctx, gap, good)
	if ctx.Err() != nil {
		return finding{}, ctx.Err()
	}
	f := finding{candidates: sure, note: noted}
	if doubt != "" {
		noted.doubt(doubt)
	}
	if err != nil {
		result := r.errored(gap, &good[0], err)
		f.result = &result
	} else if len(sure) == 0 {
		result := r.ambiguous(gap, good[0], doubt, len(found.Failures) == 0)
		f.result = &result
	}
	return f, nil
}

// surest returns the images that are surely of the subject: those that were found by
// an identifier, and those found by its name if the best one is among them and nobody
// else is called the same; doubt is why they are left out.
func (r *run) surest(ctx context.Context, gap Gap, good []scored) (sure []scored, doubt string, err error) {
	if good[0].ByName {
		if doubt, err = r.doubt(ctx, gap); err == nil && doubt == "" {
			return good, "", nil
		}
	}
	identified := slices.DeleteFunc(slices.Clone(good), func(s scored) bool { return s.ByName })
	if len(identified) > 0 {
		return identified, doubt, nil
	}
	return nil, doubt, err
}

// doubt returns why an image that was found by the subject's name may be of somebody
// else; "" if nothing speaks for that.
func (r *run) doubt(ctx context.Context, gap Gap) (string, error) {
	if gap.Namesakes {
		return "the catalogue has several artists of this name", nil
	}
	matches, err := r.sources.matches(ctx, r.job.Place(gap.SubjectID).Subject)
	if errors.Is(err, findimages.ErrSwitchedOff) {
		return "nobody says whether others have the same name: MusicBrainz is switched off", nil
	}
	if err != nil {
		return "", err
	}
	known := gap.MBID
	if r.job.Kind() == artwork.AlbumSubject {
		known = gap.GroupMBID
	}
	return doubtOf(gap, known, matches), nil
}

func doubtOf(gap Gap, known catalog.MBID, matches []findimages.Match) string {
	var same []catalog.MBID
	for _, m := range matches {
		if catalog.FoldName(m.Name) == catalog.FoldName(gap.Name) && (gap.Artist == "" || catalog.FoldName(m.Artist) == catalog.FoldName(gap.Artist)) {
			same = append(same, m.MBID)
		}
	}
	switch {
	case len(same) > 1:
		return "MusicBrainz knows several of this name"
	case len(same) == 1 && !known.IsZero() && same[0] != known:
		return "MusicBrainz knows another one by this name"
	default:
		return ""
	}
}

// nothing is the finding when no image is good enough. What a provider that failed
// would have had nobody knows.
func (r *run) nothing(gap Gap, all []scored, found findimages.Result) finding {
	var best *scored
	for i := range all {
		if best == nil || all[i].score > best.score {
			best = &all[i]
		}
	}
	if len(found.Failures) == 0 {
		return settled(r.missed(gap, best))
	}
	passing, reasons := false, make([]string, len(found.Failures))
	for i, failure := range found.Failures {
		passing = passing || mayPass(failure.Err)
		reasons[i] = failure.Provider.Name + ": " + artwork.MessageOf(failure.Err)
	}
	result := r.item(gap, Errored, best, strings.Join(reasons, "; "))
	result.Open = passing
	return finding{result: &result, silent: passing && len(found.Failures) == found.Asked}
}

func settled(result Result) finding { return finding{result: &result} }

func (r *run) item(gap Gap, outcome Outcome, c *scored, reason string) Result {
	result := Result{Item: Item{SubjectID: gap.SubjectID, Name: gap.Name, Artist: gap.Artist, Outcome: outcome, Reason: activity.Text(reason)}}
	if c != nil {
		result.Candidate, result.Score = &c.Candidate, c.score
	}
	return result
}

// learn notes what came of asking.
func (r *run) learn(gap Gap, result Result) Result {
	result.Learned = &Learned{At: r.now().UTC(), Outcome: result.Outcome, Score: result.Score, Question: gap.question()}
	return result
}

func (r *run) skipped(gap Gap, reason string) Result { return r.item(gap, Skipped, nil, reason) }

// missed is the result when nobody has an image that is good enough.
func (r *run) missed(gap Gap, best *scored) Result {
	if best == nil {
		return r.learn(gap, r.item(gap, Absent, nil, "no provider has an image"))
	}
	return r.learn(gap, r.item(gap, Below, best, "no image is good enough"))
}

// ambiguous is learned unless somebody who was not heard may be surer.
func (r *run) ambiguous(gap Gap, best scored, doubt string, complete bool) Result {
	result := r.item(gap, Ambiguous, &best, doubt)
	if complete {
		result = r.learn(gap, result)
	}
	return result
}

// errored is the result of what failed; it is tried again if that may pass.
func (r *run) errored(gap Gap, c *scored, err error) Result {
	result := r.item(gap, Errored, c, artwork.MessageOf(err))
	if result.Reason == "" {
		result.Reason = "something went wrong inside Gatefold; its log has the details under the id of the job"
		r.log.Error("A subject was not filled", "job", r.job.ID.String(), "subject", r.job.Place(gap.SubjectID).Subject.String(), "error", err.Error())
	}
	result.Open = mayPass(err)
	return result
}

// mayPass reports whether trying again later makes sense.
func mayPass(err error) bool {
	switch artwork.KindOf(err) {
	case artwork.CacheUnreachable, artwork.Unavailable, artwork.NotConfirmed, artwork.OutcomeUnknown, artwork.DownloadFailed:
		return true
	default:
		return false
	}
}
