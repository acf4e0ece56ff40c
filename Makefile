# Every target does the set-up that it needs, system packages included.

.DEFAULT_GOAL := help
.PHONY: help build operator kubectl-stda load images demo cluster-demo cluster-up cluster-down kafka-up kafka-down test check fmt deny advisories crds goldens bench bench-engine compare bench-mesh compare-mesh bench-detection bench-instructions instructions-baseline

WORKSPACE := --workspace --all-targets --locked
# At once, so that what they share is compiled once.
PROGRAMS := --workspace --locked --bin stda-environment --bin streaming-tda-worker --bin streaming-tda-operator
ENVIRONMENT := cargo run --quiet --locked -p streaming-tda-tests --bin stda-environment --

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24

build: ## The worker: target/release/streaming-tda-worker
	@scripts/setup build
	cargo build --release --locked -p streaming-tda-worker

operator: ## The operator: target/release/streaming-tda-operator
	@scripts/setup build
	cargo build --release --locked -p streaming-tda-operator

kubectl-stda: ## The plugin of kubectl: target/release/kubectl-stda, to be put into a folder of PATH
	@scripts/setup build
	cargo build --release --locked -p streaming-tda-kubectl
	@echo "kubectl stda works once it is on the PATH, as by: sudo install target/release/kubectl-stda /usr/local/bin/"

load: ## The load generator: target/release/stda-load
	@scripts/setup build
	cargo build --release --locked -p streaming-tda-load

images: ## The container images of operator and worker, without a container engine: target/images
	@scripts/setup build
	cargo build --release $(PROGRAMS)
	target/release/stda-environment images $(ARGS)

demo: ## Watch a real electrocardiogram: terminal and live page (ARGS="--seconds 60 --report out")
	@scripts/setup build
	cargo run --release --locked -p streaming-tda-worker -- demo $(ARGS)

cluster-demo: ## Watch all of it on Kubernetes: cluster, Kafka, chart, alerts; needs root (ARGS="--seconds 60")
	@scripts/setup cluster kafka
	cargo build --release $(PROGRAMS) --bin kubectl-stda
	target/release/stda-environment demo $(ARGS)

cluster-up: ## A Kubernetes cluster on this machine, to try things on; needs root (ARGS="--nodes 2")
	@scripts/setup cluster
	@$(ENVIRONMENT) cluster up $(ARGS)

cluster-down: ## End that cluster, and remove all that it kept
	@$(ENVIRONMENT) cluster down

kafka-up: ## An Apache Kafka on localhost:9092, and for pods of the cluster (ARGS="--port 9192")
	@scripts/setup kafka
	@$(ENVIRONMENT) kafka up $(ARGS)

kafka-down: ## End that Kafka, and forget what it has
	@$(ENVIRONMENT) kafka down

test: ## Everything: format, lints, licences, unit, property and doc tests, real Kafka, Kubernetes, browser
	@scripts/setup test
	cargo fmt --all --check
	cargo clippy $(WORKSPACE) -- --deny warnings
	@$(MAKE) --no-print-directory deny
	cargo test --workspace --locked --no-fail-fast

check: ## The fast loop: format, lints, unit tests
	@scripts/setup build
	cargo fmt --all --check
	cargo clippy $(WORKSPACE) -- --deny warnings
	cargo test --workspace --locked --lib --bins --quiet

fmt: ## Format the code
	cargo fmt --all

deny: target/tools/bin/cargo-deny ## Licences, sources and duplicates of the dependencies
	target/tools/bin/cargo-deny --locked check --hide-inclusion-graph bans licenses sources

advisories: target/tools/bin/cargo-deny ## Known vulnerabilities (needs the RustSec database)
	target/tools/bin/cargo-deny --locked check advisories

CARGO_DENY := 0.20.2
target/tools/bin/cargo-deny:
	cargo install --locked --root target/tools --target-dir target/tools/build cargo-deny@$(CARGO_DENY)
	rm -rf target/tools/build

crds: ## Write the custom resource definitions that the chart ships
	@scripts/setup build
	cargo run --quiet --locked -p streaming-tda-crds -- charts/streaming-tda/files/crds

goldens: ## Make the golden files of the tests again, with Ripser, GUDHI, persim, fastavro, protoc and pyarrow
	@scripts/setup bench
	for tests in worker/persistence/tests/goldens worker/detection/tests/goldens worker/mesh/tests/goldens; do \
		(cd $$tests && $(CURDIR)/scripts/python requirements.txt make.py) || exit 1; \
	done

bench: bench-engine ## The same as bench-engine

bench-engine: ## Ours and the fastest batch libraries on the same windows: target/bench/engine.json
	@scripts/setup bench
	cargo build --release --locked -p streaming-tda-benches --bin bench-engine
	scripts/python benches/peers/requirements.txt benches/peers/compare.py $(ARGS)

compare: bench-engine ## Benchmark ours and other libraries, and write COMPARE.md
	scripts/python benches/peers/requirements.txt benches/peers/report.py target/bench/engine.json COMPARE.md

bench-mesh: ## The worker, a Python consumer and Kafka Streams on a real Kafka: target/bench/mesh.json
	@scripts/setup mesh
	cargo build --release --locked -p streaming-tda-worker
	cargo build --release --locked -p streaming-tda-bench-mesh
	target/release/bench-mesh $(ARGS)

compare-mesh: bench-mesh ## Benchmark end to end, and write that section of COMPARE.md
	python3 benches/mesh/report.py target/bench/mesh.json COMPARE.md

bench-detection: ## Score detection on labelled series (ARGS="--nab DIR --wfdb RECORD")
	@scripts/setup bench
	benches/detection/run.sh $(ARGS)

bench-instructions: ## Instruction counts of the kernels against the ones kept in the repository
	@scripts/setup callgrind
	benches/instructions/run

instructions-baseline: ## Keep the instruction counts of now
	@scripts/setup callgrind
	benches/instructions/run --keep
