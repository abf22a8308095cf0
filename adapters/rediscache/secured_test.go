package rediscache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func hostAndPort(t *testing.T, addr string) (string, int) {
	t.Helper()
	host, text, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	return host, port
}

// TestOverTLS runs the suite over an encrypted connection to a server whose
// authority only the configuration knows.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	certificates := testenv.NewCertificates(t)
	server := testenv.RedisServer(t, certificates.Args()...)
	host, port := hostAndPort(t, server.Addr)
	o := Options{Host: host, Port: port, TLS: true, TLSCA: certificates.CA()}
	conformance.RunImageCache(t, func(t conformance.TB) conformance.Fleet { return fleetWith(t, o) })
	byURL := Options{URL: "rediss://" + server.Addr, TLSCA: certificates.CA()}
	require.NoError(t, openWith(t, byURL, &changeLog{}).Check(t.Context()))
	require.NoError(t, Probe(t.Context(), byURL))

	for name, wrong := range map[string]Options{
		"in the clear":         {Host: host, Port: port},
		"the system's":         {Host: host, Port: port, TLS: true},
		"another's authority":  {Host: host, Port: port, TLS: true, TLSCA: testenv.NewCertificates(t).CA()},
		"another's, by URL":    {URL: "rediss://" + server.Addr, TLSCA: testenv.NewCertificates(t).CA()},
		"another name than it": {Host: "localhost", Port: port, TLS: true, TLSCA: certificates.CA()},
	} {
		require.Equal(t, artwork.Unavailable, artwork.KindOf(Probe(t.Context(), wrong)), name)
	}
}

func TestSentinelOverTLS(t *testing.T) {
	t.Parallel()
	certificates := testenv.NewCertificates(t)
	d := testenv.SentinelWith(t, testenv.SentinelOptions{Args: certificates.Args(), SentinelArgs: certificates.Args()})
	o := Options{SentinelMaster: d.MasterName(), SentinelAddrs: d.Addrs(), TLS: true, TLSCA: certificates.CA()}
	requireWorks(t, o)
	require.NoError(t, Probe(t.Context(), o))
	requireCopied(t, o, "redis.rdb")
	o.TLSCA = testenv.NewCertificates(t).CA()
	require.Equal(t, artwork.Unavailable, artwork.KindOf(Probe(t.Context(), o)))
}

func TestClusterOverTLS(t *testing.T) {
	t.Parallel()
	certificates := testenv.NewCertificates(t)
	d := testenv.RedisCluster(t, certificates.Args()...)
	o := Options{ClusterAddrs: d.Addrs(), TLS: true, TLSCA: certificates.CA()}
	requireWorks(t, o)
	require.NoError(t, Probe(t.Context(), o))
	requireCopied(t, o, "redis-1.rdb", "redis-2.rdb", "redis-3.rdb")
	o.TLSCA = testenv.NewCertificates(t).CA()
	require.Equal(t, artwork.Unavailable, artwork.KindOf(Probe(t.Context(), o)))
}

// requireWorks requires that everything works that the cache does.
func requireWorks(t *testing.T, o Options) {
	t.Helper()
	require.NoError(t, tryEverything(t, o, 10*time.Second))
}

