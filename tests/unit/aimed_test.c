/* aimed: the wanted values tell a change that mends from one that harms, and have it made more often. */
#include "../operator_rig.h"

#include "elm/tape.h"

#define CALLS 1000

static const char seed[] = "int f(int a, int b)\n{\n    int s = a - b;\n    if (s > 4) {\n"
                           "        s = s * 2;\n    }\n    return s + 1;\n}\n";
static const char target[] = "int f(int a, int b)\n{\n    int s = a + b;\n    if (s > 4) {\n"
                             "        s = s * 2;\n    }\n    return s + 1;\n}\n";

static void test_aims(void **state)
{
    (void)state;
    int aimed = rig_mended("aimed", seed, target, CALLS), point = rig_mended("point", seed, target, CALLS);
    print_message("of %d children the target: %d, %d of those not aimed\n", CALLS, aimed, point);
    assert_true(point > 0);
    assert_true(aimed > 4 * point);
}

static uint32_t find(const struct elm_tree *t, uint8_t kind)
{
    uint32_t at = 0;
    while (t->nodes[at].kind != kind)
        at++;
    return at;
}

static void test_gain(void **state)
{
    struct rig r;
    const struct elm_tape *tape, *again;
    struct elm_error err = {0};
    (void)state;
    rig_open(&r, seed, target);
    struct elm_tapes *tapes = elm_tapes_new();
    const struct elm_tree *t = r.parent.tree;
    assert_int_equal(elm_tapes_of(tapes, &r.problem, &r.evidence, &r.parent, &tape, &err), ELM_OK);
    assert_int_equal(elm_tapes_of(tapes, &r.problem, &r.evidence, &r.parent, &again, &err), ELM_OK);
    assert_ptr_equal(tape, again);
    struct elm_node put[3];
    const uint32_t at = find(t, ELM_NODE_SUB);
    memcpy(put, &t->nodes[at], sizeof(put));
    struct elm_edit edit = elm_edit_replace(t, at, put, 3);
    assert_int_equal(elm_tapes_gain(tapes, tape, t, &edit), 0);
    put[0].kind = ELM_NODE_ADD;
    const int gain = elm_tapes_gain(tapes, tape, t, &edit);
    print_message("%d of %d cases\n", gain, RIG_CASES);
    assert_true(gain > RIG_CASES / 4);
    /* where all is well, a change can only harm */
    const uint32_t doubled = find(t, ELM_NODE_MUL);
    memcpy(put, &t->nodes[doubled], sizeof(put));
    put[0].kind = ELM_NODE_DIV;
    edit = elm_edit_replace(t, doubled, put, 3);
    assert_true(elm_tapes_gain(tapes, tape, t, &edit) <= 0);
    /* what removes a statement can't be told */
    edit = (struct elm_edit){.parent = elm_tree_parent(t, find(t, ELM_NODE_IF)), .first = 1,
                             .removed = 1};
    assert_int_equal(elm_tapes_gain(tapes, tape, t, &edit), 0);
    elm_tapes_free(tapes);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aims),
        cmocka_unit_test(test_gain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
