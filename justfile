# The few daily commands; `just` lists them.
default:
    @just --list

# All tests: no network, nothing but the toolchain
test *args:
    cargo test {{args}}

# What must hold before a commit besides the tests
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, bans, sources and (with a network) known vulnerabilities of the dependencies
audit:
    cargo deny --all-features check

# Criterion benches of the crates
bench *args:
    cargo bench --workspace {{args}}

# The same work on brooklet and on Apache Kafka, one table of ratios
peers *args:
    benches/peers/run {{args}}

# Queries under kills at every step, at length
kills:
    BROOKLET_KILL_RUNS=300 cargo test -p brooklet-processor --release kills

# How much one brooklet holds, and what that costs
limits *args:
    benches/limits/run {{args}}

# Real clients in other languages against a fresh broker each: those named, or all
clients *suites="--all":
    tests/clients/run {{suites}}

# Kafka's recorded answers against brooklet's; `tests/conformance/record` records them anew
conformance:
    tests/conformance/record --compare

# Random requests to Kafka and to brooklet: `just differential 500 --seed 7`
differential rounds="100" *args:
    tests/conformance/record --random {{rounds}} {{args}}

# Coverage-guided fuzzing of every target
fuzz *args:
    fuzz/run {{args}}

# Everything that a change must pass
ci *steps:
    bash .ci/run {{steps}}
