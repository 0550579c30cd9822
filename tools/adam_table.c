/*
 * adam_table: prints the table of problems/adam/judge.c: for each task the weight decay with which
 * AdamW comes furthest in the usual number of steps, and the log of its loss after 1/4 .. 4 times as
 * many over that loss, tuned over the learning rates each time; means over seeds that no set of
 * cases uses.
 */
#include "../problems/adam/judge.c"

#define SEEDS 12

static double best_of_rates(const struct instance *d, double decay, int steps)
{
    double best = INFINITY;
    for (int r = 0; r < RATES; r++)
        best = fmin(best, adamw(d, rates[r], decay, steps));
    return best;
}

static double best_decay(struct instance *d, enum task_name task)
{
    static const double decays[] = {0, 0.01, 0.1, 0.3, 1};
    double best = INFINITY, chosen = 0;
    for (int k = 0; k < 5; k++) {
        double sum = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            make_instance(d, task, stream(0x7ab1e, (uint64_t)seed));
            sum += log(best_of_rates(d, decays[k], tasks[task].steps));
        }
        if (sum < best) {
            best = sum;
            chosen = decays[k];
        }
    }
    return chosen;
}

int main(void)
{
    static struct instance d;
    for (int task = 0; task < TASKS; task++) {
        double decay = best_decay(&d, (enum task_name)task), curve[POINTS] = {0};
        for (int seed = 0; seed < SEEDS; seed++) {
            make_instance(&d, (enum task_name)task, stream(0x7ab1e, (uint64_t)seed));
            double usual = best_of_rates(&d, decay, tasks[task].steps);
            for (int k = 0; k < POINTS; k++) {
                int steps = (int)(tasks[task].steps * pow(2, k / 2.0 - 2) + 0.5);
                curve[k] += log(best_of_rates(&d, decay, steps) / usual) / SEEDS;
            }
        }
        printf("    /* %s */ {%g, {", tasks[task].name, decay);
        for (int k = 0; k < POINTS; k++)
            printf("%s%.4f", k > 0 ? ", " : "", curve[k]);
        printf("}},\n");
        fflush(stdout);
    }
    return 0;
}
