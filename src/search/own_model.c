/* own_model: what operators on trees take: problems, and files for a model of their own. */
#include "elm/operator.h"

#include <string.h>

bool elm_operator_takes_core_c(const struct elm_problem *problem, const struct elm_evidence *evidence,
                               const char **why)
{
    (void)evidence;
    if (problem->seed.count == 0 && why != NULL)
        *why = "the seed is outside core C";
    return problem->seed.count > 0;
}

bool elm_operator_takes_wants(const struct elm_problem *problem, const struct elm_evidence *evidence,
                              const char **why)
{
    if (!elm_operator_takes_core_c(problem, evidence, why))
        return false;
    const bool wants = evidence != NULL && evidence->want != NULL && evidence->case_count > 0;
    if (!wants && why != NULL)
        *why = "the judge gives no wanted outputs";
    return wants;
}

bool elm_operator_applies(const struct elm_operator_kind *kind, const struct elm_problem *problem,
                          const struct elm_evidence *evidence, const char *model, const char **why)
{
    if (kind->applies != NULL && !kind->applies(problem, evidence, why))
        return false;
    if (kind->model == NULL || kind->model(model, NULL) == ELM_OK)
        return true;
    if (why != NULL)
        *why = model == NULL ? "no model built in" : "the model given is not of its kind";
    return false;
}

static bool listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t span = strcspn(at, ",");
        if (span == len && memcmp(at, name, len) == 0)
            return true;
        at += span + (at[span] == ',');
    }
    return false;
}

enum elm_status elm_operator_model(const char *list, const char *path, struct elm_error *err)
{
    enum elm_status status = ELM_USAGE;
    struct elm_error why = {0};
    elm_fail(&why, ELM_USAGE, "'%s': none of the operators '%s' has a model of its own", path,
             list == NULL ? "" : list);
    for (size_t i = 0; elm_operator_kinds[i] != NULL; i++) {
        const struct elm_operator_kind *kind = elm_operator_kinds[i];
        if (kind->model == NULL || (list != NULL && !listed(list, kind->name)))
            continue;
        struct elm_error refused = {0};
        status = kind->model(path, &refused);
        if (status == ELM_OK && list == NULL)
            return ELM_OK;
        if (status != ELM_OK)
            elm_fail(&why, status, "operator '%s', model '%s': %s", kind->name, path,
                     refused.message);
        if (status != ELM_OK && list != NULL)
            break;
    }
    return status == ELM_OK ? ELM_OK : elm_fail(err, status, "%s", why.message);
}
