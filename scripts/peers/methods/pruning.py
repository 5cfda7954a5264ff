"""Structured pruning by Torch-Pruning: whole channels with the least group magnitude go, the same share in every layer.

Source: Fang, Ma, Song, Mi and Wang, DepGraph: Towards Any Structural Pruning, 2023, arXiv:2301.12900, by its authors' package
torch-pruning. Layers whose channels cannot go alone, because a fixed shape or a padding behind them would no longer fit, are
found by trying each, and stay whole.
"""
import copy
import warnings

import torch
from torch import nn

from budget import largest
from network import cost_of


class Pruning:
    packages = ("torch_pruning",)
    steps = 14

    def __init__(self, network, seed):
        self.network = network
        self.example = network.images[:2]
        candidates = [layer.name for layer in network.layers[:-1]]
        self.kept = [network.layers[-1].name] + [name for name in candidates if not self._can_be_pruned(name)]
        if len(self.kept) > len(candidates):
            raise SystemExit("pruning: no layer of this network can lose channels alone")

    def _can_be_pruned(self, name):
        """Whether the network still runs, and gives results of the same shape, when half of the layer's channels go."""
        import torch_pruning

        net = copy.deepcopy(self.network.net)
        with torch.no_grad():
            shape = net(self.example).shape
        try:
            graph = torch_pruning.DependencyGraph().build_dependency(net, example_inputs=self.example)
            module = net.get_submodule(name)
            prune = (
                torch_pruning.prune_conv_out_channels if isinstance(module, nn.Conv2d) else torch_pruning.prune_linear_out_channels)
            half = list(range(max(1, module.weight.shape[0] // 2)))
            group = graph.get_pruning_group(module, prune, idxs=half)
            if not graph.check_pruning_group(group):
                return False
            group.prune()
            with torch.no_grad():
                return net(self.example).shape == shape
        except Exception:  # whatever the package or PyTorch says about shapes that do not fit
            return False

    def pruned(self, share):
        """The network without the share `share` of the channels of each layer that can lose some."""
        import torch_pruning

        net = copy.deepcopy(self.network.net)
        if share == 0:
            return net
        modules = [net.get_submodule(layer.name) for layer in self.network.layers if layer.name not in self.kept]
        # A layer keeps one channel at least: the package leaves layers whole that would lose all.
        shares = {module: min(share, 1 - 1.001 / module.weight.shape[0]) for module in modules}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch_pruning.pruner.BasePruner(
                net, self.example, importance=torch_pruning.importance.GroupMagnitudeImportance(p=2), global_pruning=False,
                pruning_ratio=share, pruning_ratio_dict=shares, ignored_layers=[net.get_submodule(name) for name in self.kept],
            ).step()
        return net.eval()

    def within(self, kind, limit):
        """The network pruned to at most `limit` of the dense one's cost, and what was taken, in words."""
        dense = getattr(self.network.cost, kind)

        def share(knob):
            return getattr(cost_of(self.pruned(1 - knob), self.network.images), kind) / dense

        taken = 1 - largest(share, limit, self.steps)
        return self.pruned(taken), {"channels taken": f"{100 * taken:.1f} %", "layers left whole": ", ".join(self.kept)}
