import { Badge, createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const moss: MantineColorsTuple = ["#eef8f4", "#dcefe7", "#b4dfcd", "#89ceb1", "#67c09a", "#51b78b", "#44b383", "#359d70", "#2a7c59", "#1f5c4d"];

export const theme = createTheme({
  primaryColor: "moss",
  primaryShade: { light: 9, dark: 8 },
  autoContrast: true,
  colors: { moss },
  defaultRadius: "md",
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: { Badge: Badge.extend({ defaultProps: { tt: "none", fw: 600 } }) },
});

/** None of the shades of orange can be read on white. */
const darkOrange = "#a33b00";

/** Text that matters less is still to be read: 4.5 to 1 at least (WCAG 2.2, 1.4.3). */
export const variables: CSSVariablesResolver = (theme) => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": theme.colors.gray[7],
    "--mantine-color-orange-text": darkOrange,
    "--mantine-color-orange-light-color": darkOrange,
  },
  dark: { "--mantine-color-dimmed": theme.colors.dark[1] },
});
