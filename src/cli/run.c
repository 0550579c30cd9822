/* run: evolves a program. What to run and where, then the search, then run_end.c. */
#include "cli/run.h"

#include "cli/command.h"
#include "cli/model.h"
#include "cli/text.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVALUATIONS_FALLBACK 100000

/* The one thing a signal handler may touch. */
static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    if (stop_signal != 0) {
        signal(number, SIG_DFL);
        raise(number);
    }
    stop_signal = number;
}

void run_catch_signals(void)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ELM_COUNT(stops); i++) {
        /* what the shell ignores for a background job or nohup stays ignored */
        if (sigaction(stops[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(stops[i], &action, NULL);
    }
    /* a reader of progress that goes away must not end the run */
    sigaction(SIGPIPE, &ignore, NULL);
}

int run_stopped(void)
{
    return stop_signal;
}

void run_again(const struct running *r, struct elm_buf *out)
{
    elm_buf_printf(out, "elm");
    for (int i = 0; i < r->v->argc; i++) {
        elm_buf_byte(out, ' ');
        text_shell(out, r->v->argv[i]);
    }
}

/* runs/NAME-SEED or runs/NAME.VARIANT-SEED, in characters that are good in file names. */
static char *default_folder(const struct elm_problem *p, uint64_t seed)
{
    struct elm_buf name = {0};
    elm_buf_printf(&name, "%s%s%s", p->name, p->variant != NULL && p->variant[0] != '\0' ? "." : "",
                   p->variant != NULL ? p->variant : "");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '.';
        name.ptr[i] = good && (c != '.' || i > 0) ? c : '-';
    }
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s-%llu", RUNS_FOLDER, name.ptr, (unsigned long long)seed);
    elm_buf_release(&name);
    return path.ptr;
}

static enum elm_status choose_problem(struct running *r, struct elm_error *err)
{
    const struct invocation *v = r->v;
    const char *path = opt_text(v, OPT_PROBLEMS_PATH);
    bool file = opt_given(v, OPT_FILE), score = opt_given(v, OPT_SCORE);
    if (v->arg_count == 0 && !file) {
        return elm_fail(err, ELM_USAGE, "what is to be run? give a problem (`elm problems` lists "
                        "them), a run's folder, or --file FILE --score COMMAND");
    }
    if (file != score || (file && v->arg_count > 0)) {
        return elm_fail(err, ELM_USAGE, "--file FILE and --score COMMAND go together, and without "
                        "a problem");
    }
    if (file) {
        return elm_problem_from_file(opt_text(v, OPT_FILE), opt_text(v, OPT_SCORE), &r->problem,
                                     err);
    }
    enum elm_status status = ELM_NOT_FOUND;
    if (!stored_is_run(v->args[0]))
        status = elm_problem_load(v->args[0], path, &r->problem, err);
    if (status != ELM_NOT_FOUND)
        return status;
    if (stored_find(v->args[0], &r->folder, NULL) != ELM_OK)
        return err->status = ELM_USAGE;    /* with the problem's message */
    if (opt_given(v, OPT_FOLDER) && v->values[OPT_FOLDER].origin == FROM_FLAG) {
        return elm_fail(err, ELM_USAGE, "'%s' is a run's folder already; --folder is too much",
                        v->args[0]);
    }
    return elm_search_problem(r->folder, path, &r->problem, err);
}

static bool in_list(const char *list, const char *word, size_t len)
{
    for (const char *at = list; *at != '\0';) {
        size_t span = strcspn(at, ",");
        if (span == len && memcmp(at, word, len) == 0)
            return true;
        at += span + (at[span] == ',');
    }
    return false;
}

/* What the command asks for must be what the run began with; the library checks the rest. */
static enum elm_status check_same(const struct running *r, struct elm_error *err)
{
    const struct invocation *v = r->v;
    const char *variant = r->problem->variant == NULL ? "" : r->problem->variant;
    if (r->about.variant != NULL && strcmp(r->about.variant, variant) != 0) {
        return elm_fail(err, ELM_USAGE, "the run in '%s' began with variant '%s' of its problem, "
                        "not '%s'; give another --folder", r->folder, r->about.variant, variant);
    }
    if (opt_given(v, OPT_SEED) && r->about.seed != NULL &&
        strtoull(r->about.seed, NULL, 10) != opt_count(v, OPT_SEED, 0)) {
        return elm_fail(err, ELM_USAGE, "the run in '%s' has seed %s, not %s; give another "
                        "--folder", r->folder, r->about.seed, opt_text(v, OPT_SEED));
    }
    const char *asked = opt_text(v, OPT_OPERATORS);
    for (const char *at = asked == NULL ? NULL : r->about.operators; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, ",");
        if (!in_list(asked, at, len)) {
            return elm_fail(err, ELM_USAGE, "the run in '%s' has operators '%s', not '%s'; give "
                            "another --folder", r->folder, r->about.operators, asked);
        }
        at += len + (at[len] == ',');
    }
    return ELM_OK;
}

