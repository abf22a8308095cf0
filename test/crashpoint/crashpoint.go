// Package crashpoint is where a process ends that a test has built and ordered to:
// no deferred call, no buffer, no answer after it; or where it waits, if it is ordered
// to. The program as it is shipped does not contain it.
package crashpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// OrderVariable names the file in which orders are left.
const OrderVariable = "GATEFOLD_CRASH_ORDER"

// Order has the process that finds the order in the file end when it reaches the
// point. It is carried out once.
func Order(file, point string) error { return leave(file, point) }

// hold is what the order begins with that holds up.
const hold = "hold "

// OrderHold has the process that finds the order in the file wait at the point, once,
// until Release.
func OrderHold(file, point string) error { return leave(file, hold+point) }

// Held reports whether somebody waits at the point by an order in the file.
func Held(file, point string) bool {
	_, err := os.Stat(heldAt(file, point))
	return err == nil
}

// Release lets those go on who wait at the point, and nobody wait there who has not come
// yet.
func Release(file, point string) error {
	if ordered, err := os.ReadFile(file); err == nil && string(ordered) == hold+point {
		_ = os.Remove(file) // somebody may just have come
	}
	err := os.Remove(heldAt(file, point))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// heldAt names the file that is there while somebody waits.
func heldAt(file, point string) string {
	return file + ".held-" + strings.Map(func(r rune) rune {
		if r == ' ' || r == '/' {
			return '-'
		}
		return r
	}, point)
}

func leave(file, order string) error {
	written := file + ".new"
	if err := os.WriteFile(written, []byte(order), 0o600); err != nil {
		return err
	}
	return os.Rename(written, file) // nobody finds half an order
}

// Reach ends the process by SIGKILL if that is ordered at the point, after the
// last acts; or waits, if that is.
func Reach(point string, last ...func()) {
	file := os.Getenv(OrderVariable)
	if file == "" {
		return
	}
	order, err := os.ReadFile(file)
	if err != nil {
		return
	}
	switch string(order) {
	case hold + point:
		wait(file, heldAt(file, point))
	case point:
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
}

// wait takes the order and waits until somebody removes what it has become.
func wait(order, held string) {
	if err := os.Rename(order, held); err != nil {
		return // another one reached it at the same time
	}
	for {
		if _, err := os.Stat(held); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
