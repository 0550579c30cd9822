/* compare_table: tables of text, for the result and the report. */
#ifndef ELM_LEARN_COMPARE_TABLE_H
#define ELM_LEARN_COMPARE_TABLE_H

#include "learn/compare.h"

#define TABLE_COLUMNS_MAX 40
/* Filled cell by cell, the head first; table_end writes and releases it. */
struct table_text {
    uint32_t columns;
    char **cells;
    uint32_t count, cap;
};
void table_cell(struct table_text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void table_end(struct table_text *t, struct elm_buf *out);

#endif
