/* print: a tree as C, in one fixed layout that parses back to the same nodes. */
#include "elm/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX 1e6            /* whole numbers below it are written without an exponent */

struct printer {
    const struct elm_names *names;
    struct elm_buf *out;
    const struct elm_node *first, *last;    /* a spot: where its text begins and ends is noted */
    size_t from, to;
};

static void enter(struct printer *p, const struct elm_node *n)
{
    if (n == p->first)
        p->from = p->out->len;
}

static void leave(struct printer *p, const struct elm_node *n)
{
    if (n == p->last)
        p->to = p->out->len;
}

static const struct elm_node *next(const struct elm_node *n)
{
    return n + n->size;
}

static void put(struct printer *p, const char *text)
{
    elm_buf_add(p->out, text, strlen(text));
}

static void put_int(struct printer *p, int64_t value)
{
    char text[24];
    size_t at = sizeof(text);
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        text[--at] = '-';
    elm_buf_add(p->out, text + at, sizeof(text) - at);
}

static void put_name(struct printer *p, uint32_t name)
{
    elm_buf_add_str(p->out, elm_names_text(p->names, name));
}

static void indent(struct printer *p, int depth)
{
    for (int i = 0; i < depth; i++)
        put(p, "    ");
}

/* Shortest digits that read back the same, and always a double to a reader. What %g would write as
 * 6e+01 is a whole number. */
static void put_real(struct printer *p, double value)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    if (value >= 1 && value < WHOLE_MAX && strchr(text, 'e') != NULL)
        snprintf(text, sizeof(text), "%.0f", value);
    put(p, text);
    if (strpbrk(text, ".e") == NULL)
        put(p, ".0");
}

static void expression(struct printer *p, const struct elm_node *n);

static void wrapped(struct printer *p, const struct elm_node *n, bool parentheses)
{
    if (parentheses)
        put(p, "(");
    expression(p, n);
    if (parentheses)
        put(p, ")");
}

static bool is_binary(uint8_t kind)
{
    return kind >= ELM_NODE_ADD && kind <= ELM_NODE_LOGIC_OR;
}

static bool is_bitwise(uint8_t kind)
{
    return kind >= ELM_NODE_AND && kind <= ELM_NODE_SHR;
}

static bool is_comparison(uint8_t kind)
{
    return kind >= ELM_NODE_EQ && kind <= ELM_NODE_GE;
}

/* Does C, or a compiler's -Wparentheses, want brackets around this operand? */
static bool operand_wrapped(uint8_t kind, const struct elm_node *operand, bool right)
{
    int own = elm_kind_info(kind)->precedence, its = elm_kind_info(operand->kind)->precedence;
    if (its < own || (right && its == own))
        return true;
    if (!is_binary(operand->kind) || operand->kind == kind)
        return false;
    if (is_bitwise(kind) || (kind == ELM_NODE_LOGIC_OR && operand->kind == ELM_NODE_LOGIC_AND))
        return true;
    return is_comparison(kind) && is_comparison(operand->kind);
}

static void put_operator(struct printer *p, const struct elm_node *n)
{
    put(p, " ");
    put(p, elm_kind_info(n->kind)->spelling);
    put(p, " ");
}

static void binary(struct printer *p, const struct elm_node *n)
{
    const struct elm_node *left = n + 1, *right = next(left);
    bool chained = is_comparison(n->kind) && is_comparison(left->kind);
    wrapped(p, left, chained || operand_wrapped(n->kind, left, false));
    put_operator(p, n);
    wrapped(p, right, operand_wrapped(n->kind, right, true));
}

static void prefix(struct printer *p, const struct elm_node *n)
{
    const struct elm_node *operand = n + 1;
    bool same = n->kind == operand->kind ||
                (n->kind == ELM_NODE_NEG && operand->kind == ELM_NODE_PRE_DEC);
    put(p, elm_kind_info(n->kind)->spelling);
    wrapped(p, operand, elm_kind_info(operand->kind)->precedence < 14 ||
                            (same && n->kind == ELM_NODE_NEG));
}

static void init_list(struct printer *p, const struct elm_node *n);

static void list(struct printer *p, const struct elm_node *n, const char *open, const char *close)
{
    put(p, open);
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i < n->kids; i++, kid = next(kid)) {
        put(p, i > 0 ? ", " : "");
        if (kid->kind == ELM_NODE_INIT_LIST)
            init_list(p, kid);
        else
            expression(p, kid);
    }
    put(p, close);
}

static void init_list(struct printer *p, const struct elm_node *n)
{
    enter(p, n);
    list(p, n, "{", "}");
    leave(p, n);
}

