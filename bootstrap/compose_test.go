package bootstrap

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"
	yaml "go.yaml.in/yaml/v3"
)

// composeService is what is looked at of a service in docker-compose.yml.
type composeService struct {
	Build       string            `yaml:"build"`
	Image       string            `yaml:"image"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Healthcheck *struct {
		Test    []string `yaml:"test"`
		Disable bool     `yaml:"disable"`
	} `yaml:"healthcheck"`
	DependsOn map[string]any `yaml:"depends_on"`
	ReadOnly  bool           `yaml:"read_only"`
	CapDrop   []string       `yaml:"cap_drop"`
	MemLimit  string         `yaml:"mem_limit"`
	PidsLimit int            `yaml:"pids_limit"`
}

// composeFile is docker-compose.yml, as text and as what it says.
func composeFile(t *testing.T) (text string, services map[string]composeService, volumes map[string]any) {
	t.Helper()
	content, err := os.ReadFile("../docker-compose.yml")
	require.NoError(t, err)
	var file struct {
		Services map[string]composeService `yaml:"services"`
		Volumes  map[string]any            `yaml:"volumes"`
	}
	require.NoError(t, yaml.Unmarshal(content, &file))
	require.NotEmpty(t, file.Services)
	return string(content), file.Services, file.Volumes
}

// TestWhatComposeAsksForIsDocumented: each variable is in .env.production.example, and
// that has no other.
func TestWhatComposeAsksForIsDocumented(t *testing.T) {
	t.Parallel()
	text, _, _ := composeFile(t)
	documented, err := godotenv.Read("../.env.production.example")
	require.NoError(t, err)
	asked := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?:^|[^$])\$\{?([A-Z][A-Z0-9_]*)`).FindAllStringSubmatch(text, -1) {
		asked[match[1]] = true
		require.Contains(t, documented, match[1])
	}
	for name := range documented {
		require.True(t, asked[name], "%s is in .env.production.example, but docker-compose.yml does not pass it on", name)
	}
}

// TestWhatComposePassesOnIsRead: by the program.
func TestWhatComposePassesOnIsRead(t *testing.T) {
	t.Parallel()
	_, services, _ := composeFile(t)
	known, err := godotenv.Read("../.env.example")
	require.NoError(t, err)
	for name, service := range services {
		if service.Build == "" {
			continue
		}
		for variable := range service.Environment {
			require.Contains(t, known, variable, "%s: the program does not know it", name)
		}
	}
}

// TestComposeServicesAreConfined: each is pinned, bounded and watched; what we build may
// write nowhere but into its volumes.
func TestComposeServicesAreConfined(t *testing.T) {
	t.Parallel()
	_, services, volumes := composeFile(t)
	for name, service := range services {
		require.NotEmpty(t, service.MemLimit, name)
		require.Positive(t, service.PidsLimit, name)
		if service.Build != "" {
			require.DirExists(t, filepath.Join("..", service.Build))
			require.True(t, service.ReadOnly, name)
			require.Equal(t, []string{"ALL"}, service.CapDrop, name)
		} else {
			require.Regexp(t, `^[a-z/.-]+:\d[\w.-]*$`, service.Image, name)
			require.NotNil(t, service.Healthcheck, name)
		}
		if h := service.Healthcheck; h != nil {
			require.NotEqual(t, h.Disable, len(h.Test) > 0, name)
		}
		for other := range service.DependsOn {
			require.Contains(t, services, other, name)
		}
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			switch {
			case strings.HasPrefix(source, "./"):
				_, err := os.Stat(filepath.Join("..", source))
				require.NoError(t, err, name)
			case !strings.HasPrefix(source, "$"):
				require.Contains(t, volumes, source, name)
			}
		}
	}
	dockerfile, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	require.Contains(t, string(dockerfile), "\nHEALTHCHECK ", "services that are built take it from there")
	require.Contains(t, string(dockerfile), "\nUSER 65532:65532\n")
}

// TestTheProductionExampleIsAccepted: with nothing but its secrets filled in, the program
// reads what compose makes of it.
func TestTheProductionExampleIsAccepted(t *testing.T) {
	t.Parallel()
	_, services, _ := composeFile(t)
	example, err := godotenv.Read("../.env.production.example")
	require.NoError(t, err)
	example["POSTGRES_PASSWORD"], example["REDIS_PASSWORD"], example["AUTH_SECRET"] = "of-postgres", "of-redis", firstSecret
	substitution := regexp.MustCompile(`\$\{(\w+)(?::[-?]([^}]*))?\}`)
	var environ []string
	for name, value := range services["gatefold"].Environment {
		environ = append(environ, name+"="+substitution.ReplaceAllStringFunc(value, func(text string) string {
			match := substitution.FindStringSubmatch(text)
			if example[match[1]] != "" {
				return example[match[1]]
			}
			return match[2]
		}))
	}
	slices.Sort(environ)
	cfg := load(t, environ...)
	require.False(t, cfg.Embedded())
	require.Equal(t, "/music", cfg.MusicDir)
	require.False(t, reflect.ValueOf(cfg.Cache.Redis).IsZero())
}
