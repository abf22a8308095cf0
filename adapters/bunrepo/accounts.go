package bunrepo

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Accounts keeps how users sign in.
type Accounts struct{ db *DB }

var _ account.Accounts = (*Accounts)(nil)

// NewAccounts returns the accounts in the database.
func NewAccounts(db *DB) *Accounts { return &Accounts{db} }

// accountRow is what there is of a user beside the catalogue.
type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:c"`

	UserID       uid     `bun:"user_id,pk"`
	PasswordHash string  `bun:"password_hash"`
	Disabled     bool    `bun:"disabled"`
	LastSignIn   instant `bun:"last_sign_in"`
}

// identityRow links an account to what an identity provider calls the user.
type identityRow struct {
	bun.BaseModel `bun:"table:account_identities,alias:d"`

	Issuer  string `bun:"issuer,pk"`
	Subject string `bun:"subject,pk"`
	UserID  uid    `bun:"user_id"`
}

// firstRunLinkRow is a link that lets somebody become the first administrator.
type firstRunLinkRow struct {
	bun.BaseModel `bun:"table:first_run_links,alias:f"`

	Hash []byte `bun:"hash,pk"`
}

// joinedAccountRow is an account with its user.
type joinedAccountRow struct {
	userRow      `bun:",extend"`
	PasswordHash string  `bun:"password_hash"`
	Disabled     bool    `bun:"disabled"`
	LastSignIn   instant `bun:"last_sign_in"`
	Identities   int     `bun:"identities"`
}

func (r joinedAccountRow) account() account.Account {
	return account.Account{
		User: r.value(), PasswordHash: r.PasswordHash, Disabled: r.Disabled, LastSignIn: r.LastSignIn.Time, Identities: r.Identities,
	}
}

// selectAccounts selects users with their accounts, also those who have none.
func selectAccounts(db bun.IDB, dest *[]joinedAccountRow) *bun.SelectQuery {
	return db.NewSelect().Model(dest).ColumnExpr("s.*").
		ColumnExpr("COALESCE(c.password_hash, '') AS password_hash, COALESCE(c.disabled, ?) AS disabled, c.last_sign_in", false).
		ColumnExpr("(SELECT count(*) FROM account_identities AS d WHERE d.user_id = s.id) AS identities").
		Join("LEFT JOIN accounts AS c ON c.user_id = s.id")
}

func (a *Accounts) one(ctx context.Context, op string, narrow func(*bun.SelectQuery)) (account.Account, error) {
	var rows []joinedAccountRow
	query := selectAccounts(a.db.read, &rows)
	narrow(query)
	if err := query.Scan(ctx); err != nil {
		return account.Account{}, a.db.fail(ctx, op, err)
	}
	if len(rows) == 0 {
		return account.Account{}, notFound("such user")
	}
	return rows[0].account(), nil
}

// Get implements account.Accounts.
func (a *Accounts) Get(ctx context.Context, user artwork.ID) (account.Account, error) {
	return a.one(ctx, "bunrepo.GetAccount", func(q *bun.SelectQuery) { q.Where("s.id = ?", uid(user)) })
}

// ByName implements account.Accounts.
func (a *Accounts) ByName(ctx context.Context, username string) (account.Account, error) {
	key := digest(catalog.FoldName(username))
	return a.one(ctx, "bunrepo.AccountByName", func(q *bun.SelectQuery) { q.Where("s.name_key = ?", key) })
}

// ByIdentity implements account.Accounts.
func (a *Accounts) ByIdentity(ctx context.Context, identity account.Identity) (account.Account, error) {
	if identity.Check() != nil {
		return account.Account{}, notFound("such user")
	}
	return a.one(ctx, "bunrepo.AccountByIdentity", func(q *bun.SelectQuery) {
		q.Join("JOIN account_identities AS i ON i.user_id = s.id").Where("i.issuer = ? AND i.subject = ?", identity.Issuer, identity.Subject)
	})
}

// List implements account.Accounts.
func (a *Accounts) List(ctx context.Context) ([]account.Account, error) {
	var rows []joinedAccountRow
	err := selectAccounts(a.db.read, &rows).
		Where("c.password_hash <> '' OR EXISTS (SELECT 1 FROM account_identities AS d WHERE d.user_id = s.id)").
		OrderExpr("s.sort_key, s.id").Scan(ctx)
	if err != nil {
		return nil, a.db.fail(ctx, "bunrepo.ListAccounts", err)
	}
	accounts := make([]account.Account, len(rows))
	for i, row := range rows {
		accounts[i] = row.account()
	}
	return accounts, nil
}

// Create implements account.Accounts.
func (a *Accounts) Create(ctx context.Context, by artwork.Actor, user catalog.User, passwordHash string) error {
	return a.create(ctx, "bunrepo.CreateAccount", by, user, func(ctx context.Context, tx bun.Tx) error {
		return insertWithPassword(ctx, tx, by, user, passwordHash)
	})
}

