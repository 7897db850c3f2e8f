# SPDX-License-Identifier: Apache-2.0
"""A network as a straight-line program over numbered tensors, with one definition for three uses.

    float      ordinary training
    quantised  training with the rounding of the integer decoder; equal to it bit for bit, as every value is an integer times
               a power of two and every sum stays below 2^23 (exact in float32, in any order)
    integers   export: weights, shifts and clamps as docs/weights-format.md stores them

A tensor is (C, T, H, W), in training with a batch axis. In quantised mode its value is integer * 2^-frac; `lo` and `hi`
bound the integer. "Wide" tensors hold up to 24 bits and meet only affine, digit, shuffle, add and the outputs.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .likelihood import live_clamp

NARROW, WIDE, BUDGET = 511, (1 << 23) - 1, (1 << 23) - 1
HSWISH_FRAC = 7             # hard swish is defined on [-4, 4): (x * clamp((x >> 1) + 256, 0, 512)) >> 9


def floor_ste(x):
    """floor with the gradient of the identity."""
    return x + (torch.floor(x) - x).detach()


def quantise(x, frac, lo, hi):
    """Nearest multiple of 2^-frac (half up), clamped to [lo, hi] * 2^-frac; gradient one inside the clamp."""
    scale = 2.0 ** frac
    clamp = torch.clamp if (lo, hi) == (0, NARROW) else live_clamp    # the former is a ReLU
    return floor_ste(clamp(x, lo / scale, hi / scale) * scale + 0.5) / scale


class Graph:
    """Builder. Every method appends one op and returns the number of its output tensor."""

    def __init__(self):
        self.ops, self.tensors = [], []

    def _add(self, kind, inputs, channels, **attributes):
        out = len(self.tensors)
        op = {"kind": kind, "inputs": list(inputs), "output": out, **attributes}
        self.tensors.append({"channels": channels, "lo": attributes.pop("lo", -NARROW), "hi": attributes.pop("hi", NARROW),
                             "frac": attributes.get("frac")})
        self.ops.append(op)
        return out

    def channels(self, tensor):
        return self.tensors[tensor]["channels"]

    def _range(self, tensor):
        return {"lo": self.tensors[tensor]["lo"], "hi": self.tensors[tensor]["hi"]}

    def input(self, channels, frac):
        return self._add("input", [], channels, lo=-WIDE, hi=WIDE, frac=frac)

    def affine(self, x, name, frac, lo=-NARROW, hi=NARROW):
        """Per level and channel: x * m + b. Exact in 64-bit integers; the only op that knows the level."""
        return self._add("affine", [x], self.channels(x), name=name, frac=frac, lo=lo, hi=hi)

    def conv(self, x, name, channels, kernel, stride=(1, 1, 1), groups=1, bias=True, relu=False, wide=False, frac=None,
             zero=False, gain=1.0, start=0.0, lo=None, hi=None, shared=None, exponent=None):
        """Zero padding of (kernel - 1) // 2; kernel sizes are odd. shared: name of a conv whose weights this one uses.
        exponent: (least, most) of e where weights are integers times 2^-e; convs that share weights need it equal."""
        top = WIDE if wide else NARROW
        return self._add("conv", [x], channels, name=name, kernel=tuple(kernel), stride=tuple(stride), groups=groups,
                         bias=bias, frac=frac, zero=zero, gain=gain, start=start, shared=shared, exponent=exponent,
                         lo=(0 if relu else -top) if lo is None else lo, hi=top if hi is None else hi)

    def leaky(self, x):
        """x >= 0 ? x : x >> 3"""
        t = self.tensors[x]
        return self._add("leaky", [x], t["channels"], lo=t["lo"] >> 3 if t["lo"] < 0 else t["lo"], hi=t["hi"])

    def hswish(self, x):
        self.tensors[x]["frac"] = HSWISH_FRAC
        return self._add("hswish", [x], self.channels(x), lo=-64, hi=510, frac=HSWISH_FRAC)

    def add(self, a, b, wide=False, frac=None):
        top = WIDE if wide else NARROW
        return self._add("add", [a, b], self.channels(a), lo=-top, hi=top, frac=frac)

    def gate(self, x, v, expand=(1, 1, 1)):
        """x * hard sigmoid of v; v has one value for `expand` sites: (x * clamp((v >> 4) + 32, 0, 64) + 32) >> 6."""
        self.tensors[v]["frac"] = HSWISH_FRAC
        return self._add("gate", [x, v], self.channels(x), expand=tuple(expand), **self._range(x))

    def maxpool(self, x, size):
        """Windows of `size` without overlap; the last ones may be partial."""
        return self._add("maxpool", [x], self.channels(x), size=tuple(size), **self._range(x))

    def upsample(self, x, factor, like):
        """Nearest, cropped to the sites of the tensor `like`."""
        return self._add("upsample", [x, like], self.channels(x), factor=tuple(factor), **self._range(x))

    def tilestat(self, x, tile):
        """Mean plus mean absolute deviation over tiles; the last tiles may be partial."""
        t = self.tensors[x]
        return self._add("tilestat", [x], t["channels"], tile=tuple(tile), lo=t["lo"], hi=t["hi"] + (t["hi"] - t["lo"]))

    def shuffle(self, x, factor):
        """Channels to sites: out[c][t*a+i][y*b+j][x*d+k] = in[((c*a+i)*b+j)*d+k][t][y][x]."""
        return self._add("shuffle", [x], self.channels(x) // math.prod(factor), factor=tuple(factor), **self._range(x))

    def concat(self, xs):
        return self._add("concat", xs, sum(self.channels(x) for x in xs),
                         lo=min(self.tensors[x]["lo"] for x in xs), hi=max(self.tensors[x]["hi"] for x in xs))

    def digit(self, x, shift, high):
        """x = (high << shift) + low, low in [-2^(shift-1), 2^(shift-1)): one of the two."""
        half = 1 << (shift - 1)
        t = self.tensors[x]
        span = {"lo": (t["lo"] + half) >> shift, "hi": (t["hi"] + half) >> shift} if high else {"lo": -half, "hi": half - 1}
        return self._add("digit", [x], t["channels"], shift=shift, high=high, **span)


class Value:
    """A tensor in either layout: flat (B*T, C, H, W) for 2-D work or (B, C, T, H, W)."""

    __slots__ = ("x", "batch")

    def __init__(self, x, batch):
        self.x, self.batch = x, batch

    def full(self):
        return self.x if self.x.dim() == 5 else self.x.unflatten(0, (self.batch, -1)).transpose(1, 2).contiguous()

    def flat(self):
        return self.x.transpose(1, 2).flatten(0, 1).contiguous() if self.x.dim() == 5 else self.x

    def like(self, other):
        return self.full() if other.x.dim() == 5 else self.flat()


class GraphNet(nn.Module):
    """Parameters of a graph and its float and quantised forward passes.

    forward(inputs, level) -> list of output tensors (B, C, T, H, W); level: int64 (B,).
    """

    def __init__(self, graph, outputs, levels):
        super().__init__()
        self.graph, self.outputs, self.levels, self.quantised = graph, list(outputs), levels, False
        self.weights, self.multipliers = nn.ParameterDict(), nn.ParameterDict()
        self.peak = None                                 # dict while calibrating: tensor -> largest magnitude seen
        for op in graph.ops:
            if op["kind"] == "conv" and not op["shared"]:
                self._init_conv(op)
            elif op["kind"] == "affine":
                shape = (levels, graph.channels(op["output"]))
                self.register_buffer(f"base_{op['name']}", torch.ones(shape))
                self.multipliers[op["name"] + "_log"] = nn.Parameter(torch.zeros(shape))
                self.multipliers[op["name"] + "_add"] = nn.Parameter(torch.zeros(shape))
        self.register_buffer("fracs", torch.full((len(graph.tensors),), -1000, dtype=torch.int64))

    def _init_conv(self, op):
        fan = self.graph.channels(op["inputs"][0]) // op["groups"]
        weight = torch.empty(self.graph.channels(op["output"]), fan, *op["kernel"])
        fan_in = fan * math.prod(op["kernel"])
        nn.init.normal_(weight, std=0.0 if op["zero"] else op["gain"] / math.sqrt(fan_in))
        self.weights[op["name"]] = nn.Parameter(weight)
        if op["bias"]:
            self.weights[op["name"] + "_bias"] = nn.Parameter(torch.full((weight.shape[0],), float(op["start"])))

    def conv_parameters(self, op):
        name = op["shared"] or op["name"]
        return self.weights[name], self.weights[name + "_bias"] if op["bias"] else None

    def affine_parameters(self, op):
        """m and b of x * m + b in real units, (levels, C)."""
        name = op["name"]
        return (getattr(self, "base_" + name) * torch.exp(self.multipliers[name + "_log"]),
                self.multipliers[name + "_add"])

    # --- quantisation ------------------------------------------------------------------------------------------------

    def frac(self, tensor):
        """Fractional bits of a tensor: given by the graph, or by calibration."""
        fixed = self.graph.tensors[tensor]["frac"]
        return fixed if fixed is not None else int(self.fracs[tensor])

    def calibrate(self, peaks, margin=1.25):
        """Choose the fractional bits of every tensor from the largest magnitudes seen in float mode."""
        want = {}
        for op in self.graph.ops:
            out, t = op["output"], self.graph.tensors[op["output"]]
            if t["frac"] is not None:
                want[out] = t["frac"]
            elif op["kind"] in ("leaky", "gate", "maxpool", "upsample", "tilestat", "shuffle"):
                want[out] = want[op["inputs"][0]]
            elif op["kind"] == "digit":
                want[out] = want[op["inputs"][0]] - (op["shift"] if op["high"] else 0)
            elif op["kind"] == "concat":
                want[out] = min(want[i] for i in op["inputs"])
            else:
                bits = math.floor(math.log2(NARROW / max(margin * peaks.get(out, 1.0), 1e-6)))
                want[out] = max(-4, min(12, bits))
                if op["kind"] == "add":
                    want[out] = min(want[out], max(want[i] for i in op["inputs"]))
        for op in self.graph.ops:                        # a concat's parts share its fraction
            if op["kind"] == "concat":
                for i in op["inputs"]:
                    self._pull(i, want[op["output"]], want)
        for op in self.graph.ops:                        # movers follow their source again
            if op["kind"] in ("leaky", "gate", "maxpool", "upsample", "tilestat", "shuffle") and \
                    self.graph.tensors[op["output"]]["frac"] is None:
                want[op["output"]] = want[op["inputs"][0]]
        for tensor, bits in want.items():
            self.fracs[tensor] = bits

    def _pull(self, tensor, bits, want):
        """Give `tensor` and what it is moved from the fraction `bits`."""
        op = self.graph.ops[tensor]
        if self.graph.tensors[tensor]["frac"] is not None:
            if want[tensor] != bits:
                raise ValueError("concat of tensors with different fixed fractions")
            return
        want[tensor] = bits
        if op["kind"] in ("leaky", "gate", "maxpool", "upsample", "tilestat", "shuffle"):
            self._pull(op["inputs"][0], bits, want)

    def weight_exponents(self, op, weight, bias):
        """Largest e per output channel such that round(w 2^e) fits 8 bits and every partial sum fits 2^23."""
        t = self.graph.tensors[op["inputs"][0]]
        f_in, f_out = self.frac(op["inputs"][0]), self.frac(op["output"])
        w = weight.detach().flatten(1).double()
        up = torch.maximum(w * t["lo"], w * t["hi"]).sum(1)
        down = torch.maximum(-w * t["lo"], -w * t["hi"]).sum(1)
        if bias is not None:
            shift = bias.detach().double() * 2.0 ** f_in
            up, down = up + shift.clamp(min=0), down + (-shift).clamp(min=0)
        slack = 0.5 * w.shape[1] * max(abs(t["lo"]), abs(t["hi"])) + 1
        by_sum = torch.log2((BUDGET - slack) / torch.maximum(up, down).clamp(min=1e-9))
        by_bits = torch.log2(127.49 / w.abs().amax(1).clamp(min=1e-9))
        e = torch.floor(torch.minimum(by_sum, by_bits))
        if op["exponent"] is not None:
            return e.clamp(*op["exponent"])
        return e.clamp(f_out - f_in, f_out - f_in + 22)

    def quantised_conv(self, op, weight, bias):
        e = self.weight_exponents(op, weight, bias)
        scale = (2.0 ** e).float().reshape(-1, *([1] * (weight.dim() - 1)))
        w = floor_ste((weight * scale).clamp(-127, 127) + 0.5) / scale
        if bias is not None:
            unit = (2.0 ** (e + self.frac(op["inputs"][0]))).float()
            bias = floor_ste((bias * unit).clamp(-BUDGET // 2, BUDGET // 2) + 0.5) / unit
        return w, bias

    def quantised_affine(self, op, m, b):
        """m as integers of at most 16 bits with one shift for all levels; b in the unit of the product."""
        shift = self.affine_shift(op, m)
        f_in, f_out = self.frac(op["inputs"][0]), self.frac(op["output"])
        unit, full = 2.0 ** (f_out - f_in + shift), 2.0 ** (f_out + shift)
        return floor_ste(m.double() * unit + 0.5) / unit, floor_ste(b.double() * full + 0.5) / full

    def affine_shift(self, op, m):
        f_in, f_out = self.frac(op["inputs"][0]), self.frac(op["output"])
        largest = float(m.detach().abs().max().clamp(min=1e-12)) * 2.0 ** (f_out - f_in)
        return max(0, min(24, math.floor(math.log2(32767 / largest))))

    # --- forward -----------------------------------------------------------------------------------------------------

    def forward(self, inputs, level):
        batch = level.shape[0]
        feed = iter(inputs)
        values = []
        last_use = {i: op["output"] for op in self.graph.ops for i in op["inputs"]}
        for op in self.graph.ops:
            x = Value(next(feed), batch) if op["kind"] == "input" else self.run_op(op, values, level)
            values.append(x)
            if self.peak is not None and x.x is not None and op["kind"] in ("conv", "add"):
                self.peak[op["output"]] = max(self.peak.get(op["output"], 0.0), float(x.x.detach().abs().max()))
            for i in op["inputs"]:
                if last_use[i] == op["output"] and i not in self.outputs:
                    values[i] = None
        return [values[i].full() for i in self.outputs]

    def run_op(self, op, values, level):
        """Output of one op that is no input, from the values of the tensors before it."""
        return getattr(self, "_" + op["kind"])(op, [values[i] for i in op["inputs"]], level)

    def _round(self, op, x):
        t = self.graph.tensors[op["output"]]
        return quantise(x, self.frac(op["output"]), t["lo"], t["hi"])

    def _affine(self, op, v, level):
        m, b = self.affine_parameters(op)
        x = v[0].full()
        if self.quantised:
            m, b = self.quantised_affine(op, m, b)
            y = x.double() * m[level][:, :, None, None, None] + b[level][:, :, None, None, None]
            return Value(self._round(op, y).float(), v[0].batch)
        return Value(x * m[level][:, :, None, None, None] + b[level][:, :, None, None, None], v[0].batch)

    def _conv(self, op, v, level):
        if v[0].x is None:                               # high digit outside quantised mode
            return v[0]
        weight, bias = self.conv_parameters(op)
        if self.quantised:
            weight, bias = self.quantised_conv(op, weight, bias)
        pad = [(k - 1) // 2 for k in op["kernel"]]
        if op["kernel"][0] == 1 and op["stride"][0] == 1:
            y = F.conv2d(v[0].flat(), weight[:, :, 0], bias, op["stride"][1:], pad[1:], 1, op["groups"])
        else:
            y = F.conv3d(v[0].full(), weight, bias, op["stride"], pad, 1, op["groups"])
        t = self.graph.tensors[op["output"]]
        if self.quantised:
            y = self._round(op, y)
        elif t["lo"] == 0 and t["hi"] == NARROW:
            y = F.relu(y)
        elif t["frac"] is not None:                      # fixed range: the clamp is part of the function
            y = live_clamp(y, t["lo"] / 2.0 ** t["frac"], t["hi"] / 2.0 ** t["frac"])
        return Value(y, v[0].batch)

    def _leaky(self, op, v, level):
        x = v[0].x
        if not self.quantised:
            return Value(F.leaky_relu(x, 0.125), v[0].batch)
        unit = 2.0 ** self.frac(op["output"])
        return Value(torch.where(x >= 0, x, floor_ste(x * (unit / 8)) / unit), v[0].batch)

    def _hswish(self, op, v, level):
        x = v[0].x
        if not self.quantised:
            return Value(x * (x / 8 + 0.5).clamp(0, 1), v[0].batch)
        i = x * 2.0 ** HSWISH_FRAC
        return Value(floor_ste(i * (floor_ste(i / 2) + 256).clamp(0, 512) / 512) / 2.0 ** HSWISH_FRAC, v[0].batch)

    def _add(self, op, v, level):
        if v[1].x is None:
            return v[0]
        y = v[0].x + v[1].like(v[0])
        return Value(self._round(op, y) if self.quantised else y, v[0].batch)

    def _gate(self, op, v, level):
        x, g = v[0].full(), v[1].full()
        if self.quantised:
            g = (floor_ste(g * (2.0 ** HSWISH_FRAC / 16)) + 32).clamp(0, 64)
        else:
            g = (g / 8 + 0.5).clamp(0, 1)
        for axis, n in enumerate(op["expand"]):
            if n > 1:
                g = g.repeat_interleave(n, 2 + axis).narrow(2 + axis, 0, x.shape[2 + axis])
        if not self.quantised:
            return Value(Value(x * g, v[0].batch).like(v[0]), v[0].batch)
        unit = 2.0 ** self.frac(op["output"])
        y = Value(floor_ste((x * unit * g + 32) / 64) / unit, v[0].batch)
        return Value(y.like(v[0]), v[0].batch)

    def _maxpool(self, op, v, level):
        x = v[0].full()
        return Value(F.max_pool3d(x, op["size"], op["size"], ceil_mode=True), v[0].batch)

    def _upsample(self, op, v, level):
        x, like = v[0].full(), v[1].full()
        for axis, n in enumerate(op["factor"]):
            if n > 1:
                x = x.repeat_interleave(n, 2 + axis).narrow(2 + axis, 0, like.shape[2 + axis])
        return Value(Value(x, v[0].batch).like(v[1]), v[0].batch)

    def _tilestat(self, op, v, level):
        x = v[0].full()
        tile = op["tile"]
        extra = [-n % t for n, t in zip(x.shape[2:], tile)]
        pad = (0, extra[2], 0, extra[1], 0, extra[0])
        ones = F.pad(torch.ones_like(x[:1, :1]), pad)

        def total(a):
            b, c, t, h, w = a.shape
            return a.reshape(b, c, t // tile[0], tile[0], h // tile[1], tile[1], w // tile[2], tile[2]).sum((3, 5, 7))

        n = total(ones).double()
        unit = 2.0 ** self.frac(op["output"]) if self.quantised else 1.0

        def mean(a):                                     # floor((2 S + n) / (2 n)) in integer units
            m = total(a).double() / n
            return floor_ste(m * unit + 0.5) / unit if self.quantised else m

        m = mean(F.pad(x, pad)).to(x.dtype)
        spread = m
        for axis, k in enumerate(tile):
            spread = spread.repeat_interleave(k, 2 + axis)
        d = mean((F.pad(x, pad) - spread).abs() * ones).to(x.dtype)
        return Value(m + d, v[0].batch)

    def _shuffle(self, op, v, level):
        a, b, d = op["factor"]
        if a == 1 and b == d and v[0].x.dim() == 4:
            return Value(F.pixel_shuffle(v[0].x, b), v[0].batch)
        x = v[0].full()
        n, c, t, h, w = x.shape
        c //= a * b * d
        return Value(x.reshape(n, c, a, b, d, t, h, w).permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, c, t * a, h * b, w * d),
                     v[0].batch)

    def _concat(self, op, v, level):
        return Value(torch.cat([v[0].x] + [o.like(v[0]) for o in v[1:]], 1), v[0].batch)

    def _digit(self, op, v, level):
        x = v[0].x
        if not self.quantised:                           # the low digit takes all
            return Value(None if op["high"] else x, v[0].batch)
        unit = 2.0 ** (op["shift"] - (self.frac(op["inputs"][0])))
        high = floor_ste(x / unit + 0.5) * unit
        return Value(high if op["high"] else x - high, v[0].batch)
