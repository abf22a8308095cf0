package bunrepo_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatefold/adapters/bunrepo"
	"gatefold/application/findimages"
	"gatefold/application/importlibrary"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
)

// TestSuiteRejectsBrokenTwins proves that the suite notices what it is for: each
// twin leaves out one thing.
func TestSuiteRejectsBrokenTwins(t *testing.T) {
	for _, twin := range []struct {
		missed string // the case that has to notice
		brk    func(r *conformance.Repositories)
	}{
		{"images: an empty slot is not a missing subject", func(r *conformance.Repositories) { r.Images = noSubjects{r.Images} }},
		{"images: a lost fence is returned as it is, and nothing has changed", func(r *conformance.Repositories) { r.Images = ignoresFence{r.Images} }},
		{"images: a lost fence leaves the older image in force", func(r *conformance.Repositories) { r.Images = ignoresFence{r.Images} }},
		{"images: nobody sees the change before the fence was checked", func(r *conformance.Repositories) { r.Images = asksAfterwards{r.Images} }},
		{"images: a passed deadline changes nothing", func(r *conformance.Repositories) { r.Images = ignoresDeadline{r.Images} }},
		{"images: a deadline that passes before COMMIT changes nothing", func(r *conformance.Repositories) { r.Images = ignoresDeadline{r.Images} }},
		{"images: LastModified is in whole seconds and strictly increasing", func(r *conformance.Repositories) { r.Images = plainClock{r.Images} }},
		{"images: 20 racing writers of one place", func(r *conformance.Repositories) { r.Images = plainClock{r.Images} }},
		{"images: an unknown subject fails the whole call", func(r *conformance.Repositories) { r.Images = oneByOne{r.Images} }},
		{"images: a tag that is not in force fails the whole call", func(r *conformance.Repositories) { r.Images = oneByOne{r.Images} }},
		{"images: applications to one place happen in their order", func(r *conformance.Repositories) { r.Images = lastOnly{r.Images} }},
		{"images: a local image does not displace what it may not", func(r *conformance.Repositories) { r.Images = everythingChosen{r.Images} }},
		{"images: a cancelled context ends every method", func(r *conformance.Repositories) { r.Images = neverCancelled{r.Images} }},
		{"archive: a record of an unknown subject is not found", func(r *conformance.Repositories) { r.Archive = swallowsErrors{r.Archive} }},
		{"archive: references visits every record", func(r *conformance.Repositories) { r.Archive = firstReferences{r.Archive} }},
		{"archive: references stops at the first error", func(r *conformance.Repositories) { r.Archive = referencesOn{r.Archive} }},
		{"catalogue: an MBID is held once, and the conflict names the holder", func(r *conformance.Repositories) { r.Artists = namesNobody{r.Artists} }},
		{"catalogue: pages do not overlap and miss nothing", func(r *conformance.Repositories) { r.Artists = overlappingPages{r.Artists} }},
		{"catalogue: lists are ordered without case and accents", func(r *conformance.Repositories) { r.Artists = unsortedNames{r.Artists} }},
		{"lists: they are sorted by name, by when subjects were added, and by when their artwork was changed", func(r *conformance.Repositories) { r.Artists = oneOrder{r.Artists} }},
		{"catalogue: a search folds case, accents and composition", func(r *conformance.Repositories) { r.Artists = plainSearch{r.Artists} }},
		{"sessions: of ten refreshes at once one rotates", func(r *conformance.Repositories) { r.Sessions = rotatesAlways{r.Sessions} }},
		{"sessions: another token ends the session", func(r *conformance.Repositories) { r.Sessions = forgivesReuse{r.Sessions} }},
		{"sessions: who cannot sign in, or not with this any more, is refused", func(r *conformance.Repositories) { r.Sessions = trustsProof{r.Sessions, r.Logins} }},
		{"logins: another password ends the sessions but one", func(r *conformance.Repositories) { r.Logins = keepsSessions{r.Logins} }},
		{"logins: who is disabled has no sessions", func(r *conformance.Repositories) { r.Logins = neverDisables{r.Logins} }},
		{"logins: of ten first administrators at once one is made", func(r *conformance.Repositories) { r.Logins = everybodyFirst{r.Logins} }},
		{"attempts: those that are made at once are all counted", func(r *conformance.Repositories) { r.Attempts = countsNoAttempts{r.Attempts} }},
		{"library: Save adds only what was not known", func(r *conformance.Repositories) { r.Library = savesByPut{r.Library, r.Artists, r.Albums} }},
		{"library: an MBID that another took is a conflict, and nothing is written", func(r *conformance.Repositories) { r.Library = savesSingly{r.Library} }},
		{"library: ForgetFingerprints forgets nothing else", func(r *conformance.Repositories) { r.Library = forgetsFolders{r.Library} }},
		{"library: Finish marks what has vanished, Save takes the mark away", func(r *conformance.Repositories) { r.Library = finishesNothing{r.Library} }},
		{"considered: an unknown subject fails the whole call", func(r *conformance.Repositories) { r.Considerations = keepsSingly{r.Considerations} }},
		{"considered: what cannot be kept is refused", func(r *conformance.Repositories) { r.Considerations = keepsSingly{r.Considerations} }},
		{"considered: the last of each occasion is kept", func(r *conformance.Repositories) { r.Considerations = oneOccasion{r.Considerations} }},
		{"accounts: state, records and history are those of the place", func(r *conformance.Repositories) { r.Accounts = ofInForceOnly{r.Accounts} }},
		{"rights: what is stated when an image is applied is in the history and the activity log", func(r *conformance.Repositories) { r.Images = forgetsRights{r.Images} }},
		{"rights: an image of the archive states nothing", func(r *conformance.Repositories) { r.Images = everythingNew{r.Images} }},
		{"library: Finish leaves other libraries alone", func(r *conformance.Repositories) { r.Library = oneRoot{r.Library} }},
	} {
		t.Run(twin.missed, func(t *testing.T) {
			conformance.Rejects(t, conformance.RepositoryCases(), twin.missed, func(t conformance.TB) conformance.Repositories {
				r := repositories(openSQLite(t))
				twin.brk(&r)
				return r
			})
		})
	}
}

