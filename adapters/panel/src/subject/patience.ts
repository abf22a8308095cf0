/** A rendition is made in less than a second; a queue of them takes some minutes at the most. */
const most = 6;

/**
 * How many milliseconds to wait before a rendition that is not ready is asked for again,
 * having been asked for so often: longer each time. After two minutes never again: an
 * image that cannot be rendered is answered with another size for good.
 */
export function pauseAfter(asked: number): number | false {
  return asked > most ? false : 2_000 * 2 ** (asked - 1);
}
