# Two commands: `make up` runs Souk, `make test` runs everything CI runs. Each target installs what it needs first.

# PostgreSQL of the test suites: 18, or 15, the oldest supported.
PG ?= 18
# Cargo profile of `make up`: dev builds soonest; fast and release run faster.
PROFILE ?= dev
# NODE=1: `make cluster` adds a node that runs what it is given (needs root).
NODE ?=
# KAFKA=1: `make up` starts a Kafka broker too, and events go through it.
KAFKA ?=
# CLUSTER=1: `make up` runs the image by the chart on a Kubernetes of this machine instead (scripts/on-cluster.sh).
CLUSTER ?=

# Of `make bench`: which parts (all when empty), stores of the largest crowd, events of the longest backlog, rows of the imported file, seconds of each measurement.
ONLY ?=
STORES ?= 1000
EVENTS ?= 1000000
ROWS ?= 20000
SECONDS ?= 3
# Of `make bench-cluster`: stores (STORES), and the seconds in which nothing may be written once all is settled.
WINDOW ?= 300

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.ONESHELL:
.DEFAULT_GOAL := help
# What a target needs comes first, one after the other.
.NOTPARALLEL:
.PHONY: help space bench bench-cluster build up down status logs doctor image image-test cluster cluster-down test test-fast journeys drills mutations kafka-tls nightly pictures check generate audit clean-local

SETUP = . ./scripts/setup.sh
FOLDER = target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
PROGRAMS = -p souk -p souk-payment-provider -p souk-control-plane -p souk-tenant-runtime
# Built with all the rest: alone it would be built with other features, and everything below it once more.
GENERATE = cargo build -q --workspace --all-targets && target/debug/souk-generate
STEP = printf '\n\033[1m▶ %s\033[0m\n'
# A server of our own for the tests, unless SOUK_TEST_DATABASE_URL names one; it is left running for the next time.
# Platforms that the suites start themselves run on the same version.
DATABASE = if [ -z "$${SOUK_TEST_DATABASE_URL:-}" ]; then \
	$(STEP) "PostgreSQL $(PG) for the tests"; \
	target/debug/souk db start --version $(PG) --dir .souk/test-pg$(PG) --careless >/dev/null; \
	SOUK_TEST_DATABASE_URL=$$(target/debug/souk db url --dir .souk/test-pg$(PG)); \
	export SOUK_TEST_DATABASE_URL; fi; \
	export SOUK_POSTGRES_VERSION=$(PG)
# A broker of our own, likewise, unless SOUK_TEST_KAFKA_BROKERS names some.
BROKER = if [ -z "$${SOUK_TEST_KAFKA_BROKERS:-}" ]; then \
	$(STEP) "Kafka for the tests"; \
	if target/debug/souk kafka start --dir .souk/test-kafka >/dev/null; then \
		SOUK_TEST_KAFKA_BROKERS=$$(target/debug/souk kafka address --dir .souk/test-kafka); \
		export SOUK_TEST_KAFKA_BROKERS; \
	elif [ -n "$${CI:-}" ]; then exit 1; \
	else printf '\n✘ THE TESTS ON A REAL KAFKA ARE LEFT OUT: there is no broker (see above)\n'; fi; fi

help:
	@sed -n 's/^## //p' Makefile

## make up           build and start everything, fill a demo store, print where it is (KAFKA=1: with a broker; CLUSTER=1: on Kubernetes)
up: build
	@$(if $(filter 1 yes true,$(CLUSTER)),$(SETUP); SOUK_COMMAND=$(FOLDER)/souk scripts/on-cluster.sh up,$(FOLDER)/souk up --detach $(if $(filter 1 yes true,$(KAFKA)),--kafka))

## make down         stop what `make up` started
down:
	@if [ -d .souk/on-cluster ]; then scripts/on-cluster.sh down; fi
	if [ -x $(FOLDER)/souk ]; then $(FOLDER)/souk down; else echo "nothing was built, so nothing runs"; fi

## make status       say what runs
status:
	@$(FOLDER)/souk status

## make logs         follow the logs
logs:
	@$(FOLDER)/souk logs -f

