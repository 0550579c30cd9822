/*
 * library: keeps the best programs that runs ended with (elm/library.h), for the operator recall: of
 * every niche of a problem the best of all runs. Steps of gradient then follow the cross-entropy of draws
 * from them, so that more of a program in the data is more of it in the library.
 */
#include "elm/library.h"
#include "elm/store.h"
#include "elm/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BATCH 256

/* What stands in a niche of a run's archive, or of all of them. */
struct kept {
    uint64_t place;              /* of problem, variant and niche */
    int64_t program;             /* of the run */
    double fitness;
    char *text;
};
struct library {
    const struct elm_train_def *def;
    struct kept *kept;
    uint32_t count;
    struct elm_library *programs;
    struct elm_parameter parameter;
    uint32_t batch;
};

/* ---- a run ---- */
struct run {
    uint64_t problem;
    struct kept *kept;
    uint32_t count;
    int64_t *admitted;
    uint32_t admitted_count;
};

/* Room for one more: doubled at powers of two. */
static void *grow(void *array, uint32_t count, size_t bytes)
{
    if ((count & (count - 1)) == 0)
        array = elm_realloc(array, (count == 0 ? 1 : 2 * (size_t)count) * bytes);
    return array;
}

static bool each_elite(void *ctx, const struct elm_archive_row *row)
{
    struct run *r = ctx;
    r->kept = grow(r->kept, r->count, sizeof(*r->kept));
    r->kept[r->count++] = (struct kept){.place = elm_hash_mix(r->problem, row->niche),
                                        .program = row->program, .fitness = row->fitness};
    return true;
}

static bool each_admitted(void *ctx, const struct elm_attempt *a)
{
    struct run *r = ctx;
    if (a->text.len > 0 && (a->flags & ELM_ATTEMPT_REMATCH) == 0) {
        r->admitted = grow(r->admitted, r->admitted_count, sizeof(*r->admitted));
        r->admitted[r->admitted_count++] = a->id;
    }
    return true;
}

/* Any programs that were admitted once, in the places of those that are still there: a control. */
static void shuffle(struct run *r, struct elm_rng *rng)
{
    for (uint32_t i = 0; i < r->count && i < r->admitted_count; i++) {
        uint32_t at = i + elm_rng_below(rng, r->admitted_count - i);
        r->kept[i].program = r->admitted[at];
        r->admitted[at] = r->admitted[i];
    }
}

static bool each_text(void *ctx, const struct elm_attempt *a)
{
    struct run *r = ctx;
    for (uint32_t i = 0; i < r->count && a->text.len > 0; i++) {
        if (r->kept[i].program != a->id || r->kept[i].text != NULL)
            continue;
        r->kept[i].text = elm_malloc(a->text.len + 1);
        memcpy(r->kept[i].text, a->text.ptr, a->text.len);
        r->kept[i].text[a->text.len] = '\0';
    }
    return true;
}

static enum elm_status read_store(struct library *s, uint32_t number, struct elm_store *store,
                                  struct run *r, struct elm_error *err)
{
    static const char *const keys[] = {"problem", "variant"};
    struct elm_rng rng = elm_rng(s->def->seed ^ 0x6c696272, number);
    for (size_t i = 0; i < ELM_COUNT(keys); i++) {
        struct elm_buf value = {0};
        enum elm_status status = elm_store_meta_get(store, keys[i], &value, err);
        if (status == ELM_OK)
            r->problem = elm_hash_mix(r->problem, elm_hash(value.ptr, value.len, 0));
        elm_buf_release(&value);
        ELM_TRY(status);
    }
    ELM_TRY(elm_store_each_archive(store, each_elite, r, err));
    if (s->def->shuffled) {
        ELM_TRY(elm_store_each(store, 0, each_admitted, r, err));
        shuffle(r, &rng);
    }
    return elm_store_each(store, 0, each_text, r, err);
}

/* ---- all of them ---- */
static int by_place(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->fitness != y->fitness)
        return x->fitness > y->fitness ? -1 : 1;
    return strcmp(x->text, y->text);
}

