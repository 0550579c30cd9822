/* backward: from wanted outputs to wanted values: the tape read from its end. */
#include "search/tape.h"

#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX (1 << 17)             /* of a tape: 7 MiB with their wants */
#define CASE_EVENTS_MAX (1 << 14)
#define FLIP_EVENTS_MAX (1 << 20)        /* spent on trying branches the other way round */
#define FLIPS_OF_NODE 2                  /* per condition and case, from its last visit back */
#define FLIP_ROOM 16                     /* events of such a run for each of the case's own; more: it never ends */
#define FLIP_ROOM_LEAST 256

struct backward {
    struct tape_run run;
    bool exact;
    uint32_t flip_events;
    uint8_t *tried;                      /* by node: flips in this case */
};

/* ---- outputs ---- */

/* The want on output number i of a block of them. */
static struct elm_want prescribed(const struct elm_evidence *e, size_t base, uint32_t i, bool real)
{
    size_t size = real ? 8 : 4, at = base + size * i;
    const uint8_t *mask = e->want_mask + at;
    struct elm_want w = {.kind = ELM_WANT_NONE};
    if (real) {
        for (size_t k = 0; k < 8; k++) {
            if (mask[k] == 0)
                return w;
        }
        w.kind = ELM_WANT_REAL;
        memcpy(&w.d[0], (const uint8_t *)e->want + at, 8);
        w.d[1] = w.d[0];
        return w;
    }
    memcpy(&w.value, (const uint8_t *)e->want + at, 4);
    for (uint32_t k = 0; k < 4; k++)
        w.mask |= mask[k] != 0 ? 0xffu << (8 * k) : 0;
    w.value &= w.mask;
    w.kind = w.mask != 0 ? ELM_WANT_BITS : ELM_WANT_NONE;
    return w;
}

static void ask(struct backward *b, uint32_t event, struct elm_want w)
{
    if (event == 0 || w.kind == ELM_WANT_NONE)
        return;
    struct elm_want *have = &b->run.tape->wants[event];
    *have = elm_want_both(have, &w, b->exact);
}

/* A want on a number of type `real`, asked of the event that was converted to it. */
static void ask_as(struct backward *b, uint32_t event, struct elm_want w, bool real)
{
    if (event == 0)
        return;
    bool own = b->run.tape->events[event].real;
    ask(b, event, own == real ? w : elm_want_unconvert(&w, own));
}

/* Calls `each` for every prescribed output: its want, the event it came from (0: an input or a
 * constant zero), its value. */
static void each_output(struct backward *b, void (*each)(struct backward *b, struct elm_want w,
                                                         uint32_t event, union elm_value v,
                                                         bool real, void *to), void *to)
{
    const struct tape_run *r = &b->run;
    const struct elm_io *io = r->io;
    size_t base = (size_t)r->case_at * io->out_bytes;
    if (io->returns != ELM_TYPE_NONE && r->result != 0) {
        bool real = io->returns == ELM_TYPE_DOUBLE;
        const struct elm_tape_event *e = &r->tape->events[r->result];
        union elm_value v = e->value;
        if (e->real == real ||
            elm_value_apply(real ? ELM_NODE_TO_DOUBLE : ELM_NODE_TO_INT, e->real, v, v, &v))
            each(b, prescribed(r->evidence, base, 0, real), r->result, v, real, to);
    }
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        bool array = p->type == ELM_TYPE_INT_ARRAY || p->type == ELM_TYPE_DOUBLE_ARRAY;
        if (!array || p->out_offset == UINT32_MAX)
            continue;
        bool real = p->type == ELM_TYPE_DOUBLE_ARRAY;
        struct elm_tape_binding bound = r->tape->bindings[r->frame + i];
        for (uint32_t k = 0; k < bound.length; k++) {
            const struct elm_tape_cell *c = &r->tape->cells[bound.cell + k];
            union elm_value v = c->last != 0 ? r->tape->events[c->last].value : c->initial;
            each(b, prescribed(r->evidence, base + p->out_offset, k, real), c->last, v, real, to);
        }
    }
}

