import { Container, Group, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  title: string;
  /** One sentence on what the page is for. */
  lead?: ReactNode;
  /** What can be done with all of it. */
  actions?: ReactNode;
  children?: ReactNode;
}

/** A page with a heading. Its title is that of the window, see useArrival. */
export function Page({ title, lead, actions, children }: Props) {
  return (
    <Container size="lg" py="lg" px={{ base: "md", sm: "xl" }}>
      <Stack gap="lg">
        <Group justify="space-between" align="flex-end" gap="sm">
          <div>
            <Title order={1} size="h2">
              {title}
            </Title>
            {lead !== undefined && (
              <Text c="dimmed" maw={680}>
                {lead}
              </Text>
            )}
          </div>
          {actions}
        </Group>
        {children}
      </Stack>
    </Container>
  );
}
