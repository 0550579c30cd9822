/* file: whole files in, whole files out, and clocks. */
#include "elm/base.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t elm_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t rusage_us(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

int64_t elm_cpu_us(void)
{
    return rusage_us(RUSAGE_SELF) + rusage_us(RUSAGE_CHILDREN);
}

static enum elm_status read_all(int fd, const char *path, size_t max_bytes, struct elm_buf *out,
                                struct elm_error *err)
{
    size_t start = out->len;
    for (;;) {
        elm_buf_reserve(out, 16384);
        ssize_t got = read(fd, out->ptr + out->len, 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return elm_fail(err, ELM_IO, "cannot read '%s': %s", path, strerror(errno));
        if (got == 0)
            break;
        out->len += (size_t)got;
        if (out->len - start > max_bytes)
            return elm_fail(err, ELM_RANGE, "'%s' is larger than the %zu bytes allowed", path,
                            max_bytes);
    }
    out->ptr[out->len] = '\0';
    return ELM_OK;
}

enum elm_status elm_file_read(const char *path, size_t max_bytes, struct elm_buf *out,
                              struct elm_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "cannot open '%s': %s",
                        path, strerror(errno));
    }
    struct stat st;
    enum elm_status status = ELM_OK;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        status = elm_fail(err, ELM_IO, "'%s' is a folder, not a file", path);
    if (status == ELM_OK)
        status = read_all(fd, path, max_bytes, out, err);
    close(fd);
    return status;
}

static enum elm_status write_all(int fd, const char *path, struct elm_str bytes,
                                 struct elm_error *err)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t put = write(fd, bytes.ptr + done, bytes.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            return elm_fail(err, errno == ENOSPC || errno == EDQUOT ? ELM_FULL : ELM_IO,
                            "cannot write '%s': %s", path, strerror(errno));
        }
        done += (size_t)put;
    }
    if (fsync(fd) != 0)
        return elm_fail(err, ELM_IO, "cannot sync '%s': %s", path, strerror(errno));
    return ELM_OK;
}

enum elm_status elm_file_write(const char *path, struct elm_str bytes, struct elm_error *err)
{
    struct elm_buf temporary = {0};
    elm_buf_printf(&temporary, "%s.%d.tmp", path, (int)getpid());
    int fd = open(temporary.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    enum elm_status status = ELM_OK;
    if (fd < 0) {
        status = elm_fail(err, ELM_IO, "cannot create '%s': %s", temporary.ptr, strerror(errno));
    } else {
        status = write_all(fd, path, bytes, err);
        close(fd);
        if (status == ELM_OK && rename(temporary.ptr, path) != 0)
            status = elm_fail(err, ELM_IO, "cannot rename to '%s': %s", path, strerror(errno));
        if (status != ELM_OK)
            unlink(temporary.ptr);
    }
    elm_buf_release(&temporary);
    return status;
}
