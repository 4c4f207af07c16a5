# cutover: everything a developer or a CI job calls. `make help` lists the targets.
GO       ?= go
TOOL     := $(GO) tool -modfile=.ci/tools.mod
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 5s
COVER    ?= 85

.DEFAULT_GOAL := help
.PHONY: help build run test check check-full fmt vet lint race fuzz cover bench bench-peers soak release release-check golden clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

build: ## build bin/cutover for this machine
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/cutover ./cmd/cutover

run: build ## the main job: smoke suite, both paths of the simulated lab, verdict and report
	./bin/cutover run

# Runs in the tests wait most of their time, so that more of them than there are processors go side by side.
PARALLEL ?= 3

test: ## all tests
	$(GO) test -parallel $(PARALLEL) -timeout 20m ./...

check: fmt vet lint test race fuzz ## what every commit must pass; needs only Go
	@echo "check: passed"

check-full: .ci/node_modules/.installed fmt vet lint ## check, with every test that needs a foreign tool (a skip is a failure), and coverage
	@CUTOVER_REQUIRE_TOOLS=1 CUTOVER_NODE_MODULES=$(CURDIR)/.ci/node_modules $(GO) test -parallel $(PARALLEL) -timeout 20m -v ./... >.ci/test.log 2>&1; status=$$?; \
	  grep -E '^(ok|FAIL|---|panic:)|^ +--- FAIL' .ci/test.log | grep -v '^--- PASS' ; \
	  if [ $$status -ne 0 ]; then grep -B2 -A30 -E '^ *--- FAIL' .ci/test.log | head -300; exit $$status; fi; \
	  if grep -E '^ *--- SKIP' .ci/test.log | grep -v Soak; then echo "check-full: a test was skipped"; exit 1; fi
	$(MAKE) race fuzz cover
	@echo "check-full: passed"

.ci/node_modules/.installed: .ci/package.json
	cd .ci && npm install --no-audit --no-fund --no-package-lock --ignore-scripts --legacy-peer-deps --silent
	@touch $@

fmt:
	@out=$$(gofmt -l cmd harness suites reports profiles); test -z "$$out" || { echo "not gofmt'ed:"; echo "$$out"; exit 1; }

vet:
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...

# SA1019 is off: MSAL marks the resource-owner password grant as deprecated, and it is the only
# delegated sign-in that an unattended run has (docs/decisions/005-tokens.md).
lint: ## staticcheck, at the version pinned in .ci/tools.mod
	$(TOOL) staticcheck -checks inherit,-SA1019 ./...

race: ## the tests again with the race detector
	$(GO) test -parallel $(PARALLEL) -timeout 20m -race -short ./cmd/... ./harness/... ./suites/... ./profiles/... ./reports/...

# Before Go 1.27 a target can end with "context deadline exceeded" and no failing input when its time
# is up (golang/go#75804). That alone is asked again, twice at most; a failing input always fails.
fuzz: ## each fuzz target for FUZZTIME (default 5s)
	@out=$$(mktemp); trap 'rm -f '$$out EXIT; \
	for pkg in $$(grep -rlE '^func Fuzz' --include='*_test.go' cmd harness suites profiles reports | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | sed 's/func //'); do \
	    for try in 1 2 3; do \
	      echo "fuzz $$pkg $$target"; \
	      $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x ./$$pkg >$$out 2>&1 && break; \
	      if [ $$try = 3 ] || grep -q 'Failing input' $$out || ! grep -q 'context deadline exceeded' $$out; then cat $$out; exit 1; fi; \
	    done; \
	  done; \
	done

cover: ## statement coverage of harness/**, which must not fall below COVER percent
	$(GO) test -parallel $(PARALLEL) -timeout 20m -short -coverprofile=coverage.out -coverpkg=./harness/... ./... >/dev/null
	@$(GO) tool cover -func=coverage.out | awk -v floor=$(COVER) '/^total:/ {sub("%","",$$3); printf "coverage of harness/**: %s%% (floor %s%%)\n", $$3, floor; if ($$3+0 < floor) exit 1}'

bench: ## all benchmarks, ten times each, into bench.txt for benchstat
	$(GO) test -run '^$$' -bench . -benchmem -count 10 ./... | tee bench.txt

# The server runs on processor 0 and the generators on processor 1, so the machine should have nothing
# else to do. The peers that Debian does not ship are installed into a folder of their own.
PEERS := .ci/peers/bin
bench-peers: build ## hold cutover against wrk, h2load, fortio, hey and k6 (about 10 minutes); the tables for docs/benchmarks.md
	@for tool in nginx wrk h2load taskset; do command -v $$tool >/dev/null || test -x /usr/sbin/$$tool || \
	  { echo "bench-peers: $$tool is missing: apt-get install nginx-light wrk nghttp2-client util-linux"; exit 1; }; done
	@mkdir -p $(PEERS)
	@for module in fortio.org/fortio@v1.65.0 github.com/rakyll/hey@v0.1.5 go.k6.io/k6@v1.8.1; do name=$${module%@*}; \
	  test -x $(PEERS)/$${name##*/} || GOFLAGS=-mod=mod GOBIN=$(CURDIR)/$(PEERS) $(GO) install $$module || exit 1; done
	@cp bin/cutover $(PEERS)/cutover && cd .ci/peers && $(GO) build -o bin/peers . && ./bin/peers -bin bin $(PEERFLAGS) | tee bin/tables.md

# soak holds the instrument against known truths, searches and freezes; 100,000 generated suites against the
# rules and 1,000 against the lab; 100 writing runs killed and cleaned up, and 50 runs killed and sealed; months of
# history with several writers; the journal under kills; tokens that expire; then a minute of each fuzz target.
# Its parts, each alone but on two processors that others kept busy: generated suites 17 to 46 min,
# suites on the lab 5 to 8, killed and cleaned 6, killed and sealed 5, what a kill loses 3, tokens 6, history 4, journal 3,
# the lab's patience 3, mutated mails 2; and 22 minutes of fuzzing.
soak: ## what takes too long for check: long fuzzing, kill and expiry tests
	CUTOVER_SOAK=1 $(GO) test -timeout 3h -run 'Soak' ./...
	$(MAKE) fuzz FUZZTIME=60s

release: ## dist/: the program for three platforms, an SBOM beside each, and checksums (VERSION=v1.2.3)
	VERSION=$(VERSION) .ci/release

release-check: ## release, built twice in two folders: the bytes must be the same
	VERSION=$(VERSION) .ci/release --twice

golden: ## rewrite the golden files after a wanted change (look at the diff!)
	$(GO) test ./reports ./harness/conform ./harness/plan ./suites ./profiles -update

clean: ## remove what the build and the runs left
	rm -rf bin runs dist coverage.out bench.txt