// rotatesAlways takes every token for the one in force.
type rotatesAlways struct{ account.Sessions }

func (s rotatesAlways) Rotate(ctx context.Context, by artwork.Actor, session artwork.ID, presented, next account.Hash, terms account.Terms) (account.Rotation, error) {
	done, err := s.Sessions.Rotate(ctx, by, session, presented, next, terms)
	done.Outcome = account.Rotated
	return done, err
}

// forgivesReuse says that a token was reused, and goes on.
type forgivesReuse struct{ account.Sessions }

func (s forgivesReuse) Rotate(context.Context, artwork.Actor, artwork.ID, account.Hash, account.Hash, account.Terms) (account.Rotation, error) {
	return account.Rotation{Outcome: account.Reused}, nil
}

// trustsProof begins sessions with a password that is not the user's any more.
type trustsProof struct {
	account.Sessions
	logins account.Accounts
}

func (s trustsProof) Begin(ctx context.Context, by artwork.Actor, session account.Session, life time.Duration) error {
	if known, err := s.logins.Get(ctx, session.UserID); err == nil {
		session.Proof = known.PasswordHash
	}
	return s.Sessions.Begin(ctx, by, session, life)
}

// keepsSessions replaces a password without ending sessions.
type keepsSessions struct{ account.Accounts }

func (a keepsSessions) SetPassword(ctx context.Context, _ artwork.Actor, user artwork.ID, hash string, _ artwork.ID) error {
	known, err := a.Get(ctx, user)
	if err != nil {
		return err
	}
	return a.Rehash(ctx, user, known.PasswordHash, hash)
}

// neverDisables leaves users as they are.
type neverDisables struct{ account.Accounts }

func (neverDisables) SetDisabled(context.Context, artwork.Actor, artwork.ID, bool) error { return nil }

// everybodyFirst does not look whether there is an administrator.
type everybodyFirst struct{ account.Accounts }

func (a everybodyFirst) CreateFirst(ctx context.Context, by artwork.Actor, user catalog.User, hash string, _ *account.Hash) (bool, error) {
	err := a.Create(ctx, by, user, hash)
	return err == nil, err
}

// countsNoAttempts lets everybody try.
type countsNoAttempts struct{ account.Attempts }

func (countsNoAttempts) Begin(context.Context, string, account.Throttle) (account.Attempt, error) {
	return account.Attempt{Number: 1}, nil
}

// TestSuiteRejectsBrokenDatabases does the same for what wrappers cannot leave
// out.
func TestSuiteRejectsBrokenDatabases(t *testing.T) {
	reject := func(name string, open opener, brk func(*bunrepo.DB) conformance.Repositories) {
		t.Run(name, func(t *testing.T) {
			conformance.Rejects(t, conformance.RepositoryCases(), name, func(t conformance.TB) conformance.Repositories { return brk(open(t)) })
		})
	}
	reject("images: a deadline that passes before COMMIT changes nothing", openOnPostgres, func(db *bunrepo.DB) conformance.Repositories {
		return repositories(db.WithoutServerDeadline())
	})
}

