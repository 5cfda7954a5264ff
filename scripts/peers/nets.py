"""The benchmarks' networks in PyTorch: CIFAR's ResNets (He et al. 2015) and VGG-16 with batch norm, for 3×32×32 images."""
import torch
from torch import nn


class Block(nn.Module):
    """Two convolutions around a shortcut without parameters: every second pixel, and zeros for the new channels."""

    def __init__(self, before, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.relu1, self.relu2 = nn.ReLU(), nn.ReLU()
        self.stride, self.surplus = stride, (channels - before) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        if self.surplus:
            x = nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.surplus, self.surplus))
        return self.relu2(y + x)


class ResNet(nn.Module):
    """Three stages of 16, 32 and 64 channels; depth is 6n + 2."""

    def __init__(self, depth):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        blocks, before = [], 16
        for channels in (16, 32, 64):
            for _ in range((depth - 2) // 6):
                blocks.append(Block(before, channels, channels // before))
                before = channels
        self.blocks, self.fc = nn.Sequential(*blocks), nn.Linear(64, 10)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


def vgg16bn():
    layers, before = [], 3
    for stage in ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)):
        for channels in stage:
            layers += [nn.Conv2d(before, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
            before = channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def build(name):
    torch.manual_seed(1)
    makers = {"resnet20": lambda: ResNet(20), "resnet56": lambda: ResNet(56), "vgg16bn": vgg16bn}
    if name not in makers:
        raise SystemExit(f"unknown net '{name}'; there are {', '.join(makers)}")
    return makers[name]()


def parameter_count(net):
    return sum(p.numel() for p in net.parameters())
