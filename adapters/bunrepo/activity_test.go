package bunrepo_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/application/accesstoken"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
)

// TestActivityTwins proves that the suite notices what it is for.
func TestActivityTwins(t *testing.T) {
	for _, twin := range []struct {
		missed string // the case that has to notice
		brk    func(r *conformance.Repositories)
	}{
		{"activity: an entry comes back to the last field", onActivity(func(l brokenActivity) brokenActivity { l.local = true; return l })},
		{"activity: texts are made valid and cut, and refuse no entry", onActivity(func(l brokenActivity) brokenActivity { l.strict = true; return l })},
		{"activity: what is no entry is refused", onActivity(func(l brokenActivity) brokenActivity { l.lax = true; return l })},
		{"activity: the latest entry is the first, by its ID", onActivity(func(l brokenActivity) brokenActivity { l.oldestFirst = true; return l })},
		{"activity: filters combine", onActivity(func(l brokenActivity) brokenActivity { l.anyKind = true; return l })},
		{"activity: filters combine", onActivity(func(l brokenActivity) brokenActivity { l.anyTime = true; return l })},
		{"activity: a family is not the beginning of a name", onActivity(func(l brokenActivity) brokenActivity { l.beginnings = true; return l })},
		{"activity: since is within, until is not, in whatever time zone", onActivity(func(l brokenActivity) brokenActivity { l.anyTime = true; return l })},
		{"activity: pages go on where they ended while entries arrive", onActivity(func(l brokenActivity) brokenActivity { l.numbered = &atomic.Int64{}; return l })},
		{"activity: a lost fence leaves no entry", func(r *conformance.Repositories) { r.Images = recordsFirst{r.Images, r.Activity} }},
		{"activity: what is refused leaves no entry", func(r *conformance.Repositories) { r.Images = recordsFirst{r.Images, r.Activity} }},
		{"activity: nobody sees an entry before its change", func(r *conformance.Repositories) { r.Images = recordsFirst{r.Images, r.Activity} }},
		{"activity: what nobody chose is not there", func(r *conformance.Repositories) { r.Images = everythingChosen{r.Images} }},
		{"activity: what is so already is not there", func(r *conformance.Repositories) { r.Artists = recordsPuts{r.Artists, r.Activity} }},
		{"activity: what somebody applied is there, before and after", func(r *conformance.Repositories) { r.Images = forgetsAction{r.Images} }},
		{"activity: of 20 racing writers each is there, in the order of the changes", func(r *conformance.Repositories) { r.Images = everythingAutomatic{r.Images} }},
		{"activity: a new token is there, without what it is known by", func(r *conformance.Repositories) { r.Tokens = nobodysTokens{r.Tokens} }},
		{"activity: the oldest entries are trimmed, some at a time", onActivity(func(l brokenActivity) brokenActivity { l.trimsAll = true; return l })},
		{"activity: a cancelled context ends every method", onActivity(func(l brokenActivity) brokenActivity { l.uncancelled = true; return l })},
	} {
		t.Run(twin.missed, func(t *testing.T) {
			t.Parallel()
			conformance.Rejects(t, conformance.RepositoryCases(), twin.missed, func(t conformance.TB) conformance.Repositories {
				r := repositories(openSQLite(t))
				twin.brk(&r)
				return r
			})
		})
	}
}

func onActivity(brk func(brokenActivity) brokenActivity) func(*conformance.Repositories) {
	return func(r *conformance.Repositories) { r.Activity = brk(brokenActivity{Log: r.Activity}) }
}

// brokenActivity breaks one clause each.
type brokenActivity struct {
	activity.Log
	local, strict, lax, oldestFirst, anyKind, anyTime, beginnings, trimsAll, uncancelled bool
	numbered                                                                             *atomic.Int64 // of the page that is asked for
}

func (b brokenActivity) Record(ctx context.Context, entry activity.Entry) error {
	if b.strict {
		if err := entry.Actor.Check(); err != nil {
			return err
		}
	}
	if b.uncancelled {
		ctx = context.WithoutCancel(ctx)
	}
	err := b.Log.Record(ctx, entry)
	if b.lax {
		return nil
	}
	return err
}

