"""One step of SGD with momentum on random images in PyTorch: forward, backward, update."""
import measure

given = measure.options(__doc__, net="resnet20", batch=128, format=["channels_last", "contiguous"])

import torch

import nets

torch.set_num_threads(given.threads)
layout = torch.channels_last if given.format == "channels_last" else torch.contiguous_format
net = nets.build(given.net).train().to(memory_format=layout)
x, y = torch.randn(given.batch, 3, 32, 32).to(memory_format=layout), torch.arange(given.batch) % 10
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)


def step():
    optimizer.zero_grad(set_to_none=True)
    torch.nn.functional.cross_entropy(net(x), y).backward()
    optimizer.step()


times = measure.calls(step, given.reps or 12, warm=3, seconds=60)
measure.line(
    given, "train_step", net=given.net, batch=given.batch, engine=f"torch {given.format}", params=nets.parameter_count(net),
    img_s=1e3 * given.batch / times["ms"], **times)