static enum elm_status read_run(struct library *s, uint32_t number, struct elm_error *err)
{
    struct elm_store *store;
    struct run r = {0};
    struct stat st;
    if (stat(s->def->data[number], &st) == 0 && !S_ISDIR(st.st_mode))
        return elm_fail(err, ELM_PARSE, "'%s' is no run folder", s->def->data[number]);
    ELM_TRY(elm_store_open(s->def->data[number], ELM_STORE_READ, &store, err));
    enum elm_status status = read_store(s, number, store, &r, err);
    elm_store_close(store, NULL);
    for (uint32_t i = 0; i < r.count; i++) {
        if (r.kept[i].text == NULL)
            continue;
        s->kept = grow(s->kept, s->count, sizeof(*s->kept));
        s->kept[s->count++] = r.kept[i];
    }
    free(r.kept);
    free(r.admitted);
    return status;
}

static enum elm_status collect(struct library *s, struct elm_error *err)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < s->def->data_count; i++)
        ELM_TRY(read_run(s, i, err));
    if (s->count == 0)
        return elm_fail(err, ELM_NOTHING, "no run has a program to keep");
    qsort(s->kept, s->count, sizeof(*s->kept), by_place);
    for (uint32_t i = 0; i < s->count; i++) {
        if (i > 0 && s->kept[i].place == s->kept[best - 1].place)
            free(s->kept[i].text);
        else
            s->kept[best++] = s->kept[i];
    }
    s->count = best;
    for (uint32_t i = 0; i < s->count; i++)
        elm_library_add(s->programs, elm_str(s->kept[i].text));
    return ELM_OK;
}

/* ---- the trainer ---- */
static void library_close(void *self)
{
    struct library *s = self;
    for (uint32_t i = 0; i < s->count; i++)
        free(s->kept[i].text);
    free(s->kept);
    elm_library_free(s->programs);
    free(s->parameter.gradient);
    free(s);
}

static enum elm_status library_open(const struct elm_train_def *def, void **self,
                                    struct elm_error *err)
{
    if (def->model != NULL || def->lora_rank > 0)
        return elm_fail(err, ELM_USAGE, "library starts from nothing: neither a model nor lora_rank is "
                        "allowed");
    if (def->labels != NULL)
        return elm_fail(err, ELM_USAGE, "labels '%.60s': library keeps what runs ended with",
                        def->labels);
    struct library *s = elm_calloc(1, sizeof(*s));
    s->def = def;
    s->batch = def->batch > 0 ? def->batch : BATCH;
    s->programs = elm_library_new();
    enum elm_status status = collect(s, err);
    if (status != ELM_OK) {
        library_close(s);
        return status;
    }
    uint32_t count = elm_library_count(s->programs);
    s->parameter = (struct elm_parameter){
        .name = "weights", .rows = 1, .cols = count, .weights = elm_library_weights(s->programs),
        .gradient = elm_calloc(count, sizeof(float))};
    *self = s;
    return ELM_OK;
}

static const struct elm_parameter *library_parameters(void *self, uint32_t *count)
{
    *count = 1;
    return &((struct library *)self)->parameter;
}

static enum elm_status library_gradient(void *self, uint64_t step, struct elm_batch_report *report,
                                        struct elm_error *err)
{
    struct library *s = self;
    const float *weights = s->parameter.weights;
    double sum = 0, loss = 0;
    (void)err;
    for (uint32_t i = 0; i < s->parameter.cols; i++)
        sum += exp((double)weights[i]);
    for (uint32_t i = 0; i < s->batch; i++) {
        struct elm_rng rng = elm_rng(s->def->seed ^ 0x64726177, step << 20 | i);
        const char *text = s->kept[elm_rng_below(&rng, s->count)].text;
        uint32_t at = elm_library_find(s->programs, elm_str(text));
        /* what there was no room for can't be learnt */
        if (at == UINT32_MAX)
            continue;
        loss -= ((double)weights[at] - log(sum)) / s->batch;
        s->parameter.gradient[at] -= 1.0f / (float)s->batch;
        report->samples++;
    }
    for (uint32_t i = 0; i < s->parameter.cols; i++)
        s->parameter.gradient[i] += (float)(exp((double)weights[i]) / sum * (double)report->samples /
                                            s->batch);
    report->loss = loss;
    report->tokens = report->samples;
    return ELM_OK;
}

static enum elm_status library_write(void *self, const struct elm_train_stats *stats,
                                     const char *path, struct elm_error *err)
{
    (void)stats;
    return elm_library_write(((struct library *)self)->programs, path, err);
}

const struct elm_trainer_kind elm_trainer_library = {
    .name = "library",
    .summary = "keeps the best programs that runs ended with, for the operator recall",
    .needs_data = true,
    .from_nothing = true,
    .open = library_open,
    .close = library_close,
    .parameters = library_parameters,
    .gradient = library_gradient,
    .write = library_write,
};
