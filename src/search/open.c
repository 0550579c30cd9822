/* open: a definition becomes a run: parts found, cages started, seed evaluated, store opened. */
#include "search/state.h"

#include "elm/prompt.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SELF_RUNS 5

struct elm_search_def elm_default_search_def(void)
{
    return (struct elm_search_def){.seed = 1, .target = NAN, .keep = ELM_KEEP_ALL,
                                   .model_share = 0.25};
}

/* "a, b, c" of all parts of a kind, for error messages. */
static void add_name(struct elm_buf *names, const char *name)
{
    elm_buf_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
}

static enum elm_status unknown_part(const char *kind, const char *name, struct elm_buf *names,
                                    struct elm_error *err)
{
    enum elm_status status = elm_fail(err, ELM_USAGE, "there is no %s '%s'; there are: %s", kind,
                                      name, names->ptr == NULL ? "none" : names->ptr);
    elm_buf_release(names);
    return status;
}

static enum elm_status choose_archive(struct elm_search *s, struct elm_error *err)
{
    const struct elm_problem *p = s->problem;
    const char *archive = s->def.archive != NULL ? s->def.archive : p->archive;
    const char *selector = s->def.selector != NULL ? s->def.selector : p->selector;
    struct elm_buf names = {0};
    s->archive_kind = elm_archive_find(archive);
    if (s->archive_kind == NULL) {
        for (size_t i = 0; elm_archive_kinds[i] != NULL; i++)
            add_name(&names, elm_archive_kinds[i]->name);
        return unknown_part("archive", archive, &names, err);
    }
    s->selector_kind = elm_selector_find(selector);
    if (s->selector_kind == NULL) {
        for (size_t i = 0; elm_selector_kinds[i] != NULL; i++)
            add_name(&names, elm_selector_kinds[i]->name);
        return unknown_part("selector", selector, &names, err);
    }
    if (p->judge == ELM_JUDGE_COMPARE && s->archive_kind->beat == NULL) {
        return elm_fail(err, ELM_USAGE,
                        "archive '%s' needs a fitness, and '%s' only compares; use --archive topk",
                        archive, p->name);
    }
    if (s->selector_kind->needs_cases && p->judge == ELM_JUDGE_COMMAND) {
        return elm_fail(err, ELM_USAGE, "selector '%s' needs to know which cases a program passes, "
                        "and the command gives a number only; use --selector power", selector);
    }
    if (s->archive_kind->needs_measures && p->measure_count == 0) {
        return elm_fail(err, ELM_USAGE, "archive '%s' needs measures, and '%s' has none; "
                        "use --archive rooted or add `measures:` to its problem.yaml", archive,
                        p->name);
    }
    return ELM_OK;
}

enum elm_status search_make(const struct elm_search_def *def, struct elm_search **out,
                            struct elm_error *err)
{
    struct elm_search *s = elm_calloc(1, sizeof(*s));
    s->def = *def;
    /* the search thread adds names; everything else of the problem is constant */
    memcpy(&s->problem, &def->problem, sizeof(s->problem));
    s->snapshot_ready = -1;
    s->opened_us = elm_clock_us();
    s->opened_cpu_us = search_thread_cpu_us();
    enum elm_status status = choose_archive(s, err);
    if (status != ELM_OK) {
        free(s);
        return status;
    }
    s->stable_names = elm_names_count(s->problem->names);
    s->pool = elm_pool_new();
    s->vm = elm_vm_memory_new();
    *out = s;
    return ELM_OK;
}

static bool listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; at != NULL && *at != '\0';) {
        size_t span = strcspn(at, ",");
        if (span == len && memcmp(at, name, len) == 0)
            return true;
        at += span;
        at += *at == ',';
    }
    return false;
}

static enum elm_status check_list(const char *list, struct elm_error *err)
{
    for (const char *at = list; *at != '\0';) {
        char name[64];
        size_t span = strcspn(at, ",");
        snprintf(name, sizeof(name), "%.*s", (int)span, at);
        if (elm_operator_find(name) == NULL) {
            struct elm_buf names = {0};
            for (size_t i = 0; elm_operator_kinds[i] != NULL; i++)
                add_name(&names, elm_operator_kinds[i]->name);
            return unknown_part("operator", name, &names, err);
        }
        at += span;
        at += *at == ',';
    }
    return ELM_OK;
}

