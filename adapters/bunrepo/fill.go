package bunrepo

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

// Fill keeps the jobs that fill empty slots.
type Fill struct{ db *DB }

var _ fillmissing.Jobs = (*Fill)(nil)

// NewFill returns the jobs in the database.
func NewFill(db *DB) *Fill { return &Fill{db} }

// fillJobRow, fillItemRow and fillLearnedRow are a job, what it has to say of a
// subject, and what was learned of a slot.
type fillJobRow struct {
	bun.BaseModel `bun:"table:fill_jobs,alias:f"`

	ID         uid     `bun:"id,pk"`
	Actor      string  `bun:"actor"`
	Slot       string  `bun:"slot"`
	DryRun     bool    `bun:"dry_run"`
	MinScore   float64 `bun:"min_score"`
	Again      bool    `bun:"again"`
	OfJob      uid     `bun:"of_job"`
	Named      bool    `bun:"named"`
	State      string  `bun:"state"`
	Reason     string  `bun:"reason"`
	Counts     string  `bun:"counts"`
	Round      int     `bun:"round"`
	Reached    uid     `bun:"reached"`
	CreatedAt  instant `bun:"created_at"`
	StartedAt  instant `bun:"started_at"`
	FinishedAt instant `bun:"finished_at"`

	Held bool `bun:"held,scanonly"`
}

type fillItemRow struct {
	bun.BaseModel `bun:"table:fill_items,alias:i"`

	JobID     uid     `bun:"job_id,pk"`
	SubjectID uid     `bun:"subject_id,pk"`
	Name      string  `bun:"name"`
	Artist    string  `bun:"artist"`
	Outcome   string  `bun:"outcome"`
	Candidate string  `bun:"candidate"`
	Score     float64 `bun:"score"`
	Tag       string  `bun:"tag"`
	Reason    string  `bun:"reason"`
	Open      bool    `bun:"open"`
}

type fillLearnedRow struct {
	bun.BaseModel `bun:"table:fill_learned,alias:l"`

	SubjectKind string  `bun:"subject_kind,pk"`
	SubjectID   uid     `bun:"subject_id,pk"`
	Slot        string  `bun:"slot,pk"`
	AskedAt     instant `bun:"asked_at"`
	Outcome     string  `bun:"outcome"`
	Score       float64 `bun:"score"`
	Question    string  `bun:"question"`
}

func (r *fillJobRow) status() (s fillmissing.Status, err error) {
	s = fillmissing.Status{
		Job: fillmissing.Job{
			ID: artwork.ID(r.ID), Of: artwork.ID(r.OfJob), Named: r.Named,
			Wish: fillmissing.Wish{DryRun: r.DryRun, MinScore: r.MinScore, Again: r.Again},
		},
		State: fillmissing.State(r.State), Reason: r.Reason,
		CreatedAt: r.CreatedAt.Time, StartedAt: r.StartedAt.Time, FinishedAt: r.FinishedAt.Time,
	}
	if s.Slot, err = artwork.ParseSlot(r.Slot); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(r.Counts), &s.Counts); err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(r.Actor), &s.By)
}

// selectJobs reads jobs, and whether somebody holds them.
func (f *Fill) selectJobs(db bun.IDB, dest *[]fillJobRow) *bun.SelectQuery {
	return db.NewSelect().Model(dest).ColumnExpr("?TableColumns, f.until > ? AS held", f.db.engine.fromNow(0))
}

// Create implements fillmissing.Jobs.
func (f *Fill) Create(ctx context.Context, job fillmissing.Job, accepted fillmissing.Selection) (status fillmissing.Status, err error) {
	if err := job.Check(); err != nil {
		return status, err
	}
	actor, err := json.Marshal(job.By)
	if err != nil {
		return status, f.db.fail(ctx, "bunrepo.CreateFill", err)
	}
	err = f.db.change(ctx, "bunrepo.CreateFill", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		if err := f.insert(ctx, tx, job, string(actor)); err != nil {
			return err
		}
		var counts fillmissing.Counts
		if counts.Total, err = f.count(ctx, tx, job, accepted); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE fill_jobs SET counts = ? WHERE id = ?", countsOf(counts), uid(job.ID)); err != nil {
			return err
		}
		if status, err = f.one(ctx, tx, job.ID); err != nil {
			return err
		}
		return note(ctx, tx, status.Activity(job.By, fillmissing.ActionStart))
	})
	return status, err
}

