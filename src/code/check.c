/*
 * check: is this array of nodes a program that a C compiler takes, and what type has each node?
 * Structure is verified on the way down, before anything is read through it.
 */
#include "code/order.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define SYMBOLS_MAX 512
#define FUNCTIONS_MAX 64
#define DEPTH_MAX 200
#define ARRAY_MAX 65536

struct symbol {
    uint32_t name;
    uint8_t type;
    uint16_t dims[2];
};

struct checker {
    struct elm_node *nodes;
    const struct elm_names *names;
    struct symbol symbols[SYMBOLS_MAX];
    uint32_t symbol_count, scope_start;     /* names may not repeat from scope_start on */
    uint32_t functions[FUNCTIONS_MAX];      /* node indices */
    uint32_t function_count;
    uint8_t returns;
    uint32_t loops, depth;
    bool order_matters;     /* there may be a store within an expression */
    enum elm_status status;
    struct elm_error *err;
};

static bool refuse(struct checker *c, enum elm_status status, const char *what, uint32_t at)
{
    if (c->status != ELM_OK)
        return false;
    const struct elm_node *n = &c->nodes[at];
    bool named = n->kind < ELM_NODE_KINDS &&
                 (n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX ||
                  n->kind == ELM_NODE_CALL || n->kind == ELM_NODE_DECLARE ||
                  n->kind == ELM_NODE_PARAM || n->kind == ELM_NODE_FUNCTION) &&
                 n->name < elm_names_count(c->names);
    struct elm_str name = named ? elm_names_text(c->names, n->name) : (struct elm_str){"", 0};
    c->status = elm_fail(c->err, status, "%s%s%.*s%s", what, named ? " '" : "",
                         (int)name.len, name.ptr, named ? "'" : "");
    return false;
}

static bool bad(struct checker *c, const char *what, uint32_t at)
{
    return refuse(c, ELM_PARSE, what, at);
}

/* Is node `at` whole within `end`, with a number of kids that its kind may have? */
static bool shaped(struct checker *c, uint32_t at, uint32_t end)
{
    if (c->status != ELM_OK)
        return false;
    if (at >= end)
        return bad(c, "a node is missing", at == 0 ? 0 : at - 1);
    const struct elm_node *n = &c->nodes[at];
    if (n->kind == ELM_NODE_NONE || n->kind >= ELM_NODE_KINDS || n->size == 0 ||
        n->size > end - at)
        return bad(c, "a malformed node", at);
    const struct elm_kind_info *info = elm_kind_info(n->kind);
    if (n->kids < info->kids_min || (info->kids_max >= 0 && n->kids > info->kids_max))
        return bad(c, "a node with the wrong number of kids", at);
    if (c->depth > DEPTH_MAX)
        return bad(c, "nested too deeply", at);
    return true;
}

static bool ended(struct checker *c, uint32_t at, uint32_t after_kids)
{
    if (c->status == ELM_OK && after_kids != at + c->nodes[at].size)
        return bad(c, "a node of the wrong size", at);
    return c->status == ELM_OK;
}

/* ---- names ---- */

static bool is_identifier(const struct checker *c, uint32_t name)
{
    if (name >= elm_names_count(c->names))
        return false;
    struct elm_str text = elm_names_text(c->names, name);
    return text.len > 0 && (isalpha((unsigned char)text.ptr[0]) || text.ptr[0] == '_');
}

static const struct symbol *find(const struct checker *c, uint32_t name)
{
    for (uint32_t i = c->symbol_count; i-- > 0;) {
        if (c->symbols[i].name == name)
            return &c->symbols[i];
    }
    return NULL;
}

static bool declare(struct checker *c, uint32_t at)
{
    const struct elm_node *n = &c->nodes[at];
    if (!is_identifier(c, n->name))
        return bad(c, "a declaration without a name", at);
    for (uint32_t i = c->scope_start; i < c->symbol_count; i++) {
        if (c->symbols[i].name == n->name)
            return bad(c, "declared twice in one scope:", at);
    }
    if (c->symbol_count == SYMBOLS_MAX)
        return bad(c, "more than 512 names in scope at", at);
    c->symbols[c->symbol_count++] =
        (struct symbol){n->name, n->type, {n->dims[0], n->dims[1]}};
    return true;
}

/* ---- expressions ---- */

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

static uint8_t element_of(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
}

