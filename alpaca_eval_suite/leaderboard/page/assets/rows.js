// Which rows of a board are shown, in which order: a pure function of the board and the place.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** The column and direction that the place asks for ("-" before a key: largest first); the board's own else. */
export function sorting(board, { sort }) {
  const wanted = sort ?? board.sort;
  const descending = wanted.startsWith("-");
  const column = board.columns.findIndex(({ key }) => key === wanted.replace(/^-/, ""));
  return column === -1 ? sorting(board, {}) : { column, descending };
}

/** The rows that pass the filter, sorted; rows without a value are last in both directions. */
export function shownRows(board, at) {
  const words = (at.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const rows = board.rows.filter(
    (row) => words.every((word) => row.model.toLowerCase().includes(word)) && !(at.clean && row.flags.length),
  );
  const { column, descending } = sorting(board, at);
  const { kind } = board.columns[column];
  const keyed = rows.map((row) => ({ row, value: sortValue(kind, row, column) }));
  const sign = descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
    return sign * (typeof a.value === "string" ? collator.compare(a.value, b.value) : a.value - b.value);
  });
  return keyed.map(({ row }) => row);
}

function sortValue(kind, row, column) {
  const cell = row.cells[column];
  if (kind === "model") return row.model;
  if (kind === "flags") return row.flags.length;
  if (cell === null) return null;
  return kind === "rate" || kind === "ranks" ? cell[0] : cell;
}
