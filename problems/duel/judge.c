/*
 * duel: two programs ride on a board of 12 x 12, both a step a round, and leave a trail that nobody
 * may touch. Who runs into something loses; both at once, or nowhere to go for both, is a draw. Every
 * start looks the same from both sides (the board is its own mirror through the middle) and is played
 * twice, with the sides changed, so that a program never beats itself. b is better than a when it wins
 * more games than it loses by two standard deviations of a fair coin. That is not transitive, so
 * there is no score.
 */
#include "elm/judge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIDE 14                /* with the walls */
#define PAIRS 5                /* of blocks on the board */
#define GAMES (ELM_CASES_MAX / 2)
#define SHOWN_GAMES 12         /* in a picture */

struct in {
    int32_t x, y, other_x, other_y;
    int32_t board[SIDE][SIDE];     /* 0: free */
};
struct out {
    int32_t value, unused;
};

enum { FREE, WALL, TRAIL /* of a; and 1 of b */ };
struct game {
    uint8_t board[SIDE][SIDE];
    int8_t x[2], y[2];
    uint8_t over;
    int8_t winner;                 /* -1: nobody */
};
struct state {
    struct game start[GAMES];
};
struct world {
    struct game game[GAMES];
};

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int cell(uint64_t *s)
{
    return 1 + (int)(draw(s) % (SIDE - 2));
}

/* The question of a lane: even ones are a's. */
static void ask(const struct game *g, int seat, struct in *in)
{
    in->x = g->x[seat];
    in->y = g->y[seat];
    in->other_x = g->x[!seat];
    in->other_y = g->y[!seat];
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++)
            in->board[y][x] = g->board[y][x] != FREE;
    }
}

static void draw_start(uint64_t *s, struct game *g)
{
    memset(g, 0, sizeof(*g));
    for (int i = 0; i < SIDE; i++)
        g->board[0][i] = g->board[SIDE - 1][i] = g->board[i][0] = g->board[i][SIDE - 1] = WALL;
    for (int k = 0; k < PAIRS; k++) {
        int x = cell(s), y = cell(s);
        g->board[y][x] = g->board[SIDE - 1 - y][SIDE - 1 - x] = WALL;
    }
    int x, y;
    do {
        x = cell(s);
        y = cell(s);
    } while (g->board[y][x] != FREE || (x + x - SIDE + 1) * (x + x - SIDE + 1) +
                                               (y + y - SIDE + 1) * (y + y - SIDE + 1) < 16);
    g->x[0] = (int8_t)x;
    g->y[0] = (int8_t)y;
    g->x[1] = (int8_t)(SIDE - 1 - x);
    g->y[1] = (int8_t)(SIDE - 1 - y);
    g->winner = -1;
    for (int seat = 0; seat < 2; seat++)
        g->board[g->y[seat]][g->x[seat]] = (uint8_t)(TRAIL + seat);
}

static void change_sides(const struct game *from, struct game *g)
{
    *g = *from;
    for (int seat = 0; seat < 2; seat++) {
        g->x[seat] = from->x[!seat];
        g->y[seat] = from->y[!seat];
        g->board[g->y[seat]][g->x[seat]] = (uint8_t)(TRAIL + seat);
    }
}

static int make(void *state, enum elm_set set, uint64_t seed, int max, void *in)
{
    struct state *known = state;
    struct in *c = in;
    uint64_t s = seed * ELM_SETS + set;
    int games = max / 2;
    memset(in, 0, (size_t)max * sizeof(*c));
    for (int i = 0; i < games; i++) {
        if (i % 2 == 0)
            draw_start(&s, &known->start[i]);
        else
            change_sides(&known->start[i - 1], &known->start[i]);
        for (int seat = 0; seat < 2; seat++)
            ask(&known->start[i], seat, &c[2 * i + seat]);
    }
    /* a lane without a partner, when an odd number is asked for, is none */
    return 2 * games > 0 ? 2 * games : max;
}

