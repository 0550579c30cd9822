/*
 * sketch: random functions of the kinds that people write in an exercise: formulas, cases, loops
 * over numbers, digits and arrays; here of any shape, in sketch_idiom.c of those that recur.
 */
#include "learn/sketch_parts.h"

#define IDIOM_SHARE 0.6

/* ---- statements; each adds one kid to the block that is open ---- */

static uint8_t local_type(struct sketch *s)
{
    bool real = s->head->returns == ELM_TYPE_DOUBLE && sketch_chance(s, 85);
    return real ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
}

uint32_t sketch_declare(struct sketch *s, uint8_t type, uint32_t budget)
{
    uint32_t at = sketch_put(s, ELM_NODE_DECLARE, type, 1), name = ELM_NAMES_FRESH + s->locals++;
    s->nodes[at].name = name;
    if (budget == 0)
        sketch_put_literal(s, type, true);
    else
        sketch_operand(s, type, budget, false, false);
    sketch_close(s, at);
    sketch_add_name(s, name, type);
    return name;
}

/* A local that may be set; NULL if there is none. */
struct sketch_name *sketch_draw_local(struct sketch *s)
{
    struct sketch_name *fit[SKETCH_NAMES_MAX];
    uint32_t fits = 0;
    for (uint32_t i = 0; i < s->name_count; i++) {
        if (!s->names[i].fixed)
            fit[fits++] = &s->names[i];
    }
    return fits > 0 ? fit[sketch_below(s, fits)] : NULL;
}

/* t = value, t += value, t = t * c + value. fold: t must be read. */
void sketch_assign(struct sketch *s, struct sketch_name *n, uint32_t budget, bool fold)
{
    static const uint8_t folds[] = {ELM_NODE_ADD_ASSIGN, ELM_NODE_ADD_ASSIGN, ELM_NODE_ADD_ASSIGN,
                                    ELM_NODE_SUB_ASSIGN, ELM_NODE_MUL_ASSIGN, ELM_NODE_XOR_ASSIGN};
    uint32_t at = sketch_put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t form = sketch_below(s, 100);
    bool integer = n->type == ELM_TYPE_INT;
    if (fold && integer && form < 15) {
        uint32_t inc = sketch_put(s, form < 11 ? ELM_NODE_POST_INC : ELM_NODE_POST_DEC, n->type, 1);
        sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
        sketch_close(s, inc);
    } else if (fold && form < 75) {
        uint32_t set = sketch_put(s, folds[sketch_below(s, integer ? 6 : 5)], n->type, 2);
        sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
        sketch_value(s, n->type, budget);
        sketch_close(s, set);
    } else {
        uint32_t set = sketch_put(s, ELM_NODE_ASSIGN, n->type, 2);
        sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
        uint32_t add = 0;
        if (fold) {
            add = sketch_put(s, sketch_chance(s, 75) ? ELM_NODE_ADD : ELM_NODE_SUB, n->type, 2);
            uint32_t by = sketch_put(s, ELM_NODE_MUL, n->type, 2);
            sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
            sketch_put_literal(s, n->type, false);
            sketch_close(s, by);
        }
        sketch_value(s, n->type, budget);
        if (fold)
            sketch_close(s, add);
        sketch_close(s, set);
    }
    sketch_close(s, at);
    n->wanted = true;
}

/* if (value > t) { t = value; } */
void sketch_keep_extreme(struct sketch *s, struct sketch_name *n, uint32_t budget)
{
    uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
    uint8_t kind = sketch_chance(s, 60) ? ELM_NODE_GT : ELM_NODE_LT;
    uint32_t test = sketch_put(s, kind, ELM_TYPE_INT, 2);
    uint32_t from = s->count;
    sketch_value(s, n->type, budget);
    uint32_t size = s->count - from;
    sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
    sketch_close(s, test);
    uint32_t block = sketch_put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
    uint32_t eval = sketch_put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t set = sketch_put(s, ELM_NODE_ASSIGN, n->type, 2);
    sketch_put_name(s, ELM_NODE_VAR, n->type, n->name);
    for (uint32_t i = 0; i < size && !s->full; i++) {
        uint32_t to = sketch_put(s, ELM_NODE_INT, 0, 0);
        s->nodes[to] = s->nodes[from + i];
    }
    sketch_close(s, set);
    sketch_close(s, eval);
    sketch_close(s, block);
    sketch_close(s, at);
    n->wanted = true;
}

