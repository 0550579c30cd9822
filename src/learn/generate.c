/*
 * generate: tasks by number. In training SHARE numbers in a row share a target, since a target costs
 * more than the corruptions of it. A target is drawn until one is worth it: cheap tests first.
 */
#include "learn/generator.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARE 16                 /* in training */
#define LARGE 1000000.0
#define NODES_MAX 100
#define EDIT_NODES_MAX 20
#define STREAM_BUCKETS 16        /* of hashes: one for reports, one for gates, the rest for training */
#define TARGET_STEPS 500          /* of a target on a case; of what it becomes */
#define SEED_STEPS 1000
#define PROBES 6                 /* cases that are tried before all */
#define SMALL_TRIES 60           /* before a chain may use any mistake */
#define TRIED_MAX 512
#define ODD_SHARE 0.85           /* of the targets; in training, as the next three */
#define ODD_MISTAKES 10          /* at most; tries for them */
#define ODD_TRIES 30
#define ODD_NODES_MAX 90
#define DECOYS_SHARE 0.12
#define NAMES_SHARE 0.1          /* of chains that mostly change names; with decoys: half */
#define OPERATORS_SHARE 0.15

static const uint32_t set_cases[ELM_SETS] = {48, 48, 64};

enum { SALT_TARGET = 0x7a, SALT_CHAIN = 0xc4 };

static struct elm_tree view(struct sketch_tree *t)
{
    return (struct elm_tree){t->nodes, t->count};
}

enum elm_status elm_generator_open(const struct elm_generator_def *def, struct elm_generator **out,
                                   struct elm_error *err)
{
    if ((unsigned)def->stream >= ELM_STREAMS)
        return elm_fail(err, ELM_USAGE, "stream %d: 0 to %d are allowed", (int)def->stream,
                        ELM_STREAMS - 1);
    if ((unsigned)def->family >= ELM_FAMILIES)
        return elm_fail(err, ELM_USAGE, "family %d: 0 to %d are allowed", (int)def->family,
                        ELM_FAMILIES - 1);
    if (def->corruptions_min < 1 || def->corruptions_max > 8 ||
        def->corruptions_min > def->corruptions_max)
        return elm_fail(err, ELM_USAGE, "%u to %u corruptions: 1 to 8 are allowed, the smaller "
                        "number first", def->corruptions_min, def->corruptions_max);
    struct elm_generator *g = elm_calloc(1, sizeof(*g));
    g->def = *def;
    g->vm = elm_vm_memory_new();
    if (def->family == ELM_FAMILY_BOOLEAN)
        g->table = boolean_table_new();
    struct elm_problem *p = &g->task.problem;
    *p = (struct elm_problem){
        .name = g->name, .summary = g->text, .folder = g->text, .description = g->text,
        .variant = g->text, .seed_text = g->text, .best_known_source = g->text,
        .names = elm_names_new(), .by_reference = true, .reference_fitness = 1,
        .fuel = GENERATOR_FUEL, .total_fuel = UINT64_MAX, .cpu_ms = 200, .memory_mb = 64,
        .nodes_max = NODES_MAX, .edit_nodes_max = EDIT_NODES_MAX, .target = 1, .best_known = 1,
        .hardness = NAN, .hardness_search = NAN, .solve_rate = NAN, .archive = "rooted", .selector = "uniform",
        .budget_evaluations = 20000, .io = {.entry = "f"},
    };
    sketch_names(p->names, &g->known);
    for (int set = 0; set < (def->cases_of_shown_only ? 1 : ELM_SETS); set++) {
        g->task.case_count[set] = p->case_count[set] = set_cases[set];
        g->task.in[set] = g->in[set];
        g->task.want[set] = g->want[set];
    }
    g->task.want_mask = g->mask;
    *out = g;
    return ELM_OK;
}

void elm_generator_close(struct elm_generator *g)
{
    if (g == NULL)
        return;
    elm_names_free(g->task.problem.names);
    elm_vm_memory_free(g->vm);
    elm_buf_release(&g->code);
    free(g->table);
    free(g);
}

/* ---- running ---- */

bool generator_compile(struct elm_generator *g, struct sketch_tree *t)
{
    struct elm_tree tree = view(t);
    elm_buf_clear(&g->code);
    return elm_vm_compile(&tree, g->task.problem.names, &g->task.problem.io, &g->code, NULL) ==
           ELM_OK;
}

