package figures

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine describes what is measured on, and when, in one sentence: processor, memory,
// system, and the versions of Go and of the programs, each named by the command that prints
// its version, such as "nginx -v".
func Machine(now time.Time, versions ...string) string {
	parts := []string{
		fmt.Sprintf("%d × %s", runtime.NumCPU(), processor()),
		fmt.Sprintf("%.0f GB of memory", MemoryGB("MemTotal")),
		system(),
		runtime.Version(),
	}
	for _, command := range versions {
		parts = append(parts, versionOf(command))
	}
	return fmt.Sprintf("Measured on %s: %s.", now.UTC().Format("2 January 2006"), strings.Join(parts, ", "))
}

// MemoryGB returns a field of /proc/meminfo, such as MemAvailable.
func MemoryGB(field string) float64 {
	kilobytes, _ := strconv.ParseFloat(strings.TrimSuffix(valueIn("/proc/meminfo", field), " kB"), 64)
	return kilobytes * 1024 / 1e9
}

func processor() string {
	model := valueIn("/proc/cpuinfo", "model name")
	if model == "" {
		return runtime.GOARCH
	}
	return strings.Join(strings.Fields(model), " ")
}

func system() string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	description := "Linux " + strings.TrimSpace(string(kernel))
	if name, err := strconv.Unquote(assigned("/etc/os-release", "PRETTY_NAME")); err == nil {
		description += " (" + name + ")"
	}
	return description
}

// valueIn returns what stands behind the first "name:" that begins a line.
func valueIn(path, name string) string { return lineIn(path, name, ":") }

func assigned(path, name string) string { return lineIn(path, name, "=") }

func lineIn(path, name, separator string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), separator); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

var number = regexp.MustCompile(`\d+(\.\d+)+`)

// versionOf returns the name of the program and the first version that it prints. Some
// print it as an error.
func versionOf(command string) string {
	words := strings.Fields(command)
	name := words[0][strings.LastIndexByte(words[0], '/')+1:]
	out, _ := exec.Command(words[0], words[1:]...).CombinedOutput()
	return strings.TrimSpace(name + " " + number.FindString(string(out)))
}