// CreateLinked implements account.Accounts.
func (a *Accounts) CreateLinked(ctx context.Context, by artwork.Actor, user catalog.User, identity account.Identity) error {
	if err := identity.Check(); err != nil {
		return err
	}
	return a.create(ctx, "bunrepo.CreateLinkedAccount", by, user, func(ctx context.Context, tx bun.Tx) error {
		if err := insertUser(ctx, tx, by, user, &accountRow{UserID: uid(user.ID)}); err != nil {
			return err
		}
		return link(ctx, tx, by, user, identity)
	})
}

// Link implements account.Accounts.
func (a *Accounts) Link(ctx context.Context, by artwork.Actor, user artwork.ID, identity account.Identity) error {
	if err := identity.Check(); err != nil {
		return err
	}
	err := a.alter(ctx, "bunrepo.LinkAccount", by, user, func(ctx context.Context, tx bun.Tx, was account.Account) (*activity.Entry, error) {
		if err := was.CheckLink(); err != nil {
			return nil, err
		}
		var holders []identityRow
		err := tx.NewSelect().Model(&holders).Where("d.issuer = ? AND d.subject = ?", identity.Issuer, identity.Subject).Scan(ctx)
		switch {
		case err != nil:
			return nil, err
		case len(holders) == 0:
			return nil, link(ctx, tx, by, was.User, identity)
		case holders[0].UserID != uid(user):
			return nil, account.LinkedError()
		}
		return nil, nil
	})
	if artwork.KindOf(err) == artwork.Conflict { // also if somebody else was faster
		return account.LinkedError()
	}
	return err
}

// link lets the user sign in with the identity, unless it is that of somebody who was
// deleted.
func link(ctx context.Context, tx bun.Tx, by artwork.Actor, user catalog.User, identity account.Identity) error {
	row := identityRow{Issuer: identity.Issuer, Subject: identity.Subject, UserID: uid(user.ID)}
	if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return err
	}
	deleted, err := tx.NewSelect().Model((*deletedIdentityRow)(nil)).Where("issuer = ? AND subject = ?", identity.Issuer, identity.Subject).Exists(ctx)
	if err != nil {
		return err
	}
	if deleted {
		return account.DeletedError()
	}
	return note(ctx, tx, account.OfLink(by, user, identity))
}

// CreateFirst implements account.Accounts.
func (a *Accounts) CreateFirst(ctx context.Context, by artwork.Actor, user catalog.User, passwordHash string, link *account.Hash) (created bool, err error) {
	err = a.create(ctx, "bunrepo.CreateFirstAccount", by, user, func(ctx context.Context, tx bun.Tx) error {
		created = false // a transaction may be tried again
		if there, err := a.administered(ctx, tx); err != nil || there {
			return err
		}
		if err := a.useLink(ctx, tx, link); err != nil {
			return err
		}
		created = true
		return insertWithPassword(ctx, tx, by, user, passwordHash)
	})
	return created && err == nil, err
}

// useLink fails unless the link was offered, if one is needed, and ends all links.
func (a *Accounts) useLink(ctx context.Context, tx bun.Tx, link *account.Hash) error {
	if link != nil {
		known, err := tx.NewSelect().Model((*firstRunLinkRow)(nil)).Where("f.hash = ? AND f.expires_at > ?", link[:], a.db.engine.fromNow(0)).Exists(ctx)
		if err != nil {
			return err
		}
		if !known {
			return artwork.Errorf(artwork.Unauthenticated, "the link is not valid, or not any more")
		}
	}
	_, err := tx.NewDelete().Model((*firstRunLinkRow)(nil)).Where("TRUE").Exec(ctx)
	return err
}

// OfferFirst implements account.Accounts.
func (a *Accounts) OfferFirst(ctx context.Context, link account.Hash, life time.Duration) (offered bool, err error) {
	err = a.db.change(ctx, "bunrepo.OfferFirst", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		offered = false
		if there, err := a.administered(ctx, tx); err != nil || there {
			return err
		}
		if _, err := tx.NewDelete().Model((*firstRunLinkRow)(nil)).Where("f.expires_at <= ?", a.db.engine.fromNow(0)).Exec(ctx); err != nil {
			return err
		}
		offered = true
		_, err := tx.ExecContext(ctx, "INSERT INTO first_run_links (hash, expires_at) VALUES (?, ?)", link[:], a.db.engine.fromNow(life))
		return err
	})
	return offered && err == nil, err
}

