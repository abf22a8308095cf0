// Package architecture holds the tests of the house rules: who may import whom,
// and what a package must look like. They read the files themselves, so that
// Go's test cache notices every change.
package architecture

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "gatefold"

// source is a Go file as far as the rules look at it.
type source struct {
	path    string // relative to the module's root, with slashes
	pkg     string
	doc     string
	imports []string
}

func (s source) dir() string  { return path.Dir(s.path) }
func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// layer returns the top-level directory, and "." for a file in the root.
func (s source) layer() string { return firstOf(s.dir(), 1) }

// unit returns what must stay apart within a layer: "adapters/rest". A file of
// the layer itself belongs to no unit.
func (s source) unit() string {
	if s.dir() == s.layer() {
		return s.layer() + "/."
	}
	return firstOf(s.dir(), 2)
}

func firstOf(dir string, n int) string {
	parts := strings.Split(dir, "/")
	return strings.Join(parts[:min(n, len(parts))], "/")
}

// rule says of the files in its scope what they may import.
type rule struct {
	name  string
	scope func(source) bool
	allow func(s source, imported string) bool
	// Examples, each a file and an import, prove the rule.
	refused [][2]string
	allowed [][2]string
}

func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return first != module && !strings.Contains(first, ".")
}

func isForeign(imported string) bool {
	return !isStandard(imported) && !isUnder(imported, module)
}

// isUnder reports whether an import is one of the trees or in one.
func isUnder(imported string, trees ...string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool {
		return imported == tree || strings.HasPrefix(imported, tree+"/")
	})
}

// isOurs is isUnder for trees of this module.
func isOurs(imported string, trees ...string) bool {
	own, ok := strings.CutPrefix(imported, module+"/")
	return ok && isUnder(own, trees...)
}

// isTestTool reports whether an import is for tests of any layer.
func isTestTool(imported string) bool {
	return isUnder(imported, "github.com/stretchr/testify", "go.uber.org/goleak", "pgregory.net/rapid")
}

// isDouble reports whether an import is for tests of the layers that have ports:
// suites and environments, and the adapters that stand in for the real ones.
func isDouble(imported string) bool {
	return isTestTool(imported) || isOurs(imported, "test", "adapters/memory")
}

func in(layer string) func(source) bool {
	return func(s source) bool { return s.layer() == layer }
}

// confined is the rule that a vendor is seen in few places only. Suites and
// environments in test may talk to anything.
func confined(name string, vendor []string, units []string, refused, allowed [][2]string) rule {
	return rule{
		name:  name,
		scope: func(s source) bool { return s.layer() != "test" },
		allow: func(s source, imported string) bool {
			return !isUnder(imported, vendor...) || isUnder(s.dir(), units...)
		},
		refused: refused,
		allowed: allowed,
	}
}

