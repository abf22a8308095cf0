// Command demo runs another command with providers of images that are invented and on
// this machine, so that "find artwork" can be tried without a network and without keys:
//
//	demo bin/gatefold serve
//
// A variable that the environment sets already is left as it is.
package main

import (
	"errors"
	"fmt"
	"image"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"gatefold/adapters/demolibrary"
	"gatefold/domain/artwork"
	"gatefold/test/providerfixture"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: demo COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	code, err := run(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// run serves the providers for as long as the command runs, and returns its exit code.
func run(name string, args []string) (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	fixture := providerfixture.New()
	fixture.Paint, fixture.Unambiguous = paint, true
	server := &http.Server{Handler: paced{fixture}, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // it ends with the process
	defer func() { _ = server.Close() }()

	fmt.Printf("Demo providers: all pictures that are found are invented, by http://%s on this machine.\n"+
		"Nobody else is asked. DEMO_PROVIDERS=off asks the real ones.\n\n", listener.Addr())
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = environment(listener.Addr().String())
	return wait(cmd)
}

// wait runs the command. It is passed the signals that would end this process.
func wait(cmd *exec.Cmd) (int, error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			if s == syscall.SIGTERM { // Ctrl-C reaches all of the foreground by itself
				_ = cmd.Process.Signal(s) // unless it has ended, which is as well
			}
		}
	}()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// environment is that of this process and the settings of the providers.
func environment(address string) []string {
	environ := os.Environ()
	add := func(variable, value string) {
		if os.Getenv(variable) == "" {
			environ = append(environ, variable+"="+value)
		}
	}
	for variable, provider := range providerfixture.Variables() {
		add(variable, "http://"+address+"/"+provider)
	}
	for _, variable := range providerfixture.KeyVariables() {
		add(variable, providerfixture.Key)
	}
	add("ITUNES_ENABLED", "true")
	add("DOWNLOAD_ALLOW_HOSTS", address)
	return environ
}

// paint is the painter of the demo library, at a size that is painted quickly.
func paint(seed string, width, height int) image.Image {
	return demolibrary.Paint(slot(seed, width, height), seed, width, height)
}

// slot is what a picture is for: the fixture names it in the seed where the shape does
// not tell.
func slot(seed string, width, height int) artwork.Slot {
	switch {
	case strings.Contains(seed, "logo"):
		return artwork.SlotLogo
	case width > 3*height:
		return artwork.SlotBanner
	case width > height:
		return artwork.SlotBackground
	case strings.Contains(seed, "profile"):
		return artwork.SlotProfile
	default:
		return artwork.SlotCover
	}
}

// paced answers as late as a provider across a network, some later than others: what
// arrives when is worth seeing.
type paced struct{ http.Handler }

func (p paced) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	provider, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if provider != "images" {
		pause := time.NewTimer(time.Duration(100+len(provider)*60) * time.Millisecond)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-r.Context().Done():
			return
		}
	}
	p.Handler.ServeHTTP(w, r)
}