/* What the folder holds. A run that was killed before its seed was stored begins anew. */
static enum elm_status look_at_folder(struct running *r, struct elm_error *err)
{
    if (!stored_is_run(r->folder))
        return ELM_OK;
    struct elm_store *store;
    struct elm_store_totals totals = {0};
    enum elm_status status = elm_store_open(r->folder, ELM_STORE_READ, &store, err);
    if (status == ELM_NOT_FOUND)
        return ELM_OK;
    ELM_TRY(status);
    status = elm_store_totals(store, &totals, err);
    if (status == ELM_OK && totals.attempts > 0)
        status = stored_about(store, &r->about, err);
    elm_store_close(store, NULL);
    ELM_TRY(status);
    r->def.resume = totals.attempts > 0;
    return r->def.resume ? check_same(r, err) : ELM_OK;
}

static void fill_def(struct running *r)
{
    const struct invocation *v = r->v;
    struct elm_search_def *d = &r->def;
    d->keeper = r->keeper;
    d->problem = r->problem;
    d->folder = r->folder;
    d->operators = opt_text(v, OPT_OPERATORS);
    d->archive = opt_given(v, OPT_ARCHIVE) ? opt_text(v, OPT_ARCHIVE) : r->about.archive;
    d->selector = opt_given(v, OPT_SELECTOR) ? opt_text(v, OPT_SELECTOR) : r->about.selector;
    d->force_tcc = opt_on(v, OPT_TCC);
    if (!opt_given(v, OPT_TCC) && r->about.force_tcc != NULL)
        d->force_tcc = strcmp(r->about.force_tcc, "1") == 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    d->workers = (uint32_t)opt_count(v, OPT_WORKERS, cores > 0 ? (uint64_t)cores : 1);
    d->level = (int)opt_count(v, OPT_LEVEL, 0);
    d->unsafe = opt_on(v, OPT_UNSAFE);
    const char *keep = opt_text(v, OPT_KEEP);
    if (keep != NULL) {
        d->keep = strcmp(keep, "good") == 0    ? ELM_KEEP_GOOD
                  : strcmp(keep, "stats") == 0 ? ELM_KEEP_STATS
                                               : ELM_KEEP_ALL;
    }
    d->minutes = opt_real(v, OPT_MINUTES, 0);
    d->evaluations = opt_count(v, OPT_EVALUATIONS, 0);
    d->target = opt_real(v, OPT_TARGET, r->problem->target);
    if (d->evaluations == 0 && d->minutes == 0) {
        d->evaluations = r->problem->budget_evaluations > 0 ? r->problem->budget_evaluations
                                                            : EVALUATIONS_FALLBACK;
    }
}

static enum elm_status prepare(struct running *r, struct elm_error *err)
{
    r->def = elm_default_search_def();
    ELM_TRY(choose_problem(r, err));
    struct elm_buf label = {0};
    bool variant = r->problem->variant != NULL && r->problem->variant[0] != '\0';
    elm_buf_printf(&label, "%s%s%s", r->problem->name, variant ? ":" : "",
                   variant ? r->problem->variant : "");
    r->label = label.ptr;
    r->def.seed = opt_count(r->v, OPT_SEED, r->def.seed);
    if (r->folder == NULL && opt_given(r->v, OPT_FOLDER)) {
        r->folder = elm_strdup(opt_text(r->v, OPT_FOLDER));
    } else if (r->folder == NULL) {
        r->folder = default_folder(r->problem, r->def.seed);
        if (mkdir(RUNS_FOLDER, 0777) != 0 && errno != EEXIST) {
            return elm_fail(err, ELM_IO, "cannot make the folder '%s': %s; --folder puts the run "
                            "elsewhere", RUNS_FOLDER, strerror(errno));
        }
    }
    ELM_TRY(look_at_folder(r, err));
    if (r->about.seed != NULL)
        r->def.seed = strtoull(r->about.seed, NULL, 10);
    fill_def(r);
    return model_fill(r->v, &r->arena, &r->def, err);
}

static void add_operators(const struct elm_search_stats *s, struct elm_buf *out)
{
    uint32_t idle = 0;
    elm_buf_printf(out, "elm: operators:");
    for (uint32_t i = 0; i < s->operator_count; i++) {
        if (s->operators[i].idle_why == NULL)
            elm_buf_printf(out, " %s", s->operators[i].name);
        else
            idle++;
    }
    if (idle > 0)
        elm_buf_printf(out, "; %u idle: --progress json says why", idle);
    elm_buf_printf(out, "\n");
}

