"""Trains a network of PyTorch's own on Fashion-MNIST and exports it as others would.

    python fashion_net.py FOLDER

Writes fashion.folded.onnx (the older exporter, batch norm folded into the convolutions), fashion.unfolded.onnx (the
same, batch norm kept) and fashion.dynamo.onnx (the newer exporter). Needs the pip packages torch, numpy, onnx and
onnxscript; about a minute on two cores.
"""
import gzip
import pathlib
import sys

import numpy as np
import torch
from torch import nn

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
EPOCHS, BATCH = 3, 128


def read(part):
    def file(kind, header):
        return np.frombuffer(gzip.open(DATA / f"{part}-{kind}-ubyte.gz").read(), np.uint8, offset=header)

    images = file("images-idx3", 16).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    return torch.tensor((images - 0.2860) / 0.3530), torch.tensor(file("labels-idx1", 8).astype(np.int64))


def unit(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())


class Net(nn.Module):
    """Eight convolutions in the manner of VGG, 312 thousand parameters."""

    def __init__(self):
        super().__init__()
        layers, width = [], 1
        for channels in (16, 32, 64, 128):
            layers += [unit(width, channels), unit(channels, channels), nn.MaxPool2d(2)]
            width = channels
        self.features, self.pool = nn.Sequential(*layers[:-1]), nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Linear(128, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))

    def forward(self, x):
        return self.classifier(self.pool(self.features(x)).flatten(1))


def train(net, images, labels):
    count = len(images) // BATCH
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=EPOCHS * count)
    for _ in range(EPOCHS):
        order = torch.randperm(len(images))
        for batch in range(count):
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            x = images[chosen].flip(3) if torch.rand(()) < 0.5 else images[chosen]
            loss = nn.functional.cross_entropy(net(x), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def main(folder):
    torch.manual_seed(0)
    net = Net()
    train(net.train(), *read("train"))
    net.eval()
    images, labels = read("t10k")
    with torch.no_grad():
        found = torch.cat([net(images[i : i + 500]).argmax(1) for i in range(0, len(images), 500)])
    print(f"test accuracy {100 * (found == labels).float().mean():.2f} %")
    older = dict(
        input_names=["input"], output_names=["logits"], dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}},
        opset_version=17, dynamo=False)
    torch.onnx.export(net, (images[:2],), folder / "fashion.folded.onnx", **older)
    torch.onnx.export(
        net, (images[:2],), folder / "fashion.unfolded.onnx", training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False, **older)
    batch = {0: torch.export.Dim("batch")}
    torch.onnx.export(net, (images[:2],), dynamo=True, dynamic_shapes=(batch,)).save(folder / "fashion.dynamo.onnx")


main(pathlib.Path(sys.argv[1]))
