# Two commands do everything: `make run` and `make test`.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT    := .tools/bin/golangci-lint
LINT_VERSION := v2.15.0

# The AVIF decoder runs in a sandbox; this tag keeps it from loading a library of
# the machine outside of it instead.
export GOFLAGS := -tags=nodynamic $(GOFLAGS)

# What makes renditions. go: no C is needed. vips: several times faster, with libvips 8.13
# or later and a C compiler. auto: vips if both are there. The program takes the variable
# too, to choose from what is built in.
RENDERER ?= go
HAS_VIPS = $(shell command -v $(CC) >/dev/null && pkg-config --exists 'vips >= 8.13' 2>/dev/null && echo yes)
ifeq ($(filter go vips auto,$(RENDERER)),)
$(error RENDERER is go, vips or auto, not "$(RENDERER)")
endif
ifeq ($(RENDERER),vips)
WITH_VIPS = yes
else ifeq ($(RENDERER),auto)
WITH_VIPS = $(HAS_VIPS)
endif
TAGS_VIPS := nodynamic,vips

# Settings that `make run NAME=value` passes on to the program.
export LISTEN_ADDR DATA_DIR MUSIC_DIR DEMO_PROVIDERS

PANEL := adapters/panel
PANEL_SOURCES := $(shell find $(PANEL)/src $(PANEL)/public -type f 2>/dev/null) $(wildcard $(PANEL)/*.json $(PANEL)/*.ts $(PANEL)/*.js $(PANEL)/index.html)

.PHONY: build panel demo-providers test-servers run test fuzz soak chaos chance browser screenshots generate lint fmt bench bench-renditions bench-lists bench-serving bench-grid bench-panel bench-claims bench-peers bench-scale clean

## build: bin/gatefold, with the panel in it (RENDERER=vips or auto for faster renditions)
build: panel
	$(GO) build $(if $(WITH_VIPS),-tags=$(TAGS_VIPS)) -ldflags "-X gatefold/bootstrap.Version=$(VERSION)" -o bin/gatefold .

## panel: the web application, which needs Node 20; without it, there is none in the program
panel: $(if $(shell command -v npm),$(PANEL)/dist/app/index.html)
	$(if $(shell command -v npm),@:,@echo "npm is missing: the program is built without the panel" >&2)

$(PANEL)/dist/app/index.html: $(PANEL)/node_modules/.package-lock.json $(PANEL_SOURCES)
	cd $(PANEL) && npm run --silent build

$(PANEL)/node_modules/.package-lock.json: $(PANEL)/package-lock.json
	cd $(PANEL) && npm ci --no-audit --no-fund --silent
	@touch $@

## run: build and serve (MUSIC_DIR=/music for your own; else an invented demo library and providers)
run: build demo-providers
	@./scripts/run.sh

demo-providers:
	$(GO) build -o bin/demo-providers ./test/providerfixture/demo

## test-servers: what starts private servers for the browser tests
test-servers:
	$(GO) build -o bin/test-servers ./test/testenv/servers

# What differs with libvips.
OF_VIPS := ./adapters/vipsrender ./features/images .

# Where memory is shared, tests run under the race detector. Not so what builds and starts
# other programs, what shares no memory, as drawings and renditions, and what would take ten
# minutes: the database adapter, whose callers share the database, and the whole program on
# every combination of adapters. Those two are left to `soak`. They wait for servers more than
# they compute, so more of them run at once than there are processors.
UNRACED := /test/(twins|crash|testenv|integration)$$|/adapters/(demolibrary|gorender|bunrepo)$$

## test: every test, on real Redis, PostgreSQL and S3 servers, started by the tests; under the race detector where memory is shared
test:
	@./scripts/install-test-tools.sh
	$(GO) vet ./...
	$(GO) vet -tags=nodynamic,chance ./test/chaos
	$(GO) test -count=1 -timeout 20m -race $$($(GO) list ./... | grep -vE '$(UNRACED)|/test/chaos$$')
	$(GO) test -count=1 -timeout 20m -parallel 4 $$($(GO) list ./... | grep -E '$(UNRACED)')
	$(GO) vet -tags=$(TAGS_VIPS) $(OF_VIPS)
	$(GO) test -tags=$(TAGS_VIPS) -count=1 -timeout 5m $(filter-out .,$(OF_VIPS))
	@$(MAKE) --no-print-directory chaos

## browser: the panel in a real browser, Debian's Chromium, on servers of the tests' own; and how much of it loads at first
browser: build demo-providers test-servers
	@./scripts/install-test-tools.sh chromium
	cd $(PANEL) && npm run --silent budget
	cd test/e2e && npm ci --no-audit --no-fund --silent && npm run --silent check && npm test --silent

## screenshots: every page of the panel, light and dark, on a desktop and on a phone, in test/e2e/screenshots (PAGES=users,health for some)
screenshots: build demo-providers
	@./scripts/install-test-tools.sh chromium
	cd test/e2e && npm ci --no-audit --no-fund --silent && npm run --silent screenshots

## fuzz: every fuzz target FUZZTIME (20000x, or a time such as 10m)
fuzz:
	@./scripts/fuzz.sh

## soak: the fuzz targets, 1000 damaged images of each format for both renderers, the database adapter and the whole program under the race detector, every scenario of the
## consistency harness 20 times, with 3 instances of 10 000 operations each, and 20 crashes at every step; about an hour
soak: fuzz
	@./scripts/install-test-tools.sh
	$(GO) test -tags=$(TAGS_VIPS) -count=1 -timeout 10m -run '^TestConformance$$/damaged' ./adapters/gorender ./adapters/vipsrender -renderer.flips=1000
	$(GO) test -count=1 -timeout 40m -race ./adapters/bunrepo ./test/integration
	$(GO) test -count=1 -timeout 1h -v -run '^TestCrashes$$' ./test/crash -crash.runs=20
	$(GO) test -count=1 -timeout 3h -v -run '^TestGuarantee$$' ./test/consistency -consistency.runs=20 -consistency.ops=10000

## chaos: fleets of the real program on real servers that fail, every answer checked; three minutes, or SOAK=45m (SEED=1 repeats a schedule, NEMESES="a kill,resets" cuts it down)
chaos:
	@./scripts/install-test-tools.sh
	$(GO) test -count=1 -timeout $(if $(SOAK),0,10m) -parallel 8 -v ./test/chaos -chaos.soak=$(or $(SOAK),0s) -chaos.seed=$(or $(SEED),0) -chaos.only="$(NEMESES)"

## chance: how often chance alone notices that a rule of the cache is broken; half an hour or more (SEEDS=3 for less, SEED=1 repeats)
chance:
	@./scripts/install-test-tools.sh
	$(GO) test -tags=nodynamic,chance -count=1 -timeout 0 -v -run TestTwinsByChance ./test/chaos -chaos.chance=$(or $(SEEDS),10) -chaos.seed=$(or $(SEED),0)

## generate: the types of the HTTP API, of the server and of the panel, from adapters/rest/openapi.yaml
generate: $(PANEL)/node_modules/.package-lock.json
	$(GO) tool oapi-codegen -config adapters/rest/api/oapi-codegen.yaml -o adapters/rest/api/types.gen.go adapters/rest/openapi.yaml
	cd $(PANEL) && npm run --silent generate

## lint: golangci-lint, at the version this project is checked with, and the panel's own
lint: $(LINT) $(PANEL)/node_modules/.package-lock.json
	$(LINT) run ./...
	$(if $(HAS_VIPS),$(LINT) run --build-tags $(TAGS_VIPS) $(filter-out .,$(OF_VIPS)) ./test/bench)
	cd $(PANEL) && npm run --silent check && npm test --silent

$(LINT):
	GOBIN=$(CURDIR)/.tools/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

## fmt: format the code
fmt: $(LINT)
	$(LINT) fmt

## bench: benchmarks, side by side
bench:
	@./scripts/install-test-tools.sh bench vipsthumbnail
	$(GO) test -tags=$(TAGS_VIPS) -run '^$$' -bench . -benchmem -timeout 30m ./test/bench/...

## bench-renditions: the part of it that compares the renderers with each other and with vipsthumbnail
bench-renditions:
	@./scripts/install-test-tools.sh vipsthumbnail
	$(GO) test -tags=$(TAGS_VIPS) -run '^$$' -bench '^BenchmarkRenderers$$' -benchtime 1x ./test/bench

## bench-lists: lists of 100 000 artists and 500 000 albums, with the plans of the databases; five minutes
bench-lists:
	@./scripts/install-test-tools.sh
	$(GO) test -v -run '^$$' -bench Lists -benchtime 1x -timeout 30m ./adapters/bunrepo
	$(GO) test -run '^$$' -bench . ./adapters/bunrepo/catalogindex

## bench-serving: originals and thumbs beside a bare gin handler and nginx, and the ways to answer with a file
bench-serving:
	@./scripts/install-test-tools.sh bench
	$(GO) test -run '^$$' -bench 'Serving|FilePath' -benchtime 1x -timeout 30m ./test/bench

## bench-grid: 200 covers never rendered, asked for at once on two instances
bench-grid:
	@./scripts/install-test-tools.sh
	$(GO) test -run '^$$' -bench ColdGrid -benchtime 1x -timeout 30m ./test/bench

## bench-panel: how the panel scrolls a grid of 100 000 artists, in a browser
bench-panel: build demo-providers
	$(GO) build -o bin/large-library ./test/bench/largelibrary
	cd test/e2e && npm ci --no-audit --no-fund --silent && npx --no-install playwright test --config playwright.bench.config.ts

# These three write their figures into docs/, unless QUICK=1 is given: then they only show in
# a minute or two that everything works.
PEERS := test/bench/peers
export QUICK

## bench-claims: what a shared cache is worth beside a map in each process, into docs/benchmarks.md; ten minutes
bench-claims:
	@./scripts/install-test-tools.sh bench
	$(GO) run ./test/bench/claims

## bench-peers: Gatefold beside nginx, a bare gin handler and the same on Node, into docs/benchmarks.md; fifteen minutes
bench-peers: $(PEERS)/node_modules/.package-lock.json
	@./scripts/install-test-tools.sh bench
	$(GO) run ./$(PEERS)

$(PEERS)/node_modules/.package-lock.json: $(PEERS)/package-lock.json
	cd $(PEERS) && npm ci --no-audit --no-fund --silent
	@touch $@

## bench-scale: a million artists in Postgres and ten million keys in Redis, into docs/scaling.md (PARTS=postgres or redis for one, ARTISTS=300000 for fewer); fifteen minutes, 10 GB of disk, 8 GB of memory
bench-scale:
	@./scripts/install-test-tools.sh
	$(GO) run ./test/bench/scale $(PARTS)

clean:
	rm -rf bin .tools
