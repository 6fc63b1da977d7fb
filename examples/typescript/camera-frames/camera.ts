// A camera: draws each frame straight into memory of the lane. Its picture is a white bar that moves to the right.
import { Publisher } from "memlane";

const [height, width, bar, step] = [1080, 1920, 192, 48];

using frames = new Publisher("examples/camera", { label: "camera" });
frames.reserve(height * width * 3, 4); // memory is ready before the first frame
await frames.waitForSubscribers(1);
for (let number = 0; number < 30; number++) {
  const frame = frames.loan([height, width, 3], "uint8");
  frame.data.fill(0);
  for (let y = 0; y < height; y++) {
    const begin = (y * width + number * step) * 3;
    frame.data.fill(255, begin, begin + bar * 3);
  }
  await frames.sendAsync(frame); // waits where a subscriber has four frames already
}
