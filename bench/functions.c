/*
 * functions [problems]: plain GP (`tree`) against semantic GP on generated functions: a random
 * integer function of four arguments is corrupted by 1..6 mutations, each of which changes its
 * outputs; solved is the share of them mended. 48 shown cases are evidence, 48 scored cases the
 * fitness; a program that is right on both counts as solved when it is right on 48 others too.
 */
#include "loop.h"

#define CASES 48
#define SETS 3                       /* shown, scored, others */
#define BUDGET 2000
#define BUGS_MAX 6
#define FUEL 3000
#define LARGE 1000000

struct function {
    struct elm_problem problem;      /* its seed is the corrupted program */
    int32_t in[SETS][CASES][4];
    int32_t want[SETS][CASES][2];    /* out_bytes is 8 */
    struct elm_vm_memory *vm;
    struct elm_buf code;
};

/* ---- programs in a grammar ---- */

struct writer {
    struct elm_rng *rng;
    struct elm_buf *out;
    int budget;                      /* nodes left */
    uint32_t locals;                 /* t0.. declared */
    int depth;
};

static void write_expression(struct writer *w, int most);

static void write_leaf(struct writer *w)
{
    static const char *const constants[] = {"0", "1", "2", "3", "4", "5", "7", "8", "10", "16"};
    w->budget--;
    if (elm_rng_chance(w->rng, 0.25)) {
        elm_buf_add_str(w->out, elm_str(constants[elm_rng_below(w->rng, ELM_COUNT(constants))]));
        return;
    }
    uint32_t k = elm_rng_below(w->rng, 4 + w->locals);
    if (k < 4)
        elm_buf_printf(w->out, "%c", "abcd"[k]);
    else
        elm_buf_printf(w->out, "t%u", k - 4);
}

static void write_condition(struct writer *w, int most)
{
    static const char *const compare[] = {"<", "<=", ">", ">=", "==", "!="};
    w->budget--;
    elm_buf_printf(w->out, "(");
    write_expression(w, most / 2);
    elm_buf_printf(w->out, " %s ", compare[elm_rng_below(w->rng, ELM_COUNT(compare))]);
    write_expression(w, most / 2);
    elm_buf_printf(w->out, ")");
}

static void write_expression(struct writer *w, int most)
{
    static const char *const binary[] = {"+", "+", "-", "-", "*", "*", "&", "|", "^"};
    static const char *const by_constant[] = {"/ 2", "/ 3", "% 3", "% 5", "% 7", "% 10", "<< 1",
                                              ">> 1", "& 7", "& 15"};
    static const char *const unary[] = {"-", "~", "!"};
    if (most < 3 || w->budget < 3 || elm_rng_chance(w->rng, 0.2)) {
        write_leaf(w);
        return;
    }
    w->budget--;
    uint32_t form = elm_rng_below(w->rng, 100);
    elm_buf_printf(w->out, "(");
    if (form < 62) {
        write_expression(w, most / 2);
        elm_buf_printf(w->out, " %s ", binary[elm_rng_below(w->rng, ELM_COUNT(binary))]);
        write_expression(w, most / 2);
    } else if (form < 78) {
        write_expression(w, most - 2);
        w->budget--;
        elm_buf_printf(w->out, " %s",
                       by_constant[elm_rng_below(w->rng, ELM_COUNT(by_constant))]);
    } else if (form < 84) {
        elm_buf_add_str(w->out, elm_str(unary[elm_rng_below(w->rng, ELM_COUNT(unary))]));
        write_expression(w, most - 1);
    } else if (form < 92) {
        write_condition(w, most);
    } else {
        write_condition(w, most / 2);
        elm_buf_printf(w->out, " ? ");
        write_expression(w, most / 2);
        elm_buf_printf(w->out, " : ");
        write_expression(w, most / 2);
    }
    elm_buf_printf(w->out, ")");
}

