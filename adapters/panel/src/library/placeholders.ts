import { thumbHashToAverageRGBA, thumbHashToRGBA } from "thumbhash";

/** So many decoded placeholders are kept, of some 4 kB each. */
const most = 600;
const decoded = new Map<string, ImageData>();

export function bytesOf(hash: string): Uint8Array {
  return Uint8Array.from(atob(hash), (character) => character.charCodeAt(0));
}

/** So many colours are kept: they are asked for again whenever a card comes into view. */
const mostColours = 4000;
const colours = new Map<string, string>();

/** The colour that an image has on average, which takes next to no time to tell. */
export function averageColour(hash: string): string {
  let colour = colours.get(hash);
  if (colour === undefined) {
    colour = colourOf(hash);
    if (colours.size >= mostColours) {
      colours.clear();
    }
    colours.set(hash, colour);
  }
  return colour;
}

function colourOf(hash: string): string {
  try {
    const { r, g, b } = thumbHashToAverageRGBA(bytesOf(hash));
    return `rgb(${Math.round(r * 255)} ${Math.round(g * 255)} ${Math.round(b * 255)})`;
  } catch {
    return "transparent"; // no placeholder is better than no page
  }
}

/** Decodes a placeholder, or finds it where it was left. */
function decode(hash: string): ImageData | undefined {
  let image = decoded.get(hash);
  if (!image) {
    const { w, h, rgba } = thumbHashToRGBA(bytesOf(hash));
    image = new ImageData(new Uint8ClampedArray(rgba), w, h);
    if (decoded.size >= most) {
      decoded.delete(decoded.keys().next().value ?? "");
    }
    decoded.set(hash, image);
  }
  return image;
}

const waiting = new Map<HTMLCanvasElement, string>();
let working = false;

/** Draws the placeholder when the browser has nothing better to do; returns what forgets about it. */
export function drawLater(canvas: HTMLCanvasElement, hash: string): () => void {
  waiting.set(canvas, hash);
  if (!working) {
    working = true;
    whenIdle(work);
  }
  return () => waiting.delete(canvas);
}

const whenIdle = (work: (left: () => number) => void) => {
  if ("requestIdleCallback" in window) {
    requestIdleCallback((deadline) => work(() => deadline.timeRemaining()), { timeout: 500 });
  } else {
    setTimeout(() => work(() => 0), 30); // one at a time
  }
};

function work(left: () => number): void {
  for (const [canvas, hash] of waiting) {
    waiting.delete(canvas);
    draw(canvas, hash);
    if (left() < 2) {
      break;
    }
  }
  working = waiting.size > 0;
  if (working) {
    whenIdle(work);
  }
}

function draw(canvas: HTMLCanvasElement, hash: string): void {
  try {
    const image = decode(hash);
    if (image && canvas.isConnected) {
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext("2d")?.putImageData(image, 0, 0);
    }
  } catch {
    // A hash that is none leaves the average colour.
  }
}
