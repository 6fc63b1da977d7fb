// What the machine itself must have. All else is brought in by the setup.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const python = process.env.PYTHON ?? "python3";
export const compiler = process.env.CXX ?? "c++";

/** The output of a command, or undefined if it cannot be run or fails. */
export function answer(command, args, options = {}) {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["pipe", "pipe", "ignore"], ...options }).trim();
  } catch {
    return undefined;
  }
}

/** Compares versions number by number. */
export function isAtLeast(version, minimum) {
  const [have, want] = [version, minimum].map((text) => text.split(".").map(Number));
  for (let i = 0; i < want.length; i++) {
    if ((have[i] ?? 0) !== want[i]) return (have[i] ?? 0) > want[i];
  }
  return true;
}

function compilesCxx20() {
  const folder = mkdtempSync(join(tmpdir(), "memlane-"));
  try {
    const source = join(folder, "probe.cpp");
    writeFileSync(
      source,
      "#include <concepts>\n#include <span>\nint f(std::span<const int> s) { return s.front(); }\n",
    );
    return answer(compiler, ["-std=c++20", "-fsyntax-only", source]) !== undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is missing, each in one line that says how to install it. */
export function missingRequirements() {
  const missing = [];
  if (!isAtLeast(process.versions.node, "20.19")) {
    missing.push(`Node.js 20.19 or newer (this is ${process.versions.node}): https://nodejs.org/en/download`);
  }
  const pythonVersion = answer(python, ["-c", "import platform; print(platform.python_version())"]);
  if (pythonVersion === undefined || !isAtLeast(pythonVersion, "3.10")) {
    missing.push(`Python 3.10 or newer (${python} is ${pythonVersion ?? "not there"}): apt-get install python3`);
  } else if (answer(python, ["-c", "import venv, ensurepip"]) === undefined) {
    missing.push("Python's venv: apt-get install python3-venv");
  }
  if (!compilesCxx20()) {
    missing.push(
      `a C++20 compiler (${compiler} is not one): apt-get install g++ (GCC 11 or newer, or Clang 14 or newer)`,
    );
  }
  return missing;
}

/** Whether the machine has what builds the C++ parts: CMake (with workflow presets), Ninja and pkg-config. */
export function hasBuildTools() {
  const cmake = /version ([\d.]+)/.exec(answer("cmake", ["--version"]) ?? "")?.[1];
  if (cmake === undefined || !isAtLeast(cmake, "3.25")) return false;
  return ["ninja", "pkg-config"].every((tool) => answer(tool, ["--version"]) !== undefined);
}

export function hasGoogleTest() {
  const probe = "#if !__has_include(<gtest/gtest.h>)\n#error\n#endif\n";
  return answer(compiler, ["-x", "c++", "-E", "-"], { input: probe }) !== undefined;
}
