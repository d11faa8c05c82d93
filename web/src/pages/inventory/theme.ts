import { createTheme } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "blue",
  // White on the filled buttons of both schemes has a contrast of at least 4.5.
  primaryShade: { light: 8, dark: 8 },
  autoContrast: true,
  cursorType: "pointer",
});
