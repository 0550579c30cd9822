# generate: problems that run, the same for the same options.
. "${0%/*}/lib.sh"
expect 0 generate mine --count 5 --seed 3 -q
has out "5 problems"
there mine/report-3-000000/problem.yaml
expect 0 generate again --count 5 --seed 3
if diff -r mine again >/dev/null; then ok; else bad "the same options wrote other problems"; fi
expect 0 problems ./mine/report-3-000001
has out "judge        reference"
expect 0 problems --problems-path mine
has out report-3-000004
expect 0 run ./mine/report-3-000001 --evaluations 600 -q
there runs/report-3-000001-1/elm.db
expect 0 best report-3-000001-1 -o best -q
there best/judge.c
if make -s -C best >made 2>&1; then ok; else bad "the exported scorer does not build"; fi
expect 1 generate mine --count 5 --seed 3
has err report-3-000000
expect 0 generate hard --count 1 --corruptions 1 --stream gate --hardness
has hard/gate-1-000000/problem.yaml hardness_search:
expect 0 problems ./hard/gate-1-000000
has out "solve rate"
expect 0 generate gates --count 3 --family boolean --stream train
has gates/train-1-000000/problem.yaml "gates"
for wrong in 0 9 3-2 1- 1-9 x 1-2-3; do expect 2 generate x --corruptions $wrong; done
expect 2 generate x --stream test
expect 2 generate x --count 0
expect 2 generate
if [ ! -e x ]; then ok; else bad "a refused command made its folder"; fi
expect 1 generate no/such/folder
has err "no/such/folder"
finish
