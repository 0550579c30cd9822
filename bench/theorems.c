/*
 * theorems [SEED] [PROGRAM.c ...]: does what was learned of generated theorems' distances guide a
 * search? The share of theorems proved, each strategy with the same expansions, by the search of
 * problems/theorems. `linear` and `net` learn, by SEED (1), exact distances around theorems of stream 0,
 * distances 3 to 6; `held_out` are others of those distances, `harder` of distances 7 to 9, both
 * from stream 2, of which neither learning nor `elm run theorems` sees one.
 *
 *   theorems_SET_STRATEGY_N          the share proved by N expansions. breadth: unguided; shorter:
 *                                    nearest to the goal in size first; alike: a person's guess;
 *                                    program_K: the K-th PROGRAM.c, a strategy in core C
 *   theorems_SET_STRATEGY_us         CPU an expansion; programs run in the virtual machine
 *   theorems_SET_STRATEGY_equal_cpu  the share proved with the CPU that `linear` needs for 64
 *                                    expansions, with 1000 expansions at most
 *   theorems_SET_ratio, _ratio_16    proved with the net over proved unguided (or over one theorem
 *                                    where that proves none), by 64 and by 16 expansions
 *   theorems_net_error, _linear_error  of the distance learned, root mean square, held out
 * The linear strategy's weights go to standard error.
 */
#define EXPANSIONS 1000
#define SLOTS (1 << 17)
#include "../problems/theorems/hunt.h"

#include "elm/elm.h"

#include <stdio.h>

#define INPUTS FEATURES             /* the features but depth, and a one */
#define HIDDEN 32
#define WEIGHTS_MAX (INPUTS + HIDDEN * (INPUTS + 1))
#define LESSONS_MAX 300000
#define LAYERS 6
#define GOALS 300
#define STEPS 6000
#define BATCH 64
#define COUNT 200
#define FEW 16                      /* expansions reported */
#define MANY 64
#define PROGRAMS_MAX 20

enum { BREADTH, SHORTER, ALIKE, LINEAR, NET, GUIDES };      /* then come the programs */

/* distance = w . x + sum of v_i tanh(u_i . x); all in one vector, w first */
struct net {
    int hidden;
    float weights[WEIGHTS_MAX];
};
struct lesson {
    float x[INPUTS], distance;
};
struct lessons {
    int count;
    struct lesson of[LESSONS_MAX];
};
struct guide {
    const char *name;
    double (*value)(const struct guide *g, const double f[FEATURES]);
    const struct net *net;
    const struct elm_problem *problem;      /* of a program */
    struct elm_buf code;
};
/* at[i]: the expansion that proved theorem i, 0: none did; us: CPU an expansion */
struct proofs {
    int at[COUNT];
    double us;
};

static struct side sides[2];

static void check(enum elm_status status, const struct elm_error *err)
{
    if (status == ELM_OK)
        return;
    fprintf(stderr, "theorems: %s\n", err->message);
    exit(1);
}

/* ---- what is learned from ---- */

static void put_inputs(const double f[FEATURES], float x[INPUTS])
{
    for (int i = 1; i < FEATURES; i++)
        x[i - 1] = (float)(f[i] / NODES_MAX);
    x[INPUTS - 1] = 1;
}

/* The neighbours of some terms of each layer around a goal, with their exact distances. */
static void add_lessons(struct lessons *l, term goal, uint64_t *seed)
{
    struct view v;
    int ends[LAYERS + 1], whole = 0;
    look(goal, &v);
    start_side(&sides[0], goal);
    ends[0] = 1;
    while (whole < LAYERS && sides[0].layer < sides[0].count) {
        grow(&sides[0]);
        if (sides[0].full)
            break;
        ends[++whole] = sides[0].count;
    }
    for (int d = 1; d <= whole; d++) {
        for (int k = 0; k < 4 && ends[d] > ends[d - 1]; k++) {
            term list[NEIGHBOURS_MAX];
            int n = neighbours(sides[0].order[ends[d - 1] + below(seed, ends[d] - ends[d - 1])],
                               list);
            for (int i = 0; i < n && l->count < LESSONS_MAX; i++) {
                double f[FEATURES];
                int place = (int)*slot_of(&sides[0], list[i]) - 1, far = 0;
                while (far <= d && (place < 0 || place >= ends[far]))
                    far++;
                describe(&v, list[i], 0, f);
                put_inputs(f, l->of[l->count].x);
                l->of[l->count++].distance = (float)far;
            }
        }
    }
}

static struct lessons *make_lessons(int stream, uint64_t seed, int goals)
{
    static struct theorem theorems[GOALS];
    struct lessons *l = calloc(1, sizeof(*l));
    goals = make_theorems(sides, seed, stream, 3, 6, goals, theorems);
    for (int i = 0; i < goals; i++)
        add_lessons(l, theorems[i].to, &seed);
    return l;
}

