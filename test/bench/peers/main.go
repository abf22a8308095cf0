// Command peers compares Gatefold with what people would use instead: nginx that serves the
// files, a gin handler that writes them from memory, and the guide's design on Node. It
// writes what it finds into docs/benchmarks.md.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

// albums is how many covers are asked for in turns.
const albums = 100

func main() { rig.Main(run) }

func run(b *rig.Bench) {
	redis := testenv.RedisServer(b)
	c := newComparison(b, redis)
	c.compete()
	c.publish()
}

// kind is what is asked for.
type kind struct {
	name string // of the files
	held bool   // by who asks
}

var kinds = []kind{{"original", false}, {"original", true}, {"thumb", false}, {"thumb", true}}

var connections = []int{1, 64, 256}

// comparison is who competes, and how they did.
type comparison struct {
	b          *rig.Bench
	contenders []*rig.Server
	beside     map[*rig.Server]int // the Redis that works for a contender
	loads      map[kind][]rig.Load // of the contenders
	sizes      map[string]int      // bytes of a file, in the mean
	idle       []float64           // MB of memory before anybody asked
	standings  map[heat][]standing
}

// heat is what contenders are compared in.
type heat struct {
	kind        kind
	connections int
}

// standing is how a contender did: each value is a median over the rounds.
type standing struct{ rate, ratio, p50, p99, cpu float64 }

// gatefold is its place among the contenders.
const gatefold = 3

func newComparison(b *rig.Bench, redis *testenv.RedisProcess) *comparison {
	url := "redis://" + redis.Addr
	c := &comparison{b: b, loads: map[kind][]rig.Load{}, sizes: map[string]int{}, standings: map[heat][]standing{}}
	program := b.Gatefold("DATABASE_URL="+testenv.Postgres(b), "REDIS_URL="+url+"/1", "IMAGE_CACHE=twolevel")
	ids := seed(b, program)
	files := c.copy(program, ids)
	node := testenv.Postgres(b)
	fillNode(b, node, files)
	c.contenders = []*rig.Server{
		b.Nginx(files), b.BareGin(files),
		b.Node("Node, the guide's", "test/bench/peers/server.js", "DATABASE_URL="+node, "REDIS_URL="+url+"/2"), program,
	}
	pid := redisPID(b, redis)
	c.beside = map[*rig.Server]int{c.contenders[2]: pid, program: pid}
	for _, s := range c.contenders {
		c.idle = append(c.idle, rig.Memory(s.PID))
	}
	for _, k := range kinds {
		for i, s := range c.contenders {
			c.loads[k] = append(c.loads[k], s.Load(c.paths(i, k, ids), k.held))
		}
	}
	return c
}

func redisPID(b *rig.Bench, redis *testenv.RedisProcess) int {
	var pid int
	info := redis.Client(b).InfoMap(b.Context(), "server").Item("Server", "process_id")
	_, err := fmt.Sscan(info, &pid)
	require.NoError(b, err)
	return pid
}

// seed puts covers in force.
func seed(b *rig.Bench, program *rig.Server) []string {
	b.Log("putting %d covers in force", albums)
	artist := "00000000-0000-4000-8000-000000000000"
	require.NoError(b, program.PutArtist(b.Context(), artist, "Benchmark"))
	ids := make([]string, albums)
	for i := range ids {
		ids[i] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1)
	}
	b.Spread(albums, 4, func(ctx context.Context, i int) error {
		if err := program.PutAlbum(ctx, ids[i], "Album "+strconv.Itoa(i), artist); err != nil {
			return err
		}
		cover, err := program.Upload(ctx, ids[i], rig.Cover(uint64(i)))
		if err != nil {
			return err
		}
		return program.Apply(ctx, ids[i], cover)
	})
	return ids
}

// copy writes what Gatefold answers into a folder for the others.
func (c *comparison) copy(program *rig.Server, ids []string) string {
	dir := c.b.TempDir()
	for _, name := range []string{"original", "thumb"} {
		for i, id := range ids {
			content, _ := program.Get(rig.CoverOf(id) + query(name))
			c.sizes[name] += len(content) / len(ids)
			require.NoError(c.b, os.WriteFile(filepath.Join(dir, fileOf(name, i)), content, 0o644))
		}
	}
	return dir
}

