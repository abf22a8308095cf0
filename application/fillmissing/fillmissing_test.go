package fillmissing_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

func TestEmptySlotsAreFilledWithTheBest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		manage, stop := f.start(f.jobs)
		defer stop()
		best, small := f.artist("Best"), f.artist("Small")
		f.artist("Absent")
		f.offer("named", "Best", 900, 900)
		f.offer("sure", "Best", 1000, 1000, licensed)
		f.offer("sure", "Small", 300, 300)
		f.offer("sure", "Small", 400, 400)
		status, items := f.run(manage, profile)
		require.Equal(t, fillmissing.Counts{Total: 3, Walked: 3, Applied: 1, Absent: 1, Below: 1}, status.Counts)

		history := f.history(best)
		require.Len(t, history, 1)
		require.Equal(t, "fill (ana)", history[0].AppliedBy)
		require.Equal(t, artwork.External, history[0].Source)
		require.Equal(t, "sure", history[0].Provider)
		require.Equal(t, "https://sure.example/Best/1000x1000", history[0].SourceURL)
		require.Equal(t, "CC BY 4.0", history[0].Licence)
		require.Equal(t, "Somebody", history[0].Attribution)
		require.Equal(t, artwork.TagOf(history[0].Content.Hash, nil), items["Best"].Tag)
		require.InDelta(t, 1, items["Best"].Score, 0)
		require.Equal(t, map[string]findimages.Verdict{
			"https://sure.example/Best/1000x1000": findimages.Chosen, "https://named.example/Best/900x900": findimages.Offered,
		}, f.verdicts(best))

		require.Empty(t, f.history(small))
		require.Equal(t, map[string]findimages.Verdict{
			"https://sure.example/Small/300x300": findimages.Unfit, "https://sure.example/Small/400x400": findimages.Unfit,
		}, f.verdicts(small))
		require.Equal(t, fillmissing.Below, items["Small"].Outcome)
		require.InDelta(t, 0.4, items["Small"].Score, 0.001, "the best of those that are not good enough is told")
		require.Equal(t, fillmissing.Absent, items["Absent"].Outcome)
		require.Equal(t, fillmissing.Done, f.told[len(f.told)-1].State)
	})
}

// TestManySubjects are asked for some at a time, and applied some at a time.
func TestManySubjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		for n := range 450 {
			name := fmt.Sprint("Artist ", n)
			f.artist(name)
			if n%3 == 0 {
				f.offer("sure", name, 1000, 1000)
			}
		}
		f.asking = func(context.Context, string) { time.Sleep(10 * time.Millisecond) }
		manage, stop := f.start(f.jobs, "sure")
		defer stop()
		status, _ := f.run(manage, profile)
		require.Equal(t, fillmissing.Counts{Total: 450, Walked: 450, Applied: 150, Absent: 300}, status.Counts)
		require.Equal(t, 450, f.asks(), "nobody is asked twice")
		require.LessOrEqual(t, f.most, 2)
		require.Greater(t, len(f.told), 20, "progress is told")
	})
}

func TestGuardedSlotsAreNotAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		revise := func(artist catalog.Artist, r artwork.Revision) {
			r.Place, r.By = artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}, ana
			_, err := f.repo.Images().Revise(t.Context(), artwork.Unfenced(), r)
			require.NoError(t, err)
		}
		revise(f.artist("Locked"), artwork.Revision{Lock: artwork.Lock})
		revise(f.artist("Kept empty"), artwork.Revision{Remove: artwork.KeepEmpty})
		various := catalog.VariousArtists
		various.ID = artwork.NewID()
		f.put(various)
		for _, name := range []string{"Locked", "Kept empty", various.Name} {
			f.offer("sure", name, 1000, 1000)
		}
		manage, stop := f.start(f.jobs)
		defer stop()
		status, items := f.run(manage, profile)
		require.Equal(t, fillmissing.Counts{Total: 3, Walked: 3, Skipped: 3}, status.Counts)
		require.Equal(t, "the slot is locked", items["Locked"].Reason)
		require.Equal(t, "the slot is kept empty", items["Kept empty"].Reason)
		require.Zero(t, f.asks())
	})
}

