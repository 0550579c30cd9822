/* generate: what every task of the generator keeps, whatever is asked before; trials over tasks. */
#include "elm/task.h"
#include "learn/generator.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define TASKS 40                 /* of each of two streams */
#else
#define TASKS 250
#endif
#define LARGE 1000000

static struct elm_vm_memory *vm;

static struct elm_generator *open_generator(enum elm_stream stream, bool shown_only)
{
    struct elm_generator_def def = {.stream = stream, .seed = 7, .corruptions_min = 1,
                                    .corruptions_max = 8, .cases_of_shown_only = shown_only};
    struct elm_generator *g;
    struct elm_error err;
    if (elm_generator_open(&def, &g, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return g;
}

static double number(const struct elm_task *t, const void *out)
{
    double x;
    int32_t v;
    memcpy(&x, out, 8);
    memcpy(&v, out, 4);
    return t->problem.io.returns == ELM_TYPE_DOUBLE ? x : v;
}

/* Runs t on one case. */
static enum elm_vm_end run(const struct elm_task *t, const struct elm_buf *code, const void *in,
                           double *value)
{
    uint64_t steps, out;
    enum elm_vm_end end = elm_vm_run(code->ptr, vm, in, &out, t->problem.fuel, &steps);
    *value = number(t, &out);
    return end;
}

static struct elm_buf compile(const struct elm_task *t, const struct elm_tree *tree)
{
    struct elm_buf code = {0};
    assert_int_equal(elm_vm_compile(tree, t->problem.names, &t->problem.io, &code, NULL), ELM_OK);
    return code;
}

static const void *input(const struct elm_task *t, int set, uint32_t c)
{
    return (const uint8_t *)t->in[set] + (size_t)c * t->problem.io.in_bytes;
}

static double wanted(const struct elm_task *t, int set, uint32_t c)
{
    return number(t, (const uint8_t *)t->want[set] + (size_t)c * t->problem.io.out_bytes);
}

static bool close_to(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(b));
}

/* On how many shown cases a program gives something else than is wanted; a failure counts too. */
static uint32_t differs(const struct elm_task *t, const struct elm_tree *tree)
{
    struct elm_buf code = compile(t, tree);
    uint32_t count = 0;
    for (uint32_t c = 0; c < t->case_count[0]; c++) {
        double value;
        count += run(t, &code, input(t, 0, c), &value) != ELM_VM_OK ||
                 !close_to(value, wanted(t, 0, c));
    }
    elm_buf_release(&code);
    return count;
}

static void check_cases(const struct elm_task *t)
{
    struct elm_buf right = compile(t, &t->reference), wrong = compile(t, &t->problem.seed);
    for (int set = 0; set < ELM_SETS; set++) {
        for (uint32_t c = 0; c < t->case_count[set]; c++) {
            double a, b;
            assert_int_equal(run(t, &right, input(t, set, c), &a), ELM_VM_OK);
            assert_int_equal(run(t, &wrong, input(t, set, c), &b), ELM_VM_OK);
            assert_true(a == wanted(t, set, c) && fabs(a) <= LARGE && isfinite(b));
        }
    }
    elm_buf_release(&right);
    elm_buf_release(&wrong);
    uint32_t n = t->case_count[0];
    for (uint32_t c = 0; c < n; c++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < n; k++)
            same += wanted(t, 0, c) == wanted(t, 0, k);
        assert_true(same <= n * 7 / 10);
    }
}

/* Each input, taken from the next case, changes an output. */
static void check_inputs(const struct elm_task *t)
{
    const struct elm_io *io = &t->problem.io;
    struct elm_buf code = compile(t, &t->reference);
    uint8_t *in = elm_malloc(io->in_bytes);
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        bool real = p->type == ELM_TYPE_DOUBLE || p->type == ELM_TYPE_DOUBLE_ARRAY, used = false;
        size_t bytes = (p->dims[0] > 0 ? p->dims[0] : 1) * (real ? 8u : 4u);
        for (uint32_t c = 0; c < t->case_count[0] && !used; c++) {
            double value;
            memcpy(in, input(t, 0, c), io->in_bytes);
            memcpy(in + p->in_offset,
                   (const uint8_t *)input(t, 0, (c + 1) % t->case_count[0]) + p->in_offset, bytes);
            used = run(t, &code, in, &value) == ELM_VM_OK && !close_to(value, wanted(t, 0, c));
        }
        if (!used)
            fail_msg("%s: input %s is not used", t->problem.name, p->name);
    }
    free(in);
    elm_buf_release(&code);
}

