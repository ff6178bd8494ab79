// What differs between two texts, word by word.

const WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}_'’]+|\s+|[^]/gu;
const LARGEST = 6_000_000; // cells of the table below: 24 MB, a tenth of a second

/** Parts of both texts in order, {kind: "same" | "removed" | "added", text}; long texts are compared by line. */
export function difference(before, after) {
  const byWord = compared(before.match(WORDS) ?? [], after.match(WORDS) ?? []);
  return byWord ?? compared(before.split(/(?<=\n)/), after.split(/(?<=\n)/)) ?? whole(before, after);
}

function whole(before, after) {
  return [{ kind: "removed", text: before }, { kind: "added", text: after }];
}

function compared(a, b) {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const middle = longestCommon(a.slice(start, a.length - end), b.slice(start, b.length - end));
  if (!middle) return null;
  const same = (words) => words.map((text) => ({ kind: "same", text }));
  return joined([...same(a.slice(0, start)), ...middle, ...same(end ? a.slice(-end) : [])]);
}

/** By dynamic programming, from the end; null where the table would be too large. */
function longestCommon(a, b) {
  const width = b.length + 1;
  if ((a.length + 1) * width > LARGEST) return null;
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      longest[at] = a[i] === b[j] ? longest[at + width + 1] + 1 : Math.max(longest[at + width], longest[at + 1]);
    }
  }
  const parts = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) parts.push({ kind: "same", text: a[i++] }) && j++;
    else if (j === b.length || (i < a.length && longest[(i + 1) * width + j] >= longest[i * width + j + 1]))
      parts.push({ kind: "removed", text: a[i++] });
    else parts.push({ kind: "added", text: b[j++] });
  }
  return parts;
}

/** Runs of one kind; the space between two changed words is part of the change, which reads better. */
function joined(parts) {
  const runs = [];
  const pending = { removed: "", added: "" };
  const flush = () => {
    for (const kind of ["removed", "added"]) if (pending[kind]) runs.push({ kind, text: pending[kind] });
    pending.removed = pending.added = "";
  };
  parts.forEach(({ kind, text }, number) => {
    if (kind !== "same") pending[kind] += text;
    else if (pending.removed && pending.added && !text.trim() && (parts[number + 1]?.kind ?? "same") !== "same") {
      pending.removed += text;
      pending.added += text;
    } else {
      flush();
      if (runs.at(-1)?.kind === "same") runs.at(-1).text += text;
      else runs.push({ kind, text });
    }
  });
  flush();
  return runs;
}
