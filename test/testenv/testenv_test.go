package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestFreePortsDiffer(t *testing.T) {
	require.NotEqual(t, FreePort(t), FreePort(t))
}

func TestPostgresGivesEachTestItsOwnDatabase(t *testing.T) {
	for range 2 {
		conn, err := pgx.Connect(t.Context(), Postgres(t))
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "CREATE TABLE mine (n int)")
		require.NoError(t, err)
		require.NoError(t, conn.Close(t.Context()))
	}
}

func TestPostgresDatabasesFromWhatWasPrepared(t *testing.T) {
	prepared := 0
	fresh := PostgresFrom(func(url string) error {
		prepared++
		return onConnection(url, "CREATE TABLE copied (n int PRIMARY KEY)")
	})
	for range 2 {
		require.NoError(t, onConnection(fresh(t), "INSERT INTO copied VALUES (1)"))
	}
	require.Equal(t, 1, prepared)
}

func onConnection(url, statement string) error {
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), statement)
	return errors.Join(err, conn.Close(context.Background()))
}

func TestAPostgresServerStopsAndStartsWithItsData(t *testing.T) {
	server := PostgresServer(t)
	require.NoError(t, server.exec("CREATE TABLE kept (n int)"))
	server.Stop()
	require.Error(t, server.exec("SELECT 1"))
	require.NoError(t, server.Start())
	require.NoError(t, server.exec("INSERT INTO kept VALUES (1)"))
}

// victim is set in the child process of TestServersDieWithTheTestProcess.
const victim = "GATEFOLD_TESTENV_VICTIM"

// TestServersDieWithTheTestProcess kills a test process, which then cannot stop
// anything itself.
func TestServersDieWithTheTestProcess(t *testing.T) {
	if os.Getenv(victim) != "" {
		server := PostgresServer(t)
		fmt.Printf("%d %s\n", server.server.Process.Pid, server.dir)
		select {} // until it is killed
	}
	child := exec.Command(os.Args[0], "-test.run=^TestServersDieWithTheTestProcess$")
	child.Env = append(os.Environ(), victim+"=1")
	output, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, start(child))
	var pid int
	var dir string
	_, err = fmt.Fscan(output, &pid, &dir)
	require.NoError(t, err)
	defer func() { _ = os.RemoveAll(dir) }()
	segment := sharedMemory(t, dir)
	require.True(t, isRunning(pid))
	stop(child, syscall.SIGKILL)
	require.Eventually(t, func() bool { return !isRunning(pid) }, 10*time.Second, 10*time.Millisecond, "the server outlives its test process")

	// A killed Postgres leaves a few bytes of shared memory behind.
	require.Eventually(t, func() bool {
		_, err := unix.SysvShmCtl(segment, unix.IPC_RMID, nil)
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
}

// sharedMemory returns the identifier of the segment that a server uses: it
// notes the key and the identifier in the seventh line of its lock file.
func sharedMemory(t *testing.T, dir string) int {
	t.Helper()
	lock, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	require.NoError(t, err)
	lines := strings.Split(string(lock), "\n")
	require.Greater(t, len(lines), 6)
	var key, segment int
	_, err = fmt.Sscan(lines[6], &key, &segment)
	require.NoError(t, err)
	return segment
}

// isRunning reports whether the process exists and is more than a zombie.
func isRunning(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
