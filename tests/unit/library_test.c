/* library: programs are kept as they are, the best of each niche; `recall` goes where they are. */
#include "../train_rig.h"

#include "../edits_rig.h"

#include "elm/library.h"

#define STEPS 200

static struct train_rig rig;

static void comes_back(void **state)
{
    (void)state;
    struct elm_library *l = elm_library_new(), *back = NULL;
    struct elm_error err = {0};
    assert_int_equal(elm_library_add(l, elm_str("int f(void)")), 0);
    assert_int_equal(elm_library_add(l, elm_str("")), 1);
    assert_int_equal(elm_library_add(l, elm_str("int f(void)")), 0);
    assert_int_equal(elm_library_count(l), 2);
    assert_float_equal(elm_library_weights(l)[0], logf(2), 1e-6);
    GIVES(ELM_OK, elm_library_write(l, rig.out, ERR));
    GIVES(ELM_OK, elm_library_read(rig.out, &back, ERR));
    assert_int_equal(elm_library_count(back), 2);
    assert_string_equal(elm_library_text(back, 0).ptr, "int f(void)");
    assert_int_equal(elm_library_find(back, elm_str("")), 1);
    assert_int_equal(elm_library_find(back, elm_str("x")), UINT32_MAX);
    assert_float_equal(elm_library_weights(back)[0], logf(2), 1e-6);
    elm_library_free(back);
    elm_library_weights(l)[1] = NAN;
    GIVES(ELM_OK, elm_library_write(l, rig.out, ERR));
    assert_int_equal(elm_library_read(rig.out, &back, &err), ELM_CORRUPT);
    assert_non_null(strstr(err.message, "no logarithm"));
    elm_library_free(l);
    l = elm_library_new();
    GIVES(ELM_NOTHING, elm_library_write(l, rig.out, ERR));
    for (uint32_t i = 0; i < ELM_LIBRARY_MAX; i++)
        assert_int_equal(elm_library_add(l, (struct elm_str){(const char *)&i, sizeof(i)}), i);
    assert_int_equal(elm_library_add(l, elm_str("one more")), UINT32_MAX);
    elm_library_free(l);
    assert_int_equal(elm_library_read("models/elm-nano.gguf", &back, &err), ELM_OUTSIDE);
}

static struct elm_library *learn(uint64_t seed, bool shuffled, uint32_t runs)
{
    const char *const data[] = {rig.run, rig.run};
    struct elm_train_def def = {.trainer = "library", .data = data, .data_count = runs, .out = rig.out,
                                .steps = 2, .seed = seed, .shuffled = shuffled};
    struct elm_library *l;
    assert_true(rig_learn(&def).loss > 0);
    GIVES(ELM_OK, elm_library_read(rig.out, &l, ERR));
    return l;
}

/* The rig's run ended with eight programs. */
static void keeps_the_elites(void **state)
{
    (void)state;
    struct elm_library *once = learn(1, false, 1), *twice = learn(2, false, 2);
    struct elm_library *shuffled = learn(1, true, 1);
    uint32_t others = 0;
    assert_in_range(elm_library_count(once), 2, 8);
    assert_int_equal(elm_library_count(twice), elm_library_count(once));
    for (uint32_t i = 0; i < elm_library_count(once); i++)
        assert_true(elm_library_find(twice, elm_library_text(once, i)) != UINT32_MAX);
    for (uint32_t i = 0; i < elm_library_count(shuffled); i++)
        others += elm_library_find(once, elm_library_text(shuffled, i)) == UINT32_MAX;
    assert_true(others > 0);
    elm_library_free(once);
    elm_library_free(twice);
    elm_library_free(shuffled);
}

static void takes_no_model(void **state)
{
    (void)state;
    const char *const data[] = {rig.run};
    struct elm_train_def def = {.trainer = "library", .data = data, .data_count = 1, .out = rig.out,
                                .steps = 2, .model = "builtin"};
    struct elm_train_stats stats;
    assert_int_equal(elm_train(&def, NULL, NULL, &stats, NULL), ELM_USAGE);
    def.model = NULL;
    def.labels = "good";
    assert_int_equal(elm_train(&def, NULL, NULL, &stats, NULL), ELM_USAGE);
}

/* Children of children of the seed, each of them a program that builds; how many of them, until one is the
 * library's. */
