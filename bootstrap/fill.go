package bootstrap

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"gatefold/adapters/control"
	"gatefold/application/fillmissing"
	"gatefold/domain/artwork"
)

// fills are the verbs on jobs that fill empty slots, carried out in this process.
type fills struct {
	manage *fillmissing.Manage
	runner *fillmissing.Runner
}

var _ control.Filler = (*fills)(nil)

func newFills(manage *fillmissing.Manage, runner *fillmissing.Runner) *fills {
	return &fills{manage, runner}
}

// StartFill implements control.Filler.
func (f *fills) StartFill(ctx context.Context, wish fillmissing.Wish) (fillmissing.Status, error) {
	return f.manage.Start(ctx, commandLine, wish)
}

// ApplyFill implements control.Filler.
func (f *fills) ApplyFill(ctx context.Context, preview artwork.ID, accepted fillmissing.Selection) (fillmissing.Status, error) {
	return f.manage.CarryOut(ctx, commandLine, preview, accepted)
}

// OrderFill implements control.Filler.
func (f *fills) OrderFill(ctx context.Context, job artwork.ID, order fillmissing.Order) (fillmissing.Status, error) {
	return f.manage.Order(ctx, commandLine, job, order)
}

// FindFill implements control.Filler.
func (f *fills) FindFill(ctx context.Context, job artwork.ID) (fillmissing.Status, error) {
	return f.manage.Find(ctx, job)
}

// ListFills implements control.Filler.
func (f *fills) ListFills(ctx context.Context, limit int) ([]fillmissing.Status, error) {
	return f.manage.List(ctx, limit)
}

// FillItems implements control.Filler.
func (f *fills) FillItems(ctx context.Context, job artwork.ID, query fillmissing.ItemQuery) ([]fillmissing.Item, error) {
	return f.manage.Items(ctx, job, query)
}

// fillCommand fills empty slots. A job that was begun is looked after by `list`,
// `apply` and the orders.
type fillCommand struct {
	Start  fillStartCommand  `cmd:"" default:"withargs" help:"Fill empty slots, and show how that goes on. Ctrl-C leaves the job to the server. Exit code 0: done, 1: failed or stopped, 3: it goes on without this command."`
	List   fillListCommand   `cmd:"" help:"Print the latest jobs."`
	Apply  fillApplyCommand  `cmd:"" help:"Apply what a dry run has proposed."`
	Pause  fillPauseCommand  `cmd:"" help:"Pause a job."`
	Resume fillResumeCommand `cmd:"" help:"Go on with a job that was paused, or has failed."`
	Cancel fillCancelCommand `cmd:"" help:"End a job."`
}

type fillStartCommand struct {
	Missing  string  `required:"" enum:"profile,background,banner,logo,cover" help:"The slot: profile, background, banner or logo of artists, or cover of albums."`
	DryRun   bool    `help:"Print what would be done, and change nothing."`
	MinScore float64 `default:"0.7" help:"What an image needs, 0 to 1: how well it fits, times 0.75 if it was found by a name."`
	Again    bool    `help:"Ask also for what was not found in the last 7 days."`
}

// Run starts a job and waits for its end.
func (f fillStartCommand) Run(c *command) error {
	slot, err := artwork.ParseSlot(f.Missing)
	if err != nil {
		return err
	}
	return c.fill(func(verbs control.Verbs) (fillmissing.Status, error) {
		return verbs.StartFill(c.ctx, fillmissing.Wish{Slot: slot, DryRun: f.DryRun, MinScore: f.MinScore, Again: f.Again})
	})
}

type fillApplyCommand struct {
	Job string `arg:"" help:"The ID of the dry run."`
}

// Run carries out all proposals and waits for the end.
func (f fillApplyCommand) Run(c *command) error {
	preview, err := artwork.ParseID(f.Job)
	if err != nil {
		return err
	}
	return c.fill(func(verbs control.Verbs) (fillmissing.Status, error) {
		return verbs.ApplyFill(c.ctx, preview, fillmissing.Selection{All: true})
	})
}

// withFills hands over the verbs of the server or, if none runs, those of this
// process, which works at jobs itself if it is told to.
func (c *command) withFills(work bool, do func(verbs control.Verbs, local bool) error) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	return withVerbs(c.ctx, cfg, log, func(verbs control.Verbs) error {
		own, local := verbs.(*operations)
		if local && work {
			ctx, stop := context.WithCancel(c.ctx)
			var working sync.WaitGroup
			working.Go(func() { own.runner.Run(ctx) })
			defer working.Wait()
			defer stop()
		}
		return do(verbs, local)
	})
}

// fill begins a job and shows how it goes on.
func (c *command) fill(begin func(control.Verbs) (fillmissing.Status, error)) error {
	return c.withFills(true, func(verbs control.Verbs, local bool) error {
		status, err := begin(verbs)
		if err != nil {
			return err
		}
		shown := newFillProgress(c.stderr)
		status, err = c.watchFill(verbs, status, shown)
		shown.end()
		if c.ctx.Err() != nil {
			return detached{status.ID, local}
		}
		if err != nil {
			return err
		}
		return c.printFill(verbs, status)
	})
}

// detached says that a job goes on without the command that began it.
type detached struct {
	job   artwork.ID
	local bool // no server runs on the data directory
}

func (d detached) Error() string {
	how := "goes on in the server"
	if d.local {
		how = "goes on when a server runs, or with the next gatefold fill"
	}
	return fmt.Sprintf("detached: the job %s %s; gatefold fill cancel %s ends it", d.job, how, d.job)
}

