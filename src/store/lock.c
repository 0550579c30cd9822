/*
 * lock: one process writes a run. The lock is on a file of its own, because closing any
 * descriptor of elm.db would drop the locks SQLite holds on it. An open-file lock, so that two
 * stores of one process shut each other out too; the file's text names the holder.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

static enum elm_status fail_errno(const char *verb, const char *path, struct elm_error *err)
{
    bool full = errno == ENOSPC || errno == EDQUOT;
    return elm_fail(err, full ? ELM_FULL : ELM_IO, "cannot %s '%s': %s", verb, path,
                    strerror(errno));
}

static enum elm_status say_locked(int fd, const char *folder, struct elm_error *err)
{
    char text[32] = "";
    long pid = 0;
    /* the holder may be about to write its number */
    for (int i = 0; i < 50 && pid == 0; i++) {
        if (i > 0)
            usleep(1000);
        ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
        text[got > 0 ? got : 0] = '\0';
        pid = strtol(text, NULL, 10);
    }
    if (pid == 0) {
        return elm_fail(err, ELM_LOCKED, "another process is working on the run in '%s'; wait for "
                        "it or stop it", folder);
    }
    return elm_fail(err, ELM_LOCKED, "process %ld is working on the run in '%s'; wait for it, or "
                    "stop it with `kill %ld`", pid, folder, pid);
}

/* False when the name now stands for another file: a run deleted meanwhile. */
static bool still_there(int fd, const char *path)
{
    struct stat mine, named;
    return fstat(fd, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev;
}

static enum elm_status take(int fd, const char *folder, const char *path, struct elm_error *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return say_locked(fd, folder, err);
        if (errno != EINTR)
            return fail_errno("lock", path, err);
    }
    char text[32];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return fail_errno("write", path, err);
    return ELM_OK;
}

enum elm_status store_lock(const char *folder, int *out, struct elm_error *err)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/lock", folder);
    enum elm_status status = ELM_OK;
    int fd = -1;
    do {
        if (fd >= 0)
            close(fd);
        fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        status = fd < 0 ? fail_errno("open", path.ptr, err) : take(fd, folder, path.ptr, err);
    } while (status == ELM_OK && !still_there(fd, path.ptr));
    elm_buf_release(&path);
    if (status == ELM_OK)
        *out = fd;
    else if (fd >= 0)
        close(fd);
    return status;
}
