# SPDX-License-Identifier: Apache-2.0
"""From rows to tables, and tables as Markdown and HTML. A gain is the best peer's bytes divided by fmc's."""
import collections
import dataclasses
import html
import math
import statistics

from . import ours, rows
from .fields import GROUPS

DEFAULT_EFFORT = 5
FLOOR = 0.97  # a gain below this is listed
GOALS = {("nrmse", 1e-2): 1.7, ("nrmse", 3e-3): 1.5, ("nrmse", 1e-3): 1.4, ("nrmse", 3e-4): 1.32, ("nrmse", 1e-4): 1.25,
         ("bound", 1e-2): 1.55, ("bound", 1e-3): 1.4, ("bound", 1e-4): 1.28, ("bound", 1e-5): 1.15,
         ("lossless", 0.0): 1.05}
GROUP_GOALS = {("masked real", "nrmse", 1e-2): 1.5, ("masked real", "nrmse", 1e-3): 1.2, ("packed", "step", 0.45): 1.2,
               ("plane", "nrmse", 1e-2): 1.0}
KIND_NAMES = {"nrmse": "NRMSE", "bound": "bound / range", "step": "bound / grid step", "lossless": "lossless"}


@dataclasses.dataclass
class Table:
    title: str
    header: list
    body: list
    note: str = ""

    def markdown(self):
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines.append("| " + " | ".join(map(str, self.header)) + " |")
        lines.append("|" + "---|" * len(self.header))
        lines += ["| " + " | ".join(str(v).replace("|", "\\|") for v in line) + " |" for line in self.body]
        return "\n".join(lines) + "\n"

    def html(self):
        def line(values, tag):
            return "<tr>" + "".join(f"<{tag}>{html.escape(str(v))}</{tag}>" for v in values) + "</tr>"
        note = f"<p>{html.escape(self.note)}</p>" if self.note else ""
        return (f"<h3>{html.escape(self.title)}</h3>{note}<table>{line(self.header, 'th')}"
                + "".join(line(values, "td") for values in self.body) + "</table>")


# -------------------------------------------------------------------------------------------------- gains by cell


@dataclasses.dataclass
class Gain:
    """fmc against the best peer at one target of one field."""

    field: object
    effort: int
    kind: str
    target: float
    size: int = 0
    peer: str = ""
    peer_size: int = 0
    row: dict = None
    failure: str = ""

    @property
    def value(self):
        return self.peer_size / self.size if self.size and self.peer_size else None

    @property
    def small(self):
        """A stream so short that bytes are compared, not ratios."""
        return min(self.size, self.peer_size) < rows.SMALL_STREAM

    @property
    def too_low(self):
        if self.value is None:
            return False
        if self.small:
            return self.size > self.peer_size + rows.SMALL_DIFFERENCE
        return self.value < FLOOR


def gains(fields, own_rows, peer_rows):
    """Gain of each row of fmc. A peer that breaks its bound or has no figure does not count."""
    by_name = {f.name: f for f in fields}
    best = {}
    for row in peer_rows:
        place = (row["field"], row["kind"], float(row["target"]))
        if rows.usable(row) and (place not in best or row["bytes"] < best[place]["bytes"]):
            best[place] = row
    found = []
    for row in own_rows:
        kind, target = row["kind"], float(row["target"])
        gain = Gain(by_name[row["field"]], int(row["effort"]), kind, target, row=row)
        peer = best.get((row["field"], "lossless", 0.0) if kind == "step" else (row["field"], kind, target))
        if peer:
            gain.peer, gain.peer_size = peer["codec"], peer["bytes"]
        if rows.usable(row):
            gain.size = row["bytes"]
        else:
            gain.failure = row.get("note") or "bound broken"
        found.append(gain)
    return found


def geometric_mean(values):
    values = [v for v in values if v and v > 0]
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def _number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}f}"


def targets_of(found):
    order = list(KIND_NAMES)
    return sorted({(g.kind, g.target) for g in found}, key=lambda t: (order.index(t[0]), -t[1]))


def target_name(kind, target):
    return KIND_NAMES[kind] if kind == "lossless" else f"{KIND_NAMES[kind]} {target:g}"


# --------------------------------------------------------------------------------------------------------- tables


