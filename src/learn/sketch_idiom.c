/*
 * sketch_idiom: bodies of the shapes that recur in what people write: guards and cases, values that
 * move on from one variable to the next, digits, searches that return early, the best index,
 * neighbours, pairs, two sums at once, arrays changed in place. Only the shape is given: what is
 * compared, added and returned is drawn as everywhere else.
 */
#include "learn/sketch_parts.h"

#define INDEX (ELM_NAMES_FRESH + 16)       /* i, j */

struct loop {
    uint32_t at, block, names;
};

static void name(struct sketch *s, const struct sketch_name *n)
{
    sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
}

static uint32_t open_block(struct sketch *s, uint16_t kids)
{
    return sketch_put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, kids);
}

/* n = what is put until close_set. */
static uint32_t open_set(struct sketch *s, const struct sketch_name *n, uint8_t kind)
{
    uint32_t at = sketch_put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    sketch_put(s, kind, n->type, 2);
    name(s, n);
    return at;
}

static void close_set(struct sketch *s, uint32_t at)
{
    sketch_close(s, at + 1);
    sketch_close(s, at);
}

static void set_name(struct sketch *s, const struct sketch_name *to, const struct sketch_name *from)
{
    uint32_t at = open_set(s, to, ELM_NODE_ASSIGN);
    name(s, from);
    close_set(s, at);
}

static struct sketch_name *local(struct sketch *s, uint8_t type, uint32_t budget)
{
    sketch_declare(s, type, budget);
    /* sums begin at 0, products at 1 */
    struct elm_node *last = &s->nodes[s->count - 1];
    if (budget == 0 && sketch_chance(s, 75)) {
        if (last->kind == ELM_NODE_INT)
            last->i = sketch_chance(s, 20);
        else if (last->kind == ELM_NODE_REAL)
            last->d = sketch_chance(s, 20);
    }
    return &s->names[s->name_count - 1];
}

static void finish(struct sketch *s, uint32_t least, uint32_t most)
{
    uint32_t at = sketch_put(s, ELM_NODE_RETURN, ELM_TYPE_NONE, 1);
    sketch_operand(s, s->head->returns, least + sketch_below(s, most - least + 1), true, false);
    sketch_close(s, at);
}

/* for (int i = 0; i < n; i++) and its kin: from 1, to n - 1, downward, from after another index. */
enum walk { WALK_ALL, WALK_LATE, WALK_EARLY, WALK_DOWN, WALK_AFTER };

static void put_last(struct sketch *s)
{
    uint32_t at = sketch_put(s, ELM_NODE_SUB, ELM_TYPE_INT, 2);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
    sketch_put_int(s, 1);
    sketch_close(s, at);
}

static void put_first(struct sketch *s, enum walk walk, uint32_t index)
{
    if (walk == WALK_DOWN) {
        put_last(s);
    } else if (walk == WALK_AFTER) {
        uint32_t at = sketch_put(s, ELM_NODE_ADD, ELM_TYPE_INT, 2);
        sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index - 1);
        sketch_put_int(s, 1);
        sketch_close(s, at);
    } else {
        sketch_put_int(s, walk == WALK_LATE);
    }
}

static struct loop open_loop(struct sketch *s, enum walk walk, uint16_t kids)
{
    uint32_t index = INDEX + s->loops++ % 2;
    bool down = walk == WALK_DOWN;
    struct loop loop = {.names = s->name_count};
    loop.at = sketch_put(s, ELM_NODE_FOR, ELM_TYPE_NONE, 4);
    uint32_t from = sketch_put(s, ELM_NODE_DECLARE, ELM_TYPE_INT, 1);
    s->nodes[from].name = index;
    put_first(s, walk, index);
    sketch_close(s, from);
    uint32_t test = sketch_put(s, down ? ELM_NODE_GE : ELM_NODE_LT, ELM_TYPE_INT, 2);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index);
    if (down)
        sketch_put_int(s, 0);
    else if (walk == WALK_EARLY)
        put_last(s);
    else
        sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
    sketch_close(s, test);
    uint32_t step = sketch_put(s, down ? ELM_NODE_POST_DEC : ELM_NODE_POST_INC, ELM_TYPE_INT, 1);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, index);
    sketch_close(s, step);
    loop.block = open_block(s, kids);
    struct sketch_name *i = sketch_add_name(s, index, ELM_TYPE_INT);
    i->fixed = true;
    i->index = s->elements = sketch_has_array(s);
    i->wanted = !i->index;
    i->before = walk == WALK_LATE;
    i->after = walk == WALK_EARLY;
    return loop;
}

