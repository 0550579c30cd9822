/* text through everything that reads a program: parse, check, print, hash, scopes, edits, the
 * machine. */
#include "fuzz.h"
#include "elm/code.h"

#include <stdlib.h>
#include <string.h>

/* An entry that fits the tree's first function; false when none does. */
static bool entry_of(const struct elm_tree *t, const struct elm_names *names, struct elm_io *io)
{
    uint32_t at = 1;
    for (uint16_t i = 0; i < t->nodes[0].kids && t->nodes[at].kind != ELM_NODE_FUNCTION; i++)
        at += t->nodes[at].size;
    if (at >= t->count || t->nodes[at].kids - 1 > ELM_PARAMS_MAX)
        return false;
    const struct elm_node *f = &t->nodes[at];
    struct elm_str name = elm_names_text(names, f->name);
    memset(io, 0, sizeof(*io));
    memcpy(io->entry, name.ptr, name.len);
    io->returns = f->type;
    io->param_count = f->kids - 1u;
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_node *p = f + 1 + i;
        bool array = p->type >= ELM_TYPE_INT_ARRAY;
        io->params[i].type = p->type;
        io->params[i].direction = array ? (uint8_t)(i % 3) : ELM_IO_IN;
        io->params[i].dims[0] = array && p->dims[0] == 0 ? 3 : p->dims[0];
        io->params[i].dims[1] = p->dims[1];
    }
    return elm_io_layout(io, NULL) == ELM_OK;
}

static void run(const struct elm_tree *t, const struct elm_names *names)
{
    struct elm_io io;
    struct elm_buf code = {0};
    if (!entry_of(t, names, &io))
        return;
    if (elm_vm_compile(t, names, &io, &code, NULL) == ELM_OK) {
        struct elm_vm_memory *m = elm_vm_memory_new();
        struct elm_trace trace;
        uint8_t *in = elm_calloc(1, io.in_bytes), *out = elm_malloc(io.out_bytes);
        uint64_t steps;
        enum elm_vm_end end = elm_vm_run(code.ptr, m, in, out, 3000, &steps);
        ELM_ASSERT(end < ELM_VM_ENDS && steps <= 3000);
        if (elm_vm_trace(t, names, &io, in, 1, 3000, m, &trace, NULL) == ELM_OK) {
            ELM_ASSERT(trace.ends[0] == end || end == ELM_VM_FUEL ||
                       trace.ends[0] == ELM_VM_FUEL);
            elm_trace_release(&trace);
        }
        elm_vm_memory_free(m);
        free(in);
        free(out);
    }
    elm_buf_release(&code);
}

static void walk(const struct elm_tree *t, const struct elm_names *names)
{
    uint8_t *bits = elm_malloc(t->count / 8 + 1);
    struct elm_symbol symbols[16];
    uint32_t functions[4];
    elm_tree_editable(t, names, bits);
    for (uint32_t at = 0; at < t->count; at += 1 + t->count / 64) {
        uint32_t parent = elm_tree_parent(t, at);
        ELM_ASSERT(parent == UINT32_MAX || parent < at);
        ELM_ASSERT(elm_tree_scope(t, at, symbols, 16) <= 16);
        elm_tree_callable(t, at, functions, 4);
    }
    free(bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elm_names *names = elm_names_new();
    struct elm_tree t, again;
    struct elm_buf text = {0};
    if (elm_tree_parse((struct elm_str){(const char *)data, size}, names, &t, NULL) == ELM_OK) {
        elm_tree_hash(&t);
        if (elm_tree_check(&t, names, NULL) == ELM_OK) {
            elm_tree_print(&t, names, &text);
            /* layout may need more room than the text had */
            if (text.len <= ELM_TEXT_BYTES_MAX) {
                ELM_ASSERT(elm_tree_parse(elm_buf_str(&text), names, &again, NULL) == ELM_OK);
                ELM_ASSERT(elm_tree_check(&again, names, NULL) == ELM_OK);
                ELM_ASSERT(elm_tree_text_hash(&again) == elm_tree_text_hash(&t));
                ELM_ASSERT(elm_tree_hash(&again) == elm_tree_hash(&t));
                elm_tree_release(&again);
            }
            walk(&t, names);
            run(&t, names);
        }
        elm_tree_release(&t);
    }
    elm_buf_release(&text);
    elm_names_free(names);
    return 0;
}
