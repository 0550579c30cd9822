/*
 * grammar_words: names and keywords in one sorted list. A word being read is a range of the list;
 * a byte is admitted only if a word of the range may stand where it is read.
 */
#include "code/grammar.h"

#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 96
#define FUNCTIONS_MAX 40

static const char *const keywords[KEYWORDS] = {
    "int", "double", "if", "for", "while", "do", "return", "break", "continue",
};

/* What a programmer calls a local, besides the fixed fresh names. */
static const char *const plain[] = {
    "a", "b", "c", "d", "e", "m", "n", "p", "q", "r", "s", "t", "u", "v", "w", "best", "count",
    "diff", "index", "last", "left", "lo", "hi", "max", "mid", "min", "next", "prev", "result",
    "right", "sum", "temp", "tmp", "total", "value",
};

/* ---- reading ---- */

bool grammar_is_word(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

uint8_t grammar_symbol(const struct elm_grammar *g, const struct state *s, uint32_t word,
                       uint16_t *second)
{
    const struct word *w = &g->words[word];
    *second = 0;
    if (word + 1 == s->declaring || w->role == ROLE_KEYWORD || w->role == ROLE_FUNCTION)
        return ELM_TYPE_NONE;
    for (uint32_t i = s->local_count; i-- > 0;) {
        struct local l = s->locals[i];
        if (l.word != word)
            continue;
        *second = l.second > 0 ? s->seconds[l.second - 1] : 0;
        return l.type;
    }
    if (w->role != ROLE_SYMBOL || w->barred)
        return ELM_TYPE_NONE;
    *second = w->shape.dims[1];
    return w->shape.type;
}

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

static uint8_t element_of(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY    ? ELM_TYPE_INT
           : type == ELM_TYPE_DOUBLE_ARRAY ? ELM_TYPE_DOUBLE
                                           : type;
}

/* ---- declarations ---- */

static bool own_list(const struct state *s)
{
    uint8_t kind = grammar_holder(s)->kind;
    return kind == BASE_LIST || kind == BASE_FOR_INIT;
}

static bool is_owed(const struct elm_grammar *g, const struct state *s, uint32_t k, uint8_t type)
{
    return (s->owed >> k & 1) == 0 &&
           (type == ELM_TYPE_NONE || element_of(g->owed[k].type) == type);
}

static uint32_t owed_left(const struct elm_grammar *g, const struct state *s)
{
    return g->owed_count - (uint32_t)__builtin_popcount(s->owed);
}

/* Is there a fresh name and room for it, beside what is owed? */
static bool free_declaration(const struct elm_grammar *g, const struct state *s)
{
    uint32_t names = own_list(s) ? g->fresh_base : g->fresh_count;
    return s->local_count + owed_left(g, s) < LOCALS_MAX && s->local_count < names;
}

static bool may_declare_freely(const struct elm_grammar *g, struct state *s)
{
    /* in a loop's head there must be something */
    bool head = grammar_holder(s)->kind == FRAME_FOR_INIT;
    if (grammar_holder(s)->kind == BASE_FOR_INIT && owed_left(g, s) > 0)
        return false;
    return (head || grammar_affords(g, s, 1)) && free_declaration(g, s);
}

bool grammar_declares(const struct elm_grammar *g, struct state *s, uint8_t type)
{
    if (own_list(s)) {
        for (uint32_t k = 0; k < g->owed_count; k++) {
            if (is_owed(g, s, k, type))
                return true;
        }
    }
    return may_declare_freely(g, s);
}

static bool declarable(const struct elm_grammar *g, struct state *s, uint32_t word)
{
    const struct word *w = &g->words[word];
    if (w->owed > 0)
        return own_list(s) && is_owed(g, s, w->owed - 1u, s->declared);
    if (w->role != ROLE_FRESH || !may_declare_freely(g, s) || (own_list(s) && w->taken))
        return false;
    for (uint32_t i = 0; i < s->local_count; i++) {
        if (s->locals[i].word == word)
            return false;
    }
    return true;
}

/* ---- which word may stand here ---- */

static bool nests(const struct state *s)
{
    return s->depth + 5 <= FRAMES_MAX;
}

static bool statement_keyword(const struct elm_grammar *g, struct state *s, uint8_t keyword)
{
    uint32_t returned = g->returns == ELM_TYPE_NONE ? 1 : 2;
    switch (keyword) {
    case KEY_INT: case KEY_DOUBLE:
        return grammar_declares(g, s, keyword == KEY_INT ? ELM_TYPE_INT : ELM_TYPE_DOUBLE);
    case KEY_IF: case KEY_WHILE: case KEY_DO:
        return grammar_affords(g, s, 3) && nests(s);
    case KEY_FOR:
        return grammar_affords(g, s, 7) && nests(s) && free_declaration(g, s);
    case KEY_RETURN:
        return grammar_affords(g, s, returned) || (!grammar_owes(g, s) && grammar_must_return(g, s));
    case KEY_BREAK:
        return grammar_affords(g, s, 1) && (s->loops > 0 || g->may_break);
    default:
        return grammar_affords(g, s, 1) && (s->loops > 0 || g->may_continue);
    }
}

static bool as_statement(const struct elm_grammar *g, struct state *s, uint32_t word)
{
    const struct word *w = &g->words[word];
    bool list = s->want == WANT_STATEMENT;
    uint16_t second;
    if (w->role == ROLE_KEYWORD) {
        return list ? statement_keyword(g, s, w->keyword)
                    : s->want == WANT_FOR_INIT && w->keyword <= KEY_DOUBLE &&
                          statement_keyword(g, s, w->keyword);
    }
    if (grammar_holder(s)->kind == BASE_FOR_INIT && owed_left(g, s) > 0)
        return false;
    /* a head must hold something: there the least of what it may hold has been counted */
    if (w->role == ROLE_FUNCTION)
        return !w->math && w->callable && (!list || grammar_affords(g, s, w->params + 2u));
    uint8_t type = grammar_symbol(g, s, word, &second);
    uint32_t nodes = 3 + (is_array(type) ? grammar_indices(second) : 0);
    return type != ELM_TYPE_NONE && (!list || grammar_affords(g, s, nodes));
}

static bool as_operand(const struct elm_grammar *g, struct state *s, uint32_t word)
{
    const struct word *w = &g->words[word];
    const struct frame *holder = grammar_holder(s), *around = holder - 1;
    uint16_t second;
    bool more = s->depth < FRAMES_MAX - 1;
    uint8_t type;
    if (w->role == ROLE_KEYWORD) {
        /* a cast: the bracket before it is no expression's, what counts is around that */
        return s->cast_here && (w->keyword == KEY_INT ||
                                (w->keyword == KEY_DOUBLE &&
                                 grammar_double_fits(around->flags, holder->level,
                                                     holder->unary)));
    }
    if (w->role == ROLE_FUNCTION) {
        type = w->shape.type;
        /* what has no room without parameters has none at all */
        if (!more || !w->callable || !grammar_affords(g, s, w->params > 0 ? w->params : 1))
            return false;
    } else {
        type = grammar_symbol(g, s, word, &second);
        if (is_array(type) && !(more && grammar_affords(g, s, grammar_indices(second))))
            return false;
        type = element_of(type);
    }
    return type == ELM_TYPE_INT ||
           (type == ELM_TYPE_DOUBLE && grammar_double_fits(holder->flags, s->level, s->unary));
}

static bool as_array(const struct elm_grammar *g, struct state *s, uint32_t word)
{
    uint16_t second;
    uint8_t type = grammar_symbol(g, s, word, &second);
    const struct frame *f = grammar_holder(s);
    const struct shape *want = f->kind == FRAME_CALL
                                   ? &g->params[g->words[f->word].first_param + f->at]
                                   : &g->shape;
    return type == want->type && second == want->dims[1];
}

static bool admitted(const struct elm_grammar *g, struct state *s, uint32_t word)
{
    uint16_t second;
    uint8_t type;
    switch (s->want) {
    case WANT_OPERAND:
        return as_operand(g, s, word);
    case WANT_LVALUE:
        type = element_of(grammar_symbol(g, s, word, &second));
        return type == ELM_TYPE_INT ||
               (type == ELM_TYPE_DOUBLE && !(grammar_holder(s)->kind == BASE_LVALUE && g->need_int));
    case WANT_ARRAY:
        return as_array(g, s, word);
    case WANT_DECLARED:
        return declarable(g, s, word);
    default:
        return as_statement(g, s, word);
    }
}

static bool any_admitted(const struct elm_grammar *g, struct state *s)
{
    for (uint32_t i = s->lo; i < s->hi; i++) {
        if (admitted(g, s, i))
            return true;
    }
    return false;
}

bool grammar_word_begin(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    s->lo = g->first[byte];
    s->hi = g->last[byte];
    s->at = 1;
    s->mode = MODE_WORD;
    return any_admitted(g, s);
}

bool grammar_word_step(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    uint8_t lo = s->lo, hi = s->hi, at = s->at;
    while (lo < hi && (g->words[lo].text.len <= at || (uint8_t)g->words[lo].text.ptr[at] < byte))
        lo++;
    while (lo < hi && (uint8_t)g->words[hi - 1].text.ptr[at] > byte)
        hi--;
    s->lo = lo;
    s->hi = hi;
    s->at++;
    return any_admitted(g, s);
}

int grammar_word_exact(const struct elm_grammar *g, struct state *s)
{
    /* the shortest of a range comes first */
    if (s->lo >= s->hi || g->words[s->lo].text.len != s->at || !admitted(g, s, s->lo))
        return -1;
    return s->lo;
}

/* ---- making the list ---- */

static struct word *word_of(struct elm_grammar *g, struct elm_str text)
{
    for (uint32_t i = 0; i < g->word_count; i++) {
        if (elm_str_equal(g->words[i].text, text))
            return &g->words[i];
    }
    return NULL;
}

/* NULL if it is there already, or there is no room. */
static struct word *add(struct elm_grammar *g, struct elm_str text, uint8_t role)
{
    if (g->word_count == WORDS_MAX || word_of(g, text) != NULL)
        return NULL;
    struct word *w = &g->words[g->word_count++];
    *w = (struct word){.text = text, .role = role};
    return w;
}

static bool named_in(const struct grammar_place *p, uint32_t from, uint32_t to, uint32_t name)
{
    for (uint32_t i = from; i < to; i++) {
        const struct elm_node *n = &p->tree->nodes[i];
        if ((n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX || n->kind == ELM_NODE_CALL ||
             n->kind == ELM_NODE_DECLARE) && n->name == name)
            return true;
    }
    return false;
}

static void add_symbols(struct elm_grammar *g, const struct grammar_place *p,
                        const struct elm_symbol *symbols, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct word *w = add(g, elm_names_text(p->names, symbols[i].name), ROLE_SYMBOL);
        w->shape = (struct shape){symbols[i].type, {symbols[i].dims[0], symbols[i].dims[1]}};
        for (uint32_t k = 0; k < p->barred_count; k++)
            w->barred |= p->barred[k] == symbols[i].name;
        g->symbol_count++;
    }
}