static void close_loop(struct sketch *s, struct loop loop)
{
    s->name_count = loop.names;
    s->elements = false;
    sketch_close(s, loop.block);
    sketch_close(s, loop.at);
}

static enum walk any_walk(struct sketch *s)
{
    static const uint8_t walks[] = {WALK_ALL, WALK_ALL, WALK_LATE, WALK_EARLY, WALK_DOWN};
    return walks[sketch_below(s, ELM_COUNT(walks))];
}

static uint8_t order(struct sketch *s)
{
    static const uint8_t kinds[] = {ELM_NODE_LT, ELM_NODE_GT, ELM_NODE_GT, ELM_NODE_LE,
                                    ELM_NODE_GE};
    return kinds[sketch_below(s, ELM_COUNT(kinds))];
}

/* ---- over arrays ---- */

/* for (..) { if (..) { return ..; } } return ..; */
static uint16_t scan(struct sketch *s)
{
    uint16_t kids = 2;
    if (sketch_chance(s, 30)) {
        local(s, s->head->returns, 0);
        kids++;
    }
    bool folds = kids > 2;
    struct loop loop = open_loop(s, any_walk(s), (uint16_t)(1 + folds));
    if (folds)
        sketch_assign(s, sketch_draw_local(s), 1 + sketch_below(s, 3), true);
    sketch_if_return(s, 8 + sketch_below(s, 10));
    close_loop(s, loop);
    finish(s, 1, 2);
    return kids;
}

/* int t = 0; for (..) { if (a[i] > a[t]) { t = i; } } */
static uint16_t best_index(struct sketch *s)
{
    const struct sketch_name *a = sketch_draw_array(s);
    struct sketch_name *t = local(s, ELM_TYPE_INT, 0);
    s->nodes[s->count - 1].i = 0;
    struct loop loop = open_loop(s, sketch_chance(s, 70) ? WALK_LATE : WALK_ALL, 1);
    uint32_t i = s->names[s->name_count - 1].name;
    uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
    uint32_t test = sketch_put(s, order(s), ELM_TYPE_INT, 2);
    sketch_put_index(s, a, i, 0);
    sketch_put_index(s, a, t->name, 0);
    sketch_close(s, test);
    uint32_t block = open_block(s, 1), set = open_set(s, t, ELM_NODE_ASSIGN);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, i);
    close_set(s, set);
    sketch_close(s, block);
    sketch_close(s, at);
    close_loop(s, loop);
    t->index = true;
    finish(s, 1, 7);
    return 3;
}

/* for (..) { for (..) { if (..) { t++; } } } */
static uint16_t pairs(struct sketch *s)
{
    struct sketch_name *t = local(s, s->head->returns, 0);
    struct loop outer = open_loop(s, sketch_chance(s, 70) ? WALK_ALL : WALK_EARLY, 1);
    struct loop inner = open_loop(s, sketch_chance(s, 70) ? WALK_AFTER : WALK_ALL, 1);
    if (sketch_chance(s, 55))
        sketch_if_assign(s, t, 8 + sketch_below(s, 8), true);
    else if (sketch_chance(s, 50))
        sketch_keep_extreme(s, t, 5 + sketch_below(s, 4));
    else
        sketch_assign(s, t, 5 + sketch_below(s, 6), true);
    close_loop(s, inner);
    close_loop(s, outer);
    finish(s, 1, 4);
    return 3;
}

/* Two variables over one array: the second takes the first's old value, or both add up. */
static uint16_t two_states(struct sketch *s)
{
    struct sketch_name *t = local(s, s->head->returns, sketch_chance(s, 50) ? 0 : 2);
    struct sketch_name *u = local(s, s->head->returns, 0);
    bool cases = sketch_chance(s, 40);
    struct loop loop = open_loop(s, any_walk(s), cases ? 1 : 2);
    if (!cases) {
        sketch_assign(s, t, 1 + sketch_below(s, 4), true);
        if (sketch_chance(s, 50))
            sketch_assign(s, u, 2 + sketch_below(s, 5), true);
        else
            sketch_if_assign(s, u, 8 + sketch_below(s, 6), true);
    } else {
        uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, 3);
        sketch_condition(s, 4 + sketch_below(s, 4));
        uint32_t block = open_block(s, 2);
        set_name(s, u, t);
        sketch_assign(s, t, 1 + sketch_below(s, 3), false);
        sketch_close(s, block);
        if (sketch_chance(s, 60)) {
            sketch_if_assign(s, u, 6 + sketch_below(s, 6), sketch_chance(s, 50));
        } else {
            uint32_t other = open_block(s, 1);
            sketch_assign(s, u, 1 + sketch_below(s, 4), sketch_chance(s, 60));
            sketch_close(s, other);
        }
        sketch_close(s, at);
    }
    close_loop(s, loop);
    t->wanted = u->wanted = true;
    finish(s, 3, 9);
    return 4;
}

