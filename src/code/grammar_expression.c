/*
 * grammar_expression: operands and operators. Types are followed through the precedences, so that
 * what wants ints gets ints: a double is admitted where an int is wanted only if a comparison can
 * still make one of it (a debt), and then one must come.
 */
#include "code/grammar.h"

struct operator_info {
    char text[4];
    uint16_t level;
    bool int_only;
};

static const struct operator_info operators[] = {
    {"*", LEVEL_MUL, false}, {"/", LEVEL_MUL, false}, {"%", LEVEL_MUL, true},
    {"+", LEVEL_ADD, false}, {"-", LEVEL_ADD, false}, {"<<", LEVEL_SHIFT, true},
    {">>", LEVEL_SHIFT, true}, {"<", LEVEL_REL, false}, {"<=", LEVEL_REL, false},
    {">", LEVEL_REL, false}, {">=", LEVEL_REL, false}, {"==", LEVEL_EQ, false},
    {"!=", LEVEL_EQ, false}, {"&", LEVEL_AND, true}, {"^", LEVEL_XOR, true},
    {"|", LEVEL_OR, true}, {"&&", LEVEL_LOGIC_AND, false}, {"||", LEVEL_LOGIC_OR, false},
    {"?", 0, false}, {":", 0, false},
    {"=", 0, false}, {"+=", 0, false}, {"-=", 0, false}, {"*=", 0, false}, {"/=", 0, false},
    {"%=", 0, true}, {"&=", 0, true}, {"|=", 0, true}, {"^=", 0, true}, {"<<=", 0, true},
    {">>=", 0, true},
};
#define QUESTION 18
#define COLON 19
#define ASSIGNMENTS 20         /* the first of them */
#define INT_ONLY (1u << 2 | 3u << 5 | 7u << 13 | 63u << 25)

/* Operators of each level, LEVEL_MUL first. */
static const uint32_t of_level[] = {
    7u, 3u << 3, 3u << 5, 15u << 7, 3u << 11, 1u << 13, 1u << 14, 1u << 15, 1u << 16, 1u << 17,
};

/* ---- types ---- */

bool grammar_double_fits(uint8_t holder_flags, uint16_t level, uint8_t unary)
{
    bool debt = (holder_flags & FLAG_NO_DEBT) == 0;
    if (unary & (UNARY_ANY | UNARY_NEED_INT))
        return (unary & UNARY_ANY) != 0;
    if (level & (LEVEL_MOD | LEVEL_SHIFT))
        return false;
    if (level & (LEVEL_REL | LEVEL_EQ))
        return true;
    if (level & (LEVEL_AND | LEVEL_XOR | LEVEL_OR))
        return debt;
    if (level & (LEVEL_LOGIC_AND | LEVEL_LOGIC_OR))
        return true;
    return debt || (level & LEVEL_NEED_INT) == 0;
}

static bool fits(const struct state *s)
{
    return grammar_double_fits(grammar_holder(s)->flags, s->level, s->unary);
}

/* Closes the operator of one level; `type` is its right side's, then its own. */
static bool reduce_one(uint16_t *level, uint8_t *type, uint16_t bit)
{
    uint16_t had = *level;
    if ((had & bit) == 0)
        return true;
    *level &= (uint16_t)~bit;
    switch (bit) {
    case LEVEL_MUL:
        *level &= (uint16_t) ~(LEVEL_MOD | LEVEL_MUL_DOUBLE);
        *type = had & LEVEL_MUL_DOUBLE ? ELM_TYPE_DOUBLE : *type;
        return (had & LEVEL_MOD) == 0 || *type == ELM_TYPE_INT;
    case LEVEL_ADD:
        *level &= (uint16_t)~LEVEL_ADD_DOUBLE;
        *type = had & LEVEL_ADD_DOUBLE ? ELM_TYPE_DOUBLE : *type;
        return true;
    case LEVEL_ELSE:
        *level &= (uint16_t)~LEVEL_ELSE_DOUBLE;
        *type = had & LEVEL_ELSE_DOUBLE ? ELM_TYPE_DOUBLE : *type;
        return true;
    case LEVEL_SHIFT: case LEVEL_AND: case LEVEL_XOR: case LEVEL_OR:
        return *type == ELM_TYPE_INT;
    default:
        *type = ELM_TYPE_INT;
        return true;
    }
}

