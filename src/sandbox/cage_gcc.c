/*
 * gcc: compiles with gcc -O2 for the address where a runner's children have the window, links the
 * same functions that tcc's code calls, and lays the program's segments there. Its constructors
 * are never called.
 */
#include "sandbox/cage_proc.h"

#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define PROGRAM_BYTES_MAX ((size_t)64 << 20)

static int write_text(const char *path, struct elm_str text)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    ssize_t put = write(fd, text.ptr, text.len);
    close(fd);
    return put == (ssize_t)text.len ? 0 : -1;
}

static void put_symbol(void *ctx, const char *name, void *address)
{
    elm_buf_printf(ctx, "PROVIDE(%s = %#llx);\n", name, (unsigned long long)(uintptr_t)address);
}

static _Noreturn void be_gcc(const struct compiler_setup *def)
{
    char at[64], entry[96], required[128];
    snprintf(at, sizeof(at), "-Wl,-Ttext-segment=%#llx", (unsigned long long)CODE_BASE);
    snprintf(entry, sizeof(entry), "-Wl,-e,%s", def->entry);
    snprintf(required, sizeof(required), "-Wl,--require-defined=%s", def->entry);
    const char *argv[] = {
        def->gcc, "-x", "c", "-std=gnu17", "-O2", "-ffp-contract=off", "-fwrapv",
        "-fno-strict-aliasing", "-fno-builtin", "-fno-stack-protector", "-fcf-protection=none",
        "-fno-asynchronous-unwind-tables", "-fno-pic", "-no-pie", "-w",
        "-fmax-errors=1", "-fdiagnostics-color=never", "-nostdinc", "-nostdlib", "-static", at,
        entry, required, "-Wl,--build-id=none", "-Wl,-z,norelro", "-Wl,-z,noseparate-code",
        "-o", "program", "program.c", "-x", "none", "library.ld", NULL,
    };
    char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C", temporary[] = "TMPDIR=.";
    char *envp[] = {path, locale, temporary, NULL};
    char *copy[ELM_COUNT(argv)];
    for (size_t i = 0; i < ELM_COUNT(argv); i++)
        copy[i] = argv[i] == NULL ? NULL : elm_strdup(argv[i]);
    setpgid(0, 0);
    int messages = open("messages", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (messages < 0 || dup2(messages, 2) < 0)
        _exit(1);
    for (int fd = 0; fd < 2; fd++)
        fcntl(fd, F_SETFD, 0);
    close_range(3, ~0u, 0);
    execve(def->gcc, copy, envp);
    _exit(1);
}

/* Waits at most ms of wall time, then kills the process group. */
static int wait_limited(pid_t pid, uint32_t ms, bool *late)
{
    int status = 0, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ended = {pidfd, POLLIN, 0};
    *late = pidfd < 0 || poll(&ended, 1, (int)ms) == 0;
    kill(-pid, SIGKILL);
    if (*late)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(pidfd);
    return status;
}

/* "program.c:3:5: error: text" as "line 3: text"; a linker's line as it is. */
static void say_error(struct build_result *r)
{
    char text[4096] = "";
    int fd = open("messages", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    const char *error = strstr(text, "error: "), *undefined = strstr(text, "undefined reference");
    const char *line = error;
    while (line != NULL && line > text && line[-1] != '\n')
        line--;
    if (error != NULL && strncmp(line, "program.c:", 10) == 0)
        build_fail(r, BUILD_FAILED, "line %ld: %.*s", strtol(line + 10, NULL, 10),
                   (int)strcspn(error + 7, "\n"), error + 7);
    else if (undefined != NULL)
        build_fail(r, BUILD_FAILED, "%.*s", (int)strcspn(undefined, "\n"), undefined);
    else
        build_fail(r, BUILD_FAILED, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Lays the segments of the program where they belong; nothing in the file is trusted. */
static bool load(const uint8_t *file, size_t bytes, uint64_t room, struct code *code)
{
    Elf64_Ehdr head;
    if (bytes < sizeof(head))
        return false;
    memcpy(&head, file, sizeof(head));
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(Elf64_Phdr) ||
        head.e_phoff > bytes || head.e_phnum * sizeof(Elf64_Phdr) > bytes - head.e_phoff)
        return false;
    uint64_t end = CODE_BASE;
    madvise((void *)CODE_BASE, CODE_BYTES_MAX, MADV_DONTNEED);     /* zeros again */
    for (int i = 0; i < head.e_phnum; i++) {
        Elf64_Phdr p;
        memcpy(&p, file + head.e_phoff + (size_t)i * sizeof(p), sizeof(p));
        if (p.p_type != PT_LOAD)
            continue;
        if (p.p_vaddr < CODE_BASE || p.p_vaddr - CODE_BASE > room ||
            p.p_memsz > room - (p.p_vaddr - CODE_BASE) || p.p_filesz > p.p_memsz ||
            p.p_offset > bytes || p.p_filesz > bytes - p.p_offset)
            return false;
        memcpy((void *)(uintptr_t)p.p_vaddr, file + p.p_offset, p.p_filesz);
        if (p.p_vaddr + p.p_memsz > end)
            end = p.p_vaddr + p.p_memsz;
    }
    code->entry = head.e_entry;
    code->bytes = end - CODE_BASE;
    return code->entry >= CODE_BASE && code->entry < end;
}

static void take_program(uint64_t room, struct build_result *r)
{
    struct stat st;
    int fd = open("program", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t *file = NULL;
    if (fd >= 0 && fstat(fd, &st) == 0 && (size_t)st.st_size <= PROGRAM_BYTES_MAX)
        file = elm_malloc((size_t)st.st_size + 1);
    if (file == NULL || read(fd, file, (size_t)st.st_size) != st.st_size)
        build_fail(r, BUILD_FAILED, "gcc wrote no program");
    else if (!load(file, (size_t)st.st_size, room, &r->code))
        build_fail(r, BUILD_MEMORY, "its variables take more memory than is allowed");
    if (r->state == BUILD_NONE)
        r->state = BUILD_OK;
    free(file);
    close(fd);
}

static void build_gcc(const struct compiler_setup *def, struct elm_str text,
                      const struct compiler_request *q, uint64_t room, struct build_result *r)
{
    struct elm_buf source = {0};
    headers_expand(text, &source);
    unlink("program");
    if (write_text("program.c", elm_buf_str(&source)) != 0)
        build_fail(r, BUILD_FAILED, "no room to compile it");
    elm_buf_release(&source);
    if (r->state != BUILD_NONE)
        return;
    bool late = false;
    pid_t pid = fork();
    if (pid == 0)
        be_gcc(def);
    int status = pid < 0 ? -1 : wait_limited(pid, q->cpu_ms, &late);
    if (late)
        build_fail(r, BUILD_TIMEOUT, "compiling it took more than %u ms", q->cpu_ms);
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        say_error(r);
    else
        take_program(room, r);
}

int gcc_main(void)
{
    struct elm_buf library = {0};
    library_each(put_symbol, &library);
    if (cage_fill_standard() != 0 || write_text("library.ld", elm_buf_str(&library)) != 0 ||
        seccomp_install(SECCOMP_TOOLS) != 0 || cage_ready() != 0)
        return 1;
    elm_buf_release(&library);
    return compiler_serve(build_gcc, -1);
}