// count returns how much a job has to do, and keeps what it is to do if that is known
// already.
func (f *Fill) count(ctx context.Context, tx bun.Tx, job fillmissing.Job, accepted fillmissing.Selection) (int, error) {
	switch {
	case job.Named:
		return f.name(ctx, tx, job, accepted)
	case !job.Of.IsZero():
		return f.accept(ctx, tx, job, accepted)
	}
	total, err := missing(tx.NewSelect(), job.Slot).Count(ctx)
	return int(total), err
}

// name keeps those of the named subjects whose slot is empty.
func (f *Fill) name(ctx context.Context, tx bun.Tx, job fillmissing.Job, named fillmissing.Selection) (total int, err error) {
	if err := named.Check(); err != nil {
		return 0, err
	}
	for some := range slices.Chunk(named.Only, chunkSize) {
		empty := missing(tx.NewSelect(), job.Slot).Where("s.id IN (?)", bun.List(uids(some)))
		if job.Kind() == artwork.AlbumSubject {
			empty.Join("JOIN artists AS a ON a.id = s.artist_id").ColumnExpr("?, s.id, s.name, a.name", uid(job.ID))
		} else {
			empty.ColumnExpr("?, s.id, s.name, ''", uid(job.ID))
		}
		empty.ColumnExpr("?, '', 0, '', '', ?", string(fillmissing.Waiting), true)
		result, err := tx.NewRaw(`INSERT INTO fill_items (job_id, subject_id, name, artist, outcome, candidate, score, tag, reason, open) ?
			ON CONFLICT DO NOTHING`, empty).Exec(ctx)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		total += int(n)
	}
	if total == 0 {
		return 0, artwork.Errorf(artwork.InvalidInput, "none of the named subjects has an empty slot of this type")
	}
	return total, nil
}

func (f *Fill) insert(ctx context.Context, tx bun.Tx, job fillmissing.Job, actor string) error {
	now := f.db.engine.fromNow(0)
	_, err := tx.ExecContext(ctx, `INSERT INTO fill_jobs (id, actor, slot, dry_run, min_score, again, of_job, named, state, counts, created_at, until)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '{}', ?, ?)`,
		uid(job.ID), actor, job.Slot.String(), job.DryRun, job.MinScore, job.Again, uid(job.Of), job.Named, string(fillmissing.Queued), now, now)
	return err
}

// accept copies the proposals of a dry run that are accepted.
func (f *Fill) accept(ctx context.Context, tx bun.Tx, job fillmissing.Job, accepted fillmissing.Selection) (int, error) {
	if err := accepted.Check(); err != nil {
		return 0, err
	}
	of, err := f.one(ctx, tx, job.Of)
	if err != nil {
		return 0, err
	}
	if !of.DryRun || of.Slot != job.Slot {
		return 0, artwork.Errorf(artwork.Conflict, "the job %s was no dry run for the slot %s", job.Of, job.Slot)
	}
	outcomes := []fillmissing.Outcome{fillmissing.Proposed}
	condition, ids := "TRUE", []artwork.ID(nil)
	switch {
	case len(accepted.Except) > 0:
		condition, ids = "i.subject_id NOT IN (?)", accepted.Except
	case len(accepted.Only) > 0:
		condition, ids = "i.subject_id IN (?)", accepted.Only
		outcomes = append(outcomes, fillmissing.Ambiguous)
	}
	result, err := tx.NewRaw(`INSERT INTO fill_items (job_id, subject_id, name, artist, outcome, candidate, score, tag, reason, open)
		SELECT ?, i.subject_id, i.name, i.artist, ?, i.candidate, i.score, '', '', ? FROM fill_items AS i
		WHERE i.job_id = ? AND i.outcome IN (?) AND i.candidate <> '' AND `+condition,
		append([]any{uid(job.ID), string(fillmissing.Accepted), true, uid(job.Of), bun.List(outcomes)}, listOf(ids)...)...).Exec(ctx)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = artwork.Errorf(artwork.InvalidInput, "no proposal of the job %s is accepted", job.Of)
	}
	return int(n), err
}

// listOf returns the argument of a list; none if there is nothing to list.
func listOf(ids []artwork.ID) []any {
	if len(ids) == 0 {
		return nil
	}
	return []any{bun.List(uids(ids))}
}

func countsOf(counts fillmissing.Counts) string {
	text, err := json.Marshal(counts)
	if err != nil {
		panic(err) // numbers alone
	}
	return string(text)
}