static void check_output(struct backward *b, struct elm_want w, uint32_t event, union elm_value v,
                         bool real, void *to)
{
    (void)b;
    (void)event;
    (void)real;
    *(bool *)to &= elm_want_met(&w, v);
}

static void ask_output(struct backward *b, struct elm_want w, uint32_t event, union elm_value v,
                       bool real, void *to)
{
    (void)v;
    (void)to;
    ask_as(b, event, w, real);
}

static bool outputs_right(struct backward *b)
{
    bool right = true;
    each_output(b, check_output, &right);
    return right;
}

/* ---- branches ---- */

/* Runs the case again with one condition turned round: are its outputs right then? */
static bool flip_helps(struct backward *b, uint32_t event)
{
    struct tape_run kept = b->run;
    struct elm_tape *t = b->run.tape;
    uint32_t events = t->event_count, cells = t->cell_count, bindings = t->binding_count;
    uint32_t first = events;
    /* the same events come again, up to the condition */
    b->run.flip = events + (event - b->run.event_first);
    b->run.event_first = first;
    uint32_t most = FLIP_ROOM * (events - kept.event_first) + FLIP_ROOM_LEAST;
    b->run.event_end = first + (most < CASE_EVENTS_MAX ? most : CASE_EVENTS_MAX);
    bool right = tape_run_case(&b->run, kept.case_at) && outputs_right(b);
    b->flip_events += t->event_count - events;
    t->event_count = events;
    t->cell_count = cells;
    t->binding_count = bindings;
    b->run = kept;
    return right;
}

static struct elm_want branch(bool taken, bool real)
{
    if (real)
        return (struct elm_want){.kind = taken ? ELM_WANT_REAL_DIFFER : ELM_WANT_REAL};
    if (taken)
        return (struct elm_want){.kind = ELM_WANT_DIFFER};
    return (struct elm_want){.kind = ELM_WANT_BITS, .mask = UINT32_MAX};
}

/* Wants of the conditions of a case: as they are where it passes, turned round where that mends
 * it. */
static void ask_conditions(struct backward *b, bool passes)
{
    struct elm_tape *t = b->run.tape;
    uint32_t end = t->event_count;
    memset(b->tried, 0, t->node_count);
    for (uint32_t e = end - 1; e >= b->run.event_first; e--) {
        struct elm_tape_event v = t->events[e];
        if (!v.condition)
            continue;
        bool truth = v.real ? v.value.d != 0 : v.value.i != 0;
        if (passes) {
            ask(b, e, branch(truth, v.real));
        } else if (b->tried[v.node] < FLIPS_OF_NODE && b->flip_events < FLIP_EVENTS_MAX) {
            b->tried[v.node]++;
            if (flip_helps(b, e))
                ask(b, e, branch(!truth, v.real));
        }
    }
}

/* ---- operands ---- */

static union elm_value as(const struct elm_tape_event *e, bool real)
{
    union elm_value v = e->value;
    if (e->real != real)
        elm_value_apply(real ? ELM_NODE_TO_DOUBLE : ELM_NODE_TO_INT, e->real, v, v, &v);
    return v;
}

/* Truth as a number of either kind, for the wants of && and ||. */
static union elm_value truth_as(const struct elm_tape_event *e, bool real)
{
    bool yes = e->real ? e->value.d != 0 : e->value.i != 0;
    return real ? (union elm_value){.d = yes} : (union elm_value){.i = yes};
}

static void ask_logic(struct backward *b, const struct elm_tape_event *e, uint8_t op,
                      const struct elm_want *w)
{
    const struct elm_tape_event *events = b->run.tape->events;
    struct elm_tape_event neutral = {.value = {.i = op == ELM_NODE_LOGIC_AND}};
    for (uint32_t side = 0; side < 2; side++) {
        if (e->from[side] == 0)
            continue;
        const struct elm_tape_event *own = &events[e->from[side]];
        const struct elm_tape_event *other =
            e->from[!side] != 0 ? &events[e->from[!side]] : &neutral;
        union elm_value x = truth_as(own, own->real), y = truth_as(other, own->real);
        ask(b, e->from[side], elm_want_operand(w, op, own->real, side, side == 0 ? x : y,
                                               side == 0 ? y : x, b->exact));
    }
}

