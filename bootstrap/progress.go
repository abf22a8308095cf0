package bootstrap

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"gatefold/application/importlibrary"
)

// progress shows to a person how a verb goes on that takes long: a bar on a
// terminal, and the files that were left out.
type progress struct {
	w   io.Writer
	bar *progressbar.ProgressBar // nil if w is not a terminal
}

func newProgress(w io.Writer) *progress { return newProgressOf(w, "Importing") }

func newProgressOf(w io.Writer, verb string) *progress {
	p := &progress{w: w}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(-1,
			progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(verb),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	return p
}

// Progress implements importlibrary.Observer, warmcache.Observer and
// renderimage.Observer.
func (p *progress) Progress(done, total int) {
	if p.bar == nil {
		return
	}
	p.bar.ChangeMax(max(total, done, 1))
	_ = p.bar.Set(done) // a bar that cannot be drawn is no reason to stop
}

// Skipped implements importlibrary.Observer.
func (p *progress) Skipped(file importlibrary.Skipped) {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	fmt.Fprintf(p.w, "skipped %s: %s\n", file.Path, file.Reason)
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// printSummary says what an import did.
func printSummary(w io.Writer, s importlibrary.Summary) error {
	_, err := fmt.Fprintf(w, "%d audio files (%d in unchanged folders) in %s: %d new artists, %d new albums, %d new images; %d files skipped, %d subjects missing\n",
		s.AudioFiles, s.Unchanged, s.Took.Round(time.Millisecond), s.NewArtists, s.NewAlbums, s.NewImages, s.Skipped, s.Missing)
	return err
}
