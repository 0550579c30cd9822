/* code_limits: what is too large, outside the subset or malformed is refused by name, never met by
 * a crash. */
#include "elm/code.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct elm_io two_ints(void)
{
    struct elm_io io = {.entry = "f", .returns = ELM_TYPE_INT, .param_count = 2,
                        .params = {{.name = "a", .type = ELM_TYPE_INT},
                                   {.name = "b", .type = ELM_TYPE_INT}}};
    assert_int_equal(elm_io_layout(&io, NULL), ELM_OK);
    return io;
}

/* Parses, checks and compiles. */
static enum elm_status through(struct elm_str text, struct elm_error *err)
{
    struct elm_names *names = elm_names_new();
    struct elm_tree t = {0};
    struct elm_buf code = {0};
    struct elm_io io = two_ints();
    enum elm_status status = elm_tree_parse(text, names, &t, err);
    if (status == ELM_OK)
        status = elm_tree_check(&t, names, err);
    if (status == ELM_OK)
        status = elm_vm_compile(&t, names, &io, &code, err);
    elm_tree_release(&t);
    elm_names_free(names);
    elm_buf_release(&code);
    return status;
}

static void gives(struct elm_buf *text, enum elm_status wanted, const char *part)
{
    struct elm_error err = {0};
    enum elm_status status = through(elm_buf_str(text), &err);
    if (status != wanted || strstr(err.message, part) == NULL)
        fail_msg("%.60s...: %d '%s', wanted %d '%s'", text->ptr, status, err.message, wanted, part);
    elm_buf_release(text);
}

static void refused(const char *body, enum elm_status wanted, const char *part)
{
    struct elm_buf text = {0};
    elm_buf_printf(&text, "int f(int a, int b) { %s return a; }", body);
    gives(&text, wanted, part);
}

static void repeated(const char *before, const char *each, int count, const char *after,
                     enum elm_status wanted, const char *part)
{
    struct elm_buf text = {0};
    elm_buf_printf(&text, "%s", before);
    for (int i = 0; i < count; i++) {
        for (const char *c = each; *c != '\0'; c++) {
            if (*c == '#')
                elm_buf_printf(&text, "%d", i);
            else
                elm_buf_byte(&text, (uint8_t)*c);
        }
    }
    elm_buf_printf(&text, "%s", after);
    gives(&text, wanted, part);
}

static void too_large(void **state)
{
    (void)state;
    const char *head = "int f(int a, int b) { ", *tail = "return a; }";
    const char *vm = "too large for the virtual machine";
    repeated(head, "a += #; ", 600, tail, ELM_OK, "");
    repeated(head, "a += #; ", 900, tail, ELM_OK, "");
    repeated("int f(int a, int b) { int c[2000] = {1", ", 7#", 1100, "}; return c[a]; }", ELM_RANGE,
             vm);
    repeated(head, "a += #; b = a; ", 800, tail, ELM_RANGE, "4096 nodes");
    repeated("", "int g#(int a) { return a; } ", 62, "int f(int a, int b) { return a; }", ELM_OK,
             "");
    repeated("", "int g#(int a) { return a; } ", 65, "int f(int a, int b) { return a; }",
             ELM_PARSE, "64 functions");
    repeated(head, "int v#; ", 520, tail, ELM_PARSE, "512 names");
    repeated(head, "{ int v#; } ", 600, tail, ELM_OK, "");
    repeated("int f(int a, int b) { while (a) { ", "if (b == #) { break; } ", 130, "} return a; }",
             ELM_RANGE, vm);
    repeated("int f(int a, int b) { if (a", " || b == #", 70, ") { a = 1; } return a; }", ELM_RANGE,
             vm);
    repeated(head, "int v#[65535]; ", 11, tail, ELM_RANGE, vm);
    repeated(head, " ", ELM_TEXT_BYTES_MAX, tail, ELM_RANGE, "bytes");
    repeated("int ", "x", 64, "(int a) { return a; }", ELM_RANGE, "63 bytes");
    refused("double v[65535][2];", ELM_PARSE, "65536");
    refused("int v[65536];", ELM_RANGE, "65535");
    refused("int v[0];", ELM_RANGE, "65535");
}