bool generator_run(struct elm_generator *g, const uint8_t *in, uint32_t c, uint64_t most,
                   uint8_t out[8])
{
    uint64_t steps;
    return elm_vm_run(g->code.ptr, g->vm, in + (size_t)c * g->task.problem.io.in_bytes, out,
                      most, &steps) == ELM_VM_OK &&
           (!g->slots.out[0].real || task_finite(&g->slots, out));
}

static void load_cases(struct elm_generator *g, enum elm_set set, uint32_t from, uint32_t to)
{
    g->word_count = elm_vm_case_words(g->code.ptr);
    ELM_ASSERT(g->word_count <= GENERATOR_WORDS_MAX);
    for (uint32_t c = from; c < to; c++)
        elm_vm_load(g->code.ptr, g->vm, g->in[set] + (size_t)c * g->task.problem.io.in_bytes,
                    g->words[set] + (size_t)c * g->word_count);
}

/* Runs what was compiled on loaded cases. False: it fails on one, or takes more steps. */
static bool run_cases(struct elm_generator *g, enum elm_set set, uint32_t from, uint32_t to,
                      uint64_t most, uint8_t *out)
{
    const union elm_value *words = g->words[set] + (size_t)from * g->word_count;
    if (elm_vm_run_loaded(g->code.ptr, g->vm, words, to - from, most, out + (size_t)from * 8) < to - from)
        return false;
    for (uint32_t c = from; c < to && g->slots.out[0].real; c++) {
        if (!task_finite(&g->slots, out + (size_t)c * 8))
            return false;
    }
    return true;
}

bool generator_same(const struct elm_generator *g, const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, 8) == 0 || formula_number(g->slots.out[0].real, a, b) >= 1;
}

/* ---- targets ---- */

static void set_head(struct elm_generator *g)
{
    struct elm_problem *p = &g->task.problem;
    p->io.returns = g->head.returns;
    p->io.param_count = g->head.param_count;
    for (uint32_t i = 0; i < g->head.param_count; i++) {
        const struct sketch_param *from = &g->head.params[i];
        bool array = from->type == ELM_TYPE_INT_ARRAY || from->type == ELM_TYPE_DOUBLE_ARRAY;
        struct elm_str name = elm_names_text(p->names, from->name);
        struct elm_io_param *to = &p->io.params[i];
        *to = (struct elm_io_param){.type = from->type, .dims = {array ? 8 : 0, 0}};
        memcpy(to->name, name.ptr, name.len);
        p->inputs[i] = from->range;
    }
    enum elm_status status = elm_io_layout(&p->io, NULL);
    ELM_ASSERT(status == ELM_OK && p->io.in_bytes <= GENERATOR_IN_BYTES_MAX && p->io.out_bytes == 8);
    task_slots(p, &g->slots);
}

static double number(const struct elm_generator *g, const uint8_t *at)
{
    double x;
    int32_t v;
    memcpy(&x, at, 8);
    memcpy(&v, at, 4);
    return g->slots.out[0].real ? x : v;
}

static bool all_small(const struct elm_generator *g, const uint8_t *out, uint32_t from, uint32_t to)
{
    for (uint32_t c = from; c < to && g->table == NULL; c++) {
        double v = number(g, out + (size_t)c * 8);
        if (v > LARGE || v < -LARGE)
            return false;
    }
    return true;
}

/* No value in most cases, and not an input. */
static bool is_varied(const struct elm_generator *g)
{
    const struct elm_problem *p = &g->task.problem;
    uint32_t n = set_cases[ELM_SET_SHOWN];
    const uint8_t *want = g->want[ELM_SET_SHOWN];
    for (uint32_t c = 0; c < n; c++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < n; k++)
            same += memcmp(want + 8 * (size_t)c, want + 8 * (size_t)k, 8) == 0;
        if (same > n * 7 / 10)
            return false;
        /* a value in most cases is among any few */
        if (c > n * 3 / 10)
            break;
    }
    for (uint32_t i = 0; i < g->slots.in_count; i++) {
        const struct formula_slot *s = &g->slots.in[i];
        uint32_t same = 0;
        for (uint32_t c = 0; c < n && !s->array && s->real == g->slots.out[0].real; c++)
            same += memcmp(want + 8 * (size_t)c, g->in[0] + (size_t)c * p->io.in_bytes + s->offset,
                           s->real ? 8 : 4) == 0;
        if (same > n * 17 / 20)
            return false;
    }
    return true;
}

