"""Scores of every layer by imprinting, in PyTorch on Fashion-MNIST: ours is mr.lwiq.score.

Behind every ReLU: the mean over d×d fields, d = √(512 / C), brought to length 1. The mean of each class over the first
half of the images classifies the second half; the share that it gets right is the layer's score.
"""
import measure

given = measure.options(__doc__, net="resnet56", batch=128, images=2560, format=["channels_last", "contiguous"])

import gzip
import pathlib

import numpy as np
import torch
from torch.nn import functional as F

import nets

torch.set_num_threads(given.threads)
layout = torch.channels_last if given.format == "channels_last" else torch.contiguous_format
DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")


def read(kind, header, bytes_each):
    if not DATA.is_dir():
        raise SystemExit(f"no {DATA}: sudo apt-get install dataset-fashion-mnist")
    with gzip.open(DATA / f"train-{kind}-ubyte.gz") as file:
        return torch.from_numpy(np.frombuffer(file.read(header + bytes_each * given.images), np.uint8, offset=header).copy())


# Two black pixels around, and the channel three times.
pixels = F.pad(read("images-idx3", 16, 28 * 28).reshape(-1, 1, 28, 28).float() / 255, (2, 2, 2, 2))
images, labels = ((pixels - 0.286) / 0.353).expand(-1, 3, -1, -1).contiguous(), read("labels-idx1", 8, 1).long()
net, half = nets.build(given.net).eval().to(memory_format=layout), given.images // 2
taps = [module for module in net.modules() if isinstance(module, torch.nn.ReLU)]


def embedding(y):
    side = max(1, round((512 / y.shape[1]) ** 0.5))
    return F.normalize(F.adaptive_avg_pool2d(y, side).flatten(1), dim=1)


def accuracy(embeddings):
    embeddings = torch.cat(embeddings)
    means = torch.zeros(10, embeddings.shape[1]).index_add_(0, labels[:half], embeddings[:half])
    found = (embeddings[half:] @ F.normalize(means, dim=1).T).argmax(1)
    return (found == labels[half:]).float().mean().item()


@torch.inference_mode()
def score():
    kept = [[] for _ in taps]
    hooks = [
        tap.register_forward_hook(lambda _, __, y, own=own: own.append(embedding(y))) for tap, own in zip(taps, kept)]
    for start in range(0, given.images, given.batch):
        net(images[start : start + given.batch].contiguous(memory_format=layout))
    for hook in hooks:
        hook.remove()
    return [accuracy(own) for own in kept]


times = measure.calls(score, given.reps or 3, warm=1)
scores = score()
measure.line(
    given, "imprint", net=given.net, batch=given.batch, images=given.images, engine=f"torch {given.format}", layers=len(taps),
    img_s=1e3 * given.images / times["ms"], acc_first=scores[0], acc_last=scores[-1], **times)
