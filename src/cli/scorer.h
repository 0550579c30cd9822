/* scorer: the files with which an exported program builds and scores without elm. */
#ifndef ELM_CLI_SCORER_H
#define ELM_CLI_SCORER_H

#include "elm/problem.h"
#include "elm/search.h"

/* Can it? A comparison that weighs VM steps can't: nobody outside counts those of the seed. A
 * score command needs no scorer. */
bool scorer_possible(const struct elm_problem *p);
/* The bytes of main.c, with what elm measured as what is expected. */
void scorer_main(struct elm_buf *out, const struct elm_problem *p,
                 const struct elm_best_report *report);
void scorer_makefile(struct elm_buf *out, const struct elm_problem *p);
/* The contract that judge.c includes, include/elm/judge.h as it was when elm was built. */
struct elm_str scorer_judge_header(void);

#endif
