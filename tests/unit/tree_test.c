/* tree: parse, print, check, hash, scope and edit on programs that show each rule. */
#include "elm/code.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char canonical[] =
    "#include <math.h>\n"
    "#include <stdlib.h>\n"
    "\n"
    "/* swaps two elements and writes it down */\n"
    "void swap(int *a, int *log, int i, int j)\n"
    "{\n"
    "    int t = a[i];\n"
    "    a[i] = a[j];\n"
    "    a[j] = t;\n"
    "    log[1 + 2 * log[0]] = i;\n"
    "    log[0]++;\n"
    "}\n"
    "\n"
    "double norm(double m[3][4], int n)\n"
    "{\n"
    "    double s = 0.0;\n"
    "    double w[2][2] = {{1.0, 2.5}, {1e-05, 0.125}};\n"
    "    for (int i = 0; i < n && i < 3; i++) {\n"
    "        /* a row */\n"
    "        for (int j = 0; j < 4; j += 1) {\n"
    "            s += m[i][j] * m[i][j] - -w[0][1];\n"
    "        }\n"
    "    }\n"
    "    if (s > 1e+300) {\n"
    "        return -1.0;\n"
    "    } else if (!(n & 1) || (n == 3 && s < 0.5)) {\n"
    "        do {\n"
    "            s = s / 2.0;\n"
    "        } while (s > 1.0);\n"
    "    } else {\n"
    "        ;\n"
    "    }\n"
    "    while (1) {\n"
    "        if (s < (double)n) {\n"
    "            break;\n"
    "        }\n"
    "        s -= 1.0;\n"
    "    }\n"
    "    return n > 0 ? sqrt(s) : (n - 1) * (2 - (n - 3)) % 7 + ((1 << 2) | 3);\n"
    "}\n";

static struct elm_tree parse(struct elm_names *names, const char *text)
{
    struct elm_tree t = {0};
    struct elm_error err = {0};
    if (elm_tree_parse(elm_str(text), names, &t, &err) != ELM_OK)
        fail_msg("%s", err.message);
    if (elm_tree_check(&t, names, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return t;
}

static void lossless(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_tree t = parse(names, canonical);
    struct elm_buf out = {0};
    elm_tree_print(&t, names, &out);
    assert_string_equal(out.ptr, canonical);
    struct elm_tree again = parse(names, out.ptr);
    assert_int_equal(t.count, again.count);
    assert_memory_equal(t.nodes, again.nodes, t.count * sizeof(t.nodes[0]));
    elm_buf_release(&out);
    elm_tree_release(&t);
    elm_tree_release(&again);
    elm_names_free(names);
}

static void wants_includes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } programs[] = {
        {"int f(int a) { return a; }", ""},
        {"int f(int a) { return (int)sqrt(a); }", "#include <math.h>\n"},
        {"#include <math.h>\nint f(int a) { return (int)sqrt(a); }", ""},
        {"#include <math.h>\nint f(int a) { return abs(a); }", "#include <stdlib.h>\n"},
        {"int f(int a) { return abs((int)exp(a)); }",
         "#include <math.h>\n#include <stdlib.h>\n"},
    };
    struct elm_names *names = elm_names_new();
    for (size_t i = 0; i < ELM_COUNT(programs); i++) {
        struct elm_buf out = {0};
        struct elm_tree t = parse(names, programs[i].text);
        elm_tree_includes(&t, names, &out);
        assert_string_equal(elm_buf_str(&out).len > 0 ? out.ptr : "", programs[i].wanted);
        elm_buf_release(&out);
        elm_tree_release(&t);
    }
    elm_names_free(names);
}

/* Other layouts come out in ours, and stay. */
static void normalised(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_tree t = parse(names,
        "int f(int a[], int n){int i,s=0x10;// sum\nfor(i=0;i<n;++i)s+=a[i]/*each*/;"
        "if(s)return(s);else if(n)return -1;\nreturn 0;}");
    struct elm_buf out = {0};
    elm_tree_print(&t, names, &out);
    assert_string_equal(out.ptr,
        "int f(int *a, int n)\n{\n    int i;\n    int s = 16;\n    // sum\n"
        "    for (i = 0; i < n; ++i) {\n        /*each*/\n        s += a[i];\n    }\n"
        "    if (s) {\n        return s;\n    } else if (n) {\n        return -1;\n    }\n"
        "    return 0;\n}\n");
    elm_buf_release(&out);
    elm_tree_release(&t);
    elm_names_free(names);
}