// administered reports whether there is an administrator. Until the transaction ends
// nobody else who asks is answered.
func (a *Accounts) administered(ctx context.Context, tx bun.Tx) (bool, error) {
	var one int
	if err := a.db.engine.forUpdate(tx.NewSelect().TableExpr("first_run").Column("one")).Scan(ctx, &one); err != nil {
		return false, err
	}
	return tx.NewSelect().TableExpr("users AS s").Join("JOIN accounts AS c ON c.user_id = s.id").Where("s.role = ?", string(catalog.RoleAdmin)).
		Where("c.password_hash <> '' OR EXISTS (SELECT 1 FROM account_identities AS d WHERE d.user_id = s.id)").Exists(ctx)
}

// create checks what every creation needs, and names who holds the user name.
func (a *Accounts) create(ctx context.Context, op string, by artwork.Actor, user catalog.User, do work) error {
	if err := cmp.Or(by.Check(), user.Check()); err != nil {
		return err
	}
	if user.ID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "the user has no ID")
	}
	err := a.db.change(ctx, op, artwork.Unfenced(), do)
	if artwork.KindOf(err) == artwork.Conflict {
		return NewUsers(a.db).heldBy(ctx, err, "user name", "name_key = ?", digest(catalog.FoldName(user.Username)))
	}
	return err
}

func insertWithPassword(ctx context.Context, tx bun.Tx, by artwork.Actor, user catalog.User, hash string) error {
	if err := insertUser(ctx, tx, by, user, &accountRow{UserID: uid(user.ID), PasswordHash: hash}); err != nil {
		return err
	}
	return note(ctx, tx, account.OfPassword(by, user, false))
}

// insertUser adds a user with an account.
func insertUser(ctx context.Context, tx bun.Tx, by artwork.Actor, user catalog.User, row *accountRow) error {
	users := newUserRow(user, time.Now())
	if _, err := tx.NewInsert().Model(&users).Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.NewInsert().Model(row).Exec(ctx); err != nil {
		return err
	}
	return note(ctx, tx, account.OfCreation(by, user))
}

// SetPassword implements account.Accounts.
func (a *Accounts) SetPassword(ctx context.Context, by artwork.Actor, user artwork.ID, passwordHash string, keep artwork.ID) error {
	return a.alter(ctx, "bunrepo.SetPassword", by, user, func(ctx context.Context, tx bun.Tx, was account.Account) (*activity.Entry, error) {
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET password_hash = ? WHERE user_id = ?", passwordHash, uid(user)); err != nil {
			return nil, err
		}
		others := tx.NewDelete().Model((*sessionRow)(nil)).Where("n.user_id = ?", uid(user))
		if !keep.IsZero() {
			others.Where("n.id <> ?", uid(keep))
		}
		_, err := others.Exec(ctx)
		entry := account.OfPassword(by, was.User, was.PasswordHash != "")
		return &entry, err
	})
}

// Rehash implements account.Accounts.
func (a *Accounts) Rehash(ctx context.Context, user artwork.ID, from, to string) error {
	return a.db.change(ctx, "bunrepo.Rehash", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE accounts SET password_hash = ? WHERE user_id = ? AND password_hash = ?", to, uid(user), from)
		return err
	})
}

// SetDisabled implements account.Accounts.
func (a *Accounts) SetDisabled(ctx context.Context, by artwork.Actor, user artwork.ID, disabled bool) error {
	return a.alter(ctx, "bunrepo.SetDisabled", by, user, func(ctx context.Context, tx bun.Tx, was account.Account) (*activity.Entry, error) {
		if was.Disabled == disabled {
			return nil, nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET disabled = ? WHERE user_id = ?", disabled, uid(user)); err != nil {
			return nil, err
		}
		if disabled {
			if _, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("n.user_id = ?", uid(user)).Exec(ctx); err != nil {
				return nil, err
			}
		}
		entry := account.OfDisabling(by, was.User, disabled)
		return &entry, nil
	})
}

// alter changes an account that nobody else changes, or begins a session of,
// meanwhile. A user without one gets one.
func (a *Accounts) alter(ctx context.Context, op string, by artwork.Actor, user artwork.ID,
	do func(ctx context.Context, tx bun.Tx, was account.Account) (*activity.Entry, error),
) error {
	if err := by.Check(); err != nil {
		return err
	}
	err := a.db.change(ctx, op, artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(&accountRow{UserID: uid(user)}).On("CONFLICT (user_id) DO NOTHING").Exec(ctx); err != nil {
			return err
		}
		var locked accountRow
		if err := a.db.engine.forUpdate(tx.NewSelect().Model(&locked).Where("c.user_id = ?", uid(user))).Scan(ctx); err != nil {
			return err
		}
		var rows []joinedAccountRow
		if err := selectAccounts(tx, &rows).Where("s.id = ?", uid(user)).Scan(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound("such user")
		}
		entry, err := do(ctx, tx, rows[0].account())
		if err != nil || entry == nil {
			return err
		}
		return note(ctx, tx, *entry)
	})
	if artwork.KindOf(err) == artwork.NotFound {
		return notFound("such user") // the account refers to its user
	}
	return err
}