/* Does each input change an output, when it is another case's? The target's code is compiled. */
static bool uses_inputs(struct elm_generator *g)
{
    uint32_t n = set_cases[ELM_SET_SHOWN], bytes = g->task.problem.io.in_bytes;
    for (uint32_t i = 0; i < g->slots.in_count; i++) {
        const struct formula_slot *s = &g->slots.in[i];
        size_t width = (size_t)s->count * (s->real ? 8 : 4);
        bool used = false;
        for (uint32_t c = 0; c < n && !used; c++) {
            uint8_t out[8], *in = g->changed_in;
            memcpy(in, g->in[0] + (size_t)c * bytes, bytes);
            memcpy(in + s->offset, g->in[0] + (size_t)((c + 1) % n) * bytes + s->offset, width);
            used = generator_run(g, in, 0, TARGET_STEPS, out) && !generator_same(g, g->want[0] + 8 * (size_t)c, out);
        }
        if (!used)
            return false;
    }
    return true;
}

static bool changes_something(struct elm_generator *g, struct sketch_tree *t)
{
    if (!generator_compile(g, t))
        return true;
    for (uint32_t c = 0; c < set_cases[ELM_SET_SHOWN]; c++) {
        uint8_t out[GENERATOR_CASES_MAX * 8];
        if (!run_cases(g, ELM_SET_SHOWN, c, c + 1, SEED_STEPS, out) ||
            !generator_same(g, g->want[0] + 8 * (size_t)c, out + 8 * (size_t)c))
            return true;
    }
    return false;
}

/* Does every expression matter? Each that is read is replaced by 0 and by 1. */
static bool is_alive(struct elm_generator *g)
{
    const struct sketch_tree *t = &g->target;
    uint32_t lvalue = UINT32_MAX;
    for (uint32_t i = 2 + g->head.param_count; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        bool stores = n->kind >= ELM_NODE_ASSIGN;
        if (stores)
            lvalue = i + 1;
        if (stores || i == lvalue || n->kind < ELM_NODE_INT || n->kind > ELM_NODE_COND)
            continue;
        bool matters = false;
        for (int v = 0; v < 2 && !matters; v++) {
            struct elm_node put[2];
            uint32_t count = n->type == ELM_TYPE_DOUBLE ? elm_edit_real(put, v)
                                                        : elm_edit_int(put, v);
            if (elm_edit_same(n, put, count))
                continue;
            sketch_replace(t, i, put, count, &g->scratch);
            matters = changes_something(g, &g->scratch);
        }
        if (!matters)
            return false;
    }
    return true;
}

static bool draw_set(struct elm_generator *g, enum elm_set set)
{
    struct elm_problem *p = &g->task.problem;
    uint32_t n = set_cases[set];
    task_fill(p, &g->slots, set, n, g->in[set]);
    for (uint32_t from = 0, to = PROBES; from < n; from = to, to = n) {
        load_cases(g, set, from, to);
        if (!run_cases(g, set, from, to, TARGET_STEPS, g->want[set]) || !all_small(g, g->want[set], from, to))
            return false;
    }
    return true;
}

/* The target's code is compiled. */
static bool draw_sets(struct elm_generator *g)
{
    for (int set = 0; set < ELM_SETS; set++) {
        if (g->task.case_count[set] > 0 && !draw_set(g, (enum elm_set)set))
            return false;
    }
    return true;
}

static enum elm_stream stream_of(uint64_t hash)
{
    uint64_t bucket = hash % STREAM_BUCKETS;
    return bucket == 0 ? ELM_STREAM_REPORT : bucket == 1 ? ELM_STREAM_GATE : ELM_STREAM_TRAIN;
}

static bool draw_target(struct elm_generator *g, struct elm_rng *rng, enum sketch_family family)
{
    struct elm_problem *p = &g->task.problem;
    if (g->table != NULL)
        g->task.gates = boolean_draw(g->table, &g->known, rng, &g->head, &g->target);
    else
        sketch_head(&g->known, rng, family, &g->head);
    if (g->table == NULL && !sketch_body(&g->known, rng, &g->head, g->size, &g->target))
        return false;
    struct elm_tree tree = view(&g->target);
    bool training = g->def.stream == ELM_STREAM_TRAIN;
    if (stream_of(elm_tree_hash(&tree)) != g->def.stream || (training && yardstick_sum(&g->target)) ||
        elm_tree_check(&tree, p->names, NULL) != ELM_OK)
        return false;
    p->case_seed = elm_rng_u64(rng) >> 16;
    set_head(g);
    if (!generator_compile(g, &g->target) || !draw_sets(g))
        return false;
    return is_varied(g) && uses_inputs(g) && !(training && yardstick_computes(g)) && is_alive(g);
}

