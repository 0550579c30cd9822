/* vm: results, steps, every kind of undefined behaviour, limits, traces and snapshots. */
#include "elm/code.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct elm_names *names;
    struct elm_tree tree;
    struct elm_io io;
    struct elm_buf code;
    struct elm_vm_memory *memory;
};

static struct elm_io_param param(const char *name, uint8_t type, uint8_t direction, uint32_t n,
                                 uint32_t m)
{
    struct elm_io_param p = {.type = type, .direction = direction, .dims = {n, m}};
    strcpy(p.name, name);
    return p;
}

static void open_rig(struct rig *r, const char *text, uint8_t returns, uint32_t count,
                     const struct elm_io_param *params)
{
    struct elm_error err = {0};
    memset(r, 0, sizeof(*r));
    r->names = elm_names_new();
    r->memory = elm_vm_memory_new();
    strcpy(r->io.entry, "f");
    r->io.returns = returns;
    r->io.param_count = count;
    for (uint32_t i = 0; i < count; i++)
        r->io.params[i] = params[i];
    if (elm_tree_parse(elm_str(text), r->names, &r->tree, &err) != ELM_OK ||
        elm_tree_check(&r->tree, r->names, &err) != ELM_OK ||
        elm_io_layout(&r->io, &err) != ELM_OK ||
        elm_vm_compile(&r->tree, r->names, &r->io, &r->code, &err) != ELM_OK)
        fail_msg("%s: %s", text, err.message);
}

static void close_rig(struct rig *r)
{
    elm_tree_release(&r->tree);
    elm_names_free(r->names);
    elm_buf_release(&r->code);
    elm_vm_memory_free(r->memory);
}

/* int f(int a, int b) on (a, b). */
static enum elm_vm_end run_ints(const char *text, int a, int b, int *result, uint64_t fuel,
                                uint64_t *steps)
{
    struct elm_io_param params[] = {param("a", ELM_TYPE_INT, ELM_IO_IN, 0, 0),
                                    param("b", ELM_TYPE_INT, ELM_IO_IN, 0, 0)};
    struct rig r;
    open_rig(&r, text, ELM_TYPE_INT, 2, params);
    int32_t in[2] = {a, b}, out[2] = {0};
    enum elm_vm_end end = elm_vm_run(r.code.ptr, r.memory, in, out, fuel, steps);
    *result = out[0];
    close_rig(&r);
    return end;
}

static void gives(const char *text, int a, int b, int wanted)
{
    int result;
    uint64_t steps;
    enum elm_vm_end end = run_ints(text, a, b, &result, 1000000, &steps);
    if (end != ELM_VM_OK || result != wanted)
        fail_msg("%s on %d, %d: %s, %d, wanted %d", text, a, b, elm_vm_end_name(end), result,
                 wanted);
}

static void ends(const char *text, int a, int b, enum elm_vm_end wanted)
{
    int result;
    uint64_t steps;
    enum elm_vm_end end = run_ints(text, a, b, &result, 1000000, &steps);
    if (end != wanted)
        fail_msg("%s on %d, %d: %s", text, a, b, elm_vm_end_name(end));
}

static double of_two_zeros(void)
{
    double (*volatile maximum)(double, double) = fmax;
    return maximum(-0.0, 0.0);
}