static uint8_t expression(struct checker *c, uint32_t at, uint32_t end);

/* A kid that is a number. */
static uint8_t scalar(struct checker *c, uint32_t at, uint32_t end)
{
    uint8_t type = expression(c, at, end);
    c->order_matters |= c->status == ELM_OK && c->nodes[at].kind >= ELM_NODE_ASSIGN;
    if (c->status == ELM_OK && type != ELM_TYPE_INT && type != ELM_TYPE_DOUBLE)
        bad(c, is_array(type) ? "an array used as a number:" : "a void value is used:", at);
    return type;
}

static uint8_t variable(struct checker *c, uint32_t at)
{
    const struct symbol *s = find(c, c->nodes[at].name);
    if (s == NULL) {
        bad(c, "not declared:", at);
        return ELM_TYPE_NONE;
    }
    return s->type;
}

static uint8_t element(struct checker *c, uint32_t at, uint32_t end)
{
    const struct symbol *s = find(c, c->nodes[at].name);
    uint16_t kids = c->nodes[at].kids;
    if (s == NULL || !is_array(s->type) || kids != (s->dims[1] != 0 ? 2 : 1)) {
        bad(c, s == NULL ? "not declared:" : "indexed as what it is not:", at);
        return ELM_TYPE_NONE;
    }
    uint8_t type = element_of(s->type);
    uint32_t kid = at + 1;
    for (uint16_t i = 0; i < kids && c->status == ELM_OK; i++) {
        if (scalar(c, kid, end) != ELM_TYPE_INT)
            bad(c, "an index that is no int into", at);
        kid += c->nodes[kid].size;
    }
    ended(c, at, kid);
    return type;
}

static bool argument(struct checker *c, uint32_t call, const struct elm_node *param, uint32_t kid,
                     uint32_t end)
{
    if (!is_array(param->type)) {
        scalar(c, kid, end);
        return c->status == ELM_OK;
    }
    expression(c, kid, end);
    if (c->status != ELM_OK)
        return false;
    const struct elm_node *n = &c->nodes[kid];
    const struct symbol *s = n->kind == ELM_NODE_VAR ? find(c, n->name) : NULL;
    c->order_matters = true;
    if (s == NULL || s->type != param->type || s->dims[1] != param->dims[1])
        return bad(c, "an argument that is not the array wanted by", call);
    return true;
}

static uint32_t callee(const struct checker *c, uint32_t name)
{
    for (uint32_t i = 0; i < c->function_count; i++) {
        if (c->nodes[c->functions[i]].name == name)
            return c->functions[i];
    }
    return UINT32_MAX;
}

static uint8_t call(struct checker *c, uint32_t at, uint32_t end)
{
    const struct elm_node *n = &c->nodes[at];
    uint32_t function = callee(c, n->name), kid = at + 1;
    int count = 0;
    enum elm_type type = ELM_TYPE_NONE;
    if (find(c, n->name) != NULL) {
        bad(c, "a variable is called:", at);
        return ELM_TYPE_NONE;
    }
    if (function == UINT32_MAX && !elm_math_name(n->name, &count, &type)) {
        bad(c, "no such function:", at);
        return ELM_TYPE_NONE;
    }
    if (function != UINT32_MAX) {
        type = c->nodes[function].type;
        count = c->nodes[function].kids - 1;
    }
    if (n->kids != count) {
        bad(c, "wrong number of arguments for", at);
        return ELM_TYPE_NONE;
    }
    for (int i = 0; i < count && c->status == ELM_OK; i++) {
        if (function == UINT32_MAX)
            scalar(c, kid, end);
        else
            argument(c, at, &c->nodes[function + 1 + (uint32_t)i], kid, end);
        if (c->status == ELM_OK)
            kid += c->nodes[kid].size;
    }
    ended(c, at, kid);
    return type;
}

static bool is_lvalue(const struct elm_node *n)
{
    return n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX;
}