// TestWhatCameInBetweenWins, at the last moment too: while the image is downloaded.
func TestWhatCameInBetweenWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		place := func(artist catalog.Artist) artwork.Place {
			return artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}
		}
		artists := map[string]catalog.Artist{}
		for _, name := range []string{"filled", "locked", "kept"} {
			artists[name] = f.artist(name)
			f.offer("sure", name, 1000, 1000)
		}
		librarians := artwork.Record{
			Place: place(artists["filled"]), Content: artwork.Content{Hash: artwork.HashOf([]byte("hers")), Width: 1, Height: 1}, Source: artwork.Custom, AddedBy: "bea",
		}
		librarians.ID = artwork.RecordID(librarians.Place, librarians.Content.Hash, artwork.Custom, "")
		f.download = func(url string) (err error) {
			images := f.repo.Images()
			switch url {
			case "https://sure.example/filled/1000x1000":
				_, err = images.Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: librarians, By: ana}})
			case "https://sure.example/locked/1000x1000":
				_, err = images.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place(artists["locked"]), By: ana, Lock: artwork.Lock})
			default:
				_, err = images.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place(artists["kept"]), By: ana, Remove: artwork.KeepEmpty})
			}
			return err
		}
		manage, stop := f.start(f.jobs)
		defer stop()
		status, _ := f.run(manage, profile)
		require.Equal(t, fillmissing.Counts{Total: 3, Walked: 3, Skipped: 3}, status.Counts)
		image, err := f.repo.Images().InForce(t.Context(), librarians.Place)
		require.NoError(t, err)
		require.Equal(t, librarians.ID, image.RecordID)
		require.Empty(t, f.history(artists["locked"]))
		require.Empty(t, f.history(artists["kept"]))
	})
}

// TestWhatWasNotFoundIsNotAskedForAgain for a week, by whatever job.
func TestWhatWasNotFoundIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		absent := f.artist("Absent")
		f.artist("Small")
		f.offer("sure", "Small", 600, 600)
		manage, stop := f.start(f.jobs, "sure")
		asks := func(change func(*fillmissing.Wish)) int {
			wish := profile
			wish.DryRun = true
			if change != nil {
				change(&wish)
			}
			status, _ := f.run(manage, wish)
			require.Equal(t, 2, status.Counts.Walked)
			asked := f.asks()
			require.Equal(t, 2-asked, status.Counts.Recent)
			return asked
		}
		require.Equal(t, 2, asks(nil))
		require.Zero(t, asks(nil))
		stop()
		manage, stop = f.start(f.jobs, "sure") // after a restart
		defer stop()
		require.Zero(t, asks(nil))
		f.pass(fillmissing.AskAgainAfter - time.Second)
		require.Zero(t, asks(nil))
		require.Zero(t, asks(func(w *fillmissing.Wish) { w.MinScore = 0.9 }), "what is not good enough for less is not good enough for more")
		require.Equal(t, 1, asks(func(w *fillmissing.Wish) { w.MinScore = 0.5 }), "what was too small is good enough now")
		require.Equal(t, 1, asks(func(w *fillmissing.Wish) { w.MinScore = 0.5 }), "what was proposed is proposed again")
		require.Equal(t, 2, asks(func(w *fillmissing.Wish) { w.Again = true }))
		require.Zero(t, asks(nil))
		absent.MBID = artwork.NewID()
		f.put(absent)
		require.Equal(t, 1, asks(nil), "somebody has said who it is")
		require.Zero(t, asks(nil))
		f.pass(fillmissing.AskAgainAfter)
		require.Equal(t, 2, asks(nil))
	})
}

func TestADryRunChangesNothingAndCanBeCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		artists := map[string]catalog.Artist{}
		for _, name := range []string{"One", "Two", "Three", "Filled"} {
			artists[name] = f.artist(name)
			f.offer("sure", name, 800, 800, unsized)
		}
		manage, stop := f.start(f.jobs)
		defer stop()
		wish := profile
		wish.DryRun = true
		preview, items := f.run(manage, wish)
		require.Equal(t, fillmissing.Counts{Total: 4, Walked: 4, Proposed: 4}, preview.Counts)
		require.Equal(t, "https://sure.example/One/800x800", items["One"].Candidate.URL)
		for _, artist := range artists {
			require.Empty(t, f.history(artist))
		}
		f.asks()
		carryOut := func(accepted fillmissing.Selection) (fillmissing.Status, map[string]fillmissing.Item) {
			job, err := manage.CarryOut(t.Context(), ana, preview.ID, accepted)
			require.NoError(t, err)
			return f.await(job.ID, fillmissing.Done, time.Hour), f.items(job.ID)
		}
		status, items := carryOut(fillmissing.Selection{Only: []artwork.ID{artists["Filled"].ID}})
		require.Equal(t, fillmissing.Counts{Total: 1, Walked: 1, Applied: 1}, status.Counts)
		require.Equal(t, fillmissing.Applied, items["Filled"].Outcome)
		status, items = carryOut(fillmissing.Selection{Except: []artwork.ID{artists["Three"].ID}})
		require.Equal(t, fillmissing.Counts{Total: 3, Walked: 3, Applied: 2, Skipped: 1}, status.Counts)
		require.Equal(t, "the slot is not empty any more", items["Filled"].Reason)
		require.Empty(t, f.history(artists["Three"]))
		require.Len(t, f.history(artists["One"]), 1)
		require.Zero(t, f.asks(), "what was proposed is applied, without another search")
		_, err := manage.CarryOut(t.Context(), ana, status.ID, fillmissing.Selection{All: true})
		require.Equal(t, artwork.Conflict, artwork.KindOf(err), "that was no dry run")
	})
}

// TestNames: an image that was found by a name is worth less, and is not applied when
// others may have the name.
func TestNames(t *testing.T) {
	match := func(name string) findimages.Match {
		return findimages.Match{MBID: artwork.NewID(), Name: name, Score: 100}
	}
	for _, c := range []struct {
		name    string
		prepare func(f *fleet)
		want    fillmissing.Outcome
		reason  string
	}{
		{"nobody else", func(f *fleet) { f.names = []findimages.Match{match("Genesis"), match("Genesis Owusu")} }, fillmissing.Applied, ""},
		{"not known to MusicBrainz", func(*fleet) {}, fillmissing.Applied, ""},
		{"several", func(f *fleet) { f.names = []findimages.Match{match("Genesis"), match("GENESIS")} }, fillmissing.Ambiguous, "MusicBrainz knows several"},
		{"namesakes in the catalogue", func(f *fleet) { f.artist("GÉNESIS") }, fillmissing.Ambiguous, "the catalogue has several"},
		{"switched off", func(f *fleet) {
			f.naming = &artwork.Error{Kind: artwork.Unavailable, Msg: "off", Err: findimages.ErrSwitchedOff}
		}, fillmissing.Ambiguous, "switched off"},
		{"not answered", func(f *fleet) { f.naming = artwork.Errorf(artwork.Unavailable, "busy") }, fillmissing.Errored, "busy"},
		{"an identifier is surer", func(f *fleet) {
			f.names = []findimages.Match{match("Genesis"), match("Genesis")}
			f.offer("sure", "Genesis", 720, 720)
		}, fillmissing.Applied, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				f.artist("Genesis")
				f.offer("named", "Genesis", 1000, 1000, byName)
				c.prepare(f)
				manage, stop := f.start(f.jobs)
				defer stop()
				_, items := f.run(manage, profile)
				require.Equal(t, c.want, items["Genesis"].Outcome, items["Genesis"].Reason)
				require.Contains(t, items["Genesis"].Reason, c.reason)
				require.NotNil(t, items["Genesis"].Candidate)
			})
		})
	}
}