static bool reduce(uint16_t *level, uint8_t *type, uint16_t upto)
{
    for (uint16_t bit = LEVEL_MUL; bit <= upto; bit = (uint16_t)(bit << 1)) {
        if (!reduce_one(level, type, bit))
            return false;
    }
    return true;
}

bool grammar_finish(uint16_t level, uint8_t *type)
{
    return reduce(&level, type, LEVEL_ELSE) &&
           ((level & LEVEL_NEED_INT) == 0 || *type == ELM_TYPE_INT);
}

static uint8_t after_unary(uint8_t unary, uint8_t type)
{
    return unary & UNARY_INT ? ELM_TYPE_INT : unary & UNARY_DOUBLE ? ELM_TYPE_DOUBLE : type;
}

void grammar_operand_done(struct state *s, uint8_t type)
{
    s->type = after_unary(s->unary, type);
    s->unary = 0;
    s->at = 0;
    s->number = 0;
    s->mode = MODE_AFTER;
}

bool grammar_complete(const struct elm_grammar *g, struct state *s, uint8_t *type)
{
    int word;
    uint16_t second;
    switch (s->mode) {
    case MODE_AFTER:
        *type = s->type;
        return true;
    case MODE_ZERO: case MODE_INT:
        *type = after_unary(s->unary, ELM_TYPE_INT);
        return true;
    case MODE_FRACTION: case MODE_EXPONENT:
        *type = after_unary(s->unary, ELM_TYPE_DOUBLE);
        return true;
    case MODE_WORD:
        word = s->want == WANT_OPERAND ? grammar_word_exact(g, s) : -1;
        *type = word >= 0 ? grammar_symbol(g, s, (uint32_t)word, &second) : ELM_TYPE_NONE;
        if (*type != ELM_TYPE_INT && *type != ELM_TYPE_DOUBLE)
            return false;
        *type = after_unary(s->unary, *type);
        return true;
    default:
        return false;
    }
}

/* ---- operands ---- */

static bool may_nest(const struct elm_grammar *g, struct state *s)
{
    return grammar_affords(g, s, 1) && s->depth < FRAMES_MAX - 1;
}

static bool more_unary(const struct elm_grammar *g, struct state *s)
{
    if (!grammar_affords(g, s, 1) || (s->unary & UNARY_COUNT) == UNARY_COUNT)
        return false;
    s->unary = (uint8_t)((s->unary & ~UNARY_MINUS) + UNARY_ONE);
    s->nodes++;
    return true;
}

/* makes: UNARY_INT or UNARY_DOUBLE; wants: UNARY_ANY or UNARY_NEED_INT. */
static void set_unary(struct state *s, uint8_t makes, uint8_t wants)
{
    if ((s->unary & (UNARY_INT | UNARY_DOUBLE)) == 0)
        s->unary |= makes;
    s->unary = (uint8_t)((s->unary & ~(UNARY_ANY | UNARY_NEED_INT)) | wants);
}

/* The bracket that was taken for an expression's is a cast's. */
void grammar_cast(struct state *s, bool to_double)
{
    grammar_pop(s);
    s->unary = (uint8_t)((s->unary & ~UNARY_MINUS) + UNARY_ONE);
    set_unary(s, to_double ? UNARY_DOUBLE : UNARY_INT, UNARY_ANY);
    s->nodes++;
    s->mode = MODE_OPERAND;
}

