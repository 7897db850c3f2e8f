# SPDX-License-Identifier: Apache-2.0
"""Training of `vae`: one run is one folder, resumable at any moment.

    config.json     model and recipe, written once; a resumed run must agree with it
    start.pt        model at step 0 (for klt: the plain linear codec)
    latest.pt       everything needed to go on, replaced atomically every three minutes and on SIGTERM and SIGINT
    curve.csv/.png  progress on held-out fields; rd.png: rate and error of the newest weights

Recipe: all quality levels at once (a level is drawn per crop); loss = (bits + 7 SSE / step^2) per crop, divided by its own
square root so that busy and calm crops count alike; Adam (0.9, 0.98), gradient clipped to norm 1, constant rate, then cosine
to 3 % over the last 30 % of the steps; averaged weights are what is evaluated and exported. The last part of the steps is
quantisation aware: the decoder's arithmetic is then exactly the integers'.
"""
import dataclasses
import json
import math
import os
import pathlib
import signal
import time

import numpy as np
import torch

from . import curves, data
from .vae import STEPS, Config, Vae, parameter_count

RATE_WEIGHT = 7.0
SAVE_SECONDS, AVERAGE = 180, 0.998


@dataclasses.dataclass
class Recipe:
    steps: int = 20000
    batch: int = 4                          # crops of size x size a step; half as many of the larger ones
    size: int = 64
    frames: int = 8
    rate: float = 1e-3
    quantised_share: float = 0.25           # last part of the steps
    mse_steps: int = 0                      # rate term ramps up over these steps (faithful: 2000)
    seed: int = 0
    evaluate_seconds: int = 600
    warm: int = 100                         # steps until the learning rate is reached
    budget_minutes: float = 0.0             # above 0: the schedule follows the time spent on steps instead of their number


# Learning rates relative to the recipe's, by what a parameter is; the first that matches counts. Adam moves every parameter by
# about its rate per step, so what multiplies or shifts the linear path must be slow: an offset of 0.01 there is as large as
# the error at level 4, and basis vectors have entries of 1/32. Scale indices are in steps of 11 % and may be fast.
GROUPS = [("basis", 0.02), ("weights.klt", 0.2), ("weights.hklt", 0.2), ("linear_add", 0.01), ("linear_log", 0.1),
          ("log_gain", 0.3), ("scale_add", 10.0), ("hyper_index", 10.0), ("hyper_mean", 5.0), ("", 1.0)]


def parameter_groups(model, rate):
    groups = [[] for _ in GROUPS]
    for name, parameter in model.named_parameters():
        groups[next(i for i, (part, _) in enumerate(GROUPS) if part in name)].append(parameter)
    return [{"params": g, "scale": scale, "lr": rate * scale} for g, (_, scale) in zip(groups, GROUPS) if g]


def exact_arithmetic():
    """Settings without which convolutions of integers in float32 are not exact (Winograd, TF32)."""
    torch.backends.nnpack.set_flags(False)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def rate_factor(step, share, recipe):
    """Factor on the learning rate at a step and a share of the whole run."""
    warm = min(1.0, (step + 1) / recipe.warm)
    return warm * (1.0 if share < 0.7 else max(0.03, 0.5 * (1 + math.cos(math.pi * (share - 0.7) / 0.3))))


def loss_of(model, x, level, rate_weight=1.0):
    decoded, y_bits, z_bits = model(x, level, noisy=True)
    step = torch.tensor(STEPS, device=x.device)[level]
    error = (decoded - x).pow(2).flatten(1).sum(1)
    cost = rate_weight * (y_bits + z_bits) + RATE_WEIGHT * error / step ** 2
    samples = x[0].numel()
    return (cost / (cost.detach() + 0.01 * samples).sqrt()).mean() / math.sqrt(samples), (y_bits + z_bits).mean() / samples


