import { Alert, Anchor, Loader, Text } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { ImageInfo, Schemas } from "../api/client";
import { Refusal } from "../app/Refusal";
import { bytes, moment } from "../artwork/format";
import type { Explanation } from "./queries";
import classes from "./Subject.module.css";

/** What is known of the image in force, and why it is this one. */
export function Why({ query, image }: { query: UseQueryResult<Explanation>; image: ImageInfo | undefined }) {
  const { t } = useTranslation();
  if (query.error) {
    return <Refusal error={query.error} retry={() => void query.refetch()} />;
  }
  if (!query.data) {
    return query.isFetching ? <Loader size="sm" /> : image ? <Public image={image} /> : null;
  }
  const { rule, inForce, keptEmpty } = query.data;
  return (
    <>
      <Alert
        variant="light"
        color={keptEmpty ? "yellow" : "gray"}
        title={t("subject.why")}
        py="xs"
        classNames={{ root: classes.why ?? "", title: classes.whyTitle ?? "" }}
      >
        <RuleText rule={rule} of="rule" />
      </Alert>
      {inForce && <Facts known={inForce} />}
    </>
  );
}

/** Who offered an image, or where else it came from. */
export function Origin({ source, provider }: Pick<ImageInfo, "source" | "provider">) {
  const { t } = useTranslation();
  return <>{source === "external" ? (provider ?? t("source.external")) : t(`source.${source}`)}</>;
}

/** A rule or a reason in the reader's language; what is not known yet in the server's words. */
export function RuleText({ rule, of }: { rule: Schemas["Rule"]; of: "rule" | "reason" }) {
  const { t, i18n } = useTranslation();
  const key = `subject.${of}.${rule.code}`;
  return <>{i18n.exists(key) ? t(key as "subject.rule.chosen") : rule.message}</>;
}

/** What everybody may know. */
function Public({ image }: { image: ImageInfo }) {
  const { t, i18n } = useTranslation();
  return (
    <dl className={classes.list}>
      <Fact name={t("subject.fact.picture")}>
        {t("image.size", { width: image.width, height: image.height, bytes: bytes(image.size, i18n.language) })}
      </Fact>
      <Fact name={t("subject.fact.source")}>
        <Origin {...image} />
      </Fact>
      <Fact name={t("subject.fact.changed")}>{moment(image.lastModified, i18n.language)}</Fact>
    </dl>
  );
}

type Known = NonNullable<Explanation["inForce"]>;

function Facts({ known }: { known: Known }) {
  const { t, i18n } = useTranslation();
  const { width, height, appliedBy, appliedAt } = known;
  const format = known.mimeType.replace("image/", "").toUpperCase();
  return (
    <dl className={classes.list}>
      <Fact name={t("subject.fact.picture")}>
        {t("image.size", { width, height, bytes: bytes(known.size, i18n.language) })}, {format}
      </Fact>
      <Fact name={t("subject.fact.source")}>
        {t(`source.${known.source}`)}
        {known.source !== "local" && known.provider !== undefined && `: ${known.provider}`}
      </Fact>
      {(known.foundAt ?? known.fileName) !== undefined && <Fact name={t("subject.fact.file")}>{known.foundAt ?? known.fileName}</Fact>}
      {known.url !== undefined && (
        <Fact name={t("subject.fact.address")}>
          <Outside url={known.url} />
        </Fact>
      )}
      <Fact name={t("subject.fact.rights")}>
        <Rights {...known} />
      </Fact>
      {appliedAt !== undefined && (
        <Fact name={t(known.act ? `subject.act.${known.act}` : "subject.fact.applied")}>
          {appliedBy !== undefined ? t("image.by", { who: appliedBy, when: moment(appliedAt, i18n.language) }) : moment(appliedAt, i18n.language)}
        </Fact>
      )}
      {known.focalPoint && (
        <Fact name={t("subject.focal.label")}>
          {t("subject.focal.at", { x: Math.round(known.focalPoint.x * 100), y: Math.round(known.focalPoint.y * 100) })}
        </Fact>
      )}
    </dl>
  );
}

export function Rights({ licence, attribution, sourcePage }: Pick<Known, "licence" | "attribution" | "sourcePage">) {
  const { t } = useTranslation();
  if (licence === undefined && attribution === undefined && sourcePage === undefined) {
    return (
      <Text span size="sm" c="dimmed">
        {t("subject.fact.noRights")}
      </Text>
    );
  }
  return (
    <>
      {[licence, attribution].filter(Boolean).join(" · ")}
      {sourcePage !== undefined && (
        <>
          {(licence ?? attribution) !== undefined && " · "}
          <Outside url={sourcePage} />
        </>
      )}
    </>
  );
}

function Outside({ url }: { url: string }) {
  return (
    <Anchor href={url} target="_blank" rel="noreferrer noopener" size="sm" className={classes.address ?? ""}>
      {url.replace(/^https?:\/\//, "")}
    </Anchor>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