var rules = []rule{
	{
		name:  "domain imports the standard library, golang.org/x/text and domain",
		scope: in("domain"),
		allow: func(s source, imported string) bool {
			return isStandard(imported) || isUnder(imported, "golang.org/x/text") || isOurs(imported, "domain") ||
				s.isTest() && isTestTool(imported)
		},
		refused: [][2]string{
			{"domain/artwork/image.go", "gatefold/application/serveimage"},
			{"domain/artwork/image.go", "gatefold/adapters/memory"},
			{"domain/artwork/image.go", "golang.org/x/sync/errgroup"},
			{"domain/artwork/image.go", "golang.org/x/textual"},
			{"domain/artwork/image.go", "github.com/google/uuid"},
			{"domain/artwork/image.go", "github.com/stretchr/testify/require"},
			{"domain/artwork/image_test.go", "gatefold/adapters/memory"},
		},
		allowed: [][2]string{
			{"domain/artwork/image.go", "crypto/sha256"},
			{"domain/catalog/catalog.go", "golang.org/x/text/cases"},
			{"domain/catalog/catalog.go", "gatefold/domain/artwork"},
			{"domain/artwork/image_test.go", "github.com/stretchr/testify/require"},
		},
	},
	{
		name:  "application imports the standard library, domain and application",
		scope: in("application"),
		allow: func(s source, imported string) bool {
			return isStandard(imported) || isOurs(imported, "domain", "application") || s.isTest() && isDouble(imported)
		},
		refused: [][2]string{
			{"application/serveimage/get.go", "gatefold/adapters/diskstore"},
			{"application/serveimage/get.go", "gatefold/adapters/memory"},
			{"application/serveimage/get.go", "gatefold/features/images"},
			{"application/serveimage/get.go", "gatefold/test/conformance"},
			{"application/serveimage/get.go", "golang.org/x/text/cases"},
			{"application/serveimage/get_test.go", "gatefold/adapters/diskstore"},
			{"application/serveimage/get_test.go", "github.com/google/uuid"},
		},
		allowed: [][2]string{
			{"application/serveimage/get.go", "net/http"},
			{"application/serveimage/get.go", "gatefold/domain/artwork"},
			{"application/serveimage/get.go", "gatefold/application/applyimage"},
			{"application/serveimage/get_test.go", "gatefold/adapters/memory"},
			{"application/serveimage/get_test.go", "gatefold/test/testenv"},
		},
	},
	{
		// Its tests may: a decorator is tested over the real thing.
		name:  "an adapter imports domain, application and its vendor, never another adapter",
		scope: in("adapters"),
		allow: func(s source, imported string) bool {
			return isStandard(imported) || isForeign(imported) || isOurs(imported, "domain", "application", s.unit()) ||
				s.isTest() && (isDouble(imported) || isOurs(imported, "adapters"))
		},
		refused: [][2]string{
			{"adapters/rest/images.go", "gatefold/adapters/memory"},
			{"adapters/rest/images.go", "gatefold/adapters/restless"},
			{"adapters/all.go", "gatefold/adapters/rest"},
			{"adapters/bunrepo/migrations/migrations.go", "gatefold/adapters/rest"},
			{"adapters/rest/images.go", "gatefold/features/images"},
			{"adapters/rest/images.go", "gatefold/bootstrap"},
			{"adapters/rest/images.go", "gatefold/test/testenv"},
			{"adapters/rest/images_test.go", "gatefold/bootstrap"},
		},
		allowed: [][2]string{
			{"adapters/rest/images.go", "gatefold/application/serveimage"},
			{"adapters/rest/images.go", "gatefold/adapters/rest/openapi"},
			{"adapters/bunrepo/migrations/migrations.go", "gatefold/adapters/bunrepo"},
			{"adapters/safefetch/fetch.go", "code.dny.dev/ssrf"},
			{"adapters/twolevelcache/cache_test.go", "gatefold/adapters/rediscache"},
			{"adapters/rest/images_test.go", "gatefold/adapters/memory"},
			{"adapters/rest/images_test.go", "gatefold/test/conformance"},
		},
	},
	{
		name:  "a feature imports fx, adapters, application, domain and what ties it to the life cycle, never another feature",
		scope: in("features"),
		allow: func(s source, imported string) bool {
			return isStandard(imported) || isUnder(imported, "go.uber.org/fx") ||
				isOurs(imported, "domain", "application", "adapters", "features/lifecycle", s.unit()) ||
				s.isTest() && isDouble(imported)
		},
		refused: [][2]string{
			{"features/images/module.go", "gatefold/features/cache"},
			{"features/all.go", "gatefold/features/cache"},
			{"features/images/module.go", "gatefold/bootstrap"},
			{"features/images/module.go", "gatefold/test/testenv"},
			{"features/images/module.go", "golang.org/x/sync/errgroup"},
		},
		allowed: [][2]string{
			{"features/images/module.go", "go.uber.org/fx"},
			{"features/images/module.go", "gatefold/adapters/diskstore"},
			{"features/images/module.go", "gatefold/features/lifecycle"},
			{"features/images/module.go", "gatefold/application/serveimage"},
			{"features/images/module_test.go", "go.uber.org/fx/fxtest"},
		},
	},
	{
		name:  "bootstrap imports anything but test",
		scope: in("bootstrap"),
		allow: func(s source, imported string) bool { return s.isTest() || !isOurs(imported, "test") },
		refused: [][2]string{
			{"bootstrap/app.go", "gatefold/test/testenv"},
		},
		allowed: [][2]string{
			{"bootstrap/app.go", "gatefold/features/images"},
			{"bootstrap/app.go", "gatefold/adapters/diskstore"},
			{"bootstrap/app.go", "github.com/alecthomas/kong"},
			{"bootstrap/app_test.go", "gatefold/test/testenv"},
		},
	},
	{
		name:  "the program itself imports bootstrap only",
		scope: in("."),
		allow: func(_ source, imported string) bool { return isStandard(imported) || isOurs(imported, "bootstrap") },
		refused: [][2]string{
			{"main.go", "gatefold/adapters/rest"},
			{"main.go", "go.uber.org/fx"},
		},
		allowed: [][2]string{{"main.go", "gatefold/bootstrap"}, {"main.go", "os"}},
	},
	confined("gin is seen in adapters/rest only",
		[]string{"github.com/gin-gonic", "github.com/gin-contrib"}, []string{"adapters/rest"},
		[][2]string{{"adapters/panel/panel.go", "github.com/gin-gonic/gin"}, {"bootstrap/app.go", "github.com/gin-gonic/gin"}},
		[][2]string{{"adapters/rest/router.go", "github.com/gin-gonic/gin"}, {"test/e2e/walk.go", "github.com/gin-gonic/gin"}}),
	confined("CORS is seen in adapters/rest only",
		[]string{"github.com/jub0bs"}, []string{"adapters/rest"},
		[][2]string{{"bootstrap/http.go", "github.com/jub0bs/cors"}},
		[][2]string{{"adapters/rest/headers.go", "github.com/jub0bs/cors"}}),
	confined("Prometheus is seen in adapters/prommetrics only",
		[]string{"github.com/prometheus"}, []string{"adapters/prommetrics"},
		[][2]string{{"adapters/rest/metrics.go", "github.com/prometheus/client_golang/prometheus"}, {"features/telemetry/module.go", "github.com/prometheus/client_golang/prometheus"}},
		[][2]string{{"adapters/prommetrics/cache.go", "github.com/prometheus/client_golang/prometheus"}, {"test/integration/metrics_test.go", "github.com/prometheus/common/expfmt"}}),
	confined("OpenTelemetry is seen in adapters/oteltraces only",
		[]string{"go.opentelemetry.io"}, []string{"adapters/oteltraces"},
		[][2]string{{"application/tracing/tracing.go", "go.opentelemetry.io/otel/trace"}, {"adapters/rest/tracing.go", "go.opentelemetry.io/otel"}, {"bootstrap/app.go", "go.opentelemetry.io/otel"}},
		[][2]string{{"adapters/oteltraces/queue.go", "go.opentelemetry.io/otel/sdk/trace"}, {"test/integration/tracing_test.go", "go.opentelemetry.io/proto/otlp/trace/v1"}}),
	confined("go-redis is seen in adapters/rediscache only",
		[]string{"github.com/redis"}, []string{"adapters/rediscache"},
		[][2]string{{"adapters/twolevelcache/cache.go", "github.com/redis/go-redis/v9"}, {"bootstrap/app.go", "github.com/redis/go-redis/v9"}},
		[][2]string{{"adapters/rediscache/cache.go", "github.com/redis/go-redis/v9"}, {"test/testenv/redis.go", "github.com/redis/go-redis/v9"}}),
	confined("bun is seen in adapters/bunrepo only",
		[]string{"github.com/uptrace/bun"}, []string{"adapters/bunrepo"},
		[][2]string{{"adapters/rest/images.go", "github.com/uptrace/bun"}, {"bootstrap/app.go", "github.com/uptrace/bun/dialect/pgdialect"}},
		[][2]string{{"adapters/bunrepo/rows.go", "github.com/uptrace/bun/schema"}}),
	confined("goose is seen in adapters/bunrepo only",
		[]string{"github.com/pressly/goose"}, []string{"adapters/bunrepo"},
		[][2]string{{"bootstrap/migrate.go", "github.com/pressly/goose/v3"}},
		[][2]string{{"adapters/bunrepo/migrate.go", "github.com/pressly/goose/v3"}}),
	confined("pgx is seen in adapters/bunrepo only",
		[]string{"github.com/jackc"}, []string{"adapters/bunrepo"},
		[][2]string{{"bootstrap/app.go", "github.com/jackc/pgx/v5/stdlib"}},
		[][2]string{{"adapters/bunrepo/postgres.go", "github.com/jackc/pgx/v5/pgconn"}, {"test/testenv/postgres.go", "github.com/jackc/pgx/v5"}}),
	confined("minio-go is seen in adapters/s3store only",
		[]string{"github.com/minio"}, []string{"adapters/s3store"},
		[][2]string{{"bootstrap/doctor.go", "github.com/minio/minio-go/v7"}, {"features/images/module.go", "github.com/minio/minio-go/v7/pkg/credentials"}},
		[][2]string{{"adapters/s3store/put.go", "github.com/minio/minio-go/v7"}, {"test/testenv/s3.go", "github.com/minio/minio-go/v7"}}),
	confined("SQLite is seen in adapters/bunrepo only",
		[]string{"modernc.org"}, []string{"adapters/bunrepo"},
		[][2]string{{"bootstrap/app.go", "modernc.org/sqlite"}},
		[][2]string{{"adapters/bunrepo/sqlite.go", "modernc.org/sqlite"}}),
	confined("libvips is seen in adapters/vipsrender only",
		[]string{"github.com/davidbyttow/govips"}, []string{"adapters/vipsrender"},
		[][2]string{{"features/images/renderer_vips.go", "github.com/davidbyttow/govips/v2/vips"}},
		[][2]string{{"adapters/vipsrender/picture.go", "github.com/davidbyttow/govips/v2/vips"}}),
	confined("zap is seen in bootstrap only",
		[]string{"go.uber.org/zap"}, []string{"bootstrap"},
		[][2]string{{"adapters/rest/router.go", "go.uber.org/zap"}, {"adapters/rest/router.go", "go.uber.org/zap/zapcore"}},
		[][2]string{{"bootstrap/logger.go", "go.uber.org/zap/exp/zapslog"}}),
	confined("fx is seen in features and bootstrap only",
		[]string{"go.uber.org/fx", "go.uber.org/dig"}, []string{"features", "bootstrap"},
		[][2]string{{"adapters/rest/router.go", "go.uber.org/fx"}, {"adapters/rest/router.go", "go.uber.org/dig"}},
		[][2]string{{"features/cache/module.go", "go.uber.org/fx"}, {"bootstrap/app.go", "go.uber.org/dig"}}),
}

