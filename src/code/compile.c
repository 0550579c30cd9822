/*
 * compile: a checked tree to a code block, in one pass. Locals have fixed slots, temporaries are a
 * stack above them; constants sit in slots, loaded when a function is entered.
 */
#include "code/compile.h"

#include <stdlib.h>
#include <string.h>

#define TWICE_NODES 9

static void statement(struct compiler *c, uint32_t at);

static void block(struct compiler *c, uint32_t at)
{
    uint32_t locals = c->local_count, kid = at + 1;
    for (uint16_t i = 0; i < node(c, at)->kids; i++) {
        statement(c, kid);
        kid = after(c, kid);
    }
    c->local_count = locals;
}

static void initialise(struct compiler *c, uint32_t list, uint32_t array, uint8_t type,
                       uint32_t row)
{
    uint32_t kid = list + 1;
    for (uint16_t i = 0; i < node(c, list)->kids; i++, kid = after(c, kid)) {
        if (node(c, kid)->kind == ELM_NODE_INIT_LIST) {
            initialise(c, kid, array, type, i);
            continue;
        }
        uint32_t temps = c->temps, first = vmc_temp(c), second = vmc_temp(c);
        uint32_t value = vmc_typed(c, kid, type, ANY);
        bool two = row != ANY;
        vmc_emit(c, VM_MOVE, first, vmc_int_constant(c, two ? row : i), 0);
        if (two)
            vmc_emit(c, VM_MOVE, second, vmc_int_constant(c, i), 0);
        vmc_emit(c, two ? VM_STORE2 : VM_STORE, value, array, first);
        vmc_step(c);
        c->temps = temps;
    }
}

static void add_array(struct compiler *c, const struct elm_node *n, uint32_t slot)
{
    struct vm_function *f = &c->functions[c->function_count];
    uint32_t length = (uint32_t)n->dims[0] * (n->dims[1] != 0 ? n->dims[1] : 1);
    if (c->array_count == c->array_cap) {
        c->array_cap = c->array_cap == 0 ? 16 : c->array_cap * 2;
        c->arrays = elm_realloc(c->arrays, c->array_cap * sizeof(c->arrays[0]));
    }
    c->arrays[c->array_count] = (struct vm_array){
        .offset = f->array_slots, .length = length, .cols = n->dims[1], .zero = n->kids > 0};
    f->array_slots += length;
    if (f->array_slots > VM_ARRAY_SLOTS)
        c->too_large = true;
    vmc_emit(c, VM_ARRAY, slot, c->array_count++, 0);
}

static void declaration(struct compiler *c, uint32_t at)
{
    const struct elm_node *n = node(c, at);
    uint32_t slot = c->slots++;
    bool array = n->type == ELM_TYPE_INT_ARRAY || n->type == ELM_TYPE_DOUBLE_ARRAY;
    /* the initialiser is outside the scope of its name */
    if (array)
        add_array(c, n, slot);
    if (n->kids > 0 && array)
        initialise(c, at + 1, slot, is_double(n->type) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT, ANY);
    else if (n->kids > 0)
        vmc_typed(c, at + 1, n->type, slot);
    else if (!array)
        vmc_emit(c, VM_CLEAR, slot, 0, 0);
    if (n->kids > 0)
        vmc_step(c);
    vmc_mark_set(c, slot, n->kids > 0 || array);
    if (c->local_count == LOCALS_MAX) {
        c->too_large = true;
        return;
    }
    c->locals[c->local_count++] = (struct local){n->name, slot, at, n->type};
}

static void if_else(struct compiler *c, uint32_t at)
{
    uint32_t jumps[64], count = 0, then = after(c, at + 1);
    uint64_t before[ELM_COUNT(c->assigned)], after_then[ELM_COUNT(c->assigned)];
    vmc_condition(c, at + 1, false, jumps, &count, ELM_COUNT(jumps));
    memcpy(before, c->assigned, sizeof(before));
    block(c, then);
    memcpy(after_then, c->assigned, sizeof(before));
    memcpy(c->assigned, before, sizeof(before));
    uint32_t over = ANY;
    if (node(c, at)->kids == 3)
        over = vmc_emit(c, VM_JUMP, 0, 0, 0);
    for (uint32_t i = 0; i < count; i++)
        vmc_patch(c, jumps[i], vmc_here(c));
    if (over != ANY) {
        statement(c, after(c, then));
        vmc_patch(c, over, vmc_here(c));
    }
    for (size_t i = 0; i < ELM_COUNT(before); i++)
        c->assigned[i] &= after_then[i];
}

static void jump_out(struct compiler *c, bool is_break)
{
    struct loop *l = c->loop;
    vmc_step(c);
    uint32_t jump = vmc_emit(c, VM_JUMP, 0, 0, 0);
    uint32_t *count = is_break ? &l->break_count : &l->continue_count;
    if (*count == ELM_COUNT(l->breaks))
        c->too_large = true;
    else
        (is_break ? l->breaks : l->continues)[(*count)++] = jump;
}

