# SPDX-License-Identifier: Apache-2.0
"""Fast checks of models, export and the integer definition. python -m pytest weights/train/tests"""
import struct

import numpy as np
import pytest
import torch

from fmc_train import ablation, data, encode, finetune, fmcw, importer, integer, profile, tables, tiny, vectors
from fmc_train.export import export
from fmc_train.likelihood import bits, index_of
from fmc_train.solvers import FAMILIES
from fmc_train.train import exact_arithmetic, loss_of
from fmc_train.vae import Config, Vae, pad_to_patches
from fmc_train.xxh64 import xxh64


SMALL = {"hyper": 16, "widths": (4, 8, 12, 16), "blocks": 2}


def fields(count, seed=0):
    return tiny.random_fields(count, seed)


def small(variant="klt", **more):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    exact_arithmetic()
    linear = 0 if variant == "faithful" or more.get("use_hyper") is False else 24
    model = Vae(Config(variant=variant, stem="folded" if variant == "klt" else "full", hyper_linear=linear, **SMALL, **more))
    model.start(fields(12))
    return model


@pytest.fixture(scope="module", params=["klt", "faithful"])
def quantised(request):
    torch.set_num_threads(1)
    model = tiny.quantised(request.param)
    return model, fmcw.write(export(model, {"test": True}))


@pytest.mark.parametrize("variant", ["klt", "faithful"])
@pytest.mark.parametrize("shape", [(8, 64, 64), (16, 48, 80), (4, 16, 32), (32, 32, 16)])
def test_decoded_field_has_the_shape_of_the_input(variant, shape):
    model = small(variant)
    x = torch.randn(2, 1, *shape)
    decoded, y_bits, z_bits = model(x, torch.tensor([0, 7]))
    assert decoded.shape == x.shape and y_bits.shape == z_bits.shape == (2,)


def test_any_size_is_padded_to_whole_patches():
    x = torch.randn(1, 1, 5, 33, 17)
    padded = pad_to_patches(x)
    assert padded.shape == (1, 1, 8, 48, 32)
    assert torch.equal(padded[:, :, :5, :33, :17], x) and torch.equal(padded[:, :, 7, 40, 20], x[:, :, 4, 32, 16])


@pytest.mark.parametrize("more", [{"dims": (2, 2, 2, 2)}, {"dims": (3, 3, 3, 3)}, {"up": "transposed"},
                                  {"use_hyper": False}])
def test_ablations_run_and_have_gradients(more):
    model = small("klt", **more)
    loss, _ = loss_of(model, fields(2), torch.tensor([1, 6]))
    loss.backward()
    assert torch.isfinite(loss)


def test_klt_variant_starts_as_the_linear_codec():
    model = small("klt")
    x = fields(1)
    y = model.latents(x)
    p = x.reshape(2, 4, 4, 16, 4, 16).permute(0, 2, 4, 1, 3, 5).reshape(2, 4, 4, 1024)
    linear = torch.einsum("thwp,cp->cthw", p, model.basis)
    assert torch.allclose(y[0], linear, atol=1e-4)
    decoded, _, _ = model(x, torch.tensor([7]))
    projected = torch.einsum("cthw,cp->thwp", linear, model.basis).reshape(2, 4, 4, 4, 16, 16).permute(0, 3, 1, 4, 2, 5)
    assert (decoded[0, 0] - projected.reshape(8, 64, 64)).pow(2).mean().sqrt() < 0.15


@pytest.mark.parametrize("shape", [(8, 64, 64), (4, 80, 112), (12, 16, 48)])
@pytest.mark.parametrize("level", [0, 7])
def test_integer_forward_equals_quantised_training_forward(quantised, shape, level):
    model, raw = quantised
    read = fmcw.read(raw)
    captured = {}
    for name, net in (("hyper", model.hyper), ("synthesis", model.synthesis)):
        net.register_forward_hook(lambda _, args, out, name=name: captured.__setitem__(name, (args[0][0], out)))
    x = torch.from_numpy(np.random.default_rng(level).standard_normal((1, 1) + shape).astype(np.float32)).cumsum(3) / 4
    with torch.no_grad():
        model(x, torch.tensor([level]))
    for name, scales in (("hyper", (16, 1)), ("synthesis", (4096,))):
        given, outputs = captured[name]
        got = integer.run(read, name, np.round(given[0].double().numpy() * 16).astype(np.int64), level)
        for a, b, s in zip(got, outputs, scales):
            assert np.array_equal(a, np.round(b[0].double().numpy() * s).astype(np.int64)), name
        model.hyper._forward_hooks.clear(), model.synthesis._forward_hooks.clear()


