# make run          set-up, build, and a minute of evolution on a real problem
# make test         set-up, build, and every test, sanitizers included
# make check        the quick tests, one variant
# make lint         gcc and clang -Werror, cppcheck, shellcheck, layers, limits
# make bench        the figures; make bench-quick those that fit in 50 s
# make docs         writes docs/commands.md from the option table
# make llama        llama.cpp, for the backend of that name: optional, ten minutes (tools/llama)
# make llama-check  compares elm's models and tokenizer with llama.cpp's; after make llama
# make llama-server-check   the backend openai against llama.cpp's server; after make llama
# make trl-check    TRL loads and trains on what elm exports; ELM_TRL=PYTHON3 names one that has it
# make nano         trains the model that is built in anew: an hour and a half of two cores (models/README.md)
# make taught       trains the change model that is built in anew: a quarter of an hour of one core
# make adam-hour    searches an update rule for training, an hour; make optimizers compares those there are
# make open-ended   programs and problems coevolve, with controls: half an hour of one core, resumable
# make cycle        the operator learns from its own searches on walkers: hours of 2 cores, resumable
# make phase-2      small models that write whole walkers, learnt from all that runs admitted: 45 minutes
# make phase-3      after it: one that is told the terrain learns from rewards of its own samples: an hour
# make install      to PREFIX (/usr/local), under DESTDIR
# make clean        removes build/
# B=release|debug|asan|tsan chooses the variant: build/$(B). B=fuzz CC=clang: see tests/fuzz/fuzz.h.
B ?= release
OUT := build/$(B)
CC := gcc
KINDS := $(sort $(notdir $(wildcard parts/*)))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings \
        -Wpointer-arith -Wundef -Wcast-qual -Werror
OPT.release := -O2 -g
OPT.debug := -O0 -g
OPT.clang := -O1
OPT.asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT.tsan := -O1 -g -fsanitize=thread
OPT.fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# no contraction and wrapping ints: the VM must compute what the exported C computes
CFLAGS = -std=gnu17 -ffp-contract=off -fwrapv -fno-strict-aliasing -fvisibility=hidden $(OPT.$(B)) $(WARN)
CPPFLAGS = -D_GNU_SOURCE -Iinclude -Isrc -Ibuild/deps/tree-sitter/tree_sitter/core/lib/include
LDLIBS = $(LLAMA_LIBS) -lsqlite3 -lzstd -ljansson -lyaml -lcurl -lm -lpthread

# LLAMA_FLAGS, LLAMA_LIBS, LLAMA_SERVER once `make llama` has been run; what needs llama.cpp is else left out
-include build/llama/config.mk
LLAMA_SRC := parts/backend/llama.c bench/llama.c tools/llama_check.c
LEFT_OUT := $(if $(LLAMA_LIBS),,$(LLAMA_SRC))

# the caged helper is a static program of its own: VM and libtcc, never a sanitizer
CAGE_SRC := $(wildcard src/sandbox/cage_*.c) $(wildcard src/code/vm*.c) $(wildcard src/base/*.c)
SRC := $(filter-out src/sandbox/cage_% src/sandbox/judge_main.c src/cli/%,$(wildcard src/*/*.c)) \
       $(filter-out $(LEFT_OUT),$(wildcard parts/*/*.c))
LIB_OBJ := $(SRC:%.c=$(OUT)/%.o) $(KINDS:%=$(OUT)/gen/%.o) $(OUT)/gen/prompts.o $(OUT)/deps/tree-sitter.o \
           $(OUT)/deps/tree-sitter-c.o $(patsubst %.S,$(OUT)/%.o,$(wildcard src/*/*.S))
CLI_OBJ := $(patsubst %.c,$(OUT)/%.o,$(wildcard src/cli/*.c))
CAGE_OBJ := $(CAGE_SRC:%.c=build/cage/%.o)
TESTS := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/unit/*_test.c tests/contract/*_test.c tests/golden/*_test.c tests/hostile/*_test.c tests/faults/*_test.c))
FUZZ := $(patsubst tests/%.c,$(OUT)/tests/%,$(wildcard tests/fuzz/*_fuzz.c tests/fuzz/code_*.c tests/fuzz/vm_*.c))
FUZZ_DRIVER := $(if $(filter fuzz,$(B)),-fsanitize=fuzzer,tests/fuzz/replay.c)
BENCHES := $(patsubst bench/%.c,$(OUT)/bench/%,$(filter-out $(LEFT_OUT),$(wildcard bench/*.c)))

.PHONY: all run nano taught taught-controls cycle cycle-claim open-ended phase-2 phase-3 test tests objects check lint layers limits docs \
        bench bench-quick boolean-table adam-table adam-hour optimizers clean install help llama llama-check \
        llama-server-check trl-check FORCE
.SECONDARY:
.SECONDEXPANSION:
all: $(OUT)/elm $(OUT)/libelm.a
$(LLAMA_SRC:%.c=$(OUT)/%.o) $(LLAMA_SRC:%.c=$(OUT)/%): private CPPFLAGS += $(LLAMA_FLAGS)
$(LLAMA_SRC:%.c=$(OUT)/%.o) $(LLAMA_SRC:%.c=$(OUT)/%): $(wildcard build/llama/config.mk)

build/deps/ok: setup tools/requirements.txt
	@./setup && touch $@

$(OUT)/%.o: %.c | build/deps/ok
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@
$(OUT)/%.o: %.S | build/deps/ok
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Ibuild -MMD -MP -c $< -o $@
# written anew only when it changes: parts come and go, and one of them with build/llama
$(OUT)/gen/%.c: tools/registry FORCE
	@mkdir -p $(@D)
	@tools/registry $* $(filter parts/$*/%,$(SRC)) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(OUT)/gen/prompts.c: tools/prompts prompts $(wildcard prompts/*.txt)
	@mkdir -p $(@D)
	@tools/prompts >$@
$(OUT)/gen/%.o: $(OUT)/gen/%.c | build/deps/ok
	$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@
$(OUT)/deps/tree-sitter.o: | build/deps/ok
	@mkdir -p $(@D)
	$(CC) -O2 -std=gnu17 -D_GNU_SOURCE -Ibuild/deps/tree-sitter/tree_sitter/core/lib/include \
	  -Ibuild/deps/tree-sitter/tree_sitter/core/lib/src -c build/deps/tree-sitter/tree_sitter/core/lib/src/lib.c -o $@
$(OUT)/deps/tree-sitter-c.o: | build/deps/ok
	@mkdir -p $(@D)
	$(CC) -O1 -std=gnu17 -Ibuild/deps/tree-sitter-c/src -c build/deps/tree-sitter-c/src/parser.c -o $@

# the cage: always release flags, static, embedded into libelm by src/sandbox/embed.S
build/cage/%.o: %.c | build/deps/ok
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 -O2 -g -ffunction-sections -fdata-sections -ffp-contract=off -fwrapv -fno-strict-aliasing $(WARN) -MMD -MP -c $< -o $@
build/elm-cage: $(CAGE_OBJ)
	$(CC) -static -Wl,--gc-sections,--no-warnings -o $@ $^ -ltcc -lm
$(OUT)/src/sandbox/embed.o: build/elm-cage src/sandbox/judge_main.c src/sandbox/judge_formula.h \
                            src/sandbox/judge_reference.h include/elm/judge.h
# the released tree-edit model, where there is one; sanitizers would spend most of their time in it
NANO := $(if $(filter asan tsan,$(B)),,$(wildcard models/elm-nano.gguf))
$(OUT)/src/model/nano_embed.o: private CPPFLAGS += $(if $(NANO),-DELM_NANO)
$(OUT)/src/model/nano_embed.o: $(NANO)
# and the change model, which costs next to nothing
CHANGES := $(wildcard models/elm-taught.gguf)
$(OUT)/src/model/changes_embed.o: private CPPFLAGS += $(if $(CHANGES),-DELM_TAUGHT)
$(OUT)/src/model/changes_embed.o: $(CHANGES)

$(OUT)/libelm.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^
$(OUT)/elm: $(CLI_OBJ) $(OUT)/libelm.a
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)
$(OUT)/tests/fuzz/vm_diff: LDLIBS += -ltcc -ldl
$(OUT)/tests/fuzz/%_fuzz: tests/fuzz/%_fuzz.c tests/fuzz/replay.c $(OUT)/libelm.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(FUZZ_DRIVER) $(filter %.o,$^) \
	  $(OUT)/libelm.a $(LDLIBS)
# who reads --config is no part of the library
$(OUT)/tests/fuzz/config_fuzz: $(addprefix $(OUT)/src/cli/,config.o options.o text.o)
$(OUT)/tests/%: tests/%.c $(OUT)/libelm.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(OUT)/libelm.a -lcmocka $(LDLIBS)
# the bare limit that the evaluator is measured against: static, and small
build/bench-bare: bench/static/bare.c bench/static/springs.h | build/deps/ok
	$(CC) -std=gnu17 -O2 $(WARN) -static -Wl,--no-warnings -o $@ $< -ltcc -lm
$(OUT)/bench/evaluator: build/bench-bare
$(OUT)/bench/%: bench/%.c $(OUT)/libelm.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(OUT)/libelm.a $(LDLIBS)

# the main job: a real program gets better for a minute, with a model where one has been pulled
run: $(OUT)/elm
	@model=$$($(OUT)/elm models | grep -q '^smollm2 .* ok ' && echo --model smollm2); \
	  $(OUT)/elm run sort --minutes 1 --folder runs/sort-$$(date +%Y%m%d-%H%M%S) $$model

tests: $(TESTS) $(FUZZ) $(OUT)/elm
check: tests
	@tools/run-tests $(B) quick
test: tests
	@tools/run-tests release all
	@$(MAKE) --no-print-directory B=asan tests
	@tools/run-tests asan all
	@$(MAKE) --no-print-directory B=tsan tests
	@tools/run-tests tsan threads

# the tree-edit model that is built in, trained anew from random weights: an hour and a half of two cores
INVERSIONS := --trainer inversions --optimizer muon --warmup 0.01
nano: $(OUT)/elm
	@mkdir -p runs
	$(OUT)/elm train $(INVERSIONS) --rate 0.004 --steps 48000 --seed 1 --out runs/nano.gguf
	$(OUT)/elm train $(INVERSIONS) --rate 0.003 --steps 28000 --seed 2 --model runs/nano.gguf --out models/elm-nano.gguf

# the change model that is built in, from random weights: a quarter of an hour of one core; and what it is compared with:
# taught besides by repairs that people wrote, and with the answers shuffled
TAUGHT := --trainer changes --rate 0.003 --steps 8000 --seed 1
taught: $(OUT)/elm
	$(OUT)/elm train $(TAUGHT) --out models/elm-taught.gguf
taught-controls: $(OUT)/elm
	@mkdir -p runs
	$(OUT)/elm train $(TAUGHT) functions-blind functions-new --out runs/taught-people.gguf
	$(OUT)/elm train $(TAUGHT) --shuffled --out runs/taught-shuffled.gguf

# walkers have neither traces nor inverses: what the operator learns of them it learns from the search
cycle: $(OUT)/elm
	$(OUT)/elm cycle sodarace:square sodarace:radial --trainer edits --labels good,jump --steps 400 \
	  --evaluations 10k --seeds 3 --gate 16 --held-out 3 --rounds 5 --out runs/cycle-sodarace

# phase 2 of the paper on walkers: small models that write whole programs (45 minutes of one core, SmolLM2 included)
phase-2: $(OUT)/elm $(OUT)/tools/samples
	@tools/phase-2 $^ runs/phase-2
# phase 3: one of them, told the terrain, learns from rewards of its own samples (an hour; after phase 2)
phase-3: $(OUT)/elm $(OUT)/tools/samples
	@tools/phase-3 $^ runs/phase-2 runs/phase-3

# the comparison of docs/results/cycle.md: a quarter of an hour of one core
cycle-claim: $(OUT)/elm
	tools/cycle-claim runs/cycle-claim $(OUT)/elm

# does a search go on adapting, with new problems and without? Ten million evaluations each, four minutes of one
# core a world and seed; what was stopped goes on (docs/results/open-ended.md)
OPEN_SEEDS := 2 3
open-ended: $(OUT)/elm
	@mkdir -p runs
	@for seed in $(OPEN_SEEDS); do for how in mutated mastered generated none; do \
	  $(OUT)/elm coevolve runs/open-$$how-$$seed --seed $$seed --new-problems $$how --evaluations 10M || exit; done; done

layers:
	@tools/layers
docs: $(OUT)/elm
	@$(OUT)/elm help --markdown >docs/commands.md
limits:
	@tools/limits
# every object of every program, for another compiler
objects: $(LIB_OBJ) $(CLI_OBJ) $(patsubst %.c,$(OUT)/%.o,$(filter-out $(LEFT_OUT),$(wildcard tests/*/*.c bench/*.c tools/*.c src/sandbox/*.c)))
lint: layers limits build/deps/ok
	@tools/lint
bench: $(OUT)/elm $(BENCHES)
	@tools/bench all $(OUT)
bench-quick: $(OUT)/elm $(BENCHES)
	@tools/bench quick $(OUT)

# the table in problems/boolean/judge.c: exact gate counts of all functions of four bits
boolean-table: $(OUT)/tools/boolean_table
	@$<
# the table in problems/adam/judge.c: how AdamW's loss goes with the steps (3 minutes)
adam-table: $(OUT)/tools/adam_table
	@$<
# searches for an update rule, then the longer trainings that sort out what they found: an hour of one core, the
# same each time (docs/results/evolved-optimizer.md). A search that was stopped goes on; more evaluations go further
ADAM_EVALUATIONS := 29536 20640
adam-hour: $(OUT)/elm $(OUT)/tools/adam_funnel
	$(OUT)/elm run adam --seed 1 --folder runs/adam-hour-1 --evaluations $(word 1,$(ADAM_EVALUATIONS))
	$(OUT)/elm run adam --seed 2 --folder runs/adam-hour-2 --evaluations $(word 2,$(ADAM_EVALUATIONS)) \
	  --operators tree,substitute,nano
	$(OUT)/tools/adam_funnel runs/adam-hour.c runs/adam-hour-1 runs/adam-hour-2
# optimizers on small models of elm's own, tuned at equal numbers of samples (20 minutes)
optimizers: $(OUT)/bench/optimizers
	@$<
$(OUT)/tools/%: tools/%.c | build/deps/ok
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< -lm

llama:
	@tools/llama
llama-check: $(if $(LLAMA_LIBS),$(OUT)/tools/llama_check)
	@$(if $<,$<,echo "llama-check: llama.cpp is not set up: make llama" >&2; exit 1)
# the backend openai and a run against a real server, which it starts; LLAMA_SERVER=, MODEL=
llama-server-check: $(OUT)/tools/openai_check $(OUT)/elm
	@LLAMA_SERVER='$(LLAMA_SERVER)' MODEL='$(MODEL)' tools/llama-server-check $(OUT)
trl-check: $(OUT)/elm
	@tools/trl-check $(OUT)
$(OUT)/tools/llama_check $(OUT)/tools/openai_check $(OUT)/tools/adam_funnel $(OUT)/tools/samples: $(OUT)/tools/%: tools/%.c $(OUT)/libelm.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -o $@ $< $(OUT)/libelm.a $(LDLIBS)

PREFIX ?= /usr/local
# the installed library shows elm_* and nothing else
install: $(OUT)/elm $(OUT)/libelm.a
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include/elm \
	  $(DESTDIR)$(PREFIX)/share/elm $(DESTDIR)$(PREFIX)/share/doc/elm
	install -m 755 $(OUT)/elm $(DESTDIR)$(PREFIX)/bin/elm
	ld -r -o $(OUT)/elm-one.o --whole-archive $(OUT)/libelm.a --no-whole-archive \
	  --start-group $(filter %.a,$(LLAMA_LIBS)) --end-group
	objcopy --wildcard --keep-global-symbol='elm_*' $(OUT)/elm-one.o
	rm -f $(DESTDIR)$(PREFIX)/lib/libelm.a
	ar rcs $(DESTDIR)$(PREFIX)/lib/libelm.a $(OUT)/elm-one.o
	install -m 644 include/elm/*.h $(DESTDIR)$(PREFIX)/include/elm/
	cp -r problems functions functions-hard functions-new functions-blind functions-sealed functions-unseen \
	  functions-untouched $(DESTDIR)$(PREFIX)/share/elm/
	install -m 644 README.md LICENSE NOTICE docs/*.md $(DESTDIR)$(PREFIX)/share/doc/elm/
clean:
	rm -rf build
help:
	@sed -n '1,/^# B=/s/^# \{0,1\}//p' Makefile

-include $(shell find build -path build/llama -prune -o -name '*.d' -print 2>/dev/null)
