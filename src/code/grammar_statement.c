/* grammar_statement: statements, declarations and blocks, in the printer's layout. */
#include "code/grammar.h"

static const char *const literals[] = {
    [LITERAL_HEAD] = "(",
    [LITERAL_BODY] = " {\n",
    [LITERAL_OPEN] = "\n",
    [LITERAL_ELSE] = "else ",
    [LITERAL_ELSE_IF] = "f (",
    [LITERAL_DO] = "{\n",
    [LITERAL_DO_WHILE] = " while (",
    [LITERAL_DO_END] = ";",
    [LITERAL_ARGUMENT] = " ",
    [LITERAL_CONDITION] = " ",
    [LITERAL_STEP] = " ",
    [LITERAL_INITIAL] = "= ",
    [LITERAL_ITEM] = " ",
    [LITERAL_INCREMENT] = "+",
    [LITERAL_DECREMENT] = "-",
};

void grammar_expect(struct state *s, uint8_t literal)
{
    s->mode = MODE_LITERAL;
    s->literal = literal;
    s->at = 0;
}

static bool want(struct state *s, uint8_t what)
{
    s->mode = MODE_WANT;
    s->want = what;
    return true;
}

static bool operand(struct state *s)
{
    s->level = 0;
    s->mode = MODE_OPERAND;
    return true;
}

/* ---- where a list of statements stands ---- */

bool grammar_owes(const struct elm_grammar *g, const struct state *s)
{
    return grammar_holder(s)->kind == BASE_LIST && s->owed != (1u << g->owed_count) - 1;
}

bool grammar_must_return(const struct elm_grammar *g, const struct state *s)
{
    const struct frame *f = grammar_holder(s);
    bool spans = f->kind == BASE_LIST ||
                 (s->depth == 2 && f->kind == FRAME_BLOCK && s->frames[0].kind != BASE_LIST);
    return g->must_return && spans && (f->flags & FLAG_RETURNS) == 0;
}

static bool may_begin(const struct elm_grammar *g, struct state *s)
{
    /* an assignment of one scalar, or a return */
    return grammar_affords(g, s, 3) || grammar_owes(g, s) || grammar_must_return(g, s);
}

static bool nests(const struct elm_grammar *g, struct state *s)
{
    return grammar_affords(g, s, 1) && s->depth + 5 <= FRAMES_MAX;
}

static bool statement_end(struct state *s, bool returns)
{
    struct frame *f = grammar_top(s);
    f->flags = (uint8_t)((f->flags & ~FLAG_RETURNS) | (returns ? FLAG_RETURNS : 0));
    s->mode = grammar_holds_statements(f->kind) ? MODE_LINE : MODE_DONE;
    return true;
}

/* ---- blocks ---- */

static struct frame *push_block(struct state *s, uint8_t kind, uint8_t owner, uint8_t flags)
{
    struct frame *f = grammar_push(s, kind, flags);
    f->at = (uint16_t)(owner | s->local_count << 8);
    s->nodes++;
    return f;
}

/* "{\n" has been read. */
static bool enter_block(struct state *s)
{
    s->loops += (grammar_holder(s)->flags & FLAG_LOOP) != 0;
    s->indent++;
    s->mode = MODE_INDENT;
    s->at = 0;
    return true;
}

/* The head on top has been read: its frame becomes its block's. */
static bool enter_body(struct state *s)
{
    struct frame *f = grammar_top(s);
    bool loop = f->kind != FRAME_IF;
    f->kind = FRAME_BLOCK;
    f->flags |= loop ? FLAG_LOOP : 0;
    f->at = (uint16_t)((f->at & 0xff00) | (loop ? OWNER_LOOP : OWNER_THEN));
    return enter_block(s);
}

static void leave_scope(struct state *s, uint8_t locals)
{
    s->second_count = 0;
    for (uint8_t i = 0; i < locals; i++) {
        if (s->locals[i].second > s->second_count)
            s->second_count = s->locals[i].second;
    }
    while (s->local_count > locals)
        s->locals[--s->local_count] = (struct local){0};
    for (uint8_t i = s->second_count; i < SECONDS_MAX; i++)
        s->seconds[i] = 0;
}

