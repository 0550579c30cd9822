/* grammar: what is admitted parses, checks and fits; what stands in a program is admitted. */
#include "../grammar_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STEPS_MAX 4000

/* Reads text to the end; true when all of it is admitted. */
static bool reads(const struct elm_grammar *g, struct elm_str text, bool *ended)
{
    struct elm_grammar_state s;
    elm_grammar_start(g, &s);
    for (size_t i = 0; i < text.len; i++) {
        if (!elm_grammar_step(g, &s, (uint8_t)text.ptr[i]))
            return false;
    }
    *ended = elm_grammar_ended(g, &s);
    return true;
}

/* Where the whitespace before `from` begins: where readings begin. */
static size_t lead_of(const struct elm_buf *text, size_t from)
{
    while (from > 0 && (text->ptr[from - 1] == ' ' || text->ptr[from - 1] == '\n'))
        from--;
    return from;
}

struct own {
    uint32_t nodes, admitted, refused;
};

static void own_text(const struct grammar_rig *r, uint32_t program, uint32_t at, uint32_t count,
                     struct own *own)
{
    const struct elm_tree *t = &r->trees[program];
    struct elm_grammar *g;
    struct elm_buf text = {0};
    size_t from, to;
    own->nodes++;
    if (elm_grammar_new(t, r->names, at, count, t->nodes[at].size * 3 + 10, &g, NULL) != ELM_OK) {
        own->refused++;
        if (getenv("GRAMMAR_SHOW") != NULL)
            printf("%s: node %u (%s) refused\n", r->paths[program], at,
                   elm_kind_info(t->nodes[at].kind)->name);
        return;
    }
    elm_tree_print_spot(t, r->names, at, count, &text, &from, &to);
    from = lead_of(&text, from);
    size_t end = text.len - from < to - from + 60 ? text.len : to + 60;
    bool ended = false, ok = reads(g, (struct elm_str){text.ptr + from, end - from}, &ended);
    own->admitted += ok && ended;
    if (!(ok && ended) && getenv("GRAMMAR_SHOW") != NULL)
        printf("%s: node %u (%s) own text\n%.*s\n", r->paths[program], at,
               elm_kind_info(t->nodes[at].kind)->name, (int)(to - from), text.ptr + from);
    elm_buf_release(&text);
    elm_grammar_free(g);
}

static bool changeable(uint8_t kind)
{
    return kind > ELM_NODE_TEXT && kind < ELM_NODE_KINDS;
}

static void own_texts(void **state)
{
    struct grammar_rig *r = *state;
    struct own own = {0};
    for (uint32_t p = 0; p < r->count; p++) {
        for (uint32_t at = 1; at < r->trees[p].count; at++) {
            if (changeable(r->trees[p].nodes[at].kind))
                own_text(r, p, at, 1, &own);
        }
    }
    print_message("%u nodes, %u admitted, %u have no grammar\n", own.nodes, own.admitted,
                  own.refused);
    assert_true(own.nodes > 500);
    assert_true(own.admitted >= own.nodes * 0.95);
}

/* Random admitted bytes to the end; the span's text in out. */
static void walk(const struct elm_grammar *g, struct elm_rng *rng, struct elm_buf *out)
{
    struct elm_grammar_state s;
    uint8_t bytes[256];
    elm_grammar_start(g, &s);
    elm_buf_clear(out);
    while (!elm_grammar_ended(g, &s)) {
        uint32_t count = rig_admitted(g, &s, bytes);
        if (count == 0)
            fail_msg("a dead end after '%s'", out->ptr);
        uint8_t byte = bytes[elm_rng_below(rng, count)];
        elm_grammar_step(g, &s, byte);
        elm_buf_byte(out, byte);
        if (out->len > STEPS_MAX)
            fail_msg("no end: '%s'", out->ptr);
    }
}

