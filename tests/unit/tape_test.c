/* tape: it computes what the VM computes, wants are what they say, idle code is idle. */
#include "../operator_rig.h"
#include "elm/tape.h"

#include <math.h>

static const char *const seeds[] = {
    "int g(int x)\n{\nif (x < 3) {\nreturn x;\n}\nreturn g(x - 2) + 1;\n}\n"
    "int f(int a, int b)\n{\nint t = a * 3;\nfor (int i = 0; i < 6; i++) {\nif (i == b) {\n"
    "break;\n}\n"
    "t += g(i) - (b & 7);\n}\nreturn t > 50 || a < b ? t % 13 : ~t;\n}\n",
    "double f(double x, int n, double y)\n{\nint k = (int)(x * 2.0);\ndouble z = n;\n"
    "while (k > 0) {\nz = z * 0.5 + y;\nk--;\n}\nz -= fmin(x, n);\n"
    "return z / (1.0 + fabs(y));\n}\n",
    "void f(int in[5], double w[2][3], int out[5], double outs[2])\n{\nint t[4] = {1, 2, 3};\n"
    "double d[2][2] = {{1.0, 2.0}, {3.0}};\nint u[2] = {4};\nfor (int i = 0; i < 5; i++) {\n"
    "out[i] = in[4 - i] * t[i % 3] + u[0]++;\n}\nouts[0] = w[1][2] * d[1][0];\n"
    "outs[1] += w[0][0] + d[1][1];\n}\n",
};

/* Puts the VM's own outputs as what is wanted; returns the cases that stop. */
static uint32_t want_own_outputs(struct rig *r, const struct elm_tree *t)
{
    uint32_t stops = 0;
    for (uint32_t c = 0; c < RIG_CASES; c++) {
        uint8_t *want = r->want + (size_t)c * r->problem.io.out_bytes;
        stops += rig_run(r, t, c, want) != ELM_VM_OK;
    }
    return stops;
}

static void check_events(struct rig *r, const struct elm_tree *t, const struct elm_tape *tape)
{
    struct elm_trace trace;
    struct elm_error err = {0};
    if (elm_vm_trace(t, r->problem.names, &r->problem.io, r->in, RIG_CASES, RIG_FUEL, r->vm,
                     &trace, &err) != ELM_OK)
        fail_msg("%s", err.message);
    for (uint32_t i = 0; i < t->count; i++) {
        for (uint32_t c = 0; c < RIG_CASES; c++) {
            size_t at = (size_t)i * RIG_CASES + c;
            uint32_t e = tape->chosen[at];
            bool plain = t->nodes[i].kind < ELM_NODE_ASSIGN && trace.visits[at] == 1;
            if (e != 0 && plain && tape->events[e].value.i != trace.values[at].i)
                fail_msg("node %u case %u: %lld, the vm says %lld", i, c,
                         (long long)tape->events[e].value.i, (long long)trace.values[at].i);
        }
    }
    elm_trace_release(&trace);
}

static void agrees_with_the_vm(void **state)
{
    (void)state;
    const struct elm_operator_kind *op = elm_operator_find("tree");
    struct elm_tape tape = {0};
    uint32_t recorded = 0;
    for (size_t k = 0; k < ELM_COUNT(seeds); k++) {
        struct rig r;
        rig_open(&r, seeds[k], seeds[k]);
        struct elm_tree t = elm_tree_copy(&r.problem.seed);
        struct elm_operator_context context = rig_context(&r);
        for (uint64_t n = 0; n < 150; n++) {
            struct elm_error err = {0};
            uint32_t stops = want_own_outputs(&r, &t);
            if (elm_tape_record(&tape, &t, r.problem.names, &r.problem.io, &r.evidence, &err) !=
                ELM_OK)
                fail_msg("%s", err.message);
            /* NaN is no wanted value: such cases fail, however they came */
            if (tape.failing < stops || (r.problem.io.returns == ELM_TYPE_INT &&
                                         tape.failing != stops)) {
                struct elm_buf text = {0};
                elm_tree_print(&t, r.problem.names, &text);
                fail_msg("%u cases fail on the tape, %u in the vm:\n%s", tape.failing, stops,
                         text.ptr);
            }
            check_events(&r, &t, &tape);
            recorded += stops == 0;
            struct elm_rng rng = elm_rng(5, n);
            struct elm_edit edits[ELM_EDITS_MAX];
            uint32_t count;
            struct elm_tree child;
            elm_arena_clear(&r.arena);
            r.parent.tree = n % 25 == 0 ? &r.problem.seed : &t;
            r.parent.editable_count = elm_tree_editable(r.parent.tree, r.problem.names, r.editable);
            if (op->mutate(NULL, &context, &(struct elm_parents){&r.parent, 1}, &rng, edits,
                           &count, &err) != ELM_OK ||
                elm_tree_edit(r.parent.tree, edits, count, &child, &err) != ELM_OK)
                continue;
            if (elm_tree_check(&child, r.problem.names, &err) == ELM_OK) {
                struct elm_tree old = t;
                t = child;
                elm_tree_release(&old);
            } else {
                elm_tree_release(&child);
            }
        }
        elm_tree_release(&t);
        rig_close(&r);
    }
    elm_tape_release(&tape);
    assert_in_range(recorded, 60, 450);
}

