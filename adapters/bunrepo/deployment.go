package bunrepo

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"gatefold/application/followsettings"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Deployment keeps the cache settings that all instances follow, and which
// instances are alive.
type Deployment struct{ db *DB }

var _ followsettings.Registry = (*Deployment)(nil)

// NewDeployment returns the registry in the database.
func NewDeployment(db *DB) *Deployment { return &Deployment{db} }

// settingsRow is the one row of the settings in force.
type settingsRow struct {
	bun.BaseModel `bun:"table:cache_settings,alias:d"`

	ID          int      `bun:"id,pk"`
	Revision    int64    `bun:"revision"`
	Step        string   `bun:"step"`
	Mode        string   `bun:"mode"`
	TTL         int64    `bun:"ttl_ms"`
	L1TTL       int64    `bun:"l1_ttl_ms"`
	OtherMode   string   `bun:"other_mode"`
	OtherTTL    int64    `bun:"other_ttl_ms"`
	OtherL1TTL  int64    `bun:"other_l1_ttl_ms"`
	Chosen      bool     `bun:"chosen"`
	FormerTTL   int64    `bun:"former_ttl_ms"`
	FormerUntil deadline `bun:"former_until"`

	FormerLive bool `bun:"former_live,scanonly"`
}

// instanceRow is a member.
type instanceRow struct {
	bun.BaseModel `bun:"table:instances,alias:n"`

	ID       uid      `bun:"id,pk"`
	Name     string   `bun:"name"`
	Seat     string   `bun:"seat"`
	HasRedis bool     `bun:"has_redis"`
	Revision int64    `bun:"revision"`
	Until    deadline `bun:"until"`

	Live bool `bun:"live,scanonly"`
}

// deadline is a column with a time that lies so far ahead of the statement that
// writes it, by the clock of the database. It is compared there, and never read.
type deadline struct{ ahead time.Duration }

var _ schema.QueryAppender = deadline{}

// AppendQuery writes the expression for the time.
func (d deadline) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	var e engine = sqlite{}
	if gen.Dialect().Name() == dialect.PG {
		e = postgres{}
	}
	return e.fromNow(d.ahead).AppendQuery(gen, b)
}

// formerMargin is added to the time for which entries of a former TTL may still
// be cached: for one that a reader was about to store.
const formerMargin = time.Minute

// Update implements followsettings.Registry. The row is locked against all who change
// the rules, and against the commits of changes that were fenced by them; see
// requireRevision.
func (d *Deployment) Update(ctx context.Context, do func(*deployment.State) error) (deployment.State, error) {
	var state deployment.State
	err := d.db.change(ctx, "bunrepo.Update", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		before, err := d.state(ctx, tx, d.db.engine.forUpdate)
		if err != nil {
			return err
		}
		state = before
		state.Members = append([]deployment.Member(nil), before.Members...)
		if err := do(&state); err != nil {
			return err
		}
		if err := d.saveSettings(ctx, tx, before, state); err != nil {
			return err
		}
		return d.saveMembers(ctx, tx, before, state)
	})
	if err != nil {
		return deployment.State{}, err
	}
	return state, nil
}

// state reads everything, the settings by a query that lock can have lock them.
func (d *Deployment) state(ctx context.Context, db bun.IDB, lock func(*bun.SelectQuery) *bun.SelectQuery) (deployment.State, error) {
	now := d.db.engine.fromNow(0)
	var row settingsRow
	query := db.NewSelect().Model(&row).ExcludeColumn("former_until").ColumnExpr("d.former_until > ? AS former_live", now).Where("d.id = 1")
	if err := lock(query).Scan(ctx); err != nil {
		return deployment.State{}, err
	}
	var members []instanceRow
	err := db.NewSelect().Model(&members).ExcludeColumn("until").ColumnExpr("n.until > ? AS live", now).OrderExpr("n.name, n.id").Scan(ctx)
	if err != nil {
		return deployment.State{}, err
	}
	state := row.state()
	for _, m := range members {
		state.Members = append(state.Members, deployment.Member{
			ID: artwork.ID(m.ID), Name: m.Name, Seat: m.Seat, HasRedis: m.HasRedis, Revision: m.Revision, Live: m.Live,
		})
	}
	return state, nil
}

func (r *settingsRow) state() deployment.State {
	state := deployment.State{
		Rules:  deployment.Rules{Revision: r.Revision, Read: settings(r.Mode, r.TTL, r.L1TTL), Other: settings(r.OtherMode, r.OtherTTL, r.OtherL1TTL)},
		Step:   deployment.Step(r.Step),
		Chosen: r.Chosen,
	}
	if r.FormerLive {
		state.FormerTTL = milliseconds(r.FormerTTL)
	}
	return state
}

