/*
 * code_props: what must hold of every tree, tried on random programs and on random edits of them,
 * sensible or not:
 *   - the printer is lossless, edits survive packing;
 *   - a run repeats to the step, needs exactly its steps of fuel, traced or not;
 *   - the normal form is blind to names, comments, blocks, order of pure operands and the spelling
 *     of x = x + 1, and two programs of one normal form behave alike.
 *
 *     code_props [SEED [COUNT]]
 */
#include "cases.h"
#include "generate.h"

#define CASES 6
#define FUEL 20000
#define MUTANTS 24

struct subject {
    struct elm_names *names;
    struct elm_io io;
    struct elm_vm_memory *memory;
    struct elm_rng rng;
    uint8_t *in;
    uint64_t seed;
    uint64_t mutants, valid, equal, bad;
};

struct behaviour {
    uint8_t *out;
    uint8_t ends[CASES];
    uint64_t steps[CASES];
    bool runs;
};

static void complain(struct subject *s, const struct elm_tree *t, const char *what)
{
    struct elm_buf text = {0};
    elm_tree_print(t, s->names, &text);
    fprintf(stderr, "seed %llu: %s\n%s\n", (unsigned long long)s->seed, what, text.ptr);
    elm_buf_release(&text);
    s->bad++;
}

/* ---- properties of one tree ---- */

static void lossless(struct subject *s, const struct elm_tree *t)
{
    struct elm_buf text = {0}, again = {0};
    struct elm_tree back;
    struct elm_error err = {0};
    elm_tree_print(t, s->names, &text);
    if (elm_tree_parse(elm_buf_str(&text), s->names, &back, &err) != ELM_OK) {
        complain(s, t, err.message);
    } else {
        elm_tree_print(&back, s->names, &again);
        if (!elm_str_equal(elm_buf_str(&text), elm_buf_str(&again)))
            complain(s, t, "prints as something else after parsing");
        else if (elm_tree_check(&back, s->names, &err) != ELM_OK)
            complain(s, t, err.message);
        else if (elm_tree_text_hash(&back) != elm_tree_text_hash(t))
            complain(s, t, "parses as another tree than the one printed");
        elm_tree_release(&back);
    }
    elm_buf_release(&text);
    elm_buf_release(&again);
}

static void run_all(struct subject *s, const struct elm_tree *t, struct behaviour *b)
{
    struct elm_buf code = {0};
    struct elm_error err = {0};
    b->runs = elm_vm_compile(t, s->names, &s->io, &code, &err) == ELM_OK;
    b->out = elm_calloc(CASES, s->io.out_bytes);
    uint8_t *again = elm_calloc(1, s->io.out_bytes);
    for (uint32_t i = 0; i < CASES && b->runs; i++) {
        const uint8_t *in = s->in + i * s->io.in_bytes;
        uint8_t *out = b->out + i * s->io.out_bytes;
        uint64_t steps, exact;
        b->ends[i] = (uint8_t)elm_vm_run(code.ptr, s->memory, in, out, FUEL, &b->steps[i]);
        if (b->ends[i] == ELM_VM_FUEL)
            continue;
        exact = b->steps[i];
        if (elm_vm_run(code.ptr, s->memory, in, again, exact, &steps) != b->ends[i] ||
            steps != exact ||
            (b->ends[i] == ELM_VM_OK && memcmp(again, out, s->io.out_bytes) != 0))
            complain(s, t, "a second run is another");
        if (exact > 0 && b->ends[i] == ELM_VM_OK &&
            elm_vm_run(code.ptr, s->memory, in, again, exact - 1, &steps) != ELM_VM_FUEL)
            complain(s, t, "a step less than it takes is enough");
    }
    free(again);
    elm_buf_release(&code);
}