static uint32_t walk(struct elm_problem *p, const struct elm_tree *to)
{
    const struct elm_operator_kind *op = elm_operator_find("recall");
    struct elm_arena arena = {0};
    struct elm_tree at = elm_tree_copy(&p->seed);
    struct elm_operator_context context = {.problem = p, .arena = &arena, .model = rig.out};
    void *self = op->make(p);
    uint32_t steps = 0;
    while (elm_tree_text_hash(&at) != elm_tree_text_hash(to) && steps++ < STEPS) {
        uint8_t editable[ELM_NODES_MAX / 8 + 1];
        struct elm_parent parent = {.tree = &at, .editable = editable,
                                    .editable_count = elm_tree_editable(&at, p->names, editable)};
        struct elm_rng rng = elm_rng(3, steps);
        struct elm_edit edits[ELM_EDITS_MAX];
        struct elm_tree child;
        uint32_t count, put = 0;
        elm_arena_clear(&arena);
        if (op->mutate(self, &context, &(struct elm_parents){&parent, 1}, &rng, edits, &count, NULL) !=
            ELM_OK)
            continue;
        for (uint32_t i = 0; i < count; i++)
            put += edits[i].put_count;
        assert_true(put <= p->edit_nodes_max);
        GIVES(ELM_OK, elm_tree_edit(&at, edits, count, &child, ERR));
        GIVES(ELM_OK, elm_tree_check(&child, p->names, ERR));
        assert_in_range(child.count, 1, p->nodes_max);
        for (uint32_t i = 0; i < child.count; i++)
            assert_true(child.nodes[i].kind != ELM_NODE_COMMENT ||
                        elm_names_text(p->names, child.nodes[i].name).ptr[0] == '/');
        elm_tree_release(&at);
        at = child;
    }
    elm_tree_release(&at);
    op->free(self);
    elm_arena_release(&arena);
    return steps;
}

/* A literal, an operand, a statement more and one less, and a whole other part. */
static void recall_arrives(void **state)
{
    static const char text[] =
        "void walker(double joint[48][2], int muscle[192][2], double wave[192][2], int count[2])\n{\n"
        "    int side[4];\n    side[0] = add_joint(joint, count, 0.0, 3.0);\n"
        "    side[2] = add_joint(joint, count, 10.0 * 2.0, 10.0);\n"
        "    int centre = add_joint(joint, count, 5.0, 5.0);\n"
        "    for (int k = 0; k < 3; k++) {\n"
        "        add_muscle(muscle, wave, count, side[k], centre, 0.0, 0.0);\n    }\n"
        "    add_muscle(muscle, wave, count, side[3], centre, 0.0, 0.0);\n"
        "    add_muscle(muscle, wave, count, side[3], side[0], 1.0, 0.5);\n}\n";
    struct elm_problem *p;
    struct elm_tree to;
    struct elm_buf program = {0};
    struct elm_library *l = elm_library_new();
    (void)state;
    GIVES(ELM_OK, elm_problem_load("sodarace:square", "problems", &p, ERR));
    const char *body = strstr(p->seed_text, "void walker(");
    assert_non_null(body);
    elm_buf_add(&program, p->seed_text, (size_t)(body - p->seed_text));
    elm_buf_printf(&program, "%s\n/* EVOLVE-BLOCK-END */\n", text);
    elm_library_add(l, elm_str(program.ptr));
    elm_library_add(l, elm_str("what is no program is left out"));
    struct elm_buf commented = {0};
    elm_buf_add(&commented, p->seed_text, (size_t)(body - p->seed_text));
    elm_buf_printf(&commented, "%.*s    /* is of no other program */\n}\n/* EVOLVE-BLOCK-END */\n",
                   (int)(strlen(text) - 2), text);
    elm_library_add(l, elm_buf_str(&commented));
    elm_buf_release(&commented);
    GIVES(ELM_OK, elm_library_write(l, rig.out, ERR));
    GIVES(ELM_OK, elm_tree_parse(elm_str(program.ptr), p->names, &to, ERR));
    assert_in_range(walk(p, &to), 2, STEPS - 1);
    elm_tree_release(&to);
    elm_library_free(l);
    elm_buf_release(&program);
    elm_problem_free(p);
}

static int enter(void **state)
{
    (void)state;
    train_rig_open(&rig);
    edits_rig_run(rig.run, 200);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    train_rig_close(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back), cmocka_unit_test(keeps_the_elites),
        cmocka_unit_test(takes_no_model), cmocka_unit_test(recall_arrives),
    };
    return cmocka_run_group_tests_name("library", tests, enter, leave);
}
