import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "./Icon";

/** Copies a text. Pages that came without https have to do it the old way. */
async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const area = document.createElement("textarea");
  area.value = text;
  (document.querySelector("[aria-modal]") ?? document.body).append(area); // where the focus may be
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState<string>();
  return (
    <Button
      size="compact-xs"
      variant="subtle"
      leftSection={<Icon name={copied === text ? "check" : "copy"} size={14} />}
      onClick={() => void copy(text).then((done) => setCopied(done ? text : undefined))}
    >
      <span aria-live="polite">{copied === text ? t("shell.copied") : label}</span>
    </Button>
  );
}
