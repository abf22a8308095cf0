// Command servers starts private servers for tests that are not written in Go, those that
// its arguments name of "redis", "postgres" and "oidc", and ends them when its standard
// input does. Its first line says where they are:
//
//	{"redis": "redis://127.0.0.1:…", "postgres": "postgres://…", "oidc": "http://127.0.0.1:…"}
//
// Then it obeys one order a line, each answered by "ok" when it is done: "stop redis",
// "start redis", "pause redis" and "resume redis"; "recognise {…}" has the identity
// provider tell these claims of everybody who signs in.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"gatefold/test/oidcfixture"
	"gatefold/test/testenv"
)

func main() {
	os.Exit(testenv.Run(func() int {
		b := &bench{}
		defer b.clean()
		return b.serve(os.Args[1:], os.Stdin, os.Stdout)
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

// order does what it is told; what follows the name of the order is its argument.
type order func(argument string) error

// start starts the servers of the names, and returns where they are and what can be
// ordered.
func (b *bench) start(names []string) (addresses map[string]string, orders map[string]order) {
	addresses, orders = map[string]string{}, map[string]order{}
	always := func(f func()) order { return func(string) error { f(); return nil } }
	for _, name := range names {
		switch name {
		case "redis":
			redis := testenv.RedisServer(b)
			addresses[name] = "redis://" + redis.Addr
			orders["stop redis"], orders["start redis"] = always(redis.Stop), always(func() { redis.Start(b) })
			orders["pause redis"], orders["resume redis"] = always(redis.Pause), always(redis.Resume)
		case "postgres":
			addresses[name] = testenv.PostgresServer(b).URL()
		case "oidc":
			provider := oidcfixture.New(b)
			addresses[name] = provider.Issuer
			orders["recognise"] = func(claims string) error { return recognise(provider, claims) }
		default:
			b.Errorf("servers: there is no %q", name)
			b.FailNow()
		}
	}
	return addresses, orders
}

func recognise(provider *oidcfixture.Provider, text string) error {
	var claims map[string]any
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		return err
	}
	provider.Recognise(claims)
	return nil
}

// serve starts the servers and obeys until nobody has anything to say any more.
func (b *bench) serve(names []string, in io.Reader, out io.Writer) int {
	addresses, orders := b.start(names)
	if err := json.NewEncoder(out).Encode(addresses); err != nil {
		return 1
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		name, argument, found := strings.Cut(lines.Text(), " {")
		if found {
			argument = "{" + argument
		}
		do, known := orders[name]
		if !known {
			b.Errorf("servers: %q is no order", lines.Text())
			return 2
		}
		if err := do(argument); err != nil {
			b.Errorf("servers: %v", err)
			return 2
		}
		if _, err := fmt.Fprintln(out, "ok"); err != nil {
			return 1
		}
	}
	return 0
}
