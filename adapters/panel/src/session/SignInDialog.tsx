import { Alert, Button, Divider, Modal, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { answered, api, ApiError } from "../api/client";
import { Refusal } from "../app/Refusal";
import type { Asking } from "./session";

interface Props {
  asking: Asking;
  /** Whose work waits; undefined if nobody's does. */
  who: string | undefined;
  signIn: (username: string, password: string) => Promise<void>;
  onClose: () => void;
}

/** Asks who is there, over the page, which stays as it is. */
export function SignInDialog({ asking, who, signIn, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <Modal opened={asking !== "no"} onClose={onClose} title={t("signIn.title")} centered closeButtonProps={{ "aria-label": t("action.close") }}>
      <Stack>
        {asking === "ended" && <Alert color="yellow">{t("signIn.ended")}</Alert>}
        {asking === "elsewhere" && <Alert color="yellow">{t("session.elsewhere")}</Alert>}
        <SignInForm who={who} signIn={signIn} />
        <Organisation beside={who !== undefined} />
      </Stack>
    </Modal>
  );
}

function SignInForm({ who, signIn }: Pick<Props, "who" | "signIn">) {
  const { t } = useTranslation();
  const attempt = useMutation({ mutationFn: (form: FormData) => signIn(text(form, "username"), text(form, "password")) });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault(); // React would empty the fields of an action
        attempt.mutate(new FormData(event.currentTarget));
      }}
    >
      <Stack>
        <TextInput
          name="username"
          label={t("signIn.username")}
          autoComplete="username"
          defaultValue={who ?? ""}
          required
          data-autofocus={who === undefined || undefined}
        />
        <PasswordInput
          name="password"
          label={t("signIn.password")}
          autoComplete="current-password"
          required
          data-autofocus={who !== undefined || undefined}
          visibilityToggleButtonProps={{ "aria-label": t("session.show") }}
        />
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
        {who !== undefined && (
          <Text size="xs" c="dimmed">
            {t("session.other", { who })}
          </Text>
        )}
      </Stack>
    </form>
  );
}

/**
 * Signs in with the identity provider, if there is one. It opens beside a page with work
 * on it, which goes on when the other tab says that somebody has signed in.
 */
function Organisation({ beside }: { beside: boolean }) {
  const { t } = useTranslation();
  const methods = useQuery({
    queryKey: ["methods"],
    queryFn: ({ signal }) => answered(api.GET("/api/auth/methods", { signal })),
    staleTime: Infinity,
  });
  if (methods.data?.identityProvider !== true) {
    return null;
  }
  const returnTo = beside ? "/admin/signed-in" : location.pathname + location.search;
  return (
    <>
      <Divider label={t("session.or")} />
      <Button
        component="a"
        variant="default"
        href={`/api/auth/oidc/login?returnTo=${encodeURIComponent(returnTo)}`}
        {...(beside && { target: "_blank" })}
      >
        {t("signIn.external")}
      </Button>
    </>
  );
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
