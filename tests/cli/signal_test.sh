# signal: Ctrl-C saves, the same command goes on, and the end is that of an undisturbed run.
. "${0%/*}/lib.sh"
budget=60000
expect 0 run sort --evaluations $budget --folder whole --json -q
whole=$(key out hash)

# a shell starts background jobs with SIGINT ignored, and what is ignored stays so
elm() { exec env --default-signal=INT "$ELM" "$@"; }
stop() { # signal, folder
  rm -f lines
  elm run sort --evaluations $budget --folder "$2" --progress json >stopped 2>lines &
  pid=$!
  await lines '"evaluations"'
  kill -"$1" $pid
  { wait $pid; } 2>/dev/null
}
for signal in INT:130 TERM:143 HUP:129; do
  name=${signal%:*}
  stop "$name" "part-$name"
  got=$?
  if [ $got -eq 0 ]; then
    skip "the run was done before SIG$name came"
    continue
  fi
  same "status after SIG$name" $got "${signal#*:}"
  has stopped "stopped and saved"
  has stopped "go on with: elm run sort --evaluations $budget --folder part-$name"
  expect 0 replay part-$name
  expect 0 run sort --evaluations $budget --folder part-$name --json -q
  same "archive after SIG$name" "$(key out hash)" "$whole"
done
stop KILL part-KILL
expect 0 run sort --evaluations $budget --folder part-KILL --json -q
same "archive after SIGKILL" "$(key out hash)" "$whole"

# twice: at once
rm -f lines
elm run sort --minutes 5 --folder twice --progress json >stopped 2>lines &
pid=$!
await lines '"evaluations"'
kill -INT $pid
kill -INT $pid 2>/dev/null
wait $pid
same "status after two" $? 130
expect 0 run sort --folder twice --evaluations 1000 -q

# progress that nobody reads any more does not end a run
"$ELM" run sort --evaluations 5000 --folder deaf --progress json 2>&1 >out | true
await out "the best program"
finish
