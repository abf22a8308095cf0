import { Anchor, Badge, Button, Group, Loader, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api, type Schemas } from "../api/client";
import { Refusal } from "../app/Refusal";
import { useIdentify } from "./changes";
import classes from "./Subject.module.css";
import { offerUndo, tellWhen } from "./useConfirm";

interface Props {
  kind: "artist" | "album";
  id: string;
  name: string;
  mbid: string | undefined;
  onClose: () => void;
  onChanged?: () => void;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Says who a subject is at MusicBrainz: providers that are asked by identifier mean nobody else. */
export function IdentifierDialog({ kind, id, name, mbid, onClose, onChanged }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState(name);
  const [asked, setAsked] = useState(name);
  const own = uuid.test(text.trim()) ? text.trim().toLowerCase() : undefined;
  const matches = useQuery({
    queryKey: ["identifiers", kind, id, asked],
    queryFn: ({ signal }) => search(kind, id, asked, name, signal),
    staleTime: 60_000,
  });
  const identify = useIdentify({ kind, id });
  const set = (chosen: string | undefined) =>
    identify.mutate(chosen, {
      onSuccess: () => {
        offerUndo(`${id} mbid`, t(chosen === undefined ? "subject.mbid.removed" : "subject.mbid.saved"), chosen ?? "", {
          label: t("action.undo"),
          run: () => tellWhen(identify.mutateAsync(mbid), t("subject.mbid.undone"), t("error.title")),
        });
        onClose();
        onChanged?.();
      },
    });
  return (
    <Modal opened onClose={onClose} size="lg" title={`${t("subject.mbid.title")} · ${name}`} closeButtonProps={{ "aria-label": t("action.close") }}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t("subject.mbid.hint")}
        </Text>
        <form action={() => (own === undefined ? setAsked(text.trim()) : set(own))}>
          <Group align="flex-end" gap="xs" wrap="nowrap">
            <TextInput
              label={t("subject.mbid.search")}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              flex={1}
              data-autofocus
            />
            <Button type="submit" disabled={text.trim() === ""} loading={matches.isFetching || identify.isPending}>
              {t(own === undefined ? "subject.mbid.ask" : "subject.mbid.set")}
            </Button>
          </Group>
        </form>
        {matches.error && <Refusal error={matches.error} retry={() => void matches.refetch()} />}
        {identify.error && <Refusal error={identify.error} />}
        {matches.isPending && <Loader size="sm" />}
        {matches.data?.length === 0 && <Text c="dimmed">{t("subject.mbid.nothing")}</Text>}
        <Stack component="ul" gap="xs" className={classes.entries ?? ""} aria-label={t("subject.mbid.matches")}>
          {matches.data?.map((match) => (
            <Match
              key={match.mbid}
              kind={kind}
              match={match}
              current={match.mbid === mbid}
              onChoose={() => set(match.mbid)}
              busy={identify.isPending}
            />
          ))}
        </Stack>
        {mbid !== undefined && (
          <Button variant="subtle" color="red" size="xs" onClick={() => set(undefined)}>
            {t("subject.mbid.remove")}
          </Button>
        )}
      </Stack>
    </Modal>
  );
}

async function search(kind: Props["kind"], id: string, text: string, name: string, signal: AbortSignal): Promise<Schemas["IdentifierMatch"][]> {
  const params = { path: { id }, query: text === name ? {} : { query: text } };
  const call =
    kind === "artist"
      ? api.GET("/api/admin/metadata/artist/{id}/mbid/search", { params, signal })
      : api.GET("/api/admin/metadata/album/{id}/mbid/search", { params, signal });
  return (await answered(call)).matches;
}

interface MatchProps {
  kind: Props["kind"];
  match: Schemas["IdentifierMatch"];
  current: boolean;
  busy: boolean;
  onChoose: () => void;
}

function Match({ kind, match, current, busy, onChoose }: MatchProps) {
  const { t } = useTranslation();
  const page = `https://musicbrainz.org/${kind === "artist" ? "artist" : "release-group"}/${match.mbid}`;
  return (
    <li className={classes.entry} data-current={current || undefined}>
      <div className={classes.words}>
        <Text size="sm" fw={600}>
          {match.name}
          {match.artist !== undefined && ` · ${match.artist}`}
        </Text>
        <Text size="xs" c="dimmed">
          {[match.disambiguation, match.details, t("subject.mbid.score", { score: match.score })].filter(Boolean).join(" · ")}
        </Text>
        <Anchor href={page} target="_blank" rel="noreferrer noopener" size="xs" className={classes.address ?? ""}>
          {match.mbid}
        </Anchor>
      </div>
      {current ? (
        <Badge>{t("subject.mbid.current")}</Badge>
      ) : (
        <Button size="xs" variant="default" disabled={busy} onClick={onChoose}>
          {t("subject.mbid.set")}
        </Button>
      )}
    </li>
  );
}