static const uint8_t ops[] = {
    ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL, ELM_NODE_DIV, ELM_NODE_MOD, ELM_NODE_AND,
    ELM_NODE_OR, ELM_NODE_XOR, ELM_NODE_SHL, ELM_NODE_SHR, ELM_NODE_EQ, ELM_NODE_NE,
    ELM_NODE_LT, ELM_NODE_LE, ELM_NODE_GT, ELM_NODE_GE,
};

static struct elm_want draw_want(struct elm_rng *rng, int64_t value)
{
    switch (elm_rng_below(rng, 3)) {
    case 0: return (struct elm_want){.kind = ELM_WANT_BITS, .value = (uint32_t)value,
                                     .mask = UINT32_MAX};
    case 1: return (struct elm_want){.kind = ELM_WANT_RANGE, .lo = value - 2, .hi = value + 3};
    default: return (struct elm_want){.kind = ELM_WANT_DIFFER, .lo = value};
    }
}

/* A value meets the want of an operand exactly when the result then meets what is wanted. */
static void operands_are_inverse(void **state)
{
    (void)state;
    struct elm_rng rng = elm_rng(1, 1);
    uint32_t useful = 0;
    for (int n = 0; n < 20000; n++) {
        uint8_t op = ops[elm_rng_below(&rng, ELM_COUNT(ops))];
        uint32_t side = elm_rng_below(&rng, 2);
        bool shift = op == ELM_NODE_SHL || op == ELM_NODE_SHR;
        union elm_value a = {.i = elm_rng_range(&rng, -30, 30)};
        union elm_value b = {.i = shift ? elm_rng_range(&rng, 0, 6) : elm_rng_range(&rng, -30, 30)};
        struct elm_want w = draw_want(&rng, elm_rng_range(&rng, -40, 40));
        struct elm_want asked = elm_want_operand(&w, op, false, side, a, b, true);
        if (asked.kind == ELM_WANT_NONE)
            continue;
        useful += elm_want_useful(&asked);
        for (int64_t v = -100; v <= 100; v++) {
            union elm_value x = {.i = v}, result;
            bool runs = elm_value_apply(op, false, side == 0 ? x : a, side == 0 ? b : x, &result);
            bool met = runs && elm_want_met(&w, result);
            if (elm_want_met(&asked, x) != met)
                fail_msg("%s side %u of %lld, %lld: %lld gives %lld", elm_kind_info(op)->name,
                         side, (long long)a.i, (long long)b.i, (long long)v, (long long)result.i);
        }
    }
    assert_in_range(useful, 5000, 20000);
}

/* Of a remainder the operands are known modulo the divisor, through sums and products. */
static void remainders_are_inverse(void **state)
{
    (void)state;
    static const uint8_t carried[] = {ELM_NODE_ADD, ELM_NODE_SUB, ELM_NODE_MUL};
    struct elm_rng rng = elm_rng(1, 3);
    uint32_t useful = 0;
    for (int n = 0; n < 20000; n++) {
        uint8_t op = carried[elm_rng_below(&rng, ELM_COUNT(carried))];
        uint32_t side = elm_rng_below(&rng, 2);
        union elm_value a = {.i = elm_rng_range(&rng, -30, 30)};
        union elm_value b = {.i = elm_rng_range(&rng, -30, 30)}, result;
        int32_t divisor = (int32_t)elm_rng_range(&rng, 2, 12);
        struct elm_want exact = {.kind = ELM_WANT_BITS, .mask = UINT32_MAX,
                                 .value = elm_rng_below(&rng, (uint32_t)divisor)};
        elm_value_apply(op, false, a, b, &result);
        union elm_value by = {.i = elm_rng_below(&rng, 2) ? divisor : -divisor};
        struct elm_want w = elm_want_operand(&exact, ELM_NODE_MOD, false, 0, result, by, true);
        struct elm_want asked = elm_want_operand(&w, op, false, side, a, b, true);
        useful += elm_want_useful(&asked);
        for (int64_t v = -100; v <= 100; v++) {
            union elm_value x = {.i = v}, y;
            elm_value_apply(op, false, side == 0 ? x : a, side == 0 ? b : x, &y);
            bool met = (y.i - (int32_t)exact.value) % divisor == 0;
            if (elm_want_met(&asked, x) != met)
                fail_msg("%s side %u of %lld, %lld modulo %d: %lld", elm_kind_info(op)->name, side,
                         (long long)a.i, (long long)b.i, divisor, (long long)v);
        }
    }
    assert_in_range(useful, 10000, 20000);
}