/* int t = a[i]; a[i] = a[i + 1]; a[i + 1] = t; */
static void swap_elements(struct sketch *s, const struct sketch_name *a, uint32_t i, int by)
{
    uint8_t type = sketch_element_type(a->type);
    uint32_t t = ELM_NAMES_FRESH + s->locals++;
    uint32_t at = sketch_put(s, ELM_NODE_DECLARE, type, 1);
    s->nodes[at].name = t;
    sketch_put_index(s, a, i, 0);
    sketch_close(s, at);
    for (int k = 0; k < 2; k++) {
        uint32_t eval = sketch_put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
        uint32_t set = sketch_put(s, ELM_NODE_ASSIGN, type, 2);
        sketch_put_index(s, a, i, k == 0 ? 0 : by);
        if (k == 0)
            sketch_put_index(s, a, i, by);
        else
            sketch_put_name(s, ELM_NODE_VAR, type, t);
        sketch_close(s, set);
        sketch_close(s, eval);
    }
}

static void change_element(struct sketch *s, const struct sketch_name *a, enum walk walk)
{
    static const uint8_t kinds[] = {ELM_NODE_ASSIGN, ELM_NODE_ADD_ASSIGN, ELM_NODE_ADD_ASSIGN,
                                    ELM_NODE_SUB_ASSIGN};
    uint32_t i = s->names[s->name_count - 1].name;
    uint8_t type = sketch_element_type(a->type);
    int by = walk == WALK_LATE ? -1 : 1;
    if (walk != WALK_ALL && sketch_chance(s, 50)) {
        uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
        uint32_t test = sketch_put(s, order(s), ELM_TYPE_INT, 2);
        sketch_put_index(s, a, i, 0);
        sketch_put_index(s, a, i, by);
        sketch_close(s, test);
        uint32_t block = open_block(s, 3);
        swap_elements(s, a, i, by);
        sketch_close(s, block);
        sketch_close(s, at);
        return;
    }
    uint32_t eval = sketch_put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t set = sketch_put(s, kinds[sketch_below(s, ELM_COUNT(kinds))], type, 2);
    sketch_put_index(s, a, i, 0);
    if (walk != WALK_ALL && sketch_chance(s, 70))
        sketch_put_index(s, a, i, by);
    else
        sketch_value(s, type, 2 + sketch_below(s, 6));
    sketch_close(s, set);
    sketch_close(s, eval);
}

/* An array is changed in place; then it is read. */
static uint16_t change_array(struct sketch *s)
{
    static const uint8_t walks[] = {WALK_ALL, WALK_LATE, WALK_LATE, WALK_EARLY, WALK_EARLY};
    enum walk walk = walks[sketch_below(s, ELM_COUNT(walks))];
    const struct sketch_name *a = sketch_draw_array(s);
    struct loop loop = open_loop(s, walk, 1);
    change_element(s, a, walk);
    close_loop(s, loop);
    if (sketch_chance(s, 35)) {
        finish(s, 1, 7);
        return 2;
    }
    struct sketch_name *t = local(s, s->head->returns, 0);
    loop = open_loop(s, WALK_ALL, 1);
    if (sketch_chance(s, 70))
        sketch_assign(s, t, 3 + sketch_below(s, 4), true);
    else
        sketch_if_assign(s, t, 8 + sketch_below(s, 4), true);
    close_loop(s, loop);
    finish(s, 1, 3);
    return 4;
}

