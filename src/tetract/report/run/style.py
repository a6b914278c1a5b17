"""How the page about a run looks, beyond what all pages share."""

from __future__ import annotations

from typing import Final

CSS: Final = """
nav{display:flex;flex-wrap:wrap;gap:4px 20px;padding:12px 0 0;font-size:14px}
nav a{text-decoration:none}
h2{border-top:1px solid var(--line);padding-top:26px;font-size:21px;scroll-margin-top:8px}
h3{margin:26px 0 10px}
h4{font-size:15px;font-weight:600;margin:0 0 6px;overflow-wrap:anywhere}
.caption{color:var(--soft);font-size:13px;line-height:1.45;margin:6px 0 0;max-width:76ch}
.banner{margin:14px 0 0;max-width:none;border-radius:3px}
.tablebox .banner{margin-bottom:10px}
.tiles{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:18px;margin:22px 0 6px}
.tile{border:1px solid var(--line);border-radius:8px;padding:14px 16px;break-inside:avoid;
display:flex;flex-direction:column}
.tile .over{margin:0;font-size:12px}
.tile p{margin:0;font-size:13px;line-height:1.4;color:var(--soft)}
.tile .big{font-size:34px;line-height:1.25;font-weight:650;color:var(--ink);
font-variant-numeric:tabular-nums;letter-spacing:-.02em}
.tile .range{color:var(--ink)}
.tile .rows{margin-top:12px;padding-top:10px;border-top:1px solid var(--line)}
.tile .row{grid-template-columns:minmax(0,5.6em) minmax(0,1fr) 3em;gap:8px;min-height:22px;
font-size:12.5px}
.tile .rowname,.tile .rownum{font-size:12.5px}
.tile .rowname small,.tile .rownum small{display:none}
.tile .foot{min-height:20px}.tile .rowtrack{min-height:18px}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,270px),1fr));
gap:26px 34px;align-items:start;margin:6px 0 18px}
.chart svg{display:block;width:100%;height:auto;max-width:400px}
.chart.wide{grid-column:span 2}
.chart text{font-size:11px;fill:var(--soft);font-family:inherit;font-variant-numeric:tabular-nums}
.chart text.axis{font-size:12px;fill:var(--ink)}
.grid-line{stroke:#e6eaee;stroke-width:1}
.guide{fill:none;stroke:#9aa7b3;stroke-width:1;stroke-dasharray:3 3}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.band{fill-opacity:.13;stroke:none}
.linekey{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px;margin:0 0 6px}
.linekey svg{display:inline-block;width:26px;height:10px;margin-right:6px;vertical-align:0}
.rows{display:grid;gap:2px}
.row{display:grid;grid-template-columns:minmax(0,11em) minmax(0,1fr) 9.2em;gap:16px;
align-items:center;min-height:38px;break-inside:avoid}
.rowname{line-height:1.25;overflow-wrap:anywhere;font-size:14px}
.rowname small,.rownum small{display:block;color:var(--soft);font-size:12px}
.rownum{text-align:right;font-variant-numeric:tabular-nums;line-height:1.25;font-size:14px}
.rowtrack{position:relative;align-self:stretch;min-height:30px;
background:linear-gradient(var(--line),var(--line)) 0 50%/100% 1px no-repeat;
border-left:1px solid #b8c2cb;border-right:1px solid var(--line)}
.rowtrack i,.rowscale i{position:absolute;font-style:normal}
.whisker{top:50%;height:4px;margin-top:-2px;background:#0b5c8c;border-radius:2px;opacity:.55}
.point{top:50%;width:9px;height:9px;margin:-4.5px 0 0 -4.5px;background:#0b5c8c;
transform:rotate(45deg)}
.dot{width:8px;height:8px;margin:-4px 0 0 -4px;border-radius:50%;background:#d55e00;opacity:.5}
.foot{min-height:34px;align-items:start}
.rowscale{position:relative;height:30px;font-size:11px;color:var(--soft)}
.tick{top:0;transform:translateX(-50%);font-variant-numeric:tabular-nums}
.axisname{position:absolute;top:14px;left:0;right:0;text-align:center;font-size:12px;
color:var(--ink)}
.tile .axisname{display:none}
.matrix{min-width:0;font-size:14px}
.matrix th,.matrix td{padding:7px 6px;font-size:13px;
border:1px solid #fff;vertical-align:middle}
.matrix td b{display:block;font-weight:600}.matrix td small{font-size:12px;white-space:nowrap;
color:var(--soft)}
.matrix .dark,.matrix .dark small{color:#fff}
.tablebox{margin:0 0 30px}
.figures{width:100%;min-width:0;line-height:1.3}
.figures th,.figures td{padding:6px 0 6px 10px}
.figures tr>:first-child{padding-left:0}
.figures b{display:block;font-weight:600}
.figures small{display:block;font-size:11px;letter-spacing:-.01em;
color:var(--soft);white-space:nowrap}
.figures th{vertical-align:bottom;line-height:1.25;font-size:12px}
.figures td:first-child{white-space:nowrap}
.figures caption{font-size:15px}
details{margin:8px 0 20px}
summary{cursor:pointer;color:var(--accent);font-weight:600;margin:0 0 12px}
.case{margin:18px 0 26px;break-inside:avoid}
.place{display:inline-block;min-width:4.6em;font-size:12px;letter-spacing:.05em;
text-transform:uppercase;font-weight:650;color:var(--soft)}
.panels{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:14px;margin-top:8px}
.panels figcaption b{font-size:13.5px}
.panels .caption{font-size:12px}
.pic{image-rendering:auto}
.card{border:1px solid var(--line);border-radius:8px;padding:4px 18px 8px;margin:0 0 18px}
.card h3{margin:12px 0 6px}
.remarks{list-style:none;padding:0}
.remarks li{display:grid;grid-template-columns:7.4em minmax(0,1fr);gap:12px;max-width:none;
padding:5px 0;border-top:1px solid var(--line);margin:0}
.remarks li:first-child{border-top:0}
.verdict{font-size:12px;white-space:nowrap;font-weight:650;border-radius:3px;
padding:1px 8px;justify-self:start;
align-self:start;line-height:1.6}
.verdict.good{background:#e3f3ec;color:#00563f}.verdict.note{background:#e8f0f6;color:#0b4a70}
.verdict.bad{background:#fdecea;color:#8c1d18}
.verdict.unknown{background:#eef0f2;color:#4d5965}
@media (max-width:1000px){.tiles{grid-template-columns:repeat(2,minmax(0,1fr))}
.panels{grid-template-columns:repeat(2,minmax(0,1fr))}.chart.wide{grid-column:auto}}
@media (max-width:560px){.tiles{grid-template-columns:1fr}
.row{grid-template-columns:minmax(0,7em) minmax(0,1fr) 6em;gap:8px}
.rownum small{font-size:11px}.remarks li{grid-template-columns:1fr;gap:2px}
.figures{min-width:560px}}
@media print{nav{display:none}h2{padding-top:14px}
.tiles{grid-template-columns:repeat(4,minmax(0,1fr));gap:8px}.tile{padding:8px 10px}
.tile .big{font-size:22pt}.tile p{font-size:8.5pt}
.charts{grid-template-columns:repeat(2,minmax(0,1fr));gap:16px}
.chart.wide{grid-column:span 2}.chart svg{max-width:320px}
.panels{grid-template-columns:repeat(4,minmax(0,1fr));gap:8px}
.scroll{overflow:visible}.figures{font-size:8.5pt}.figures small{font-size:7pt;white-space:normal}
.figures th{font-size:7.5pt}.figures th,.figures td{padding:3px 0 3px 7px}
.caption{font-size:8.5pt}.tablebox,.card li{break-inside:avoid}
details::details-content{content-visibility:visible;height:auto;display:block}
summary{list-style:none;color:var(--ink)}pre{font-size:7.5pt}details pre{columns:3}
.curves{grid-template-columns:repeat(3,minmax(0,1fr));gap:12px}
h3,h4,.task-head{break-after:avoid}}
"""
