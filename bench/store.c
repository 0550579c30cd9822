/*
 * store: rows and packed attempts a second with every commit synced, bytes an attempt takes, and
 * the opening of a run of a million. The attempts are those of a small search on a sorting
 * program: edits of the `tree` operator, hashes, fitness, measures and steps are real.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elm/archive.h"
#include "elm/operator.h"
#include "search/state.h"
#include "elm/store.h"

#define CASES 48
#define LENGTH 16
#define BATCH 32
#define SOURCE 65536
#define PACKED 400000
#define MILLION 1000000

static const char *const seed_text =
    "void merge(int a[16], int b[16], int lo, int mid, int hi)\n{\n    int i = lo;\n"
    "    int j = mid;\n    for (int k = lo; k < hi; k++) {\n"
    "        if (i < mid && (j >= hi || a[i] <= a[j])) {\n            b[k] = a[i];\n"
    "            i++;\n        } else {\n            b[k] = a[j];\n            j++;\n        }\n"
    "    }\n    for (int k = lo; k < hi; k++) {\n        a[k] = b[k];\n    }\n}\n\n"
    "void f(int a[16])\n{\n    int b[16] = {0};\n    for (int i = 0; i < 15; i++) {\n"
    "        if (a[i] > a[i + 1]) {\n            int t = a[i];\n            a[i] = a[i + 1];\n"
    "            a[i + 1] = t;\n        }\n    }\n    for (int w = 1; w < 8; w = w * 2) {\n"
    "        for (int lo = 0; lo + 2 * w <= 16; lo += 2 * w) {\n"
    "            merge(a, b, lo, lo + w, lo + 2 * w);\n        }\n    }\n}\n";

struct world {
    struct elm_problem problem;
    struct elm_pool *pool;
    struct elm_vm_memory *vm;
    struct seen seen;
    const struct elm_archive_kind *kind;
    void *archive;
    struct held_map held;
    int32_t in[CASES][LENGTH];
    struct elm_arena scratch;
    int64_t clock_us;
};

static void die(const char *what, const struct elm_error *err)
{
    fprintf(stderr, "bench store: %s: %s\n", what, err->message);
    exit(1);
}

static void open_world(struct world *w)
{
    struct elm_error err = {0};
    struct elm_problem *p = &w->problem;
    memset(w, 0, sizeof(*w));
    p->names = elm_names_new();
    p->nodes_max = 400;
    p->edit_nodes_max = 64;
    p->measure_count = 2;
    p->measures[0] = (struct elm_measure){"nodes", 80, 240, 16, ELM_MEASURE_NODES};
    p->measures[1] = (struct elm_measure){"steps", 10, 18, 32, ELM_MEASURE_STEPS};
    strcpy(p->io.entry, "f");
    p->io.param_count = 1;
    p->io.params[0] = (struct elm_io_param){.name = "a", .type = ELM_TYPE_INT_ARRAY,
                                            .direction = ELM_IO_INOUT, .dims = {LENGTH, 0}};
    if (elm_tree_parse(elm_str(seed_text), p->names, &p->seed, &err) != ELM_OK ||
        elm_tree_check(&p->seed, p->names, &err) != ELM_OK ||
        elm_io_layout(&p->io, &err) != ELM_OK)
        die("seed", &err);
    struct elm_rng rng = elm_rng(7, 0);
    for (int c = 0; c < CASES; c++) {
        for (int i = 0; i < LENGTH; i++)
            w->in[c][i] = (int32_t)elm_rng_range(&rng, -99, 99);
    }
    w->pool = elm_pool_new();
    w->vm = elm_vm_memory_new();
    w->kind = elm_archive_find("grid");
    w->archive = w->kind->make(p, -1e9);
}

static void evaluate(struct world *w, const struct elm_tree *t, struct elm_evaluation *e)
{
    struct elm_buf code = {0};
    uint32_t inversions = 0;
    e->status = ELM_EVAL_BUILD_FAILED;
    if (elm_vm_compile(t, w->problem.names, &w->problem.io, &code, NULL) == ELM_OK)
        e->status = ELM_EVAL_OK;
    for (int c = 0; c < CASES && e->status == ELM_EVAL_OK; c++) {
        int32_t out[LENGTH];
        uint64_t steps = 0;
        enum elm_vm_end end = elm_vm_run(code.ptr, w->vm, w->in[c], out, 20000, &steps);
        e->steps += steps;
        if (end != ELM_VM_OK) {
            e->status = end == ELM_VM_FUEL ? ELM_EVAL_TIMEOUT : ELM_EVAL_CRASHED;
            snprintf(e->why, sizeof(e->why), "%s", elm_vm_end_name(end));
        }
        for (int i = 0; i + 1 < LENGTH; i++)
            inversions += out[i] > out[i + 1];
    }
    elm_buf_release(&code);
    if (e->status != ELM_EVAL_OK)
        return;
    e->fitness = 1.0 - inversions / (double)(CASES * (LENGTH - 1)) - 1e-7 * (double)e->steps;
    e->measures[0] = t->count;
    e->measures[1] = log2((double)e->steps + 1);
}

static void admit(struct world *w, struct elm_attempt *a, const struct elm_tree *tree,
                  const struct elm_evaluation *e, struct elm_arena *arena)
{
    struct elm_entrant x = {.id = a->id, .parent = -1, .nodes = tree->count, .evaluation = e};
    struct elm_add_result r = w->kind->add(w->archive, &x);
    a->outcome = (uint8_t)r.outcome;
    if (r.outcome < ELM_OUTCOME_IMPROVED)
        return;
    struct elm_buf text = {0};
    elm_tree_print(tree, w->problem.names, &text);
    a->text.len = text.len;
    char *copy = elm_arena_alloc(arena, text.len);
    memcpy(copy, text.ptr, text.len);
    a->text.ptr = copy;
    elm_buf_release(&text);
    struct elm_tree mine = elm_tree_copy(tree);
    elm_pool_add(w->pool, tree);
    held_new(&w->held, a->id, &mine, (struct elm_str){0}, w->problem.names, e);
    if (r.evicted >= 0)
        held_unref(&w->held, held_find(&w->held, r.evicted));
}

static uint32_t choose_parents(struct world *w, struct elm_attempt *a, struct elm_rng *rng,
                               struct elm_parent parents[2])
{
    uint32_t elites = w->kind->count(w->archive), count = elites > 1 ? 2 : 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_elite *elite = w->kind->at(w->archive, elm_rng_below(rng, elites));
        struct held *h = held_find(&w->held, elite->id);
        a->parents[i] = h->id;
        parents[i] = (struct elm_parent){.id = h->id, .tree = &h->tree, .editable = h->editable,
                                         .editable_count = h->editable_count,
                                         .evaluation = &h->evaluation};
    }
    return count;
}

/* The child of the edits; false when there is nothing to evaluate. */
static bool make_child(struct world *w, struct elm_attempt *a, const struct elm_tree *parent,
                       const struct elm_edit *edits, uint32_t edit_count, struct elm_tree *child)
{
    struct elm_error why = {0};
    if (elm_tree_edit(parent, edits, edit_count, child, &why) != ELM_OK ||
        elm_tree_check(child, w->problem.names, &why) != ELM_OK) {
        a->status = ELM_EVAL_BUILD_FAILED;
        snprintf(a->why, sizeof(a->why), "%.47s", why.message);
        return false;
    }
    uint64_t hash = elm_tree_hash(child);
    if (hash == elm_tree_hash(parent)) {
        a->status = ELM_EVAL_NO_CHANGE;
        return false;
    }
    if (!seen_add(&w->seen, hash)) {
        a->status = ELM_EVAL_DUPLICATE;
        return false;
    }
    a->hash = hash;
    return true;
}