/* May the target stand as it is? Its code is compiled after. */
static bool is_target(struct elm_generator *g)
{
    struct elm_tree tree = view(&g->target);
    if (stream_of(elm_tree_hash(&tree)) != g->def.stream || yardstick_sum(&g->target) ||
        !generator_compile(g, &g->target) || !draw_sets(g))
        return false;
    return is_varied(g) && uses_inputs(g) && !yardstick_computes(g) && is_alive(g);
}

/* What a mistake left in g->scratch. */
static bool is_program(struct elm_generator *g, enum sketch_mistake mistake)
{
    struct elm_tree tree = view(&g->scratch);
    return mistake == SKETCH_SOUND ||
           (mistake == SKETCH_UNCHECKED && elm_tree_check(&tree, g->task.problem.names, NULL) == ELM_OK);
}

/* Makes a target that nobody would write, so that what looks odd isn't what is wrong: mistakes are made
 * in it that are meant. Left as it was when that comes to nothing. */
static void make_odd(struct elm_generator *g, struct elm_rng *rng)
{
    uint32_t wanted = 1 + elm_rng_below(rng, ODD_MISTAKES), made = 0;
    g->plain.count = g->target.count;
    memcpy(g->plain.nodes, g->target.nodes, g->target.count * sizeof(g->target.nodes[0]));
    for (uint32_t tries = 0; tries < ODD_TRIES && made < wanted; tries++) {
        uint8_t out[PROBES * 8];
        enum sketch_mistake mistake = sketch_corrupt(rng, SKETCH_ANY, &g->target, &g->scratch);
        if (g->scratch.count > ODD_NODES_MAX || !is_program(g, mistake) ||
            !generator_compile(g, &g->scratch) ||
            !run_cases(g, ELM_SET_SHOWN, 0, PROBES, TARGET_STEPS, out))
            continue;
        g->target.count = g->scratch.count;
        memcpy(g->target.nodes, g->scratch.nodes, g->scratch.count * sizeof(g->scratch.nodes[0]));
        made++;
    }
    if (is_target(g))
        return;
    g->target.count = g->plain.count;
    memcpy(g->target.nodes, g->plain.nodes, g->plain.count * sizeof(g->plain.nodes[0]));
    bool still = generator_compile(g, &g->target) && draw_sets(g);
    ELM_ASSERT(still);
}

/* ---- corruptions ---- */

/* Runs on all shown cases: does it fail nowhere, and differ from both? */
static bool is_change(struct elm_generator *g, const uint8_t *before, uint8_t *out)
{
    bool moved = false, wrong = false;
    uint32_t n = set_cases[ELM_SET_SHOWN];
    if (!run_cases(g, ELM_SET_SHOWN, 0, n, SEED_STEPS, out))
        return false;
    for (uint32_t c = 0; c < n && !(moved && wrong); c++) {
        const uint8_t *at = out + 8 * (size_t)c;
        moved = moved || !generator_same(g, before + 8 * (size_t)c, at);
        wrong = wrong || !generator_same(g, g->want[0] + 8 * (size_t)c, at);
    }
    return moved && wrong;
}

static bool runs_elsewhere(struct elm_generator *g)
{
    uint8_t out[GENERATOR_CASES_MAX * 8];
    for (int set = 1; set < ELM_SETS; set++) {
        if (!run_cases(g, (enum elm_set)set, 0, g->task.case_count[set], SEED_STEPS, out))
            return false;
    }
    return true;
}

/* Half the chains of up to six, the short ones most: a single mistake is a slip, many are a mess. */
static const double small_share[] = {0.95, 0.85, 0.6, 0.3, 0.2, 0.1, 0.1, 0.1};

