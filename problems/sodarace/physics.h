/*
 * physics: sixteen starts of one walker at a time, side by side in vectors of floats.
 *
 * A walker is a set of points of equal mass and springs between them: bones keep their length, of
 * muscles it swings. A step is a frame of 1/60 s, in eight substeps of semi-implicit Euler:
 * springs of 3 Hz with a damping ratio of 0.3, gravity, air that takes 1.1 of the speed a second,
 * ground with a friction of 1 and a restitution of 0.1. Only points touch the ground.
 *
 * The arithmetic is plain IEEE, element by element, without libm: the same bits for every width of
 * vectors and on every machine.
 */
#ifndef SODARACE_PHYSICS_H
#define SODARACE_PHYSICS_H

#include <stdint.h>
#include <string.h>

#define LANES 16
#define JOINTS 48
#define SPRINGS 192
#define FRAMES_PER_S 60
#define SUBSTEPS 8
#define PERIOD (128 * SUBSTEPS)        /* substeps; of all muscles */
#define SPEED_MAX 160.0f               /* units a second; the most violent walkers reach 100 */

#define SUBSTEP_S (1.0f / (FRAMES_PER_S * SUBSTEPS))
#define GRAVITY 3.67f                  /* 25 in a world where a unit is 6.82 */
#define AIR (1.0f / (1.0f + 1.1f * SUBSTEP_S))
/* of a pair of points of mass 1: half of (2 pi 3 Hz)^2, and 0.3 * 2 pi 3 Hz; a substep's worth */
#define STIFFNESS (177.65f * SUBSTEP_S)
#define DAMPING (5.655f * SUBSTEP_S)
#define FRICTION 1.0f
#define RESTITUTION 0.1f

#define WALL 20.0f                     /* how far the walls, and the ceiling's ends, are */
#define CEILING 8.0f
#define PAD 16.0f                      /* flat ground around the start */
#define BUMP_HEIGHT 3.0f
#define BUMP_LENGTH 18.0f

enum terrain { FLAT, LEFT_WALL, RIGHT_WALL, BUMPY, TUNNEL, TERRAINS };

struct body {
    int joints, bones, springs;        /* springs: bones, then muscles */
    float x[JOINTS], y[JOINTS];
    uint8_t a[SPRINGS], b[SPRINGS];
    float rest[SPRINGS], amplitude[SPRINGS];
    int phase[SPRINGS];                /* in substeps, 0 to PERIOD - 1 */
};

struct flock {
    float x[JOINTS][LANES], y[JOINTS][LANES], u[JOINTS][LANES], v[JOINTS][LANES];
    int32_t broken[LANES];             /* -1: too fast, or not a number */
};

struct course {
    enum terrain terrain;
    int settle, ramp;                  /* frames without, then with growing swing */
    float wave[PERIOD];                /* a turn of the cosine */
};

#define WIDTH plain
#define VECTOR 4
#define WIDE
#include "step.h"
#if defined(__x86_64__)
#define WIDTH avx2
#define VECTOR 8
#define WIDE __attribute__((target("avx2")))
#include "step.h"
#define WIDTH avx512
#define VECTOR 16
#define WIDE __attribute__((target("avx512f,avx512dq")))
#include "step.h"
#endif

/* Runs frames from..to-1 of the course with the widest vectors that the machine has. */
static void run_frames(const struct body *b, const struct course *c, struct flock *f, int from,
                       int to)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) {
        frames_avx512(b, c, f, from, to);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        frames_avx2(b, c, f, from, to);
        return;
    }
#endif
    frames_plain(b, c, f, from, to);
}

/* The height of the ground at x, and its slope. */
static float ground_at(enum terrain terrain, float x, float *slope)
{
    floats_of_plain rise, height;
    *slope = 0;
    if (terrain != BUMPY)
        return 0;
    height = bumpy_ground_plain(all_of_plain(x), &rise);
    *slope = rise[0];
    return height[0];
}

#endif
