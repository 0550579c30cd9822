/*
 * command: runs the user's command on a program in a copy of the program's folder, and reads the
 * last number it printed. One cage a program: what it left behind goes with the cage.
 */
#include "sandbox/cage_proc.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define TAIL_BYTES 4096

/* The end of what came through a pipe. */
struct tail {
    int fd;
    char text[2 * TAIL_BYTES + 1];
    size_t len;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Takes what is there; false once nobody can write any more. */
static bool take(struct tail *t)
{
    if (t->len >= TAIL_BYTES) {
        memmove(t->text, t->text + t->len - TAIL_BYTES / 2, TAIL_BYTES / 2);
        t->len = TAIL_BYTES / 2;
    }
    ssize_t got = read(t->fd, t->text + t->len, TAIL_BYTES);
    if (got > 0)
        t->len += (size_t)got;
    t->text[t->len] = '\0';
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The program's text, under its name, with the mode of the file it stands for. */
static int put_file(const char *name, int from)
{
    struct stat st;
    mode_t mode = stat(name, &st) == 0 ? st.st_mode & 0777 : 0644;
    char block[65536];
    ssize_t got;
    if (unlink(name) != 0 && errno != ENOENT)
        return -1;
    int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (to < 0)
        return -1;
    while ((got = read(from, block, sizeof(block))) > 0) {
        if (write(to, block, (size_t)got) != got)
            got = -1;
    }
    close(to);
    return got < 0 ? -1 : 0;
}

static _Noreturn void be_shell(const struct command_request *q, int out, int errors)
{
    char path[sizeof(q->path) + 8], home[4096 + 8], temporary[4096 + 8];
    char locale[] = "LC_ALL=C.UTF-8", folder[4096], name[] = "sh", flag[] = "-c";
    char *command = elm_strdup(q->command);
    char *argv[] = {name, flag, command, NULL}, *envp[] = {path, home, temporary, locale, NULL};
    struct rlimit cpu = {q->wall_ms / 1000 + 1, q->wall_ms / 1000 + 1};
    if (getcwd(folder, sizeof(folder)) == NULL)
        _exit(126);
    snprintf(path, sizeof(path), "PATH=%s", q->path);
    snprintf(home, sizeof(home), "HOME=%s", folder);
    snprintf(temporary, sizeof(temporary), "TMPDIR=%s", folder);
    setpgid(0, 0);
    setrlimit(RLIMIT_CPU, &cpu);
    if (fcntl(0, F_SETFD, 0) != 0 || dup2(out, 1) < 0 || dup2(errors, 2) < 0)
        _exit(126);
    close_range(3, ~0u, 0);
    execve("/bin/sh", argv, envp);
    _exit(127);
}

/* Until the shell ends or its time is up; who inherited its pipes can't hold us. */
static void watch(pid_t pid, struct tail *tails, uint32_t wall_ms, struct command_reply *reply)
{
    int64_t until = now_ms() + wall_ms;
    struct pollfd polled[2] = {{tails[0].fd, POLLIN, 0}, {tails[1].fd, POLLIN, 0}};
    while (waitpid(pid, &reply->wait_status, WNOHANG) == 0) {
        if (now_ms() >= until) {
            reply->late = 1;
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            waitpid(pid, &reply->wait_status, 0);
            break;
        }
        poll(polled, 2, 10);
        for (int i = 0; i < 2; i++) {
            if (polled[i].revents != 0 && !take(&tails[i]))
                polled[i].fd = -1;
        }
        if (polled[0].fd < 0 && polled[1].fd < 0)
            usleep(200);
    }
    kill(-pid, SIGKILL);
    for (int i = 0; i < 2; i++) {
        /* bounded: a survivor may still be writing */
        for (int n = 0; n < 64 && take(&tails[i]) && errno != EAGAIN; n++)
            errno = 0;
    }
}

static bool ends_word(char c)
{
    return isspace((unsigned char)c) || c == '=' || c == ':' || c == ',' || c == ';';
}

/* The last word that is a number. */
static bool last_number(const struct tail *t, double *number)
{
    size_t end = t->len;
    while (end > 0) {
        while (end > 0 && ends_word(t->text[end - 1]))
            end--;
        size_t start = end;
        while (start > 0 && !ends_word(t->text[start - 1]))
            start--;
        char *stop, word[64];
        if (end > start && end - start < sizeof(word)) {
            snprintf(word, sizeof(word), "%.*s", (int)(end - start), t->text + start);
            *number = strtod(word, &stop);
            if (*stop == '\0')
                return true;
        }
        end = start;
    }
    return false;
}

static void last_line(const struct tail *t, char *line, size_t cap)
{
    size_t end = t->len;
    while (end > 0 && isspace((unsigned char)t->text[end - 1]))
        end--;
    size_t start = end;
    while (start > 0 && t->text[start - 1] != '\n')
        start--;
    snprintf(line, cap, "%.*s", (int)(end - start), t->text + start);
}

static void run(const struct command_request *q, int text, struct command_reply *reply)
{
    static struct tail tails[2];
    int out[2], errors[2];
    if (put_file(q->file, text) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
        pipe2(errors, O_CLOEXEC) != 0) {
        snprintf(reply->last_line, sizeof(reply->last_line), "cannot write the program");
        reply->wait_status = 126 << 8;
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        be_shell(q, out[1], errors[1]);
    close(out[1]);
    close(errors[1]);
    tails[0].fd = out[0];
    tails[1].fd = errors[0];
    for (int i = 0; i < 2; i++)
        fcntl(tails[i].fd, F_SETFL, O_NONBLOCK);
    reply->wait_status = 126 << 8;
    if (pid > 0)
        watch(pid, tails, q->wall_ms, reply);
    reply->has_number = last_number(&tails[0], &reply->number);
    last_line(tails[1].len > 0 ? &tails[1] : &tails[0], reply->last_line,
              sizeof(reply->last_line));
    reply->cpu_us = cage_cpu_us();
}

int command_main(void)
{
    static struct command_request q;
    struct command_reply reply = {0};
    int fds[WIRE_FDS_MAX];
    if (cage_fill_standard() != 0 || seccomp_install(SECCOMP_TOOLS) != 0 || cage_ready() != 0 ||
        wire_recv(CAGE_SOCKET, &q, sizeof(q), fds) != (ssize_t)sizeof(q))
        return 1;
    run(&q, fds[0], &reply);
    return wire_send(CAGE_SOCKET, &reply, sizeof(reply), NULL, 0);
}
