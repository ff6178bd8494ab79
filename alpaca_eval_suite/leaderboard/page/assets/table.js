// The table of a board: sortable by every column.

import { percent } from "./data.js";
import { fill } from "./list.js";
import { changed } from "./route.js";
import { sorting } from "./rows.js";
import { el, visible } from "./text.js";

/** The table as {node, all}; `all` makes the rows that are not made yet. `made` keeps rows for the next order. */
export function tableOf(board, at, rows, made) {
  const body = el("tbody", { role: "rowgroup" });
  const node = el(
    "table",
    { role: "table", class: "board", "aria-rowcount": rows.length + 1 },
    el("caption", { class: "unseen" }, visible(board.title)),
    el("thead", { role: "rowgroup" }, headers(board, at)),
    body,
  );
  const { all } = fill(body, rows, (row) => keptRow(board, row, made));
  return { node: el("div", { class: "scroll" }, node), all };
}

/** For narrow screens, where the table has no header: a choice of columns. */
export function sortChoice(board, at, choose) {
  const { column, descending } = sorting(board, at);
  const options = board.columns.flatMap(({ key, label }, number) =>
    [true, false].map((down) => {
      const value = `${down ? "-" : ""}${key}`;
      return el("option", { value, selected: number === column && down === descending }, `${label} ${down ? "↓" : "↑"}`);
    }),
  );
  const select = el("select", { onchange: () => choose(select.value) }, options);
  return el("label", { class: "narrow" }, "Sort by ", select);
}

function headers(board, at) {
  const { column, descending } = sorting(board, at);
  return el("tr", { role: "row" }, board.columns.map((each, number) => {
    const sorted = number === column;
    const down = sorted ? !descending : each.kind !== "model";
    const sort = `${down ? "-" : ""}${each.key}`;
    const link = el("a", { href: changed({ sort }), "data-sort": sort, title: each.help || null },
      each.label, el("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (descending ? "↓" : "↑") : ""));
    const order = sorted ? (descending ? "descending" : "ascending") : null;
    return el("th", { role: "columnheader", scope: "col", class: each.kind, "aria-sort": order }, link);
  }));
}

/** The row, with a link that leads back to the present order and filter. */
function keptRow(board, row, made) {
  if (!made.has(row.key)) made.set(row.key, tableRow(board, row));
  const node = made.get(row.key);
  node.querySelector("a").setAttribute("href", changed({ board: board.key, model: row.key }));
  return node;
}

function tableRow(board, row) {
  const cells = board.columns.map(({ kind, label }, number) => {
    if (kind === "model") return el("th", { role: "rowheader", scope: "row", class: kind }, el("a", { class: "step" }, visible(row.model)));
    return el("td", { role: "cell", class: kind, "data-label": label }, el("span", {}, cellOf(kind, row, row.cells[number])));
  });
  return el("tr", { role: "row", "data-step": row.key }, cells);
}

function cellOf(kind, row, cell) {
  if (kind === "flags" && row.flags.length) return row.flags.map((flag) => el("span", { class: "flag" }, visible(flag)));
  if (cell === null) return [el("span", { class: "none" }, kind === "flags" ? "" : "–")];
  return CELLS[kind](cell);
}

const CELLS = {
  rate: ([value, low, high]) => [
    el("b", {}, percent(value)),
    el("span", { class: "interval" }, low === null ? " no interval" : ` ${percent(low)} – ${percent(high)}`),
  ],
  ranks: ([low, high]) => [low === high ? `${low}` : `${low} – ${high}`],
  number: (cell) => [cell.toLocaleString("en", { maximumFractionDigits: 0 })],
  money: (cell) => [`$${cell.toFixed(2)}`],
  text: (cell) => visible(cell),
};
