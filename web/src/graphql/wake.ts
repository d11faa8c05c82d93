/** Calls when what was connected may have died unnoticed: the network is back, or the page is looked at again. */
export function onWake(listener: () => void): void {
  window.addEventListener("online", listener);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") listener();
  });
}