/* Body first, then step and condition at the bottom: one taken jump a round. A small condition
 * stands above the loop once more, so that the body needs no place to be entered at. */
static void loop(struct compiler *c, uint32_t body, uint32_t step_at, uint32_t condition_at,
                 bool test_first)
{
    struct loop l = {.outer = c->loop};
    uint64_t before[ELM_COUNT(c->assigned)];
    uint32_t enter = ANY, jumps[64], count = 0, over[64], over_count = 0;
    bool endless = condition_at == ANY;
    c->loop = &l;
    if (test_first && !endless && node(c, condition_at)->size <= TWICE_NODES)
        vmc_condition(c, condition_at, false, over, &over_count, ELM_COUNT(over));
    else if (test_first && !endless)
        enter = vmc_emit(c, VM_JUMP, 0, 0, 0);
    memcpy(before, c->assigned, sizeof(before));
    uint32_t top = vmc_here(c);
    block(c, body);
    /* a continue may have skipped what the body sets */
    if (test_first || l.continue_count > 0)
        memcpy(c->assigned, before, sizeof(before));
    for (uint32_t i = 0; i < l.continue_count; i++)
        vmc_patch(c, l.continues[i], vmc_here(c));
    if (step_at != ANY) {
        uint32_t temps = c->temps;
        vmc_expression(c, step_at, ANY);
        c->temps = temps;
    }
    if (test_first)
        memcpy(c->assigned, before, sizeof(before));
    if (enter != ANY)
        vmc_patch(c, enter, vmc_here(c));
    if (endless) {
        vmc_step(c);
        vmc_patch(c, vmc_emit(c, VM_JUMP, 0, 0, 0), top);
    } else {
        vmc_condition(c, condition_at, true, jumps, &count, ELM_COUNT(jumps));
        for (uint32_t i = 0; i < count; i++)
            vmc_patch(c, jumps[i], top);
    }
    for (uint32_t i = 0; i < over_count; i++)
        vmc_patch(c, over[i], vmc_here(c));
    for (uint32_t i = 0; i < l.break_count; i++)
        vmc_patch(c, l.breaks[i], vmc_here(c));
    /* a break may leave before anything in the body */
    memcpy(c->assigned, before, sizeof(before));
    c->loop = l.outer;
}

static void for_loop(struct compiler *c, uint32_t at)
{
    uint32_t init = at + 1, test = after(c, init), next = after(c, test);
    uint32_t locals = c->local_count, temps = c->temps;
    if (node(c, init)->kind == ELM_NODE_DECLARE)
        declaration(c, init);
    else if (node(c, init)->kind != ELM_NODE_EMPTY)
        vmc_expression(c, init, ANY);
    c->temps = temps;
    loop(c, after(c, next), node(c, next)->kind == ELM_NODE_EMPTY ? ANY : next,
         node(c, test)->kind == ELM_NODE_EMPTY ? ANY : test, true);
    c->local_count = locals;
}

static void return_value(struct compiler *c, uint32_t at)
{
    vmc_step(c);
    if (node(c, at)->kids == 0) {
        vmc_emit(c, VM_LEAVE, 0, 0, 0);
    } else {
        uint32_t temps = c->temps;
        uint32_t slot = vmc_typed(c, at + 1, c->returns, ANY);
        vmc_emit(c, VM_RETURN, slot, 0, 0);
        c->temps = temps;
    }
}

static void statement(struct compiler *c, uint32_t at)
{
    uint32_t temps = c->temps;
    switch (node(c, at)->kind) {
    case ELM_NODE_BLOCK: block(c, at); break;
    case ELM_NODE_DECLARE: declaration(c, at); break;
    case ELM_NODE_IF: if_else(c, at); break;
    case ELM_NODE_FOR: for_loop(c, at); break;
    case ELM_NODE_WHILE: loop(c, after(c, at + 1), ANY, at + 1, true); break;
    case ELM_NODE_DO: loop(c, at + 1, ANY, after(c, at + 1), false); break;
    case ELM_NODE_BREAK: jump_out(c, true); break;
    case ELM_NODE_CONTINUE: jump_out(c, false); break;
    case ELM_NODE_RETURN: return_value(c, at); break;
    case ELM_NODE_EVAL: vmc_expression(c, at + 1, ANY); break;
    default: break;      /* comments and empty statements */
    }
    c->temps = temps;
}

/* ---- functions ---- */

