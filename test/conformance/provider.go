package conformance

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/providerfixture"
)

// ProviderTraits are what a provider is like, as far as it decides which clauses it
// can be held to.
type ProviderTraits struct {
	ID     string // of the provider, and of the fixture that answers as it
	Keyed  bool   // it needs a key; open gives providerfixture.Key
	ByMBID bool   // it is asked by identifiers
	ByName bool   // it is asked by names
}

// ProviderMaker opens a provider that asks the server, by turns of the limiter.
type ProviderMaker func(t TB, server *providerfixture.Server, limiter findimages.Limiter) findimages.ArtworkProvider

// IdentifierMaker opens an identifier, like ProviderMaker.
type IdentifierMaker func(t TB, server *providerfixture.Server, limiter findimages.Limiter) findimages.Identifier

// RunProvider holds a provider to the contract of findimages.ArtworkProvider.
func RunProvider(t *testing.T, traits ProviderTraits, maker ProviderMaker) {
	t.Helper()
	open := OpenProvider(traits, maker)
	for _, c := range ProviderCases(traits) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel() // they wait more than they work
			c.Run(t, open)
		})
	}
}

// RunIdentifier holds an identifier to the contract of findimages.Identifier.
func RunIdentifier(t *testing.T, id string, maker IdentifierMaker) {
	t.Helper()
	open := OpenIdentifier(id, maker)
	for _, c := range IdentifierCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.Run(t, open)
		})
	}
}

// ProviderBench is a provider with the server that it asks.
type ProviderBench struct {
	traits   ProviderTraits
	provider findimages.ArtworkProvider // nil: it is an identifier
	server   *providerfixture.Server
	turns    *turns
	asks     []ask
}

// ask is a question, as far as all questions are the same.
type ask struct {
	name string
	// run asks for the subject, which a change may have made another.
	run func(ctx context.Context, s subject) (answers int, err error)
}

// subject is whom a question is for.
type subject struct {
	artist catalog.Artist
	album  catalog.Album
}

var (
	anArtist = catalog.Artist{ID: artwork.DeriveID("an", "artist"), Name: "Björk & Friends", MBID: artwork.MustParseID("87c5dedd-371d-4a53-9f7f-80522fb7f3cb")}
	anAlbum  = catalog.Album{
		ID: artwork.DeriveID("an", "album"), ArtistID: anArtist.ID, ArtistName: anArtist.Name, Name: "Homogenic",
		MBID: artwork.MustParseID("9d10cd25-ab4b-43ab-9c3d-4a0b1b5a5e5a"), ReleaseGroupMBID: artwork.MustParseID("fc325dd3-73ed-36aa-9c77-6b65a958e3cf"),
	}
)

func whom() subject { return subject{anArtist, anAlbum} }

// nameOnly returns the subject without its identifiers.
func (s subject) nameOnly() subject {
	s.artist.MBID, s.album.MBID, s.album.ReleaseGroupMBID = artwork.ID{}, artwork.ID{}, artwork.ID{}
	return s
}

// called returns the subject with another name.
func (s subject) called(name string) subject {
	s.artist.Name, s.album.ArtistName, s.album.Name = name, name, name
	return s
}

// OpenProvider returns how the cases open a provider.
func OpenProvider(traits ProviderTraits, maker ProviderMaker) func(TB) *ProviderBench {
	return func(t TB) *ProviderBench {
		b := &ProviderBench{traits: traits, server: providerfixture.Start(t), turns: &turns{}}
		b.provider = maker(t, b.server, b.turns)
		if b.provider.About().Offers(artwork.ArtistSubject) {
			b.asks = append(b.asks, ask{"artist images", func(ctx context.Context, s subject) (int, error) {
				found, err := b.provider.ArtistImages(ctx, s.artist)
				return len(found), err
			}})
		}
		if b.provider.About().Offers(artwork.AlbumSubject) {
			b.asks = append(b.asks, ask{"album covers", func(ctx context.Context, s subject) (int, error) {
				found, err := b.provider.AlbumCovers(ctx, s.album)
				return len(found), err
			}})
		}
		return b
	}
}

