/*
 * step: the arithmetic of physics.h, compiled once for each width of vectors, so that each has
 * vectors of its own size: gcc takes larger ones apart, and not well. Expects WIDTH, a name's
 * ending, VECTOR, the number of floats, and WIDE, the attribute of the target.
 */
#define JOIN(name, width) name##_##width
#define JOINED(name, width) JOIN(name, width)
#define OF(name) JOINED(name, WIDTH)
#define INLINE static inline __attribute__((always_inline))
#define floats OF(floats_of)
#define masks OF(masks_of)

typedef float floats __attribute__((vector_size(4 * VECTOR)));
typedef int32_t masks __attribute__((vector_size(4 * VECTOR)));

/* As many starts as a vector holds. */
struct OF(few) {
    floats x[JOINTS], y[JOINTS], u[JOINTS], v[JOINTS];
    masks broken;
};

WIDE INLINE floats OF(select_of)(masks m, floats a, floats b)
{
    return (floats)(((masks)a & m) | ((masks)b & ~m));
}

/* 1 / sqrt(q) to 1e-4, for normal q > 0, by one step of third order. What depends on the length
 * alone conserves energy, however far it is from the law of a spring. */
WIDE INLINE floats OF(inverse_root)(floats q)
{
    floats r = (floats)(0x5f375a86 - ((masks)q >> 1)), e = q * (r * r);
    return r * (1.875f - e * (1.25f - 0.375f * e));
}

/* u, v: the velocities after this substep */
WIDE INLINE void OF(pull)(const struct OF(few) *f, floats *u, floats *v, int a, int b, float rest)
{
    floats dx = f->x[b] - f->x[a], dy = f->y[b] - f->y[a];
    floats du = f->u[b] - f->u[a], dv = f->v[b] - f->v[a];
    floats r = OF(inverse_root)(dx * dx + dy * dy + 1e-9f);
    floats force = (STIFFNESS - STIFFNESS * rest * r) + DAMPING * ((du * dx + dv * dy) * (r * r));
    floats fx = force * dx, fy = force * dy;
    u[a] += fx;
    v[a] += fy;
    u[b] -= fx;
    v[b] -= fy;
}

/* What a surface does to velocities into it (across < 0) and along it. */
WIDE INLINE void OF(bounce)(masks hit, floats *along, floats *across)
{
    floats into = (floats)((masks)*across & hit & (*across < 0.0f));
    floats push = (-1.0f - RESTITUTION) * into;
    masks sign = (masks)*along & INT32_MIN;
    floats left = (floats)((masks)*along ^ sign) - FRICTION * push;
    *across += push;
    /* friction stops, it doesn't turn round */
    *along = (floats)(((masks)left & ~(left <= 0.0f)) | sign);
}

WIDE INLINE void OF(touch_ground)(floats *y, floats *u, floats *v)
{
    masks hit = *y < 0.0f;
    *y = (floats)((masks)*y & ~hit);
    OF(bounce)(hit, u, v);
}

WIDE INLINE floats OF(all_of)(float value)
{
    return (floats){0} + value;
}

WIDE INLINE floats OF(mirror)(masks m, floats a)
{
    return (floats)((masks)a ^ (m & INT32_MIN));
}

/* side: -1 the left one, 1 the right one */
WIDE INLINE void OF(touch_wall)(float side, floats *x, floats *u, floats *v)
{
    masks hit = side * *x > WALL;
    floats away = -side * *u;
    *x = OF(select_of)(hit, OF(all_of)(side * WALL), *x);
    OF(bounce)(hit, v, &away);
    *u = -side * away;
}

/* Bumps of 16 t^2 (1 - t)^2 beyond the pad, to both sides. */
WIDE INLINE floats OF(bumpy_ground)(floats x, floats *slope)
{
    masks left = x < 0.0f;
    floats far = OF(mirror)(left, x) - PAD;
    far = (floats)((masks)far & (far > 0.0f) & (far < 1e6f)) * (1.0f / BUMP_LENGTH);
    floats t = far - __builtin_convertvector(__builtin_convertvector(far, masks), floats);
    floats hump = t * (1.0f - t);
    floats rise = (32.0f * BUMP_HEIGHT / BUMP_LENGTH) * hump * (1.0f - 2.0f * t);
    *slope = OF(mirror)(left, rise);
    return 16.0f * BUMP_HEIGHT * hump * hump;
}

WIDE INLINE void OF(touch_bumps)(floats x, floats *y, floats *u, floats *v)
{
    floats slope, ground = OF(bumpy_ground)(x, &slope);
    masks hit = *y < ground;
    floats unit = OF(inverse_root)(1.0f + slope * slope);
    floats along = (*u + slope * *v) * unit, across = (*v - slope * *u) * unit;
    *y = OF(select_of)(hit, ground, *y);
    OF(bounce)(hit, &along, &across);
    *u = OF(select_of)(hit, (along - slope * across) * unit, *u);
    *v = OF(select_of)(hit, (across + slope * along) * unit, *v);
}