static void traced(struct subject *s, const struct elm_tree *t, const struct behaviour *b)
{
    for (uint32_t i = 0; i < CASES && b->runs; i++) {
        struct elm_trace trace;
        const uint8_t *in = s->in + i * s->io.in_bytes;
        if (b->ends[i] != ELM_VM_OK)
            continue;
        for (uint32_t less = 0; less < 2 && less <= b->steps[i]; less++) {
            if (elm_vm_trace(t, s->names, &s->io, in, 1, b->steps[i] - less, s->memory, &trace,
                             NULL) != ELM_OK)
                return;
            if (trace.ends[0] != (less ? ELM_VM_FUEL : ELM_VM_OK))
                complain(s, t, "tracing changes the steps");
            elm_trace_release(&trace);
        }
    }
}

/* ---- edits ---- */

/* The child of t under one edit, packed and unpacked on the way; false when it is none. */
static bool child_of(struct subject *s, const struct elm_tree *t, const struct elm_edit *edit,
                     struct elm_tree *child)
{
    struct elm_buf bytes = {0};
    struct elm_arena arena = {0};
    struct elm_edit back[ELM_EDITS_MAX];
    struct elm_tree same;
    uint32_t count = 0;
    bool made = elm_tree_edit(t, edit, 1, child, NULL) == ELM_OK;
    if (made) {
        elm_edits_encode(edit, 1, &bytes);
        bool ok = elm_edits_decode(bytes.ptr, bytes.len, back, &count, &arena, NULL) == ELM_OK &&
                  elm_tree_edit(t, back, count, &same, NULL) == ELM_OK;
        if (!ok || elm_tree_text_hash(&same) != elm_tree_text_hash(child))
            complain(s, t, "an edit that packing changes");
        if (ok)
            elm_tree_release(&same);
    }
    elm_buf_release(&bytes);
    elm_arena_release(&arena);
    return made;
}

static uint32_t below(struct subject *s, uint32_t n)
{
    return elm_rng_below(&s->rng, n);
}

static bool in_class(const struct elm_node *n, enum elm_class cls)
{
    uint8_t own = elm_kind_info(n->kind)->cls;
    return own == cls || (cls == ELM_CLASS_EXPRESSION && own == ELM_CLASS_LVALUE);
}

/* A random node of the class, 0: none met. */
static uint32_t some(struct subject *s, const struct elm_tree *t, enum elm_class cls)
{
    for (int i = 0; i < 50; i++) {
        uint32_t at = 1 + below(s, t->count - 1);
        if (in_class(&t->nodes[at], cls) && t->nodes[at].kind != ELM_NODE_INIT_LIST)
            return at;
    }
    return 0;
}

/* Some other way to write the node: operands swapped, ++ for += 1, another operator or literal.
 * Writes the new nodes to `put`; returns how many, 0: none. */
static uint32_t rewritten(struct subject *s, const struct elm_tree *t, uint32_t at,
                          struct elm_node *put)
{
    const struct elm_node *n = &t->nodes[at], *left = n + 1;
    memcpy(put, n, n->size * sizeof(*n));
    if (n->kind >= ELM_NODE_ADD && n->kind <= ELM_NODE_LOGIC_OR) {
        const struct elm_node *right = left + left->size;
        if (below(s, 3) == 0) {
            put->kind = (uint8_t)(ELM_NODE_ADD + below(s, 18));
            return n->size;
        }
        memcpy(put + 1, right, right->size * sizeof(*n));
        memcpy(put + 1 + right->size, left, left->size * sizeof(*n));
        if (n->kind >= ELM_NODE_LT && n->kind <= ELM_NODE_GE)
            put->kind = (uint8_t)(n->kind <= ELM_NODE_LE ? n->kind + 2 : n->kind - 2);
        return n->size;
    }
    if (n->kind >= ELM_NODE_ADD_ASSIGN && n->kind <= ELM_NODE_SHR_ASSIGN) {
        const struct elm_node *right = left + left->size;
        struct elm_node *op = put + 1 + left->size;
        put->kind = ELM_NODE_ASSIGN;
        put->size = n->size + 1 + left->size;
        *op = (struct elm_node){.kind = (uint8_t)(ELM_NODE_ADD + n->kind - ELM_NODE_ADD_ASSIGN),
                                .kids = 2, .size = n->size};
        memcpy(op + 1, left, left->size * sizeof(*n));
        memcpy(op + 1 + left->size, right, right->size * sizeof(*n));
        return put->size;
    }
    if (n->kind >= ELM_NODE_PRE_INC) {
        put->kind = (uint8_t)(ELM_NODE_PRE_INC + below(s, 4));
        if (below(s, 2) == 0)
            return n->size;
        put->kind = n->kind == ELM_NODE_PRE_INC || n->kind == ELM_NODE_POST_INC
                        ? ELM_NODE_ADD_ASSIGN : ELM_NODE_SUB_ASSIGN;
        put->kids = 2;
        put->size = n->size + 1;
        put[n->size] = (struct elm_node){.kind = ELM_NODE_INT, .size = 1, .i = 1};
        return put->size;
    }
    if (n->kind == ELM_NODE_INT)
        put->i = below(s, 9);
    return n->kind == ELM_NODE_INT ? 1 : 0;
}

