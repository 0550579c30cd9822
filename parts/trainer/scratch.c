/* scratch: a tokenizer from the data, random weights, then as sft. */
#include "elm/trainer.h"

#define CONTEXT 512
#define BATCH 16

static enum elm_status scratch_open(const struct elm_train_def *def, void **self,
                                    struct elm_error *err)
{
    struct elm_train_def own = *def;
    if (def->model != NULL)
        return elm_fail(err, ELM_USAGE, "trainer 'scratch' begins with random weights, not with "
                        "'%s'; 'sft' trains that", def->model);
    if (def->lora_rank > 0)
        return elm_fail(err, ELM_USAGE, "trainer 'scratch' trains all weights: no --lora");
    own.context = def->context > 0 ? def->context : CONTEXT;
    own.batch = def->batch > 0 ? def->batch : BATCH;
    return elm_trainer_find("sft")->open(&own, self, err);
}

static void scratch_close(void *self)
{
    elm_trainer_find("sft")->close(self);
}

static const struct elm_parameter *scratch_parameters(void *self, uint32_t *count)
{
    return elm_trainer_find("sft")->parameters(self, count);
}

static enum elm_status scratch_gradient(void *self, uint64_t step, struct elm_batch_report *report,
                                        struct elm_error *err)
{
    return elm_trainer_find("sft")->gradient(self, step, report, err);
}

static enum elm_status scratch_write(void *self, const struct elm_train_stats *stats,
                                     const char *path, struct elm_error *err)
{
    return elm_trainer_find("sft")->write(self, stats, path, err);
}

const struct elm_trainer_kind elm_trainer_scratch = {
    .name = "scratch",
    .summary = "a new small model and its tokenizer from the data alone",
    .needs_data = true,
    .open = scratch_open,
    .close = scratch_close,
    .parameters = scratch_parameters,
    .gradient = scratch_gradient,
    .write = scratch_write,
};