static enum sketch_mood draw_mood(struct elm_generator *g, struct elm_rng *rng, uint32_t corruptions)
{
    bool small = elm_rng_chance(rng, small_share[corruptions - 1]);
    if (g->def.stream == ELM_STREAM_TRAIN && g->table == NULL) {
        double drawn = elm_rng_unit(rng), names = g->has_decoys ? 0.5 : NAMES_SHARE;
        if (drawn < names + OPERATORS_SHARE)
            return drawn < names ? SKETCH_NAMES : SKETCH_OPERATORS;
    }
    return small ? SKETCH_SMALL : SKETCH_ANY;
}

/* Programs that were made and that would come to nothing again. */
struct tried {
    uint64_t hashes[TRIED_MAX];
    uint32_t count;
};

static uint64_t bytes_hash(const struct sketch_tree *t)
{
    return elm_hash(t->nodes, t->count * sizeof(t->nodes[0]), 0);
}

/* Is it among them? From now on it is. */
static bool is_again(struct tried *t, uint64_t hash)
{
    for (uint32_t i = 0; i < t->count; i++) {
        if (t->hashes[i] == hash)
            return true;
    }
    if (t->count < TRIED_MAX)
        t->hashes[t->count++] = hash;
    return false;
}

static void corrupt(struct elm_generator *g, struct elm_rng *rng, uint32_t corruptions)
{
    struct tried tried;
    uint8_t outputs[2][GENERATOR_CASES_MAX * 8];
    enum sketch_mood mood = draw_mood(g, rng, corruptions);
    memcpy(outputs[0], g->want[0], sizeof(outputs[0]));
    g->seed.count = g->target.count;
    memcpy(g->seed.nodes, g->target.nodes, g->target.count * sizeof(g->seed.nodes[0]));
    tried.hashes[0] = bytes_hash(&g->target);
    tried.count = 1;
    uint32_t made = 0;
    for (uint32_t tries = 0; made < corruptions; tries++) {
        enum sketch_mood now = tries < SMALL_TRIES * corruptions ? mood : SKETCH_ANY;
        enum sketch_mistake mistake = sketch_corrupt(rng, now, &g->seed, &g->scratch);
        if (mistake == SKETCH_NOTHING || g->scratch.count > NODES_MAX)
            continue;
        uint64_t hash = bytes_hash(&g->scratch);
        if (is_again(&tried, hash) || !is_program(g, mistake) ||
            !generator_compile(g, &g->scratch) || !is_change(g, outputs[0], outputs[1]) ||
            !runs_elsewhere(g))
            continue;
        g->seed.count = g->scratch.count;
        memcpy(g->seed.nodes, g->scratch.nodes, g->scratch.count * sizeof(g->seed.nodes[0]));
        memcpy(outputs[0], outputs[1], sizeof(outputs[0]));
        made++;
        /* after another program, what changed nothing may change something */
        tried.hashes[1] = hash;
        tried.count = 2;
    }
}

const struct elm_task *elm_generator_task(struct elm_generator *g, uint64_t number)
{
    struct elm_task *t = &g->task;
    uint64_t target = g->def.stream == ELM_STREAM_TRAIN ? number / SHARE : number;
    if (!g->has_target || g->target_number != target) {
        struct elm_rng rng = elm_rng(elm_hash_mix(g->def.seed, SALT_TARGET), target);
        enum sketch_family family = sketch_family(&rng);
        g->size = sketch_size(&rng, family);
        while (!draw_target(g, &rng, family))
            continue;
        if (g->def.stream == ELM_STREAM_TRAIN && g->table == NULL && elm_rng_chance(&rng, ODD_SHARE))
            make_odd(g, &rng);
        /* what only looks as if it were needed is part of many programs */
        g->has_decoys = g->def.stream == ELM_STREAM_TRAIN && g->table == NULL &&
                        elm_rng_chance(&rng, DECOYS_SHARE);
        if (g->has_decoys)
            sketch_decoys(&rng, &g->target);
        g->target_number = target;
        g->has_target = true;
    }
    struct elm_rng rng = elm_rng(elm_hash_mix(g->def.seed, SALT_CHAIN), number);
    uint32_t kinds = g->def.corruptions_max - g->def.corruptions_min + 1;
    t->corruptions = g->def.corruptions_min + (uint32_t)(number % kinds);
    corrupt(g, &rng, t->corruptions);
    snprintf(g->name, sizeof(g->name), "task-%llu", (unsigned long long)number);
    t->reference = view(&g->target);
    t->problem.seed = view(&g->seed);
    task_evidence(t, &g->slots);
    return t;
}
