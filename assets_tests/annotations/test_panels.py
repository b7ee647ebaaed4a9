import pytest
from PIL import Image, ImageDraw

from pmc_assets.annotations.panels import Panels, find_panels


def picture(width: int, height: int) -> Image.Image:
    """A photograph-like field without white."""
    return Image.effect_noise((width, height), 60).point(lambda grey: min(grey, 180)).convert("RGB")


def plot(width: int, height: int) -> Image.Image:
    """Axes with bars, ticks at the left and a label below, on white."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.line((40, 10, 40, height - 40, width - 5, height - 40), "black", 2)
    for bar in range(4):
        left = 55 + bar * (width - 70) // 4
        draw.rectangle((left, height // 3 + 9 * bar, left + (width - 70) // 7, height - 40), "steelblue")
    for tick in range(5):
        draw.text((12, 12 + tick * (height - 60) // 5), f"{tick}.0", "black")
    draw.text((width // 2, height - 20), "time (h)", "black")
    return image


def layout(panels: list[list[Image.Image]], gutter: int, ground: str = "white") -> Image.Image:
    width = max(sum(p.width for p in row) + gutter * (len(row) - 1) for row in panels)
    height = sum(row[0].height for row in panels) + gutter * (len(panels) - 1)
    image, top = Image.new("RGB", (width, height), ground), 0
    for row in panels:
        left = 0
        for panel in row:
            image.paste(panel, (left, top))
            left += panel.width + gutter
        top += row[0].height + gutter
    return image


@pytest.mark.parametrize("draw", [picture, plot])
@pytest.mark.parametrize(
    ("shape", "subtype"),
    [((1,), "one"), ((2,), "row"), ((1, 1), "column"), ((2, 2), "grid"), ((3, 3), "grid"), ((1, 2), "mixed")],
)
def test_layouts_of_pictures_and_plots(draw, shape: tuple[int, ...], subtype: str) -> None:
    rows = [[draw((640 - 16 * (n - 1)) // n, 220) for _ in range(n)] for n in shape]
    assert find_panels(layout(rows, 16)) == Panels(sum(shape), subtype)


def test_black_gutters_between_pictures() -> None:
    bright = [[picture(200, 200).point(lambda grey: max(grey, 60)) for _ in range(2)] for _ in range(2)]
    assert find_panels(layout(bright, 8, "black")) == Panels(4, "grid")


def test_picture_with_a_dark_middle_is_one_panel() -> None:
    image = Image.new("RGB", (300, 300), "black")
    draw = ImageDraw.Draw(image)
    for centre in (80, 220):
        draw.ellipse((centre - 40, 110, centre + 40, 190), "grey")
    assert find_panels(image).count == 1


def test_flow_chart_formula_and_title_are_one_panel() -> None:
    chart = Image.new("RGB", (400, 500), "white")
    draw = ImageDraw.Draw(chart)
    for top in (20, 200, 380):
        draw.rectangle((60, top, 340, top + 90), outline="black", width=2)
        draw.line((200, top + 90, 200, min(499, top + 180)), "black", 2)
    formula = Image.new("RGB", (420, 120), "white")
    draw = ImageDraw.Draw(formula)
    draw.text((60, 50), "s  =", "black", font_size=26)
    draw.text((150, 20), "(x - m)(y - m) + b ln t", "black", font_size=26)
    draw.line((150, 60, 400, 60), "black", 2)
    titled = layout([[picture(400, 24)], [picture(400, 300)]], 12)
    assert [find_panels(image).count for image in (chart, formula, titled)] == [1, 1, 1]


def test_labels_beside_a_blot_are_no_panels() -> None:
    blot = Image.new("RGB", (250, 325), "white")
    draw = ImageDraw.Draw(blot)
    for top in range(15, 290, 55):
        draw.rectangle((75, top, 185, top + 50), "lightgrey", "black")
        draw.text((8, top + 16), "Bcl-2", "black", font_size=16)
        draw.text((195, top + 16), "26 kDa", "black", font_size=14)
    assert find_panels(blot).count == 1


@pytest.mark.parametrize("image", [Image.new("RGB", (1, 1)), Image.new("RGB", (300, 300), "white"), picture(2, 900)])
def test_degenerate_images_are_one_panel(image: Image.Image) -> None:
    assert find_panels(image) == Panels(1, "one")