static void tell(struct world *w, struct elm_attempt *a, const struct elm_tree *child,
                 double parent_fitness, struct elm_arena *arena)
{
    struct elm_evaluation e = {0};
    evaluate(w, child, &e);
    a->status = (uint8_t)e.status;
    a->steps = e.steps;
    a->arrival_us = w->clock_us += 2;
    a->outcome = ELM_OUTCOME_REJECTED;
    a->better = ELM_BETTER_NO;
    snprintf(a->why, sizeof(a->why), "%.47s", e.why);
    if (e.status != ELM_EVAL_OK)
        return;
    a->fitness = e.fitness;
    a->measure_count = 2;
    memcpy(a->measures, e.measures, sizeof(a->measures));
    a->better = e.fitness > parent_fitness ? ELM_BETTER_YES : ELM_BETTER_NO;
    admit(w, a, child, &e, arena);
}

/* As src/search does it: parents, edit, check, hash, evaluation, outcome. Was it evaluated? */
static bool attempt(struct world *w, struct elm_attempt *a, struct elm_arena *arena)
{
    struct elm_rng rng = elm_rng(3, (uint64_t)a->id);
    struct elm_parent parents[2];
    uint32_t count = choose_parents(w, a, &rng, parents);
    a->operator_index = elm_rng_chance(&rng, 0.2);
    const struct elm_operator_kind *kind =
        elm_operator_find(a->operator_index ? "constants" : "tree");
    elm_arena_clear(&w->scratch);
    struct elm_operator_context context = {.problem = &w->problem, .pool = w->pool, .vm = w->vm,
                                           .arena = &w->scratch};
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t edit_count = 0;
    struct elm_tree child = {0};
    if (kind->mutate(NULL, &context, &(struct elm_parents){parents, count}, &rng, edits,
                     &edit_count, NULL) != ELM_OK) {
        a->status = ELM_EVAL_NO_CHANGE;
        strcpy(a->why, "the operator found nothing to do");
        return false;
    }
    struct elm_buf bytes = {0};
    elm_edits_encode(edits, edit_count, &bytes);
    char *copy = elm_arena_alloc(arena, bytes.len);
    memcpy(copy, bytes.ptr, bytes.len);
    a->edit = (struct elm_str){copy, bytes.len};
    elm_buf_release(&bytes);
    bool good = make_child(w, a, parents[0].tree, edits, edit_count, &child);
    if (good)
        tell(w, a, &child, parents[0].evaluation->fitness, arena);
    elm_tree_release(&child);
    return good;
}