/* What the grammar alone takes for something else: brackets before an operator are no cast, -x++ is
 * -(x++), a * b is no declaration. */
static void grammar_traps(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } traps[] = {
        {"(x) & 3", "x & 3"},
        {"((g())) - (x)", "g() - x"},
        {"(a[x] /* ( */) * -(x)", "a[x] * -x"},
        {"(int)(x) & (double)(x) > (x * x) + (g())", "(int)x & ((double)x > x * x + g())"},
        {"-y++ - ~(int)+a[x]--", "-y++ - ~(int)a[x]--"},
        {"- -x + -(--y)", "-(-x) + -(--y)"},
    };
    struct elm_names *names = elm_names_new();
    for (size_t i = 0; i < ELM_COUNT(traps); i++) {
        struct elm_buf text = {0}, out = {0};
        elm_buf_printf(&text, "int g(void) { return 1; } int f(int *a, int x, int y) { return %s; }",
                       traps[i].text);
        struct elm_tree t = parse(names, text.ptr);
        elm_tree_print(&t, names, &out);
        if (strstr(out.ptr, traps[i].wanted) == NULL)
            fail_msg("'%s' came back as '%s'", traps[i].text, out.ptr);
        elm_buf_release(&text);
        elm_buf_release(&out);
        elm_tree_release(&t);
    }
    struct elm_tree t = parse(names, "int f(int x) { (x * x); for ((x * x); x; x--) {} return x; }");
    struct elm_buf out = {0};
    elm_tree_print(&t, names, &out);
    struct elm_tree again = parse(names, out.ptr);
    assert_true(elm_tree_text_hash(&t) == elm_tree_text_hash(&again));
    elm_buf_release(&out);
    elm_tree_release(&t);
    elm_tree_release(&again);
    elm_names_free(names);
}

/* What the checker lets through can be read back once printed. */
static void deepest(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    uint32_t taken = 0;
    for (uint32_t depth = 90; depth < 260; depth++) {
        struct elm_buf text = {0}, out = {0};
        struct elm_tree t = {0};
        elm_buf_printf(&text, "int f(int x, int y) { ");
        for (uint32_t i = 0; i < depth; i++)
            elm_buf_printf(&text, "if (x) { ");
        elm_buf_printf(&text, "x = -(-(y--));");
        for (uint32_t i = 0; i < depth; i++)
            elm_buf_printf(&text, "} ");
        elm_buf_printf(&text, "return x; }");
        if (elm_tree_parse(elm_buf_str(&text), names, &t, NULL) == ELM_OK) {
            if (elm_tree_check(&t, names, NULL) == ELM_OK) {
                elm_tree_print(&t, names, &out);
                struct elm_tree again = parse(names, out.ptr);
                assert_true(elm_tree_text_hash(&t) == elm_tree_text_hash(&again));
                elm_tree_release(&again);
                taken = depth;
            }
            elm_tree_release(&t);
        }
        elm_buf_release(&text);
        elm_buf_release(&out);
    }
    assert_in_range(taken, 190, 200);
    elm_names_free(names);
}

static void refused(const char *text, enum elm_status wanted, const char *part)
{
    struct elm_names *names = elm_names_new();
    struct elm_tree t = {0};
    struct elm_error err = {0};
    enum elm_status status = elm_tree_parse(elm_str(text), names, &t, &err);
    if (status == ELM_OK)
        status = elm_tree_check(&t, names, &err);
    if (status != wanted || strstr(err.message, part) == NULL)
        fail_msg("'%s' gave %d '%s', wanted %d '%s'", text, status, err.message, wanted, part);
    elm_tree_release(&t);
    elm_names_free(names);
}

