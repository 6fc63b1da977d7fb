// The patterns that lanes can carry: what their ports are called in steps, and what their options may be. What must arrive
// is in the ledger that each names.
import { BroadcastLedger } from "./broadcast-ledger.mjs";
import { joinTimeout } from "./joining.mjs";

const spin = (random) =>
  random.weighted([
    [70, undefined],
    [15, 0],
    [15, 0.05],
  ]);

/** Of a port whose memory is looked at when it rests. A loan of `lent` bytes takes all of it. */
export const smallBudget = 8 << 20; // bytes
export const lent = smallBudget - 192; // bytes: without the block that describes a payload

export const patterns = {
  "publish-subscribe": {
    ledger: BroadcastLedger,
    sender: {
      open: "open-publisher",
      options: (random) => ({
        history: random.weighted([
          [50, 0],
          [20, 1],
          [15, 3],
          [10, 10],
          [5, 40],
        ]),
        budget: random.weighted([
          [50, 64 << 20],
          [20, 24 << 20],
          [30, smallBudget],
        ]),
        "send-timeout": random.between(0, 5),
        "join-timeout": joinTimeout(random),
        spin: spin(random),
      }),
    },
    receiver: {
      open: "open-subscriber",
      options: (random) => ({
        depth: random.of([1, 2, 3, 8, 16, 16, 64, 64, 300]),
        overflow: random.weighted([
          [45, "block"],
          [25, "drop-oldest"],
          [15, "drop-newest"],
          [15, "fail"],
        ]),
        "join-timeout": joinTimeout(random),
        spin: spin(random),
      }),
    },
  },
};
