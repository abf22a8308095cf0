package managecache

import (
	"context"
	"iter"
	"reflect"
	"time"

	"gatefold/domain/artwork"
)

// Holding says what a level of the cache holds for a key.
type Holding string

// What a level may hold.
const (
	HoldsNothing    Holding = "nothing"    // nobody has asked since the last change, or it has expired
	HoldsImage      Holding = "image"      // the image in force
	HoldsEmpty      Holding = "empty"      // the knowledge that the slot is empty
	HoldsLease      Holding = "lease"      // one reader is filling
	HoldsFence      Holding = "fence"      // changes are under way
	HoldsUnreadable Holding = "unreadable" // something of another release
)

// Held is what a level holds for a key at some moment.
type Held struct {
	Holding Holding
	// Image is that of HoldsImage, and must not be changed.
	Image *artwork.Image
	// ExpiresIn is when it ends by itself; 0 if it has no term.
	ExpiresIn time.Duration
	// Changes is how many changes are under way at HoldsFence.
	Changes int
	// Bytes is what it takes where it is stored, roughly.
	Bytes int64
}

// HeldInMemory is what a level holds that keeps answers in process memory: the image,
// nil for an empty slot, until it expires.
func HeldInMemory(img *artwork.Image, left time.Duration) Held {
	h := Held{Holding: HoldsImage, Image: img, ExpiresIn: left, Bytes: sizeOf(img)}
	if img == nil {
		h.Holding = HoldsEmpty
	}
	return h
}

// Inspector looks into one level of the cache. All methods may be called
// concurrently.
type Inspector interface {
	// Inspect returns what the level holds for each of the keys, in their order;
	// each is true at some moment during the call, and they need not be of the same.
	//
	// Looking is no reading: it fills nothing, takes no lease, prolongs nothing and
	// is not counted. What has expired is nothing. An entry that the level has but
	// would not answer from, because it cannot read it, is HoldsUnreadable and no
	// error.
	//
	// Errors: Unavailable, the level cannot be reached; ctx's error when ctx ends.
	Inspect(ctx context.Context, keys []artwork.Key) ([]Held, error)
}

// Occupied is what a level takes of the memory of this process.
type Occupied struct {
	Entries    int   `json:"entries"`
	MaxEntries int   `json:"maxEntries"`
	Bytes      int64 `json:"bytes"` // roughly: the mean of some entries, times all
}

// Local is a level in the memory of this process.
type Local interface {
	Inspector
	// Occupied returns what it takes now. Entries that have expired count until
	// their place is needed, or somebody asks for them.
	Occupied() Occupied
}

// Shared is the level that all instances share.
type Shared interface {
	Inspector
	// State asks every server how it is, for a short while. That it cannot be
	// reached is an answer: see SharedState.Problem.
	State(ctx context.Context) SharedState
	// Connection tells of this process's way to it, without asking anybody.
	Connection() Connection
}

// SharedState is how the shared level is, as this process sees it.
type SharedState struct {
	Connection
	// Problem says why it cannot be used, and what to do; empty: it can.
	Problem string   `json:"problem,omitempty"`
	Servers []Server `json:"servers"` // those that answered, by address
}

// Connection is a process's way to the shared level.
type Connection struct {
	// BreakerOpen says that readers do not ask, because it failed too often.
	BreakerOpen bool  `json:"breakerOpen"`
	Open        int   `json:"connections"`     // to all servers
	Idle        int   `json:"idleConnections"` // of those
	MaxOpen     int   `json:"maxConnections"`  // to one server
	Timeouts    int64 `json:"poolTimeouts"`    // since the start: nobody gave one back in time
}

// Server is one that keeps a part of the shared level, or all of it.
type Server struct {
	Address   string `json:"address"`
	Version   string `json:"version"`
	UptimeSec int64  `json:"uptimeSeconds"`
	// AnsweredMs is how long it took to tell all this.
	AnsweredMs   float64 `json:"answeredMs"`
	Keys         int64   `json:"keys"` // of all programs, in all databases
	MemoryBytes  int64   `json:"memoryBytes"`
	MaxMemory    int64   `json:"maxMemoryBytes"` // 0: it is not bounded
	MemoryPolicy string  `json:"memoryPolicy"`
	Evicted      int64   `json:"evictedKeys"` // since it started: for want of memory
	Expired      int64   `json:"expiredKeys"`
	Clients      int64   `json:"clients"`
	OpsPerSecond int64   `json:"operationsPerSecond"`
	Replicas     int64   `json:"replicas"`
}

// entryOverhead is what one entry of a cache in process memory takes besides its
// key and its image.
const entryOverhead = 160

// What the types take by themselves.
var (
	keyBytes   = int64(reflect.TypeFor[artwork.Key]().Size())
	imageBytes = int64(reflect.TypeFor[artwork.Image]().Size())
	focalBytes = int64(reflect.TypeFor[artwork.FocalPoint]().Size())
)

// sizeOf returns roughly how much memory an entry takes that holds the image, or the
// knowledge that there is none.
func sizeOf(img *artwork.Image) int64 {
	size := keyBytes + entryOverhead
	if img == nil {
		return size
	}
	size += imageBytes + int64(len(img.Tag)+len(img.MIMEType)+len(img.Provider)+len(img.ThumbHash))
	if img.FocalPoint != nil {
		size += focalBytes
	}
	return size
}

// sampled is of how many entries the mean is taken: looking at all of them would
// keep the processor from others.
const sampled = 64

// Occupy returns what so many entries take, of which images are some; it looks at
// no more of them than it needs.
func Occupy(entries, maxEntries int, images iter.Seq[*artwork.Image]) Occupied {
	var bytes, seen int64
	for img := range images {
		bytes += sizeOf(img)
		if seen++; seen == sampled {
			break
		}
	}
	if seen > 0 {
		bytes = bytes * int64(entries) / seen
	}
	return Occupied{Entries: entries, MaxEntries: maxEntries, Bytes: bytes}
}

// Levels are the levels that this process can use; those that it cannot are nil.
type Levels struct {
	Memory Local // its own, in a deployment of one process
	Copies Local // of what the shared one holds
	Shared Shared
}

// named is a level and what answers call it.
type named struct {
	name string
	Inspector
}

// Names of levels, as in the counters.
const (
	processLevel = "process"
	sharedLevel  = "shared"
)

// of returns the levels that answer in the mode, those that are asked first first.
func (l Levels) of(mode artwork.CacheMode) (used []named) {
	if local := l.local(mode); local != nil {
		used = append(used, named{processLevel, local})
	}
	if mode.Shared() && l.Shared != nil {
		used = append(used, named{sharedLevel, l.Shared})
	}
	return used
}

// local returns the level in process memory that answers in the mode, nil if none
// does.
func (l Levels) local(mode artwork.CacheMode) Local {
	switch mode {
	case artwork.CacheMemory:
		return l.Memory
	case artwork.CacheTwoLevel:
		return l.Copies
	default:
		return nil
	}
}
