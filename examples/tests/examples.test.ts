// Every example runs, against its counterpart in every language.
import { describe, expect, test } from "@jest/globals";

import { command, type Language, languages, runTogether } from "./programs.js";

const pairs = languages.flatMap((from) => languages.map((to): [Language, Language] => [from, to]));

describe.each(pairs)("%s to %s", (from, to) => {
  test("hello", async () => {
    const [, subscriber] = await runTogether(command(from, "hello/publisher"), command(to, "hello/subscriber"));
    expect(subscriber?.lines).toEqual(["Hello", "from", from]);
  });

  test("camera frames", async () => {
    const [, viewer] = await runTogether(command(from, "camera-frames/camera"), command(to, "camera-frames/viewer"));
    const frames = Array.from({ length: 30 }, (_, n) => `frame ${n + 1}: 1920 x 1080, bar at ${n * 48}`);
    expect(viewer?.lines).toEqual(frames);
  });

  test("latest value", async () => {
    const [, display] = await runTogether(command(from, "latest-value/sensor"), command(to, "latest-value/display"));
    const shown = (display?.lines ?? []).map((line) => /^(\d+\.\d) degrees$/.exec(line)?.[1]).map(Number);
    expect(shown.at(-1)).toBe(30); // the last one is never lost
    expect(shown.length).toBeLessThan(101); // and not all were shown
    expect(shown).toEqual([...shown].sort((a, b) => a - b)); // none that is older than one before; no NaN either
  });
});

describe.each(languages)("%s", (from) => {
  test("publishes into an epoll loop", async () => {
    const [, subscriber] = await runTogether(command(from, "hello/publisher"), command("C++", "epoll/subscriber"));
    expect(subscriber?.lines).toEqual(["Hello", "from", from]);
    expect(subscriber?.complaints).toMatch(/^the timer ticked \d+ times meanwhile$/m);
  });

  test("publishes into asyncio", async () => {
    const [, subscriber] = await runTogether(command(from, "hello/publisher"), command("Python", "asyncio/subscriber"));
    expect(subscriber?.lines).toEqual(["Hello", "from", from]);
    expect(subscriber?.complaints).toMatch(/^the clock ticked \d+ times meanwhile$/m);
  });
});

test("everybody hears everybody, in the order in which each spoke", async () => {
  const people = [...languages, ...languages].map((language, n) => ({ language, name: `${language} ${n}` }));
  const ends = await runTogether(
    ...people.map(({ language, name }) => [...command(language, "many-to-many/chat"), name, String(people.length)]),
  );
  for (const { lines } of ends) {
    expect(lines).toHaveLength(3 * people.length);
    for (const { name } of people) {
      const own = lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
      expect(own).toEqual(["Good morning.", "How are you?", "Goodbye."]);
    }
  }
});
