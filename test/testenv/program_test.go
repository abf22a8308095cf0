package testenv

import (
	"os/exec"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestAProgramIsPausedAndEnds(t *testing.T) {
	t.Parallel()
	p, err := StartProgram(exec.Command("sleep", "600"))
	require.NoError(t, err)
	p.Pause()
	require.True(t, isStopped(p.Pid()))
	p.Resume()
	require.Eventually(t, func() bool { return !isStopped(p.Pid()) }, startLimit, pollInterval)
	p.Kill()
	<-p.Done()
}

// TestAPausedPostgresAnswersNobody: neither whom it serves already nor whoever comes, and
// both when it goes on.
func TestAPausedPostgresAnswersNobody(t *testing.T) {
	t.Parallel()
	server := PostgresServer(t)
	conn, err := pgx.Connect(t.Context(), server.URL())
	require.NoError(t, err)
	server.Pause()
	answers := make(chan error, 2)
	go func() {
		_, err := conn.Exec(t.Context(), "SELECT 1")
		answers <- err
	}()
	go func() { answers <- server.exec("SELECT 1") }()
	select {
	case err := <-answers:
		t.Error("it answered", err)
	case <-time.After(300 * time.Millisecond):
	}
	server.Resume()
	require.NoError(t, <-answers)
	require.NoError(t, <-answers)
	require.NoError(t, conn.Close(t.Context()))
}
