import { Alert, Button, Modal, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { ApiError } from "../api/client";
import { Refusal } from "../app/Refusal";

interface Props {
  opened: boolean;
  ended: boolean;
  signIn: (username: string, password: string) => Promise<void>;
  onClose: () => void;
}

export function SignInDialog({ opened, ended, signIn, onClose }: Props) {
  const { t } = useTranslation();
  const attempt = useMutation({ mutationFn: (form: FormData) => signIn(text(form, "username"), text(form, "password")) });
  return (
    <Modal opened={opened} onClose={onClose} title={t("signIn.title")} centered closeButtonProps={{ "aria-label": t("action.close") }}>
      <form action={(form) => attempt.mutate(form)}>
        <Stack>
          {ended && <Alert color="yellow">{t("signIn.ended")}</Alert>}
          <TextInput name="username" label={t("signIn.username")} autoComplete="username" required data-autofocus />
          <PasswordInput name="password" label={t("signIn.password")} autoComplete="current-password" required />
          {attempt.error instanceof ApiError && attempt.error.status === 401 ? (
            <Alert color="red" role="alert">
              {t("signIn.wrong")}
            </Alert>
          ) : (
            attempt.error && <Refusal error={attempt.error} />
          )}
          <Button type="submit" loading={attempt.isPending}>
            {t("action.signIn")}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
