/*
 * judge_build: compiles judge.c with judge_main.c into a program of its own, kept in a cache folder
 * under a hash of everything that goes into it.
 */
#include "sandbox/sandbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define COMPILE_MS 120000
#define SOURCE_BYTES_MAX ((size_t)4 << 20)

extern char **environ;

static struct elm_str embedded(const char *begin, const char *end)
{
    return (struct elm_str){begin, (size_t)(end - begin)};
}

static char *join(const char *folder, const char *name)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    return path.ptr;
}

/* mkdir -p, of a folder into which nobody else can put a judge. */
static enum elm_status make_folder(const char *path, struct elm_error *err)
{
    char *part = elm_strdup(path);
    for (char *at = part + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(part, 0755);
        *at = '/';
    }
    enum elm_status status = ELM_OK;
    struct stat st;
    if (mkdir(part, 0755) == 0 || errno == EEXIST)
        errno = stat(part, &st) == 0 && S_ISDIR(st.st_mode) &&
                (st.st_uid == geteuid() || st.st_uid == 0) ? 0 : EPERM;
    if (errno != 0)
        status = elm_fail(err, ELM_IO, "cannot make the cache folder '%s': %s; set XDG_CACHE_HOME "
                          "to one that can be written", path, strerror(errno));
    free(part);
    return status;
}

static char *default_folder(void)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/')
        return join(cache, "elm");
    struct elm_buf path = {0};
    if (home != NULL && home[0] == '/')
        elm_buf_printf(&path, "%s/.cache/elm", home);
    else
        elm_buf_printf(&path, "/tmp/elm-%u", (unsigned)getuid());
    return path.ptr;
}

/* Of judge.c, the headers beside it, our half, and the compiler. */
static enum elm_status hash_sources(const struct elm_problem *p, const char *gcc, uint64_t *hash,
                                    struct elm_error *err)
{
    struct elm_buf text = {0};
    struct stat st = {0};
    char *judge = join(p->folder, "judge.c");
    enum elm_status status = ELM_OK;
    if (p->by_reference)
        elm_judge_text(p, &text);
    else
        status = elm_file_read(judge, SOURCE_BYTES_MAX, &text, err);
    free(judge);
    *hash = elm_hash(text.ptr, text.len, 0);
    struct dirent **entries = NULL;
    int count = status == ELM_OK ? scandir(p->folder, &entries, NULL, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        size_t len = strlen(name);
        if (status == ELM_OK && len > 2 && strcmp(name + len - 2, ".h") == 0) {
            char *path = join(p->folder, name);
            elm_buf_clear(&text);
            status = elm_file_read(path, SOURCE_BYTES_MAX, &text, err);
            *hash = elm_hash_mix(*hash, elm_hash(text.ptr, text.len, elm_hash(name, len, 0)));
            free(path);
        }
        free(entries[i]);
    }
    free(entries);
    const struct elm_str ours[] = {
        embedded(elm_embed_judge_h, elm_embed_judge_h_end),
        embedded(elm_embed_wire_h, elm_embed_wire_h_end),
        embedded(elm_embed_judge_main, elm_embed_judge_main_end),
    };
    for (size_t i = 0; i < ELM_COUNT(ours); i++)
        *hash = elm_hash_mix(*hash, elm_hash(ours[i].ptr, ours[i].len, 0));
    if (stat(gcc, &st) == 0)
        *hash = elm_hash_mix(elm_hash_mix(*hash, (uint64_t)st.st_size), (uint64_t)st.st_mtime);
    elm_buf_release(&text);
    return status;
}