## make doctor       check this machine
doctor: build
	@$(FOLDER)/souk doctor

## make build        build the programs (PROFILE=dev|fast|release)
build:
	@$(SETUP)
	$(STEP) "building ($(PROFILE))"
	cargo build --profile $(PROFILE) $(PROGRAMS)

## make image        build the image as an OCI archive, with its bill of materials, in target/image (needs no Docker)
image:
	@$(SETUP)
	$(STEP) "building the image's programs (release, static)"
	scripts/image-root.sh target/image/root
	$(STEP) "packing"
	python3 scripts/image.py target/image/root target/image/souk.tar souk:$$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)

## make image-test   build the image twice from nothing: the same bytes, at most 40 MB packed, serving within a second of its start
image-test: build
	@$(SETUP)
	scripts/image-test.sh $(FOLDER)/souk

## make cluster      start a Kubernetes on this machine: kind's where it is there, else one that is built from source the first time (NODE=1: that one, with a real node)
cluster:
	@$(STEP) "Kubernetes on this machine"
	if $(if $(filter 1 yes true,$(NODE)),false,scripts/on-cluster.sh kind); then exit 0; fi
	config=$$(tests/cluster/cluster.sh up "$$PWD/.souk/cluster")
	$(if $(filter 1 yes true,$(NODE)),tests/cluster/node.sh up "$$PWD/.souk/cluster" >/dev/null)
	folder=$$(tests/cluster/build.sh)
	echo "export KUBECONFIG=$$config PATH=$$folder:\$$PATH"

## make cluster-down stop it, and the one of the tests
cluster-down:
	@if [ -f .souk/on-cluster/kubeconfig ]; then scripts/on-cluster.sh down; fi
	tests/cluster/cluster.sh down "$$PWD/.souk/cluster"
	tests/cluster/cluster.sh down "$$PWD/.souk/test-cluster"
	SOUK_CLUSTER_HOME=.souk/test-install scripts/on-cluster.sh down

# Whether the disk has room for all of it, before half an hour is spent.
space:
	@scripts/space.sh

## make test         everything CI runs (PG=18|15)
# Clippy is the compiler of our own crates here: they are linted as they are built, instead of being read once more, with all they stand on.
test: export RUSTC_WORKSPACE_WRAPPER = clippy-driver
test: export CLIPPY_ARGS = -D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
test: space check
	@$(SETUP)
	began=$$(date +%s)
	# What `check` built, in one selection for programs and tests, so that no crate is built twice with other features.
	$(DATABASE)
	$(BROKER)
	# Go and Node.js are fetched where they are missing. Where they cannot be had, the tests that need them say so; in CI that is a failure.
	. ./scripts/fetch.sh
	souk_need_node || true
	$(STEP) "Kubernetes for the tests"
	tests/cluster/build.sh >/dev/null || [ $$? = 3 ]
	$(STEP) "tests on PostgreSQL $(PG)"
	host=$$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
	# Whatever fails, the other programs run too: one run says all that is wrong.
	env "CARGO_TARGET_$${host}_RUNNER=$$PWD/scripts/run-test.sh" cargo test --workspace --no-fail-fast
	$(STEP) "all tests passed after $$(( $$(date +%s) - began )) s"

## make test-fast    unit and HTTP tests only: the inner loop
test-fast:
	@$(SETUP)
	[ -x target/debug/souk ] || cargo build $(PROGRAMS)
	$(DATABASE)
	cargo test --workspace --lib

## make journeys     the README's tour and the life of `souk up`, on real processes
journeys: build
	@$(SETUP)
	SOUK_POSTGRES_VERSION=$(PG) cargo test --workspace --test journeys -- --nocapture

## make drills       crashes under load, then the books are compared (ONLY=flash_sale for one)
drills: build
	@$(SETUP)
	SOUK_POSTGRES_VERSION=$(PG) cargo test --workspace --test drills -- $(ONLY)

## make mutations    show that the tests can fail: take out one wall at a time (ONLY=stock: those with that word in their name)
mutations: build
	@$(SETUP)
	$(DATABASE)
	tests/mutations/run.sh "$(ONLY)"

