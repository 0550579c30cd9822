/* grammar: a reading of a span, and of the border after it. */
#include "code/grammar.h"

#include <string.h>

static struct state *state_of(struct elm_grammar_state *s)
{
    return (struct state *)(void *)s;
}

static const struct state *const_state_of(const struct elm_grammar_state *s)
{
    return (const struct state *)(const void *)s;
}

static uint8_t start_mode(const struct elm_grammar *g)
{
    static const uint8_t modes[] = {
        [BASE_VALUE] = MODE_OPERAND,   [BASE_LVALUE] = MODE_WANT,   [BASE_ARRAY] = MODE_WANT,
        [BASE_SIMPLE] = MODE_WANT,     [BASE_FOR_INIT] = MODE_WANT, [BASE_LIST] = MODE_STATEMENT,
        [BASE_BLOCK] = MODE_OPEN,      [BASE_ELSE] = MODE_ELSE,     [BASE_ITEMS] = MODE_ITEMS,
    };
    return modes[g->base];
}

static void start(const struct elm_grammar *g, struct state *s)
{
    static const uint8_t wants[] = {
        [BASE_LVALUE] = WANT_LVALUE, [BASE_ARRAY] = WANT_ARRAY, [BASE_SIMPLE] = WANT_SIMPLE,
        [BASE_FOR_INIT] = WANT_FOR_INIT,
    };
    s->at = 0;
    s->mode = start_mode(g);
    if (s->mode == MODE_WANT)
        s->want = wants[g->base];
    s->all_return = g->base == BASE_ELSE;
}

void elm_grammar_start(const struct elm_grammar *g, struct elm_grammar_state *opaque)
{
    struct state *s = state_of(opaque);
    memset(opaque, 0, sizeof(*opaque));
    s->alive = true;
    s->same = g->leave != UINT32_MAX;
    s->depth = 1;
    s->frames[0] = (struct frame){.kind = g->base, .flags = g->no_debt ? FLAG_NO_DEBT : 0};
    s->level = g->base == BASE_VALUE && g->need_int ? LEVEL_NEED_INT : 0;
    s->indent = g->indent;
    s->nodes = g->nodes_least;
    s->mode = MODE_LEAD;
    if (g->lead.len == 0)
        start(g, s);
}

static bool lead(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    if ((uint8_t)g->lead.bytes[s->at] != byte)
        return false;
    if (++s->at == g->lead.len)
        start(g, s);
    return true;
}

static bool span_step(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    switch (s->mode) {
    case MODE_LEAD: return lead(g, s, byte);
    case MODE_LITERAL: return grammar_literal(g, s, byte);
    case MODE_INDENT: return grammar_indent(g, s, byte);
    case MODE_OPERAND: return grammar_operand(g, s, byte);
    case MODE_WORD:
        return grammar_is_word(byte) ? grammar_word_step(g, s, byte) : grammar_word_end(g, s, byte);
    case MODE_WANT: return grammar_want(g, s, byte);
    case MODE_ZERO: case MODE_INT: case MODE_POINT: case MODE_FRACTION: case MODE_E:
    case MODE_SIGN: case MODE_EXPONENT:
        return grammar_number(g, s, byte);
    case MODE_AFTER: return grammar_after(g, s, byte);
    case MODE_OPERATOR: return grammar_operator(s, byte);
    case MODE_STATEMENT: return grammar_statement(g, s, byte);
    case MODE_LVALUE: return grammar_assignment(g, s, byte);
    case MODE_SIMPLE: return grammar_simple_end(g, s, byte, false);
    case MODE_NO_ARGUMENT: return grammar_no_argument(g, s, byte);
    case MODE_SECOND_INDEX: return grammar_second_index(s, byte);
    case MODE_DECLARED: return grammar_declared(g, s, byte);
    case MODE_DIMENSION: return grammar_dimension(g, s, byte);
    case MODE_ITEMS: return grammar_items(g, s, byte);
    case MODE_ITEM_END: return grammar_item_end(g, s, byte);
    case MODE_OPEN: return grammar_open(s, byte);
    case MODE_ELSE: return grammar_else(g, s, byte);
    case MODE_LINE: case MODE_IF_LINE: return grammar_line(g, s, byte);
    default: return false;
    }
}

static bool whole_word(const struct elm_grammar *g, struct state *s)
{
    uint16_t second;
    int word = s->mode == MODE_WORD ? grammar_word_exact(g, s) : -1;
    if (word < 0)
        return false;
    uint8_t type = grammar_symbol(g, s, (uint32_t)word, &second);
    return g->base == BASE_ARRAY || type == ELM_TYPE_INT || type == ELM_TYPE_DOUBLE;
}