// breaches returns what is wrong with the imports, a line each.
func breaches(files []source) []string {
	var found []string
	for _, s := range files {
		for _, r := range rules {
			if !r.scope(s) {
				continue
			}
			for _, imported := range s.imports {
				if !r.allow(s, imported) {
					found = append(found, s.path+" imports "+imported+": "+r.name)
				}
			}
		}
	}
	return found
}

var (
	topLevel = []string{"adapters", "application", "bootstrap", "deploy", "docs", "domain", "features", "scripts", "test"}
	// products are made by building and running, and are not in the repository.
	products = []string{"bin", "data"}
	// meaningless names say nothing of what a package is for.
	meaningless = []string{"util", "utils", "common", "helper", "helpers", "manager", "impl"}
)

// strangers returns the top-level directories that are not in the plan.
func strangers(dirs []string) []string {
	return slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool {
		return strings.HasPrefix(dir, ".") || slices.Contains(topLevel, dir) || slices.Contains(products, dir)
	})
}

// misnamed returns the directories and packages with a meaningless name.
func misnamed(files []source) []string {
	var found []string
	for _, s := range files {
		parts := append(strings.Split(s.dir(), "/"), strings.TrimSuffix(s.pkg, "_test"))
		if slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(meaningless, part) }) {
			found = append(found, s.path)
		}
	}
	return found
}

