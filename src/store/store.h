/*
 * store: what an open store holds. Private to src/store.
 *
 *     search thread -> queue.c (messages) -> write.c (one transaction each 10 ms) -> elm.db
 *                                            read.c (short reads, under the same db_lock)
 */
#ifndef ELM_STORE_STORE_H
#define ELM_STORE_STORE_H

#include <pthread.h>
#include <sqlite3.h>

#include "store/pack.h"

#define STORE_VERSION 3
#define STORE_APPLICATION 0x656c6d31    /* "elm1" */

enum sql {
    SQL_BEGIN, SQL_BEGIN_READ, SQL_COMMIT, SQL_ROLLBACK,
    SQL_RUN_GET, SQL_RUN_PUT,
    SQL_META_PUT, SQL_META_GET, SQL_WORD_PUT,
    SQL_PACK_PUT, SQL_PACK_DROP, SQL_PACK_FROM, SQL_PACK_OF_BATCH,
    SQL_PROGRAM_PUT, SQL_PROGRAM_BASE, SQL_PROGRAM_TEXT,
    SQL_TALLY_ADD,
    SQL_PROGRESS_PUT, SQL_PROGRESS_NEXT,
    SQL_ARCHIVE_CLEAR, SQL_ARCHIVE_PUT, SQL_ARCHIVE_NEXT,
    SQL_SNAPSHOT_PUT, SQL_SNAPSHOT_DROP, SQL_SNAPSHOT_BEFORE, SQL_SNAPSHOT_PART,
    SQL_CALL_PUT, SQL_CALL_GET, SQL_CALL_TOTALS, SQL_PROMPT_PUT, SQL_PROMPT_GET,
    SQL_STATEMENTS,
};

/* The one row of table `run`. */
struct run {
    int64_t attempts, batches, admitted, packed_bytes;
    int64_t next_id, newest_batch;
    int64_t tail_first;        /* packed rows from this id on may still be merged */
    int64_t thinned_batch;     /* up to here only admitted attempts are left; -1: all are */
};

enum message_kind {
    MESSAGE_BATCH, MESSAGE_META, MESSAGE_PROGRESS, MESSAGE_SNAPSHOT, MESSAGE_ARCHIVE,
    MESSAGE_CALLS,
};
struct message {
    struct message *next;
    enum message_kind kind;
    enum elm_keep keep;
    size_t bytes;                    /* of the whole message, for the bound of the queue */
    uint32_t count;                  /* attempts, archive rows or calls */
    struct elm_attempt *attempts;
    struct elm_archive_row *rows;
    struct elm_call *calls;
    struct elm_progress_row progress;
    int64_t batch;                   /* snapshot */
    struct elm_str key, value;       /* meta; a snapshot's state is `value` */
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t wake;             /* the writer: there is work */
    pthread_cond_t moved;            /* clients: something was taken, written or failed */
    struct message *first, **last;
    size_t bytes;
    uint64_t put, written;           /* messages so far */
    int64_t since_us;                /* arrival of the oldest one */
    bool hurry, stop;
    struct elm_error failure;        /* status 0: none */
    pthread_t thread;
    bool running;
};

struct elm_store {
    char *folder, *path;             /* path: FOLDER/elm.db */
    enum elm_store_mode mode;
    int lock_fd;                     /* -1 in READ */
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    pthread_mutex_t db_lock;         /* recursive; guards db, statements, unzip, bases */
    struct ZSTD_DCtx_s *unzip;
    struct base {                    /* texts that others are compressed against, by id */
        int64_t id;
        struct elm_buf text;         /* empty: none */
    } bases[256];
    enum elm_keep keep;              /* search thread */
    int64_t next_id, newest_batch;   /* search thread: as queued */
    struct queue queue;
    struct writer *writer;           /* NULL in READ */
};

/* ---- sql.c ---- */
/* elm_fail for what SQLite says of the last call. `what`: "write", "read". */
enum elm_status sql_fail(struct elm_store *s, const char *what, struct elm_error *err);
/* The statement, reset and ready to bind. */
enum elm_status sql_get(struct elm_store *s, enum sql which, sqlite3_stmt **out,
                        struct elm_error *err);
/* Steps a statement that gives no rows. */
enum elm_status sql_do(struct elm_store *s, sqlite3_stmt *statement, struct elm_error *err);
enum elm_status sql_run(struct elm_store *s, enum sql which, struct elm_error *err);
/* Steps to the next row. *found is false after the last; the statement is reset then. */
enum elm_status sql_row(struct elm_store *s, sqlite3_stmt *statement, bool *found,
                        struct elm_error *err);
enum elm_status sql_exec(struct elm_store *s, const char *text, struct elm_error *err);
struct elm_str sql_bytes(sqlite3_stmt *statement, int column);    /* borrowed until the next step */
double sql_double(sqlite3_stmt *statement, int column);           /* NULL is NaN */
void sql_bind_bytes(sqlite3_stmt *statement, int index, struct elm_str bytes);
void sql_lock(struct elm_store *s);
void sql_unlock(struct elm_store *s);
void sql_close(struct elm_store *s);

/* ---- schema.c ---- */
/* The version of an open file: 0 when it has no tables yet, else 1 .. STORE_VERSION.
 * Fails: ELM_VERSION_TOO_NEW, ELM_CORRUPT (not a run). */
enum elm_status schema_version(struct elm_store *s, int *version, struct elm_error *err);
enum elm_status schema_create(struct elm_store *s, struct elm_error *err);
/* Brings an older one up to date, all in one transaction. */
enum elm_status schema_migrate(struct elm_store *s, int version, struct elm_error *err);
/* Forgets a run that ended before its first batch. */
enum elm_status schema_clear(struct elm_store *s, struct elm_error *err);

