# SPDX-License-Identifier: Apache-2.0
"""Architecture `prior`: files, the network in integers beside PyTorch's, pooled starts."""
import numpy as np
import pytest
import torch

from fmc_train import fmcw, prior, prior_net, prior_watch


def neutral(layers):
    start, seen = prior.neutral_counters()
    mix, mix_seen = prior.neutral_mix()
    return prior.build(layers, start, seen, mix, mix_seen, {"note": "test"})


def test_file_and_integers_equal_pytorch():
    torch.manual_seed(3)
    net = prior_net.Net(32, 16)
    with torch.no_grad():
        net.b[0].normal_(0, 0.5)
    model = fmcw.read(fmcw.write(neutral(net.layers())))
    net = prior_net.Net.from_layers([(w, b, s) for w, b, s in net.layers()])
    net.quantised = True
    rng = np.random.default_rng(0)
    x = rng.integers(-511, 512, (50, prior.FEATURES))
    place = rng.integers(0, prior.PLACES, 50)
    with torch.no_grad():
        logit = net(torch.tensor(x).float() / 64, torch.tensor(place)).numpy() * 256
    for i in range(50):
        assert np.abs(np.clip(logit[i], -2047, 2047) - prior.ask(model, x[i], place[i])).max() <= 1


def test_values_out_of_range_are_refused():
    layers = prior_net.Net(16, 16).layers()
    layers[1] = (layers[1][0], layers[1][1] + 2 ** 22, layers[1][2])
    with pytest.raises(fmcw.BadModel):
        fmcw.write(neutral(layers))


def test_bits_of_a_sure_network_are_few():
    logit = torch.full((1, 16), -9.0)
    assert float(prior_net.bits(logit, torch.tensor([0]))) < 0.01
    assert float(prior_net.bits(logit, torch.tensor([2]))) > 10


def test_pool_keeps_what_was_not_seen_and_learns_the_rest(tmp_path):
    states = np.zeros(5, prior_watch.STATE)
    at = sum(n for name, n in list(prior.COUNTERS.items())[:list(prior.COUNTERS).index("trellis/energy")])
    states["counter"][:, at] = 0xC000 << 16 | 100
    states.tofile(tmp_path / "states")
    start, seen = prior.neutral_counters()
    got, got_seen, mix, _ = prior_watch.pool(tmp_path / "states", start, seen, *prior.neutral_mix())
    name = "trellis/energy"
    assert abs(int(got[name][0]) - 0xC000) < 4 and got_seen[name][0] == 40
    assert got[name][1] == start[name][1] and (got["energy"] == start["energy"]).all() and (mix == prior.neutral_mix()[0]).all()
