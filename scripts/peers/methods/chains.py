"""Chains of smaller layers that stand in for one convolution or linear layer: what they cost, and how they are built.

Stride, padding, dilation and bias of the layer that is replaced survive exactly.
"""
import math

import torch
from torch import nn

from network import Cost


def _bias_size(layer):
    return 0 if layer.module.bias is None else layer.module.bias.numel()


def _set(module, weight, bias=None):
    """Gives a new module its weight, in the shape that it has there, and its bias where it has one."""
    with torch.no_grad():
        module.weight.copy_(weight.reshape(module.weight.shape))
        if module.bias is not None:
            module.bias.copy_(bias)
    return module


def pair_cost(layer, rank, groups=1):
    """What `pair` costs: rank·C·Kh·Kw + groups·rank·O weights, each used once at every place of the output."""
    rows, columns = layer.matrix_shape
    weights = rank * columns + groups * rank * rows
    return Cost(weights + _bias_size(layer), weights * layer.output_places)


def pair_limit(layer):
    """The rank up to which a pair has fewer weights than the layer."""
    rows, columns = layer.matrix_shape
    return max(1, min(rows, columns, math.ceil(rows * columns / (rows + columns)) - 1))


def pair(layer, left, right, groups=1):
    """Two layers for W ≈ left · right. Of a convolution the first has the kernel and the second is 1×1.

    left: [O, groups·r]. right: [groups·r, C·Kh·Kw / groups]. With several groups the first convolution is a grouped one,
    each group of r rows of `right` reading its own part of the input channels.
    """
    old, rank = layer.module, left.shape[1]
    if not layer.is_convolution:
        first = nn.Linear(old.in_features, rank, bias=False)
        second = nn.Linear(rank, old.out_features, bias=old.bias is not None)
    else:
        first = nn.Conv2d(
            old.in_channels, rank, old.kernel_size, old.stride, old.padding, old.dilation, groups=groups, bias=False)
        second = nn.Conv2d(rank, old.out_channels, 1, bias=old.bias is not None)
    return nn.Sequential(_set(first, right), _set(second, left, old.bias))


def tucker_cost(layer, ranks):
    """What `tucker` costs for the ranks (of the input channels, of the output channels)."""
    old, (inner, outer) = layer.module, ranks
    kernel = math.prod(old.kernel_size)
    weights = (old.in_channels * inner, inner * outer * kernel, outer * old.out_channels)
    places = (math.prod(layer.input_size), layer.output_places, layer.output_places)
    return Cost(sum(weights) + _bias_size(layer), sum(w * p for w, p in zip(weights, places)))


def tucker(layer, outputs, core, inputs):
    """1×1, Kh×Kw and 1×1 convolutions for W[o,c] ≈ Σ outputs[o,s] core[s,r] inputs[c,r]."""
    old = layer.module
    first = nn.Conv2d(old.in_channels, inputs.shape[1], 1, bias=False)
    middle = nn.Conv2d(
        inputs.shape[1], outputs.shape[1], old.kernel_size, old.stride, old.padding, old.dilation, bias=False)
    last = nn.Conv2d(outputs.shape[1], old.out_channels, 1, bias=old.bias is not None)
    return nn.Sequential(_set(first, inputs.T), _set(middle, core), _set(last, outputs, old.bias))


def cp_cost(layer, rank):
    """What `cp` costs. The column convolution runs before the rows' stride, so on more places than the output has."""
    old, (height, width) = layer.module, layer.input_size
    rows = layer.output_size[0]
    weights = [rank * size for size in (old.in_channels, *old.kernel_size, old.out_channels)]
    places = [height * width, rows * width, layer.output_places, layer.output_places]
    return Cost(sum(weights) + _bias_size(layer), sum(w * p for w, p in zip(weights, places)))


def cp(layer, outputs, inputs, rows, columns):
    """1×1, Kh×1 depthwise, 1×Kw depthwise and 1×1 convolutions for W[o,c,i,j] ≈ Σ outputs[o,r] inputs[c,r] rows[i,r]
    columns[j,r]."""
    old, rank = layer.module, outputs.shape[1]
    (down, across), (above, beside), (apart, aside) = old.stride, old.padding, old.dilation
    first = nn.Conv2d(old.in_channels, rank, 1, bias=False)
    second = nn.Conv2d(rank, rank, (old.kernel_size[0], 1), (down, 1), (above, 0), (apart, 1), groups=rank, bias=False)
    third = nn.Conv2d(rank, rank, (1, old.kernel_size[1]), (1, across), (0, beside), (1, aside), groups=rank, bias=False)
    last = nn.Conv2d(rank, old.out_channels, 1, bias=old.bias is not None)
    return nn.Sequential(
        _set(first, inputs.T), _set(second, rows.T), _set(third, columns.T), _set(last, outputs, old.bias))