// tryEverything does once whatever the cache does, and returns what does not
// work. It gives the servers this long to be trusted.
func tryEverything(t *testing.T, o Options, patience time.Duration) error {
	t.Helper()
	log := &changeLog{places: []artwork.Place{place}}
	cache, err := Open(o, testPolicy, log, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { _ = cache.Close() }()
	ready, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := cache.Ready(ready); err != nil {
		return err
	}
	for _, want := range []artwork.Level{artwork.Filled, artwork.Shared} {
		if err := fetchAs(t.Context(), cache, want); err != nil {
			return err
		}
	}
	broken := func(context.Context) (*artwork.Image, error) { return nil, errCut }
	if _, err := cache.Fetch(t.Context(), artwork.User(artwork.NewID()).Keys()[0], broken); !errors.Is(err, errCut) {
		return fmt.Errorf("a load that fails: %w", err)
	}
	err = cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error { return fence.StillHeld(ctx) })
	if err != nil {
		return err
	}
	if err := fetchAs(t.Context(), cache, artwork.Filled); err != nil {
		return err
	}
	if err := askProvider(t.Context(), cache); err != nil {
		return err
	}
	if _, _, err := cache.Meter().Take(t.Context(), "requests:client:192.0.2.1", 5); err != nil {
		return err
	}
	log.set(func(l *changeLog) { l.overdue = []artwork.PendingChange{{Token: "dead", Keys: []artwork.Key{key}}} })
	if _, err := cache.sweepOnce(t.Context()); err != nil {
		return err
	}
	if err := fetchAs(t.Context(), cache, artwork.Filled); err != nil {
		return err
	}
	held, err := cache.Inspect(t.Context(), []artwork.Key{key})
	if err != nil || held[0].Holding == managecache.HoldsNothing {
		return fmt.Errorf("looked at a key: %w", err)
	}
	if state := cache.State(t.Context()); state.Problem != "" {
		return errors.New(state.Problem)
	}
	if err := cache.Board().Post(t.Context(), artwork.NewID(), []byte("report"), time.Second); err != nil {
		return err
	}
	if removed, err := cache.Flush(t.Context()); err != nil || removed == 0 {
		return fmt.Errorf("flushed %d: %w", removed, err)
	}
	if err := tryEvents(t, o, patience); err != nil {
		return err
	}
	return cache.Check(t.Context())
}

// tryEvents has an event go to a follower and back.
func tryEvents(t *testing.T, o Options, patience time.Duration) error {
	t.Helper()
	log, err := OpenEventLog(o, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { _ = log.Close() }()
	following, stop := context.WithCancel(t.Context())
	f := make(told, 1000)
	var ended sync.WaitGroup
	ended.Go(func() { log.Follow(following, f) })
	defer ended.Wait()
	defer stop()
	waiting, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for next := "restart"; next != ""; {
		select {
		case got := <-f:
			switch {
			case got != next:
			case next == "restart":
				next = "tried:" + newToken()
				if err := log.Append(t.Context(), announceAs(next)); err != nil {
					return err
				}
			default:
				next = ""
			}
		case <-waiting.Done():
			return errors.New("no events are heard")
		}
	}
	return nil
}

// fetchAs fetches until the level answers, for a while: on a busy machine Redis
// may be slower than the budget.
func fetchAs(ctx context.Context, cache *Cache, want artwork.Level) error {
	var answer artwork.Answer
	var err error
	for range 20 {
		if answer, err = cache.Fetch(ctx, key, loadCover(1)); err != nil || answer.Level == want {
			return err
		}
	}
	return fmt.Errorf("%s answered, not %s", answer.Level, want)
}

// askProvider does what a search does with Redis.
func askProvider(ctx context.Context, cache *Cache) error {
	if _, err := cache.Gate().Take(ctx, "provider", findimages.Pace{Burst: 1, Every: time.Millisecond}); err != nil {
		return err
	}
	cache.Answers().Put(ctx, "key", []byte("answer"), time.Minute)
	if _, ok := cache.Answers().Get(ctx, "key"); !ok {
		return errors.New("an answer is not kept")
	}
	return nil
}

// What docs/caching.md says that an ACL user needs.
var (
	aclRules   = []string{"resetchannels", "~image:*", "~gatefold:*", "~rate:gatefold:*"}
	aclAllowed = []string{"+get", "+set", "+del", "+pttl", "+time", "+eval", "+evalsha", "+scan", "+xadd", "+xread", "+xrevrange", "+ping", "+info", "+client|setname"}
	aclCluster = []string{"+cluster|slots", "+command"}
)

// addUser makes a user with the rights, and returns the options to be it.
func addUser(t *testing.T, admin *redis.Client, o Options, name string, rights []string) Options {
	t.Helper()
	command := []any{"ACL", "SETUSER", name, "reset", "on", ">pass word"}
	for _, right := range slices.Concat(aclRules, rights) {
		command = append(command, right)
	}
	require.NoError(t, admin.Do(t.Context(), command...).Err())
	o.Username, o.Password = name, "pass word"
	return o
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == one })
}