static void add_operator(struct elm_search *s, const struct elm_operator_kind *kind)
{
    uint32_t i = s->operator_count++;
    s->operators[i] = kind;
    s->operator_self[i] = kind->make != NULL ? kind->make(s->problem) : NULL;
    s->operator_stats[i] = (struct elm_operator_stats){.name = kind->name};
    s->bandit.price_us[i] = kind->price_us;
    s->bandit.count = s->operator_count;
}

/* Why an operator can't be used in this run; NULL if it can. */
static const char *idle_why(const struct elm_search *s, const struct elm_operator_kind *kind,
                            const char *list)
{
    const char *why = "not asked for (--operators)";
    const struct elm_backend_kind *backend =
        s->def.backend == NULL ? NULL : elm_backend_find(s->def.backend);
    if (list != NULL && !listed(list, kind->name))
        return why;
    if (kind->prompt != NULL && backend == NULL)
        return "asks a model, and none is given";
    if (kind->by_name && list == NULL)
        return "for models trained for it; --operators asks for it all the same";
    if (kind->needs_masks && !backend->masks)
        return "needs a backend that masks tokens, as native does";
    if (kind->prompt != NULL && !kind->needs_masks && backend->small && list == NULL)
        return "for larger models; --operators asks for it all the same";
    return elm_operator_applies(kind, s->problem, &s->evidence, s->def.operator_model, &why) ? NULL
                                                                                          : why;
}

/* Does an operator of the list have a model of its own, and does none ask another? Then a model that is
 * named is meant for it. */
static bool only_own_models(const char *list)
{
    bool own = false, asks = list == NULL;
    for (size_t i = 0; list != NULL && elm_operator_kinds[i] != NULL; i++) {
        const struct elm_operator_kind *kind = elm_operator_kinds[i];
        own = own || (kind->model != NULL && listed(list, kind->name));
        asks = asks || (kind->prompt != NULL && listed(list, kind->name));
    }
    return own && !asks;
}

enum elm_status search_choose_operators(struct elm_search *s, const char *list, bool stored,
                                        struct elm_error *err)
{
    if (list != NULL)
        ELM_TRY(check_list(list, err));
    const char *own = s->def.operator_model;
    if (own == NULL && !stored && only_own_models(list))
        own = s->def.model.model;
    if (own != NULL)
        ELM_TRY(elm_operator_model(list, own, err));
    struct elm_operator_stats idle[ELM_OPERATORS_MAX] = {{0}};
    uint32_t idle_count = 0;
    /* those that ask a model come last */
    for (int model = 0; model < 2; model++) {
        s->model_first = model == 0 ? 0 : s->operator_count;
        for (size_t i = 0; elm_operator_kinds[i] != NULL; i++) {
            const struct elm_operator_kind *kind = elm_operator_kinds[i];
            if ((kind->prompt != NULL) != (model == 1))
                continue;
            /* a stored run knows its operators; there may be no judge now to ask for evidence */
            const char *why = stored && listed(list, kind->name) ? NULL : idle_why(s, kind, list);
            if (why == NULL && s->operator_count < ELM_OPERATORS_MAX)
                add_operator(s, kind);
            else if (idle_count < ELM_OPERATORS_MAX)
                idle[idle_count++] = (struct elm_operator_stats){.name = kind->name,
                                                                 .idle_why = why};
        }
    }
    s->operator_stats_count = s->operator_count;
    for (uint32_t i = 0; i < idle_count && s->operator_stats_count < ELM_OPERATORS_MAX; i++)
        s->operator_stats[s->operator_stats_count++] = idle[i];
    if (s->operator_count == 0) {
        return elm_fail(err, ELM_USAGE, "no operator can change '%s': %s", s->problem->name,
                        idle_count > 0 ? idle[0].idle_why : "there are none");
    }
    return ELM_OK;
}

/* The level to run at: the best there is, unless one is asked for; level 1 only with unsafe. */
enum elm_status search_choose_level(struct elm_search_def *def, struct elm_error *err)
{
    struct elm_sandbox_report report;
    ELM_TRY(elm_sandbox_probe(def->keeper, &report, err));
    if (def->level > report.level) {
        return elm_fail(err, ELM_SANDBOX, "sandbox level %d is not to be had here, the best is "
                        "%d: %s", def->level, report.level, report.note);
    }
    int level = def->level > 0 ? def->level : report.level;
    if (level < 2 && !def->unsafe) {
        return elm_fail(err, ELM_SANDBOX, "only sandbox level %d works here (%s); --unsafe runs "
                        "candidates all the same, `elm doctor` says more", level, report.note);
    }
    def->level = level;
    return ELM_OK;
}

