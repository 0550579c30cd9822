/*
 * coevolve_file: a world in its folder. `state` is replaced as a whole; `changes` only grows, by a frame
 * each time: length, hash, bytes. What lies beyond the length that the state knows is of a turn that was
 * lost, and is cut off.
 */
#include "learn/coevolve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "elm coevolution 1\n"
#define STATE_MAX ((size_t)1 << 30)

struct frame {
    uint64_t bytes, hash;
};

static char *path_in(const char *folder, const char *name)
{
    struct elm_buf path = {0};
    elm_buf_printf(&path, "%s/%s", folder, name);
    return path.ptr;
}

enum elm_status coevolve_lock(struct elm_coevolve *c, struct elm_error *err)
{
    if (mkdir(c->folder, 0777) != 0 && errno != EEXIST)
        return elm_fail(err, errno == ENOSPC ? ELM_FULL : ELM_IO, "cannot make the folder '%s': %s",
                        c->folder, strerror(errno));
    char *path = path_in(c->folder, "lock");
    enum elm_status status = ELM_OK;
    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0666);
    if (c->lock < 0)
        status = elm_fail(err, errno == ENOSPC ? ELM_FULL : ELM_IO, "cannot open '%s': %s", path,
                          strerror(errno));
    else if (flock(c->lock, LOCK_EX | LOCK_NB) != 0)
        status = elm_fail(err, ELM_LOCKED, "another coevolution works in '%s'", c->folder);
    free(path);
    return status;
}

/* ---- the state ---- */

static void put_text(struct elm_buf *out, struct elm_str text)
{
    elm_buf_varint(out, text.len);
    elm_buf_add_str(out, text);
}

static void put_real(struct elm_buf *out, double x)
{
    elm_buf_add(out, &x, sizeof(x));
}

static void save_settings(const struct elm_coevolve *c, struct elm_buf *out)
{
    elm_buf_varint(out, c->evaluations);
    elm_buf_varint(out, c->def.seed);
    elm_buf_varint(out, c->def.problems);
    elm_buf_varint(out, (uint64_t)c->def.new_problems);
    put_text(out, elm_str(c->targets));
}

static void save_problems(const struct elm_coevolve *c, struct elm_buf *out)
{
    elm_buf_varint(out, c->problem_count);
    for (uint32_t i = 0; i < c->problem_count; i++) {
        const struct coevolve_problem *p = &c->problems[i];
        elm_buf_varint(out, p->parent + 1);      /* none is 0 */
        elm_buf_varint(out, p->made);
        elm_buf_varint(out, p->solved);
        elm_buf_varint(out, p->left);
        put_text(out, elm_buf_str(&p->text));
        put_text(out, elm_buf_str(&p->solver));
    }
}

static void save_group(const struct elm_coevolve *c, const struct coevolve_group *g,
                       struct elm_buf *out)
{
    struct elm_buf archive = {0};
    c->kind->save(g->archive, &archive);
    elm_buf_varint(out, g->problem);
    put_text(out, elm_buf_str(&archive));
    elm_buf_release(&archive);
}

/* A program that several problems hold is written where it stands first. */
static void save_programs(const struct elm_coevolve *c, struct elm_buf *out)
{
    for (uint32_t k = 0; k < c->def.problems * COEVOLVE_NICHES; k++) {
        const struct coevolve_held *h = c->groups[k / COEVOLVE_NICHES].held[k % COEVOLVE_NICHES];
        uint32_t g = 0, niche = k % COEVOLVE_NICHES;
        while (h != NULL && c->groups[g].held[niche] != h)
            g++;
        elm_buf_byte(out, h == NULL ? 0 : g < k / COEVOLVE_NICHES ? 1 : 2);
        if (h == NULL)
            continue;
        if (g < k / COEVOLVE_NICHES) {
            elm_buf_varint(out, g);
            continue;
        }
        struct elm_buf text = {0};
        elm_tree_print(&h->tree, c->problem.names, &text);
        elm_buf_zigzag(out, h->id);
        put_text(out, elm_buf_str(&text));
        elm_buf_release(&text);
    }
}

static void save_points(const struct elm_coevolve *c, struct elm_buf *out)
{
    elm_buf_varint(out, c->point_count);
    for (uint32_t i = 0; i < c->point_count; i++) {
        const struct elm_coevolve_point *p = &c->points[i];
        elm_buf_varint(out, p->evaluations);
        elm_buf_varint(out, p->made);
        elm_buf_varint(out, p->solved);
        elm_buf_varint(out, p->annecs);
        put_real(out, p->best);
        put_real(out, p->coverage);
        put_real(out, p->qd);
    }
}