static void index_of(struct printer *p, const struct elm_node *n)
{
    put_name(p, n->name);
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i < n->kids; i++, kid = next(kid)) {
        put(p, "[");
        expression(p, kid);
        put(p, "]");
    }
}

static void conditional(struct printer *p, const struct elm_node *n)
{
    const struct elm_node *condition = n + 1, *then = next(condition), *other = next(then);
    wrapped(p, condition, elm_kind_info(condition->kind)->precedence <= 3);
    put(p, " ? ");
    wrapped(p, then, elm_kind_info(then->kind)->precedence <= 3);
    put(p, " : ");
    wrapped(p, other, elm_kind_info(other->kind)->precedence < 3);
}

static void expression(struct printer *p, const struct elm_node *n)
{
    enter(p, n);
    switch (n->kind) {
    case ELM_NODE_INT:
        put_int(p, n->i);
        break;
    case ELM_NODE_REAL:
        put_real(p, n->d);
        break;
    case ELM_NODE_VAR:
        put_name(p, n->name);
        break;
    case ELM_NODE_INDEX:
        index_of(p, n);
        break;
    case ELM_NODE_CALL:
        put_name(p, n->name);
        list(p, n, "(", ")");
        break;
    case ELM_NODE_COND:
        conditional(p, n);
        break;
    case ELM_NODE_NEG: case ELM_NODE_NOT: case ELM_NODE_BIT_NOT: case ELM_NODE_TO_INT:
    case ELM_NODE_TO_DOUBLE: case ELM_NODE_PRE_INC: case ELM_NODE_PRE_DEC:
        prefix(p, n);
        break;
    case ELM_NODE_POST_INC: case ELM_NODE_POST_DEC:
        expression(p, n + 1);
        put(p, elm_kind_info(n->kind)->spelling);
        break;
    default:
        if (is_binary(n->kind)) {
            binary(p, n);
            break;
        }
        /* assignments */
        expression(p, n + 1);
        put_operator(p, n);
        wrapped(p, next(n + 1), elm_kind_info(next(n + 1)->kind)->precedence < 2);
    }
    leave(p, n);
}

static const char *type_name(uint8_t type)
{
    return type == ELM_TYPE_NONE                                   ? "void"
           : type == ELM_TYPE_INT || type == ELM_TYPE_INT_ARRAY    ? "int"
                                                                   : "double";
}

static void declared(struct printer *p, const struct elm_node *n)
{
    bool array = n->type == ELM_TYPE_INT_ARRAY || n->type == ELM_TYPE_DOUBLE_ARRAY;
    put(p, type_name(n->type));
    put(p, array && n->dims[0] == 0 ? " *" : " ");
    put_name(p, n->name);
    for (int d = 0; d < 2 && n->dims[d] != 0; d++)
        elm_buf_printf(p->out, "[%u]", n->dims[d]);
}

/* `a * b` where a declaration may stand reads as one of b, a pointer. */
static void lone(struct printer *p, const struct elm_node *n)
{
    const struct elm_node *left = n + 1;
    bool named = n->kind == ELM_NODE_MUL &&
                 (left->kind == ELM_NODE_VAR || left->kind == ELM_NODE_CALL);
    wrapped(p, n, named && elm_kind_info(next(left)->kind)->precedence >= 15);
}

static void declare(struct printer *p, const struct elm_node *n)
{
    declared(p, n);
    if (n->kids == 0)
        return;
    put(p, " = ");
    if (n[1].kind == ELM_NODE_INIT_LIST)
        init_list(p, n + 1);
    else
        expression(p, n + 1);
}

static void statement(struct printer *p, const struct elm_node *n, int depth);

static void block(struct printer *p, const struct elm_node *n, int depth)
{
    enter(p, n);
    put(p, "{\n");
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i < n->kids; i++, kid = next(kid)) {
        indent(p, depth + 1);
        statement(p, kid, depth + 1);
        put(p, "\n");
    }
    indent(p, depth);
    put(p, "}");
    leave(p, n);
}

static void if_else(struct printer *p, const struct elm_node *n, int depth)
{
    const struct elm_node *then = next(n + 1), *other = next(then);
    enter(p, n);
    put(p, "if (");
    expression(p, n + 1);
    put(p, ") ");
    block(p, then, depth);
    if (n->kids == 3) {
        put(p, " else ");
        if (other->kind == ELM_NODE_IF)
            if_else(p, other, depth);
        else
            block(p, other, depth);
    }
    leave(p, n);
}

