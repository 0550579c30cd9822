/* span: whatever a model writes, the child builds; and what the model is shown. */
#include "../grammar_rig.h"
#include "elm/prompt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define STEPS_MAX 4000

struct asking {
    struct elm_problem *problem;
    struct elm_parent parent;
    struct elm_parents parents;
    struct elm_operator_context context;
    struct elm_arena arena;
    uint8_t editable[ELM_NODES_MAX / 8 + 1];
    const struct elm_operator_kind *op;
    void *self;
};

static const struct elm_evaluation evaluated = {.status = ELM_EVAL_OK, .fitness = 0.25};

static void open_asking(struct asking *a, const char *name)
{
    struct elm_error err = {0};
    memset(a, 0, sizeof(*a));
    if (elm_problem_load(name, "problems", &a->problem, &err) != ELM_OK)
        fail_msg("%s", err.message);
    a->parent = (struct elm_parent){.id = 1, .tree = &a->problem->seed, .editable = a->editable,
                                    .evaluation = &evaluated,
                                    .wrong = ELM_STR("input n=1; expected 2; got 3\n")};
    a->parent.editable_count = elm_tree_editable(a->parent.tree, a->problem->names, a->editable);
    a->parents = (struct elm_parents){&a->parent, 1};
    a->context = (struct elm_operator_context){.problem = a->problem, .arena = &a->arena};
    a->op = elm_operator_find("span");
    a->self = a->op->make(a->problem);
}

static void close_asking(struct asking *a)
{
    a->op->free(a->self);
    elm_arena_release(&a->arena);
    elm_problem_free(a->problem);
}

static void ask(struct asking *a, uint64_t stream, struct elm_request *r)
{
    struct elm_error err = {0};
    struct elm_rng rng = elm_rng(8, stream);
    elm_arena_clear(&a->arena);
    if (a->op->prompt(a->self, &a->context, &a->parents, &rng, r, &err) != ELM_OK)
        fail_msg("%s", err.message);
}

static void write_answer(const struct elm_grammar *g, struct elm_rng *rng, struct elm_buf *out)
{
    struct elm_grammar_state s;
    uint8_t bytes[256];
    elm_grammar_start(g, &s);
    elm_buf_clear(out);
    while (!elm_grammar_ended(g, &s)) {
        uint32_t count = rig_admitted(g, &s, bytes);
        assert_true(count > 0 && out->len < STEPS_MAX);
        uint8_t byte = bytes[elm_rng_below(rng, count)];
        elm_grammar_step(g, &s, byte);
        elm_buf_byte(out, byte);
    }
}

/* The child that the answer is read as, checked. */
static struct elm_tree child_of(struct asking *a, const struct elm_request *r, struct elm_str answer)
{
    struct elm_error err = {0};
    struct elm_edit edits[ELM_EDITS_MAX];
    struct elm_buf text = {0};
    struct elm_tree child;
    uint32_t count = 0;
    elm_arena_clear(&a->arena);
    if (a->op->parse(a->self, &a->context, &a->parents, r, answer, edits, &count, &text, &err) !=
        ELM_OK)
        fail_msg("'%.*s': %s", (int)answer.len, answer.ptr, err.message);
    assert_int_equal(count, 1);
    assert_null(text.ptr);
    assert_int_equal(elm_tree_edit(a->parent.tree, edits, count, &child, &err), ELM_OK);
    enum elm_status status = elm_tree_check(&child, a->problem->names, &err);
    if (status != ELM_OK && status != ELM_OUTSIDE)
        fail_msg("'%.*s': %s", (int)answer.len, answer.ptr, err.message);
    return child;
}

