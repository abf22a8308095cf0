import { Group, Loader, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { bytes } from "../artwork/format";
import classes from "./Find.module.css";
import { type Progress, stages } from "./phases";

/** How far the server is with an apply: for the eyes its stages, for the ears each as it begins. */
export function Applying({ progress }: { progress: Progress | undefined }) {
  const { t } = useTranslation();
  const now = progress ? stages.indexOf(progress.stage) : -1;
  return (
    <Stack gap={4} className={classes.applying ?? ""}>
      <Group gap="xs" wrap="nowrap">
        <Loader size="sm" />
        <ol className={classes.stages} aria-label={t("subject.apply.stages")}>
          {stages.map((stage, index) => (
            <li key={stage} data-state={index < now ? "done" : index === now ? "now" : "later"} aria-current={index === now ? "step" : undefined}>
              {t(`subject.apply.${stage}.name`)}
              {stage === "downloading" && progress !== undefined && progress.received > 0 && <Received {...progress} />}
            </li>
          ))}
        </ol>
        <Elapsed />
      </Group>
      <VisuallyHidden aria-live="polite">{progress ? t(`subject.apply.${progress.stage}.said`) : t("subject.apply.begun")}</VisuallyHidden>
    </Stack>
  );
}

function Received({ received, total }: Progress) {
  const { t, i18n } = useTranslation();
  const size = (n: number) => bytes(n, i18n.language);
  return (
    <span className={classes.received}>{total > 0 ? t("subject.apply.of", { received: size(received), total: size(total) }) : size(received)}</span>
  );
}

/** For how long it has been going on: a server that is busy takes its time in one stage. */
function Elapsed() {
  const { t } = useTranslation();
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const begin = Date.now();
    const timer = setInterval(() => setSeconds(Math.floor((Date.now() - begin) / 1000)), 250);
    return () => clearInterval(timer);
  }, []);
  return (
    <Text size="xs" c="dimmed" aria-hidden>
      {seconds > 0 && t("subject.find.elapsed", { count: seconds })}
    </Text>
  );
}
