import { Anchor, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Icon } from "../app/Icon";
import { useSession } from "../session/session";
import classes from "./Health.module.css";
import { troubleOf } from "./trouble";
import { useAskAfterFailures, useHealth } from "./useHealth";

/** Says on every page what does not work now, and what still does. */
export function Away() {
  const { t } = useTranslation();
  const { may } = useSession();
  useAskAfterFailures();
  const health = useHealth();
  const trouble = troubleOf(health.data, health.isError);
  const told = trouble === "keys" && !may("admin") ? undefined : trouble;
  return (
    <div role="status" aria-label={t("health.state")}>
      {told && (
        <div className={classes.away} data-trouble={told}>
          <Icon name="alert" />
          <Text size="sm">
            <strong>{t(`health.trouble.${told}.title`)}</strong> {t(`health.trouble.${told}.text`)}{" "}
            {told !== "server" && (
              <Anchor component={Link} to="/health" inherit c="inherit" underline="always">
                {t("health.more")}
              </Anchor>
            )}
          </Text>
        </div>
      )}
    </div>
  );
}
