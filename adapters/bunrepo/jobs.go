package bunrepo

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/application/bulkapply"
	"gatefold/domain/artwork"
)

// Jobs keeps the jobs of bulk applies.
type Jobs struct{ db *DB }

var _ bulkapply.Jobs = (*Jobs)(nil)

// NewJobs returns the jobs in the database.
func NewJobs(db *DB) *Jobs { return &Jobs{db} }

// jobRow, jobItemRow and jobResultRow are a job, what is to be done, and what
// became of it.
type jobRow struct {
	bun.BaseModel `bun:"table:bulk_jobs,alias:j"`

	ID         uid     `bun:"id,pk"`
	Actor      string  `bun:"actor"`
	Total      int     `bun:"total"`
	CreatedAt  instant `bun:"created_at"`
	StartedAt  instant `bun:"started_at"`
	FinishedAt instant `bun:"finished_at"`
	Cancelled  bool    `bun:"cancelled"`
}

type jobItemRow struct {
	bun.BaseModel `bun:"table:bulk_items,alias:i"`

	JobID       uid    `bun:"job_id,pk"`
	N           int    `bun:"n,pk"`
	SubjectKind string `bun:"subject_kind"`
	SubjectID   uid    `bun:"subject_id"`
	Slot        string `bun:"slot"`
	URL         string `bun:"url"`
	ImageID     uid    `bun:"image_id"`
	Provider    string `bun:"provider"`
	Licence     string `bun:"licence"`
	Attribution string `bun:"attribution"`
	SourcePage  string `bun:"source_page"`
}

type jobResultRow struct {
	bun.BaseModel `bun:"table:bulk_results,alias:r"`

	JobID   uid    `bun:"job_id,pk"`
	N       int    `bun:"n,pk"`
	Tag     string `bun:"tag"`
	Problem string `bun:"problem"`
	Detail  string `bun:"detail"`
}