static uint8_t operator_of(uint8_t kind)
{
    if (kind >= ELM_NODE_PRE_INC)
        return kind == ELM_NODE_PRE_INC || kind == ELM_NODE_POST_INC ? ELM_NODE_ADD : ELM_NODE_SUB;
    if (kind > ELM_NODE_ASSIGN)
        return (uint8_t)(ELM_NODE_ADD + (kind - ELM_NODE_ADD_ASSIGN));
    return kind;
}

static void ask_operands(struct backward *b, const struct elm_tape_event *e,
                         const struct elm_want *w)
{
    const struct elm_node *n = &b->run.tree->nodes[e->node];
    const struct elm_tape_event *events = b->run.tape->events;
    uint8_t op = operator_of(n->kind);
    if (op == ELM_NODE_LOGIC_AND || op == ELM_NODE_LOGIC_OR) {
        ask_logic(b, e, op, w);
        return;
    }
    const struct elm_tape_event *first = &events[e->from[0]], *second = &events[e->from[1]];
    bool two = e->from[1] != 0, call = n->kind == ELM_NODE_CALL;
    bool real = call ? e->real : first->real || (two && second->real);
    union elm_value x = as(first, real), y = two ? as(second, real) : x;
    for (uint32_t side = 0; side < 1u + two; side++) {
        struct elm_want asked = call ? elm_want_argument(w, n->name, side, x, y)
                                     : elm_want_operand(w, op, real, side, x, y, b->exact);
        ask_as(b, e->from[side], asked, real);
    }
}

static void pass_on(struct backward *b, uint32_t at)
{
    struct elm_tape_event e = b->run.tape->events[at];
    struct elm_want w = b->run.tape->wants[at];
    if (w.kind == ELM_WANT_NONE)
        return;
    switch (e.form) {
    case ELM_TAPE_READ: ask(b, e.from[0], w); break;
    case ELM_TAPE_STORE: case ELM_TAPE_CALL: ask_as(b, e.from[0], w, e.real); break;
    case ELM_TAPE_CHOOSE: ask_as(b, e.from[1], w, e.real); break;
    case ELM_TAPE_COMPUTE: ask_operands(b, &e, &w); break;
    default: break;
    }
}

/* ---- cases ---- */

static void choose(struct elm_tape *t, uint32_t c, uint32_t first)
{
    for (uint32_t e = t->event_count - 1; e >= first; e--) {
        const struct elm_tape_event *v = &t->events[e];
        if (v->form == ELM_TAPE_STORE || !elm_want_useful(&t->wants[e]))
            continue;
        uint32_t *chosen = &t->chosen[(size_t)v->node * t->case_count + c];
        bool met = elm_want_met(&t->wants[e], v->value);
        if (*chosen == 0) {
            *chosen = e;
            t->wrong[v->node] += !met;
        } else if (!met && elm_want_met(&t->wants[*chosen], t->events[*chosen].value)) {
            *chosen = e;
            t->wrong[v->node]++;
        }
    }
}

static void record_case(struct backward *b, uint32_t c)
{
    struct elm_tape *t = b->run.tape;
    uint32_t first = t->event_count, cells = t->cell_count, bindings = t->binding_count;
    b->run.flip = 0;
    b->run.event_first = first;
    t->first[c] = t->first[c + 1] = first;
    t->failed[c] = true;
    if (!tape_run_case(&b->run, c)) {
        t->failing++;
        t->event_count = first;
        t->cell_count = cells;
        t->binding_count = bindings;
        return;
    }
    uint32_t end = t->event_count;
    memset(t->wants + first, 0, (end - first) * sizeof(t->wants[0]));
    bool passes = outputs_right(b);
    t->failing += !passes;
    t->failed[c] = !passes;
    t->first[c + 1] = end;
    ask_conditions(b, passes);
    each_output(b, ask_output, NULL);
    for (uint32_t e = end - 1; e >= first; e--)
        pass_on(b, e);
    choose(t, c, first);
}

