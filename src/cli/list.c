/* list: the registered parts, by kind. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/text.h"

#include "elm/archive.h"
#include "elm/operator.h"
#include "elm/trainer.h"

#include <stdio.h>
#include <string.h>

struct part {
    const char *name, *summary;
};

static bool operator_part(size_t i, struct part *out)
{
    const struct elm_operator_kind *k = elm_operator_kinds[i];
    if (k != NULL)
        *out = (struct part){k->name, k->summary};
    return k != NULL;
}

static bool archive_part(size_t i, struct part *out)
{
    const struct elm_archive_kind *k = elm_archive_kinds[i];
    if (k != NULL)
        *out = (struct part){k->name, k->summary};
    return k != NULL;
}

static bool selector_part(size_t i, struct part *out)
{
    const struct elm_selector_kind *k = elm_selector_kinds[i];
    if (k != NULL)
        *out = (struct part){k->name, k->summary};
    return k != NULL;
}

static bool backend_part(size_t i, struct part *out)
{
    const struct elm_backend_kind *k = elm_backend_kinds[i];
    if (k != NULL)
        *out = (struct part){k->name, k->summary};
    return k != NULL;
}

static bool trainer_part(size_t i, struct part *out)
{
    const struct elm_trainer_kind *k = elm_trainer_kinds[i];
    if (k != NULL)
        *out = (struct part){k->name, k->summary};
    return k != NULL;
}

static bool optimizer_part(size_t i, struct part *out)
{
    const struct elm_optimizer_kind *k = elm_optimizer_kinds[i];
    if (k != NULL)
        *out = (struct part){k->name, k->summary};
    return k != NULL;
}

static const struct {
    const char *one, *many;
    bool (*part)(size_t i, struct part *out);
} kinds[] = {
    {"operator", "operators", operator_part},
    {"archive", "archives", archive_part},
    {"selector", "selectors", selector_part},
    {"backend", "backends", backend_part},
    {"trainer", "trainers", trainer_part},
    {"optimizer", "optimizers", optimizer_part},
};

static int print(bool (*part)(size_t i, struct part *out), bool json)
{
    json_t *all = json ? json_array() : NULL;
    struct part p;
    for (size_t i = 0; part(i, &p); i++) {
        if (json)
            json_array_append_new(all, json_make("{ssss}", "name", p.name, "summary", p.summary));
        else
            printf("%-16s %s\n", p.name, p.summary);
    }
    return json ? json_print(all, stdout, false) : EXIT_DONE;
}

int cmd_list(const struct invocation *v)
{
    const char *names[ELM_COUNT(kinds) + 1] = {0};
    for (size_t i = 0; i < ELM_COUNT(kinds); i++) {
        names[i] = kinds[i].many;
        if (strcmp(v->args[0], kinds[i].one) == 0 || strcmp(v->args[0], kinds[i].many) == 0)
            return print(kinds[i].part, opt_on(v, OPT_JSON));
    }
    const char *near = text_nearest(v->args[0], names);
    struct elm_error err = {0};
    elm_fail(&err, ELM_USAGE, "'%.80s' is no kind of part: operators, archives, selectors, "
             "backends, trainers or optimizers%s%s%s",
             v->args[0], near != NULL ? "; nearest is '" : "", near != NULL ? near : "",
             near != NULL ? "'" : "");
    return cmd_fail(&err);
}
