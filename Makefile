# A thin front door: Meson and Ninja do the work. See README.md.
BUILD ?= build
MODE ?= debugoptimized
PYTHON := /usr/bin/python3

all: $(BUILD)/clearview

# Ninja decides what is out of date.
$(BUILD)/clearview: compile
	@ln -sfn src/cli/clearview $@

compile: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	meson setup $(BUILD) --buildtype=$(MODE)

deps:
	@scripts/deps

check: deps
	@$(MAKE) --no-print-directory all
	@tests/run --build $(BUILD) $(ARGS)

demo: deps
	@$(MAKE) --no-print-directory all
	@demo/run --build $(BUILD) $(ARGS)

bench:
	@scripts/deps bench
	@$(MAKE) --no-print-directory all
	@bench/run --build $(BUILD) $(ARGS)

# UNDER: the command to put before each program; passed on with BUILD and MODE.
exercise: deps
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory -C tests/exercise UNDER="$(UNDER)" BUILD="$(abspath $(BUILD))" MODE="$(MODE)"

fuzz: deps
	@tests/fuzz/run $(ARGS)

clean:
	rm -rf $(BUILD)

.PHONY: all compile deps check demo bench exercise fuzz clean
