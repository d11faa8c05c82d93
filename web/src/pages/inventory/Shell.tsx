import {
  ActionIcon,
  Anchor,
  AppShell,
  Burger,
  Group,
  NavLink,
  Title,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { type ReactNode, useEffect } from "react";
import { Link, useLocation } from "wouter";
import { useViewer } from "./session/useViewer";

interface Place {
  href: string;
  label: string;
}

/** The header with the ways to all pages, and the page below it. */
export function Shell({ children }: { children: ReactNode }) {
  const [isOpen, { toggle, close }] = useDisclosure();
  const [location] = useLocation();
  const places = usePlaces();
  useEffect(close, [close, location]);

  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 0, breakpoint: "md", collapsed: { mobile: !isOpen, desktop: true } }}
    >
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group gap="md" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Pages" />
            <Title order={1} size="h4" style={{ whiteSpace: "nowrap" }}>
              <Anchor component={Link} href="/" inherit c="inherit">
                Dam Inventory
              </Anchor>
            </Title>
            <Group component="nav" aria-label="Pages" gap="md" visibleFrom="md" wrap="nowrap">
              {places.map((place) => (
                <Anchor
                  component={Link}
                  key={place.href}
                  href={place.href}
                  aria-current={place.href === location ? "page" : undefined}
                >
                  {place.label}
                </Anchor>
              ))}
              <Anchor href="/graphiql">GraphiQL</Anchor>
            </Group>
          </Group>
          <Group gap="sm" wrap="nowrap">
            <SchemeSwitch />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label="Pages">
        {places.map((place) => (
          <NavLink
            component={Link}
            key={place.href}
            href={place.href}
            label={place.label}
            active={place.href === location}
          />
        ))}
        <NavLink href="/graphiql" label="GraphiQL" />
      </AppShell.Navbar>
      <AppShell.Main>{children}</AppShell.Main>
    </AppShell>
  );
}

function usePlaces(): Place[] {
  const viewer = useViewer();
  return [
    { href: "/", label: "Map and list" },
    ...(viewer?.canAddDams ? [{ href: "/add", label: "Add a dam" }] : []),
    ...(viewer?.permissions.includes("manage_inventory") ? [{ href: "/admin", label: "Admin" }] : []),
    { href: "/sign-in", label: viewer?.name ?? "Sign in" },
  ];
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={isDark ? "Light colours" : "Dark colours"}
      onClick={() => {
        setColorScheme(isDark ? "light" : "dark");
      }}
    >
      {isDark ? <IconSun size={18} /> : <IconMoon size={18} />}
    </ActionIcon>
  );
}
