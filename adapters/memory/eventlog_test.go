package memory_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"gatefold/adapters/memory"
	"gatefold/application/announce"
	"gatefold/test/conformance"
)

func openEventLog(conformance.TB) conformance.EventLogs {
	log := memory.NewEventLog()
	return conformance.EventLogs{log, log}
}

func TestEventLog(t *testing.T) { conformance.RunEventLog(t, openEventLog) }

// brokenLog breaks one clause.
type brokenLog struct {
	announce.Log
	mu    sync.Mutex
	spoil func(entries []announce.Entry) []announce.Entry
}

func (l *brokenLog) Follow(ctx context.Context, follower announce.Follower) {
	l.Log.Follow(ctx, brokenFollower{follower, l})
}

type brokenFollower struct {
	announce.Follower
	log *brokenLog
}

func (f brokenFollower) Append(entries []announce.Entry) {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.Follower.Append(f.log.spoil(entries))
}

func TestSuiteNoticesBrokenEventLogs(t *testing.T) {
	each := func(change func(*announce.Entry)) func([]announce.Entry) []announce.Entry {
		return func(entries []announce.Entry) []announce.Entry {
			for i := range entries {
				change(&entries[i])
			}
			return entries
		}
	}
	for name, twin := range map[string]func([]announce.Entry) []announce.Entry{
		"8 writers at once lose nothing and repeat nothing": func(entries []announce.Entry) []announce.Entry {
			return append(entries, entries[0])
		},
		"events come back as they were, with a time":            each(func(e *announce.Entry) { e.At = time.Time{} }),
		"IDs name one entry each, and can be sent in a header":  each(func(e *announce.Entry) { e.ID = string(e.Data) }),
		"followers are told the same entries in the same order": each(func(e *announce.Entry) { e.At = time.Now() }),
	} {
		conformance.Rejects(t, conformance.EventLogCases(), name, func(conformance.TB) conformance.EventLogs {
			log := &brokenLog{Log: memory.NewEventLog(), spoil: twin}
			return conformance.EventLogs{log, log}
		})
	}
}