def summary(found, effort):
    """Geometric means by target and group for one effort; None without rows."""
    found = [g for g in found if g.effort == effort]
    groups = [name for name in GROUPS if any(name in g.field.groups() for g in found)]
    body = []
    for kind, target in targets_of(found):
        line = [target_name(kind, target)]
        for name in groups:
            here = [g for g in found if (g.kind, g.target) == (kind, target) and name in g.field.groups()]
            line.append(_mean_cell(here, GROUP_GOALS.get((name, kind, target))))
        everywhere = [g for g in found if (g.kind, g.target) == (kind, target) and "all" in g.field.groups()]
        line.insert(2, _number(GOALS.get((kind, target)), 2))
        line.insert(3, _number(geometric_mean(g.value for g in everywhere if not g.small)))
        body.append(line)
    if not body:
        return None
    header = ["target"] + groups
    header[2:2] = ["goal", "all but streams < 2 KB"]
    return Table(f"Best peer's bytes / fmc's, effort {effort}", header, body,
                 "Geometric mean over fields (number of fields). ! = that many rows of fmc failed.")


def _mean_cell(here, goal):
    if not here:
        return "-"
    good = [g.value for g in here if g.value]
    failures = sum(1 for g in here if g.failure)
    text = f"{_number(geometric_mean(good))} ({len(good)})"
    text += f" goal {goal:.2f}" if goal else ""
    return text + (f" !{failures}" if failures else "")


def per_field(found, kind, effort):
    """Gains field by field at the targets of one kind, with the best peer and fmc's coder."""
    found = [g for g in found if g.effort == effort and g.kind == kind]
    targets = [t for _, t in targets_of(found)]
    place = {(g.field.name, g.target): g for g in found}
    body = []
    for field in sorted({g.field.name: g.field for g in found}.values(), key=lambda f: (f.plane, f.kind, f.name)):
        line = [field.name]
        for target in targets:
            line.append(_field_cell(place.get((field.name, target))))
        body.append(line)
    if not body:
        return None
    return Table(f"{KIND_NAMES[kind]}, field by field, effort {effort}", ["field"] + [f"{t:g}" for t in targets], body,
                 "gain, fmc's bytes, (best peer) [fmc's coder and what it did]; * = judged in bytes, a stream is under 2 KB")


def _field_cell(gain):
    if gain is None:
        return "-"
    if gain.failure:
        return f"FAILED: {gain.failure}"
    star = "*" if gain.peer_size and gain.small else ""
    return f"{_number(gain.value)}{star} {gain.size} ({gain.peer or 'no peer'}) [{_way(gain.row)}]"


def too_low(found, effort):
    """The cells of one effort below the floor, worst first."""
    low = sorted((g for g in found if g.too_low and g.effort == effort), key=lambda g: g.value)
    body = [[g.field.name, target_name(g.kind, g.target), _number(g.value), g.size, g.peer_size,
             g.size - g.peer_size, g.peer, _way(g.row), _error_text(g.row)] for g in low]
    note = (f"Gain below {FLOOR}, or for streams under {rows.SMALL_STREAM} bytes more than {rows.SMALL_DIFFERENCE} bytes "
            "longer.")
    return Table(f"Cells below the best peer, effort {effort}",
                 ["field", "target", "gain", "fmc", "peer", "difference", "best peer", "fmc's way", "error / target"], body,
                 note if body else "None.")


def small_streams(found):
    """Every comparison in which a stream is under 2 KB, in bytes and as a ratio."""
    small = [g for g in found if g.value and g.small]
    body = [[g.field.name, g.effort, target_name(g.kind, g.target), g.size, g.peer_size, g.size - g.peer_size,
             _number(g.value), g.peer] for g in sorted(small, key=lambda g: g.peer_size - g.size)]
    return Table("Streams under 2 KB", ["field", "effort", "target", "fmc", "peer", "difference", "gain", "best peer"],
                 body) if body else None


