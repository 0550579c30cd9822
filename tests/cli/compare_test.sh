# compare: tables, report, resume, the same document for any number of workers, and what is refused.
. "${0%/*}/lib.sh"
arms="--arm tree --arm semantic"
small="parity:1 quadratic:1 --evaluations 60 --seeds 2"

# what depends on the machine is in keys that say so
machine_free() {
  python3 - "$1" <<'PY'
import json, sys
def strip(x):
    if isinstance(x, dict):
        return {k: strip(v) for k, v in x.items()
                if not k.startswith(('cpu', 'date', 'machine', 'command'))}
    return [strip(v) for v in x] if isinstance(x, list) else x
print(json.dumps(strip(json.load(open(sys.argv[1]))), sort_keys=True))
PY
}

expect 0 compare $small $arms -q
same "quiet" "$(cat err)" ""
has out "| arm "
has out "semantic - tree"
has out "semantic solves as many as tree in all after"
has out "2 problems, 2 with a target; 2 seeds an arm; 60 evaluations a run."
if command -v python3 >/dev/null; then
  for workers in 1 3; do
    expect 0 compare $small $arms -q --json --workers $workers
    machine_free out >free-$workers 2>err && ok || bad "no JSON document"
  done
  same "workers" "$(cat free-1)" "$(cat free-3)"
fi

# a report, and going on with it
expect 0 compare $small $arms --report r
has err "the report is r/report.md"
for file in report.md comparison.json cells.jsonl solved.svg gain.svg solved-cpu.svg gain-cpu.svg; do
  there r/$file
done
has r/report.md "## Problems"
has r/report.md "elm compare parity:1 quadratic:1 --evaluations 60"
same "cells" "$(wc -l <r/cells.jsonl)" 8
if command -v python3 >/dev/null; then
  python3 -c 'import sys, xml.dom.minidom as m; [m.parse(f) for f in sys.argv[1:]]' r/*.svg 2>err \
    && ok || bad "an SVG is no XML"
  machine_free r/comparison.json >whole
  same "report and output" "$(cat whole)" "$(cat free-1)"
  # half of the cells, and half a line of the next, as a kill leaves them
  cp -r r half
  { head -n 4 r/cells.jsonl; sed -n 5p r/cells.jsonl | cut -c1-50 | tr -d '\n'; } >half/cells.jsonl
  expect 0 compare $small $arms --report half
  same "cells again" "$(wc -l <half/cells.jsonl)" 8
  machine_free half/comparison.json >half-free
  same "resumed" "$(cat half-free)" "$(cat whole)"
fi
# more arms and seeds: only what is missing is run
expect 0 compare parity:1 quadratic:1 --evaluations 60 --seeds 3 $arms \
  --arm 'best-of: operators=tree; archive=best_of' --arm 'last: operators=tree; archive=sequential' \
  --report r -q
same "more cells" "$(wc -l <r/cells.jsonl)" 24
has out "best-of - tree"
# another budget is another run
expect 0 compare parity:1 --evaluations 50 --seeds 1 --arm tree --report r -q
same "another budget" "$(wc -l <r/cells.jsonl)" 25
has out "One problem and one seed: no interval"
echo '{"key": 1}' >>r/cells.jsonl
expect 1 compare parity:1 --evaluations 50 --seeds 1 --arm tree --report r -q
has err "cells.jsonl:26"

# a folder of problems: the variants of what has them
mkdir mine && cp -r "$TOP"/problems/quadratic mine/
expect 0 compare --problems mine --arm tree --evaluations 20 --seeds 1 -q
has out "2 problems, 2 with a target"
expect 0 compare --problems mine --arm tree --cpu-seconds 0.05 --seeds 1 -q
has out "depends on the machine"
# 100 ms of CPU and 10 ms more for each evaluation: ten evaluations at the most
expect 0 compare --problems mine --arm tree --cpu-seconds 0.1 --evaluation-ms 10 --seeds 2 -q --json
has out '"evaluation_cpu_s": 0.01'
evaluations=$(sed -n 's/^      "evaluations": \([0-9]*\)\..*/\1/p' out | head -n 1)
if [ "${evaluations:-99}" -le 10 ]; then ok; else bad "$evaluations evaluations of 10 ms in 100 ms"; fi
expect 0 compare parity:2 --arm 'a: operators=tree; training-cpu=5' --arm tree --evaluations 20 \
  --seeds 1 -q
expect 0 compare parity:2 --arm tree --arm 'a: operators=semantic; training-cpu=5' --evaluations 200 \
  --seeds 2 -q
has out "cost 5 s of CPU more to make than tree"

# generated problems and those with a reference run in this process
for workers in 1 3; do
  expect 0 compare --generated gate:6:1 --evaluations 200 --seeds 2 --arm 'gp: operators=tree' \
    --arm 'both: operators=semantic,tree; shares=3,1' --arm 'blind: operators=tree; opaque=yes' \
    --arm 'best-of: operators=tree; archive=best_of' --workers $workers --json -q
  if command -v python3 >/dev/null; then
    machine_free out >free-$workers 2>err && ok || bad "no JSON document"
  fi
done
[ ! -e free-1 ] || same "workers of trials" "$(cat free-1)" "$(cat free-3)"
has out '"engine": "trial"'
hasnt out '"engine": "search"'
# what can only trace can do nothing where nothing may be traced
expect 0 compare --generated gate:2:1 --evaluations 20 --seeds 1 --arm 'tree: operators=tree' \
  --arm 'blind: operators=semantic; opaque=yes' --arm 'half: operators=semantic,tree; opaque=yes' -q