## make kafka-tls    the tests with Kafka once more, over TLS and SASL/SCRAM
kafka-tls: build
	@$(SETUP)
	$(DATABASE)
	$(FOLDER)/souk kafka start --dir .souk/test-kafka >/dev/null
	tests/kafka-tls.sh

## make nightly      what takes too long for each change: mutations, Kafka over TLS, drills with long outages, the image built twice, 1,000 stores on Kubernetes; all of it, whatever fails
nightly: build
	@failed=
	export SOUK_DRILL_OUTAGE_SECONDS=$${SOUK_DRILL_OUTAGE_SECONDS:-300}
	for part in mutations kafka-tls drills image-test bench-cluster; do
		$(STEP) "tonight: $$part"
		$(MAKE) --no-print-directory "$$part" || failed="$$failed $$part"
	done
	[ -z "$$failed" ] || { printf '\n✘ of tonight failed:%s\n' "$$failed"; exit 1; }
	$(STEP) "all of tonight passed"

## make pictures     every mail and the pages its links lead to in a real browser, light and dark, in target/pictures
pictures: build
	@$(SETUP)
	tests/pictures/look.sh $(FOLDER)/souk-tenant-runtime $(FOLDER)/souk-control-plane target/pictures

## make check        format, clippy, house rules
check:
	@$(SETUP)
	$(STEP) "format"
	cargo fmt --all --check
	if [ "$${RUSTC_WORKSPACE_WRAPPER:-}" = clippy-driver ]; then
		$(STEP) "building programs and tests, with clippy"
		cargo build --workspace --all-targets
	else
		$(STEP) "clippy"
		cargo clippy --workspace --all-targets -- -D warnings
	fi
	$(STEP) "house rules"
	cargo test -q --workspace --test house
	$(STEP) "generated files"
	$(GENERATE) --check

## make generate     write the files that are made from the code: OpenAPI, problems, tables of authority
generate:
	@$(SETUP)
	$(GENERATE)

## make bench        what Souk costs on this machine (ONLY=list,checkout STORES=200 ROWS=20000 SECONDS=3); all of it goes into docs/PERFORMANCE.md
bench:
	@$(SETUP)
	$(STEP) "building (fast)"
	cargo build --profile fast $(PROGRAMS) -p souk-bench
	$(STEP) "measuring"
	target/fast/souk-bench --only "$(ONLY)" --stores $(STORES) --events $(EVENTS) --rows $(ROWS) --seconds $(SECONDS) --page docs/PERFORMANCE.md

## make bench-cluster what stores cost on Kubernetes (STORES=1000 WINDOW=300): prints the table for docs/PERFORMANCE.md; the real node needs root
bench-cluster: build
	@$(SETUP)
	$(DATABASE)
	$(STEP) "Kubernetes for the measurements"
	tests/cluster/build.sh >/dev/null
	$(STEP) "building (fast)"
	cargo build --profile fast $(PROGRAMS) -p souk-operator
	$(STEP) "measuring $(STORES) stores on Kubernetes"
	SOUK_BENCH_STORES=$(STORES) SOUK_BENCH_WINDOW=$(WINDOW) CI=1 cargo test --profile fast -p souk-tests --test cluster -- --ignored --nocapture figures
	tests/cluster/cluster.sh down "$$PWD/.souk/test-cluster"

## make audit        licences, sources, bans, advisories (cargo-deny; takes minutes to build the first time)
audit:
	@$(SETUP)
	deny="$$souk_cache/cargo-deny-0.20.2"
	if [ ! -x "$$deny/bin/cargo-deny" ]; then
		$(STEP) "building cargo-deny (once)"
		cargo install -q --locked --root "$$deny" cargo-deny@0.20.2
	fi
	"$$deny/bin/cargo-deny" check licenses bans sources
	# Last: it needs the advisory database, which is fetched from GitHub.
	"$$deny/bin/cargo-deny" check advisories

## make clean-local  stop everything; remove databases, logs and secrets of this clone, and what tests, benchmarks and mutations left
clean-local: down cluster-down
	@scripts/clean-local.sh
