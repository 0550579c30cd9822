/* frequencies: edits are counted for what they are, and `frequent` follows the table. */
#include "../train_rig.h"

#include "../edits_rig.h"

#include "elm/frequencies.h"
#include "elm/nano.h"

#define CALLS 400

static struct train_rig rig;

static struct elm_tree parse(const char *text, struct elm_names *names)
{
    struct elm_tree t;
    GIVES(ELM_OK, elm_tree_parse(elm_str(text), names, &t, ERR));
    GIVES(ELM_OK, elm_tree_check(&t, names, ERR));
    return t;
}

static void counts_what_changed(void **state)
{
    (void)state;
    struct elm_names *names = elm_names_new();
    struct elm_tree t = parse("int f(int a)\n{\nreturn a + 3 * a;\n}\n", names);
    struct elm_frequencies counts = {0};
    uint32_t add = 0, block = 0;
    for (uint32_t i = 0; i < t.count; i++) {
        add = t.nodes[i].kind == ELM_NODE_ADD ? i : add;
        block = t.nodes[i].kind == ELM_NODE_BLOCK ? i : block;
    }
    /* a + 4 * a: the same but for a literal two nodes below */
    struct elm_node put[5];
    memcpy(put, t.nodes + add, sizeof(put));
    assert_true(put[3].kind == ELM_NODE_INT);
    put[3].i = 4;
    struct elm_edit edits[3] = {elm_edit_replace(&t, add, put, 5),
                                {.parent = block, .first = 0, .removed = 1},
                                {.parent = block, .first = 0, .put_kids = 1, .put_count = 1,
                                 .put = &(struct elm_node){.kind = ELM_NODE_EMPTY, .size = 1}}};
    elm_frequencies_count(&counts, &t, edits, 3);
    assert_true(counts.replace[ELM_NODE_INT][ELM_NODE_INT] == 1);
    assert_true(counts.literal[ELM_LITERAL_MORE] == 1);
    assert_true(counts.replace[ELM_NODE_RETURN][ELM_NODE_NONE] == 1);
    assert_true(counts.replace[ELM_NODE_NONE][ELM_NODE_EMPTY] == 1);
    elm_tree_release(&t);
    elm_names_free(names);
}

/* Children of the seed by a table; how many put a node of `kind` where it is counted. */
static uint32_t children(const char *problem, const char *table, uint8_t kind, uint32_t *made)
{
    const struct elm_operator_kind *op = elm_operator_find("frequent");
    struct elm_problem *p;
    struct elm_arena arena = {0};
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    uint32_t found = 0;
    GIVES(ELM_OK, elm_problem_load(problem, "problems", &p, ERR));
    struct elm_parent parent = {.tree = &p->seed, .editable = editable,
                                .editable_count = elm_tree_editable(&p->seed, p->names, editable)};
    struct elm_operator_context context = {.problem = p, .arena = &arena, .model = table};
    void *self = op->make(p);
    *made = 0;
    for (uint64_t i = 0; i < CALLS; i++) {
        struct elm_rng rng = elm_rng(3, i);
        struct elm_edit edits[ELM_EDITS_MAX];
        struct elm_tree child;
        uint32_t count;
        elm_arena_clear(&arena);
        if (op->mutate(self, &context, &(struct elm_parents){&parent, 1}, &rng, edits, &count,
                       NULL) != ELM_OK)
            continue;
        (*made)++;
        found += edits[0].put_count > 0 && edits[0].put->kind == kind;
        GIVES(ELM_OK, elm_tree_edit(&p->seed, edits, count, &child, ERR));
        GIVES(ELM_OK, elm_tree_check(&child, p->names, ERR));
        assert_in_range(child.count, 1, p->nodes_max);
        elm_tree_release(&child);
    }
    op->free(self);
    elm_arena_release(&arena);
    elm_problem_free(p);
    return found;
}

static void follows_the_table(void **state)
{
    (void)state;
    const char *const runs[] = {rig.run};
    struct elm_train_def def = {.trainer = "frequencies", .data = runs, .data_count = 1,
                                .out = rig.out, .steps = 2, .seed = 1};
    struct elm_train_stats stats = rig_learn(&def);
    assert_true(stats.loss > 0 && stats.loss < 12);
    uint32_t made, xors;
    children(EDITS_RIG_PROBLEM, rig.out, ELM_NODE_XOR, &made);
    assert_in_range(made, CALLS / 2, CALLS);
    /* arrays passed on, loops, calls */
    children("sodarace:square", rig.out, ELM_NODE_XOR, &made);
    assert_in_range(made, CALLS / 4, CALLS);
    children("sodarace:radial", rig.out, ELM_NODE_XOR, &made);
    assert_in_range(made, CALLS / 4, CALLS);
    struct elm_frequencies f;
    GIVES(ELM_OK, elm_frequencies_read(rig.out, &f, ERR));
    for (int a = 0; a < ELM_FREQUENCY_KINDS; a++) {
        for (int b = 0; b < ELM_FREQUENCY_KINDS; b++)
            f.replace[a][b] = a != ELM_NODE_NONE && b == ELM_NODE_XOR ? 5 : -20;
    }
    GIVES(ELM_OK, elm_frequencies_write(&f, rig.base, ERR));
    xors = children(EDITS_RIG_PROBLEM, rig.base, ELM_NODE_XOR, &made);
    assert_true(made > 0 && xors == made);
}

static void refuses_other_files(void **state)
{
    (void)state;
    struct elm_frequencies f;
    const struct elm_operator_kind *op = elm_operator_find("frequent");
    GIVES(ELM_PARSE, elm_train(&(struct elm_train_def){.trainer = "frequencies", .out = rig.out,
                                                      .data = (const char *const[]){rig.data},
                                                      .data_count = 1, .steps = 1},
                               NULL, NULL, &(struct elm_train_stats){0}, ERR));
    assert_int_not_equal(op->model(rig.data, NULL), ELM_OK);
    GIVES(ELM_NOT_FOUND, op->model(NULL, ERR));
    GIVES(ELM_NOT_FOUND, elm_frequencies_read("/nowhere/x", &f, ERR));
    struct elm_nano *nano;
    GIVES(ELM_OK, elm_nano_new(&(struct elm_nano_config){32, 1, 32}, 1, &nano, ERR));
    GIVES(ELM_OK, elm_nano_write(nano, NULL, rig.base, ERR));
    GIVES(ELM_OUTSIDE, elm_frequencies_read(rig.base, &f, ERR));
    elm_nano_free(nano);
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
        cmocka_unit_test(counts_what_changed),
        cmocka_unit_test(follows_the_table),
        cmocka_unit_test(refuses_other_files),
    };
    train_rig_open(&rig);
    edits_rig_run(rig.run, 200);
    return cmocka_run_group_tests_name("frequencies", tests, NULL, leave);
}
