package bunrepo_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/application/fillmissing"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

// TestSuiteRejectsBrokenFills: each twin leaves out one thing.
func TestSuiteRejectsBrokenFills(t *testing.T) {
	t.Parallel()
	onFill := func(brk func(*brokenFill)) func(*conformance.Repositories, *bunrepo.DB) {
		return func(r *conformance.Repositories, db *bunrepo.DB) {
			broken := &brokenFill{Jobs: r.Fill, db: db}
			brk(broken)
			r.Fill = broken
		}
	}
	for _, twin := range []struct {
		missed string // the case that has to notice
		brk    func(*conformance.Repositories, *bunrepo.DB)
	}{
		{"fill: a job comes back to the last field, and is in the activity log", onFill(func(b *brokenFill) { b.silent = true })},
		{"fill: the oldest is claimed first, and one for a slot at a time", onFill(func(b *brokenFill) { b.neverHeld = true })},
		{"fill: a claim expires by itself, and the next goes on from where it was", onFill(func(b *brokenFill) { b.fromTheStart = true })},
		{"fill: a claim that does not hold changes nothing", onFill(func(b *brokenFill) { b.anybody = true })},
		{"fill: a step comes back to the last field", onFill(func(b *brokenFill) { b.learnsNothing = true })},
		{"fill: a result replaces the one before, and the counts follow", onFill(func(b *brokenFill) { b.firstResult = true })},
		{"fill: orders are obeyed, and written down once", onFill(func(b *brokenFill) { b.silent = true })},
		{"fill: who holds a job hears of orders when it renews", onFill(func(b *brokenFill) { b.deaf = true })},
		{"fill: a job that was told to stop is not claimed", onFill(func(b *brokenFill) { b.unstoppable = true })},
		{"fill: a released job can be claimed at once", onFill(func(b *brokenFill) { b.notReleased = true })},
		{"fill: proposals are accepted: all, all but some, only some", onFill(func(b *brokenFill) { b.acceptsAll = true })},
		{"fill: what ended long ago is forgotten, and not what was learned", onFill(func(b *brokenFill) { b.forgetful = true })},
		{"gaps: every empty slot is met once, in the order of IDs", func(r *conformance.Repositories, _ *bunrepo.DB) { r.Gaps = skipsOne{r.Gaps} }},
		{"gaps: artists of one name are told", func(r *conformance.Repositories, _ *bunrepo.DB) { r.Gaps = noNamesakes{r.Gaps} }},
	} {
		t.Run(twin.missed, func(t *testing.T) {
			t.Parallel()
			conformance.Rejects(t, conformance.RepositoryCases(), twin.missed, func(t conformance.TB) conformance.Repositories {
				db := openSQLite(t)
				r := repositories(db)
				twin.brk(&r, db)
				return r
			})
		})
	}
}

// TestAFullCatalogueIsReadInSteps: one call says how far it has come long before it has read all.
func TestAFullCatalogueIsReadInSteps(t *testing.T) {
	const artists = 10_500
	db := openSQLite(t)
	exec := func(statement string, args ...any) {
		t.Helper()
		_, err := db.Write().ExecContext(t.Context(), statement, args...)
		require.NoError(t, err)
	}
	exec(`INSERT INTO artists (id, name, sort_name, folded_name, sort_key, name_key, created_at, updated_at)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT printf('00000000-0000-7000-8000-%012d', i), 'Artist', '', 'artist', 'artist', x'01', 0, 0 FROM n`, artists)
	exec(`INSERT INTO images (id, subject_kind, subject_id, slot, hash, size, mime_type, width, height, thumb_hash, source, provider,
			source_url, licence, attribution, file_name, added_by, added_at)
		VALUES ('00000000-0000-7000-8000-000000000000', 'artist', '00000000-0000-7000-8000-000000000001', 'profile', zeroblob(32), 1, 'image/png', 1, 1, x'', 'custom', '', '', '', '', '', '', 0)`)
	exec(`INSERT INTO slots (subject_kind, subject_id, slot, image_id, changed_at)
		SELECT 'artist', id, 'profile', '00000000-0000-7000-8000-000000000000', 0 FROM artists WHERE id NOT LIKE '%000010400'`)
	gaps := bunrepo.NewGaps(db)
	found, reached, err := gaps.After(t.Context(), artwork.SlotProfile, artwork.ID{}, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Equal(t, "00000000-0000-7000-8000-000000010000", reached.String())
	found, reached, err = gaps.After(t.Context(), artwork.SlotProfile, reached, 10)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "00000000-0000-7000-8000-000000010500", reached.String())
	found, reached, err = gaps.After(t.Context(), artwork.SlotProfile, reached, 10)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Zero(t, reached)
}

