// The page: shows the place that the address names, and again whenever it changes.

import { boardView } from "./board.js";
import { found } from "./data.js";
import { instanceView } from "./instance.js";
import { startKeys } from "./keys.js";
import { modelView } from "./model.js";
import { place } from "./route.js";
import { el, visibleString } from "./text.js";
import { startTheme } from "./theme.js";

const main = document.getElementById("main");
let view = null;
let last = null;

/** The count beside the filter, and for those who hear the page. */
function tell(text) {
  const count = main.querySelector(".count");
  if (count) count.textContent = text;
  document.getElementById("status").textContent = text;
}

async function show() {
  const at = place();
  const { board, row } = found(at);
  const from = last;
  last = at;
  document.getElementById("tip").hidden = true;
  document.title = [at.item, row?.model, board?.title, "Leaderboard"].filter(Boolean).map(visibleString).join(" · ");
  const mine = (view = board ? viewOf(board, row, at) : { nodes: [problem("There is nothing to show: no entry has a result.")] });
  main.replaceChildren(...mine.nodes.filter(Boolean));
  try {
    await mine.fill?.();
  } catch (error) {
    if (mine === view) main.append(problem(error.message));
  }
  if (mine === view && from) focus(from, at);
}

function viewOf(board, row, at) {
  if (at.model && !row) return { nodes: [problem("The link names a model that this page does not have.")] };
  if (!row) return boardView(board, at, tell);
  return at.item ? instanceView(board, row, at) : modelView(board, row, at, tell);
}

/** The focus goes to the row that the reader comes back from, else to the heading of what is new. */
function focus(from, at) {
  if (["board", "view", "model", "item"].every((field) => at[field] === from[field])) return;
  const key = at.item ? null : at.model ? from.item : from.model;
  const row = key && rowOf(key);
  (row ?? main.querySelector("h1"))?.focus({ preventScroll: true });
  if (row) row.scrollIntoView({ block: "center" });
  else scrollTo(0, 0);
}

function rowOf(key) {
  const find = () => [...main.querySelectorAll("[data-step]")].find((node) => node.dataset.step === key)?.querySelector("a");
  return find() ?? (view.all?.(), find());
}

function problem(text) {
  return el("p", { class: "problem", role: "alert" }, text, " ", el("a", { href: "#" }, "To the table"));
}

document.querySelector(".skip").addEventListener("click", (event) => (event.preventDefault(), main.focus()));
addEventListener("hashchange", show);
addEventListener("beforeprint", () => view.all?.());
startTheme(show);
startKeys();
show();