static bool served(const struct elm_grammar *g, const struct shape *want)
{
    for (uint32_t i = 0; i < g->word_count; i++) {
        const struct word *w = &g->words[i];
        if (w->role == ROLE_SYMBOL && w->shape.type == want->type &&
            w->shape.dims[1] == want->dims[1] && !w->barred)
            return true;
    }
    return false;
}

static void add_function(struct elm_grammar *g, const struct grammar_place *p, uint32_t at)
{
    const struct elm_node *f = &p->tree->nodes[at];
    uint32_t params = f->kids - 1u;
    struct word *w = add(g, elm_names_text(p->names, f->name), ROLE_FUNCTION);
    if (w == NULL)
        return;
    w->shape.type = f->type;
    w->callable = params <= 32 && g->param_count + params <= PARAMS_MAX;
    for (uint32_t i = 0; i < p->barred_count; i++)
        w->callable &= p->barred[i] != f->name;
    if (!w->callable)
        return;
    w->params = (uint8_t)params;
    w->first_param = (uint16_t)g->param_count;
    for (uint32_t i = 0; i < params; i++) {
        const struct elm_node *n = f + 1 + i;
        struct shape *s = &g->params[g->param_count++];
        *s = (struct shape){n->type, {0, n->dims[1]}};
        if (is_array(n->type) && !served(g, s))
            w->callable = false;
    }
}