static void refusals(void **state)
{
    (void)state;
    refused("int f( { }", ELM_PARSE, "line 1");
    refused("int f(void) { return 1 +; }", ELM_PARSE, "line 1");
    refused("int f(char *s) { return 0; }", ELM_OUTSIDE, "a type but");
    refused("int g; int f(void) { return g; }", ELM_OUTSIDE, "declaration");
    refused("int f(void) { int *p; return 0; }", ELM_OUTSIDE, "pointer_declarator");
    refused("int f(int a) { return *&a; }", ELM_OUTSIDE, "line 1");
    refused("int f(void) { goto x; x: return 0; }", ELM_OUTSIDE, "goto");
    refused("int f(void) { return 3000000000; }", ELM_OUTSIDE, "beyond int");
    refused("int f(void) { return 1.5f; }", ELM_OUTSIDE, "suffix");
    refused("int f(void) { return x; }", ELM_PARSE, "'x'");
    refused("int f(void) { int x; int x; return 0; }", ELM_PARSE, "twice");
    refused("int f(int a) { int a = 1; return a; }", ELM_PARSE, "twice");
    refused("int f(double x) { return x % 2; }", ELM_PARSE, "ints");
    refused("int f(int x) { (x + 1)++; return x; }", ELM_PARSE, "assigned");
    refused("int f(int x) { if (x) { return 1; } }", ELM_PARSE, "without a return");
    refused("int f(int x) { while (1) { if (x) { break; } } }", ELM_PARSE, "without a return");
    refused("int f(int x) { break; return x; }", ELM_PARSE, "outside a loop");
    refused("int f(int *a) { return a; }", ELM_PARSE, "array");
    refused("int f(int a) { return a[0]; }", ELM_PARSE, "indexed");
    refused("int f(int a) { return sqrt(a, a); }", ELM_PARSE, "number of arguments");
    refused("int f(int a) { return g(a); } int g(int a) { return a; }", ELM_PARSE, "'g'");
    refused("void f(int a) { return a; }", ELM_PARSE, "return");
    refused("int f(int a) { int b[2] = {1, 2, 3}; return b[a]; }", ELM_PARSE, "length");
    refused("int f(int a) { int b = b + a; return b; }", ELM_PARSE, "own initialiser: 'b'");
    refused("int f(int a) { { double a[2] = {1, a[0]}; } return a; }", ELM_PARSE, "initialiser");
    refused("int f(int a) { return (float)a & (a); }", ELM_OUTSIDE, "column 23");
    char *deep = elm_malloc(5000);
    memset(deep, '(', 4999);
    deep[4999] = '\0';
    struct elm_buf text = {0};
    elm_buf_printf(&text, "int f(int a) { return %s", deep);
    refused(text.ptr, ELM_PARSE, "line");
    elm_buf_clear(&text);
    elm_buf_printf(&text, "int f(int a) { return ");
    for (int i = 0; i < 1000; i++)
        elm_buf_printf(&text, "!");
    elm_buf_printf(&text, "a; }");
    refused(text.ptr, ELM_RANGE, "deep");
    elm_buf_release(&text);
    free(deep);
}

/* Each stands in f(int i, int j, int *a, int *b) of a file with s(), which only reads its array, and
 * w() and r(), which store into their first one, r() by calling itself. */
static void in_some_order(const char *body, bool open)
{
    struct elm_buf text = {0};
    struct elm_names *names = elm_names_new();
    struct elm_tree t = {0};
    struct elm_error err = {0};
    elm_buf_printf(&text,
                   "int s(int *v, int n) { return n > 0 ? v[n] + s(v, n - 1) : v[0]; }\n"
                   "int w(int *v, int n) { v[n] = s(v, n); return v[0]; }\n"
                   "int r(int *u, int *v, int n) {\n"
                   "    if (n > 0) { return r(v, u, n - 1) + 1; } u[0] = 1; return v[0]; }\n"
                   "void p(int *v) { v[0] = 1; }\n"
                   "int f(int i, int j, int *a, int *b) { %s return i; }\n", body);
    assert_int_equal(elm_tree_parse(elm_buf_str(&text), names, &t, &err), ELM_OK);
    enum elm_status status = elm_tree_check(&t, names, &err);
    if (status != (open ? ELM_OUTSIDE : ELM_OK))
        fail_msg("'%s' gave %d '%s'", body, status, err.message);
    if (open)
        assert_non_null(strstr(err.message, "no order between a store and a use of"));
    elm_tree_release(&t);
    elm_names_free(names);
    elm_buf_release(&text);
}

/* C17 6.5: no two operands of an expression share a variable that one of them stores, unless there
 * is a sequence point between them. */