// brokenFill are jobs that leave out what their fields say.
type brokenFill struct {
	fillmissing.Jobs
	db            *bunrepo.DB
	silent        bool // nothing is in the activity log
	neverHeld     bool // whoever comes takes a job
	fromTheStart  bool // who takes over begins anew
	anybody       bool // may do what only the holder may
	learnsNothing bool
	firstResult   bool // stays
	deaf          bool // to orders
	unstoppable   bool
	notReleased   bool
	acceptsAll    bool
	forgetful     bool // of what was learned
}

func (b *brokenFill) exec(ctx context.Context, statement string, args ...any) {
	_, _ = b.db.Write().ExecContext(ctx, statement, args...)
}

func (b *brokenFill) Create(ctx context.Context, job fillmissing.Job, accepted fillmissing.Selection) (fillmissing.Status, error) {
	if b.acceptsAll && accepted.Check() == nil {
		accepted = fillmissing.Selection{All: true}
	}
	status, err := b.Jobs.Create(ctx, job, accepted)
	if b.silent {
		b.exec(ctx, "DELETE FROM activity")
	}
	return status, err
}

func (b *brokenFill) Order(ctx context.Context, by artwork.Actor, id artwork.ID, order fillmissing.Order) (fillmissing.Status, error) {
	status, err := b.Jobs.Order(ctx, by, id, order)
	if b.silent {
		b.exec(ctx, "DELETE FROM activity")
	}
	return status, err
}

func (b *brokenFill) Claim(ctx context.Context, holder string, term time.Duration) (fillmissing.Assignment, bool, error) {
	if b.neverHeld {
		b.exec(ctx, "UPDATE fill_jobs SET until = 0")
	}
	if b.unstoppable {
		b.exec(ctx, "UPDATE fill_jobs SET state = 'queued', finished_at = NULL")
	}
	job, found, err := b.Jobs.Claim(ctx, holder, term)
	if b.fromTheStart {
		job.Position = fillmissing.Position{}
	}
	return job, found, err
}

func (b *brokenFill) Renew(ctx context.Context, claim fillmissing.Claim, term time.Duration) (fillmissing.State, error) {
	state, err := b.Jobs.Renew(ctx, claim, term)
	if b.deaf && err == nil {
		state = fillmissing.Running
	}
	return state, err
}

func (b *brokenFill) Record(ctx context.Context, claim fillmissing.Claim, step fillmissing.Step) (fillmissing.Status, error) {
	if b.anybody {
		b.exec(ctx, "UPDATE fill_jobs SET holder = ?, until = 9000000000000000", claim.Holder)
	}
	for i := range step.Results {
		if b.learnsNothing {
			step.Results[i].Learned = nil
		}
	}
	if b.firstResult && step.Round > 0 {
		step.Results = nil
	}
	return b.Jobs.Record(ctx, claim, step)
}

func (b *brokenFill) Release(ctx context.Context, claim fillmissing.Claim) error {
	if b.notReleased {
		return nil
	}
	return b.Jobs.Release(ctx, claim)
}

func (b *brokenFill) Forget(ctx context.Context, age time.Duration) error {
	if b.forgetful {
		b.exec(ctx, "DELETE FROM fill_learned")
	}
	return b.Jobs.Forget(ctx, age)
}

// skipsOne leaves out the first of each page.
type skipsOne struct{ fillmissing.Gaps }

func (g skipsOne) After(ctx context.Context, slot artwork.Slot, after artwork.ID, limit int) ([]fillmissing.Gap, artwork.ID, error) {
	gaps, reached, err := g.Gaps.After(ctx, slot, after, limit)
	return gaps[min(1, len(gaps)):], reached, err
}

// noNamesakes does not look who else has a name.
type noNamesakes struct{ fillmissing.Gaps }

func (g noNamesakes) Among(ctx context.Context, slot artwork.Slot, ids []artwork.ID) ([]fillmissing.Gap, error) {
	gaps, err := g.Gaps.Among(ctx, slot, ids)
	for i := range gaps {
		gaps[i].Namesakes = false
	}
	return gaps, err
}
