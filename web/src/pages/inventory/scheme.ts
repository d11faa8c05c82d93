import type { Scheme } from "./map/palette";

/** The colours that the user chose, as Mantine keeps it, else those of the system. */
export function keptScheme(): Scheme {
  const kept = localStorage.getItem("mantine-color-scheme-value");
  if (kept === "light" || kept === "dark") return kept;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
