package rediscache

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/announce"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

//go:embed lua/announce.lua
var announceScript string

const (
	// eventStream is the key of the log. It is none of those that operators flush.
	eventStream = "gatefold:events"
	// noEntry is the ID before all entries of a stream.
	noEntry = "0-0"
	// readBlock is how long one read waits for entries. In between it is looked whether
	// the stream is still the one that was read.
	readBlock = 2 * time.Second
	// readAtOnce is how many entries one read returns at most.
	readAtOnce = 500
	// followPause is the time between two attempts to reach Redis.
	followPause = 250 * time.Millisecond
)

// EventLog is the log of events of all instances, on a stream in Redis. Redis keeps
// about announce.LogEntries of them.
type EventLog struct {
	rdb    redis.UniversalClient
	follow func() redis.UniversalClient // opens a client that waits for nobody else
	log    *slog.Logger
}

var _ announce.Log = (*EventLog)(nil)

// OpenEventLog returns the log on the Redis that the options name. It does not
// connect yet.
func OpenEventLog(o Options, log *slog.Logger) (*EventLog, error) {
	opts, err := o.universal()
	if err != nil {
		return nil, err
	}
	opts.PoolSize = 2
	follow := func() redis.UniversalClient {
		own := *opts
		return o.connect(&own, nil)
	}
	return &EventLog{rdb: follow(), follow: follow, log: log}, nil
}

// Close closes the connections but those of followers, who close theirs.
func (l *EventLog) Close() error { return l.rdb.Close() }

// Append implements announce.Log.
func (l *EventLog) Append(ctx context.Context, events []announce.Event) error {
	_, err := l.rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, event := range events {
			pipe.Eval(ctx, announceScript, []string{eventStream}, announce.LogEntries, newToken(), event.Name, string(event.Data))
		}
		return nil
	})
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Append", Msg: "Redis does not take the events", Err: err}
}

// Follow implements announce.Log.
func (l *EventLog) Follow(ctx context.Context, follower announce.Follower) {
	r := &streamReader{rdb: l.follow(), follower: follower}
	// A read that waits is ended by the end of its connection only.
	defer context.AfterFunc(ctx, func() { _ = r.rdb.Close() })()
	defer func() { _ = r.rdb.Close() }() // closing twice is harmless
	for reachable := true; ctx.Err() == nil; {
		err := r.read(ctx)
		if (err == nil) != reachable && ctx.Err() == nil {
			reachable = err == nil
			l.tell(reachable, err)
		}
		if err != nil {
			r.unsure = true
			_ = wait.For(ctx, followPause)
		}
	}
}

func (l *EventLog) tell(reachable bool, err error) {
	if reachable {
		l.log.Info("Events of other instances are heard again")
		return
	}
	l.log.Warn("Events of other instances cannot be heard", "error", err.Error())
}

// streamReader follows the stream for one follower.
type streamReader struct {
	rdb      redis.UniversalClient
	follower announce.Follower
	position string // ID of the last entry told; empty: none was yet
	unsure   bool   // somebody else may have the stream now, or it may be another one
}

// read tells the follower of the next entries, or waits a while for them.
func (r *streamReader) read(ctx context.Context) error {
	if r.position == "" {
		return r.restart(ctx)
	}
	if r.unsure {
		if err := r.check(ctx); err != nil {
			return err
		}
		if r.unsure = false; r.position == "" {
			return nil
		}
	}
	budget, cancel := context.WithTimeout(ctx, readBlock+changeBudget)
	defer cancel()
	streams, err := r.rdb.XRead(budget, &redis.XReadArgs{Streams: []string{eventStream, placeOf(r.position)}, Count: readAtOnce, Block: readBlock}).Result()
	if errors.Is(err, redis.Nil) {
		r.unsure = true
		return nil
	}
	if err != nil {
		return err
	}
	for _, stream := range streams {
		r.tell(stream.Messages)
	}
	return nil
}

// tell passes on what follows the last entry that was told. After a gap everything
// begins anew.
func (r *streamReader) tell(messages []redis.XMessage) {
	entries := make([]announce.Entry, 0, len(messages))
	for _, message := range messages {
		if message.Values["before"] != r.position {
			r.position = ""
			break
		}
		entry := entryOf(message)
		r.position = entry.ID
		entries = appendValid(entries, entry)
	}
	r.follower.Append(entries)
}

// restart tells the follower of the latest entries.
func (r *streamReader) restart(ctx context.Context) error {
	budget, cancel := context.WithTimeout(ctx, readBlock)
	defer cancel()
	messages, err := r.rdb.XRevRangeN(budget, eventStream, "+", "-", announce.LogEntries).Result()
	if err != nil {
		return err
	}
	slices.Reverse(messages)
	entries := make([]announce.Entry, 0, len(messages))
	r.position = noEntry
	for _, message := range messages {
		entry := entryOf(message)
		r.position = entry.ID
		entries = appendValid(entries, entry)
	}
	r.follower.Restart(entries)
	return nil
}

// check has everything begin anew if the stream ends before the position, or with
// another entry in its place: entries were lost with a server, or the whole stream
// was. What was lost further on is missed by the next entry.
func (r *streamReader) check(ctx context.Context) error {
	budget, cancel := context.WithTimeout(ctx, changeBudget)
	defer cancel()
	latest, err := r.rdb.XRevRangeN(budget, eventStream, "+", "-", 1).Result()
	if err != nil {
		return err
	}
	end := noEntry
	if len(latest) > 0 {
		end = entryOf(latest[0]).ID
	}
	if isBefore(end, r.position) || placeOf(end) == placeOf(r.position) && end != r.position {
		r.position = ""
	}
	return nil
}

// appendValid leaves out what no instance has put into the stream.
func appendValid(entries []announce.Entry, entry announce.Entry) []announce.Entry {
	if entry.Check() != nil {
		return entries
	}
	return append(entries, entry)
}

// entryOf reads an entry of the stream. Its ID is its place in the stream with its
// token: one that comes to have the same place, because this one was lost with a
// server, or that has it in another log, has another ID.
func entryOf(message redis.XMessage) announce.Entry {
	milliseconds, _ := parsePlace(message.ID)
	return announce.Entry{
		ID:    message.ID + "." + text(message, "token"),
		At:    time.UnixMilli(int64(milliseconds)),
		Event: announce.Event{Name: text(message, "name"), Data: []byte(text(message, "data"))},
	}
}

func text(message redis.XMessage, field string) string {
	s, _ := message.Values[field].(string)
	return s
}

// placeOf returns the place in the stream of the entry with the ID.
func placeOf(id string) string {
	place, _, _ := strings.Cut(id, ".")
	return place
}

// isBefore compares the places of entries by their IDs.
func isBefore(a, b string) bool {
	time1, sequence1 := parsePlace(placeOf(a))
	time2, sequence2 := parsePlace(placeOf(b))
	return time1 < time2 || time1 == time2 && sequence1 < sequence2
}

func parsePlace(place string) (milliseconds, sequence uint64) {
	first, second, _ := strings.Cut(place, "-")
	milliseconds, _ = strconv.ParseUint(first, 10, 64)
	sequence, _ = strconv.ParseUint(second, 10, 64)
	return milliseconds, sequence
}
