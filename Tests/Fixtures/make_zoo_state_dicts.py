#!/usr/bin/env python3
"""Golden values for the zoo: what PyTorch's networks of the same architectures compute.

Command:   python make_zoo_state_dicts.py
           python make_zoo_state_dicts.py --load FOLDER    checks state dicts that Moonrail wrote, FOLDER/NAME.safetensors:
                                                           each loads strictly and gives the logits of the golden weights
Versions:  Python 3.11, torch 2.15.0 (CPU), safetensors 0.8.0

zoo_state_dicts.json: for each network the names and shapes of its state dict, as torchvision and common CIFAR
implementations name them, and its logits. The weights are not stored: both sides make them with SplitMix64 from the
position of the tensor and of the element. resnet8_half.safetensors: one state dict as a file, in several element types.
"""
import json
import os
import pathlib
import sys

try:
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    from safetensors.torch import load_file, save_file
except ImportError:
    sys.exit(3)

HERE = os.path.dirname(os.path.abspath(__file__))


def uniform(tensor, count):
    """Numbers in 0…1, exact in float32."""
    with np.errstate(over="ignore"):
        z = np.arange(count, dtype=np.uint64) + np.uint64(tensor << 32) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) * 2.0**-24


def value(position, name, shape):
    u = uniform(position, int(np.prod(shape)))
    if name.endswith("running_var"):
        v = 0.5 + u
    elif name.endswith("weight") and len(shape) == 1:
        v = 0.8 + 0.4 * u
    elif name.endswith("weight"):
        v = (u - 0.5) * 2 * np.sqrt(6.0 / np.prod(shape[1:]))
    else:
        v = (u - 0.5) * 0.2
    return torch.from_numpy(v.astype(np.float32).reshape(shape))


class CIFARBlock(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.stride, self.pad = stride, (o - i) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.pad:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(x + y)


class CIFARResNet(nn.Module):
    def __init__(self, depth, classes=10, last="fc"):
        super().__init__()
        self.conv1, self.bn1, self.last, width = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), last, 16
        for stage, channels in enumerate((16, 32, 64)):
            blocks = []
            for block in range((depth - 2) // 6):
                blocks.append(CIFARBlock(width, channels, 2 if stage and not block else 1))
                width = channels
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        setattr(self, last, nn.Linear(64, classes))

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return getattr(self, self.last)(x.mean((2, 3)))


class Block(nn.Module):
    def __init__(self, i, channels, stride, expansion):
        super().__init__()
        self.expansion, o = expansion, channels * expansion
        if expansion == 1:
            self.conv1, self.bn1 = nn.Conv2d(i, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)
            self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        else:
            self.conv1, self.bn1 = nn.Conv2d(i, channels, 1, bias=False), nn.BatchNorm2d(channels)
            self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels)
            self.conv3, self.bn3 = nn.Conv2d(channels, o, 1, bias=False), nn.BatchNorm2d(o)
        self.downsample = None
        if stride > 1 or i != o:
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.expansion > 1:
            y = self.bn3(self.conv3(F.relu(y)))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    def __init__(self, stages, expansion, classes=1000):
        super().__init__()
        self.conv1, self.bn1, width = nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), 64
        for stage, count in enumerate(stages):
            blocks = []
            for block in range(count):
                blocks.append(Block(width, 64 << stage, 2 if stage and not block else 1, expansion))
                width = (64 << stage) * expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.fc(self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3)))


VGG = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg_layers(depth, bias):
    layers, i = [], 3
    for count, channels in zip(VGG[depth], (64, 128, 256, 512, 512)):
        for _ in range(count):
            layers += [nn.Conv2d(i, channels, 3, 1, 1, bias=bias), nn.BatchNorm2d(channels), nn.ReLU()]
            i = channels
        layers.append(nn.MaxPool2d(2))
    return layers