// Create implements bulkapply.Jobs.
func (j *Jobs) Create(ctx context.Context, job bulkapply.Job) error {
	if err := job.Check(); err != nil {
		return err
	}
	items := make([]jobItemRow, len(job.Items))
	for n, item := range job.Items {
		items[n] = jobItemRow{
			JobID: uid(job.ID), N: n, SubjectKind: item.Place.Subject.Kind.String(), SubjectID: uid(item.Place.Subject.ID),
			Slot: item.Place.Slot.String(), URL: item.URL, ImageID: uid(item.ImageID), Provider: item.Provider,
			Licence: item.Stated.Licence, Attribution: item.Stated.Attribution, SourcePage: item.Stated.SourcePage,
		}
	}
	actor, err := json.Marshal(job.By)
	if err != nil {
		return j.db.fail(ctx, "bunrepo.CreateJob", err)
	}
	now := j.db.engine.fromNow(0)
	return j.db.change(ctx, "bunrepo.CreateJob", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO bulk_jobs (id, actor, total, created_at, until) VALUES (?, ?, ?, ?, ?)",
			uid(job.ID), string(actor), len(items), now, now)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(items, chunkSize) {
			if _, err := tx.NewInsert().Model(&some).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// Find implements bulkapply.Jobs.
func (j *Jobs) Find(ctx context.Context, id artwork.ID) (bulkapply.Status, []bulkapply.Result, error) {
	row, results, err := j.find(ctx, uid(id))
	if err != nil {
		return bulkapply.Status{}, nil, j.db.fail(ctx, "bunrepo.FindJob", err)
	}
	return row.status(results), results, nil
}

func (j *Jobs) find(ctx context.Context, id uid) (jobRow, []bulkapply.Result, error) {
	var rows []jobRow
	if err := j.db.read.NewSelect().Model(&rows).Where("j.id = ?", id).Scan(ctx); err != nil {
		return jobRow{}, nil, err
	}
	if len(rows) == 0 {
		return jobRow{}, nil, notFound("job " + artwork.ID(id).String())
	}
	var found []jobResultRow
	if err := j.db.read.NewSelect().Model(&found).Where("r.job_id = ?", id).OrderExpr("r.n").Scan(ctx); err != nil {
		return jobRow{}, nil, err
	}
	results := make([]bulkapply.Result, len(found))
	for i, row := range found {
		results[i] = row.result()
	}
	return rows[0], results, nil
}

func (r jobResultRow) result() bulkapply.Result {
	result := bulkapply.Result{N: r.N, Tag: artwork.Tag(r.Tag)}
	if r.Problem != "" {
		result.Problem = &bulkapply.Problem{Kind: artwork.ParseErrorKind(r.Problem), Detail: r.Detail}
	}
	return result
}

func (r jobRow) status(results []bulkapply.Result) bulkapply.Status {
	failed := 0
	for _, result := range results {
		if result.Problem != nil {
			failed++
		}
	}
	return r.counted(len(results), failed)
}

// counted returns the status of a job with so many results, of which some say that it
// failed.
func (r jobRow) counted(done, failed int) bulkapply.Status {
	s := bulkapply.Status{ID: artwork.ID(r.ID), State: bulkapply.Queued, Total: r.Total, Done: done, Failed: failed}
	switch {
	case s.Done == s.Total:
		s.State = bulkapply.Done
	case r.Cancelled:
		s.State = bulkapply.Cancelled
	case !r.StartedAt.IsZero():
		s.State = bulkapply.Running
	}
	return s
}

// countedJobRow is a job and how many results it has.
type countedJobRow struct {
	jobRow `bun:",extend"`

	Done   int `bun:"done,scanonly"`
	Failed int `bun:"failed,scanonly"`
}

func (r countedJobRow) overview() (bulkapply.Overview, error) {
	overview := bulkapply.Overview{Status: r.counted(r.Done, r.Failed), CreatedAt: r.CreatedAt.Time, FinishedAt: r.FinishedAt.Time}
	return overview, json.Unmarshal([]byte(r.Actor), &overview.By)
}

// overviews reads jobs with their counts.
func overviews(ctx context.Context, db bun.IDB, narrow func(*bun.SelectQuery)) ([]bulkapply.Overview, error) {
	var rows []countedJobRow
	query := db.NewSelect().Model(&rows).ColumnExpr("?TableColumns").
		ColumnExpr("(SELECT count(*) FROM bulk_results AS r WHERE r.job_id = j.id) AS done").
		ColumnExpr("(SELECT count(*) FROM bulk_results AS r WHERE r.job_id = j.id AND r.problem <> '') AS failed")
	narrow(query)
	if err := query.Scan(ctx); err != nil {
		return nil, err
	}
	jobs := make([]bulkapply.Overview, len(rows))
	for i, row := range rows {
		var err error
		if jobs[i], err = row.overview(); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func oneOverview(ctx context.Context, db bun.IDB, id artwork.ID) (bulkapply.Overview, error) {
	jobs, err := overviews(ctx, db, func(query *bun.SelectQuery) { query.Where("j.id = ?", uid(id)) })
	if err == nil && len(jobs) == 0 {
		err = notFound("job " + id.String())
	}
	if err != nil {
		return bulkapply.Overview{}, err
	}
	return jobs[0], nil
}

// List implements bulkapply.Jobs.
func (j *Jobs) List(ctx context.Context, limit int) ([]bulkapply.Overview, error) {
	jobs, err := overviews(ctx, j.db.read, func(query *bun.SelectQuery) {
		query.OrderExpr("j.created_at DESC, j.id DESC").Limit(int64(limit))
	})
	return jobs, j.db.fail(ctx, "bunrepo.ListJobs", err)
}

// Read implements bulkapply.Jobs.
func (j *Jobs) Read(ctx context.Context, id artwork.ID) (bulkapply.Overview, []bulkapply.Item, error) {
	job, err := oneOverview(ctx, j.db.read, id)
	if err != nil {
		return job, nil, j.db.fail(ctx, "bunrepo.ReadJob", err)
	}
	var rows []jobItemRow
	if err := j.db.read.NewSelect().Model(&rows).Where("i.job_id = ?", uid(id)).OrderExpr("i.n").Scan(ctx); err != nil {
		return job, nil, j.db.fail(ctx, "bunrepo.ReadJob", err)
	}
	items := make([]bulkapply.Item, len(rows))
	for i, row := range rows {
		todo, err := row.todo()
		if err != nil {
			return job, nil, j.db.fail(ctx, "bunrepo.ReadJob", err)
		}
		items[i] = todo.Item
	}
	return job, items, nil
}

// Cancel implements bulkapply.Jobs.
func (j *Jobs) Cancel(ctx context.Context, by artwork.Actor, id artwork.ID) (job bulkapply.Overview, err error) {
	if err := by.Check(); err != nil {
		return job, err
	}
	err = j.db.change(ctx, "bunrepo.CancelJob", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.ExecContext(ctx, "UPDATE bulk_jobs SET cancelled = ?, finished_at = ? WHERE id = ? AND finished_at IS NULL",
			true, j.db.engine.fromNow(0), uid(id))
		if err != nil {
			return err
		}
		if job, err = oneOverview(ctx, tx, id); err != nil {
			return err
		}
		switch n, err := result.RowsAffected(); {
		case err != nil:
			return err
		case n > 0:
			return note(ctx, tx, job.Cancellation(by))
		case job.State == bulkapply.Done:
			return artwork.Errorf(artwork.Conflict, "the job is done, and cannot be cancelled")
		}
		return nil
	})
	return job, err
}

// Claim implements bulkapply.Jobs. Who finds that another one was quicker looks
// again: that one has taken a job, so this comes to an end.
func (j *Jobs) Claim(ctx context.Context, holder string, term time.Duration) (bulkapply.Assignment, bool, error) {
	now := j.db.engine.fromNow
	for {
		var id uid
		err := j.db.read.QueryRowContext(ctx, "SELECT id FROM bulk_jobs WHERE finished_at IS NULL AND until <= ? ORDER BY created_at, id LIMIT 1", now(0)).Scan(&id)
		if isNoRow(err) {
			return bulkapply.Assignment{}, false, nil
		}
		if err != nil {
			return bulkapply.Assignment{}, false, j.db.fail(ctx, "bunrepo.ClaimJob", err)
		}
		taken, err := j.db.affects(ctx, "bunrepo.ClaimJob", `UPDATE bulk_jobs SET holder = ?, until = ?, started_at = COALESCE(started_at, ?)
			WHERE id = ? AND finished_at IS NULL AND until <= ?`, holder, now(term), now(0), id, now(0))
		if err != nil {
			return bulkapply.Assignment{}, false, err
		}
		if taken {
			job, err := j.assignment(ctx, id)
			return job, err == nil, j.db.fail(ctx, "bunrepo.ClaimJob", err)
		}
	}
}

// assignment reads a job that was claimed.
func (j *Jobs) assignment(ctx context.Context, id uid) (job bulkapply.Assignment, err error) {
	row, results, err := j.find(ctx, id)
	if err != nil {
		return job, err
	}
	job.Status = row.status(results)
	if err := json.Unmarshal([]byte(row.Actor), &job.By); err != nil {
		return job, err
	}
	var items []jobItemRow
	err = j.db.read.NewSelect().Model(&items).Where("i.job_id = ?", id).
		Where("NOT EXISTS (SELECT 1 FROM bulk_results AS r WHERE r.job_id = i.job_id AND r.n = i.n)").
		OrderExpr("i.n").Scan(ctx)
	if err != nil {
		return job, err
	}
	job.Todo = make([]bulkapply.Todo, len(items))
	for i, row := range items {
		if job.Todo[i], err = row.todo(); err != nil {
			return job, err
		}
	}
	return job, nil
}

func (r jobItemRow) todo() (bulkapply.Todo, error) {
	place, err := parsePlace(r.SubjectKind, r.SubjectID, r.Slot)
	return bulkapply.Todo{N: r.N, Item: bulkapply.Item{
		Place: place, URL: r.URL, ImageID: artwork.ID(r.ImageID), Provider: r.Provider,
		Stated: artwork.Provenance{Licence: r.Licence, Attribution: r.Attribution, SourcePage: r.SourcePage},
	}}, err
}

// Renew implements bulkapply.Jobs.
func (j *Jobs) Renew(ctx context.Context, claim bulkapply.Claim, term time.Duration) error {
	now := j.db.engine.fromNow
	held, err := j.db.affects(ctx, "bunrepo.RenewJob", "UPDATE bulk_jobs SET until = ? WHERE id = ? AND holder = ? AND until > ? AND NOT cancelled",
		now(term), uid(claim.Job), claim.Holder, now(0))
	if err == nil && !held {
		err = errNotHeld()
	}
	return err
}

func errNotHeld() error {
	return artwork.Errorf(artwork.Conflict, "the claim does not hold any more")
}

// Record implements bulkapply.Jobs.
func (j *Jobs) Record(ctx context.Context, claim bulkapply.Claim, results []bulkapply.Result) error {
	rows := make([]jobResultRow, len(results))
	for i, result := range results {
		rows[i] = jobResultRow{JobID: uid(claim.Job), N: result.N, Tag: string(result.Tag)}
		if result.Problem != nil {
			rows[i].Problem, rows[i].Detail = result.Problem.Kind.String(), result.Problem.Detail
		}
	}
	return j.db.change(ctx, "bunrepo.RecordResults", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		if err := j.lockHeld(ctx, tx, claim); err != nil {
			return err
		}
		for some := range slices.Chunk(rows, chunkSize) {
			if _, err := tx.NewInsert().Model(&some).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
				return err
			}
		}
		now := j.db.engine.fromNow(0)
		_, err := tx.ExecContext(ctx, "UPDATE bulk_jobs SET finished_at = ?, until = ? WHERE id = ? AND total = (SELECT count(*) FROM bulk_results WHERE job_id = ?)",
			now, now, uid(claim.Job), uid(claim.Job))
		return err
	})
}

// lockHeld locks the job, so that nobody takes it over meanwhile.
func (j *Jobs) lockHeld(ctx context.Context, tx bun.Tx, claim bulkapply.Claim) error {
	var rows []jobRow
	query := tx.NewSelect().Model(&rows).Where("j.id = ? AND j.holder = ? AND j.until > ?", uid(claim.Job), claim.Holder, j.db.engine.fromNow(0))
	if err := j.db.engine.forUpdate(query).Scan(ctx); err != nil {
		return err
	}
	if len(rows) == 0 {
		return errNotHeld()
	}
	return nil
}

// Release implements bulkapply.Jobs.
func (j *Jobs) Release(ctx context.Context, claim bulkapply.Claim) error {
	now := j.db.engine.fromNow(0)
	_, err := j.db.affects(ctx, "bunrepo.ReleaseJob", "UPDATE bulk_jobs SET until = ? WHERE id = ? AND holder = ? AND until > ?",
		now, uid(claim.Job), claim.Holder, now)
	return err
}

// Forget implements bulkapply.Jobs.
func (j *Jobs) Forget(ctx context.Context, age time.Duration) error {
	_, err := j.db.affects(ctx, "bunrepo.ForgetJobs", "DELETE FROM bulk_jobs WHERE finished_at <= ?", j.db.engine.fromNow(-age))
	return err
}
