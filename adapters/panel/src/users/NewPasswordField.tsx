import { Button, Group, PasswordInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useTranslation } from "react-i18next";

import { CopyButton } from "../app/CopyButton";
import { leastPassword, longestPassword } from "../session/PasswordDialog";
import { newPassword } from "./random";

interface Props {
  value: string;
  onChange: (value: string) => void;
  optional?: boolean;
}

/** A password for somebody else: typed, or made up and copied. */
export function NewPasswordField({ value, onChange, optional = false }: Props) {
  const { t } = useTranslation();
  const [visible, { toggle, open }] = useDisclosure(false);
  return (
    <div>
      <PasswordInput
        label={t("users.password")}
        description={t("session.rule", { count: leastPassword })}
        autoComplete="new-password"
        required={!optional}
        minLength={leastPassword}
        maxLength={longestPassword}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        visible={visible}
        onVisibilityChange={toggle}
        visibilityToggleButtonProps={{ "aria-label": t("session.show") }}
      />
      <Group gap="xs" mt={6}>
        <Button
          size="compact-xs"
          variant="subtle"
          onClick={() => {
            onChange(newPassword());
            open();
          }}
        >
          {t("users.suggest")}
        </Button>
        {value !== "" && <CopyButton text={value} label={t("users.copyPassword")} />}
      </Group>
    </div>
  );
}