type noSubjects struct{ artwork.ImageRepository }

func (n noSubjects) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	img, err := n.ImageRepository.InForce(ctx, place)
	if artwork.KindOf(err) == artwork.NotFound {
		return nil, nil
	}
	return img, err
}

type ignoresFence struct{ artwork.ImageRepository }

func (i ignoresFence) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	check := fence.StillHeld
	fence.StillHeld = func(ctx context.Context) error {
		_ = check(ctx)
		return nil
	}
	return i.ImageRepository.Apply(ctx, fence, a)
}

type asksAfterwards struct{ artwork.ImageRepository }

func (w asksAfterwards) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	outcomes, err := w.ImageRepository.Apply(ctx, artwork.Unfenced(), a)
	return outcomes, errors.Join(err, fence.StillHeld(ctx))
}

type ignoresDeadline struct{ artwork.ImageRepository }

func (i ignoresDeadline) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	fence.Deadline = time.Time{}
	return i.ImageRepository.Apply(ctx, fence, a)
}

// plainClock shows what LastModified would be if it only were the time of the
// change.
type plainClock struct{ artwork.ImageRepository }

func (p plainClock) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	img, err := p.ImageRepository.InForce(ctx, place)
	return stopped(img), err
}

func (p plainClock) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	outcomes, err := p.ImageRepository.Apply(ctx, fence, a)
	for i := range outcomes {
		outcomes[i].Image = stopped(outcomes[i].Image)
	}
	return outcomes, err
}

func stopped(img *artwork.Image) *artwork.Image {
	if img == nil {
		return nil
	}
	changed := *img
	changed.LastModified = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return &changed
}

type oneByOne struct{ artwork.ImageRepository }

func (o oneByOne) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) (all []artwork.Outcome, err error) {
	for _, a := range applications {
		outcomes, err := o.ImageRepository.Apply(ctx, fence, []artwork.Application{a})
		if err != nil {
			return nil, err
		}
		all = append(all, outcomes...)
	}
	return all, nil
}

// lastOnly leaves out all but the last application to a place.
type lastOnly struct{ artwork.ImageRepository }

func (l lastOnly) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	last := applications[len(applications)-1]
	outcomes, err := l.ImageRepository.Apply(ctx, fence, []artwork.Application{last})
	for err == nil && len(outcomes) < len(applications) {
		outcomes = append(outcomes, outcomes[0])
	}
	return outcomes, err
}

type everythingChosen struct{ artwork.ImageRepository }

func (e everythingChosen) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	for i := range a {
		a[i].Automatic = false
	}
	return e.ImageRepository.Apply(ctx, fence, a)
}

type neverCancelled struct{ artwork.ImageRepository }

func (n neverCancelled) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	return n.ImageRepository.Apply(context.WithoutCancel(ctx), fence, a)
}

type swallowsErrors struct{ artwork.ImageArchive }

func (s swallowsErrors) Add(ctx context.Context, record artwork.Record) error {
	_ = s.ImageArchive.Add(ctx, record)
	return nil
}

type firstReferences struct{ artwork.ImageArchive }

func (f firstReferences) References(ctx context.Context, visit func(artwork.Content) error) error {
	n := 0
	return f.ImageArchive.References(ctx, func(content artwork.Content) error {
		if n++; n > 1000 {
			return nil
		}
		return visit(content)
	})
}

type referencesOn struct{ artwork.ImageArchive }

func (r referencesOn) References(ctx context.Context, visit func(artwork.Content) error) error {
	var first error
	err := r.ImageArchive.References(ctx, func(content artwork.Content) error {
		if err := visit(content); first == nil {
			first = err
		}
		return nil
	})
	return errors.Join(first, err)
}

type namesNobody struct{ catalog.Artists }

func (n namesNobody) Put(ctx context.Context, by artwork.Actor, artist catalog.Artist) (bool, error) {
	created, err := n.Artists.Put(ctx, by, artist)
	if artwork.KindOf(err) == artwork.Conflict {
		err = artwork.Errorf(artwork.Conflict, "somebody has the same MBID")
	}
	return created, err
}

type overlappingPages struct{ catalog.Artists }

func (o overlappingPages) List(ctx context.Context, query catalog.Query) (catalog.Page[catalog.Artist], error) {
	page, err := o.Artists.List(ctx, query)
	if query.Page > 1 && len(page.Items) > 1 {
		page.Items[0] = page.Items[1]
	}
	return page, err
}

// unsortedNames is a list in the order of the bytes of the names.
type unsortedNames struct{ catalog.Artists }

