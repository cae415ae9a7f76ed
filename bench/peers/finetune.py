"""The steps of bench/finetune.ts by PyTorch: finetune.py STEPS BATCH THREADS SIDE …"""
import json
import sys
import time

import torch
from torch import nn

from mobilenet import mobilenet

steps, batch, threads, *sides = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(1)
net = nn.Sequential(mobilenet(), nn.Linear(1280, 48))
adam = torch.optim.Adam(net.parameters(), 1e-3)
for side in sides:
    x = torch.randn(batch, 3, side, side)
    times = []
    for _ in range(steps + 1):
        began, used = time.perf_counter(), time.process_time()
        adam.zero_grad()
        net(x).square().mean().backward()
        adam.step()
        times.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - used)))
    wall, processor = (sorted(values[1:])[steps // 2] for values in zip(*times))
    print(json.dumps({"side": side, "version": torch.__version__, "wall": wall, "processor": processor}))
