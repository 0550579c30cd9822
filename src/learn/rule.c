/* rule: an optimizer that is a C file, in the virtual machine. */
#include "learn/rule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 65536
#define SLOTS_MAX (ELM_PARAMS_MAX - 5)
#define BLOCK_MAX 8192
#define FUEL_OF_CALL 20000       /* besides that of each element */
#define FUEL_OF_ELEMENT 1000

static const char form[] = "void step(int n, double w[N], double g[N], double m[N], ..., int t, double lr)";

struct rule {
    struct elm_names *names;
    struct elm_tree tree;
    struct elm_io io;
    struct elm_buf code;
    uint64_t hash;
    uint32_t block, slots, threads;
    struct worker {
        struct elm_vm_memory *vm;
        uint8_t *in, *out;
    } *workers;                  /* [threads] */
};

bool rule_is_file(const char *word)
{
    const size_t len = strlen(word);
    return strchr(word, '/') != NULL || (len > 2 && strcmp(word + len - 2, ".c") == 0);
}

uint32_t rule_slots(const struct rule *r)
{
    return r->slots;
}

uint32_t rule_block(const struct rule *r)
{
    return r->block;
}

uint64_t rule_hash(const struct rule *r)
{
    return r->hash;
}

const char *rule_end_name(uint8_t end)
{
    return end >= RULE_FAILED       ? elm_vm_end_name(end - RULE_FAILED)
           : end == RULE_NOT_FINITE ? "a weight or its memory is not finite"
                                    : "ok";
}

/* ---- opening ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The line on which the name that a message quotes first stands; 0: it quotes none. What checks a
 * tree knows of no lines. */
static unsigned line_of_quoted(struct elm_str text, const char *message)
{
    const char *from = strchr(message, '\''), *to = from == NULL ? NULL : strchr(from + 1, '\'');
    const size_t len = to == NULL ? 0 : (size_t)(to - from) - 1;
    unsigned line = 1;
    for (size_t at = 0; len > 0 && at + len <= text.len; at++) {
        const bool whole = (at == 0 || !is_word(text.ptr[at - 1])) &&
                           (at + len == text.len || !is_word(text.ptr[at + len]));
        if (whole && memcmp(text.ptr + at, from + 1, len) == 0)
            return line;
        line += text.ptr[at] == '\n';
    }
    return 0;
}

static const struct elm_node *find_step(const struct rule *r)
{
    const struct elm_node *kid = r->tree.nodes + 1;
    for (uint16_t i = 0; i < r->tree.nodes[0].kids; i++, kid += kid->size) {
        if (kid->kind == ELM_NODE_FUNCTION &&
            elm_str_equal(elm_names_text(r->names, kid->name), ELM_STR("step")))
            return kid;
    }
    return NULL;
}

static bool is_array(const struct elm_node *p, uint32_t size)
{
    return p->type == ELM_TYPE_DOUBLE_ARRAY && p->dims[0] == size && p->dims[1] == 0;
}

/* Whether f has the form of a rule; fills io, block and slots. */
static bool take_form(struct rule *r, const struct elm_node *f)
{
    const uint32_t count = f->kids - 1u;
    const struct elm_node *p = f + 1;
    if (f->type != ELM_TYPE_NONE || count < 5 || count > 5 + SLOTS_MAX)
        return false;
    r->block = p[1].dims[0];
    r->slots = count - 5;
    if (p[0].type != ELM_TYPE_INT || p[count - 2].type != ELM_TYPE_INT ||
        p[count - 1].type != ELM_TYPE_DOUBLE || r->block == 0 || r->block > BLOCK_MAX)
        return false;
    r->io.param_count = count;
    strcpy(r->io.entry, "step");
    for (uint32_t i = 0; i < count; i++) {
        struct elm_io_param *to = &r->io.params[i];
        const struct elm_str name = elm_names_text(r->names, p[i].name);
        if (i > 0 && i < count - 2 && !is_array(&p[i], r->block))
            return false;
        memcpy(to->name, name.ptr, name.len);
        to->type = p[i].type;
        to->direction = is_array(&p[i], r->block) && i != 2 ? ELM_IO_INOUT : ELM_IO_IN;
        to->dims[0] = p[i].dims[0];
    }
    return true;
}

static enum elm_status compile(struct rule *r, const char *path, struct elm_str text,
                               struct elm_error *err)
{
    struct elm_error why = {0};
    enum elm_status status = elm_tree_parse(text, r->names, &r->tree, &why);
    if (status != ELM_OK)
        return elm_fail(err, status, "'%.150s', %s", path, why.message);
    status = elm_tree_check(&r->tree, r->names, &why);
    if (status == ELM_OK) {
        const struct elm_node *f = find_step(r);
        if (f == NULL || !take_form(r, f))
            return elm_fail(err, ELM_PARSE, "'%.150s', line %u: an optimizer has the form %s, with 0 to %d "
                            "arrays of memory and N of 1 to %d", path,
                            f == NULL ? 1 : line_of_quoted(text, "'step'"), form, SLOTS_MAX, BLOCK_MAX);
        status = elm_io_layout(&r->io, &why);
    }
    if (status == ELM_OK)
        status = elm_vm_compile(&r->tree, r->names, &r->io, &r->code, &why);
    if (status == ELM_OK)
        return ELM_OK;
    const unsigned line = line_of_quoted(text, why.message);
    return line == 0 ? elm_fail(err, status, "'%.150s': %s", path, why.message)
                     : elm_fail(err, status, "'%.150s', line %u: %s", path, line, why.message);
}