func (u unsortedNames) List(ctx context.Context, query catalog.Query) (catalog.Page[catalog.Artist], error) {
	page, err := u.Artists.List(ctx, query)
	for i := range page.Items {
		for j := range i {
			if strings.Compare(page.Items[i].Name, page.Items[j].Name) < 0 {
				page.Items[i], page.Items[j] = page.Items[j], page.Items[i]
			}
		}
	}
	return page, err
}

// oneOrder sorts lists by name, whatever is asked for.
type oneOrder struct{ catalog.Artists }

func (o oneOrder) List(ctx context.Context, query catalog.Query) (catalog.Page[catalog.Artist], error) {
	if query.Order.By != catalog.Best {
		query.Order.By = catalog.ByName
	}
	return o.Artists.List(ctx, query)
}

// plainSearch finds only names that contain the text as it is spelled.
type plainSearch struct{ catalog.Artists }

func (p plainSearch) List(ctx context.Context, query catalog.Query) (catalog.Page[catalog.Artist], error) {
	page, err := p.Artists.List(ctx, query)
	var found []catalog.Artist
	for _, artist := range page.Items {
		if strings.Contains(artist.Name, query.Text) {
			found = append(found, artist)
		}
	}
	return catalog.Page[catalog.Artist]{Items: found, Total: len(found)}, err
}

type savesByPut struct {
	importlibrary.Library
	artists catalog.Artists
	albums  catalog.Albums
}

func (s savesByPut) Save(ctx context.Context, artists []catalog.Artist, albums []catalog.Album) error {
	for _, artist := range artists {
		if _, err := s.artists.Put(ctx, artwork.Actor{Name: "test"}, artist); err != nil {
			return err
		}
	}
	for _, album := range albums {
		if _, err := s.albums.Put(ctx, artwork.Actor{Name: "test"}, album); err != nil {
			return err
		}
	}
	return nil
}

type savesSingly struct{ importlibrary.Library }

func (s savesSingly) Save(ctx context.Context, artists []catalog.Artist, albums []catalog.Album) error {
	for _, artist := range artists {
		if err := s.Library.Save(ctx, []catalog.Artist{artist}, nil); err != nil {
			return err
		}
	}
	return s.Library.Save(ctx, nil, albums)
}

type finishesNothing struct{ importlibrary.Library }

func (finishesNothing) Finish(context.Context, artwork.ID, string) (int, error) { return 0, nil }

// forgetsFolders forgets what folders held, and not only what they looked like.
type forgetsFolders struct{ importlibrary.Library }

func (f forgetsFolders) ForgetFingerprints(ctx context.Context) error {
	_, err := f.Finish(ctx, artwork.NewID(), "/music")
	return err
}

// oneRoot takes all libraries for one.
type oneRoot struct{ importlibrary.Library }

func (o oneRoot) SaveFolders(ctx context.Context, scan artwork.ID, _ string, folders []importlibrary.FolderState) error {
	return o.Library.SaveFolders(ctx, scan, "", folders)
}

func (o oneRoot) Finish(ctx context.Context, scan artwork.ID, _ string) (int, error) {
	return o.Library.Finish(ctx, scan, "")
}

type keepsSingly struct{ findimages.Considerations }

func (k keepsSingly) Keep(ctx context.Context, considerations []findimages.Consideration) error {
	for _, c := range considerations {
		if err := k.Considerations.Keep(ctx, []findimages.Consideration{c}); err != nil {
			return err
		}
	}
	return nil
}

// oneOccasion takes fills for searches.
type oneOccasion struct{ findimages.Considerations }

func (o oneOccasion) Keep(ctx context.Context, considerations []findimages.Consideration) error {
	for i := range considerations {
		considerations[i].Occasion = findimages.OnSearch
	}
	return o.Considerations.Keep(ctx, considerations)
}

// ofInForceOnly does not know what was in force before.
type ofInForceOnly struct{ artwork.SlotAccounts }

func (o ofInForceOnly) Account(ctx context.Context, place artwork.Place) (artwork.Account, error) {
	account, err := o.SlotAccounts.Account(ctx, place)
	account.History = account.History[:min(len(account.History), 1)]
	return account, err
}

type forgetsRights struct{ artwork.ImageRepository }

func (f forgetsRights) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	for i := range a {
		a[i].Record.SourcePage = ""
	}
	return f.ImageRepository.Apply(ctx, fence, a)
}

// everythingNew takes what was read a while ago for news.
type everythingNew struct{ artwork.ImageRepository }

func (e everythingNew) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	for i := range a {
		a[i].Known = false
	}
	return e.ImageRepository.Apply(ctx, fence, a)
}
