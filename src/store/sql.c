/* sql: every statement of the store, prepared once, and what SQLite's errors mean to a user. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

static const char *const statement_text[SQL_STATEMENTS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_RUN_GET] = "SELECT attempts, batches, admitted, packed_bytes, next_id, newest_batch,"
                    " tail_first, thinned_batch FROM run",
    [SQL_RUN_PUT] = "UPDATE run SET attempts = ?1, batches = ?2, admitted = ?3,"
                    " packed_bytes = ?4, next_id = ?5, newest_batch = ?6, tail_first = ?7,"
                    " thinned_batch = ?8",
    [SQL_META_PUT] = "REPLACE INTO meta(key, value, sum) VALUES(?1, ?2, ?3)",
    [SQL_META_GET] = "SELECT value, sum FROM meta WHERE key = ?1",
    [SQL_WORD_PUT] = "REPLACE INTO word(kind, code, name) VALUES(?1, ?2, ?3)",
    [SQL_PACK_PUT] = "INSERT INTO pack(first, last, last_batch, count, sum, bytes)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_PACK_DROP] = "DELETE FROM pack WHERE first >= ?1 AND first < ?2",
    [SQL_PACK_FROM] = "SELECT first, last, last_batch, count, sum, bytes FROM pack"
                      " WHERE first >= coalesce((SELECT max(first) FROM pack WHERE first <= ?1),"
                      " ?1) AND last >= ?1 ORDER BY first LIMIT 1",
    [SQL_PACK_OF_BATCH] = "SELECT first FROM pack WHERE last_batch >= ?1"
                          " ORDER BY last_batch, first LIMIT 1",
    [SQL_PROGRAM_PUT] = "INSERT INTO program(id, origin, batch, operator, outcome, better,"
                        " parent, other_parent, opponent, fitness, measure1, measure2, measure3,"
                        " measure4, steps, arrival_us, text_bytes, base, sum, text, passes)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
                        " ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    [SQL_PROGRAM_BASE] = "SELECT coalesce(base, id) FROM program"
                         " WHERE id = ?1 AND text IS NOT NULL",
    [SQL_PROGRAM_TEXT] = "SELECT text_bytes, base, sum, text, passes FROM program"
                         " WHERE id = ?1 AND text IS NOT NULL",
    [SQL_TALLY_ADD] = "INSERT INTO tally(operator, status, outcome, better, attempts)"
                      " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE"
                      " SET attempts = attempts + excluded.attempts",
    [SQL_PROGRESS_PUT] = "INSERT INTO progress(attempts, evaluations, best, mean, coverage,"
                         " qd_score, wall_us) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_PROGRESS_NEXT] = "SELECT place, attempts, evaluations, best, mean, coverage, qd_score,"
                          " wall_us FROM progress WHERE place > ?1 ORDER BY place LIMIT 1",
    [SQL_ARCHIVE_CLEAR] = "DELETE FROM archive",
    [SQL_ARCHIVE_PUT] = "INSERT INTO archive(niche, program, fitness, measure1, measure2,"
                        " measure3, measure4, text) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [SQL_ARCHIVE_NEXT] = "SELECT place, niche, program, fitness, measure1, measure2, measure3,"
                         " measure4 FROM archive WHERE place > ?1 ORDER BY place LIMIT 1",
    [SQL_SNAPSHOT_PUT] = "INSERT INTO snapshot(batch, part, parts, length, sum, bytes)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_SNAPSHOT_DROP] = "DELETE FROM snapshot WHERE batch = ?1 OR batch < (SELECT max(batch)"
                          " FROM snapshot WHERE batch < ?1)",
    [SQL_SNAPSHOT_BEFORE] = "SELECT max(batch) FROM snapshot WHERE batch < ?1",
    [SQL_SNAPSHOT_PART] = "SELECT parts, length, sum, bytes FROM snapshot"
                          " WHERE batch = ?1 AND part = ?2",
    [SQL_CALL_PUT] = "INSERT INTO call(attempt, prompt, place, finish, prompt_tokens, tokens,"
                     " money, logprob, wall_us, why, answer, token_ids, logprobs) VALUES(?1, ?2,"
                     " ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [SQL_CALL_GET] = "SELECT prompt, place, finish, prompt_tokens, tokens, money, wall_us, why,"
                     " answer, token_ids, logprobs FROM call WHERE attempt = ?1"
                     " ORDER BY id DESC LIMIT 1",
    [SQL_CALL_TOTALS] = "SELECT count(*), coalesce(sum(prompt_tokens + tokens), 0),"
                        " coalesce(sum(money), 0.0) FROM call",
    [SQL_PROMPT_PUT] = "INSERT INTO prompt(length, sum, bytes) VALUES(?1, ?2, ?3)",
    [SQL_PROMPT_GET] = "SELECT length, sum, bytes FROM prompt WHERE id = ?1",
};

static bool disk_is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* What the system said last of elm.db or its log; SQLite itself knows it only after an open. */
static int system_error(sqlite3 *db)
{
    int error = sqlite3_system_errno(db);
    sqlite3_file *log = NULL;
    if (error == 0)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
    if (error == 0)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log != NULL && log->pMethods != NULL)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

