/* store under faults: kill -9, full disks, read-only folders, damaged files, cut logs. Whatever
 * happens, what can be read is a prefix of whole batches, and damage is said. */
#include "../store_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Batch b of every run here has this many attempts. */
static uint32_t size_of(int64_t b)
{
    return b == 0 ? 1 : 1 + (uint32_t)(b * 37 % 90);
}

static int64_t first_of(int64_t batch)
{
    int64_t id = 0;
    for (int64_t b = 0; b < batch; b++)
        id += size_of(b);
    return id;
}

static enum elm_status append_batch(struct elm_store *s, int64_t b, struct elm_error *err)
{
    return rig_append(s, b, first_of(b), size_of(b), err);
}

struct prefix {
    int64_t next;
    int64_t batch;
};

static bool follows(void *ctx, const struct elm_attempt *a)
{
    struct prefix *p = ctx;
    struct elm_arena arena = {0};
    struct elm_attempt made = rig_attempt(p->next++, a->batch, &arena);
    rig_same(a, &made);
    elm_arena_release(&arena);
    p->batch = a->batch;
    return true;
}

/* Reads all of a run; fails the test when it is not a prefix of whole batches. Returns the newest
 * batch, -1 when there is no run yet. */
static int64_t check_prefix(const char *folder, enum elm_store_mode mode)
{
    struct elm_store *s;
    struct elm_error err = {0};
    enum elm_status status = elm_store_open(folder, mode, &s, &err);
    if (status == ELM_NOT_FOUND)
        return -1;
    if (status != ELM_OK)
        fail_msg("%d: %s", status, err.message);
    struct prefix p = {.batch = -1};
    GIVES(ELM_OK, elm_store_each(s, 0, follows, &p, ERR));
    assert_int_equal(p.next, first_of(p.batch + 1));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    assert_int_equal(rig_sql(folder, "SELECT integrity_check = 'ok' FROM"
                             " pragma_integrity_check"), 1);
    return p.batch;
}

/* ---- kill -9 ---- */
/* Goes on with the run until killed; *flushed is the newest batch known to be on disk. */
static _Noreturn void write_until_killed(const char *folder, int64_t *flushed, uint32_t seed)
{
    struct elm_store *s;
    int64_t b = 0;
    if (elm_store_open(folder, ELM_STORE_RESUME, &s, NULL) == ELM_OK) {
        struct elm_store_totals t;
        if (elm_store_totals(s, &t, NULL) != ELM_OK)
            _exit(2);
        b = t.newest_batch + 1;
    } else if (elm_store_open(folder, ELM_STORE_CREATE, &s, NULL) != ELM_OK) {
        _exit(3);
    }
    struct elm_rng rng = elm_rng(seed, 9);
    for (;; b++) {
        if (append_batch(s, b, NULL) != ELM_OK)
            _exit(4);
        if (elm_rng_chance(&rng, 0.1)) {
            if (elm_store_flush(s, NULL) != ELM_OK)
                _exit(5);
            __atomic_store_n(flushed, b, __ATOMIC_SEQ_CST);
        }
        if (elm_rng_chance(&rng, 0.05) &&
            elm_store_snapshot_put(s, b, ELM_STR("state"), NULL) != ELM_OK)
            _exit(6);
        usleep(200);
    }
}

static void kill_after(const char *folder, int64_t *flushed, uint32_t seed, uint32_t us)
{
    pid_t child = fork();
    if (child == 0)
        write_until_killed(folder, flushed, seed);
    usleep(us);
    kill(child, SIGKILL);
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
}

