// What keys do, wherever the reader is.

import { stepOnKeys } from "./list.js";
import { address, go, place, up } from "./route.js";

const help = document.getElementById("keys");

/** Listen for keys. */
export function startKeys() {
  document.getElementById("help").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (handled(event)) event.preventDefault();
  });
}

function handled(event) {
  const field = event.target.closest("input, select, textarea");
  if (event.key === "Escape") return field ? (field.blur(), true) : goUp();
  if (field) return field.type === "search" && event.key === "ArrowDown" && stepOnKeys(event, document.body);
  if (event.key === "?") return help.showModal(), true;
  if (event.key === "/") return focusOnFilter();
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") return sideways(event);
  return stepOnKeys(event, document.getElementById("main"));
}

function goUp() {
  const to = up(place());
  if (to) go(address(to));
  return to !== null;
}

function focusOnFilter() {
  document.getElementById("filter")?.focus();
  return document.activeElement.id === "filter";
}

/** Between instances; between tabs where one has the focus. */
function sideways(event) {
  const next = event.key === "ArrowRight";
  const tabs = [...document.querySelectorAll(".views a")];
  const at = tabs.indexOf(document.activeElement);
  const link = at === -1 ? document.querySelector(`.steps a[rel=${next ? "next" : "prev"}]`) : tabs[at + (next ? 1 : -1)];
  if (!link) return false;
  if (at === -1) link.click();
  else link.focus();
  return true;
}
