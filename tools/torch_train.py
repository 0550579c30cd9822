"""torch_train: the model of bench/train.c's train_5m in PyTorch, on one thread: tokens a second of CPU
time in f32 and with bf16 autocast. bench/train.c runs it."""
import time

import torch
import torch.nn.functional as F
from torch import nn

VOCABULARY, WIDTH, LAYERS, HEADS, HIDDEN = 1024, 256, 6, 4, 704
SEQUENCES, LENGTH, BUDGET_S = 8, 256, 10


def turned(x, cos, sin):
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, odd * cos + even * sin), -1).flatten(-2)


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.RMSNorm(WIDTH, eps=1e-5) for _ in range(2))
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.output = nn.Linear(WIDTH, WIDTH, bias=False)
        self.gate_up = nn.Linear(WIDTH, 2 * HIDDEN, bias=False)
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x, cos, sin):
        batch, length, _ = x.shape
        q, k, v = (part.view(batch, length, HEADS, -1).transpose(1, 2)
                   for part in self.qkv(self.norms[0](x)).split(WIDTH, -1))
        mixed = F.scaled_dot_product_attention(turned(q, cos, sin), turned(k, cos, sin), v,
                                               is_causal=True)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        gate, up = self.gate_up(self.norms[1](x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(WIDTH, eps=1e-5)
        head = WIDTH // HEADS
        speed = 10000 ** (-torch.arange(0, head, 2) / head)
        angle = torch.arange(LENGTH)[:, None] * speed
        self.cos, self.sin = angle.cos(), angle.sin()

    def forward(self, tokens):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.linear(self.norm(x), self.embedding.weight)


def measure(name, narrow):
    torch.manual_seed(1)
    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    tokens = torch.randint(VOCABULARY, (SEQUENCES, LENGTH + 1))

    def step():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=narrow):
            logits = model(tokens[:, :-1])
        F.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten()).backward()
        optimizer.step()

    for _ in range(3):
        step()
    start, steps = time.process_time(), 0
    while time.process_time() - start < BUDGET_S:
        step()
        steps += 1
    rate = steps * SEQUENCES * LENGTH / (time.process_time() - start)
    print(f"{name} {rate:.0f} tokens/s", flush=True)


torch.set_num_threads(1)
measure("torch_5m_f32", False)
measure("torch_5m_bf16", True)