static void add_functions(struct elm_grammar *g, const struct grammar_place *p)
{
    uint32_t functions[64];
    uint32_t count = elm_tree_callable(p->tree, p->at, functions, 64);
    for (uint32_t i = count; i-- > 0 && count - i <= FUNCTIONS_MAX;)
        add_function(g, p, functions[i]);
    for (uint32_t name = 0; name < ELM_MATH_FUNCTIONS; name++) {
        int arguments;
        enum elm_type type;
        elm_math_name(name, &arguments, &type);
        struct word *w = add(g, elm_names_text(p->names, name), ROLE_FUNCTION);
        if (w == NULL || g->param_count + 2 > PARAMS_MAX)
            continue;
        w->math = w->callable = true;
        w->shape.type = (uint8_t)type;
        w->params = (uint8_t)arguments;
        w->first_param = (uint16_t)g->param_count;
        for (int i = 0; i < arguments; i++)
            g->params[g->param_count++] = (struct shape){ELM_TYPE_DOUBLE, {0, 0}};
    }
}

struct fresh {
    struct elm_grammar *g;
    const struct grammar_place *p;
    const struct elm_symbol *symbols;
    uint32_t symbol_count;
};

/* A name that nothing around the span has, and that nothing after it in its block misses. */
static void add_fresh(const struct fresh *f, struct elm_str text)
{
    const struct elm_node *nodes = f->p->tree->nodes;
    for (uint32_t i = 0; i < f->symbol_count; i++) {
        if (elm_str_equal(elm_names_text(f->p->names, f->symbols[i].name), text))
            return;
    }
    for (uint32_t i = 1; i < f->p->tree->count; i += nodes[i].size) {
        if (nodes[i].kind == ELM_NODE_FUNCTION &&
            elm_str_equal(elm_names_text(f->p->names, nodes[i].name), text))
            return;
    }
    struct word *w = add(f->g, text, ROLE_FRESH);
    for (uint32_t i = f->p->end; w != NULL && i < f->p->rest_end; i++) {
        const struct elm_node *n = &nodes[i];
        if ((n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX || n->kind == ELM_NODE_DECLARE) &&
            elm_str_equal(elm_names_text(f->p->names, n->name), text))
            w->taken = true;
    }
}

