import type { ComponentProps } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { wayBack } from "./wayBack";

/** To the page for signing in, and from there back to where one was. */
export function SignInLink(props: Omit<ComponentProps<"a">, "href">) {
  useLocation();
  useSearch(); // both are in the way back
  return <Link {...props} href="/sign-in" state={wayBack()} />;
}
