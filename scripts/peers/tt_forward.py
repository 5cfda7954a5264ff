"""A dense 3×3 convolution against the chain 1×1 → 3×3 → 1×1 in PyTorch or ONNX Runtime. Times go by rank; 0 is dense."""
import measure

given = measure.options(__doc__, engine=measure.engines, N=1, C=256, hw=14, ranks="32,64,128")

import torch
from torch import nn

import nets

torch.set_num_threads(given.threads)
torch.manual_seed(1)
C = given.C


def layer(rank):
    if rank == 0:
        return nn.Conv2d(C, C, 3, padding=1)
    return nn.Sequential(
        nn.Conv2d(C, rank, 1, bias=False), nn.Conv2d(rank, rank, 3, padding=1, bias=False), nn.Conv2d(rank, C, 1))


x, rows = torch.randn(given.N, C, given.hw, given.hw), {"ms": {}, "min": {}, "max": {}, "params": {}}
for rank in [0] + [int(rank) for rank in given.ranks.split(",")]:
    module = layer(rank)
    run = measure.inference_call(module, x, given.engine, given.threads)
    times = measure.calls(run, given.reps or (200 if given.N == 1 else 25), warm=10, seconds=8)
    for key in ("ms", "min", "max"):
        rows[key][str(rank)] = times[key]
    rows["params"][str(rank)] = nets.parameter_count(module)
measure.line(given, "tt_forward", engine=given.engine, N=given.N, C=C, hw=given.hw, reps=times["reps"], **rows)
