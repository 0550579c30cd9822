/* generate: a folder of problems made by the generator, as hard as it says. */
#include "cli/command.h"
#include "cli/text.h"

#include "elm/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REPEATS_MAX 10000        /* in a row: then there are no others */

static const char *const streams[] = {"train", "gate", "report"};

struct making {
    const struct invocation *v;
    const char *folder;
    struct elm_generator *generator;
    uint64_t *seen, mask;        /* hashes of what is written: open addressing, 0 is empty */
    uint64_t written, count, seed;
    const char *stream;
};

static bool is_new(struct making *m, const struct elm_task *t)
{
    uint64_t hash = elm_hash_mix(elm_tree_hash(&t->reference), elm_tree_hash(&t->problem.seed));
    hash += hash == 0;
    uint64_t at = hash & m->mask;
    while (m->seen[at] != 0 && m->seen[at] != hash)
        at = (at + 1) & m->mask;
    bool fresh = m->seen[at] == 0;
    m->seen[at] = hash;
    return fresh;
}

static enum elm_status write_one(struct making *m, const struct elm_task *t, uint64_t number,
                                 struct elm_error *err)
{
    struct elm_task copy = *t;
    struct elm_buf path = {0};
    if (opt_on(m->v, OPT_HARDNESS)) {
        struct elm_hardness h;
        ELM_TRY(elm_generator_hardness(m->generator, &h, err));
        copy.problem.hardness = h.random;
        copy.problem.hardness_search = h.search;
        copy.problem.solve_rate = h.solve_rate;
    }
    elm_buf_printf(&path, "%s/%s-%llu-%06llu", m->folder, m->stream, (unsigned long long)m->seed,
                   (unsigned long long)number);
    enum elm_status status = elm_task_write(&copy, path.ptr, err);
    elm_buf_release(&path);
    return status;
}

static enum elm_status make_all(struct making *m, struct elm_error *err)
{
    if (mkdir(m->folder, 0777) != 0 && errno != EEXIST)
        return elm_fail(err, ELM_IO, "cannot make the folder '%s': %s", m->folder, strerror(errno));
    uint64_t last = 0;           /* that was new */
    for (uint64_t number = 0; m->written < m->count; number++) {
        const struct elm_task *t = elm_generator_task(m->generator, number);
        if (!is_new(m, t)) {
            if (number - last > REPEATS_MAX)
                return elm_fail(err, ELM_RANGE, "there seem to be no more than %llu such problems",
                                (unsigned long long)m->written);
            continue;
        }
        last = number;
        ELM_TRY(write_one(m, t, number, err));
        m->written++;
        if (!opt_on(m->v, OPT_QUIET) && m->written % 100 == 0)
            fprintf(stderr, "elm: %llu of %llu problems\n", (unsigned long long)m->written,
                    (unsigned long long)m->count);
    }
    return ELM_OK;
}

/* "3" or "1-6" */
static enum elm_status read_corruptions(const char *text, struct elm_generator_def *def,
                                        struct elm_error *err)
{
    char *end;
    unsigned long lo = strtoul(text, &end, 10), hi = lo;
    bool good = end > text && text[0] >= '0' && text[0] <= '9';
    if (good && *end == '-') {
        const char *second = end + 1;
        hi = strtoul(second, &end, 10);
        good = end > second && second[0] >= '0' && second[0] <= '9';
    }
    if (!good || *end != '\0' || lo < 1 || hi > 8 || lo > hi)
        return elm_fail(err, ELM_USAGE, "--corruptions: '%.40s' is not allowed; it takes a number "
                        "from 1 to 8, or two such as 1-6", text);
    def->corruptions_min = (uint32_t)lo;
    def->corruptions_max = (uint32_t)hi;
    return ELM_OK;
}

static enum elm_status generate(struct making *m, struct elm_error *err)
{
    struct elm_generator_def def = {.seed = m->seed, .corruptions_min = 1, .corruptions_max = 6};
    for (int i = 0; i < ELM_STREAMS; i++) {
        if (strcmp(m->stream, streams[i]) == 0)
            def.stream = (enum elm_stream)i;
    }
    const char *family = opt_text(m->v, OPT_FAMILY);
    if (family != NULL && strcmp(family, "boolean") == 0)
        def.family = ELM_FAMILY_BOOLEAN;
    if (opt_text(m->v, OPT_CORRUPTIONS) != NULL)
        ELM_TRY(read_corruptions(opt_text(m->v, OPT_CORRUPTIONS), &def, err));
    ELM_TRY(elm_generator_open(&def, &m->generator, err));
    m->mask = 15;
    while (m->mask < 2 * m->count)
        m->mask = 2 * m->mask + 1;
    m->seen = elm_calloc(m->mask + 1, sizeof(m->seen[0]));
    enum elm_status status = make_all(m, err);
    free(m->seen);
    elm_generator_close(m->generator);
    return status;
}

int cmd_generate(const struct invocation *v)
{
    struct elm_error err = {0};
    struct making m = {.v = v, .folder = v->args[0], .count = opt_count(v, OPT_COUNT, 100),
                       .seed = opt_count(v, OPT_SEED, 1), .stream = opt_text(v, OPT_STREAM)};
    if (m.stream == NULL)
        m.stream = streams[ELM_STREAM_REPORT];
    if (generate(&m, &err) != ELM_OK)
        return cmd_fail(&err);
    text_put(stdout, elm_str(m.folder));
    printf(": %llu problems; `elm problems --problems-path` lists them\n",
           (unsigned long long)m.written);
    return EXIT_DONE;
}