func query(name string) string {
	if name == "thumb" {
		return "?size=thumb"
	}
	return ""
}

func fileOf(name string, i int) string { return fmt.Sprintf("%s-%d", name, i) }

// paths returns what a contender is asked for.
func (c *comparison) paths(contender int, k kind, ids []string) []string {
	paths := make([]string, len(ids))
	for i, id := range ids {
		switch contender {
		case gatefold:
			paths[i] = rig.CoverOf(id) + query(k.name)
		case gatefold - 1:
			paths[i] = "/covers/" + fileOf(k.name, i)
		default:
			paths[i] = "/" + fileOf(k.name, i)
		}
	}
	return paths
}

// fillNode tells the database of the guide's design of the files.
func fillNode(b *rig.Bench, url, files string) {
	conn, err := pgx.Connect(b.Context(), url)
	require.NoError(b, err)
	defer func() { _ = conn.Close(b.Context()) }()
	_, err = conn.Exec(b.Context(), `CREATE TABLE covers (album_id text PRIMARY KEY, file_path text NOT NULL, mime_type text NOT NULL,
		size bigint NOT NULL, last_modified timestamptz NOT NULL, source text NOT NULL, tag text NOT NULL)`)
	require.NoError(b, err)
	entries, err := os.ReadDir(files)
	require.NoError(b, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(b, err)
		_, err = conn.Exec(b.Context(), "INSERT INTO covers VALUES ($1, $2, 'image/jpeg', $3, $4, 'custom', $1)",
			e.Name(), filepath.Join(files, e.Name()), info.Size(), info.ModTime())
		require.NoError(b, err)
	}
}

// compete gives every contender its turns, in each heat and round.
func (c *comparison) compete() {
	rounds, turn := rig.Or(c.b, 5, 1), rig.Or(c.b, 3*time.Second, time.Second)
	for _, k := range kinds {
		for _, load := range c.loads[k] {
			load.Run(connections[1], time.Second) // caches are warm, code is compiled
		}
		for _, n := range connections {
			h := heat{k, n}
			c.standings[h] = c.race(h, rounds, turn)
			c.b.Log("%s over %d connections: %s requests/s", c.describe(k), n, c.rates(h))
		}
	}
}

func (c *comparison) race(h heat, rounds int, turn time.Duration) []standing {
	results := make([][]rig.Result, len(c.contenders))
	for round := range rounds {
		for turns := range c.contenders {
			i := (round + turns) % len(c.contenders) // nobody is always the first
			var beside []int
			if pid, ok := c.beside[c.contenders[i]]; ok {
				beside = append(beside, pid)
			}
			results[i] = append(results[i], c.loads[h.kind][i].Run(h.connections, turn, beside...))
		}
	}
	standings := make([]standing, len(c.contenders))
	for i := range c.contenders {
		over := func(of func(rig.Result) float64) float64 {
			values := make([]float64, rounds)
			for round, r := range results[i] {
				values[round] = of(r)
			}
			return figures.Median(values)
		}
		ratios := make([]float64, rounds)
		for round := range ratios {
			ratios[round] = results[i][round].Rate / results[gatefold][round].Rate
		}
		standings[i] = standing{
			rate: over(func(r rig.Result) float64 { return r.Rate }), ratio: figures.Median(ratios),
			p50: over(func(r rig.Result) float64 { return r.P50 }), p99: over(func(r rig.Result) float64 { return r.P99 }),
			cpu: over(func(r rig.Result) float64 { return r.CPU }),
		}
	}
	return standings
}

func (c *comparison) rates(h heat) (text string) {
	for i, s := range c.contenders {
		text += fmt.Sprintf(" %s %.0f", s.Name, c.standings[h][i].rate)
	}
	return text[1:]
}

// describe says what is asked for: its size, and how it is answered.
func (c *comparison) describe(k kind) string {
	status := 200
	if k.held {
		status = 304
	}
	return fmt.Sprintf("%d KB, %d", (c.sizes[k.name]+500)/1000, status)
}