enum elm_status search_open_evaluator(const struct elm_search_def *def,
                                      struct elm_evaluator **out, struct elm_error *err)
{
    char *judge = NULL;
    if (def->problem->judge != ELM_JUDGE_COMMAND)
        ELM_TRY(elm_judge_build(def->problem, def->cache_folder, &judge, err));
    struct elm_evaluator_def e = {.keeper = def->keeper, .problem = def->problem,
                                  .judge_path = judge, .level = def->level,
                                  .force_tcc = def->force_tcc};
    enum elm_status status = elm_evaluator_open(&e, out, err);
    free(judge);
    return status;
}

static struct elm_job seed_job(const struct elm_problem *p)
{
    struct elm_job job = {0};
    if (p->seed.count > 0)
        job.tree = &p->seed;
    else
        job.text = elm_str(p->seed_text);
    if (p->judge == ELM_JUDGE_COMPARE) {
        job.opponent = job.tree;
        job.opponent_text = job.text;
    }
    return job;
}

/* The seed against itself: does the same program score the same twice? */
static enum elm_status evaluate_seed(struct elm_search *s, struct elm_evaluation *e,
                                     struct passes *passes, struct elm_error *err)
{
    int runs = s->problem->judge == ELM_JUDGE_COMMAND ? SELF_RUNS : 2;
    for (int i = 0; i < runs; i++) {
        struct elm_job job = seed_job(s->problem);
        ELM_TRY(elm_evaluator_run(s->first_evaluator, &job, 1, ELM_SET_SCORED, ELM_TIER_FAST,
                                  err));
        if (job.evaluation.status != ELM_EVAL_OK) {
            return elm_fail(err, ELM_USAGE, "the seed program of '%s' fails: %s%s%s",
                            s->problem->name, elm_eval_status_name(job.evaluation.status),
                            job.evaluation.why[0] != '\0' ? ", " : "", job.evaluation.why);
        }
        if (i > 0 && job.evaluation.fitness != e->fitness)
            s->noisy = true;
        *e = job.evaluation;
    }
    s->case_count = e->cases;
    if (s->selector_kind->needs_cases)
        passes_set(passes, elm_evaluator_passes(s->first_evaluator, 0), s->case_count);
    if (s->problem->judge == ELM_JUDGE_COMPARE)
        e->fitness = 0;
    return ELM_OK;
}

/* What one evaluation costs, from things that are the same on every machine. */
static double evaluation_price_us(const struct elm_search *s, const struct elm_evaluation *seed)
{
    if (s->problem->judge == ELM_JUDGE_COMMAND)
        return 50000;
    return seed->in_vm ? 10 + (double)seed->steps * 0.002 : 350;
}

/* Candidates that a worker takes at a time: many, for a wake-up of the cages costs as much as
 * several cheap evaluations; but each worker should find two chunks among the batches in flight. */
static uint32_t chunk_size(double price_us, uint32_t workers)
{
    uint32_t fair = ELM_SEARCH_LAG * ELM_SEARCH_BATCH / (2 * workers);
    if (price_us > 1000 || fair == 0)
        return 1;
    return fair < ELM_SEARCH_BATCH ? fair : ELM_SEARCH_BATCH;
}

static enum elm_status add_file(const struct elm_problem *p, const char *name,
                                struct elm_buf *bytes, struct elm_error *err)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", p->folder, name);
    enum elm_status status = elm_file_read(path.ptr, 1 << 20, bytes, err);
    elm_buf_release(&path);
    return status;
}

/* Everything that scores depend on, the headers that judge.c may include among it. */
static enum elm_status hash_problem(const struct elm_problem *p, char hash[17],
                                    struct elm_error *err)
{
    struct elm_buf bytes = {0};
    elm_buf_printf(&bytes, "%s", p->seed_text);
    enum elm_status status = ELM_OK;
    const char *const files[] = {p->by_reference ? "reference.c" : "judge.c", "problem.yaml"};
    struct dirent **entries = NULL;
    int count = 0;
    for (size_t i = 0; i < ELM_COUNT(files) && p->judge != ELM_JUDGE_COMMAND; i++) {
        if (status == ELM_OK)
            status = add_file(p, files[i], &bytes, err);
    }
    if (p->judge != ELM_JUDGE_COMMAND)
        count = scandir(p->folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        size_t len = strlen(entries[i]->d_name);
        if (status == ELM_OK && len > 2 && strcmp(entries[i]->d_name + len - 2, ".h") == 0)
            status = add_file(p, entries[i]->d_name, &bytes, err);
        free(entries[i]);
    }
    free(entries);
    snprintf(hash, 17, "%016llx", (unsigned long long)elm_hash(bytes.ptr, bytes.len, 0));
    elm_buf_release(&bytes);
    return status;
}