static void for_loop(struct printer *p, const struct elm_node *n, int depth)
{
    const struct elm_node *init = n + 1, *condition = next(init), *step = next(condition);
    put(p, "for (");
    enter(p, init);
    if (init->kind == ELM_NODE_DECLARE)
        declare(p, init);
    else if (init->kind != ELM_NODE_EMPTY)
        lone(p, init);
    leave(p, init);
    put(p, ";");
    if (condition->kind != ELM_NODE_EMPTY) {
        put(p, " ");
        expression(p, condition);
    }
    put(p, ";");
    if (step->kind != ELM_NODE_EMPTY) {
        put(p, " ");
        expression(p, step);
    }
    put(p, ") ");
    block(p, next(step), depth);
}

static void statement(struct printer *p, const struct elm_node *n, int depth)
{
    enter(p, n);
    switch (n->kind) {
    case ELM_NODE_COMMENT:
        put_name(p, n->name);
        break;
    case ELM_NODE_BLOCK:
        block(p, n, depth);
        break;
    case ELM_NODE_DECLARE:
        declare(p, n);
        put(p, ";");
        break;
    case ELM_NODE_INIT_LIST:
        init_list(p, n);
        break;
    case ELM_NODE_IF:
        if_else(p, n, depth);
        break;
    case ELM_NODE_FOR:
        for_loop(p, n, depth);
        break;
    case ELM_NODE_WHILE:
        put(p, "while (");
        expression(p, n + 1);
        put(p, ") ");
        block(p, next(n + 1), depth);
        break;
    case ELM_NODE_DO:
        put(p, "do ");
        block(p, n + 1, depth);
        put(p, " while (");
        expression(p, next(n + 1));
        put(p, ");");
        break;
    case ELM_NODE_BREAK:
        put(p, "break;");
        break;
    case ELM_NODE_CONTINUE:
        put(p, "continue;");
        break;
    case ELM_NODE_RETURN:
        put(p, n->kids > 0 ? "return " : "return");
        if (n->kids > 0)
            expression(p, n + 1);
        put(p, ";");
        break;
    case ELM_NODE_EMPTY:
        put(p, ";");
        break;
    case ELM_NODE_EVAL:
        lone(p, n + 1);
        put(p, ";");
        break;
    default:
        expression(p, n);
    }
    leave(p, n);
}

static void function(struct printer *p, const struct elm_node *n)
{
    put(p, type_name(n->type));
    put(p, " ");
    put_name(p, n->name);
    put(p, "(");
    const struct elm_node *kid = n + 1;
    for (uint16_t i = 0; i + 1 < n->kids; i++, kid = next(kid)) {
        put(p, i > 0 ? ", " : "");
        declared(p, kid);
    }
    put(p, n->kids == 1 ? "void)\n" : ")\n");
    block(p, kid, 0);
}

static void top_level(struct printer *p, const struct elm_node *node)
{
    switch (node->kind) {
    case ELM_NODE_FUNCTION:
        function(p, node);
        break;
    case ELM_NODE_PARAM:
        declared(p, node);
        break;
    case ELM_NODE_TEXT:
        put_name(p, node->name);
        break;
    default:
        statement(p, node, 0);
    }
}

void elm_node_print(const struct elm_node *node, const struct elm_names *names,
                    struct elm_buf *out)
{
    struct printer p = {.names = names, .out = out};
    top_level(&p, node);
}

static void program(struct printer *p, const struct elm_tree *t)
{
    const struct elm_node *root = t->nodes, *kid = root + 1, *before = NULL;
    for (uint16_t i = 0; i < root->kids; i++, before = kid, kid = next(kid)) {
        /* an empty line around functions and after the kept lines, none after a comment */
        if (before != NULL && before->kind != ELM_NODE_COMMENT &&
            (before->kind != ELM_NODE_TEXT || kid->kind != ELM_NODE_TEXT))
            elm_buf_byte(p->out, '\n');
        top_level(p, kid);
        elm_buf_byte(p->out, '\n');
    }
}

void elm_tree_print(const struct elm_tree *t, const struct elm_names *names, struct elm_buf *out)
{
    struct printer p = {.names = names, .out = out};
    program(&p, t);
}

void elm_tree_print_spot(const struct elm_tree *t, const struct elm_names *names, uint32_t at,
                         uint32_t count, struct elm_buf *out, size_t *from, size_t *to)
{
    struct printer p = {.names = names, .out = out, .first = &t->nodes[at], .last = &t->nodes[at]};
    for (; count > 1; count--)
        p.last = next(p.last);
    program(&p, t);
    *from = p.from;
    *to = p.to;
}