/* What the replaced statements declare may be declared again; what is needed after them, must. */
static enum elm_status add_replaced(const struct fresh *f, struct elm_error *err)
{
    const struct grammar_place *p = f->p;
    struct elm_grammar *g = f->g;
    for (uint32_t i = p->at; i < p->end; i++) {
        const struct elm_node *n = &p->tree->nodes[i];
        if (n->kind == ELM_NODE_DECLARE)
            add_fresh(f, elm_names_text(p->names, n->name));
    }
    if (g->base != BASE_LIST && g->base != BASE_FOR_INIT)
        return ELM_OK;
    for (uint32_t i = p->at; i < p->end; i += p->tree->nodes[i].size) {
        const struct elm_node *n = &p->tree->nodes[i];
        if (n->kind != ELM_NODE_DECLARE || !named_in(p, p->end, p->rest_end, n->name))
            continue;
        struct word *w = word_of(g, elm_names_text(p->names, n->name));
        g->owed_seconds += n->dims[1] != 0;
        /* one that hides another of its name would change what is in scope */
        if (w == NULL || w->role != ROLE_FRESH ||
            g->owed_count == OWED_MAX || g->owed_seconds > SECONDS_MAX)
            return elm_fail(err, ELM_USAGE, "what follows the nodes at %u needs too many names that "
                            "they declare", p->at);
        g->owed[g->owed_count++] = (struct shape){n->type, {n->dims[0], n->dims[1]}};
        w->owed = (uint8_t)g->owed_count;
    }
    return ELM_OK;
}

static int by_text(const void *a, const void *b)
{
    struct elm_str x = ((const struct word *)a)->text, y = ((const struct word *)b)->text;
    size_t least = x.len < y.len ? x.len : y.len;
    int order = memcmp(x.ptr, y.ptr, least);
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static void index_words(struct elm_grammar *g)
{
    qsort(g->words, g->word_count, sizeof(g->words[0]), by_text);
    for (uint32_t i = g->word_count; i-- > 0;) {
        uint8_t byte = (uint8_t)g->words[i].text.ptr[0];
        g->first[byte] = (uint8_t)i;
        if (g->last[byte] == 0)
            g->last[byte] = (uint8_t)(i + 1);
        g->fresh_count += g->words[i].role == ROLE_FRESH && g->words[i].owed == 0;
        g->fresh_base += g->words[i].role == ROLE_FRESH && g->words[i].owed == 0 &&
                         !g->words[i].taken;
    }
}

enum elm_status grammar_words(struct elm_grammar *g, const struct grammar_place *p,
                              struct elm_error *err)
{
    struct elm_symbol symbols[SYMBOLS_MAX + 1];
    uint32_t count = elm_tree_scope(p->tree, p->at, symbols, SYMBOLS_MAX + 1);
    if (count > SYMBOLS_MAX)
        return elm_fail(err, ELM_USAGE, "node %u has more than %d names in scope", p->at,
                        SYMBOLS_MAX);
    for (uint32_t i = 0; i < KEYWORDS; i++)
        add(g, elm_str(keywords[i]), ROLE_KEYWORD)->keyword = (uint8_t)i;
    add_symbols(g, p, symbols, count);
    add_functions(g, p);
    struct fresh f = {g, p, symbols, count};
    enum elm_status status = add_replaced(&f, err);
    for (uint32_t name = ELM_NAMES_FRESH; name < ELM_NAMES_FIXED; name++)
        add_fresh(&f, elm_names_text(p->names, name));
    for (size_t i = 0; i < ELM_COUNT(plain); i++)
        add_fresh(&f, elm_str(plain[i]));
    index_words(g);
    return status;
}
