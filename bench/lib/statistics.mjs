// The middle of several trials.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** Objects of the same keys in the same order, one list a trial: one list, each number the median of the trials'. */
export function medianOfTrials(trials) {
  return trials[0].map((first, row) =>
    Object.fromEntries(
      Object.entries(first).map(([key, value]) => [
        key,
        typeof value === "number" ? median(trials.map((trial) => trial[row][key])) : value,
      ]),
    ),
  );
}
