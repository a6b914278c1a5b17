"""How our pages look, and the shell that makes one file of them."""

from __future__ import annotations

import base64
import hashlib

from tetract.report.markup import Html, el

NOTICE = (
    "Research use only. Not a medical device: not for diagnosis, treatment or any decision "
    "about a patient."
)

_CSS = """
:root{--ink:#17202a;--soft:#5b6875;--line:#dfe4e9;--wash:#f5f7f9;--accent:#0b5c8c;--warn:#8a4b00;
--warnwash:#fff6e6}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:#fff;color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",Arial,sans-serif}
main,header>div{max-width:1240px;margin:0 auto;padding:0 28px}
header{border-bottom:1px solid var(--line);padding:26px 0 18px}
h1{font-size:27px;line-height:1.25;margin:0 0 4px;font-weight:650;letter-spacing:-.01em;
overflow-wrap:anywhere}
h2{font-size:19px;margin:38px 0 12px;font-weight:650}
h3{font-size:16px;margin:0 0 10px;font-weight:600;overflow-wrap:anywhere}
h3 .soft{font-weight:400}
p{margin:6px 0 10px;max-width:78ch}
.over{color:var(--accent);font-size:12.5px;font-weight:650;letter-spacing:.07em;
text-transform:uppercase;margin:0 0 4px}
.soft{color:var(--soft)}
.banner{background:#fdecea;color:#8c1d18;border-left:4px solid #c62828;padding:.6rem .9rem;
font-weight:600}
.notice{background:var(--warnwash);color:var(--warn);border-left:4px solid #e0921a;
padding:9px 14px;margin:14px 0 0;border-radius:3px;font-weight:550}
.grid{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:20px}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:36px}
figure{margin:0;min-width:0;break-inside:avoid}
figcaption{margin:0 0 6px;line-height:1.35}
figcaption b{font-weight:600;display:block}
figcaption span{color:var(--soft);font-size:13px}
.pic,.frame img{display:block;width:100%;height:auto;background:#000;border-radius:6px}
.pic{overflow:hidden}
.blank{aspect-ratio:1;border:1px dashed #c3cbd3;border-radius:6px;background:var(--wash);
display:flex;align-items:center;justify-content:center;text-align:center;color:var(--soft);
padding:24px}
.plain{border:1px solid var(--line);border-radius:6px;padding:16px 18px;aspect-ratio:1;
overflow:auto;display:flex;flex-direction:column;justify-content:center}
.mask{fill-opacity:.24;fill-rule:evenodd;stroke-width:1.4;vector-effect:non-scaling-stroke;
stroke-linejoin:round}
.box{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}
.tag{font-family:inherit;font-weight:650;paint-order:stroke;stroke:#000;stroke-width:.22em;
stroke-linejoin:round;stroke-opacity:.85}
.key{display:flex;flex-wrap:wrap;gap:2px 14px;margin-top:7px;font-size:13px}
.key i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:5px;
vertical-align:-1px;border:1px solid rgba(0,0,0,.25)}
.scale{height:9px;border-radius:2px;margin-top:8px}
.ends{display:flex;gap:14px;justify-content:space-between;font-size:12.5px;color:var(--soft)}
.bars{margin:0;display:grid;gap:9px}
.bars>div{display:grid;grid-template-columns:minmax(6em,36%) 1fr 3.9em;gap:9px;
align-items:center}
.bars dt{overflow-wrap:anywhere;line-height:1.25}
.bars dd{margin:0}
.track{background:#e9edf1;border-radius:3px;height:14px;overflow:hidden}
.bar{display:block;height:100%;background:#8fa6b8}
.best dt,.best .num{font-weight:650}
.best .bar{background:var(--accent)}
.num{text-align:right;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;margin:0 0 8px}
.scroll+p{margin:0 0 24px}
table{border-collapse:collapse;min-width:min(100%,620px);font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th,td{text-align:left;padding:5px 26px 5px 0;border-bottom:1px solid var(--line);
vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:13px}
td.n,th.n{text-align:right}
tr>:last-child{padding-right:0}
thead th{border-bottom:1.5px solid #b8c2cb}
a{color:var(--accent)}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}
.facts dt{color:var(--soft)}
.facts dd{margin:0;overflow-wrap:anywhere}
ul{padding-left:20px;margin:6px 0}
li{margin:4px 0;max-width:78ch;overflow-wrap:anywhere}
.warnings li{color:var(--warn)}
pre,code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--wash);border:1px solid var(--line);border-radius:6px;padding:12px 14px;
overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;margin:8px 0}
.slice{margin:0 0 34px;scroll-margin-top:16px}
.control{display:none;margin:0 0 16px}
.js .control{display:block}
.js .slice{display:none}
.js .slice.now{display:block}
.control p{margin:0 0 4px;font-size:13px}
.control label{display:flex;gap:14px;align-items:center;font-size:14px}
.control input{flex:1;accent-color:var(--accent);min-width:80px;margin:0}
.control output{min-width:11em;text-align:right;font-variant-numeric:tabular-nums}
.strip{display:block;width:100%;height:34px;margin:0 0 6px;border-bottom:1px solid #b8c2cb}
.strip .on{fill:#7d96a9}.strip .off{fill:#d3dae0}.strip .now{fill:#d55e00}
.js .strip .on{cursor:pointer}
.curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(270px,1fr));gap:22px}
.curves svg{display:block;width:100%;height:auto}
.curves .raw{fill:none;stroke:#9db3c4;stroke-width:1}
.curves .smooth{fill:none;stroke:var(--accent);stroke-width:2;stroke-linejoin:round}
.curves .axis{stroke:var(--line);stroke-width:1}
.curves text{font-size:11px;fill:var(--soft);font-family:inherit}
.curves circle{fill:var(--accent)}
.shots{display:grid;grid-template-columns:repeat(auto-fill,minmax(330px,1fr));gap:20px}
footer{margin:44px 0 30px;padding-top:14px;border-top:1px solid var(--line);color:var(--soft);
font-size:13px}
@media (max-width:1150px){.grid figcaption span{display:block;min-height:2.7em}}
@media (max-width:900px){.grid{grid-template-columns:repeat(2,minmax(0,1fr))}
.two{grid-template-columns:1fr;gap:8px}}
@media (max-width:560px){.grid{grid-template-columns:1fr}.grid figcaption span{min-height:0}
main,header>div{padding:0 16px}
.plain,.blank{aspect-ratio:auto}.control p{margin:0 0 4px;font-size:13px}
.control label{flex-wrap:wrap}.control output{text-align:left}
h1{font-size:22px}}
@media print{@page{size:A4;margin:12mm}body{font-size:10.5pt;-webkit-print-color-adjust:exact;
print-color-adjust:exact}header{padding-top:0}main,header>div{padding:0;max-width:none}
.js .control{display:none}.grid{grid-template-columns:repeat(3,minmax(0,1fr));gap:12px}
.slice{break-inside:avoid}h2{margin-top:22px;break-after:avoid}tr{break-inside:avoid}
a{color:inherit;text-decoration:none}.plain{padding:8px;font-size:9pt}
.grid figcaption span{display:block;min-height:2.7em}}
"""


def document(title: str, body: Html, script: str = "", css: str = "") -> str:
    """A whole page in one string.

    The content policy allows no network at all and no script except ``script`` itself, whose hash
    it names: text from a file that slipped through could still not run.

    Args:
        title: Shown in the browser's tab; escaped.
        body: What is inside ``<body>``.
        script: Our own JavaScript, or nothing.
        css: Our own style of this kind of page, beyond what all share.
    """
    allowed = "'none'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        allowed = f"'sha256-{digest}'"
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=policy),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="referrer", content="no-referrer"),
        el("title", title),
        el("style", Html(_CSS + css)),
    )
    code = el("script", Html(script)) if script else Html()
    page = el("html", head, el("body", body, code), lang="en")
    return f"<!doctype html>\n{page}\n"


def header(over: str, title: str, line: str) -> Html:
    """Top of a page: kind, name, one line, and the research-use notice."""
    inside = el(
        "div",
        el("p", over, class_="over"),
        el("h1", title),
        el("p", line, class_="soft"),
        el("p", NOTICE, class_="notice", role="note"),
    )
    return el("header", inside)
