/* judge_text: a judge in C from a reference: formula, the reference, a call of it, tables, template. */
#include "sandbox/sandbox.h"

static bool is_array(uint8_t type)
{
    return type == ELM_TYPE_INT_ARRAY || type == ELM_TYPE_DOUBLE_ARRAY;
}

static bool is_real(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY;
}

static void write_slot(const char *name, uint32_t offset, uint32_t count, uint8_t type,
                       struct elm_range range, struct elm_buf *out)
{
    elm_buf_printf(out, "    {\"%s\", %u, %u, %d, %d, %.17g, %.17g},\n", name, offset, count,
                   is_real(type), is_array(type), range.lo, range.hi);
}

static uint32_t elements(const struct elm_io_param *p)
{
    return (p->dims[0] > 0 ? p->dims[0] : 1) * (p->dims[1] > 0 ? p->dims[1] : 1);
}

/* A table of what goes in or comes out; `NAME` is how many rows it has. An empty one has a row too,
 * since C has no arrays of none. */
static void write_table(const struct elm_problem *p, bool in, struct elm_buf *out)
{
    const struct elm_io *io = &p->io;
    const struct elm_range none = {0, 0};
    uint32_t count = 0;
    elm_buf_printf(out, "static const struct formula_slot elm_%s[] = {\n",
                   in ? "inputs" : "outputs");
    if (!in && io->returns != ELM_TYPE_NONE) {
        write_slot("", 0, 1, io->returns, none, out);
        count++;
    }
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *q = &io->params[i];
        uint32_t offset = in ? q->in_offset : q->out_offset;
        if (offset == UINT32_MAX)
            continue;
        write_slot(q->name, offset, elements(q), q->type, in ? p->inputs[i] : none, out);
        count++;
    }
    elm_buf_printf(out, "%s};\n#define %s %u\n", count == 0 ? "    {\"\", 0, 0, 0, 0, 0, 0},\n" : "",
                   in ? "INPUTS" : "OUTPUTS", count);
}

void elm_judge_text(const struct elm_problem *p, struct elm_buf *out)
{
    uint32_t most = 1;
    for (int set = 0; set < ELM_SETS; set++)
        most = p->case_count[set] > most ? p->case_count[set] : most;
    elm_buf_printf(out, "/* written by elm from reference.c and `inputs:` of problem.yaml */\n"
                   "#include \"elm/judge.h\"\n\n#include <stdarg.h>\n#include <stdio.h>\n");
    elm_buf_add(out, elm_embed_judge_formula,
                (size_t)(elm_embed_judge_formula_end - elm_embed_judge_formula));
    elm_buf_printf(out, "\n#define %s elm_reference_\n#define REFERENCE elm_reference_\n",
                   p->io.entry);
    elm_buf_add_str(out, elm_str(p->reference_text));
    elm_buf_printf(out, "\n#undef %s\n", p->io.entry);
    shim_write(&p->io, false, out);
    write_table(p, true, out);
    write_table(p, false, out);
    elm_buf_printf(out, "#define CASES %u\n#define IN_BYTES %u\n#define OUT_BYTES %u\n", most,
                   p->io.in_bytes, p->io.out_bytes);
    elm_buf_add(out, elm_embed_judge_reference,
                (size_t)(elm_embed_judge_reference_end - elm_embed_judge_reference));
}
