import { type ComponentType, lazy, type LazyExoticComponent } from "react";

/**
 * A component that the first load does without. It is fetched as soon as the browser has
 * nothing else to do, not only when it is needed: by then the server may be away, or have
 * another version of it.
 */
export function later<P>(load: () => Promise<{ default: ComponentType<P> }>): LazyExoticComponent<ComponentType<P>> {
  const once = () => (loading ??= load());
  let loading: ReturnType<typeof load> | undefined;
  addEventListener("load", () => setTimeout(() => void once().catch(() => (loading = undefined)), 500), { once: true });
  return lazy(once);
}