static void ints(void **state)
{
    (void)state;
    gives("int f(int a, int b) { return a + b; }", INT32_MAX, 1, INT32_MIN);
    gives("int f(int a, int b) { return a * b; }", 65536, 65537, 65536);
    gives("int f(int a, int b) { return a / b; }", -7, 2, -3);
    gives("int f(int a, int b) { return a % b; }", -7, 2, -1);
    gives("int f(int a, int b) { return a >> b; }", -8, 1, -4);
    gives("int f(int a, int b) { return a << b; }", 3, 31, INT32_MIN);
    gives("int f(int a, int b) { return ~a ^ -b; }", 5, 3, ~5 ^ -3);
    gives("int f(int a, int b) { return abs(a) + !b; }", INT32_MIN, 0, INT32_MIN + 1);
    gives("int f(int a, int b) { return (a < b) + (a <= b) * 2 + (a > b) * 4 + (a >= b) * 8 + "
          "(a == b) * 16 + (a != b) * 32; }", 2, 3, 35);
    gives("int f(int a, int b) { return a && b || !a; }", 0, 9, 1);
    gives("int f(int a, int b) { return a ? b ? 1 : 2 : 3; }", 4, 0, 2);
    gives("int f(int a, int b) { int x = a++ + ++b; x -= b--; return x * 100 + a * 10 + b; }", 2, 3,
          2 * 100 + 30 + 3);
    gives("int f(int a, int b) { int x = 7; x <<= 2; x |= 1; x &= 29; x ^= a; x %= 11; x >>= 1; "
          "return x + b; }", 5, 1, ((((7 << 2 | 1) & 29) ^ 5) % 11 >> 1) + 1);
    /* which zero comes out is libm's to say */
    gives("int f(int a, int b) { double z = a; return 1 / fmax(-z, z) < b; }", 0, 0,
          1 / of_two_zeros() < 0);
    /* a cast that changes nothing keeps its operand's temporary */
    gives("int f(int a, int b) { return (int)(a + b) * (a - b); }", 5, 3, 16);
    gives("int f(int a, int b) { double x = (double)(a + 0.5) - (b * 2.0); return x * 2; }", 5, 3,
          -1);
}

static void control(void **state)
{
    (void)state;
    gives("int f(int a, int b) { int s = 0; for (int i = 0; i < a; i++) { if (i == b) { continue; } "
          "if (i > 7) { break; } s += i; } return s; }", 100, 3, 28 - 3);
    gives("int f(int a, int b) { int s = 0; while (a > 0) { s += a; a -= b; } return s; }", 10, 3,
          22);
    gives("int f(int a, int b) { int s = 0; do { s++; } while (s < a && s != b); return s; }", 9, 4,
          4);
    gives("int f(int a, int b) { for (;;) { a += b; if (a > 20) { return a; } } }", 1, 6, 25);
    gives("int g(int n) { if (n < 2) { return n; } return g(n - 1) + g(n - 2); } "
          "int f(int a, int b) { return g(a) * 10 + b; }", 12, 7, 1447);
    gives("int f(int a, int b) { int x; if (a) { x = 1; } else if (b) { x = 2; } else { x = 3; } "
          "return x; }", 0, 1, 2);
    gives("int f(int a, int b) { int s = 0; for (int i = 0; i < 3; i++) { for (int j = 0; j < 3; j++) "
          "{ if (j == 1) { break; } s += 10 * i + j; } } return s + a + b; }", 0, 0, 30);
}

static void arrays(void **state)
{
    (void)state;
    gives("void put(int *v, int i, int x) { v[i] = x; } int f(int a, int b) { int v[4]; "
          "for (int i = 0; i < 4; i++) { put(v, i, i * a); } return v[3] + v[b]; }", 5, 2, 25);
    gives("int f(int a, int b) { int v[2][3] = {{1, 2, 3}, {4}}; v[1][2] += a; "
          "return v[0][2] * 100 + v[1][0] * 10 + v[1][2] + b; }", 7, 0, 347);
    gives("int s(int m[2][2], int n) { return m[n][1 - n]; } int f(int a, int b) { "
          "int m[2][2] = {{1, 2}, {3, 4}}; m[0][1]++; return s(m, a) * 10 + s(m, b); }", 0, 1, 33);
    gives("int f(int a, int b) { double v[3] = {0.5, 1.5}; v[2] = a; int n = v[0] + v[1] + v[2]; "
          "return n * b; }", 4, 2, 12);
}