void coevolve_save(const struct elm_coevolve *c, struct elm_buf *out)
{
    save_settings(c, out);
    save_problems(c, out);
    elm_buf_varint(out, c->attempts);
    elm_buf_varint(out, c->turns);
    for (uint32_t g = 0; g < c->def.problems; g++)
        save_group(c, &c->groups[g], out);
    save_programs(c, out);
    save_points(c, out);
}

static struct elm_str get_text(struct elm_reader *r)
{
    uint64_t len = elm_read_varint(r);
    const char *at = len <= STATE_MAX ? elm_read_bytes(r, len) : NULL;
    r->bad = r->bad || at == NULL;
    return r->bad ? (struct elm_str){"", 0} : (struct elm_str){at, len};
}

static double get_real(struct elm_reader *r)
{
    double x = 0;
    const void *at = elm_read_bytes(r, sizeof(x));
    if (at != NULL)
        memcpy(&x, at, sizeof(x));
    return x;
}

static bool get_tree(struct elm_coevolve *c, struct elm_str text, struct elm_tree *out)
{
    struct elm_tree tree;
    if (elm_tree_parse(text, c->problem.names, &tree, NULL) != ELM_OK)
        return false;
    if (tree.count <= c->problem.nodes_max && elm_tree_check(&tree, c->problem.names, NULL) == ELM_OK &&
        elm_io_match(&c->problem.io, &tree, c->problem.names, NULL) == ELM_OK) {
        *out = tree;
        return true;
    }
    elm_tree_release(&tree);
    return false;
}

/* What a state begins with; `targets` is borrowed. */
struct settings {
    uint64_t evaluations, seed, problems, new_problems;
    struct elm_str targets;
};

static struct settings get_settings(struct elm_reader *r)
{
    struct settings s = {.evaluations = elm_read_varint(r)};
    s.seed = elm_read_varint(r);
    s.problems = elm_read_varint(r);
    s.new_problems = elm_read_varint(r);
    s.targets = get_text(r);
    if (s.problems < ELM_COEVOLVE_PROBLEMS_MIN || s.problems > ELM_COEVOLVE_PROBLEMS_MAX ||
        s.new_problems >= ELM_COEVOLVE_NEWS)
        r->bad = true;
    return s;
}

static bool is_ours(const struct elm_coevolve *c, const struct settings *s)
{
    return s->seed == c->def.seed && s->problems == c->def.problems &&
           s->new_problems == (uint64_t)c->def.new_problems &&
           elm_str_equal(s->targets, elm_str(c->targets));
}

/* A problem as it is written; the texts are borrowed. */
struct record {
    uint64_t parent, made, solved, left;
    struct elm_str text, solver;
};

static struct record get_record(struct elm_reader *r)
{
    struct record p = {.parent = elm_read_varint(r)};
    p.made = elm_read_varint(r);
    p.solved = elm_read_varint(r);
    p.left = elm_read_varint(r);
    p.text = get_text(r);
    p.solver = get_text(r);
    return p;
}

static bool load_problems(struct elm_coevolve *c, struct elm_reader *r)
{
    uint64_t count = elm_read_varint(r);
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        struct record from = get_record(r);
        struct elm_tree target;
        if (r->bad || from.parent > i || !get_tree(c, from.text, &target) ||
            !coevolve_add_problem(c, target, (uint32_t)from.parent - 1))
            return false;
        struct coevolve_problem *p = &c->problems[c->problem_count - 1];
        p->made = from.made;
        p->solved = from.solved;
        p->left = from.left;
        elm_buf_add_str(&p->solver, from.solver);
    }
    return !r->bad && c->problem_count >= c->def.problems;
}

static bool load_group(struct elm_coevolve *c, struct elm_reader *r, struct coevolve_group *g)
{
    uint64_t problem = elm_read_varint(r);
    struct elm_str archive = get_text(r);
    if (r->bad || problem >= c->problem_count)
        return false;
    g->problem = (uint32_t)problem;
    g->archive = c->kind->make(&c->problem, 0);
    struct elm_reader inner = elm_reader(archive.ptr, archive.len);
    return c->kind->load(g->archive, &inner, NULL) == ELM_OK && inner.at == inner.end;
}

