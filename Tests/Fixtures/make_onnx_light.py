"""Some of the well-known networks that come with ONNX, with their weights left out (`light`): for their structure.

    python make_onnx_light.py onnx_light.safetensors

Needs the pip packages onnx and safetensors. A network NAME is NAME/model, the file's bytes.
"""
import os
import sys

import numpy as np
import onnx
from safetensors.numpy import save_file

root = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data", "light")
tensors = {}
for name in ["resnet50", "squeezenet", "shufflenet", "bvlc_alexnet"]:
    tensors[f"{name}/model"] = np.fromfile(os.path.join(root, f"light_{name}.onnx"), dtype=np.uint8)
save_file(tensors, sys.argv[1], metadata={"onnx": onnx.__version__})