/* The operators' own model is known by its bytes; none: an empty text. */
static enum elm_status hash_own_model(const struct elm_search *s, char hash[17],
                                      struct elm_error *err)
{
    struct elm_buf bytes = {0};
    hash[0] = '\0';
    if (s->def.operator_model == NULL)
        return ELM_OK;
    enum elm_status status = elm_file_read(s->def.operator_model, (size_t)1 << 33, &bytes, err);
    if (status == ELM_OK)
        snprintf(hash, 17, "%016llx", (unsigned long long)elm_hash(bytes.ptr, bytes.len, 0));
    elm_buf_release(&bytes);
    return status;
}

static enum elm_status put_meta(struct elm_search *s, const char *problem_hash,
                                struct elm_error *err)
{
    const struct elm_problem *p = s->problem;
    struct elm_buf operators = {0};
    char own_model[17];
    ELM_TRY(hash_own_model(s, own_model, err));
    for (uint32_t i = 0; i < s->operator_count; i++)
        elm_buf_printf(&operators, "%s%s", i > 0 ? "," : "", s->operators[i]->name);
    char seed[32], level[16];
    snprintf(seed, sizeof(seed), "%llu", (unsigned long long)s->def.seed);
    snprintf(level, sizeof(level), "%d", s->def.level);
    const char *rows[][2] = {
        {"version", ELM_VERSION},
        {"problem", p->name},
        {"variant", p->variant == NULL ? "" : p->variant},
        {"folder", p->folder},
        {"command", p->score_command == NULL ? "" : p->score_command},
        {"problem_hash", problem_hash},
        {"seed", seed},
        {"operators", operators.ptr},
        {"archive", s->archive_kind->name},
        {"selector", s->selector_kind->name},
        {"backend", s->sampler == NULL ? "" : s->def.backend},
        {"model", s->sampler == NULL || s->def.model.model == NULL ? "" : s->def.model.model},
        {"operator_model", s->def.operator_model == NULL ? "" : s->def.operator_model},
        {"operator_model_hash", own_model},
        {"force_tcc", s->def.force_tcc ? "1" : "0"},
        {"noisy", s->noisy ? "1" : "0"},
        {"level", level},
    };
    enum elm_status status = ELM_OK;
    for (size_t i = 0; i < ELM_COUNT(rows) && status == ELM_OK; i++)
        status = elm_store_meta_put(s->store, rows[i][0], elm_str(rows[i][1]), err);
    elm_buf_release(&operators);
    return status;
}

static enum elm_status same_meta(struct elm_search *s, const char *key, const char *now,
                                 const char *advice, struct elm_error *err)
{
    struct elm_buf then = {0};
    enum elm_status status = elm_store_meta_get(s->store, key, &then, err);
    if (status == ELM_OK && strcmp(then.ptr == NULL ? "" : then.ptr, now) != 0) {
        status = elm_fail(err, ELM_USAGE, "the run in '%s' has %s '%s', not '%s'; %s",
                          s->def.folder, key, then.ptr, now, advice);
    }
    elm_buf_release(&then);
    return status;
}

/* The operators' own model of a run is the one it began with, wherever it is now. Runs of before there
 * was one have no such key. */
static enum elm_status continue_own_model(struct elm_search *s, struct elm_error *err)
{
    char hash[17];
    elm_buf_clear(&s->own_model);
    enum elm_status status = elm_store_meta_get(s->store, "operator_model", &s->own_model, err);
    if (status == ELM_NOT_FOUND)
        return ELM_OK;
    ELM_TRY(status);
    if (s->def.operator_model == NULL && s->own_model.len > 0)
        s->def.operator_model = s->own_model.ptr;
    ELM_TRY(hash_own_model(s, hash, err));
    return same_meta(s, "operator_model_hash", hash,
                     "give the model that it began with, as --model, or start another run", err);
}

