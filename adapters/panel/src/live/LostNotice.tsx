import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import classes from "./Live.module.css";
import type { LiveState } from "./stream";

/** A connection that is back so soon was not worth a word. */
const grace = 3_000;

/** Says that changes made elsewhere do not appear by themselves at the moment. */
export function LostNotice({ state }: { state: LiveState }) {
  const { t } = useTranslation();
  const [long, setLong] = useState(false);
  const lost = state === "lost";
  useEffect(() => {
    if (!lost) {
      return;
    }
    const timer = setTimeout(() => setLong(true), grace);
    return () => {
      clearTimeout(timer);
      setLong(false);
    };
  }, [lost]);
  return (
    <div aria-live="polite" className={classes.place}>
      {lost && long && (
        <span className={classes.lost}>
          <span className={classes.dot} aria-hidden />
          {t("live.lost")}
        </span>
      )}
    </div>
  );
}