func (f *Fill) one(ctx context.Context, db bun.IDB, id artwork.ID) (fillmissing.Status, error) {
	var rows []fillJobRow
	if err := f.selectJobs(db, &rows).Where("f.id = ?", uid(id)).Scan(ctx); err != nil {
		return fillmissing.Status{}, err
	}
	if len(rows) == 0 {
		return fillmissing.Status{}, notFound("job " + id.String())
	}
	return rows[0].status()
}

// Find implements fillmissing.Jobs.
func (f *Fill) Find(ctx context.Context, id artwork.ID) (fillmissing.Status, error) {
	status, err := f.one(ctx, f.db.read, id)
	return status, f.db.fail(ctx, "bunrepo.FindFill", err)
}

// List implements fillmissing.Jobs.
func (f *Fill) List(ctx context.Context, limit int) ([]fillmissing.Status, error) {
	var rows []fillJobRow
	if err := f.selectJobs(f.db.read, &rows).OrderExpr("f.created_at DESC, f.id DESC").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, f.db.fail(ctx, "bunrepo.ListFills", err)
	}
	jobs := make([]fillmissing.Status, len(rows))
	for i := range rows {
		var err error
		if jobs[i], err = rows[i].status(); err != nil {
			return nil, f.db.fail(ctx, "bunrepo.ListFills", err)
		}
	}
	return jobs, nil
}

// Items implements fillmissing.Jobs.
func (f *Fill) Items(ctx context.Context, id artwork.ID, query fillmissing.ItemQuery) ([]fillmissing.Item, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	if _, err := f.Find(ctx, id); err != nil {
		return nil, err
	}
	return f.items(ctx, "bunrepo.FillItems", id, query.After, query.Limit, func(q *bun.SelectQuery) {
		if query.Outcome != "" {
			q.Where("i.outcome = ?", string(query.Outcome))
		}
	})
}

// Open implements fillmissing.Jobs.
func (f *Fill) Open(ctx context.Context, id artwork.ID, after artwork.ID, limit int) ([]fillmissing.Item, error) {
	return f.items(ctx, "bunrepo.OpenFills", id, after, limit, func(q *bun.SelectQuery) { q.Where("i.open") })
}

func (f *Fill) items(ctx context.Context, op string, job, after artwork.ID, limit int, narrow func(*bun.SelectQuery)) ([]fillmissing.Item, error) {
	var rows []fillItemRow
	query := f.db.read.NewSelect().Model(&rows).Where("i.job_id = ?", uid(job)).OrderExpr("i.subject_id").Limit(int64(limit))
	if !after.IsZero() {
		query.Where("i.subject_id > ?", uid(after))
	}
	narrow(query)
	if err := query.Scan(ctx); err != nil {
		return nil, f.db.fail(ctx, op, err)
	}
	items := make([]fillmissing.Item, len(rows))
	for i := range rows {
		var err error
		if items[i], err = rows[i].item(); err != nil {
			return nil, f.db.fail(ctx, op, err)
		}
	}
	return items, nil
}

func newFillItemRow(job artwork.ID, item fillmissing.Item) (fillItemRow, error) {
	row := fillItemRow{
		JobID: uid(job), SubjectID: uid(item.SubjectID), Name: item.Name, Artist: item.Artist, Outcome: string(item.Outcome),
		Score: item.Score, Tag: string(item.Tag), Reason: item.Reason, Open: item.Open,
	}
	if item.Candidate == nil {
		return row, nil
	}
	candidate, err := json.Marshal(item.Candidate)
	row.Candidate = string(candidate)
	return row, err
}

func (r *fillItemRow) item() (fillmissing.Item, error) {
	item := fillmissing.Item{
		SubjectID: artwork.ID(r.SubjectID), Name: r.Name, Artist: r.Artist, Outcome: fillmissing.Outcome(r.Outcome),
		Score: r.Score, Tag: artwork.Tag(r.Tag), Reason: r.Reason, Open: r.Open,
	}
	if r.Candidate == "" {
		return item, nil
	}
	item.Candidate = &findimages.Candidate{}
	return item, json.Unmarshal([]byte(r.Candidate), item.Candidate)
}

// Order implements fillmissing.Jobs.
func (f *Fill) Order(ctx context.Context, by artwork.Actor, id artwork.ID, order fillmissing.Order) (status fillmissing.Status, err error) {
	if err := by.Check(); err != nil {
		return status, err
	}
	err = f.db.change(ctx, "bunrepo.OrderFill", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		var rows []fillJobRow
		if err := f.db.engine.forUpdate(f.selectJobs(tx, &rows).Where("f.id = ?", uid(id))).Scan(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound("job " + id.String())
		}
		before := fillmissing.State(rows[0].State)
		after, err := before.Obey(order, rows[0].Held)
		if err != nil {
			return err
		}
		if after != before {
			if err := f.setState(ctx, tx, id, after); err != nil {
				return err
			}
		}
		if status, err = f.one(ctx, tx, id); err != nil || after == before {
			return err
		}
		return note(ctx, tx, status.Activity(by, artwork.Action(order)))
	})
	return status, err
}

