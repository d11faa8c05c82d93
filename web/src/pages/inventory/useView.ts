import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";
import { readView, type View, writeView } from "./view";

/** The view, and what changes it. With `replace` the change is no step of the browser's history. */
export function useView(): [View, (change: Partial<View>, options?: { replace?: boolean }) => void] {
  const [parameters, setParameters] = useSearchParams();
  const view = useMemo(() => readView(parameters), [parameters]);
  const change = useCallback(
    (changed: Partial<View>, options?: { replace?: boolean }) => {
      setParameters((current) => writeView({ ...readView(current), ...changed }, current), options);
    },
    [setParameters],
  );
  return [view, change];
}
