"""The gains as an SVG: a row a set, its mean difference over collections and each one's."""

from collections.abc import Mapping
from html import escape

import numpy as np

from benchmarks.gain.table import Gain, mean_difference

_ROW, _LEFT, _RIGHT, _TOP = 24, 210, 40, 56
_STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #333 }
  .title { font-size: 15px; font-weight: 600 } .grid { stroke: #ddd } .zero { stroke: #888 }
  .one { fill: #94a3b8 } .mean { fill: #0b6e4f } .paper { fill: #fff }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } .grid { stroke: #3a3a3a } .paper { fill: #161616 } .mean { fill: #4ade80 }
  }
"""


def gain_plot(found: Mapping[tuple[str, str], Gain], baseline: str) -> str:
    """Sets in the order of their mean difference to the baseline; those without one are left out.

    A small dot is a collection, the large one the mean over them.
    """
    means = {name: mean_difference(found, name) for _, name in found}
    names = sorted((n for n in means if not np.isnan(means[n])), key=lambda n: -means[n])
    shown = {n: [g for (_, name), g in found.items() if name == n] for n in names}
    reach = max((abs(g.difference) for gains in shown.values() for g in gains), default=0) or 0.01
    step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if reach / s <= 4 or s == 0.5)
    width, height = 860, _TOP + _ROW * len(names) + 40
    middle = _LEFT + (width - _LEFT - _RIGHT) / 2
    scale = (width - _LEFT - _RIGHT) / 2 / (np.ceil(reach / step) * step)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        f'<text class="title" x="12" y="24">Difference in nDCG@10 to {escape(baseline)}</text>',
    ]
    for tick in range(-4, 5):
        x = middle + tick * step * scale
        if not _LEFT - 1 <= x <= width - _RIGHT + 1:
            continue
        kind = "grid" if tick else "zero"
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="40" y2="{height - 30}"/>')
        label = f"{tick * step:+.3f}" if tick else "0"
        parts.append(f'<text x="{x:.1f}" y="{height - 12}" text-anchor="middle">{label}</text>')
    for row, name in enumerate(names):
        y = _TOP + _ROW * row
        label = escape(f"{name} {means[name]:+.3f}")
        parts.append(f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{label}</text>')
        for (collection, key), gain in found.items():
            if key == name:
                x = middle + gain.difference * scale
                told = escape(f"{collection}: {gain.difference:+.4f} ± {gain.error:.4f}")
                dot = f'<circle class="one" cx="{x:.1f}" cy="{y}" r="4">'
                parts.append(f"{dot}<title>{told}</title></circle>")
        x = middle + means[name] * scale
        parts.append(f'<circle class="mean" cx="{x:.1f}" cy="{y}" r="6"/>')
    return "\n".join([*parts, "</svg>", ""])