static void outside(void **state)
{
    (void)state;
    static const struct {
        const char *body, *part;
    } cases[] = {
        {"a = b ?: 1;", "middle"},         {"static int c = 1;", "qualifier"},
        {"const int c = 1;", "qualifier"}, {"int c[];", "size"},
        {"int c[a];", "plain number"},     {"int *c;", "declarator"},
        {"a = b, 1;", "comma"},            {"a = &b;", "expression"},
        {"a = sizeof(a);", "expression"},  {"goto x; x: ;", "statement"},
        {"unsigned c = 1;", "type"},       {"int c[2][2][2];", "declarator"},
        {"a = (&f)(1);", "call"},          {"a = 5u;", "suffix"},
        {"a = 1.5f;", "suffix"},           {"a = 2147483648;", "beyond int"},
        {"a = 'x';", "expression"},        {"a = 1e999;", "beyond double"},
        {"a = 0b11;", "suffix"},           {"for (int i = 0, j = 0; i < 2; i++) {}", "one variable"},
        {"a = 0.00000000000000000000000000000000000000000000000000000000000000001;", "length"},
        {"int c[2][2] = {{1}}; a = c[0][1][2];", "indexing"},
        {"switch (a) { case 1: ; }", "statement"},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++)
        refused(cases[i].body, ELM_OUTSIDE, cases[i].part);
    static const char *const tops[] = {
        "int x; int f(int a, int b) { return a; }", "int f(int a, ...) { return a; }",
        "int f(int) { return 1; }",                 "int f(int a, void b) { return a; }",
        "static int f(int a) { return a; }",        "int *f(int a) { return a; }",
        "#define X 1\nint f(int a) { return a; }",  "int f(a) int a; { return a; }",
    };
    for (size_t i = 0; i < ELM_COUNT(tops); i++) {
        struct elm_error err = {0};
        if (through(elm_str(tops[i]), &err) != ELM_OUTSIDE)
            fail_msg("%s: %s", tops[i], err.message);
    }
}

static void wrong(void **state)
{
    (void)state;
    static const struct {
        const char *body, *part;
    } cases[] = {
        {"int f = 1; a = f(1);", "called"},      {"double c = 1; a = b % c;", "ints"},
        {"a = ~1.5;", "~"},                      {"(a + b)++;", "assigned"},
        {"3 = a;", "not C"},                     {"int c[2] = {{1}, {2}};", "shape"},
        {"int c[2][2] = {1, 2};", "shape"},      {"int c = {1};", "fit"},
        {"int c[2] = a;", "fit"},                {"int c[2]; c;", "array as a statement"},
        {"int c[2]; for (; c;) {}", "no number"}, {"int c[2]; a = c[1.5];", "no int"},
        {"int c[2]; a = c + 1;", "array used"},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++)
        refused(cases[i].body, ELM_PARSE, cases[i].part);
    struct elm_error err = {0};
    assert_int_equal(through(ELM_STR("int sin(int a) { return a; }"), &err), ELM_PARSE);
    assert_int_equal(through(ELM_STR("int f(int a) { return a; } int f(int a) { return a; }"),
                             &err), ELM_PARSE);
    assert_int_equal(through((struct elm_str){"int f\0", 6}, &err), ELM_PARSE);
}

static void entries(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum elm_status wanted;
    } cases[] = {
        {"int g(int a, int b) { return a; }", ELM_NOT_FOUND},
        {"", ELM_NOT_FOUND},
        {"double f(int a, int b) { return a; }", ELM_PARSE},
        {"int f(int a) { return a; }", ELM_PARSE},
        {"int f(int a, double b) { return a; }", ELM_PARSE},
        {"int f(int a, int *b) { return a; }", ELM_PARSE},
        {"int f(int x, int y) { return x; }", ELM_OK},
    };
    for (size_t i = 0; i < ELM_COUNT(cases); i++)
        assert_int_equal(through(elm_str(cases[i].text), NULL), cases[i].wanted);
    struct elm_io io = {.entry = "f", .param_count = 1,
                        .params = {{.name = "v", .type = ELM_TYPE_DOUBLE_ARRAY,
                                    .dims = {65535, 65535}}}};
    assert_int_equal(elm_io_layout(&io, NULL), ELM_RANGE);
    for (int end = 0; end < ELM_VM_ENDS; end++)
        assert_true(strlen(elm_vm_end_name((enum elm_vm_end)end)) > 1);
}