/* Children of children, so that the parents are not only what people wrote. */
static void build_always(const char *name, uint32_t children)
{
    struct asking a;
    struct elm_buf answer = {0};
    struct elm_rng rng = elm_rng(3, 3);
    struct elm_tree parent = {0};
    bool kinds[ELM_NODE_KINDS] = {false}, drawn[ELM_NODE_KINDS] = {false};
    uint32_t same = 0;
    open_asking(&a, name);
    for (uint32_t i = 0; i < a.parent.tree->count; i++) {
        const struct elm_node *n = &a.parent.tree->nodes[i];
        kinds[n->kind] |= (a.editable[i / 8] >> (i % 8) & 1) && n->size <= a.problem->edit_nodes_max;
    }
    for (uint32_t i = 0; i < children; i++) {
        struct elm_request r = {0};
        ask(&a, i, &r);
        if (parent.count == 0)
            drawn[a.parent.tree->nodes[r.note[0]].kind] = true;
        write_answer(r.grammar, &rng, &answer);
        struct elm_tree child = child_of(&a, &r, elm_buf_str(&answer));
        same += elm_tree_text_hash(&child) == elm_tree_text_hash(a.parent.tree);
        elm_request_release(&r);
        if (i % 3 != 0 || i < children / 2 || child.count > a.problem->nodes_max) {
            elm_tree_release(&child);
            continue;
        }
        elm_tree_release(&parent);
        parent = child;
        a.parent.tree = &parent;
        elm_tree_editable(&parent, a.problem->names, a.editable);
    }
    for (uint32_t k = 0; k < ELM_NODE_KINDS; k++) {
        if (kinds[k] && !drawn[k])
            fail_msg("%s: no %s was drawn", name, elm_kind_info(k)->name);
    }
    assert_true(same <= children / 50);
    elm_tree_release(&parent);
    elm_buf_release(&answer);
    close_asking(&a);
}

static void children_build(void **state)
{
    (void)state;
    static const char *const names[] = {"sort", "regression", "quadratic", "parity", "circles",
                                        "boolean"};
    for (size_t i = 0; i < ELM_COUNT(names); i++)
        build_always(names[i], 350);
}

static void prompts_end_at_the_spot(void **state)
{
    (void)state;
    struct asking a;
    struct elm_buf first = {0}, text = {0};
    size_t shared = SIZE_MAX;
    open_asking(&a, "sort");
    for (uint32_t i = 0; i < 100; i++) {
        struct elm_request r = {0};
        size_t from, to, same = 0;
        ask(&a, i, &r);
        assert_true(r.raw && r.system.len == 0 && r.grammar != NULL);
        assert_true(r.prompt.len < 2100);
        assert_non_null(strstr(r.prompt.ptr, a.problem->summary));
        assert_non_null(strstr(r.prompt.ptr, "expected 2; got 3"));
        elm_buf_clear(&text);
        elm_tree_print_spot(a.parent.tree, a.problem->names, (uint32_t)r.note[0],
                            (uint32_t)r.note[1], &text, &from, &to);
        while (text.ptr[from - 1] == ' ' || text.ptr[from - 1] == '\n')
            from--;
        const char *line = memrchr(text.ptr, '\n', from);
        size_t last = from - (size_t)(line + 1 - text.ptr);
        assert_memory_equal(r.prompt.ptr + r.prompt.len - last, line + 1, last);
        if (first.len == 0)
            elm_buf_add_str(&first, elm_buf_str(&r.prompt));
        while (same < first.len && same < r.prompt.len && first.ptr[same] == r.prompt.ptr[same])
            same++;
        shared = same < shared ? same : shared;
        elm_request_release(&r);
    }
    assert_true(shared > 700);
    elm_buf_release(&first);
    elm_buf_release(&text);
    close_asking(&a);
}

static void no_child(void **state)
{
    (void)state;
    struct asking a;
    struct elm_request r = {0}, none = {0};
    struct elm_edit edits[ELM_EDITS_MAX];
    struct elm_error err;
    uint32_t count = 9;
    open_asking(&a, "quadratic");
    ask(&a, 1, &r);
    static const char *const bad[] = {"", " ", "@", "return", "x y z", "}}}}"};
    for (size_t i = 0; i < ELM_COUNT(bad); i++) {
        assert_int_equal(a.op->parse(a.self, &a.context, &a.parents, &r, elm_str(bad[i]), edits,
                                     &count, NULL, &err), ELM_PARSE);
        assert_int_equal(count, 0);
    }
    assert_int_equal(a.op->parse(a.self, &a.context, &a.parents, &none, ELM_STR("1"), edits, &count,
                                 NULL, &err), ELM_PARSE);
    /* a parent of text, and one of which nothing may change */
    struct elm_rng rng = elm_rng(1, 1);
    struct elm_request more = {0};
    memset(a.editable, 0, sizeof(a.editable));
    assert_int_equal(a.op->prompt(a.self, &a.context, &a.parents, &rng, &more, &err),
                     ELM_NOT_FOUND);
    a.parent.tree = NULL;
    a.parent.text = ELM_STR("int x;");
    assert_int_equal(a.op->prompt(a.self, &a.context, &a.parents, &rng, &more, &err),
                     ELM_NOT_FOUND);
    assert_null(more.grammar);
    elm_request_release(&more);
    elm_request_release(&r);
    close_asking(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_build),
        cmocka_unit_test(prompts_end_at_the_spot),
        cmocka_unit_test(no_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