static bool open_bracket(const struct elm_grammar *g, struct state *s)
{
    if (!may_nest(g, s))
        return false;
    bool any = fits(s), cast = (s->unary & UNARY_COUNT) != UNARY_COUNT;
    uint8_t debt = any ? 0 : grammar_holder(s)->flags & FLAG_NO_DEBT;
    grammar_push(s, FRAME_PAREN, debt);
    s->level = any ? 0 : LEVEL_NEED_INT;
    s->cast_here = cast;
    return true;
}

bool grammar_operand(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    if (grammar_is_word(byte) && (byte < '0' || byte > '9')) {
        s->want = WANT_OPERAND;
        return grammar_word_begin(g, s, byte);
    }
    s->cast_here = false;
    if (byte >= '0' && byte <= '9') {
        s->at = 1;
        s->number = byte < '2' ? 1 : byte == '2' ? 0 : 2;
        s->mode = byte == '0' ? MODE_ZERO : MODE_INT;
        return true;
    }
    bool minus = (s->unary & UNARY_MINUS) != 0;
    switch (byte) {
    case '(':
        return open_bracket(g, s);
    case '-':
        if (minus || !more_unary(g, s))
            return false;
        s->unary |= UNARY_MINUS;
        return true;
    case '!': case '~':
        if (!more_unary(g, s))
            return false;
        set_unary(s, UNARY_INT, byte == '!' ? UNARY_ANY : UNARY_NEED_INT);
        return true;
    default:
        return false;
    }
}

static bool digit(struct state *s, uint8_t byte)
{
    static const char most[] = "2147483647";
    uint8_t d = (uint8_t)(byte - '0');
    switch (s->mode) {
    case MODE_INT:
        if (s->at > 9 || (s->at == 9 && (s->number == 2 || (s->number == 0 && byte > most[9]))))
            return false;
        if (s->number == 0)
            s->number = byte < most[s->at] ? 1 : byte == most[s->at] ? 0 : 2;
        s->at++;
        return true;
    case MODE_POINT: case MODE_FRACTION:
        s->at = s->mode == MODE_POINT ? 1 : s->at + 1;
        s->mode = MODE_FRACTION;
        return s->at <= 17;
    case MODE_E: case MODE_SIGN:
        s->at = 1;
        s->number = d;
        s->mode = MODE_EXPONENT;
        return true;
    case MODE_EXPONENT:
        /* with ten digits before the point it stays finite */
        s->number = (uint16_t)(s->number * 10 + d);
        return ++s->at <= 3 && s->number <= 290;
    default:
        return false;
    }
}

bool grammar_number(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    bool whole = s->mode == MODE_ZERO || s->mode == MODE_INT;
    if (byte >= '0' && byte <= '9')
        return digit(s, byte);
    if (byte == '.' && whole && fits(s)) {
        s->mode = MODE_POINT;
        s->at = 0;
        s->number = 0;
        return true;
    }
    if (byte == 'e' && (whole || s->mode == MODE_FRACTION) && fits(s)) {
        s->mode = MODE_E;
        s->at = 0;
        s->number = 0;
        return true;
    }
    if ((byte == '+' || byte == '-') && s->mode == MODE_E) {
        s->mode = MODE_SIGN;
        return true;
    }
    if (!whole && s->mode != MODE_FRACTION && s->mode != MODE_EXPONENT)
        return false;
    grammar_operand_done(s, whole ? ELM_TYPE_INT : ELM_TYPE_DOUBLE);
    return grammar_after(g, s, byte);
}

bool grammar_index(struct state *s, uint32_t word, uint16_t second, uint8_t flags)
{
    struct frame *f = grammar_push(s, FRAME_INDEX, flags | FLAG_NO_DEBT);
    f->word = (uint8_t)word;
    s->level = LEVEL_NEED_INT;
    s->mode = MODE_OPERAND;
    s->nodes = (uint16_t)(s->nodes + grammar_indices(second));
    return true;
}

bool grammar_call(const struct elm_grammar *g, struct state *s, uint32_t word, uint8_t flags)
{
    struct frame *f = grammar_push(s, FRAME_CALL, flags);
    f->word = (uint8_t)word;
    s->nodes = (uint16_t)(s->nodes + g->words[word].params);
    if (g->words[word].params > 0)
        return grammar_argument(g, s);
    s->mode = MODE_NO_ARGUMENT;
    return true;
}

