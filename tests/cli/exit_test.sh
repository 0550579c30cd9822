# exit: statuses as documented.
. "${0%/*}/lib.sh"
expect 0 run parity --evaluations 200 -q
expect 3 run sort --evaluations 500 --target 1.999 -q
expect 0 run sort --evaluations 500 --target none -q
expect 0 run parity:1 --seed 3 --target 0.1 --evaluations 5000 --json -q
same "the target ends it" "$(key out end)" target
expect 0 doctor
level=$(sed -n 's/.*sandbox  *level \([0-9]\).*/\1/p' out)
if [ "$level" -lt 3 ]; then
  expect 4 run parity --seed 4 --level 3
  has err "level 3"
  has err "$level"
else
  expect 0 run parity --seed 4 --level 2 --evaluations 200 -q
fi
expect 4 run parity --seed 5 --level 1
has err --unsafe
expect 0 run parity --seed 5 --level 1 --unsafe --evaluations 200 -q
"$ELM" problems >/dev/full 2>err
same "output that can't be written" $? 1
has err "cannot write the result"
finish
