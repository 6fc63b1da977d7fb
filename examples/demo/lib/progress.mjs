// How far the run is: a bar for each program, or, where nobody looks at a terminal, a line from time to time.
import cliProgress from "cli-progress";

const names = {
  published: "C++: decoded and published",
  processed: "Python: edges found and published",
  originals: "TypeScript: originals checked",
  results: "TypeScript: results checked",
};

/** Bars that are redrawn in place. */
function openBars(total) {
  const bars = new cliProgress.MultiBar({
    format: "  {name} [{bar}] {value}/{total} frames",
    barCompleteChar: "=",
    barIncompleteChar: " ",
    hideCursor: true,
    emptyOnZero: true,
  });
  const lines = Object.entries(names).map(([key, name]) => [key, bars.create(total, 0, { name: name.padEnd(34) })]);
  return {
    update(counts, expected) {
      for (const [key, line] of lines) {
        line.setTotal(expected);
        line.update(counts[key]);
      }
    },
    stop: () => bars.stop(),
  };
}

/** A line with the first frame, one every few seconds, and one at the end. */
function openLog() {
  const pause = 5000; // milliseconds
  let next = performance.now();
  let line = "";
  const print = () => {
    if (line !== "") console.log(line);
    line = "";
  };
  return {
    update({ published, processed, originals, results }, expected) {
      if (published === 0) return; // the programs are still meeting
      line = `  published ${published}, processed ${processed}, checked ${originals} + ${results} of ${expected}`;
      if (performance.now() < next) return;
      next = performance.now() + pause;
      print();
    },
    stop: print,
  };
}

/** @param expected the number of frames, as far as is known */
export function openProgress(expected) {
  const view = process.stdout.isTTY ? openBars(expected) : openLog();
  const counts = { published: 0, processed: 0, originals: 0, results: 0 };
  let known = expected;
  return {
    /** Takes what a program said: an object in which some of the counts stand, or at the end the `total`. */
    show(facts) {
      for (const name of Object.keys(counts)) counts[name] = facts[name] ?? counts[name];
      known = facts.total ?? Math.max(known, ...Object.values(counts)); // a video has more frames than one
      view.update(counts, known);
    },
    stop: () => view.stop(),
  };
}
