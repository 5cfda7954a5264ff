"""Cuts a network to budgets by one of the methods beside this file, and writes each result as ONNX.

    python cut.py --network NET.py --images IMAGES.npy --method balf --points params:0.45,macs:0.2 --out FOLDER

Prints a JSON line for each point, in their order: the file, its parameters and multiply-accumulates, and the ranks; or `least`,
the share that the method cannot get below. The method `dense` writes the network as it is.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import measure

from catalogue import METHODS, kind_of

given = measure.options(
    __doc__, network="", images="", method=["dense", *METHODS], points="params:1", out=".", seed=1)

import json
import time

import numpy as np
import torch

from budget import DoesNotFit
from network import Network, cost_of, export, load

torch.set_num_threads(given.threads)
torch.manual_seed(given.seed)


def cut_to(method, kind, keep, network, number):
    """The line of the point with this number."""
    start = time.perf_counter()
    line = {"method": given.method, "kind": kind, "keep": keep}
    try:
        net, ranks = method.within(kind, keep) if method else (network.net, {})
    except DoesNotFit as failure:
        return {**line, "least": failure.least}
    cost = cost_of(net, network.images)
    path = pathlib.Path(given.out) / f"{given.method}-{number}.torch.onnx"
    export(net, network.images, path)
    return {**line, "file": str(path), **cost._asdict(), "ranks": ranks, "seconds": time.perf_counter() - start}


def main():
    network = Network(load(given.network), torch.from_numpy(np.load(given.images)))
    method = None if given.method == "dense" else kind_of(given.method)(network, given.seed)
    for number, point in enumerate(given.points.split(",")):
        kind, keep = point.split(":")
        print(json.dumps(cut_to(method, kind, float(keep), network, number)), flush=True)


main()