/* An argument begins. */
bool grammar_argument(const struct elm_grammar *g, struct state *s)
{
    const struct frame *f = grammar_holder(s);
    uint8_t type = g->params[g->words[f->word].first_param + f->at].type;
    bool array = type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
    s->level = 0;
    s->mode = array ? MODE_WANT : MODE_OPERAND;
    s->want = array ? WANT_ARRAY : WANT_OPERAND;
    return true;
}

static bool call_done(const struct elm_grammar *g, struct state *s)
{
    struct frame f = grammar_pop(s);
    if (f.flags & FLAG_STATEMENT)
        s->mode = MODE_SIMPLE;
    else
        grammar_operand_done(s, g->words[f.word].shape.type);
    return true;
}

bool grammar_no_argument(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    return byte == ')' && call_done(g, s);
}

bool grammar_argument_end(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    struct frame *f = grammar_top(s);
    if (f->at + 1 == g->words[f->word].params)
        return byte == ')' && call_done(g, s);
    if (byte != ',')
        return false;
    f->at++;
    grammar_expect(s, LITERAL_ARGUMENT);
    return true;
}

bool grammar_second_index(struct state *s, uint8_t byte)
{
    s->level = LEVEL_NEED_INT;
    s->mode = MODE_OPERAND;
    return byte == '[';
}

static bool index_end(const struct elm_grammar *g, struct state *s)
{
    uint16_t second;
    struct frame *f = grammar_top(s);
    uint8_t array = grammar_symbol(g, s, f->word, &second);
    uint8_t type = array == ELM_TYPE_INT_ARRAY ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
    if (second != 0 && f->at == 0) {
        f->at = 1;
        s->mode = MODE_SECOND_INDEX;
        return true;
    }
    uint8_t flags = grammar_pop(s).flags;
    if (flags & FLAG_LVALUE) {
        s->type = type;
        s->mode = flags & FLAG_PREFIXED ? MODE_SIMPLE : MODE_LVALUE;
    } else {
        grammar_operand_done(s, type);
    }
    return true;
}

/* ---- what follows an operand ---- */

static uint32_t operators_after(const struct elm_grammar *g, struct state *s)
{
    uint16_t level = s->level, bit = LEVEL_MUL;
    uint8_t type = s->type, whole = type;
    uint32_t set = 0;
    bool debt = !grammar_finish(level, &whole), room = grammar_affords(g, s, 2);
    size_t i = 0;
    for (; i < ELM_COUNT(of_level) && reduce_one(&level, &type, bit); i++) {
        bool compares = bit == LEVEL_REL || bit == LEVEL_EQ;
        /* a < b < c is not what it seems */
        if ((room || (debt && compares)) && !(compares && (s->level & bit)))
            set |= of_level[i] & (type == ELM_TYPE_INT ? ~0u : ~INT_ONLY);
        bit = (uint16_t)(bit << 1);
    }
    if (i == ELM_COUNT(of_level) && may_nest(g, s) && grammar_affords(g, s, 3))
        set |= 1u << QUESTION;
    if (!debt && grammar_holder(s)->kind == FRAME_THEN)
        set |= 1u << COLON;
    return set;
}

bool grammar_after(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    uint8_t type = s->type;
    if (byte == ' ') {
        s->operators = operators_after(g, s);
        s->mode = MODE_OPERATOR;
        s->at = 0;
        return s->operators != 0;
    }
    if (!grammar_finish(s->level, &type))
        return false;
    struct frame f;
    s->type = ELM_TYPE_NONE;
    switch (grammar_holder(s)->kind) {
    case FRAME_PAREN:
        if (byte != ')')
            return false;
        grammar_pop(s);
        grammar_operand_done(s, type);
        return true;
    case FRAME_CALL:
        return grammar_argument_end(g, s, byte);
    case FRAME_INDEX:
        return byte == ']' && index_end(g, s);
    case FRAME_VALUE:
        f = grammar_pop(s);
        return grammar_simple_end(g, s, byte, (f.flags & FLAG_RETURN) != 0);
    case FRAME_ITEMS:
        return grammar_item_end(g, s, byte);
    case FRAME_IF: case FRAME_WHILE: case FRAME_DO: case FRAME_FOR_CONDITION:
        return grammar_head_end(s, byte);
    default:
        return false;
    }
}

