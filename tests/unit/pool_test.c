/* pool: what goes in, what comes out, ageing, saving. */
#include "elm/operator.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct elm_tree parse(const char *text, struct elm_names *names)
{
    struct elm_tree t;
    struct elm_error err = {0};
    if (elm_tree_parse(elm_str(text), names, &t, &err) != ELM_OK ||
        elm_tree_check(&t, names, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return t;
}

/* Draws n subtrees and counts how often the text came. */
static uint32_t drawn(const struct elm_pool *p, const struct elm_names *names, enum elm_type type,
                      uint32_t size_max, const char *text, uint32_t n)
{
    struct elm_rng rng = elm_rng(1, 2);
    uint32_t hits = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct elm_node *node = elm_pool_draw(p, &rng, type, size_max);
        assert_non_null(node);
        assert_in_range(node->size, 1, size_max);
        struct elm_buf b = {0};
        elm_node_print(node, names, &b);
        hits += strcmp(b.ptr, text) == 0;
        elm_buf_release(&b);
    }
    return hits;
}

static void draws_are_uniform_over_distinct_subtrees(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_pool *p = elm_pool_new();
    struct elm_rng rng = elm_rng(0, 0);
    assert_null(elm_pool_draw(p, &rng, ELM_TYPE_INT, 32));
    struct elm_tree t = parse("int f(int a, int b)\n{\n    return a + b * a;\n}\n", names);
    for (int i = 0; i < 5; i++)
        elm_pool_add(p, &t);
    elm_tree_release(&t);
    /* a, b, b * a, a + b * a: each once, however often it was added */
    assert_in_range(drawn(p, names, ELM_TYPE_INT, 32, "b * a", 4000), 850, 1150);
    assert_in_range(drawn(p, names, ELM_TYPE_INT, 32, "a", 4000), 850, 1150);
    assert_in_range(drawn(p, names, ELM_TYPE_INT, 32, "a + b * a", 4000), 850, 1150);
    /* a cap leaves three */
    assert_in_range(drawn(p, names, ELM_TYPE_INT, 3, "b", 3000), 850, 1150);
    assert_null(elm_pool_draw(p, &rng, ELM_TYPE_DOUBLE, 32));
    assert_non_null(elm_pool_draw(p, &rng, ELM_TYPE_NONE, 32));
    assert_null(elm_pool_draw(p, &rng, ELM_TYPE_NONE, 1));
    elm_pool_free(p);
    elm_names_free(names);
}

static void add_number(struct elm_pool *p, struct elm_names *names, int i)
{
    char text[128];
    snprintf(text, sizeof(text), "int f(int a)\n{\n    return %d;\n}\n", i);
    struct elm_tree t = parse(text, names);
    elm_pool_add(p, &t);
    elm_tree_release(&t);
}

static void the_oldest_leave(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_pool *p = elm_pool_new();
    for (int i = 0; i < 5000; i++)
        add_number(p, names, i);
    struct elm_rng rng = elm_rng(3, 3);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 20000; i++) {
        const struct elm_node *n = elm_pool_draw(p, &rng, ELM_TYPE_INT, 1);
        least = n->i < least ? n->i : least;
        most = n->i > most ? n->i : most;
    }
    assert_int_equal(most, 4999);
    assert_int_equal(least, 5000 - 1024);
    elm_pool_free(p);
    elm_names_free(names);
}

static void a_saved_pool_draws_the_same(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_pool *p = elm_pool_new(), *q = elm_pool_new();
    struct elm_tree t = parse("#include <math.h>\n"
                              "double f(double x, double w[4])\n{\n"
                              "    double s = -1.5;\n"
                              "    for (int i = 0; i < 4; i++) {\n        s += w[i] * sqrt(x);\n"
                              "    }\n    return s;\n}\n", names);
    elm_pool_add(p, &t);
    elm_tree_release(&t);
    for (int i = 0; i < 3000; i++)
        add_number(p, names, i % 1500);
    struct elm_buf saved = {0}, again = {0};
    elm_pool_save(p, &saved);
    struct elm_reader r = elm_reader(saved.ptr, saved.len);
    struct elm_error err = {0};
    assert_int_equal(elm_pool_load(q, names, &r, &err), ELM_OK);
    assert_ptr_equal(r.at, r.end);
    elm_pool_save(q, &again);
    assert_int_equal(again.len, saved.len);
    assert_memory_equal(again.ptr, saved.ptr, saved.len);
    /* they also go on alike */
    for (int i = 0; i < 1200; i += 7) {
        add_number(p, names, i);
        add_number(q, names, i);
    }
    struct elm_rng a = elm_rng(9, 9), b = elm_rng(9, 9);
    for (int i = 0; i < 3000; i++) {
        enum elm_type type = (enum elm_type)(i % 3);
        const struct elm_node *x = elm_pool_draw(p, &a, type, 32);
        const struct elm_node *y = elm_pool_draw(q, &b, type, 32);
        assert_int_equal(x->size, y->size);
        assert_memory_equal(x, y, x->size * sizeof(*x));
    }
    elm_buf_release(&saved);
    elm_buf_release(&again);
    elm_pool_free(p);
    elm_pool_free(q);
    elm_names_free(names);
}

