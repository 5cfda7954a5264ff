"""Inference of a batch of random images in PyTorch or ONNX Runtime."""
import measure

given = measure.options(__doc__, net="resnet20", batch=1, engine=measure.engines)

import torch

import nets

torch.set_num_threads(given.threads)
net, x = nets.build(given.net), torch.randn(given.batch, 3, 32, 32)
run = measure.inference_call(net, x, given.engine, given.threads)
times = measure.calls(run, given.reps or (200 if given.batch == 1 else 15), warm=8)
measure.line(
    given, "infer", net=given.net, batch=given.batch, engine=given.engine, params=nets.parameter_count(net),
    img_s=1e3 * given.batch / times["ms"], **times)