/* Runs gcc; its messages go to `messages`. posix_spawn: the caller may be large. */
static enum elm_status run_gcc(const char *gcc, char *const *argv, struct elm_buf *messages,
                               struct elm_error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int out[2], status = 0;
    pid_t pid;
    if (pipe2(out, O_CLOEXEC) != 0)
        return elm_fail(err, ELM_IO, "cannot make a pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn(&pid, gcc, &actions, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(out[1]);
    int64_t until = elm_clock_us() + (int64_t)COMPILE_MS * 1000;
    struct pollfd p = {out[0], POLLIN, 0};
    bool late = false;
    while (failed == 0 && !late) {
        char block[4096];
        int64_t left = (until - elm_clock_us()) / 1000;
        late = left <= 0;
        if (poll(&p, 1, left > 0 ? (int)left : 0) <= 0)
            continue;
        ssize_t got = read(out[0], block, sizeof(block));
        if (got == 0)
            break;
        if (got > 0 && messages->len < 65536)
            elm_buf_add(messages, block, (size_t)got);
    }
    close(out[0]);
    if (failed != 0)
        return elm_fail(err, ELM_IO, "cannot run '%s': %s", gcc, strerror(failed));
    if (late)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (late)
        return elm_fail(err, ELM_PARSE, "compiling judge.c took more than %d s", COMPILE_MS / 1000);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ELM_OK : ELM_PARSE;
}

/* The first line that says what is wrong, without the folder's path; else the first line. */
static enum elm_status say_error(const struct elm_problem *p, struct elm_buf *messages,
                                 struct elm_error *err)
{
    elm_buf_byte(messages, '\0');
    char *text = messages->ptr, *error = strstr(text, "undefined reference");
    if (error == NULL)
        error = strstr(text, "error: ");
    while (error != NULL && error > text && error[-1] != '\n')
        error--;
    char *line = error != NULL ? error : text;
    line[strcspn(line, "\n")] = '\0';
    size_t len = strlen(p->folder);
    if (strncmp(line, p->folder, len) == 0 && line[len] == '/')
        line += len + 1;
    return elm_fail(err, ELM_PARSE, "judge.c of '%s' does not compile: %s", p->name,
                    line[0] != '\0' ? line : "gcc says nothing");
}

/* Compiles in `work`, a folder of our own, and moves the program to `program`. */
static enum elm_status compile(const struct elm_problem *p, const char *gcc, const char *work,
                               const char *program, struct elm_error *err)
{
    char *elm = join(work, "elm"), *judge_h = join(work, "elm/judge.h");
    char *wire_h = join(work, "wire.h"), *main_c = join(work, "judge_main.c");
    char *judge_c = join(p->by_reference ? work : p->folder, "judge.c"), *out = join(work, "judge");
    struct elm_buf messages = {0}, written = {0};
    enum elm_status status = ELM_OK;
    if (mkdir(elm, 0700) != 0)
        status = elm_fail(err, ELM_IO, "cannot make '%s': %s", elm, strerror(errno));
    if (status == ELM_OK)
        status = elm_file_write(judge_h, embedded(elm_embed_judge_h, elm_embed_judge_h_end), err);
    if (status == ELM_OK)
        status = elm_file_write(wire_h, embedded(elm_embed_wire_h, elm_embed_wire_h_end), err);
    if (status == ELM_OK)
        status = elm_file_write(main_c, embedded(elm_embed_judge_main, elm_embed_judge_main_end),
                                err);
    if (status == ELM_OK && p->by_reference) {
        elm_judge_text(p, &written);
        status = elm_file_write(judge_c, elm_buf_str(&written), err);
    }
    const char *const argv[] = {
        "gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-ffp-contract=off", "-fwrapv",
        "-fno-strict-aliasing", "-w", "-fmax-errors=3", "-fdiagnostics-color=never", "-static",
        "-I", work, "-I", p->folder, "-o", out, judge_c, main_c, "-lm", NULL,
    };
    char *copy[ELM_COUNT(argv)] = {NULL};
    for (size_t i = 0; argv[i] != NULL; i++)
        copy[i] = elm_strdup(argv[i]);
    struct elm_error gcc_error = {0};
    if (status == ELM_OK) {
        status = run_gcc(gcc, copy, &messages, &gcc_error);
        if (status == ELM_PARSE && gcc_error.status == ELM_OK)
            status = say_error(p, &messages, err);
        else if (status != ELM_OK && err != NULL)
            *err = gcc_error;
    }
    if (status == ELM_OK && (chmod(out, 0755) != 0 || rename(out, program) != 0))
        status = elm_fail(err, ELM_IO, "cannot put the judge at '%s': %s", program,
                          strerror(errno));
    char *const made[] = {out, main_c, wire_h, judge_h};
    for (size_t i = 0; i < ELM_COUNT(made); i++)
        unlink(made[i]);
    if (p->by_reference)
        unlink(judge_c);
    rmdir(elm);
    for (size_t i = 0; argv[i] != NULL; i++)
        free(copy[i]);
    char *const paths[] = {elm, judge_h, wire_h, main_c, judge_c, out};
    for (size_t i = 0; i < ELM_COUNT(paths); i++)
        free(paths[i]);
    elm_buf_release(&messages);
    elm_buf_release(&written);
    return status;
}

enum elm_status elm_judge_build(const struct elm_problem *p, const char *cache_folder, char **path,
                                struct elm_error *err)
{
    char gcc[256];
    uint64_t hash;
    if (!program_find("gcc", gcc, sizeof(gcc)))
        return elm_fail(err, ELM_NOT_FOUND, "compiling judge.c of '%s' needs gcc: apt-get install "
                        "gcc libc6-dev", p->name);
    ELM_TRY(hash_sources(p, gcc, &hash, err));
    char *folder = cache_folder != NULL ? elm_strdup(cache_folder) : default_folder();
    struct elm_buf program = {0}, work = {0};
    elm_buf_printf(&program, "%s/judge-%016llx", folder, (unsigned long long)hash);
    elm_buf_printf(&work, "%s/build-XXXXXX", folder);
    enum elm_status status = make_folder(folder, err);
    if (status == ELM_OK && access(program.ptr, X_OK) != 0) {
        if (mkdtemp(work.ptr) == NULL)
            status = elm_fail(err, ELM_IO, "cannot write in the cache folder '%s': %s; set "
                              "XDG_CACHE_HOME to one that can be written", folder,
                              strerror(errno));
        if (status == ELM_OK) {
            status = compile(p, gcc, work.ptr, program.ptr, err);
            rmdir(work.ptr);
        }
    }
    elm_buf_release(&work);
    free(folder);
    if (status == ELM_OK)
        *path = elm_strdup(program.ptr);
    elm_buf_release(&program);
    return status;
}