static void undefined(void **state)
{
    (void)state;
    ends("int f(int a, int b) { return a / b; }", 1, 0, ELM_VM_DIVIDE);
    ends("int f(int a, int b) { return a % b; }", INT32_MIN, -1, ELM_VM_DIVIDE);
    ends("int f(int a, int b) { return a << b; }", 1, 32, ELM_VM_SHIFT);
    ends("int f(int a, int b) { return a >> b; }", 1, -1, ELM_VM_SHIFT);
    ends("int f(int a, int b) { int v[3] = {1, 2, 3}; return v[a] + b; }", 3, 0, ELM_VM_INDEX);
    ends("int f(int a, int b) { int v[3] = {1, 2, 3}; v[a] = b; return 0; }", -1, 0, ELM_VM_INDEX);
    ends("int f(int a, int b) { int v[2][3] = {{1}}; return v[a][b]; }", 1, 3, ELM_VM_INDEX);
    ends("int f(int a, int b) { int v[2][3] = {{1}}; return v[a][b]; }", 2, 0, ELM_VM_INDEX);
    ends("int f(int a, int b) { int v[3]; v[0] = a; return v[b]; }", 1, 1, ELM_VM_UNSET);
    ends("int f(int a, int b) { int x; if (a) { x = 1; } return x + b; }", 0, 1, ELM_VM_UNSET);
    gives("int f(int a, int b) { int x; if (a) { x = 1; } return x + b; }", 1, 1, 2);
    ends("int f(int a, int b) { double x = a; int y = x * 1e9; return y + b; }", 3, 0,
         ELM_VM_CONVERT);
    ends("int f(int a, int b) { double x = a; int y = sqrt(x); return y + b; }", -1, 0,
         ELM_VM_CONVERT);
    ends("int g(int n) { return g(n + 1); } int f(int a, int b) { return g(a + b); }", 0, 0,
         ELM_VM_STACK);
    ends("int f(int a, int b) { while (1) { a += b; } }", 0, 1, ELM_VM_FUEL);
    ends("int f(int a, int b) { while (1) { ; } }", 0, 1, ELM_VM_FUEL);
    ends("int f(int a, int b) { for (;;) { for (;;) { break; } } }", 0, 1, ELM_VM_FUEL);
}

/* One step for each node that computes, stores or jumps. */
static void steps(void **state)
{
    (void)state;
    int result;
    uint64_t used;
    run_ints("int f(int a, int b) { return a + b * 2; }", 1, 2, &result, 100, &used);
    assert_int_equal(used, 3);
    run_ints("int f(int a, int b) { int s = 0; for (int i = 0; i < a; i++) { s += b; } return s; }",
             10, 2, &result, 1000, &used);
    /* two declarations, 11 tests of two steps, 10 rounds of two, one return */
    assert_int_equal(used, 2 + 22 + 20 + 1);
    /* a && as a condition: itself, its operands' tests and the jump */
    run_ints("int f(int a, int b) { if (a && b) { return 1; } return 2; }", 1, 1, &result, 1000,
             &used);
    assert_int_equal(used, 5);
    assert_int_equal(run_ints("int f(int a, int b) { return a + b * 2; }", 1, 2, &result, 2, &used),
                     ELM_VM_FUEL);
}

static void doubles_and_io(void **state)
{
    (void)state;
    struct elm_io_param params[] = {
        param("n", ELM_TYPE_INT, ELM_IO_IN, 0, 0), param("x", ELM_TYPE_DOUBLE, ELM_IO_IN, 0, 0),
        param("v", ELM_TYPE_DOUBLE_ARRAY, ELM_IO_INOUT, 3, 0),
        param("m", ELM_TYPE_INT_ARRAY, ELM_IO_OUT, 2, 2),
    };
    struct rig r;
    open_rig(&r, "double f(int n, double x, double *v, int m[2][2]) { for (int i = 0; i < n; i++) { "
                 "v[i] = v[i] * x; } m[1][0] = n; return pow(x, 2) + fmin(v[0], v[1]) - 1e-3; }",
             ELM_TYPE_DOUBLE, 4, params);
    struct {
        int32_t n;
        double x, v[3];
    } in = {2, 1.5, {2, -4, 8}};
    struct {
        double value, v[3];
        int32_t m[2][2];
    } out;
    assert_int_equal(r.io.in_bytes, sizeof(in));
    assert_int_equal(r.io.out_bytes, sizeof(out));
    uint64_t used;
    assert_int_equal(elm_vm_run(r.code.ptr, r.memory, &in, &out, 1000, &used), ELM_VM_OK);
    assert_true(out.value == pow(1.5, 2) + -6.0 - 1e-3);
    assert_true(out.v[0] == 3 && out.v[1] == -6 && out.v[2] == 8);
    assert_true(out.m[0][0] == 0 && out.m[1][0] == 2 && out.m[1][1] == 0);
    close_rig(&r);
}

