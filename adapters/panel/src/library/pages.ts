/** How many entries are asked for at once: the most that the server gives. */
export const pageSize = 200;

/** The pages (from 1) that hold the entries from first to last, of which there are total. */
export function pagesFor(first: number, last: number, total: number): number[] {
  const end = Math.min(last, total - 1);
  const pages: number[] = [];
  for (let page = Math.floor(Math.max(0, first) / pageSize); page * pageSize <= end; page++) {
    pages.push(page + 1);
  }
  return pages;
}

/** How many cards fit side by side, at least one, and how wide each is. */
export function columnsFor(width: number, least: number, gap: number): { columns: number; edge: number } {
  const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
  return { columns, edge: Math.max(0, Math.floor((width - gap * (columns - 1)) / columns)) };
}
