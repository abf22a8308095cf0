package bootstrap

import (
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/joho/godotenv"
	"github.com/stretchr/testify/require"
)

// composeFile is docker-compose.yml as text.
func composeFile(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../docker-compose.yml")
	require.NoError(t, err)
	return string(content)
}

// composed is what Docker Compose makes of the file, with the settings of
// .env.production.example and then those of more files. It is checked against the schema.
func composed(t *testing.T, files ...string) *types.Project {
	t.Helper()
	environment := map[string]string{}
	for _, file := range append([]string{"../.env.production.example"}, files...) {
		values, err := godotenv.Read(file)
		require.NoError(t, err)
		maps.Copy(environment, values)
	}
	environ := make([]string, 0, len(environment))
	for name, value := range environment {
		environ = append(environ, name+"="+value)
	}
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"}, cli.WithEnv(environ), cli.WithDefaultProfiles())
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	return project
}

const (
	haProfile      = "../deploy/compose/ha.env"
	clusterProfile = "../deploy/compose/cluster.env"
)

// everything is the file with all its profiles.
func everything(t *testing.T) *types.Project {
	t.Helper()
	project, err := composed(t, haProfile).WithProfiles([]string{"*"})
	require.NoError(t, err)
	return project
}

// running returns the services of which there are containers.
func running(project *types.Project) []string {
	var names []string
	for name, service := range project.Services {
		if service.GetScale() > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestWhatEachProfileStarts: one command each.
func TestWhatEachProfileStarts(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"gatefold", "postgres", "redis"}, running(composed(t)))
	require.Equal(t, []string{
		"gatefold", "gatefold-2", "nginx", "postgres", "redis", "redis-2", "redis-3", "sentinel-1", "sentinel-2", "sentinel-3",
	}, running(composed(t, haProfile)))
	require.Equal(t, []string{
		"create-cluster", "gatefold", "node-1", "node-2", "node-3", "node-4", "node-5", "node-6", "postgres",
	}, running(composed(t, clusterProfile)))
	beside := map[string][]string{}
	for name, service := range everything(t).Services {
		for _, profile := range service.Profiles {
			beside[profile] = append(beside[profile], name)
		}
	}
	require.ElementsMatch(t, []string{"grafana", "node-exporter", "postgres-exporter", "prometheus", "redis-exporter"}, beside["observability"])
	require.Equal(t, []string{"backup"}, beside["backup"])
	text, err := os.ReadFile("../docs/operating.md")
	require.NoError(t, err)
	for profile := range beside {
		require.Contains(t, string(text), "`"+profile+"`", "what it starts and costs")
	}
}

