// A lane directory for each test, with the ports that it opens there. Whatever a test leaves behind in it fails the test.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect } from "@jest/globals";

import {
  Publisher,
  Subscriber,
  type LaneName,
  type Port,
  type PublisherOptions,
  type SubscriberOptions,
} from "../../src/index.js";
import { eventually } from "./eventually.js";

/** What is not a folder: sockets, lane files, announcements. */
export function leftIn(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return leftIn(directory); // a folder went meanwhile
    throw error;
  }
}

export interface Lanes {
  readonly directory: string;
  publisher(options?: PublisherOptions, name?: LaneName): Publisher;
  subscriber(options?: SubscriberOptions, name?: LaneName): Subscriber;
}

export function useLanes(): Lanes {
  let directory = "";
  let ports: Port[] = [];
  const opened = <P extends Port>(port: P): P => {
    ports.push(port);
    return port;
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "ml-")); // mode 0700
    ports = [];
  });
  afterEach(async () => {
    for (const port of ports) port.close();
    // Not at once, only because a port that was not closed, but dropped, goes when it is collected.
    await eventually(() => {
      expect(leftIn(directory)).toEqual([]);
    });
    rmSync(directory, { recursive: true });
  });
  return {
    get directory() {
      return directory;
    },
    publisher: (options, name = "lane") => opened(new Publisher(name, { directory, ...options })),
    subscriber: (options, name = "lane") => opened(new Subscriber(name, { directory, ...options })),
  };
}
