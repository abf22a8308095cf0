import { Badge } from "@mantine/core";
import { useTranslation } from "react-i18next";

type State = "queued" | "running" | "paused" | "cancelled" | "done" | "failed";

const colours: Record<State, string> = { queued: "gray", running: "blue", paused: "yellow", cancelled: "gray", done: "moss", failed: "red" };

export function JobState({ state }: { state: string }) {
  const { t } = useTranslation();
  return (
    <Badge variant="default" leftSection={<Dot state={state as State} />} tt="none" radius="xl">
      {t(`job.state.${state as State}`)}
    </Badge>
  );
}

function Dot({ state }: { state: State }) {
  return (
    <span
      aria-hidden
      style={{ display: "inline-block", width: 8, height: 8, borderRadius: "50%", background: `var(--mantine-color-${colours[state]}-6)` }}
    />
  );
}
