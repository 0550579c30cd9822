# cycle: a small one, going on with it, its documents, and what is refused.
. "${0%/*}/lib.sh"
small="--generated functions --model random --width 32 --layers 1 --steps 3 --batch 16 --optimizer muon
  --count 3 --seeds 2 --evaluations 40 --gate 8 --held-out 4 --controls base,gp,best-of"

expect 0 cycle $small --rounds 1 --out c
has out "| round | corruptions | solved % |"
has out "After round 1, on problems that decide nothing:"
has err "elm: round 1 of 1: solved"
has err "the report is c/report.md"
for file in cycle.json base.gguf report.md rounds.svg cycle-report.json round-01/model.gguf \
  round-01/solve.json round-01/train.json round-01/gate.json round-01/measure.json \
  round-01/report/report.md round-01/runs/p000-1/elm.db; do
  there c/$file
done
has c/report.md "elm cycle --generated functions --model random"

# nothing is left to do; then one round more
expect 0 cycle $small --rounds 1 --out c -q --json
same "quiet" "$(cat err)" ""
has out '"round": 1'
hasnt out '"round": 2'
expect 0 cycle $small --rounds 2 --out c -q --json
has out '"round": 2'
if command -v python3 >/dev/null; then
  python3 -c 'import json; json.load(open("out"))' 2>err && ok || bad "no JSON document"
fi
expect 0 cycle $small --rounds 3 --out c --progress json
has err '"step":"end"'

# refused
expect 2 cycle --out d
has err "on which problems? give names"
expect 2 cycle parity:1 --generated functions --out d
has err "don't go together"
expect 2 cycle --generated magic --out d
has err "it takes: functions"
expect 2 cycle $small --seed 2 --out c
has err "the cycle in this folder has another 'seed' ('1', not '2')"
expect 2 cycle $small --operators tree --out d
has err "operators 'tree': none of them has a model"
expect 2 cycle $small --operators span,nano --out d
has err "operators 'span,nano'"
expect 2 cycle $small --controls base,hope --out d
has err "there is no control 'hope'; there are: base,inversions"
expect 2 cycle $small --corruptions 9 --out d
expect 2 cycle $small --corruptions 1-x --out d
expect 2 cycle $small
has err "give --out FOLDER"
expect 1 cycle $small --model ./none.gguf --out d
has err "none.gguf"
[ ! -e d ] && ok || bad "a refused cycle has made its folder"
expect 1 cycle $small --out /proc/none
has err "cannot make the folder"
finish
