"""The visual classes of the sample: name, how it is drawn, which global concept of the taxonomy it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pmc_assets.sample.drawing import assays, micrographs, plots, radiology, scenes, schematics, typeset

Drawing = Callable[[np.random.Generator, int, int], Image.Image]


@dataclass(frozen=True, slots=True)
class VisualClass:
    """One class: `share` is its weight among figures, 0 where only tables or formulae show it.

    `detail` is the side at which it is drawn, as a fraction of the side asked for: textures need no more, and drawing
    time goes with the square.
    """

    name: str
    concept: str
    drawing: Drawing
    share: float
    detail: float = 1.0

    def draw(self, rng: np.random.Generator, width: int, height: int) -> Image.Image:
        image = self.drawing(rng, max(96, round(width * self.detail)), max(96, round(height * self.detail)))
        return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BILINEAR)


CLASSES = {
    c.name: c
    for c in (
        VisualClass("line_plot", "Plots and Charts", plots.draw_line_plot, 12),
        VisualClass("bar_plot", "Plots and Charts", plots.draw_bar_plot, 11),
        VisualClass("scatter_plot", "Plots and Charts", plots.draw_scatter_plot, 8),
        VisualClass("fluorescence", "Microscopy", micrographs.draw_fluorescence, 10, 0.6),
        VisualClass("histology", "Microscopy", micrographs.draw_histology, 9, 0.6),
        VisualClass("electron_micrograph", "Microscopy", micrographs.draw_electron_micrograph, 5, 0.6),
        VisualClass("western_blot", "Immuno Assays", assays.draw_western_blot, 8),
        VisualClass("agarose_gel", "PCR", assays.draw_agarose_gel, 5),
        VisualClass("culture_plate", "Lab Specimens and Cultures", assays.draw_culture_plate, 4, 0.6),
        VisualClass("brain_mri", "Clinical Imaging", radiology.draw_brain_mri, 6, 0.6),
        VisualClass("chest_radiograph", "Clinical Imaging", radiology.draw_chest_radiograph, 5, 0.6),
        VisualClass("ultrasound", "Clinical Imaging", radiology.draw_ultrasound, 4, 0.6),
        VisualClass("flow_diagram", "Illustrative Diagrams", schematics.draw_flow_diagram, 7),
        VisualClass("chemical_structure", "Chemical Structures", schematics.draw_chemical_structure, 5),
        VisualClass("network", "Graph and Network", schematics.draw_network, 4),
        VisualClass("map", "Maps", scenes.draw_map, 4, 0.5),
        VisualClass("landscape", "Natural Images", scenes.draw_landscape, 4, 0.4),
        VisualClass("table", "Tables", typeset.draw_table, 0),
        VisualClass("formula", "Scientific Formulae and Equations", typeset.draw_formula, 0),
    )
}
MIXED = "mixed"
FIGURE_CLASSES = tuple(name for name, c in CLASSES.items() if c.share)
FIGURE_SHARES = np.array([CLASSES[name].share for name in FIGURE_CLASSES]) / sum(c.share for c in CLASSES.values())
