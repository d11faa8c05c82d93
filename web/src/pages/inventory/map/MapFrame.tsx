import { ActionIcon, Stack } from "@mantine/core";
import { IconMinus, IconPlus } from "@tabler/icons-react";
import type OlMap from "ol/Map";
import { type CSSProperties, type ReactNode, type RefCallback, useEffect, useState } from "react";
import { BUILT_IN, mapConfig } from "./ground";
import { GROUNDS } from "./palette";
import { useScheme } from "./useOpenMap";
import classes from "./MapFrame.module.css";

interface Props {
  /** What a screen reader calls the map. */
  label: string;
  attach: RefCallback<HTMLElement>;
  map: OlMap | undefined;
  /** Enter, while the keyboard is on the map; it shows a mark in its middle. */
  onEnter?: () => void;
  height: string | number;
  cursor?: CSSProperties["cursor"];
  /** Buttons below those that zoom. */
  tools?: ReactNode;
  /** What lies over the map. */
  children?: ReactNode;
}

/** A map with its buttons. On the map arrow keys move, plus and minus zoom. */
export function MapFrame({ label, attach, map, onEnter, height, cursor, tools, children }: Props) {
  return (
    <div className={classes["frame"]} style={{ height }}>
      <div
        ref={attach}
        className={classes["canvas"]}
        style={{ background: GROUNDS[useScheme()].sea, cursor }}
        role="application"
        tabIndex={0}
        aria-label={label}
        aria-keyshortcuts="ArrowUp ArrowDown ArrowLeft ArrowRight + - Enter"
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.target !== event.currentTarget) return;
          event.preventDefault(); // else the button that gets the focus by this is pressed too
          onEnter?.();
        }}
      />
      <Stack gap={6} className={classes["tools"] ?? ""}>
        <ActionIcon.Group orientation="vertical">
          <MapButton
            label="Zoom in"
            onClick={() => {
              zoomBy(map, 1);
            }}
          >
            <IconPlus size={18} />
          </MapButton>
          <MapButton
            label="Zoom out"
            onClick={() => {
              zoomBy(map, -1);
            }}
          >
            <IconMinus size={18} />
          </MapButton>
        </ActionIcon.Group>
        {tools}
      </Stack>
      <Attribution />
      {children}
    </div>
  );
}

interface MapButtonProps {
  label: string;
  onClick: () => void;
  loading?: boolean;
  children: ReactNode;
}

export function MapButton({ label, onClick, loading = false, children }: MapButtonProps) {
  return (
    <ActionIcon variant="default" size={36} aria-label={label} title={label} onClick={onClick} loading={loading}>
      {children}
    </ActionIcon>
  );
}

function Attribution() {
  const [text, setText] = useState(BUILT_IN.attribution);
  useEffect(() => {
    void mapConfig.then(({ attribution }) => {
      setText(attribution);
    });
  }, []);
  return <div className={classes["attribution"]}>{text}</div>;
}

function zoomBy(map: OlMap | undefined, levels: number): void {
  const view = map?.getView();
  view?.animate({ zoom: (view.getZoom() ?? 0) + levels, duration: 200 });
}
