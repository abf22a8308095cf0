package rig

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"gatefold/test/testenv"
)

// Server is a process that answers HTTP.
type Server struct {
	Name string
	Base string // http://host:port
	PID  int

	bench   *Bench
	command func() *exec.Cmd
	address *regexp.Regexp // in what it prints
	cmd     *exec.Cmd
	token   string
}

// anAddress is what the simpler servers print.
var anAddress = regexp.MustCompile(`(http://\S+)`)

// Gatefold builds the program, once, and starts it. What the environment does not say is as
// in a production deployment, but it has a data folder of its own, nothing is warmed, and
// nobody has a limited number of requests.
func (b *Bench) Gatefold(environ ...string) *Server {
	path := b.build("gatefold")
	environ = append([]string{
		"ENV_FILE=" + os.DevNull, "LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + b.TempDir(), "AUTH_SECRET=of-the-benchmarks-and-of-no-deployment",
		"WARM_KEYS=0", "RATE_LIMIT_REQUESTS=0", "RATE_LIMIT_UPLOADS=0", "PATH=" + os.Getenv("PATH"),
	}, environ...)
	s := b.serve("Gatefold", regexp.MustCompile(`"address": "(http://[^"]+)"`), func() *exec.Cmd { return with(exec.Command(path, "serve"), environ) })
	out, err := with(exec.Command(path, "token", "create", "--scope", "admin"), environ).Output()
	if err != nil {
		b.Fatalf("creating a token: %v", err)
	}
	s.token = strings.TrimSpace(string(out))
	return s
}

// BareGin starts a gin handler that serves the files of a folder from memory.
func (b *Bench) BareGin(files string) *Server {
	path := b.build("gatefold/test/bench/baregin")
	return b.serve("bare gin", anAddress, func() *exec.Cmd { return exec.Command(path, files) })
}

// Nginx starts an nginx that serves the files of a folder.
func (b *Bench) Nginx(files string) *Server {
	p := testenv.Nginx(b, files)
	return &Server{Name: "nginx", Base: p.URL, PID: p.PID, bench: b}
}

// Node starts a script, which prints its address.
func (b *Bench) Node(name, script string, environ ...string) *Server {
	path, err := exec.LookPath("node")
	if err != nil {
		b.Fatalf("Node 20 is not installed: %v", err)
	}
	environ = append(environ, "NODE_ENV=production", "PATH="+os.Getenv("PATH"))
	return b.serve(name, anAddress, func() *exec.Cmd { return with(exec.Command(path, filepath.FromSlash(script)), environ) })
}

// build returns the program of a package.
func (b *Bench) build(pkg string) string {
	if path, ok := b.builds[pkg]; ok {
		return path
	}
	b.Log("building %s", pkg)
	path := filepath.Join(b.dir, filepath.Base(pkg))
	if out, err := exec.CommandContext(b.ctx, "go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		b.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	b.builds[pkg] = path
	return path
}

func with(cmd *exec.Cmd, environ []string) *exec.Cmd {
	cmd.Env = environ
	return cmd
}

func (b *Bench) serve(name string, address *regexp.Regexp, command func() *exec.Cmd) *Server {
	s := &Server{Name: name, bench: b, command: command, address: address}
	s.Start()
	b.Cleanup(func() { s.Stop(syscall.SIGKILL) })
	return s
}

// Start starts the process, again if it has been stopped, and returns when it listens.
func (s *Server) Start() {
	s.cmd = s.command()
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	reader, writer, err := os.Pipe()
	if err != nil {
		s.bench.Fatalf("%v", err)
	}
	s.cmd.Stdout, s.cmd.Stderr = writer, writer
	err = s.cmd.Start()
	_ = writer.Close() // it is the child's
	if err != nil {
		s.bench.Fatalf("starting %s: %v", s.Name, err)
	}
	s.PID = s.cmd.Process.Pid
	s.Base = s.listening(reader)
}

// listening returns the address that the process prints. What it prints afterwards is read
// and forgotten, or it could not go on.
func (s *Server) listening(output io.ReadCloser) string {
	watch := sync.OnceFunc(func() { s.bench.Log("%s has said nothing for a minute", s.Name) })
	slow := time.AfterFunc(time.Minute, watch)
	defer slow.Stop()
	var printed strings.Builder
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		fmt.Fprintln(&printed, lines.Text())
		if match := s.address.FindStringSubmatch(lines.Text()); match != nil {
			go func() {
				_, _ = io.Copy(io.Discard, output)
				_ = output.Close()
			}()
			return match[1]
		}
	}
	s.bench.Fatalf("%s ended:\n%s", s.Name, printed.String())
	return ""
}

// Stop sends the signal to the process and waits until it has ended.
func (s *Server) Stop(signal syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(signal)
	_ = s.cmd.Wait() // how it ended says nothing: it was made to
	s.cmd = nil
}
