import { Anchor, Badge, Button, Container, Group, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";

import type { Slot } from "../api/client";
import { Icon } from "../app/Icon";
import { later } from "../app/later";
import { MenuButton } from "../app/MenuButton";
import { imageUrl, slotsOf } from "../artwork/url";
import { useSession } from "../session/session";
import { usePurgeAll } from "./changes";
import { History } from "./History";
import { Players } from "./Players";
import type { Subject } from "./queries";
import { Renditions } from "./Renditions";
import { SlotPanel } from "./SlotPanel";
import classes from "./Subject.module.css";
import { tell } from "./useConfirm";

const IdentifierDialog = lazy(async () => ({ default: (await import("./IdentifierDialog")).IdentifierDialog }));

const SubjectMenu = later(async () => ({ default: (await import("./SubjectMenu")).SubjectMenu }));
const DeleteDialog = later(async () => ({ default: (await import("../deleted/DeleteDialog")).DeleteDialog }));
const ConfirmDialog = later(async () => ({ default: (await import("./ConfirmDialog")).ConfirmDialog }));

const homes = { artist: "/", album: "/albums", user: "/users" } as const;

/** Every slot of a subject: what is in it, why, how it is shown, and what was ever in it. */
export function SubjectPage(subject: Subject) {
  const { kind, id, name, images } = subject;
  const { t } = useTranslation();
  const [query, setQuery] = useSearchParams();
  const slots = slotsOf[kind];
  const slot = slots.find((one) => one === query.get("slot")) ?? slots[0] ?? "cover";
  const choose = (one: Slot) => setQuery((before) => new URLSearchParams({ ...Object.fromEntries(before), slot: one }), { replace: true });
  const place = { kind, id, slot };
  return (
    <Container size="xl" py="md" px={{ base: "sm", sm: "md" }}>
      <Stack gap="xl">
        <Heading {...subject} />
        {slots.length > 1 && (
          <nav className={classes.slots} aria-label={t("subject.slots")}>
            {slots.map((one) => (
              <SlotTile key={one} subject={subject} slot={one} chosen={one === slot} onChoose={() => choose(one)} />
            ))}
          </nav>
        )}
        <SlotPanel key={slot} subject={subject} place={place} image={images[slot]} />
        {images[slot] && <Renditions key={`renditions ${slot}`} place={place} name={name} tag={images[slot].tag} />}
        <Players {...subject} />
        <History kind={kind} id={id} slot={slot} />
      </Stack>
    </Container>
  );
}

function Heading({ kind, id, name, detail, mbid }: Subject) {
  const { t } = useTranslation();
  const { may } = useSession();
  return (
    <Group justify="space-between" align="flex-start" gap="sm">
      <div>
        <Anchor component={Link} to={homes[kind]} size="sm">
          ← {t(`subject.kind.${kind}`)}
        </Anchor>
        <Title order={1} size="h2" className={classes.name ?? ""}>
          {name}
        </Title>
        {detail !== undefined && <Text c="dimmed">{detail}</Text>}
      </div>
      <Group gap="xs">
        {kind !== "user" && <Identity kind={kind} id={id} name={name} mbid={mbid} />}
        {may(kind === "user" ? "admin" : "write") && <Whole kind={kind} id={id} name={name} />}
      </Group>
    </Group>
  );
}

/** By which identifier providers are asked, and how it is set. */
function Identity({ kind, id, name, mbid }: { kind: "artist" | "album"; id: string; name: string; mbid: string | undefined }) {
  const { t } = useTranslation();
  const { may } = useSession();
  const [opened, setOpened] = useState(false);
  const badge = mbid === undefined ? t("subject.mbid.none") : t("subject.mbid.known");
  if (!may("write")) {
    return (
      <Badge variant="light" color={mbid === undefined ? "gray" : "moss"}>
        {badge}
      </Badge>
    );
  }
  return (
    <>
      <Button size="xs" variant={mbid === undefined ? "light" : "default"} onClick={() => setOpened(true)}>
        {badge}
      </Button>
      <Suspense fallback={null}>
        {opened && <IdentifierDialog kind={kind} id={id} name={name} mbid={mbid} onClose={() => setOpened(false)} />}
      </Suspense>
    </>
  );
}

/** What is done with all of a subject: deleting it, and forgetting its images. */
function Whole({ kind, id, name }: Pick<Subject, "kind" | "id" | "name">) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { may, principal } = useSession();
  const [asking, setAsking] = useState<"delete" | "purge">();
  const oneself = kind === "user" && principal?.id === id;
  const close = () => setAsking(undefined);
  return (
    <>
      <MenuButton
        menu={(button) => (
          <SubjectMenu
            onPurge={may("admin") ? () => setAsking("purge") : undefined}
            onDelete={oneself ? undefined : () => setAsking("delete")}
            button={button}
          />
        )}
      >
        <Button size="xs" variant="default" aria-label={t("subject.more")}>
          ⋯
        </Button>
      </MenuButton>
      <Suspense>
        {asking === "delete" && <DeleteDialog target={{ kind, id, name }} onClose={close} onDeleted={() => void navigate(homes[kind])} />}
        {asking === "purge" && <PurgeDialog kind={kind} id={id} name={name} onClose={close} />}
      </Suspense>
    </>
  );
}

function PurgeDialog({ kind, id, name, onClose }: Pick<Subject, "kind" | "id" | "name"> & { onClose: () => void }) {
  const { t } = useTranslation();
  const purge = usePurgeAll({ kind, id });
  const done = () => {
    onClose();
    tell(t("subject.purgeAll.done"));
  };
  return (
    <ConfirmDialog
      title={t("subject.purgeAll.title", { name })}
      text={t("subject.purgeAll.text")}
      action={t("subject.purgeAll.action")}
      pending={purge.isPending}
      error={purge.error}
      onClose={onClose}
      onConfirm={() => purge.mutate(undefined, { onSuccess: done })}
    />
  );
}

interface TileProps {
  subject: Subject;
  slot: Slot;
  chosen: boolean;
  onChoose: () => void;
}

function SlotTile({ subject: { kind, id, images }, slot, chosen, onChoose }: TileProps) {
  const { t } = useTranslation();
  const image = images[slot];
  return (
    <UnstyledButton className={classes.tile ?? ""} aria-current={chosen ? "true" : undefined} onClick={onChoose}>
      <span className={classes.tilePicture}>
        {image ? <img src={imageUrl(kind, id, slot, { size: "small", tag: image.tag })} alt="" /> : <Icon name="plus" />}
      </span>
      <span className={classes.tileWords}>
        <Text span fw={600} size="sm">
          {t(`slot.${slot}`)}
        </Text>
        <Text span size="xs" c="dimmed">
          {image ? `${image.width} × ${image.height}` : t("image.none")}
          {image?.locked === true && ` · ${t("image.locked")}`}
        </Text>
      </span>
    </UnstyledButton>
  );
}