static enum elm_status continue_run(struct elm_search *s, const char *problem_hash,
                                    struct elm_error *err)
{
    const char *other = "start another run in a folder of its own";
    ELM_TRY(same_meta(s, "problem", s->problem->name, other, err));
    ELM_TRY(same_meta(s, "variant", s->problem->variant == NULL ? "" : s->problem->variant, other,
                      err));
    ELM_TRY(same_meta(s, "problem_hash", problem_hash,
                      "the problem's files have changed since: old and new scores can't be mixed; "
                      "start another run", err));
    ELM_TRY(same_meta(s, "archive", s->archive_kind->name, other, err));
    ELM_TRY(same_meta(s, "selector", s->selector_kind->name, other, err));
    ELM_TRY(same_meta(s, "force_tcc", s->def.force_tcc ? "1" : "0", other, err));
    ELM_TRY(continue_own_model(s, err));
    struct elm_buf text = {0};
    enum elm_status status = elm_store_meta_get(s->store, "seed", &text, err);
    if (status == ELM_OK)
        s->def.seed = strtoull(text.ptr, NULL, 10);
    elm_buf_clear(&text);
    if (status == ELM_OK)
        status = elm_store_meta_get(s->store, "noisy", &text, err);
    if (status == ELM_OK)
        s->noisy = text.ptr[0] == '1';
    elm_buf_clear(&text);
    if (status == ELM_OK)
        status = elm_store_meta_get(s->store, "operators", &text, err);
    if (status == ELM_OK)
        status = search_choose_operators(s, text.ptr, true, err);
    elm_buf_release(&text);
    return status;
}

/* A model that runs here is found again by itself; a server's address and key are not kept. */
static enum elm_status continue_model(struct elm_search *s, struct elm_error *err)
{
    struct elm_buf backend = {0};
    if (s->model_first == s->operator_count || s->def.backend != NULL)
        return ELM_OK;
    enum elm_status status = elm_store_meta_get(s->store, "backend", &backend, err);
    const struct elm_backend_kind *kind =
        status == ELM_OK && backend.ptr != NULL ? elm_backend_find(backend.ptr) : NULL;
    elm_buf_release(&backend);
    ELM_TRY(status);
    if (kind == NULL || !kind->local) {
        return elm_fail(err, ELM_USAGE, "the run in '%s' asks a model: give the same --endpoint, "
                        "--model or --backend again", s->def.folder);
    }
    s->def.backend = kind->name;
    elm_buf_clear(&s->model_name);
    ELM_TRY(elm_store_meta_get(s->store, "model", &s->model_name, err));
    if (s->def.model.model == NULL && s->model_name.len > 0)
        s->def.model.model = s->model_name.ptr;
    return ELM_OK;
}

/* Was the run killed before its seed was on disk? Then resuming it is beginning it. */
static enum elm_status look_for_seed(struct elm_search *s, struct elm_error *err)
{
    struct elm_store_totals totals;
    ELM_TRY(elm_store_totals(s->store, &totals, err));
    s->def.resume = totals.newest_batch >= 0;
    return ELM_OK;
}

static enum elm_status open_store(struct elm_search *s, struct elm_error *err)
{
    if (s->def.folder == NULL)
        return ELM_OK;
    ELM_TRY(elm_store_open(s->def.folder, s->def.resume ? ELM_STORE_RESUME : ELM_STORE_CREATE,
                           &s->store, err));
    elm_store_set_keep(s->store, s->def.keep);
    return ELM_OK;
}

static uint32_t worker_count(const struct elm_search *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return s->def.workers > 0 ? s->def.workers : cores > 0 ? (uint32_t)cores : 1;
}

/* A token is three bytes of code, more or less. */
static uint32_t answer_tokens(const struct elm_search *s, const struct elm_operator_kind *kind)
{
    size_t bytes = strlen(s->problem->seed_text);
    return kind->answer_tokens > 0 ? kind->answer_tokens : (uint32_t)(bytes / 3);
}

/* The model, and what earlier parts of the run have spent on it. */
static enum elm_status open_backend(struct elm_search *s, struct elm_error *err)
{
    if (s->model_first == s->operator_count)
        return ELM_OK;
    const struct elm_backend_kind *kind = elm_backend_find(s->def.backend);
    struct sampler_def def = {.kind = kind, .backend = s->def.model, .lanes = worker_count(s)};
    struct elm_call_totals spent = {0};
    if (s->store != NULL)
        ELM_TRY(elm_store_call_totals(s->store, &spent, err));
    def.backend.tokens_spent += (uint64_t)spent.tokens;
    def.backend.money_spent += spent.money;
    ELM_TRY(sampler_open(&def, &s->sampler, err));
    for (uint32_t i = s->model_first; i < s->operator_count; i++)
        s->bandit.price_us[i] += sampler_price_us(s->sampler, answer_tokens(s, s->operators[i]));
    return ELM_OK;
}

