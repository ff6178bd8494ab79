// Where the reader is, in the address after "#", so that every view is a link.

const FIELDS = ["board", "view", "sort", "q", "clean", "model", "item", "only", "find"];

/** The fields of the address that are set. */
export function place() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(FIELDS.filter((field) => given.get(field)).map((field) => [field, given.get(field)]));
}

/** The address of a place. */
export function address(fields) {
  return "#" + new URLSearchParams(FIELDS.filter((field) => fields[field]).map((field) => [field, fields[field]]));
}

/** The address of where the reader is, with some fields changed. */
export function changed(fields) {
  return address({ ...place(), ...fields });
}

/** Go there; what only refines a view (sort, filter) takes the present step's place in the browser's history. */
export function go(hash, { refine = false } = {}) {
  if (refine) history.replaceState(null, "", hash);
  else location.hash = hash;
}

/** One level up: from an instance to its list, from there to the table, from a plot to the table. */
export function up(at) {
  if (at.item) return { ...at, item: null };
  if (at.model) return { ...at, model: null, only: null, find: null };
  return at.view ? { ...at, view: null } : null;
}
