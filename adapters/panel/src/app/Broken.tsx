import { Alert, Anchor, Container } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";

/** The page of what cannot be shown: an address with nothing behind it, or a failure. */
export function Broken({ missing = false }: { missing?: boolean }) {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <Container py="xl">
      <Alert color={missing ? "gray" : "red"} title={missing ? t("error.notFound") : t("error.title")}>
        {!missing && <p>{error instanceof TypeError ? t("error.reload") : String(error)}</p>}
        <Anchor component={Link} to="/">
          {t("action.back")}
        </Anchor>
      </Alert>
    </Container>
  );
}
