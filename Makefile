# Needs Go alone. lint, bench and fuzz fetch what they run at the versions pinned in the module files.

.PHONY: release demo test test-cgroup2 test-systemd test-systemd-limits test-systemd-services test-systemd-packages lint bench soak bench-libraries fuzz build clean

# Packs every program for every system into release/: archives, and deb and rpm for Linux. VERSION=1.2.3, TARGETS=linux/amd64,windows/amd64
release:
	go run ./tools/release -version="$(VERSION)" -targets="$(TARGETS)"

# A server and its agents on this machine, until Ctrl-C. FOR=5s: ends by itself. Run without a shell, so that signals reach it
demo:
	go build -o bin/ ./tools/demo
	bin/demo -for=$(FOR)

# All tests of all modules, with the race detector
test:
	.ci/test

# Package limit on a kernel with control groups of version 2, which is Debian's package user-mode-linux
test-cgroup2:
	limit/testdata/uml.sh

# Limits, services and packages, each under a systemd of its own, on that kernel, which has one processor: make -j2 uses both
test-systemd: test-systemd-limits test-systemd-services test-systemd-packages
test-systemd-limits:
	limit/testdata/systemd.sh
test-systemd-services:
	libagent/testdata/service/run.sh systemd
test-systemd-packages:
	tools/internal/release/testdata/packages/run.sh

# Formatting, vet, modernizers, staticcheck, golangci-lint, known vulnerabilities
lint:
	.ci/lint

# The server under the load of a fleet, beside its peers, into docs/performance.md. QUICK=1: less of everything, printed only
bench:
	go run ./bench/cmd/load bench $(if $(QUICK),--agents=2000 --runs=1 --for=2s,--page=docs/performance.md)

# A fleet that is busy for an hour, and a server that must not grow; then 20 minutes of lines that break and programs that are
# killed, the outbox for as long as it promises, and output and files of gigabytes. FOR=5m
soak:
	go run ./bench/cmd/load soak --for="$(or $(FOR),1h)"
	JKFRAME_SOAK="$(or $(FOR),20m)" go test -count=1 -timeout=0 -v -run='^(TestChaos|TestServerKilled|TestAgentKilled|TestRemoteSizes)$$' ./server/e2e

# The packages and their peers in one run. BENCH=a regular expression of names, BENCHTIME=1s each
bench-libraries:
	go test -run='^$$' -bench="$(or $(BENCH),.)" -benchtime="$(or $(BENCHTIME),1s)" -benchmem $(shell go list -m -f '{{.Dir}}/...')

# Every fuzz target in turn. FUZZTIME=10s each
fuzz:
	.ci/fuzz "$(or $(FUZZTIME),10s)"

# The programs, into bin/
build:
	go build -o bin/ ./examples/... ./tools/... ./server/...

clean:
	rm -rf bin release
