/* picture: twelve seconds of a walk as an animated SVG; the ground moves, the walker stays. */
#ifndef SODARACE_PICTURE_H
#define SODARACE_PICTURE_H

#include <stdarg.h>

#define SHOTS 121
#define SHOT_FRAMES 6
#define SHOWN_S ((SHOTS - 1) * SHOT_FRAMES / FRAMES_PER_S)
#define VIEW 30                        /* how far around the walker ground is drawn */

struct film {
    float x[SHOTS][JOINTS], y[SHOTS][JOINTS], middle[SHOTS];
};

struct page {
    char *text;
    size_t at, bytes;
};

__attribute__((format(printf, 2, 3))) static void put(struct page *p, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    if (p->at < p->bytes)
        p->at += (size_t)vsnprintf(p->text + p->at, p->bytes - p->at, format, list);
    va_end(list);
}

/* The first of the starts. 0: it broke. */
static int shoot(const struct state *s, const struct body *b, struct film *film)
{
    struct flock f;
    start(s, b, &f);
    run_frames(b, &s->course, &f, 0, s->course.settle);
    for (int k = 0; k < SHOTS; k++) {
        int now = s->course.settle + k * SHOT_FRAMES;
        film->middle[k] = (float)centre(b, &f, 0);
        for (int i = 0; i < b->joints; i++) {
            film->x[k][i] = f.x[i][0];
            film->y[k][i] = f.y[i][0];
        }
        if (is_broken(&f))
            return 0;
        run_frames(b, &s->course, &f, now, now + SHOT_FRAMES);
    }
    return 1;
}

static void put_ground(struct page *p, enum terrain terrain, const struct film *film)
{
    float left = 0, right = 0;
    for (int k = 0; k < SHOTS; k++) {
        left = fminf(left, film->middle[k]);
        right = fmaxf(right, film->middle[k]);
    }
    int from = (int)left - VIEW, to = (int)right + VIEW;
    put(p, "<path fill=\"#cb9\" d=\"M%d 9", from);
    for (int x = from; x <= to; x++) {
        float slope, ground = ground_at(terrain, (float)x, &slope);
        if (terrain == BUMPY || x == from || x == to)
            put(p, "L%d %.2f", x, -(double)ground);
    }
    put(p, "L%d 9Z\"/>\n<path fill=\"#a97\" d=\"", to);
    for (int x = from / 10 * 10; x <= to; x += 10)
        put(p, "M%d 1h.3v1h-.3z", x);
    if (terrain == LEFT_WALL || terrain == TUNNEL)
        put(p, "M%g %gh-99v-99h99z", -(double)WALL, terrain == TUNNEL ? -(double)CEILING : 9);
    if (terrain == RIGHT_WALL || terrain == TUNNEL)
        put(p, "M%g %gh99v-99h-99z", (double)WALL, terrain == TUNNEL ? -(double)CEILING : 9);
    put(p, "\"/>\n");
}

/* Lines between the joints of springs, or points at the joints, of one shot. */
static void put_lines(struct page *p, const struct body *b, const struct film *film, int shot,
                      int first, int end)
{
    for (int i = first; i < end; i++) {
        int from = b->a[i], to = b->b[i];
        put(p, "M%.2f %.2fL%.2f %.2f", (double)(film->x[shot][from] - film->middle[shot]),
            -(double)film->y[shot][from], (double)(film->x[shot][to] - film->middle[shot]),
            -(double)film->y[shot][to]);
    }
}

static void put_springs(struct page *p, const struct body *b, const struct film *film, int first,
                        int end, const char *colour)
{
    if (first == end)
        return;
    put(p, "<path stroke=\"%s\" stroke-width=\".3\" stroke-linecap=\"round\" d=\"", colour);
    put_lines(p, b, film, 0, first, end);
    put(p, "\">\n<animate attributeName=\"d\" dur=\"%ds\" repeatCount=\"indefinite\" values=\"",
        SHOWN_S);
    for (int k = 0; k < SHOTS; k++) {
        put_lines(p, b, film, k, first, end);
        put(p, k + 1 < SHOTS ? ";\n" : "\"/></path>\n");
    }
}

static void put_joints(struct page *p, const struct body *b, const struct film *film)
{
    put(p, "<path stroke=\"#246\" stroke-width=\".7\" stroke-linecap=\"round\" d=\"");
    for (int k = -1; k < SHOTS; k++) {
        int shot = k < 0 ? 0 : k;
        for (int i = 0; i < b->joints; i++)
            put(p, "M%.2f %.2fh0", (double)(film->x[shot][i] - film->middle[shot]),
                -(double)film->y[shot][i]);
        if (k < 0)
            put(p, "\">\n<animate attributeName=\"d\" dur=\"%ds\" repeatCount=\"indefinite\" "
                   "values=\"", SHOWN_S);
        else
            put(p, k + 1 < SHOTS ? ";\n" : "\"/></path>\n");
    }
}

static size_t picture(const void *state, int n, const void *in, const void *out, char *svg,
                      size_t svg_bytes)
{
    const struct state *s = state;
    struct page p = {svg, 0, svg_bytes};
    struct film film;
    struct walker w;
    (void)n;
    (void)in;
    if (build(out, &w) != NULL || !shoot(s, &w.body, &film))
        return 0;
    put(&p, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"600\" "
            "viewBox=\"-20 -26 40 30\">\n<rect x=\"-20\" y=\"-26\" width=\"40\" height=\"30\" "
            "fill=\"#eef\"/>\n<g>\n");
    put_ground(&p, s->course.terrain, &film);
    put(&p, "<animateTransform attributeName=\"transform\" type=\"translate\" dur=\"%ds\" "
            "repeatCount=\"indefinite\" values=\"", SHOWN_S);
    for (int k = 0; k < SHOTS; k++)
        put(&p, "%.2f 0%s", -(double)film.middle[k], k + 1 < SHOTS ? ";" : "\"/>\n</g>\n");
    put_springs(&p, &w.body, &film, 0, w.body.bones, "#555");
    put_springs(&p, &w.body, &film, w.body.bones, w.body.springs, "#d33");
    put_joints(&p, &w.body, &film);
    put(&p, "</svg>\n");
    return p.at < p.bytes ? p.at : 0;
}

#endif
