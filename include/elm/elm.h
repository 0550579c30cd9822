/* elm: everything a program that embeds libelm needs. */
#ifndef ELM_ELM_H
#define ELM_ELM_H

#include "elm/answer.h"
#include "elm/archive.h"
#include "elm/backend.h"
#include "elm/base.h"
#include "elm/cells.h"
#include "elm/code.h"
#include "elm/compare.h"
#include "elm/dataset.h"
#include "elm/gguf.h"
#include "elm/grammar.h"
#include "elm/judge.h"
#include "elm/mask.h"
#include "elm/matrix.h"
#include "elm/model.h"
#include "elm/models.h"
#include "elm/net.h"
#include "elm/operator.h"
#include "elm/optimizer.h"
#include "elm/problem.h"
#include "elm/program.h"
#include "elm/prompt.h"
#include "elm/sandbox.h"
#include "elm/search.h"
#include "elm/store.h"
#include "elm/tape.h"
#include "elm/task.h"
#include "elm/tokenizer.h"
#include "elm/trainer.h"

#endif
