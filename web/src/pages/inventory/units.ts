import { useLocalStorage } from "@mantine/hooks";

export type System = "imperial" | "metric";

interface Unit {
  factor: number;
  unit: string;
}

/** From what the inventory has (feet, acre-feet, square miles) to what is shown. */
const UNITS = {
  height: { imperial: { factor: 1, unit: "ft" }, metric: { factor: 0.3048, unit: "m" } },
  storage: { imperial: { factor: 1, unit: "acre-ft" }, metric: { factor: 1_233.48184, unit: "m³" } },
  area: { imperial: { factor: 1, unit: "sq mi" }, metric: { factor: 2.589988, unit: "km²" } },
} satisfies Record<string, Record<System, Unit>>;

export type Quantity = keyof typeof UNITS;

export function unitOf(quantity: Quantity, system: System): string {
  return UNITS[quantity][system].unit;
}

export function shownIn(quantity: Quantity, value: number | null, system: System): number | undefined {
  return value === null ? undefined : +(value * UNITS[quantity][system].factor).toFixed(2);
}

export function fromShown(quantity: Quantity, shown: number, system: System): number {
  return +(shown / UNITS[quantity][system].factor).toFixed(4);
}

/** Three digits where there is a fraction; empty where the value is not known. */
export function valueIn(quantity: Quantity, value: number | null, system: System): string {
  if (value === null) return "";
  const shown = value * UNITS[quantity][system].factor;
  return shown.toLocaleString(
    "en",
    Math.abs(shown) < 100 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 },
  );
}

export function withUnit(quantity: Quantity, value: number | null, system: System): string {
  const shown = valueIn(quantity, value, system);
  return shown && `${shown} ${unitOf(quantity, system)}`;
}

/** The user's choice, kept by the browser. */
export function useUnits(): [System, (system: System) => void] {
  const [system, setSystem] = useLocalStorage<System>({
    key: "dams:units",
    defaultValue: navigator.language === "en-US" ? "imperial" : "metric",
    getInitialValueInEffect: false,
  });
  return [system, setSystem];
}
