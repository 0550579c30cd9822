/*
 * tape: a tree-walking interpreter of core C that records what the VM only computes. It must give
 * the VM's values (tests/unit/tape_test.c compares them on random programs).
 */
#include "search/tape.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 32

enum flow { FLOW_NEXT, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN, FLOW_STOP };

static uint32_t after(const struct tape_run *r, uint32_t at)
{
    return at + r->tree->nodes[at].size;
}

static bool is_real(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

/* Room for one more; doubles. */
static void *grown(void *items, uint32_t count, uint32_t *cap, size_t size)
{
    if (count < *cap)
        return items;
    *cap = *cap == 0 ? 256 : *cap * 2;
    return elm_realloc(items, *cap * size);
}

/* ---- names to places in a frame ---- */

struct resolver {
    const struct elm_tree *tree;
    uint16_t *slots;
    uint32_t names[512];
    uint16_t places[512];
    uint32_t count;
    uint16_t next;
};

static void resolve(struct resolver *v, uint32_t at)
{
    const struct elm_node *n = &v->tree->nodes[at];
    uint32_t kept = v->count, kid = at + 1;
    for (uint16_t k = 0; k < n->kids; k++, kid += v->tree->nodes[kid].size)
        resolve(v, kid);
    if (n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_DECLARE) {
        v->slots[at] = v->next++;
        ELM_ASSERT(v->count < ELM_COUNT(v->names));
        v->names[v->count] = n->name;
        v->places[v->count++] = v->slots[at];
        return;
    }
    if (n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX) {
        for (uint32_t i = v->count; i-- > 0;) {
            if (v->names[i] == n->name) {
                v->slots[at] = v->places[i];
                break;
            }
        }
    }
    if (n->kind == ELM_NODE_BLOCK || n->kind == ELM_NODE_FOR || n->kind == ELM_NODE_FUNCTION)
        v->count = kept;
}

void tape_resolve(struct tape_run *r)
{
    struct resolver v = {.tree = r->tree, .slots = r->tape->slots};
    uint32_t kid = 1;
    for (uint16_t k = 0; k < r->tree->nodes[0].kids; k++, kid = after(r, kid)) {
        if (r->tree->nodes[kid].kind != ELM_NODE_FUNCTION)
            continue;
        v.next = 0;
        resolve(&v, kid);
        r->frame_slots[kid] = v.next;
        struct elm_str name = elm_names_text(r->names, r->tree->nodes[kid].name);
        if (elm_str_equal(name, elm_str(r->io->entry)))
            r->entry = kid;
    }
}

/* ---- recording ---- */

static uint32_t emit(struct tape_run *r, struct elm_tape_event e)
{
    struct elm_tape *t = r->tape;
    if (r->stopped || t->event_count == r->event_end) {
        r->stopped = true;
        return 0;
    }
    if (t->event_count == t->event_cap) {
        t->events = grown(t->events, t->event_count, &t->event_cap, sizeof(t->events[0]));
        t->wants = elm_realloc(t->wants, t->event_cap * sizeof(t->wants[0]));
    }
    e.frame = r->frame;
    t->events[t->event_count] = e;
    return t->event_count++;
}

static uint32_t stop(struct tape_run *r)
{
    r->stopped = true;
    return 0;
}

static struct elm_tape_event *event(struct tape_run *r, uint32_t e)
{
    return &r->tape->events[e];
}

/* `count` new cells, unset. */
static uint32_t add_cells(struct tape_run *r, uint32_t count)
{
    struct elm_tape *t = r->tape;
    uint32_t first = t->cell_count;
    if (count > TAPE_CELLS_MAX - first) {
        stop(r);
        return 0;
    }
    while (t->cell_cap < first + count)
        t->cells = grown(t->cells, t->cell_cap, &t->cell_cap, sizeof(t->cells[0]));
    memset(t->cells + first, 0, count * sizeof(t->cells[0]));
    t->cell_count += count;
    return first;
}

static struct elm_tape_binding *binding(struct tape_run *r, uint32_t at)
{
    return &r->tape->bindings[r->frame + r->tape->slots[at]];
}

static uint32_t open_frame(struct tape_run *r, uint32_t function)
{
    struct elm_tape *t = r->tape;
    uint32_t first = t->binding_count, count = r->frame_slots[function];
    if (count > TAPE_CELLS_MAX - first) {
        stop(r);
        return 0;
    }
    while (t->binding_cap < first + count + 1)
        t->bindings = grown(t->bindings, t->binding_cap, &t->binding_cap, sizeof(t->bindings[0]));
    for (uint32_t i = 0; i < count; i++)
        t->bindings[first + i] = (struct elm_tape_binding){.cell = UINT32_MAX};
    t->binding_count += count;
    return first;
}

/* The event's value as an int or a double; stops where a conversion is undefined. */
static union elm_value as(struct tape_run *r, uint32_t e, bool real)
{
    union elm_value v = {.i = 0};
    if (e == 0)
        return v;
    const struct elm_tape_event *from = event(r, e);
    if (from->real == real)
        return from->value;
    uint8_t op = real ? ELM_NODE_TO_DOUBLE : ELM_NODE_TO_INT;
    if (!elm_value_apply(op, from->real, from->value, v, &v))
        stop(r);
    return v;
}

static uint32_t store(struct tape_run *r, uint32_t node, uint32_t cell, uint32_t from, bool real)
{
    if (r->stopped)
        return 0;
    struct elm_tape_event e = {.form = ELM_TAPE_STORE, .node = (uint16_t)node, .real = real,
                               .from = {from, 0}, .cell = cell,
                               .before = r->tape->cells[cell].last};
    e.value = as(r, from, real);
    uint32_t stored = emit(r, e);
    if (stored != 0)
        r->tape->cells[cell].last = stored;
    return stored;
}

static uint32_t load(struct tape_run *r, uint32_t at, uint32_t cell, uint32_t index)
{
    if (r->stopped)
        return 0;
    const struct elm_tape_cell *c = &r->tape->cells[cell];
    struct elm_tape_event e = {.form = ELM_TAPE_READ, .node = (uint16_t)at,
                               .real = is_real(r->tree->nodes[at].type), .from = {c->last, index},
                               .cell = cell};
    if (c->last == 0 ? !c->set : event(r, c->last)->unset)
        return stop(r);
    e.value = c->last == 0 ? c->initial : event(r, c->last)->value;
    return emit(r, e);
}

/* ---- expressions: the event that holds the value, 0 when the run has stopped ---- */

static uint32_t eval(struct tape_run *r, uint32_t at);

/* The cell that an lvalue names; its last index event. */
static uint32_t place(struct tape_run *r, uint32_t at, uint32_t *index)
{
    const struct elm_node *n = &r->tree->nodes[at];
    struct elm_tape_binding b = *binding(r, at);
    *index = 0;
    if (b.cell == UINT32_MAX)
        return stop(r);                          /* named in its own initialiser */
    if (n->kind == ELM_NODE_VAR)
        return b.cell;
    uint32_t first = eval(r, at + 1), second = 0;
    int64_t i = as(r, first, false).i, flat = i;
    *index = first;
    if (n->kids == 2) {
        second = eval(r, after(r, at + 1));
        int64_t j = as(r, second, false).i;
        if (r->stopped || j < 0 || j >= b.cols || i < 0 || i >= b.length)
            return stop(r);
        flat = i * b.cols + j;
        *index = second;
    }
    if (r->stopped || flat < 0 || flat >= b.length)
        return stop(r);
    return b.cell + (uint32_t)flat;
}

static uint32_t compute(struct tape_run *r, uint32_t at, uint8_t op, bool real, uint32_t a,
                        uint32_t b)
{
    union elm_value x = as(r, a, real), y = as(r, b, real);
    if (r->stopped)
        return 0;
    bool compares = op >= ELM_NODE_EQ && op <= ELM_NODE_GE;
    struct elm_tape_event e = {.form = ELM_TAPE_COMPUTE, .node = (uint16_t)at, .from = {a, b}};
    e.real = op == ELM_NODE_TO_DOUBLE ||
             (real && !compares && op != ELM_NODE_NOT && op != ELM_NODE_TO_INT);
    if (!elm_value_apply(op, real, x, y, &e.value))
        return stop(r);
    return emit(r, e);
}

static bool true_event(struct tape_run *r, uint32_t e)
{
    const struct elm_tape_event *v = event(r, e);
    return e != 0 && (v->real ? v->value.d != 0 : v->value.i != 0);
}

/* The truth of a condition that decides a branch. */
static bool decide(struct tape_run *r, uint32_t e)
{
    if (e == 0)
        return false;
    event(r, e)->condition = 1;
    return true_event(r, e) != (e == r->flip);
}

static uint8_t plain_operator(uint8_t kind)
{
    if (kind >= ELM_NODE_PRE_INC)
        return kind == ELM_NODE_PRE_INC || kind == ELM_NODE_POST_INC ? ELM_NODE_ADD : ELM_NODE_SUB;
    return (uint8_t)(ELM_NODE_ADD + (kind - ELM_NODE_ADD_ASSIGN));
}

static uint32_t assign(struct tape_run *r, uint32_t at)
{
    const struct elm_node *n = &r->tree->nodes[at];
    uint32_t index, old = 0, cell = place(r, at + 1, &index), value;
    bool real = is_real(n[1].type);
    if (r->stopped)
        return 0;
    if (n->kind == ELM_NODE_ASSIGN) {
        value = eval(r, after(r, at + 1));
    } else {
        old = load(r, at + 1, cell, index);
        bool by_one = n->kind >= ELM_NODE_PRE_INC;
        uint32_t right;
        if (by_one) {
            struct elm_tape_event one = {.form = ELM_TAPE_CONSTANT, .node = (uint16_t)at,
                                         .value = {.i = 1}};
            right = emit(r, one);
        } else {
            right = eval(r, after(r, at + 1));
        }
        bool wide = real || (right != 0 && event(r, right)->real);
        value = compute(r, at, plain_operator(n->kind), wide, old, right);
    }
    uint32_t stored = store(r, at, cell, value, real);
    bool post = n->kind == ELM_NODE_POST_INC || n->kind == ELM_NODE_POST_DEC;
    return post && stored != 0 ? old : stored;
}

static enum flow exec(struct tape_run *r, uint32_t at);

static void bind_argument(struct tape_run *r, uint32_t at, uint32_t param, uint32_t frame)
{
    const struct elm_node *p = &r->tree->nodes[param];
    if (is_array(p->type)) {
        struct elm_tape_binding b = *binding(r, at);
        r->tape->bindings[frame + r->tape->slots[param]] = b;
        return;
    }
    uint32_t value = eval(r, at), cell = add_cells(r, 1);
    if (r->stopped)
        return;
    r->tape->bindings[frame + r->tape->slots[param]] = (struct elm_tape_binding){.cell = cell};
    store(r, param, cell, value, is_real(p->type));
}

static uint32_t call(struct tape_run *r, uint32_t at, uint32_t function)
{
    uint32_t frame = open_frame(r, function), kid = at + 1, caller = r->frame;
    if (r->stopped || r->depth == CALLS_MAX)
        return stop(r);
    for (uint16_t k = 0; k < r->tree->nodes[at].kids && !r->stopped; k++, kid = after(r, kid))
        bind_argument(r, kid, function + 1 + k, frame);
    r->frame = frame;
    r->depth++;
    r->result = 0;
    uint32_t body = function + r->tree->nodes[function].kids;
    exec(r, body);
    r->depth--;
    r->frame = caller;
    if (r->stopped)
        return 0;
    bool real = is_real(r->tree->nodes[at].type);
    struct elm_tape_event e = {.form = ELM_TAPE_CALL, .node = (uint16_t)at, .real = real,
                               .from = {r->result, 0}};
    e.value = as(r, r->result, real);
    return emit(r, e);
}

static uint32_t eval_call(struct tape_run *r, uint32_t at)
{
    const struct elm_node *n = &r->tree->nodes[at];
    uint32_t kid = 1;
    for (uint16_t k = 0; k < r->tree->nodes[0].kids && kid <= at; k++, kid = after(r, kid)) {
        const struct elm_node *f = &r->tree->nodes[kid];
        if (f->kind == ELM_NODE_FUNCTION && f->name == n->name)
            return call(r, at, kid);
    }
    bool real = n->type == ELM_TYPE_DOUBLE;
    uint32_t a = eval(r, at + 1), b = n->kids > 1 ? eval(r, after(r, at + 1)) : 0;
    union elm_value x = as(r, a, real), y = as(r, b, real);
    if (r->stopped)
        return 0;
    struct elm_tape_event e = {.form = ELM_TAPE_COMPUTE, .node = (uint16_t)at, .real = real,
                               .from = {a, b}, .value = elm_value_math(n->name, x, y)};
    return emit(r, e);
}

static uint32_t eval_logic(struct tape_run *r, uint32_t at)
{
    bool neutral = r->tree->nodes[at].kind == ELM_NODE_LOGIC_AND;
    uint32_t a = eval(r, at + 1), b = 0;
    bool truth = true_event(r, a);
    if (truth == neutral && !r->stopped) {
        b = eval(r, after(r, at + 1));
        truth = true_event(r, b);
    }
    struct elm_tape_event e = {.form = ELM_TAPE_COMPUTE, .node = (uint16_t)at, .from = {a, b},
                               .value = {.i = truth}};
    return emit(r, e);
}

static uint32_t eval_choice(struct tape_run *r, uint32_t at)
{
    uint32_t condition = eval(r, at + 1), then = after(r, at + 1);
    uint32_t taken = eval(r, decide(r, condition) ? then : after(r, then));
    bool real = is_real(r->tree->nodes[at].type);
    struct elm_tape_event e = {.form = ELM_TAPE_CHOOSE, .node = (uint16_t)at, .real = real,
                               .from = {condition, taken}};
    e.value = as(r, taken, real);
    return emit(r, e);
}

static uint32_t eval(struct tape_run *r, uint32_t at)
{
    const struct elm_node *n = &r->tree->nodes[at];
    uint32_t index, a, b;
    if (r->stopped)
        return 0;
    switch (n->kind) {
    case ELM_NODE_INT: case ELM_NODE_REAL: {
        struct elm_tape_event e = {.form = ELM_TAPE_CONSTANT, .node = (uint16_t)at,
                                   .real = n->kind == ELM_NODE_REAL, .value = {.i = n->i}};
        return emit(r, e);
    }
    case ELM_NODE_VAR: case ELM_NODE_INDEX: {
        uint32_t cell = place(r, at, &index);
        return load(r, at, cell, index);
    }
    case ELM_NODE_CALL: return eval_call(r, at);
    case ELM_NODE_COND: return eval_choice(r, at);
    case ELM_NODE_LOGIC_AND: case ELM_NODE_LOGIC_OR: return eval_logic(r, at);
    default: break;
    }
    if (n->kind >= ELM_NODE_ASSIGN)
        return assign(r, at);
    a = eval(r, at + 1);
    b = n->kids > 1 ? eval(r, after(r, at + 1)) : 0;
    if (r->stopped)
        return 0;
    return compute(r, at, n->kind, event(r, a)->real || (b != 0 && event(r, b)->real), a, b);
}

/* ---- statements ---- */

static void fill_list(struct tape_run *r, uint32_t list, uint32_t cell, uint32_t cols, bool real)
{
    uint32_t kid = list + 1;
    for (uint16_t k = 0; k < r->tree->nodes[list].kids && !r->stopped; k++, kid = after(r, kid)) {
        if (r->tree->nodes[kid].kind == ELM_NODE_INIT_LIST)
            fill_list(r, kid, cell + k * cols, 1, real);
        else
            store(r, list, cell + k, eval(r, kid), real);
    }
}

static void declare(struct tape_run *r, uint32_t at)
{
    const struct elm_node *n = &r->tree->nodes[at];
    bool real = is_real(n->type);
    if (!is_array(n->type)) {
        uint32_t value = n->kids > 0 ? eval(r, at + 1) : 0;
        if (!r->stopped && binding(r, at)->cell == UINT32_MAX) {
            uint32_t cell = add_cells(r, 1);
            binding(r, at)->cell = cell;
        }
        if (r->stopped)
            return;
        uint32_t stored = store(r, at, binding(r, at)->cell, value, real);
        if (stored != 0)
            event(r, stored)->unset = n->kids == 0;
        return;
    }
    uint32_t cols = n->dims[1], length = n->dims[0] * (cols > 0 ? cols : 1);
    uint32_t cell = add_cells(r, length);
    if (r->stopped)
        return;
    *binding(r, at) = (struct elm_tape_binding){cell, length, cols};
    for (uint32_t i = 0; i < length && n->kids > 0; i++)
        r->tape->cells[cell + i].set = true;     /* zero: a number of either type */
    if (n->kids > 0)
        fill_list(r, at + 1, cell, cols, real);
}

static enum flow loop(struct tape_run *r, uint32_t at)
{
    const struct elm_node *n = &r->tree->nodes[at];
    uint32_t body, condition = at + 1, advance = 0;
    bool test_first = n->kind != ELM_NODE_DO;
    if (n->kind == ELM_NODE_FOR) {
        const struct elm_node *init = &r->tree->nodes[at + 1];
        if (init->kind != ELM_NODE_EMPTY)
            exec(r, at + 1);
        condition = after(r, at + 1);
        advance = after(r, condition);
        body = after(r, advance);
    } else {
        body = test_first ? after(r, at + 1) : at + 1;
        condition = test_first ? at + 1 : after(r, at + 1);
    }
    bool endless = r->tree->nodes[condition].kind == ELM_NODE_EMPTY;
    while (!r->stopped) {
        if (test_first && !endless && !decide(r, eval(r, condition)))
            break;
        uint32_t before = r->tape->event_count;
        enum flow f = exec(r, body);
        if (f == FLOW_BREAK)
            break;
        if (f == FLOW_RETURN || f == FLOW_STOP)
            return f;
        if (advance != 0 && r->tree->nodes[advance].kind != ELM_NODE_EMPTY)
            eval(r, advance);
        if (!test_first && !decide(r, eval(r, condition)))
            break;
        if (r->tape->event_count == before)
            stop(r);                             /* for (;;) {} leaves no events */
    }
    return r->stopped ? FLOW_STOP : FLOW_NEXT;
}

static enum flow exec(struct tape_run *r, uint32_t at)
{
    const struct elm_node *n = &r->tree->nodes[at];
    uint32_t kid = at + 1;
    if (r->stopped)
        return FLOW_STOP;
    switch (n->kind) {
    case ELM_NODE_BLOCK:
        for (uint16_t k = 0; k < n->kids; k++, kid = after(r, kid)) {
            enum flow f = exec(r, kid);
            if (f != FLOW_NEXT)
                return f;
        }
        return FLOW_NEXT;
    case ELM_NODE_DECLARE: declare(r, at); break;
    case ELM_NODE_EVAL: eval(r, kid); break;
    case ELM_NODE_IF:
        if (decide(r, eval(r, kid)))
            return exec(r, after(r, kid));
        if (n->kids > 2 && !r->stopped)
            return exec(r, after(r, after(r, kid)));
        break;
    case ELM_NODE_FOR: case ELM_NODE_WHILE: case ELM_NODE_DO: return loop(r, at);
    case ELM_NODE_BREAK: return FLOW_BREAK;
    case ELM_NODE_CONTINUE: return FLOW_CONTINUE;
    case ELM_NODE_RETURN:
        r->result = n->kids > 0 ? eval(r, kid) : 0;
        return r->stopped ? FLOW_STOP : FLOW_RETURN;
    case ELM_NODE_COMMENT: case ELM_NODE_EMPTY: break;
    default: eval(r, at); break;                 /* the init of a for */
    }
    return r->stopped ? FLOW_STOP : FLOW_NEXT;
}

/* ---- a case ---- */

/* Cells of an array argument, filled from the case's bytes; what has none there is zeros. */
static void load_array(struct tape_run *r, const struct elm_io_param *p, const uint8_t *in,
                       struct elm_tape_binding *b)
{
    uint32_t length = p->dims[0] * (p->dims[1] > 0 ? p->dims[1] : 1);
    bool real = is_real(p->type);
    *b = (struct elm_tape_binding){add_cells(r, length), length, p->dims[1]};
    for (uint32_t i = 0; i < length && !r->stopped; i++) {
        struct elm_tape_cell *c = &r->tape->cells[b->cell + i];
        c->set = true;
        if (p->in_offset != UINT32_MAX)
            c->initial = tape_number(in + p->in_offset, i, real);
    }
}

union elm_value tape_number(const uint8_t *bytes, uint32_t i, bool real)
{
    union elm_value v;
    if (real) {
        memcpy(&v.d, bytes + 8 * (size_t)i, 8);
    } else {
        int32_t x;
        memcpy(&x, bytes + 4 * (size_t)i, 4);
        v.i = x;
    }
    return v;
}

bool tape_run_case(struct tape_run *r, uint32_t c)
{
    const uint8_t *in = (const uint8_t *)r->evidence->in + (size_t)c * r->io->in_bytes;
    r->case_at = c;
    r->stopped = false;
    r->depth = 0;
    r->result = 0;
    r->frame = open_frame(r, r->entry);
    for (uint32_t i = 0; i < r->io->param_count && !r->stopped; i++) {
        const struct elm_io_param *p = &r->io->params[i];
        struct elm_tape_binding *b = binding(r, r->entry + 1 + i);
        if (is_array(p->type)) {
            load_array(r, p, in, b);
        } else {
            b->cell = add_cells(r, 1);
            if (r->stopped)
                break;
            r->tape->cells[b->cell].initial = tape_number(in + p->in_offset, 0, is_real(p->type));
            r->tape->cells[b->cell].set = true;
        }
    }
    uint32_t frame = r->frame;
    if (!r->stopped)
        exec(r, r->entry + r->tree->nodes[r->entry].kids);
    r->frame = frame;
    return !r->stopped;
}