/* t = 0; for (..) { if (.. && ..) { t++; } } or t = t * x + a[i], downward, too. */
static uint16_t fold(struct sketch *s)
{
    struct sketch_name *t = local(s, s->head->returns, sketch_chance(s, 80) ? 0 : 2);
    struct loop loop = open_loop(s, any_walk(s), 1);
    if (sketch_chance(s, 50)) {
        sketch_if_assign(s, t, 14 + sketch_below(s, 10), true);
    } else {
        uint32_t set = open_set(s, t, ELM_NODE_ASSIGN);
        uint32_t add = sketch_put(s, ELM_NODE_ADD, t->type, 2);
        uint32_t by = sketch_put(s, ELM_NODE_MUL, t->type, 2);
        name(s, t);
        sketch_leaf(s, t->type, true, true);
        sketch_close(s, by);
        sketch_value(s, t->type, 1 + sketch_below(s, 4));
        sketch_close(s, add);
        close_set(s, set);
    }
    close_loop(s, loop);
    t->wanted = true;
    finish(s, 1, 5);
    return 3;
}

/* ---- over numbers ---- */

/* a == 3 || a == 7 */
static void case_of(struct sketch *s, const struct sketch_name *n)
{
    uint32_t count = 1 + sketch_below(s, 3);
    uint32_t width = 2 + sketch_below(s, 11), ors[2], opened = 0;
    for (uint32_t k = count; k > 0; k--) {
        if (k > 1)
            ors[opened++] = sketch_put(s, ELM_NODE_LOGIC_OR, ELM_TYPE_INT, 2);
    }
    for (uint32_t k = 0; k < count; k++) {
        uint32_t eq = sketch_put(s, ELM_NODE_EQ, ELM_TYPE_INT, 2);
        uint32_t mod = 0;
        if (n->name == s->names[0].name) {
            name(s, n);
        } else {
            mod = sketch_put(s, ELM_NODE_MOD, ELM_TYPE_INT, 2);
            name(s, n);
            sketch_put_int(s, width);
            sketch_close(s, mod);
        }
        sketch_put_int(s, sketch_below(s, width + 1));
        sketch_close(s, eq);
        if (k > 0)
            sketch_close(s, ors[opened - k]);
    }
}

static bool has_double(const struct sketch *s)
{
    return s->head->returns == ELM_TYPE_DOUBLE;
}

static uint16_t guards(struct sketch *s)
{
    uint16_t count = (uint16_t)(1 + sketch_below(s, 3)), declared = 0;
    if (sketch_chance(s, 30)) {
        local(s, s->head->returns, 3 + sketch_below(s, 5));
        declared = 1;
    }
    for (uint16_t k = 0; k < count; k++) {
        const struct sketch_name *n = &s->names[sketch_below(s, s->name_count)];
        if (n->type != ELM_TYPE_INT || has_double(s) || sketch_chance(s, 55)) {
            sketch_if_return(s, 6 + sketch_below(s, 8));
            continue;
        }
        uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
        case_of(s, n);
        uint32_t block = open_block(s, 1);
        finish(s, 1, 4);
        sketch_close(s, block);
        sketch_close(s, at);
    }
    finish(s, 1, 7);
    return (uint16_t)(count + declared + 1);
}

/* if (a > b) { int t = a; a = b; b = t; } */
static bool swap_names(struct sketch *s)
{
    uint32_t k = sketch_below(s, s->name_count), m = sketch_below(s, s->name_count);
    struct sketch_name *a = &s->names[k], *b = &s->names[m];
    if (k == m || a->type != b->type || sketch_is_array(a->type))
        return false;
    struct sketch_name t = {.name = ELM_NAMES_FRESH + s->locals++, .type = a->type};
    uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
    uint32_t test = sketch_put(s, order(s), ELM_TYPE_INT, 2);
    name(s, a);
    name(s, b);
    sketch_close(s, test);
    bool all = sketch_chance(s, 60);
    uint32_t block = open_block(s, all ? 3 : 1);
    if (all) {
        uint32_t declared = sketch_put(s, ELM_NODE_DECLARE, t.type, 1);
        s->nodes[declared].name = t.name;
        name(s, a);
        sketch_close(s, declared);
    }
    set_name(s, a, b);
    if (all)
        set_name(s, b, &t);
    sketch_close(s, block);
    sketch_close(s, at);
    a->wanted = b->wanted = true;
    return true;
}

