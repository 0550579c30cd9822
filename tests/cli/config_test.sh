# config: flag over environment over --set over file over default, and errors with file and line.
. "${0%/*}/lib.sh"
run() { expect 0 run parity:3 --target none -q --json "$@"; }
cat >c.yaml <<END
# a comment
seed: 11
evaluations: 0.2k
operators: [tree, constants]
workers: "1"
END
run --config c.yaml
same "the file's seed" "$(key out seed)" 11
run --config c.yaml --set seed=12
same "--set over file" "$(key out seed)" 12
ELM_SEED=13 run --config c.yaml --set seed=12
same "environment over --set" "$(key out seed)" 13
ELM_SEED=13 run --config c.yaml --set seed=12 --seed 14
same "flag over environment" "$(key out seed)" 14
run --evaluations 200
same "the default" "$(key out seed)" 1
ELM_CONFIG=c.yaml run
same "ELM_CONFIG" "$(key out seed)" 11
there runs/parity.3-13/elm.db

wrong() { # text of the file, what the message has
  printf '%b' "$1" >bad.yaml
  expect 2 run parity --config bad.yaml
  has err "$2"
}
wrong 'seed: 1\nsede: 2\n' "bad.yaml:2:1: there is no key 'sede'; did you mean 'seed'"
wrong 'seed: 1\nseed: 2\n' "bad.yaml:2:1"
wrong '\nkeep: al\n' "bad.yaml:2:1: keep: 'al'"
wrong 'seed: [1]\n' "bad.yaml:1:7"
wrong 'seed: {a: 1}\n' "bad.yaml:1:7"
wrong 'operators: [[tree]]\n' "bad.yaml:1:"
wrong '- seed\n' "bad.yaml:1:1"
wrong 'seed: 1\n---\nseed: 2\n' "second document"
wrong 'seed: "1\n' "bad.yaml:"
wrong 'seed: &a 1\nworkers: *a\n' "bad.yaml:2:"
wrong 'folder: "a\\0b"\n' "bad.yaml:1:9: a zero byte"
wrong 'help: yes\n' "there is no key 'help'"
wrong '\0000' "bad.yaml"
head -c 1100000 /dev/zero | tr '\0' '#' >bad.yaml
expect 2 run parity --config bad.yaml
expect 2 run parity --config no-such-file.yaml
has err no-such-file.yaml
expect 2 run parity --config .
: >empty.yaml
expect 0 run parity --config empty.yaml --evaluations 100 -q
ELM_SEED=x expect 2 run parity
has err ELM_SEED
expect 2 run parity --set seed
expect 2 run parity --set sede=1
has err "did you mean 'seed'"
finish
