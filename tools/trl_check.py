"""trl_check.py FOLDER: trains one step with TRL on each of FOLDER/{sft,dpo,kto,grpo}.jsonl, as
`elm export --format trl-*` writes them: a Llama of random weights, tokens made of these texts.
The reward of what the model writes is looked up among the answers of the group."""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TQDM_DISABLE"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

from datasets import load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
import transformers
import trl

folder = sys.argv[1]


def make_tokenizer():
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    texts = [line for name in ("sft", "dpo", "kto", "grpo")
             for line in open(f"{folder}/{name}.jsonl", encoding="utf-8")]
    tokens.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<pad>", "<end>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return PreTrainedTokenizerFast(tokenizer_object=tokens, pad_token="<pad>", eos_token="<end>")


tokenizer = make_tokenizer()


def make_model():
    """Where such a model lies: some trainers load it twice."""
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=2048,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id))
    model.save_pretrained(f"{folder}/model")
    return f"{folder}/model"


def arguments(config, **more):
    return config(output_dir=f"{folder}/out", max_steps=1, per_device_train_batch_size=2,
                  report_to="none", save_strategy="no", use_cpu=True, bf16=False,
                  disable_tqdm=True, logging_strategy="no", **more)


def step(name, trainer):
    trainer.remove_callback(transformers.PrinterCallback)
    loss = trainer.train().training_loss
    if not loss == loss:
        sys.exit(f"WRONG {name}: loss {loss}")
    print(f"ok    TRL {trl.__version__} trains on trl-{name}: "
          f"{len(trainer.train_dataset)} rows, loss {loss:.3f}")


def load(name):
    return load_dataset("json", data_files=f"{folder}/{name}.jsonl", split="train",
                        cache_dir=f"{folder}/cache")


transformers.logging.set_verbosity_error()
step("sft", trl.SFTTrainer(model=make_model(), args=arguments(trl.SFTConfig),
                           processing_class=tokenizer, train_dataset=load("sft")))
step("dpo", trl.DPOTrainer(model=make_model(), args=arguments(trl.DPOConfig),
                           processing_class=tokenizer, train_dataset=load("dpo")))
try:
    from trl import KTOConfig, KTOTrainer
except ImportError:
    from trl.experimental.kto import KTOConfig, KTOTrainer
step("kto", KTOTrainer(model=make_model(), args=arguments(KTOConfig),
                       processing_class=tokenizer, train_dataset=load("kto")))


def reward(completions, answers, rewards, **_):
    return [r[a.index(c)] if c in a else -len(c) for c, a, r in zip(completions, answers, rewards)]


step("grpo", trl.GRPOTrainer(model=make_model(), reward_funcs=reward,
                             args=arguments(trl.GRPOConfig, num_generations=2, max_completion_length=8),
                             processing_class=tokenizer, train_dataset=load("grpo")))
