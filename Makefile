# `make` alone says what there is.
.DEFAULT_GOAL := help
.PHONY: help build demo test test-kernels soak bench bench-micro clean

help:
	@echo 'make build         the three commands, ready to run in artifacts/bin/'
	@echo 'make demo          shows maplog at work on this machine, in about a minute: SECONDS=5 makes it shorter'
	@echo 'make test          all tests; ONLY="Unit Kernel" some projects, VERBOSE=1 every name'
	@echo 'make test-kernels  the same on every kernel, also 5.10, with a storm of a million changes: hours'
	@echo 'make soak          random faults under load, for MINUTES=10 minutes'
	@echo 'make bench         the costs against the lowest possible costs: ONLY=name one row, SHORT=1 in seconds'
	@echo 'make bench-micro   the costs of single steps, with BenchmarkDotNet: ONLY=pattern some, SHORT=1 in seconds'
	@echo 'make clean         removes all build results'
	@echo
	@echo 'Missing packages are installed first, with apt. See scripts/install.'

build:
	@scripts/build

demo:
	@scripts/install demo
	@scripts/build
	@scripts/demo $(SECONDS)

test:
	@scripts/test $(if $(VERBOSE),-v) $(ONLY)

test-kernels:
	@MAPLOG_STORM=100000 MAPLOG_FIGHT=1000000 MAPLOG_TEST_MINUTES=240 scripts/test $(if $(VERBOSE),-v) -k bullseye,bookworm,sid $(ONLY)

soak:
	@scripts/soak $(or $(MINUTES),10)

bench: build
	@scripts/install tests
	@dotnet build tests/Benchmarks -c Release --nologo -v quiet
	@dotnet tests/Benchmarks/bin/Release/net10.0/maplog-benchmarks.dll $(if $(SHORT),--short) $(if $(EVENTS),--events $(EVENTS)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KERNEL),--kernel $(KERNEL)) $(ONLY)

bench-micro:
	@scripts/install tests
	@dotnet build tests/Microbenchmarks -c Release --nologo -v quiet
	@dotnet tests/Microbenchmarks/bin/Release/net10.0/maplog-microbenchmarks.dll --artifacts artifacts/bench-micro --filter '$(or $(ONLY),*)' $(if $(SHORT),--job dry)

clean:
	rm -rf artifacts src/*/bin src/*/obj src/Shared/*/bin src/Shared/*/obj examples/*/bin examples/*/obj tests/*/bin tests/*/obj demo/bin demo/obj
