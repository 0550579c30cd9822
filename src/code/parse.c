/*
 * parse: C text to a tree, through tree-sitter's concrete syntax. What core C lacks is refused
 * with its place and name; comments inside a statement move in front of it.
 */
#include "code/parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

#define DEPTH_MAX 450      /* twice what elm_tree_check allows, and some: an if or a sign takes two */
#define STACK_MAX (DEPTH_MAX * 3)

const TSLanguage *tree_sitter_c(void);

struct parser {
    struct elm_str text;
    struct elm_names *names;
    struct elm_node *nodes;
    uint32_t count, cap;
    uint32_t open[STACK_MAX];      /* nodes begun and not ended */
    uint32_t open_count;
    uint32_t depth;
    bool cast_by_name;             /* met `(x) & y` taken for a cast */
    enum elm_status status;        /* the first failure; nothing is done after it */
    struct elm_error *err;
};

static bool is(TSNode n, const char *type)
{
    return strcmp(ts_node_type(n), type) == 0;
}

static struct elm_str text_of(const struct parser *p, TSNode n)
{
    uint32_t from = ts_node_start_byte(n), to = ts_node_end_byte(n);
    return (struct elm_str){p->text.ptr + from, to - from};
}

static void fail(struct parser *p, TSNode n, enum elm_status status, const char *what)
{
    if (p->status != ELM_OK)
        return;
    TSPoint at = ts_node_start_point(n);
    p->status = elm_fail(p->err, status, "line %u, column %u: %s", at.row + 1, at.column + 1,
                         what);
}

static void outside(struct parser *p, TSNode n, const char *what)
{
    if (p->status != ELM_OK)
        return;
    TSPoint at = ts_node_start_point(n);
    p->status = elm_fail(p->err, ELM_OUTSIDE, "line %u, column %u: %s (%s) is outside core C",
                         at.row + 1, at.column + 1, what, ts_node_type(n));
}

static uint32_t begin(struct parser *p, enum elm_kind kind)
{
    if (p->count == p->cap) {
        p->cap = p->cap == 0 ? 128 : p->cap * 2;
        p->nodes = elm_realloc(p->nodes, p->cap * sizeof(p->nodes[0]));
    }
    if (p->open_count > 0)
        p->nodes[p->open[p->open_count - 1]].kids++;
    ELM_ASSERT(p->open_count < STACK_MAX);
    p->open[p->open_count++] = p->count;
    p->nodes[p->count] = (struct elm_node){.kind = (uint8_t)kind};
    return p->count++;
}

static void end(struct parser *p)
{
    uint32_t at = p->open[--p->open_count];
    p->nodes[at].size = p->count - at;
    if (p->count > ELM_NODES_MAX && p->status == ELM_OK)
        p->status = elm_fail(p->err, ELM_RANGE, "more than %d nodes", ELM_NODES_MAX);
}

static void leaf(struct parser *p, enum elm_kind kind, struct elm_str text)
{
    uint32_t at = begin(p, kind);
    p->nodes[at].name = elm_names_add(p->names, text);
    end(p);
}

static uint32_t name_id(struct parser *p, TSNode n)
{
    struct elm_str text = text_of(p, n);
    if (text.len > ELM_NAME_BYTES_MAX)
        fail(p, n, ELM_RANGE, "a name of more than 63 bytes");
    return elm_names_add(p->names, text);
}

/* ---- expressions ---- */

static void expression(struct parser *p, TSNode n);

static void unary(struct parser *p, enum elm_kind kind, TSNode operand)
{
    begin(p, kind);
    expression(p, operand);
    end(p);
}

static TSNode field(TSNode n, const char *name)
{
    return ts_node_child_by_field_name(n, name, (uint32_t)strlen(name));
}

static enum elm_kind kind_of(enum elm_kind from, enum elm_kind to, struct elm_str spelling)
{
    for (int k = from; k <= (int)to; k++) {
        const char *s = elm_kind_info(k)->spelling;
        if (s != NULL && elm_str_equal(elm_str(s), spelling))
            return k;
    }
    return ELM_NODE_NONE;
}