func (f *Fill) setState(ctx context.Context, tx bun.Tx, id artwork.ID, state fillmissing.State) error {
	_, err := tx.ExecContext(ctx, "UPDATE fill_jobs SET state = ?, reason = '', finished_at = CASE WHEN ? THEN ? ELSE NULL END WHERE id = ?",
		string(state), state.Ended(), f.db.engine.fromNow(0), uid(id))
	return err
}

// Claim implements fillmissing.Jobs.
func (f *Fill) Claim(ctx context.Context, holder string, term time.Duration) (taken fillmissing.Assignment, found bool, err error) {
	waiting, err := f.selectJobs(f.db.read, &[]fillJobRow{}).
		Where("f.finished_at IS NULL AND f.state IN (?) AND f.until <= ?", bun.List(claimable), f.db.engine.fromNow(0)).Exists(ctx)
	if err != nil || !waiting {
		return taken, false, f.db.fail(ctx, "bunrepo.ClaimFill", err)
	}
	err = f.db.change(ctx, "bunrepo.ClaimFill", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		var rows []fillJobRow
		// Whoever claims at the same time waits here, and then sees what was taken.
		query := f.selectJobs(tx, &rows).Where("f.finished_at IS NULL OR f.until > ?", f.db.engine.fromNow(0)).OrderExpr("f.created_at, f.id")
		if err := f.db.engine.forUpdate(query).Scan(ctx); err != nil {
			return err
		}
		n := nextToClaim(rows)
		if found = n >= 0; !found {
			return nil
		}
		_, err := tx.ExecContext(ctx, "UPDATE fill_jobs SET holder = ?, until = ?, state = ?, started_at = COALESCE(started_at, ?) WHERE id = ?",
			holder, f.db.engine.fromNow(term), string(fillmissing.Running), f.db.engine.fromNow(0), rows[n].ID)
		if err != nil {
			return err
		}
		taken.Position = fillmissing.Position{Round: rows[n].Round, Cursor: artwork.ID(rows[n].Reached)}
		taken.Status, err = f.one(ctx, tx, artwork.ID(rows[n].ID))
		return err
	})
	return taken, found && err == nil, err
}

var claimable = []fillmissing.State{fillmissing.Queued, fillmissing.Running}

// nextToClaim returns the index of the first job that may be taken, -1 if there is
// none: nobody holds it, nor another one for the same slot.
func nextToClaim(rows []fillJobRow) int {
	busy := map[string]bool{}
	for _, row := range rows {
		busy[row.Slot] = busy[row.Slot] || row.Held
	}
	return slices.IndexFunc(rows, func(row fillJobRow) bool {
		return !busy[row.Slot] && slices.Contains(claimable, fillmissing.State(row.State))
	})
}

// Renew implements fillmissing.Jobs.
func (f *Fill) Renew(ctx context.Context, claim fillmissing.Claim, term time.Duration) (fillmissing.State, error) {
	now := f.db.engine.fromNow
	var state string
	err := f.db.write.QueryRowContext(ctx, "UPDATE fill_jobs SET until = ? WHERE id = ? AND holder = ? AND until > ? RETURNING state",
		now(term), uid(claim.Job), claim.Holder, now(0)).Scan(&state)
	if isNoRow(err) {
		return "", errNotHeld()
	}
	return fillmissing.State(state), f.db.fail(ctx, "bunrepo.RenewFill", err)
}

// held has a change made by who holds the job, and returns how it is then.
func (f *Fill) held(ctx context.Context, op string, claim fillmissing.Claim, do func(ctx context.Context, tx bun.Tx, row *fillJobRow) error) (status fillmissing.Status, err error) {
	err = f.db.change(ctx, op, artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		var rows []fillJobRow
		query := f.selectJobs(tx, &rows).Where("f.id = ? AND f.holder = ? AND f.until > ?", uid(claim.Job), claim.Holder, f.db.engine.fromNow(0))
		if err := f.db.engine.forUpdate(query).Scan(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			return errNotHeld()
		}
		if err := do(ctx, tx, &rows[0]); err != nil {
			return err
		}
		status, err = f.one(ctx, tx, claim.Job)
		return err
	})
	return status, err
}

