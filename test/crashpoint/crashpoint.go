// Package crashpoint is where a process ends that a test has built and ordered to:
// no deferred call, no buffer, no answer after it. The program as it is shipped
// does not contain it.
package crashpoint

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// OrderVariable names the file in which orders are left.
const OrderVariable = "GATEFOLD_CRASH_ORDER"

// Order has the process that finds the order in the file end when it reaches the
// point. It is carried out once.
func Order(file, point string) error {
	written := file + ".new"
	if err := os.WriteFile(written, []byte(point), 0o600); err != nil {
		return err
	}
	return os.Rename(written, file) // nobody finds half an order
}

// Reach ends the process by SIGKILL if that is ordered at the point, after the
// last acts.
func Reach(point string, last ...func()) {
	file := os.Getenv(OrderVariable)
	if file == "" {
		return
	}
	ordered, err := os.ReadFile(file)
	if err != nil || strings.TrimSpace(string(ordered)) != point {
		return
	}
	if err := os.Remove(file); err != nil {
		return // another one reached it at the same time
	}
	for _, act := range last {
		act()
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	select {} // until the kernel is done
}