func (b brokenActivity) List(ctx context.Context, query activity.Query) (activity.Page, error) {
	asked := query
	if b.anyKind {
		query.Kind = ""
	}
	if b.anyTime {
		query.Since, query.Until = time.Time{}, time.Time{}
	}
	if b.beginnings || b.numbered != nil {
		query.Action, query.Before, query.Limit = "", 0, activity.MaxLimit
	}
	page, err := b.Log.List(ctx, query)
	if b.beginnings {
		page.Items = slices.DeleteFunc(page.Items, func(e activity.Entry) bool { return !strings.HasPrefix(string(e.Action), asked.Action) })
	}
	if b.numbered != nil && err == nil {
		start := min(int(b.numbered.Add(1)-1)*asked.Limit, len(page.Items))
		page.Items = page.Items[start:min(start+asked.Limit, len(page.Items))]
		if page.Next = 0; len(page.Items) == asked.Limit {
			page.Next = page.Items[asked.Limit-1].ID
		}
	}
	if b.oldestFirst {
		slices.Reverse(page.Items)
	}
	for i := range page.Items {
		if b.local {
			page.Items[i].At = page.Items[i].At.In(time.FixedZone("", 3600))
		}
	}
	return page, err
}

func (b brokenActivity) Trim(ctx context.Context, keep time.Duration, limit int) (int, error) {
	if b.trimsAll {
		limit = 1000
	}
	return b.Log.Trim(ctx, keep, limit)
}

// recordsFirst records what it is about to do.
type recordsFirst struct {
	artwork.ImageRepository
	log activity.Log
}

func (f recordsFirst) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	for _, a := range applications {
		if err := f.log.Record(ctx, activity.Entry{Actor: a.By, Action: artwork.ActionApply}); err != nil {
			return nil, err
		}
	}
	return f.ImageRepository.Apply(ctx, fence, applications)
}

// recordsPuts records every call.
type recordsPuts struct {
	catalog.Artists
	log activity.Log
}

func (p recordsPuts) Put(ctx context.Context, by artwork.Actor, artist catalog.Artist) (bool, error) {
	created, err := p.Artists.Put(ctx, by, artist)
	if err == nil && !created {
		err = p.log.Record(ctx, activity.Entry{Actor: by, Action: activity.CatalogUpdate})
	}
	return created, err
}

type forgetsAction struct{ artwork.ImageRepository }

func (f forgetsAction) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	for i := range a {
		a[i].Action = ""
	}
	return f.ImageRepository.Apply(ctx, fence, a)
}

type everythingAutomatic struct{ artwork.ImageRepository }

func (e everythingAutomatic) Apply(ctx context.Context, fence artwork.Fence, a []artwork.Application) ([]artwork.Outcome, error) {
	for i := range a {
		a[i].Automatic = true
	}
	return e.ImageRepository.Apply(ctx, fence, a)
}

type nobodysTokens struct{ accesstoken.Repository }

func (n nobodysTokens) AddToken(ctx context.Context, _ artwork.Actor, token accesstoken.Token) error {
	return n.Repository.AddToken(ctx, artwork.Actor{}, token)
}

// TestEntriesOfOneInstanceAreReadByAnother: they share a database, and its clock.
func TestEntriesOfOneInstanceAreReadByAnother(t *testing.T) {
	one, url := openPostgres(t)
	other := openURL(t, url)
	for n, db := range []*bunrepo.DB{one, other, one} {
		require.NoError(t, bunrepo.NewActivity(db).Record(t.Context(), activity.Entry{Actor: artwork.Actor{Name: fmt.Sprint(n)}, Action: activity.CacheFlush}))
	}
	page, err := bunrepo.NewActivity(other).List(t.Context(), activity.Query{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	for n, entry := range page.Items {
		require.Equal(t, fmt.Sprint(2-n), entry.Actor.Name)
	}
}

// TestTwoInstancesTrimAtOnce: together they remove what is too old, once.
func TestTwoInstancesTrimAtOnce(t *testing.T) {
	one, url := openPostgres(t)
	other := openURL(t, url)
	const entries, batch = 120, 7
	for range entries {
		require.NoError(t, bunrepo.NewActivity(one).Record(t.Context(), activity.Entry{Action: activity.CacheFlush}))
	}
	removed := make(chan int, 2)
	for _, db := range []*bunrepo.DB{one, other} {
		go func() {
			all := 0
			for {
				n, err := bunrepo.NewActivity(db).Trim(t.Context(), 0, batch)
				if err != nil {
					t.Errorf("trimming: %v", err)
				}
				if all += n; n == 0 {
					removed <- all
					return
				}
			}
		}()
	}
	require.Equal(t, entries, <-removed+<-removed)
}
