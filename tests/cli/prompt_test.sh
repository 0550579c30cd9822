# prompt: what models are asked can be read before anything is asked, and changed.
. "${0%/*}/lib.sh"
for operator in cross diff repair rewrite span; do
  expect 0 show prompt $operator
  same "show prompt $operator" "$(cat out)" "$(cat "$TOP/prompts/$operator.txt")"
done
for operator in cross diff repair rewrite; do
  expect 0 show prompt $operator quadratic
  has out "[system]"
  has out "[user]"
  has out "return a * pow(x, 2.0) - b * x - c;"
  hasnt out "{"'program}'
done
expect 0 show prompt diff quadratic
has out "<<<<<<< SEARCH"
has out "0 of 64 cases right"
has out "case 0: "
hasnt err "not evaluated"
cp out first
expect 0 show prompt diff quadratic
same "the same problem, the same prompt" "$(cat out)" "$(cat first)"
expect 0 show prompt rewrite sort
has out "EVOLVE-BLOCK-START and EVOLVE-BLOCK-END"
expect 0 show prompt repair sort
has err "nothing is broken yet"
expect 0 show prompt cross estimate
hasnt out "fitness"
expect 0 show prompt diff quadratic --json
has out '"tokens_max"'
expect 0 show prompt diff --json
has out '"file"'
# a folder of one's own
mkdir mine
printf '[user]\nDo better: {summary}\n{fence}\n{program}\n{fence}\n' >mine/diff.txt
expect 0 show prompt diff quadratic --prompts mine
has out "Do better: a quadratic polynomial"
hasnt out "[system]"
export ELM_PROMPTS=mine
expect 0 show prompt diff
unset ELM_PROMPTS
same "its file" "$(cat out)" "$(cat mine/diff.txt)"
expect 0 show prompt rewrite quadratic --prompts mine
has out "[system]"
printf '[user]\n\n{fitnes}\n' >mine/diff.txt
expect 2 show prompt diff quadratic --prompts mine
has err "mine/diff.txt:3: there is no value 'fitnes'"
expect 2 show prompt diff --prompts nowhere
has err "nowhere"
# what is wrong is named
expect 2 show prompt
has err "cross, diff, repair, rewrite, span"
expect 2 show prompt rewrit
has err "nearest is 'rewrite'"
expect 2 show prompt tree
expect 2 show prompt diff no-such-problem
expect 2 show prompt diff quadratic x
expect 2 show no-such-run 1 2
has err "too much"
finish
