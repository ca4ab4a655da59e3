#include "report/style.hpp"

namespace conductorai::report {

const std::string_view kStyle = R"css(
:root{color-scheme:light dark;
--page:#f7f7f5;--panel:#fff;--ink:#1b1e22;--soft:#5a616b;--line:#e2e3e0;--code:#f3f3f0;--link:#1d5fae;
--passed:#17703f;--passed-soft:#dff1e6;--failed:#b3261e;--failed-soft:#fbe4e1;--running:#1d5fae;--running-soft:#e0ebf8;
--waiting:#845400;--waiting-soft:#f8ebd0;--skipped:#5a616b;--skipped-soft:#ebecea;--bar-text:#fff;--band:#00000008}
@media(prefers-color-scheme:dark){:root{
--page:#121416;--panel:#1a1d20;--ink:#e3e5e8;--soft:#a1a8b1;--line:#2d3237;--code:#14171a;--link:#83b6f5;
--passed:#63c88e;--passed-soft:#173325;--failed:#ff8c82;--failed-soft:#43201e;--running:#83b6f5;--running-soft:#1b2f48;
--waiting:#e3b75c;--waiting-soft:#3a2d12;--skipped:#a1a8b1;--skipped-soft:#262a2e;--bar-text:#111;--band:#ffffff0a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:3.2rem}
body{margin:0 auto;max-width:70rem;padding:1.75rem 1.25rem 3rem;background:var(--page);color:var(--ink);
font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1,h2,h3,h4,p,ul,ol,dl,figure,pre{margin:0}
h1{font-size:1.75rem;line-height:1.2;font-weight:650;letter-spacing:-.015em;display:flex;flex-wrap:wrap;align-items:center;gap:.35em .6em}
h2{font-size:1.125rem;font-weight:650;margin-bottom:.85rem}
h3{font-size:1rem;font-weight:650;display:flex;flex-wrap:wrap;align-items:center;gap:.3em .55em}
h4{font-size:.8125rem;font-weight:600;color:var(--soft);margin:1rem 0 .35rem}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.8125rem;unicode-bidi:isolate}
pre{background:var(--code);border:1px solid var(--line);border-radius:6px;padding:.6rem .75rem;overflow:auto;max-height:26rem;line-height:1.5;
overflow-wrap:normal;tab-size:4}
.dim,.meta,.note{color:var(--soft)}.meta,.note{font-size:.8125rem}.note{margin-top:.5rem}
.over{font-size:.8125rem;color:var(--soft);margin-bottom:.25rem}
.lead{font-size:1.0625rem;color:var(--soft);margin-top:.35rem;max-width:46rem}
.pill{display:inline-block;font-size:.75rem;font-weight:600;line-height:1;padding:.3em .6em;border-radius:99px;letter-spacing:.01em;white-space:nowrap}
h1 .pill{font-size:.8125rem}
.pill.passed{background:var(--passed-soft);color:var(--passed)}
.pill.failed,.pill.error{background:var(--failed-soft);color:var(--failed)}
.pill.running{background:var(--running-soft);color:var(--running)}
.pill.waiting{background:var(--waiting-soft);color:var(--waiting)}
.pill.skipped,.pill.done{background:var(--skipped-soft);color:var(--skipped)}
.notice{border-left:3px solid;border-radius:0 6px 6px 0;padding:.5rem .8rem;margin-top:.75rem}
.notice b{margin-right:.35em}
.notice.failed{border-color:var(--failed);background:var(--failed-soft)}
.notice.waiting{border-color:var(--waiting);background:var(--waiting-soft)}
.notice.running{border-color:var(--running);background:var(--running-soft)}
.notice.passed,.notice.skipped{border-color:var(--skipped);background:var(--skipped-soft)}
dl.facts{display:flex;flex-wrap:wrap;gap:.9rem 2.2rem;margin-top:1.35rem}
dl.facts dt{font-size:.8125rem;color:var(--soft)}
dl.facts dd{margin:0;font-size:1.1875rem;font-weight:600;line-height:1.35;letter-spacing:-.01em}
dl.where{display:flex;flex-wrap:wrap;gap:.15rem 1.6rem;margin-top:1rem;font-size:.8125rem}
dl.where div{display:flex;gap:.5em;min-width:0}dl.where dt{color:var(--soft);flex:none}dl.where dd{margin:0;min-width:0}
.requirement{margin-top:1rem}
summary{cursor:pointer;list-style-position:outside;margin-left:1.05em}
.requirement summary,.fold summary{color:var(--link);font-size:.875rem}
.requirement pre{margin-top:.5rem;white-space:pre-wrap}
nav{position:sticky;top:0;z-index:2;display:flex;gap:1.1rem;overflow-x:auto;margin:1.5rem 0 0;padding:.6rem 0;background:var(--page);
border-bottom:1px solid var(--line);font-size:.875rem;white-space:nowrap;scrollbar-width:none}
section{padding:1.6rem 0 1.7rem}
section+section{border-top:1px solid var(--line)}
.scroll{overflow-x:auto;max-width:100%}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;font-size:.8125rem;color:var(--soft);margin-bottom:.6rem}
.legend i{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.4em;background:var(--skipped)}
.legend i.passed{background:var(--passed)}.legend i.failed{background:var(--failed)}.legend i.running{background:var(--running)}
.legend i.error{background:var(--panel);border:2px solid var(--failed)}.legend i.sent{background:none;border-left:2px dashed var(--waiting);border-radius:0}
.gantt{display:grid;grid-template-columns:minmax(5.5rem,max-content) minmax(0,1fr);column-gap:.75rem;background:var(--panel);border:1px solid var(--line);
border-radius:8px;padding:.4rem .75rem .2rem}
.gantt .labels{list-style:none;padding:24px 0 0;font-size:.8125rem;max-width:11rem}
.gantt .labels li{height:26px;line-height:26px;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.gantt svg{display:block;overflow:hidden}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--ink)}
.band{fill:var(--band)}
svg .round{font-size:12px;fill:var(--soft)}svg .short{display:none}
.opened{stroke:var(--line)}
.grid{stroke:var(--line);stroke-dasharray:1 4}
svg .tick{font-size:11px;fill:var(--soft)}svg .tick.mid{text-anchor:middle}svg .tick.last{text-anchor:end}
.bar{fill:var(--skipped)}.bar.passed{fill:var(--passed)}.bar.failed{fill:var(--failed)}
.bar.error{fill:var(--failed-soft);stroke:var(--failed);stroke-width:1.5}
.bar.running{fill:var(--running)}
a:hover .bar{opacity:.8}
svg .glyph{fill:var(--bar-text);font-size:11px;font-weight:700;pointer-events:none}
.bar.error+.glyph{fill:var(--failed)}
.back line{stroke:var(--waiting);stroke-width:1.5;stroke-dasharray:4 3}.back circle{fill:var(--waiting)}
.back circle.to{fill:var(--panel);stroke:var(--waiting);stroke-width:2}
.cut rect{fill:var(--skipped-soft);stroke:var(--line)}
.graph{background:var(--panel);border:1px solid var(--line);border-radius:8px;text-align:center}
.graph svg{display:inline-block;vertical-align:top}
.graph.wide svg{max-width:100%;height:auto}.graph.big svg{min-width:46rem}
.graph.tall{display:none}
.node rect{fill:var(--code);stroke:var(--line)}
.node:hover rect{stroke:var(--link)}
.node .mark{fill:var(--skipped);stroke:none}
.node.passed .mark{fill:var(--passed)}.node.failed .mark,.node.error .mark{fill:var(--failed)}
.node.running .mark{fill:var(--running)}.node.waiting .mark{fill:var(--waiting)}
.node text{font-weight:600;font-size:12.5px}.node .sub{font-weight:400;font-size:11.5px;fill:var(--soft)}
.edge{fill:none;stroke:var(--soft);stroke-width:1.25;opacity:.75}
.edge.back{stroke:var(--waiting);stroke-width:1.5;stroke-dasharray:5 4;opacity:1}
marker path{fill:var(--soft)}marker.back path{fill:var(--waiting)}
.rounds{list-style:none;padding:0 0 0 1.1rem;border-left:2px solid var(--line);margin-left:.35rem}
.rounds>li{position:relative;padding-bottom:1.1rem}
.rounds>li::before{content:"";position:absolute;left:calc(-1.1rem - 6px);top:.45em;width:10px;height:10px;border-radius:50%;background:var(--page);
border:2px solid var(--soft)}
.rounds>li.rework::before,.rounds>li.feedback::before,.rounds>li.retry::before{border-color:var(--waiting);background:var(--waiting)}
.rounds h3 .dim{font-weight:400;font-size:.8125rem}
.rounds p{margin-top:.3rem}
.quote{border-left:3px solid var(--line);padding-left:.75rem}
.gates{list-style:none;padding:0;margin-top:.5rem}.gates .dim{font-size:.8125rem}
.findings{list-style:none;padding:0;margin-top:.5rem}
.findings li{display:grid;grid-template-columns:4.2rem minmax(0,1fr);gap:.5rem;padding:.3rem 0}
.findings li+li{border-top:1px solid var(--line)}
.findings summary{white-space:normal}
.findings pre{margin-top:.4rem;max-height:16rem}
.sev{font-size:.75rem;font-weight:600;color:var(--soft);padding-top:.15em}
.sev.error,.sev.critical{color:var(--failed)}.sev.warning{color:var(--waiting)}
.task:last-child,.watch:last-child{margin-bottom:0}
.task,.watch{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:.85rem 1rem;margin-bottom:.75rem}
.attempt{border-top:1px solid var(--line);margin-top:.65rem;padding-top:.55rem}
.attempt>summary .meta{margin-left:.4em}
.attempt>summary::marker,.file>summary::marker,.fold>summary::marker{color:var(--soft)}
.summary{margin-top:.45rem}
.evidence{list-style:none;padding:0}
.evidence li{padding:.1rem 0 .1rem 1.3rem;position:relative}
.evidence li::before{content:"•";position:absolute;left:.25rem;color:var(--soft)}
.evidence li.passed::before{content:"✓";color:var(--passed);font-weight:700;left:0}
.evidence li.failed::before{content:"✕";color:var(--failed);font-weight:700;left:0}
.kind{font-size:.75rem;color:var(--soft);border:1px solid var(--line);border-radius:4px;padding:.05em .4em;font-weight:400;white-space:nowrap}
.file{margin-top:.3rem}
.file .name{font-weight:500;margin-right:.5em}.file .kind{margin-right:.6em}
.file pre{margin-top:.4rem}
.outputs{display:flex;flex-wrap:wrap;gap:.15rem 1.5rem;font-size:.875rem}
.outputs div{display:flex;gap:.5em;min-width:0}.outputs dt{color:var(--soft)}.outputs dd{margin:0;min-width:0}
.diff{padding:.4rem 0}.diff span{display:block;padding:0 .75rem;min-width:max-content}
.diff .a{background:var(--passed-soft)}.diff .d{background:var(--failed-soft)}.diff .h{color:var(--running)}.diff .f{color:var(--soft)}
.attempt>p.dim{margin-top:.6rem;font-size:.8125rem}
table{border-collapse:collapse;width:100%;font-size:.875rem}
th{text-align:left;font-weight:600;font-size:.8125rem;color:var(--soft);white-space:nowrap}
td,th{overflow-wrap:normal}td:first-child{overflow-wrap:break-word;max-width:16rem;min-width:5rem}
th,td{padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
.n{text-align:right;white-space:nowrap}
tfoot td{font-weight:600;border-bottom:0}
.fold>.scroll{margin-top:.6rem}
.journal{font-size:.8125rem}.journal .mono{white-space:nowrap}.journal .words{min-width:18rem;unicode-bidi:isolate}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:.5rem 2rem}
figure{min-width:0}
figure h4{color:var(--ink)}
.probe{display:block;margin-top:.4rem}
.probe .axis{stroke:var(--line)}
.probe circle.ok{fill:var(--running);fill-opacity:.55}.probe circle.bad{fill:var(--failed)}
.probe rect.ok{fill:var(--passed);fill-opacity:.75}.probe rect.bad{fill:var(--failed)}
.probe line.slo{stroke:var(--waiting);stroke-dasharray:6 4}.probe text.slo{fill:var(--waiting);font-size:11px;text-anchor:end}
.lines line.value{stroke:var(--running);stroke-width:1.5;stroke-linecap:round}.lines circle.value{fill:var(--running)}
.lines line.mark{stroke:var(--failed);stroke-width:1.5;stroke-dasharray:3 3}
.good{color:var(--passed)}.poor{color:var(--failed);font-weight:600}
.errors{padding-left:1.1rem;font-size:.8125rem;color:var(--failed)}
footer{margin-top:2rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.8125rem;color:var(--soft)}
@media(max-width:40rem){
body{padding:1.1rem 1rem 2rem}nav{margin:1.1rem -1rem 0;padding:.6rem 1rem}
h1{font-size:1.4375rem}
dl.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.75rem 1rem}
dl.facts dd{font-size:1.0625rem}
.gantt{padding:.4rem .5rem .2rem;column-gap:.4rem;grid-template-columns:5.25rem minmax(0,1fr)}
svg .long{display:none}svg .short{display:inline}
.graph.wide{display:none}.graph.tall{display:block}
.findings li{grid-template-columns:minmax(0,1fr);gap:0}
.task,.watch{padding:.75rem .8rem}
.journal .words{min-width:14rem}}
@media print{nav{display:none}body{max-width:none}pre{max-height:none}}
)css";

}  // namespace conductorai::report
