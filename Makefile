# Two commands do everything on a fresh Debian or Ubuntu with Rust: `make demo` and `make test`.

CARGO ?= cargo

# Microphone and speaker, where ALSA's headers are. Asked each time, because `packages` may
# have just installed them.
SOUND = $$(pkg-config --exists alsa 2>/dev/null && echo --features audio)

.PHONY: demo run manual test bench fmt lint packages demo-packages conformance node-snapshot

## Open the window on a local network inside the program (without a display: under Xvfb, leaving demo.png).
demo: demo-packages
	$(CARGO) build --release $(SOUND)
	scripts/demo target/release/septet

## Build and open the window on the real network.
run: packages
	$(CARGO) run --release $(SOUND)

## Man pages and completions of shells, made by the program itself, into MANUAL.
MANUAL ?= target/manual
SHELLS = bash zsh fish powershell elvish
manual: packages
	$(CARGO) build --release $(SOUND)
	target/release/septet man "$(MANUAL)/man1"
	mkdir -p "$(MANUAL)/completions"
	target/release/septet rpc --schema > "$(MANUAL)/openrpc.json"
	set -e; for shell in $(SHELLS); do target/release/septet completions $$shell > "$(MANUAL)/completions/septet.$$shell"; done

## Everything that must hold, from unit tests to a whole window on a whole network.
test: packages
	$(CARGO) test --workspace $(SOUND)

## Speed, printed; see the README for how the figures there were made.
bench: packages
	$(CARGO) bench --workspace

## Write down the list of nodes that is shipped for where no seed is reached. NETWORK may also be a network file.
NETWORK ?= mainnet
SNAPSHOT ?= crates/network/data/mainnet-nodes.json
node-snapshot: packages
	$(CARGO) run --release -- --network "$(NETWORK)" node-snapshot --output "$(SNAPSHOT)"

fmt:
	$(CARGO) fmt --all

lint: packages
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets $(SOUND) -- -D warnings

## System packages, installed only if missing.
packages:
	scripts/system-packages build
	@scripts/system-packages sound || echo 'Going on without sound devices.'

demo-packages: packages
	scripts/system-packages demo
