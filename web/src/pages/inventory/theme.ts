import { Alert, createTheme, type CSSVariablesResolver, Drawer, Modal } from "@mantine/core";

const closable = { defaultProps: { closeButtonProps: { "aria-label": "Close" } } };

export const theme = createTheme({
  primaryColor: "blue",
  // White on the filled buttons of both schemes has a contrast of at least 4.5.
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  cursorType: "pointer",
  components: {
    // In its own colour a title is too pale on the ground of the same colour.
    Alert: Alert.extend({ styles: { title: { color: "var(--mantine-color-text)" } } }),
    Drawer: Drawer.extend(closable),
    Modal: Modal.extend(closable),
  },
});

/** Mantine's quiet texts have a contrast of 3.3; these have at least 4.5 on all grounds. */
export const readable: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "var(--mantine-color-gray-7)",
    "--mantine-color-placeholder": "var(--mantine-color-gray-7)",
    "--mantine-color-error": "var(--mantine-color-red-9)",
  },
  dark: {
    "--mantine-color-dimmed": "var(--mantine-color-dark-1)",
    "--mantine-color-placeholder": "var(--mantine-color-dark-1)",
    "--mantine-color-error": "var(--mantine-color-red-4)",
  },
});