static uint8_t unary(struct checker *c, uint32_t at, uint32_t end)
{
    uint8_t kind = c->nodes[at].kind, type = scalar(c, at + 1, end);
    if (c->status != ELM_OK || !ended(c, at, at + 1 + c->nodes[at + 1].size))
        return type;
    switch (kind) {
    case ELM_NODE_NOT:
    case ELM_NODE_TO_INT:
        return ELM_TYPE_INT;
    case ELM_NODE_TO_DOUBLE:
        return ELM_TYPE_DOUBLE;
    case ELM_NODE_BIT_NOT:
        if (type != ELM_TYPE_INT)
            bad(c, "~ of a double", at);
        return type;
    case ELM_NODE_NEG:
        return type;
    default:
        if (!is_lvalue(&c->nodes[at + 1]))
            bad(c, "++ or -- of what cannot be assigned", at);
        return type;
    }
}

static uint8_t binary(struct checker *c, uint32_t at, uint32_t end)
{
    const struct elm_node *n = &c->nodes[at];
    uint8_t left = scalar(c, at + 1, end);
    uint32_t second = c->status == ELM_OK ? at + 1 + c->nodes[at + 1].size : end;
    uint8_t right = scalar(c, second, end);
    if (c->status != ELM_OK || !ended(c, at, second + c->nodes[second].size))
        return left;
    bool ints = left == ELM_TYPE_INT && right == ELM_TYPE_INT;
    if (elm_kind_info(n->kind)->int_only && !ints)
        bad(c, "an operator for ints with a double", at);
    if (n->kind >= ELM_NODE_ASSIGN) {
        if (!is_lvalue(&c->nodes[at + 1]))
            bad(c, "an assignment to what cannot be assigned", at);
        return left;
    }
    if (n->kind >= ELM_NODE_EQ)
        return ELM_TYPE_INT;
    return ints ? ELM_TYPE_INT : ELM_TYPE_DOUBLE;
}

static uint8_t conditional(struct checker *c, uint32_t at, uint32_t end)
{
    uint8_t types[3] = {0};
    uint32_t kid = at + 1;
    for (int i = 0; i < 3 && c->status == ELM_OK; i++) {
        types[i] = scalar(c, kid, end);
        if (c->status == ELM_OK)
            kid += c->nodes[kid].size;
    }
    ended(c, at, kid);
    return types[1] == ELM_TYPE_INT && types[2] == ELM_TYPE_INT ? ELM_TYPE_INT
                                                                : ELM_TYPE_DOUBLE;
}

static uint8_t expression(struct checker *c, uint32_t at, uint32_t end)
{
    if (!shaped(c, at, end))
        return ELM_TYPE_NONE;
    struct elm_node *n = &c->nodes[at];
    uint8_t type = ELM_TYPE_NONE;
    c->depth++;
    if (n->kind < ELM_NODE_INT) {
        bad(c, "a statement where an expression belongs", at);
    } else if (n->kind == ELM_NODE_INT) {
        type = ELM_TYPE_INT;
        if (n->i < 0 || n->i > INT32_MAX || n->size != 1)
            bad(c, "an int literal beyond its range", at);
    } else if (n->kind == ELM_NODE_REAL) {
        type = ELM_TYPE_DOUBLE;
        if (!isfinite(n->d) || signbit(n->d) || n->size != 1)
            bad(c, "a double literal beyond its range", at);
    } else if (n->kind == ELM_NODE_VAR) {
        type = variable(c, at);
        if (n->size != 1)
            bad(c, "a node of the wrong size", at);
    } else if (n->kind == ELM_NODE_INDEX) {
        type = element(c, at, end);
    } else if (n->kind == ELM_NODE_CALL) {
        type = call(c, at, end);
    } else if (n->kind == ELM_NODE_COND) {
        type = conditional(c, at, end);
    } else if (elm_kind_info(n->kind)->kids_max == 1) {
        type = unary(c, at, end);
    } else {
        type = binary(c, at, end);
    }
    c->depth--;
    n->type = type;
    return type;
}

/* ---- statements ---- */

static bool statement(struct checker *c, uint32_t at, uint32_t end);

static bool block(struct checker *c, uint32_t at, uint32_t end, bool own_scope)
{
    if (!shaped(c, at, end))
        return false;
    if (c->nodes[at].kind != ELM_NODE_BLOCK)
        return bad(c, "a body that is no block", at);
    uint32_t count = c->symbol_count, start = c->scope_start, kid = at + 1;
    if (own_scope)
        c->scope_start = count;
    for (uint16_t i = 0; i < c->nodes[at].kids; i++) {
        if (!statement(c, kid, at + c->nodes[at].size))
            return false;
        kid += c->nodes[kid].size;
    }
    c->symbol_count = count;
    c->scope_start = start;
    c->nodes[at].type = ELM_TYPE_NONE;
    return ended(c, at, kid);
}

