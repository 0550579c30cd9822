/*
 * cells: one elite a niche, for archives that say where a program belongs: by its measures
 * (parts/archive/grid.c, cvt.c), or in its island (islands.c). The rest of what an archive is asked
 * is answered here. Search thread only.
 */
#ifndef ELM_CELLS_H
#define ELM_CELLS_H

#include "elm/archive.h"

#define ELM_CELLS_MAX (1u << 20)
#define ELM_CELL_EMPTY UINT32_MAX

struct elm_cells {
    uint32_t cells;                /* how many there are */
    uint32_t first;                /* niche of cell 0 */
    uint32_t seed_nodes;           /* see `add` of elm_archive_kind */
    double floor;
    uint32_t *slot;                /* [cells]: index into elites, or ELM_CELL_EMPTY */
    struct elm_elite *elites;      /* [count], in the order their cells were first filled */
    uint32_t count, cap;
    uint32_t best;                 /* index into elites */
};

/* 1 <= cells <= ELM_CELLS_MAX. */
void elm_cells_init(struct elm_cells *c, uint32_t cells, uint32_t first,
                    const struct elm_problem *problem, double floor);
void elm_cells_release(struct elm_cells *c);
void elm_cells_clear(struct elm_cells *c);      /* every cell is empty again */

/* x contends for a cell: as elm_archive_kind's `add`. */
struct elm_add_result elm_cells_add(struct elm_cells *c, uint32_t cell,
                                    const struct elm_entrant *x);
/* x takes a cell that is not empty, whatever its fitness. */
struct elm_add_result elm_cells_replace(struct elm_cells *c, uint32_t cell,
                                        const struct elm_entrant *x);
/* The elite with that id; NULL when there is none. */
struct elm_elite *elm_cells_find(const struct elm_cells *c, int64_t id);
struct elm_elite *elm_cells_best(const struct elm_cells *c);      /* NULL when empty */
void elm_cells_stats(const struct elm_cells *c, struct elm_archive_stats *out);
uint64_t elm_cells_hash(const struct elm_cells *c);
void elm_cells_save(const struct elm_cells *c, struct elm_buf *out);
/* In place of what c held. Failed, c may only be loaded again or released. */
enum elm_status elm_cells_load(struct elm_cells *c, struct elm_reader *r, struct elm_error *err);

#endif
