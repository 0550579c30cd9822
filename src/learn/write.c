/* write: a task as a problem folder, which `elm run` takes. */
#include "learn/learn.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *spelling(uint8_t type)
{
    return type == ELM_TYPE_NONE                                 ? "void"
           : type == ELM_TYPE_INT || type == ELM_TYPE_INT_ARRAY ? "int"
                                                                 : "double";
}

/* int f(int a[8], int n) */
static void write_entry(const struct elm_io *io, struct elm_buf *out)
{
    elm_buf_printf(out, "%s %s(", spelling(io->returns), io->entry);
    for (uint32_t i = 0; i < io->param_count; i++) {
        const struct elm_io_param *p = &io->params[i];
        elm_buf_printf(out, "%s%s %s", i > 0 ? ", " : "", spelling(p->type), p->name);
        for (int d = 0; d < 2 && p->dims[d] > 0; d++)
            elm_buf_printf(out, "[%u]", p->dims[d]);
    }
    elm_buf_printf(out, ")");
}

static void write_maps(const struct elm_problem *p, struct elm_buf *out)
{
    static const char *const directions[] = {"in", "out", "inout"};
    const char *between = "io: {";
    for (uint32_t i = 0; i < p->io.param_count; i++) {
        const struct elm_io_param *q = &p->io.params[i];
        if (q->direction == ELM_IO_IN)
            continue;
        elm_buf_printf(out, "%s%s: %s", between, q->name, directions[q->direction]);
        between = ", ";
    }
    elm_buf_printf(out, "%s", between[0] == ',' ? "}\n" : "");
    between = "inputs: {";
    for (uint32_t i = 0; i < p->io.param_count; i++) {
        const struct elm_io_param *q = &p->io.params[i];
        if (q->in_offset == UINT32_MAX)
            continue;
        elm_buf_printf(out, "%s%s: [%.17g, %.17g]", between, q->name, p->inputs[i].lo,
                       p->inputs[i].hi);
        between = ", ";
    }
    elm_buf_printf(out, "%s", between[0] == ',' ? "}\n" : "");
}

static void write_yaml(const struct elm_task *t, struct elm_buf *out)
{
    const struct elm_problem *p = &t->problem;
    uint32_t n = p->case_count[ELM_SET_SHOWN], scored = p->case_count[ELM_SET_SCORED],
             audit = p->case_count[ELM_SET_AUDIT];
    elm_buf_printf(out, "summary: \"");
    write_entry(&p->io, out);
    elm_buf_printf(out, ", with %u bug%s\"\nentry: \"", t->corruptions,
                   t->corruptions == 1 ? "" : "s");
    write_entry(&p->io, out);
    elm_buf_printf(out, "\"\n");
    elm_buf_printf(out, "judge: reference\n");
    write_maps(p, out);
    elm_buf_printf(out, "cases: {shown: %u, scored: %u, audit: %u}\ncase_seed: %llu\n", n,
                   scored > 0 ? scored : n, audit > 0 ? audit : n,
                   (unsigned long long)p->case_seed);
    elm_buf_printf(out, "limits: {fuel: %llu, nodes: %u, edit_nodes: %u}\n",
                   (unsigned long long)p->fuel, p->nodes_max, p->edit_nodes_max);
    elm_buf_printf(out, "reference_fitness: 1\ntarget: 1\nbest_known: 1\nbest_known_source: ");
    if (t->gates > 0)
        elm_buf_printf(out, "all cases right; no program has less than %u gates\n", t->gates);
    else
        elm_buf_printf(out, "all cases right\n");
    const struct { const char *key; double value; } known[] = {
        {"hardness", p->hardness}, {"hardness_search", p->hardness_search},
        {"solve_rate", p->solve_rate},
    };
    for (size_t i = 0; i < ELM_COUNT(known); i++) {
        if (!isnan(known[i].value))
            elm_buf_printf(out, "%s: %.4g\n", known[i].key, known[i].value);
    }
    elm_buf_printf(out, "archive: %s\nselector: %s\nevaluations: %llu\n", p->archive, p->selector,
                   (unsigned long long)p->budget_evaluations);
}

static enum elm_status write_file(const char *folder, const char *name, struct elm_buf *text,
                                  struct elm_error *err)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    enum elm_status status = elm_file_write(path.ptr, elm_buf_str(text), err);
    elm_buf_release(&path);
    elm_buf_clear(text);
    return status;
}

/* Takes away what a failed write had left. */
static void undo(const char *folder)
{
    static const char *const files[] = {"seed.c", "reference.c", "problem.yaml"};
    for (size_t i = 0; i < ELM_COUNT(files); i++) {
        struct elm_buf path = {0};
        elm_buf_printf(&path, "%s/%s", folder, files[i]);
        unlink(path.ptr);
        elm_buf_release(&path);
    }
    rmdir(folder);
}

/* problem.yaml comes last: a folder without it is no problem. */
enum elm_status elm_task_write(const struct elm_task *t, const char *folder, struct elm_error *err)
{
    struct elm_buf text = {0};
    if (mkdir(folder, 0777) != 0) {
        bool there = errno == EEXIST;
        return elm_fail(err, there ? ELM_EXISTS : ELM_IO, "cannot make the folder '%s': %s", folder,
                        strerror(errno));
    }
    elm_tree_print(&t->problem.seed, t->problem.names, &text);
    enum elm_status status = write_file(folder, "seed.c", &text, err);
    if (status == ELM_OK) {
        elm_tree_print(&t->reference, t->problem.names, &text);
        status = write_file(folder, "reference.c", &text, err);
    }
    if (status == ELM_OK) {
        write_yaml(t, &text);
        status = write_file(folder, "problem.yaml", &text, err);
    }
    elm_buf_release(&text);
    if (status != ELM_OK)
        undo(folder);
    return status;
}
