/* includes: what a program that the VM runs lacks for a C compiler. */
#include "elm/code.h"

#include <string.h>

static bool holds(struct elm_str line, struct elm_str what)
{
    return line.len > 0 && memmem(line.ptr, line.len, what.ptr, what.len) != NULL;
}

static bool includes(const struct elm_tree *t, const struct elm_names *names, struct elm_str header)
{
    for (uint32_t i = 1; i < t->count; i += t->nodes[i].size) {
        if (t->nodes[i].kind == ELM_NODE_TEXT &&
            holds(elm_names_text(names, t->nodes[i].name), header))
            return true;
    }
    return false;
}

void elm_tree_includes(const struct elm_tree *t, const struct elm_names *names,
                       struct elm_buf *out)
{
    bool math = false, integer = false;
    for (uint32_t i = 1; i < t->count; i++) {
        const struct elm_node *n = &t->nodes[i];
        int arguments;
        enum elm_type type;
        /* no function of a checked tree has such a name */
        if (n->kind != ELM_NODE_CALL || !elm_math_name(n->name, &arguments, &type))
            continue;
        math |= type == ELM_TYPE_DOUBLE;
        integer |= type == ELM_TYPE_INT;
    }
    if (math && !includes(t, names, ELM_STR("math.h")))
        elm_buf_printf(out, "#include <math.h>\n");
    if (integer && !includes(t, names, ELM_STR("stdlib.h")))
        elm_buf_printf(out, "#include <stdlib.h>\n");
}