// OpenIdentifier returns how the cases open an identifier.
func OpenIdentifier(id string, maker IdentifierMaker) func(TB) *ProviderBench {
	return func(t TB) *ProviderBench {
		b := &ProviderBench{traits: ProviderTraits{ID: id, ByName: true}, server: providerfixture.Start(t), turns: &turns{}}
		identifier := maker(t, b.server, b.turns)
		b.asks = []ask{
			{"artists", func(ctx context.Context, s subject) (int, error) {
				found, err := identifier.Artists(ctx, s.artist.Name)
				return len(CheckMatches(t, found)), err
			}},
			{"release groups", func(ctx context.Context, s subject) (int, error) {
				found, err := identifier.ReleaseGroups(ctx, s.album.ArtistName, s.album.Name)
				return len(CheckMatches(t, found)), err
			}},
		}
		return b
	}
}

// CheckMatches fails the test unless matches are such as an identifier may return. It
// returns them.
func CheckMatches(t TB, matches []findimages.Match) []findimages.Match {
	t.Helper()
	for i, m := range matches {
		require.False(t, m.MBID.IsZero())
		require.NotEmpty(t, m.Name)
		require.True(t, m.Score >= 0 && m.Score <= 100, "%d", m.Score)
		require.True(t, i == 0 || matches[i-1].Score >= m.Score, "the best comes first")
	}
	return matches
}

// turns is a limiter that gives every turn at once, and counts them.
type turns struct {
	mu      sync.Mutex
	count   int
	others  []string // providers for whom turns were asked, and rates that are none
	refusal error
	id      string
}

func (l *turns) Wait(ctx context.Context, provider string, rate findimages.Rate) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusal != nil {
		return l.refusal
	}
	l.count++
	if provider != l.id || rate.Requests < 1 || rate.Per <= 0 {
		l.others = append(l.others, provider)
	}
	return ctx.Err()
}

func (l *turns) taken() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}

func (b *ProviderBench) script(behaviours ...providerfixture.Behaviour) {
	b.server.Script(b.traits.ID, behaviours...)
}

func (b *ProviderBench) requests() []providerfixture.Request { return b.server.Requests(b.traits.ID) }

// ProviderCase is a clause of a contract with a provider.
type ProviderCase = Case[*ProviderBench]

// ProviderCases are the clauses of findimages.ArtworkProvider that a provider with
// the traits can be held to.
func ProviderCases(traits ProviderTraits) []ProviderCase {
	cases := []ProviderCase{
		{"about: it never changes, and names the provider and its slots", aboutIsConstant},
		{"found: candidates for every slot it offers, the best of each first", foundInEverySlot},
		{"found: nothing is asked for what it does not offer", asksOnlyForItsSlots},
		{"found: placeholders are no candidates", placeholdersDropped},
		{"found: a URL that cannot be offered is left out, with its candidate", unsafeURLsDropped},
	}
	if traits.ByMBID {
		cases = append(cases, ProviderCase{"found: by an identifier", foundByMBID})
	}
	if traits.ByName {
		cases = append(cases,
			ProviderCase{"found: by name, and said so", foundByName},
			ProviderCase{"found: images of a subject of another name are no candidates", strangersDropped})
	}
	if traits.ByName && traits.ByMBID {
		cases = append(cases, ProviderCase{"found: by name where the identifier is not known", foundByNameAfterAll})
	}
	if traits.Keyed {
		cases = append(cases, ProviderCase{"key: a refused key is Forbidden", keyRefused}, ProviderCase{"key: no error names it", keyNotLeaked})
	}
	return append(cases, askingCases(traits)...)
}

// IdentifierCases are the clauses of findimages.Identifier.
func IdentifierCases() []ProviderCase { return askingCases(ProviderTraits{ByName: true}) }

