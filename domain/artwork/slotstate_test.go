package artwork_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

var (
	logo = artwork.Place{Subject: artwork.Artist(artwork.MustParseID(uuid)), Slot: artwork.SlotLogo}
	noon = time.Date(2024, 2, 29, 12, 0, 0, 123456789, time.FixedZone("", 3600))
)

func recordOf(source artwork.Source, name string) artwork.Record {
	hash := artwork.HashOf([]byte(name))
	return artwork.Record{
		ID: artwork.RecordID(logo, hash, source, ""), Place: logo, Source: source,
		Content: artwork.Content{Hash: hash, Size: int64(len(name)), MIMEType: "image/png"},
	}
}

// holding is a slot with an image from the source, modified at noon.
func holding(source artwork.Source) artwork.SlotState {
	record := recordOf(source, "held")
	return artwork.SlotState{InForce: &record, LastModified: noon.UTC().Truncate(time.Second)}
}

func with(s artwork.SlotState, changes ...func(*artwork.SlotState)) artwork.SlotState {
	for _, change := range changes {
		change(&s)
	}
	return s
}

func isChosen(s *artwork.SlotState)    { s.Chosen = true }
func isLocked(s *artwork.SlotState)    { s.Locked = true }
func isKeptEmpty(s *artwork.SlotState) { s.KeptEmpty = true }

func foundAt(rank int, path string) func(*artwork.SlotState) {
	return func(s *artwork.SlotState) { s.Origin = artwork.Origin{Rank: rank, Path: path} }
}

// TestApplyAutomatically is the table of what an image that nobody chose may do.
func TestApplyAutomatically(t *testing.T) {
	empty := artwork.SlotState{}
	inTheMiddle := with(holding(artwork.Local), foundAt(2, "/m/c"))
	for name, c := range map[string]struct {
		held     artwork.SlotState
		source   artwork.Source
		rank     int
		path     string
		vanished string
		want     artwork.Result
		blocker  string
	}{
		"local into an empty slot":          {held: empty, source: artwork.Local, want: artwork.Changed},
		"local into a locked empty slot":    {held: with(empty, isLocked), source: artwork.Local, want: artwork.Declined},
		"local into a slot kept empty":      {held: with(empty, isKeptEmpty), source: artwork.Local, want: artwork.Declined},
		"local over custom":                 {held: holding(artwork.Custom), source: artwork.Local, want: artwork.Declined},
		"local over external":               {held: holding(artwork.External), source: artwork.Local, want: artwork.Declined},
		"local over a chosen local one":     {held: with(inTheMiddle, isChosen), source: artwork.Local, want: artwork.Declined},
		"local over a locked local one":     {held: with(inTheMiddle, isLocked), source: artwork.Local, want: artwork.Declined},
		"the same, though its file is gone": {held: with(inTheMiddle, isLocked), source: artwork.Local, vanished: "/m/c", want: artwork.Declined},
		"local of a better rank":            {held: inTheMiddle, source: artwork.Local, rank: 1, path: "/m/z", want: artwork.Changed},
		"local of a better path":            {held: inTheMiddle, source: artwork.Local, rank: 2, path: "/m/a", want: artwork.Changed},
		"local at the same origin":          {held: inTheMiddle, source: artwork.Local, rank: 2, path: "/m/c", want: artwork.Changed},
		"local of a worse path":             {held: inTheMiddle, source: artwork.Local, rank: 2, path: "/m/d", want: artwork.Declined, blocker: "/m/c"},
		"local of a worse rank":             {held: inTheMiddle, source: artwork.Local, rank: 3, path: "/m/a", want: artwork.Declined, blocker: "/m/c"},
		"worse, but the held file is gone":  {held: inTheMiddle, source: artwork.Local, rank: 3, path: "/m/a", vanished: "/m/c", want: artwork.Changed},
		"worse, and another file is gone":   {held: inTheMiddle, source: artwork.Local, rank: 3, path: "/m/a", vanished: "/m/d", want: artwork.Declined, blocker: "/m/c"},
		"worse than one without a path":     {held: with(inTheMiddle, foundAt(2, "")), source: artwork.Local, rank: 3, path: "/m/a", want: artwork.Declined},
		"external into an empty slot":       {held: empty, source: artwork.External, want: artwork.Changed},
		"external into a locked empty slot": {held: with(empty, isLocked), source: artwork.External, want: artwork.Declined},
		"external into a slot kept empty":   {held: with(empty, isKeptEmpty), source: artwork.External, want: artwork.Declined},
		"external over local":               {held: inTheMiddle, source: artwork.External, want: artwork.Declined},
		"external over external":            {held: holding(artwork.External), source: artwork.External, want: artwork.Declined},
		"external over a local file gone":   {held: inTheMiddle, source: artwork.External, vanished: "/m/c", want: artwork.Declined},
		"custom into an empty slot":         {held: empty, source: artwork.Custom, want: artwork.Changed},
		"custom over local":                 {held: inTheMiddle, source: artwork.Custom, want: artwork.Declined},
	} {
		t.Run(name, func(t *testing.T) {
			record := recordOf(c.source, "new")
			application := artwork.Application{Record: record, Automatic: true, Origin: artwork.Origin{Rank: c.rank, Path: c.path}, Vanished: c.vanished}
			after, outcome, err := c.held.Apply(application, record, noon)
			require.NoError(t, err)
			require.Equal(t, c.want, outcome.Result)
			require.Equal(t, c.blocker, outcome.Blocker)
			require.Equal(t, after.Image(), outcome.Image)
			if c.want == artwork.Declined {
				require.True(t, after == c.held, "a declined application changed the slot") //nolint:testifylint // == is what is promised
				return
			}
			require.Equal(t, record, *after.InForce)
			require.Equal(t, application.Origin, after.Origin)
			require.False(t, after.Chosen)
		})
	}
}

