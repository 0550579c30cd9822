/* tapes: the tapes of the parents used last, and what an edit would gain by them. */
#include "elm/operator.h"
#include "elm/tape.h"

#include <stdlib.h>

struct slot {
    uint64_t key, used;
    struct elm_tape tape;
};
struct elm_tapes {
    struct slot slots[ELM_TAPES_MAX];
    uint64_t calls;
    struct elm_column symbols[ELM_VIEW_SYMBOLS_MAX], column;
    struct elm_view view;
};

struct elm_tapes *elm_tapes_new(void)
{
    return elm_calloc(1, sizeof(struct elm_tapes));
}

void elm_tapes_free(struct elm_tapes *t)
{
    if (t == NULL)
        return;
    for (uint32_t k = 0; k < ELM_TAPES_MAX; k++)
        elm_tape_release(&t->slots[k].tape);
    free(t);
}

enum elm_status elm_tapes_of(struct elm_tapes *t, const struct elm_problem *problem,
                             const struct elm_evidence *evidence, const struct elm_parent *parent,
                             const struct elm_tape **out, struct elm_error *err)
{
    uint64_t key = elm_hash_mix(elm_tree_text_hash(parent->tree), (uint64_t)parent->id);
    struct slot *slot = &t->slots[0];
    t->calls++;
    for (uint32_t k = 0; k < ELM_TAPES_MAX; k++) {
        struct slot *other = &t->slots[k];
        if (other->used > 0 && other->key == key) {
            other->used = t->calls;
            *out = &other->tape;
            return ELM_OK;
        }
        slot = other->used < slot->used ? other : slot;
    }
    slot->used = 0;
    ELM_TRY(elm_tape_record(&slot->tape, parent->tree, problem->names, &problem->io, evidence,
                            err));
    slot->key = key;
    slot->used = t->calls;
    *out = &slot->tape;
    return ELM_OK;
}

/* The cases in which something is wanted of a node; the moments are where it was computed. */
static void open_view(struct elm_tapes *t, const struct elm_tape *tape,
                      const struct elm_tree *tree, uint32_t at)
{
    t->view = (struct elm_view){.tape = tape, .columns = t->symbols};
    for (uint32_t c = 0; c < tape->case_count; c++) {
        uint32_t e = tape->chosen[(size_t)at * tape->case_count + c];
        if (e != 0)
            t->view.events[t->view.cases++] = e;
    }
    t->view.symbol_count = elm_tree_scope(tree, at, t->view.symbols, ELM_VIEW_SYMBOLS_MAX);
}

int elm_tapes_gain(struct elm_tapes *t, const struct elm_tape *tape, const struct elm_tree *tree,
                   const struct elm_edit *edit)
{
    if (edit->removed != 1 || edit->put_kids != 1 || edit->put[0].kind < ELM_NODE_INT)
        return 0;
    uint32_t at = elm_tree_kid(tree, edit->parent, edit->first);
    const struct elm_node *old = &tree->nodes[at];
    bool number = old->type == ELM_TYPE_INT || old->type == ELM_TYPE_DOUBLE;
    bool assigned = tree->nodes[edit->parent].kind >= ELM_NODE_ASSIGN && edit->first == 0;
    if (old->kind < ELM_NODE_INT || !number || assigned)
        return 0;
    open_view(t, tape, tree, at);
    if (t->view.cases == 0 || !elm_view_evaluate(&t->view, edit->put, &t->column) ||
        t->column.real != (old->type == ELM_TYPE_DOUBLE))
        return 0;
    int gain = 0;
    for (uint32_t i = 0; i < t->view.cases; i++) {
        const struct elm_want *w = &tape->wants[t->view.events[i]];
        gain += t->column.ok[i] && elm_want_met(w, t->column.v[i]);
        gain -= elm_want_met(w, tape->events[t->view.events[i]].value);
    }
    return gain;
}
