// How long ports let their constructors wait for a peer that is frozen.
const longer = 30_000; // milliseconds: more than any freeze

/** Most wait for everybody; what one that does not wait misses cannot be said beforehand. */
export const joinTimeout = (random) => (random.percent(90) ? longer : 20);

/** Whether a port is linked with everybody who is there when its constructor returns. */
export const waitsForAll = (port) => port.options["join-timeout"] === longer;
