// One model on one board: what its run was, and the list of its instances.

import { details, percent, rateText } from "./data.js";
import { fill } from "./list.js";
import { address, changed, go, place, up } from "./route.js";
import { el, visible, visibleString } from "./text.js";

const RESULTS = ["won", "lost", "tied", "failed"];

/** Everything that is known of the instances: those of the run, with what all runs of the board have in common. */
export async function instancesOf(board, row) {
  const [shared, own] = await Promise.all([board.shared ? details(board.shared) : {}, details(row.details)]);
  return own.items.map((item) => ({ ...shared[item.id], ...item }));
}

/** The instances that the place asks for. */
export function chosen(items, at) {
  const words = (at.find ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return items.filter((item) => {
    if (at.only && resultOf(item) !== at.only) return false;
    const text = `${item.id} ${item.instruction ?? ""} ${item.output ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** In one word: won, lost, tied or failed, or what a probe's rule says of the output. */
export function resultOf({ value, outcome }) {
  if (outcome) return outcome.label;
  if (value === undefined) return "no verdict";
  if (value === null) return "failed";
  return value > 0.5 ? "won" : value < 0.5 ? "lost" : "tied";
}

export function resultMark(item) {
  const result = resultOf(item);
  return el("span", { class: `result ${RESULTS.includes(result) ? result : ""}` }, visible(result.replaceAll("_", " ")));
}

/** What the run was, without its instances. */
export function factsOf(board, row) {
  const rates = board.columns.flatMap(({ kind, label }, number) => {
    const cell = row.cells[number];
    if (kind !== "rate") return [];
    if (cell === null) return row.reasons[number] ? [[label, row.reasons[number]]] : [];
    return [[label, `${rateText(cell)} %, n ${cell[3]}, failed ${cell[4]}, ${board.methods[cell[5]]}`]];
  });
  const list = (pairs) => el("dl", { class: "facts" }, pairs.map(([term, text]) => el("div", {}, el("dt", {}, visible(term)), el("dd", {}, visible(text)))));
  const notes = [...row.flags, ...row.notes].map((note) => el("li", {}, visible(note)));
  return [notes.length ? el("ul", { class: "notes" }, notes) : null, list(rates),
    el("details", {}, el("summary", {}, "How the run was made"), list(row.facts))];
}

/** The view of a model; `fill` loads its instances. */
export function modelView(board, row, at, tell) {
  const list = el("ol", { class: "instances" });
  const rest = el("div", {}, el("p", { class: "note" }, row.details ? "Loading the instances …" : "The entry has no raw file, so its instances cannot be shown."));
  let all = () => {};
  const fillList = (items, fields) => {
    if (fields) go(changed(fields), { refine: true });
    const shown = chosen(items, place());
    ({ all } = fill(list, shown, instanceLine));
    tell(`${shown.length} of ${items.length} instances`);
  };
  const fillView = async () => {
    if (!row.details) return;
    const items = await instancesOf(board, row).finally(() => rest.replaceChildren());
    rest.replaceChildren(el("h2", {}, "Instances"), instanceFilters(items, at, (fields) => fillList(items, fields)), list);
    fillList(items);
  };
  const nodes = [
    el("p", { class: "trail" }, el("a", { href: address(up(at)) }, "← ", visible(board.title))),
    el("h1", { tabindex: -1 }, visible(row.model)), ...factsOf(board, row), rest,
  ];
  return { nodes, fill: fillView, all: () => all() };
}

function instanceFilters(items, at, refill) {
  const options = [...new Set(items.map(resultOf))].sort().map((result) =>
    el("option", { value: result, selected: result === at.only }, visibleString(result.replaceAll("_", " "))));
  const only = el("select", { onchange: () => refill({ only: only.value }) }, el("option", { value: "" }, "all"), options);
  const find = el("input", { type: "search", id: "filter", value: at.find ?? "", oninput: () => refill({ find: find.value }) });
  return el("div", { class: "filters" }, el("label", {}, "Result ", only), el("label", {}, "Find ", find), el("span", { class: "count" }));
}

function instanceLine(item) {
  const votes = item.people?.length ? el("span", { class: "votes" }, `${item.people.length} ${item.people.length === 1 ? "vote" : "votes"}`) : null;
  return el("li", { "data-step": item.id },
    resultMark(item),
    el("a", { class: "step", href: changed({ item: item.id }), dir: "auto" }, visible(excerpt(item.instruction || item.id))),
    votes);
}

function excerpt(text) {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > 140 ? `${line.slice(0, 139)}…` : line;
}

/** How far a verdict prefers the model, in words. */
export function verdictText(win, model, baseline) {
  if (win === null || win === undefined) return "failed";
  if (win === 0.5) return "a tie";
  const preferred = win > 0.5 ? model : baseline;
  return win === 0 || win === 1 ? `prefers ${preferred}` : `prefers ${preferred} (${percent(Math.max(win, 1 - win))} %)`;
}