static void write_statement(struct writer *w)
{
    uint32_t form = elm_rng_below(w->rng, 10), t = w->locals;
    w->budget -= 2;
    if (form < 5 || w->locals == 0) {
        elm_buf_printf(w->out, "int t%u = ", t);
        write_expression(w, 7);
        elm_buf_printf(w->out, ";\n");
        w->locals++;
        return;
    }
    t = elm_rng_below(w->rng, w->locals);
    if (form < 8) {
        elm_buf_printf(w->out, "if ");
        write_condition(w, 5);
        elm_buf_printf(w->out, " { t%u = ", t);
        write_expression(w, 6);
        elm_buf_printf(w->out, "; }\n");
    } else {
        w->budget -= 5;
        elm_buf_printf(w->out, "for (int i = 0; i < %u; i++) { t%u = (t%u + ",
                       2 + elm_rng_below(w->rng, 5), t, t);
        write_expression(w, 5);
        elm_buf_printf(w->out, "); }\n");
    }
}

static void write_function(struct elm_rng *rng, struct elm_buf *out)
{
    struct writer w = {.rng = rng, .out = out, .budget = 6 + (int)elm_rng_below(rng, 21)};
    elm_buf_printf(out, "int f(int a, int b, int c, int d)\n{\n");
    while (w.budget > 8 && elm_rng_chance(rng, 0.65))
        write_statement(&w);
    elm_buf_printf(out, "return ");
    write_expression(&w, w.budget > 3 ? w.budget : 3);
    elm_buf_printf(out, ";\n}\n");
}

/* ---- running ---- */

static bool run(struct function *f, const struct elm_tree *t, uint32_t set, int32_t out[CASES][2])
{
    struct elm_error err;
    uint64_t steps;
    elm_buf_clear(&f->code);
    if (elm_vm_compile(t, f->problem.names, &f->problem.io, &f->code, &err) != ELM_OK)
        return false;
    for (uint32_t c = 0; c < CASES; c++) {
        if (elm_vm_run(f->code.ptr, f->vm, f->in[set][c], out[c], FUEL, &steps) != ELM_VM_OK)
            return false;
    }
    return true;
}

static uint32_t right(const int32_t a[CASES][2], const int32_t b[CASES][2])
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < CASES; c++)
        count += a[c][0] == b[c][0];
    return count;
}

static bool solved(struct function *f, const struct elm_tree *t)
{
    int32_t out[CASES][2];
    for (uint32_t set = 0; set < SETS; set++) {
        if (!run(f, t, set, out) || right(out, f->want[set]) < CASES)
            return false;
    }
    return true;
}

/* 64 a right case; less than 24 a wrong one, by the size of its error. */
static bool evaluate(void *ctx, const struct elm_tree *t, struct elm_evaluation *e)
{
    struct function *f = ctx;
    int32_t out[CASES][2];
    if (!run(f, t, 1, out))
        return false;
    e->fitness = 0;
    for (uint32_t c = 0; c < CASES; c++) {
        int64_t error = llabs((int64_t)out[c][0] - f->want[1][c][0]);
        uint32_t bits = error == 0 ? 0 : 64 - (uint32_t)__builtin_clzll((uint64_t)error);
        e->fitness += error == 0 ? 64 : bits < 12 ? 24 - 2 * (int)bits : 0;
    }
    return true;
}

/* ---- problems ---- */

static void draw_inputs(struct function *f, struct elm_rng *rng)
{
    for (uint32_t set = 0; set < SETS; set++) {
        for (uint32_t c = 0; c < CASES; c++) {
            int64_t size = elm_rng_chance(rng, 0.5) ? 10 : 100;
            for (int k = 0; k < 4; k++)
                f->in[set][c][k] = (int32_t)elm_rng_range(rng, elm_rng_chance(rng, 0.5) ? 0 : -size,
                                                          size);
        }
    }
}

