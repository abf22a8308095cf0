import { useState } from "react";

import classes from "./Users.module.css";

/** A user's picture, or the first letter of their name. It stands beside the name. */
export function Avatar({ id, name, tag }: { id: string; name: string; tag: string | undefined }) {
  const [failed, setFailed] = useState(false);
  return (
    <span className={classes.avatar} aria-hidden>
      {tag === undefined || failed ? (
        name.slice(0, 1).toUpperCase()
      ) : (
        <img src={`/api/images/users/${id}/avatar?tag=${tag}&size=small`} alt="" loading="lazy" onError={() => setFailed(true)} />
      )}
    </span>
  );
}