static bool is_read(const struct elm_tree *t, uint32_t i)
{
    const struct elm_node *n = &t->nodes[i], *up = &t->nodes[elm_tree_parent(t, i)];
    bool stored = up->kind >= ELM_NODE_ASSIGN && i == elm_tree_parent(t, i) + 1;
    return n->kind >= ELM_NODE_INT && n->kind <= ELM_NODE_COND && !stored;
}

/* Of a local that nothing uses: training has some. */
static bool is_decoy(const struct elm_tree *t, uint32_t i)
{
    const struct elm_node *up = &t->nodes[elm_tree_parent(t, i)];
    if (up->kind == ELM_NODE_NEG)
        up = &t->nodes[elm_tree_parent(t, elm_tree_parent(t, i))];
    bool used = up->kind != ELM_NODE_DECLARE;
    for (uint32_t k = 0; k < t->count; k++)
        used |= t->nodes[k].kind == ELM_NODE_VAR && t->nodes[k].name == up->name;
    return !used;
}

/* Each expression, replaced by 0 or by 1, changes an output. */
static void check_alive(const struct elm_task *t)
{
    const struct elm_tree *r = &t->reference;
    for (uint32_t i = 1; i < r->count; i++) {
        bool matters = !is_read(r, i) || is_decoy(r, i);
        for (int v = 0; v < 2 && !matters; v++) {
            struct elm_node put[2];
            uint32_t n = r->nodes[i].type == ELM_TYPE_DOUBLE ? elm_edit_real(put, v)
                                                             : elm_edit_int(put, v);
            struct elm_edit edit = elm_edit_replace(r, i, put, n);
            struct elm_tree child;
            assert_int_equal(elm_tree_edit(r, &edit, 1, &child, NULL), ELM_OK);
            matters = elm_tree_check(&child, t->problem.names, NULL) != ELM_OK ||
                      differs(t, &child) > 0;
            elm_tree_release(&child);
        }
        if (!matters) {
            struct elm_buf text = {0};
            elm_tree_print(r, t->problem.names, &text);
            fail_msg("node %u is dead in\n%s", i, text.ptr);
        }
    }
}

static void check_tree(const struct elm_task *t, const struct elm_tree *tree)
{
    struct elm_tree copy = elm_tree_copy(tree), again;
    struct elm_error err;
    struct elm_buf text = {0};
    if (elm_tree_check(&copy, t->problem.names, &err) != ELM_OK)
        fail_msg("%s", err.message);
    elm_tree_print(&copy, t->problem.names, &text);
    assert_int_equal(elm_tree_parse(elm_buf_str(&text), t->problem.names, &again, &err), ELM_OK);
    assert_int_equal(elm_tree_check(&again, t->problem.names, &err), ELM_OK);
    assert_true(elm_tree_text_hash(&again) == elm_tree_text_hash(&copy));
    assert_memory_equal(copy.nodes, tree->nodes, copy.count * sizeof(copy.nodes[0]));
    elm_tree_release(&copy);
    elm_tree_release(&again);
    elm_buf_release(&text);
}

static void check_stream(enum elm_stream stream)
{
    struct elm_generator *g = open_generator(stream, false);
    for (uint64_t i = 0; i < TASKS; i++) {
        const struct elm_task *t = elm_generator_task(g, i);
        assert_int_equal(t->corruptions, 1 + i % 8);
        check_tree(t, &t->reference);
        check_tree(t, &t->problem.seed);
        check_cases(t);
        check_inputs(t);
        check_alive(t);
        assert_true(differs(t, &t->problem.seed) > 0);
        for (int set = 0; set < ELM_SETS; set++) {
            assert_true(elm_task_score(t, &t->reference, (enum elm_set)set, vm, NULL) == 1);
            assert_true(set > 0 || elm_task_score(t, &t->problem.seed, ELM_SET_SHOWN, vm, NULL) < 1);
        }
    }
    elm_generator_close(g);
}