static bool load_programs(struct elm_coevolve *c, struct elm_reader *r)
{
    for (uint32_t k = 0; k < c->def.problems * COEVOLVE_NICHES && !r->bad; k++) {
        uint32_t group = k / COEVOLVE_NICHES, niche = k % COEVOLVE_NICHES;
        uint8_t how = elm_read_byte(r);
        if (how == 1) {
            uint64_t from = elm_read_varint(r);
            struct coevolve_held *h = from < group ? c->groups[from].held[niche] : NULL;
            if (h == NULL)
                return false;
            h->refs++;
            c->groups[group].held[niche] = h;
        } else if (how == 2) {
            int64_t id = elm_read_zigzag(r);
            struct elm_tree tree;
            if (!get_tree(c, get_text(r), &tree))
                return false;
            c->groups[group].held[niche] = coevolve_hold(c, id, tree);
            if (c->groups[group].held[niche] == NULL)
                return false;
        } else if (how != 0) {
            return false;
        }
    }
    return !r->bad;
}

/* Has every archive the programs that stand beside it? */
static bool agree(const struct elm_coevolve *c)
{
    for (uint32_t g = 0; g < c->def.problems; g++) {
        const struct coevolve_group *group = &c->groups[g];
        uint32_t count = c->kind->count(group->archive), held = 0;
        for (uint32_t i = 0; i < COEVOLVE_NICHES; i++)
            held += group->held[i] != NULL;
        if (count != held || count == 0)
            return false;
        for (uint32_t i = 0; i < count; i++) {
            const struct elm_elite *e = c->kind->at(group->archive, i);
            const struct coevolve_held *h = group->held[e->niche];
            if (h == NULL || h->id != e->id)
                return false;
        }
    }
    return true;
}

static bool load_points(struct elm_coevolve *c, struct elm_reader *r)
{
    uint64_t count = elm_read_varint(r);
    for (uint64_t i = 0; i < count && !r->bad; i++) {
        struct elm_coevolve_point p = {.evaluations = elm_read_varint(r)};
        p.made = (uint32_t)elm_read_varint(r);
        p.solved = (uint32_t)elm_read_varint(r);
        p.annecs = (uint32_t)elm_read_varint(r);
        p.best = get_real(r);
        p.coverage = get_real(r);
        p.qd = get_real(r);
        coevolve_add_point(c, &p);
    }
    return !r->bad;
}

static bool load(struct elm_coevolve *c, struct elm_reader *r)
{
    if (!load_problems(c, r))
        return false;
    c->attempts = elm_read_varint(r);
    c->turns = c->stored_at = elm_read_varint(r);
    for (uint32_t g = 0; g < c->def.problems; g++) {
        if (!load_group(c, r, &c->groups[g]))
            return false;
    }
    return load_programs(c, r) && agree(c) && load_points(c, r) && r->at == r->end;
}

static enum elm_status damaged(const char *path, struct elm_error *err)
{
    return elm_fail(err, ELM_CORRUPT, "'%s' is damaged; delete the folder, the same command makes the "
                    "same world again", path);
}

/* The state's bytes, checked; *changes: the length of the other file then. */
static enum elm_status read_state(const char *folder, struct elm_buf *bytes, struct elm_reader *r,
                                  uint64_t *changes, struct elm_error *err)
{
    char *path = path_in(folder, "state");
    size_t magic = sizeof(MAGIC) - 1;
    struct frame f;
    enum elm_status status = elm_file_read(path, STATE_MAX, bytes, err);
    if (status == ELM_OK &&
        (bytes->len < magic + sizeof(f) || memcmp(bytes->ptr, MAGIC, magic) != 0))
        status = damaged(path, err);
    if (status == ELM_OK) {
        memcpy(&f, bytes->ptr + magic, sizeof(f));
        *r = elm_reader(bytes->ptr + magic + sizeof(f), bytes->len - magic - sizeof(f));
        *changes = f.bytes;
        if (f.hash != elm_hash(r->at, (size_t)(r->end - r->at), f.bytes))
            status = damaged(path, err);
    }
    free(path);
    return status;
}

static void remember(void *ctx, const struct elm_change *change, uint64_t outputs)
{
    if (change->kind == ELM_CHANGE_ADDED)
        coevolve_keep(ctx, outputs);
}

static enum elm_status take_state(struct elm_coevolve *c, struct elm_reader *r, struct elm_error *err)
{
    struct settings s = get_settings(r);
    if (!r->bad && !is_ours(c, &s))
        return elm_fail(err, ELM_USAGE, "'%s' holds a coevolution of other settings; without any it goes on "
                        "with its own, others want another folder", c->folder);
    c->evaluations = s.evaluations;
    if (r->bad || !load(c, r))
        return damaged(c->folder, err);
    return coevolve_each_change(c, remember, c, err);
}

