// Plots of a board, drawn by Vega-Lite when they are first looked at.

import { rateText } from "./data.js";
import { changed, go } from "./route.js";
import { forest, headToHead, lengths, bars } from "./specs.js";
import { el, visible, visibleString } from "./text.js";

const LIMITS = { forest: 100, lengths: 1000, bars: 40, pairs: 40 };
let library = null;

/** Vega as a function; its code lies in the page as text, so that a page that only shows a table starts sooner. */
function vega() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.type = "module";
    script.textContent = document.getElementById("library").textContent;
    globalThis.alpacaPlots = resolve;
    document.head.append(script);
    setTimeout(() => reject(new Error("The plot library did not start.")), 20_000);
  });
  return library;
}

/** The plots of a view, for the rows that the table shows. */
export function plotsOf(view, board, rows) {
  return { forest: forestPlot, length: lengthPlot, pairs: pairsPlot, bars: barPlots }[view](board, rows);
}

function points(board, rows, column) {
  const names = new Map();
  return rows.flatMap((row) => {
    const cell = row.cells[column];
    if (cell === null) return [];
    const name = visibleString(row.model);
    const times = names.get(name) ?? 0;
    names.set(name, times + 1);
    const [value, low, high, n] = cell;
    return [{
      key: row.key, model: times ? `${name} (${times + 1})` : name,
      value: 100 * value, low: low === null ? null : 100 * low, high: high === null ? null : 100 * high,
      tip: `${name}\n${rateText(cell)} %\nn ${n}`,
    }];
  });
}

function forestPlot(board, rows) {
  const column = board.columns.findIndex(({ key }) => key === board.rate);
  const all = points(board, rows, column);
  const { label } = board.columns[column];
  return [
    limited(all, LIMITS.forest),
    figure(`${plainLabel(label)} with intervals`, forest(all.slice(0, LIMITS.forest), label, board.reference === null ? null : 100 * board.reference)),
  ];
}

function lengthPlot(board, rows) {
  const rate = board.columns.findIndex(({ key }) => key === board.rate);
  const length = board.columns.findIndex(({ key }) => key === "mean_length");
  const withLength = rows.filter((row) => length !== -1 && row.cells[length] !== null && row.cells[rate] !== null);
  const lengthOf = new Map(withLength.map((row) => [row.key, row.cells[length]]));
  const found = points(board, withLength, rate).map((point) => ({ ...point, length: lengthOf.get(point.key) }));
  for (const point of found) point.tip += `\nmean length ${Math.round(point.length)} characters`;
  if (!found.length) return [nothing("No row has both a rate and a mean length.")];
  const { label } = board.columns[rate];
  const spec = lengths(found.slice(0, LIMITS.lengths), label, board.baseline_length);
  return [limited(found, LIMITS.lengths), figure(`${plainLabel(label)} against mean length of the outputs`, spec)];
}

function barPlots(board, rows) {
  const grids = board.columns.flatMap((column, number) => {
    if (!column.bars) return [];
    const found = points(board, rows, number);
    if (!found.length) return [];
    return [figure(column.label, bars(found.slice(0, LIMITS.bars)), "small")];
  });
  if (!grids.length) return [nothing("No model of this board was run on a probe.")];
  return [limited(rows, LIMITS.bars), el("div", { class: "grid" }, grids)];
}

function pairsPlot(board, rows) {
  if (!board.pairs) return [nothing(board.pairs_reason)];
  const place = new Map(board.pairs.keys.map((key, number) => [key, number]));
  const known = rows.filter(({ key }) => place.has(key));
  const few = points(board, known, board.columns.findIndex(({ key }) => key === board.rate)).slice(0, LIMITS.pairs);
  const cells = few.flatMap((a) => few.filter((b) => a !== b).map((b) => pairOf(board.pairs, place, a, b)));
  return [
    el("p", {}, visible(board.pairs.how)),
    limited(known, LIMITS.pairs),
    figure("Head to head: points by which the row is ahead of the column", headToHead(cells, few.map(({ model }) => model)), "wide"),
    pairsTable(few, cells),
  ];
}

function pairOf(pairs, place, a, b) {
  const [i, j] = [place.get(a.key), place.get(b.key)];
  const [low, high, sign] = i > j ? [j, i, 1] : [i, j, -1];
  const difference = (sign * pairs.differences[high][low]) / 10;
  const holds = pairs.holds[high][low] === "1";
  const said = holds ? "holds" : "is not told from chance";
  return {
    key: a.key, row: a.model, column: b.model, difference, holds,
    shown: holds ? `${difference > 0 ? "+" : "−"}${Math.abs(difference).toFixed(0)}` : "",
    tip: `${a.model}\nagainst ${b.model}\n${difference > 0 ? "+" : ""}${difference.toFixed(1)} points; ${said}`,
  };
}

/** What the colours say, in words. */
function pairsTable(rows, cells) {
  const names = (row, test) => cells.filter((cell) => cell.row === row && test(cell)).map(({ column }) => column).join(", ") || "–";
  const head = el("tr", {}, ["Model", "Ahead of", "Behind", "Not told apart from"].map((text) => el("th", { scope: "col" }, text)));
  const lines = rows.map(({ model }) => el("tr", {},
    el("th", { scope: "row" }, model),
    el("td", {}, names(model, ({ holds, difference }) => holds && difference > 0)),
    el("td", {}, names(model, ({ holds, difference }) => holds && difference < 0)),
    el("td", {}, names(model, ({ holds }) => !holds)),
  ));
  return el("details", { class: "words" }, el("summary", {}, "The same in words"),
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Head to head in words" },
      el("table", { class: "plain" }, el("thead", {}, head), el("tbody", {}, lines))));
}

const plainLabel = (label) => label.replace(/\s%$/, "");

function limited(rows, most) {
  if (rows.length <= most) return null;
  return el("p", { class: "note" }, `The first ${most} of ${rows.length} models, in the table's order. Filter to see others.`);
}

const nothing = (text) => el("p", { class: "note" }, text);

function figure(title, spec, size = "") {
  const target = el("div", { class: "plot", role: "img", "aria-label": `${title}. The figures are in the table.` });
  const node = el("figure", { class: size }, el("figcaption", {}, title), target);
  // Only once it is in the page has it a width.
  requestAnimationFrame(() => draw(target, spec).catch((error) => target.append(nothing(error.message))));
  return node;
}

async function draw(target, spec) {
  const embed = await vega();
  const { view } = await embed(target, { ...spec, config: colours() }, {
    ast: true, // expressions are interpreted: the page's policy forbids making code from text
    actions: false, renderer: "svg", defaultStyle: false, tooltip: showTip,
  });
  view.addEventListener("click", (event, item) => item?.datum?.key && go(changed({ model: item.datum.key, item: null })));
}

function showTip(handler, event, item, value) {
  const tip = document.getElementById("tip");
  tip.hidden = !value;
  tip.textContent = value ?? "";
  tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  const axis = { aria: false, labelColor: of("--ink"), titleColor: of("--soft"), gridColor: of("--line"), domainColor: of("--line"), tickColor: of("--line") };
  return {
    background: "transparent", mark: { aria: false }, font: "system-ui, sans-serif", view: { stroke: null },
    axis: { ...axis, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 240 },
    legend: { aria: false, labelColor: of("--ink"), titleColor: of("--soft"), titleFontWeight: "normal" },
    text: { color: of("--ink"), fontSize: 11 }, rule: { color: of("--accent") }, point: { color: of("--accent") },
    bar: { color: of("--accent") }, style: { quiet: { stroke: of("--soft"), fill: of("--soft") } },
  };
}
