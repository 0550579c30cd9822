/* dataset: what its makers share. */
#ifndef LEARN_DATASET_H
#define LEARN_DATASET_H

#include "elm/dataset.h"

enum elm_status dataset_add_file(struct elm_dataset *d, enum elm_data_kind kind, const char *path,
                                 struct elm_error *err);
enum elm_status dataset_add_run(struct elm_dataset *d, enum elm_data_kind kind, const char *folder,
                                struct elm_error *err);
/* An item without answers, then answers to the newest item. Texts are copied. */
void dataset_item(struct elm_dataset *d, struct elm_str prompt);
void dataset_answer(struct elm_dataset *d, struct elm_str text, double reward);
/* "TRL calls it" of a kind, for messages. */
const char *dataset_form(enum elm_data_kind kind);

#endif
