/*
 * shim: C text that unpacks each case's bytes into the arguments of a compiled entry and packs
 * what it returns. IN arrays are copies, as they are in the virtual machine; OUT and INOUT arrays
 * are the output bytes themselves, STATE arrays those of the lane's state. In rounds only live
 * lanes are called, and their outputs still hold the last answer.
 */
#include "sandbox/sandbox.h"

static bool is_array(const struct elm_io_param *p)
{
    return p->type == ELM_TYPE_INT_ARRAY || p->type == ELM_TYPE_DOUBLE_ARRAY;
}

static const char *spell(uint8_t type)
{
    if (type == ELM_TYPE_NONE)
        return "void";
    return type == ELM_TYPE_INT || type == ELM_TYPE_INT_ARRAY ? "int" : "double";
}

static uint64_t elements(const struct elm_io_param *p)
{
    return (uint64_t)p->dims[0] * (p->dims[1] > 0 ? p->dims[1] : 1);
}

static void write_copies(const struct elm_io *io, bool rounds, struct elm_buf *out)
{
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        if (!is_array(p))
            continue;
        unsigned long long bytes = elements(p) * (p->type == ELM_TYPE_INT_ARRAY ? 4 : 8);
        if (p->direction == ELM_IO_IN)
            elm_buf_printf(out, "memcpy(c%u,in+%u,%llu);\n", i, p->in_offset, bytes);
        else if (p->direction == ELM_IO_INOUT)
            elm_buf_printf(out, "memcpy(out+%u,in+%u,%llu);\n", p->out_offset, p->in_offset, bytes);
        else if (p->direction == ELM_IO_OUT && rounds)
            elm_buf_printf(out, "memset(out+%u,0,%llu);\n", p->out_offset, bytes);
    }
}

static void write_call(const struct elm_io *io, struct elm_buf *out)
{
    if (io->returns != ELM_TYPE_NONE)
        elm_buf_printf(out, "*(%s*)out=", spell(io->returns));
    elm_buf_printf(out, "f(");
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        elm_buf_printf(out, "%s", i > 0 ? "," : "");
        if (!is_array(p))
            elm_buf_printf(out, "*(%s*)(in+%u)", spell(p->type), p->in_offset);
        else if (p->direction == ELM_IO_IN)
            elm_buf_printf(out, "c%u", i);
        else if (p->direction == ELM_IO_STATE)
            elm_buf_printf(out, "(%s*)(state+%u)", spell(p->type), p->state_offset);
        else
            elm_buf_printf(out, "(%s*)(out+%u)", spell(p->type), p->out_offset);
    }
    elm_buf_printf(out, ");\n");
}

void shim_write(const struct elm_io *io, bool rounds, struct elm_buf *out)
{
    elm_buf_printf(out, "void *memcpy(void*,const void*,unsigned long);\n"
                        "void *memset(void*,int,unsigned long);\n"
                        "void elm_shim(%s(*f)(", spell(io->returns));
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        elm_buf_printf(out, "%s%s%s", i > 0 ? "," : "", spell(p->type), is_array(p) ? "*" : "");
    }
    elm_buf_printf(out, "%s),char *in,char *out,int n,char *live,char *state)\n{\n",
                   io->param_count == 0 ? "void" : "");
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        if (is_array(p) && p->direction == ELM_IO_IN)
            elm_buf_printf(out, "%s c%u[%llu];\n", spell(p->type), i,
                           (unsigned long long)elements(p));
    }
    elm_buf_printf(out, "for(;n>0;n--,in+=%u,out+=%u,state+=%u){\n%s", io->in_bytes,
                   io->out_bytes, io->state_bytes, rounds ? "if(!*live++)continue;\n" : "");
    write_copies(io, rounds, out);
    write_call(io, out);
    elm_buf_printf(out, "}\n}\n");
}