void sketch_if_assign(struct sketch *s, struct sketch_name *n, uint32_t budget, bool fold)
{
    bool other = budget > 8 && sketch_chance(s, 30);
    uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, other ? 3 : 2);
    sketch_condition(s, budget / 2);
    for (int i = 0; i < 1 + other; i++) {
        uint32_t block = sketch_put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
        sketch_assign(s, n, budget / 2 / (1 + other), fold);
        sketch_close(s, block);
    }
    sketch_close(s, at);
}

void sketch_if_return(struct sketch *s, uint32_t budget)
{
    uint32_t at = sketch_put(s, ELM_NODE_IF, ELM_TYPE_NONE, 2);
    sketch_condition(s, budget / 2);
    uint32_t block = sketch_put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 1);
    uint32_t ret = sketch_put(s, ELM_NODE_RETURN, ELM_TYPE_NONE, 1);
    sketch_operand(s, s->head->returns, budget / 2, true, false);
    sketch_close(s, ret);
    sketch_close(s, block);
    sketch_close(s, at);
}

/* What a loop does to a local; returns the statements put. */
static uint16_t loop_body(struct sketch *s, uint32_t budget)
{
    struct sketch_name *n = sketch_draw_local(s);
    uint32_t form = sketch_below(s, 100);
    if (form < 45) {
        sketch_assign(s, n, budget, true);
    } else if (form < 72) {
        sketch_if_assign(s, n, budget, true);
    } else if (form < 85) {
        sketch_keep_extreme(s, n, budget / 2);
    } else {
        sketch_assign(s, n, budget / 2, true);
        struct sketch_name *other = sketch_draw_local(s);
        sketch_if_assign(s, other, budget / 2, other == n || sketch_chance(s, 50));
        return 2;
    }
    return 1;
}

bool sketch_has_n(const struct sketch *s)
{
    return s->head->params[s->head->param_count - 1].name == s->known->n;
}

bool sketch_has_array(const struct sketch *s)
{
    for (uint32_t i = 0; i < s->name_count; i++) {
        if (sketch_is_array(s->names[i].type))
            return true;
    }
    return false;
}

static void put_bound(struct sketch *s, bool elements)
{
    bool has_n = sketch_has_n(s) || sketch_has_array(s);
    if (elements || (has_n && sketch_chance(s, 70)))
        sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, s->known->n);
    else
        sketch_put_int(s, 2 + sketch_below(s, 7));
}

static void for_loop(struct sketch *s, uint32_t budget)
{
    static const uint8_t indices[] = {ELM_NAMES_FRESH + 16, ELM_NAMES_FRESH + 17,
                                      ELM_NAMES_FRESH + 18};       /* i, j, k */
    bool elements = sketch_has_array(s), late = sketch_chance(s, 20);
    uint32_t i = indices[s->loops++ % 3], at = sketch_put(s, ELM_NODE_FOR, ELM_TYPE_NONE, 4);
    uint32_t from = sketch_put(s, ELM_NODE_DECLARE, ELM_TYPE_INT, 1);
    s->nodes[from].name = i;
    sketch_put_int(s, late ? 1 : 0);
    sketch_close(s, from);
    uint32_t test = sketch_put(s, late && !elements ? ELM_NODE_LE : ELM_NODE_LT, ELM_TYPE_INT, 2);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, i);
    put_bound(s, elements);
    sketch_close(s, test);
    uint32_t step = sketch_put(s, ELM_NODE_POST_INC, ELM_TYPE_INT, 1);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, i);
    sketch_close(s, step);
    uint32_t block = sketch_put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 0), names = s->name_count;
    struct sketch_name *index = sketch_add_name(s, i, ELM_TYPE_INT);
    index->fixed = true;
    index->index = elements;
    index->wanted = !elements;
    uint16_t kids;
    if (budget > 14 && s->loops < 2 && sketch_chance(s, 25)) {
        for_loop(s, budget - 10);
        kids = 1;
    } else {
        kids = loop_body(s, budget > 10 ? budget - 8 : 2);
    }
    s->nodes[block].kids = kids;
    s->name_count = names;
    sketch_close(s, block);
    sketch_close(s, at);
}

