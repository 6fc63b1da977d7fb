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

/** "64 B", "1 KB", "6.22 MB": powers of two by their usual names, all else in decimal units, as data rates are. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes % 1024 === 0 && bytes < 1e6) return `${bytes / 1024} KB`;
  return bytes < 1e9 ? `${short(bytes / 1e6)} MB` : `${short(bytes / 1e9)} GB`;
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