static void real_operands_are_inverse(void **state)
{
    (void)state;
    struct elm_rng rng = elm_rng(2, 2);
    for (int n = 0; n < 5000; n++) {
        uint8_t op = (uint8_t)(ELM_NODE_ADD + elm_rng_below(&rng, 4));
        uint32_t side = elm_rng_below(&rng, 2);
        union elm_value a = {.d = elm_rng_normal(&rng)}, b = {.d = elm_rng_normal(&rng)}, got;
        struct elm_want w = {.kind = ELM_WANT_REAL, .d = {3 * elm_rng_normal(&rng)}};
        struct elm_want asked = elm_want_operand(&w, op, true, side, a, b, true);
        assert_int_equal(asked.kind, ELM_WANT_REAL);
        union elm_value x = {.d = asked.d[0]};
        assert_true(elm_value_apply(op, true, side == 0 ? x : a, side == 0 ? b : x, &got));
        assert_true(fabs(got.d - w.d[0]) < 1e-6 * (1 + fabs(w.d[0])));
    }
    for (uint32_t f = 0; f < ELM_MATH_FUNCTIONS; f++) {
        int arguments;
        enum elm_type type;
        elm_math_name(f, &arguments, &type);
        union elm_value a = {.d = 0.7}, b = {.d = 0.4};
        union elm_value result = elm_value_math(f, a, b);
        struct elm_want w = {.kind = ELM_WANT_REAL, .d = {result.d, result.d}};
        for (uint32_t side = 0; type == ELM_TYPE_DOUBLE && side < (uint32_t)arguments; side++) {
            struct elm_want asked = elm_want_argument(&w, f, side, a, b);
            if (asked.kind != ELM_WANT_NONE && !elm_want_met(&asked, side == 0 ? a : b))
                fail_msg("function %u does not want its own argument", f);
        }
    }
}

/* Bits: what the other operand decides is left out, and two wants join bit by bit. */
static void bits_are_left_out(void **state)
{
    (void)state;
    union elm_value a = {.i = 12}, b = {.i = 10};
    struct elm_want w = {.kind = ELM_WANT_BITS, .value = 8, .mask = 15};
    struct elm_want asked = elm_want_operand(&w, ELM_NODE_AND, false, 0, a, b, false);
    assert_int_equal(asked.kind, ELM_WANT_BITS);
    assert_int_equal(asked.mask, 10);
    assert_int_equal(asked.value, 8);
    struct elm_want other = {.kind = ELM_WANT_BITS, .value = 7, .mask = 7};
    struct elm_want both = elm_want_both(&asked, &other, false);
    assert_int_equal(both.mask, 8 | 5);
    assert_int_equal(both.value, 8 | 5);
    assert_int_equal(elm_want_both(&asked, &other, true).kind, ELM_WANT_NEVER);
    w.value = 4;       /* b is 0 there: no a gives it */
    assert_int_equal(elm_want_operand(&w, ELM_NODE_AND, false, 0, a, b, true).kind,
                     ELM_WANT_NEVER);
}

static uint32_t idle(const char *text)
{
    struct rig r;
    uint8_t bits[ELM_NODES_MAX / 8 + 1];
    rig_open(&r, text, NULL);
    uint32_t marked = elm_edit_idle(&r.problem.seed, bits), set = 0;
    for (uint32_t i = 0; i < r.problem.seed.count; i++)
        set += bits[i / 8] >> (i % 8) & 1;
    assert_int_equal(set, marked);
    rig_close(&r);
    return marked;
}

static void finds_idle_code(void **state)
{
    (void)state;
    assert_int_equal(idle("int f(int a)\n{\nint t = a + 1;\nreturn t;\n}\n"), 0);
    /* u = t + 1 and t, which only u reads: 4 + 4 nodes */
    assert_int_equal(idle("int f(int a)\n{\nint t = a + 1;\nint u = t + 1;\nreturn a;\n}\n"), 8);
    assert_int_equal(idle("int f(int a)\n{\nint t = 0;\nt += a;\nt++;\nreturn a;\n}\n"), 2 + 4 + 3);
    /* read in a loop, by an element, by a call, stored in an array: not idle */
    assert_int_equal(idle("int f(int a)\n{\nint t = 0;\nwhile (t < a) {\nt++;\n}\n"
                          "return a;\n}\n"), 0);
    assert_int_equal(idle("int g(int a, int out[2])\n{\nint t = 1;\nout[t] = a;\n"
                          "return a;\n}\n"), 0);
    assert_int_equal(idle("int g(int o[1])\n{\no[0] = 1;\nreturn 2;\n}\n"
                          "int f(int out[1])\n{\nint t = g(out);\nreturn 1;\n}\n"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_vm),
        cmocka_unit_test(operands_are_inverse),
        cmocka_unit_test(remainders_are_inverse),
        cmocka_unit_test(real_operands_are_inverse),
        cmocka_unit_test(bits_are_left_out),
        cmocka_unit_test(finds_idle_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