/* ---- lock.c ---- */
/* ELM_LOCKED names the process that has it. Closing the descriptor gives it back. */
enum elm_status store_lock(const char *folder, int *fd, struct elm_error *err);

/* ---- queue.c ---- */
void store_queue_init(struct queue *q);
void store_queue_release(struct queue *q);
enum elm_status store_queue_start(struct elm_store *s, struct elm_error *err);
/* Writes the rest, ends the thread; the writer's first error. */
enum elm_status store_queue_stop(struct elm_store *s, struct elm_error *err);
/* Takes the message. */
enum elm_status store_queue_put(struct elm_store *s, struct message *m, struct elm_error *err);

/* ---- text.c: full texts, each against the text of an ancestor ---- */
struct text_packer {
    struct ZSTD_CCtx_s *zip;
    struct elm_buf packed;
};
struct packed_text {
    struct elm_str bytes;            /* borrowed until the next */
    int64_t base, sum;               /* base -1: it stands alone */
};
enum elm_status store_text_pack(struct elm_store *s, struct text_packer *p,
                                const struct elm_attempt *a, int64_t parent,
                                struct packed_text *out, struct elm_error *err);
/* ELM_NOT_FOUND when the program or its text is not there. Appends; `passes` is nullable. */
enum elm_status store_text_get(struct elm_store *s, int64_t id, struct elm_buf *text,
                               struct elm_buf *passes, struct elm_error *err);
/* The same, but *found without a ptr when there is none. It borrows from `text`. */
enum elm_status store_text_find(struct elm_store *s, int64_t id, struct elm_buf *text,
                                struct elm_buf *passes, struct elm_str *found,
                                struct elm_error *err);

/* ---- write.c: the writer's thread, but for store_writer_open and store_writer_free ---- */
struct tail {                        /* attempts whose row is still open */
    struct elm_attempt items[PACK_ATTEMPTS_MAX];
    struct elm_arena arena;          /* their edits */
    uint32_t count, written;         /* written: those in rows of this or an earlier commit */
    size_t bytes;                    /* of edits */
    int64_t packed_bytes;            /* of the rows that hold the written ones */
};
/* There must be room. Copies; without the text, and without the edit where it is not kept. */
void store_tail_add(struct tail *t, const struct elm_attempt *a, enum elm_keep keep);
void store_tail_clear(struct tail *t);
struct writer {
    struct run run;
    struct packer *packer;
    struct text_packer text;
    struct elm_buf packed;
    struct tail tail;
    struct tally {
        uint8_t operator_index, status, outcome, better;
        int64_t count;
    } tally[256];
    uint32_t tally_count;
};
enum elm_status store_writer_open(struct elm_store *s, struct elm_error *err);
void store_writer_free(struct writer *w);
/* One transaction with every message of the list. */
enum elm_status store_commit(struct elm_store *s, const struct message *list,
                             struct elm_error *err);
/* Joins the open rows into one. */
enum elm_status store_finish(struct elm_store *s, struct elm_error *err);
/* Inserts one packed row. */
enum elm_status store_put_row(struct elm_store *s, const struct elm_attempt *attempts,
                              uint32_t count, struct elm_error *err);
enum elm_status store_drop_rows(struct elm_store *s, int64_t first, int64_t before,
                                struct elm_error *err);

/* ---- admit.c: the row of an admitted program ---- */
enum elm_status store_admit(struct elm_store *s, const struct elm_attempt *a,
                            struct elm_error *err);

/* ---- put.c: everything else that a message can hold ---- */
enum elm_status store_put_meta(struct elm_store *s, const struct message *m, struct elm_error *err);
enum elm_status store_put_progress(struct elm_store *s, const struct message *m,
                                   struct elm_error *err);
enum elm_status store_put_archive(struct elm_store *s, const struct message *m,
                                  struct elm_error *err);
enum elm_status store_put_snapshot(struct elm_store *s, const struct message *m,
                                   struct elm_error *err);
int64_t store_meta_sum(struct elm_str key, struct elm_str value);
/* The newest snapshot before `batch`; -1 when there is none. */
enum elm_status store_snapshot_before(struct elm_store *s, int64_t batch, int64_t *before,
                                      struct elm_error *err);
int64_t store_snapshot_sum(int64_t batch, int part, int parts, struct elm_str packed);
/* ---- call.c ---- */
enum elm_status store_put_calls(struct elm_store *s, const struct message *m,
                                struct elm_error *err);

/* ---- thin.c ---- */
/* Drops what ELM_KEEP_STATS does not keep, up to a batch. */
enum elm_status store_thin(struct elm_store *s, int64_t upto_batch, struct elm_error *err);

/* ---- read.c ---- */
enum elm_status store_run_get(struct elm_store *s, struct run *out, struct elm_error *err);
/* The packed row that holds `id`, or the first one after it; checked. Count 0: there is none.
 * The attempts live in the arena. */
struct packed_row {
    struct elm_attempt *attempts;
    uint32_t count;
    int64_t bytes;
};
enum elm_status store_read_row(struct elm_store *s, int64_t id, struct elm_arena *arena,
                               struct packed_row *out, struct elm_error *err);
/* The first id of the first row with attempts of `batch` or later; -1 when there is none. */
enum elm_status store_first_of_batch(struct elm_store *s, int64_t batch, int64_t *first,
                                     struct elm_error *err);
int64_t store_row_sum(int64_t first, int64_t last, int64_t last_batch, uint32_t count,
                      struct elm_str bytes);

#endif
