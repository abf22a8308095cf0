package crash

import "gatefold/test/crashpoint"

type point = crashpoint.Point

// What each operation passes.
var (
	pointsOfApply = []point{
		crashpoint.Downloading, crashpoint.Downloaded, crashpoint.Writing, crashpoint.Nameless, crashpoint.Unsynced, crashpoint.Stored, crashpoint.Fenced,
		crashpoint.InTransaction, crashpoint.BeforeCommit, crashpoint.AfterCommit, crashpoint.FenceInPlace, crashpoint.NotForgotten, crashpoint.NotAnswered,
	}
	pointsOfAvatar = []point{crashpoint.HalfSent, crashpoint.Writing, crashpoint.Stored, crashpoint.BeforeCommit, crashpoint.AfterCommit}
	pointsOfUpload = []point{crashpoint.HalfSent, crashpoint.Nameless, crashpoint.NotRecorded}
	pointsOfImport = []point{crashpoint.Writing, crashpoint.Stored, crashpoint.InTransaction, crashpoint.AfterCommit, crashpoint.NotAnswered}
)
