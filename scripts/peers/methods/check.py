"""Checks the methods beside this file, on a small network of every kind of layer that is cut, or on an exported one.

    python check.py [--network NET.py --images IMAGES.npy] [--methods svd,balf]

Without any loss allowed, every method that factors layers gives the dense network's outputs to 1e-4 of their size; a method
that gets to a budget keeps it, by a count of what it really built; and the ranks of variational Bayes are those of a matrix
of known rank with noise. Prints a line for each and ends with status 1 where one is not so.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent))
import measure

given = measure.options(__doc__, network="", images="", methods="svd,balf,alds,tucker,cp,pruning", seed=1)

import numpy as np
import torch
from torch import nn

import chains
import vbmf
from budget import DoesNotFit
from catalogue import kind_of, missing_packages
from network import Layer, Network, cost_of, load

torch.set_num_threads(given.threads)
torch.manual_seed(given.seed)
failures = 0


class Small(nn.Module):
    """Strides, dilation, padding of one side, 1×1 and depthwise kernels, batch norm, and linear layers on tokens and vectors."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.wide = nn.Conv2d(16, 24, (3, 5), stride=(2, 1), padding=(1, 2))
        self.point, self.depth = nn.Conv2d(24, 32, 1), nn.Conv2d(32, 32, 3, padding=1, groups=32)
        self.apart = nn.Conv2d(32, 32, 3, padding=2, dilation=2, stride=2)
        self.tokens, self.hidden, self.last = nn.Linear(32, 32), nn.Linear(32, 48), nn.Linear(48, 10)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        x = torch.relu(self.point(torch.relu(self.wide(x))))
        x = torch.relu(self.apart(torch.relu(self.depth(x))))
        x = torch.relu(self.tokens(x.flatten(2).transpose(1, 2))).mean(1)
        return self.last(torch.relu(self.hidden(x)))


def report(is_right, text):
    global failures
    failures += not is_right
    print(("right  " if is_right else "WRONG  ") + text, flush=True)


@torch.no_grad()
def distance(net, other, images):
    """How far the outputs are apart, as a share of the dense ones."""
    expected = net(images)
    return float((other(images) - expected).norm() / expected.norm())


def check_chains():
    """A convolution whose weight is a sum of three products is its CP chain of rank 3, whatever its geometry."""
    conv = nn.Conv2d(6, 8, (3, 5), stride=(2, 3), padding=(1, 2), dilation=(1, 2))
    factors = [torch.randn(size, 3) for size in (8, 6, 3, 5)]
    with torch.no_grad():
        conv.weight.copy_(torch.einsum("or,cr,ir,jr->ocij", *factors))
    x = torch.randn(2, 6, 17, 19)
    layer = Layer("conv", conv, (17, 19), tuple(conv(x).shape[2:]))
    chain = chains.cp(layer, *factors).eval()
    report(distance(conv, chain, x) < 1e-4, "cp: a weight of rank 3 is its chain")
    report(chains.cp_cost(layer, 3) == cost_of(chain, x), "cp: the cost of a chain is what it takes")
    chain = chains.tucker(layer, torch.eye(8), conv.weight.detach(), torch.eye(6))
    report(distance(conv, chain, x) < 1e-4, "tucker: full ranks are the layer")
    report(chains.tucker_cost(layer, (6, 8)) == cost_of(chain, x), "tucker: the cost of a chain is what it takes")


def check_ranks():
    """Ten strong directions in noise of known size; and noise alone has no direction."""
    noise = 0.1 * torch.randn(80, 200)
    strong = torch.randn(80, 10) @ torch.randn(10, 200)
    report(vbmf.rank(strong + noise) == 10, "tucker: variational Bayes finds ten directions in noise")
    report(vbmf.rank(noise) == 0, "tucker: and none in noise alone")


def check_method(name, network):
    method_class = kind_of(name)
    missing = missing_packages(method_class)
    if missing:
        return print(f"-      {name} is left out: there is no {', '.join(missing)}", flush=True)
    method = method_class(network, given.seed)
    if hasattr(method, "full"):
        far = distance(network.net, method.build(method.full()), network.images)
        report(far < 1e-4, f"{name}: at full rank outputs are {far:.1e} from the dense ones")
    for kind in ("params", "macs"):
        for keep in (0.6, 0.4):
            try:
                net, _ = method.within(kind, keep)
            except DoesNotFit as failure:
                print(f"-      {name}: {kind} within {keep:g}: {failure}", flush=True)
                continue
            kept = getattr(cost_of(net, network.images), kind) / getattr(network.cost, kind)
            far = distance(network.net, net, network.images)
            words = f"{name}: {kind} within {keep:g} keeps {kept:.4f}, outputs {far:.2f} from the dense ones"
            report(0.75 * keep < kept <= keep, words)


def main():
    if given.network:
        network = Network(load(given.network), torch.from_numpy(np.load(given.images)))
    else:
        check_chains()
        check_ranks()
        network = Network(Small(), torch.randn(64, 1, 20, 20))
    for name in given.methods.split(","):
        check_method(name, network)
    sys.exit(failures > 0)


main()
