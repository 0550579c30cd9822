/* compare_problems: which problems, each loaded once before anything runs, so that the first fault is
 * named at the beginning and not after an hour. */
#include "learn/compare.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CELLS_MAX 10000000

static const char *const stream_names[ELM_STREAMS] = {"train", "gate", "report"};

static struct compare_problem *add(struct elm_compare *c)
{
    if (c->problem_count == c->problem_cap) {
        c->problem_cap = c->problem_cap == 0 ? 64 : 2 * c->problem_cap;
        c->problems = elm_realloc(c->problems, c->problem_cap * sizeof(*c->problems));
    }
    struct compare_problem *p = &c->problems[c->problem_count++];
    *p = (struct compare_problem){.target = NAN, .top = NAN};
    return p;
}

/* Every file of the folder, and which of its seeds is meant. */
static enum elm_status hash_folder(const struct elm_problem *p, uint64_t *hash,
                                   struct elm_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(p->folder, &entries, NULL, alphasort);
    if (count < 0)
        return elm_fail(err, ELM_IO, "cannot read '%s': %s", p->folder, strerror(errno));
    enum elm_status status = ELM_OK;
    *hash = elm_hash(p->name, strlen(p->name), 0);
    if (p->variant != NULL)
        *hash = elm_hash(p->variant, strlen(p->variant), *hash);
    struct elm_buf path = {0}, bytes = {0};
    for (int i = 0; i < count; i++) {
        struct stat st;
        elm_buf_clear(&path);
        elm_buf_clear(&bytes);
        elm_buf_printf(&path, "%s/%s", p->folder, entries[i]->d_name);
        if (status == ELM_OK && stat(path.ptr, &st) == 0 && S_ISREG(st.st_mode)) {
            status = elm_file_read(path.ptr, 16 << 20, &bytes, err);
            *hash = elm_hash(path.ptr + strlen(p->folder), path.len - strlen(p->folder), *hash);
            *hash = elm_hash(bytes.ptr, bytes.len, *hash);
        }
        free(entries[i]);
    }
    free(entries);
    elm_buf_release(&path);
    elm_buf_release(&bytes);
    return status;
}

/* A setting that would do nothing must not look as if it did. */
static enum elm_status check_arms(const struct elm_compare *c, const struct compare_problem *p,
                                  struct elm_error *err)
{
    for (uint32_t i = 0; i < c->def.arm_count && !p->trial; i++) {
        const struct elm_compare_arm *a = &c->def.arms[i];
        if (a->opaque || a->shares[0] > 0)
            return elm_fail(err, ELM_USAGE, "arm '%s': %s is for problems with `judge: reference` and "
                            "generated ones, where no arm asks a model; '%s' runs as a search",
                            a->name, a->opaque ? "opaque" : "shares", p->label);
    }
    return ELM_OK;
}

static enum elm_status check(struct elm_compare *c, const struct elm_problem *p,
                             struct compare_problem *to, struct elm_error *err)
{
    if (p->judge == ELM_JUDGE_COMPARE)
        return elm_fail(err, ELM_USAGE, "problem '%s' only says which of two programs is better, so "
                        "runs of it have no fitness to compare", to->label);
    if (c->def.quality && !quality_applies(p))
        return elm_fail(err, ELM_USAGE, "problem '%s' has no niches to count: it names no measures in its "
                        "problem.yaml", to->label);
    to->target = c->def.quality ? NAN : p->target;
    to->top = c->def.quality ? NAN : !isnan(p->target) ? p->target : p->best_known;
    ELM_TRY(hash_folder(p, &to->hash, err));
    to->trial = p->by_reference && p->seed.count > 0 && !c->def.quality;
    for (uint32_t i = 0; i < c->def.arm_count; i++)
        to->trial &= compare_arm_trial(&c->def.arms[i]);
    ELM_TRY(check_arms(c, to, err));
    if (to->trial) {
        struct elm_task task;
        ELM_TRY(elm_task_open(p, &task, err));
        elm_task_release(&task);
        return ELM_OK;
    }
    char *judge;
    ELM_TRY(elm_judge_build(p, c->def.cache_folder, &judge, err));
    free(judge);
    return ELM_OK;
}

static bool listed(const struct elm_compare *c, const char *label)
{
    for (uint32_t i = 0; i < c->problem_count; i++) {
        if (strcmp(c->problems[i].label, label) == 0)
            return true;
    }
    return false;
}

static enum elm_status add_loaded(struct elm_compare *c, const char *load,
                                  const struct elm_problem *p, struct elm_error *err)
{
    struct elm_buf label = {0};
    bool variant = p->variant != NULL && p->variant[0] != '\0';
    elm_buf_printf(&label, "%s%s%s", p->name, variant ? ":" : "", variant ? p->variant : "");
    if (listed(c, label.ptr)) {
        enum elm_status status = elm_fail(err, ELM_USAGE, "problem '%s' is given twice", label.ptr);
        elm_buf_release(&label);
        return status;
    }
    struct compare_problem *to = add(c);
    to->label = label.ptr;
    to->load = elm_strdup(load);
    return check(c, p, to, err);
}