/* Neither nearly constant, nor huge, nor nearly an argument. */
static bool varied(const struct function *f)
{
    for (uint32_t c = 0; c < CASES; c++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < CASES; k++)
            same += f->want[0][k][0] == f->want[0][c][0];
        if (same > CASES * 7 / 10 || abs(f->want[0][c][0]) > LARGE)
            return false;
    }
    for (int k = 0; k < 4; k++) {
        uint32_t same = 0;
        for (uint32_t c = 0; c < CASES; c++)
            same += f->want[0][c][0] == f->in[0][c][k];
        if (same > CASES * 85 / 100)
            return false;
    }
    return true;
}

/* Does every expression matter? Each is replaced by 0 and by 1. */
static bool alive(struct function *f, const struct elm_tree *t)
{
    int32_t out[CASES][2];
    for (uint32_t i = 1; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        uint32_t parent = elm_tree_parent(t, i);
        bool value = (n->kind >= ELM_NODE_INT && n->kind <= ELM_NODE_COND) && n->type != 0 &&
                     !(t->nodes[parent].kind >= ELM_NODE_ASSIGN && i == parent + 1);
        bool matters = !value;
        for (int v = 0; v < 2 && !matters; v++) {
            struct elm_node put[2];
            struct elm_error err;
            struct elm_edit edit = elm_edit_replace(t, i, put, elm_edit_int(put, v));
            struct elm_tree child;
            if (elm_tree_edit(t, &edit, 1, &child, &err) != ELM_OK)
                return false;
            matters = elm_tree_check(&child, f->problem.names, &err) != ELM_OK ||
                      !run(f, &child, 0, out) || right(out, f->want[0]) < CASES;
            elm_tree_release(&child);
        }
        if (!matters)
            return false;
    }
    return true;
}

/* A function whose outputs are worth wanting; false when this try is none. */
static bool draw_target(struct function *f, struct elm_rng *rng, struct elm_tree *t)
{
    struct elm_buf text = {0};
    struct elm_error err;
    write_function(rng, &text);
    bool ok = elm_tree_parse(elm_buf_str(&text), f->problem.names, t, &err) == ELM_OK;
    elm_buf_release(&text);
    if (!ok)
        return false;
    draw_inputs(f, rng);
    ok = elm_tree_check(t, f->problem.names, &err) == ELM_OK;
    for (uint32_t set = 0; set < SETS && ok; set++)
        ok = run(f, t, set, f->want[set]);
    if (ok && varied(f) && alive(f, t))
        return true;
    elm_tree_release(t);
    return false;
}

/* One mutation by `tree` of at most 8 nodes that changes the outputs; false when this try does not.
 * outputs: those of *t, replaced with it. */
static bool corrupt(struct function *f, struct elm_rng *rng, struct elm_arena *arena,
                    struct elm_tree *t, int32_t outputs[CASES][2])
{
    struct elm_error err;
    struct elm_edit edits[ELM_EDITS_MAX];
    uint32_t count;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    int32_t out[CASES][2];
    struct elm_tree child;
    struct elm_operator_context context = {.problem = &f->problem, .arena = arena};
    struct elm_parent parent = {.tree = t, .editable = editable};
    parent.editable_count = elm_tree_editable(t, f->problem.names, editable);
    elm_arena_clear(arena);
    f->problem.seed = *t;
    if (elm_operator_find("tree")->mutate(NULL, &context, &(struct elm_parents){&parent, 1}, rng,
                                          edits, &count, &err) != ELM_OK ||
        elm_tree_edit(t, edits, count, &child, &err) != ELM_OK)
        return false;
    bool ok = abs((int)child.count - (int)t->count) <= 8 &&
              elm_tree_check(&child, f->problem.names, &err) == ELM_OK &&
              run(f, &child, 0, out) && right(out, outputs) < CASES &&
              right(out, f->want[0]) < CASES;
    for (uint32_t set = 1; set < SETS && ok; set++) {
        int32_t ignored[CASES][2];
        ok = run(f, &child, set, ignored);
    }
    if (!ok) {
        elm_tree_release(&child);
        return false;
    }
    memcpy(outputs, out, sizeof(out));
    elm_tree_release(t);
    *t = child;
    return true;
}

