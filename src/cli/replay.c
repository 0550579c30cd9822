/* replay: a run's archive rebuilt from its log. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/stored.h"
#include "cli/text.h"

#include <stdlib.h>

static int print(const struct elm_replay_report *r, const char *folder, bool json)
{
    bool equal = r->recorded_hash == r->hash;
    if (json) {
        return json_print(json_make("{sosIsIsosososIso}", "folder", json_text(elm_str(folder)),
                                    "attempts", (json_int_t)r->attempts, "admitted",
                                    (json_int_t)r->admitted, "hash", json_hash(r->hash),
                                    "recorded_hash", json_hash(r->recorded_hash), "equal",
                                    r->recorded_hash == 0 ? json_null() : json_boolean(equal),
                                    "best", (json_int_t)r->best_id, "fitness",
                                    json_number(r->best)),
                          stdout, false);
    }
    printf("%s attempts told again, %s admitted\nbest program %lld, fitness %s\n",
           text_count(r->attempts).s, text_count(r->admitted).s, (long long)r->best_id,
           text_number(r->best).s);
    if (r->recorded_hash == 0)
        printf("archive hash %016llx; the run did not end cleanly, so there is none to compare "
               "with\n", (unsigned long long)r->hash);
    else
        printf("archive hash %016llx, as the run ended with\n", (unsigned long long)r->hash);
    return EXIT_DONE;
}

int cmd_replay(const struct invocation *v)
{
    struct elm_error err = {0};
    struct elm_replay_report report = {0};
    char *folder = NULL;
    enum elm_status status = stored_find(v->args[0], &folder, &err);
    if (status == ELM_OK)
        status = elm_search_replay(folder, opt_text(v, OPT_PROBLEMS_PATH), &report, &err);
    int exit_status = status == ELM_OK ? print(&report, folder, opt_on(v, OPT_JSON))
                                       : cmd_fail(&err);
    free(folder);
    return exit_status;
}