static void evidence(void **state)
{
    (void)state;
    struct elm_io_param params[] = {param("a", ELM_TYPE_INT, ELM_IO_IN, 0, 0),
                                    param("b", ELM_TYPE_INT, ELM_IO_IN, 0, 0)};
    struct rig r;
    open_rig(&r, "int f(int a, int b) { int s = a; int u; for (int i = 0; i < 3; i++) { s = s + b * i; "
                 "} if (a && b) { u = 1; return s + u; } return s; }", ELM_TYPE_INT, 2, params);
    int32_t in[2][2] = {{1, 2}, {10, 0}};
    struct elm_trace t;
    assert_int_equal(elm_vm_trace(&r.tree, r.names, &r.io, in, 2, 1000, r.memory, &t, NULL),
                     ELM_OK);
    uint32_t mul = 0, logic = 0, last = 0;
    for (uint32_t i = 0; i < r.tree.count; i++) {
        if (r.tree.nodes[i].kind == ELM_NODE_MUL)
            mul = i;
        if (r.tree.nodes[i].kind == ELM_NODE_LOGIC_AND)
            logic = i;
        if (r.tree.nodes[i].kind == ELM_NODE_RETURN)
            last = i + 1;
    }
    assert_int_equal(t.visits[mul * 2], 3);
    assert_int_equal(t.values[mul * 2].i, 4);
    assert_int_equal(t.values[logic * 2].i, 1);
    assert_int_equal(t.values[logic * 2 + 1].i, 0);
    assert_int_equal(t.visits[last * 2], 0);
    assert_int_equal(t.values[last * 2 + 1].i, 10);
    struct elm_symbol symbols[8];
    uint32_t count = elm_tree_scope(&r.tree, mul, symbols, 8);
    union elm_value values[16];
    uint8_t set[16];
    assert_int_equal(count, 5);
    assert_int_equal(elm_vm_snapshot(&r.tree, r.names, &r.io, mul, symbols, count, in, 2, 1000,
                                     r.memory, values, set, NULL), ELM_OK);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_str name = elm_names_text(r.names, symbols[i].name);
        if (elm_str_equal(name, ELM_STR("i")))
            assert_int_equal(values[i * 2].i, 2);
        if (elm_str_equal(name, ELM_STR("s")))
            assert_int_equal(values[i * 2].i, 3);
        assert_int_equal(set[i * 2], !elm_str_equal(name, ELM_STR("u")));
    }
    elm_trace_release(&t);
    close_rig(&r);
}

/* STATE arrays: zeros in a run of its own, kept from run to run of a lane, bounds as ever. */
static void lanes(void **state)
{
    (void)state;
    struct elm_io_param params[] = {param("x", ELM_TYPE_INT, ELM_IO_IN, 0, 0),
                                    param("sum", ELM_TYPE_DOUBLE_ARRAY, ELM_IO_STATE, 2, 2),
                                    param("out", ELM_TYPE_INT_ARRAY, ELM_IO_OUT, 2, 0),
                                    param("calls", ELM_TYPE_INT_ARRAY, ELM_IO_STATE, 3, 0)};
    struct rig r;
    open_rig(&r, "double f(int x, double sum[2][2], int out[2], int calls[3]) { int own[2] = {5, 6};\n"
                 "calls[2]++; sum[1][1] += x; out[0] = calls[2]; out[1] += 1 + own[1];\n"
                 "if (x == 99) { calls[3] = 1; } return sum[1][1] + sum[0][0]; }",
             ELM_TYPE_DOUBLE, 4, params);
    assert_int_equal(r.io.in_bytes, 8);
    assert_int_equal(r.io.out_bytes, 16);
    assert_int_equal(r.io.state_bytes, 48);
    assert_int_equal(r.io.params[3].state_offset, 32);
    struct {
        double value;
        int32_t out[2];
    } out;
    int32_t in[2] = {7, 0};
    uint64_t steps, first;
    uint32_t slots = elm_vm_state_slots(r.code.ptr);
    assert_int_equal(slots, 7);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(elm_vm_run(r.code.ptr, r.memory, in, &out, 100, &first), ELM_VM_OK);
        assert_true(out.value == 7 && out.out[0] == 1 && out.out[1] == 7);
    }
    for (int again = 0; again < 2; again++) {
        elm_vm_clear_state(r.memory, 1000 * slots);
        for (int i = 1; i <= 4; i++) {
            for (uint32_t lane = 0; lane < 1000; lane += 333) {
                in[0] = (int32_t)lane + i;
                assert_int_equal(elm_vm_run_state(r.code.ptr, r.memory, lane * slots, in, &out, 100,
                                                  &steps), ELM_VM_OK);
                assert_true(out.value == i * (double)lane + i * (i + 1) / 2);
                assert_true(out.out[0] == i && out.out[1] == 7 && steps == first);
            }
        }
    }
    in[0] = 99;
    assert_int_equal(elm_vm_run_state(r.code.ptr, r.memory, 0, in, &out, 100, &steps),
                     ELM_VM_INDEX);
    close_rig(&r);
}

