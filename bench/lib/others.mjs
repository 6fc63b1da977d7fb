// What the others need, brought in where it is not there yet: into a folder of its own, since nothing else wants it.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { at, venv } from "../../scripts/lib/paths.mjs";
import { logFile, run } from "../../scripts/lib/run.mjs";

export const othersFolder = at("build", "bench", "others");
const requirements = at("bench", "others", "requirements.txt");
const mark = join(othersFolder, "installed.txt");

export async function bringInOthers() {
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(mark) && readFileSync(mark, "utf8") === wanted) return;
  rmSync(othersFolder, { recursive: true, force: true });
  const pip = ["-m", "pip", "install", "--no-deps", "--target", othersFolder, "-r", requirements];
  await run(join(venv, "bin", "python"), pip, { log: logFile("bench others") });
  writeFileSync(mark, wanted);
}