static void open_function(struct function *f, uint64_t number)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct elm_rng rng = elm_rng(0xf0c5, number);
    struct elm_arena arena = {0};
    struct elm_error err;
    struct elm_tree t;
    int32_t outputs[CASES][2];
    *f = (struct function){.vm = elm_vm_memory_new()};
    f->problem = (struct elm_problem){
        .names = elm_names_new(), .fuel = FUEL, .nodes_max = 100, .edit_nodes_max = 20,
        .io = {.entry = "f", .returns = ELM_TYPE_INT}};
    for (int i = 0; i < 4; i++)
        loop_int_param(&f->problem.io, names[i]);
    if (elm_io_layout(&f->problem.io, &err) != ELM_OK)
        abort();
    while (!draw_target(f, &rng, &t))
        continue;
    memcpy(outputs, f->want[0], sizeof(outputs));
    for (uint32_t bugs = 1 + (uint32_t)(number % BUGS_MAX); bugs > 0;)
        bugs -= corrupt(f, &rng, &arena, &t, outputs);
    f->problem.seed = t;
    elm_arena_release(&arena);
}

static void close_function(struct function *f)
{
    elm_tree_release(&f->problem.seed);
    elm_names_free(f->problem.names);
    elm_vm_memory_free(f->vm);
    elm_buf_release(&f->code);
}

/* Evaluations until it was solved; BUDGET + 1: it was not. */
static uint32_t search(struct function *f, const char *operator, uint64_t seed)
{
    static const uint8_t mask[CASES][8] = {[0 ... CASES - 1] = {1, 1, 1, 1}};
    struct elm_evidence evidence = {.case_count = CASES, .in = f->in[0], .want = f->want[0],
                                    .want_mask = mask[0]};
    struct loop *l = elm_calloc(1, sizeof(*l));
    l->problem = &f->problem;
    l->evidence = &evidence;
    l->evaluate = evaluate;
    l->ctx = f;
    l->operators[0] = operator;
    l->archive = "topk";
    l->selector = "uniform";
    l->target = 64 * CASES;
    l->seed = seed;
    l->budget = BUDGET;
    l->vm = f->vm;
    loop_run(l);
    uint32_t taken = l->solved && solved(f, &l->best) ? l->evaluations : BUDGET + 1;
    elm_tree_release(&l->best);
    free(l);
    return taken;
}

static void report(const char *operator, const uint32_t *taken, uint32_t problems, int64_t cpu_us)
{
    static const uint32_t budgets[] = {100, 500, BUDGET};
    for (size_t k = 0; k < ELM_COUNT(budgets); k++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < problems; i++)
            count += taken[i] <= budgets[k];
        printf("functions_%s_%u %.1f percent\n", operator, budgets[k], 100.0 * count / problems);
    }
    printf("functions_%s_cpu %.1f ms_per_problem\n", operator, (double)cpu_us / 1000 / problems);
}

int main(int argc, char **argv)
{
    static const char *const operators[] = {"tree", "semantic"};
    uint32_t problems = argc > 1 ? (uint32_t)atoi(argv[1]) : 200;
    uint32_t *taken[2] = {elm_calloc(problems + 1, 4), elm_calloc(problems + 1, 4)};
    int64_t cpu[2] = {0};
    for (uint32_t i = 0; i < problems; i++) {
        struct function f;
        open_function(&f, i);
        for (int k = 0; k < 2; k++) {
            int64_t start = elm_cpu_us();
            taken[k][i] = search(&f, operators[k], i);
            cpu[k] += elm_cpu_us() - start;
        }
        close_function(&f);
    }
    for (int k = 0; k < 2; k++) {
        report(operators[k], taken[k], problems, cpu[k]);
        free(taken[k]);
    }
    return 0;
}