static bool close_block(struct state *s)
{
    struct frame f = grammar_pop(s);
    bool returns = (f.flags & FLAG_RETURNS) != 0, before = (f.flags & FLAG_ALL_RETURN) != 0;
    leave_scope(s, (uint8_t)(f.at >> 8));
    s->loops -= (f.flags & FLAG_LOOP) != 0;
    s->indent--;
    s->at = 0;
    switch (f.at & 0xff) {
    case OWNER_THEN:
        statement_end(s, false);
        s->mode = MODE_IF_LINE;
        s->all_return = before && returns;
        return true;
    case OWNER_DO:
        grammar_expect(s, LITERAL_DO_WHILE);
        return true;
    case OWNER_ELSE:
        return statement_end(s, before && returns);
    case OWNER_LOOP:
        return statement_end(s, false);
    default:
        return statement_end(s, returns);
    }
}

bool grammar_open(struct state *s, uint8_t byte)
{
    if (byte != '{')
        return false;
    push_block(s, FRAME_BLOCK, OWNER_PLAIN, 0);
    grammar_expect(s, LITERAL_OPEN);
    return true;
}

/* After "else ". */
bool grammar_else(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    uint8_t flags = s->all_return ? FLAG_ALL_RETURN : 0;
    s->all_return = false;
    if (byte == '{') {
        push_block(s, FRAME_BLOCK, OWNER_ELSE, flags);
        grammar_expect(s, LITERAL_OPEN);
        return true;
    }
    if (byte != 'i' || !grammar_affords(g, s, 3))
        return false;
    push_block(s, FRAME_IF, OWNER_THEN, flags);
    s->nodes += 2;
    grammar_expect(s, LITERAL_ELSE_IF);
    return true;
}

/* A statement has ended. */
bool grammar_line(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    const struct frame *f = grammar_holder(s);
    bool needed = f->kind == BASE_ELSE && g->must_return;
    if (s->mode == MODE_IF_LINE && byte == ' ' && (needed || grammar_affords(g, s, 1))) {
        grammar_expect(s, LITERAL_ELSE);
        return true;
    }
    if (byte != '\n' || !grammar_holds_statements(f->kind) ||
        (f->kind == BASE_LIST && !may_begin(g, s)))
        return false;
    s->all_return = false;
    s->at = 0;
    s->mode = MODE_INDENT;
    return true;
}

bool grammar_indent(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    uint32_t full = s->indent * 4u;
    bool block = grammar_holder(s)->kind == FRAME_BLOCK;
    if (byte == ' ' && s->at < full && (s->at + 4u != full || !block || may_begin(g, s))) {
        if (++s->at == full) {
            s->mode = MODE_STATEMENT;
            s->at = 0;
        }
        return true;
    }
    return byte == '}' && block && s->at + 4u == full && !grammar_must_return(g, s) &&
           close_block(s);
}

/* ---- statements ---- */

static bool prefix(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    if (g->symbol_count + s->local_count == 0)
        return false;
    s->prefixed = true;
    s->nodes += grammar_is_head(grammar_holder(s)->kind) ? 0 : 3;
    grammar_expect(s, byte == '+' ? LITERAL_INCREMENT : LITERAL_DECREMENT);
    return true;
}

bool grammar_statement(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    if (grammar_is_word(byte)) {
        s->want = WANT_STATEMENT;
        return grammar_word_begin(g, s, byte);
    }
    if (byte == '{')
        return nests(g, s) && grammar_open(s, byte);
    return (byte == '+' || byte == '-') && grammar_affords(g, s, 5) && prefix(g, s, byte);
}

/* A word of s->want must begin. */
bool grammar_want(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    if (grammar_is_word(byte))
        return grammar_word_begin(g, s, byte);
    return (s->want == WANT_SIMPLE || s->want == WANT_FOR_INIT) && (byte == '+' || byte == '-') &&
           !(grammar_holder(s)->kind == BASE_FOR_INIT && g->owed_count > 0) && prefix(g, s, byte);
}

