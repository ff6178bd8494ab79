// One instance: what was asked, what was answered, what was said of it.

import { difference } from "./diff.js";
import { chosen, instancesOf, resultMark, verdictText } from "./model.js";
import { changed } from "./route.js";
import { block, el, visible } from "./text.js";

const SHOWN_FIRST = { model_first: "the model's", baseline_first: "the baseline's", single: "one order only" };

/** The view of one instance; `fill` loads it. The instances before and after it are those that the list shows. */
export function instanceView(board, row, at) {
  const rest = el("div", {}, el("p", { class: "note" }, "Loading the instance …"));
  const back = el("a", { href: changed({ item: "" }) }, "← All instances of ", visible(row.model));
  const fillView = async () => {
    if (!row.details) throw new Error("The entry has no raw file, so its instances cannot be shown.");
    const items = await instancesOf(board, row).finally(() => rest.replaceChildren());
    const item = items.find(({ id }) => id === at.item);
    if (!item) throw new Error("The link names an instance that this run does not have.");
    rest.replaceChildren(...parts(board, row, item, chosen(items, at)).filter(Boolean));
  };
  return { nodes: [el("p", { class: "trail" }, back), el("h1", { tabindex: -1 }, visible(at.item)), rest], fill: fillView };
}

function parts(board, row, item, among) {
  return [
    steps(among, among.indexOf(item)),
    section("Instruction", block(item.instruction ?? ""), slicesOf(item)),
    item.input ? section("Input", block(item.input)) : null,
    el("details", { class: "prompt" }, el("summary", {}, "Exact prompt"), promptOf(item.prompt)),
    outputsOf(board, row, item),
    verdictsOf(board, row, item),
    peopleOf(board, row, item),
    item.outcome ? section("What the rule says", el("p", {}, resultMark(item)), item.outcome.reason ? block(item.outcome.reason) : null) : null,
    item.checks ? section("Checks", listed(item.checks)) : null,
  ];
}

function steps(among, number) {
  const link = (item, text, rel) => (item ? el("a", { href: changed({ item: item.id }), rel }, text) : el("span", { class: "none" }, text));
  return el("nav", { class: "steps", "aria-label": "Instances" },
    link(among[number - 1], "← Previous", "prev"),
    el("span", {}, number === -1 ? "" : `${number + 1} of ${among.length}`),
    link(number === -1 ? undefined : among[number + 1], "Next →", "next"));
}

const section = (title, ...nodes) => el("section", {}, el("h2", {}, title), ...nodes.filter(Boolean));

function slicesOf({ slices }) {
  const parts = Object.entries(slices ?? {}).map(([name, value]) => el("span", { class: "slice" }, visible(`${name}: ${value}`)));
  return parts.length ? el("p", { class: "slices" }, parts) : null;
}

function promptOf(prompt) {
  if (prompt === null || prompt === undefined) return el("p", { class: "none" }, "The prompt was not kept.");
  if (typeof prompt === "string") return block(prompt);
  return el("div", {}, prompt.map(({ role, content }) => [el("h3", {}, visible(role)), block(asText(content))]).flat());
}

const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function outputsOf(board, row, item) {
  const own = output(row.model, item.output);
  if (item.baseline_output === null || item.baseline_output === undefined) return section("Output", own);
  const both = el("div", { class: "pair" }, own, output(board.baseline, item.baseline_output));
  let compared = null;
  const button = el("button", { type: "button", id: "diff", "aria-pressed": "false", onclick: () => {
    compared ??= differenceOf(row, board, item);
    const showing = both.isConnected;
    (showing ? both : compared).replaceWith(showing ? compared : both);
    button.setAttribute("aria-pressed", String(showing));
  } }, "Show the difference");
  return section("Outputs", el("p", {}, button), both);
}

function output(name, text) {
  const missing = text === null || text === undefined;
  return el("article", { class: "output" },
    el("h3", {}, visible(name)), missing ? el("p", { class: "none" }, "The output was not kept.") : block(text),
    missing ? null : el("p", { class: "note" }, `${[...text].length.toLocaleString("en")} characters`));
}

function differenceOf(row, board, item) {
  const tags = { same: "span", removed: "del", added: "ins" };
  const parts = difference(item.baseline_output, item.output).map(({ kind, text }) => el(tags[kind], {}, visible(text)));
  return el("article", { class: "output" },
    el("p", { class: "note" }, el("del", {}, "only ", visible(board.baseline)), " ", el("ins", {}, "only ", visible(row.model))),
    el("div", { class: "text", dir: "auto" }, parts));
}

function verdictsOf(board, row, item) {
  if (!item.verdicts?.length) return null;
  const lines = item.verdicts.map(({ judge, order, seed, win, reason }) => el("article", { class: "verdict" },
    el("h3", {}, visible(verdictText(win, row.model, board.baseline))),
    el("p", { class: "note" }, visible(judge ?? ""), ` · shown first: ${SHOWN_FIRST[order] ?? "not known"} · seed ${seed ?? 0}`),
    reason ? block(reason) : el("p", { class: "none" }, "No reason was given.")));
  return section(lines.length === 1 ? "Verdict" : "Verdicts", el("div", { class: "pair" }, lines));
}

function peopleOf(board, row, item) {
  if (!item.people?.length) return null;
  const lines = item.people.map(({ judge, win, tags, seconds }) => el("li", {},
    el("b", {}, visible(judge.replace(/^human:/, ""))), " ", visible(verdictText(win, row.model, board.baseline)),
    (tags ?? []).flatMap((tag) => [" ", el("span", { class: "flag" }, visible(tag))]),
    seconds ? el("span", { class: "note" }, ` in ${Math.round(seconds)} s`) : null));
  return section("People's votes", el("ul", {}, lines));
}

function listed(values) {
  return el("dl", { class: "facts" }, Object.entries(values).map(([name, value]) =>
    el("div", {}, el("dt", {}, visible(name.replaceAll("_", " "))), el("dd", {}, visible(asText(value))))));
}