/* The child with the span in the place of the nodes; returns how many nodes the span has. */
static uint32_t splice(const struct grammar_rig *r, const struct elm_tree *t, uint32_t at,
                   uint32_t count, const struct elm_grammar *g, struct elm_str span)
{
    struct elm_arena arena = {0};
    struct elm_error err = {0};
    const struct elm_node *nodes = NULL;
    uint32_t node_count = 0, kids = 0;
    struct elm_tree child;
    if (elm_grammar_nodes(g, r->names, span, &arena, &nodes, &node_count, &kids, &err) != ELM_OK)
        fail_msg("'%.*s': %s", (int)span.len, span.ptr, err.message);
    struct elm_edit e = elm_edit_replace(t, at, nodes, node_count);
    e.removed = (uint16_t)count;
    e.put_kids = (uint16_t)kids;
    assert_int_equal(elm_tree_edit(t, &e, 1, &child, &err), ELM_OK);
    enum elm_status status = elm_tree_check(&child, r->names, &err);
    if (status != ELM_OK && status != ELM_OUTSIDE) {
        struct elm_buf text = {0};
        elm_tree_print(&child, r->names, &text);
        fail_msg("'%.*s': %s\n%s", (int)span.len, span.ptr, err.message, text.ptr);
    }
    elm_tree_release(&child);
    elm_arena_release(&arena);
    return node_count;
}

static uint32_t siblings_after(const struct elm_tree *t, uint32_t at)
{
    uint32_t parent = elm_tree_parent(t, at), kid = parent + 1, k = 0;
    if (t->nodes[parent].kind != ELM_NODE_BLOCK)
        return 0;
    for (; kid != at; k++)
        kid += t->nodes[kid].size;
    return t->nodes[parent].kids - k - 1;
}

static void walks(const struct grammar_rig *r, uint32_t count, uint64_t seed)
{
    struct elm_rng rng = elm_rng(seed, 1);
    struct elm_buf text = {0};
    uint32_t ended = 0, over = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct elm_tree *t = &r->trees[elm_rng_below(&rng, r->count)];
        uint32_t at = 1 + elm_rng_below(&rng, t->count - 1), siblings = 1;
        struct elm_grammar *g;
        if (elm_rng_chance(&rng, 0.5))
            siblings += elm_rng_below(&rng, 1 + siblings_after(t, at));
        uint32_t nodes_max = 8 + elm_rng_below(&rng, 32);
        if (elm_grammar_new(t, r->names, at, siblings, nodes_max, &g, NULL) != ELM_OK)
            continue;
        walk(g, &rng, &text);
        over += splice(r, t, at, siblings, g, elm_buf_str(&text)) > nodes_max + 2;
        elm_grammar_free(g);
        ended++;
    }
    print_message("%u of %u walks\n", ended, count);
    assert_true(ended > count / 2);
    assert_true(over < ended / 20);
    elm_buf_release(&text);
}

static void random_walks(void **state)
{
    walks(*state, 2500, 1);
}

/* ---- one program, rule by rule ---- */

static const char rules[] =
    "int twice(int v)\n{\n    return 2 * v;\n}\n"
    "void clear(int v[4], double m[2][3])\n{\n    v[0] = 0;\n    m[0][0] = 0.0;\n}\n"
    "double f(int n, double x, int a[4], double m[2][3])\n"
    "{\n"
    "    int t = n;\n"
    "    double s = x;\n"
    "    for (int i = 0; i < n; i++) {\n"
    "        s += a[t & 3];\n"
    "        clear(a, m);\n"
    "        if (n > 2) {\n"
    "            break;\n"
    "        } else {\n"
    "            t = 1;\n"
    "        }\n"
    "    }\n"
    "    /* the end */\n"
    "    return s - 1.5;\n"
    "}\n"
    "int later(int q)\n{\n    while (1) {\n        if (q > 3) {\n            return q;\n"
    "        }\n        q += 1;\n    }\n}\n";

/* The first node that prints so. */
static uint32_t find(const struct elm_tree *t, const struct elm_names *names, const char *text)
{
    struct elm_buf out = {0};
    uint32_t at = 1;
    for (; at < t->count; at++) {
        elm_buf_clear(&out);
        elm_node_print(&t->nodes[at], names, &out);
        if (strcmp(out.ptr, text) == 0)
            break;
    }
    elm_buf_release(&out);
    if (at == t->count)
        fail_msg("no node '%s'", text);
    return at;
}

