/*
 * store: one SQLite file, elm.db, in a run's folder. One writer (a thread of its own, group commit
 * every 10 ms, WAL, synchronous FULL), any number of readers. Everything attempted is kept.
 *
 * Attempts are packed: up to 1,024 of them in one zstd-compressed row, written in order of id
 * and whole batches only, so that what a kill leaves behind ends between two batches.
 * Admitted programs (outcome IMPROVED or NEW, and the seed, id 0) have a row and full text of their own.
 * The documented views v_run, v_program, v_evaluation, v_lineage, v_archive, v_progress, v_count,
 * v_call are the public API for other programs; raw tables are private. docs/store.md describes both.
 */
#ifndef ELM_STORE_H
#define ELM_STORE_H

#include "elm/program.h"

struct elm_attempt {
    int64_t id;                  /* 0 = seed, then 1, 2, ... without gaps */
    int64_t batch;
    uint8_t operator_index;      /* in the run's operator list (meta "operators"); 255: the seed */
    uint8_t status;              /* enum elm_eval_status */
    uint8_t outcome;             /* enum elm_outcome */
    uint8_t better;              /* enum elm_better */
    uint8_t flags;               /* ELM_ATTEMPT_* */
    int64_t parents[2];          /* -1: none */
    uint64_t hash;               /* normal form; 0 when there is no tree */
    double fitness;
    double measures[ELM_MEASURES_MAX];
    uint32_t measure_count;
    uint64_t steps;
    int64_t opponent;            /* comparison judge: whom it met, -1 */
    int64_t arrival_us;          /* since the run's start; information only */
    struct elm_str edit;         /* encoded edits against parents[0]; for text operators the text */
    struct elm_str text;         /* full text of an admitted program, else none */
    struct elm_str passes;       /* of an admitted program, where the selector needs them: a bit
                                    for each scored case, the first one lowest in byte 0 */
    char why[48];
};
#define ELM_ATTEMPT_REINTRODUCED 1    /* brings back lines an ancestor deleted */
#define ELM_ATTEMPT_TEXT 2            /* `edit` is the child's text, not an edit */
#define ELM_ATTEMPT_REMATCH 4         /* a comparison with another opponent of an earlier child:
                                         parents[0] is that child's id */
#define ELM_ATTEMPT_MET_SHIFT 4       /* REMATCH: opponents met before, 1..8, in the high bits */
#define ELM_ATTEMPT_GROUP_SHIFT 4     /* others: the archive's group that parents[0] was drawn from */

/* What a model was asked and what it answered for one attempt. */
struct elm_call {
    int64_t attempt;
    uint8_t end;                 /* enum elm_reply_end */
    uint32_t prompt_tokens, tokens;
    double money;
    int64_t wall_us;             /* information only */
    struct elm_str prompt, answer;
    struct elm_str token_ids;    /* int32_t each; empty: unknown */
    struct elm_str logprobs;     /* float each; empty: unknown */
    struct elm_str why;          /* no answer: the reason */
};

struct elm_store;
enum elm_store_mode { ELM_STORE_CREATE, ELM_STORE_RESUME, ELM_STORE_READ };
enum elm_keep { ELM_KEEP_ALL, ELM_KEEP_GOOD, ELM_KEEP_STATS };  /* all attempts; admitted programs
                                          plus attempts' numbers without edits; admitted only,
                                          and what resuming needs: GOOD's since the older of the
                                          two snapshots */

/* Opens FOLDER/elm.db. CREATE makes the folder (ELM_EXISTS if it holds a run); RESUME takes the
 * run's lock (ELM_LOCKED: another process holds it, its pid named) and migrates older schemas;
 * READ works beside a writer. A run begins with its first batch: one that ended before is
 * ELM_NOT_FOUND to RESUME and made anew by CREATE. Fails: ELM_NOT_FOUND, ELM_CORRUPT,
 * ELM_VERSION_TOO_NEW, ELM_IO (read-only folder ...), ELM_FULL. */
enum elm_status elm_store_open(const char *folder, enum elm_store_mode mode, struct elm_store **out,
                               struct elm_error *err);
/* Writes what is pending, then closes; `s` may be NULL. Returns the writer's first error, if any. */
enum elm_status elm_store_close(struct elm_store *s, struct elm_error *err);

/* Key and value that describe the run ("problem", "seed", "operators", "config", ...). */
enum elm_status elm_store_meta_put(struct elm_store *s, const char *key, struct elm_str value,
                                   struct elm_error *err);
/* ELM_NOT_FOUND when there is no such key. */
enum elm_status elm_store_meta_get(struct elm_store *s, const char *key, struct elm_buf *value,
                                   struct elm_error *err);

