// Whether every frame came, once, in order and unchanged: what the programs said, held against each other.

/**
 * @param camera  what the camera said at its end: { total }
 * @param checker what the checker said at its end: { originals, results, bytes }
 * @param problems what the checker complained about meanwhile
 * @returns one line for each thing that went wrong
 */
export function findings(camera, checker, problems) {
  const found = [...problems];
  if (camera === undefined) found.push("the camera did not say how many frames it published");
  if (checker === undefined) found.push("the checker did not say what it received");
  if (camera === undefined || checker === undefined) return found;
  for (const stream of ["originals", "results"]) {
    const lost = camera.total - checker[stream];
    if (lost !== 0) found.push(`${stream}: ${camera.total} frames were published, ${checker[stream]} arrived`);
  }
  if (camera.total === 0) found.push("not one frame could be read");
  return found;
}
