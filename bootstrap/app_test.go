package bootstrap

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/application/keyring"
)

// TestEveryCombinationOfAdaptersFitsTogether validates the whole graph: the one
// invocation reaches every part.
func TestEveryCombinationOfAdaptersFitsTogether(t *testing.T) {
	keys, err := keyring.New(firstSecret)
	require.NoError(t, err)
	for _, database := range []string{"", "DATABASE_URL=sqlite:/tmp/x.db", "DATABASE_URL=postgres://u:p@localhost/db"} {
		for _, mode := range []string{"auto", "memory", "redis", "twolevel", "off"} {
			for _, storage := range []string{"disk", "s3"} {
				cfg := load(t, database, "IMAGE_CACHE="+mode, "REDIS_HOST=localhost", "STORAGE="+storage, "S3_ENDPOINT=http://localhost", "S3_BUCKET=art", "AUTH_SECRET="+firstSecret)
				options := compose(cfg, slog.New(slog.DiscardHandler), asServer(), fx.Supply(keys), fx.Invoke(func(*serving) {}))
				require.NoError(t, fx.ValidateApp(options), "%s %s %s", database, mode, storage)
			}
		}
	}
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(load(t, "LOG_FORMAT=json", "LOG_LEVEL=info"), &out)
	log.Debug("not shown")
	log.Info("Gatefold is serving", "address", "http://localhost:8080", "took", 1500*time.Millisecond)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), out.String())
	require.Equal(t, "Gatefold is serving", line["msg"])
	require.Equal(t, "info", line["level"])
	require.Equal(t, "1.5s", line["took"])
	require.NotEmpty(t, line["time"])

	out.Reset()
	newLogger(load(t), &out).Error("It broke", "error", "why")
	require.Contains(t, out.String(), "ERROR\tIt broke")
	require.NotContains(t, out.String(), "goroutine", "no stack traces")
}
