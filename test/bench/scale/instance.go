package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

// instance returns what an instance takes: to start, in memory, and to answer lists. Another
// one shows what it reads whole.
func (l *large) instance() string {
	redis := testenv.RedisServer(l.b)
	t := figures.Table{Header: []string{"an instance", ""}}
	var program *rig.Server
	environ := []string{"REDIS_URL=redis://" + redis.Addr, "IMAGE_CACHE=twolevel", "DATA_DIR=" + l.b.TempDir()}
	program = l.b.Gatefold(append(environ, "DATABASE_URL="+l.url)...)
	program.Stop(9)
	begin := time.Now()
	program.Start()
	t.Add("from its start until it answers", fmt.Sprintf("%.2f s", time.Since(begin).Seconds()))
	program.Await(firstPage)
	t.Add("from its start until the first list, for which the index of all names is made", fmt.Sprintf("%.1f s", time.Since(begin).Seconds()))
	t.Add("memory then, with the garbage of making it", fmt.Sprintf("%.0f MB", rig.Memory(program.PID)))
	l.lists(program, &t)
	t.Add("memory after these lists", fmt.Sprintf("%.0f MB", rig.Memory(program.PID)))
	program.Stop(15)
	t.Add("tables that it reads whole in its first seconds, with a list", l.watch(environ))
	return t.String()
}

const firstPage = "/api/artists?pageSize=50"

// lists measures what lists take that are searched, filtered and in another order.
func (l *large) lists(program *rig.Server, t *figures.Table) {
	for _, list := range []struct {
		what  string
		paths []string
	}{
		{"a list of 50, first page", []string{firstPage, "/api/albums?pageSize=50"}},
		{"a list of 50, three letters typed", []string{"bab", "cue", "dol", "rai", "sus", "man"}},
		{"a list of 50, without a picture", []string{"/api/artists?missing=logo", "/api/artists?missing=profile", "/api/albums?missing=cover"}},
		{"a list of 50, last changed first", []string{"/api/artists?sort=-updated", "/api/albums?sort=-updated"}},
	} {
		took := l.b.Spread(rig.Or(l.b, 200, 20), 1, func(ctx context.Context, i int) error {
			path := list.paths[i%len(list.paths)]
			if !strings.HasPrefix(path, "/") {
				path = "/api/albums?query=" + url.QueryEscape(path)
			}
			_, _, err := program.Do(ctx, "GET", path, "", nil)
			return err
		})
		t.Add(list.what, fmt.Sprintf("p50 %s ms, p99 %s ms", figures.Number(figures.Median(took)), figures.Number(figures.Quantile(took, 0.99))))
	}
}

// watch runs an instance whose plans are logged, for some seconds.
func (l *large) watch(environ []string) (scanned string) {
	l.b.Scope(func() {
		from := len(l.logged(0))
		program := l.b.Gatefold(append(environ, "DATABASE_URL="+l.explaining("watched"))...)
		program.Await(firstPage)
		time.Sleep(rig.Or(l.b, 20*time.Second, 3*time.Second)) // what it asks by itself, it asks every few seconds
		scanned = l.scans("watched", from)
	})
	return scanned
}