/* while (a > 0) { t += a % 10; a /= 10; } */
static void while_loop(struct sketch *s, uint32_t budget)
{
    static const uint8_t steps[] = {ELM_NODE_DIV_ASSIGN, ELM_NODE_DIV_ASSIGN, ELM_NODE_SUB_ASSIGN,
                                    ELM_NODE_SHR_ASSIGN};
    uint32_t a = s->names[0].name, at = sketch_put(s, ELM_NODE_WHILE, ELM_TYPE_NONE, 2);
    uint8_t kind = sketch_chance(s, 80) ? ELM_NODE_GT : ELM_NODE_GE;
    uint32_t test = sketch_put(s, kind, ELM_TYPE_INT, 2);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, a);
    sketch_put_int(s, 1 + sketch_below(s, 3) - (kind == ELM_NODE_GT));
    sketch_close(s, test);
    uint32_t block = sketch_put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 0);
    s->names[0].wanted = true;
    uint16_t kids = loop_body(s, budget > 12 ? budget - 10 : 2);
    uint32_t eval = sketch_put(s, ELM_NODE_EVAL, ELM_TYPE_NONE, 1);
    uint32_t which = sketch_below(s, ELM_COUNT(steps));
    uint32_t set = sketch_put(s, steps[which], ELM_TYPE_INT, 2);
    sketch_put_name(s, ELM_NODE_VAR, ELM_TYPE_INT, a);
    if (which < 2)
        sketch_put_int(s, sketch_chance(s, 50) ? 10 : 2 + sketch_below(s, 3));
    else
        sketch_put_int(s, 1 + sketch_below(s, 3));
    sketch_close(s, set);
    sketch_close(s, eval);
    s->nodes[block].kids = (uint16_t)(kids + 1);
    sketch_close(s, block);
    sketch_close(s, at);
}

/* ---- whole functions ---- */