enum elm_status coevolve_read(struct elm_coevolve *c, bool *there, struct elm_error *err)
{
    struct elm_buf bytes = {0};
    struct elm_reader r;
    struct elm_error why = {0};
    enum elm_status status = read_state(c->folder, &bytes, &r, &c->changes_bytes, &why);
    *there = status != ELM_NOT_FOUND;
    if (status == ELM_OK)
        status = take_state(c, &r, err);
    else
        status = *there ? elm_fail(err, status, "%s", why.message) : ELM_OK;
    elm_buf_release(&bytes);
    return status;
}

enum elm_status elm_coevolve_settings(const char *folder, struct elm_arena *arena,
                                      struct elm_coevolve_def *out, struct elm_error *err)
{
    struct elm_buf bytes = {0};
    struct elm_reader r;
    uint64_t changes;
    enum elm_status status = read_state(folder, &bytes, &r, &changes, err);
    if (status == ELM_OK) {
        struct settings s = get_settings(&r);
        if (r.bad)
            status = damaged(folder, err);
        char *targets = NULL;
        if (!r.bad && s.targets.len > 0) {
            targets = elm_arena_alloc(arena, s.targets.len + 1);
            memcpy(targets, s.targets.ptr, s.targets.len);
            targets[s.targets.len] = '\0';
        }
        if (!r.bad)
            *out = (struct elm_coevolve_def){.folder = folder, .seed = s.seed,
                                             .evaluations = s.evaluations,
                                             .problems = (uint32_t)s.problems,
                                             .new_problems = (enum elm_coevolve_new)s.new_problems,
                                             .targets = targets};
    }
    elm_buf_release(&bytes);
    return status;
}

/* ---- targets of another ---- */

static int later_first(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    if (x->solved != y->solved)
        return x->solved < y->solved ? 1 : -1;
    return x->made < y->made ? 1 : -1;
}

/* The problems of another state that were made on the way and solved, the last first. NULL: damaged. */
static struct record *solved_records(struct elm_reader *r, uint32_t *count)
{
    uint64_t first = get_settings(r).problems, all = elm_read_varint(r), cap = 0;
    struct record *out = NULL;
    *count = 0;
    for (uint64_t i = 0; i < all && !r->bad; i++) {
        struct record p = get_record(r);
        if (i < first || p.solved == 0)
            continue;
        if (*count == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            out = elm_realloc(out, cap * sizeof(out[0]));
        }
        out[(*count)++] = p;
    }
    if (*count > 0)
        qsort(out, *count, sizeof(out[0]), later_first);
    return out;
}

static enum elm_status take_targets(struct elm_coevolve *c, const struct record *from, uint32_t count,
                                    struct elm_error *err)
{
    if (count < c->def.problems)
        return elm_fail(err, ELM_USAGE, "%u problems made on the way were solved in '%s': %u are wanted",
                        count, c->targets, c->def.problems);
    for (uint32_t i = 0; i < c->def.problems; i++) {
        struct elm_tree target;
        if (!get_tree(c, from[i].text, &target) ||
            !coevolve_add_problem(c, target, ELM_COEVOLVE_PROBLEM_NONE))
            return elm_fail(err, ELM_USAGE, "a target of '%s' does not run on the cases of this seed; "
                            "give its own seed", c->targets);
    }
    return ELM_OK;
}

enum elm_status coevolve_read_targets(struct elm_coevolve *c, struct elm_error *err)
{
    struct elm_buf bytes = {0};
    struct elm_reader r;
    uint64_t changes;
    uint32_t count = 0;
    enum elm_status status = read_state(c->targets, &bytes, &r, &changes, err);
    if (status == ELM_OK) {
        struct record *from = solved_records(&r, &count);
        status = r.bad ? damaged(c->targets, err) : take_targets(c, from, count, err);
        free(from);
    }
    elm_buf_release(&bytes);
    return status;
}

/* ---- changes ---- */

/* All that a frame holds. */
static bool read_frame(const struct elm_buf *bytes,
                       void (*each)(void *ctx, const struct elm_change *change, uint64_t outputs),
                       void *ctx)
{
    struct elm_reader r = elm_reader(bytes->ptr, bytes->len);
    while (r.at < r.end && !r.bad) {
        struct elm_change x = {.kind = (enum elm_change_kind)elm_read_byte(&r)};
        uint64_t outputs = 0;
        x.group = elm_read_byte(&r);
        x.evaluations = elm_read_varint(&r);
        x.id = elm_read_zigzag(&r);
        x.parent = elm_read_zigzag(&r);
        x.evicted = elm_read_zigzag(&r);
        x.nodes = (uint32_t)elm_read_varint(&r);
        const void *at = x.kind == ELM_CHANGE_ADDED ? elm_read_bytes(&r, sizeof(outputs)) : NULL;
        if (at != NULL)
            memcpy(&outputs, at, sizeof(outputs));
        if (!r.bad && (x.kind > ELM_CHANGE_BATCH || x.group >= ELM_CHANGE_GROUPS))
            r.bad = true;
        if (!r.bad)
            each(ctx, &x, outputs);
    }
    return !r.bad;
}

