/* coevolve: the same world however often it is stopped, problems as promised, and folders that lie. */
#include "elm/coevolve.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD (18 + 16)           /* bytes of the state before what its hash is of */

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/elm-coevolve-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static char *path_of(const char *name)
{
    static char path[2][128];
    static int which;
    which = !which;
    snprintf(path[which], sizeof(path[which]), "%s/%s", folder, name);
    return path[which];
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"state", "changes", "lock"};
    for (size_t i = 0; i < ELM_COUNT(names); i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

static struct elm_coevolve_def small(uint64_t evaluations)
{
    struct elm_coevolve_def def = elm_default_coevolve_def();
    def.seed = 5;
    def.problems = 2;
    def.evaluations = evaluations;
    return def;
}

static struct elm_coevolve *open_world(const struct elm_coevolve_def *def)
{
    struct elm_coevolve *c = NULL;
    struct elm_error err = {0};
    if (elm_coevolve_open(def, &c, &err) != ELM_OK)
        fail_msg("%s", err.message);
    return c;
}

static uint64_t run(const struct elm_coevolve_def *def)
{
    struct elm_coevolve *c = open_world(def);
    struct elm_error err = {0};
    if (elm_coevolve_run(c, NULL, NULL, &err) != ELM_OK)
        fail_msg("%s", err.message);
    uint64_t hash = elm_coevolve_hash(c);
    elm_coevolve_close(c);
    return hash;
}

static bool stop_at_third(void *ctx, const struct elm_coevolve_point *now)
{
    (void)now;
    return ++*(int *)ctx < 3;
}

static void pieces_make_the_same_world(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(20000);
    uint64_t whole = run(&def);
    def.folder = folder;
    int turns = 0;
    struct elm_coevolve *c = open_world(&def);
    assert_int_equal(elm_coevolve_run(c, stop_at_third, &turns, NULL), ELM_STOPPED);
    elm_coevolve_close(c);
    struct elm_coevolve_def part = def;
    part.evaluations = 10000;
    uint64_t half = run(&part);
    assert_true(half != whole);
    /* asked for less than there is, it stays as it is */
    part.evaluations = 500;
    assert_true(run(&part) == half);
    assert_true(run(&def) == whole);
}

/* ---- problems ---- */

static void run_text(struct elm_str text, struct elm_names *names, const struct elm_io *io,
                     struct elm_vm_memory *vm, int32_t *out, uint32_t count)
{
    struct elm_tree t = {0};
    struct elm_buf code = {0};
    struct elm_rng rng = elm_rng(77, 1);
    assert_int_equal(elm_tree_parse(text, names, &t, NULL), ELM_OK);
    assert_int_equal(elm_tree_check(&t, names, NULL), ELM_OK);
    assert_int_equal(elm_vm_compile(&t, names, io, &code, NULL), ELM_OK);
    for (uint32_t i = 0; i < count; i++) {
        int32_t in[8], got[2];
        uint64_t steps;
        for (int k = 0; k < 8; k++)
            in[k] = (int32_t)elm_rng_range(&rng, -9, 9);
        out[i] = INT32_MIN;
        if (elm_vm_run(code.ptr, vm, in, got, 1000, &steps) == ELM_VM_OK)
            out[i] = got[0];
    }
    elm_buf_release(&code);
    elm_tree_release(&t);
}

/* On inputs that neither the search nor the audit has seen; both are finite. */
static uint32_t wrong_of(const struct elm_coevolve_problem *p, uint32_t count)
{
    struct elm_io io = {.entry = "f", .returns = ELM_TYPE_INT, .param_count = 3,
                        .params = {{.name = "a", .type = ELM_TYPE_INT},
                                   {.name = "b", .type = ELM_TYPE_INT},
                                   {.name = "v", .type = ELM_TYPE_INT_ARRAY, .dims = {6, 0}}}};
    struct elm_names *names = elm_names_new();
    struct elm_vm_memory *vm = elm_vm_memory_new();
    int32_t *want = elm_malloc(count * sizeof(*want)), *got = elm_malloc(count * sizeof(*got));
    uint32_t wrong = 0;
    assert_int_equal(elm_io_layout(&io, NULL), ELM_OK);
    run_text(p->target, names, &io, vm, want, count);
    run_text(p->solver, names, &io, vm, got, count);
    for (uint32_t i = 0; i < count; i++)
        wrong += want[i] != got[i];
    free(want);
    free(got);
    elm_vm_memory_free(vm);
    elm_names_free(names);
    return wrong;
}

static void problems_are_made_and_solved(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(70000);
    def.seed = 3;
    def.problems = 6;
    struct elm_coevolve *c = open_world(&def);
    assert_int_equal(elm_coevolve_run(c, NULL, NULL, NULL), ELM_OK);
    uint32_t points, solved = 0, left = 0, count = elm_coevolve_problem_count(c);
    const struct elm_coevolve_point *p = elm_coevolve_points(c, &points);
    assert_true(points > 2 && count > 6 && p[points - 1].made == count - 6);
    for (uint32_t i = 0; i < count; i++) {
        struct elm_coevolve_problem x = elm_coevolve_problem(c, i);
        left += x.left > 0;
        assert_true(x.target.len > 0);
        assert_true(i < 6 ? x.parent == ELM_COEVOLVE_PROBLEM_NONE : x.parent < i);
        assert_int_equal(x.depth, i < 6 ? 0 : elm_coevolve_problem(c, x.parent).depth + 1);
        assert_true((x.solved > 0) == (x.solver.len > 0));
        if (x.solved == 0)
            continue;
        solved++;
        assert_true(x.solved > x.made && (x.left == 0 || x.solved <= x.left));
        assert_true(wrong_of(&x, 500) < 25);
    }
    assert_int_equal(left, count - 6);
    assert_true(solved > 0);
    elm_coevolve_close(c);
}

/* Parents were solved when their children were made, and the oldest problem leaves. */
static void the_mastered_have_children(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(70000);
    def.seed = 3;
    def.problems = 6;
    def.new_problems = ELM_COEVOLVE_MASTERED;
    struct elm_coevolve *c = open_world(&def);
    assert_int_equal(elm_coevolve_run(c, NULL, NULL, NULL), ELM_OK);
    uint32_t count = elm_coevolve_problem_count(c);
    assert_true(count > 6);
    for (uint32_t i = 6; i < count; i++) {
        struct elm_coevolve_problem x = elm_coevolve_problem(c, i);
        struct elm_coevolve_problem parent = elm_coevolve_problem(c, x.parent);
        assert_true(parent.solved > 0 && parent.solved <= x.made);
        assert_int_equal(elm_coevolve_problem(c, i - 6).left, x.made);
    }
    elm_coevolve_close(c);
}

static void none_is_none(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(20000);
    def.new_problems = ELM_COEVOLVE_NONE;
    struct elm_coevolve *c = open_world(&def);
    struct elm_openness_report r;
    struct elm_error err = {0};
    assert_int_equal(elm_coevolve_run(c, NULL, NULL, NULL), ELM_OK);
    assert_int_equal(elm_coevolve_problem_count(c), 2);
    assert_int_equal(elm_coevolve_openness(c, true, &r, &err), ELM_USAGE);
    assert_non_null(strstr(err.message, "folder"));
    elm_coevolve_close(c);
}

static void changes_tell_of_every_place(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(30000);
    def.folder = folder;
    def.new_problems = ELM_COEVOLVE_GENERATED;
    struct elm_coevolve *c = open_world(&def);
    assert_int_equal(elm_coevolve_run(c, NULL, NULL, NULL), ELM_OK);
    assert_true(elm_coevolve_problem_count(c) > 3);
    uint32_t points;
    const struct elm_coevolve_point *now = elm_coevolve_points(c, &points);
    /* coverage is the mean share of 32 niches of two problems; the last census, after the last turn,
     * stands for the last point when one is made at each */
    for (int same = 0; same < 2; same++) {
        struct elm_openness_report r;
        assert_int_equal(elm_coevolve_openness(c, same, &r, NULL), ELM_OK);
        assert_true(r.count > 8);
        uint32_t found = 0;
        for (uint32_t i = 0; i < points; i++) {
            for (uint32_t k = 0; k < r.count; k++) {
                if (r.points[k].evaluations != now[i].evaluations)
                    continue;
                found++;
                assert_float_equal(r.points[k].elites, now[i].coverage * 64, 1e-9);
            }
        }
        assert_true(found > 2);
        elm_openness_report_release(&r);
    }
    elm_coevolve_close(c);
}

/* ---- refusals ---- */

static void expect_refused(const struct elm_coevolve_def *def, enum elm_status wanted,
                           const char *word)
{
    struct elm_coevolve *c;
    struct elm_error err = {0};
    assert_int_equal(elm_coevolve_open(def, &c, &err), wanted);
    if (strstr(err.message, word) == NULL)
        fail_msg("'%s' is not in '%s'", word, err.message);
}

static void other_settings_are_refused(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(5000), other = def;
    struct elm_arena arena = {0};
    other.problems = 1;
    expect_refused(&other, ELM_USAGE, "2 to 32");
    other.problems = 33;
    expect_refused(&other, ELM_USAGE, "2 to 32");
    def.folder = folder;
    assert_int_equal(elm_coevolve_settings(folder, &arena, &other, NULL), ELM_NOT_FOUND);
    run(&def);
    other = def;
    other.seed++;
    expect_refused(&other, ELM_USAGE, "other settings");
    other = def;
    other.new_problems = ELM_COEVOLVE_NONE;
    expect_refused(&other, ELM_USAGE, "other settings");
    other = small(5000);
    other.targets = folder;
    expect_refused(&other, ELM_USAGE, "0 problems made on the way");
    other.targets = "/nowhere";
    expect_refused(&other, ELM_NOT_FOUND, "/nowhere");
    assert_int_equal(elm_coevolve_settings(folder, &arena, &other, NULL), ELM_OK);
    assert_true(other.seed == 5 && other.problems == 2 && other.targets == NULL);
    assert_true(other.evaluations >= 5000 && other.new_problems == ELM_COEVOLVE_MUTATED);
    struct elm_coevolve *c = open_world(&def);
    expect_refused(&def, ELM_LOCKED, "another coevolution");
    elm_coevolve_close(c);
    elm_arena_release(&arena);
}

static void put_file(const char *name, const struct elm_buf *bytes, size_t len)
{
    FILE *file = fopen(path_of(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes->ptr, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void damage_is_noticed(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(5000);
    struct elm_buf world = {0}, changes = {0};
    def.folder = folder;
    run(&def);
    assert_int_equal(elm_file_read(path_of("state"), 1 << 24, &world, NULL), ELM_OK);
    assert_int_equal(elm_file_read(path_of("changes"), 1 << 24, &changes, NULL), ELM_OK);
    for (size_t at = 0; at < world.len; at += world.len / 23) {
        world.ptr[at] ^= 0x10;
        put_file("state", &world, world.len);
        expect_refused(&def, ELM_CORRUPT, "delete the folder");
        world.ptr[at] ^= 0x10;
    }
    put_file("state", &world, world.len / 2);
    expect_refused(&def, ELM_CORRUPT, "delete the folder");
    put_file("state", &world, world.len);
    put_file("changes", &changes, changes.len / 2);
    expect_refused(&def, ELM_CORRUPT, "delete the folder");
    changes.ptr[changes.len / 2] ^= 1;
    put_file("changes", &changes, changes.len);
    expect_refused(&def, ELM_CORRUPT, "delete the folder");
    changes.ptr[changes.len / 2] ^= 1;
    /* what was written after the state, and lost with it, is cut off */
    elm_buf_add(&changes, "lost", 4);
    put_file("changes", &changes, changes.len);
    def.evaluations = 9000;
    uint64_t hash = run(&def);
    def.folder = NULL;
    assert_true(run(&def) == hash);
    elm_buf_release(&world);
    elm_buf_release(&changes);
}

/* Bytes that somebody changed, the hash with them: refused, or a world that runs. */
static void lies_do_no_harm(void **state)
{
    (void)state;
    struct elm_coevolve_def def = small(3000);
    struct elm_buf world = {0};
    struct elm_rng rng = elm_rng(3, 3);
    def.folder = folder;
    run(&def);
    assert_int_equal(elm_file_read(path_of("state"), 1 << 24, &world, NULL), ELM_OK);
    char *before = elm_malloc(world.len);
    memcpy(before, world.ptr, world.len);
    uint32_t refused = 0;
    for (int i = 0; i < 150; i++) {
        memcpy(world.ptr, before, world.len);
        uint64_t changes, hash;
        for (uint32_t k = elm_rng_below(&rng, 3); k < 3; k++)
            world.ptr[HEAD + elm_rng_below(&rng, (uint32_t)world.len - HEAD)] =
                (char)elm_rng_below(&rng, 256);
        memcpy(&changes, world.ptr + HEAD - 16, 8);
        hash = elm_hash(world.ptr + HEAD, world.len - HEAD, changes);
        memcpy(world.ptr + HEAD - 8, &hash, 8);
        put_file("state", &world, world.len);
        struct elm_coevolve *c;
        enum elm_status status = elm_coevolve_open(&def, &c, NULL);
        refused += status != ELM_OK;
        if (status == ELM_OK) {
            elm_coevolve_run(c, NULL, NULL, NULL);
            elm_coevolve_close(c);
        }
    }
    assert_true(refused > 50);
    free(before);
    elm_buf_release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pieces_make_the_same_world, make_folder, remove_folder),
        cmocka_unit_test(problems_are_made_and_solved),
        cmocka_unit_test(the_mastered_have_children),
        cmocka_unit_test(none_is_none),
        cmocka_unit_test_setup_teardown(changes_tell_of_every_place, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(other_settings_are_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damage_is_noticed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(lies_do_no_harm, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