/* May `span` stand in the place of the node that prints as `spot`? */
static bool fits(const char *program, const char *spot, const char *span)
{
    struct grammar_rig *r = elm_calloc(1, sizeof(*r));
    struct elm_grammar *g;
    struct elm_error err = {0};
    struct elm_buf text = {0}, reading = {0};
    size_t from, to;
    bool ended = false;
    r->names = elm_names_new();
    assert_true(rig_add(r, elm_str(program), ""));
    uint32_t at = find(&r->trees[0], r->names, spot);
    if (elm_grammar_new(&r->trees[0], r->names, at, 1, 60, &g, &err) != ELM_OK)
        fail_msg("%s: %s", spot, err.message);
    elm_tree_print_spot(&r->trees[0], r->names, at, 1, &text, &from, &to);
    size_t lead = lead_of(&text, from);
    elm_buf_add(&reading, text.ptr + lead, from - lead);
    elm_buf_add_str(&reading, elm_str(span));
    elm_buf_add(&reading, text.ptr + to, text.len - to < 60 ? text.len - to : 60);
    bool ok = reads(g, elm_buf_str(&reading), &ended) && ended;
    if (ok)
        splice(r, &r->trees[0], at, 1, g, elm_buf_str(&reading));
    elm_buf_release(&text);
    elm_buf_release(&reading);
    elm_grammar_free(g);
    rig_close_all(r);
    free(r);
    return ok;
}

#define FITS(spot, span) assert_true(fits(rules, spot, span))
#define REFUSED(spot, span) assert_false(fits(rules, spot, span))

static void expressions(void **state)
{
    (void)state;
    FITS("n > 2", "x < 0.5 && !(n == 2 || s >= 1e-06)");
    FITS("n > 2", "twice(n - 1) % 3 == (int)sqrt(x)");
    FITS("n > 2", "-x");
    FITS("n > 2", "n ? x : m[0][i]");
    REFUSED("n > 2", "x % 2");
    REFUSED("n > 2", "n + x & 3");
    FITS("n > 2", "n + x < 1 & 3");
    REFUSED("n > 2", "~x");
    REFUSED("n > 2", "n << 1.0");
    REFUSED("n > 2", "(n > 2 ? 1 : x) | 1");
    REFUSED("n > 2", "later(n)");
    REFUSED("n > 2", "clear(a, m)");
    REFUSED("n > 2", "twice(n, 1)");
    REFUSED("n > 2", "pow(x)");
    REFUSED("n > 2", "unknown");
    REFUSED("n > 2", "a");
    REFUSED("n > 2", "m[0]");
    REFUSED("n > 2", "n++");
    REFUSED("n > 2", "n = 2");
    REFUSED("n > 2", "--n");
    REFUSED("n > 2", "2147483648");
    FITS("n > 2", "2147483647");
    REFUSED("n > 2", "07");
    REFUSED("n > 2", "1e400");
    REFUSED("n > 2", "n  > 1");
    REFUSED("n > 2", "n>1");
    FITS("t & 3", "n + a[1]");
    REFUSED("t & 3", "x");
    REFUSED("t & 3", "x < 1.0");
    REFUSED("t & 3", "1.0");
    FITS("a", "a");
    REFUSED("a", "m");
    REFUSED("a", "n");
    FITS("m", "m");
    /* the name that is being declared */
    REFUSED("x", "s");
}

