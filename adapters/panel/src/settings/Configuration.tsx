import { Anchor, Paper, SimpleGrid, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import type { Schemas } from "../api/client";
import { term } from "../app/time";
import { bytes } from "../artwork/format";
import classes from "./Settings.module.css";

/** How the environment has Gatefold set up. Nothing of it is changed here. */
export function ConfigurationGroups({ configuration: c }: { configuration: Schemas["Configuration"] }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const number = (n: number) => new Intl.NumberFormat(language).format(n);
  const time = (text: string) => (/^0[a-z]*$/.test(text) ? t("settings.forEver") : (term(text, language) ?? text));
  const yes = (is: boolean) => t(is ? "settings.yes" : "settings.no");
  const formats = c.uploads.formats.map((format) => format.replace("image/", "").toUpperCase()).join(", ");
  return (
    <section aria-labelledby="configuration">
      <Title order={2} size="h4" id="configuration">
        {t("settings.configuration")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm" maw={680}>
        {t("settings.configurationLead")}
      </Text>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        <Values
          title={t("settings.group.parts")}
          values={[
            [t("settings.version"), c.version],
            [t("settings.database"), c.database === "postgres" ? "PostgreSQL" : "SQLite"],
            [t("settings.storage"), t(c.storage === "s3" ? "settings.s3" : "settings.disk")],
            [t("settings.redis"), yes(c.redis)],
            [t("settings.musicFolder"), yes(c.musicFolder)],
          ]}
        />
        <Values
          title={t("settings.group.cache")}
          more={
            <Anchor component={Link} to="/cache" size="sm">
              {t("settings.toCache")}
            </Anchor>
          }
          values={[
            [t("settings.mode"), c.cache.mode],
            [t("settings.cacheTtl"), time(c.cache.cacheTtl)],
            [t("settings.l1Ttl"), time(c.cache.l1Ttl)],
          ]}
        />
        <Values
          title={t("settings.group.uploads")}
          values={[
            [t("settings.maxBytes"), bytes(c.uploads.maxBytes, language)],
            [t("settings.maxAvatarBytes"), bytes(c.uploads.maxAvatarBytes, language)],
            [t("settings.maxPixels"), number(c.uploads.maxPixels)],
            [t("settings.maxPixelsAvif"), number(c.uploads.maxPixelsAvif)],
            [t("settings.maxSide"), t("settings.pixels", { count: c.uploads.maxSide, n: number(c.uploads.maxSide) })],
            [t("settings.formats"), formats],
          ]}
        />
        <Values
          title={t("settings.group.keeping")}
          values={[
            [t("settings.historyKeep"), c.historyKeep === null ? t("settings.all") : number(c.historyKeep)],
            [t("settings.activityKeep"), time(c.activityKeep)],
            [t("settings.orphanGrace"), time(c.orphanGrace)],
          ]}
        />
      </SimpleGrid>
    </section>
  );
}

function Values({ title, values, more }: { title: string; values: [string, string][]; more?: ReactNode }) {
  return (
    <Paper withBorder p="md">
      <Title order={3} size="h5" mb="xs">
        {title}
      </Title>
      <dl className={classes.values}>
        {values.map(([name, value]) => (
          <Value key={name} name={name} value={value} />
        ))}
      </dl>
      {more}
    </Paper>
  );
}

function Value({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
