# A thin front door: Meson and Ninja do the work. See README.md.
BUILDDIR ?= build
BUILDTYPE ?= debugoptimized
PYTHON := /usr/bin/python3

all: $(BUILDDIR)/clearview

# Ninja decides what is out of date.
$(BUILDDIR)/clearview: compile
	@ln -sfn src/cli/clearview $@

compile: $(BUILDDIR)/build.ninja
	@ninja -C $(BUILDDIR)

$(BUILDDIR)/build.ninja:
	meson setup $(BUILDDIR) --buildtype=$(BUILDTYPE)

deps:
	@scripts/deps

check: deps
	@$(MAKE) --no-print-directory all
	@tests/run --build $(BUILDDIR) $(ARGS)

# The lists of programs and servers; WORDS chooses some: make programs WORDS="servers/ programs/git"
WORDS ?= programs/ servers/
programs: deps
	@scripts/deps programs
	@$(MAKE) --no-print-directory all
	@tests/run --build $(BUILDDIR) --programs --mode redirect -v $(ARGS) $(WORDS)

# CPython's own tests, natively and with every procedure redirected; ARGS: names of modules
third-party: deps
	@scripts/deps third-party
	@$(MAKE) --no-print-directory all
	@tests/third-party --build $(BUILDDIR) $(ARGS)

demo: deps
	@$(MAKE) --no-print-directory all
	@demo/run --build $(BUILDDIR) $(ARGS)

bench:
	@scripts/deps bench
	@$(MAKE) --no-print-directory all
	@bench/run --build $(BUILDDIR) $(ARGS)

# UNDER (what stands before each program), BUILD, MODE and ARGS, where given, reach tests/exercise/Makefile by themselves.
exercise: deps
	@$(MAKE) --no-print-directory all
	@PATH="$(abspath $(BUILDDIR)):$$PATH" $(MAKE) --no-print-directory -C tests/exercise exercise

fuzz: deps
	@tests/fuzz/run $(ARGS)

stress: deps
	@$(MAKE) --no-print-directory all
	@BUILDDIR=$(BUILDDIR) tests/stress $(ARGS)

sanitize: deps
	@BUILDDIR=$(BUILDDIR) tests/sanitize $(ARGS)

# Hours of it: make fuzz-engine ARGS='--seconds 7200'
fuzz-engine: deps
	@$(MAKE) --no-print-directory all
	@tests/differential/run --build $(BUILDDIR) $(ARGS)

clean:
	rm -rf $(BUILDDIR)

.PHONY: all compile deps check programs third-party demo bench exercise fuzz fuzz-engine sanitize stress clean