static enum elm_status start_workers(struct elm_search *s, double price_us, struct elm_error *err)
{
    uint32_t workers = worker_count(s);
    struct elm_evaluator **evaluators = elm_calloc(workers, sizeof(*evaluators));
    evaluators[0] = s->first_evaluator;
    enum elm_status status = ELM_OK;
    uint32_t opened = 1;
    while (status == ELM_OK && opened < workers) {
        status = search_open_evaluator(&s->def, &evaluators[opened], err);
        opened += status == ELM_OK;
    }
    struct pipeline_def def = {evaluators, workers, chunk_size(price_us, workers), s->noisy,
                               s->selector_kind->needs_cases, s->problem->names};
    if (status == ELM_OK) {
        status = pipeline_open(&def, &s->pipeline, err);
        if (status != ELM_OK)
            s->first_evaluator = NULL;
    } else {
        for (uint32_t i = 1; i < opened; i++)
            elm_evaluator_close(evaluators[i]);
    }
    free(evaluators);
    return status;
}

static enum elm_status open_all(struct elm_search *s, struct elm_error *err)
{
    char problem_hash[17];
    struct elm_evaluation seed = {0};
    struct passes passes = {0};
    ELM_TRY(search_choose_level(&s->def, err));
    ELM_TRY(hash_problem(s->problem, problem_hash, err));
    ELM_TRY(search_open_evaluator(&s->def, &s->first_evaluator, err));
    elm_evaluator_evidence(s->first_evaluator, &s->evidence.case_count, &s->evidence.in,
                           &s->evidence.want, &s->evidence.want_mask);
    ELM_TRY(evaluate_seed(s, &seed, &passes, err));
    ELM_TRY(open_store(s, err));
    if (s->def.resume)
        ELM_TRY(look_for_seed(s, err));
    if (s->def.resume)
        ELM_TRY(continue_run(s, problem_hash, err));
    else
        ELM_TRY(search_choose_operators(s, s->def.operators, false, err));
    if (s->def.resume)
        ELM_TRY(continue_model(s, err));
    ELM_TRY(open_backend(s, err));
    double price = evaluation_price_us(s, &seed);
    for (uint32_t i = 0; i < s->operator_count; i++)
        s->bandit.price_us[i] += price;
    s->recalls = s->def.resume;
    if (s->def.resume) {
        ELM_TRY(search_restore(s, RESTORE_RESUME, err));
    } else {
        if (s->store != NULL)
            ELM_TRY(put_meta(s, problem_hash, err));
        ELM_TRY(search_tell_seed(s, &seed, &passes, false, err));
    }
    if (!s->noisy && seed.fitness != s->seed_fitness) {
        return elm_fail(err, ELM_USAGE, "the seed scored %.9g when this run began and scores %.9g "
                        "now; start another run", s->seed_fitness, seed.fitness);
    }
    return start_workers(s, price, err);
}

static enum elm_status check_model(const struct elm_search_def *def, struct elm_error *err)
{
    if (!(def->model_share >= 0 && def->model_share <= 1))
        return elm_fail(err, ELM_USAGE, "a model share of %g; 0 to 1 are allowed",
                        def->model_share);
    if (def->prompts_folder != NULL)
        ELM_TRY(elm_prompts_check(def->prompts_folder, err));
    if (def->backend == NULL || elm_backend_find(def->backend) != NULL)
        return ELM_OK;
    struct elm_buf names = {0};
    for (size_t i = 0; elm_backend_kinds[i] != NULL; i++)
        add_name(&names, elm_backend_kinds[i]->name);
    return unknown_part("backend", def->backend, &names, err);
}

enum elm_status elm_search_open(const struct elm_search_def *def, struct elm_search **out,
                                struct elm_error *err)
{
    ELM_ASSERT(def->keeper != NULL && def->problem != NULL);
    ELM_TRY(check_model(def, err));
    struct elm_search *s;
    ELM_TRY(search_make(def, &s, err));
    enum elm_status status = open_all(s, err);
    if (status != ELM_OK) {
        struct elm_store *store = s->store;
        bool began = s->def.resume;
        search_free(s);
        if (store != NULL)
            elm_store_close(store, NULL);
        /* the newest run is what other commands take: one without a seed is in their way */
        if (store != NULL && !began)
            elm_store_discard(def->folder, NULL);
        return status;
    }
    *out = s;
    return ELM_OK;
}
