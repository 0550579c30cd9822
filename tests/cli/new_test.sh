# new: a problem that runs at once.
. "${0%/*}/lib.sh"
expect 0 new mine
has out "elm run mine"
for file in problem.yaml seed.c judge.c; do there problems/mine/$file; done
expect 0 problems mine
expect 0 run mine --evaluations 500 -q
there runs/mine-1/elm.db
expect 0 problems
has out mine
expect 1 new mine
has err problems/mine
mkdir else bare
expect 0 new ./bare
expect 0 new ./else/where
expect 0 run ./else/where --evaluations 500 -q
# a broken folder names file, line, key and what is allowed
printf 'sumary: x\n' >>problems/mine/problem.yaml
expect 1 run mine --seed 2
has err problem.yaml:
has err sumary
finish