static bool init_list(struct checker *c, uint32_t at, uint32_t end, const uint16_t dims[2])
{
    const struct elm_node *n = &c->nodes[at];
    uint32_t kid = at + 1;
    if (n->kids > dims[0] || n->kids == 0)
        return bad(c, "an initialiser of the wrong length", at);
    for (uint16_t i = 0; i < n->kids; i++) {
        if (!shaped(c, kid, end))
            return false;
        bool nested = c->nodes[kid].kind == ELM_NODE_INIT_LIST;
        if (nested != (dims[1] != 0))
            return bad(c, "an initialiser of the wrong shape", at);
        if (nested ? !init_list(c, kid, end, (uint16_t[2]){dims[1], 0})
                   : (scalar(c, kid, end), c->status != ELM_OK))
            return false;
        kid += c->nodes[kid].size;
    }
    c->nodes[at].type = ELM_TYPE_NONE;
    return ended(c, at, kid);
}

/* C has a name in scope in its own initialiser, where it has no value yet. */
static bool names_itself(const struct elm_node *declared)
{
    for (const struct elm_node *n = declared + 1; n < declared + declared->size; n++) {
        if ((n->kind == ELM_NODE_VAR || n->kind == ELM_NODE_INDEX || n->kind == ELM_NODE_CALL) &&
            n->name == declared->name)
            return true;
    }
    return false;
}

static bool declaration(struct checker *c, uint32_t at)
{
    const struct elm_node *n = &c->nodes[at];
    uint32_t end = at + n->size;
    bool array = is_array(n->type);
    if (n->type == ELM_TYPE_NONE || n->type > ELM_TYPE_DOUBLE_ARRAY ||
        array != (n->dims[0] != 0) || (!array && n->dims[1] != 0))
        return bad(c, "a declaration without a proper type:", at);
    if (array && (uint32_t)n->dims[0] * (n->dims[1] != 0 ? n->dims[1] : 1) > ARRAY_MAX)
        return bad(c, "an array of more than 65536 elements:", at);
    if (names_itself(n))
        return bad(c, "used in its own initialiser:", at);
    uint32_t kid = at + 1;
    if (n->kids > 0) {
        if (!shaped(c, kid, end))
            return false;
        if ((c->nodes[kid].kind == ELM_NODE_INIT_LIST) != array)
            return bad(c, "an initialiser that doesn't fit", at);
        if (array ? !init_list(c, kid, end, n->dims)
                  : (scalar(c, kid, end), c->status != ELM_OK))
            return false;
        kid += c->nodes[kid].size;
    }
    return ended(c, at, kid) && declare(c, at);
}

static bool if_else(struct checker *c, uint32_t at)
{
    const struct elm_node *n = &c->nodes[at];
    uint32_t end = at + n->size, kid = at + 1;
    scalar(c, kid, end);
    if (c->status != ELM_OK)
        return false;
    kid += c->nodes[kid].size;
    if (!block(c, kid, end, true))
        return false;
    kid += c->nodes[kid].size;
    if (n->kids == 3) {
        if (!shaped(c, kid, end))
            return false;
        if (c->nodes[kid].kind == ELM_NODE_IF ? !statement(c, kid, end)
                                              : !block(c, kid, end, true))
            return false;
        kid += c->nodes[kid].size;
    }
    return ended(c, at, kid);
}

static bool for_part(struct checker *c, uint32_t at, uint32_t end, bool may_declare)
{
    if (!shaped(c, at, end))
        return false;
    uint8_t kind = c->nodes[at].kind;
    c->nodes[at].type = kind == ELM_NODE_DECLARE ? c->nodes[at].type : ELM_TYPE_NONE;
    if (kind == ELM_NODE_EMPTY)
        return ended(c, at, at + 1);
    if (kind == ELM_NODE_DECLARE)
        return may_declare ? declaration(c, at) : bad(c, "a declaration in a loop's head:", at);
    expression(c, at, end);
    return c->status == ELM_OK;
}

