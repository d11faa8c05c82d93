import type { ComponentProps } from "react";
import { Link, useLocation } from "wouter";
import { wayBack } from "./wayBack";

/** To the page for signing in, and from there back to where one was. */
export function SignInLink(props: Omit<ComponentProps<"a">, "href">) {
  const [, go] = useLocation();
  return (
    <Link
      {...props}
      href="/sign-in"
      onClick={(event) => {
        event.preventDefault();
        go("/sign-in", { state: wayBack() });
      }}
    />
  );
}