/* A random edit; its new nodes are in put. */
static bool some_edit(struct subject *s, const struct elm_tree *t, struct elm_node *put,
                      struct elm_edit *edit)
{
    uint32_t how = below(s, 10), at, from, count;
    if (how < 4) {
        at = some(s, t, ELM_CLASS_EXPRESSION);
        count = at == 0 || t->nodes[at].size > ELM_NODES_MAX / 4 ? 0 : rewritten(s, t, at, put);
        if (count == 0)
            return false;
        *edit = elm_edit_replace(t, at, put, count);
        return true;
    }
    enum elm_class cls = how < 7 ? ELM_CLASS_EXPRESSION : ELM_CLASS_STATEMENT;
    at = some(s, t, cls);
    from = some(s, t, cls);
    if (at == 0 || from == 0)
        return false;
    *edit = elm_edit_replace(t, at, &t->nodes[from], t->nodes[from].size);
    if (how == 8)
        *edit = (struct elm_edit){.parent = edit->parent, .first = edit->first, .removed = 1};
    else if (how == 9)
        edit->removed = 0;
    return true;
}

static void mutants(struct subject *s, struct elm_tree *t, const struct behaviour *b)
{
    struct elm_node *put = elm_malloc(ELM_NODES_MAX * 2 * sizeof(*put));
    struct elm_tree base = elm_tree_copy(t);
    for (int i = 0; i < MUTANTS; i++) {
        struct elm_edit edit;
        struct elm_tree child;
        if (!some_edit(s, &base, put, &edit) || !child_of(s, &base, &edit, &child))
            continue;
        s->mutants++;
        if (elm_tree_check(&child, s->names, NULL) == ELM_OK) {
            struct behaviour own;
            s->valid++;
            lossless(s, &child);
            run_all(s, &child, &own);
            traced(s, &child, &own);
            bool same = elm_tree_hash(&child) == elm_tree_hash(t);
            s->equal += same;
            for (uint32_t k = 0; k < CASES && same && own.runs; k++) {
                if (own.ends[k] == ELM_VM_FUEL || b->ends[k] == ELM_VM_FUEL)
                    continue;
                if ((own.ends[k] == ELM_VM_OK) != (b->ends[k] == ELM_VM_OK) ||
                    (own.ends[k] == ELM_VM_OK &&
                     !outputs_equal(&s->io, own.out + k * s->io.out_bytes,
                                    b->out + k * s->io.out_bytes))) {
                    complain(s, t, "shares its normal form with");
                    complain(s, &child, "which behaves otherwise");
                    break;
                }
            }
            free(own.out);
            /* now and then mutants of mutants */
            if (below(s, 3) == 0) {
                struct elm_tree old = base;
                base = child;
                child = old;
            }
        }
        elm_tree_release(&child);
    }
    elm_tree_release(&base);
    free(put);
}

/* ---- the normal form ---- */

