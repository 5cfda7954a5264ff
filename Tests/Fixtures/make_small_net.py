"""Golden values of one small CNN's training steps by PyTorch.

Command:   python make_small_net.py      (writes small_net.safetensors beside this file)
Versions:  Python 3.11, torch 2.15.0 (CPU), safetensors 0.8.0

The net, for images 3×9×11, batch 5, 4 classes:
    conv1   3→8, 3×3, stride 2, padding 1, bias          9×11 → 5×6
    bn1, ReLU
    conv2   8→8 depthwise (groups 8), 3×3, padding 1, no bias
    bn2, ReLU
    maxpool 2×2, stride 2                                5×6 → 2×3
    conv3   8→6, 1×1, groups 2, bias
    global average pool, flatten
    fc      6→4, bias
    cross-entropy with label smoothing 0.1, mean over the batch

Keys:
    inputs, labels                      the batch
    initial/KEY                         state dict before any step (conv1.weight, bn1.running_mean, …)
    logits, loss                        forward pass in training mode from the initial state
    gradients/KEY, gradients/inputs     of the loss
    sgd1/KEY, sgd2/KEY                  state dict after one and after two SGD steps on the same batch
    sgd2/loss                           the loss before the second step
    momentum/KEY                        SGD's momentum buffers after the second step
    eval_logits                         logits in evaluation mode after the first SGD step
    adam1/KEY                           state dict after one Adam step from the initial state
    adam2/KEY                           and after two (so that bias correction shows)
conv1.bias feeds batch normalisation, which removes it: its gradient is rounding noise around 0. Compare it absolutely,
and leave adam1/conv1.bias and adam2/conv1.bias out: Adam divides that noise by its own size.
Metadata "attributes" (JSON) holds the hyperparameters.
"""

import copy
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

SGD = dict(lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=False)
ADAM = dict(lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
SMOOTHING = 0.1


class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.conv3 = nn.Conv2d(8, 6, 1, groups=2)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        x = self.conv3(torch.max_pool2d(x, 2))
        return self.fc(x.mean(dim=(2, 3)))


def state(net, prefix):
    # num_batches_tracked counts steps for a mode we do not use.
    return {f"{prefix}/{k}": v.clone() for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}


def step(net, optimizer, inputs, labels):
    optimizer.zero_grad()
    logits = net(inputs)
    loss = nn.functional.cross_entropy(logits, labels, label_smoothing=SMOOTHING)
    loss.backward()
    optimizer.step()
    return logits.detach().clone(), loss.detach().reshape(1).clone()


def main():
    torch.manual_seed(20240802)
    torch.set_num_threads(1)
    initial = SmallNet()
    with torch.no_grad():  # scales and shifts other than 1 and 0, so that a mix-up shows
        for bn in (initial.bn1, initial.bn2):
            bn.weight.uniform_(0.5, 1.5)
            bn.bias.uniform_(-0.3, 0.3)
            bn.running_mean.uniform_(-0.2, 0.2)
            bn.running_var.uniform_(0.5, 1.5)
    inputs = torch.randn(5, 3, 9, 11)
    labels = torch.tensor([0, 3, 1, 2, 3])
    tensors = {"inputs": inputs.clone(), "labels": labels} | state(initial, "initial")

    net = copy.deepcopy(initial).train()
    optimizer = torch.optim.SGD(net.parameters(), **SGD)
    watched = inputs.clone().requires_grad_()
    tensors["logits"], tensors["loss"] = step(net, optimizer, watched, labels)
    tensors |= {f"gradients/{k}": p.grad.clone() for k, p in net.named_parameters()}
    tensors["gradients/inputs"] = watched.grad.clone()
    tensors |= state(net, "sgd1")
    with torch.no_grad():
        tensors["eval_logits"] = net.eval()(inputs)
    net.train()
    _, tensors["sgd2/loss"] = step(net, optimizer, inputs, labels)
    tensors |= state(net, "sgd2")
    tensors |= {f"momentum/{k}": optimizer.state[p]["momentum_buffer"].clone() for k, p in net.named_parameters()}

    net = copy.deepcopy(initial).train()
    optimizer = torch.optim.Adam(net.parameters(), **ADAM)
    for name in ("adam1", "adam2"):
        step(net, optimizer, inputs, labels)
        tensors |= state(net, name)

    attributes = dict(sgd=SGD, adam=ADAM, label_smoothing=SMOOTHING, bn_epsilon=1e-5, bn_momentum=0.1)
    path = pathlib.Path(__file__).with_name("small_net.safetensors")
    save_file({k: v.contiguous() for k, v in tensors.items()}, path, metadata={"attributes": json.dumps(attributes)})


main()