// askingCases are the clauses that hold for every question, whatever it is for.
func askingCases(traits ProviderTraits) []ProviderCase {
	cases := []ProviderCase{
		{"ask: what is there is found", askedAndFound},
		{"ask: absent is an answer, not an error", absentIsNoError},
		{"ask: over its limit for a moment is asked again", limitPasses},
		{"ask: over its limit is Unavailable", overLimit},
		{"ask: over its limit for long is Unavailable at once, and leaves it alone", overLimitForLong},
		{"ask: out of order is Unavailable", outOfOrder},
		{"ask: out of order for a moment is asked again", disorderPasses},
		{"ask: what does not answer ends with ctx's deadline", hangEnds},
		{"ask: a cancelled ctx ends it with ctx's error", cancelledWhileAsking},
		{"ask: nothing is asked with a cancelled ctx", cancelledBefore},
		{"ask: an answer that is not understood is DownloadFailed", notUnderstood},
		{"ask: it says who it is", userAgent},
		{"limiter: every request has its turn", everyRequestHasItsTurn},
		{"limiter: no turn, no request", noTurnNoRequest},
		{"ask: 8 at once", askedConcurrently},
	}
	if traits.ByName {
		cases = append(cases, ProviderCase{"ask: odd names arrive as they are", oddNamesArrive})
	}
	return cases
}

// each runs f for every question, each on fresh state.
func each(t TB, open func(TB) *ProviderBench, f func(b *ProviderBench, ask ask)) {
	t.Helper()
	for i := range open(t).asks {
		b := open(t)
		b.turns.id = b.traits.ID
		f(b, b.asks[i])
	}
}

func requireFault(t TB, want artwork.ErrorKind, err error, about string) {
	t.Helper()
	require.Error(t, err, about)
	require.Equal(t, want, artwork.KindOf(err), "%s: %v", about, err)
	typed, ok := errors.AsType[*artwork.Error](err)
	require.True(t, ok && typed.Msg != "", "%s: no message", about)
}

func askedAndFound(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(_ *ProviderBench, ask ask) {
		n, err := ask.run(t.Context(), whom())
		require.NoError(t, err, ask.name)
		require.Positive(t, n, ask.name)
	})
}

func absentIsNoError(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.Absent)
		n, err := ask.run(t.Context(), whom())
		require.NoError(t, err, ask.name)
		require.Zero(t, n, ask.name)
		require.NotEmpty(t, b.requests(), ask.name)
	})
}

func limitPasses(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.TooMany, providerfixture.Found)
		n, err := ask.run(t.Context(), whom())
		require.NoError(t, err, ask.name)
		require.Positive(t, n, ask.name)
	})
}

func overLimit(t TB, open func(TB) *ProviderBench) {
	for _, behaviour := range []providerfixture.Behaviour{providerfixture.OverLimit, providerfixture.TooMany} {
		each(t, open, func(b *ProviderBench, ask ask) {
			b.script(behaviour)
			n, err := ask.run(t.Context(), whom())
			requireFault(t, artwork.Unavailable, err, ask.name)
			require.Zero(t, n, ask.name)
			require.ErrorContains(t, err, "limit", ask.name)
		})
	}
}

func overLimitForLong(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.TooManyForLong)
		began := time.Now()
		for range 2 {
			_, err := ask.run(t.Context(), whom())
			requireFault(t, artwork.Unavailable, err, ask.name)
		}
		require.Less(t, time.Since(began), 5*time.Second, ask.name)
		require.Len(t, b.requests(), 1, ask.name)
	})
}

func outOfOrder(t TB, open func(TB) *ProviderBench) {
	for _, behaviour := range []providerfixture.Behaviour{providerfixture.Failing, providerfixture.Overloaded, providerfixture.Reset} {
		each(t, open, func(b *ProviderBench, ask ask) {
			b.script(behaviour)
			n, err := ask.run(t.Context(), whom())
			requireFault(t, artwork.Unavailable, err, ask.name+": "+string(behaviour))
			require.Zero(t, n)
		})
	}
}

func disorderPasses(t TB, open func(TB) *ProviderBench) {
	for _, behaviour := range []providerfixture.Behaviour{providerfixture.Overloaded, providerfixture.Reset} {
		each(t, open, func(b *ProviderBench, ask ask) {
			b.script(behaviour, providerfixture.Found)
			n, err := ask.run(t.Context(), whom())
			require.NoError(t, err, "%s: %s", ask.name, behaviour)
			require.Positive(t, n, "%s: %s", ask.name, behaviour)
		})
	}
}

