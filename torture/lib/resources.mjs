// What a process holds, as the kernel tells it.
import { readFileSync, readdirSync } from "node:fs";

export const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** Memory of lanes that the process has mapped. */
export function mappings(pid) {
  const lines = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  const ours = lines.filter((line) => line.includes("memfd:memlane"));
  const bytes = ours.reduce((sum, line) => {
    const [begin, end] = line.split(" ", 1)[0].split("-");
    return sum + Number(BigInt(`0x${end}`) - BigInt(`0x${begin}`));
  }, 0);
  return { count: ours.length, bytes };
}
