/* a saved archive of every kind: loaded, asked, added to, saved again. The first byte is the kind. */
#include "fuzz.h"
#include "elm/archive.h"

static void use(const struct elm_archive_kind *kind, void *a)
{
    struct elm_evaluation e = {.status = ELM_EVAL_OK, .fitness = 1};
    struct elm_archive_stats stats;
    struct elm_buf out = {0};
    for (uint32_t i = 0; i < kind->count(a); i++)
        kind->at(a, i)->asked++;
    for (int i = 0; i < 20; i++) {
        e.fitness = i;
        e.measures[0] = i * 0.5;
        struct elm_entrant x = {.id = 1000 + i, .parent = 7, .group = (uint32_t)i,
                                .nodes = 5, .evaluation = &e};
        kind->add(a, &x);
        if (kind->tend != NULL)
            kind->tend(a, &(struct elm_moves){0});
    }
    ELM_ASSERT(kind->best(a) != NULL);
    kind->stats(a, &stats);
    ELM_ASSERT(stats.elites == kind->count(a));
    uint64_t hash = kind->hash(a);
    kind->save(a, &out);
    struct elm_reader r = elm_reader(out.ptr, out.len);
    ELM_ASSERT(kind->load(a, &r, NULL) == ELM_OK && kind->hash(a) == hash);
    elm_buf_release(&out);
}

/* One of each kind for all inputs: a load takes the place of whatever there was. */
static void *made[16];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elm_problem problem = {.measure_count = 2, .niches = 100};
    problem.measures[0] = (struct elm_measure){"width", 0, 10, 6, ELM_MEASURE_JUDGE};
    problem.measures[1] = (struct elm_measure){"height", -1, 1, 5, ELM_MEASURE_JUDGE};
    uint32_t kinds = 0;
    while (elm_archive_kinds[kinds] != NULL)
        kinds++;
    ELM_ASSERT(kinds <= ELM_COUNT(made));
    if (size == 0)
        return 0;
    uint32_t k = data[0] % kinds;
    const struct elm_archive_kind *kind = elm_archive_kinds[k];
    if (made[k] == NULL)
        made[k] = kind->make(&problem, 0);
    struct elm_reader r = elm_reader(data + 1, size - 1);
    if (kind->load(made[k], &r, NULL) == ELM_OK)
        use(kind, made[k]);
    return 0;
}
