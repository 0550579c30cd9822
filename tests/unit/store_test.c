/* store: every field comes back; batches, keep modes, snapshots, views, versions, locks. */
#include "../store_rig.h"

#include <float.h>
#include <sys/stat.h>

#include "store/pack.h"

/* ---- what comes back ---- */
struct wanted {
    const struct elm_attempt *attempts;
    uint32_t count, seen;
    int64_t first;
};

static bool same_as_wanted(void *ctx, const struct elm_attempt *a)
{
    struct wanted *w = ctx;
    assert_in_range(w->seen, 0, w->count - 1);
    rig_same(a, &w->attempts[w->seen++]);
    return true;
}

static bool same_as_rig(void *ctx, const struct elm_attempt *a)
{
    struct wanted *w = ctx;
    struct elm_arena arena = {0};
    struct elm_attempt made = rig_attempt(w->first + w->seen++, a->batch, &arena);
    rig_same(a, &made);
    elm_arena_release(&arena);
    return true;
}

static bool stop_at_third(void *ctx, const struct elm_attempt *a)
{
    (void)a;
    return ++*(int *)ctx < 3;
}

static void fill_extremes(struct elm_attempt *a, char *big, size_t big_bytes)
{
    for (int64_t i = 0; i < 6; i++) {
        a[i] = (struct elm_attempt){.id = i, .batch = 7, .parents = {-1, -1}, .opponent = -1};
    }
    a[0].operator_index = 255;
    a[1].operator_index = 254;
    a[1].status = ELM_EVAL_STATUSES - 1;
    a[1].outcome = ELM_OUTCOME_NEW;
    a[1].better = ELM_BETTER_YES;
    a[1].flags = 255 & ~ELM_ATTEMPT_REMATCH;
    a[1].parents[0] = INT64_MAX;
    a[1].parents[1] = INT64_MIN;
    a[1].hash = UINT64_MAX;
    a[1].fitness = DBL_MAX;
    a[1].measure_count = 4;
    for (int k = 0; k < 4; k++)
        a[1].measures[k] = k == 0 ? -0.0 : k == 1 ? -INFINITY : k == 2 ? DBL_TRUE_MIN : -DBL_MAX;
    a[1].steps = UINT64_MAX;
    a[1].opponent = INT64_MIN;
    a[1].arrival_us = INT64_MAX;
    memset(a[1].why, 'w', sizeof(a[1].why) - 1);
    a[1].text = (struct elm_str){big, big_bytes};
    a[2].fitness = NAN;
    a[2].arrival_us = INT64_MIN;
    a[2].edit = (struct elm_str){big, big_bytes};
    a[3].fitness = -0.0;
    a[3].opponent = INT64_MAX;
    a[3].hash = 1;
    a[4].outcome = ELM_OUTCOME_IMPROVED;
    a[4].text = (struct elm_str){"a\0b\xff\xfe", 5};
    a[5].edit = (struct elm_str){"\0", 1};
    a[5].outcome = ELM_OUTCOME_NEW;
    a[5].text = (struct elm_str){"", 0};
}

static void extremes_come_back(void **state)
{
    (void)state;
    char folder[64];
    struct elm_attempt a[6];
    size_t big_bytes = 3 * 1024 * 1024;
    char *big = elm_malloc(big_bytes);
    struct elm_rng rng = elm_rng(1, 1);
    for (size_t i = 0; i < big_bytes; i++)
        big[i] = (char)elm_rng_u64(&rng);
    fill_extremes(a, big, big_bytes);
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, elm_store_append(s, a, 6, ERR));
    static const enum elm_store_mode modes[] = {ELM_STORE_RESUME, ELM_STORE_READ};
    for (size_t m = 0; m <= ELM_COUNT(modes); m++) {
        struct wanted w = {a, 6, 0, 0};
        GIVES(ELM_OK, elm_store_each(s, 0, same_as_wanted, &w, ERR));
        assert_int_equal(w.seen, 6);
        for (uint32_t i = 0; i < 6; i++) {
            w = (struct wanted){&a[i], 1, 0, 0};
            GIVES(ELM_OK, elm_store_attempt(s, i, same_as_wanted, &w, ERR));
            assert_int_equal(w.seen, 1);
        }
        GIVES(ELM_OK, elm_store_close(s, ERR));
        if (m < ELM_COUNT(modes))
            s = rig_open(folder, modes[m]);
    }
    free(big);
    rig_clean(folder);
}