/* One step of both; 0..3 are up, right, down, left, and all else is a crash where one stands. */
static void ride(struct game *g, const int32_t way[2])
{
    static const int8_t by_x[4] = {0, 1, 0, -1}, by_y[4] = {-1, 0, 1, 0};
    int crashed[2];
    for (int seat = 0; seat < 2; seat++) {
        int legal = way[seat] >= 0 && way[seat] < 4;
        g->x[seat] = (int8_t)(g->x[seat] + (legal ? by_x[way[seat]] : 0));
        g->y[seat] = (int8_t)(g->y[seat] + (legal ? by_y[way[seat]] : 0));
        crashed[seat] = g->board[g->y[seat]][g->x[seat]] != FREE;
    }
    if (g->x[0] == g->x[1] && g->y[0] == g->y[1])
        crashed[0] = crashed[1] = 1;
    for (int seat = 0; seat < 2 && !crashed[0] && !crashed[1]; seat++)
        g->board[g->y[seat]][g->x[seat]] = (uint8_t)(TRAIL + seat);
    g->over = (uint8_t)(crashed[0] || crashed[1]);
    if (g->over)
        g->winner = (int8_t)(crashed[0] && crashed[1] ? -1 : crashed[0] ? 1 : 0);
}

static int next(const void *state, void *world, int round, int n, const void *out, void *in,
                uint8_t *live)
{
    const struct state *known = state;
    struct world *w = world;
    const struct out *o = out;
    struct in *c = in;
    int left = 0;
    for (int i = 0; 2 * i + 1 < n; i++) {
        struct game *g = &w->game[i];
        if (round == 0)
            *g = known->start[i];
        else if (!g->over)
            ride(g, (const int32_t[2]){o[2 * i].value, o[2 * i + 1].value});
        live[2 * i] = live[2 * i + 1] = !g->over;
        left += g->over ? 0 : 2;
        for (int seat = 0; seat < 2 && !g->over; seat++)
            ask(g, seat, &c[2 * i + seat]);
    }
    if (n % 2 != 0)
        live[n - 1] = 0;
    return left;
}

static int compare(const void *state, int n, const void *in, const void *out_a,
                   const struct elm_cost *cost_a, const void *out_b,
                   const struct elm_cost *cost_b, struct elm_result *result_b)
{
    const struct world *w = out_b;
    int won = 0, lost = 0;
    (void)state;
    (void)in;
    (void)out_a;
    (void)cost_a;
    (void)cost_b;
    for (int i = 0; 2 * i + 1 < n; i++) {
        const struct game *g = &w->game[i];
        won += g->winner == 1;
        lost += g->winner == 0;
        result_b->pass[2 * i] = result_b->pass[2 * i + 1] = g->winner == 1;
    }
    double margin = 2 * sqrt((double)won + lost);
    return won - lost > margin ? 1 : lost - won > margin ? -1 : 0;
}

/* The first games as they ended: a red, b blue. */
static size_t picture(const void *state, int n, const void *in, const void *out, char *svg,
                      size_t svg_bytes)
{
    static const char *const colours[] = {"#fff", "#777", "#d66", "#66d"};
    const struct world *w = out;
    int games = n / 2 < SHOWN_GAMES ? n / 2 : SHOWN_GAMES;
    size_t at = 0;
    (void)state;
    (void)in;
    at += (size_t)snprintf(svg, svg_bytes, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                           "viewBox=\"0 0 %d %d\">\n", 4 * (SIDE + 1), 3 * (SIDE + 1));
    for (int k = 0; k < games * SIDE * SIDE && at < svg_bytes; k++) {
        int i = k / (SIDE * SIDE), y = k / SIDE % SIDE, x = k % SIDE;
        if (w->game[i].board[y][x] != FREE)
            at += (size_t)snprintf(svg + at, svg_bytes - at, "<rect x=\"%d\" y=\"%d\" "
                                   "width=\".9\" height=\".9\" fill=\"%s\"/>\n",
                                   i % 4 * (SIDE + 1) + x, i / 4 * (SIDE + 1) + y,
                                   colours[w->game[i].board[y][x]]);
    }
    if (at < svg_bytes)
        at += (size_t)snprintf(svg + at, svg_bytes - at, "</svg>\n");
    return at < svg_bytes ? at : 0;
}

const struct elm_judge elm_judge = {
    .version = ELM_JUDGE_VERSION,
    .in_bytes = sizeof(struct in),
    .out_bytes = sizeof(struct out),
    .state_bytes = sizeof(struct state),
    .world_bytes = sizeof(struct world),
    .make = make,
    .next = next,
    .compare = compare,
    .picture = picture,
};