/* ---- learning ---- */

static int weight_count(const struct net *n)
{
    return INPUTS + n->hidden * (INPUTS + 1);
}

static float dot(const float *w, const float *x)
{
    float sum = 0;
    for (int i = 0; i < INPUTS; i++)
        sum += w[i] * x[i];
    return sum;
}

static float answer(const struct net *n, const float *x, float active[HIDDEN])
{
    float sum = dot(n->weights, x);
    for (int h = 0; h < n->hidden; h++) {
        const float *u = n->weights + INPUTS + h * (INPUTS + 1);
        active[h] = tanhf(dot(u, x));
        sum += u[INPUTS] * active[h];
    }
    return sum;
}

static void add_gradient(const struct net *n, const struct lesson *l, float *gradient)
{
    float active[HIDDEN];
    float error = (answer(n, l->x, active) - l->distance) / BATCH;
    for (int i = 0; i < INPUTS; i++)
        gradient[i] += error * l->x[i];
    for (int h = 0; h < n->hidden; h++) {
        const float *u = n->weights + INPUTS + h * (INPUTS + 1);
        float *g = gradient + INPUTS + h * (INPUTS + 1);
        for (int i = 0; i < INPUTS; i++)
            g[i] += error * u[INPUTS] * (1 - active[h] * active[h]) * l->x[i];
        g[INPUTS] += error * active[h];
    }
}

static void learn(struct net *n, const struct lessons *l, uint64_t seed)
{
    const struct elm_optimizer_kind *adamw = elm_optimizer_find("adamw");
    struct elm_optimizer_options options = {0};
    float gradient[WEIGHTS_MAX], memory[2 * WEIGHTS_MAX] = {0};
    for (int i = INPUTS; i < weight_count(n); i++)
        n->weights[i] = (float)(below(&seed, 2001) - 1000) / 1000;
    for (int t = 1; t <= STEPS; t++) {
        memset(gradient, 0, sizeof(gradient));
        for (int i = 0; i < BATCH; i++)
            add_gradient(n, &l->of[below(&seed, l->count)], gradient);
        adamw->step(&(struct elm_optimizer_step){
            .options = &options, .rows = 1, .cols = (uint32_t)weight_count(n), .step = (uint64_t)t,
            .rate = 0.02f * (1 - (float)(t - 1) / STEPS), .weights = n->weights,
            .gradient = gradient, .state = memory,
        });
    }
}

static double error_of(const struct net *n, const struct lessons *l)
{
    float active[HIDDEN];
    double sum = 0;
    for (int i = 0; i < l->count; i++) {
        double error = (double)answer(n, l->of[i].x, active) - (double)l->of[i].distance;
        sum += error * error;
    }
    return sqrt(sum / l->count);
}

/* ---- strategies ---- */

static double shorter(const struct guide *g, const double f[FEATURES])
{
    (void)g;
    return fabs(f[1] - f[2]);
}

static double alike(const struct guide *g, const double f[FEATURES])
{
    (void)g;
    return f[9] - f[6] - f[10];
}

static double learned(const struct guide *g, const double f[FEATURES])
{
    float x[INPUTS], active[HIDDEN];
    put_inputs(f, x);
    return (double)answer(g->net, x, active);
}

struct question {
    int32_t n, unused;
    double f[NEIGHBOURS_MAX][FEATURES];
};

static void run_program(const struct guide *g, const struct question *q, double *values)
{
    static struct elm_vm_memory *vm;
    uint64_t steps;
    if (vm == NULL)
        vm = elm_vm_memory_new();
    if (elm_vm_run(g->code.ptr, vm, q, values, g->problem->fuel, &steps) != ELM_VM_OK)
        abort();
}

static void compile_program(const char *path, struct elm_problem *p, struct elm_buf *code)
{
    struct elm_error err = {0};
    struct elm_buf text = {0};
    struct elm_tree tree = {0};
    check(elm_file_read(path, 1 << 20, &text, &err), &err);
    check(elm_tree_parse(elm_buf_str(&text), p->names, &tree, &err), &err);
    check(elm_tree_check(&tree, p->names, &err), &err);
    check(elm_vm_compile(&tree, p->names, &p->io, code, &err), &err);
    elm_tree_release(&tree);
    elm_buf_release(&text);
}

/* ---- proofs ---- */

static struct hunt hunt;

/* Unguided search is spared the features, which it does not need. */
static void prove(const struct guide *g, const struct theorem *t)
{
    static struct question q;
    double values[NEIGHBOURS_MAX];
    memset(&hunt, 0, sizeof(hunt));
    int asked = hunt_start(&hunt, t);
    while (asked > 0) {
        q.n = asked;
        if (g->value != NULL || g->code.len > 0)
            hunt_ask(&hunt, q.f);
        if (g->code.len > 0)
            run_program(g, &q, values);
        for (int i = 0; i < asked && g->code.len == 0; i++)
            values[i] = g->value != NULL ? g->value(g, q.f[i]) : hunt.depth[hunt.asked + i];
        hunt_tell(&hunt, values);
        asked = hunt_on(&hunt);
    }
}