static void number(struct parser *p, TSNode n)
{
    struct elm_str text = text_of(p, n);
    char copy[64], *stop;
    /* the grammar takes a sign into the literal */
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (negative)
        begin(p, ELM_NODE_NEG);
    if (negative || (text.len > 0 && text.ptr[0] == '+')) {
        text.ptr++;
        text.len--;
    }
    if (text.len >= sizeof(copy)) {
        outside(p, n, "a number of this length");
        return;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    bool hex = copy[0] == '0' && (copy[1] == 'x' || copy[1] == 'X');
    bool real = strpbrk(copy, hex ? ".pP" : ".eE") != NULL;
    uint32_t at = begin(p, real ? ELM_NODE_REAL : ELM_NODE_INT);
    errno = 0;
    if (real) {
        double value = strtod(copy, &stop);
        p->nodes[at].d = value;
        if (*stop != '\0' || !isfinite(value))
            outside(p, n, "a number with a suffix or beyond double");
    } else {
        unsigned long long value = strtoull(copy, &stop, 0);
        p->nodes[at].i = (int64_t)value;
        if (*stop != '\0' || errno != 0 || value > INT32_MAX)
            outside(p, n, "a number with a suffix or beyond int");
    }
    end(p);
    if (negative)
        end(p);
}

static void call(struct parser *p, TSNode n)
{
    TSNode function = field(n, "function");
    if (!is(function, "identifier")) {
        outside(p, n, "a call through an expression");
        return;
    }
    uint32_t at = begin(p, ELM_NODE_CALL);
    p->nodes[at].name = name_id(p, function);
    TSNode arguments = field(n, "arguments");
    for (uint32_t i = 0; i < ts_node_named_child_count(arguments); i++) {
        TSNode argument = ts_node_named_child(arguments, i);
        if (!is(argument, "comment"))
            expression(p, argument);
    }
    end(p);
}

/* a[i] and a[i][j]; the array must be a name. */
static void subscript(struct parser *p, TSNode n)
{
    TSNode array = field(n, "argument"), first = field(n, "index"), second = {0};
    bool two = is(array, "subscript_expression");
    if (two) {
        second = first;
        first = field(array, "index");
        array = field(array, "argument");
    }
    if (!is(array, "identifier")) {
        outside(p, n, "indexing anything but a named array of one or two dimensions");
        return;
    }
    uint32_t at = begin(p, ELM_NODE_INDEX);
    p->nodes[at].name = name_id(p, array);
    expression(p, first);
    if (two)
        expression(p, second);
    end(p);
}

static void postfixed(struct parser *p, TSNode n, enum elm_kind after);

/* A prefix operator or cast before an operand that `after` (NONE: nothing) follows. */
static void prefix(struct parser *p, enum elm_kind kind, TSNode operand, enum elm_kind after)
{
    begin(p, kind);
    postfixed(p, operand, after);
    end(p);
}

static void cast(struct parser *p, TSNode n, enum elm_kind after)
{
    struct elm_str type = text_of(p, field(n, "type"));
    TSNode value = field(n, "value");
    if (elm_str_equal(type, ELM_STR("int")))
        prefix(p, ELM_NODE_TO_INT, value, after);
    else if (elm_str_equal(type, ELM_STR("double")))
        prefix(p, ELM_NODE_TO_DOUBLE, value, after);
    else
        outside(p, n, "a cast to anything but int and double");
    p->cast_by_name = p->cast_by_name || p->status != ELM_OK;
}

static void unary_operator(struct parser *p, TSNode n, enum elm_kind after)
{
    struct elm_str spelling = text_of(p, field(n, "operator"));
    enum elm_kind kind = kind_of(ELM_NODE_NEG, ELM_NODE_BIT_NOT, spelling);
    if (kind != ELM_NODE_NONE)
        prefix(p, kind, field(n, "argument"), after);
    else if (elm_str_equal(spelling, ELM_STR("+")))
        postfixed(p, field(n, "argument"), after);
    else
        outside(p, n, "this operator");
}

/* The grammar has -x++ as (-x)++, but what follows an operand binds tighter. */
static void postfixed(struct parser *p, TSNode n, enum elm_kind after)
{
    if (++p->depth > DEPTH_MAX)
        fail(p, n, ELM_RANGE, "nested too deeply");
    else if (after == ELM_NODE_NONE)
        expression(p, n);
    else if (is(n, "unary_expression"))
        unary_operator(p, n, after);
    else if (is(n, "cast_expression"))
        cast(p, n, after);
    else
        unary(p, after, n);
    p->depth--;
}

static void operators(struct parser *p, TSNode n)
{
    struct elm_str spelling = text_of(p, field(n, "operator"));
    if (is(n, "update_expression")) {
        TSNode operand = field(n, "argument");
        if (ts_node_start_byte(field(n, "operator")) < ts_node_start_byte(operand))
            unary(p, kind_of(ELM_NODE_PRE_INC, ELM_NODE_PRE_DEC, spelling), operand);
        else
            postfixed(p, operand, kind_of(ELM_NODE_POST_INC, ELM_NODE_POST_DEC, spelling));
        return;
    }
    bool assignment = is(n, "assignment_expression");
    enum elm_kind kind = assignment ? kind_of(ELM_NODE_ASSIGN, ELM_NODE_SHR_ASSIGN, spelling)
                                    : kind_of(ELM_NODE_ADD, ELM_NODE_LOGIC_OR, spelling);
    if (kind == ELM_NODE_NONE) {
        outside(p, n, "this operator");
        return;
    }
    begin(p, kind);
    expression(p, field(n, "left"));
    expression(p, field(n, "right"));
    end(p);
}

static void conditional(struct parser *p, TSNode n)
{
    TSNode then = field(n, "consequence");
    if (ts_node_is_null(then)) {
        outside(p, n, "?: without a middle");
        return;
    }
    begin(p, ELM_NODE_COND);
    expression(p, field(n, "condition"));
    expression(p, then);
    expression(p, field(n, "alternative"));
    end(p);
}

static TSNode inner(TSNode parenthesized)
{
    for (uint32_t i = 0; i < ts_node_named_child_count(parenthesized); i++) {
        TSNode child = ts_node_named_child(parenthesized, i);
        if (!is(child, "comment"))
            return child;
    }
    return (TSNode){0};
}

static void expression(struct parser *p, TSNode n)
{
    while (p->status == ELM_OK && !ts_node_is_null(n) && is(n, "parenthesized_expression"))
        n = inner(n);
    if (p->status != ELM_OK)
        return;
    if (ts_node_is_null(n)) {
        p->status = elm_fail(p->err, ELM_PARSE, "an expression is missing");
        return;
    }
    if (++p->depth > DEPTH_MAX) {
        fail(p, n, ELM_RANGE, "nested too deeply");
    } else if (is(n, "identifier")) {
        uint32_t at = begin(p, ELM_NODE_VAR);
        p->nodes[at].name = name_id(p, n);
        end(p);
    } else if (is(n, "number_literal")) {
        number(p, n);
    } else if (is(n, "call_expression")) {
        call(p, n);
    } else if (is(n, "subscript_expression")) {
        subscript(p, n);
    } else if (is(n, "cast_expression")) {
        cast(p, n, ELM_NODE_NONE);
    } else if (is(n, "conditional_expression")) {
        conditional(p, n);
    } else if (is(n, "unary_expression")) {
        unary_operator(p, n, ELM_NODE_NONE);
    } else if (is(n, "binary_expression") || is(n, "update_expression") ||
               is(n, "assignment_expression")) {
        operators(p, n);
    } else {
        outside(p, n, "this expression");
    }
    p->depth--;
}

/* ---- declarations ---- */

static enum elm_type scalar_type(struct parser *p, TSNode type)
{
    struct elm_str text = text_of(p, type);
    if (elm_str_equal(text, ELM_STR("int")))
        return ELM_TYPE_INT;
    if (elm_str_equal(text, ELM_STR("double")))
        return ELM_TYPE_DOUBLE;
    if (elm_str_equal(text, ELM_STR("void")))
        return ELM_TYPE_NONE;
    outside(p, type, "a type but int, double, void");
    return ELM_TYPE_NONE;
}

static enum elm_type array_of(enum elm_type type)
{
    return type == ELM_TYPE_INT ? ELM_TYPE_INT_ARRAY : ELM_TYPE_DOUBLE_ARRAY;
}

static uint16_t dimension(struct parser *p, TSNode size)
{
    struct elm_str text = text_of(p, size);
    unsigned value = 0;
    for (size_t i = 0; i < text.len && value <= UINT16_MAX; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            outside(p, size, "an array size that is not a plain number");
            return 0;
        }
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    if (value == 0 || value > UINT16_MAX)
        fail(p, size, ELM_RANGE, "an array size beyond 1..65535");
    return (uint16_t)value;
}

/* Fills type, name and dims of node `at` from `x`, `x[3]`, `x[3][4]`, and for parameters `x[]`
 * and `*x`. */
static void declarator(struct parser *p, TSNode d, enum elm_type type, bool param, uint32_t at)
{
    uint16_t dims[2] = {0, 0};
    bool array = false;
    if (param && is(d, "pointer_declarator")) {
        array = true;
        d = field(d, "declarator");
    } else if (is(d, "array_declarator")) {
        array = true;
        TSNode size = field(d, "size"), under = field(d, "declarator");
        bool two = is(under, "array_declarator");
        TSNode outer = two ? field(under, "size") : size;
        if (!ts_node_is_null(outer))
            dims[0] = dimension(p, outer);
        else if (!param || two)
            outside(p, d, "an array without a size");
        if (two && p->status == ELM_OK)
            dims[1] = dimension(p, size);
        d = two ? field(under, "declarator") : under;
    }
    if (!is(d, "identifier")) {
        outside(p, d, "this declarator");
        return;
    }
    uint32_t name = name_id(p, d);
    struct elm_node *node = &p->nodes[at];
    node->type = (uint8_t)(array ? array_of(type) : type);
    node->name = name;
    node->dims[0] = dims[0];
    node->dims[1] = dims[1];
}

static bool plain_declaration(struct parser *p, TSNode n)
{
    for (uint32_t i = 0; i < ts_node_named_child_count(n); i++) {
        TSNode child = ts_node_named_child(n, i);
        if (is(child, "storage_class_specifier") || is(child, "type_qualifier") ||
            is(child, "attribute_specifier")) {
            outside(p, child, "a qualifier");
            return false;
        }
    }
    return true;
}

static void initialiser(struct parser *p, TSNode value)
{
    if (!is(value, "initializer_list")) {
        expression(p, value);
        return;
    }
    if (++p->depth > DEPTH_MAX)
        fail(p, value, ELM_RANGE, "nested too deeply");
    begin(p, ELM_NODE_INIT_LIST);
    for (uint32_t i = 0; i < ts_node_named_child_count(value) && p->status == ELM_OK; i++) {
        TSNode child = ts_node_named_child(value, i);
        if (!is(child, "comment"))
            initialiser(p, child);
    }
    end(p);
    p->depth--;
}

/* One DECLARE a declarator. Returns how many. */
static uint32_t declaration(struct parser *p, TSNode n)
{
    uint32_t count = 0;
    if (!plain_declaration(p, n))
        return 0;
    enum elm_type type = scalar_type(p, field(n, "type"));
    if (type == ELM_TYPE_NONE)
        outside(p, n, "a variable without a type of its own");
    for (uint32_t i = 0; i < ts_node_child_count(n) && p->status == ELM_OK; i++) {
        const char *name = ts_node_field_name_for_child(n, i);
        if (name == NULL || strcmp(name, "declarator") != 0)
            continue;
        TSNode d = ts_node_child(n, i), value = {0};
        if (is(d, "init_declarator")) {
            value = field(d, "value");
            d = field(d, "declarator");
        }
        uint32_t at = begin(p, ELM_NODE_DECLARE);
        declarator(p, d, type, false, at);
        if (!ts_node_is_null(value))
            initialiser(p, value);
        end(p);
        count++;
    }
    return count;
}

/* ---- statements ---- */

static void statement(struct parser *p, TSNode n);

static bool holds_statements(TSNode n)
{
    const char *type = ts_node_type(n);
    size_t len = strlen(type);
    return (len > 10 && strcmp(type + len - 10, "_statement") == 0) || is(n, "declaration");
}

/* Comments inside a statement, but not those of statements inside it, come first. */
static void hoist_comments(struct parser *p, TSNode n, uint32_t depth)
{
    if (depth > DEPTH_MAX)
        return;
    for (uint32_t i = 0; i < ts_node_named_child_count(n) && p->status == ELM_OK; i++) {
        TSNode child = ts_node_named_child(n, i);
        if (is(child, "comment"))
            leaf(p, ELM_NODE_COMMENT, text_of(p, child));
        else if (!holds_statements(child) || is(child, "declaration") ||
                 (is(n, "else_clause") && is(child, "if_statement")))
            hoist_comments(p, child, depth + 1);
    }
}

static void block_of(struct parser *p, TSNode n)
{
    begin(p, ELM_NODE_BLOCK);
    if (is(n, "compound_statement")) {
        for (uint32_t i = 0; i < ts_node_named_child_count(n) && p->status == ELM_OK; i++)
            statement(p, ts_node_named_child(n, i));
    } else {
        statement(p, n);
    }
    end(p);
}

static void if_statement(struct parser *p, TSNode n)
{
    if (++p->depth > DEPTH_MAX)
        fail(p, n, ELM_RANGE, "nested too deeply");
    if (p->status != ELM_OK)
        return;
    begin(p, ELM_NODE_IF);
    expression(p, field(n, "condition"));
    block_of(p, field(n, "consequence"));
    TSNode otherwise = field(n, "alternative");
    if (p->status == ELM_OK && !ts_node_is_null(otherwise)) {
        TSNode body = inner(otherwise);
        if (is(body, "if_statement"))
            if_statement(p, body);
        else
            block_of(p, body);
    }
    end(p);
    p->depth--;
}

static void empty(struct parser *p)
{
    begin(p, ELM_NODE_EMPTY);
    end(p);
}

static void for_statement(struct parser *p, TSNode n)
{
    begin(p, ELM_NODE_FOR);
    TSNode init = field(n, "initializer"), condition = field(n, "condition"),
           update = field(n, "update");
    if (ts_node_is_null(init))
        empty(p);
    else if (!is(init, "declaration"))
        expression(p, init);
    else if (declaration(p, init) != 1)
        outside(p, init, "a loop with more than one variable");
    if (ts_node_is_null(condition))
        empty(p);
    else
        expression(p, condition);
    if (ts_node_is_null(update))
        empty(p);
    else
        expression(p, update);
    if (p->status == ELM_OK)
        block_of(p, field(n, "body"));
    end(p);
}

static void simple_statement(struct parser *p, TSNode n)
{
    if (is(n, "return_statement")) {
        begin(p, ELM_NODE_RETURN);
        TSNode value = inner(n);
        if (!ts_node_is_null(value))
            expression(p, value);
        end(p);
    } else if (is(n, "break_statement") || is(n, "continue_statement")) {
        begin(p, is(n, "break_statement") ? ELM_NODE_BREAK : ELM_NODE_CONTINUE);
        end(p);
    } else if (is(n, "expression_statement")) {
        TSNode value = inner(n);
        if (ts_node_is_null(value)) {
            empty(p);
        } else {
            begin(p, ELM_NODE_EVAL);
            expression(p, value);
            end(p);
        }
    } else {
        outside(p, n, "this statement");
    }
}

static void statement(struct parser *p, TSNode n)
{
    if (p->status != ELM_OK)
        return;
    if (is(n, "comment")) {
        leaf(p, ELM_NODE_COMMENT, text_of(p, n));
        return;
    }
    if (++p->depth > DEPTH_MAX)
        fail(p, n, ELM_RANGE, "nested too deeply");
    if (!is(n, "compound_statement"))
        hoist_comments(p, n, 0);
    if (p->status != ELM_OK) {
        return;
    } else if (is(n, "compound_statement")) {
        block_of(p, n);
    } else if (is(n, "declaration")) {
        declaration(p, n);
    } else if (is(n, "if_statement")) {
        if_statement(p, n);
    } else if (is(n, "for_statement")) {
        for_statement(p, n);
    } else if (is(n, "while_statement")) {
        begin(p, ELM_NODE_WHILE);
        expression(p, field(n, "condition"));
        block_of(p, field(n, "body"));
        end(p);
    } else if (is(n, "do_statement")) {
        begin(p, ELM_NODE_DO);
        block_of(p, field(n, "body"));
        expression(p, field(n, "condition"));
        end(p);
    } else {
        simple_statement(p, n);
    }
    p->depth--;
}

/* ---- top level ---- */

static void parameters(struct parser *p, TSNode list)
{
    for (uint32_t i = 0; i < ts_node_named_child_count(list) && p->status == ELM_OK; i++) {
        TSNode child = ts_node_named_child(list, i);
        if (is(child, "comment"))
            continue;
        TSNode d = field(child, "declarator");
        if (!is(child, "parameter_declaration")) {
            outside(p, child, "this parameter");
        } else if (ts_node_is_null(d)) {
            /* f(void) */
            if (!elm_str_equal(text_of(p, child), ELM_STR("void")))
                outside(p, child, "a parameter without a name");
        } else if (plain_declaration(p, child)) {
            enum elm_type type = scalar_type(p, field(child, "type"));
            if (type == ELM_TYPE_NONE)
                outside(p, child, "a void parameter");
            uint32_t at = begin(p, ELM_NODE_PARAM);
            declarator(p, d, type, true, at);
            end(p);
        }
    }
}

static void function(struct parser *p, TSNode n)
{
    TSNode d = field(n, "declarator");
    if (!plain_declaration(p, n))
        return;
    if (!is(d, "function_declarator") || !is(field(d, "declarator"), "identifier")) {
        outside(p, n, "a function with this declarator");
        return;
    }
    hoist_comments(p, n, 0);
    uint32_t at = begin(p, ELM_NODE_FUNCTION);
    p->nodes[at].type = (uint8_t)scalar_type(p, field(n, "type"));
    p->nodes[at].name = name_id(p, field(d, "declarator"));
    parameters(p, field(d, "parameters"));
    if (p->status == ELM_OK)
        block_of(p, field(n, "body"));
    end(p);
}

static void top_level(struct parser *p, TSNode root)
{
    begin(p, ELM_NODE_PROGRAM);
    for (uint32_t i = 0; i < ts_node_named_child_count(root) && p->status == ELM_OK; i++) {
        TSNode n = ts_node_named_child(root, i);
        if (is(n, "comment")) {
            leaf(p, ELM_NODE_COMMENT, text_of(p, n));
        } else if (is(n, "function_definition")) {
            function(p, n);
        } else if (is(n, "preproc_include")) {
            struct elm_str line = text_of(p, n);
            while (line.len > 0 && (line.ptr[line.len - 1] == '\n' ||
                                    line.ptr[line.len - 1] == '\r'))
                line.len--;
            leaf(p, ELM_NODE_TEXT, line);
        } else {
            outside(p, n, "this at top level");
        }
    }
    end(p);
}

/* The first node that the grammar could not make sense of. A cursor, because finding the k-th child
 * takes k steps. */
static TSNode first_error(TSNode n)
{
    TSTreeCursor cursor = ts_tree_cursor_new(n);
    while (!is(n, "ERROR") && !ts_node_is_missing(n) && ts_tree_cursor_goto_first_child(&cursor)) {
        TSNode child = ts_tree_cursor_current_node(&cursor);
        while (!ts_node_has_error(child) && ts_tree_cursor_goto_next_sibling(&cursor))
            child = ts_tree_cursor_current_node(&cursor);
        if (!ts_node_has_error(child))
            break;
        n = child;
    }
    ts_tree_cursor_delete(&cursor);
    return n;
}

static enum elm_status parse_once(struct parser *p)
{
    TSParser *sitter = ts_parser_new();
    bool ok = ts_parser_set_language(sitter, tree_sitter_c());
    ELM_ASSERT(ok);
    TSTree *concrete = ts_parser_parse_string(sitter, NULL, p->text.len > 0 ? p->text.ptr : "",
                                              (uint32_t)p->text.len);
    TSNode root = ts_tree_root_node(concrete);
    if (ts_node_has_error(root))
        fail(p, first_error(root), ELM_PARSE, "this is not C");
    else
        top_level(p, root);
    ts_tree_delete(concrete);
    ts_parser_delete(sitter);
    return p->status;
}

/* Once more with brackets doubled, should that help. */
static bool parse_again(struct parser *p)
{
    struct elm_buf text = {0};
    parse_double_brackets(p->text, &text);
    struct parser again = {.text = elm_buf_str(&text), .names = p->names};
    bool ok = parse_once(&again) == ELM_OK;
    elm_buf_release(&text);
    free(p->nodes);
    p->nodes = again.nodes;
    p->count = again.count;
    return ok;
}

enum elm_status elm_tree_parse(struct elm_str text, struct elm_names *names,
                               struct elm_tree *tree, struct elm_error *err)
{
    if (text.len > ELM_TEXT_BYTES_MAX)
        return elm_fail(err, ELM_RANGE, "text of %zu bytes, %d are allowed", text.len,
                        ELM_TEXT_BYTES_MAX);
    if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL)
        return elm_fail(err, ELM_PARSE, "text holds a zero byte");
    struct elm_error first;
    struct parser p = {.text = text, .names = names, .err = &first};
    enum elm_status status = parse_once(&p);
    if (status != ELM_OK && !(p.cast_by_name && parse_again(&p))) {
        free(p.nodes);
        return elm_fail(err, status, "%s", first.message);
    }
    tree->nodes = elm_realloc(p.nodes, p.count * sizeof(p.nodes[0]));
    tree->count = p.count;
    return ELM_OK;
}
