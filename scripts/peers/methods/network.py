"""A network that `moonrail export --torch` wrote: its layers, what they cost, and what they see on images.

Costs are counted as Moonrail counts them. Parameters are all weights, biases, scales and shifts (running statistics of
batch norm are not parameters); multiply-accumulates are those of convolutions and linear layers for one image.
"""
import copy
import importlib.util
import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn


class Cost(NamedTuple):
    params: int
    macs: int


@dataclass
class Layer:
    """A layer that the methods may replace, and how many places (pixels, tokens) it reads and writes for one image."""

    name: str
    module: nn.Module
    input_size: tuple
    output_size: tuple

    @property
    def is_convolution(self):
        return isinstance(self.module, nn.Conv2d)

    @property
    def matrix(self):
        """The weight as a matrix [O, C·Kh·Kw], in double precision."""
        return self.module.weight.detach().double().flatten(1)

    @property
    def matrix_shape(self):
        rows = self.module.weight.shape[0]
        return rows, self.module.weight.numel() // rows

    @property
    def output_places(self):
        return math.prod(self.output_size)

    @property
    def cost(self):
        weights = self.module.weight.numel()
        bias = 0 if self.module.bias is None else self.module.bias.numel()
        return Cost(weights + bias, weights * self.output_places)


def load(path):
    """The torch module of a Python file that Moonrail exported, with the weights beside it."""
    specification = importlib.util.spec_from_file_location("exported_network", path)
    source = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(source)
    return source.load()


@torch.no_grad()
def cost_of(net, images):
    """Parameters and multiply-accumulates of a whole torch module, counted while it runs on the first image."""
    macs = []

    def count(module, _, output):
        macs.append(output[0].numel() * module.weight[0].numel())

    kinds = (nn.Conv2d, nn.Linear)
    hooks = [module.register_forward_hook(count) for module in net.modules() if isinstance(module, kinds)]
    net(images[:1])
    for hook in hooks:
        hook.remove()
    return Cost(sum(parameter.numel() for parameter in net.parameters()), sum(macs))


class Network:
    """The dense network, images to look at without labels, and the layers that may be replaced, in the order they run.

    Grouped and depthwise convolutions are no such layers: none of the methods here cuts them.
    """

    def __init__(self, net, images, batch=64):
        self.net, self.images, self.batch = net.eval(), images, batch
        self.layers = self._layers()
        self.cost = cost_of(net, images)

    @property
    def inner_layers(self):
        """All layers but the one that reads the image's few channels and the last one, the classifier.

        Methods that treat every layer alike spare these two, as is usual: they have few parameters and are easily harmed.
        """
        return [layer for layer in self.layers[:-1] if not (layer.is_convolution and layer.module.in_channels <= 4)]

    @torch.no_grad()
    def _layers(self):
        names = {module: name for name, module in self.net.named_modules()}
        found = []

        def note(module, inputs, output):
            if isinstance(module, nn.Conv2d):
                if module.groups == 1:
                    found.append(Layer(names[module], module, tuple(inputs[0].shape[2:]), tuple(output.shape[2:])))
            else:
                found.append(Layer(names[module], module, tuple(inputs[0].shape[1:-1]), tuple(output.shape[1:-1])))

        self._run_with(note, [module for module in names if isinstance(module, (nn.Conv2d, nn.Linear))], self.images[:1])
        return found

    @torch.no_grad()
    def _run_with(self, hook, modules, images):
        hooks = [module.register_forward_hook(hook) for module in modules]
        for start in range(0, len(images), self.batch):
            self.net(images[start : start + self.batch])
        for each in hooks:
            each.remove()

    def moments(self):
        """E[x xᵀ] by the layers' names, in double precision: x is what a layer's matrix is multiplied by, over all images
        and places, so of C·Kh·Kw numbers for a convolution."""
        sums = {layer.name: 0 for layer in self.layers}
        counts = dict.fromkeys(sums, 0)
        of_module = {layer.module: layer for layer in self.layers}

        def add(module, inputs, _):
            x = inputs[0]
            if isinstance(module, nn.Conv2d):
                x = nn.functional.unfold(x, module.kernel_size, module.dilation, module.padding, module.stride).transpose(1, 2)
            x = x.flatten(0, -2)
            name = of_module[module].name
            sums[name] = sums[name] + (x.T @ x).double()
            counts[name] += len(x)

        self._run_with(add, list(of_module), self.images)
        return {name: sums[name] / counts[name] for name in sums}

    def replaced(self, chains):
        """A copy with other modules in the place of layers, by the layers' names."""
        net = copy.deepcopy(self.net)
        for name, chain in chains.items():
            parent, _, own = name.rpartition(".")
            setattr(net.get_submodule(parent), own, chain)
        return net.eval()


def export(net, images, path):
    """Writes a torch module as ONNX, with batch norm kept, so that its statistics can still be estimated again."""
    torch.onnx.export(
        net, (images[:2],), path, input_names=["images"], output_names=["logits"], opset_version=17, dynamo=False,
        dynamic_axes={"images": {0: "n"}, "logits": {0: "n"}}, training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False)
