"""Golden values of single operations, forward and backward, by PyTorch.

Command:   python make_operations.py      (writes operations.safetensors beside this file)
Versions:  Python 3.11, torch 2.15.0 (CPU), safetensors 0.8.0

Every case NAME has its inputs (NAME/x, /w, /b, …), the output NAME/y, an upstream gradient NAME/dy, and the gradient
of every float input (NAME/dx, /dw, /db, …). Metadata "attributes" is a JSON object: NAME → the operation and its
attributes. Padding is [top, left, bottom, right].
"""

import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

tensors, attributes = {}, {}


def record(name, operation, inputs, function, constants=None, **attribute):
    """Runs `function` on `inputs` (differentiable) and `constants`, and stores everything."""
    constants = constants or {}
    leaves = {k: v.clone().requires_grad_() for k, v in inputs.items()}
    y = function(**leaves, **constants)
    dy = torch.randn_like(y)
    gradients = torch.autograd.grad(y, list(leaves.values()), dy)
    values = {k: v.detach() for k, v in leaves.items()} | constants | {"y": y.detach(), "dy": dy}
    values |= {"d" + k: g for k, g in zip(leaves, gradients)}
    # A scalar becomes [1]: the format's rank 0 is not worth a special case in readers.
    tensors.update({f"{name}/{k}": (v.reshape(1) if v.dim() == 0 else v).clone().contiguous() for k, v in values.items()})
    attributes[name] = {"operation": operation} | attribute


def convolution(name, x, w, bias=False, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1):
    inputs = {"x": torch.randn(x), "w": torch.randn(w)} | ({"b": torch.randn(w[0])} if bias else {})
    top, left, bottom, right = padding

    def run(x, w, b=None):
        return F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, stride, 0, dilation, groups)

    record(name, "conv2d", inputs, run, stride=stride, padding=padding, dilation=dilation, groups=groups)


def convolutions():
    convolution("conv2d_plain", [2, 3, 6, 7], [4, 3, 3, 3])
    convolution("conv2d_bias_padding", [2, 5, 6, 7], [4, 5, 3, 3], bias=True, padding=(1, 1, 1, 1))
    # 8 rows under stride 2 and kernel 3 without padding leave a last row that no window reaches.
    convolution("conv2d_stride2_cut", [2, 3, 8, 10], [5, 3, 3, 3], bias=True, stride=(2, 2))
    convolution("conv2d_stride2_dilated", [2, 4, 11, 12], [6, 4, 3, 3], stride=(2, 2), padding=(2, 2, 2, 2), dilation=(2, 2))
    convolution("conv2d_asymmetric", [2, 3, 7, 6], [4, 3, 3, 2], bias=True, stride=(2, 1), padding=(0, 1, 2, 0), dilation=(1, 2))
    convolution("conv2d_groups", [2, 6, 5, 7], [4, 3, 3, 3], bias=True, padding=(1, 1, 1, 1), groups=2)
    convolution("conv2d_depthwise", [2, 7, 6, 5], [7, 1, 3, 3], bias=True, stride=(2, 2), padding=(1, 1, 1, 1), groups=7)
    convolution("conv2d_depthwise_multiplier", [2, 3, 6, 5], [6, 1, 3, 3], padding=(1, 1, 1, 1), groups=3)
    convolution("conv2d_rows_only", [2, 4, 7, 5], [3, 4, 3, 1], stride=(2, 1), padding=(1, 0, 1, 0))
    convolution("conv2d_stride_above_kernel", [1, 3, 9, 9], [2, 3, 2, 2], stride=(3, 4))
    convolution("conv2d_point", [1, 17, 4, 4], [33, 17, 1, 1], bias=True)


def poolings():
    for name, counts in (("avg_pool2d_counting_padding", True), ("avg_pool2d_without_padding", False)):
        record(
            name, "avg_pool2d", {"x": torch.randn(2, 5, 7, 8)},
            lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=counts),
            window=[3, 3], stride=[2, 2], padding=[1, 1, 1, 1], count_include_pad=counts)
    record(
        "max_pool2d_padding", "max_pool2d", {"x": torch.randn(2, 5, 7, 8)}, lambda x: F.max_pool2d(x, 3, 2, 1),
        window=[3, 3], stride=[2, 2], padding=[1, 1, 1, 1])
    record(
        "max_pool2d_cut", "max_pool2d", {"x": torch.randn(2, 3, 5, 7)}, lambda x: F.max_pool2d(x, 2),
        window=[2, 2], stride=[2, 2], padding=[0, 0, 0, 0])
    for size, target in ((7, 3), (5, 1)):
        record(
            f"adaptive_avg_pool2d_{size}_to_{target}", "adaptive_avg_pool2d", {"x": torch.randn(2, 4, size, size)},
            lambda x: F.adaptive_avg_pool2d(x, target), output=[target, target])


def losses():
    record("log_softmax", "log_softmax", {"x": 3 * torch.randn(5, 7)}, lambda x: F.log_softmax(x, 1))
    labels = {"labels": torch.tensor([0, 6, 3, 3, 1])}
    for smoothing in (0.0, 0.1):
        record(
            "cross_entropy" + ("_smoothing" if smoothing else ""), "cross_entropy", {"x": 3 * torch.randn(5, 7)},
            lambda x, labels: F.cross_entropy(x, labels, label_smoothing=smoothing), labels, label_smoothing=smoothing)
    temperature = 3.0

    def distillation(x, teacher):
        student = F.log_softmax(x / temperature, 1)
        target = F.log_softmax(teacher / temperature, 1)
        return F.kl_div(student, target, reduction="batchmean", log_target=True) * temperature**2

    record(
        "kl_div", "kl_div", {"x": 3 * torch.randn(5, 7)}, distillation, {"teacher": 3 * torch.randn(5, 7)},
        temperature=temperature, reduction="batchmean", log_target=True,
        formula="T^2 / N * sum p_T(teacher) * (log p_T(teacher) - log p_T(x)), p_T = softmax(. / T)")


def normalizations():
    for training in (True, False):
        channels = 5
        statistics = {"mean": torch.randn(channels), "variance": torch.rand(channels) + 0.5}
        after = {k: v.clone() for k, v in statistics.items()}

        def run(x, w, b, mean, variance):
            return F.batch_norm(x, after["mean"], after["variance"], w, b, training=training, momentum=0.1, eps=1e-5)

        name = "batch_norm_train" if training else "batch_norm_eval"
        inputs = {"x": 2 * torch.randn(3, channels, 4, 6) + 0.7, "w": torch.randn(channels), "b": torch.randn(channels)}
        record(name, "batch_norm", inputs, run, statistics, training=training, momentum=0.1, epsilon=1e-5)
        tensors.update({f"{name}/{k}_after": v for k, v in after.items()})


def main():
    torch.manual_seed(20240803)
    torch.set_num_threads(1)
    convolutions()
    poolings()
    losses()
    normalizations()
    path = pathlib.Path(__file__).with_name("operations.safetensors")
    save_file(tensors, path, metadata={"attributes": json.dumps(attributes)})


main()