static struct elm_attempt *make_attempts(struct elm_arena *arena)
{
    struct world w;
    struct elm_attempt *all = elm_calloc(SOURCE, sizeof(*all));
    struct elm_attempt seed = {.id = 0};
    struct elm_evaluation e = {0};
    open_world(&w);
    evaluate(&w, &w.problem.seed, &e);
    admit(&w, &seed, &w.problem.seed, &e, arena);
    uint32_t evaluated = 0;
    for (uint32_t i = 0; i < SOURCE; i++) {
        all[i] = (struct elm_attempt){.id = i + 1, .parents = {-1, -1}, .opponent = -1};
        evaluated += attempt(&w, &all[i], arena);
        if (evaluated % BATCH == 0)
            w.clock_us += 2500;
    }
    w.kind->free(w.archive);
    held_release(&w.held);
    seen_release(&w.seen);
    elm_pool_free(w.pool);
    elm_vm_memory_free(w.vm);
    elm_tree_release(&w.problem.seed);
    elm_names_free(w.problem.names);
    elm_arena_release(&w.scratch);
    return all;
}

/* The first attempt of a store: its parents' parent. */
static void append_seed(struct elm_store *s)
{
    struct elm_error err = {0};
    struct elm_attempt seed = {.operator_index = 255, .outcome = ELM_OUTCOME_NEW,
                               .parents = {-1, -1}, .hash = 1, .opponent = -1,
                               .text = elm_str(seed_text)};
    if (elm_store_append(s, &seed, 1, &err) != ELM_OK)
        die("append", &err);
}

