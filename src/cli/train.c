/* train: a model out of data. What to train and how, then the loop, then what it gave. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/text.h"

#include "elm/models.h"
#include "elm/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_US 5000000
#define WARMUP 0.02
#define INVERSIONS 0.3
#define SCREEN_COLUMNS 78

struct training {
    const struct invocation *v;
    struct elm_train_def def;
    struct elm_train_stats stats;
    const struct elm_trainer_kind *kind;
    enum progress_how how;
    int64_t drawn_us;
    uint32_t rollbacks;              /* that have been told of */
    struct elm_arena arena;          /* what def points to */
};

static bool there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* The path of a model that is given by name. */
static enum elm_status find_model(struct training *t, enum option_id id, const char **out,
                                  struct elm_error *err)
{
    if (!opt_given(t->v, id))
        return ELM_OK;
    if (strcmp(opt_text(t->v, id), "builtin") == 0) {
        *out = "builtin";
        return ELM_OK;
    }
    struct elm_buf path = {0};
    enum elm_status status = elm_model_find(opt_text(t->v, id), opt_text(t->v, OPT_MODELS_PATH),
                                            &path, err);
    if (status == ELM_OK) {
        char *copy = elm_arena_alloc(&t->arena, path.len + 1);
        memcpy(copy, path.ptr, path.len + 1);
        *out = copy;
    }
    elm_buf_release(&path);
    return status;
}

/* Files and folders as they are, and runs by name. */
static enum elm_status find_data(struct training *t, struct elm_error *err)
{
    const char **data = elm_arena_alloc(&t->arena, (size_t)(t->v->arg_count + 1) * sizeof(*data));
    for (int i = 0; i < t->v->arg_count; i++) {
        char *folder = NULL;
        data[i] = t->v->args[i];
        if (there(data[i]))
            continue;
        if (stored_find(data[i], &folder, NULL) != ELM_OK)
            folder = elm_problems_folder(data[i]);
        if (!there(folder)) {
            free(folder);
            return elm_fail(err, ELM_USAGE, "'%.200s' is neither a JSONL file, a run (`elm runs` "
                            "lists them) nor a folder of problems", data[i]);
        }
        char *copy = elm_arena_alloc(&t->arena, strlen(folder) + 1);
        strcpy(copy, folder);
        data[i] = copy;
        free(folder);
    }
    t->def.data = data;
    t->def.data_count = (uint32_t)t->v->arg_count;
    return ELM_OK;
}

static float real(const struct training *t, enum option_id id, double fallback)
{
    return (float)opt_real(t->v, id, fallback);
}

static uint32_t count(const struct training *t, enum option_id id)
{
    return (uint32_t)opt_count(t->v, id, 0);
}

