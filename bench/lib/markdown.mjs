// Figures as people read them, and tables of them.

/** Three significant digits, without an exponent. */
export function short(value) {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

export const microseconds = (ns) => short(ns / 1e3);
export const milliseconds = (ns) => short(ns / 1e6);
export const gigabytesPerSecond = (bytes, ns) => short(bytes / ns);
export const times = (value, base) => `${short(value / base)} ×`;

/** "64 B", "1.23 MB": decimal units, as data rates have them. */
export function size(bytes) {
  for (const [unit, scale] of [
    ["GB", 1e9],
    ["MB", 1e6],
    ["KB", 1e3],
  ]) {
    if (bytes >= scale) return `${short(bytes / scale)} ${unit}`;
  }
  return `${bytes} B`;
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