static void function_block(struct sketch *s, struct sketch_size size)
{
    uint32_t block = sketch_put(s, ELM_NODE_BLOCK, ELM_TYPE_NONE, 0), body = s->count;
    uint32_t budget = size.lo + sketch_below(s, size.hi - size.lo + 1);
    bool loops = sketch_has_array(s) ||
                 (budget > 15 && (sketch_has_n(s) ||
                                  (s->head->returns == ELM_TYPE_INT && sketch_chance(s, 70))));
    uint16_t kids = 0;
    if (loops || (budget > 9 && sketch_chance(s, 55))) {
        uint8_t type = loops ? s->head->returns : local_type(s);
        sketch_declare(s, type, loops && sketch_chance(s, 70) ? 0 : 1 + sketch_below(s, 5));
        kids++;
        if (budget > 18 && sketch_chance(s, 40)) {
            sketch_declare(s, local_type(s), sketch_chance(s, 40) ? 0 : 1 + sketch_below(s, 5));
            kids++;
        }
    }
    if (!loops && budget > 16 && sketch_chance(s, 25)) {
        sketch_if_return(s, 4 + sketch_below(s, 8));
        kids++;
    }
    if (loops) {
        bool shrinking = !sketch_has_array(s) && s->names[0].type == ELM_TYPE_INT &&
                         s->head->params[0].range.lo >= 0 && sketch_chance(s, 60);
        if (shrinking)
            while_loop(s, budget);
        else
            for_loop(s, budget);
        kids++;
    } else if (sketch_draw_local(s) != NULL && budget > 15 && sketch_chance(s, 40)) {
        sketch_if_assign(s, sketch_draw_local(s), 5 + sketch_below(s, 8), sketch_chance(s, 40));
        kids++;
    }
    if (s->locals > 0 && s->count - body + 10 < budget && sketch_chance(s, 50)) {
        sketch_if_assign(s, sketch_draw_local(s), 5 + sketch_below(s, 6), sketch_chance(s, 50));
        kids++;
    }
    uint32_t ret = sketch_put(s, ELM_NODE_RETURN, ELM_TYPE_NONE, 1);
    uint32_t wanted = 0, used = s->count - body;
    for (uint32_t i = 0; i < s->name_count; i++)
        wanted += s->names[i].wanted;
    uint32_t least = wanted > 0 ? 2 * wanted - 1 : 1;
    if (used + least + 2 < budget)
        least = kids == 0 ? budget - used - 1 : least + sketch_below(s, budget - used - least);
    sketch_value(s, s->head->returns, least);
    sketch_close(s, ret);
    s->nodes[block].kids = (uint16_t)(kids + 1);
    sketch_close(s, block);
}

static struct sketch_param scalar(struct sketch *s, uint32_t name, uint8_t type)
{
    static const struct elm_range ints[] = {{-10, 10}, {-20, 20}, {-50, 50}, {-100, 100},
                                            {1, 12}, {1, 120}, {0, 2000}, {0, 99999},
                                            {0, 20}, {0, 50}, {0, 100}, {0, 255}, {1, 30}};
    static const struct elm_range reals[] = {{-1, 1}, {-2, 2}, {-5, 5}, {-10, 10}, {0, 1}, {0, 10}};
    struct elm_range range = type == ELM_TYPE_INT ? ints[sketch_below(s, ELM_COUNT(ints))]
                                                  : reals[sketch_below(s, ELM_COUNT(reals))];
    return (struct sketch_param){name, type, range};
}

static void int_head(struct sketch *s, struct sketch_head *h)
{
    const struct sketch_names *k = s->known;
    const uint32_t letters[] = {k->a, k->b, k->c, k->d};
    uint32_t count = 1 + sketch_below(s, 8);
    count = count > 4 ? count - 3 : count;
    for (uint32_t i = 0; i < count && i < 4; i++)
        h->params[h->param_count++] = scalar(s, letters[i], ELM_TYPE_INT);
    if (h->param_count < 4 && h->param_count > 1 && sketch_chance(s, 25))
        h->params[h->param_count - 1] = (struct sketch_param){k->n, ELM_TYPE_INT, {0, 8}};
}

static void array_head(struct sketch *s, struct sketch_head *h)
{
    const struct sketch_names *k = s->known;
    bool real = sketch_chance(s, 25);
    uint32_t form = sketch_below(s, 10);
    uint8_t array = real ? ELM_TYPE_DOUBLE_ARRAY : ELM_TYPE_INT_ARRAY;
    h->returns = real && sketch_chance(s, 85) ? ELM_TYPE_DOUBLE : ELM_TYPE_INT;
    h->params[h->param_count++] = scalar(s, real ? k->x : k->a, sketch_element_type(array));
    if (form < 3)
        h->params[h->param_count++] = scalar(s, real ? k->y : k->b, sketch_element_type(array));
    for (uint32_t i = 0; i < h->param_count; i++)
        h->params[i].type = array;
    h->params[h->param_count++] = (struct sketch_param){k->n, ELM_TYPE_INT, {1, SKETCH_LENGTH}};
    if (form >= 3 && form < 7)
        h->params[h->param_count++] = scalar(s, real ? k->z : k->c, sketch_element_type(array));
}

