package rig

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// CPU returns how many seconds the process and its children have run on processors, in user
// space and in the kernel.
func CPU(pid int) float64 {
	const ticksPerSecond = 100 // of Linux, towards programs
	var total float64
	for _, id := range tree(pid) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", id))
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		for _, field := range fields[11:13] {
			ticks, _ := strconv.ParseFloat(field, 64)
			total += ticks / ticksPerSecond
		}
	}
	return total
}

var proportional = regexp.MustCompile(`(?m)^Pss:\s+(\d+) kB`)

// Memory returns how many MB of memory the process and its children take. What several of
// them share counts once.
func Memory(pid int) float64 {
	var kilobytes float64
	for _, id := range tree(pid) {
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", id))
		if err != nil {
			continue
		}
		if match := proportional.FindSubmatch(rollup); match != nil {
			n, _ := strconv.ParseFloat(string(match[1]), 64)
			kilobytes += n
		}
	}
	return kilobytes * 1024 / 1e6
}

// tree returns the process and all that it and those have started.
func tree(pid int) []int {
	all := []int{pid}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range strings.Fields(string(children)) {
		if id, err := strconv.Atoi(child); err == nil {
			all = append(all, tree(id)...)
		}
	}
	return all
}
