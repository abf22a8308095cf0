package bunrepo_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/url"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
)

// TestTheServerEndsALateTransaction stalls a change between the last look at its
// fence and COMMIT, as a paused process would be, until the deadline has passed.
// The client does not look at the clock again: only the server can refuse.
func TestTheServerEndsALateTransaction(t *testing.T) {
	db, _ := openPostgres(t)
	old := someRecord(t, db, 1)
	require.NoError(t, apply(t, db, old))
	late := recordFor(old.Place, 2)

	stalled := false
	deadline := time.Now().Add(2 * time.Second)
	fence := artwork.Fence{Deadline: deadline, StillHeld: func(context.Context) error {
		stalled = true
		<-time.After(time.Until(deadline) + 100*time.Millisecond)
		return nil
	}}
	_, err := bunrepo.NewImages(db).Apply(t.Context(), fence, []artwork.Application{{Record: late}})
	require.True(t, stalled, "the deadline passed before COMMIT was near")
	requireKind(t, artwork.CacheUnreachable, err)
	requireInForce(t, db, old.Place, old.ID)
	_, err = bunrepo.NewImages(db).Find(t.Context(), late.ID)
	requireKind(t, artwork.NotFound, err)

	// The connection that the server closed is replaced.
	require.NoError(t, apply(t, db, late))
}

// TestTheServersLimitIsSetLast: the server counts each pause from its beginning.
// A limit set before slow work would let a COMMIT through that comes as much later
// than the deadline.
func TestTheServersLimitIsSetLast(t *testing.T) {
	db, _ := openPostgres(t)
	limited := regexp.MustCompile(`'idle_in_transaction_session_timeout', '(\d+)'`)
	deadline := time.Now().Add(time.Minute)
	fence := artwork.Fence{Deadline: deadline, StillHeld: func(ctx context.Context) error {
		var statement string
		var paused time.Time
		require.NoError(t, db.Read().NewRaw("SELECT query, state_change FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'").
			Scan(ctx, &statement, &paused))
		require.Regexp(t, limited, statement)
		limit, err := time.ParseDuration(limited.FindStringSubmatch(statement)[1] + "ms")
		require.NoError(t, err)
		require.False(t, paused.Add(limit).After(deadline))
		return nil
	}}
	_, err := bunrepo.NewImages(db).Apply(t.Context(), fence, []artwork.Application{{Record: someRecord(t, db, 1)}})
	require.NoError(t, err)
}

// TestAChangeWaitsForAnotherOnlyUntilItsDeadline has one change hold a place
// while another one wants it.
func TestAChangeWaitsForAnotherOnlyUntilItsDeadline(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		record := someRecord(t, db, 1)
		release := holdPlace(t, db, record)
		fence := artwork.Unfenced()
		fence.Deadline = time.Now().Add(500 * time.Millisecond)
		_, err := bunrepo.NewImages(db).Apply(t.Context(), fence, []artwork.Application{{Record: recordFor(record.Place, 2)}})
		requireKind(t, artwork.CacheUnreachable, err)
		require.WithinDuration(t, fence.Deadline, time.Now(), 5*time.Second)
		release()
		requireInForce(t, db, record.Place, record.ID)
	})
}

func TestACallerThatGivesUpWaitingGetsItsContextsError(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		record := someRecord(t, db, 1)
		release := holdPlace(t, db, record)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := bunrepo.NewImages(db).Apply(ctx, artwork.Unfenced(), []artwork.Application{{Record: recordFor(record.Place, 2)}})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		release()
		requireInForce(t, db, record.Place, record.ID)
		require.NoError(t, apply(t, db, recordFor(record.Place, 3)))
	})
}

// holdPlace starts a change of the record's place and returns when it is about
// to commit; the function it returns lets it, and waits until it has.
func holdPlace(t *testing.T, db *bunrepo.DB, record artwork.Record) (release func()) {
	t.Helper()
	held, released, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	fence := artwork.Fence{StillHeld: func(context.Context) error {
		close(held)
		<-released
		return nil
	}}
	go func() {
		_, err := bunrepo.NewImages(db).Apply(context.WithoutCancel(t.Context()), fence, []artwork.Application{{Record: record}})
		done <- err
	}()
	select {
	case <-held:
	case err := <-done:
		require.NoError(t, err)
	}
	return func() {
		close(released)
		require.NoError(t, <-done)
	}
}

// meetAtOnePlace has two changes meet: the second looks at the place, which it
// locks or not, while the first is about to commit. It wants to replace the image
// that the first replaces; what becomes of it is returned.
func meetAtOnePlace(t *testing.T, db *bunrepo.DB, lock bool) error {
	t.Helper()
	old := someRecord(t, db, 1)
	require.NoError(t, apply(t, db, old))
	arrived, proceed, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	second := bunrepo.NewImages(db.BeforeLock(lock, func() {
		close(arrived)
		<-proceed
	}))
	go func() {
		_, err := second.Apply(context.WithoutCancel(t.Context()), artwork.Unfenced(), []artwork.Application{
			{Record: recordFor(old.Place, 3), IfTag: artwork.TagOf(old.Content.Hash, nil)},
		})
		result <- err
	}()
	<-arrived
	release := holdPlace(t, db, recordFor(old.Place, 2))
	close(proceed)
	awaitLockWait(t, db)
	release()
	return <-result
}

