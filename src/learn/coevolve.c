/* coevolve: the world, its turns, and what is asked of it. */
#include "learn/coevolve.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRANSFER_TURNS 4
#define BREED_TURNS 8            /* between two new problems */
#define POINT_TURNS 8
#define STORE_TURNS 8
#define CENSUSES 64
#define INTS 2                   /* scalars that come before the array */
#define ARRAY 6
#define NODES_MAX 100
#define EDIT_NODES_MAX 20

enum { SALT_CASES = 0xca5e };

/* Every search begins with it: it has the words that targets are made of. */
static const char root[] =
    "int f(int a, int b, int v[6])\n"
    "{\n"
    "    int s = 0;\n"
    "    for (int i = 0; i < 6; i++) {\n"
    "        if (v[i] > a)\n"
    "            s += v[i] - b;\n"
    "        else\n"
    "            s += i * 2;\n"
    "    }\n"
    "    return s;\n"
    "}\n";

struct elm_coevolve_def elm_default_coevolve_def(void)
{
    return (struct elm_coevolve_def){.seed = 1, .evaluations = 1000000, .problems = 16};
}

/* ---- small things that all parts use ---- */

static void put_hash(uint64_t *table, uint64_t mask, uint64_t hash)
{
    uint64_t at = hash & mask;
    while (table[at] != 0 && table[at] != hash)
        at = (at + 1) & mask;
    table[at] = hash;
}

void coevolve_keep(struct elm_coevolve *c, uint64_t outputs)
{
    if (coevolve_kept(c, outputs))
        return;
    if ((c->kept_count + 1) * 2 > c->kept_mask) {
        uint64_t *old = c->kept, mask = c->kept_mask;
        c->kept_mask = mask * 2 + 1;
        c->kept = elm_calloc(c->kept_mask + 1, sizeof(c->kept[0]));
        for (uint64_t i = 0; i <= mask; i++) {
            if (old[i] != 0)
                put_hash(c->kept, c->kept_mask, old[i]);
        }
        free(old);
    }
    put_hash(c->kept, c->kept_mask, outputs);
    c->kept_count++;
}

bool coevolve_kept(const struct elm_coevolve *c, uint64_t outputs)
{
    uint64_t at = outputs & c->kept_mask;
    while (c->kept[at] != 0 && c->kept[at] != outputs)
        at = (at + 1) & c->kept_mask;
    return c->kept[at] == outputs;
}

void coevolve_emit(struct elm_coevolve *c, const struct elm_change *change, uint64_t outputs)
{
    if (c->folder == NULL)
        return;
    elm_buf_byte(&c->changes, (uint8_t)change->kind);
    elm_buf_byte(&c->changes, (uint8_t)change->group);
    elm_buf_varint(&c->changes, change->evaluations);
    elm_buf_zigzag(&c->changes, change->id);
    elm_buf_zigzag(&c->changes, change->parent);
    elm_buf_zigzag(&c->changes, change->evicted);
    elm_buf_varint(&c->changes, change->nodes);
    if (change->kind == ELM_CHANGE_ADDED)
        elm_buf_add(&c->changes, &outputs, sizeof(outputs));
}

void coevolve_drop(struct coevolve_held *h)
{
    if (h == NULL || --h->refs > 0)
        return;
    elm_tree_release(&h->tree);
    free(h->editable);
    free(h);
}

struct elm_coevolve_point coevolve_point(const struct elm_coevolve *c)
{
    struct elm_coevolve_point p = {.evaluations = c->evaluations};
    uint32_t n = c->def.problems;
    p.made = c->problem_count - n;
    for (uint32_t i = 0; i < c->problem_count; i++) {
        p.solved += c->problems[i].solved > 0;
        p.annecs += i >= n && c->problems[i].solved > 0;
    }
    for (uint32_t g = 0; g < n; g++) {
        struct elm_archive_stats s;
        c->kind->stats(c->groups[g].archive, &s);
        p.best += s.best / n;
        p.coverage += s.coverage / n;
        p.qd += s.qd_score / n;
    }
    return p;
}

