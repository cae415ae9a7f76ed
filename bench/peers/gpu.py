"""The work of bench/gpu.ts by PyTorch, with the same sizes, on its GPU and on the CPU.

python3 gpu.py SECONDS SIZES: a line of JSON for each part, { name, version, device, value }: images a second of
`extract`, milliseconds of a step of the others. SIZES is a JSON object, see bench/gpu.ts. As there, a batch begins and ends
in the memory of the CPU, and each step reads its loss. Precision is PyTorch's default: convolutions may use TF32.
"""
import json
import sys
import time

import torch
from torch import nn
from torch.nn.functional import normalize

from mobilenet import mobilenet

seconds, sizes = float(sys.argv[1]), json.loads(sys.argv[2])
torch.manual_seed(1)
torch.backends.cudnn.benchmark = True  # one shape each


def head():
    return nn.Sequential(nn.Linear(1280, 512, bias=False), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(512, 64))


def embedding_net(side):
    flat = 64 * (((side - 4) // 2 - 4) // 2) ** 2
    return nn.Sequential(nn.Conv2d(3, 32, 5), nn.MaxPool2d(2), nn.PReLU(32), nn.Conv2d(32, 64, 5), nn.MaxPool2d(2),
                         nn.PReLU(64), nn.Flatten(), nn.Linear(flat, 256), nn.PReLU(), nn.Linear(256, 256), nn.PReLU(),
                         nn.Linear(256, 64))


def facenet(y, labels, margin=0.2):
    """The hinge of each anchor's farthest positive and nearest negative, on the unit sphere."""
    y = normalize(y)
    squared = (2 - 2 * y @ y.T).clamp(min=0)
    same = labels[:, None] == labels[None, :]
    farthest = squared.masked_fill(~same, -1).amax(1)
    nearest = squared.masked_fill(same, 9).amin(1)
    return (farthest - nearest + margin).relu().mean()


def measure(work, settle):
    """Seconds of one call, mean of as many as fit into the time, after three. settle waits until all is done."""
    for _ in range(3):
        work()
    settle()
    began, calls = time.perf_counter(), 0
    while calls < 3 or time.perf_counter() - began < seconds:
        work()
        calls += 1
    settle()
    return (time.perf_counter() - began) / calls


def say(name, device, value):
    where = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(json.dumps({"name": f"{name} {'gpu' if device == 'cuda' else 'cpu'}", "version": torch.__version__,
                      "device": where, "value": value}), flush=True)


def settle(device):
    return torch.cuda.synchronize if device == "cuda" else lambda: None


def step(name, device, net, batch, shape, classes=10):
    net = net.to(device).train()
    adam = torch.optim.Adam(net.parameters(), 1e-3)
    x = torch.randn(batch, *shape)
    labels = (torch.arange(batch) % classes).to(device)

    def one():
        adam.zero_grad()
        loss = facenet(net(x.to(device)), labels)
        loss.backward()
        adam.step()
        loss.item()

    say(name, device, measure(one, settle(device)) * 1000)


def extract(device, batch, side):
    net = mobilenet().to(device).eval()
    x = torch.randn(batch, 3, side, side)
    with torch.inference_mode():
        say("extract", device, batch / measure(lambda: net(x.to(device)).cpu(), settle(device)))


for device in ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]:
    extract(device, *sizes["extract"])
    step("head", device, head(), sizes["head"], [1280])
    batch, side = sizes["embedding-net"]
    step("embedding-net", device, embedding_net(side), batch, [3, side, side])
    if device == "cuda":  # minutes on a CPU
        batch, side = sizes["mobilenetv2"]
        step("mobilenetv2", device, nn.Sequential(mobilenet(), nn.Linear(1280, 64)), batch, [3, side, side])