/* Appends `count` attempts in batches, over and over the same ones with ids moved on. */
static void append_attempts(struct elm_store *s, const struct elm_attempt *all, uint32_t count,
                            bool admitted)
{
    struct elm_error err = {0};
    struct elm_attempt batch[BATCH];
    for (uint32_t done = 0; done < count; done += BATCH) {
        int64_t moved = (int64_t)(done / SOURCE) * SOURCE;
        for (uint32_t i = 0; i < BATCH; i++) {
            struct elm_attempt *a = &batch[i];
            *a = all[(done + i) % SOURCE];
            a->id += moved;
            a->batch = 1 + done / BATCH;
            for (int k = 0; k < 2; k++)
                a->parents[k] += a->parents[k] > 0 ? moved : 0;
            if (!admitted && a->outcome >= ELM_OUTCOME_IMPROVED)
                a->outcome = ELM_OUTCOME_REJECTED;
        }
        if (elm_store_append(s, batch, BATCH, &err) != ELM_OK)
            die("append", &err);
    }
}

static struct elm_store *open_store(const char *folder, enum elm_store_mode mode)
{
    struct elm_store *s = NULL;
    struct elm_error err = {0};
    if (elm_store_open(folder, mode, &s, &err) != ELM_OK)
        die("open", &err);
    return s;
}

static void close_store(struct elm_store *s)
{
    struct elm_error err = {0};
    if (elm_store_close(s, &err) != ELM_OK)
        die("close", &err);
}

static void line(const char *name, double value, const char *unit)
{
    printf("%s %.6g %s\n", name, value, unit);
}

/* The admitted ones alone, in batches, their parents renumbered. */
static uint32_t admitted_only(const struct elm_attempt *all, struct elm_attempt *rows)
{
    int64_t *number = elm_calloc(SOURCE + 1, sizeof(*number));
    uint32_t count = 0;
    for (uint32_t i = 0; i < SOURCE; i++) {
        if (all[i].outcome < ELM_OUTCOME_IMPROVED)
            continue;
        struct elm_attempt *a = &rows[count++];
        *a = all[i];
        number[a->id] = count;
        a->id = count;
        a->batch = 1 + (count - 1) / BATCH;
        for (int k = 0; k < 2; k++)
            a->parents[k] = a->parents[k] > 0 ? number[a->parents[k]] : a->parents[k];
    }
    free(number);
    return count / BATCH * BATCH;
}

/* Every attempt admitted, with the full text of a program; all on disk at the end. */
static void bench_rows(const char *folder, const struct elm_attempt *all)
{
    struct elm_store *s = open_store(folder, ELM_STORE_CREATE);
    struct elm_attempt *rows = elm_malloc(SOURCE * sizeof(*rows));
    struct elm_error err = {0};
    uint32_t count = admitted_only(all, rows);
    append_seed(s);
    int64_t start = elm_clock_us(), cpu = elm_cpu_us();
    for (uint32_t i = 0; i < count; i += BATCH) {
        if (elm_store_append(s, rows + i, BATCH, &err) != ELM_OK)
            die("append", &err);
    }
    if (elm_store_flush(s, &err) != ELM_OK)
        die("flush", &err);
    line("store_rows_per_s", count / ((double)(elm_clock_us() - start) / 1e6), "1/s");
    line("store_rows_per_cpu_s", count / ((double)(elm_cpu_us() - cpu) / 1e6), "1/s");
    close_store(s);
    free(rows);
}