func TestAPersonsChoiceOverridesEverything(t *testing.T) {
	for name, held := range map[string]artwork.SlotState{
		"empty":      {},
		"kept empty": with(artwork.SlotState{}, isKeptEmpty),
		"custom":     with(holding(artwork.Custom), isChosen),
		"external":   holding(artwork.External),
		"local":      with(holding(artwork.Local), foundAt(1, "/m/a")),
		"locked":     with(holding(artwork.Custom), isChosen, isLocked),
	} {
		t.Run(name, func(t *testing.T) {
			record := recordOf(artwork.Local, "new")
			after, outcome, err := held.Apply(artwork.Application{Record: record}, record, noon.Add(time.Hour))
			require.NoError(t, err)
			require.Equal(t, artwork.Changed, outcome.Result)
			require.Equal(t, artwork.SlotState{
				InForce: &record, Chosen: true, Locked: held.Locked, LastModified: noon.Add(time.Hour).UTC().Truncate(time.Second),
			}, after)
			require.Equal(t, after.Image(), outcome.Image)
		})
	}
}

// TestApplyWhatIsInForce: only what is learned about it changes.
func TestApplyWhatIsInForce(t *testing.T) {
	held := with(holding(artwork.Local), foundAt(2, "/m/c"))
	for name, c := range map[string]struct {
		held     artwork.SlotState
		applied  artwork.Application
		expected artwork.SlotState
	}{
		"chosen by a person":                 {held, artwork.Application{}, with(held, isChosen)},
		"chosen again":                       {with(held, isChosen), artwork.Application{}, with(held, isChosen)},
		"no longer kept empty":               {with(held, isKeptEmpty), artwork.Application{}, with(held, isChosen)},
		"found again":                        {held, artwork.Application{Automatic: true, Origin: held.Origin}, held},
		"found again, and chosen":            {with(held, isChosen), artwork.Application{Automatic: true, Origin: held.Origin}, with(held, isChosen)},
		"found in a better place":            {held, artwork.Application{Automatic: true, Origin: artwork.Origin{Path: "/m/z"}}, with(held, foundAt(0, "/m/z"))},
		"found in a worse place":             {held, artwork.Application{Automatic: true, Origin: artwork.Origin{Rank: 9}}, held},
		"found in the only place left":       {held, artwork.Application{Automatic: true, Origin: artwork.Origin{Rank: 9}, Vanished: "/m/c"}, with(held, foundAt(9, ""))},
		"found worse, and another file gone": {held, artwork.Application{Automatic: true, Origin: artwork.Origin{Rank: 9}, Vanished: "/m/d"}, held},
		"found worse than without a path":    {with(held, foundAt(2, "")), artwork.Application{Automatic: true, Origin: artwork.Origin{Rank: 9}}, with(held, foundAt(2, ""))},
		"locked":                             {with(held, isLocked), artwork.Application{Automatic: true, Origin: held.Origin}, with(held, isLocked)},
	} {
		t.Run(name, func(t *testing.T) {
			c.applied.Record = *c.held.InForce
			after, outcome, err := c.held.Apply(c.applied, *c.held.InForce, noon.Add(time.Hour))
			require.NoError(t, err)
			require.Equal(t, artwork.AlreadyInForce, outcome.Result)
			require.True(t, after == c.expected, "%+v", after) //nolint:testifylint // == is what is promised
			require.Equal(t, c.held.Image(), outcome.Image)
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	held := holding(artwork.Custom)
	held.InForce.FocalPoint = &artwork.FocalPoint{X: 0.5, Y: 0.25}
	record := recordOf(artwork.Custom, "new")
	elsewhere := record
	elsewhere.Place.Slot = artwork.SlotBanner
	for name, c := range map[string]struct {
		held   artwork.SlotState
		ifTag  artwork.Tag
		stored artwork.Record
		want   artwork.ErrorKind
	}{
		"the tag of other bytes":          {held, artwork.TagOf(record.Content.Hash, nil), record, artwork.PreconditionFailed},
		"the tag of another focal point":  {held, artwork.TagOf(held.InForce.Content.Hash, nil), record, artwork.PreconditionFailed},
		"a tag of an empty slot":          {artwork.SlotState{}, artwork.TagOf(record.Content.Hash, nil), record, artwork.PreconditionFailed},
		"another tag of what is in force": {held, "0123456789abcdef", *held.InForce, artwork.PreconditionFailed},
		"a record of another place":       {held, "", elsewhere, artwork.Conflict},
		"an unknown record":               {held, "", artwork.Record{}, artwork.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			applied := c.stored
			applied.Place = logo
			after, outcome, err := c.held.Apply(artwork.Application{Record: applied, IfTag: c.ifTag}, c.stored, noon)
			require.Equal(t, c.want, artwork.KindOf(err))
			require.True(t, after == c.held, "a refused application changed the slot") //nolint:testifylint // == is what is promised
			require.Zero(t, outcome)
		})
	}
	_, outcome, err := held.Apply(artwork.Application{Record: record, IfTag: held.Image().Tag}, record, noon)
	require.NoError(t, err)
	require.Equal(t, artwork.Changed, outcome.Result)
}

func TestWhatIsStoredCounts(t *testing.T) {
	stored := recordOf(artwork.Custom, "new")
	stored.Provider, stored.FocalPoint = "stored", &artwork.FocalPoint{X: 1}
	_, outcome, err := artwork.SlotState{}.Apply(artwork.Application{Record: recordOf(artwork.Custom, "new")}, stored, noon)
	require.NoError(t, err)
	require.Equal(t, &artwork.Image{
		Content: stored.Content, RecordID: stored.ID, Tag: artwork.TagOf(stored.Content.Hash, stored.FocalPoint),
		Source: artwork.Custom, Provider: "stored", FocalPoint: stored.FocalPoint, LastModified: noon.UTC().Truncate(time.Second),
	}, outcome.Image)
}

func TestEveryChangeIsLaterThanTheOneBefore(t *testing.T) {
	whole := noon.UTC().Truncate(time.Second)
	for name, c := range map[string]struct{ before, now, want time.Time }{
		"the first":             {time.Time{}, noon, whole},
		"a second later":        {whole, noon.Add(time.Second), whole.Add(time.Second)},
		"in the same second":    {whole, noon, whole.Add(time.Second)},
		"before: the clock":     {whole.Add(time.Hour), noon, whole.Add(time.Hour + time.Second)},
		"much later":            {whole, noon.Add(time.Hour), whole.Add(time.Hour)},
		"the slot was emptied":  {whole.Add(time.Minute), noon, whole.Add(time.Minute + time.Second)},
		"just before the whole": {whole, whole.Add(2*time.Second - 1), whole.Add(time.Second)},
	} {
		record := recordOf(artwork.Custom, "new")
		after, _, err := artwork.SlotState{LastModified: c.before}.Apply(artwork.Application{Record: record}, record, c.now)
		require.NoError(t, err)
		require.Equal(t, c.want, after.LastModified, name)
	}
}

func TestRecordCheck(t *testing.T) {
	good := recordOf(artwork.Custom, "good")
	good.Attribution, good.FocalPoint = "Ünal “Ü” Özgür 👩‍👩‍👧‍👦", &artwork.FocalPoint{X: 1}
	require.NoError(t, artwork.Application{Record: good, By: artwork.Actor{Name: "somebody"}}.Check())
	texts := map[string]func(*artwork.Record) *string{
		"mimeType":    func(r *artwork.Record) *string { return &r.Content.MIMEType },
		"provider":    func(r *artwork.Record) *string { return &r.Provider },
		"sourceUrl":   func(r *artwork.Record) *string { return &r.SourceURL },
		"licence":     func(r *artwork.Record) *string { return &r.Licence },
		"attribution": func(r *artwork.Record) *string { return &r.Attribution },
		"fileName":    func(r *artwork.Record) *string { return &r.FileName },
		"addedBy":     func(r *artwork.Record) *string { return &r.AddedBy },
	}
	for name, text := range texts {
		for _, damaged := range []string{"NUL \x00 byte", "not UTF-8 \xff", "a surrogate \xed\xa0\x80"} {
			bad := good
			*text(&bad) = damaged
			err := bad.Check()
			require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%s %q", name, damaged)
			require.ErrorContains(t, err, name)
		}
	}
	for name, spoil := range map[string]func(*artwork.Record){
		"no place":       func(r *artwork.Record) { r.Place = artwork.Place{} },
		"no such slot":   func(r *artwork.Record) { r.Place.Slot = artwork.SlotCover },
		"no ID":          func(r *artwork.Record) { r.ID = artwork.ID{} },
		"no hash":        func(r *artwork.Record) { r.Content.Hash = artwork.Hash{} },
		"no source":      func(r *artwork.Record) { r.Source = 0 },
		"no such source": func(r *artwork.Record) { r.Source = 99 },
		"focal point":    func(r *artwork.Record) { r.FocalPoint = &artwork.FocalPoint{X: 2} },
	} {
		bad := good
		spoil(&bad)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(bad.Check()), name)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(artwork.Application{Record: bad}.Check()), name)
	}
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(artwork.Application{Record: good, By: artwork.Actor{Name: "\x00"}}.Check()))
}

func TestFenceRemaining(t *testing.T) {
	require.Greater(t, artwork.Unfenced().Remaining(), time.Minute)
	require.InDelta(t, time.Hour, artwork.Fence{Deadline: time.Now().Add(time.Hour)}.Remaining(), float64(time.Minute))
	require.Negative(t, artwork.Fence{Deadline: time.Now().Add(-time.Hour)}.Remaining())
}