// TestAnotherOneOfTheName is who MusicBrainz knows: the artist has another identifier.
func TestAnotherOneOfTheName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		artist := f.artist("Genesis")
		artist.MBID = artwork.NewID()
		f.put(artist)
		f.offer("named", "Genesis", 1000, 1000, byName)
		f.names = []findimages.Match{{MBID: artwork.NewID(), Name: "Genesis", Score: 100}}
		manage, stop := f.start(f.jobs)
		defer stop()
		dry := profile
		dry.DryRun = true
		preview, items := f.run(manage, dry)
		require.Equal(t, fillmissing.Ambiguous, items["Genesis"].Outcome)
		_, err := manage.CarryOut(t.Context(), ana, preview.ID, fillmissing.Selection{All: true})
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "all does not mean what is ambiguous")
		job, err := manage.CarryOut(t.Context(), ana, preview.ID, fillmissing.Selection{Only: []artwork.ID{artist.ID}})
		require.NoError(t, err, "somebody has looked at it")
		require.Equal(t, 1, f.await(job.ID, fillmissing.Done, time.Hour).Counts.Applied)
	})
}

func TestTheScoreIsMeasuredBeforeAnythingIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		lied, next := f.artist("Lied"), f.artist("Next")
		f.offer("sure", "Lied", 1000, 1000, func(c *findimages.Candidate) { c.URL = "https://sure.example/Lied/100x100" })
		f.offer("sure", "Next", 100, 100, unsized)
		f.offer("sure", "Next", 900, 900, unsized)
		f.offer("sure", "Next", 750, 750)
		manage, stop := f.start(f.jobs)
		defer stop()
		_, items := f.run(manage, profile)
		require.Equal(t, fillmissing.Below, items["Lied"].Outcome)
		require.InDelta(t, 0.1, items["Lied"].Score, 0.001)
		require.Empty(t, f.history(lied))
		require.Equal(t, fillmissing.Applied, items["Next"].Outcome)
		require.Equal(t, 900, f.history(next)[0].Content.Width)
	})
}

func TestScore(t *testing.T) {
	t.Parallel()
	for want, c := range map[float64]findimages.Candidate{
		1:    {Slot: artwork.SlotProfile, Width: 1500, Height: 1500},
		0.75: {Slot: artwork.SlotProfile, Width: 1000, Height: 1000, ByName: true},
		0.5:  {Slot: artwork.SlotCover, Width: 500, Height: 500},
		0.8:  {Slot: artwork.SlotCover},
		0.6:  {Slot: artwork.SlotCover, ByName: true},
		0.25: {Slot: artwork.SlotProfile, Width: 1000, Height: 500},
	} {
		require.InDelta(t, want, fillmissing.Score(c), 0.0001)
	}
}

// TestAFailedProviderIsNoAbsence: whoever failed is asked again later, in this job and
// by the next one.
func TestAFailedProviderIsNoAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.artist("One")
		f.artist("Two")
		f.offer("sure", "One", 1000, 1000)
		f.offer("named", "Two", 1000, 1000)
		f.failing["named"] = artwork.Errorf(artwork.Unavailable, "named is over its limit")
		manage, stop := f.start(f.jobs)
		defer stop()
		job, err := manage.Start(t.Context(), ana, profile)
		require.NoError(t, err)
		synctest.Wait()
		items := f.items(job.ID)
		require.Equal(t, fillmissing.Applied, items["One"].Outcome, "what others have is good enough")
		require.Equal(t, fillmissing.Errored, items["Two"].Outcome)
		require.Contains(t, items["Two"].Reason, "over its limit")
		f.mu.Lock()
		f.failing = map[string]error{}
		f.mu.Unlock()
		status := f.await(job.ID, fillmissing.Done, time.Hour)
		require.Equal(t, fillmissing.Counts{Total: 2, Walked: 2, Applied: 2}, status.Counts)
	})
}

