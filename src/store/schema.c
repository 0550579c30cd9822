/*
 * schema: tables, views and the way from older versions. Tables are private, views are the
 * public API; docs/store.md describes both. A change of the tables raises STORE_VERSION and adds
 * a step to `steps`.
 */
#include <stdio.h>
#include <string.h>

#include "store/store.h"

#define CALL_TABLES \
    "CREATE TABLE call(id INTEGER PRIMARY KEY, attempt INTEGER NOT NULL, prompt INTEGER NOT NULL," \
    " place INTEGER NOT NULL, finish INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL," \
    " tokens INTEGER NOT NULL, money REAL NOT NULL, logprob REAL, wall_us INTEGER NOT NULL," \
    " why TEXT, answer BLOB, token_ids BLOB, logprobs BLOB);" \
    "CREATE INDEX call_of_attempt ON call(attempt);" \
    "CREATE TABLE prompt(id INTEGER PRIMARY KEY, length INTEGER NOT NULL, sum INTEGER NOT NULL," \
    " bytes BLOB NOT NULL);"

static const char tables[] =
    "CREATE TABLE run(one INTEGER PRIMARY KEY CHECK(one = 1), created INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, batches INTEGER NOT NULL, admitted INTEGER NOT NULL,"
    " packed_bytes INTEGER NOT NULL, next_id INTEGER NOT NULL, newest_batch INTEGER NOT NULL,"
    " tail_first INTEGER NOT NULL, thinned_batch INTEGER NOT NULL);"
    "INSERT INTO run VALUES(1, unixepoch(), 0, 0, 0, 0, 0, -1, 0, -1);"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL, sum INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE pack(first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
    " last_batch INTEGER NOT NULL, count INTEGER NOT NULL, sum INTEGER NOT NULL,"
    " bytes BLOB NOT NULL);"
    "CREATE INDEX pack_of_batch ON pack(last_batch);"
    "CREATE TABLE program(id INTEGER PRIMARY KEY, origin INTEGER NOT NULL,"
    " batch INTEGER NOT NULL, operator INTEGER NOT NULL, outcome INTEGER NOT NULL,"
    " better INTEGER NOT NULL, parent INTEGER, other_parent INTEGER, opponent INTEGER,"
    " fitness REAL, measure1 REAL, measure2 REAL, measure3 REAL, measure4 REAL,"
    " steps INTEGER NOT NULL, arrival_us INTEGER NOT NULL, text_bytes INTEGER NOT NULL,"
    " sum INTEGER NOT NULL, text BLOB, base INTEGER, passes BLOB);"
    "CREATE TABLE tally(operator INTEGER, status INTEGER, outcome INTEGER, better INTEGER,"
    " attempts INTEGER NOT NULL, PRIMARY KEY(operator, status, outcome, better)) WITHOUT ROWID;"
    "CREATE TABLE progress(place INTEGER PRIMARY KEY, attempts INTEGER NOT NULL,"
    " evaluations INTEGER NOT NULL, best REAL, mean REAL, coverage REAL, qd_score REAL,"
    " wall_us INTEGER NOT NULL);"
    "CREATE TABLE archive(place INTEGER PRIMARY KEY, niche INTEGER NOT NULL,"
    " program INTEGER NOT NULL, fitness REAL, measure1 REAL, measure2 REAL, measure3 REAL,"
    " measure4 REAL, text BLOB);"
    "CREATE TABLE snapshot(batch INTEGER, part INTEGER, parts INTEGER NOT NULL,"
    " length INTEGER NOT NULL, sum INTEGER NOT NULL, bytes BLOB NOT NULL,"
    " PRIMARY KEY(batch, part));"
    CALL_TABLES
    "CREATE TABLE word(kind TEXT, code INTEGER, name TEXT NOT NULL, PRIMARY KEY(kind, code))"
    " WITHOUT ROWID;";

/* steps[v] leads from version v to v + 1. */
static const char *const steps[STORE_VERSION] = {
    [1] = /* each text was compressed by itself */
    "ALTER TABLE program ADD COLUMN base INTEGER;",
    [2] = /* no model was asked, and no selector needed to know which cases a program passes */
    CALL_TABLES "ALTER TABLE program ADD COLUMN passes BLOB;",
};

#define META(name) "(SELECT CAST(value AS TEXT) FROM meta WHERE key = '" name "')"
#define WORD(kind, code) "(SELECT name FROM word WHERE kind = '" kind "' AND code = " code ")"

static const char views[] =
    "DROP VIEW IF EXISTS v_run; DROP VIEW IF EXISTS v_program; DROP VIEW IF EXISTS v_evaluation;"
    "DROP VIEW IF EXISTS v_lineage; DROP VIEW IF EXISTS v_archive; DROP VIEW IF EXISTS v_progress;"
    "DROP VIEW IF EXISTS v_count; DROP VIEW IF EXISTS v_call;"
    "CREATE VIEW v_run AS SELECT " META("problem") " AS problem, " META("variant") " AS variant, "
    META("seed") " AS seed, " META("operators") " AS operators, " META("archive") " AS archive, "
    META("selector") " AS selector, " META("version") " AS elm_version,"
    " (SELECT user_version FROM pragma_user_version) AS schema_version,"
    " datetime(created, 'unixepoch') AS created_utc, attempts, batches, admitted, packed_bytes,"
    " thinned_batch >= 0 AS thinned FROM run;"
    "CREATE VIEW v_program AS SELECT id, origin, batch, " WORD("operator", "p.operator")
    " AS operator, " WORD("outcome", "outcome") " AS outcome, parent, other_parent, fitness,"
    " text_bytes FROM program p;"
    "CREATE VIEW v_evaluation AS SELECT id AS program, 'ok' AS status, "
    WORD("better", "better") " AS better, opponent, fitness, measure1, measure2, measure3,"
    " measure4, steps, arrival_us FROM program;"
    "CREATE VIEW v_lineage AS SELECT id AS program, 1 AS place, parent FROM program"
    " WHERE parent IS NOT NULL UNION ALL SELECT id, 2, other_parent FROM program"
    " WHERE other_parent IS NOT NULL;"
    "CREATE VIEW v_archive AS SELECT niche, program, fitness, measure1, measure2, measure3,"
    " measure4, CAST(text AS TEXT) AS text FROM archive ORDER BY place;"
    "CREATE VIEW v_progress AS SELECT attempts, evaluations, best, mean, coverage, qd_score,"
    " wall_us FROM progress ORDER BY place;"
    "CREATE VIEW v_count AS SELECT " WORD("operator", "t.operator") " AS operator, "
    WORD("status", "status") " AS status, " WORD("outcome", "outcome") " AS outcome, "
    WORD("better", "better") " AS better, attempts FROM tally t;"
    "CREATE VIEW v_call AS SELECT attempt, " WORD("end", "finish") " AS end, prompt_tokens, tokens,"
    " money, logprob, wall_us, why, CAST(answer AS TEXT) AS answer FROM call ORDER BY id;";

static enum elm_status read_number(struct elm_store *s, const char *text, int *out,
                                   struct elm_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(s->db, text, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        enum elm_status status = sql_fail(s, "open", err);
        sqlite3_finalize(statement);
        return status;
    }
    *out = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return ELM_OK;
}

enum elm_status schema_version(struct elm_store *s, int *version, struct elm_error *err)
{
    int application, objects;
    ELM_TRY(read_number(s, "PRAGMA user_version", version, err));
    ELM_TRY(read_number(s, "PRAGMA application_id", &application, err));
    ELM_TRY(read_number(s, "SELECT count(*) FROM sqlite_master", &objects, err));
    if (objects == 0 && *version == 0)
        return ELM_OK;
    if (application != STORE_APPLICATION || *version < 1) {
        return elm_fail(err, ELM_CORRUPT, "'%s' is an SQLite file, but not a run of elm", s->path);
    }
    if (*version > STORE_VERSION) {
        return elm_fail(err, ELM_VERSION_TOO_NEW, "the run in '%s' has format %d, and elm %s knows "
                        "formats up to %d; use the elm that made it, or a newer one", s->folder,
                        *version, ELM_VERSION, STORE_VERSION);
    }
    return ELM_OK;
}

static enum elm_status put_word(struct elm_store *s, const char *kind, int code, const char *name,
                                struct elm_error *err)
{
    sqlite3_stmt *put;
    ELM_TRY(sql_get(s, SQL_WORD_PUT, &put, err));
    sqlite3_bind_text(put, 1, kind, -1, SQLITE_STATIC);
    sqlite3_bind_int(put, 2, code);
    sqlite3_bind_text(put, 3, name, -1, SQLITE_STATIC);
    return sql_do(s, put, err);
}

/* The views and their words, as this version has them. */
static enum elm_status put_views(struct elm_store *s, struct elm_error *err)
{
    static const char *const better[] = {"undecided", "no", "yes"};
    static const char *const end[] = {"failed", "done", "length"};
    char version[64];
    snprintf(version, sizeof(version), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             STORE_APPLICATION, STORE_VERSION);
    ELM_TRY(sql_exec(s, views, err));
    ELM_TRY(sql_exec(s, version, err));
    for (int i = 0; i < ELM_EVAL_STATUSES; i++)
        ELM_TRY(put_word(s, "status", i, elm_eval_status_name((enum elm_eval_status)i), err));
    for (int i = 0; i <= ELM_OUTCOME_NEW; i++)
        ELM_TRY(put_word(s, "outcome", i, elm_outcome_name((enum elm_outcome)i), err));
    for (int i = 0; i < (int)ELM_COUNT(better); i++)
        ELM_TRY(put_word(s, "better", i, better[i], err));
    for (int i = 0; i < (int)ELM_COUNT(end); i++)
        ELM_TRY(put_word(s, "end", i, end[i], err));
    return put_word(s, "operator", 255, "seed", err);
}

static enum elm_status end_transaction(struct elm_store *s, enum elm_status status,
                                       struct elm_error *err)
{
    if (status == ELM_OK)
        status = sql_run(s, SQL_COMMIT, err);
    if (status != ELM_OK)
        sql_run(s, SQL_ROLLBACK, NULL);
    return status;
}

enum elm_status schema_create(struct elm_store *s, struct elm_error *err)
{
    ELM_TRY(sql_exec(s, "PRAGMA journal_mode = WAL", err));
    ELM_TRY(sql_run(s, SQL_BEGIN, err));
    enum elm_status status = sql_exec(s, tables, err);
    if (status == ELM_OK)
        status = put_views(s, err);
    return end_transaction(s, status, err);
}

enum elm_status schema_migrate(struct elm_store *s, int version, struct elm_error *err)
{
    ELM_TRY(sql_run(s, SQL_BEGIN, err));
    enum elm_status status = ELM_OK;
    for (int v = version; v < STORE_VERSION && status == ELM_OK; v++)
        status = sql_exec(s, steps[v], err);
    if (status == ELM_OK)
        status = put_views(s, err);
    return end_transaction(s, status, err);
}

enum elm_status schema_clear(struct elm_store *s, struct elm_error *err)
{
    ELM_TRY(sql_run(s, SQL_BEGIN, err));
    enum elm_status status = sql_exec(s, "DELETE FROM meta; DELETE FROM progress;"
                                      "DELETE FROM archive; DELETE FROM snapshot;"
                                      "DELETE FROM word WHERE kind = 'operator' AND code < 255;"
                                      "UPDATE run SET created = unixepoch()", err);
    return end_transaction(s, status, err);
}