// refused returns what the servers refused the user. That the library tells its
// name, which Redis knows from 7.2 on, is not needed.
func refused(t *testing.T, user string, addrs []string) []string {
	t.Helper()
	var objects []string
	for _, addr := range addrs {
		entries, err := operatorOf(t, addr).ACLLog(t.Context(), 100).Result()
		require.NoError(t, err)
		for _, entry := range entries {
			if entry.Username == user && entry.Object != "client|setinfo" {
				objects = append(objects, entry.Object)
			}
		}
	}
	return objects
}

// TestAsAUserWithTheLeastRights: with any of them less, something does not work.
func TestAsAUserWithTheLeastRights(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	admin := server.Client(t)
	host, port := hostAndPort(t, server.Addr)
	at := Options{Host: host, Port: port}
	o := addUser(t, admin, at, "gatefold", aclAllowed)
	requireWorks(t, o)
	require.NoError(t, Probe(t.Context(), o))
	requireWorks(t, Options{URL: "redis://gatefold:pass%20word@" + server.Addr})
	conformance.RunImageCache(t, func(t conformance.TB) conformance.Fleet { return fleetWith(t, o) })
	require.Empty(t, refused(t, "gatefold", []string{server.Addr}))

	for i, right := range aclAllowed {
		t.Run("without "+right, func(t *testing.T) {
			t.Parallel()
			less := addUser(t, admin, at, "less-"+strconv.Itoa(i), without(aclAllowed, right))
			require.Error(t, tryEverything(t, less, time.Second))
		})
	}
	t.Run("another database", func(t *testing.T) {
		in3 := Options{URL: "redis://chooser:pass%20word@" + server.Addr + "/3"}
		addUser(t, admin, in3, "chooser", aclAllowed)
		require.Error(t, tryEverything(t, in3, time.Second))
		addUser(t, admin, in3, "chooser", append(slices.Clone(aclAllowed), "+select"))
		requireWorks(t, in3)
	})
	t.Run("no other keys", func(t *testing.T) {
		user := redis.NewClient(&redis.Options{Addr: server.Addr, Username: o.Username, Password: o.Password})
		defer func() { _ = user.Close() }()
		require.ErrorContains(t, user.Get(t.Context(), "session:of:somebody").Err(), "NOPERM")
	})
}

func TestAsAUserOfACluster(t *testing.T) {
	t.Parallel()
	d := testenv.RedisCluster(t)
	as := func(name string, rights []string) (o Options) {
		for _, addr := range d.Addrs() {
			o = addUser(t, operatorOf(t, addr), Options{ClusterAddrs: d.Addrs()}, name, rights)
		}
		return o
	}
	all := slices.Concat(aclAllowed, aclCluster)
	o := as("gatefold", all)
	requireWorks(t, o)
	require.NoError(t, Probe(t.Context(), o))
	require.Empty(t, refused(t, "gatefold", d.Addrs()))

	require.Error(t, tryEverything(t, as("ignorant", without(all, "+cluster|slots")), time.Second))
	// The client does without, but it asks again and again.
	requireWorks(t, as("blind", without(all, "+command")))
	require.Contains(t, refused(t, "blind", d.Addrs()), "command")
}

// TestTheDocumentationSaysWhatAUserNeeds, word for word.
func TestTheDocumentationSaysWhatAUserNeeds(t *testing.T) {
	t.Parallel()
	text := readDocumentation(t)
	require.Contains(t, text, strings.Join(slices.Concat(aclRules, aclAllowed), " "))
	require.Contains(t, text, strings.Join(aclCluster, " "))
}

// TestTheDeployedUserHasWhatItNeeds, for one server and for a cluster, and nothing more.
func TestTheDeployedUserHasWhatItNeeds(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/redis/users.acl")
	require.NoError(t, err)
	require.Contains(t, string(text), "user gatefold on #GATEFOLD "+strings.Join(slices.Concat(aclRules, aclAllowed, aclCluster), " ")+"\n")
}

func readDocumentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/caching.md")
	require.NoError(t, err)
	return string(text)
}
