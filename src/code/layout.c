/* layout: where each parameter of an entry lies in the bytes of a case. */
#include "elm/code.h"

#include <string.h>

#define SIDE_BYTES_MAX (1u << 20)

static uint32_t element_bytes(uint8_t type)
{
    return type == ELM_TYPE_DOUBLE || type == ELM_TYPE_DOUBLE_ARRAY ? 8 : 4;
}

static uint64_t elements(const struct elm_io_param *p)
{
    uint64_t count = p->dims[0] == 0 ? 1 : p->dims[0];
    return p->dims[1] == 0 ? count : count * p->dims[1];
}

/* Places `bytes` at the next multiple of `align`; returns where. */
static uint32_t place(uint64_t *at, uint32_t align, uint64_t bytes)
{
    *at = (*at + align - 1) / align * align;
    uint64_t here = *at;
    *at += bytes;
    return here > UINT32_MAX ? UINT32_MAX : (uint32_t)here;
}

enum elm_status elm_io_layout(struct elm_io *io, struct elm_error *err)
{
    uint64_t in = 0, out = 0, state = 0;
    if (io->returns != ELM_TYPE_NONE)
        place(&out, element_bytes(io->returns), element_bytes(io->returns));
    for (uint32_t i = 0; i < io->param_count; i++) {
        struct elm_io_param *p = &io->params[i];
        uint32_t align = element_bytes(p->type);
        uint64_t bytes = elements(p) * align;
        p->in_offset = p->out_offset = p->state_offset = UINT32_MAX;
        if (p->direction == ELM_IO_IN || p->direction == ELM_IO_INOUT)
            p->in_offset = place(&in, align, bytes);
        if (p->direction == ELM_IO_OUT || p->direction == ELM_IO_INOUT)
            p->out_offset = place(&out, align, bytes);
        if (p->direction == ELM_IO_STATE)
            p->state_offset = place(&state, align, bytes);
    }
    place(&in, 8, 0);
    place(&out, 8, 0);
    place(&state, 8, 0);
    if (in > SIDE_BYTES_MAX || out > SIDE_BYTES_MAX || state > SIDE_BYTES_MAX) {
        return elm_fail(err, ELM_RANGE, "a case of %llu bytes in, %llu out and %llu of state, "
                        "1 MiB each is allowed", (unsigned long long)in, (unsigned long long)out,
                        (unsigned long long)state);
    }
    io->in_bytes = in == 0 ? 8 : (uint32_t)in;
    io->out_bytes = out == 0 ? 8 : (uint32_t)out;
    io->state_bytes = (uint32_t)state;
    return ELM_OK;
}

static bool param_fits(const struct elm_io_param *want, const struct elm_node *have)
{
    if (want->type != have->type)
        return false;
    if (want->dims[1] != have->dims[1])
        return false;
    return have->dims[0] == 0 || have->dims[0] == want->dims[0];
}

enum elm_status elm_io_match(const struct elm_io *io, const struct elm_tree *t,
                             const struct elm_names *names, struct elm_error *err)
{
    const struct elm_node *kid = t->nodes + 1;
    for (uint16_t i = 0; i < t->nodes[0].kids; i++, kid += kid->size) {
        if (kid->kind != ELM_NODE_FUNCTION ||
            !elm_str_equal(elm_names_text(names, kid->name), elm_str(io->entry)))
            continue;
        if (kid->type != io->returns || (uint32_t)kid->kids - 1 != io->param_count) {
            return elm_fail(err, ELM_PARSE, "'%s' returns or takes other things than the entry "
                            "of problem.yaml", io->entry);
        }
        for (uint32_t k = 0; k < io->param_count; k++) {
            if (!param_fits(&io->params[k], kid + 1 + k)) {
                return elm_fail(err, ELM_PARSE, "parameter '%s' of '%s' has another type than in "
                                "the entry of problem.yaml", io->params[k].name, io->entry);
            }
        }
        return ELM_OK;
    }
    return elm_fail(err, ELM_NOT_FOUND, "there is no function '%s'", io->entry);
}