static void function(struct compiler *c, uint32_t at)
{
    const struct elm_node *n = node(c, at);
    struct vm_function *f = &c->functions[c->function_count];
    uint32_t params = n->kids - 1u;
    c->function_at[c->function_count] = at;
    c->constant_base = c->constant_count;
    uint32_t locals = vmc_survey(c, at);
    if (c->too_large)
        return;
    uint32_t constants = c->constant_count - c->constant_base;
    *f = (struct vm_function){.first = c->count, .constant_slot = params,
                              .constant_first = c->constant_base, .constant_count = constants,
                              .array_first = c->array_count};
    c->local_count = 0;
    c->slots = params + constants;
    c->local_slots = constants + locals;
    c->temps = c->temps_max = c->unpaid = 0;
    c->returns = n->type;
    memset(c->assigned, 0, sizeof(c->assigned));
    for (uint32_t i = 0; i < params; i++) {
        const struct elm_node *p = node(c, at + 1 + i);
        c->locals[c->local_count++] = (struct local){p->name, i, at + 1 + i, p->type};
        vmc_mark_set(c, i, true);
    }
    block(c, at + 1 + params);
    vmc_emit(c, VM_LEAVE, 0, 0, 0);
    f->frame = c->local_slots + c->temps_max + 2;
    f->array_count = c->array_count - f->array_first;
    c->function_count++;
}

static uint32_t put_section(struct elm_buf *code, size_t start, const void *bytes, size_t len)
{
    static const char zeros[8];
    uint32_t at = (uint32_t)(code->len - start);
    elm_buf_add(code, bytes, len);
    if (len % 8 != 0)
        elm_buf_add(code, zeros, 8 - len % 8);
    return at;
}

static void write_code(const struct compiler *c, uint32_t entry, struct elm_buf *code)
{
    size_t start = code->len;
    struct vm_code head = {
        .magic = VM_MAGIC, .in_bytes = c->io->in_bytes, .out_bytes = c->io->out_bytes,
        .entry = entry, .returns = c->io->returns, .param_count = c->io->param_count,
        .instruction_count = c->count, .function_count = c->function_count,
        .constant_count = c->constant_count, .array_count = c->array_count,
    };
    struct vm_param params[ELM_PARAMS_MAX];
    for (uint32_t i = 0; i < c->io->param_count; i++) {
        const struct elm_io_param *p = &c->io->params[i];
        uint32_t length = p->dims[0] * (p->dims[1] != 0 ? p->dims[1] : 1);
        params[i] = (struct vm_param){p->in_offset, p->out_offset, length, (uint16_t)p->dims[1],
                                      p->type, p->direction};
        head.state_slots += p->direction == ELM_IO_STATE ? length : 0;
        head.gives_arrays |= p->out_offset != UINT32_MAX;
    }
    put_section(code, start, &head, sizeof(head));
    head.instructions = put_section(code, start, c->code, c->count * sizeof(c->code[0]));
    head.functions = put_section(code, start, c->functions,
                                 c->function_count * sizeof(c->functions[0]));
    head.constants = put_section(code, start, c->constants,
                                 c->constant_count * sizeof(c->constants[0]));
    head.arrays = put_section(code, start, c->arrays, c->array_count * sizeof(c->arrays[0]));
    head.params = put_section(code, start, params, c->io->param_count * sizeof(params[0]));
    head.bytes = (uint32_t)(code->len - start);
    memcpy(code->ptr + start, &head, sizeof(head));
}

enum elm_status vm_compile(const struct elm_tree *t, const struct elm_names *names,
                           const struct elm_io *io, const struct vm_options *options,
                           struct elm_buf *code, struct elm_error *err)
{
    struct compiler room, *c = &room;
    memset(c, 0, offsetof(struct compiler, functions));
    c->function_count = c->constant_count = c->array_count = c->array_cap = 0;
    c->code = c->first_code;
    c->cap = CODE_FIRST;
    c->constants = c->first_constants;
    c->constant_cap = CONSTANTS_FIRST;
    c->arrays = NULL;
    c->loop = NULL;
    c->too_large = false;
    c->t = t;
    c->io = io;
    c->options = options;
    enum elm_status status = elm_io_match(io, t, names, err);
    uint32_t entry = 0, kid = 1;
    for (uint16_t i = 0; i < t->nodes[0].kids && status == ELM_OK && !c->too_large; i++) {
        if (t->nodes[kid].kind == ELM_NODE_FUNCTION) {
            if (elm_str_equal(elm_names_text(names, t->nodes[kid].name), elm_str(io->entry)))
                entry = c->function_count;
            function(c, kid);
        }
        kid += t->nodes[kid].size;
    }
    if (status == ELM_OK && c->too_large)
        status = elm_fail(err, ELM_RANGE, "the program is too large for the virtual machine");
    if (status == ELM_OK) {
        size_t start = code->len;
        write_code(c, entry, code);
        if (code->len - start > ELM_VM_CODE_BYTES_MAX) {
            code->len = start;
            status = elm_fail(err, ELM_RANGE, "the program is too large for the virtual machine");
        }
    }
    if (c->code != c->first_code)
        free(c->code);
    if (c->constants != c->first_constants)
        free(c->constants);
    free(c->arrays);
    return status;
}

enum elm_status elm_vm_compile(const struct elm_tree *t, const struct elm_names *names,
                               const struct elm_io *io, struct elm_buf *code,
                               struct elm_error *err)
{
    static const struct vm_options plain = {.snap_at = ANY};
    return vm_compile(t, names, io, &plain, code, err);
}
