import { type ReactNode, useEffect, useRef, useState } from "react";

interface Props {
  /** As high as it will be about, so that what is below it does not come near with it, in pixels. */
  height: number;
  /** It is there from the beginning, wherever it is. */
  now: boolean;
  children: ReactNode;
}

/** A part of a page that is put together, and what it needs fetched, when somebody comes near it. */
export function Near({ height, now, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(now);
  useEffect(() => {
    if (near || !place.current) {
      return;
    }
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting === true && setNear(true), { rootMargin: "300px" });
    seen.observe(place.current);
    return () => seen.disconnect();
  }, [near]);
  return near ? children : <div ref={place} style={{ height }} />;
}
