package rig

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Load is what a server is asked for, in turns.
type Load struct {
	server *Server
	file   string
	script string
}

// Result is how a server did under load.
type Result struct {
	Rate     float64 // requests a second
	P50, P99 float64 // milliseconds until the answer was there
	CPU      float64 // microseconds of processors for a request, of the server and those beside it
}

// WrkScript has wrk ask for the lines of a file, one after the other: paths, each with the
// ETag that is held of it, if one is. At the end it prints RESULT and how many requests,
// microseconds and failures there were, and the microseconds of p50 and p99.
const WrkScript = `
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do
    local path, etag = line:match("^(%S+)\t?(.*)$")
    local headers = {}
    if etag ~= "" then headers["If-None-Match"] = etag end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
`

// Load prepares asking for the paths, by somebody who holds what they answer or not. Every
// answer is looked at once.
func (s *Server) Load(paths []string, held bool) Load {
	dir := s.bench.TempDir()
	load := Load{server: s, file: filepath.Join(dir, "load"), script: filepath.Join(dir, "script.lua")}
	var lines strings.Builder
	for _, path := range paths {
		status, _, header := s.ask(path, "")
		etag := ""
		if held {
			etag = header.Get("ETag")
			status, _, _ = s.ask(path, etag)
		}
		if want := map[bool]int{false: http.StatusOK, true: http.StatusNotModified}[held]; status != want {
			s.bench.Fatalf("%s answers %d to GET %s with If-None-Match %q", s.Name, status, path, etag)
		}
		fmt.Fprintf(&lines, "%s\t%s\n", path, etag)
	}
	for name, text := range map[string]string{load.file: lines.String(), load.script: WrkScript} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			s.bench.Fatalf("%v", err)
		}
	}
	return load
}

// Run has wrk ask over so many connections for some whole seconds; beside are processes
// that work for the server. Any request that fails ends the benchmark.
func (l Load) Run(connections int, d time.Duration, beside ...int) Result {
	b := l.server.bench
	used := func() (total float64) {
		for _, pid := range append([]int{l.server.PID}, beside...) {
			total += CPU(pid)
		}
		return total
	}
	begin := used()
	out, err := exec.CommandContext(b.ctx, "wrk", "-t1", "-c", strconv.Itoa(connections), "-d", d.String(), "--timeout", "30s",
		"-s", l.script, l.server.Base, "--", l.file).CombinedOutput()
	if err != nil {
		b.Fatalf("wrk, which comes from scripts/install-test-tools.sh bench: %v\n%s", err, out)
	}
	spent := used() - begin
	_, result, _ := bytes.Cut(out, []byte("RESULT "))
	var requests, microseconds, failures, p50, p99 float64
	if _, err := fmt.Sscan(string(result), &requests, &microseconds, &failures, &p50, &p99); err != nil || failures > 0 {
		b.Fatalf("%s under load: %v\n%s", l.server.Name, err, out)
	}
	return Result{Rate: requests / microseconds * 1e6, P50: p50 / 1000, P99: p99 / 1000, CPU: spent / requests * 1e6}
}
