// A board: which one, its table or one of its plots, and what narrows it down.

import { boards } from "./data.js";
import { plotsOf } from "./plots.js";
import { address, changed, go, place } from "./route.js";
import { shownRows } from "./rows.js";
import { sortChoice, tableOf } from "./table.js";
import { el, visible, visibleString } from "./text.js";

const VIEWS = [["", "Table"], ["forest", "Intervals"], ["length", "Length"], ["pairs", "Head to head"], ["bars", "Probes"]];
const FACETS = [["scenario", "Scenario"], ["app", "Slice"], ["baseline", "Baseline"], ["judge", "Judge"], ["data", "Data"]];

/** The view as {nodes, all}: `all` makes the rows that are not made yet. */
export function boardView(board, at, tell) {
  const content = el("div", { class: "content" });
  const tabs = el("nav", { class: "views", "aria-label": "Views" });
  const made = new Map();
  let all = () => {};
  const refill = (fields) => {
    if (fields) go(changed(fields), { refine: true });
    const now = place();
    const rows = shownRows(board, now);
    tabs.replaceChildren(...views(board, now));
    tell(`${rows.length} of ${board.rows.length} models`);
    if (now.view) content.replaceChildren(...plotsOf(now.view, board, rows).filter(Boolean));
    else {
      const table = tableOf(board, now, rows, made);
      all = table.all;
      content.replaceChildren(table.node);
    }
  };
  content.addEventListener("click", (event) => sortByLink(event, content, refill));
  const nodes = [...heading(board), facets(board), tabs, filters(board, at, refill), content, notes(board)];
  return { nodes, fill: refill, all: () => all() };
}

function sortByLink(event, content, refill) {
  const link = event.target.closest("thead a");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  refill({ sort: link.dataset.sort });
  content.querySelectorAll("thead a")[link.closest("th").cellIndex].focus();
}

function heading(board) {
  return [
    el("h1", { tabindex: -1 }, visible(board.scenario)),
    el("p", { class: "lead" }, visible(board.lead)),
    board.judge_sentence ? el("p", { class: "note" }, visible(board.judge_sentence)) : null,
  ];
}

/** A choice for each thing in which the boards differ; of those with the value chosen, the one most like this. */
function facets(board) {
  const choices = FACETS.flatMap(([field, label]) => {
    const values = [...new Set(boards.map((each) => each[field] ?? ""))];
    if (values.length < 2) return [];
    const options = values.map((value) => el("option", { value, selected: value === (board[field] ?? "") }, visibleString(value) || "none"));
    const select = el("select", { onchange: () => go(address({ board: nearest(board, field, select.value).key })) }, options);
    return [el("label", {}, `${label} `, select)];
  });
  return choices.length ? el("div", { class: "filters" }, choices) : null;
}

function nearest(board, field, value) {
  const alike = (each) => FACETS.filter(([other]) => each[other] === board[other]).length;
  return boards.filter((each) => (each[field] ?? "") === value).sort((a, b) => alike(b) - alike(a))[0];
}

function views(board, at) {
  return VIEWS.filter(([view]) => board.views.includes(view)).map(([view, label]) =>
    el("a", { href: changed({ view }), "aria-current": (at.view ?? "") === view ? "page" : null }, label));
}

function filters(board, at, refill) {
  const filter = el("input", { type: "search", id: "filter", value: at.q ?? "", oninput: () => refill({ q: filter.value }) });
  const clean = el("input", { type: "checkbox", checked: Boolean(at.clean), onchange: () => refill({ clean: clean.checked ? "1" : "" }) });
  const flagged = board.rows.some(({ flags }) => flags.length);
  return el("div", { class: "filters" },
    el("label", {}, "Model ", filter),
    flagged ? el("label", {}, clean, " Only rows without flags") : null,
    sortChoice(board, at, (sort) => refill({ sort })),
    el("span", { class: "count" }));
}

function notes(board) {
  if (!board.notes.length) return null;
  return el("section", { class: "under" }, el("h2", {}, "Notes"), el("ul", {}, board.notes.map((note) => el("li", {}, visible(note)))));
}