class Run:
    """fields: dict of `simulations` and `fields` (folders), `arrays` (files) with `share`, and `without` (families left out).
    source: checkpoint of another run to start from; keep: take it over as it is instead of fitting linear parts to the data.
    """

    def __init__(self, folder, config, recipe, fields, device, source=None, keep=False):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config, self.recipe, self.device, self.source, self.keep = config, recipe, device, source, keep
        without = tuple(f"{family}/" for family in fields.get("without", []))
        entries = [e for f in fields["simulations"] for e in data.entries_of_simulations(f, "train")
                   if not e[0].startswith(without)]
        entries += [e for f in fields["fields"] for e in data.entries_of_fields(f)]
        entries += data.entries_of_arrays(fields.get("arrays", []), fields.get("share", 0.5))
        self.crops = data.Crops(entries, recipe.seed)
        held = [e for f in fields["simulations"] for e in data.entries_of_simulations(f, "val")]
        held += data.entries_of_arrays(fields.get("arrays", []), fields.get("share", 0.5), later=True)
        self.held_out = data.held_out(held, recipe.frames, 128)
        torch.manual_seed(recipe.seed)
        self.model = Vae(config).to(device)
        self.average = Vae(config).to(device)
        self.optimiser = torch.optim.Adam(parameter_groups(self.model, recipe.rate), lr=recipe.rate, betas=(0.9, 0.98))
        self.step, self.smooth, self.seconds, self.stop = 0, None, 0.0, False
        self.reference = None
        self.describe({"simulations": [pathlib.Path(f).name for f in fields["simulations"]], "fields": sorted({n for n, _ in entries}),
                       "arrays": len(entries)})
        if (self.folder / "latest.pt").exists():
            self.load()
        else:
            self.begin()

    def describe(self, sources):
        about = {"architecture": "vae", "config": self.config.as_dict(), "recipe": dataclasses.asdict(self.recipe),
                 "data": sources, "source": self.source and pathlib.Path(self.source).name, "parameters": parameter_count(self.model)}
        path = self.folder / "config.json"
        if path.exists():
            old = json.loads(path.read_text())
            if old["config"] != json.loads(json.dumps(about["config"])):
                raise SystemExit(f"{path} describes another model; choose another folder")
            about["source"] = old.get("source")
        path.write_text(json.dumps(about, indent=1) + "\n")

    # --- state -------------------------------------------------------------------------------------------------------

    def begin(self):
        if self.keep:
            self.model.load_state_dict(torch.load(self.source, map_location=self.device, weights_only=False)["model"])
            torch.save({"config": self.config.as_dict(), "model": self.model.state_dict()}, self.folder / "start.pt")
            self.reference = self.held_out_curves(self.model)
        else:
            self.fit()
        self.average.load_state_dict(self.model.state_dict())
        self.evaluate()
        self.save()

    def fit(self):
        """Linear parts from the data, and then what fits of the source."""
        count = 384 if self.config.variant == "klt" else 64
        crops = [torch.from_numpy(self.crops.batch(count, self.recipe.frames, size)).to(self.device)
                 for size in (self.recipe.size, 2 * self.recipe.size)]
        self.model.start(*crops)
        torch.save({"config": self.config.as_dict(), "model": self.model.state_dict()}, self.folder / "start.pt")
        self.reference = self.held_out_curves(self.model)
        if self.source:
            state = torch.load(self.source, map_location=self.device, weights_only=False)
            self.adopt(state, lambda part: not part.startswith("hyper"))
            self.model.start_hyper(*crops)
            self.adopt(state, lambda part: part.startswith("hyper"))

    def adopt(self, state, wanted):
        """Take over the wanted parts (children and own tensors of the model) of another run, those that fit as a whole."""
        mine, theirs = self.model.state_dict(), state.get("average", state["model"])
        for part in sorted({k.split(".")[0] for k in mine}):
            keys = [k for k in mine if k.split(".")[0] == part]
            if wanted(part) and all(k in theirs and theirs[k].shape == mine[k].shape for k in keys) and (
                    part != "hyper_analysis" or "hyper_basis" not in mine or "hyper_basis" in theirs):
                mine.update({k: theirs[k] for k in keys if not k.endswith("fracs")})
                print(f"took {part} from {self.source}", flush=True)
        self.model.load_state_dict(mine)

    def save(self):
        state = {"config": self.config.as_dict(), "model": self.model.state_dict(), "average": self.average.state_dict(),
                 "optimiser": self.optimiser.state_dict(), "step": self.step, "smooth": self.smooth,
                 "seconds": self.seconds, "quantised": self.model.synthesis.quantised, "reference": self.reference,
                 "crops": self.crops.rng.bit_generator.state, "torch": torch.get_rng_state()}
        partial = self.folder / "latest.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / "latest.pt")

    def load(self):
        state = torch.load(self.folder / "latest.pt", map_location=self.device, weights_only=False)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.smooth, self.seconds = state["step"], state["smooth"], state["seconds"]
        self.reference = state["reference"]
        self.crops.rng.bit_generator.state = state["crops"]
        torch.set_rng_state(state["torch"].cpu())
        for model in (self.model, self.average):
            model.set_quantised(state["quantised"])

    # --- work --------------------------------------------------------------------------------------------------------

    def quantise(self):
        crops = torch.from_numpy(self.crops.batch(8, self.recipe.frames, 2 * self.recipe.size)).to(self.device)
        self.model.calibrate(crops)
        self.average.load_state_dict({**self.average.state_dict(), "synthesis.fracs": self.model.synthesis.fracs,
                                      "hyper.fracs": self.model.hyper.fracs})
        for model in (self.model, self.average):
            model.set_quantised(True)

    def shape(self, u):
        """Crop shape of a step. Crops of one hyper-latent (64 x 64) never train the outer taps of the hyper nets, which then
        spoil everything on larger fields; crops of 128 alone would leave out small fields."""
        r = self.recipe
        half = max(1, r.batch // 2)
        if u < 0.25:
            return r.batch, r.frames, r.size, r.size
        if u < 0.5:
            return half, r.frames, r.size, 2 * r.size
        if u < 0.6:
            return half, 2 * r.frames, r.size, 2 * r.size
        return half, r.frames, 2 * r.size, 2 * r.size

    def share(self):
        """How much of the run is done, 0 .. 1."""
        budget = 60 * self.recipe.budget_minutes
        return self.seconds / budget if budget else self.step / self.recipe.steps

    def one_step(self):
        if not self.model.synthesis.quantised and self.share() >= 1 - self.recipe.quantised_share:
            self.quantise()
        rng = self.crops.rng
        count, frames, height, width = self.shape(rng.random())
        x = torch.from_numpy(self.crops.batch(count, frames, height, width)).to(self.device)
        level = torch.from_numpy(rng.integers(0, len(STEPS), count)).to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * group["scale"] * rate_factor(self.step, self.share(), self.recipe)
        loss, _ = loss_of(self.model, x, level, min(1.0, self.step / max(1, self.recipe.mse_steps)))
        self.optimiser.zero_grad()
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0))
        if math.isfinite(norm):
            self.optimiser.step()
            value = float(loss.detach())
            self.smooth = value if self.smooth is None else 0.99 * self.smooth + 0.01 * value
        self.step += 1
        keep = min(AVERAGE, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for a, p in zip(self.average.parameters(), self.model.parameters()):
                a.lerp_(p, 1 - keep)

    def held_out_curves(self, model):
        return evaluate(model, self.held_out, self.device, levels=(0, 2, 4, 6))

    def evaluate(self):
        """Held-out curve of the averaged weights; a CSV line, and plots."""
        result = self.held_out_curves(self.average)
        changes = [curves.mean_rate_change(result[n], self.reference[n]) for n in result]
        changes = [c for c in changes if c is not None]
        row = {"step": self.step, "seconds": round(self.seconds), "quantised": int(self.model.synthesis.quantised),
               "train_loss": round(self.smooth or 0.0, 5), "rate_change": round(math.expm1(np.mean(changes or [0.0])), 5)}
        for i, level in enumerate((0, 2, 4, 6)):
            row[f"bits_{level}"] = round(float(np.mean([c[i][1] for c in result.values()])), 5)
            row[f"nrmse_{level}"] = round(float(np.exp(np.mean([math.log(c[i][0]) for c in result.values()]))), 6)
        curves.append_csv(self.folder / "curve.csv", row)
        curves.plot_training(self.folder / "curve.csv", self.folder / "curve.png")
        both = {}
        for name in sorted(result)[::4]:
            both[name], both[name + " (step 0)"] = result[name], self.reference[name]
        curves.plot_rate_distortion(both, self.folder / "rd.png", f"step {self.step}")
        print(json.dumps(row), flush=True)

    def go(self, minutes=None):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(self, "stop", True))
        begun = saved = evaluated = last = time.monotonic()
        while self.share() < 1 and not self.stop:
            self.one_step()
            now = time.monotonic()
            self.seconds += now - last
            last = now
            if minutes is not None and now - begun > 60 * minutes:
                break
            if now - evaluated > self.recipe.evaluate_seconds:
                self.evaluate()
                last = evaluated = time.monotonic()
            if now - saved > SAVE_SECONDS:
                self.save()
                saved = time.monotonic()
        if not self.stop:
            self.evaluate()
        self.save()


@torch.no_grad()
def evaluate(model, fields, device, levels=range(len(STEPS))):
    """name -> list of (NRMSE of range, bits per sample) over the levels. fields: list of (name, (T, H, W) array)."""
    out = {}
    for name, field in fields:
        x = torch.from_numpy(field)[None, None].to(device)
        span = float(x.max() - x.min())
        points = []
        for level in levels:
            decoded, y_bits, z_bits = model(x, torch.tensor([level], device=device))
            error = float((decoded - x).pow(2).mean().sqrt()) / span
            points.append((error, float(y_bits + z_bits) / x.numel()))
        out[name] = points
    return out