// Record implements fillmissing.Jobs.
func (f *Fill) Record(ctx context.Context, claim fillmissing.Claim, step fillmissing.Step) (fillmissing.Status, error) {
	return f.held(ctx, "bunrepo.RecordFill", claim, func(ctx context.Context, tx bun.Tx, row *fillJobRow) error {
		status, err := row.status()
		if err != nil {
			return err
		}
		if err := saveItems(ctx, tx, claim.Job, step.Results); err != nil {
			return err
		}
		if err := saveLearned(ctx, tx, status.Wish, step.Results); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE fill_jobs SET round = ?, reached = ?, counts = ?, reason = '' WHERE id = ?",
			step.Round, uid(step.Cursor), countsOf(status.Counts.Add(step)), uid(claim.Job))
		return err
	})
}

func saveItems(ctx context.Context, tx bun.Tx, job artwork.ID, results []fillmissing.Result) error {
	rows := make([]fillItemRow, len(results))
	for i, result := range results {
		var err error
		if rows[i], err = newFillItemRow(job, result.Item); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(rows, chunkSize) {
		_, err := tx.NewInsert().Model(&some).On("CONFLICT (job_id, subject_id) DO UPDATE").
			Set("name = EXCLUDED.name, artist = EXCLUDED.artist, outcome = EXCLUDED.outcome, candidate = EXCLUDED.candidate").
			Set("score = EXCLUDED.score, tag = EXCLUDED.tag, reason = EXCLUDED.reason, open = EXCLUDED.open").Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

func saveLearned(ctx context.Context, tx bun.Tx, wish fillmissing.Wish, results []fillmissing.Result) error {
	var rows []fillLearnedRow
	for _, result := range results {
		if l := result.Learned; l != nil {
			rows = append(rows, fillLearnedRow{
				SubjectKind: wish.Kind().String(), SubjectID: uid(result.SubjectID), Slot: wish.Slot.String(),
				AskedAt: stored(l.At), Outcome: string(l.Outcome), Score: l.Score, Question: l.Question,
			})
		}
	}
	for some := range slices.Chunk(rows, chunkSize) {
		_, err := tx.NewInsert().Model(&some).On("CONFLICT (subject_kind, subject_id, slot) DO UPDATE").
			Set("asked_at = EXCLUDED.asked_at, outcome = EXCLUDED.outcome, score = EXCLUDED.score, question = EXCLUDED.question").Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// Explain implements fillmissing.Jobs.
func (f *Fill) Explain(ctx context.Context, claim fillmissing.Claim, reason string) (fillmissing.Status, error) {
	return f.held(ctx, "bunrepo.ExplainFill", claim, func(ctx context.Context, tx bun.Tx, _ *fillJobRow) error {
		_, err := tx.ExecContext(ctx, "UPDATE fill_jobs SET reason = ? WHERE id = ?", reason, uid(claim.Job))
		return err
	})
}

// Finish implements fillmissing.Jobs.
func (f *Fill) Finish(ctx context.Context, claim fillmissing.Claim, failure string) (fillmissing.Status, error) {
	return f.held(ctx, "bunrepo.FinishFill", claim, func(ctx context.Context, tx bun.Tx, row *fillJobRow) error {
		state := fillmissing.Done
		if failure != "" {
			state = fillmissing.Failed
		}
		if fillmissing.State(row.State) == fillmissing.Cancelled {
			state = fillmissing.Cancelled
		}
		now := f.db.engine.fromNow(0)
		_, err := tx.ExecContext(ctx, "UPDATE fill_jobs SET state = ?, reason = ?, finished_at = COALESCE(finished_at, ?), until = ? WHERE id = ?",
			string(state), failure, now, now, uid(claim.Job))
		return err
	})
}

// Release implements fillmissing.Jobs.
func (f *Fill) Release(ctx context.Context, claim fillmissing.Claim) error {
	now := f.db.engine.fromNow(0)
	_, err := f.db.affects(ctx, "bunrepo.ReleaseFill", "UPDATE fill_jobs SET until = ? WHERE id = ? AND holder = ? AND until > ?",
		now, uid(claim.Job), claim.Holder, now)
	return err
}

// Forget implements fillmissing.Jobs.
func (f *Fill) Forget(ctx context.Context, age time.Duration) error {
	_, err := f.db.affects(ctx, "bunrepo.ForgetFills", "DELETE FROM fill_jobs WHERE finished_at <= ?", f.db.engine.fromNow(-age))
	return err
}
