/* completion: scripts for three shells, made from the tables. */
#include "cli/command.h"
#include "cli/text.h"

#include <string.h>

/* What a command takes besides options: printed by `elm` itself, so that completion stays true. */
static const char *arguments_of(const struct command *c)
{
    switch (c->bit) {
    case IN_RUN: case IN_PROBLEMS: case IN_COMPARE: return "problems";
    case IN_BEST: case IN_SHOW: case IN_DIFF: case IN_EXPORT: case IN_REPLAY: case IN_TRAIN: return "runs";
    case IN_RUNS: return "rm";
    case IN_MODELS: return "pull remove check";
    case IN_LIST: return "operators archives selectors backends trainers optimizers";
    case IN_COMPLETION: return "bash zsh fish";
    case IN_HELP: return "commands";
    default: return "";
    }
}

static void add_commands(struct elm_buf *out)
{
    for (const struct command *c = command_table; c->name != NULL; c++)
        elm_buf_printf(out, "%s%s", c == command_table ? "" : " ", c->name);
}

/* The shell text that lists a command's arguments. */
static void add_arguments(struct elm_buf *out, const struct command *c)
{
    const char *kind = arguments_of(c);
    if (strcmp(kind, "problems") == 0)
        elm_buf_printf(out, "$(elm problems 2>/dev/null | cut -d' ' -f1)");
    else if (strcmp(kind, "runs") == 0)
        elm_buf_printf(out, "$(cd runs 2>/dev/null && ls)");
    else if (strcmp(kind, "commands") == 0)
        add_commands(out);
    else
        elm_buf_printf(out, "%s", kind);
}

static void add_case(struct elm_buf *out, const struct command *c)
{
    elm_buf_printf(out, "    %s) words=\"", c->name);
    for (int id = 0; id < OPTIONS; id++) {
        if (option_table[id].commands & c->bit)
            elm_buf_printf(out, "--%s ", option_table[id].name);
    }
    add_arguments(out, c);
    elm_buf_printf(out, "\" ;;\n");
}

static void add_values(struct elm_buf *out)
{
    for (int id = 0; id < OPTIONS; id++) {
        if (option_table[id].word == NULL)
            continue;
        elm_buf_printf(out, "    --%s) words=\"", option_table[id].name);
        const char *words[OPTION_WORDS_MAX + 1];
        option_words((enum option_id)id, words);
        text_join(out, words, " ");
        elm_buf_printf(out, "\" ;;\n");
    }
}

/* zsh runs bash's completion through bashcompinit. */
static void script_bash(struct elm_buf *out, bool zsh)
{
    if (zsh)
        elm_buf_printf(out, "autoload -U +X bashcompinit && bashcompinit\n");
    elm_buf_printf(out, "_elm() {\n  local words\n"
                   "  if [ \"$COMP_CWORD\" -le 1 ]; then\n    words=\"");
    add_commands(out);
    elm_buf_printf(out, " --help --version\"\n  else\n"
                   "    case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n");
    add_values(out);
    elm_buf_printf(out, "    *) case \"${COMP_WORDS[1]}\" in\n");
    for (const struct command *c = command_table; c->name != NULL; c++)
        add_case(out, c);
    elm_buf_printf(out, "    esac ;;\n    esac\n  fi\n"
                   "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
                   "complete -o default -F _elm elm\n");
}

static void script_fish(struct elm_buf *out)
{
    for (const struct command *c = command_table; c->name != NULL; c++) {
        elm_buf_printf(out, "complete -c elm -n __fish_use_subcommand -f -a %s -d \"%s\"\n",
                       c->name, c->summary);
        struct elm_buf arguments = {0};
        add_arguments(&arguments, c);
        /* fish spells command substitution without the dollar */
        const char *text = arguments.ptr == NULL ? "" : arguments.ptr;
        if (text[0] == '$')
            elm_buf_printf(out, "complete -c elm -n '__fish_seen_subcommand_from %s' -a \"%s\"\n",
                           c->name, text + 1);
        else if (text[0] != '\0')
            elm_buf_printf(out, "complete -c elm -n '__fish_seen_subcommand_from %s' -f -a '%s'\n",
                           c->name, text);
        elm_buf_release(&arguments);
    }
    for (int id = 0; id < OPTIONS; id++) {
        const struct option_info *o = &option_table[id];
        elm_buf_printf(out, "complete -c elm -n '__fish_seen_subcommand_from");
        for (const struct command *c = command_table; c->name != NULL; c++) {
            if (o->commands & c->bit)
                elm_buf_printf(out, " %s", c->name);
        }
        elm_buf_printf(out, "' -l %s", o->name);
        if (o->letter != 0)
            elm_buf_printf(out, " -s %c", o->letter);
        if (o->word != NULL) {
            const char *words[OPTION_WORDS_MAX + 1];
            option_words((enum option_id)id, words);
            elm_buf_printf(out, " -x -a '");
            text_join(out, words, " ");
            elm_buf_printf(out, "'");
        } else if (o->type != OPTION_FLAG) {
            elm_buf_printf(out, " -r");
        }
        elm_buf_printf(out, "\n");
    }
}

int cmd_completion(const struct invocation *v)
{
    static const char *const shells[] = {"bash", "zsh", "fish", NULL};
    const char *shell = v->args[0];
    struct elm_buf out = {0};
    if (strcmp(shell, "bash") == 0 || strcmp(shell, "zsh") == 0) {
        script_bash(&out, shell[0] == 'z');
    } else if (strcmp(shell, "fish") == 0) {
        script_fish(&out);
    } else {
        struct elm_error err = {0};
        const char *near = text_nearest(shell, shells);
        elm_fail(&err, ELM_USAGE, "'%.80s' is no shell that elm can complete for: bash, zsh or "
                 "fish%s%s%s", shell, near != NULL ? "; nearest is '" : "",
                 near != NULL ? near : "", near != NULL ? "'" : "");
        return cmd_fail(&err);
    }
    text_print(stdout, &out);
    elm_buf_release(&out);
    return EXIT_DONE;
}