static bool read_exactly(FILE *file, struct elm_buf *out, uint64_t bytes)
{
    elm_buf_clear(out);
    elm_buf_reserve(out, bytes);
    out->len = fread(out->ptr, 1, bytes, file);
    return out->len == bytes;
}

static enum elm_status each_stored(const struct elm_coevolve *c, const char *path, FILE *file,
                                   void (*each)(void *ctx, const struct elm_change *change,
                                                uint64_t outputs),
                                   void *ctx, struct elm_error *err)
{
    struct elm_buf bytes = {0};
    struct stat is;
    bool good = fstat(fileno(file), &is) == 0 && (uint64_t)is.st_size >= c->changes_bytes;
    for (uint64_t at = 0; good && at < c->changes_bytes;) {
        struct frame f = {0};
        good = c->changes_bytes - at >= sizeof(f) && fread(&f, 1, sizeof(f), file) == sizeof(f) &&
               f.bytes <= c->changes_bytes - at - sizeof(f) &&
               read_exactly(file, &bytes, f.bytes) &&
               f.hash == elm_hash(bytes.ptr, bytes.len, at) && read_frame(&bytes, each, ctx);
        at += sizeof(f) + f.bytes;
    }
    elm_buf_release(&bytes);
    return good ? ELM_OK : damaged(path, err);
}

enum elm_status coevolve_each_change(const struct elm_coevolve *c,
                                     void (*each)(void *ctx, const struct elm_change *change,
                                                  uint64_t outputs),
                                     void *ctx, struct elm_error *err)
{
    char *path = path_in(c->folder, "changes");
    enum elm_status status = ELM_OK;
    FILE *file = fopen(path, "rbe");
    if (file != NULL)
        status = each_stored(c, path, file, each, ctx, err);
    else if (c->changes_bytes > 0)
        status = elm_fail(err, ELM_IO, "cannot open '%s': %s", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    if (status == ELM_OK && !read_frame(&c->changes, each, ctx))
        status = damaged(path, err);
    free(path);
    return status;
}

static bool write_all(int fd, const void *bytes, size_t len, uint64_t at)
{
    const char *from = bytes;
    while (len > 0) {
        ssize_t done = pwrite(fd, from, len, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        from += done;
        at += (uint64_t)done;
        len -= (size_t)done;
    }
    return true;
}

static enum elm_status append_changes(struct elm_coevolve *c, struct elm_error *err)
{
    char *path = path_in(c->folder, "changes");
    struct frame f = {c->changes.len, elm_hash(c->changes.ptr, c->changes.len, c->changes_bytes)};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0666);
    bool good = fd >= 0 && ftruncate(fd, (off_t)c->changes_bytes) == 0 &&
                write_all(fd, &f, sizeof(f), c->changes_bytes) &&
                write_all(fd, c->changes.ptr, c->changes.len, c->changes_bytes + sizeof(f)) &&
                fsync(fd) == 0;
    enum elm_status status = ELM_OK;
    if (!good)
        status = elm_fail(err, errno == ENOSPC || errno == EDQUOT ? ELM_FULL : ELM_IO,
                          "cannot write '%s': %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

enum elm_status coevolve_write(struct elm_coevolve *c, struct elm_error *err)
{
    struct elm_buf state = {0}, bytes = {0};
    ELM_TRY(append_changes(c, err));
    coevolve_save(c, &state);
    struct frame f = {c->changes_bytes + sizeof(f) + c->changes.len, 0};
    f.hash = elm_hash(state.ptr, state.len, f.bytes);
    elm_buf_add(&bytes, MAGIC, sizeof(MAGIC) - 1);
    elm_buf_add(&bytes, &f, sizeof(f));
    elm_buf_add_str(&bytes, elm_buf_str(&state));
    char *path = path_in(c->folder, "state");
    enum elm_status status = elm_file_write(path, elm_buf_str(&bytes), err);
    free(path);
    elm_buf_release(&state);
    elm_buf_release(&bytes);
    if (status != ELM_OK)
        return status;
    c->changes_bytes = f.bytes;
    c->stored_at = c->turns;
    elm_buf_clear(&c->changes);
    return ELM_OK;
}
