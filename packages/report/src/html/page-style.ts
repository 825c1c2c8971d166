import { themeStyle } from "../charts/palette.js";

/** The style of the page, in both themes. */
export function pageStyle(): string {
  return `:root{color-scheme:light dark;--paper:#fff;--ink:#1f2328;--muted:#59636e;--line:#d1d9e0;--soft:#f6f8fa;--link:#0969da;
--upheld:#1a7f37;--refuted:#cf222e;--inconclusive:#9a6700;--void:#8250df}
@media (prefers-color-scheme:dark){:root{--paper:#0d1117;--ink:#e6edf3;--muted:#9198a1;--line:#3d444d;--soft:#151b23;--link:#4493f8;
--upheld:#3fb950;--refuted:#f85149;--inconclusive:#d29922;--void:#ab7df8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
header,nav,main,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
h1{margin:1.2rem 0 .2rem;font-size:1.7rem}h2{margin:2rem 0 .6rem;font-size:1.25rem}h3{margin:1.4rem 0 .4rem;font-size:1.05rem}
p{max-width:48rem}.muted,figcaption,caption{color:var(--muted);font-size:.9rem}
a{color:var(--link)}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.3rem .6rem}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.5rem .7rem}
th,td{padding:.35rem .4rem;text-align:left;border-top:1px solid var(--line)}
thead th{vertical-align:bottom}
td.number,td.verdict{white-space:nowrap}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin-top:.8rem}
section{scroll-margin-top:3rem}
.answer{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem;margin:.8rem 0}
.answer dd{margin:0;grid-column:2}
.scroll+.scroll{margin-top:.8rem}
details{margin:.6rem 0}summary{padding:.2rem 0;font-weight:600}summary{cursor:pointer}li{margin:.4rem 0;font-size:.9rem}
caption{white-space:normal}
thead th{background:var(--soft)}
.number{text-align:right}
.verdict{font-weight:600}
${["upheld", "refuted", "inconclusive", "void"].map((verdict) => `.${verdict}{color:var(--${verdict})}`).join("")}
.charts{columns:24rem;column-gap:1rem}
figure{margin:0 0 1rem;break-inside:avoid;border:1px solid var(--line);border-radius:6px;padding:.5rem;min-width:0}
figure svg{display:block;width:100%;height:auto;max-width:34rem;margin:0 auto}
figure svg text,figure svg line{pointer-events:none}
figure svg [aria-label][d]:hover{stroke-width:3;stroke:currentColor}
.filter{position:sticky;top:0;z-index:1;background:var(--paper);padding:.6rem 0;border-bottom:1px solid var(--line);display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center}
select,button{font:inherit;color:inherit;background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.25rem .6rem;max-width:100%}
button:disabled{color:var(--muted)}
.pager{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:.6rem 0}
#tip{position:fixed;z-index:2;max-width:20rem;padding:.3rem .6rem;background:var(--ink);color:var(--paper);border-radius:6px;font-size:.85rem;pointer-events:none}
[hidden]{display:none!important}
footer{padding-top:1rem;padding-bottom:3rem}
@media (max-width:44rem){header,nav,main,footer{padding:0 .6rem}
.answer{display:block}.answer dd{margin:0 0 .3rem}.answer dt{margin-top:.6rem}
table,tbody,caption{display:block}thead{position:absolute;clip-path:inset(50%)}
tr{display:flex;flex-wrap:wrap;gap:.1rem 1rem;padding:.4rem .6rem;border-top:1px solid var(--line)}
td,td.number{padding:0;border:0;text-align:left;white-space:normal;overflow-wrap:anywhere}
td:empty{display:none}
td[data-name]::before{content:attr(data-name) " ";color:var(--muted)}
td:first-child{flex-basis:100%;font-weight:600}td:first-child::before{font-weight:400}}
${themeStyle()}`;
}