// undocumented returns the directories whose package has no comment that begins
// with its name.
func undocumented(files []source) []string {
	documented := map[string]bool{}
	for _, s := range files {
		text, known := strings.CutPrefix(s.doc, "Package "+strings.TrimSuffix(s.pkg, "_test")+" ")
		documented[s.dir()] = documented[s.dir()] || known && text != "" || s.pkg == "main" && s.doc != ""
	}
	var found []string
	for dir, ok := range documented {
		if !ok {
			found = append(found, dir)
		}
	}
	slices.Sort(found)
	return found
}

// moduleRoot is the nearest directory above the test that has a go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test")
		dir = parent
	}
}

// readModule returns every Go file of the module.
func readModule(t *testing.T) []source {
	t.Helper()
	root := moduleRoot(t)
	var files []source
	require.NoError(t, filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		if e.IsDir() && isSkipped(filepath.ToSlash(name)) {
			return filepath.SkipDir
		}
		if e.Type().IsRegular() && strings.HasSuffix(name, ".go") {
			files = append(files, readSource(t, file, filepath.ToSlash(name)))
		}
		return nil
	}))
	require.NotEmpty(t, files)
	return files
}

// isSkipped reports whether the go command ignores a directory, or it holds no
// source.
func isSkipped(dir string) bool {
	base := path.Base(dir)
	return dir != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "node_modules" || slices.Contains(products, dir))
}

