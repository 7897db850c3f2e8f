# SPDX-License-Identifier: Apache-2.0
"""Checkpoint to model file: integer programs of the decoder, float programs of the encoder, tables, training record."""
import math

import numpy as np
import torch

from .fmcw import Model, Op, Program
from .tables import tables
from .vae import BLOCK, OUTPUT_FRAC, PATCH, STEPS, WIDE_FRAC, Config, Vae


def _p(*values):
    return tuple(values) + (0,) * (8 - len(values))


def _int32(values, what):
    values = np.asarray(values, np.float64)
    if np.abs(values).max(initial=0) >= 2 ** 31:
        raise ValueError(f"{what}: does not fit 32 bits")
    return values.astype(np.int32)


@torch.no_grad()
def integer_program(net, prefix, arrays):
    """Ops of a GraphNet as integers; weights go into `arrays` under prefix/."""
    graph, ops = net.graph, []
    for op in graph.ops:
        out, t = op["output"], graph.tensors[op["output"]]
        f = [net.frac(i) for i in op["inputs"]]
        f_out, p, refs = net.frac(out), _p(), [None, None, None]
        name = f"{prefix}/{op.get('name', '')}"
        if op["kind"] == "affine":
            m, b = net.affine_parameters(op)
            shift = net.affine_shift(op, m)
            m, b = net.quantised_affine(op, m, b)
            arrays[name + "/m"] = np.round(m.numpy() * 2.0 ** (f_out - f[0] + shift)).astype(np.int16)
            arrays[name + "/b"] = _int32(np.round(b.numpy() * 2.0 ** (f_out + shift)), name)
            p, refs = _p(shift), [name + "/m", name + "/b", None]
        elif op["kind"] == "conv":
            weight, bias = net.conv_parameters(op)
            e = net.weight_exponents(op, weight, bias)
            w, b = net.quantised_conv(op, weight, bias)
            scale = (2.0 ** e).reshape(-1, 1, 1, 1, 1)
            source = f"{prefix}/{op['shared'] or op['name']}"
            integers = torch.round(w.double() * scale).numpy()
            if op["shared"]:
                if not np.array_equal(arrays[source + "/w"], integers):
                    raise ValueError(f"{name}: shared weights differ")
            else:
                arrays[source + "/w"] = integers.astype(np.int8)
            if b is not None:
                arrays[name + "/bias"] = _int32(np.round(b.double().numpy() * (2.0 ** (e + f[0])).numpy()), name)
            shift = (e + f[0] - f_out).numpy()
            if shift.min() < 0 or shift.max() > 22:
                raise ValueError(f"{name}: shift outside 0..22")
            arrays[name + "/shift"] = shift.astype(np.uint8)
            p = _p(*op["kernel"], *op["stride"], op["groups"])
            refs = [source + "/w", name + "/bias" if b is not None else None, name + "/shift"]
        elif op["kind"] == "add":
            common = max(f)
            p = _p(common - f[0], common - f[1], common - f_out)
        elif op["kind"] in ("gate", "maxpool", "upsample", "tilestat", "shuffle"):
            p = _p(*op[{"gate": "expand", "maxpool": "size", "tilestat": "tile"}.get(op["kind"], "factor")])
        elif op["kind"] == "digit":
            p = _p(op["shift"], int(op["high"]))
        ops.append(Op(op["kind"], tuple(op["inputs"]), graph.channels(out), t["lo"], t["hi"], p, tuple(refs)))
    return Program(ops, list(net.outputs))


class FloatProgram:
    """Builder of the encoder's float programs. Weights are stored in half precision: only the encoder runs them."""

    def __init__(self, prefix, channels, arrays):
        self.prefix, self.arrays = prefix, arrays
        self.ops = [Op("f_input", (), channels)]

    def add(self, kind, inputs, channels, p=_p(), arrays=(None, None, None)):
        self.ops.append(Op(kind, tuple(inputs), channels, 0, 0, p, arrays))
        return len(self.ops) - 1

    def store(self, name, tensor, dtype=np.float16):
        name = f"{self.prefix}/{name}"
        self.arrays[name] = tensor.detach().float().numpy().astype(dtype)
        return name

    def conv(self, x, module, name):
        weight = module.weight if module.weight.dim() == 5 else module.weight[:, :, None]
        stride = (1,) * (3 - len(module.stride)) + tuple(module.stride)
        bias = None if module.bias is None else self.store(name + "/bias", module.bias)
        return self.add("f_conv", [x], weight.shape[0], _p(*weight.shape[2:], *stride, module.groups),
                        (self.store(name + "/w", weight), bias, None))

    def channels(self, x):
        return self.ops[x].channels

    def norm(self, x, module, name):
        return self.add("f_norm", [x], self.channels(x), _p(),
                        (self.store(name + "/g", module.weight), self.store(name + "/b", module.bias), None))

    def relu(self, x):
        return self.add("f_relu", [x], self.channels(x))

    def leaky(self, x):
        return self.add("f_leaky", [x], self.channels(x))

    def fold(self, x, factor):
        return self.add("f_fold", [x], self.channels(x) * math.prod(factor), _p(*factor))

    def residual(self, x, module, name):
        h = self.relu(self.norm(self.conv(x, module.first, name + "/1"), module.norm1, name + "/norm1"))
        h = self.relu(self.norm(self.conv(h, module.second, name + "/2"), module.norm2, name + "/norm2"))
        if not isinstance(module.skip, torch.nn.Identity):
            x = self.conv(x, module.skip, name + "/skip")
        return self.add("f_add", [h, x], self.channels(h))

    def sequence(self, x, modules, name):
        for i, module in enumerate(modules):
            kind = type(module).__name__
            if kind == "Residual":
                x = self.residual(x, module, f"{name}/{i}")
            elif kind == "LeakyReLU":
                x = self.leaky(x)
            else:
                x = self.conv(x, module, f"{name}/{i}")
        return x