void coevolve_add_point(struct elm_coevolve *c, const struct elm_coevolve_point *p)
{
    if (c->point_count == c->point_cap) {
        c->point_cap = c->point_cap == 0 ? 64 : c->point_cap * 2;
        c->points = elm_realloc(c->points, c->point_cap * sizeof(c->points[0]));
    }
    c->points[c->point_count++] = *p;
}

/* ---- the world ---- */

static void measure(struct elm_problem *p, const char *name, double lo, double hi, uint32_t bins)
{
    struct elm_measure *m = &p->measures[p->measure_count++];
    *m = (struct elm_measure){.lo = lo, .hi = hi, .bins = bins};
    strcpy(m->name, name);
}

static enum elm_status fill_problem(struct elm_coevolve *c, struct elm_error *err)
{
    static char nothing[1], name[] = "coevolve";
    struct elm_problem *p = &c->problem;
    *p = (struct elm_problem){
        .name = name, .summary = nothing, .folder = nothing, .description = nothing,
        .variant = nothing, .seed_text = nothing, .best_known_source = nothing,
        .names = elm_names_new(), .by_reference = true, .fuel = COEVOLVE_FUEL,
        .total_fuel = UINT64_MAX, .nodes_max = NODES_MAX, .edit_nodes_max = EDIT_NODES_MAX,
        .io = {.entry = "f", .returns = ELM_TYPE_INT, .param_count = INTS + 1,
               .params = {{.name = "a", .type = ELM_TYPE_INT}, {.name = "b", .type = ELM_TYPE_INT},
                          {.name = "v", .type = ELM_TYPE_INT_ARRAY, .dims = {ARRAY, 0}}}},
    };
    measure(p, "nodes", 20, NODES_MAX, COEVOLVE_NODE_BINS);
    /* of programs that loop once over the array some 60 a case */
    measure(p, "steps", 10, 14, COEVOLVE_STEP_BINS);
    ELM_TRY(elm_io_layout(&p->io, err));
    ELM_TRY(elm_tree_parse(elm_str(root), p->names, &p->seed, err));
    return elm_tree_check(&p->seed, p->names, err);
}

static void draw_cases(struct elm_coevolve *c)
{
    const struct elm_io *io = &c->problem.io;
    for (int set = 0; set < COEVOLVE_SETS; set++) {
        struct elm_rng rng = elm_rng(elm_hash_mix(c->def.seed, SALT_CASES), (uint64_t)set);
        c->in[set] = elm_calloc(COEVOLVE_CASES, io->in_bytes);
        for (uint32_t i = 0; i < COEVOLVE_CASES; i++) {
            int32_t x[INTS + ARRAY];
            for (uint32_t k = 0; k < INTS + ARRAY; k++)
                x[k] = (int32_t)elm_rng_range(&rng, -9, 9);
            ELM_ASSERT(sizeof(x) <= io->in_bytes);
            memcpy(c->in[set] + (size_t)i * io->in_bytes, x, sizeof(x));
        }
    }
    c->evidence = (struct elm_evidence){.case_count = COEVOLVE_CASES, .in = c->in[COEVOLVE_SCORED]};
}

static void find_parts(struct elm_coevolve *c)
{
    static const char *const names[COEVOLVE_OPERATORS] = {"tree", "constants"};
    c->kind = elm_archive_find("grid");
    c->selector = elm_selector_find("power");
    ELM_ASSERT(c->kind != NULL && c->selector != NULL);
    for (int i = 0; i < COEVOLVE_OPERATORS; i++) {
        c->operators[i] = elm_operator_find(names[i]);
        ELM_ASSERT(c->operators[i] != NULL);
        if (c->operators[i]->make != NULL)
            c->selves[i] = c->operators[i]->make(&c->problem);
    }
}

