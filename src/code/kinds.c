/* kinds: one table of what every node kind is. */
#include "elm/code.h"

#define TOP ELM_CLASS_TOP
#define STATEMENT ELM_CLASS_STATEMENT
#define EXPRESSION ELM_CLASS_EXPRESSION
#define LVALUE ELM_CLASS_LVALUE

static const struct elm_kind_info infos[ELM_NODE_KINDS] = {
    [ELM_NODE_NONE] = {"none", NULL, TOP, 0, 0, 0, false, false},
    [ELM_NODE_PROGRAM] = {"program", NULL, TOP, 0, -1, 0, false, false},
    [ELM_NODE_FUNCTION] = {"function", NULL, TOP, 1, -1, 0, false, false},
    [ELM_NODE_PARAM] = {"param", NULL, TOP, 0, 0, 0, false, false},
    [ELM_NODE_COMMENT] = {"comment", NULL, STATEMENT, 0, 0, 0, false, false},
    [ELM_NODE_TEXT] = {"text", NULL, TOP, 0, 0, 0, false, false},
    [ELM_NODE_BLOCK] = {"block", NULL, STATEMENT, 0, -1, 0, false, false},
    [ELM_NODE_DECLARE] = {"declare", NULL, STATEMENT, 0, 1, 0, false, false},
    [ELM_NODE_INIT_LIST] = {"init_list", NULL, STATEMENT, 0, -1, 0, false, false},
    [ELM_NODE_IF] = {"if", "if", STATEMENT, 2, 3, 0, false, false},
    [ELM_NODE_FOR] = {"for", "for", STATEMENT, 4, 4, 0, false, false},
    [ELM_NODE_WHILE] = {"while", "while", STATEMENT, 2, 2, 0, false, false},
    [ELM_NODE_DO] = {"do", "do", STATEMENT, 2, 2, 0, false, false},
    [ELM_NODE_BREAK] = {"break", "break", STATEMENT, 0, 0, 0, false, false},
    [ELM_NODE_CONTINUE] = {"continue", "continue", STATEMENT, 0, 0, 0, false, false},
    [ELM_NODE_RETURN] = {"return", "return", STATEMENT, 0, 1, 0, false, false},
    [ELM_NODE_EVAL] = {"eval", NULL, STATEMENT, 1, 1, 0, false, false},
    [ELM_NODE_EMPTY] = {"empty", ";", STATEMENT, 0, 0, 0, false, false},
    [ELM_NODE_INT] = {"int", NULL, EXPRESSION, 0, 0, 16, false, false},
    [ELM_NODE_REAL] = {"real", NULL, EXPRESSION, 0, 0, 16, false, false},
    [ELM_NODE_VAR] = {"var", NULL, LVALUE, 0, 0, 16, false, false},
    [ELM_NODE_INDEX] = {"index", NULL, LVALUE, 1, 2, 15, false, false},
    [ELM_NODE_CALL] = {"call", NULL, EXPRESSION, 0, -1, 15, false, false},
    [ELM_NODE_NEG] = {"neg", "-", EXPRESSION, 1, 1, 14, false, false},
    [ELM_NODE_NOT] = {"not", "!", EXPRESSION, 1, 1, 14, false, false},
    [ELM_NODE_BIT_NOT] = {"bit_not", "~", EXPRESSION, 1, 1, 14, false, true},
    [ELM_NODE_TO_INT] = {"to_int", "(int)", EXPRESSION, 1, 1, 14, false, false},
    [ELM_NODE_TO_DOUBLE] = {"to_double", "(double)", EXPRESSION, 1, 1, 14, false, false},
    [ELM_NODE_ADD] = {"add", "+", EXPRESSION, 2, 2, 12, true, false},
    [ELM_NODE_SUB] = {"sub", "-", EXPRESSION, 2, 2, 12, false, false},
    [ELM_NODE_MUL] = {"mul", "*", EXPRESSION, 2, 2, 13, true, false},
    [ELM_NODE_DIV] = {"div", "/", EXPRESSION, 2, 2, 13, false, false},
    [ELM_NODE_MOD] = {"mod", "%", EXPRESSION, 2, 2, 13, false, true},
    [ELM_NODE_AND] = {"and", "&", EXPRESSION, 2, 2, 8, true, true},
    [ELM_NODE_OR] = {"or", "|", EXPRESSION, 2, 2, 6, true, true},
    [ELM_NODE_XOR] = {"xor", "^", EXPRESSION, 2, 2, 7, true, true},
    [ELM_NODE_SHL] = {"shl", "<<", EXPRESSION, 2, 2, 11, false, true},
    [ELM_NODE_SHR] = {"shr", ">>", EXPRESSION, 2, 2, 11, false, true},
    [ELM_NODE_EQ] = {"eq", "==", EXPRESSION, 2, 2, 9, true, false},
    [ELM_NODE_NE] = {"ne", "!=", EXPRESSION, 2, 2, 9, true, false},
    [ELM_NODE_LT] = {"lt", "<", EXPRESSION, 2, 2, 10, false, false},
    [ELM_NODE_LE] = {"le", "<=", EXPRESSION, 2, 2, 10, false, false},
    [ELM_NODE_GT] = {"gt", ">", EXPRESSION, 2, 2, 10, false, false},
    [ELM_NODE_GE] = {"ge", ">=", EXPRESSION, 2, 2, 10, false, false},
    [ELM_NODE_LOGIC_AND] = {"logic_and", "&&", EXPRESSION, 2, 2, 5, false, false},
    [ELM_NODE_LOGIC_OR] = {"logic_or", "||", EXPRESSION, 2, 2, 4, false, false},
    [ELM_NODE_COND] = {"cond", "?", EXPRESSION, 3, 3, 3, false, false},
    [ELM_NODE_ASSIGN] = {"assign", "=", EXPRESSION, 2, 2, 2, false, false},
    [ELM_NODE_ADD_ASSIGN] = {"add_assign", "+=", EXPRESSION, 2, 2, 2, false, false},
    [ELM_NODE_SUB_ASSIGN] = {"sub_assign", "-=", EXPRESSION, 2, 2, 2, false, false},
    [ELM_NODE_MUL_ASSIGN] = {"mul_assign", "*=", EXPRESSION, 2, 2, 2, false, false},
    [ELM_NODE_DIV_ASSIGN] = {"div_assign", "/=", EXPRESSION, 2, 2, 2, false, false},
    [ELM_NODE_MOD_ASSIGN] = {"mod_assign", "%=", EXPRESSION, 2, 2, 2, false, true},
    [ELM_NODE_AND_ASSIGN] = {"and_assign", "&=", EXPRESSION, 2, 2, 2, false, true},
    [ELM_NODE_OR_ASSIGN] = {"or_assign", "|=", EXPRESSION, 2, 2, 2, false, true},
    [ELM_NODE_XOR_ASSIGN] = {"xor_assign", "^=", EXPRESSION, 2, 2, 2, false, true},
    [ELM_NODE_SHL_ASSIGN] = {"shl_assign", "<<=", EXPRESSION, 2, 2, 2, false, true},
    [ELM_NODE_SHR_ASSIGN] = {"shr_assign", ">>=", EXPRESSION, 2, 2, 2, false, true},
    [ELM_NODE_PRE_INC] = {"pre_inc", "++", EXPRESSION, 1, 1, 14, false, false},
    [ELM_NODE_PRE_DEC] = {"pre_dec", "--", EXPRESSION, 1, 1, 14, false, false},
    [ELM_NODE_POST_INC] = {"post_inc", "++", EXPRESSION, 1, 1, 15, false, false},
    [ELM_NODE_POST_DEC] = {"post_dec", "--", EXPRESSION, 1, 1, 15, false, false},
};

const struct elm_kind_info *elm_kind_info(enum elm_kind kind)
{
    ELM_ASSERT((unsigned)kind < ELM_NODE_KINDS);
    return &infos[kind];
}