/* A problem that isn't there was named wrongly. */
static enum elm_status add_named(struct elm_compare *c, const char *load, struct elm_error *err)
{
    struct elm_problem *p;
    enum elm_status status = elm_problem_load(load, c->def.problems_path, &p, err);
    if (status == ELM_NOT_FOUND) {
        if (err != NULL)
            err->status = ELM_USAGE;
        return ELM_USAGE;
    }
    if (status != ELM_OK)
        return status;
    status = add_loaded(c, load, p, err);
    elm_problem_free(p);
    return status;
}

/* The variants of a problem, or itself if there are none. */
static enum elm_status add_all_of(struct elm_compare *c, const char *path, struct elm_error *err)
{
    struct elm_problem *p;
    ELM_TRY(elm_problem_load(path, c->def.problems_path, &p, err));
    enum elm_status status = p->variant_count > 0 ? ELM_OK : add_loaded(c, path, p, err);
    for (uint32_t i = 0; status == ELM_OK && i < p->variant_count; i++) {
        struct elm_buf load = {0};
        elm_buf_printf(&load, "%s:%s", path, p->variants[i]);
        status = add_named(c, load.ptr, err);
        elm_buf_release(&load);
    }
    elm_problem_free(p);
    return status;
}

static bool holds_problem(const char *folder)
{
    struct stat st;
    struct elm_buf file = {0};
    elm_buf_printf(&file, "%s/problem.yaml", folder);
    bool holds = stat(file.ptr, &st) == 0;
    elm_buf_release(&file);
    return holds;
}

static enum elm_status add_all_in(struct elm_compare *c, const char *folder, struct elm_error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0)
        return elm_fail(err, errno == ENOENT || errno == ENOTDIR ? ELM_USAGE : ELM_IO,
                        "cannot read the folder of problems '%s': %s", folder, strerror(errno));
    enum elm_status status = ELM_OK;
    uint32_t before = c->problem_count;
    for (int i = 0; i < count; i++) {
        struct elm_buf path = {0};
        /* a path needs a slash */
        elm_buf_printf(&path, "%s%s/%s", strchr(folder, '/') == NULL ? "./" : "", folder,
                       entries[i]->d_name);
        if (status == ELM_OK && entries[i]->d_name[0] != '.' && holds_problem(path.ptr))
            status = add_all_of(c, path.ptr, err);
        elm_buf_release(&path);
        free(entries[i]);
    }
    free(entries);
    if (status == ELM_OK && c->problem_count == before) {
        status = elm_fail(err, ELM_USAGE, "there is no problem in '%s': a folder with a problem.yaml "
                          "for each is wanted there; `elm new %s/NAME` makes one", folder, folder);
    }
    return status;
}

static enum elm_status add_folder(struct elm_compare *c, const char *folder, struct elm_error *err)
{
    char *found = elm_problems_folder(folder);
    enum elm_status status = add_all_in(c, found, err);
    free(found);
    return status;
}

static enum elm_status add_generated(struct elm_compare *c, struct elm_error *err)
{
    const struct elm_compare_generated *g = &c->def.generated;
    if (g->count == 0)
        return ELM_OK;
    if (c->def.quality)
        return elm_fail(err, ELM_USAGE, "generated problems have no measures, so there are no niches to "
                        "count");
    for (uint32_t i = 0; i < c->def.arm_count; i++) {
        if (!compare_arm_trial(&c->def.arms[i]))
            return elm_fail(err, ELM_USAGE, "arm '%s' asks a model, and generated problems are run "
                            "where none is; write them to a folder (`elm generate`) and give that "
                            "with --problems", c->def.arms[i].name);
    }
    struct elm_generator_def def = {.stream = g->stream, .seed = g->seed,
                                    .corruptions_min = g->corruptions_min,
                                    .corruptions_max = g->corruptions_max};
    struct elm_generator *generator;
    ELM_TRY(elm_generator_open(&def, &generator, err));
    elm_generator_close(generator);
    for (uint32_t i = 0; i < g->count; i++) {
        struct compare_problem *p = add(c);
        struct elm_buf label = {0}, all = {0};
        elm_buf_printf(&label, "%s/%u", stream_names[g->stream], i);
        elm_buf_printf(&all, "%s %llu %u %u %u", stream_names[g->stream],
                       (unsigned long long)g->seed, i, g->corruptions_min, g->corruptions_max);
        p->label = label.ptr;
        p->number = i;
        p->hash = elm_hash(all.ptr, all.len, 1);
        p->trial = true;
        p->target = p->top = 1;
        elm_buf_release(&all);
    }
    return ELM_OK;
}

enum elm_status compare_problems(struct elm_compare *c, struct elm_error *err)
{
    for (uint32_t i = 0; i < c->def.problem_count; i++)
        ELM_TRY(add_named(c, c->def.problems[i], err));
    if (c->def.folder_of_problems != NULL)
        ELM_TRY(add_folder(c, c->def.folder_of_problems, err));
    ELM_TRY(add_generated(c, err));
    if (c->problem_count == 0)
        return elm_fail(err, ELM_USAGE, "on which problems? give names (`elm problems` lists them), "
                        "--problems FOLDER or --generated STREAM:COUNT:SEED");
    uint64_t cells = (uint64_t)c->problem_count * c->def.arm_count * c->def.seeds;
    if (cells > CELLS_MAX)
        return elm_fail(err, ELM_USAGE, "%llu runs (arms times problems times seeds); %d are allowed",
                        (unsigned long long)cells, CELLS_MAX);
    return ELM_OK;
}
