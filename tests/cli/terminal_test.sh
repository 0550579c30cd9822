# terminal: a screen where there is one, plain lines elsewhere, and nothing foreign steers it.
. "${0%/*}/lib.sh"
escape=$(printf '\033')
expect 0 run sort --evaluations 3000
hasnt out "$escape"
hasnt err "$escape"
has err "evaluations, "
expect 0 run sort --evaluations 4000 --progress none
same "no progress" "$(cat err)" ""
expect 0 run sort --evaluations 5000 -q
same "quiet" "$(cat err)" ""

# foreign control characters are spelled out
printf '/* \033]0;owned\007 \033[2J \302\233 \342\200\256 */\nint f(int a)\n{\n    return a + 2;\n}\n' >f.c
printf '#!/bin/sh\ngrep -c return f.c\n' >one.sh
chmod +x one.sh
expect 0 run --file f.c --score ./one.sh --evaluations 20
hasnt out "$escape"
has out '\x1b]0;owned\x07'
expect 0 show f.c-1 seed
hasnt out "$escape"
has out '\xe2\x80\xae'
expect 0 diff f.c-1
hasnt out "$escape"
folder=$(printf "it's \\033[2Jhere")
expect 0 run parity --folder "$folder" --evaluations 200
hasnt out "$escape"
hasnt err "$escape"
has out "\$'it\\'s \\x1b[2Jhere'"
name=$(printf 'x\033[2Jy')
expect 2 show "$name"
hasnt err "$escape"
expect 2 run "$name"
hasnt err "$escape"

if ! script -qec true /dev/null >/dev/null 2>&1; then
  skip "no script(1) to make a terminal with"
  finish
fi
terminal() { script -qec "stty cols 80 rows 24; $ELM run sort --seed 7 $1" /dev/null </dev/null >"$scratch/tty" 2>&1; }
TERM=xterm terminal "--evaluations 30000 --progress screen"
has tty "${escape}[J"
has tty "Ctrl-C saves and stops"
has tty "operator"
has tty "${escape}[1m"
TERM=xterm NO_COLOR=1 terminal "--evaluations 60000"
has tty "${escape}[J"
hasnt tty "${escape}[1m"
TERM=dumb terminal "--evaluations 70000"
hasnt tty "$escape"
has tty "evaluations, "
TERM=xterm terminal "--evaluations 71000 --progress lines"
hasnt tty "${escape}[J"
finish
