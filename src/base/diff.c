/* diff: Myers' greedy shortest edit script over lines, with the whole trace kept. Texts that have
 * too little in common for that are one hunk between their common ends. */
#include "elm/diff.h"

#include <stdlib.h>
#include <string.h>

#define LINES_MAX 65535
#define CHANGES_MAX 2048       /* their trace takes 16 MiB */

uint32_t elm_lines(struct elm_str text, struct elm_str **lines)
{
    uint32_t count = 0, cap = 0;
    *lines = NULL;
    const char *at = text.ptr, *end = text.len > 0 ? text.ptr + text.len : text.ptr;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline == NULL ? end : newline;
        if (count == cap) {
            cap = cap == 0 ? 64 : cap * 2;
            *lines = elm_realloc(*lines, cap * sizeof(**lines));
        }
        (*lines)[count++] = (struct elm_str){at, (size_t)(stop - at)};
        at = stop + 1;
    }
    return count;
}

struct myers {
    const struct elm_str *a, *b;
    int n, m;
    int traced;
    int **trace;       /* [0 .. traced]: furthest x on each diagonal before step d */
};

/* Furthest x reached on diagonal k at step d, from the frontier v (indexed from -max). */
static int step(const struct myers *y, const int *v, int d, int k)
{
    int x = k == -d || (k != d && v[k - 1] < v[k + 1]) ? v[k + 1] : v[k - 1] + 1;
    while (x < y->n && x - k < y->m && elm_str_equal(y->a[x], y->b[x - k]))
        x++;
    return x;
}

/* The number of lines changed, -1 beyond the limit. */
static int search(struct myers *y)
{
    int max = y->n + y->m < CHANGES_MAX ? y->n + y->m : CHANGES_MAX;
    int *frontier = elm_calloc((size_t)max * 2 + 3, sizeof(*frontier));
    int *v = frontier + max + 1;
    int found = -1;
    y->trace = elm_calloc((size_t)max + 1, sizeof(*y->trace));
    for (int d = 0; d <= max && found < 0; d++) {
        y->trace[d] = elm_malloc(((size_t)d * 2 + 3) * sizeof(int));
        memcpy(y->trace[d], v - d - 1, ((size_t)d * 2 + 3) * sizeof(int));
        for (int k = -d; k <= d && found < 0; k += 2) {
            v[k] = step(y, v, d, k);
            if (v[k] >= y->n && v[k] - k >= y->m)
                found = d;
        }
    }
    free(frontier);
    y->traced = found >= 0 ? found : max;
    return found;
}

/* Marks the lines that are kept, walking the trace back. */
static void mark_kept(const struct myers *y, int d, int *kept_b_of_a)
{
    int x = y->n, end = y->m;
    for (; d >= 0; d--) {
        const int *v = y->trace[d] + d + 1;
        int k = x - end;
        int before = k == -d || (k != d && v[k - 1] < v[k + 1]) ? k + 1 : k - 1;
        int from_x = d == 0 ? 0 : v[before];
        int from_y = d == 0 ? 0 : from_x - before;
        while (x > from_x && end > from_y) {
            x--;
            end--;
            kept_b_of_a[x] = end;
        }
        x = from_x;
        end = from_y;
    }
}

/* Keeps nothing but the lines that both begin and end with. */
static void mark_ends(const struct myers *y, int *kept_b_of_a)
{
    int head = 0, tail = 0, least = y->n < y->m ? y->n : y->m;
    for (; head < least && elm_str_equal(y->a[head], y->b[head]); head++)
        kept_b_of_a[head] = head;
    for (; tail < least - head &&
           elm_str_equal(y->a[y->n - 1 - tail], y->b[y->m - 1 - tail]); tail++)
        kept_b_of_a[y->n - 1 - tail] = y->m - 1 - tail;
}

static uint32_t collect(const int *kept, uint32_t n, uint32_t m, struct elm_hunk *hunks)
{
    uint32_t count = 0, i = 0, j = 0;
    while (i < n || j < m) {
        if (i < n && kept[i] == (int)j) {
            i++;
            j++;
            continue;
        }
        struct elm_hunk h = {i, 0, j, 0};
        while (i < n && kept[i] < 0)
            i++;
        j = i < n ? (uint32_t)kept[i] : m;
        h.a_count = i - h.a_first;
        h.b_count = j - h.b_first;
        hunks[count++] = h;
    }
    return count;
}

uint32_t elm_diff(struct elm_str a, struct elm_str b, struct elm_hunk **hunks)
{
    struct elm_str *lines_a, *lines_b;
    uint32_t n = elm_lines(a, &lines_a), m = elm_lines(b, &lines_b), count;
    *hunks = elm_malloc(((size_t)n + m + 1) * sizeof(**hunks));
    if (n + m > LINES_MAX) {
        **hunks = (struct elm_hunk){0, n, 0, m};
        count = 1;
    } else {
        struct myers y = {.a = lines_a, .b = lines_b, .n = (int)n, .m = (int)m};
        int *kept = elm_malloc(((size_t)n + 1) * sizeof(*kept));
        for (uint32_t i = 0; i < n; i++)
            kept[i] = -1;
        int d = search(&y);
        if (d >= 0)
            mark_kept(&y, d, kept);
        else
            mark_ends(&y, kept);
        count = collect(kept, n, m, *hunks);
        for (int i = 0; i <= y.traced; i++)
            free(y.trace[i]);
        free(y.trace);
        free(kept);
    }
    free(lines_a);
    free(lines_b);
    return count;
}
