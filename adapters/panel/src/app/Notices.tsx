import { Suspense, useEffect, useState } from "react";

import { later } from "./later";

const NotificationArea = later(async () => ({ default: (await import("./NotificationArea")).NotificationArea }));

/** The notifications, whose code comes after the page: what is told before then waits for it. */
export function Notices() {
  const [due, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), 500);
    return () => clearTimeout(timer);
  }, []);
  return <Suspense>{due && <NotificationArea />}</Suspense>;
}