static enum elm_status begin(struct elm_coevolve *c, struct elm_error *err)
{
    ELM_TRY(c->targets != NULL ? coevolve_read_targets(c, err) : coevolve_first(c, err));
    struct coevolve_held *h = coevolve_hold(c, 0, elm_tree_copy(&c->problem.seed));
    ELM_ASSERT(h != NULL);
    for (uint32_t g = 0; g < c->def.problems; g++) {
        c->groups[g].problem = g;
        c->groups[g].archive = c->kind->make(&c->problem, 0);
        if (g == 0)
            coevolve_add(c, g, h, -1);
        else
            coevolve_copy(c, g, h);
    }
    coevolve_drop(h);
    struct elm_coevolve_point p = coevolve_point(c);
    coevolve_add_point(c, &p);
    return ELM_OK;
}

static enum elm_status check(const struct elm_coevolve_def *def, struct elm_error *err)
{
    if (def->problems < ELM_COEVOLVE_PROBLEMS_MIN || def->problems > ELM_COEVOLVE_PROBLEMS_MAX)
        return elm_fail(err, ELM_USAGE, "%u problems at a time: %d to %d are allowed", def->problems,
                        ELM_COEVOLVE_PROBLEMS_MIN, ELM_COEVOLVE_PROBLEMS_MAX);
    if ((unsigned)def->new_problems >= ELM_COEVOLVE_NEWS)
        return elm_fail(err, ELM_USAGE, "new problems of kind %d: 0 to %d are allowed",
                        (int)def->new_problems, ELM_COEVOLVE_NEWS - 1);
    return ELM_OK;
}

enum elm_status elm_coevolve_open(const struct elm_coevolve_def *def, struct elm_coevolve **out,
                                  struct elm_error *err)
{
    ELM_TRY(check(def, err));
    struct elm_coevolve *c = elm_calloc(1, sizeof(*c));
    c->def = *def;
    c->lock = -1;
    c->folder = def->folder != NULL ? elm_strdup(def->folder) : NULL;
    c->targets = def->targets != NULL ? elm_strdup(def->targets) : NULL;
    c->vm = elm_vm_memory_new();
    c->kept_mask = 1023;
    c->kept = elm_calloc(c->kept_mask + 1, sizeof(c->kept[0]));
    bool there = false;
    enum elm_status status = fill_problem(c, err);
    if (status == ELM_OK) {
        draw_cases(c);
        find_parts(c);
    }
    if (status == ELM_OK && c->folder != NULL)
        status = coevolve_lock(c, err);
    if (status == ELM_OK && c->folder != NULL)
        status = coevolve_read(c, &there, err);
    if (status == ELM_OK && !there)
        status = begin(c, err);
    if (status == ELM_OK && !there && c->folder != NULL)
        status = coevolve_write(c, err);
    if (status != ELM_OK) {
        elm_coevolve_close(c);
        return status;
    }
    *out = c;
    return ELM_OK;
}

void elm_coevolve_close(struct elm_coevolve *c)
{
    if (c == NULL)
        return;
    for (int i = 0; i < COEVOLVE_OPERATORS; i++) {
        if (c->operators[i] != NULL && c->operators[i]->free != NULL)
            c->operators[i]->free(c->selves[i]);
    }
    for (uint32_t g = 0; g < c->def.problems; g++) {
        if (c->groups[g].archive != NULL)
            c->kind->free(c->groups[g].archive);
        for (uint32_t i = 0; i < COEVOLVE_NICHES; i++)
            coevolve_drop(c->groups[g].held[i]);
    }
    for (uint32_t i = 0; i < c->problem_count; i++) {
        elm_tree_release(&c->problems[i].target);
        elm_buf_release(&c->problems[i].text);
        elm_buf_release(&c->problems[i].solver);
    }
    if (c->lock >= 0)
        close(c->lock);
    elm_tree_release(&c->problem.seed);
    elm_names_free(c->problem.names);
    elm_vm_memory_free(c->vm);
    elm_arena_release(&c->arena);
    elm_pool_free(c->pool);
    elm_buf_release(&c->code);
    elm_buf_release(&c->changes);
    for (int set = 0; set < COEVOLVE_SETS; set++)
        free(c->in[set]);
    free(c->seen);
    free(c->problems);
    free(c->kept);
    free(c->points);
    free(c->folder);
    free(c->targets);
    free(c);
}

