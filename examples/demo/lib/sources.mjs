// What the demo shows: the files that its user names, or the photographs that the setup brought in.
import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";

import { tools } from "../../../scripts/lib/paths.mjs";

// Of the pictures that scikit-image carries, those that are photographs.
const photographs = [
  ...["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "hubble_deep_field.jpg"],
  ...["retina.jpg", "ihc.png", "camera.png", "coins.png", "moon.png", "brick.png", "grass.png", "gravel.png"],
  ...["page.png", "motorcycle_right.png"],
];

const pictureOrVideo = new Set(
  [
    ...["avi", "avif", "bmp", "gif", "jpeg", "jpg", "jxl", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "ogv"],
    ...["png", "ppm", "tga", "tif", "tiff", "webm", "webp", "wmv"],
  ].map((name) => `.${name}`),
);

/** Nothing can be shown; the message says why. */
export class NoSources extends Error {}

/** The files that a path means. */
function filesAt(path) {
  if (!existsSync(path)) throw new NoSources(`there is no ${path}`);
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isFile() && pictureOrVideo.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(path, entry.name))
    .sort();
  if (files.length === 0) throw new NoSources(`${path} holds no picture and no video`);
  return files;
}

/** @returns the files to show, each three times where they are our own few */
export function sources(paths) {
  if (paths.length > 0) return paths.flatMap(filesAt);
  const own = photographs.map((name) => join(tools, "photographs", name));
  const missing = own.find((file) => !existsSync(file));
  if (missing !== undefined) throw new NoSources(`there is no ${missing}: run "npm run setup"`);
  return [...own, ...own, ...own];
}