static void prove_all(const struct guide *g, const struct theorem *theorems, int count,
                      struct proofs *out)
{
    int64_t from = elm_cpu_us();
    int expansions = 0;
    for (int i = 0; i < count; i++) {
        prove(g, &theorems[i]);
        out->at[i] = hunt.proved > 0 ? hunt.expansions : 0;
        expansions += hunt.expansions;
    }
    out->us = (double)(elm_cpu_us() - from) / expansions;
}

static int proved_by(const struct proofs *p, int count, double expansions)
{
    int proved = 0;
    for (int i = 0; i < count; i++)
        proved += p->at[i] > 0 && p->at[i] <= expansions;
    return proved;
}

static void compare(const char *set, const struct guide *guides, int guide_count, int stream,
                    int least, int most)
{
    static struct theorem theorems[COUNT];
    static struct proofs proofs[GUIDES + PROGRAMS_MAX];
    const struct proofs *breadth = &proofs[BREADTH], *net = &proofs[NET];
    int made = make_theorems(sides, 1, stream, least, most, COUNT, theorems);
    for (int i = 0; i < guide_count; i++)
        prove_all(&guides[i], theorems, made, &proofs[i]);
    for (int i = 0; i < guide_count; i++) {
        const struct proofs *p = &proofs[i];
        const char *name = guides[i].name;
        printf("theorems_%s_%s_%d %.3f share\n", set, name, FEW,
               (double)proved_by(p, made, FEW) / made);
        printf("theorems_%s_%s_%d %.3f share\n", set, name, MANY,
               (double)proved_by(p, made, MANY) / made);
        printf("theorems_%s_%s_us %.1f us\n", set, name, p->us);
        printf("theorems_%s_%s_equal_cpu %.3f share\n", set, name,
               (double)proved_by(p, made, MANY * proofs[LINEAR].us / p->us) / made);
    }
    printf("theorems_%s_ratio_16 %.2f times\n", set,
           proved_by(net, made, FEW) / fmax(proved_by(breadth, made, FEW), 1));
    printf("theorems_%s_ratio %.2f times\n", set,
           proved_by(net, made, MANY) / fmax(proved_by(breadth, made, MANY), 1));
}

static void learn_both(uint64_t seed, struct net *linear, struct net *net)
{
    struct lessons *lessons = make_lessons(0, seed, GOALS), *others = make_lessons(1, 2, 50);
    learn(linear, lessons, seed);
    learn(net, lessons, seed);
    printf("theorems_linear_error %.3f rewrites\n", error_of(linear, others));
    printf("theorems_net_error %.3f rewrites\n", error_of(net, others));
    for (int i = 0; i < INPUTS; i++)
        fprintf(stderr, "f%d %.3f\n", i + 1, (double)linear->weights[i] / NODES_MAX);
    free(lessons);
    free(others);
}

int main(int argc, char **argv)
{
    static char names[PROGRAMS_MAX][16];
    struct elm_error err = {0};
    struct elm_problem *p;
    struct net linear = {0}, net = {.hidden = HIDDEN};
    struct guide guides[GUIDES + PROGRAMS_MAX] = {
        [BREADTH] = {.name = "breadth"},
        [SHORTER] = {.name = "shorter", .value = shorter},
        [ALIKE] = {.name = "alike", .value = alike},
        [LINEAR] = {.name = "linear", .value = learned, .net = &linear},
        [NET] = {.name = "net", .value = learned, .net = &net},
    };
    char *end;
    uint64_t seed = argc > 1 ? strtoull(argv[1], &end, 10) : 1;
    bool seeded = argc > 1 && *end == '\0';
    int first = seeded ? 2 : 1, programs = argc - first < PROGRAMS_MAX ? argc - first : PROGRAMS_MAX;
    learn_both(seeded ? seed : 1, &linear, &net);
    check(elm_problem_load("theorems", "problems", &p, &err), &err);
    for (int i = 0; i < programs; i++) {
        struct guide *g = &guides[GUIDES + i];
        snprintf(names[i], sizeof(names[i]), "program_%d", i + 1);
        g->name = names[i];
        g->problem = p;
        compile_program(argv[first + i], p, &g->code);
    }
    compare("held_out", guides, GUIDES + programs, 2, 3, 6);
    compare("harder", guides, GUIDES + programs, 2, 7, 9);
    for (int i = 0; i < programs; i++)
        elm_buf_release(&guides[GUIDES + i].code);
    elm_problem_free(p);
    return 0;
}