class VGGFull(nn.Module):
    def __init__(self, depth, classes=1000):
        super().__init__()
        self.features, self.avgpool = nn.Sequential(*vgg_layers(depth, True)), nn.AdaptiveAvgPool2d(7)
        self.classifier = nn.Sequential(
            nn.Linear(25088, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(),
            nn.Linear(4096, classes))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def unit(i, o, kernel, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(o), nn.ReLU6())


class InvertedResidual(nn.Module):
    def __init__(self, i, o, stride, expansion):
        super().__init__()
        wide, layers = i * expansion, []
        if expansion > 1:
            layers.append(unit(i, wide, 1))
        layers += [unit(wide, wide, 3, stride, wide), nn.Conv2d(wide, o, 1, bias=False), nn.BatchNorm2d(o)]
        self.conv, self.adds = nn.Sequential(*layers), stride == 1 and i == o

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, width=1.0, classes=1000):
        super().__init__()

        def scaled(v):
            n = max(8, int(v + 4) // 8 * 8)
            return n + 8 if n < 0.9 * v else n

        i, last = scaled(32 * width), scaled(1280 * max(1.0, width))
        features = [unit(3, i, 3, 2)]
        for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
            for block in range(n):
                features.append(InvertedResidual(i, scaled(c * width), s if block == 0 else 1, t))
                i = scaled(c * width)
        features.append(unit(i, last, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, classes))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


NETS = {
    "resnet8": (lambda: CIFARResNet(8), (3, 32, 32)),
    "resnet20-linear": (lambda: CIFARResNet(20, last="linear"), (3, 32, 32)),
    "resnet18": (lambda: ResNet((2, 2, 2, 2), 1), (3, 64, 64)),
    "resnet34": (lambda: ResNet((3, 4, 6, 3), 1), (3, 64, 64)),
    "resnet50": (lambda: ResNet((3, 4, 6, 3), 4), (3, 64, 64)),
    "vgg11-sequential": (lambda: nn.Sequential(*vgg_layers(11, False), nn.Flatten(), nn.Linear(512, 10)), (3, 32, 32)),
    "mobilenet_v2": (lambda: MobileNetV2(), (3, 64, 64)),
    "mobilenet_v2-quarter": (lambda: MobileNetV2(0.25, 7), (3, 48, 40)),
    "lenet5": (LeNet5, (1, 28, 28)),
    "mlp": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)), (1, 28, 28)),
}
# The classifier of the full VGG has over a hundred million weights: made with --full, to be compared by hand.
FULL = {"vgg16-imagenet": (lambda: VGGFull(16), (3, 64, 64))}


def fill(net):
    tensors = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    net.load_state_dict({k: value(i, k, tuple(v.shape)) for i, (k, v) in enumerate(tensors.items())}, strict=False)
    return tensors


def images(shape):
    u = uniform(1 << 20, 2 * int(np.prod(shape)))
    return torch.from_numpy(((u - 0.5) * 2).astype(np.float32).reshape(2, *shape))


@torch.no_grad()
def entry(name, make, shape):
    torch.manual_seed(0)
    net = make().eval()
    tensors = fill(net)
    logits = net(images(shape))[:, :10]
    return {
        "name": name, "image": shape, "parameters": sum(p.numel() for p in net.parameters()),
        "tensors": [[k, list(v.shape)] for k, v in tensors.items()], "logits": [float(v) for v in logits.flatten()],
    }


@torch.no_grad()
def half():
    """ResNet-8 as a file: convolutions in half floats, batch norms in brain floats, counts in integers."""
    net = CIFARResNet(8).eval()
    fill(net)
    state = {}
    for k, v in net.state_dict().items():
        state[k] = v.half() if v.dim() == 4 else v.bfloat16() if ".bn" in "." + k and k.endswith(("weight", "bias")) else v
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    save_file({k: v.contiguous() for k, v in state.items()}, os.path.join(HERE, "resnet8_half.safetensors"), {"format": "pt"})
    return [float(v) for v in net(images((3, 32, 32))).flatten()]


@torch.no_grad()
def check(folder):
    paths = sorted(pathlib.Path(folder).glob("*.safetensors"))
    for path in paths:
        make, shape = NETS[path.stem]
        expected, found = make().eval(), make().eval()
        fill(expected)
        found.load_state_dict(load_file(path), strict=True)
        difference = float((expected(images(shape)) - found(images(shape))).abs().max())
        print(path.name, difference)
        if difference > 0:
            sys.exit(1)
    sys.exit(0 if paths else 1)


if __name__ == "__main__":
    if "--load" in sys.argv:
        check(sys.argv[sys.argv.index("--load") + 1])
    nets = FULL if "--full" in sys.argv else NETS
    result = {"nets": [entry(name, make, shape) for name, (make, shape) in nets.items()]}
    if nets is NETS:
        result["resnet8_half"] = half()
    path = sys.argv[2] if nets is FULL else os.path.join(HERE, "zoo_state_dicts.json")
    with open(path, "w") as file:
        json.dump(result, file, separators=(",", ":"))
        file.write("\n")
