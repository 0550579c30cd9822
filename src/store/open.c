/* open: a run's folder becomes an open store: lock, file, version, checks, writer. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "store/store.h"

/* quick_check reads every page: up to this size it takes about 20 ms */
#define CHECKED_BYTES_MAX (16 * 1024 * 1024)
#define BUSY_MS 10000

static enum elm_status make_folders(const char *folder, struct elm_error *err)
{
    char *path = elm_strdup(folder);
    enum elm_status status = ELM_OK;
    for (char *at = path + 1; status == ELM_OK; at++) {
        char was = *at;
        if (was != '/' && was != '\0')
            continue;
        *at = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST) {
            bool full = errno == ENOSPC || errno == EDQUOT;
            status = elm_fail(err, full ? ELM_FULL : ELM_IO, "cannot make the folder '%s': %s",
                              path, strerror(errno));
        }
        *at = was;
        if (was == '\0')
            break;
    }
    free(path);
    return status;
}

/* A new name is there after a power cut only once the folder it is in is synced. */
static void sync_names(const char *folder)
{
    static const char *const where[] = {".", ".."};
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ELM_COUNT(where); i++) {
        int fd = openat(at, where[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            continue;
        fsync(fd);
        close(fd);
    }
    if (at >= 0)
        close(at);
}

static enum elm_status find_file(struct elm_store *s, struct elm_error *err)
{
    struct stat st;
    if (stat(s->path, &st) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return elm_fail(err, ELM_NOT_FOUND, "'%s' holds no run", s->folder);
        return elm_fail(err, ELM_IO, "cannot open '%s': %s", s->path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode))
        return elm_fail(err, ELM_CORRUPT, "'%s' is not a file", s->path);
    return ELM_OK;
}

/* file:PATH?immutable=1, for a finished run in a folder that can't be written: SQLite need not
 * make its -shm file then. */
static void immutable_name(const char *path, struct elm_buf *out)
{
    elm_buf_printf(out, "file:");
    for (; *path != '\0'; path++) {
        if (strchr("?#%", *path) != NULL)
            elm_buf_printf(out, "%%%02x", (unsigned char)*path);
        else
            elm_buf_byte(out, (uint8_t)*path);
    }
    elm_buf_printf(out, "?immutable=1");
}

static enum elm_status configure(struct elm_store *s, struct elm_error *err)
{
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return sql_exec(s, "PRAGMA trusted_schema = 0; PRAGMA cell_size_check = 1;"
                    "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                    "PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 4000;"
                    "PRAGMA journal_size_limit = 33554432", err);
}

static enum elm_status connect(struct elm_store *s, const char *name, int flags,
                               struct elm_error *err)
{
    if (sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return sql_fail(s, "open", err);
    return configure(s, err);
}

static enum elm_status connect_reader(struct elm_store *s, int *version, struct elm_error *err)
{
    enum elm_status status = connect(s, s->path, SQLITE_OPEN_READONLY, err);
    if (status == ELM_OK)
        status = schema_version(s, version, err);
    struct elm_buf wal = {0};
    struct stat st;
    elm_buf_printf(&wal, "%s-wal", s->path);
    bool finished = stat(wal.ptr, &st) != 0 || st.st_size == 0;
    elm_buf_release(&wal);
    if (status != ELM_IO || !finished || access(s->folder, W_OK) == 0)
        return status;
    struct elm_buf name = {0};
    immutable_name(s->path, &name);
    sql_close(s);
    status = connect(s, name.ptr, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    elm_buf_release(&name);
    return status == ELM_OK ? schema_version(s, version, err) : status;
}

static enum elm_status quick_check(struct elm_store *s, struct elm_error *err)
{
    struct stat st;
    if (stat(s->path, &st) != 0 || st.st_size > CHECKED_BYTES_MAX)
        return ELM_OK;
    sqlite3_stmt *check = NULL;
    enum elm_status status = ELM_OK;
    if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &check, NULL) != SQLITE_OK ||
        sqlite3_step(check) != SQLITE_ROW) {
        status = sql_fail(s, "read", err);
    } else {
        const char *answer = (const char *)sqlite3_column_text(check, 0);
        if (answer == NULL || strcmp(answer, "ok") != 0) {
            status = elm_fail(err, ELM_CORRUPT, "'%s' is damaged: %s; restore it from a copy, or "
                              "save what is readable with `sqlite3 elm.db .recover`", s->path,
                              answer == NULL ? "no answer" : answer);
        }
    }
    sqlite3_finalize(check);
    return status;
}

static enum elm_status not_begun(const struct elm_store *s, struct elm_error *err)
{
    return elm_fail(err, ELM_NOT_FOUND, "'%s' holds no run: it ended before its first batch",
                    s->folder);
}

static enum elm_status open_reader(struct elm_store *s, bool *older, struct elm_error *err)
{
    int version;
    ELM_TRY(find_file(s, err));
    enum elm_status status = connect_reader(s, &version, err);
    /* only the making of the file has a journal to roll back */
    if (sqlite3_extended_errcode(s->db) == SQLITE_READONLY_ROLLBACK)
        return not_begun(s, err);
    ELM_TRY(status);
    if (version == 0)
        return not_begun(s, err);
    *older = version < STORE_VERSION;
    return *older ? ELM_OK : quick_check(s, err);
}

/* What a file that is already there is good for. */
static enum elm_status enter_run(struct elm_store *s, int version, struct elm_error *err)
{
    struct run run;
    if (version == 0)
        return s->mode == ELM_STORE_CREATE ? schema_create(s, err) : not_begun(s, err);
    ELM_TRY(store_run_get(s, &run, err));
    if (s->mode == ELM_STORE_CREATE && run.attempts > 0) {
        return elm_fail(err, ELM_EXISTS, "'%s' holds a run already; go on with it, or choose "
                        "another folder", s->folder);
    }
    if (s->mode == ELM_STORE_RESUME && run.attempts == 0)
        return not_begun(s, err);
    ELM_TRY(quick_check(s, err));
    if (version < STORE_VERSION)
        ELM_TRY(schema_migrate(s, version, err));
    return s->mode == ELM_STORE_CREATE ? schema_clear(s, err) : ELM_OK;
}

static enum elm_status open_writer(struct elm_store *s, struct elm_error *err)
{
    int version, flags = SQLITE_OPEN_READWRITE;
    if (s->mode == ELM_STORE_CREATE) {
        flags |= SQLITE_OPEN_CREATE;
        ELM_TRY(make_folders(s->folder, err));
    } else {
        ELM_TRY(find_file(s, err));
    }
    ELM_TRY(store_lock(s->folder, &s->lock_fd, err));
    ELM_TRY(connect(s, s->path, flags, err));
    if (sqlite3_db_readonly(s->db, "main") == 1)
        return elm_fail(err, ELM_IO, "cannot write '%s': %s", s->path, strerror(EACCES));
    ELM_TRY(schema_version(s, &version, err));
    ELM_TRY(enter_run(s, version, err));
    if (s->mode == ELM_STORE_CREATE)
        sync_names(s->folder);
    ELM_TRY(store_writer_open(s, err));
    return store_queue_start(s, err);
}

static struct elm_store *store_new(const char *folder, enum elm_store_mode mode)
{
    struct elm_store *s = elm_calloc(1, sizeof(*s));
    struct elm_buf path = {0};
    pthread_mutexattr_t recursive;
    elm_buf_printf(&path, "%s/elm.db", folder);
    s->folder = elm_strdup(folder);
    s->path = path.ptr;
    s->mode = mode;
    s->lock_fd = -1;
    s->unzip = ZSTD_createDCtx();
    ELM_ASSERT(s->unzip != NULL);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&s->db_lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    store_queue_init(&s->queue);
    return s;
}

static void store_free(struct elm_store *s)
{
    sql_close(s);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    store_writer_free(s->writer);
    store_queue_release(&s->queue);
    pthread_mutex_destroy(&s->db_lock);
    ZSTD_freeDCtx(s->unzip);
    for (size_t i = 0; i < ELM_COUNT(s->bases); i++)
        elm_buf_release(&s->bases[i].text);
    free(s->folder);
    free(s->path);
    free(s);
}

/* A reader can't migrate; a writer that opens and closes does. */
static enum elm_status migrate(const char *folder, struct elm_error *err)
{
    struct elm_store *s;
    ELM_TRY(elm_store_open(folder, ELM_STORE_RESUME, &s, err));
    return elm_store_close(s, err);
}

enum elm_status elm_store_open(const char *folder, enum elm_store_mode mode,
                               struct elm_store **out, struct elm_error *err)
{
    if (folder[0] == '\0')
        return elm_fail(err, ELM_USAGE, "the name of the run's folder is empty");
    struct elm_store *s = store_new(folder, mode);
    bool older = false;
    enum elm_status status = mode == ELM_STORE_READ ? open_reader(s, &older, err)
                                                    : open_writer(s, err);
    if (status != ELM_OK || older)
        store_free(s);
    else
        *out = s;
    if (status != ELM_OK || !older)
        return status;
    ELM_TRY(migrate(folder, err));
    return elm_store_open(folder, mode, out, err);
}

enum elm_status elm_store_close(struct elm_store *s, struct elm_error *err)
{
    if (s == NULL)
        return ELM_OK;
    enum elm_status status = store_queue_stop(s, err);
    if (status == ELM_OK && s->writer != NULL)
        status = store_finish(s, err);
    store_free(s);
    return status;
}
