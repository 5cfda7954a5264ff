"""Pictures of every kind with the pixels that Pillow and torchvision read, as picture_kinds.npz.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 pillow==13.0.0 torch==2.15.0 torchvision==0.29.2
    venv/bin/python make_picture_kinds.py

For every kind the archive holds the bytes of the file (NAME) and the pixels as [3, H, W] (NAME.pixels): those of torchvision's
ImageFolder, which opens with Pillow and calls convert("RGB"), and of torchvision's own decoder, of 16 bits the upper eight.
"""
import io
import os
import struct
import zlib

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.datasets.folder import pil_loader

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(5)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(samples, bits, colour, before=b"", interlace=False):
    """A PNG of samples [H, W, channels]; `before` are chunks that stand before the pixels."""
    h, w, c = samples.shape
    def rows(part):
        out = b""
        for row in part:
            flat = row.reshape(-1)
            if bits == 16:
                data = flat.astype(">u2").tobytes()
            elif bits == 8:
                data = flat.astype(np.uint8).tobytes()
            else:
                per = 8 // bits
                padded = np.concatenate([flat, np.zeros(-len(flat) % per, flat.dtype)]).reshape(-1, per)
                data = bytes(int(sum(int(v) << (8 - bits * (i + 1)) for i, v in enumerate(group))) for group in padded)
            out += b"\0" + data
        return out
    if interlace:
        raw = b""
        for y0, x0, dy, dx in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]:
            part = samples[y0::dy, x0::dx]
            if part.size:
                raw += rows(part)
    else:
        raw = rows(samples)
    header = struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, int(interlace))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def draw(channels, bits, h=7, w=9):
    return rng.integers(0, 1 << bits, (h, w, channels))


kinds = {}
for bits in (1, 2, 4, 8, 16):
    kinds[f"grey{bits}.png"] = png(draw(1, bits), bits, 0)
for bits in (8, 16):
    kinds[f"rgb{bits}.png"] = png(draw(3, bits), bits, 2)
    kinds[f"grey_alpha{bits}.png"] = png(draw(2, bits), bits, 4)
    kinds[f"rgb_alpha{bits}.png"] = png(draw(4, bits), bits, 6)
    kinds[f"rgb{bits}_interlaced.png"] = png(draw(3, bits), bits, 2, interlace=True)
    for gamma in (45455, 100000):
        kinds[f"grey{bits}_gamma{gamma}.png"] = png(draw(1, bits), bits, 0, chunk(b"gAMA", struct.pack(">I", gamma)))
        kinds[f"rgb{bits}_gamma{gamma}.png"] = png(draw(3, bits), bits, 2, chunk(b"gAMA", struct.pack(">I", gamma)))
    kinds[f"rgb{bits}_srgb.png"] = png(draw(3, bits), bits, 2, chunk(b"sRGB", b"\0"))
for bits in (1, 2, 4, 8):
    colours = chunk(b"PLTE", rng.integers(0, 256, 3 << bits).astype(np.uint8).tobytes())
    kinds[f"palette{bits}.png"] = png(draw(1, bits), bits, 3, colours)
    clear = chunk(b"tRNS", rng.integers(0, 256, 1 << bits).astype(np.uint8).tobytes())
    kinds[f"palette{bits}_alpha.png"] = png(draw(1, bits), bits, 3, colours + clear)
kinds["palette_gamma.png"] = png(draw(1, 4), 4, 3, chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"PLTE", bytes(range(48))))
kinds["grey_key.png"] = png(draw(1, 8), 8, 0, chunk(b"tRNS", b"\0\x07"))
kinds["grey16_key.png"] = png(draw(1, 16), 16, 0, chunk(b"tRNS", b"\x01\x07"))
kinds["rgb_key.png"] = png(draw(3, 8), 8, 2, chunk(b"tRNS", b"\0\1\0\2\0\3"))

y, x = np.mgrid[0:24, 0:32]
smooth = np.stack([7 * x, 10 * y, 128 + 0 * x], -1).astype(np.uint8)


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def without_segment(data, marker):
    """The file without its segments of one marker."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = struct.unpack(">H", data[at + 2 : at + 4])[0]
        if data[at + 1] != marker:
            out += data[at : at + 2 + length]
        at += 2 + length
    return out + data[at:]


rgb = Image.fromarray(smooth)
inks = Image.fromarray(np.concatenate([smooth, 8 * y.astype(np.uint8)[..., None]], -1), "CMYK")
kinds["plain.jpg"] = jpeg(rgb, quality=90)
kinds["full_chroma.jpg"] = jpeg(rgb, quality=90, subsampling=0)
kinds["half_chroma.jpg"] = jpeg(rgb, quality=90, subsampling=1)
kinds["progressive.jpg"] = jpeg(rgb, quality=90, progressive=True)
kinds["restarts.jpg"] = jpeg(rgb, quality=90, restart_marker_blocks=2)
kinds["kept_rgb.jpg"] = jpeg(rgb, quality=90, keep_rgb=True)
kinds["grey.jpg"] = jpeg(rgb.convert("L"), quality=90)
kinds["cmyk.jpg"] = jpeg(inks, quality=90)
kinds["cmyk_without_adobe.jpg"] = without_segment(kinds["cmyk.jpg"], 0xEE)
# The Adobe segment ends with the transform: 2 says YCCK.
adobe = kinds["cmyk.jpg"].index(b"Adobe") + 11
kinds["ycck.jpg"] = kinds["cmyk.jpg"][:adobe] + b"\2" + kinds["cmyk.jpg"][adobe + 1 :]
exif = Image.Exif()
exif[0x0112] = 6
kinds["turned.jpg"] = jpeg(rgb, quality=90, exif=exif)
kinds["stray_zeros.jpg"] = kinds["plain.jpg"][:-2] + bytes(256) + kinds["plain.jpg"][-2:]
kinds["stray_ones.jpg"] = kinds["plain.jpg"][:-2] + b"\x55" * 3 + kinds["plain.jpg"][-2:]
table = kinds["plain.jpg"].index(b"\xff\xc4")
kinds["stray_between_segments.jpg"] = kinds["plain.jpg"][:table] + b"\1\2\3" + kinds["plain.jpg"][table:]
kinds["behind_the_end.jpg"] = kinds["plain.jpg"] + b"more of the camera's"

arrays = {}
for name, data in kinds.items():
    path = "/tmp/" + name
    with open(path, "wb") as file:
        file.write(data)
    pixels = np.asarray(pil_loader(path)).transpose(2, 0, 1)
    os.remove(path)
    own = torchvision.io.decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), torchvision.io.ImageReadMode.RGB).numpy()
    if own.dtype == np.uint16:
        own = (own >> 8).astype(np.uint8)
    # Pillow cuts 16-bit grey off at 255, white nearly everywhere; there torchvision's decoder, which keeps 16 bits, is right.
    if name.startswith("grey16"):
        pixels = own
    assert np.array_equal(own, pixels), name
    arrays[name] = np.frombuffer(data, np.uint8)
    arrays[name + ".pixels"] = np.ascontiguousarray(pixels)
np.savez_compressed(os.path.join(HERE, "picture_kinds.npz"), **arrays)
print(len(kinds), "kinds")
