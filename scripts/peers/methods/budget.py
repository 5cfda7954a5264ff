"""How every method comes to a budget: its own knob, from 0 (smallest) to 1, is bisected for the largest model within."""


class DoesNotFit(Exception):
    """Even the smallest model of a method is above the budget; `least` is the share that it keeps."""

    def __init__(self, least):
        super().__init__(f"the least that this method keeps is {100 * least:.1f} %")
        self.least = least


def largest(share_of, limit, steps):
    """The largest knob whose share of the dense model's cost is at most `limit`.

    share_of: a function of the knob to a share, which does not fall while the knob rises.
    """
    least = share_of(0.0)
    if least > limit:
        raise DoesNotFit(least)
    if share_of(1.0) <= limit:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(steps):
        middle = (low + high) / 2
        if share_of(middle) <= limit:
            low = middle
        else:
            high = middle
    return low


class Factorized:
    """What the methods that factor each layer for itself have in common.

    A method of this kind says `choose(knob, kind)`, ranks by the layers' names where layers without one stay whole;
    `chain_cost(layer, rank)`; and `chain(layer, rank)`, the modules in the layer's place. `kind` is "params" or "macs",
    what the budget counts.
    """

    steps = 40

    def __init__(self, network, seed):
        self.network, self.seed = network, seed
        self.by_name = {layer.name: layer for layer in network.layers}

    def share(self, ranks, kind):
        """The share of the dense network's cost that is kept."""
        dense = getattr(self.network.cost, kind)
        saved = 0
        for name, rank in ranks.items():
            layer = self.by_name[name]
            saved += getattr(layer.cost, kind) - getattr(self.chain_cost(layer, rank), kind)
        return 1 - saved / dense

    def is_smaller(self, layer, rank, kind):
        """Whether a chain saves anything of what the budget counts."""
        return getattr(self.chain_cost(layer, rank), kind) < getattr(layer.cost, kind)

    def build(self, ranks):
        return self.network.replaced({name: self.chain(self.by_name[name], rank) for name, rank in ranks.items()})

    def within(self, kind, limit):
        """The network cut to at most `limit` of the dense one's cost, and the ranks in words."""
        knob = largest(lambda knob: self.share(self.choose(knob, kind), kind), limit, self.steps)
        ranks = self.choose(knob, kind)
        return self.build(ranks), {name: str(rank) for name, rank in ranks.items()}
