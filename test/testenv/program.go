package testenv

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Program is a program that a test has started and that does not outlive the test
// process. The methods may be called concurrently.
type Program struct{ cmd *exec.Cmd }

// StartProgram starts a program. Whoever reads what it writes has to give it a file or a
// writer: cmd.Wait is not to be called.
func StartProgram(cmd *exec.Cmd) (*Program, error) {
	if err := start(cmd); err != nil {
		return nil, err
	}
	return &Program{cmd}, nil
}

// Pid returns the number of the process.
func (p *Program) Pid() int { return p.cmd.Process.Pid }

// Kill ends the program at once, and returns when it has ended.
func (p *Program) Kill() { stop(p.cmd, syscall.SIGKILL) }

// Pause stops the program from running while its connections stay open. When it
// returns, the program has executed its last instruction.
func (p *Program) Pause() { pause(p.cmd) }

// Resume ends a Pause.
func (p *Program) Resume() { resume(p.cmd) }

// Done is closed when the program has ended.
func (p *Program) Done() <-chan struct{} { return done(p.cmd) }

// Pause stops the server, and all who work for it, from running, while their
// connections stay open.
func (p *PostgresProcess) Pause() {
	pause(p.server) // nobody is begotten any more
	for _, child := range childrenOf(p.server.Process.Pid) {
		_ = unix.Kill(child, unix.SIGSTOP) // it may have ended
		for limit := time.Now().Add(patience); !isStopped(child) && time.Now().Before(limit); {
			time.Sleep(time.Millisecond)
		}
	}
}

// Resume ends a Pause.
func (p *PostgresProcess) Resume() {
	for _, child := range childrenOf(p.server.Process.Pid) {
		_ = unix.Kill(child, unix.SIGCONT)
	}
	resume(p.server)
}

// childrenOf returns the processes that the process has begotten.
func childrenOf(pid int) (children []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err == nil && len(statOf(child)) > 1 && statOf(child)[1] == strconv.Itoa(pid) {
			children = append(children, child)
		}
	}
	return children
}

// isStopped reports whether a process stands still, or is gone.
func isStopped(pid int) bool {
	stat := statOf(pid)
	return len(stat) == 0 || strings.ContainsAny(stat[0], "TZX")
}

// statOf returns what the kernel says of a process behind its name: its state, its
// parent, and so on; nothing of one that is gone.
func statOf(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	_, behind, _ := strings.Cut(string(text), ") ")
	return strings.Fields(behind)
}