enum elm_status sql_fail(struct elm_store *s, const char *what, struct elm_error *err)
{
    int code = sqlite3_extended_errcode(s->db), error = system_error(s->db);
    const char *message = sqlite3_errmsg(s->db);
    switch (code & 0xff) {
    case SQLITE_FULL:
        return elm_fail(err, ELM_FULL, "cannot %s '%s': the disk is full; free some space and run "
                        "the same command again", what, s->path);
    case SQLITE_IOERR:
        if (disk_is_full(error)) {
            return elm_fail(err, ELM_FULL, "cannot %s '%s': %s; free some space and run the same "
                            "command again", what, s->path, strerror(error));
        }
        return elm_fail(err, ELM_IO, "cannot %s '%s': %s", what, s->path,
                        error != 0 ? strerror(error) : message);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    /* our own statements fail so only when tables are not what they were */
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
        return elm_fail(err, ELM_CORRUPT, "'%s' is damaged: %s; restore it from a copy, or save "
                        "what is readable with `sqlite3 elm.db .recover`", s->path, message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return elm_fail(err, ELM_LOCKED, "cannot %s '%s': another program keeps it locked", what,
                        s->path);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return elm_fail(err, ELM_IO, "cannot %s '%s': %s", what, s->path,
                        error != 0 ? strerror(error) : message);
    default:
        return elm_fail(err, ELM_FAIL, "cannot %s '%s': %s", what, s->path, message);
    }
}

enum elm_status sql_get(struct elm_store *s, enum sql which, sqlite3_stmt **out,
                        struct elm_error *err)
{
    sqlite3_stmt **statement = &s->statements[which];
    *out = NULL;
    if (*statement == NULL &&
        sqlite3_prepare_v3(s->db, statement_text[which], -1, SQLITE_PREPARE_PERSISTENT, statement,
                           NULL) != SQLITE_OK)
        return sql_fail(s, "read", err);
    sqlite3_reset(*statement);
    *out = *statement;
    return ELM_OK;
}

enum elm_status sql_row(struct elm_store *s, sqlite3_stmt *statement, bool *found,
                        struct elm_error *err)
{
    int code = sqlite3_step(statement);
    *found = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return ELM_OK;
    enum elm_status status = code == SQLITE_DONE ? ELM_OK : sql_fail(s, "read", err);
    sqlite3_reset(statement);
    return status;
}

enum elm_status sql_do(struct elm_store *s, sqlite3_stmt *statement, struct elm_error *err)
{
    int code = sqlite3_step(statement);
    enum elm_status status = code == SQLITE_DONE || code == SQLITE_ROW
                                 ? ELM_OK
                                 : sql_fail(s, "write", err);
    sqlite3_reset(statement);
    return status;
}

enum elm_status sql_run(struct elm_store *s, enum sql which, struct elm_error *err)
{
    sqlite3_stmt *statement;
    ELM_TRY(sql_get(s, which, &statement, err));
    return sql_do(s, statement, err);
}

enum elm_status sql_exec(struct elm_store *s, const char *text, struct elm_error *err)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ? ELM_OK
                                                                    : sql_fail(s, "write", err);
}

struct elm_str sql_bytes(sqlite3_stmt *statement, int column)
{
    /* sqlite3_column_bytes must come second */
    const char *bytes = sqlite3_column_blob(statement, column);
    return (struct elm_str){bytes, (size_t)sqlite3_column_bytes(statement, column)};
}

double sql_double(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(statement, column);
}

void sql_bind_bytes(sqlite3_stmt *statement, int index, struct elm_str bytes)
{
    sqlite3_bind_blob64(statement, index, bytes.len > 0 ? bytes.ptr : "", bytes.len,
                        SQLITE_STATIC);
}

void sql_lock(struct elm_store *s)
{
    pthread_mutex_lock(&s->db_lock);
}

void sql_unlock(struct elm_store *s)
{
    pthread_mutex_unlock(&s->db_lock);
}

void sql_close(struct elm_store *s)
{
    for (size_t i = 0; i < ELM_COUNT(s->statements); i++)
        sqlite3_finalize(s->statements[i]);
    memset(s->statements, 0, sizeof(s->statements));
    sqlite3_close(s->db);
    s->db = NULL;
}