static bool keyword(const struct elm_grammar *g, struct state *s, uint8_t key, uint8_t byte)
{
    static const uint8_t frames[] = {[KEY_IF] = FRAME_IF, [KEY_WHILE] = FRAME_WHILE,
                                     [KEY_FOR] = FRAME_FOR_INIT};
    bool alone = key == KEY_BREAK || key == KEY_CONTINUE ||
                 (key == KEY_RETURN && g->returns == ELM_TYPE_NONE);
    if (byte != (alone ? ';' : ' '))
        return false;
    switch (key) {
    case KEY_INT: case KEY_DOUBLE:
        s->declared = key == KEY_INT ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
        return want(s, WANT_DECLARED);
    case KEY_IF: case KEY_WHILE: case KEY_FOR:
        s->nodes += key == KEY_FOR ? 6 : 2;
        push_block(s, frames[key], OWNER_THEN, key == KEY_IF ? FLAG_ALL_RETURN : 0);
        grammar_expect(s, LITERAL_HEAD);
        return true;
    case KEY_DO:
        s->nodes += 2;
        push_block(s, FRAME_BLOCK, OWNER_DO, FLAG_LOOP);
        grammar_expect(s, LITERAL_DO);
        return true;
    case KEY_RETURN:
        s->nodes += alone ? 1 : 2;
        if (alone)
            return statement_end(s, true);
        grammar_push(s, FRAME_VALUE, FLAG_RETURN);
        return operand(s);
    default:
        s->nodes++;
        return statement_end(s, false);
    }
}

/* The first word of a statement that is no keyword, or an lvalue after ++ or --. */
static bool named(const struct elm_grammar *g, struct state *s, uint32_t word, uint8_t byte)
{
    uint16_t second;
    uint8_t type = grammar_symbol(g, s, word, &second);
    bool after = s->prefixed, function = g->words[word].role == ROLE_FUNCTION;
    /* of a statement: itself and a call, or itself, ++ and the lvalue */
    if (!after && !grammar_is_head(grammar_holder(s)->kind))
        s->nodes += function ? 2 : 3;
    if (function)
        return byte == '(' && grammar_call(g, s, word, FLAG_STATEMENT);
    if (type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY) {
        uint8_t flags = FLAG_LVALUE | (s->prefixed ? FLAG_PREFIXED : 0);
        s->prefixed = false;
        return byte == '[' && grammar_index(s, word, second, flags);
    }
    s->type = type;
    s->prefixed = false;
    s->mode = after ? MODE_SIMPLE : MODE_LVALUE;
    return after ? grammar_simple_end(g, s, byte, false) : grammar_assignment(g, s, byte);
}

static bool value(const struct elm_grammar *g, struct state *s, uint32_t word, uint8_t byte)
{
    const struct word *w = &g->words[word];
    uint16_t second;
    if (w->role == ROLE_KEYWORD) {
        grammar_cast(s, w->keyword == KEY_DOUBLE);
        return byte == ')';
    }
    if (w->role == ROLE_FUNCTION)
        return byte == '(' && grammar_call(g, s, word, 0);
    uint8_t type = grammar_symbol(g, s, word, &second);
    if (type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY)
        return byte == '[' && grammar_index(s, word, second, 0);
    grammar_operand_done(s, type);
    return grammar_after(g, s, byte);
}

/* A byte that is none of a word's follows it. */
bool grammar_word_end(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    int found = grammar_word_exact(g, s);
    if (found < 0)
        return false;
    uint32_t word = (uint32_t)found;
    uint8_t wanted = s->want;
    s->lo = s->hi = s->at = s->want = 0;
    s->cast_here = false;
    switch (wanted) {
    case WANT_OPERAND:
        return value(g, s, word, byte);
    case WANT_ARRAY:
        return grammar_holder(s)->kind == FRAME_CALL && grammar_argument_end(g, s, byte);
    case WANT_DECLARED:
        s->declaring = (uint8_t)(word + 1);
        s->mode = MODE_DECLARED;
        return grammar_declared(g, s, byte);
    default:
        if (g->words[word].role == ROLE_KEYWORD)
            return keyword(g, s, g->words[word].keyword, byte);
        return named(g, s, word, byte);
    }
}

/* ---- declarations ---- */