func readSource(t *testing.T, file, name string) source {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
	require.NoError(t, err)
	s := source{path: name, pkg: parsed.Name.Name, doc: parsed.Doc.Text()}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err)
		s.imports = append(s.imports, imported)
	}
	return s
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, breach := range breaches(readModule(t)) {
		t.Error(breach)
	}
}

func TestPackageNames(t *testing.T) {
	t.Parallel()
	require.Empty(t, misnamed(readModule(t)), "a package is named for what it does")
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	require.Empty(t, undocumented(readModule(t)), "a package has a comment that begins with: Package <name>")
}

func TestTopLevel(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(moduleRoot(t))
	require.NoError(t, err)
	var dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, e.Name())
		}
	}
	require.Subset(t, dirs, []string{"domain", "test"}, "this is not the module's root")
	require.Empty(t, strangers(dirs))
}

// TestRules proves that every rule refuses what it is there to refuse, and that
// no rule refuses what is right.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, r.refused)
			require.NotEmpty(t, r.allowed)
			for _, example := range r.refused {
				breach := example[0] + " imports " + example[1] + ": " + r.name
				require.Contains(t, breaches([]source{{path: example[0], imports: []string{"fmt", example[1]}}}), breach)
			}
			for _, example := range r.allowed {
				require.Empty(t, breaches([]source{{path: example[0], imports: []string{example[1]}}}))
			}
		})
	}
}

func TestStructuralRules(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"pkg", "internal"}, strangers([]string{"domain", "pkg", ".github", "bin", "internal", "data", "test"}))

	require.Equal(t, []string{"adapters/util/a.go", "domain/common/artwork/a.go", "domain/artwork/a.go"}, misnamed([]source{
		{path: "adapters/util/a.go", pkg: "text"},
		{path: "domain/common/artwork/a.go", pkg: "artwork"},
		{path: "domain/artwork/a.go", pkg: "helpers"},
		{path: "adapters/utility/a.go", pkg: "utility"},
		{path: "domain/artwork/util.go", pkg: "artwork"},
	}))

	require.Equal(t, []string{"a", "b", "c"}, undocumented([]source{
		{path: "a/a.go", pkg: "a"},
		{path: "b/b.go", pkg: "b", doc: "Package bee is another.\n"},
		{path: "c/c.go", pkg: "c", doc: "It has a comment that godoc does not index.\n"},
		{path: "d/d.go", pkg: "d"},
		{path: "d/doc.go", pkg: "d", doc: "Package d is documented elsewhere.\n"},
		{path: "e/e_test.go", pkg: "e_test", doc: "Package e has only tests.\n"},
		{path: "main.go", pkg: "main", doc: "Gatefold is a program.\n"},
	}))
}

// TestReading proves that what the rules look at is really read.
func TestReading(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.go")
	text := "//go:build linux\n\n// Package a is an example.\npackage a\n\nimport (\n\t\"fmt\"\n\tother `example.com/b`\n\t_ \"example.com/c\"\n)\n\nvar _ = fmt.Sprint(other.B)\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	require.Equal(t, source{
		path: "adapters/a/a.go", pkg: "a", doc: "Package a is an example.\n",
		imports: []string{"fmt", "example.com/b", "example.com/c"},
	}, readSource(t, file, "adapters/a/a.go"))

	for dir, want := range map[string]bool{
		".": false, "domain": false, "adapters/data": false, "data": true, "bin": true, ".git": true,
		"adapters/panel/node_modules": true, "adapters/rest/testdata": true, "_old": true,
	} {
		require.Equal(t, want, isSkipped(dir), dir)
	}
}
