import { useQuery } from "@apollo/client/react";
import { containsCoordinate } from "ol/extent";
import type OlMap from "ol/Map";
import { fromLonLat } from "ol/proj";
import { useEffect } from "react";
import { CARD_OF_DAM, DamPopup } from "./DamPopup";
import { MapOverlay } from "./MapOverlay";

interface Props {
  map: OlMap;
  damId: number;
  autoFocus: boolean;
  onClose: () => void;
}

/** From which zoom on a dam that was out of sight is shown. */
const CLOSE_ZOOM = 10;

/** The dam of the address, with its popup. The map moves there where it is out of sight. */
export function SelectedDam({ map, damId, autoFocus, onClose }: Props) {
  const { data, error } = useQuery(CARD_OF_DAM, { variables: { damId } });
  const dam = data?.dam;
  const { latitude, longitude } = dam?.location ?? {};
  useEffect(() => {
    if (latitude === undefined || longitude === undefined) return;
    const view = map.getView();
    const center = fromLonLat([longitude, latitude]);
    if (containsCoordinate(view.calculateExtent(map.getSize()), center)) return;
    view.setCenter(center);
    view.setZoom(Math.max(view.getZoom() ?? 0, CLOSE_ZOOM));
  }, [map, latitude, longitude]);
  if (latitude === undefined || longitude === undefined || !dam || error) return null;
  return (
    <MapOverlay map={map} place={{ latitude, longitude }} autoFocus={autoFocus}>
      <DamPopup dam={dam} onClose={onClose} />
    </MapOverlay>
  );
}