// TestWhatComposeAsksForIsDocumented: each variable is in .env.production.example, and
// that has no other. A profile's file sets no others either.
func TestWhatComposeAsksForIsDocumented(t *testing.T) {
	t.Parallel()
	documented, err := godotenv.Read("../.env.production.example")
	require.NoError(t, err)
	asked := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?:^|[^$])\$\{([A-Z][A-Z0-9_]*)`).FindAllStringSubmatch(strings.ReplaceAll(composeFile(t), "${", " ${"), -1) {
		asked[match[1]] = true
		require.Contains(t, documented, match[1])
	}
	for name := range documented {
		require.True(t, asked[name], "%s is in .env.production.example, but docker-compose.yml does not pass it on", name)
	}
	for _, file := range []string{haProfile, clusterProfile} {
		set, err := godotenv.Read(file)
		require.NoError(t, err)
		for name := range set {
			require.True(t, asked[name] || name == "COMPOSE_PROFILES", "%s of %s is passed on to nothing", name, file)
		}
	}
}

// TestWhatComposePassesOnIsRead: by the program.
func TestWhatComposePassesOnIsRead(t *testing.T) {
	t.Parallel()
	known, err := godotenv.Read("../.env.example")
	require.NoError(t, err)
	for name, service := range everything(t).Services {
		if service.Build == nil {
			continue
		}
		for variable := range service.Environment {
			require.Contains(t, known, strings.TrimSuffix(variable, "_FILE"), "%s: the program does not know it", name)
		}
	}
}

// TestComposeServicesAreConfined: each is pinned, bounded and watched, becomes nobody else,
// and writes nowhere but into its volumes.
func TestComposeServicesAreConfined(t *testing.T) {
	t.Parallel()
	project := everything(t)
	runsAsNobody := []string{"prometheus", "grafana", "postgres-exporter", "node-exporter"} // by their images
	for name, service := range project.Services {
		require.Positive(t, service.MemLimit, name)
		require.Positive(t, service.PidsLimit, name)
		require.True(t, service.ReadOnly, name)
		require.Equal(t, []string{"ALL"}, service.CapDrop, name)
		require.Equal(t, []string{"no-new-privileges:true"}, service.SecurityOpt, name)
		require.False(t, service.Privileged, name)
		if service.Build != nil {
			require.DirExists(t, service.Build.Context)
		} else {
			require.Regexp(t, `^[a-z0-9_/.-]+:v?\d+\.\d+[\w.-]*$`, service.Image, name)
			require.NotNil(t, service.HealthCheck, name)
			require.True(t, service.User != "" && service.User != "root" || slices.Contains(runsAsNobody, name), "%s runs as root", name)
		}
		if h := service.HealthCheck; h != nil {
			require.NotEqual(t, h.Disable, len(h.Test) > 0, name)
		}
		for other := range service.DependsOn {
			require.Contains(t, project.Services, other, name)
		}
		requireItsFiles(t, project, service)
	}
	dockerfile, err := os.ReadFile("../Dockerfile")
	require.NoError(t, err)
	require.Contains(t, string(dockerfile), "\nHEALTHCHECK ", "services that are built take it from there")
	require.Contains(t, string(dockerfile), "\nUSER 65532:65532\n")
}

// requireItsFiles: what a service is given exists, and is only read if it is ours.
func requireItsFiles(t *testing.T, project *types.Project, service types.ServiceConfig) {
	t.Helper()
	for _, volume := range service.Volumes {
		if volume.Type == types.VolumeTypeVolume {
			require.Contains(t, project.Volumes, volume.Source, service.Name)
			continue
		}
		require.True(t, volume.ReadOnly, "%s may write to %s", service.Name, volume.Source)
		_, err := os.Stat(volume.Source)
		require.NoError(t, err, service.Name)
	}
	for _, secret := range service.Secrets {
		require.NotEmpty(t, project.Secrets[secret.Source].File, "%s: a container that is read-only can only be handed files", service.Name)
	}
	for name, value := range service.Environment {
		if path, ok := strings.CutPrefix(*value, "/run/secrets/"); ok {
			require.True(t, strings.HasSuffix(name, "_FILE"), name)
			require.True(t, slices.ContainsFunc(service.Secrets, func(s types.ServiceSecretConfig) bool { return s.Source == path }), "%s is not given %s", service.Name, path)
		}
	}
}

// TestAddressesOfTheNetwork are in it, none is given twice, and those that files and
// commands name are the ones of the services that are meant.
func TestAddressesOfTheNetwork(t *testing.T) {
	t.Parallel()
	project := everything(t)
	_, network, err := net.ParseCIDR(project.Networks["default"].Ipam.Config[0].Subnet)
	require.NoError(t, err)
	_, others, err := net.ParseCIDR(project.Networks["default"].Ipam.Config[0].IPRange)
	require.NoError(t, err)
	owner := map[string]string{}
	for name, service := range project.Services {
		if service.Networks["default"] == nil {
			continue
		}
		address := service.Networks["default"].Ipv4Address
		require.True(t, network.Contains(net.ParseIP(address)) && !others.Contains(net.ParseIP(address)), "%s: %s", name, address)
		require.Empty(t, owner[address], "%s is that of %s too", address, name)
		owner[address] = name
	}
	for _, name := range []string{"redis-2", "redis-3", "sentinel-1", "sentinel-2", "sentinel-3"} {
		command := project.Services[name].Command
		require.Equal(t, "redis", owner[command[len(command)-2]], name)
	}
	for name, addresses := range project.Services["nginx"].ExtraHosts {
		require.Equal(t, name, owner[addresses[0]])
	}
	require.Equal(t, "nginx", owner[*project.Services["gatefold"].Environment["TRUSTED_PROXIES"]])
	for i, node := range project.Services["create-cluster"].Command[2:] {
		host, _, err := net.SplitHostPort(node)
		require.NoError(t, err)
		require.Equal(t, "node-"+string(rune('1'+i)), owner[host])
	}
}

// TestInstancesOfComposeAreAlike, but for their place.
func TestInstancesOfComposeAreAlike(t *testing.T) {
	t.Parallel()
	services := composed(t, haProfile).Services
	first, second := services["gatefold"], services["gatefold-2"]
	require.Equal(t, first.Environment, second.Environment)
	require.Equal(t, first.Volumes, second.Volumes)
	require.Equal(t, first.MemLimit, second.MemLimit)
}

// TestADrainIsLongEnough: nginx has closed the connections that nothing is asked on before
// an instance does, and Docker kills nobody before.
func TestADrainIsLongEnough(t *testing.T) {
	t.Parallel()
	project := composed(t, haProfile)
	delay, err := time.ParseDuration(*project.Services["gatefold"].Environment["SHUTDOWN_DELAY"])
	require.NoError(t, err)
	nginx, err := os.ReadFile("../deploy/nginx/nginx.conf")
	require.NoError(t, err)
	kept := regexp.MustCompile(`\n    keepalive_timeout (\d+s);`).FindStringSubmatch(string(nginx))
	require.Len(t, kept, 2)
	idle, err := time.ParseDuration(kept[1])
	require.NoError(t, err)
	require.Less(t, idle, delay)
	require.Greater(t, time.Duration(*project.Services["gatefold"].StopGracePeriod), stopTimeout+delay)
}

// TestPrometheusAsksWhatRuns: every target is a service, and every Redis server of a profile
// is a target.
func TestPrometheusAsksWhatRuns(t *testing.T) {
	t.Parallel()
	config, err := os.ReadFile("../deploy/prometheus/prometheus.yml")
	require.NoError(t, err)
	services := everything(t).Services
	for _, match := range regexp.MustCompile(`([a-z-]+):\d{4}`).FindAllStringSubmatch(string(config), -1) {
		if match[1] != "localhost" {
			require.Contains(t, services, match[1])
		}
	}
	for servers, project := range map[string]*types.Project{"single": composed(t), "ha": composed(t, haProfile), "cluster": composed(t, clusterProfile)} {
		prometheus, err := project.WithProfiles([]string{"observability"})
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(prometheus.Services["prometheus"].Volumes, func(v types.ServiceVolumeConfig) bool {
			return filepath.Base(v.Source) == "redis-"+servers+".yml"
		}), servers)
		targets, err := os.ReadFile("../deploy/prometheus/redis-" + servers + ".yml")
		require.NoError(t, err)
		var asked, there []string
		for _, match := range regexp.MustCompile(`redis://([a-z0-9-]+):6379`).FindAllStringSubmatch(string(targets), -1) {
			asked = append(asked, match[1])
		}
		for _, name := range running(project) {
			if strings.HasPrefix(name, "redis") || strings.HasPrefix(name, "node-") {
				there = append(there, name)
			}
		}
		require.ElementsMatch(t, there, asked, servers)
	}
}