def test_integer_forward_is_used_at_its_full_range(quantised):
    """Huge symbols clamp as defined and pass no budget: the assertions inside integer.run hold."""
    _, raw = quantised
    read = fmcw.read(raw)
    for extreme in (-100000, 100000):
        z = np.full((read.numbers["hyper"], 1, 1, 2), extreme)
        y = np.full((read.numbers["latent"], 1, 3, 5), -extreme)
        mu, scale, x = integer.decode(read, z, y, 7)
        assert x.shape == (1, 4, 48, 80) and 0 <= scale.min() and scale.max() <= 63


def test_parameters_of_a_symbol_do_not_depend_on_latents(quantised):
    """No context leak: mean and scale follow from hyper-latents alone, whatever the latents are."""
    _, raw = quantised
    read = fmcw.read(raw)
    rng = np.random.default_rng(0)
    z, y = vectors.symbols(read, rng, (2, 4, 4), 1)
    mu, scale, _ = integer.decode(read, z, y, 3)
    other = y + rng.integers(-5, 6, y.shape)
    mu2, scale2, _ = integer.decode(read, z, other, 3)
    assert np.array_equal(mu, mu2) and np.array_equal(scale, scale2)


def test_padding_of_the_hyper_grid_is_cut_off(quantised):
    _, raw = quantised
    read = fmcw.read(raw)
    z = np.zeros((read.numbers["hyper"], 1, 2, 2), np.int64)
    y = np.zeros((read.numbers["latent"], 1, 5, 7), np.int64)
    mu, scale, x = integer.decode(read, z, y, 0)
    assert mu.shape == scale.shape == y.shape and x.shape == (1, 4, 80, 112)


def test_reference_encoder_agrees_with_the_model(quantised):
    model, raw = quantised
    read = fmcw.read(raw)
    x = fields(1, seed=9)
    z, y = encode.symbols(read, x[0, 0].numpy(), 5)
    decoded = integer.decode(read, z, y, 5)[2] / 4096
    with torch.no_grad():
        want, _, _ = model(x, torch.tensor([5]))
    difference = float(np.sqrt(np.mean((decoded[0] - want[0, 0].numpy()) ** 2)))
    assert difference < 0.10 * float(want.std())         # half-precision analysis weights move few symbols


def test_files_that_break_a_rule_are_refused(quantised):
    _, raw = quantised
    read = fmcw.read(raw)

    def refused(change, why):
        arrays = dict(read.arrays)
        change(arrays)
        with pytest.raises(fmcw.BadModel, match=why):
            fmcw.write(fmcw.Model(read.architecture, read.numbers, read.programs, arrays, {}))

    def edit(name, index, value):
        def change(arrays):
            arrays[name] = arrays[name].copy()
            arrays[name].flat[index] = value
        return change

    first = next(n for n in read.arrays if n.startswith("synthesis/d0") and n.endswith("/w"))
    refused(edit(first, 0, -128), "-128")
    refused(edit(first[:-2] + "/shift", 0, 23), "shift")
    refused(edit(first[:-2] + "/bias", 0, 1 << 23), "2\\^23")
    refused(edit("gauss/frequency", 0, 1), "tables: sum")
    refused(edit("hyper/scale", 0, 64), "hyper/scale")
    refused(edit("gain/latent", 0, np.nan), "gain/latent")
    refused(lambda arrays: arrays.pop("gain/latent"), "gain/latent")

    def shape(arrays):
        arrays[first] = arrays[first][:-1]
    refused(shape, "shape")


