/*
 * theorems: rewrites are sound and go both ways, distances are exact, theorems are the same for the
 * same seed and in one stream only, and no strategy can break the search.
 */
#include "../../problems/theorems/judge.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct side sides[2];

static term random_term(uint64_t *s)
{
    return random_part(s, 1 + 2 * below(s, (NODES_MAX + 1) / 2));
}

/* From prefix text, "+ab". */
static term read_term(const char *text)
{
    static const char symbols[] = "\0abc01+*";
    term t = 0;
    for (int i = 0; text[i] != '\0'; i++)
        t |= (term)(strchr(symbols + 1, text[i]) - symbols) << 3 * i;
    return t;
}

static int is_neighbour(term of, term t)
{
    term list[NEIGHBOURS_MAX];
    int n = neighbours(of, list);
    for (int i = 0; i < n; i++) {
        if (list[i] == t)
            return 1;
    }
    return 0;
}

/* ---- rewrites ---- */

static void test_rules(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"+ab", "+ba"}, {"*ab", "*ba"}, {"++abc", "+a+bc"}, {"**abc", "*a*bc"},
        {"*a+bc", "+*ab*ac"}, {"+a0", "a"}, {"*+ab1", "+ab"}, {"+aa", "0"}, {"*bb", "b"},
        {"*c0", "0"}, {"*a+cc", "*a0"},
    };
    static const char *const not[][2] = {{"+ab", "*ab"}, {"a", "b"}, {"*a+bc", "+*ab*bc"},
                                         {"+a1", "a"}, {"+*ab*ac", "*b+ac"}, {"*a0", "a"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_true(is_neighbour(read_term(pairs[i][0]), read_term(pairs[i][1])));
        assert_true(is_neighbour(read_term(pairs[i][1]), read_term(pairs[i][0])));
    }
    for (size_t i = 0; i < sizeof(not) / sizeof(not[0]); i++)
        assert_false(is_neighbour(read_term(not[i][0]), read_term(not[i][1])));
}

/* Both sides agree in 64 random models, every rewrite can be taken back, none is left out. */
static void test_sound(void **state)
{
    (void)state;
    uint64_t s = 1;
    for (int times = 0; times < 20000; times++) {
        uint64_t variables[3] = {draw(&s), draw(&s), draw(&s)};
        term t = random_term(&s), list[NEIGHBOURS_MAX];
        int n = neighbours(t, list);
        assert_in_range(n, 1, NEIGHBOURS_MAX - 1);
        for (int i = 0; i < n; i++) {
            struct parts p;
            take_apart(list[i], &p);
            assert_in_range(p.count, 1, NODES_MAX);
            assert_int_equal(p.size[0], p.count);
            assert_true(list[i] != t);
            assert_true(term_value(list[i], variables) == term_value(t, variables));
            assert_true(is_neighbour(list[i], t));
        }
    }
}

/* ---- distances ---- */

/* Layer by layer from one end, with a plain list: nothing of distance.h. */
static int plain_distance(term a, term b, int most)
{
    static term list[20000];
    int count = 1, from = 0;
    list[0] = a;
    for (int d = 0; d <= most; d++) {
        int to = count;
        for (int i = from; i < to; i++) {
            if (list[i] == b)
                return d;
        }
        for (int i = from; i < to && d < most; i++) {
            term next[NEIGHBOURS_MAX];
            int n = neighbours(list[i], next);
            for (int k = 0; k < n; k++) {
                int at = 0;
                while (at < count && list[at] != next[k])
                    at++;
                assert_true(at < 20000);
                list[at] = next[k];
                count += at == count;
            }
        }
        from = to;
    }
    return most + 1;
}

static void test_distances(void **state)
{
    (void)state;
    uint64_t s = 2;
    int seen[5] = {0};
    for (int times = 0; times < 150; times++) {
        term a = random_part(&s, 3 + 2 * below(&s, 2)), b = a, list[NEIGHBOURS_MAX];
        for (int k = below(&s, 5); k > 0; k--)
            b = list[below(&s, neighbours(b, list))];
        int d = plain_distance(a, b, 3);
        assert_int_equal(distance(sides, a, b, 3), d);
        assert_int_equal(distance(sides, b, a, 3), d);
        seen[d]++;
    }
    for (int d = 0; d <= 4; d++)
        assert_true(seen[d] > 0);
    assert_int_equal(distance(sides, read_term("a"), read_term("b"), 2), 3);
}

/* Farther ones: the triangle inequality through every neighbour, and no shorter way. */
static void test_far(void **state)
{
    (void)state;
    uint64_t s = 3;
    for (int times = 0; times < 3; times++) {
        struct theorem t;
        term list[NEIGHBOURS_MAX];
        int nearer = 0;
        assert_true(make_theorem(sides, &s, 0, 6, &t));
        assert_int_equal(distance(sides, t.to, t.from, 8), 6);
        int n = neighbours(t.from, list);
        for (int i = 0; i < n; i++) {
            int d = distance(sides, list[i], t.to, 8);
            assert_in_range(d, 5, 7);
            nearer += d == 5;
        }
        assert_true(nearer > 0);
    }
}

static int same_theorems(const struct theorem *a, const struct theorem *b, int count)
{
    int i = 0;
    while (i < count && a[i].from == b[i].from && a[i].to == b[i].to &&
           a[i].distance == b[i].distance)
        i++;
    return i == count;
}