/* ---- operators ---- */

static bool question(struct state *s)
{
    if (!reduce(&s->level, &s->type, LEVEL_LOGIC_OR))
        return false;
    uint16_t need = s->level & LEVEL_NEED_INT;
    grammar_push(s, FRAME_THEN, grammar_holder(s)->flags & FLAG_NO_DEBT);
    s->level = need;
    s->type = ELM_TYPE_NONE;
    s->nodes += 3;
    s->mode = MODE_OPERAND;
    return true;
}

static bool colon(struct state *s)
{
    uint8_t then = s->type;
    if (!grammar_finish(s->level, &then))
        return false;
    grammar_pop(s);
    s->type = ELM_TYPE_NONE;
    s->level |= LEVEL_ELSE | (then == ELM_TYPE_DOUBLE ? LEVEL_ELSE_DOUBLE : 0);
    s->mode = MODE_OPERAND;
    return true;
}

static bool binary(struct state *s, uint32_t k)
{
    const struct operator_info *o = &operators[k];
    uint8_t left = s->type;
    if (!reduce(&s->level, &left, o->level))
        return false;
    s->level |= o->level;
    if (o->level == LEVEL_MUL)
        s->level |= (o->int_only ? LEVEL_MOD : 0) | (left == ELM_TYPE_DOUBLE ? LEVEL_MUL_DOUBLE : 0);
    if (o->level == LEVEL_ADD)
        s->level |= left == ELM_TYPE_DOUBLE ? LEVEL_ADD_DOUBLE : 0;
    s->type = ELM_TYPE_NONE;
    s->nodes += 2;
    s->mode = MODE_OPERAND;
    return true;
}

static bool assign(struct state *s, uint32_t k)
{
    grammar_push(s, FRAME_VALUE, 0);
    s->level = operators[k].int_only ? LEVEL_NEED_INT : 0;
    s->nodes++;
    s->type = ELM_TYPE_NONE;
    s->mode = MODE_OPERAND;
    return true;
}

/* After a space: the operator, and the space that ends it. */
bool grammar_operator(struct state *s, uint8_t byte)
{
    uint32_t set = s->operators;
    s->operators = 0;
    for (; set != 0; set &= set - 1) {
        uint32_t k = (uint32_t)__builtin_ctz(set);
        char c = operators[k].text[s->at];
        if (c != '\0' && c == (char)byte)
            s->operators |= 1u << k;
        if (c != '\0' || byte != ' ')
            continue;
        s->operators = 0;
        s->at = 0;
        return k == QUESTION ? question(s) : k == COLON ? colon(s)
               : k >= ASSIGNMENTS ? assign(s, k) : binary(s, k);
    }
    s->at++;
    return s->operators != 0;
}

/* An lvalue that stands alone is read: it is assigned, or counted up or down. */
bool grammar_assignment(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    if (grammar_holder(s)->kind == BASE_LVALUE)
        return false;
    if (byte == '+' || byte == '-') {
        grammar_expect(s, byte == '+' ? LITERAL_INCREMENT : LITERAL_DECREMENT);
        return true;
    }
    s->operators = (~0u << ASSIGNMENTS) & ((1u << ELM_COUNT(operators)) - 1);
    if (s->type == ELM_TYPE_DOUBLE)
        s->operators &= ~INT_ONLY;
    s->mode = MODE_OPERATOR;
    s->at = 0;
    return byte == ' ' && grammar_affords(g, s, 1);
}
