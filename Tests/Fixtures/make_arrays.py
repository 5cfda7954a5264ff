#!/usr/bin/env python3
"""Arrays and pictures as other software writes them, for the readers of npz and PNG, and a resized picture.

Command:   python make_arrays.py      (writes arrays.npz, arrays_deflated.npz, picture.png, pictures.npz)
Versions:  Python 3.11, numpy 2, torch 2.15.0 (CPU)

arrays*.npz     a: float32 [2, 3], b: int64 [4], c: bool [2], f: float64 [2, 3] in Fortran's order, s: a uint8 scalar
pictures.npz    rgb: the pixels of picture.png, uint8 [3, 9, 13]; resized: the same brought to 5×6 by torch's bilinear
                interpolation with antialiasing, float32; enlarged: to 20×17
"""
import os
import struct
import zlib

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(HERE, name)


def png(pixels):
    """RGB, 8 bits, every row with filter 2 (up), so that filters are tested."""
    h, w, _ = pixels.shape
    rows, last = b"", np.zeros((w, 3), np.uint8)
    for row in pixels:
        rows += b"\2" + (row - last).astype(np.uint8).tobytes()
        last = row

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


arrays = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3) / 4, "b": np.array([1, -2, 3, 1 << 40]), "c": np.array([True, False]),
    "f": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)), "s": np.array(7, dtype=np.uint8),
}
np.savez(path("arrays.npz"), **arrays)
np.savez_compressed(path("arrays_deflated.npz"), **arrays)

y, x = np.mgrid[0:9, 0:13]
rgb = np.stack([20 * x, 28 * y, 255 - 10 * x - 12 * y], 2).astype(np.uint8)
with open(path("picture.png"), "wb") as file:
    file.write(png(rgb))
planes = torch.from_numpy(rgb.transpose(2, 0, 1).copy())
resize = lambda size: F.interpolate(planes[None].float(), size, mode="bilinear", antialias=True)[0].numpy()
np.savez(path("pictures.npz"), rgb=planes.numpy(), resized=resize((5, 6)), enlarged=resize((20, 17)))
