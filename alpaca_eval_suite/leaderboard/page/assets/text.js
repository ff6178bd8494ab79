// Text of models and users, made into nodes: always text, never markup, and nothing in it stays invisible.

const EMOJI = String.raw`\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?)*`;
const HIDDEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]`;
// An emoji keeps its joiners. Of a hidden character, a run of the same one is one mark.
const PARTS = new RegExp(`(?<emoji>${EMOJI})|(?<hidden>(?![\\n\\t])(?<one>${HIDDEN})\\k<one>*)`, "gu");
const NAMES = {
  0x0d: "carriage return", 0x1b: "escape", 0xad: "soft hyphen", 0x200b: "zero-width space", 0x200d: "zero-width joiner",
  0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x202c: "end of direction", 0x202d: "left-to-right override",
  0x202e: "right-to-left override", 0x2069: "end of isolate", 0xfeff: "byte order mark",
};

/** A node; attributes that are null or false are left out, `on…` are listeners, strings become text nodes. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function markOf(run) {
  const code = run.codePointAt(0);
  const times = [...run].length;
  const shown = `U+${code.toString(16).toUpperCase().padStart(4, "0")}${times > 1 ? `×${times}` : ""}`;
  return { shown, title: NAMES[code] ?? "invisible character" };
}

/** The text as a list of nodes, each hidden character as a visible mark. */
export function visible(text) {
  const nodes = [];
  let place = 0;
  for (const match of String(text).matchAll(PARTS)) {
    if (!match.groups.hidden) continue;
    const { shown, title } = markOf(match[0]);
    nodes.push(text.slice(place, match.index), el("span", { class: "mark", title }, shown));
    place = match.index + match[0].length;
  }
  nodes.push(String(text).slice(place));
  return nodes;
}

/** The same as a plain string, for where no node can stand (options, labels of plots). */
export function visibleString(text) {
  return String(text).replace(PARTS, (match, ...rest) => (rest.at(-1).hidden ? `⟨${markOf(match).shown}⟩` : match));
}

/** A block that keeps line breaks; its direction is that of its first letter, and ends with it. */
export function block(text, attributes = {}) {
  if (text === "") return el("p", { class: "none" }, "(empty)");
  return el("div", { ...attributes, class: "text", dir: "auto" }, visible(text));
}