static void statements(void **state)
{
    (void)state;
    const char *t1 = "t = 1;";
    FITS(t1, "x /= 2.0;\n            s = x;");
    FITS(t1, "m[i][1] -= x;");
    FITS(t1, "a[n % 4]++;");
    FITS(t1, "++t;");
    FITS(t1, "clear(a, m);");
    FITS(t1, "int u = 1;\n            t = u;");
    FITS(t1, "return x;");
    FITS(t1, "continue;");
    FITS(t1, "while (t < 4) {\n                t *= 2;\n            }");
    FITS(t1, "do {\n                t++;\n            } while (t < 3);");
    FITS(t1, "if (n) {\n            } else if (t) {\n                t = 0;\n            } else {\n"
             "            }");
    FITS(t1, "for (int j = 0; j < 3; j++) {\n                double y[2][2] = {{1.0}, {2, n}};\n"
             "                s += y[j][0];\n            }");
    REFUSED(t1, "for (int j = 0; j < 3; j++) {\n            }\n            t = j;");
    REFUSED(t1, "int n = 1;");
    REFUSED(t1, "int twice = 1;");
    REFUSED(t1, "int u = u;");
    REFUSED(t1, "x %= 2;");
    REFUSED(t1, "t <<= x;");
    REFUSED(t1, "a = 1;");
    REFUSED(t1, "1 = t;");
    REFUSED(t1, "t + 1;");
    REFUSED(t1, "return;");
    REFUSED(t1, "t = 1; t = 2;");
    REFUSED(t1, "t = 1;\n        t = 2;");
    REFUSED(t1, "int u[0];");
    REFUSED(t1, "int u[4096][4096];");
    REFUSED(t1, "double y[2] = {1, 2, 3};");
    REFUSED("v[0] = 0;", "return 1;");
    FITS("v[0] = 0;", "return;");
    REFUSED("v[0] = 0;", "break;");
    FITS("i++", "i += 2");
    FITS("int i = 0;", "int i = n - 1");
    REFUSED("int i = 0;", "int j = 0");
    REFUSED("int i = 0;", "double i = 0");
    FITS("{\n    t = 1;\n}", "{\n            n = 1;\n        }");
    FITS("{\n    t = 1;\n}", "if (n < 1) {\n            n = 1;\n        }");
}

/* What follows a span may need its declarations, and a function its return. */
static void obligations(void **state)
{
    (void)state;
    FITS("int t = n;", "int k = 2;\n    int t = k;");
    FITS("int t = n;", "n = 3;\n    int t;");
    REFUSED("int t = n;", "n = 3;");
    REFUSED("int t = n;", "double t = 1.0;");
    REFUSED("int t = n;", "int t[3];");
    REFUSED("int t = n;", "int t = 1;\n    int s = 2;");
    FITS("return s - 1.5;", "if (s > 1.0) {\n        return s;\n    } else {\n        return x;\n    }");
    REFUSED("return s - 1.5;", "if (s > 1.0) {\n        return s;\n    }");
    REFUSED("return s - 1.5;", "s = 2.0;");
    /* the loop that holds the last return must not be left */
    FITS("q += 1;", "q *= 2;");
    REFUSED("q += 1;", "break;");
    FITS("q += 1;", "for (int i = 0; i < 3; i++) {\n            break;\n        }");
    REFUSED("{\n    return 2 * v;\n}", "{\n}");
    FITS("{\n    return 2 * v;\n}", "{\n    v = 3;\n    return v;\n}");
}

static void spots(void **state)
{
    (void)state;
    struct grammar_rig *r = elm_calloc(1, sizeof(*r));
    struct elm_grammar *g = NULL;
    struct elm_error err;
    struct elm_buf text = {0};
    size_t from, to;
    r->names = elm_names_new();
    assert_true(rig_add(r, elm_str(rules), ""));
    const struct elm_tree *t = &r->trees[0];
    uint32_t endless = 0;
    while (t->nodes[endless].kind != ELM_NODE_WHILE)
        endless++;
    const uint32_t none[] = {0, 1, 2, find(t, r->names, "/* the end */"), t->count, UINT32_MAX,
                             endless + 1};
    for (size_t i = 0; i < ELM_COUNT(none); i++)
        assert_int_equal(elm_grammar_new(t, r->names, none[i], 1, 9, &g, &err), ELM_USAGE);
    uint32_t at = find(t, r->names, "int t = n;");
    assert_int_equal(elm_grammar_new(t, r->names, at, 0, 9, &g, &err), ELM_USAGE);
    assert_int_equal(elm_grammar_new(t, r->names, at, 4, 9, &g, &err), ELM_USAGE);
    assert_int_equal(elm_grammar_new(t, r->names, at, 900, 9, &g, &err), ELM_USAGE);
    assert_int_equal(elm_grammar_new(t, r->names, at + 1, 2, 9, &g, &err), ELM_USAGE);
    elm_tree_print_spot(t, r->names, at, 2, &text, &from, &to);
    assert_memory_equal(text.ptr + from, "int t = n;\n    double s = x;\n", 29);
    assert_int_equal(to - from, 28);
    elm_buf_release(&text);
    rig_close_all(r);
    free(r);
}