/* One line on what runs where, one on each thing that is not as it might be. */
static void announce(const struct running *r, const struct elm_search_stats *s)
{
    struct elm_buf out = {0};
    elm_buf_printf(&out, "elm: %s ", r->def.resume ? "going on with" : "running");
    text_safe(&out, elm_str(r->label));
    elm_buf_printf(&out, ", seed %llu, in ", (unsigned long long)r->def.seed);
    text_safe(&out, elm_str(r->folder));
    if (r->def.resume)
        elm_buf_printf(&out, ", %s evaluations so far", text_count(s->evaluations).s);
    elm_buf_printf(&out, "\n");
    add_operators(s, &out);
    if (s->has_model) {
        elm_buf_printf(&out, "elm: model: ");
        text_safe(&out, elm_str(r->def.model.model != NULL ? r->def.model.model : r->def.backend));
        elm_buf_printf(&out, ", for %s of the cost (--model-share)\n",
                       text_percent(r->def.model_share).s);
    } else if (r->def.operator_model != NULL) {
        elm_buf_printf(&out, "elm: model: ");
        text_safe(&out, elm_str(r->def.operator_model));
        elm_buf_printf(&out, ", of operators that have one of their own\n");
    } else if (r->def.model.model != NULL) {
        elm_buf_printf(&out, "elm: model: none of these operators asks '");
        text_safe(&out, elm_str(r->def.model.model));
        elm_buf_printf(&out, "'\n");
    } else {
        elm_buf_printf(&out, "elm: model: none, and none is needed; `elm models pull smollm2` gets a "
                       "small one, then --model smollm2\n");
    }
    struct elm_sandbox_report report;
    if (s->level < 3 && elm_sandbox_probe(r->keeper, &report, NULL) == ELM_OK) {
        elm_buf_printf(&out, "elm: sandbox level %d", s->level);
        if (report.level < 3 && report.note[0] != '\0')
            elm_buf_printf(&out, ": %s", report.note);
        elm_buf_printf(&out, "\n");
    }
    if (s->noisy) {
        elm_buf_printf(&out, "elm: the seed doesn't score the same twice: children race their "
                       "parents in pairs\n");
    }
    text_print(stderr, &out);
    elm_buf_release(&out);
}

static bool tick(void *ctx, const struct elm_search_stats *stats)
{
    struct running *r = ctx;
    progress_tell(&r->progress, stats);
    return stop_signal == 0;
}

/* Few shadows and no more than so many censuses: it is to cost nothing that is felt. */
static void watch(struct running *r)
{
    struct elm_openness_def def = elm_default_openness_def();
    def.shadows = 4;
    def.seed = r->def.seed;
    uint64_t even = r->def.evaluations / 64;
    def.interval = even > def.interval ? even : def.interval;
    r->openness = elm_openness_new(&def);
    r->def.changed = elm_openness_tell;
    r->def.changed_ctx = r->openness;
}

static enum elm_status search(struct running *r, struct elm_error *err)
{
    struct elm_search *s;
    enum progress_how how = progress_choose(opt_text(r->v, OPT_PROGRESS), opt_on(r->v, OPT_QUIET));
    if (how != PROGRESS_NONE)
        watch(r);
    ELM_TRY(elm_search_open(&r->def, &s, err));
    elm_search_stats(s, &r->stats);
    if (how == PROGRESS_LINES || how == PROGRESS_SCREEN)
        announce(r, &r->stats);
    struct progress_about about = {
        .problem = r->label, .folder = r->folder, .seed = r->def.seed,
        .workers = r->def.workers, .compares = r->problem->judge == ELM_JUDGE_COMPARE,
        .target = r->def.target, .evaluations = r->def.evaluations, .minutes = r->def.minutes,
        .openness = r->openness,
    };
    progress_open(&r->progress, how, &about);
    enum elm_status status = elm_search_run(s, tick, r, &r->end, err);
    elm_search_stats(s, &r->stats);
    r->hash = elm_search_hash(s);
    progress_close(&r->progress, &r->stats);
    enum elm_status closed = elm_search_close(s, status == ELM_OK ? err : NULL);
    return status == ELM_OK ? closed : status;
}

static int work(struct running *r)
{
    struct elm_error err = {0};
    enum elm_status status = elm_keeper_open(&r->keeper, &err);
    if (status == ELM_OK) {
        run_catch_signals();
        status = prepare(r, &err);
    }
    if (status == ELM_OK)
        status = search(r, &err);
    r->signal = stop_signal;
    if (status == ELM_OK)
        return run_end(r);
    int exit_status = cmd_fail(&err);
    if (r->stats.attempts > 0) {
        struct elm_buf again = {0};
        run_again(r, &again);
        fprintf(stderr, "elm: what was evaluated before that is stored; when it is put right, go "
                "on with: %s\n", again.ptr);
        elm_buf_release(&again);
    }
    return exit_status;
}

int cmd_run(const struct invocation *v)
{
    struct running r = {.v = v};
    int exit_status = work(&r);
    if (r.keeper != NULL)
        elm_keeper_close(r.keeper);
    if (r.problem != NULL)
        elm_problem_free(r.problem);
    stored_about_release(&r.about);
    elm_openness_free(r.openness);
    elm_arena_release(&r.arena);
    free(r.label);
    free(r.folder);
    return exit_status;
}
