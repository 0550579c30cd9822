/* model: which model a run asks. */
#include "cli/model.h"

#include "elm/models.h"

#include <string.h>

static enum elm_status add_endpoints(const char *text, struct elm_arena *arena,
                                     struct elm_backend_def *m, struct elm_error *err)
{
    while (*text != '\0') {
        size_t len = strcspn(text, ";");
        if (m->endpoint_count == ELM_ENDPOINTS_MAX) {
            return elm_fail(err, ELM_USAGE, "--endpoint: more than %d servers",
                            ELM_ENDPOINTS_MAX);
        }
        char *one = elm_arena_alloc(arena, len + 1);
        memcpy(one, text, len);
        one[len] = '\0';
        ELM_TRY(elm_endpoint_parse(one, &m->endpoints[m->endpoint_count++], arena, err));
        text += len + (text[len] == ';');
    }
    return ELM_OK;
}

/* Is --model the file of a model that operators on trees have as their own? Then no backend runs it. */
static bool find_own(const struct invocation *v, struct elm_arena *arena, const char **out)
{
    if (!opt_given(v, OPT_MODEL) || opt_given(v, OPT_BACKEND) || opt_given(v, OPT_ENDPOINT) ||
        opt_given(v, OPT_SCRIPT))
        return false;
    struct elm_buf path = {0};
    bool own = elm_model_find(opt_text(v, OPT_MODEL), opt_text(v, OPT_MODELS_PATH), &path,
                              NULL) == ELM_OK &&
               elm_operator_model(NULL, path.ptr, NULL) == ELM_OK;
    if (own) {
        char *copy = elm_arena_alloc(arena, path.len + 1);
        memcpy(copy, path.ptr, path.len + 1);
        *out = copy;
    }
    elm_buf_release(&path);
    return own;
}

/* The backend that the other options ask for. */
static const char *implied(const struct invocation *v)
{
    if (opt_given(v, OPT_BACKEND))
        return opt_text(v, OPT_BACKEND);
    if (opt_given(v, OPT_ENDPOINT))
        return "openai";
    if (opt_given(v, OPT_SCRIPT))
        return "scripted";
    return opt_given(v, OPT_MODEL) ? "native" : NULL;
}

enum elm_status model_fill(const struct invocation *v, struct elm_arena *arena,
                           struct elm_search_def *d, struct elm_error *err)
{
    bool own = find_own(v, arena, &d->operator_model);
    d->backend = own ? NULL : implied(v);
    if (d->backend != NULL && strcmp(d->backend, "llama") == 0 &&
        elm_backend_find("llama") == NULL)
        return elm_fail(err, ELM_USAGE, "--backend llama is not in this build: `make llama`, then "
                        "`make`, adds it");
    d->model_share = opt_real(v, OPT_MODEL_SHARE, d->model_share);
    d->prompts_folder = opt_text(v, OPT_PROMPTS);
    struct elm_backend_def *m = &d->model;
    m->model = own ? NULL : opt_text(v, OPT_MODEL);
    m->models_path = opt_text(v, OPT_MODELS_PATH);
    m->adapter = opt_text(v, OPT_ADAPTER);
    m->script = opt_text(v, OPT_SCRIPT);
    m->tokens_budget = opt_count(v, OPT_TOKENS, 0);
    m->money_budget = opt_real(v, OPT_MONEY, 0);
    if (opt_given(v, OPT_ENDPOINT))
        ELM_TRY(add_endpoints(opt_text(v, OPT_ENDPOINT), arena, m, err));
    if (d->backend != NULL && strcmp(d->backend, "openai") == 0 && m->endpoint_count == 0)
        return elm_fail(err, ELM_USAGE, "--backend openai needs --endpoint URL,model=NAME");
    return ELM_OK;
}
