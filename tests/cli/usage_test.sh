# usage: a wrong command line names what is wrong, what is allowed and what is nearest.
. "${0%/*}/lib.sh"
expect 2 rnu
has err "did you mean 'run'"
expect 2 --frobnicate
expect 2 run
has err "elm problems"
expect 2 run parity --minuts 1
has err "did you mean --minutes"
expect 2 run parity --minimise
has err "elm best"
expect 2 run parity -x
expect 2 run parity sort
expect 2 run parity --workers 0
has err "--workers: '0'"
has err "1 to 256"
has err "nearest is '1'"
expect 2 run parity --workers
has err "a value is missing"
for value in -1 1.5 1e400 0x10 nan '' ' 1' 1kk 99999999999999999999; do
  expect 2 run parity --seed "$value"
done
for value in 0 -3 inf x; do
  expect 2 run parity --minutes "$value"
done
expect 2 run parity --keep al
has err "nearest is 'all'"
expect 2 run parity --operators tree,constant
has err "nearest is 'constants'"
expect 2 run parity --operators ,
expect 2 run parity --archive gird
has err "nearest is 'grid'"
expect 2 run parity --backend lama
has err "nearest is 'llama'"
if ! "$ELM" list backends | grep -q '^llama '; then
  expect 2 run parity --backend llama --model x
  has err "make llama"
fi
expect 2 run parity --level 4
expect 2 run parity --tcc=maybe
expect 2 run party
has err "parity"
expect 2 run parity:no-such-variant
expect 2 run --file f.c
has err "--score"
expect 2 run --score true
expect 2 run parity --file f.c --score true
expect 2 show no-such-run
expect 2 show
has err "elm run"
expect 2 runs rm
expect 2 runs rm no-such-run --yes
expect 2 new
expect 2 new 'a b'
expect 2 help no-such-command
expect 2 problems no-such-problem
if [ -e runs ] && [ -n "$(ls runs)" ]; then bad "a wrong command line left a run"; else ok; fi
# spelled in other ways
expect 0 run --evaluations=200 --quiet --seed=0 -j 1 -- parity
expect 0 run parity --evaluations 0.2k -q --tcc=no
finish