static uint16_t cases(struct sketch *s)
{
    uint16_t kids = 1;
    if (sketch_chance(s, 45)) {
        for (uint32_t k = 1 + sketch_below(s, 2); k > 0; k--)
            kids = (uint16_t)(kids + swap_names(s));
    }
    if (kids == 1 || sketch_chance(s, 40)) {
        struct sketch_name *t = local(s, s->head->returns, 1 + sketch_below(s, 3));
        kids++;
        for (uint32_t k = 1 + sketch_below(s, 2); k > 0; k--) {
            if (sketch_chance(s, 30))
                sketch_keep_extreme(s, t, 1 + sketch_below(s, 3));
            else
                sketch_if_assign(s, t, 6 + sketch_below(s, 8), sketch_chance(s, 40));
            kids++;
        }
    }
    finish(s, 1, 7);
    return kids;
}

/* int t = value; a = b; b = t; */
static void move_on(struct sketch *s, const struct sketch_name *a, const struct sketch_name *b,
                    bool remainder)
{
    struct sketch_name t = {.name = ELM_NAMES_FRESH + s->locals++, .type = a->type};
    uint32_t at = sketch_put(s, ELM_NODE_DECLARE, t.type, 1);
    s->nodes[at].name = t.name;
    if (remainder) {
        uint32_t mod = sketch_put(s, ELM_NODE_MOD, ELM_TYPE_INT, 2);
        sketch_operand(s, ELM_TYPE_INT, 1 + sketch_below(s, 4), false, false);
        name(s, b);
        sketch_close(s, mod);
    } else {
        sketch_value(s, t.type, 2 + sketch_below(s, 5));
    }
    sketch_close(s, at);
    set_name(s, a, b);
    set_name(s, b, &t);
}

/* Two variables, each taking what comes before it: over n, or until nothing is left. */
static uint16_t sequence(struct sketch *s)
{
    bool over_n = sketch_has_n(s);
    struct sketch_name *a = local(s, s->head->returns, over_n ? sketch_below(s, 2) : 1);
    struct sketch_name *b = local(s, s->head->returns, over_n ? sketch_below(s, 2) : 1);
    bool counts = sketch_chance(s, 25);
    struct sketch_name *t = counts ? local(s, s->head->returns, 0) : NULL;
    uint32_t at = 0, block = 0;
    struct loop loop = {0};
    if (over_n) {
        loop = open_loop(s, WALK_ALL, (uint16_t)(3 + counts));
    } else {
        at = sketch_put(s, ELM_NODE_WHILE, ELM_TYPE_NONE, 2);
        uint8_t kind = sketch_chance(s, 60) ? ELM_NODE_NE : ELM_NODE_GT;
        uint32_t test = sketch_put(s, kind, ELM_TYPE_INT, 2);
        name(s, b);
        sketch_put_int(s, sketch_chance(s, 75) ? 0 : 1 + sketch_below(s, 3));
        sketch_close(s, test);
        block = open_block(s, (uint16_t)(3 + counts));
    }
    a->wanted = b->wanted = true;
    if (counts)
        sketch_assign(s, t, 1 + sketch_below(s, 3), true);
    move_on(s, a, b, !over_n);
    if (over_n) {
        close_loop(s, loop);
    } else {
        sketch_close(s, block);
        sketch_close(s, at);
    }
    a->wanted = sketch_chance(s, 70);
    finish(s, 1, 5);
    return (uint16_t)(4 + counts);
}

/* while (a > 0) { int d = a % 10; if (..) {..} else {..}; a /= 10; } */
static uint16_t digits(struct sketch *s)
{
    struct sketch_name *t = local(s, s->head->returns, 0);
    int64_t base = sketch_chance(s, 60) ? 10 : 2 + sketch_below(s, 7);
    const struct sketch_name a = s->names[0];
    uint32_t at = sketch_put(s, ELM_NODE_WHILE, ELM_TYPE_NONE, 2);
    uint32_t test = sketch_put(s, ELM_NODE_GT, ELM_TYPE_INT, 2);
    name(s, &a);
    sketch_put_int(s, sketch_chance(s, 85) ? 0 : base - 1);
    sketch_close(s, test);
    bool named = sketch_chance(s, 60), twice = sketch_chance(s, 30);
    uint32_t block = open_block(s, (uint16_t)(2 + named + twice)), names = s->name_count;
    if (named) {
        uint32_t d = ELM_NAMES_FRESH + s->locals++;
        uint32_t declared = sketch_put(s, ELM_NODE_DECLARE, ELM_TYPE_INT, 1);
        s->nodes[declared].name = d;
        uint32_t mod = sketch_put(s, ELM_NODE_MOD, ELM_TYPE_INT, 2);
        name(s, &a);
        sketch_put_int(s, base);
        sketch_close(s, mod);
        sketch_close(s, declared);
        sketch_add_name(s, d, ELM_TYPE_INT)->fixed = true;
    }
    if (sketch_chance(s, 60))
        sketch_if_assign(s, t, 8 + sketch_below(s, 8), true);
    else
        sketch_assign(s, t, 2 + sketch_below(s, 5), true);
    if (twice)
        sketch_assign(s, t, 1 + sketch_below(s, 3), true);
    s->name_count = names;
    uint32_t step = open_set(s, &a, ELM_NODE_DIV_ASSIGN);
    sketch_put_int(s, base);
    close_set(s, step);
    sketch_close(s, block);
    sketch_close(s, at);
    t->wanted = true;
    finish(s, 1, 4);
    return 3;
}