has out "blind abstains on gate/0 and 1 more"
hasnt out "half abstains"
mkdir hand && cp -r "$TOP"/functions/gcd hand/
expect 0 compare --problems hand --arm tree --arm semantic --evaluations 50 --seeds 1 --report trials
has trials/report.md "| trial "
# the set that comes with elm, from a checkout and as installed; a folder of that name here goes first
expect 0 compare --problems functions --arm tree --evaluations 1 --seeds 1
has out "100 problems"
mkdir -p inst/bin inst/share/elm/functions && cp "$ELM" inst/bin/elm
cp -r "$TOP"/functions/gcd inst/share/elm/functions/
inst/bin/elm compare --problems functions --arm tree --evaluations 1 --seeds 1 >out 2>err
same "status of an installed elm" $? 0
has out "3 problems"
mkdir functions && cp -r "$TOP"/functions/mean functions/ && cp -r functions/mean functions/mean2
expect 0 compare --problems functions --arm tree --evaluations 1 --seeds 1
has out "6 problems"
rm -r inst functions
# `hand` with an arm that asks a model: then all arms search
echo 'no program' >answers
expect 0 compare hand/gcd:1 --arm tree --arm 'm: operators=rewrite; script=answers' --evaluations 5 \
  --seeds 1 --report searches
has searches/report.md "| search "
expect 2 compare hand/gcd:1 --arm 'a: operators=tree; opaque=yes' \
  --arm 'm: operators=rewrite; script=answers'
has err "opaque is for"
expect 2 compare parity:1 --arm 'a: operators=tree,semantic; shares=1,2'
has err "shares is for"
expect 2 compare --generated gate:2:1 --arm 'm: operators=rewrite; script=answers'
has err "elm generate"
expect 2 compare srot --arm tree
has err "did you mean 'sort'?"
expect 1 compare parity:1 --arm 'm: operators=span; model=no-such-model'
has err "arm 'm'"

# an arm that can do nothing abstains
expect 0 compare circles --arm tree --arm semantic --evaluations 20 --seeds 1 -q
has out "semantic abstains on circles"

# a seed with nothing left to do: solved at evaluation 0, searched or tried
mkdir -p done && cp -r "$TOP"/functions/gcd done/
cp done/gcd/reference.c done/gcd/seed.1.c
expect 0 compare ./done/gcd:1 --arm tree --arm semantic --evaluations 20 --seeds 1 -q
has out "The seed of gcd:1 meets the target"
expect 0 compare ./done/gcd:1 --arm tree --arm semantic --evaluations 20 --seeds 1 -q --json
tr -d ' \n' <out | grep -q '"solved":\[true\],"reached_at":\[0\]' || bad "a tried seed is not solved"
expect 0 compare ./done/gcd:1 --arm tree --arm 'm: operators=rewrite; script=answers' \
  --evaluations 20 --seeds 1 -q --json
tr -d ' \n' <out | grep -q '"solved":\[true\],"reached_at":\[0\]' || bad "a searched seed is not solved"

# arms in a file
cat >config.yaml <<'YAML'
arm: ["gp: operators=tree", "both: operators=semantic,tree"]
evaluations: 20
seeds: 1
YAML
expect 0 compare parity:1 --config config.yaml -q
has out "both - gp"

# refused, each before anything runs
expect 2 compare parity:1
has err "--arm"
expect 2 compare --arm tree
has err "--problems FOLDER"
expect 2 compare parity:1 --arm tre
has err "there is no operator 'tre'; there are:"
expect 2 compare parity:1 --arm 'a: operators=tree; archiv=grid'
has err "there is no key 'archiv'"
expect 2 compare parity:1 --arm 'a: operators=tree; archive=gird'
expect 2 compare parity:1 --arm 'a: operators=tree; selector=none'
expect 2 compare parity:1 --arm 'a: operators=tree; shares=1,2'
expect 2 compare parity:1 --arm 'a: operators=span'
has err "asks a model"
expect 2 compare parity:1 --arm tree --arm tree
has err "two arms 'tree'"
expect 2 compare parity:1 parity:1 --arm tree
has err "given twice"
expect 2 compare duel --arm tree
has err "no fitness to compare"
expect 2 compare parity:1 --arm tree --tokens 100
has err "model=NAME"
expect 2 compare parity:1 --arm tree --tokens 100 --evaluations 20
has err "model=NAME"
expect 2 compare --generated all:3:1 --arm tree
has err "train, gate or report"
for text in report report:0:1 report:1 report:1:1:0-3 report:1:1:5-4 report:1:1:1-9 report:1:1x; do
  expect 2 compare --generated $text --arm tree
done
mkdir empty
expect 2 compare --problems empty --arm tree
has err "there is no problem in 'empty'"
expect 2 compare --problems nowhere --arm tree
mkdir -p broken/x && echo "summary: nothing" >broken/x/problem.yaml
cp -r mine/quadratic broken/
"$ELM" compare --problems broken --arm tree --report never >out 2>err && bad "a broken problem" || ok
has err "broken/x"
if [ -e never ]; then bad "a wrong command line left a report"; else ok; fi
: >file
expect 1 compare parity:1 --arm tree --report file -q
has err "file"

# Ctrl-C keeps what is done, and the same command goes on
long="parity:5 quadratic:2 --arm tree --arm semantic --seeds 20 --evaluations 3000 --workers 1"
env --default-signal=INT "$ELM" compare $long --report stopped >out 2>err &
pid=$!
await stopped/cells.jsonl '"key"'
kill -INT $pid
{ wait $pid; } 2>/dev/null
got=$?
if [ $got -eq 0 ]; then
  skip "it was done before SIGINT came"
else
  same "status after SIGINT" $got 130
  has err "go on with: elm compare parity:5"
fi
finish
