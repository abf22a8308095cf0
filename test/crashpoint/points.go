package crashpoint

import (
	"fmt"
	"strings"

	"gatefold/test/overlay"
)

// Point is a step of what the program does, at which a process may end or be held
// up.
type Point struct {
	Name      string
	Committed bool // the change is made when it is reached
	Shared    bool // only a cache that several processes share has the step
}

// The steps of an apply, in their order, and those of an upload. The first of each is
// reached while the test sends.
var (
	Downloading   = Point{Name: "during the download"}
	Downloaded    = Point{Name: "downloaded, not checked"}
	Writing       = Point{Name: "writing the file"}
	Nameless      = Point{Name: "written, without its name"}
	Unsynced      = Point{Name: "named, its folder not synced"}
	Stored        = Point{Name: "stored, not fenced"}
	Fenced        = Point{Name: "fenced, no transaction yet"}
	InTransaction = Point{Name: "in the transaction"}
	BeforeCommit  = Point{Name: "before COMMIT"}
	AfterCommit   = Point{Name: "after COMMIT", Committed: true}
	FenceInPlace  = Point{Name: "committed, the fence in place", Committed: true}
	NotForgotten  = Point{Name: "unfenced, the change not forgotten", Committed: true, Shared: true}
	NotAnswered   = Point{Name: "unfenced, not answered", Committed: true}
	NotRecorded   = Point{Name: "uploaded, not recorded"}
	HalfSent      = Point{Name: "half of the upload sent"}
)

// before and after put a point before and behind a line, whose indentation is the
// point's too.
func before(p Point, line string, last ...string) string { return reach(p, line, last) + line }
func after(p Point, line string) string                  { return line + reach(p, line, nil) }

func reach(p Point, line string, last []string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, "\t"))]
	return fmt.Sprintf("%scrashpoint.Reach(%s)\n", indent, strings.Join(append([]string{fmt.Sprintf("%q", p.Name)}, last...), ", "))
}

// ofApply puts points into effect only where a change of images passes: other
// transactions go the same way.
func ofApply(points string) string {
	return "\tif len(fence.Keys) > 0 {\n" + points + "\t}\n"
}

// Edits put the points into the source.
func Edits() []overlay.Edit {
	const (
		check   = "\tf, err := detect(content)\n"
		chunk   = "\t\tif _, err := f.Write(chunk); err != nil {\n"
		temp    = "\tdefer func() { _ = os.Remove(temp) }() // its other name stays; what is left here becomes stale\n"
		sync    = "\treturn syncDir(filepath.Dir(path))\n"
		change  = "\terr := c.inner.Change(ctx, keys, commit)\n"
		begin   = "\ttx, err := begin(bounded, detached, giveUp, conn)\n"
		revised = "\tif err := db.requireRevision(ctx, tx, fence); err != nil {\n"
		commit  = "\terr := tx.Commit()\n"
		unfence = "\tunfenced := ch.unfence(ctx)\n"
		inner   = "\terr = commit(context.WithoutCancel(ctx), fence)\n"
		add     = "\treturn m.db.change(ctx, \"bunrepo.AddUploaded\", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {\n"
	)
	all := []overlay.Edit{
		{File: "adapters/imagecheck/inspector.go", Old: check, New: before(Downloaded, check)},
		{File: "adapters/diskstore/put.go", Old: chunk, New: before(Writing, chunk, "func() { _, _ = f.Write(chunk[:len(chunk)/2]) }")},
		{File: "adapters/diskstore/put.go", Old: temp, New: before(Nameless, temp)},
		{File: "adapters/diskstore/put.go", Old: sync, New: before(Unsynced, sync)},
		{File: "adapters/observedcache/cache.go", Old: change, New: before(Stored, after(NotAnswered, change))},
		{File: "adapters/bunrepo/change.go", Old: begin, New: ofApply(reach(Fenced, begin, nil)) + begin},
		{File: "adapters/bunrepo/change.go", Old: revised, New: ofApply(reach(InTransaction, revised, nil)) + revised},
		{File: "adapters/bunrepo/change.go", Old: commit, New: ofApply(reach(BeforeCommit, commit, nil)) + commit + ofApply(reach(AfterCommit, commit, nil))},
		{File: "adapters/bunrepo/images.go", Old: add, New: before(NotRecorded, add)},
		{File: "adapters/rediscache/change.go", Old: unfence, New: before(FenceInPlace, after(NotForgotten, unfence))},
		{File: "adapters/memory/cache.go", Old: inner, New: after(FenceInPlace, inner)},
	}
	imported := map[string]bool{}
	for _, e := range all {
		if !imported[e.File] {
			imported[e.File] = true
			all = append(all, overlay.Edit{File: e.File, Old: "import (\n", New: "import (\n\t\"gatefold/test/crashpoint\"\n"})
		}
	}
	return all
}
