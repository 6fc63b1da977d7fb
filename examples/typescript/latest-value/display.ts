// A display that is slower than the sensor: it never sees an old reading, and never slows the sensor down.
import { setTimeout as sleep } from "node:timers/promises";

import { Subscriber } from "memlane";

using readings = new Subscriber("examples/temperature", { depth: 1, overflow: "drop-oldest" });
for await (const sample of readings.samples({ untilIdle: true })) {
  const [degrees] = sample.data as Float64Array;
  console.log(`${degrees?.toFixed(1)} degrees`);
  await sleep(50);
}
