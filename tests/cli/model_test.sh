# model: runs that ask a model, answered from a file; what is stored, shown and refused.
. "${0%/*}/lib.sh"

# one right answer, one that builds but is no better, one that doesn't build, one that compilers would
# understand each in its own way, one without a program
cat >answers <<'EOF'
The signs are wrong. Here it is:
```c
#include <math.h>

double quadratic(double a, double b, double c, double x)
{
    return a * pow(x, 2.0) + b * x + c;
}
```
%%
```c
#include <math.h>

double quadratic(double a, double b, double c, double x)
{
    return a * pow(x, 2.0) - b * x - c * 1.0;
}
```
%%
```c
double quadratic(double a, double b, double c, double x)
{
    return a * undeclared;
}
```
%%
```c
double quadratic(double a, double b, double c, double x)
{
    return a * x++ * x + b * x + c;
}
```
%%
I am sorry, I can't do that.
EOF
expect 0 run quadratic --script answers --operators rewrite --target 1 --evaluations 50 --folder r --json
has out '"fitness": 1.0'
has out '"rewrite"'
expect 0 show r
has out "rewrite"
has out "parse-failed"
has out "build-failed"
expect 0 replay r
has out "as the run ended with"
expect 0 show r 1
has out "what the model was asked"
has out "what it answered"
has out "The program, of fitness"
expect 0 run r --evaluations 50 -q

# beside other operators, resumed without naming the model again
expect 0 run quadratic --script answers --model-share 0.9 --target none --evaluations 400 --folder s -q
expect 0 run s --evaluations 800 --target none -q
expect 0 replay s
expect 0 export s
has out "no order between a store and a use of 'x'"

# a mask: drawn at random from what a grammar admits
expect 0 run sort --backend scripted --operators span --evaluations 200 --folder t -q
expect 0 export t
hasnt out "parse-failed"
same "refused but for the order" "$(grep '"build-failed"' out | grep -vc "no order between")" 0

expect 2 run sort --backend openai
has err "--endpoint"
expect 2 run sort --endpoint 'ftp://x/v1,model=m'
expect 2 run sort --endpoint 'http://127.0.0.1:1/v1,modle=m'
has err "none of model=NAME"
expect 2 run sort --model-share 1.5 --script answers
expect 2 run sort --backend nativ
has err "native"
mkdir -p begun
echo mine >begun/best.c
expect 1 run sort --model no-such-model --folder begun
has err "no-such-model"
same "what a run that never began leaves" "$(ls begun)" best.c
expect 1 run sort --script no-such-file
has err "no-such-file"
# a server that is not there: what needs no model goes on
expect 0 run sort --endpoint 'http://127.0.0.1:1/v1,model=m' --model-share 0.5 --evaluations 3000 --folder u -q
expect 0 list backends
has out "native"
has out "openai"

# a model that operators on trees have as their own needs no backend, and a run keeps to it
expect 0 train --trainer inversions --width 32 --layers 1 --batch 4 --steps 1 --out own.gguf -q
cp own.gguf other.gguf
expect 0 run sort --model own.gguf --operators nano,tree --evaluations 200 --folder w --json
has out '"nano"'
expect 0 run w --evaluations 400 -q
expect 0 run w --model other.gguf --evaluations 500 -q
expect 0 replay w
has out "as the run ended with"
echo more >>own.gguf
expect 2 run w --evaluations 600
has err "operator_model_hash"
expect 2 run sort --model other.gguf --operators tree --folder x
has err "has a model of its own"
expect 2 compare sort --arm "a: operators=tree; model=other.gguf" --evaluations 10 --seeds 1
has err "has a model of its own"

# the change model, from a set of bugs that came with elm; it is none for other operators
expect 0 train functions --trainer changes --batch 4 --steps 2 --out changes.gguf -q
expect 2 train nowhere --trainer changes --steps 2 --out none.gguf
has err "'nowhere' is neither"
expect 1 run sort --model changes.gguf --operators nano --folder y
has err "no tree-edit model"
# one that is not there is not taken for the built-in
expect 1 run sort --model gone.gguf --operators nano,tree --folder y
has err "cannot open 'gone.gguf'"
expect 0 run sort --model gone.gguf --operators tree --evaluations 100 --folder y
has err "none of these operators asks 'gone.gguf'"
expect 0 compare --problems functions --arm 'a: operators=taught; model=changes.gguf' --evaluations 20 --seeds 1
finish