/* Deep recursion with arrays in every frame ends, as do frames of many slots. */
static void stacks(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "int f(int a, int b) { double v[60000]; v[0] = a; return f(a + 1, b) + (int)v[0]; }",
        "int f(int a, int b) { return f(a + 1, b) + 1; }",
    };
    struct elm_io io = two_ints();
    struct elm_vm_memory *m = elm_vm_memory_new();
    for (size_t i = 0; i < ELM_COUNT(texts); i++) {
        struct elm_names *names = elm_names_new();
        struct elm_tree t;
        struct elm_buf code = {0};
        int32_t in[2] = {0}, out[2];
        uint64_t steps;
        assert_int_equal(elm_tree_parse(elm_str(texts[i]), names, &t, NULL), ELM_OK);
        assert_int_equal(elm_tree_check(&t, names, NULL), ELM_OK);
        assert_int_equal(elm_vm_compile(&t, names, &io, &code, NULL), ELM_OK);
        assert_int_equal(elm_vm_run(code.ptr, m, in, out, UINT64_MAX, &steps), ELM_VM_STACK);
        assert_in_range(steps, 1, 1000000);
        elm_buf_release(&code);
        elm_tree_release(&t);
        elm_names_free(names);
    }
    elm_vm_memory_free(m);
}

/* Any array of nodes may be checked; what passes can be printed, read back and compiled. */
static void damaged_trees(void **state)
{
    (void)state;
    static const char text[] =
        "/* c */ int g(int *v, double x) { v[1] = x; return v[0] % 3; } int f(int a, int b) { "
        "int v[3] = {1, 2, 3}; double m[2][2] = {{1.5}, {2.0, 3.0}}; for (int i = 0; i < 3; i++) { "
        "if (v[i] > a && m[1][0] < b) { v[i]++; continue; } else { ; } } do { a -= g(v, m[0][0]); } "
        "while (a > 0); return a < 0 ? -a : (int)m[1][1]; }";
    struct elm_names *names = elm_names_new();
    struct elm_tree t;
    struct elm_rng rng = elm_rng(11, 0);
    struct elm_io io = two_ints();
    uint32_t passed = 0;
    assert_int_equal(elm_tree_parse(elm_str(text), names, &t, NULL), ELM_OK);
    for (int round = 0; round < 30000; round++) {
        struct elm_tree bad = elm_tree_copy(&t);
        for (uint32_t n = 1 + elm_rng_below(&rng, 2); n > 0; n--) {
            struct elm_node *node = &bad.nodes[elm_rng_below(&rng, bad.count)];
            switch (elm_rng_below(&rng, 6)) {
            case 0: node->kind = (uint8_t)elm_rng_below(&rng, ELM_NODE_KINDS + 2); break;
            case 1: node->kids = (uint16_t)elm_rng_below(&rng, 6); break;
            case 2: node->size = elm_rng_below(&rng, 40); break;
            case 3: node->type = (uint8_t)elm_rng_below(&rng, 7); break;
            case 4: node->i = (int64_t)elm_rng_u64(&rng); break;
            default: node->name = elm_rng_below(&rng, elm_names_count(names) + 2);
            }
        }
        bad.count -= elm_rng_below(&rng, 30) == 0;
        if (elm_tree_check(&bad, names, NULL) == ELM_OK) {
            struct elm_buf out = {0}, code = {0};
            struct elm_tree again;
            passed++;
            elm_tree_print(&bad, names, &out);
            if (elm_tree_parse(elm_buf_str(&out), names, &again, NULL) != ELM_OK)
                fail_msg("%s", out.ptr);
            elm_tree_release(&again);
            elm_vm_compile(&bad, names, &io, &code, NULL);
            elm_buf_release(&code);
            elm_buf_release(&out);
        }
        elm_tree_release(&bad);
    }
    assert_in_range(passed, 100, 50000);
    elm_tree_release(&t);
    elm_names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_large), cmocka_unit_test(outside), cmocka_unit_test(wrong),
        cmocka_unit_test(entries),   cmocka_unit_test(stacks),  cmocka_unit_test(damaged_trees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
