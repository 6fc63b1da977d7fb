import { installErrors } from "./make-error.js";

installErrors();

export { dtypes, type ArrayTypes, type DType, type Float16ArrayLike } from "./dtype.js";
export { MemlaneError, type ErrorCode } from "./error.js";
export type { LaneName } from "./lane-name.js";
export { Loan } from "./loan.js";
export type { Payload, PayloadOptions } from "./payload.js";
export { Port } from "./port.js";
export type { PortOptions } from "./port-options.js";
export { Publisher, type PublisherOptions, type PublisherStats, type SendOptions } from "./publisher.js";
export { Sample, type Sender } from "./sample.js";
export type { SampleIterator } from "./sample-iterator.js";
export type { SendInfo } from "./send-info.js";
export {
  Subscriber,
  type LoopOptions,
  type Overflow,
  type SubscriberOptions,
  type SubscriberStats,
} from "./subscriber.js";
export { wait } from "./wait.js";
export type { WaitOptions } from "./wait-options.js";
export { version } from "./version.js";