static void order_left_open(void **state)
{
    (void)state;
    static const char *const open[] = {
        "i = i++;", "i = (i = 3);", "i = i++ + j;", "j = i++ + i;", "j = (i = 3) + i;",
        "j = i * (i -= 2);", "a[i] = i++;", "a[i++] = i;", "a[i++] += a[i];", "i += i++;",
        "i += (i = 2) + 1;", "j = a[i] + i++;", "j = (i++ && j) + i;", "j = (j > 1 ? i++ : 2) - i;",
        "j = -i++ < i;", "a[0] = a[a[1]++];", "a[a[0]++]++;", "j = abs(i++) + i;",
        "j = atan2(i++, i);", "return s(a, i++) + i;", "int c[2] = {i++, i}; i = c[0];",
        "while (i++ < (j = i)) { }", "if (i-- == i) { }", "for (i = 0; i < 3; i = i++) { }",
        "return (i = 3) + i;", "int k = i++ + i;", "i = (i++ && j);", "j = w(a, 0) + a[1];",
        "j = w(a, 0) + w(a, 1);", "j = s(a, w(a, 1)) + a[2];", "a[0] += w(a, 1);",
        "j = r(a, b, 3) + b[0];", "j = r(a, b, 3) + a[0];", "j = s(a, 2) + w(a, 2);",
        "a[0] = a[1]++ + a[2];",
    };
    static const char *const settled[] = {
        "i = i + 1;", "i++;", "i = j++;", "a[i] = a[i - 1] + i;", "a[i++] = b[j++];",
        "a[i++] = a[j--];", "a[b[i]++] = i;", "j = i++ && i;", "j = i++ || i--;",
        "j = i++ > 2 ? i : i - 1;", "i = i++ ? 1 : 2;", "i = j = 3;", "i = abs(i++);",
        "j = j > 1 ? i++ : i--;", "i = s(a, i++);", "j = s(a, 1) + s(a, 2);",
        "j = w(a, 0) + w(b, 1);", "a[0] = w(a, 1);", "j = s(a, a[0]++);", "j = w(a, w(a, 1));",
        "j = a[w(a, 1)];", "j = s(a, 1) + a[1];", 
        "while (i-- > 0 && (j = i) > 2) { }", "do { i += 1; } while (i++ < j);", "p(a);",
        "int c[2] = {i, i}; c[i++] = c[j];", "i = (j = i) + i;", "j = (i = 3) > 2 && i < 4;",
    };
    for (size_t k = 0; k < ELM_COUNT(open); k++)
        in_some_order(open[k], true);
    for (size_t k = 0; k < ELM_COUNT(settled); k++)
        in_some_order(settled[k], false);
}

/* Also of a program that is refused for its order alone: its types are known. */
static uint64_t hash_of(struct elm_names *names, const char *text)
{
    struct elm_tree t = {0};
    assert_int_equal(elm_tree_parse(elm_str(text), names, &t, NULL), ELM_OK);
    enum elm_status status = elm_tree_check(&t, names, NULL);
    assert_true(status == ELM_OK || status == ELM_OUTSIDE);
    uint64_t hash = elm_tree_hash(&t);
    elm_tree_release(&t);
    return hash;
}

static void normal_form(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    uint64_t base = hash_of(names, "int f(int a, int b) { int s = a + b; s += 1; return s; }");
    static const char *const same[] = {
        "int f(int p, int q) { int r = q + p; r = r + 1; return r; }",
        "/* x */ int f(int a, int b) { { int s = a + b; s++; return s; } }",
        "int f(int a, int b) { ; int s = b + a; ++s; /* y */ return s; }",
        "int g(int a, int b) { int s = a + b; s += 1; return s; }",
    };
    static const char *const other[] = {
        "int f(int a, int b) { int s = a - b; s += 1; return s; }",
        "int f(int a, int b) { int s = a + a; s += 1; return s; }",
        "int f(int a, int b) { int s = a + b; s += 2; return s; }",
        "int f(int a, int b) { int s = a + b; s += 1; return a; }",
        "int f(int a, int b) { double s = a + b; s += 1; return s; }",
    };
    for (size_t i = 0; i < ELM_COUNT(same); i++)
        if (hash_of(names, same[i]) != base)
            fail_msg("'%s' has another normal form", same[i]);
    for (size_t i = 0; i < ELM_COUNT(other); i++)
        assert_false(hash_of(names, other[i]) == base);
    assert_true(hash_of(names, "int f(int a) { return a > 3; }") ==
                hash_of(names, "int f(int a) { return 3 < a; }"));
    /* side effects keep their order */
    assert_false(hash_of(names, "int f(int a) { return a++ + 2 * a; }") ==
                 hash_of(names, "int f(int a) { return 2 * a + a++; }"));
    assert_false(hash_of(names, "void f(int *a, int i) { a[i++] += 1; }") ==
                 hash_of(names, "void f(int *a, int i) { a[i++] = a[i++] + 1; }"));
    assert_false(hash_of(names, "int g(int *a) { return a[0]++; } void f(int *a) { a[0] += g(a); }") ==
                 hash_of(names, "int g(int *a) { return a[0]++; } "
                                "void f(int *a) { a[0] = g(a) + a[0]; }"));
    /* a chain is hashed once, not twice for every link */
    struct elm_buf chain = {0};
    elm_buf_printf(&chain, "int f(int a) { ");
    for (int i = 0; i < 150; i++)
        elm_buf_printf(&chain, "a = ");
    elm_buf_printf(&chain, "1; return a; }");
    hash_of(names, chain.ptr);
    elm_buf_release(&chain);
    assert_false(hash_of(names, "int f(int a, int b) { return a - b; }") ==
                 hash_of(names, "int f(int a, int b) { return b - a; }"));
    elm_names_free(names);
}