func hangEnds(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.Hang)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := ask.run(ctx, whom())
		require.ErrorIs(t, err, context.DeadlineExceeded, ask.name)
		require.Equal(t, artwork.Internal, artwork.KindOf(err), "%s: it is ctx's error, as it is", ask.name)
	})
}

func cancelledWhileAsking(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.Hang)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for len(b.requests()) == 0 && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		_, err := ask.run(ctx, whom())
		cancel()
		require.ErrorIs(t, err, context.Canceled, ask.name)
		require.Equal(t, artwork.Internal, artwork.KindOf(err), "%s: it is ctx's error, as it is", ask.name)
	})
}

func cancelledBefore(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := ask.run(ctx, whom())
		require.ErrorIs(t, err, context.Canceled, ask.name)
		require.Empty(t, b.requests(), ask.name)
	})
}

func notUnderstood(t TB, open func(TB) *ProviderBench) {
	for _, behaviour := range []providerfixture.Behaviour{
		providerfixture.Malformed, providerfixture.WrongTypes, providerfixture.Oversize, providerfixture.WebPage,
	} {
		each(t, open, func(b *ProviderBench, ask ask) {
			b.script(behaviour)
			n, err := ask.run(t.Context(), whom())
			requireFault(t, artwork.DownloadFailed, err, ask.name+": "+string(behaviour))
			require.Zero(t, n)
			require.Len(t, b.requests(), 1, "it would say the same again")
		})
	}
}

func userAgent(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		_, err := ask.run(t.Context(), whom())
		require.NoError(t, err)
		for _, r := range b.requests() {
			require.Regexp(t, `^Gatefold/\S+ \( \S+ \)$`, r.Header.Get("User-Agent"))
		}
	})
}

func everyRequestHasItsTurn(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.TooMany, providerfixture.Found)
		_, err := ask.run(t.Context(), whom())
		require.NoError(t, err, ask.name)
		require.Equal(t, len(b.requests()), b.turns.taken(), ask.name)
		require.Empty(t, b.turns.others, ask.name)
	})
}

func noTurnNoRequest(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.turns.refusal = artwork.Errorf(artwork.Unavailable, "too many are waiting")
		_, err := ask.run(t.Context(), whom())
		requireFault(t, artwork.Unavailable, err, ask.name)
		require.ErrorContains(t, err, "too many are waiting", ask.name)
		require.Empty(t, b.requests(), ask.name)
	})
}

func askedConcurrently(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(_ *ProviderBench, ask ask) {
		want, err := ask.run(t.Context(), whom())
		require.NoError(t, err)
		var wait sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			wait.Go(func() {
				n, err := ask.run(t.Context(), whom())
				if results[i] = err; err == nil && n != want {
					results[i] = errors.New("another number of answers")
				}
			})
		}
		wait.Wait()
		require.NoError(t, errors.Join(results...), ask.name)
	})
}

// odd are names that mean something to URLs, to query languages or to paths.
var odd = []string{
	`"Weird Al" Yankovic`, "AC/DC", "Sigur Rós + Ñandú", "100% #1 ?a=b&c=d;e", `C:\music\*~^!(){}[]x`, "東京事変", "NOT this AND OR that",
	"../../etc/passwd", "artist:x album:y", "haswbstatement:P31=Q5 -x", "a|b", "<b>bold</b>",
}

// tidy is a name as far as every provider can take it.
func tidy(name string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(name, `"`, " ")), " ")
}

func oddNamesArrive(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	for _, name := range odd {
		for _, ask := range b.asks {
			before := len(b.requests())
			n, err := ask.run(t.Context(), whom().nameOnly().called(name))
			require.NoError(t, err, name)
			require.Positive(t, n, "%s: %s", ask.name, name)
			arrived := b.requests()[before]
			require.Contains(t, tidy(arrived.Artist+" "+arrived.Album), tidy(name), ask.name)
		}
	}
}
