"""The parts of the findings page that are words and tables."""

from __future__ import annotations

from tetract.report.findings_json import mask_rows
from tetract.report.markup import TIMES, Html, el, join
from tetract.report.tables import render
from tetract.types import Findings, LesionBox
from tetract.types.table import Table

# Shows one slice at a time. Without it every slice stays visible, one below the other.
SCRIPT = """
(function(){
var pick=document.getElementById('pick'),all=document.querySelectorAll('.slice');
if(!pick||all.length<2)return;
document.documentElement.className='js';
var out=document.querySelector('.control output'),cols=document.querySelectorAll('.strip rect');
var at={};for(var i=0;i<all.length;i++)at[all[i].id]=i;
var on=document.querySelectorAll('.strip .on');
function show(i){i=Math.max(0,Math.min(all.length-1,i));pick.value=i;
for(var k=0;k<all.length;k++){all[k].classList.toggle('now',k===i);
if(on[k])on[k].classList.toggle('now',k===i);}
out.textContent=all[i].getAttribute('data-name')+' ('+(i+1)+' of '+all.length+' shown)';}
pick.addEventListener('input',function(){show(+pick.value);});
document.addEventListener('keydown',function(e){
if(e.target===pick||e.altKey||e.ctrlKey||e.metaKey)return;
if(e.key==='ArrowLeft')show(+pick.value-1);else if(e.key==='ArrowRight')show(+pick.value+1);});
for(var j=0;j<on.length;j++)(function(j){on[j].addEventListener('click',function(){show(j);});})(j);
function jump(){var id=location.hash.slice(1);if(id in at){show(at[id]);
all[at[id]].scrollIntoView();}}
window.addEventListener('hashchange',jump);show(+pick.value);jump();
})();
"""

HOW_TO_READ = el(
    "ul",
    el(
        "li",
        "Slices are counted from 0 in the order of the study. Boxes are x0 y0 x1 y1 in pixels "
        "of the original slice, from the upper left corner; the last row and column are not "
        "part of the box.",
    ),
    el(
        "li",
        "Scores and probabilities are the network's own confidence. They are not calibrated: "
        "0.8 does not mean right in 8 of 10 cases.",
    ),
    el("li", "“Looked; found nothing” is an answer. “No head” is not: the model was never asked."),
    el(
        "li",
        "Masks may overlap, for instance infection inside lung. In the label map the later "
        "class of the list covers the earlier one; pixel counts and volumes here do not.",
    ),
    el(
        "li",
        "The residual shows where the decoder fails to redraw the slice. It can be bright at "
        "sharp edges and noise as well as at disease, and is no finding of its own.",
    ),
    el(
        "li",
        "Sizes are in mm and ml only where the file gives its voxel grid; they are never "
        "guessed for a picture.",
    ),
)


def facts(findings: Findings) -> Html:
    """Where the study came from and what ran on it."""
    source = findings.provenance
    rows = [
        ("Source", f"{source.name} ({source.reader})"),
        ("Slices", f"{len(findings.slices)}"),
        *_grid_facts(findings),
        ("Model", findings.model),
        ("Tasks", ", ".join(findings.tasks)),
        (
            "Values",
            "derived: some were interpolated or assumed on request"
            if source.derived
            else "as stored in the file",
        ),
    ]
    pairs = join(join((el("dt", name), el("dd", words))) for name, words in rows)
    return el("div", el("h3", "Provenance"), el("dl", pairs, class_="facts"))


def _grid_facts(findings: Findings) -> list[tuple[str, str]]:
    if findings.geometry is None:
        return [("Grid", "unknown: the file has no voxel size, so nothing is in mm")]
    depth, height, width = findings.geometry.shape
    steps = f" {TIMES} ".join(f"{step:.3g}" for step in findings.geometry.spacing_mm)
    low, high = findings.window_hu
    return [
        ("Grid", f"{depth} {TIMES} {height} {TIMES} {width} (slices, rows, columns)"),
        ("Spacing", f"{steps} mm"),
        ("Window", f"{low:g} to {high:g} HU"),
    ]


def warnings(findings: Findings) -> tuple[Html, ...]:
    """The readers' warnings, or nothing."""
    lines = findings.provenance.warnings
    if not lines:
        return ()
    return (el("h2", "Warnings"), el("ul", *(el("li", line) for line in lines), class_="warnings"))


def lesions(findings: Findings, shown: frozenset[int], most: int) -> Html:
    """The table of lesions, best score first; slices on the page are links."""
    if all(found.boxes is None for found in findings.slices):
        return el("p", "This model has no detection head: no lesion was looked for.", class_="soft")
    found = [(at, box) for at, s in enumerate(findings.slices) for box in s.boxes or ()]
    if not found:
        return el("p", "Looked at every slice; found nothing above the threshold.")
    found.sort(key=lambda pair: -pair[1].score)
    rows = tuple(_lesion_row(findings, at, box, at in shown) for at, box in found[:most])
    note = (
        f"The {most} best of {len(found):,}; all are in findings.json." if len(found) > most else ""
    )
    columns = ("Slice", "Name", "Label", "Score", "Size", "Box (px)")
    return render(Table(title="", columns=columns, rows=rows, note=note))


def _lesion_row(
    findings: Findings, at: int, box: LesionBox, linked: bool
) -> tuple[str | float, ...]:
    found = findings.slices[at]
    x0, y0, x1, y1 = box.xyxy_px
    size = f"{x1 - x0:.0f} {TIMES} {y1 - y0:.0f} px"
    if box.size_mm is not None:
        size = f"{box.size_mm[0]:.1f} {TIMES} {box.size_mm[1]:.1f} mm"
    link = el("a", str(found.index), href=f"#slice-{found.index}")
    corners = f"{x0:.1f}, {y0:.1f}, {x1:.1f}, {y1:.1f}"
    return (link if linked else str(found.index), found.name, box.label, f"{box.score:.2f}", size,
            corners)  # fmt: skip


def masks(findings: Findings) -> Html:
    """Pixels, and volume where the grid is known, of each mask class over the whole study."""
    rows = mask_rows(findings)
    if rows is None:
        words = "This model has no segmentation head: nothing was outlined."
        return el("p", words, class_="soft")
    cells = tuple((r["label"], r["slices"], r["pixels"], r["volume_ml"]) for r in rows)
    note = ""
    if all(row["volume_ml"] is None for row in rows):
        note = "No volume: it needs a voxel grid of at least two slices."
    columns = ("Class", "Slices with it", "Pixels", "Volume (ml)")
    return render(Table(title="", columns=columns, rows=cells, note=note))
