package bootstrap

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	yaml "go.yaml.in/yaml/v3"
)

// TestTheCollectorTakesWhatIsSent: its example listens for the protocol that is spoken, at
// the path that it has, and every part of the way through it is there.
func TestTheCollectorTakesWhatIsSent(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../deploy/otel-collector/config.yaml")
	require.NoError(t, err)
	var file struct {
		Receivers struct {
			OTLP struct {
				Protocols struct {
					HTTP struct{ Endpoint string }
				}
			}
		}
		Processors, Exporters map[string]any
		Service               struct {
			Pipelines map[string]struct{ Receivers, Processors, Exporters []string }
		}
	}
	require.NoError(t, yaml.Unmarshal(content, &file))
	_, port, ok := strings.Cut(file.Receivers.OTLP.Protocols.HTTP.Endpoint, ":")
	require.True(t, ok)
	documented, err := os.ReadFile("../docs/tracing.md")
	require.NoError(t, err)
	require.Contains(t, string(documented), "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:"+port+"\n")
	traces := file.Service.Pipelines["traces"]
	require.Equal(t, []string{"otlp"}, traces.Receivers)
	require.Equal(t, "memory_limiter", traces.Processors[0])
	for _, name := range traces.Processors {
		require.Contains(t, file.Processors, name)
	}
	for _, name := range traces.Exporters {
		require.Contains(t, file.Exporters, name)
	}
}

// TestEveryTracingVariableIsExplained in the document about traces.
func TestEveryTracingVariableIsExplained(t *testing.T) {
	t.Parallel()
	documented, err := os.ReadFile("../docs/tracing.md")
	require.NoError(t, err)
	for _, name := range names(reflect.TypeFor[tracingVariables]()) {
		require.Contains(t, string(documented), "| `"+name+"` |")
	}
}
