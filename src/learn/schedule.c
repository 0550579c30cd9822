/* schedule: how the rate goes with the budget. */
#include "learn/train.h"

#include <math.h>
#include <string.h>

#define LAST (1.0 / 30)          /* of the rate, at the end */

bool schedule_known(const char *name)
{
    return name == NULL || strcmp(name, "cosine") == 0 || strcmp(name, "linear") == 0 ||
           strcmp(name, "constant") == 0;
}

double schedule_share(const char *name, double warmup, double progress)
{
    if (progress < warmup)
        return progress / warmup;
    const double rest = warmup < 1 ? fmin((progress - warmup) / (1 - warmup), 1) : 1;
    if (name == NULL || strcmp(name, "cosine") == 0)
        return LAST + (1 - LAST) * 0.5 * (1 + cos(M_PI * rest));
    if (strcmp(name, "linear") == 0)
        return 1 - (1 - LAST) * rest;
    return 1;
}
