import type { Candidate } from "../api/client";

/** A candidate, and how well it suits once all providers have answered. */
export type Offer = Candidate & { fit?: number };

export type Order = "best" | "size" | "votes" | "provider";

export interface Filter {
  /** Only of this provider; "": of all. */
  provider: string;
  /** Pixels that the shorter side has at least. */
  minimum: number;
  squareOnly: boolean;
  order: Order;
}

export const everything: Filter = { provider: "", minimum: 0, squareOnly: false, order: "best" };

const shorter = ({ width, height }: Offer) => Math.min(width ?? 0, height ?? 0);

/** Nearly: nobody sees two percent. */
const isSquare = ({ width, height }: Offer) => width !== undefined && height !== undefined && Math.abs(width / height - 1) <= 0.02;

/** What passes the filter, in its order. What says nothing of its size is not known to be large or square. */
export function select(offers: readonly Offer[], filter: Filter): Offer[] {
  const passing = offers.filter(
    (offer) =>
      (filter.provider === "" || offer.provider === filter.provider) &&
      (filter.minimum === 0 || shorter(offer) >= filter.minimum) &&
      (!filter.squareOnly || isSquare(offer)),
  );
  switch (filter.order) {
    case "best":
      return passing;
    case "size":
      return passing.toSorted((a, b) => (b.width ?? 0) * (b.height ?? 0) - (a.width ?? 0) * (a.height ?? 0));
    case "votes":
      return passing.toSorted((a, b) => (b.votes ?? 0) - (a.votes ?? 0));
    case "provider":
      return passing.toSorted((a, b) => a.provider.localeCompare(b.provider));
  }
}

/** A ratio as people say it, where they have a word for it: 1:1, 16:9. */
export function ratio(width: number, height: number): string {
  const value = width / height;
  const named = [
    [1, 1],
    [16, 9],
    [4, 3],
    [3, 2],
    [3, 4],
    [2, 3],
    [9, 16],
  ].find(([w = 1, h = 1]) => Math.abs(value / (w / h) - 1) <= 0.02);
  return named ? named.join(":") : `${value.toFixed(2)}:1`;
}
