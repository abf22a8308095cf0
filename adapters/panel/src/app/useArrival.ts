import { useEffect, useRef } from "react";
import { useLocation } from "react-router";

/**
 * Names the window after the heading of the page, whenever that comes or changes, and
 * moves the focus there after a navigation, unless somebody has moved it meanwhile: who
 * listens to the page hears where they are.
 */
export function useArrival(main: React.RefObject<HTMLElement | null>, product: string): void {
  const { pathname } = useLocation();
  const arrived = useRef<string>(undefined);
  useEffect(() => {
    const page = main.current;
    if (!page) {
      return;
    }
    const navigated = arrived.current !== undefined && arrived.current !== pathname;
    arrived.current = pathname;
    const focused = document.activeElement;
    let heading: HTMLElement | undefined;
    const ofHeading = new MutationObserver(() => name());
    const name = () => (document.title = heading ? `${heading.textContent} · ${product}` : product);
    const look = () => {
      const found = page.querySelector("h1") ?? undefined;
      if (found === heading || !found) {
        return;
      }
      const first = !heading;
      heading = found;
      ofHeading.disconnect();
      ofHeading.observe(found, { childList: true, characterData: true, subtree: true });
      name();
      const left = document.activeElement === focused || document.activeElement === document.body;
      if (navigated && first && left && !document.querySelector("[aria-modal]")) {
        found.tabIndex = -1;
        found.focus({ preventScroll: true });
      }
    };
    document.title = product;
    const ofPage = new MutationObserver(look);
    ofPage.observe(page, { childList: true, subtree: true });
    look();
    return () => {
      ofPage.disconnect();
      ofHeading.disconnect();
    };
  }, [main, pathname, product]);
}