/* Could the span end here? */
static bool whole(const struct elm_grammar *g, struct state *s)
{
    uint8_t type;
    bool simple = g->base == BASE_SIMPLE || g->base == BASE_FOR_INIT;
    if (simple && s->depth == 2 && grammar_holder(s)->kind == FRAME_VALUE)
        return grammar_complete(g, s, &type) && grammar_finish(s->level, &type);
    if (s->depth != 1)
        return false;
    switch (g->base) {
    case BASE_VALUE:
        return grammar_complete(g, s, &type) && grammar_finish(s->level, &type);
    case BASE_LVALUE:
        return s->mode == MODE_LVALUE || whole_word(g, s);
    case BASE_ARRAY:
        return whole_word(g, s);
    case BASE_SIMPLE: case BASE_FOR_INIT:
        return s->mode == MODE_SIMPLE || (s->prefixed && whole_word(g, s));
    case BASE_LIST:
        return (s->mode == MODE_LINE || s->mode == MODE_IF_LINE) && !grammar_owes(g, s) &&
               !grammar_must_return(g, s);
    case BASE_ELSE:
        return s->mode == MODE_DONE || (s->mode == MODE_IF_LINE && !g->must_return);
    default:
        return s->mode == MODE_DONE;
    }
}

/* ---- leaving what is replaced ---- */

/* Is any byte but `byte` (256: any at all) admitted? What a copy asks for isn't noted: a reading that has
 * followed the old text so far has written that text's nodes, never another number. */
static bool others(const struct elm_grammar *g, const struct state *s, uint32_t byte)
{
    for (uint32_t other = '\n'; other < 127; other++) {
        struct state copy = *s;
        if (other != byte && (span_step(g, &copy, (uint8_t)other) ||
                              (s->border & g->border_bytes[other]) != 0))
            return true;
    }
    return false;
}

bool elm_grammar_leave(struct elm_grammar *g, uint32_t at)
{
    struct elm_grammar_state opaque;
    struct state *s = state_of(&opaque);
    uint32_t wanted = at > g->old_len - g->lead.len ? g->old_len : g->lead.len + at;
    uint32_t found = UINT32_MAX, before = g->leave;
    g->leave = UINT32_MAX;
    elm_grammar_start(g, &opaque);
    for (uint32_t i = 0; i <= g->old_len && (found == UINT32_MAX || found < wanted); i++) {
        uint32_t byte = i == g->old_len ? 256 : (uint8_t)g->old[i];
        uint64_t border = s->border;
        /* at the end only the span itself can go on */
        s->border = byte == 256 ? 0 : border;
        if (others(g, s, byte))
            found = i;
        s->border = border;
        if (byte == 256 || !elm_grammar_step(g, &opaque, (uint8_t)byte))
            break;
    }
    g->leave = found != UINT32_MAX ? found : before;
    return found != UINT32_MAX;
}

/* May the reading, so far what is replaced, go on with this byte? */
static bool may_follow(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    uint32_t at = s->same - 1u;
    bool follows = at < g->old_len && at < UINT16_MAX - 1 && (uint8_t)g->old[at] == byte;
    s->same = follows ? (uint16_t)(s->same + 1) : 0;
    return !follows || at < g->leave || !others(g, s, byte);
}

/* All of what is replaced has been read: it may not end here if it can go on. */
static bool must_go_on(const struct elm_grammar *g, const struct state *s)
{
    return s->same == g->old_len + 1 && g->leave != UINT32_MAX && others(g, s, 256);
}

bool elm_grammar_step(const struct elm_grammar *g, struct elm_grammar_state *opaque, uint8_t byte)
{
    struct state *s = state_of(opaque);
    s->asked = 0;
    if (s->ended) {
        uint32_t at = g->border + s->at++;
        return at < g->after.len && (uint8_t)g->after.bytes[at] == byte;
    }
    uint64_t border = (s->border & g->border_bytes[byte]) << 1;
    bool alive = s->alive && (s->same == 0 || may_follow(g, s, byte)) && span_step(g, s, byte);
    s->border = 0;
    if (alive && whole(g, s) && !must_go_on(g, s))
        border |= 1;
    s->ended = (border >> g->border & 1) != 0;
    if (!alive || s->ended) {
        /* all that is left of it, so that equal states are equal bytes */
        bool ended = s->ended;
        uint16_t asked = s->asked;
        memset(s, 0, sizeof(*s));
        s->ended = ended;
        s->asked = asked;
        alive = false;
    }
    s->alive = alive;
    s->border = s->ended ? 0 : border;
    return alive || border != 0;
}

bool elm_grammar_ended(const struct elm_grammar *g, const struct elm_grammar_state *s)
{
    (void)g;
    return const_state_of(s)->ended;
}

uint32_t elm_grammar_border(const struct elm_grammar *g)
{
    return g->border;
}

/* ---- states and grammars that are alike ---- */

uint32_t elm_grammar_forget(struct elm_grammar_state *s)
{
    uint32_t nodes = state_of(s)->nodes;
    state_of(s)->nodes = state_of(s)->asked = 0;
    return nodes;
}

uint32_t elm_grammar_asked(const struct elm_grammar_state *s)
{
    return const_state_of(s)->asked;
}

uint32_t elm_grammar_room(const struct elm_grammar *g)
{
    return g->nodes_max;
}

uint64_t elm_grammar_hash(const struct elm_grammar *g)
{
    struct elm_grammar plain = *g;
    uint64_t hash = g->old == NULL ? 0 : elm_hash(g->old, g->old_len, 0);
    plain.old = NULL;
    for (uint32_t i = 0; i < g->word_count; i++) {
        struct elm_str text = g->words[i].text;
        hash = elm_hash(text.ptr, text.len, hash);
        plain.words[i].text = (struct elm_str){NULL, text.len};
    }
    return elm_hash(&plain, sizeof(plain), hash);
}
