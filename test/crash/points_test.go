package crash

import (
	"fmt"
	"strings"

	"gatefold/test/overlay"
)

// point is a step of an apply at which a process may end.
type point struct {
	name      string
	committed bool // the change is made when it is reached
	shared    bool // only a cache that several processes share has the step
}

// The steps, in their order. The first is reached while the test sends.
var (
	downloading    = point{name: "during the download"}
	downloaded     = point{name: "downloaded, not checked"}
	writing        = point{name: "writing the file"}
	nameless       = point{name: "written, without its name"}
	unsynced       = point{name: "named, its folder not synced"}
	stored         = point{name: "stored, not fenced"}
	fenced         = point{name: "fenced, no transaction yet"}
	inTransaction  = point{name: "in the transaction"}
	beforeCommit   = point{name: "before COMMIT"}
	afterCommit    = point{name: "after COMMIT", committed: true}
	fenceInPlace   = point{name: "committed, the fence in place", committed: true}
	notForgotten   = point{name: "unfenced, the change not forgotten", committed: true, shared: true}
	notAnswered    = point{name: "unfenced, not answered", committed: true}
	notRecorded    = point{name: "uploaded, not recorded"}
	halfSent       = point{name: "half of the upload sent"}
	pointsOfApply  = []point{downloading, downloaded, writing, nameless, unsynced, stored, fenced, inTransaction, beforeCommit, afterCommit, fenceInPlace, notForgotten, notAnswered}
	pointsOfAvatar = []point{halfSent, writing, stored, beforeCommit, afterCommit}
	pointsOfUpload = []point{halfSent, nameless, notRecorded}
	pointsOfImport = []point{writing, stored, inTransaction, afterCommit, notAnswered}
)

// before and after put a point before and behind a line, whose indentation is the
// point's too.
func before(p point, line string, last ...string) string { return reach(p, line, last) + line }
func after(p point, line string) string                  { return line + reach(p, line, nil) }

func reach(p point, line string, last []string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, "\t"))]
	return fmt.Sprintf("%scrashpoint.Reach(%s)\n", indent, strings.Join(append([]string{fmt.Sprintf("%q", p.name)}, last...), ", "))
}

// ofApply puts points into effect only where a change of images passes: other
// transactions go the same way.
func ofApply(points string) string {
	return "\tif len(fence.Keys) > 0 {\n" + points + "\t}\n"
}

// edits put the points into the source.
func edits() []overlay.Edit {
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
		{File: "adapters/imagecheck/inspector.go", Old: check, New: before(downloaded, check)},
		{File: "adapters/diskstore/put.go", Old: chunk, New: before(writing, chunk, "func() { _, _ = f.Write(chunk[:len(chunk)/2]) }")},
		{File: "adapters/diskstore/put.go", Old: temp, New: before(nameless, temp)},
		{File: "adapters/diskstore/put.go", Old: sync, New: before(unsynced, sync)},
		{File: "adapters/observedcache/cache.go", Old: change, New: before(stored, after(notAnswered, change))},
		{File: "adapters/bunrepo/change.go", Old: begin, New: ofApply(reach(fenced, begin, nil)) + begin},
		{File: "adapters/bunrepo/change.go", Old: revised, New: ofApply(reach(inTransaction, revised, nil)) + revised},
		{File: "adapters/bunrepo/change.go", Old: commit, New: ofApply(reach(beforeCommit, commit, nil)) + commit + ofApply(reach(afterCommit, commit, nil))},
		{File: "adapters/bunrepo/images.go", Old: add, New: before(notRecorded, add)},
		{File: "adapters/rediscache/change.go", Old: unfence, New: before(fenceInPlace, after(notForgotten, unfence))},
		{File: "adapters/memory/cache.go", Old: inner, New: after(fenceInPlace, inner)},
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