static void declare(const struct elm_grammar *g, struct state *s)
{
    uint32_t word = s->declaring - 1u;
    uint8_t type = s->declared, second = 0;
    if (s->dim_count > 0)
        type = type == ELM_TYPE_INT ? ELM_TYPE_INT_ARRAY : ELM_TYPE_DOUBLE_ARRAY;
    if (s->dim_count == 2) {
        s->seconds[s->second_count++] = s->dims[1];
        second = s->second_count;
    }
    s->locals[s->local_count++] = (struct local){(uint8_t)word, type & 15, second & 15};
    if (g->words[word].owed > 0)
        s->owed |= (uint8_t)(1u << (g->words[word].owed - 1));
    s->nodes += !grammar_is_head(grammar_holder(s)->kind);
    s->declaring = s->declared = s->dim_count = 0;
    s->dims[0] = s->dims[1] = 0;
}

/* The declaration in progress is one that what follows needs; else NULL. */
static const struct shape *owed_shape(const struct elm_grammar *g, const struct state *s)
{
    uint8_t owed = g->words[s->declaring - 1].owed;
    return owed > 0 ? &g->owed[owed - 1] : NULL;
}

static bool second_fits(const struct elm_grammar *g, const struct state *s)
{
    uint32_t left = 0;
    for (uint32_t k = 0; k < g->owed_count; k++)
        left += (s->owed >> k & 1) == 0 && g->owed[k].dims[1] != 0;
    return s->second_count + left < SECONDS_MAX;
}

/* After the name, or after a ]. */
bool grammar_declared(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    const struct shape *owed = owed_shape(g, s);
    bool list = grammar_holds_statements(grammar_holder(s)->kind);
    uint32_t dims = owed == NULL ? s->dim_count
                                 : (uint32_t)(owed->dims[0] != 0) + (owed->dims[1] != 0);
    if (byte == '[' && list && s->dim_count < 2) {
        if (owed != NULL ? s->dim_count == dims
                         : !grammar_affords(g, s, 1) || (s->dim_count == 1 && !second_fits(g, s)))
            return false;
        s->mode = MODE_DIMENSION;
        s->number = 0;
        s->at = 0;
        return true;
    }
    if (s->dim_count != dims)
        return false;
    /* the declaration, its value; of an array a list, and one of a row */
    if (byte == ' ' && (!list || grammar_affords(g, s, 2 + s->dim_count))) {
        grammar_expect(s, LITERAL_INITIAL);
        return true;
    }
    return byte == ';' && list && grammar_simple_end(g, s, byte, false);
}

static bool begins(uint32_t number, uint32_t whole)
{
    while (whole > number)
        whole /= 10;
    return whole == number;
}

bool grammar_dimension(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    const struct shape *owed = owed_shape(g, s);
    uint32_t number = s->number * 10u + (byte - '0');
    if (byte == ']') {
        if (s->at == 0 || (owed != NULL && owed->dims[s->dim_count] != s->number))
            return false;
        s->dims[s->dim_count++] = s->number;
        s->number = 0;
        s->at = 0;
        s->mode = MODE_DECLARED;
        return true;
    }
    if (byte < '0' || byte > '9' || number == 0)
        return false;
    if (owed != NULL ? !begins(number, owed->dims[s->dim_count])
                     : number * (s->dim_count == 1 ? s->dims[0] : 1u) > ARRAY_MAX)
        return false;
    s->number = (uint16_t)number;
    s->at++;
    return true;
}

/* ---- lists of initialisers ---- */

static bool item(struct state *s)
{
    if (grammar_holder(s)->at == 0)
        return operand(s);
    s->mode = MODE_ITEMS;
    return true;
}

/* A list must begin. */
static bool items(struct state *s, uint8_t byte, uint16_t length, uint16_t inner)
{
    /* an inner list has been counted as the outer's item */
    s->nodes += grammar_holder(s)->kind == FRAME_ITEMS ? 1 : 2;
    struct frame *f = grammar_push(s, FRAME_ITEMS, 0);
    f->level = length;
    f->at = inner;
    return byte == '{' && item(s);
}

bool grammar_items(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    const struct frame *f = grammar_holder(s);
    if (f->kind == FRAME_ITEMS)
        return items(s, byte, f->at, 0);
    const uint16_t *dims = f->kind == BASE_ITEMS ? g->shape.dims : s->dims;
    return items(s, byte, dims[0], dims[1]);
}

