// Looks at each frame where it lies: no copy is made, however large it is.
import { Subscriber } from "memlane";

using frames = new Subscriber("examples/camera", { depth: 4 });
for await (const sample of frames.samples({ untilIdle: true })) {
  const [height, width] = sample.shape;
  const bar = sample.bytes.indexOf(255) / 3; // in the topmost row
  console.log(`frame ${sample.sequence}: ${width} x ${height}, bar at ${bar}`);
}