/* Blocks with a low ceiling below, beyond a gap around the start: the nearer face pushes. */
WIDE INLINE void OF(touch_tunnel)(floats *x, floats *y, floats *u, floats *v)
{
    masks left = *x < 0.0f;
    floats far = OF(mirror)(left, *x), away = -OF(mirror)(left, *u), down = -*v;
    floats in = far - WALL, up = *y - CEILING;
    masks inside = (in > 0.0f) & (up > 0.0f), side = inside & (in < up), below = inside & ~side;
    *x = OF(select_of)(side, OF(mirror)(left, OF(all_of)(WALL)), *x);
    *y = OF(select_of)(below, OF(all_of)(CEILING), *y);
    OF(bounce)(side, &down, &away);
    OF(bounce)(below, &away, &down);
    *u = -OF(mirror)(left, away);
    *v = -down;
}

WIDE INLINE void OF(touch)(enum terrain terrain, floats *x, floats *y, floats *u, floats *v)
{
    if (terrain == BUMPY) {
        OF(touch_bumps)(*x, y, u, v);
        return;
    }
    OF(touch_ground)(y, u, v);
    if (terrain == LEFT_WALL)
        OF(touch_wall)(-1, x, u, v);
    else if (terrain == RIGHT_WALL)
        OF(touch_wall)(1, x, u, v);
    else if (terrain == TUNNEL)
        OF(touch_tunnel)(x, y, u, v);
}

/* wave: the cosine of phase 0 now; swing: the share of the amplitude, 0 to 1 */
WIDE INLINE void OF(substep)(const struct body *b, const struct course *c, struct OF(few) *f,
                             int now, float swing)
{
    floats u[JOINTS], v[JOINTS];
    for (int i = 0; i < b->joints; i++) {
        u[i] = f->u[i];
        v[i] = f->v[i] - GRAVITY * SUBSTEP_S;
    }
    for (int i = 0; i < b->bones; i++)
        OF(pull)(f, u, v, b->a[i], b->b[i], b->rest[i]);
    for (int i = b->bones; i < b->springs; i++) {
        float wave = c->wave[(now + b->phase[i]) & (PERIOD - 1)];
        OF(pull)(f, u, v, b->a[i], b->b[i], b->rest[i] + swing * b->amplitude[i] * wave);
    }
    for (int i = 0; i < b->joints; i++) {
        f->u[i] = u[i] * AIR;
        f->v[i] = v[i] * AIR;
        f->x[i] += f->u[i] * SUBSTEP_S;
        f->y[i] += f->v[i] * SUBSTEP_S;
        OF(touch)(c->terrain, &f->x[i], &f->y[i], &f->u[i], &f->v[i]);
    }
}

WIDE INLINE void OF(frame)(const struct body *b, const struct course *c, struct OF(few) *f, int k)
{
    int since = k - c->settle;
    float swing = since < 0 ? 0 : since < c->ramp ? (float)since / (float)c->ramp : 1;
    for (int s = 0; s < SUBSTEPS; s++)
        OF(substep)(b, c, f, since * SUBSTEPS + s, swing);
    for (int i = 0; i < b->joints; i++)
        f->broken |= ~(f->u[i] * f->u[i] + f->v[i] * f->v[i] <= SPEED_MAX * SPEED_MAX);
}

WIDE INLINE void OF(store)(const struct body *b, const struct OF(few) *f, int at, struct flock *to)
{
    for (int i = 0; i < b->joints; i++) {
        memcpy(&to->x[i][at], &f->x[i], sizeof(floats));
        memcpy(&to->y[i][at], &f->y[i], sizeof(floats));
        memcpy(&to->u[i][at], &f->u[i], sizeof(floats));
        memcpy(&to->v[i][at], &f->v[i], sizeof(floats));
    }
    memcpy(&to->broken[at], &f->broken, sizeof(masks));
}

WIDE static void OF(frames)(const struct body *b, const struct course *c, struct flock *flock,
                            int from, int to)
{
    for (int at = 0; at < LANES; at += VECTOR) {
        struct OF(few) f;
        for (int i = 0; i < b->joints; i++) {
            memcpy(&f.x[i], &flock->x[i][at], sizeof(floats));
            memcpy(&f.y[i], &flock->y[i][at], sizeof(floats));
            memcpy(&f.u[i], &flock->u[i][at], sizeof(floats));
            memcpy(&f.v[i], &flock->v[i][at], sizeof(floats));
        }
        memcpy(&f.broken, &flock->broken[at], sizeof(masks));
        for (int k = from; k < to; k++)
            OF(frame)(b, c, &f, k);
        OF(store)(b, &f, at, flock);
    }
}

#undef JOIN
#undef JOINED
#undef OF
#undef INLINE
#undef floats
#undef masks
#undef WIDTH
#undef VECTOR
#undef WIDE