// awaitLockWait returns when a transaction waits for a lock.
func awaitLockWait(t *testing.T, db *bunrepo.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		var waiting int
		err := db.Write().NewRaw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").
			Scan(t.Context(), &waiting)
		return err == nil && waiting > 0
	}, 10*time.Second, 5*time.Millisecond, "no change waits for another")
}

func TestAChangeSeesWhatTheOneBeforeItWrote(t *testing.T) {
	db, _ := openPostgres(t)
	requireKind(t, artwork.PreconditionFailed, meetAtOnePlace(t, db, true))
	require.NoError(t, meetAtOnePlace(t, db, false), "this test would not notice that rows are not locked")
}

// TestAPoolerThatKnowsNoPreparedStatements is provided for by the URL.
func TestAPoolerThatKnowsNoPreparedStatements(t *testing.T) {
	_, address := openPostgres(t)
	db := openURL(t, address+"&default_query_exec_mode=simple_protocol")
	record := someRecord(t, db, 1)
	require.NoError(t, apply(t, db, record))
	for range 3 {
		requireInForce(t, db, record.Place, record.ID)
	}
	var prepared int
	require.NoError(t, db.Write().NewRaw("SELECT count(*) FROM pg_prepared_statements").Scan(t.Context(), &prepared))
	require.Zero(t, prepared)
}

func TestTwoProcessesChangeOnePlace(t *testing.T) {
	onEmpty(t, func(t *testing.T, address string) {
		first, second := openURL(t, address), openURL(t, address)
		require.NoError(t, first.Migrate(t.Context()))
		place := someRecord(t, first, 0).Place
		const writers = 20
		var wg sync.WaitGroup
		errs, modified := make([]error, writers), make([]time.Time, writers)
		for i := range writers {
			db := []*bunrepo.DB{first, second}[i%2]
			wg.Go(func() {
				outcomes, err := bunrepo.NewImages(db).Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: recordFor(place, i)}})
				if errs[i] = err; err == nil {
					modified[i] = outcomes[0].Image.LastModified
				}
			})
		}
		wg.Wait()
		last := 0
		for i, err := range errs {
			require.NoError(t, err)
			if modified[i].After(modified[last]) {
				last = i
			}
		}
		requireInForce(t, first, place, recordFor(place, last).ID)
		requireInForce(t, second, place, recordFor(place, last).ID)
		var entries []string
		require.NoError(t, first.Write().NewRaw("SELECT image_id FROM history ORDER BY id").Scan(t.Context(), &entries))
		require.Len(t, entries, writers)
		require.Equal(t, recordFor(place, last).ID.String(), entries[writers-1], "the history does not end with what is in force")
	})
}

func TestHistoryTellsWhatTookForce(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		images, first := bunrepo.NewImages(db), someRecord(t, db, 1)
		second := recordFor(first.Place, 2)
		for _, step := range []artwork.Application{
			{Record: first, By: artwork.Actor{Name: "anna"}},
			{Record: first, By: artwork.Actor{Name: "nobody"}}, // in force already
			{Record: second, By: artwork.Actor{Name: "berta"}},
			{Record: recordFor(first.Place, 3), By: artwork.Actor{Name: "library"}, Automatic: true}, // declined
			{Record: first, By: artwork.Actor{Name: "clara"}},
		} {
			_, err := images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{step})
			require.NoError(t, err)
		}
		var by []string
		require.NoError(t, db.Write().NewRaw("SELECT applied_by FROM history ORDER BY id").Scan(t.Context(), &by))
		require.Equal(t, []string{"anna", "berta", "clara"}, by)
	})
}

func TestALockedSlotIsOnlyChangedByAPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		images, record := bunrepo.NewImages(db), someRecord(t, db, 1)
		record.Source = artwork.Local
		scan := artwork.Application{Record: record, Automatic: true, Origin: artwork.Origin{Path: "/music/a.jpg"}}
		_, err := images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{scan})
		require.NoError(t, err)
		setSlots(t, db, "locked = TRUE")

		better := scan
		better.Record = recordFor(record.Place, 2)
		better.Record.Source, better.Vanished = artwork.Local, "/music/a.jpg"
		outcomes, err := images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{better, scan})
		require.NoError(t, err)
		require.Equal(t, artwork.Declined, outcomes[0].Result)
		require.Empty(t, outcomes[0].Blocker)
		require.True(t, outcomes[0].Image.Locked)
		require.Equal(t, artwork.AlreadyInForce, outcomes[1].Result)

		require.NoError(t, apply(t, db, better.Record))
		img, err := images.InForce(t.Context(), record.Place)
		require.NoError(t, err)
		require.Equal(t, better.Record.ID, img.RecordID)
		require.True(t, img.Locked, "the lock is gone")
	})
}

