# SPDX-License-Identifier: Apache-2.0
"""The fields of a data folder and what its manifest says of them."""
import dataclasses
import hashlib
import json
import pathlib

import numpy as np

GROUPS = ("all", "simulation", "natural real", "packed", "masked real", "plane")
PLANE_MIN = 64  # smallest extent of an image worth its own row


@dataclasses.dataclass
class Field:
    """One array. `plane`: only the middle image of it (all leading axes at their middle) is meant."""

    name: str
    path: str
    kind: str = "unlabelled"  # real, simulation
    time_axis: int = None
    packed: bool = False
    step: float = None  # of the grid of a packed field, the smallest where it varies
    masked: bool = False
    plane: bool = False
    sha256: str = ""
    shape: tuple = ()
    itemsize: int = 4

    @property
    def nbytes(self):
        return int(np.prod(self.shape, dtype=np.int64)) * self.itemsize

    def load(self):
        """The samples in C order and native byte order, NaN where data are missing."""
        a = np.load(self.path, mmap_mode="r", allow_pickle=False)
        if self.plane:
            a = a[tuple(n // 2 for n in a.shape[:-2])]
        return np.array(a, dtype=a.dtype.newbyteorder("="), order="C")

    def groups(self):
        if self.plane:
            return {"plane"}
        found = {"all"}
        if self.kind == "simulation":
            found.add("simulation")
        if self.kind == "real":
            found.add("packed" if self.packed else "natural real")
            if self.masked:
                found.add("masked real")
        return found


def discover(folder, names=None, planes=False):
    """Fields of folder/*.npy (those in names), labelled by the manifest there or above. ValueError if none."""
    folder = pathlib.Path(folder)
    labels = _manifest(folder)
    fields = [_field(path, labels.get(path.stem, {})) for path in sorted(folder.glob("*.npy"))]
    fields = [f for f in fields if f is not None]
    if names:
        unknown = set(names) - {f.name for f in fields}
        if unknown:
            raise ValueError(f"no such field in {folder}: {', '.join(sorted(unknown))}")
        fields = [f for f in fields if f.name in names]
    if not fields:
        raise ValueError(f"no float32 or float64 .npy field in {folder}")
    return fields + ([p for p in map(_plane_of, fields) if p] if planes else [])


def _manifest(folder):
    for path in (folder / "manifest.json", folder.parent / "manifest.json"):
        if path.exists():
            listed = json.loads(path.read_text(encoding="utf-8"))
            listed = listed.get("fields", []) if isinstance(listed, dict) else listed
            return {pathlib.Path(entry["file"]).stem: entry for entry in listed if "file" in entry}
    return {}


def _field(path, label):
    a = np.load(path, mmap_mode="r", allow_pickle=False)
    if a.dtype.kind != "f" or a.dtype.itemsize not in (4, 8) or not 1 <= a.ndim <= 5 or a.size == 0:
        return None
    scale = label.get("packing_scale")
    steps = [float(s) for s in (scale if isinstance(scale, list) else [scale]) if s]
    masked = label["nan_share"] > 0 if "nan_share" in label else bool(np.isnan(a).any())
    return Field(name=path.stem, path=str(path), kind=label.get("kind", "unlabelled"), time_axis=label.get("time_axis"),
                 packed=bool(label.get("packed_source")), step=min(steps) if steps else None, masked=masked,
                 sha256=hashlib.sha256(path.read_bytes()).hexdigest(), shape=a.shape, itemsize=a.dtype.itemsize)


def _plane_of(field):
    if len(field.shape) < 3 or min(field.shape[-2:]) < PLANE_MIN:
        return None
    return dataclasses.replace(field, name=field.name + "@plane", plane=True, shape=field.shape[-2:])
