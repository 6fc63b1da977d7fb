// Plain files (sources, pictures) that a registry carries inside a wheel: only they are used, never the package. So the
// platform that the wheel's name tells does not matter, and the same file serves everywhere.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { tools, venv } from "./paths.mjs";
import { run } from "./run.mjs";

/**
 * Brings in one wheel and unpacks it.
 * @param requirement name, version and hash, as in a requirements file
 * @param wheelFor    which of the version's wheels, as options of `pip download`
 * @returns the folder with its content
 */
export async function unpackWheel({ requirement, wheelFor }, { log }) {
  const folder = join(tools, "wheels", /^[\w.-]+/.exec(requirement)[0]);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "requirement.txt");
  writeFileSync(file, requirement);
  const python = join(venv, "bin", "python");
  const pip = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"];
  await run(python, [...pip, ...wheelFor, "-d", folder, "-r", file], { log });
  const wheel = join(
    folder,
    readdirSync(folder).find((name) => name.endsWith(".whl")),
  );
  await run(python, ["-m", "zipfile", "-e", wheel, folder], { log });
  rmSync(wheel);
  return folder;
}