/* What number a name has depends on what was read before; a hash that is stored may not. */
static void names_have_other_numbers_elsewhere(void **state)
{
    (void)state;
    static const char text[] = "int one(int a) { return a * a; }\n"
                               "double two(double z) { return sqrt(z); }\n"
                               "int f(int b) { int many = one(b); return one(many) + (int)two(2.0); }";
    struct elm_names *here = elm_names_new(), *there = elm_names_new();
    hash_of(there, "int f(int many) { return many; } int two(int one) { return f(one); }");
    assert_true(hash_of(here, text) == hash_of(there, text));
    /* the function called counts, not how it is named */
    assert_true(hash_of(here, "int p(int a) { return 1; } int q(int a) { return 2; }\n"
                              "int f(int a) { return p(a); }") ==
                hash_of(here, "int r(int a) { return 1; } int p(int a) { return 2; }\n"
                              "int f(int a) { return r(a); }"));
    assert_false(hash_of(here, "int p(int a) { return 1; } int q(int a) { return 2; }\n"
                               "int f(int a) { return p(a); }") ==
                 hash_of(here, "int p(int a) { return 1; } int q(int a) { return 2; }\n"
                               "int f(int a) { return q(a); }"));
    elm_names_free(here);
    elm_names_free(there);
}

static void scope(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_tree t = parse(names,
        "int f(int a, double *v) { int b = 1; for (int i = 0; i < a; i++) { double a = 2.0; "
        "b += a + v[i]; } int c = 0; return b + c; }");
    uint32_t at = 0;
    for (uint32_t i = 0; i < t.count; i++) {
        if (t.nodes[i].kind == ELM_NODE_ADD_ASSIGN)
            at = i;
    }
    struct elm_symbol s[8];
    assert_int_equal(elm_tree_scope(&t, at, s, 8), 4);
    static const char *const wanted[] = {"a", "i", "b", "v"};
    for (int i = 0; i < 4; i++)
        assert_true(elm_str_equal(elm_names_text(names, s[i].name), elm_str(wanted[i])));
    assert_int_equal(s[0].type, ELM_TYPE_DOUBLE);
    assert_int_equal(t.nodes[elm_tree_parent(&t, at)].kind, ELM_NODE_EVAL);
    assert_int_equal(elm_tree_function(&t, at), 1);
    elm_tree_release(&t);
    elm_names_free(names);
}

static void evolve_block(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_tree t = parse(names,
        "int f(int a)\n{\n    int b = a;\n    /* EVOLVE-BLOCK-START */\n    b = b + 1;\n"
        "    /* EVOLVE-BLOCK-END */\n    return b;\n}\n");
    uint8_t bits[64];
    uint32_t count = elm_tree_editable(&t, names, bits);
    assert_int_equal(count, 6);
    for (uint32_t i = 0; i < t.count; i++) {
        bool editable = bits[i / 8] >> (i % 8) & 1;
        bool inside = t.nodes[i].kind == ELM_NODE_ADD || t.nodes[i].kind == ELM_NODE_ASSIGN ||
                      t.nodes[i].kind == ELM_NODE_INT;
        if (inside)
            assert_true(editable);
        if (t.nodes[i].kind == ELM_NODE_RETURN || t.nodes[i].kind == ELM_NODE_DECLARE)
            assert_false(editable);
    }
    elm_tree_release(&t);
    elm_names_free(names);
}

