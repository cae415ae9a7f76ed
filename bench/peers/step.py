"""The steps of bench/step.ts by PyTorch on one thread, the losses by pytorch-metric-learning where it is installed.

python3 step.py ROUNDS: a line of JSON for each step, { name, version, wall, processor }, milliseconds.
"""
import json
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
BATCH, FEATURES, HIDDEN, DIM, CLASSES, WARM = 250, 1280, 512, 64, 10, 5
rounds = int(sys.argv[1])
labels = torch.arange(BATCH) % CLASSES


def mlp():
    return nn.Sequential(nn.Linear(FEATURES, HIDDEN, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU(),
                         nn.Dropout(0.5), nn.Linear(HIDDEN, DIM))


def embedding_net():
    """siamese-triplet's EmbeddingNet, the PReLU behind the pool as in stages/train/networks/embedding-net.ts."""
    return nn.Sequential(nn.Conv2d(1, 32, 5), nn.MaxPool2d(2), nn.PReLU(32), nn.Conv2d(32, 64, 5), nn.MaxPool2d(2),
                         nn.PReLU(64), nn.Flatten(), nn.Linear(1024, 256), nn.PReLU(), nn.Linear(256, 256), nn.PReLU(),
                         nn.Linear(256, DIM))


def measure(name, net, shape, loss, own=()):
    adam = torch.optim.Adam([*net.parameters(), *own], 1e-3)
    x = torch.randn(BATCH, *shape)
    wall, processor = [], 0.0
    for step in range(rounds + WARM):
        began, used = time.perf_counter(), time.process_time()
        adam.zero_grad()
        loss(net(x)).backward()
        adam.step()
        if step >= WARM:
            wall.append(time.perf_counter() - began)
            processor += time.process_time() - used
    print(json.dumps({"name": name, "version": torch.__version__, "wall": sorted(wall)[len(wall) // 2] * 1000,
                      "processor": processor / len(wall) * 1000}), flush=True)


measure("none", mlp(), [FEATURES], lambda y: y.square().mean())
classifier = nn.Sequential(nn.PReLU(), nn.Linear(DIM, CLASSES))
entropy = nn.CrossEntropyLoss()
measure("softmax", mlp(), [FEATURES], lambda y: entropy(classifier(y), labels), classifier.parameters())
try:
    from pytorch_metric_learning import distances, losses, miners
except ImportError:
    losses = None
if losses:
    euclidean = distances.LpDistance(power=2)
    triplet = losses.TripletMarginLoss(margin=0.2, distance=euclidean)
    hard = miners.BatchHardMiner(distance=euclidean)
    semihard = miners.TripletMarginMiner(margin=0.2, distance=euclidean, type_of_triplets="semihard")
    similarity = losses.MultiSimilarityLoss()
    similar = miners.MultiSimilarityMiner()
    contrastive = losses.SupConLoss()
    measure("supcon", mlp(), [FEATURES], lambda y: contrastive(y, labels))
    measure("multi-similarity", mlp(), [FEATURES], lambda y: similarity(y, labels, similar(y, labels)))
    measure("batch-hard", mlp(), [FEATURES], lambda y: triplet(y, labels, hard(y, labels)))
    measure("semi-hard", mlp(), [FEATURES], lambda y: triplet(y, labels, semihard(y, labels)))
    measure("all triplets", mlp(), [FEATURES], lambda y: triplet(y, labels))
measure("embedding-net, 28 px", embedding_net(), [1, 28, 28], lambda y: y.square().mean())