static enum elm_status fill_def(struct training *t, struct elm_error *err)
{
    const struct invocation *v = t->v;
    t->def = (struct elm_train_def){
        .trainer = opt_given(v, OPT_TRAINER) ? opt_text(v, OPT_TRAINER) : "sft",
        .out = opt_text(v, OPT_OUT), .optimizer = opt_text(v, OPT_OPTIMIZER),
        .options = {real(t, OPT_BETA1, 0), real(t, OPT_BETA2, 0), real(t, OPT_EPSILON, 0),
                    real(t, OPT_DECAY, 0)},
        .schedule = opt_text(v, OPT_SCHEDULE), .rate = real(t, OPT_RATE, 0),
        .warmup = real(t, OPT_WARMUP, WARMUP), .clip = real(t, OPT_CLIP, 0),
        .steps = opt_count(v, OPT_STEPS, 0), .minutes = opt_real(v, OPT_MINUTES, 0),
        .batch = count(t, OPT_BATCH), .context = count(t, OPT_CONTEXT),
        .lora_rank = count(t, OPT_LORA), .lora_alpha = real(t, OPT_LORA_ALPHA, 0),
        .beta = real(t, OPT_BETA, 0), .labels = opt_text(v, OPT_LABELS),
        .shuffled = opt_on(v, OPT_SHUFFLED), .admitted = real(t, OPT_ADMITTED, 0),
        .inversions = real(t, OPT_INVERSIONS, INVERSIONS),
        .width = count(t, OPT_WIDTH), .layers = count(t, OPT_LAYERS),
        .vocabulary = count(t, OPT_VOCABULARY), .seed = opt_count(v, OPT_SEED, 1),
        .threads = count(t, OPT_THREADS),
        .checkpoint_s = (int64_t)opt_count(v, OPT_CHECKPOINT_SECONDS, 0),
    };
    t->kind = elm_trainer_find(t->def.trainer);
    ELM_TRY(find_model(t, OPT_MODEL, &t->def.model, err));
    ELM_TRY(find_model(t, OPT_REFERENCE, &t->def.reference, err));
    ELM_TRY(find_data(t, err));
    if (t->def.out == NULL)
        return ELM_OK;    /* the library says what is missing */
    struct elm_buf checkpoint = {0};
    elm_buf_printf(&checkpoint, "%s.checkpoint", t->def.out);
    t->def.resume = there(checkpoint.ptr);
    elm_buf_release(&checkpoint);
    if (there(t->def.out) && !t->def.resume)
        return elm_fail(err, ELM_EXISTS, "'%.200s' is there already: delete it, or give another --out",
                        t->def.out);
    return ELM_OK;
}

/* ---- progress ---- */

static void add_stats(const struct training *t, const struct elm_train_stats *s,
                      struct elm_buf *out)
{
    const double share = t->def.steps > 0 ? (double)s->step / (double)t->def.steps
                                          : (double)s->wall_us / 60e6 / t->def.minutes;
    elm_buf_printf(out, "%s  %s  step %s", text_time((double)s->wall_us / 1e6).s,
                   text_percent(fmin(share, 1)).s, text_count(s->step).s);
    elm_buf_printf(out, "  loss %.4g  %s tokens/s  %s left", s->loss,
                   text_count((uint64_t)s->tokens_per_s).s, text_time(s->eta_s).s);
    for (int i = 0; i < 4 && t->kind->extras[i] != NULL; i++)
        elm_buf_printf(out, "  %s %.3g", t->kind->extras[i], s->extra[i]);
}

static json_t *stats_json(const struct training *t, const struct elm_train_stats *s)
{
    json_t *o = json_make("{sIsIsIsIsosososososososI}", "step", (json_int_t)s->step, "steps",
                          (json_int_t)s->steps, "tokens", (json_int_t)s->tokens, "samples",
                          (json_int_t)s->samples, "loss", json_number(s->loss), "rate",
                          json_number(s->rate), "gradient_norm", json_number(s->gradient_norm),
                          "tokens_per_s", json_number(s->tokens_per_s), "eta_s",
                          json_number(s->eta_s), "seconds", json_number((double)s->wall_us / 1e6),
                          "cpu_seconds", json_number((double)s->cpu_us / 1e6), "rollbacks",
                          (json_int_t)s->rollbacks);
    for (int i = 0; i < 4 && t->kind->extras[i] != NULL; i++)
        json_object_set_new(o, t->kind->extras[i], json_number(s->extra[i]));
    return o;
}

static void draw(struct training *t, const struct elm_train_stats *s)
{
    if (t->how == PROGRESS_JSON) {
        json_print(stats_json(t, s), stderr, true);
        return;
    }
    struct elm_buf line = {0};
    add_stats(t, s, &line);
    if (t->how == PROGRESS_SCREEN)
        fprintf(stderr, "\r%.*s\033[K", SCREEN_COLUMNS, line.ptr);
    else
        fprintf(stderr, "%s\n", line.ptr);
    fflush(stderr);
    elm_buf_release(&line);
}

