"""The methods beside this file by the names that commands take."""
import importlib
import importlib.util

METHODS = {
    "svd": ("uniform_svd", "UniformSVD"), "balf": ("balf", "BALF"), "alds": ("alds", "ALDS"),
    "tucker": ("tucker_vbmf", "TuckerVBMF"), "cp": ("cp", "CP"), "pruning": ("pruning", "Pruning"),
}


def kind_of(name):
    """The class of a method."""
    if name not in METHODS:
        raise SystemExit(f"unknown method '{name}'; there are {', '.join(METHODS)}")
    module, kind = METHODS[name]
    return getattr(importlib.import_module(module), kind)


def missing_packages(kind):
    """What a method needs beyond PyTorch and this Python lacks."""
    return [package for package in kind.packages if importlib.util.find_spec(package) is None]
