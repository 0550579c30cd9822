/* point: every small change that a list of them must hold, the likely ones more often; several changes
 * once a parent has had many children. */
#include "../operator_rig.h"

#define CALLS 4000

static const char seed[] = "int f(int a, int b, int n)\n{\n    int s = 3;\n"
                           "    for (int i = 0; i < n; i++) {\n        s += a - b * i;\n    }\n"
                           "    if (s > 10 && a != b) {\n        s = 2;\n    }\n    return s;\n}\n";

struct change {
    const char *from, *to;
    uint32_t seen;
};

/* The seed with the first `from` made `to`. */
static bool is_child(const char *text, const struct change *c)
{
    const char *at = strstr(seed, c->from);
    assert_non_null(at);
    const size_t before = (size_t)(at - seed), put = strlen(c->to);
    return strncmp(text, seed, before) == 0 && strncmp(text + before, c->to, put) == 0 &&
           strcmp(text + before + put, at + strlen(c->from)) == 0;
}

/* Counts who of the list came; returns the edits of all children. */
static uint32_t call(uint64_t asked, struct change *list, size_t size)
{
    const struct elm_operator_kind *op = elm_operator_find("point");
    struct rig r;
    uint32_t edits_made = 0;
    rig_open(&r, seed, NULL);
    r.parent.asked = asked;
    struct elm_operator_context context = rig_context(&r);
    struct elm_parents parents = {&r.parent, 1};
    for (uint64_t i = 0; i < CALLS; i++) {
        struct elm_rng rng = elm_rng(3, i);
        struct elm_edit edits[ELM_EDITS_MAX];
        struct elm_error err = {0};
        struct elm_tree child;
        struct elm_buf text = {0};
        uint32_t count;
        elm_arena_clear(&r.arena);
        assert_int_equal(op->mutate(NULL, &context, &parents, &rng, edits, &count, &err), ELM_OK);
        assert_int_equal(elm_tree_edit(r.parent.tree, edits, count, &child, &err), ELM_OK);
        assert_int_equal(elm_tree_check(&child, r.problem.names, &err), ELM_OK);
        elm_tree_print(&child, r.problem.names, &text);
        assert_string_not_equal(text.ptr, seed);
        for (size_t k = 0; k < size; k++)
            list[k].seen += is_child(text.ptr, &list[k]);
        edits_made += count;
        elm_buf_release(&text);
        elm_tree_release(&child);
    }
    rig_close(&r);
    return edits_made;
}

static void test_single(void **state)
{
    struct change list[] = {
        {"i < n", "i <= n", 0}, {"a - b", "a + b", 0}, {"b * i", "b / i", 0}, {"&&", "||", 0},
        {"!=", "==", 0}, {"s > 10", "s >= 10", 0}, {"int s = 3", "int s = 4", 0},
        {"int i = 0", "int i = 1", 0}, {"10", "9", 0}, {"10", "20", 0}, {"b * i", "a * i", 0},
        {"return s", "return n", 0}, {"s += a", "s -= a", 0}, {"a - b * i", "b * i - a", 0},
        {"a - b * i", "a", 0}, {"b * i", "i", 0}, {"return s", "return s + 1", 0},
        {"return s", "return -s", 0}, {"i++", "i--", 0}, {"s > 10 && a != b", "a != b", 0},
        {"        s = 2;\n", "", 0}, {"s > 10", "10 > s", 0},
    };
    (void)state;
    assert_int_equal(call(0, list, ELM_COUNT(list)), CALLS);
    for (size_t k = 0; k < ELM_COUNT(list); k++) {
        if (list[k].seen == 0)
            fail_msg("never '%s' for '%s'", list[k].to, list[k].from);
    }
    /* the bound of a loop is one off more often than its step goes astray */
    struct change likely[] = {{"i < n", "i <= n", 0}, {"return s", "return -s", 0}};
    call(0, likely, 2);
    assert_true(likely[0].seen > 4 * likely[1].seen);
}

static void test_often_asked(void **state)
{
    (void)state;
    uint32_t some = call(200, NULL, 0), many = call(100000, NULL, 0);
    assert_true(some > CALLS && some < 2 * CALLS);
    assert_true(many > 2 * CALLS && many <= 3 * CALLS);
}

/* Where nothing may grow, nothing does. */
static void test_no_room(void **state)
{
    const struct elm_operator_kind *op = elm_operator_find("point");
    struct rig r;
    (void)state;
    rig_open(&r, seed, NULL);
    r.problem.nodes_max = r.problem.seed.count;
    r.problem.edit_nodes_max = 2;
    struct elm_operator_context context = rig_context(&r);
    struct elm_parents parents = {&r.parent, 1};
    for (uint64_t i = 0; i < CALLS; i++) {
        struct elm_rng rng = elm_rng(4, i);
        struct elm_edit edits[ELM_EDITS_MAX];
        struct elm_tree child;
        uint32_t count, put = 0;
        elm_arena_clear(&r.arena);
        if (op->mutate(NULL, &context, &parents, &rng, edits, &count, NULL) != ELM_OK)
            continue;
        for (uint32_t k = 0; k < count; k++)
            put += edits[k].put_count;
        assert_true(put <= 2);
        assert_int_equal(elm_tree_edit(r.parent.tree, edits, count, &child, NULL), ELM_OK);
        assert_true(child.count <= r.problem.nodes_max);
        elm_tree_release(&child);
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_often_asked),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