func TestAnEmptiedSlotKeepsItsTime(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		images, record := bunrepo.NewImages(db), someRecord(t, db, 1)
		for n := range 3 { // ahead of the clock
			require.NoError(t, apply(t, db, recordFor(record.Place, n)))
		}
		before, err := images.InForce(t.Context(), record.Place)
		require.NoError(t, err)
		setSlots(t, db, "image_id = NULL, chosen = FALSE, kept_empty = TRUE")
		requireInForce(t, db, record.Place, artwork.ID{})

		local := recordFor(record.Place, 9)
		local.Source = artwork.Local
		outcomes, err := images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: local, Automatic: true}})
		require.NoError(t, err)
		require.Equal(t, artwork.Declined, outcomes[0].Result, "a scan filled a slot that is to stay empty")
		require.Nil(t, outcomes[0].Image)

		require.NoError(t, apply(t, db, record))
		after, err := images.InForce(t.Context(), record.Place)
		require.NoError(t, err)
		require.GreaterOrEqual(t, after.LastModified.Sub(before.LastModified), time.Second)
		var keptEmpty bool
		require.NoError(t, db.Write().NewRaw("SELECT kept_empty FROM slots").Scan(t.Context(), &keptEmpty))
		require.False(t, keptEmpty)
	})
}

func setSlots(t *testing.T, db *bunrepo.DB, assignments string) {
	t.Helper()
	_, err := db.Write().ExecContext(t.Context(), "UPDATE slots SET "+assignments)
	require.NoError(t, err)
}

// TestChangedAtIsTheTimeOfTheWrite: who asks what has changed since a moment must
// not miss a transaction that began before it.
func TestChangedAtIsTheTimeOfTheWrite(t *testing.T) {
	db, _ := openPostgres(t)
	record := someRecord(t, db, 1)
	require.NoError(t, apply(t, db, record))
	release := holdPlace(t, db, recordFor(record.Place, 2))
	done := make(chan error, 1)
	go func() {
		_, err := bunrepo.NewImages(db).Apply(context.WithoutCancel(t.Context()), artwork.Unfenced(), []artwork.Application{{Record: recordFor(record.Place, 3)}})
		done <- err
	}()
	awaitLockWait(t, db)
	var moment time.Time
	require.NoError(t, db.Write().NewRaw("SELECT clock_timestamp()").Scan(t.Context(), &moment))
	release()
	require.NoError(t, <-done)
	var changed int
	require.NoError(t, db.Write().NewRaw("SELECT count(*) FROM slots WHERE changed_at > ?", moment).Scan(t.Context(), &changed))
	require.Equal(t, 1, changed)
}

// TestABrokenConnectionWhileCommitting breaks the connection when COMMIT is on
// its way: before it arrives, or after it was carried out and before the answer.
func TestABrokenConnectionWhileCommitting(t *testing.T) {
	for name, arrives := range map[string]bool{"before it arrives": false, "after it was carried out": true} {
		t.Run(name, func(t *testing.T) {
			direct, address := openPostgres(t)
			wire := newWire(t, address)
			db := openURL(t, wire.url)
			record := someRecord(t, db, 1)
			fence := artwork.Fence{Deadline: time.Now().Add(time.Minute), StillHeld: func(context.Context) error {
				wire.cutAtCommit(arrives)
				return nil
			}}
			_, err := bunrepo.NewImages(db).Apply(t.Context(), fence, []artwork.Application{{Record: record}})
			requireKind(t, artwork.OutcomeUnknown, err)
			var expected artwork.ID
			if arrives {
				expected = record.ID
			}
			requireInForce(t, direct, record.Place, expected)
			// Repeating it is safe.
			_, err = bunrepo.NewImages(db).Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: record}})
			require.NoError(t, err)
			requireInForce(t, direct, record.Place, record.ID)
		})
	}
}

// wire is a TCP connection to a server that can be cut.
type wire struct {
	url    string
	cut    atomic.Bool
	passes atomic.Bool // COMMIT reaches the server before the wire is cut
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	u, err := url.Parse(target)
	require.NoError(t, err)
	server := u.Host
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	u.Host = listener.Addr().String()
	w := &wire{url: u.String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(client, server)
		}
	}()
	return w
}

func (w *wire) cutAtCommit(passes bool) {
	w.passes.Store(passes)
	w.cut.Store(true)
}

func (w *wire) carry(client net.Conn, address string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp4", address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	back := &answers{to: client, ended: make(chan struct{})}
	go func() {
		defer close(back.ended)
		_, _ = io.Copy(back, server)
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		isCommit := bytes.Contains(bytes.ToLower(buffer[:n]), []byte("commit\x00")) && w.cut.CompareAndSwap(true, false)
		if isCommit && !w.passes.Load() {
			return
		}
		back.dropped.Store(isCommit)
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
		if isCommit {
			<-back.ended // the server has answered
			return
		}
	}
}

// answers passes on what the server says, until it is to be dropped.
type answers struct {
	to      io.Writer
	dropped atomic.Bool
	ended   chan struct{}
}

func (a *answers) Write(p []byte) (int, error) {
	if a.dropped.Load() {
		return 0, io.ErrClosedPipe
	}
	return a.to.Write(p)
}