static bool for_loop(struct checker *c, uint32_t at)
{
    uint32_t end = at + c->nodes[at].size, kid = at + 1;
    uint32_t count = c->symbol_count, start = c->scope_start;
    c->scope_start = count;
    for (int i = 0; i < 3; i++) {
        if (!for_part(c, kid, end, i == 0))
            return false;
        if (i == 1 && c->nodes[kid].kind != ELM_NODE_EMPTY &&
            c->nodes[kid].type != ELM_TYPE_INT && c->nodes[kid].type != ELM_TYPE_DOUBLE)
            return bad(c, "a loop condition that is no number", kid);
        kid += c->nodes[kid].size;
    }
    c->loops++;
    bool ok = block(c, kid, end, true);
    c->loops--;
    c->symbol_count = count;
    c->scope_start = start;
    return ok && ended(c, at, kid + c->nodes[kid].size);
}

/* while and do: a condition and a body, in either order. */
static bool simple_loop(struct checker *c, uint32_t at, bool body_first)
{
    uint32_t end = at + c->nodes[at].size, kid = at + 1;
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == body_first) {
            c->loops++;
            bool ok = block(c, kid, end, true);
            c->loops--;
            if (!ok)
                return false;
        } else {
            scalar(c, kid, end);
            if (c->status != ELM_OK)
                return false;
        }
        kid += c->nodes[kid].size;
    }
    return ended(c, at, kid);
}

static bool return_value(struct checker *c, uint32_t at)
{
    const struct elm_node *n = &c->nodes[at];
    if ((n->kids == 0) != (c->returns == ELM_TYPE_NONE))
        return bad(c, "a return that doesn't fit its function", at);
    if (n->kids == 0)
        return ended(c, at, at + 1);
    scalar(c, at + 1, at + n->size);
    return c->status == ELM_OK && ended(c, at, at + 1 + c->nodes[at + 1].size);
}

static bool comment(struct checker *c, uint32_t at)
{
    const struct elm_node *n = &c->nodes[at];
    bool text = n->kind == ELM_NODE_TEXT;
    if (n->size != 1 || n->name >= elm_names_count(c->names))
        return bad(c, "a malformed comment", at);
    struct elm_str s = elm_names_text(c->names, n->name);
    if (s.len < 2 || s.ptr[0] != (text ? '#' : '/'))
        return bad(c, "a comment that is none", at);
    return true;
}

static bool statement(struct checker *c, uint32_t at, uint32_t end)
{
    if (!shaped(c, at, end))
        return false;
    struct elm_node *n = &c->nodes[at];
    bool ok = false;
    c->depth++;
    switch (n->kind) {
    case ELM_NODE_COMMENT: ok = comment(c, at); break;
    case ELM_NODE_BLOCK: ok = block(c, at, end, true); break;
    case ELM_NODE_DECLARE: ok = declaration(c, at); break;
    case ELM_NODE_IF: ok = if_else(c, at); break;
    case ELM_NODE_FOR: ok = for_loop(c, at); break;
    case ELM_NODE_WHILE: ok = simple_loop(c, at, false); break;
    case ELM_NODE_DO: ok = simple_loop(c, at, true); break;
    case ELM_NODE_RETURN: ok = return_value(c, at); break;
    case ELM_NODE_EMPTY: ok = ended(c, at, at + 1); break;
    case ELM_NODE_BREAK:
    case ELM_NODE_CONTINUE:
        ok = c->loops > 0 ? ended(c, at, at + 1) : bad(c, "break or continue outside a loop", at);
        break;
    case ELM_NODE_EVAL:
        expression(c, at + 1, at + n->size);
        ok = c->status == ELM_OK && ended(c, at, at + 1 + c->nodes[at + 1].size);
        if (ok && is_array(c->nodes[at + 1].type))
            ok = bad(c, "an array as a statement:", at + 1);
        break;
    default:
        bad(c, "an expression where a statement belongs", at);
    }
    c->depth--;
    if (n->kind != ELM_NODE_DECLARE)
        n->type = ELM_TYPE_NONE;
    return ok;
}

/* ---- functions ---- */

/* Does control never fall out of the end? Breaks of an endless loop count as falling out. */
static bool breaks(const struct elm_node *n)
{
    for (const struct elm_node *k = n; k < n + n->size; k++) {
        if (k->kind == ELM_NODE_BREAK)
            return true;
        if (k != n && (k->kind == ELM_NODE_FOR || k->kind == ELM_NODE_WHILE ||
                       k->kind == ELM_NODE_DO))
            k += k->size - 1;
    }
    return false;
}