static void tasks(void **state)
{
    (void)state;
    check_stream(ELM_STREAM_TRAIN);
    check_stream(ELM_STREAM_REPORT);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void streams_share_no_target(void **state)
{
    (void)state;
    static uint64_t hashes[ELM_STREAMS][TASKS];
    for (int s = 0; s < ELM_STREAMS; s++) {
        struct elm_generator *g = open_generator((enum elm_stream)s, true);
        for (uint64_t i = 0; i < TASKS; i++)
            hashes[s][i] = elm_tree_hash(&elm_generator_task(g, i)->reference);
        elm_generator_close(g);
        qsort(hashes[s], TASKS, sizeof(hashes[s][0]), by_value);
    }
    for (int s = 0; s < ELM_STREAMS; s++) {
        for (uint32_t i = 0; i < TASKS; i++) {
            const uint64_t *other = hashes[(s + 1) % ELM_STREAMS];
            assert_null(bsearch(&hashes[s][i], other, TASKS, sizeof(other[0]), by_value));
        }
    }
}

static uint64_t task_hash(const struct elm_task *t)
{
    uint64_t h = elm_hash_mix(elm_tree_text_hash(&t->reference),
                              elm_tree_text_hash(&t->problem.seed));
    for (int set = 0; set < ELM_SETS; set++) {
        h = elm_hash(t->in[set], (size_t)t->case_count[set] * t->problem.io.in_bytes, h);
        h = elm_hash(t->want[set], (size_t)t->case_count[set] * t->problem.io.out_bytes, h);
    }
    return h;
}

static void any_order_gives_the_same(void **state)
{
    (void)state;
    static const enum elm_stream streams[] = {ELM_STREAM_TRAIN, ELM_STREAM_GATE};
    for (size_t s = 0; s < ELM_COUNT(streams); s++) {
        struct elm_generator *a = open_generator(streams[s], false);
        struct elm_generator *b = open_generator(streams[s], false);
        uint64_t forward[24];
        for (uint64_t i = 0; i < 24; i++)
            forward[i] = task_hash(elm_generator_task(a, i));
        for (uint64_t i = 24; i-- > 0;)
            assert_true(task_hash(elm_generator_task(b, i)) == forward[i]);
        assert_true(task_hash(elm_generator_task(a, 5)) == forward[5]);
        assert_true(forward[0] != forward[1]);
        elm_generator_close(a);
        elm_generator_close(b);
    }
}

/* The generator takes the mistakes that are called sound unchecked. */
static void sound_mistakes_are_programs(void **state)
{
    (void)state;
    struct elm_generator *g = open_generator(ELM_STREAM_TRAIN, true);
    struct elm_rng rng = elm_rng(11, 0);
    static struct sketch_tree from, to, checked;
    uint32_t sound = 0, unchecked = 0;
    for (uint64_t i = 0; i < 8 * TASKS; i++) {
        const struct elm_tree *seed = &elm_generator_task(g, i)->problem.seed;
        from.count = seed->count;
        memcpy(from.nodes, seed->nodes, seed->count * sizeof(from.nodes[0]));
        for (int k = 0; k < 10; k++) {
            enum sketch_mistake mistake =
                sketch_corrupt(&rng, (enum sketch_mood)(k % SKETCH_MOODS), &from, &to);
            unchecked += mistake == SKETCH_UNCHECKED;
            if (mistake != SKETCH_SOUND)
                continue;
            memcpy(checked.nodes, to.nodes, to.count * sizeof(to.nodes[0]));
            struct elm_tree tree = {checked.nodes, to.count};
            assert_int_equal(elm_tree_check(&tree, elm_generator_task(g, i)->problem.names, NULL), ELM_OK);
            assert_memory_equal(checked.nodes, to.nodes, to.count * sizeof(to.nodes[0]));
            sound++;
        }
    }
    assert_true(sound > 8 * TASKS && unchecked > TASKS / 10);
    elm_generator_close(g);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    static const struct elm_generator_def defs[] = {
        {.corruptions_min = 0, .corruptions_max = 3}, {.corruptions_min = 3, .corruptions_max = 2},
        {.corruptions_min = 1, .corruptions_max = 9},
        {.stream = ELM_STREAMS, .corruptions_min = 1, .corruptions_max = 1},
    };
    for (size_t i = 0; i < ELM_COUNT(defs); i++) {
        struct elm_generator *g;
        struct elm_error err;
        assert_int_equal(elm_generator_open(&defs[i], &g, &err), ELM_USAGE);
    }
}

/* Normal functions of four inputs by the gates they need: Knuth 2011, 7.1.2. */
static void gates_are_fewest(void **state)
{
    (void)state;
    static const uint32_t known[BOOLEAN_GATES_MAX + 1] = {5, 30, 228, 1237, 5312};
    uint32_t counts[BOOLEAN_GATES_MAX + 2] = {0};
    struct boolean_table *table = boolean_table_new();
    for (uint32_t f = 0; f < 65536; f += 2)
        counts[boolean_gates(table, (uint16_t)f)]++;
    assert_memory_equal(counts, known, sizeof(known));
    free(table);
    struct elm_generator_def def = {.stream = ELM_STREAM_GATE, .family = ELM_FAMILY_BOOLEAN,
                                    .seed = 2, .corruptions_min = 1, .corruptions_max = 3};
    struct elm_generator *g;
    assert_int_equal(elm_generator_open(&def, &g, NULL), ELM_OK);
    for (uint64_t i = 0; i < 20; i++) {
        const struct elm_task *t = elm_generator_task(g, i);
        assert_true(t->gates >= 1 && t->gates <= BOOLEAN_GATES_MAX);
        assert_int_equal(elm_tree_operators(&t->reference), t->gates);
        check_tree(t, &t->reference);
        assert_true(differs(t, &t->reference) == 0 && differs(t, &t->problem.seed) > 0);
    }
    elm_generator_close(g);
}

static struct elm_trial try(const struct elm_task *t, struct elm_trial_def def)
{
    struct elm_trial trial;
    struct elm_error err;
    def.task = t;
    if (elm_trial_run(&def, &trial, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return trial;
}

static void trials(void **state)
{
    (void)state;
    struct elm_generator *g = open_generator(ELM_STREAM_REPORT, false);
    static const char *const archives[] = {NULL, "topk"};
    uint32_t solved = 0;
    for (uint64_t i = 0; i < 16; i++) {
        const struct elm_task *t = elm_generator_task(g, i * 8);
        struct elm_trial_def def = {.arms = {{"semantic", 1}, {"tree", 2}}, .arm_count = 2,
                                    .seed = i, .evaluations = 300, .archive = archives[i % 2]};
        struct elm_trial a = try(t, def), b = try(t, def);
        assert_true(a.attempts == b.attempts && a.solved_at == b.solved_at && a.best == b.best);
        assert_true(elm_tree_text_hash(&a.program) == elm_tree_text_hash(&b.program));
        assert_true(a.evaluations <= 300 && a.attempts >= a.evaluations);
        assert_true(a.best ==
                    elm_task_score(t, &a.program, ELM_SET_SCORED, vm, NULL));
        for (int set = 0; set < ELM_SETS && a.solved; set++)
            assert_true(elm_task_score(t, &a.program, (enum elm_set)set, vm, NULL) == 1);
        solved += a.solved;
        elm_tree_release(&a.program);
        elm_tree_release(&b.program);
    }
    assert_true(solved >= 4 && solved < 16);
    elm_generator_close(g);
}

static void trials_refuse_nonsense(void **state)
{
    (void)state;
    struct elm_generator *g = open_generator(ELM_STREAM_TRAIN, true);
    const struct elm_task *t = elm_generator_task(g, 0);
    const struct elm_trial_def defs[] = {
        {.task = t}, {.task = t, .arms = {{"no_such", 1}}, .arm_count = 1},
        {.task = t, .arms = {{"rewrite", 1}}, .arm_count = 1},
        {.task = t, .arms = {{"tree", 0}}, .arm_count = 1},
        {.task = t, .arms = {{"tree", 1}}, .arm_count = 1, .archive = "no_such"},
        {.task = t, .arms = {{"tree", 1}}, .arm_count = 1, .archive = "cvt"},
        {.task = t, .arms = {{"tree", 1}}, .arm_count = 1, .archive = "islands"},
        {.task = t, .arms = {{"tree", 1}}, .arm_count = 1, .selector = "lexicase"},
    };
    for (size_t i = 0; i < ELM_COUNT(defs); i++) {
        struct elm_trial trial;
        struct elm_error err;
        assert_int_equal(elm_trial_run(&defs[i], &trial, &err), ELM_USAGE);
    }
    elm_generator_close(g);
}

/* Reads `text` as if the generator had drawn it, with its shown cases. */
static void draw(struct elm_generator *g, const char *text)
{
    struct elm_problem *p = &g->task.problem;
    struct elm_error err;
    struct elm_tree tree;
    if (elm_tree_parse(elm_str(text), p->names, &tree, &err) != ELM_OK ||
        elm_tree_check(&tree, p->names, &err) != ELM_OK)
        fail_msg("%s", err.message);
    memcpy(g->target.nodes, tree.nodes, tree.count * sizeof(tree.nodes[0]));
    g->target.count = tree.count;
    p->io.returns = tree.nodes[1].type;
    p->io.param_count = 0;
    for (uint32_t i = 2; tree.nodes[i].kind == ELM_NODE_PARAM; i++) {
        struct elm_str name = elm_names_text(p->names, tree.nodes[i].name);
        struct elm_io_param *to = &p->io.params[p->io.param_count];
        *to = (struct elm_io_param){.type = tree.nodes[i].type};
        memcpy(to->name, name.ptr, name.len);
        p->inputs[p->io.param_count++] = (struct elm_range){-10, 10};
    }
    elm_tree_release(&tree);
    assert_int_equal(elm_io_layout(&p->io, &err), ELM_OK);
    task_slots(p, &g->slots);
    task_fill(p, &g->slots, ELM_SET_SHOWN, g->task.case_count[0], g->in[0]);
    assert_true(generator_compile(g, &g->target));
    for (uint32_t c = 0; c < g->task.case_count[0]; c++)
        assert_true(generator_run(g, g->in[0], c, GENERATOR_FUEL, g->want[0] + 8 * (size_t)c));
}

static void yardsticks_are_known(void **state)
{
    (void)state;
    static const struct { const char *text; bool sum, computes; } all[] = {
        {"int f(int a, int b, int c, int d) { int s = a + b + c + d; return s % 2; }", true, true},
        {"int f(int a, int b, int c, int d) { int s = a - b; int t = c ^ d; return s + t & 1; }",
         true, true},
        {"int f(int a, int b, int c, int d) { return (a ^ b ^ c ^ d) * 3; }", true, false},
        {"int f(int a, int b, int c, int d) { return (a != b) != (c != d); }", false, true},
        {"int f(int a, int b, int c, int d) { return (a == b) != (c != d); }", false, false},
        {"int f(int a, int b, int c) { return (a + b + c + a) % 2; }", false, false},
        {"double f(double a, double b, double c, double x) { return a * pow(x, 2.0) + b * x + c; }",
         false, true},
        {"double f(double x, double y, double z, int n) { return n + y * (x + z * y); }", false, true},
        {"int f(int a, int b, int c, int d) { return d * (d * b + a) + c; }", false, true},
        {"double f(double a, double b, double c, double x) { return a * x * x - b * x + c; }",
         false, false},
        {"double f(double x, double y, double z) { return x * x * y + z * x; }", false, false},
    };
    struct elm_generator *g = open_generator(ELM_STREAM_GATE, true);
    for (size_t i = 0; i < ELM_COUNT(all); i++) {
        draw(g, all[i].text);
        if (yardstick_sum(&g->target) != all[i].sum || yardstick_computes(g) != all[i].computes)
            fail_msg("%s", all[i].text);
    }
    elm_generator_close(g);
}

static void yardsticks_are_not_trained_on(void **state)
{
    (void)state;
    struct elm_generator *g = open_generator(ELM_STREAM_TRAIN, true);
    for (uint64_t i = 0; i < 16 * TASKS; i += 16) {
        elm_generator_task(g, i);
        assert_false(yardstick_sum(&g->target));
    }
    elm_generator_close(g);
}

int main(void)
{
    vm = elm_vm_memory_new();
    const struct CMUnitTest all[] = {
        cmocka_unit_test(tasks),
        cmocka_unit_test(streams_share_no_target),
        cmocka_unit_test(any_order_gives_the_same),
        cmocka_unit_test(sound_mistakes_are_programs),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(gates_are_fewest),
        cmocka_unit_test(yardsticks_are_known),
        cmocka_unit_test(yardsticks_are_not_trained_on),
        cmocka_unit_test(trials),
        cmocka_unit_test(trials_refuse_nonsense),
    };
    int failed = cmocka_run_group_tests(all, NULL, NULL);
    elm_vm_memory_free(vm);
    return failed;
}
