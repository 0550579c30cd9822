/* a saved pool of subtrees: loaded, drawn from, put into a program, saved again. */
#include "fuzz.h"
#include "elm/operator.h"

static void place(const struct elm_node *subtree, bool statement, struct elm_names *names)
{
    struct elm_tree t, child;
    struct elm_buf text = {0};
    ELM_ASSERT(elm_tree_parse(ELM_STR("int f(int x, int *a) { x = a[x]; return x; }"), names, &t,
                              NULL) == ELM_OK);
    /* PROGRAM FUNCTION PARAM PARAM BLOCK EVAL ASSIGN VAR INDEX */
    struct elm_edit edit = elm_edit_replace(&t, statement ? 5 : 8, subtree, subtree->size);
    if (elm_tree_edit(&t, &edit, 1, &child, NULL) == ELM_OK) {
        if (elm_tree_check(&child, names, NULL) == ELM_OK)
            elm_tree_print(&child, names, &text);
        elm_tree_release(&child);
    }
    elm_tree_release(&t);
    elm_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elm_names *names = elm_names_new();
    struct elm_pool *p = elm_pool_new(), *q = elm_pool_new();
    /* beside those that every table has, some that the corpus may name */
    for (int i = 0; i < 16; i++)
        elm_names_add(names, (struct elm_str){&"fabcdeghlmnopqrs"[i], 1});
    struct elm_reader r = elm_reader(data, size);
    struct elm_buf saved = {0}, again = {0};
    if (elm_pool_load(p, names, &r, NULL) == ELM_OK) {
        struct elm_rng rng = elm_rng(1, size);
        for (int i = 0; i < 9; i++) {
            const struct elm_node *n = elm_pool_draw(p, &rng, (enum elm_type)(i % 3), 32);
            if (n != NULL)
                place(n, i % 3 == ELM_TYPE_NONE, names);
        }
        elm_pool_save(p, &saved);
        r = elm_reader(saved.ptr, saved.len);
        ELM_ASSERT(elm_pool_load(q, names, &r, NULL) == ELM_OK && r.at == r.end);
        elm_pool_save(q, &again);
        ELM_ASSERT(elm_str_equal(elm_buf_str(&saved), elm_buf_str(&again)));
    }
    elm_buf_release(&saved);
    elm_buf_release(&again);
    elm_pool_free(p);
    elm_pool_free(q);
    elm_names_free(names);
    return 0;
}