def test_every_damaged_byte_of_the_head_is_noticed(quantised):
    _, raw = quantised
    for at in range(64):
        damaged = bytearray(raw)
        damaged[at] ^= 1
        with pytest.raises(fmcw.BadModel):
            fmcw.read(bytes(damaged))
    for size in (0, 3, 63, len(raw) - 1):
        with pytest.raises(fmcw.BadModel):
            fmcw.read(raw[:size])


def test_hash_is_xxh64():
    assert xxh64(b"") == 0xEF46DB3751D8E999 and xxh64(b"abc") == 0x44BC2CF5AD770999
    assert xxh64(bytes(range(101))) == xxh64(bytearray(range(101)))


def test_tables_sum_and_cost_what_training_believes():
    count, frequency, escape = tables.tables()
    start = 0
    for k in range(64):
        f = frequency[start:start + count[k]].astype(np.int64)
        start += count[k]
        assert f[0] + 2 * f[1:].sum() + escape[k] == 65536 and f.min() >= 1
        cost = bits(torch.tensor([0.0, 1.0]), torch.tensor([float(k)] * 2))
        assert abs(float(cost[0]) + np.log2(f[0] / 65536)) < 0.02
        if k > 16:
            assert abs(float(cost[1]) + np.log2(f[1] / 65536)) < 0.06


def test_cost_of_far_values_keeps_its_gradient():
    value = torch.tensor([500.0, 3.0], requires_grad=True)
    index = torch.tensor([0.0, index_of(1.0)], requires_grad=True)
    bits(value, index).sum().backward()
    assert torch.isfinite(value.grad).all() and (value.grad > 0).all() and (index.grad < 0).all()


def test_tiny_model_has_every_kind_of_op():
    model = tiny.make()
    kinds = {op.kind for program in model.programs.values() for op in program.ops}
    assert kinds == set(fmcw.KINDS)
    raw = fmcw.write(model)
    assert len(raw) < 150000 and fmcw.write(fmcw.read(raw)) == raw


def test_vectors_name_their_model(quantised):
    _, raw = quantised
    out = vectors.make(fmcw.read(raw), raw)
    assert out[:4] == b"FMCV" and struct.unpack_from("<Q", out, 8)[0] == struct.unpack_from("<Q", raw, 16)[0]
    assert struct.unpack("<Q", out[-8:])[0] == xxh64(out[:-8])


def test_arrays_are_cut_into_beginning_and_end(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(10 * 64 * 64, dtype=np.float32).reshape(10, 64, 64))
    (_, first), = data.entries_of_arrays([tmp_path / "a.npy"], 0.6)
    (_, last), = data.entries_of_arrays([tmp_path / "a.npy"], 0.6, later=True)
    assert data.open_field(first).shape == (6, 64, 64) and data.open_field(last)[0, 0, 0] == 6 * 64 * 64
    assert data.Crops([("a", first)], 0).batch(2, 8, 64).shape == (2, 1, 8, 64, 64)


def test_data_is_made_once_and_read_back(tmp_path, monkeypatch):
    monkeypatch.setitem(FAMILIES, "turbulence3d", FAMILIES["gray_scott"])
    data.make(tmp_path, 0.02, 5)
    jobs = (tmp_path / "jobs.jsonl").read_text().splitlines()
    data.make(tmp_path, 0.005, 5)
    assert (tmp_path / "jobs.jsonl").read_text().splitlines()[:len(jobs)] == jobs
    entries = data.entries_of_simulations(tmp_path, "val")
    batch = data.Crops(entries, 0).batch(2, 8, 64)
    assert batch.shape == (2, 1, 8, 64, 64) and np.isfinite(batch).all()