static void edit_round_trip(struct elm_tree *t, const struct elm_names *names,
                            const struct elm_edit *edits, uint32_t count, const char *wanted)
{
    struct elm_buf bytes = {0}, text = {0};
    struct elm_arena arena = {0};
    struct elm_edit again[ELM_EDITS_MAX];
    struct elm_tree child, same;
    uint32_t again_count;
    elm_edits_encode(edits, count, &bytes);
    assert_int_equal(elm_edits_decode(bytes.ptr, bytes.len, again, &again_count, &arena, NULL),
                     ELM_OK);
    assert_int_equal(elm_tree_edit(t, edits, count, &child, NULL), ELM_OK);
    assert_int_equal(elm_tree_edit(t, again, again_count, &same, NULL), ELM_OK);
    assert_int_equal(elm_tree_check(&child, names, NULL), ELM_OK);
    assert_int_equal(elm_tree_check(&same, names, NULL), ELM_OK);
    assert_true(elm_tree_text_hash(&child) == elm_tree_text_hash(&same));
    elm_tree_print(&child, names, &text);
    assert_string_equal(text.ptr, wanted);
    /* no cut of the bytes is taken, or read beyond */
    for (size_t len = 0; len < bytes.len; len++) {
        struct elm_buf cut = {0};
        elm_buf_add(&cut, bytes.ptr, len);
        assert_int_equal(elm_edits_decode(cut.ptr, len, again, &again_count, &arena, NULL),
                         ELM_CORRUPT);
        elm_buf_release(&cut);
    }
    elm_tree_release(&child);
    elm_tree_release(&same);
    elm_buf_release(&bytes);
    elm_buf_release(&text);
    elm_arena_release(&arena);
}

static void edits(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_tree t = parse(names, "int f(int a)\n{\n    int b = a;\n    return b;\n}\n");
    struct elm_tree d = parse(names, "int f(int a)\n{\n    a = a * 300 - 7;\n    return a;\n}\n");
    uint32_t statement = 0;
    for (uint32_t i = 0; i < d.count; i++) {
        if (d.nodes[i].kind == ELM_NODE_EVAL)
            statement = i;
    }
    const struct elm_node *put = &d.nodes[statement];
    uint32_t block = 3;
    assert_int_equal(t.nodes[block].kind, ELM_NODE_BLOCK);
    struct elm_edit insert = {block, 0, 0, 1, put->size, put};
    edit_round_trip(&t, names, &insert, 1,
        "int f(int a)\n{\n    a = a * 300 - 7;\n    int b = a;\n    return b;\n}\n");
    /* the right side of the assignment in place of the declared value, and an insertion */
    const struct elm_node *value = put + 3;
    struct elm_edit two[2] = {elm_edit_replace(&t, block + 2, value, value->size),
                              {block, 1, 0, 1, put->size, put}};
    edit_round_trip(&t, names, two, 2,
        "int f(int a)\n{\n    int b = a * 300 - 7;\n    a = a * 300 - 7;\n    return b;\n}\n");
    struct elm_tree child;
    struct elm_edit outside = {block, 1, 5, 0, 0, NULL};
    assert_int_equal(elm_tree_edit(&t, &outside, 1, &child, NULL), ELM_RANGE);
    struct elm_edit nested[2] = {{block, 0, 1, 0, 0, NULL},
                                 elm_edit_replace(&t, block + 2, value, value->size)};
    assert_int_equal(elm_tree_edit(&t, nested, 2, &child, NULL), ELM_RANGE);
    elm_tree_release(&t);
    elm_tree_release(&d);
    elm_names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wants_includes),
        cmocka_unit_test(lossless),    cmocka_unit_test(normalised), cmocka_unit_test(refusals),
        cmocka_unit_test(order_left_open),
        cmocka_unit_test(normal_form),
        cmocka_unit_test(names_have_other_numbers_elsewhere), cmocka_unit_test(scope),      cmocka_unit_test(evolve_block),
        cmocka_unit_test(edits),      cmocka_unit_test(grammar_traps),
        cmocka_unit_test(deepest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
