"""Small nets exported by both exporters of PyTorch, with inputs and ONNX Runtime's outputs for them.

    python make_onnx_nets.py onnx_nets.safetensors

Needs the pip packages torch, onnx, onnxscript, onnxruntime and safetensors. A net NAME is NAME/model (the file's bytes),
NAME/input/0 and NAME/output/0 and so on.
"""
import os
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    """Residual and grouped convolutions, poolings, a linear classifier."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.down = nn.Conv2d(8, 16, 1, stride=2)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.relu(x + self.bn2(self.conv2(x)))
        x = functional.max_pool2d(x, 3, stride=2, padding=1, ceil_mode=True)
        x = functional.leaky_relu(self.down(x), 0.1)
        x = functional.adaptive_avg_pool2d(x, 1)
        return self.fc(torch.flatten(x, 1))


class Inverted(nn.Module):
    """MobileNet's inverted bottleneck with a squeeze-and-excitation gate, a hard swish and shuffled channels."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.expand = nn.Sequential(nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.Hardswish())
        self.depthwise = nn.Sequential(
            nn.Conv2d(24, 24, 3, padding=1, groups=24, bias=False), nn.BatchNorm2d(24), nn.ReLU6())
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(24, 6, 1), nn.ReLU(), nn.Conv2d(6, 24, 1), nn.Hardsigmoid())
        self.project = nn.Sequential(nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = self.stem(x)
        y = self.depthwise(self.expand(x))
        x = x + self.project(y * self.gate(y))
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        x = torch.cat([x, functional.interpolate(functional.avg_pool2d(x, 2), scale_factor=2.0, mode="bilinear")], 1)
        return functional.log_softmax(self.head(x.mean((2, 3))), 1)


class Attention(nn.Module):
    """A block of a vision transformer: patches, class token, positions, attention, a perceptron."""

    def __init__(self, width=16, heads=2):
        super().__init__()
        self.heads = heads
        self.patch = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.position = nn.Parameter(torch.randn(1, 17, width))
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)
        self.head = nn.Linear(width, 5)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        n, t, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(n, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5, -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(n, t, c))
        x = x + self.down(functional.gelu(self.up(self.norm2(x))))
        return self.head(x[:, 0])


class Sequence(nn.Module):
    """Convolutions along one dimension, and one transposed."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 8, 5, padding=4, dilation=2)
        self.norm = nn.BatchNorm1d(8)
        self.slope = nn.PReLU(8)
        self.wide = nn.ConvTranspose2d(1, 2, (3, 2), stride=(2, 1), padding=1, output_padding=(1, 0))
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = self.slope(self.norm(self.conv(x)))
        x = functional.max_pool1d(x, 3, stride=2) + functional.avg_pool1d(x, 3, stride=2)
        x = self.wide(x.unsqueeze(1)).mean(1)
        return torch.sigmoid(self.fc(torch.tanh(x.mean(2)[:, :8])))


class Encoder(nn.Module):
    """Attention over [length, samples, width], heads joined with the samples, as nn.MultiheadAttention writes it out."""

    def __init__(self, width=12, heads=3):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 4)

    def forward(self, x):
        x = x.transpose(0, 1)
        t, n, c = x.shape
        parts = self.qkv(x).view(t, n, 3, c).unsqueeze(0).transpose(0, -2).squeeze(-2)
        q, k, v = (parts[i].reshape(t, n * self.heads, c // self.heads).transpose(0, 1) for i in range(3))
        weights = torch.softmax(torch.bmm(q, k.transpose(1, 2)) * (c // self.heads) ** -0.5, -1)
        y = torch.bmm(weights, v).transpose(0, 1).reshape(t * n, c)
        x = self.norm(x + self.out(y).reshape(t, n, c))
        return self.head(x.transpose(0, 1).mean(1))


class Pyramid(nn.Module):
    """Down and up again as U-Nets and detectors do, to the size that was there, with two results."""

    def __init__(self):
        super().__init__()
        self.top = nn.Conv2d(3, 6, 3, padding=1)
        self.middle = nn.Conv2d(6, 8, 3, stride=2, padding=1)
        self.low = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.classes = nn.Conv2d(16, 4, 1)
        self.boxes = nn.Conv2d(22, 2, 3, padding=1)

    def forward(self, x):
        top = functional.relu(self.top(x))
        middle = functional.relu(self.middle(top))
        y = self.up(functional.relu(self.low(middle)))
        y = functional.pad(y, [0, middle.shape[3] - y.shape[3], 0, middle.shape[2] - y.shape[2]])
        y = torch.cat([functional.interpolate(y, size=middle.shape[2:], mode="nearest"), middle], 1)
        n, _, h, w = y.shape
        classes = self.classes(y).view(n, 2, 2, h, w).permute(0, 3, 4, 1, 2).reshape(n, -1, 2).softmax(-1)
        y = functional.interpolate(y, size=top.shape[2:], mode="bilinear", align_corners=False)
        return classes, self.boxes(torch.cat([y, top], 1))


NETS = {
    "residual": (Residual, (3, 16, 16)),
    "inverted": (Inverted, (3, 16, 16)),
    "attention": (Attention, (3, 16, 16)),
    "sequence": (Sequence, (4, 24)),
    "encoder": (Encoder, (7, 12)),
    "pyramid": (Pyramid, (3, 14, 10)),
}


def exported(model, example, **options):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = os.path.join(folder, "net.onnx")
        torch.onnx.export(model, (example,), path, **options)
        return onnx.load(path).SerializeToString()


def variants(model, shape):
    batch = {"input_names": ["input"]}
    two, one = torch.randn(2, *shape), torch.randn(1, *shape)
    for opset in (11, 17):
        yield f"script-{opset}", exported(
            model, two, dynamo=False, opset_version=opset, dynamic_axes={"input": {0: "n"}}, **batch)
    yield "script-13-fixed", exported(model, one, dynamo=False, opset_version=13, **batch)
    yield "dynamo-18", exported(
        model, two, dynamo=True, opset_version=18, dynamic_shapes=({0: torch.export.Dim("n")},), **batch)
    yield "dynamo-20-fixed", exported(model, one, dynamo=True, opset_version=20, **batch)


def main(path):
    tensors = {}
    for name, (make, shape) in NETS.items():
        torch.manual_seed(7)
        model = make()
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                nn.init.uniform_(module.weight, 0.5, 1.5)
        model.eval()
        for variant, data in variants(model, shape):
            session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
            count = 1 if variant.endswith("fixed") else 3
            images = np.random.default_rng(3).standard_normal((count, *shape), dtype=np.float32)
            tensors[f"{name}-{variant}/model"] = np.frombuffer(data, dtype=np.uint8)
            tensors[f"{name}-{variant}/input/0"] = images
            for position, output in enumerate(session.run(None, {session.get_inputs()[0].name: images})):
                tensors[f"{name}-{variant}/output/{position}"] = output
            print(name, variant, len(data))
    save_file(tensors, path, metadata={"torch": torch.__version__, "onnxruntime": onnxruntime.__version__})
    print(os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main(sys.argv[1])
