/*
 * namespace: the file system of a cage at level 3: an empty read-only root; for gcc the tool chain
 * read-only and a work folder; for a command the whole system read-only, with a copy of the
 * program's folder in its place.
 */
#include "sandbox/cage_proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define INNER_ID 1000
#define FOLDER_MB 64
#define COPY_FILES_MAX 20000

static int mount_tmpfs(const char *at, const char *options, unsigned long flags)
{
    return mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV | flags, options);
}

static int read_only(const char *at, uint64_t more)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | more};
    return mount_setattr(AT_FDCWD, at, AT_RECURSIVE, &attr, sizeof(attr));
}

/* Makes the current folder, a mount, the root. */
static int pivot(char *why, size_t cap)
{
    if (syscall(SYS_pivot_root, ".", ".") != 0)
        return cage_why(why, cap, "cannot pivot_root");
    if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
        return cage_why(why, cap, "cannot leave the old root");
    return 0;
}

static int empty_root(char *why, size_t cap)
{
    if (mount_tmpfs("/proc", "size=4k,nr_inodes=2,mode=555", MS_NOEXEC) != 0 ||
        chdir("/proc") != 0)
        return cage_why(why, cap, "cannot mount an empty root");
    if (pivot(why, cap) != 0)
        return -1;
    if (mount(NULL, "/", NULL,
              MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return cage_why(why, cap, "cannot make the root read-only");
    return 0;
}

static int bind_device(const char *from, const char *to)
{
    int fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    close(fd);
    return mount(from, to, NULL, MS_BIND, NULL);
}

/* Under the current folder, a future root. */
static int devices(const char *folder, char *why, size_t cap)
{
    static const char *const kinds[] = {"null", "zero", "full", "random", "urandom"};
    for (size_t i = 0; i < ELM_COUNT(kinds); i++) {
        char from[64], to[64];
        snprintf(from, sizeof(from), "/dev/%s", kinds[i]);
        snprintf(to, sizeof(to), "%s/%s", folder, kinds[i]);
        if (bind_device(from, to) != 0)
            return cage_why(why, cap, "cannot bind %s", from);
    }
    return 0;
}

static int tool_root(char *why, size_t cap)
{
    static const char *const parts[] = {"usr", "lib", "lib64", "bin"};
    if (mount_tmpfs("/proc", "size=128m,nr_inodes=4k,mode=755", 0) != 0 || chdir("/proc") != 0)
        return cage_why(why, cap, "cannot mount a root");
    for (size_t i = 0; i < ELM_COUNT(parts); i++) {
        char from[16], target[64];
        snprintf(from, sizeof(from), "/%s", parts[i]);
        ssize_t len = readlink(from, target, sizeof(target) - 1);
        if (len > 0) {
            target[len] = '\0';
            if (symlink(target, parts[i]) != 0)
                return cage_why(why, cap, "cannot link %s", from);
            continue;
        }
        if (access(from, F_OK) != 0)
            continue;
        if (mkdir(parts[i], 0755) != 0 ||
            mount(from, parts[i], NULL, MS_BIND | MS_REC, NULL) != 0 ||
            read_only(parts[i], MOUNT_ATTR_NODEV) != 0)
            return cage_why(why, cap, "cannot bind %s", from);
    }
    if (mkdir("work", 0700) != 0 || mkdir("dev", 0755) != 0)
        return cage_why(why, cap, "cannot make folders");
    if (devices("dev", why, cap) != 0 || pivot(why, cap) != 0)
        return -1;
    return chdir("/work") == 0 ? 0 : cage_why(why, cap, "cannot enter /work");
}

static void make_parents(const char *path)
{
    char part[4096];
    for (size_t i = 1; i < sizeof(part) - 1 && path[i] != '\0'; i++) {
        if (path[i + 1] == '/' || path[i + 1] == '\0') {
            snprintf(part, sizeof(part), "%.*s", (int)(i + 1), path);
            mkdir(part, 0755);
        }
    }
}

static int system_root(const char *folder, char *why, size_t cap)
{
    int from = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from < 0)
        return cage_why(why, cap, "cannot open '%s'", folder);
    if (mount("/", "/proc", NULL, MS_BIND | MS_REC, NULL) != 0 || chdir("/proc") != 0 ||
        read_only(".", 0) != 0)
        return cage_why(why, cap, "cannot bind the root read-only");
    if (mount_tmpfs("dev", "size=64m,mode=755", 0) != 0 || mkdir("dev/shm", 0700) != 0 ||
        mount_tmpfs("tmp", "size=256m,mode=755", 0) != 0)
        return cage_why(why, cap, "cannot mount /dev and /tmp");
    if (devices("dev", why, cap) != 0)
        return -1;
    /* the host's /proc would show the environment of the user's other programs */
    if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0 &&
        mount_tmpfs("proc", "size=4k", 0) != 0)
        return cage_why(why, cap, "cannot hide /proc");
    if (pivot(why, cap) != 0)
        return -1;
    make_parents(folder);
    char options[64];
    snprintf(options, sizeof(options), "size=%dm,mode=755", 4 * FOLDER_MB);
    if (mount_tmpfs(folder, options, 0) != 0)
        return cage_why(why, cap, "cannot mount a working folder at '%s'", folder);
    int to = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0 || chdir(folder) != 0)
        return cage_why(why, cap, "cannot enter '%s'", folder);
    int result = folder_copy(from, to, why, cap);
    close(from);
    close(to);
    return result;
}