def worst_fields(found, effort, count=8):
    """Fields by their geometric mean over all targets, lowest first."""
    by_field = collections.defaultdict(list)
    for g in found:
        if g.effort == effort and g.value and g.kind in ("nrmse", "bound"):
            by_field[g.field.name].append(g)
    scored = sorted((geometric_mean(g.value for g in gs), name, gs) for name, gs in by_field.items())
    body = []
    for score, name, gs in scored[:count]:
        low = min(gs, key=lambda g: g.value)
        body.append([name, _number(score), _number(low.value), target_name(low.kind, low.target), low.peer])
    return Table(f"Worst fields, effort {effort}", ["field", "mean gain", "lowest", "at", "best peer there"],
                 body) if body else None


def failures(found):
    """Rows of fmc that crashed, raised or broke their bound."""
    body = [[g.field.name, g.effort, target_name(g.kind, g.target), g.failure, _error_text(g.row)]
            for g in found if g.failure]
    return Table("FAILED rows of fmc", ["field", "effort", "target", "what happened", "error / target"],
                 body) if body else None


def _way(row):
    """Coder and detail of a row of fmc."""
    return " ".join(part for part in (row.get("coder"), row.get("layout")) if part)


def _error_text(row):
    """Error reached as a part of the target; blank where the target is in other units."""
    if row["kind"] == "step":
        return "-"
    error = row.get("nrmse") if row["kind"] == "nrmse" else row.get("max_err_rel")
    return f"{error / row['target']:.6g}" if error is not None and row["target"] else "-"


def efforts(found):
    """Bytes of the other efforts relative to the default's."""
    place = {(g.field.name, g.effort, g.kind, g.target): g for g in found if g.size}
    others = sorted({g.effort for g in found} - {DEFAULT_EFFORT})
    body = []
    for kind, target in targets_of(found):
        for effort in others:
            line = [target_name(kind, target), effort]
            for group in ("all", "simulation", "natural real", "packed"):
                ratios = [place[(g.field.name, effort, kind, target)].size / g.size for g in found
                          if g.effort == DEFAULT_EFFORT and (g.kind, g.target) == (kind, target) and g.size
                          and group in g.field.groups() and (g.field.name, effort, kind, target) in place]
                line.append(_number(geometric_mean(ratios)))
            body.append(line)
    return Table(f"Bytes relative to effort {DEFAULT_EFFORT}", ["target", "effort", "all", "simulation", "natural real",
                                                              "packed"], body,
                 "Goals: effort 9 at most 0.94 (simulations 0.90), effort 1 at most 1.05.") if body else None


def peers_seen(peer_rows):
    """How often each peer was the best, broke its bound, or failed."""
    count = collections.defaultdict(collections.Counter)
    best = {}
    for row in peer_rows:
        tally = count[(row["codec"], "stored" if row["effort"] == "stored" else "measured")]
        tally["rows"] += 1
        tally["broken"] += bool(row.get("bytes")) and not row.get("bound_ok")
        tally["failed"] += not row.get("bytes")
        place = (row["field"], row["kind"], float(row["target"]))
        if rows.usable(row) and (place not in best or row["bytes"] < best[place]["bytes"]):
            best[place] = row
    for row in best.values():
        count[(row["codec"], "stored" if row["effort"] == "stored" else "measured")]["best"] += 1
    body = [[codec, origin, t["rows"], t["best"], t["broken"], t["failed"]]
            for (codec, origin), t in sorted(count.items(), key=lambda i: -i[1]["best"])]
    return Table("Peers", ["peer", "figures", "rows", "best of all", "bound broken", "failed"], body) if body else None


def all_tables(found, peer_rows):
    """Every table of a run, the ones to look at first in front."""
    effort_list = sorted({g.effort for g in found}, key=lambda e: (e != DEFAULT_EFFORT, e))
    kinds = [k for k in KIND_NAMES if any(g.kind == k for g in found)]
    made = [failures(found)] + [summary(found, e) for e in effort_list]
    for effort in effort_list[:1]:
        made += [too_low(found, effort), worst_fields(found, effort)]
    made += [efforts(found), small_streams(found)]
    made += [per_field(found, k, e) for e in effort_list for k in kinds] + [peers_seen(peer_rows)]
    return [t for t in made if t is not None]


def split(all_rows):
    """(rows of fmc, rows of peers)."""
    own = [r for r in all_rows if r["codec"] == ours.NAME]
    return own, [r for r in all_rows if r["codec"] != ours.NAME]
