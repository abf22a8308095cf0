# Two commands do everything: `make run` and `make test`.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINT    := .tools/bin/golangci-lint
LINT_VERSION := v2.15.0

# The AVIF decoder runs in a sandbox; this tag keeps it from loading a library of
# the machine outside of it instead.
export GOFLAGS := -tags=nodynamic $(GOFLAGS)

# Settings that `make run NAME=value` passes on to the program.
export LISTEN_ADDR DATA_DIR MUSIC_DIR DEMO_PROVIDERS

PANEL := adapters/panel
PANEL_SOURCES := $(shell find $(PANEL)/src $(PANEL)/public -type f 2>/dev/null) $(wildcard $(PANEL)/*.json $(PANEL)/*.ts $(PANEL)/*.js $(PANEL)/index.html)

.PHONY: build panel demo-providers run test race fuzz soak browser screenshots generate lint fmt bench bench-lists clean

## build: bin/gatefold, with the panel in it
build: panel
	$(GO) build -ldflags "-X gatefold/bootstrap.Version=$(VERSION)" -o bin/gatefold .

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

## test: every test, on real Redis, PostgreSQL and S3 servers, started by the tests
test:
	@./scripts/install-test-tools.sh
	$(GO) vet ./...
	$(GO) test -count=1 -timeout 20m ./...

# Not under the race detector: other programs that tests build and start, and what
# shares no memory, such as the demo's drawings. The database adapter, whose callers share
# the database, and the whole program on every combination of adapters take ten minutes
# under the detector, which are left to `soak`.
UNRACED := /test/(twins|crash|testenv|integration)$$|/adapters/(demolibrary|bunrepo)$$

## race: the same with the race detector, where memory is shared
race:
	@./scripts/install-test-tools.sh
	$(GO) test -count=1 -timeout 20m -race $$($(GO) list ./... | grep -vE '$(UNRACED)')

## browser: the panel in a real browser, Debian's Chromium, on servers of the tests' own; and how much of it loads at first
browser: build demo-providers
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

## soak: the fuzz targets, the database adapter and the whole program under the race detector, every scenario of the
## consistency harness 20 times, with 3 instances of 10 000 operations each, and 20 crashes at every step; about an hour
soak: fuzz
	@./scripts/install-test-tools.sh
	$(GO) test -count=1 -timeout 40m -race ./adapters/bunrepo ./test/integration
	$(GO) test -count=1 -timeout 1h -v -run '^TestCrashes$$' ./test/crash -crash.runs=20
	$(GO) test -count=1 -timeout 3h -v -run '^TestGuarantee$$' ./test/consistency -consistency.runs=20 -consistency.ops=10000

## generate: the types of the HTTP API, of the server and of the panel, from adapters/rest/openapi.yaml
generate: $(PANEL)/node_modules/.package-lock.json
	$(GO) tool oapi-codegen -config adapters/rest/api/oapi-codegen.yaml -o adapters/rest/api/types.gen.go adapters/rest/openapi.yaml
	cd $(PANEL) && npm run --silent generate

## lint: golangci-lint, at the version this project is checked with, and the panel's own
lint: $(LINT) $(PANEL)/node_modules/.package-lock.json
	$(LINT) run ./...
	cd $(PANEL) && npm run --silent check && npm test --silent

$(LINT):
	GOBIN=$(CURDIR)/.tools/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

## fmt: format the code
fmt: $(LINT)
	$(LINT) fmt

## bench: benchmarks, side by side
bench:
	@./scripts/install-test-tools.sh
	$(GO) test -run '^$$' -bench . -benchmem ./test/bench/...

## bench-lists: lists of 100 000 artists and 500 000 albums, with the plans of the databases
bench-lists:
	@./scripts/install-test-tools.sh
	$(GO) test -run '^$$' -bench Lists -benchtime 1x -timeout 30m ./adapters/bunrepo

clean:
	rm -rf bin .tools