static void test_streams(void **state)
{
    (void)state;
    static struct theorem sets[STREAMS][40], again[40];
    for (int k = 0; k < STREAMS; k++) {
        assert_int_equal(make_theorems(sides, 5 + (uint64_t)k, k, 2, 5, 40, sets[k]), 40);
        assert_int_equal(make_theorems(sides, 5 + (uint64_t)k, k, 2, 5, 40, again), 40);
        assert_true(same_theorems(sets[k], again, 40));
        for (int i = 0; i < 40; i++) {
            const struct theorem *t = &sets[k][i];
            uint64_t variables[3] = {0xf0f0f0f0f0f0f0f0, 0xcccccccccccccccc, 0xaaaaaaaaaaaaaaaa};
            assert_int_equal(t->distance, 2 + i % 4);
            assert_int_equal(stream_of(t->from, t->to), k);
            assert_int_equal(stream_of(t->to, t->from), k);
            assert_true(term_value(t->from, variables) == term_value(t->to, variables));
            for (int j = 0; j < i; j++)
                assert_false(sets[k][j].from == t->from && sets[k][j].to == t->to);
        }
    }
    assert_int_equal(make_theorems(sides, 6, 0, 2, 5, 40, again), 40);
    assert_false(same_theorems(sets[0], again, 40));
}

/* ---- features ---- */

static void test_features(void **state)
{
    (void)state;
    struct view goal;
    double f[FEATURES];
    static const double wanted[FEATURES] = {4, 5, 5, 1, 0, 1, 5, 0, 2, 0, 3, 0};
    static const double equal[FEATURES] = {0, 5, 5, 5, 5, 5, 5, 2, 2, 0, 5, 0};
    static const double other[FEATURES] = {1, 1, 5, 0, 0, 0, 0, 0, 0, 6, 0, 2};
    look(read_term("+a*bc"), &goal);
    describe(&goal, read_term("+*cba"), 4, f);
    assert_memory_equal(f, wanted, sizeof(wanted));
    describe(&goal, read_term("+a*bc"), 0, f);
    assert_memory_equal(f, equal, sizeof(equal));
    describe(&goal, read_term("1"), 1, f);
    assert_memory_equal(f, other, sizeof(other));
}

/* ---- strategies ---- */

typedef double strategy(const double f[FEATURES], int i, uint64_t *s);

static double breadth(const double f[FEATURES], int i, uint64_t *s)
{
    (void)i;
    (void)s;
    return f[0];
}

static double constant(const double f[FEATURES], int i, uint64_t *s)
{
    (void)f;
    (void)i;
    (void)s;
    return 3;
}

static double nothing(const double f[FEATURES], int i, uint64_t *s)
{
    (void)f;
    (void)i;
    (void)s;
    return NAN;
}

static double wild(const double f[FEATURES], int i, uint64_t *s)
{
    static const double values[] = {NAN, INFINITY, -INFINITY, -0.0, 1e308, -1e308, 5e-324};
    (void)f;
    return values[(i + below(s, 7)) % 7];
}

static double near(const double f[FEATURES], int i, uint64_t *s)
{
    (void)i;
    (void)s;
    return f[9] - f[6] - f[10];
}

static struct elm_result play(strategy *f)
{
    struct state *state = calloc(1, sizeof(*state));
    struct world *world = calloc(1, sizeof(*world));
    struct in *in = calloc(LANES_MAX, sizeof(*in));
    struct out *out = calloc(LANES_MAX, sizeof(*out));
    uint8_t live[LANES_MAX];
    uint64_t s = 1;
    struct elm_result result = {0};
    int n = elm_judge.make(state, ELM_SET_SCORED, 1, LANES_MAX, in), rounds = 0;
    assert_int_equal(n, LANES_MAX);
    memset(live, 1, sizeof(live));
    while (elm_judge.next(state, world, rounds, n, out, in, live) > 0) {
        for (int i = 0; i < n; i++) {
            assert_true(!live[i] || (in[i].n > 0 && in[i].n <= NEIGHBOURS_MAX));
            for (int k = 0; live[i] && k < in[i].n; k++)
                out[i].value[k] = f(in[i].f[k], k, &s);
        }
        assert_in_range(++rounds, 1, EXPANSIONS);
    }
    elm_judge.score(state, n, in, world, &(struct elm_cost){0}, &result);
    for (int i = 0; i < n; i++) {
        const struct hunt *h = &world->hunts[i];
        assert_in_range(h->expansions, 1, EXPANSIONS);
        assert_true(h->proved == 0 || h->proved >= state->theorems[i].distance);
        assert_int_equal(result.pass[i], h->proved > 0);
    }
    assert_true(!result.invalid && result.fitness >= 0 && result.fitness < 1);
    free(state);
    free(world);
    free(in);
    free(out);
    return result;
}

static void test_strategies(void **state)
{
    (void)state;
    struct elm_result first = play(breadth), same = play(constant), none = play(nothing);
    assert_true(same.fitness == first.fitness && none.fitness == first.fitness);
    assert_memory_equal(first.pass, same.pass, sizeof(first.pass));
    assert_memory_equal(first.pass, none.pass, sizeof(first.pass));
    assert_true(first.measures[0] == 0);
    play(wild);
    assert_true(play(near).fitness > 2 * first.fitness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),    cmocka_unit_test(test_sound),
        cmocka_unit_test(test_distances), cmocka_unit_test(test_far),
        cmocka_unit_test(test_streams),  cmocka_unit_test(test_features),
        cmocka_unit_test(test_strategies),
    };
    return cmocka_run_group_tests_name("theorems", tests, NULL, NULL);
}
