# openness: whether a stored run adapts, in words and as JSON, and a line of it while it runs.
. "${0%/*}/lib.sh"
expect 0 run sort --evaluations 9000 --seed 2 -j 1 -q
expect 0 show sort-2 --open-ended
for part in "class           " "adopted" "64 censuses" "innovations adopted, summed" "diversity" \
  "median activity" "new activity" "MODES change" "MODES novelty" "MODES complexity" \
  "MODES ecology" "coverage" "QD score" "evaluations"; do
  has out "$part"
done
hasnt out "too short"
cp out first
expect 0 show sort-2 --open-ended
same "the same run, the same report" "$(cat out)" "$(cat first)"
expect 0 show sort-2 --open-ended --json
for part in '"class": ' '"excess": ' '"points": [' '"shadow": {' '"progress": ['; do
  has out "$part"
done
same "points" "$(grep -c '"complexity"' out)" 64
expect 2 show sort-2 best --open-ended
has err "is too much"
expect 2 show nothing --open-ended

# other archives: places that move between islands, and no measures at all
expect 0 run sort --evaluations 3000 --archive islands --folder islands -j 1 -q
expect 0 show islands --open-ended
has out "class           "
expect 0 run estimate --evaluations 600 -j 1 -q
expect 0 show estimate-1 --open-ended
has out "none yet: the run is too short"

# while it runs, and when it goes on
expect 0 run sort --evaluations 70000 --seed 3 -j 1 --progress lines
has err "innovations, drift"
expect 0 run sort --evaluations 75000 --seed 3 -j 1 --progress json
has err '"open_ended":{"class":'
finish
