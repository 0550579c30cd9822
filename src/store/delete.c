/* delete: the files of a run, and nothing else in its folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool holds_run(int folder)
{
    static const char *const names[] = {"elm.db", "elm.db-wal", "elm.db-shm", "elm.db-journal"};
    for (size_t i = 0; i < ELM_COUNT(names); i++) {
        if (faccessat(folder, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return true;
    }
    return false;
}

static enum elm_status remove_file(int folder, const char *path, const char *name,
                                   struct elm_error *err)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return ELM_OK;
    return elm_fail(err, ELM_IO, "cannot remove '%s/%s': %s", path, name, strerror(errno));
}

static enum elm_status remove_files(int folder, const char *path, bool best, struct elm_error *err)
{
    /* without its first file the rest is no run, should we be stopped in between */
    ELM_TRY(remove_file(folder, path, "elm.db", err));
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = again < 0 ? NULL : fdopendir(again);
    if (files == NULL) {
        enum elm_status failed = elm_fail(err, ELM_IO, "cannot read '%s': %s", path,
                                          strerror(errno));
        if (again >= 0)
            close(again);
        return failed;
    }
    enum elm_status status = ELM_OK;
    for (struct dirent *e; status == ELM_OK && (e = readdir(files)) != NULL;) {
        bool ours = begins(e->d_name, "elm.db") || (best && begins(e->d_name, "best."));
        if (ours && e->d_type != DT_DIR)
            status = remove_file(folder, path, e->d_name, err);
    }
    closedir(files);
    return status == ELM_OK ? remove_file(folder, path, "lock", err) : status;
}

static enum elm_status remove_run(const char *path, bool best, struct elm_error *err)
{
    int lock = -1, folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return elm_fail(err, errno == ENOENT || errno == ENOTDIR ? ELM_NOT_FOUND : ELM_IO,
                        "cannot open the folder '%s': %s", path, strerror(errno));
    }
    enum elm_status status = ELM_OK;
    if (!holds_run(folder))
        status = elm_fail(err, ELM_NOT_FOUND, "'%s' holds no run; nothing is removed", path);
    if (status == ELM_OK)
        status = store_lock(path, &lock, err);
    if (status == ELM_OK)
        status = remove_files(folder, path, best, err);
    if (lock >= 0)
        close(lock);
    close(folder);
    if (status == ELM_OK && rmdir(path) != 0 && errno != ENOTEMPTY && errno != EEXIST)
        status = elm_fail(err, ELM_IO, "cannot remove the folder '%s': %s", path, strerror(errno));
    return status;
}

enum elm_status elm_store_delete(const char *folder, struct elm_error *err)
{
    return remove_run(folder, true, err);
}

enum elm_status elm_store_discard(const char *folder, struct elm_error *err)
{
    return remove_run(folder, false, err);
}
