/** A point of an image, in fractions of its width and height. */
export interface Point {
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Box extends Size {
  x: number;
  y: number;
}

export const middle: Point = { x: 0.5, y: 0.5 };

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);

/** To a hundredth of a percent: finer than a hand, and short to read. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000;

export function inside({ x, y }: Point): Point {
  return { x: rounded(clamp(x, 0, 1)), y: rounded(clamp(y, 0, 1)) };
}

/** The point of an image that a pointer is over, the image being drawn in the box. */
export function pointAt(client: Point, box: Box): Point {
  return inside({ x: (client.x - box.x) / box.width, y: (client.y - box.y) / box.height });
}

const directions: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** Where an arrow key moves the point: a hundredth, or a tenth in large steps. Undefined: it is another key. */
export function moved(point: Point, key: string, large: boolean): Point | undefined {
  const step = large ? 0.1 : 0.01;
  const direction = directions[key];
  if (key === "Home") {
    return middle;
  }
  return direction && inside({ x: point.x + direction.x * step, y: point.y + direction.y * step });
}

/** The largest square of an image with the point as near to its middle as can be, in pixels: as the server cuts it. */
export function squareAround(point: Point, { width, height }: Size): Box {
  const side = Math.min(width, height);
  const begin = (fraction: number, length: number) => clamp(Math.floor(fraction * length - side / 2), 0, length - side);
  return { x: begin(point.x, width), y: begin(point.y, height), width: side, height: side };
}

/** How an image has to be scaled and shifted for the part of it to fill a frame, in fractions of the frame. */
export function placement(part: Box, image: Size): { width: number; height: number; left: number; top: number } {
  return {
    width: image.width / part.width,
    height: image.height / part.height,
    left: -part.x / part.width,
    top: -part.y / part.height,
  };
}

const keywords: Record<string, number> = { left: 0, top: 0, center: 0.5, right: 1, bottom: 1 };

/**
 * What a CSS background-position says in fractions, as far as it is keywords and
 * percentages of one or two parts; undefined if it has lengths or offsets from edges.
 */
export function readPosition(text: string): Point | undefined {
  const parts = text.trim().toLowerCase().split(/\s+/);
  if (parts.length > 2 || parts[0] === "") {
    return undefined;
  }
  const [first = "", second = "center"] = parts;
  const swapped = /^(top|bottom)$/.test(first) || /^(left|right)$/.test(second);
  const [across, down] = swapped ? [second, first] : [first, second];
  if (/^(top|bottom)$/.test(across) || /^(left|right)$/.test(down)) {
    return undefined;
  }
  const x = fraction(across);
  const y = fraction(down);
  return x === undefined || y === undefined ? undefined : { x, y };
}

function fraction(part: string): number | undefined {
  const percentage = /^([+-]?\d*\.?\d+)%$/.exec(part)?.[1];
  return percentage !== undefined ? Number(percentage) / 100 : (keywords[part] ?? (part === "0" ? 0 : undefined));
}

/** The position as a CSS background-position. */
export function writePosition({ x, y }: Point): string {
  const percent = (value: number) => (value === 0.5 ? "center" : `${Math.round(value * 1000) / 10}%`);
  return x === 0.5 && y === 0.5 ? "center" : `${percent(x)} ${percent(y)}`;
}

/**
 * Where a background that covers a frame is after it was dragged by so many pixels: the
 * picture follows the hand, as far as it is larger than the frame.
 */
export function dragged(position: Point, by: Point, image: Size, frame: Size): Point {
  const scale = Math.max(frame.width / image.width, frame.height / image.height);
  const move = (at: number, delta: number, length: number, room: number) => {
    const hidden = length * scale - room;
    return hidden < 1 ? at : at - delta / hidden;
  };
  return inside({ x: move(position.x, by.x, image.width, frame.width), y: move(position.y, by.y, image.height, frame.height) });
}