static void bench_attempts(const char *folder, const struct elm_attempt *all)
{
    struct elm_store *s = open_store(folder, ELM_STORE_CREATE);
    struct elm_error err = {0};
    struct elm_store_totals t;
    append_seed(s);
    int64_t start = elm_clock_us(), cpu = elm_cpu_us();
    append_attempts(s, all, PACKED, false);
    if (elm_store_flush(s, &err) != ELM_OK)
        die("flush", &err);
    double seconds = (double)(elm_clock_us() - start) / 1e6;
    line("packed_attempts_per_s", PACKED / seconds, "1/s");
    line("packed_attempts_per_cpu_s", PACKED / ((double)(elm_cpu_us() - cpu) / 1e6), "1/s");
    close_store(s);
    s = open_store(folder, ELM_STORE_READ);
    if (elm_store_totals(s, &t, &err) != ELM_OK)
        die("totals", &err);
    line("bytes_per_packed_attempt", (double)t.packed_bytes / (double)t.attempts, "B");
    line("file_bytes_per_packed_attempt", (double)t.file_bytes / (double)t.attempts, "B");
    close_store(s);
}

/* A run of a million as a search leaves it, a tenth of it after the last snapshot. */
static void make_million(const char *folder, const struct elm_attempt *all)
{
    struct elm_store *s = open_store(folder, ELM_STORE_CREATE);
    struct elm_error err = {0};
    struct elm_buf state = {0};
    struct elm_store_totals t;
    struct elm_rng rng = elm_rng(2, 2);
    for (uint32_t i = 0; i < MILLION; i++) {
        uint64_t hash = elm_rng_u64(&rng);
        elm_buf_add(&state, &hash, sizeof(hash));
    }
    append_seed(s);
    append_attempts(s, all, MILLION, true);
    if (elm_store_snapshot_put(s, MILLION / BATCH / 10 * 9, elm_buf_str(&state), &err) != ELM_OK)
        die("snapshot", &err);
    elm_buf_release(&state);
    close_store(s);
    s = open_store(folder, ELM_STORE_READ);
    if (elm_store_totals(s, &t, &err) != ELM_OK)
        die("totals", &err);
    line("file_bytes_per_attempt", (double)t.file_bytes / (double)t.attempts, "B");
    line("admitted_share", (double)t.admitted / (double)t.attempts, "");
    close_store(s);
}

static bool next_attempt(void *ctx, const struct elm_attempt *a)
{
    *(uint64_t *)ctx += a->hash != 0;
    return true;
}

static void bench_open(const char *folder)
{
    struct elm_error err = {0};
    struct elm_buf state = {0};
    int64_t batch, start = elm_clock_us();
    uint64_t evaluated = 0;
    struct elm_store *s = open_store(folder, ELM_STORE_RESUME);
    if (elm_store_snapshot_get(s, &batch, &state, &err) != ELM_OK)
        die("snapshot", &err);
    int64_t opened = elm_clock_us();
    if (elm_store_each_batch(s, batch + 1, next_attempt, &evaluated, &err) != ELM_OK)
        die("tail", &err);
    line("store_open_million_ms", (double)(opened - start) / 1e3, "ms");
    line("store_read_tail_ms", (double)(elm_clock_us() - opened) / 1e3, "ms");
    start = elm_clock_us();
    evaluated = 0;
    if (elm_store_each(s, 0, next_attempt, &evaluated, &err) != ELM_OK)
        die("each", &err);
    line("store_read_attempts_per_s", MILLION / ((double)(elm_clock_us() - start) / 1e6), "1/s");
    elm_buf_release(&state);
    close_store(s);
}

static void delete(const char *folder)
{
    struct elm_error err = {0};
    if (elm_store_delete(folder, &err) != ELM_OK)
        die("delete", &err);
}

int main(void)
{
    struct elm_arena arena = {0};
    struct elm_attempt *all = make_attempts(&arena);
    const char *base = getenv("TMPDIR");
    char folder[80];
    snprintf(folder, sizeof(folder), "%.60s/elm-bench-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    bench_rows(folder, all);
    delete(folder);
    bench_attempts(folder, all);
    delete(folder);
    make_million(folder, all);
    bench_open(folder);
    delete(folder);
    free(all);
    elm_arena_release(&arena);
    return 0;
}