@torch.no_grad()
def analysis_program(model, arrays):
    b = FloatProgram("analysis", 1, arrays)
    net = model.analysis
    x = b.sequence(0, net.stage1, "s1") if net.stem == "full" else b.fold(0, (1, 4, 4))
    x = b.sequence(x, net.stage2, "s2")
    x = b.conv(b.sequence(x, net.stage3, "s3"), net.time3, "t3")
    x = b.conv(b.sequence(x, net.stage4, "s4"), net.time4, "t4")
    x = b.conv(x, net.out, "out")
    if model.basis is not None:
        x = b.add("f_scale", [x], b.channels(x), _p(), (b.store("spread", model.spread, np.float32), None, None))
        folded = b.fold(0, PATCH)
        basis = model.basis.reshape(model.config.latent, -1, 1, 1, 1)
        linear = b.add("f_conv", [folded], model.config.latent, _p(1, 1, 1, 1, 1, 1, 1),
                       (b.store("klt/w", basis), None, None))
        x = b.add("f_add", [x, linear], model.config.latent)
    return Program(b.ops, [x])


@torch.no_grad()
def hyper_analysis_program(model, arrays):
    b = FloatProgram("hyper_analysis", model.config.latent, arrays)
    x = b.add("f_scale", [0], model.config.latent, _p(),
              (b.store("unit", 1 / model.spread, np.float32), None, None))
    x = b.sequence(x, model.hyper_analysis, "h")
    if model.hyper_basis is not None:
        basis = model.hyper_basis.reshape(len(model.hyper_basis), -1, 1, 1, 1)
        linear = b.add("f_conv", [b.fold(0, BLOCK)], len(basis), _p(1, 1, 1, 1, 1, 1, 1),
                       (b.store("klt/w", basis), None, None))
        x = b.add("f_concat", [linear, x], len(basis) + b.channels(x))
    return Program(b.ops, [x])


@torch.no_grad()
def export(model, record):
    """Model of a calibrated, quantised Vae."""
    if not model.synthesis.quantised:
        raise ValueError("calibrate and quantise first")
    model = model.cpu().eval()
    arrays, c = {}, model.config
    programs = {"hyper": integer_program(model.hyper, "hyper", arrays),
                "synthesis": integer_program(model.synthesis, "synthesis", arrays),
                "analysis": analysis_program(model, arrays), "hyper_analysis": hyper_analysis_program(model, arrays)}
    arrays["hyper/mean"] = _int32(torch.floor(model.hyper_mean * 16 + 0.5).numpy(), "hyper/mean")
    arrays["hyper/scale"] = torch.floor(model.hyper_index + 0.5).clamp(0, 63).numpy().astype(np.uint8)
    arrays["gain/latent"] = model.gain().numpy().astype(np.float32)
    arrays["gain/hyper"] = (model.hyper_base_gain * torch.exp(model.hyper_log_gain)).numpy().astype(np.float32)
    arrays["gauss/count"], arrays["gauss/frequency"], arrays["gauss/escape"] = tables()
    numbers = {"levels": len(STEPS), "latent": c.latent, "hyper": c.hyper + c.hyper_linear, "patch_t": PATCH[0], "patch_y": PATCH[1],
               "patch_x": PATCH[2], "hyper_y": 4, "hyper_x": 4, "latent_frac": WIDE_FRAC, "output_frac": OUTPUT_FRAC,
               "scales": 64}
    return Model("vae", numbers, programs, arrays, record)


def load_checkpoint(path):
    """Vae with the averaged weights of latest.pt (or the weights of start.pt), and the state it came from."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    config = {k: tuple(v) if isinstance(v, list) else v for k, v in state["config"].items()}
    model = Vae(Config(**config))
    model.load_state_dict(state.get("average", state["model"]))
    if state.get("quantised"):
        model.set_quantised(True)
    return model, state