int namespace_enter(const struct keeper_request *q, bool mapped_root, char *why, size_t cap)
{
    if ((mapped_root && setgroups(0, NULL) != 0) || setresgid(INNER_ID, INNER_ID, INNER_ID) != 0 ||
        setresuid(INNER_ID, INNER_ID, INNER_ID) != 0)
        return cage_why(why, cap, "cannot take the inner user");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return cage_why(why, cap, "cannot make mounts private");
    switch (q->kind) {
    case CAGE_GCC: return tool_root(why, cap);
    case CAGE_COMMAND: return system_root(q->folder, why, cap);
    default: return empty_root(why, cap);
    }
}

/* ---- copying ---- */
struct copy {
    uint64_t bytes_left;
    uint32_t files_left;
    char *why;
    size_t cap;
};

static int copy_bytes(struct copy *c, int from, int to, const char *name)
{
    char block[65536];
    ssize_t got;
    while ((got = read(from, block, sizeof(block))) > 0) {
        if ((uint64_t)got > c->bytes_left) {
            errno = 0;
            return cage_why(c->why, c->cap, "the folder of the program is larger than %d MiB: put "
                            "it in a folder of its own", FOLDER_MB);
        }
        c->bytes_left -= (uint64_t)got;
        if (write(to, block, (size_t)got) != got)
            return cage_why(c->why, c->cap, "cannot copy '%s'", name);
    }
    return got == 0 ? 0 : cage_why(c->why, c->cap, "cannot read '%s'", name);
}

static int copy_entry(struct copy *c, int from, int to, const char *name, uint32_t depth);

static int copy_all(struct copy *c, int from, int to, uint32_t depth)
{
    int listing = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = listing < 0 ? NULL : fdopendir(listing);
    if (d == NULL)
        return cage_why(c->why, c->cap, "cannot list the folder of the program");
    int result = 0;
    for (struct dirent *e; result == 0 && (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            result = copy_entry(c, from, to, e->d_name, depth);
    }
    closedir(d);
    return result;
}

/* Files, folders and links; what cannot be read is left out. */
static int copy_entry(struct copy *c, int from, int to, const char *name, uint32_t depth)
{
    struct stat st;
    if (c->files_left-- == 0 || depth > 32) {
        errno = 0;
        return cage_why(c->why, c->cap, "the folder of the program has more than %d files: put it "
                        "in a folder of its own", COPY_FILES_MAX);
    }
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    if (S_ISLNK(st.st_mode)) {
        char target[4096];
        ssize_t len = readlinkat(from, name, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = '\0';
        return len > 0 && symlinkat(target, to, name) != 0
                   ? cage_why(c->why, c->cap, "cannot link '%s'", name) : 0;
    }
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        return 0;
    bool folder = S_ISDIR(st.st_mode);
    int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
                                    (folder ? O_DIRECTORY : 0));
    if (in < 0)
        return 0;
    int out = -1, result = 0;
    if (folder) {
        if (mkdirat(to, name, 0700) == 0)
            out = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else {
        out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                     (st.st_mode & 0111) != 0 ? 0700 : 0600);
    }
    if (out < 0)
        result = cage_why(c->why, c->cap, "cannot copy '%s'", name);
    else
        result = folder ? copy_all(c, in, out, depth + 1) : copy_bytes(c, in, out, name);
    close(in);
    close(out);
    return result;
}

int folder_copy(int from, int to, char *why, size_t cap)
{
    struct copy c = {(uint64_t)FOLDER_MB << 20, COPY_FILES_MAX, why, cap};
    return copy_all(&c, from, to, 0);
}