/* Cases that were loaded once: the same results, up to the first that fails. */
static void loaded_cases(void **state)
{
    (void)state;
    struct elm_io_param params[] = {param("a", ELM_TYPE_INT_ARRAY, ELM_IO_INOUT, 5, 0),
                                    param("x", ELM_TYPE_DOUBLE, ELM_IO_IN, 0, 0),
                                    param("b", ELM_TYPE_DOUBLE_ARRAY, ELM_IO_IN, 3, 0)};
    struct rig r;
    open_rig(&r, "int f(int a[5], double x, double b[3]) { a[4] = a[0] / a[1]; b[0] += x;\n"
                 "a[0]++; return (int)(b[0] * 10) + a[4] % 7; }", ELM_TYPE_INT, 3, params);
    struct { int32_t a[5]; double x, b[3]; } in[4] = {
        {{20, 3, -7, 1, 0}, 1.5, {2, 3, 4}}, {{-9, 2, 5, 6, 7}, -0.5, {1, 0, 0}},
        {{1, 0, 0, 0, 0}, 0, {0, 0, 0}}, {{INT32_MIN, 1, 0, 0, 0}, 2, {NAN, 0, 0}}};
    struct { int32_t value, a[5]; } out[4], one;
    assert_true(r.io.in_bytes == sizeof(in[0]) && r.io.out_bytes == sizeof(one));
    assert_int_equal(elm_vm_case_words(r.code.ptr), 3 + 5 + 3);
    union elm_value words[4 * 11];
    for (int i = 0; i < 4; i++)
        elm_vm_load(r.code.ptr, r.memory, &in[i], words + 11 * i);
    for (int again = 0; again < 2; again++) {
        memset(out, 1, sizeof(out));
        assert_int_equal(elm_vm_run_loaded(r.code.ptr, r.memory, words, 4, 100, out), 2);
        for (int i = 0; i < 2; i++) {
            uint64_t steps;
            assert_int_equal(elm_vm_run(r.code.ptr, r.memory, &in[i], &one, 100, &steps), ELM_VM_OK);
            assert_memory_equal(&one, &out[i], sizeof(one));
        }
    }
    assert_true(out[0].value == 35 + 6 && out[0].a[0] == 21 && out[0].a[4] == 6);
    assert_int_equal(elm_vm_run_loaded(r.code.ptr, r.memory, words + 33, 1, 100, out), 0);
    assert_int_equal(elm_vm_run_loaded(r.code.ptr, r.memory, words, 2, 5, out), 0);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ints),      cmocka_unit_test(control), cmocka_unit_test(arrays),
        cmocka_unit_test(undefined), cmocka_unit_test(steps),   cmocka_unit_test(doubles_and_io),
        cmocka_unit_test(evidence),  cmocka_unit_test(lanes),   cmocka_unit_test(loaded_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
