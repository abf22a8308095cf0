// Command servers starts a private Redis and a private Postgres server for tests that
// are not written in Go, and ends them when its standard input does:
//
//	{"redis": "redis://127.0.0.1:…", "postgres": "postgres://…"}
//
// is its first line. Then it obeys one order a line, each answered by "ok" when it is
// done: "stop redis", "start redis", "pause redis" and "resume redis".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"gatefold/test/testenv"
)

func main() {
	os.Exit(testenv.Run(func() int {
		b := &bench{}
		defer b.clean()
		return b.serve(os.Stdin, os.Stdout)
	}))
}

// bench is what the servers are told of those who use them, as a test would be.
type bench struct{ cleanups []func() }

var _ testenv.TB = (*bench)(nil)

// Helper implements testenv.TB.
func (b *bench) Helper() {}

// Errorf implements testenv.TB.
func (b *bench) Errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// FailNow implements testenv.TB: nothing can be tried without the servers.
func (b *bench) FailNow() { panic("the servers cannot be used") }

// Cleanup implements testenv.TB.
func (b *bench) Cleanup(f func()) { b.cleanups = append(b.cleanups, f) }

func (b *bench) clean() {
	for _, f := range slices.Backward(b.cleanups) {
		f()
	}
}

// serve starts the servers and obeys until nobody has anything to say any more.
func (b *bench) serve(in io.Reader, out io.Writer) int {
	redis, postgres := testenv.RedisServer(b), testenv.PostgresServer(b)
	orders := map[string]func(){
		"stop redis": redis.Stop, "start redis": func() { redis.Start(b) },
		"pause redis": redis.Pause, "resume redis": redis.Resume,
	}
	addresses := map[string]string{"redis": "redis://" + redis.Addr, "postgres": postgres.URL()}
	if err := json.NewEncoder(out).Encode(addresses); err != nil {
		return 1
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		order, known := orders[lines.Text()]
		if !known {
			b.Errorf("servers: %q is no order", lines.Text())
			return 2
		}
		order()
		if _, err := fmt.Fprintln(out, "ok"); err != nil {
			return 1
		}
	}
	return 0
}