static void double_head(struct sketch *s, struct sketch_head *h)
{
    const struct sketch_names *k = s->known;
    const uint32_t reals[] = {k->x, k->y, k->z};
    uint32_t count = 1 + sketch_below(s, 3);
    h->returns = ELM_TYPE_DOUBLE;
    for (uint32_t i = 0; i < count; i++)
        h->params[h->param_count++] = scalar(s, reals[i], ELM_TYPE_DOUBLE);
    if (sketch_chance(s, 30))
        h->params[h->param_count++] = (struct sketch_param){k->n, ELM_TYPE_INT, {0, 8}};
}

void sketch_names(struct elm_names *names, struct sketch_names *out)
{
    const struct { const char *text; uint32_t *to; } all[] = {
        {"f", &out->f}, {"a", &out->a}, {"b", &out->b}, {"c", &out->c}, {"d", &out->d},
        {"n", &out->n}, {"x", &out->x}, {"y", &out->y}, {"z", &out->z},
    };
    for (size_t i = 0; i < ELM_COUNT(all); i++)
        *all[i].to = elm_names_add(names, elm_str(all[i].text));
}

bool sketch_body(const struct sketch_names *names, struct elm_rng *rng,
                 const struct sketch_head *head, struct sketch_size size, struct sketch_tree *out)
{
    struct sketch s = {.rng = elm_rng_u64(rng), .known = names, .head = head, .nodes = out->nodes};
    uint32_t program = sketch_put(&s, ELM_NODE_PROGRAM, ELM_TYPE_NONE, 1);
    uint16_t kids = (uint16_t)(head->param_count + 1);
    uint32_t f = sketch_put(&s, ELM_NODE_FUNCTION, head->returns, kids);
    s.nodes[f].name = names->f;
    for (uint32_t i = 0; i < head->param_count; i++) {
        const struct sketch_param *p = &head->params[i];
        uint32_t at = sketch_put(&s, ELM_NODE_PARAM, p->type, 0);
        s.nodes[at].name = p->name;
        s.nodes[at].dims[0] = sketch_is_array(p->type) ? SKETCH_LENGTH : 0;
        sketch_add_name(&s, p->name, p->type)->fixed = true;
    }
    if (size.idiom)
        sketch_idiom(&s);
    else
        function_block(&s, size);
    sketch_close(&s, f);
    sketch_close(&s, program);
    out->count = s.count;
    uint32_t body = s.count - 3 - head->param_count;
    return !s.full && body >= size.lo && body <= size.hi;
}

enum sketch_family sketch_family(struct elm_rng *rng)
{
    uint32_t drawn = elm_rng_below(rng, 100);
    return drawn < 50 ? SKETCH_INTS : drawn < 80 ? SKETCH_ARRAYS : SKETCH_DOUBLES;
}

struct sketch_size sketch_size(struct elm_rng *rng, enum sketch_family family)
{
    static const struct sketch_size scalars[] = {{6, 11, false}, {12, 26, false}, {27, 40, false}};
    static const struct sketch_size arrays[] = {{17, 23, false}, {24, 40, false}};
    uint32_t drawn = elm_rng_below(rng, 100);
    if (elm_rng_chance(rng, IDIOM_SHARE))
        return (struct sketch_size){.lo = 8, .hi = 60, .idiom = true};
    if (family == SKETCH_ARRAYS)
        return arrays[drawn >= 30];
    return scalars[(drawn >= 30) + (drawn >= 42)];
}

void sketch_head(const struct sketch_names *names, struct elm_rng *rng, enum sketch_family family,
                 struct sketch_head *out)
{
    struct sketch s = {.rng = elm_rng_u64(rng), .known = names};
    *out = (struct sketch_head){.returns = ELM_TYPE_INT};
    if (family == SKETCH_INTS)
        int_head(&s, out);
    else if (family == SKETCH_ARRAYS)
        array_head(&s, out);
    else
        double_head(&s, out);
}