/* The text that follows ends a span; a reading may go on in it, and only in it. */
static void border(void **state)
{
    (void)state;
    struct grammar_rig *r = elm_calloc(1, sizeof(*r));
    struct elm_grammar *g;
    struct elm_error err;
    struct elm_arena arena = {0};
    const struct elm_node *nodes;
    uint32_t count, kids;
    bool ended;
    r->names = elm_names_new();
    assert_true(rig_add(r, elm_str(rules), ""));
    uint32_t at = find(&r->trees[0], r->names, "n > 2");
    assert_int_equal(elm_grammar_new(&r->trees[0], r->names, at, 1, 9, &g, &err), ELM_OK);
    assert_true(reads(g, ELM_STR("t"), &ended) && !ended);
    assert_true(reads(g, ELM_STR("t)"), &ended) && ended);
    assert_true(reads(g, ELM_STR("t) {\n            break;"), &ended) && ended);
    assert_false(reads(g, ELM_STR("t) {\n        }"), &ended));
    /* complete without its border, and with it; not complete */
    assert_int_equal(elm_grammar_nodes(g, r->names, ELM_STR("t"), &arena, &nodes, &count, &kids,
                                       &err), ELM_OK);
    assert_int_equal(count, 1);
    assert_int_equal(elm_grammar_nodes(g, r->names, ELM_STR("t + 1) {"), &arena, &nodes, &count,
                                       &kids, &err), ELM_OK);
    assert_int_equal(count, 3);
    assert_int_equal(elm_grammar_nodes(g, r->names, ELM_STR("t +"), &arena, &nodes, &count, &kids,
                                       &err), ELM_PARSE);
    assert_int_equal(elm_grammar_nodes(g, r->names, ELM_STR(""), &arena, &nodes, &count, &kids,
                                       &err), ELM_PARSE);
    assert_int_equal(elm_grammar_nodes(g, r->names, ELM_STR("t $"), &arena, &nodes, &count, &kids,
                                       &err), ELM_PARSE);
    elm_grammar_free(g);
    elm_arena_release(&arena);
    rig_close_all(r);
    free(r);
}

/* Where a reading must leave what it replaces. */
static void leaving(void **state)
{
    (void)state;
    struct grammar_rig *r = elm_calloc(1, sizeof(*r));
    struct elm_grammar *g;
    struct elm_error err;
    bool ended;
    r->names = elm_names_new();
    assert_true(rig_add(r, elm_str(rules), ""));
    const struct elm_tree *t = &r->trees[0];
    uint32_t at = find(t, r->names, "n > 2");
    for (uint32_t byte = 0; byte < 8; byte++) {
        assert_int_equal(elm_grammar_new(t, r->names, at, 1, 9, &g, &err), ELM_OK);
        assert_true(elm_grammar_leave(g, byte));
        assert_false(reads(g, ELM_STR("n > 2)"), &ended));
        assert_int_equal(reads(g, ELM_STR("t > 2)"), &ended), true);
        /* it can be left at every byte, and by going on at its end */
        assert_int_equal(reads(g, ELM_STR("n < 2)"), &ended), byte > 1);
        assert_int_equal(reads(g, ELM_STR("n > x)"), &ended), byte > 3);
        assert_int_equal(reads(g, ELM_STR("n > 20)"), &ended), byte > 4);
        elm_grammar_free(g);
    }
    /* no other array could stand there */
    at = find(t, r->names, "m");
    assert_int_equal(elm_grammar_new(t, r->names, at, 1, 9, &g, &err), ELM_OK);
    assert_false(elm_grammar_leave(g, 0));
    assert_true(reads(g, ELM_STR(" m)"), &ended) && ended);
    elm_grammar_free(g);
    rig_close_all(r);
    free(r);
}

static int open_rig(void **state)
{
    struct grammar_rig *r = elm_malloc(sizeof(*r));
    rig_open_all(r);
    *state = r;
    return r->count == 0;
}

static int close_rig(void **state)
{
    rig_close_all(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions),
        cmocka_unit_test(statements),
        cmocka_unit_test(obligations),
        cmocka_unit_test(spots),
        cmocka_unit_test(border),
        cmocka_unit_test(leaving),
        cmocka_unit_test(own_texts),
        cmocka_unit_test(random_walks),
    };
    return cmocka_run_group_tests(tests, open_rig, close_rig);
}