func TestWhatFailsForGoodIsAskedForByTheNextJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.artist("One")
		f.failing["named"] = artwork.Errorf(artwork.Forbidden, "named refuses the key")
		manage, stop := f.start(f.jobs)
		defer stop()
		for range 2 {
			begin := time.Now()
			status, items := f.run(manage, profile)
			require.Less(t, time.Since(begin), 10*time.Second, "it is not waited for")
			require.Equal(t, fillmissing.Counts{Total: 1, Walked: 1, Failed: 1}, status.Counts)
			require.Contains(t, items["One"].Reason, "refuses the key")
			require.Equal(t, 2, f.asks())
		}
	})
}

// TestAJobStandsStillWhileNobodyAnswers, and says why.
func TestAJobStandsStillWhileNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		for n := range 20 {
			f.artist(fmt.Sprint(n))
			f.offer("sure", fmt.Sprint(n), 1000, 1000)
		}
		down := artwork.Errorf(artwork.Unavailable, "the network is down")
		f.failing["sure"], f.failing["named"] = down, down
		manage, stop := f.start(f.jobs)
		defer stop()
		job, err := manage.Start(t.Context(), ana, profile)
		require.NoError(t, err)
		time.Sleep(30 * time.Minute)
		status, err := manage.Find(t.Context(), job.ID)
		require.NoError(t, err)
		require.Equal(t, fillmissing.Running, status.State)
		require.Zero(t, status.Counts.Walked)
		require.Contains(t, status.Reason, "the network is down")
		require.Less(t, f.asks(), 300, "nobody is pestered")
		f.mu.Lock()
		f.failing = map[string]error{}
		f.mu.Unlock()
		status = f.await(job.ID, fillmissing.Done, 10*time.Minute)
		require.Equal(t, 20, status.Counts.Applied)
		require.Empty(t, status.Reason)
	})
}

// aSubjectAtATime are gaps of which each call looks at one subject, and most subjects
// have their image.
type aSubjectAtATime struct {
	fillmissing.Gaps
	full  int
	calls int
}

func (g *aSubjectAtATime) After(ctx context.Context, slot artwork.Slot, after artwork.ID, _ int) ([]fillmissing.Gap, artwork.ID, error) {
	g.calls++
	if n := int(after[1]); after[0] == 0 && n < g.full {
		return nil, artwork.ID{0, byte(n + 1)}, nil
	}
	return g.Gaps.After(ctx, slot, after, 1)
}

// TestAFullCatalogueIsGoneThroughOnce, in steps, of which each is recorded: who takes over
// goes on where it was.
func TestAFullCatalogueIsGoneThroughOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.artist("Best")
		f.artist("Better")
		gaps := &aSubjectAtATime{Gaps: f.gaps, full: 9}
		f.gaps = gaps
		steps := 0
		f.jobs.record = func() (kill bool) {
			steps++
			return steps == 5 // of the first instance
		}
		manage, stop := f.start(f.jobs)
		defer stop()
		job, err := manage.Start(t.Context(), ana, profile)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 5, steps)
		other := &jobs{Jobs: f.repo.Fill()}
		_, stopOther := f.start(other)
		defer stopOther()
		status := f.await(job.ID, fillmissing.Done, time.Minute)
		require.Equal(t, fillmissing.Counts{Total: 2, Walked: 2, Absent: 2}, status.Counts)
		synctest.Wait()
		require.Equal(t, 9+1+2+1, gaps.calls, "only the step that was not recorded is done again")
	})
}

func TestADownloadThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.artist("Later")
		f.artist("Other")
		f.artist("Never")
		for _, name := range []string{"Later", "Other", "Never"} {
			f.offer("sure", name, 1000, 1000)
		}
		f.offer("sure", "Other", 900, 900)
		tried := 0
		f.download = func(url string) error {
			switch url {
			case "https://sure.example/Later/1000x1000":
				if tried++; tried < 3 {
					return artwork.Errorf(artwork.DownloadFailed, "the URL answers 500")
				}
			case "https://sure.example/Other/1000x1000":
				return artwork.Errorf(artwork.NotFound, "the URL answers 404")
			case "https://sure.example/Never/1000x1000":
				return artwork.Errorf(artwork.UnsupportedImage, "it is no image")
			}
			return nil
		}
		manage, stop := f.start(f.jobs)
		defer stop()
		status, items := f.run(manage, profile)
		require.Equal(t, fillmissing.Counts{Total: 3, Walked: 3, Applied: 2, Failed: 1}, status.Counts)
		require.Equal(t, "https://sure.example/Other/900x900", items["Other"].Candidate.URL)
		require.Equal(t, "it is no image", items["Never"].Reason)
	})
}

func TestOrdersAreFollowedWithinSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		for n := range 100 {
			f.artist(fmt.Sprint(n))
			f.offer("sure", fmt.Sprint(n), 1000, 1000)
		}
		f.asking = func(ctx context.Context, _ string) {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		}
		_, stop := f.start(f.jobs)
		defer stop()
		_, elsewhere := f.instance(f.jobs) // another instance is told
		job, err := elsewhere.Start(t.Context(), ana, profile)
		require.NoError(t, err)
		time.Sleep(20 * time.Second)
		_, err = elsewhere.Order(t.Context(), ana, job.ID, fillmissing.Pause)
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		f.asks()
		walked := f.await(job.ID, fillmissing.Paused, 0).Counts.Walked
		require.Positive(t, walked)
		time.Sleep(time.Minute)
		require.Zero(t, f.asks())
		_, err = elsewhere.Order(t.Context(), ana, job.ID, fillmissing.Resume)
		require.NoError(t, err)
		time.Sleep(20 * time.Second)
		require.Greater(t, f.await(job.ID, fillmissing.Running, 0).Counts.Walked, walked)
		_, err = elsewhere.Order(t.Context(), ana, job.ID, fillmissing.Cancel)
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		f.asks()
		time.Sleep(time.Minute)
		require.Zero(t, f.asks())
		status := f.await(job.ID, fillmissing.Cancelled, 0)
		require.Less(t, status.Counts.Walked, 100)
		require.Equal(t, status.Counts.Walked, status.Counts.Applied)
	})
}

// TestAnotherInstanceGoesOn where one has died, or was stopped. No slot is filled
// twice, and only who was in work is asked for again.
func TestAnotherInstanceGoesOn(t *testing.T) {
	for _, killed := range []bool{true, false} {
		t.Run(fmt.Sprint("killed: ", killed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t)
				var artists []catalog.Artist
				for n := range 60 {
					artists = append(artists, f.artist(fmt.Sprint(n)))
					if n%2 == 0 {
						f.offer("sure", fmt.Sprint(n), 1000, 1000)
					}
				}
				f.asking = func(context.Context, string) { time.Sleep(100 * time.Millisecond) }
				first := &jobs{Jobs: f.repo.Fill()}
				steps := 0
				first.record = func() bool { steps++; return killed && steps == 4 } // its images are in force already
				manage, stop := f.start(first, "sure")
				job, err := manage.Start(t.Context(), ana, profile)
				require.NoError(t, err)
				time.Sleep(2500 * time.Millisecond)
				stop()
				require.Equal(t, fillmissing.Running, f.await(job.ID, fillmissing.Running, 0).State)

				_, stop = f.start(f.jobs, "sure")
				defer stop()
				status := f.await(job.ID, fillmissing.Done, time.Minute)
				for n, artist := range artists {
					require.Len(t, f.history(artist), (n+1)%2, n)
				}
				require.LessOrEqual(t, f.asks(), 60+8)
				require.GreaterOrEqual(t, status.Counts.Walked, 60-8, "who was filled without that being noted is no gap any more")
			})
		})
	}
}