func settings(mode string, ttl, l1 int64) artwork.CacheSettings {
	return artwork.CacheSettings{Mode: artwork.CacheMode(mode), TTL: milliseconds(ttl), L1TTL: milliseconds(l1)}
}

func milliseconds(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// saveSettings writes what has changed of the rules. What was cached by former ones
// counts from now.
func (d *Deployment) saveSettings(ctx context.Context, tx bun.Tx, before, after deployment.State) error {
	if before.Rules == after.Rules && before.Step == after.Step && before.Chosen == after.Chosen {
		return nil
	}
	row := settingsRow{
		ID: 1, Revision: after.Revision, Step: string(after.Step), Chosen: after.Chosen,
		Mode: string(after.Read.Mode), TTL: after.Read.TTL.Milliseconds(), L1TTL: after.Read.L1TTL.Milliseconds(),
		OtherMode: string(after.Other.Mode), OtherTTL: after.Other.TTL.Milliseconds(), OtherL1TTL: after.Other.L1TTL.Milliseconds(),
		FormerTTL: after.FormerTTL.Milliseconds(), FormerUntil: deadline{after.FormerTTL + formerMargin},
	}
	query := tx.NewUpdate().Model(&row).WherePK()
	if before.Revision == after.Revision {
		query.ExcludeColumn("former_ttl_ms", "former_until")
	}
	_, err := query.Exec(ctx)
	return err
}

// saveMembers adds those who are new and removes those who are gone.
func (d *Deployment) saveMembers(ctx context.Context, tx bun.Tx, before, after deployment.State) error {
	kept := map[artwork.ID]bool{}
	for _, m := range after.Members {
		kept[m.ID] = true
	}
	known := map[artwork.ID]bool{}
	for _, m := range before.Members {
		known[m.ID] = kept[m.ID]
		if kept[m.ID] {
			continue
		}
		if _, err := tx.NewDelete().Model((*instanceRow)(nil)).Where("id = ?", uid(m.ID)).Exec(ctx); err != nil {
			return err
		}
	}
	for _, m := range after.Members {
		if known[m.ID] {
			continue
		}
		row := instanceRow{ID: uid(m.ID), Name: m.Name, Seat: m.Seat, HasRedis: m.HasRedis, Revision: m.Revision, Until: deadline{deployment.MemberTerm}}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Renew implements followsettings.Registry.
func (d *Deployment) Renew(ctx context.Context, id artwork.ID, revision int64) (deployment.State, error) {
	const op = "bunrepo.Renew"
	result, err := d.db.write.NewUpdate().Model((*instanceRow)(nil)).
		Set("revision = ?, until = ?", revision, d.db.engine.fromNow(deployment.MemberTerm)).
		Where("id = ? AND until > ?", uid(id), d.db.engine.fromNow(0)).Exec(ctx)
	if err != nil {
		return deployment.State{}, d.db.fail(ctx, op, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		if err == nil {
			err = notFound("such member")
		}
		return deployment.State{}, d.db.fail(ctx, op, err)
	}
	return d.look(ctx, op)
}

// Look implements followsettings.Registry.
func (d *Deployment) Look(ctx context.Context) (deployment.State, error) {
	return d.look(ctx, "bunrepo.Look")
}

func (d *Deployment) look(ctx context.Context, op string) (deployment.State, error) {
	state, err := d.state(ctx, d.db.write, func(query *bun.SelectQuery) *bun.SelectQuery { return query })
	return state, d.db.fail(ctx, op, err)
}

// Leave implements followsettings.Registry.
func (d *Deployment) Leave(ctx context.Context, id artwork.ID) error {
	_, err := d.db.write.NewDelete().Model((*instanceRow)(nil)).Where("id = ?", uid(id)).Exec(ctx)
	return d.db.fail(ctx, "bunrepo.Leave", err)
}

// requireRevision refuses a change that was fenced by settings that are not in
// force any more. The row stays locked until the change is committed, so that who
// changes the settings waits for it.
func (db *DB) requireRevision(ctx context.Context, tx bun.Tx, fence artwork.Fence) error {
	if fence.Revision == 0 {
		return nil
	}
	var revision int64
	query := tx.NewSelect().Model((*settingsRow)(nil)).Column("revision").Where("d.id = 1")
	if err := db.engine.forShare(query).Scan(ctx, &revision); err != nil {
		return err
	}
	if revision != fence.Revision {
		return &artwork.Error{
			Kind: artwork.Unavailable, Op: "bunrepo.change", Err: artwork.ErrSettingsChanged,
			Msg: "the deployment's cache settings have changed meanwhile; nothing has changed",
		}
	}
	return nil
}