/* t, t + 1, or their product: what a search raises until it passes something. */
static void raised(struct sketch *s, const struct sketch_name *t, uint32_t form)
{
    uint32_t at = form < 4 ? sketch_put(s, form == 0 ? ELM_NODE_ADD : ELM_NODE_MUL, t->type, 2) : 0;
    name(s, t);
    if (form == 1)
        name(s, t);
    else if (form < 4)
        sketch_put_int(s, form == 0 ? 1 + sketch_below(s, 3) : 2 + sketch_below(s, 4));
    if (form < 4)
        sketch_close(s, at);
}

/* int t = 0; while (t * t < a) { t++; } or a divisor of a, returned at once. */
static uint16_t search(struct sketch *s)
{
    struct sketch_name *t = local(s, ELM_TYPE_INT, 0), *u = NULL;
    bool counts = sketch_chance(s, 40), early = sketch_chance(s, 40);
    if (counts)
        u = local(s, ELM_TYPE_INT, 0);
    uint32_t at = sketch_put(s, ELM_NODE_WHILE, ELM_TYPE_NONE, 2);
    uint8_t kind = sketch_chance(s, 50) ? ELM_NODE_LT : ELM_NODE_LE;
    uint32_t test = sketch_put(s, kind, ELM_TYPE_INT, 2);
    raised(s, t, sketch_chance(s, 60) ? 1 : sketch_below(s, 5));
    sketch_operand(s, ELM_TYPE_INT, 1 + sketch_below(s, 3), false, false);
    sketch_close(s, test);
    t->wanted = false;
    uint32_t block = open_block(s, (uint16_t)(1 + counts + early));
    if (early)
        sketch_if_return(s, 8 + sketch_below(s, 8));
    if (counts && sketch_chance(s, 50))
        sketch_if_assign(s, u, 8 + sketch_below(s, 6), true);
    else if (counts)
        sketch_assign(s, u, 1 + sketch_below(s, 4), true);
    uint32_t eval = sketch_put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    if (sketch_chance(s, 80)) {
        uint32_t inc = sketch_put(s, ELM_NODE_POST_INC, ELM_TYPE_INT, 1);
        name(s, t);
        sketch_close(s, inc);
    } else {
        uint32_t add = sketch_put(s, ELM_NODE_ADD_ASSIGN, ELM_TYPE_INT, 2);
        name(s, t);
        sketch_put_int(s, 2 + sketch_below(s, 2));
        sketch_close(s, add);
    }
    sketch_close(s, eval);
    sketch_close(s, block);
    sketch_close(s, at);
    (counts ? u : t)->wanted = true;
    finish(s, 1, 4);
    return (uint16_t)(3 + counts);
}

void sketch_idiom(struct sketch *s)
{
    typedef uint16_t shape(struct sketch *s);
    static shape *const arrays[] = {scan, scan, best_index, pairs, two_states, two_states,
                                    change_array, change_array, fold, fold};
    static shape *const ints[] = {guards, guards, cases, cases, sequence, sequence, digits, digits,
                                  search, search};
    static shape *const doubles[] = {guards, cases, cases};
    uint32_t block = open_block(s, 0);
    uint16_t kids;
    if (sketch_has_array(s))
        kids = arrays[sketch_below(s, ELM_COUNT(arrays))](s);
    else if (!has_double(s))
        kids = ints[sketch_below(s, ELM_COUNT(ints))](s);
    else if (sketch_has_n(s))
        kids = sequence(s);
    else
        kids = doubles[sketch_below(s, ELM_COUNT(doubles))](s);
    s->nodes[block].kids = kids;
    sketch_close(s, block);
}