static int64_t *shared_number(void)
{
    int64_t *n = mmap(NULL, sizeof(*n), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(n != MAP_FAILED);
    *n = -1;
    return n;
}

/* Killed before its database was there, it is no run, and is not deleted as one. */
static void clean_killed(char folder[64])
{
    char path[128], command[160];
    snprintf(path, sizeof(path), "%s/elm.db", folder);
    if (access(path, F_OK) != 0) {
        snprintf(command, sizeof(command), "rm -rf '%s'", folder);
        assert_int_equal(system(command), 0);
    }
    rig_clean(folder);
}

static void a_kill_leaves_whole_batches(void **state)
{
    (void)state;
    int64_t *flushed = shared_number();
    struct elm_rng rng = elm_rng(1, 0);
    char folder[64];
    /* the first moments of runs, then one run killed again and again */
    for (uint32_t i = 0; i < 12; i++) {
        rig_folder(folder);
        *flushed = -1;
        kill_after(folder, flushed, i, 1000 + elm_rng_below(&rng, 30000));
        assert_true(check_prefix(folder, i % 2 ? ELM_STORE_RESUME : ELM_STORE_READ) >= *flushed);
        clean_killed(folder);
    }
    rig_folder(folder);
    *flushed = -1;
    for (uint32_t i = 0; i < 18; i++) {
        kill_after(folder, flushed, 100 + i, 5000 + elm_rng_below(&rng, 80000));
        assert_true(check_prefix(folder, i % 2 ? ELM_STORE_RESUME : ELM_STORE_READ) >= *flushed);
    }
    assert_true(*flushed > 20);
    munmap(flushed, sizeof(*flushed));
    rig_clean(folder);
}

static void the_lock_dies_with_its_process(void **state)
{
    (void)state;
    int64_t *flushed = shared_number();
    char folder[64], holder[32];
    struct elm_store *s;
    struct elm_error err = {0};
    rig_folder(folder);
    pid_t child = fork();
    if (child == 0)
        write_until_killed(folder, flushed, 1);
    while (__atomic_load_n(flushed, __ATOMIC_SEQ_CST) < 0)
        usleep(1000);
    assert_int_equal(elm_store_open(folder, ELM_STORE_RESUME, &s, &err), ELM_LOCKED);
    snprintf(holder, sizeof(holder), "process %ld ", (long)child);
    assert_non_null(strstr(err.message, holder));
    assert_int_equal(elm_store_delete(folder, &err), ELM_LOCKED);
    /* reading needs no lock */
    struct prefix p = {0};
    s = rig_open(folder, ELM_STORE_READ);
    GIVES(ELM_OK, elm_store_each(s, 0, follows, &p, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(check_prefix(folder, ELM_STORE_RESUME) >= *flushed);
    munmap(flushed, sizeof(*flushed));
    rig_clean(folder);
}

/* ---- full disks ---- */
/* Appends until it fails, as a search does; true when the failure was ELM_FULL to the end. */
static bool fills_up(const char *folder)
{
    struct elm_store *s;
    struct elm_error err = {0};
    if (elm_store_open(folder, ELM_STORE_CREATE, &s, &err) != ELM_OK)
        return err.status == ELM_FULL;
    enum elm_status status = ELM_OK;
    for (int64_t b = 0; status == ELM_OK && b < 20000; b++) {
        status = append_batch(s, b, &err);
        if (status == ELM_OK && b % 10 == 9)
            status = elm_store_flush(s, &err);
    }
    bool full = status == ELM_FULL && strstr(err.message, "free some space") != NULL &&
                append_batch(s, 0, NULL) != ELM_OK && elm_store_flush(s, NULL) == ELM_FULL;
    return elm_store_close(s, &err) == ELM_FULL && full;
}

static void a_full_disk_keeps_what_was_committed(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    assert_int_equal(mkdir(folder, 0755), 0);
    if (mount("none", folder, "tmpfs", 0, "size=1m") != 0) {
        print_message("no tmpfs here: %s\n", strerror(errno));
        rmdir(folder);
        rig_clean(folder);
        skip();
    }
    char run[80];
    snprintf(run, sizeof(run), "%s/run", folder);
    assert_true(fills_up(run));
    /* on a disk that is full still */
    struct elm_store *s;
    struct elm_error err = {0};
    enum elm_status status = elm_store_open(run, ELM_STORE_RESUME, &s, &err);
    if (status == ELM_OK)
        elm_store_close(s, NULL);
    else
        assert_int_equal(status, ELM_FULL);
    assert_int_equal(mount("none", folder, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    int64_t newest = check_prefix(run, ELM_STORE_RESUME);
    assert_true(newest > 10);
    s = rig_open(run, ELM_STORE_RESUME);
    GIVES(ELM_OK, append_batch(s, newest + 1, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    assert_int_equal(check_prefix(run, ELM_STORE_READ), newest + 1);
    assert_int_equal(umount(folder), 0);
    assert_int_equal(rmdir(folder), 0);
    rig_clean(folder);
}

static void a_file_size_limit_is_a_full_disk(void **state)
{
    (void)state;
    char folder[64];
    rig_folder(folder);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {600000, 600000};
        /* of the opening thread; the writer's own has it blocked */
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(fills_up(folder) ? 0 : 1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_true(check_prefix(folder, ELM_STORE_RESUME) > 10);
    rig_clean(folder);
}

/* ---- read-only folders ---- */
static bool is_read_only(const char *folder)
{
    struct elm_store *s;
    struct elm_error err = {0};
    struct prefix p = {0};
    char other[80];
    snprintf(other, sizeof(other), "%s/other", folder);
    if (elm_store_open(folder, ELM_STORE_RESUME, &s, &err) != ELM_IO ||
        elm_store_open(other, ELM_STORE_CREATE, &s, NULL) != ELM_IO ||
        elm_store_delete(folder, NULL) != ELM_IO)
        return false;
    return strstr(err.message, strerror(EACCES)) != NULL &&
           elm_store_open(folder, ELM_STORE_READ, &s, NULL) == ELM_OK &&
           elm_store_each(s, 0, follows, &p, NULL) == ELM_OK && p.next == first_of(6) &&
           elm_store_close(s, NULL) == ELM_OK;
}

static void read_only_folders_can_be_read(void **state)
{
    (void)state;
    char folder[64], path[80];
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    for (int64_t b = 0; b < 6; b++)
        GIVES(ELM_OK, append_batch(s, b, ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
    snprintf(path, sizeof(path), "%s/..", folder);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        /* root may write anywhere */
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(2);
        _exit(is_read_only(folder) ? 0 : 1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_int_equal(chmod(folder, 0755), 0);
    rig_clean(folder);
}

/* ---- damage ---- */
static void path_of(const char *folder, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static void write_file(const char *path, struct elm_str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), bytes.len);
    close(fd);
}

/* What a damaged run says: an error, or nothing but the truth. */
static void check_damaged(const char *folder, const char *how, int64_t batches, int *errors)
{
    struct elm_store *s;
    struct elm_error err = {0};
    struct prefix p = {0};
    struct elm_buf got = {0};
    int64_t batch;
    enum elm_status status = elm_store_open(folder, ELM_STORE_READ, &s, &err);
    if (status == ELM_OK) {
        status = elm_store_each(s, 0, follows, &p, &err);
        if (status == ELM_OK && p.next != first_of(batches))
            fail_msg("%s: attempts are missing and nothing is said", how);
        if (elm_store_meta_get(s, "seed", &got, &err) == ELM_OK)
            assert_string_equal(got.ptr, "12345");
        elm_buf_clear(&got);
        if (elm_store_snapshot_get(s, &batch, &got, &err) == ELM_OK)
            assert_string_equal(got.ptr, batch == 9 ? "the newer state" : "the older state");
        elm_buf_release(&got);
        elm_store_close(s, NULL);
    }
    *errors += status != ELM_OK;
    if (status != ELM_OK && status != ELM_CORRUPT && status != ELM_NOT_FOUND &&
        status != ELM_VERSION_TOO_NEW && status != ELM_IO)
        fail_msg("%s: %d, %s", how, status, err.message);
}

static void make_run(const char *folder, int64_t batches)
{
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, elm_store_meta_put(s, "seed", ELM_STR("12345"), ERR));
    for (int64_t b = 0; b < batches; b++)
        GIVES(ELM_OK, append_batch(s, b, ERR));
    GIVES(ELM_OK, elm_store_snapshot_put(s, 5, ELM_STR("the older state"), ERR));
    GIVES(ELM_OK, elm_store_snapshot_put(s, 9, ELM_STR("the newer state"), ERR));
    GIVES(ELM_OK, elm_store_close(s, ERR));
}

static void a_flipped_bit_is_noticed(void **state)
{
    (void)state;
    char folder[64], path[128], how[64];
    struct elm_buf bytes = {0};
    struct elm_rng rng = elm_rng(8, 8);
    int errors = 0;
    rig_folder(folder);
    make_run(folder, 60);
    path_of(folder, "elm.db", path);
    GIVES(ELM_OK, elm_file_read(path, 1 << 26, &bytes, ERR));
    for (int i = 0; i < 300; i++) {
        uint32_t at = elm_rng_below(&rng, (uint32_t)(i < 50 ? 4096 : bytes.len));
        char bit = (char)(1 << elm_rng_below(&rng, 8));
        snprintf(how, sizeof(how), "bit %d of byte %u", bit, at);
        bytes.ptr[at] ^= bit;
        write_file(path, elm_buf_str(&bytes));
        check_damaged(folder, how, 60, &errors);
        bytes.ptr[at] ^= bit;
    }
    /* the rest is room that nothing uses yet, in pages of tables that hold little */
    assert_in_range(errors, 130, 300);
    elm_buf_release(&bytes);
    rig_clean(folder);
}

static void a_cut_file_is_noticed(void **state)
{
    (void)state;
    char folder[64], path[128], how[64];
    struct elm_buf bytes = {0};
    struct elm_rng rng = elm_rng(9, 9);
    int errors = 0;
    rig_folder(folder);
    make_run(folder, 60);
    path_of(folder, "elm.db", path);
    GIVES(ELM_OK, elm_file_read(path, 1 << 26, &bytes, ERR));
    for (int i = 0; i < 60; i++) {
        size_t len = i == 0 ? 0 : elm_rng_below(&rng, (uint32_t)bytes.len);
        snprintf(how, sizeof(how), "cut to %zu bytes", len);
        write_file(path, (struct elm_str){bytes.ptr, len});
        check_damaged(folder, how, 60, &errors);
    }
    assert_int_equal(errors, 60);
    write_file(path, ELM_STR("this is a text, and longer than the hundred bytes that SQLite's "
                             "header has, so that it is looked at"));
    check_damaged(folder, "a text", 60, &errors);
    assert_int_equal(errors, 61);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    check_damaged(folder, "a folder", 60, &errors);
    assert_int_equal(errors, 62);
    assert_int_equal(rmdir(path), 0);
    write_file(path, elm_buf_str(&bytes));
    elm_buf_release(&bytes);
    rig_clean(folder);
}

static void a_cut_log_leaves_a_prefix(void **state)
{
    (void)state;
    int64_t *flushed = shared_number();
    char folder[64], path[3][128];
    static const char *const names[] = {"elm.db", "elm.db-wal", "elm.db-shm"};
    struct elm_buf bytes[2] = {{0}, {0}};
    struct elm_rng rng = elm_rng(4, 4);
    rig_folder(folder);
    for (int i = 0; i < 3; i++)
        path_of(folder, names[i], path[i]);
    kill_after(folder, flushed, 1, 150000);
    for (int i = 0; i < 2; i++)
        GIVES(ELM_OK, elm_file_read(path[i], 1 << 26, &bytes[i], ERR));
    int64_t longest = -1;
    for (int i = 0; i <= 20; i++) {
        size_t len = i == 20 ? bytes[1].len : elm_rng_below(&rng, (uint32_t)bytes[1].len);
        write_file(path[0], elm_buf_str(&bytes[0]));
        write_file(path[1], (struct elm_str){bytes[1].ptr, len});
        unlink(path[2]);
        int64_t batch = check_prefix(folder, i % 2 ? ELM_STORE_READ : ELM_STORE_RESUME);
        longest = batch > longest ? batch : longest;
    }
    assert_true(longest >= *flushed);
    for (int i = 0; i < 2; i++)
        elm_buf_release(&bytes[i]);
    munmap(flushed, sizeof(*flushed));
    rig_clean(folder);
}

/* A program that keeps a read transaction open neither stops nor slows the writer. */
static void a_reader_that_stays_is_no_trouble(void **state)
{
    (void)state;
    char folder[64], path[128];
    sqlite3 *db;
    rig_folder(folder);
    struct elm_store *s = rig_open(folder, ELM_STORE_CREATE);
    GIVES(ELM_OK, append_batch(s, 0, ERR));
    GIVES(ELM_OK, elm_store_flush(s, ERR));
    path_of(folder, "elm.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM v_run", NULL, NULL, NULL), SQLITE_OK);
    for (int64_t b = 1; b < 100; b++) {
        GIVES(ELM_OK, append_batch(s, b, ERR));
        if (b % 10 == 0)
            GIVES(ELM_OK, elm_store_flush(s, ERR));
    }
    GIVES(ELM_OK, elm_store_close(s, ERR));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(check_prefix(folder, ELM_STORE_RESUME), 99);
    rig_clean(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_leaves_whole_batches),
        cmocka_unit_test(the_lock_dies_with_its_process),
        cmocka_unit_test(a_full_disk_keeps_what_was_committed),
        cmocka_unit_test(a_file_size_limit_is_a_full_disk),
        cmocka_unit_test(read_only_folders_can_be_read),
        cmocka_unit_test(a_flipped_bit_is_noticed),
        cmocka_unit_test(a_cut_file_is_noticed),
        cmocka_unit_test(a_cut_log_leaves_a_prefix),
        cmocka_unit_test(a_reader_that_stays_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
