// A sensor: a new reading every few milliseconds, of which only the last one matters.
import { setTimeout as sleep } from "node:timers/promises";

import { Publisher } from "memlane";

using readings = new Publisher("examples/temperature", { history: 1 }); // who joins late gets the last one at once
await readings.waitForSubscribers(1);
for (let tenths = 200; tenths <= 300; tenths++) {
  readings.send(Float64Array.of(tenths / 10), { shape: [] }); // a scalar
  await sleep(5);
}