enum elm_status rule_open(const char *path, uint32_t threads, struct rule **out, struct elm_error *err)
{
    struct rule *r = elm_calloc(1, sizeof(*r));
    struct elm_buf text = {0};
    r->names = elm_names_new();
    r->threads = threads;
    enum elm_status status = elm_file_read(path, TEXT_BYTES_MAX, &text, err);
    if (status == ELM_OK)
        status = compile(r, path, elm_buf_str(&text), err);
    r->hash = elm_hash(text.ptr, text.len, 0);
    elm_buf_release(&text);
    if (status != ELM_OK) {
        rule_free(r);
        return status;
    }
    r->workers = elm_calloc(threads, sizeof(*r->workers));
    for (uint32_t i = 0; i < threads; i++)
        r->workers[i] = (struct worker){elm_vm_memory_new(), elm_calloc(1, r->io.in_bytes),
                                        elm_calloc(1, r->io.out_bytes)};
    *out = r;
    return ELM_OK;
}

void rule_free(struct rule *r)
{
    if (r == NULL)
        return;
    for (uint32_t i = 0; r->workers != NULL && i < r->threads; i++) {
        elm_vm_memory_free(r->workers[i].vm);
        free(r->workers[i].in);
        free(r->workers[i].out);
    }
    free(r->workers);
    elm_tree_release(&r->tree);
    elm_names_free(r->names);
    elm_buf_release(&r->code);
    free(r);
}

/* ---- a step ---- */

/* Zeros after the last element: what a block before left there is nobody's business. */
static void widen(const struct rule *r, uint8_t *bytes, const float *from, size_t count, double factor)
{
    double *to = (double *)(void *)bytes;
    for (size_t i = 0; i < count; i++)
        to[i] = factor * (double)from[i];
    memset(to + count, 0, (r->block - count) * sizeof(*to));
}

/* False when one is not finite, as a float. */
static bool narrow(float *to, const uint8_t *bytes, size_t count)
{
    const double *from = (const double *)(const void *)bytes;
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        to[i] = (float)from[i];
        finite &= isfinite(to[i]) != 0;
    }
    return finite;
}

static uint8_t step_block(const struct rule *r, struct worker *worker, const struct elm_optimizer_step *s,
                          size_t first, size_t count)
{
    const struct elm_io_param *p = r->io.params, *last = p + r->io.param_count - 1;
    const size_t size = (size_t)s->rows * s->cols;
    /* decay is none of the rule's business, as with the built-in ones */
    const double keep = s->matrix ? 1 - (double)s->rate * (double)s->options->decay : 1;
    const int32_t n = (int32_t)count, t = (int32_t)(s->step < INT32_MAX ? s->step : INT32_MAX);
    const double rate = (double)s->rate;
    uint64_t steps;
    memcpy(worker->in + p[0].in_offset, &n, sizeof(n));
    memcpy(worker->in + last[-1].in_offset, &t, sizeof(t));
    memcpy(worker->in + last->in_offset, &rate, sizeof(rate));
    widen(r, worker->in + p[1].in_offset, s->weights + first, count, keep);
    widen(r, worker->in + p[2].in_offset, s->gradient + first, count, 1);
    for (uint32_t k = 0; k < r->slots; k++)
        widen(r, worker->in + p[3 + k].in_offset, s->state + k * size + first, count, 1);
    const enum elm_vm_end end = elm_vm_run(r->code.ptr, worker->vm, worker->in, worker->out,
                                           FUEL_OF_CALL + (uint64_t)FUEL_OF_ELEMENT * r->block, &steps);
    if (end != ELM_VM_OK)
        return (uint8_t)(RULE_FAILED + end);
    bool finite = narrow(s->weights + first, worker->out + p[1].out_offset, count);
    for (uint32_t k = 0; k < r->slots; k++)
        finite &= narrow(s->state + k * size + first, worker->out + p[3 + k].out_offset, count);
    return finite ? RULE_OK : RULE_NOT_FINITE;
}

uint8_t rule_step(struct rule *r, uint32_t thread, const struct elm_optimizer_step *s, size_t first,
                  size_t count)
{
    uint8_t end = RULE_OK;
    ELM_ASSERT(thread < r->threads);
    for (size_t at = first; at < first + count && end == RULE_OK; at += r->block) {
        const size_t left = first + count - at;
        end = step_block(r, &r->workers[thread], s, at, left < r->block ? left : r->block);
    }
    return end;
}