static void damaged_bytes_are_refused(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_pool *p = elm_pool_new();
    struct elm_tree t = parse("int f(int a)\n{\n    a = a * 3 + (a < 4 ? 1 : -a);\n"
                              "    return a;\n}\n", names);
    elm_pool_add(p, &t);
    elm_tree_release(&t);
    struct elm_buf saved = {0};
    elm_pool_save(p, &saved);
    struct elm_error err = {0};
    for (size_t cut = 0; cut < saved.len; cut++) {
        struct elm_reader r = elm_reader(saved.ptr, cut);
        assert_int_equal(elm_pool_load(p, names, &r, &err), ELM_CORRUPT);
    }
    /* any byte changed: refused, or a pool that can still be drawn from and saved */
    struct elm_rng rng = elm_rng(1, 1);
    for (int i = 0; i < 3000; i++) {
        struct elm_pool *q = elm_pool_new();
        struct elm_buf bytes = {0}, out = {0};
        elm_buf_add(&bytes, saved.ptr, saved.len);
        bytes.ptr[elm_rng_below(&rng, (uint32_t)bytes.len)] = (char)elm_rng_below(&rng, 256);
        struct elm_reader r = elm_reader(bytes.ptr, bytes.len);
        if (elm_pool_load(q, names, &r, &err) == ELM_OK) {
            elm_pool_save(q, &out);
            elm_pool_draw(q, &rng, ELM_TYPE_INT, 32);
        }
        elm_pool_free(q);
        elm_buf_release(&bytes);
        elm_buf_release(&out);
    }
    /* what it held before is still there */
    assert_non_null(elm_pool_draw(p, &rng, ELM_TYPE_INT, 32));
    elm_buf_release(&saved);
    elm_pool_free(p);
    elm_names_free(names);
}

/* One subtree of one node in the ring of ints, as a snapshot has it. */
static enum elm_status load_one(const struct elm_names *names, enum elm_kind kind, uint64_t value)
{
    struct elm_pool *p = elm_pool_new();
    struct elm_buf bytes = {0};
    elm_buf_varint(&bytes, 0);
    elm_buf_varint(&bytes, 1);
    elm_buf_byte(&bytes, 1);
    elm_buf_byte(&bytes, (uint8_t)kind);
    elm_buf_byte(&bytes, ELM_TYPE_INT);
    elm_buf_varint(&bytes, 0);
    elm_buf_varint(&bytes, value);
    elm_buf_varint(&bytes, 0);
    struct elm_reader r = elm_reader(bytes.ptr, bytes.len);
    enum elm_status status = elm_pool_load(p, names, &r, NULL);
    elm_buf_release(&bytes);
    elm_pool_free(p);
    return status;
}

static void what_no_program_says_is_refused(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    uint32_t comment = elm_names_add(names, ELM_STR("/* a comment */"));
    uint32_t count = elm_names_count(names);
    assert_int_equal(load_one(names, ELM_NODE_VAR, ELM_NAMES_FRESH), ELM_OK);
    assert_int_equal(load_one(names, ELM_NODE_CALL, count - 1), ELM_CORRUPT);
    assert_int_equal(load_one(names, ELM_NODE_VAR, comment), ELM_CORRUPT);
    assert_int_equal(load_one(names, ELM_NODE_VAR, count), ELM_CORRUPT);
    assert_int_equal(load_one(names, ELM_NODE_VAR, UINT32_MAX), ELM_CORRUPT);
    assert_int_equal(load_one(names, ELM_NODE_INT, INT32_MAX), ELM_OK);
    assert_int_equal(load_one(names, ELM_NODE_INT, 1ull << 31), ELM_CORRUPT);
    elm_names_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_uniform_over_distinct_subtrees),
        cmocka_unit_test(the_oldest_leave),
        cmocka_unit_test(a_saved_pool_draws_the_same),
        cmocka_unit_test(damaged_bytes_are_refused),
        cmocka_unit_test(what_no_program_says_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