/* Is it mostly & | ^ ~? */
static bool computes_bits(const struct elm_tree *t)
{
    int32_t lead = 0;
    for (uint32_t i = 0; i < t->count; i++) {
        uint8_t op = operator_of(t->nodes[i].kind);
        if (op == ELM_NODE_AND || op == ELM_NODE_OR || op == ELM_NODE_XOR ||
            op == ELM_NODE_BIT_NOT)
            lead++;
        else if ((op >= ELM_NODE_ADD && op <= ELM_NODE_MOD) ||
                 (op >= ELM_NODE_EQ && op <= ELM_NODE_LOGIC_OR) || op == ELM_NODE_NEG)
            lead--;
    }
    return lead > 0;
}

static void prepare(struct elm_tape *t, uint32_t nodes, uint32_t cases)
{
    size_t cells = (size_t)nodes * cases;
    t->node_count = nodes;
    t->case_count = cases;
    t->event_count = 1;
    t->cell_count = t->binding_count = t->failing = 0;
    t->slots = elm_realloc(t->slots, nodes * sizeof(t->slots[0]));
    t->chosen = elm_realloc(t->chosen, (cells + 1) * sizeof(t->chosen[0]));
    t->wrong = elm_realloc(t->wrong, nodes * sizeof(t->wrong[0]));
    memset(t->slots, 0, nodes * sizeof(t->slots[0]));
    memset(t->chosen, 0, cells * sizeof(t->chosen[0]));
    memset(t->wrong, 0, nodes * sizeof(t->wrong[0]));
    if (t->event_cap == 0) {
        t->event_cap = 4096;
        t->events = elm_malloc(t->event_cap * sizeof(t->events[0]));
        t->wants = elm_malloc(t->event_cap * sizeof(t->wants[0]));
    }
}

enum elm_status elm_tape_record(struct elm_tape *tape, const struct elm_tree *t,
                                const struct elm_names *names, const struct elm_io *io,
                                const struct elm_evidence *evidence, struct elm_error *err)
{
    if (evidence == NULL || evidence->want == NULL || evidence->case_count == 0)
        return elm_fail(err, ELM_NOT_FOUND, "the judge gives no wanted outputs");
    ELM_TRY(elm_io_match(io, t, names, err));
    uint32_t cases = evidence->case_count < ELM_TAPE_CASES_MAX ? evidence->case_count
                                                               : ELM_TAPE_CASES_MAX;
    prepare(tape, t->count, cases);
    tape->bits = computes_bits(t);
    struct backward b = {
        .run = {.tape = tape, .tree = t, .names = names, .io = io, .evidence = evidence},
        .exact = !tape->bits,
    };
    b.run.frame_slots = elm_calloc(t->count, sizeof(b.run.frame_slots[0]));
    b.tried = elm_malloc(t->count);
    tape_resolve(&b.run);
    for (uint32_t c = 0; c < cases; c++) {
        uint32_t room = EVENTS_MAX - tape->event_count;
        b.run.event_end = tape->event_count + (room < CASE_EVENTS_MAX ? room : CASE_EVENTS_MAX);
        record_case(&b, c);
    }
    free(b.run.frame_slots);
    free(b.tried);
    return ELM_OK;
}

void elm_tape_release(struct elm_tape *t)
{
    free(t->events);
    free(t->wants);
    free(t->cells);
    free(t->bindings);
    free(t->slots);
    free(t->chosen);
    free(t->wrong);
    *t = (struct elm_tape){0};
}

bool elm_tape_value(const struct elm_tape *t, uint32_t event, uint32_t declared_at, int64_t i,
                    int64_t j, union elm_value *out)
{
    const struct elm_tape_binding *b = &t->bindings[t->events[event].frame + t->slots[declared_at]];
    int64_t flat = 0;
    if (b->length > 0) {
        flat = b->cols > 0 ? i * b->cols + j : i;
        if (i < 0 || i >= b->length || (b->cols > 0 && (j < 0 || j >= b->cols)) ||
            flat >= b->length)
            return false;
    }
    if (b->cell == UINT32_MAX)
        return false;
    const struct elm_tape_cell *c = &t->cells[b->cell + (uint32_t)flat];
    uint32_t store = c->last;
    while (store >= event)
        store = t->events[store].before;
    if (store == 0) {
        *out = c->initial;
        return c->set;
    }
    *out = t->events[store].value;
    return !t->events[store].unset;
}