static bool tick(void *ctx, const struct elm_train_stats *s)
{
    struct training *t = ctx;
    const int64_t now = elm_clock_us();
    const bool fell = s->rollbacks > t->rollbacks && s->why[0] != '\0';     /* not in an earlier call */
    if (fell && t->how != PROGRESS_NONE && t->how != PROGRESS_JSON) {
        fprintf(stderr, "%selm: training diverged (%s): back to step %llu or before, and on at half "
                "the rate\n", t->how == PROGRESS_SCREEN ? "\r\033[K" : "", s->why,
                (unsigned long long)s->step);
    }
    t->rollbacks = s->rollbacks;
    if (t->how != PROGRESS_NONE && (t->how != PROGRESS_LINES || now - t->drawn_us >= LINE_US)) {
        t->drawn_us = now;
        draw(t, s);
    }
    return run_stopped() == 0;
}

static void announce(const struct training *t)
{
    if ((t->how != PROGRESS_LINES && t->how != PROGRESS_SCREEN) || t->def.out == NULL)
        return;
    struct elm_buf out = {0};
    elm_buf_printf(&out, "elm: %s %s, optimizer %s, into ",
                   t->def.resume ? "going on with" : "training by", t->kind->name,
                   t->def.optimizer == NULL ? "adamw" : t->def.optimizer);
    text_safe(&out, elm_str(t->def.out));
    elm_buf_byte(&out, '\n');
    text_print(stderr, &out);
    elm_buf_release(&out);
}

/* ---- the end ---- */

static int finish(const struct training *t)
{
    const struct elm_train_stats *s = &t->stats;
    if (opt_on(t->v, OPT_JSON)) {
        json_t *o = stats_json(t, s);
        json_object_set_new(o, "out", json_text(elm_str(t->def.out)));
        json_object_set_new(o, "trainer", json_string(t->kind->name));
        return json_print(o, stdout, false);
    }
    struct elm_buf out = {0};
    text_safe(&out, elm_str(t->def.out));
    elm_buf_printf(&out, ": loss %.4g after %s steps, %s samples, %s tokens, %s", s->loss,
                   text_count(s->step).s, text_count(s->samples).s, text_count(s->tokens).s,
                   text_time((double)s->wall_us / 1e6).s);
    for (int i = 0; i < 4 && t->kind->extras[i] != NULL; i++)
        elm_buf_printf(&out, ", %s %.3g", t->kind->extras[i], s->extra[i]);
    if (s->rollbacks > 0)
        elm_buf_printf(&out, "; went back %u times, since it diverged", s->rollbacks);
    elm_buf_byte(&out, '\n');
    text_print(stdout, &out);
    elm_buf_release(&out);
    return EXIT_DONE;
}

static int stopped(const struct training *t)
{
    struct elm_buf out = {0};
    elm_buf_printf(&out, "elm: stopped at step %s, which is saved; go on with: elm",
                   text_count(t->stats.step).s);
    for (int i = 0; i < t->v->argc; i++) {
        elm_buf_byte(&out, ' ');
        text_shell(&out, t->v->argv[i]);
    }
    elm_buf_byte(&out, '\n');
    text_print(stderr, &out);
    elm_buf_release(&out);
    return 128 + run_stopped();
}

int cmd_train(const struct invocation *v)
{
    struct training t = {.v = v};
    struct elm_error err = {0};
    t.how = progress_choose(opt_text(v, OPT_PROGRESS), opt_on(v, OPT_QUIET));
    enum elm_status status = fill_def(&t, &err);
    if (status == ELM_OK) {
        run_catch_signals();
        announce(&t);
        status = elm_train(&t.def, tick, &t, &t.stats, &err);
        if (t.how == PROGRESS_SCREEN && t.stats.step > 0)
            fputc('\n', stderr);
    }
    int exit_status = status == ELM_OK        ? finish(&t)
                      : status == ELM_STOPPED ? stopped(&t)
                                              : cmd_fail(&err);
    elm_arena_release(&t.arena);
    return exit_status;
}