/* ---- batches ---- */
static void check_packed_bytes(const char *folder)
{
    struct elm_store *s = rig_open(folder, ELM_STORE_READ);
    struct elm_store_totals t;
    GIVES(ELM_OK, elm_store_totals(s, &t, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    assert_int_equal(rig_sql(folder, "SELECT sum(length(bytes)) FROM pack"), t.packed_bytes);
}

static void batches_are_merged_and_read_from_anywhere(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    int64_t id = 0;
    static const uint32_t sizes[] = {1, 37, 1024, 5, 2500, 1023, 1, 1, 700, 700};
    for (int64_t b = 0; b < 60; b++) {
        uint32_t count = b < (int64_t)ELM_COUNT(sizes) ? sizes[b] : 33;
        GIVES(ELM_OK, rig_append(s, b * 2, id, count, ERR));
        id += count;
        if (b % 3 == 0)
            GIVES(ELM_OK, elm_store_flush(s, ERR));
        if (b % 20 == 19) {
            GIVES(ELM_OK, elm_store_close(s, ERR));
            s = rig_open(folder, ELM_STORE_RESUME);
        }
    }
    for (int64_t from = 0; from < id; from += 397) {
        struct wanted w = {.first = from};
        GIVES(ELM_OK, elm_store_each(s, from, same_as_rig, &w, ERR));
        assert_int_equal(w.seen, id - from);
    }
    struct wanted tail = {.first = id - 66};
    GIVES(ELM_OK, elm_store_each_batch(s, 115, same_as_rig, &tail, ERR));
    assert_int_equal(tail.seen, 66);
    int calls = 0;
    GIVES(ELM_OK, elm_store_each(s, 0, stop_at_third, &calls, ERR));
    assert_int_equal(calls, 3);
    GIVES(ELM_OK, elm_store_each(s, id + 5, stop_at_third, &calls, ERR));
    GIVES(ELM_OK, elm_store_each_batch(s, 119, stop_at_third, &calls, ERR));
    assert_int_equal(calls, 3);
    GIVES(ELM_NOT_FOUND, elm_store_attempt(s, id, stop_at_third, &calls, ERR));
    GIVES(ELM_NOT_FOUND, elm_store_attempt(s, -1, stop_at_third, &calls, ERR));
    struct elm_store_totals t;
    GIVES(ELM_OK, elm_store_totals(s, &t, ERR));
    assert_int_equal(t.attempts, id);
    assert_int_equal(t.batches, 60);
    assert_int_equal(t.newest_batch, 118);
    assert_int_equal(t.admitted, (id + 10) / 11);
    assert_true(t.packed_bytes > 0 && t.file_bytes > t.packed_bytes);
    GIVES(ELM_OK, elm_store_close(s, ERR));
    /* rows are merged as they fill: none need be small but beside a batch that leaves no room */
    assert_in_range(rig_sql(folder, "SELECT count(*) FROM pack"), id / 1024, id / 512);
    assert_int_equal(rig_sql(folder, "SELECT max(count) <= 1024 FROM pack"), 1);
    check_packed_bytes(folder);
    assert_int_equal(rig_sql(folder, "SELECT sum(attempts) FROM v_count"), id);
    rig_clean(folder);
}

static void what_does_not_follow_is_refused(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_USAGE, rig_append(s, 0, 1, 1, ERR));
    GIVES(ELM_OK, rig_append(s, 0, 0, 3, ERR));
    GIVES(ELM_USAGE, rig_append(s, 1, 4, 3, ERR));
    GIVES(ELM_USAGE, rig_append(s, 1, 2, 3, ERR));
    GIVES(ELM_USAGE, rig_append(s, 0, 3, 3, ERR));
    GIVES(ELM_OK, elm_store_append(s, NULL, 0, ERR));
    struct elm_attempt a[2] = {{.id = 3, .batch = 1, .status = ELM_EVAL_STATUSES},
                               {.id = 4, .batch = 2}};
    GIVES(ELM_USAGE, elm_store_append(s, a, 1, ERR));
    a[0].status = 0;
    GIVES(ELM_USAGE, elm_store_append(s, a, 2, ERR));
    a[0].measure_count = 5;
    GIVES(ELM_USAGE, elm_store_append(s, a, 1, ERR));
    a[0].measure_count = 0;
    GIVES(ELM_OK, elm_store_append(s, a, 1, ERR));
    GIVES(ELM_USAGE, elm_store_snapshot_put(s, -1, ELM_STR("x"), ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    s = rig_open(folder, ELM_STORE_READ);
    GIVES(ELM_USAGE, rig_append(s, 2, 4, 1, ERR));
    GIVES(ELM_USAGE, elm_store_meta_put(s, "a", ELM_STR("b"), ERR));
    GIVES(ELM_USAGE, elm_store_archive_put(s, NULL, 0, ERR));
    GIVES(ELM_OK, elm_store_flush(s, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    rig_clean(folder);
}

/* ---- keep ---- */
struct kept {
    uint32_t attempts, edits, texts;
    int64_t last;
};

static bool count_kept(void *ctx, const struct elm_attempt *a)
{
    struct kept *k = ctx;
    assert_true(k->attempts == 0 || a->id > k->last);
    k->last = a->id;
    k->attempts++;
    k->edits += a->edit.len > 0;
    k->texts += a->text.ptr != NULL;
    return true;
}

static void good_drops_edits_of_what_was_not_admitted(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    elm_store_set_keep(s, ELM_KEEP_GOOD);
    GIVES(ELM_OK, rig_append(s, 0, 0, 1100, ERR));
    /* one that waits for its next opponent may still be admitted */
    struct elm_attempt waits = {.id = 1100, .batch = 1, .hash = 5, .parents = {0, -1},
                                .opponent = 0, .edit = ELM_STR("edit")};
    GIVES(ELM_OK, elm_store_append(s, &waits, 1, ERR));
    struct kept k = {0};
    GIVES(ELM_OK, elm_store_each(s, 0, count_kept, &k, ERR));
    assert_int_equal(k.attempts, 1101);
    assert_int_equal(k.texts, 100);
    /* an edit in 24 is empty, and the seed has none */
    assert_in_range(k.edits, 88, 100);
    k = (struct kept){0};
    GIVES(ELM_OK, elm_store_attempt(s, 1100, count_kept, &k, ERR));
    assert_int_equal(k.edits, 1);
    GIVES(ELM_OK, elm_store_close(s, ERR));
    rig_clean(folder);
}

static void stats_keeps_what_was_admitted_and_what_resuming_needs(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    elm_store_set_keep(s, ELM_KEEP_STATS);
    for (int64_t b = 0; b < 200; b++) {
        GIVES(ELM_OK, rig_append(s, b, b * 100, 100, ERR));
        if (b % 50 == 40)
            GIVES(ELM_OK, elm_store_snapshot_put(s, b, ELM_STR("state"), ERR));
    }
    /* snapshots after batches 140 and 190: every attempt after 140 is there */
    struct kept k = {0};
    GIVES(ELM_OK, elm_store_each_batch(s, 141, count_kept, &k, ERR));
    assert_int_equal(k.attempts, 5900);
    k = (struct kept){0};
    GIVES(ELM_OK, elm_store_each(s, 0, count_kept, &k, ERR));
    assert_int_equal(k.texts, (20000 + 10) / 11);
    assert_in_range(k.attempts, 5900 + 14100 / 11, 5900 + 14100 / 11 + 1100);
    struct elm_store_totals t;
    GIVES(ELM_OK, elm_store_totals(s, &t, ERR));
    assert_int_equal(t.attempts, 20000);
    assert_int_equal(t.newest_batch, 199);
    GIVES(ELM_OK, elm_store_close(s, ERR));
    check_packed_bytes(folder);
    s = rig_open(folder, ELM_STORE_RESUME);
    GIVES(ELM_OK, rig_append(s, 200, 20000, 100, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    rig_clean(folder);
}

/* ---- meta, progress, archive ---- */
static void meta_comes_back(void **state)
{
    (void)state;
    char folder[64];
    struct elm_buf value = {0};
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, rig_append(s, 0, 0, 1, ERR));
    GIVES(ELM_OK, elm_store_meta_put(s, "empty", (struct elm_str){0}, ERR));
    GIVES(ELM_OK, elm_store_meta_put(s, "bytes", (struct elm_str){"\0\xff", 2}, ERR));
    GIVES(ELM_OK, elm_store_meta_put(s, "twice", ELM_STR("one"), ERR));
    GIVES(ELM_OK, elm_store_meta_put(s, "twice", ELM_STR("two"), ERR));
    GIVES(ELM_OK, elm_store_meta_get(s, "twice", &value, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    s = rig_open(folder, ELM_STORE_READ);
    GIVES(ELM_OK, elm_store_meta_get(s, "bytes", &value, ERR));
    assert_memory_equal(value.ptr, "two\0\xff", 5);
    elm_buf_release(&value);
    GIVES(ELM_OK, elm_store_meta_get(s, "empty", &value, ERR));
    assert_string_equal(value.ptr, "");
    GIVES(ELM_NOT_FOUND, elm_store_meta_get(s, "none", &value, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    elm_buf_release(&value);
    rig_sql(folder, "UPDATE meta SET value = X'7478776F' WHERE key = 'twice'");
    s = rig_open(folder, ELM_STORE_READ);
    GIVES(ELM_CORRUPT, elm_store_meta_get(s, "twice", &value, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    rig_clean(folder);
}

static bool collect_progress(void *ctx, const struct elm_progress_row *r)
{
    struct elm_progress_row **at = ctx;
    *(*at)++ = *r;
    return true;
}

static bool collect_archive(void *ctx, const struct elm_archive_row *r)
{
    struct elm_archive_row **at = ctx;
    *(*at)++ = *r;
    return true;
}

static void progress_and_archive_come_back(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    struct elm_progress_row points[2] = {{1, 1, NAN, -INFINITY, 0, -0.5, 0},
                                         {INT64_MAX, 7, 1.5, 2.5, 1, 1e300, INT64_MAX}}, got[4];
    struct elm_progress_row *at = got;
    GIVES(ELM_OK, rig_append(s, 0, 0, 23, ERR));
    for (int i = 0; i < 2; i++)
        GIVES(ELM_OK, elm_store_progress(s, &points[i], ERR));
    GIVES(ELM_OK, elm_store_each_progress(s, collect_progress, &at, ERR));
    assert_int_equal(at - got, 2);
    assert_true(isnan(got[0].best));
    got[0].best = points[0].best;
    assert_memory_equal(got, points, sizeof(points));
    struct elm_archive_row old = {9, 0, 0.5, {0}};
    struct elm_archive_row elites[3] = {{UINT32_MAX, 22, 0.25, {1, 2, 3, -INFINITY}},
                                        {0, 11, DBL_MAX, {NAN, 0, 0, 0}},
                                        {7, 10, -1, {0}}};
    struct elm_archive_row elite[4], *next = elite;
    GIVES(ELM_OK, elm_store_archive_put(s, &old, 1, ERR));
    GIVES(ELM_OK, elm_store_archive_put(s, elites, 3, ERR));
    GIVES(ELM_OK, elm_store_each_archive(s, collect_archive, &next, ERR));
    assert_int_equal(next - elite, 3);
    assert_true(isnan(elite[1].measures[0]));
    elite[1].measures[0] = elites[1].measures[0];
    assert_memory_equal(elite, elites, sizeof(elites));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    assert_int_equal(rig_sql(folder, "SELECT length(text) = (SELECT text_bytes FROM v_program WHERE"
                             " id = 22) FROM v_archive WHERE program = 22"), 1);
    assert_int_equal(rig_sql(folder, "SELECT text IS NULL FROM v_archive WHERE program = 10"), 1);
    assert_int_equal(rig_sql(folder, "SELECT count(*) FROM v_progress"), 2);
    rig_clean(folder);
}

/* ---- snapshots ---- */
static void check_snapshot(const char *folder, int64_t wanted_batch, struct elm_str wanted)
{
    struct elm_store *s = rig_open(folder, ELM_STORE_READ);
    struct elm_buf got = {0};
    int64_t batch = -7;
    elm_buf_byte(&got, '>');
    GIVES(ELM_OK, elm_store_snapshot_get(s, &batch, &got, ERR));
    assert_int_equal(batch, wanted_batch);
    assert_true(elm_str_equal((struct elm_str){got.ptr + 1, got.len - 1}, wanted));
    elm_buf_release(&got);
    GIVES(ELM_OK, elm_store_close(s, ERR));
}

static void snapshots_fall_back(void **state)
{
    (void)state;
    char folder[64];
    struct elm_buf big = {0}, got = {0};
    struct elm_rng rng = elm_rng(5, 5);
    int64_t batch;
    for (int i = 0; i < 1300000; i++) {
        uint64_t bits = elm_rng_u64(&rng);
        elm_buf_add(&big, &bits, sizeof(bits));
    }
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, rig_append(s, 0, 0, 1, ERR));
    GIVES(ELM_NOT_FOUND, elm_store_snapshot_get(s, &batch, &got, ERR));
    for (int64_t b = 0; b < 4; b++)
        GIVES(ELM_OK, elm_store_snapshot_put(s, b, ELM_STR("small"), ERR));
    GIVES(ELM_OK, elm_store_snapshot_put(s, 4, (struct elm_str){0}, ERR));
    GIVES(ELM_OK, elm_store_snapshot_put(s, 9, elm_buf_str(&big), ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    check_snapshot(folder, 9, elm_buf_str(&big));
    assert_int_equal(rig_sql(folder, "SELECT count(DISTINCT batch) FROM snapshot"), 2);
    assert_int_equal(rig_sql(folder, "SELECT count(*) FROM snapshot"), 4);
    rig_sql(folder, "UPDATE snapshot SET bytes = zeroblob(length(bytes)) WHERE part = 1");
    check_snapshot(folder, 4, (struct elm_str){0});
    rig_sql(folder, "UPDATE snapshot SET length = 1 WHERE batch = 4");
    s = rig_open(folder, ELM_STORE_READ);
    GIVES(ELM_NOT_FOUND, elm_store_snapshot_get(s, &batch, &got, ERR));
    assert_int_equal(got.len, 0);
    GIVES(ELM_OK, elm_store_close(s, ERR));
    /* without the log there is nothing to start from */
    rig_sql(folder, "UPDATE run SET thinned_batch = 3");
    s = rig_open(folder, ELM_STORE_READ);
    GIVES(ELM_CORRUPT, elm_store_snapshot_get(s, &batch, &got, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    elm_buf_release(&big);
    elm_buf_release(&got);
    rig_clean(folder);
}

/* ---- views ---- */
static const char walk[] =
    "WITH RECURSIVE up(id) AS (SELECT max(id) FROM v_program UNION SELECT parent FROM v_lineage"
    " JOIN up ON program = id WHERE place = 1) SELECT min(id) = 0 AND count(*) > 2 FROM up";

static void views_lead_from_any_program_to_the_seed(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, elm_store_meta_put(s, "problem", ELM_STR("duel"), ERR));
    GIVES(ELM_OK, elm_store_meta_put(s, "operators", ELM_STR("semantic,tree,constants"), ERR));
    GIVES(ELM_OK, rig_append(s, 0, 0, 2000, ERR));
    /* a child waits, and is admitted by a rematch two batches on */
    struct elm_attempt child = {.id = 2000, .batch = 1, .operator_index = 1, .hash = 77,
                                .parents = {1991, 11}, .opponent = 1991, .edit = ELM_STR("e")};
    struct elm_attempt again = {.id = 4001, .batch = 3, .operator_index = 255,
                                .flags = ELM_ATTEMPT_REMATCH | 1 << ELM_ATTEMPT_MET_SHIFT,
                                .outcome = ELM_OUTCOME_IMPROVED, .better = ELM_BETTER_YES,
                                .parents = {2000, -1}, .opponent = 11, .text = ELM_STR("text")};
    GIVES(ELM_OK, elm_store_append(s, &child, 1, ERR));
    GIVES(ELM_OK, rig_append(s, 2, 2001, 2000, ERR));
    GIVES(ELM_OK, elm_store_append(s, &again, 1, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    assert_int_equal(rig_sql(folder, walk), 1);
    assert_int_equal(rig_sql(folder, "SELECT parent FROM v_lineage WHERE program = 4001"), 1991);
    assert_int_equal(rig_sql(folder, "SELECT origin = 2000 AND operator = 'tree' AND outcome ="
                             " 'improved' FROM v_program WHERE id = 4001"), 1);
    assert_int_equal(rig_sql(folder, "SELECT count(*) FROM v_lineage l LEFT JOIN v_program p ON"
                             " p.id = l.parent WHERE p.id IS NULL"), 0);
    assert_int_equal(rig_sql(folder, "SELECT count(*) FROM v_evaluation WHERE status = 'ok'"
                             " AND measure2 IS NOT NULL AND measure3 IS NULL"), 4000 / 11);
    assert_int_equal(rig_sql(folder, "SELECT problem = 'duel' AND attempts = 4002 AND batches = 4"
                             " AND created_utc > '2020' AND NOT thinned FROM v_run"), 1);
    assert_int_equal(rig_sql(folder, "SELECT sum(attempts) FROM v_count WHERE operator IN"
                             " ('seed', 'semantic', 'tree', 'constants') AND status IN ('ok',"
                             " 'duplicate', 'crashed') AND outcome IS NOT NULL"
                             " AND better IN ('undecided', 'no', 'yes')"), 4002);
    rig_clean(folder);
}

static void reading_beside_a_writer(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, rig_append(s, 0, 0, 1, ERR));
    GIVES(ELM_OK, elm_store_flush(s, ERR));
    struct elm_store *reader = rig_open(folder, ELM_STORE_READ);
    for (int64_t b = 1; b < 60; b++) {
        GIVES(ELM_OK, rig_append(s, b, 1 + (b - 1) * 70, 70, ERR));
        if (b % 4 == 0)
            GIVES(ELM_OK, elm_store_flush(s, ERR));
        struct wanted w = {0};
        GIVES(ELM_OK, elm_store_each(reader, 0, same_as_rig, &w, ERR));
        assert_int_equal(w.seen % 70, 1);
        assert_in_range(w.seen, 1 + b / 4 * 4 * 70, 1 + b * 70);
    }
    GIVES(ELM_OK, elm_store_close(s, ERR));
    struct wanted w = {0};
    GIVES(ELM_OK, elm_store_each(reader, 0, same_as_rig, &w, ERR));
    assert_int_equal(w.seen, 1 + 59 * 70);
    GIVES(ELM_OK, elm_store_close(reader, ERR));
    rig_clean(folder);
}

static void texts_come_back_against_their_bases(void **state)
{
    (void)state;
    char folder[64];
    struct elm_arena arena = {0};
    struct elm_buf got = {0};
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, rig_append(s, 0, 0, 3000, ERR));
    for (int64_t id = 0; id < 3000; id += 11) {
        elm_buf_clear(&got);
        GIVES(ELM_OK, elm_store_text(s, id, &got, ERR));
        assert_true(elm_str_equal(elm_buf_str(&got), rig_attempt(id, 0, &arena).text));
    }
    GIVES(ELM_NOT_FOUND, elm_store_text(s, 1, &got, ERR));
    GIVES(ELM_NOT_FOUND, elm_store_text(s, 3000, &got, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    assert_in_range(rig_sql(folder, "SELECT count(*) FROM program WHERE base IS NULL"), 1, 270);
    rig_sql(folder, "UPDATE program SET text = X'00' WHERE id = 1100");
    s = rig_open(folder, ELM_STORE_READ);
    GIVES(ELM_CORRUPT, elm_store_text(s, 1100, &got, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    elm_buf_release(&got);
    elm_arena_release(&arena);
    rig_clean(folder);
}

/* ---- versions ---- */
/* What a store of that version holds: 37 attempts, and these. */
struct version {
    const char *sql;
    uint32_t edits, texts;
    int64_t program, lineage;
    const char *text;
};
static const struct version older[] = {
    {"tests/unit/store_v1.sql", 36, 3, 20, 2,
     "void h(int a[4])\n{\n    a[0] = a[1] + 2 * a[3];\n}\n"},
    {"tests/unit/store_v2.sql", 35, 4, 22, 4,
     "int f(void)\n{\n    int x = 22;\n    return x * 301;\n}\n"},
};

static void write_version(const char *folder, const struct version *v)
{
    struct elm_buf sql = {0};
    char path[128];
    sqlite3 *db;
    GIVES(ELM_OK, elm_file_read(v->sql, 1 << 20, &sql, ERR));
    assert_int_equal(mkdir(folder, 0755), 0);
    snprintf(path, sizeof(path), "%s/elm.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql.ptr, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    elm_buf_release(&sql);
}

static void older_versions_are_migrated(void **state)
{
    (void)state;
    static const enum elm_store_mode modes[] = {ELM_STORE_RESUME, ELM_STORE_READ};
    for (size_t m = 0; m < ELM_COUNT(modes) * ELM_COUNT(older); m++) {
        const struct version *v = &older[m / 2];
        enum elm_store_mode mode = modes[m % 2];
        char folder[64];
        struct elm_buf text = {0};
        int64_t batch;
        rig_folder(folder);
        write_version(folder, v);
        struct elm_store *s = rig_open(folder, mode);
        struct kept k = {0};
        GIVES(ELM_OK, elm_store_each(s, 0, count_kept, &k, ERR));
        assert_int_equal(k.attempts, 37);
        assert_int_equal(k.edits, v->edits);
        assert_int_equal(k.texts, v->texts);
        GIVES(ELM_OK, elm_store_text(s, v->program, &text, ERR));
        assert_string_equal(text.ptr, v->text);
        elm_buf_clear(&text);
        GIVES(ELM_OK, elm_store_snapshot_get(s, &batch, &text, ERR));
        assert_string_equal(text.ptr, "the state after batch 2");
        if (mode == ELM_STORE_RESUME)
            GIVES(ELM_OK, rig_append(s, 5, 37, 30, ERR));
        GIVES(ELM_OK, elm_store_close(s, ERR));
        assert_int_equal(rig_sql(folder, "SELECT user_version FROM pragma_user_version"), 3);
        assert_int_equal(rig_sql(folder, "SELECT count(*) FROM v_lineage WHERE program < 37"),
                         v->lineage);
        /* 55 is odd, and passes what no program of an older version could say */
        assert_int_equal(rig_sql(folder, "SELECT count(*) FROM program WHERE passes IS NOT NULL"),
                         mode == ELM_STORE_RESUME);
        elm_buf_release(&text);
        rig_clean(folder);
    }
}

/* Which cases a program passes is under the checksum of its text. */
static void passes_are_vouched_for(void **state)
{
    (void)state;
    static const char *const damage[] = {
        "UPDATE program SET passes = X'00' WHERE id = 11",
        "UPDATE program SET passes = NULL WHERE id = 11",
        "UPDATE program SET passes = X'01' WHERE id = 22",
        "UPDATE program SET passes = zeroblob(129) WHERE id = 11",
    };
    for (size_t i = 0; i < ELM_COUNT(damage); i++) {
        char folder[64];
        struct kept k = {0};
        struct elm_attempt a = {.id = 34, .batch = 9, .passes = {folder, 129}};
        rig_folder(folder);
        struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
        GIVES(ELM_OK, rig_append(s, 0, 0, 34, ERR));
        GIVES(ELM_RANGE, elm_store_append(s, &a, 1, ERR));
        GIVES(ELM_OK, elm_store_close(s, ERR));
        rig_sql(folder, damage[i]);
        s = rig_open(folder, ELM_STORE_READ);
        GIVES(ELM_CORRUPT, elm_store_each(s, 0, count_kept, &k, ERR));
        k = (struct kept){0};
        GIVES(ELM_OK, elm_store_attempt(s, 0, count_kept, &k, ERR));
        assert_int_equal(k.texts, 1);
        GIVES(ELM_OK, elm_store_close(s, ERR));
        rig_clean(folder);
    }
}

static void newer_and_foreign_files_are_refused(void **state)
{
    (void)state;
    char folder[64];
    struct elm_error err = {0};
    struct elm_store *s;
    rig_folder(folder);
    s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, rig_append(s, 0, 0, 1, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    rig_sql(folder, "PRAGMA user_version = 99");
    for (enum elm_store_mode m = ELM_STORE_CREATE; m <= ELM_STORE_READ; m++) {
        assert_int_equal(elm_store_open(folder, m, &s, &err), ELM_VERSION_TOO_NEW);
        assert_non_null(strstr(err.message, "99"));
        assert_non_null(strstr(err.message, "use the elm that made it"));
    }
    rig_sql(folder, "PRAGMA user_version = 3");
    rig_sql(folder, "PRAGMA application_id = 5");
    GIVES(ELM_CORRUPT, elm_store_open(folder, ELM_STORE_READ, &s, ERR));
    GIVES(ELM_CORRUPT, elm_store_open(folder, ELM_STORE_RESUME, &s, ERR));
    rig_clean(folder);
}

/* ---- folders ---- */
static void a_folder_holds_one_run_and_one_writer(void **state)
{
    (void)state;
    char folder[64], mine[32];
    struct elm_error err = {0};
    struct elm_store *s, *other;
    rig_folder(folder);
    GIVES(ELM_NOT_FOUND, elm_store_open(folder, ELM_STORE_RESUME, &s, ERR));
    GIVES(ELM_NOT_FOUND, elm_store_open(folder, ELM_STORE_READ, &s, ERR));
    GIVES(ELM_USAGE, elm_store_open("", ELM_STORE_CREATE, &s, ERR));
    GIVES(ELM_NOT_FOUND, elm_store_delete(folder, ERR));
    /* a run begins with its first batch */
    s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, elm_store_meta_put(s, "seed", ELM_STR("1"), ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    GIVES(ELM_NOT_FOUND, elm_store_open(folder, ELM_STORE_RESUME, &s, ERR));
    s = rig_open(folder, ELM_STORE_CREATE);
    struct elm_buf value = {0};
    GIVES(ELM_NOT_FOUND, elm_store_meta_get(s, "seed", &value, ERR));
    GIVES(ELM_OK, rig_append(s, 0, 0, 1, ERR));
    GIVES(ELM_OK, elm_store_flush(s, ERR));
    snprintf(mine, sizeof(mine), "process %ld ", (long)getpid());
    for (enum elm_store_mode m = ELM_STORE_CREATE; m <= ELM_STORE_RESUME; m++) {
        assert_int_equal(elm_store_open(folder, m, &other, &err), ELM_LOCKED);
        assert_non_null(strstr(err.message, mine));
    }
    GIVES(ELM_LOCKED, elm_store_delete(folder, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    GIVES(ELM_EXISTS, elm_store_open(folder, ELM_STORE_CREATE, &s, ERR));
    s = rig_open(folder, ELM_STORE_RESUME);
    GIVES(ELM_OK, elm_store_close(s, ERR));
    rig_clean(folder);
}

static void put_file(const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    GIVES(ELM_OK, elm_file_write(path, ELM_STR("x"), ERR));
}

static void deleting_takes_the_run_and_nothing_else(void **state)
{
    (void)state;
    char folder[64], path[128];
    rig_folder(folder);
    snprintf(path, sizeof(path), "%s/deep/er", folder);
    struct elm_store *s = rig_open(path, ELM_STORE_CREATE);
    GIVES(ELM_OK, rig_append(s, 0, 0, 5, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    put_file(path, "best.c");
    put_file(path, "best.svg");
    put_file(path, "notes.txt");
    GIVES(ELM_OK, elm_store_delete(path, ERR));
    strcat(path, "/notes.txt");
    assert_int_equal(access(path, F_OK), 0);
    *strrchr(path, '/') = '\0';
    GIVES(ELM_NOT_FOUND, elm_store_delete(path, ERR));
    strcat(path, "/lock");
    assert_int_not_equal(access(path, F_OK), 0);
    strcpy(strrchr(path, '/'), "/notes.txt");
    assert_int_equal(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
    rig_clean(folder);
}

/* ---- hostile rows ---- */
static void any_bytes_may_be_unpacked(void **state)
{
    (void)state;
    struct elm_arena arena = {0}, out = {0};
    struct elm_attempt *a = elm_malloc(300 * sizeof(*a)), *got;
    struct elm_buf row = {0}, bent = {0};
    struct packer *p = packer_new();
    for (int64_t i = 0; i < 300; i++)
        a[i] = rig_attempt(i + 1, i / 32, &arena);
    pack_encode(p, a, 300, &row);
    assert_true(pack_decode(elm_buf_str(&row), 1, 300, &out, &got));
    assert_false(pack_decode(elm_buf_str(&row), 1, 299, &out, &got));
    assert_false(pack_decode(elm_buf_str(&row), INT64_MAX, 300, &out, &got));
    assert_false(pack_decode(elm_buf_str(&row), 1, 0, &out, &got));
    for (size_t len = 0; len < row.len; len += 7)
        assert_false(pack_decode((struct elm_str){row.ptr, len}, 1, 300, &out, &got));
    struct elm_rng rng = elm_rng(3, 3);
    for (int i = 0; i < 20000; i++) {
        elm_buf_clear(&bent);
        elm_buf_add_str(&bent, elm_buf_str(&row));
        for (uint32_t n = elm_rng_below(&rng, 3); n < 3; n++)
            bent.ptr[elm_rng_below(&rng, (uint32_t)bent.len)] = (char)elm_rng_u64(&rng);
        elm_arena_clear(&out);
        if (!pack_decode(elm_buf_str(&bent), 1, 300, &out, &got))
            continue;
        for (uint32_t k = 0; k < 300; k++)
            assert_true(got[k].status < ELM_EVAL_STATUSES && strlen(got[k].why) < 48);
    }
    packer_free(p);
    free(a);
    elm_buf_release(&row);
    elm_buf_release(&bent);
    elm_arena_release(&arena);
    elm_arena_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extremes_come_back),
        cmocka_unit_test(batches_are_merged_and_read_from_anywhere),
        cmocka_unit_test(what_does_not_follow_is_refused),
        cmocka_unit_test(good_drops_edits_of_what_was_not_admitted),
        cmocka_unit_test(stats_keeps_what_was_admitted_and_what_resuming_needs),
        cmocka_unit_test(meta_comes_back),
        cmocka_unit_test(progress_and_archive_come_back),
        cmocka_unit_test(snapshots_fall_back),
        cmocka_unit_test(views_lead_from_any_program_to_the_seed),
        cmocka_unit_test(reading_beside_a_writer),
        cmocka_unit_test(texts_come_back_against_their_bases),
        cmocka_unit_test(older_versions_are_migrated),
        cmocka_unit_test(passes_are_vouched_for),
        cmocka_unit_test(newer_and_foreign_files_are_refused),
        cmocka_unit_test(a_folder_holds_one_run_and_one_writer),
        cmocka_unit_test(deleting_takes_the_run_and_nothing_else),
        cmocka_unit_test(any_bytes_may_be_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