/* ---- turns ---- */

static enum elm_status turn(struct elm_coevolve *c, struct elm_error *err)
{
    for (uint32_t g = 0; g < c->def.problems; g++)
        ELM_TRY(coevolve_search(c, g, err));
    c->turns++;
    if (c->turns % TRANSFER_TURNS == 0)
        coevolve_transfer(c);
    if (c->turns % BREED_TURNS == 0 && c->def.new_problems != ELM_COEVOLVE_NONE)
        coevolve_breed(c);
    coevolve_emit(c, &(struct elm_change){.kind = ELM_CHANGE_BATCH, .evaluations = c->evaluations,
                                          .id = -1, .parent = -1, .evicted = -1}, 0);
    return ELM_OK;
}

enum elm_status elm_coevolve_run(struct elm_coevolve *c,
                                 bool (*tick)(void *ctx, const struct elm_coevolve_point *now),
                                 void *ctx, struct elm_error *err)
{
    bool more = true;
    while (more && c->evaluations < c->def.evaluations) {
        ELM_TRY(turn(c, err));
        struct elm_coevolve_point now = coevolve_point(c);
        if (c->turns % POINT_TURNS == 0)
            coevolve_add_point(c, &now);
        if (c->folder != NULL && c->turns % STORE_TURNS == 0)
            ELM_TRY(coevolve_write(c, err));
        more = tick == NULL || tick(ctx, &now);
    }
    if (c->folder != NULL && c->stored_at != c->turns)
        ELM_TRY(coevolve_write(c, err));
    return more ? ELM_OK : elm_fail(err, ELM_STOPPED, "stopped");
}

/* ---- what is asked of it ---- */

const struct elm_coevolve_point *elm_coevolve_points(const struct elm_coevolve *c, uint32_t *count)
{
    *count = c->point_count;
    return c->points;
}

uint32_t elm_coevolve_problem_count(const struct elm_coevolve *c)
{
    return c->problem_count;
}

struct elm_coevolve_problem elm_coevolve_problem(const struct elm_coevolve *c, uint32_t index)
{
    ELM_ASSERT(index < c->problem_count);
    const struct coevolve_problem *p = &c->problems[index];
    return (struct elm_coevolve_problem){
        .parent = p->parent, .depth = p->depth, .made = p->made, .solved = p->solved,
        .left = p->left, .nodes = p->target.count, .target = elm_buf_str(&p->text),
        .solver = elm_buf_str(&p->solver)};
}

static void tell(void *ctx, const struct elm_change *change, uint64_t outputs)
{
    (void)outputs;
    elm_openness_tell(ctx, change);
}

enum elm_status elm_coevolve_openness(const struct elm_coevolve *c, bool same_places,
                                      struct elm_openness_report *out, struct elm_error *err)
{
    if (c->folder == NULL)
        return elm_fail(err, ELM_USAGE, "open-endedness is counted from a folder, and there is none");
    struct elm_openness_def def = elm_default_openness_def();
    def.same_places = same_places;
    def.interval = c->evaluations / CENSUSES;
    if (def.interval < ELM_OPENNESS_INTERVAL_MIN)
        def.interval = ELM_OPENNESS_INTERVAL_MIN;
    struct elm_openness *o = elm_openness_new(&def);
    enum elm_status status = coevolve_each_change(c, tell, o, err);
    if (status == ELM_OK)
        elm_openness_report(o, out);
    elm_openness_free(o);
    return status;
}

uint64_t elm_coevolve_hash(const struct elm_coevolve *c)
{
    struct elm_buf bytes = {0};
    coevolve_save(c, &bytes);
    uint64_t hash = elm_hash(bytes.ptr, bytes.len, 0);
    elm_buf_release(&bytes);
    return hash;
}