// TestTwoInstancesShareTheWork: jobs for one slot come one after the other.
func TestTwoInstancesShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		var artists []catalog.Artist
		for n := range 40 {
			artists = append(artists, f.artist(fmt.Sprint(n)))
			f.offer("sure", fmt.Sprint(n), 1000, 1000)
		}
		manage, stop := f.start(&jobs{Jobs: f.repo.Fill()}, "sure")
		defer stop()
		_, stopOther := f.start(&jobs{Jobs: f.repo.Fill()}, "sure")
		defer stopOther()
		first, err := manage.Start(t.Context(), ana, profile)
		require.NoError(t, err)
		time.Sleep(time.Millisecond)
		second, err := manage.Start(t.Context(), ana, profile)
		require.NoError(t, err)
		require.Equal(t, 40, f.await(first.ID, fillmissing.Done, time.Minute).Counts.Applied)
		require.Zero(t, f.await(second.ID, fillmissing.Done, time.Minute).Counts.Walked)
		require.Equal(t, 40, f.asks())
		for _, artist := range artists {
			require.Len(t, f.history(artist), 1)
		}
	})
}

func TestAlbumsAreFilledToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		artist := f.artist("Ana")
		album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Mar"}
		_, err := f.repo.Albums().Put(t.Context(), ana, album)
		require.NoError(t, err)
		f.offer("named", "Mar", 1000, 1000, ofAlbum, byName)
		f.names = []findimages.Match{{MBID: artwork.NewID(), Name: "Mar", Artist: "Ana"}, {MBID: artwork.NewID(), Name: "Mar", Artist: "Bea"}}
		manage, stop := f.start(f.jobs)
		defer stop()
		wish := profile
		wish.Slot = artwork.SlotCover
		status, items := f.run(manage, wish)
		require.Equal(t, fillmissing.Counts{Total: 1, Walked: 1, Applied: 1}, status.Counts)
		require.Equal(t, "Ana", items["Mar"].Artist)
		image, err := f.repo.Images().InForce(t.Context(), wish.Place(album.ID))
		require.NoError(t, err)
		require.Equal(t, items["Mar"].Tag, image.Tag)
	})
}

func TestAJobThatCannotSucceedFailsWithAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.artist("One")
		runner, manage := f.instance(f.jobs)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go runner.Run(ctx)
		job, err := manage.Start(t.Context(), ana, profile)
		require.NoError(t, err)
		require.Contains(t, f.await(job.ID, fillmissing.Failed, time.Minute).Reason, "no provider that is switched on")
	})
}

func TestImpossibleWishesAreRefused(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	_, manage := f.instance(f.jobs)
	_, err := manage.Start(t.Context(), ana, fillmissing.Wish{Slot: artwork.SlotAvatar})
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	_, err = manage.List(t.Context(), 0)
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	_, err = manage.Find(t.Context(), artwork.NewID())
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, err = manage.Order(t.Context(), ana, artwork.NewID(), fillmissing.Pause)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

// TestNamedSubjects are asked for alone, whatever was learned of them; what was filled
// in between is skipped.
func TestNamedSubjects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		absent, found := f.artist("Absent"), f.artist("Found")
		f.artist("Nobody names")
		f.offer("sure", "Found", 1000, 1000)
		manage, stop := f.start(f.jobs, "sure")
		defer stop()
		dryRun := profile
		dryRun.DryRun = true
		for range 2 { // the second time it is known that there is none for one of them
			f.asks()
			job, err := manage.StartFor(t.Context(), ana, dryRun, []artwork.ID{absent.ID, found.ID})
			require.NoError(t, err)
			status := f.await(job.ID, fillmissing.Done, time.Hour)
			require.Equal(t, fillmissing.Counts{Total: 2, Walked: 2, Proposed: 1, Absent: 1}, status.Counts)
			require.Equal(t, 2, f.asks())
		}
		job, err := manage.StartFor(t.Context(), ana, profile, []artwork.ID{absent.ID, found.ID})
		require.NoError(t, err)
		status := f.await(job.ID, fillmissing.Done, time.Hour)
		require.Equal(t, fillmissing.Counts{Total: 2, Walked: 2, Applied: 1, Absent: 1}, status.Counts)
		require.Len(t, f.history(found), 1)
		_, err = manage.StartFor(t.Context(), ana, profile, []artwork.ID{found.ID})
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "its slot is filled")
	})
}