// lookEvery is how often the command looks how its job goes on.
const lookEvery = 500 * time.Millisecond

// watchFill returns the job when it goes on no more, or ctx ends.
func (c *command) watchFill(verbs control.Verbs, status fillmissing.Status, shown *fillProgress) (fillmissing.Status, error) {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for {
		shown.show(status)
		if status.State.Ended() || status.State == fillmissing.Paused {
			return status, nil
		}
		select {
		case <-ticks.C:
		case <-c.ctx.Done():
			return status, c.ctx.Err()
		}
		next, err := verbs.FindFill(c.ctx, status.ID)
		if err != nil {
			return status, err
		}
		status = next
	}
}

// printFill says what a job did. One that did not come to its end is an error.
func (c *command) printFill(verbs control.Verbs, s fillmissing.Status) error {
	if s.DryRun {
		if err := c.printProposals(verbs, s); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(c.stdout, summaryOf(s)); err != nil {
		return err
	}
	if s.DryRun && s.Counts.Proposed > 0 {
		fmt.Fprintf(c.stderr, "gatefold fill apply %s applies what is proposed.\n", s.ID)
	}
	if s.State == fillmissing.Done {
		return nil
	}
	if s.Reason != "" {
		return artwork.Errorf(artwork.Unavailable, "the job %s is %s: %s", s.ID, s.State, s.Reason)
	}
	return artwork.Errorf(artwork.Unavailable, "the job %s is %s", s.ID, s.State)
}

// printProposals prints a line for each proposal.
func (c *command) printProposals(verbs control.Verbs, s fillmissing.Status) error {
	query := fillmissing.ItemQuery{Limit: fillmissing.MaxListed, Outcome: fillmissing.Proposed}
	for {
		items, err := verbs.FillItems(c.ctx, s.ID, query)
		if err != nil {
			return err
		}
		for _, item := range items {
			name := item.Name
			if item.Artist != "" {
				name = item.Artist + " - " + name
			}
			if _, err := fmt.Fprintf(c.stdout, "%s\t%.2f\t%s\t%s\n", name, item.Score, item.Candidate.Provider, item.Candidate.URL); err != nil {
				return err
			}
		}
		if len(items) < query.Limit {
			return nil
		}
		query.After = items[len(items)-1].SubjectID
	}
}

// summaryOf says in a line how a job goes on.
func summaryOf(s fillmissing.Status) string {
	n, verb := s.Counts.Applied, "applied"
	if s.DryRun {
		n, verb = s.Counts.Proposed, "proposed"
	}
	return fmt.Sprintf("%d of %d empty slots: %d %s, %d absent, %d not good enough, %d ambiguous, %d asked for lately, %d skipped, %d failed",
		s.Counts.Walked, s.Counts.Total, n, verb, s.Counts.Absent, s.Counts.Below, s.Counts.Ambiguous, s.Counts.Recent, s.Counts.Skipped, s.Counts.Failed)
}

// lineEvery is how often a line is printed where there is no terminal.
const lineEvery = 5 * time.Second

// fillProgress shows how a job goes on: by a bar on a terminal, else by lines.
type fillProgress struct {
	*progress
	line, reason string
	printed      time.Time
}

func newFillProgress(w io.Writer) *fillProgress {
	return &fillProgress{progress: newProgressOf(w, "Filling")}
}

func (p *fillProgress) show(s fillmissing.Status) {
	p.Progress(s.Counts.Walked, s.Counts.Total)
	if s.Reason != p.reason && !s.State.Ended() {
		if p.reason = s.Reason; s.Reason != "" {
			fmt.Fprintln(p.w, s.Reason)
		}
	}
	if line := summaryOf(s); p.bar == nil && line != p.line && time.Since(p.printed) >= lineEvery {
		p.line, p.printed = line, time.Now()
		fmt.Fprintf(p.w, "%s: %s\n", s.State, line)
	}
}

type fillListCommand struct{}

// Run prints the latest jobs.
func (fillListCommand) Run(c *command) error {
	const latest = 20
	return c.withFills(false, func(verbs control.Verbs, _ bool) error {
		jobs, err := verbs.ListFills(c.ctx, latest)
		for _, s := range jobs {
			what := s.Slot.String()
			if s.DryRun {
				what += " (dry run)"
			}
			fmt.Fprintf(c.stdout, "%s %s %s %s: %s\n", s.ID, s.CreatedAt.Format(time.RFC3339), s.State, what, summaryOf(s))
		}
		return err
	})
}

type fillPauseCommand struct {
	Job string `arg:"" help:"Its ID."`
}

// Run pauses the job.
func (f fillPauseCommand) Run(c *command) error { return c.orderFill(f.Job, fillmissing.Pause) }

type fillResumeCommand struct {
	Job string `arg:"" help:"Its ID."`
}

// Run has the job go on: in the server, not in this command.
func (f fillResumeCommand) Run(c *command) error { return c.orderFill(f.Job, fillmissing.Resume) }

type fillCancelCommand struct {
	Job string `arg:"" help:"Its ID."`
}

// Run ends the job.
func (f fillCancelCommand) Run(c *command) error { return c.orderFill(f.Job, fillmissing.Cancel) }

func (c *command) orderFill(job string, order fillmissing.Order) error {
	id, err := artwork.ParseID(job)
	if err != nil {
		return err
	}
	return c.withFills(false, func(verbs control.Verbs, _ bool) error {
		status, err := verbs.OrderFill(c.ctx, id, order)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.stdout, "The job %s is %s.\n", id, status.State)
		return err
	})
}
