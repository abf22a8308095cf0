package main

import (
	"fmt"
	"strings"
	"time"

	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
)

const document = "docs/benchmarks.md"

func (c *comparison) publish() {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n", figures.Machine(time.Now(), "wrk -v", "nginx -v", "node --version", "redis-server --version"))
	s.WriteString("\n![Requests a second over 64 connections](benchmarks/peers-rate.svg)\n\n![Processor time of a request over 64 connections](benchmarks/peers-cpu.svg)\n")
	for _, k := range kinds {
		fmt.Fprintf(&s, "\n**%s**\n\n%s", c.describe(k), c.table(k))
	}
	fmt.Fprintf(&s, "\n**Memory**, MB\n\n%s", c.memory())
	c.b.Publish(document, "peers", s.String())
	c.b.Draw("docs/benchmarks/peers-rate.svg", c.chart("Requests a second over 64 connections", "requests/s; more is better; each group has its own scale",
		func(s standing) float64 { return s.rate }))
	c.b.Draw("docs/benchmarks/peers-cpu.svg", c.chart("Processor time of a request over 64 connections", "µs, of the server and its Redis; less is better; each group has its own scale",
		func(s standing) float64 { return s.cpu }))
}

func (c *comparison) table(k kind) string {
	t := figures.Table{Header: []string{"connections", "of", "requests/s", "times Gatefold's", "p50 ms", "p99 ms", "processor µs/request"}}
	for _, n := range connections {
		for i, s := range c.contenders {
			of := c.standings[heat{k, n}][i]
			t.Add(n, s.Name, of.rate, of.ratio, of.p50, of.p99, of.cpu)
		}
	}
	return t.String()
}

func (c *comparison) memory() string {
	t := figures.Table{Header: []string{"of", "before anybody asked", "after everything"}}
	for i, s := range c.contenders {
		t.Add(s.Name, c.idle[i], rig.Memory(s.PID))
	}
	return t.String()
}

func (c *comparison) chart(title, unit string, of func(standing) float64) figures.Chart {
	chart := figures.Chart{Title: title, Unit: unit}
	for _, s := range c.contenders {
		chart.Series = append(chart.Series, s.Name)
	}
	for _, k := range kinds {
		group := figures.Group{Name: c.describe(k)}
		for _, s := range c.standings[heat{k, 64}] {
			group.Values = append(group.Values, of(s))
		}
		chart.Groups = append(chart.Groups, group)
	}
	return chart
}