void elm_store_set_keep(struct elm_store *s, enum elm_keep keep);
/* Queues one whole batch, in order of id (copies); blocks while the queue is full. Returns the
 * writer's error if it has failed (ELM_FULL, ELM_IO): nothing after the last commit is kept then.
 * Search thread only. */
enum elm_status elm_store_append(struct elm_store *s, const struct elm_attempt *attempts,
                                 uint32_t count, struct elm_error *err);
/* Queues the calls of one batch (copies), before the batch itself and as soon as they are answered,
 * so that what was paid for is counted whatever happens next, and an answer of a batch that a stop
 * left unfinished is not asked for again. A question that is has two calls; the newest is the
 * attempt's. Search thread only. */
enum elm_status elm_store_calls(struct elm_store *s, const struct elm_call *calls, uint32_t count,
                                struct elm_error *err);
/* The newest call of an attempt; views live in `arena`. ELM_NOT_FOUND when no model was asked. */
enum elm_status elm_store_call(struct elm_store *s, int64_t attempt, struct elm_arena *arena,
                               struct elm_call *out, struct elm_error *err);
struct elm_call_totals {
    int64_t calls, tokens;       /* prompt and answer tokens */
    double money;
};
enum elm_status elm_store_call_totals(struct elm_store *s, struct elm_call_totals *out,
                                      struct elm_error *err);
/* A point of the curve, kept as a row for v_progress. */
struct elm_progress_row {
    int64_t attempts, evaluations;
    double best, mean, coverage, qd_score;
    int64_t wall_us;
};
enum elm_status elm_store_progress(struct elm_store *s, const struct elm_progress_row *row,
                                   struct elm_error *err);
/* The state after `batch` as the search wrote it; only the newest two are kept. */
enum elm_status elm_store_snapshot_put(struct elm_store *s, int64_t batch, struct elm_str state,
                                       struct elm_error *err);
/* ELM_NOT_FOUND when there is none. Checked by a checksum; a bad newest one falls back to the
 * one before. */
enum elm_status elm_store_snapshot_get(struct elm_store *s, int64_t *batch, struct elm_buf *state,
                                       struct elm_error *err);
/* Replaces the rows of v_archive. */
struct elm_archive_row {
    uint32_t niche;
    int64_t program;
    double fitness;
    double measures[ELM_MEASURES_MAX];
};
enum elm_status elm_store_archive_put(struct elm_store *s, const struct elm_archive_row *rows,
                                      uint32_t count, struct elm_error *err);
/* Waits until everything queued is on disk. */
enum elm_status elm_store_flush(struct elm_store *s, struct elm_error *err);

/* Calls `each` for every attempt with id >= from, in order (views borrowed for the call), until it
 * returns false. Packed rows are checked by checksum: ELM_CORRUPT names the row. */
enum elm_status elm_store_each(struct elm_store *s, int64_t from,
                               bool (*each)(void *ctx, const struct elm_attempt *a), void *ctx,
                               struct elm_error *err);
/* Attempts of batches >= from_batch only: cheap for the tail after a snapshot. */
enum elm_status elm_store_each_batch(struct elm_store *s, int64_t from_batch,
                                     bool (*each)(void *ctx, const struct elm_attempt *a),
                                     void *ctx, struct elm_error *err);
enum elm_status elm_store_attempt(struct elm_store *s, int64_t id,
                                  bool (*each)(void *ctx, const struct elm_attempt *a), void *ctx,
                                  struct elm_error *err);
/* Full text of an admitted program. ELM_NOT_FOUND otherwise. */
enum elm_status elm_store_text(struct elm_store *s, int64_t id, struct elm_buf *text,
                               struct elm_error *err);
struct elm_store_totals {
    int64_t attempts, batches, admitted;
    int64_t file_bytes, packed_bytes;
    int64_t newest_batch;        /* -1: none */
};
enum elm_status elm_store_totals(struct elm_store *s, struct elm_store_totals *out,
                                 struct elm_error *err);
enum elm_status elm_store_each_progress(struct elm_store *s,
                                        bool (*each)(void *ctx, const struct elm_progress_row *r),
                                        void *ctx, struct elm_error *err);
enum elm_status elm_store_each_archive(struct elm_store *s,
                                       bool (*each)(void *ctx, const struct elm_archive_row *r),
                                       void *ctx, struct elm_error *err);
/* Removes a run folder's files (elm.db*, best.*, lock) and then the folder if empty; refuses folders that hold
 * no run, and locked ones. */
enum elm_status elm_store_delete(const char *folder, struct elm_error *err);
/* The same for a run that never began: best.* is not its own, and stays. */
enum elm_status elm_store_discard(const char *folder, struct elm_error *err);

#endif
