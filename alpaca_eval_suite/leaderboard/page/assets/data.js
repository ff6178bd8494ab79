// The boards in this page, and the details in the files beside it.

const given = JSON.parse(document.getElementById("data").textContent);
export const { boards } = given;

const waiting = new Map();
const loaded = new Map();

// A file of details is a script that hands over one text: fetch() cannot read files beside a page on a disk.
globalThis.alpacaDetails = (file, text) => waiting.get(file)?.(text);

/** What the file holds, its checksum checked. Rejects with a sentence for the reader. */
export function details(source) {
  if (!loaded.has(source.file)) {
    const found = load(source);
    found.catch(() => loaded.delete(source.file));
    loaded.set(source.file, found);
  }
  return loaded.get(source.file);
}

async function load({ file, sha256, characters }) {
  const text = await received(file);
  if (text.length !== characters || !(await hasHash(text, sha256)))
    throw new Error(`details/${file} is not the file that this page was made with. Make the page again.`);
  return JSON.parse(text);
}

function received(file) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    const fail = () => reject(new Error(`details/${file} is missing. It must lie beside this page.`));
    waiting.set(file, resolve);
    script.addEventListener("error", fail);
    script.addEventListener("load", () => (script.remove(), fail())); // too late where it was received
    script.src = `details/${file}`;
    document.head.append(script);
  });
}

/** Whether the text has the checksum; without a secure context browsers cannot say, and its length must do. */
async function hasHash(text, sha256) {
  if (!globalThis.crypto?.subtle) return true;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return sha256 === [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A share in percent, with one decimal. */
export const percent = (share) => (100 * share).toFixed(1);

/** A rate as text: value and interval in percent. */
export function rateText([value, low, high]) {
  return low === null ? `${percent(value)} [no interval]` : `${percent(value)} [${percent(low)}, ${percent(high)}]`;
}

/** The board and the row of a place; the largest board where it names none. */
export function found({ board, model }) {
  const chosen = boards.find(({ key }) => key === board) ?? boards[given.first];
  return { board: chosen, row: chosen?.rows.find(({ key }) => key === model) };
}