// TestTheProductionExampleIsAccepted: with the secrets that the script makes, the program
// reads what each profile makes of it.
func TestTheProductionExampleIsAccepted(t *testing.T) {
	t.Parallel()
	secrets := t.TempDir()
	for range 2 { // the second time nothing is made anew
		output, err := exec.Command("/bin/sh", "../scripts/make-secrets.sh", secrets).CombinedOutput()
		require.NoError(t, err, string(output))
	}
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(secrets, name))
		require.NoError(t, err)
		require.Regexp(t, `^[0-9a-f]{64}$`, string(content))
		return string(content)
	}
	configured := func(service string, files ...string) Config {
		var environ []string
		for name, value := range composed(t, files...).Services[service].Environment {
			environ = append(environ, name+"="+strings.Replace(*value, "/run/secrets/", secrets+"/", 1))
		}
		slices.Sort(environ)
		return load(t, environ...)
	}
	for _, files := range [][]string{nil, {haProfile}, {clusterProfile}} {
		cfg := configured("gatefold", files...)
		require.False(t, cfg.Embedded())
		require.Equal(t, "/music", cfg.MusicDir)
		require.False(t, reflect.ValueOf(cfg.Cache.Redis).IsZero())
		require.Equal(t, "postgres://gatefold:"+read("postgres_password")+"@postgres:5432/gatefold", cfg.DatabaseURL)
		require.Equal(t, []string{"gatefold", read("redis_password")}, []string{cfg.Cache.Redis.Username, cfg.Cache.Redis.Password})
		require.Equal(t, []string{read("auth_secret")}, cfg.AuthSecrets)
	}
	require.Equal(t, "redis", configured("gatefold").Cache.Redis.Host)
	ha := configured("gatefold-2", haProfile).Cache.Redis
	require.Equal(t, "gatefold", ha.SentinelMaster)
	require.Equal(t, []string{"sentinel-1:26379", "sentinel-2:26379", "sentinel-3:26379"}, ha.SentinelAddrs)
	require.Equal(t, read("redis_password"), ha.SentinelPassword)
	require.Len(t, configured("gatefold", clusterProfile).Cache.Redis.ClusterAddrs, 6)
}
