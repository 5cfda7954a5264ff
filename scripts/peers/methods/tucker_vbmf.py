"""Tucker-2 with ranks by variational Bayesian matrix factorisation, scaled to the budget.

Source: Kim, Park, Yoo, Choi, Yang and Shin, Compression of Deep Convolutional Neural Networks for Fast and Low Power Mobile
Applications, 2016, arXiv:1511.06530. The ranks of the input and of the output channels are those of the weight's two unfoldings;
the paper takes them as they are. To come to a budget, here one factor for the whole network scales them. Layers with a
1×1 kernel and linear layers are matrices and become pairs, as in the paper.
"""
import torch

import chains
import vbmf
from budget import Factorized


class TuckerVBMF(Factorized):
    packages = ()

    def __init__(self, network, seed):
        super().__init__(network, seed)
        self.found = {layer.name: self._found(layer) for layer in network.inner_layers}

    @staticmethod
    def _has_kernel(layer):
        return layer.is_convolution and layer.module.kernel_size != (1, 1)

    def _found(self, layer):
        """The ranks of input and output channels that stand out of the noise, at least 1, and the largest possible ones."""
        if not self._has_kernel(layer):
            return [(max(1, vbmf.rank(layer.matrix)), min(layer.matrix_shape))]
        weight = layer.module.weight.detach().double()
        unfoldings = [weight.transpose(0, 1).flatten(1), weight.flatten(1)]
        return [(max(1, vbmf.rank(unfolding)), min(unfolding.shape)) for unfolding in unfoldings]

    def choose(self, knob, kind):
        """The ranks times knob / (1 − knob): half-way the factor is 1, and at the end all ranks are full."""
        factor, ranks = knob / max(1e-9, 1 - knob), {}
        for layer in self.network.inner_layers:
            scaled = tuple(min(full, max(1, int(factor * rank))) for rank, full in self.found[layer.name])
            if self.is_smaller(layer, scaled, kind):
                ranks[layer.name] = scaled
        return ranks

    def full(self):
        """The ranks at which nothing is lost, for the check."""
        return {name: tuple(full for _, full in found) for name, found in self.found.items()}

    def chain_cost(self, layer, rank):
        return chains.tucker_cost(layer, rank) if len(rank) == 2 else chains.pair_cost(layer, rank[0])

    def chain(self, layer, rank):
        if len(rank) == 1:
            u, s, v = torch.linalg.svd(layer.matrix, full_matrices=False)
            return chains.pair(layer, u[:, : rank[0]] * s[: rank[0]], v[: rank[0]])
        weight = layer.module.weight.detach().double()
        outputs = torch.linalg.svd(weight.flatten(1), full_matrices=False).U[:, : rank[1]]
        inputs = torch.linalg.svd(weight.transpose(0, 1).flatten(1), full_matrices=False).U[:, : rank[0]]
        core = torch.einsum("ocij,os,cr->srij", weight, outputs, inputs)
        return chains.tucker(layer, outputs, core, inputs)