/* Locals renamed: x becomes r_x, and every mention of it. */
static void renamed(struct subject *s, const struct elm_tree *t)
{
    struct elm_tree other = elm_tree_copy(t);
    for (uint32_t i = 0; i < other.count; i++) {
        struct elm_node *n = &other.nodes[i];
        bool local = n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_DECLARE ||
                     n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX;
        if (!local)
            continue;
        struct elm_buf name = {0};
        struct elm_str old = elm_names_text(s->names, n->name);
        elm_buf_printf(&name, "r_%.*s", (int)old.len, old.ptr);
        n->name = elm_names_add(s->names, elm_buf_str(&name));
        elm_buf_release(&name);
    }
    if (elm_tree_check(&other, s->names, NULL) != ELM_OK)
        complain(s, &other, "renamed, no program any more");
    else if (elm_tree_hash(&other) != elm_tree_hash(t))
        complain(s, t, "names change the normal form");
    elm_tree_release(&other);
}

/* A comment, an empty statement or a block around what stands there, in some block. */
static void padded(struct subject *s, const struct elm_tree *t)
{
    struct elm_tree other;
    struct elm_node *put = elm_malloc((t->count + 1) * sizeof(*put));
    uint32_t at = some(s, t, ELM_CLASS_STATEMENT);
    uint32_t parent = at == 0 ? 0 : elm_tree_parent(t, at);
    if (at != 0 && t->nodes[parent].kind == ELM_NODE_BLOCK) {
        struct elm_edit edit = elm_edit_replace(t, at, put, 1);
        uint32_t how = below(s, t->nodes[at].kind == ELM_NODE_DECLARE ? 2 : 3);
        if (how < 2) {
            edit.removed = 0;
            put[0] = (struct elm_node){.kind = ELM_NODE_EMPTY, .size = 1};
            if (how == 1) {
                put[0].kind = ELM_NODE_COMMENT;
                put[0].name = elm_names_add(s->names, ELM_STR("/* padded */"));
            }
        } else {
            edit.put_count = t->nodes[at].size + 1;
            put[0] = (struct elm_node){.kind = ELM_NODE_BLOCK, .kids = 1, .size = edit.put_count};
            memcpy(put + 1, &t->nodes[at], t->nodes[at].size * sizeof(*put));
        }
        if (child_of(s, t, &edit, &other)) {
            if (elm_tree_check(&other, s->names, NULL) == ELM_OK &&
                elm_tree_hash(&other) != elm_tree_hash(t))
                complain(s, &other, "padding changes the normal form");
            elm_tree_release(&other);
        }
    }
    free(put);
}

static void one_program(struct subject *s)
{
    struct elm_buf text = {0};
    struct elm_error err = {0};
    struct elm_tree t;
    struct behaviour b;
    generate_program(s->seed, 0, &text, &s->io);
    s->names = elm_names_new();
    s->rng = elm_rng(s->seed, 0x5eed);
    if (elm_tree_parse(elm_buf_str(&text), s->names, &t, &err) != ELM_OK ||
        elm_tree_check(&t, s->names, &err) != ELM_OK || elm_io_layout(&s->io, &err) != ELM_OK) {
        fprintf(stderr, "seed %llu: %s\n%s\n", (unsigned long long)s->seed, err.message, text.ptr);
        s->bad++;
    } else {
        s->in = elm_calloc(CASES, s->io.in_bytes);
        for (uint32_t i = 0; i < CASES; i++)
            generate_case(s->seed * CASES + i, &s->io, s->in + i * s->io.in_bytes);
        lossless(s, &t);
        run_all(s, &t, &b);
        traced(s, &t, &b);
        renamed(s, &t);
        for (int i = 0; i < 5; i++)
            padded(s, &t);
        mutants(s, &t, &b);
        free(b.out);
        free(s->in);
        elm_tree_release(&t);
    }
    elm_names_free(s->names);
    elm_buf_release(&text);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 200;
    struct subject s = {.memory = elm_vm_memory_new()};
    for (uint64_t i = 0; i < count; i++) {
        s.seed = seed + i;
        one_program(&s);
    }
    elm_vm_memory_free(s.memory);
    printf("code_props: %llu programs, %llu mutants, %llu of them programs, %llu of the same normal "
           "form, %llu failures\n", (unsigned long long)count, (unsigned long long)s.mutants,
           (unsigned long long)s.valid, (unsigned long long)s.equal, (unsigned long long)s.bad);
    return s.bad != 0 || s.valid == 0;
}