static bool is_true(const struct elm_node *n)
{
    return n->kind == ELM_NODE_EMPTY || (n->kind == ELM_NODE_INT && n->i != 0);
}

static bool ends_in_return(const struct elm_node *n)
{
    const struct elm_node *kid = n + 1, *last = NULL, *first;
    switch (n->kind) {
    case ELM_NODE_RETURN:
        return true;
    case ELM_NODE_BLOCK:
        for (uint16_t i = 0; i < n->kids; i++, kid += kid->size) {
            if (kid->kind != ELM_NODE_COMMENT && kid->kind != ELM_NODE_EMPTY)
                last = kid;
        }
        return last != NULL && ends_in_return(last);
    case ELM_NODE_IF:
        first = kid + kid->size;
        return n->kids == 3 && ends_in_return(first) && ends_in_return(first + first->size);
    case ELM_NODE_WHILE:
        return is_true(kid) && !breaks(n);
    case ELM_NODE_FOR:
        return is_true(kid + kid->size) && !breaks(n);
    default:
        return false;
    }
}

static bool function(struct checker *c, uint32_t at, uint32_t end)
{
    if (!shaped(c, at, end))
        return false;
    struct elm_node *n = &c->nodes[at];
    if (n->kind == ELM_NODE_COMMENT || n->kind == ELM_NODE_TEXT)
        return comment(c, at);
    if (n->kind != ELM_NODE_FUNCTION)
        return bad(c, "this does not belong at top level", at);
    if (n->type > ELM_TYPE_DOUBLE || !is_identifier(c, n->name) ||
        callee(c, n->name) != UINT32_MAX || n->name < ELM_MATH_FUNCTIONS)
        return bad(c, "a function without a name and type of its own:", at);
    if (c->function_count == FUNCTIONS_MAX)
        return bad(c, "more than 64 functions:", at);
    uint32_t kid = at + 1;
    c->symbol_count = c->scope_start = c->loops = 0;
    for (uint16_t i = 0; i + 1 < n->kids; i++, kid++) {
        if (!shaped(c, kid, at + n->size))
            return false;
        const struct elm_node *p = &c->nodes[kid];
        if (p->kind != ELM_NODE_PARAM || p->size != 1 || p->type == ELM_TYPE_NONE ||
            p->type > ELM_TYPE_DOUBLE_ARRAY || (!is_array(p->type) && p->dims[0] != 0) ||
            (p->dims[0] == 0 && p->dims[1] != 0))
            return bad(c, "a malformed parameter", at);
        if (!declare(c, kid))
            return false;
    }
    c->functions[c->function_count++] = at;
    c->returns = n->type;
    if (!block(c, kid, at + n->size, false) || !ended(c, at, kid + c->nodes[kid].size))
        return false;
    if (n->type != ELM_TYPE_NONE && !ends_in_return(&c->nodes[kid]))
        return bad(c, "can end without a return:", at);
    return true;
}

enum elm_status elm_tree_check(struct elm_tree *t, const struct elm_names *names,
                               struct elm_error *err)
{
    if (t->count == 0 || t->count > ELM_NODES_MAX)
        return elm_fail(err, ELM_RANGE, "a tree of %u nodes, 1 to %d are allowed", t->count,
                        ELM_NODES_MAX);
    struct checker c;
    c.nodes = t->nodes;
    c.names = names;
    c.symbol_count = c.scope_start = c.function_count = c.loops = c.depth = 0;
    c.returns = ELM_TYPE_NONE;
    c.order_matters = false;
    c.status = ELM_OK;
    c.err = err;
    if (!shaped(&c, 0, t->count))
        return c.status;
    if (t->nodes[0].kind != ELM_NODE_PROGRAM || t->nodes[0].size != t->count) {
        bad(&c, "a tree without a program at its root", 0);
        return c.status;
    }
    uint32_t kid = 1;
    for (uint16_t i = 0; i < t->nodes[0].kids; i++) {
        if (!function(&c, kid, t->count))
            return c.status;
        kid += t->nodes[kid].size;
    }
    if (ended(&c, 0, kid) && c.order_matters) {
        uint32_t at = order_open(t->nodes);
        if (at != UINT32_MAX)
            refuse(&c, ELM_OUTSIDE, "no order between a store and a use of", at);
    }
    return c.status;
}
