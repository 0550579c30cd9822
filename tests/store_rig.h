/* store_rig: what the tests of the store share: folders, and attempts that differ in everything. */
#ifndef ELM_TESTS_STORE_RIG_H
#define ELM_TESTS_STORE_RIG_H

#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "elm/store.h"

#define GIVES(wanted, call)                                                                     \
    do {                                                                                        \
        struct elm_error gives_err_ = {0};                                                      \
        enum elm_status gives_status_ = (call);                                                 \
        if (gives_status_ != (wanted))                                                          \
            fail_msg("%s: %d, %s", #call, gives_status_, gives_err_.message);                   \
    } while (0)
/* The error of the call inside GIVES. */
#define ERR (&gives_err_)

/* A folder for a run that is not there yet; FOLDER/.. is removed by rig_clean. */
static inline void rig_folder(char folder[64])
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, 56, "%.40s/elm-XXXXXX", base == NULL || strlen(base) > 40 ? "/tmp" : base);
    assert_non_null(mkdtemp(folder));
    strcat(folder, "/run");
}

static inline void rig_clean(char folder[64])
{
    if (access(folder, F_OK) == 0)
        GIVES(ELM_OK, elm_store_delete(folder, ERR));
    *strrchr(folder, '/') = '\0';
    assert_int_equal(rmdir(folder), 0);
}

static inline struct elm_store *rig_open(const char *folder, enum elm_store_mode mode)
{
    struct elm_store *s = NULL;
    GIVES(ELM_OK, elm_store_open(folder, mode, &s, ERR));
    return s;
}

/* Attempt `id` of a run, a function of the id alone: one in eleven is admitted, one in three was
 * never evaluated. Strings live in `arena`. */
static inline struct elm_attempt rig_attempt(int64_t id, int64_t batch, struct elm_arena *arena)
{
    struct elm_rng rng = elm_rng(11, (uint64_t)id);
    struct elm_attempt a = {.id = id, .batch = batch, .operator_index = 255,
                            .outcome = ELM_OUTCOME_NEW, .parents = {-1, -1}, .opponent = -1,
                            .hash = 1, .text = ELM_STR("int f(void)\n{\n    return 1;\n}\n")};
    if (id == 0)
        return a;
    a.operator_index = (uint8_t)elm_rng_below(&rng, 3);
    a.parents[0] = (id - 1) / 11 * 11;
    a.parents[1] = elm_rng_chance(&rng, 0.5) ? a.parents[0] / 22 * 11 : -1;
    uint32_t len = elm_rng_below(&rng, 24);
    char *edit = elm_arena_alloc(arena, 256);
    for (uint32_t i = 0; i < len; i++)
        edit[i] = (char)elm_rng_below(&rng, 40);
    a.edit = (struct elm_str){len > 0 ? edit : NULL, len};
    a.text = (struct elm_str){0};
    a.outcome = ELM_OUTCOME_NONE;
    a.status = ELM_EVAL_DUPLICATE;
    a.hash = 0;
    if (id % 3 == 0 && id % 11 != 0)
        return a;
    a.hash = elm_rng_u64(&rng) | 1;
    a.status = ELM_EVAL_OK;
    a.outcome = id % 11 == 0 ? ELM_OUTCOME_IMPROVED : ELM_OUTCOME_REJECTED;
    a.better = id % 11 == 0 ? ELM_BETTER_YES : ELM_BETTER_NO;
    a.fitness = elm_rng_normal(&rng);
    a.measure_count = 2;
    a.measures[0] = elm_rng_below(&rng, 200);
    a.measures[1] = elm_rng_unit(&rng);
    a.steps = elm_rng_below(&rng, 100000);
    a.arrival_us = id * 80 + elm_rng_below(&rng, 50);
    if (a.outcome == ELM_OUTCOME_IMPROVED) {
        char *text = elm_arena_alloc(arena, 256);
        int n = snprintf(text, 256, "int f(void)\n{\n    int x = %lld;\n    return x * %u;\n}\n",
                         (long long)id, elm_rng_below(&rng, 1000));
        a.text = (struct elm_str){text, (size_t)n};
        /* 1 to 128 bytes, of every other one */
        a.passes.len = id % 2 == 0 ? 0 : (size_t)(id / 11 % 128) + 1;
        char *passes = elm_arena_alloc(arena, 128);
        for (size_t i = 0; i < a.passes.len; i++)
            passes[i] = (char)elm_rng_below(&rng, 256);
        a.passes.ptr = a.passes.len > 0 ? passes : NULL;
    } else if (elm_rng_chance(&rng, 0.2)) {
        a.status = ELM_EVAL_CRASHED;
        snprintf(a.why, sizeof(a.why), "index %u out of bounds", elm_rng_below(&rng, 5));
    }
    return a;
}

/* Appends batch `batch` of `count` attempts from id `first` on. */
static inline enum elm_status rig_append(struct elm_store *s, int64_t batch, int64_t first,
                                         uint32_t count, struct elm_error *err)
{
    struct elm_arena arena = {0};
    struct elm_attempt *a = elm_malloc(count * sizeof(*a));
    for (uint32_t i = 0; i < count; i++)
        a[i] = rig_attempt(first + i, batch, &arena);
    enum elm_status status = elm_store_append(s, a, count, err);
    free(a);
    elm_arena_release(&arena);
    return status;
}

static inline void rig_same(const struct elm_attempt *a, const struct elm_attempt *b)
{
    struct elm_attempt x = *a, y = *b;
    if (!elm_str_equal(x.edit, y.edit) || !elm_str_equal(x.text, y.text))
        fail_msg("attempt %lld: another edit or text", (long long)x.id);
    if (!elm_str_equal(x.passes, y.passes))
        fail_msg("attempt %lld: passes other cases", (long long)x.id);
    x.edit = x.text = y.edit = y.text = (struct elm_str){0};
    assert_string_equal(x.why, y.why);
    memset(x.why, 0, sizeof(x.why));
    memset(y.why, 0, sizeof(y.why));
    assert_memory_equal(x.measures, y.measures, sizeof(x.measures));
    assert_int_equal(x.id, y.id);
    assert_int_equal(x.batch, y.batch);
    assert_int_equal(x.operator_index, y.operator_index);
    assert_int_equal(x.status, y.status);
    assert_int_equal(x.outcome, y.outcome);
    assert_int_equal(x.better, y.better);
    assert_int_equal(x.flags, y.flags);
    assert_true(x.parents[0] == y.parents[0] && x.parents[1] == y.parents[1]);
    assert_true(x.hash == y.hash && x.steps == y.steps);
    assert_memory_equal(&x.fitness, &y.fitness, sizeof(x.fitness));
    assert_int_equal(x.measure_count, y.measure_count);
    assert_true(x.opponent == y.opponent && x.arrival_us == y.arrival_us);
}

/* The first column of the first row, as another program would read it. */
static inline int64_t rig_sql(const char *folder, const char *text)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *statement;
    int64_t value = -1;
    snprintf(path, sizeof(path), "%s/elm.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    else if (code != SQLITE_DONE)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

#endif
