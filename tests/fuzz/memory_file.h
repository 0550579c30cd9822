/* memory_file: bytes as a file, for what reads only files. */
#ifndef ELM_TESTS_MEMORY_FILE_H
#define ELM_TESTS_MEMORY_FILE_H

#include "elm/base.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory_file {
    int fd;
    char path[40];
};

static inline struct memory_file memory_file_open(const void *bytes, size_t size)
{
    struct memory_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};
    ELM_ASSERT(f.fd >= 0);
    for (size_t done = 0; done < size;) {
        ssize_t wrote = write(f.fd, (const char *)bytes + done, size - done);
        ELM_ASSERT(wrote > 0);
        done += (size_t)wrote;
    }
    snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
    return f;
}

static inline void memory_file_close(const struct memory_file *f)
{
    close(f->fd);
}

#endif
