/** ms, after which something that is still in view is worth loading pictures for. */
const settling = 120;

const waiting = new Map<() => void, number>(); // by when it is due, the earliest first
let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Calls back when a moment has passed; returns what forgets about it. All that wait share
 * one timer: while one scrolls, there are many, and hardly any lives to see its moment.
 */
export function whenSettled(call: () => void): () => void {
  waiting.set(call, performance.now() + settling);
  timer ??= setTimeout(look, settling);
  return () => waiting.delete(call);
}

function look(): void {
  timer = undefined;
  const now = performance.now();
  for (const [call, due] of waiting) {
    if (due > now) {
      timer = setTimeout(look, due - now);
      return;
    }
    waiting.delete(call);
    call();
  }
}
