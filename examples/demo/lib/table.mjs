// The table of sizes, as lines of text.

const number = (value) => {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(value, 1e-3))));
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

const why = {
  "out-of-memory": "skipped: this machine has too little memory left for it",
  "budget-spent": "skipped: it does not fit into the memory budget",
};

const columns = [
  { head: ["batch of frames", ""], cell: ({ count, width, height }) => `${count} x ${width}x${height}x3` },
  { head: ["size", "MB"], cell: ({ bytes }) => number(bytes / 1e6) },
  { head: ["send by loan", "ms"], cell: (row) => number(row.loan_send_ms) },
  { head: ["send by copy", "ms"], cell: (row) => number(row.copy_send_ms) },
  { head: ["sent and acknowledged", "by loan, ms"], cell: (row) => number(row.loan_acknowledged_ms) },
  { head: ["sent and acknowledged", "by copy, ms"], cell: (row) => number(row.copy_acknowledged_ms) },
  { head: ["by copy", "GB/s"], cell: (row) => number(row.bytes / row.copy_acknowledged_ms / 1e6) },
];

/** One row of text cells; what was skipped says so in place of its figures. */
const cells = (row) => columns.map(({ cell }, index) => (row.skipped !== undefined && index > 1 ? "" : cell(row)));

/** The table of all rows. */
export function sizeTable(rows) {
  const heads = [0, 1].map((line) => columns.map(({ head }) => head[line]));
  const body = rows.map(cells);
  const widths = columns.map((_, column) => Math.max(...[...heads, ...body].map((line) => line[column].length)));
  const line = (texts) =>
    texts.map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))).join("   ");
  const skipped = (row) => `${line(cells(row).slice(0, 2))}   ${why[row.skipped] ?? `skipped: ${row.skipped}`}`;
  return [
    ...heads.map(line),
    "-".repeat(line(heads[0]).length),
    ...rows.map((row, index) => (row.skipped === undefined ? line(body[index]) : skipped(row))),
  ].map((text) => `  ${text}`.trimEnd());
}
