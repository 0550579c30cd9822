/*
 * checkpoint: a training's standing in a file: a head, then one or two states (the present one, and
 * the one that a divergence goes back to where that is another), then a checksum of all before it.
 * For this machine's order of bytes, which the mark shows.
 */
#include "learn/train.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK 0x4e49415254454c4dull
#define VERSION 1

struct head {
    uint64_t mark;
    uint32_t version, states;
    uint64_t fingerprint, values;    /* floats of a state */
};

void train_save(const struct train *t, float *to)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const size_t size = (size_t)t->parameters[i].rows * t->parameters[i].cols;
        memcpy(to, t->parameters[i].weights, size * sizeof(float));
        to += size;
    }
    memcpy(to, t->state, t->floats * t->slots * sizeof(float));
}

void train_restore(struct train *t, const float *from)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const size_t size = (size_t)t->parameters[i].rows * t->parameters[i].cols;
        memcpy(t->parameters[i].weights, from, size * sizeof(float));
        from += size;
    }
    memcpy(t->state, from, t->floats * t->slots * sizeof(float));
}

static size_t values_of(const struct train *t)
{
    return t->floats * (1 + t->slots);
}

/* ---- writing ---- */

struct sink {
    int fd;
    const char *path;
    uint64_t hash;
};

static enum elm_status put(struct sink *s, const void *bytes, size_t len, struct elm_error *err)
{
    s->hash = elm_hash(bytes, len, s->hash);
    for (size_t done = 0; done < len;) {
        ssize_t wrote = write(s->fd, (const char *)bytes + done, len - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return elm_fail(err, errno == ENOSPC || errno == EDQUOT ? ELM_FULL : ELM_IO,
                            "cannot write the checkpoint '%s': %s", s->path, strerror(errno));
        done += (size_t)wrote;
    }
    return ELM_OK;
}

static enum elm_status put_state(struct sink *s, const struct train *t,
                                 const struct standing *standing, const float *values,
                                 struct elm_error *err)
{
    ELM_TRY(put(s, standing, sizeof(*standing), err));
    return put(s, values, values_of(t) * sizeof(float), err);
}

static enum elm_status put_all(struct sink *s, const struct train *t, struct elm_error *err)
{
    const bool at_anchor = t->anchor.step == t->now.step;
    const struct head head = {.mark = MARK, .version = VERSION, .states = at_anchor ? 1 : 2,
                              .fingerprint = train_fingerprint(t), .values = values_of(t)};
    float *values = elm_malloc(values_of(t) * sizeof(float));
    train_save(t, values);
    enum elm_status status = put(s, &head, sizeof(head), err);
    if (status == ELM_OK)
        status = put_state(s, t, &t->now, values, err);
    if (status == ELM_OK && !at_anchor)
        status = put_state(s, t, &t->anchor, t->anchor_values, err);
    free(values);
    if (status == ELM_OK) {
        const uint64_t hash = s->hash;
        status = put(s, &hash, sizeof(hash), err);
    }
    if (status == ELM_OK && fsync(s->fd) != 0)
        status = elm_fail(err, ELM_IO, "cannot sync the checkpoint '%s': %s", s->path,
                          strerror(errno));
    return status;
}

/* The name must outlive a crash, too; where a folder can't be synced, it may not. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? elm_strdup(".")
                                 : elm_strndup(path, (size_t)(slash - path) + (slash == path));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(folder);
}

enum elm_status checkpoint_write(const struct train *t, const char *path, struct elm_error *err)
{
    struct elm_buf temporary = {0};
    elm_buf_printf(&temporary, "%s.tmp", path);
    struct sink s = {.path = path};
    s.fd = open(temporary.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    enum elm_status status;
    if (s.fd < 0) {
        status = elm_fail(err, ELM_IO, "cannot create '%s': %s", temporary.ptr, strerror(errno));
    } else {
        status = put_all(&s, t, err);
        close(s.fd);
        if (status == ELM_OK && rename(temporary.ptr, path) != 0)
            status = elm_fail(err, ELM_IO, "cannot rename to '%s': %s", path, strerror(errno));
        if (status == ELM_OK)
            sync_folder(path);
        else
            unlink(temporary.ptr);
    }
    elm_buf_release(&temporary);
    return status;
}

/* ---- reading ---- */

struct source {
    int fd;
    const char *path;
    uint64_t hash;
};

static enum elm_status get(struct source *s, void *bytes, size_t len, struct elm_error *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = read(s->fd, (char *)bytes + done, len - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return elm_fail(err, ELM_IO, "cannot read '%s': %s", s->path, strerror(errno));
        if (got == 0)
            return elm_fail(err, ELM_CORRUPT, "checkpoint '%s' ends early; delete it to begin anew",
                            s->path);
        done += (size_t)got;
    }
    s->hash = elm_hash(bytes, len, s->hash);
    return ELM_OK;
}

static enum elm_status check_head(const struct train *t, const struct head *h, const char *path,
                                  struct elm_error *err)
{
    if (h->mark != MARK)
        return elm_fail(err, ELM_CORRUPT, "'%s' is no checkpoint of elm", path);
    if (h->version > VERSION)
        return elm_fail(err, ELM_VERSION_TOO_NEW, "checkpoint '%s' has version %u, %u is read", path,
                        h->version, VERSION);
    if (h->fingerprint != train_fingerprint(t) || h->values != values_of(t))
        return elm_fail(err, ELM_USAGE, "checkpoint '%s' is of a training with other options or "
                        "another model; delete it, or give another --out", path);
    if (h->states < 1 || h->states > 2)
        return elm_fail(err, ELM_CORRUPT, "checkpoint '%s' has %u states", path, h->states);
    return ELM_OK;
}

static enum elm_status get_all(struct train *t, struct source *s, float *values[2],
                               struct standing standing[2], struct elm_error *err)
{
    struct head head;
    uint64_t hash;
    ELM_TRY(get(s, &head, sizeof(head), err));
    ELM_TRY(check_head(t, &head, s->path, err));
    for (uint32_t i = 0; i < head.states; i++) {
        ELM_TRY(get(s, &standing[i], sizeof(standing[i]), err));
        ELM_TRY(get(s, values[i], values_of(t) * sizeof(float), err));
    }
    const uint64_t want = s->hash;
    ELM_TRY(get(s, &hash, sizeof(hash), err));
    if (hash != want)
        return elm_fail(err, ELM_CORRUPT, "checkpoint '%s' fails its checksum; delete it to begin "
                        "anew", s->path);
    t->now = standing[0];
    t->anchor = standing[head.states - 1];
    train_restore(t, values[0]);
    memcpy(t->anchor_values, values[head.states - 1], values_of(t) * sizeof(float));
    return ELM_OK;
}

enum elm_status checkpoint_read(struct train *t, const char *path, struct elm_error *err)
{
    struct source s = {.path = path};
    s.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (s.fd < 0)
        return elm_fail(err, errno == ENOENT ? ELM_NOT_FOUND : ELM_IO, "cannot open '%s': %s", path,
                        strerror(errno));
    float *values[2];
    struct standing standing[2];
    for (int i = 0; i < 2; i++)
        values[i] = elm_malloc(values_of(t) * sizeof(float));
    enum elm_status status = get_all(t, &s, values, standing, err);
    free(values[0]);
    free(values[1]);
    close(s.fd);
    return status;
}