@pytest.mark.parametrize("variant", ["klt", "faithful"])
def test_an_imported_model_decodes_to_the_same_integers(variant):
    model = tiny.quantised(variant)
    read = fmcw.read(fmcw.write(export(model, {"config": model.config.as_dict()})))
    back = importer.trainable(read)
    back.set_quantised(True)
    again = export(back, {})
    assert set(again.arrays) == set(read.arrays)
    for level in (0, 7):
        z, y = vectors.symbols(read, np.random.default_rng(level), (2, 5, 4), 1)
        for want, got in zip(integer.decode(read, z, y, level), integer.decode(again, z, y, level)):
            assert np.array_equal(want, got)
    assert all(np.array_equal(again.arrays[n], read.arrays[n]) for n in read.arrays if n.startswith(("analysis", "hyper_an")))


def test_a_model_without_a_description_is_not_imported(quantised):
    _, raw = quantised
    with pytest.raises(fmcw.BadModel, match="training record"):
        importer.trainable(fmcw.read(raw))


def test_fine_tuning_goes_from_a_model_file_to_a_better_one(tmp_path):
    torch.set_num_threads(1)
    model = tiny.quantised("klt")
    (tmp_path / "source.fmcw").write_bytes(fmcw.write(export(model, {"config": model.config.as_dict()})))
    np.save(tmp_path / "run.npy", 5 + tiny.random_fields(1, 7, 32, 64)[0, 0].numpy())
    out = tmp_path / "mine.fmcw"
    before, after = finetune.finetune([str(tmp_path / "run.npy")], str(tmp_path / "source.fmcw"), str(out), str(tmp_path / "run"),
                                      {"steps": 40, "rate": 5e-3, "warm": 2, "evaluate_seconds": 10000})
    tuned = fmcw.read(out.read_bytes())
    assert tuned.record["finetuned"]["steps"] == 40 and tuned.record["finetuned"]["from"] == "source.fmcw"
    assert len(before["run"]) == len(after["run"]) == 8
    assert finetune.report(before, after).startswith("| level |")

    def cost(points):
        return sum(bits + 7 * error ** 2 for error, bits in points)
    assert cost(after["run"]) < cost(before["run"]), (before, after)


def test_crops_shrink_to_the_largest_field(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((10, 70, 100), np.float32))
    (entry,) = data.entries_of_arrays([tmp_path / "a.npy"], 1)
    assert data.Crops([entry], 0).batch(1, 8, 128).shape in ((1, 1, 8, 64, 96), (1, 1, 8, 96, 64))


def test_short_arrays_are_refused(tmp_path):
    np.save(tmp_path / "short.npy", np.zeros((20, 64, 64), np.float32))
    with pytest.raises(SystemExit, match="24 or more"):
        finetune.share_to_train(tmp_path / "short.npy")


def test_ablations_are_run_once_and_compared_with_the_base(tmp_path, monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(ablation, "HELD_FRAMES", 16)
    monkeypatch.setattr(ablation, "HELD_SIZE", 64)
    (tmp_path / "data").mkdir()
    lines = []
    for i, split in enumerate(("train", "val")):
        np.save(tmp_path / "data" / f"{split}.npy", tiny.random_fields(1, i, 16, 128)[0, 0].numpy())
        lines.append('{"file": "%s.npy", "split": "%s", "family": "f", "name": "x"}' % (split, split))
    (tmp_path / "data" / "index.jsonl").write_text("\n".join(lines))
    shape = {"latent": 8, "hyper": 4, "hyper_linear": 4, "widths": (4, 4, 4, 8), "blocks": 1, "sr_width": 8}
    names = [next(iter(ablation.VARIANTS)), "T = 16"]
    recipe = {"steps": 2, "rate": 1e-3, "batch": 4, "quantised_share": 0.0}
    done = ablation.ablate(tmp_path / "out", [tmp_path / "data"], recipe, names, shape)
    assert list(done) == names and ablation.ablate(tmp_path / "out", [tmp_path / "data"], recipe, names, shape) == done
    assert ablation.row(names[0], done).endswith("+0.0 % |")


def test_profile_counts_every_part():
    model = tiny.quantised("klt")
    parts = profile.profile(fmcw.read(fmcw.write(export(model, {"config": model.config.as_dict()}))), 4, 32, 1)
    assert {"super-resolution", "stages", "linear path"} <= set(parts)
    assert parts["linear path"][0] == 8 and all(seconds > 0 for _, seconds in parts.values())
