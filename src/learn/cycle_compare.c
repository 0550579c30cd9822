/* cycle_compare: comparisons of a cycle are comparisons like any other (compare.h). */
#include "learn/cycle.h"

#include <stdio.h>
#include <string.h>

void cycle_arm(const char *name, const char *operators, const char *archive, const char *file,
               struct elm_compare_arm *out)
{
    *out = (struct elm_compare_arm){.text = operators, .operators = operators, .archive = archive,
                                    .model_share = elm_default_search_def().model_share};
    out->model.model = file;
    snprintf(out->name, sizeof(out->name), "%s", name);
}

struct watching {
    struct elm_cycle *c;
    struct elm_error *err;
};

static bool tick(void *ctx, const struct elm_compare_progress *p)
{
    struct watching *w = ctx;
    return cycle_tick(w->c, p->done, p->cells, w->err) == ELM_OK;
}

enum elm_status cycle_compare(struct elm_cycle *c, const struct cycle_comparison *what,
                              struct elm_compare **out, struct elm_error *err)
{
    struct elm_compare_def def = elm_default_compare_def();
    def.keeper = c->def.keeper;
    def.arms = what->arms;
    def.arm_count = what->arm_count;
    if (c->def.generated) {
        def.generated = (struct elm_compare_generated){
            .stream = what->stream, .count = what->pairs, .seed = what->seed,
            .corruptions_min = what->corruptions_min, .corruptions_max = what->corruptions_max};
    } else {
        def.problems = c->def.problems;
        def.problem_count = c->def.problem_count;
        def.seeds = what->pairs;
        def.seed = what->seed;
    }
    def.quality = c->quality;
    def.problems_path = c->def.problems_path;
    def.cache_folder = c->def.cache_folder;
    def.evaluations = c->def.evaluations;
    def.workers = c->def.workers;
    def.level = c->def.level;
    def.unsafe = c->def.unsafe;
    def.folder = what->folder;
    struct watching w = {c, err};
    ELM_TRY(elm_compare_open(&def, out, err));
    enum elm_status status = elm_compare_run(*out, tick, &w, err);
    if (status != ELM_OK) {
        elm_compare_close(*out);
        *out = NULL;
    }
    return status;
}