bool grammar_item_end(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    struct frame *f = grammar_top(s);
    if (byte == ',' && f->level > 1 && grammar_affords(g, s, f->at != 0 ? 2 : 1)) {
        f->level--;
        s->nodes++;
        grammar_expect(s, LITERAL_ITEM);
        return true;
    }
    if (byte != '}')
        return false;
    grammar_pop(s);
    s->level = 0;
    uint8_t kind = grammar_holder(s)->kind;
    s->mode = kind == FRAME_ITEMS ? MODE_ITEM_END : kind == BASE_ITEMS ? MODE_DONE : MODE_SIMPLE;
    return true;
}

/* ---- what ends ---- */

/* A head's last part has been read. */
bool grammar_head_end(struct state *s, uint8_t byte)
{
    struct frame *f = grammar_top(s);
    if (byte != (f->kind == FRAME_FOR_CONDITION ? ';' : ')'))
        return false;
    s->level = 0;
    grammar_expect(s, f->kind == FRAME_DO              ? LITERAL_DO_END
                      : f->kind == FRAME_FOR_CONDITION ? LITERAL_STEP
                                                       : LITERAL_BODY);
    f->kind = f->kind == FRAME_FOR_CONDITION ? FRAME_FOR_STEP : f->kind;
    return true;
}

/* An assignment, call, declaration or return has been read: what ends it? */
bool grammar_simple_end(const struct elm_grammar *g, struct state *s, uint8_t byte, bool returns)
{
    struct frame *f = grammar_top(s);
    bool step = f->kind == FRAME_FOR_STEP;
    if (byte != (step ? ')' : ';') || f->kind == FRAME_VALUE)
        return false;
    if (step) {
        grammar_expect(s, LITERAL_BODY);
        return true;
    }
    if (s->declaring != 0)
        declare(g, s);
    s->type = ELM_TYPE_NONE;
    if (f->kind == FRAME_FOR_INIT) {
        f->kind = FRAME_FOR_CONDITION;
        grammar_expect(s, LITERAL_CONDITION);
        return true;
    }
    return grammar_holds_statements(f->kind) && statement_end(s, returns);
}

static bool initial(struct state *s)
{
    if (s->dim_count > 0) {
        s->mode = MODE_ITEMS;
        return true;
    }
    s->nodes += !grammar_is_head(grammar_holder(s)->kind);
    grammar_push(s, FRAME_VALUE, 0);
    return operand(s);
}

static bool literal_read(const struct elm_grammar *g, struct state *s)
{
    switch (s->literal) {
    case LITERAL_HEAD:
        return grammar_holder(s)->kind == FRAME_FOR_INIT ? want(s, WANT_FOR_INIT) : operand(s);
    case LITERAL_BODY:
        return enter_body(s);
    case LITERAL_OPEN: case LITERAL_DO:
        return enter_block(s);
    case LITERAL_ELSE:
        s->mode = MODE_ELSE;
        return true;
    case LITERAL_DO_WHILE:
        grammar_push(s, FRAME_DO, 0);
        return operand(s);
    case LITERAL_DO_END:
        grammar_pop(s);
        return statement_end(s, false);
    case LITERAL_ARGUMENT:
        return grammar_argument(g, s);
    case LITERAL_ELSE_IF: case LITERAL_CONDITION:
        return operand(s);
    case LITERAL_STEP:
        return want(s, WANT_SIMPLE);
    case LITERAL_INITIAL:
        return initial(s);
    case LITERAL_ITEM:
        return item(s);
    default:
        if (s->prefixed)
            return want(s, WANT_LVALUE);
        s->mode = MODE_SIMPLE;
        return true;
    }
}

bool grammar_literal(const struct elm_grammar *g, struct state *s, uint8_t byte)
{
    const char *text = literals[s->literal];
    if ((char)byte != text[s->at])
        return false;
    if (text[++s->at] != '\0')
        return true;
    s->at = 0;
    bool ok = literal_read(g, s);
    if (s->mode != MODE_LITERAL)
        s->literal = 0;
    return ok;
}
